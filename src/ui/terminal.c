/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The text screen: characters, control functions, keys.  Contract: terminal.h. */
#include "ui/terminal.h"

#include "base/err.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned clamp(unsigned v, unsigned low, unsigned high)
{
    return v < low ? low : v > high ? high : v;
}

static void reset(struct terminal *t)
{
    t->look = (struct cell){.ch = ' ', .fg = 7};
    t->bold = t->reverse = t->question = false;
    t->wrap = t->cursor = true;
    t->top = 0;
    t->bottom = t->rows - 1;
    t->x = t->y = t->saved_x = t->saved_y = 0;
    t->state = TERM_TEXT;
    t->utf8_left = 0;
}

/* --- Cells --- */

static struct cell blank(const struct terminal *t)
{
    return (struct cell){.ch = ' ', .fg = 7, .bg = t->look.bg};
}

static void clear(struct terminal *t, unsigned from, unsigned to)
{
    while (from < to && from < t->cols * t->rows)
        t->cells[from++] = blank(t);
}

static void scroll(struct terminal *t, unsigned top, unsigned bottom, unsigned n, bool up)
{
    unsigned rows = bottom - top + 1, keep;
    struct cell *at = t->cells + (size_t)top * t->cols;

    n = n > rows ? rows : n;
    keep = (rows - n) * t->cols;
    memmove(up ? at : at + n * t->cols, up ? at + n * t->cols : at, keep * sizeof(*at));
    if (up)
        clear(t, (bottom + 1 - n) * t->cols, (bottom + 1) * t->cols);
    else
        clear(t, top * t->cols, (top + n) * t->cols);
}

static void line_feed(struct terminal *t)
{
    if (t->y == t->bottom)
        scroll(t, t->top, t->bottom, 1, true);
    else if (t->y + 1 < t->rows)
        t->y++;
}

static void reverse_line_feed(struct terminal *t)
{
    if (t->y == t->top)
        scroll(t, t->top, t->bottom, 1, false);
    else if (t->y)
        t->y--;
}

static void move(struct terminal *t, unsigned x, unsigned y)
{
    t->x = x < t->cols ? x : t->cols - 1;
    t->y = y < t->rows ? y : t->rows - 1;
}

/* Unicode's line drawing as code page 437 has it; what is not there is a question mark. */
static uint8_t code_page(uint32_t c)
{
    static const struct { uint16_t unicode; uint8_t ch; } map[] = {
        {0x2500, 196}, {0x2502, 179}, {0x250c, 218}, {0x2510, 191}, {0x2514, 192}, {0x2518, 217}, {0x251c, 195}, {0x2524, 180},
        {0x252c, 194}, {0x2534, 193}, {0x253c, 197}, {0x2550, 205}, {0x2551, 186}, {0x2554, 201}, {0x2557, 187}, {0x255a, 200},
        {0x255d, 188}, {0x2560, 204}, {0x2563, 185}, {0x2566, 203}, {0x2569, 202}, {0x256c, 206}, {0x2580, 223}, {0x2584, 220},
        {0x2588, 219}, {0x258c, 221}, {0x2590, 222}, {0x2591, 176}, {0x2592, 177}, {0x2593, 178}, {0x25a0, 254}, {0x25b2, 30},
        {0x25ba, 16},  {0x25bc, 31},  {0x25c4, 17},  {0x25c6, 4},   {0x2022, 7},   {0x2018, '`'}, {0x2019, '\''}, {0x201c, '"'},
        {0x201d, '"'}, {0x2013, '-'}, {0x2014, '-'}, {0x2190, 27},  {0x2191, 24},  {0x2192, 26},  {0x2193, 25},  {0x00a0, ' '},
        {0x00e4, 132}, {0x00f6, 148}, {0x00fc, 129}, {0x00c4, 142}, {0x00d6, 153}, {0x00dc, 154}, {0x00df, 225}, {0x00e9, 130},
        {0x00e8, 138}, {0x00e0, 133}, {0x00e7, 135}, {0x00f1, 164}, {0x00b0, 248}, {0x00b7, 250}, {0x00b1, 241},
    };

    if (c < 0x80)
        return (uint8_t)c;
    for (unsigned i = 0; i < sizeof(map) / sizeof(map[0]); i++)
        if (map[i].unicode == c)
            return map[i].ch;
    return '?';
}

