/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The intermediate representation: what one region of guest code means.
 *
 * A region is a small control-flow graph of blocks.  Operations are SSA values, kept in one array,
 * the operations of a block contiguous and blocks in reverse post order.  A value is the index of
 * the operation that makes it; index 0 is "no value".
 *
 * Guest registers are slots (a place in the CPU state).  While lifting, ir_get/ir_set follow their
 * current values; nothing is written back until control leaves the region.  Each operation that may
 * leave (a faulting load, an exit, a call) carries a snapshot: which slots differ from memory there,
 * and which value holds each.  Memory of a slot therefore always holds its value at region entry (or
 * after the last full call), until an exit writes it.
 *
 * Reading order: ops.def (every operation), struct ir_op, struct ir_snap, then build.h.
 */
#ifndef IR_IR_H
#define IR_IR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ir_type {
    IR_VOID,
    IR_I1,
    IR_I8,
    IR_I16,
    IR_I32,
    IR_I64,
    IR_F16,
    IR_F32,
    IR_F64,
    IR_V128,
    IR_NUM_TYPES,
};

enum ir_opcode {
#define OP(name, result, args, effects, doc) IRO_##name,
#include "ir/ops.def"
#undef OP
    IR_NUM_OPS,
};

enum ir_effects { IR_PURE, IR_FP, IR_READ, IR_WRITE, IR_CALL, IR_END, IR_POLL, IR_WAY };

/* A value: wrapped so that it cannot be mixed up with a number. */
typedef struct {
    uint32_t id;
} ir_val;

#define IR_NONE ((ir_val){0})

/** struct ir_op - one operation; see ops.def for what arg and imm mean for each. */
struct ir_op {
    uint16_t op;     /* enum ir_opcode */
    uint8_t type;    /* enum ir_type of the result */
    uint8_t lane;    /* log2 bytes of a vector lane */
    uint32_t arg[3]; /* operand values; 0 when absent */
    uint64_t imm;
    uint32_t snap; /* index into ir->snaps; 0 none */
    uint16_t uses; /* by operations and snapshots, kept by ir_count_uses() */
    uint16_t mark; /* free for the pass at work */
};

/** struct ir_set - one slot write, newest first: a persistent list, so that a snapshot is one index. */
struct ir_set {
    uint32_t slot;
    uint32_t val;
    uint32_t prev; /* index of the older write; 0 ends the list */
    uint32_t at;   /* the operation before which it was made, while the region is as lifted */
};

/**
 * struct ir_snap - precise guest state at one point.
 * The slots written since the block's entry state: follow @sets; the first entry met for a slot
 * counts.  Older dirty slots: block->in (filled by the promote pass in regions of several blocks).
 */
struct ir_snap {
    uint64_t pc;   /* guest address to resume at */
    uint32_t sets; /* index into ir->sets; 0: nothing written */
    uint32_t block;
    bool idle_dead; /* the code at pc writes all idle slots before it reads one: left out */
};

#define IR_MAX_SLOTS 128
/* As the slot of a struct ir_set: older writes, also those before the block, are in memory (a full
 * call stored them).  Snapshots end there. */
#define IR_SLOT_CLEAN (~0u)

struct ir_slot {
    const char *name; /* as the architecture manual says */
    uint32_t off;     /* byte offset in struct cpu */
    uint8_t type;     /* enum ir_type; i1 takes one byte */
    bool idle;        /* condition flags: where no path reads it before writing it, a fault or a poll
                       * may leave an older value in memory.  Nobody but a debugger could tell, and
                       * loops need not carry it from one round to the next */
};

struct ir_block {
    uint32_t first, end; /* operations [first, end); the last one is the terminator */
    uint32_t succ[2];    /* block indices; n_succ of them */
    uint8_t n_succ;
    bool exit_only;  /* nothing but a way out: emitted out of line */
    bool loop_head;  /* some predecessor is not earlier in the order */
    bool full_call;  /* contains a call that synchronises all slots */
    uint8_t depth;   /* loop nesting */
    uint64_t pc;     /* guest address, for exit blocks their target */
    uint32_t frame;  /* of a planned block: ir_frame() */
    uint32_t pred;   /* the only predecessor + 1 when state is inherited from it, else 0 */
    uint32_t entry_sets; /* the state inherited from pred: its sets at its end */
    uint32_t end_sets;   /* sets at the end of the block */
    uint32_t in_first, in_count; /* promote: dirty slots at entry, in ir->ins */
    uint32_t preds_first, n_preds; /* ir_finish: predecessors in ascending order, in ir->preds; the
                                    * arguments of phis are in this order */
    uint32_t heat;               /* times seen executed, 0 unknown */
};

