/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line being typed, with the keys of Emacs and ECMA-48's sequences (ECMA-48 5th edition, 8.3). */
#include "mon/line.h"

#include "base/err.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CTRL(c) ((c) & 31)
enum { ESC = 27, DEL = 127 };

static void out(struct line *l, const char *text)
{
    l->out(l->opaque, text);
}

static void back(struct line *l, size_t n)
{
    char move[32];

    if (!n)
        return;
    snprintf(move, sizeof(move), "\033[%zuD", n);
    out(l, move);
}

/* From the cursor on the line is another one. */
static void redraw_rest(struct line *l)
{
    out(l, l->text + l->at);
    out(l, "\033[K");
    back(l, l->len - l->at);
}

void line_show(struct line *l)
{
    out(l, l->prompt);
    out(l, l->text);
    back(l, l->len - l->at);
}

static void insert(struct line *l, char c)
{
    char one[2] = {c};

    if (l->len == LINE_MAX_LEN)
        return;
    memmove(l->text + l->at + 1, l->text + l->at, l->len - l->at + 1);
    l->text[l->at++] = c;
    l->len++;
    out(l, one);
    if (l->at < l->len)
        redraw_rest(l);
}

void line_insert(struct line *l, const char *text)
{
    for (; *text; text++)
        insert(l, *text);
}

static void move_to(struct line *l, size_t at)
{
    char move[32];

    if (at < l->at) {
        back(l, l->at - at);
    } else if (at > l->at) {
        snprintf(move, sizeof(move), "\033[%zuC", at - l->at);
        out(l, move);
    }
    l->at = at;
}

/* The bytes from the cursor to @end go. */
static void cut(struct line *l, size_t end)
{
    memmove(l->text + l->at, l->text + end, l->len - end + 1);
    l->len -= end - l->at;
    redraw_rest(l);
}

static size_t word_start(const struct line *l)
{
    size_t at = l->at;

    while (at && isspace((unsigned char)l->text[at - 1]))
        at--;
    while (at && !isspace((unsigned char)l->text[at - 1]))
        at--;
    return at;
}

static size_t word_end(const struct line *l)
{
    size_t at = l->at;

    while (at < l->len && isspace((unsigned char)l->text[at]))
        at++;
    while (at < l->len && !isspace((unsigned char)l->text[at]))
        at++;
    return at;
}

static void erase_back(struct line *l, size_t to)
{
    size_t end = l->at;

    move_to(l, to);
    cut(l, end);
}

static void replace(struct line *l, const char *text)
{
    move_to(l, 0);
    l->len = l->at = 0;
    l->text[0] = 0;
    out(l, "\033[K");
    line_insert(l, text);
}

static void show_history(struct line *l, int step)
{
    unsigned to = l->shown + (unsigned)step;

    if (to > l->n_history) /* below 0, too */
        return;
    l->shown = to;
    replace(l, to == l->n_history ? "" : l->history[to]);
}

/* A line that was there before is there once, as the latest. */
static void remember(struct line *l)
{
    char *copy;

    if (!l->len)
        return;
    for (unsigned i = 0; i < l->n_history; i++) {
        if (strcmp(l->history[i], l->text) != 0 && !(i == 0 && l->n_history == LINE_HISTORY))
            continue;
        if (strcmp(l->history[i], l->text) != 0) { /* full: the oldest goes, unless the same comes later */
            unsigned j = 1;

            while (j < l->n_history && strcmp(l->history[j], l->text) != 0)
                j++;
            i = j < l->n_history ? j : 0;
        }
        free(l->history[i]);
        memmove(l->history + i, l->history + i + 1, (--l->n_history - i) * sizeof(char *));
        break;
    }
    if (!(copy = strdup(l->text)))
        fatal("out of memory");
    l->history[l->n_history++] = copy;
}

static void enter(struct line *l)
{
    char text[LINE_MAX_LEN + 1];

    out(l, "\n");
    remember(l);
    memcpy(text, l->text, l->len + 1);
    l->len = l->at = 0;
    l->text[0] = 0;
    l->shown = l->n_history;
    l->done(l->opaque, text);
}

static void tab(struct line *l)
{
    char text[LINE_MAX_LEN + 1];

    memcpy(text, l->text, l->at);
    text[l->at] = 0;
    l->complete(l->opaque, text);
}

/* ESC [ letter, ESC O letter, ESC [ number ~, ESC letter. */
static void escaped(struct line *l, char c)
{
    if (l->n_escape == 1 && (c == '[' || c == 'O')) {
        l->escape[l->n_escape++] = c;
        return;
    }
    if (l->n_escape > 1 && (isdigit((unsigned char)c) || c == ';')) {
        if (l->n_escape < sizeof(l->escape) - 1)
            l->escape[l->n_escape++] = c;
        return;
    }
    if (l->n_escape == 1 && (c == 'b' || c == 'f'))
        move_to(l, c == 'b' ? word_start(l) : word_end(l));
    else if (c == 'A' || c == 'B')
        show_history(l, c == 'A' ? -1 : 1);
    else if (c == 'C' && l->at < l->len)
        move_to(l, l->at + 1);
    else if (c == 'D' && l->at)
        move_to(l, l->at - 1);
    else if (c == 'H' || (c == '~' && l->n_escape > 2 && (l->escape[2] == '1' || l->escape[2] == '7')))
        move_to(l, 0);
    else if (c == 'F' || (c == '~' && l->n_escape > 2 && (l->escape[2] == '4' || l->escape[2] == '8')))
        move_to(l, l->len);
    else if (c == '~' && l->n_escape > 2 && l->escape[2] == '3' && l->at < l->len)
        cut(l, l->at + 1);
    l->n_escape = 0;
}

void line_key(struct line *l, uint8_t c)
{
    if (l->n_escape) {
        escaped(l, (char)c);
        return;
    }
    switch (c) {
    case ESC: l->n_escape = 1; break;
    case '\r':
    case '\n': enter(l); break;
    case '\t': tab(l); break;
    case CTRL('a'): move_to(l, 0); break;
    case CTRL('e'): move_to(l, l->len); break;
    case CTRL('b'): move_to(l, l->at ? l->at - 1 : 0); break;
    case CTRL('f'): move_to(l, l->at < l->len ? l->at + 1 : l->at); break;
    case CTRL('d'):
        if (l->at < l->len)
            cut(l, l->at + 1);
        break;
    case CTRL('h'):
    case DEL:
        if (l->at)
            erase_back(l, l->at - 1);
        break;
    case CTRL('k'): cut(l, l->len); break;
    case CTRL('u'): erase_back(l, 0); break;
    case CTRL('w'): erase_back(l, word_start(l)); break;
    case CTRL('p'): show_history(l, -1); break;
    case CTRL('n'): show_history(l, 1); break;
    case CTRL('l'):
        out(l, "\033[H\033[2J");
        line_show(l);
        break;
    default:
        if (c >= ' ')
            insert(l, (char)c);
    }
}

void line_free(struct line *l)
{
    while (l->n_history)
        free(l->history[--l->n_history]);
}
