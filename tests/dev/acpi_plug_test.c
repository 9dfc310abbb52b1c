/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What comes and goes by ACPI: the registers of CPU, PCI and memory hotplug, beside a PIIX4's events. */
#include "dev/acpi/cpu_hotplug.h"
#include "dev/acpi/memory_hotplug.h"
#include "dev/acpi/pci_hotplug.h"
#include "dev/pc/south.h"
#include "tests/dev/pc_rig.h"

#include <errno.h>

enum { CPUS = 4, CPU_PORT = 0xaf00, PCI_PORT = 0xae00, GPE = 0xafe0, MEM_PORT = 0xa00, MEM_SLOTS = 3, MODULE = 2 << 20 };
#define MEM_AT UINT64_C(0x100000000)

static struct {
    struct cpu_slot slot[CPUS];
    struct dev *cpu, *pci;
    int gone;
} plug;

/* A CPU as the test's board has it. */
struct test_cpu {
    struct dev dev;
    uint64_t slot;
};

static int cpu_init(struct dev *d, struct err *e)
{
    cpu_hotplug_insert(plug.cpu, ((struct test_cpu *)d)->slot, d);
    return 0;
}

static const struct field cpu_props[] = {
    FIELD(test_cpu, slot, F_U64, "slot", "0", NULL),
    FIELD_END,
};

static const struct dev_type cpu_type = {
    .name = "test-cpu", .class = DEV_CPU, .bus = "cpu", .size = sizeof(struct test_cpu), .props = cpu_props, .init = cpu_init};

static void gone(void *opaque, unsigned slot)
{
    plug.gone = (int)slot;
}

static void before(struct rig *r)
{
    static const struct cpu_plug ops = {.type = "test-cpu", .gone = gone};
    struct err e = {0};

    pc_rig_before(r);
    memset(&plug, 0, sizeof(plug));
    plug.gone = -1;
    machine_lock(r->m);
    machine_add_type(r->m, &cpu_type);
    for (unsigned i = 0; i < CPUS; i++)
        plug.slot[i] = (struct cpu_slot){.core = i, .arch_id = UINT64_C(0x500000010) + i, .present = i < 2};
    if (!dev_add(r->m, "PIIX4_PM", NULL, "addr=1.3", &e) || !(plug.cpu = dev_add(r->m, "acpi-cpu-hotplug", NULL, NULL, &e))) {
        printf("%s\n", e.msg);
        exit(TEST_FAILED);
    }
    cpu_hotplug_start(plug.cpu, plug.slot, CPUS, &ops, NULL);
    mem_add(machine_io_mem(r->m), CPU_PORT, &plug.cpu->mmio, 0);
    machine_unlock(r->m);
}

static struct rig *rig(void)
{
    struct rig *r = rig_with("acpi-pci-hotplug", NULL, before);

    machine_lock(r->m);
    pci_hotplug_start(r->dev, &pc_host_of(pc_rig.host)->bus, true);
    mem_remove(&r->dev->mmio); /* where the rig has it */
    mem_add(machine_io_mem(r->m), PCI_PORT, &r->dev->mmio, 0);
    machine_unlock(r->m);
    return r;
}

static struct dev *add(struct rig *r, const char *type, const char *props)
{
    struct err e = {0};
    struct dev *d;

    machine_lock(r->m);
    d = dev_add(r->m, type, NULL, props, &e);
    machine_unlock(r->m);
    if (!d)
        printf("%s: %s\n", type, e.msg);
    CHECK(d);
    return d;
}

static int del(struct rig *r, struct dev *d)
{
    struct err e = {0};
    int v;

    machine_lock(r->m);
    v = dev_unplug(d, &e);
    machine_unlock(r->m);
    return v;
}

static const char *refused(struct rig *r, const char *type, const char *props)
{
    static struct err e;

    e = (struct err){0};
    machine_lock(r->m);
    CHECK(!dev_add(r->m, type, NULL, props, &e));
    machine_unlock(r->m);
    return e.msg;
}

static uint8_t take_events(struct rig *r)
{
    uint8_t v = pc_in(r, GPE, 1);

    pc_out(r, GPE, v, 1);
    return v;
}

