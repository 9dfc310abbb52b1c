/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Soft float: arithmetic, minimum, maximum, comparison (IEEE 754; Arm ARM FPAdd, FPCompare). */
#include "base/softfloat.h"

#include "base/softfloat_core.h"

/* Both finite and not zero. */
FP_INLINE uint64_t add_finite(struct fp_fmt f, struct fp_num x, struct fp_num y, struct fp_env *env)
{
    uint64_t m;
    int n;

    if (x.exp < y.exp || (x.exp == y.exp && x.mant < y.mant)) {
        struct fp_num t = x;

        x = y;
        y = t;
    }
    m = fp_shr_jam(y.mant >> 1, x.exp - y.exp);
    m = x.sign == y.sign ? (x.mant >> 1) + m : (x.mant >> 1) - m;
    if (!m)
        return fp_zero_sum(f, env);
    n = __builtin_clzll(m);
    return fp_round(f, x.sign, x.exp + 1 - n, m << n, env->rounding, env);
}

/* FPAdd, and FPSub when @flip: the second operand's sign, but not a NaN's, is changed. */
FP_INLINE uint64_t add(struct fp_fmt f, uint64_t a, uint64_t b, bool flip, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);

    y.sign ^= flip;
    if (FP_LIKELY(x.cls == FP_FINITE && y.cls == FP_FINITE))
        return add_finite(f, x, y, env);
    if (fp_is_nan(x) || fp_is_nan(y))
        return fp_nan2(f, a, x, b, y, env);
    if (x.cls == FP_INF && y.cls == FP_INF && x.sign != y.sign)
        return fp_invalid(f, env);
    if (x.cls == FP_INF || y.cls == FP_INF)
        return fp_inf(f, x.cls == FP_INF ? x.sign : y.sign);
    if (x.cls == FP_ZERO && y.cls == FP_ZERO)
        return x.sign == y.sign ? fp_zero(f, x.sign) : fp_zero_sum(f, env);
    if (x.cls == FP_ZERO)
        x = y;
    return fp_round(f, x.sign, x.exp, x.mant, env->rounding, env);
}

/* FPMul, and FPMulX when @x_form: then zero times infinity is two. */
FP_INLINE uint64_t mul(struct fp_fmt f, uint64_t a, uint64_t b, bool x_form, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    bool sign = x.sign ^ y.sign;

    if (FP_LIKELY(x.cls == FP_FINITE && y.cls == FP_FINITE)) {
        fp_u128 p = (fp_u128)x.mant * y.mant;

        return fp_round128(f, sign, x.exp + y.exp + 1, p, env);
    }
    if (fp_is_nan(x) || fp_is_nan(y))
        return fp_nan2(f, a, x, b, y, env);
    if (x.cls == FP_INF || y.cls == FP_INF) {
        if (x.cls != FP_ZERO && y.cls != FP_ZERO)
            return fp_inf(f, sign);
        if (!x_form)
            return fp_invalid(f, env);
        return fp_zero(f, sign) | (uint64_t)(fp_bias(f) + 1) << f.frac;
    }
    return fp_zero(f, sign);
}

FP_INLINE uint64_t div_finite(struct fp_fmt f, struct fp_num x, struct fp_num y, struct fp_env *env)
{
    bool sign = x.sign ^ y.sign;
    int exp = x.exp - y.exp;
    uint64_t q;

    if (f.frac <= 23) { /* a 64-bit division is enough */
        uint64_t n = x.mant >> 40 << 39, d = y.mant >> 40;

        q = n / d << 24 | (n % d != 0);
    } else {
        fp_u128 n = (fp_u128)(x.mant >> 1) << 64;

        q = n / y.mant;
        q |= n != (fp_u128)q * y.mant;
    }
    if (!(q >> 63)) {
        q <<= 1;
        exp--;
    }
    return fp_round(f, sign, exp, q, env->rounding, env);
}

FP_INLINE uint64_t div_(struct fp_fmt f, uint64_t a, uint64_t b, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    bool sign = x.sign ^ y.sign;

    if (FP_LIKELY(x.cls == FP_FINITE && y.cls == FP_FINITE))
        return div_finite(f, x, y, env);
    if (fp_is_nan(x) || fp_is_nan(y))
        return fp_nan2(f, a, x, b, y, env);
    if (x.cls == y.cls) /* 0/0, inf/inf */
        return fp_invalid(f, env);
    if (x.cls == FP_INF || y.cls == FP_ZERO) {
        if (x.cls != FP_INF)
            env->flags |= FP_DZC;
        return fp_inf(f, sign);
    }
    return fp_zero(f, sign);
}

