/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI devices that come and go by ACPI (pci_hotplug.h). */
#include "dev/acpi/pci_hotplug.h"

#include "dev/pc/acpi_pm.h"

struct pci_hotplug {
    struct dev dev;
    struct pci_bus *bus;
    uint32_t up, down; /* a bit for each slot */
    uint32_t select, index;
};

static struct pci_hotplug *hotplug_of(struct dev *d)
{
    return (struct pci_hotplug *)d;
}

static void tell(struct pci_hotplug *h)
{
    struct acpi_pm *pm = acpi_pm_of(h->dev.m);

    if (pm)
        acpi_pm_gpe(pm, GPE_PCI);
}

/* --- The bus -------------------------------------------------------------------------------- */

static uint32_t slot_bit(const struct pci_dev *d)
{
    return 1u << (d->devfn >> 3);
}

/* Function 0 makes a slot's device complete: then the guest looks at all of them. */
static void plugged(void *opaque, struct pci_dev *d)
{
    struct pci_hotplug *h = opaque;

    if (!d->dev.hotplugged || d->devfn & 7)
        return;
    h->up |= slot_bit(d);
    h->down &= ~slot_bit(d);
    tell(h);
}

static int ask(void *opaque, struct pci_dev *d, struct err *e)
{
    struct pci_hotplug *h = opaque;

    h->down |= slot_bit(d);
    h->up &= ~slot_bit(d);
    tell(h);
    return 0;
}

static void unplugged(void *opaque, struct pci_dev *d)
{
    struct pci_hotplug *h = opaque;

    h->down &= ~slot_bit(d);
    h->up &= ~slot_bit(d);
}

static const struct pci_slots slots = {plugged, ask, unplugged};

void pci_hotplug_start(struct dev *d, struct pci_bus *b)
{
    hotplug_of(d)->bus = b;
    b->slots = &slots;
    b->slots_opaque = d;
}

static bool may_go(const struct pci_bus *b, unsigned slot)
{
    for (unsigned fn = 0; fn < 8; fn++)
        if (b->fn[slot << 3 | fn] && b->fn[slot << 3 | fn]->ops->no_hotplug)
            return false;
    return true;
}

uint32_t pci_hotplug_removable(const struct pci_bus *b)
{
    uint32_t v = 0;

    for (unsigned i = 1; i < 32; i++)
        v |= may_go(b, i) ? 1u << i : 0;
    return v;
}

/* --- Registers ------------------------------------------------------------------------------ */

/* The lowest slot of those named; its functions go from the last on. */
static void eject(struct pci_hotplug *h, uint32_t bits)
{
    unsigned slot = bits ? __builtin_ctz(bits) : 32;

    if (slot == 32 || !(pci_hotplug_removable(h->bus) & 1u << slot))
        return;
    for (int fn = 7; fn >= 0; fn--)
        dev_free((struct dev *)h->bus->fn[slot << 3 | fn]);
}

/* The number that the user gave the device in the slot (acpi-index). */
static uint32_t index_of(const struct pci_hotplug *h)
{
    unsigned slot = h->index ? __builtin_ctz(h->index) : 32;

    return slot < 32 && h->bus->fn[slot << 3] ? h->bus->fn[slot << 3]->acpi_index : 0;
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct pci_hotplug *h = opaque;
    uint32_t v = 0;

    if (off == PCI_HOTPLUG_BUS)
        return h->select;
    if (h->select || !h->bus)
        return 0;
    switch (off) {
    case PCI_HOTPLUG_UP:
        v = h->up;
        h->up = a.debug ? v : 0; /* it is told once */
        return v;
    case PCI_HOTPLUG_DOWN: return h->down;
    case PCI_HOTPLUG_EJECT: return 2; /* features: acpi-index */
    case PCI_HOTPLUG_REMOVABLE: return pci_hotplug_removable(h->bus);
    case PCI_HOTPLUG_INDEX: return index_of(h);
    default: return 0;
    }
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pci_hotplug *h = opaque;

    if (off == PCI_HOTPLUG_BUS)
        h->select = v;
    else if (off == PCI_HOTPLUG_INDEX)
        h->index = v;
    else if (off == PCI_HOTPLUG_EJECT && !h->select && h->bus)
        eject(h, v);
}

static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 4, .max = 4};

static int init(struct dev *d, struct err *e)
{
    mem_init_mmio(&d->mmio, "acpi-pci-hotplug", PCI_HOTPLUG_LEN, &ops, d);
    return 0;
}

/* When a machine ends, the bus may still have devices. */
static void fini(struct dev *d)
{
    struct pci_hotplug *h = hotplug_of(d);

    if (h->bus)
        h->bus->slots = NULL;
}

static void reset(struct dev *d)
{
    struct pci_hotplug *h = hotplug_of(d);

    h->up = h->down = h->select = h->index = 0;
    for (unsigned i = 0; h->bus && i < 256; i++)
        if (h->bus->fn[i])
            h->bus->fn[i]->dev.going = false;
}

static const struct state state[] = {
    STATE(pci_hotplug, up, S_U32, 1, "slots that have got a device"),
    STATE(pci_hotplug, down, S_U32, 1, "slots whose device is to go"),
    STATE(pci_hotplug, select, S_U32, 1, "which bus the registers show"),
    STATE(pci_hotplug, index, S_U32, 1, "whose number is read"),
    STATE_END,
};

const struct dev_type dev_pci_hotplug = {
    .name = "acpi-pci-hotplug",
    .help = "registers for PCI devices that come and go",
    .class = DEV_BOARD,
    .size = sizeof(struct pci_hotplug),
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
};