static void put(struct terminal *t, uint32_t c)
{
    struct cell look = t->look;

    if (t->x >= t->cols) {
        if (t->wrap) {
            t->x = 0;
            line_feed(t);
        } else {
            t->x = t->cols - 1;
        }
    }
    look.ch = code_page(c);
    if (t->bold && look.fg < 8)
        look.fg += 8;
    if (t->reverse) {
        uint8_t fg = look.fg;

        look.fg = look.bg;
        look.bg = fg & 7;
    }
    t->cells[(size_t)t->y * t->cols + t->x++] = look;
}

/* --- Control sequences --- */

static unsigned param(const struct terminal *t, unsigned i, unsigned def)
{
    return i < t->n_params && t->param[i] ? t->param[i] : def;
}

static void select_color(struct terminal *t, unsigned p)
{
    if (p >= 30 && p <= 37)
        t->look.fg = (uint8_t)(p - 30);
    else if (p == 39)
        t->look.fg = 7;
    else if (p >= 40 && p <= 47)
        t->look.bg = (uint8_t)(p - 40);
    else if (p == 49)
        t->look.bg = 0;
    else if (p >= 90 && p <= 97)
        t->look.fg = (uint8_t)(p - 90 + 8);
    else if (p >= 100 && p <= 107)
        t->look.bg = (uint8_t)(p - 100 + 8);
}

/* SGR, ECMA-48 8.3.117. */
static void select_look(struct terminal *t)
{
    for (unsigned i = 0; i < (t->n_params ? t->n_params : 1); i++) {
        unsigned p = param(t, i, 0);

        switch (p) {
        case 0:
            t->look = (struct cell){.ch = ' ', .fg = 7};
            t->bold = t->reverse = false;
            break;
        case 1: t->bold = true; break;
        case 4: t->look.underline = true; break;
        case 7: t->reverse = true; break;
        case 21:
        case 22: t->bold = false; break;
        case 24: t->look.underline = false; break;
        case 27: t->reverse = false; break;
        case 38: /* other palettes: the rest belongs to it */
        case 48: return;
        default: select_color(t, p); break;
        }
    }
}

static void erase_display(struct terminal *t, unsigned how)
{
    unsigned here = t->y * t->cols + (t->x < t->cols ? t->x : t->cols - 1);

    clear(t, how == 0 ? here : 0, how == 1 ? here + 1 : t->cols * t->rows);
}

static void erase_line(struct terminal *t, unsigned how)
{
    unsigned start = t->y * t->cols, x = t->x < t->cols ? t->x : t->cols - 1;

    clear(t, how == 0 ? start + x : start, how == 1 ? start + x + 1 : start + t->cols);
}

/* ICH and DCH: the rest of the line moves. */
static void shift_line(struct terminal *t, unsigned n, bool right)
{
    unsigned x = t->x < t->cols ? t->x : t->cols - 1, room = t->cols - x;
    struct cell *at = t->cells + (size_t)t->y * t->cols + x;

    n = n > room ? room : n;
    memmove(right ? at + n : at, right ? at : at + n, (room - n) * sizeof(*at));
    clear(t, t->y * t->cols + (right ? x : t->cols - n), t->y * t->cols + (right ? x + n : t->cols));
}

static void answer(struct terminal *t, const char *text)
{
    size_t len = strlen(text);

    if (t->reply_len + len > sizeof(t->reply))
        return;
    memcpy(t->reply + t->reply_len, text, len);
    t->reply_len += (unsigned)len;
}

static void report(struct terminal *t)
{
    char text[32];

    if (param(t, 0, 0) == 5) {
        answer(t, "\033[0n");
    } else if (param(t, 0, 0) == 6) {
        snprintf(text, sizeof(text), "\033[%u;%uR", t->y + 1, (t->x < t->cols ? t->x : t->cols - 1) + 1);
        answer(t, text);
    }
}

