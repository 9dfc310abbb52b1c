/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a machine is made of, for the files of bus/.  Nothing here or in mem, space, ram, irq, clock and lock
 * names a function of json-c or of the loop: emu-user links those files without libraries. */
#ifndef BUS_MACHINE_PRIV_H
#define BUS_MACHINE_PRIV_H

#include "bus/machine.h"

#include <pthread.h>
#include <stdatomic.h>

/** struct range - a piece of a flat view, all alike; inclusive ends, so that 2^64 needs no 65th bit.
 * @mem may be followed only under the machine's lock (its device may go); the rest was copied from it. */
struct range {
    paddr first, last;
    struct mem *mem;
    uint64_t off;      /* in mem, of @first */
    struct ram *ram;   /* reads as memory, or NULL */
    uint64_t ram_off;  /* of @first */
    bool writable;
};

struct view {
    atomic_uint refs;
    unsigned n, cap;
    struct range *range;
};

struct watcher {
    void (*fn)(void *opaque);
    void *opaque;
    struct watcher *next;
};

struct ready_watcher {
    int (*fn)(void *opaque, struct err *e);
    void *opaque;
    struct ready_watcher *next;
};

struct space {
    struct machine *m;
    char *name;
    struct mem *root;
    atomic_flag busy;  /* guards the pointer below, while a reference is taken */
    struct view *view;
    struct watcher *watchers; /* [machine's lock] */
    struct space *next;
};

struct timers { /* a binary heap, the earliest at [0] */
    struct timer **t;
    uint32_t n, cap;
};

struct saved { /* machine_add_state */
    char *name;
    const struct state *table;
    int version;
    void *obj;
    void (*saving)(void *obj);
    int (*loaded)(void *obj, int version, struct err *e);
    struct saved *next;
};

struct global { /* -global */
    char *type, *prop, *value;
    struct global *next;
};

struct backend {
    char *kind, *id;
    void *p;
    struct backend *next;
};

struct state_watcher {
    void (*fn)(void *opaque, bool running, enum run_state s);
    void *opaque;
    struct state_watcher *next;
};

struct sleep_watcher {
    void (*fn)(void *opaque, bool wakes);
    void *opaque;
    struct sleep_watcher *next;
};

struct event_watcher {
    void (*fn)(void *opaque, const char *name, struct json_object *data);
    void *opaque;
    struct event_watcher *next;
};

/** struct posted_writes - of devices, to registers (struct access).  One with a NULL space is void. */
struct posted_writes {
    struct posted *w;
    uint32_t n, max;
    bool running;
};

struct machine {
    const struct dev_type *const *types;
    const struct dev_type **own_types; /* once boards have added some: all of them */
    struct loop *loop;

    pthread_mutex_t big; /* the machine's lock; outermost */
    _Atomic(void *) owner;
    unsigned depth;

    struct mem mem_root, io_root;
    struct space *mem_space, *io_space, *spaces; /* [big] */
    struct posted_writes posted;                 /* [big] */
    unsigned mem_depth;                          /* of mem_begin [big] */
    bool mem_changed;
    _Atomic(struct ram *) rams; /* only grows, at its end */
    uint64_t ram_next;
    void (*code_written)(void *opaque, uint64_t ram_addr, uint64_t len);
    void *code_written_opaque;
    void (*dirty_taken)(void *opaque, const uint8_t *host, uint64_t len);
    void *dirty_taken_opaque;

    pthread_mutex_t time; /* innermost */
    struct timers timers[CLK_NUM];
    bool ticking;          /* CLK_VIRT runs [time] */
    int64_t virt;          /* stands still: its value; ticking: what is added to the host's clock [time] */
    int64_t rtc_offset;    /* added to the host's calendar, or to CLK_VIRT [time] */
    bool rtc_virt;
    /* When timers want to be run; set by machine_new, NULL without a loop [time]. */
    void (*alarm)(struct machine *m, int64_t at);
    struct loop_timer *alarm_timer;
    void (*wake)(struct machine *m);                /* the loop, if there is one */
    void (*drop_data)(struct json_object *data);

    struct dev *devs; /* in order of birth [big] */
    struct bus *buses;
    struct global *globals;
    struct backend *backends;
    struct saved *saved;
    bool started; /* devices born from now on are plugged into a machine that runs */

    _Atomic int run_state;
    unsigned stopping;   /* tell_stop()s that are not done, of @stopper */
    pthread_t stopper;
    struct state_watcher *state_watchers;
    struct watcher *resets;
    struct ready_watcher *readies;
    struct watcher *ends;
    struct event_watcher *events;
    int exit_status; /* machine_exit [big] */
    enum watchdog_action watchdog;
    void (*power_button)(void *opaque);
    void *power_opaque;
    void (*nmi)(void *opaque);
    void *nmi_opaque;
    struct sleep_watcher *sleeps;
    bool wakes; /* machine_wake is at work */
    void (*log)(void *opaque, const char *text);
    void *log_opaque;
    pthread_mutex_t asks; /* innermost */
    unsigned asked;
    const char *asked_why;
};

void *bus_alloc(size_t size);
char *bus_strdup(const char *s);

/* Take away everything that was made; machine_free calls them. */
void spaces_free(struct machine *m);
void rams_free(struct machine *m);
void lists_free(struct machine *m);
void dev_globals_free(struct machine *m);

/** clock_run_due - what is due is called, under the lock; the alarm is set for the next. */
void clock_run_due(struct machine *m);
/** clock_tick - the virtual clock runs, or stands still. */
void clock_tick(struct machine *m, bool on);

/** view_make - the flat view of @root now.  view_same - do they show the same? */
struct view *view_make(struct machine *m, struct mem *root);
bool view_same(const struct view *a, const struct view *b);
void view_put(struct view *v);
/** view_find - the range that holds @addr, or NULL. */
const struct range *view_find(const struct view *v, paddr addr);
/** spaces_update - new views for all spaces that show something else now. */
void spaces_update(struct machine *m);
/** posted_run - the writes that were posted until now [big]. */
void posted_run(struct machine *m);

#endif
