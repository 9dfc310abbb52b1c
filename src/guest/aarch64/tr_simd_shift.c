/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD shift by immediate: vector and scalar forms, narrowing, widening, fixed point.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD shift by immediate", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

enum way { LEFT, RIGHT };

/*
 * Field i is immh:immb: its highest set bit gives the lane (bit 3: b .. bit 6: d), the rest
 * the amount: left i - width, right 2 * width - i.
 */
static bool arrange(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, enum way way,
                    struct simd *s)
{
    struct a64_fields g = *f;
    unsigned width;

    if (f->i < 8) {
        a64_undefined(t);
        return false;
    }
    g.z = 31 - (unsigned)__builtin_clz(f->i) - 3;
    if (!simd_form(t, &g, form, s))
        return false;
    width = 8u << s->lane;
    s->shift = way == LEFT ? f->i - width : 2 * width - f->i;
    return true;
}

static void shift(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, enum way way,
                  simd_fn *fn, enum ir_opcode op)
{
    struct simd s;

    if (!arrange(t, f, form, way, &s))
        return;
    s.op = op;
    s.d = a64_v(t, f->d);
    s.n = a64_v(t, f->n);
    simd_put(&s, f->d, fn(&s));
}

static ir_val plain(const struct simd *s)
{
    return simd_shift(s, s->op, s->lane, s->n, s->shift);
}

static ir_val accumulate(const struct simd *s)
{
    return simd_2(s, IRO_vadd, s->d, plain(s));
}

/* The bits of Vd that the shift leaves free stay. */
static ir_val insert(const struct simd *s, uint64_t kept)
{
    ir_val old = ir_v2(s->ir, IRO_vand, 3, 0, s->d, simd_dup(s->ir, s->lane, kept));

    return ir_v2(s->ir, IRO_vor, 3, 0, old, plain(s));
}

static ir_val sli(const struct simd *s)
{
    return insert(s, (1ull << s->shift) - 1);
}

static ir_val sri(const struct simd *s)
{
    unsigned width = 8u << s->lane;

    return insert(s, ~((s->shift < width ? 1ull << (width - s->shift) : 1) - 1));
}

/* Saturating left shifts: shifted back, the result is the operand unless it saturated. */
static ir_val saturate(const struct simd *s, ir_val r, enum ir_opcode back)
{
    simd_qc(s, ir_v2(s->ir, IRO_vxor, 3, 0, s->n, simd_shift(s, back, s->lane, r, s->shift)));
    return r;
}

static ir_val sqshl(const struct simd *s)
{
    ir_val by = simd_dup(s->ir, s->lane, s->shift);

    return saturate(s, simd_2(s, IRO_vsqshl, s->n, by), IRO_vsshri);
}

static ir_val uqshl(const struct simd *s)
{
    ir_val by = simd_dup(s->ir, s->lane, s->shift);

    return saturate(s, simd_2(s, IRO_vuqshl, s->n, by), IRO_vushri);
}

static ir_val sqshlu(const struct simd *s)
{
    return saturate(s, plain(s), IRO_vushri);
}

/* Shift in double width, then narrow. */
static void narrow(struct a64_tr *t, const struct a64_fields *f, enum simd_form form,
                   enum ir_opcode op, enum ir_opcode cut)
{
    struct simd s;
    ir_val v;

    if (!arrange(t, f, form, RIGHT, &s))
        return;
    v = simd_shift(&s, op, s.lane + 1, a64_v(t, f->n), s.shift);
    simd_put_half(&s, f->d, !(form & SIMD_SCALAR) && f->q, simd_narrow(&s, cut, v));
}

static void widen(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    struct simd s;
    ir_val n = a64_v(t, f->n);

    if (!arrange(t, f, V_BHS, LEFT, &s))
        return;
    if (f->q)
        n = ir_v1(t->ir, IRO_vhigh, 3, 0, n);
    a64_set_v(t, f->d, simd_shift(&s, IRO_vshli, s.lane + 1, simd_1(&s, op, n), s.shift));
}

/* Conversions with fraction bits: the right shift's amount. */
static void fixed(struct a64_tr *t, const struct a64_fields *f, enum simd_form form,
                  enum ir_opcode op, bool uns)
{
    struct simd s;
    uint64_t how;

    if (f->i < 16 || (f->i < 32 && !a64_has(t, A64_FEAT_FP16))) {
        a64_undefined(t);
        return;
    }
    if (!arrange(t, f, form, RIGHT, &s))
        return;
    how = IR_F2I(op == IRO_vf2i ? FP_RZ : 0, uns, s.shift);
    simd_put(&s, f->d, ir_v1(t->ir, op, s.lane, s.lanes | how << 8, a64_v(t, f->n)));
}

