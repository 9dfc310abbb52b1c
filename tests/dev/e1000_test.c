/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The e1000 and e1000e cards: EEPROM and PHY, rings, checksums, segmentation, filters, interrupts. */
#include "tests/dev/net_rig.h"

#include "base/bytes.h"
#include "dev/net/e1000_regs.h"

enum { FN = RIG_FN(0, 3, 0), BAR = RIG_PCI_MEM, MSIX = RIG_PCI_MEM + 0x100000 };
enum {
    TX = RIG_RAM + 0x1000, /* rings of 16 */
    RX = RIG_RAM + 0x2000,
    BUFFERS = RIG_RAM + 0x10000,
    DATA = RIG_RAM + 0x40000,
    ENTRIES = 16
};

static uint32_t get(struct rig *r, uint32_t reg)
{
    return rig_load(r, BAR + reg, 4);
}

static void set(struct rig *r, uint32_t reg, uint32_t v)
{
    rig_store(r, BAR + reg, v, 4);
}

static uint8_t *ram(struct rig *r, uint32_t at)
{
    return r->ram->host + at - RIG_RAM;
}

static struct rig *nic(const char *type)
{
    struct rig *r = rig_with(type, "addr=3,mac=52:54:00:12:34:56,netdev=n0", before);

    cfg_write(r, FN, PCI_BAR0, BAR, 4);
    cfg_write(r, FN, PCI_BAR0 + 12, MSIX, 4);
    cfg_enable(r, FN);
    set(r, TDBAL, TX);
    set(r, TDLEN, ENTRIES * 16);
    set(r, TCTL, TCTL_EN);
    for (unsigned i = 0; i < ENTRIES; i++)
        put_le64(ram(r, RX + 16 * i), BUFFERS + 2048 * i);
    set(r, RDBAL, RX);
    set(r, RDLEN, ENTRIES * 16);
    set(r, RDT, ENTRIES - 1);
    set(r, RCTL, RCTL_EN | RCTL_BAM | RCTL_SECRC);
    return r;
}

static const char *const both_cards[] = {"e1000", "e1000e"};

static void tx(struct rig *r, uint64_t a, uint32_t w2, uint32_t w3)
{
    uint32_t tail = get(r, TDT);

    put_le64(ram(r, TX + 16 * tail), a);
    put_le32(ram(r, TX + 16 * tail + 8), w2);
    put_le32(ram(r, TX + 16 * tail + 12), w3);
    set(r, TDT, (tail + 1) % ENTRIES);
}

static const uint8_t *sent(unsigned n, size_t *len)
{
    *len = peer->at[n].len;
    return peer->at[n].data;
}

/* To the peer: Ethernet, IPv4, TCP, @len bytes of data. */
static unsigned make_tcp(uint8_t *f, unsigned len)
{
    static const uint8_t head[] = {2, 0, 0,    0, 0, 9,  0x52, 0x54, 0, 0x12, 0x34, 0x56,
                                   8, 0, 0x45, 0, 0, 0,  0,    7,    0, 0,    64,   6,
                                   0, 0, 10,   0, 2, 15, 10,   0,    2, 2};

    memcpy(f, head, sizeof(head));
    f[16] = (40 + len) >> 8;
    f[17] = 40 + len;
    memset(f + 34, 0, 20);
    f[38 + 3] = 100; /* sequence number */
    f[46] = 5 << 4;
    f[47] = 0x19; /* ACK, PSH, FIN */
    for (unsigned i = 0; i < len; i++)
        f[54 + i] = i;
    return 54 + len;
}

static unsigned sum(const uint8_t *p, unsigned len, unsigned start)
{
    for (unsigned i = 0; i < len; i++)
        start += i & 1 ? p[i] : p[i] << 8;
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return start;
}

static bool sums_are_right(const uint8_t *f)
{
    unsigned total = f[16] << 8 | f[17];

    return both(CHECK_EQ(sum(f + 14, 20, 0), 0xffff),
                CHECK_EQ(sum(f + 34, total - 20, sum(f + 26, 8, 6 + total - 20)), 0xffff));
}

