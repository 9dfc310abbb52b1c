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
