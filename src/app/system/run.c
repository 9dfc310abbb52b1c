/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main loop of a machine: what the guest, its devices, monitors and signals ask for is done here. */
#include "app/system/sys.h"
#include "cpu/vcpu.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct run {
    struct sys *s;
    bool over;
    int signals;
};

static void enter(void *opaque)
{
    machine_lock(opaque);
}

static void leave(void *opaque)
{
    machine_unlock(opaque);
}

static struct json_object *reason(const char *why, bool guest)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "guest", json_object_new_boolean(guest));
    json_object_object_add(o, "reason", json_object_new_string(why ? why : ""));
    return o;
}

static void do_shutdown(struct run *r, const char *why)
{
    struct machine *m = r->s->m;
    bool guest = why && !strncmp(why, "guest-", 6);

    if (machine_exit_status(m))
        r->s->exit_status = machine_exit_status(m);
    machine_event(m, "SHUTDOWN", reason(why, guest));
    if (guest && r->s->actions.shutdown_pauses && !machine_exit_status(m))
        machine_set_state(m, RUN_SHUTDOWN);
    else
        r->over = true;
}

static void do_reset(struct run *r, const char *why)
{
    struct machine *m = r->s->m;
    bool guest = why && !strncmp(why, "guest-", 6);

    if (guest && r->s->actions.reboot_shuts_down) {
        do_shutdown(r, "guest-reset");
        return;
    }
    vcpu_stop_all(m);
    machine_reset(m);
    machine_event(m, "RESET", reason(why, guest));
    if (machine_state(m) == RUN_RUNNING)
        vcpu_start_all(m);
    else if (machine_state(m) == RUN_SUSPENDED)
        machine_set_state(m, RUN_RUNNING);
    else if (machine_state(m) == RUN_SHUTDOWN || machine_state(m) == RUN_GUEST_PANICKED ||
             machine_state(m) == RUN_INTERNAL_ERROR)
        machine_set_state(m, RUN_PAUSED);
}

/* S3: CPUs and devices lose their state, memory does not. */
static void do_wake(struct machine *m)
{
    machine_wake(m);
    machine_set_state(m, RUN_RUNNING);
    machine_event(m, "WAKEUP", NULL);
}

static void do_suspend(struct machine *m)
{
    machine_set_state(m, RUN_SUSPENDED);
    machine_tell_sleep(m, false);
    machine_event(m, "SUSPEND", NULL);
}

static struct json_object *panic_action(const char *action)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "action", json_object_new_string(action));
    return o;
}

/* -action panic=.  With shutdown=pause, too, it does not end, and no failure is left for the end. */
static void do_panic(struct run *r)
{
    struct machine *m = r->s->m;

    machine_event(m, "GUEST_PANICKED",
                  panic_action(r->s->actions.panic_none ? "run" : r->s->actions.panic_pauses ? "pause" : "poweroff"));
    if (r->s->actions.panic_none)
        return;
    if (r->s->actions.panic_pauses || (r->s->actions.shutdown_pauses && !r->s->actions.panic_exits)) {
        machine_set_state(m, RUN_GUEST_PANICKED);
        machine_event(m, "STOP", NULL);
        return;
    }
    r->s->exit_status = r->s->actions.panic_exits && !r->s->actions.shutdown_pauses;
    do_shutdown(r, "guest-panic");
}

/* A machine that ends needs no reset, one that is reset no power button. */
static void serve(struct run *r)
{
    struct machine *m = r->s->m;
    const char *why;
    unsigned asks = machine_take_asks(m, &why);

    if (asks & ASK_SHUTDOWN)
        do_shutdown(r, why);
    else if (asks & ASK_RESET)
        do_reset(r, why);
    else if (asks & ASK_POWERDOWN) {
        machine_press_power(m);
        machine_event(m, "POWERDOWN", NULL);
        asks |= machine_state(m) == RUN_SUSPENDED ? ASK_WAKE : 0; /* as PCs' power buttons do */
    }
    if (asks & ASK_STOP && machine_state(m) == RUN_RUNNING) {
        machine_set_state(m, RUN_PAUSED);
        machine_event(m, "STOP", NULL);
    }
    if (asks & ASK_PANIC && machine_state(m) == RUN_RUNNING)
        do_panic(r);
    if (asks & ASK_SUSPEND && machine_state(m) == RUN_RUNNING)
        do_suspend(m);
    if (asks & ASK_WAKE && machine_state(m) == RUN_SUSPENDED)
        do_wake(m);
}

static void process_name(unsigned pid, char name[64])
{
    char path[32];
    FILE *f;

    snprintf(path, sizeof(path), "/proc/%u/cmdline", pid);
    name[0] = 0;
    if (!(f = fopen(path, "r")))
        return;
    if (!fgets(name, 64, f))
        name[0] = 0;
    fclose(f);
}

static void on_signal(void *opaque, int ready)
{
    struct run *r = opaque;
    struct signalfd_siginfo si;
    char who[64];

    if (read(r->signals, &si, sizeof(si)) != sizeof(si))
        return;
    if (si.ssi_signo == SIGINT && si.ssi_code == SI_KERNEL) {
        fprintf(stderr, "%s: terminating on signal %u\n", r->s->cli.program, si.ssi_signo);
    } else {
        process_name(si.ssi_pid, who);
        fprintf(stderr, "%s: terminating on signal %u from pid %u (%s)\n", r->s->cli.program,
                si.ssi_signo, si.ssi_pid, *who ? who : "<unknown process>");
    }
    machine_ask(r->s->m, ASK_SHUTDOWN, "host-signal");
}

int sys_run(struct sys *s)
{
    struct run r = {.s = s};
    struct loop_fd *f;
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if ((r.signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK)) < 0)
        fatal("cannot watch signals");
    f = loop_add_fd(s->loop, r.signals, LOOP_READ, on_signal, &r);
    machine_reset(s->m);
    if (!s->cli.stopped)
        machine_set_state(s->m, RUN_RUNNING);
    daemon_ready(s);
    machine_unlock(s->m);
    loop_around(s->loop, enter, leave, s->m);
    while (!r.over) {
        loop_once(s->loop, -1);
        machine_lock(s->m);
        serve(&r);
        machine_unlock(s->m);
    }
    loop_del_fd(f);
    close(r.signals);
    machine_lock(s->m);
    machine_set_state(s->m, RUN_SHUTDOWN);
    return s->exit_status;
}