static void set_mode(struct terminal *t, bool on)
{
    for (unsigned i = 0; t->question && i < t->n_params; i++) {
        if (t->param[i] == 25)
            t->cursor = on;
        else if (t->param[i] == 7)
            t->wrap = on;
    }
}

static void set_region(struct terminal *t)
{
    unsigned top = param(t, 0, 1) - 1, bottom = param(t, 1, t->rows) - 1;

    if (bottom >= t->rows)
        bottom = t->rows - 1;
    if (top >= bottom)
        return;
    t->top = top;
    t->bottom = bottom;
    move(t, 0, 0);
}

static void move_by(struct terminal *t, char final)
{
    unsigned n = clamp(param(t, 0, 1), 1, TERM_MAX), x = t->x < t->cols ? t->x : t->cols - 1;

    switch (final) {
    case 'A': move(t, x, n > t->y ? 0 : t->y - n); break;
    case 'B': move(t, x, t->y + n); break;
    case 'C': move(t, x + n, t->y); break;
    case 'D': move(t, n > x ? 0 : x - n, t->y); break;
    case 'E': move(t, 0, t->y + n); break;
    case 'F': move(t, 0, n > t->y ? 0 : t->y - n); break;
    case 'G':
    case '`': move(t, n - 1, t->y); break;
    case 'd': move(t, x, n - 1); break;
    }
}

static void control_sequence(struct terminal *t, char final)
{
    unsigned n = clamp(param(t, 0, 1), 1, TERM_MAX);

    switch (final) {
    case 'H':
    case 'f': move(t, clamp(param(t, 1, 1), 1, TERM_MAX) - 1, n - 1); break;
    case 'J': erase_display(t, param(t, 0, 0)); break;
    case 'K': erase_line(t, param(t, 0, 0)); break;
    case 'L':
    case 'M':
        if (t->y >= t->top && t->y <= t->bottom)
            scroll(t, t->y, t->bottom, n, final == 'M');
        break;
    case 'S':
    case 'T': scroll(t, t->top, t->bottom, n, final == 'S'); break;
    case '@':
    case 'P': shift_line(t, n, final == '@'); break;
    case 'X': clear(t, t->y * t->cols + t->x, t->y * t->cols + clamp(t->x + n, 0, t->cols)); break;
    case 'm': select_look(t); break;
    case 'n': report(t); break;
    case 'c': answer(t, "\033[?6c"); break;
    case 'h':
    case 'l': set_mode(t, final == 'h'); break;
    case 'r': set_region(t); break;
    case 's':
        t->saved_x = t->x;
        t->saved_y = t->y;
        break;
    case 'u': move(t, t->saved_x, t->saved_y); break;
    default: move_by(t, final); break;
    }
}

static void in_csi(struct terminal *t, uint8_t c)
{
    if (c >= '0' && c <= '9') {
        unsigned *p = &t->param[t->n_params ? t->n_params - 1 : 0];

        if (!t->n_params)
            t->n_params = 1;
        *p = *p < 10000 ? *p * 10 + (c - '0') : *p;
    } else if (c == ';') {
        if (!t->n_params)
            t->n_params = 1;
        if (t->n_params < TERM_PARAMS)
            t->param[t->n_params++] = 0;
    } else if (c == '?') {
        t->question = true;
    } else if (c >= 0x40 && c < 0x7f) {
        t->state = TERM_TEXT;
        control_sequence(t, (char)c);
    }
}

static void in_esc(struct terminal *t, uint8_t c)
{
    t->state = TERM_TEXT;
    switch (c) {
    case '[':
        t->state = TERM_CSI;
        t->n_params = 0;
        t->question = false;
        memset(t->param, 0, sizeof(t->param));
        break;
    case ']':
    case 'P': t->state = TERM_STRING; break; /* titles: up to BEL or ESC */
    case '(':
    case ')':
    case '#':
    case '%': t->state = TERM_SKIP; break; /* one more */
    case '7':
        t->saved_x = t->x;
        t->saved_y = t->y;
        break;
    case '8': move(t, t->saved_x, t->saved_y); break;
    case 'D': line_feed(t); break;
    case 'M': reverse_line_feed(t); break;
    case 'E':
        t->x = 0;
        line_feed(t);
        break;
    case 'c':
        reset(t);
        clear(t, 0, t->cols * t->rows);
        break;
    }
}

