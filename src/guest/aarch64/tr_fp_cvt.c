/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalar floating-point conversions and moves to and from general registers.
 * Source: Arm ARM DDI 0487, C4.1 "Conversion between floating-point and integer / fixed-point",
 * C7.2.
 */
#include "guest/aarch64/simd_priv.h"

static enum ir_type type_of(struct a64_tr *t, const struct a64_fields *f)
{
    enum ir_type type = fp_type(t, f->z);

    if (type == IR_VOID)
        a64_undefined(t);
    return type;
}

static void to_int(struct a64_tr *t, const struct a64_fields *f, enum fp_rounding r, bool uns,
                   unsigned fbits)
{
    enum ir_type type = type_of(t, f);

    if (type != IR_VOID)
        a64_set_r(t, f->d, ir_op(t->ir, IRO_f2i, f->x ? IR_I64 : IR_I32, 0, IR_F2I(r, uns, fbits),
                                 fp_get(t, type, f->n), IR_NONE, IR_NONE));
}

static void from_int(struct a64_tr *t, const struct a64_fields *f, bool uns, unsigned fbits)
{
    enum ir_type type = type_of(t, f);

    if (type != IR_VOID)
        fp_set(t, f->d, ir_op(t->ir, IRO_i2f, type, 0, IR_F2I(0, uns, fbits),
                              a64_r(t, f->x, f->n), IR_NONE, IR_NONE));
}

/* Field i is scale: 64 - fraction bits; words have at most 32. */
static bool fraction_bits(struct a64_tr *t, const struct a64_fields *f, unsigned *fbits)
{
    *fbits = 64 - f->i;
    if (f->x || f->i >= 32)
        return true;
    a64_undefined(t);
    return false;
}

static void to_fixed(struct a64_tr *t, const struct a64_fields *f, bool uns)
{
    unsigned fbits;

    if (fraction_bits(t, f, &fbits))
        to_int(t, f, FP_RZ, uns, fbits);
}

static void from_fixed(struct a64_tr *t, const struct a64_fields *f, bool uns)
{
    unsigned fbits;

    if (fraction_bits(t, f, &fbits))
        from_int(t, f, uns, fbits);
}

static void fcvt(struct a64_tr *t, const struct a64_fields *f, enum ir_type from, enum ir_type to)
{
    fp_set(t, f->d, ir_conv(t->ir, IRO_fcvt, to, fp_get(t, from, f->n)));
}

/* Moves of bits: @lane of the vector register, zero-extended to a general register. */
static void move_out(struct a64_tr *t, const struct a64_fields *f, bool sf, unsigned lane,
                     unsigned index)
{
    a64_set_r(t, f->d, ir_op(t->ir, IRO_vget, sf ? IR_I64 : IR_I32, lane, index, a64_v(t, f->n),
                             IR_NONE, IR_NONE));
}

static void move_in(struct a64_tr *t, const struct a64_fields *f, bool sf)
{
    a64_set_v(t, f->d, ir_conv(t->ir, IRO_vfromi, IR_V128, a64_r(t, sf, f->n)));
}

void tr_fcvt_ds(struct a64_tr *t, const struct a64_fields *f)
{
    fcvt(t, f, IR_F32, IR_F64);
}

void tr_fcvt_hs(struct a64_tr *t, const struct a64_fields *f)
{
    fcvt(t, f, IR_F32, IR_F16);
}

void tr_fcvt_sd(struct a64_tr *t, const struct a64_fields *f)
{
    fcvt(t, f, IR_F64, IR_F32);
}

void tr_fcvt_hd(struct a64_tr *t, const struct a64_fields *f)
{
    fcvt(t, f, IR_F64, IR_F16);
}

void tr_fcvt_sh(struct a64_tr *t, const struct a64_fields *f)
{
    fcvt(t, f, IR_F16, IR_F32);
}

void tr_fcvt_dh(struct a64_tr *t, const struct a64_fields *f)
{
    fcvt(t, f, IR_F16, IR_F64);
}

void tr_fcvtns(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RN, false, 0);
}

void tr_fcvtnu(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RN, true, 0);
}

void tr_fcvtps(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RP, false, 0);
}

void tr_fcvtpu(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RP, true, 0);
}

void tr_fcvtms(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RM, false, 0);
}

void tr_fcvtmu(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RM, true, 0);
}

void tr_fcvtzs(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RZ, false, 0);
}

void tr_fcvtzu(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RZ, true, 0);
}

void tr_fcvtas(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RA, false, 0);
}

void tr_scvtf(struct a64_tr *t, const struct a64_fields *f)
{
    from_int(t, f, false, 0);
}

void tr_scvtf_fix(struct a64_tr *t, const struct a64_fields *f)
{
    from_fixed(t, f, false);
}

void tr_fcvtzs_fix(struct a64_tr *t, const struct a64_fields *f)
{
    to_fixed(t, f, false);
}

void tr_fcvtau(struct a64_tr *t, const struct a64_fields *f)
{
    to_int(t, f, FP_RA, true, 0);
}

void tr_ucvtf(struct a64_tr *t, const struct a64_fields *f)
{
    from_int(t, f, true, 0);
}

void tr_ucvtf_fix(struct a64_tr *t, const struct a64_fields *f)
{
    from_fixed(t, f, true);
}

void tr_fcvtzu_fix(struct a64_tr *t, const struct a64_fields *f)
{
    to_fixed(t, f, true);
}

void tr_fmov_ws(struct a64_tr *t, const struct a64_fields *f)
{
    move_out(t, f, false, 2, 0);
}

void tr_fmov_sw(struct a64_tr *t, const struct a64_fields *f)
{
    move_in(t, f, false);
}

void tr_fmov_xd(struct a64_tr *t, const struct a64_fields *f)
{
    move_out(t, f, true, 3, 0);
}

void tr_fmov_dx(struct a64_tr *t, const struct a64_fields *f)
{
    move_in(t, f, true);
}

void tr_fmov_xv(struct a64_tr *t, const struct a64_fields *f)
{
    move_out(t, f, true, 3, 1);
}

void tr_fmov_vx(struct a64_tr *t, const struct a64_fields *f)
{
    a64_set_v(t, f->d, ir_op(t->ir, IRO_vset, IR_V128, 3, 1, a64_v(t, f->d), a64_x(t, f->n),
                             IR_NONE));
}

void tr_fmov_rh(struct a64_tr *t, const struct a64_fields *f)
{
    move_out(t, f, f->x, 1, 0);
}

void tr_fmov_hr(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = ir_conv(t->ir, IRO_vfromi, IR_V128, a64_w(t, f->n));

    a64_set_v(t, f->d, simd_low(t->ir, 1, v));
}

void tr_fjcvtzs(struct a64_tr *t, const struct a64_fields *f)
{
    ir_val v = ir_conv(t->ir, IRO_fjcvt, IR_I64, fp_get(t, IR_F64, f->n));
    ir_val exact = ir_conv(t->ir, IRO_trunc, IR_I1, ir_shift_imm(t->ir, IRO_shr, v, 32));

    a64_set_r(t, f->d, ir_conv(t->ir, IRO_trunc, IR_I32, v));
    a64_set_flags(t, a64_bit(t, false), exact, a64_bit(t, false), a64_bit(t, false));
}
