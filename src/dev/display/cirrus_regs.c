/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The CL-GD5446's registers beyond the VGA's, and the starts of its engine.  Contract and source: cirrus.h. */
#include "dev/display/cirrus.h"

#include "base/bytes.h"

#include <string.h>

enum { DAC_HIDDEN_AFTER = 4, CR_TOGGLE = 0x24, CR_LATCH = 0x22, CR_ATTR = 0x26, CR_ID = 0x27, ID_5446 = 0xb8, MODE5_READS = 0x7f };
enum { BLT_BUSY = 1, BLT_START = 2, BLT_RESET = 4, BLT_PROGRESS = 8, BLT_AUTOSTART = 0x80, CURSOR_EXTRA_DAC = 2 };

/* Bits of GR9 to GR39 that keep what is written. */
static const uint8_t gr_bits[CIRRUS_GRS] = {
    [GR_BANK0] = 0xff, [GR_BANK1] = 0xff, [GR_EXT] = 0xff, [0x10] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    [0x20] = 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0x1f, 0xff, 0xff, 0x3f, 0, 0xff, 0xff, 0x3f, 0xff,
    [0x30] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, [0x38] = 0xff, 0xff,
};

/* --- The engine --- */

static uint32_t gr16(const struct cirrus *c, unsigned i)
{
    return get_le16(c->gr + i);
}

static uint32_t gr24(const struct cirrus *c, unsigned i)
{
    return gr16(c, i) | (uint32_t)c->gr[i + 2] << 16;
}

/* A colour of four bytes, the other registers of which are two apart. */
static uint32_t color(const struct cirrus *c, unsigned low, unsigned high)
{
    return c->gr[low] | (uint32_t)c->gr[high] << 8 | (uint32_t)c->gr[high + 2] << 16 | (uint32_t)c->gr[high + 4] << 24;
}

void cirrus_blt_setup(struct cirrus *c)
{
    struct blt *b = &c->blt;

    memset(b, 0, sizeof(*b));
    b->vram = c->vga.vram->host;
    b->mask = c->vga.size - 1;
    b->width = (gr16(c, 0x20) & (BLT_WIDTH_MAX - 1)) + 1;
    b->height = (gr16(c, 0x22) & (BLT_HEIGHT_MAX - 1)) + 1; /* eleven bits */
    b->dst_pitch = gr16(c, 0x24);
    b->src_pitch = gr16(c, 0x26);
    b->dst = gr24(c, 0x28);
    b->src = gr24(c, 0x2c);
    b->skip = c->gr[0x2f];
    b->mode = c->gr[0x30];
    b->rop = c->gr[0x32];
    b->ext = c->gr[0x33];
    b->key = gr16(c, 0x34);
    b->bg = color(c, GR_BG, 0x10);
    b->fg = color(c, GR_FG, 0x11);
}

/* Which memory was written: from the first line to the last, or all when that goes around. */
static void tell_written(struct cirrus *c)
{
    const struct blt *b = &c->blt;
    uint64_t len = (uint64_t)(b->height - 1) * b->dst_pitch + b->width, first = b->dst & b->mask;

    if (b->mode & BLT_BACKWARDS || first + len > c->vga.size)
        ram_written(c->vga.m, c->vga.vram, 0, c->vga.size);
    else
        ram_written(c->vga.m, c->vga.vram, first, len);
}

static void ended(struct cirrus *c)
{
    tell_written(c);
    c->gr[GR_BLT_START] &= (uint8_t)~(BLT_BUSY | BLT_START | BLT_PROGRESS);
    c->blitter = 0;
}

static void start(struct cirrus *c)
{
    cirrus_blt_setup(c);
    if (c->blt.mode & BLT_TO_SYSTEM) {
        guest_error(&c->pci.dev, "transfers from video memory to the system are not there");
        c->gr[GR_BLT_START] &= (uint8_t)~BLT_START;
        return;
    }
    c->gr[GR_BLT_START] |= BLT_BUSY | BLT_PROGRESS;
    blt_run(&c->blt);
    c->blitter = c->blt.mode & BLT_FROM_SYSTEM;
    if (!c->blitter)
        ended(c);
}

