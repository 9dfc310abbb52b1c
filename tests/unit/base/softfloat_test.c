/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/softfloat.h: Arm's special cases by hand, the ordinary ones against the host's SSE unit. */
#include "base/softfloat.h"
#include "tests/test.h"

#define QNAN32 0x7fc00000u
#define SNAN32 0x7f800001u
#define INF32  0x7f800000u
#define ONE32  0x3f800000u
#define QNAN64 0x7ff8000000000000u

static uint64_t seed = 88172645463325252u;

static uint64_t random64(void)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1du;
}

/* A float of @exp and @frac bits; the ends of the exponent range and runs of bits are likely. */
static uint64_t random_float(int exp, int frac)
{
    uint64_t mask = (UINT64_C(1) << frac) - 1, top = (1 << exp) - 1, r = random64();
    uint64_t fracs[] = {0, UINT64_C(1) << (r >> 8) % frac, mask, ~UINT64_C(0) << (r >> 8) % frac};
    uint64_t exps[] = {0, top, r >> 16 & 3, top - (r >> 16 & 3), top / 2 - 2 + (r >> 16 & 3)};
    uint64_t e = (r & 7) < 5 ? exps[r & 7] : random64() & top;
    uint64_t f = (r >> 3 & 7) < 4 ? fracs[r >> 3 & 7] : random64();

    return (r >> 63) << (exp + frac) | e << frac | (f & mask);
}

TEST(softfloat, first_signalling_nan_wins_over_first_quiet_one)
{
    struct fp_env env = {0};

    CHECK_EQ(f32_add(QNAN32 | 1, SNAN32 | 2, &env), QNAN32 | 3);
    CHECK_EQ(env.flags, FP_IOC);
    CHECK_EQ(f32_add(SNAN32, SNAN32 | 2, &env), QNAN32 | 1);
    env.flags = 0;
    CHECK_EQ(f32_add(QNAN32 | 1, QNAN32 | 2, &env), QNAN32 | 1);
    CHECK_EQ(f32_sub(ONE32, 0xffc00005, &env), 0xffc00005);
    CHECK_EQ(env.flags, 0);
    env.dn = true;
    CHECK_EQ(f32_add(0xffc00005, ONE32, &env), QNAN32);
}

TEST(softfloat, fma_looks_at_the_addend_first)
{
    struct fp_env env = {0};

    CHECK_EQ(f32_fma(QNAN32 | 1, QNAN32 | 2, QNAN32 | 3, &env), QNAN32 | 3);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f32_fma(SNAN32, ONE32, QNAN32 | 3, &env), QNAN32 | 1);
    CHECK_EQ(f32_fma(SNAN32, ONE32, SNAN32 | 4, &env), QNAN32 | 5);
    env.flags = 0;
    CHECK_EQ(f32_fma(INF32, 0, QNAN32 | 3, &env), QNAN32); /* the invalid product wins */
    CHECK_EQ(env.flags, FP_IOC);
    env.flags = 0;
    CHECK_EQ(f32_fma(INF32, ONE32, INF32 | 1u << 31, &env), QNAN32);
    CHECK_EQ(env.flags, FP_IOC);
}

TEST(softfloat, underflow_is_told_before_rounding)
{
    struct fp_env env = {0};

    /* 0x1.fffffep-127 is tiny, but rounds to the smallest normal number. */
    CHECK_EQ(f32_mul(0x00ffffff, 0x3f000000, &env), 0x00800000);
    CHECK_EQ(env.flags, FP_UFC | FP_IXC);
    env.flags = 0;
    CHECK_EQ(f32_mul(0x00800000, 0x3f000000, &env), 0x00400000); /* tiny but exact */
    CHECK_EQ(env.flags, 0);
}

TEST(softfloat, flushing_to_zero)
{
    struct fp_env env = {.fz = true};

    CHECK_EQ(f32_mul(0x00ffffff, 0x3f000000, &env), 0); /* the output: not inexact */
    CHECK_EQ(env.flags, FP_UFC);
    env.flags = 0;
    CHECK_EQ(f32_add(0x80000001, 0x80000001, &env), 0x80000000); /* the inputs */
    CHECK_EQ(env.flags, FP_IDC);
    env.flags = 0;
    CHECK_EQ(f16_add(0x0001, 0x0001, &env), 0x0002); /* half has a bit of its own */
    CHECK_EQ(env.flags, 0);
    env.fz16 = true;
    CHECK_EQ(f16_add(0x0001, 0x0001, &env), 0);
    CHECK_EQ(env.flags, 0);                         /* and no FP_IDC */
    CHECK_EQ(f16_to_f32(0x0001, &env), 0x33800000); /* conversions of half never flush */
    CHECK_EQ(f32_to_f16(0x33800000, &env), 0x0001);
    CHECK_EQ(env.flags, 0);
}

