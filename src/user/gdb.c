/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb's remote protocol for the guest process. */
#include "user/user.h"

#include <errno.h>

bool gdb_active;

int gdb_start(struct process *p, const char *where, struct err *e)
{
    return err_set(e, -ENOTSUP, "-g '%s': not built yet", where);
}

int gdb_signal(struct task *t, int sig)
{
    return sig;
}

void gdb_exit(struct process *p, int status, bool signalled)
{
}
