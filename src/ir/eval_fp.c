/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating point, scalar and lane-wise: base/softfloat.h chosen by width (Arm ARM DDI 0487,
 * shared/functions/float).  A scalar is one lane; its width comes from the type, not from how->lane.
 */
#include "base/softfloat.h"
#include "ir/eval_sse.h"
#include "ir/eval_vec_priv.h"

/* One function in the three widths. */
struct fn1 {
    uint16_t (*h)(uint16_t a, struct fp_env *fp);
    uint32_t (*s)(uint32_t a, struct fp_env *fp);
    uint64_t (*d)(uint64_t a, struct fp_env *fp);
};
struct fn2 {
    uint16_t (*h)(uint16_t a, uint16_t b, struct fp_env *fp);
    uint32_t (*s)(uint32_t a, uint32_t b, struct fp_env *fp);
    uint64_t (*d)(uint64_t a, uint64_t b, struct fp_env *fp);
};
struct test2 {
    bool (*h)(uint16_t a, uint16_t b, struct fp_env *fp);
    bool (*s)(uint32_t a, uint32_t b, struct fp_env *fp);
    bool (*d)(uint64_t a, uint64_t b, struct fp_env *fp);
};
#define FN1(name)   ((struct fn1){f16_##name, f32_##name, f64_##name})
#define FN2(name)   ((struct fn2){f16_##name, f32_##name, f64_##name})
#define TEST2(name) ((struct test2){f16_##name, f32_##name, f64_##name})

static unsigned lane_of(unsigned type)
{
    return type == IR_F16 ? 1 : type == IR_F32 ? 2 : 3;
}

/* --- Loops over the lowest @n lanes; the others become zero --- */

static void map1(union ir_u *restrict r, const union ir_u *restrict a, unsigned lane, unsigned n,
                 struct fp_env *fp, struct fn1 fn)
{
    r->q = 0;
    for (unsigned i = 0; i < n; i++) {
        if (lane == 1)
            r->h[i] = fn.h(a[0].h[i], fp);
        else if (lane == 2)
            r->s[i] = fn.s(a[0].s[i], fp);
        else
            r->d[i] = fn.d(a[0].d[i], fp);
    }
}

static void map2(union ir_u *restrict r, const union ir_u *restrict a, unsigned lane, unsigned n,
                 struct fp_env *fp, struct fn2 fn)
{
    r->q = 0;
    for (unsigned i = 0; i < n; i++) {
        if (lane == 1)
            r->h[i] = fn.h(a[0].h[i], a[1].h[i], fp);
        else if (lane == 2)
            r->s[i] = fn.s(a[0].s[i], a[1].s[i], fp);
        else
            r->d[i] = fn.d(a[0].d[i], a[1].d[i], fp);
    }
}

static void map_fma(union ir_u *restrict r, const union ir_u *restrict a, unsigned lane, unsigned n,
                    struct fp_env *fp)
{
    r->q = 0;
    for (unsigned i = 0; i < n; i++) {
        if (lane == 1)
            r->h[i] = f16_fma(a[0].h[i], a[1].h[i], a[2].h[i], fp);
        else if (lane == 2)
            r->s[i] = f32_fma(a[0].s[i], a[1].s[i], a[2].s[i], fp);
        else
            r->d[i] = f64_fma(a[0].d[i], a[1].d[i], a[2].d[i], fp);
    }
}

/* All ones where the test holds. */
static void map_test(union ir_u *restrict r, const union ir_u *x, const union ir_u *y,
                     const struct ir_how *how, struct fp_env *fp, struct test2 fn)
{
    r->q = 0;
    for (unsigned i = 0; i < how->imm; i++) {
        if (how->lane == 1)
            r->h[i] = (uint16_t)-fn.h(x->h[i], y->h[i], fp);
        else if (how->lane == 2)
            r->s[i] = -(uint32_t)fn.s(x->s[i], y->s[i], fp);
        else
            r->d[i] = -(uint64_t)fn.d(x->d[i], y->d[i], fp);
    }
}

