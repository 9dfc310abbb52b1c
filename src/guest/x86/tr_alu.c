/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer arithmetic and logic (SDM 2: ADD, OR, ADC, SBB, AND, SUB, XOR, CMP, TEST, INC, DEC). */
#include "guest/x86/lift.h"

/* An operation whose result replaces operand 0; with LOCK, @atomic gives the old value. */
struct both {
    ir_val a, b, r; /* operands, result */
};

static ir_val top(struct x86_tr *t, ir_val v, unsigned size)
{
    return size < 4 ? ir_shift_imm(t->ir, IRO_shl, v, 32 - 8 * size) : v;
}

static ir_val trim(struct x86_tr *t, ir_val v, unsigned size)
{
    return size < 4 ? x86_zext(t, v, size, 4) : v;
}

static struct both apply(struct x86_tr *t, enum ir_opcode op, enum ir_opcode atomic, ir_val b, ir_val atomic_b)
{
    unsigned size = x86_size(t, 0);
    struct both v = {.b = b};

    if (t->i->lock) {
        v.a = ir_atomic(t->ir, atomic, x86_type(size), ir_mem((unsigned)__builtin_ctz(size), false, IR_ACQ_REL),
                        x86_mem(t, size, true), atomic_b, IR_NONE);
        v.r = trim(t, ir_bin(t->ir, op, v.a, b), size);
        return v;
    }
    v.a = x86_read(t, 0);
    v.r = trim(t, ir_bin(t->ir, op, v.a, b), size);
    x86_write(t, 0, v.r);
    return v;
}

void tr_x86_add(struct x86_tr *t)
{
    ir_val b = x86_read(t, 1);
    struct both v = apply(t, IRO_add, IRO_fadda, b, b);

    x86_flags_add(t, v.a, v.b, v.r, x86_size(t, 0));
}

void tr_x86_sub(struct x86_tr *t)
{
    ir_val b = x86_read(t, 1);
    struct both v = apply(t, IRO_sub, IRO_fadda, b, t->i->lock ? ir_un(t->ir, IRO_neg, b) : b);

    x86_flags_sub(t, v.a, v.b, v.r, x86_size(t, 0));
}

static void logic(struct x86_tr *t, enum ir_opcode op, enum ir_opcode atomic)
{
    ir_val b = x86_read(t, 1);
    struct both v = apply(t, op, atomic, b, b);

    x86_flags_logic(t, v.r, x86_size(t, 0));
}

void tr_x86_or(struct x86_tr *t)
{
    logic(t, IRO_or, IRO_fora);
}

void tr_x86_and(struct x86_tr *t)
{
    logic(t, IRO_and, IRO_fanda);
}

void tr_x86_xor(struct x86_tr *t)
{
    logic(t, IRO_xor, IRO_fxora);
}

void tr_x86_cmp(struct x86_tr *t)
{
    ir_val b = x86_read(t, 1), a = x86_read(t, 0);
    unsigned size = x86_size(t, 0);

    x86_flags_sub(t, a, b, ir_sub(t->ir, a, b), size);
}

void tr_x86_test(struct x86_tr *t)
{
    ir_val b = x86_read(t, 1), a = x86_read(t, 0);

    x86_flags_logic(t, ir_and(t->ir, a, b), x86_size(t, 0));
}

/* INC and DEC leave CF alone. */
static void step(struct x86_tr *t, enum ir_opcode op)
{
    unsigned size = x86_size(t, 0);
    ir_val cf = ir_get(t->ir, X86_CF), one = x86_const(t, size, 1);
    struct both v = apply(t, op, IRO_fadda, one, op == IRO_add ? one : ir_const(t->ir, x86_type(size), ~0ull));

    if (op == IRO_add)
        x86_flags_add(t, v.a, one, v.r, size);
    else
        x86_flags_sub(t, v.a, one, v.r, size);
    ir_set(t->ir, X86_CF, cf);
}

void tr_x86_inc(struct x86_tr *t)
{
    step(t, IRO_add);
}

void tr_x86_dec(struct x86_tr *t)
{
    step(t, IRO_sub);
}

struct carry {
    ir_val a, b, r, carry, over;
};

static void carry_flags(struct x86_tr *t, const struct carry *f)
{
    x86_flags_result(t, f->r, x86_size(t, 0));
    ir_set(t->ir, X86_AF, x86_zext(t, ir_xor(t->ir, f->a, f->b), 1, 4));
    ir_set(t->ir, X86_CF, f->carry);
    ir_set(t->ir, X86_OF, f->over);
}

/* Compare and swap; when somebody else was faster, the instruction again. */
static void with_carry_locked(struct x86_tr *t, const struct carry *f)
{
    struct x86_flags before = x86_keep_flags(t);
    ir_val done = x86_swap(t, f->a, f->r);

    carry_flags(t, f);
    x86_flags_if(t, done, &before);
    x86_goto_if(t, ir_not(t->ir, done), t->pc);
}

/* Carry in and out.  Of narrow operands the carry is a bit of the wide sum. */
static void with_carry(struct x86_tr *t, bool subtract)
{
    struct ir *ir = t->ir;
    unsigned size = x86_size(t, 0);
    ir_val b = x86_read(t, 1), a = x86_read(t, 0), c = ir_get(ir, X86_CF), cin, r, carry, over, used = b;
    struct carry f;

    cin = subtract ? ir_not(ir, c) : c;
    if (subtract)
        used = ir_not(ir, b);
    r = trim(t, ir_op(ir, IRO_adc, x86_type(size), 0, 0, a, used, cin), size);
    over = ir_and(ir, ir_xor(ir, a, r), ir_xor(ir, subtract ? ir_not(ir, b) : b, r));
    over = ir_cmp(ir, IRO_slt, top(t, over, size), ir_const(ir, x86_type(size), 0));
    if (size >= 4) {
        carry = ir_op(ir, IRO_adc_c, IR_I1, 0, 0, a, used, cin);
        carry = subtract ? ir_not(ir, carry) : carry;
    } else { /* the bit above; of a difference it is the borrow */
        ir_val wide = ir_op(ir, IRO_adc, IR_I32, 0, 0, a, used, cin);

        carry = ir_cmp(ir, IRO_ne, ir_and_imm(ir, wide, 1ull << 8 * size), ir_const(ir, IR_I32, 0));
    }
    f = (struct carry){a, b, r, carry, over};
    if (t->i->lock) {
        with_carry_locked(t, &f);
        return;
    }
    x86_write(t, 0, r);
    carry_flags(t, &f);
}

void tr_x86_adc(struct x86_tr *t)
{
    with_carry(t, false);
}

void tr_x86_sbb(struct x86_tr *t)
{
    with_carry(t, true);
}
