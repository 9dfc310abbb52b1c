/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * gdb's remote protocol for a machine (-gdb, -s, the monitor's gdbserver): vCPUs are threads, which stop and
 * go on together.  Served by the main loop.
 */
#ifndef MON_GDB_H
#define MON_GDB_H

#include "bus/machine.h"
#include "mon/mon.h"
#include "ui/chr.h"

struct gdbserver;

/**
 * gdbserver_new - listen at @dev: "tcp::1234" (", server=on,wait=off" is understood), "unix:PATH,server=on,wait=off",
 * "stdio", "pty" ...; a connection stops the machine.  @env: for "monitor COMMAND", NULL: there is none.
 * NULL with a message.  Under the machine's lock, with all CPUs made.
 */
struct gdbserver *gdbserver_new(struct machine *m, const struct chr_env *chrs, const char *dev,
                                const struct mon_env *env, struct err *e);
/** gdbserver_on - the same, with a back end that is there already (tests); it stays the caller's. */
struct gdbserver *gdbserver_on(struct machine *m, struct chr *chr, const struct mon_env *env,
                               struct err *e);
/** gdbserver_free - tells gdb that the machine has ended with @status. */
void gdbserver_free(struct gdbserver *g, int status);

#endif
