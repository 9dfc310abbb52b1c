/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floating-point conversions in line: between widths, to and from integers, to integral values. */
#include "host/x86_64/emit_fp_priv.h"

/* --- Between widths --- */

static void half_to_single(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, scalar_kind(op->type));

    v3m(x, PAND, T, f.a, x_vconst(x, 0xffff, 0));
    v2(x, M38(0x13), f.d, T); /* vcvtph2ps */
    if (op->type == IR_F64)
        v3(x, SS(0x5a), f.d, f.d, f.d);
    slow_if_nan(&f);
}
/* The result is looked at as an integer: NaN or the smallest normal. */
static void single_to_half(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, K_SS);
    uint32_t stub;

    v3i(x, INSERTPS, T, f.a, f.a, 0x0e);
    v2i(x, M3A(0x1d), T, f.d, 4); /* vcvtps2ph d, T by MXCSR */
    x64_movq_rx(&x->a, 4, X_SCRATCH, f.d);
    x64_alu_ri(&x->a, ALU_AND, 4, X_SCRATCH, 0x7fff);
    x64_alu_ri(&x->a, ALU_CMP, 4, X_SCRATCH, 0x0400);
    stub = slow_from(&f, CC_E);
    x64_alu_ri(&x->a, ALU_CMP, 4, X_SCRATCH, 0x7c00);
    x_slow_also(x, CC_A, stub);
    x_slow_back(x, stub);
}
void emit_fcvt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned from = x->ir->ops[op->arg[0]].type;
    struct fpop f;

    if (from == IR_F16 && x->a.f.f16c) {
        half_to_single(x, op, v);
    } else if (op->type == IR_F16 && from == IR_F32 && x->a.f.f16c) {
        single_to_half(x, op, v);
    } else if (from == IR_F32 && op->type == IR_F64) {
        f = begin(x, op, v, K_SD);
        v3(x, SS(0x5a), f.d, f.a, f.a);
        slow_if_nan(&f);
    } else if (from == IR_F64 && op->type == IR_F32 && !(op->imm & 1)) {
        f = begin(x, op, v, K_SS);
        v3(x, SD(0x5a), f.d, f.a, f.a);
        slow_if_nan_or_tiny(&f);
    } else {
        emit_eval(x, op, v);
    }
}

void emit_vfcvtl(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->lane == 1 && !x->a.f.f16c) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, packed_kind(op->lane + 1));
    v2(x, op->lane == 1 ? M38(0x13) : PS(0x5a), f.d, f.a);
    slow_if_nan(&f);
}
void emit_vfcvtn(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;
    unsigned t;

    if (op->imm & 1 || (op->lane == 1 && !x->a.f.f16c)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, K_PS);
    if (op->lane == 2) {
        v2(x, PD(0x5a), f.d, f.a);
        slow_if_nan_or_tiny(&f);
        return;
    }
    t = rv_temp(x);
    v2i(x, M3A(0x1d), f.a, f.d, 4);
    v3m(x, PAND, T, f.d, splat(x, 1, 0x7fff));
    v3m(x, PCMPEQW, t, T, splat(x, 1, 0x0400));
    v3m(x, PCMPGTW, T, T, splat(x, 1, 0x7c00));
    v3(x, POR, T, T, t);
    v2(x, PTEST, T, T);
    slow(&f, CC_NE);
}

/* --- To integers --- */

