/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD two-register miscellaneous: one source, lane by lane; vector and scalar forms.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD two-register miscellaneous", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

static ir_val versus_zero(const struct simd *s)
{
    return simd_2(s, s->op, s->n, simd_zero(s));
}

static ir_val zero_versus(const struct simd *s)
{
    return simd_2(s, s->op, simd_zero(s), s->n);
}

/* REV16, REV32, REV64: @size is the container's log2 bytes; the lane must be smaller. */
static void rev(struct a64_tr *t, const struct a64_fields *f, unsigned size)
{
    struct simd s;

    if (f->z >= size) {
        a64_undefined(t);
        return;
    }
    if (!simd_form(t, f, V_BHS, &s))
        return;
    simd_put(&s, f->d, ir_v1(t->ir, IRO_vrev, s.lane, size, a64_v(t, f->n)));
}

/* SADDLP, SADALP: pairs into double width, so the live part is as long as the source. */
static ir_val addlp(const struct simd *s)
{
    return simd_1(s, s->op, s->n);
}

static ir_val adalp(const struct simd *s)
{
    return ir_v2(s->ir, IRO_vadd, s->lane + 1, 0, s->d, simd_1(s, s->op, s->n));
}

/* Lanes of a fixed size: NOT, RBIT and CNT work on bytes, URECPE and URSQRTE on words. */
static void fixed(struct a64_tr *t, const struct a64_fields *f, unsigned lane, enum ir_opcode op)
{
    struct a64_fields g = *f;

    g.z = lane;
    simd_un(t, &g, V_BHS, op);
}

static void narrow(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    struct simd s;

    if (simd_form(t, f, V_BHS, &s))
        simd_put_half(&s, f->d, f->q, simd_narrow(&s, op, a64_v(t, f->n)));
}

static void narrow_scalar(struct a64_tr *t, const struct a64_fields *f, enum ir_opcode op)
{
    struct simd s;

    if (simd_form(t, f, S_BHS, &s))
        simd_put_half(&s, f->d, false, simd_narrow(&s, op, a64_v(t, f->n)));
}

/* Width-changing conversions of the whole register; @lane is the narrow side. */
static void fcvtl(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val n = a64_v(t, f->n);

    if (f->q)
        n = ir_v1(t->ir, IRO_vhigh, 3, 0, n);
    a64_set_v(t, f->d, ir_v1(t->ir, IRO_vfcvtl, 1 + f->z, 0, n));
}

static void fcvtn(struct a64_tr *t, const struct a64_fields *f, unsigned lane, bool odd)
{
    ir_val v = ir_v1(t->ir, IRO_vfcvtn, lane, odd, a64_v(t, f->n));

    a64_set_v(t, f->d, f->q ? ir_v2(t->ir, IRO_vcat, 3, 0, a64_v(t, f->d), v) : v);
}

/* Conversions that take a mode beside the number of lanes. */
static void mode(struct a64_tr *t, const struct a64_fields *f, enum simd_form form,
                 enum ir_opcode op, uint64_t how)
{
    struct simd s;

    if (!simd_form(t, f, form, &s))
        return;
    simd_put(&s, f->d, ir_v1(t->ir, op, s.lane, s.lanes | how << 8, a64_v(t, f->n)));
}

static void frint(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, unsigned how)
{
    mode(t, f, form, IRO_vfrint, how);
}

static void to_int(struct a64_tr *t, const struct a64_fields *f, enum simd_form form,
                   enum fp_rounding r, bool uns)
{
    mode(t, f, form, IRO_vf2i, IR_F2I(r, uns, 0));
}

static void from_int(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, bool uns)
{
    mode(t, f, form, IRO_vi2f, IR_F2I(0, uns, 0));
}

/* Scalar single and double use scalar operations: these forms are what compilers write. */
static void to_int_scalar(struct a64_tr *t, const struct a64_fields *f, enum fp_rounding r,
                          bool uns)
{
    ir_val v = fp_get(t, f->z ? IR_F64 : IR_F32, f->n);

    v = ir_op(t->ir, IRO_f2i, f->z ? IR_I64 : IR_I32, 0, IR_F2I(r, uns, 0), v, IR_NONE, IR_NONE);
    a64_set_v(t, f->d, ir_conv(t->ir, IRO_vfromi, IR_V128, v));
}

