/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "ne2k_isa", "ne2k_pci": NE2000 Ethernet cards, the latter as Realtek's RTL8029AS.
 * Sources: National Semiconductor DP8390D/NS32490D data sheet, July 1995; RTL8029AS data sheet; Novell NE2000 for the ports.
 */
#include "base/bytes.h"
#include "base/trace.h"
#include "dev/isa/isa.h"
#include "dev/net/rx_wait.h"
#include "dev/pci/pci.h"
#include "net/net.h"

#include <errno.h>
#include <inttypes.h>
#include <zlib.h>

enum { REGS = 0x20, PCI_REGS = 0x100, DATA = 0x10, RESET = 0x18 };
enum { PROM = 32, BUFFER = 0x4000, BUFFER_END = 0xc000, PAGE = 256 };
/* Page 0, written; page 1. */
enum { CR, PSTART, PSTOP, BNRY, TPSR, TBCR0, TBCR1, ISR, RSAR0, RSAR1, RBCR0, RBCR1, RCR, TCR, DCR, IMR };
enum { PAR0 = 1, CURR = 7, MAR0 = 8 };
enum { CR_STP = 0x01, CR_TXP = 0x04, CR_RD = 0x38, CR_RD_READ = 0x08, CR_RD_SEND = 0x18, CR_RD_ABORT = 0x20 };
enum { INT_PRX = 0x01, INT_PTX = 0x02, INT_OVW = 0x10, INT_RDC = 0x40, INT_RST = 0x80, INT_ALL = 0x7f };
enum { RCR_AB = 0x04, RCR_AM = 0x08, RCR_PRO = 0x10, RCR_MON = 0x20, RSR_PRX = 0x01, RSR_PHY = 0x20 };
enum { TCR_LOOP = 0x06, DCR_WTS = 0x01, TSR_PTX = 0x01, MIN_FRAME = 60, MAX_FRAME = 1518 };

struct ne2k {
    struct dev *dev;
    struct net *net;
    struct mem regs;
    void (*irq)(void *opaque, bool level);
    uint8_t mac[6];
    uint8_t reg[16];  /* of page 0 as they were written; [CR]; [ISR] as it is read */
    uint8_t page1[16];
    uint8_t tsr, rsr;
    uint16_t rsar, rbcr; /* as the remote DMA has left them */
    uint8_t mem[BUFFER_END - BUFFER];
    struct rx_wait wait;
    char *p_mac, *p_netdev, *bootindex;
};

enum { TP_TX, TP_RX, TP_DROP };
static struct trace_point ne2k_trace[] = {
    [TP_TX] = {.name = "ne2k_tx"}, [TP_RX] = {.name = "ne2k_rx"}, [TP_DROP] = {.name = "ne2k_drop"}, {.name = NULL}};

static void update_irq(struct ne2k *c)
{
    c->irq(c->dev, c->reg[ISR] & c->reg[IMR] & INT_ALL);
}

static void cause(struct ne2k *c, uint8_t bits)
{
    c->reg[ISR] |= bits;
    update_irq(c);
}

/* The card's memory: the address, each byte twice and two of 57h behind; the buffer; nothing else. */
static uint8_t mem_get(const struct ne2k *c, uint16_t at)
{
    if (at >= BUFFER && at < BUFFER_END)
        return c->mem[at - BUFFER];
    if (at >= PROM)
        return 0xff;
    return at / 2 < 6 ? c->mac[at / 2] : 0x57;
}

static void mem_put(struct ne2k *c, uint16_t at, uint8_t v)
{
    if (at >= BUFFER && at < BUFFER_END)
        c->mem[at - BUFFER] = v;
}

/* --- Receiving (the buffer ring, "Receive Packet Status") --- */

static bool multicast_passes(const struct ne2k *c, const uint8_t *f)
{
    uint32_t crc = ~(uint32_t)crc32(0, f, 6), hash = 0;

    for (unsigned i = 0; i < 6; i++)
        hash |= (crc >> i & 1) << (5 - i);
    return c->page1[MAR0 + hash / 8] >> (hash & 7) & 1;
}