TEST(cpu_hotplug, guests_enumerate_what_there_is)
{
    struct rig *r = rig();

    for (unsigned i = 0; i < CPUS; i++) {
        pc_out(r, CPU_PORT, i, 4);
        pc_out(r, CPU_PORT + 5, 0, 1);
        CHECK_EQ(pc_in(r, CPU_PORT, 4), 0); /* the modern interface */
        CHECK_EQ(pc_in(r, CPU_PORT + 4, 1), i < 2);
        CHECK_EQ(pc_in(r, CPU_PORT + 8, 4), i);
        pc_out(r, CPU_PORT + 5, 3, 1);
        CHECK_EQ(pc_in(r, CPU_PORT + 8, 4), 0x10 + i);
        CHECK_EQ(pc_in(r, CPU_PORT, 4), 5);
    }
    pc_out(r, CPU_PORT, CPUS, 4); /* past the end */
    CHECK_EQ(pc_in(r, CPU_PORT + 8, 4), 0);
    pc_out(r, CPU_PORT + 5, 0, 1);
    pc_out(r, CPU_PORT + 4, 0xff, 1);
    CHECK_EQ(pc_in(r, CPU_PORT + 4, 1), 0);
    rig_free(r);
}

TEST(cpu_hotplug, one_comes_and_goes)
{
    struct rig *r = rig();
    struct dev *d = add(r, "test-cpu", "slot=3");

    CHECK_EQ(take_events(r), 1 << GPE_CPU);
    pc_out(r, CPU_PORT, 0, 4);
    pc_out(r, CPU_PORT + 5, 0, 1);
    CHECK_EQ(pc_in(r, CPU_PORT + 8, 4), 3);
    CHECK_EQ(pc_in(r, CPU_PORT + 4, 1), 3);
    pc_out(r, CPU_PORT + 4, 2, 1); /* noted */
    CHECK_EQ(pc_in(r, CPU_PORT + 4, 1), 1);
    CHECK_EQ(del(r, d), 0);
    CHECK_EQ(take_events(r), 1 << GPE_CPU);
    CHECK_EQ(del(r, d), -EBUSY);
    CHECK_EQ(pc_in(r, CPU_PORT + 4, 1), 5);
    pc_out(r, CPU_PORT + 4, 4, 1);
    pc_out(r, CPU_PORT + 5, 1, 1); /* the guest refuses: OST */
    pc_out(r, CPU_PORT + 8, 3, 4);
    pc_out(r, CPU_PORT + 5, 2, 1);
    pc_out(r, CPU_PORT + 8, 0x81, 4);
    CHECK_EQ(del(r, d), 0); /* and may be asked again */
    pc_out(r, CPU_PORT + 4, 8, 1);
    CHECK_EQ(plug.gone, 3);
    CHECK_EQ(pc_in(r, CPU_PORT + 4, 1), 0);
    pc_out(r, CPU_PORT, 1, 4);
    pc_out(r, CPU_PORT + 4, 8, 1); /* the board's own stay */
    CHECK_EQ(pc_in(r, CPU_PORT + 4, 1), 1);
    rig_free(r);
}

TEST(pci_hotplug, a_device_comes_and_goes)
{
    struct rig *r = rig();
    struct dev *d = add(r, "pvpanic-pci", "addr=6,acpi-index=77");

    CHECK_EQ(take_events(r), 1 << GPE_PCI);
    CHECK_EQ(pc_in(r, PCI_PORT, 4), 1 << 6);
    CHECK_EQ(pc_in(r, PCI_PORT, 4), 0); /* told once */
    CHECK_EQ(pc_in(r, PCI_PORT + 12, 4), 0xfffffffc); /* not 0 and not PIIX4's */
    pc_out(r, PCI_PORT + 20, 1 << 6, 4);
    CHECK_EQ(pc_in(r, PCI_PORT + 20, 4), 77);
    pc_out(r, PCI_PORT + 16, 1, 4); /* a bus that there is not */
    CHECK_EQ(pc_in(r, PCI_PORT + 12, 4), 0);
    pc_out(r, PCI_PORT + 8, 1 << 6, 4);
    pc_out(r, PCI_PORT + 16, 0, 4);
    CHECK_EQ(pc_cfg_read(r, 6 << 3, 0, 4), 0x00111b36);
    CHECK_EQ(del(r, d), 0);
    CHECK_EQ(take_events(r), 1 << GPE_PCI);
    CHECK_EQ(pc_in(r, PCI_PORT + 4, 4), 1 << 6);
    pc_out(r, PCI_PORT + 8, 1 << 1, 4); /* which cannot go */
    CHECK_EQ(pc_cfg_read(r, 11, 0, 2), 0x8086);
    pc_out(r, PCI_PORT + 8, 1 << 6, 4);
    CHECK_EQ(pc_cfg_read(r, 6 << 3, 0, 4), 0xffffffff);
    CHECK_EQ(pc_in(r, PCI_PORT + 4, 4), 0);
    rig_free(r);
}

