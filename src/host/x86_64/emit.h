/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One compilation on x86-64: what emitters see.
 *
 * select.c looks at the region backwards: which operations are dead, which are folded into their
 * users (lazy), where each value is used next.  Then compile.c walks forwards; each emitter asks the
 * register allocator (regalloc.c) for its operands and result, and appends instructions.  Allocation
 * is linear scan with second chance (Traub, Holloway, Smith 1998): when registers run out, the value
 * whose next use is farthest goes to the frame.
 *
 * Registers are numbered 0..15 (rax ..) and 16..31 (xmm0 ..).  rsp is the shadow stack (host.h), rbp
 * the CPU, which holds the frame, too.
 * rax and xmm15 are scratch: free for any emitter between two allocator calls, never allocated.
 *
 * In a host register integers are always zero-extended to 64 bits (i1: 0 or 1); f32/f64/f16 have
 * undefined bits above their width.
 */
#ifndef HOST_X86_64_EMIT_H
#define HOST_X86_64_EMIT_H

#include "host/host.h"
#include "host/x86_64/asm.h"

#define X_CPU      RBP
#define X_SCRATCH  RAX
#define X_XMM      16 /* allocator number of xmm0 */
#define X_VSCRATCH 15 /* xmm15 */
#define X_NREGS    32
#define X_NSLOTS   100 /* frame slots of 16 bytes; slot 0 breaks cycles of moves */
_Static_assert(X_NSLOTS * 16 <= HOST_FRAME, "the frame is too small");

/* How select.c decided about a value. */
enum {
    XV_LIVE = 1,  /* computed where it stands */
    XV_LAZY = 2,  /* never computed by itself: users compute it from its operands */
    XV_ALIAS = 4, /* same register as its first operand */
    XV_BARE = 16, /* lazy FP compare nobody branches on: emitted for its flags */
    XV_REMAT = 8, /* can be made again: constant, or slot still in memory */
};

struct xval {
    uint8_t reg;     /* 0..31 or NOREG */
    uint8_t slot;    /* frame slot holding it, 0 none */
    uint8_t flags;   /* XV_* */
    uint8_t hint;    /* preferred register or NOREG */
    uint16_t want;   /* select.c's: how users want it */
    uint8_t depth;   /* select.c's: of nesting in lazy values that only snapshots want */
    uint32_t uses;   /* index of the next use in x->use, 0 none; for select.c first the first soft one */
    uint32_t end;    /* position of the last use, loops considered */
};

struct xuse {
    uint32_t pos;
    uint32_t next;
    bool weak; /* only for a snapshot: the frame is as good as a register */
};

/* Where values are at a block boundary. */
struct xstate {
    uint32_t reg_val[X_NREGS];
    uint32_t n_slots; /* slots from here on are empty, and not copied when a state is saved */
    uint32_t slot_val[X_NSLOTS];
};

struct xpair {
    uint32_t slot, val;
};

/* A snapshot spelled out: pairs [first, first + count).  In straight code the pairs are the idle slots
 * that have been written and not stored. */
struct xsnap {
    uint32_t first, count;
    bool done;
};

struct xblock {
    struct x64_label label;
    struct xstate *entry; /* NULL until some predecessor decided */
    uint32_t loop_end;    /* position of the last back edge to it, 0 none */
};

/* Code to be emitted behind the main line. */
struct xstub {
    struct x64_label label;
    enum { STUB_EXIT_BLOCK, STUB_POLL, STUB_SLOW, STUB_THUNK, STUB_CALL_MISS,
           STUB_OTHER_RETURN, STUB_LEAVE, STUB_BACK, STUB_ACCESS, STUB_FAR, STUB_CHECK, STUB_KEEP, STUB_RETURN,
           STUB_BRANCH, STUB_PROBE } kind;
    uint32_t op;          /* poll, check, return, branch: the operation; exit block: the block; call miss: the landing */
    struct xstate *state; /* registers at the branch; NULL when nothing is to be written back */
    /* slow: floating point out of line */
    struct x64_label back;
    uint8_t dst, src[3]; /* register numbers or NOREG; return: dst is where to */
    bool drop;           /* keep: a value on the x87 stack is dropped first */
    /* thunk: an unlinked exit.  leave: not linked at all; back: that, or on to @pc; far: on to it through the jump cache */
    uint64_t pc;
    uint32_t site; /* code offset of the field to patch */
    uint8_t entry; /* enum host_entry to call */
    /* access: the guest address, and what is to be done there */
    struct x64_mem m;
    struct host_access access;
};

