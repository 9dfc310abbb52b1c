/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "pcnet": AMD PCnet-PCI II Ethernet card.
 * Source: AMD Am79C970A data sheet (19436, rev. E): CSRs and BCRs, initialization block, descriptor rings in the four software styles.
 */
#include "base/bytes.h"
#include "base/trace.h"
#include "dev/net/rx_wait.h"
#include "dev/pci/pci.h"
#include "net/net.h"

#include <errno.h>
#include <zlib.h>

enum { REGS = 0x20, PROM = 16, RDP = 0x10, WIO_RAP = 0x12, WIO_RESET = 0x14, WIO_BDP = 0x16, DWIO_RAP = 0x14, DWIO_RESET = 0x18,
       DWIO_BDP = 0x1c };
enum { CSRS = 128, BCRS = 32, MIN_FRAME = 60, MAX_FRAME = 1518 };
/* CSR0 */
enum { INIT = 1 << 0, STRT = 1 << 1, STOP = 1 << 2, TDMD = 1 << 3, TXON = 1 << 4, RXON = 1 << 5, IENA = 1 << 6, INTR = 1 << 7,
       IDON = 1 << 8, TINT = 1 << 9, RINT = 1 << 10, MERR = 1 << 11, MISS = 1 << 12, CERR = 1 << 13, BABL = 1 << 14, ERR = 1 << 15 };
enum { CSR0_CLEARED = IDON | TINT | RINT | MERR | MISS | CERR | BABL, CSR0_MASKED = IDON | TINT | RINT | MERR | MISS | BABL };
/* CSR3 has masks where CSR0 has causes; CSR4, CSR5: pairs of cause and enable, or mask. */
enum { CSR3_KEPT = 0x5f7c };
enum { TXSTRTM = 1 << 2, TXSTRT = 1 << 3, RCVCCOM = 1 << 4, RCVCCO = 1 << 5, UINTCMD = 1 << 6, UINT = 1 << 7, MFCOM = 1 << 8, MFCO = 1 << 9,
       APAD_XMT = 1 << 11, CSR4_CAUSES = TXSTRT | RCVCCO | UINT | MFCO };
enum { CSR5_CAUSES = 1 << 4 | 1 << 7 | 1 << 9 | 1 << 11, SPND = 1 << 0 };
/* CSR15 */
enum { DRX = 1 << 0, DTX = 1 << 1, LOOP = 1 << 2, DXMTFCS = 1 << 3, DRCVPA = 1 << 13, DRCVBC = 1 << 14, PROM_MODE = 1 << 15 };
/* CSRs by number. */
enum { IADR = 1, LADR = 8, PADR = 12, MODE = 15, BADR = 24, BADX = 30, SWS = 58, RCVRL = 76, XMTRL = 78,
       CHIPID = 88, MISSED = 112 };
enum { BCR_MISC = 2, BCR_LINK = 4, BCR_BUS = 18, BCR_EEPROM = 19, BCR_STYLE = 20, SSIZE32 = 1 << 8, LEDOUT = 1 << 15, PVALID = 1 << 15 };
/* Descriptors: the word of status, as styles 2 and 3 have it. */
#define OWN    (1u << 31)
#define D_ERR  (1u << 30)
#define D_BUFF (1u << 26)
#define STP    (1u << 25)
#define ENP    (1u << 24)
#define PAM    (1u << 22) /* which filter it came through */
#define LAFM   (1u << 21)
#define BAM    (1u << 20)
#define BCNT   0xfffu

struct pcnet {
    struct pci_dev pci;
    struct net *net;
    struct mem io, mmio;
    uint16_t csr[CSRS], bcr[BCRS];
    uint16_t rap;
    uint8_t prom[PROM];
    bool dwio;
    uint32_t rx_at, tx_at; /* descriptors, from the rings' starts */
    uint8_t tx[4096];      /* a frame of which the end has not come yet */
    uint32_t tx_len;
    struct rx_wait wait;
    uint8_t mac[6];
    char *p_mac, *p_netdev, *bootindex;
};

