/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-vga: a virtio-gpu that begins as a VGA, for firmware and boot loaders: one card, one screen.  The VGA's memory is BAR 0, with
 * Bochs' DISPI registers at the ports only; virtio's registers and MSI-X make way for it.
 */
#include "dev/display/vga.h"
#include "dev/virtio/gpu_vga.h"
#include "dev/virtio/virtio_pci.h"

struct vvga {
    struct vpci p;
    struct vga vga;
};

static struct vvga *of(struct dev *d)
{
    return (struct vvga *)d;
}

/* The VGA has the first screen until the driver shows something there. */
static int add_vga(struct vvga *w, struct err *e)
{
    struct pci_bus *root = w->p.pci.bus->root->bus;
    int r;

    w->vga.console = gpu_show_other(virtio_of(&w->p.pci.dev), &vga_console, &w->vga);
    if ((r = vga_init(&w->vga, &w->p.pci.dev, e)) < 0)
        return r;
    pci_add_bar(&w->p.pci, 0, PCI_BAR_PREFETCH, &w->vga.vram_mem);
    if (root->mem && root->io)
        vga_show(&w->vga, root->mem, root->io);
    return 0;
}

static int init(struct dev *d, struct err *e)
{
    struct vvga *w = of(d);
    int r;

    w->p.bars_moved = true;
    if ((r = vpci_init(d, e)) < 0)
        return r;
    if ((r = add_vga(w, e)) < 0)
        vpci_fini(d);
    return r;
}

static void reset(struct dev *d)
{
    vpci_reset(d);
    vga_reset(&of(d)->vga);
}

static void fini(struct dev *d)
{
    of(d)->vga.console = NULL; /* the virtio-gpu's */
    vga_fini(&of(d)->vga);
    vpci_fini(d);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    int r = vpci_loaded(d, version, e);

    return r < 0 ? r : vga_loaded(&of(d)->vga, e);
}

static const struct field props[] = {
    VPCI_FIELDS,
    FIELD(vvga, vga.vram_mb, F_U64, "vgamem_mb", "8", "memory of the VGA in MiB, 1 to 512, a power of two"),
    FIELD_END,
};

static const struct state state[] = {VPCI_STATE, VGA_STATE(vvga, vga), STATE_END};

static bool is_gpu(const struct virtio_type *t)
{
    return t->class == DEV_DISPLAY;
}

static const void *ops(const struct virtio_type *t)
{
    struct pci_type *type = (struct pci_type *)vpci_ops(t);

    type->class = 0x0300;
    type->rom = "vgabios-virtio.bin";
    type->no_hotplug = true;
    return type;
}

const struct virtio_wrap virtio_wrap_vga = {.name = "virtio-vga", .bus = "pci", .size = sizeof(struct vvga), .props = props,
                                            .state = state, .fits = is_gpu, .ops = ops, .init = init, .reset = reset, .fini = fini,
                                            .loaded = loaded};
