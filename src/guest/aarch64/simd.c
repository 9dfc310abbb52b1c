/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Arrangements and operands of A64 SIMD instructions, and meanings that several families share.
 * Source: Arm ARM DDI 0487, chapter C7.
 */
#include "guest/aarch64/simd_priv.h"

static void lanes_of(const struct a64_fields *f, enum simd_form form, struct simd *s)
{
    if (form & SIMD_SCALAR)
        s->lanes = 1;
    else
        s->lanes = (f->q ? 16u : 8u) >> s->lane;
    s->imm = form & SIMD_FP ? s->lanes : 0;
}

bool simd_form(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, struct simd *s)
{
    *s = (struct simd){ .t = t, .ir = t->ir };
    if (form & SIMD_HALF)
        s->lane = 1;
    else if (form & SIMD_FP)
        s->lane = 2 + (f->z & 1);
    else
        s->lane = f->z;
    lanes_of(f, form, s);
    if ((!(form & SIMD_FP) && !((unsigned)form >> s->lane & 1)) ||
        (!(form & SIMD_SCALAR) && s->lane == 3 && !f->q)) {
        a64_undefined(t);
        return false;
    }
    return true;
}

void simd_operands(const struct a64_fields *f, struct simd *s)
{
    s->d = a64_v(s->t, f->d);
    s->n = a64_v(s->t, f->n);
    s->m = a64_v(s->t, f->m);
}

/* Whether the operation that made @v left zeros above @bytes already. */
static bool ends_below(const struct simd *s, ir_val v, unsigned bytes)
{
    const struct ir_op *op = &s->ir->ops[v.id];

    switch (op->op) {
    case IRO_vlow:
        return (1u << op->lane) <= bytes;
    case IRO_vfromf:
        return ir_bits(s->ir->ops[op->arg[0]].type) / 8 <= bytes;
    case IRO_vfcvtl:
    case IRO_vfmlal: /* lanes of the result are wider than its lane says */
    case IRO_vfcvtn:
        return false;
    default:
        return ir_info[op->op].effects == IR_FP && (op->imm & 0xff) << op->lane <= bytes;
    }
}

ir_val simd_live(const struct simd *s, ir_val v)
{
    unsigned bytes = s->lanes << s->lane;

    if (bytes >= 16 || ends_below(s, v, bytes))
        return v;
    return simd_low(s->ir, s->lanes == 1 ? s->lane : 3, v);
}

void simd_put(const struct simd *s, unsigned d, ir_val v)
{
    a64_set_v(s->t, d, simd_live(s, v));
}

ir_val simd_fn_bin(const struct simd *s)
{
    return simd_2(s, s->op, s->n, s->m);
}

ir_val simd_fn_un(const struct simd *s)
{
    return simd_1(s, s->op, s->n);
}

void simd_with(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, simd_fn *fn,
               enum ir_opcode op)
{
    struct simd s;

    if (!simd_form(t, f, form, &s))
        return;
    s.op = op;
    simd_operands(f, &s);
    simd_put(&s, f->d, fn(&s));
}

void simd_do(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, simd_fn *fn)
{
    simd_with(t, f, form, fn, 0);
}

void simd_bin(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, enum ir_opcode op)
{
    simd_with(t, f, form, simd_fn_bin, op);
}

void simd_un(struct a64_tr *t, const struct a64_fields *f, enum simd_form form, enum ir_opcode op)
{
    simd_with(t, f, form, simd_fn_un, op);
}

ir_val simd_dup(struct ir *ir, unsigned lane, uint64_t v)
{
    if (lane < 3)
        v &= (1ull << (8u << lane)) - 1;
    for (; lane < 3; lane++)
        v |= v << (8u << lane);
    return ir_vconst(ir, v, v);
}

ir_val simd_sign(const struct simd *s, unsigned lane)
{
    return simd_dup(s->ir, lane, 1ull << ((8u << lane) - 1));
}

void simd_qc(const struct simd *s, ir_val v)
{
    ir_val qc = ir_get(s->ir, A64_QC);

    ir_set(s->ir, A64_QC, ir_v2(s->ir, IRO_vor, 3, 0, qc, simd_live(s, v)));
}

ir_val simd_mla(const struct simd *s)
{
    return simd_2(s, IRO_vadd, s->d, simd_2(s, IRO_vmul, s->n, s->m));
}

ir_val simd_mls(const struct simd *s)
{
    return simd_2(s, IRO_vsub, s->d, simd_2(s, IRO_vmul, s->n, s->m));
}

ir_val simd_fmla(const struct simd *s)
{
    return simd_3(s, IRO_vffma, s->n, s->m, s->d);
}

ir_val simd_fmls(const struct simd *s)
{
    return simd_3(s, IRO_vffma, simd_1(s, IRO_vfneg, s->n), s->m, s->d);
}

/*
 * Complex d + rotate(n * m): even lanes are real, odd ones imaginary parts.
 *   rotation   multiplier of both lanes   even     odd lane of the other factor
 *       0      n even                     m even    m odd
 *      90      n odd                     -m odd     m even
 *     180      n even                    -m even   -m odd
 *     270      n odd                      m odd    -m even
 */
ir_val simd_fcmla(const struct simd *s)
{
    uint64_t sign = 1ull << ((8u << s->lane) - 1), width = 8u << s->lane;
    bool odd = s->shift & 1;
    bool neg_even = s->shift == 1 || s->shift == 2, neg_odd = s->shift >= 2;
    ir_val n = ir_v2(s->ir, odd ? IRO_vtrn2 : IRO_vtrn1, s->lane, 0, s->n, s->n);
    ir_val m = odd ? ir_v1(s->ir, IRO_vrev, s->lane, s->lane + 1, s->m) : s->m;

    if (s->lane == 3) {
        if (odd)
            m = ir_v2(s->ir, IRO_vext, 3, 8, s->m, s->m);
        m = ir_v2(s->ir, IRO_vxor, 3, 0, m,
                  ir_vconst(s->ir, neg_even ? sign : 0, neg_odd ? sign : 0));
    } else {
        m = ir_v2(s->ir, IRO_vxor, 3, 0, m,
                  simd_dup(s->ir, s->lane + 1,
                           (neg_even ? sign : 0) | (neg_odd ? sign << width : 0)));
    }
    return simd_3(s, IRO_vffma, n, m, s->d);
}

static ir_val wide2(const struct simd *s, enum ir_opcode op, ir_val a, ir_val b)
{
    return ir_v2(s->ir, op, s->lane + 1, 0, a, b);
}

ir_val simd_mull(const struct simd *s)
{
    return simd_2(s, s->op, s->n, s->m);
}

ir_val simd_mlal(const struct simd *s)
{
    return wide2(s, IRO_vadd, s->d, simd_mull(s));
}

ir_val simd_mlsl(const struct simd *s)
{
    return wide2(s, IRO_vsub, s->d, simd_mull(s));
}
