/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD permute, extract and table lookup.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD permute", "extract", "table lookup", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

static bool arrange(struct a64_tr *t, const struct a64_fields *f, struct simd *s)
{
    if (!simd_form(t, f, V_BHSD, s))
        return false;
    simd_operands(f, s);
    return true;
}

/* ZIP1, TRN1, TRN2: the low half of the result comes from low halves only. */
static void in_place(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    struct simd s;

    if (arrange(t, f, &s))
        simd_put(&s, f->d, simd_2(&s, op, s.n, s.m));
}

/* UZP1, UZP2: short vectors are first put together. */
static void unzip(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    struct simd s;

    if (!arrange(t, f, &s))
        return;
    if (!f->q)
        s.n = s.m = ir_v2(t->ir, IRO_vcat, 3, 0, s.n, s.m);
    simd_put(&s, f->d, simd_2(&s, op, s.n, s.m));
}

/* A short vector's upper half interleaved is the upper half of all its lanes interleaved. */
static void zip2(struct a64_tr *t, const struct a64_fields *f)
{
    struct simd s;

    if (!arrange(t, f, &s))
        return;
    if (f->q)
        a64_set_v(t, f->d, simd_2(&s, IRO_vzip2, s.n, s.m));
    else
        a64_set_v(t, f->d, ir_v1(t->ir, IRO_vhigh, 3, 0, simd_2(&s, IRO_vzip1, s.n, s.m)));
}

/* Table of l + 1 registers.  An index too large for one register gives 0 there, also after wrapping
 * below zero. */
static void table(struct a64_tr *t, const struct a64_fields *f, bool extend)
{
    struct ir *ir = t->ir;
    ir_val index = a64_v(t, f->m), v = ir_v2(ir, IRO_vtbl, 0, 0, a64_v(t, f->n), index);

    for (unsigned i = 1; i <= f->l; i++) {
        ir_val rest = ir_v2(ir, IRO_vsub, 0, 0, index, simd_dup(ir, 0, 16 * i));
        ir_val part = ir_v2(ir, IRO_vtbl, 0, 0, a64_v(t, (f->n + i) % 32), rest);
        v = ir_v2(ir, IRO_vor, 3, 0, v, part);
    }
    if (extend) {
        ir_val inside = ir_v2(ir, IRO_vcgtu, 0, 0, simd_dup(ir, 0, 16 * (f->l + 1)), index);
        v = ir_v3(ir, IRO_vbsl, 3, 0, inside, v, a64_v(t, f->d));
    }
    a64_set_v(t, f->d, f->q ? v : simd_low(ir, 3, v));
}

void tr_uzp1(struct a64_tr *t, const struct a64_fields *f)
{
    unzip(t, f, IRO_vuzp1);
}

void tr_trn1(struct a64_tr *t, const struct a64_fields *f)
{
    in_place(t, f, IRO_vtrn1);
}

void tr_zip1(struct a64_tr *t, const struct a64_fields *f)
{
    in_place(t, f, IRO_vzip1);
}

void tr_uzp2(struct a64_tr *t, const struct a64_fields *f)
{
    unzip(t, f, IRO_vuzp2);
}

void tr_trn2(struct a64_tr *t, const struct a64_fields *f)
{
    in_place(t, f, IRO_vtrn2);
}

void tr_zip2(struct a64_tr *t, const struct a64_fields *f)
{
    zip2(t, f);
}

void tr_ext(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val n = a64_v(t, f->n), m = a64_v(t, f->m);

    if (f->q) {
        a64_set_v(t, f->d, ir_v2(t->ir, IRO_vext, 0, f->i, n, m));
    } else if (f->i >= 8) {
        a64_undefined(t);
    } else {
        n = ir_v2(t->ir, IRO_vcat, 3, 0, n, m);
        a64_set_v(t, f->d, simd_low(t->ir, 3, ir_v2(t->ir, IRO_vext, 0, f->i, n, n)));
    }
}

void tr_tbl(struct a64_tr *t, const struct a64_fields *f)
{
    table(t, f, false);
}

void tr_tbx(struct a64_tr *t, const struct a64_fields *f)
{
    table(t, f, true);
}
