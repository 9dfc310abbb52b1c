/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "pl011": Arm PrimeCell UART, revision r1p4.  Source: Technical Reference Manual, Arm DDI 0183G.
 *
 * What is sent leaves at once and what is typed is there at once: the baud rate has no effect.  Neither have the
 * enable bits of UARTCR: programs written for boards like virt send without setting them.
 */
#include "base/trace.h"
#include "bus/machine.h"
#include "dev/backends.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    UARTDR = 0x000,
    UARTRSR = 0x004, /* written: UARTECR */
    UARTFR = 0x018,
    UARTILPR = 0x020,
    UARTIBRD = 0x024,
    UARTFBRD = 0x028,
    UARTLCR_H = 0x02c,
    UARTCR = 0x030,
    UARTIFLS = 0x034,
    UARTIMSC = 0x038,
    UARTRIS = 0x03c,
    UARTMIS = 0x040,
    UARTICR = 0x044,
    UARTDMACR = 0x048,
    ID_FIRST = 0xfe0, /* UARTPeriphID0 .. UARTPCellID3 */
};

/* UARTDR's error bits, above the character; >> 8: UARTRSR's. */
enum { DR_FE = 1 << 8, DR_PE = 1 << 9, DR_BE = 1 << 10, DR_OE = 1 << 11, RSR_OE = 1 << 3 };

enum {
    FR_CTS = 1 << 0,
    FR_DSR = 1 << 1,
    FR_DCD = 1 << 2,
    FR_BUSY = 1 << 3,
    FR_RXFE = 1 << 4,
    FR_TXFF = 1 << 5,
    FR_RXFF = 1 << 6,
    FR_TXFE = 1 << 7,
    FR_RI = 1 << 8,
};

enum { LCR_BRK = 1 << 0, LCR_FEN = 1 << 4 };

enum {
    CR_LBE = 1 << 7,
    CR_DTR = 1 << 10,
    CR_RTS = 1 << 11,
    CR_OUT1 = 1 << 12,
    CR_OUT2 = 1 << 13,
    CR_RESET = 1 << 8 | 1 << 9 /* TXE, RXE */
};

/* UARTRIS, UARTMIS, UARTIMSC, UARTICR. */
enum {
    INT_RI = 1 << 0,
    INT_CTS = 1 << 1,
    INT_DCD = 1 << 2,
    INT_DSR = 1 << 3,
    INT_RX = 1 << 4,
    INT_TX = 1 << 5,
    INT_RT = 1 << 6,
    INT_BE = 1 << 9,
    INT_OE = 1 << 10,
    INT_MODEM = 0x00f,
    INT_ERRORS = 0x780,
    INT_ALL = 0x7ff,
};

enum {
    FIFO_LEN = 16,
    TIMEOUT_NS = 32 * 1000000 / 115, /* receive timeout: 32 bit periods, at 115200 */
};

struct pl011 {
    struct dev dev; /* irq[0]: all (UARTINTR); [1..5]: RX, TX, RT, MS, E */
    struct chr *chr; /* NULL: output goes nowhere */
    char *chardev;

    uint32_t rsr, ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
    uint32_t lines;         /* UARTFR's CTS, DSR, DCD, RI as they were last seen */
    uint16_t rx[FIFO_LEN];  /* as read from UARTDR; oldest at [0] */
    uint8_t tx[FIFO_LEN];   /* waits for room in the back end; oldest at [0] */
    uint8_t rx_n, tx_n;     /* 0..FIFO_LEN */
    bool waits;             /* the back end will call sent() */
    struct timer timeout;   /* data was left in the FIFO */
};

enum { TP_SEND, TP_RECEIVE, TP_OVERRUN, TP_WRITE, TP_IRQ };
static struct trace_point pl011_trace[] = {
    [TP_SEND] = {.name = "pl011_send"},       [TP_RECEIVE] = {.name = "pl011_receive"},
    [TP_OVERRUN] = {.name = "pl011_overrun"}, [TP_WRITE] = {.name = "pl011_write"},
    [TP_IRQ] = {.name = "pl011_irq"},         {.name = NULL},
};