TEST(softfloat, rounding_directions)
{
    /* 1 + 2^-24 (a tie), 1 + 3 * 2^-24 (a tie at an odd place), -(1 + 2^-25); RN RP RM RZ. */
    static const uint32_t want[4][3] = {
        {0x3f800000, 0x3f800002, 0xbf800000},
        {0x3f800001, 0x3f800002, 0xbf800000},
        {0x3f800000, 0x3f800001, 0xbf800001},
        {0x3f800000, 0x3f800001, 0xbf800000},
    };
    static const uint32_t overflow[4] = {0x7f800000, 0x7f800000, 0x7f7fffff, 0x7f7fffff};

    for (int r = 0; r < 4; r++) {
        struct fp_env env = {.rounding = r};

        CHECK_EQ(f64_to_f32(0x3ff0000010000000, &env), want[r][0]);
        CHECK_EQ(f64_to_f32(0x3ff0000030000000, &env), want[r][1]);
        CHECK_EQ(f64_to_f32(0xbff0000008000000, &env), want[r][2]);
        CHECK_EQ(env.flags, FP_IXC);
        CHECK_EQ(f32_add(0x7f7fffff, 0x7f7fffff, &env), overflow[r]);
        CHECK_EQ(env.flags, FP_OFC | FP_IXC);
        CHECK_EQ(f32_sub(ONE32, ONE32, &env), r == FP_RM ? 0x80000000 : 0);
    }
}

TEST(softfloat, rounding_to_odd)
{
    struct fp_env env = {0};

    CHECK_EQ(f64_to_f32_odd(0x3ff0000000000001, &env), 0x3f800001);
    CHECK_EQ(f64_to_f32_odd(0x3ff0000030000000, &env), 0x3f800001);
    CHECK_EQ(f64_to_f32_odd(0x7fefffffffffffff, &env), 0x7f7fffff);
    CHECK_EQ(env.flags, FP_OFC | FP_IXC);
    CHECK_EQ(f64_to_f32_odd(1, &env), 1);
}

TEST(softfloat, alternative_half_has_no_specials)
{
    struct fp_env env = {.ahp = true};

    CHECK_EQ(f16_to_f32(0x7c00, &env), 0x47800000); /* 65536 */
    CHECK_EQ(f32_to_f16(0x47ffe000, &env), 0x7fff); /* 131008 */
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f32_to_f16(0x48000000, &env), 0x7fff);
    CHECK_EQ(env.flags, FP_IOC); /* neither overflow nor inexact */
    CHECK_EQ(f32_to_f16(0xff800000, &env), 0xffff);
    CHECK_EQ(f32_to_f16(0xffc00000, &env), 0x8000);
    CHECK_EQ(f16_add(0x7c00, 0x3c00, &env), 0x7c00); /* arithmetic stays IEEE */
}

TEST(softfloat, nan_payloads_survive_conversion)
{
    struct fp_env env = {0};

    CHECK_EQ(f32_to_f64(0xffc00001, &env), 0xfff8000020000000);
    CHECK_EQ(f64_to_f32(0x7ff8000020000001, &env), 0x7fc00001);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f64_to_f16(0x7ff0000000000001, &env), 0x7e00);
    CHECK_EQ(env.flags, FP_IOC);
}

TEST(softfloat, minimum_and_maximum)
{
    struct fp_env env = {0};

    CHECK_EQ(f32_max(0, 0x80000000, &env), 0);
    CHECK_EQ(f32_min(0, 0x80000000, &env), 0x80000000);
    CHECK_EQ(f32_max(QNAN32, ONE32, &env), QNAN32);
    CHECK_EQ(f32_maxnm(QNAN32, ONE32, &env), ONE32);
    CHECK_EQ(f32_minnm(ONE32, QNAN32, &env), ONE32);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f32_maxnm(SNAN32, ONE32, &env), QNAN32 | 1);
    CHECK_EQ(env.flags, FP_IOC);
    CHECK_EQ(f64_min(0xbff0000000000000, 0xc000000000000000, &env), 0xc000000000000000);
}

