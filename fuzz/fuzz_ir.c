/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random regions: the verifier accepts what every pass makes of them, and they do the same. */
#include "tests/ir/random.h"

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    if (!random_check(data, len))
        bug("a pass is wrong");
    return 0;
}
