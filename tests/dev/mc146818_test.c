/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/rtc/mc146818.h"

#include "tests/dev/isa_rig.h"

static uint8_t get(struct rig *r, uint8_t reg)
{
    outb(r, 0x70, reg);
    return inb(r, 0x71);
}

static void put(struct rig *r, uint8_t reg, uint8_t v)
{
    outb(r, 0x70, reg);
    outb(r, 0x71, v);
}

/* 2023-12-31 23:59:58, a Sunday, in BCD and 24 hours. */
static struct rig *clock_at_new_year(void)
{
    static const uint8_t v[][2] = {{0, 0x58}, {2, 0x59}, {4, 0x23}, {7, 0x31}, {8, 0x12}, {9, 0x23}, {0x32, 0x20}};
    struct rig *r = isa_new("mc146818rtc", NULL);

    put(r, 0x0b, 0x82);
    for (unsigned i = 0; i < sizeof(v) / 2; i++)
        put(r, v[i][0], v[i][1]);
    put(r, 0x0b, 0x02);
    return r;
}

TEST(mc146818, shows_the_calendar)
{
    struct rig *r = isa_new("mc146818rtc", NULL);
    int64_t s = clock_now(r->m, CLK_RTC) / NS_PER_S;
    unsigned h = s / 3600 % 24;

    CHECK_EQ(get(r, 4), h / 10 << 4 | h % 10);
    CHECK_EQ(get(r, 6), (s / 86400 + 4) % 7 + 1);
    CHECK_EQ(get(r, 0x0d), 0x80);
    CHECK_EQ(get(r, 0x0a) & 0x7f, 0x26);
    CHECK_EQ(get(r, 0x0b), 0x02);
    rig_free(r);
}

TEST(mc146818, a_year_begins)
{
    struct rig *r = clock_at_new_year();

    CHECK_EQ(get(r, 6), 1);
    rig_step(r, 2 * NS_PER_S);
    CHECK_EQ(get(r, 0), 0);
    CHECK_EQ(get(r, 4), 0);
    CHECK_EQ(get(r, 6), 2);
    CHECK_EQ(get(r, 7), 1);
    CHECK_EQ(get(r, 8), 1);
    CHECK_EQ(get(r, 9), 0x24);
    rig_step(r, 59 * 86400ll * NS_PER_S);
    CHECK_EQ(get(r, 8), 0x02);
    CHECK_EQ(get(r, 7), 0x29); /* 2024 is a leap year */
    rig_free(r);
}

TEST(mc146818, twelve_hours_and_binary)
{
    struct rig *r = clock_at_new_year();

    put(r, 0x0b, 0x04);
    CHECK_EQ(get(r, 0), 58);
    CHECK_EQ(get(r, 4), 0x80 | 11);
    rig_step(r, 2 * NS_PER_S);
    CHECK_EQ(get(r, 4), 12);
    put(r, 4, 0x80 | 12); /* noon */
    put(r, 0x0b, 0x06);
    CHECK_EQ(get(r, 4), 12);
    rig_free(r);
}

TEST(mc146818, updates_and_alarms_interrupt)
{
    struct rig *r = clock_at_new_year();

    put(r, 1, 0x01);
    put(r, 3, 0xc0);
    put(r, 5, 0xff); /* every minute at its first second */
    get(r, 0x0c);
    put(r, 0x0b, 0x32);
    rig_step(r, NS_PER_S);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(get(r, 0x0c) & 0xbf, 0x90);
    CHECK_EQ(rig_irq(r, 0), 0);
    put(r, 0x0b, 0x22); /* the alarm alone */
    rig_step(r, NS_PER_S);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_step(r, NS_PER_S);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(get(r, 0x0c) & 0xbf, 0xb0);
    put(r, 0x0b, 0x02); /* flags come without interrupts, too */
    rig_step(r, 60 * NS_PER_S);
    CHECK_EQ(rig_irq(r, 0), 0);
    CHECK_EQ(get(r, 0x0c) & 0xbf, 0x30);
    rig_free(r);
}

TEST(mc146818, interrupts_periodically)
{
    struct rig *r = isa_new("mc146818rtc", NULL);

    put(r, 0x0a, 0x26); /* 1024 Hz */
    put(r, 0x0b, 0x42);
    for (unsigned i = 0; i < 1024; i++) {
        rig_step(r, NS_PER_S / 1024 + 1);
        get(r, 0x0c);
    }
    CHECK_EQ(rig_irq_rose(r, 0), 1024);
    put(r, 0x0a, 0x23); /* 8192 Hz */
    rig_step(r, NS_PER_S / 8192 + 1);
    CHECK_EQ(get(r, 0x0c) & 0xc0, 0xc0);
    put(r, 0x0a, 0x20);
    rig_step(r, NS_PER_S / 4);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_free(r);
}

