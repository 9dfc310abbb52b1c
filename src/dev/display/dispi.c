/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VBE DISPI interface, by which drivers set linear modes (Bochs, "VBE DISPI interface", version 0xB0C5). */
#include "dev/display/vga.h"

enum { ID_FIRST = 0xb0c0, ID_LAST = 0xb0c5, MAX_XRES = 16000, MAX_YRES = 12000, MAX_BPP = 32 };

static bool is_bpp(unsigned v)
{
    return v == 4 || v == 8 || v == 15 || v == 16 || v == 24 || v == 32;
}

/* Bytes of one row of @width pixels; bpp 4: of a plane, of which there are four. */
static uint32_t row_bytes(const struct dispi *d, uint32_t width)
{
    unsigned bpp = d->reg[DISPI_BPP];

    return bpp == 4 ? width / 8 : width * ((bpp + 7) / 8);
}

static uint32_t memory_of(const struct dispi *d)
{
    return d->reg[DISPI_BPP] == 4 ? d->size / 4 : d->size;
}

/* What has been asked for becomes something that fits; the rest follows from it. */
static void fix(struct dispi *d)
{
    uint16_t *r = d->reg;
    uint32_t bits, rows;

    if (!is_bpp(r[DISPI_BPP]))
        r[DISPI_BPP] = 8;
    if (r[DISPI_XRES] < 8)
        r[DISPI_XRES] = 8;
    if (r[DISPI_XRES] > DISPLAY_MAX)
        r[DISPI_XRES] = DISPLAY_MAX;
    r[DISPI_XRES] &= (uint16_t)~7u;
    if (r[DISPI_VIRT_WIDTH] < r[DISPI_XRES])
        r[DISPI_VIRT_WIDTH] = r[DISPI_XRES];
    r[DISPI_VIRT_WIDTH] &= (uint16_t)~7u;
    d->stride = row_bytes(d, r[DISPI_VIRT_WIDTH]);
    if (d->stride > memory_of(d)) {
        r[DISPI_VIRT_WIDTH] = r[DISPI_XRES];
        d->stride = row_bytes(d, r[DISPI_XRES]);
    }
    rows = memory_of(d) / d->stride;
    rows = rows > DISPLAY_MAX ? DISPLAY_MAX : rows;
    if (!r[DISPI_YRES])
        r[DISPI_YRES] = 1;
    if (r[DISPI_YRES] > rows)
        r[DISPI_YRES] = (uint16_t)rows;
    r[DISPI_VIRT_HEIGHT] = (uint16_t)rows;
    bits = r[DISPI_BPP] == 4 ? r[DISPI_X_OFFSET] / 8u : r[DISPI_X_OFFSET] * ((r[DISPI_BPP] + 7) / 8u);
    d->start = r[DISPI_Y_OFFSET] * d->stride + bits;
    if ((uint64_t)d->start + (uint64_t)d->stride * r[DISPI_YRES] > memory_of(d)) {
        r[DISPI_X_OFFSET] = r[DISPI_Y_OFFSET] = 0;
        d->start = 0;
    }
}

void dispi_reset(struct dispi *d, uint32_t size)
{
    *d = (struct dispi){.size = size};
    d->reg[DISPI_ID] = ID_LAST;
    d->reg[DISPI_MEMORY_64K] = (uint16_t)(size >> 16);
}

uint16_t dispi_read(const struct dispi *d, unsigned index)
{
    bool caps = d->reg[DISPI_ENABLE] & DISPI_GETCAPS;

    if (index >= DISPI_NUM)
        return 0;
    if (caps && index == DISPI_XRES)
        return MAX_XRES;
    if (caps && index == DISPI_YRES)
        return MAX_YRES;
    if (caps && index == DISPI_BPP)
        return MAX_BPP;
    return d->reg[index];
}

static bool enable(struct dispi *d, uint16_t v)
{
    bool was = dispi_on(d);

    d->reg[DISPI_ENABLE] = v & (DISPI_ENABLED | DISPI_GETCAPS | DISPI_8BIT_DAC | DISPI_LFB | DISPI_NOCLEAR);
    if (!(v & DISPI_ENABLED)) {
        d->reg[DISPI_BANK] = 0;
        return false;
    }
    if (was)
        return false;
    d->reg[DISPI_VIRT_WIDTH] = d->reg[DISPI_X_OFFSET] = d->reg[DISPI_Y_OFFSET] = 0;
    fix(d);
    return !(v & DISPI_NOCLEAR);
}

bool dispi_write(struct dispi *d, unsigned index, uint16_t v)
{
    switch (index) {
    case DISPI_ID:
        if (v >= ID_FIRST && v <= ID_LAST)
            d->reg[index] = v;
        break;
    case DISPI_XRES:
    case DISPI_YRES: /* only while no mode is on, as Bochs has it */
        if (!dispi_on(d))
            d->reg[index] = v;
        break;
    case DISPI_BPP:
        if (!dispi_on(d))
            d->reg[index] = v ? v : 8;
        break;
    case DISPI_ENABLE: return enable(d, v);
    case DISPI_BANK: /* 64 KiB each; bits 15 and 14 say of which kind */
        v &= 0x3fff;
        if ((uint32_t)v << 16 < d->size)
            d->reg[index] = v;
        break;
    case DISPI_VIRT_WIDTH:
    case DISPI_X_OFFSET:
    case DISPI_Y_OFFSET:
        d->reg[index] = v;
        if (dispi_on(d))
            fix(d);
        break;
    }
    return false;
}

void dispi_loaded(struct dispi *d)
{
    d->reg[DISPI_MEMORY_64K] = (uint16_t)(d->size >> 16);
    if ((uint32_t)d->reg[DISPI_BANK] << 16 >= d->size)
        d->reg[DISPI_BANK] = 0;
    if (dispi_on(d))
        fix(d);
}

bool dispi_view(const struct dispi *d, struct fb *fb)
{
    static const enum fb_format by_bytes[] = {FB_NONE, FB_8, FB_RGB565, FB_RGB888, FB_XRGB8888};
    unsigned bpp = d->reg[DISPI_BPP];

    if (!dispi_on(d) || bpp == 4)
        return false;
    fb->off = d->start;
    fb->width = d->reg[DISPI_XRES];
    fb->height = d->reg[DISPI_YRES];
    fb->stride = d->stride;
    fb->format = bpp == 15 ? FB_XRGB1555 : by_bytes[bpp / 8];
    return true;
}

const struct state dispi_state[] = {
    STATE(dispi, reg, S_U16, 1, NULL),
    STATE_END,
};
