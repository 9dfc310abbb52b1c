/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vc: a text console among the screens.  What is written is shown in a terminal, what is typed there goes to the front end.  The font is
 * that of the VGA's BIOS, looked for in the folders of firmware (Debian's package seabios).
 */
#include "ui/chr_priv.h"
#include "ui/display.h"
#include "ui/terminal.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { GLYPH_W = 8, GLYPH_H = 16, FONT = 256 * GLYPH_H, ROM_MAX = 1 << 18, TYPED = 256 };

struct vc {
    struct chr chr;
    uint64_t width, height, cols, rows;
    struct terminal term;
    struct console *console; /* NULL: there are no screens */
    const uint8_t *font;     /* NULL: none was found, and there are only blocks */
    bool changed;
    char typed[TYPED]; /* the front end has not taken it yet */
    unsigned n_typed;
};

static const struct field vc_opts[] = {
    FIELD(vc, width, F_U64, "width", "0", "pixels"),
    FIELD(vc, height, F_U64, "height", "0", "pixels"),
    FIELD(vc, cols, F_U64, "cols", "0", "characters in a line"),
    FIELD(vc, rows, F_U64, "rows", "0", "lines"),
    FIELD_END,
};

static struct vc *vc_of(struct chr *c)
{
    return (struct vc *)c;
}

/* --- The font --- */

/* A font of 8x16 is known by its capital A. */
static bool find_font(const char *path, uint8_t font[FONT])
{
    static const uint8_t capital_a[GLYPH_H] = {0, 0, 0x10, 0x38, 0x6c, 0xc6, 0xc6, 0xfe, 0xc6, 0xc6, 0xc6, 0xc6};
    uint8_t *rom = malloc(ROM_MAX);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 && rom ? read(fd, rom, ROM_MAX) : -1;
    uint8_t *a = n > 0 ? memmem(rom, (size_t)n, capital_a, sizeof(capital_a)) : NULL;
    size_t before = 'A' * GLYPH_H;
    bool found = a && (size_t)(a - rom) >= before && (size_t)(rom + n - a) >= FONT - before;

    if (found)
        memcpy(font, a - before, FONT);
    if (fd >= 0)
        close(fd);
    free(rom);
    return found;
}

static const uint8_t *font_of(const struct chr_env *env)
{
    static uint8_t font[FONT];
    static bool there;
    char path[4096];

    for (char *const *dir = env->firmware; !there && dir && *dir; dir++) {
        snprintf(path, sizeof(path), "%s/vgabios-stdvga.bin", *dir);
        there = find_font(path, font);
    }
    return there ? font : NULL;
}

/* --- Drawing --- */

static uint32_t color(unsigned n)
{
    unsigned on = n & 8 ? 0xff : 0xaa;
    unsigned off = n & 8 ? 0x55 : 0;

    return (n & 1 ? on : off) << 16 | (n & 2 ? on : off) << 8 | (n & 4 ? on : off);
}

static uint8_t glyph_row(const struct vc *v, const struct cell *c, unsigned row)
{
    if (c->underline && row == GLYPH_H - 2)
        return 0xff;
    if (v->font)
        return v->font[c->ch * GLYPH_H + row];
    return c->ch != ' ' && row > 3 && row < 12 ? 0x7e : 0;
}

static void draw_cell(const struct vc *v, unsigned x, unsigned y, bool cursor, uint32_t px[GLYPH_H][GLYPH_W])
{
    const struct cell *c = &v->term.cells[(size_t)y * v->term.cols + x];
    uint32_t fg = color(c->fg), bg = color(c->bg);

    for (unsigned row = 0; row < GLYPH_H; row++) {
        uint8_t bits = cursor && row >= GLYPH_H - 3 ? 0xff : glyph_row(v, c, row);

        for (unsigned i = 0; i < GLYPH_W; i++)
            px[row][i] = bits & 0x80 >> i ? fg : bg;
    }
}

