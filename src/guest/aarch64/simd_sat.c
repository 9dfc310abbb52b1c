/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saturating meanings of A64 SIMD instructions and how each tells FPSR.QC that it saturated.
 * Source: Arm ARM DDI 0487, chapter C7, SatQ() and SignedSatQ().
 *
 * The QC slot collects bits: what is OR'ed in must be zero exactly when no live lane saturated.
 */
#include "guest/aarch64/simd_priv.h"

static ir_val diff(const struct simd *s, ir_val a, ir_val b)
{
    return ir_v2(s->ir, IRO_vxor, 3, 0, a, b);
}

/* Sums and differences: the wrapped result differs from the saturated one exactly when it must. */
static ir_val sat2(const struct simd *s, enum ir_opcode sat, enum ir_opcode wrap)
{
    ir_val r = simd_2(s, sat, s->d, s->n);

    simd_qc(s, diff(s, r, simd_2(s, wrap, s->d, s->n)));
    return r;
}

static ir_val sat_nm(const struct simd *s, enum ir_opcode sat, enum ir_opcode wrap)
{
    struct simd x = *s;

    x.d = s->n;
    x.n = s->m;
    return sat2(&x, sat, wrap);
}

ir_val simd_sqadd(const struct simd *s) { return sat_nm(s, IRO_vsqadd, IRO_vadd); }
ir_val simd_uqadd(const struct simd *s) { return sat_nm(s, IRO_vuqadd, IRO_vadd); }
ir_val simd_sqsub(const struct simd *s) { return sat_nm(s, IRO_vsqsub, IRO_vsub); }
ir_val simd_uqsub(const struct simd *s) { return sat_nm(s, IRO_vuqsub, IRO_vsub); }
ir_val simd_suqadd(const struct simd *s) { return sat2(s, IRO_vsuqadd, IRO_vadd); }
ir_val simd_usqadd(const struct simd *s) { return sat2(s, IRO_vusqadd, IRO_vadd); }

static ir_val sat1(const struct simd *s, enum ir_opcode sat, enum ir_opcode wrap)
{
    ir_val r = simd_1(s, sat, s->n);

    simd_qc(s, diff(s, r, simd_1(s, wrap, s->n)));
    return r;
}

ir_val simd_sqabs(const struct simd *s) { return sat1(s, IRO_vsqabs, IRO_vabs); }
ir_val simd_sqneg(const struct simd *s) { return sat1(s, IRO_vsqneg, IRO_vneg); }

/* 2 * min * min is the only product that does not fit; with -max the result may look the same. */
static ir_val mulh(const struct simd *s, enum ir_opcode op)
{
    ir_val min = simd_sign(s, s->lane);

    simd_qc(s, ir_v2(s->ir, IRO_vand, 3, 0, simd_2(s, IRO_vceq, s->n, min),
                     simd_2(s, IRO_vceq, s->m, min)));
    return simd_2(s, op, s->n, s->m);
}

ir_val simd_sqdmulh(const struct simd *s) { return mulh(s, IRO_vsqdmulh); }
ir_val simd_sqrdmulh(const struct simd *s) { return mulh(s, IRO_vsqrdmulh); }

/* One half of SQRDMLAH: (d << (w-1)) +- n * m fits twice the lane; a rounding shift follows. */
static ir_val rdml_half(const struct simd *s, enum ir_opcode op, bool high, ir_val *lost)
{
    unsigned up = (8u << s->lane) - 1, wide = s->lane + 1;
    ir_val d = s->d, n = s->n, m = s->m, sum, r;

    if (high) {
        d = ir_v1(s->ir, IRO_vhigh, 3, 0, d);
        n = ir_v1(s->ir, IRO_vhigh, 3, 0, n);
        m = ir_v1(s->ir, IRO_vhigh, 3, 0, m);
    }
    d = simd_shift(s, IRO_vshli, wide, simd_1(s, IRO_vsxtl, d), up);
    sum = ir_v2(s->ir, op, wide, 0, d, simd_2(s, IRO_vsmull, n, m));
    sum = simd_shift(s, IRO_vsrshri, wide, sum, up);
    r = simd_1(s, IRO_vsqxtn, sum);
    *lost = simd_1(s, IRO_vxtn, simd_shift(s, IRO_vushri, wide,
                                           diff(s, simd_1(s, IRO_vsxtl, r), sum), up));
    return r;
}

