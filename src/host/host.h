/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A host back end: turns one region of IR, or a block in flat form, into machine code.  The code is position-independent: it
 * reaches everything outside the region through the CPU register (entry points) or through links
 * that the run loop patches.
 */
#ifndef HOST_HOST_H
#define HOST_HOST_H

#include "ir/flat.h"
#include "ir/ir.h"
#include "ir/verbatim.h"
#include "ir/x87.h"

/* Where translated code finds things in the CPU block: byte offsets from its start. */
struct host_layout {
    uint32_t bias; /* the CPU register points here */
    uint32_t pc_shift; /* guest_isa.pc_shift: masks below select bits of a guest address, of which entry address >> pc_shift */
    uint32_t scratch, entry_points, helpers, jc, jc_mask, landing, stop, detail, pc, attention, fp;
    uint32_t land[IR_LANDINGS], land_mask; /* the caches of checked targets, as jc and jc_mask */
    uint32_t frame;        /* HOST_FRAME bytes for values without a register, 16-byte aligned */
    uint32_t shadow;       /* uint64_t: stack pointer while in translated code, see below */
    uint32_t shadow_base;  /* uint64_t: its value when empty */
    uint32_t c_stack;      /* uint64_t: stack pointer of the C code that entered */
    uint32_t mode_jc;      /* machines: pointer to the jump cache of the mode at work; 0 in programs */
    uint32_t mode_jc_mask;
    struct verbatim_state g; /* of guests that have verbatim code; gpr 0: others */
    struct {
        uint32_t scratch;         /* uint64_t[3] */
        uint32_t poll;            /* uint64_t: an address that can be read; one that cannot when cpu->attention is set */
        uint32_t self;            /* uint64_t: the CPU register's value */
        uint32_t target;          /* uint64_t: where an indirect call goes */
        uint32_t jc;              /* by host_verbatim_slot() of a guest address: host address of code that looks whether it is meant, HOST_EP_V_MISS, or 0 */
        uint32_t shadow, shadow_base; /* as those above, of verbatim code: host addresses, HOST_EP_V_RETURN at its base */
        uint32_t calls;           /* pointer to struct engine_quick_calls (cpu/cpu.h): quick[], and closed behind it */
        uint32_t in_code, forget; /* bytes: as in struct cpu, in_code (1: inside) and forget_returns */
        uint32_t service;         /* C function: engine_quick_service */
        bool xgetbv1;             /* the host has XGETBV with ECX 1 */
    } v;                          /* for verbatim code */
    bool mark_calls;       /* the shadow stack tells whether idle slots are wanted: HOST_MARK */
};

/*
 * Code of a machine's CPU finds each page of guest memory through a table in the CPU block, direct-mapped by page: entries of
 * HOST_TLB_ENTRY bytes that hold the page's guest address for reading, the same for writing, and what is added to a guest
 * address to get the host's.  If the address differs, the access is made by HOST_EP_ACCESS.  It goes to other pages of code only
 * through the jump cache, which is emptied of what a new translation of addresses concerns.
 */
enum { HOST_TLB_READ = 0, HOST_TLB_WRITE = 8, HOST_TLB_ADDEND = 16, HOST_TLB_ENTRY_BITS = 5, HOST_PAGE_BITS = 12 };

struct host_soft {
    uint32_t tlb;             /* table for loads and stores: offset as in host_layout */
    uint32_t tlb_unpriv;      /* and of the pointer to that for IR_MEM_UNPRIV; 0: the same */
    uint32_t entries;         /* of each, a power of two */
    bool aligned;             /* misaligned accesses are for HOST_EP_ACCESS, too */
    uint32_t longest;         /* bytes of an instruction, 4 where all are */
    bool strict;              /* of those with an order, and atomics, all that are misaligned */
    uint32_t jc, land[IR_LANDINGS], land_mask; /* the jump caches of this code's mode; mask: host_layout.mode_jc_mask */
};

/* One access that was not made in line: it lies behind the call of HOST_EP_ACCESS, at any address; the guest address is in rax. */
struct host_access {
    uint32_t desc;   /* recovery description */
    int32_t imm;     /* HOST_ACCESS_IMM: what is stored */
    uint16_t op;     /* enum ir_opcode */
    uint8_t memop;
    uint8_t type;    /* of a load's result */
    uint8_t dst, dst2;   /* registers: 0..15 integer, 16..31 vector */
    uint8_t src[2];      /* the same, or slots (255: zero) */
    uint8_t how;         /* enum host_access_how */
    uint8_t pad[3];
} __attribute__((packed));
enum host_access_how { HOST_ACCESS_PAIR = 1, HOST_ACCESS_SLOTS = 2, HOST_ACCESS_IMM = 4 };

/* All registers at such a call, and after it. */
struct host_regs {
    uint64_t gpr[16]; /* in encoding order */
    union ir_u xmm[16];
};