enum { TP_TX, TP_RX, TP_DROP };
static struct trace_point pcnet_trace[] = {
    [TP_TX] = {.name = "pcnet_tx"}, [TP_RX] = {.name = "pcnet_rx"}, [TP_DROP] = {.name = "pcnet_drop"}, {.name = NULL}};

static struct pcnet *pcnet_of(struct dev *d)
{
    return (struct pcnet *)d;
}

/* --- Interrupt ------------------------------------------------------------------------------ */

static void update_irq(struct pcnet *c)
{
    uint16_t c0 = c->csr[0] & ~(INTR | ERR), c4 = c->csr[4], c5 = c->csr[5];
    bool any = c0 & ~c->csr[3] & CSR0_MASKED;

    any |= (c4 & TXSTRT && !(c4 & TXSTRTM)) || (c4 & RCVCCO && !(c4 & RCVCCOM)) || (c4 & MFCO && !(c4 & MFCOM)) || c4 & UINT;
    any |= (c5 & CSR5_CAUSES & c5 << 1) != 0; /* each has its enable one bit below */
    if (c0 & (MERR | MISS | CERR | BABL))
        c0 |= ERR;
    c->csr[0] = c0 | (any ? INTR : 0);
    pci_set_irq(&c->pci, any && c0 & IENA);
}

/* --- Descriptors ---------------------------------------------------------------------------- */

static unsigned style(const struct pcnet *c)
{
    return c->bcr[BCR_STYLE] & 0xff;
}

static bool wide(const struct pcnet *c)
{
    return c->bcr[BCR_STYLE] & SSIZE32;
}

/* Without SSIZE32 the chip has 24 address bits; the rest is in IADR's upper byte. */
static uint32_t address(const struct pcnet *c, uint32_t a)
{
    return wide(c) ? a : (a & 0xffffff) | (uint32_t)(c->csr[2] & 0xff00) << 16;
}

struct desc {
    uint32_t at;            /* of the descriptor */
    uint32_t addr, status;  /* status: bits as in style 2, BCNT in the lowest 12 */
    uint32_t misc;          /* message length, or errors of sending */
};

static uint32_t ring(const struct pcnet *c, unsigned csr)
{
    return c->csr[csr] | (uint32_t)c->csr[csr + 1] << 16;
}

/* Rings have up to 65536 descriptors: CSR76, CSR78 hold the two's complement. */
static uint32_t ring_len(const struct pcnet *c, unsigned csr)
{
    return 0x10000 - c->csr[csr];
}

static bool get_desc(struct pcnet *c, uint32_t at, struct desc *d)
{
    uint8_t b[16];

    d->at = at;
    if (pci_dma_read(&c->pci, at, b, style(c) ? 16 : 8) < 0)
        return false;
    if (style(c) == 0) {
        d->addr = address(c, get_le16(b) | (uint32_t)b[2] << 16);
        d->status = (uint32_t)b[3] << 24 | get_le16(b + 4);
        d->misc = get_le16(b + 6);
        return true;
    }
    d->addr = get_le32(b + (style(c) == 3 ? 8 : 0));
    d->status = get_le32(b + 4);
    d->misc = get_le32(b + (style(c) == 3 ? 0 : 8));
    return true;
}

/* The owner changes last. */
static void put_desc(struct pcnet *c, const struct desc *d)
{
    uint8_t b[4];

    if (style(c) == 0) {
        put_le16(b, d->misc);
        pci_dma_write(&c->pci, d->at + 6, b, 2);
        b[0] = d->status >> 24;
        pci_dma_write(&c->pci, d->at + 3, b, 1);
        return;
    }
    put_le32(b, d->misc);
    pci_dma_write(&c->pci, d->at + (style(c) == 3 ? 0 : 8), b, 4);
    put_le32(b, d->status);
    pci_dma_write(&c->pci, d->at + 4, b, 4);
}

static uint32_t buffer_len(const struct desc *d)
{
    return 4096 - (d->status & BCNT);
}

static uint32_t desc_at(const struct pcnet *c, unsigned base, uint32_t n)
{
    return ring(c, base) + n * (style(c) ? 16 : 8);
}