/* Buses behind bridges have numbers, in the order in which they are found; a bridge stays if it came before the start. */
TEST(pci_hotplug, behind_a_bridge_too)
{
    struct rig *r = rig();
    struct dev *bridge = add(r, "pci-bridge", "id=b1,addr=5,chassis_nr=1"), *d;

    rig_reset(r);
    bridge->hotplugged = false; /* as if it had been there before the machine */
    add(r, "pci-bridge", "id=b2,addr=7,chassis_nr=2"); /* has no slots before the next reset */
    take_events(r);
    CHECK_STR(refused(r, "pvpanic-pci", "bus=b2"), "Bus 'b2' does not support hotplugging");
    d = add(r, "pvpanic-pci", "bus=b1,addr=9");
    CHECK_EQ(take_events(r), 1 << GPE_PCI);
    pc_out(r, PCI_PORT + 16, 1, 4);
    CHECK_EQ(pc_in(r, PCI_PORT + 12, 4), 0xffffffff);
    CHECK_EQ(pc_in(r, PCI_PORT, 4), 1 << 9);
    CHECK_EQ(del(r, d), 0);
    CHECK_EQ(del(r, bridge), -ENOTSUP);
    bridge->hotplugged = true; /* as one that came later, and was there at a reset */
    CHECK_EQ(del(r, bridge), 0);
    pc_out(r, PCI_PORT + 16, 0, 4);
    pc_out(r, PCI_PORT + 8, 1 << 5, 4);
    pc_out(r, PCI_PORT + 16, 1, 4);
    CHECK_EQ(pc_in(r, PCI_PORT + 12, 4), 0); /* with it goes the bus behind it */
    rig_hostile(r);
    rig_free(r);
}

/* A multi-function device is complete, and told of, when function 0 is there. */
TEST(pci_hotplug, functions_come_before_function_0)
{
    struct rig *r = rig();

    add(r, "pvpanic-pci", "addr=6.1");
    CHECK_EQ(take_events(r), 0);
    add(r, "pvpanic-pci", "addr=6.0,multifunction=on");
    CHECK_EQ(take_events(r), 1 << GPE_PCI);
    pc_out(r, PCI_PORT + 8, 1 << 6, 4);
    CHECK_EQ(pc_cfg_read(r, 6 << 3 | 1, 0, 4), 0xffffffff);
    rig_hostile(r);
    rig_free(r);
}

/* --- Memory --------------------------------------------------------------------------------- */

/* Three slots, 6 MiB of room, of which 4 MiB may be used; back ends m0 to m2 of 2 MiB each, and a small one. */
static void memory_before(struct rig *r)
{
    static const char *const names[] = {"m0", "m1", "m2", "small"};

    before(r);
    machine_lock(r->m);
    for (unsigned i = 0; i < 4; i++)
        machine_add_backend(r->m, "memory-backend", names[i], ram_new(r->m, names[i], i < 3 ? MODULE : 4096, ERR_IGNORE), ERR_IGNORE);
    machine_unlock(r->m);
}

static struct rig *memory_rig(void)
{
    struct rig *r = rig_with("acpi-memory-hotplug", NULL, memory_before);

    machine_lock(r->m);
    memory_hotplug_start(r->dev, MEM_AT, 3 * MODULE, 2 * MODULE, MEM_SLOTS, 2);
    mem_remove(&r->dev->mmio);
    mem_add(machine_io_mem(r->m), MEM_PORT, &r->dev->mmio, 0);
    machine_unlock(r->m);
    return r;
}

static void select_slot(struct rig *r, unsigned n)
{
    pc_out(r, MEM_PORT, n, 4);
}

