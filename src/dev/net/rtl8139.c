/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "rtl8139": Realtek RTL8139C+ fast Ethernet card.  Sources: Realtek RTL8139C(L) data sheet, revision 1.4, for what the C+ has of the C;
 * for its rings of descriptors see rtl8139_cplus.c.  Its EEPROM: Microchip 93C46B, DS21749.
 */
#include "dev/net/rtl8139_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <zlib.h>

enum { TSD_SIZE = 0x1fff, TSD_OWN = 1 << 13, TSD_TOK = 1 << 15, TCR_LOOP = 3 << 17 };
enum { RCR_AAP = 1, RCR_APM = 2, RCR_AM = 4, RCR_AB = 8, RCR_WRAP = 0x80 };
enum { EE_DO = 1, EE_DI = 2, EE_SK = 4, EE_CS = 8, EEM = 0xc0, MSR_NOLINK = 4, BMSR_LINK = 4, BMSR_DONE = 0x20 };
enum { BUFFERS = RTL_BUFFERS, TIMER_HZ = 33333333, SLACK = 16 };
#define TCR_VERSION 0x74800000u /* HWVERID: RTL8139C+ */

struct trace_point rtl8139_trace[] = {
    [RTL_TP_TX] = {.name = "rtl8139_tx"},
    [RTL_TP_RX] = {.name = "rtl8139_rx"},
    [RTL_TP_DROP] = {.name = "rtl8139_drop"},
    {.name = NULL},
};

static struct rtl8139 *rtl_of(struct dev *d)
{
    return (struct rtl8139 *)d;
}

uint32_t rtl8139_reg(const struct rtl8139 *c, unsigned off)
{
    return get_le32(c->regs + off);
}

static void update_irq(struct rtl8139 *c)
{
    pci_set_irq(&c->pci, c->isr & c->imr);
}

void rtl8139_cause(struct rtl8139 *c, uint16_t bits)
{
    c->isr |= bits;
    update_irq(c);
}

static bool link_up(const struct rtl8139 *c)
{
    return c->net && net_link(c->net);
}

/* --- Receiving (7 of the data sheet) --- */

static uint32_t ring_size(const struct rtl8139 *c)
{
    return 8192u << (rtl8139_reg(c, RCR) >> 11 & 3);
}

/* The guest has read up to CAPR + 16; the last 16 bytes are kept free so that full is not empty. */
static uint32_t ring_free(const struct rtl8139 *c)
{
    uint32_t size = ring_size(c), read = (c->capr + 16u) % size, used = (c->cbr + size - read) % size;

    return size - used - SLACK;
}

static bool multicast_passes(const struct rtl8139 *c, const uint8_t *f)
{
    uint32_t crc = ~(uint32_t)crc32(0, f, 6), hash = 0;

    for (unsigned i = 0; i < 6; i++) /* the six that are sent first, the first on top */
        hash |= (crc >> i & 1) << (5 - i);
    return c->regs[MAR0 + hash / 8] >> (hash & 7) & 1;
}

/* Bits of the header that say why it was taken; 0: it is not for us. */
static uint32_t passes(const struct rtl8139 *c, const uint8_t *f)
{
    uint32_t rcr = rtl8139_reg(c, RCR);

    if (!memcmp(f, "\xff\xff\xff\xff\xff\xff", 6))
        return rcr & (RCR_AB | RCR_AAP) ? RX_BAR | 1 : 0;
    if (f[0] & 1)
        return rcr & RCR_AAP || (rcr & RCR_AM && multicast_passes(c, f)) ? RX_MAR | 1 : 0;
    if (!memcmp(f, c->regs + IDR0, 6))
        return rcr & (RCR_APM | RCR_AAP) ? RX_PAM | 1 : 0;
    return rcr & RCR_AAP ? 1 : 0;
}

/* Into the ring, around its end; with WRAP a packet goes on behind the end. */
static void put(struct rtl8139 *c, uint32_t at, const uint8_t *p, uint32_t len)
{
    uint32_t size = ring_size(c), first = size - at % size;
    uint64_t base = rtl8139_reg(c, RBSTART);

    if (len <= first || rtl8139_reg(c, RCR) & RCR_WRAP) {
        pci_dma_write(&c->pci, base + at % size, p, len);
        return;
    }
    pci_dma_write(&c->pci, base + at % size, p, first);
    pci_dma_write(&c->pci, base, p + first, len - first);
}

