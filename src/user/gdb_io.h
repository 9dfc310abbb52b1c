/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of gdb's remote protocol over a socket (gdb manual, appendix E). */
#ifndef USER_GDB_IO_H
#define USER_GDB_IO_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GDB_PACKET = 0x4000 }; /* longest payload either way */

/** struct gdb_io - one connection. */
struct gdb_io {
    int fd;
    bool no_ack;
    uint8_t in[4096];
    size_t at, n;             /* what is left of in[] */
    char out[GDB_PACKET + 1]; /* the reply being made */
    size_t out_n;
};

/** gdb_listen - wait for a connection on TCP port or Unix socket @where; 0 or a negative errno. */
int gdb_listen(struct gdb_io *io, const char *where, struct err *e);

/** gdb_receive - next packet's payload, ended by a 0; binary escapes are undone.  Its length, or
 * -1 when the connection is gone.  An interrupt character is the packet "\3". */
long gdb_receive(struct gdb_io *io, char buf[GDB_PACKET + 1]);

/* A reply is begun, added to, and sent. */
void gdb_begin(struct gdb_io *io);
void gdb_put(struct gdb_io *io, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void gdb_put_hex(struct gdb_io *io, const void *data, size_t len);
void gdb_put_binary(struct gdb_io *io, const void *data, size_t len);
int gdb_send(struct gdb_io *io);

/** gdb_get_hex - decode pairs of digits; number of bytes, at most @max. */
size_t gdb_get_hex(const char *s, void *out, size_t max);

#endif
