/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD vector and scalar x indexed element.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD vector x indexed element", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

/*
 * The element: h lanes: index H:L:M of V0..V15; s lanes: H:L; d lanes: H (L must be 0).  Field m is
 * M:Rm.
 */
static bool element(struct a64_tr *t, const struct a64_fields *f, struct simd *s)
{
    unsigned reg = f->m, index;

    if (s->lane == 1) {
        index = f->h << 2 | f->l << 1 | f->m >> 4;
        reg &= 15;
    } else if (s->lane == 2) {
        index = f->h << 1 | f->l;
    } else {
        index = f->h;
        if (f->l) {
            a64_undefined(t);
            return false;
        }
    }
    s->d = a64_v(t, f->d);
    s->n = a64_v(t, f->n);
    s->m = ir_v1(t->ir, IRO_vdupl, s->lane, index, a64_v(t, reg));
    return true;
}

static void elem(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, simd_fn *fn,
                 enum ir_opcode op)
{
    struct simd s;

    if (!simd_form(t, f, form, &s) || !element(t, f, &s))
        return;
    s.op = op;
    simd_put(&s, f->d, fn(&s));
}

/* Vn narrow, from its upper half in the "2" forms; Vd wide. */
static void elem_long(struct a64_tr *t, const struct a64_fields *f, enum simd_form form,
                      simd_fn *fn, enum ir_opcode op)
{
    struct simd s;

    if (!simd_form(t, f, form, &s) || !element(t, f, &s))
        return;
    s.op = op;
    if (form & SIMD_SCALAR) {
        a64_set_v(t, f->d, simd_low(t->ir, s.lane + 1, fn(&s)));
        return;
    }
    s.lanes = 8u >> s.lane;
    if (f->q)
        s.n = ir_v1(t->ir, IRO_vhigh, 3, 0, s.n);
    a64_set_v(t, f->d, fn(&s));
}

/* The element is a pair of lanes: h lanes: index H:L (H must be 0 in short vectors); s lanes: H. */
static void fcmla(struct a64_tr *t, const struct a64_fields *f)
{
    struct simd s = { .t = t, .ir = t->ir, .lane = f->z, .shift = f->r };
    unsigned index = f->z == 1 ? f->h << 1 | f->l : f->h;

    if ((f->z == 1 && ((f->h && !f->q) || !a64_has(t, A64_FEAT_FP16))) ||
        (f->z == 2 && (f->l || !f->q)) || f->z == 0 || f->z == 3) {
        a64_undefined(t);
        return;
    }
    s.lanes = (f->q ? 16u : 8u) >> s.lane;
    s.imm = s.lanes;
    s.d = a64_v(t, f->d);
    s.n = a64_v(t, f->n);
    s.m = ir_v1(t->ir, IRO_vdupl, s.lane + 1, index, a64_v(t, f->m));
    simd_put(&s, f->d, simd_fcmla(&s));
}

void tr_mla_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, V_HS, simd_mla, 0);
}

void tr_mls_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, V_HS, simd_mls, 0);
}

void tr_mul_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, V_HS, simd_fn_bin, IRO_vmul);
}

void tr_sqdmulh_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, V_HS, simd_sqdmulh, 0);
}

void tr_sqdmulh_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, S_HS, simd_sqdmulh, 0);
}

void tr_sqrdmulh_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, V_HS, simd_sqrdmulh, 0);
}

void tr_sqrdmulh_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, S_HS, simd_sqrdmulh, 0);
}

void tr_sqrdmlah_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, V_HS, simd_sqrdmlah, 0);
}

void tr_sqrdmlah_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, S_HS, simd_sqrdmlah, 0);
}

void tr_sqrdmlsh_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, V_HS, simd_sqrdmlsh, 0);
}

void tr_sqrdmlsh_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, S_HS, simd_sqrdmlsh, 0);
}

void tr_smlal_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_mlal, IRO_vsmull);
}

void tr_smlsl_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_mlsl, IRO_vsmull);
}

void tr_smull_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_mull, IRO_vsmull);
}

void tr_umlal_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_mlal, IRO_vumull);
}

void tr_umlsl_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_mlsl, IRO_vumull);
}

void tr_umull_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_mull, IRO_vumull);
}

void tr_sqdmlal_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_sqdmlal, 0);
}

void tr_sqdmlal_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, S_HS, simd_sqdmlal, 0);
}

void tr_sqdmlsl_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_sqdmlsl, 0);
}

void tr_sqdmlsl_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, S_HS, simd_sqdmlsl, 0);
}

void tr_sqdmull_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, V_HS, simd_sqdmull, 0);
}

void tr_sqdmull_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem_long(t, f, S_HS, simd_sqdmull, 0);
}

void tr_fmla_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPV, simd_fmla, 0);
}

void tr_fmla_eh(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPVH, simd_fmla, 0);
}

void tr_fmla_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPS, simd_fmla, 0);
}

void tr_fmla_esh(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPSH, simd_fmla, 0);
}

void tr_fmls_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPV, simd_fmls, 0);
}

void tr_fmls_eh(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPVH, simd_fmls, 0);
}

void tr_fmls_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPS, simd_fmls, 0);
}

void tr_fmls_esh(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPSH, simd_fmls, 0);
}

void tr_fmul_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPV, simd_fn_bin, IRO_vfmul);
}

void tr_fmul_eh(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPVH, simd_fn_bin, IRO_vfmul);
}

void tr_fmul_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPS, simd_fn_bin, IRO_vfmul);
}

void tr_fmul_esh(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPSH, simd_fn_bin, IRO_vfmul);
}

void tr_fmulx_e(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPV, simd_fn_bin, IRO_vfmulx);
}

void tr_fmulx_eh(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPVH, simd_fn_bin, IRO_vfmulx);
}

void tr_fmulx_es(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPS, simd_fn_bin, IRO_vfmulx);
}

void tr_fmulx_esh(struct a64_tr *t, const struct a64_fields *f)
{
    elem(t, f, FPSH, simd_fn_bin, IRO_vfmulx);
}

void tr_fcmla_e(struct a64_tr *t, const struct a64_fields *f)
{
    fcmla(t, f);
}
