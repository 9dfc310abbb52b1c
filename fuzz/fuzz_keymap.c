/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A keyboard layout: it is read or not, and keys stay keys. */
#include "ui/keymap.h"

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    struct keymap *k = keymap_read((const char *)data, len, NULL);
    unsigned level;

    if (k && (unsigned)keymap_find(k, 'a', &level) >= KEY_NUM)
        bug("no key");
    keymap_free(k);
    return 0;
}
