/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vCPU threads: run, sleep, stop with the machine, and work that others send them.  Contract: vcpu.h.
 *
 * One lock for all vCPUs of a machine; it is inner to the machine's and held for moments, never while guest code, a hook
 * of the guest's or somebody's work runs.
 */
#include "cpu/vcpu.h"

#include "base/err.h"
#include "cpu/engine.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct work {
    void (*fn)(struct cpu *cpu, void *opaque);
    void *opaque;
    bool *done; /* [lock] somebody waits; NULL: nobody, the work is freed */
    struct work *next;
};

struct vcpu {
    struct vcpus *all;
    struct cpu *cpu;
    unsigned index;
    pthread_t thread;
    pid_t tid; /* 0: not there yet [lock of all until then] */
    pthread_cond_t wake;
    /* [lock of all] */
    struct work *first, **last;
    bool on;      /* powered */
    bool sleepy;  /* sleeps until there is a reason to go on */
    bool roused;  /* vcpu_wake() since it last looked */
    bool inside;  /* executes guest code, or the guest's hooks */
    bool quit;
    bool gone;    /* its thread does nothing more */
    bool waits;   /* for another vCPU, see wait_locked */
    bool queued;  /* for its turn ... */
    uint64_t ticket; /* ... since */
    enum vcpu_how how; /* [written while the machine stands] */
    struct vcpu *next;
};

struct vcpus {
    struct machine *machine;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a vCPU came to rest, work is done */
    struct vcpu *first;     /* ascending */
    bool go;                /* the machine runs [lock] */
    struct vcpu_stop stop;  /* of the last debugger's stop [machine's lock] */
    bool turns;             /* one runs at a time [lock, those below, too] */
    struct vcpu *turn;      /* who runs, or is about to */
    uint64_t tickets;
    bool turn_over;         /* others wait, and it has had its time */
    uint64_t turn_end;      /* ns, CLOCK_MONOTONIC */
    struct vcpus *next;
};

enum { TURN_NS = 10000000 }; /* as long as a time slice of a small kernel */

static pthread_mutex_t machines_lock = PTHREAD_MUTEX_INITIALIZER;
static struct vcpus *machines; /* the few of a process [machines_lock] */

static __thread struct vcpu *self;

static struct vcpus *vcpus_of(const struct machine *m)
{
    struct vcpus *a;

    pthread_mutex_lock(&machines_lock);
    for (a = machines; a && a->machine != m; a = a->next)
        ;
    pthread_mutex_unlock(&machines_lock);
    return a;
}

/* --- The machine's lock is let go of while we wait for somebody who may want it --- */

static unsigned let_go(struct machine *m)
{
    unsigned n = 0;

    for (; machine_locked(m); n++)
        machine_unlock(m);
    return n;
}

static void take_again(struct machine *m, unsigned n)
{
    while (n--)
        machine_lock(m);
}

/* --- Waking --- */

static void rouse_locked(struct vcpu *v)
{
    v->roused = true;
    pthread_cond_signal(&v->wake);
}

void vcpu_wake(struct vcpu *v)
{
    cpu_kick(v->cpu);
    pthread_mutex_lock(&v->all->lock);
    rouse_locked(v);
    pthread_mutex_unlock(&v->all->lock);
}

/* --- Work --- */

static void put_locked(struct vcpu *v, struct work *w)
{
    w->next = NULL;
    *v->last = w;
    v->last = &w->next;
    cpu_kick(v->cpu);
    rouse_locked(v);
}

static struct work *take_locked(struct vcpu *v)
{
    struct work *w = v->first;

    v->first = w->next;
    if (!v->first)
        v->last = &v->first;
    return w;
}

/* Somebody may wait for what has just happened. */
static void tell_locked(struct vcpus *a)
{
    pthread_cond_broadcast(&a->changed);
    for (struct vcpu *v = a->first; v; v = v->next)
        if (v->waits)
            pthread_cond_signal(&v->wake);
}

/* On the vCPU's thread, under the lock, which is let go of meanwhile. */
static void do_work_locked(struct vcpu *v)
{
    while (v->first) {
        struct work *w = take_locked(v);

        pthread_mutex_unlock(&v->all->lock);
        w->fn(v->cpu, w->opaque);
        pthread_mutex_lock(&v->all->lock);
        if (w->done) {
            *w->done = true; /* w is its caller's */
            tell_locked(v->all);
        } else {
            free(w);
        }
    }
}

