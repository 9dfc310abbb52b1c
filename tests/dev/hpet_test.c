/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/timer/hpet.h"

#include "tests/dev/rig.h"

enum { CONFIG = 0x10, STATUS = 0x20, COUNTER = 0xf0, T0 = 0x100, T2 = 0x140, CMP = 8 };

static struct irq_state lines[HPET_LINES];

static void note(void *opaque, int n, bool level)
{
    lines[n].rose += level && !lines[n].level;
    lines[n].level = level;
}

static void connect(struct rig *r)
{
    for (int i = 0; i < HPET_LINES; i++)
        hpet_connect(r->dev, (unsigned)i, (struct irq_in){.set = note, .n = i});
}

static struct rig *hpet(const char *props)
{
    struct rig *r = rig_new("hpet", props);

    memset(lines, 0, sizeof(lines));
    connect(r);
    return r;
}

static unsigned rose(unsigned n)
{
    unsigned v = lines[n].rose;

    lines[n].rose = 0;
    return v;
}

TEST(hpet, counts_while_enabled)
{
    struct rig *r = hpet(NULL);

    CHECK_EQ(rig_read64(r, 0), 0x009896808086a201);
    CHECK_EQ(rig_read32(r, 4), 10000000);
    rig_step(r, 1000);
    CHECK_EQ(rig_read64(r, COUNTER), 0);
    rig_write32(r, CONFIG, 1);
    rig_step(r, 1000);
    CHECK_EQ(rig_read64(r, COUNTER), 100);
    rig_write32(r, COUNTER + 4, 1);
    CHECK_EQ(rig_read64(r, COUNTER), 0x100000064);
    rig_write32(r, CONFIG, 0);
    rig_step(r, 1000);
    CHECK_EQ(rig_read32(r, COUNTER), 0x64);
    rig_free(r);
}

TEST(hpet, one_shot_at_an_edge)
{
    struct rig *r = hpet("hpet-intcap=0xf00004");

    rig_write32(r, T2, 0x4 | 20 << 9);
    CHECK_EQ(rig_read64(r, T2), 0x00f0000400000034 | 20 << 9);
    rig_write64(r, T2 + CMP, 50);
    rig_write32(r, CONFIG, 1);
    rig_step(r, 490);
    CHECK_EQ(rose(20), 0);
    rig_step(r, 10);
    CHECK_EQ(rose(20), 1);
    rig_step(r, 100000);
    CHECK_EQ(rose(20), 0);
    rig_write32(r, T2, 0x4 | 19 << 9); /* is not among the capabilities */
    CHECK_EQ(rig_read32(r, T2) >> 9 & 31, 20);
    rig_free(r);
}

TEST(hpet, levels_are_cleared_in_status)
{
    struct rig *r = hpet(NULL);

    rig_write32(r, T2, 0x6 | 2 << 9);
    rig_write64(r, T2 + CMP, 10);
    rig_write32(r, CONFIG, 1);
    rig_step(r, 100);
    CHECK_EQ(lines[2].level, 1);
    CHECK_EQ(rig_read32(r, STATUS), 4);
    rig_write32(r, STATUS, 4);
    CHECK_EQ(lines[2].level, 0);
    rig_free(r);
}

TEST(hpet, legacy_replacement_takes_the_place_of_others)
{
    struct rig *r = hpet(NULL);
    struct irq_in pit = hpet_legacy_in(r->dev, 0), rtc = hpet_legacy_in(r->dev, 1);

    pit.set(pit.opaque, pit.n, true);
    CHECK_EQ(lines[0].level, 1);
    rtc.set(rtc.opaque, rtc.n, true);
    CHECK_EQ(lines[8].level, 1);
    rig_write32(r, T0, 0x4c); /* periodic, value set */
    rig_write64(r, T0 + CMP, 10000);
    rig_write64(r, T0 + CMP, 10000);
    rose(0);
    rig_write32(r, CONFIG, 3);
    CHECK_EQ(lines[0].level, 0);
    CHECK_EQ(lines[8].level, 0);
    for (unsigned i = 0; i < 10; i++)
        rig_step(r, 100000);
    CHECK_EQ(rose(0), 10);
    CHECK_EQ(rig_read64(r, T0 + CMP), 110000);
    rig_write32(r, CONFIG, 1);
    CHECK_EQ(lines[0].level, 1);
    rig_free(r);
}

