/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floating point on raw bits, exact to the guest's rules (IEEE 754-2008; Arm ARM part J1). */
#ifndef BASE_SOFTFLOAT_H
#define BASE_SOFTFLOAT_H

#include <stdbool.h>
#include <stdint.h>

/** enum fp_rounding - rounding directions.  The first four are the encoding of FPCR.RMode. */
enum fp_rounding {
    FP_RN, /* to nearest, ties to even */
    FP_RP, /* towards +infinity */
    FP_RM, /* towards -infinity */
    FP_RZ, /* towards zero */
    FP_RA, /* to nearest, ties away from zero: conversions to integers */
    FP_RO, /* to odd: FCVTXN */
};

/** Cumulative exceptions, at their places in FPSR. */
enum {
    FP_IOC = 1,   /* invalid operation */
    FP_DZC = 2,   /* division by zero */
    FP_OFC = 4,   /* overflow */
    FP_UFC = 8,   /* underflow, tininess detected before rounding */
    FP_IXC = 16,  /* inexact */
    FP_DEN = 64,  /* x86: an operand was denormal and not flushed */
    FP_IDC = 128, /* an input denormal was flushed to zero */
};

/** enum fp_nan_rule - which NaN an operation returns, and the default NaN. */
enum fp_nan_rule {
    FP_NAN_ARM, /* first signalling, else first quiet operand; positive default NaN */
    FP_NAN_X86, /* SSE: first operand if it is a NaN, else the second; negative default NaN */
};

/**
 * struct fp_env - what a guest's floating-point control register says.  All zero is a sane Arm
 * state.
 */
struct fp_env {
    uint8_t rounding; /* enum fp_rounding */
    bool fz;          /* flush denormal inputs and results to zero: f32 and f64 */
    bool fz16;        /* the same for f16 arithmetic; flushed f16 inputs do not raise FP_IDC */
    bool dn;          /* every NaN result is the default NaN */
    bool ahp;         /* f16 in conversions is Arm's alternative format: no infinities, no NaNs */
    uint8_t nan_rule; /* enum fp_nan_rule */
    bool daz, ftz;    /* FP_NAN_X86, instead of fz: denormal operands are zero; tiny inexact results are */
    bool tiny;        /* FP_NAN_X86: exact tiny results raise FP_UFC, too: underflow is unmasked */
    uint32_t flags;   /* FP_*: only ever OR'ed into */
};

/** enum fp_order - the result of a comparison. */
enum fp_order { FP_LESS = -1, FP_EQUAL = 0, FP_GREATER = 1, FP_UNORDERED = 2 };

/*
 * Arithmetic.  fma is a*b+c rounded once; its NaN order is c, a, b (FPMulAdd).  Guests negate
 * operands by flipping the sign bit first, as the manual does.  mulx is mul, but 0*inf = 2.
 * recps is 2-a*b, rsqrts (3-a*b)/2, both rounded once.  maxnm and minnm prefer a number to one
 * quiet NaN.
 */
