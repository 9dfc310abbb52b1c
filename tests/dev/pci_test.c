/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCI core: configuration space, BARs, interrupts, DMA, addresses, saved state; with a device of the test's own. */
#include "tests/dev/pci_rig.h"

#include "base/bytes.h"
#include "dev/devices.h"
#include "dev/pci/pci.h"

#include <errno.h>

/* A device with all kinds of BARs, both kinds of messages, power management and function-level reset. */
struct thing {
    struct pci_dev pci;
    struct mem small, ports, large;
    uint8_t reg;
    unsigned resets;
};

static uint64_t thing_read(void *opaque, paddr off, struct access a)
{
    return ((struct thing *)opaque)->reg + off;
}

static void thing_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    ((struct thing *)opaque)->reg = (uint8_t)v;
}

static const struct mmio_ops thing_ops = {.read = thing_read, .write = thing_write, 1, 1};

static int thing_init(struct dev *dev, struct err *e)
{
    struct thing *t = (struct thing *)dev;

    mem_init_mmio(&t->small, "small", 4096, &thing_ops, t);
    mem_init_mmio(&t->ports, "ports", 32, &thing_ops, t);
    mem_init_mmio(&t->large, "large", 1 << 20, &thing_ops, t);
    pci_add_bar(&t->pci, 0, 0, &t->small);
    pci_add_bar(&t->pci, 1, PCI_BAR_IO, &t->ports);
    pci_add_bar(&t->pci, 2, PCI_BAR_64 | PCI_BAR_PREFETCH, &t->large);
    msix_add_bar(&t->pci, 0x40, 40, 4);
    msi_add(&t->pci, 0x50, 4, true);
    pci_add_pm(&t->pci, 0x70);
    pcie_add_endpoint(&t->pci, 0x80, true);
    pci_pin(&t->pci, 1);
    return 0;
}

static void thing_reset(struct dev *dev)
{
    struct thing *t = (struct thing *)dev;

    pci_dev_reset(&t->pci);
    t->reg = 0;
    t->resets++;
}

static int thing_loaded(struct dev *dev, int version, struct err *e)
{
    return pci_dev_loaded(pci_of(dev), e);
}

static void thing_fini(struct dev *dev)
{
    pci_dev_fini(pci_of(dev));
}

static const struct field thing_props[] = {PCI_FIELDS(thing, pci), FIELD_END};
static const struct state thing_state[] = {
    PCI_STATE(thing, pci),
    STATE(thing, reg, S_U8, 1, NULL),
    STATE_END,
};
static const struct pci_type thing_pci = {
    .vendor = 0x1234,
    .device = 0x5678,
    .revision = 9,
    .class = PCI_CLASS_NETWORK_ETHERNET,
    .kind = PCI_HYBRID,
};
static const struct dev_type thing_type = {
    .name = "thing",
    .help = "a device for tests",
    .bus = "pci",
    .size = sizeof(struct thing),
    .props = thing_props,
    .state = thing_state,
    .state_version = 1,
    .init = thing_init,
    .reset = thing_reset,
    .loaded = thing_loaded,
    .fini = thing_fini,
    .class_ops = &thing_pci,
};

/* A rig whose machine has our type, too. */
static struct rig *rig_with_things(void)
{
    static const struct dev_type *types[512] = {&thing_type};
    struct rig *r = calloc(1, sizeof(*r));

    for (unsigned n = 0; dev_types()[n] && n < 500; n++)
        types[n + 1] = dev_types()[n];
    r->m = machine_new(types, NULL);
    r->ram = ram_new(r->m, "rig.ram", RIG_RAM_SIZE, ERR_IGNORE);
    mem_init_ram(&r->ram_mem, "rig.ram", r->ram, 0, RIG_RAM_SIZE);
    mem_add(machine_mem(r->m), RIG_RAM, &r->ram_mem, 0);
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

static struct thing *one_thing(struct rig *r, const char *props)
{
    struct thing *t = (struct thing *)add(r, "thing", "t", props);

