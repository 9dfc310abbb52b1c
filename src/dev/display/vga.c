/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA's birth, reset and saved state, and its place in memory and ports.  Contract: vga.h. */
#include "dev/display/vga.h"

#include "base/bytes.h"
#include "dev/backends.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { LEGACY = 0xa0000, LEGACY_SIZE = 0x20000 };

/* --- Ports --- */

static const struct { uint16_t at, len; } port_ranges[] = {{0x3b4, 2}, {0x3ba, 1}, {0x3c0, 16}, {0x3d4, 7}};

static uint64_t ports_read(void *opaque, paddr off, struct access a)
{
    const struct vga_ports *p = opaque;

    return vga_port_read(p->v, p->at + (unsigned)off, a.debug);
}

static void ports_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    const struct vga_ports *p = opaque;

    vga_port_write(p->v, p->at + (unsigned)off, (uint8_t)value);
}

static const struct mmio_ops port_ops = {ports_read, ports_write, 1, 1};

/* 1CE: the index; 1CF and 1D0: the data (the first is where PCs have it). */
static uint64_t dispi_port_read(void *opaque, paddr off, struct access a)
{
    struct vga *v = opaque;

    return off ? dispi_read(&v->dispi, v->dispi_index) : v->dispi_index;
}

static void dispi_port_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct vga *v = opaque;

    if (off)
        vga_dispi_write(v, v->dispi_index, (uint16_t)value);
    else
        v->dispi_index = (uint16_t)value;
}

static const struct mmio_ops dispi_ops = {dispi_port_read, dispi_port_write, 2, 2, .unaligned = true};

void vga_show(struct vga *v, struct mem *mem, struct mem *io)
{
    mem_begin(v->m);
    mem_add(mem, LEGACY, &v->window, 1);
    for (unsigned i = 0; i < ARRAY_LEN(port_ranges); i++)
        mem_add(io, port_ranges[i].at, &v->ports[i].mem, 0);
    if (!v->ext)
        mem_add(io, 0x1ce, &v->dispi_ports, 0);
    mem_end(v->m);
}

void vga_hide(struct vga *v)
{
    if (!v->window.parent)
        return;
    mem_begin(v->m);
    mem_remove(&v->window);
    for (unsigned i = 0; i < ARRAY_LEN(port_ranges); i++)
        mem_remove(&v->ports[i].mem);
    mem_remove(&v->dispi_ports);
    mem_end(v->m);
}

/* --- Life --- */

struct search {
    const char *name;
    bool found;
};

static bool same_name(void *opaque, struct ram *r)
{
    struct search *s = opaque;

    s->found |= !strcmp(r->name, s->name);
    return !s->found;
}

struct ram *vram_new(struct machine *m, const char *name, uint64_t size, struct err *e)
{
    char text[64];

    for (unsigned n = 0;; n++) {
        struct search s = {.name = text};

        snprintf(text, sizeof(text), n ? "%s.%u" : "%s", name, n);
        ram_each(m, same_name, &s);
        if (!s.found)
            return ram_new(m, text, size, e);
    }
}

int vga_init(struct vga *v, struct dev *d, struct err *e)
{
    uint64_t mb = v->vram_mb;

    if (mb < 1 || mb > 512 || mb & (mb - 1))
        return err_set(e, -EINVAL, "vgamem_mb=%llu: want a power of two from 1 to 512", (unsigned long long)mb);
    v->dev = d;
    v->m = d->m;
    v->size = (uint32_t)(mb << 20);
    if (!(v->vram = vram_new(d->m, "vga.vram", v->size, e)))
        return e->code;
    mem_init_ram(&v->vram_mem, "vga.vram", v->vram, 0, v->size);
    mem_init_container(&v->window, "vga.lowmem", LEGACY_SIZE);
    mem_init_mmio(&v->slow, "vga.planes", LEGACY_SIZE, &vga_mem_ops, v);
    v->slow.off = true;
    mem_add(&v->window, 0, &v->slow, 0);
    for (unsigned i = 0; i < ARRAY_LEN(port_ranges); i++) {
        v->ports[i].v = v;
        v->ports[i].at = port_ranges[i].at;
        mem_init_mmio(&v->ports[i].mem, "vga.ports", port_ranges[i].len, &port_ops, &v->ports[i]);
    }
    mem_init_mmio(&v->dispi_ports, "vbe.ports", 4, &dispi_ops, v);
    dispi_reset(&v->dispi, v->size);
    if (!v->console)
        v->console = console_new(machine_displays(d->m), &vga_console, v, d->id ? d->id : d->type->name, 0, false);
    return 0;
}

void vga_fini(struct vga *v)
{
    vga_hide(v);
    console_free(v->console);
    fb_fini(&v->fb);
}

void vga_reset(struct vga *v)
{
    v->misc = v->feature = 0;
    v->sr_index = v->gr_index = v->cr_index = v->ar_index = 0;
    v->ar_data = false;
    memset(v->sr, 0, sizeof(v->sr));
    memset(v->gr, 0, sizeof(v->gr));
    memset(v->cr, 0, sizeof(v->cr));
    memset(v->ar, 0, sizeof(v->ar));
    memset(v->palette, 0, sizeof(v->palette));
    memset(v->latch, 0, sizeof(v->latch));
    v->gr[8] = 0xff;
    v->dac_mask = 0xff;
    v->dac_read = v->dac_write = v->dac_sub = v->dac_state = 0;
    v->dispi_index = 0;
    dispi_reset(&v->dispi, v->size);
    vga_set_window(v);
    vga_changed(v);
}

int vga_loaded(struct vga *v, struct err *e)
{
    if (v->sr_index > 7 || v->gr_index > 15 || v->dac_sub > 2)
        return err_set(e, -EILSEQ, "VGA: an index is out of range");
    v->dispi.size = v->size;
    dispi_loaded(&v->dispi);
    vga_set_window(v);
    vga_changed(v);
    return 0;
}

const struct state vga_state[] = {
    STATE(vga, misc, S_U8, 1, NULL),
    STATE(vga, feature, S_U8, 1, NULL),
    STATE(vga, sr_index, S_U8, 1, "0..7"),
    STATE(vga, sr, S_U8, 1, NULL),
    STATE(vga, gr_index, S_U8, 1, "0..15"),
    STATE(vga, gr, S_U8, 1, NULL),
    STATE(vga, cr_index, S_U8, 1, NULL),
    STATE(vga, cr, S_U8, 1, NULL),
    STATE(vga, ar_index, S_U8, 1, NULL),
    STATE(vga, ar, S_U8, 1, NULL),
    STATE(vga, ar_data, S_BOOL, 1, NULL),
    STATE(vga, dac_mask, S_U8, 1, NULL),
    STATE(vga, dac_read, S_U8, 1, NULL),
    STATE(vga, dac_write, S_U8, 1, NULL),
    STATE(vga, dac_sub, S_U8, 1, "0..2"),
    STATE(vga, dac_state, S_U8, 1, NULL),
    STATE(vga, dac_cache, S_U8, 1, NULL),
    STATE(vga, palette, S_U8, 1, NULL),
    STATE(vga, latch, S_U8, 1, NULL),
    STATE(vga, dispi_index, S_U16, 1, NULL),
    {.name = "dispi", .kind = S_STRUCT, .offset = offsetof(struct vga, dispi), .n = 1, .elem = sizeof(struct dispi), .since = 1,
     .table = dispi_state},
    STATE_END,
};
