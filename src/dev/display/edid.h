/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a monitor says of itself (VESA E-EDID A2, structure 1.4). */
#ifndef DEV_DISPLAY_EDID_H
#define DEV_DISPLAY_EDID_H

#include <stdint.h>

enum { EDID_SIZE = 256 };

/** struct edid_info - what it can; 0: not said. */
struct edid_info {
    uint64_t xres, yres; /* preferred; 1280x800 */
    uint64_t xmax, ymax;
    uint64_t rate; /* mHz; 75 Hz */
};

/** edid_make - 128 bytes, and zeros. */
void edid_make(const struct edid_info *info, uint8_t edid[static EDID_SIZE]);

#endif
