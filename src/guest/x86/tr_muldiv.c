/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Negation, multiplication, division and sign extension of the accumulator (SDM 2: NEG, NOT, MUL, IMUL, DIV, IDIV, MULX, CBW, CWD). */
#include "guest/x86/lift.h"

static ir_val trim(struct x86_tr *t, ir_val v, unsigned size)
{
    return size < 4 ? x86_zext(t, v, size, 4) : v;
}

void tr_x86_not(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);

    if (t->i->lock) {
        ir_atomic(t->ir, IRO_fxora, x86_type(size), ir_mem((unsigned)__builtin_ctz(size), false, IR_ACQ_REL),
                  x86_mem(t, size, true), ir_const(t->ir, x86_type(size), ~0ull), IR_NONE);
        return;
    }
    x86_write(t, 0, trim(t, ir_not(t->ir, x86_read(t, 0)), size));
}

void tr_x86_neg(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    ir_val a = x86_read(t, 0), zero = x86_const(t, size, 0), r = trim(t, ir_sub(t->ir, zero, a), size);

    if (t->i->lock) {
        struct x86_flags before = x86_keep_flags(t);
        ir_val done = x86_swap(t, a, r);

        x86_flags_sub(t, zero, a, r, size);
        x86_flags_if(t, done, &before);
        x86_goto_if(t, ir_not(t->ir, done), t->pc);
        return;
    }
    x86_write(t, 0, r);
    x86_flags_sub(t, zero, a, r, size);
}

/* --- Multiplication --- */

static ir_val to64(struct x86_tr *t, ir_val v, unsigned size, bool sign)
{
    return sign ? x86_sext(t, v, size, 8) : x86_zext(t, v, size, 8);
}

/* rDX:rAX becomes high:low; AX of bytes. */
static void set_pair(struct x86_tr *t, unsigned size, ir_val low, ir_val high)
{
    if (size == 1) {
        x86_set_reg(t, X86_AX, 2, ir_or(t->ir, low, ir_shift_imm(t->ir, IRO_shl, high, 8)));
        return;
    }
    x86_set_reg(t, X86_AX, size, low);
    x86_set_reg(t, X86_DX, size, high);
}

/* CF and OF tell that the high half matters; the others, which are undefined, follow the low half. */
static void multiply_flags(struct x86_tr *t, ir_val low, unsigned size, ir_val over)
{
    x86_flags_result(t, low, size);
    ir_set(t->ir, X86_CF, over);
    ir_set(t->ir, X86_OF, over);
}

struct product {
    ir_val low, high; /* of x86_type(size), zero-extended */
};

static struct product multiply(struct x86_tr *t, ir_val a, ir_val b, unsigned size, bool sign)
{
    struct ir *ir = t->ir;
    struct product p;

    if (size == 8) {
        p.high = ir_bin(ir, sign ? IRO_smulh : IRO_umulh, a, b); /* first: its code gives the low half, too */
        p.low = ir_bin(ir, IRO_mul, a, b);
    } else {
        ir_val wide = ir_bin(ir, IRO_mul, to64(t, a, size, sign), to64(t, b, size, sign));

        p.low = trim(t, ir_conv(ir, IRO_trunc, IR_I32, wide), size);
        p.high = trim(t, ir_conv(ir, IRO_trunc, IR_I32, ir_shift_imm(ir, IRO_shr, wide, 8 * size)), size);
    }
    return p;
}

/* Does the signed product not fit its low half? */
static ir_val signed_over(struct x86_tr *t, struct product p, unsigned size)
{
    struct ir *ir = t->ir;
    ir_val low = size < 4 ? x86_sext(t, p.low, size, 4) : p.low;
    ir_val sign = ir_shift_imm(ir, IRO_sar, low, size == 8 ? 63 : 31);

    return ir_cmp(ir, IRO_ne, p.high, trim(t, sign, size));
}

