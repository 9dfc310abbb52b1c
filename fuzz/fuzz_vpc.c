/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VPC images; the checksums of footer and header are put right. */
#include "block/fmt_vpc_priv.h"
#include "fuzz/image.h"

static void fix_sums(uint8_t *image, size_t len)
{
    if (len >= VPC_FOOTER)
        put_be32(image + FOOT_SUM, vpc_sum(image, VPC_FOOTER, FOOT_SUM));
    if (len >= VPC_FOOTER + VPC_DYNAMIC)
        put_be32(image + VPC_FOOTER + D_SUM, vpc_sum(image + VPC_FOOTER, VPC_DYNAMIC, D_SUM));
}

int fuzz_one(const uint8_t *data, size_t len)
{
    return fuzz_image_fixed("vpc", data, len, FUZZ_CHANGE, fix_sums);
}
