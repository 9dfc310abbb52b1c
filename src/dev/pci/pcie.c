/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PCI Express capability and the extended ones of ports (PCI Express Base 3.0, 7.8, 7.10, 7.16). */
#include "dev/pci/pcie.h"

#include "dev/pci/pci_priv.h"

enum { CAP_VERSION = 2, SLOT_IMPLEMENTED = 0x100 };
enum { SPEED_2_5 = 1, WIDTH_1 = 1 << 4, LINK_ACTIVE_REPORTED = 1 << 20, LINK_NOTIFIES = 1 << 21 };
enum {
    LNKCAP_ASPM_L0S = 0x400,
    LNKCTL_BITS = 0x1d3 /* retrain reads as zero: it is done at once */
};
/* Errors to report, relaxed ordering, sizes, no snoop: kept for the guest, without effect. */
enum { DEVCTL_BITS = 0x78ff, DEVSTA_W1C = 0xf };
enum { DEVCAP2_PREFIXES = 0x300000, DEVCAP2_ARI = 0x20, DEVCTL2_ARI = 0x20 };

static bool has_link(enum pcie_type type)
{
    return type != PCIE_INTEGRATED;
}

static void add_link(struct pci_dev *d, unsigned at, unsigned port, bool reports)
{
    pci_set32(d, at + PCIE_LNKCAP,
              SPEED_2_5 | WIDTH_1 | LNKCAP_ASPM_L0S |
                  (reports ? LINK_ACTIVE_REPORTED | LINK_NOTIFIES : 0) | (uint32_t)port << 24);
    pci_set16(d, at + PCIE_LNKSTA, SPEED_2_5 | WIDTH_1);
    pci_wmask16(d, at + PCIE_LNKCTL, LNKCTL_BITS);
    pci_set32(d, at + PCIE_LNKCAP2, 1 << 1);
    pci_set16(d, at + PCIE_LNKCTL2, SPEED_2_5);
}

void pcie_add_cap(struct pci_dev *d, unsigned off, enum pcie_type type, unsigned port)
{
    bool down = type == PCIE_ROOT_PORT || type == PCIE_DOWNSTREAM;
    unsigned at;

    if (!d->express)
        return;
    at = d->exp_cap = pci_add_cap(d, PCI_CAP_EXP, off, PCIE_CAP_LEN);
    pci_set16(d, at + PCIE_CAPS, CAP_VERSION | type << 4 | (down ? SLOT_IMPLEMENTED : 0));
    pci_set32(d, at + PCIE_DEVCAP, PCIE_DEVCAP_RBER);
    pci_wmask16(d, at + PCIE_DEVCTL, DEVCTL_BITS);
    pci_w1c16(d, at + PCIE_DEVSTA, DEVSTA_W1C);
    if (has_link(type))
        add_link(d, at, port, down);
    pci_set32(d, at + PCIE_DEVCAP2, DEVCAP2_PREFIXES | (down ? DEVCAP2_ARI : 0));
    pci_wmask16(d, at + PCIE_DEVCTL2, 0x1f | (down ? DEVCTL2_ARI : 0));
    if (type == PCIE_ROOT_PORT)
        pci_wmask16(d, at + PCIE_RTCTL, 0xf);
}

void pcie_add_endpoint(struct pci_dev *d, unsigned off, bool flr)
{
    if (!d->express)
        return;
    pcie_add_cap(d, off, pci_bus_is_root(d->bus) ? PCIE_INTEGRATED : PCIE_ENDPOINT, 0);
    if (flr)
        pci_set32(d, d->exp_cap + PCIE_DEVCAP, PCIE_DEVCAP_RBER | PCIE_DEVCAP_FLR);
    if (flr) /* the bit itself is seen by pcie_written() and cleared */
        pci_wmask16(d, d->exp_cap + PCIE_DEVCTL, DEVCTL_BITS | PCIE_DEVCTL_FLR);
}

