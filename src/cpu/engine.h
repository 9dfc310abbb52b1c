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
struct machine;

/**
 * struct code_page - a page of guest code as a machine's CPU sees it.  @at names it among all RAM (struct ram, offset):
 * there it is found again, whatever addresses show it.
 */
struct code_page {
    uint64_t va;         /* guest address; 1: empty */
    const uint8_t *host;
    uint64_t at;
    uint64_t context;
    uint32_t mode;       /* that it adds to the CPU's */
    uint8_t regime;
    bool global;
    uint8_t log2_size;   /* of the block it lies in */
    uint8_t *dirty;      /* struct ram */
};

/**
 * struct cpu_memory - how a machine's CPU reaches memory: mmu.c.  Behind pointers, so that programs, which have none of it,
 * are not linked with it.
 */
struct cpu_memory {
    bool (*load)(struct cpu *cpu, uint64_t va, unsigned memop, unsigned regime, union ir_u *v);
    bool (*store)(struct cpu *cpu, uint64_t va, unsigned memop, unsigned regime, const union ir_u *v);
    bool (*own_code)(struct cpu *cpu, uint64_t code_at, uint64_t va, unsigned memop, unsigned regime); /* mmu_priv.h */
    bool (*atomic)(struct cpu *cpu, enum ir_opcode op, uint64_t va, unsigned memop, unsigned regime,
                   const union ir_u *a, const union ir_u *b, union ir_u *old);
    bool (*writable)(struct cpu *cpu, uint64_t va, unsigned regime); /* as for a store of a byte; none is made */
    unsigned (*regime)(const struct cpu *cpu, unsigned memop); /* of an access */
    bool (*aligned)(const struct cpu *cpu); /* do misaligned ones fault? */
    bool (*strict)(const struct cpu *cpu);  /* those with an order always? */
    /** code - the page of cpu->pc, also in cpu->here, and in cpu->there where the instruction goes on; NULL: it cannot be
     * executed, the fault is recorded. */
    const struct code_page *(*code)(struct cpu *cpu);
    /** protect - under the engine's lock, as a reader (engine_begin_read): code of @page is about to be read, writes to it are noticed from
     * now on.  False: but for those that other CPUs are in the middle of: what is read now is good for once, and not to be kept. */
    bool (*protect)(struct cpu *cpu, const struct code_page *page);
    void (*code_changed)(struct cpu *cpu, uint64_t va, uint64_t len);
    void (*flush)(struct cpu *cpu); /* forget every translation of an address: mmu_flush of all regimes */
    void (*serve)(struct cpu *cpu); /* what other CPUs asked for (cpu->asked) */
    /** alone - outside of guest code, without locks: from now on until the same with @on false no other CPU executes any.  False: something
     * has to be seen to first (cpu->attention). */
    bool (*alone)(struct cpu *cpu, bool on);
};

struct engine {
    const struct guest_isa *isa;
    struct machine *machine; /* its CPUs are this one's: code is known by its place in RAM (struct code_page, at); NULL:
                              * programs */
    uint32_t modes[CPU_MODES]; /* whose are cpu->modes [append only, under modes_lock] */
    unsigned n_modes;          /* [atomic] */
    pthread_mutex_t modes_lock;
    uint8_t rewritten[1 << 12]; /* mmu_code.c: how often code in a page was written [atomic] */
    struct engine_conf conf;
    size_t (*fetch)(void *opaque, uint64_t pc, uint32_t *mode);
    void (*hold)(void *opaque, bool on);
    void *fetch_opaque;
    void (*changed)(void *opaque, uint64_t start, uint64_t len); /* code was written */
    void *changed_opaque;
    bool (*lift)(void *opaque, uint64_t start, uint64_t len); /* engine_set_lift */
    void *lift_opaque;
    bool (*serve)(struct cpu *cpu, unsigned number);
    uint64_t serve_start, serve_end;
    engine_quick_service *quick;
    const struct engine_quick_calls *calls; /* NULL: none */

    struct tcache *tcache; /* tcache.h; NULL: none */
    bool (*keep)(void *opaque, uint64_t start, uint64_t end);

