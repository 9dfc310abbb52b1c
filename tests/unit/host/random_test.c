/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random regions through the x86-64 back end, compared with the interpreter; see random.h.
 * HOST_RANDOM=N in the environment tries N regions instead of a few thousand; HOST_RANDOM_FROM=S
 * starts with number S.
 */
#include "tests/unit/host/random.h"
#include "tests/test.h"

static uint64_t number_from(const char *name, uint64_t otherwise)
{
    const char *s = getenv(name);

    return s ? strtoull(s, NULL, 0) : otherwise;
}

/* False, with a small case printed, when number @seed fails. */
static bool check_one(uint64_t seed)
{
    static uint8_t data[RANDOM_STEP * 600];
    size_t len = random_bytes(seed, data, sizeof(data));
    char name[40];

    if (!random_try(data, len))
        return true;
    len = random_minimise(data, len);
    snprintf(name, sizeof(name), "region %llu", (unsigned long long)seed);
    random_show(data, len, name);
    return false;
}

TEST(host, does_what_the_interpreter_does)
{
    uint64_t from = number_from("HOST_RANDOM_FROM", 1), n = number_from("HOST_RANDOM", 6000);
    unsigned bad = 0;

    if (getenv("HOST_RANDOM"))
        alarm(0);
    open_rig();
    for (uint64_t seed = from; seed < from + n && bad < 3; seed++)
        bad += !CHECK(check_one(seed));
    printf("    %u regions run, %u of them to a fault; %u too big, %u did not fit\n", rig.n_run,
           rig.n_fault, rig.n_big, rig.n_full);
    CHECK(rig.n_run > n / 2 && rig.n_fault > n / 100);
}

static const struct test tests[] = {
    CASE_SLOW(host, does_what_the_interpreter_does, 60),
};
TEST_MAIN(tests)
