/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lanes that move, widen, narrow or are added up. */
#include "tests/unit/ir/eval_check.h"

static struct fp_env fp;

#define ONES 0xffffffffffffffff
#define LO   0x0706050403020100
#define HI   0x0f0e0d0c0b0a0908
#define LO2  0x1716151413121110
#define HI2  0x1f1e1d1c1b1a1918

TEST(eval, scalars_and_lanes)
{
    static const struct row rows[] = {
        {ROW(vfromf, IR_V128, IR_F32, 0), {V(0, 0x3f800000)}, V(0, 0x3f800000)},
        {ROW(vtof, IR_F16, IR_V128, 0), {V(HI, LO)}, V(0, 0x0100)},
        {ROW(vtof, IR_F64, IR_V128, 0), {V(HI, LO)}, V(0, LO)},
        {ROW(vfromi, IR_V128, IR_I32, 0), {V(0, 0x12345678)}, V(0, 0x12345678)},
        {ROW(vfromi, IR_V128, IR_I64, 0), {V(0, ONES)}, V(0, ONES)},
        {.name = "vget", ir_eval_vget, IR_I32, IR_V128, 0, 15, {V(HI, LO)}, V(0, 0x0f)},
        {.name = "vget", ir_eval_vget, IR_I64, IR_V128, 3, 1, {V(HI, LO)}, V(0, HI)},
        {.name = "vgets", ir_eval_vgets, IR_I32, IR_V128, 1, 1, {V(0, 0x80000000)},
         V(0, 0xffff8000)},
        {.name = "vgets", ir_eval_vgets, IR_I64, IR_V128, 2, 3, {V(0x8000000000000000, 0)},
         V(0, 0xffffffff80000000)},
        {VROW(vset, 0, 15), {V(HI, LO), V(0, 0xaa55)}, V(0x550e0d0c0b0a0908, LO)},
        {VROW(vset, 2, 1), {V(HI, LO), V(0, 0xdeadbeef)}, V(HI, 0xdeadbeef03020100)},
        {VROW(vmov, 1, 0x70), {V(HI, LO), V(HI2, LO2)}, V(HI, 0x0706050403021f1e)},
        {VROW(vmov, 3, 0x01), {V(HI, LO), V(HI2, LO2)}, V(LO2, LO)},
        {VROW(vdup, 1, 0), {V(0, 0x12345678)}, V(0x5678567856785678, 0x5678567856785678)},
        {VROW(vdupl, 2, 3), {V(HI, LO)}, V(0x0f0e0d0c0f0e0d0c, 0x0f0e0d0c0f0e0d0c)},
        {VROW(vlow, 0, 0), {V(HI, LO2)}, V(0, 0x10)},
        {VROW(vlow, 3, 0), {V(HI, LO2)}, V(0, LO2)},
        {VROW(vhigh, 0, 0), {V(HI, LO)}, V(0, HI)},
        {VROW(vcat, 0, 0), {V(HI, LO), V(HI2, LO2)}, V(LO2, LO)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, widening)
{
    static const struct row rows[] = {
        {VROW(vuxtl, 0, 0), {V(ONES, 0x80ff)}, V(0, 0x008000ff)},
        {VROW(vuxtl, 2, 0), {V(0, 0x8000000000000001)}, V(0x80000000, 1)},
        {VROW(vsxtl, 0, 0), {V(ONES, 0x807f)}, V(0, 0xff80007f)},
        {VROW(vsxtl, 2, 0), {V(0, 0x8000000000000001)}, V(0xffffffff80000000, 1)},
        {VROW(vumull, 0, 0), {V(0, 0xff02), V(ONES, 0xff03)}, V(0, 0xfe010006)},
        {VROW(vumull, 2, 0), {V(0, 0xffffffff), V(0, 0xffffffff)}, V(0, 0xfffffffe00000001)},
        {VROW(vsmull, 1, 0), {V(0, 0x8000ffff), V(0, 0x80000001)}, V(0, 0x40000000ffffffff)},
        {VROW(vsqdmull, 1, 0), {V(0, 0x80008000), V(0, 0x80000001)}, V(0, 0x7fffffffffff0000)},
        {VROW(vsqdmull, 2, 0), {V(0, 0x80000000), V(0, 0x80000000)}, V(0, 0x7fffffffffffffff)},
        {VROW(vuaddlp, 0, 0), {V(0, 0xffff0102)}, V(0, 0x01fe0003)},
        {VROW(vsaddlp, 0, 0), {V(0, 0xffff807f)}, V(0, 0xfffeffff)},
        {VROW(vuaddlp, 2, 0), {V(ONES, 0)}, V(0x1fffffffe, 0)},
        {VROW(vudot, 2, 0), {V(0, 1), V(0, 0xff010203), V(0, 0xff010203)}, V(0, 0xfe10)},
        {VROW(vsdot, 2, 0), {V(0, 1), V(0, 0xff800203), V(0, 0x01800203)}, V(0, 0x400d)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, carry_less_products)
{
    static const struct row rows[] = {
        {VROW(vpmul, 0, 0), {V(0x03, 0x80ff), V(0x03, 0x0203)}, V(0x05, 0x0001)},
        {VROW(vpmull, 0, 0), {V(ONES, 0x80ff), V(ONES, 0x02ff)}, V(0, 0x01005555)},
        {VROW(vpmull, 3, 0), {V(9, 0x8000000000000001), V(9, 3)}, V(1, 0x8000000000000003)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, narrowing)
{
    static const struct row rows[] = {
        {VROW(vxtn, 0, 0), {V(0x1234567890abcdef, 0x1122334455667788)}, V(0, 0x3478abef22446688)},
        {VROW(vxtn, 2, 0), {V(HI, LO)}, V(0, 0x0b0a090803020100)},
        {VROW(vuqxtn, 0, 0), {V(0, 0x00ff0100ffff0001)}, V(0, 0xffffff01)},
        {VROW(vuqxtn, 2, 0), {V(0x8000000000000000, 5)}, V(0, 0xffffffff00000005)},
        {VROW(vsqxtn, 0, 0), {V(0, 0x00ff007fff008000)}, V(0, 0x7f7f8080)},
        {VROW(vsqxtn, 2, 0), {V(ONES, 0x7fffffffffffffff)}, V(0, 0xffffffff7fffffff)},
        {VROW(vsqxtun, 0, 0), {V(0, 0x00ff0100ffff0001)}, V(0, 0xffff0001)},
        {VROW(vsqxtun, 2, 0), {V(0x8000000000000000, 0xffffffff)}, V(0, 0x00000000ffffffff)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, across_lanes)
{
    static const struct row rows[] = {
        {VROW(vaddv, 0, 8), {V(ONES, LO)}, V(0, 0x1c)},
        {VROW(vaddv, 0, 16), {V(ONES, LO)}, V(0, 0x14)},
        {VROW(vaddv, 1, 4), {V(0, 0xffffffffffffffff)}, V(0, 0xfffc)},
        {VROW(vaddv, 2, 4), {V(0xffffffff00000001, 5)}, V(0, 5)},
        {VROW(vuaddlv, 0, 16), {V(ONES, ONES)}, V(0, 0x0ff0)},
        {VROW(vuaddlv, 2, 4), {V(ONES, ONES)}, V(0, 0x3fffffffc)},
        {VROW(vsaddlv, 0, 16), {V(ONES, ONES)}, V(0, 0xfff0)},
        {VROW(vsaddlv, 1, 8), {V(0, 0x8000)}, V(0, 0xffff8000)},
        {VROW(vumaxv, 0, 16), {V(0x80, 0x7f)}, V(0, 0x80)},
        {VROW(vumaxv, 0, 8), {V(0x80, 0x7f)}, V(0, 0x7f)},
        {VROW(vsmaxv, 0, 16), {V(0x80, 0x7f)}, V(0, 0x7f)},
        {VROW(vuminv, 2, 4), {V(0x8000000000000002, 0x300000004)}, V(0, 2)},
        {VROW(vsminv, 2, 4), {V(0x8000000000000002, 0x300000004)}, V(0, 0x80000000)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval, permutations)
{
    static const struct row rows[] = {
        {VROW(vzip1, 0, 0), {V(HI, LO), V(HI2, LO2)}, V(0x1707160615051404, 0x1303120211011000)},
        {VROW(vzip2, 0, 0), {V(HI, LO), V(HI2, LO2)}, V(0x1f0f1e0e1d0d1c0c, 0x1b0b1a0a19091808)},
        {VROW(vzip1, 3, 0), {V(HI, LO), V(HI2, LO2)}, V(LO2, LO)},
        {VROW(vuzp1, 0, 0), {V(HI, LO), V(HI2, LO2)}, V(0x1e1c1a1816141210, 0x0e0c0a0806040200)},
        {VROW(vuzp2, 1, 0), {V(HI, LO), V(HI2, LO2)}, V(0x1f1e1b1a17161312, 0x0f0e0b0a07060302)},
        {VROW(vuzp2, 3, 0), {V(HI, LO), V(HI2, LO2)}, V(HI2, HI)},
        {VROW(vtrn1, 1, 0), {V(HI, LO), V(HI2, LO2)}, V(0x1d1c0d0c19180908, 0x1514050411100100)},
        {VROW(vtrn2, 2, 0), {V(HI, LO), V(HI2, LO2)}, V(0x1f1e1d1c0f0e0d0c, 0x1716151407060504)},
        {VROW(vext, 0, 0), {V(HI, LO), V(HI2, LO2)}, V(HI, LO)},
        {VROW(vext, 0, 3), {V(HI, LO), V(HI2, LO2)}, V(0x1211100f0e0d0c0b, 0x0a09080706050403)},
        {VROW(vext, 0, 15), {V(HI, LO), V(HI2, LO2)}, V(0x1e1d1c1b1a191817, 0x161514131211100f)},
        {VROW(vtbl, 0, 0), {V(HI2, LO2), V(0x80, 0xff100f0001)}, V(0x1010101010101000, 0x10101000001f1011)},
    };
    CHECK_ROWS(rows, &fp);
}

static const struct test tests[] = {
    CASE(eval, scalars_and_lanes),
    CASE(eval, widening),
    CASE(eval, carry_less_products),
    CASE(eval, narrowing),
    CASE(eval, across_lanes),
    CASE(eval, permutations),
};
TEST_MAIN(tests)