TEST(e1000, eeprom_and_phy_tell_who_they_are)
{
    struct rig *r = nic("e1000");
    unsigned bits = 0, word = 0;

    set(r, EECD, EECD_REQ);
    CHECK(get(r, EECD) & EECD_GNT);
    for (int i = 8; i >= 0; i--) { /* start, read, word 1 */
        unsigned di = 0x181 >> i & 1 ? EECD_DI : 0;

        set(r, EECD, EECD_REQ | EECD_CS | di);
        set(r, EECD, EECD_REQ | EECD_CS | di | EECD_SK);
    }
    for (int i = 0; i < 16; i++) {
        set(r, EECD, EECD_REQ | EECD_CS);
        set(r, EECD, EECD_REQ | EECD_CS | EECD_SK);
        word = word << 1 | !!(get(r, EECD) & EECD_DO);
        bits++;
    }
    CHECK_EQ(word, 0x1200);
    set(r, EERD, 2 << 8 | 1);
    CHECK_EQ(get(r, EERD), 0x5634 << 16 | 2 << 8 | 0x10);
    set(r, MDIC, MDIC_READ | 1 << 21 | 2 << 16);
    CHECK_EQ(get(r, MDIC) & (MDIC_READY | 0xffff), MDIC_READY | 0x141);
    set(r, MDIC, MDIC_READ | 5 << 21 | 2 << 16);
    CHECK(get(r, MDIC) & MDIC_ERROR);
    CHECK(get(r, STATUS) & STATUS_LU);
    CHECK_EQ(get(r, RAL0), 0x12005452);
    rig_free(r);

    r = nic("e1000e");
    word = 0;
    for (unsigned i = 0; i < 64; i++) {
        set(r, EERD, i << 2 | 1);
        word += get(r, EERD) >> 16;
    }
    CHECK_EQ(word & 0xffff, 0xbaba);
    rig_free(r);
}

TEST(e1000, legacy_descriptors_send_frames)
{
    for (unsigned card = 0; card < 2; card++) {
        struct rig *r = nic(both_cards[card]);
        const uint8_t *f;
        size_t len;

        peer->got = 0;
        make_tcp(ram(r, DATA), 100);
        tx(r, DATA, 54, 0);
        tx(r, DATA + 54, 100 | TXD_EOP | TXD_RS, 0);
        CHECK_EQ(peer->got, 1);
        f = sent(0, &len);
        CHECK_EQ(len, 154);
        CHECK_MEM(f, ram(r, DATA), 154);
        CHECK_EQ(ram(r, TX + 16 + 12)[0], TXD_DD);
        CHECK_EQ(get(r, TDH), 2);
        CHECK_EQ(get(r, GPTC), 1);
        CHECK_EQ(get(r, GPTC), 0); /* cleared by reading */
        CHECK(get(r, ICR) & ICR_TXDW);
        rig_free(r);
    }
}

/* A context for TCP on IPv4, with @mss or none. */
static void send_context(struct rig *r, uint32_t paylen, uint16_t mss)
{
    uint64_t lo = 14 | 24 << 8 | 33 << 16 | (uint64_t)34 << 32 | (uint64_t)50 << 40;

    tx(r, lo, paylen | TX_CTX_TCP | TX_CTX_IPV4 | TXD_DEXT, 54 << 8 | (uint32_t)mss << 16);
}

TEST(e1000, checksums_are_inserted)
{
    struct rig *r = nic("e1000");
    size_t len;
    uint8_t *f = ram(r, DATA);

    make_tcp(f, 101);
    f[50] = sum(f + 26, 8, 6 + 121) >> 8;
    f[51] = sum(f + 26, 8, 6 + 121);
    send_context(r, 0, 0);
    tx(r, DATA, 155 | TXD_DATA | TXD_DEXT | TXD_EOP, (TX_IXSM | TX_TXSM));
    CHECK_EQ(peer->got, 1);
    CHECK(sums_are_right(sent(0, &len)));
    rig_free(r);
}