/* --- Receiving ------------------------------------------------------------------------------ */

static bool hash_passes(const struct pcnet *c, const uint8_t *f)
{
    uint32_t crc = ~(uint32_t)crc32(0, f, 6), bit = 0;

    for (unsigned i = 0; i < 6; i++) /* the six bits that a shift register would have on top */
        bit |= (crc >> i & 1) << (5 - i);
    return c->csr[LADR + bit / 16] >> (bit & 15) & 1;
}

/* Which filter a frame has come through, as bits of its descriptor; 0: none. */
static uint32_t passes(const struct pcnet *c, const uint8_t *f)
{
    uint8_t own[6];

    for (unsigned i = 0; i < 3; i++)
        put_le16(own + 2 * i, c->csr[PADR + i]);
    if (!memcmp(f, "\xff\xff\xff\xff\xff\xff", 6) && !(c->csr[MODE] & DRCVBC))
        return BAM;
    if (f[0] & 1)
        return hash_passes(c, f) ? LAFM : c->csr[MODE] & PROM_MODE ? ENP : 0;
    if (!memcmp(f, own, 6) && !(c->csr[MODE] & DRCVPA))
        return PAM;
    return c->csr[MODE] & PROM_MODE ? ENP : 0;
}

static bool rx_on(const struct pcnet *c)
{
    return c->csr[0] & RXON && !(c->csr[5] & SPND) && !(c->csr[0] & STOP);
}

static void miss(struct pcnet *c)
{
    TRACE(&pcnet_trace[TP_DROP], "missed=%u", c->csr[MISSED] + 1u);
    c->csr[0] |= MISS;
    if (!++c->csr[MISSED])
        c->csr[4] |= MFCO;
}

static bool next_rx(struct pcnet *c, struct desc *d)
{
    return get_desc(c, desc_at(c, BADR, c->rx_at), d) && d->status & OWN;
}

/* @f of @len bytes with its check sequence, over as many buffers as it takes.  False: the first of them is not the chip's yet. */
static bool receive(struct pcnet *c, const uint8_t *f, uint32_t len, uint32_t match)
{
    struct desc d;
    uint32_t done = 0;

    if (!next_rx(c, &d)) {
        if (!(c->csr[MODE] & LOOP) && rx_wait_no_room(&c->wait))
            return false;
        miss(c);
        update_irq(c);
        return true;
    }
    TRACE(&pcnet_trace[TP_RX], "bytes=%u", len);
    for (bool first = true; done < len; first = false) {
        uint32_t n = min_u64(buffer_len(&d), len - done);
        bool more;

        pci_dma_write(&c->pci, d.addr, f + done, n);
        done += n;
        c->rx_at = (c->rx_at + 1) % ring_len(c, RCVRL);
        d.status = (d.status & 0xffff) | (first ? STP : 0);
        if (done == len) {
            d.status |= ENP | (style(c) ? match : 0);
            d.misc = (d.misc & ~0xfffu) | len;
        }
        struct desc now = d;

        more = done < len && next_rx(c, &d);
        if (done < len && !more) {
            now.status |= D_ERR | D_BUFF;
            done = len;
        }
        put_desc(c, &now);
    }
    c->csr[0] |= RINT;
    update_irq(c);
    return true;
}

static bool deliver(struct pcnet *c, uint8_t *f, uint32_t len)
{
    uint32_t match = passes(c, f);

    if (len < 14 || !rx_on(c) || !match)
        return true;
    if (len < MIN_FRAME) {
        memset(f + len, 0, MIN_FRAME - len);
        len = MIN_FRAME;
    }
    put_le32(f + len, (uint32_t)crc32(0, f, len));
    return receive(c, f, len + 4, match == ENP ? 0 : match);
}

static bool card_ready(void *opaque, unsigned queue)
{
    return true; /* what there is no room for waits (rx_wait.h) */
}

