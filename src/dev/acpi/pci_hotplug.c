/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI devices that come and go by ACPI (pci_hotplug.h). */
#include "dev/acpi/pci_hotplug.h"

#include "dev/pc/acpi_pm.h"

#include <errno.h>

/* A bus whose slots are here; the registers show the one that is selected. */
struct group {
    struct pci_hotplug *h;
    struct pci_bus *bus; /* NULL: its bridge has gone, or there never was one of that number */
    uint32_t up, down;   /* a bit for each slot */
};

struct pci_hotplug {
    struct dev dev;
    struct pci_bus *root;
    bool with_root;
    struct group group[PCI_HOTPLUG_BUSES];
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
    struct group *g = opaque;

    if (!d->dev.hotplugged || d->devfn & 7)
        return;
    g->up |= slot_bit(d);
    g->down &= ~slot_bit(d);
    tell(g->h);
}

static int ask(void *opaque, struct pci_dev *d, struct err *e)
{
    struct group *g = opaque;

    if (!(pci_hotplug_removable(d->bus) & slot_bit(d)))
        return err_set(e, -ENOTSUP, "Device '%s' in slot %u of bus '%s' has been there from the start and cannot go: it is, or sits beside, a bridge",
                       d->dev.type->name, d->devfn >> 3, d->bus->bus.name);
    g->down |= slot_bit(d);
    g->up &= ~slot_bit(d);
    tell(g->h);
    return 0;
}

static void unplugged(void *opaque, struct pci_dev *d)
{
    struct group *g = opaque;

    g->down &= ~slot_bit(d);
    g->up &= ~slot_bit(d);
}

static void gone(void *opaque)
{
    struct group *g = opaque;

    g->bus = NULL;
    g->up = g->down = 0;
}

static const struct pci_slots slots = {plugged, ask, unplugged, gone};

int pci_hotplug_number(const struct dev *d, const struct pci_bus *b)
{
    const struct group *g = b->slots_opaque;

    return b->slots == &slots && g->h == (const struct pci_hotplug *)d ? g - g->h->group : -1;
}

static void take_bus(struct pci_hotplug *h, struct pci_bus *b)
{
    for (unsigned i = 0; i < PCI_HOTPLUG_BUSES; i++) {
        struct group *g = &h->group[i];

        if (g->bus)
            continue;
        *g = (struct group){.h = h, .bus = b};
        b->slots = &slots;
        b->slots_opaque = g;
        return;
    }
}

/* Conventional buses behind bridges, in the order in which the guest finds them; Express ports have slots of their own. */
static void take_below(struct pci_hotplug *h, struct pci_bus *b)
{
    for (unsigned i = 0; i < 256; i++) {
        struct pci_bus *below = b->fn[i] ? pci_bus_behind(b->fn[i]) : NULL;

        if (!below)
            continue;
        if (!below->slots && !below->express)
            take_bus(h, below);
        take_below(h, below);
    }
}

void pci_hotplug_start(struct dev *d, struct pci_bus *b, bool with_root)
{
    struct pci_hotplug *h = hotplug_of(d);

    h->root = b;
    if (with_root)
        take_bus(h, b);
    take_below(h, b);
}

/* A bridge that was there from the start stays, with all that came behind it. */
static bool may_go(const struct pci_bus *b, unsigned slot)
{
    for (unsigned fn = 0; fn < 8; fn++) {
        const struct pci_dev *d = b->fn[slot << 3 | fn];

        if (d && (d->ops->no_hotplug || (d->ops->bridge && !d->dev.hotplugged)))
            return false;
    }
    return true;
}

uint32_t pci_hotplug_removable(const struct pci_bus *b)
{
    uint32_t v = 0;

    for (unsigned i = b->bridge ? b->first : 1; i < 32; i++)
        v |= may_go(b, i) ? 1u << i : 0;
    return v;
}

/* --- Registers ------------------------------------------------------------------------------ */

static struct group *selected(struct pci_hotplug *h)
{
    struct group *g = h->select < PCI_HOTPLUG_BUSES ? &h->group[h->select] : NULL;

    return g && g->bus ? g : NULL;
}

/* The lowest slot of those named; its functions go from the last on. */
static void eject(struct pci_bus *b, uint32_t bits)
{
    unsigned slot = bits ? __builtin_ctz(bits) : 32;

    if (slot == 32 || !(pci_hotplug_removable(b) & 1u << slot))
        return;
    for (int fn = 7; fn >= 0; fn--)
        dev_free((struct dev *)b->fn[slot << 3 | fn]);
}

/* The number that the user gave the device in the slot (acpi-index). */
static uint32_t index_of(const struct pci_hotplug *h, const struct pci_bus *b)
{
    unsigned slot = h->index ? __builtin_ctz(h->index) : 32;

    return slot < 32 && b->fn[slot << 3] ? b->fn[slot << 3]->acpi_index : 0;
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct pci_hotplug *h = opaque;
    struct group *g = selected(h);
    uint32_t v = 0;

    if (off == PCI_HOTPLUG_BUS)
        return h->select;
    if (!g)
        return 0;
    switch (off) {
    case PCI_HOTPLUG_UP:
        v = g->up;
        g->up = a.debug ? v : 0; /* it is told once */
        return v;
    case PCI_HOTPLUG_DOWN: return g->down;
    case PCI_HOTPLUG_EJECT: return 2; /* features: acpi-index */
    case PCI_HOTPLUG_REMOVABLE: return pci_hotplug_removable(g->bus);
    case PCI_HOTPLUG_INDEX: return index_of(h, g->bus);
    default: return 0;
    }
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pci_hotplug *h = opaque;
    struct group *g = selected(h);

    if (off == PCI_HOTPLUG_BUS)
        h->select = v;
    else if (off == PCI_HOTPLUG_INDEX)
        h->index = v;
    else if (off == PCI_HOTPLUG_EJECT && g)
        eject(g->bus, v);
}

static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 4, .max = 4};

static int init(struct dev *d, struct err *e)
{
    mem_init_mmio(&d->mmio, "acpi-pci-hotplug", PCI_HOTPLUG_LEN, &ops, d);
    return 0;
}

/* When a machine ends, buses may still have devices. */
static void fini(struct dev *d)
{
    struct pci_hotplug *h = hotplug_of(d);

    for (unsigned i = 0; i < PCI_HOTPLUG_BUSES; i++)
        if (h->group[i].bus)
            h->group[i].bus->slots = NULL;
}

/* Bridges that have come since then are in the tables that firmware reads next. */
static void reset(struct dev *d)
{
    struct pci_hotplug *h = hotplug_of(d);

    h->select = h->index = 0;
    if (h->root)
        take_below(h, h->root);
    for (unsigned k = 0; k < PCI_HOTPLUG_BUSES; k++) {
        struct group *g = &h->group[k];

        g->up = g->down = 0;
        for (unsigned i = 0; g->bus && i < 256; i++)
            if (g->bus->fn[i])
                g->bus->fn[i]->dev.going = false;
    }
}

static const struct state group_state[] = {
    STATE(group, up, S_U32, 1, "slots that have got a device"),
    STATE(group, down, S_U32, 1, "slots whose device is to go"),
    STATE_END,
};

static const struct state state[] = {
    STATE_STRUCTS(pci_hotplug, group, group_state, 1, NULL),
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
    .state_version = 2,
    .init = init,
    .reset = reset,
    .fini = fini,
};
