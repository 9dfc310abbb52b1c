/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floating point in the IR: widths, lanes, immediates; the arithmetic itself is tested in base. */
#include "tests/unit/ir/eval_check.h"

static struct fp_env fp;

#define ONE_H  0x3c00
#define ONE_S  0x3f800000
#define TWO_S  0x40000000
#define ONE_D  0x3ff0000000000000
#define TWO_D  0x4000000000000000
#define SNAN_S 0x7f800001
#define QNAN_S 0x7fc00001
#define QNAN_D 0x7ff8000000000001
#define INF_S  0x7f800000
#define NEG0_S 0x80000000
#define S2(hi, lo) ((uint64_t)(hi) << 32 | (lo))

TEST(eval_fp, scalar_arithmetic)
{
    static const struct row rows[] = {
        {ROW(fadd, IR_F16, IR_F16, 0), {V(0, ONE_H), V(0, ONE_H)}, V(0, 0x4000)},
        {ROW(fadd, IR_F32, IR_F32, 0), {V(0, SNAN_S), V(0, ONE_S)}, V(0, QNAN_S), FP_IOC},
        {ROW(fadd, IR_F64, IR_F64, 0), {V(0, ONE_D), V(0, 1)}, V(0, ONE_D), FP_IXC},
        {ROW(fsub, IR_F32, IR_F32, 0), {V(0, ONE_S), V(0, ONE_S)}, V(0, 0)},
        {ROW(fmul, IR_F32, IR_F32, 0), {V(0, INF_S), V(0, 0)}, V(0, 0x7fc00000), FP_IOC},
        {ROW(fdiv, IR_F64, IR_F64, 0), {V(0, ONE_D), V(0, 0)}, V(0, 0x7ff0000000000000), FP_DZC},
        {ROW(fsqrt, IR_F32, IR_F32, 0), {V(0, NEG0_S)}, V(0, NEG0_S)},
        {ROW(fsqrt, IR_F64, IR_F64, 0), {V(0, 0x4010000000000000)}, V(0, TWO_D)},
        {ROW(ffma, IR_F32, IR_F32, 0), {V(0, TWO_S), V(0, TWO_S), V(0, ONE_S)}, V(0, 0x40a00000)},
        {ROW(fneg, IR_F32, IR_F32, 0), {V(0, QNAN_S)}, V(0, 0xffc00001)},
        {ROW(fneg, IR_F16, IR_F16, 0), {V(0, 0)}, V(0, 0x8000)},
        {ROW(fabs, IR_F64, IR_F64, 0), {V(0, 0xfff8000000000001)}, V(0, QNAN_D)},
        {ROW(fmin, IR_F32, IR_F32, 0), {V(0, 0), V(0, NEG0_S)}, V(0, NEG0_S)},
        {ROW(fmax, IR_F32, IR_F32, 0), {V(0, NEG0_S), V(0, 0)}, V(0, 0)},
        {ROW(fmin, IR_F32, IR_F32, 0), {V(0, ONE_S), V(0, QNAN_S)}, V(0, QNAN_S)},
        {ROW(fminnm, IR_F32, IR_F32, 0), {V(0, ONE_S), V(0, QNAN_S)}, V(0, ONE_S)},
        {ROW(fmaxnm, IR_F32, IR_F32, 0), {V(0, SNAN_S), V(0, ONE_S)}, V(0, QNAN_S), FP_IOC},
        {ROW(frecpx, IR_F32, IR_F32, 0), {V(0, TWO_S)}, V(0, 0x3f800000)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_fp, scalar_compares)
{
    static const struct row rows[] = {
        {ROW(feq, IR_I1, IR_F32, 0), {V(0, 0), V(0, NEG0_S)}, V(0, 1)},
        {ROW(feq, IR_I1, IR_F32, 0), {V(0, QNAN_S), V(0, QNAN_S)}, V(0, 0)},
        {ROW(feq, IR_I1, IR_F32, 1), {V(0, QNAN_S), V(0, QNAN_S)}, V(0, 0), FP_IOC},
        {ROW(feq, IR_I1, IR_F32, 0), {V(0, SNAN_S), V(0, 0)}, V(0, 0), FP_IOC},
        {ROW(flt, IR_I1, IR_F64, 0), {V(0, ONE_D), V(0, TWO_D)}, V(0, 1)},
        {ROW(flt, IR_I1, IR_F64, 0), {V(0, ONE_D), V(0, ONE_D)}, V(0, 0)},
        {ROW(fle, IR_I1, IR_F16, 0), {V(0, ONE_H), V(0, ONE_H)}, V(0, 1)},
        {ROW(fle, IR_I1, IR_F64, 0), {V(0, QNAN_D), V(0, ONE_D)}, V(0, 0)},
        {ROW(fun, IR_I1, IR_F64, 0), {V(0, QNAN_D), V(0, ONE_D)}, V(0, 1)},
        {ROW(fun, IR_I1, IR_F64, 0), {V(0, ONE_D), V(0, ONE_D)}, V(0, 0)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_fp, scalar_conversions)
{
    static const struct row rows[] = {
        {ROW(fcvt, IR_F64, IR_F32, 0), {V(0, ONE_S)}, V(0, ONE_D)},
        {ROW(fcvt, IR_F32, IR_F16, 0), {V(0, ONE_H)}, V(0, ONE_S)},
        {ROW(fcvt, IR_F16, IR_F64, 0), {V(0, TWO_D)}, V(0, 0x4000)},
        {ROW(fcvt, IR_F32, IR_F64, 0), {V(0, ONE_D + 1)}, V(0, ONE_S), FP_IXC},
        {ROW(fcvt, IR_F32, IR_F64, 1), {V(0, ONE_D + 1)}, V(0, ONE_S + 1), FP_IXC},
        {ROW(f2i, IR_I32, IR_F32, IR_F2I(FP_RZ, 0, 0)), {V(0, 0xbfc00000)}, V(0, 0xffffffff),
         FP_IXC},
        {ROW(f2i, IR_I64, IR_F32, IR_F2I(FP_RZ, 0, 0)), {V(0, 0xc0000000)},
         V(0, 0xfffffffffffffffe)},
        {ROW(f2i, IR_I32, IR_F64, IR_F2I(FP_RZ, 1, 0)), {V(0, 0xbff0000000000000)}, V(0, 0),
         FP_IOC},
        {ROW(f2i, IR_I32, IR_F32, IR_F2I(FP_RN, 0, 0)), {V(0, QNAN_S)}, V(0, 0), FP_IOC},
        {ROW(f2i, IR_I32, IR_F32, IR_F2I(FP_RN, 0, 0)), {V(0, INF_S)}, V(0, 0x7fffffff), FP_IOC},
        {ROW(f2i, IR_I64, IR_F16, IR_F2I(FP_RP, 0, 4)), {V(0, ONE_H)}, V(0, 16)},
        {ROW(f2i, IR_I32, IR_F32, IR_F2I(FP_RN, 0, 0)), {V(0, 0x40200000)}, V(0, 2), FP_IXC},
        {ROW(f2i, IR_I32, IR_F32, IR_F2I(FP_RA, 0, 0)), {V(0, 0x40200000)}, V(0, 3), FP_IXC},
        {ROW(i2f, IR_F32, IR_I32, IR_F2I(0, 0, 0)), {V(0, 0xffffffff)}, V(0, 0xbf800000)},
        {ROW(i2f, IR_F64, IR_I32, IR_F2I(0, 1, 0)), {V(0, 0xffffffff)}, V(0, 0x41efffffffe00000)},
        {ROW(i2f, IR_F64, IR_I64, IR_F2I(0, 0, 1)), {V(0, 2)}, V(0, ONE_D)},
        {ROW(frint, IR_F32, IR_F32, FP_RN), {V(0, 0x40200000)}, V(0, TWO_S)},
        {ROW(frint, IR_F32, IR_F32, FP_RP | IR_RINT_EXACT), {V(0, 0x40200000)}, V(0, 0x40400000),
         FP_IXC},
        {ROW(frint, IR_F64, IR_F64, FP_RZ), {V(0, 0xbfe0000000000000)}, V(0, 1ull << 63)},
        {ROW(frint, IR_F64, IR_F64, FP_RZ | IR_RINT_32), {V(0, 0x41f0000000000000)},
         V(0, 0xc1e0000000000000), FP_IOC},
        {ROW(fjcvt, IR_I64, IR_F64, 0), {V(0, 0x41f0000000000000)}, V(0, 0), FP_IOC},
        {ROW(fjcvt, IR_I64, IR_F64, 0), {V(0, TWO_D)}, V(0, 0x100000002)},
        {ROW(fbits, IR_F32, IR_I64, 0), {V(0, 0xffffffff3f800000)}, V(0, ONE_S)},
        {ROW(fbits, IR_I64, IR_F16, 0), {V(0, 0x8000)}, V(0, 0x8000)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_fp, current_rounding_is_the_environments)
{
    static const struct row rows[] = {
        {ROW(frint, IR_F32, IR_F32, IR_ROUND_CURRENT), {V(0, 0x40200000)}, V(0, 0x40400000)},
        {ROW(f2i, IR_I32, IR_F32, IR_F2I(IR_ROUND_CURRENT, 0, 0)), {V(0, 0x40200000)}, V(0, 3),
         FP_IXC},
    };
    struct fp_env up = {.rounding = FP_RP};

    CHECK_ROWS(rows, &up);
}

/* Lanes above imm are zero, and what is in them raises nothing. */
TEST(eval_fp, lanes)
{
    static const struct row rows[] = {
        {VROW(vfadd, 2, 4), {V(S2(ONE_S, ONE_S), S2(ONE_S, TWO_S)), V(0, S2(ONE_S, ONE_S))},
         V(S2(ONE_S, ONE_S), S2(TWO_S, 0x40400000))},
        {VROW(vfadd, 2, 2), {V(SNAN_S, S2(ONE_S, ONE_S)), V(0, S2(ONE_S, ONE_S))},
         V(0, S2(TWO_S, TWO_S))},
        {VROW(vfsub, 1, 8), {V(ONE_H, 0), V(0, ONE_H)}, V(ONE_H, 0xbc00)},
        {VROW(vfmul, 3, 2), {V(TWO_D, ONE_D), V(ONE_D, TWO_D)}, V(TWO_D, TWO_D)},
        {VROW(vfdiv, 3, 1), {V(ONE_D, ONE_D), V(0, TWO_D)}, V(0, 0x3fe0000000000000)},
        {VROW(vfsqrt, 3, 1), {V(0xbff0000000000000, ONE_D)}, V(0, ONE_D)},
        {VROW(vffma, 3, 2), {V(ONE_D, TWO_D), V(ONE_D, TWO_D), V(ONE_D, 0)},
         V(TWO_D, 0x4010000000000000)},
        {VROW(vfmlal, 1, 2), {V(SNAN_S, 0x40003c00), V(0, 0x40004000), V(SNAN_S, S2(ONE_S, ONE_S))},
         V(0, S2(0x40a00000, 0x40400000))},
        {VROW(vfneg, 2, 2), {V(0, S2(ONE_S, NEG0_S))}, V(0x8000000080000000, S2(0xbf800000, 0))},
        {VROW(vfabs, 1, 4), {V(0xffff, 0x8000bc00)}, V(0x7fff, ONE_H)},
        {VROW(vfmin, 2, 2), {V(0, S2(0, ONE_S)), V(0, S2(NEG0_S, QNAN_S))},
         V(0, S2(NEG0_S, QNAN_S))},
        {VROW(vfmax, 2, 1), {V(0, ONE_S), V(0, TWO_S)}, V(0, TWO_S)},
        {VROW(vfminnm, 2, 1), {V(0, ONE_S), V(0, QNAN_S)}, V(0, ONE_S)},
        {VROW(vfmaxnm, 3, 2), {V(QNAN_D, ONE_D), V(TWO_D, TWO_D)}, V(TWO_D, TWO_D)},
        {VROW(vfmulx, 2, 1), {V(0, 0), V(0, INF_S)}, V(0, TWO_S)},
        {VROW(vfmulx, 2, 1), {V(0, INF_S), V(0, NEG0_S)}, V(0, 0xc0000000)},
        {VROW(vfrecpe, 2, 1), {V(0, ONE_S)}, V(0, 0x3f7f8000)},
        {VROW(vfrsqrte, 2, 1), {V(0, ONE_S)}, V(0, 0x3f7f8000)},
        {VROW(vfrecps, 2, 1), {V(0, ONE_S), V(0, ONE_S)}, V(0, ONE_S)},
        {VROW(vfrecps, 2, 1), {V(0, INF_S), V(0, 0)}, V(0, TWO_S)},
        {VROW(vfrsqrts, 2, 1), {V(0, ONE_S), V(0, ONE_S)}, V(0, ONE_S)},
        {VROW(vfrsqrts, 2, 1), {V(0, 0), V(0, INF_S)}, V(0, 0x3fc00000)},
        {VROW(vfceq, 2, 2), {V(0, S2(QNAN_S, 0)), V(0, S2(QNAN_S, NEG0_S))}, V(0, 0xffffffff)},
        {VROW(vfcge, 3, 2), {V(TWO_D, ONE_D), V(ONE_D, ONE_D)}, V(~0ull, ~0ull)},
        {VROW(vfcgt, 3, 2), {V(TWO_D, ONE_D), V(ONE_D, ONE_D)}, V(~0ull, 0)},
        {VROW(vfcgt, 2, 1), {V(0, QNAN_S), V(0, ONE_S)}, V(0, 0), FP_IOC},
        {VROW(vf2i, 2, 2 | IR_F2I(FP_RZ, 0, 0) << 8), {V(0, S2(0xbfc00000, TWO_S))},
         V(0, 0xffffffff00000002), FP_IXC},
        {VROW(vf2i, 1, 1 | IR_F2I(FP_RZ, 1, 0) << 8), {V(0, 0xbc00)}, V(0, 0), FP_IOC},
        {VROW(vi2f, 2, 2 | IR_F2I(0, 0, 0) << 8), {V(0, 0xffffffff00000002)},
         V(0, S2(0xbf800000, TWO_S))},
        {VROW(vi2f, 3, 1 | IR_F2I(0, 1, 1) << 8), {V(0, 4)}, V(0, TWO_D)},
        {VROW(vi2f, 1, 1 | IR_F2I(0, 0, 0) << 8), {V(0, 0xffff)}, V(0, 0xbc00)},
        {VROW(vfrint, 2, 2 | FP_RM << 8), {V(0, S2(0xbfc00000, 0x40200000))},
         V(0, S2(0xc0000000, TWO_S))},
        {VROW(vfcvtl, 2, 0), {V(SNAN_S, S2(ONE_S, TWO_S))}, V(ONE_D, TWO_D)},
        {VROW(vfcvtl, 1, 0), {V(0, 0x40003c00)}, V(0, S2(TWO_S, ONE_S))},
        {VROW(vfcvtn, 2, 0), {V(ONE_D, TWO_D)}, V(0, S2(ONE_S, TWO_S))},
        {VROW(vfcvtn, 2, 1), {V(ONE_D + 1, TWO_D)}, V(0, S2(ONE_S + 1, TWO_S)), FP_IXC},
        {VROW(vbfcvtn, 1, 2), {V(SNAN_S, S2(ONE_S, TWO_S))}, V(0, 0x3f804000)},
        {VROW(vbfdot, 2, 0), {V(0, 0x3f804000), V(0, 0x40003f80), V(0, S2(0, ONE_S))}, V(0, 0x40a00000)},
        {VROW(vbfmmla, 2, 0), {V(0x3f80, 0x3f804000), V(0x3f80, 0x40003f80), V(0, 0)},
         V(S2(ONE_S, ONE_S), S2(TWO_S, 0x40800000))},
    };
    CHECK_ROWS(rows, &fp);
}

static const struct test tests[] = {
    CASE(eval_fp, scalar_arithmetic),
    CASE(eval_fp, scalar_compares),
    CASE(eval_fp, scalar_conversions),
    CASE(eval_fp, current_rounding_is_the_environments),
    CASE(eval_fp, lanes),
};
TEST_MAIN(tests)
