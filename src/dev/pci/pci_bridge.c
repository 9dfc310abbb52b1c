/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI-to-PCI bridges: registers, windows, secondary bus reset (PCI-to-PCI Bridge Architecture 1.2, chapters 3, 4, 11). */
#include "dev/pci/pci_bridge.h"

#include "base/bytes.h"
#include "dev/pci/pci_priv.h"

#include <errno.h>
#include <stdio.h>

enum { IO_32 = 1, PREF_64 = 1 };

struct pci_window pci_bridge_io(const struct pci_dev *d)
{
    uint64_t base = (d->config[PCI_IO_BASE] & 0xf0) << 8;
    uint64_t limit = (d->config[PCI_IO_LIMIT] & 0xf0) << 8 | 0xfff;

    if (d->config[PCI_IO_BASE] & IO_32) {
        base |= (uint64_t)pci_get16(d, PCI_IO_BASE_HI) << 16;
        limit |= (uint64_t)pci_get16(d, PCI_IO_LIMIT_HI) << 16;
    }
    return (struct pci_window){base, limit};
}

struct pci_window pci_bridge_mem(const struct pci_dev *d)
{
    return (struct pci_window){(uint64_t)(pci_get16(d, PCI_MEMORY_BASE) & 0xfff0) << 16,
                               (uint64_t)(pci_get16(d, PCI_MEMORY_LIMIT) & 0xfff0) << 16 | 0xfffff};
}

struct pci_window pci_bridge_pref(const struct pci_dev *d)
{
    uint64_t base = (uint64_t)(pci_get16(d, PCI_PREF_BASE) & 0xfff0) << 16;
    uint64_t limit = (uint64_t)(pci_get16(d, PCI_PREF_LIMIT) & 0xfff0) << 16 | 0xfffff;

    if (pci_get16(d, PCI_PREF_BASE) & PREF_64) {
        base |= (uint64_t)pci_get32(d, PCI_PREF_BASE_HI) << 32;
        limit |= (uint64_t)pci_get32(d, PCI_PREF_LIMIT_HI) << 32;
    }
    return (struct pci_window){base, limit};
}

static void hide_window(struct pci_bridge *b, unsigned n, struct mem *win)
{
    if (b->shown[n])
        mem_remove(win);
    b->shown[n] = false;
}

static void show_window(struct pci_bridge *b, unsigned n, struct mem *win, struct pci_window w)
{
    static const char *const names[] = {"bridge-mem", "bridge-pref", "bridge-io", "bridge-vga"};
    bool io = win == &b->win_io;
    struct mem *in = io ? b->pci.bus->io : b->pci.bus->mem;

    if (!in || w.limit < w.base || (io && w.limit > UINT16_MAX))
        return;
    if (!w.base && w.limit == UINT64_MAX)
        w.limit--; /* a size of 2^64 has no number; nothing is at its last byte */
    mem_init_alias(win, names[n], io ? &b->sec_io : &b->sec_mem, w.base, w.limit - w.base + 1);
    mem_add(in, w.base, win, 1);
    b->shown[n] = true;
}