/* For something to happen; a vCPU does meanwhile what others want of it, since they may be waiting, too. */
static void wait_locked(struct vcpus *a)
{
    if (!self || self->all != a) {
        pthread_cond_wait(&a->changed, &a->lock);
    } else if (self->first) {
        do_work_locked(self);
    } else {
        self->waits = true;
        pthread_cond_wait(&self->wake, &a->lock);
        self->waits = false;
    }
}

void vcpu_call(struct vcpu *v, void (*fn)(struct cpu *cpu, void *opaque), void *opaque)
{
    struct vcpus *a = v->all;
    bool done = false;
    struct work w = { fn, opaque, &done, NULL };
    unsigned n;

    if (v == self) {
        fn(v->cpu, opaque);
        return;
    }
    n = let_go(a->machine);
    pthread_mutex_lock(&a->lock);
    if (!v->gone) {
        put_locked(v, &w);
        while (!done)
            wait_locked(a);
    }
    pthread_mutex_unlock(&a->lock);
    take_again(a->machine, n);
}

static struct work *new_work(void (*fn)(struct cpu *cpu, void *opaque), void *opaque)
{
    struct work *w = malloc(sizeof(*w));

    if (!w)
        fatal("out of memory");
    *w = (struct work){ fn, opaque, NULL, NULL };
    return w;
}

void vcpu_post(struct vcpu *v, void (*fn)(struct cpu *cpu, void *opaque), void *opaque)
{
    struct work *w = new_work(fn, opaque);

    pthread_mutex_lock(&v->all->lock);
    put_locked(v, w); /* freed with it, if it is gone */
    pthread_mutex_unlock(&v->all->lock);
}

bool vcpu_on(struct vcpu *v, void (*start)(struct cpu *cpu, void *opaque), void *opaque)
{
    struct work *w = start ? new_work(start, opaque) : NULL;
    bool was;

    pthread_mutex_lock(&v->all->lock);
    was = v->on;
    v->on = true;
    v->sleepy = v->sleepy && was;
    if (!was && w)
        put_locked(v, w);
    rouse_locked(v);
    pthread_mutex_unlock(&v->all->lock);
    if (was)
        free(w);
    return !was;
}

void vcpu_off(struct vcpu *v)
{
    pthread_mutex_lock(&v->all->lock);
    v->on = v->sleepy = false;
    pthread_mutex_unlock(&v->all->lock);
    cpu_kick(v->cpu);
}

/* --- Running --- */

static void broken(struct vcpu *v, enum run_state s, const struct vcpu_stop *why)
{
    struct machine *m = v->all->machine;

    machine_lock(m);
    if (machine_state(m) == RUN_RUNNING) {
        v->all->stop = *why;
        machine_set_state(m, s);
    }
    machine_unlock(m);
}

static void turn_off(struct vcpu *v)
{
    pthread_mutex_lock(&v->all->lock);
    v->on = false;
    pthread_mutex_unlock(&v->all->lock);
}

static void fall_asleep(struct vcpu *v)
{
    pthread_mutex_lock(&v->all->lock);
    v->sleepy = true;
    pthread_mutex_unlock(&v->all->lock);
}

/* A watched access is the only stop of a debugger's that says an address. */
static struct vcpu_stop why_stopped(struct vcpu *v, enum cpu_stop stop)
{
    bool watch = stop == CPU_STOP_DEBUG && v->cpu->fault_addr != ~UINT64_C(0);

    return (struct vcpu_stop){
        .v = v, .watch = watch, .write = v->cpu->fault_write, .addr = v->cpu->fault_addr};
}

static enum vcpu_next after(struct vcpu *v, enum cpu_stop stop)
{
    enum vcpu_next next = VCPU_GO;
    bool steps = v->how == VCPU_STEP || v->how == VCPU_STEP_MASKED;

    if (stop == CPU_STOP_DEBUG && !v->cpu->guest_step)
        return VCPU_DEBUG;
    if (stop == CPU_STOP_ATTENTION)
        return VCPU_GO;
    if (stop != CPU_STOP_AGAIN)
        next = v->cpu->isa->system->stopped(v->cpu, stop);
    return steps && (next == VCPU_GO || next == VCPU_SLEEP) ? VCPU_DEBUG : next;
}