    machine_reset(r->m);
    return t;
}

enum { FN = RIG_FN(0, 3, 0) };

TEST(pci, header_says_what_the_type_says_and_cannot_be_changed)
{
    struct rig *r = rig_with_things();

    one_thing(r, "addr=3");
    CHECK_EQ(cfg_read(r, FN, PCI_VENDOR_ID, 4), 0x56781234);
    CHECK_EQ(cfg_read(r, FN, PCI_REVISION_ID, 4), 0x02000009);
    CHECK_EQ(cfg_read(r, FN, PCI_SUBSYSTEM_VENDOR_ID, 4), 0x11001af4);
    cfg_write(r, FN, PCI_VENDOR_ID, 0xffffffff, 4);
    cfg_write(r, FN, PCI_REVISION_ID, 0, 4);
    CHECK_EQ(cfg_read(r, FN, PCI_VENDOR_ID, 4), 0x56781234);
    CHECK_EQ(cfg_read(r, FN, PCI_REVISION_ID, 4), 0x02000009);
    cfg_write(r, FN, PCI_COMMAND, 0xffff, 2);
    CHECK_EQ(cfg_read(r, FN, PCI_COMMAND, 2), 0x547);
    CHECK_EQ(cfg_read(r, RIG_FN(0, 4, 0), PCI_VENDOR_ID, 4), 0xffffffff); /* nobody */
    CHECK_EQ(cfg_read(r, RIG_FN(9, 3, 0), PCI_VENDOR_ID, 2), 0xffff);
    CHECK_EQ(cfg_read(r, FN, 0x100, 4), 0); /* Express: extended space is there, and empty */
    pci_rig_free(r);
}

TEST(pci, bars_tell_their_size_and_appear_where_they_are_put)
{
    struct rig *r = rig_with_things();

    one_thing(r, "addr=3");
    cfg_write(r, FN, PCI_BAR0, 0xffffffff, 4);
    cfg_write(r, FN, PCI_BAR0 + 4, 0xffffffff, 4);
    cfg_write(r, FN, PCI_BAR0 + 8, 0xffffffff, 4);
    cfg_write(r, FN, PCI_BAR0 + 12, 0xffffffff, 4);
    CHECK_EQ(cfg_read(r, FN, PCI_BAR0, 4), 0xfffff000);
    CHECK_EQ(cfg_read(r, FN, PCI_BAR0 + 4, 4), 0xffffffe1);
    CHECK_EQ(cfg_read(r, FN, PCI_BAR0 + 8, 4), 0xfff0000c);
    CHECK_EQ(cfg_read(r, FN, PCI_BAR0 + 12, 4), 0xffffffff);

    cfg_write(r, FN, PCI_BAR0, RIG_PCI_MEM + 0x5000, 4);
    cfg_write(r, FN, PCI_BAR0 + 4, 0x1000, 4);
    cfg_write(r, FN, PCI_BAR0 + 8, 0x00200000, 4);
    cfg_write(r, FN, PCI_BAR0 + 12, 0x80, 4);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x5000, 1), 0xff); /* not decoded yet */
    cfg_enable(r, FN);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x5004, 1), 4);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x1003, 1), 3);
    CHECK_EQ(rig_load(r, RIG_PCI_HIGH + 0x200002, 1), 2);
    cfg_write(r, FN, PCI_BAR0, RIG_PCI_MEM + 0x7000, 4);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x5004, 1), 0xff);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x7004, 1), 4);
    cfg_write(r, FN, PCI_COMMAND, PCI_COMMAND_IO, 2);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x7004, 1), 0xff);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x1003, 1), 3);
    cfg_write(r, FN, 0x74, 3, 2); /* D3hot */
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x1003, 1), 0xff);
    pci_rig_free(r);
}

enum { TABLE = RIG_PCI_MEM + 0x10000, DOORBELL = 0x08020000 };

static void set_vector(struct rig *r, unsigned v, uint32_t data, bool masked)
{
    rig_store(r, TABLE + v * 16, DOORBELL, 4);
    rig_store(r, TABLE + v * 16 + 4, 0, 4);
    rig_store(r, TABLE + v * 16 + 8, data, 4);
    rig_store(r, TABLE + v * 16 + 12, masked, 4);
}

static struct thing *thing_with_msix(struct rig *r)
{
    struct thing *t = one_thing(r, "addr=3");

    cfg_write(r, FN, PCI_BAR0 + 16, TABLE, 4);
    cfg_enable(r, FN);
    cfg_write(r, FN, 0x42, PCI_MSIX_ENABLE, 2);
    return t;
}

TEST(pci, msix_sends_the_message_of_its_vector_as_the_requester)
{
    struct rig *r = rig_with_things();
    struct thing *t = thing_with_msix(r);

    CHECK_EQ(cfg_read(r, FN, 0x42, 2), PCI_MSIX_ENABLE | 39);
    set_vector(r, 39, 0x77, false);
    msix_notify(&t->pci, 39);
    msix_notify(&t->pci, 40); /* does not exist */
    CHECK_EQ(pci_rig.messages, 1);
    CHECK_EQ(pci_rig.message[0].data, 0x77);
    CHECK_EQ(pci_rig.message[0].who, BUS_PCI(3 << 3));
    cfg_write(r, FN, PCI_COMMAND, PCI_COMMAND_MEMORY, 2); /* messages are writes of a master */
    msix_notify(&t->pci, 39);
    CHECK_EQ(pci_rig.messages, 1);
    pci_rig_free(r);
}