static bool card_receive(void *opaque, unsigned queue, const struct iovec *iov, int n, const struct net_meta *meta)
{
    struct pcnet *c = opaque;
    uint8_t f[MAX_FRAME + 4];
    uint32_t len = 0;

    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > MAX_FRAME - len)
            return true;
        memcpy(f + len, iov[i].iov_base, iov[i].iov_len);
        len += (uint32_t)iov[i].iov_len;
    }
    if (len >= 14 && net_link(c->net) && !(c->csr[MODE] & LOOP) && !deliver(c, f, len))
        return false;
    rx_wait_took(&c->wait);
    return true;
}

static void card_link(void *opaque, bool up)
{
    struct pcnet *c = opaque;

    c->bcr[BCR_LINK] = (c->bcr[BCR_LINK] & ~LEDOUT) | (up ? LEDOUT : 0);
}

static const struct net_card card = {.ready = card_ready, .receive = card_receive, .link = card_link};

/* --- Sending -------------------------------------------------------------------------------- */

static void send_frame(struct pcnet *c)
{
    static const struct net_meta plain;
    struct iovec iov = {c->tx, min_u64(c->tx_len, MAX_FRAME)};
    uint8_t f[MAX_FRAME + 4];

    TRACE(&pcnet_trace[TP_TX], "bytes=%u", c->tx_len);
    if (c->csr[MODE] & LOOP) {
        memcpy(f, c->tx, iov.iov_len);
        deliver(c, f, (uint32_t)iov.iov_len);
    } else if (c->net && c->tx_len) {
        net_send(c->net, 0, &iov, 1, &plain);
    }
}

/* A buffer of a frame.  What is longer than any frame is cut; the driver counts on the descriptor to come back all the same. */
static void take_buffer(struct pcnet *c, struct desc *d)
{
    uint32_t n = min_u64(buffer_len(d), sizeof(c->tx) - (d->status & STP ? 0 : c->tx_len));

    if (d->status & STP)
        c->tx_len = 0;
    if (n && pci_dma_read(&c->pci, d->addr, c->tx + c->tx_len, n) < 0)
        n = 0;
    c->tx_len += n;
    if (!(d->status & ENP))
        return;
    send_frame(c);
    c->tx_len = 0;
    c->csr[0] |= TINT;
    if (!(c->csr[4] & TXSTRT))
        c->csr[4] |= TXSTRT;
}

/* All that is the chip's, at most once around the ring. */
static void transmit(struct pcnet *c)
{
    struct desc d;
    uint32_t n = ring_len(c, XMTRL);

    if (!(c->csr[0] & TXON) || c->csr[5] & SPND)
        return;
    for (n = min_u64(n, 1024); n--;) {
        if (!get_desc(c, desc_at(c, BADX, c->tx_at), &d) || !(d.status & OWN))
            break;
        take_buffer(c, &d);
        d.status &= ~(OWN | D_ERR);
        d.misc &= style(c) ? 0x0000ffff : 0x03ff; /* no error of any kind */
        put_desc(c, &d);
        c->tx_at = (c->tx_at + 1) % ring_len(c, XMTRL);
    }
    c->csr[0] &= ~TDMD;
    update_irq(c);
}

/* --- Registers ------------------------------------------------------------------------------ */

static void set_ring(struct pcnet *c, unsigned base, unsigned len, uint32_t at, unsigned log2)
{
    c->csr[base] = at & 0xffff;
    c->csr[base + 1] = at >> 16;
    c->csr[len] = 0x10000 - (1u << min_u64(log2, 9));
}

