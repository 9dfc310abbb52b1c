/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MMX registers: the low eight bytes of the x87 registers, by number (SDM 1, 9.2 and 9.5). */
#include "guest/x86/simd.h"

/* Every MMX instruction but EMMS makes all registers valid and TOP 0; a written one gets an exponent of ones. */
uint64_t x86_help_mmx_get(struct cpu *cpu, uint64_t reg, uint64_t b, uint64_t c)
{
    return x86(cpu)->fpr[reg & 7].mantissa;
}

uint64_t x86_help_mmx_used(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    x86(cpu)->ftop = 0;
    x86(cpu)->ftag = 0xff;
    return 0;
}

uint64_t x86_help_mmx_set(struct cpu *cpu, uint64_t reg, uint64_t v, uint64_t c)
{
    x86(cpu)->fpr[reg & 7].mantissa = v;
    x86(cpu)->fpr[reg & 7].exponent = 0xffff;
    return x86_help_mmx_used(cpu, 0, 0, 0);
}

uint64_t x86_help_emms(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    x86(cpu)->ftop = 0;
    x86(cpu)->ftag = 0;
    return 0;
}

ir_val x86_mmx_get(struct x86_tr *t, unsigned reg)
{
    ir_val v = ir_call(t->ir, X86_HELP_mmx_get, x86_const64(t, reg), IR_NONE, IR_NONE);

    return ir_conv(t->ir, IRO_vfromi, IR_V128, v);
}

void x86_mmx_set(struct x86_tr *t, unsigned reg, ir_val v)
{
    ir_call(t->ir, X86_HELP_mmx_set, x86_const64(t, reg), ir_op(t->ir, IRO_vget, IR_I64, 3, 0, v, IR_NONE, IR_NONE), IR_NONE);
}

void x86_mmx_used(struct x86_tr *t)
{
    ir_call(t->ir, X86_HELP_mmx_used, IR_NONE, IR_NONE, IR_NONE);
}

/* Operand @n, if it is an MMX register, has been read. */
static void mmx_read(struct x86_tr *t, unsigned n)
{
    if (t->i->op[n].kind == X86_OP_MM)
        x86_mmx_used(t);
}

void tr_x86_emms(struct x86_tr *t)
{
    ir_call(t->ir, X86_HELP_emms, IR_NONE, IR_NONE, IR_NONE);
}

/* --- Conversions --- */

static ir_val convert(struct x86_tr *t, unsigned sse, ir_val a)
{
    x86_fp_begin(t);
    return ir_v1(t->ir, IRO_xf1, 0, sse_imm(sse, 0), a);
}

/* Two floats into the low half; the high half stays. */
void tr_x86_cvtpi2ps(struct x86_tr *t)
{
    ir_val r = convert(t, SSE_cvtdq2ps, x86_vec(t, 1, 0));

    mmx_read(t, 1);
    x86_result1(t, ir_v2(t->ir, IRO_vmov, 3, 0, x86_vec(t, 0, 0), r));
}

void tr_x86_cvtpi2pd(struct x86_tr *t)
{
    ir_val r = convert(t, SSE_cvtdq2pd, x86_vec(t, 1, 0));

    mmx_read(t, 1);
    x86_result1(t, r);
}

/* Floats beyond the low half are not looked at. */
static void to_two(struct x86_tr *t, unsigned sse, bool singles)
{
    ir_val a = x86_vec(t, 1, 0);

    x86_result1(t, convert(t, sse, singles ? ir_v1(t->ir, IRO_vlow, 3, 0, a) : a));
}

void tr_x86_cvttps2pi(struct x86_tr *t)
{
    to_two(t, SSE_cvttps2dq, true);
}

void tr_x86_cvtps2pi(struct x86_tr *t)
{
    to_two(t, SSE_cvtps2dq, true);
}

void tr_x86_cvttpd2pi(struct x86_tr *t)
{
    to_two(t, SSE_cvttpd2dq, false);
}

void tr_x86_cvtpd2pi(struct x86_tr *t)
{
    to_two(t, SSE_cvtpd2dq, false);
}