TEST(pci, masked_msix_vectors_wait_until_they_are_unmasked)
{
    struct rig *r = rig_with_things();
    struct thing *t = thing_with_msix(r);
    paddr pba = TABLE + cfg_read(r, FN, 0x48, 4) / 8 * 8;

    set_vector(r, 1, 0x11, true);
    set_vector(r, 2, 0x22, false);
    msix_notify(&t->pci, 1);
    CHECK_EQ(pci_rig.messages, 0);
    CHECK_EQ(rig_load(r, pba, 8), 1 << 1);
    rig_store(r, TABLE + 16 + 12, 0, 4);
    CHECK_EQ(pci_rig.messages, 1);
    CHECK_EQ(rig_load(r, pba, 8), 0);
    cfg_write(r, FN, 0x42, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL, 2);
    msix_notify(&t->pci, 2);
    rig_store(r, pba, 0, 8); /* not writable */
    CHECK_EQ(rig_load(r, pba, 8), 1 << 2);
    CHECK_EQ(pci_rig.messages, 1);
    cfg_write(r, FN, 0x42, PCI_MSIX_ENABLE, 2);
    CHECK_EQ(pci_rig.messages, 2);
    CHECK_EQ(pci_rig.message[1].data, 0x22);
    pci_rig_free(r);
}

TEST(pci, msi_puts_the_vector_into_the_data_and_can_be_masked)
{
    struct rig *r = rig_with_things();
    struct thing *t = one_thing(r, "addr=3");

    cfg_enable(r, FN);
    cfg_write(r, FN, 0x54, DOORBELL, 4);
    cfg_write(r, FN, 0x5c, 0x40, 2);
    msi_notify(&t->pci, 0); /* not enabled */
    CHECK_EQ(pci_rig.messages, 0);
    cfg_write(r, FN, 0x52, PCI_MSI_ENABLE | 2 << 4, 2);
    msi_notify(&t->pci, 3);
    CHECK_EQ(pci_rig.message[0].data, 0x43);
    cfg_write(r, FN, 0x52, PCI_MSI_ENABLE | 1 << 4, 2); /* two of four vectors */
    msi_notify(&t->pci, 3);
    CHECK_EQ(pci_rig.message[1].data, 0x41);
    cfg_write(r, FN, 0x60, 2, 4);
    msi_notify(&t->pci, 1);
    CHECK_EQ(pci_rig.messages, 2);
    CHECK_EQ(cfg_read(r, FN, 0x64, 4), 2);
    cfg_write(r, FN, 0x60, 0, 4);
    CHECK_EQ(pci_rig.messages, 3);
    CHECK_EQ(cfg_read(r, FN, 0x64, 4), 0);
    pci_rig_free(r);
}

TEST(pci, intx_goes_to_the_line_of_slot_and_pin_until_it_is_disabled)
{
    struct rig *r = rig_with_things();
    struct thing *u = (struct thing *)add(r, "thing", "u", "addr=7"); /* the same line */
    struct thing *t = one_thing(r, "addr=3");

    pci_set_irq(&t->pci, true);
    CHECK(pci_rig.line[3].level);
    CHECK_EQ(cfg_read(r, FN, PCI_STATUS, 2) & PCI_STATUS_INTX, PCI_STATUS_INTX);
    pci_set_irq(&u->pci, true);
    pci_set_irq(&t->pci, false);
    CHECK(pci_rig.line[3].level);
    cfg_write(r, RIG_FN(0, 7, 0), PCI_COMMAND, PCI_COMMAND_INTX_OFF, 2);
    CHECK(!pci_rig.line[3].level);
    CHECK_EQ(cfg_read(r, RIG_FN(0, 7, 0), PCI_STATUS, 2) & PCI_STATUS_INTX, PCI_STATUS_INTX);
    cfg_write(r, RIG_FN(0, 7, 0), PCI_COMMAND, 0, 2);
    CHECK(pci_rig.line[3].level);
    cfg_write(r, RIG_FN(0, 7, 0), 0x52, PCI_MSI_ENABLE, 2);
    CHECK(!pci_rig.line[3].level);
    pci_set_irq(&t->pci, true);
    dev_free(&t->pci.dev);
    CHECK(!pci_rig.line[3].level);
    pci_rig_free(r);
}

