/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine's lock, run states, wishes, and who must be told of them. */
#include "bus/machine_priv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *bus_alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        fatal("out of memory");
    return p;
}

char *bus_strdup(const char *s)
{
    char *copy = s ? strdup(s) : NULL;

    if (s && !copy)
        fatal("out of memory");
    return copy;
}

/* The lock: its owner is known by the address of a variable that each thread has for itself. */
static _Thread_local char self;

bool machine_locked(const struct machine *m)
{
    return atomic_load_explicit(&m->owner, memory_order_relaxed) == &self;
}

void machine_lock(struct machine *m)
{
    if (!machine_locked(m)) {
        pthread_mutex_lock(&m->big);
        atomic_store_explicit(&m->owner, &self, memory_order_relaxed);
    }
    m->depth++;
}

void machine_unlock(struct machine *m)
{
    if (!machine_locked(m))
        bug("the machine's lock is given back by a thread that has not got it");
    if (m->depth == 1 && m->posted.n && !m->posted.running)
        posted_run(m);
    if (--m->depth)
        return;
    atomic_store_explicit(&m->owner, NULL, memory_order_relaxed);
    pthread_mutex_unlock(&m->big);
}

struct mem *machine_mem(struct machine *m)
{
    return &m->mem_root;
}

struct space *machine_space(struct machine *m)
{
    return m->mem_space;
}

struct mem *machine_io_mem(struct machine *m)
{
    return &m->io_root;
}

struct space *machine_io_space(struct machine *m)
{
    return m->io_space;
}

struct loop *machine_loop(struct machine *m)
{
    return m->loop;
}

/* Run states ---------------------------------------------------------------------------------------- */

const char *machine_state_name(enum run_state s)
{
    static const char *const names[] = {
        [RUN_PRELAUNCH] = "prelaunch",
        [RUN_RUNNING] = "running",
        [RUN_PAUSED] = "paused",
        [RUN_DEBUG] = "debug",
        [RUN_SHUTDOWN] = "shutdown",
        [RUN_IO_ERROR] = "io-error",
        [RUN_WATCHDOG] = "watchdog",
        [RUN_GUEST_PANICKED] = "guest-panicked",
        [RUN_INMIGRATE] = "inmigrate",
        [RUN_POSTMIGRATE] = "postmigrate",
        [RUN_FINISH_MIGRATE] = "finish-migrate",
        [RUN_SAVE_VM] = "save-vm",
        [RUN_RESTORE_VM] = "restore-vm",
        [RUN_SUSPENDED] = "suspended",
        [RUN_INTERNAL_ERROR] = "internal-error",
    };

    return names[s];
}

enum run_state machine_state(const struct machine *m)
{
    return (enum run_state)atomic_load(&m->run_state);
}

/* Who registered first is told first when the machine starts, last when it stops: CPUs, which boards make
 * last, run neither before the devices' workers nor after them. */
static void tell_state(struct state_watcher *w, bool running, enum run_state s)
{
    if (!w)
        return;
    if (running)
        w->fn(w->opaque, running, s);
    tell_state(w->next, running, s);
    if (!running)
        w->fn(w->opaque, running, s);
}

void machine_settle(struct machine *m)
{
    while (m->stopping && !pthread_equal(m->stopper, pthread_self())) {
        unsigned n = 0;

        for (; machine_locked(m); n++)
            machine_unlock(m);
        usleep(20);
        while (n--)
            machine_lock(m);
    }
}

/* Watchers let the lock go while they wait for CPUs to leave guest code. */
static void tell_stop(struct machine *m, enum run_state s)
{
    pthread_t before = m->stopper;

    m->stopping++;
    m->stopper = pthread_self();
    tell_state(m->state_watchers, false, s);
    m->stopper = before;
    m->stopping--;
}

void machine_set_state(struct machine *m, enum run_state s)
{
    bool was, runs = s == RUN_RUNNING;

    if (runs)
        machine_settle(m);
    was = machine_state(m) == RUN_RUNNING;
    if (machine_state(m) == s)
        return;
    atomic_store(&m->run_state, (int)s);
    if (runs) {
        m->started = true;
        clock_tick(m, true);
    }
    if (runs && !was)
        tell_state(m->state_watchers, true, s);
    else if (was && !runs)
        tell_stop(m, s);
    if (was)
        clock_tick(m, false);
}