static void from_int_scalar(struct a64_tr *t, const struct a64_fields *f, bool uns)
{
    ir_val v = ir_op(t->ir, IRO_vget, f->z ? IR_I64 : IR_I32, 2 + f->z, 0, a64_v(t, f->n), IR_NONE,
                     IR_NONE);

    fp_set(t, f->d, ir_op(t->ir, IRO_i2f, f->z ? IR_F64 : IR_F32, 0, IR_F2I(0, uns, 0), v, IR_NONE,
                          IR_NONE));
}

void tr_rev64_v(struct a64_tr *t, const struct a64_fields *f)
{
    rev(t, f, 3);
}

void tr_rev32_v(struct a64_tr *t, const struct a64_fields *f)
{
    rev(t, f, 2);
}

void tr_rev16_v(struct a64_tr *t, const struct a64_fields *f)
{
    rev(t, f, 1);
}

void tr_saddlp(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, addlp, IRO_vsaddlp);
}

void tr_uaddlp(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, addlp, IRO_vuaddlp);
}

void tr_suqadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_suqadd);
}

void tr_usqadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_usqadd);
}

void tr_cls_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, V_BHS, IRO_vcls);
}

void tr_clz_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, V_BHS, IRO_vclz);
}

void tr_cnt_v(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, 0, IRO_vcnt);
}

void tr_not_v(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, 0, IRO_vnot);
}

void tr_rbit_v(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, 0, IRO_vrbit);
}

void tr_sadalp(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, adalp, IRO_vsaddlp);
}

void tr_uadalp(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, adalp, IRO_vuaddlp);
}

void tr_sqabs_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_sqabs);
}

void tr_sqneg_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_sqneg);
}

void tr_cmgt0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHSD, versus_zero, IRO_vcgts);
}

void tr_cmge0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHSD, versus_zero, IRO_vcges);
}

void tr_cmeq0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHSD, versus_zero, IRO_vceq);
}

void tr_cmle0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHSD, zero_versus, IRO_vcges);
}

void tr_cmlt0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHSD, zero_versus, IRO_vcgts);
}

void tr_abs_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, V_BHSD, IRO_vabs);
}

void tr_neg_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, V_BHSD, IRO_vneg);
}

void tr_xtn(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, IRO_vxtn);
}

void tr_sqxtun_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, IRO_vsqxtun);
}

void tr_sqxtn_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, IRO_vsqxtn);
}

void tr_uqxtn_v(struct a64_tr *t, const struct a64_fields *f)
{
    narrow(t, f, IRO_vuqxtn);
}

void tr_shll(struct a64_tr *t, const struct a64_fields *f)
{
    struct simd s;
    ir_val n = a64_v(t, f->n);

    if (!simd_form(t, f, V_BHS, &s))
        return;
    if (f->q)
        n = ir_v1(t->ir, IRO_vhigh, 3, 0, n);
    n = simd_1(&s, IRO_vuxtl, n);
    a64_set_v(t, f->d, ir_v1(t->ir, IRO_vshli, s.lane + 1, 8u << s.lane, n));
}

void tr_urecpe(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, 2, IRO_vurecpe);
}

void tr_ursqrte(struct a64_tr *t, const struct a64_fields *f)
{
    fixed(t, f, 2, IRO_vursqrte);
}

void tr_fcvtn_v(struct a64_tr *t, const struct a64_fields *f)
{
    fcvtn(t, f, 1 + f->z, false);
}

void tr_fcvtl_v(struct a64_tr *t, const struct a64_fields *f)
{
    fcvtl(t, f);
}

void tr_fcvtxn_v(struct a64_tr *t, const struct a64_fields *f)
{
    fcvtn(t, f, 2, true);
}

void tr_fcmgt0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, versus_zero, IRO_vfcgt);
}

void tr_fcmgt0_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, versus_zero, IRO_vfcgt);
}

void tr_fcmge0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, versus_zero, IRO_vfcge);
}

void tr_fcmge0_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, versus_zero, IRO_vfcge);
}

void tr_fcmeq0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, versus_zero, IRO_vfceq);
}

void tr_fcmeq0_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, versus_zero, IRO_vfceq);
}

void tr_fcmle0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, zero_versus, IRO_vfcge);
}

