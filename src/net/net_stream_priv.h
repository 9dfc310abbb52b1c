/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets on a connection, for -netdev stream and -netdev socket. */
#ifndef NET_NET_STREAM_PRIV_H
#define NET_NET_STREAM_PRIV_H

#include "base/sock.h"
#include "net/frames.h"
#include "net/net_priv.h"

enum { STREAM_OUT = 1 << 18, STREAM_READ = 16384 };

/** struct net_stream - such a back end begins with it. */
struct net_stream {
    struct net net;
    bool opened, connecting, broken, wants_room;
    struct sock_addrs addrs;
    int listen_fd, fd, addr_i;
    uint64_t reconnect_ms;
    struct loop_fd *listen_watch, *watch;
    struct loop_timer *timer;
    struct frames frames;
    uint8_t out[STREAM_OUT];
    size_t out_at, out_len;
};

/* stream_init - before anything can fail.  stream_listen, stream_connect - with @addrs; stream_use - a socket that is
 * there.  A client whose peer is not there stays without one, or tries again with @reconnect_ms. */
void stream_init(struct net_stream *s);
int stream_listen(struct net_stream *s, int fd, struct err *e);
void stream_connect(struct net_stream *s);
void stream_use(struct net_stream *s, int fd);
void stream_close(struct net *n);
bool stream_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                 const struct net_meta *meta);
void stream_ready(struct net *n, unsigned queue);

/* struct net_addr - addr.*, local.* and remote.* as the user gives them. */
struct net_addr {
    char *type, *host, *port, *path, *str;
    bool ipv4, ipv6, abstract, tight, numeric, keep_alive, given;
    uint64_t to;
};
/* net_addr_take - @o, the object that @name is in the options; -EINVAL.  A missing one is not @given. */
int net_addr_take(struct net_addr *a, struct json_object *o, const char *name, struct err *e);
void net_addr_free(struct net_addr *a);
/* net_addr_resolve - all but fd. */
int net_addr_resolve(const struct net_addr *a, struct sock_addrs *to, int type, bool passive,
                     const char *name, struct err *e);

#endif
