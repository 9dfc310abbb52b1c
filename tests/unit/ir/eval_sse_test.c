/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86's own vector operations: the environment they run in, and one of each form.  What all of them give, tests/unit/guest/x86_vector_test.c
 * compares with the processor. */
#include "ir/sse.h"
#include "tests/unit/ir/eval_check.h"

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

static const struct test tests[] = {
    CASE(eval, forms),
    CASE(eval, x86_flags_and_nans),
    CASE(eval, strings),
    CASE(eval, x86_flushing),
    CASE(eval, exact_tiny_results),
};
TEST_MAIN(tests)