TEST(softfloat, invalid_operations)
{
    struct fp_env env = {0};

    CHECK_EQ(f32_mul(0, INF32, &env), QNAN32);
    CHECK_EQ(env.flags, FP_IOC);
    env.flags = 0;
    CHECK_EQ(f32_mulx(0x80000000, INF32, &env), 0xc0000000);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f64_sqrt(0xbff0000000000000, &env), QNAN64);
    CHECK_EQ(env.flags, FP_IOC);
    CHECK_EQ(f64_sqrt(UINT64_C(1) << 63, &env), UINT64_C(1) << 63);
    env.flags = 0;
    CHECK_EQ(f32_div(0xbf800000, 0, &env), 0xff800000);
    CHECK_EQ(env.flags, FP_DZC);
    CHECK_EQ(f32_div(0, 0, &env), QNAN32);
    CHECK_EQ(env.flags, FP_DZC | FP_IOC);
}

TEST(softfloat, comparisons)
{
    struct fp_env env = {0};

    CHECK_EQ(f32_compare(0, 0x80000000, true, &env), FP_EQUAL);
    CHECK_EQ(f32_compare(0x80000001, 0, true, &env), FP_LESS);
    CHECK_EQ(f32_compare(INF32, 0x7f7fffff, true, &env), FP_GREATER);
    CHECK_EQ(f32_compare(QNAN32, 0, false, &env), FP_UNORDERED);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f32_compare(SNAN32, 0, false, &env), FP_UNORDERED);
    CHECK_EQ(env.flags, FP_IOC);
    env.flags = 0;
    CHECK(!f32_le(QNAN32, QNAN32, &env));
    CHECK_EQ(env.flags, FP_IOC);
}

TEST(softfloat, to_integers_saturates)
{
    struct fp_env env = {0};

    CHECK_EQ(f64_to_i32(0x41dfffffffc00000, 0, FP_RZ, &env), INT32_MAX);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f64_to_i32(0x41dfffffffe00000, 0, FP_RZ, &env), INT32_MAX); /* 2^31 - 1/2 */
    CHECK_EQ(env.flags, FP_IXC);
    env.flags = 0;
    CHECK_EQ(f64_to_i32(0x41dfffffffe00000, 0, FP_RA, &env), INT32_MAX);
    CHECK_EQ(env.flags, FP_IOC);
    CHECK_EQ(f32_to_u32(0xbf000000, 0, FP_RN, &env),
             0); /* -1/2 to even: no complaint but inexact */
    CHECK_EQ(env.flags, FP_IOC | FP_IXC);
    CHECK_EQ(f32_to_i64(0xdf000000, 0, FP_RZ, &env), INT64_MIN);
    CHECK_EQ(f32_to_u64(QNAN32, 0, FP_RZ, &env), 0);
    CHECK_EQ(f32_to_i32(0xff800000, 0, FP_RZ, &env), INT32_MIN);
    CHECK_EQ(f32_to_i32(0x3f400000, 4, FP_RZ, &env), 12); /* 0.75 with four fraction bits */
    CHECK_EQ(f16_to_i16(0x7bff, 0, FP_RZ, &env), INT16_MAX);
}

TEST(softfloat, javascript_conversion)
{
    struct fp_env env = {0};
    bool z;

    CHECK_EQ(f64_to_i32_js(0x41f0000000100000, &z, &env), 1); /* 2^32 + 1 */
    CHECK(!z);
    CHECK_EQ(env.flags, FP_IOC);
    env.flags = 0;
    CHECK_EQ(f64_to_i32_js(0xc1e0000000000000, &z, &env), 0x80000000);
    CHECK(z && env.flags == 0);
    CHECK_EQ(f64_to_i32_js(UINT64_C(1) << 63, &z, &env), 0);
    CHECK(!z && env.flags == 0); /* minus zero is not an integer */
    CHECK_EQ(f64_to_i32_js(0xc340000000000001, &z, &env), (uint32_t)-2); /* -(2^53 + 2) */
    CHECK_EQ(f64_to_i32_js(0x7ff0000000000000, &z, &env), 0);
}

