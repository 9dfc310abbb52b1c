/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A line being typed: cursor keys, Emacs keys, history, completion.  Knows neither terminal nor monitor: output goes to a function. */
#ifndef MON_LINE_H
#define MON_LINE_H

#include <stddef.h>
#include <stdint.h>

enum { LINE_MAX_LEN = 4095, LINE_HISTORY = 64 };

struct line {
    char text[LINE_MAX_LEN + 1];
    size_t len, at;               /* bytes; where the cursor is */
    char *history[LINE_HISTORY];  /* the oldest first */
    unsigned n_history, shown;    /* shown: history's index on the line; n_history: the new line */
    char escape[8];               /* what came after ESC */
    unsigned n_escape;            /* 0: not in one */
    const char *prompt;
    void (*out)(void *opaque, const char *text);
    void (*done)(void *opaque, const char *text);    /* Enter */
    void (*complete)(void *opaque, const char *text); /* Tab; @text up to the cursor */
    void *opaque;
};

/** line_key - one byte typed. */
void line_key(struct line *l, uint8_t c);
/** line_insert - as if it were typed. */
void line_insert(struct line *l, const char *text);
/** line_show - the prompt and what there is, on a new line. */
void line_show(struct line *l);
void line_free(struct line *l);

#endif
