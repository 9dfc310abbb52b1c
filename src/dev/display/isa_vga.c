/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isa-vga: the VGA at its legacy addresses, with a linear frame buffer where VBE drivers of Bochs expect it (E0000000). */
#include "dev/isa/isa.h"
#include "dev/display/vga.h"

enum { FRAME_BUFFER = 0xe0000000 };

struct isa_vga {
    struct dev dev;
    struct vga vga;
};

static struct vga *of(struct dev *d)
{
    return &((struct isa_vga *)d)->vga;
}

static int init(struct dev *d, struct err *e)
{
    struct isa_bus *b = isa_bus_of(d->parent);
    struct vga *v = of(d);
    int r = vga_init(v, d, e);

    if (r < 0)
        return r;
    vga_show(v, b->mem, b->io);
    mem_add(b->mem, FRAME_BUFFER, &v->vram_mem, 0);
    return 0;
}

static void reset(struct dev *d)
{
    vga_reset(of(d));
}

static void fini(struct dev *d)
{
    mem_remove(&of(d)->vram_mem);
    vga_fini(of(d));
}

static int loaded(struct dev *d, int version, struct err *e)
{
    return vga_loaded(of(d), e);
}

static const struct field props[] = {
    FIELD(isa_vga, vga.vram_mb, F_U64, "vgamem_mb", "8", "video memory in MiB, 1 to 512, a power of two"),
    FIELD_END,
};

static const struct state state[] = {
    VGA_STATE(isa_vga, vga),
    STATE_END,
};

const struct dev_type dev_isa_vga = {
    .name = "isa-vga",
    .help = "VGA of the ISA bus",
    .class = DEV_DISPLAY,
    .bus = "isa",
    .size = sizeof(struct isa_vga),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
};