TEST(softfloat, integral_values)
{
    struct fp_env env = {0};

    CHECK_EQ(f32_rint(0x3f000000, FP_RN, false, &env), 0);
    CHECK_EQ(f32_rint(0x3f000000, FP_RA, false, &env), ONE32);
    CHECK_EQ(f32_rint(0xbf000000, FP_RP, false, &env), 0x80000000);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f32_rint(0x4b000001, FP_RM, true, &env), 0x4b000001);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f64_rint(0x3ff8000000000000, FP_RN, true, &env), 0x4000000000000000);
    CHECK_EQ(env.flags, FP_IXC);
    env.flags = 0;
    CHECK_EQ(f32_rint_bits(0x4f000000, 32, FP_RZ, &env), 0xcf000000); /* 2^31 does not fit */
    CHECK_EQ(env.flags, FP_IOC);
    CHECK_EQ(f64_rint_bits(QNAN64, 64, FP_RZ, &env), 0xc3e0000000000000);
}

TEST(softfloat, estimates)
{
    struct fp_env env = {0};

    CHECK_EQ(f32_recpe(ONE32, &env), 0x3f7f8000);
    CHECK_EQ(f32_rsqrte(ONE32, &env), 0x3f7f8000);
    CHECK_EQ(f32_recpe(0x7f000000, &env), 0x003fe000); /* a denormal result */
    CHECK_EQ(u32_recpe(0x80000000), 0xff800000);
    CHECK_EQ(u32_rsqrte(0x3fffffff), 0xffffffff);
    CHECK_EQ(f32_recps(0, INF32, &env), 0x40000000);
    CHECK_EQ(f32_rsqrts(0, INF32, &env), 0x3fc00000);
    CHECK_EQ(f32_recps(QNAN32, 0, &env), 0xffc00000); /* the operand is negated first */
    CHECK_EQ(f32_recpx(0x3f812345, &env), 0x40000000);
    CHECK_EQ(env.flags, 0);
    CHECK_EQ(f32_recpe(1, &env), INF32);
    CHECK_EQ(env.flags, FP_OFC | FP_IXC);
    env = (struct fp_env){.fz = true};
    CHECK_EQ(f32_recpe(0x7f000000, &env), 0);
    CHECK_EQ(env.flags, FP_UFC);
}

TEST(softfloat, every_half_survives_widening)
{
    for (int ahp = 0; ahp < 2; ahp++) {
        struct fp_env env = {.ahp = ahp};

        for (unsigned a = 0; a < 0x10000; a++) {
            bool nan = !ahp && (a & 0x7fff) > 0x7c00;
            uint16_t want = nan ? a | 0x200 : a;

            if (f32_to_f16(f16_to_f32(a, &env), &env) != want)
                CHECK_EQ(f32_to_f16(f16_to_f32(a, &env), &env), want);
            if (f64_to_f16(f16_to_f64(a, &env), &env) != want)
                CHECK_EQ(f64_to_f16(f16_to_f64(a, &env), &env), want);
        }
        CHECK_EQ(env.flags, ahp ? 0 : FP_IOC);
    }
}

/* 53 bits are more than twice 11 and two: f64 and one more rounding give the same as f16. */
static bool half_agrees(int op, uint16_t a, uint16_t b, int rounding)
{
    struct fp_env h = {.rounding = rounding}, w = h;
    uint64_t x = f16_to_f64(a, &w), y = f16_to_f64(b, &w), z;
    uint16_t got, want;

    switch (op) {
    case 0: got = f16_add(a, b, &h), z = f64_add(x, y, &w); break;
    case 1: got = f16_mul(a, b, &h), z = f64_mul(x, y, &w); break;
    case 2: got = f16_div(a, b, &h), z = f64_div(x, y, &w); break;
    case 3: got = f16_sqrt(a, &h), z = f64_sqrt(x, &w); break;
    default: got = f16_rint(a, rounding, true, &h), z = f64_rint(x, rounding, true, &w); break;
    }
    want = f64_to_f16(z, &w);
    if (got == want && h.flags == w.flags)
        return true;
    return both(CHECK_EQ(got, want), CHECK_EQ(h.flags, w.flags));
}

TEST(softfloat, half_agrees_with_double)
{
    for (int r = 0; r < 4; r++) {
        for (unsigned a = 0; a < 0x10000; a++) {
            /* NaNs: the wide operation would see quiet ones. */
            uint16_t b = random64();

            if ((a & 0x7fff) > 0x7c00)
                continue;
            if ((b & 0x7fff) > 0x7c00)
                b ^= 0x4000;
            for (int op = 0; op < 5; op++)
                if (!half_agrees(op, a, b, r))
                    return;
        }
    }
}

