/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floating-point arithmetic and comparisons in line; the rules are in emit_fp_priv.h. */
#include "host/x86_64/emit_fp_priv.h"

/* --- Arithmetic --- */

static const uint8_t arith_opc[IR_NUM_OPS] = {
    [IRO_fadd] = ADD,  [IRO_fsub] = SUB,  [IRO_fmul] = MUL,  [IRO_fdiv] = DIV,
    [IRO_vfadd] = ADD, [IRO_vfsub] = SUB, [IRO_vfmul] = MUL, [IRO_vfdiv] = DIV,
};
/* Sums that are tiny are exact. */
static bool may_be_tiny(unsigned opc)
{
    return opc == MUL || opc == DIV;
}

bool x64_fp_traps(const struct x64 *x, unsigned op)
{
    return x->a.f.avx && (arith_opc[op] || op == IRO_fsqrt || op == IRO_vfsqrt || op == IRO_ffma ||
                          op == IRO_vffma || op == IRO_fneg || op == IRO_fabs || op == IRO_vfneg ||
                          op == IRO_vfabs);
}

static void arith_finish(struct fpop *f, unsigned opc)
{
    x_trap_here(f->x);
    v3(f->x, insn(f->k, opc), f->d, f->a, f->b);
    if (opc == SUB && !is_scalar(f->k)) /* 0 - 0 is -0 when rounding downwards */
        low_bytes(f->x, bytes_computed(f->op), f->d, f->d);
    if (may_be_tiny(opc))
        slow_if_nan_or_tiny(f);
    else
        slow_if_nan(f);
}
static void emit_arith(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    arith_finish(&f, arith_opc[op->op]);
}

/* Unused lanes of a divisor become 1. */
static unsigned divisor(struct fpop *f, unsigned bytes)
{
    struct x64 *x = f->x;
    unsigned t = rv_temp(x);

    if (bytes == 8) {
        v3m(x, PUNPCKLQDQ, t, f->b, splat_fp(x, f->k, 0x3f800000, 0x3ff0000000000000));
    } else {
        v3i(x, INSERTPS, t, f->b, f->b, 0x0e);
        v3m(x, POR, t, t, x_vconst(x, 0x3f80000000000000, 0x3f8000003f800000));
    }
    return t;
}
static void emit_varith(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned bytes = bytes_computed(op);
    struct fpop f;

    if (!packed_ok(op)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    if (op->op == IRO_vfdiv && bytes < 16)
        f.b = divisor(&f, bytes);
    arith_finish(&f, arith_opc[op->op]);
}

/* The root of a negative denormal, once flushed, is -0; the host finds it invalid before it finds it
 * denormal, so what is negative does not get that far. */
static void sqrt_finish(struct fpop *f)
{
    struct x64 *x = f->x;
    uint32_t stub = 0;

    if (x->job->fp_flush) {
        v2(x, VX(is_double(f->k) ? 0x66 : 0, 1, 0x50), X_SCRATCH, f->a); /* movmskps, movmskpd */
        x64_test_ri(&x->a, 4, X_SCRATCH, is_scalar(f->k) ? 1 : 15);
        stub = slow_from(f, CC_NE);
    }
    x_trap_here(x);
    if (is_scalar(f->k))
        v3(x, insn(f->k, SQRT), f->d, f->a, f->a);
    else
        v2(x, insn(f->k, SQRT), f->d, f->a);
    slow_if_nan(f);
    if (x->job->fp_flush)
        x_slow_back(x, stub);
}
void emit_fsqrt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    sqrt_finish(&f);
}
void emit_vfsqrt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (!packed_ok(op)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    sqrt_finish(&f);
}

/* d = a * b + c, the host's form 231. */
static void fma_finish(struct fpop *f)
{
    uint32_t vi = (is_scalar(f->k) ? M38(0xb9) : M38(0xb8)) | VX_VEXONLY;

    vmov(f->x, f->d, f->c);
    x_trap_here(f->x);
    v3(f->x, is_double(f->k) ? vi | VX_W : vi, f->d, f->a, f->b);
    slow_if_nan_or_tiny(f);
}
void emit_ffma(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16 || !x->a.f.fma) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    fma_finish(&f);
}
void emit_vffma(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (!packed_ok(op) || !x->a.f.fma) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    fma_finish(&f);
}

/* --- Signs --- */

