/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a network back end is, for those that are one: net_NAME.c and a row of nets.def each. */
#ifndef NET_NET_PRIV_H
#define NET_NET_PRIV_H

#include "base/bytes.h"
#include "base/loop.h"
#include "net/net.h"
#include "schema/field.h"
#include "schema/keyval.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NET_QUEUES_MAX = 64,
    NET_WAITING_MAX = 256 /* packets, and at most so many bytes: */,
    NET_WAITING_BYTES = 1 << 20
};

/** struct net_type - constant; functions that are NULL do nothing. */
struct net_type {
    const char *name, *help;
    const char *refusal; /* not supported: why; the rest is not looked at */
    size_t size;         /* of the structure that begins with struct net */
    const struct field *opts;
    int (*open)(struct net *n, struct err *e);
    void (*close)(struct net *n); /* also after open() has failed */
    /* send - from the guest; false: full, net_room() follows. */
    bool (*send)(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                 const struct net_meta *meta);
    void (*ready)(struct net *n, unsigned queue); /* net_can_deliver has become true */
    void (*offloads)(struct net *n);              /* n->offloads have changed, or the card */
    void (*describe)(const struct net *n, char *buf, size_t len);
};

struct net {
    const struct net_type *type;
    const struct net_env *env;
    char *id;
    unsigned queues, takes; /* offloads that send() understands */

    const struct net_card *card;
    void *opaque;
    unsigned offloads; /* that the card understands */
    uint8_t mac[6];
    void (*room)(void *opaque, unsigned queue);
    void *room_opaque;

    bool link_off, peer_off;    /* set_link; nobody at the other end */
    int cable;                  /* 1 + the card's port, see net_set_cable; 0: none */
    struct net_filter *filters; /* nearest the back end first */
    struct net_packet *waiting[NET_QUEUES_MAX], **waiting_end[NET_QUEUES_MAX];
    unsigned waiting_n;
    size_t waiting_bytes;
};

/* struct net_packet - one that waits. */
struct net_packet {
    struct net_packet *next;
    struct net_meta meta;
    size_t len;
    uint8_t data[];
};
struct net_packet *net_packet_new(const struct iovec *iov, int cnt, const struct net_meta *meta);
size_t net_iov_len(const struct iovec *iov, int cnt);
/* net_iov_copy - at most @len bytes; how many. */
size_t net_iov_copy(void *to, size_t len, const struct iovec *iov, int cnt);

/* net_can_deliver - will the card, or nobody, take a packet now?  Who can leave packets where they are asks. */
bool net_can_deliver(const struct net *n, unsigned queue);
/* net_deliver - to the card; one that has no room gets it later, or, when too many wait, never. */
void net_deliver(struct net *n, unsigned queue, const void *packet, size_t len,
                 const struct net_meta *meta);
/* net_room - send() can take packets again. */
void net_room(struct net *n, unsigned queue);
void net_set_peer(struct net *n, bool there);
/* net_hub_forget - a back end at some port's end is closed. */
void net_hub_forget(const struct net *n);
void net_warn(const struct net_env *env, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Filters ---------------------------------------------------------------------------------------- */

/* Towards the card, and from it: "rx" and "tx" of the guest. */
enum net_way { NET_TO_CARD, NET_FROM_CARD };

struct net_filter_type {
    const char *name, *help, *refusal;
    size_t size;
    const struct field *opts;
    int (*open)(struct net_filter *f, struct err *e);
    void (*close)(struct net_filter *f);
    /* pass - true: the filter has taken the packet. */
    bool (*pass)(struct net_filter *f, enum net_way way, unsigned queue, const struct iovec *iov,
                 int cnt, const struct net_meta *meta);
    void (*describe)(const struct net_filter *f, char *buf, size_t len);
};

struct net_filter {
    const struct net_filter_type *type;
    const struct net_env *env;
    struct net *n;
    struct net_filter *next;
    char *id, *netdev, *position, *insert;
    int which; /* 0 all, 1 rx, 2 tx of the guest */
    bool on;
};

/* net_filters_pass - true: some filter after @f (NULL: of all) has taken the packet. */
bool net_filters_pass(struct net *n, const struct net_filter *f, enum net_way way, unsigned queue,
                      const struct iovec *iov, int cnt, const struct net_meta *meta);
/* net_filter_go_on - a packet that @f had taken goes its way now. */
void net_filter_go_on(struct net_filter *f, enum net_way way, unsigned queue, const void *packet,
                      size_t len, const struct net_meta *meta);
/* net_deliver_filtered, net_send_filtered - what is after the filters. */
void net_deliver_filtered(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                          const struct net_meta *meta);

#define NET(name)    extern const struct net_type net_##name;
#define FILTER(name) extern const struct net_filter_type filter_##name;
#include "net/filters.def"
#include "net/nets.def"
#undef NET
#undef FILTER

#endif
