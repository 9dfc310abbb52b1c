/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all PCI functions have: BARs, DMA, INTx, reset, saved state (PCI Local Bus 3.0, chapters 2 and 6). */
#include "dev/pci/pci_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdlib.h>

struct trace_point pci_trace[] = {
    [PCI_TP_CONFIG_READ] = {.name = "pci_config_read"},
    [PCI_TP_CONFIG_WRITE] = {.name = "pci_config_write"},
    [PCI_TP_MAP] = {.name = "pci_bar_map"},
    [PCI_TP_INTX] = {.name = "pci_intx"},
    [PCI_TP_MSI] = {.name = "pci_msi"},
    {.name = NULL},
};

const struct state pci_dev_state[] = {
    STATE_BYTES(pci_dev, saved, saved_len, PCIE_CONFIG_SIZE, 1, "configuration space"),
    STATE(pci_dev, intx, S_BOOL, 1, "the function drives its interrupt pin"),
    STATE_BYTES(pci_dev, msix.table, msix.table_len, 2048 * 16, 1, "MSI-X table"),
    STATE_BYTES(pci_dev, msix.pba, msix.pba_len, 2048 / 8, 1, "MSI-X pending bits"),
    STATE_END,
};

/* BARs --------------------------------------------------------------------------------------- */

static unsigned bar_off(const struct pci_dev *d, unsigned nr)
{
    if (nr == PCI_ROM_BAR)
        return d->ops->bridge ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;
    return PCI_BAR0 + 4 * nr;
}

void pci_add_bar(struct pci_dev *d, unsigned nr, unsigned flags, struct mem *m)
{
    unsigned off = bar_off(d, nr);
    uint64_t low = m->size - 1;

    if (nr > PCI_ROM_BAR || d->bar[nr].mem || m->size & low ||
        m->size < (flags & PCI_BAR_IO ? 4 : 16))
        bug("%s: BAR %u of %#" PRIx64 " bytes", d->dev.type->name, nr, m->size);
    d->bar[nr] = (struct pci_bar){.mem = m, .flags = flags};
    if (nr != PCI_ROM_BAR)
        pci_set32(d, off, flags);
    pci_wmask32(d, off, (uint32_t)~low | (nr == PCI_ROM_BAR ? PCI_ROM_ENABLE : 0));
    if (flags & PCI_BAR_64)
        pci_wmask32(d, off + 4, ~low >> 32);
}

static bool bar_decoded(const struct pci_dev *d, unsigned nr)
{
    uint16_t cmd = pci_get16(d, PCI_COMMAND);

    if (!d->present || !pci_powered(d))
        return false;
    if (nr == PCI_ROM_BAR && !(pci_get32(d, bar_off(d, nr)) & PCI_ROM_ENABLE))
        return false;
    return cmd & ((d->bar[nr].flags & PCI_BAR_IO) ? PCI_COMMAND_IO : PCI_COMMAND_MEMORY);
}

/* Where the registers say; false: nowhere.  A BAR that reaches the end of its address space is one whose size is being asked for; one at
 * 0 may be free to be placed (PCI Local Bus 3.0, 6.2.5.2): on PCs it would lie below RAM, and over the BIOS. */
static bool bar_wanted(const struct pci_dev *d, unsigned nr, paddr *at)
{
    const struct pci_bar *b = &d->bar[nr];
    uint64_t last, limit = b->flags & PCI_BAR_IO   ? UINT16_MAX
                           : b->flags & PCI_BAR_64 ? UINT64_MAX
                                                   : UINT32_MAX;

    if (!bar_decoded(d, nr))
        return false;
    *at = pci_get32(d, bar_off(d, nr));
    if (b->flags & PCI_BAR_64)
        *at |= (uint64_t)pci_get32(d, bar_off(d, nr) + 4) << 32;
    *at &= ~(b->mem->size - 1);
    if (!*at && d->bus->root->zero_unset)
        return false;
    last = *at + b->mem->size - 1;
    return last > *at && (last < limit || (b->flags & PCI_BAR_IO && last == limit));
}

