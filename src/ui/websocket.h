/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's side of the WebSocket protocol (RFC 6455): the opening handshake, and frames as a byte filter. */
#ifndef UI_WEBSOCKET_H
#define UI_WEBSOCKET_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WS_REQUEST_MAX = 8192, WS_REPLY_MAX = 512, WS_HEADER_MAX = 10, WS_CONTROL_MAX = 125 };

/**
 * ws_handshake - answers a request (all of it, with its empty line).
 * Returns 0 with the 101 reply in @reply; -EPROTO with @e, and a reply that refuses.
 */
int ws_handshake(const char *request, size_t len, char reply[WS_REPLY_MAX], struct err *e);
/** ws_request_end - bytes up to and with the empty line, 0: not yet there. */
size_t ws_request_end(const uint8_t *buf, size_t len);

/** struct ws - frames from the client; zero-initialised. */
struct ws {
    uint8_t state, head[14], n, want;
    uint8_t op, mask[4], phase;
    bool fin, in_message, closed;
    uint64_t left;
    uint8_t control[WS_CONTROL_MAX], control_n;
};

struct ws_out {
    void (*reply)(void *opaque, const uint8_t *frame, size_t len);
    void *opaque;
};

/** ws_decode - @in to data in @out (may be @in), never longer; its length, or -EPROTO.  @w->closed: they said goodbye. */
long ws_decode(struct ws *w, const uint8_t *in, size_t len, uint8_t *out, const struct ws_out *to);
/** ws_header - before @len bytes of data to the client; returns its length. */
size_t ws_header(uint64_t len, uint8_t out[WS_HEADER_MAX]);

#endif
