/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine's CPU: a struct cpu with a host thread that runs, sleeps and stops with the machine.
 */
#ifndef CPU_VCPU_H
#define CPU_VCPU_H

#include "bus/machine.h"
#include "cpu/mmu.h"

#include <sys/types.h>

/* What guest_system.stopped wants of the vCPU's loop. */
enum vcpu_next {
    VCPU_GO,    /* run on */
    VCPU_SLEEP, /* until guest_system.awake says so: WFI */
    VCPU_OFF,   /* until vcpu_on(): powered down */
    VCPU_DEBUG, /* a debugger's stop: the machine goes to RUN_DEBUG */
    VCPU_BROKEN, /* the guest cannot go on (triple fault, an exception without a vector): the machine is told */
};

/** guest_page_fn - told of a page: @prot as text, "rwx" for each level that may differ; @attrs: what else its entry says, in the
 * architecture's own form, with the rights there. */
typedef bool guest_page_fn(void *opaque, uint64_t va, uint64_t pa, uint64_t size, const char *prot, const char *attrs);

/**
 * struct guest_system - the system level of a guest architecture; guest_isa.system.
 * All on the CPU's thread, without the machine's lock, unless said.
 */
struct guest_system {
    unsigned n_regimes;
    unsigned (*regime)(uint32_t mode, bool unpriv); /* of loads and stores */
    unsigned (*fetch_regime)(uint32_t mode);
    /**
     * walk - translate @va.  0 and *@page; or -EFAULT: then the fault is recorded in the guest's state, ready
     * for stopped(CPU_STOP_FAULT or CPU_STOP_FETCH_FAULT).  @debug: record nothing, change nothing, ignore permissions.
     */
    int (*walk)(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime, bool debug,
                struct mmu_page *page);
    /** bad_access - the walk went well, the access did not: @misaligned where that is not allowed, or nothing answers at @pa
     * (external abort).  Records the fault; false: it is ignored (reads give 0). */
    bool (*bad_access)(struct cpu *cpu, uint64_t va, uint64_t pa, enum mmu_access access,
                       unsigned regime, bool misaligned);
    uint32_t mode_guarded; /* what code in guarded pages (struct mmu_page) adds to the mode */
    /** aligned - must data accesses of @size bytes be aligned to it in this mode, by @regime (SCTLR.A, EFLAGS.AC)? */
    bool (*aligned)(uint32_t mode, unsigned regime, unsigned size);
    bool own_code; /* code may change itself, from the next instruction on, without saying so: a store to the page it is in, where there may
                    * be translations, is executed by itself */
    bool own_log; /* what is delivered is logged here (cpu_log), not why cpu_run() returned */
    bool locks; /* atomics are so wherever they are: in two lines of the cache, in two pages, on a device's registers */
    bool strict; /* atomics, and loads and stores with an order, must be aligned in every mode */
    /** stopped - cpu_run() returned: enter the guest's exception, do what its instruction asks. */
    enum vcpu_next (*stopped)(struct cpu *cpu, enum cpu_stop stop);
    /** interrupt - take the pending interrupt that is not masked, if any: enters its vector. */
    void (*interrupt)(struct cpu *cpu);
    /** awake - is there a reason to leave VCPU_SLEEP?  Any thread. */
    bool (*awake)(struct cpu *cpu);
    /** pages - call @fn for each page or block that the CPU's tables map now, ascending; false: no more.  On its thread. */
    void (*pages)(struct cpu *cpu, guest_page_fn *fn, void *opaque);
    /** gone - its thread has ended, it is about to be freed: let go of timers; or NULL. */
    void (*gone)(struct cpu *cpu);
};

struct vcpu;

/** vcpu_new - @cpu (owned from now on) becomes CPU @index; its thread starts, and waits for the machine to run.
 * @on: powered on at reset. */
struct vcpu *vcpu_new(struct machine *m, struct cpu *cpu, unsigned index, bool on);
/** vcpu_take_turns - from now on one of them runs at a time, up to 10 ms while others wait; all in turns.  Before the machine
 * runs. */
void vcpu_take_turns(struct machine *m);
/** vcpu_free_all - stops and joins the threads; before machine_free. */
void vcpu_free_all(struct machine *m);
struct vcpu *vcpu_at(struct machine *m, unsigned index); /* NULL past the end */
unsigned vcpu_index(const struct vcpu *v);
struct cpu *vcpu_cpu(const struct vcpu *v);
struct vcpu *vcpu_of(const struct cpu *cpu);

/** vcpu_wake - an interrupt or other work is there: leave translated code, or sleep; any thread. */
void vcpu_wake(struct vcpu *v);
/** vcpu_call - run @fn on the vCPU's thread, between instructions, and wait for it; from any other thread, without holding
 * the machine's lock or with it (it is released meanwhile); on the thread itself: at once. */
void vcpu_call(struct vcpu *v, void (*fn)(struct cpu *cpu, void *opaque), void *opaque);
/** vcpu_post - the same without waiting. */
void vcpu_post(struct vcpu *v, void (*fn)(struct cpu *cpu, void *opaque), void *opaque);
/** vcpu_on - power on: @start(cpu, opaque) sets the state on its thread, then it runs.  False: it is on. */
bool vcpu_on(struct vcpu *v, void (*start)(struct cpu *cpu, void *opaque), void *opaque);
/** vcpu_off - power off, as soon as it leaves guest code. */
void vcpu_off(struct vcpu *v);
bool vcpu_is_on(const struct vcpu *v);
bool vcpu_is_asleep(const struct vcpu *v);
/** vcpu_tid - its host thread, for tools that place threads on processors; it is there when vcpu_new() returns. */
pid_t vcpu_tid(const struct vcpu *v);
/* How a CPU goes on when the machine does; a debugger's.  Stepping, it stops the machine (RUN_DEBUG) after one instruction, or at
 * the vector that this led to; masked: interrupts wait meanwhile. */
enum vcpu_how { VCPU_FREE, VCPU_STEP, VCPU_STEP_MASKED, VCPU_HELD };
/** vcpu_set_how - while the machine stands. */
void vcpu_set_how(struct vcpu *v, enum vcpu_how how);
/** struct vcpu_stop - which CPU stopped the machine last, and why. */
struct vcpu_stop {
    struct vcpu *v; /* NULL: none did */
    bool watch;     /* an access to @addr that somebody watches (mmu_watch), still to be made; else a step or breakpoint */
    bool write;
    uint64_t addr;
};
struct vcpu_stop vcpu_last_stop(struct machine *m);
/** vcpu_stop_all - returns when no CPU executes guest code; vcpu_start_all.  (machine_set_state does this.) */
void vcpu_stop_all(struct machine *m);
void vcpu_start_all(struct machine *m);

#endif
