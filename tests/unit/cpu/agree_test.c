/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every way to run a guest does the same: random programs on the interpreter and on translators of all
 * sorts; see agree.h.  CPU_RANDOM=N in the environment tries N programs instead of 1500, from number
 * CPU_RANDOM_FROM on.
 */
#include "tests/unit/cpu/agree.h"
#include "tests/test.h"

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

TEST(engines, random_programs_end_alike)
{
    static uint8_t data[AGREE_MAX];
    uint64_t from = number_from("CPU_RANDOM_FROM", 1), n = number_from("CPU_RANDOM", 1500);
    unsigned bad = 0;

    if (getenv("CPU_RANDOM"))
        test_limit(0);
    agree_open();
    for (uint64_t seed = from; seed < from + n && bad < 3; seed++) {
        size_t len = agree_random(seed, data);
        const char *wrong = agree_try(data, len);

        if (!wrong)
            continue;
        printf("program %llu: %s\n", (unsigned long long)seed, wrong);
        agree_minimise(data, len);
        agree_show(data, len, (wrong = agree_try(data, len)) ? wrong : "nothing any more");
        bad++;
        CHECK(!wrong);
    }
    printf("    %u programs; by reason of their end:", agree.n_run);
    for (unsigned i = 0; i <= CPU_STOP_YIELD; i++)
        printf(" %u", agree.n_stop[i]);
    putchar('\n');
    CHECK_EQ(bad, 0);
    CHECK(agree.n_stop[CPU_STOP_FAULT] > n / 20 && agree.n_stop[CPU_STOP_BTI] > n / 100);
}

/* --- Programs that go where random ones seldom do --- */

struct word {
    uint8_t op, a, b, c;
};

/* Runs it from word 0 on every engine, with x2 = @x2, x4 = 1, the others 0, and @fuel branches. */
static void all_agree(const struct word *words, size_t n_words, uint64_t x2, unsigned fuel)
{
    static uint8_t data[AGREE_MAX];

    memset(data, 0, sizeof(data));
    for (size_t i = 0; i < n_words; i++)
        memcpy(data + AGREE_HEAD + 4 * i, &words[i], 4);
    agree_open();
    for (unsigned e = 0; e < AGREE_ENGINES; e++) {
        const char *wrong;

        agree_set_up(agree_cpu(e), data, sizeof(data));
        memset(toy(agree_cpu(e))->x, 0, sizeof(toy(agree_cpu(e))->x));
        toy(agree_cpu(e))->x[2] = x2;
        toy(agree_cpu(e))->x[4] = 1;
        toy(agree_cpu(e))->x[TOY_FUEL_REG] = TOY_FUEL_AT + TOY_FUEL - 8 * fuel;
        agree_finish(agree_cpu(e), e ? &agree.got : &agree.want);
        wrong = e ? agree_difference(&agree.got, &agree.want, agree_engines[e].conf.exact_flags) : NULL;
        if (wrong)
            printf("%s: %s\n", agree_engines[e].name, wrong);
        CHECK(!wrong);
    }
}

TEST(engines, a_return_in_another_mode_is_to_code_of_that_mode)
{
    static const struct word words[] = {
        [0] = {TOY_CALL, 0, 0, 8},
        [1] = {TOY_ADDI, 1, 1, 0}, /* adds the mode */
        [2] = {TOY_MODE, 0, 0, 0},
        [3] = {TOY_JUMP, 0, 0, 0},
        [8] = {TOY_XOR, 2, 2, 4},
        [9] = {TOY_BNZ, 2, 0, 12},
        [10] = {TOY_MODE, 0, 0, 1},
        [11] = {TOY_RET, 0, 1, 0},
        [12] = {TOY_MODE, 0, 0, 2},
        [13] = {TOY_RET, 0, 1, 0},
    };

    all_agree(words, sizeof(words) / sizeof(words[0]), 0, 400);
    CHECK(agree.want.s.x[1] > 100);
}

TEST(engines, calls_go_deeper_than_the_stack_of_translated_code)
{
    static const struct word words[] = {
        [0] = {TOY_CALL, 0, 0, 8},
        [1] = {TOY_TRAP, 0, 1, 0},
        [8] = {TOY_PUSH, TOY_LINK, 0, 0},
        [9] = {TOY_SUBS, 2, 2, 4},
        [10] = {TOY_BCOND, 1, 0, 12}, /* above: still more than 1 */
        [11] = {TOY_JUMP, 0, 0, 13},
        [12] = {TOY_CALL, 0, 0, 8},
        [13] = {TOY_ADDI, 1, 1, 1},
        [14] = {TOY_POP, TOY_LINK, 0, 0},
        [15] = {TOY_RET, 0, 1, 0},
    };

    all_agree(words, sizeof(words) / sizeof(words[0]), 10000, TOY_FUEL / 8);
    CHECK_EQ(agree.want.s.x[1], 10000);
}

static const struct test tests[] = {
    CASE(engines, a_return_in_another_mode_is_to_code_of_that_mode),
    CASE(engines, calls_go_deeper_than_the_stack_of_translated_code),
    CASE_SLOW(engines, random_programs_end_alike, 60),
};
TEST_MAIN(tests)
