/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dmg images; or, after "mish", one table, as nothing random is sound base 64. */
#include "fuzz/image.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* The table as an image: list, trailer. */
static int fuzz_table(const uint8_t *data, size_t len)
{
    size_t room = len / 3 * 4 + 4 + 64 + 512, n = 6;
    char *image = calloc(1, room);

    if (!image)
        abort();
    memcpy(image, "<data>", 6);
    for (size_t i = 0; i + 3 <= len; i += 3) {
        uint32_t bits = (uint32_t)data[i] << 16 | (uint32_t)data[i + 1] << 8 | data[i + 2];

        for (int k = 18; k >= 0; k -= 6)
            image[n++] = digits[bits >> k & 63];
    }
    memcpy(image + n, "</data>", 7);
    n += 7;
    memcpy(image + n, "koly", 4);
    put_be64((uint8_t *)image + n + 224, n);
    fuzz_image("dmg", (uint8_t *)image, n + 512, FUZZ_LOOK);
    free(image);
    return 0;
}

int fuzz_one(const uint8_t *data, size_t len)
{
    if (len >= 4 && !memcmp(data, "mish", 4))
        return fuzz_table(data, len);
    return fuzz_image("dmg", data, len, FUZZ_LOOK);
}
