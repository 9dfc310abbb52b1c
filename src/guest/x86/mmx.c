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