/* Root and remainder of a >= 2^30, bit by bit. */
static uint32_t sqrt_rem32(uint32_t a, uint32_t *rem)
{
    uint32_t root = 0;

    for (uint32_t bit = UINT32_C(1) << 30; bit; bit >>= 2) {
        uint32_t t = root + bit;

        root >>= 1;
        if (a >= t) {
            a -= t;
            root += bit;
        }
    }
    *rem = a;
    return root;
}

/*
 * Zimmermann's Karatsuba square root: from the root s and remainder of the upper half, the lower
 * half of the root is one division by 2s, at most one too large.  a >= 2^62.
 */
static uint64_t sqrt_rem64(uint64_t a, uint64_t *rem)
{
    uint32_t r;
    uint64_t s = sqrt_rem32(a >> 32, &r);
    uint64_t t = (uint64_t)r << 16 | (a >> 16 & 0xffff);
    uint64_t q = t / (2 * s);
    int64_t left = (int64_t)((t % (2 * s)) << 16 | (a & 0xffff)) - (int64_t)(q * q);

    s = (s << 16) + q;
    if (left < 0)
        left += 2 * (int64_t)s-- - 1;
    *rem = left;
    return s;
}

/* Root of a >= 2^126; bit 0 is sticky. */
static uint64_t sqrt_jam128(fp_u128 a)
{
    uint64_t r;
    uint64_t s = sqrt_rem64(a >> 64, &r);
    fp_u128 t = (fp_u128)r << 32 | (uint32_t)(a >> 32);
    uint64_t q = t / (2 * s);

    /* One too large is below the bits that are kept, if the remainder is then taken as not zero. */
    s = (s << 32) + q;
    return (fp_u128)s * s == a ? s : (s - ((fp_u128)s * s > a)) | 1;
}

FP_INLINE uint64_t sqrt_(struct fp_fmt f, uint64_t a, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env);
    uint64_t m, r;

    if (fp_is_nan(x))
        return fp_nan1(f, a, x, env);
    if (x.cls == FP_ZERO)
        return fp_zero(f, x.sign);
    if (x.sign)
        return fp_invalid(f, env);
    if (x.cls == FP_INF)
        return fp_inf(f, false);
    if (f.frac <= 23) { /* the radicand fits 64 bits, the root 32 */
        m = sqrt_rem64(x.exp & 1 ? x.mant : x.mant >> 1, &r) << 32;
        m |= r != 0;
    } else {
        m = sqrt_jam128((fp_u128)x.mant << (63 + (x.exp & 1)));
    }
    return fp_round(f, false, x.exp >> 1, m, env->rounding, env);
}

/* FPProcessNaNs3: the addend's place is first. */
FP_INLINE uint64_t fma_nan(struct fp_fmt f, uint64_t a, struct fp_num x, uint64_t b,
                           struct fp_num y, uint64_t c, struct fp_num z, struct fp_env *env)
{
    bool inf_zero = (x.cls == FP_INF && y.cls == FP_ZERO) || (x.cls == FP_ZERO && y.cls == FP_INF);

    if (env->nan_rule == FP_NAN_X86) {
        if (fp_is_nan(x) || fp_is_nan(y)) {
            if (z.cls == FP_SNAN)
                env->flags |= FP_IOC;
            return fp_nan2(f, a, x, b, y, env);
        }
        return fp_nan1(f, c, z, env);
    }
    if (z.cls == FP_QNAN && inf_zero)
        return fp_invalid(f, env);
    if (z.cls == FP_SNAN)
        return fp_nan1(f, c, z, env);
    if (x.cls == FP_SNAN || y.cls == FP_SNAN || z.cls != FP_QNAN)
        return fp_nan2(f, a, x, b, y, env);
    return fp_nan1(f, c, z, env);
}

/* @x and @y may come from a narrower format, but never as NaNs unless @a and @b are in @f. */
FP_INLINE uint64_t fma_num(struct fp_fmt f, uint64_t a, struct fp_num x, uint64_t b,
                           struct fp_num y, uint64_t c, struct fp_num z, struct fp_env *env)
{
    bool psign = x.sign ^ y.sign, pinf;