static void scalar1(union ir_u *r, const union ir_u *a, const struct ir_how *how, struct fp_env *fp,
                    struct fn1 fn)
{
    map1(r, a, lane_of(how->type), 1, fp, fn);
}
static void scalar2(union ir_u *r, const union ir_u *a, const struct ir_how *how, struct fp_env *fp,
                    struct fn2 fn)
{
    map2(r, a, lane_of(how->type), 1, fp, fn);
}
static void lanes1(union ir_u *r, const union ir_u *a, const struct ir_how *how, struct fp_env *fp,
                   struct fn1 fn)
{
    map1(r, a, how->lane, (unsigned)how->imm, fp, fn);
}
static void lanes2(union ir_u *r, const union ir_u *a, const struct ir_how *how, struct fp_env *fp,
                   struct fn2 fn)
{
    map2(r, a, how->lane, (unsigned)how->imm, fp, fn);
}

/* --- Arithmetic --- */

EVAL(fadd)
{
    scalar2(r, a, how, fp, FN2(add));
}
EVAL(vfadd)
{
    lanes2(r, a, how, fp, FN2(add));
}
EVAL(fsub)
{
    scalar2(r, a, how, fp, FN2(sub));
}
EVAL(vfsub)
{
    lanes2(r, a, how, fp, FN2(sub));
}
EVAL(fmul)
{
    scalar2(r, a, how, fp, FN2(mul));
}
EVAL(vfmul)
{
    lanes2(r, a, how, fp, FN2(mul));
}
EVAL(fdiv)
{
    scalar2(r, a, how, fp, FN2(div));
}
EVAL(vfdiv)
{
    lanes2(r, a, how, fp, FN2(div));
}
EVAL(fsqrt)
{
    scalar1(r, a, how, fp, FN1(sqrt));
}
EVAL(vfsqrt)
{
    lanes1(r, a, how, fp, FN1(sqrt));
}
EVAL(ffma)
{
    map_fma(r, a, lane_of(how->type), 1, fp);
}
EVAL(vffma)
{
    map_fma(r, a, how->lane, (unsigned)how->imm, fp);
}
EVAL(vfmlal)
{
    r->q = 0;
    for (unsigned i = 0; i < how->imm; i++)
        r->s[i] = f32_fma_f16(a[0].h[i], a[1].h[i], a[2].s[i], fp);
}
EVAL(fmin)
{
    scalar2(r, a, how, fp, FN2(min));
}
EVAL(vfmin)
{
    lanes2(r, a, how, fp, FN2(min));
}
EVAL(fmax)
{
    scalar2(r, a, how, fp, FN2(max));
}
EVAL(vfmax)
{
    lanes2(r, a, how, fp, FN2(max));
}
EVAL(fminnm)
{
    scalar2(r, a, how, fp, FN2(minnm));
}
EVAL(vfminnm)
{
    lanes2(r, a, how, fp, FN2(minnm));
}
EVAL(fmaxnm)
{
    scalar2(r, a, how, fp, FN2(maxnm));
}
EVAL(vfmaxnm)
{
    lanes2(r, a, how, fp, FN2(maxnm));
}
EVAL(vfmulx)
{
    lanes2(r, a, how, fp, FN2(mulx));
}
EVAL(vfrecpe)
{
    lanes1(r, a, how, fp, FN1(recpe));
}
EVAL(vfrecps)
{
    lanes2(r, a, how, fp, FN2(recps));
}
EVAL(frecpx)
{
    scalar1(r, a, how, fp, FN1(recpx));
}
EVAL(vfrsqrte)
{
    lanes1(r, a, how, fp, FN1(rsqrte));
}
EVAL(vfrsqrts)
{
    lanes2(r, a, how, fp, FN2(rsqrts));
}

/* --- Signs --- */

static const uint64_t sign_bits[4] = {
    [1] = 0x8000800080008000,
    [2] = 0x8000000080000000,
    [3] = 0x8000000000000000,
};
static uint64_t sign_bit(unsigned type)
{
    return 1ull << (ir_bits(type) - 1);
}

EVAL(fneg)
{
    r->q = a[0].d[0] ^ sign_bit(how->type);
}
EVAL(fabs)
{
    r->q = a[0].d[0] & ~sign_bit(how->type);
}
EVAL(vfneg)
{
    for (unsigned i = 0; i < 2; i++)
        r->d[i] = a[0].d[i] ^ sign_bits[how->lane];
}
EVAL(vfabs)
{
    for (unsigned i = 0; i < 2; i++)
        r->d[i] = a[0].d[i] & ~sign_bits[how->lane];
}

/* --- Comparison --- */

static enum fp_order compare(const union ir_u *a, const struct ir_how *how, struct fp_env *fp)
{
    bool signalling = how->imm & 1;

