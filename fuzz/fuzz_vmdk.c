/* SPDX-License-Identifier: GPL-2.0-or-later */
/* VMDK images; descriptors may name files of the current folder only, and those are only read. */
#include "fuzz/image.h"

int fuzz_one(const uint8_t *data, size_t len)
{
    bool sparse = len >= 4 && (!memcmp(data, "KDMV", 4) || !memcmp(data, "COWD", 4) ||
                               !memcmp(data, "SPARSE", 4));
    uint8_t *copy;

    if (sparse)
        return fuzz_image("vmdk", data, len, FUZZ_CHANGE);
    if (!(copy = malloc(len + 1)))
        abort();
    for (size_t i = 0; i < len; i++)
        copy[i] = data[i] == '/' || data[i] == ':' ? '_' : data[i];
    fuzz_image("vmdk", copy, len, FUZZ_LOOK);
    free(copy);
    return 0;
}