static void bar_unmap(struct pci_bar *b)
{
    if (b->mapped)
        mem_remove(b->mem);
    b->mapped = false;
}

static void bar_map(struct pci_dev *d, unsigned nr, paddr at)
{
    struct pci_bar *b = &d->bar[nr];
    struct mem *in = b->flags & PCI_BAR_IO ? d->bus->io : d->bus->mem;

    if (!in)
        return;
    mem_add(in, at, b->mem, 1);
    b->mapped = true;
    b->at = at;
    TRACE(&pci_trace[PCI_TP_MAP], "dev=%s bar=%u at=%#" PRIpaddr " size=%#" PRIx64,
          d->dev.type->name, nr, at, b->mem->size);
}

void pci_update_maps(struct pci_dev *d)
{
    mem_begin(d->dev.m);
    for (unsigned nr = 0; nr <= PCI_ROM_BAR; nr++) {
        struct pci_bar *b = &d->bar[nr];
        paddr at;
        bool on = b->mem && bar_wanted(d, nr, &at);

        if (on && b->mapped && b->at == at)
            continue;
        bar_unmap(b);
        if (on)
            bar_map(d, nr, at);
    }
    mem_end(d->dev.m);
}

void pci_unmap_all(struct pci_dev *d)
{
    mem_begin(d->dev.m);
    for (unsigned nr = 0; nr <= PCI_ROM_BAR; nr++)
        bar_unmap(&d->bar[nr]);
    mem_end(d->dev.m);
}

bool pci_bar_at(const struct pci_dev *d, unsigned nr, paddr *at)
{
    if (nr > PCI_ROM_BAR || !d->bar[nr].mapped)
        return false;
    *at = d->bar[nr].at;
    return true;
}

/* DMA ---------------------------------------------------------------------------------------- */

uint16_t pci_rid(const struct pci_dev *d)
{
    return pci_bus_number(d->bus) << 8 | d->devfn;
}

struct space *pci_dma_space(const struct pci_dev *d)
{
    struct pci_root *r = d->bus->root;

    return r->iommu ? r->iommu(r->iommu_opaque, d) : r->dma;
}

struct access pci_dma_access(const struct pci_dev *d)
{
    return (struct access){.who = BUS_PCI(pci_rid(d)), .size = 1, .posted = true};
}

int pci_dma_read(const struct pci_dev *d, paddr addr, void *buf, uint64_t len)
{
    if (!pci_dma_on(d)) {
        memset(buf, 0, len);
        return -EFAULT;
    }
    return space_read(pci_dma_space(d), addr, buf, len, pci_dma_access(d));
}

int pci_dma_write(const struct pci_dev *d, paddr addr, const void *buf, uint64_t len)
{
    if (!pci_dma_on(d))
        return -EFAULT;
    return space_write(pci_dma_space(d), addr, buf, len, pci_dma_access(d));
}

void *pci_dma_map(const struct pci_dev *d, paddr addr, uint64_t *len, bool write)
{
    return pci_dma_on(d) ? space_map(pci_dma_space(d), addr, len, write) : NULL;
}

void pci_dma_unmap(const struct pci_dev *d, void *host, uint64_t written)
{
    space_unmap(pci_dma_space(d), host, written);
}

/* Bridges above are not asked for their own bus master bits: firmware is known to leave them clear. */
void pci_update_master(struct pci_dev *d)
{
    bool on = d->present && pci_powered(d) && pci_get16(d, PCI_COMMAND) & PCI_COMMAND_MASTER;

    __atomic_store_n(&d->master, on, __ATOMIC_RELEASE);
}

/* INTx --------------------------------------------------------------------------------------- */

/* Which line of the host a device's pin ends at: each bridge turns pins by the device's number
 * (PCI-to-PCI Bridge 1.2, 9.1; PCI Express 3.0, 2.2.8.1). */
static unsigned host_line(const struct pci_dev *d)
{
    const struct pci_bus *b = d->bus;
    unsigned pin = (d->config[PCI_INTERRUPT_PIN] - 1) & 3, slot = d->devfn >> 3;

    for (; b->bridge; b = b->bridge->bus) {
        pin = (pin + slot) & 3;
        slot = b->bridge->devfn >> 3;
    }
    return b->root->route ? b->root->route(b->root->opaque, slot, pin) & 7 : (slot + pin) & 3;
}

