/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A rig with a PCI Express host bridge: rig_with(type, props, pci_rig_before).  Configuration space, windows for
 * memory and ports, four interrupt lines, and a doorbell that records messages (MSI).
 */
#ifndef TESTS_DEV_PCI_RIG_H
#define TESTS_DEV_PCI_RIG_H

#include "dev/pci/gpex.h"
#include "tests/dev/rig.h"

#define RIG_ECAM     0x70000000u
#define RIG_PCI_MEM  0x80000000u
#define RIG_PCI_IO   0x3eff0000u
#define RIG_PCI_HIGH 0x8000000000ull
#define RIG_DOORBELL 0x08020000u

static struct {
    struct gpex *host;
    struct mem doorbell;
    struct {
        uint32_t data, who;
    } message[32];
    unsigned messages; /* recorded, at most 32 */
    struct irq_state line[4];
} pci_rig;

static inline uint64_t pci_rig_doorbell_read(void *opaque, paddr off, struct access a)
{
    return 0;
}

static inline void pci_rig_doorbell_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    if (pci_rig.messages == 32)
        return;
    pci_rig.message[pci_rig.messages].data = (uint32_t)v;
    pci_rig.message[pci_rig.messages++].who = a.who;
}

static inline void pci_rig_line(void *opaque, int n, bool level)
{
    pci_rig.line[n].rose += level && !pci_rig.line[n].level;
    pci_rig.line[n].level = level;
}

static inline void pci_rig_before(struct rig *r)
{
    static const struct mmio_ops doorbell = {
        .read = pci_rig_doorbell_read, .write = pci_rig_doorbell_write, 4, 4, .messages = true};
    static const struct gpex_map map = {.ecam = RIG_ECAM,
                                        .ecam_size = 0x10000000,
                                        .mem32 = RIG_PCI_MEM,
                                        .mem32_size = 0x40000000,
                                        .mem64 = RIG_PCI_HIGH,
                                        .mem64_size = 0x8000000000,
                                        .io = RIG_PCI_IO,
                                        .io_size = 0x10000};
    struct err e = {0};
    struct dev *d;

    machine_lock(r->m);
    memset(&pci_rig, 0, sizeof(pci_rig));
    d = dev_add(r->m, "gpex-pcihost", NULL, NULL, &e);
    if (!d) {
        printf("gpex-pcihost: %s\n", e.msg);
        exit(TEST_FAILED);
    }
    pci_rig.host = gpex_of(d);
    gpex_map(pci_rig.host, &map);
    for (int i = 0; i < 4; i++)
        irq_connect(&d->irq[i], (struct irq_in){.set = pci_rig_line, .n = i});
    mem_init_mmio(&pci_rig.doorbell, "doorbell", 64, &doorbell, NULL);
    mem_add(machine_mem(r->m), RIG_DOORBELL, &pci_rig.doorbell, 0);
    machine_unlock(r->m);
}

#define RIG_FN(bus, slot, fn) ((bus) << 20 | (slot) << 15 | (fn) << 12)

static inline uint32_t cfg_read(struct rig *r, uint32_t fn, unsigned off, unsigned size)
{
    return (uint32_t)rig_load(r, RIG_ECAM + fn + off, size);
}

static inline void cfg_write(struct rig *r, uint32_t fn, unsigned off, uint32_t v, unsigned size)
{
    rig_store(r, RIG_ECAM + fn + off, v, size);
}

/* Where capability @id of the function is, 0: nowhere. */
static inline unsigned cfg_cap(struct rig *r, uint32_t fn, uint8_t id)
{
    unsigned at = cfg_read(r, fn, PCI_CAP_PTR, 1);

    while (at && cfg_read(r, fn, at, 1) != id)
        at = cfg_read(r, fn, at + 1, 1);
    return at;
}

static inline void cfg_enable(struct rig *r, uint32_t fn)
{
    cfg_write(r, fn, PCI_COMMAND, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER, 2);
}

/* For a rig whose test has kept the machine's lock since it was made. */
static inline void pci_rig_free(struct rig *r)
{
    machine_unlock(r->m);
    rig_free(r);
}

#endif
