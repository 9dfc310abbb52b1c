/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the lifting functions of vector instructions share (SDM 1, chapters 10 to 14).
 *
 * Operands of 32 bytes are two halves of 16; an operand of 8 that is an MMX register is the low half of a vector.  SSE forms name the
 * destination once, VEX forms apart from the first source, and clear what lies above their result.
 */
#ifndef GUEST_X86_SIMD_H
#define GUEST_X86_SIMD_H

#include "guest/x86/lift.h"
#include "ir/sse.h"

/** struct x86_vop - an operation: of ops.def with a lane, or of sse.def (op one of xv1 .. xf3). */
struct x86_vop {
    uint16_t op;
    uint8_t lane;
    uint16_t sse;
};
#define X86_VOP(name, lane)     ((struct x86_vop){IRO_##name, lane, 0})
#define X86_SSE_OP(kind, name) ((struct x86_vop){IRO_##kind, 0, SSE_##name})

/** x86_fp_begin, x86_fp_end - around the floating-point operations of an instruction, after its loads and before its first write: where
 * MXCSR unmasks exceptions, those that are raised in between are #XM, and the instruction has not been done. */
void x86_fp_begin(struct x86_tr *t);
void x86_fp_end(struct x86_tr *t);

/** x86_vapply - the operation; imm8 for those of sse.def. */
ir_val x86_vapply(struct x86_tr *t, struct x86_vop op, unsigned imm8, ir_val a, ir_val b, ir_val c);

static inline unsigned x86_imm8(const struct x86_tr *t)
{
    return (unsigned)t->i->imm & 0xff;
}
/** x86_src1, x86_src2 - numbers of the first and second source operand. */
static inline unsigned x86_src1(const struct x86_tr *t)
{
    return t->i->vex;
}
static inline unsigned x86_src2(const struct x86_tr *t)
{
    return t->i->vex + 1u;
}
/** x86_halves - of operand 0. */
static inline unsigned x86_halves(const struct x86_tr *t)
{
    return x86_size(t, 0) == 32 ? 2 : 1;
}
static inline bool x86_is_mmx(const struct x86_tr *t)
{
    return t->i->op[0].kind == X86_OP_MM;
}

/** x86_vec - half @half of operand @n as v128; a narrower memory operand is in the low lanes, the others zero.  Without VEX one of 16
 * bytes must be aligned. */
ir_val x86_vec(struct x86_tr *t, unsigned n, unsigned half);
/** x86_vec_any - the same without alignment being asked for. */
ir_val x86_vec_any(struct x86_tr *t, unsigned n, unsigned half);
/** x86_set_vec - half @half of operand @n, register or memory. */
void x86_set_vec(struct x86_tr *t, unsigned n, unsigned half, ir_val v);
/** x86_scalar - operand @n for an instruction that looks at its lowest 4 or 8 bytes only: f32, f64 or v128. */
ir_val x86_scalar(struct x86_tr *t, unsigned n);
/** x86_float - the same as f32 or f64. */
ir_val x86_float(struct x86_tr *t, unsigned n, enum ir_type type);
/** x86_result - write operand 0 from its halves; with VEX the rest of the register is cleared. */
void x86_result(struct x86_tr *t, const ir_val *halves);
/** x86_result1 - the same of a result of 16 bytes at most. */
void x86_result1(struct x86_tr *t, ir_val v);
ir_val x86_vzero(struct x86_tr *t);

/** x86_mmx_get - MMX register @reg in the low half of a v128.  x86_mmx_set - the low half of @v to it, as MMX instructions write. */
ir_val x86_mmx_get(struct x86_tr *t, unsigned reg);
void x86_mmx_set(struct x86_tr *t, unsigned reg, ir_val v);
/** x86_mmx_used - what an instruction that only reads MMX registers does to the x87 state; after its last fault. */
void x86_mmx_used(struct x86_tr *t);

/* Instructions of one, two or three vectors, as the row says. */
void x86_vector1(struct x86_tr *t, struct x86_vop op);
void x86_vector2(struct x86_tr *t, struct x86_vop op);
void x86_vector3(struct x86_tr *t, struct x86_vop op);
/** x86_scalar2 - the lowest lane of the second source, the rest from the first. */
void x86_scalar2(struct x86_tr *t, struct x86_vop op);

#endif
