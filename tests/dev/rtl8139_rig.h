/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An rtl8139 on the bus, and on a hub with another card. */
#ifndef TESTS_DEV_RTL8139_RIG_H
#define TESTS_DEV_RTL8139_RIG_H

#include "tests/dev/net_rig.h"

#include "base/bytes.h"

enum { FN = RIG_FN(0, 3, 0), BAR = RIG_PCI_MEM, RING = RIG_RAM + 0x10000, DATA = RIG_RAM + 0x40000 };
enum { TSD = 0x10, TSAD0 = 0x20, RBSTART = 0x30, CR = 0x37, CAPR = 0x38, CBR = 0x3a, IMR = 0x3c, ISR = 0x3e, TCR = 0x40, RCR = 0x44 };

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
