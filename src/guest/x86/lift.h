/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the x86 lifting functions share: operands, flags, conditions, addresses, exceptions.
 * Source: SDM volume 2; the flags: SDM 1, 3.4.3 and appendix A.
 *
 * One function per name in the rows: void tr_NAME(struct x86_tr *t).  It appends the instruction's meaning to t->ir.  All faulting
 * accesses come before the first write of a register: read operands, store to memory, then write registers and flags.
 *
 * Values: operands of 1, 2 and 4 bytes are i32, zero-extended; of 8 bytes i64; vectors v128 (operands of 32 bytes are read and
 * written in two halves).
 */
#ifndef GUEST_X86_LIFT_H
#define GUEST_X86_LIFT_H

#include "guest/x86/decode.h"
#include "guest/x86/x86.h"
#include "ir/build.h"

struct x86_tr {
    struct ir *ir;
    uint64_t pc, next; /* linear addresses of this instruction and of the following one */
    uint32_t mode;
    const struct x86_features *feats;
    const struct x86_insn *i;
    bool aligned;  /* 16 bytes that are accessed now must be aligned, else #GP(0) (SDM 1, 4.1.1 and 14.9) */
    bool fp_asked; /* x86_fp_begin has been called for this instruction */
};

#define INSN(name, enc, ops, feat, attr) void tr_x86_##name(struct x86_tr *t);
#include "guest/x86/insn_system.def"
#include "guest/x86/insn.def"
#include "guest/x86/insn_x87.def"
#include "guest/x86/insn_simd.def"
#undef INSN

/* Helpers: uint64_t x86_help_NAME(struct cpu *, uint64_t a, uint64_t b, uint64_t c). */
enum x86_helper {
#define HELPER(name, full) X86_HELP_##name,
#include "guest/x86/helpers.def"
    X86_NUM_HELPERS, /* of programs; machines have these, too: */
    X86_HELPERS_END = X86_NUM_HELPERS - 1,
#include "guest/x86/system_helpers.def"
#undef HELPER
    X86_NUM_SYSTEM_HELPERS,
};
#define HELPER(name, full) uint64_t x86_help_##name(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);
#include "guest/x86/helpers.def"
#include "guest/x86/system_helpers.def"
#undef HELPER

static inline bool x86_is64(const struct x86_tr *t)
{
    return x86_code(t->mode) == X86_CODE64;
}
static inline bool x86_is_system(const struct x86_tr *t)
{
    return t->mode & X86_MODE_SYSTEM;
}

/* --- Constants and widths.  @size: bytes, 1, 2, 4 or 8. --- */

static inline enum ir_type x86_type(unsigned size)
{
    return size == 8 ? IR_I64 : IR_I32;
}
static inline ir_val x86_const(struct x86_tr *t, unsigned size, uint64_t v)
{
    return ir_const(t->ir, x86_type(size), size >= 8 ? v : v & ((1ull << 8 * size) - 1));
}
static inline ir_val x86_const64(struct x86_tr *t, uint64_t v)
{
    return ir_const(t->ir, IR_I64, v);
}
/** x86_zext, x86_sext - the low @size bytes of @v (i32 or i64) extended to a value of @to bytes' type, all of it. */
ir_val x86_zext(struct x86_tr *t, ir_val v, unsigned size, unsigned to);
ir_val x86_sext(struct x86_tr *t, ir_val v, unsigned size, unsigned to);

/* --- Registers --- */

ir_val x86_reg(struct x86_tr *t, unsigned reg, unsigned size);               /* zero-extended */
void x86_set_reg(struct x86_tr *t, unsigned reg, unsigned size, ir_val v);   /* 4: clears the upper half; 1, 2: merges */

/* --- Operands, by number.  Vectors: x86_read_vec. --- */

static inline unsigned x86_size(const struct x86_tr *t, unsigned n)
{
    return t->i->op[n].size;
}
static inline bool x86_is_mem(const struct x86_tr *t, unsigned n)
{
    return t->i->op[n].kind == X86_OP_MEM;
}
ir_val x86_read(struct x86_tr *t, unsigned n);
void x86_write(struct x86_tr *t, unsigned n, ir_val v);

/** x86_swap - memory operand 0 becomes @new if it is still @old: i1.  For LOCK without a fetch operation: the instruction is done
 * again when that failed. */
ir_val x86_swap(struct x86_tr *t, ir_val old, ir_val new);

/* --- Memory --- */

/** x86_ea - the effective address of the memory operand, i64, without the segment's base: LEA. */
ir_val x86_ea(struct x86_tr *t);
/** x86_linear - @ea (i64) in segment @seg as a linear address; checks limits where they matter.  @size bytes are read, or written. */
ir_val x86_linear(struct x86_tr *t, unsigned seg, ir_val ea, unsigned size, bool write);
/** x86_mem - linear address of the memory operand. */
ir_val x86_mem(struct x86_tr *t, unsigned size, bool write);
ir_val x86_load(struct x86_tr *t, ir_val linear, unsigned size); /* zero-extended */
void x86_store(struct x86_tr *t, ir_val linear, unsigned size, ir_val v);
/** x86_mem_at - the memory operand's linear address, @off bytes on. */
ir_val x86_mem_at(struct x86_tr *t, unsigned off, unsigned size, bool write);

