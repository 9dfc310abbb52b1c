/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lane-wise integer operations (Arm ARM DDI 0487, A64 Advanced SIMD, for the named instructions). */
#include "base/softfloat.h"
#include "ir/eval_vec_priv.h"

/* --- Loops: @sx, @sy say whether the operand's lanes are signed --- */

INLINE void map1_at(union ir_u *restrict r, const union ir_u *restrict a, unsigned lane, bool sx,
                    lane1_fn *fn)
{
    for (unsigned i = 0; i < 16u >> lane; i++)
        lane_put(r, lane, i, (uint64_t)fn(lane_get(&a[0], lane, i, sx), 8u << lane));
}

INLINE void map1(union ir_u *restrict r, const union ir_u *restrict a, const struct ir_how *how,
                 bool sx, lane1_fn *fn)
{
    switch (how->lane) {
    case 0:
        map1_at(r, a, 0, sx, fn);
        break;
    case 1:
        map1_at(r, a, 1, sx, fn);
        break;
    case 2:
        map1_at(r, a, 2, sx, fn);
        break;
    default:
        map1_at(r, a, 3, sx, fn);
        break;
    }
}

INLINE void map2_at(union ir_u *restrict r, const union ir_u *restrict a, unsigned lane, bool sx,
                    bool sy, lane2_fn *fn)
{
    for (unsigned i = 0; i < 16u >> lane; i++)
        lane_put(r, lane, i,
                 (uint64_t)fn(lane_get(&a[0], lane, i, sx), lane_get(&a[1], lane, i, sy),
                              8u << lane));
}

INLINE void map2_mixed(union ir_u *restrict r, const union ir_u *restrict a,
                       const struct ir_how *how, bool sx, bool sy, lane2_fn *fn)
{
    switch (how->lane) {
    case 0:
        map2_at(r, a, 0, sx, sy, fn);
        break;
    case 1:
        map2_at(r, a, 1, sx, sy, fn);
        break;
    case 2:
        map2_at(r, a, 2, sx, sy, fn);
        break;
    default:
        map2_at(r, a, 3, sx, sy, fn);
        break;
    }
}

INLINE void map2u(union ir_u *restrict r, const union ir_u *restrict a, const struct ir_how *how,
                  lane2_fn *fn)
{
    map2_mixed(r, a, how, false, false, fn);
}

INLINE void map2s(union ir_u *restrict r, const union ir_u *restrict a, const struct ir_how *how,
                  lane2_fn *fn)
{
    map2_mixed(r, a, how, true, true, fn);
}

/* The second operand is the immediate, the same for every lane. */
INLINE void map_imm(union ir_u *restrict r, const union ir_u *restrict a, const struct ir_how *how,
                    bool sx, lane2_fn *fn)
{
    for (unsigned i = 0; i < 16u >> how->lane; i++)
        lane_put(r, how->lane, i,
                 (uint64_t)fn(lane_get(&a[0], how->lane, i, sx), (wide)how->imm, 8u << how->lane));
}

/* --- Bitwise --- */

EVAL(vand)
{
    r->q = a[0].q & a[1].q;
}
EVAL(vor)
{
    r->q = a[0].q | a[1].q;
}
EVAL(vxor)
{
    r->q = a[0].q ^ a[1].q;
}
EVAL(vandn)
{
    r->q = a[0].q & ~a[1].q;
}
EVAL(vnot)
{
    r->q = ~a[0].q;
}
EVAL(vbsl)
{
    r->q = (a[1].q & a[0].q) | (a[2].q & ~a[0].q);
}

/* --- Arithmetic --- */

INLINE wide add(wide x, wide y, unsigned bits)
{
    return x + y;
}
INLINE wide sub(wide x, wide y, unsigned bits)
{
    return x - y;
}
INLINE wide mul(wide x, wide y, unsigned bits)
{
    return (uint64_t)x * (uint64_t)y;
}
INLINE wide negate(wide x, unsigned bits)
{
    return -x;
}
INLINE wide absolute(wide x, unsigned bits)
{
    return x < 0 ? -x : x;
}
EVAL(vadd)
{
    map2u(r, a, how, add);
}
EVAL(vsub)
{
    map2u(r, a, how, sub);
}
EVAL(vmul)
{
    map2u(r, a, how, mul);
}
EVAL(vneg)
{
    map1(r, a, how, true, negate);
}
EVAL(vabs)
{
    map1(r, a, how, true, absolute);
}

