/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI configuration space: masks, capabilities, and what the core does when the guest writes
 * (PCI Local Bus 3.0, chapter 6; PCI Bus Power Management 1.2; PCI Express Base 3.0, 7.9). */
#include "dev/pci/pci_priv.h"

#include "base/bytes.h"

enum { PM_STATE = 3, PM_NO_SOFT_RESET = 8, PM_VERSION = 3 };

uint16_t pci_get16(const struct pci_dev *d, unsigned off)
{
    return get_le16(d->config + off);
}

uint32_t pci_get32(const struct pci_dev *d, unsigned off)
{
    return get_le32(d->config + off);
}

void pci_set8(struct pci_dev *d, unsigned off, uint8_t v)
{
    d->config[off] = v;
}

void pci_set16(struct pci_dev *d, unsigned off, uint16_t v)
{
    put_le16(d->config + off, v);
}

void pci_set32(struct pci_dev *d, unsigned off, uint32_t v)
{
    put_le32(d->config + off, v);
}

void pci_wmask8(struct pci_dev *d, unsigned off, uint8_t bits)
{
    d->wmask[off] = bits;
}

void pci_wmask16(struct pci_dev *d, unsigned off, uint16_t bits)
{
    put_le16(d->wmask + off, bits);
}

void pci_wmask32(struct pci_dev *d, unsigned off, uint32_t bits)
{
    put_le32(d->wmask + off, bits);
}

void pci_w1c16(struct pci_dev *d, unsigned off, uint16_t bits)
{
    put_le16(d->w1c + off, bits);
}

void pci_w1c32(struct pci_dev *d, unsigned off, uint32_t bits)
{
    put_le32(d->w1c + off, bits);
}

void pci_birth(struct pci_dev *d)
{
    const struct pci_type *t = d->ops;
    bool sub = t->sub_vendor || t->sub_device;

    pci_set16(d, PCI_VENDOR_ID, t->vendor);
    pci_set16(d, PCI_DEVICE_ID, t->device);
    pci_set8(d, PCI_REVISION_ID, t->revision);
    pci_set8(d, PCI_CLASS_PROG, t->prog_if);
    pci_set16(d, PCI_CLASS_DEVICE, t->class);
    pci_set8(d, PCI_HEADER_TYPE,
             (t->bridge ? PCI_HEADER_BRIDGE : 0) |
                 (d->multifunction ? PCI_HEADER_MULTIFUNCTION : 0));
    pci_wmask16(d, PCI_COMMAND,
                PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_PARITY |
                    PCI_COMMAND_SERR | PCI_COMMAND_INTX_OFF);
    pci_w1c16(d, PCI_STATUS, PCI_STATUS_ERRORS);
    pci_wmask8(d, PCI_CACHE_LINE_SIZE, 0xff);
    pci_wmask8(d, PCI_INTERRUPT_LINE, 0xff);
    if (!t->bridge) {
        pci_set16(d, PCI_SUBSYSTEM_VENDOR_ID, sub ? t->sub_vendor : 0x1af4);
        pci_set16(d, PCI_SUBSYSTEM_ID, sub ? t->sub_device : 0x1100);
    }
}

void pci_remember(struct pci_dev *d)
{
    memcpy(d->power_on, d->config, sizeof(d->config));
    d->remembered = true;
}

/* Capabilities ------------------------------------------------------------------------------ */

static bool in_use(const struct pci_dev *d, unsigned off, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        if (d->used[(off + i) / 8] >> (off + i) % 8 & 1)
            return true;
    return false;
}

static void take_room(struct pci_dev *d, unsigned off, unsigned len)
{
    for (unsigned i = 0; i < len; i++)
        d->used[(off + i) / 8] |= 1u << (off + i) % 8;
}

unsigned pci_add_cap(struct pci_dev *d, uint8_t id, unsigned off, unsigned len)
{
    for (unsigned at = 0x40; !off && at + len <= PCI_CONFIG_SIZE; at += 4)
        if (!in_use(d, at, len))
            off = at;
    if (!off || off % 4 || off + len > PCI_CONFIG_SIZE || in_use(d, off, len))
        bug("%s: no room for capability %#x", d->dev.type->name, id);
    take_room(d, off, len);
    d->config[off] = id;
    d->config[off + 1] = d->config[PCI_CAP_PTR]; /* newest first */
    d->config[PCI_CAP_PTR] = off;
    pci_set16(d, PCI_STATUS, pci_get16(d, PCI_STATUS) | PCI_STATUS_CAPS);
    return off;
}

unsigned pci_find_cap(const struct pci_dev *d, uint8_t id)
{
    unsigned left = 48; /* as many as fit: a chain in a circle ends, too */

    for (unsigned at = d->config[PCI_CAP_PTR]; at >= 0x40 && left--; at = d->config[at + 1])
        if (d->config[at] == id)
            return at;
    return 0;
}

