/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How a guest without other means ends the program: a decimal number and "q" make it exit with
 * number * 2 + 1 (kvm-unit-tests, which print that on their console).
 */
#include "ui/chr_priv.h"

struct testdev {
    struct chr chr;
    unsigned arg;
};

static size_t testdev_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct testdev *t = (struct testdev *)c;

    for (size_t i = 0; i < len; i++) {
        if (buf[i] >= '0' && buf[i] <= '9') {
            t->arg = t->arg * 10 + (buf[i] - '0');
            continue;
        }
        if (buf[i] == 'q' && c->env->exit)
            c->env->exit(c->env->opaque, (int)((t->arg << 1 | 1) & 255));
        t->arg = 0;
    }
    return len;
}

const struct chr_type chr_testdev = {
    .name = "testdev",
    .help = "the guest's words end the program",
    .size = sizeof(struct testdev),
    .write = testdev_write,
};