static bool put_cell(struct surface *s, unsigned x, unsigned y, uint32_t px[GLYPH_H][GLYPH_W])
{
    bool differs = false;

    for (unsigned row = 0; row < GLYPH_H; row++) {
        uint32_t *at = surface_row(s, y * GLYPH_H + row) + x * GLYPH_W;

        differs |= memcmp(at, px[row], sizeof(px[row])) != 0;
        memcpy(at, px[row], sizeof(px[row]));
    }
    return differs;
}

static void update(void *opaque)
{
    struct vc *v = opaque;
    const struct terminal *t = &v->term;
    uint32_t px[GLYPH_H][GLYPH_W];

    if (!v->changed || !console_resize(v->console, t->cols * GLYPH_W, t->rows * GLYPH_H))
        return;
    v->changed = false;
    for (unsigned y = 0; y < t->rows; y++) {
        unsigned first = t->cols, last = 0;

        for (unsigned x = 0; x < t->cols; x++) {
            draw_cell(v, x, y, t->cursor && t->y == y && (t->x < t->cols ? t->x : t->cols - 1) == x, px);
            if (put_cell(console_surface(v->console), x, y, px)) {
                first = first < x ? first : x;
                last = x;
            }
        }
        if (first <= last)
            console_dirty(v->console, first * GLYPH_W, y * GLYPH_H, (last - first + 1) * GLYPH_W, GLYPH_H);
    }
}

static void invalidate(void *opaque)
{
    ((struct vc *)opaque)->changed = true;
}

/* --- Bytes --- */

static void vc_wake(struct chr *c)
{
    struct vc *v = vc_of(c);
    size_t n = chr_room(c);

    if (n > v->n_typed)
        n = v->n_typed;
    if (!n)
        return;
    char part[TYPED];

    memcpy(part, v->typed, n);
    v->n_typed -= (unsigned)n;
    memmove(v->typed, v->typed + n, v->n_typed);
    chr_put(c, (const uint8_t *)part, n);
    vc_wake(c);
}

static void say(struct vc *v, const char *text, unsigned n)
{
    if (v->n_typed + n > TYPED)
        return; /* nobody listens */
    memcpy(v->typed + v->n_typed, text, n);
    v->n_typed += n;
    vc_wake(&v->chr);
}

static void type(void *opaque, uint32_t keysym)
{
    char text[8];
    unsigned n = term_key(keysym, text);

    if (n)
        say(opaque, text, n);
}

static size_t vc_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct vc *v = vc_of(c);
    unsigned n;

    term_write(&v->term, buf, len);
    v->changed = true;
    n = v->term.reply_len;
    v->term.reply_len = 0;
    if (n)
        say(v, v->term.reply, n);
    return len;
}

/* --- Life --- */

static void ended(void *opaque)
{
    ((struct vc *)opaque)->console = NULL;
}

static const struct console_source source = {.update = update, .invalidate = invalidate, .type = type, .ended = ended};

static int vc_open(struct chr *c, struct err *e)
{
    struct vc *v = vc_of(c);
    uint64_t cols = v->cols ? v->cols : v->width / GLYPH_W, rows = v->rows ? v->rows : v->height / GLYPH_H;

    term_init(&v->term, (unsigned)(cols ? cols > TERM_MAX ? TERM_MAX : cols : 80),
              (unsigned)(rows ? rows > TERM_MAX ? TERM_MAX : rows : 24));
    if (c->env->displays) {
        v->font = font_of(c->env);
        v->console = console_new(c->env->displays, &source, v, c->id ? c->id : "vc", 0, true);
    }
    v->changed = true;
    return 0;
}

static void vc_close(struct chr *c)
{
    console_free(vc_of(c)->console);
    term_fini(&vc_of(c)->term);
}

const struct chr_type chr_vc = {
    .name = "vc",
    .help = "text console in a display",
    .size = sizeof(struct vc),
    .opts = vc_opts,
    .open = vc_open,
    .close = vc_close,
    .write = vc_write,
    .wake = vc_wake,
};