static bool passes(const struct ne2k *c, const uint8_t *f)
{
    uint8_t rcr = c->reg[RCR];

    if (rcr & RCR_PRO)
        return true;
    if (!memcmp(f, "\xff\xff\xff\xff\xff\xff", 6))
        return rcr & RCR_AB;
    if (f[0] & 1)
        return rcr & RCR_AM && multicast_passes(c, f);
    return !memcmp(f, c->page1 + PAR0, 6);
}

/* Pages between CURR and BNRY; equal means that all of them are free. */
static unsigned free_pages(const struct ne2k *c)
{
    unsigned size = c->reg[PSTOP] - c->reg[PSTART], curr = c->page1[CURR], bnry = c->reg[BNRY];

    return curr == bnry ? size : (bnry + size * 256 - curr) % size;
}

static bool ring_is_one(const struct ne2k *c)
{
    uint8_t curr = c->page1[CURR];

    return c->reg[PSTART] < c->reg[PSTOP] && curr >= c->reg[PSTART] && curr < c->reg[PSTOP];
}

static uint16_t ring_next(const struct ne2k *c, uint16_t at)
{
    at++;
    return at == c->reg[PSTOP] * PAGE ? c->reg[PSTART] * PAGE : at;
}

/* False: the ring is full, and the driver is about to empty it. */
static bool receive(struct ne2k *c, const uint8_t *f, uint32_t len)
{
    uint32_t total = len + 4, pages = (total + 4 + PAGE - 1) / PAGE;
    uint16_t at = (uint16_t)(c->page1[CURR] * PAGE);
    unsigned size = c->reg[PSTOP] - c->reg[PSTART], next;
    uint8_t head[4], crc[4];

    if (!ring_is_one(c) || pages >= free_pages(c)) {
        if (ring_is_one(c) && pages < size && rx_wait_no_room(&c->wait))
            return false;
        TRACE(&ne2k_trace[TP_DROP], "bytes=%u", len);
        cause(c, INT_OVW);
        return true;
    }
    TRACE(&ne2k_trace[TP_RX], "bytes=%u", len);
    next = c->reg[PSTART] + (c->page1[CURR] - c->reg[PSTART] + pages) % size;
    c->rsr = RSR_PRX | (f[0] & 1 ? RSR_PHY : 0);
    head[0] = c->rsr;
    head[1] = (uint8_t)next;
    put_le16(head + 2, (uint16_t)total);
    put_le32(crc, (uint32_t)crc32(0, f, len));
    for (uint32_t i = 0; i < total + 4; i++, at = ring_next(c, at))
        mem_put(c, at, i < 4 ? head[i] : i < len + 4 ? f[i - 4] : crc[i - len - 4]);
    c->page1[CURR] = (uint8_t)next;
    cause(c, INT_PRX);
    return true;
}

static bool card_ready(void *opaque, unsigned queue)
{
    return true; /* what there is no room for waits (rx_wait.h) */
}

static bool card_receive(void *opaque, unsigned queue, const struct iovec *iov, int n, const struct net_meta *meta)
{
    struct ne2k *c = opaque;
    uint8_t f[MAX_FRAME] = {0};
    uint32_t len = 0;

    for (int i = 0; i < n; i++) {
        if (iov[i].iov_len > sizeof(f) - len)
            return true;
        memcpy(f + len, iov[i].iov_base, iov[i].iov_len);
        len += (uint32_t)iov[i].iov_len;
    }
    if (len >= 14 && !(c->reg[CR] & CR_STP) && !(c->reg[RCR] & RCR_MON) && passes(c, f) && net_link(c->net) &&
        !receive(c, f, len < MIN_FRAME ? MIN_FRAME : len))
        return false;
    rx_wait_took(&c->wait);
    return true;
}

static void card_link(void *opaque, bool up)
{
}

static const struct net_card card = {.ready = card_ready, .receive = card_receive, .link = card_link};

/* --- Sending --- */

