/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text console: whatever is written to it, the cursor stays on the screen, and it means the same however it is cut. */
#include "ui/terminal.h"

#include "base/err.h"

#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    struct terminal a, b;
    char key[8];

    if (len < 2)
        return 0;
    term_init(&a, data[0], data[1]);
    term_init(&b, data[0], data[1]);
    term_write(&a, data + 2, len - 2);
    for (size_t i = 2; i < len; i++)
        term_write(&b, data + i, 1);
    if (a.x > a.cols || a.y >= a.rows || a.bottom >= a.rows || a.top > a.bottom)
        bug("the cursor left the screen");
    if (a.x != b.x || a.y != b.y || memcmp(a.cells, b.cells, (size_t)a.cols * a.rows * sizeof(*a.cells)) != 0)
        bug("it matters how it is cut");
    if (len >= 6)
        term_key((uint32_t)data[2] << 24 | data[3] << 16 | data[4] << 8 | data[5], key);
    term_fini(&a);
    term_fini(&b);
    return 0;
}