/* Rows of verbatim code: others of the stretch branch to it; it looks first whether the CPU is wanted. */
enum xverb_mark { XVERB_TARGET = 1, XVERB_POLL = 2 };

struct x64 {
    struct x64_asm a;
    const struct ir *ir;
    struct host_job *job;
    const struct host_layout *lay;

    struct xval *val;   /* [ir->n_ops] */
    struct xuse *use;
    uint32_t n_use, cap_use;
    struct xsnap *snap; /* [ir->n_snaps] */
    struct xpair *pair;
    uint32_t n_pair, cap_pair;
    struct xblock *block; /* [ir->n_blocks] */
    struct xloop {
        uint32_t head, end; /* positions */
    } *loop;
    uint32_t n_loop, cap_loop;
    uint32_t pos;         /* operation being emitted; twice that in straight code */

    /* Straight code (host_job.quick): slots are written where they are set. */
    bool straight;
    struct ir_set *store; /* still to be done, the last in the code first; idle slots become pairs */
    uint32_t n_store, cap_store;
    uint32_t *look; /* select.c's */
    uint32_t cap_look;

    struct xstate cur;
    uint32_t pinned; /* registers the current operation holds */
    uint32_t touched[16]; /* values the current operation asked for: some may die with it */
    unsigned n_touched;
    bool exiting;    /* slots are being written back: memory no longer holds entry values, and
                      * nothing dies, since the order of stores is free */
    bool holding;    /* the operation's snapshot is still to be described or written: what it needs
                      * does not die yet */
    bool too_big;
    bool early_gets; /* full calls change memory on some paths: slots are read where the get stands */

    /* The newest addition with carry or widening product, and where its code ends: what else the host's instruction gave (CF and OF,
     * the low half in rax) is there for an operation that comes next, in the same block. */
    uint32_t twin, twin_end;

    struct xstub *stub;
    uint32_t n_stub, cap_stub;
    struct xstate **states; /* n_states saved by this compilation, n_made there for the next, too */
    uint32_t n_states, n_made, cap_states;
    uint32_t lazy_done[256]; /* lazy values computed on this way out */
    unsigned n_lazy_done;

    struct host_trap *trap; /* @to is a stub's index until all are placed; ~0 before it has one */
    uint32_t n_trap, cap_trap;
    struct host_fault *fault;
    uint32_t n_fault, cap_fault;
    uint8_t *desc;
    uint32_t n_desc, cap_desc;
    uint32_t access_desc; /* description of the access at hand (x_fault_here) */
    uint32_t last_desc_snap, last_desc; /* description of the newest snapshot, shared */

    /* constants behind the code, reached through rip */
    struct xconst {
        uint64_t lo, hi;
        struct x64_label label;
    } *konst;
    uint32_t n_konst, cap_konst;
    struct xhow {
        struct ir_how how;
        struct x64_label label;
    } *how;
    uint32_t n_how, cap_how;
    /* verbatim.c's */
    struct xverb_stub {
        struct x64_label label;
        enum xverb_kind { XVERB_LINK, XVERB_IND } kind;
        uint32_t site; /* link: of the field */
        uint64_t pc;
    } *vstub;
    uint32_t n_vstub, cap_vstub;
    uint32_t *verb_exit; /* where their thunks are */
    uint32_t n_verb_exit, cap_verb_exit;
    int32_t verb_sp; /* what is still to be added to the guest's stack pointer */
    uint8_t verb_mark[VERBATIM_MAX]; /* enum xverb_mark */
    struct x64_label verb_label[VERBATIM_MAX], verb_other_return, verb_other_target;
    struct x64_label leave_miss, leave_stop, leave_ret;
    struct x64_label leave_land[IR_LANDINGS]; /* to be checked before it is looked up */
};

/* --- Operands: what an emitter asks for --- */

