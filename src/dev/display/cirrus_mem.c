/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CL-GD5446's memory as the CPU sees it: banks at A0000, the linear frame buffer, writes that are more than writes.  Contract: cirrus.h. */
#include "dev/display/cirrus.h"

#include "base/bytes.h"

#include <string.h>

enum { BANK = 0x8000, LOW = 0x10000, BLT_REGS = 256, AREA = 4 << 20 };
enum { EXT_DUAL = 1, EXT_BY8 = 2, EXT_WRITES = 4, EXT_LATCHES = 8, EXT_16 = 0x10, EXT_16K = 0x20 };
enum { CONFIG_MMIO = 4, CONFIG_MMIO_LINEAR = 0x40 };

static bool extended(const struct cirrus *c)
{
    return c->sr[SR_MODE7] & 1;
}

/* Write modes 4 and 5: bits become pixels of GR1's, and in mode 5 GR0's, colour. */
static bool expands(const struct cirrus *c)
{
    return extended(c) && c->gr[GR_EXT] & EXT_WRITES && (c->gr[5] & 7) >= 4 && (c->gr[5] & 7) <= 5;
}

static void store(struct cirrus *c, uint32_t at, uint8_t v)
{
    at &= c->vga.size - 1;
    c->vga.vram->host[at] = v;
    ram_written(c->vga.m, c->vga.vram, at, 1);
}

static void expand(struct cirrus *c, uint32_t at, uint8_t bits)
{
    bool wide = c->gr[GR_EXT] & EXT_16, all = (c->gr[5] & 7) == 5;

    at <<= c->gr[GR_EXT] & EXT_BY8 ? (wide ? 4 : 3) : 0;
    for (unsigned i = 0; i < 8; i++) {
        bool fg = bits & 0x80 >> i;

        if (!fg && !all)
            continue;
        store(c, at + (wide ? 2 * i : i), c->gr[fg ? GR_FG : GR_BG]);
        if (wide)
            store(c, at + 2 * i + 1, c->gr[fg ? 0x11 : 0x10]);
    }
}

static void write_byte(struct cirrus *c, uint32_t at, uint8_t v)
{
    if (expands(c))
        expand(c, at, v);
    else
        store(c, at, v);
}

/* --- The linear frame buffer --- */

static uint64_t lfb_read(void *opaque, paddr off, struct access a)
{
    const struct cirrus *c = opaque;
    uint64_t v = 0;

    for (unsigned i = 0; i < a.size; i++)
        v |= (uint64_t)c->vga.vram->host[(off + i) & (c->vga.size - 1)] << (8 * i);
    return v;
}

/* All bytes of an access that comes while the engine waits are its own, those behind the end too. */
static void lfb_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct cirrus *c = opaque;
    bool feeds = c->blitter;

    for (unsigned i = 0; i < a.size; i++) {
        if (!feeds)
            write_byte(c, (uint32_t)off + i, (uint8_t)(value >> (8 * i)));
        else if (c->blitter)
            cirrus_feed(c, (uint8_t)(value >> (8 * i)));
    }
}

static const struct mmio_ops lfb_ops = {.read = lfb_read, .write = lfb_write, .min = 1, .max = 8, .unaligned = true};

static uint64_t area_read(void *opaque, paddr off, struct access a)
{
    (void)opaque;
    (void)off;
    (void)a;
    return ~0ull;
}

static void area_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct cirrus *c = opaque;

    for (unsigned i = 0; i < a.size && c->blitter; i++)
        cirrus_feed(c, (uint8_t)(value >> (8 * i)));
}

static const struct mmio_ops area_ops = {.read = area_read, .write = area_write, .min = 1, .max = 8, .unaligned = true};

/* --- A0000 --- */

static uint32_t bank_base(const struct cirrus *c, unsigned n)
{
    bool dual = c->gr[GR_EXT] & EXT_DUAL;
    uint32_t base = (uint32_t)c->gr[dual && n ? GR_BANK1 : GR_BANK0] << (c->gr[GR_EXT] & EXT_16K ? 14 : 12);

    return dual ? base : base + n * BANK;
}

static uint32_t low_at(const struct cirrus *c, paddr off)
{
    return bank_base(c, (unsigned)(off / BANK) & 1) + (uint32_t)(off % BANK);
}

static uint64_t low_read(void *opaque, paddr off, struct access a)
{
    struct cirrus *c = opaque;
    uint64_t v = 0;

    for (unsigned i = 0; i < a.size; i++)
        v |= (uint64_t)c->vga.vram->host[low_at(c, off + i) & (c->vga.size - 1)] << (8 * i);
    return v;
}

static void low_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct cirrus *c = opaque;
    bool feeds = c->blitter;

    for (unsigned i = 0; i < a.size; i++) {
        if (!feeds)
            write_byte(c, low_at(c, off + i), (uint8_t)(value >> (8 * i)));
        else if (c->blitter)
            cirrus_feed(c, (uint8_t)(value >> (8 * i)));
    }
}