void machine_on_state(struct machine *m, void (*fn)(void *opaque, bool running, enum run_state s),
                      void *opaque)
{
    struct state_watcher *w = bus_alloc(sizeof(*w)), **at = &m->state_watchers;

    *w = (struct state_watcher){.fn = fn, .opaque = opaque};
    while (*at)
        at = &(*at)->next;
    *at = w;
}

void machine_off_state(struct machine *m, void *opaque)
{
    struct state_watcher **at = &m->state_watchers, *w;

    while ((w = *at)) {
        if (w->opaque == opaque) {
            *at = w->next;
            free(w);
        } else {
            at = &w->next;
        }
    }
}

void machine_press_power(struct machine *m)
{
    if (m->power_button)
        m->power_button(m->power_opaque);
}

void machine_exit(struct machine *m, int status)
{
    m->exit_status = status;
    machine_ask(m, ASK_SHUTDOWN, "guest-shutdown");
}

int machine_exit_status(const struct machine *m)
{
    return m->exit_status;
}

void machine_on_power_button(struct machine *m, void (*fn)(void *opaque), void *opaque)
{
    m->power_button = fn;
    m->power_opaque = opaque;
}

void machine_on_nmi(struct machine *m, void (*fn)(void *opaque), void *opaque)
{
    m->nmi = fn;
    m->nmi_opaque = opaque;
}

bool machine_nmi(struct machine *m)
{
    if (m->nmi)
        m->nmi(m->nmi_opaque);
    return m->nmi;
}

void machine_ask(struct machine *m, enum machine_ask what, const char *why)
{
    pthread_mutex_lock(&m->asks);
    m->asked |= what;
    m->asked_why = why;
    pthread_mutex_unlock(&m->asks);
    if (m->wake)
        m->wake(m);
}

unsigned machine_take_asks(struct machine *m, const char **why)
{
    unsigned asked;

    pthread_mutex_lock(&m->asks);
    asked = m->asked;
    *why = m->asked_why;
    m->asked = 0;
    pthread_mutex_unlock(&m->asks);
    return asked;
}

static void watch(struct watcher **at, void (*fn)(void *opaque), void *opaque)
{
    struct watcher *w = bus_alloc(sizeof(*w));

    *w = (struct watcher){.fn = fn, .opaque = opaque};
    while (*at)
        at = &(*at)->next;
    *at = w;
}

void machine_on_reset(struct machine *m, void (*fn)(void *opaque), void *opaque)
{
    watch(&m->resets, fn, opaque);
}

void machine_on_ready(struct machine *m, int (*fn)(void *opaque, struct err *e), void *opaque)
{
    struct ready_watcher *w = bus_alloc(sizeof(*w)), **at = &m->readies;

    *w = (struct ready_watcher){.fn = fn, .opaque = opaque};
    while (*at)
        at = &(*at)->next;
    *at = w;
}

int machine_ready(struct machine *m, struct err *e)
{
    int r = 0;

    for (struct ready_watcher *w = m->readies; w && r == 0; w = w->next)
        r = w->fn(w->opaque, e);
    return r;
}

void machine_on_end(struct machine *m, void (*fn)(void *opaque), void *opaque)
{
    watch(&m->ends, fn, opaque);
}

void machine_reset(struct machine *m)
{
    for (struct dev *d = m->devs; d; d = d->next)
        if (d->type->reset)
            d->type->reset(d);
    for (struct watcher *w = m->resets; w; w = w->next)
        w->fn(w->opaque);
    m->started = true;
}

/* --- Sleep with memory powered --- */

void machine_on_sleep(struct machine *m, void (*fn)(void *opaque, bool wakes), void *opaque)
{
    struct sleep_watcher *w = bus_alloc(sizeof(*w)), **at = &m->sleeps;

    *w = (struct sleep_watcher){.fn = fn, .opaque = opaque};
    while (*at)
        at = &(*at)->next;
    *at = w;
}

void machine_tell_sleep(struct machine *m, bool wakes)
{
    for (struct sleep_watcher *w = m->sleeps; w; w = w->next)
        w->fn(w->opaque, wakes);
}

void machine_wake(struct machine *m)
{
    m->wakes = true;
    machine_reset(m);
    m->wakes = false;
    machine_tell_sleep(m, true);
}

bool machine_wakes(const struct machine *m)
{
    return m->wakes;
}

