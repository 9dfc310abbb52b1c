/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The server's side of the WebSocket protocol (RFC 6455). */
#include "ui/websocket.h"

#include "base/bytes.h"
#include "base/sha1.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char guid[] = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"; /* RFC 6455, 1.3 */
enum { OP_CONTINUE = 0, OP_TEXT = 1, OP_BINARY = 2, OP_CLOSE = 8, OP_PING = 9, OP_PONG = 10 };
enum { HEAD, PAYLOAD };

size_t ws_request_end(const uint8_t *buf, size_t len)
{
    const uint8_t *p = memmem(buf, len, "\r\n\r\n", 4);

    return p ? (size_t)(p + 4 - buf) : 0;
}

/* The value of header @name, without spaces around it; false: not there, or longer than a line should be. */
static bool header(const char *request, size_t len, const char *name, char value[256])
{
    const char *p = request, *end = request + len;
    size_t n = strlen(name);

    while ((p = memmem(p, (size_t)(end - p), "\r\n", 2))) {
        const char *stop;
        size_t k;

        p += 2;
        stop = memmem(p, (size_t)(end - p), "\r\n", 2);
        if (!stop || (size_t)(stop - p) <= n || strncasecmp(p, name, n) || p[n] != ':')
            continue;
        for (p += n + 1; p < stop && (*p == ' ' || *p == '\t'); p++)
            ;
        for (k = (size_t)(stop - p); k && (p[k - 1] == ' ' || p[k - 1] == '\t'); k--)
            ;
        if (k > 255)
            return false;
        memcpy(value, p, k);
        value[k] = 0;
        return true;
    }
    return false;
}

/* Is @word in the comma-separated @list? */
static bool has_word(const char *list, const char *word)
{
    size_t n = strlen(word);

    for (const char *p = list; *p; p += strcspn(p, ",")) {
        p += strspn(p, ", \t");
        if (!strncasecmp(p, word, n) && strspn(p + n, " \t") == strcspn(p + n, ","))
            return true;
    }
    return false;
}

static void base64(const uint8_t *in, size_t len, char *out)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (size_t i = 0; i < len; i += 3) {
        uint32_t v = (uint32_t)in[i] << 16 | (i + 1 < len ? in[i + 1] << 8 : 0) |
                     (i + 2 < len ? in[i + 2] : 0);

        *out++ = digits[v >> 18];
        *out++ = digits[v >> 12 & 63];
        *out++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
        *out++ = i + 2 < len ? digits[v & 63] : '=';
    }
    *out = 0;
}

static const char *refusal(const char *r, size_t len, char key[256])
{
    char v[256];

    if (len < 16 || strncmp(r, "GET ", 4) || !memmem(r, strcspn(r, "\r\n"), " HTTP/1.1", 9))
        return "not a GET request of HTTP/1.1";
    if (!header(r, len, "Host", v))
        return "no Host header";
    if (!header(r, len, "Upgrade", v) || !has_word(v, "websocket"))
        return "no Upgrade: websocket";
    if (!header(r, len, "Connection", v) || !has_word(v, "upgrade"))
        return "no Connection: Upgrade";
    if (!header(r, len, "Sec-WebSocket-Version", v) || strcmp(v, "13"))
        return "Sec-WebSocket-Version is not 13";
    if (!header(r, len, "Sec-WebSocket-Key", key) || strlen(key) != 24)
        return "no Sec-WebSocket-Key of 24 characters";
    return NULL;
}

