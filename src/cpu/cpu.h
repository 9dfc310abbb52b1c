/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtual CPU and its run loop, as the floors above see it.
 *
 * One struct cpu per guest thread or vCPU, run by one host thread.  Translated code finds it in a
 * fixed host register; generic fields first, then the guest ISA's own state.
 */
#ifndef CPU_CPU_H
#define CPU_CPU_H

#include "base/softfloat.h"
#include "ir/ir.h"
#include "ir/verbatim.h"

#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct cpu;
struct flat;
struct guest_isa;
struct guest_system;
struct engine;

/**
 * engine_quick_service - serves @number (enough for a service that does not touch the CPU) with the first argument @arg; the result, and up to
 * three values in @out.  Any thread of the guest's; may not wait.
 */
typedef uint64_t engine_quick_service(unsigned number, uint64_t arg, uint64_t out[3]);

/**
 * struct engine_quick_calls - system calls of the guest's that the host's kernel may be given from translated code, registers as they are: by
 * number, 1.  With @closed, one that gives EFAULT is made again through CPU_STOP_SYSCALL.  Both may change while code runs [atomic].
 */
struct engine_quick_calls {
    uint8_t quick[1 << 16];
    uint32_t closed;
};

/* Why cpu_run() returned.  The guest state in struct cpu is exact at that moment. */
enum cpu_stop {
    CPU_STOP_NONE,
    CPU_STOP_SYSCALL,     /* pc: after the instruction; detail: its immediate */
    CPU_STOP_UNDEFINED,   /* pc: at the instruction */
    CPU_STOP_BREAKPOINT,  /* BRK and friends; pc: at the instruction; detail: immediate */
    CPU_STOP_FAULT,       /* data access: pc at the instruction, fault_* say what */
    CPU_STOP_FETCH_FAULT, /* pc cannot be executed */
    CPU_STOP_ALIGN,       /* misaligned pc, sp or exclusive; pc at the instruction */
    CPU_STOP_BTI,         /* branch target exception */
    CPU_STOP_PAC,         /* pointer authentication failure trap (FPAC) */
    CPU_STOP_ATTENTION,   /* cpu_kick() was called: look at signals and requests, then run again */
    CPU_STOP_DEBUG,       /* gdb breakpoint at pc, or one single step done */
    CPU_STOP_YIELD,       /* WFE/WFI/YIELD: give the host CPU away */
    CPU_STOP_AGAIN,       /* what code means may have changed (mode, translation), interrupts may be unmasked: look
                           * again; pc: where to go on */
    CPU_STOP_GUEST,       /* the guest ISA's own (guest_system.stopped knows detail); pc: at the instruction */
};

#define CPU_JC_BITS   16 /* entries of the inline jump cache, log2; pages of it are touched as used */
#define CPU_V_JC      65536
#define CPU_LAND_BITS 13 /* of each cache of checked targets */

/* One entry of the per-CPU jump caches for indirect branches, looked up by translated code. */
struct cpu_jc {
    uint64_t pc;   /* guest address, cpu_jc_empty() when empty */
    void *host;
};
/* What the empty entry @i holds as its pc: an address that is looked for elsewhere. */
static inline uint64_t cpu_jc_empty(unsigned i)
{
    return i ? 0 : ~0ull;
}

/* --- Translation caches of a machine's CPU (cpu/mmu.h) --- */

#define MMU_REGIMES      8
#define MMU_TABLES       (2 * MMU_REGIMES) /* a second one for each, see mmu_priv.h */
#define MMU_ENTRY_BITS   11
#define MMU_ENTRIES      (1 << MMU_ENTRY_BITS)

/** struct mmu_entry - one page of one regime.  @read and @write hold its address; with low bits set, or when they are another
 * page's, translated code asks the slow path. */
struct mmu_entry {
    uint64_t read, write;
    uint64_t addend; /* host address less guest address */
    uint64_t page;   /* guest-physical page; low bits are mmu_priv.h's */
};

