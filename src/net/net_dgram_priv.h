/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A packet in each datagram, for -netdev dgram and -netdev socket. */
#ifndef NET_NET_DGRAM_PRIV_H
#define NET_NET_DGRAM_PRIV_H

#include "base/sock.h"
#include "net/net_priv.h"

/** struct net_dgram - such a back end begins with it. */
struct net_dgram {
    struct net net;
    int fd;
    bool opened, has_to;
    struct sock_addr to; /* nobody, for a connected socket */
    struct loop_fd *watch;
};

void dgram_init(struct net_dgram *d);
/* dgram_start - with @fd (owned) and perhaps @to. */
void dgram_start(struct net_dgram *d, int fd, const struct sock_addr *to);
/* dgram_join - a socket of the multicast group @group, on the interface with the address @local (or NULL). */
int dgram_join(const struct sock_addr *group, const char *local, struct err *e);
void dgram_close(struct net *n);
bool dgram_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                const struct net_meta *meta);
void dgram_ready(struct net *n, unsigned queue);

#endif