/* Guest code, until something is asked for. */
static void run(struct vcpu *v)
{
    struct vcpu_stop why;
    enum cpu_stop stop;

    if (v->how != VCPU_STEP_MASKED)
        v->cpu->isa->system->interrupt(v->cpu);
    v->cpu->fault_addr = ~UINT64_C(0);
    stop = cpu_run(v->cpu);
    why = why_stopped(v, stop);
    switch (after(v, stop)) {
    case VCPU_GO: break;
    case VCPU_SLEEP: fall_asleep(v); break;
    case VCPU_OFF: turn_off(v); break;
    case VCPU_DEBUG: broken(v, RUN_DEBUG, &why); break;
    case VCPU_BROKEN: broken(v, RUN_INTERNAL_ERROR, &why); break;
    }
}

/* May it execute guest code now?  Waits a while, if not; under the lock. */
static bool ready_locked(struct vcpu *v)
{
    bool awake;

    if (!v->all->go || !v->on || v->how == VCPU_HELD) {
        pthread_cond_wait(&v->wake, &v->all->lock);
        return false;
    }
    if (!v->sleepy)
        return true;
    v->roused = false;
    pthread_mutex_unlock(&v->all->lock);
    awake = v->cpu->isa->system->awake(v->cpu);
    pthread_mutex_lock(&v->all->lock);
    if (!awake && !v->roused && !v->first && !v->quit)
        pthread_cond_wait(&v->wake, &v->all->lock);
    v->sleepy = v->sleepy && !awake;
    return false;
}

/* --- Turns: -accel tcg,thread=single --- */

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void give_turn_locked(struct vcpus *a, struct vcpu *v)
{
    a->turn = v;
    a->turn_end = now_ns() + TURN_NS;
    a->turn_over = false;
    if (v)
        pthread_cond_signal(&v->wake);
}

static bool may_run_locked(const struct vcpu *v)
{
    return v->all->go && v->on && v->how != VCPU_HELD && !v->first && !v->quit;
}

/* Who has waited longest is next, when @v cannot go on or has had its time. */
static void pass_turn_locked(struct vcpu *v)
{
    struct vcpu *next = NULL;

    if (v->all->turn != v || (may_run_locked(v) && !v->sleepy && !v->all->turn_over))
        return;
    for (struct vcpu *o = v->all->first; o; o = o->next)
        if (o->queued && (!next || o->ticket < next->ticket))
            next = o;
    give_turn_locked(v->all, next);
}

/* Until the turn's end at most; then the one that has it is sent away. */
static void wait_turn_locked(struct vcpu *v)
{
    struct vcpus *a = v->all;
    struct timespec end = {(time_t)(a->turn_end / 1000000000), (long)(a->turn_end % 1000000000)};

    if (pthread_cond_clockwait(&v->wake, &a->lock, CLOCK_MONOTONIC, &end) != ETIMEDOUT || a->turn == v)
        return;
    a->turn_over = true;
    a->turn_end += TURN_NS;
    cpu_kick(a->turn->cpu);
}

/* False: there is something else to do first. */
static bool take_turn_locked(struct vcpu *v)
{
    struct vcpus *a = v->all;

    if (!a->turns)
        return true;
    if (!a->turn)
        give_turn_locked(a, v);
    v->ticket = a->tickets++;
    v->queued = true;
    while (a->turn != v && may_run_locked(v))
        wait_turn_locked(v);
    v->queued = false;
    pass_turn_locked(v);
    return a->turn == v;
}

void vcpu_take_turns(struct machine *m)
{
    struct vcpus *a = vcpus_of(m);

    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->turns = true;
    pthread_mutex_unlock(&a->lock);
}

static void loop_locked(struct vcpu *v)
{
    while (!v->quit) {
        do_work_locked(v);
        if (v->quit || !ready_locked(v) || v->first || !take_turn_locked(v))
            continue;
        v->inside = true;
        pthread_mutex_unlock(&v->all->lock);
        run(v);
        pthread_mutex_lock(&v->all->lock);
        v->inside = false;
        pass_turn_locked(v);
        if (!v->all->go)
            tell_locked(v->all);
    }
}

