/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bochs-display: the linear frame buffer and DISPI registers of vga_pci.c, and nothing of a VGA. */
#include "dev/pci/pci.h"
#include "dev/display/vga.h"

#include "base/bytes.h"
#include "dev/backends.h"

#include <errno.h>
#include <string.h>

enum { REGS_SIZE = 4096, DISPI = 0x500, EXTENDED = 0x600, VRAM_MIN = 4 << 20, VRAM_MAX = 256 << 20 };
enum { LITTLE = 0x1e1e1e1e };

struct bochs {
    struct pci_dev pci;
    struct mem regs, vram_mem;
    struct ram *vram;
    struct dispi dispi;
    struct console *console;
    struct fb fb;
    uint64_t size; /* property */
    bool has_edid, redraw;
    struct edid_info info;
    uint8_t edid[EDID_SIZE];
};

static struct bochs *of(struct dev *d)
{
    return (struct bochs *)d;
}

static uint8_t read_byte(const struct bochs *b, paddr off)
{
    if (off < EDID_SIZE)
        return b->has_edid ? b->edid[off] : 0;
    if (off >= DISPI && off < DISPI + 2 * DISPI_NUM)
        return (uint8_t)(dispi_read(&b->dispi, (unsigned)(off - DISPI) / 2) >> (off & 1 ? 8 : 0));
    if (off >= EXTENDED && off < EXTENDED + 8)
        return off == EXTENDED ? 8 : off >= EXTENDED + 4 ? (uint8_t)LITTLE : 0;
    return 0;
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    uint64_t v = 0;

    for (unsigned i = 0; i < a.size; i++)
        v |= (uint64_t)read_byte(opaque, off + i) << (8 * i);
    return v;
}

/* There is no VBE BIOS that would want memory cleared: drivers do it. */
static void regs_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct bochs *b = opaque;

    for (unsigned i = 0; off >= DISPI && off < EXTENDED && i + 2 <= a.size; i += 2)
        dispi_write(&b->dispi, (unsigned)(off + i - DISPI) / 2, (uint16_t)(value >> (8 * i)));
    b->redraw = true;
}

static const struct mmio_ops regs_ops = {regs_read, regs_write, 1, 4};

static void update(void *opaque)
{
    struct bochs *b = opaque;
    bool all = b->redraw;

    b->fb.ram = b->vram;
    if (!dispi_view(&b->dispi, &b->fb) || b->fb.format == FB_8 || b->fb.format == FB_RGB888)
        return; /* the interface knows more modes than this device */
    b->redraw = false;
    fb_draw(&b->fb, b->pci.dev.m, b->console, all);
}

static void invalidate(void *opaque)
{
    ((struct bochs *)opaque)->redraw = true;
}

static const struct console_source source = {.update = update, .invalidate = invalidate};

static int init(struct dev *d, struct err *e)
{
    struct bochs *b = of(d);

    if (b->size < VRAM_MIN || b->size > VRAM_MAX || b->size & (b->size - 1))
        return err_set(e, -EINVAL, "vgamem=%llu: want a power of two from 4M to 256M", (unsigned long long)b->size);
    if (!(b->vram = vram_new(d->m, "bochs-display-vram", b->size, e)))
        return e->code;
    mem_init_ram(&b->vram_mem, "bochs-display-vram", b->vram, 0, b->size);
    mem_init_mmio(&b->regs, "bochs-display-mmio", REGS_SIZE, &regs_ops, b);
    pci_add_bar(&b->pci, 0, PCI_BAR_PREFETCH, &b->vram_mem);
    pci_add_bar(&b->pci, 2, 0, &b->regs);
    pcie_add_endpoint(&b->pci, 0, false);
    edid_make(&b->info, b->edid);
    dispi_reset(&b->dispi, (uint32_t)b->size);
    b->console = console_new(machine_displays(d->m), &source, b, d->id ? d->id : d->type->name, 0, false);
    return 0;
}

static void reset(struct dev *d)
{
    struct bochs *b = of(d);

    pci_dev_reset(&b->pci);
    dispi_reset(&b->dispi, (uint32_t)b->size);
    b->redraw = true;
}

static void fini(struct dev *d)
{
    console_free(of(d)->console);
    fb_fini(&of(d)->fb);
    pci_dev_fini(&of(d)->pci);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct bochs *b = of(d);

    b->dispi.size = (uint32_t)b->size;
    dispi_loaded(&b->dispi);
    b->redraw = true;
    return pci_dev_loaded(&b->pci, e);
}

static const struct field props[] = {
    PCI_FIELDS(bochs, pci),
    FIELD(bochs, size, F_SIZE, "vgamem", "16777216", "video memory, 4M to 256M, a power of two"),
    FIELD(bochs, has_edid, F_BOOL, "edid", "on", "the monitor says what it can"),
    FIELD(bochs, info.xres, F_U64, "xres", "0", "preferred width"),
    FIELD(bochs, info.yres, F_U64, "yres", "0", "preferred height"),
    FIELD(bochs, info.xmax, F_U64, "xmax", "0", "greatest width that the monitor has"),
    FIELD(bochs, info.ymax, F_U64, "ymax", "0", "greatest height that the monitor has"),
    FIELD(bochs, info.rate, F_U64, "refresh_rate", "0", "in millihertz"),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(bochs, pci),
    {.name = "dispi", .kind = S_STRUCT, .offset = offsetof(struct bochs, dispi), .n = 1, .elem = sizeof(struct dispi), .since = 1,
     .table = dispi_state},
    STATE_END,
};

static const struct pci_type type = {.vendor = 0x1234, .device = 0x1111, .class = 0x0380, .revision = 2, .kind = PCI_HYBRID,
                                     .rom = "vgabios-bochs-display.bin", .no_hotplug = true};

const struct dev_type dev_bochs_display = {
    .name = "bochs-display",
    .help = "linear frame buffer without VGA",
    .class = DEV_DISPLAY,
    .bus = "pci",
    .size = sizeof(struct bochs),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
    .class_ops = &type,
};
