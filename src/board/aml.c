/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing AML.  Source: ACPI Specification 6.3, chapter 20 and section 6.4. */
#include "board/aml.h"

#include "base/bytes.h"
#include "base/err.h"

#include <ctype.h>
#include <stdlib.h>

enum { EXT = 0x5b, OP_NAME = 0x08, OP_SCOPE = 0x10, OP_BUFFER = 0x11, OP_PACKAGE = 0x12, OP_METHOD = 0x14 };
enum { OP_IF = 0xa0, OP_ELSE = 0xa1, OP_DEVICE = 0x82 /* after EXT */, OP_STRING = 0x0d, OP_WHILE = 0xa2 };
enum { OP_MUTEX = 0x01, OP_ACQUIRE = 0x23, OP_RELEASE = 0x27, OP_REGION = 0x80, OP_FIELD = 0x81 }; /* after EXT */
enum { ROOM = 4 /* for a PkgLength, until it is known */ };

void bytes_put(struct bytes *b, const void *p, size_t len)
{
    if (b->len + len > b->cap) {
        b->cap = (b->len + len) * 2;
        b->data = realloc(b->data, b->cap);
        if (!b->data)
            fatal("out of memory for ACPI tables");
    }
    memcpy(b->data + b->len, p, len);
    b->len += len;
}

void bytes_zero_put(struct bytes *b, size_t len)
{
    static const uint8_t zeros[256];

    for (size_t n; len; len -= n) {
        n = min_u64(len, sizeof(zeros));
        bytes_put(b, zeros, n);
    }
}

void bytes_le(struct bytes *b, uint64_t v, unsigned size)
{
    uint8_t le[8];

    put_le64(le, v);
    bytes_put(b, le, size);
}

void aml_op(struct bytes *b, uint8_t op)
{
    bytes_put(b, &op, 1);
}

/* --- Lengths --- */

static size_t open_room(struct bytes *b)
{
    size_t at = b->len;

    bytes_zero_put(b, ROOM);
    return at;
}

/* PkgLength (20.2.4) counts itself: the fewest bytes that hold it take the room's place. */
void aml_close(struct bytes *b, size_t open)
{
    size_t body = b->len - open - ROOM;
    unsigned n = body + 1 < 0x40 ? 1 : body + 2 < 0x1000 ? 2 : body + 3 < 0x100000 ? 3 : 4;
    size_t len = body + n;
    uint8_t *p = b->data + open;

    memmove(p + n, p + ROOM, body);
    b->len -= ROOM - n;
    if (n == 1) {
        p[0] = len;
        return;
    }
    p[0] = (n - 1) << 6 | (len & 15);
    len >>= 4;
    for (unsigned i = 1; i < n; i++, len >>= 8)
        p[i] = len;
}

/* --- Names --- */

static void segment(struct bytes *b, const char *s, size_t len)
{
    char name[4] = {'_', '_', '_', '_'};

    memcpy(name, s, len < 4 ? len : 4);
    bytes_put(b, name, 4);
}

void aml_path(struct bytes *b, const char *path)
{
    unsigned n = 1;

    for (; *path == '\\' || *path == '^'; path++)
        aml_op(b, *path);
    for (const char *p = path; *p; p++)
        n += *p == '.';
    if (n == 2) {
        aml_op(b, 0x2e);
    } else if (n > 2) {
        aml_op(b, 0x2f);
        aml_op(b, n);
    }
    for (size_t len; *path; path += len + (path[len] == '.')) {
        len = strcspn(path, ".");
        segment(b, path, len);
    }
}

size_t aml_scope(struct bytes *b, const char *name)
{
    size_t at;

    aml_op(b, OP_SCOPE);
    at = open_room(b);
    aml_path(b, name);
    return at;
}

size_t aml_device(struct bytes *b, const char *name)
{
    size_t at;

    aml_op(b, EXT);
    aml_op(b, OP_DEVICE);
    at = open_room(b);
    aml_path(b, name);
    return at;
}

size_t aml_method(struct bytes *b, const char *name, unsigned args, bool serialized)
{
    size_t at;

    aml_op(b, OP_METHOD);
    at = open_room(b);
    aml_path(b, name);
    aml_op(b, args | serialized << 3);
    return at;
}

size_t aml_package(struct bytes *b, unsigned elements)
{
    size_t at;

    aml_op(b, OP_PACKAGE);
    at = open_room(b);
    aml_op(b, elements);
    return at;
}

