/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Passes keep the meaning of random regions; more of them through fuzz/fuzz_ir.c. */
#include "tests/ir/random.h"
#include "tests/test.h"

enum { REGIONS = 5000, BYTES = 400 };

TEST(random, passes_keep_the_meaning)
{
    uint64_t seed = 1;
    uint8_t data[BYTES];

    for (unsigned i = 0; i < REGIONS; i++) {
        for (unsigned k = 0; k < BYTES; k++) {
            seed = seed * 6364136223846793005 + 1442695040888963407;
            data[k] = (uint8_t)(seed >> 56);
        }
        if (!CHECK(random_check(data, BYTES))) {
            printf("region %u\n", i);
            return;
        }
    }
}

static const struct test tests[] = {
    CASE_SLOW(random, passes_keep_the_meaning, 60),
};
TEST_MAIN(tests)
