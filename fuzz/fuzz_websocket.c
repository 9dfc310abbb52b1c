/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a WebSocket client sends: a request, answered or refused, then frames, which mean the same
 * however they are cut into pieces.
 */
#include "ui/websocket.h"

#include <stdlib.h>
#include <string.h>

enum { MAX = 16384 };

int fuzz_one(const uint8_t *data, size_t len);

struct seen {
    size_t frames, bytes;
};

static void reply(void *opaque, const uint8_t *frame, size_t len)
{
    struct seen *s = opaque;

    if (len < 2 || len > 2 + WS_CONTROL_MAX || frame[1] != len - 2)
        abort();
    s->frames++;
    s->bytes += len;
}

static void frames(const uint8_t *data, size_t len)
{
    static uint8_t whole[MAX], parts[MAX];
    struct seen a = {0}, b = {0};
    struct ws w = {0}, v = {0};
    long n = ws_decode(&w, data, len, whole, &(struct ws_out){reply, &a}), m = 0, r = 0;

    for (size_t i = 0; i < len && r >= 0; i++, m += r > 0 ? r : 0)
        r = ws_decode(&v, data + i, 1, parts + m, &(struct ws_out){reply, &b});
    if (n > (long)len || (n < 0) != (r < 0))
        abort();
    if (n >= 0 &&
        (n != m || memcmp(whole, parts, n) || memcmp(&a, &b, sizeof(a)) || w.closed != v.closed))
        abort();
    if (a.bytes > len)
        abort();
}

int fuzz_one(const uint8_t *data, size_t len)
{
    char answer[WS_REPLY_MAX];
    struct err e = {0};
    size_t end;

    len = len < MAX ? len : MAX;
    end = ws_request_end(data, len);
    if (end) {
        int r = ws_handshake((const char *)data, end, answer, &e);

        if (strncmp(answer, r ? "HTTP/1.1 400 " : "HTTP/1.1 101 ", 13) || !r != !e.code ||
            strlen(answer) < 4 || strcmp(answer + strlen(answer) - 4, "\r\n\r\n"))
            abort();
    }
    frames(data + end, len - end);
    return 0;
}
