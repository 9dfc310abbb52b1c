/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking for zeros. */
#include "base/bytes.h"

/* memcmp of a buffer with itself, shifted by what was looked at, is the C library's own vector loop. */
bool bytes_zero(const void *p, size_t len)
{
    const unsigned char *b = p;
    size_t head = len < 16 ? len : 16;

    for (size_t i = 0; i < head; i++)
        if (b[i])
            return false;
    return len <= 16 || memcmp(b, b + 16, len - 16) == 0;
}