int ws_handshake(const char *request, size_t len, char reply[WS_REPLY_MAX], struct err *e)
{
    char key[256], accept[32], protocol[256];
    uint8_t sum[SHA1_LEN];
    const char *why = refusal(request, len, key);

    if (why) {
        snprintf(reply, WS_REPLY_MAX,
                 "HTTP/1.1 400 Bad Request\r\nServer: Emu\r\nSec-WebSocket-Version: 13\r\n"
                 "Content-Length: 0\r\nConnection: close\r\n\r\n");
        return err_set(e, -EPROTO, "websocket handshake: %s", why);
    }
    strcat(key, guid);
    sha1(key, strlen(key), sum);
    base64(sum, sizeof(sum), accept);
    snprintf(reply, WS_REPLY_MAX,
             "HTTP/1.1 101 Switching Protocols\r\nServer: Emu\r\nUpgrade: websocket\r\n"
             "Connection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n%s\r\n",
             accept,
             header(request, len, "Sec-WebSocket-Protocol", protocol) &&
                     has_word(protocol, "binary")
                 ? "Sec-WebSocket-Protocol: binary\r\n"
                 : "");
    return 0;
}

/* Frames ------------------------------------------------------------------------------------------ */

static bool control(uint8_t op)
{
    return op & 8;
}

/* The header is whole: what it says, or that it may not.  RFC 6455, 5.2. */
static int head_done(struct ws *w)
{
    uint8_t len = w->head[1] & 127;

    w->fin = w->head[0] >> 7;
    w->op = w->head[0] & 15;
    w->left = len == 126 ? get_be16(w->head + 2) : len == 127 ? get_be64(w->head + 2) : len;
    memcpy(w->mask, w->head + w->want - 4, 4);
    w->phase = 0;
    w->control_n = 0;
    w->n = 0;
    w->state = PAYLOAD;
    if ((w->head[0] & 0x70) || w->left >> 63)
        return -EPROTO;
    if (control(w->op))
        return w->op > OP_PONG || !w->fin || w->left > WS_CONTROL_MAX ? -EPROTO : 0;
    if (w->op > OP_BINARY || (w->op == OP_CONTINUE) != w->in_message)
        return -EPROTO;
    w->in_message = !w->fin;
    return 0;
}

/* One byte of a header; clients must mask. */
static int head_byte(struct ws *w, uint8_t b)
{
    w->head[w->n++] = b;
    if (w->n == 2) {
        uint8_t len = b & 127;

        if (!(b & 128))
            return -EPROTO;
        w->want = 6 + (len == 126 ? 2 : len == 127 ? 8 : 0);
    }
    return w->n >= 2 && w->n == w->want ? head_done(w) : 0;
}

static void frame_done(struct ws *w, const struct ws_out *to)
{
    uint8_t frame[2 + WS_CONTROL_MAX];

    w->state = HEAD;
    if (w->op != OP_PING && w->op != OP_CLOSE)
        return;
    frame[0] = 128 | (w->op == OP_PING ? OP_PONG : OP_CLOSE);
    frame[1] = w->control_n;
    memcpy(frame + 2, w->control, w->control_n);
    to->reply(to->opaque, frame, 2 + (size_t)w->control_n);
    w->closed |= w->op == OP_CLOSE;
}

long ws_decode(struct ws *w, const uint8_t *in, size_t len, uint8_t *out, const struct ws_out *to)
{
    long n = 0;

    for (size_t i = 0; i < len && !w->closed; i++) {
        if (w->state == HEAD) {
            if (head_byte(w, in[i]) < 0)
                return -EPROTO;
        } else {
            uint8_t b = in[i] ^ w->mask[w->phase++ & 3];

            if (control(w->op))
                w->control[w->control_n++] = b;
            else
                out[n++] = b;
            w->left--;
        }
        if (w->state == PAYLOAD && !w->left)
            frame_done(w, to);
    }
    return n;
}

size_t ws_header(uint64_t len, uint8_t out[WS_HEADER_MAX])
{
    out[0] = 128 | OP_BINARY;
    if (len < 126) {
        out[1] = (uint8_t)len;
        return 2;
    }
    out[1] = len < 65536 ? 126 : 127;
    if (len < 65536)
        put_be16(out + 2, (uint16_t)len);
    else
        put_be64(out + 2, len);
    return len < 65536 ? 4 : 10;
}
