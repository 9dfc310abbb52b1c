/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The C+ mode of the rtl8139 card: rings, checksums, large sends, VLAN tags, counters, saved state. */
#include "tests/dev/rtl8139_rig.h"

#include "dev/net/inet_sum.h"

enum { TX = DATA, HIGH = DATA + 0x400, RX = DATA + 0x800, BUFS = DATA + 0x1000, POLL = 0xd9, CPCR = 0xe0 };
#define OWN  0x80000000u
#define EOR  0x40000000u
#define WHOLE 0x30000000u /* first and last */

static const uint8_t ours[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

static void desc(struct rig *r, uint32_t at, uint32_t d0, uint32_t d1, uint32_t buffer)
{
    put_le32(ram(r, at), d0);
    put_le32(ram(r, at) + 4, d1);
    put_le32(ram(r, at) + 8, buffer);
    put_le32(ram(r, at) + 12, 0);
}

static uint32_t d0(struct rig *r, uint32_t at)
{
    return get_le32(ram(r, at));
}

static struct rig *nic(uint32_t cpcr)
{
    struct rig *r = rig_with("rtl8139", "addr=3,mac=52:54:00:12:34:56,netdev=n0,romfile=", before);

    peer->got = 0;
    peer->room = 1000;
    cfg_write(r, FN, PCI_BAR0 + 4, BAR, 4);
    cfg_enable(r, FN);
    set(r, CR, 0x10, 1);
    set(r, CPCR, cpcr, 2);
    set(r, 0x20, TX, 4);
    set(r, 0x24, 0, 4);
    set(r, 0x28, HIGH, 4);
    set(r, 0x2c, 0, 4);
    set(r, 0xe4, RX, 4);
    set(r, 0xe8, 0, 4);
    memset(ram(r, TX), 0, 0x1000);
    set(r, CR, 0x0c, 1);
    set(r, RCR, 0x0a, 4);
    set(r, IMR, 0xffff, 2);
    return r;
}

/* A TCP or UDP packet with @n bytes that count up, all checksums 0x1234. */
static uint32_t build(uint8_t *f, uint8_t proto, uint32_t n)
{
    static const uint8_t head[34] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 9, 8, 0, 0x45, 0, 0, 0, 0xff, 0xfe, 0x40, 0,
                                     64, 0, 0x12, 0x34, 10, 0, 2, 15, 10, 0, 2, 2};
    uint32_t l4 = proto == 6 ? 20 : 8;

    memset(f, 0, 34 + l4);
    memcpy(f, head, 34);
    f[16] = (uint8_t)((20 + l4 + n) >> 8);
    f[17] = (uint8_t)(20 + l4 + n);
    f[23] = proto;
    f[34] = f[36] = 7;
    if (proto == 6) {
        put_le32(f + 38, 0xf0ffffff); /* sequence 0xfffffff0 */
        f[46] = 0x50;
        f[47] = 0x99; /* CWR, ACK, PSH, FIN */
        f[50] = 0x12;
        f[51] = 0x34;
    } else {
        f[38] = (uint8_t)((8 + n) >> 8);
        f[39] = (uint8_t)(8 + n);
        f[40] = 0x12;
        f[41] = 0x34;
    }
    for (uint32_t i = 0; i < n; i++)
        f[34 + l4 + i] = (uint8_t)i;
    return 34 + l4 + n;
}

/* Both sums of the frame at @f, whose IP header is at @ip: 0xffff twice when right. */
static uint32_t sums(const uint8_t *f, unsigned ip)
{
    uint32_t len = (uint32_t)(f[ip + 2] << 8 | f[ip + 3]) - 20;

    return (uint32_t)inet_sum(f + ip, 20, 0) << 16 | inet_sum(f + ip + 20, len, inet_sum(f + ip + 12, 8, 0) + f[ip + 9] + len);
}

