/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EDID blocks: VESA Enhanced EDID Standard, Release A, Revision 2, section 3. */
#include "dev/display/edid.h"

#include "base/bytes.h"

#include <stdbool.h>
#include <string.h>

enum { MM_PER_100_PX = 25 /* about a hundred dots an inch */, TIMINGS = 54, TIMING_LEN = 18 };

/* 3.9: established timings I and II, bit by bit; 3.9.1: standard timings (width, height ratio 16:10, 4:3, 5:4, 16:9). */
static const struct { uint16_t x, y; uint8_t byte, bit; } established[] = {
    {640, 480, 35, 5}, {800, 600, 35, 0}, {1024, 768, 36, 3},
};
static const struct { uint16_t x, y; uint8_t ratio; } standard[] = {
    {1920, 1080, 3}, {1920, 1200, 0}, {1600, 1200, 1}, {1680, 1050, 0},
    {1440, 900, 0}, {1280, 1024, 2}, {1280, 960, 1}, {1280, 800, 0},
};

static bool has(const struct edid_info *i, unsigned x, unsigned y)
{
    return (!i->xmax || x <= i->xmax) && (!i->ymax || y <= i->ymax);
}

/* 3.10.2: a detailed timing, with blanking as wide as most monitors like it (CVT, reduced). */
static void detailed(uint8_t *d, uint32_t x, uint32_t y, uint32_t rate_mhz)
{
    uint32_t hblank = 160, vblank = y / 30 + 6, hfront = 48, hsync = 32, vfront = 3, vsync = 6;
    uint64_t clock = (uint64_t)(x + hblank) * (y + vblank) * rate_mhz / 1000 / 10000;
    uint32_t mm_x = x * MM_PER_100_PX / 100, mm_y = y * MM_PER_100_PX / 100;

    put_le16(d, clock > 65535 ? 65535 : (uint16_t)clock);
    d[2] = (uint8_t)x;
    d[3] = (uint8_t)hblank;
    d[4] = (uint8_t)(x >> 8 << 4 | hblank >> 8);
    d[5] = (uint8_t)y;
    d[6] = (uint8_t)vblank;
    d[7] = (uint8_t)(y >> 8 << 4 | vblank >> 8);
    d[8] = (uint8_t)hfront;
    d[9] = (uint8_t)hsync;
    d[10] = (uint8_t)(vfront << 4 | vsync);
    d[12] = (uint8_t)mm_x;
    d[13] = (uint8_t)mm_y;
    d[14] = (uint8_t)((mm_x >> 8 & 15) << 4 | (mm_y >> 8 & 15));
    d[17] = 0x18; /* digital separate sync */
}

static void text(uint8_t *d, uint8_t kind, const char *s)
{
    d[3] = kind;
    memset(d + 5, ' ', 13);
    memcpy(d + 5, s, strlen(s));
    d[5 + strlen(s)] = '\n';
}

static void limits(uint8_t *d)
{
    static const uint8_t range[] = {50, 125, 30, 160, 60 /* 600 MHz */, 0, '\n', ' ', ' ', ' ', ' ', ' ', ' '};

    d[3] = 0xfd;
    memcpy(d + 5, range, sizeof(range));
}

void edid_make(const struct edid_info *info, uint8_t e[static EDID_SIZE])
{
    static const uint8_t head[] = {0, 255, 255, 255, 255, 255, 255, 0, 0x15, 0xb5 /* EMU, five bits a letter */, 1, 0};
    static const uint8_t srgb[] = {0xee, 0x91, 0xa3, 0x54, 0x4c, 0x99, 0x26, 0x0f, 0x50, 0x54};
    uint64_t x = info->xres ? info->xres : 1280, y = info->yres ? info->yres : 800;
    uint8_t sum = 0;

    x = x > 4095 ? 4095 : x;
    y = y > 4095 ? 4095 : y;
    memset(e, 0, EDID_SIZE);
    memcpy(e, head, sizeof(head));
    e[17] = 2022 - 1990;
    e[18] = 1;
    e[19] = 4;
    e[20] = 0xa5; /* digital, 8 bits a colour, DisplayPort */
    e[21] = (uint8_t)(x * MM_PER_100_PX / 1000);
    e[22] = (uint8_t)(y * MM_PER_100_PX / 1000);
    e[23] = 120; /* gamma 2.2 */
    e[24] = 0x06; /* sRGB; the first timing is preferred */
    memcpy(e + 25, srgb, sizeof(srgb));
    for (unsigned i = 0; i < ARRAY_LEN(established); i++)
        if (has(info, established[i].x, established[i].y))
            e[established[i].byte] |= (uint8_t)(1 << established[i].bit);
    memset(e + 38, 1, 16);
    for (unsigned i = 0, n = 0; i < ARRAY_LEN(standard); i++)
        if (has(info, standard[i].x, standard[i].y)) {
            e[38 + n++] = (uint8_t)(standard[i].x / 8 - 31);
            e[38 + n++] = (uint8_t)(standard[i].ratio << 6);
        }
    detailed(e + TIMINGS, (uint32_t)x, (uint32_t)y, info->rate ? (uint32_t)(info->rate > 500000 ? 500000 : info->rate) : 75000);
    limits(e + TIMINGS + TIMING_LEN);
    text(e + TIMINGS + 2 * TIMING_LEN, 0xfc, "Emu Monitor");
    e[TIMINGS + 3 * TIMING_LEN + 3] = 0x10; /* unused */
    for (unsigned i = 0; i < 127; i++)
        sum = (uint8_t)(sum + e[i]);
    e[127] = (uint8_t)-sum;
}
