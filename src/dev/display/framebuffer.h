/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linear frame buffers in guest RAM: what was written since the last look is brought to a console.  Under the machine's lock. */
#ifndef DEV_DISPLAY_FRAMEBUFFER_H
#define DEV_DISPLAY_FRAMEBUFFER_H

#include "bus/machine.h"
#include "ui/display.h"

enum fb_format {
    FB_NONE,
    FB_8,        /* an index into @colors */
    FB_XRGB1555, /* little endian words, names from the highest bits on */
    FB_RGB565,
    FB_RGB888,
    FB_XRGB8888,
    FB_XBGR8888,
    FB_RGBX8888,
    FB_BGRX8888,
};

/** struct fb - zero it; the first members say what is to be seen, the rest is fb_draw's. */
struct fb {
    struct ram *ram;
    uint64_t off; /* of the first pixel, in ram */
    uint32_t width, height, stride;
    enum fb_format format;
    const uint32_t *colors; /* FB_8: 256 pixels */
    /* overlay - a finished row, before it is compared: what lies over the picture.  NULL: nothing; what changes it asks for all. */
    void (*overlay)(void *opaque, unsigned y, uint32_t *row, unsigned width);
    void *overlay_opaque;

    struct ram *was_ram;
    uint64_t was_off;
    uint32_t was_width, was_height, was_stride, n_pages;
    enum fb_format was_format;
    uint8_t *pages; /* as ram_take_dirty says it; bit 1: it did so last time */
};

unsigned fb_bytes(enum fb_format f); /* of a pixel */
/** fb_fits - is all of it inside of its RAM, and no larger than a console may be? */
bool fb_fits(const struct fb *fb);
/** fb_draw - what has changed, or @all of it, to @c, which gets its size.  What does not fit is not drawn. */
void fb_draw(struct fb *fb, struct machine *m, struct console *c, bool all);
void fb_fini(struct fb *fb);

#endif
