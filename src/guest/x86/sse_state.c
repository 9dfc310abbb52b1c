/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions that load and store MXCSR and the vector and x87 state (SDM 2). */
#include "guest/x86/simd.h"

#include "base/fp_x86.h"
#include "cpu/fpmode.h"

static void raise_gp(struct cpu *cpu)
{
    cpu->stop = CPU_STOP_GUEST;
    cpu->detail = x86_detail(X86_STOP_EXCEPTION, X86_EXC_GP, 0, 0);
}

uint64_t x86_help_ldmxcsr(struct cpu *cpu, uint64_t v, uint64_t next, uint64_t c)
{
    uint32_t mode = cpu->mode;

    if (v & ~(uint64_t)MXCSR_ALL) {
        raise_gp(cpu);
        return 0;
    }
    x86_set_mxcsr(cpu, (uint32_t)v);
    if (cpu->mode != mode) {
        cpu->pc = next;
        cpu->stop = CPU_STOP_AGAIN;
    }
    return 0;
}

uint64_t x86_help_stmxcsr(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    return x86_get_mxcsr(cpu);
}

void tr_x86_ldmxcsr(struct x86_tr *t)
{
    ir_call(t->ir, X86_HELP_ldmxcsr, ir_conv(t->ir, IRO_zext, IR_I64, x86_read(t, 0)), x86_const64(t, t->next), IR_NONE);
}

void tr_x86_stmxcsr(struct x86_tr *t)
{
    ir_val v = ir_call(t->ir, X86_HELP_stmxcsr, IR_NONE, IR_NONE, IR_NONE);

    x86_write(t, 0, ir_conv(t->ir, IRO_trunc, IR_I32, v));
}

/* --- Unmasked exceptions (SDM 1, 11.5.2) --- */

uint64_t x86_help_fp_begin(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c)
{
    fpmode_gather(&cpu->fp);
    x86(cpu)->aux[0] = cpu->fp.flags;
    cpu->fp.flags = 0;
    return 0;
}

/* Those found before the result is computed keep the others from being found. */
uint64_t x86_help_fp_end(struct cpu *cpu, uint64_t len, uint64_t b, uint64_t c)
{
    struct x86_state *s = x86(cpu);
    uint32_t raised, first = MXCSR_IE | MXCSR_DE | MXCSR_ZE, unmasked;

    fpmode_gather(&cpu->fp);
    raised = mxcsr_of_fp_flags(cpu->fp.flags);
    unmasked = raised & ~(s->mxcsr >> MXCSR_MASK_SHIFT);
    if (unmasked & first)
        raised &= first;
    cpu->fp.flags = fp_flags_of_mxcsr(raised) | (uint32_t)s->aux[0];
    if (unmasked) {
        cpu->stop = CPU_STOP_GUEST;
        cpu->detail = x86_detail(X86_STOP_EXCEPTION, X86_EXC_XM, 0, (unsigned)len);
    }
    return 0;
}

void x86_fp_begin(struct x86_tr *t)
{
    if (t->mode & X86_MODE_FP_SLOW && !t->fp_asked)
        ir_call(t->ir, X86_HELP_fp_begin, IR_NONE, IR_NONE, IR_NONE);
    t->fp_asked = true;
}

void x86_fp_end(struct x86_tr *t)
{
    if (t->mode & X86_MODE_FP_SLOW && t->fp_asked)
        ir_call(t->ir, X86_HELP_fp_end, x86_const64(t, t->i->len), IR_NONE, IR_NONE);
    t->fp_asked = false;
}
