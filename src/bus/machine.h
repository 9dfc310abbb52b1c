/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine: memory, clocks, devices, and the lock that guards them.  It knows no board, CPU or device by name.
 *
 * Locks, outermost first: the machine's (machine_lock); the view's and the heap of timers' are inner, held for moments.
 */
#ifndef BUS_MACHINE_H
#define BUS_MACHINE_H

#include "bus/dev.h"

struct loop;

/* Run states, with the monitor's names. */
enum run_state {
    RUN_PRELAUNCH,
    RUN_RUNNING,
    RUN_PAUSED,
    RUN_DEBUG,
    RUN_SHUTDOWN,
    RUN_IO_ERROR,
    RUN_WATCHDOG,
    RUN_GUEST_PANICKED,
    RUN_INMIGRATE,
    RUN_POSTMIGRATE,
    RUN_FINISH_MIGRATE,
    RUN_SAVE_VM,
    RUN_RESTORE_VM,
    RUN_SUSPENDED,
    RUN_INTERNAL_ERROR
};

/* What the guest or a device asks the machine to do; done by the main loop, soon. */
enum machine_ask {
    ASK_RESET = 1,
    ASK_SHUTDOWN = 2,
    ASK_POWERDOWN = 4 /* press the power button */,
    ASK_STOP = 8,
    ASK_SUSPEND = 16,
    ASK_WAKE = 32,
    ASK_PANIC = 64 /* the guest's kernel says that it cannot go on; what becomes of it, -action panic= says */
};

/** machine_new - @types: all device types, ends with NULL; @loop: the main loop (base/loop.h), NULL in tests. */
struct machine *machine_new(const struct dev_type *const *types, struct loop *loop);
/** machine_types - what machine_new was given. */
const struct dev_type *const *machine_types(const struct machine *m);
/** machine_add_type - one more, of the board's: @t, which lives as long as the machine. */
void machine_add_type(struct machine *m, const struct dev_type *t);
/** machine_free - devices in reverse order of birth, then memory. */
void machine_free(struct machine *m);

struct mem *machine_mem(struct machine *m); /* root container of the system memory space */
struct space *machine_space(struct machine *m);
struct mem *machine_io_mem(struct machine *m); /* I/O ports of machines that have them */
struct space *machine_io_space(struct machine *m);
struct loop *machine_loop(struct machine *m);

/** machine_lock - the big one; a thread may take it again.  machine_locked - does this thread have it? */
void machine_lock(struct machine *m);
void machine_unlock(struct machine *m);
bool machine_locked(const struct machine *m);

/* Run state.  Those who must know (CPUs, clocks, devices with workers) register. */
enum run_state machine_state(const struct machine *m);
const char *
machine_state_name(enum run_state s); /* "running", "paused", "prelaunch", "guest-panicked" ... */
void machine_set_state(struct machine *m,
                       enum run_state s); /* under the lock; starts or stops the virtual clock */
/** machine_settle - under the lock, which is let go of meanwhile: wait until CPUs stand when another thread, perhaps one of
 * theirs, has begun to stop the machine.  Not on a CPU's thread; starting it does this by itself. */
void machine_settle(struct machine *m);
void machine_on_state(struct machine *m, void (*fn)(void *opaque, bool running, enum run_state s),
                      void *opaque);
/** machine_off_state - whoever registered with @opaque is told no more. */
void machine_off_state(struct machine *m, void *opaque);

/** machine_ask - any thread.  @why: the monitor's word, static: "guest-shutdown", "host-qmp-quit" ... */
void machine_ask(struct machine *m, enum machine_ask what, const char *why);
/** machine_exit - the guest ends the program with this exit status, as soon as possible.  machine_exit_status - 0: it has not. */
void machine_exit(struct machine *m, int status);
int machine_exit_status(const struct machine *m);
/* What becomes of a machine whose watchdog has expired; in the order of -action watchdog=. */
enum watchdog_action {
    WATCHDOG_RESET,
    WATCHDOG_SHUTDOWN, /* the power button is pressed */
    WATCHDOG_POWEROFF,
    WATCHDOG_PAUSE,
    WATCHDOG_DEBUG, /* it is logged */
    WATCHDOG_NONE,
    WATCHDOG_INJECT_NMI
};
void machine_set_watchdog(struct machine *m, enum watchdog_action a);
/** machine_watchdog - @d, a watchdog, has expired: under the lock, on the main loop (a timer). */
void machine_watchdog(struct dev *d);
/** machine_take_asks - the program's main loop: bits asked since, cleared; *why of the last. */
unsigned machine_take_asks(struct machine *m, const char **why);
/** machine_on_power_button - who is told of ASK_POWERDOWN (the last one that registers). */
void machine_on_power_button(struct machine *m, void (*fn)(void *opaque), void *opaque);
void machine_press_power(struct machine *m);
/** machine_on_nmi - who is asked to interrupt CPUs without mask (the last one that registers); under the lock.  machine_nmi - false: this
 * machine has no such interrupt. */
