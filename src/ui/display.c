/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Consoles, who looks at them, and when their pictures are brought up to date.  Contract: display.h. */
#include "ui/display.h"

#include "base/loop.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Between rounds: while something changes, and after QUIET rounds in which nothing did. */
enum { BUSY_MS = 30, QUIET_MS = 100, QUIET = 60 };

struct viewer {
    struct displays *d;
    const struct viewer_ops *ops;
    void *opaque;
    struct console *at;
    struct viewer *next;
};

struct console {
    struct displays *d;
    const struct console_source *source;
    void *opaque;
    char *name;
    unsigned head;
    bool text;
    bool changed; /* in this round */
    struct surface s;
    struct cursor cursor; /* no pixels: none */
    int cursor_x, cursor_y;
    bool cursor_visible;
    struct console *next;
};

struct displays {
    struct loop_timer *timer;
    bool armed;
    unsigned quiet; /* rounds without a change */
    struct console *consoles;
    struct viewer *viewers;
};

static void *alloc(size_t size)
{
    void *p = calloc(1, size);

    if (!p)
        fatal("out of memory");
    return p;
}

/* --- Rounds --- */

static bool anybody(const struct displays *d)
{
    for (const struct viewer *v = d->viewers; v; v = v->next)
        if (v->at)
            return true;
    return false;
}

static void arm(struct displays *d)
{
    struct timespec t;

    if (!d->timer || d->armed)
        return;
    clock_gettime(CLOCK_MONOTONIC, &t);
    d->armed = true;
    loop_arm(d->timer, t.tv_sec * 1000000000ll + t.tv_nsec + (d->quiet < QUIET ? BUSY_MS : QUIET_MS) * 1000000ll);
}

static bool looked_at(const struct console *c)
{
    for (const struct viewer *v = c->d->viewers; v; v = v->next)
        if (v->at == c)
            return true;
    return false;
}

bool displays_refresh(struct displays *d)
{
    bool any = false;

    for (struct console *c = d->consoles; c; c = c->next) {
        if (!looked_at(c))
            continue;
        console_update(c);
        if (!c->changed)
            continue;
        any = true;
        c->changed = false;
        for (struct viewer *v = d->viewers; v; v = v->next)
            if (v->at == c && v->ops->refreshed)
                v->ops->refreshed(v->opaque, c);
    }
    return any;
}

static void tick(void *opaque)
{
    struct displays *d = opaque;

    d->armed = false;
    if (!anybody(d))
        return;
    d->quiet = displays_refresh(d) ? 0 : d->quiet + 1;
    arm(d);
}

struct displays *displays_new(struct loop *loop)
{
    struct displays *d = alloc(sizeof(*d));

    if (loop)
        d->timer = loop_add_timer(loop, tick, d);
    return d;
}

void displays_free(struct displays *d)
{
    if (!d)
        return;
    while (d->viewers)
        viewer_free(d->viewers);
    while (d->consoles) {
        struct console *c = d->consoles;

        if (c->source->ended)
            c->source->ended(c->opaque);
        console_free(c);
    }
    if (d->timer)
        loop_del_timer(d->timer);
    free(d);
}

/* --- Consoles --- */

static bool set_size(struct surface *s, unsigned width, unsigned height)
{
    uint32_t *pixels;

    if (!width || !height || width > DISPLAY_MAX || height > DISPLAY_MAX || (uint64_t)width * height > DISPLAY_MAX_PIXELS)
        return false;
    if (!(pixels = calloc((size_t)width * height, sizeof(*pixels))))
        return false;
    free(s->pixels);
    *s = (struct surface){ width, height, width * 4, pixels };
    return true;
}

struct console *console_new(struct displays *d, const struct console_source *s, void *opaque, const char *name, unsigned head, bool text)
{
    struct console *c = alloc(sizeof(*c)), **at = &d->consoles;

    *c = (struct console){ .d = d, .source = s, .opaque = opaque, .head = head, .text = text };
    if (!(c->name = strdup(name)) || !set_size(&c->s, 640, 480))
        fatal("out of memory");
    while (*at && (text || !(*at)->text))
        at = &(*at)->next;
    c->next = *at;
    *at = c;
    return c;
}

void console_free(struct console *c)
{
    struct console **at;

    if (!c)
        return;
    for (at = &c->d->consoles; *at != c; at = &(*at)->next)
        ;
    *at = c->next;
    for (struct viewer *v = c->d->viewers, *next; v; v = next) {
        next = v->next;
        if (v->at != c)
            continue;
        v->at = NULL;
        if (v->ops->gone)
            v->ops->gone(v->opaque, c);
    }
    free((uint32_t *)(uintptr_t)c->cursor.pixels);
    free(c->s.pixels);
    free(c->name);
    free(c);
}

