/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86's own vector operations: the environment they run in, and one of each form.  What all of them give, tests/unit/guest/x86_vector_test.c
 * compares with the processor. */
#include "ir/sse.h"
#include "tests/unit/ir/eval_check.h"

#include <cpuid.h>

static struct fp_env fp = {.nan_rule = FP_NAN_X86};

#define SSE_ROW(op, row, imm8) VROW(op, 0, (uint64_t)SSE_##row | (uint64_t)(imm8) << 16)
#define ONE   0x3ff0000000000000
#define TWO   0x4000000000000000
#define THIRD 0x3fd5555555555555
#define SNAN  0x7ff0000000000001
#define TINY  0x0000000000000001
#define HUGE  0x7fefffffffffffff

TEST(eval, forms)
{
    static const struct row rows[] = {
        {SSE_ROW(xv1, pshufd, 0x1b), {V(0x0000000400000003, 0x0000000200000001)}, V(0x0000000100000002, 0x0000000300000004)},
        {SSE_ROW(xv2, pmaddwd, 0), {V(0, 0x0002000300040005), V(0, 0x0001000100010001)}, V(0, 0x0000000500000009)},
        {SSE_ROW(xv3, sha256rnds2, 0), {V(0, 0), V(0, 0), V(0, 0)}, V(0, 0)},
        {SSE_ROW(xf1, cvtps2pd, 0), {V(0, 0x400000003f800000)}, V(TWO, ONE)},
        {SSE_ROW(xf2, addsd, 0), {V(7, ONE), V(9, ONE)}, V(7, TWO)},
        {SSE_ROW(xf3, vfmadd213sd, 0), {V(7, ONE), V(9, ONE), V(9, ONE)}, V(7, TWO)},
        {ROW(xftoi, IR_I32, IR_V128, SSE_cvttsd2si), {V(0, TWO)}, V(0, 2)},
        {ROW(xftoi, IR_I32, IR_V128, SSE_cvttsd2si), {V(0, HUGE)}, V(0, 0x80000000), FP_IOC},
        {ROW(xftoi, IR_I64, IR_V128, SSE_cvtsd2si), {V(0, SNAN)}, V(0, 0x8000000000000000), FP_IOC},
        {ROW(xifrom, IR_V128, IR_V128, SSE_cvtsi2sd | 8 << 16), {V(7, 9), V(0, 0xffffffffffffffff)}, V(7, 0xbff0000000000000)},
        {ROW(xifrom, IR_V128, IR_V128, SSE_cvtsi2sd | 4 << 16), {V(7, 9), V(0, 0xffffffffffffffff)}, V(7, 0xbff0000000000000)},
        {ROW(xbits, IR_I32, IR_V128, SSE_pmovmskb), {V(0x8000000000000000, 0x80)}, V(0, 0x8001)},
        {ROW(xbits, IR_I32, IR_V128, SSE_movmskps), {V(0x8000000000000000, 0)}, V(0, 8)},
        {ROW(xbits, IR_I32, IR_V128, SSE_movmskpd), {V(0x8000000000000000, 0)}, V(0, 2)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, x86_flags_and_nans)
{
    static const struct row rows[] = {
        {SSE_ROW(xf2, addsd, 0), {V(0, SNAN), V(0, ONE)}, V(0, 0x7ff8000000000001), FP_IOC},
        {SSE_ROW(xf2, divsd, 0), {V(0, 0), V(0, 0)}, V(0, 0xfff8000000000000), FP_IOC},
        {SSE_ROW(xf2, divsd, 0), {V(0, ONE), V(0, 0)}, V(0, 0x7ff0000000000000), FP_DZC},
        {SSE_ROW(xf2, addsd, 0), {V(0, TINY), V(0, ONE)}, V(0, ONE), FP_DEN | FP_IXC},
        {SSE_ROW(xf2, mulsd, 0), {V(0, HUGE), V(0, TWO)}, V(0, 0x7ff0000000000000), FP_OFC | FP_IXC},
        {SSE_ROW(xf2, mulsd, 0), {V(0, 0x0010000000000001), V(0, THIRD)}, V(0, 0x0005555555555556), FP_UFC | FP_IXC},
        {SSE_ROW(xf2, minsd, 0), {V(0, 0x8000000000000000), V(0, 0)}, V(0, 0)},
        {ROW(feq, IR_I1, IR_F64, 0), {V(0, TINY), V(0, TINY)}, V(0, 1), FP_DEN},
        {ROW(fun, IR_I1, IR_F64, 1), {V(0, 0x7ff8000000000000), V(0, TINY)}, V(0, 1), FP_IOC},
        {ROW(flt, IR_I1, IR_F64, 0), {V(0, ONE), V(0, TWO)}, V(0, 1)},
        {ROW(fle, IR_I1, IR_F32, 0), {V(0, 0x3f800000), V(0, 0x3f800000)}, V(0, 1)},
    };
    CHECK_ROWS(rows, &fp);
}

/* "ab" among "xyzab": the first is at 3. */
TEST(eval, strings)
{
    static const struct row rows[] = {
        {VROW(xstri, 0, 0x100), {V(0, 0x6261), V(0, 0x62617a7978)}, {.s = {3, 1, 1, 1}}},
        {VROW(xstri, 0, 0), {V(0, 0x6261), V(0, 0x62617a7978), V(5, 2)}, {.s = {3, 1, 1, 1}}},
        {VROW(xstri, 0, 0x140), {V(0, 0x6261), V(0, 0x62617a7978)}, {.s = {4, 1, 1, 1}}},
        {VROW(xstri, 0, 0x10c), {V(0, 0x6261), V(0, 0x62617a7978)}, {.s = {3, 1, 1, 1}}},
        {VROW(xstri, 0, 0x104), {V(0, 0x7a79), V(0, 0x62617a7978)}, {.s = {1, 1, 1, 1}}},
        {VROW(xstri, 0, 0x118), {V(0, 0x7978), V(0, 0x7978)}, {.s = {16, 0, 1, 1}}},
        {VROW(xstrm, 0, 0x100), {V(0, 0x6261), V(0, 0x62617a7978)}, V(0, 0x18)},
        {VROW(xstrm, 0, 0x140), {V(0, 0x6261), V(0, 0x62617a7978)}, V(0, 0xffff000000)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, x86_flushing)
{
    static const struct row rows[] = {
        {SSE_ROW(xf2, addsd, 0), {V(0, TINY), V(0, ONE)}, V(0, ONE)},
        {SSE_ROW(xf2, mulsd, 0), {V(0, 0x0010000000000001), V(0, THIRD)}, V(0, 0), FP_UFC | FP_IXC},
        {ROW(feq, IR_I1, IR_F64, 0), {V(0, TINY), V(0, 0)}, V(0, 1)},
    };
    fp.daz = fp.ftz = true;
    CHECK_ROWS(rows, &fp);
    fp.daz = fp.ftz = false;
}

/* With underflow unmasked, a tiny result counts even when it is exact. */
TEST(eval, exact_tiny_results)
{
    static const struct row rows[] = {
        {SSE_ROW(xf2, addsd, 0), {V(0, TINY), V(0, TINY)}, V(0, 2), FP_DEN | FP_UFC},
        {SSE_ROW(xf2, addss, 0), {V(0, 1), V(0, 1)}, V(0, 2), FP_DEN | FP_UFC},
    };
    fp.tiny = true;
    CHECK_ROWS(rows, &fp);
    fp.tiny = false;
}

/* --- Cryptography: the standards' own examples, as programs compute them --- */

static union ir_u op(unsigned row, unsigned imm, union ir_u a, union ir_u b, union ir_u c)
{
    struct ir_how how = {.type = IR_V128, .arg_type = IR_V128, .imm = sse_imm(row, imm)};
    union ir_u args[3] = {a, b, c}, r;

    (sse_info[row].kind == SSE_P3 ? ir_eval_xv3 : sse_info[row].kind == SSE_P1 || sse_info[row].kind == SSE_P1I ? ir_eval_xv1 : ir_eval_xv2)(&r, args, &how, &fp);
    return r;
}
#define OP(name, a, b) op(SSE_##name, 0, a, b, (union ir_u){.q = 0})

static union ir_u xor(union ir_u a, union ir_u b)
{
    return (union ir_u){.q = a.q ^ b.q};
}

static union ir_u add32(union ir_u a, union ir_u b)
{
    for (unsigned i = 0; i < 4; i++)
        a.s[i] += b.s[i];
    return a;
}

/* FIPS 197, C.1: key 00 01 .. 0f, text 00 11 .. ff. */
TEST(eval, aes128_of_the_standard)
{
    static const uint8_t rcon[10] = {1, 2, 4, 8, 0x10, 0x20, 0x40, 0x80, 0x1b, 0x36};
    static const uint8_t want[16] = {0x69, 0xc4, 0xe0, 0xd8, 0x6a, 0x7b, 0x04, 0x30, 0xd8, 0xcd, 0xb7, 0x80, 0x70, 0xb4, 0xc5, 0x5a};
    union ir_u key[11], text, v;

    for (unsigned i = 0; i < 16; i++) {
        key[0].b[i] = (uint8_t)i;
        text.b[i] = (uint8_t)(i * 0x11);
    }
    for (unsigned i = 0; i < 10; i++) {
        uint32_t w = op(SSE_aeskeygenassist, rcon[i], key[i], key[i], key[i]).s[3];

        for (unsigned j = 0; j < 4; j++)
            key[i + 1].s[j] = w ^= key[i].s[j];
    }
    v = xor(text, key[0]);
    for (unsigned i = 1; i < 10; i++)
        v = OP(aesenc, v, key[i]);
    v = OP(aesenclast, v, key[10]);
    CHECK_MEM(v.b, want, 16);
    v = xor(v, key[10]);
    for (unsigned i = 9; i > 0; i--)
        v = OP(aesdec, v, OP(aesimc, key[i], key[i]));
    v = OP(aesdeclast, v, key[0]);
    CHECK_MEM(v.b, text.b, 16);
}

/* FIPS 180-4: "abc", the first word in the highest lane. */
TEST(eval, sha1_of_abc)
{
    static const union ir_u start = {.s = {0x10325476, 0x98badcfe, 0xefcdab89, 0x67452301}}, e0 = {.s = {0, 0, 0, 0xc3d2e1f0}};
    union ir_u w[4] = {{.s = {0, 0, 0, 0x61626380}}, {.q = 0}, {.q = 0}, {.s = {24, 0, 0, 0}}}, abcd = start, old = start, e;

    for (unsigned i = 0; i < 20; i++) {
        union ir_u next = OP(sha1msg2, xor(OP(sha1msg1, w[0], w[1]), w[2]), w[3]);

        e = i ? OP(sha1nexte, old, w[0]) : add32(e0, w[0]);
        old = abcd;
        abcd = op(SSE_sha1rnds4, i / 5, abcd, e, e);
        memmove(w, w + 1, 48);
        w[3] = next;
    }
    e = OP(sha1nexte, old, e0);
    abcd = add32(abcd, start);
    CHECK_EQ(abcd.d[1], 0xa9993e364706816a);
    CHECK_EQ(abcd.d[0], 0xba3e25717850c26c);
    CHECK_EQ(e.s[3], 0x9cd0d89d);
}

TEST(eval, sha256_of_abc)
{
    static const uint32_t k[64] = {
        0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
        0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
        0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
        0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
        0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
        0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
    };
    static const union ir_u abef0 = {.s = {0x9b05688c, 0x510e527f, 0xbb67ae85, 0x6a09e667}};
    static const union ir_u cdgh0 = {.s = {0x5be0cd19, 0x1f83d9ab, 0xa54ff53a, 0x3c6ef372}};
    union ir_u w[4] = {{.s = {0x61626380}}, {.q = 0}, {.q = 0}, {.s = {0, 0, 0, 24}}}, abef = abef0, cdgh = cdgh0;

    for (unsigned i = 0; i < 16; i++) {
        union ir_u wk, t7 = {.s = {w[2].s[1], w[2].s[2], w[2].s[3], w[3].s[0]}};
        union ir_u next = OP(sha256msg2, add32(OP(sha256msg1, w[0], w[1]), t7), w[3]);

        memcpy(&wk, k + 4 * i, 16);
        wk = add32(wk, w[0]);
        cdgh = op(SSE_sha256rnds2, 0, cdgh, abef, wk); /* which is the new ABEF, and the old one the new CDGH */
        abef = op(SSE_sha256rnds2, 0, abef, cdgh, (union ir_u){.d = {wk.d[1]}});
        memmove(w, w + 1, 48);
        w[3] = next;
    }
    abef = add32(abef, abef0);
    cdgh = add32(cdgh, cdgh0);
    CHECK_EQ(abef.d[1], 0xba7816bf8f01cfea);
    CHECK_EQ(cdgh.d[1], 0x414140de5dae2223);
    CHECK_EQ(abef.d[0], 0xb00361a396177a9c);
    CHECK_EQ(cdgh.d[0], 0xb410ff61f20015ad);
}

/* The example of Intel's carry-less multiplication paper, its operands in either half. */
TEST(eval, carry_less_products)
{
    static const union ir_u a = {.d = {0x63746f725d53475d, 3}}, b = {.d = {5, 0x5b477565726f6e5d}};
    union ir_u r = op(SSE_pclmulqdq, 0x10, a, b, b);

    CHECK_EQ(r.d[1], 0x1d4d84c85c3440c0);
    CHECK_EQ(r.d[0], 0x929633d5d36f0451);
    CHECK_EQ(op(SSE_pclmulqdq, 0x01, a, b, b).d[0], 15);
    CHECK_EQ(op(SSE_pclmulqdq, 0x00, a, b, b).d[0], 0x63746f725d53475dull ^ 0x63746f725d53475dull << 2);
    CHECK_EQ(op(SSE_pclmulqdq, 0x11, a, b, b).d[0], 0x5b477565726f6e5dull ^ 0x5b477565726f6e5dull << 1);
}

/* --- The same by this processor --- */

typedef long long vec __attribute__((vector_size(16)));

#define TWO_OPERANDS(text) __asm__(text " %1, %0" : "+x"(r) : "x"(y))
static vec natively(unsigned row, unsigned imm, vec r, vec y, vec z)
{
    register vec xmm0 __asm__("xmm0") = z;

    switch (row) {
    case SSE_aesenc: TWO_OPERANDS("aesenc"); break;
    case SSE_aesenclast: TWO_OPERANDS("aesenclast"); break;
    case SSE_aesdec: TWO_OPERANDS("aesdec"); break;
    case SSE_aesdeclast: TWO_OPERANDS("aesdeclast"); break;
    case SSE_aesimc: __asm__("aesimc %0, %0" : "+x"(r)); break;
    case SSE_aeskeygenassist: __asm__("aeskeygenassist $0x5b, %0, %0" : "+x"(r)); break;
    case SSE_pclmulqdq:
        switch (imm) {
        case 0: TWO_OPERANDS("pclmulqdq $0,"); break;
        case 1: TWO_OPERANDS("pclmulqdq $1,"); break;
        case 0x10: TWO_OPERANDS("pclmulqdq $16,"); break;
        default: TWO_OPERANDS("pclmulqdq $17,");
        }
        break;
    case SSE_sha1nexte: TWO_OPERANDS("sha1nexte"); break;
    case SSE_sha1msg1: TWO_OPERANDS("sha1msg1"); break;
    case SSE_sha1msg2: TWO_OPERANDS("sha1msg2"); break;
    case SSE_sha256msg1: TWO_OPERANDS("sha256msg1"); break;
    case SSE_sha256msg2: TWO_OPERANDS("sha256msg2"); break;
    case SSE_sha256rnds2: __asm__("sha256rnds2 %1, %0" : "+x"(r) : "x"(y), "x"(xmm0)); break;
    default:
        switch (imm) {
        case 0: TWO_OPERANDS("sha1rnds4 $0,"); break;
        case 1: TWO_OPERANDS("sha1rnds4 $1,"); break;
        case 2: TWO_OPERANDS("sha1rnds4 $2,"); break;
        default: TWO_OPERANDS("sha1rnds4 $3,");
        }
    }
    return r;
}

static uint64_t rnd(void)
{
    static uint64_t seed = 0x9e3779b97f4a7c15;

    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed * 0x2545f4914f6cdd1d;
}

static void compare(unsigned row)
{
    static const uint8_t halves[4] = {0, 1, 0x10, 0x11};

    for (unsigned n = 0; n < 200; n++) {
        unsigned imm = row == SSE_pclmulqdq ? halves[n & 3] : row == SSE_aeskeygenassist ? 0x5b : n & 3;
        union ir_u a[3], got;
        vec v[3], want;

        for (unsigned i = 0; i < 6; i++)
            a[i / 2].d[i % 2] = rnd();
        memcpy(v, a, sizeof(v));
        want = natively(row, imm, v[0], v[1], v[2]);
        got = op(row, imm, a[0], a[1], a[2]);
        if (!CHECK_MEM(&got, &want, 16)) {
            printf("    row %u, immediate %u\n", row, imm);
            return;
        }
    }
}

/* What this processor lacks, the standards' examples above check all the same. */
TEST(eval, cryptography_as_this_processor_does_it)
{
    unsigned a, b = 0, c = 0, d, ext = 0;

    if (__get_cpuid(1, &a, &b, &c, &d))
        ext |= (c >> 25 & 1 ? SSE_AES : 0) | (c >> 1 & 1 ? SSE_CLMUL : 0);
    if (__get_cpuid_count(7, 0, &a, &b, &c, &d))
        ext |= b >> 29 & 1 ? SSE_SHA : 0;
    for (unsigned row = 0; row < SSE_NUM_OPS; row++)
        if (sse_info[row].flags & ext & SSE_CRYPTO)
            compare(row);
    if (ext != SSE_CRYPTO)
        printf("    not compared, as this processor lacks them:%s%s%s\n", ext & SSE_AES ? "" : " AES", ext & SSE_CLMUL ? "" : " PCLMULQDQ", ext & SSE_SHA ? "" : " SHA");
}

static const struct test tests[] = {
    CASE(eval, forms),
    CASE(eval, x86_flags_and_nans),
    CASE(eval, strings),
    CASE(eval, x86_flushing),
    CASE(eval, exact_tiny_results),
    CASE(eval, aes128_of_the_standard),
    CASE(eval, sha1_of_abc),
    CASE(eval, sha256_of_abc),
    CASE(eval, carry_less_products),
    CASE(eval, cryptography_as_this_processor_does_it),
};
TEST_MAIN(tests)
