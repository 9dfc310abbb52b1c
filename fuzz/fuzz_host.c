/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random regions through the host back end: they do what the interpreter does. */
#include "tests/unit/host/random.h"

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    static bool open;

    if (!open)
        open_rig();
    open = true;
    if (len < 2 * RANDOM_STEP || len > 600 * RANDOM_STEP || !random_try(data, len))
        return 0;
    random_show(data, len, "region");
    bug("the back end is wrong");
}
