/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instructions that load and store MXCSR and the vector and x87 state (SDM 2). */
#include "guest/x86/simd.h"

#include "base/fp_x86.h"

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