/*
 * What belongs to one mode of a machine's CPU (struct cpu, mode), so that code of one mode never finds another's: where branches
 * lead, and the shadow stack.  The last is for all modes beyond their number, and emptied whenever another comes.  A PC's
 * firmware and boot loader are in some twenty before the system starts, which has five or more; what is not used takes no memory.
 */
#define CPU_MODES           64
#define CPU_MODE_JC_BITS    16
#define CPU_MODE_LAND_BITS  11 /* two pages of AArch64 instructions */
#define CPU_MODE_CHUNK_BITS 6 /* entries that share a bit in used, log2 */
#define CPU_MODE_PAGES      4096

struct cpu_mode {
    uint32_t mode; /* engine_key() */
    bool taken;   /* there is such a mode [atomic] */
    bool forget;  /* the shadow stack is to be emptied before it is used */
    bool lands;   /* land holds something */
    bool local;   /* some entries are of pages that are not global, but of: */
    uint64_t context;
    uint8_t regime; /* of fetches */
    uint64_t shadow, shadow_base; /* while another mode is at work */
    void *shadow_map;
    uint64_t large[2], large_end[2]; /* blocks larger than pages that entries are of, in each half; 0, 0: none */
    uint64_t used[(1 << CPU_MODE_JC_BITS >> CPU_MODE_CHUNK_BITS) / 64]; /* chunks of jc that may hold something */
    uint64_t pages[CPU_MODE_PAGES / 64]; /* pages that entries are of, hashed */
    struct cpu_jc jc[1 << CPU_MODE_JC_BITS];
    struct cpu_jc land[IR_LANDINGS][1 << CPU_MODE_LAND_BITS];
};

/* No address of any program's, nor of the kernel's. */
#define CPU_POLL_FAULTS (1ull << 63)

enum { CPU_OUTSIDE, CPU_IN_CODE, CPU_IN_GUEST };

#define CPU_GUEST_MAX 4096 /* bytes of guest state */
#define CPU_FRAME     1600

struct cpu {
    /* --- used by translated code --- */
    uint64_t scratch[8]; /* operands and results of out-of-line evaluations; 16-byte aligned */
    void *entry_points[32]; /* C functions and stubs translated code calls, see host back end */
    const struct ir_helper *helpers;
    void *engine_priv;      /* of the engine at work */
    uint64_t shadow, shadow_base, c_stack; /* stacks of translated code, see host/host.h */
    uint64_t v_shadow, v_shadow_base, v_scratch[3], v_target; /* of verbatim code */
    uint64_t v_poll; /* [atomic] host/host.h: address of a word, or CPU_POLL_FAULTS */
    uint8_t *v_self;
    const struct engine_quick_calls *v_calls; /* engine_set_quick_calls, or one that has none */
    engine_quick_service *v_service; /* of verbatim code, as engine_set_service says */
    uint32_t stop;     /* enum cpu_stop, written on the way out */
    uint64_t detail;   /* with stop */
    uint64_t pc;       /* guest program counter, valid while not in translated code */
    uint32_t mode;     /* ISA bits that change what code means (part of the region's key) */
    uint32_t attention; /* [atomic] tested where loops close; set by cpu_kick() */
    uint32_t landing;  /* an indirect branch of this sort (ir_goto_land) came to pc, which is still to be
                        * checked; 0: nothing to check.  Valid with pc */

    uint8_t guest[CPU_GUEST_MAX] __attribute__((aligned(64))); /* the ISA's state struct */
    uint8_t frame[CPU_FRAME] __attribute__((aligned(16))); /* values translated code has no register for */