/* The initialization block: mode, addresses, filter, rings. */
static void initialize(struct pcnet *c)
{
    uint32_t at = ring(c, IADR);
    uint8_t b[28] = {0};
    const uint8_t *p = wide(c) ? b + 4 : b + 2;

    if (pci_dma_read(&c->pci, wide(c) ? at : address(c, at), b, wide(c) ? 28 : 24) < 0)
        c->csr[0] |= MERR;
    c->csr[MODE] = get_le16(b);
    for (unsigned i = 0; i < 3; i++)
        c->csr[PADR + i] = get_le16(p + 2 * i);
    p += wide(c) ? 8 : 6;
    for (unsigned i = 0; i < 4; i++)
        c->csr[LADR + i] = get_le16(p + 2 * i);
    if (wide(c)) {
        set_ring(c, BADR, RCVRL, get_le32(b + 20), b[2] >> 4);
        set_ring(c, BADX, XMTRL, get_le32(b + 24), b[3] >> 4);
    } else {
        set_ring(c, BADR, RCVRL, address(c, get_le32(b + 16)) & ~7u, b[19] >> 5);
        set_ring(c, BADX, XMTRL, address(c, get_le32(b + 20)) & ~7u, b[23] >> 5);
    }
    c->rx_at = c->tx_at = c->tx_len = 0;
    c->csr[0] = (c->csr[0] & ~(STOP | INIT)) | IDON | INIT;
}

static void start(struct pcnet *c)
{
    c->csr[0] &= ~STOP;
    c->csr[0] |= STRT | (c->csr[MODE] & DTX ? 0 : TXON) | (c->csr[MODE] & DRX ? 0 : RXON);
}

static void stop(struct pcnet *c)
{
    c->csr[0] = STOP;
    c->csr[4] &= ~(CSR4_CAUSES & ~RCVCCO);
    c->csr[5] &= ~(CSR5_CAUSES | SPND);
    c->tx_len = 0;
}

static void write_csr0(struct pcnet *c, uint16_t v)
{
    c->csr[0] &= ~(v & CSR0_CLEARED);
    c->csr[0] = (c->csr[0] & ~IENA) | (v & IENA);
    if (v & STOP) {
        stop(c);
    } else {
        if (v & INIT && !(c->csr[0] & INIT))
            initialize(c);
        if (v & STRT && !(c->csr[0] & STRT))
            start(c);
        if (v & (TDMD | STRT))
            transmit(c);
    }
    update_irq(c);
    rx_wait_over(&c->wait); /* drivers come here when they have given buffers back */
}

static void set_style(struct pcnet *c, uint16_t v)
{
    uint16_t s = v & 0xff;

    /* Styles 1 to 3 have 32-bit structures (data sheet, BCR20); 1 is reserved here, and like 0. */
    c->bcr[BCR_STYLE] = s == 2 || s == 3 ? 0x200 | SSIZE32 | s : s == 1 ? 0x200 | SSIZE32 : 0x200;
    c->csr[SWS] = c->bcr[BCR_STYLE];
}

/* These can be written only while the chip stands, or is suspended. */
static bool only_stopped(unsigned n)
{
    return n == 1 || n == 2 || (n >= LADR && n <= 41) || (n >= 43 && n <= 45) || n == SWS || (n >= 60 && n <= 67) || n == RCVRL || n == XMTRL;
}

static void write_csr(struct pcnet *c, unsigned n, uint16_t v)
{
    if (n >= CSRS || (only_stopped(n) && !(c->csr[0] & STOP) && !(c->csr[5] & SPND)))
        return;
    switch (n) {
    case 0: write_csr0(c, v); return;
    case 3: c->csr[3] = v & CSR3_KEPT; break;
    case 4:
        c->csr[4] = (v & ~(CSR4_CAUSES | UINTCMD)) | (c->csr[4] & CSR4_CAUSES & ~v);
        if (v & UINTCMD)
            c->csr[4] |= UINT;
        break;
    case 5: c->csr[5] = (v & ~CSR5_CAUSES & 0xd553) | (c->csr[5] & CSR5_CAUSES & ~v); break;
    case SWS: set_style(c, v); break;
    case CHIPID:
    case CHIPID + 1: return;
    default: c->csr[n] = v;
    }
    update_irq(c);
}

static uint16_t read_csr(struct pcnet *c, unsigned n)
{
    return n >= CSRS ? 0 : c->csr[n];
}

static void write_bcr(struct pcnet *c, unsigned n, uint16_t v)
{
    if (n == BCR_STYLE) {
        if (c->csr[0] & STOP || c->csr[5] & SPND)
            set_style(c, v);
    } else if (n == BCR_LINK) {
        c->bcr[n] = (c->bcr[n] & LEDOUT) | (v & ~LEDOUT);
    } else if (n == BCR_MISC || n == 5 || n == 6 || n == 7 || n == 9 || n == BCR_BUS) {
        c->bcr[n] = v;
    } else if (n == BCR_EEPROM) {
        c->bcr[n] = PVALID | (v & 0x17);
    }
}