void cirrus_feed(struct cirrus *c, uint8_t byte)
{
    if (!blt_feed(&c->blt, byte))
        return;
    ended(c);
    cirrus_map(c);
}

static void start_write(struct cirrus *c, uint8_t v)
{
    uint8_t was = c->gr[GR_BLT_START];

    c->gr[GR_BLT_START] = (uint8_t)((was & (BLT_BUSY | BLT_PROGRESS)) | (v & ~(BLT_BUSY | BLT_PROGRESS)));
    if (was & BLT_RESET && !(v & BLT_RESET)) {
        c->gr[GR_BLT_START] &= (uint8_t)~(BLT_BUSY | BLT_START | BLT_PROGRESS);
        c->blitter = 0;
    } else if (!(was & BLT_START) && v & BLT_START && !(v & BLT_RESET)) {
        start(c);
    }
    cirrus_map(c);
}

/* --- Graphics registers --- */

static void gr_write(struct cirrus *c, unsigned i, uint8_t v)
{
    if (i == GR_BLT_START) {
        start_write(c, v);
        return;
    }
    c->gr[i] = v & gr_bits[i];
    if (i == 0x2a && c->gr[GR_BLT_START] & BLT_AUTOSTART && !c->blitter)
        start(c);
    if (i <= GR_EXT || i == 0x2a)
        cirrus_map(c);
}

/* Place in the memory-mapped block to graphics register; 0: none (GR0 is the first, and stands by itself). */
static const uint8_t by_place[0x41] = {
    [0x00] = 0x00, 0x10, 0x12, 0x14, 0x01, 0x11, 0x13, 0x15, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29, 0x2a, 0,
    0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0, 0x32, 0x33, 0x34, 0x35, [0x20] = 0x38, 0x39, [0x40] = GR_BLT_START,
};

static unsigned place(unsigned off)
{
    return off < sizeof(by_place) && (!off || by_place[off]) ? by_place[off] : CIRRUS_GRS;
}

uint8_t cirrus_blt_read(const struct cirrus *c, unsigned off)
{
    unsigned i = place(off);

    return i < CIRRUS_GRS ? c->gr[i] : 0xff;
}

void cirrus_blt_write(struct cirrus *c, unsigned off, uint8_t value)
{
    unsigned i = place(off);

    if (i == GR_BG || i == GR_FG)
        c->gr[i] = value;
    else if (i < CIRRUS_GRS)
        gr_write(c, i, value);
}

/* --- Sequencer registers --- */

static void sr_write(struct cirrus *c, uint8_t v)
{
    unsigned i = c->sr_index & 31;

    switch (i) {
    case SR_UNLOCK: v = (v & 0x17) == 0x12 ? 0x12 : 0x0f; break;
    case SR_CURSOR_X:
    case SR_CURSOR_Y: c->cursor_low[i - SR_CURSOR_X] = c->sr_index >> 5; break;
    case SR_CONFIG: v = (uint8_t)((v & 0xc7) | (c->sr[i] & 0x38)); break; /* which bus */
    }
    c->sr[i] = v;
    cirrus_map(c);
    vga_changed(&c->vga);
}

/* --- The palette: HDR behind four reads of 3C6, the cursor's colours instead of entries 0 and 15 --- */

static bool extra_dac(const struct cirrus *c, uint8_t index, unsigned *n)
{
    *n = index ? 1 : 0;
    return c->sr[SR_CURSOR] & CURSOR_EXTRA_DAC && (index & 15) % 15 == 0;
}

static bool dac_read(struct cirrus *c, unsigned port, bool debug, uint8_t *value)
{
    struct vga *v = &c->vga;
    unsigned n;

    if (port == 0x3c6) {
        bool hidden = c->dac_reads == DAC_HIDDEN_AFTER;

        if (!debug)
            c->dac_reads = hidden ? 0 : c->dac_reads + 1;
        *value = c->hidden;
        return hidden;
    }
    c->dac_reads = debug ? c->dac_reads : 0;
    if (port != 0x3c9 || !extra_dac(c, v->dac_read, &n))
        return false;
    *value = c->extra[3 * n + v->dac_sub % 3];
    if (!debug && ++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_read++;
    }
    return true;
}