TEST(hpet, thirty_two_bits_go_round)
{
    struct rig *r = hpet(NULL);

    rig_write32(r, T2, 0x104 | 2 << 9);
    rig_write64(r, T2 + CMP, 5);
    rig_write64(r, COUNTER, 0xfffffff0);
    rig_write32(r, CONFIG, 1);
    rig_step(r, 210);
    CHECK_EQ(rose(2), 1);
    rig_free(r);
}

/* 2.3.9.2.2: an interrupt comes when the counter equals the comparator, also when both have just become so. */
TEST(hpet, a_comparator_equal_to_the_counter_fires_once)
{
    struct rig *r = hpet(NULL);

    rig_write32(r, T2, 0x104 | 2 << 9);
    rig_write32(r, CONFIG, 1);
    rig_step(r, 1000);
    rig_write32(r, T2 + CMP, 100);
    rig_step(r, 0);
    CHECK_EQ(rose(2), 1);
    rig_write32(r, CONFIG, 1);
    rig_step(r, 100000);
    CHECK_EQ(rose(2), 0);
    rig_step(r, 42949672960 - 100000);
    CHECK_EQ(rose(2), 1);
    rig_write32(r, COUNTER, 100);
    rig_step(r, 0);
    CHECK_EQ(rose(2), 1);
    rig_free(r);
}

/* What the counter has passed is not forgotten because the guest writes before the host has looked. */
TEST(hpet, a_busy_host_loses_no_match)
{
    struct rig *r = hpet(NULL);

    rig_write32(r, T2, 0x104 | 2 << 9);
    rig_write32(r, T2 + CMP, 100);
    rig_write32(r, CONFIG, 1);
    rig_late(r, 5000);
    rig_write32(r, T2, 0x104 | 2 << 9);
    CHECK_EQ(rose(2), 1);
    rig_write32(r, T2 + CMP, 600);
    rig_late(r, 5000);
    rig_write32(r, CONFIG, 3);
    CHECK_EQ(rose(2), 1);
    rig_step(r, 100000);
    CHECK_EQ(rose(2), 0);
    rig_free(r);
}

/* Ten periods went by: they come at twice the rate, until the counter is met; of hours, none but the last. */
TEST(hpet, late_periods_follow)
{
    struct rig *r = hpet(NULL);

    rig_write32(r, T0, 0x4c);
    rig_write64(r, T0 + CMP, 100000);
    rig_write64(r, T0 + CMP, 100000);
    rig_write32(r, CONFIG, 3);
    rig_late(r, 10500000);
    rig_step(r, 0);
    CHECK_EQ(rose(0), 1);
    rig_step(r, 1000000);
    CHECK_EQ(rose(0), 2);
    rig_step(r, 20000000);
    CHECK_EQ(rose(0), 28);
    rig_step(r, 10000000);
    CHECK_EQ(rose(0), 10);
    rig_late(r, 3600 * NS_PER_S);
    rig_step(r, 10000000);
    CHECK_EQ(rose(0), 11);
    rig_free(r);
}

TEST(hpet, sends_messages_and_state_survives)
{
    struct rig *r = hpet("msi=on");

    rig_write32(r, T2, 0x4004);
    rig_write64(r, T2 + 0x10, (uint64_t)(RIG_RAM + 16) << 32 | 0x1234);
    rig_write64(r, T2 + CMP, 1000);
    rig_write32(r, CONFIG, 1);
    rig_step(r, 5000);
    rig_save_load(r);
    CHECK_EQ(rig_read64(r, COUNTER), 500);
    rig_step(r, 5000);
    CHECK_EQ(rig_load(r, RIG_RAM + 16, 4), 0x1234);
    CHECK_STR(rig_refused("hpet", "timers=2"), "timers=2: want 3 to 32");
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(hpet, counts_while_enabled),
    CASE(hpet, one_shot_at_an_edge),
    CASE(hpet, levels_are_cleared_in_status),
    CASE(hpet, legacy_replacement_takes_the_place_of_others),
    CASE(hpet, thirty_two_bits_go_round),
    CASE(hpet, a_comparator_equal_to_the_counter_fires_once),
    CASE(hpet, a_busy_host_loses_no_match),
    CASE(hpet, late_periods_follow),
    CASE_SLOW(hpet, sends_messages_and_state_survives, 30),
};
TEST_MAIN(tests)
