/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How often a block must run before it becomes a hot region; cpu/jit.h. */
#include "cpu/jit.h"
#include "tests/test.h"

TEST(hot, the_first_thousand_need_no_more)
{
    CHECK_EQ(jit_put_off(0, 1000), 0);
    CHECK_EQ(jit_put_off(1000, 1000), 0);
    CHECK_EQ(jit_put_off(1000, 7), 0);
}

TEST(hot, each_further_one_asks_for_a_thousandth_more)
{
    CHECK_EQ(jit_put_off(1001, 1000), 1);
    CHECK_EQ(jit_put_off(3000, 1000), 2000);
    CHECK_EQ(jit_put_off(3000, 50), 100);
}

TEST(hot, to_the_ninefold)
{
    CHECK_EQ(jit_put_off(9000, 1000), 8000);
    CHECK_EQ(jit_put_off(4000000000u, 1000), 8000);
    CHECK_EQ(jit_put_off(4000000000u, 2000000000), INT32_MAX);
}

TEST(hot, at_once_is_at_once)
{
    CHECK_EQ(jit_put_off(5000, 1), 0);
}

static const struct test tests[] = {
    CASE(hot, the_first_thousand_need_no_more),
    CASE(hot, each_further_one_asks_for_a_thousandth_more),
    CASE(hot, to_the_ninefold),
    CASE(hot, at_once_is_at_once),
};
TEST_MAIN(tests)
