/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow images, version 1. */
#include "fuzz/image.h"

int fuzz_one(const uint8_t *data, size_t len)
{
    return fuzz_image("qcow", data, len, FUZZ_CHANGE);
}