/*
 * Translated code runs on a shadow stack of its own, so that guest calls and returns can be the
 * host's, and be predicted like them.  A guest call pushes the guest return address, then does a host
 * call; a guest return does a host one if the address is the expected one.  At shadow_base lie
 * HOST_SHADOW_TOP bytes: pairs of HOST_EP_END and all ones, in case a guest returns to address ~0.  The stack need not have room: when it faults below, set it back to
 * shadow_base and go on.  C functions are called on the C stack.
 */
#define HOST_SHADOW_TOP 64
/*
 * With host_layout.mark_calls, a return that finds its address on top leaves idle slots (struct ir_slot) out.  Calls whose return
 * point may read them push the address exclusive-or this, which is no address that code can have; the return then goes out of line,
 * writes them, and HOST_EP_RET knows the mark.
 */
#define HOST_MARK (1ull << 63)
/*
 * A program's indirect jumps and calls leave them out as well, when the target is in the cache of this landing, which no guest with marked
 * calls has for anything else: who fills it has made sure that code there writes them before it reads one.  If not, they are
 * written out of line, and the target is looked up as usual.
 */
#define HOST_LAND_LIGHT 1
#define HOST_FRAME      1600

/* Slots of entry_points[]: addresses translated code calls or jumps to. */
enum host_entry {
    HOST_EP_LEAVE, /* jump: back to the caller of host_enter; rax is its result */
    HOST_EP_LINK,  /* call from an exit's thunk, followed by struct host_thunk; leaves with its address */
    HOST_EP_MISS,  /* jump: rax holds a guest pc that the jump cache does not know */
    HOST_EP_HOT,   /* call from a region whose counter ran out, followed by struct host_thunk */
    HOST_EP_SLOW,  /* call: evaluate out of line, all registers kept; struct host_slow * in rax */
    HOST_EP_CALL,  /* call: the C function in rax, on the C stack */
    HOST_EP_KEEP,  /* call: the helper in rax, with operands and result in scratch; all registers but rax kept */
    HOST_EP_RET,   /* jump: rax holds a guest return address that the top of the shadow stack is not */
    HOST_EP_END,   /* where returns end that find the shadow stack empty: to guest address ~0 */
    HOST_EP_EVAL,  /* C function: void (struct cpu *, const struct ir_how *); operands in scratch */
    HOST_EP_STOP,  /* jump: cpu->stop is set, leave with 0 */
    HOST_EP_ACCESS, /* call: followed by struct host_access; all registers but rax kept, or set as that says */
    HOST_EP_ACCESS_C, /* C function: bool (struct cpu *, struct host_regs *, const struct host_access *); false: the state is
                       * exact and cpu->stop set */
    /* Verbatim code: all registers are the guest's, GS is the CPU block; r11 is free. */
    HOST_EP_V_LINK,   /* call from an exit's thunk: as HOST_EP_LINK */
    HOST_EP_V_SPILL,  /* jump: registers to the CPU block, on at r11 as lifted code */
    HOST_EP_V_LOAD,   /* jump, from lifted code: the other way, on at rax */
    HOST_EP_V_MISS,   /* jump: r11 is a guest address that is not known, rcx is in scratch; leaves with HOST_LEFT_VERBATIM */
    HOST_EP_V_FAULT,  /* go on here after a fault: leave with 0; cpu->pc is set */
    HOST_EP_V_RETURN, /* jump: r11 holds a guest return address that is not the one expected */
    HOST_EP_V_SYSCALL, /* call: the guest address behind the instruction in r11, where it is done otherwise in rcx; see verbatim_stubs.c */
    HOST_EP_V_CALL_START, /* from here to END the host's call is not made yet, or is to be made again: who interrupts it so that it must not be, */
    HOST_EP_V_CALL_END,
    HOST_EP_V_CALL_AGAIN, /* goes on here */
    HOST_EP_V_SERVICE, /* call: the function at v.service; eax and rdi: its number and argument.  rax, rdx, rcx, r8 are what it gives, rsi and rdi
                        * kept; r9, vectors and flags are lost, as a call of C may */
    HOST_NUM_EP,
};

/* What code leaves with whose indirect branch was not known: its CPU's pc is the target.  Other such code leaves with 0. */
#define HOST_LEFT_VERBATIM (1ull << 62)

/* Data behind the call in a thunk; packed. */
struct host_thunk {
    uint64_t pc;   /* guest address wanted */
    uint32_t site; /* offset of the patchable rel32 field, from the start of this struct, backwards */
    bool verbatim; /* the thunk is of verbatim code */
} __attribute__((packed));

/* One floating-point instruction that may raise an unmasked exception (host_job.fp_flush): at code
 * offset @at; execution goes on at @to, out of line. */
struct host_trap {
    uint32_t at, to;
};

/* One instruction that may fault: at code offset @at; its recovery description at @desc.  Of verbatim code desc says it itself: the guest
 * address from the region's start in its low half, and at HOST_VERBATIM_SPILLED + 4 n a register whose value is in scratch word n + 1. */
enum { HOST_VERBATIM_SPILLED = 16, HOST_VERBATIM_POLL = 1 << 30 /* it faults only to leave */,
       HOST_VERBATIM_STACK = 24 /* shift: words to be added to the stack pointer, 6 bits, signed */ };
