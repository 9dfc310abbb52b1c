/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Integer operations and conditions at their edges, in every width that differs. */
#include "tests/unit/ir/eval_check.h"

static struct fp_env fp;

#define N(x) {.d = {x}}
#define MIN  0x8000000000000000
#define MAX  0x7fffffffffffffff
#define ONES 0xffffffffffffffff
#define MIN32 0x80000000
#define MAX32 0x7fffffff
#define ONES32 0xffffffff

/* The result's type, the operands' type. */
#define I64(op) ROW(op, IR_I64, IR_I64, 0)
#define I32(op) ROW(op, IR_I32, IR_I32, 0)
#define I16(op) ROW(op, IR_I16, IR_I16, 0)
#define I8(op)  ROW(op, IR_I8, IR_I8, 0)
#define I1(op)  ROW(op, IR_I1, IR_I1, 0)
#define C64(op) ROW(op, IR_I1, IR_I64, 0)
#define C32(op) ROW(op, IR_I1, IR_I32, 0)

TEST(eval_int, values)
{
    static const struct row rows[] = {
        {ROW(const, IR_I32, IR_VOID, ONES), {N(0)}, N(ONES32)},
        {ROW(const, IR_I1, IR_VOID, 3), {N(0)}, N(1)},
        {VROW(copy, 0, 0), {V(7, ONES)}, V(7, ONES)},
        {ROW(select, IR_I64, IR_I1, 0), {N(1), N(5), N(9)}, N(5)},
        {ROW(select, IR_I64, IR_I1, 0), {N(0), N(5), N(9)}, N(9)},
        {ROW(select, IR_V128, IR_I1, 0), {N(0), V(1, 2), V(3, 4)}, V(3, 4)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, sums_and_products_wrap)
{
    static const struct row rows[] = {
        {I64(add), {N(ONES), N(2)}, N(1)},
        {I32(add), {N(ONES32), N(2)}, N(1)},
        {I8(add), {N(0xff), N(2)}, N(1)},
        {I1(add), {N(1), N(1)}, N(0)},
        {I64(sub), {N(0), N(1)}, N(ONES)},
        {I16(sub), {N(1), N(2)}, N(0xffff)},
        {I64(mul), {N(0x100000001), N(0x100000001)}, N(0x200000001)},
        {I32(mul), {N(0x10001), N(0x10001)}, N(0x20001)},
        {I64(adc), {N(ONES), N(0), N(1)}, N(0)},
        {I32(adc), {N(ONES32), N(1), N(1)}, N(1)},
        {I64(neg), {N(MIN)}, N(MIN)},
        {I8(neg), {N(1)}, N(0xff)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, high_products)
{
    static const struct row rows[] = {
        {I64(umulh), {N(ONES), N(ONES)}, N(ONES - 1)},
        {I32(umulh), {N(ONES32), N(ONES32)}, N(ONES32 - 1)},
        {I8(umulh), {N(0x80), N(3)}, N(1)},
        {I64(smulh), {N(ONES), N(ONES)}, N(0)},
        {I64(smulh), {N(MIN), N(2)}, N(ONES)},
        {I64(smulh), {N(MIN), N(MIN)}, N(0x4000000000000000)},
        {I32(smulh), {N(MIN32), N(2)}, N(ONES32)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, quotients_exist_for_all_operands)
{
    static const struct row rows[] = {
        {I64(udiv), {N(ONES), N(2)}, N(MAX)},
        {I64(udiv), {N(5), N(0)}, N(0)},
        {I32(udiv), {N(MIN32), N(ONES32)}, N(0)},
        {I64(sdiv), {N(-7ull), N(2)}, N(-3ull)},
        {I64(sdiv), {N(7), N(-2ull)}, N(-3ull)},
        {I64(sdiv), {N(-7ull), N(0)}, N(0)},
        {I64(sdiv), {N(MIN), N(ONES)}, N(MIN)},
        {I32(sdiv), {N(MIN32), N(ONES32)}, N(MIN32)},
        {I32(sdiv), {N(ONES32), N(2)}, N(0)},
        {I8(sdiv), {N(0x80), N(0xff)}, N(0x80)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, bitwise)
{
    static const struct row rows[] = {
        {I64(and), {N(0xf0f0), N(0xff00)}, N(0xf000)},
        {I64(or), {N(0xf0f0), N(0xff00)}, N(0xfff0)},
        {I64(xor), {N(0xf0f0), N(0xff00)}, N(0x0ff0)},
        {I64(not), {N(1)}, N(ONES - 1)},
        {I32(not), {N(1)}, N(ONES32 - 1)},
        {I1(not), {N(0)}, N(1)},
        {I1(not), {N(1)}, N(0)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, shifts_count_modulo_the_width)
{
    static const struct row rows[] = {
        {I64(shl), {N(1), N(63)}, N(MIN)},
        {I64(shl), {N(3), N(64)}, N(3)},
        {I32(shl), {N(3), N(33)}, N(6)},
        {I8(shl), {N(0x81), N(9)}, N(2)},
        {I64(shr), {N(MIN), N(127)}, N(1)},
        {I32(shr), {N(MIN32), N(31)}, N(1)},
        {I16(shr), {N(0x8001), N(16)}, N(0x8001)},
        {I64(sar), {N(MIN), N(63)}, N(ONES)},
        {I32(sar), {N(MIN32), N(4)}, N(0xf8000000)},
        {I32(sar), {N(MAX32), N(30)}, N(1)},
        {I64(ror), {N(1), N(1)}, N(MIN)},
        {I32(ror), {N(0x12345678), N(40)}, N(0x78123456)},
        {I32(ror), {N(0x12345678), N(32)}, N(0x12345678)},
        {ROW(fsr, IR_I64, IR_I64, 4), {N(0xa), N(0xb1)}, N(0xa00000000000000b)},
        {ROW(fsr, IR_I64, IR_I64, 0), {N(0xa), N(0xb1)}, N(0xb1)},
        {ROW(fsr, IR_I32, IR_I32, 31), {N(1), N(MIN32)}, N(3)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, counts_and_reversals)
{
    static const struct row rows[] = {
        {I64(clz), {N(0)}, N(64)},
        {I64(clz), {N(1)}, N(63)},
        {I32(clz), {N(0)}, N(32)},
        {I32(clz), {N(MIN32)}, N(0)},
        {I64(ctz), {N(0)}, N(64)},
        {I32(ctz), {N(0)}, N(32)},
        {I32(ctz), {N(0x50)}, N(4)},
        {I64(popcnt), {N(ONES)}, N(64)},
        {I8(popcnt), {N(0x81)}, N(2)},
        {I64(rbit), {N(1)}, N(MIN)},
        {I32(rbit), {N(0x80000012)}, N(0x48000001)},
        {I8(rbit), {N(0x12)}, N(0x48)},
        {I64(bswap), {N(0x0102030405060708)}, N(0x0807060504030201)},
        {I32(bswap), {N(0x01020304)}, N(0x04030201)},
        {I16(bswap), {N(0x0102)}, N(0x0201)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, widths)
{
    static const struct row rows[] = {
        {ROW(zext, IR_I64, IR_I32, 0), {N(MIN32)}, N(MIN32)},
        {ROW(sext, IR_I64, IR_I32, 0), {N(MIN32)}, N(0xffffffff80000000)},
        {ROW(sext, IR_I64, IR_I1, 0), {N(1)}, N(ONES)},
        {ROW(sext, IR_I16, IR_I8, 0), {N(0x80)}, N(0xff80)},
        {ROW(trunc, IR_I32, IR_I64, 0), {N(0x1234567800000009)}, N(9)},
        {ROW(trunc, IR_I1, IR_I64, 0), {N(2)}, N(0)},
    };
    CHECK_ROWS(rows, &fp);
}

/* The check value of "123456789", here of its first eight bytes and then the ninth: the CRCs keep
 * their inversions outside (Arm ARM, CRC32 and CRC32C). */
TEST(eval_int, crc32_check_values)
{
    static const struct row rows[] = {
        {ROW(crc32, IR_I32, IR_I32, 8), {N(ONES32), N(0x3837363534333231)}, N(~0x9ae0daafu)},
        {ROW(crc32, IR_I32, IR_I32, 1), {N(~0x9ae0daafu), N(0xffffff39)}, N(~0xcbf43926u)},
        {ROW(crc32, IR_I32, IR_I32, 8 | 16), {N(ONES32), N(0x3837363534333231)}, N(~0x6087809au)},
        {ROW(crc32, IR_I32, IR_I32, 1 | 16), {N(~0x6087809au), N(0x39)}, N(~0xe3069283u)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, comparisons)
{
    static const struct row rows[] = {
        {C64(eq), {N(5), N(5)}, N(1)},
        {C64(eq), {N(5), N(MIN + 5)}, N(0)},
        {C64(ne), {N(5), N(MIN + 5)}, N(1)},
        {C64(ult), {N(1), N(ONES)}, N(1)},
        {C64(ult), {N(1), N(1)}, N(0)},
        {C64(ule), {N(1), N(1)}, N(1)},
        {C64(ule), {N(ONES), N(1)}, N(0)},
        {C64(slt), {N(ONES), N(1)}, N(1)},
        {C32(slt), {N(ONES32), N(1)}, N(1)},
        {C32(slt), {N(MAX32), N(MIN32)}, N(0)},
        {C64(sle), {N(MIN), N(MIN)}, N(1)},
        {C64(sle), {N(1), N(ONES)}, N(0)},
    };
    CHECK_ROWS(rows, &fp);
}

TEST(eval_int, carries_and_overflows)
{
    static const struct row rows[] = {
        {C64(add_v), {N(MAX), N(1)}, N(1)},
        {C64(add_v), {N(ONES), N(1)}, N(0)},
        {C32(add_v), {N(MAX32), N(1)}, N(1)},
        {C32(add_v), {N(MIN32), N(MIN32)}, N(1)},
        {C64(sub_v), {N(MIN), N(1)}, N(1)},
        {C64(sub_v), {N(0), N(MIN)}, N(1)},
        {C32(sub_v), {N(5), N(7)}, N(0)},
        {C64(adc_c), {N(ONES), N(0), N(1)}, N(1)},
        {C64(adc_c), {N(ONES), N(0), N(0)}, N(0)},
        {C64(adc_c), {N(ONES), N(ONES), N(1)}, N(1)},
        {C32(adc_c), {N(ONES32), N(0), N(1)}, N(1)},
        {C32(adc_c), {N(MAX32), N(MAX32), N(1)}, N(0)},
        {C64(adc_v), {N(MAX), N(0), N(1)}, N(1)},
        {C64(adc_v), {N(MIN), N(ONES), N(1)}, N(0)},
        {C32(adc_v), {N(MIN32), N(ONES32), N(0)}, N(1)},
    };
    CHECK_ROWS(rows, &fp);
}

static const struct test tests[] = {
    CASE(eval_int, values),
    CASE(eval_int, sums_and_products_wrap),
    CASE(eval_int, high_products),
    CASE(eval_int, quotients_exist_for_all_operands),
    CASE(eval_int, bitwise),
    CASE(eval_int, shifts_count_modulo_the_width),
    CASE(eval_int, counts_and_reversals),
    CASE(eval_int, widths),
    CASE(eval_int, crc32_check_values),
    CASE(eval_int, comparisons),
    CASE(eval_int, carries_and_overflows),
};
TEST_MAIN(tests)
