/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Cryptographic operations: operand order and unused lanes; the steps are tested in base. */
#include "base/crypto.h"
#include "tests/unit/ir/eval_check.h"

static struct fp_env fp;

/* FIPS 197 appendix B: input and key of round 0, and the states it prints for round 1. */
TEST(eval_crypto, aes_steps)
{
    static const struct row rows[] = {
        {VROW(aese, 0, 0), {V(0x340737e0a2983131, 0x8d305a88a8f64332),
                            V(0x3c4fcf098815f7ab, 0xa6d2ae2816157e2b)},
         V(0xe598271ef11141b8, 0xae52b4e0305dbfd4)},
        {VROW(aesmc, 0, 0), {V(0xe598271ef11141b8, 0xae52b4e0305dbfd4)},
         V(0x4c2606287ad3f848, 0x9a19cbe0e5816604)},
        {VROW(aesimc, 0, 0), {V(0x4c2606287ad3f848, 0x9a19cbe0e5816604)},
         V(0xe598271ef11141b8, 0xae52b4e0305dbfd4)},
        {VROW(aesd, 0, 0), {V(0xe598271ef11141b8, 0xae52b4e0305dbfd4), V(0, 0)},
         V(0x0848f8e92a8dc69a, 0x2be2f4a0bee33d19)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_crypto, sha1h_rotates_lane_zero_and_clears_the_rest)
{
    static const struct row rows[] = {
        {VROW(sha1h, 2, 0), {V(~0ull, 0xffffffff00000006)}, V(0, 0x80000001)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_crypto, operands_keep_their_order)
{
    static const struct row rows[] = {
        /* d[63:0]:n[127:64] spliced, then xor d and m */
        {VROW(sha1su0, 2, 0), {V(0x0f, 0x10), V(0x300, 0x200), V(0x5000, 0x6000)},
         V(0x200 ^ 0x0f ^ 0x5000, 0x0f ^ 0x10 ^ 0x6000)},
        /* each lane is d's plus sigma0 of the next one up, lane 3 followed by lane 0 of n */
        {VROW(sha256su0, 2, 0), {V(0x100000000, 0), V(7, 1)}, V(0x0200400102004000, 0)},
    };
    CHECK_ROWS(rows, &fp);
}

/* The cases of tests/insn/aarch64/crypto.S, where other implementations agree. */
TEST(eval_crypto, as_the_instructions)
{
    static const struct row rows[] = {
        {VROW(sha1c, 2, 0), {V(0x0, 0x7ffffffffffffffe), V(0x495adf817716a145, 0x23ca869f6c58dc56),
         V(0xfffffffd00000020, 0x7ffffffeffffffff)}, V(0x1b16370d7ac6e1a2, 0x2370d15c6e10aaff)},
        {VROW(sha1p, 2, 0), {V(0x58fa90270717ec2f, 0x1), V(0x7b9ef4a2, 0x8000000000000000),
         V(0x5ffffffff, 0xfffffffe7fffffff)}, V(0xf7fb5f0997708053, 0x5f459220d2eba257)},
        {VROW(sha1m, 2, 0), {V(0x17091a6450ca2e32, 0x7ffffffffffffffe),
         V(0xfffffffdfffffffe, 0x30820fa920ca6b97), V(0xfffffffafffffffe, 0x7fffffffd)},
         V(0x5e256a7a026f95e6, 0x889521301263a604)},
        {VROW(sha1su1, 2, 0), {V(0x80000000610d7b60, 0x100000000), V(0x27ffffffe, 0x3f59656a)},
         V(0x1c21af6c4, 0xfffffffe00000000)},
        {VROW(sha256h, 2, 0), {V(0x3f, 0x2), V(0x844c7ea007c94e88, 0x7fffffffffffffff),
         V(0x3909541880000000, 0x533738fd0e0aac3c)}, V(0x926732dc22553092, 0xfe94d0290526ae15)},
        {VROW(sha256h2, 2, 0), {V(0x40, 0x0), V(0x7ffffffffffffffe, 0xdd518e1d8a088b32),
         V(0x8000000000000005, 0xda72386980000000)}, V(0x3fd6525827, 0x8fe11f09c7caa001)},
        {VROW(sha256su1, 2, 0), {V(0x2ffffffff, 0x2000000001), V(0xffffffff94f6580b, 0x130d945e7),
         V(0xabf439f678cd110f, 0xffffffff07619748)}, V(0x57c19e653c139e11, 0x30e5d5b52ab8603d)},
        {VROW(sha512h, 3, 0), {V(0x86fd155fbd313ed5, 0x0),
         V(0x7ffffffffffffffe, 0x8000000000000000), V(0x3f, 0xffffffffffffffff)},
         V(0x7f0d55fdcb13e95, 0x9a1b46a02a2b7d96)},
        {VROW(sha512h2, 3, 0), {V(0x27e0bd66aa98eb40, 0x3f),
         V(0xfffffffffffffffe, 0x7fffffffffffffff), V(0xf11fc81cd348ada4, 0x7fffffffffffffff)},
         V(0xa7e0bd5e8998eb3e, 0x7efbb65286952bc2)},
        {VROW(sha512su0, 3, 0), {V(0xfffffffffffffffa, 0x8000000000000000),
         V(0x636d798fd88f6c9d, 0x9906adb304b6f70c)}, V(0x41285d2f5756a099, 0x4fffffffffffffd)},
        {VROW(sha512su1, 3, 0), {V(0x1, 0xeae34ef8c5795dd7),
         V(0xffffffffffffffc0, 0x7fffffffffffffff), V(0xffffffffffffffc0, 0x7ffffffffffffffe)},
         V(0x3f81ffffffffdc8, 0x6ce33ef8c5795dd0)},
        {VROW(sm3ss1, 2, 0), {V(0x7ffffffead1099d4, 0xe49be451fffffffe),
         V(0xb4e713100000007, 0xfffffffeabca09c6), V(0xfffffffe80000000, 0x1fffffffe0)},
         V(0xa72c970500000000, 0x0)},
        {VROW(sm3tt1a, 2, 2), {V(0x460f358834b3bac7, 0xffffffff),
         V(0x63dc0e89fbaffb34, 0xfffffffffffffffe), V(0xffffffff, 0x91b981c2dab4c348)},
         V(0x3411a36460f3588, 0x67758e6900000000)},
        {VROW(sm3tt1b, 2, 2), {V(0x58b153c37371906e, 0xfb7f97c425e252e6),
         V(0xffffffff, 0xfffffffffffffffe), V(0x80000000e619ead9, 0x6a2e67b58366195)},
         V(0x9caa071058b153c3, 0xe320dce6fb7f97c4)},
        {VROW(sm3tt2a, 2, 2), {V(0x3c5b97049, 0x1fffffffe), V(0x19805fc0f, 0x80000000),
         V(0x5fdbd12f00000001, 0x7fffffff7f77d386)}, V(0x57ce6cb200000003, 0x824e2dcb00000001)},
        {VROW(sm3tt2b, 2, 2), {V(0x800000006f164720, 0x80000000a54d3c2a),
         V(0x58fe8347fffffffe, 0x7ffffffefffffffe), V(0x7fffffff00000001, 0x20595ca566)},
         V(0x17d0a61980000000, 0x390378b280000000)},
        {VROW(sm3partw1, 2, 0), {V(0xfffffffffffffffe, 0x7fffffff7ffffffe),
         V(0xfffffffaffffffff, 0x7ffffffe7fffffff), V(0x8000000000000007, 0x6d6fa57a80000000)},
         V(0xe55895da2080c021, 0xc08301c0128f0173)},
        {VROW(sm3partw2, 2, 0), {V(0x1ee38768fffffffd, 0x68b462ed00000000),
         V(0x4c626c4800000001, 0x71e5f48d00000001), V(0xfe7d01c, 0x5fffffffe)},
         V(0xed3eb4bf0c17f1fb, 0x195194e0ffffff7e)},
        {VROW(sm4e, 2, 0), {V(0x3234b82c7fffffff, 0xffffffff7fffffff),
         V(0x75771e61, 0x7ffffffe00000002)}, V(0x675710f046a8daaf, 0x9a6f301f119b541b)},
        {VROW(sm4ekey, 2, 0), {V(0xfffffffe00000020, 0x1a6bf8e47fffffff),
         V(0xfffffffe00000007, 0x200000001)}, V(0x73df5413d2bca970, 0xaed738c962d0570d)},
    };
    CHECK_ROWS(rows, &fp);
}

static const struct test tests[] = {
    CASE(eval_crypto, aes_steps),
    CASE(eval_crypto, sha1h_rotates_lane_zero_and_clears_the_rest),
    CASE(eval_crypto, operands_keep_their_order),
    CASE(eval_crypto, as_the_instructions),
};
TEST_MAIN(tests)
