/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A text screen that understands what programs write to a VT100 or the Linux console: ECMA-48 (1991), DEC VT100 User Guide chapter 3,
 * console_codes(4).  It knows no pixels and no descriptors; what is written is hostile.
 */
#ifndef UI_TERMINAL_H
#define UI_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TERM_MAX = 512 /* columns, rows */, TERM_PARAMS = 16 };

/** struct cell - a character in the PC's code page 437, and how it looks. */
struct cell {
    uint8_t ch;
    uint8_t fg, bg; /* 0..15, as SGR numbers them: 1 is red */
    bool underline;
};

struct terminal {
    unsigned cols, rows;
    struct cell *cells; /* rows * cols */
    unsigned x, y;      /* of the cursor; x may be cols: the next character goes to the next line */
    bool cursor;        /* it is seen */
    /* The rest is its own. */
    struct cell look;
    bool bold, reverse, wrap;
    unsigned top, bottom; /* of what scrolls, inclusive */
    unsigned saved_x, saved_y;
    enum { TERM_TEXT, TERM_ESC, TERM_CSI, TERM_STRING, TERM_SKIP } state;
    unsigned param[TERM_PARAMS], n_params;
    bool question;
    uint32_t utf8;
    unsigned utf8_left;
    char reply[64]; /* to be sent to the program: whoever does sets reply_len to 0 */
    unsigned reply_len;
};

/** term_init - cut to 1..TERM_MAX each.  term_write - bytes from the program. */
void term_init(struct terminal *t, unsigned cols, unsigned rows);
void term_fini(struct terminal *t);
void term_write(struct terminal *t, const uint8_t *buf, size_t len);
/** term_key - what the key with that keysym sends; number of bytes, at most 8. */
unsigned term_key(uint32_t keysym, char out[8]);

#endif
