/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/intc/apic.h"

#include "tests/dev/rig.h"

enum { CPUS = 3, ID = 0x20, VERSION = 0x30, TPR = 0x80, PPR = 0xa0, EOI = 0xb0, LDR = 0xd0, SVR = 0xf0, ICR = 0x300, ICR2 = 0x310, LVT_TIMER = 0x320,
       LVT_LINT0 = 0x350, INITIAL = 0x380, CURRENT = 0x390, DIVIDE = 0x3e0 };

static struct pins {
    bool intr;
    unsigned nmi, init, sipi, sipi_vector;
} pins[CPUS];
static struct apic *apic[CPUS];
static int pic_vector, ended;

static void intr(void *cpu, bool level)
{
    ((struct pins *)cpu)->intr = level;
}

static void nmi(void *cpu)
{
    ((struct pins *)cpu)->nmi++;
}

static void init(void *cpu)
{
    ((struct pins *)cpu)->init++;
}

static void sipi(void *cpu, uint8_t vector)
{
    ((struct pins *)cpu)->sipi++;
    ((struct pins *)cpu)->sipi_vector = vector;
}

static int64_t tsc_when(void *cpu, uint64_t tsc)
{
    return (int64_t)tsc;
}

static int pic_ack(void *opaque)
{
    apic_pic_in(opaque).set(apic_pic_in(opaque).opaque, 0, false);
    return pic_vector;
}

static void eoi(void *opaque, uint8_t vector)
{
    ended = vector;
}

static void add(struct rig *r)
{
    memset(pins, 0, sizeof(pins));
    ended = -1;
    for (unsigned i = 0; i < CPUS; i++) {
        struct apic_cpu cpu = {intr, nmi, nmi, init, sipi, tsc_when, &pins[i]};

        apic[i] = apic_add(r->dev, i, i, &cpu);
    }
    apic_set_pic(r->dev, pic_ack, r->dev);
    apic_set_eoi(r->dev, eoi, NULL);
}

static void put(struct rig *r, unsigned cpu, unsigned off, uint32_t v)
{
    space_store(machine_space(r->m), RIG_DEV + off, v, (struct access){.who = BUS_CPU(cpu), .size = 4});
}

static uint32_t get(struct rig *r, unsigned cpu, unsigned off)
{
    uint64_t v = 0;

    space_load(machine_space(r->m), RIG_DEV + off, &v, (struct access){.who = BUS_CPU(cpu), .size = 4});
    return (uint32_t)v;
}

static struct rig *new_rig(void)
{
    struct rig *r = rig_new("apic", "max-cpus=3");

    add(r);
    for (unsigned i = 0; i < CPUS; i++)
        put(r, i, SVR, 0x1ff);
    return r;
}

TEST(apic, each_cpu_sees_its_own_registers)
{
    struct rig *r = new_rig();

    for (unsigned i = 0; i < CPUS; i++)
        CHECK_EQ(get(r, i, ID), i << 24);
    CHECK_EQ(get(r, 0, VERSION), 0x00050014);
    put(r, 1, TPR, 0x30);
    CHECK_EQ(get(r, 0, TPR), 0);
    CHECK_EQ(get(r, 1, TPR), 0x30);
    CHECK_EQ(apic_tpr_read(apic[1]), 3);
    rig_free(r);
}

TEST(apic, higher_vectors_come_first_and_the_task_priority_holds_back)
{
    struct rig *r = new_rig();

    apic_message(r->dev, 0xfee00000, 0x41);
    apic_message(r->dev, 0xfee00000, 0x51);
    CHECK(pins[0].intr);
    CHECK_EQ(apic_ack(apic[0]), 0x51);
    CHECK(!pins[0].intr); /* 41h waits for the end of 51h */
    CHECK_EQ(get(r, 0, PPR), 0x50);
    put(r, 0, TPR, 0x40);
    put(r, 0, EOI, 0);
    CHECK(!pins[0].intr);
    CHECK_EQ(apic_ack(apic[0]), -1);
    apic_tpr_write(apic[0], 3);
    CHECK(pins[0].intr);
    CHECK_EQ(apic_ack(apic[0]), 0x41);
    rig_free(r);
}

TEST(apic, the_end_of_a_level_triggered_interrupt_is_told)
{
    struct rig *r = new_rig();

    apic_message(r->dev, 0xfee01000, 0xc031); /* to 1, level */
    CHECK_EQ(apic_ack(apic[1]), 0x31);
    put(r, 1, EOI, 0);
    CHECK_EQ(ended, 0x31);
    ended = -1;
    apic_message(r->dev, 0xfee01000, 0x31);
    CHECK_EQ(apic_ack(apic[1]), 0x31);
    put(r, 1, EOI, 0);
    CHECK_EQ(ended, -1);
    rig_free(r);
}

