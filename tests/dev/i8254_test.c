/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/timer/i8254.h"

#include "tests/dev/isa_rig.h"

enum { CTL = 0x43, C0 = 0x40, C2 = 0x42 };

/* To the middle of the tick that is @n on. */
static void ticks(struct rig *r, unsigned n)
{
    rig_step(r, (int64_t)n * NS_PER_S / PIT_HZ + (n != 0));
}

static struct rig *pit(void)
{
    struct rig *r = isa_new("isa-pit", NULL);

    rig_step(r, 400);
    return r;
}

static unsigned count(struct rig *r, unsigned n)
{
    unsigned lo;

    outb(r, CTL, (uint8_t)(n << 6));
    lo = inb(r, C0 + n);
    return lo | inb(r, C0 + n) << 8;
}

static bool out(struct rig *r, unsigned n)
{
    outb(r, CTL, (uint8_t)(0xe0 | 2 << n));
    return inb(r, C0 + n) & 0x80;
}

TEST(i8254, mode_2_interrupts_once_a_period)
{
    struct rig *r = pit();

    outb(r, CTL, 0x34);
    outb(r, C0, 1000 & 255);
    outb(r, C0, 1000 >> 8);
    rig_irq_rose(r, 0);
    CHECK_EQ(count(r, 0), 1000);
    ticks(r, 999);
    CHECK_EQ(rig_irq_rose(r, 0), 0);
    CHECK_EQ(out(r, 0), 0);
    ticks(r, 1);
    CHECK_EQ(rig_irq_rose(r, 0), 1);
    CHECK_EQ(out(r, 0), 1);
    for (unsigned i = 0; i < 5; i++)
        ticks(r, 1000);
    CHECK_EQ(rig_irq_rose(r, 0), 5);
    rig_free(r);
}

TEST(i8254, new_count_of_mode_2_waits_for_the_end_of_the_period)
{
    struct rig *r = pit();

    outb(r, CTL, 0x34);
    outb(r, C0, 100);
    outb(r, C0, 0);
    ticks(r, 250);
    rig_irq_rose(r, 0);
    outb(r, C0, 200);
    outb(r, C0, 0);
    outb(r, CTL, 0xe2);
    CHECK_EQ(inb(r, C0) & 0x40, 0x40); /* null count */
    CHECK_EQ(count(r, 0), 50);
    ticks(r, 50);
    CHECK_EQ(rig_irq_rose(r, 0), 1);
    outb(r, CTL, 0xe2);
    CHECK_EQ(inb(r, C0) & 0x40, 0);
    CHECK_EQ(count(r, 0), 200);
    ticks(r, 150);
    CHECK_EQ(rig_irq_rose(r, 0), 0);
    ticks(r, 50);
    CHECK_EQ(rig_irq_rose(r, 0), 1);
    rig_free(r);
}

TEST(i8254, mode_0_counts_once)
{
    struct rig *r = pit();

    outb(r, CTL, 0x30);
    CHECK_EQ(rig_irq(r, 0), 0);
    outb(r, C0, 0x10);
    outb(r, C0, 0);
    ticks(r, 15);
    CHECK_EQ(rig_irq(r, 0), 0);
    CHECK_EQ(count(r, 0), 1);
    ticks(r, 1);
    CHECK_EQ(rig_irq(r, 0), 1);
    ticks(r, 1);
    CHECK_EQ(count(r, 0), 0xffff);
    outb(r, C0, 0x10); /* the first byte lowers OUT */
    CHECK_EQ(out(r, 0), 0);
    rig_free(r);
}

TEST(i8254, mode_3_is_square)
{
    struct rig *r = pit();

    outb(r, CTL, 0xb6);
    outb(r, C2, 10);
    outb(r, C2, 0);
    CHECK_EQ(inb(r, 0x61) & 0x23, 0x20); /* the gate is low: OUT stays high */
    outb(r, 0x61, 1);
    CHECK_EQ(inb(r, 0x61) & 0x2f, 0x21);
    CHECK_EQ(count(r, 2), 10);
    ticks(r, 4);
    CHECK_EQ(count(r, 2), 2);
    CHECK_EQ(out(r, 2), 1);
    ticks(r, 1);
    CHECK_EQ(out(r, 2), 0);
    CHECK_EQ(count(r, 2), 10);
    ticks(r, 5);
    CHECK_EQ(out(r, 2), 1);
    outb(r, 0x61, 0);
    ticks(r, 7);
    CHECK_EQ(out(r, 2), 1);
    rig_free(r);
}

