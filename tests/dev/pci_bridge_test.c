/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bridges and Express ports: bus numbers, windows, interrupts behind them, resets, slots whose devices come and go. */
#include "tests/dev/pci_rig.h"

#include "dev/pci/pcie.h"

static struct rig *rig(void)
{
    struct rig *r = rig_machine();

    machine_lock(r->m);
    pci_rig_before(r);
    return r;
}

static struct dev *add(struct rig *r, const char *type, const char *id, const char *props)
{
    struct err e = {0};
    struct dev *d = dev_add(r->m, type, id, props, &e);

    if (!d)
        printf("%s: %s\n", type, e.msg);
    CHECK(d);
    return d;
}

static const char *refused(struct rig *r, const char *type, const char *props)
{
    static struct err e;

    e = (struct err){0};
    CHECK(!dev_add(r->m, type, NULL, props, &e));
    return e.msg;
}

/* Bus numbers, and a memory window of 1 MiB. */
static void open_bridge(struct rig *r, uint32_t fn, unsigned sec, unsigned sub, uint32_t mem)
{
    cfg_write(r, fn, PCI_PRIMARY_BUS, (fn >> 20) | sec << 8 | sub << 16, 4);
    cfg_write(r, fn, PCI_MEMORY_BASE, mem >> 16, 2);
    cfg_write(r, fn, PCI_MEMORY_LIMIT, mem >> 16, 2);
    cfg_enable(r, fn);
}

enum { BRIDGE = RIG_FN(0, 1, 0), WINDOW = RIG_PCI_MEM + 0x100000 };

TEST(pci_bridge, configuration_goes_down_by_bus_number)
{
    struct rig *r = rig();

    add(r, "pci-bridge", "b1", "chassis_nr=1,addr=1");
    add(r, "pci-bridge", "b2", "chassis_nr=2,bus=b1,addr=2");
    add(r, "virtio-rng-pci", "rng", "bus=b2,addr=5");
    machine_reset(r->m);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 2, 0), 0, 4), 0xffffffff);
    cfg_write(r, BRIDGE, PCI_PRIMARY_BUS, 0x050300, 4);
    CHECK_EQ(cfg_read(r, RIG_FN(3, 2, 0), 0, 4), 0x00011b36);
    CHECK_EQ(cfg_read(r, RIG_FN(4, 5, 0), 0, 2), 0xffff);
    cfg_write(r, RIG_FN(3, 2, 0), PCI_PRIMARY_BUS, 0x050403, 4);
    CHECK_EQ(cfg_read(r, RIG_FN(4, 5, 0), 0, 2), 0x1af4);
    CHECK_EQ(pci_rid(pci_of(dev_find(r->m, "rng"))), 4 << 8 | 5 << 3);
    CHECK_EQ(cfg_read(r, RIG_FN(4, 5, 0), 0x100, 4), 0xffffffff); /* conventional: 256 bytes */
    CHECK_STR(refused(r, "pci-bridge", NULL), "Bus 'pcie.0' does not support hotplugging");
    pci_rig_free(r);
}

TEST(pci_bridge, memory_is_seen_through_the_window_only)
{
    struct rig *r = rig();
    uint32_t fn = RIG_FN(1, 0, 0);

    add(r, "pci-bridge", "b1", "chassis_nr=1,addr=1");
    add(r, "virtio-rng-pci", "rng", "bus=b1,addr=0");
    machine_reset(r->m);
    open_bridge(r, BRIDGE, 1, 1, WINDOW);
    cfg_write(r, fn, PCI_BAR0 + 4, WINDOW + 0x2000, 4); /* the MSI-X table */
    cfg_enable(r, fn);
    rig_store(r, WINDOW + 0x2008, 0x1234, 4);
    CHECK_EQ(rig_load(r, WINDOW + 0x2008, 4), 0x1234);
    cfg_write(r, BRIDGE, PCI_COMMAND, PCI_COMMAND_MASTER, 2);
    CHECK_EQ(rig_load(r, WINDOW + 0x2008, 4), 0xffffffff);
    cfg_enable(r, BRIDGE);
    cfg_write(r, fn, PCI_BAR0 + 4, WINDOW + 0x100000, 4); /* outside */
    CHECK_EQ(rig_load(r, WINDOW + 0x100008, 4), 0xffffffff);
    cfg_write(r, BRIDGE, PCI_MEMORY_LIMIT, (WINDOW + 0x100000) >> 16, 2);
    CHECK_EQ(rig_load(r, WINDOW + 0x100008, 4), 0x1234);
    cfg_write(r, BRIDGE, PCI_MEMORY_BASE, 0xfff0, 2); /* base above limit: closed */
    CHECK_EQ(rig_load(r, WINDOW + 0x100008, 4), 0xffffffff);
    cfg_write(r, BRIDGE, PCI_PREF_BASE, (WINDOW + 0x100000) >> 16, 2);
    cfg_write(r, BRIDGE, PCI_PREF_LIMIT, (WINDOW + 0x100000) >> 16, 2);
    cfg_write(r, BRIDGE, PCI_PREF_BASE_HI, 0, 4);
    cfg_write(r, BRIDGE, PCI_PREF_LIMIT_HI, 0, 4);
    CHECK_EQ(rig_load(r, WINDOW + 0x100008, 4), 0x1234);
    pci_rig_free(r);
}

