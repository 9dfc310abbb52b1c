/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb's threads, which are a machine's CPUs: naming them, letting them go on, stopping them. */
#include "mon/gdb_priv.h"

#include <stdlib.h>
#include <string.h>

/* A thread's id, perhaps behind a process's: "p1.2", "2", "-1". */
static long thread_number(const char *id)
{
    const char *dot = id[0] == 'p' ? strchr(id, '.') : NULL;

    if (id[0] == 'p')
        return dot ? strtol(dot + 1, NULL, 16) : -1;
    return strtol(id, NULL, 16);
}

struct vcpu *gdbserver_thread(struct gdbserver *g, const char *id)
{
    long n = thread_number(id);

    return n < 0 || n > 0x10000 ? NULL : vcpu_at(g->m, n ? (unsigned)n - 1 : 0);
}

/* Hg, Hc */
void gdbserver_select(struct gdbserver *g, const char *s)
{
    long n = s[0] ? thread_number(s + 1) : 0;
    struct vcpu *v = n <= 0 ? NULL : gdbserver_thread(g, s + 1);

    if (n > 0 && !v) {
        gdb_put(&g->reply, "E22");
        return;
    }
    if (s[0] == 'c')
        g->runs = v;
    else if (s[0] == 'g' && v)
        g->cpu = v;
    gdb_put(&g->reply, "OK");
}

/* --- going on ----------------------------------------------------------------------------------*/

static enum vcpu_how step_how(const struct gdbserver *g)
{
    return g->sstep & SSTEP_NOIRQ ? VCPU_STEP_MASKED : VCPU_STEP;
}

static void run(struct gdbserver *g)
{
    g->awaited = g->answered = true;
    machine_set_state(g->m, RUN_RUNNING);
}

void gdbserver_resume(struct gdbserver *g)
{
    struct vcpu *v;

    for (unsigned i = 0; (v = vcpu_at(g->m, i)); i++)
        vcpu_set_how(v, VCPU_FREE);
    if (machine_state(g->m) != RUN_RUNNING)
        run(g);
}

/* A machine that has ended, or broken down, does not go on: gdb hears at once why. */
static bool may_run(struct gdbserver *g)
{
    switch (machine_state(g->m)) {
    case RUN_SHUTDOWN:
    case RUN_INTERNAL_ERROR:
    case RUN_GUEST_PANICKED:
    case RUN_INMIGRATE:
    case RUN_POSTMIGRATE:
    case RUN_FINISH_MIGRATE:
    case RUN_SAVE_VM:
    case RUN_RESTORE_VM: gdbserver_put_stop(g); return false;
    default: return true;
    }
}

/* "c", "s", with an address to go on from; "C05", "S05;addr": a machine knows no signals. */
void gdbserver_continue(struct gdbserver *g, const char *s)
{
    bool step = (s[0] | 32) == 's';
    const char *addr = s + 1;
    struct vcpu *v;

    if (s[0] == 'C' || s[0] == 'S') {
        addr = strchr(s, ';');
        addr = addr ? addr + 1 : "";
    }
    if (!may_run(g))
        return;
    if (*addr)
        vcpu_cpu(g->cpu)->pc = strtoull(addr, NULL, 16);
    for (unsigned i = 0; (v = vcpu_at(g->m, i)); i++)
        vcpu_set_how(v, step && v == (g->runs ? g->runs : g->cpu) ? step_how(g) : VCPU_FREE);
    run(g);
}

/* What the first action that fits says of thread @n; 0: nothing, 1: what is no action. */
static char action_for(const char *s, unsigned n)
{
    while (*s) {
        const char *end = strchrnul(s, ';'), *colon = memchr(s, ':', (size_t)(end - s));
        long id = colon ? thread_number(colon + 1) : -1;

        if (!strchr("cCsS", *s))
            return 1;
        if (id == -1 || id == (long)n)
            return *s | 32;
        s = *end ? end + 1 : end;
    }
    return 0;
}

/* vCont;action[:thread]...: a thread that nothing is said of stays where it is. */
void gdbserver_vcont(struct gdbserver *g, const char *s)
{
    bool any = false;
    struct vcpu *v;

    for (unsigned i = 0; (v = vcpu_at(g->m, i)); i++) {
        char action = action_for(s, i + 1);

        if (action == 1) {
            gdb_put(&g->reply, "E22");
            return;
        }
        any |= action != 0;
    }
    if (!any) {
        gdb_put(&g->reply, "E22");
        return;
    }
    if (!may_run(g))
        return;
    for (unsigned i = 0; (v = vcpu_at(g->m, i)); i++) {
        char action = action_for(s, i + 1);

        vcpu_set_how(v, action == 's' ? step_how(g) : action == 'c' ? VCPU_FREE : VCPU_HELD);
    }
    run(g);
}

void gdbserver_stop(struct gdbserver *g)
{
    if (machine_state(g->m) == RUN_RUNNING)
        machine_set_state(g->m, RUN_PAUSED);
    machine_settle(g->m);
}