TEST(rtl8139_cplus, sends_from_its_ring_with_sums_and_tag)
{
    struct rig *r = nic(1);
    uint32_t len = build(ram(r, BUFS), 6, 101);

    desc(r, TX, OWN | 0x20000000 | 7 << 16 | 60, 0x20000 | 0x6520, BUFS); /* tag 0x2065 */
    desc(r, TX + 16, OWN | EOR | 0x10000000 | (len - 60), 0, BUFS + 60);
    set(r, POLL, 0x40, 1);
    CHECK_EQ(peer->got, 1);
    CHECK_EQ(peer->at[0].len, len + 4);
    CHECK_EQ(get_le32(peer->at[0].data + 12), 0x65200081);
    CHECK_EQ(sums(peer->at[0].data, 18), 0xffffffff);
    CHECK_EQ(peer->at[0].data[len + 3], 100);
    CHECK_EQ(d0(r, TX), 0x20000000 | 60);
    CHECK_EQ(d0(r, TX + 16), EOR | 0x10000000 | (len - 60));
    CHECK_EQ(get(r, ISR, 2), 0x84);
    CHECK_EQ(get(r, POLL, 1), 0);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 8);
    len = build(ram(r, BUFS), 17, 3); /* the ring has gone around; without the bits nothing is computed */
    desc(r, TX, OWN | WHOLE | 2 << 16 | len, 0, BUFS);
    set(r, POLL, 0x40, 1);
    CHECK_EQ(peer->at[1].len, 60);
    CHECK_EQ(sums(peer->at[1].data, 14) & 0xffff, 0xffff);
    CHECK_EQ(peer->at[1].data[24] << 8 | peer->at[1].data[25], 0x1234);
    rig_free(r);
}

TEST(rtl8139_cplus, cuts_large_sends)
{
    struct rig *r = nic(1);
    uint32_t len = build(ram(r, BUFS), 6, 2500);

    desc(r, TX, OWN | WHOLE | EOR | 0x08000000 | 1000 << 16 | len, 0, BUFS);
    set(r, POLL, 0x40, 1);
    CHECK_EQ(peer->got, 3);
    for (unsigned i = 0; i < 3; i++) {
        const uint8_t *f = peer->at[i].data;

        CHECK_EQ(peer->at[i].len, 54 + (i < 2 ? 1000 : 500));
        CHECK_EQ(sums(f, 14), 0xffffffff);
        CHECK_EQ(f[18] << 8 | f[19], (0xfffe + i) & 0xffff);
        CHECK_EQ((uint32_t)f[38] << 24 | f[39] << 16 | f[40] << 8 | f[41], 0xfffffff0u + i * 1000);
        CHECK_EQ(f[47], i == 0 ? 0x90 : i == 1 ? 0x10 : 0x19);
        CHECK_EQ(f[54], (uint8_t)(i * 1000));
    }
    CHECK_EQ(d0(r, TX), WHOLE | EOR | len);
    CHECK_EQ(get(r, ISR, 2), 0x84);
    rig_free(r);
}

TEST(rtl8139_cplus, large_sends_wait_for_room_and_for_others)
{
    struct rig *r = nic(1);
    uint32_t len = build(ram(r, BUFS), 6, 1000);

    peer->room = 100000;
    desc(r, TX, OWN | WHOLE | EOR | 0x08000000 | 1 << 16 | len, 0, BUFS);
    set(r, POLL, 0x40, 1);
    CHECK_EQ(peer->got, 256); /* more than it does at once */
    CHECK_EQ(d0(r, TX) & OWN, OWN);
    CHECK_EQ(get(r, POLL, 1), 0x40);
    rig_save_load(r);
    for (unsigned i = 0; i < 8; i++)
        rig_step(r, 1000);
    CHECK_EQ(peer->got, 1000);
    CHECK_EQ(peer->at[999].data[54], (uint8_t)999);
    CHECK_EQ(d0(r, TX) & OWN, 0);
    CHECK_EQ(get(r, POLL, 1), 0);
    rig_free(r);
}

