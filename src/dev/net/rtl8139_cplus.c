/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rtl8139: the C+ mode: rings of descriptors, checksums, large sends, VLAN tags, counters.  Sources: Realtek RTL8139C+ data sheet,
 * revision 1.6; RFC 791, 768, 9293; IEEE 802.1Q.
 */
#include "dev/net/rtl8139_priv.h"

#include "base/bytes.h"
#include "dev/net/inet_sum.h"

#include <zlib.h>

#define D_OWN  0x80000000u
#define D_EOR  0x40000000u
#define D_FS   0x20000000u
#define D_LS   0x10000000u
#define TX_LGS 0x08000000u
#define TX_TES 0x00800000u
enum { TX_IPCS = 1 << 18, TX_UDPCS = 1 << 17, TX_TCPCS = 1 << 16, TX_SIZE = 0xffff, TX_MSS = 0x7ff, TX_TAGC = 1 << 17 };
enum { RX_SIZE = 0x1fff, RX_TCP = 1 << 16, RX_UDP = 2 << 16, RX_IP = 3 << 16, RX_IPF = 1 << 15, RX_UDPF = 1 << 14, RX_TCPF = 1 << 13, RX_TAVA = 1 << 16 };
enum { DESC = 16, VLAN = 4, BUDGET = 256, DUMP = 8, PROTO_TCP = 6, PROTO_UDP = 17, LONGEST_HEADERS = 18 + 60 + 60 };
enum { POLL_SW = 1, POLL_NORMAL = 0x40, POLL_HIGH = 0x80 };

static uint64_t ring(const struct rtl8139 *c, unsigned reg)
{
    return (rtl8139_reg(c, reg) & ~0xffu) | (uint64_t)rtl8139_reg(c, reg + 4) << 32;
}

static unsigned next(unsigned at, uint32_t d0)
{
    return d0 & D_EOR ? 0 : (at + 1) % RTL_RING;
}

/* --- IPv4 in a frame --- */

struct ipv4 {
    uint8_t *ip, *l4;
    uint32_t len; /* from @l4, as the header says */
    uint8_t proto; /* 0: a fragment */
};

static uint16_t get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static bool find_ipv4(uint8_t *f, uint32_t len, struct ipv4 *v)
{
    uint32_t at = len >= 18 && get16(f + 12) == 0x8100 ? 18 : 14, header, total;

    if (len < at + 20 || get16(f + at - 2) != 0x0800 || f[at] >> 4 != 4)
        return false;
    header = (f[at] & 15) * 4u;
    total = get16(f + at + 2);
    if (header < 20 || total < header || total > len - at)
        return false;
    *v = (struct ipv4){f + at, f + at + header, total - header, f[at + 9]};
    if (get16(f + at + 6) & 0x3fff)
        v->proto = 0;
    return true;
}

/* Over TCP or UDP, with the pseudo header; 0xffff: the checksum in it is right. */
static uint16_t l4_sum(const struct ipv4 *v)
{
    return inet_sum(v->l4, v->len, (uint32_t)inet_sum(v->ip + 12, 8, 0) + v->proto + v->len);
}

static uint32_t header_sum(const struct ipv4 *v)
{
    return inet_sum(v->ip, (size_t)(v->l4 - v->ip), 0);
}

static void fill_ip(struct ipv4 *v)
{
    put16(v->ip + 10, 0);
    put16(v->ip + 10, ~header_sum(v));
}

/* @at: where the checksum is in the header. */
static void fill_l4(struct ipv4 *v, unsigned at)
{
    uint16_t sum;

    if (v->len < at + 2)
        return;
    put16(v->l4 + at, 0);
    sum = (uint16_t)~l4_sum(v);
    put16(v->l4 + at, v->proto == PROTO_UDP && !sum ? 0xffff : sum); /* 0 would say: there is none (RFC 768) */
}

static void fill_sums(uint8_t *f, uint32_t len, uint32_t d0)
{
    struct ipv4 v;

    if (!(d0 & (TX_IPCS | TX_TCPCS | TX_UDPCS)) || !find_ipv4(f, len, &v))
        return;
    if (d0 & TX_IPCS)
        fill_ip(&v);
    if (d0 & TX_TCPCS && v.proto == PROTO_TCP)
        fill_l4(&v, 16);
    if (d0 & TX_UDPCS && v.proto == PROTO_UDP)
        fill_l4(&v, 6);
}

/* --- Receiving --- */