static bool receives(const struct rtl8139 *c)
{
    return c->regs[CR] & CR_RE && pci_dma_on(&c->pci);
}

static bool receive_into_ring(struct rtl8139 *c, const uint8_t *f, uint32_t len, uint32_t status)
{
    uint8_t buf[4 + MAX_FRAME + 4];
    uint32_t total = 4 + len + 4;

    if (ring_free(c) < ((total + 3) & ~3u))
        return false;
    put_le32(buf, status | (len + 4) << 16);
    memcpy(buf + 4, f, len);
    put_le32(buf + 4 + len, (uint32_t)crc32(0, f, len));
    put(c, c->cbr, buf, total);
    c->cbr = (uint16_t)((c->cbr + ((total + 3) & ~3u)) % ring_size(c));
    return true;
}

static bool loops(const struct rtl8139 *c)
{
    return (rtl8139_reg(c, TCR) & TCR_LOOP) == TCR_LOOP;
}

/* False: there is no room yet. */
static bool receive(struct rtl8139 *c, const uint8_t *f, uint32_t len)
{
    uint32_t status = passes(c, f);

    if (!receives(c) || !status || len > MAX_FRAME)
        return true;
    if (!(c->regs[CPCR] & CPCR_RX ? rtl8139_cplus_receive : receive_into_ring)(c, f, len, status)) {
        if (!loops(c) && rx_wait_no_room(&c->wait))
            return false;
        TRACE(&rtl8139_trace[RTL_TP_DROP], "bytes=%u", len);
        put_le32(c->regs + MPC, (rtl8139_reg(c, MPC) + 1) & 0xffffff);
        rtl8139_cause(c, INT_RXOVW);
        return true;
    }
    TRACE(&rtl8139_trace[RTL_TP_RX], "bytes=%u", len);
    rtl8139_cause(c, INT_ROK);
    return true;
}

static bool card_ready(void *opaque, unsigned queue)
{
    return true; /* what there is no room for waits (rx_wait.h) */
}

static bool card_receive(void *opaque, unsigned queue, const struct iovec *iov, int n,
                         const struct net_meta *meta)
{
    struct rtl8139 *c = opaque;
    uint8_t f[MAX_FRAME] = {0};
    uint32_t len = 0;

    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > sizeof(f) - len)
            return true; /* longer than any Ethernet has */
        memcpy(f + len, iov[i].iov_base, iov[i].iov_len);
        len += (uint32_t)iov[i].iov_len;
    }
    if (len >= 14 && link_up(c) && !receive(c, f, len < MIN_FRAME ? MIN_FRAME : len))
        return false;
    rx_wait_took(&c->wait);
    return true;
}

static void card_link(void *opaque, bool up)
{
    rtl8139_cause(opaque, INT_LINK);
}

static const struct net_card card = {
    .ready = card_ready, .receive = card_receive, .link = card_link};

/* --- Sending (6) --- */

bool rtl8139_send(struct rtl8139 *c, uint8_t *frame, uint32_t len)
{
    static const struct net_meta plain;
    struct iovec iov = {frame, len};

    if (loops(c))
        receive(c, frame, len);
    else if (link_up(c))
        return net_send(c->net, 0, &iov, 1, &plain);
    return true;
}

/* One buffer; false: the other side is full, it waits. */
static bool send(struct rtl8139 *c, unsigned n)
{
    uint8_t f[TSD_SIZE + 1] = {0};
    uint32_t len = c->tsd[n] & TSD_SIZE;

    if (len > MAX_FRAME)
        len = 0; /* 1792 is the most: what is more is not sent */
    pci_dma_read(&c->pci, rtl8139_reg(c, TSAD0 + 4 * n), f, len);
    TRACE(&rtl8139_trace[RTL_TP_TX], "buffer=%u bytes=%u", n, len);
    if (len >= 14 && !rtl8139_send(c, f, len < MIN_FRAME ? MIN_FRAME : len))
        return false;
    c->tsd[n] |= TSD_OWN | TSD_TOK;
    rtl8139_cause(c, INT_TOK);
    return true;
}

