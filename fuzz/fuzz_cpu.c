/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random programs for a guest made for tests, through the whole engine: every translator does what the
 * interpreter does. */
#include "tests/unit/cpu/agree.h"

int fuzz_one(const uint8_t *data, size_t len);

int fuzz_one(const uint8_t *data, size_t len)
{
    static bool open;
    const char *wrong;

    if (!open)
        agree_open();
    open = true;
    if (len < AGREE_HEAD || len > AGREE_MAX)
        return 0;
    wrong = agree_try(data, len);
    if (!wrong)
        return 0;
    agree_show(data, len, wrong);
    bug("an engine is wrong");
}
