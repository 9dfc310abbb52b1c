/* SPDX-License-Identifier: GPL-2.0-or-later */
/* String instructions (SDM 2: MOVS, CMPS, SCAS, LODS, STOS, REP): once in line, repeated by the helpers of string.c. */
#include "guest/x86/string.h"

#include "guest/x86/lift.h"

static unsigned element(const struct x86_tr *t)
{
    return t->i->opcode & 1 ? t->i->op_size : 1;
}

static ir_val pointer(struct x86_tr *t, unsigned reg)
{
    return x86_zext(t, ir_get(t->ir, X86_R0 + reg), t->i->addr_size, 8);
}

static ir_val source(struct x86_tr *t)
{
    return x86_load(t, x86_linear(t, t->i->ea.seg, pointer(t, X86_SI), element(t), false), element(t));
}

static ir_val dest(struct x86_tr *t, bool write)
{
    return x86_linear(t, X86_ES, pointer(t, X86_DI), element(t), write);
}

static void advance(struct x86_tr *t, unsigned reg)
{
    unsigned log2 = (unsigned)__builtin_ctz(element(t));
    ir_val step = ir_get(t->ir, X86_DF);

    if (log2)
        step = ir_shift_imm(t->ir, IRO_shl, step, log2);
    x86_set_reg(t, reg, t->i->addr_size, ir_add(t->ir, pointer(t, reg), step));
}

/* True when the instruction is repeated: done. */
static bool repeat(struct x86_tr *t, enum x86_helper help)
{
    const struct x86_insn *i = t->i;
    ir_val how, again;

    if (!i->rep && !i->repne)
        return false;
    how = x86_const64(t, x86_string_how(element(t), i->addr_size, i->ea.seg, i->repne));
    again = ir_call(t->ir, help, how, IR_NONE, IR_NONE);
    x86_goto_if(t, ir_cmp(t->ir, IRO_ne, again, x86_const64(t, 0)), t->pc);
    return true;
}

void tr_x86_movs(struct x86_tr *t)
{
    if (repeat(t, X86_HELP_movs))
        return;
    x86_store(t, dest(t, true), element(t), source(t));
    advance(t, X86_SI);
    advance(t, X86_DI);
}

void tr_x86_stos(struct x86_tr *t)
{
    if (repeat(t, X86_HELP_stos))
        return;
    x86_store(t, dest(t, true), element(t), x86_reg(t, X86_AX, element(t)));
    advance(t, X86_DI);
}

void tr_x86_lods(struct x86_tr *t)
{
    ir_val v;

    if (repeat(t, X86_HELP_lods))
        return;
    v = source(t);
    advance(t, X86_SI);
    x86_set_reg(t, X86_AX, element(t), v);
}

static void compare(struct x86_tr *t, ir_val a, ir_val b)
{
    ir_val r = ir_sub(t->ir, a, b);

    x86_flags_sub(t, a, b, element(t) < 4 ? x86_zext(t, r, element(t), 4) : r, element(t));
}

void tr_x86_cmps(struct x86_tr *t)
{
    ir_val a, b;

    if (repeat(t, X86_HELP_cmps))
        return;
    a = source(t);
    b = x86_load(t, dest(t, false), element(t));
    advance(t, X86_SI);
    advance(t, X86_DI);
    compare(t, a, b);
}

void tr_x86_scas(struct x86_tr *t)
{
    ir_val b;

    if (repeat(t, X86_HELP_scas))
        return;
    b = x86_load(t, dest(t, false), element(t));
    advance(t, X86_DI);
    compare(t, x86_reg(t, X86_AX, element(t)), b);
}