/* What the other side has no room for is lost, as on a wire: the card has no way to wait. */
static void transmit(struct ne2k *c)
{
    static const struct net_meta plain;
    uint8_t f[MAX_FRAME] = {0};
    uint32_t len = c->reg[TBCR0] | c->reg[TBCR1] << 8;
    struct iovec iov = {f, len < MIN_FRAME ? MIN_FRAME : len};

    TRACE(&ne2k_trace[TP_TX], "bytes=%u", len);
    if (len >= 14 && len <= MAX_FRAME - 4 && !(c->reg[TCR] & TCR_LOOP) && c->net) {
        for (uint32_t i = 0; i < len; i++)
            f[i] = mem_get(c, (uint16_t)(c->reg[TPSR] * PAGE + i));
        net_send(c->net, 0, &iov, 1, &plain);
    }
    c->tsr = TSR_PTX;
    c->reg[CR] &= ~CR_TXP;
    cause(c, INT_PTX);
}

/* --- Registers --- */

static void soft_reset(struct ne2k *c)
{
    c->reg[CR] = CR_STP | CR_RD_ABORT;
    c->reg[ISR] = INT_RST;
    c->reg[IMR] = 0;
    update_irq(c);
}

static void write_cr(struct ne2k *c, uint8_t v)
{
    c->reg[CR] = v;
    if (v & CR_STP) {
        c->reg[CR] &= ~CR_TXP;
        cause(c, INT_RST);
        return;
    }
    c->reg[ISR] &= ~INT_RST;
    if ((v & CR_RD) == CR_RD_SEND) { /* the packet at BNRY */
        c->rsar = (uint16_t)(c->reg[BNRY] * PAGE);
        c->rbcr = mem_get(c, c->rsar + 2) | mem_get(c, c->rsar + 3) << 8;
    }
    if (((v & CR_RD) == CR_RD_READ || (v & CR_RD) == CR_RD_READ * 2) && !c->rbcr)
        cause(c, INT_RDC);
    if (v & CR_TXP)
        transmit(c);
    update_irq(c);
}

static void write_page0(struct ne2k *c, unsigned off, uint8_t v)
{
    if (off == ISR) {
        c->reg[ISR] &= ~(v & INT_ALL);
        update_irq(c);
        return;
    }
    c->reg[off] = v;
    switch (off) {
    case RSAR0:
    case RSAR1: c->rsar = c->reg[RSAR0] | c->reg[RSAR1] << 8; break;
    case RBCR0:
    case RBCR1: c->rbcr = c->reg[RBCR0] | c->reg[RBCR1] << 8; break;
    case IMR: update_irq(c); break;
    }
}

static uint8_t read_page0(const struct ne2k *c, unsigned off)
{
    switch (off) {
    case BNRY:
    case ISR: return c->reg[off];
    case 1:
    case RSAR0: return c->rsar & 0xff;
    case 2:
    case RSAR1: return c->rsar >> 8;
    case TPSR: return c->tsr;
    case RBCR0: return 'P'; /* the RTL8029AS's name */
    case RBCR1: return 'C';
    case RCR: return c->rsr;
    }
    return 0; /* collisions and errors: none */
}

static uint8_t read_reg(const struct ne2k *c, unsigned off)
{
    if (off == CR)
        return c->reg[CR];
    switch (c->reg[CR] >> 6) {
    case 0: return read_page0(c, off);
    case 1: return c->page1[off];
    case 2: return off == ISR || off == BNRY ? 0 : c->reg[off];
    }
    return 0;
}

static void write_reg(struct ne2k *c, unsigned off, uint8_t v)
{
    if (off == CR)
        write_cr(c, v);
    else if (c->reg[CR] >> 6 == 0)
        write_page0(c, off, v);
    else if (c->reg[CR] >> 6 == 1)
        c->page1[off] = v;
    if (off == BNRY || off == CR)
        rx_wait_over(&c->wait);
}

