/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalar floating-point data processing, comparison and selection.
 * Source: Arm ARM DDI 0487, C4.1 "Floating-point data-processing", "compare", "conditional
 * select", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

enum ir_type fp_type(const struct a64_tr *t, unsigned ptype)
{
    switch (ptype) {
    case 0:
        return IR_F32;
    case 1:
        return IR_F64;
    case 3:
        return a64_has(t, A64_FEAT_FP16) ? IR_F16 : IR_VOID;
    default:
        return IR_VOID;
    }
}

ir_val fp_get(struct a64_tr *t, enum ir_type type, unsigned reg)
{
    return ir_conv(t->ir, IRO_vtof, type, a64_v(t, reg));
}

void fp_set(struct a64_tr *t, unsigned reg, ir_val v)
{
    a64_set_v(t, reg, ir_conv(t->ir, IRO_vfromf, IR_V128, v));
}

uint64_t fp_imm(enum ir_type type, unsigned imm8)
{
    unsigned frac_bits = type == IR_F16 ? 10 : type == IR_F32 ? 23 : 52;
    unsigned exp_bits = ir_bits(type) - 1 - frac_bits;
    uint64_t sign = imm8 >> 7, low = imm8 >> 4 & 3, frac = imm8 & 15;
    bool b = imm8 >> 6 & 1;
    uint64_t exp = (b ? (1ull << (exp_bits - 3)) - 1 : 0) << 2 | low;

    exp |= (uint64_t)!b << (exp_bits - 1);
    return sign << (ir_bits(type) - 1) | exp << frac_bits | frac << (frac_bits - 4);
}

/* The type of field z; void and undefined when reserved. */
static enum ir_type type_of(struct a64_tr *t, const struct a64_fields *f)
{
    enum ir_type type = fp_type(t, f->z);

    if (type == IR_VOID)
        a64_undefined(t);
    return type;
}

static void one(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op, uint64_t imm)
{
    enum ir_type type = type_of(t, f);

    if (type != IR_VOID)
        fp_set(t, f->d, ir_op(t->ir, op, type, 0, imm, fp_get(t, type, f->n), IR_NONE, IR_NONE));
}

static void two(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    enum ir_type type = type_of(t, f);

    if (type != IR_VOID)
        fp_set(t, f->d, ir_bin(t->ir, op, fp_get(t, type, f->n), fp_get(t, type, f->m)));
}

/* FMADD and friends: operands change sign before NaNs are looked at. */
static void fused(struct a64_tr *t, const struct a64_fields *f, bool neg_product, bool neg_sum)
{
    enum ir_type type = type_of(t, f);
    ir_val n, m, a;

    if (type == IR_VOID)
        return;
    n = fp_get(t, type, f->n);
    m = fp_get(t, type, f->m);
    a = fp_get(t, type, f->a);
    if (neg_product)
        n = ir_un(t->ir, IRO_fneg, n);
    if (neg_sum)
        a = ir_un(t->ir, IRO_fneg, a);
    fp_set(t, f->d, ir_op(t->ir, IRO_ffma, type, 0, 0, n, m, a));
}

/* FRINT32, FRINT64: single and double only. */
static void frint_int(struct a64_tr *t, const struct a64_fields *f, unsigned how)
{
    if (f->z == 3)
        a64_undefined(t);
    else
        one(t, f, IRO_frint, how);
}

struct flags {
    ir_val n, z, c, v;
};

/* C is set when unordered, too. */
static struct flags compare(struct a64_tr *t, ir_val a, ir_val b, bool signalling)
{
    struct ir *ir = t->ir;
    ir_val lt = ir_op(ir, IRO_flt, IR_I1, 0, signalling, a, b, IR_NONE);

    return (struct flags){
        .n = lt,
        .z = ir_op(ir, IRO_feq, IR_I1, 0, signalling, a, b, IR_NONE),
        .c = ir_not(ir, lt),
        .v = ir_op(ir, IRO_fun, IR_I1, 0, signalling, a, b, IR_NONE),
    };
}

static ir_val zero(struct a64_tr *t, enum ir_type type)
{
    return ir_conv(t->ir, IRO_vtof, type, ir_vconst(t->ir, 0, 0));
}

static void fcmp(struct a64_tr *t, const struct a64_fields *f, bool with_zero, bool signalling)
{
    enum ir_type type = type_of(t, f);
    struct flags r;

    if (type == IR_VOID)
        return;
    r = compare(t, fp_get(t, type, f->n), with_zero ? zero(t, type) : fp_get(t, type, f->m),
                signalling);
    a64_set_flags(t, r.n, r.z, r.c, r.v);
}

