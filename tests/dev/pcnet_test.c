/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pcnet card: identity, both widths of registers, initialization, rings in the styles, filters, loop, saved state. */
#include "tests/dev/net_rig.h"

#include "base/bytes.h"

enum { FN = RIG_FN(0, 3, 0), BAR = RIG_PCI_MEM, BLOCK = RIG_RAM + 0x1000, RX = RIG_RAM + 0x2000, TX = RIG_RAM + 0x3000, DATA = RIG_RAM + 0x10000 };

static uint8_t *ram(struct rig *r, uint32_t at)
{
    return r->ram->host + at - RIG_RAM;
}

static void put32(struct rig *r, uint32_t at, uint32_t v)
{
    put_le32(ram(r, at), v);
}

static uint32_t get32(struct rig *r, uint32_t at)
{
    return get_le32(ram(r, at));
}

/* Registers of 32 bits, once dwio() was called. */
static uint32_t csr(struct rig *r, unsigned n)
{
    rig_store(r, BAR + 0x14, n, 4);
    return rig_load(r, BAR + 0x10, 4);
}

static void set_csr(struct rig *r, unsigned n, uint32_t v)
{
    rig_store(r, BAR + 0x14, n, 4);
    rig_store(r, BAR + 0x10, v, 4);
}

static void set_bcr(struct rig *r, unsigned n, uint32_t v)
{
    rig_store(r, BAR + 0x14, n, 4);
    rig_store(r, BAR + 0x1c, v, 4);
}

static struct rig *nic(void)
{
    struct rig *r = rig_with("pcnet", "addr=3,mac=52:54:00:12:34:56,netdev=n0,romfile=", before);

    cfg_write(r, FN, PCI_BAR0 + 4, BAR, 4);
    cfg_enable(r, FN);
    return r;
}

/* Four descriptors each way, style @style; receive buffers of 1600 bytes are the chip's. */
static struct rig *started(unsigned style, uint16_t mode)
{
    struct rig *r = nic();

    rig_store(r, BAR + 0x10, 0, 4); /* 32-bit registers, from here on */
    set_bcr(r, 20, style);
    put32(r, BLOCK, mode | 2 << 20 | 2u << 28);
    memcpy(ram(r, BLOCK + 4), "\x52\x54\0\x12\x34\x56\0\0", 8);
    memset(ram(r, BLOCK + 12), 0, 8);
    put32(r, BLOCK + 20, RX);
    put32(r, BLOCK + 24, TX);
    for (unsigned i = 0; i < 4; i++) {
        put32(r, RX + 16 * i + (style == 3 ? 8 : 0), DATA + 2048 * i);
        put32(r, RX + 16 * i + 4, 0x80000000 | 0xf000 | (4096 - 1600));
        put32(r, TX + 16 * i + 4, 0);
    }
    set_csr(r, 1, BLOCK & 0xffff);
    set_csr(r, 2, BLOCK >> 16);
    set_csr(r, 0, 0x0041);
    CHECK_EQ(csr(r, 0) & 0x1c1, 0x1c1); /* IDON, INTR, IENA, INIT */
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 8);
    set_csr(r, 0, 0x0142);
    CHECK_EQ(csr(r, 0), 0x0073);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 0);
    return r;
}

static void arrive(const char *to, unsigned len, uint8_t fill)
{
    static const struct net_meta plain;
    uint8_t f[2048];
    struct iovec iov = {f, len};

    memset(f, fill, sizeof(f));
    memcpy(f, to, 6);
    net_send(ends[1], 0, &iov, 1, &plain);
}