bool console_resize(struct console *c, unsigned width, unsigned height)
{
    if (c->s.width == width && c->s.height == height)
        return true;
    if (!set_size(&c->s, width, height))
        return false;
    c->changed = true;
    console_invalidate(c);
    for (struct viewer *v = c->d->viewers; v; v = v->next)
        if (v->at == c && v->ops->resized)
            v->ops->resized(v->opaque, c);
    return true;
}

struct surface *console_surface(struct console *c)
{
    return &c->s;
}

void console_dirty(struct console *c, unsigned x, unsigned y, unsigned w, unsigned h)
{
    if (x >= c->s.width || y >= c->s.height || !w || !h)
        return;
    w = w > c->s.width - x ? c->s.width - x : w;
    h = h > c->s.height - y ? c->s.height - y : h;
    c->changed = true;
    for (struct viewer *v = c->d->viewers; v; v = v->next)
        if (v->at == c && v->ops->dirty)
            v->ops->dirty(v->opaque, c, x, y, w, h);
}

void console_set_cursor(struct console *c, const struct cursor *shape)
{
    size_t size = shape ? (size_t)shape->width * shape->height * 4 : 0;
    uint32_t *copy = NULL;

    if (shape && (!size || shape->width > 512 || shape->height > 512))
        return;
    if (shape) {
        copy = alloc(size);
        memcpy(copy, shape->pixels, size);
    }
    free((uint32_t *)(uintptr_t)c->cursor.pixels);
    c->cursor = shape ? *shape : (struct cursor){ 0 };
    c->cursor.pixels = copy;
    for (struct viewer *v = c->d->viewers; v; v = v->next)
        if (v->at == c && v->ops->cursor)
            v->ops->cursor(v->opaque, c, console_cursor(c));
}

const struct cursor *console_cursor(const struct console *c)
{
    return c->cursor.pixels ? &c->cursor : NULL;
}

void console_move_cursor(struct console *c, int x, int y, bool visible)
{
    c->cursor_x = x;
    c->cursor_y = y;
    c->cursor_visible = visible;
    for (struct viewer *v = c->d->viewers; v; v = v->next)
        if (v->at == c && v->ops->cursor_at)
            v->ops->cursor_at(v->opaque, c, x, y, visible);
}

void console_update(struct console *c)
{
    if (c->source->update)
        c->source->update(c->opaque);
}

void console_invalidate(struct console *c)
{
    if (c->source->invalidate)
        c->source->invalidate(c->opaque);
}

void console_ui_size(struct console *c, unsigned width, unsigned height)
{
    if (c->source->ui_size && width && height && width <= DISPLAY_MAX && height <= DISPLAY_MAX)
        c->source->ui_size(c->opaque, width, height);
}

bool console_is_text(const struct console *c)
{
    return c->text;
}

void console_type(struct console *c, uint32_t keysym)
{
    if (c->source->type)
        c->source->type(c->opaque, keysym);
}

const char *console_name(const struct console *c)
{
    return c->name;
}

unsigned console_head(const struct console *c)
{
    return c->head;
}

struct console *displays_console(const struct displays *d, unsigned n)
{
    struct console *c = d->consoles;

    while (c && n--)
        c = c->next;
    return c;
}

struct console *displays_find(const struct displays *d, const char *name, unsigned head)
{
    struct console *c = d->consoles;

    while (c && (c->head != head || strcmp(c->name, name) != 0))
        c = c->next;
    return c;
}

/* --- Viewers --- */

struct viewer *viewer_new(struct displays *d, const struct viewer_ops *ops, void *opaque)
{
    struct viewer *v = alloc(sizeof(*v));

    *v = (struct viewer){ .d = d, .ops = ops, .opaque = opaque, .next = d->viewers };
    d->viewers = v;
    return v;
}

void viewer_look(struct viewer *v, struct console *c)
{
    v->at = c;
    if (!c)
        return;
    console_update(c);
    if (v->ops->resized)
        v->ops->resized(v->opaque, c);
    if (v->ops->cursor)
        v->ops->cursor(v->opaque, c, console_cursor(c));
    if (v->ops->cursor_at)
        v->ops->cursor_at(v->opaque, c, c->cursor_x, c->cursor_y, c->cursor_visible);
    if (v->ops->refreshed)
        v->ops->refreshed(v->opaque, c);
    v->d->quiet = 0;
    arm(v->d);
}

struct console *viewer_console(const struct viewer *v)
{
    return v->at;
}

void viewer_free(struct viewer *v)
{
    struct viewer **at;

    if (!v)
        return;
    for (at = &v->d->viewers; *at != v; at = &(*at)->next)
        ;
    *at = v->next;
    free(v);
}
