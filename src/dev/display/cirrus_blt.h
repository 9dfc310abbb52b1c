/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The BitBLT engine of the CL-GD5446: rectangles of video memory from video memory, from what the CPU writes, or from patterns.
 * Source: Cirrus Logic, CL-GD5446 Technical Reference Manual (1996), "BitBLT Engine".  Where it is silent: what the chip that people use
 * in virtual machines does, as seen from a guest.
 */
#ifndef DEV_DISPLAY_CIRRUS_BLT_H
#define DEV_DISPLAY_CIRRUS_BLT_H

#include <stdbool.h>
#include <stdint.h>

/* GR30, BLT mode, and GR33, its extensions. */
enum { BLT_BACKWARDS = 1, BLT_TO_SYSTEM = 2, BLT_FROM_SYSTEM = 4, BLT_TRANSPARENT = 8, BLT_PATTERN = 0x40, BLT_EXPAND = 0x80 };
enum { BLT_DWORDS = 1, BLT_INVERT = 2, BLT_SOLID = 4 };
enum { BLT_WIDTH_MAX = 8192, BLT_HEIGHT_MAX = 2048 };

/** struct blt - one operation; rows that the CPU writes are gathered in @row. */
struct blt {
    uint8_t *vram;
    uint32_t mask;          /* of addresses: the size is a power of two */
    uint32_t dst, src, dst_pitch, src_pitch;
    uint32_t width, height; /* bytes, lines */
    uint32_t fg, bg, key;
    uint8_t mode, ext, rop, skip; /* skip: GR2F, pixels at the left that are left out; 24 bits a pixel: bytes */
    uint32_t y, have, row_len;    /* BLT_FROM_SYSTEM: lines that are done, bytes of the next one */
    uint8_t row[BLT_WIDTH_MAX + 4];
};

/** blt_run - all of it, or, BLT_FROM_SYSTEM, the beginning: blt_feed brings the rest. */
void blt_run(struct blt *b);
/** blt_feed - a byte that the CPU wrote; true: this was the last one. */
bool blt_feed(struct blt *b, uint8_t byte);
/** blt_bytes - of a pixel. */
unsigned blt_bytes(const struct blt *b);

#endif
