/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci-bridge and pcie-pci-bridge: conventional buses behind a conventional or an Express one
 * (PCI-to-PCI Bridge 1.2; PCI Express to PCI/PCI-X Bridge 1.0).  Neither has a hotplug controller. */
#include "dev/pci/pcie.h"

#include "base/bytes.h"

#include <errno.h>

struct bridge_dev {
    struct pci_bridge bridge;
    uint64_t chassis;
    int msi;
    bool shpc;
};

static const char *const on_off_auto[] = {"auto", "on", "off", NULL};

static const struct field pci_props[] = {
    PCI_FIELDS(bridge_dev, bridge.pci),
    PCI_BRIDGE_FIELDS(bridge_dev, bridge),
    FIELD(bridge_dev, chassis, F_U64, "chassis_nr", "0", "number of the chassis, above 0"),
    FIELD_ENUM(bridge_dev, msi, on_off_auto, "msi", "auto", "offer a message-signalled interrupt"),
    FIELD(bridge_dev, shpc, F_BOOL, "shpc", "off", "hotplug controller, which this bridge has not"),
    FIELD_END,
};

static const struct field pcie_props[] = {
    PCI_FIELDS(bridge_dev, bridge.pci),
    FIELD_ENUM(bridge_dev, msi, on_off_auto, "msi", "auto", "offer a message-signalled interrupt"),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(bridge_dev, bridge.pci),
    STATE_END,
};

enum { MSI_OFF = 2 };

/* PCI-to-PCI Bridge 1.2, 13.3: expansion slot register (first in chassis), chassis number. */
static void add_slot_id(struct bridge_dev *b)
{
    enum { FIRST_IN_CHASSIS = 0x20 };
    unsigned at = pci_add_cap(&b->bridge.pci, PCI_CAP_SLOT_ID, 0x48, 4);

    pci_set8(&b->bridge.pci, at + 2, FIRST_IN_CHASSIS);
    pci_set8(&b->bridge.pci, at + 3, b->chassis);
}

/* Devices may come by ACPI: where the user says nothing, firmware leaves room for the windows of some. */
static void leave_room(struct pci_bridge *b)
{
    if (b->io_reserve == UINT64_MAX)
        b->io_reserve = 4 * KiB;
    if (b->mem_reserve == UINT64_MAX)
        b->mem_reserve = 2 * MiB;
    if (b->pref32_reserve == UINT64_MAX && b->pref64_reserve == UINT64_MAX)
        b->pref64_reserve = 2 * MiB;
}

static int pci_init(struct dev *dev, struct err *e)
{
    struct bridge_dev *b = (struct bridge_dev *)dev;
    int r;

    if (b->shpc)
        return err_set(e, -ENOTSUP, "pci-bridge has no hotplug controller (shpc=on)");
    if (!b->chassis || b->chassis > 255)
        return err_set(e, -EINVAL,
                       "Bridge chassis not specified. Each bridge is required to be assigned a "
                       "unique chassis id > 0.");
    pci_bridge_init(&b->bridge);
    pci_pin(&b->bridge.pci, 1);
    add_slot_id(b);
    if (b->msi != MSI_OFF)
        msi_add(&b->bridge.pci, 0x4c, 1, true);
    leave_room(&b->bridge);
    if ((r = pci_bridge_add_reserve(&b->bridge, e)) < 0)
        pci_bridge_fini(&b->bridge);
    return r;
}

static int pcie_init(struct dev *dev, struct err *e)
{
    struct bridge_dev *b = (struct bridge_dev *)dev;

    pci_bridge_init(&b->bridge);
    pci_pin(&b->bridge.pci, 1);
    pcie_add_cap(&b->bridge.pci, 0x48, PCIE_TO_PCI, 0);
    pci_add_pm(&b->bridge.pci, 0x84);
    if (b->msi != MSI_OFF)
        msi_add(&b->bridge.pci, 0x8c, 1, true);
    pcie_add_aer(&b->bridge.pci, 0x100);
    return 0;
}

static void reset(struct dev *dev)
{
    pci_bridge_reset(pci_bridge_of(pci_of(dev)));
}

static int loaded(struct dev *dev, int version, struct err *e)
{
    return pci_bridge_loaded(pci_bridge_of(pci_of(dev)), e);
}

static void fini(struct dev *dev)
{
    pci_bridge_fini(pci_bridge_of(pci_of(dev)));
}

static const struct pci_type pci_type = {
    .vendor = 0x1b36,
    .device = 0x0001,
    .class = PCI_CLASS_BRIDGE_PCI,
    .kind = PCI_CONVENTIONAL,
    .bridge = true,
    .config_written = pci_bridge_written,
};

static const struct pci_type pcie_type = {
    .vendor = 0x1b36,
    .device = 0x000e,
    .class = PCI_CLASS_BRIDGE_PCI,
    .kind = PCI_EXPRESS,
    .bridge = true,
    .config_written = pci_bridge_written,
};

const struct dev_type dev_pci_bridge = {
    .name = "pci-bridge",
    .help = "Standard PCI Bridge",
    .class = DEV_BRIDGE,
    .bus = "pci",
    .size = sizeof(struct bridge_dev),
    .props = pci_props,
    .state = state,
    .state_version = 1,
    .init = pci_init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &pci_type,
};

const struct dev_type dev_pcie_pci_bridge = {
    .name = "pcie-pci-bridge",
    .help = "PCI Express to PCI bridge",
    .class = DEV_BRIDGE,
    .bus = "pci",
    .size = sizeof(struct bridge_dev),
    .props = pcie_props,
    .state = state,
    .state_version = 1,
    .init = pcie_init,
    .reset = reset,
    .loaded = loaded,
    .fini = fini,
    .class_ops = &pcie_type,
};
