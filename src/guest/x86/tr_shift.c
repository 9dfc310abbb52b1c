/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shifts and rotates (SDM 2: SAL/SAR/SHL/SHR, RCL/RCR/ROL/ROR, SHLD, SHRD, SHLX and its kin, RORX). */
#include "guest/x86/lift.h"

/* What one of them works on. */
struct shift {
    unsigned size, bits;
    ir_val a, n; /* both of x86_type(size); n is masked */
    ir_val some; /* i1: n is not 0 */
    bool known;  /* it is not: flags that were are not looked at */
};

static ir_val con(struct x86_tr *t, const struct shift *s, uint64_t v)
{
    return ir_const(t->ir, x86_type(s->size), v);
}

/* The count is operand @n: an immediate, 1, or CL. */
static struct shift begin(struct x86_tr *t, unsigned n)
{
    struct shift s = {.size = x86_size(t, 0), .bits = 8 * x86_size(t, 0)};
    ir_val c = x86_read(t, n);
    uint64_t some;

    s.n = ir_and_imm(t->ir, c, s.size == 8 ? 63 : 31);
    if (s.size == 8)
        s.n = x86_zext(t, s.n, 4, 8);
    s.a = x86_read(t, 0);
    s.some = ir_cmp(t->ir, IRO_ne, s.n, con(t, &s, 0));
    s.known = ir_const_of(t->ir, s.some.id, &some) && some;
    return s;
}

static ir_val top_bit(struct x86_tr *t, const struct shift *s, ir_val v)
{
    return x86_bit_of(t, v, s->bits - 1);
}

static ir_val trim(struct x86_tr *t, const struct shift *s, ir_val v)
{
    return s->size < 4 ? x86_zext(t, v, s->size, 4) : v;
}

static void set_if_some(struct x86_tr *t, const struct shift *s, ir_val cf, ir_val of)
{
    if (!s->known) {
        cf = ir_select(t->ir, s->some, cf, ir_get(t->ir, X86_CF));
        of = ir_select(t->ir, s->some, of, ir_get(t->ir, X86_OF));
    }
    ir_set(t->ir, X86_CF, cf);
    ir_set(t->ir, X86_OF, of);
}

/* All flags of a shift whose result is @r; a count of 0 leaves them alone. */
static void shift_flags(struct x86_tr *t, const struct shift *s, ir_val r, ir_val cf, ir_val of)
{
    struct x86_flags old;

    if (!s->known)
        old = x86_keep_flags(t);
    x86_flags_result(t, r, s->size);
    ir_set(t->ir, X86_CF, cf);
    ir_set(t->ir, X86_OF, of);
    if (!s->known)
        x86_flags_if(t, s->some, &old);
}

/* The last bit that leaves at the top. */
static ir_val out_left(struct x86_tr *t, const struct shift *s)
{
    struct ir *ir = t->ir;

    if (s->size < 4)
        return x86_bit_of(t, ir_bin(ir, IRO_shl, s->a, s->n), s->bits);
    return x86_bit_of(t, ir_bin(ir, IRO_shr, s->a, ir_sub(ir, con(t, s, s->bits), s->n)), 0);
}

static ir_val out_right(struct x86_tr *t, const struct shift *s, enum ir_opcode op, ir_val a)
{
    return x86_bit_of(t, ir_bin(t->ir, op, a, ir_add_imm(t->ir, s->n, -1)), 0);
}

void tr_x86_shl(struct x86_tr *t)
{
    struct shift s = begin(t, 1);
    ir_val r = trim(t, &s, ir_bin(t->ir, IRO_shl, s.a, s.n)), cf = out_left(t, &s);

    x86_write(t, 0, r);
    shift_flags(t, &s, r, cf, ir_xor(t->ir, top_bit(t, &s, r), cf));
}

void tr_x86_shr(struct x86_tr *t)
{
    struct shift s = begin(t, 1);
    ir_val r = ir_bin(t->ir, IRO_shr, s.a, s.n), cf = out_right(t, &s, IRO_shr, s.a);

    x86_write(t, 0, r);
    shift_flags(t, &s, r, cf, top_bit(t, &s, s.a));
}

