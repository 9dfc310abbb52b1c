/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Branches, calls, interrupts of software (SDM 2: Jcc, JMP, CALL, RET, INT n, SYSCALL, UD2). */
#include "guest/x86/lift.h"

void tr_x86_jcc(struct x86_tr *t)
{
    x86_goto_if(t, x86_cond(t, t->i->opcode & 15), (uint64_t)t->i->imm);
}

void tr_x86_jmp(struct x86_tr *t)
{
    x86_goto(t, (uint64_t)t->i->imm);
}

static ir_val target(struct x86_tr *t)
{
    ir_val v = x86_read(t, 0);

    return x86_size(t, 0) == 8 ? v : ir_conv(t->ir, IRO_zext, IR_I64, v);
}

void tr_x86_jmp_ind(struct x86_tr *t)
{
    x86_goto_ind(t, target(t), IR_EXIT_JUMP, 0);
}

static void push_return(struct x86_tr *t)
{
    unsigned size = t->i->op_size;
    ir_val ip = x86_ip(t, t->next, size);

    x86_push(t, size, size == 8 ? ip : ir_conv(t->ir, IRO_trunc, IR_I32, ip));
}

void tr_x86_call(struct x86_tr *t)
{
    push_return(t);
    x86_goto_call(t, (uint64_t)t->i->imm);
}

void tr_x86_call_ind(struct x86_tr *t)
{
    ir_val to = target(t);

    push_return(t);
    x86_goto_ind(t, to, IR_EXIT_CALL, t->next);
}

void tr_x86_ret(struct x86_tr *t)
{
    unsigned size = t->i->op_size;
    ir_val to = x86_peek(t, size, 0);

    x86_set_sp(t, x86_sp(t, (int64_t)size + (t->i->n_ops ? t->i->imm : 0)));
    x86_goto_ind(t, size == 8 ? to : ir_conv(t->ir, IRO_zext, IR_I64, to), IR_EXIT_RET, 0);
}

void tr_x86_int3(struct x86_tr *t)
{
    if (x86_is_system(t))
        x86_stop(t, X86_STOP_INT, X86_EXC_BP);
    else
        ir_trap(t->ir, CPU_STOP_BREAKPOINT, 0, t->pc);
}

void tr_x86_int(struct x86_tr *t)
{
    unsigned vector = (unsigned)t->i->imm & 255;

    if (!x86_is_system(t) && vector == 0x80)
        ir_trap(t->ir, CPU_STOP_SYSCALL, X86_SYSCALL_INT80, t->next);
    else
        x86_stop(t, X86_STOP_INT, vector);
}

/* RCX and R11 hold the return address and flags when the kernel is left again. */
void tr_x86_syscall(struct x86_tr *t)
{
    ir_set(t->ir, X86_R0 + X86_CX, x86_const64(t, t->next));
    ir_set(t->ir, X86_R0 + 11, ir_conv(t->ir, IRO_zext, IR_I64, x86_eflags(t)));
    ir_trap(t->ir, CPU_STOP_SYSCALL, X86_SYSCALL_SYSCALL, t->next);
}

/* INTO leaves as a trap would, but only when OF is set. */
void tr_x86_into(struct x86_tr *t)
{
    ir_check(t->ir, ir_get(t->ir, X86_OF), CPU_STOP_GUEST, x86_detail(X86_STOP_INT, X86_EXC_OF, 0, t->i->len));
}

void tr_x86_int1(struct x86_tr *t)
{
    x86_stop(t, X86_STOP_INT, X86_EXC_DB);
}

/* --- Loops: the counter has the width of addresses --- */

static ir_val counter(struct x86_tr *t)
{
    return x86_zext(t, ir_get(t->ir, X86_R0 + X86_CX), t->i->addr_size, 8);
}

static ir_val count_down(struct x86_tr *t)
{
    ir_val n = x86_zext(t, ir_add_imm(t->ir, counter(t), -1), t->i->addr_size, 8);

    x86_set_reg(t, X86_CX, t->i->addr_size, n);
    return ir_cmp(t->ir, IRO_ne, n, x86_const64(t, 0));
}

void tr_x86_loop(struct x86_tr *t)
{
    x86_goto_if(t, count_down(t), (uint64_t)t->i->imm);
}

void tr_x86_loope(struct x86_tr *t)
{
    ir_val more = count_down(t);

    x86_goto_if(t, ir_and(t->ir, more, ir_get(t->ir, X86_ZF)), (uint64_t)t->i->imm);
}

void tr_x86_loopne(struct x86_tr *t)
{
    ir_val more = count_down(t);

    x86_goto_if(t, ir_and(t->ir, more, ir_not(t->ir, ir_get(t->ir, X86_ZF))), (uint64_t)t->i->imm);
}

void tr_x86_jcxz(struct x86_tr *t)
{
    x86_goto_if(t, ir_cmp(t->ir, IRO_eq, counter(t), x86_const64(t, 0)), (uint64_t)t->i->imm);
}

void tr_x86_ud(struct x86_tr *t)
{
    x86_undefined(t);
}
