/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A64 data processing with an immediate (Arm ARM DDI 0487, C4.1.86). */
#include "guest/aarch64/lift.h"

void tr_adr(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r(t, f->d, a64_const(t, t->pc + a64_sext(f->i << 2 | f->j, 21)));
}

void tr_adrp(struct a64_tr *t, const struct a64_fields *f)
{
    int64_t pages = a64_sext(f->i << 2 | f->j, 21);

    a64_set_r(t, f->d, a64_const(t, (t->pc & ~0xfffull) + pages * 4096));
}

static uint64_t shifted_imm(const struct a64_fields *f)
{
    return (uint64_t)f->i << (f->h ? 12 : 0);
}

void tr_add_imm(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r_sp(t, f->d, ir_add_imm(t->ir, a64_r_sp(t, f->s, f->n), shifted_imm(f)));
}

void tr_sub_imm(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_r_sp(t, f->d, ir_add_imm(t->ir, a64_r_sp(t, f->s, f->n), -(int64_t)shifted_imm(f)));
}

void tr_adds_imm(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val a = a64_r_sp(t, f->s, f->n);
    ir_val b = ir_const(t->ir, ir_type_of(t->ir, a), shifted_imm(f));
    ir_val sum = ir_add(t->ir, a, b);

    a64_set_r(t, f->d, sum);
    a64_add_flags(t, a, b, sum);
}

void tr_subs_imm(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val a = a64_r_sp(t, f->s, f->n);
    ir_val b = ir_const(t->ir, ir_type_of(t->ir, a), shifted_imm(f));
    ir_val diff = ir_sub(t->ir, a, b);

    a64_set_r(t, f->d, diff);
    a64_sub_flags(t, a, b, diff);
}

/* CSSC: a < b ? a : b, or the other way round. */
static void min_max_imm(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode less, bool max,
                        uint64_t imm)
{
    ir_val a = a64_r(t, f->s, f->n);
    ir_val b = ir_const(t->ir, ir_type_of(t->ir, a), imm);

    a64_set_r(t, f->d, ir_select(t->ir, ir_cmp(t->ir, less, a, b), max ? b : a, max ? a : b));
}

void tr_smax_imm(struct a64_tr *t, const struct a64_fields *f)
{
    min_max_imm(t, f, IRO_slt, true, a64_sext(f->i, 8));
}

void tr_umax_imm(struct a64_tr *t, const struct a64_fields *f)
{
    min_max_imm(t, f, IRO_ult, true, f->i);
}

void tr_smin_imm(struct a64_tr *t, const struct a64_fields *f)
{
    min_max_imm(t, f, IRO_slt, false, a64_sext(f->i, 8));
}

void tr_umin_imm(struct a64_tr *t, const struct a64_fields *f)
{
    min_max_imm(t, f, IRO_ult, false, f->i);
}

/* Rd (SP for all but ANDS) := Rn op bitmask immediate. */
static void logic_imm(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op, bool flags)
{
    uint64_t imm;
    ir_val a, r;

    if (!a64_bitmask(f->s, f->b, f->i, f->r, &imm)) {
        a64_undefined(t);
        return;
    }
    a = a64_r(t, f->s, f->n);
    r = ir_bin(t->ir, op, a, ir_const(t->ir, ir_type_of(t->ir, a), imm));
    if (flags) {
        a64_set_r(t, f->d, r);
        a64_set_flags_logic(t, r);
    } else {
        a64_set_r_sp(t, f->d, r);
    }
}

void tr_and_imm(struct a64_tr *t, const struct a64_fields *f)
{
    logic_imm(t, f, IRO_and, false);
}

void tr_orr_imm(struct a64_tr *t, const struct a64_fields *f)
{
    logic_imm(t, f, IRO_or, false);
}

void tr_eor_imm(struct a64_tr *t, const struct a64_fields *f)
{
    logic_imm(t, f, IRO_xor, false);
}

void tr_ands_imm(struct a64_tr *t, const struct a64_fields *f)
{
    logic_imm(t, f, IRO_and, true);
}

static bool bad_move_wide(struct a64_tr *t, const struct a64_fields *f)
{
    if (f->s || f->h < 2)
        return false;
    a64_undefined(t);
    return true;
}

void tr_movn(struct a64_tr *t, const struct a64_fields *f)
{
    uint64_t v = ~((uint64_t)f->i << 16 * f->h);

    if (!bad_move_wide(t, f))
        a64_set_r(t, f->d, a64_const(t, f->s ? v : (uint32_t)v));
}

