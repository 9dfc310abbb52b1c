/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The telnet protocol (RFC 854, 855) as a byte filter. */
#include "ui/telnet.h"

#include <stdbool.h>

enum { SE = 240, BRK = 243, SB = 250, WILL = 251, WONT = 252, DO = 253, DONT = 254, IAC = 255 };
enum { OPT_BINARY = 0, OPT_ECHO = 1, OPT_SGA = 3 };
enum { DATA, COMMAND, OPTION, SUB, SUB_IAC };

const uint8_t telnet_hello[TELNET_HELLO] = {
    IAC, WILL, OPT_ECHO, IAC, WILL, OPT_SGA, IAC, WILL, OPT_BINARY, IAC, DO, OPT_BINARY,
};

/* Offers and requests beyond our hello are refused; saying so once keeps two refusers from talking for ever (RFC 1143). */
static void option(struct telnet *t, uint8_t opt, const struct telnet_out *to)
{
    bool theirs = t->verb == WILL;
    bool known = opt == OPT_BINARY || opt == OPT_SGA || (opt == OPT_ECHO && !theirs);
    uint8_t *bits = t->refused[theirs], reply[3] = {IAC, theirs ? DONT : WONT, opt};

    if ((t->verb != WILL && t->verb != DO) || known || (bits[opt / 8] >> opt % 8 & 1))
        return;
    bits[opt / 8] |= 1 << opt % 8;
    to->reply(to->opaque, reply, sizeof(reply));
}

/* The byte after IAC; true: it is data. */
static bool command(struct telnet *t, uint8_t b, const struct telnet_out *to)
{
    t->state = DATA;
    switch (b) {
    case IAC: return true;
    case BRK: to->brk(to->opaque); break;
    case SB: t->state = SUB; break;
    case WILL:
    case WONT:
    case DO:
    case DONT:
        t->verb = b;
        t->state = OPTION;
        break;
    }
    return false;
}

size_t telnet_decode(struct telnet *t, const uint8_t *in, size_t len, uint8_t *out,
                     const struct telnet_out *to)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t b = in[i];

        switch (t->state) {
        case DATA:
            if (b == IAC)
                t->state = COMMAND;
            else
                out[n++] = b;
            break;
        case COMMAND:
            if (command(t, b, to))
                out[n++] = b;
            break;
        case OPTION:
            option(t, b, to);
            t->state = DATA;
            break;
        case SUB:
            if (b == IAC)
                t->state = SUB_IAC;
            break;
        case SUB_IAC: t->state = b == SE ? DATA : SUB; break;
        }
    }
    return n;
}

size_t telnet_encode(const uint8_t *in, size_t len, uint8_t *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        out[n++] = in[i];
        if (in[i] == IAC)
            out[n++] = IAC;
    }
    return n;
}