/* Extended capabilities are linked upwards from 0x100, where the first one has to be (7.9.1). */
unsigned pci_add_ext_cap(struct pci_dev *d, uint16_t id, uint8_t version, unsigned off,
                         unsigned len)
{
    unsigned last = d->last_ext_cap;

    if (!off)
        off = last ? d->next_ext_cap : PCI_CONFIG_SIZE;
    if (!d->express || off % 4 || off + len > PCIE_CONFIG_SIZE || off < d->next_ext_cap ||
        (!last && off != PCI_CONFIG_SIZE))
        bug("%s: no room for extended capability %#x", d->dev.type->name, id);
    if (last)
        pci_set32(d, last, (pci_get32(d, last) & 0xfffff) | (uint32_t)off << 20);
    pci_set32(d, off, id | (uint32_t)version << 16);
    d->last_ext_cap = off;
    d->next_ext_cap = (off + len + 3) & ~3u;
    return off;
}

void pci_add_pm(struct pci_dev *d, unsigned off)
{
    d->pm_cap = pci_add_cap(d, PCI_CAP_PM, off, PCI_PM_LEN);
    pci_set16(d, d->pm_cap + PCI_PM_CAP, PM_VERSION);
    pci_set16(d, d->pm_cap + PCI_PM_CTRL, PM_NO_SOFT_RESET);
    pci_wmask16(d, d->pm_cap + PCI_PM_CTRL, PM_STATE);
}

bool pci_powered(const struct pci_dev *d)
{
    return !d->pm_cap || !(d->config[d->pm_cap + PCI_PM_CTRL] & PM_STATE);
}

/* Accesses ---------------------------------------------------------------------------------- */

uint32_t pci_config_read(struct pci_dev *d, unsigned off, unsigned size)
{
    uint32_t v = 0;

    if (off + size > d->saved_len)
        return UINT32_MAX >> (32 - 8 * size);
    if (d->ops->config_reading)
        d->ops->config_reading(d, off, size);
    for (unsigned i = 0; i < size; i++)
        v |= (uint32_t)d->config[off + i] << 8 * i;
    TRACE(&pci_trace[PCI_TP_CONFIG_READ], "dev=%s fn=%02x.%x off=%#x size=%u value=%#x",
          d->dev.type->name, d->devfn >> 3, d->devfn & 7, off, size, v);
    return v;
}

static bool maps_touched(const struct pci_dev *d, unsigned off, unsigned size)
{
    unsigned bars = d->ops->bridge ? 2 : 6;
    unsigned rom = d->ops->bridge ? PCI_ROM_ADDRESS1 : PCI_ROM_ADDRESS;

    return pci_touches(off, size, PCI_COMMAND, 2) || pci_touches(off, size, PCI_BAR0, 4 * bars) ||
           pci_touches(off, size, rom, 4);
}

/* D3hot: neither memory nor I/O is decoded, nothing is mastered (PM 1.2, 5.4.1). */
static bool power_touched(const struct pci_dev *d, unsigned off, unsigned size)
{
    return d->pm_cap && pci_touches(off, size, d->pm_cap + PCI_PM_CTRL, 2);
}

static void core_written(struct pci_dev *d, unsigned off, unsigned size, uint16_t old_msix)
{
    bool power = power_touched(d, off, size);

    if (power || maps_touched(d, off, size))
        pci_update_maps(d);
    if (power || pci_touches(off, size, PCI_COMMAND, 2)) {
        pci_update_master(d);
        pci_update_intx(d);
    }
    msi_written(d, off, size);
    msix_written(d, off, size, old_msix);
    pcie_written(d, off, size);
}

void pci_config_write(struct pci_dev *d, unsigned off, uint32_t value, unsigned size)
{
    uint16_t old_msix = d->msix_cap ? pci_get16(d, d->msix_cap + PCI_MSIX_CTRL) : 0;

    if (off + size > d->saved_len)
        return;
    TRACE(&pci_trace[PCI_TP_CONFIG_WRITE], "dev=%s fn=%02x.%x off=%#x size=%u value=%#x",
          d->dev.type->name, d->devfn >> 3, d->devfn & 7, off, size, value);
    for (unsigned i = 0; i < size; i++) {
        uint8_t *c = &d->config[off + i], v = value >> 8 * i;

        *c = (*c & ~d->wmask[off + i]) | (v & d->wmask[off + i]);
        *c &= ~(v & d->w1c[off + i]);
    }
    core_written(d, off, size, old_msix);
    if (d->ops->config_written)
        d->ops->config_written(d, off, size);
}
