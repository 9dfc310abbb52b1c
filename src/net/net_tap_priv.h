/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network interface of the host, for -netdev tap and -netdev bridge. */
#ifndef NET_NET_TAP_PRIV_H
#define NET_NET_TAP_PRIV_H

#include "net/net_priv.h"

#include <net/if.h>

struct tap_queue {
    struct net_tap *t;
    unsigned number;
    int fd;
    struct loop_fd *watch;
    bool wants_room;
};

/** struct net_tap - such a back end begins with it. */
struct net_tap {
    struct net net;
    struct tap_queue q[NET_QUEUES_MAX];
    unsigned opened; /* queues with a descriptor */
    bool vnet_hdr;
    char ifname[IFNAMSIZ];
};

/* tap_add - @fd (owned, even on failure) is one more queue. */
int tap_add(struct net_tap *t, int fd, struct err *e);
/* tap_start - all queues are there. */
void tap_start(struct net_tap *t);
/* tap_helper - a descriptor from a bridge helper: `@helper --use-vnet --fd=N --br=@br`. */
int tap_helper(const char *helper, const char *br, struct err *e);
void tap_close(struct net *n);
bool tap_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
              const struct net_meta *meta);
void tap_ready(struct net *n, unsigned queue);
void tap_offloads(struct net *n);

#define TAP_HELPER "/usr/lib/qemu/qemu-bridge-helper"

#endif