size_t aml_if(struct bytes *b)
{
    aml_op(b, OP_IF);
    return open_room(b);
}

size_t aml_else(struct bytes *b)
{
    aml_op(b, OP_ELSE);
    return open_room(b);
}

size_t aml_while(struct bytes *b)
{
    aml_op(b, OP_WHILE);
    return open_room(b);
}

/* --- Regions and locks --- */

void aml_region(struct bytes *b, const char *name, enum aml_region_space space, uint64_t at, uint32_t len)
{
    aml_op(b, EXT);
    aml_op(b, OP_REGION);
    aml_path(b, name);
    aml_op(b, space);
    aml_int(b, at);
    aml_int(b, len);
}

/* @update: what becomes of bits that are not written. */
static size_t open_field(struct bytes *b, const char *region, unsigned access_bytes, uint8_t update)
{
    size_t at;

    aml_op(b, EXT);
    aml_op(b, OP_FIELD);
    at = open_room(b);
    aml_path(b, region);
    aml_op(b, (access_bytes == 1 ? 1 : access_bytes == 2 ? 2 : 3) | update << 5); /* no lock */
    return at;
}

size_t aml_field(struct bytes *b, const char *region, unsigned access_bytes)
{
    return open_field(b, region, access_bytes, 0 /* they are preserved */);
}

size_t aml_field_zeros(struct bytes *b, const char *region, unsigned access_bytes)
{
    return open_field(b, region, access_bytes, 2);
}

/* Its number of bits is a PkgLength without body. */
void aml_bits(struct bytes *b, const char *name, unsigned bits)
{
    if (name)
        aml_path(b, name);
    else
        aml_op(b, 0);
    if (bits < 0x40) {
        aml_op(b, bits);
    } else {
        aml_op(b, 0x40 | (bits & 15));
        aml_op(b, bits >> 4);
    }
}

void aml_mutex(struct bytes *b, const char *name)
{
    aml_op(b, EXT);
    aml_op(b, OP_MUTEX);
    aml_path(b, name);
    aml_op(b, 0);
}

void aml_acquire(struct bytes *b, const char *name)
{
    aml_op(b, EXT);
    aml_op(b, OP_ACQUIRE);
    aml_path(b, name);
    bytes_le(b, 0xffff, 2);
}

void aml_release(struct bytes *b, const char *name)
{
    aml_op(b, EXT);
    aml_op(b, OP_RELEASE);
    aml_path(b, name);
}

/* --- Values --- */

void aml_int(struct bytes *b, uint64_t v)
{
    if (v <= 1) {
        aml_op(b, v);
        return;
    }
    unsigned size = v <= 0xff ? 1 : v <= 0xffff ? 2 : v <= 0xffffffff ? 4 : 8;

    aml_op(b, size == 1 ? 0x0a : size == 2 ? 0x0b : size == 4 ? 0x0c : 0x0e);
    bytes_le(b, v, size);
}

void aml_string(struct bytes *b, const char *v)
{
    aml_op(b, OP_STRING);
    bytes_put(b, v, strlen(v) + 1);
}

void aml_name(struct bytes *b, const char *name)
{
    aml_op(b, OP_NAME);
    aml_path(b, name);
}

void aml_name_int(struct bytes *b, const char *name, uint64_t v)
{
    aml_name(b, name);
    aml_int(b, v);
}

void aml_name_string(struct bytes *b, const char *name, const char *v)
{
    aml_name(b, name);
    aml_string(b, v);
}

/* --- Statements --- */

void aml_set(struct bytes *b, const char *name, uint64_t v)
{
    aml_op(b, AML_STORE);
    aml_int(b, v);
    aml_path(b, name);
}

void aml_set_to(struct bytes *b, const char *name, uint8_t op)
{
    aml_op(b, AML_STORE);
    aml_op(b, op);
    aml_path(b, name);
}

void aml_is(struct bytes *b, const char *name, uint64_t v)
{
    aml_op(b, AML_LEQUAL);
    aml_path(b, name);
    aml_int(b, v);
}

void aml_notify(struct bytes *b, const char *path, uint64_t v)
{
    aml_op(b, AML_NOTIFY);
    aml_path(b, path);
    aml_int(b, v);
}

void aml_return(struct bytes *b, uint64_t v)
{
    aml_op(b, AML_RETURN);
    aml_int(b, v);
}

