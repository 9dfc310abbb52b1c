/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Soft float: conversions, to integral values (Arm ARM FPConvert, FPToFixed, FPRoundInt). */
#include "base/softfloat.h"

#include "base/softfloat_core.h"

/* FPConvertNaN: sign and the leading payload bits are kept. */
FP_INLINE uint64_t convert_nan(struct fp_fmt from, struct fp_fmt to, uint64_t a, bool sign)
{
    uint64_t frac = a & fp_frac_mask(from);

    frac = to.frac > from.frac ? frac << (to.frac - from.frac) : frac >> (from.frac - to.frac);
    return fp_inf(to, sign) | fp_quiet_bit(to) | frac;
}

/* FPConvert. */
FP_INLINE uint64_t convert(struct fp_fmt from, struct fp_fmt to, uint64_t a, enum fp_rounding r,
                           struct fp_env *env)
{
    struct fp_num x = fp_unpack(from, a, env);
    bool alt = to.conv && env->ahp;

    if (FP_LIKELY(x.cls == FP_FINITE))
        return fp_round(to, x.sign, x.exp, x.mant, r, env);
    if (x.cls == FP_ZERO)
        return fp_zero(to, x.sign);
    if (alt || x.cls == FP_SNAN)
        env->flags |= FP_IOC;
    if (x.cls == FP_INF) /* the alternative format's largest number has all bits set */
        return alt ? fp_zero(to, x.sign) | (fp_zero(to, true) - 1) : fp_inf(to, x.sign);
    if (alt)
        return fp_zero(to, x.sign);
    return env->dn ? fp_default_nan(to, env) : convert_nan(from, to, a, x.sign);
}

uint32_t f16_to_f32(uint16_t a, struct fp_env *env)
{
    return convert(FP_F16_CONV, FP_F32, a, env->rounding, env);
}

uint64_t f16_to_f64(uint16_t a, struct fp_env *env)
{
    return convert(FP_F16_CONV, FP_F64, a, env->rounding, env);
}

uint16_t f32_to_f16(uint32_t a, struct fp_env *env)
{
    return convert(FP_F32, FP_F16_CONV, a, env->rounding, env);
}

uint64_t f32_to_f64(uint32_t a, struct fp_env *env)
{
    return convert(FP_F32, FP_F64, a, env->rounding, env);
}

uint16_t f64_to_f16(uint64_t a, struct fp_env *env)
{
    return convert(FP_F64, FP_F16_CONV, a, env->rounding, env);
}

uint32_t f64_to_f32(uint64_t a, struct fp_env *env)
{
    return convert(FP_F64, FP_F32, a, env->rounding, env);
}

uint32_t f64_to_f32_odd(uint64_t a, struct fp_env *env)
{
    return convert(FP_F64, FP_F32, a, FP_RO, env);
}

uint16_t f32_to_bf16(uint32_t a, struct fp_env *env)
{
    return convert(FP_F32, FP_BF16, a, env->rounding, env);
}

/* The integral part of mant * 2^(exp-63), exp < 64; 2^63 of @rest is one half, its bit 0 sticky. */
FP_INLINE uint64_t split(struct fp_num x, int exp, uint64_t *rest)
{
    fp_u128 v = fp_shr_jam128((fp_u128)x.mant << 64, 63 - exp);

    *rest = v;
    return v >> 64;
}

/* The magnitude rounded to an integer; false when it needs more than 64 bits. */
FP_INLINE bool round_int(struct fp_num x, int exp, enum fp_rounding r, uint64_t *q, uint64_t *rest)
{
    if (exp >= 64)
        return false;
    *q = split(x, exp, rest);
    if (fp_rounds_up(x.sign, *q & 1, *rest, UINT64_C(1) << 63, r))
        return ++*q != 0;
    return true;
}

/* FPToFixed with its SatQ: the result in the low @bits. */
FP_INLINE uint64_t to_int(struct fp_fmt f, uint64_t a, unsigned fbits, enum fp_rounding r, int bits,
                          bool is_signed, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env);
    uint64_t max = ~UINT64_C(0) >> (64 - bits + is_signed), q, rest;
    uint64_t limit = x.sign ? (is_signed ? max + 1 : 0) : max;

    if (x.cls == FP_ZERO)
        return 0;
    if (fp_is_nan(x)) {
        env->flags |= FP_IOC;
        return 0;
    }
    if (x.cls == FP_INF || !round_int(x, x.exp + (int)fbits, r, &q, &rest) || q > limit) {
        env->flags |= FP_IOC;
        return x.sign ? -limit : limit;
    }
    if (rest)
        env->flags |= FP_IXC;
    return x.sign ? -q : q;
}

uint32_t f64_to_i32_js(uint64_t a, bool *z, struct fp_env *env)
{
    struct fp_num x = fp_unpack(FP_F64, a, env);
    uint64_t q = 0, rest = 0;

    *z = false;
    if (x.cls == FP_ZERO) {
        *z = a == 0; /* neither -0 nor a flushed denormal is exact */
        return 0;
    }
    if (x.cls != FP_FINITE) {
        env->flags |= FP_IOC;
        return 0;
    }
    if (x.exp < 64)
        q = split(x, x.exp, &rest);
    else if (x.exp < 64 + 32)
        q = x.mant << (x.exp - 63); /* only the low 32 bits matter */
    if (x.exp >= 64 || q > INT32_MAX + (uint64_t)x.sign)
        env->flags |= FP_IOC;
    else if (rest)
        env->flags |= FP_IXC;
    else
        *z = true;
    return x.sign ? -q : q;
}