TEST(rtl8139_cplus, refuses_broken_packets)
{
    struct rig *r = nic(1);
    uint32_t len = build(ram(r, BUFS), 17, 2000);

    desc(r, TX, OWN | WHOLE | 0x08000000 | 1000 << 16 | len, 0, BUFS); /* not TCP */
    desc(r, TX + 16, OWN | 0x10000000 | 100, 0, BUFS);                 /* no beginning */
    desc(r, TX + 32, OWN | WHOLE | 3000, 0, BUFS);                     /* too long */
    desc(r, TX + 48, OWN | WHOLE | 10, 0, BUFS);                       /* too short */
    desc(r, TX + 64, OWN | 0x20000000 | 100, 0, BUFS);                 /* not all there yet */
    set(r, POLL, 0x40, 1);
    CHECK_EQ(peer->got, 0);
    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(d0(r, TX + 16 * i) & (OWN | 0x00800000), 0x00800000);
    CHECK_EQ(d0(r, TX + 64) & OWN, OWN);
    CHECK_EQ(get(r, ISR, 2), 0x88);
    len = build(ram(r, BUFS), 6, 10);
    ram(r, BUFS)[46] = 0xf0; /* headers longer than the packet */
    desc(r, TX + 64, OWN | WHOLE | 0x08000000 | 1000 << 16 | len, 0, BUFS);
    set(r, POLL, 0x40, 1);
    CHECK_EQ(peer->got, 0);
    CHECK_EQ(d0(r, TX + 64) & (OWN | 0x00800000), 0x00800000);
    for (unsigned i = 0; i < 64; i++) /* a ring that never ends */
        desc(r, TX + 16 * i, OWN | (i == 5 ? 0x20000000 : 0) | 0xffff, 0, BUFS);
    set(r, POLL, 0x40, 1);
    CHECK_EQ(d0(r, TX) & OWN, 0);
    CHECK_EQ(peer->got, 0);
    rig_free(r);
}

TEST(rtl8139_cplus, receives_into_descriptors)
{
    struct rig *r = nic(2 | 0x60);
    uint8_t f[256];
    uint32_t len = build(f, 6, 100);
    struct iovec iov = {f, len};
    static const struct net_meta plain;

    desc(r, RX, OWN | 1536, 0, BUFS);
    desc(r, RX + 16, OWN | 64, 0, BUFS + 0x800);
    desc(r, RX + 32, OWN | EOR | 1536, 0, BUFS + 0x1000);
    arrive(ours, 100, 0x11);
    CHECK_EQ(d0(r, RX), WHOLE | 0x02000000 | 104);
    CHECK_MEM(ram(r, BUFS), ours, 6);
    CHECK_EQ(get(r, ISR, 2), 1);
    net_send(ends[1], 0, &iov, 1, &plain); /* wrong sums; two buffers */
    CHECK_EQ(d0(r, RX + 16), 0x20000000 | 0x02000000 | 0x1a000 | 64);
    CHECK_EQ(d0(r, RX + 32), EOR | 0x10000000 | 0x02000000 | 0x1a000 | (len + 4));
    CHECK_MEM(ram(r, BUFS + 0x800), f, 64);
    CHECK_MEM(ram(r, BUFS + 0x1000), f + 64, len - 64);
    set(r, ISR, 0xffff, 2);
    arrive(ours, 100, 0x11); /* no descriptor is left */
    CHECK_EQ(get(r, ISR, 2), 0);
    clock_step(r->m, 110 * 1000000ll);
    CHECK_EQ(get(r, ISR, 2), 0x10);
    CHECK_EQ(get(r, 0x4c, 4), 1);
    rig_free(r);
}

TEST(rtl8139_cplus, judges_sums_and_takes_tags_off)
{
    struct rig *r = nic(2 | 0x60);
    uint8_t f[256];
    uint32_t len = build(f, 17, 100);
    struct iovec iov[3] = {{f, 12}, {"\x81\x00\x20\x65", 4}, {f + 12, len - 12}};
    static const struct net_meta plain;

    f[40] = f[41] = f[24] = f[25] = 0; /* UDP without a sum; IP with the right one */
    f[24] = (uint8_t)(~inet_sum(f + 14, 20, 0) >> 8);
    f[25] = (uint8_t)~inet_sum(f + 14, 10, inet_sum(f + 26, 8, 0));
    desc(r, RX, OWN | 1536, 0, BUFS);
    desc(r, RX + 16, OWN | EOR | 1536, 0, BUFS + 0x800);
    net_send(ends[1], 0, iov, 3, &plain);
    CHECK_EQ(d0(r, RX), WHOLE | 0x02020000 | (len + 4));
    CHECK_EQ(get_le32(ram(r, RX) + 4), 0x10000 | 0x6520);
    CHECK_MEM(ram(r, BUFS), f, len);
    set(r, CPCR, 2, 2);
    net_send(ends[1], 0, iov, 3, &plain);
    CHECK_EQ(d0(r, RX + 16), WHOLE | EOR | 0x02000000 | (len + 8));
    CHECK_EQ(get_le32(ram(r, BUFS + 0x800) + 12), 0x65200081);
    rig_free(r);
}

