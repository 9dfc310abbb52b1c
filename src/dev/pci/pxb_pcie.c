/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pxb-pcie: a further root bus with its own number, near a node of memory; firmware tables tell the guest of it. */
#include "dev/pci/pci.h"

#include <errno.h>

struct pxb {
    struct pci_dev pci;
    struct pci_bus bus;
    uint64_t bus_nr, numa_node;
    bool bypass_iommu;
};

static const struct field props[] = {
    PCI_FIELDS(pxb, pci),
    FIELD(pxb, bus_nr, F_U64, "bus_nr", "0", "number of its bus"),
    FIELD(pxb, numa_node, F_U64, "numa_node", "128",
          "which node its devices are near to; 128: none"),
    FIELD(pxb, bypass_iommu, F_BOOL, "bypass_iommu", "off", "its devices are not translated"),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(pxb, pci),
    STATE_END,
};

static int init(struct dev *dev, struct err *e)
{
    struct pxb *p = (struct pxb *)dev;
    struct pci_bus *on = p->pci.bus;

    if (!p->bus_nr || p->bus_nr > 255)
        return err_set(e, -ERANGE, "bus_nr is from 1 to 255, not %llu",
                       (unsigned long long)p->bus_nr);
    for (unsigned i = 0; i < 256; i++) {
        const struct pci_bus *o = on->fn[i] ? pci_bus_behind(on->fn[i]) : NULL;

        if (o && o->extra && o->number == p->bus_nr)
            return err_set(e, -EBUSY, "Bus %llu is already in use", (unsigned long long)p->bus_nr);
    }
    p->bus.root = on->root;
    p->bus.mem = on->mem;
    p->bus.io = on->io;
    p->bus.number = p->bus_nr;
    p->bus.express = p->bus.extra = true;
    pci_bus_init(&p->bus);
    bus_add(dev, &p->bus.bus, dev->id ? dev->id : "pxb-pcie-bus");
    return 0;
}

static void reset(struct dev *dev)
{
    pci_dev_reset(pci_of(dev));
}

static int loaded(struct dev *dev, int version, struct err *e)
{
    return pci_dev_loaded(pci_of(dev), e);
}

static void fini(struct dev *dev)
{
    pci_dev_fini(pci_of(dev));
}

static int check_bus(struct pci_dev *d, struct pci_bus *b, struct err *e)
{
    return pci_bus_is_root(b) && !b->extra
               ? 0
               : err_set(e, -EINVAL, "pxb-pcie plugs into the root bus, not into '%s'",
                         b->bus.name);
}

static const struct pci_type type = {
    .vendor = 0x1b36,
    .device = 0x000b,
    .class = PCI_CLASS_BRIDGE_HOST,
    .kind = PCI_CONVENTIONAL,
    .no_hotplug = true,
    .check_bus = check_bus,
};

const struct dev_type dev_pxb_pcie = {
    .name = "pxb-pcie",
    .help = "PCI Express Expander Bridge",
    .class = DEV_BRIDGE,
    .bus = "pci",
    .size = sizeof(struct pxb),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &type,
};