    /* --- slow fields --- */
    struct fp_env fp;  /* rounding, modes and flags gathered out of line */
    void *v_shadow_map;
    void *shadow_map;  /* memory of the shadow stack, made with the first run */
    uint64_t fault_addr;
    bool fault_write;
    int fault_signo, fault_code; /* host signal that told us: SIGSEGV/SIGBUS and si_code */
    const struct guest_isa *isa;
    struct engine *engine;
    void *owner;       /* the user-mode thread or the machine's struct vcpu */
    bool single_step;  /* stop with CPU_STOP_DEBUG after each instruction */
    bool guest_step;   /* the same, asked for by the guest itself */
    bool forget_returns; /* empty the shadow stacks before running on [atomic] */
    bool odd;          /* the next instruction is for the interpreter */
    bool by_itself;    /* the present instruction is executed by itself: it may write to its own code (guest_system.own_code) */
    volatile uint8_t in_code; /* CPU_IN_CODE: inside translated code, whose cache is not emptied; CPU_IN_GUEST: a machine's
                               * CPU at its interpreter.  Either: mmu_sync() waits for it */
    bool lands;        /* the caches of checked targets are in use */
    bool jc_filled;    /* jc, land or v_jc may hold something [atomic] */
    struct cpu *next, **link;  /* all CPUs of the engine [engine lock] */

    /* Looked up in line by translated code, so at a fixed place; touched page by page as used. */
    struct cpu_jc jc[1 << CPU_JC_BITS];
    struct cpu_jc land[IR_LANDINGS][1 << CPU_LAND_BITS]; /* targets checked for each landing */
    void *v_jc[CPU_V_JC] __attribute__((aligned(4096))); /* of verbatim code, see host/host.h [atomic] */

    /* --- of a machine's CPU; untouched in programs --- */
    const struct cpu_memory *memory; /* engine.h; NULL: a program's CPU, its memory is the host's */
    struct mmu *mmu;
    const struct code_page *here;    /* the page that code is being translated in, or was last */
    const struct code_page *there;   /* the page after it when the instruction at pc goes on there, else NULL */
    uint64_t code_context;           /* that code is fetched in */
    uint8_t table;                   /* of loads and stores: number in tlb */
    bool asked;                      /* [atomic] another CPU wants something flushed before translated code runs on */
    bool stale;  /* [atomic] the code cache was emptied: nothing in modes leads anywhere */
    struct cpu_mode *at_work;        /* of cpu->mode, when translated code ran last */
    struct cpu_jc *mode_jc;          /* its */
    struct mmu_entry *unpriv_tlb;    /* for IR_MEM_UNPRIV: the table of that regime, or no_tlb while it holds another context's */
    /* from here on not there in programs (cpu_new) */
    struct mmu_entry no_tlb[MMU_ENTRIES]; /* always empty */
    struct mmu_entry tlb[MMU_TABLES][MMU_ENTRIES] __attribute__((aligned(64))); /* looked up in line by translated code */
    struct cpu_mode modes[CPU_MODES];
    bool wants_alone;   /* the instruction at pc is to be executed while no other CPU executes any */
    bool alone;         /* that is so */
    uint8_t joined[32]; /* bytes of an instruction in two pages */
};

/* Offset the CPU register points at, so that short displacements reach the first 256 bytes of guest
 * state: the integer registers. */
#define CPU_BIAS (offsetof(struct cpu, guest) + 128)

/**
 * struct guest_gdb - registers as gdb numbers them (gdb manual, appendix G), for debuggers of programs or of machines.
 * While the CPU executes nothing.
 */
struct guest_gdb {
    unsigned (*n_regs)(struct cpu *cpu); /* that target descriptions name, from 0 on */
    unsigned n_core;                     /* the first of them: what a "g" packet holds */
    /** size - bytes of register @n, at most GUEST_GDB_REG. */
    size_t (*size)(struct cpu *cpu, unsigned n);
    /* False: this CPU has not got it, or it cannot be written.  Little endian, or as the guest has it. */
    bool (*read)(struct cpu *cpu, unsigned n, uint8_t *out);
    bool (*write)(struct cpu *cpu, unsigned n, const uint8_t *in);
    /** describe - the XML document @annex ("target.xml" and those it includes), to be freed; NULL: there is none. */
    char *(*describe)(struct cpu *cpu, const char *annex);
    /** also - a register by a name that monitors know and gdb does not ("eax" of a 64-bit CPU); NULL: there are none. */
    bool (*also)(struct cpu *cpu, const char *name, uint64_t *v);
};
enum { GUEST_GDB_REG = 16 };