TEST(rtl8139_cplus, high_priority_goes_first_and_counters_are_written)
{
    struct rig *r = nic(3);

    desc(r, TX, OWN | WHOLE | EOR | 70, 0, BUFS);
    desc(r, HIGH, OWN | WHOLE | EOR | 80, 0, BUFS);
    desc(r, RX, OWN | EOR | 1536, 0, BUFS + 0x800);
    set(r, POLL, 0xc1, 1);
    CHECK_EQ(peer->got, 2);
    CHECK_EQ(peer->at[0].len, 80);
    CHECK_EQ(peer->at[1].len, 70);
    CHECK_EQ(get(r, ISR, 2), 0x184);
    arrive((const uint8_t *)"\xff\xff\xff\xff\xff\xff", 100, 0);
    arrive(ours, 100, 0);
    memset(ram(r, DATA + 0xc00), 0xee, 80);
    set(r, 0x14, 0, 4);
    set(r, 0x10, (DATA + 0xc00) | 8, 4);
    CHECK_EQ(get(r, 0x10, 4), DATA + 0xc00);
    CHECK_EQ(get_le64(ram(r, DATA + 0xc00)), 2);
    CHECK_EQ(get_le64(ram(r, DATA + 0xc08)), 1);
    CHECK_EQ(get_le16(ram(r, DATA + 0xc1c)), 1);
    CHECK_EQ(get_le64(ram(r, DATA + 0xc30)), 1);
    CHECK_EQ(ram(r, DATA + 0xc40)[0], 0xee);
    rig_free(r);
}

TEST(rtl8139_cplus, state_survives)
{
    struct rig *r = nic(3);

    desc(r, RX, OWN | 1536, 0, BUFS);
    desc(r, RX + 16, OWN | EOR | 1536, 0, BUFS + 0x800);
    desc(r, TX, OWN | WHOLE | 70, 0, BUFS);
    desc(r, TX + 16, OWN | WHOLE | EOR | 71, 0, BUFS);
    arrive(ours, 100, 0x11);
    set(r, CR, 0x08, 1);
    set(r, POLL, 0x40, 1); /* not yet: the transmitter is off */
    CHECK_EQ(peer->got, 0);
    rig_save_load(r);
    CHECK_EQ(get(r, POLL, 1), 0x40);
    set(r, CR, 0x0c, 1);
    CHECK_EQ(peer->got, 2);
    arrive(ours, 100, 0x12);
    CHECK_EQ(d0(r, RX + 16) & OWN, 0);
    set(r, 0x20, TX, 4); /* begins again */
    desc(r, TX, OWN | WHOLE | 72, 0, BUFS);
    set(r, POLL, 0x40, 1);
    CHECK_EQ(peer->at[2].len, 72);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(rtl8139_cplus, sends_from_its_ring_with_sums_and_tag),
    CASE(rtl8139_cplus, cuts_large_sends),
    CASE(rtl8139_cplus, large_sends_wait_for_room_and_for_others),
    CASE(rtl8139_cplus, refuses_broken_packets),
    CASE(rtl8139_cplus, receives_into_descriptors),
    CASE(rtl8139_cplus, judges_sums_and_takes_tags_off),
    CASE(rtl8139_cplus, high_priority_goes_first_and_counters_are_written),
    CASE_SLOW(rtl8139_cplus, state_survives, 30),
};
TEST_MAIN(tests)