/** ra_use - the register holding value @v, loaded if need be; pinned until the operation ends. */
unsigned ra_use(struct x64 *x, uint32_t v);
/** ra_use_in - the same, but in register @reg (0..31), saving what was there. */
void ra_use_in(struct x64 *x, uint32_t v, unsigned reg);
/** ra_def - a register for the result @v, different from all pinned ones. */
unsigned ra_def(struct x64 *x, uint32_t v);
/** ra_def_loaded - a register for what @o, by one instruction that comes next, loads; and the note for
 * the fault (x_fault_here).  It may be a register that the address uses. */
unsigned ra_def_loaded(struct x64 *x, uint32_t v, const struct ir_op *o);
/** ra_def_in - result @v will be in @reg; what was there is saved. */
void ra_def_in(struct x64 *x, uint32_t v, unsigned reg);
/** ra_use_def - a register for result @v that starts out as a copy of value @s: s's own register when
 * it dies here, else a copy.  Use other operands first. */
unsigned ra_use_def(struct x64 *x, uint32_t v, uint32_t s);
/** ra_temp - a free register of the class (false: integer) until the operation ends. */
unsigned ra_temp(struct x64 *x, bool vec);
/** ra_take - make @reg free for this operation (its value is saved) and pin it. */
void ra_take(struct x64 *x, unsigned reg);
/** ra_dies - true when this operation is the last to use @v. */
bool ra_dies(struct x64 *x, uint32_t v);
/** ra_in_mem - true when @v is not in a register but in memory, with its place in @m: the caller may
 * use it as a memory operand (only for values with no further use soon). */
bool ra_in_mem(struct x64 *x, uint32_t v, struct x64_mem *m);

/* A way out that is emitted behind the main line, or where its only predecessor ends. */
static inline bool x_is_stub(const struct ir_block *blk)
{
    return blk->exit_only && blk->n_preds <= 1;
}

/* The same for vector values; give 0..15. */
static inline unsigned rv_use(struct x64 *x, uint32_t v) { return ra_use(x, v) - X_XMM; }
static inline unsigned rv_def(struct x64 *x, uint32_t v) { return ra_def(x, v) - X_XMM; }
static inline unsigned rv_use_def(struct x64 *x, uint32_t v, uint32_t s)
{
    return ra_use_def(x, v, s) - X_XMM;
}
static inline unsigned rv_temp(struct x64 *x) { return ra_temp(x, true) - X_XMM; }

/* --- Helpers for emitters --- */

static inline struct x64_mem x_cpu(const struct x64 *x, uint32_t off)
{
    return x64_at(X_CPU, (int32_t)off - (int32_t)x->lay->bias);
}
static inline struct x64_mem x_slot(const struct x64 *x, unsigned slot)
{
    return x_cpu(x, x->lay->frame + slot * 16);
}
static inline unsigned x_size(unsigned type) /* operand size of integer instructions */
{
    return type == IR_I64 ? 8 : 4;
}
/* The integer constant a value is, if it fits a sign-extended 32-bit immediate for its type. */
bool x_imm(const struct x64 *x, uint32_t v, int32_t *imm);
/** x_reverse_bytes_bits - the bits of each byte of xmm@a in reverse order to xmm@d, another one; a is lost. */
void x_reverse_bytes_bits(struct x64 *x, unsigned d, unsigned a);
/** x_pairwise - is @o a combination of neighbouring lanes that its emitter does without unzipping them? */
bool x_pairwise(const struct ir *ir, const struct ir_op *o);
/** x_vconst - a 16-byte constant as a rip-relative operand. */
struct x64_mem x_vconst(struct x64 *x, uint64_t lo, uint64_t hi);

/**
 * x_slow - out-of-line evaluation for the in-line result just computed.
 * Emit `jcc` on the condition @cc to code that evaluates operation @op with its eval function from
 * the operand registers, puts the result into @dst (0..31), and returns here.  Operand registers
 * must still hold the operands: so give FP results their own register (rv_def after rv_use).
 */
void x_slow(struct x64 *x, enum x64_cc cc, const struct ir_op *op, unsigned dst,
            const unsigned *src, unsigned n_src);

/**
 * x_slow_from, x_slow_also, x_slow_back - the same in steps, when the condition is known before the
 * result: jump out of line, perhaps once more, and the place to return to.  No ra_ calls between.
 */
/** x_trap_here - the next instruction may raise an FP exception that its x_slow stub settles. */
void x_trap_here(struct x64 *x);
uint32_t x_slow_from(struct x64 *x, enum x64_cc cc, const struct ir_op *op, unsigned dst,
                     const unsigned *src, unsigned n_src);
