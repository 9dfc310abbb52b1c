/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD conversions and roundings of the two-register miscellaneous group.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD two-register miscellaneous", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

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

void tr_fcvtxn_s(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val n = fp_get(t, IR_F64, f->n);

    fp_set(t, f->d, ir_op(t->ir, IRO_fcvt, IR_F32, 0, 1, n, IR_NONE, IR_NONE));
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