/* A byte by remote DMA; the address goes around with the ring. */
static void moved(struct ne2k *c)
{
    c->rsar++;
    if (c->rsar == c->reg[PSTOP] * PAGE)
        c->rsar = (uint16_t)(c->reg[PSTART] * PAGE);
    if (c->rbcr && !--c->rbcr)
        cause(c, INT_RDC);
}

static uint32_t data_read(struct ne2k *c, unsigned size)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < size && c->rbcr; i++) {
        v |= (uint32_t)mem_get(c, c->rsar) << 8 * i;
        moved(c);
    }
    return v;
}

static void data_write(struct ne2k *c, uint32_t v, unsigned size)
{
    for (unsigned i = 0; i < size && c->rbcr; i++) {
        mem_put(c, c->rsar, (uint8_t)(v >> 8 * i));
        moved(c);
    }
}

static uint64_t ne2k_read(void *opaque, paddr off, struct access a)
{
    struct ne2k *c = opaque;

    if (off < DATA)
        return read_reg(c, (unsigned)off);
    if (a.debug || off >= REGS)
        return 0xffffffff;
    if (off >= RESET) {
        soft_reset(c);
        return 0;
    }
    return data_read(c, a.size);
}

static void ne2k_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct ne2k *c = opaque;

    if (off < DATA)
        write_reg(c, (unsigned)off, (uint8_t)v);
    else if (off < RESET)
        data_write(c, (uint32_t)v, a.size);
}

static const struct mmio_ops ne2k_ops = {.read = ne2k_read, .write = ne2k_write, .min = 1, .max = 4};

/* --- What both cards do --- */

static void reset(struct ne2k *c)
{
    memset(c->reg, 0, sizeof(c->reg));
    memset(c->page1, 0, sizeof(c->page1));
    memset(c->mem, 0, sizeof(c->mem));
    c->tsr = c->rsr = 0;
    c->rsar = c->rbcr = 0;
    soft_reset(c);
}

static int init(struct ne2k *c, struct err *e)
{
    int r = 0;

    rx_wait_init(&c->wait, c->dev->m, &c->net);
    mem_init_mmio(&c->regs, "ne2000", c->dev->type->class_ops ? PCI_REGS : REGS, &ne2k_ops, c);
    if (c->p_mac)
        r = net_parse_mac(c->p_mac, c->mac, e);
    else
        net_next_mac(c->mac);
    if (r < 0 || !c->p_netdev)
        return r;
    c->net = machine_backend(c->dev->m, "netdev", c->p_netdev);
    if (!c->net)
        return err_set(e, -ENOENT, "Property '%s.netdev' can't find value '%s'", c->dev->type->name, c->p_netdev);
    if ((r = net_attach(c->net, &card, c, c->mac, e)) < 0)
        c->net = NULL;
    return r;
}

static void fini(struct ne2k *c)
{
    if (c->net)
        net_detach(c->net);
    rx_wait_fini(&c->wait);
}

static const struct state ne2k_state[] = {
    STATE(ne2k, reg, S_U8, 1, "page 0"), STATE(ne2k, page1, S_U8, 1, NULL),
    STATE(ne2k, tsr, S_U8, 1, NULL),     STATE(ne2k, rsr, S_U8, 1, NULL),
    STATE(ne2k, rsar, S_U16, 1, NULL),   STATE(ne2k, rbcr, S_U16, 1, NULL),
    STATE(ne2k, mem, S_U8, 1, NULL),     STATE_END,
};
#define NE2K_STATE(type, m)                                                                        \
    {                                                                                              \
        .name = #m, .kind = S_STRUCT, .offset = offsetof(struct type, m), .n = 1,                  \
        .elem = sizeof(struct ne2k), .since = 1, .table = ne2k_state                               \
    }
