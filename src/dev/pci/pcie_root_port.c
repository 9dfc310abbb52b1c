/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pcie-root-port: a port of the root complex with one slot (PCI Express Base 3.0, chapters 6.7 and 7). */
#include "dev/pci/pcie.h"

#include <errno.h>

struct root_port {
    struct pcie_port port;
    struct mem bar;
    int speed, width;
    bool no_acs, migrate_msix;
};

static const char *const speeds[] = {"2_5", "5", "8", "16", NULL};
static const char *const widths[] = {"1", "2", "4", "8", "12", "16", "32", NULL};

static const struct field props[] = {
    PCIE_PORT_FIELDS(root_port, port),
    PCI_BRIDGE_FIELDS(root_port, port.bridge),
    FIELD_ENUM(root_port, speed, speeds, "x-speed", "16", "GT/s of the link"),
    FIELD_ENUM(root_port, width, widths, "x-width", "32", "lanes of the link"),
    FIELD(root_port, no_acs, F_BOOL, "disable-acs", "off",
          "leave the access control capability out"),
    FIELD(root_port, migrate_msix, F_BOOL, "x-migrate-msix", "on", "kept for old command lines"),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(root_port, port.bridge.pci),
    STATE_END,
};

static void set_link(struct root_port *r)
{
    static const uint8_t lanes[] = {1, 2, 4, 8, 12, 16, 32};
    struct pci_dev *d = &r->port.bridge.pci;
    unsigned at = d->exp_cap, speed = r->speed + 1, link = speed | lanes[r->width] << 4;

    pci_set32(d, at + PCIE_LNKCAP, (pci_get32(d, at + PCIE_LNKCAP) & ~0x3ffu) | link);
    pci_set16(d, at + PCIE_LNKSTA, link);
    pci_set32(d, at + PCIE_LNKCAP2, (2u << speed) - 2);
    pci_set16(d, at + PCIE_LNKCTL2, speed);
}

static int init(struct dev *dev, struct err *e)
{
    struct root_port *r = (struct root_port *)dev;
    struct pci_dev *d = pci_of(dev);
    unsigned at;
    int n = pcie_port_init(&r->port, PCIE_ROOT_PORT, 0x54, e);

    if (n < 0)
        return n;
    at = pci_add_cap(d, PCI_CAP_SSVID, 0x40, 8);
    pci_set16(d, at + 4, d->ops->vendor);
    mem_init_container(&r->bar, "pcie-root-port", 0x1000);
    msix_add(d, 0x48, 1, 0, &r->bar, 0, 0x800);
    pci_add_bar(d, 0, 0, &r->bar);
    set_link(r);
    pcie_add_aer(d, 0x100);
    if (!r->no_acs)
        pcie_add_acs(d, 0);
    if ((n = pci_bridge_add_reserve(&r->port.bridge, e)) < 0)
        pcie_port_fini(&r->port);
    return n;
}

static void reset(struct dev *dev)
{
    pcie_port_reset(pcie_port_of(pci_of(dev)));
}

static int loaded(struct dev *dev, int version, struct err *e)
{
    return pcie_port_loaded(pcie_port_of(pci_of(dev)), e);
}

static void fini(struct dev *dev)
{
    pcie_port_fini(pcie_port_of(pci_of(dev)));
}

static int check_bus(struct pci_dev *d, struct pci_bus *b, struct err *e)
{
    return pci_bus_is_root(b)
               ? 0
               : err_set(e, -EINVAL, "pcie-root-port plugs into a root bus, not into '%s'",
                         b->bus.name);
}

static const struct pci_type type = {
    .vendor = 0x1b36,
    .device = 0x000c,
    .class = PCI_CLASS_BRIDGE_PCI,
    .kind = PCI_EXPRESS,
    .bridge = true,
    .no_hotplug = true,
    .config_written = pcie_port_written,
    .check_bus = check_bus,
};

const struct dev_type dev_pcie_root_port = {
    .name = "pcie-root-port",
    .help = "PCI Express Root Port",
    .class = DEV_BRIDGE,
    .bus = "pci",
    .size = sizeof(struct root_port),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .trace = pcie_trace,
    .class_ops = &type,
};
