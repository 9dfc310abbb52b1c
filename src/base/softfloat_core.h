/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Soft float's inside: unpacking, rounding, NaN choice (Arm ARM FPUnpack, FPRound). */
#ifndef BASE_SOFTFLOAT_CORE_H
#define BASE_SOFTFLOAT_CORE_H

#include "base/softfloat.h"

/*
 * One text serves every format: each function is inlined with a constant format, so that the
 * compiler makes the three specialised versions.
 */
#define FP_INLINE    static inline __attribute__((always_inline, unused))
#define FP_LIKELY(x) __builtin_expect(!!(x), 1)

typedef unsigned __int128 fp_u128; /* the one name that a struct tag cannot carry */

/** struct fp_fmt - an interchange format: sign, @exp bits of exponent, @frac bits of fraction. */
struct fp_fmt {
    int exp, frac;
    bool half; /* flushes by fz16, and silently */
    bool conv; /* half in a conversion: never flushes, may be Arm's alternative format */
};

#define FP_F16      ((struct fp_fmt){5, 10, true, false})
#define FP_F16_CONV ((struct fp_fmt){5, 10, true, true})
#define FP_F32      ((struct fp_fmt){8, 23, false, false})
#define FP_BF16     ((struct fp_fmt){8, 7, false, false})
#define FP_F64      ((struct fp_fmt){11, 52, false, false})

enum fp_class { FP_ZERO, FP_FINITE, FP_INF, FP_QNAN, FP_SNAN };

/** struct fp_num - an unpacked operand; when FP_FINITE, mant * 2^(exp-63) with bit 63 set. */
struct fp_num {
    uint64_t mant;
    int exp;
    uint8_t cls; /* enum fp_class */
    bool sign;
};

FP_INLINE int fp_bias(struct fp_fmt f)
{
    return (1 << (f.exp - 1)) - 1;
}

FP_INLINE int fp_exp_max(struct fp_fmt f)
{
    return (1 << f.exp) - 1;
}

FP_INLINE uint64_t fp_frac_mask(struct fp_fmt f)
{
    return (UINT64_C(1) << f.frac) - 1;
}

FP_INLINE uint64_t fp_zero(struct fp_fmt f, bool sign)
{
    return (uint64_t)sign << (f.exp + f.frac);
}

FP_INLINE uint64_t fp_inf(struct fp_fmt f, bool sign)
{
    return fp_zero(f, sign) | (uint64_t)fp_exp_max(f) << f.frac;
}

FP_INLINE uint64_t fp_max_normal(struct fp_fmt f, bool sign)
{
    return fp_inf(f, sign) - 1;
}

FP_INLINE uint64_t fp_quiet_bit(struct fp_fmt f)
{
    return UINT64_C(1) << (f.frac - 1);
}

FP_INLINE uint64_t fp_neg(struct fp_fmt f, uint64_t a)
{
    return a ^ fp_zero(f, true);
}

FP_INLINE bool fp_flushes(struct fp_fmt f, const struct fp_env *env)
{
    return f.half ? !f.conv && env->fz16 : env->fz;
}

FP_INLINE uint64_t fp_default_nan(struct fp_fmt f, const struct fp_env *env)
{
    return fp_inf(f, env->nan_rule == FP_NAN_X86) | fp_quiet_bit(f);
}

/* An invalid operation whose result is the default NaN. */
FP_INLINE uint64_t fp_invalid(struct fp_fmt f, struct fp_env *env)
{
    env->flags |= FP_IOC;
    return fp_default_nan(f, env);
}

/* Shift right; bits that fall out are or'ed into bit 0, so that rounding still sees them. */
FP_INLINE uint64_t fp_shr_jam(uint64_t m, int n)
{
    if (n >= 64)
        return m != 0;
    return n ? m >> n | (m << (64 - n) != 0) : m;
}

FP_INLINE fp_u128 fp_shr_jam128(fp_u128 m, int n)
{
    if (n >= 128)
        return m != 0;
    return n ? m >> n | (m << (128 - n) != 0) : m;
}

FP_INLINE struct fp_num fp_unpack(struct fp_fmt f, uint64_t a, struct fp_env *env)
{
    uint64_t frac = a & fp_frac_mask(f);
    int e = (int)(a >> f.frac) & fp_exp_max(f);
    struct fp_num n = {.sign = a >> (f.exp + f.frac) & 1, .cls = FP_FINITE};

    if (FP_LIKELY(e != 0 && (e != fp_exp_max(f) || (f.conv && env->ahp)))) {
        n.mant = (UINT64_C(1) << f.frac | frac) << (63 - f.frac);
        n.exp = e - fp_bias(f);
    } else if (e != 0) {
        n.cls = !frac ? FP_INF : frac & fp_quiet_bit(f) ? FP_QNAN : FP_SNAN;
    } else if (!frac) {
        n.cls = FP_ZERO;
    } else if (fp_flushes(f, env)) {
        n.cls = FP_ZERO;
        env->flags |= f.half ? 0 : FP_IDC;
    } else {
        int shift = __builtin_clzll(frac);

        n.mant = frac << shift;
        n.exp = 64 - shift - fp_bias(f) - f.frac;
    }
    return n;
}

FP_INLINE bool fp_is_nan(struct fp_num n)
{
    return n.cls >= FP_QNAN;
}

/* Does a magnitude whose dropped part is @rest (@half is one half unit) round up? */
FP_INLINE bool fp_rounds_up(bool sign, bool odd, uint64_t rest, uint64_t half, enum fp_rounding r)
{
    switch (r) {
    case FP_RN: return rest > half || (rest == half && odd);
    case FP_RP: return rest && !sign;
    case FP_RM: return rest && sign;
    case FP_RA: return rest >= half;
    case FP_RZ:
    case FP_RO: break;
    }
    return false;
}

