/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Character devices for network back ends (guestfwd=): net/ knows none, so the program makes them. */
#include "app/system/sys.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct line {
    struct chr *chr;
    bool own; /* made for this */
    size_t (*room)(void *to);
    void (*data)(void *to, const uint8_t *buf, size_t len);
    void *to;
};

static size_t line_room(void *opaque)
{
    struct line *l = opaque;

    return l->room(l->to);
}

static void line_data(void *opaque, const uint8_t *buf, size_t len)
{
    struct line *l = opaque;

    l->data(l->to, buf, len);
}

static const struct chr_front front = {.room = line_room, .data = line_data};

static void line_close(void *line)
{
    struct line *l = line;

    chr_detach(l->chr, l);
    if (l->own)
        chr_close(l->chr);
    free(l);
}

static void *line_open(void *opaque, const char *id, const char *text, size_t (*room)(void *to),
                       void (*data)(void *to, const uint8_t *buf, size_t len), void *to,
                       struct err *e)
{
    struct sys *s = opaque;
    struct chr *c = machine_backend(s->m, "chardev", text);
    bool own = !c;
    struct json_object *o;
    struct line *l;

    if (own) {
        if (!(o = chr_text_opts(id, text, e)) || !(c = chr_open(&s->chr_env, o, e)))
            return NULL;
    }
    if (!(l = calloc(1, sizeof(*l))))
        fatal("out of memory");
    *l = (struct line){.chr = c, .own = own, .room = room, .data = data, .to = to};
    if (chr_attach(c, &front, l, e) < 0) {
        if (own)
            chr_close(c);
        free(l);
        return NULL;
    }
    return l;
}

static size_t line_write(void *line, const uint8_t *buf, size_t len)
{
    struct line *l = line;

    return chr_write(l->chr, l, buf, len);
}

static void line_wake(void *line)
{
    struct line *l = line;

    chr_wake(l->chr, l);
}

const struct net_lines net_lines_chr = {
    .open = line_open, .write = line_write, .wake = line_wake, .close = line_close};