/* Buffers are sent in turn. */
static void transmit(struct rtl8139 *c)
{
    if (c->regs[CPCR] & CPCR_TX) {
        rtl8139_cplus_transmit(c);
        return;
    }
    for (unsigned i = 0; i < BUFFERS && c->regs[CR] & CR_TE && pci_dma_on(&c->pci); i++) {
        if (c->tsd[c->next_tx] & TSD_OWN || !send(c, c->next_tx))
            return;
        c->next_tx = (c->next_tx + 1) % BUFFERS;
    }
}

static void has_room(void *opaque, unsigned queue)
{
    transmit(opaque);
}

/* --- The EEPROM: a start bit, two of the operation, six of the address; then 16 of data --- */

static void ee_clock(struct rtl8139 *c, bool di)
{
    if (c->ee_reading) {
        c->ee_out = c->ee_out << 1 & 0x1ffff;
        return;
    }
    if (!c->ee_bits && !di)
        return; /* waits for the start bit */
    c->ee_in = c->ee_in << 1 | di;
    if (++c->ee_bits < 9)
        return;
    if ((c->ee_in >> 6 & 7) == 6) { /* READ: a 0 comes before the data */
        c->ee_out = c->eeprom[c->ee_in & 63];
        c->ee_reading = 1;
    }
    c->ee_bits = 9;
}

static void write_eecr(struct rtl8139 *c, uint8_t v)
{
    uint8_t was = c->regs[EECR];

    c->regs[EECR] = v & ~EE_DO;
    if (!(v & EE_CS) || (v & EEM) != 0x80) {
        c->ee_in = c->ee_bits = c->ee_reading = 0;
        c->ee_out = 0;
    } else if (~was & v & EE_SK && c->ee_bits <= 9) {
        ee_clock(c, v & EE_DI);
    }
}

static uint8_t read_eecr(const struct rtl8139 *c)
{
    return c->regs[EECR] | (c->ee_reading ? c->ee_out >> 16 & 1 : 1);
}

/* --- Timer --- */

static uint32_t ticks(struct rtl8139 *c)
{
    uint64_t ns = (uint64_t)clock_now(c->pci.dev.m, CLK_VIRT) - c->timer_base;

    return (uint32_t)((__uint128_t)ns * TIMER_HZ / NS_PER_S);
}

/* TIMERINT: an interrupt when TCTR gets there; 0: none. */
static void arm(struct rtl8139 *c)
{
    uint64_t left = rtl8139_reg(c, TIMERINT) - (uint64_t)ticks(c);

    timer_cancel(&c->timer);
    if (!rtl8139_reg(c, TIMERINT))
        return;
    left = left & 0xffffffff;
    left = left ? left : 1ull << 32;
    timer_at(&c->timer, clock_now(c->pci.dev.m, CLK_VIRT) +
                            (int64_t)((__uint128_t)left * NS_PER_S / TIMER_HZ) + 1);
}

static void timed_out(void *opaque)
{
    struct rtl8139 *c = opaque;

    rtl8139_cause(c, INT_TIMEOUT);
    arm(c);
}

/* --- Registers --- */

static void soft_reset(struct rtl8139 *c)
{
    memset(c->regs + TSD0, 0, sizeof(c->regs) - TSD0);
    for (unsigned n = 0; n < BUFFERS; n++)
        c->tsd[n] = TSD_OWN;
    c->next_tx = 0;
    c->isr = c->imr = 0;
    c->cbr = 0;
    c->capr = 0xfff0;
    c->regs[CONFIG1] = 0x0c; /* both memory and I/O */
    c->regs[CONFIG3] = 0x01;
    put_le16(c->regs + BMCR, 0x1100);
    put_le16(c->regs + ANAR, 0x05e1);
    c->timer_base = (uint64_t)clock_now(c->pci.dev.m, CLK_VIRT);
    timer_cancel(&c->timer);
    rtl8139_cplus_reset(c);
    update_irq(c);
}

