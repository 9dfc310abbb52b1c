/* SPDX-License-Identifier: GPL-2.0-or-later */
/* none: an empty machine of any architecture, without CPU, memory and buses; for asking and trying things. */
#include "board/board.h"

static int none_build(struct machine *m, struct conf *c, struct err *e)
{
    return 0;
}

const struct board board_none = {
    .name = "none",
    .help = "empty machine",
    .max_cpus = 1,
    .default_if = IF_IDE,
    .build = none_build,
};