TEST(pcnet, is_an_am79c970a)
{
    struct rig *r = nic();

    CHECK_EQ(cfg_read(r, FN, 0, 4), 0x20001022);
    CHECK_EQ(cfg_read(r, FN, 8, 4), 0x02000010);
    CHECK_EQ(rig_load(r, BAR, 4), 0x12005452);
    CHECK_EQ(rig_load(r, BAR + 14, 2), 0x5757);
    rig_store(r, BAR + 0x12, 88, 2); /* 16-bit registers first */
    CHECK_EQ(rig_load(r, BAR + 0x12, 2), 88);
    CHECK_EQ(rig_load(r, BAR + 0x10, 2), 0x1003);
    rig_store(r, BAR + 0x12, 0, 2);
    CHECK_EQ(rig_load(r, BAR + 0x10, 2), 4); /* STOP */
    rig_store(r, BAR + 0x10, 0, 4);
    CHECK_EQ(csr(r, 89), 0x0262);
    CHECK_EQ(csr(r, 12), 0x5452);
    CHECK_EQ(rig_load(r, BAR + 0x14, 4), 12);
    rig_save_load(r);
    CHECK_EQ(csr(r, 88), 0x1003);
    rig_free(r);
}

static void sends_and_receives(unsigned style)
{
    struct rig *r = started(style, 0);
    unsigned misc = style == 3 ? 0 : 8;

    arrive("\x52\x54\0\x12\x34\x56", 100, 0xaa);
    CHECK_EQ(csr(r, 0) & 0x480, 0x480); /* RINT, INTR */
    CHECK_EQ(get32(r, RX + 4) >> 24, 3); /* STP, ENP, and ours again */
    CHECK_EQ(get32(r, RX + misc) & 0xfff, 104);
    CHECK_EQ(*ram(r, DATA + 99), 0xaa);
    set_csr(r, 0, 0x0440);
    CHECK_EQ(csr(r, 0) & 0x400, 0);
    arrive("\2\2\2\2\2\2", 100, 1); /* another's */
    arrive("\xff\xff\xff\xff\xff\xff", 20, 1);
    CHECK_EQ(get32(r, RX + 16 + misc) & 0xfff, 64);
    rig_save_load(r);
    peer->got = 0;
    memcpy(ram(r, DATA + 0x8000), "\2\0\0\0\0\x09 and more", 15);
    put32(r, TX + (style == 3 ? 8 : 0), DATA + 0x8000);
    put32(r, TX + 4, 0x82000000 | 0xf000 | (4096 - 40)); /* in two buffers */
    put32(r, TX + 16 + (style == 3 ? 8 : 0), DATA + 0x8100);
    put32(r, TX + 16 + 4, 0x81000000 | 0xf000 | (4096 - 60));
    set_csr(r, 0, 0x0048);
    CHECK_EQ(csr(r, 0) & 0x200, 0x200);
    CHECK_EQ(peer->got, 1);
    CHECK_EQ(peer->at[0].len, 100);
    CHECK_MEM(peer->at[0].data, "\2\0\0\0\0\x09 and", 10);
    CHECK_EQ(get32(r, TX + 4) >> 31, 0);
    CHECK_EQ(get32(r, TX + 20) >> 31, 0);
    rig_free(r);
}

TEST(pcnet, sends_and_receives_in_both_wide_styles)
{
    sends_and_receives(2);
    sends_and_receives(3);
}

TEST(pcnet, misses_what_it_has_no_room_for)
{
    struct rig *r = started(2, 0);

    for (unsigned i = 0; i < 5; i++)
        arrive("\x52\x54\0\x12\x34\x56", 100, i);
    clock_step(r->m, 90 * 1000000ll);
    CHECK_EQ(csr(r, 112), 0); /* it waits */
    clock_step(r->m, 20 * 1000000ll);
    CHECK_EQ(csr(r, 0) & 0x9000, 0x9000); /* ERR, MISS */
    CHECK_EQ(csr(r, 112), 1);
    set_csr(r, 0, 0x1440);
    CHECK_EQ(csr(r, 0) & 0x9000, 0);
    put32(r, RX + 4, 0x80000000 | 0xf000 | (4096 - 64)); /* small buffers: over two of them */
    put32(r, RX + 20, 0x80000000 | 0xf000 | (4096 - 64));
    arrive("\x52\x54\0\x12\x34\x56", 100, 9);
    CHECK_EQ(get32(r, RX + 4) >> 24, 2);
    CHECK_EQ(get32(r, RX + 20) >> 24, 1);
    CHECK_EQ(get32(r, RX + 24) & 0xfff, 104);
    rig_free(r);
}

