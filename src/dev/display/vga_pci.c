/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VGA (the "std" one), secondary-vga and bochs-display: PCI devices 1234:1111 with a linear frame buffer in BAR 0 and registers in BAR 2.
 * Sources: the device's registers as Linux' drivers/gpu/drm/tiny/bochs.c and its documentation describe them:
 *
 *     000..3FF  EDID            400..41F  ports 3C0..3DF (VGA only)
 *     500..515  DISPI registers, 16 bits each
 *     600       length of this block: 8;  604: byte order of the frame buffer, 1e1e1e1e little
 */
#include "dev/pci/pci.h"
#include "dev/display/vga.h"

#include "base/bytes.h"
#include "dev/backends.h"

#include <errno.h>
#include <string.h>

enum { REGS_SIZE = 4096, EDID_END = 0x400, PORTS = 0x400, PORTS_END = 0x420, DISPI = 0x500, EXTENDED = 0x600 };
enum { LITTLE = 0x1e1e1e1e, BIG = 0xbebebebe };
enum { CLASS_VGA = 0x0300, CLASS_OTHER = 0x0380 };

struct vga_pci {
    struct pci_dev pci;
    struct vga vga;
    struct mem regs;
    uint8_t edid[EDID_SIZE];
    bool extended, big;
};

static struct vga_pci *of(struct dev *d)
{
    return (struct vga_pci *)d;
}

static bool is_legacy(const struct vga_pci *p)
{
    return ((const struct pci_type *)p->pci.dev.type->class_ops)->class == CLASS_VGA;
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct vga_pci *p = opaque;
    unsigned n = (unsigned)(off - DISPI) / 2;

    if (off < EDID_END)
        return p->vga.edid && off < EDID_SIZE ? p->edid[off] : 0;
    if (off < PORTS_END)
        return vga_port_read(&p->vga, (unsigned)off - PORTS + 0x3c0, a.debug);
    if (off >= DISPI && n < DISPI_NUM)
        return (uint8_t)(dispi_read(&p->vga.dispi, n) >> (off & 1 ? 8 : 0));
    if (p->extended && off >= EXTENDED && off < EXTENDED + 8)
        return off < EXTENDED + 4 ? (off == EXTENDED ? 8 : 0) : (uint8_t)(p->big ? BIG : LITTLE);
    return 0;
}

static void regs_write_byte(struct vga_pci *p, paddr off, uint8_t value)
{
    if (off >= PORTS && off < PORTS_END)
        vga_port_write(&p->vga, (unsigned)off - PORTS + 0x3c0, value);
}

/* The bus hands bytes out of what is no 16-bit register. */
static uint64_t wide_read(void *opaque, paddr off, struct access a)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < a.size; i++)
        v |= regs_read(opaque, off + i, a) << (8 * i);
    return v;
}

static void wide_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct vga_pci *p = opaque;

    for (unsigned i = 0; off >= DISPI && off < EXTENDED && i + 2 <= a.size; i += 2)
        vga_dispi_write(&p->vga, (unsigned)(off + i - DISPI) / 2, (uint16_t)(value >> (8 * i)));
    for (unsigned i = 0; off < DISPI && i < a.size; i++)
        regs_write_byte(p, off + i, (uint8_t)(value >> (8 * i)));
    if (p->extended && off == EXTENDED + 4 && a.size == 4) {
        p->big = value == BIG;
        if (p->big)
            guest_error(&p->pci.dev, "a big-endian frame buffer is shown as a little-endian one");
    }
}

static const struct mmio_ops regs_ops = {wide_read, wide_write, 1, 4};

/* Where PCs have them: in the address space of the root bus. */
static void show_legacy(struct vga_pci *p)
{
    struct pci_bus *root = p->pci.bus->root->bus;

    if (root->mem && root->io)
        vga_show(&p->vga, root->mem, root->io);
}

static int init(struct dev *d, struct err *e)
{
    struct vga_pci *p = of(d);
    int r = vga_init(&p->vga, d, e);

    if (r < 0)
        return r;
    pci_add_bar(&p->pci, 0, PCI_BAR_PREFETCH, &p->vga.vram_mem);
    if (p->vga.mmio) {
        edid_make(&p->vga.edid_info, p->edid);
        mem_init_mmio(&p->regs, "vga.mmio", REGS_SIZE, &regs_ops, p);
        pci_add_bar(&p->pci, 2, 0, &p->regs);
    }
    if (is_legacy(p))
        show_legacy(p);
    return 0;
}

static void reset(struct dev *d)
{
    pci_dev_reset(&of(d)->pci);
    vga_reset(&of(d)->vga);
    of(d)->big = false;
}

static void fini(struct dev *d)
{
    vga_fini(&of(d)->vga);
    pci_dev_fini(&of(d)->pci);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    int r = pci_dev_loaded(&of(d)->pci, e);

    return r < 0 ? r : vga_loaded(&of(d)->vga, e);
}

static const struct field vga_props[] = {
    PCI_FIELDS(vga_pci, pci),
    VGA_FIELDS(vga_pci, vga),
    FIELD(vga_pci, vga.mmio, F_BOOL, "mmio", "on", "registers in BAR 2"),
    FIELD(vga_pci, extended, F_BOOL, "qemu-extended-regs", "on", "with the byte order of the frame buffer"),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(vga_pci, pci),
    VGA_STATE(vga_pci, vga),
    STATE(vga_pci, big, S_BOOL, 1, NULL),
    STATE_END,
};

static const struct pci_type vga_type = {
    .vendor = 0x1234, .device = 0x1111, .class = CLASS_VGA, .revision = 2, .rom = "vgabios-stdvga.bin", .no_hotplug = true};
static const struct pci_type other_type = {
    .vendor = 0x1234, .device = 0x1111, .class = CLASS_OTHER, .revision = 2, .no_hotplug = true};

const struct dev_type dev_vga = {
    .name = "VGA",
    .help = "standard VGA",
    .class = DEV_DISPLAY,
    .bus = "pci",
    .size = sizeof(struct vga_pci),
    .props = vga_props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
    .class_ops = &vga_type,
};

const struct dev_type dev_secondary_vga = {
    .name = "secondary-vga",
    .help = "VGA without legacy addresses",
    .class = DEV_DISPLAY,
    .bus = "pci",
    .size = sizeof(struct vga_pci),
    .props = vga_props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
    .class_ops = &other_type,
};