    if (fp->nan_rule == FP_NAN_X86)
        return sse_compare(a, how->arg_type, signalling, fp);
    switch (how->arg_type) {
    case IR_F16:
        return f16_compare(a[0].h[0], a[1].h[0], signalling, fp);
    case IR_F32:
        return f32_compare(a[0].s[0], a[1].s[0], signalling, fp);
    default:
        return f64_compare(a[0].d[0], a[1].d[0], signalling, fp);
    }
}
EVAL(feq)
{
    r->q = compare(a, how, fp) == FP_EQUAL;
}
EVAL(flt)
{
    r->q = compare(a, how, fp) == FP_LESS;
}
EVAL(fle)
{
    r->q = compare(a, how, fp) <= FP_EQUAL;
}
EVAL(fun)
{
    r->q = compare(a, how, fp) == FP_UNORDERED;
}
EVAL(vfceq)
{
    map_test(r, &a[0], &a[1], how, fp, TEST2(eq));
}
EVAL(vfcge)
{
    map_test(r, &a[1], &a[0], how, fp, TEST2(le));
}
EVAL(vfcgt)
{
    map_test(r, &a[1], &a[0], how, fp, TEST2(lt));
}

/* --- Between FP widths; lanes name widths: 1 f16, 2 f32, 3 f64 --- */

static uint64_t convert(uint64_t x, unsigned from, unsigned to, bool odd, struct fp_env *fp)
{
    switch (from << 4 | to) {
    case 0x12:
        return f16_to_f32((uint16_t)x, fp);
    case 0x13:
        return f16_to_f64((uint16_t)x, fp);
    case 0x21:
        return f32_to_f16((uint32_t)x, fp);
    case 0x23:
        return f32_to_f64((uint32_t)x, fp);
    case 0x31:
        return f64_to_f16(x, fp);
    case 0x32:
        return odd ? f64_to_f32_odd(x, fp) : f64_to_f32(x, fp);
    default:
        return x;
    }
}
EVAL(fcvt)
{
    r->q = convert(a[0].d[0], lane_of(how->arg_type), lane_of(how->type), how->imm & 1, fp);
}
EVAL(vfcvtl)
{
    unsigned lane = how->lane;

    for (unsigned i = 0; i < 8u >> lane; i++)
        lane_put(r, lane + 1, i, convert(lane_u(&a[0], lane, i), lane, lane + 1, false, fp));
}
EVAL(vfcvtn)
{
    unsigned lane = how->lane;

    r->q = 0;
    for (unsigned i = 0; i < 8u >> lane; i++)
        lane_put(r, lane, i,
                 convert(lane_u(&a[0], lane + 1, i), lane + 1, lane, how->imm & 1, fp));
}

EVAL(vbfcvtn)
{
    r->q = 0;
    for (unsigned i = 0; i < how->imm; i++)
        r->h[i] = f32_to_bf16(a[0].s[i], fp);
}
EVAL(vbfdot)
{
    for (unsigned i = 0; i < 4; i++)
        r->s[i] = bf16_dot(a[2].s[i], &a[0].h[2 * i], &a[1].h[2 * i]);
}
EVAL(vbfmmla)
{
    for (unsigned i = 0; i < 4; i++) {
        const uint16_t *row = &a[0].h[i & 2 ? 4 : 0], *column = &a[1].h[i & 1 ? 4 : 0];

        r->s[i] = bf16_dot(bf16_dot(a[2].s[i], row, column), row + 2, column + 2);
    }
}

/* --- To and from integers --- */

static enum fp_rounding rounding_of(uint64_t imm, const struct fp_env *fp)
{
    return IR_F2I_ROUNDING(imm) == IR_ROUND_CURRENT ? fp->rounding : IR_F2I_ROUNDING(imm);
}

