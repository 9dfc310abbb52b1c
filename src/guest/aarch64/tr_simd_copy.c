/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD copy: DUP, INS, SMOV, UMOV.
 * Source: Arm ARM DDI 0487, C4.1 "Advanced SIMD copy", C7.2.
 */
#include "guest/aarch64/simd_priv.h"

/* Field i (imm5): the lowest set bit gives the lane, the bits above it the index. */
static bool arrange(struct a64_tr *t, const struct a64_fields *f, unsigned max_lane,
                    unsigned *lane, unsigned *index)
{
    *lane = f->i ? (unsigned)__builtin_ctz(f->i) : 4;
    *index = f->i >> (*lane + 1);
    if (*lane > max_lane) {
        a64_undefined(t);
        return false;
    }
    return true;
}

static ir_val get(struct a64_tr *t, unsigned reg, bool sf, enum ir_opcode op, unsigned lane,
                  unsigned index)
{
    return ir_op(t->ir, op, sf ? IR_I64 : IR_I32, lane, index, a64_v(t, reg), IR_NONE, IR_NONE);
}

void tr_dup_e(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned lane, index;
    ir_val v;

    if (!arrange(t, f, f->q ? 3 : 2, &lane, &index))
        return;
    v = ir_v1(t->ir, IRO_vdupl, lane, index, a64_v(t, f->n));
    a64_set_v(t, f->d, f->q ? v : simd_low(t->ir, 3, v));
}

void tr_dup_r(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned lane, index;
    ir_val v;

    if (!arrange(t, f, f->q ? 3 : 2, &lane, &index))
        return;
    v = ir_op(t->ir, IRO_vdup, IR_V128, lane, 0, a64_r(t, lane == 3, f->n), IR_NONE, IR_NONE);
    a64_set_v(t, f->d, f->q ? v : simd_low(t->ir, 3, v));
}

void tr_dup_s(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned lane, index;
    ir_val v = a64_v(t, f->n);

    if (!arrange(t, f, 3, &lane, &index))
        return;
    if (index)
        v = ir_v1(t->ir, IRO_vdupl, lane, index, v);
    a64_set_v(t, f->d, simd_low(t->ir, lane, v));
}

void tr_smov(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned lane, index;

    if (arrange(t, f, f->q ? 2 : 1, &lane, &index))
        a64_set_r(t, f->d, get(t, f->n, f->q, IRO_vgets, lane, index));
}

void tr_umov(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned lane, index;

    if (!arrange(t, f, f->q ? 3 : 2, &lane, &index))
        return;
    if (f->q && lane != 3)
        a64_undefined(t);
    else
        a64_set_r(t, f->d, get(t, f->n, f->q, IRO_vget, lane, index));
}

void tr_ins_r(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned lane, index;

    if (!arrange(t, f, 3, &lane, &index))
        return;
    a64_set_v(t, f->d, ir_op(t->ir, IRO_vset, IR_V128, lane, index, a64_v(t, f->d),
                             a64_r(t, lane == 3, f->n), IR_NONE));
}

void tr_ins_e(struct a64_tr *t, const struct a64_fields *f)
{
    unsigned lane, index;

    if (!arrange(t, f, 3, &lane, &index))
        return;
    a64_set_v(t, f->d, ir_v2(t->ir, IRO_vmov, lane, index | f->j >> lane << 4, a64_v(t, f->d),
                             a64_v(t, f->n)));
}