/* --- Bytes --- */

static void control(struct terminal *t, uint8_t c)
{
    switch (c) {
    case '\b':
        if (t->x)
            t->x = (t->x < t->cols ? t->x : t->cols) - 1;
        break;
    case '\t': move(t, (t->x / 8 + 1) * 8, t->y); break;
    case '\n':
    case '\v':
    case '\f': line_feed(t); break;
    case '\r': t->x = 0; break;
    case 0x1b: t->state = TERM_ESC; break;
    }
}

static void text(struct terminal *t, uint8_t c)
{
    if (t->utf8_left && (c & 0xc0) == 0x80) {
        t->utf8 = t->utf8 << 6 | (c & 0x3f);
        if (!--t->utf8_left)
            put(t, t->utf8);
        return;
    }
    t->utf8_left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    t->utf8 = c & (0x3f >> t->utf8_left);
    if (t->utf8_left)
        return;
    put(t, c < 0x80 ? c : '?');
}

void term_write(struct terminal *t, const uint8_t *buf, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        uint8_t c = buf[i];

        if (t->state == TERM_STRING) {
            t->state = c == 7 ? TERM_TEXT : c == 0x1b ? TERM_ESC : TERM_STRING;
        } else if (c < 0x20) {
            t->utf8_left = 0;
            control(t, c);
        } else if (t->state == TERM_ESC) {
            in_esc(t, c);
        } else if (t->state == TERM_CSI) {
            in_csi(t, c);
        } else if (t->state == TERM_SKIP) {
            t->state = TERM_TEXT;
        } else if (c != 0x7f) {
            text(t, c);
        }
    }
}

void term_init(struct terminal *t, unsigned cols, unsigned rows)
{
    *t = (struct terminal){.cols = clamp(cols, 1, TERM_MAX), .rows = clamp(rows, 1, TERM_MAX)};
    if (!(t->cells = calloc((size_t)t->cols * t->rows, sizeof(*t->cells))))
        fatal("out of memory");
    reset(t);
    clear(t, 0, t->cols * t->rows);
}

void term_fini(struct terminal *t)
{
    free(t->cells);
    t->cells = NULL;
}

/* --- Keys --- */

static unsigned utf8(uint32_t c, char *out)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c > 0xffff)
        return 0;
    out[0] = (char)(0xe0 | c >> 12);
    out[1] = (char)(0x80 | (c >> 6 & 0x3f));
    out[2] = (char)(0x80 | (c & 0x3f));
    return 3;
}

unsigned term_key(uint32_t sym, char out[8])
{
    static const struct { uint16_t sym; const char *text; } keys[] = {
        {0xff08, "\x7f"},   {0xff09, "\t"},     {0xff0d, "\r"},     {0xff8d, "\r"},     {0xff1b, "\033"},  {0xff50, "\033[1~"},
        {0xff51, "\033[D"}, {0xff52, "\033[A"}, {0xff53, "\033[C"}, {0xff54, "\033[B"}, {0xff55, "\033[5~"}, {0xff56, "\033[6~"},
        {0xff57, "\033[4~"}, {0xff63, "\033[2~"}, {0xffff, "\033[3~"}, {0xff95, "\033[1~"}, {0xff96, "\033[D"}, {0xff97, "\033[A"},
        {0xff98, "\033[C"}, {0xff99, "\033[B"}, {0xffaa, "*"},      {0xffab, "+"},      {0xffad, "-"},     {0xffae, "."},
        {0xffaf, "/"},
    };

    if (sym < 0x100)
        return utf8(sym, out);
    if (sym >= 0xffb0 && sym <= 0xffb9) {
        out[0] = (char)('0' + (sym - 0xffb0));
        return 1;
    }
    if (sym >> 24 == 1)
        return utf8(sym & 0xffffff, out);
    for (unsigned i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        if (keys[i].sym == sym) {
            memcpy(out, keys[i].text, strlen(keys[i].text));
            return (unsigned)strlen(keys[i].text);
        }
    return 0;
}
