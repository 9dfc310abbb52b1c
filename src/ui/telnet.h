/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The telnet protocol (RFC 854, 855) as a byte filter: options echo (RFC 857), suppress go ahead (RFC 858) and
 * binary (RFC 856) are agreed to, others are refused, once each.
 */
#ifndef UI_TELNET_H
#define UI_TELNET_H

#include <stddef.h>
#include <stdint.h>

enum { TELNET_HELLO = 12, TELNET_ANSWER_MAX = 3 * 256 * 2 };

/** struct telnet - zero-initialised for a new connection. */
struct telnet {
    uint8_t state, verb;
    uint8_t refused[2][32]; /* a bit for each option we have refused to do, to let them do */
};

/** telnet_hello - what both sides of ours say first. */
extern const uint8_t telnet_hello[TELNET_HELLO];

/** struct telnet_out - where telnet_decode says things; zero-initialised but for the callbacks. */
struct telnet_out {
    void (*reply)(void *opaque, const uint8_t *buf, size_t len);
    void (*brk)(void *opaque); /* a break: IAC BRK */
    void *opaque;
};

/** telnet_decode - @in to data in @out (may be @in), never longer; returns its length. */
size_t telnet_decode(struct telnet *t, const uint8_t *in, size_t len, uint8_t *out,
                     const struct telnet_out *to);
/** telnet_encode - @len bytes, at most twice as many in @out; returns how many. */
size_t telnet_encode(const uint8_t *in, size_t len, uint8_t *out);

#endif