struct ir_in {
    uint32_t slot;
    uint32_t val;
};

/** struct ir_helper - a C function that translated code may call. */
struct ir_helper {
    const char *name;
    void *fn;  /* uint64_t fn(struct cpu *, uint64_t a, uint64_t b, uint64_t c) */
    bool full; /* reads or writes slots or may leave: all slots are written back before, forgotten after */
};

/** struct ir - one region being compiled. */
struct ir {
    struct ir_op *ops;
    uint32_t n_ops, cap_ops; /* ops[0] is the "no value" */
    struct ir_set *sets;
    uint32_t n_sets, cap_sets; /* sets[0] unused */
    struct ir_snap *snaps;
    uint32_t n_snaps, cap_snaps; /* snaps[0] unused */
    struct ir_block *blocks;
    uint32_t n_blocks, cap_blocks; /* block 0 is the entry */
    uint32_t *preds;
    uint32_t n_preds, cap_preds;
    uint32_t *phi_args;
    uint32_t n_phi_args, cap_phi_args;
    struct ir_in *ins;
    uint32_t n_ins, cap_ins;
    bool plain;    /* the builder neither folds nor reuses values: for comparing with when it does */
    bool promoted; /* values cross blocks: pass_promote has run, or there was nothing to do */
    bool straight; /* one block and its ways out, all as lifted: sets[] is in the order of the code */

    const struct ir_slot *slots; /* of this guest */
    uint32_t n_slots;
    const struct ir_helper *helpers;
    uint32_t n_helpers;

    /* Does the code at @pc write every idle slot (struct ir_slot) before it reads one?  May be NULL. */
    bool (*idle_dead_at)(void *opaque, uint64_t pc);
    void *idle_opaque;
    bool idle_returns; /* that is asked for the return addresses of calls, too */

    struct ir_build *b; /* the builder's working state; see build.h */
};

/* Kinds of exit (arg[0] of exit, arg[1] of exit_ind): what return prediction wants to know. */
enum ir_exit_kind { IR_EXIT_JUMP, IR_EXIT_CALL, IR_EXIT_RET };

/* As the lane of calls (exit, exit_ind, called): the code at the return address writes all idle slots before it reads one. */
enum { IR_RETURN_IDLE_DEAD = 1 };

/* Landings (arg[2] of exit_ind): indirect branches whose targets the guest restricts come in some
 * sorts, numbered from 1. */
#define IR_LANDINGS 3

/* Memory operands, the imm of loads, stores and atomics. */
enum ir_order { IR_RELAXED, IR_ACQUIRE = 1, IR_RELEASE = 2, IR_ACQ_REL = 3 };
enum {
    IR_MEM_SIZE = 7,      /* log2 bytes, 0..4; store2: 5 */
    IR_MEM_SIGN = 8,      /* integer loads: sign-extend */
    IR_MEM_ALIGNED = 8,   /* 16 bytes: a misaligned address faults (CPU_STOP_ALIGN; programs: SIGSEGV with SI_KERNEL) */
    IR_MEM_ORDER_SHIFT = 4, /* two bits of enum ir_order; release stores are sequentially consistent
                             * with acquire loads (RCsc), acquire loads may be RCpc */
    IR_MEM_BE = 64,       /* big endian */
    IR_MEM_UNPRIV = 128,  /* as unprivileged code would: cpu/mmu.h */
};
static inline bool ir_mem_aligned(uint64_t memop)
{
    return (memop & (IR_MEM_SIZE | IR_MEM_ALIGNED)) == (4 | IR_MEM_ALIGNED);
}
static inline uint64_t ir_mem(unsigned log2_size, bool sign, enum ir_order order)
{
    return log2_size | (sign ? IR_MEM_SIGN : 0) | (uint64_t)order << IR_MEM_ORDER_SHIFT;
}

enum { IR_FENCE_LOAD = 1, IR_FENCE_STORE = 2, IR_FENCE_ALL = 3 };