FP_INLINE bool fp_overflows_to_inf(bool sign, enum fp_rounding r)
{
    return r == FP_RN || r == FP_RA || r == (sign ? FP_RM : FP_RP);
}

FP_INLINE uint64_t fp_overflow(struct fp_fmt f, bool sign, enum fp_rounding r, struct fp_env *env)
{
    if (f.conv && env->ahp) {
        env->flags |= FP_IOC;
        return fp_zero(f, sign) | (fp_zero(f, true) - 1);
    }
    env->flags |= FP_OFC | FP_IXC;
    return fp_overflows_to_inf(sign, r) ? fp_inf(f, sign) : fp_max_normal(f, sign);
}

/* mant * 2^(exp-63), bit 63 set, bit 0 sticky: rounded once and packed (FPRound). */
FP_INLINE uint64_t fp_round(struct fp_fmt f, bool sign, int exp, uint64_t mant, enum fp_rounding r,
                            struct fp_env *env)
{
    const int shift = 63 - f.frac;
    int biased = exp + fp_bias(f);
    int top = fp_exp_max(f) + (f.conv && env->ahp);
    uint64_t rest, m;

    if (__builtin_expect(biased <= 0, 0)) {
        if (fp_flushes(f, env)) {
            env->flags |= FP_UFC;
            return fp_zero(f, sign);
        }
        mant = fp_shr_jam(mant, 1 - biased);
        biased = 0;
    }
    rest = mant & ((UINT64_C(1) << shift) - 1);
    m = mant >> shift;
    /* The leading one adds one to the exponent field, and so does a carry out of the fraction. */
    m += (uint64_t)(biased ? biased - 1 : 0) << f.frac;
    if (rest) {
        if (r == FP_RO)
            m |= 1;
        else
            m += fp_rounds_up(sign, m & 1, rest, UINT64_C(1) << (shift - 1), r);
    }
    if (biased >= top || (int)(m >> f.frac) >= top)
        return fp_overflow(f, sign, r, env);
    if (rest)
        env->flags |= biased ? FP_IXC : FP_IXC | FP_UFC;
    return fp_zero(f, sign) | m;
}

/* An exact sum of zero is positive, except when rounding down. */
FP_INLINE uint64_t fp_zero_sum(struct fp_fmt f, const struct fp_env *env)
{
    return fp_zero(f, env->rounding == FP_RM);
}

/* FPProcessNaN: @a is a NaN of class @n. */
FP_INLINE uint64_t fp_nan1(struct fp_fmt f, uint64_t a, struct fp_num n, struct fp_env *env)
{
    if (n.cls == FP_SNAN)
        env->flags |= FP_IOC;
    return env->dn ? fp_default_nan(f, env) : a | fp_quiet_bit(f);
}

/* FPProcessNaNs: at least one of the two is a NaN. */
FP_INLINE uint64_t fp_nan2(struct fp_fmt f, uint64_t a, struct fp_num x, uint64_t b,
                           struct fp_num y, struct fp_env *env)
{
    bool first = fp_is_nan(x);

    if (x.cls == FP_SNAN || y.cls == FP_SNAN) {
        env->flags |= FP_IOC;
        if (env->nan_rule == FP_NAN_ARM)
            first = x.cls == FP_SNAN;
    }
    return first ? fp_nan1(f, a, x, env) : fp_nan1(f, b, y, env);
}

/* 128 bits of significand at scale 2^(exp-127): normalise, then round. */
FP_INLINE uint64_t fp_round128(struct fp_fmt f, bool sign, int exp, fp_u128 m, struct fp_env *env)
{
    uint64_t hi = m >> 64, lo = m;
    int n = hi ? __builtin_clzll(hi) : 64 + __builtin_clzll(lo);

    m <<= n;
    hi = m >> 64;
    lo = m;
    return fp_round(f, sign, exp - n, hi | (lo != 0), env->rounding, env);
}

/*
 * x*y + z, each finite or zero, scaled by 2^scale and rounded once.  The product of two 53-bit
 * significands is exact in 128 bits; what falls off the smaller term is sticky.
 */
FP_INLINE uint64_t fp_muladd(struct fp_fmt f, struct fp_num x, struct fp_num y, struct fp_num z,
                             int scale, struct fp_env *env)
{
    bool psign = x.sign ^ y.sign, sign;
    fp_u128 p, c = (fp_u128)z.mant << 63;
    int pe = x.exp + y.exp + 1, e;

    if (x.cls == FP_ZERO || y.cls == FP_ZERO) {
        if (z.cls != FP_ZERO)
            return fp_round(f, z.sign, z.exp + scale, z.mant, env->rounding, env);
        return psign == z.sign ? fp_zero(f, psign) : fp_zero_sum(f, env);
    }
    p = (fp_u128)x.mant * y.mant;
    if (z.cls == FP_ZERO)
        return fp_round128(f, psign, pe + scale, p, env);
    p >>= 1; /* room for a carry; the low bits are zero */
    e = pe > z.exp ? pe : z.exp;
    p = fp_shr_jam128(p, e - pe);
    c = fp_shr_jam128(c, e - z.exp);
    sign = p > c ? psign : z.sign;
    if (psign == z.sign)
        p += c;
    else
        p = p > c ? p - c : c - p;
    if (!p)
        return fp_zero_sum(f, env);
    return fp_round128(f, sign, e + 1 + scale, p, env);
}

#endif