static uint16_t tsad(const struct rtl8139 *c)
{
    uint16_t v = 0;

    for (unsigned n = 0; n < BUFFERS; n++)
        v |= (c->tsd[n] & TSD_OWN ? 1 << n : 0) | (c->tsd[n] & TSD_TOK ? 0x1000 << n : 0);
    return v;
}

/* A byte as the guest sees it. */
static uint8_t read_byte(struct rtl8139 *c, unsigned off)
{
    bool up = link_up(c);

    if (off >= TSD0 && off < TSD0 + 16 && !rtl8139_is_cplus(c))
        return (uint8_t)(c->tsd[(off - TSD0) / 4] >> (off & 3) * 8);
    if (off >= TCTR && off < TCTR + 4)
        return (uint8_t)(ticks(c) >> (off & 3) * 8);
    switch (off) {
    case CR: return (c->regs[CR] & (CR_RE | CR_TE)) | (c->cbr == (c->capr + 16u) % ring_size(c));
    case CAPR: return c->capr & 0xff;
    case CAPR + 1: return c->capr >> 8;
    case CBR: return c->cbr & 0xff;
    case CBR + 1: return c->cbr >> 8;
    case IMR: return c->imr & 0xff;
    case IMR + 1: return c->imr >> 8;
    case ISR: return c->isr & 0xff;
    case ISR + 1: return c->isr >> 8;
    case TCR + 2: return (uint8_t)(c->regs[off] | TCR_VERSION >> 16);
    case TCR + 3: return c->regs[off] | TCR_VERSION >> 24;
    case EECR: return read_eecr(c);
    case MSR: return up ? 0 : MSR_NOLINK;
    case TSAD: return tsad(c) & 0xff;
    case TSAD + 1: return tsad(c) >> 8;
    case BMSR: return 0x09 | (up ? BMSR_LINK | BMSR_DONE : 0);
    case BMSR + 1: return 0x78;
    case ANLPAR: return up ? 0xe1 : 0;
    case ANLPAR + 1: return up ? 0x45 : 0;
    case ANER: return up ? 1 : 0;
    case TPPOLL: return (c->polled & 3) << 6;
    }
    return c->regs[off];
}

static uint64_t rtl_read(void *opaque, paddr off, struct access a)
{
    struct rtl8139 *c = opaque;
    uint32_t v = 0;

    for (unsigned i = 0; i < a.size; i++)
        v |= (uint32_t)read_byte(c, (unsigned)off + i) << 8 * i;
    return v;
}

static void write_tsd(struct rtl8139 *c, unsigned n, uint32_t v)
{
    c->tsd[n] = v & 0x003fffff & ~(uint32_t)TSD_TOK;
    if (!(v & TSD_OWN))
        transmit(c);
}

static void write_cr(struct rtl8139 *c, uint8_t v)
{
    if (v & CR_RST)
        soft_reset(c);
    else
        c->regs[CR] = v & (CR_RE | CR_TE);
    transmit(c);
}

/* Which plain bytes the guest may write; CONFIG and addresses only when the EEPROM register says so. */
static bool may_write(const struct rtl8139 *c, unsigned off)
{
    if (off == CONFIG0 || off == CONFIG1 || off == CONFIG3 || off == CONFIG4 || off < 6 ||
        (off >= BMCR && off < BMCR + 2))
        return (c->regs[EECR] & EEM) == EEM || off < 6 || off >= BMCR;
    if (off >= DTCCR && off < DTCCR + 8)
        return rtl8139_is_cplus(c);
    return (off >= MAR0 && off < TSD0) || (off >= TSAD0 && off < ERBCR) || (off >= TCR && off < TCTR) ||
           (off >= TIMERINT && off < MSR) || (off >= ANAR && off < ANAR + 2) || (off >= NWAYTR && off < RESERVED) || off >= CPCR;
}

