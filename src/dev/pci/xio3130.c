/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x3130-upstream and xio3130-downstream: the ports of a switch (TI XIO3130 data sheet, SLLS693; PCI Express Base 3.0). */
#include "dev/pci/pcie.h"

#include <errno.h>
#include <string.h>

enum { MSI_AT = 0x70, SSVID_AT = 0x80, EXP_AT = 0x90, AER_AT = 0x100 };

static void add_caps(struct pci_dev *d)
{
    msi_add(d, MSI_AT, 1, false);
    pci_add_cap(d, PCI_CAP_SSVID, SSVID_AT, 8);
    pcie_add_aer(d, AER_AT);
}

/* The upstream port: a bridge to the bus that the downstream ports are on. -------------------- */

struct upstream {
    struct pci_bridge bridge;
    uint64_t port, aer_log_max;
};

static const struct field up_props[] = {
    PCI_FIELDS(upstream, bridge.pci),
    FIELD(upstream, port, F_U64, "port", "0", "number of the port"),
    FIELD(upstream, aer_log_max, F_U64, "aer_log_max", "8", "errors to remember"),
    FIELD_END,
};

static const struct state up_state[] = {
    PCI_STATE(upstream, bridge.pci),
    STATE_END,
};

static int up_init(struct dev *dev, struct err *e)
{
    struct upstream *u = (struct upstream *)dev;

    if (u->port > 255)
        return err_set(e, -ERANGE, "port is at most 255");
    u->bridge.sec.express = true;
    pci_bridge_init(&u->bridge);
    pcie_add_cap(&u->bridge.pci, EXP_AT, PCIE_UPSTREAM, u->port);
    add_caps(&u->bridge.pci);
    return 0;
}

static void up_reset(struct dev *dev)
{
    pci_bridge_reset(pci_bridge_of(pci_of(dev)));
}

static int up_loaded(struct dev *dev, int version, struct err *e)
{
    return pci_bridge_loaded(pci_bridge_of(pci_of(dev)), e);
}

static void up_fini(struct dev *dev)
{
    pci_bridge_fini(pci_bridge_of(pci_of(dev)));
}

static int up_check(struct pci_dev *d, struct pci_bus *b, struct err *e)
{
    return b->one_slot ? 0
                       : err_set(e, -EINVAL, "x3130-upstream plugs into a port, not into '%s'",
                                 b->bus.name);
}

static const struct pci_type up_type = {
    .vendor = 0x104c,
    .device = 0x8232,
    .revision = 2,
    .class = PCI_CLASS_BRIDGE_PCI,
    .kind = PCI_EXPRESS,
    .bridge = true,
    .config_written = pci_bridge_written,
    .check_bus = up_check,
};

const struct dev_type dev_x3130_upstream = {
    .name = "x3130-upstream",
    .help = "TI X3130 Upstream Port of PCI Express Switch",
    .class = DEV_BRIDGE,
    .bus = "pci",
    .size = sizeof(struct upstream),
    .props = up_props,
    .state = up_state,
    .state_version = 1,
    .init = up_init,
    .reset = up_reset,
    .loaded = up_loaded,
    .fini = up_fini,
    .class_ops = &up_type,
};

/* Downstream ports, each with a slot. ---------------------------------------------------------- */

struct downstream {
    struct pcie_port port;
};

static const struct field down_props[] = {
    PCIE_PORT_FIELDS(downstream, port),
    FIELD_END,
};

static const struct state down_state[] = {
    PCI_STATE(downstream, port.bridge.pci),
    STATE_END,
};

static int down_init(struct dev *dev, struct err *e)
{
    struct downstream *p = (struct downstream *)dev;
    int r = pcie_port_init(&p->port, PCIE_DOWNSTREAM, EXP_AT, e);

    if (r < 0)
        return r;
    add_caps(pci_of(dev));
    return 0;
}

static void down_reset(struct dev *dev)
{
    pcie_port_reset(pcie_port_of(pci_of(dev)));
}

static int down_loaded(struct dev *dev, int version, struct err *e)
{
    return pcie_port_loaded(pcie_port_of(pci_of(dev)), e);
}

static void down_fini(struct dev *dev)
{
    pcie_port_fini(pcie_port_of(pci_of(dev)));
}

static int down_check(struct pci_dev *d, struct pci_bus *b, struct err *e)
{
    return b->bridge && b->bridge->ops == &up_type
               ? 0
               : err_set(e, -EINVAL,
                         "xio3130-downstream plugs into an x3130-upstream, not into '%s'",
                         b->bus.name);
}

static const struct pci_type down_type = {
    .vendor = 0x104c,
    .device = 0x8233,
    .revision = 1,
    .class = PCI_CLASS_BRIDGE_PCI,
    .kind = PCI_EXPRESS,
    .bridge = true,
    .no_hotplug = true,
    .config_written = pcie_port_written,
    .check_bus = down_check,
};

const struct dev_type dev_xio3130_downstream = {
    .name = "xio3130-downstream",
    .help = "TI X3130 Downstream Port of PCI Express Switch",
    .class = DEV_BRIDGE,
    .bus = "pci",
    .size = sizeof(struct downstream),
    .props = down_props,
    .state = down_state,
    .state_version = 1,
    .init = down_init,
    .reset = down_reset,
    .loaded = down_loaded,
    .fini = down_fini,
    .trace = pcie_trace,
    .class_ops = &down_type,
};