/* How a basic block ends. */
enum guest_end { GUEST_END_FALL, GUEST_END_JUMP, GUEST_END_COND, GUEST_END_CALL, GUEST_END_RET,
                 GUEST_END_IND, GUEST_END_TRAP };

struct guest_scan {
    uint64_t end;    /* address after the last instruction; FALL continues there */
    uint64_t target; /* JUMP, COND, CALL */
    uint32_t n_insns;
    uint8_t kind;    /* enum guest_end */
    bool alone;      /* a helper that may change every slot does it: no part of larger regions */
};

/* Idle slots (condition flags): left alone, all written before any is read, or read, perhaps; left alone
 * by a branch. */
enum guest_idle { GUEST_IDLE_NONE, GUEST_IDLE_WRITES, GUEST_IDLE_READS, GUEST_IDLE_BRANCH };

/**
 * struct guest_isa - everything the translator must know about a guest architecture.
 */
struct guest_isa {
    const char *name; /* "aarch64" */
    uint8_t pc_shift; /* low bits of a code address that are always 0: 2, or 0 */
    uint8_t longest;  /* bytes of an instruction at most */
    const struct ir_slot *slots;
    uint32_t n_slots;
    const struct ir_helper *helpers;
    uint32_t n_helpers;
    const struct ir_x87 *x87; /* helpers that a host with such a unit may do in line; NULL: none */
    /**
     * lift - translate guest instructions from @pc until the block ends or @limit instructions
     * were done or @end is reached (then ir_goto(end)); always leaves the block ended.
     * Reads code through the pointer @code (host address of pc; @avail bytes readable, at least
     * one instruction).  An instruction crossing the end of what is readable ends the block before.
     * Returns the number of bytes of guest code consumed.
     */
    uint32_t (*lift)(struct ir *ir, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail,
                     uint64_t end, unsigned limit);
    /**
     * flat - the same block in the flat form, or 0 when that has no words for it.
     */
    uint32_t (*flat)(struct flat *f, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail,
                     uint64_t end, unsigned limit);
    /**
     * verbatim - the same for code that a host of the same architecture executes as it is, beyond the end of the block if it likes, or 0;
     * NULL: there is none.  verbatim_state: where the registers are that such code has in the host's.
     */
    uint32_t (*verbatim)(struct verbatim *v, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, uint64_t end, unsigned limit);
    const struct verbatim_state *verbatim_state;
    /**
     * scan - find the end of the basic block at @pc without lifting: how it ends and where it goes.
     */
    void (*scan)(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, unsigned limit,
                 struct guest_scan *out);
    /**
     * length - bytes of the instruction at @code, of which @avail are there: 0 when it goes on behind them.  NULL: instructions do
     * not cross pages.
     */
    unsigned (*length)(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail);
    /**
     * idle_dead - does the code at @pc write every idle slot before it reads one, as far as a short
     * look can tell?  @code gives the host address of executable guest code, *@avail bytes of it, enough for an instruction if there
     * are as many; or NULL.
     */
    bool (*idle_dead)(uint32_t mode, uint64_t pc, const uint8_t *(*code)(void *opaque, uint64_t pc, size_t *avail), void *opaque);
    bool idle_returns; /* returns leave idle slots out where idle_dead says so of the return address */
    /** idle_effect - what the instruction at @code, of *@len bytes, does to the idle slots. */
    enum guest_idle (*idle_effect)(uint32_t mode, const uint8_t *code, size_t avail, unsigned *len);
    /**
     * lands - the landings, as bits 1 << n, whose branches may come to the instruction at @code; NULL:
     * there are no landings.
     */
    unsigned (*lands)(uint32_t mode, const uint8_t *code, size_t avail);
    uint32_t mode_fp_flush; /* mode bits under which denormals are zero (struct fp_env: fz) */
    uint32_t mode_fp_slow; /* mode bits under which floating point is evaluated out of line */
    uint8_t tag_bits;  /* at the top of a program's addresses, ignored; a program's only */
    void (*reset)(struct cpu *cpu);
    /** disas - one instruction as text for logs; returns its length. */
    unsigned (*disas)(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, char *buf,
                      size_t len);
    const struct guest_system *system; /* cpu/vcpu.h; NULL: programs only */
    const struct guest_gdb *gdb;
    /** dump - the registers as text for logs, @vectors: those, too; between regions only. */
    void (*dump)(struct cpu *cpu, FILE *f, bool vectors);
};

