/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the A64 lifting functions share: registers, flags, conditions, operands.
 * Source: Arm ARM DDI 0487, chapters C6 and C7; shared pseudocode of chapter J1.
 *
 * One function per row of insn.def: void tr_NAME(struct a64_tr *t, const struct a64_fields *f).
 * It appends the instruction's meaning to t->ir.  All faulting accesses come before the first write
 * of a register.  Reserved encodings that a pattern cannot say call a64_undefined() and return.
 */
#ifndef GUEST_AARCH64_LIFT_H
#define GUEST_AARCH64_LIFT_H

#include "guest/aarch64/aarch64.h"
#include "guest/aarch64/decode.h"
#include "ir/build.h"

struct a64_tr {
    struct ir *ir;
    uint64_t pc;    /* of this instruction */
    uint32_t word;
    uint32_t mode;  /* cpu->mode */
    uint64_t feats; /* of the CPU model */
};

#define INSN(name, pattern, feat) void tr_##name(struct a64_tr *t, const struct a64_fields *f);
#define INSN_END(name, pattern, feat, end) void tr_##name(struct a64_tr *t, const struct a64_fields *f);
#include "guest/aarch64/insn.def"
#include "guest/aarch64/insn_simd.def"
#undef INSN
#undef INSN_END

/* Helpers: uint64_t help_NAME(struct cpu *, uint64_t a, uint64_t b, uint64_t c). */
enum a64_helper {
#define HELPER(name, full) A64_HELP_##name,
#include "guest/aarch64/helpers.def"
#undef HELPER
    A64_NUM_HELPERS,
};
#define HELPER(name, full) uint64_t help_##name(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);
#include "guest/aarch64/helpers.def"
#undef HELPER

/** a64_undefined - this encoding is unallocated: the guest's undefined instruction exception. */
void a64_undefined(struct a64_tr *t);

/* --- General registers.  Number 31 is the zero register, or the stack pointer in the _sp forms. --- */

static inline ir_val a64_const(struct a64_tr *t, uint64_t v) /* i64 */
{
    return ir_const(t->ir, IR_I64, v);
}
ir_val a64_x(struct a64_tr *t, unsigned reg);             /* i64 */
ir_val a64_w(struct a64_tr *t, unsigned reg);             /* i32 */
ir_val a64_r(struct a64_tr *t, bool sf, unsigned reg);    /* i64 if sf, else i32 */
ir_val a64_x_sp(struct a64_tr *t, unsigned reg);          /* i64 */
ir_val a64_r_sp(struct a64_tr *t, bool sf, unsigned reg);
/* Writing: i64 values are written whole, i32 ones zero-extended. */
void a64_set_r(struct a64_tr *t, unsigned reg, ir_val v);
void a64_set_r_sp(struct a64_tr *t, unsigned reg, ir_val v);

/* --- Vector registers, v128.  For a scalar or a short vector write a value whose upper part is
 * zero: vfromf, vfromi and ir_v1(IRO_vlow, 3) make one. --- */

static inline ir_val a64_v(struct a64_tr *t, unsigned reg)
{
    return ir_get(t->ir, A64_V0 + reg);
}
static inline void a64_set_v(struct a64_tr *t, unsigned reg, ir_val v)
{
    ir_set(t->ir, A64_V0 + reg, v);
}

/* --- Flags: four i1 values --- */

static inline ir_val a64_bit(struct a64_tr *t, bool v)
{
    return ir_const(t->ir, IR_I1, v);
}
void a64_set_flags(struct a64_tr *t, ir_val n, ir_val z, ir_val c, ir_val v);
/** a64_set_flags_imm - NZCV from a constant, N in bit 3. */
void a64_set_flags_imm(struct a64_tr *t, unsigned nzcv);
/** a64_set_flags_logic - N and Z of @r, C and V clear. */
void a64_set_flags_logic(struct a64_tr *t, ir_val r);
/** a64_add_flags, a64_sub_flags - NZCV of a + b, a - b (ADDS, SUBS). */
void a64_add_flags(struct a64_tr *t, ir_val a, ir_val b, ir_val sum);
void a64_sub_flags(struct a64_tr *t, ir_val a, ir_val b, ir_val diff);
/** a64_cond - whether condition @cond (0 EQ .. 15 NV) holds, i1. */
ir_val a64_cond(struct a64_tr *t, unsigned cond);

/** a64_select - per bit of i1 @cond, any type. */
static inline ir_val a64_select(struct a64_tr *t, ir_val cond, ir_val a, ir_val b)
{
    return ir_select(t->ir, cond, a, b);
}

/* --- Operands --- */

enum a64_shift { A64_LSL, A64_LSR, A64_ASR, A64_ROR };
/** a64_shifted - @v shifted by the constant @n < width. */
ir_val a64_shifted(struct a64_tr *t, ir_val v, enum a64_shift kind, unsigned n);
/** a64_extended - register @reg extended as @option (UXTB 0 .. SXTX 7), then shifted left. */
ir_val a64_extended(struct a64_tr *t, bool sf, unsigned reg, unsigned option, unsigned shift);
/** a64_bitmask - DecodeBitMasks: the immediate of logical instructions; false when reserved. */
bool a64_bitmask(bool sf, unsigned n, unsigned imms, unsigned immr, uint64_t *imm);
/** a64_sext - the low @bits of @v, sign-extended, in C. */
static inline int64_t a64_sext(uint64_t v, unsigned bits)
{
    return (int64_t)(v << (64 - bits)) >> (64 - bits);
}
/** a64_extend_from - i32 or i64 @v (type @to): its low @bits, sign- or zero-extended. */
ir_val a64_extend_from(struct a64_tr *t, ir_val v, unsigned bits, bool sign);

/* --- Addresses --- */

/** a64_addr - base register (31 is SP) plus a constant. */
ir_val a64_addr(struct a64_tr *t, unsigned base, int64_t offset);
/** a64_write_back - base register := base + offset; after the accesses. */
void a64_write_back(struct a64_tr *t, unsigned base, ir_val addr);

/* Accesses to data: ir_load and ir_store for integers, in the byte order of the mode.  a64_swapped - @v, the low @size (log2) bytes of
 * an i32 or i64, between that order and the registers', zero- or sign-extended.  a64_swapped_lanes - each lane of a vector, of
 * 1 << @lane bytes, 4: the whole. */
ir_val a64_load(struct a64_tr *t, enum ir_type type, uint64_t memop, ir_val addr);
void a64_store(struct a64_tr *t, uint64_t memop, ir_val addr, ir_val v);
ir_val a64_swapped(struct a64_tr *t, ir_val v, unsigned size, bool sign);
ir_val a64_swapped_lanes(struct a64_tr *t, ir_val v, unsigned lane);

/** a64_leave - end the block after this instruction so that what follows is looked up anew: needed
 * when the meaning of code may have changed (FPCR, instruction cache maintenance). */
void a64_leave(struct a64_tr *t, ir_val next_pc);

/* The landings of indirect calls, and of jumps through @reg, in @mode. */
unsigned a64_call_landing(uint32_t mode);
unsigned a64_jump_landing(uint32_t mode, unsigned reg);

/* Model features, for lifting: bits 1 << enum a64_feature. */
uint64_t a64_model_feats(unsigned model);
/** a64_mode_feats - the same of a CPU in that mode: less what was switched off. */
uint64_t a64_mode_feats(uint32_t mode);

#endif
