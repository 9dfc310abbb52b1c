/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A text console in a display's window.  There is no display yet: it is a screen that nobody looks at. */
#include "ui/chr_priv.h"

struct vc {
    struct chr chr;
    uint64_t width, height, cols, rows;
};

static const struct field vc_opts[] = {
    FIELD(vc, width, F_U64, "width", NULL, "pixels"),
    FIELD(vc, height, F_U64, "height", NULL, "pixels"),
    FIELD(vc, cols, F_U64, "cols", NULL, "characters in a line"),
    FIELD(vc, rows, F_U64, "rows", NULL, "lines"),
    FIELD_END,
};

const struct chr_type chr_vc = {
    .name = "vc",
    .help = "text console in a display",
    .size = sizeof(struct vc),
    .opts = vc_opts,
};