    if (FP_LIKELY(x.cls <= FP_FINITE && y.cls <= FP_FINITE && z.cls <= FP_FINITE))
        return fp_muladd(f, x, y, z, 0, env);
    if (fp_is_nan(x) || fp_is_nan(y) || fp_is_nan(z))
        return fma_nan(f, a, x, b, y, c, z, env);
    pinf = x.cls == FP_INF || y.cls == FP_INF;
    if (pinf && (x.cls == FP_ZERO || y.cls == FP_ZERO))
        return fp_invalid(f, env);
    if (pinf && z.cls == FP_INF && psign != z.sign)
        return fp_invalid(f, env);
    return fp_inf(f, pinf ? psign : z.sign);
}

FP_INLINE uint64_t fma_(struct fp_fmt f, uint64_t a, uint64_t b, uint64_t c, struct fp_env *env)
{
    struct fp_num z = fp_unpack(f, c, env), x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);

    return fma_num(f, a, x, b, y, c, z, env);
}

/* x < y as numbers; either may be infinite. */
FP_INLINE bool less(struct fp_num x, struct fp_num y)
{
    int ex = x.cls == FP_ZERO ? INT16_MIN : x.cls == FP_INF ? INT16_MAX : x.exp;
    int ey = y.cls == FP_ZERO ? INT16_MIN : y.cls == FP_INF ? INT16_MAX : y.exp;

    if (x.cls == FP_ZERO && y.cls == FP_ZERO)
        return false;
    if (x.sign != y.sign)
        return x.sign;
    if (ex != ey)
        return (ex < ey) ^ x.sign;
    return x.sign ? x.mant > y.mant : x.mant < y.mant;
}

/* FPMin, FPMax; with @nm FPMinNum, FPMaxNum: one quiet NaN loses to a number. */
FP_INLINE uint64_t minmax(struct fp_fmt f, uint64_t a, uint64_t b, bool max, bool nm,
                          struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);
    struct fp_num none = {.cls = FP_INF, .sign = max};

    if (nm && x.cls == FP_QNAN && y.cls != FP_QNAN) {
        x = none;
        a = fp_inf(f, max);
    } else if (nm && y.cls == FP_QNAN && x.cls != FP_QNAN) {
        y = none;
        b = fp_inf(f, max);
    }
    if (fp_is_nan(x) || fp_is_nan(y))
        return fp_nan2(f, a, x, b, y, env);
    if (x.cls == FP_ZERO && y.cls == FP_ZERO)
        return fp_zero(f, max ? x.sign & y.sign : x.sign | y.sign);
    if (max ? less(y, x) : less(x, y)) {
        y = x;
        b = a;
    }
    return y.cls == FP_ZERO ? fp_zero(f, y.sign) : b;
}

FP_INLINE enum fp_order compare(struct fp_fmt f, uint64_t a, uint64_t b, bool signalling,
                                struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);

    if (fp_is_nan(x) || fp_is_nan(y)) {
        if (signalling || x.cls == FP_SNAN || y.cls == FP_SNAN)
            env->flags |= FP_IOC;
        return FP_UNORDERED;
    }
    return less(x, y) ? FP_LESS : less(y, x) ? FP_GREATER : FP_EQUAL;
}

/* A NaN of the narrow format as one of the wide format, signalling as before (FPProcessNaNs3H). */
static uint32_t widen_nan(uint16_t a)
{
    return (uint32_t)(a & 0x8000) << 16 | 0x7f800000 | (uint32_t)(a & 0x3ff) << 13;
}

uint32_t f32_fma_f16(uint16_t a, uint16_t b, uint32_t c, struct fp_env *env)
{
    struct fp_num z = fp_unpack(FP_F32, c, env);
    struct fp_num x = fp_unpack(FP_F16, a, env), y = fp_unpack(FP_F16, b, env);

    return fma_num(FP_F32, widen_nan(a), x, widen_nan(b), y, c, z, env);
}

/* The entry points: one line of meaning each, per format. */

uint16_t f16_add(uint16_t a, uint16_t b, struct fp_env *env)
{
    return add(FP_F16, a, b, false, env);
}

uint32_t f32_add(uint32_t a, uint32_t b, struct fp_env *env)
{
    return add(FP_F32, a, b, false, env);
}

uint64_t f64_add(uint64_t a, uint64_t b, struct fp_env *env)
{
    return add(FP_F64, a, b, false, env);
}

uint16_t f16_sub(uint16_t a, uint16_t b, struct fp_env *env)
{
    return add(FP_F16, a, b, true, env);
}

uint32_t f32_sub(uint32_t a, uint32_t b, struct fp_env *env)
{
    return add(FP_F32, a, b, true, env);
}

uint64_t f64_sub(uint64_t a, uint64_t b, struct fp_env *env)
{
    return add(FP_F64, a, b, true, env);
}

