/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdbserver [device]: a gdb server is started, moved or, with "none", ended. */
#include "mon/mon_priv.h"

#include <errno.h>
#include <string.h>

static int run(struct mon *m, const char *args, struct err *e)
{
    const char *dev = *args ? args : "tcp::1234";

    if (!m->env->gdbserver)
        return err_set(e, -ENOTSUP, "there is no gdb server here");
    if (m->env->gdbserver(m->env->opaque, dev, e) < 0)
        return e->code;
    if (strcmp(dev, "none") == 0)
        mon_puts(m, "Disabled gdbserver\n");
    else
        mon_printf(m, "Waiting for gdb connection on device '%s'\n", dev);
    return 0;
}

const struct mon_command cmd_gdbserver = {
    .name = "gdbserver",
    .args = "[device]",
    .help = "start gdbserver on given device (default 'tcp::1234'), stop with 'none'",
    .run = run,
};