static ir_val rdml(const struct simd *s, enum ir_opcode op)
{
    ir_val lost, lost_high, r = rdml_half(s, op, false, &lost);

    if (s->lanes << s->lane == 16) {
        ir_val high = rdml_half(s, op, true, &lost_high);
        r = ir_v2(s->ir, IRO_vcat, 3, 0, r, high);
        lost = ir_v2(s->ir, IRO_vcat, 3, 0, lost, lost_high);
    }
    simd_qc(s, lost);
    return r;
}

ir_val simd_sqrdmlah(const struct simd *s) { return rdml(s, IRO_vadd); }
ir_val simd_sqrdmlsh(const struct simd *s) { return rdml(s, IRO_vsub); }

/* Shifts by register.  A saturated unsigned result is all ones, which no plain left shift gives. */
static ir_val shl_unsigned(const struct simd *s, enum ir_opcode sat, enum ir_opcode plain)
{
    ir_val r = simd_2(s, sat, s->n, s->m);

    simd_qc(s, diff(s, r, simd_2(s, plain, s->n, s->m)));
    return r;
}

/* A negative value that saturates may be cut to the same bits (0xb0 << 3); its complement, which
 * overflows in the same cases but for -1 << width, then shows it. */
static ir_val shl_signed(const struct simd *s, enum ir_opcode sat, enum ir_opcode plain)
{
    ir_val r = simd_2(s, sat, s->n, s->m);
    ir_val sign = simd_shift(s, IRO_vsshri, s->lane, s->n, (8u << s->lane) - 1);
    ir_val pos = diff(s, s->n, sign);
    ir_val lost = diff(s, r, simd_2(s, plain, s->n, s->m));
    ir_val lost_pos = diff(s, simd_2(s, sat, pos, s->m), simd_2(s, plain, pos, s->m));

    simd_qc(s, ir_v2(s->ir, IRO_vor, 3, 0, lost, lost_pos));
    return r;
}

ir_val simd_sqshl(const struct simd *s) { return shl_signed(s, IRO_vsqshl, IRO_vsshl); }
ir_val simd_uqshl(const struct simd *s) { return shl_unsigned(s, IRO_vuqshl, IRO_vushl); }
ir_val simd_sqrshl(const struct simd *s) { return shl_signed(s, IRO_vsqrshl, IRO_vsrshl); }
ir_val simd_uqrshl(const struct simd *s) { return shl_unsigned(s, IRO_vuqrshl, IRO_vurshl); }

/* The live part of a wide value with s->lanes lanes. */
static void qc_wide(const struct simd *s, ir_val v)
{
    struct simd x = *s;

    x.lane++;
    simd_qc(&x, v);
}

/* Doubling products are even: the largest wide number shows saturation. */
ir_val simd_sqdmull(const struct simd *s)
{
    ir_val r = simd_2(s, IRO_vsqdmull, s->n, s->m);
    uint64_t max = (1ull << ((16u << s->lane) - 1)) - 1;

    qc_wide(s, ir_v2(s->ir, IRO_vceq, s->lane + 1, 0, r, simd_dup(s->ir, s->lane + 1, max)));
    return r;
}

static ir_val dml(const struct simd *s, enum ir_opcode sat, enum ir_opcode wrap)
{
    ir_val p = simd_sqdmull(s);
    ir_val r = ir_v2(s->ir, sat, s->lane + 1, 0, s->d, p);

    qc_wide(s, diff(s, r, ir_v2(s->ir, wrap, s->lane + 1, 0, s->d, p)));
    return r;
}

ir_val simd_sqdmlal(const struct simd *s) { return dml(s, IRO_vsqadd, IRO_vadd); }
ir_val simd_sqdmlsl(const struct simd *s) { return dml(s, IRO_vsqsub, IRO_vsub); }

ir_val simd_narrow(const struct simd *s, enum ir_opcode op, ir_val v)
{
    ir_val r;

    if (s->lanes == 1)
        v = simd_low(s->ir, s->lane + 1, v);
    r = simd_1(s, op, v);
    if (op != IRO_vxtn) {
        ir_val back = simd_1(s, op == IRO_vsqxtn ? IRO_vsxtl : IRO_vuxtl, r);
        ir_val qc = ir_v2(s->ir, IRO_vor, 3, 0, ir_get(s->ir, A64_QC), diff(s, back, v));
        ir_set(s->ir, A64_QC, qc);
    }
    return r;
}

void simd_put_half(const struct simd *s, unsigned d, bool high, ir_val v)
{
    a64_set_v(s->t, d, high ? ir_v2(s->ir, IRO_vcat, 3, 0, a64_v(s->t, d), v) : v);
}