TEST(e1000, large_packets_are_cut_into_segments)
{
    struct rig *r = nic("e1000e");
    uint8_t *f = ram(r, DATA);
    enum { LEN = 2500, MSS = 1000 };

    make_tcp(f, LEN);
    put_le16(f + 50, htobe16(sum(f + 26, 8, 6)));
    send_context(r, LEN, MSS);
    tx(r, DATA, 54 | TXD_DATA | TXD_DEXT | TXD_TSE, (TX_IXSM | TX_TXSM));
    tx(r, DATA + 54, 1700 | TXD_DATA | TXD_DEXT | TXD_TSE, 0);
    tx(r, DATA + 54 + 1700, 800 | TXD_DATA | TXD_DEXT | TXD_TSE | TXD_EOP, 0);
    if (CHECK_EQ(peer->got, 3)) {
        for (unsigned i = 0; i < 3; i++) {
            size_t len, payload = i < 2 ? MSS : 500;
            const uint8_t *s = sent(i, &len);

            CHECK_EQ(len, 54 + payload);
            CHECK_EQ(s[19], 7 + i);
            CHECK_EQ(s[40] << 8 | s[41], 100 + MSS * i);
            CHECK_EQ(s[47], i < 2 ? 0x10 : 0x19);
            CHECK(sums_are_right(s));
            CHECK_MEM(s + 54, f + 54 + MSS * i, payload);
        }
    }
    rig_free(r);
}

TEST(e1000, a_long_list_is_done_in_pieces)
{
    struct rig *r = nic("e1000");
    uint8_t *f = ram(r, DATA);
    unsigned before;

    peer->room = 100000;
    make_tcp(f, 0);
    send_context(r, 5000, 1); /* five thousand segments of one byte */
    tx(r, DATA, 54 | TXD_DATA | TXD_DEXT | TXD_TSE, 0);
    tx(r, DATA, 2500 | TXD_DATA | TXD_DEXT | TXD_TSE, 0);
    put_le64(ram(r, TX + 48), DATA);
    put_le32(ram(r, TX + 56), 2500 | TXD_DATA | TXD_DEXT | TXD_TSE | TXD_EOP);
    put_le32(ram(r, TX + 60), 0);
    put_le64(ram(r, TX + 64), DATA);
    put_le32(ram(r, TX + 72), 100 | TXD_EOP);
    put_le32(ram(r, TX + 76), 0);
    set(r, TDT, 5);
    before = peer->got;
    CHECK_EQ(before, 5000);
    CHECK_EQ(get(r, TDH), 4);
    rig_step(r, 1);
    CHECK_EQ(get(r, TDH), 5);
    CHECK_EQ(peer->got, 5001);
    rig_free(r);
}

static void send_frame(const void *f, size_t len)
{
    struct iovec iov = {(void *)f, len};

    net_send(ends[1], 0, &iov, 1, NULL);
}

static void to_card(uint8_t *f, const uint8_t *mac)
{
    memcpy(f, mac, 6);
}

TEST(e1000, frames_arrive_in_the_guests_buffers)
{
    static const uint8_t mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

    for (unsigned card = 0; card < 2; card++) {
        struct rig *r = nic(both_cards[card]);
        uint8_t f[2000] = {0};
        unsigned len = make_tcp(f, 200);

        to_card(f, mac);
        send_frame(f, len);
        CHECK_MEM(ram(r, BUFFERS), f, len);
        CHECK_EQ(get_le16(ram(r, RX + 8)), len);
        CHECK_EQ(ram(r, RX + 12)[0] & 3, RXD_DD | RXD_EOP);
        CHECK_EQ(get(r, RDH), 1);
        CHECK(get(r, ICR) & ICR_RXT0);
        f[0] = 0x54; /* somebody else's */
        send_frame(f, len);
        CHECK_EQ(get(r, RDH), 1);
        set(r, RCTL, get(r, RCTL) | RCTL_UPE);
        send_frame(f, len);
        CHECK_EQ(get(r, RDH), 2);
        memset(f, 0xff, 6);
        send_frame(f, 20); /* short ones are filled up */
        CHECK_EQ(get_le16(ram(r, RX + 32 + 8)), 60);
        set(r, RCTL, RCTL_EN | RCTL_BAM); /* with check sequence */
        send_frame(f, 20);
        CHECK_EQ(get_le16(ram(r, RX + 48 + 8)), 64);
        set(r, RCTL, RCTL_EN | RCTL_BAM | 3 << 16 | RCTL_SECRC); /* buffers of 256 bytes */
        send_frame(f, 300);
        CHECK_EQ(get_le16(ram(r, RX + 64 + 8)), 256);
        CHECK_EQ(ram(r, RX + 64 + 12)[0] & 3, RXD_DD);
        CHECK_EQ(get_le16(ram(r, RX + 80 + 8)), 44);
        CHECK_EQ(ram(r, RX + 80 + 12)[0] & 3, RXD_DD | RXD_EOP);
        rig_free(r);
    }
}

