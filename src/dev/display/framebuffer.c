/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linear frame buffers: rows on pages that were written are converted and compared.  Contract: framebuffer.h. */
#include "dev/display/framebuffer.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <string.h>

enum { PAGE = 1 << RAM_PAGE_BITS, WRITTEN = 1, BEFORE = 2 };

unsigned fb_bytes(enum fb_format f)
{
    switch (f) {
    case FB_NONE: return 0;
    case FB_8: return 1;
    case FB_XRGB1555:
    case FB_RGB565: return 2;
    case FB_RGB888: return 3;
    default: return 4;
    }
}

bool fb_fits(const struct fb *fb)
{
    uint64_t row = (uint64_t)fb->width * fb_bytes(fb->format), len;

    if (!fb->ram || !row || !fb->height || fb->width > DISPLAY_MAX || fb->height > DISPLAY_MAX ||
        (uint64_t)fb->width * fb->height > DISPLAY_MAX_PIXELS || fb->stride < row)
        return false;
    len = (uint64_t)fb->stride * (fb->height - 1) + row;
    return fb->off <= fb->ram->size && len <= fb->ram->size - fb->off;
}

static uint32_t rgb(unsigned r, unsigned g, unsigned b)
{
    return r << 16 | g << 8 | b;
}

static unsigned five(unsigned v)
{
    return (v & 31) << 3 | (v & 31) >> 2;
}

static unsigned six(unsigned v)
{
    return (v & 63) << 2 | (v & 63) >> 4;
}

static void convert_16(uint32_t *out, const uint8_t *in, unsigned n, bool fifteen)
{
    for (unsigned x = 0; x < n; x++, in += 2) {
        unsigned v = get_le16(in);

        out[x] = fifteen ? rgb(five(v >> 10), five(v >> 5), five(v)) : rgb(five(v >> 11), six(v >> 5), five(v));
    }
}

static void convert_32(uint32_t *out, const uint8_t *in, unsigned n, enum fb_format format)
{
    for (unsigned x = 0; x < n; x++, in += 4) {
        uint32_t v = get_le32(in);

        switch (format) {
        case FB_XBGR8888: v = (v & 0xff) << 16 | (v & 0xff00) | (v >> 16 & 0xff); break;
        case FB_RGBX8888: v = v >> 8; break;
        case FB_BGRX8888: v = __builtin_bswap32(v); break;
        default: break;
        }
        out[x] = v & 0xffffff;
    }
}

static void convert(const struct fb *fb, uint32_t *out, const uint8_t *in)
{
    unsigned n = fb->width;

    switch (fb->format) {
    case FB_NONE: break;
    case FB_8:
        for (unsigned x = 0; x < n; x++)
            out[x] = fb->colors[in[x]];
        break;
    case FB_XRGB1555:
    case FB_RGB565: convert_16(out, in, n, fb->format == FB_XRGB1555); break;
    case FB_RGB888:
        for (unsigned x = 0; x < n; x++, in += 3)
            out[x] = rgb(in[2], in[1], in[0]);
        break;
    default: convert_32(out, in, n, fb->format); break;
    }
}

/* Is it another picture than last time? */
static bool moved(struct fb *fb)
{
    uint64_t len = (uint64_t)fb->stride * fb->height + PAGE;

    if (fb->was_ram == fb->ram && fb->was_off == fb->off && fb->was_width == fb->width && fb->was_height == fb->height &&
        fb->was_stride == fb->stride && fb->was_format == fb->format)
        return false;
    fb->was_ram = fb->ram;
    fb->was_off = fb->off;
    fb->was_width = fb->width;
    fb->was_height = fb->height;
    fb->was_stride = fb->stride;
    fb->was_format = fb->format;
    fb->n_pages = (uint32_t)(len / PAGE) + 2;
    free(fb->pages);
    if (!(fb->pages = calloc(1, fb->n_pages)))
        fatal("out of memory");
    return true;
}

/* A store may have been under way when the bits were taken: what was written last time is looked at once more. */
static void take(struct fb *fb, struct machine *m, uint64_t len)
{
    uint8_t *now = calloc(1, fb->n_pages);

    if (!now)
        fatal("out of memory");
    ram_take_dirty(m, fb->ram, fb->off, len, RAM_DISPLAY, now);
    for (uint32_t i = 0; i < fb->n_pages; i++)
        fb->pages[i] = (uint8_t)((fb->pages[i] & WRITTEN ? BEFORE : 0) | (now[i] ? WRITTEN : 0));
    free(now);
}

static bool row_written(const struct fb *fb, uint64_t first, uint64_t len)
{
    uint64_t base = fb->off / PAGE;

    for (uint64_t p = first / PAGE; p <= (first + len - 1) / PAGE; p++)
        if (fb->pages[p - base])
            return true;
    return false;
}

static bool draw_row(const struct fb *fb, struct surface *s, unsigned y, uint32_t *row)
{
    convert(fb, row, fb->ram->host + fb->off + (uint64_t)y * fb->stride);
    if (fb->overlay)
        fb->overlay(fb->overlay_opaque, y, row, fb->width);
    if (!memcmp(row, surface_row(s, y), fb->width * 4))
        return false;
    memcpy(surface_row(s, y), row, fb->width * 4);
    return true;
}

void fb_draw(struct fb *fb, struct machine *m, struct console *c, bool all)
{
    uint64_t row_len = (uint64_t)fb->width * fb_bytes(fb->format), len = (uint64_t)fb->stride * fb->height;
    struct surface *s = console_surface(c);
    unsigned first = 0, n = 0;
    uint32_t *row;

    if (!fb_fits(fb))
        return;
    all |= s->width != fb->width || s->height != fb->height;
    if (!console_resize(c, fb->width, fb->height) || !(row = malloc(fb->width * 4)))
        return;
    all |= moved(fb);
    take(fb, m, len);
    for (unsigned y = 0; y < fb->height; y++) {
        bool drawn = (all || row_written(fb, fb->off + (uint64_t)y * fb->stride, row_len)) && draw_row(fb, s, y, row);

        if (drawn && !n)
            first = y;
        if (drawn)
            n = y - first + 1;
        else if (n && y - first - n >= 16) { /* rows that changed close to each other go together */
            console_dirty(c, 0, first, fb->width, n);
            n = 0;
        }
    }
    if (n)
        console_dirty(c, 0, first, fb->width, n);
    free(row);
}

void fb_fini(struct fb *fb)
{
    free(fb->pages);
    fb->pages = NULL;
    fb->was_ram = NULL;
}
