/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD three different: operands and results of different widths.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD three different", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

/* s->op is vsxtl or vuxtl where it matters; wide operations have lane + 1. */
static ir_val wide(const struct simd *s, enum ir_opcode op, ir_val a, ir_val b)
{
    return ir_v2(s->ir, op, s->lane + 1, 0, a, b);
}

static ir_val addl(const struct simd *s)
{
    return wide(s, IRO_vadd, simd_1(s, s->op, s->n), simd_1(s, s->op, s->m));
}

static ir_val subl(const struct simd *s)
{
    return wide(s, IRO_vsub, simd_1(s, s->op, s->n), simd_1(s, s->op, s->m));
}

static ir_val abdl(const struct simd *s)
{
    return wide(s, IRO_vsabd, simd_1(s, s->op, s->n), simd_1(s, s->op, s->m));
}

static ir_val abal(const struct simd *s)
{
    return wide(s, IRO_vadd, s->d, abdl(s));
}

static ir_val upper(struct ir *ir, ir_val v)
{
    return ir_v1(ir, IRO_vhigh, 3, 0, v);
}

/* Vd wide; Vn and Vm narrow, from their upper halves in the "2" forms. */
static void longer(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, simd_fn *fn,
                   enum ir_opcode op)
{
    struct simd s;

    if (!simd_form(t, f, form, &s))
        return;
    s.op = op;
    simd_operands(f, &s);
    if (!(form & SIMD_SCALAR)) {
        s.lanes = 8u >> s.lane;
        if (f->q) {
            s.n = upper(t->ir, s.n);
            s.m = upper(t->ir, s.m);
        }
    }
    a64_set_v(t, f->d, s.lanes == 1 ? simd_low(t->ir, s.lane + 1, fn(&s)) : fn(&s));
}

/* Vd and Vn wide. */
static void wider(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode extend,
                  enum ir_opcode op)
{
    struct simd s;

    if (!simd_form(t, f, V_BHS, &s))
        return;
    simd_operands(f, &s);
    if (f->q)
        s.m = upper(t->ir, s.m);
    a64_set_v(t, f->d, wide(&s, op, s.n, simd_1(&s, extend, s.m)));
}

/* Vn and Vm wide; Vd the upper half of each sum or difference, perhaps rounded. */
static void high_narrow(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op, bool round)
{
    struct simd s;
    unsigned width;
    ir_val v;

    if (!simd_form(t, f, V_BHS, &s))
        return;
    width = 8u << s.lane;
    simd_operands(f, &s);
    v = wide(&s, op, s.n, s.m);
    if (round)
        v = wide(&s, IRO_vadd, v, simd_dup(t->ir, s.lane + 1, 1ull << (width - 1)));
    v = simd_shift(&s, IRO_vushri, s.lane + 1, v, width);
    simd_put_half(&s, f->d, f->q, simd_1(&s, IRO_vxtn, v));
}

static void pmull(struct a64_tr *t, const struct a64_fields *f, unsigned lane)
{
    ir_val n = a64_v(t, f->n), m = a64_v(t, f->m);

    if (f->q) {
        n = upper(t->ir, n);
        m = upper(t->ir, m);
    }
    a64_set_v(t, f->d, ir_v2(t->ir, IRO_vpmull, lane, 0, n, m));
}

void tr_saddl(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, addl, IRO_vsxtl);
}

void tr_saddw(struct a64_tr *t, const struct a64_fields *f)
{
    wider(t, f, IRO_vsxtl, IRO_vadd);
}

void tr_ssubl(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, subl, IRO_vsxtl);
}

void tr_ssubw(struct a64_tr *t, const struct a64_fields *f)
{
    wider(t, f, IRO_vsxtl, IRO_vsub);
}

void tr_addhn(struct a64_tr *t, const struct a64_fields *f)
{
    high_narrow(t, f, IRO_vadd, false);
}

void tr_sabal(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, abal, IRO_vsxtl);
}

void tr_subhn(struct a64_tr *t, const struct a64_fields *f)
{
    high_narrow(t, f, IRO_vsub, false);
}

void tr_sabdl(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, abdl, IRO_vsxtl);
}

void tr_smlal_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, simd_mlal, IRO_vsmull);
}

void tr_smlsl_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, simd_mlsl, IRO_vsmull);
}

void tr_smull_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, simd_mull, IRO_vsmull);
}

void tr_uaddl(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, addl, IRO_vuxtl);
}

void tr_uaddw(struct a64_tr *t, const struct a64_fields *f)
{
    wider(t, f, IRO_vuxtl, IRO_vadd);
}

void tr_usubl(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, subl, IRO_vuxtl);
}

void tr_usubw(struct a64_tr *t, const struct a64_fields *f)
{
    wider(t, f, IRO_vuxtl, IRO_vsub);
}

void tr_raddhn(struct a64_tr *t, const struct a64_fields *f)
{
    high_narrow(t, f, IRO_vadd, true);
}

void tr_uabal(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, abal, IRO_vuxtl);
}

void tr_rsubhn(struct a64_tr *t, const struct a64_fields *f)
{
    high_narrow(t, f, IRO_vsub, true);
}

void tr_uabdl(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, abdl, IRO_vuxtl);
}

void tr_umlal_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, simd_mlal, IRO_vumull);
}

void tr_umlsl_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, simd_mlsl, IRO_vumull);
}

void tr_umull_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_BHS, simd_mull, IRO_vumull);
}

void tr_sqdmlal_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_HS, simd_sqdmlal, 0);
}

void tr_sqdmlal_s(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, S_HS, simd_sqdmlal, 0);
}

void tr_sqdmlsl_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_HS, simd_sqdmlsl, 0);
}

void tr_sqdmlsl_s(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, S_HS, simd_sqdmlsl, 0);
}

void tr_sqdmull_v(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, V_HS, simd_sqdmull, 0);
}

void tr_sqdmull_s(struct a64_tr *t, const struct a64_fields *f)
{
    longer(t, f, S_HS, simd_sqdmull, 0);
}

void tr_pmull_b(struct a64_tr *t, const struct a64_fields *f)
{
    pmull(t, f, 0);
}

void tr_pmull_d(struct a64_tr *t, const struct a64_fields *f)
{
    pmull(t, f, 3);
}