/** cpu_new - a CPU in reset state on @engine; NULL when memory is out. */
struct cpu *cpu_new(const struct guest_isa *isa, struct engine *engine);
void cpu_free(struct cpu *cpu);
/** cpu_clone - a new CPU with the same guest state (clone(2)); own caches. */
struct cpu *cpu_clone(const struct cpu *cpu);

/** cpu_run - execute until something needs the caller; see enum cpu_stop. */
enum cpu_stop cpu_run(struct cpu *cpu);
/**
 * cpu_settle - after CPU_STOP_ATTENTION, idle slots (condition flags) may be older than the rest: then they
 * are written before anybody reads them.  Executes a few more instructions, after which they are exact, as a
 * signal's handler may want them.  Returns CPU_STOP_ATTENTION, or what one of the instructions gave rise to.
 */
enum cpu_stop cpu_settle(struct cpu *cpu);
/** cpu_kick - make cpu_run return CPU_STOP_ATTENTION soon; async-signal-safe, any thread.
 * Cleared by cpu_run as it returns for it. */
void cpu_kick(struct cpu *cpu);

/** cpu_set_mode - the meaning of code changes: whatever was looked up for the old mode is forgotten.
 * On the CPU's thread. */
void cpu_set_mode(struct cpu *cpu, uint32_t mode);

/** cpu_use_landings - before the CPU runs code with ir_goto_land. */
void cpu_use_landings(struct cpu *cpu);

/** cpu_self - the CPU this host thread runs, or NULL. */
extern __thread struct cpu *cpu_self __attribute__((tls_model("initial-exec")));

/* --- Engines --- */

enum engine_kind { ENGINE_JIT, ENGINE_INTERP };

/* In engine_conf.passes_off: every block is lifted, none said in flat form (ir/flat.h). */
#define ENGINE_NO_FLAT (1u << 31)
/* The same: every instruction is translated, none executed as it is (ir/verbatim.h). */
#define ENGINE_NO_VERBATIM (1u << 30)

/* What the engine writes to its log. */
enum engine_log_item {
    ENGINE_LOG_CODE = 1,   /* guest code of each translation */
    ENGINE_LOG_IR = 2,     /* IR as lifted */
    ENGINE_LOG_IR_OPT = 4, /* after the passes */
    ENGINE_LOG_HOST = 8,   /* host code */
    ENGINE_LOG_EXEC = 16,  /* each region entered from the run loop */
    ENGINE_LOG_CPU = 32,   /* the registers there */
    ENGINE_LOG_FPU = 64,   /* the vector registers, too */
    ENGINE_LOG_STOP = 128, /* why cpu_run() returned */
    ENGINE_LOG_MMU = 256,  /* translations that were not cached */
    ENGINE_LOG_RESET = 512, /* the registers before a machine's CPU is reset */
};

/** struct engine_log - where and what; code outside all ranges is left out when there are any. */
struct engine_log {
    int fd;
    unsigned items; /* enum engine_log_item [atomic: may change while CPUs run] */
    unsigned n_ranges;
    struct {
        uint64_t start, end;
    } ranges[16];
};

/** cpu_log - a line of the guest architecture's own, as printf, when @item is logged; with @registers, they follow. */
void cpu_log(struct cpu *cpu, enum engine_log_item item, bool registers, const char *format, ...) __attribute__((format(printf, 4, 5)));