struct host_fault {
    uint32_t at, desc;
};

struct host_job {
    /* in */
    const struct ir *ir;
    const struct flat *flat; /* compiled instead of ir when not NULL; not with untag */
    const struct verbatim *verbatim; /* the same */
    uint8_t *buf; /* where the code goes and will run */
    uint32_t cap;
    uint64_t pc;
    int32_t *counter; /* executions left before HOST_EP_HOT is called; NULL: none */
    bool quick;       /* this code may never run again: straight code (struct ir) is translated in one pass */
    bool fp_slow;     /* evaluate all floating point out of line */
    bool fp_flush;    /* denormal operands, division by zero, tiny and first inexact results raise
                       * SIGFPE: operations are in line only if that finds them in traps */
    bool untag;       /* remove address tags before each access */
    const struct host_soft *soft; /* memory is a machine's; NULL: the host's own */
    const struct ir_x87 *x87; /* helpers that may be done in line (ir/x87.h); NULL: none */
    bool gs_base;     /* guest address 0 is at the GS segment's base, not at 0 */
    /* out; valid until the next compile */
    uint32_t inner, indirect; /* of verbatim code: offsets of where such code enters it, by a known branch or through the cache; else 0 */
    uint32_t len, straight_len; /* behind the straight part: ways out, slow paths, data */
    uint32_t n_evals; /* operations without code of their own */
    const struct host_fault *faults; /* ascending */
    uint32_t n_faults;
    const struct host_trap *traps; /* ascending */
    uint32_t n_traps;
    const uint32_t *exits; /* of verbatim code: where the struct host_thunk of each way out to a known address is */
    uint32_t n_exits;
    const uint8_t *desc; /* recovery descriptions, see host_recover() */
    uint32_t desc_len;
};

/* Host features that can be masked, as if the processor lacked them. */
enum host_off {
    HOST_OFF_AVX = 1,    /* and all that is encoded like it, and SSE4.2: what is left is the floor */
    HOST_OFF_BMI = 2,    /* and LZCNT */
    HOST_OFF_FMA = 4,
    HOST_OFF_CRYPTO = 8, /* AES, SHA, PCLMULQDQ, GFNI */
    HOST_ASSUME_ALL = 16, /* what is not masked is taken to be there: code to look at, not to run */
};

struct host;

/** host_usable - false when the processor lacks what the back end takes for granted. */
bool host_usable(void);

/** host_new - a back end; @features_off: enum host_off. */
struct host *host_new(const struct host_layout *layout, unsigned features_off);
void host_free(struct host *h);
/** host_features - what code compiled with @features_off relies on, as a number to compare. */
uint64_t host_features(unsigned features_off);
/** host_set_counter - @code, a copy of what was compiled with a counter, counts in @counter; false when
 * it does not begin as such code does. */
bool host_set_counter(uint8_t *code, uint32_t len, int32_t *counter);

/**
 * host_compile - 0; -ENOSPC when the code does not fit @cap; -ENOTSUP when verbatim code cannot be; -E2BIG when the region needs more
 * frame than there is (make it smaller).
 */
int host_compile(struct host *h, struct host_job *job);
/** host_has - CPUID of the processor has this bit of EAX to EDX (0 to 3), and it may be used. */
bool host_has(unsigned leaf, unsigned sub, unsigned reg, unsigned bit);

/**
 * host_stubs - write the shared stubs at @buf; sets ep[] (all but HOST_EP_EVAL and HOST_EP_ACCESS_C).
 * Returns their length.
 */
uint32_t host_stubs(struct host *h, uint8_t *buf, uint32_t cap, void **ep);

/** host_enter - run translated code; returns what it left with in rax. */
typedef uint64_t host_enter_fn(void *cpu, const void *code);
host_enter_fn *host_enter(const struct host *h);

/* Registers that are not themselves in verbatim code (struct verbatim, moved). */
#define HOST_VERBATIM_MOVED 0x0c10u

/** host_verbatim_slot - where in that cache branches to @pc look. */
uint16_t host_verbatim_slot(uint64_t pc);

/** host_from_verbatim - code at @buf through which verbatim code goes on at @code, which is not, of guest address @pc: indirect branches at its
 * start, known ones at offset *@inner.  Its length, 0: no room. */
uint32_t host_from_verbatim(struct host *h, uint8_t *buf, uint32_t cap, const uint8_t *code, uint64_t pc, uint32_t *inner);

/** host_patch - make the rel32 field at @site jump to @target; atomic for other threads. */
void host_patch(uint8_t *site, const uint8_t *target);

/**
 * host_recover - rebuild guest state at a fault: walks the description at @desc and stores each
 * slot's value into the CPU block.  @gpr: the 16 registers in encoding order, @xmm: the 16 vector
 * registers, @frame: the CPU's frame.  Returns the guest pc, relative to the region's.
 */
uint64_t host_recover(const uint8_t *desc, const struct ir_slot *slots, uint8_t *cpu,
                      const uint64_t *gpr, const union ir_u *xmm, const uint8_t *frame);

#endif
