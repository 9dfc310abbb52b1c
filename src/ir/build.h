/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The builder: how lifting code writes IR.  It folds constants, reuses equal expressions within a
 * block, follows the current value of every slot, and makes snapshots by itself, so that lifting code
 * reads like the architecture manual.
 *
 * An instruction that may fault must do its faulting accesses before its first ir_set: the snapshot
 * of an access holds the state at that moment.
 */
#ifndef IR_BUILD_H
#define IR_BUILD_H

#include "ir/ir.h"

/* --- Regions and blocks: called by cpu/, not by lifting code --- */

/** ir_plan - name a guest block of the region before lifting; returns its block index. */
uint32_t ir_plan(struct ir *ir, uint64_t pc, uint32_t heat);
/**
 * ir_frame - what is called from @parent (0: the region itself) and returns to @ret: a number for ir_plan_in; fewer than
 * IR_MAX_FRAMES.  Blocks planned in a frame are the region's copy of the callee for this call: ir_goto_call goes to the target's, and
 * a return from there that leads to @ret, as nearly all do, goes on with the block planned for that in the parent's.  Other ways
 * out tell the shadow stack of the calls that were not made (called).
 */
#define IR_MAX_FRAMES 32
uint32_t ir_frame(struct ir *ir, uint32_t parent, uint64_t ret);
/** ir_plan_in - ir_plan for a block in @frame. */
uint32_t ir_plan_in(struct ir *ir, uint64_t pc, uint32_t heat, uint32_t frame);
/** ir_start_block - begin lifting a planned block (in the order they were planned). */
void ir_start_block(struct ir *ir, uint32_t block);
/** ir_finish - after the last block: orders exit blocks, computes predecessors and loop heads. */
void ir_finish(struct ir *ir);

/* --- For lifting code --- */

/** ir_at - the instruction at @pc begins: snapshots made from now on resume there. */
void ir_at(struct ir *ir, uint64_t pc);

ir_val ir_const(struct ir *ir, enum ir_type type, uint64_t value);
ir_val ir_vconst(struct ir *ir, uint64_t lo, uint64_t hi);
ir_val ir_get(struct ir *ir, uint32_t slot);
void ir_set(struct ir *ir, uint32_t slot, ir_val v);

/** ir_op1..3 - append (or reuse, or fold) a pure or FP operation; missing operands are IR_NONE. */
ir_val ir_op(struct ir *ir, enum ir_opcode op, enum ir_type type, unsigned lane, uint64_t imm,
             ir_val a, ir_val b, ir_val c);

static inline enum ir_type ir_type_of(const struct ir *ir, ir_val v)
{
    return ir->ops[v.id].type;
}
static inline ir_val ir_un(struct ir *ir, enum ir_opcode op, ir_val a)
{
    return ir_op(ir, op, ir_type_of(ir, a), 0, 0, a, IR_NONE, IR_NONE);
}
static inline ir_val ir_bin(struct ir *ir, enum ir_opcode op, ir_val a, ir_val b)
{
    return ir_op(ir, op, ir_type_of(ir, a), 0, 0, a, b, IR_NONE);
}
static inline ir_val ir_cmp(struct ir *ir, enum ir_opcode op, ir_val a, ir_val b)
{
    return ir_op(ir, op, IR_I1, 0, 0, a, b, IR_NONE);
}
static inline ir_val ir_conv(struct ir *ir, enum ir_opcode op, enum ir_type to, ir_val a)
{
    return ir_op(ir, op, to, 0, 0, a, IR_NONE, IR_NONE);
}
static inline ir_val ir_add(struct ir *ir, ir_val a, ir_val b) { return ir_bin(ir, IRO_add, a, b); }
static inline ir_val ir_sub(struct ir *ir, ir_val a, ir_val b) { return ir_bin(ir, IRO_sub, a, b); }
static inline ir_val ir_and(struct ir *ir, ir_val a, ir_val b) { return ir_bin(ir, IRO_and, a, b); }
static inline ir_val ir_or(struct ir *ir, ir_val a, ir_val b) { return ir_bin(ir, IRO_or, a, b); }
static inline ir_val ir_xor(struct ir *ir, ir_val a, ir_val b) { return ir_bin(ir, IRO_xor, a, b); }
static inline ir_val ir_not(struct ir *ir, ir_val a) { return ir_un(ir, IRO_not, a); }
static inline ir_val ir_add_imm(struct ir *ir, ir_val a, int64_t imm)
{
    return ir_add(ir, a, ir_const(ir, ir_type_of(ir, a), (uint64_t)imm));
}
static inline ir_val ir_and_imm(struct ir *ir, ir_val a, uint64_t imm)
{
    return ir_and(ir, a, ir_const(ir, ir_type_of(ir, a), imm));
}
/* shift by a constant: op is IRO_shl, IRO_shr, IRO_sar or IRO_ror; n < width */
static inline ir_val ir_shift_imm(struct ir *ir, enum ir_opcode op, ir_val a, unsigned n)
{
    return ir_bin(ir, op, a, ir_const(ir, ir_type_of(ir, a), n));
}
static inline ir_val ir_select(struct ir *ir, ir_val cond, ir_val a, ir_val b)
{
    return ir_op(ir, IRO_select, ir_type_of(ir, a), 0, 0, cond, a, b);
}
/* Vector operations: lane is log2 bytes. */
static inline ir_val ir_v1(struct ir *ir, enum ir_opcode op, unsigned lane, uint64_t imm, ir_val a)
{
    return ir_op(ir, op, IR_V128, lane, imm, a, IR_NONE, IR_NONE);
}
static inline ir_val ir_v2(struct ir *ir, enum ir_opcode op, unsigned lane, uint64_t imm, ir_val a,
                           ir_val b)
{
    return ir_op(ir, op, IR_V128, lane, imm, a, b, IR_NONE);
}
static inline ir_val ir_v3(struct ir *ir, enum ir_opcode op, unsigned lane, uint64_t imm, ir_val a,
                           ir_val b, ir_val c)
{
    return ir_op(ir, op, IR_V128, lane, imm, a, b, c);
}