TEST(apic, commands_reach_whom_they_name)
{
    struct rig *r = new_rig();

    put(r, 0, ICR2, 2u << 24);
    put(r, 0, ICR, 0x4500); /* INIT */
    CHECK_EQ(pins[2].init, 1);
    put(r, 0, ICR, 0x4608); /* SIPI */
    CHECK_EQ(pins[2].sipi, 1);
    CHECK_EQ(pins[2].sipi_vector, 8);
    put(r, 0, ICR, 0xc4400); /* NMI to all others */
    CHECK_EQ(pins[0].nmi, 0);
    CHECK_EQ(pins[1].nmi, 1);
    CHECK_EQ(pins[2].nmi, 1);
    put(r, 2, SVR, 0x1ff); /* INIT has switched it off */
    put(r, 1, LDR, 0x02000000);
    put(r, 2, LDR, 0x04000000);
    put(r, 0, ICR2, 6u << 24);
    put(r, 0, ICR, 0x4861); /* logical, to both */
    CHECK_EQ(apic_ack(apic[1]), 0x61);
    CHECK_EQ(apic_ack(apic[2]), 0x61);
    CHECK_EQ(apic_ack(apic[0]), -1);
    rig_free(r);
}

TEST(apic, lowest_priority_goes_to_who_does_least)
{
    struct rig *r = new_rig();

    for (unsigned i = 0; i < CPUS; i++)
        put(r, i, LDR, 1u << (24 + i));
    put(r, 0, TPR, 0x20);
    put(r, 2, TPR, 0x20);
    apic_message(r->dev, 0xfee07004, 0x171);
    CHECK_EQ(apic_ack(apic[1]), 0x71);
    CHECK(!pins[0].intr && !pins[2].intr);
    rig_free(r);
}

TEST(apic, the_timer_counts_down_once_or_again_and_again)
{
    struct rig *r = new_rig();

    put(r, 0, DIVIDE, 0xb); /* by 1 */
    put(r, 0, LVT_TIMER, 0x40);
    put(r, 0, INITIAL, 1000);
    rig_step(r, 400);
    CHECK_EQ(get(r, 0, CURRENT), 600);
    CHECK(!pins[0].intr);
    rig_step(r, 600);
    CHECK_EQ(apic_ack(apic[0]), 0x40);
    put(r, 0, EOI, 0);
    CHECK_EQ(get(r, 0, CURRENT), 0);
    put(r, 0, LVT_TIMER, 0x20040);
    put(r, 0, INITIAL, 1000);
    for (unsigned i = 0; i < 3; i++) {
        rig_step(r, 1000);
        CHECK_EQ(apic_ack(apic[0]), 0x40);
        put(r, 0, EOI, 0);
    }
    rig_free(r);
}

/* SDM 3A, figure 11-10: bits 0, 1 and 3. */
TEST(apic, the_timer_divides_by_all_that_there_is)
{
    static const struct {
        uint32_t bits;
        unsigned by;
    } cases[] = {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}};

    for (unsigned i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        for (unsigned again = 0; again < 2; again++) {
            struct rig *r = new_rig();

            put(r, 0, LVT_TIMER, (again ? 0x20000 : 0) | 0x40);
            put(r, 0, DIVIDE, cases[i].bits);
            CHECK_EQ(get(r, 0, DIVIDE), cases[i].bits);
            put(r, 0, INITIAL, 100);
            rig_step(r, 40 * cases[i].by);
            CHECK_EQ(get(r, 0, CURRENT), 60);
            rig_step(r, 60 * cases[i].by - 1);
            CHECK(!pins[0].intr);
            rig_step(r, 1);
            CHECK_EQ(apic_ack(apic[0]), 0x40);
            put(r, 0, EOI, 0);
            rig_step(r, 25 * cases[i].by);
            CHECK_EQ(get(r, 0, CURRENT), again ? 75 : 0);
            put(r, 0, INITIAL, 0); /* stops it */
            rig_step(r, 1000 * cases[i].by);
            CHECK(!pins[0].intr);
            CHECK_EQ(get(r, 0, CURRENT), 0);
            rig_free(r);
        }
}

