/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD across lanes and scalar pairwise: many lanes to one.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD across lanes", "scalar pairwise", C7.2, Reduce().
 */
#include "guest/aarch64/simd_priv.h"

static void across(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    struct simd s;

    if (!simd_form(t, f, V_BHS, &s))
        return;
    if (s.lanes == 2) { /* 2S is not allowed */
        a64_undefined(t);
        return;
    }
    a64_set_v(t, f->d, ir_v1(t->ir, op, s.lane, s.lanes, a64_v(t, f->n)));
}

/* Floating point: neighbours first, then neighbours of the results; order matters to NaNs. */
static void reduce(struct a64_tr *t, const struct a64_fields *f, unsigned lane, enum ir_opcode op)
{
    unsigned lanes = (f->q ? 16u : 8u) >> lane;
    ir_val v = a64_v(t, f->n);

    while (lanes >>= 1)
        v = ir_v2(t->ir, op, lane, lanes, ir_v2(t->ir, IRO_vuzp1, lane, 0, v, v),
                  ir_v2(t->ir, IRO_vuzp2, lane, 0, v, v));
    a64_set_v(t, f->d, v);
}

static void pair(struct a64_tr *t, const struct a64_fields *f, unsigned lane, enum ir_opcode op)
{
    ir_val n = a64_v(t, f->n);

    a64_set_v(t, f->d, ir_v2(t->ir, op, lane, 1, n, ir_v1(t->ir, IRO_vdupl, lane, 1, n)));
}

void tr_saddlv(struct a64_tr *t, const struct a64_fields *f)
{
    across(t, f, IRO_vsaddlv);
}

void tr_uaddlv(struct a64_tr *t, const struct a64_fields *f)
{
    across(t, f, IRO_vuaddlv);
}

void tr_smaxv(struct a64_tr *t, const struct a64_fields *f)
{
    across(t, f, IRO_vsmaxv);
}

void tr_umaxv(struct a64_tr *t, const struct a64_fields *f)
{
    across(t, f, IRO_vumaxv);
}

void tr_sminv(struct a64_tr *t, const struct a64_fields *f)
{
    across(t, f, IRO_vsminv);
}

void tr_uminv(struct a64_tr *t, const struct a64_fields *f)
{
    across(t, f, IRO_vuminv);
}

void tr_addv(struct a64_tr *t, const struct a64_fields *f)
{
    across(t, f, IRO_vaddv);
}

void tr_fmaxnmv(struct a64_tr *t, const struct a64_fields *f)
{
    reduce(t, &(struct a64_fields){ .d = f->d, .n = f->n, .q = 1 }, 2, IRO_vfmaxnm);
}

void tr_fmaxnmv_h(struct a64_tr *t, const struct a64_fields *f)
{
    reduce(t, f, 1, IRO_vfmaxnm);
}

void tr_fminnmv(struct a64_tr *t, const struct a64_fields *f)
{
    reduce(t, &(struct a64_fields){ .d = f->d, .n = f->n, .q = 1 }, 2, IRO_vfminnm);
}

void tr_fminnmv_h(struct a64_tr *t, const struct a64_fields *f)
{
    reduce(t, f, 1, IRO_vfminnm);
}

void tr_fmaxv(struct a64_tr *t, const struct a64_fields *f)
{
    reduce(t, &(struct a64_fields){ .d = f->d, .n = f->n, .q = 1 }, 2, IRO_vfmax);
}

void tr_fmaxv_h(struct a64_tr *t, const struct a64_fields *f)
{
    reduce(t, f, 1, IRO_vfmax);
}

void tr_fminv(struct a64_tr *t, const struct a64_fields *f)
{
    reduce(t, &(struct a64_fields){ .d = f->d, .n = f->n, .q = 1 }, 2, IRO_vfmin);
}

void tr_fminv_h(struct a64_tr *t, const struct a64_fields *f)
{
    reduce(t, f, 1, IRO_vfmin);
}

void tr_addp_s(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val n = a64_v(t, f->n);

    n = ir_v2(t->ir, IRO_vadd, 3, 0, n, ir_v1(t->ir, IRO_vdupl, 3, 1, n));
    a64_set_v(t, f->d, simd_low(t->ir, 3, n));
}

void tr_fmaxnmp_s(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 2 + f->z, IRO_vfmaxnm);
}

void tr_fmaxnmp_sh(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 1, IRO_vfmaxnm);
}

void tr_fminnmp_s(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 2 + f->z, IRO_vfminnm);
}

void tr_fminnmp_sh(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 1, IRO_vfminnm);
}

void tr_faddp_s(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 2 + f->z, IRO_vfadd);
}

void tr_faddp_sh(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 1, IRO_vfadd);
}

void tr_fmaxp_s(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 2 + f->z, IRO_vfmax);
}

void tr_fmaxp_sh(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 1, IRO_vfmax);
}

void tr_fminp_s(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 2 + f->z, IRO_vfmin);
}

void tr_fminp_sh(struct a64_tr *t, const struct a64_fields *f)
{
    pair(t, f, 1, IRO_vfmin);
}
