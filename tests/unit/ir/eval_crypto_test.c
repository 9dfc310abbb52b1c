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

static const struct test tests[] = {
    CASE(eval_crypto, aes_steps),
    CASE(eval_crypto, sha1h_rotates_lane_zero_and_clears_the_rest),
    CASE(eval_crypto, operands_keep_their_order),
};
TEST_MAIN(tests)
