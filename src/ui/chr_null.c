/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nobody: -chardev null takes everything and says nothing. */
#include "ui/chr_priv.h"

const struct chr_type chr_null = {
    .name = "null",
    .help = "nobody: takes everything, says nothing",
    .size = sizeof(struct chr),
};