static void sign_op(struct x64 *x, const struct ir_op *op, uint32_t v, unsigned lane, bool neg)
{
    unsigned a = rv_use(x, op->arg[0]), d = rv_def(x, v);
    uint64_t sign = 1ull << ((8u << lane) - 1);

    v3m(x, neg ? XORPS : ANDPS, d, a, splat(x, lane, neg ? sign : sign - 1));
}
static unsigned lane_of(unsigned type)
{
    return type == IR_F64 ? 3 : type == IR_F32 ? 2 : 1;
}
void emit_fneg(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sign_op(x, op, v, lane_of(op->type), true);
}
void emit_fabs(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sign_op(x, op, v, lane_of(op->type), false);
}
void emit_vfneg(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sign_op(x, op, v, op->lane, true);
}
void emit_vfabs(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sign_op(x, op, v, op->lane, false);
}

/* --- Minimum and maximum --- */

static bool is_max(unsigned op)
{
    return op == IRO_fmax || op == IRO_fmaxnm || op == IRO_vfmax || op == IRO_vfmaxnm;
}

/* The host gives the second operand when both are zero: done both ways, the results differ in the
 * sign alone, and the guest wants -0 as the minimum, +0 as the maximum.  NaNs must not reach the
 * instructions, which would raise an exception for quiet ones. */
static void minmax_finish(struct fpop *f)
{
    struct x64 *x = f->x;
    uint32_t vi = insn(f->k, is_max(f->op->op) ? MAX : MIN), stub;
    unsigned t = rv_temp(x);

    if (is_scalar(f->k)) {
        ucomis(x, f->k, f->a, f->b);
        stub = slow_from(f, CC_P);
    } else {
        v3i(x, insn(f->k, CMP), t, f->a, f->b, CMP_UNORD);
        test_any(x, t);
        stub = slow_from(f, CC_NE);
    }
    v3(x, vi, t, f->a, f->b);
    v3(x, vi, f->d, f->b, f->a);
    v3(x, is_max(f->op->op) ? ANDPS : ORPS, f->d, f->d, t);
    x_slow_back(x, stub);
}
static void emit_minmax(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    minmax_finish(&f);
}
static void emit_vminmax(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (!packed_ok(op)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    minmax_finish(&f);
}

/* --- Vector compares: the host's predicates raise what the guest's do --- */

static void vcompare(struct x64 *x, const struct ir_op *op, uint32_t v, bool swap, unsigned how)
{
    unsigned bytes = bytes_computed(op);
    struct fpop f;

    if (!packed_ok(op)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    v3i(x, insn(f.k, CMP), f.d, swap ? f.b : f.a, swap ? f.a : f.b, how);
    low_bytes(x, bytes, f.d, f.d);
}
void emit_vfceq(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    vcompare(x, op, v, false, CMP_EQ);
}
void emit_vfcge(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    vcompare(x, op, v, true, CMP_LE);
}
void emit_vfcgt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    vcompare(x, op, v, true, CMP_LT);
}

emit_fn *const x64_emit_fp[IR_NUM_OPS] = {
    [IRO_fadd] = emit_arith, [IRO_fsub] = emit_arith, [IRO_fmul] = emit_arith,
    [IRO_fdiv] = emit_arith, [IRO_fsqrt] = emit_fsqrt, [IRO_ffma] = emit_ffma,
    [IRO_fmin] = emit_minmax, [IRO_fmax] = emit_minmax, [IRO_fminnm] = emit_minmax,
    [IRO_fmaxnm] = emit_minmax,
    [IRO_fcvt] = emit_fcvt, [IRO_f2i] = emit_f2i, [IRO_i2f] = emit_i2f, [IRO_frint] = emit_frint,

    [IRO_vfadd] = emit_varith, [IRO_vfsub] = emit_varith, [IRO_vfmul] = emit_varith,
    [IRO_vfdiv] = emit_varith, [IRO_vfsqrt] = emit_vfsqrt, [IRO_vffma] = emit_vffma,
    [IRO_vfmin] = emit_vminmax, [IRO_vfmax] = emit_vminmax, [IRO_vfminnm] = emit_vminmax,
    [IRO_vfmaxnm] = emit_vminmax,
    [IRO_vfceq] = emit_vfceq, [IRO_vfcge] = emit_vfcge, [IRO_vfcgt] = emit_vfcgt,
    [IRO_vf2i] = emit_vf2i, [IRO_vi2f] = emit_vi2f, [IRO_vfrint] = emit_vfrint,
    [IRO_vfcvtl] = emit_vfcvtl, [IRO_vfcvtn] = emit_vfcvtn,
    [IRO_xf1] = emit_xf1, [IRO_xf2] = emit_xf2, [IRO_xf3] = emit_xf3, [IRO_xftoi] = emit_xftoi,
    [IRO_xifrom] = emit_xifrom,
};