TEST(e1000, multicast_and_vlan_filters)
{
    struct rig *r = nic("e1000");
    uint8_t f[100] = {1, 0, 0x5e, 0, 0, 0xfb, 2, 0, 0, 0, 0, 9, 0x81, 0, 0, 5, 8, 0};
    unsigned hash = (0xfb << 8 | 0) >> 4 & 0xfff;

    send_frame(f, 100);
    CHECK_EQ(get(r, RDH), 0);
    set(r, MTA + (hash >> 5) * 4, 1u << (hash & 31));
    send_frame(f, 100);
    CHECK_EQ(get(r, RDH), 1);
    set(r, RCTL, get(r, RCTL) | RCTL_VFE);
    send_frame(f, 100);
    CHECK_EQ(get(r, RDH), 1);
    set(r, VFTA, 1 << 5);
    send_frame(f, 100);
    CHECK_EQ(get(r, RDH), 2);
    set(r, CTRL, get(r, CTRL) | CTRL_VME);
    send_frame(f, 100);
    CHECK_EQ(get_le16(ram(r, RX + 32 + 8)), 96);
    CHECK_EQ(get_le16(ram(r, RX + 32 + 14)), 5);
    CHECK_EQ(ram(r, RX + 32 + 12)[0] & RXD_VP, RXD_VP);
    CHECK_EQ(ram(r, BUFFERS + 4096 + 12)[0], 8);
    memset(ram(r, DATA), 0x22, 100);
    tx(r, DATA, 100 | TXD_EOP | TXD_VLE, 7 << 16);
    CHECK_EQ(peer->at[0].len, 104);
    CHECK_MEM(peer->at[0].data + 10, "\x22\x22\x81\x00\x00\x07\x22", 7);
    rig_free(r);
}

TEST(e1000, received_checksums_are_judged)
{
    struct rig *r = nic("e1000e");
    uint8_t f[400] = {0};
    unsigned len = make_tcp(f, 200), s;

    memset(f, 0xff, 6);
    s = ~sum(f + 14, 20, 0);
    f[24] = s >> 8, f[25] = s;
    s = ~sum(f + 34, 220, sum(f + 26, 8, 6 + 220));
    f[50] = s >> 8, f[51] = s;
    set(r, RXCSUM, RXCSUM_IPOFL | RXCSUM_TUOFL);
    set(r, RFCTL, RFCTL_EXSTEN);
    send_frame(f, len);
    CHECK_EQ(get_le32(ram(r, RX + 8)), RXD_DD | RXD_EOP | RXD_IPCS | RXD_TCPCS);
    CHECK_EQ(get_le16(ram(r, RX + 12)), len);
    f[100] ^= 1;
    send_frame(f, len);
    CHECK_EQ(get_le32(ram(r, RX + 16 + 8)) >> 24, RXE_TCPE);
    f[20] ^= 1;
    send_frame(f, len);
    CHECK_EQ(get_le32(ram(r, RX + 32 + 8)) >> 24 & RXE_IPE, RXE_IPE);
    rig_free(r);
}

TEST(e1000, frames_wait_while_there_are_no_buffers)
{
    struct rig *r = nic("e1000");
    uint8_t f[100] = {255, 255, 255, 255, 255, 255};

    set(r, RDT, 1); /* one buffer */
    for (unsigned i = 0; i < 3; i++) {
        f[20] = i;
        send_frame(f, 100);
    }
    CHECK_EQ(get(r, RDH), 1);
    set(r, RDT, 8);
    CHECK_EQ(get(r, RDH), 3);
    CHECK_EQ(ram(r, BUFFERS + 2 * 2048)[20], 2);
    rig_free(r);
}

