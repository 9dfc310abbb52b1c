/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gdb's packets (base/gdb_packet.h) over a socket. */
#ifndef USER_GDB_IO_H
#define USER_GDB_IO_H

#include "base/err.h"
#include "base/gdb_packet.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** struct gdb_io - one connection. */
struct gdb_io {
    int fd;
    bool no_ack;
    uint8_t in[4096];
    size_t at, n;             /* what is left of in[] */
    struct gdb_in packet;
    struct gdb_reply reply; /* the one being made: gdb_begin(), gdb_put() and so on, gdb_send() */
};

/** gdb_listen - wait for a connection on TCP port or Unix socket @where; 0 or a negative errno. */
int gdb_listen(struct gdb_io *io, const char *where, struct err *e);

/** gdb_receive - next packet's payload, ended by a 0; binary escapes are undone.  Its length, or
 * -1 when the connection is gone.  An interrupt character is the packet "\3". */
long gdb_receive(struct gdb_io *io, char buf[GDB_PACKET + 1]);

/** gdb_send - the reply, again until gdb has it; -1 when the connection is gone. */
int gdb_send(struct gdb_io *io);

#endif