static uint16_t read_bcr(const struct pcnet *c, unsigned n)
{
    return n < BCRS ? c->bcr[n] : 0;
}

/* S_RESET: as power-on, but that addresses and what BCRs hold stay. */
static void soft_reset(struct pcnet *c)
{
    bool up = c->net && net_link(c->net);

    memset(c->csr, 0, sizeof(c->csr));
    c->csr[0] = STOP;
    c->csr[4] = 0x0115;
    for (unsigned i = 0; i < 3; i++)
        c->csr[PADR + i] = get_le16(c->prom + 2 * i);
    c->csr[CHIPID] = 0x1003;
    c->csr[CHIPID + 1] = 0x0262; /* part 2621h, by AMD */
    c->csr[80] = 0x1410;
    c->rx_at = c->tx_at = c->tx_len = 0;
    c->rap = 0;
    c->bcr[BCR_LINK] = 0xc0 | (up ? LEDOUT : 0);
    set_style(c, 0);
    update_irq(c);
}

/* --- Ports ---------------------------------------------------------------------------------- */

static unsigned reg_of(const struct pcnet *c, paddr off)
{
    if (off < RDP)
        return PROM;
    if (!c->dwio)
        return off & ~1u;
    return (off & ~3u) == RDP ? RDP : (off & ~3u) == DWIO_RAP ? WIO_RAP : (off & ~3u) == DWIO_RESET ? WIO_RESET : WIO_BDP;
}

static uint32_t prom_read(const struct pcnet *c, paddr off, unsigned size)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < size && off + i < PROM; i++)
        v |= (uint32_t)c->prom[off + i] << 8 * i;
    return v;
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct pcnet *c = opaque;

    if (off < PROM)
        return prom_read(c, off, a.size);
    switch (reg_of(c, off)) {
    case RDP: return read_csr(c, c->rap);
    case WIO_RAP: return c->rap;
    case WIO_BDP: return read_bcr(c, c->rap);
    case WIO_RESET:
        if (!a.debug)
            soft_reset(c);
        return 0;
    }
    return 0;
}

/* Thirty-two bits to RDP are how a driver says that it wants registers of that width; only a hardware reset takes it back. */
static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pcnet *c = opaque;

    if (off < PROM || a.size == 1)
        return;
    if (off == RDP && a.size == 4 && !c->dwio) {
        c->dwio = true;
        c->bcr[BCR_BUS] |= 1 << 7;
    }
    switch (reg_of(c, off)) {
    case RDP: write_csr(c, c->rap, v); break;
    case WIO_RAP: c->rap = v & 0x7f; break;
    case WIO_BDP: write_bcr(c, c->rap, v); break;
    }
}

static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 1, .max = 4};

/* --- Birth ---------------------------------------------------------------------------------- */

/* The address; at 14 and 15 two times 57h, at 12 a sum of the others. */
static void make_prom(struct pcnet *c)
{
    uint16_t sum = 0;

    memcpy(c->prom, c->mac, 6);
    c->prom[14] = c->prom[15] = 0x57;
    for (unsigned i = 0; i < PROM; i++)
        sum += i == 12 || i == 13 ? 0 : c->prom[i];
    put_le16(c->prom + 12, sum);
}

static int attach(struct pcnet *c, struct err *e)
{
    int r;

    if (!c->p_netdev)
        return 0;
    c->net = machine_backend(c->pci.dev.m, "netdev", c->p_netdev);
    if (!c->net)
        return err_set(e, -ENOENT, "Property 'pcnet.netdev' can't find value '%s'", c->p_netdev);
    if ((r = net_attach(c->net, &card, c, c->mac, e)) < 0)
        c->net = NULL;
    return r;
}