/* @n periods of 1/1024 s go by; register C is read as soon as there is an interrupt.  How many there were. */
static unsigned listen(struct rig *r, unsigned n)
{
    unsigned heard = 0;

    for (unsigned i = 0; i < 8 * n; i++) {
        rig_step(r, NS_PER_S / 8192);
        if (rig_irq(r, 0))
            heard += get(r, 0x0c) >> 6 & 1;
    }
    return heard;
}

/* A hundred periods during which the guest does not listen, a hundred and some when it does. */
static unsigned hears(const char *props, bool busy_host)
{
    struct rig *r = isa_new("mc146818rtc", props);
    unsigned n;

    put(r, 0x0a, 0x26);
    put(r, 0x0b, 0x42);
    if (busy_host)
        rig_late(r, NS_PER_S / 1024 * 100 + NS_PER_S / 2048);
    else
        rig_step(r, NS_PER_S / 1024 * 100 + NS_PER_S / 2048);
    n = listen(r, 50);
    rig_save_load(r);
    n += listen(r, 100);
    CHECK(listen(r, 100) <= 101); /* and nobody owes anything any more */
    rig_free(r);
    return n;
}

TEST(mc146818, what_the_guest_did_not_hear_follows)
{
    CHECK_EQ(hears("lost_tick_policy=slew", false), 250);
    CHECK_EQ(hears("lost_tick_policy=slew", true), 250);
    CHECK_EQ(hears("lost_tick_policy=discard", false), 151);
    CHECK_EQ(hears(NULL, true), 151);
}

TEST(mc146818, a_debt_is_of_time)
{
    struct rig *r = isa_new("mc146818rtc", "lost_tick_policy=slew");

    put(r, 0x0a, 0x26);
    put(r, 0x0b, 0x42);
    rig_step(r, NS_PER_S / 1024 * 65 + NS_PER_S / 2048);
    put(r, 0x0a, 0x2a); /* 64 Hz: 64 of 1024 are four */
    CHECK_EQ(listen(r, 161), 1 + 10 + 4);
    put(r, 0x0a, 0x26);
    rig_step(r, 3600 * NS_PER_S);
    put(r, 0x0b, 0x02); /* who switches it off is owed nothing */
    get(r, 0x0c);
    put(r, 0x0b, 0x42);
    CHECK(listen(r, 100) <= 101);
    rig_free(r);
}

TEST(mc146818, says_that_an_update_comes)
{
    struct rig *r = clock_at_new_year();
    int64_t ns = clock_now(r->m, CLK_RTC) % NS_PER_S;

    rig_step(r, NS_PER_S - ns - 200000);
    CHECK_EQ(get(r, 0x0a) & 0x80, 0x80);
    rig_step(r, 300000);
    CHECK_EQ(get(r, 0x0a) & 0x80, 0);
    rig_free(r);
}

TEST(mc146818, memory_stays)
{
    struct rig *r = isa_new("mc146818rtc", NULL);

    mc146818_set(r->dev, CMOS_EQUIPMENT, 0x46);
    put(r, 0x7f, 0xa5);
    put(r, 0x0b, 0x72);
    rig_reset(r);
    CHECK_EQ(get(r, 0x7f), 0xa5);
    CHECK_EQ(get(r, CMOS_EQUIPMENT), 0x46);
    CHECK_EQ(get(r, 0x0b), 0x02);
    CHECK_EQ(inb(r, 0x70), 0xff);
    CHECK_STR(rig_refused("mc146818rtc", NULL), "No 'ISA' bus found for device 'mc146818rtc'");
    rig_free(r);
}

TEST(mc146818, state_survives)
{
    struct rig *r = clock_at_new_year();
    uint8_t was;

    put(r, 0x0b, 0x12);
    put(r, 0x40, 0x55);
    was = get(r, 0x09);
    rig_save_load(r);
    CHECK_EQ(get(r, 0x40), 0x55);
    CHECK_EQ(get(r, 0x09), was);
    rig_irq_rose(r, 0);
    rig_step(r, NS_PER_S);
    CHECK_EQ(rig_irq_rose(r, 0), 1);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(mc146818, shows_the_calendar),
    CASE(mc146818, a_year_begins),
    CASE(mc146818, twelve_hours_and_binary),
    CASE(mc146818, updates_and_alarms_interrupt),
    CASE(mc146818, interrupts_periodically),
    CASE(mc146818, what_the_guest_did_not_hear_follows),
    CASE(mc146818, a_debt_is_of_time),
    CASE(mc146818, says_that_an_update_comes),
    CASE(mc146818, memory_stays),
    CASE(mc146818, state_survives),
};
TEST_MAIN(tests)