/* imm of f2i and friends: rounding is enum fp_rounding of base/softfloat.h, or IR_ROUND_CURRENT. */
#define IR_ROUND_CURRENT             7
#define IR_F2I(rounding, uns, fbits) ((uint64_t)(rounding) | (uint64_t)(uns) << 3 | (uint64_t)(fbits) << 4)
#define IR_F2I_ROUNDING(imm)         ((unsigned)((imm)&7))
#define IR_F2I_UNSIGNED(imm)         ((unsigned)((imm) >> 3 & 1))
#define IR_F2I_FBITS(imm)            ((unsigned)((imm) >> 4 & 127))
/* imm of frint: rounding in the low three bits. */
enum { IR_RINT_EXACT = 8, IR_RINT_32 = 16, IR_RINT_64 = 32 };

/** union ir_u - any value, as the interpreter and out-of-line calls see it; little endian lanes. */
union ir_u {
    uint8_t b[16];
    int8_t sb[16];
    uint16_t h[8];
    int16_t sh[8];
    uint32_t s[4];
    int32_t ss[4];
    uint64_t d[2];
    int64_t sd[2];
    unsigned __int128 q;
};

/** struct ir_how - what an evaluation must know besides its operands. */
struct ir_how {
    uint16_t op;
    uint8_t type;     /* result type */
    uint8_t arg_type; /* type of the first operand, IR_VOID without one */
    uint8_t lane;
    uint64_t imm;
};

struct fp_env;

/**
 * ir_eval_fn - the meaning of one pure or floating-point operation.
 * @r: result; integers zero-extended to 64 bits in d[0] (i1: 0 or 1), unused bits zero; never
 *     aliases @a
 * @a: operands in the same form
 */
typedef void ir_eval_fn(union ir_u *r, const union ir_u *a, const struct ir_how *how,
                        struct fp_env *fp);

struct ir_info {
    const char *name;
    const char *args; /* operand letters of ops.def; its length is the number of value operands */
    uint8_t result;   /* enum ir_type, or IR_NUM_TYPES for "T" */
    uint8_t n_args;
    uint8_t effects;   /* enum ir_effects */
    ir_eval_fn *eval; /* NULL for memory, control and the value ops get, phi */
    const char *doc;
};

extern const struct ir_info ir_info[IR_NUM_OPS];

static inline unsigned ir_bits(unsigned type)
{
    static const uint8_t bits[IR_NUM_TYPES] = { 0, 1, 8, 16, 32, 64, 16, 32, 64, 128 };
    return bits[type];
}
static inline bool ir_is_int(unsigned type)
{
    return type >= IR_I1 && type <= IR_I64;
}
static inline bool ir_is_vec(unsigned type) /* lives in a vector register */
{
    return type >= IR_F16;
}
static inline uint64_t ir_mask(unsigned type)
{
    return ir_bits(type) >= 64 ? ~0ull : (1ull << ir_bits(type)) - 1;
}
/* The constant a value is, if it is one. */
static inline bool ir_const_of(const struct ir *ir, uint32_t v, uint64_t *imm)
{
    if (ir->ops[v].op != IRO_const)
        return false;
    *imm = ir->ops[v].imm;
    return true;
}
/* Follows copies left behind by passes. */
static inline uint32_t ir_root(const struct ir *ir, uint32_t v)
{
    while (ir->ops[v].op == IRO_copy)
        v = ir->ops[v].arg[0];
    return v;
}

/** ir_new - an empty region for guests with these slots and helpers; reusable through ir_reset. */
struct ir *ir_new(const struct ir_slot *slots, uint32_t n_slots, const struct ir_helper *helpers,
                  uint32_t n_helpers);
void ir_free(struct ir *ir);
/** ir_reset - forget the region, keep the memory. */
void ir_reset(struct ir *ir);
/** ir_keep - a small copy to be run later, not to be built upon; ir_free releases it. */
struct ir *ir_keep(const struct ir *ir);

/**
 * ir_snap_walk - call @fn for each slot that differs from memory at the snapshot, each once.
 * Constant slots and copies included; @val is a value index (copies not followed).
 */
void ir_snap_walk(const struct ir *ir, const struct ir_snap *s,
                  void (*fn)(void *opaque, uint32_t slot, uint32_t val), void *opaque);

#endif
