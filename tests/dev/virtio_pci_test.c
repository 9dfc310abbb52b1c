/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio on PCI: identity, capabilities, both register layouts, INTx and MSI-X, by virtio-rng. */
#include "tests/dev/pci_rig.h"

#include "base/bytes.h"
#include "dev/virtio/virtio.h"

enum { LEN = 64, QSIZE = 8, RING = RIG_RAM, BUF = RIG_RAM + 0x8000 };
enum { BAR4 = 0x10 + 16, BAR1 = 0x14, BAR0 = 0x10 };
#define FN     RIG_FN(0, 1, 0)
#define MODERN RIG_PCI_MEM
#define MSIX   (RIG_PCI_MEM + 0x100000)
#define PORTS  0x1000

static struct rig *rig(const char *type)
{
    struct rig *r = rig_with(type, "addr=1", pci_rig_before);

    cfg_write(r, FN, BAR4, MODERN, 4);
    cfg_write(r, FN, BAR4 + 4, 0, 4);
    cfg_write(r, FN, BAR1, MSIX, 4);
    cfg_write(r, FN, BAR0, PORTS, 4);
    cfg_enable(r, FN);
    return r;
}

/* The capability of that kind: offset in the BAR, and its own. */
static uint32_t part(struct rig *r, uint8_t kind, unsigned *cap)
{
    unsigned at = cfg_read(r, FN, PCI_CAP_PTR, 1);

    for (; at; at = cfg_read(r, FN, at + 1, 1)) {
        if (cfg_read(r, FN, at, 1) != PCI_CAP_VENDOR || cfg_read(r, FN, at + 3, 1) != kind)
            continue;
        if (cap)
            *cap = at;
        return cfg_read(r, FN, at + 8, 4);
    }
    CHECK(!"capability is there");
    return 0;
}

static uint32_t get(struct rig *r, uint32_t off, unsigned size)
{
    return (uint32_t)rig_load(r, MODERN + off, size);
}

static void set(struct rig *r, uint32_t off, uint32_t v, unsigned size)
{
    rig_store(r, MODERN + off, v, size);
}

static void add(struct rig *r, paddr avail)
{
    uint8_t *ram = r->ram->host, *idx = ram + (avail - RIG_RAM) + 2;

    put_le64(ram, BUF);
    put_le32(ram + 8, LEN);
    put_le16(ram + 12, 2);
    put_le16(idx + 2 + 2 * (get_le16(idx) % QSIZE), 0);
    put_le16(idx, get_le16(idx) + 1);
}

static void start(struct rig *r, uint16_t vector)
{
    uint32_t c = part(r, 1, NULL);

    set(r, c + 0x14, 0, 1);
    set(r, c + 0x14, 3, 1);
    set(r, c + 0x08, 1, 4);
    set(r, c + 0x0c, 1, 4);
    set(r, c + 0x14, 11, 1);
    CHECK_EQ(get(r, c + 0x14, 1), 11);
    set(r, c + 0x16, 0, 2);
    CHECK_EQ(get(r, c + 0x18, 2), QSIZE);
    set(r, c + 0x1a, vector, 2);
    set(r, c + 0x20, RING, 4);
    set(r, c + 0x24, 0, 4);
    set(r, c + 0x28, RING + 0x100, 4);
    set(r, c + 0x30, RING + 0x200, 4);
    set(r, c + 0x1c, 1, 2);
    set(r, c + 0x14, 15, 1);
}

static void kick(struct rig *r)
{
    unsigned cap;
    uint32_t n = part(r, 2, &cap), c = part(r, 1, NULL);

    set(r, n + get(r, c + 0x1e, 2) * cfg_read(r, FN, cap + 16, 4), 0, 2);
}

static unsigned used(struct rig *r, unsigned off)
{
    return get_le16(r->ram->host + off + 2);
}

TEST(virtio_pci, each_name_has_its_identity)
{
    static const struct {
        const char *type;
        unsigned device, revision;
    } names[] = {{"virtio-rng-pci", 0x1005, 0},
                 {"virtio-rng-pci-transitional", 0x1005, 0},
                 {"virtio-rng-pci-non-transitional", 0x1044, 1},
                 {"virtio-rng", 0x1005, 0}};

    for (unsigned i = 0; i < ARRAY_LEN(names); i++) {
        struct rig *r = rig(names[i].type);

        CHECK_EQ(cfg_read(r, FN, 0, 2), 0x1af4);
        CHECK_EQ(cfg_read(r, FN, 2, 2), names[i].device);
        CHECK_EQ(cfg_read(r, FN, 8, 1), names[i].revision);
        CHECK_EQ(cfg_read(r, FN, BAR0, 4) & 1, names[i].revision == 0);
        rig_free(r);
    }
}

