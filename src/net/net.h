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

/** struct net_lines - character devices for guestfwd and filters; the program makes them of ui/chr.h. */
struct net_lines {
    /* open - the device called @text, or one made of that text as -serial takes it with id @id; NULL with @e.
     * What it says goes to @data(to), at most @room(to) bytes at a time. */
    void *(*open)(void *opaque, const char *id, const char *text, size_t (*room)(void *to),
                  void (*data)(void *to, const uint8_t *buf, size_t len), void *to, struct err *e);
    size_t (*write)(void *line, const uint8_t *buf, size_t len); /* bytes taken */
    void (*wake)(void *line);                                    /* @room has grown */
    void (*close)(void *line);
};

/** struct net_env - what back ends are made in; members that are NULL are not there.  Outlives them. */
struct net_env {
    struct loop *loop;
    struct net *(*find)(void *opaque, const char *id); /* others by name: hubports, filters */
    void *opaque;
    void (*warn)(void *opaque, const char *text); /* a line for the user, no newline */
    const struct net_lines *lines;
    void *lines_opaque;
};

/**
 * net_text_opts - "user,id=n0,hostfwd=tcp::2222-:22,hostfwd=..." as of -netdev: what may come several times
 * (hostfwd, guestfwd, dnssearch) becomes a list.
 * net_open - such options ("type", "id", ...), taken over.
 */
struct json_object *net_text_opts(const char *text, struct err *e);
struct net *net_open(const struct net_env *env, struct json_object *opts, struct err *e);
/** net_type_names - NULL-terminated, for -netdev help: those that can be had. */
const char *const *net_type_names(void);
/** net_close - also closes the filters on it. */
void net_close(struct net *n);
const char *net_id(const struct net *n);
const char *net_type(const struct net *n); /* "user" */
/** net_describe - "net=10.0.2.0,restrict=off", as `info network` has it. */
void net_describe(const struct net *n, char *buf, size_t len);
unsigned net_queues(const struct net *n);

bool net_has_card(const struct net *n);
/** net_card_mac - its card's address as the guest found it; zeros: a hub's port is there.  False: no card. */
bool net_card_mac(const struct net *n, uint8_t mac[6]);

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
/** net_announce - a reverse ARP request (RFC 903) as its card would send it, so that switches learn where the card is; false: no card. */
bool net_announce(struct net *n);
void net_on_room(struct net *n, void (*fn)(void *opaque, unsigned queue), void *opaque);
/** net_ready - the card has room again. */
void net_ready(struct net *n, unsigned queue);
/** net_link - is it up: set_link has not taken it down, and the other side is there.  The card hears of changes. */
bool net_link(const struct net *n);
void net_set_link(struct net *n, bool up);

/**
 * net_filter_open - "filter-dump" and its kin, @opts as of -object ("qom-type", "id", "netdev", ...), taken over.
 * It stands between the back end and its card until it is closed.
 */
struct net_filter;
struct net_filter *net_filter_open(const struct net_env *env, struct json_object *opts,
                                   struct err *e);
const char *const *net_filter_names(void);
void net_filter_close(struct net_filter *f);
const char *net_filter_id(const struct net_filter *f);
/** net_filter_next - those on @n: after @f, or the first for NULL. */
struct net_filter *net_filter_next(const struct net *n, const struct net_filter *f);
void net_filter_describe(const struct net_filter *f, char *buf, size_t len);

/* -netdev user: -ENOTSUP for others.  Rules as of hostfwd=: "tcp:127.0.0.1:2222-10.0.2.15:22"; to remove: up to the "-". */
int net_user_hostfwd_add(struct net *n, const char *rule, struct err *e);
int net_user_hostfwd_remove(struct net *n, const char *rule, struct err *e);
/** net_user_connections - the table of `info usernet`; the caller frees it.  NULL: not this type. */
char *net_user_connections(const struct net *n);
/** net_hub_of - which hub a back end is on, or -1. */
int net_hub_of(const struct net *n);
/** net_set_cable - @n and its card are all that -net made, which is hub 0: joined without one, which is quicker.  @port: the card's there,
 * 0 or 1; the other one is @n's.  net_cable - that port, or -1. */
void net_set_cable(struct net *n, int port);
int net_cable(const struct net *n);
/** net_hub_end - the back end at the end of the port @n; NULL: a card, or nobody. */
const struct net *net_hub_end(const struct net *n);

/**
 * struct net_plan - what -nic and -net mean: @netdevs for net_open, in order (a list of options); @nics, cards to
 * make: {"netdev": id, and perhaps "model", "mac", "addr", "vectors", "id"}.
 * net_plan_nic, net_plan_net - one such option; its text.  net_plan_done - after the last: what -net has named
 * shares hub 0, or is a card with the one back end @cable, borrowed; the card's port is @card_port.  @said: there was one, so the
 * machine's default card is not wanted.  @others, the caller's: how many ports -netdev gave hub 0.
 */
struct net_plan {
    struct json_object *netdevs, *nics;
    bool said;
    unsigned others;
    const char *cable;
    int card_port;

    struct json_object *members; /* of hub 0 */
    unsigned ids, ports, hub_nics;
};
struct net_plan *net_plan_new(void);
void net_plan_free(struct net_plan *p);
int net_plan_nic(struct net_plan *p, const char *text, struct err *e);
int net_plan_net(struct net_plan *p, const char *text, struct err *e);
void net_plan_done(struct net_plan *p);

/** net_next_mac - 52:54:00:12:34:56 and on, one more for each card. */
void net_next_mac(uint8_t mac[6]);
int net_parse_mac(const char *text, uint8_t mac[6], struct err *e);

#endif
