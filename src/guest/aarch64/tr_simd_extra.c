/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD three same extra: SQRDMLAH, dot products, complex numbers, FMLAL.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD three-register extension", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

/* Rotation field r of FCADD is 0 for 90, 1 for 270 degrees: n + rotate(m). */
static ir_val fcadd(const struct simd *s)
{
    uint64_t sign = 1ull << ((8u << s->lane) - 1), width = 8u << s->lane;
    bool neg_odd = s->shift;
    ir_val m, flip;

    if (s->lane == 3) {
        m = ir_v2(s->ir, IRO_vext, 3, 8, s->m, s->m);
        flip = ir_vconst(s->ir, neg_odd ? 0 : sign, neg_odd ? sign : 0);
    } else {
        m = ir_v1(s->ir, IRO_vrev, s->lane, s->lane + 1, s->m);
        flip = simd_dup(s->ir, s->lane + 1, neg_odd ? sign << width : sign);
    }
    return simd_2(s, IRO_vfadd, s->n, ir_v2(s->ir, IRO_vxor, 3, 0, m, flip));
}

static void complex(struct a64_tr *t, const struct a64_fields *f, simd_fn *fn)
{
    struct simd s;

    if (f->z == 0 || (f->z == 3 && !f->q) || (f->z == 1 && !a64_has(t, A64_FEAT_FP16))) {
        a64_undefined(t);
        return;
    }
    s = (struct simd){ .t = t, .ir = t->ir, .lane = f->z, .shift = f->r };
    s.lanes = (f->q ? 16u : 8u) >> s.lane;
    s.imm = s.lanes;
    simd_operands(f, &s);
    simd_put(&s, f->d, fn(&s));
}

/* The accumulator is s lanes; the bytes need no arrangement of their own. */
static void dot(struct a64_tr *t, const struct a64_fields *f,
                ir_val fn(struct a64_tr *t, ir_val d, ir_val n, ir_val m))
{
    ir_val v = fn(t, a64_v(t, f->d), a64_v(t, f->n), a64_v(t, f->m));

    a64_set_v(t, f->d, f->q ? v : simd_low(t->ir, 3, v));
}

static ir_val udot(struct a64_tr *t, ir_val d, ir_val n, ir_val m)
{
    return ir_v3(t->ir, IRO_vudot, 0, 0, d, n, m);
}

static ir_val sdot(struct a64_tr *t, ir_val d, ir_val n, ir_val m)
{
    return ir_v3(t->ir, IRO_vsdot, 0, 0, d, n, m);
}

/* Unsigned n times signed m: where n's top bit is set, sdot took it as n - 256. */
static ir_val usdot(struct a64_tr *t, ir_val d, ir_val n, ir_val m)
{
    ir_val top = ir_v1(t->ir, IRO_vsshri, 0, 7, n);
    ir_val lost = ir_v3(t->ir, IRO_vsdot, 0, 0, ir_vconst(t->ir, 0, 0),
                        ir_v2(t->ir, IRO_vand, 3, 0, m, top), simd_dup(t->ir, 0, 1));

    return ir_v2(t->ir, IRO_vadd, 2, 0, sdot(t, d, n, m), ir_v1(t->ir, IRO_vshli, 2, 8, lost));
}

/* d (2 x 2) += n (2 x 8) * transposed m (2 x 8): each product row is two partial dot products. */
static void mmla(struct a64_tr *t, const struct a64_fields *f,
                 ir_val fn(struct a64_tr *t, ir_val d, ir_val n, ir_val m))
{
    struct ir *ir = t->ir;
    ir_val n = a64_v(t, f->n), m = a64_v(t, f->m), zero = ir_vconst(ir, 0, 0);
    ir_val row0 = fn(t, zero, ir_v1(ir, IRO_vdupl, 3, 0, n), m);
    ir_val row1 = fn(t, zero, ir_v1(ir, IRO_vdupl, 3, 1, n), m);
    ir_val sum = ir_v2(ir, IRO_vadd, 2, 0, ir_v2(ir, IRO_vuzp1, 2, 0, row0, row1),
                       ir_v2(ir, IRO_vuzp2, 2, 0, row0, row1));

    a64_set_v(t, f->d, ir_v2(ir, IRO_vadd, 2, 0, a64_v(t, f->d), sum));
}