void tr_x86_sar(struct x86_tr *t)
{
    struct shift s = begin(t, 1);
    ir_val a = s.size < 4 ? x86_sext(t, s.a, s.size, 4) : s.a;
    ir_val r = trim(t, &s, ir_bin(t->ir, IRO_sar, a, s.n)), cf = out_right(t, &s, IRO_sar, a);

    x86_write(t, 0, r);
    shift_flags(t, &s, r, cf, x86_bit(t, 0));
}

/* --- Rotates: CF and OF only --- */

/* Narrow values are repeated until they fill their type. */
static ir_val repeated(struct x86_tr *t, const struct shift *s)
{
    if (s->size == 1)
        return ir_bin(t->ir, IRO_mul, s->a, con(t, s, 0x01010101));
    if (s->size == 2)
        return ir_or(t->ir, s->a, ir_shift_imm(t->ir, IRO_shl, s->a, 16));
    return s->a;
}

void tr_x86_rol(struct x86_tr *t)
{
    struct shift s = begin(t, 1);
    ir_val r = trim(t, &s, ir_bin(t->ir, IRO_ror, repeated(t, &s), ir_un(t->ir, IRO_neg, s.n))), cf = x86_bit_of(t, r, 0);

    x86_write(t, 0, r);
    set_if_some(t, &s, cf, ir_xor(t->ir, top_bit(t, &s, r), cf));
}

void tr_x86_ror(struct x86_tr *t)
{
    struct shift s = begin(t, 1);
    ir_val r = trim(t, &s, ir_bin(t->ir, IRO_ror, repeated(t, &s), s.n)), cf = top_bit(t, &s, r);

    x86_write(t, 0, r);
    set_if_some(t, &s, cf, ir_xor(t->ir, cf, x86_bit_of(t, r, s.bits - 2)));
}

/* Through CF: helpers, but for the count of 1. */

static uint64_t mask_of(unsigned size)
{
    return ~0ull >> (64 - 8 * size);
}

/* @how: count, size << 8; the CF that goes in << 16.  Both give their CF in the bit of that count, in x86_help_rcX_cf. */
static uint64_t rotate_left(uint64_t a, uint64_t how, unsigned *cf)
{
    unsigned size = how >> 8 & 255, n = (how & 255) % (8 * size + 1);

    *cf = how >> 16 & 1;
    while (n--) {
        unsigned out = a >> (8 * size - 1) & 1;

        a = (a << 1 | *cf) & mask_of(size);
        *cf = out;
    }
    return a;
}

static uint64_t rotate_right(uint64_t a, uint64_t how, unsigned *cf)
{
    unsigned size = how >> 8 & 255, n = (how & 255) % (8 * size + 1);

    *cf = how >> 16 & 1;
    while (n--) {
        unsigned out = a & 1;

        a = a >> 1 | (uint64_t)*cf << (8 * size - 1);
        *cf = out;
    }
    return a;
}

uint64_t x86_help_rcl(struct cpu *cpu, uint64_t a, uint64_t how, uint64_t c)
{
    unsigned cf;
    uint64_t r = rotate_left(a, how, &cf);

    return c ? cf : r;
}

uint64_t x86_help_rcr(struct cpu *cpu, uint64_t a, uint64_t how, uint64_t c)
{
    unsigned cf;
    uint64_t r = rotate_right(a, how, &cf);

    return c ? cf : r;
}

static ir_val to64(struct x86_tr *t, ir_val v)
{
    return ir_type_of(t->ir, v) == IR_I64 ? v : ir_conv(t->ir, IRO_zext, IR_I64, v);
}

static void through_carry(struct x86_tr *t, enum x86_helper help, ir_val *r, ir_val *cf, const struct shift *s)
{
    struct ir *ir = t->ir;
    ir_val how = ir_or(ir, to64(t, s->n), x86_const64(t, s->size << 8)), v;

    how = ir_or(ir, how, ir_shift_imm(ir, IRO_shl, to64(t, ir_get(t->ir, X86_CF)), 16));
    v = ir_call(ir, help, to64(t, s->a), how, x86_const64(t, 0));
    *cf = x86_bit_of(t, ir_call(ir, help, to64(t, s->a), how, x86_const64(t, 1)), 0);
    *r = s->size == 8 ? v : ir_conv(ir, IRO_trunc, IR_I32, v);
}

static bool by_one(struct x86_tr *t, const struct shift *s)
{
    uint64_t n;

    return ir_const_of(t->ir, s->n.id, &n) && n == 1;
}

