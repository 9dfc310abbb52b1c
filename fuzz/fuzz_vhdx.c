/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VHDX images with their logs; checksums are put right, else nothing would ever be looked at. */
#include "block/fmt_vhdx_priv.h"
#include "fuzz/image.h"

static void put_sum(uint8_t *image, size_t len, uint64_t at, size_t n)
{
    if (at <= len && n <= len - at)
        put_le32(image + at + 4, vhdx_crc(image + at, n, 4));
}

static void fix_sums(uint8_t *image, size_t len)
{
    put_sum(image, len, VHDX_HEADER_1, VHDX_HEADER);
    put_sum(image, len, VHDX_HEADER_2, VHDX_HEADER);
    put_sum(image, len, VHDX_REGION_1, VHDX_TABLE);
    put_sum(image, len, VHDX_REGION_2, VHDX_TABLE);
    for (uint64_t at = MiB; at + VHDX_SECTOR <= len && at < 2 * MiB; at += VHDX_SECTOR)
        if (!memcmp(image + at, "loge", 4))
            put_sum(image, len, at, get_le32(image + at + 8) % MiB / VHDX_SECTOR * VHDX_SECTOR);
}

int fuzz_one(const uint8_t *data, size_t len)
{
    return fuzz_image_fixed("vhdx", data, len, FUZZ_COMPARE, fix_sums);
}
