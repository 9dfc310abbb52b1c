/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Soft float: reciprocal and root estimates, Newton steps (Arm ARM FPRecipEstimate ..). */
#include "base/softfloat.h"

#include "base/softfloat_core.h"

/* RecipEstimate: @a is 0.5 <= a/512 < 1; the result r/256 is its reciprocal, 1 <= r/256 < 2. */
static unsigned recip_estimate(unsigned a)
{
    unsigned b = (1u << 19) / (a * 2 + 1);

    return (b + 1) / 2;
}

/*
 * RecipSqrtEstimate: @a is 0.25 <= a/512 < 1; the result is 1/sqrt in 256ths.  The manual counts
 * up to the largest b with a*b*b < 2^28; here it is found bit by bit.
 */
static unsigned rsqrt_estimate(unsigned a)
{
    unsigned b = 512;

    a = a < 256 ? a * 2 + 1 : ((a >> 1 << 1) + 1) * 2;
    for (unsigned bit = 256; bit; bit >>= 1)
        if (a * (b + bit) * (b + bit) < 1u << 28)
            b += bit;
    return (b + 1) / 2;
}

uint32_t u32_recpe(uint32_t a)
{
    return a >> 31 ? recip_estimate(a >> 23) << 23 : UINT32_MAX;
}

uint32_t u32_rsqrte(uint32_t a)
{
    return a >> 30 ? rsqrt_estimate(a >> 23) << 23 : UINT32_MAX;
}

/* FPRecipEstimate, where neither overflow nor flushing has the word. */
FP_INLINE uint64_t recpe_scaled(struct fp_fmt f, struct fp_num x)
{
    unsigned estimate = recip_estimate(x.mant >> 55);
    uint64_t frac = (uint64_t)(estimate & 0xff) << (f.frac - 8);
    int exp = fp_bias(f) - 1 - x.exp; /* of an estimate in [1, 2) */

    if (exp <= 0) { /* a denormal result: one or two places down, without rounding */
        frac = (UINT64_C(1) << f.frac | frac) >> (1 - exp);
        exp = 0;
    }
    return fp_zero(f, x.sign) | (uint64_t)exp << f.frac | frac;
}

FP_INLINE uint64_t recpe(struct fp_fmt f, uint64_t a, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env);

    if (fp_is_nan(x))
        return fp_nan1(f, a, x, env);
    if (x.cls == FP_INF)
        return fp_zero(f, x.sign);
    if (x.cls == FP_ZERO) {
        env->flags |= FP_DZC;
        return fp_inf(f, x.sign);
    }
    if (x.exp < -fp_bias(f) - 1)
        return fp_overflow(f, x.sign, env->rounding, env);
    if (fp_flushes(f, env) && x.exp >= fp_bias(f) - 1) {
        env->flags |= FP_UFC;
        return fp_zero(f, x.sign);
    }
    return recpe_scaled(f, x);
}

/* FPRSqrtEstimate. */
FP_INLINE uint64_t rsqrte(struct fp_fmt f, uint64_t a, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env);
    unsigned estimate;
    int exp;

    if (fp_is_nan(x))
        return fp_nan1(f, a, x, env);
    if (x.cls == FP_ZERO) {
        env->flags |= FP_DZC;
        return fp_inf(f, x.sign);
    }
    if (x.sign)
        return fp_invalid(f, env);
    if (x.cls == FP_INF)
        return fp_zero(f, false);
    /* An odd exponent gives [0.5, 1), an even one [0.25, 0.5): halving the rest is exact. */
    estimate = rsqrt_estimate(x.mant >> (x.exp & 1 ? 55 : 56));
    exp = (2 * fp_bias(f) - 1 - x.exp) / 2;
    return (uint64_t)exp << f.frac | (uint64_t)(estimate & 0xff) << (f.frac - 8);
}