/* PID and what is wrong with the checksums. */
static uint32_t judge(uint8_t *f, uint32_t len)
{
    uint32_t d0 = RX_IP;
    struct ipv4 v;

    if (!find_ipv4(f, len, &v))
        return 0;
    if (v.proto == PROTO_TCP && v.len >= 20)
        d0 = RX_TCP | (l4_sum(&v) == 0xffff ? 0 : RX_TCPF);
    else if (v.proto == PROTO_UDP && v.len >= 8)
        d0 = RX_UDP | (!get16(v.l4 + 6) || l4_sum(&v) == 0xffff ? 0 : RX_UDPF);
    return d0 | (header_sum(&v) == 0xffff ? 0 : RX_IPF);
}

static uint32_t rx_desc(struct rtl8139 *c, unsigned at, uint64_t *buffer)
{
    uint8_t d[DESC] = {0};

    pci_dma_read(&c->pci, ring(c, RDSAR) + at * DESC, d, DESC);
    *buffer = get_le64(d + 8);
    return get_le32(d);
}

/* Do the guest's descriptors hold @len bytes? */
static bool has_space(struct rtl8139 *c, uint32_t len)
{
    unsigned at = c->rx_at;
    uint64_t space = 0, buffer;

    for (unsigned n = 0; n < RTL_RING && space < len; n++) {
        uint32_t d0 = rx_desc(c, at, &buffer);

        if (!(d0 & D_OWN))
            return false;
        space += d0 & RX_SIZE;
        at = next(at, d0);
    }
    return space >= len;
}

/* The frame into as many buffers as it needs; the guest has each one back when its bytes are there. */
static void spread(struct rtl8139 *c, const uint8_t *f, uint32_t len, uint32_t status, uint32_t d1)
{
    uint32_t done = 0;
    uint8_t d[8];

    for (unsigned n = 0; n < RTL_RING && done < len; n++) {
        uint64_t buffer;
        uint32_t d0 = rx_desc(c, c->rx_at, &buffer), part = d0 & RX_SIZE;

        part = part < len - done ? part : len - done;
        pci_dma_write(&c->pci, buffer, f + done, part);
        done += part;
        put_le32(d, (d0 & D_EOR) | (n ? 0 : D_FS) | (done == len ? D_LS | len : part) | status);
        put_le32(d + 4, d1);
        pci_dma_write(&c->pci, ring(c, RDSAR) + c->rx_at * DESC + 4, d + 4, 4);
        pci_dma_write(&c->pci, ring(c, RDSAR) + c->rx_at * DESC, d, 4);
        c->rx_at = (uint8_t)next(c->rx_at, d0);
    }
}

bool rtl8139_cplus_receive(struct rtl8139 *c, const uint8_t *frame, uint32_t len, uint32_t why)
{
    uint32_t status = (why & (RX_MAR | RX_PAM | RX_BAR)) << 11, d1 = 0;
    uint8_t f[MAX_FRAME + 4];

    memcpy(f, frame, len);
    if (c->regs[CPCR] & CPCR_RXCHK)
        status |= judge(f, len);
    if (c->regs[CPCR] & CPCR_RXVLAN && len >= 18 && get16(f + 12) == 0x8100) {
        d1 = RX_TAVA | get_le16(f + 14); /* as the bytes come */
        len -= VLAN;
        memmove(f + 12, f + 12 + VLAN, len - 12);
    }
    put_le32(f + len, (uint32_t)crc32(0, f, len));
    if (!has_space(c, len + 4)) {
        c->tally[RTL_MISSED]++;
        return false;
    }
    spread(c, f, len + 4, status, d1);
    c->tally[RTL_RX_OK]++;
    c->tally[RTL_RX_GROUP] += why & RX_MAR ? 1 : 0;
    c->tally[RTL_RX_ALL] += why & RX_BAR ? 1 : 0;
    return true;
}

/* --- Sending --- */

/* Of one packet: what its first descriptor says, how many there are, how many bytes lie in the card's frame. */
struct packet {
    uint32_t d0, d1, len;
    unsigned count;
    bool broken;
};

static void add_part(struct rtl8139 *c, struct packet *p, const uint8_t *d, uint32_t n)
{
    if (n > RTL_LARGE - MIN_FRAME - p->len) {
        p->broken = true;
        return;
    }
    pci_dma_read(&c->pci, get_le64(d + 8), c->frame + p->len, n);
    p->len += n;
}

