/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The VGA's ports 3B0 to 3DF (FreeVGA, "VGA Registers"; IBM PS/2 Hardware Interface Technical Reference, Video Subsystem, section 2). */
#include "dev/display/vga.h"

#include "base/bytes.h"

#include <string.h>

enum {
    PORT_ATTR = 0x3c0, PORT_ATTR_READ = 0x3c1, PORT_MISC_WRITE = 0x3c2, PORT_SEQ = 0x3c4, PORT_SEQ_DATA = 0x3c5,
    PORT_DAC_MASK = 0x3c6, PORT_DAC_READ = 0x3c7, PORT_DAC_WRITE = 0x3c8, PORT_DAC_DATA = 0x3c9, PORT_FEATURE = 0x3ca,
    PORT_MISC_READ = 0x3cc, PORT_GRAPHICS = 0x3ce, PORT_GRAPHICS_DATA = 0x3cf,
    PORT_CRTC_COLOR = 0x3d4, PORT_CRTC_MONO = 0x3b4,
};
enum { MISC_COLOR = 1, SENSE = 0x10, CR_PROTECT = 0x11, CR_OVERFLOW = 7, DAC_WRITES = 0, DAC_READS = 3 };

/* Bits that registers have. */
static const uint8_t sr_bits[8] = {0x03, 0x3d, 0x0f, 0x3f, 0x0e, 0, 0, 0xff};
static const uint8_t gr_bits[16] = {0x0f, 0x0f, 0x0f, 0x1f, 0x03, 0x7b, 0x0f, 0x0f, 0xff};

void vga_changed(struct vga *v)
{
    v->redraw = true;
}

/* A CRTC's ports answer at one of two places. */
static bool is_crtc(const struct vga *v, unsigned port, unsigned *offset)
{
    unsigned base = v->misc & MISC_COLOR ? PORT_CRTC_COLOR : PORT_CRTC_MONO;

    *offset = port - (base - 4) - 4;
    return port - (base - 4) < 12;
}

/* --- Reading --- */

/* 3BA, 3DA: a frame of 60 Hz with 525 lines, of which the last 45 are not seen; a sixth of a line is not, either. */
static uint8_t status(struct vga *v, bool debug)
{
    const int64_t frame = NS_PER_S / 60, line = frame / 525;
    int64_t t = clock_now(v->m, CLK_VIRT) % frame, y = t / line;
    uint8_t st = 0;

    if (y >= 480 || t % line > line * 5 / 6)
        st |= 1;
    if (y >= 490 && y < 492 + 8)
        st |= 8;
    if (!debug)
        v->ar_data = false;
    return st;
}

static uint8_t dac_data(struct vga *v, bool debug)
{
    uint8_t value = v->palette[v->dac_read * 3 + v->dac_sub % 3];

    if (debug)
        return value;
    if (++v->dac_sub == 3) {
        v->dac_sub = 0;
        v->dac_read++;
    }
    return value;
}

uint8_t vga_port_read(struct vga *v, unsigned port, bool debug)
{
    unsigned crtc;
    uint8_t value;

    if (v->ext && v->ext->read(v, port, debug, &value))
        return value;
    switch (port) {
    case PORT_ATTR: return v->ar_index;
    case PORT_ATTR_READ: return (v->ar_index & 31) < 21 ? v->ar[v->ar_index & 31] : 0;
    case PORT_MISC_WRITE: return SENSE;
    case PORT_SEQ: return v->sr_index;
    case PORT_SEQ_DATA: return v->sr[v->sr_index & 7];
    case PORT_DAC_MASK: return v->dac_mask;
    case PORT_DAC_READ: return v->dac_state;
    case PORT_DAC_WRITE: return v->dac_write;
    case PORT_DAC_DATA: return dac_data(v, debug);
    case PORT_FEATURE: return v->feature;
    case PORT_MISC_READ: return v->misc;
    case PORT_GRAPHICS: return v->gr_index;
    case PORT_GRAPHICS_DATA: return v->gr[v->gr_index & 15];
    }
    if (!is_crtc(v, port, &crtc))
        return 0xff;
    switch (crtc) {
    case 0: return v->cr_index;
    case 1: return v->cr[v->cr_index & 31];
    case 6: return status(v, debug);
    default: return 0xff;
    }
}

