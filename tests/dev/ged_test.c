/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic event device: events, sleep, reset. */
#include "dev/acpi/ged.h"
#include "tests/dev/rig.h"

TEST(ged, events_are_told_once)
{
    struct rig *r = rig_new("acpi-ged", NULL);

    ged_raise(r->dev, GED_POWER_BUTTON);
    CHECK_EQ(rig_irq_rose(r, 0), 1);
    rig_save_load(r);
    CHECK_EQ(rig_read32(r, 0), GED_POWER_BUTTON);
    CHECK_EQ(rig_read32(r, 0), 0);
    ged_raise(r->dev, GED_POWER_BUTTON);
    rig_reset(r);
    CHECK_EQ(rig_read32(r, 0), 0);
    rig_hostile(r);
    rig_free(r);
}

TEST(ged, sleep_and_reset)
{
    struct rig *r = rig_new("acpi-ged", NULL);
    const char *why;

    mem_add(machine_mem(r->m), 0x20000000, ged_regs(r->dev), 0);
    machine_take_asks(r->m, &why);
    rig_store(r, 0x20000000, 0x20 | 3 << 2, 1); /* S3: not there */
    CHECK_EQ(machine_take_asks(r->m, &why), 0);
    rig_store(r, 0x20000000, 0x20 | 5 << 2, 1);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_SHUTDOWN);
    rig_store(r, 0x20000002, 0x41, 1);
    CHECK_EQ(machine_take_asks(r->m, &why), 0);
    rig_store(r, 0x20000002, 0x42, 1);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_RESET);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(ged, events_are_told_once),
    CASE(ged, sleep_and_reset),
};
TEST_MAIN(tests)