/* Without the condition nothing is compared, so no exception either: two zeros stand in. */
static void fccmp(struct a64_tr *t, const struct a64_fields *f, bool signalling)
{
    enum ir_type type = type_of(t, f);
    ir_val cond, no;
    struct flags r;

    if (type == IR_VOID)
        return;
    cond = a64_cond(t, f->c);
    no = zero(t, type);
    r = compare(t, a64_select(t, cond, fp_get(t, type, f->n), no),
                a64_select(t, cond, fp_get(t, type, f->m), no), signalling);
    a64_set_flags(t, a64_select(t, cond, r.n, a64_bit(t, f->i >> 3 & 1)),
                  a64_select(t, cond, r.z, a64_bit(t, f->i >> 2 & 1)),
                  a64_select(t, cond, r.c, a64_bit(t, f->i >> 1 & 1)),
                  a64_select(t, cond, r.v, a64_bit(t, f->i & 1)));
}

static unsigned lane_of(enum ir_type type)
{
    return type == IR_F16 ? 1 : type == IR_F32 ? 2 : 3;
}

void tr_fmov(struct a64_tr *t, const struct a64_fields *f)
{
    enum ir_type type = type_of(t, f);

    if (type != IR_VOID)
        a64_set_v(t, f->d, simd_low(t->ir, lane_of(type), a64_v(t, f->n)));
}

void tr_fabs(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_fabs, 0);
}

void tr_fneg(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_fneg, 0);
}

void tr_fsqrt(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_fsqrt, 0);
}

void tr_frintn(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_frint, FP_RN);
}

void tr_frintp(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_frint, FP_RP);
}

void tr_frintm(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_frint, FP_RM);
}

void tr_frintz(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_frint, FP_RZ);
}

void tr_frinta(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_frint, FP_RA);
}

void tr_frintx(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_frint, IR_ROUND_CURRENT | IR_RINT_EXACT);
}

void tr_frinti(struct a64_tr *t, const struct a64_fields *f)
{
    one(t, f, IRO_frint, IR_ROUND_CURRENT);
}

void tr_frint32z(struct a64_tr *t, const struct a64_fields *f)
{
    frint_int(t, f, FP_RZ | IR_RINT_32);
}

void tr_frint32x(struct a64_tr *t, const struct a64_fields *f)
{
    frint_int(t, f, IR_ROUND_CURRENT | IR_RINT_32);
}

void tr_frint64z(struct a64_tr *t, const struct a64_fields *f)
{
    frint_int(t, f, FP_RZ | IR_RINT_64);
}

void tr_frint64x(struct a64_tr *t, const struct a64_fields *f)
{
    frint_int(t, f, IR_ROUND_CURRENT | IR_RINT_64);
}

void tr_fmul(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_fmul);
}

void tr_fdiv(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_fdiv);
}

void tr_fadd(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_fadd);
}

void tr_fsub(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_fsub);
}

void tr_fmax(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_fmax);
}

void tr_fmin(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_fmin);
}

void tr_fmaxnm(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_fmaxnm);
}

void tr_fminnm(struct a64_tr *t, const struct a64_fields *f)
{
    two(t, f, IRO_fminnm);
}

/* The result changes sign, a NaN too. */
void tr_fnmul(struct a64_tr *t, const struct a64_fields *f)
{
    enum ir_type type = type_of(t, f);
    ir_val v;

    if (type == IR_VOID)
        return;
    v = ir_bin(t->ir, IRO_fmul, fp_get(t, type, f->n), fp_get(t, type, f->m));
    fp_set(t, f->d, ir_un(t->ir, IRO_fneg, v));
}

void tr_fmadd(struct a64_tr *t, const struct a64_fields *f)
{
    fused(t, f, false, false);
}

void tr_fmsub(struct a64_tr *t, const struct a64_fields *f)
{
    fused(t, f, true, false);
}

void tr_fnmadd(struct a64_tr *t, const struct a64_fields *f)
{
    fused(t, f, true, true);
}

void tr_fnmsub(struct a64_tr *t, const struct a64_fields *f)
{
    fused(t, f, false, true);
}

void tr_fcmp(struct a64_tr *t, const struct a64_fields *f)
{
    fcmp(t, f, false, false);
}

void tr_fcmp_z(struct a64_tr *t, const struct a64_fields *f)
{
    fcmp(t, f, true, false);
}

void tr_fcmpe(struct a64_tr *t, const struct a64_fields *f)
{
    fcmp(t, f, false, true);
}

void tr_fcmpe_z(struct a64_tr *t, const struct a64_fields *f)
{
    fcmp(t, f, true, true);
}

void tr_fccmp(struct a64_tr *t, const struct a64_fields *f)
{
    fccmp(t, f, false);
}

void tr_fccmpe(struct a64_tr *t, const struct a64_fields *f)
{
    fccmp(t, f, true);
}

void tr_fcsel(struct a64_tr *t, const struct a64_fields *f)
{
    enum ir_type type = type_of(t, f);

    if (type != IR_VOID)
        fp_set(t, f->d, a64_select(t, a64_cond(t, f->c), fp_get(t, type, f->n),
                                   fp_get(t, type, f->m)));
}

void tr_fmov_i(struct a64_tr *t, const struct a64_fields *f)
{
    enum ir_type type = type_of(t, f);

    if (type != IR_VOID)
        a64_set_v(t, f->d, ir_vconst(t->ir, fp_imm(type, f->i), 0));
}