static unsigned hex(char c)
{
    return isdigit((unsigned char)c) ? c - '0' : toupper((unsigned char)c) - 'A' + 10;
}

/* Three letters of five bits and four hexadecimal digits, most significant byte first (19.3.4). */
uint32_t aml_eisa(const char *id)
{
    uint8_t be[4] = {(id[0] - 0x40) << 2 | (id[1] - 0x40) >> 3, (id[1] - 0x40) << 5 | (id[2] - 0x40),
                     hex(id[3]) << 4 | hex(id[4]), hex(id[5]) << 4 | hex(id[6])};

    return get_le32(be);
}

void aml_buffer(struct bytes *b, const void *p, size_t len)
{
    size_t at;

    aml_op(b, OP_BUFFER);
    at = open_room(b);
    aml_int(b, len);
    bytes_put(b, p, len);
    aml_close(b, at);
}

/* The first three fields are little endian (19.6.142). */
void aml_uuid(struct bytes *b, const char *text)
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    uint8_t raw[16], out[16];

    for (unsigned i = 0; i < 16; i++, text += 2) {
        text += *text == '-';
        raw[i] = hex(text[0]) << 4 | hex(text[1]);
    }
    for (unsigned i = 0; i < 16; i++)
        out[i] = raw[order[i]];
    aml_buffer(b, out, sizeof(out));
}

/* --- Resources --- */

/* The buffer's size is known at the end only: two bytes hold it, whatever it is. */
size_t aml_resources(struct bytes *b, const char *name)
{
    size_t at;

    aml_name(b, name);
    aml_op(b, OP_BUFFER);
    at = open_room(b);
    aml_op(b, 0x0b);
    bytes_le(b, 0, 2);
    return at;
}

void aml_resources_end(struct bytes *b, size_t open)
{
    bytes_le(b, 0x0079, 2); /* end tag, checksum not given */
    put_le16(b->data + open + ROOM + 1, b->len - (open + ROOM + 3));
    aml_close(b, open);
}

void aml_memory32(struct bytes *b, uint32_t base, uint32_t len)
{
    aml_op(b, 0x86);
    bytes_le(b, 9, 2);
    aml_op(b, 1); /* read and write */
    bytes_le(b, base, 4);
    bytes_le(b, len, 4);
}

void aml_interrupt(struct bytes *b, uint32_t gsi, bool edge)
{
    aml_op(b, 0x89);
    bytes_le(b, 6, 2);
    aml_op(b, 1 | edge << 1); /* consumer, active high, exclusive */
    aml_op(b, 1);
    bytes_le(b, gsi, 4);
}

void aml_window(struct bytes *b, enum aml_space space, unsigned size, uint64_t first, uint64_t last,
                uint64_t offset)
{
    static const uint8_t specific[] = {
        [AML_MEMORY] = 1 /* read and write, not cached */,
        [AML_IO] = 3 | 1 << 4 /* all ports; memory on this side */,
        [AML_BUS] = 0,
    };
    aml_op(b, size == 2 ? 0x88 : size == 4 ? 0x87 : 0x8a);
    bytes_le(b, 3 + 5 * size, 2);
    aml_op(b, space);
    aml_op(b, 0x0c); /* both ends are fixed; the bridge decodes positively */
    aml_op(b, specific[space]);
    bytes_le(b, 0, size);
    bytes_le(b, first, size);
    bytes_le(b, last, size);
    bytes_le(b, offset, size);
    bytes_le(b, last - first + 1, size);
}

void aml_irqs(struct bytes *b, const uint32_t *gsi, unsigned n)
{
    aml_op(b, 0x89);
    bytes_le(b, 2 + 4 * n, 2);
    aml_op(b, 1 | 8);
    aml_op(b, n);
    for (unsigned i = 0; i < n; i++)
        bytes_le(b, gsi[i], 4);
}

void aml_io(struct bytes *b, uint16_t base, uint8_t len)
{
    aml_op(b, 0x47);
    aml_op(b, 1); /* 16 bits are decoded */
    bytes_le(b, base, 2);
    bytes_le(b, base, 2);
    aml_op(b, 1);
    aml_op(b, len);
}

void aml_irq(struct bytes *b, unsigned n)
{
    aml_op(b, 0x22);
    bytes_le(b, 1u << n, 2);
}

void aml_dma(struct bytes *b, unsigned channel)
{
    aml_op(b, 0x2a);
    aml_op(b, 1u << channel);
    aml_op(b, 0);
}