/* Only faults of translated code, on a stack of their own: its stack is no place for handlers (host/host.h).  @old: who had one before
 * (a sanitizer) wants it back at the end. */
static void thread_signals(stack_t *old)
{
    static __thread uint8_t stack[64 << 10] __attribute__((aligned(16)));
    stack_t ss = { .ss_sp = stack, .ss_size = sizeof(stack) };
    sigset_t set;

    sigaltstack(&ss, old);
    sigfillset(&set);
    sigdelset(&set, SIGSEGV);
    sigdelset(&set, SIGBUS);
    sigdelset(&set, SIGFPE);
    pthread_sigmask(SIG_SETMASK, &set, NULL);
}

static void *thread(void *arg)
{
    struct vcpu *v = arg;
    stack_t old;

    self = v;
    cpu_self = v->cpu;
    thread_signals(&old);
    pthread_mutex_lock(&v->all->lock);
    v->tid = gettid();
    pthread_cond_broadcast(&v->all->changed);
    loop_locked(v);
    do_work_locked(v); /* others may wait for it */
    v->gone = true;
    pthread_mutex_unlock(&v->all->lock);
    sigaltstack(&old, NULL);
    return NULL;
}

static void on_fault(int sig, siginfo_t *info, void *ucontext)
{
    if (!cpu_self || !cpu_host_fault(cpu_self, sig, info, ucontext))
        signal(sig, SIG_DFL); /* it happens again, and ends us */
}

