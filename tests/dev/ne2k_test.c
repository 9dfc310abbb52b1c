/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The NE2000 cards: address, remote DMA, sending, the ring, filters, saved state. */
#include "base/bytes.h"
#include "tests/dev/isa_rig.h"
#include "tests/dev/net_rig.h"

enum { P = 0x300, PSTART = 0x46, PSTOP = 0x80 };

static void on_isa(struct rig *r)
{
    isa_rig_before(r);
    wire(r);
}

static const uint8_t ours[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56}, all[6] = {255, 255, 255, 255, 255, 255};
static const uint8_t group[6] = {1, 0, 0x5e, 0, 0, 1};

/* Remote DMA of @n bytes at @at. */
static void remote(struct rig *r, uint16_t at, uint16_t n, uint8_t command)
{
    outb(r, P + 8, at & 255);
    outb(r, P + 9, at >> 8);
    outb(r, P + 10, n & 255);
    outb(r, P + 11, n >> 8);
    outb(r, P, command);
}

static void fetch(struct rig *r, uint16_t at, void *buf, uint16_t n)
{
    remote(r, at, n, 0x0a);
    for (unsigned i = 0; i < n; i += 2)
        put_le16((uint8_t *)buf + i, inw(r, P + 0x10));
    CHECK_EQ(inb(r, P + 7) & 0x40, 0x40);
    outb(r, P + 7, 0x40);
}

static struct rig *nic(void)
{
    struct rig *r = rig_with("ne2k_isa", "mac=52:54:00:12:34:56,netdev=n0", on_isa);

    inb(r, P + 0x1f);
    CHECK_EQ(inb(r, P + 7), 0x80);
    outb(r, P, 0x21);
    outb(r, P + 14, 0x49);
    outb(r, P + 12, 0x04);
    outb(r, P + 1, PSTART);
    outb(r, P + 2, PSTOP);
    outb(r, P + 3, PSTOP - 1);
    outb(r, P, 0x61);
    for (unsigned i = 0; i < 6; i++)
        outb(r, P + 1 + i, ours[i]);
    outb(r, P + 7, PSTART);
    outb(r, P, 0x22);
    outb(r, P + 15, 0x7f);
    return r;
}

static uint8_t curr(struct rig *r)
{
    uint8_t v;

    outb(r, P, 0x62);
    v = inb(r, P + 7);
    outb(r, P, 0x22);
    return v;
}

static void arrive(const uint8_t *to, unsigned len, uint8_t fill)
{
    static const struct net_meta plain;
    uint8_t f[2048];
    struct iovec iov = {f, len};

    memset(f, fill, sizeof(f));
    memcpy(f, to, 6);
    net_send(ends[1], 0, &iov, 1, &plain);
}

TEST(ne2k_isa, has_its_address_in_a_prom)
{
    struct rig *r = nic();
    uint8_t b[32];

    fetch(r, 0, b, 32);
    for (unsigned i = 0; i < 6; i++)
        CHECK_EQ(b[2 * i], ours[i]);
    CHECK_EQ(b[28], 0x57);
    CHECK_EQ(inb(r, P + 10), 'P');
    rig_free(r);
}

TEST(ne2k_isa, sends)
{
    struct rig *r = nic();

    peer->got = 0;
    remote(r, 0x4000, 100, 0x12);
    for (unsigned i = 0; i < 50; i++)
        outw(r, P + 0x10, 0x6161);
    CHECK_EQ(rig_irq(r, 0), 1);
    outb(r, P + 7, 0x40);
    CHECK_EQ(rig_irq(r, 0), 0);
    outb(r, P + 4, 0x40);
    outb(r, P + 5, 100);
    outb(r, P + 6, 0);
    outb(r, P, 0x26);
    CHECK_EQ(peer->got, 1);
    CHECK_EQ(peer->at[0].len, 100);
    CHECK_EQ(peer->at[0].data[99], 'a');
    CHECK_EQ(inb(r, P + 7), 2);
    CHECK_EQ(inb(r, P + 4), 1);
    CHECK_EQ(inb(r, P), 0x22);
    outb(r, P + 6, 0xff); /* too long */
    outb(r, P, 0x26);
    CHECK_EQ(peer->got, 1);
    rig_free(r);
}

