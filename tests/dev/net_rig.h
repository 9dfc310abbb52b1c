/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A rig for network cards, before() for those on PCI: -netdev n0 is one end of a hub (wire()), the other belongs to @peer, a card of the tests. */
#ifndef TESTS_DEV_NET_RIG_H
#define TESTS_DEV_NET_RIG_H

#include "tests/dev/pci_rig.h"
#include "tests/unit/net/card.h"

static struct card *peer;
static struct net *ends[2];

static inline struct net *hubport(const char *text)
{
    static struct net_env env;
    struct err e = {0};
    struct net *n = net_open(&env, net_text_opts(text, &e), &e);

    if (!n)
        exit(TEST_FAILED);
    return n;
}

static inline void wire(struct rig *r)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

    if (!peer) {
        peer = calloc(1, sizeof(*peer));
        ends[0] = hubport("hubport,id=n0,hubid=0");
        ends[1] = hubport("hubport,id=n1,hubid=0");
        peer->room = 1000;
        net_attach(ends[1], &card_type, peer, mac, ERR_IGNORE);
    }
    machine_add_backend(r->m, "netdev", "n0", ends[0], ERR_IGNORE);
}

static inline void before(struct rig *r)
{
    pci_rig_before(r);
    wire(r);
}

#endif