void tr_fcmle0_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, zero_versus, IRO_vfcge);
}

void tr_fcmlt0_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, zero_versus, IRO_vfcgt);
}

void tr_fcmlt0_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, zero_versus, IRO_vfcgt);
}

void tr_fabs_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPV, IRO_vfabs);
}

void tr_fabs_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPVH, IRO_vfabs);
}

void tr_fneg_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPV, IRO_vfneg);
}

void tr_fneg_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPVH, IRO_vfneg);
}

void tr_frintn_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, FP_RN);
}

void tr_frintn_vh(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPVH, FP_RN);
}

void tr_frinta_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, FP_RA);
}

void tr_frinta_vh(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPVH, FP_RA);
}

void tr_frintp_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, FP_RP);
}

void tr_frintp_vh(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPVH, FP_RP);
}

void tr_frintm_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, FP_RM);
}

void tr_frintm_vh(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPVH, FP_RM);
}

void tr_frintx_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, IR_ROUND_CURRENT | IR_RINT_EXACT);
}

void tr_frintx_vh(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPVH, IR_ROUND_CURRENT | IR_RINT_EXACT);
}

void tr_frintz_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, FP_RZ);
}

void tr_frintz_vh(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPVH, FP_RZ);
}

void tr_frinti_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, IR_ROUND_CURRENT);
}

void tr_frinti_vh(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPVH, IR_ROUND_CURRENT);
}

void tr_frint32z_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, FP_RZ | IR_RINT_32);
}

void tr_frint32x_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, IR_ROUND_CURRENT | IR_RINT_32);
}

void tr_frint64z_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, FP_RZ | IR_RINT_64);
}

void tr_frint64x_v(struct a64_tr *t, const struct a64_fields *f)
{
    frint(t, f, FPV, IR_ROUND_CURRENT | IR_RINT_64);
}

void tr_frecpe_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPV, IRO_vfrecpe);
}

void tr_frecpe_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPVH, IRO_vfrecpe);
}

void tr_frsqrte_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPV, IRO_vfrsqrte);
}

void tr_frsqrte_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPVH, IRO_vfrsqrte);
}

void tr_fsqrt_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPV, IRO_vfsqrt);
}

void tr_fsqrt_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPVH, IRO_vfsqrt);
}

void tr_fcvtns_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RN, false);
}

void tr_fcvtns_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RN, false);
}

void tr_fcvtnu_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RN, true);
}

void tr_fcvtnu_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RN, true);
}

void tr_fcvtms_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RM, false);
}

void tr_fcvtms_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RM, false);
}

void tr_fcvtmu_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RM, true);
}

void tr_fcvtmu_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RM, true);
}

void tr_fcvtas_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RA, false);
}

void tr_fcvtas_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RA, false);
}

void tr_fcvtau_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RA, true);
}

void tr_fcvtau_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RA, true);
}

void tr_fcvtps_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RP, false);
}

void tr_fcvtps_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RP, false);
}

void tr_fcvtpu_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RP, true);
}

void tr_fcvtpu_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RP, true);
}

void tr_fcvtzs_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RZ, false);
}

void tr_fcvtzs_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RZ, false);
}

void tr_fcvtzu_v(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPV, FP_RZ, true);
}

void tr_fcvtzu_vh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPVH, FP_RZ, true);
}

void tr_scvtf_v(struct a64_tr *t, const struct a64_fields *f)
{
    from_int(t, f, FPV, false);
}

void tr_scvtf_vh(struct a64_tr *t, const struct a64_fields *f)
{
    from_int(t, f, FPVH, false);
}

void tr_ucvtf_v(struct a64_tr *t, const struct a64_fields *f)
{
    from_int(t, f, FPV, true);
}

void tr_ucvtf_vh(struct a64_tr *t, const struct a64_fields *f)
{
    from_int(t, f, FPVH, true);
}

void tr_suqadd_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_suqadd);
}

void tr_usqadd_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_usqadd);
}

void tr_sqabs_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_sqabs);
}

void tr_sqneg_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_sqneg);
}

void tr_cmgt0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, S_D, versus_zero, IRO_vcgts);
}

void tr_cmge0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, S_D, versus_zero, IRO_vcges);
}