static void write_byte(struct rtl8139 *c, unsigned off, uint8_t v)
{
    switch (off) {
    case CR: write_cr(c, v); return;
    case CAPR: c->capr = (c->capr & 0xff00) | v; return;
    case CAPR + 1:
        c->capr = (c->capr & 0xff) | v << 8;
        rx_wait_over(&c->wait);
        return;
    case IMR: c->imr = (c->imr & 0xff00) | v; break;
    case IMR + 1: c->imr = (c->imr & 0xff) | (v & 0xe1) << 8; break;
    case ISR: c->isr &= ~v; break;
    case ISR + 1: c->isr &= ~(v << 8); break;
    case EECR: write_eecr(c, v); return;
    case TCTR: c->timer_base = (uint64_t)clock_now(c->pci.dev.m, CLK_VIRT); arm(c); return;
    case MPC: put_le32(c->regs + MPC, 0); return;
    case TPPOLL: rtl8139_cplus_poll(c, v); return;
    case CPCR: v &= CPCR_KEPT; break;
    case CPCR + 1: return;
    case BMCR + 1: v &= ~0x82; break; /* a reset and a restart of negotiation are over at once */
    }
    if (may_write(c, off))
        c->regs[off] = v;
    update_irq(c);
}

static void rtl_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct rtl8139 *c = opaque;

    if (off >= TSD0 && off < TSD0 + 16 && !rtl8139_is_cplus(c)) {
        if (a.size == 4)
            write_tsd(c, (unsigned)(off - TSD0) / 4, (uint32_t)v);
        return;
    }
    for (unsigned i = 0; i < a.size; i++)
        write_byte(c, (unsigned)off + i, (uint8_t)(v >> 8 * i));
    if (off <= TIMERINT + 3 && off + a.size > TIMERINT)
        arm(c);
    if (off >= TCR && off < TCTR)
        c->cbr %= ring_size(c);
    rtl8139_cplus_wrote(c, (unsigned)off, a.size);
}

static const struct mmio_ops rtl_ops = {.read = rtl_read, .write = rtl_write, .min = 1, .max = 4};

/* --- The device --- */

static void go_on(void *opaque)
{
    transmit(opaque);
}

static void fill_eeprom(struct rtl8139 *c)
{
    memset(c->eeprom, 0, sizeof(c->eeprom));
    c->eeprom[0] = 0x8129;
    c->eeprom[1] = 0x10ec;
    c->eeprom[2] = 0x8139;
    for (unsigned i = 0; i < 3; i++)
        c->eeprom[7 + i] = get_le16(c->mac + 2 * i);
}

static void rtl_reset(struct dev *d)
{
    struct rtl8139 *c = rtl_of(d);

    pci_dev_reset(&c->pci);
    memset(c->regs, 0, sizeof(c->regs));
    memcpy(c->regs + IDR0, c->mac, 6);
    memset(c->tally, 0, sizeof(c->tally));
    c->ee_in = c->ee_out = c->ee_bits = c->ee_reading = 0;
    soft_reset(c);
}

static int attach(struct rtl8139 *c, struct err *e)
{
    int r = 0;

    if (c->p_mac)
        r = net_parse_mac(c->p_mac, c->mac, e);
    else
        net_next_mac(c->mac);
    if (r < 0 || !c->p_netdev)
        return r;
    c->net = machine_backend(c->pci.dev.m, "netdev", c->p_netdev);
    if (!c->net)
        return err_set(e, -ENOENT, "Property '%s.netdev' can't find value '%s'", c->pci.dev.type->name,
                       c->p_netdev);
    if ((r = net_attach(c->net, &card, c, c->mac, e)) < 0)
        c->net = NULL;
    else
        net_on_room(c->net, has_room, c);
    return r;
}

static int rtl_init(struct dev *d, struct err *e)
{
    struct rtl8139 *c = rtl_of(d);
    int r = attach(c, e);

    if (r < 0) {
        pci_dev_fini(&c->pci);
        return r;
    }
    fill_eeprom(c);
    timer_init(&c->timer, d->m, CLK_VIRT, timed_out, c);
    rx_wait_init(&c->wait, d->m, &c->net);
    timer_init(&c->go_on, d->m, CLK_VIRT, go_on, c);
    pci_pin(&c->pci, 1);
    mem_init_mmio(&c->io, "rtl8139", REGS, &rtl_ops, c);
    mem_init_mmio(&c->mmio, "rtl8139", REGS, &rtl_ops, c);
    pci_add_bar(&c->pci, 0, PCI_BAR_IO, &c->io);
    pci_add_bar(&c->pci, 1, 0, &c->mmio);
    return 0;
}

