/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Screens.  A graphics device (or a text console) has a console, which holds its picture; viewers (a VNC server, later windows and
 * a browser's page) look at consoles.  The device is asked to bring the picture up to date while somebody looks, a few dozen times
 * a second, and otherwise never: a screen that nobody sees costs nothing.
 *
 * Under the machine's lock or on the main loop's thread, which has it.
 */
#ifndef UI_DISPLAY_H
#define UI_DISPLAY_H

#include "base/err.h"
#include "ui/input.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct console;
struct displays;
struct loop;

/* The largest picture, in pixels each way: whoever asks for more gets none. */
enum { DISPLAY_MAX = 8192, DISPLAY_MAX_PIXELS = 4096 * 4096 };

/** struct surface - pixels as 0x00RRGGBB in the host's order, rows from the top, @stride bytes apart. */
struct surface {
    uint32_t width, height, stride;
    uint32_t *pixels;
};
static inline uint32_t *surface_row(const struct surface *s, unsigned y)
{
    return (uint32_t *)(void *)((uint8_t *)s->pixels + (size_t)y * s->stride);
}

/** struct cursor - a pointer's picture that is not part of the screen's: 0xAARRGGBB, not premultiplied, rows without gaps. */
struct cursor {
    unsigned width, height; /* 1 to 512 */
    unsigned hot_x, hot_y;
    const uint32_t *pixels;
};

/** struct console_source - who paints a console; constant.  Functions that are NULL do nothing. */
struct console_source {
    /** update - bring the picture up to date: console_resize(), then draw what has changed, and console_dirty() that. */
    void (*update)(void *opaque);
    /** invalidate - the picture's content is lost or wanted whole: the next update draws everything. */
    void (*invalidate)(void *opaque);
    /** ui_size - a viewer would like this size. */
    void (*ui_size)(void *opaque, unsigned width, unsigned height);
    /** type - text consoles: a key, as a keysym, typed to the console itself and not to the machine. */
    void (*type)(void *opaque, uint32_t keysym);
    /** ended - all screens end before their source does: the console is gone. */
    void (*ended)(void *opaque);
};

/** struct viewer_ops - who looks; constant.  Functions that are NULL do nothing. */
struct viewer_ops {
    void (*resized)(void *opaque, struct console *c); /* another surface: all of it is to be taken anew */
    void (*dirty)(void *opaque, struct console *c, unsigned x, unsigned y, unsigned w, unsigned h); /* inside the surface */
    void (*refreshed)(void *opaque, struct console *c); /* after each round of updates that said dirty or resized */
    void (*cursor)(void *opaque, struct console *c, const struct cursor *shape); /* NULL: none, or part of the picture */
    void (*cursor_at)(void *opaque, struct console *c, int x, int y, bool visible);
    void (*gone)(void *opaque, struct console *c); /* it ends: viewer_look() at another, or at NULL */
};

/** displays_new - @loop: where refreshes are timed; NULL (tests): displays_refresh() is called by hand. */
struct displays *displays_new(struct loop *loop);
void displays_free(struct displays *d);

/**
 * console_new - @name: as `screendump` and `info` have it, the device's id or its type; @head counts screens of one device.
 * It begins with a black picture of 640x480.
 * @text: a text console, which takes keys itself and yields the first place to graphics.
 */
struct console *console_new(struct displays *d, const struct console_source *s, void *opaque, const char *name, unsigned head, bool text);
void console_free(struct console *c); /* NULL: nothing */
/** console_resize - a black picture of this size, unless it has the size; false: too large, and the old one stays. */
bool console_resize(struct console *c, unsigned width, unsigned height);
struct surface *console_surface(struct console *c);
/** console_dirty - cut to what is inside. */
void console_dirty(struct console *c, unsigned x, unsigned y, unsigned w, unsigned h);
void console_set_cursor(struct console *c, const struct cursor *shape); /* copied; NULL: none */
void console_move_cursor(struct console *c, int x, int y, bool visible);
const struct cursor *console_cursor(const struct console *c); /* NULL: none */
/** console_update - now, also when nobody looks: what screendump does. */
void console_update(struct console *c);
void console_invalidate(struct console *c);
void console_ui_size(struct console *c, unsigned width, unsigned height);
bool console_is_text(const struct console *c);
void console_type(struct console *c, uint32_t keysym);
const char *console_name(const struct console *c);
unsigned console_head(const struct console *c);

/** displays_console - number @n, from 0: graphics before text, each in the order of birth; NULL: there are fewer.
 * displays_find - by device and head. */
struct console *displays_console(const struct displays *d, unsigned n);
struct console *displays_find(const struct displays *d, const char *name, unsigned head);

/** viewer_new - looks at nothing yet, and costs nothing.  viewer_look - at @c from now on, NULL: at nothing; it is told resized() at once. */
struct viewer *viewer_new(struct displays *d, const struct viewer_ops *ops, void *opaque);
void viewer_look(struct viewer *v, struct console *c);
struct console *viewer_console(const struct viewer *v);
void viewer_free(struct viewer *v);

/** displays_refresh - one round: consoles that somebody looks at.  True: something has changed. */
bool displays_refresh(struct displays *d);

/**
 * picture_write - @s into @fd, from where it stands: "ppm" (P6) or "png".  -EINVAL for another format, -ENOTSUP when the program was
 * built without libpng; others are the host's.
 */
int picture_write(const struct surface *s, int fd, const char *format, struct err *e);
/** picture_has_png - was libpng there? */
bool picture_has_png(void);

#endif
