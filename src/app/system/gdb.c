/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -gdb DEV, -s and the monitor's gdbserver: the machine's gdb server. */
#include "app/system/sys.h"
#include "mon/gdb.h"

#include <string.h>

int machine_gdb_listen(void *opaque, const char *dev, struct err *e)
{
    struct sys *s = opaque;

    machine_gdb_end(s);
    if (strcmp(dev, "none") == 0)
        return 0;
    s->gdb = gdbserver_new(s->m, &s->chr_env, dev, &s->mon_env, e);
    return s->gdb ? 0 : e->code;
}

int machine_gdb_start(struct sys *s, struct err *e)
{
    if (!s->cli.gdb || machine_gdb_listen(s, s->cli.gdb, e) == 0)
        return 0;
    return err_wrap(e, e->code, "-gdb %s", s->cli.gdb);
}

void machine_gdb_end(struct sys *s)
{
    gdbserver_free(s->gdb, s->exit_status);
    s->gdb = NULL;
}