TEST(pci_bridge, ports_are_seen_through_the_window_only)
{
    struct rig *r = rig();
    uint32_t fn = RIG_FN(1, 0, 0);

    add(r, "pci-bridge", "b1", "chassis_nr=1,addr=1");
    add(r, "virtio-rng-pci-transitional", "rng", "bus=b1,addr=0");
    machine_reset(r->m);
    open_bridge(r, BRIDGE, 1, 1, WINDOW);
    cfg_write(r, fn, PCI_BAR0, 0x3000, 4);
    cfg_enable(r, fn);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x300c, 2), 0xffff);
    cfg_write(r, BRIDGE, PCI_IO_BASE, 0x3030, 2);
    CHECK(rig_load(r, RIG_PCI_IO + 0x300c, 2) != 0xffff); /* size of queue 0 */
    pci_rig_free(r);
}

TEST(pci_bridge, pins_turn_by_slot_at_each_bridge)
{
    struct rig *r = rig();
    struct pci_dev *d;

    add(r, "pci-bridge", "b1", "chassis_nr=1,addr=1");
    add(r, "pci-bridge", "b2", "chassis_nr=2,bus=b1,addr=2");
    d = pci_of(add(r, "virtio-rng-pci", "rng", "bus=b2,addr=3"));
    machine_reset(r->m);
    pci_set_irq(d, true); /* INTA: (0 + 3 + 2 + 1) % 4 */
    CHECK(pci_rig.line[2].level);
    CHECK(!pci_rig.line[0].level && !pci_rig.line[1].level && !pci_rig.line[3].level);
    pci_rig_free(r);
}

TEST(pci_bridge, a_reset_of_the_secondary_bus_resets_what_is_behind)
{
    struct rig *r = rig();

    add(r, "pci-bridge", "b1", "chassis_nr=1,addr=1");
    add(r, "pci-bridge", "b2", "chassis_nr=2,bus=b1,addr=2");
    add(r, "virtio-rng-pci", "rng", "bus=b2,addr=3");
    machine_reset(r->m);
    open_bridge(r, BRIDGE, 1, 2, WINDOW);
    open_bridge(r, RIG_FN(1, 2, 0), 2, 2, WINDOW);
    cfg_enable(r, RIG_FN(2, 3, 0));
    cfg_write(r, BRIDGE, PCI_BRIDGE_CONTROL, PCI_BRIDGE_RESET, 2);
    cfg_write(r, BRIDGE, PCI_BRIDGE_CONTROL, 0, 2);
    CHECK_EQ(cfg_read(r, BRIDGE, PCI_SECONDARY_BUS, 1), 1);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 2, 0), PCI_SECONDARY_BUS, 1), 0);
    open_bridge(r, RIG_FN(1, 2, 0), 2, 2, WINDOW);
    CHECK_EQ(cfg_read(r, RIG_FN(2, 3, 0), PCI_COMMAND, 2), 0);
    pci_rig_free(r);
}