    pid_t pid;             /* whose threads are ours: a vfork()ed child, which shares this, starts none */
    pthread_mutex_t lock;  /* translating, linking, invalidating, the list of CPUs */
    uint32_t generation;   /* grows with every invalidation [atomic; written under lock] */
    uint32_t readers;      /* threads that have read guest code, not yet told engine_mark [atomic] */
    uint8_t *lines;        /* a bit for each line of guest code that may be translated [atomic] */
    struct cpu *cpus;      /* [lock] */
    pthread_mutex_t alone_lock; /* held by the machine's CPU that is alone; outermost */
    struct cpu *alone;     /* [atomic; written under alone_lock] */

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
/** engine_marked - may there be a translation of some of [start, start + len)? */
bool engine_marked(const struct engine *e, uint64_t start, uint64_t len);
bool engine_has_breakpoint(const struct engine *e, uint64_t pc);

/** engine_at - the name by which the code at @pc is found and forgotten: @pc, or in a machine its place in RAM. */
static inline uint64_t engine_at(const struct cpu *cpu, uint64_t pc)
{
    return cpu->memory ? cpu->here->at | (pc & 4095) : pc;
}
/** engine_beyond - the same of the page that the instruction at cpu->pc goes on in, or ENGINE_NOWHERE. */
#define ENGINE_NOWHERE (~0ull)
static inline uint64_t engine_beyond(const struct cpu *cpu)
{
    return cpu->memory && cpu->there ? cpu->there->at : ENGINE_NOWHERE;
}
/* In the mode as translations are told apart by, not the guest's: loads and stores use the second table of their regime. */
#define ENGINE_SECOND_TABLE (1u << 31)

/** engine_key - the mode of a machine's CPU as its caches are told apart by. */
static inline uint32_t engine_key(const struct cpu *cpu)
{
    return cpu->mode | (cpu->table >= MMU_REGIMES ? ENGINE_SECOND_TABLE : 0);
}

/** engine_mode - the same for its translations: with what the page adds.  A program's: its mode. */
static inline uint32_t engine_mode(const struct cpu *cpu)
{
    return cpu->memory ? engine_key(cpu) | cpu->here->mode : cpu->mode;
}

/** cpu_go_inside - from here to cpu_come_out() a machine's CPU executes guest code: what others asked for before is
 * done, and who asks later waits for it. */
void cpu_go_inside(struct cpu *cpu, uint8_t how);
static inline void cpu_come_out(struct cpu *cpu)
{
    __atomic_store_n(&cpu->in_code, CPU_OUTSIDE, __ATOMIC_SEQ_CST);
}

/* --- modes.c: the same for a machine's CPU, on its own thread unless said --- */

/** mode_number - which of struct cpu's modes is @mode's: the same for all CPUs; any thread. */
unsigned mode_number(struct engine *e, uint32_t mode);
/** modes_enter - before translated code is entered in cpu->mode: its caches and its shadow stack. */
void modes_enter(struct cpu *cpu);
/** modes_flush - as mmu_flush, for what was found there. */
void modes_flush(struct cpu *cpu, unsigned regimes, uint64_t va, uint64_t size, bool globals);
/** modes_forget - @pc is no longer known; any thread. */
void modes_forget(struct cpu *cpu, uint64_t pc);
/** mode_entry - the cache of cpu->mode, and *@i in it, to be filled for @pc, which is on the page cpu->here. */
struct cpu_jc *mode_entry(struct cpu *cpu, uint64_t pc, unsigned landing, unsigned *i);
/** jit_make_shadow - an empty stack for translated code. */
void jit_make_shadow(struct cpu *cpu, void **map, uint64_t *base);

/* --- land.c: the caches of indirect branches' targets, and the check of restricted ones --- */

/** jc_init - a CPU's empty caches, in zeroed memory. */
void jc_init(struct cpu *cpu);
void jc_clear(struct cpu *cpu);
/** jc_forget - @pc is no longer known; any thread. */
void jc_forget(struct cpu *cpu, uint64_t pc);
/** jc_light - does this CPU's code look into the cache of HOST_LAND_LIGHT (host/host.h)? */
bool jc_light(const struct cpu *cpu);
/** jc_fill - branches of sort @landing (0: all but the restricted) find @pc at @host, unless @dead [atomic]: whoever sets that
 * calls jc_forget() then. */
void jc_fill(struct cpu *cpu, uint64_t pc, unsigned landing, void *host, const bool *dead);
/** jc_open_verbatim - a branch to @pc found the cache of verbatim code untouched: from now on targets around are unknown; the CPU's thread. */
void jc_open_verbatim(struct cpu *cpu, uint64_t pc);
/** jc_fill_verbatim - the same for verbatim code, which indirect branches of such code enter at @host. */
void jc_fill_verbatim(struct cpu *cpu, uint64_t pc, void *host, const bool *dead);
/** land - check what cpu->landing asks for, if anything: false when the branch was not allowed. */
bool land(struct cpu *cpu);

/**
 * interp_run - run on the reference interpreter until a stop, or for at most @max_blocks basic
 * blocks when not 0 (then CPU_STOP_NONE).  Also used by the translator for single odd instructions:
 * with cpu->single_step it executes exactly one instruction.
 */
enum cpu_stop interp_run(struct cpu *cpu, unsigned max_blocks);
/** interp_one - exactly one instruction, which may write to where it lies. */
enum cpu_stop interp_one(struct cpu *cpu);
/** interp_invalidate - called under the lock by engine_invalidate. */
void interp_invalidate(struct engine *e, uint64_t start, uint64_t len);

enum cpu_stop jit_run(struct cpu *cpu);
void jit_fini_cpu(struct cpu *cpu);
void jit_alone(struct engine *e);
unsigned jit_threads(const struct engine *e);
void jit_invalidate(struct engine *e, uint64_t start, uint64_t len);
void jit_before_fork(struct engine *e);
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
