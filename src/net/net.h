/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network back ends (-netdev) and the network cards that attach to them.
 *
 * A packet is an Ethernet frame without check sequence.  With offloads (net_offloads) it is preceded by nothing: what
 * virtio's header would say comes beside it in struct net_meta.  Under the machine's lock.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct json_object;
struct loop;
struct net; /* a back end */

enum { NET_MAX_PACKET = 65536 + 22 };

/** struct net_meta - offloads of one packet, as in struct virtio_net_hdr (virtio 1.2, 5.1.6), host order. */
struct net_meta {
    uint8_t flags, gso_type;
    uint16_t hdr_len, gso_size, csum_start, csum_offset;
};
enum { NET_CSUM = 1 /* flags: checksum to be filled in */, NET_CSUM_OK = 2 };
enum { NET_GSO_NONE = 0, NET_GSO_TCP4 = 1, NET_GSO_UDP = 3, NET_GSO_TCP6 = 4, NET_GSO_ECN = 0x80 };
/* What one side is able to receive. */
enum { NET_OFF_CSUM = 1, NET_OFF_TSO4 = 2, NET_OFF_TSO6 = 4, NET_OFF_ECN = 8, NET_OFF_UFO = 16 };

/** struct net_card - what a card gives.  Constant. */
struct net_card {
    bool (*ready)(void *opaque, unsigned queue); /* can it take a packet? */
    /** receive - a packet for the guest; false: no room, keep it until net_ready(). */
    bool (*receive)(void *opaque, unsigned queue, const struct iovec *iov, int n,
                    const struct net_meta *meta);
    void (*link)(void *opaque, bool up); /* set_link, a peer that came or went */
};

/** net_open - @opts as of -netdev ("type", "id", ...), taken over.  @find: other back ends by name (hubport, filters). */
struct net_env {
    struct loop *loop;
    struct net *(*find)(void *opaque, const char *id);
    void *opaque;
};
struct net *net_open(const struct net_env *env, struct json_object *opts, struct err *e);
void net_close(struct net *n);
const char *net_id(const struct net *n);
const char *net_type(const struct net *n); /* "user" */
/** net_describe - "net=10.0.2.0,restrict=off", as `info network` has it. */
void net_describe(const struct net *n, char *buf, size_t len);
unsigned net_queues(const struct net *n);

/** net_attach - -EBUSY when it has a card.  @offloads: what the card can receive now; net_set_offloads later. */
int net_attach(struct net *n, const struct net_card *c, void *opaque, const uint8_t mac[6],
               struct err *e);
void net_detach(struct net *n);
void net_set_offloads(struct net *n, unsigned offloads);
/** net_takes - offloads that net_send may use. */
unsigned net_takes(const struct net *n);
/** net_send - from the guest.  False: the other side is full; net_on_room()'s function is called later. */
bool net_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
              const struct net_meta *meta);
void net_on_room(struct net *n, void (*fn)(void *opaque, unsigned queue), void *opaque);
/** net_ready - the card has room again. */
void net_ready(struct net *n, unsigned queue);
bool net_link(const struct net *n);
void net_set_link(struct net *n, bool up);

/** net_default_mac - 52:54:00:12:34:56 and on, one more for each card. */
void net_next_mac(uint8_t mac[6]);
int net_parse_mac(const char *text, uint8_t mac[6], struct err *e);

#endif