TEST(pci_bridge, bridges_and_ports_are_refused_where_they_do_not_belong)
{
    struct rig *r = rig();

    add(r, "pcie-root-port", "rp", "chassis=1,slot=2");
    CHECK_STR(refused(r, "pcie-root-port", "chassis=1,slot=2"),
              "Can't add chassis slot, error -16");
    CHECK_STR(refused(r, "pcie-root-port", "chassis=300"),
              "port and chassis are at most 255, slot is at most 8191");
    CHECK_STR(refused(r, "pcie-root-port", "bus=rp,chassis=2"),
              "pcie-root-port plugs into a root bus, not into 'rp'");
    CHECK_STR(refused(r, "x3130-upstream", NULL),
              "x3130-upstream plugs into a port, not into 'pcie.0'");
    CHECK_STR(refused(r, "xio3130-downstream", NULL),
              "xio3130-downstream plugs into an x3130-upstream, not into 'pcie.0'");
    CHECK_STR(refused(r, "pci-bridge", NULL),
              "Bridge chassis not specified. Each bridge is required to be assigned a unique "
              "chassis id > 0.");
    CHECK_STR(refused(r, "virtio-rng-pci", "bus=rp,addr=1"),
              "PCI: slot 1 is not valid for virtio-rng-pci, parent device only allows plugging "
              "into slot 0.");
    add(r, "virtio-rng-pci", "rng", "bus=rp");
    CHECK_STR(refused(r, "virtio-rng-pci", "bus=rp"),
              "PCI: no slot/function available for virtio-rng-pci, all in use or reserved");
    CHECK_STR(refused(r, "pxb-pcie", NULL), "bus_nr is from 1 to 255, not 0");
    add(r, "pcie-pci-bridge", "pb", NULL);
    CHECK_STR(refused(r, "pcie-pci-bridge", "bus=pb"),
              "PCI: pcie-pci-bridge is a PCI Express device; bus 'pb' is conventional");
    CHECK_STR(refused(r, "pcie-root-port", "chassis=9,pref32-reserve=1M,pref64-reserve=1M"),
              "PCI resource reserve cap: PREF32 and PREF64 cannot be set together");
    CHECK(!bus_find(r->m, "pcie.1")); /* of the last one */
    pci_rig_free(r);
}

TEST(pci_bridge, a_switch_leads_to_devices_and_an_expander_has_a_bus_of_its_own)
{
    struct rig *r = rig();

    add(r, "pcie-root-port", "rp", "chassis=1,addr=1");
    add(r, "x3130-upstream", "up", "bus=rp");
    add(r, "xio3130-downstream", "d0", "bus=up,chassis=2");
    add(r, "xio3130-downstream", "d1", "bus=up,chassis=3");
    add(r, "virtio-rng-pci", "rng", "bus=d1");
    add(r, "pxb-pcie", "pxb", "bus_nr=40");
    add(r, "pcie-root-port", "rp40", "bus=pxb,chassis=4");
    machine_reset(r->m);
    cfg_write(r, BRIDGE, PCI_PRIMARY_BUS, 0x040100, 4);
    cfg_write(r, RIG_FN(1, 0, 0), PCI_PRIMARY_BUS, 0x040201, 4);
    cfg_write(r, RIG_FN(2, 1, 0), PCI_PRIMARY_BUS, 0x040402, 4);
    CHECK_EQ(cfg_read(r, RIG_FN(4, 0, 0), 0, 2), 0x1af4);
    CHECK_EQ(cfg_read(r, RIG_FN(2, 0, 0), 0, 4), 0x8233104c);
    CHECK_EQ(cfg_read(r, RIG_FN(40, 0, 0), 0, 4), 0x000c1b36);
    CHECK(cfg_cap(r, RIG_FN(4, 0, 0), PCI_CAP_EXP));
    pci_rig_free(r);
}

/* Slots ---------------------------------------------------------------------------------------- */

enum { EXP = 0x54, MSIX = 0x48, PORT_TABLE = RIG_PCI_MEM };

static unsigned slot_status(struct rig *r)
{
    return cfg_read(r, BRIDGE, EXP + PCIE_SLTSTA, 2);
}

static void clear_status(struct rig *r)
{
    cfg_write(r, BRIDGE, EXP + PCIE_SLTSTA, PCIE_SLTSTA_EVENTS, 2);
}

static void slot_control(struct rig *r, unsigned v)
{
    cfg_write(r, BRIDGE, EXP + PCIE_SLTCTL, v, 2);
}

