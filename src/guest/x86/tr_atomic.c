/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Exchanges, and what LOCK makes of instructions without a fetch operation (SDM 2: XCHG, XADD, CMPXCHG, CMPXCHG8B/16B; SDM 3A 9.1). */
#include "guest/x86/lift.h"

static uint64_t memop(unsigned size)
{
    return ir_mem((unsigned)__builtin_ctz(size), false, IR_ACQ_REL);
}

ir_val x86_swap(struct x86_tr *t, ir_val old, ir_val new)
{
    unsigned size = x86_size(t, 0);
    ir_val seen = ir_atomic(t->ir, IRO_cas, x86_type(size), memop(size), x86_mem(t, size, true), old, new);

    return ir_cmp(t->ir, IRO_eq, seen, old);
}

/* With memory it locks in any case.  90 is NOP, unless REX.B makes it R8. */
void tr_x86_xchg(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val a, b;

    if (t->i->opcode == 0x90 && !t->i->op[0].reg) {
        if (t->i->rep && (t->mode & X86_MODE_GUEST))
            ir_call(t->ir, X86_HELP_pause, IR_NONE, IR_NONE, IR_NONE);
        return;
    }
    b = x86_read(t, 1);
    if (x86_is_mem(t, 0)) {
        x86_write(t, 1, ir_atomic(t->ir, IRO_xchg, x86_type(size), memop(size), x86_mem(t, size, true), b, IR_NONE));
        return;
    }
    a = x86_read(t, 0);
    x86_write(t, 0, b);
    x86_write(t, 1, a);
}

void tr_x86_xadd(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val b = x86_read(t, 1), a, r;

    if (t->i->lock)
        a = ir_atomic(t->ir, IRO_fadda, x86_type(size), memop(size), x86_mem(t, size, true), b, IR_NONE);
    else
        a = x86_read(t, 0);
    r = ir_add(t->ir, a, b);
    if (size < 4)
        r = x86_zext(t, r, size, 4);
    if (x86_is_mem(t, 0)) {
        if (!t->i->lock)
            x86_write(t, 0, r);
        x86_write(t, 1, a);
    } else { /* the sum wins when both are one register */
        x86_write(t, 1, a);
        x86_write(t, 0, r);
    }
    x86_flags_add(t, a, b, r, size);
}

/* The whole of register operand @n. */
static ir_val whole(struct x86_tr *t, unsigned reg)
{
    return ir_get(t->ir, X86_R0 + reg);
}

/* Register @reg becomes @v of @size bytes, unless @keep. */
static void set_unless(struct x86_tr *t, ir_val keep, unsigned reg, unsigned size, ir_val v)
{
    ir_val before = whole(t, reg);

    x86_set_reg(t, reg, size, v);
    ir_set(t->ir, X86_R0 + reg, ir_select(t->ir, keep, before, whole(t, reg)));
}

/* Memory is written in any case: one compare and swap does that, as far as anybody can tell. */
void tr_x86_cmpxchg(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    unsigned size = x86_size(t, 0);
    ir_val b = x86_read(t, 1), a = x86_reg(t, X86_AX, size), old, same, r;

    if (x86_is_mem(t, 0))
        old = ir_atomic(ir, IRO_cas, x86_type(size), memop(size), x86_mem(t, size, true), a, b);
    else
        old = x86_read(t, 0);
    same = ir_cmp(ir, IRO_eq, a, old);
    if (t->i->op[0].kind == X86_OP_GPRH)
        x86_write(t, 0, ir_select(ir, same, b, old));
    else if (!x86_is_mem(t, 0))
        set_unless(t, ir_not(ir, same), t->i->op[0].reg, size, b);
    set_unless(t, same, X86_AX, size, old);
    r = ir_sub(ir, a, old);
    x86_flags_sub(t, a, old, size < 4 ? x86_zext(t, r, size, 4) : r, size);
}

static ir_val pair32(struct x86_tr *t, unsigned high, unsigned low)
{
    ir_val h = ir_shift_imm(t->ir, IRO_shl, whole(t, high), 32);

    return ir_or(t->ir, h, x86_zext(t, whole(t, low), 4, 8));
}

void tr_x86_cmpxchg8b(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    ir_val want = pair32(t, X86_DX, X86_AX), new = pair32(t, X86_CX, X86_BX);
    ir_val old = ir_atomic(ir, IRO_cas, IR_I64, memop(8), x86_mem(t, 8, true), want, new);
    ir_val same = ir_cmp(ir, IRO_eq, old, want);

    set_unless(t, same, X86_AX, 4, ir_conv(ir, IRO_trunc, IR_I32, old));
    set_unless(t, same, X86_DX, 4, ir_conv(ir, IRO_trunc, IR_I32, ir_shift_imm(ir, IRO_shr, old, 32)));
    x86_set_flag(t, X86_FL_ZF, same);
}

static ir_val vector(struct x86_tr *t, unsigned high, unsigned low)
{
    ir_val v = ir_conv(t->ir, IRO_vfromi, IR_V128, whole(t, low));

    return ir_v2(t->ir, IRO_vset, 3, 1, v, whole(t, high));
}

static ir_val lane(struct x86_tr *t, ir_val v, unsigned n)
{
    return ir_op(t->ir, IRO_vget, IR_I64, 3, n, v, IR_NONE, IR_NONE);
}

void tr_x86_cmpxchg16b(struct x86_tr *t)
{
    struct ir *ir = t->ir;
    ir_val at = x86_mem(t, 16, true), old, same, low, high;

    x86_check(t, ir_cmp(ir, IRO_ne, ir_and_imm(ir, at, 15), x86_const64(t, 0)), X86_EXC_GP, 0);
    old = ir_atomic(ir, IRO_cas, IR_V128, memop(16), at, vector(t, X86_DX, X86_AX), vector(t, X86_CX, X86_BX));
    low = lane(t, old, 0);
    high = lane(t, old, 1);
    same = ir_and(ir, ir_cmp(ir, IRO_eq, low, whole(t, X86_AX)), ir_cmp(ir, IRO_eq, high, whole(t, X86_DX)));
    ir_set(ir, X86_R0 + X86_AX, low);
    ir_set(ir, X86_R0 + X86_DX, high);
    x86_set_flag(t, X86_FL_ZF, same);
}