uint16_t f16_mul(uint16_t a, uint16_t b, struct fp_env *env)
{
    return mul(FP_F16, a, b, false, env);
}

uint32_t f32_mul(uint32_t a, uint32_t b, struct fp_env *env)
{
    return mul(FP_F32, a, b, false, env);
}

uint64_t f64_mul(uint64_t a, uint64_t b, struct fp_env *env)
{
    return mul(FP_F64, a, b, false, env);
}

uint16_t f16_mulx(uint16_t a, uint16_t b, struct fp_env *env)
{
    return mul(FP_F16, a, b, true, env);
}

uint32_t f32_mulx(uint32_t a, uint32_t b, struct fp_env *env)
{
    return mul(FP_F32, a, b, true, env);
}

uint64_t f64_mulx(uint64_t a, uint64_t b, struct fp_env *env)
{
    return mul(FP_F64, a, b, true, env);
}

uint16_t f16_div(uint16_t a, uint16_t b, struct fp_env *env)
{
    return div_(FP_F16, a, b, env);
}

uint32_t f32_div(uint32_t a, uint32_t b, struct fp_env *env)
{
    return div_(FP_F32, a, b, env);
}

uint64_t f64_div(uint64_t a, uint64_t b, struct fp_env *env)
{
    return div_(FP_F64, a, b, env);
}

uint16_t f16_sqrt(uint16_t a, struct fp_env *env)
{
    return sqrt_(FP_F16, a, env);
}

uint32_t f32_sqrt(uint32_t a, struct fp_env *env)
{
    return sqrt_(FP_F32, a, env);
}

uint64_t f64_sqrt(uint64_t a, struct fp_env *env)
{
    return sqrt_(FP_F64, a, env);
}

uint16_t f16_fma(uint16_t a, uint16_t b, uint16_t c, struct fp_env *env)
{
    return fma_(FP_F16, a, b, c, env);
}

uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c, struct fp_env *env)
{
    return fma_(FP_F32, a, b, c, env);
}

uint64_t f64_fma(uint64_t a, uint64_t b, uint64_t c, struct fp_env *env)
{
    return fma_(FP_F64, a, b, c, env);
}

uint16_t f16_min(uint16_t a, uint16_t b, struct fp_env *env)
{
    return minmax(FP_F16, a, b, false, false, env);
}

uint32_t f32_min(uint32_t a, uint32_t b, struct fp_env *env)
{
    return minmax(FP_F32, a, b, false, false, env);
}

uint64_t f64_min(uint64_t a, uint64_t b, struct fp_env *env)
{
    return minmax(FP_F64, a, b, false, false, env);
}

uint16_t f16_max(uint16_t a, uint16_t b, struct fp_env *env)
{
    return minmax(FP_F16, a, b, true, false, env);
}

uint32_t f32_max(uint32_t a, uint32_t b, struct fp_env *env)
{
    return minmax(FP_F32, a, b, true, false, env);
}

uint64_t f64_max(uint64_t a, uint64_t b, struct fp_env *env)
{
    return minmax(FP_F64, a, b, true, false, env);
}

uint16_t f16_minnm(uint16_t a, uint16_t b, struct fp_env *env)
{
    return minmax(FP_F16, a, b, false, true, env);
}

uint32_t f32_minnm(uint32_t a, uint32_t b, struct fp_env *env)
{
    return minmax(FP_F32, a, b, false, true, env);
}

uint64_t f64_minnm(uint64_t a, uint64_t b, struct fp_env *env)
{
    return minmax(FP_F64, a, b, false, true, env);
}

uint16_t f16_maxnm(uint16_t a, uint16_t b, struct fp_env *env)
{
    return minmax(FP_F16, a, b, true, true, env);
}

uint32_t f32_maxnm(uint32_t a, uint32_t b, struct fp_env *env)
{
    return minmax(FP_F32, a, b, true, true, env);
}

uint64_t f64_maxnm(uint64_t a, uint64_t b, struct fp_env *env)
{
    return minmax(FP_F64, a, b, true, true, env);
}

enum fp_order f16_compare(uint16_t a, uint16_t b, bool signalling, struct fp_env *env)
{
    return compare(FP_F16, a, b, signalling, env);
}

enum fp_order f32_compare(uint32_t a, uint32_t b, bool signalling, struct fp_env *env)
{
    return compare(FP_F32, a, b, signalling, env);
}

enum fp_order f64_compare(uint64_t a, uint64_t b, bool signalling, struct fp_env *env)
{
    return compare(FP_F64, a, b, signalling, env);
}