static void process_signals(void)
{
    static const int faults[] = { SIGSEGV, SIGBUS, SIGFPE };
    struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

    sigfillset(&sa.sa_mask);
    for (unsigned i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigaction(faults[i], &sa, NULL);
}

/* --- The machine runs and stops --- */

void vcpu_start_all(struct machine *m)
{
    struct vcpus *a = vcpus_of(m);

    if (!a)
        return;
    pthread_mutex_lock(&a->lock);
    a->go = true;
    for (struct vcpu *v = a->first; v; v = v->next)
        rouse_locked(v);
    pthread_mutex_unlock(&a->lock);
}

static bool any_inside_locked(const struct vcpus *a)
{
    for (const struct vcpu *v = a->first; v; v = v->next)
        if (v->inside && v != self)
            return true;
    return false;
}

/* A vCPU that stops the others will not run on itself before it has seen that the machine stands; so two may
 * do this to each other. */
void vcpu_stop_all(struct machine *m)
{
    struct vcpus *a = vcpus_of(m);
    bool mine;
    unsigned n;

    if (!a)
        return;
    mine = self && self->all == a;
    n = let_go(m);
    pthread_mutex_lock(&a->lock);
    a->go = false;
    for (struct vcpu *v = a->first; v; v = v->next) {
        cpu_kick(v->cpu);
        rouse_locked(v);
    }
    if (mine) {
        self->inside = false;
        tell_locked(a);
    }
    while (any_inside_locked(a))
        wait_locked(a);
    pthread_mutex_unlock(&a->lock);
    take_again(m, n);
}

static void on_state(void *opaque, bool running, enum run_state s)
{
    struct vcpus *a = opaque;

    (void)s;
    if (running)
        vcpu_start_all(a->machine);
    else
        vcpu_stop_all(a->machine);
}

/* --- Debuggers --- */

/* A CPU that sleeps in WFI goes on when it is stepped: waking without a reason is allowed. */
void vcpu_set_how(struct vcpu *v, enum vcpu_how how)
{
    bool steps = how == VCPU_STEP || how == VCPU_STEP_MASKED;

    pthread_mutex_lock(&v->all->lock);
    v->how = how;
    v->cpu->single_step = steps;
    v->sleepy = v->sleepy && !steps;
    rouse_locked(v);
    pthread_mutex_unlock(&v->all->lock);
}

struct vcpu_stop vcpu_last_stop(struct machine *m)
{
    struct vcpus *a = vcpus_of(m);

    return a ? a->stop : (struct vcpu_stop){0};
}

/* --- Birth and death --- */

static struct vcpus *vcpus_new(struct machine *m)
{
    struct vcpus *a = calloc(1, sizeof(*a));

    if (!a)
        fatal("out of memory");
    a->machine = m;
    a->go = machine_state(m) == RUN_RUNNING;
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    pthread_mutex_lock(&machines_lock);
    a->next = machines;
    machines = a;
    pthread_mutex_unlock(&machines_lock);
    process_signals();
    machine_on_state(m, on_state, a);
    return a;
}

static void add(struct vcpus *a, struct vcpu *v)
{
    struct vcpu **p = &a->first;

    pthread_mutex_lock(&a->lock);
    while (*p && (*p)->index < v->index)
        p = &(*p)->next;
    v->next = *p;
    *p = v;
    pthread_mutex_unlock(&a->lock);
}

struct vcpu *vcpu_new(struct machine *m, struct cpu *cpu, unsigned index, bool on)
{
    struct vcpus *a = vcpus_of(m);
    struct vcpu *v = calloc(1, sizeof(*v));

    if (!a)
        a = vcpus_new(m);
    if (!v || mmu_attach(cpu, m, index) < 0)
        fatal("out of memory");
    *v = (struct vcpu){ .all = a, .cpu = cpu, .index = index, .on = on };
    v->last = &v->first;
    pthread_cond_init(&v->wake, NULL);
    cpu->owner = v;
    add(a, v);
    if (pthread_create(&v->thread, NULL, thread, v) != 0)
        fatal("cannot start the thread of CPU %u", index);
    pthread_mutex_lock(&a->lock);
    while (!v->tid)
        pthread_cond_wait(&a->changed, &a->lock);
    pthread_mutex_unlock(&a->lock);
    return v;
}

pid_t vcpu_tid(const struct vcpu *v)
{
    return v->tid;
}

static void drop_work(struct vcpu *v)
{
    while (v->first) {
        struct work *w = take_locked(v);

        if (!w->done)
            free(w);
    }
}

void vcpu_free_all(struct machine *m)
{
    struct vcpus *a = vcpus_of(m), **p;
    unsigned n;

    if (!a)
        return;
    n = let_go(m);
    pthread_mutex_lock(&a->lock);
    for (struct vcpu *v = a->first; v; v = v->next) {
        v->quit = true;
        cpu_kick(v->cpu);
        rouse_locked(v);
    }
    pthread_mutex_unlock(&a->lock);
    for (struct vcpu *v = a->first; v; v = v->next)
        pthread_join(v->thread, NULL);
    while (a->first) {
        struct vcpu *v = a->first;

        a->first = v->next;
        drop_work(v);
        if (v->cpu->isa->system->gone)
            v->cpu->isa->system->gone(v->cpu);
        mmu_detach(v->cpu);
        cpu_free(v->cpu);
        pthread_cond_destroy(&v->wake);
        free(v);
    }
    a->go = false;
    pthread_mutex_lock(&machines_lock);
    for (p = &machines; *p != a; p = &(*p)->next)
        ;
    *p = a->next;
    pthread_mutex_unlock(&machines_lock);
    /* the machine may yet tell it that it stops: it stays, empty */
    a->next = NULL;
    take_again(m, n);
}

/* --- Who is who --- */

struct vcpu *vcpu_at(struct machine *m, unsigned index)
{
    struct vcpus *a = vcpus_of(m);
    struct vcpu *v = NULL;

    if (!a)
        return NULL;
    pthread_mutex_lock(&a->lock);
    for (v = a->first; v && index; v = v->next)
        index--;
    pthread_mutex_unlock(&a->lock);
    return v;
}

unsigned vcpu_index(const struct vcpu *v)
{
    return v->index;
}

struct cpu *vcpu_cpu(const struct vcpu *v)
{
    return v->cpu;
}

struct vcpu *vcpu_of(const struct cpu *cpu)
{
    return cpu->owner;
}

static bool flag(const struct vcpu *v, const bool *b)
{
    bool on;

    pthread_mutex_lock(&v->all->lock);
    on = *b;
    pthread_mutex_unlock(&v->all->lock);
    return on;
}

bool vcpu_is_on(const struct vcpu *v)
{
    return flag(v, &v->on);
}

bool vcpu_is_asleep(const struct vcpu *v)
{
    return flag(v, &v->sleepy);
}