/* UARTPeriphID0 .. 3 (part 0x011, designer 0x41, revision 1), UARTPCellID0 .. 3. */
static const uint8_t ids[8] = {0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static struct pl011 *pl011_of(struct dev *d)
{
    return (struct pl011 *)d;
}

static unsigned depth(const struct pl011 *u)
{
    return u->lcr & LCR_FEN ? FIFO_LEN : 1;
}

/* UARTIFLS: characters at which a FIFO of 16 asks to be served; without FIFOs: one waiting, or none left. */
static unsigned rx_level(const struct pl011 *u)
{
    static const uint8_t levels[8] = {2, 4, 8, 12, 14, 14, 14, 14};

    return u->lcr & LCR_FEN ? levels[u->ifls >> 3 & 7] : 1;
}

static unsigned tx_level(const struct pl011 *u)
{
    static const uint8_t levels[8] = {2, 4, 8, 12, 14, 14, 14, 14};

    return u->lcr & LCR_FEN ? levels[u->ifls & 7] : 0;
}

/* All lines are functions of UARTRIS and UARTIMSC. */
static void update_irq(struct pl011 *u)
{
    static const uint16_t groups[6] = {INT_ALL, INT_RX, INT_TX, INT_RT, INT_MODEM, INT_ERRORS};
    uint32_t mis = u->ris & u->imsc;

    if (u->dev.irq[0].level != !!mis)
        TRACE(&pl011_trace[TP_IRQ], "mis=%#x", mis);
    for (unsigned i = 0; i < 6; i++)
        irq_set(&u->dev.irq[i], mis & groups[i]);
}

/* Modem lines: those of a peer that is there and ready, or our own outputs in loopback (3.3.8 of the manual). */
static uint32_t modem_lines(const struct pl011 *u)
{
    if (u->cr & CR_LBE)
        return (u->cr & CR_RTS ? FR_CTS : 0) | (u->cr & CR_DTR ? FR_DSR : 0) |
               (u->cr & CR_OUT1 ? FR_DCD : 0) | (u->cr & CR_OUT2 ? FR_RI : 0);
    return u->chr && chr_connected(u->chr) ? FR_CTS | FR_DSR | FR_DCD : 0;
}

static void update_modem(struct pl011 *u)
{
    uint32_t now = modem_lines(u), changed = now ^ u->lines;

    u->lines = now;
    u->ris |= (changed & FR_RI ? INT_RI : 0) | (changed & FR_CTS ? INT_CTS : 0) |
              (changed & FR_DCD ? INT_DCD : 0) | (changed & FR_DSR ? INT_DSR : 0);
    update_irq(u);
}

/* --- Receiving --- */

/* @c with error bits arrives.  When there is no room it is lost, and the last one that is there says so. */
static void push(struct pl011 *u, uint16_t c)
{
    if (u->rx_n >= depth(u)) {
        TRACE(&pl011_trace[TP_OVERRUN], "lost=%#x", c);
        u->rx[u->rx_n - 1] |= DR_OE;
        u->rsr |= RSR_OE;
        u->ris |= INT_OE;
        return;
    }
    TRACE(&pl011_trace[TP_RECEIVE], "char=%#x", c);
    u->rx[u->rx_n++] = c;
    if (c & DR_BE)
        u->ris |= INT_BE;
    if (u->rx_n >= rx_level(u))
        u->ris |= INT_RX;
}

static uint32_t pop(struct pl011 *u)
{
    uint16_t c;

    if (!u->rx_n)
        return 0;
    c = u->rx[0];
    memmove(u->rx, u->rx + 1, --u->rx_n * sizeof(u->rx[0]));
    u->rsr = c >> 8;
    if (u->rx_n < rx_level(u))
        u->ris &= ~INT_RX;
    if (!u->rx_n) {
        u->ris &= ~INT_RT;
        timer_cancel(&u->timeout);
    }
    update_irq(u);
    if (u->chr)
        chr_wake(u->chr, u);
    return c;
}

/* The line has been silent for long enough. */
static void timed_out(void *opaque)
{
    struct pl011 *u = opaque;

    if (u->rx_n)
        u->ris |= INT_RT;
    update_irq(u);
}

static size_t chr_room(void *opaque)
{
    struct pl011 *u = opaque;

    return u->cr & CR_LBE || u->rx_n >= depth(u) ? 0 : depth(u) - u->rx_n;
}

/* Nothing follows: the back end gives all that it has in one go. */
static void chr_data(void *opaque, const uint8_t *buf, size_t len)
{
    struct pl011 *u = opaque;

    while (len--)
        push(u, *buf++);
    timed_out(u);
}

static void chr_happened(void *opaque, enum chr_event e)
{
    struct pl011 *u = opaque;

    if (e == CHR_BREAK && !(u->cr & CR_LBE)) {
        push(u, DR_BE);
        timed_out(u);
    } else if (e == CHR_OPENED || e == CHR_CLOSED) {
        update_modem(u);
    }
}

static const struct chr_front front = {chr_room, chr_data, chr_happened};

/* --- Sending --- */

static void send(struct pl011 *u);

static void has_room(void *opaque)
{
    struct pl011 *u = opaque;

    u->waits = false;
    send(u);
}

/* Give what waits to the back end, or to our own receiver.  The interrupt comes when characters leave and few are left. */
static void send(struct pl011 *u)
{
    size_t n = u->tx_n;

    if (u->cr & CR_LBE) {
        for (size_t i = 0; i < n; i++)
            push(u, u->tx[i]);
        timed_out(u);
    } else if (u->chr) {
        n = chr_write(u->chr, u, u->tx, n);
    }
    u->tx_n -= n;
    memmove(u->tx, u->tx + n, u->tx_n);
    if (n && u->tx_n <= tx_level(u))
        u->ris |= INT_TX;
    update_irq(u);
    if (u->tx_n && !u->waits) {
        u->waits = true;
        chr_on_room(u->chr, u, has_room);
    }
}

static void write_dr(struct pl011 *u, uint8_t c)
{
    TRACE(&pl011_trace[TP_SEND], "char=%#x", c);
    if (u->tx_n >= depth(u))
        return; /* UARTFR.TXFF was not heeded: the character is lost */
    u->tx[u->tx_n++] = c;
    if (u->tx_n > tx_level(u))
        u->ris &= ~INT_TX;
    if (u->waits)
        update_irq(u);
    else
        send(u);
}

/* --- Registers --- */

static uint32_t read_fr(struct pl011 *u)
{
    return modem_lines(u) | (u->tx_n ? FR_BUSY : FR_TXFE) | (u->tx_n >= depth(u) ? FR_TXFF : 0) |
           (u->rx_n ? 0 : FR_RXFE) | (u->rx_n >= depth(u) ? FR_RXFF : 0);
}

static void write_lcr(struct pl011 *u, uint32_t v)
{
    uint32_t changed = u->lcr ^ v;

    u->lcr = v & 0xff;
    if (changed & LCR_FEN) { /* what was received is lost; what is being sent goes on */
        u->rx_n = 0;
        u->ris &= ~(INT_RX | INT_RT);
        timer_cancel(&u->timeout);
        if (u->chr)
            chr_wake(u->chr, u);
    }
    if (changed & v & LCR_BRK) {
        if (u->cr & CR_LBE) {
            push(u, DR_BE);
            timed_out(u);
        } else if (u->chr) {
            chr_send_break(u->chr);
        }
    }
    update_irq(u);
}

static void write_cr(struct pl011 *u, uint32_t v)
{
    bool looped = u->cr & CR_LBE;

    u->cr = v & 0xffff;
    update_modem(u);
    if (looped && !(v & CR_LBE) && u->chr)
        chr_wake(u->chr, u);
}

static void write_icr(struct pl011 *u, uint32_t v)
{
    u->ris &= ~v;
    if (v & INT_RT && u->rx_n) /* data that is left will be told of again */
        timer_at(&u->timeout, clock_now(u->dev.m, CLK_VIRT) + TIMEOUT_NS);
    update_irq(u);
}

static uint64_t pl011_read(void *opaque, paddr off, struct access a)
{
    struct pl011 *u = opaque;

    switch (off) {
    case UARTDR:
        return a.debug ? (u->rx_n ? u->rx[0] : 0) : pop(u);
    case UARTRSR:
        return u->rsr;
    case UARTFR:
        return read_fr(u);
    case UARTILPR:
        return u->ilpr;
    case UARTIBRD:
        return u->ibrd;
    case UARTFBRD:
        return u->fbrd;
    case UARTLCR_H:
        return u->lcr;
    case UARTCR:
        return u->cr;
    case UARTIFLS:
        return u->ifls;
    case UARTIMSC:
        return u->imsc;
    case UARTRIS:
        return u->ris;
    case UARTMIS:
        return u->ris & u->imsc;
    case UARTDMACR:
        return u->dmacr;
    }
    if (off >= ID_FIRST)
        return ids[(off - ID_FIRST) >> 2];
    guest_error(&u->dev, "read of reserved offset %#" PRIpaddr, off);
    return 0;
}

static void pl011_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct pl011 *u = opaque;
    uint32_t v = value;

    TRACE(&pl011_trace[TP_WRITE], "off=%#" PRIpaddr " value=%#x", off, v);
    switch (off) {
    case UARTDR:
        write_dr(u, v);
        return;
    case UARTRSR:
        u->rsr = 0;
        return;
    case UARTFR:
        return; /* read-only, written by drivers nevertheless */
    case UARTILPR:
        u->ilpr = v & 0xff;
        return;
    case UARTIBRD:
        u->ibrd = v & 0xffff;
        return;
    case UARTFBRD:
        u->fbrd = v & 0x3f;
        return;
    case UARTLCR_H:
        write_lcr(u, v);
        return;
    case UARTCR:
        write_cr(u, v);
        return;
    case UARTIFLS:
        u->ifls = v & 0x3f;
        if (u->rx_n >= rx_level(u))
            u->ris |= INT_RX;
        update_irq(u);
        return;
    case UARTIMSC:
        u->imsc = v & INT_ALL;
        update_irq(u);
        return;
    case UARTICR:
        write_icr(u, v);
        return;
    case UARTDMACR:
        u->dmacr = v & 7; /* nobody does DMA for it */
        return;
    }
    guest_error(&u->dev, "write of %#x to reserved offset %#" PRIpaddr, v, off);
}