TEST(ne2k_isa, receives_into_its_ring)
{
    struct rig *r = nic();
    uint8_t b[128];

    arrive(ours, 100, 0x33);
    CHECK_EQ(inb(r, P + 7), 1);
    CHECK_EQ(curr(r), PSTART + 1);
    fetch(r, PSTART << 8, b, 108);
    CHECK_EQ(b[0], 1);
    CHECK_EQ(b[1], PSTART + 1);
    CHECK_EQ(get_le16(b + 2), 104);
    CHECK_MEM(b + 4, ours, 6);
    CHECK_EQ(b[103], 0x33);
    arrive(all, 60, 0);
    arrive(group, 60, 0);
    CHECK_EQ(curr(r), PSTART + 2);
    outb(r, P + 12, 0x14);
    arrive(group, 60, 0);
    CHECK_EQ(curr(r), PSTART + 3);
    for (unsigned i = 0; i < 8; i++)
        arrive(ours, 1500, 0x44);
    CHECK_EQ(curr(r), PSTART + 3 + 48);
    arrive(ours, 1500, 0x55); /* these wait for room */
    arrive(ours, 1500, 0x55);
    CHECK_EQ(curr(r), PSTART + 3 + 48);
    CHECK_EQ(inb(r, P + 7) & 0x10, 0);
    outb(r, P + 3, PSTART + 50);
    CHECK_EQ(curr(r), PSTART + 3 + 60 - (PSTOP - PSTART));
    fetch(r, (PSTOP - 1) << 8, b, 128);
    CHECK_EQ(b[4], ours[0]);
    outb(r, P, 0x21);
    arrive(ours, 100, 0);
    CHECK_EQ(inb(r, P + 7) & 0x80, 0x80);
    rig_free(r);
}

TEST(ne2k_isa, misses_what_the_driver_does_not_come_for)
{
    struct rig *r = nic();
    uint8_t full;

    for (unsigned i = 0; i < 10; i++)
        arrive(ours, 1500, 0x44);
    full = curr(r);
    clock_step(r->m, 90 * 1000000ll);
    CHECK_EQ(inb(r, P + 7), 1);
    clock_step(r->m, 20 * 1000000ll);
    CHECK_EQ(inb(r, P + 7), 0x11); /* OVW, PRX */
    CHECK_EQ(curr(r), full);
    rig_free(r);
}

TEST(ne2k_isa, state_survives)
{
    struct rig *r = nic();
    uint8_t b[8];

    arrive(ours, 100, 0x33);
    remote(r, PSTART << 8, 8, 0x0a);
    inw(r, P + 0x10);
    rig_save_load(r);
    CHECK_EQ(inw(r, P + 0x10), 104);
    CHECK_EQ(inb(r, P + 7), 1);
    fetch(r, (PSTART << 8) + 4, b, 6);
    CHECK_MEM(b, ours, 6);
    rig_hostile(r);
    rig_free(r);
}

TEST(ne2k_pci, is_the_same_behind_bar_0)
{
    struct rig *r = rig_with("ne2k_pci", "addr=3,mac=52:54:00:12:34:56,netdev=n0,romfile=", before);
    uint32_t fn = RIG_FN(0, 3, 0);

    CHECK_EQ(cfg_read(r, fn, 0, 4), 0x802910ec);
    cfg_write(r, fn, 0x10, 0x1000, 4);
    cfg_write(r, fn, 4, 1, 2);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x1007, 1), 0x80);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x1000, 1), 0x21);
    rig_store(r, RIG_PCI_IO + 0x1000, 0x22, 1);
    rig_store(r, RIG_PCI_IO + 0x100f, 0x7f, 1);
    rig_store(r, RIG_PCI_IO + 0x1000, 0x0a, 1); /* nothing to move: it is done */
    CHECK_EQ(cfg_read(r, fn, 6, 2) & 8, 8);
    rig_save_load(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(ne2k_isa, has_its_address_in_a_prom),
    CASE(ne2k_isa, sends),
    CASE(ne2k_isa, receives_into_its_ring),
    CASE(ne2k_isa, misses_what_the_driver_does_not_come_for),
    CASE_SLOW(ne2k_isa, state_survives, 60),
    CASE(ne2k_pci, is_the_same_behind_bar_0),
};
TEST_MAIN(tests)