void machine_on_nmi(struct machine *m, void (*fn)(void *opaque), void *opaque);
bool machine_nmi(struct machine *m);
/** machine_on_sleep - who is told, under the lock, that the machine falls asleep with its memory powered (ASK_SUSPEND, S3), or @wakes; then, after the
 * reset that waking is.  machine_tell_sleep - the program's main loop tells them. */
void machine_on_sleep(struct machine *m, void (*fn)(void *opaque, bool wakes), void *opaque);
void machine_tell_sleep(struct machine *m, bool wakes);
/** machine_wake - machine_reset for a machine that wakes: what is in memory stays.  machine_wakes - is this what happens now? */
void machine_wake(struct machine *m);
bool machine_wakes(const struct machine *m);
/** machine_reset - all devices, in order of birth, then who registered (CPUs; loaded images), in order. */
void machine_reset(struct machine *m);
void machine_on_reset(struct machine *m, void (*fn)(void *opaque), void *opaque);

/** machine_on_ready - @fn(opaque, e) once when all devices of the command line are there: what boards tell of them.  0 or -errno.
 * machine_ready - that time is now. */
void machine_on_ready(struct machine *m, int (*fn)(void *opaque, struct err *e), void *opaque);
int machine_ready(struct machine *m, struct err *e);

/** machine_on_end - @fn(opaque) when the machine ends, after its devices: what boards own goes then. */
void machine_on_end(struct machine *m, void (*fn)(void *opaque), void *opaque);

/* Back ends by the user's name.  Kinds: "chardev", "netdev", "drive", "memory-backend", "iothread", "rng", "fsdev",
 * "filter", "secret".  The floors that own the types have typed wrappers (ui/chr.h: chr_find). */
int machine_add_backend(struct machine *m, const char *kind, const char *id, void *backend,
                        struct err *e);
void *machine_backend(const struct machine *m, const char *kind, const char *id);
void machine_del_backend(struct machine *m, const char *kind, const char *id);
/** machine_each_backend - in the order they were added; @fn false: stop. */
void machine_each_backend(const struct machine *m, const char *kind,
                          bool (*fn)(void *opaque, const char *id, void *backend), void *opaque);

/** machine_each_dev - in the order of birth. */
void machine_each_dev(const struct machine *m, bool (*fn)(void *opaque, struct dev *d),
                      void *opaque);

/** machine_event - news for monitors: "RESET", data (taken over, may be NULL).  Any thread. */
void machine_event(struct machine *m, const char *name, struct json_object *data);
void machine_on_event(struct machine *m,
                      void (*fn)(void *opaque, const char *name, struct json_object *data),
                      void *opaque);

/** machine_log - what -d guest_errors and host errors go to. */
void machine_on_log(struct machine *m, void (*fn)(void *opaque, const char *text), void *opaque);

/* Saved state: every device, and blocks that others register (CPUs: machine_add_state). */
/** machine_save, machine_load - the state of all devices, without RAM, into a new buffer (free()). */
int machine_save(struct machine *m, uint8_t **buf, size_t *len, struct err *e);
int machine_load(struct machine *m, const uint8_t *buf, size_t len, struct err *e);
/** machine_add_state - a part of the state that is no device's: @name unique ("cpu0"). */
void machine_add_state(struct machine *m, const char *name, const struct state *table, int version,
                       void *obj, void (*saving)(void *obj),
                       int (*loaded)(void *obj, int version, struct err *e));

#endif
