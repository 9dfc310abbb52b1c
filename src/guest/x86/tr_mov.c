/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moves and the stack (SDM 2: MOV, MOVZX, MOVSX, LEA, PUSH, POP). */
#include "guest/x86/lift.h"

void tr_x86_mov(struct x86_tr *t)
{
    x86_write(t, 0, x86_read(t, 1));
}

void tr_x86_movzx(struct x86_tr *t)
{
    x86_write(t, 0, x86_zext(t, x86_read(t, 1), x86_size(t, 1), x86_size(t, 0)));
}

void tr_x86_movsx(struct x86_tr *t)
{
    x86_write(t, 0, x86_sext(t, x86_read(t, 1), x86_size(t, 1), x86_size(t, 0)));
}

void tr_x86_lea(struct x86_tr *t)
{
    const struct x86_ea *ea = &t->i->ea;
    ir_val v;

    if (x86_size(t, 0) == 4 && t->i->addr_size >= 4 && ea->base != X86_NO_REG) { /* sums of 32 bits are enough */
        v = x86_reg(t, ea->base, 4);
        if (ea->index != X86_NO_REG)
            v = ir_add(t->ir, v, ir_shift_imm(t->ir, IRO_shl, x86_reg(t, ea->index, 4), ea->scale));
        x86_write(t, 0, ir_add_imm(t->ir, v, ea->disp));
        return;
    }
    v = x86_ea(t);
    x86_write(t, 0, x86_size(t, 0) == 8 ? v : ir_conv(t->ir, IRO_trunc, IR_I32, v));
}

void tr_x86_push(struct x86_tr *t)
{
    unsigned size = t->i->op_size;

    x86_push(t, size, t->i->op[0].kind == X86_OP_IMM ? x86_const(t, size, (uint64_t)t->i->imm) : x86_read(t, 0));
}

/* A memory operand's address is made with the stack pointer already moved: what it writes is written before the pointer is. */
void tr_x86_pop(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val v = x86_peek(t, size, 0), old = ir_get(t->ir, X86_R0 + X86_SP), sp = x86_sp(t, size);

    if (x86_is_mem(t, 0)) {
        ir_val at;

        ir_set(t->ir, X86_R0 + X86_SP, sp);
        at = x86_mem(t, size, true);
        ir_set(t->ir, X86_R0 + X86_SP, old);
        x86_store(t, at, size, v);
        x86_set_sp(t, sp);
        return;
    }
    x86_set_sp(t, sp);
    x86_write(t, 0, v);
}
