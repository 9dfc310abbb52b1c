/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD three same: lane by lane operations on two registers, vector and scalar forms.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD three same", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

static ir_val saba(const struct simd *s)
{
    return simd_2(s, IRO_vadd, s->d, simd_2(s, s->op, s->n, s->m));
}

/* Vd takes part: BSL selects with it, BIT and BIF insert into it. */
static ir_val bsl(const struct simd *s)
{
    return simd_3(s, IRO_vbsl, s->d, s->n, s->m);
}

static ir_val bit(const struct simd *s)
{
    return simd_3(s, IRO_vbsl, s->m, s->n, s->d);
}

static ir_val bif(const struct simd *s)
{
    return simd_3(s, IRO_vbsl, s->m, s->d, s->n);
}

static ir_val orn(const struct simd *s)
{
    return simd_2(s, IRO_vor, s->n, simd_1(s, IRO_vnot, s->m));
}

/* Adjacent lanes of Vm:Vn. */
static ir_val pairwise(const struct simd *s)
{
    ir_val a = s->n, b = s->m;

    if (s->lanes << s->lane < 16)
        a = b = ir_v2(s->ir, IRO_vcat, 3, 0, a, b);
    return simd_2(s, s->op, ir_v2(s->ir, IRO_vuzp1, s->lane, 0, a, b),
                  ir_v2(s->ir, IRO_vuzp2, s->lane, 0, a, b));
}

static ir_val fabd(const struct simd *s)
{
    return simd_1(s, IRO_vfabs, simd_2(s, IRO_vfsub, s->n, s->m));
}

static ir_val compare_abs(const struct simd *s)
{
    return simd_2(s, s->op, simd_1(s, IRO_vfabs, s->n), simd_1(s, IRO_vfabs, s->m));
}

/* Logical operations have no lanes: field z is opcode. */
static void logical(struct a64_tr *t, const struct a64_fields *f, simd_fn *fn, enum ir_opcode op)
{
    struct a64_fields bytes = *f;

    bytes.z = 0;
    simd_with(t, &bytes, V_B, fn, op);
}

void tr_shadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vshadd);
}

void tr_uhadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vuhadd);
}

void tr_sqadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_sqadd);
}

void tr_uqadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_uqadd);
}

void tr_srhadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vsrhadd);
}

void tr_urhadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vurhadd);
}

void tr_and_v(struct a64_tr *t, const struct a64_fields *f)
{
    logical(t, f, simd_fn_bin, IRO_vand);
}

void tr_bic_v(struct a64_tr *t, const struct a64_fields *f)
{
    logical(t, f, simd_fn_bin, IRO_vandn);
}

void tr_orr_v(struct a64_tr *t, const struct a64_fields *f)
{
    logical(t, f, simd_fn_bin, IRO_vor);
}

void tr_orn_v(struct a64_tr *t, const struct a64_fields *f)
{
    logical(t, f, orn, 0);
}

void tr_eor_v(struct a64_tr *t, const struct a64_fields *f)
{
    logical(t, f, simd_fn_bin, IRO_vxor);
}

void tr_bsl_v(struct a64_tr *t, const struct a64_fields *f)
{
    logical(t, f, bsl, 0);
}

void tr_bit_v(struct a64_tr *t, const struct a64_fields *f)
{
    logical(t, f, bit, 0);
}

void tr_bif_v(struct a64_tr *t, const struct a64_fields *f)
{
    logical(t, f, bif, 0);
}

void tr_shsub_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vshsub);
}

void tr_uhsub_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vuhsub);
}

void tr_sqsub_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_sqsub);
}

void tr_uqsub_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_uqsub);
}

void tr_cmgt_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vcgts);
}

void tr_cmhi_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vcgtu);
}

void tr_cmge_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vcges);
}

void tr_cmhs_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vcgeu);
}

void tr_sshl_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vsshl);
}

void tr_ushl_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vushl);
}

void tr_sqshl_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_sqshl);
}

void tr_uqshl_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_uqshl);
}

void tr_srshl_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vsrshl);
}

void tr_urshl_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vurshl);
}

void tr_sqrshl_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_sqrshl);
}

void tr_uqrshl_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHSD, simd_uqrshl);
}

void tr_smax_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vsmax);
}

void tr_umax_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vumax);
}

void tr_smin_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vsmin);
}

void tr_umin_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vumin);
}

void tr_sabd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vsabd);
}

void tr_uabd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vuabd);
}

void tr_saba_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, saba, IRO_vsabd);
}

void tr_uaba_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, saba, IRO_vuabd);
}

void tr_add_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vadd);
}

void tr_sub_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vsub);
}

void tr_cmtst_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vtst);
}

void tr_cmeq_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHSD, IRO_vceq);
}

void tr_mla_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHS, simd_mla);
}

void tr_mls_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_BHS, simd_mls);
}

void tr_mul_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_BHS, IRO_vmul);
}

void tr_pmul_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, V_B, IRO_vpmul);
}

void tr_smaxp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, pairwise, IRO_vsmax);
}

void tr_umaxp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, pairwise, IRO_vumax);
}

void tr_sminp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, pairwise, IRO_vsmin);
}

void tr_uminp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHS, pairwise, IRO_vumin);
}

void tr_sqdmulh_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_HS, simd_sqdmulh);
}

