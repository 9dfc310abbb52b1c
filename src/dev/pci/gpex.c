/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gpex-pcihost: the generic Express host bridge, and gpex-root, the function by which it appears on its bus
 * (PCI Express Base 3.0, 7.2.2; devicetree binding "pci-host-ecam-generic"). */
#include "dev/pci/gpex.h"

#include "dev/pci/pci_priv.h"

static const struct field props[] = {
    FIELD(gpex, allow_unmapped, F_BOOL, "allow-unmapped-accesses", "on",
          "windows where no device answers read as ones"),
    FIELD_END,
};

static uint64_t ecam_read(void *opaque, paddr off, struct access a)
{
    struct gpex *g = opaque;

    return pci_root_config_read(&g->root, off, a.size);
}

static void ecam_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct gpex *g = opaque;

    pci_root_config_write(&g->root, off, value, a.size);
}

static const struct mmio_ops ecam_ops = {.read = ecam_read, .write = ecam_write, 1, 4};

static uint64_t nobody_read(void *opaque, paddr off, struct access a)
{
    return UINT64_MAX >> (64 - 8 * a.size);
}

static void nobody_write(void *opaque, paddr off, uint64_t value, struct access a)
{
}

static const struct mmio_ops nobody_ops = {.read = nobody_read, .write = nobody_write, 1, 8};

static int gpex_init(struct dev *d, struct err *e)
{
    struct gpex *g = gpex_of(d);

    mem_init_container(&g->mem, "pci-memory", 0);
    mem_init_container(&g->io, "pci-io", 65536);
    if (g->allow_unmapped) {
        mem_init_mmio(&g->no_mem, "pci-memory-unmapped", 0, &nobody_ops, g);
        mem_init_mmio(&g->no_io, "pci-io-unmapped", 65536, &nobody_ops, g);
        mem_add(&g->mem, 0, &g->no_mem, -1);
        mem_add(&g->io, 0, &g->no_io, -1);
    }
    g->root = (struct pci_root){.bus = &g->bus, .dma = machine_space(d->m), .intx = d->irq};
    g->bus.root = &g->root;
    g->bus.mem = &g->mem;
    g->bus.io = &g->io;
    g->bus.express = true;
    pci_bus_init(&g->bus);
    bus_add(d, &g->bus.bus, "pcie.0");
    return dev_new(d->m, "gpex-root", NULL, &g->bus.bus, NULL, e) ? 0 : e->code;
}

static void show(struct machine *m, struct mem *win, const char *name, struct mem *of, uint64_t off,
                 paddr at, uint64_t size)
{
    if (!size)
        return;
    mem_init_alias(win, name, of, off, size);
    mem_add(machine_mem(m), at, win, 0);
}

void gpex_map(struct gpex *g, const struct gpex_map *map)
{
    struct machine *m = g->dev.m;

    mem_begin(m);
    if (map->ecam_size) {
        mem_init_mmio(&g->ecam, "pcie-ecam", map->ecam_size, &ecam_ops, g);
        mem_add(machine_mem(m), map->ecam, &g->ecam, 0);
    }
    show(m, &g->win32, "pcie-mmio", &g->mem, map->mem32, map->mem32, map->mem32_size);
    show(m, &g->win64, "pcie-mmio-high", &g->mem, map->mem64, map->mem64, map->mem64_size);
    show(m, &g->win_io, "pcie-ioport", &g->io, 0, map->io, map->io_size);
    mem_end(m);
}

static void gpex_fini(struct dev *d)
{
    struct gpex *g = gpex_of(d);
    struct mem *shown[] = {&g->ecam, &g->win32, &g->win64, &g->win_io};

    mem_begin(d->m);
    for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++)
        if (shown[i]->parent)
            mem_remove(shown[i]);
    mem_end(d->m);
}

const struct dev_type dev_gpex_pcihost = {
    .name = "gpex-pcihost",
    .help = "generic PCI Express host bridge",
    .class = DEV_BOARD,
    .size = sizeof(struct gpex),
    .props = props,
    .init = gpex_init,
    .fini = gpex_fini,
    .trace = pci_trace,
};

/* On the bus ----------------------------------------------------------------------------------- */

struct gpex_root {
    struct pci_dev pci;
};

static const struct field root_props[] = {
    PCI_FIELDS(gpex_root, pci),
    FIELD_END,
};

static const struct state root_state[] = {
    PCI_STATE(gpex_root, pci),
    STATE_END,
};

static int root_init(struct dev *d, struct err *e)
{
    return 0;
}

static void root_reset(struct dev *d)
{
    pci_dev_reset(pci_of(d));
}

static int root_loaded(struct dev *d, int version, struct err *e)
{
    return pci_dev_loaded(pci_of(d), e);
}

static void root_fini(struct dev *d)
{
    pci_dev_fini(pci_of(d));
}

static const struct pci_type root_type = {
    .vendor = 0x1b36,
    .device = 0x0008,
    .class = PCI_CLASS_BRIDGE_HOST,
    .kind = PCI_CONVENTIONAL,
    .no_hotplug = true,
};

const struct dev_type dev_gpex_root = {
    .name = "gpex-root",
    .help = "generic PCI Express host bridge, as seen on its bus",
    .class = DEV_BOARD,
    .bus = "pci",
    .size = sizeof(struct gpex_root),
    .props = root_props,
    .state = root_state,
    .state_version = 1,
    .init = root_init,
    .reset = root_reset,
    .loaded = root_loaded,
    .fini = root_fini,
    .class_ops = &root_type,
};