TEST(pci, dma_needs_bus_mastering)
{
    struct rig *r = rig_with_things();
    struct thing *t = one_thing(r, "addr=3");
    uint32_t v = 0x12345678, w = 1;

    CHECK_EQ(pci_dma_write(&t->pci, RIG_RAM, &v, 4), -EFAULT);
    CHECK_EQ(rig_load(r, RIG_RAM, 4), 0);
    CHECK_EQ(pci_dma_read(&t->pci, RIG_RAM, &w, 4), -EFAULT);
    CHECK_EQ(w, 0);
    cfg_enable(r, FN);
    CHECK_EQ(pci_dma_write(&t->pci, RIG_RAM, &v, 4), 0);
    CHECK_EQ(pci_dma_read(&t->pci, RIG_RAM, &w, 4), 0);
    CHECK_EQ(w, v);
    pci_rig_free(r);
}

TEST(pci, a_function_level_reset_resets_the_function)
{
    struct rig *r = rig_with_things();
    struct thing *t = one_thing(r, "addr=3");
    unsigned before = t->resets;

    cfg_enable(r, FN);
    t->reg = 5;
    cfg_write(r, FN, 0x80 + PCIE_DEVCTL, PCIE_DEVCTL_FLR, 2);
    CHECK_EQ(t->resets, before + 1);
    CHECK_EQ(t->reg, 0);
    CHECK_EQ(cfg_read(r, FN, PCI_COMMAND, 2), 0);
    CHECK_EQ(cfg_read(r, FN, 0x80 + PCIE_DEVCTL, 2), 0);
    pci_rig_free(r);
}

TEST(pci, addresses_are_slot_and_function_and_checked)
{
    struct rig *r = rig_with_things();

    add(r, "thing", "a", "addr=1f.7");
    add(r, "thing", "b", "addr=0x4,multifunction=on");
    add(r, "thing", "c", "addr=04.3");
    add(r, "thing", "d", NULL);
    CHECK_EQ(cfg_read(r, RIG_FN(0, 0x1f, 7), 0, 2), 0x1234);
    CHECK_EQ(cfg_read(r, RIG_FN(0, 4, 3), 0, 2), 0x1234);
    CHECK_EQ(cfg_read(r, RIG_FN(0, 4, 0), PCI_HEADER_TYPE, 1), 0x80);
    CHECK_EQ(cfg_read(r, RIG_FN(0, 1, 0), 0, 2), 0x1234); /* the first that is free */
    CHECK_STR(refused(r, "thing", "addr=20"), "Property 'thing.addr' doesn't take value '20'");
    CHECK_STR(refused(r, "thing", "addr=1.8"), "Property 'thing.addr' doesn't take value '1.8'");
    CHECK_STR(refused(r, "thing", "addr=x"), "Property 'thing.addr' doesn't take value 'x'");
    CHECK_STR(refused(r, "thing", "addr=4.3"),
              "PCI: slot 4 function 3 not available for thing, in use by thing,id=c");
    CHECK_STR(refused(r, "thing", "addr=1.1"),
              "PCI: single function device can't be populated in function 1.1");
    CHECK_STR(refused(r, "thing", "addr=1f.0"),
              "PCI: 1f.0 indicates single function, but 1f.7 is already populated.");
    machine_reset(r->m);
    machine_set_state(r->m, RUN_RUNNING);
    CHECK_STR(refused(r, "thing", NULL), "Bus 'pcie.0' does not support hotplugging");
    pci_rig_free(r);
}

TEST(pci, rom_files_are_shown_behind_the_rom_bar)
{
    struct rig *r = rig_with_things();
    char path[] = "/tmp/pci_test_rom_XXXXXX", props[100];
    uint8_t rom[3000] = {0x55, 0xaa};
    int fd = mkstemp(path);

    rom[0x18] = 0x1c; /* offset of the data structure, for another device */
    memcpy(rom + 0x1c, "PCIR\x86\x80\x0e\x10", 8);
    rom[2999] = 0x99;
    CHECK_EQ(write(fd, rom, sizeof(rom)), sizeof(rom));
    close(fd);
    snprintf(props, sizeof(props), "addr=3,romfile=%s", path);
    CHECK(strstr(refused(r, "thing", "romfile=/nonexistent"), "romfile \"/nonexistent\""));
    one_thing(r, props);
    cfg_write(r, FN, PCI_ROM_ADDRESS, 0xfffffffe, 4);
    CHECK_EQ(cfg_read(r, FN, PCI_ROM_ADDRESS, 4), 0xfffff000);
    cfg_write(r, FN, PCI_ROM_ADDRESS, RIG_PCI_MEM | PCI_ROM_ENABLE, 4);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM, 2), 0xffff);
    cfg_enable(r, FN);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM, 2), 0xaa55);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x20, 4), 0x56781234); /* ids are the device's now */
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 2999, 1), 0x99);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 3000, 1), 0xff);
    rig_store(r, RIG_PCI_MEM, 0, 4);
    CHECK_EQ(rig_load(r, RIG_PCI_MEM, 2), 0xaa55);
    unlink(path);
    pci_rig_free(r);
}

