/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bochs images. */
#include "fuzz/image.h"

int fuzz_one(const uint8_t *data, size_t len)
{
    return fuzz_image("bochs", data, len, FUZZ_LOOK);
}