/* FMLAL, FMLSL: f16 products into f32; the "2" forms take the upper of the live f16 lanes. */
static void fmlal(struct a64_tr *t, const struct a64_fields *f, bool sub, bool upper, ir_val m)
{
    struct ir *ir = t->ir;
    ir_val n = a64_v(t, f->n);
    unsigned up = upper ? (f->q ? 8 : 4) : 0;

    if (up)
        n = ir_v2(ir, IRO_vext, 0, up, n, n);
    if (sub)
        n = ir_v1(ir, IRO_vfneg, 1, 8, n);
    a64_set_v(t, f->d, ir_v3(ir, IRO_vfmlal, 1, f->q ? 4 : 2, n, m, a64_v(t, f->d)));
}

static void fmlal_vec(struct a64_tr *t, const struct a64_fields *f, bool sub, bool upper)
{
    ir_val m = a64_v(t, f->m);

    if (upper)
        m = ir_v2(t->ir, IRO_vext, 0, f->q ? 8 : 4, m, m);
    fmlal(t, f, sub, upper, m);
}

/* Index H:L:M; the other factor is one of the first sixteen registers. */
static void fmlal_elem(struct a64_tr *t, const struct a64_fields *f, bool sub, bool upper)
{
    unsigned index = f->h << 2 | f->l << 1 | f->m >> 4;

    fmlal(t, f, sub, upper, ir_v1(t->ir, IRO_vdupl, 1, index, a64_v(t, f->m & 15)));
}

/* Element of four bytes, index H:L. */
static void dot_elem(struct a64_tr *t, const struct a64_fields *f,
                     ir_val fn(struct a64_tr *t, ir_val d, ir_val n, ir_val m), bool swap)
{
    ir_val m = ir_v1(t->ir, IRO_vdupl, 2, f->h << 1 | f->l, a64_v(t, f->m));
    ir_val n = a64_v(t, f->n), d = a64_v(t, f->d);
    ir_val v = swap ? fn(t, d, m, n) : fn(t, d, n, m);

    a64_set_v(t, f->d, f->q ? v : simd_low(t->ir, 3, v));
}

void tr_sqrdmlah_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_HS, simd_sqrdmlah);
}

void tr_sqrdmlah_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_HS, simd_sqrdmlah);
}

void tr_sqrdmlsh_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_HS, simd_sqrdmlsh);
}

void tr_sqrdmlsh_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_HS, simd_sqrdmlsh);
}

void tr_sdot_v(struct a64_tr *t, const struct a64_fields *f)
{
    dot(t, f, sdot);
}

void tr_udot_v(struct a64_tr *t, const struct a64_fields *f)
{
    dot(t, f, udot);
}

void tr_sdot_e(struct a64_tr *t, const struct a64_fields *f)
{
    dot_elem(t, f, sdot, false);
}

void tr_udot_e(struct a64_tr *t, const struct a64_fields *f)
{
    dot_elem(t, f, udot, false);
}

void tr_usdot_v(struct a64_tr *t, const struct a64_fields *f)
{
    dot(t, f, usdot);
}

void tr_usdot_e(struct a64_tr *t, const struct a64_fields *f)
{
    dot_elem(t, f, usdot, false);
}

void tr_sudot_e(struct a64_tr *t, const struct a64_fields *f)
{
    dot_elem(t, f, usdot, true);
}

void tr_smmla(struct a64_tr *t, const struct a64_fields *f)
{
    mmla(t, f, sdot);
}

void tr_ummla(struct a64_tr *t, const struct a64_fields *f)
{
    mmla(t, f, udot);
}

void tr_usmmla(struct a64_tr *t, const struct a64_fields *f)
{
    mmla(t, f, usdot);
}

void tr_fcmla_v(struct a64_tr *t, const struct a64_fields *f)
{
    complex(t, f, simd_fcmla);
}

void tr_fcadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    complex(t, f, fcadd);
}

void tr_fmlal_v(struct a64_tr *t, const struct a64_fields *f)
{
    fmlal_vec(t, f, false, false);
}

void tr_fmlal2_v(struct a64_tr *t, const struct a64_fields *f)
{
    fmlal_vec(t, f, false, true);
}

void tr_fmlal_e(struct a64_tr *t, const struct a64_fields *f)
{
    fmlal_elem(t, f, false, false);
}

void tr_fmlal2_e(struct a64_tr *t, const struct a64_fields *f)
{
    fmlal_elem(t, f, false, true);
}

void tr_fmlsl_v(struct a64_tr *t, const struct a64_fields *f)
{
    fmlal_vec(t, f, true, false);
}

void tr_fmlsl2_v(struct a64_tr *t, const struct a64_fields *f)
{
    fmlal_vec(t, f, true, true);
}

void tr_fmlsl_e(struct a64_tr *t, const struct a64_fields *f)
{
    fmlal_elem(t, f, true, false);
}

void tr_fmlsl2_e(struct a64_tr *t, const struct a64_fields *f)
{
    fmlal_elem(t, f, true, true);
}
