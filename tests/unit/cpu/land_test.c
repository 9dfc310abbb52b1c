/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The caches of indirect branches' targets; cpu/land.c. */
#include "cpu/engine.h"
#include "tests/test.h"

#include <stdlib.h>

static const struct guest_isa isa = {.pc_shift = 0};
static int code;

static struct cpu *new_cpu(void)
{
    struct cpu *cpu = calloc(1, sizeof(*cpu));

    cpu->isa = &isa;
    jc_init(cpu);
    return cpu;
}

static const struct cpu_jc *entry(const struct cpu *cpu, uint64_t pc)
{
    return &cpu->jc[pc & ((1u << CPU_JC_BITS) - 1)];
}

TEST(land, a_target_is_found_until_it_is_forgotten)
{
    struct cpu *cpu = new_cpu();
    bool dead = false;

    jc_fill(cpu, 0x1234, 0, &code, &dead);
    CHECK_EQ(entry(cpu, 0x1234)->pc, 0x1234);
    CHECK(entry(cpu, 0x1234)->host == &code);
    jc_forget(cpu, 0x1234);
    CHECK(entry(cpu, 0x1234)->pc != 0x1234);
    free(cpu);
}

/* Another thread killed it, and had it forgotten, after it was looked up and before it was entered here. */
TEST(land, what_died_meanwhile_is_not_kept)
{
    struct cpu *cpu = new_cpu();
    bool dead = true;

    jc_fill(cpu, 0x1234, 0, &code, &dead);
    CHECK(entry(cpu, 0x1234)->pc != 0x1234);
    free(cpu);
}

static const struct test tests[] = {
    CASE(land, a_target_is_found_until_it_is_forgotten),
    CASE(land, what_died_meanwhile_is_not_kept),
};
TEST_MAIN(tests)
