/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CL-GD5446's own modes as a frame buffer, with the cursor in it.  Contract and source: cirrus.h. */
#include "dev/display/cirrus.h"

#include <string.h>

enum { CURSOR_ON = 1, CURSOR_64 = 4, PATTERNS = 16384, HDR_565 = 1 };

static enum fb_format format(const struct cirrus *c)
{
    switch (c->sr[SR_MODE7] >> 1 & 7) {
    case 0: return FB_8;
    case 1:
    case 3: return (c->hidden & 15) == HDR_565 ? FB_RGB565 : FB_XRGB1555;
    case 2: return FB_RGB888;
    case 4: return FB_XRGB8888;
    default: return FB_NONE;
    }
}

/* --- The cursor: two planes in the last 16 KiB; 00 nothing, 01 the picture inverted, 10 and 11 the two colours --- */

static uint32_t dot(const struct cirrus *c, unsigned n)
{
    const uint8_t *p = c->extra + 3 * n;
    uint32_t v = 0;

    for (unsigned i = 0; i < 3; i++)
        v = v << 8 | (p[i] & 63u) << 2 | (p[i] & 63u) >> 4;
    return v;
}

static unsigned cursor_size(const struct cirrus *c)
{
    return c->sr[SR_CURSOR] & CURSOR_64 ? 64 : 32;
}

/* 64: sixteen bytes a line, plane 0 and plane 1; 32: 128 bytes of plane 0, then of plane 1. */
static const uint8_t *pattern(const struct cirrus *c, unsigned *len)
{
    bool big = cursor_size(c) == 64;

    *len = big ? 1024 : 256;
    return c->vga.vram->host + c->vga.size - PATTERNS + (c->sr[SR_PATTERN] & (big ? 0x3c : 0x3f)) * 256u;
}

static void cursor_row(void *opaque, unsigned y, uint32_t *row, unsigned width)
{
    const struct cirrus *c = opaque;
    unsigned n = cursor_size(c), x0 = c->sr[SR_CURSOR_X] * 8u + c->cursor_low[0], y0 = c->sr[SR_CURSOR_Y] * 8u + c->cursor_low[1];
    const uint8_t *p0 = c->shown, *p1;

    if (y < y0 || y >= y0 + n)
        return;
    p0 += (y - y0) * (n == 64 ? 16 : 4);
    p1 = p0 + (n == 64 ? 8 : 128);
    for (unsigned i = 0; i < n && x0 + i < width; i++) {
        unsigned bits = (p1[i / 8] << (i & 7) & 0x80) >> 6 | (p0[i / 8] << (i & 7) & 0x80) >> 7;

        if (bits == 1)
            row[x0 + i] ^= 0xffffff;
        else if (bits)
            row[x0 + i] = dot(c, bits & 1);
    }
}

/* Its picture may have changed: it lies in memory. */
static void look_at_cursor(struct cirrus *c, struct fb *fb)
{
    unsigned len;
    const uint8_t *p = pattern(c, &len);

    fb->overlay = c->sr[SR_CURSOR] & CURSOR_ON ? cursor_row : NULL;
    fb->overlay_opaque = c;
    if (!fb->overlay || !memcmp(c->shown, p, len))
        return;
    memcpy(c->shown, p, len);
    vga_changed(&c->vga);
}

/* SR1's bit that turns the screen off is not looked at: the usual VGA BIOS (SeaBIOS's) leaves it on in these modes. */
bool cirrus_view(struct vga *v, struct fb *fb)
{
    struct cirrus *c = cirrus_of(v);
    const uint8_t *cr = v->cr;
    unsigned lines = (cr[0x12] | (cr[7] & 2u) << 7 | (cr[7] & 0x40u) << 3) + 1;

    fb->overlay = NULL;
    if (!(c->sr[SR_MODE7] & 1) || !(v->ar_index & 0x20) || format(c) == FB_NONE)
        return false;
    fb->format = format(c);
    fb->width = (cr[1] + 1u) * 8;
    fb->height = lines / ((cr[9] & 31u) + 1) / (cr[9] & 0x80 ? 2 : 1);
    fb->stride = (cr[0x13] | (c->cr[0x1b] & 0x10u) << 4) * 8;
    fb->off = ((uint64_t)cr[0x0c] << 8 | cr[0x0d] | (c->cr[0x1b] & 1u) << 16 | (c->cr[0x1b] & 0x0cu) << 15 |
               (c->cr[0x1d] & 0x80u) << 12) * 4;
    look_at_cursor(c, fb);
    return true;
}