void tr_sshr_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, plain, IRO_vsshri);
}

void tr_sshr_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, plain, IRO_vsshri);
}

void tr_ushr_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, plain, IRO_vushri);
}

void tr_ushr_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, plain, IRO_vushri);
}

void tr_ssra_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, accumulate, IRO_vsshri);
}

void tr_ssra_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, accumulate, IRO_vsshri);
}

void tr_usra_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, accumulate, IRO_vushri);
}

void tr_usra_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, accumulate, IRO_vushri);
}

void tr_srshr_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, plain, IRO_vsrshri);
}

void tr_srshr_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, plain, IRO_vsrshri);
}

void tr_urshr_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, plain, IRO_vurshri);
}

void tr_urshr_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, plain, IRO_vurshri);
}

void tr_srsra_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, accumulate, IRO_vsrshri);
}

void tr_srsra_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, accumulate, IRO_vsrshri);
}

void tr_ursra_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, accumulate, IRO_vurshri);
}

void tr_ursra_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, accumulate, IRO_vurshri);
}

void tr_sri_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, RIGHT, sri, IRO_vushri);
}

void tr_sri_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, RIGHT, sri, IRO_vushri);
}

void tr_shl_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, LEFT, plain, IRO_vshli);
}

void tr_shl_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, LEFT, plain, IRO_vshli);
}

void tr_sli_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, LEFT, sli, IRO_vshli);
}

void tr_sli_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_D, LEFT, sli, IRO_vshli);
}

void tr_sqshlu_i_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, LEFT, sqshlu, IRO_vsqshlu);
}

void tr_sqshlu_i_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_BHSD, LEFT, sqshlu, IRO_vsqshlu);
}

void tr_sqshl_i_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, LEFT, sqshl, 0);
}

void tr_sqshl_i_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_BHSD, LEFT, sqshl, 0);
}

void tr_uqshl_i_v(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, V_BHSD, LEFT, uqshl, 0);
}

void tr_uqshl_i_s(struct a64_tr *t, const struct a64_fields *f)
{
    shift(t, f, S_BHSD, LEFT, uqshl, 0);
}

void tr_shrn_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, V_BHS, IRO_vushri, IRO_vxtn);
}

void tr_rshrn_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, V_BHS, IRO_vurshri, IRO_vxtn);
}

void tr_sqshrn_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, V_BHS, IRO_vsshri, IRO_vsqxtn);
}

void tr_sqshrn_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, S_BHS, IRO_vsshri, IRO_vsqxtn);
}

void tr_sqrshrn_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, V_BHS, IRO_vsrshri, IRO_vsqxtn);
}

void tr_sqrshrn_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, S_BHS, IRO_vsrshri, IRO_vsqxtn);
}

void tr_sqshrun_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, V_BHS, IRO_vsshri, IRO_vsqxtun);
}

void tr_sqshrun_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, S_BHS, IRO_vsshri, IRO_vsqxtun);
}

void tr_sqrshrun_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, V_BHS, IRO_vsrshri, IRO_vsqxtun);
}

void tr_sqrshrun_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, S_BHS, IRO_vsrshri, IRO_vsqxtun);
}

void tr_uqshrn_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, V_BHS, IRO_vushri, IRO_vuqxtn);
}

void tr_uqshrn_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, S_BHS, IRO_vushri, IRO_vuqxtn);
}

void tr_uqrshrn_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, V_BHS, IRO_vurshri, IRO_vuqxtn);
}

void tr_uqrshrn_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, S_BHS, IRO_vurshri, IRO_vuqxtn);
}

void tr_sshll(struct a64_tr *t, const struct a64_fields *f)
{
    widen(t, f, IRO_vsxtl);
}

void tr_ushll(struct a64_tr *t, const struct a64_fields *f)
{
    widen(t, f, IRO_vuxtl);
}

void tr_scvtf_fix_v(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, V_BHSD, IRO_vi2f, false);
}

void tr_scvtf_fix_s(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, S_BHSD, IRO_vi2f, false);
}

void tr_ucvtf_fix_v(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, V_BHSD, IRO_vi2f, true);
}

void tr_ucvtf_fix_s(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, S_BHSD, IRO_vi2f, true);
}

void tr_fcvtzs_fix_v(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, V_BHSD, IRO_vf2i, false);
}

void tr_fcvtzs_fix_s(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, S_BHSD, IRO_vf2i, false);
}

void tr_fcvtzu_fix_v(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, V_BHSD, IRO_vf2i, true);
}

void tr_fcvtzu_fix_s(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, S_BHSD, IRO_vf2i, true);
}