/* The packet that comes next in ring @q, whole: nothing in memory changes.  False: the guest has not given all of it. */
static bool gather(struct rtl8139 *c, unsigned q, struct packet *p)
{
    unsigned at = c->tx_at[q];
    uint32_t d0 = 0;

    *p = (struct packet){0};
    while (p->count < RTL_RING && !(d0 & D_LS)) {
        uint8_t d[DESC] = {0};

        pci_dma_read(&c->pci, ring(c, TNPDS + 8 * q) + at * DESC, d, DESC);
        d0 = get_le32(d);
        if (!(d0 & D_OWN))
            return false;
        if (!p->count++) {
            p->d0 = d0;
            p->d1 = get_le32(d + 4);
        }
        add_part(c, p, d, d0 & TX_SIZE);
        at = next(at, d0);
    }
    p->broken |= !(p->d0 & D_FS) || !(d0 & D_LS) || p->len < 14;
    return true;
}

/* The guest has its descriptors back. */
static void release(struct rtl8139 *c, unsigned q, const struct packet *p)
{
    for (unsigned n = 0; n < p->count; n++) {
        uint64_t at = ring(c, TNPDS + 8 * q) + c->tx_at[q] * DESC;
        uint8_t d[4] = {0};
        uint32_t d0;

        pci_dma_read(&c->pci, at, d, 4);
        d0 = get_le32(d);
        put_le32(d, (d0 & (D_EOR | D_FS | D_LS | TX_SIZE)) | (p->broken ? TX_TES : 0));
        pci_dma_write(&c->pci, at, d, 4);
        c->tx_at[q] = (uint8_t)next(c->tx_at[q], d0);
    }
    c->tx_segment[q] = 0;
    c->tally[p->broken ? RTL_TX_BAD : RTL_TX_OK]++;
    rtl8139_cause(c, p->broken ? INT_TER : INT_TOK);
}

/* With its tag, for which there is room behind it, and as long as frames must be. */
static bool send_tagged(struct rtl8139 *c, uint8_t *f, uint32_t len, uint32_t d1)
{
    if (d1 & TX_TAGC) {
        memmove(f + 12 + VLAN, f + 12, len - 12);
        put16(f + 12, 0x8100);
        put_le16(f + 14, (uint16_t)d1);
        len += VLAN;
    }
    if (len < MIN_FRAME)
        memset(f + len, 0, MIN_FRAME - len);
    return rtl8139_send(c, f, len < MIN_FRAME ? MIN_FRAME : len);
}

/* Segment @n of the packet at @v whose headers are @header long, built in @f: lengths, numbers, flags and sums are its own. */
static uint32_t build_segment(const struct rtl8139 *c, const struct packet *p, const struct ipv4 *v, uint32_t header, uint32_t n, uint8_t *f)
{
    uint32_t mss = p->d0 >> 16 & TX_MSS, at = header + n * mss, part = p->len - at < mss ? p->len - at : mss;
    struct ipv4 s = {f + (v->ip - c->frame), f + (v->l4 - c->frame), 0, PROTO_TCP};
    uint32_t seq;

    memcpy(f, c->frame, header);
    memcpy(f + header, c->frame + at, part);
    s.len = header + part - (uint32_t)(s.l4 - f);
    put16(s.ip + 2, header + part - (uint32_t)(s.ip - f));
    put16(s.ip + 4, get16(s.ip + 4) + n);
    seq = ((uint32_t)get16(s.l4 + 4) << 16 | get16(s.l4 + 6)) + n * mss;
    put16(s.l4 + 4, seq >> 16);
    put16(s.l4 + 6, seq);
    if (n)
        s.l4[13] &= 0x7f; /* CWR is for the first one (RFC 3168) */
    if (at + part < p->len)
        s.l4[13] &= (uint8_t)~9; /* FIN and PSH for the last one */
    fill_ip(&s);
    fill_l4(&s, 16);
    return header + part;
}

/* A large send; false: the other side is full, tx_segment says how far it got. */
static bool send_large(struct rtl8139 *c, unsigned q, struct packet *p)
{
    uint8_t f[LONGEST_HEADERS + TX_MSS + VLAN + MIN_FRAME];
    uint32_t mss = p->d0 >> 16 & TX_MSS, header;
    struct ipv4 v;

    p->broken = !mss || !find_ipv4(c->frame, p->len, &v) || v.proto != PROTO_TCP || v.len < 20;
    if (p->broken)
        return true;
    header = (uint32_t)(v.l4 - c->frame) + (v.l4[12] >> 4) * 4u;
    p->broken = v.l4[12] >> 4 < 5 || header > p->len;
    while (!p->broken && (!c->tx_segment[q] || header + (uint64_t)c->tx_segment[q] * mss < p->len)) {
        uint32_t len = build_segment(c, p, &v, header, c->tx_segment[q], f);

        if (!c->budget || !send_tagged(c, f, len, p->d1))
            return false;
        c->budget--;
        c->tx_segment[q]++;
    }
    return true;
}