static void multiply_one(struct x86_tr *t, bool sign)
{
    unsigned size = x86_size(t, 0);
    ir_val b = x86_read(t, 0), a = x86_reg(t, X86_AX, size);
    struct product p = multiply(t, a, b, size, sign);

    set_pair(t, size, p.low, p.high);
    multiply_flags(t, p.low, size,
                   sign ? signed_over(t, p, size) : ir_cmp(t->ir, IRO_ne, p.high, x86_const(t, size, 0)));
}

void tr_x86_mul(struct x86_tr *t)
{
    multiply_one(t, false);
}

void tr_x86_imul1(struct x86_tr *t)
{
    multiply_one(t, true);
}

/* Of two operands, or of the second and an immediate.  Only the flags want the high half. */
void tr_x86_imul(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    bool three = t->i->n_ops == 3;
    ir_val b = x86_read(t, three ? 2 : 1), a = x86_read(t, three ? 1 : 0);
    struct product p = multiply(t, a, b, size, true);
    ir_val low = size == 4 ? ir_bin(t->ir, IRO_mul, a, b) : p.low;

    x86_write(t, 0, low);
    multiply_flags(t, low, size, signed_over(t, p, size));
}

void tr_x86_mulx(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);
    struct product p = multiply(t, x86_reg(t, X86_DX, size), x86_read(t, 2), size, false);

    x86_write(t, 1, p.low);
    x86_write(t, 0, p.high);
}

/* --- Division --- */

static ir_val is_zero(struct x86_tr *t, ir_val v)
{
    return ir_cmp(t->ir, IRO_eq, v, ir_const(t->ir, ir_type_of(t->ir, v), 0));
}

static void set_quotient(struct x86_tr *t, unsigned size, ir_val q, ir_val r)
{
    set_pair(t, size, q, r);
}

/* Does @high only repeat the sign of @low, as CDQ makes it, or is it zero? */
static bool extends(struct x86_tr *t, ir_val high, ir_val low, bool sign)
{
    const struct ir_op *h = &t->ir->ops[ir_root(t->ir, high.id)];
    uint64_t k;

    if (!sign)
        return ir_const_of(t->ir, ir_root(t->ir, high.id), &k) && !k;
    return h->op == IRO_sar && h->arg[0] == low.id && ir_const_of(t->ir, h->arg[1], &k) && k == ir_bits(h->type) - 1u;
}

/* Both halves of the dividend say the same: a division of their width. */
static void divide_narrow(struct x86_tr *t, unsigned size, ir_val a, ir_val b, bool sign)
{
    struct ir *ir = t->ir;
    enum ir_type type = x86_type(size);
    ir_val q;

    x86_check(t, is_zero(t, b), X86_EXC_DE, 0);
    if (sign) {
        ir_val least = ir_cmp(ir, IRO_eq, a, ir_const(ir, type, 1ull << (8 * size - 1)));

        x86_check(t, ir_and(ir, least, ir_cmp(ir, IRO_eq, b, ir_const(ir, type, ~0ull))), X86_EXC_DE, 0);
    }
    q = ir_bin(ir, sign ? IRO_sdiv : IRO_udiv, a, b);
    set_quotient(t, size, q, ir_sub(ir, a, ir_bin(ir, IRO_mul, q, b)));
}

/* Up to 64 bits by up to 32. */
static void divide_wide(struct x86_tr *t, unsigned size, ir_val b, bool sign)
{
    struct ir *ir = t->ir;
    ir_val low = to64(t, x86_reg(t, X86_AX, size == 1 ? 2 : size), size == 1 ? 2 : size, false), a = low, d, q, back, r;

    if (size > 1) {
        ir_val high = to64(t, x86_reg(t, X86_DX, size), size, sign);

        a = ir_or(ir, ir_shift_imm(ir, IRO_shl, high, 8 * size), low);
    } else if (sign) {
        a = x86_sext(t, low, 2, 8);
    }
    d = to64(t, b, size, sign);
    x86_check(t, is_zero(t, b), X86_EXC_DE, 0);
    q = ir_bin(ir, sign ? IRO_sdiv : IRO_udiv, a, d);
    back = to64(t, q, size, sign);
    x86_check(t, ir_cmp(ir, IRO_ne, back, q), X86_EXC_DE, 0);
    r = ir_sub(ir, a, ir_bin(ir, IRO_mul, q, d));
    set_quotient(t, size, trim(t, ir_conv(ir, IRO_trunc, IR_I32, q), size), trim(t, ir_conv(ir, IRO_trunc, IR_I32, r), size));
}