/* --- The stack --- */

unsigned x86_stack_size(const struct x86_tr *t); /* width of the stack pointer: 2, 4, 8 */
/** x86_sp - the stack pointer @off bytes on, cut to its width, i64. */
ir_val x86_sp(struct x86_tr *t, int64_t off);
void x86_set_sp(struct x86_tr *t, ir_val sp); /* low bits of i64 */
/** x86_push - store @v and move the stack pointer; the only store of an instruction. */
void x86_push(struct x86_tr *t, unsigned size, ir_val v);
/** x86_peek - what lies @off bytes above the top, zero-extended; does not move the pointer. */
ir_val x86_peek(struct x86_tr *t, unsigned size, int64_t off);

/* --- Flags: CF, ZF, SF, OF are i1; PF and AF are kept as values (struct x86_state) --- */

static inline ir_val x86_bit(struct x86_tr *t, bool v)
{
    return ir_const(t->ir, IR_I1, v);
}
ir_val x86_get_flag(struct x86_tr *t, unsigned fl); /* X86_FL_CF, PF, AF, ZF, SF, OF: i1 */
void x86_set_flag(struct x86_tr *t, unsigned fl, ir_val v); /* CF, ZF, SF, OF, PF, AF of an i1 */
/** x86_flags_result - SF, ZF and PF of result @r, of which @size bytes count. */
void x86_flags_result(struct x86_tr *t, ir_val r, unsigned size);
/** x86_flags_logic - the same, CF and OF clear; AF clear (it is undefined). */
void x86_flags_logic(struct x86_tr *t, ir_val r, unsigned size);
/** x86_flags_add, x86_flags_sub - all of @a + @b, @a - @b = @r. */
void x86_flags_add(struct x86_tr *t, ir_val a, ir_val b, ir_val r, unsigned size);
void x86_flags_sub(struct x86_tr *t, ir_val a, ir_val b, ir_val r, unsigned size);
/** x86_cond - condition code 0 (O) to 15 (NLE), i1. */
ir_val x86_cond(struct x86_tr *t, unsigned cc);

/** struct x86_flags - all of them, as they are kept. */
struct x86_flags {
    ir_val v[6];
};
struct x86_flags x86_keep_flags(struct x86_tr *t);
/** x86_flags_if - flags stay as they are now when @cond (i1), else they are as they were: @old. */
void x86_flags_if(struct x86_tr *t, ir_val cond, const struct x86_flags *old);
/** x86_eflags - the whole register, i32. */
ir_val x86_eflags(struct x86_tr *t);
/** x86_bit_of - bit @n of @v (i32 or i64), i1. */
ir_val x86_bit_of(struct x86_tr *t, ir_val v, unsigned n);

/* --- Leaving --- */

/** x86_raise - the exception @vector with @error, at this instruction; ends the block. */
void x86_raise(struct x86_tr *t, unsigned vector, uint32_t error);
void x86_undefined(struct x86_tr *t);
/** x86_check - the exception @vector with @error, at this instruction, when @cond (i1); before the first write of a register. */
void x86_check(struct x86_tr *t, ir_val cond, unsigned vector, uint32_t error);
/** x86_throw - in a full helper: the instruction raises @vector; gives 0. */
uint64_t x86_throw(struct cpu *cpu, unsigned vector, uint32_t error);
/** x86_stop - CPU_STOP_GUEST with @why (enum x86_stop). */
void x86_stop(struct x86_tr *t, unsigned why, unsigned vector);
/** x86_goto, x86_goto_if - to the linear address @pc, as relative operands have it. */
void x86_goto(struct x86_tr *t, uint64_t pc);
void x86_goto_if(struct x86_tr *t, ir_val cond, uint64_t pc);
void x86_goto_call(struct x86_tr *t, uint64_t pc); /* returns to t->next */
/** x86_ip - the instruction pointer (offset in CS) of the linear address @pc, i64, cut to @size bytes. */
ir_val x86_ip(struct x86_tr *t, uint64_t pc, unsigned size);
/** x86_goto_ind - to offset @ip in CS (i64, already cut to the operand size); @ret: linear, of calls. */
void x86_goto_ind(struct x86_tr *t, ir_val ip, enum ir_exit_kind kind, uint64_t ret);
/** x86_again - go on at the next instruction, looked up anew: what code means may have changed. */
void x86_again(struct x86_tr *t);

/** x86_x87_wait - pending x87 exceptions are raised here. */
void x86_x87_wait(struct x86_tr *t);

#endif