/* SDM 3A, 11.5.4.1. */
TEST(apic, a_deadline_counts_once_and_only_in_its_mode)
{
    struct rig *r = new_rig();
    uint64_t v = 1, now = (uint64_t)clock_now(r->m, CLK_VIRT);

    CHECK(apic_msr_write(apic[0], 0x6e0, now + 100)); /* another mode: ignored */
    CHECK(apic_msr_read(apic[0], 0x6e0, &v));
    CHECK_EQ(v, 0);
    put(r, 0, LVT_TIMER, 2 << 17 | 0x90);
    put(r, 0, INITIAL, 50); /* ignored here */
    CHECK_EQ(get(r, 0, CURRENT), 0);
    rig_step(r, 200);
    CHECK(!pins[0].intr);
    now = (uint64_t)clock_now(r->m, CLK_VIRT);
    CHECK(apic_msr_write(apic[0], 0x6e0, now + 100));
    CHECK(apic_msr_read(apic[0], 0x6e0, &v));
    CHECK_EQ(v, now + 100);
    rig_step(r, 99);
    CHECK(!pins[0].intr);
    rig_step(r, 1);
    CHECK_EQ(apic_ack(apic[0]), 0x90);
    put(r, 0, EOI, 0);
    CHECK(apic_msr_write(apic[0], 0x6e0, now)); /* is past: at once */
    rig_step(r, 0);
    CHECK_EQ(apic_ack(apic[0]), 0x90);
    put(r, 0, EOI, 0);
    now = (uint64_t)clock_now(r->m, CLK_VIRT);
    CHECK(apic_msr_write(apic[0], 0x6e0, now + 100));
    CHECK(apic_msr_write(apic[0], 0x6e0, 0)); /* disarms */
    rig_step(r, 200);
    CHECK(!pins[0].intr);
    now = (uint64_t)clock_now(r->m, CLK_VIRT);
    CHECK(apic_msr_write(apic[0], 0x6e0, now + 100));
    put(r, 0, LVT_TIMER, 0x90); /* so does another mode */
    put(r, 0, LVT_TIMER, 2 << 17 | 0x90);
    rig_step(r, 200);
    CHECK(!pins[0].intr);
    CHECK(apic_msr_read(apic[0], 0x6e0, &v));
    CHECK_EQ(v, 0);
    rig_free(r);
}

TEST(apic, x2apic_is_msrs_and_32_bit_destinations)
{
    struct rig *r = new_rig();
    uint64_t v, base = apic_base_read(apic[0]);

    CHECK(!apic_msr_read(apic[0], 0x802, &v));
    CHECK(!apic_base_write(apic[0], (base & ~(uint64_t)0x800) | 0x400));
    CHECK(apic_base_write(apic[0], base | 0x400));
    CHECK(!apic_base_write(apic[0], base)); /* not back but through off */
    CHECK(apic_msr_read(apic[0], 0x802, &v));
    CHECK_EQ(v, 0);
    CHECK_EQ(get(r, 0, VERSION), 0);
    CHECK(apic_msr_write(apic[0], 0x830, 1ull << 32 | 0x81));
    CHECK_EQ(apic_ack(apic[1]), 0x81);
    CHECK(apic_msr_write(apic[0], 0x83f, 0x82));
    CHECK_EQ(apic_ack(apic[0]), 0x82);
    CHECK(apic_msr_write(apic[0], 0x80b, 0));
    CHECK(!apic_msr_write(apic[0], 0x80b, 1));
    CHECK(apic_msr_write(apic[0], 0x832, 2 << 17 | 0x90));
    CHECK(apic_msr_write(apic[0], 0x6e0, (uint64_t)clock_now(r->m, CLK_VIRT) + 500));
    rig_step(r, 500);
    CHECK_EQ(apic_ack(apic[0]), 0x90);
    CHECK(apic_msr_read(apic[0], 0x6e0, &v));
    CHECK_EQ(v, 0);
    rig_free(r);
}

TEST(apic, the_pic_comes_through_lint0)
{
    struct rig *r = new_rig();
    struct irq_in in = apic_pic_in(r->dev);

    pic_vector = 0x08;
    in.set(in.opaque, in.n, true);
    CHECK(pins[0].intr && !pins[1].intr);
    CHECK_EQ(apic_ack(apic[0]), 0x08);
    CHECK(!pins[0].intr);
    put(r, 0, LVT_LINT0, 0x10700);
    in.set(in.opaque, in.n, true);
    CHECK(!pins[0].intr);
    rig_free(r);
}

TEST(apic, nothing_a_guest_writes_hurts)
{
    struct rig *r = new_rig();

    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(apic, each_cpu_sees_its_own_registers),
    CASE(apic, higher_vectors_come_first_and_the_task_priority_holds_back),
    CASE(apic, the_end_of_a_level_triggered_interrupt_is_told),
    CASE(apic, commands_reach_whom_they_name),
    CASE(apic, lowest_priority_goes_to_who_does_least),
    CASE(apic, the_timer_counts_down_once_or_again_and_again),
    CASE(apic, the_timer_divides_by_all_that_there_is),
    CASE(apic, a_deadline_counts_once_and_only_in_its_mode),
    CASE(apic, x2apic_is_msrs_and_32_bit_destinations),
    CASE(apic, the_pic_comes_through_lint0),
    CASE(apic, nothing_a_guest_writes_hurts),
};
TEST_MAIN(tests)