/* When hot regions are compiled by a thread of their own (behind.c). */
enum engine_background { ENGINE_AUTO, ENGINE_ALWAYS, ENGINE_NEVER };

struct engine_conf {
    enum engine_kind kind;
    enum engine_background background;
    unsigned hot_after;    /* executions of a block before a region is formed; 0: default, 1: at
                            * once, ~0u: never */
    unsigned passes_off;   /* bit mask of passes to leave out, row order of passes.def; and ENGINE_NO_FLAT */
    unsigned host_off;     /* host features masked, enum host_off of host/host.h */
    size_t cache_size;     /* bytes of code cache, 0: default */
    unsigned max_insns;    /* per block, 0: default; 1: -singlestep */
    bool exact_flags;      /* idle slots (struct ir_slot) are right at faults, too, for debuggers */
    bool no_links;         /* every region is entered from the run loop, so that the log has it */
    uint64_t guest_base;   /* host address of guest address 0 */
    const struct engine_log *log; /* NULL: none; lives as long as the engine */
};

/** engine_new - one per process: translations are shared by all its CPUs. */
struct engine *engine_new(const struct guest_isa *isa, const struct engine_conf *conf);

/**
 * engine_invalidate - guest code in [start, start+len) may have changed or gone: forget its
 * translations.  Any thread; when it returns, no CPU starts executing an old translation, and the
 * calling thread does not return to one.
 */
void engine_invalidate(struct engine *e, uint64_t start, uint64_t len);

/* In the child after fork(): other threads' CPUs are gone; locks are reset. */
/* @bare: by a system call of its own, so that the C library cannot see to its locks: nobody of ours is inside it then. */
void engine_before_fork(struct engine *e, bool bare);
void engine_after_fork(struct engine *e, bool child);

/**
 * engine_set_fetch - how the translator learns whether code at a guest address may be executed.
 * @fetch returns the number of executable, readable bytes from @pc (up to the end of the mapping, at
 * least up to the page end), 0 when there are none, and sets bits in *@mode that this memory adds to
 * the CPU's mode.  Called on the CPU's thread.  Between @hold(opaque, true) and @hold(opaque, false)
 * what @fetch said stays so; when it no longer is, engine_invalidate() is called.
 */
void engine_set_fetch(struct engine *e, size_t (*fetch)(void *opaque, uint64_t pc, uint32_t *mode),
                      void (*hold)(void *opaque, bool on), void *opaque);

/**
 * engine_code_changed - the guest says that it has written code at [start, start+len) (IC IVAU and
 * its like).  The same memory may be mapped at other addresses: who knows them is called, and calls
 * engine_invalidate for each; without such a callback, the range itself is forgotten.
 */
void engine_code_changed(struct engine *e, uint64_t start, uint64_t len);
void engine_set_code_changed(struct engine *e,
                             void (*changed)(void *opaque, uint64_t start, uint64_t len),
                             void *opaque);

/**
 * engine_set_service - guest code in [start, end) is the personality's own (a vDSO): the instruction
 * that is kept for it there (HVC, VMMCALL) calls @serve with its immediate, or what system calls' numbers are in, as a helper
 * that may read and write every register but the pc; false from it, and everywhere else, is an undefined instruction.
 * @quick: NULL, or what serves all numbers that are in use there, for code that the host executes as it is: the instruction is in functions of the
 * C calling convention, and what it gives is in the registers that @serve puts it in (x86: RAX, then RDX, RCX, R8).
 */
void engine_set_service(struct engine *e, uint64_t start, uint64_t end,
                        bool (*serve)(struct cpu *cpu, unsigned number), engine_quick_service *quick);
/**
 * engine_set_quick_calls - before the first CPU runs: the personality has nothing to do with system calls that @calls says, so they need not
 * stop.  Only code that the host executes as it is can do without.  Signals must call cpu_interrupt_call.
 */
