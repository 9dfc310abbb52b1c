/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quit, stop, cont, system_reset, system_powerdown, system_wakeup, nmi: the machine as a whole. */
#include "mon/mon_priv.h"

#include <errno.h>

static int quit(struct mon *m, const char *args, struct err *e)
{
    machine_ask(m->env->m, ASK_SHUTDOWN, "host-qmp-quit");
    return 0;
}

const struct mon_command cmd_quit = {
    .name = "quit", .alias = "q", .args = "", .help = "quit the emulator", .run = quit};

static int stop(struct mon *m, const char *args, struct err *e)
{
    struct machine *mach = m->env->m;

    if (mon_end(args, e) < 0)
        return e->code;
    if (machine_state(mach) == RUN_RUNNING) {
        machine_set_state(mach, RUN_PAUSED);
        machine_event(mach, "STOP", NULL);
    }
    return 0;
}

const struct mon_command cmd_stop = {
    .name = "stop", .alias = "s", .args = "", .help = "stop emulation", .run = stop};

static int cont(struct mon *m, const char *args, struct err *e)
{
    struct machine *mach = m->env->m;

    if (mon_end(args, e) < 0)
        return e->code;
    switch (machine_state(mach)) {
    case RUN_SHUTDOWN:
    case RUN_INTERNAL_ERROR:
        return err_set(e, -EBUSY, "Resetting the Virtual Machine is required");
    case RUN_SUSPENDED: return 0;
    default: break;
    }
    if (machine_state(mach) != RUN_RUNNING) {
        machine_set_state(mach, RUN_RUNNING);
        machine_event(mach, "RESUME", NULL);
    }
    return 0;
}

const struct mon_command cmd_cont = {
    .name = "cont", .alias = "c", .args = "", .help = "resume emulation", .run = cont};

static int reset(struct mon *m, const char *args, struct err *e)
{
    if (mon_end(args, e) < 0)
        return e->code;
    machine_ask(m->env->m, ASK_RESET, "host-qmp-system-reset");
    return 0;
}

const struct mon_command cmd_system_reset = {
    .name = "system_reset", .args = "", .help = "reset the system", .run = reset};

static int powerdown(struct mon *m, const char *args, struct err *e)
{
    if (mon_end(args, e) < 0)
        return e->code;
    machine_ask(m->env->m, ASK_POWERDOWN, "host-qmp-system-powerdown");
    return 0;
}

const struct mon_command cmd_system_powerdown = {
    .name = "system_powerdown", .args = "", .help = "send system power down event", .run = powerdown};

static int nmi(struct mon *m, const char *args, struct err *e)
{
    if (mon_end(args, e) < 0)
        return e->code;
    return machine_nmi(m->env->m) ? 0 : err_set(e, -ENOTSUP, "machine does not provide NMIs");
}

const struct mon_command cmd_nmi = {.name = "nmi", .args = "", .help = "inject an NMI", .run = nmi};

static int wakeup(struct mon *m, const char *args, struct err *e)
{
    if (machine_state(m->env->m) != RUN_SUSPENDED)
        return err_set(e, -EPERM, "Unable to wake up: guest is not in suspended state");
    machine_ask(m->env->m, ASK_WAKE, "host-qmp-wakeup");
    return 0;
}

const struct mon_command cmd_system_wakeup = {
    .name = "system_wakeup", .args = "", .help = "wakeup guest from suspend", .run = wakeup};