INLINE wide uqadd(wide x, wide y, unsigned bits)
{
    return lane_clamp(x + y, bits, false);
}
INLINE wide sqadd(wide x, wide y, unsigned bits)
{
    return lane_clamp(x + y, bits, true);
}
INLINE wide uqsub(wide x, wide y, unsigned bits)
{
    return lane_clamp(x - y, bits, false);
}
INLINE wide sqsub(wide x, wide y, unsigned bits)
{
    return lane_clamp(x - y, bits, true);
}
INLINE wide sqneg(wide x, unsigned bits)
{
    return lane_clamp(-x, bits, true);
}
INLINE wide sqabs(wide x, unsigned bits)
{
    return lane_clamp(absolute(x, bits), bits, true);
}
EVAL(vuqadd)
{
    map2u(r, a, how, uqadd);
}
EVAL(vsqadd)
{
    map2s(r, a, how, sqadd);
}
EVAL(vuqsub)
{
    map2u(r, a, how, uqsub);
}
EVAL(vsqsub)
{
    map2s(r, a, how, sqsub);
}
EVAL(vsuqadd)
{
    map2_mixed(r, a, how, true, false, sqadd);
}
EVAL(vusqadd)
{
    map2_mixed(r, a, how, false, true, uqadd);
}
EVAL(vsqneg)
{
    map1(r, a, how, true, sqneg);
}
EVAL(vsqabs)
{
    map1(r, a, how, true, sqabs);
}

INLINE wide halving_add(wide x, wide y, unsigned bits)
{
    return (x + y) >> 1;
}
INLINE wide rounding_halving_add(wide x, wide y, unsigned bits)
{
    return (x + y + 1) >> 1;
}
INLINE wide halving_sub(wide x, wide y, unsigned bits)
{
    return (x - y) >> 1;
}
INLINE wide distance(wide x, wide y, unsigned bits)
{
    return x < y ? y - x : x - y;
}
INLINE wide maximum(wide x, wide y, unsigned bits)
{
    return x > y ? x : y;
}
INLINE wide minimum(wide x, wide y, unsigned bits)
{
    return x < y ? x : y;
}
EVAL(vuhadd)
{
    map2u(r, a, how, halving_add);
}
EVAL(vshadd)
{
    map2s(r, a, how, halving_add);
}
EVAL(vurhadd)
{
    map2u(r, a, how, rounding_halving_add);
}
EVAL(vsrhadd)
{
    map2s(r, a, how, rounding_halving_add);
}
EVAL(vuhsub)
{
    map2u(r, a, how, halving_sub);
}
EVAL(vshsub)
{
    map2s(r, a, how, halving_sub);
}
EVAL(vuabd)
{
    map2u(r, a, how, distance);
}
EVAL(vsabd)
{
    map2s(r, a, how, distance);
}
EVAL(vumax)
{
    map2u(r, a, how, maximum);
}
EVAL(vsmax)
{
    map2s(r, a, how, maximum);
}
EVAL(vumin)
{
    map2u(r, a, how, minimum);
}
EVAL(vsmin)
{
    map2s(r, a, how, minimum);
}

/* --- Compares --- */

INLINE wide equal(wide x, wide y, unsigned bits)
{
    return -(wide)(x == y);
}
INLINE wide greater(wide x, wide y, unsigned bits)
{
    return -(wide)(x > y);
}
INLINE wide greater_equal(wide x, wide y, unsigned bits)
{
    return -(wide)(x >= y);
}
INLINE wide common_bits(wide x, wide y, unsigned bits)
{
    return -(wide)((x & y) != 0);
}
EVAL(vceq)
{
    map2u(r, a, how, equal);
}
EVAL(vcgts)
{
    map2s(r, a, how, greater);
}
EVAL(vcges)
{
    map2s(r, a, how, greater_equal);
}
EVAL(vcgtu)
{
    map2u(r, a, how, greater);
}
EVAL(vcgeu)
{
    map2u(r, a, how, greater_equal);
}
EVAL(vtst)
{
    map2u(r, a, how, common_bits);
}

/* --- Shifts by an immediate --- */

INLINE wide shift_left(wide x, wide n, unsigned bits)
{
    return (wide)((uint64_t)x << (n & 63));
}
INLINE wide shift_right(wide x, wide n, unsigned bits)
{
    return x >> n;
}
INLINE wide rounding_shift_right(wide x, wide n, unsigned bits)
{
    return (x + ((wide)1 << n >> 1)) >> n;
}
INLINE wide shift_left_sat_unsigned(wide x, wide n, unsigned bits)
{
    return lane_clamp(x * ((wide)1 << n), bits, false);
}
EVAL(vshli)
{
    map_imm(r, a, how, false, shift_left);
}
EVAL(vushri)
{
    map_imm(r, a, how, false, shift_right);
}
EVAL(vsshri)
{
    map_imm(r, a, how, true, shift_right);
}
EVAL(vurshri)
{
    map_imm(r, a, how, false, rounding_shift_right);
}
EVAL(vsrshri)
{
    map_imm(r, a, how, true, rounding_shift_right);
}
EVAL(vsqshlu)
{
    map_imm(r, a, how, true, shift_left_sat_unsigned);
}