/* --- Writing --- */

static void attr_write(struct vga *v, uint8_t value)
{
    unsigned i = v->ar_index & 31;

    v->ar_data = !v->ar_data;
    if (v->ar_data) { /* it was the index's turn */
        v->ar_index = value & 0x3f;
        vga_changed(v);
        return;
    }
    if (i < 16)
        v->ar[i] = value & 0x3f;
    else if (i < 21)
        v->ar[i] = i == 0x10 ? value & 0xef : i == 0x12 ? value & 0x3f : i == 0x13 || i == 0x14 ? value & 0x0f : value;
    vga_changed(v);
}

static void dac_write(struct vga *v, uint8_t value)
{
    v->dac_cache[v->dac_sub % 3] = value;
    if (++v->dac_sub < 3)
        return;
    v->dac_sub = 0;
    memcpy(v->palette + v->dac_write * 3, v->dac_cache, 3);
    v->dac_write++;
    vga_changed(v);
}

static void crtc_write(struct vga *v, uint8_t value)
{
    unsigned i = v->cr_index & 31;

    if (v->cr[CR_PROTECT] & 0x80 && i <= CR_OVERFLOW) {
        if (i == CR_OVERFLOW) /* line compare's bit is not protected */
            v->cr[i] = (uint8_t)((v->cr[i] & ~0x10) | (value & 0x10));
        vga_changed(v);
        return;
    }
    v->cr[i] = value;
    if (i != 0x0e && i != 0x0f && i != 0x0a && i != 0x0b) /* the cursor is looked at each time */
        vga_changed(v);
}

static void crtc_port(struct vga *v, unsigned n, uint8_t value)
{
    if (n == 0)
        v->cr_index = value;
    else if (n == 1)
        crtc_write(v, value);
    else if (n == 6)
        v->feature = value & 0x10;
}

static void dac_port(struct vga *v, unsigned port, uint8_t value)
{
    switch (port) {
    case PORT_DAC_MASK:
        v->dac_mask = value;
        vga_changed(v);
        break;
    case PORT_DAC_READ:
        v->dac_read = value;
        v->dac_sub = 0;
        v->dac_state = DAC_READS;
        break;
    case PORT_DAC_WRITE:
        v->dac_write = value;
        v->dac_sub = 0;
        v->dac_state = DAC_WRITES;
        break;
    case PORT_DAC_DATA: dac_write(v, value); break;
    }
}

void vga_port_write(struct vga *v, unsigned port, uint8_t value)
{
    unsigned crtc;

    if (v->ext && v->ext->write(v, port, value))
        return;
    switch (port) {
    case PORT_ATTR: attr_write(v, value); return;
    case PORT_MISC_WRITE:
        v->misc = value & 0xef;
        break;
    case PORT_SEQ: v->sr_index = value & 7; return;
    case PORT_SEQ_DATA: v->sr[v->sr_index] = value & sr_bits[v->sr_index]; break;
    case PORT_DAC_MASK:
    case PORT_DAC_READ:
    case PORT_DAC_WRITE:
    case PORT_DAC_DATA: dac_port(v, port, value); return;
    case PORT_GRAPHICS: v->gr_index = value & 15; return;
    case PORT_GRAPHICS_DATA: v->gr[v->gr_index] = value & gr_bits[v->gr_index]; break;
    default:
        if (is_crtc(v, port, &crtc))
            crtc_port(v, crtc, value);
        return;
    }
    vga_set_window(v);
    vga_changed(v);
}

void vga_dispi_write(struct vga *v, unsigned index, uint16_t value)
{
    if (dispi_write(&v->dispi, index, value)) {
        uint64_t len = (uint64_t)v->dispi.stride * v->dispi.reg[DISPI_YRES] * (v->dispi.reg[DISPI_BPP] == 4 ? 4 : 1);

        len = len > v->size ? v->size : len;
        memset(v->vram->host, 0, len);
        ram_written(v->m, v->vram, 0, len);
    }
    vga_set_window(v);
    vga_changed(v);
}
