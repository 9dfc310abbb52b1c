/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the parts of cpu/ share: the engine (one per process), and the two ways to run guest code
 * that hang below it, the interpreter (interp.c) and the translator (jit.c).
 */
#ifndef CPU_ENGINE_H
#define CPU_ENGINE_H

#include "cpu/cpu.h"

#include <pthread.h>

struct interp;
struct jit;

struct engine {
    const struct guest_isa *isa;
    struct engine_conf conf;
    size_t (*fetch)(void *opaque, uint64_t pc, uint32_t *mode);
    void (*hold)(void *opaque, bool on);
    void *fetch_opaque;
    void (*changed)(void *opaque, uint64_t start, uint64_t len); /* code was written */
    void *changed_opaque;
    bool (*serve)(struct cpu *cpu, unsigned number);
    uint64_t serve_start, serve_end;

    struct tcache *tcache; /* tcache.h; NULL: none */
    bool (*keep)(void *opaque, uint64_t start, uint64_t end);

    pthread_mutex_t lock;  /* translating, linking, invalidating, the list of CPUs */
    uint32_t generation;   /* grows with every invalidation [atomic; written under lock] */
    uint32_t readers;      /* threads that have read guest code, not yet told engine_mark [atomic] */
    uint8_t *lines;        /* a bit for each line of guest code that may be translated [atomic] */
    struct cpu *cpus;      /* [lock] */

    uint64_t *breakpoints; /* sorted [lock; read when translating] */
    uint32_t n_breakpoints;

    struct interp *interp; /* made on first use [lock] */
    struct jit *jit;
};

/** engine_fetch - executable bytes at guest @pc (0: none) and where the host sees them; adds to
 * *@mode what that memory adds to the CPU's mode when code there is lifted. */
size_t engine_fetch(const struct engine *e, uint64_t pc, const uint8_t **code, uint32_t *mode);
/**
 * engine_begin_read, engine_end_read - around asking for guest code, reading it and engine_mark() for
 * what was read: code that changes meanwhile is told to engine_invalidate's slow path.
 */
void engine_begin_read(struct engine *e);
void engine_end_read(struct engine *e);
/** engine_mark - a translation of [start, end) exists from now on. */
void engine_mark(struct engine *e, uint64_t start, uint64_t end);
bool engine_has_breakpoint(const struct engine *e, uint64_t pc);

/* --- land.c: the caches of indirect branches' targets, and the check of restricted ones --- */

/** jc_init - a CPU's empty caches, in zeroed memory. */
void jc_init(struct cpu *cpu);
void jc_clear(struct cpu *cpu);
/** jc_forget - @pc is no longer known; any thread. */
void jc_forget(struct cpu *cpu, uint64_t pc);
/** jc_fill - branches of sort @landing (0: all but the restricted) find @pc at @host.  Taken back when
 * the engine's generation is no longer @generation. */
void jc_fill(struct cpu *cpu, uint64_t pc, unsigned landing, void *host, uint32_t generation);
/** land - check what cpu->landing asks for, if anything: false when the branch was not allowed. */
bool land(struct cpu *cpu);

/**
 * interp_run - run on the reference interpreter until a stop, or for at most @max_blocks basic
 * blocks when not 0 (then CPU_STOP_NONE).  Also used by the translator for single odd instructions:
 * with cpu->single_step it executes exactly one instruction.
 */
enum cpu_stop interp_run(struct cpu *cpu, unsigned max_blocks);
/** interp_invalidate - called under the lock by engine_invalidate. */
void interp_invalidate(struct engine *e, uint64_t start, uint64_t len);

enum cpu_stop jit_run(struct cpu *cpu);
void jit_fini_cpu(struct cpu *cpu);
void jit_invalidate(struct engine *e, uint64_t start, uint64_t len);
void jit_after_fork(struct engine *e, bool child);
/** jit_fault - a host fault at @rip inside translated code: make the state exact from the host
 * registers, arrange for jit_run to return CPU_STOP_FAULT; false when @rip is not ours. */
bool jit_fault(struct cpu *cpu, siginfo_t *info, void *ucontext);

/**
 * guest_cas - the host's compare and swap of 1 << @log2_size bytes (0..4) of guest memory, guarded:
 * 1 when swapped; 0 when not, @expected is then what was there; -EFAULT.
 */
int guest_cas(struct cpu *cpu, uint64_t addr, unsigned log2_size, union ir_u *expected,
              const union ir_u *desired);

/** jit_fp_trap - an unmasked FP exception in translated code: go on out of line. */
bool jit_fp_trap(struct cpu *cpu, void *ucontext);

/** guard_copy - copy bytes that may not be there: 0, or -1 when one could not be reached. */
long guard_copy(void *dst, const void *src, size_t len);
/** guard_same - compare such bytes: 0, 1 when they differ, or -1. */
long guard_same(const void *a, const void *b, size_t len);
/** guard_fault - a host fault inside a guarded copy: resumes it with an error; false: elsewhere. */
bool guard_fault(void *ucontext);

#endif
