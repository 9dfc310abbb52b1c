/* SPDX-License-Identifier: GPL-2.0-or-later */
/* base/softfloat.h: checksums over random operands in every mode, for Arm's rules. */
#include "base/softfloat.h"
#include "tests/test.h"

/*
 * Each test folds results and flags of one family into a checksum.  The checksums were taken when
 * 18 million results of all functions agreed with a reference implementation run as a black box
 * (except FJCVTZS of a flushed denormal, where the manual was followed).  A change here is a bug.
 */
enum { ROUNDS = 20000 };

struct sum {
    uint64_t seed, hash;
    struct fp_env env;
    uint16_t h[3]; /* operands of this round */
    uint32_t s[3];
    uint64_t d[3];
};

static uint64_t random64(struct sum *t)
{
    t->seed ^= t->seed << 13;
    t->seed ^= t->seed >> 7;
    t->seed ^= t->seed << 17;
    return t->seed * 0x2545f4914f6cdd1du;
}

/* The ends of the exponent range and runs of fraction bits are likely. */
static uint64_t random_float(struct sum *t, int exp, int frac)
{
    uint64_t mask = (UINT64_C(1) << frac) - 1, top = (1 << exp) - 1, r = random64(t);
    uint64_t fracs[] = {0, UINT64_C(1) << (r >> 8) % frac, mask, ~UINT64_C(0) << (r >> 8) % frac};
    uint64_t exps[] = {0, top, r >> 16 & 3, top - (r >> 16 & 3), top / 2 - 2 + (r >> 16 & 15)};
    uint64_t e = (r & 7) < 5 ? exps[r & 7] : random64(t) & top;
    uint64_t f = (r >> 3 & 7) < 4 ? fracs[r >> 3 & 7] : random64(t);

    return (r >> 63) << (exp + frac) | (e & top) << frac | (f & mask);
}

static void add(struct sum *t, uint64_t result)
{
    t->hash = (t->hash ^ result ^ (uint64_t)t->env.flags << 56) * 0x100000001b3u;
    t->hash ^= t->hash >> 29;
    t->env.flags = 0;
}

/* New operands and modes; false when it is enough. */
static bool next(struct sum *t, int round)
{
    uint64_t r = random64(t);

    t->env = (struct fp_env){.rounding = r & 3,
                             .fz = (r >> 2 & 3) == 3,
                             .fz16 = (r >> 4 & 3) == 3,
                             .dn = (r >> 6 & 3) == 3,
                             .ahp = (r >> 8 & 3) == 3};
    for (int i = 0; i < 3; i++) {
        t->h[i] = random_float(t, 5, 10);
        t->s[i] = random_float(t, 8, 23);
        t->d[i] = random_float(t, 11, 52);
    }
    return round < ROUNDS;
}

#define SUM(t) struct sum t = {.seed = 88172645463325252u}

TEST(softfloat_sums, arithmetic)
{
    SUM(t);

    for (int i = 0; next(&t, i); i++) {
        add(&t, f16_add(t.h[0], t.h[1], &t.env));
        add(&t, f32_add(t.s[0], t.s[1], &t.env));
        add(&t, f64_add(t.d[0], t.d[1], &t.env));
        add(&t, f16_sub(t.h[0], t.h[1], &t.env));
        add(&t, f32_sub(t.s[0], t.s[1], &t.env));
        add(&t, f64_sub(t.d[0], t.d[1], &t.env));
        add(&t, f16_mul(t.h[0], t.h[1], &t.env));
        add(&t, f32_mul(t.s[0], t.s[1], &t.env));
        add(&t, f64_mul(t.d[0], t.d[1], &t.env));
        add(&t, f16_mulx(t.h[0], t.h[1], &t.env));
        add(&t, f32_mulx(t.s[0], t.s[1], &t.env));
        add(&t, f64_mulx(t.d[0], t.d[1], &t.env));
        add(&t, f16_div(t.h[0], t.h[1], &t.env));
        add(&t, f32_div(t.s[0], t.s[1], &t.env));
        add(&t, f64_div(t.d[0], t.d[1], &t.env));
        add(&t, f16_sqrt(t.h[0], &t.env));
        add(&t, f32_sqrt(t.s[0], &t.env));
        add(&t, f64_sqrt(t.d[0], &t.env));
    }
    CHECK_EQ(t.hash, 0xe30185169b2d576b);
}

