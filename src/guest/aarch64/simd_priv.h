/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the lifting functions of A64 SIMD instructions share: arrangements, operands, saturation.
 * Source: Arm ARM DDI 0487, chapter C7.
 *
 * An instruction is a form (which registers, which lanes) and a meaning, a simd_fn: a function of
 * the operand vectors.  The same meaning serves the vector, scalar and by-element forms.  Writing a
 * result zeroes the register above the live lanes.
 */
#ifndef GUEST_AARCH64_SIMD_PRIV_H
#define GUEST_AARCH64_SIMD_PRIV_H

#include "guest/aarch64/lift.h"

/* Forms.  V: vector, lanes by fields z and q; S: scalar, by z; the letters say which sizes exist.
 * FPV, FPS: floating point, z is 0 for single, 1 for double; FPVH, FPSH: half precision. */
enum simd_form {
    SIMD_SIZES = 15,
    SIMD_SCALAR = 16,
    SIMD_FP = 32,
    SIMD_HALF = 64,
    V_B = 1,
    V_HS = 6,
    V_BHS = 7,
    V_BHSD = 15,
    S_BHS = SIMD_SCALAR | 7,
    S_BHSD = SIMD_SCALAR | 15,
    S_HS = SIMD_SCALAR | 6,
    S_D = SIMD_SCALAR | 8,
    FPV = SIMD_FP,
    FPVH = SIMD_FP | SIMD_HALF,
    FPS = SIMD_FP | SIMD_SCALAR,
    FPSH = SIMD_FP | SIMD_SCALAR | SIMD_HALF,
};

/** struct simd - one instruction being lifted. */
struct simd {
    struct a64_tr *t;
    struct ir *ir;
    enum ir_opcode op; /* for the simd_fns that take one */
    unsigned lane;     /* log2 bytes; narrow side of what changes width */
    unsigned lanes;    /* live ones; 1 for scalars */
    unsigned shift;    /* immediate of shifts, rotation of complex arithmetic */
    uint64_t imm;      /* of FP operations: live lanes; else 0 */
    ir_val d, n, m;    /* Vd, Vn and Vm (or its element in every lane) */
};

typedef ir_val simd_fn(const struct simd *s);

/** simd_form - fills in the arrangement; false: reserved, the instruction is undefined. */
bool simd_form(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, struct simd *s);
/** simd_operands - reads Vd, Vn, Vm. */
void simd_operands(const struct a64_fields *f, struct simd *s);
/** simd_put - writes Vd; lanes that are not live become zero. */
void simd_put(const struct simd *s, unsigned d, ir_val v);
/** simd_live - @v with the lanes that are not live zeroed. */
ir_val simd_live(const struct simd *s, ir_val v);

/* Whole instructions: Vd = fn(Vd, Vn, Vm), Vd = op(Vn, Vm), op(Vn), op(Vd, Vn, Vm). */
void simd_do(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, simd_fn *fn);
void simd_bin(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, enum ir_opcode op);
void simd_un(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, enum ir_opcode op);
/** simd_with - Vd = fn(...), fn using s->op. */
void simd_with(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, simd_fn *fn,
               enum ir_opcode op);

/* One lane-wise operation of the instruction's arrangement. */
static inline ir_val simd_1(const struct simd *s, enum ir_opcode op, ir_val a)
{
    return ir_v1(s->ir, op, s->lane, s->imm, a);
}
static inline ir_val simd_2(const struct simd *s, enum ir_opcode op, ir_val a, ir_val b)
{
    return ir_v2(s->ir, op, s->lane, s->imm, a, b);
}
static inline ir_val simd_3(const struct simd *s, enum ir_opcode op, ir_val a, ir_val b, ir_val c)
{
    return ir_v3(s->ir, op, s->lane, s->imm, a, b, c);
}
static inline ir_val simd_shift(const struct simd *s, enum ir_opcode op, unsigned lane, ir_val a,
                                unsigned n)
{
    return ir_v1(s->ir, op, lane, n, a);
}
static inline ir_val simd_zero(const struct simd *s)
{
    return ir_vconst(s->ir, 0, 0);
}
static inline ir_val simd_low(struct ir *ir, unsigned lane, ir_val v)
{
    return ir_v1(ir, IRO_vlow, lane, 0, v);
}
/** simd_dup - constant @v in every lane. */
ir_val simd_dup(struct ir *ir, unsigned lane, uint64_t v);
/** simd_sign - the sign bit of every lane. */
ir_val simd_sign(const struct simd *s, unsigned lane);

/** simd_qc - sets FPSR.QC when any bit of @v within the live lanes is set. */
void simd_qc(const struct simd *s, ir_val v);

/* Meanings shared by several families. */
simd_fn simd_fn_bin, simd_fn_un;          /* op(n, m), op(n) */
simd_fn simd_mla, simd_mls;               /* d +- n * m */
simd_fn simd_fmla, simd_fmls;             /* d +- n * m, fused */
simd_fn simd_fcmla;                       /* s->shift: rotation / 90 */
simd_fn simd_sqadd, simd_uqadd, simd_sqsub, simd_uqsub, simd_suqadd, simd_usqadd;
simd_fn simd_sqabs, simd_sqneg;
simd_fn simd_sqdmulh, simd_sqrdmulh, simd_sqrdmlah, simd_sqrdmlsh;
simd_fn simd_sqshl, simd_uqshl, simd_sqrshl, simd_uqrshl;
/* Long: n and m hold narrow lanes in their low halves; d and the result are wide. */
simd_fn simd_mull, simd_mlal, simd_mlsl;  /* s->op: vsmull or vumull */
simd_fn simd_sqdmull, simd_sqdmlal, simd_sqdmlsl;
/** simd_narrow - Vd's half = wide @v narrowed with @op; saturating ones (op not vxtn) set QC. */
ir_val simd_narrow(const struct simd *s, enum ir_opcode op, ir_val v);
/** simd_put_half - writes Vd of a narrowing instruction: low half, or high half if @high. */
void simd_put_half(const struct simd *s, unsigned d, bool high, ir_val v);

/* Floating point. */
/** fp_type - the type a ptype field names; IR_VOID: reserved. */
enum ir_type fp_type(const struct a64_tr *t, unsigned ptype);
ir_val fp_get(struct a64_tr *t, enum ir_type type, unsigned reg);
void fp_set(struct a64_tr *t, unsigned reg, ir_val v);
/** fp_imm - VFPExpandImm: the value of an 8-bit immediate, as bits. */
uint64_t fp_imm(enum ir_type type, unsigned imm8);

static inline bool a64_has(const struct a64_tr *t, enum a64_feature feat)
{
    return t->feats >> feat & 1;
}

#endif
