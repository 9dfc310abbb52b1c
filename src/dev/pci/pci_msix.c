/* SPDX-License-Identifier: GPL-2.0-or-later */
/* MSI-X: a table of messages and one of pending bits in memory of the device (PCI Local Bus 3.0, 6.8.2). */
#include "dev/pci/pci_priv.h"

#include "base/bytes.h"

#include <stdlib.h>

enum { ENTRY = 16, ENTRY_DATA = 8, ENTRY_CTRL = 12, ENTRY_MASKED = 1 };

static uint16_t msix_ctrl(const struct pci_dev *d)
{
    return pci_get16(d, d->msix_cap + PCI_MSIX_CTRL);
}

bool msix_enabled(const struct pci_dev *d)
{
    return d->msix_cap && msix_ctrl(d) & PCI_MSIX_ENABLE;
}

bool msix_masked(const struct pci_dev *d, unsigned v)
{
    return v >= d->msix.vectors || msix_ctrl(d) & PCI_MSIX_MASK_ALL ||
           d->msix.table[v * ENTRY + ENTRY_CTRL] & ENTRY_MASKED;
}

static void msix_fire(struct pci_dev *d, unsigned v)
{
    const uint8_t *entry = d->msix.table + v * ENTRY;

    msi_send(d, get_le64(entry), get_le32(entry + ENTRY_DATA));
}

void msix_notify(struct pci_dev *d, unsigned v)
{
    machine_lock(d->dev.m);
    if (v < d->msix.vectors && msix_enabled(d)) {
        if (msix_masked(d, v))
            d->msix.pba[v / 8] |= 1u << v % 8;
        else
            msix_fire(d, v);
    }
    machine_unlock(d->dev.m);
}

static void fire_pending(struct pci_dev *d, unsigned v)
{
    if (!(d->msix.pba[v / 8] >> v % 8 & 1) || !msix_enabled(d) || msix_masked(d, v))
        return;
    d->msix.pba[v / 8] &= ~(1u << v % 8);
    msix_fire(d, v);
}

void msix_written(struct pci_dev *d, unsigned off, unsigned size, uint16_t old)
{
    if (!d->msix_cap || !pci_touches(off, size, d->msix_cap + PCI_MSIX_CTRL, 2))
        return;
    pci_update_intx(d);
    if (msix_ctrl(d) == old)
        return;
    for (unsigned v = 0; v < d->msix.vectors; v++)
        fire_pending(d, v);
}

/* Both tables are read and written by words of 4 or 8 bytes. */
static uint64_t read_bytes(const uint8_t *from, uint32_t len, paddr off, unsigned size)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < size && off + i < len; i++)
        v |= (uint64_t)from[off + i] << 8 * i;
    return v;
}

static uint64_t table_read(void *opaque, paddr off, struct access a)
{
    struct pci_dev *d = opaque;

    return read_bytes(d->msix.table, d->msix.table_len, off, a.size);
}

static void table_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct pci_dev *d = opaque;
    unsigned v = off / ENTRY;

    for (unsigned i = 0; i < a.size && off + i < d->msix.table_len; i++)
        d->msix.table[off + i] = value >> 8 * i;
    if (v < d->msix.vectors)
        fire_pending(d, v);
}

static uint64_t pba_read(void *opaque, paddr off, struct access a)
{
    struct pci_dev *d = opaque;

    return read_bytes(d->msix.pba, d->msix.pba_len, off, a.size);
}

static void pba_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    /* "the result is undefined" (6.8.2.10): nothing */
}

static const struct mmio_ops table_ops = {.read = table_read, .write = table_write, 4, 8};
static const struct mmio_ops pba_ops = {.read = pba_read, .write = pba_write, 4, 8};

void msix_add(struct pci_dev *d, unsigned off, unsigned vectors, unsigned bar, struct mem *bar_mem,
              uint32_t table_off, uint32_t pba_off)
{
    unsigned at = pci_add_cap(d, PCI_CAP_MSIX, off, PCI_MSIX_LEN);
    struct pci_msix *x = &d->msix;

    if (!vectors || vectors > 2048 || (table_off | pba_off) & 7 || bar >= PCI_BARS)
        bug("%s: %u MSI-X vectors at %#x and %#x", d->dev.type->name, vectors, table_off, pba_off);
    d->msix_cap = at;
    x->vectors = vectors;
    x->bar = bar;
    x->table_len = vectors * ENTRY;
    x->pba_len = (vectors + 63) / 64 * 8;
    x->table = calloc(1, x->table_len);
    x->pba = calloc(1, x->pba_len);
    if (!x->table || !x->pba)
        fatal("out of memory");
    mem_init_mmio(&x->table_mem, "msix-table", x->table_len, &table_ops, d);
    mem_init_mmio(&x->pba_mem, "msix-pba", x->pba_len, &pba_ops, d);
    mem_add(bar_mem, table_off, &x->table_mem, 1);
    mem_add(bar_mem, pba_off, &x->pba_mem, 1);
    pci_set16(d, at + PCI_MSIX_CTRL, vectors - 1);
    pci_wmask16(d, at + PCI_MSIX_CTRL, PCI_MSIX_ENABLE | PCI_MSIX_MASK_ALL);
    pci_set32(d, at + PCI_MSIX_TABLE, table_off | bar);
    pci_set32(d, at + PCI_MSIX_PBA, pba_off | bar);
    msix_reset(d);
}

void msix_add_bar(struct pci_dev *d, unsigned off, unsigned vectors, unsigned bar)
{
    uint32_t half = 2048;

    while (half < vectors * ENTRY)
        half *= 2;
    mem_init_container(&d->msix.bar_mem, "msix", 2 * half);
    msix_add(d, off, vectors, bar, &d->msix.bar_mem, 0, half);
    pci_add_bar(d, bar, 0, &d->msix.bar_mem);
}

void msix_reset(struct pci_dev *d)
{
    struct pci_msix *x = &d->msix;

    if (!x->vectors)
        return;
    memset(x->table, 0, x->table_len);
    memset(x->pba, 0, x->pba_len);
    for (unsigned v = 0; v < x->vectors; v++)
        x->table[v * ENTRY + ENTRY_CTRL] = ENTRY_MASKED;
}

void msix_free(struct pci_dev *d)
{
    struct pci_msix *x = &d->msix;

    if (!x->vectors)
        return;
    mem_remove(&x->table_mem);
    mem_remove(&x->pba_mem);
    free(x->table);
    free(x->pba);
    memset(x, 0, sizeof(*x));
    d->msix_cap = 0;
}