/* The host's rounding immediate for a direction; ties away is not among them. */
static bool host_rounding(unsigned r, unsigned *mode)
{
    static const uint8_t modes[8] = {[FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3,
                                     [IR_ROUND_CURRENT] = ROUND_MXCSR};

    *mode = modes[r];
    return r <= FP_RZ || r == IR_ROUND_CURRENT;
}

/*
 * Saturation must not raise inexact: so unless the host's own conversion (towards zero, to a signed
 * integer of that width) is what is wanted, round quietly, convert, look, and only then raise it by
 * rounding once more.
 */
void emit_f2i(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned type = x->ir->ops[op->arg[0]].type, mode, s, g;
    bool uns = IR_F2I_UNSIGNED(op->imm), quiet;
    uint32_t w = op->type == IR_I64 || uns ? VX_W : 0, stub = 0;
    struct fpop f;

    if (type == IR_F16 || IR_F2I_FBITS(op->imm) || !host_rounding(IR_F2I_ROUNDING(op->imm), &mode)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(type));
    g = f.dst;
    quiet = uns || mode != ROUND_ZERO;
    s = f.a;
    if (uns && op->type == IR_I64) { /* right, but more than the host's conversion can do */
        x64_vload(&x->a, T, splat_fp(x, f.k, 0x5f000000, 0x43e0000000000000));
        ucomis(x, f.k, T, f.a);
        stub = slow_from(&f, CC_BE);
    }
    if (quiet) {
        round_to(x, f.k, T, f.a, mode | ROUND_QUIET);
        s = T;
    }
    v2(x, insn(f.k, 0x2c) | w, g, s);
    if (!uns) {
        x64_alu_ri(&x->a, ALU_CMP, w ? 8 : 4, g, 1); /* overflows for the smallest integer alone */
        stub = slow_from(&f, CC_O);
    } else if (op->type == IR_I64) {
        x64_test_rr(&x->a, 8, g, g);
        x_slow_also(x, CC_S, stub);
    } else {
        x64_mov_rr(&x->a, 8, X_SCRATCH, g);
        x64_shift_ri(&x->a, SH_SHR, 8, X_SCRATCH, 32);
        stub = slow_from(&f, CC_NE);
    }
    if (quiet)
        round_to(x, f.k, T, f.a, mode);
    x_slow_back(x, stub);
}

/* 64-bit lanes go through general registers. */
static void vf2i_d(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, K_PD);
    uint32_t stub;

    v2(x, insn(K_SD, 0x2c) | VX_W, X_SCRATCH, f.a);
    x64_alu_ri(&x->a, ALU_CMP, 8, X_SCRATCH, 1);
    stub = slow_from(&f, CC_O);
    x64_movq_xr(&x->a, 8, f.d, X_SCRATCH);
    if ((op->imm & 0xff) == 2) {
        vshift(x, PSHIFTQ, EXT_SRLDQ, T, f.a, 8);
        v2(x, insn(K_SD, 0x2c) | VX_W, X_SCRATCH, T);
        x64_alu_ri(&x->a, ALU_CMP, 8, X_SCRATCH, 1);
        x_slow_also(x, CC_O, stub);
        x64_v3i(&x->a, PINSRD | VX_W, f.d, f.d, X_SCRATCH, 1);
    }
    x_slow_back(x, stub);
}
void emit_vf2i(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    uint64_t imm = op->imm >> 8;
    unsigned mode, t, s;
    uint32_t stub;
    struct fpop f;

    if (!packed_ok(op) || IR_F2I_FBITS(imm) || IR_F2I_UNSIGNED(imm) ||
        !host_rounding(IR_F2I_ROUNDING(imm), &mode) || (op->lane == 3 && mode != ROUND_ZERO)) {
        emit_eval(x, op, v);
        return;
    }
    if (op->lane == 3) {
        vf2i_d(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    t = rv_temp(x);
    s = f.a;
    if (mode != ROUND_ZERO) {
        round_to(x, K_PS, t, f.a, mode | ROUND_QUIET);
        s = t;
    }
    v2(x, SS(0x5b), f.d, s); /* cvttps2dq */
    v3m(x, PCMPEQD, t, f.d, splat(x, 2, 0x80000000));
    test_any(x, t);
    stub = slow_from(&f, CC_NE);
    if (mode != ROUND_ZERO)
        round_to(x, K_PS, t, f.a, mode);
    x_slow_back(x, stub);
}

/* --- From integers --- */

void emit_i2f(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned from = x->ir->ops[op->arg[0]].type;
    bool uns = IR_F2I_UNSIGNED(op->imm), wide = from == IR_I64 || uns;
    uint32_t stub = 0;
    struct fpop f;

    if (op->type == IR_F16 || IR_F2I_FBITS(op->imm)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    if (uns && from == IR_I64) {
        x64_test_rr(&x->a, 8, f.src[0], f.src[0]);
        stub = slow_from(&f, CC_S);
    }
    vzero(x, f.d);
    x64_v3(&x->a, insn(f.k, 0x2a) | (wide ? VX_W : 0), f.d, f.d, f.src[0]);
    if (uns && from == IR_I64)
        x_slow_back(x, stub);
}

static void vi2f_d(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, K_PD);
    uint32_t vi = insn(K_SD, 0x2a) | VX_W;

    x64_movq_rx(&x->a, 8, X_SCRATCH, f.a);
    vzero(x, f.d);
    x64_v3(&x->a, vi, f.d, f.d, X_SCRATCH);
    if ((op->imm & 0xff) == 2) {
        x64_v2i(&x->a, PEXTRD | VX_W, f.a, X_SCRATCH, 1);
        vzero(x, T);
        x64_v3(&x->a, vi, T, T, X_SCRATCH);
        v3(x, PUNPCKLQDQ, f.d, f.d, T);
    }
}
/* Unsigned: both halves are exact, and so is the upper one times 2^16; the sum rounds once. */
void emit_vi2f(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    uint64_t imm = op->imm >> 8;
    bool uns = IR_F2I_UNSIGNED(imm);
    struct fpop f;

    if (!packed_ok(op) || IR_F2I_FBITS(imm) || (op->lane == 3 && uns)) {
        emit_eval(x, op, v);
        return;
    }
    if (op->lane == 3) {
        vi2f_d(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    if (!uns) {
        v2(x, PS(0x5b), f.d, f.a);
        return;
    }
    v3m(x, PAND, f.d, f.a, splat(x, 2, 0xffff));
    vshift(x, PSHIFTD, EXT_SRL, T, f.a, 16);
    v2(x, PS(0x5b), f.d, f.d);
    v2(x, PS(0x5b), T, T);
    v3m(x, insn(K_PS, MUL), T, T, splat(x, 2, 0x47800000));
    v3(x, insn(K_PS, ADD), f.d, f.d, T);
}

/* --- To integral --- */

/* Ties away from zero: truncate, and when half or more was lost (the difference is exact), go one
 * further.  Large numbers and NaNs go out of line. */
static void round_away(struct fpop *f)
{
    struct x64 *x = f->x;
    unsigned t = rv_temp(x);
    struct x64_mem big = splat_fp(x, f->k, 0x4b000000, 0x4330000000000000);
    uint32_t stub;

    if (is_scalar(f->k)) {
        v3m(x, ANDPS, t, f->a, abs_mask(x, f->k));
        x64_vload(&x->a, f->d, big);
        ucomis(x, f->k, f->d, t);
        stub = slow_from(f, CC_BE);
    } else {
        v3m(x, ANDPS, t, f->a, abs_mask(x, f->k));
        x64_v3mi(&x->a, insn(f->k, CMP), t, t, big, CMP_NLT_UQ);
        test_any(x, t);
        stub = slow_from(f, CC_NE);
    }
    round_to(x, f->k, f->d, f->a, ROUND_ZERO | ROUND_QUIET);
    v3(x, insn(f->k, SUB), t, f->a, f->d);
    v3m(x, ANDPS, t, t, abs_mask(x, f->k));
    x64_v3mi(&x->a, insn(f->k, CMP), t, t, splat_fp(x, f->k, 0x3f000000, 0x3fe0000000000000),
             CMP_NLT);
    v3m(x, ANDPS, t, t, splat_fp(x, f->k, 0x3f800000, 0x3ff0000000000000));
    v3m(x, ANDPS, T, f->a, sign_mask(x, f->k));
    v3(x, ORPS, t, t, T);
    v3(x, insn(f->k, ADD), f->d, f->d, t);
    x_slow_back(x, stub);
}

static void rint_finish(struct fpop *f, uint64_t imm)
{
    unsigned mode;

    if ((imm & 7) == FP_RA) {
        round_away(f);
        return;
    }
    host_rounding((unsigned)(imm & 7), &mode);
    round_to(f->x, f->k, f->d, f->a, imm & IR_RINT_EXACT ? mode : mode | ROUND_QUIET);
    slow_if_nan(f);
}
/* What is left to the evaluation function. */
static bool rint_ok(const struct x64 *x, uint64_t imm, bool packed)
{
    unsigned mode;

    if (imm & (IR_RINT_32 | IR_RINT_64))
        return false;
    if ((imm & 7) == FP_RA)
        return !(imm & IR_RINT_EXACT) && (!packed || x->a.f.avx);
    return host_rounding((unsigned)(imm & 7), &mode);
}
void emit_frint(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16 || !rint_ok(x, op->imm, false)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    rint_finish(&f, op->imm);
}
void emit_vfrint(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (!packed_ok(op) || !rint_ok(x, op->imm >> 8, true)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    if (f.a == T) { /* rounding away uses it */
        unsigned t = rv_temp(x);

        vmov(x, t, T);
        f.a = t;
    }
    rint_finish(&f, op->imm >> 8);
}