TEST(softfloat_sums, fma)
{
    SUM(t);

    for (int i = 0; next(&t, i); i++) {
        add(&t, f16_fma(t.h[0], t.h[1], t.h[2], &t.env));
        add(&t, f32_fma(t.s[0], t.s[1], t.s[2], &t.env));
        add(&t, f64_fma(t.d[0], t.d[1], t.d[2], &t.env));
        add(&t, f32_fma_f16(t.h[0], t.h[1], t.s[2], &t.env));
        add(&t, f64_fma(t.d[0], t.d[1], f64_mul(t.d[0], t.d[1], &t.env) ^ INT64_MIN, &t.env));
        add(&t, f16_recps(t.h[0], t.h[1], &t.env));
        add(&t, f32_recps(t.s[0], t.s[1], &t.env));
        add(&t, f64_recps(t.d[0], t.d[1], &t.env));
        add(&t, f16_rsqrts(t.h[0], t.h[1], &t.env));
        add(&t, f32_rsqrts(t.s[0], t.s[1], &t.env));
        add(&t, f64_rsqrts(t.d[0], t.d[1], &t.env));
    }
    CHECK_EQ(t.hash, 0xb5c0146d4ce6270);
}

TEST(softfloat_sums, minimum_maximum_compare)
{
    SUM(t);

    for (int i = 0; next(&t, i); i++) {
        add(&t, f16_min(t.h[0], t.h[1], &t.env));
        add(&t, f32_min(t.s[0], t.s[1], &t.env));
        add(&t, f64_min(t.d[0], t.d[1], &t.env));
        add(&t, f16_max(t.h[0], t.h[1], &t.env));
        add(&t, f32_max(t.s[0], t.s[1], &t.env));
        add(&t, f64_max(t.d[0], t.d[1], &t.env));
        add(&t, f16_minnm(t.h[0], t.h[1], &t.env));
        add(&t, f32_minnm(t.s[0], t.s[1], &t.env));
        add(&t, f64_minnm(t.d[0], t.d[1], &t.env));
        add(&t, f16_maxnm(t.h[0], t.h[1], &t.env));
        add(&t, f32_maxnm(t.s[0], t.s[1], &t.env));
        add(&t, f64_maxnm(t.d[0], t.d[1], &t.env));
        add(&t, f16_compare(t.h[0], t.h[1], i & 1, &t.env));
        add(&t, f32_compare(t.s[0], t.s[1], i & 1, &t.env));
        add(&t, f64_compare(t.d[0], t.d[1], i & 1, &t.env));
    }
    CHECK_EQ(t.hash, 0x87d97b15427b0d31);
}

TEST(softfloat_sums, estimates)
{
    SUM(t);

    for (int i = 0; next(&t, i); i++) {
        add(&t, f16_recpe(t.h[0], &t.env));
        add(&t, f32_recpe(t.s[0], &t.env));
        add(&t, f64_recpe(t.d[0], &t.env));
        add(&t, f16_rsqrte(t.h[0], &t.env));
        add(&t, f32_rsqrte(t.s[0], &t.env));
        add(&t, f64_rsqrte(t.d[0], &t.env));
        add(&t, f16_recpx(t.h[0], &t.env));
        add(&t, f32_recpx(t.s[0], &t.env));
        add(&t, f64_recpx(t.d[0], &t.env));
        add(&t, u32_recpe(t.s[0]));
        add(&t, u32_rsqrte(t.s[0]));
    }
    CHECK_EQ(t.hash, 0x37eb408695c39928);
}