enum {
    EVENTS_ON = PCIE_SLTCTL_HPIE | PCIE_SLT_ATTN | PCIE_SLT_PRESENCE | PCIE_SLTCTL_LINK,
    POWER_ON = PCIE_SLTCTL_POWER_IND_ON | 0xc0,
    POWER_OFF = PCIE_SLTCTL_POWER_OFF | PCIE_SLTCTL_POWER_IND_OFF | 0xc0
};

/* A root port with interrupts by MSI-X, as a guest that runs has it. */
static struct rig *slot_rig(const char *device)
{
    struct rig *r = rig();

    add(r, "pcie-root-port", "rp", "chassis=1,addr=1");
    if (device)
        add(r, device, "dev", "bus=rp");
    machine_reset(r->m);
    machine_set_state(r->m, RUN_RUNNING);
    open_bridge(r, BRIDGE, 1, 1, WINDOW);
    cfg_write(r, BRIDGE, PCI_BAR0, PORT_TABLE, 4);
    rig_store(r, PORT_TABLE, RIG_DOORBELL, 4);
    rig_store(r, PORT_TABLE + 8, 0x99, 4);
    rig_store(r, PORT_TABLE + 12, 0, 4);
    cfg_write(r, BRIDGE, MSIX + 2, PCI_MSIX_ENABLE, 2);
    return r;
}

TEST(pcie_slot, an_empty_slot_is_off_and_one_with_a_device_is_on)
{
    struct rig *r = slot_rig(NULL);

    CHECK_EQ(slot_status(r), 0);
    CHECK_EQ(cfg_read(r, BRIDGE, EXP + PCIE_SLTCTL, 2), 0x7c0);
    CHECK_EQ(cfg_read(r, BRIDGE, EXP + PCIE_LNKSTA, 2) & PCIE_LNKSTA_ACTIVE, 0);
    pci_rig_free(r);
    r = slot_rig("virtio-rng-pci");
    CHECK_EQ(slot_status(r), PCIE_SLTSTA_PRESENT);
    CHECK_EQ(cfg_read(r, BRIDGE, EXP + PCIE_SLTCTL, 2), 0x1c0);
    CHECK_EQ(cfg_read(r, BRIDGE, EXP + PCIE_LNKSTA, 2) & PCIE_LNKSTA_ACTIVE, PCIE_LNKSTA_ACTIVE);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 0, 0), 0, 2), 0x1af4);
    pci_rig_free(r);
}

TEST(pcie_slot, a_device_that_comes_is_announced_and_answers_when_it_has_power)
{
    struct rig *r = slot_rig(NULL);

    slot_control(r, EVENTS_ON | POWER_OFF);
    clear_status(r);
    CHECK_EQ(pci_rig.messages, 0);
    add(r, "virtio-rng-pci", "new", "bus=rp");
    CHECK_EQ(pci_rig.messages, 1);
    CHECK_EQ(pci_rig.message[0].data, 0x99);
    CHECK_EQ(slot_status(r), PCIE_SLTSTA_PRESENT | PCIE_SLT_PRESENCE | PCIE_SLT_ATTN);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 0, 0), 0, 2), 0xffff);
    clear_status(r);
    slot_control(r, EVENTS_ON | PCIE_SLTCTL_POWER_IND_BLINK | 0xc0);
    CHECK_EQ(slot_status(r), PCIE_SLTSTA_PRESENT | PCIE_SLTSTA_LINK | PCIE_SLT_COMMAND);
    CHECK_EQ(pci_rig.messages, 2);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 0, 0), 0, 2), 0x1af4);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 0, 0), PCI_CLASS_DEVICE, 2), 0xff);
    slot_control(r, EVENTS_ON | POWER_ON);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 0, 0), 0, 2), 0x1af4);
    pci_rig_free(r);
}

TEST(pcie_slot, commands_tell_when_they_are_done)
{
    struct rig *r = slot_rig(NULL);

    slot_control(r, PCIE_SLTCTL_HPIE | PCIE_SLT_COMMAND | POWER_OFF);
    CHECK_EQ(slot_status(r), PCIE_SLT_COMMAND);
    CHECK_EQ(pci_rig.messages, 1);
    clear_status(r);
    CHECK_EQ(slot_status(r), 0);
    slot_control(r, PCIE_SLTCTL_HPIE | PCIE_SLT_COMMAND | POWER_OFF);
    CHECK_EQ(pci_rig.messages, 2);
    pci_rig_free(r);
}