void tr_cmeq0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, S_D, versus_zero, IRO_vceq);
}

void tr_cmle0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, S_D, zero_versus, IRO_vcges);
}

void tr_cmlt0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, S_D, zero_versus, IRO_vcgts);
}

void tr_abs_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, S_D, IRO_vabs);
}

void tr_neg_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, S_D, IRO_vneg);
}

void tr_sqxtun_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow_scalar(t, f, IRO_vsqxtun);
}

void tr_sqxtn_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow_scalar(t, f, IRO_vsqxtn);
}

void tr_uqxtn_s(struct a64_tr *t, const struct a64_fields *f)
{
    narrow_scalar(t, f, IRO_vuqxtn);
}

void tr_fcvtxn_s(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val n = fp_get(t, IR_F64, f->n);

    fp_set(t, f->d, ir_op(t->ir, IRO_fcvt, IR_F32, 0, 1, n, IR_NONE, IR_NONE));
}

void tr_fcmgt0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPS, versus_zero, IRO_vfcgt);
}

void tr_fcmgt0_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPSH, versus_zero, IRO_vfcgt);
}

void tr_fcmge0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPS, versus_zero, IRO_vfcge);
}

void tr_fcmge0_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPSH, versus_zero, IRO_vfcge);
}

void tr_fcmeq0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPS, versus_zero, IRO_vfceq);
}

void tr_fcmeq0_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPSH, versus_zero, IRO_vfceq);
}

void tr_fcmle0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPS, zero_versus, IRO_vfcge);
}

void tr_fcmle0_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPSH, zero_versus, IRO_vfcge);
}

void tr_fcmlt0_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPS, zero_versus, IRO_vfcgt);
}

void tr_fcmlt0_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPSH, zero_versus, IRO_vfcgt);
}

void tr_frecpe_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPS, IRO_vfrecpe);
}

void tr_frecpe_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPSH, IRO_vfrecpe);
}

void tr_frsqrte_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPS, IRO_vfrsqrte);
}

void tr_frsqrte_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_un(t, f, FPSH, IRO_vfrsqrte);
}

void tr_fcvtns_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RN, false);
}

void tr_fcvtns_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RN, false);
}

void tr_fcvtnu_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RN, true);
}

void tr_fcvtnu_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RN, true);
}

void tr_fcvtms_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RM, false);
}

void tr_fcvtms_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RM, false);
}

void tr_fcvtmu_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RM, true);
}

void tr_fcvtmu_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RM, true);
}

void tr_fcvtas_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RA, false);
}

void tr_fcvtas_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RA, false);
}

void tr_fcvtau_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RA, true);
}

void tr_fcvtau_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RA, true);
}

void tr_fcvtps_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RP, false);
}

void tr_fcvtps_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RP, false);
}

void tr_fcvtpu_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RP, true);
}

void tr_fcvtpu_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RP, true);
}

void tr_fcvtzs_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RZ, false);
}

void tr_fcvtzs_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RZ, false);
}

void tr_fcvtzu_s(struct a64_tr *t, const struct a64_fields *f)
{
    to_int_scalar(t, f, FP_RZ, true);
}

void tr_fcvtzu_sh(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FPSH, FP_RZ, true);
}

void tr_scvtf_s(struct a64_tr *t, const struct a64_fields *f)
{
    from_int_scalar(t, f, false);
}

void tr_scvtf_sh(struct a64_tr *t, const struct a64_fields *f)
{
    from_int(t, f, FPSH, false);
}

void tr_ucvtf_s(struct a64_tr *t, const struct a64_fields *f)
{
    from_int_scalar(t, f, true);
}

void tr_ucvtf_sh(struct a64_tr *t, const struct a64_fields *f)
{
    from_int(t, f, FPSH, true);
}

static void frecpx(struct a64_tr *t, const struct a64_fields *f, enum ir_type type)
{
    fp_set(t, f->d, ir_un(t->ir, IRO_frecpx, fp_get(t, type, f->n)));
}

void tr_frecpx_s(struct a64_tr *t, const struct a64_fields *f)
{
    frecpx(t, f, f->z ? IR_F64 : IR_F32);
}

void tr_frecpx_sh(struct a64_tr *t, const struct a64_fields *f)
{
    frecpx(t, f, IR_F16);
}