TEST(softfloat_sums, formats)
{
    SUM(t);

    for (int i = 0; next(&t, i); i++) {
        add(&t, f16_to_f32(t.h[0], &t.env));
        add(&t, f16_to_f64(t.h[0], &t.env));
        add(&t, f32_to_f16(t.s[0], &t.env));
        add(&t, f32_to_f64(t.s[0], &t.env));
        add(&t, f64_to_f16(t.d[0], &t.env));
        add(&t, f64_to_f32(t.d[0], &t.env));
        add(&t, f64_to_f32_odd(t.d[0], &t.env));
    }
    CHECK_EQ(t.hash, 0x69d318a8134948bc);
}

TEST(softfloat_sums, integral_values)
{
    SUM(t);

    for (int i = 0; next(&t, i); i++) {
        enum fp_rounding r = i % 5;

        add(&t, f16_rint(t.h[0], r, i & 8, &t.env));
        add(&t, f32_rint(t.s[0], r, i & 8, &t.env));
        add(&t, f64_rint(t.d[0], r, i & 8, &t.env));
        add(&t, f32_rint_bits(t.s[0], i & 8 ? 32 : 64, r, &t.env));
        add(&t, f64_rint_bits(t.d[0], i & 8 ? 32 : 64, r, &t.env));
    }
    CHECK_EQ(t.hash, 0x72933512fbdf8065);
}

TEST(softfloat_sums, to_integers)
{
    SUM(t);
    bool z;

    for (int i = 0; next(&t, i); i++) {
        enum fp_rounding r = i % 5;
        unsigned fbits = i & 8 ? 0 : 1 + i % 32;

        add(&t, f16_to_i16(t.h[0], fbits % 17, r, &t.env));
        add(&t, f16_to_u16(t.h[0], fbits % 17, r, &t.env));
        add(&t, f16_to_i32(t.h[0], fbits, r, &t.env));
        add(&t, f16_to_u32(t.h[0], fbits, r, &t.env));
        add(&t, f16_to_i64(t.h[0], fbits, r, &t.env));
        add(&t, f16_to_u64(t.h[0], fbits, r, &t.env));
        add(&t, f32_to_i32(t.s[0], fbits, r, &t.env));
        add(&t, f32_to_u32(t.s[0], fbits, r, &t.env));
        add(&t, f32_to_i64(t.s[0], fbits, r, &t.env));
        add(&t, f32_to_u64(t.s[0], fbits, r, &t.env));
        add(&t, f64_to_i32(t.d[0], fbits, r, &t.env));
        add(&t, f64_to_u32(t.d[0], fbits, r, &t.env));
        add(&t, f64_to_i64(t.d[0], fbits, r, &t.env));
        add(&t, f64_to_u64(t.d[0], fbits, r, &t.env));
        add(&t, f64_to_i32_js(t.d[0], &z, &t.env));
        add(&t, z);
    }
    CHECK_EQ(t.hash, 0x94c4b4a8e035b68e);
}

TEST(softfloat_sums, from_integers)
{
    SUM(t);

    for (int i = 0; next(&t, i); i++) {
        uint64_t v = random64(&t) >> i % 64;
        unsigned fbits = i & 64 ? 0 : 1 + random64(&t) % 64;

        v = i & 128 ? -v : v;
        add(&t, i64_to_f16(v, fbits, &t.env));
        add(&t, u64_to_f16(v, fbits, &t.env));
        add(&t, i64_to_f32(v, fbits, &t.env));
        add(&t, u64_to_f32(v, fbits, &t.env));
        add(&t, i64_to_f64(v, fbits, &t.env));
        add(&t, u64_to_f64(v, fbits, &t.env));
    }
    CHECK_EQ(t.hash, 0xa7c8aa7e0bf7c7eb);
}

static const struct test tests[] = {
    CASE(softfloat_sums, arithmetic),
    CASE(softfloat_sums, fma),
    CASE(softfloat_sums, minimum_maximum_compare),
    CASE(softfloat_sums, estimates),
    CASE(softfloat_sums, formats),
    CASE(softfloat_sums, integral_values),
    CASE(softfloat_sums, to_integers),
    CASE(softfloat_sums, from_integers),
};
TEST_MAIN(tests)
