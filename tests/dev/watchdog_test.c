/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Watchdogs: i6300esb, ib700, and what -watchdog-action makes of their end. */
#include "tests/dev/isa_rig.h"
#include "tests/dev/pci_rig.h"

enum { FN = RIG_FN(0, 1, 0), BAR = RIG_PCI_MEM };

static unsigned asks(struct rig *r)
{
    const char *why;

    return machine_take_asks(r->m, &why);
}

TEST(ib700, resets_when_nobody_writes)
{
    struct rig *r = isa_new("ib700", NULL);

    outb(r, 0x443, 10); /* ten seconds */
    rig_step(r, 9 * NS_PER_S);
    outb(r, 0x443, 10);
    rig_step(r, 9 * NS_PER_S);
    CHECK_EQ(asks(r), 0);
    rig_save_load(r);
    rig_step(r, 2 * NS_PER_S);
    CHECK_EQ(asks(r), ASK_RESET);
    outb(r, 0x443, 15);
    rig_step(r, 1);
    CHECK_EQ(asks(r), ASK_RESET);
    outb(r, 0x443, 0);
    outb(r, 0x441, 0);
    rig_step(r, 100 * NS_PER_S);
    CHECK_EQ(asks(r), 0);
    rig_hostile(r);
    rig_free(r);
}

static void unlocked(struct rig *r, unsigned reg, uint32_t v)
{
    rig_store(r, BAR + 12, 0x80, 2);
    rig_store(r, BAR + 12, 0x86, 2);
    rig_store(r, BAR + reg, v, reg == 12 ? 2 : 4);
}

static struct rig *esb(void)
{
    struct rig *r = rig_with("i6300esb", "addr=1", pci_rig_before);

    cfg_write(r, FN, 0x10, BAR, 4);
    cfg_enable(r, FN);
    return r;
}

TEST(i6300esb, counts_down_twice)
{
    struct rig *r = esb();

    CHECK_EQ(cfg_read(r, FN, 0, 4), 0x25ab8086);
    rig_store(r, BAR, 100, 4); /* locked: has no effect */
    unlocked(r, 0, 1000);
    unlocked(r, 4, 2000);
    cfg_write(r, FN, 0x60, 0, 2); /* interrupts, milliseconds */
    cfg_write(r, FN, 0x68, 2, 1);
    rig_step(r, NS_PER_S * 9 / 10);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 0);
    unlocked(r, 12, 0x100);
    rig_step(r, NS_PER_S * 9 / 10);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 0);
    rig_step(r, NS_PER_S / 5);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 8);
    CHECK_EQ(rig_load(r, BAR + 8, 4), 1);
    rig_store(r, BAR + 8, 1, 4);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 0);
    CHECK_EQ(asks(r), 0);
    rig_save_load(r);
    rig_step(r, 2 * NS_PER_S);
    CHECK_EQ(asks(r), ASK_RESET);
    CHECK_EQ(rig_load(r, BAR + 12, 2), 0x200);
    unlocked(r, 12, 0x200);
    CHECK_EQ(rig_load(r, BAR + 12, 2), 0);
    rig_free(r);
}

TEST(i6300esb, can_be_locked)
{
    struct rig *r = esb();

    cfg_write(r, FN, 0x68, 3, 1);
    cfg_write(r, FN, 0x68, 0, 1);
    CHECK_EQ(cfg_read(r, FN, 0x68, 1), 3);
    rig_save_load(r);
    cfg_write(r, FN, 0x68, 0, 1);
    CHECK_EQ(cfg_read(r, FN, 0x68, 1), 3);
    rig_reset(r);
    CHECK_EQ(cfg_read(r, FN, 0x68, 1), 0);
    rig_free(r);
}

TEST(i6300esb, actions)
{
    static const struct {
        enum watchdog_action action;
        unsigned asks;
    } rows[] = {{WATCHDOG_RESET, ASK_RESET}, {WATCHDOG_SHUTDOWN, ASK_POWERDOWN}, {WATCHDOG_POWEROFF, ASK_SHUTDOWN}, {WATCHDOG_NONE, 0}, {WATCHDOG_DEBUG, 0}};
    struct rig *r = isa_new("ib700", NULL);

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        machine_set_watchdog(r->m, rows[i].action);
        outb(r, 0x443, 15);
        rig_step(r, 1);
        CHECK_EQ(asks(r), rows[i].asks);
    }
    machine_set_watchdog(r->m, WATCHDOG_PAUSE);
    outb(r, 0x443, 15);
    rig_step(r, 1);
    CHECK_EQ(machine_state(r->m), RUN_WATCHDOG);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(ib700, resets_when_nobody_writes),
    CASE(i6300esb, counts_down_twice),
    CASE(i6300esb, can_be_locked),
    CASE(i6300esb, actions),
};
TEST_MAIN(tests)