static bool send_one(struct rtl8139 *c, unsigned q, struct packet *p)
{
    TRACE(&rtl8139_trace[RTL_TP_TX], "ring=%u bytes=%u", q, p->len);
    if (p->broken)
        return true;
    if (p->d0 & TX_LGS)
        return send_large(c, q, p);
    p->broken = p->len > MAX_FRAME;
    if (p->broken)
        return true;
    fill_sums(c->frame, p->len, p->d0);
    return send_tagged(c, c->frame, p->len, p->d1);
}

/* Ring @q until it is empty, the other side full or the budget spent; true: empty. */
static bool run_ring(struct rtl8139 *c, unsigned q)
{
    struct packet p;

    while (c->budget) {
        if (!gather(c, q, &p))
            return true;
        if (!send_one(c, q, &p))
            return false;
        c->budget -= c->budget ? 1 : 0;
        release(c, q, &p);
    }
    return false;
}

/* Others want the machine's lock, too: after BUDGET packets the rest is left to the timer, which comes at once. */
void rtl8139_cplus_transmit(struct rtl8139 *c)
{
    if (!c->polled || !(c->regs[CPCR] & CPCR_TX) || !(c->regs[CR] & CR_TE) || !pci_dma_on(&c->pci))
        return;
    c->budget = BUDGET;
    for (int q = 1; q >= 0; q--) {
        if (!(c->polled & 1 << q))
            continue;
        if (!run_ring(c, (unsigned)q))
            break;
        c->polled &= (uint8_t)~(1 << q);
        rtl8139_cause(c, INT_TDU);
    }
    if (!c->budget && c->polled)
        timer_at(&c->go_on, clock_now(c->pci.dev.m, CLK_VIRT));
}

void rtl8139_cplus_poll(struct rtl8139 *c, uint8_t v)
{
    c->polled |= (v & POLL_NORMAL ? 1 : 0) | (v & POLL_HIGH ? 2 : 0);
    rtl8139_cplus_transmit(c);
    if (v & POLL_SW)
        rtl8139_cause(c, INT_SW);
}

/* --- Registers --- */

/* The counters, as long as the data sheet has them; there are no collisions and no damaged frames. */
static void dump_tally(struct rtl8139 *c)
{
    uint64_t at = (rtl8139_reg(c, DTCCR) & ~63u) | (uint64_t)rtl8139_reg(c, DTCCR + 4) << 32;
    const uint64_t *t = c->tally;
    uint8_t b[64] = {0};

    put_le64(b, t[RTL_TX_OK]);
    put_le64(b + 8, t[RTL_RX_OK]);
    put_le64(b + 16, t[RTL_TX_BAD]);
    put_le16(b + 28, t[RTL_MISSED] < 0xffff ? (uint16_t)t[RTL_MISSED] : 0xffff);
    put_le64(b + 40, t[RTL_RX_OK] - t[RTL_RX_GROUP] - t[RTL_RX_ALL]);
    put_le64(b + 48, t[RTL_RX_ALL]);
    put_le32(b + 56, (uint32_t)t[RTL_RX_GROUP]);
    pci_dma_write(&c->pci, at, b, sizeof(b));
    c->regs[DTCCR] &= (uint8_t)~DUMP;
}

/* A ring that is told again begins again. */
void rtl8139_cplus_wrote(struct rtl8139 *c, unsigned off, unsigned size)
{
    for (unsigned q = 0; q < 2; q++)
        if (pci_touches(off, size, TNPDS + 8 * q, 8))
            c->tx_at[q] = c->tx_segment[q] = 0;
    if (pci_touches(off, size, RDSAR, 8))
        c->rx_at = 0;
    if (off == DTCCR && c->regs[DTCCR] & DUMP && rtl8139_is_cplus(c))
        dump_tally(c);
}

void rtl8139_cplus_reset(struct rtl8139 *c)
{
    c->rx_at = c->tx_at[0] = c->tx_at[1] = c->polled = 0;
    c->tx_segment[0] = c->tx_segment[1] = 0;
    timer_cancel(&c->go_on);
}