/** ir_load - guest load; @type as for the load op, @memop from ir_mem(). */
ir_val ir_load(struct ir *ir, enum ir_type type, uint64_t memop, ir_val addr);
void ir_store(struct ir *ir, uint64_t memop, ir_val addr, ir_val v);
/** ir_store2 - the operation store2. */
void ir_store2(struct ir *ir, ir_val addr, ir_val low, ir_val high);
/** ir_atomic - cas (a expected, b new) or one of the fetch ops (a operand, b IR_NONE); gives old. */
ir_val ir_atomic(struct ir *ir, enum ir_opcode op, enum ir_type type, uint64_t memop, ir_val addr,
                 ir_val a, ir_val b);
void ir_fence(struct ir *ir, unsigned kind);

/** ir_check - stop at this instruction with @reason (enum cpu_stop) and @detail when @cond (i1) is 1. */
void ir_check(struct ir *ir, ir_val cond, uint32_t reason, uint64_t detail);

/**
 * ir_call - call helper @helper with up to three integer operands; gives an i64.
 * A full helper sees all slots in memory and may change any; values read before stay valid.
 */
ir_val ir_call(struct ir *ir, uint32_t helper, ir_val a, ir_val b, ir_val c);

/* --- Leaving the block; each ends it --- */

/** ir_goto - to guest address @pc: a block of this region, else an exit.  Polls when going back. */
void ir_goto(struct ir *ir, uint64_t pc);
void ir_goto_if(struct ir *ir, ir_val cond, uint64_t pc_true, uint64_t pc_false);
/** ir_goto_call - direct call to @pc that returns to @ret (for prediction only; the link register is
 * the lifter's business). */
void ir_goto_call(struct ir *ir, uint64_t pc, uint64_t ret);
/** ir_goto_ind - to the address in @target. @ret only for IR_EXIT_CALL. */
void ir_goto_ind(struct ir *ir, ir_val target, enum ir_exit_kind kind, uint64_t ret);
/** ir_goto_land - ir_goto_ind whose target must be one for indirect branches of sort @landing, 1 to
 * IR_LANDINGS.  Whoever runs the region checks that, before anything there runs. */
void ir_goto_land(struct ir *ir, ir_val target, enum ir_exit_kind kind, unsigned landing, uint64_t ret);
/** ir_trap - stop with @reason (enum cpu_stop), resuming at @pc. */
void ir_trap(struct ir *ir, uint32_t reason, uint64_t detail, uint64_t pc);
/** ir_ended - true when the block has its terminator. */
bool ir_ended(const struct ir *ir);

#endif
