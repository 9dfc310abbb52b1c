/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main loop of a guest thread: run it, make its system calls, turn its exceptions into signals. */
#include "user/sys.h"

#include <sched.h>

/* Exceptions are the architecture's to tell. */
static void trap(struct task *t, enum cpu_stop stop)
{
    switch (stop) {
    case CPU_STOP_YIELD:
        sched_yield();
        break;
    case CPU_STOP_ATTENTION:
        if (t->sig->pending && (stop = cpu_settle(t->cpu)) != CPU_STOP_ATTENTION)
            trap(t, stop);
        break;
    case CPU_STOP_DEBUG:
        if (gdb_active && gdb_signal(t, SIGTRAP))
            signal_fault(t, SIGTRAP, TRAP_BRKPT, t->cpu->pc, 0);
        break;
    case CPU_STOP_SYSCALL:
    case CPU_STOP_NONE:
    case CPU_STOP_AGAIN: /* signals are looked at anyway */
        break;
    default:
        t->proc->abi->signal.trap(t, stop);
        break;
    }
}

static void do_syscall(struct task *t)
{
    long r = sys_dispatch(t);

    if (r == SYS_RESTART)
        t->cpu->pc -= t->proc->abi->call.insn_len;
    else if (r != SYS_QUIET)
        t->proc->abi->call.give(t->cpu, r);
}

void user_loop(struct task *t)
{
    while (!t->exiting) {
        enum cpu_stop stop;

        if (t->proc->guarded)
            t->proc->abi->cpu.prepare(t->cpu);
        stop = gdb_active ? task_run_watched(t) : cpu_run(t->cpu);
        if (stop == CPU_STOP_SYSCALL)
            do_syscall(t);
        else
            trap(t, stop);
        if (t->sig->pending)
            signal_deliver(t);
    }
}