uint64_t x86_help_div128(struct cpu *cpu, uint64_t low, uint64_t high, uint64_t d)
{
    return d > high ? (uint64_t)(((unsigned __int128)high << 64 | low) / d) : 0;
}

/* The quotient, cut to 64 bits, and whether that loses something. */
static uint64_t signed_quotient(uint64_t low, uint64_t high, uint64_t d, bool *bad)
{
    __int128 a = (__int128)((unsigned __int128)high << 64 | low), q;

    *bad = !d || (d == ~0ull && high == 1ull << 63 && !low);
    if (*bad)
        return 0;
    q = a / (int64_t)d;
    *bad = q != (int64_t)q;
    return (uint64_t)q;
}

uint64_t x86_help_idiv128(struct cpu *cpu, uint64_t low, uint64_t high, uint64_t d)
{
    bool bad;

    return signed_quotient(low, high, d, &bad);
}

uint64_t x86_help_idiv128_bad(struct cpu *cpu, uint64_t low, uint64_t high, uint64_t d)
{
    bool bad;

    signed_quotient(low, high, d, &bad);
    return bad;
}

static void divide128(struct x86_tr *t, ir_val low, ir_val high, ir_val d, bool sign)
{
    struct ir *ir = t->ir;
    ir_val q;

    if (sign)
        x86_check(t, x86_bit_of(t, ir_call(ir, X86_HELP_idiv128_bad, low, high, d), 0), X86_EXC_DE, 0);
    else
        x86_check(t, ir_cmp(ir, IRO_ule, d, high), X86_EXC_DE, 0);
    q = ir_call(ir, sign ? X86_HELP_idiv128 : X86_HELP_div128, low, high, d);
    set_quotient(t, 8, q, ir_sub(ir, low, ir_bin(ir, IRO_mul, q, d)));
}

/* Flags are undefined: they stay. */
static void divide(struct x86_tr *t, bool sign)
{
    unsigned size = x86_size(t, 0);
    ir_val b = x86_read(t, 0);

    if (size >= 4) {
        ir_val low = x86_reg(t, X86_AX, size), high = x86_reg(t, X86_DX, size);

        if (extends(t, high, low, sign))
            divide_narrow(t, size, low, b, sign);
        else if (size == 8)
            divide128(t, low, high, b, sign);
        else
            divide_wide(t, size, b, sign);
    } else {
        divide_wide(t, size, b, sign);
    }
}

void tr_x86_div(struct x86_tr *t)
{
    divide(t, false);
}

void tr_x86_idiv(struct x86_tr *t)
{
    divide(t, true);
}

/* --- CBW, CWDE, CDQE; CWD, CDQ, CQO --- */

void tr_x86_cbw(struct x86_tr *t)
{
    unsigned size = t->i->op_size, half = size / 2;

    x86_set_reg(t, X86_AX, size, x86_sext(t, x86_reg(t, X86_AX, half), half, size));
}

void tr_x86_cwd(struct x86_tr *t)
{
    unsigned size = t->i->op_size;
    ir_val a = x86_reg(t, X86_AX, size);

    if (size == 2)
        a = x86_sext(t, a, 2, 4);
    x86_set_reg(t, X86_DX, size, ir_shift_imm(t->ir, IRO_sar, a, size == 8 ? 63 : 31));
}