TEST(e1000, the_line_is_the_causes_that_are_enabled)
{
    struct rig *r = nic("e1000");

    CHECK(!pci_rig.line[3].level);
    set(r, ICS, ICR_LSC);
    CHECK(!pci_rig.line[3].level);
    set(r, IMS, ICR_LSC | ICR_RXT0);
    CHECK(pci_rig.line[3].level);
    CHECK_EQ(get(r, ICR) & ICR_LSC, ICR_LSC);
    CHECK(!pci_rig.line[3].level);
    set(r, ICS, ICR_RXT0);
    set(r, IMC, ICR_RXT0);
    CHECK(!pci_rig.line[3].level);
    net_set_link(ends[0], false);
    CHECK(pci_rig.line[3].level);
    CHECK_EQ(get(r, STATUS) & STATUS_LU, 0);
    net_set_link(ends[0], true);
    CHECK_EQ(get(r, STATUS) & STATUS_LU, STATUS_LU);
    rig_free(r);
}

TEST(e1000, the_e_card_has_five_vectors)
{
    struct rig *r = nic("e1000e");
    uint8_t f[100] = {255, 255, 255, 255, 255, 255};

    for (unsigned v = 0; v < 5; v++) {
        rig_store(r, MSIX + 16 * v, RIG_DOORBELL, 8);
        rig_store(r, MSIX + 16 * v + 8, 0x60 + v, 8);
    }
    cfg_write(r, FN, 0xa2, PCI_MSIX_ENABLE, 2);
    set(r, IVAR, 8 | 0 << 4 | 9 << 8 | 10 << 16);
    set(r, EIAC, 1 << 20 | 1 << 22);
    set(r, IMS, 0x01500000 | ICR_LSC);
    send_frame(f, 100);
    CHECK_EQ(pci_rig.messages, 1);
    CHECK_EQ(pci_rig.message[0].data, 0x60);
    memset(ram(r, DATA), 0x22, 100);
    tx(r, DATA, 100 | TXD_EOP | TXD_RS, 0);
    CHECK_EQ(pci_rig.message[1].data, 0x61);
    set(r, ICS, ICR_LSC);
    CHECK_EQ(pci_rig.message[2].data, 0x62);
    set(r, ICS, ICR_LSC); /* has been told, and not been read */
    CHECK_EQ(pci_rig.messages, 3);
    get(r, ICR);
    set(r, ICS, ICR_LSC);
    CHECK_EQ(pci_rig.messages, 4);
    rig_free(r);
}

TEST(e1000, saved_state_goes_on)
{
    for (unsigned card = 0; card < 2; card++) {
        struct rig *r = nic(both_cards[card]);

        peer->got = 0;
        make_tcp(ram(r, DATA), 100);
        tx(r, DATA, 54, 0); /* half a packet */
        rig_save_load(r);
        tx(r, DATA + 54, 100 | TXD_EOP, 0);
        CHECK_EQ(peer->got, 1);
        CHECK_EQ(peer->at[0].len, 154);
        CHECK_MEM(peer->at[0].data, ram(r, DATA), 154);
        rig_free(r);
    }
}

TEST(e1000, hostile_saved_state_breaks_nothing)
{
    struct rig *r = nic("e1000");

    rig_hostile(r);
    rig_free(r);
}

TEST(e1000, wrong_properties_are_refused)
{
    struct rig *r = rig_machine();
    struct err e = {0};

    before(r);
    machine_lock(r->m);
    CHECK(!dev_add(r->m, "e1000", NULL, "mac=xx", &e));
    e = (struct err){0};
    CHECK(!dev_add(r->m, "e1000e", NULL, "netdev=none", &e));
    CHECK_STR(e.msg, "Property 'e1000e.netdev' can't find value 'none'");
    machine_unlock(r->m);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(e1000, eeprom_and_phy_tell_who_they_are),
    CASE(e1000, legacy_descriptors_send_frames),
    CASE(e1000, checksums_are_inserted),
    CASE(e1000, large_packets_are_cut_into_segments),
    CASE(e1000, a_long_list_is_done_in_pieces),
    CASE(e1000, frames_arrive_in_the_guests_buffers),
    CASE(e1000, multicast_and_vlan_filters),
    CASE(e1000, received_checksums_are_judged),
    CASE(e1000, frames_wait_while_there_are_no_buffers),
    CASE(e1000, the_line_is_the_causes_that_are_enabled),
    CASE(e1000, the_e_card_has_five_vectors),
    CASE(e1000, saved_state_goes_on),
    CASE_SLOW(e1000, hostile_saved_state_breaks_nothing, 60),
    CASE(e1000, wrong_properties_are_refused),
};
TEST_MAIN(tests)