void pcie_add_endpoint_v1(struct pci_dev *d, unsigned off)
{
    enum pcie_type type;

    if (!d->express)
        return;
    type = pci_bus_is_root(d->bus) ? PCIE_INTEGRATED : PCIE_ENDPOINT;
    d->exp_cap = pci_add_cap(d, PCI_CAP_EXP, off, PCIE_SLTCAP);
    pci_set16(d, d->exp_cap + PCIE_CAPS, 1 | type << 4);
    pci_set32(d, d->exp_cap + PCIE_DEVCAP, PCIE_DEVCAP_RBER);
    pci_wmask16(d, d->exp_cap + PCIE_DEVCTL, DEVCTL_BITS);
    pci_w1c16(d, d->exp_cap + PCIE_DEVSTA, DEVSTA_W1C);
    if (!has_link(type))
        return;
    pci_set32(d, d->exp_cap + PCIE_LNKCAP, SPEED_2_5 | WIDTH_1 | LNKCAP_ASPM_L0S);
    pci_set16(d, d->exp_cap + PCIE_LNKSTA, SPEED_2_5 | WIDTH_1);
    pci_wmask16(d, d->exp_cap + PCIE_LNKCTL, LNKCTL_BITS);
}

/* Function-level reset (6.6.2); the bit reads as zero. */
void pcie_written(struct pci_dev *d, unsigned off, unsigned size)
{
    unsigned ctl = d->exp_cap + PCIE_DEVCTL;

    if (!d->exp_cap || !pci_touches(off, size, ctl, 2) ||
        !(pci_get32(d, d->exp_cap + PCIE_DEVCAP) & PCIE_DEVCAP_FLR) ||
        !(pci_get16(d, ctl) & PCIE_DEVCTL_FLR))
        return;
    pci_set16(d, ctl, pci_get16(d, ctl) & ~PCIE_DEVCTL_FLR);
    if (d->dev.type->reset)
        d->dev.type->reset(&d->dev);
    else
        pci_dev_reset(d);
}

/* Offsets and bits of 7.10. */
enum {
    AER_UNCOR_STATUS = 4,
    AER_UNCOR_MASK = 8,
    AER_UNCOR_SEVERITY = 0xc,
    AER_COR_STATUS = 0x10,
    AER_COR_MASK = 0x14,
    AER_CAP = 0x18,
    AER_ROOT_COMMAND = 0x2c,
    AER_ROOT_STATUS = 0x30,
    AER_LEN = 0x48,
    AER_UNCOR_BITS = 0x03fff030,
    AER_SEVERITY_DEFAULT = 0x00462030,
    AER_COR_BITS = 0x0000f1c1,
    AER_COR_MASK_DEFAULT = 0xe000, /* advisory, internal, header log overflow */
    AER_ECRC_BITS = 0x140,
    AER_ECRC_CAPABLE = 0xa0,
};

void pcie_add_aer(struct pci_dev *d, unsigned off)
{
    bool root;
    unsigned at;

    root = (pci_get16(d, d->exp_cap + PCIE_CAPS) >> 4 & 0xf) == PCIE_ROOT_PORT;
    at = pci_add_ext_cap(d, PCI_EXT_CAP_AER, 2, off, root ? AER_LEN : AER_ROOT_COMMAND);

    pci_w1c32(d, at + AER_UNCOR_STATUS, AER_UNCOR_BITS);
    pci_wmask32(d, at + AER_UNCOR_MASK, AER_UNCOR_BITS);
    pci_wmask32(d, at + AER_UNCOR_SEVERITY, AER_UNCOR_BITS);
    pci_set32(d, at + AER_UNCOR_SEVERITY, AER_SEVERITY_DEFAULT);
    pci_w1c32(d, at + AER_COR_STATUS, AER_COR_BITS);
    pci_wmask32(d, at + AER_COR_MASK, AER_COR_BITS);
    pci_set32(d, at + AER_COR_MASK, AER_COR_MASK_DEFAULT);
    pci_set32(d, at + AER_CAP, AER_ECRC_CAPABLE);
    pci_wmask32(d, at + AER_CAP, AER_ECRC_BITS);
    if (root) {
        pci_wmask32(d, at + AER_ROOT_COMMAND, 7);
        pci_w1c32(d, at + AER_ROOT_STATUS, 0x7f);
    }
}

/* Access control (7.16): source validation, translation blocking, request and completion redirect, upstream
 * forwarding, direct translation can be switched on; all traffic goes through the root anyway. */
void pcie_add_acs(struct pci_dev *d, unsigned off)
{
    enum { ACS_CAP = 4, ACS_CTRL = 6, ACS_BITS = 0x5f, ACS_LEN = 8 };
    unsigned at = pci_add_ext_cap(d, PCI_EXT_CAP_ACS, 1, off, ACS_LEN);

    pci_set16(d, at + ACS_CAP, ACS_BITS);
    pci_wmask16(d, at + ACS_CTRL, ACS_BITS);
}
