/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An rtl8139 on the bus, and on a hub with another card. */
#ifndef TESTS_DEV_RTL8139_RIG_H
#define TESTS_DEV_RTL8139_RIG_H

#include "tests/dev/pci_rig.h"

#include "base/bytes.h"
#include "tests/unit/net/card.h"

enum { FN = RIG_FN(0, 3, 0), BAR = RIG_PCI_MEM, RING = RIG_RAM + 0x10000, DATA = RIG_RAM + 0x40000 };
enum { TSD = 0x10, TSAD0 = 0x20, RBSTART = 0x30, CR = 0x37, CAPR = 0x38, CBR = 0x3a, IMR = 0x3c, ISR = 0x3e, TCR = 0x40, RCR = 0x44 };

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

static inline void before(struct rig *r)
{
    static const uint8_t mac[6] = {2, 0, 0, 0, 0, 9};

    pci_rig_before(r);
    if (!peer) {
        peer = calloc(1, sizeof(*peer));
        ends[0] = hubport("hubport,id=n0,hubid=0");
        ends[1] = hubport("hubport,id=n1,hubid=0");
        peer->room = 1000;
        net_attach(ends[1], &card_type, peer, mac, ERR_IGNORE);
    }
    machine_add_backend(r->m, "netdev", "n0", ends[0], ERR_IGNORE);
}

static inline uint32_t get(struct rig *r, unsigned reg, unsigned size)
{
    return (uint32_t)rig_load(r, BAR + reg, size);
}

static inline void set(struct rig *r, unsigned reg, uint32_t v, unsigned size)
{
    rig_store(r, BAR + reg, v, size);
}

static inline uint8_t *ram(struct rig *r, uint32_t at)
{
    return r->ram->host + at - RIG_RAM;
}

static inline void arrive(const uint8_t *to, unsigned len, uint8_t fill)
{
    static const struct net_meta plain;
    uint8_t f[2048];
    struct iovec iov = {f, len};

    memset(f, fill, sizeof(f));
    memcpy(f, to, 6);
    net_send(ends[1], 0, &iov, 1, &plain);
}

#endif