TEST(softfloat, integers_survive_double)
{
    struct fp_env env = {0};

    for (int i = 0; i < 100000; i++) {
        int64_t v = (int64_t)random64() >> (11 + random64() % 50);
        uint64_t f = i64_to_f64(v, 0, &env);

        if (f64_to_i64(f, 0, FP_RZ, &env) != v ||
            f64_to_i64(i64_to_f64(v, 7, &env), 7, FP_RM, &env) != v)
            CHECK_EQ(f64_to_i64(f, 0, FP_RZ, &env), v);
    }
    CHECK_EQ(env.flags, 0);
}

#ifdef __x86_64__
/* MXCSR's rounding field (RN RM RP RZ) and sticky bits, in our terms. */
static uint32_t mxcsr_of(int rounding)
{
    static const uint32_t field[4] = {0, 2, 1, 3};

    return 0x1f80 | field[rounding] << 13;
}

static uint32_t flags_of(uint32_t mxcsr)
{
    return (mxcsr & 1) | (mxcsr >> 1 & (FP_DZC | FP_OFC | FP_UFC | FP_IXC));
}

#define SSE(insn, a, b, mxcsr)                                                                     \
    asm volatile("ldmxcsr %1\n\t" insn " %2, %0\n\tstmxcsr %1\n\tldmxcsr %3"                       \
                 : "+x"(a), "+m"(mxcsr)                                                            \
                 : "x"(b), "m"(default_mxcsr))

static const uint32_t default_mxcsr = 0x1f80;

static uint64_t host64(int op, uint64_t a, uint64_t b, uint32_t *mxcsr)
{
    double x, y, z;

    memcpy(&x, &a, 8);
    memcpy(&y, &b, 8);
    switch (op) {
    case 0: SSE("addsd", x, y, *mxcsr); break;
    case 1: SSE("subsd", x, y, *mxcsr); break;
    case 2: SSE("mulsd", x, y, *mxcsr); break;
    case 3: SSE("divsd", x, y, *mxcsr); break;
    case 4:
        z = x;
        SSE("sqrtsd", x, z, *mxcsr);
        break;
    default:
        z = x;
        SSE("cvtsd2ss", x, z, *mxcsr);
        break;
    }
    memcpy(&a, &x, 8);
    return op == 5 ? (uint32_t)a : a;
}

static uint64_t soft64(int op, uint64_t a, uint64_t b, struct fp_env *env)
{
    switch (op) {
    case 0: return f64_add(a, b, env);
    case 1: return f64_sub(a, b, env);
    case 2: return f64_mul(a, b, env);
    case 3: return f64_div(a, b, env);
    case 4: return f64_sqrt(a, env);
    default: return f64_to_f32(a, env);
    }
}

static uint32_t host32(int op, uint32_t a, uint32_t b, uint32_t *mxcsr)
{
    float x, y, z;

    memcpy(&x, &a, 4);
    memcpy(&y, &b, 4);
    switch (op) {
    case 0: SSE("addss", x, y, *mxcsr); break;
    case 1: SSE("subss", x, y, *mxcsr); break;
    case 2: SSE("mulss", x, y, *mxcsr); break;
    case 3: SSE("divss", x, y, *mxcsr); break;
    default:
        z = x;
        SSE("sqrtss", x, z, *mxcsr);
        break;
    }
    memcpy(&a, &x, 4);
    return a;
}

static uint32_t soft32(int op, uint32_t a, uint32_t b, struct fp_env *env)
{
    switch (op) {
    case 0: return f32_add(a, b, env);
    case 1: return f32_sub(a, b, env);
    case 2: return f32_mul(a, b, env);
    case 3: return f32_div(a, b, env);
    default: return f32_sqrt(a, env);
    }
}

/* SSE tells underflow after rounding: the two differ where the result became the least normal. */
static bool same(uint64_t got, const struct fp_env *env, uint64_t want, uint32_t mxcsr,
                 uint64_t least_normal)
{
    uint32_t ignore = (got & (least_normal | (least_normal - 1))) == least_normal ? FP_UFC : 0;

    if (got == want && !((env->flags ^ flags_of(mxcsr)) & ~ignore))
        return true;
    return both(CHECK_EQ(got, want), CHECK_EQ(env->flags, flags_of(mxcsr)));
}

