/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A64 BFloat16 instructions (FEAT_BF16; Arm ARM DDI 0487, C7.2 BFCVT to BFMMLA).  BFDOT and BFMMLA have
 * arithmetic of their own; BFMLALB and BFMLALT are fused f32 multiply-adds like any other. */
#include "guest/aarch64/simd_priv.h"

static ir_val rounded(struct a64_tr *t, const struct a64_fields *f, unsigned lanes)
{
    return ir_v1(t->ir, IRO_vbfcvtn, 1, lanes, a64_v(t, f->n));
}

void tr_bfcvt(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_v(t, f->d, rounded(t, f, 1));
}

void tr_bfcvtn(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = rounded(t, f, 4);

    a64_set_v(t, f->d, f->q ? ir_v2(t->ir, IRO_vzip1, 3, 0, a64_v(t, f->d), v) : v);
}

static void bfdot(struct a64_tr *t, const struct a64_fields *f, ir_val m)
{
    ir_val v = ir_v3(t->ir, IRO_vbfdot, 2, 0, a64_v(t, f->n), m, a64_v(t, f->d));

    a64_set_v(t, f->d, f->q ? v : simd_low(t->ir, 3, v));
}

void tr_bfdot_v(struct a64_tr *t, const struct a64_fields *f)
{
    bfdot(t, f, a64_v(t, f->m));
}

/* A pair of elements, index H:L. */
void tr_bfdot_e(struct a64_tr *t, const struct a64_fields *f)
{
    bfdot(t, f, ir_v1(t->ir, IRO_vdupl, 2, f->h << 1 | f->l, a64_v(t, f->m)));
}

void tr_bfmmla(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_v(t, f->d, ir_v3(t->ir, IRO_vbfmmla, 2, 0, a64_v(t, f->n), a64_v(t, f->m), a64_v(t, f->d)));
}

/* The even or (Q) the odd elements as f32: they are its upper half. */
static ir_val widened(struct a64_tr *t, const struct a64_fields *f, ir_val v)
{
    if (f->q)
        return ir_v2(t->ir, IRO_vand, 3, 0, v, simd_dup(t->ir, 2, 0xffff0000));
    return ir_v1(t->ir, IRO_vshli, 2, 16, v);
}

static void bfmlal(struct a64_tr *t, const struct a64_fields *f, ir_val m)
{
    ir_val n = widened(t, f, a64_v(t, f->n));

    a64_set_v(t, f->d, ir_v3(t->ir, IRO_vffma, 2, 4, n, widened(t, f, m), a64_v(t, f->d)));
}

void tr_bfmlal_v(struct a64_tr *t, const struct a64_fields *f)
{
    bfmlal(t, f, a64_v(t, f->m));
}

/* Index H:L:M; the other factor is one of the first sixteen registers. */
void tr_bfmlal_e(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned index = f->h << 2 | f->l << 1 | f->m >> 4;

    bfmlal(t, f, ir_v1(t->ir, IRO_vdupl, 1, index, a64_v(t, f->m & 15)));
}