TEST(pcie_slot, a_device_goes_when_the_guest_has_switched_it_off)
{
    struct rig *r = slot_rig("virtio-rng-pci");
    struct err e = {0};

    slot_control(r, EVENTS_ON | POWER_ON);
    clear_status(r);
    CHECK_EQ(dev_unplug(dev_find(r->m, "dev"), &e), 0);
    CHECK_EQ(slot_status(r), PCIE_SLTSTA_PRESENT | PCIE_SLT_ATTN);
    CHECK_EQ(pci_rig.messages, 1);
    CHECK(dev_find(r->m, "dev"));
    clear_status(r);
    slot_control(r, EVENTS_ON | PCIE_SLTCTL_POWER_IND_BLINK | 0xc0);
    CHECK(dev_find(r->m, "dev"));
    slot_control(r, EVENTS_ON | PCIE_SLTCTL_POWER_IND_BLINK | 0xc0 | PCIE_SLTCTL_POWER_OFF);
    CHECK(dev_find(r->m, "dev"));
    CHECK_EQ(cfg_read(r, RIG_FN(1, 0, 0), 0, 2), 0xffff);
    slot_control(r, EVENTS_ON | POWER_OFF);
    CHECK(!dev_find(r->m, "dev"));
    CHECK_EQ(slot_status(r) & PCIE_SLTSTA_PRESENT, 0);
    pci_rig_free(r);
}

TEST(pcie_slot, while_the_indicator_blinks_the_guest_is_busy)
{
    struct rig *r = slot_rig("virtio-rng-pci");
    struct err e = {0};

    slot_control(r, EVENTS_ON | PCIE_SLTCTL_POWER_IND_BLINK | 0xc0);
    CHECK(dev_unplug(dev_find(r->m, "dev"), &e) < 0);
    CHECK_STR(e.msg, "Hot-unplug failed: guest is busy (power indicator blinking)");
    slot_control(r, EVENTS_ON | POWER_ON);
    CHECK_EQ(dev_unplug(dev_find(r->m, "dev"), ERR_IGNORE), 0);
    pci_rig_free(r);
}

TEST(pcie_slot, functions_come_and_go_together)
{
    struct rig *r = slot_rig(NULL);
    struct err e = {0};

    slot_control(r, EVENTS_ON | POWER_OFF);
    clear_status(r);
    add(r, "virtio-rng-pci", "f1", "bus=rp,addr=0.1");
    CHECK_EQ(pci_rig.messages, 0);
    add(r, "virtio-rng-pci", "f0", "bus=rp,addr=0.0,multifunction=on");
    CHECK_EQ(pci_rig.messages, 1);
    slot_control(r, EVENTS_ON | POWER_ON);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 0, 1), 0, 2), 0x1af4);
    slot_control(r, EVENTS_ON | POWER_OFF);
    CHECK(!dev_find(r->m, "f0") && !dev_find(r->m, "f1"));
    add(r, "virtio-rng-pci", "f0", "bus=rp"); /* switched off: it may go at once */
    CHECK_EQ(dev_unplug(dev_find(r->m, "f0"), &e), 0);
    CHECK(!dev_find(r->m, "f0"));
    pci_rig_free(r);
}

TEST(pcie_slot, without_messages_intx_is_the_level_of_the_events)
{
    struct rig *r = slot_rig("virtio-rng-pci");

    cfg_write(r, BRIDGE, MSIX + 2, 0, 2);
    slot_control(r, EVENTS_ON | POWER_ON);
    clear_status(r);
    CHECK(!pci_rig.line[1].level);
    CHECK_EQ(dev_unplug(dev_find(r->m, "dev"), ERR_IGNORE), 0);
    CHECK(pci_rig.line[1].level);
    cfg_write(r, BRIDGE, MSIX + 2, PCI_MSIX_ENABLE, 2); /* the condition holds: it is sent */
    CHECK(!pci_rig.line[1].level);
    CHECK_EQ(pci_rig.messages, 1);
    cfg_write(r, BRIDGE, MSIX + 2, 0, 2);
    CHECK(pci_rig.line[1].level);
    clear_status(r);
    CHECK(!pci_rig.line[1].level);
    pci_rig_free(r);
}