TEST(pcnet, polls_its_ring_for_what_waits)
{
    struct rig *r = started(2, 0);

    for (unsigned i = 0; i < 6; i++)
        arrive("\x52\x54\0\x12\x34\x56", 100, 0x50 + i);
    put32(r, RX + 4, 0x80000000 | 0xf000 | (4096 - 1600));
    clock_step(r->m, 3 * 1000000ll);
    CHECK_EQ(get32(r, RX + 4) >> 24, 3);
    CHECK_EQ(*ram(r, DATA + 50), 0x54);
    put32(r, RX + 20, 0x80000000 | 0xf000 | (4096 - 1600));
    set_csr(r, 0, 0x0440); /* at once, when the driver comes by */
    CHECK_EQ(get32(r, RX + 20) >> 24, 3);
    CHECK_EQ(*ram(r, DATA + 2048 + 50), 0x55);
    CHECK_EQ(csr(r, 112), 0);
    rig_free(r);
}

TEST(pcnet, loops_back_and_hears_all)
{
    struct rig *r = started(2, 0x8004); /* PROM, LOOP */

    memset(ram(r, DATA + 0x8000), 0x11, 100);
    peer->got = 0;
    put32(r, TX, DATA + 0x8000);
    put32(r, TX + 4, 0x83000000 | 0xf000 | (4096 - 100));
    set_csr(r, 0, 0x0048);
    CHECK_EQ(peer->got, 0);
    CHECK_EQ(csr(r, 0) & 0x600, 0x600);
    CHECK_EQ(get32(r, RX + 8) & 0xfff, 104); /* though nobody asked for this multicast address */
    rig_free(r);
}

/* As old drivers use it: descriptors of 8 bytes, addresses of 24 bits completed by CSR2. */
TEST(pcnet, the_lances_own_style)
{
    struct rig *r = nic();
    uint8_t *b = ram(r, BLOCK);

    memcpy(b, "\0\0\x52\x54\0\x12\x34\x56\0\0\0\0\0\0\0\0", 16);
    put_le32(b + 16, (RX & 0xffffff) | 1u << 29);
    put_le32(b + 20, (TX & 0xffffff) | 1u << 29);
    put_le32(ram(r, RX), (DATA & 0xffffff) | 0x80000000);
    put_le32(ram(r, RX + 4), 0xf000 | (4096 - 1600));
    rig_store(r, BAR + 0x12, 1, 2);
    rig_store(r, BAR + 0x10, BLOCK & 0xffff, 2);
    rig_store(r, BAR + 0x12, 2, 2);
    rig_store(r, BAR + 0x10, BLOCK >> 16, 2);
    rig_store(r, BAR + 0x12, 0, 2);
    rig_store(r, BAR + 0x10, 3, 2);
    CHECK_EQ(rig_load(r, BAR + 0x10, 2) & 0x133, 0x133);
    arrive("\x52\x54\0\x12\x34\x56", 200, 0x77);
    CHECK_EQ(ram(r, RX)[3], 3);
    CHECK_EQ(get_le16(ram(r, RX + 6)), 204);
    CHECK_EQ(*ram(r, DATA + 100), 0x77);
    rig_load(r, BAR + 0x14, 2); /* reset */
    CHECK_EQ(rig_load(r, BAR + 0x10, 2), 4);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(pcnet, is_an_am79c970a),
    CASE(pcnet, sends_and_receives_in_both_wide_styles),
    CASE(pcnet, misses_what_it_has_no_room_for),
    CASE(pcnet, polls_its_ring_for_what_waits),
    CASE(pcnet, loops_back_and_hears_all),
    CASE(pcnet, the_lances_own_style),
};
TEST_MAIN(tests)
