/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD modified immediate: MOVI, MVNI, ORR, BIC, FMOV.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD modified immediate", AdvSIMDExpandImm().
 */
#include "guest/aarch64/simd_priv.h"

static uint64_t each(unsigned lane, uint64_t v)
{
    for (; lane < 3; lane++)
        v |= v << (8u << lane);
    return v;
}

/* Every bit of the immediate becomes a byte. */
static uint64_t bytes_of_bits(unsigned imm8)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < 8; i++)
        if (imm8 >> i & 1)
            v |= 0xffull << (8 * i);
    return v;
}

static void set(struct a64_tr *t, const struct a64_fields *f, uint64_t v)
{
    a64_set_v(t, f->d, ir_vconst(t->ir, v, f->q ? v : 0));
}

/* ORR and BIC (o set). */
static void modify(struct a64_tr *t, const struct a64_fields *f, uint64_t v)
{
    ir_val d = ir_v2(t->ir, f->o ? IRO_vandn : IRO_vor, 3, 0, a64_v(t, f->d),
                     ir_vconst(t->ir, v, v));

    a64_set_v(t, f->d, f->q ? d : simd_low(t->ir, 3, d));
}

/* MOVI and MVNI (o set). */
static void move(struct a64_tr *t, const struct a64_fields *f, uint64_t v)
{
    set(t, f, f->o ? ~v : v);
}

void tr_movi_s(struct a64_tr *t, const struct a64_fields *f)
{
    move(t, f, each(2, (uint64_t)f->i << 8 * f->c));
}

void tr_orr_s_i(struct a64_tr *t, const struct a64_fields *f)
{
    modify(t, f, each(2, (uint64_t)f->i << 8 * f->c));
}

void tr_movi_h(struct a64_tr *t, const struct a64_fields *f)
{
    move(t, f, each(1, (uint64_t)f->i << 8 * f->c));
}

void tr_orr_h_i(struct a64_tr *t, const struct a64_fields *f)
{
    modify(t, f, each(1, (uint64_t)f->i << 8 * f->c));
}

void tr_movi_msl(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned n = 8 * (f->c + 1);

    move(t, f, each(2, (uint64_t)f->i << n | ((1u << n) - 1)));
}

void tr_movi_b(struct a64_tr *t, const struct a64_fields *f)
{
    set(t, f, f->o ? bytes_of_bits(f->i) : each(0, f->i));
}

void tr_fmov_v_i(struct a64_tr *t, const struct a64_fields *f)
{
    if (f->o && !f->q)
        a64_undefined(t);
    else
        set(t, f, f->o ? fp_imm(IR_F64, f->i) : each(2, fp_imm(IR_F32, f->i)));
}

void tr_fmov_vh_i(struct a64_tr *t, const struct a64_fields *f)
{
    set(t, f, each(1, fp_imm(IR_F16, f->i)));
}