TEST(pcie_slot, a_port_that_says_no_to_hotplug_has_none)
{
    struct rig *r = rig();

    add(r, "pcie-root-port", "rp", "chassis=1,addr=1,hotplug=off");
    add(r, "virtio-rng-pci", "dev", "bus=rp");
    add(r, "pcie-root-port", "rp2", "chassis=2,hotplug=off");
    machine_reset(r->m);
    machine_set_state(r->m, RUN_RUNNING);
    cfg_write(r, BRIDGE, PCI_PRIMARY_BUS, 0x010100, 4);
    CHECK_EQ(cfg_read(r, BRIDGE, EXP + PCIE_SLTCAP, 4), 0);
    CHECK_EQ(cfg_read(r, RIG_FN(1, 0, 0), 0, 2), 0x1af4);
    CHECK(dev_unplug(dev_find(r->m, "dev"), ERR_IGNORE) < 0);
    CHECK_STR(refused(r, "virtio-rng-pci", "bus=rp2"), "Bus 'rp2' does not support hotplugging");
    pci_rig_free(r);
}

static void port_and_device(struct rig *r)
{
    struct err e = {0};

    pci_rig_before(r);
    machine_lock(r->m);
    CHECK(dev_add(r->m, "pcie-root-port", "rp", "chassis=1,addr=1", &e));
    machine_unlock(r->m);
}

TEST(pcie_slot, saved_state_brings_bridge_and_slot_back)
{
    struct rig *r = rig_with("virtio-rng-pci", "bus=rp", port_and_device);

    open_bridge(r, BRIDGE, 1, 1, WINDOW);
    slot_control(r, EVENTS_ON | POWER_ON);
    cfg_write(r, RIG_FN(1, 0, 0), PCI_BAR0 + 4, WINDOW, 4);
    cfg_enable(r, RIG_FN(1, 0, 0));
    rig_store(r, WINDOW + 8, 0x4321, 4);
    rig_save_load(r);
    CHECK_EQ(rig_load(r, WINDOW + 8, 4), 0x4321);
    CHECK_EQ(slot_status(r), PCIE_SLTSTA_PRESENT | PCIE_SLT_COMMAND);
    CHECK_EQ(cfg_read(r, BRIDGE, EXP + PCIE_SLTCTL, 2), EVENTS_ON | POWER_ON);
    rig_free(r);
}

TEST(pcie_slot, hostile_saved_state_breaks_nothing)
{
    struct rig *r = rig_with("pci-bridge", "chassis_nr=1", pci_rig_before);

    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(pci_bridge, configuration_goes_down_by_bus_number),
    CASE(pci_bridge, memory_is_seen_through_the_window_only),
    CASE(pci_bridge, ports_are_seen_through_the_window_only),
    CASE(pci_bridge, pins_turn_by_slot_at_each_bridge),
    CASE(pci_bridge, a_reset_of_the_secondary_bus_resets_what_is_behind),
    CASE(pci_bridge, bridges_and_ports_are_refused_where_they_do_not_belong),
    CASE(pci_bridge, a_switch_leads_to_devices_and_an_expander_has_a_bus_of_its_own),
    CASE(pcie_slot, an_empty_slot_is_off_and_one_with_a_device_is_on),
    CASE(pcie_slot, a_device_that_comes_is_announced_and_answers_when_it_has_power),
    CASE(pcie_slot, commands_tell_when_they_are_done),
    CASE(pcie_slot, a_device_goes_when_the_guest_has_switched_it_off),
    CASE(pcie_slot, while_the_indicator_blinks_the_guest_is_busy),
    CASE(pcie_slot, functions_come_and_go_together),
    CASE(pcie_slot, without_messages_intx_is_the_level_of_the_events),
    CASE(pcie_slot, a_port_that_says_no_to_hotplug_has_none),
    CASE(pcie_slot, saved_state_brings_bridge_and_slot_back),
    CASE_SLOW(pcie_slot, hostile_saved_state_breaks_nothing, 60),
};
TEST_MAIN(tests)