void tr_movz(struct a64_tr *t, const struct a64_fields *f)
{
    if (!bad_move_wide(t, f))
        a64_set_r(t, f->d, a64_const(t, (uint64_t)f->i << 16 * f->h));
}

void tr_movk(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v;

    if (bad_move_wide(t, f))
        return;
    v = a64_r(t, f->s, f->d);
    v = ir_and_imm(t->ir, v, ~(0xffffull << 16 * f->h));
    v = ir_or(t->ir, v, ir_const(t->ir, ir_type_of(t->ir, v), (uint64_t)f->i << 16 * f->h));
    a64_set_r(t, f->d, v);
}

/* Bit field moves: N must equal sf, and the 32-bit forms have five-bit positions. */
static bool bad_bitfield(struct a64_tr *t, const struct a64_fields *f)
{
    if (f->b == f->s && (f->s || (f->r < 32 && f->i < 32)))
        return false;
    a64_undefined(t);
    return true;
}

static uint64_t ones(unsigned n)
{
    return n >= 64 ? ~0ull : (1ull << n) - 1;
}

/*
 * r <= s: bits r..s go down to bit 0; else bits 0..s go up to bit width - r.  The field is first
 * shifted to the top and then down, which extends it either way; whole bytes are plain extensions.
 */
static void bitfield(struct a64_tr *t, const struct a64_fields *f, bool sign)
{
    unsigned width = f->s ? 64 : 32, r = f->r, s = f->i;
    ir_val v;

    if (bad_bitfield(t, f))
        return;
    v = a64_r(t, f->s, f->n);
    if (r == 0 && (s == 7 || s == 15 || s == 31)) {
        v = a64_extend_from(t, v, s + 1, sign);
    } else if (!sign && s >= r && s < width - 1) {
        v = ir_and_imm(t->ir, a64_shifted(t, v, A64_LSR, r), ones(s - r + 1));
    } else {
        v = a64_shifted(t, v, A64_LSL, width - 1 - s);
        v = a64_shifted(t, v, sign ? A64_ASR : A64_LSR, (width - 1 - s + r) & (width - 1));
    }
    a64_set_r(t, f->d, v);
}

void tr_sbfm(struct a64_tr *t, const struct a64_fields *f)
{
    /* Fields that go up (SBFIZ): the sign bit lands at s + width - r. */
    if (f->b == f->s && f->r > f->i && (f->s || f->r < 32)) {
        unsigned width = f->s ? 64 : 32;
        ir_val v = a64_shifted(t, a64_r(t, f->s, f->n), A64_LSL, width - 1 - f->i);

        a64_set_r(t, f->d, a64_shifted(t, v, A64_ASR, f->r - f->i - 1));
        return;
    }
    bitfield(t, f, true);
}

void tr_ubfm(struct a64_tr *t, const struct a64_fields *f)
{
    /* Fields that go up (UBFIZ, LSL). */
    if (f->b == f->s && f->r > f->i && (f->s || f->r < 32)) {
        unsigned width = f->s ? 64 : 32;
        ir_val v = a64_r(t, f->s, f->n);

        if (f->i + 1 != f->r) /* LSL needs no mask: the bits above fall out */
            v = ir_and_imm(t->ir, v, ones(f->i + 1));
        a64_set_r(t, f->d, a64_shifted(t, v, A64_LSL, width - f->r));
        return;
    }
    bitfield(t, f, false);
}

void tr_bfm(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned width = f->s ? 64 : 32;
    bool up = f->r > f->i;
    unsigned n, to;
    uint64_t mask;
    ir_val v, d;

    if (bad_bitfield(t, f))
        return;
    n = up ? f->i + 1 : f->i - f->r + 1;
    to = up ? width - f->r : 0;
    mask = ones(n) << to;
    v = a64_r(t, f->s, f->n);
    v = up ? a64_shifted(t, v, A64_LSL, to) : a64_shifted(t, v, A64_LSR, f->r);
    d = ir_and_imm(t->ir, a64_r(t, f->s, f->d), ~mask);
    a64_set_r(t, f->d, ir_or(t->ir, d, ir_and_imm(t->ir, v, mask)));
}

void tr_extr(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val a, b;

    if (f->b != f->s || (!f->s && f->i >= 32)) {
        a64_undefined(t);
        return;
    }
    a = a64_r(t, f->s, f->n);
    b = a64_r(t, f->s, f->m);
    if (f->n == f->m)
        b = a64_shifted(t, b, A64_ROR, f->i);
    else if (f->i)
        b = ir_op(t->ir, IRO_fsr, ir_type_of(t->ir, a), 0, f->i, a, b, IR_NONE);
    a64_set_r(t, f->d, b);
}
