/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lane-wise integer operations at their edges: saturation, long shifts, the most negative lane. */
#include "tests/unit/ir/eval_check.h"

static struct fp_env fp;

#define ONES 0xffffffffffffffff
#define MIN  0x8000000000000000
#define MAX  0x7fffffffffffffff

TEST(eval, bitwise)
{
    static const struct row rows[] = {
        {VROW(vand, 0, 0), {V(0xf0f0, ONES), V(0xff00, 0x1234)}, V(0xf000, 0x1234)},
        {VROW(vor, 0, 0), {V(0xf0f0, 0), V(0xff00, 0x1234)}, V(0xfff0, 0x1234)},
        {VROW(vxor, 0, 0), {V(0xf0f0, ONES), V(0xff00, 0x1234)}, V(0x0ff0, ONES - 0x1234)},
        {VROW(vandn, 0, 0), {V(0xf0f0, ONES), V(0xff00, 0x1234)}, V(0x00f0, ONES - 0x1234)},
        {VROW(vnot, 0, 0), {V(0, ONES)}, V(ONES, 0)},
        {VROW(vbsl, 0, 0), {V(0xff00, ONES), V(0x1234, 1), V(0x5678, 2)}, V(0x1278, 1)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, wrapping_arithmetic)
{
    static const struct row rows[] = {
        {VROW(vadd, 0, 0), {V(0xff00000000000000, 0x00ff), V(0x0200000000000000, 0x0101)},
         V(0x0100000000000000, 0x0100)},
        {VROW(vadd, 1, 0), {V(0, 0xffff7fff), V(0, 0x00010001)}, V(0, 0x00008000)},
        {VROW(vadd, 2, 0), {V(0, 0x1ffffffff), V(0, 1)}, V(0, 0x100000000)},
        {VROW(vadd, 3, 0), {V(MAX, ONES), V(1, 1)}, V(MIN, 0)},
        {VROW(vsub, 0, 0), {V(0, 0x0100), V(0, 0x0001)}, V(0, 0x01ff)},
        {VROW(vsub, 3, 0), {V(0, 5), V(1, 7)}, V(ONES, ONES - 1)},
        {VROW(vmul, 0, 0), {V(0, 0x10ff), V(0, 0x1002)}, V(0, 0x00fe)},
        {VROW(vmul, 1, 0), {V(0, 0xffff0100), V(0, 0xffff0100)}, V(0, 0x00010000)},
        {VROW(vmul, 2, 0), {V(0, 0x80000001), V(0, 3)}, V(0, 0x80000003)},
        {VROW(vneg, 0, 0), {V(0, 0x8001)}, V(0, 0x80ff)},
        {VROW(vneg, 3, 0), {V(MIN, 1)}, V(MIN, ONES)},
        {VROW(vabs, 0, 0), {V(0, 0x80ff01)}, V(0, 0x800101)},
        {VROW(vabs, 3, 0), {V(MIN, ONES)}, V(MIN, 1)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, saturating_arithmetic)
{
    static const struct row rows[] = {
        {VROW(vuqadd, 0, 0), {V(0, 0xff7f), V(0, 0x0101)}, V(0, 0xff80)},
        {VROW(vuqadd, 3, 0), {V(ONES, 1), V(1, 1)}, V(ONES, 2)},
        {VROW(vsqadd, 0, 0), {V(0, 0x7f80ff), V(0, 0x01ff01)}, V(0, 0x7f8000)},
        {VROW(vsqadd, 3, 0), {V(MAX, MIN), V(1, ONES)}, V(MAX, MIN)},
        {VROW(vuqsub, 1, 0), {V(0, 0x00010005), V(0, 0x00020003)}, V(0, 0x00000002)},
        {VROW(vuqsub, 3, 0), {V(0, ONES), V(ONES, 1)}, V(0, ONES - 1)},
        {VROW(vsqsub, 2, 0), {V(0, 0x800000007fffffff), V(0, 0x00000001ffffffff)},
         V(0, 0x800000007fffffff)},
        {VROW(vsqsub, 3, 0), {V(0, MIN), V(MIN, 1)}, V(MAX, MIN)},
        {VROW(vsuqadd, 0, 0), {V(0, 0x80ff7f), V(0, 0xffff01)}, V(0, 0x7f7f7f)},
        {VROW(vsuqadd, 3, 0), {V(MIN, ONES), V(ONES, 1)}, V(MAX, 0)},
        {VROW(vusqadd, 0, 0), {V(0, 0x01ff80), V(0, 0xfe0180)}, V(0, 0x00ff00)},
        {VROW(vusqadd, 3, 0), {V(ONES, 0), V(ONES, MAX)}, V(ONES - 1, MAX)},
        {VROW(vsqneg, 0, 0), {V(0, 0x8001)}, V(0, 0x7fff)},
        {VROW(vsqneg, 3, 0), {V(MIN, ONES)}, V(MAX, 1)},
        {VROW(vsqabs, 1, 0), {V(0, 0x8000ffff)}, V(0, 0x7fff0001)},
        {VROW(vsqabs, 3, 0), {V(MIN, 7)}, V(MAX, 7)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, halving_distance_and_extremes)
{
    static const struct row rows[] = {
        {VROW(vuhadd, 0, 0), {V(0, 0xff00), V(0, 0xfe01)}, V(0, 0xfe00)},
        {VROW(vuhadd, 3, 0), {V(0, ONES), V(0, ONES)}, V(0, ONES)},
        {VROW(vshadd, 0, 0), {V(0, 0x80ff), V(0, 0x8000)}, V(0, 0x80ff)},
        {VROW(vurhadd, 0, 0), {V(0, 0xff00), V(0, 0xfe01)}, V(0, 0xff01)},
        {VROW(vsrhadd, 2, 0), {V(0, 0xffffffff), V(0, 0)}, V(0, 0)},
        {VROW(vuhsub, 0, 0), {V(0, 0x0002), V(0, 0x0104)}, V(0, 0xffff)},
        {VROW(vshsub, 0, 0), {V(0, 0x7f80), V(0, 0x807f)}, V(0, 0x7f80)},
        {VROW(vuabd, 0, 0), {V(0, 0x01ff), V(0, 0xff01)}, V(0, 0xfefe)},
        {VROW(vsabd, 0, 0), {V(0, 0x7f80), V(0, 0x807f)}, V(0, 0xffff)},
        {VROW(vsabd, 3, 0), {V(0, MIN), V(0, MAX)}, V(0, ONES)},
        {VROW(vumax, 0, 0), {V(0, 0xff01), V(0, 0x0102)}, V(0, 0xff02)},
        {VROW(vsmax, 0, 0), {V(0, 0xff01), V(0, 0x0102)}, V(0, 0x0102)},
        {VROW(vumin, 3, 0), {V(ONES, 1), V(1, 2)}, V(1, 1)},
        {VROW(vsmin, 3, 0), {V(ONES, 1), V(1, 2)}, V(ONES, 1)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, compares)
{
    static const struct row rows[] = {
        {VROW(vceq, 0, 0), {V(0, 0x0102), V(ONES, 0x0103)}, V(0, 0xffffffffffffff00)},
        {VROW(vceq, 3, 0), {V(5, 6), V(5, 7)}, V(ONES, 0)},
        {VROW(vcgts, 1, 0), {V(0, 0x00018000), V(0, 0xffff7fff)}, V(0, 0xffff0000)},
        {VROW(vcges, 3, 0), {V(MIN, 3), V(MAX, 3)}, V(0, ONES)},
        {VROW(vcgtu, 2, 0), {V(0, 0x80000000), V(0, 1)}, V(0, 0xffffffff)},
        {VROW(vcgtu, 3, 0), {V(MIN, 1), V(MAX, 1)}, V(ONES, 0)},
        {VROW(vcgeu, 0, 0), {V(ONES, 0x80), V(ONES, 0x7f)}, V(ONES, ONES)},
        {VROW(vcgeu, 3, 0), {V(0, 0), V(1, 0)}, V(0, ONES)},
        {VROW(vtst, 1, 0), {V(0, 0x00f0000f), V(0, 0x000f00ff)}, V(0, 0x0000ffff)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, immediate_shifts)
{
    static const struct row rows[] = {
        {VROW(vshli, 0, 7), {V(0, 0x0381)}, V(0, 0x8080)},
        {VROW(vshli, 3, 63), {V(3, 2)}, V(MIN, 0)},
        {VROW(vshli, 1, 0), {V(1, 2)}, V(1, 2)},
        {VROW(vushri, 0, 8), {V(ONES, ONES)}, V(0, 0)},
        {VROW(vushri, 1, 4), {V(0, 0xffff8000)}, V(0, 0x0fff0800)},
        {VROW(vushri, 3, 64), {V(ONES, ONES)}, V(0, 0)},
        {VROW(vsshri, 0, 8), {V(0, 0x807f)}, V(0, 0xff00)},
        {VROW(vsshri, 3, 64), {V(MIN, MAX)}, V(ONES, 0)},
        {VROW(vsshri, 2, 1), {V(0, 0x80000000)}, V(0, 0xc0000000)},
        {VROW(vurshri, 0, 8), {V(0, 0x807f)}, V(0, 0x0100)},
        {VROW(vurshri, 3, 64), {V(MIN, MAX)}, V(1, 0)},
        {VROW(vurshri, 3, 1), {V(ONES, 1)}, V(MIN, 1)},
        {VROW(vsrshri, 0, 8), {V(0, 0x807f)}, V(0, 0x0000)},
        {VROW(vsrshri, 0, 1), {V(0, 0xff7f)}, V(0, 0x0040)},
        {VROW(vsrshri, 3, 64), {V(MIN, MAX)}, V(0, 0)},
        {VROW(vsqshlu, 0, 1), {V(0, 0xff807f)}, V(0, 0x0000fe)},
        {VROW(vsqshlu, 0, 2), {V(0, 0x40)}, V(0, 0xff)},
        {VROW(vsqshlu, 3, 63), {V(MAX, 1)}, V(ONES, MIN)},
    };
    CHECK_ROWS(rows, &fp);
}

/* The count is the low byte of b's lane: 0x80 is -128, 0x1ff00 is 0. */
TEST(eval, register_shifts)
{
    static const struct row rows[] = {
        {VROW(vushl, 0, 0), {V(0, 0xffffffff), V(0, 0x08f8ff01)}, V(0, 0x00007ffe)},
        {VROW(vushl, 1, 0), {V(0, 0xffffffff), V(0, 0xff01fff0)}, V(0, 0xfffe0000)},
        {VROW(vushl, 3, 0), {V(ONES, ONES), V(0x40, 0xc1)}, V(0, 1)},
        {VROW(vushl, 3, 0), {V(ONES, ONES), V(0x80, 0xff00)}, V(0, ONES)},
        {VROW(vsshl, 0, 0), {V(0, 0x8080807f), V(0, 0x08f8ff80)}, V(0, 0x00ffc000)},
        {VROW(vsshl, 3, 0), {V(MIN, MIN), V(0x80, 0xff)}, V(ONES, 0xc000000000000000)},
        {VROW(vurshl, 0, 0), {V(0, 0xffff8007), V(0, 0xf7f8f8fe)}, V(0, 0x00010102)},
        {VROW(vurshl, 3, 0), {V(ONES, ONES), V(0xc0, 0xbf)}, V(1, 0)},
        {VROW(vsrshl, 0, 0), {V(0, 0x80807fff), V(0, 0xf7f9f8ff)}, V(0, 0x00ff0000)},
        {VROW(vsrshl, 3, 0), {V(MIN, MAX), V(0xc0, 0xc1)}, V(0, 1)},
        {VROW(vuqshl, 0, 0), {V(0, 0x00018081), V(0, 0x7f0801ff)}, V(0, 0x00ffff40)},
        {VROW(vuqshl, 3, 0), {V(1, 2), V(63, 63)}, V(MIN, ONES)},
        {VROW(vsqshl, 0, 0), {V(0, 0x00ff4080), V(0, 0x7f0801ff)}, V(0, 0x00807fc0)},
        {VROW(vsqshl, 3, 0), {V(ONES, 1), V(64, 63)}, V(MIN, MAX)},
        {VROW(vsqshl, 3, 0), {V(ONES, ONES), V(63, 62)}, V(MIN, 0xc000000000000000)},
        {VROW(vuqrshl, 0, 0), {V(0, 0xffff80), V(0, 0x01f8f8)}, V(0, 0xff0101)},
        {VROW(vsqrshl, 1, 0), {V(0, 0x80007fff), V(0, 0x000100ff)}, V(0, 0x80004000)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, doubling_multiplies)
{
    static const struct row rows[] = {
        {VROW(vsqdmulh, 1, 0), {V(0, 0x80004000), V(0, 0x80000001)}, V(0, 0x7fff0000)},
        {VROW(vsqdmulh, 2, 0), {V(0, 0x8000000040000000), V(0, 0x8000000000000001)},
         V(0, 0x7fffffff00000000)},
        {VROW(vsqdmulh, 1, 0), {V(0, 0xffff), V(0, 0x0001)}, V(0, 0xffff)},
        {VROW(vsqrdmulh, 1, 0), {V(0, 0x80004000), V(0, 0x80000001)}, V(0, 0x7fff0001)},
        {VROW(vsqrdmulh, 1, 0), {V(0, 0xffff), V(0, 0x0001)}, V(0, 0x0000)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, bit_counts)
{
    static const struct row rows[] = {
        {VROW(vcnt, 0, 0), {V(0xff, 0x0180)}, V(8, 0x0101)},
        {VROW(vclz, 0, 0), {V(ONES, 0x0180ff)}, V(0, 0x0808080808070000)},
        {VROW(vclz, 2, 0), {V(0, 1)}, V(0x2000000020, 0x200000001f)},
        {VROW(vcls, 0, 0), {V(0, 0x0180ff40)}, V(0x0707070707070707, 0x0707070706000700)},
        {VROW(vcls, 2, 0), {V(0, 0xfffffffe80000000)}, V(0x1f0000001f, 0x1e00000000)},
        {VROW(vrbit, 0, 0), {V(0, 0x01800fa5)}, V(0, 0x8001f0a5)},
        {VROW(vrev, 0, 3), {V(0, 0x0102030405060708)}, V(0, 0x0807060504030201)},
        {VROW(vrev, 0, 1), {V(0, 0x0102030405060708)}, V(0, 0x0201040306050807)},
        {VROW(vrev, 1, 2), {V(0, 0x0102030405060708)}, V(0, 0x0304010207080506)},
        {VROW(vrev, 2, 3), {V(1, 2)}, V(0x100000000, 0x200000000)},
        /* Half of the range and above estimate 1; below the half the estimate saturates. */
        {VROW(vurecpe, 2, 0), {V(0x8000000000000000, 0xffffffff7fffffff)},
         V(0xff800000ffffffff, 0x80000000ffffffff)},
        {VROW(vursqrte, 2, 0), {V(0x4000000000000000, 0xffffffff3fffffff)},
         V(0xff800000ffffffff, 0x80000000ffffffff)},
    };
    CHECK_ROWS(rows, &fp);
}

static const struct test tests[] = {
    CASE(eval, bitwise),
    CASE(eval, wrapping_arithmetic),
    CASE(eval, saturating_arithmetic),
    CASE(eval, halving_distance_and_extremes),
    CASE(eval, compares),
    CASE(eval, immediate_shifts),
    CASE(eval, register_shifts),
    CASE(eval, doubling_multiplies),
    CASE(eval, bit_counts),
};
TEST_MAIN(tests)