static void rtl_fini(struct dev *d)
{
    struct rtl8139 *c = rtl_of(d);

    if (c->net)
        net_detach(c->net);
    timer_cancel(&c->timer);
    timer_cancel(&c->go_on);
    rx_wait_fini(&c->wait);
    pci_dev_fini(&c->pci);
}

static int rtl_loaded(struct dev *d, int version, struct err *e)
{
    struct rtl8139 *c = rtl_of(d);
    int r = pci_dev_loaded(&c->pci, e);

    if (r == 0 && (c->next_tx >= BUFFERS || c->cbr >= ring_size(c) || c->ee_bits > 9 || c->rx_at >= RTL_RING ||
                   c->tx_at[0] >= RTL_RING || c->tx_at[1] >= RTL_RING || c->polled > 3 || c->tx_segment[0] > RTL_LARGE || c->tx_segment[1] > RTL_LARGE ||
                   c->timer_base > (uint64_t)clock_now(d->m, CLK_VIRT)))
        r = err_set(e, -EILSEQ, "buffer %u, byte %u of the ring", c->next_tx, c->cbr);
    if (r == 0)
        update_irq(c);
    return r;
}

static void config_written(struct pci_dev *d, unsigned off, unsigned size)
{
    if (pci_touches(off, size, PCI_COMMAND, 2))
        transmit((struct rtl8139 *)d);
}

static const struct field rtl_props[] = {
    PCI_FIELDS(rtl8139, pci),
    FIELD(rtl8139, p_mac, F_STR, "mac", NULL, "address, 52:54:00:12:34:56"),
    FIELD(rtl8139, p_netdev, F_STR, "netdev", NULL, "ID of the back end"),
    FIELD(rtl8139, bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD_END,
};

static const struct state rtl_state[] = {
    PCI_STATE(rtl8139, pci),
    STATE(rtl8139, regs, S_U8, 1, NULL),
    STATE(rtl8139, tsd, S_U32, 1, NULL),
    STATE(rtl8139, isr, S_U16, 1, NULL),
    STATE(rtl8139, imr, S_U16, 1, NULL),
    STATE(rtl8139, capr, S_U16, 1, NULL),
    STATE(rtl8139, cbr, S_U16, 1, NULL),
    STATE(rtl8139, next_tx, S_U8, 1, "0..3"),
    STATE(rtl8139, ee_in, S_U32, 1, NULL),
    STATE(rtl8139, ee_out, S_U32, 1, NULL),
    STATE(rtl8139, ee_bits, S_U8, 1, NULL),
    STATE(rtl8139, ee_reading, S_U8, 1, NULL),
    STATE(rtl8139, timer_base, S_U64, 1, "virtual ns"),
    STATE_TIMER(rtl8139, timer, 1, NULL),
    STATE(rtl8139, rx_at, S_U8, 2, "0..63"),
    STATE(rtl8139, tx_at, S_U8, 2, "0..63"),
    STATE(rtl8139, polled, S_U8, 2, "0..3"),
    STATE(rtl8139, tx_segment, S_U32, 2, NULL),
    STATE(rtl8139, tally, S_U64, 2, NULL),
    STATE_TIMER(rtl8139, go_on, 2, NULL),
    STATE_END,
};

static const struct pci_type rtl_pci = {
    .vendor = 0x10ec,
    .device = 0x8139,
    .revision = 0x20,
    .class = PCI_CLASS_NETWORK_ETHERNET,
    .rom = "efi-rtl8139.rom",
    .config_written = config_written,
};

const struct dev_type dev_rtl8139 = {
    .name = "rtl8139",
    .help = "Realtek RTL8139C+ Ethernet",
    .class = DEV_NETWORK,
    .bus = "pci",
    .size = sizeof(struct rtl8139),
    .props = rtl_props,
    .state = rtl_state,
    .state_version = 2,
    .init = rtl_init,
    .reset = rtl_reset,
    .fini = rtl_fini,
    .loaded = rtl_loaded,
    .class_ops = &rtl_pci,
    .trace = rtl8139_trace,
};
