/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/dev/rig.h"

enum { RTCDR = 0, RTCMR = 4, RTCLR = 8, RTCCR = 12, RTCIMSC = 16, RTCRIS = 20, RTCMIS = 24, RTCICR = 28 };

TEST(pl031, time_goes_on)
{
    struct rig *r = rig_new("pl031", NULL);
    uint32_t now = rig_read32(r, RTCDR);

    CHECK_EQ(now, (uint32_t)(clock_now(r->m, CLK_RTC) / NS_PER_S));
    rig_write32(r, RTCLR, 1000);
    CHECK_EQ(rig_read32(r, RTCDR), 1000);
    CHECK_EQ(rig_read32(r, RTCLR), 1000);
    rig_step(r, 5 * NS_PER_S);
    CHECK_EQ(rig_read32(r, RTCDR), 1005);
    rig_reset(r);
    CHECK_EQ(rig_read32(r, RTCDR), 1005); /* who resets the machine does not turn back time */
    CHECK_EQ(rig_read32(r, RTCCR), 1);
    rig_free(r);
}

TEST(pl031, alarm_rings_once_and_is_cleared)
{
    struct rig *r = rig_new("pl031", NULL);

    rig_write32(r, RTCLR, 100);
    rig_write32(r, RTCMR, 103);
    rig_write32(r, RTCIMSC, 1);
    rig_step(r, NS_PER_S);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_step(r, 2 * NS_PER_S);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(rig_read32(r, RTCMIS), 1);
    rig_write32(r, RTCIMSC, 0);
    CHECK_EQ(rig_irq(r, 0), 0);
    CHECK_EQ(rig_read32(r, RTCRIS), 1);
    rig_write32(r, RTCICR, 1);
    CHECK_EQ(rig_read32(r, RTCRIS), 0);
    rig_free(r);
}

TEST(pl031, alarm_survives)
{
    struct rig *r = rig_new("pl031", NULL);

    rig_write32(r, RTCLR, 7);
    rig_write32(r, RTCMR, 9);
    rig_write32(r, RTCIMSC, 1);
    rig_save_load(r);
    CHECK_EQ(rig_read32(r, RTCMR), 9);
    rig_step(r, 3 * NS_PER_S);
    CHECK_EQ(rig_irq(r, 0), 1);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(pl031, time_goes_on),
    CASE(pl031, alarm_rings_once_and_is_cleared),
    CASE(pl031, alarm_survives),
};
TEST_MAIN(tests)
