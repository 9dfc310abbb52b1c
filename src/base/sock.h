/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets of character and network back ends: from what the user types to descriptors that do not block.
 * Names are looked up (which may take long) only by sock_resolve, when the machine is made.
 */
#ifndef BASE_SOCK_H
#define BASE_SOCK_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { SOCK_ADDRS = 8, SOCK_TEXT = 160 };

/** struct sock_addr - one address.  struct sock_addrs - all that a name has. */
struct sock_addr {
    struct sockaddr_storage a;
    socklen_t len;
};
struct sock_addrs {
    struct sock_addr at[SOCK_ADDRS];
    int n;
    char name[SOCK_TEXT]; /* as the user wrote it, for messages: "localhost:99" */
};

/**
 * sock_resolve - @host ("" or NULL: any when @passive, else this machine) and @port (a number or a service).
 * @ipv4, @ipv6: 1 on, 0 off, -1 not said.  @type: SOCK_STREAM, SOCK_DGRAM.  -EINVAL, -ENOENT with a message.
 */
int sock_resolve(struct sock_addrs *to, const char *host, const char *port, int ipv4, int ipv6,
                 int type, bool passive, struct err *e);
/** sock_unix - the address of a path; abstract names are @tight or padded.  -ENAMETOOLONG. */
int sock_unix(struct sock_addrs *to, const char *path, bool abstract, bool tight, struct err *e);

/** sock_listen - at the first address that works, or the first free port up to @to_port (0: none); -errno with @e. */
int sock_listen(const struct sock_addrs *a, int to_port, struct err *e);
/** sock_accept - a new connection, or -errno (-EAGAIN); @from may be NULL. */
int sock_accept(int fd, struct sock_addr *from);
/** sock_connect_start - to address @i of @a; a descriptor that may become writable later: then ask sock_result(). */
int sock_connect_start(const struct sock_addrs *a, int i);
int sock_result(int fd);
/** sock_connect - tries all, waits for each at most @ms. */
int sock_connect(const struct sock_addrs *a, int ms, struct err *e);

/** sock_bind_dgram - a datagram socket there. */
int sock_bind_dgram(const struct sock_addrs *a, bool reuse, struct err *e);

/** sock_take_fd - a descriptor given as a number; must be a socket.  It is ours afterwards. */
int sock_take_fd(const char *text, struct err *e);

/** sock_print - "127.0.0.1:5551", "[::1]:5551", "/path", "@name". */
void sock_print(const struct sock_addr *a, char text[SOCK_TEXT]);
struct sock_addr sock_local(int fd);
struct sock_addr sock_peer(int fd);

#endif