void x_slow_also(struct x64 *x, enum x64_cc cc, uint32_t stub);
void x_slow_back(struct x64 *x, uint32_t stub);

/** emit_fn - emits one operation. */
typedef void emit_fn(struct x64 *x, const struct ir_op *op, uint32_t v);
/* Rows by opcode; an operation without one is a call of its evaluation function. */
extern emit_fn *const x64_emit_int[IR_NUM_OPS];
extern emit_fn *const x64_emit_vec[IR_NUM_OPS];
extern emit_fn *const x64_emit_fp[IR_NUM_OPS]; /* not used when job->fp_slow */
bool x64_fp_traps(const struct x64 *x, unsigned op); /* in line with job->fp_flush, too */
/** x_materialize - compute a lazy value after all (on the way out); gives its register, pinned. */
unsigned x_materialize(struct x64 *x, uint32_t v);
/** emit_eval - the call of the evaluation function; fallback of every emitter. */
void emit_eval(struct x64 *x, const struct ir_op *op, uint32_t v);
/** x_in_line - true when an integer operation on these types has code of its own.  Registers hold
 * zero-extended values, so what depends on a width below 32 bits is evaluated out of line. */
bool x_in_line(const struct ir *ir, const struct ir_op *op);
/** x_emitter - what emits @op. */
emit_fn *x_emitter(const struct x64 *x, const struct ir_op *op);

/* --- Conditions --- */

/** x_cond - emit the flags of condition value @v (fused when lazy); returns the condition code. For
 * FP conditions two codes may be needed: then *cc2 is the second (the condition is cc AND cc2 when
 * *both, else cc OR cc2), else NOREG. */
enum x64_cc x_cond(struct x64 *x, uint32_t v, unsigned *cc2, bool *both);

/* --- Conditions made of several: cond.c --- */

/* A select as: @known when @first is @when, else @rest. */
struct x_joint {
    uint32_t first, rest;
    bool when, known;
};

/** x_tests_and - is @o a compare with zero of an AND, that one TEST can do? */
bool x_tests_and(const struct ir *ir, const struct ir_op *o);
/** x_look_joined - is @v such a select? */
bool x_look_joined(const struct ir *ir, uint32_t v, struct x_joint *j);
/** x_count_joined - of how many comparisons @v would be made; 1: it is no such condition. */
unsigned x_count_joined(const struct ir *ir, uint32_t v);
/** x_joined - is @v one that is left to its branch? */
bool x_joined(const struct x64 *x, uint32_t v);
/** x_whole_joined - can x_jump_joined do it: nothing but what is there, and integer comparisons? */
bool x_whole_joined(const struct x64 *x, uint32_t v);
/** x_fetch_joined - the operands of all comparisons, into registers. */
void x_fetch_joined(struct x64 *x, uint32_t v);
/** x_jump_joined - to @l if @v is @want; moves no registers after x_fetch_joined. */
void x_jump_joined(struct x64 *x, uint32_t v, bool want, struct x64_label *l);

/* --- Inside the back end --- */

int x_select(struct x64 *x);                 /* select.c */
void ra_begin(struct x64 *x);                /* regalloc.c */
void ra_end_op(struct x64 *x);               /* unpin, free what died */
void ra_clobber_calls(struct x64 *x);        /* save everything a C call destroys */
void ra_save_state(struct x64 *x, struct xstate *s);
void ra_load_state(struct x64 *x, const struct xstate *s);
struct xstate *ra_new_state(struct x64 *x);
struct xstate *ra_stub_state(struct x64 *x); /* the registers as they are; NULL: the stub needs none */
void ra_edge(struct x64 *x, uint32_t from, uint32_t to); /* moves for a jump to a joining block */
bool ra_edge_is_free(struct x64 *x, uint32_t from, uint32_t to); /* no moves are needed */
uint32_t ra_next_use(struct x64 *x, uint32_t v);         /* position, ~0 when none */
void x_load_value(struct x64 *x, unsigned reg, uint32_t v); /* from frame, memory or constant */
void x_load_get(struct x64 *x, unsigned reg, const struct ir_op *op); /* from the slot's memory */
uint32_t x_resolve(const struct x64 *x, uint32_t v);     /* through aliases and copies */
/** x_fault_here - the next instruction may fault: notes where the snapshot's values are now.  Operands
 * must have been got with ra_use, results and temporaries with ra_def and ra_temp. */