static bool dac_write(struct cirrus *c, unsigned port, uint8_t value)
{
    struct vga *v = &c->vga;
    bool hidden = port == 0x3c6 && c->dac_reads == DAC_HIDDEN_AFTER;
    unsigned n;

    c->dac_reads = 0;
    if (hidden) {
        c->hidden = value;
        vga_changed(v);
        return true;
    }
    if (port != 0x3c9 || !extra_dac(c, v->dac_write, &n))
        return false;
    c->extra[3 * n + v->dac_sub % 3] = value & 63;
    if (++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_write++;
        vga_changed(v);
    }
    return true;
}

/* --- Ports --- */

static uint8_t cr_read(const struct cirrus *c)
{
    const struct vga *v = &c->vga;
    unsigned i = c->cr_index & 63;

    switch (i) {
    case CR_LATCH: return v->latch[v->gr[4] & 3];
    case CR_TOGGLE: return v->ar_data ? 0x80 : 0;
    case 0x25: return 0;
    case CR_ATTR: return v->ar_index & 0x3f;
    case CR_ID: return ID_5446;
    default: return i < 0x1e ? c->cr[i] : 0xff;
    }
}

static bool ext_read(struct vga *v, unsigned port, bool debug, uint8_t *value)
{
    struct cirrus *c = cirrus_of(v);
    unsigned crtc = v->misc & 1 ? 0x3d4 : 0x3b4;

    if (port >= 0x3c6 && port <= 0x3c9)
        return dac_read(c, port, debug, value);
    if (port == 0x3c4)
        *value = c->sr_index;
    else if (port == 0x3c5 && (c->sr_index & 31) >= SR_UNLOCK)
        *value = c->sr[c->sr_index & 31];
    else if (port == 0x3ce)
        *value = c->gr_index;
    else if (port == 0x3cf && ((c->gr_index & 63) >= GR_BANK0 || (c->gr_index & 63) < 2 || (c->gr_index & 63) == 5))
        *value = (c->gr_index & 63) < 0x3a ? c->gr[c->gr_index & 63] : 0xff;
    else if (port == crtc)
        *value = c->cr_index;
    else if (port == crtc + 1 && (c->cr_index & 63) > 0x18)
        *value = cr_read(c);
    else
        return false;
    return true;
}

static bool index_write(struct cirrus *c, unsigned port, unsigned crtc, uint8_t value)
{
    if (port == 0x3c4)
        c->sr_index = value;
    else if (port == 0x3ce)
        c->gr_index = value;
    else if (port == crtc)
        c->cr_index = value;
    return false; /* the VGA keeps what it knows of it */
}

static bool ext_write(struct vga *v, unsigned port, uint8_t value)
{
    struct cirrus *c = cirrus_of(v);
    unsigned crtc = v->misc & 1 ? 0x3d4 : 0x3b4, gr = c->gr_index & 63, cr = c->cr_index & 63;

    if (port >= 0x3c6 && port <= 0x3c9)
        return dac_write(c, port, value);
    if (port == 0x3c5 && (c->sr_index & 31) >= SR_UNLOCK) {
        sr_write(c, value);
        return true;
    }
    if (port == 0x3cf && (gr < 2 || gr == 5)) {
        c->gr[gr] = value & (gr == 5 ? MODE5_READS : 0xff);
        cirrus_map(c);
        return false;
    }
    if (port == 0x3cf && gr >= GR_BANK0) {
        gr_write(c, gr, value);
        return true;
    }
    if (port == crtc + 1 && cr > 0x18) {
        if (cr < 0x1e)
            c->cr[cr] = value;
        vga_changed(v);
        return true;
    }
    return index_write(c, port, crtc, value);
}

const struct vga_ext cirrus_ext = {.read = ext_read, .write = ext_write, .view = cirrus_view};