/* CF as a value of the operand's type. */
static ir_val carry(struct x86_tr *t, const struct shift *s)
{
    return ir_conv(t->ir, IRO_zext, x86_type(s->size), ir_get(t->ir, X86_CF));
}

void tr_x86_rcl(struct x86_tr *t)
{
    struct shift s = begin(t, 1);
    ir_val r, cf;

    if (by_one(t, &s)) {
        r = trim(t, &s, ir_or(t->ir, ir_shift_imm(t->ir, IRO_shl, s.a, 1), carry(t, &s)));
        cf = top_bit(t, &s, s.a);
    } else {
        through_carry(t, X86_HELP_rcl, &r, &cf, &s);
    }
    x86_write(t, 0, r);
    set_if_some(t, &s, cf, ir_xor(t->ir, top_bit(t, &s, r), cf));
}

void tr_x86_rcr(struct x86_tr *t)
{
    struct shift s = begin(t, 1);
    ir_val r, cf;

    if (by_one(t, &s)) {
        r = ir_or(t->ir, ir_shift_imm(t->ir, IRO_shr, s.a, 1), ir_shift_imm(t->ir, IRO_shl, carry(t, &s), s.bits - 1));
        cf = x86_bit_of(t, s.a, 0);
    } else {
        through_carry(t, X86_HELP_rcr, &r, &cf, &s);
    }
    x86_write(t, 0, r);
    set_if_some(t, &s, cf, ir_xor(t->ir, top_bit(t, &s, r), x86_bit_of(t, r, s.bits - 2)));
}

/* --- Double shifts --- */

/* @b shifted the other way by what is left: nothing when n is 0. */
static ir_val rest(struct x86_tr *t, const struct shift *s, enum ir_opcode op, ir_val b)
{
    return ir_bin(t->ir, op, ir_shift_imm(t->ir, op, b, 1), ir_xor(t->ir, s->n, con(t, s, s->bits - 1)));
}

void tr_x86_shld(struct x86_tr *t)
{
    struct shift s = begin(t, 2);
    struct ir *ir = t->ir;
    ir_val b = x86_read(t, 1), r;

    if (s.size == 2) {
        r = ir_bin(ir, IRO_shl, ir_or(ir, ir_shift_imm(ir, IRO_shl, s.a, 16), b), s.n);
        r = ir_shift_imm(ir, IRO_shr, r, 16);
    } else {
        r = ir_or(ir, ir_bin(ir, IRO_shl, s.a, s.n), rest(t, &s, IRO_shr, b));
    }
    x86_write(t, 0, r);
    shift_flags(t, &s, r, out_left(t, &s), ir_xor(ir, top_bit(t, &s, r), top_bit(t, &s, s.a)));
}

void tr_x86_shrd(struct x86_tr *t)
{
    struct shift s = begin(t, 2);
    struct ir *ir = t->ir;
    ir_val b = x86_read(t, 1), r;

    if (s.size == 2) {
        r = ir_bin(ir, IRO_shr, ir_or(ir, ir_shift_imm(ir, IRO_shl, b, 16), s.a), s.n);
        r = trim(t, &s, r);
    } else {
        r = ir_or(ir, ir_bin(ir, IRO_shr, s.a, s.n), rest(t, &s, IRO_shl, b));
    }
    x86_write(t, 0, r);
    shift_flags(t, &s, r, out_right(t, &s, IRO_shr, s.a), ir_xor(ir, top_bit(t, &s, r), top_bit(t, &s, s.a)));
}

/* --- Without flags --- */

static void plain(struct x86_tr *t, enum ir_opcode op)
{
    ir_val a = x86_read(t, 1); /* IR counts modulo the width, too */

    x86_write(t, 0, ir_bin(t->ir, op, a, x86_read(t, 2)));
}

void tr_x86_shlx(struct x86_tr *t)
{
    plain(t, IRO_shl);
}

void tr_x86_shrx(struct x86_tr *t)
{
    plain(t, IRO_shr);
}

void tr_x86_sarx(struct x86_tr *t)
{
    plain(t, IRO_sar);
}

void tr_x86_rorx(struct x86_tr *t)
{
    unsigned bits = 8 * x86_size(t, 0);

    x86_write(t, 0, ir_shift_imm(t->ir, IRO_ror, x86_read(t, 1), (unsigned)t->i->imm & (bits - 1)));
}