void tr_sqrdmulh_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, V_HS, simd_sqrdmulh);
}

void tr_addp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, V_BHSD, pairwise, IRO_vadd);
}

void tr_fmaxnm_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfmaxnm);
}

void tr_fmaxnm_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfmaxnm);
}

void tr_fminnm_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfminnm);
}

void tr_fminnm_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfminnm);
}

void tr_fmla_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, FPV, simd_fmla);
}

void tr_fmla_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, FPVH, simd_fmla);
}

void tr_fmls_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, FPV, simd_fmls);
}

void tr_fmls_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, FPVH, simd_fmls);
}

void tr_fadd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfadd);
}

void tr_fadd_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfadd);
}

void tr_fsub_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfsub);
}

void tr_fsub_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfsub);
}

void tr_fmulx_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfmulx);
}

void tr_fmulx_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfmulx);
}

void tr_fcmeq_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfceq);
}

void tr_fcmeq_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfceq);
}

void tr_fmax_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfmax);
}

void tr_fmax_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfmax);
}

void tr_fmin_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfmin);
}

void tr_fmin_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfmin);
}

void tr_frecps_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfrecps);
}

void tr_frecps_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfrecps);
}

void tr_frsqrts_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfrsqrts);
}

void tr_frsqrts_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfrsqrts);
}

void tr_fmaxnmp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, pairwise, IRO_vfmaxnm);
}

void tr_fmaxnmp_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, pairwise, IRO_vfmaxnm);
}

void tr_fminnmp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, pairwise, IRO_vfminnm);
}

void tr_fminnmp_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, pairwise, IRO_vfminnm);
}

void tr_faddp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, pairwise, IRO_vfadd);
}

void tr_faddp_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, pairwise, IRO_vfadd);
}

void tr_fabd_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, FPV, fabd);
}

void tr_fabd_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, FPVH, fabd);
}

void tr_fmul_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfmul);
}

void tr_fmul_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfmul);
}

void tr_fcmge_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfcge);
}

void tr_fcmge_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfcge);
}

void tr_fcmgt_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfcgt);
}

void tr_fcmgt_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfcgt);
}

void tr_facge_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, compare_abs, IRO_vfcge);
}

void tr_facge_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, compare_abs, IRO_vfcge);
}

void tr_facgt_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, compare_abs, IRO_vfcgt);
}

void tr_facgt_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, compare_abs, IRO_vfcgt);
}

void tr_fmaxp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, pairwise, IRO_vfmax);
}

void tr_fmaxp_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, pairwise, IRO_vfmax);
}

void tr_fminp_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPV, pairwise, IRO_vfmin);
}

void tr_fminp_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPVH, pairwise, IRO_vfmin);
}

void tr_fdiv_v(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPV, IRO_vfdiv);
}

void tr_fdiv_vh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPVH, IRO_vfdiv);
}

void tr_sqadd_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_sqadd);
}

void tr_uqadd_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_uqadd);
}

void tr_sqsub_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_sqsub);
}

void tr_uqsub_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_uqsub);
}

void tr_cmgt_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vcgts);
}

void tr_cmhi_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vcgtu);
}

void tr_cmge_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vcges);
}

void tr_cmhs_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vcgeu);
}

void tr_sshl_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vsshl);
}

void tr_ushl_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vushl);
}

void tr_sqshl_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_sqshl);
}

void tr_uqshl_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_uqshl);
}

void tr_srshl_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vsrshl);
}

void tr_urshl_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vurshl);
}

void tr_sqrshl_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_sqrshl);
}

void tr_uqrshl_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_BHSD, simd_uqrshl);
}

void tr_add_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vadd);
}

void tr_sub_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vsub);
}

void tr_cmtst_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vtst);
}

void tr_cmeq_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, S_D, IRO_vceq);
}

void tr_sqdmulh_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_HS, simd_sqdmulh);
}

void tr_sqrdmulh_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, S_HS, simd_sqrdmulh);
}

void tr_fmulx_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPS, IRO_vfmulx);
}

void tr_fmulx_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPSH, IRO_vfmulx);
}

void tr_fcmeq_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPS, IRO_vfceq);
}

void tr_fcmeq_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPSH, IRO_vfceq);
}

void tr_frecps_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPS, IRO_vfrecps);
}

void tr_frecps_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPSH, IRO_vfrecps);
}

void tr_frsqrts_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPS, IRO_vfrsqrts);
}

void tr_frsqrts_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPSH, IRO_vfrsqrts);
}

void tr_fabd_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, FPS, fabd);
}

void tr_fabd_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_do(t, f, FPSH, fabd);
}

void tr_fcmge_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPS, IRO_vfcge);
}

void tr_fcmge_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPSH, IRO_vfcge);
}

void tr_fcmgt_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPS, IRO_vfcgt);
}

void tr_fcmgt_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_bin(t, f, FPSH, IRO_vfcgt);
}

void tr_facge_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPS, compare_abs, IRO_vfcge);
}

void tr_facge_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPSH, compare_abs, IRO_vfcge);
}

void tr_facgt_s(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPS, compare_abs, IRO_vfcgt);
}

void tr_facgt_sh(struct a64_tr *t, const struct a64_fields *f)
{
    simd_with(t, f, FPSH, compare_abs, IRO_vfcgt);
}
