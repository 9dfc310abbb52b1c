/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Conversions, comparisons into flags, and what changes the width of lanes (SDM 2). */
#include "guest/x86/simd.h"

static ir_val fp1(struct x86_tr *t, unsigned sse, unsigned imm8, ir_val a)
{
    x86_fp_begin(t);
    return ir_v1(t->ir, IRO_xf1, 0, sse_imm(sse, imm8), a);
}


/* --- To lanes twice as wide, or more: the second half of the result comes from @step bytes on --- */

static void widen(struct x86_tr *t, enum ir_opcode op, unsigned sse, unsigned step)
{
    ir_val a = x86_vec(t, 1, 0), r[2];

    if (op == IRO_xf1)
        x86_fp_begin(t);
    r[0] = ir_v1(t->ir, op, 0, sse_imm(sse, 0), a);
    if (x86_halves(t) == 2)
        r[1] = ir_v1(t->ir, op, 0, sse_imm(sse, 0), ir_v2(t->ir, IRO_vext, 0, step, a, x86_vzero(t)));
    x86_result(t, r);
}
#define WIDEN(name, op, step)                                                                                        \
    void tr_x86_##name(struct x86_tr *t)                                                                             \
    {                                                                                                                \
        widen(t, IRO_##op, SSE_##name, step);                                                                        \
    }
WIDEN(pmovsxbw, xv1, 8) WIDEN(pmovsxbd, xv1, 4) WIDEN(pmovsxbq, xv1, 2)
WIDEN(pmovsxwd, xv1, 8) WIDEN(pmovsxwq, xv1, 4) WIDEN(pmovsxdq, xv1, 8)
WIDEN(pmovzxbw, xv1, 8) WIDEN(pmovzxbd, xv1, 4) WIDEN(pmovzxbq, xv1, 2)
WIDEN(pmovzxwd, xv1, 8) WIDEN(pmovzxwq, xv1, 4) WIDEN(pmovzxdq, xv1, 8)
WIDEN(cvtps2pd, xf1, 8) WIDEN(cvtdq2pd, xf1, 8)

void tr_x86_cvtph2ps(struct x86_tr *t)
{
    widen(t, IRO_xf1, SSE_vcvtph2ps, 8);
}

/* --- To lanes half as wide --- */

static ir_val narrow(struct x86_tr *t, unsigned sse, unsigned imm8)
{
    bool two = x86_size(t, 1) == 32;
    ir_val a = x86_vec(t, 1, 0), b = two ? x86_vec(t, 1, 1) : IR_NONE, lo = fp1(t, sse, imm8, a);

    return two ? ir_v2(t->ir, IRO_vcat, 3, 0, lo, fp1(t, sse, imm8, b)) : lo;
}

void tr_x86_cvtpd2ps(struct x86_tr *t)
{
    x86_result1(t, narrow(t, SSE_cvtpd2ps, 0));
}

void tr_x86_cvtpd2dq(struct x86_tr *t)
{
    x86_result1(t, narrow(t, SSE_cvtpd2dq, 0));
}

void tr_x86_cvttpd2dq(struct x86_tr *t)
{
    x86_result1(t, narrow(t, SSE_cvttpd2dq, 0));
}

void tr_x86_cvtps2ph(struct x86_tr *t)
{
    ir_val r = narrow(t, SSE_vcvtps2ph, x86_imm8(t) & 7);

    x86_fp_end(t);
    if (x86_is_mem(t, 0))
        x86_set_vec(t, 0, 0, r);
    else
        x86_result1(t, r);
}

/* --- Scalars and general registers --- */

static void from_int(struct x86_tr *t, unsigned sse)
{
    unsigned n = x86_src2(t);
    ir_val b = x86_read(t, n);

    x86_fp_begin(t);
    x86_result1(t, ir_v2(t->ir, IRO_xifrom, 0, sse_imm(sse, x86_size(t, n)), x86_vec(t, x86_src1(t), 0), b));
}

void tr_x86_cvtsi2ss(struct x86_tr *t)
{
    from_int(t, SSE_cvtsi2ss);
}

void tr_x86_cvtsi2sd(struct x86_tr *t)
{
    from_int(t, SSE_cvtsi2sd);
}

static void to_int(struct x86_tr *t, unsigned sse)
{
    ir_val a = x86_scalar(t, 1), r;

    x86_fp_begin(t);
    r = ir_op(t->ir, IRO_xftoi, x86_type(x86_size(t, 0)), 0, sse_imm(sse, 0), a, IR_NONE, IR_NONE);
    x86_fp_end(t);
    x86_write(t, 0, r);
}

void tr_x86_cvtss2si(struct x86_tr *t)
{
    to_int(t, SSE_cvtss2si);
}

void tr_x86_cvttss2si(struct x86_tr *t)
{
    to_int(t, SSE_cvttss2si);
}

void tr_x86_cvtsd2si(struct x86_tr *t)
{
    to_int(t, SSE_cvtsd2si);
}

void tr_x86_cvttsd2si(struct x86_tr *t)
{
    to_int(t, SSE_cvttsd2si);
}

/* --- Comparisons: unordered sets ZF, PF and CF, less CF, equal ZF --- */

static void compare(struct x86_tr *t, enum ir_type type, bool signalling)
{
    struct ir *ir = t->ir;
    ir_val b = x86_float(t, 1, type), a = x86_float(t, 0, type), zero = ir_const(ir, IR_I1, 0);
    ir_val unordered, equal, not_below;

    x86_fp_begin(t);
    unordered = ir_op(ir, IRO_fun, IR_I1, 0, signalling, a, b, IR_NONE);
    equal = ir_op(ir, IRO_feq, IR_I1, 0, signalling, a, b, IR_NONE);
    not_below = ir_op(ir, IRO_fle, IR_I1, 0, signalling, b, a, IR_NONE);
    x86_fp_end(t);
    ir_set(ir, X86_CF, ir_not(ir, not_below));
    ir_set(ir, X86_ZF, ir_or(ir, equal, unordered));
    ir_set(ir, X86_PF, ir_select(ir, unordered, ir_const(ir, IR_I32, 0), ir_const(ir, IR_I32, 1)));
    ir_set(ir, X86_AF, ir_const(ir, IR_I32, 0));
    ir_set(ir, X86_SF, zero);
    ir_set(ir, X86_OF, zero);
}

void tr_x86_ucomiss(struct x86_tr *t)
{
    compare(t, IR_F32, false);
}

void tr_x86_ucomisd(struct x86_tr *t)
{
    compare(t, IR_F64, false);
}

void tr_x86_comiss(struct x86_tr *t)
{
    compare(t, IR_F32, true);
}

void tr_x86_comisd(struct x86_tr *t)
{
    compare(t, IR_F64, true);
}