TEST(memory_hotplug, a_module_comes_and_goes)
{
    struct rig *r = memory_rig();
    struct dev *d = add(r, "pc-dimm", "memdev=m0,slot=1,node=1,addr=0x100200000");
    struct memory_module mod;

    CHECK_EQ(take_events(r), 1 << GPE_MEMORY);
    rig_store(r, MEM_AT + MODULE + 8, 0x1234, 8);
    CHECK_EQ(rig_load(r, MEM_AT + MODULE + 8, 8), 0x1234);
    select_slot(r, 0);
    CHECK_EQ(pc_in(r, MEM_PORT + 20, 1), 0);
    select_slot(r, 1);
    CHECK_EQ(pc_in(r, MEM_PORT + 20, 1), 3); /* there, and new */
    CHECK_EQ(pc_in(r, MEM_PORT, 4), MODULE);
    CHECK_EQ(pc_in(r, MEM_PORT + 4, 4), 1);
    CHECK_EQ(pc_in(r, MEM_PORT + 8, 4), MODULE);
    CHECK_EQ(pc_in(r, MEM_PORT + 12, 4), 0);
    CHECK_EQ(pc_in(r, MEM_PORT + 16, 4), 1);
    pc_out(r, MEM_PORT + 20, 2, 1);
    CHECK_EQ(pc_in(r, MEM_PORT + 20, 1), 1);
    CHECK(memory_hotplug_module(r->dev, 1, &mod));
    CHECK_EQ(mod.at, MEM_AT + MODULE);
    CHECK_EQ(del(r, d), 0);
    CHECK_EQ(take_events(r), 1 << GPE_MEMORY);
    CHECK_EQ(pc_in(r, MEM_PORT + 20, 1), 5);
    CHECK_EQ(del(r, d), -EBUSY);
    pc_out(r, MEM_PORT + 4, 3, 4); /* the guest refuses */
    pc_out(r, MEM_PORT + 8, 0x81, 4);
    CHECK_EQ(del(r, d), 0);
    pc_out(r, MEM_PORT + 20, 8, 1); /* and lets go */
    CHECK_EQ(pc_in(r, MEM_PORT + 20, 1), 0);
    CHECK(!memory_hotplug_module(r->dev, 1, &mod));
    select_slot(r, MEM_SLOTS);
    pc_out(r, MEM_PORT + 20, 0xff, 1);
    CHECK_EQ(pc_in(r, MEM_PORT + 20, 1), 0);
    add(r, "pc-dimm", "memdev=m0"); /* what it held was free again */
    CHECK_EQ(rig_load(r, MEM_AT + 8, 8), 0x1234);
    rig_free(r);
}

TEST(memory_hotplug, what_does_not_fit_is_refused)
{
    struct rig *r = memory_rig();

    CHECK_STR(refused(r, "pc-dimm", NULL), "'memdev' property is not set");
    CHECK_STR(refused(r, "pc-dimm", "memdev=no"), "Device 'no' not found");
    CHECK_STR(refused(r, "pc-dimm", "memdev=small"), "backend memory size must be aligned to 0x200000 bytes");
    CHECK_STR(refused(r, "pc-dimm", "memdev=m0,addr=0x100001000"), "address must be aligned to 0x200000 bytes");
    CHECK_STR(refused(r, "pc-dimm", "memdev=m0,addr=0x100600000"),
              "can't add memory device [0x100600000:0x200000], usable range for memory devices [0x100000000:0x600000]");
    CHECK_STR(refused(r, "pc-dimm", "memdev=m0,slot=3"), "invalid slot# 3, should be less than 3");
    CHECK_STR(refused(r, "pc-dimm", "memdev=m0,node=2"), "'DIMM property node has value 2' which exceeds the number of numa nodes: 2");
    add(r, "pc-dimm", "id=d0,memdev=m0,addr=0x100000000");
    CHECK_STR(refused(r, "pc-dimm", "memdev=m0"), "can't use already busy memdev: m0");
    CHECK_STR(refused(r, "pc-dimm", "memdev=m1,slot=0"), "slot 0 is busy");
    CHECK_STR(refused(r, "pc-dimm", "memdev=m1,addr=0x100000000"), "address range conflicts with memory device id='d0'");
    add(r, "pc-dimm", "memdev=m1"); /* behind it */
    CHECK_EQ(rig_load(r, MEM_AT + MODULE, 4), 0);
    CHECK_STR(refused(r, "pc-dimm", "memdev=m2"), "not enough space, currently 0x400000 in use of total space for memory devices 0x400000");
    rig_free(r);
}

TEST(memory_hotplug, nothing_a_stream_says_hurts)
{
    struct rig *r = rig_with("acpi-memory-hotplug", NULL, before);

    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(cpu_hotplug, guests_enumerate_what_there_is),
    CASE(cpu_hotplug, one_comes_and_goes),
    CASE(pci_hotplug, a_device_comes_and_goes),
    CASE(pci_hotplug, behind_a_bridge_too),
    CASE(pci_hotplug, functions_come_before_function_0),
    CASE(memory_hotplug, a_module_comes_and_goes),
    CASE(memory_hotplug, what_does_not_fit_is_refused),
    CASE_SLOW(memory_hotplug, nothing_a_stream_says_hurts, 60),
};
TEST_MAIN(tests)