static const struct mmio_ops low_ops = {.read = low_read, .write = low_write, .min = 1, .max = 8, .unaligned = true};

/* --- The engine's registers in memory --- */

static uint64_t blt_regs_read(void *opaque, paddr off, struct access a)
{
    return cirrus_blt_read(opaque, (unsigned)off);
}

static void blt_regs_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    cirrus_blt_write(opaque, (unsigned)off, (uint8_t)value);
}

static const struct mmio_ops blt_regs_ops = {.read = blt_regs_read, .write = blt_regs_write, .min = 1, .max = 1};

/* BAR 1: ports 3C0 and on, from 100h on the engine's. */
static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct cirrus *c = opaque;

    if (off < 0x20)
        return vga_port_read(&c->vga, 0x3c0 + (unsigned)off, a.debug);
    return off >= 0x100 ? cirrus_blt_read(c, (unsigned)off - 0x100) : 0xff;
}

static void regs_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct cirrus *c = opaque;

    if (off < 0x20)
        vga_port_write(&c->vga, 0x3c0 + (unsigned)off, (uint8_t)value);
    else if (off >= 0x100)
        cirrus_blt_write(c, (unsigned)off - 0x100, (uint8_t)value);
}

static const struct mmio_ops regs_ops = {.read = regs_read, .write = regs_write, .min = 1, .max = 1};

/* --- What is where --- */

/* Banks that are plain memory are the guest's memory; others go byte by byte through low_ops. */
static void map_banks(struct cirrus *c)
{
    bool on = extended(c) && !c->blitter && !(c->gr[GR_EXT] & (EXT_BY8 | EXT_WRITES | EXT_LATCHES | EXT_16));

    for (unsigned i = 0; i < 2; i++)
        on = on && bank_base(c, i) + BANK <= c->vga.size;
    if (on == c->bank_on && (!on || (c->bank_at[0] == bank_base(c, 0) && c->bank_at[1] == bank_base(c, 1))))
        return;
    for (unsigned i = 0; i < 2; i++) {
        mem_remove(&c->bank[i]);
        c->bank_at[i] = bank_base(c, i);
        if (!on)
            continue;
        memset(&c->bank[i], 0, sizeof(c->bank[i]));
        mem_init_alias(&c->bank[i], "cirrus.bank", &c->vga.vram_mem, c->bank_at[i], BANK);
        mem_add(&c->vga.window, i * BANK, &c->bank[i], 3);
    }
    c->bank_on = on;
}

static void enable(struct mem *m, bool on)
{
    if (m->off == on)
        mem_enable(m, on);
}

void cirrus_map(struct cirrus *c)
{
    uint8_t config = c->sr[SR_CONFIG];

    mem_begin(c->vga.m);
    map_banks(c);
    enable(&c->low, extended(c) || c->blitter);
    enable(&c->lfb_slow, c->blitter || expands(c));
    enable(&c->low_regs, (config & (CONFIG_MMIO | CONFIG_MMIO_LINEAR)) == CONFIG_MMIO);
    enable(&c->lfb_regs, (config & (CONFIG_MMIO | CONFIG_MMIO_LINEAR)) == (CONFIG_MMIO | CONFIG_MMIO_LINEAR));
    mem_end(c->vga.m);
}

void cirrus_mem_init(struct cirrus *c)
{
    struct vga *v = &c->vga;

    mem_init_container(&c->lfb, "cirrus.lfb", CIRRUS_BAR);
    mem_init_mmio(&c->lfb_slow, "cirrus.linear", v->size, &lfb_ops, c);
    mem_init_mmio(&c->lfb_regs, "cirrus.linear-regs", BLT_REGS, &blt_regs_ops, c);
    mem_init_mmio(&c->area, "cirrus.blt", AREA, &area_ops, c);
    mem_init_mmio(&c->low, "cirrus.low", LOW, &low_ops, c);
    mem_init_mmio(&c->low_regs, "cirrus.low-regs", BLT_REGS, &blt_regs_ops, c);
    mem_init_mmio(&c->regs, "cirrus.regs", CIRRUS_REGS, &regs_ops, c);
    c->lfb_slow.off = c->lfb_regs.off = c->low.off = c->low_regs.off = true;
    mem_add(&c->lfb, 0, &v->vram_mem, 0);
    mem_add(&c->lfb, 0, &c->lfb_slow, 1);
    mem_add(&c->lfb, v->size - BLT_REGS, &c->lfb_regs, 2);
    mem_add(&c->lfb, CIRRUS_BLT_AREA, &c->area, 0);
    mem_add(&v->window, 0, &c->low, 2);
    mem_add(&v->window, 0x18000, &c->low_regs, 4);
}