static int init(struct dev *d, struct err *e)
{
    struct pcnet *c = pcnet_of(d);
    int r = 0;

    if (c->p_mac)
        r = net_parse_mac(c->p_mac, c->mac, e);
    else
        net_next_mac(c->mac);
    if (r < 0 || (r = attach(c, e)) < 0) {
        pci_dev_fini(&c->pci);
        return r;
    }
    make_prom(c);
    rx_wait_init(&c->wait, d->m, &c->net);
    mem_init_mmio(&c->io, "pcnet-io", REGS, &ops, c);
    mem_init_mmio(&c->mmio, "pcnet-mmio", REGS, &ops, c);
    pci_set16(&c->pci, PCI_STATUS, PCI_STATUS_FAST_BACK | PCI_STATUS_DEVSEL_MEDIUM);
    pci_pin(&c->pci, 1);
    pci_set8(&c->pci, 0x3e, 6); /* MIN_GNT, MAX_LAT */
    pci_set8(&c->pci, 0x3f, 0xff);
    pci_add_bar(&c->pci, 0, PCI_BAR_IO, &c->io);
    pci_add_bar(&c->pci, 1, 0, &c->mmio);
    return 0;
}

static void reset(struct dev *d)
{
    struct pcnet *c = pcnet_of(d);

    pci_dev_reset(&c->pci);
    memset(c->bcr, 0, sizeof(c->bcr));
    c->bcr[0] = c->bcr[1] = 5;
    c->bcr[BCR_MISC] = 2;
    c->bcr[5] = 0x84;
    c->bcr[6] = 0x88;
    c->bcr[7] = 0x90;
    c->bcr[BCR_BUS] = 0x9001;
    c->bcr[BCR_EEPROM] = PVALID | 2;
    c->dwio = false;
    soft_reset(c);
}

static void fini(struct dev *d)
{
    struct pcnet *c = pcnet_of(d);

    if (c->net)
        net_detach(c->net);
    rx_wait_fini(&c->wait);
    pci_dev_fini(&c->pci);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct pcnet *c = pcnet_of(d);
    int r = pci_dev_loaded(&c->pci, e);

    if (r < 0)
        return r;
    if (c->tx_len > sizeof(c->tx) || c->rap >= CSRS || c->rx_at >= ring_len(c, RCVRL) || c->tx_at >= ring_len(c, XMTRL))
        return err_set(e, -EILSEQ, "places in buffers are past their ends");
    update_irq(c);
    return 0;
}

static const struct field props[] = {
    FIELD(pcnet, p_mac, F_STR, "mac", NULL, "address, 52:54:00:12:34:56"),
    FIELD(pcnet, p_netdev, F_STR, "netdev", NULL, "ID of the back end"),
    FIELD(pcnet, bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    PCI_FIELDS(pcnet, pci),
    FIELD_END,
};

static const struct state state[] = {
    PCI_STATE(pcnet, pci),
    STATE(pcnet, csr, S_U16, 1, "control and status registers"),
    STATE(pcnet, bcr, S_U16, 1, "bus configuration registers"),
    STATE(pcnet, rap, S_U16, 1, "which of them RDP and BDP are"),
    STATE(pcnet, dwio, S_BOOL, 1, "registers have 32 bits"),
    STATE(pcnet, rx_at, S_U32, 1, "next descriptor"),
    STATE(pcnet, tx_at, S_U32, 1, "next descriptor"),
    STATE(pcnet, tx, S_U8, 1, "beginning of a frame"),
    STATE(pcnet, tx_len, S_U32, 1, "bytes of it"),
    STATE_END,
};

static const struct pci_type type = {
    .vendor = 0x1022,
    .device = 0x2000,
    .class = PCI_CLASS_NETWORK_ETHERNET,
    .revision = 0x10,
    .rom = "efi-pcnet.rom",
};

const struct dev_type dev_pcnet = {
    .name = "pcnet",
    .help = "PCnet-PCI II Ethernet (Am79C970A)",
    .class = DEV_NETWORK,
    .bus = "pci",
    .size = sizeof(struct pcnet),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
    .trace = pcnet_trace,
    .class_ops = &type,
};