#define NE2K_FIELDS(type, m)                                                                       \
    FIELD(type, m.p_mac, F_STR, "mac", NULL, "address, 52:54:00:12:34:56"),                        \
        FIELD(type, m.p_netdev, F_STR, "netdev", NULL, "ID of the back end"),                      \
        FIELD(type, m.bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order")

/* --- On ISA --- */

struct ne2k_isa {
    struct dev dev;
    struct ne2k c;
    uint64_t iobase, irq;
};

static void isa_irq_of(void *opaque, bool level)
{
    irq_set(&((struct dev *)opaque)->irq[0], level);
}

static int isa_init(struct dev *d, struct err *e)
{
    struct ne2k_isa *s = (struct ne2k_isa *)d;
    int r;

    s->c.dev = d;
    s->c.irq = isa_irq_of;
    if ((r = isa_connect(d, &d->irq[0], s->irq, e)) < 0 || (r = init(&s->c, e)) < 0)
        return r;
    if ((r = isa_add_io(d, &s->c.regs, s->iobase, e)) < 0)
        fini(&s->c);
    return r;
}

static void isa_reset(struct dev *d)
{
    reset(&((struct ne2k_isa *)d)->c);
}

static void isa_fini(struct dev *d)
{
    fini(&((struct ne2k_isa *)d)->c);
}

static const struct field isa_props[] = {
    NE2K_FIELDS(ne2k_isa, c),
    FIELD(ne2k_isa, iobase, F_U64, "iobase", "768", "first port"),
    FIELD(ne2k_isa, irq, F_U64, "irq", "9", "interrupt"),
    FIELD_END,
};
static const struct state isa_state[] = {NE2K_STATE(ne2k_isa, c), STATE_END};

const struct dev_type dev_ne2k_isa = {
    .name = "ne2k_isa",
    .help = "NE2000 Ethernet",
    .class = DEV_NETWORK,
    .bus = "isa",
    .size = sizeof(struct ne2k_isa),
    .props = isa_props,
    .state = isa_state,
    .state_version = 1,
    .init = isa_init,
    .reset = isa_reset,
    .fini = isa_fini,
    .trace = ne2k_trace,
};

/* --- On PCI --- */

struct ne2k_pci {
    struct pci_dev pci;
    struct ne2k c;
};

static void pci_irq_of(void *opaque, bool level)
{
    pci_set_irq(pci_of(opaque), level);
}

static int pci_init(struct dev *d, struct err *e)
{
    struct ne2k_pci *s = (struct ne2k_pci *)d;
    int r;

    s->c.dev = d;
    s->c.irq = pci_irq_of;
    if ((r = init(&s->c, e)) < 0) {
        pci_dev_fini(&s->pci);
        return r;
    }
    pci_pin(&s->pci, 1);
    pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->c.regs);
    return 0;
}

static void pci_reset(struct dev *d)
{
    pci_dev_reset(&((struct ne2k_pci *)d)->pci);
    reset(&((struct ne2k_pci *)d)->c);
}

static void pci_fini(struct dev *d)
{
    fini(&((struct ne2k_pci *)d)->c);
    pci_dev_fini(&((struct ne2k_pci *)d)->pci);
}

static int pci_loaded(struct dev *d, int version, struct err *e)
{
    return pci_dev_loaded(&((struct ne2k_pci *)d)->pci, e);
}

static const struct field pci_props[] = {PCI_FIELDS(ne2k_pci, pci), NE2K_FIELDS(ne2k_pci, c), FIELD_END};
static const struct state pci_state[] = {PCI_STATE(ne2k_pci, pci), NE2K_STATE(ne2k_pci, c), STATE_END};
static const struct pci_type ne2k_pci_type = {
    .vendor = 0x10ec, .device = 0x8029, .class = PCI_CLASS_NETWORK_ETHERNET, .rom = "efi-ne2k_pci.rom"};

const struct dev_type dev_ne2k_pci = {
    .name = "ne2k_pci",
    .help = "NE2000 Ethernet (RTL8029AS)",
    .class = DEV_NETWORK,
    .bus = "pci",
    .size = sizeof(struct ne2k_pci),
    .props = pci_props,
    .state = pci_state,
    .state_version = 1,
    .init = pci_init,
    .reset = pci_reset,
    .fini = pci_fini,
    .loaded = pci_loaded,
    .class_ops = &ne2k_pci_type,
    .trace = ne2k_trace,
};