void pci_update_intx(struct pci_dev *d)
{
    bool out = d->intx && d->present && d->config[PCI_INTERRUPT_PIN] && !msi_enabled(d) &&
               !msix_enabled(d) && !(pci_get16(d, PCI_COMMAND) & PCI_COMMAND_INTX_OFF);
    struct pci_root *r = d->bus->root;
    unsigned line;

    if (out == d->intx_out)
        return;
    d->intx_out = out;
    line = host_line(d);
    r->asserted[line] += out ? 1 : -1;
    TRACE(&pci_trace[PCI_TP_INTX], "dev=%s line=%u level=%d", d->dev.type->name, line, out);
    if (r->intx)
        irq_set(&r->intx[line], r->asserted[line]);
}

void pci_set_irq(struct pci_dev *d, bool level)
{
    uint16_t status = pci_get16(d, PCI_STATUS) & ~PCI_STATUS_INTX;

    d->intx = level;
    pci_set16(d, PCI_STATUS, status | (level ? PCI_STATUS_INTX : 0));
    pci_update_intx(d);
}

void pci_set_irq_any(struct pci_dev *d, bool level)
{
    bool rising = level && !d->intx;

    pci_set_irq(d, level);
    if (rising && msix_enabled(d))
        msix_notify(d, 0);
    else if (rising && msi_enabled(d))
        msi_notify(d, 0);
}

/* Life --------------------------------------------------------------------------------------- */

/* Registers of the Express port that say what is plugged are put right by the port after this. */
void pci_dev_reset(struct pci_dev *d)
{
    if (!d->remembered) /* plugged into a running machine, not yet seen by anybody */
        pci_remember(d);
    pci_set_irq(d, false);
    memcpy(d->config, d->power_on, sizeof(d->config));
    msix_reset(d);
    pci_update_maps(d);
    pci_update_master(d);
}

/* What is read-only is ours, whatever the stream says. */
static int check_config(struct pci_dev *d, struct err *e)
{
    static const struct {
        unsigned off, len;
    } fixed[] = {{PCI_VENDOR_ID, 4}, {PCI_REVISION_ID, 4}, {PCI_HEADER_TYPE, 1}, {PCI_CAP_PTR, 1}};

    for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
        if (memcmp(d->config + fixed[i].off, d->power_on + fixed[i].off, fixed[i].len))
            return err_set(e, -EILSEQ, "saved configuration space is another device's at %#x",
                           fixed[i].off);
    return 0;
}

/* The chain of capabilities and their read-only heads come from us, so nothing walks a hostile one. */
static void keep_cap_heads(struct pci_dev *d)
{
    unsigned at = d->power_on[PCI_CAP_PTR];

    for (; at; at = d->power_on[at + 1])
        memcpy(d->config + at, d->power_on + at, 2);
    if (d->msi_cap)
        d->config[d->msi_cap + PCI_MSI_CTRL + 1] = d->power_on[d->msi_cap + PCI_MSI_CTRL + 1];
    if (d->msix_cap)
        memcpy(d->config + d->msix_cap + PCI_MSIX_TABLE, d->power_on + d->msix_cap + PCI_MSIX_TABLE,
               8);
}

int pci_dev_loaded(struct pci_dev *d, struct err *e)
{
    int r = check_config(d, e);

    if (r < 0) {
        memcpy(d->config, d->power_on, sizeof(d->config));
        return r;
    }
    keep_cap_heads(d);
    pci_update_maps(d);
    pci_update_master(d);
    pci_set_irq(d, d->intx);
    return 0;
}

void pci_dev_fini(struct pci_dev *d)
{
    d->present = false;
    pci_set_irq(d, false);
    pci_update_master(d);
    pci_unmap_all(d);
    msix_free(d);
    pci_rom_free(d);
    memset(d->bar, 0, sizeof(d->bar));
}
