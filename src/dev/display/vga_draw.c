/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From registers and planes to pixels, one scan line after the other as the CRTC does it (FreeVGA, "VGA Text Mode Operation", "VGA
 * Sequencer Operation", "VGA Display Generation").
 */
#include "dev/display/vga.h"

#include <string.h>

enum { DOTS_MAX = 257 * 16, PLANE = 0xffff };
enum { CURSOR_NS = 266666667, BLINK_NS = 533333333 }; /* 16 and 32 frames of 60 Hz, half of them off */

/* What the registers say of the picture as a whole. */
struct scan {
    unsigned cols, lines, dots; /* dots of a character */
    unsigned max_scan, offset, compare, pan;
    bool doubled, text, wide; /* wide: two dots a pixel */
    unsigned fonts[2];        /* plane 2; by bit 3 of the attribute */
    bool cursor_on, blink_on;
};

/* --- Colours --- */

static void set_colors(struct vga *v)
{
    bool eight = dispi_on(&v->dispi) && v->dispi.reg[DISPI_ENABLE] & DISPI_8BIT_DAC;

    for (unsigned i = 0; i < 256; i++) {
        const uint8_t *p = v->palette + 3 * (i & v->dac_mask);
        uint32_t c = 0;

        for (unsigned k = 0; k < 3; k++)
            c = c << 8 | (eight ? p[k] : (p[k] & 63u) << 2 | (p[k] & 63u) >> 4);
        v->colors[i] = c;
    }
}

/* The colour of a pixel of four bits. */
static uint32_t attr_color(const struct vga *v, unsigned pixel)
{
    uint8_t a = v->ar[pixel & v->ar[0x12] & 15];
    unsigned index = v->ar[0x10] & 0x80 ? (a & 15u) | (v->ar[0x14] & 15u) << 4 : (a & 63u) | (v->ar[0x14] & 12u) << 4;

    return v->colors[index];
}

/* --- Addresses --- */

/* Where the CRTC's counter leads, in each plane. */
static uint32_t address(const struct vga *v, uint32_t counter, unsigned scan)
{
    uint8_t mode = v->cr[0x17];
    uint32_t a = counter & PLANE;

    if (v->cr[0x14] & 0x40)
        a = v->sr[4] & 8 ? a : a << 2; /* chain-4 memory is packed here (vga.h) */
    else if (!(mode & 0x40))
        a = a << 1 | (mode & 0x20 ? a >> 15 : a >> 13 & 1);
    if (!(mode & 1))
        a = (a & ~0x2000u) | (scan & 1) << 13;
    if (!(mode & 2))
        a = (a & ~0x4000u) | (scan >> 1 & 1) << 14;
    return a & PLANE;
}

static const uint8_t *planes_at(const struct vga *v, uint32_t a)
{
    return v->vram->host + (size_t)a * 4;
}

/* --- Text --- */

static uint8_t glyph(const struct vga *v, const struct scan *s, unsigned ch, unsigned attr, unsigned scan)
{
    return planes_at(v, (s->fonts[attr >> 3 & 1] + ch * 32 + scan) & PLANE)[2];
}

static bool is_underlined(const struct vga *v, unsigned attr, unsigned scan)
{
    return v->ar[0x10] & 2 && (attr & 7) == 1 && scan == (v->cr[0x14] & 31u);
}

static bool at_cursor(const struct vga *v, const struct scan *s, uint32_t counter, unsigned scan)
{
    unsigned where = (unsigned)v->cr[0x0e] << 8 | v->cr[0x0f];

    return s->cursor_on && (counter & PLANE) == where && !(v->cr[0x0a] & 0x20) && scan >= (v->cr[0x0a] & 31u) &&
           scan <= (v->cr[0x0b] & 31u);
}

static uint32_t *text_cell(const struct vga *v, const struct scan *s, uint32_t counter, unsigned scan, uint32_t *out)
{
    const uint8_t *p = planes_at(v, address(v, counter, 0));
    unsigned ch = p[0], attr = p[1], fg = attr & 15, bg = attr >> 4;
    bool blinks = v->ar[0x10] & 8, line = ch >= 0xc0 && ch < 0xe0 && v->ar[0x10] & 4;
    uint8_t bits = glyph(v, s, ch, attr, scan);
    uint32_t on, off;

    if (blinks) {
        if (bg & 8 && !s->blink_on)
            bits = 0;
        bg &= 7;
    }
    if (at_cursor(v, s, counter, scan) || is_underlined(v, attr, scan)) {
        bits = 0xff;
        line = true;
    }
    on = attr_color(v, fg);
    off = attr_color(v, bg);
    for (unsigned i = 0; i < 8; i++) {
        uint32_t c = bits & 0x80 >> i ? on : off;

        *out++ = c;
        if (s->dots == 16)
            *out++ = c;
    }
    if (s->dots == 9) /* line graphics go through */
        *out++ = bits & 1 && line ? on : off;
    return out;
}

/* --- Graphics --- */

static unsigned planar_pixel(const uint8_t *p, unsigned i)
{
    unsigned bit = 7 - i;

    return (p[0] >> bit & 1) | (p[1] >> bit & 1) << 1 | (p[2] >> bit & 1) << 2 | (p[3] >> bit & 1) << 3;
}

/* The shift registers interleaved: two bits from an even plane, two from the next but one. */
static unsigned cga_pixel(const uint8_t *p, unsigned i)
{
    unsigned shift = 6 - 2 * (i & 3), odd = i >> 2;

    return (p[odd] >> shift & 3) | (p[odd + 2] >> shift & 3) << 2;
}

/* What eight dots (four pixels of 256 colours) are made of. */
static uint32_t *graphics_cell(const struct vga *v, const struct scan *s, const uint8_t *p, uint32_t *out)
{
    uint8_t mode = v->gr[5];

    if (mode & 0x40) {
        for (unsigned i = 0; i < 4; i++) {
            *out++ = v->colors[p[i]];
            *out++ = v->colors[p[i]];
        }
        return out;
    }
    for (unsigned i = 0; i < 8; i++) {
        uint32_t c = attr_color(v, mode & 0x20 ? cga_pixel(p, i) : planar_pixel(p, i));

        *out++ = c;
        if (s->wide)
            *out++ = c;
    }
    return out;
}

/* --- Lines --- */

static void read_fonts(const struct vga *v, struct scan *s)
{
    unsigned map = v->sr[3], a = (map >> 2 & 3) | (map >> 3 & 4), b = (map & 3) | (map >> 2 & 4);

    s->fonts[1] = (a & 3) * 0x4000 + (a >> 2) * 0x2000;
    s->fonts[0] = (b & 3) * 0x4000 + (b >> 2) * 0x2000;
}

static void read_scan(const struct vga *v, struct scan *s)
{
    const uint8_t *cr = v->cr;
    int64_t t = clock_now(v->m, CLK_VIRT);

    *s = (struct scan){
        .cols = cr[1] + 1u,
        .lines = (cr[0x12] | (cr[7] & 2u) << 7 | (cr[7] & 0x40u) << 3) + 1,
        .max_scan = cr[9] & 31,
        .offset = cr[0x13] * 2u,
        .compare = cr[0x18] | (cr[7] & 0x10u) << 4 | (cr[9] & 0x40u) << 3,
        .doubled = cr[9] & 0x80,
        .text = !(v->gr[6] & 1),
        .wide = v->sr[1] & 8,
        .cursor_on = !(t / (CURSOR_NS / 2) & 1),
        .blink_on = !(t / (BLINK_NS / 2) & 1),
    };
    if (cr[0x17] & 4)
        s->lines *= 2;
    s->dots = !s->text ? (s->wide && !(v->gr[5] & 0x40) ? 16 : 8) : s->wide ? 16 : v->sr[1] & 1 ? 8 : 9;
    s->pan = v->ar[0x13] & 15;
    if (s->dots == 9)
        s->pan = s->pan >= 8 ? 0 : s->pan + 1;
    else
        s->pan &= 7;
    if (s->dots == 16)
        s->pan *= 2;
    read_fonts(v, s);
}

static void draw_line(const struct vga *v, const struct scan *s, uint32_t base, unsigned scan, uint32_t *out)
{
    for (unsigned col = 0; col <= s->cols; col++)
        out = s->text ? text_cell(v, s, base + col, scan, out) : graphics_cell(v, s, planes_at(v, address(v, base + col, scan)), out);
}

/* A finished line: is it new?  Then it is taken, and gathered with those before into one rectangle. */
struct rows {
    struct console *c;
    unsigned first, n;
};

static void flush_rows(struct rows *r)
{
    if (r->n)
        console_dirty(r->c, 0, r->first, console_surface(r->c)->width, r->n);
    r->n = 0;
}

static void put_row(struct rows *r, unsigned y, const uint32_t *line)
{
    struct surface *s = console_surface(r->c);

    if (!memcmp(surface_row(s, y), line, s->width * 4)) {
        if (r->n && y - r->first - r->n >= 16)
            flush_rows(r);
        return;
    }
    memcpy(surface_row(s, y), line, s->width * 4);
    if (!r->n)
        r->first = y;
    r->n = y - r->first + 1;
}

static void draw_scan(struct vga *v, const struct scan *s)
{
    uint32_t base = ((uint32_t)v->cr[0x0c] << 8 | v->cr[0x0d]) + (v->cr[8] >> 5 & 3), line[DOTS_MAX];
    unsigned scan = v->cr[8] & 31, pan = s->pan;
    struct rows rows = {.c = v->console};
    bool again = false;

    if (!console_resize(v->console, s->cols * s->dots, s->lines))
        return;
    for (unsigned y = 0; y < s->lines; y++) {
        draw_line(v, s, base, scan, line);
        put_row(&rows, y, line + pan);
        if (y == s->compare) { /* the split screen begins */
            base = scan = 0;
            again = false;
            if (v->ar[0x10] & 0x20)
                pan = 0;
            continue;
        }
        again = s->doubled && !again;
        if (again)
            continue;
        if (scan++ >= s->max_scan) {
            scan = 0;
            base += s->offset;
        }
    }
    flush_rows(&rows);
}

static void draw_blank(struct vga *v)
{
    struct surface *s = console_surface(v->console);

    memset(s->pixels, 0, (size_t)s->stride * s->height);
    console_dirty(v->console, 0, 0, s->width, s->height);
}

/* DISPI with four bits a pixel: planes without the CRTC. */
static void draw_planar(struct vga *v)
{
    unsigned width = v->dispi.reg[DISPI_XRES], height = v->dispi.reg[DISPI_YRES];
    struct rows rows = {.c = v->console};
    struct scan s = {0};
    uint32_t line[DISPLAY_MAX], *out;

    if (!console_resize(v->console, width, height))
        return;
    for (unsigned y = 0; y < height; y++) {
        out = line;
        for (unsigned x = 0; x < width / 8; x++)
            out = graphics_cell(v, &s, planes_at(v, v->dispi.start + y * v->dispi.stride + x), out);
        put_row(&rows, y, line);
    }
    flush_rows(&rows);
}

/* --- The console --- */

/* What changes by itself: the cursor, blinking characters; and where the cursor is. */
static uint32_t phase(const struct vga *v, const struct scan *s)
{
    if (!s->text)
        return 0;
    return 1u | s->cursor_on << 1 | s->blink_on << 2 | v->cr[0x0a] << 3 | (uint32_t)v->cr[0x0b] << 9 |
           ((uint32_t)v->cr[0x0e] << 8 | v->cr[0x0f]) << 15;
}

static void draw_vga(struct vga *v)
{
    bool blank = !(v->ar_index & 0x20) || v->sr[1] & 0x20;
    bool planar = dispi_on(&v->dispi), all = v->redraw, written;
    struct scan s;
    uint32_t now;

    read_scan(v, &s);
    now = phase(v, &s);
    written = ram_take_dirty(v->m, v->vram, 0, planar ? v->size : 4 * (PLANE + 1), RAM_DISPLAY, NULL);
    all |= written || now != v->drawn_phase;
    v->drawn_phase = now;
    v->redraw = written; /* a store may have been under way */
    if (!all)
        return;
    if (planar)
        draw_planar(v);
    else if (blank)
        draw_blank(v);
    else
        draw_scan(v, &s);
}

static void update(void *opaque)
{
    struct vga *v = opaque;
    bool linear = v->ext ? v->ext->view(v, &v->fb) : dispi_view(&v->dispi, &v->fb), all = v->redraw;

    if (all)
        set_colors(v);
    v->fb.ram = v->vram;
    v->fb.colors = v->colors;
    if (!linear) {
        draw_vga(v);
        return;
    }
    v->redraw = false;
    fb_draw(&v->fb, v->m, v->console, all);
}

static void invalidate(void *opaque)
{
    vga_changed(opaque);
}

const struct console_source vga_console = {.update = update, .invalidate = invalidate};