TEST(virtio_pci, works_with_intx)
{
    struct rig *r = rig("virtio-rng-pci");
    uint32_t isr = part(r, 3, NULL);

    start(r, 0xffff);
    add(r, RING + 0x100);
    kick(r);
    CHECK_EQ(used(r, 0x200), 1);
    CHECK(!bytes_zero(r->ram->host + 0x8000, LEN));
    CHECK_EQ(pci_rig.line[1].level, 1);
    CHECK_EQ(get(r, isr, 1), 1); /* reading lowers it */
    CHECK_EQ(pci_rig.line[1].level, 0);
    CHECK_EQ(get(r, isr, 1), 0);
    rig_free(r);
}

TEST(virtio_pci, works_with_msix)
{
    struct rig *r = rig("virtio-rng-pci");
    unsigned cap = cfg_cap(r, FN, PCI_CAP_MSIX);

    rig_store(r, MSIX + 16, RIG_DOORBELL, 4);
    rig_store(r, MSIX + 24, 0x77, 4);
    rig_store(r, MSIX + 28, 0, 4);
    cfg_write(r, FN, cap + 2, 0x8000, 2);
    start(r, 1);
    add(r, RING + 0x100);
    kick(r);
    CHECK_EQ(used(r, 0x200), 1);
    CHECK_EQ(pci_rig.messages, 1);
    CHECK_EQ(pci_rig.message[0].data, 0x77);
    CHECK_EQ(pci_rig.line[1].level, 0);
    set(r, part(r, 1, NULL) + 0x1a, 99, 2); /* no such vector */
    CHECK_EQ(get(r, part(r, 1, NULL) + 0x1a, 2), 0xffff);
    rig_free(r);
}

TEST(virtio_pci, leaves_memory_alone_while_it_is_no_bus_master)
{
    struct rig *r = rig("virtio-rng-pci");
    unsigned command = cfg_read(r, FN, PCI_COMMAND, 2);

    start(r, 0xffff);
    cfg_write(r, FN, PCI_COMMAND, command & ~PCI_COMMAND_MASTER, 2);
    add(r, RING + 0x100);
    kick(r);
    CHECK_EQ(used(r, 0x200), 0);
    CHECK(bytes_zero(r->ram->host + 0x8000, LEN));
    rig_save_load(r);
    CHECK_EQ(used(r, 0x200), 0);
    cfg_write(r, FN, PCI_COMMAND, command, 2); /* what has come meanwhile is done */
    CHECK_EQ(used(r, 0x200), 1);
    CHECK(!bytes_zero(r->ram->host + 0x8000, LEN));
    rig_free(r);
}

TEST(virtio_pci, goes_on_after_loading)
{
    struct rig *r = rig("virtio-rng-pci");

    start(r, 0xffff);
    add(r, RING + 0x100);
    kick(r);
    rig_save_load(r);
    CHECK_EQ(get(r, part(r, 3, NULL), 1), 1); /* the interrupt is still there to be taken */
    add(r, RING + 0x100);
    kick(r);
    CHECK_EQ(used(r, 0x200), 2);
    rig_free(r);
}

TEST(virtio_pci, works_by_ports_as_before_1_0)
{
    struct rig *r = rig("virtio-rng-pci");
    paddr io = RIG_PCI_IO + PORTS;

    rig_store(r, io + 18, 0, 1);
    rig_store(r, io + 18, 3, 1);
    rig_store(r, io + 4, 0, 4);
    rig_store(r, io + 14, 0, 2);
    CHECK_EQ(rig_load(r, io + 12, 2), QSIZE);
    rig_store(r, io + 8, RING / 4096, 4);
    CHECK_EQ(rig_load(r, io + 8, 4), RING / 4096);
    rig_store(r, io + 18, 7, 1);
    add(r, RING + 16 * QSIZE);
    rig_store(r, io + 16, 0, 2);
    CHECK_EQ(used(r, 4096), 1);
    CHECK_EQ(rig_load(r, io + 19, 1), 1);
    rig_free(r);
}

TEST(virtio_pci, configuration_space_leads_to_the_registers)
{
    struct rig *r = rig("virtio-rng-pci");
    unsigned cap;
    uint32_t c = part(r, 1, NULL);

    part(r, 5, &cap);
    cfg_write(r, FN, cap + 4, 4, 1);
    cfg_write(r, FN, cap + 8, c + 0x14, 4);
    cfg_write(r, FN, cap + 12, 1, 4);
    cfg_write(r, FN, cap + 16, 3, 4);
    CHECK_EQ(get(r, c + 0x14, 1), 3);
    CHECK_EQ(cfg_read(r, FN, cap + 16, 1), 3);
    cfg_write(r, FN, cap + 8, 0x3ffd, 4); /* across the end: nothing */
    cfg_write(r, FN, cap + 12, 4, 4);
    cfg_read(r, FN, cap + 16, 4);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(virtio_pci, each_name_has_its_identity),
    CASE(virtio_pci, works_with_intx),
    CASE(virtio_pci, works_with_msix),
    CASE(virtio_pci, leaves_memory_alone_while_it_is_no_bus_master),
    CASE(virtio_pci, goes_on_after_loading),
    CASE(virtio_pci, works_by_ports_as_before_1_0),
    CASE(virtio_pci, configuration_space_leads_to_the_registers),
};
TEST_MAIN(tests)