void x_fault_here(struct x64 *x, const struct ir_op *op);
/** x_fault_as - the next instruction may fault, too, with the description at @desc: of a program. */
void x_fault_as(struct x64 *x, uint32_t desc);
/**
 * x_look_up - find the page of [@m, @m + @size), @m being base and displacement: jumps to what does @a out of line, or goes on with
 * what is to be added to the address in register @t.  Uses rax.  Returns the stub for x_slow_back(), which is to be called behind
 * the access.
 */
uint32_t x_look_up(struct x64 *x, struct x64_mem m, unsigned size, bool write, unsigned t, const struct host_access *a);
/* writeback.c: which slots are written; a return writes the idle ones only out of line. */
enum xpart { ALL_SLOTS, ALL_BUT_IDLE, IDLE_SLOTS };
struct xsnap x_dirty(const struct x64 *x, uint32_t snap); /* what is to be written for a snapshot */
void x_write_part(struct x64 *x, uint32_t snap, enum xpart part);
void x_write_back(struct x64 *x, uint32_t snap); /* all dirty slots to memory */
/* exit.c: jump on @cc to way out @b if nothing is to be done on the way; false: nothing emitted. */
bool x_link_cc(struct x64 *x, enum x64_cc cc, uint32_t b);
/* exit.c: the ways out when nothing is to be written back.  Labels are to be jumped to at once. */
void x_link(struct x64 *x, uint64_t pc);
void x_link_call(struct x64 *x, uint64_t pc, uint64_t ret, bool wants_idle); /* wants_idle: idle slots may be read at @ret */
/* A way to @pc for the jump that comes next, whose field is @at bytes from here. */
struct x64_label *x_link_label(struct x64 *x, uint64_t pc, unsigned at);
void x_poll_for(struct x64 *x, uint64_t pc);                      /* leave for @pc if there is a reason */
struct x64_label *x_back_label(struct x64 *x, uint64_t pc);   /* a way back to @pc that polls */
void x_leave_to(struct x64 *x, enum ir_exit_kind kind, unsigned landing, uint64_t ret, bool wants_idle); /* pc in rax */
void x_stop(struct x64 *x, unsigned reason, uint64_t detail, uint64_t pc);
void x_flat(struct x64 *x);                                   /* flat.c: job->flat */
/* flags.c: flags among the @n slots to be written; gives a bit for each that has been. */
uint64_t x_store_flags(struct x64 *x, const struct xpair *p, uint32_t n);
void x_store_sets(struct x64 *x, uint32_t at); /* writeback.c: the writes before operation @at, in straight code */
/** x_x87 - does the call @op of a helper in line (ir/x87.h), or says that it is none that can be.  x_x87_stub: what stands out of line. */
bool x_x87(struct x64 *x, const struct ir_op *op, uint32_t v); /* x87.c */
void x_x87_stub(struct x64 *x, uint32_t i);
void emit_out(struct x64 *x, const struct ir_op *op); /* exit.c: poll, exit, exit_ind, trap */
/** x_poll - leave when the CPU's attention is wanted, else go on; at @back, if that is given. */
void x_poll(struct x64 *x, const struct ir_op *op, struct x64_label *back);
void emit_stubs(struct x64 *x);                       /* exit.c: what stands behind the main line */
struct xstub *x_stub(struct x64 *x);
extern emit_fn *const x64_emit_mem[IR_NUM_OPS];
unsigned x_how(struct x64 *x, const struct ir_op *o); /* index of its row in x->how */
void x_forget_lazy(struct x64 *x);
void x_bare_compare(struct x64 *x, const struct ir_op *o, uint32_t v);
uint32_t x_pred_index(const struct ir *ir, uint32_t from, uint32_t to);
void ra_forget(struct x64 *x, uint32_t v);
void *x_grow_more(void *p, uint32_t *cap, uint32_t need, size_t size);
static inline void *x_grow(void *p, uint32_t *cap, uint32_t need, size_t size)
{
    return need <= *cap ? p : x_grow_more(p, cap, need, size);
}

/** x_verbatim - the main line of verbatim code (verbatim.c); false: not even its first instruction can be. */
bool x_verbatim(struct x64 *x);

#endif