/* FixedToFP of a magnitude. */
FP_INLINE uint64_t from_int(struct fp_fmt f, bool sign, uint64_t m, unsigned fbits,
                            struct fp_env *env)
{
    int n;

    if (!m)
        return fp_zero(f, false);
    n = __builtin_clzll(m);
    return fp_round(f, sign, 63 - n - (int)fbits, m << n, env->rounding, env);
}

FP_INLINE uint64_t from_signed(struct fp_fmt f, int64_t a, unsigned fbits, struct fp_env *env)
{
    return from_int(f, a < 0, a < 0 ? -(uint64_t)a : (uint64_t)a, fbits, env);
}

/* FPRoundInt. */
FP_INLINE uint64_t rint_(struct fp_fmt f, uint64_t a, enum fp_rounding r, bool exact,
                         struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env);
    uint64_t q, rest;

    if (fp_is_nan(x))
        return fp_nan1(f, a, x, env);
    if (x.cls == FP_ZERO)
        return fp_zero(f, x.sign);
    if (x.cls == FP_INF || x.exp >= f.frac)
        return a;
    round_int(x, x.exp, r, &q, &rest);
    if (exact && rest)
        env->flags |= FP_IXC;
    return q ? from_int(f, x.sign, q, 0, env) : fp_zero(f, x.sign);
}

/* FPRoundIntN. */
FP_INLINE uint64_t rint_bits(struct fp_fmt f, uint64_t a, unsigned bits, enum fp_rounding r,
                             struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env);
    uint64_t limit = UINT64_C(1) << (bits - 1), q, rest;

    if (x.cls == FP_ZERO)
        return fp_zero(f, x.sign);
    if (x.cls != FP_FINITE || !round_int(x, x.exp, r, &q, &rest) || q > limit - !x.sign) {
        env->flags |= FP_IOC;
        return fp_zero(f, true) | (uint64_t)(fp_bias(f) + (int)bits - 1) << f.frac;
    }
    if (rest)
        env->flags |= FP_IXC;
    return q ? from_int(f, x.sign, q, 0, env) : fp_zero(f, x.sign);
}

uint32_t f32_rint_bits(uint32_t a, unsigned bits, enum fp_rounding r, struct fp_env *env)
{
    return rint_bits(FP_F32, a, bits, r, env);
}

uint64_t f64_rint_bits(uint64_t a, unsigned bits, enum fp_rounding r, struct fp_env *env)
{
    return rint_bits(FP_F64, a, bits, r, env);
}

/* The entry points, per format. */

uint16_t f16_rint(uint16_t a, enum fp_rounding r, bool exact, struct fp_env *env)
{
    return rint_(FP_F16, a, r, exact, env);
}

uint32_t f32_rint(uint32_t a, enum fp_rounding r, bool exact, struct fp_env *env)
{
    return rint_(FP_F32, a, r, exact, env);
}

uint64_t f64_rint(uint64_t a, enum fp_rounding r, bool exact, struct fp_env *env)
{
    return rint_(FP_F64, a, r, exact, env);
}

int16_t f16_to_i16(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F16, a, fbits, r, 16, true, env);
}

uint16_t f16_to_u16(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F16, a, fbits, r, 16, false, env);
}

int32_t f16_to_i32(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F16, a, fbits, r, 32, true, env);
}

uint32_t f16_to_u32(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F16, a, fbits, r, 32, false, env);
}

int64_t f16_to_i64(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F16, a, fbits, r, 64, true, env);
}

uint64_t f16_to_u64(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F16, a, fbits, r, 64, false, env);
}

int32_t f32_to_i32(uint32_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F32, a, fbits, r, 32, true, env);
}

uint32_t f32_to_u32(uint32_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F32, a, fbits, r, 32, false, env);
}

int64_t f32_to_i64(uint32_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F32, a, fbits, r, 64, true, env);
}

uint64_t f32_to_u64(uint32_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F32, a, fbits, r, 64, false, env);
}

int32_t f64_to_i32(uint64_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F64, a, fbits, r, 32, true, env);
}

uint32_t f64_to_u32(uint64_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F64, a, fbits, r, 32, false, env);
}

int64_t f64_to_i64(uint64_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F64, a, fbits, r, 64, true, env);
}

uint64_t f64_to_u64(uint64_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env)
{
    return to_int(FP_F64, a, fbits, r, 64, false, env);
}

uint16_t i64_to_f16(int64_t a, unsigned fbits, struct fp_env *env)
{
    return from_signed(FP_F16, a, fbits, env);
}

uint16_t u64_to_f16(uint64_t a, unsigned fbits, struct fp_env *env)
{
    return from_int(FP_F16, false, a, fbits, env);
}

uint32_t i64_to_f32(int64_t a, unsigned fbits, struct fp_env *env)
{
    return from_signed(FP_F32, a, fbits, env);
}

uint32_t u64_to_f32(uint64_t a, unsigned fbits, struct fp_env *env)
{
    return from_int(FP_F32, false, a, fbits, env);
}

uint64_t i64_to_f64(int64_t a, unsigned fbits, struct fp_env *env)
{
    return from_signed(FP_F64, a, fbits, env);
}

uint64_t u64_to_f64(uint64_t a, unsigned fbits, struct fp_env *env)
{
    return from_int(FP_F64, false, a, fbits, env);
}
