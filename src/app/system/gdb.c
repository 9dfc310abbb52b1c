/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -gdb DEV and -s: the machine's gdb server. */
#include "app/system/sys.h"
#include "mon/gdb.h"

#include <string.h>

int machine_gdb_start(struct sys *s, struct err *e)
{
    if (!s->cli.gdb || strcmp(s->cli.gdb, "none") == 0)
        return 0;
    s->gdb = gdbserver_new(s->m, &s->chr_env, s->cli.gdb, &s->mon_env, e);
    return s->gdb ? 0 : err_wrap(e, e->code, "-gdb %s", s->cli.gdb);
}

void machine_gdb_end(struct sys *s)
{
    gdbserver_free(s->gdb, s->exit_status);
    s->gdb = NULL;
}
