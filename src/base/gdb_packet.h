/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packets of gdb's remote protocol (gdb manual, appendix E), whatever carries them: received byte by byte, made as text.
 */
#ifndef BASE_GDB_PACKET_H
#define BASE_GDB_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GDB_PACKET = 0x4000 }; /* longest payload either way */

/* What a byte completed. */
enum gdb_got {
    GDB_GOT_NOTHING,
    GDB_GOT_PACKET,    /* in->buf, in->n; to be acknowledged with "+" */
    GDB_GOT_DAMAGED,   /* its checksum is wrong: "-" */
    GDB_GOT_INTERRUPT, /* the character 3 between packets */
    GDB_GOT_ACK,
    GDB_GOT_NACK,
};

/** struct gdb_in - the packet that is coming.  Zero: none. */
struct gdb_in {
    enum { GDB_BETWEEN, GDB_INSIDE, GDB_SUM1, GDB_SUM2 } at;
    bool escaped;
    uint8_t sum;
    int high;
    size_t n;
    char buf[GDB_PACKET +
             1]; /* the payload, its binary escapes undone, with a 0 behind; too long: cut */
};

enum gdb_got gdb_in_byte(struct gdb_in *in, uint8_t c);

/** struct gdb_reply - a payload being made.  What does not fit is left out. */
struct gdb_reply {
    size_t n;
    char text[GDB_PACKET + 1];
};

void gdb_begin(struct gdb_reply *r);
void gdb_put(struct gdb_reply *r, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void gdb_put_hex(struct gdb_reply *r, const void *data, size_t len);
void gdb_put_binary(struct gdb_reply *r, const void *data, size_t len);
/** gdb_put_part - of @data, what @range ("offset,length") asks for, after 'm' or 'l': a qXfer reply. */
void gdb_put_part(struct gdb_reply *r, const char *range, const void *data, size_t size);
/** gdb_frame - as it goes over the wire, "$payload#sum"; its length. */
size_t gdb_frame(const struct gdb_reply *r, char frame[GDB_PACKET + 8]);

/** gdb_get_hex - decode pairs of digits; number of bytes, at most @max. */
size_t gdb_get_hex(const char *s, void *out, size_t max);

#endif