void machine_on_event(struct machine *m,
                      void (*fn)(void *opaque, const char *name, struct json_object *data),
                      void *opaque)
{
    struct event_watcher *w = bus_alloc(sizeof(*w)), **at = &m->events;

    *w = (struct event_watcher){.fn = fn, .opaque = opaque};
    while (*at)
        at = &(*at)->next;
    *at = w;
}

void machine_event(struct machine *m, const char *name, struct json_object *data)
{
    for (struct event_watcher *w = m->events; w; w = w->next)
        w->fn(w->opaque, name, data);
    if (data)
        m->drop_data(data);
}

/* Back ends ----------------------------------------------------------------------------------------- */

static struct backend **backend_at(const struct machine *m, const char *kind, const char *id)
{
    struct backend **at = (struct backend **)&m->backends;

    while (*at && (strcmp((*at)->id, id) != 0 || strcmp((*at)->kind, kind) != 0))
        at = &(*at)->next;
    return at;
}

int machine_add_backend(struct machine *m, const char *kind, const char *id, void *backend,
                        struct err *e)
{
    struct backend **at = backend_at(m, kind, id);

    if (*at)
        return err_set(e, -EEXIST, "Duplicate ID '%s' for %s", id, kind);
    *at = bus_alloc(sizeof(**at));
    **at = (struct backend){.kind = bus_strdup(kind), .id = bus_strdup(id), .p = backend};
    return 0;
}

void *machine_backend(const struct machine *m, const char *kind, const char *id)
{
    struct backend *b = *backend_at(m, kind, id);

    return b ? b->p : NULL;
}

static void backend_free(struct backend *b)
{
    free(b->kind);
    free(b->id);
    free(b);
}

void machine_del_backend(struct machine *m, const char *kind, const char *id)
{
    struct backend **at = backend_at(m, kind, id), *b = *at;

    if (!b)
        return;
    *at = b->next;
    backend_free(b);
}

void machine_each_backend(const struct machine *m, const char *kind,
                          bool (*fn)(void *opaque, const char *id, void *backend), void *opaque)
{
    for (struct backend *b = m->backends, *next; b; b = next) {
        next = b->next;
        if (!strcmp(b->kind, kind) && !fn(opaque, b->id, b->p))
            return;
    }
}

void machine_each_dev(const struct machine *m, bool (*fn)(void *opaque, struct dev *d),
                      void *opaque)
{
    for (struct dev *d = m->devs, *next; d; d = next) {
        next = d->next;
        if (!fn(opaque, d))
            return;
    }
}

void machine_on_log(struct machine *m, void (*fn)(void *opaque, const char *text), void *opaque)
{
    m->log = fn;
    m->log_opaque = opaque;
}

void machine_add_state(struct machine *m, const char *name, const struct state *table, int version,
                       void *obj, void (*saving)(void *obj),
                       int (*loaded)(void *obj, int version, struct err *e))
{
    struct saved *s = bus_alloc(sizeof(*s)), **at = &m->saved;

    *s = (struct saved){.name = bus_strdup(name), .table = table, .version = version, .obj = obj,
                        .saving = saving, .loaded = loaded};
    while (*at)
        at = &(*at)->next;
    *at = s;
}

static void watchers_free(struct watcher *w)
{
    for (struct watcher *next; w; w = next) {
        next = w->next;
        free(w);
    }
}

void lists_free(struct machine *m)
{
    for (struct watcher *w = m->ends; w; w = w->next)
        w->fn(w->opaque);
    watchers_free(m->ends);
    watchers_free(m->resets);
    for (struct state_watcher *w; (w = m->state_watchers);) {
        m->state_watchers = w->next;
        free(w);
    }
    for (struct ready_watcher *w; (w = m->readies);) {
        m->readies = w->next;
        free(w);
    }
    for (struct sleep_watcher *w; (w = m->sleeps);) {
        m->sleeps = w->next;
        free(w);
    }
    for (struct event_watcher *w; (w = m->events);) {
        m->events = w->next;
        free(w);
    }
    for (struct backend *b; (b = m->backends);) {
        m->backends = b->next;
        backend_free(b);
    }
    for (struct saved *s; (s = m->saved);) {
        m->saved = s->next;
        free(s->name);
        free(s);
    }
    for (unsigned i = 0; i < CLK_NUM; i++)
        free(m->timers[i].t);
}