static void update_windows(struct pci_bridge *b)
{
    const struct pci_dev *d = &b->pci;
    uint16_t cmd = d->present && pci_powered(d) ? pci_get16(d, PCI_COMMAND) : 0;
    bool vga = pci_get16(d, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_VGA;

    mem_begin(d->dev.m);
    hide_window(b, 0, &b->win_mem);
    hide_window(b, 1, &b->win_pref);
    hide_window(b, 2, &b->win_io);
    hide_window(b, 3, &b->win_vga);
    if (cmd & PCI_COMMAND_MEMORY) {
        show_window(b, 0, &b->win_mem, pci_bridge_mem(d));
        show_window(b, 1, &b->win_pref, pci_bridge_pref(d));
        if (vga)
            show_window(b, 3, &b->win_vga, (struct pci_window){0xa0000, 0xbffff});
    }
    if (cmd & PCI_COMMAND_IO)
        show_window(b, 2, &b->win_io, pci_bridge_io(d));
    mem_end(d->dev.m);
}

static void init_header(struct pci_dev *d)
{
    pci_wmask8(d, PCI_PRIMARY_BUS, 0xff);
    pci_wmask8(d, PCI_SECONDARY_BUS, 0xff);
    pci_wmask8(d, PCI_SUBORDINATE_BUS, 0xff);
    pci_set8(d, PCI_IO_BASE, 0xf0); /* windows are closed: base above limit */
    pci_set16(d, PCI_MEMORY_BASE, 0xfff0);
    pci_wmask8(d, PCI_IO_BASE, 0xf0);
    pci_wmask8(d, PCI_IO_LIMIT, 0xf0);
    pci_w1c16(d, PCI_SEC_STATUS, PCI_STATUS_ERRORS);
    pci_wmask16(d, PCI_MEMORY_BASE, 0xfff0);
    pci_wmask16(d, PCI_MEMORY_LIMIT, 0xfff0);
    pci_wmask16(d, PCI_PREF_BASE, 0xfff0);
    pci_wmask16(d, PCI_PREF_LIMIT, 0xfff0);
    pci_set16(d, PCI_PREF_BASE, 0xfff0 | PREF_64);
    pci_set16(d, PCI_PREF_LIMIT, PREF_64);
    pci_wmask32(d, PCI_PREF_BASE_HI, UINT32_MAX);
    pci_wmask32(d, PCI_PREF_LIMIT_HI, UINT32_MAX);
    pci_wmask16(d, PCI_BRIDGE_CONTROL,
                PCI_BRIDGE_PARITY | PCI_BRIDGE_SERR | PCI_BRIDGE_ISA | PCI_BRIDGE_VGA |
                    PCI_BRIDGE_VGA16 | PCI_BRIDGE_RESET);
    if (!d->express) {
        pci_wmask8(d, PCI_LATENCY_TIMER, 0xf8);
        pci_wmask8(d, PCI_SEC_LATENCY, 0xf8);
        pci_set16(d, PCI_STATUS, PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK);
        pci_set16(d, PCI_SEC_STATUS, PCI_STATUS_66MHZ | PCI_STATUS_FAST_BACK);
    }
}

/* A bridge that has a name gives it to its bus; others are numbered: "pcie.1". */
static void add_named_bus(struct pci_bridge *b)
{
    struct dev *d = &b->pci.dev;
    char name[24] = "";

    for (unsigned n = 1; !d->id && (!*name || bus_find(d->m, name)); n++)
        snprintf(name, sizeof(name), "%s.%u", b->sec.express ? "pcie" : "pci", n);
    bus_add(d, &b->sec.bus, d->id ? d->id : name);
}

void pci_bridge_init(struct pci_bridge *b)
{
    struct pci_dev *d = &b->pci;

    init_header(d);
    mem_init_container(&b->sec_mem, "pci-bridge-memory", 0);
    mem_init_container(&b->sec_io, "pci-bridge-io", 65536);
    b->sec.root = d->bus->root;
    b->sec.bridge = d;
    b->sec.mem = &b->sec_mem;
    b->sec.io = &b->sec_io;
    pci_bus_init(&b->sec);
    add_named_bus(b);
}

/* Vendor-specific: type 1, bus numbers, I/O, memory, prefetchable 32 and 64 bits (described in the reference's
 * document on pcie-pci-bridge hotplug).  All ones: no wish. */
enum {
    RES_LEN = 2,
    RES_TYPE = 3,
    RES_BUS = 4,
    RES_IO = 8,
    RES_MEM = 16,
    RES_PREF32 = 20,
    RES_PREF64 = 24,
    RES_SIZE = 32
};

int pci_bridge_add_reserve(struct pci_bridge *b, struct err *e)
{
    struct pci_dev *d = &b->pci;
    unsigned at;

    if (b->bus_reserve == UINT32_MAX && b->io_reserve == UINT64_MAX &&
        b->mem_reserve == UINT64_MAX && b->pref32_reserve == UINT64_MAX &&
        b->pref64_reserve == UINT64_MAX)
        return 0;
    if (b->pref32_reserve != UINT64_MAX && b->pref64_reserve != UINT64_MAX)
        return err_set(e, -EINVAL,
                       "PCI resource reserve cap: PREF32 and PREF64 cannot be set together");
    at = pci_add_cap(d, PCI_CAP_VENDOR, 0, RES_SIZE);
    pci_set8(d, at + RES_LEN, RES_SIZE);
    pci_set8(d, at + RES_TYPE, 1);
    pci_set32(d, at + RES_BUS, b->bus_reserve);
    put_le64(d->config + at + RES_IO, b->io_reserve);
    pci_set32(d, at + RES_MEM, b->mem_reserve);
    pci_set32(d, at + RES_PREF32, b->pref32_reserve);
    put_le64(d->config + at + RES_PREF64, b->pref64_reserve);
    return 0;
}

void pci_bridge_written(struct pci_dev *d, unsigned off, unsigned size)
{
    struct pci_bridge *b = pci_bridge_of(d);

    if (pci_touches(off, size, PCI_COMMAND, 2) || pci_touches(off, size, PCI_IO_BASE, 2) ||
        pci_touches(off, size, PCI_MEMORY_BASE, 0x14) ||
        pci_touches(off, size, PCI_BRIDGE_CONTROL, 2) ||
        (d->pm_cap && pci_touches(off, size, d->pm_cap + PCI_PM_CTRL, 2)))
        update_windows(b);
    if (!pci_touches(off, size, PCI_BRIDGE_CONTROL, 2))
        return;
    if (pci_get16(d, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_RESET && !b->in_reset)
        pci_bus_reset(&b->sec);
    b->in_reset = pci_get16(d, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_RESET;
}

void pci_bridge_reset(struct pci_bridge *b)
{
    pci_dev_reset(&b->pci);
    b->in_reset = false;
    update_windows(b);
}

int pci_bridge_loaded(struct pci_bridge *b, struct err *e)
{
    int r = pci_dev_loaded(&b->pci, e);

    b->in_reset = pci_get16(&b->pci, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_RESET;
    update_windows(b);
    return r;
}

void pci_bridge_fini(struct pci_bridge *b)
{
    b->pci.present = false;
    update_windows(b);
    if (b->sec.slots && b->sec.slots->gone)
        b->sec.slots->gone(b->sec.slots_opaque);
    pci_dev_fini(&b->pci);
}