static char shown[4000];

static void show(void *opaque, const char *text)
{
    strcat(strcat(shown, text), "\n");
}

TEST(pci, info_pci_has_the_lines_of_the_reference)
{
    struct rig *r = rig_with_things();

    add(r, "pcie-root-port", "rp1", "chassis=1");
    one_thing(r, "addr=3");
    cfg_write(r, FN, PCI_BAR0, RIG_PCI_MEM, 4);
    cfg_enable(r, FN);
    pci_print(r->m, show, NULL);
    CHECK_STR(shown, "  Bus  0, device   0, function 0:\n"
                     "    Host bridge: PCI device 1b36:0008\n"
                     "      PCI subsystem 1af4:1100\n"
                     "      id \"\"\n"
                     "  Bus  0, device   1, function 0:\n"
                     "    PCI bridge: PCI device 1b36:000c\n"
                     "      IRQ 0, pin A\n"
                     "      BUS 0.\n"
                     "      secondary bus 0.\n"
                     "      subordinate bus 0.\n"
                     "      IO range [0xf000, 0x0fff]\n"
                     "      memory range [0xfff00000, 0x000fffff]\n"
                     "      prefetchable memory range [0xfff00000, 0x000fffff]\n"
                     "      BAR0: 32 bit memory at 0xffffffffffffffff [0x00000ffe].\n"
                     "      id \"rp1\"\n"
                     "  Bus  0, device   3, function 0:\n"
                     "    Ethernet controller: PCI device 1234:5678\n"
                     "      PCI subsystem 1af4:1100\n"
                     "      IRQ 0, pin A\n"
                     "      BAR0: 32 bit memory at 0x80000000 [0x80000fff].\n"
                     "      BAR1: I/O at 0x0000 [0x001f].\n"
                     "      BAR2: 64 bit prefetchable memory at 0x00000000 [0x000fffff].\n"
                     "      BAR4: 32 bit memory at 0x00000000 [0x00000fff].\n"
                     "      id \"t\"\n");
    pci_rig_free(r);
}

TEST(pci, saved_state_brings_bars_and_masks_back)
{
    struct rig *r = rig_with_things();
    struct thing *t = thing_with_msix(r);
    struct err e = {0};
    uint8_t *buf;
    size_t len;

    cfg_write(r, FN, PCI_BAR0, RIG_PCI_MEM + 0x5000, 4);
    set_vector(r, 1, 0x11, true);
    msix_notify(&t->pci, 1);
    t->reg = 8;
    CHECK_EQ(machine_save(r->m, &buf, &len, &e), 0);
    pci_rig_free(r);

    r = rig_with_things();
    t = one_thing(r, "addr=3");
    CHECK_EQ(machine_load(r->m, buf, len, &e), 0);
    CHECK_STR(e.msg, "");
    CHECK_EQ(rig_load(r, RIG_PCI_MEM + 0x5001, 1), 9);
    CHECK(pci_dma_on(&t->pci));
    CHECK_EQ(pci_rig.messages, 0);
    rig_store(r, TABLE + 16 + 12, 0, 4);
    CHECK_EQ(pci_rig.messages, 1);
    free(buf);
    pci_rig_free(r);
}

static const struct test tests[] = {
    CASE(pci, header_says_what_the_type_says_and_cannot_be_changed),
    CASE(pci, bars_tell_their_size_and_appear_where_they_are_put),
    CASE(pci, msix_sends_the_message_of_its_vector_as_the_requester),
    CASE(pci, masked_msix_vectors_wait_until_they_are_unmasked),
    CASE(pci, msi_puts_the_vector_into_the_data_and_can_be_masked),
    CASE(pci, intx_goes_to_the_line_of_slot_and_pin_until_it_is_disabled),
    CASE(pci, dma_needs_bus_mastering),
    CASE(pci, a_function_level_reset_resets_the_function),
    CASE(pci, addresses_are_slot_and_function_and_checked),
    CASE(pci, rom_files_are_shown_behind_the_rom_bar),
    CASE(pci, info_pci_has_the_lines_of_the_reference),
    CASE(pci, saved_state_brings_bars_and_masks_back),
};
TEST_MAIN(tests)