/*
 * Shifts by a register.  Counts of the lane's width and more are cut to the next that gives the same
 * result: a left shift by the width loses everything (or saturates), a right shift by the width plus
 * one leaves only the sign, or nothing when rounding.
 */
INLINE wide shift(wide x, wide y, unsigned bits, bool sign, bool round, bool sat)
{
    int n = (int8_t)y;

    if (n < 0) {
        n = -n > (int)bits ? (int)bits + 1 : -n;
        return (x + (round ? (wide)1 << (n - 1) : 0)) >> n;
    }
    if (n >= (int)bits) {
        if (!sat || x == 0)
            return 0;
        return x < 0 ? lane_min(bits, sign) : lane_max(bits, sign);
    }
    return sat ? lane_clamp(x * ((wide)1 << n), bits, sign) : (wide)((uint64_t)x << n);
}
INLINE wide ushl(wide x, wide y, unsigned bits)
{
    return shift(x, y, bits, false, false, false);
}
INLINE wide sshl(wide x, wide y, unsigned bits)
{
    return shift(x, y, bits, true, false, false);
}
INLINE wide urshl(wide x, wide y, unsigned bits)
{
    return shift(x, y, bits, false, true, false);
}
INLINE wide srshl(wide x, wide y, unsigned bits)
{
    return shift(x, y, bits, true, true, false);
}
INLINE wide uqshl(wide x, wide y, unsigned bits)
{
    return shift(x, y, bits, false, false, true);
}
INLINE wide sqshl(wide x, wide y, unsigned bits)
{
    return shift(x, y, bits, true, false, true);
}
INLINE wide uqrshl(wide x, wide y, unsigned bits)
{
    return shift(x, y, bits, false, true, true);
}
INLINE wide sqrshl(wide x, wide y, unsigned bits)
{
    return shift(x, y, bits, true, true, true);
}
EVAL(vushl)
{
    map2u(r, a, how, ushl);
}
EVAL(vsshl)
{
    map2s(r, a, how, sshl);
}
EVAL(vurshl)
{
    map2u(r, a, how, urshl);
}
EVAL(vsrshl)
{
    map2s(r, a, how, srshl);
}
EVAL(vuqshl)
{
    map2u(r, a, how, uqshl);
}
EVAL(vsqshl)
{
    map2s(r, a, how, sqshl);
}
EVAL(vuqrshl)
{
    map2u(r, a, how, uqrshl);
}
EVAL(vsqrshl)
{
    map2s(r, a, how, sqrshl);
}

/* --- Doubling multiplies returning the high half: h and s lanes only --- */

INLINE wide sqdmulh(wide x, wide y, unsigned bits)
{
    return lane_clamp((2 * x * y) >> bits, bits, true);
}
INLINE wide sqrdmulh(wide x, wide y, unsigned bits)
{
    return lane_clamp((2 * x * y + lane_max(bits, true) + 1) >> bits, bits, true);
}
EVAL(vsqdmulh)
{
    map2s(r, a, how, sqdmulh);
}
EVAL(vsqrdmulh)
{
    map2s(r, a, how, sqrdmulh);
}

/* --- Bits --- */

INLINE wide count_ones(wide x, unsigned bits)
{
    return __builtin_popcountll((uint64_t)x);
}
INLINE wide leading_zeros(wide x, unsigned bits)
{
    return x ? __builtin_clzll((uint64_t)x) - (64 - (int)bits) : (int)bits;
}
INLINE wide leading_sign_bits(wide x, unsigned bits)
{
    return leading_zeros((x ^ (x >> 1)) & lane_max(bits, true), bits) - 1;
}
INLINE wide reverse_bits_of_bytes(wide x, unsigned bits)
{
    uint64_t v = (uint64_t)x;

    v = (v >> 1 & 0x5555555555555555) | (v & 0x5555555555555555) << 1;
    v = (v >> 2 & 0x3333333333333333) | (v & 0x3333333333333333) << 2;
    return (v >> 4 & 0x0f0f0f0f0f0f0f0f) | (v & 0x0f0f0f0f0f0f0f0f) << 4;
}
EVAL(vcnt)
{
    map1_at(r, a, 0, false, count_ones);
}
EVAL(vclz)
{
    map1(r, a, how, false, leading_zeros);
}
EVAL(vcls)
{
    map1(r, a, how, true, leading_sign_bits);
}
EVAL(vrbit)
{
    map1_at(r, a, 3, false, reverse_bits_of_bytes);
}

INLINE wide recpe(wide x, unsigned bits)
{
    return u32_recpe((uint32_t)x);
}
INLINE wide rsqrte(wide x, unsigned bits)
{
    return u32_rsqrte((uint32_t)x);
}
EVAL(vurecpe)
{
    map1_at(r, a, 2, false, recpe);
}
EVAL(vursqrte)
{
    map1_at(r, a, 2, false, rsqrte);
}