/* FPRecpX: the exponent inverted, for scaling. */
FP_INLINE uint64_t recpx(struct fp_fmt f, uint64_t a, struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env);
    unsigned exp = a >> f.frac & fp_exp_max(f);

    if (fp_is_nan(x))
        return fp_nan1(f, a, x, env);
    exp = exp ? ~exp & fp_exp_max(f) : (unsigned)fp_exp_max(f) - 1;
    return fp_zero(f, x.sign) | (uint64_t)exp << f.frac;
}

/*
 * FPRecipStepFused, FPRSqrtStepFused: (@c - a*b) * 2^scale, rounded once.  Zero times infinity
 * counts as zero.
 */
FP_INLINE uint64_t step(struct fp_fmt f, uint64_t a, uint64_t b, struct fp_num c, int scale,
                        struct fp_env *env)
{
    struct fp_num x = fp_unpack(f, a, env), y = fp_unpack(f, b, env);

    x.sign ^= 1;
    if (FP_LIKELY(x.cls <= FP_FINITE && y.cls <= FP_FINITE))
        return fp_muladd(f, x, y, c, scale, env);
    if (fp_is_nan(x) || fp_is_nan(y))
        return fp_nan2(f, fp_neg(f, a), x, b, y, env);
    if (x.cls == FP_ZERO || y.cls == FP_ZERO)
        return fp_round(f, false, c.exp + scale, c.mant, FP_RZ, env);
    return fp_inf(f, x.sign ^ y.sign);
}

FP_INLINE uint64_t recps(struct fp_fmt f, uint64_t a, uint64_t b, struct fp_env *env)
{
    struct fp_num two = {.cls = FP_FINITE, .mant = UINT64_C(1) << 63, .exp = 1};

    return step(f, a, b, two, 0, env);
}

FP_INLINE uint64_t rsqrts(struct fp_fmt f, uint64_t a, uint64_t b, struct fp_env *env)
{
    struct fp_num three = {.cls = FP_FINITE, .mant = UINT64_C(3) << 62, .exp = 1};

    return step(f, a, b, three, -1, env);
}

/* The entry points, per format. */

uint16_t f16_recpe(uint16_t a, struct fp_env *env)
{
    return recpe(FP_F16, a, env);
}

uint32_t f32_recpe(uint32_t a, struct fp_env *env)
{
    return recpe(FP_F32, a, env);
}

uint64_t f64_recpe(uint64_t a, struct fp_env *env)
{
    return recpe(FP_F64, a, env);
}

uint16_t f16_rsqrte(uint16_t a, struct fp_env *env)
{
    return rsqrte(FP_F16, a, env);
}

uint32_t f32_rsqrte(uint32_t a, struct fp_env *env)
{
    return rsqrte(FP_F32, a, env);
}

uint64_t f64_rsqrte(uint64_t a, struct fp_env *env)
{
    return rsqrte(FP_F64, a, env);
}

uint16_t f16_recpx(uint16_t a, struct fp_env *env)
{
    return recpx(FP_F16, a, env);
}

uint32_t f32_recpx(uint32_t a, struct fp_env *env)
{
    return recpx(FP_F32, a, env);
}

uint64_t f64_recpx(uint64_t a, struct fp_env *env)
{
    return recpx(FP_F64, a, env);
}

uint16_t f16_recps(uint16_t a, uint16_t b, struct fp_env *env)
{
    return recps(FP_F16, a, b, env);
}

uint32_t f32_recps(uint32_t a, uint32_t b, struct fp_env *env)
{
    return recps(FP_F32, a, b, env);
}

uint64_t f64_recps(uint64_t a, uint64_t b, struct fp_env *env)
{
    return recps(FP_F64, a, b, env);
}

uint16_t f16_rsqrts(uint16_t a, uint16_t b, struct fp_env *env)
{
    return rsqrts(FP_F16, a, b, env);
}

uint32_t f32_rsqrts(uint32_t a, uint32_t b, struct fp_env *env)
{
    return rsqrts(FP_F32, a, b, env);
}

uint64_t f64_rsqrts(uint64_t a, uint64_t b, struct fp_env *env)
{
    return rsqrts(FP_F64, a, b, env);
}
