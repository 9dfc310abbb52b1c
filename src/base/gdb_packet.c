/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of gdb's remote protocol (gdb manual, appendix E); contract: gdb_packet.h. */
#include "base/gdb_packet.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int hex(int c)
{
    return isdigit(c) ? c - '0' : isxdigit(c) ? (c | 32) - 'a' + 10 : -1;
}

/* --- receiving ---------------------------------------------------------------------------------*/

static enum gdb_got between(struct gdb_in *in, uint8_t c)
{
    switch (c) {
    case '$':
        in->at = GDB_INSIDE;
        in->escaped = false;
        in->sum = 0;
        in->n = 0;
        break;
    case 3: return GDB_GOT_INTERRUPT;
    case '+': return GDB_GOT_ACK;
    case '-': return GDB_GOT_NACK;
    }
    return GDB_GOT_NOTHING;
}

static void inside(struct gdb_in *in, uint8_t c)
{
    if (c == '#') {
        in->at = GDB_SUM1;
        return;
    }
    in->sum += c;
    if (!in->escaped && c == '}') {
        in->escaped = true;
        return;
    }
    if (in->n < GDB_PACKET)
        in->buf[in->n++] = (char)(in->escaped ? c ^ 0x20 : c);
    in->escaped = false;
}

enum gdb_got gdb_in_byte(struct gdb_in *in, uint8_t c)
{
    switch (in->at) {
    case GDB_BETWEEN: return between(in, c);
    case GDB_INSIDE: inside(in, c); return GDB_GOT_NOTHING;
    case GDB_SUM1:
        in->high = hex(c);
        in->at = GDB_SUM2;
        return GDB_GOT_NOTHING;
    case GDB_SUM2: break;
    }
    in->at = GDB_BETWEEN;
    in->buf[in->n] = 0;
    return in->high * 16 + hex(c) == in->sum ? GDB_GOT_PACKET : GDB_GOT_DAMAGED;
}

/* --- replying ----------------------------------------------------------------------------------*/

void gdb_begin(struct gdb_reply *r)
{
    r->n = 0;
    r->text[0] = 0;
}

void gdb_put(struct gdb_reply *r, const char *fmt, ...)
{
    va_list args;
    int n;

    va_start(args, fmt);
    n = vsnprintf(r->text + r->n, sizeof(r->text) - r->n, fmt, args);
    va_end(args);
    if (n > 0 && r->n + (size_t)n < sizeof(r->text))
        r->n += (size_t)n;
}

void gdb_put_hex(struct gdb_reply *r, const void *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *p = data;

    for (; len > 0 && r->n + 2 < sizeof(r->text); len--, p++) {
        r->text[r->n++] = digits[*p >> 4];
        r->text[r->n++] = digits[*p & 15];
    }
}

void gdb_put_binary(struct gdb_reply *r, const void *data, size_t len)
{
    const uint8_t *p = data;

    for (; len > 0 && r->n + 2 < sizeof(r->text); len--, p++) {
        if (*p == '#' || *p == '$' || *p == '}' || *p == '*') {
            r->text[r->n++] = '}';
            r->text[r->n++] = (char)(*p ^ 0x20);
        } else {
            r->text[r->n++] = (char)*p;
        }
    }
}

void gdb_put_part(struct gdb_reply *r, const char *range, const void *data, size_t size)
{
    char *end;
    size_t off = strtoull(range, &end, 16), len = *end == ',' ? strtoull(end + 1, NULL, 16) : 0;

    if (len > GDB_PACKET / 2 - 8)
        len = GDB_PACKET / 2 - 8;
    if (off > size)
        off = size;
    if (len > size - off)
        len = size - off;
    gdb_put(r, "%c", off + len < size ? 'm' : 'l');
    gdb_put_binary(r, (const char *)data + off, len);
}

size_t gdb_frame(const struct gdb_reply *r, char frame[GDB_PACKET + 8])
{
    uint8_t sum = 0;

    for (size_t i = 0; i < r->n; i++)
        sum += (uint8_t)r->text[i];
    frame[0] = '$';
    memcpy(frame + 1, r->text, r->n);
    return 1 + r->n + (size_t)snprintf(frame + 1 + r->n, 4, "#%02x", sum);
}

size_t gdb_get_hex(const char *s, void *out, size_t max)
{
    uint8_t *p = out;
    size_t n = 0;

    while (n < max && hex((unsigned char)s[0]) >= 0 && hex((unsigned char)s[1]) >= 0) {
        p[n++] = (uint8_t)(hex((unsigned char)s[0]) * 16 + hex((unsigned char)s[1]));
        s += 2;
    }
    return n;
}