TEST(i8254, modes_1_and_5_are_triggered_by_the_gate)
{
    struct rig *r = pit();

    outb(r, CTL, 0xb2);
    outb(r, C2, 10);
    outb(r, C2, 0);
    ticks(r, 20);
    CHECK_EQ(out(r, 2), 1);
    outb(r, 0x61, 1);
    CHECK_EQ(out(r, 2), 0);
    ticks(r, 9);
    CHECK_EQ(out(r, 2), 0);
    ticks(r, 1);
    CHECK_EQ(out(r, 2), 1);
    outb(r, CTL, 0xba);
    outb(r, C2, 10);
    outb(r, C2, 0);
    outb(r, 0x61, 0);
    outb(r, 0x61, 1);
    ticks(r, 10);
    CHECK_EQ(out(r, 2), 0);
    ticks(r, 1);
    CHECK_EQ(out(r, 2), 1);
    rig_free(r);
}

TEST(i8254, gate_holds_mode_0)
{
    struct rig *r = pit();

    outb(r, 0x61, 1);
    outb(r, CTL, 0xb0);
    outb(r, C2, 100);
    outb(r, C2, 0);
    ticks(r, 10);
    outb(r, 0x61, 0);
    ticks(r, 50);
    CHECK_EQ(count(r, 2), 90);
    outb(r, 0x61, 1);
    ticks(r, 89);
    CHECK_EQ(inb(r, 0x61) & 0x20, 0);
    ticks(r, 1);
    CHECK_EQ(inb(r, 0x61) & 0x20, 0x20);
    rig_free(r);
}

TEST(i8254, counts_in_decimal_and_reads_latched_bytes)
{
    struct rig *r = pit();

    outb(r, CTL, 0x31);
    outb(r, C0, 0x00);
    outb(r, C0, 0x20); /* 2000 */
    ticks(r, 1);
    CHECK_EQ(count(r, 0), 0x1999);
    outb(r, CTL, 0x00);
    ticks(r, 99);
    outb(r, CTL, 0x00); /* is ignored: one is latched */
    CHECK_EQ(inb(r, C0), 0x99);
    CHECK_EQ(inb(r, C0), 0x19);
    CHECK_EQ(inb(r, C0), 0x00);
    CHECK_EQ(inb(r, C0), 0x19);
    outb(r, CTL, 0xc2); /* status and count */
    CHECK_EQ(inb(r, C0), 0x31);
    CHECK_EQ(inb(r, C0), 0x00);
    CHECK_EQ(inb(r, C0), 0x19);
    rig_free(r);
}

TEST(i8254, refresh_toggles_and_state_survives)
{
    struct rig *r = pit();
    unsigned seen = 0;

    for (unsigned i = 0; i < 40; i++) {
        seen |= 1u << (inb(r, 0x61) >> 4 & 1);
        rig_step(r, 1000);
    }
    CHECK_EQ(seen, 3);
    outb(r, CTL, 0x34);
    outb(r, C0, 100);
    outb(r, C0, 0);
    ticks(r, 30);
    rig_save_load(r);
    CHECK_EQ(count(r, 0), 70);
    rig_irq_rose(r, 0);
    ticks(r, 70);
    CHECK_EQ(rig_irq_rose(r, 0), 1);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(i8254, mode_2_interrupts_once_a_period),
    CASE(i8254, new_count_of_mode_2_waits_for_the_end_of_the_period),
    CASE(i8254, mode_0_counts_once),
    CASE(i8254, mode_3_is_square),
    CASE(i8254, modes_1_and_5_are_triggered_by_the_gate),
    CASE(i8254, gate_holds_mode_0),
    CASE(i8254, counts_in_decimal_and_reads_latched_bytes),
    CASE(i8254, refresh_toggles_and_state_survives),
};
TEST_MAIN(tests)