static const struct mmio_ops pl011_ops = {pl011_read, pl011_write, .min = 4, .max = 4};

/* --- Birth and state --- */

static void pl011_reset(struct dev *d)
{
    struct pl011 *u = pl011_of(d);

    timer_cancel(&u->timeout);
    u->rsr = u->ilpr = u->ibrd = u->fbrd = u->lcr = u->imsc = u->ris = u->dmacr = 0;
    u->cr = CR_RESET;
    u->ifls = 0x12;
    u->rx_n = u->tx_n = 0;
    u->lines = modem_lines(u);
    update_irq(u);
    if (u->chr)
        chr_wake(u->chr, u);
}

static int pl011_init(struct dev *d, struct err *e)
{
    struct pl011 *u = pl011_of(d);

    mem_init_mmio(&d->mmio, "pl011", 4096, &pl011_ops, u);
    timer_init(&u->timeout, d->m, CLK_VIRT, timed_out, u);
    return dev_take_chr(d, u->chardev, &front, u, &u->chr, e);
}

static void pl011_fini(struct dev *d)
{
    struct pl011 *u = pl011_of(d);

    timer_cancel(&u->timeout);
    if (u->chr)
        chr_detach(u->chr, u);
}

static int pl011_loaded(struct dev *d, int version, struct err *e)
{
    struct pl011 *u = pl011_of(d);

    if (u->rx_n > FIFO_LEN || u->tx_n > FIFO_LEN)
        return err_set(e, -EILSEQ, "FIFO levels %u and %u: at most %d", u->rx_n, u->tx_n, FIFO_LEN);
    if (u->ris & ~INT_ALL || u->imsc & ~INT_ALL)
        return err_set(e, -EILSEQ, "interrupts %#x, mask %#x: at most %#x", u->ris, u->imsc,
                       INT_ALL);
    if (u->tx_n && !u->waits)
        send(u);
    update_irq(u);
    return 0;
}