void engine_set_quick_calls(struct engine *e, const struct engine_quick_calls *calls);
/**
 * cpu_interrupt_call - in a signal's handler, on the CPU's thread, after cpu_kick(): a system call that translated code is just about to
 * make, or to make again, is not made; the CPU stops with CPU_STOP_ATTENTION before its instruction.
 */
void cpu_interrupt_call(struct cpu *cpu, void *ucontext);
/** engine_serve - what the guest's lifting makes of that instruction at @pc. */
bool engine_serve(struct cpu *cpu, uint64_t pc, unsigned number);

/**
 * engine_set_lift - @lift makes writable again what the personality itself has closed to writing within [addr, addr+len), and says
 * whether there was anything: guest_write asks it when it fails, and tries again.
 */
void engine_set_lift(struct engine *e, bool (*lift)(void *opaque, uint64_t addr, uint64_t len), void *opaque);

/**
 * engine_alone - our own threads end before this returns, and there will be none: for what the host does for
 * processes with one thread only, or for the calling thread only (rights).  engine_threads - how many there are now.
 */
void engine_alone(struct engine *e);
unsigned engine_threads(const struct engine *e);

/** engine_set_breakpoint - gdb: stop before the instruction at @pc. */
void engine_set_breakpoint(struct engine *e, uint64_t pc, bool on);

/* --- Host faults --- */

/**
 * cpu_host_fault - called first by the process's SIGSEGV/SIGBUS/SIGFPE handler (on the alternate stack,
 * all signals blocked).  True: handled, just return from the handler: either a guarded copy
 * resumes with an error, or the CPU's state is exact again and cpu_run() will return
 * CPU_STOP_FAULT.  False: not ours: a bug.
 */
bool cpu_host_fault(struct cpu *cpu, int sig, siginfo_t *info, void *ucontext);

/**
 * Guarded access to guest memory for system calls and helpers: addresses are guest addresses.
 * Return 0, or -EFAULT when any byte is not accessible (earlier bytes may have been copied).
 */
int guest_read(struct cpu *cpu, void *dst, uint64_t addr, size_t len);
int guest_write(struct cpu *cpu, uint64_t addr, const void *src, size_t len);
/**
 * guest_move_elements, guest_fill_elements - as REP MOVS and STOS forwards, each element in turn whatever overlaps.
 * Return how many were done: fewer than @n when the next one is not accessible, or wants engine_set_lift's help.
 */
uint64_t guest_move_elements(struct cpu *cpu, uint64_t dst, uint64_t src, uint64_t n, unsigned log2_size);
uint64_t guest_fill_elements(struct cpu *cpu, uint64_t dst, uint64_t v, uint64_t n, unsigned log2_size);
/** guest_store - guest_write as an instruction does it: without engine_set_lift's help. */
int guest_store(struct cpu *cpu, uint64_t addr, const void *src, size_t len);
/** guest_strlen - length of the string at @addr, at most @max; -EFAULT; -ENAMETOOLONG. */
long guest_strlen(struct cpu *cpu, uint64_t addr, size_t max);
/**
 * cpu_load, cpu_store - one access of 1 << (memop & IR_MEM_SIZE) bytes as the instruction at hand makes it, for full helpers; programs
 * and machines.  False: cpu->stop and what is known of the fault are set, the helper returns.
 */
bool cpu_load(struct cpu *cpu, uint64_t addr, unsigned memop, union ir_u *v);
bool cpu_store(struct cpu *cpu, uint64_t addr, unsigned memop, const union ir_u *v);
/** cpu_writable - can each page (4 KiB) of [addr, addr + len) be written by the instruction at hand?  For those that write all or nothing;
 * memory stays as it is.  False: as cpu_store, of the first page that cannot. */
bool cpu_writable(struct cpu *cpu, uint64_t addr, uint64_t len);
/** guest_ptr - the host address of a guest address; its tag, if there may be one, removed; no check at all. */
void *guest_ptr(const struct cpu *cpu, uint64_t addr);

#endif