uint16_t f16_add(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_add(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_add(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_sub(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_sub(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_sub(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_mul(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_mul(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_mul(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_mulx(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_mulx(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_mulx(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_div(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_div(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_div(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_sqrt(uint16_t a, struct fp_env *env);
uint32_t f32_sqrt(uint32_t a, struct fp_env *env);
uint64_t f64_sqrt(uint64_t a, struct fp_env *env);
uint16_t f16_fma(uint16_t a, uint16_t b, uint16_t c, struct fp_env *env);
uint32_t f32_fma(uint32_t a, uint32_t b, uint32_t c, struct fp_env *env);
uint64_t f64_fma(uint64_t a, uint64_t b, uint64_t c, struct fp_env *env);
/** f32_fma_f16 - FMLAL: the product of two f16 added to an f32, rounded once (FPMulAddH). */
uint32_t f32_fma_f16(uint16_t a, uint16_t b, uint32_t c, struct fp_env *env);

uint16_t f16_min(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_min(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_min(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_max(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_max(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_max(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_minnm(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_minnm(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_minnm(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_maxnm(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_maxnm(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_maxnm(uint64_t a, uint64_t b, struct fp_env *env);

uint16_t f16_recps(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_recps(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_recps(uint64_t a, uint64_t b, struct fp_env *env);
uint16_t f16_rsqrts(uint16_t a, uint16_t b, struct fp_env *env);
uint32_t f32_rsqrts(uint32_t a, uint32_t b, struct fp_env *env);
uint64_t f64_rsqrts(uint64_t a, uint64_t b, struct fp_env *env);
/*
 * Estimates: FPRecipEstimate, FPRSqrtEstimate, FPRecpX, and the unsigned fixed-point URECPE and
 * URSQRTE.
 */
uint16_t f16_recpe(uint16_t a, struct fp_env *env);
uint32_t f32_recpe(uint32_t a, struct fp_env *env);
uint64_t f64_recpe(uint64_t a, struct fp_env *env);
uint16_t f16_rsqrte(uint16_t a, struct fp_env *env);
uint32_t f32_rsqrte(uint32_t a, struct fp_env *env);
uint64_t f64_rsqrte(uint64_t a, struct fp_env *env);
uint16_t f16_recpx(uint16_t a, struct fp_env *env);
uint32_t f32_recpx(uint32_t a, struct fp_env *env);
uint64_t f64_recpx(uint64_t a, struct fp_env *env);
uint32_t u32_recpe(uint32_t a);
uint32_t u32_rsqrte(uint32_t a);

/*
 * Comparison.  A signalling NaN always raises FP_IOC; with @signalling a quiet one does too
 * (FCMPE, FCMGE, FCMGT; FCMP and FCMEQ are quiet).
 */
enum fp_order f16_compare(uint16_t a, uint16_t b, bool signalling, struct fp_env *env);
enum fp_order f32_compare(uint32_t a, uint32_t b, bool signalling, struct fp_env *env);
enum fp_order f64_compare(uint64_t a, uint64_t b, bool signalling, struct fp_env *env);

/* The tests of the vector compares: eq is quiet, lt and le signal. */
static inline bool f16_eq(uint16_t a, uint16_t b, struct fp_env *env)
{
    return f16_compare(a, b, false, env) == FP_EQUAL;
}
static inline bool f32_eq(uint32_t a, uint32_t b, struct fp_env *env)
{
    return f32_compare(a, b, false, env) == FP_EQUAL;
}
static inline bool f64_eq(uint64_t a, uint64_t b, struct fp_env *env)
{
    return f64_compare(a, b, false, env) == FP_EQUAL;
}
static inline bool f16_lt(uint16_t a, uint16_t b, struct fp_env *env)
{
    return f16_compare(a, b, true, env) == FP_LESS;
}
static inline bool f32_lt(uint32_t a, uint32_t b, struct fp_env *env)
{
    return f32_compare(a, b, true, env) == FP_LESS;
}
static inline bool f64_lt(uint64_t a, uint64_t b, struct fp_env *env)
{
    return f64_compare(a, b, true, env) == FP_LESS;
}
static inline bool f16_le(uint16_t a, uint16_t b, struct fp_env *env)
{
    return f16_compare(a, b, true, env) <= FP_EQUAL;
}
static inline bool f32_le(uint32_t a, uint32_t b, struct fp_env *env)
{
    return f32_compare(a, b, true, env) <= FP_EQUAL;
}
static inline bool f64_le(uint64_t a, uint64_t b, struct fp_env *env)
{
    return f64_compare(a, b, true, env) <= FP_EQUAL;
}

/**
 * fNN_rint - round to an integral value in direction @r; @exact raises FP_IXC when that changed
 * it (FRINTX).
 */
uint16_t f16_rint(uint16_t a, enum fp_rounding r, bool exact, struct fp_env *env);
uint32_t f32_rint(uint32_t a, enum fp_rounding r, bool exact, struct fp_env *env);
uint64_t f64_rint(uint64_t a, enum fp_rounding r, bool exact, struct fp_env *env);
/**
 * fNN_rint_bits - FRINT32X/Z and FRINT64X/Z: what does not fit @bits (32 or 64) gives
 * -2^(bits-1) and FP_IOC.
 */
uint32_t f32_rint_bits(uint32_t a, unsigned bits, enum fp_rounding r, struct fp_env *env);
uint64_t f64_rint_bits(uint64_t a, unsigned bits, enum fp_rounding r, struct fp_env *env);

/*
 * Between formats, in direction env->rounding; f16 honours env->ahp and never flushes
 * (FPConvert).
 */
uint32_t f16_to_f32(uint16_t a, struct fp_env *env);
uint64_t f16_to_f64(uint16_t a, struct fp_env *env);
uint16_t f32_to_f16(uint32_t a, struct fp_env *env);
uint64_t f32_to_f64(uint32_t a, struct fp_env *env);
uint16_t f64_to_f16(uint64_t a, struct fp_env *env);
uint32_t f64_to_f32(uint64_t a, struct fp_env *env);
/** f64_to_f32_odd - FCVTXN: rounds to odd, so that a second rounding is harmless. */
uint32_t f64_to_f32_odd(uint64_t a, struct fp_env *env);

/** f32_to_bf16 - BFCVT: to BFloat16, the upper half of an f32; flushes as f32 does (FPConvertBF). */
uint16_t f32_to_bf16(uint32_t a, struct fp_env *env);
/**
 * bf16_dot - @sum + (a[0] * b[0] + a[1] * b[1]) of BFloat16 by BFDOT's own rules: rounded to odd after each
 * step, denormals are zero, every NaN is the default one; no modes, no flags (BFDotAdd).
 */
uint32_t bf16_dot(uint32_t sum, const uint16_t a[2], const uint16_t b[2]);

/*
 * To integers: a * 2^fbits rounded in direction @r, saturating; NaN gives 0.  Out of range and
 * NaN raise FP_IOC only. @fbits is 0 for the plain conversions.
 */
int16_t f16_to_i16(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
uint16_t f16_to_u16(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
int32_t f16_to_i32(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
uint32_t f16_to_u32(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
int64_t f16_to_i64(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
uint64_t f16_to_u64(uint16_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
int32_t f32_to_i32(uint32_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
uint32_t f32_to_u32(uint32_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
int64_t f32_to_i64(uint32_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
uint64_t f32_to_u64(uint32_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
int32_t f64_to_i32(uint64_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
uint32_t f64_to_u32(uint64_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
int64_t f64_to_i64(uint64_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
uint64_t f64_to_u64(uint64_t a, unsigned fbits, enum fp_rounding r, struct fp_env *env);
/**
 * f64_to_i32_js - FJCVTZS: towards zero, modulo 2^32; *@z is PSTATE.Z, set when the conversion
 * was exact.
 */
uint32_t f64_to_i32_js(uint64_t a, bool *z, struct fp_env *env);

/*
 * From integers: a * 2^-fbits in direction env->rounding.  Narrower integers are extended by the
 * caller.
 */
uint16_t i64_to_f16(int64_t a, unsigned fbits, struct fp_env *env);
uint16_t u64_to_f16(uint64_t a, unsigned fbits, struct fp_env *env);
uint32_t i64_to_f32(int64_t a, unsigned fbits, struct fp_env *env);
uint32_t u64_to_f32(uint64_t a, unsigned fbits, struct fp_env *env);
uint64_t i64_to_f64(int64_t a, unsigned fbits, struct fp_env *env);
uint64_t u64_to_f64(uint64_t a, unsigned fbits, struct fp_env *env);

#endif