static const struct field pl011_props[] = {
    FIELD(pl011, chardev, F_STR, "chardev", NULL, "character back end: what is sent and received"),
    FIELD_END,
};

static const struct state pl011_state[] = {
    STATE(pl011, rsr, S_U32, 1, "errors of the last character read"),
    STATE(pl011, ilpr, S_U32, 1, NULL),
    STATE(pl011, ibrd, S_U32, 1, "baud rate divisor, integer part"),
    STATE(pl011, fbrd, S_U32, 1, "in 64ths"),
    STATE(pl011, lcr, S_U32, 1, NULL),
    STATE(pl011, cr, S_U32, 1, NULL),
    STATE(pl011, ifls, S_U32, 1, "FIFO levels"),
    STATE(pl011, imsc, S_U32, 1, "interrupt mask"),
    STATE(pl011, ris, S_U32, 1, "interrupts"),
    STATE(pl011, dmacr, S_U32, 1, NULL),
    STATE(pl011, lines, S_U32, 1, "modem lines"),
    STATE(pl011, rx, S_U16, 1, "characters received, with error bits"),
    STATE(pl011, tx, S_U8, 1, "characters not yet sent"),
    STATE(pl011, rx_n, S_U8, 1, "0..16"),
    STATE(pl011, tx_n, S_U8, 1, "0..16"),
    STATE_TIMER(pl011, timeout, 1, "receive timeout"),
    STATE_END,
};

const struct dev_type dev_pl011 = {
    .name = "pl011",
    .help = "Arm PrimeCell UART",
    .class = DEV_BOARD,
    .size = sizeof(struct pl011),
    .props = pl011_props,
    .state = pl011_state,
    .state_version = 1,
    .init = pl011_init,
    .reset = pl011_reset,
    .fini = pl011_fini,
    .loaded = pl011_loaded,
    .trace = pl011_trace,
};