/* @bits is the width of the integer: 16 (from f16 only), 32 or 64.  The result is zero-extended. */
static uint64_t to_int(uint64_t x, unsigned lane, unsigned bits, uint64_t imm, struct fp_env *fp)
{
    enum fp_rounding to = rounding_of(imm, fp);
    unsigned fbits = IR_F2I_FBITS(imm);
    bool uns = IR_F2I_UNSIGNED(imm);

    switch (lane << 8 | bits) {
    case 1 << 8 | 16:
        return uns ? f16_to_u16((uint16_t)x, fbits, to, fp)
                   : (uint16_t)f16_to_i16((uint16_t)x, fbits, to, fp);
    case 1 << 8 | 32:
        return uns ? f16_to_u32((uint16_t)x, fbits, to, fp)
                   : (uint32_t)f16_to_i32((uint16_t)x, fbits, to, fp);
    case 1 << 8 | 64:
        return uns ? f16_to_u64((uint16_t)x, fbits, to, fp)
                   : (uint64_t)f16_to_i64((uint16_t)x, fbits, to, fp);
    case 2 << 8 | 32:
        return uns ? f32_to_u32((uint32_t)x, fbits, to, fp)
                   : (uint32_t)f32_to_i32((uint32_t)x, fbits, to, fp);
    case 2 << 8 | 64:
        return uns ? f32_to_u64((uint32_t)x, fbits, to, fp)
                   : (uint64_t)f32_to_i64((uint32_t)x, fbits, to, fp);
    case 3 << 8 | 32:
        return uns ? f64_to_u32(x, fbits, to, fp) : (uint32_t)f64_to_i32(x, fbits, to, fp);
    default:
        return uns ? f64_to_u64(x, fbits, to, fp) : (uint64_t)f64_to_i64(x, fbits, to, fp);
    }
}

/* @x is already extended to 64 bits. */
static uint64_t from_int(uint64_t x, unsigned lane, uint64_t imm, struct fp_env *fp)
{
    unsigned fbits = IR_F2I_FBITS(imm);
    bool uns = IR_F2I_UNSIGNED(imm);

    switch (lane) {
    case 1:
        return uns ? u64_to_f16(x, fbits, fp) : i64_to_f16((int64_t)x, fbits, fp);
    case 2:
        return uns ? u64_to_f32(x, fbits, fp) : i64_to_f32((int64_t)x, fbits, fp);
    default:
        return uns ? u64_to_f64(x, fbits, fp) : i64_to_f64((int64_t)x, fbits, fp);
    }
}

EVAL(f2i)
{
    r->q = to_int(a[0].d[0], lane_of(how->arg_type), ir_bits(how->type), how->imm, fp);
}
EVAL(i2f)
{
    bool extend = how->arg_type == IR_I32 && !IR_F2I_UNSIGNED(how->imm);
    uint64_t x = extend ? (uint64_t)a[0].ss[0] : a[0].d[0];

    r->q = from_int(x, lane_of(how->type), how->imm, fp);
}
EVAL(vf2i)
{
    unsigned lane = how->lane;

    r->q = 0;
    for (unsigned i = 0; i < (how->imm & 0xff); i++)
        lane_put(r, lane, i, to_int(lane_u(&a[0], lane, i), lane, 8u << lane, how->imm >> 8, fp));
}
EVAL(vi2f)
{
    unsigned lane = how->lane;
    bool sign = !IR_F2I_UNSIGNED(how->imm >> 8);

    r->q = 0;
    for (unsigned i = 0; i < (how->imm & 0xff); i++) {
        uint64_t x = (uint64_t)lane_get(&a[0], lane, i, sign);

        lane_put(r, lane, i, from_int(x, lane, how->imm >> 8, fp));
    }
}

static uint64_t round_integral(uint64_t x, unsigned lane, uint64_t mode, struct fp_env *fp)
{
    enum fp_rounding to = rounding_of(mode, fp);
    bool exact = mode & IR_RINT_EXACT;
    unsigned bits = mode & IR_RINT_32 ? 32 : 64;

    if (mode & (IR_RINT_32 | IR_RINT_64))
        return lane == 2 ? f32_rint_bits((uint32_t)x, bits, to, fp)
                         : f64_rint_bits(x, bits, to, fp);
    if (lane == 1)
        return f16_rint((uint16_t)x, to, exact, fp);
    return lane == 2 ? f32_rint((uint32_t)x, to, exact, fp) : f64_rint(x, to, exact, fp);
}
EVAL(frint)
{
    r->q = round_integral(a[0].d[0], lane_of(how->type), how->imm, fp);
}
EVAL(vfrint)
{
    unsigned lane = how->lane;

    r->q = 0;
    for (unsigned i = 0; i < (how->imm & 0xff); i++)
        lane_put(r, lane, i, round_integral(lane_u(&a[0], lane, i), lane, how->imm >> 8, fp));
}

EVAL(fjcvt)
{
    bool exact;
    uint32_t x = f64_to_i32_js(a[0].d[0], &exact, fp);

    r->q = x | (uint64_t)exact << 32;
}
EVAL(fbits)
{
    r->q = a[0].d[0] & ir_mask(how->type) & ir_mask(how->arg_type);
}