TEST(softfloat, double_agrees_with_sse)
{
    for (int i = 0; i < 600000; i++) {
        int op = i % 6, r = i / 6 % 4;
        struct fp_env env = {.rounding = r, .nan_rule = FP_NAN_X86};
        uint32_t mxcsr = mxcsr_of(r);
        uint64_t a = random_float(11, 52), b = random_float(11, 52), want;
        uint64_t least = op == 5 ? 0x00800000 : 0x0010000000000000;

        if (op == 5 && i % 12 == 5) /* near the limits of f32 */
            a = (a & 0x800fffffffffffff) | (0x380 - 30 + random64() % 40) << 52;
        want = host64(op, a, b, &mxcsr);
        if (!same(soft64(op, a, b, &env), &env, want, mxcsr, least)) {
            printf("op %d, rounding %d, %#llx %#llx\n", op, r, (long long)a, (long long)b);
            return;
        }
    }
}

TEST(softfloat, single_agrees_with_sse)
{
    for (int i = 0; i < 500000; i++) {
        int op = i % 5, r = i / 5 % 4;
        struct fp_env env = {.rounding = r, .nan_rule = FP_NAN_X86};
        uint32_t mxcsr = mxcsr_of(r), a = random_float(8, 23), b = random_float(8, 23);
        uint32_t want = host32(op, a, b, &mxcsr);

        if (!same(soft32(op, a, b, &env), &env, want, mxcsr, 0x00800000)) {
            printf("op %d, rounding %d, %#x %#x\n", op, r, a, b);
            return;
        }
    }
}

static uint64_t host_fma(uint64_t a, uint64_t b, uint64_t c, uint32_t *mxcsr)
{
    double x, y, z;

    memcpy(&x, &a, 8);
    memcpy(&y, &b, 8);
    memcpy(&z, &c, 8);
    asm volatile("ldmxcsr %1\n\tvfmadd231sd %3, %2, %0\n\tstmxcsr %1\n\tldmxcsr %4"
                 : "+x"(z), "+m"(*mxcsr)
                 : "x"(x), "x"(y), "m"(default_mxcsr));
    memcpy(&c, &z, 8);
    return c;
}

TEST(softfloat, fma_agrees_with_the_host)
{
    if (!__builtin_cpu_supports("fma"))
        SKIP("the host has no FMA");
    for (int i = 0; i < 300000; i++) {
        int r = i % 4;
        struct fp_env env = {.rounding = r, .nan_rule = FP_NAN_X86}, ignore = {0};
        uint32_t mxcsr = mxcsr_of(r);
        uint64_t a = random_float(11, 52), b = random_float(11, 52), c = random_float(11, 52), want;

        if (i % 3 == 0) /* nearly all of the product cancels */
            c = f64_mul(a, b, &ignore) ^ UINT64_C(1) << 63 ^ (random64() & 3);
        if ((a & INT64_MAX) > 0x7ff0000000000000 || (b & INT64_MAX) > 0x7ff0000000000000 ||
            (c & INT64_MAX) > 0x7ff0000000000000)
            continue; /* which NaN depends on the instruction's form */
        want = host_fma(a, b, c, &mxcsr);
        if (!same(f64_fma(a, b, c, &env), &env, want, mxcsr, 0x0010000000000000)) {
            printf("%#llx %#llx %#llx\n", (long long)a, (long long)b, (long long)c);
            return;
        }
    }
}
#endif

static const struct test tests[] = {
    CASE(softfloat, first_signalling_nan_wins_over_first_quiet_one),
    CASE(softfloat, fma_looks_at_the_addend_first),
    CASE(softfloat, underflow_is_told_before_rounding),
    CASE(softfloat, flushing_to_zero),
    CASE(softfloat, rounding_directions),
    CASE(softfloat, rounding_to_odd),
    CASE(softfloat, alternative_half_has_no_specials),
    CASE(softfloat, nan_payloads_survive_conversion),
    CASE(softfloat, minimum_and_maximum),
    CASE(softfloat, invalid_operations),
    CASE(softfloat, comparisons),
    CASE(softfloat, to_integers_saturates),
    CASE(softfloat, javascript_conversion),
    CASE(softfloat, integral_values),
    CASE(softfloat, estimates),
    CASE(softfloat, every_half_survives_widening),
    CASE(softfloat, half_agrees_with_double),
    CASE(softfloat, integers_survive_double),
#ifdef __x86_64__
    CASE(softfloat, double_agrees_with_sse),
    CASE(softfloat, single_agrees_with_sse),
    CASE(softfloat, fma_agrees_with_the_host),
#endif
};
TEST_MAIN(tests)
