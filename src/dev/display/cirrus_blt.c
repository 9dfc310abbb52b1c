/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rectangles for the CL-GD5446.  Contract and sources: cirrus_blt.h. */
#include "dev/display/cirrus_blt.h"

#include <string.h>

unsigned blt_bytes(const struct blt *b)
{
    return (b->mode >> 4 & 3) + 1;
}

/* GR32: sixteen operations of a source and a destination bit; an unknown one leaves the destination alone. */
static uint8_t operate(uint8_t rop, uint8_t s, uint8_t d)
{
    switch (rop) {
    case 0x00: return 0;
    case 0x05: return s & d;
    case 0x09: return s & (uint8_t)~d;
    case 0x0b: return (uint8_t)~d;
    case 0x0d: return s;
    case 0x0e: return 0xff;
    case 0x50: return (uint8_t)~s & d;
    case 0x59: return s ^ d;
    case 0x6d: return s | d;
    case 0x90: return (uint8_t)~(s & d);
    case 0x95: return (uint8_t)~(s ^ d);
    case 0xad: return s | (uint8_t)~d;
    case 0xd0: return (uint8_t)~s;
    case 0xd6: return (uint8_t)~s | d;
    case 0xda: return (uint8_t)~(s | d);
    default: return d;
    }
}

/* --- One line --- */

/* A pixel of @n bytes; with @keyed, one that becomes the key colour stays as it was. */
static void put(struct blt *b, uint32_t at, const uint8_t *s, unsigned n, bool keyed)
{
    uint8_t out[4];
    uint32_t v = 0;

    for (unsigned i = 0; i < n; i++) {
        out[i] = operate(b->rop, s[i], b->vram[(at + i) & b->mask]);
        v |= (uint32_t)out[i] << (8 * i);
    }
    if (keyed && n <= 2 && v == (b->key & (n == 1 ? 0xff : 0xffff)))
        return;
    for (unsigned i = 0; i < n; i++)
        b->vram[(at + i) & b->mask] = out[i];
}

static void put_color(struct blt *b, uint32_t at, uint32_t color, unsigned n)
{
    uint8_t s[4] = {(uint8_t)color, (uint8_t)(color >> 8), (uint8_t)(color >> 16), (uint8_t)(color >> 24)};

    put(b, at, s, n, false);
}

/* Bits become colours: one pixel for each bit from @first on, of a line that repeats after @period bits (0: never). */
static void expand_line(struct blt *b, uint32_t at, const uint8_t *bits, uint32_t bits_at, uint32_t bits_mask, unsigned period)
{
    unsigned n = blt_bytes(b), first = period && n == 3 ? (b->skip & 31) / 3 : b->skip & 7;
    bool clear = b->mode & BLT_TRANSPARENT, inverted = b->ext & BLT_INVERT;

    for (uint32_t x = first; x * n < b->width; x++) {
        uint32_t i = period ? x % period : x;
        bool bit = bits[(bits_at + i / 8) & bits_mask] & 0x80 >> (i & 7);

        if (inverted && clear)
            bit = !bit;
        if (bit)
            put_color(b, at + x * n, inverted && clear ? b->bg : b->fg, n);
        else if (!clear)
            put_color(b, at + x * n, b->bg, n);
    }
}

static void copy_line(struct blt *b, uint32_t at, const uint8_t *from, uint32_t from_at, uint32_t from_mask)
{
    unsigned n = b->mode & BLT_TRANSPARENT ? blt_bytes(b) : 1;

    for (uint32_t x = 0; x < b->width; x += n) {
        uint8_t s[4];

        for (unsigned i = 0; i < n; i++)
            s[i] = from[(from_at + x + i) & from_mask];
        put(b, at + x, s, n, b->mode & BLT_TRANSPARENT);
    }
}

/* From the last byte to the first, as areas that overlap want it. */
static void copy_line_back(struct blt *b, uint32_t at, uint32_t from_at)
{
    unsigned n = b->mode & BLT_TRANSPARENT ? blt_bytes(b) : 1;

    for (uint32_t x = 0; x < b->width; x += n) {
        uint8_t s[4];
        uint32_t back = x + n - 1;

        for (unsigned i = 0; i < n; i++)
            s[i] = b->vram[(from_at - back + i) & b->mask];
        put(b, at - back, s, n, b->mode & BLT_TRANSPARENT);
    }
}

/* --- Patterns of eight by eight pixels: the first line is the first, whatever the lowest bits of the address --- */

static void pattern_line(struct blt *b, uint32_t at, uint32_t y)
{
    unsigned n = blt_bytes(b), stride = n == 3 ? 32 : 8 * n, first = n == 3 ? (b->skip & 31) / 3 : b->skip & 7;
    uint32_t base = (b->src & ~7u) + (y & 7) * stride, phase = n == 3 ? (b->skip & 7) - first : 0;

    for (uint32_t x = first; x * n < b->width; x++) {
        uint8_t s[4];

        for (unsigned i = 0; i < n; i++)
            s[i] = b->vram[(base + ((x + phase) & 7) * n + i) & b->mask];
        put(b, at + x * n, s, n, b->mode & BLT_TRANSPARENT);
    }
}

static void solid_line(struct blt *b, uint32_t at)
{
    unsigned n = blt_bytes(b);

    for (uint32_t x = 0; x < b->width; x += n)
        put_color(b, at + x, b->fg, n);
}

/* --- All lines --- */

/* Bytes of a line of bits; lines that the CPU writes may begin at multiples of four. */
static uint32_t bits_len(const struct blt *b)
{
    uint32_t pixels = (b->width + blt_bytes(b) - 1) / blt_bytes(b);

    return b->mode & BLT_FROM_SYSTEM && b->ext & BLT_DWORDS ? (pixels + 31) / 32 * 4 : (pixels + 7) / 8;
}

static void line(struct blt *b, uint32_t y)
{
    uint32_t at = b->dst + y * b->dst_pitch;

    if ((b->mode & (BLT_PATTERN | BLT_EXPAND)) == (BLT_PATTERN | BLT_EXPAND))
        b->ext & BLT_SOLID ? solid_line(b, at) : expand_line(b, at, b->vram, (b->src & ~7u) + (y & 7), b->mask, 8);
    else if (b->mode & BLT_PATTERN)
        pattern_line(b, at, y);
    else if (b->mode & BLT_EXPAND)
        expand_line(b, at, b->vram, b->src + y * bits_len(b), b->mask, 0);
    else if (b->mode & BLT_BACKWARDS)
        copy_line_back(b, b->dst - y * b->dst_pitch, b->src - y * b->src_pitch);
    else
        copy_line(b, at, b->vram, b->src + y * b->src_pitch, b->mask);
}

void blt_run(struct blt *b)
{
    b->y = b->have = 0;
    if (b->mode & BLT_FROM_SYSTEM) {
        b->row_len = b->mode & BLT_EXPAND ? bits_len(b) : (b->width + 3) & ~3u;
        return;
    }
    for (; b->y < b->height; b->y++)
        line(b, b->y);
}

bool blt_feed(struct blt *b, uint8_t byte)
{
    uint32_t at = b->dst + b->y * b->dst_pitch;

    b->row[b->have++] = byte;
    if (b->have < b->row_len)
        return false;
    if (b->mode & BLT_EXPAND)
        expand_line(b, at, b->row, 0, ~0u, 0);
    else
        copy_line(b, at, b->row, 0, ~0u);
    b->have = 0;
    return ++b->y >= b->height;
}
