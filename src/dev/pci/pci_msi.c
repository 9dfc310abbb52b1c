/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Message-signalled interrupts: MSI (PCI Local Bus 3.0, 6.8.1). */
#include "dev/pci/pci_priv.h"

#include "base/bytes.h"

void msi_send(struct pci_dev *d, paddr addr, uint32_t data)
{
    struct access a = pci_dma_access(d);

    a.size = 4;
    TRACE(&pci_trace[PCI_TP_MSI], "dev=%s addr=%#" PRIpaddr " data=%#x", d->dev.type->name, addr,
          data);
    if (pci_dma_on(d))
        space_store(pci_dma_space(d), addr & ~3ull, data, a);
}

/* Offsets behind the address, which is 4 or 8 bytes long; we always have 8. */
enum { MSI_DATA = 0xc, MSI_MASK = 0x10, MSI_PENDING = 0x14 };

static uint16_t msi_ctrl(const struct pci_dev *d)
{
    return pci_get16(d, d->msi_cap + PCI_MSI_CTRL);
}

void msi_add(struct pci_dev *d, unsigned off, unsigned vectors, bool maskable)
{
    unsigned at = pci_add_cap(d, PCI_CAP_MSI, off, maskable ? 0x18 : 0xe);
    unsigned log2 = __builtin_ctz(vectors);

    if (!vectors || vectors > 32 || vectors & (vectors - 1))
        bug("%s: %u MSI vectors", d->dev.type->name, vectors);
    d->msi_cap = at;
    pci_set16(d, at + PCI_MSI_CTRL, log2 << 1 | PCI_MSI_64 | (maskable ? PCI_MSI_MASKABLE : 0));
    pci_wmask16(d, at + PCI_MSI_CTRL, PCI_MSI_ENABLE | 7 << 4);
    pci_wmask32(d, at + PCI_MSI_ADDR, 0xfffffffc);
    pci_wmask32(d, at + PCI_MSI_ADDR + 4, 0xffffffff);
    pci_wmask16(d, at + MSI_DATA, 0xffff);
    if (maskable)
        pci_wmask32(d, at + MSI_MASK, UINT32_MAX >> (32 - vectors));
}

bool msi_enabled(const struct pci_dev *d)
{
    return d->msi_cap && msi_ctrl(d) & PCI_MSI_ENABLE;
}

/* What the guest allocated, at most what was offered: a power of two. */
static unsigned msi_allocated(const struct pci_dev *d)
{
    unsigned offered = msi_ctrl(d) >> 1 & 7, want = msi_ctrl(d) >> 4 & 7;

    return 1u << (want < offered ? want : offered);
}

static void msi_fire(struct pci_dev *d, unsigned vector)
{
    unsigned at = d->msi_cap, n = msi_allocated(d);
    paddr addr = pci_get32(d, at + PCI_MSI_ADDR) | (uint64_t)pci_get32(d, at + PCI_MSI_ADDR + 4)
                                                       << 32;

    msi_send(d, addr, (pci_get16(d, at + MSI_DATA) & ~(n - 1)) | vector);
}

void msi_notify(struct pci_dev *d, unsigned vector)
{
    unsigned at = d->msi_cap;

    machine_lock(d->dev.m);
    if (msi_enabled(d)) {
        vector &= msi_allocated(d) - 1;
        if (msi_ctrl(d) & PCI_MSI_MASKABLE && pci_get32(d, at + MSI_MASK) >> vector & 1)
            pci_set32(d, at + MSI_PENDING, pci_get32(d, at + MSI_PENDING) | 1u << vector);
        else
            msi_fire(d, vector);
    }
    machine_unlock(d->dev.m);
}

/* Vectors that waited and are no longer masked go out. */
void msi_written(struct pci_dev *d, unsigned off, unsigned size)
{
    unsigned at = d->msi_cap;
    uint32_t due;

    if (!at || !pci_touches(off, size, at, 0x18))
        return;
    pci_update_intx(d);
    if (!msi_enabled(d) || !(msi_ctrl(d) & PCI_MSI_MASKABLE))
        return;
    due = pci_get32(d, at + MSI_PENDING) & ~pci_get32(d, at + MSI_MASK);
    pci_set32(d, at + MSI_PENDING, pci_get32(d, at + MSI_PENDING) & ~due);
    for (unsigned v = 0; v < 32; v++)
        if (due >> v & 1)
            msi_fire(d, v & (msi_allocated(d) - 1));
}
