/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 16550A UART (ns16550.h).  Source: National Semiconductor PC16550D data sheet, June 1995.
 *
 * Characters take no time: what is sent leaves as fast as the back end takes it, and the receiver's time-out, four characters of
 * silence, comes with the last one there is.
 */
#include "dev/serial/ns16550.h"

#include <errno.h>
#include <string.h>

enum { RBR, IER, IIR, LCR, MCR, LSR, MSR, SCR };
enum { IER_RX = 1, IER_TX = 2, IER_LINE = 4, IER_MODEM = 8 };
enum { IIR_NONE = 1, IIR_MODEM = 0, IIR_TX = 2, IIR_RX = 4, IIR_LINE = 6, IIR_TIMEOUT = 12, IIR_FIFOS = 0xc0 };
enum { FCR_ENABLE = 1, FCR_CLEAR_RX = 2, FCR_CLEAR_TX = 4, FCR_KEPT = 0xc9 };
enum { LCR_BREAK = 0x40, LCR_DLAB = 0x80 };
enum { MCR_DTR = 1, MCR_RTS = 2, MCR_OUT1 = 4, MCR_OUT2 = 8, MCR_LOOP = 16, MCR_ALL = 31 };
enum { LSR_DR = 1, LSR_OE = 2, LSR_PE = 4, LSR_FE = 8, LSR_BI = 16, LSR_THRE = 32, LSR_TEMT = 64, LSR_FIFO = 128 };
enum { LSR_ERRORS = LSR_OE | LSR_PE | LSR_FE | LSR_BI };
enum { MSR_CTS = 16, MSR_DSR = 32, MSR_RI = 64, MSR_DCD = 128, MSR_TERI = 4 };

static unsigned depth(const struct ns16550 *u)
{
    return u->fcr & FCR_ENABLE ? NS16550_FIFO : 1;
}

static unsigned trigger(const struct ns16550 *u)
{
    static const uint8_t levels[4] = {1, 4, 8, 14};

    return u->fcr & FCR_ENABLE ? levels[u->fcr >> 6] : 1;
}

/* LSR but for the latched overrun: the oldest character's errors, and whether any waits. */
static uint8_t lsr(const struct ns16550 *u)
{
    uint8_t v = u->lsr | (u->tx_n ? 0 : LSR_THRE | LSR_TEMT);

    if (u->rx_n)
        v |= LSR_DR | u->rx[0] >> 8;
    for (unsigned i = 0; i < u->rx_n && u->fcr & FCR_ENABLE; i++)
        v |= u->rx[i] >> 8 ? LSR_FIFO : 0;
    return v;
}

/* The interrupt with the highest priority, table 3 of the data sheet. */
static uint8_t cause(const struct ns16550 *u)
{
    if (u->ier & IER_LINE && lsr(u) & LSR_ERRORS)
        return IIR_LINE;
    if (u->ier & IER_RX && u->rx_n >= trigger(u))
        return IIR_RX;
    if (u->ier & IER_RX && u->timed_out && u->rx_n)
        return IIR_TIMEOUT;
    if (u->ier & IER_TX && u->thre_pending)
        return IIR_TX;
    if (u->ier & IER_MODEM && u->msr & 15)
        return IIR_MODEM;
    return IIR_NONE;
}

static void update(struct ns16550 *u)
{
    u->level = cause(u) != IIR_NONE;
    u->irq(u->opaque, u->level);
}

/* --- Modem lines --- */

/* Our own outputs in loopback; else a peer that is there and ready. */
static uint8_t modem_lines(const struct ns16550 *u)
{
    if (u->mcr & MCR_LOOP)
        return (u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
               (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0);
    return u->chr && chr_connected(u->chr) ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
}

/* Bits 0..3 tell which of 4..7 have changed; RI's only that it fell. */
static void update_modem(struct ns16550 *u)
{
    uint8_t now = modem_lines(u), was = u->msr & 0xf0, changed = (now ^ was) >> 4;

    if (changed & MSR_TERI && now & MSR_RI)
        changed &= ~MSR_TERI;
    u->msr = now | (u->msr & 15) | changed;
    update(u);
}

/* --- Receiving --- */

static void push(struct ns16550 *u, uint16_t c)
{
    if (u->rx_n < depth(u)) {
        u->rx[u->rx_n++] = c;
        return;
    }
    u->lsr |= LSR_OE;
    if (!(u->fcr & FCR_ENABLE))
        u->rx[0] = c; /* without FIFO the new one takes the place of the old */
}

static uint8_t pop(struct ns16550 *u)
{
    uint8_t c = (uint8_t)u->rx[0];

    if (!u->rx_n)
        return c;
    memmove(u->rx, u->rx + 1, (NS16550_FIFO - 1) * sizeof(u->rx[0]));
    u->rx_n--;
    if (!u->rx_n)
        u->rx[0] = c;
    u->timed_out = u->rx_n;
    update(u);
    if (u->chr)
        chr_wake(u->chr, u);
    return c;
}

static size_t chr_room(void *opaque)
{
    struct ns16550 *u = opaque;

    return u->mcr & MCR_LOOP || u->rx_n >= depth(u) ? 0 : depth(u) - u->rx_n;
}

static void chr_data(void *opaque, const uint8_t *buf, size_t len)
{
    struct ns16550 *u = opaque;

    while (len--)
        push(u, *buf++);
    u->timed_out = 1;
    update(u);
}

static void chr_happened(void *opaque, enum chr_event e)
{
    struct ns16550 *u = opaque;

    if (e == CHR_BREAK && !(u->mcr & MCR_LOOP)) {
        push(u, LSR_BI << 8);
        u->timed_out = 1;
        update(u);
    } else if (e == CHR_OPENED || e == CHR_CLOSED) {
        update_modem(u);
    }
}

static const struct chr_front front = {chr_room, chr_data, chr_happened};

/* --- Sending --- */

static void send(struct ns16550 *u);

static void has_room(void *opaque)
{
    struct ns16550 *u = opaque;

    u->waits = false;
    send(u);
}

static void send(struct ns16550 *u)
{
    size_t n = u->tx_n;

    if (u->mcr & MCR_LOOP) {
        for (size_t i = 0; i < n; i++)
            push(u, u->tx[i]);
        u->timed_out = u->rx_n;
    } else if (u->chr) {
        n = chr_write(u->chr, u, u->tx, n);
    }
    u->tx_n -= n;
    memmove(u->tx, u->tx + n, u->tx_n);
    if (!u->tx_n)
        u->thre_pending = 1;
    if (u->tx_n && !u->waits) {
        u->waits = true;
        chr_on_room(u->chr, u, has_room);
    }
    update(u);
}

static void write_thr(struct ns16550 *u, uint8_t c)
{
    u->thre_pending = 0;
    if (u->tx_n == depth(u))
        u->tx[u->tx_n - 1] = c; /* the data sheet leaves it open; the last one wins */
    else
        u->tx[u->tx_n++] = c;
    if (!u->waits)
        send(u);
    else
        update(u);
}

/* --- Registers --- */

static void write_ier(struct ns16550 *u, uint8_t v)
{
    if (v & ~u->ier & IER_TX && !u->tx_n)
        u->thre_pending = 1; /* enabling it with an empty transmitter interrupts at once */
    u->ier = v & 15;
    update(u);
}

static void write_fcr(struct ns16550 *u, uint8_t v)
{
    bool toggled = (u->fcr ^ v) & FCR_ENABLE;

    if (toggled || v & FCR_CLEAR_RX) {
        u->rx_n = u->timed_out = 0;
        u->rx[0] = 0;
    }
    if (toggled || v & FCR_CLEAR_TX)
        u->tx_n = 0;
    if (toggled || v & FCR_CLEAR_TX)
        u->thre_pending = 1;
    u->fcr = v & FCR_ENABLE ? v & FCR_KEPT : 0;
    update(u);
    if (u->chr)
        chr_wake(u->chr, u);
}

static void write_lcr(struct ns16550 *u, uint8_t v)
{
    if (v & ~u->lcr & LCR_BREAK) {
        if (u->mcr & MCR_LOOP) {
            push(u, LSR_BI << 8);
            update(u);
        } else if (u->chr) {
            chr_send_break(u->chr);
        }
    }
    u->lcr = v;
}

static void write_mcr(struct ns16550 *u, uint8_t v)
{
    u->mcr = v & MCR_ALL;
    update_modem(u);
    if (u->chr)
        chr_wake(u->chr, u);
}

static uint8_t read_iir(struct ns16550 *u)
{
    uint8_t v = cause(u);

    if (v == IIR_TX) {
        u->thre_pending = 0;
        update(u);
    }
    return v | (u->fcr & FCR_ENABLE ? IIR_FIFOS : 0);
}

/* Errors are told once. */
static uint8_t read_lsr(struct ns16550 *u)
{
    uint8_t v = lsr(u);

    u->lsr = 0;
    if (u->rx_n)
        u->rx[0] &= 0xff;
    update(u);
    return v;
}

static uint8_t read_msr(struct ns16550 *u)
{
    uint8_t v = u->msr;

    u->msr &= 0xf0;
    update(u);
    return v;
}

static uint64_t ns16550_read(void *opaque, paddr off, struct access a)
{
    struct ns16550 *u = opaque;

    if (a.debug && (off == RBR || off == IIR || off == LSR || off == MSR))
        return off == RBR ? u->rx[0] & 0xff : off == IIR ? cause(u) : off == LSR ? lsr(u) : u->msr;
    switch (off) {
    case RBR:
        return u->lcr & LCR_DLAB ? u->divisor & 0xff : pop(u);
    case IER:
        return u->lcr & LCR_DLAB ? u->divisor >> 8 : u->ier;
    case IIR:
        return read_iir(u);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        return read_lsr(u);
    case MSR:
        return read_msr(u);
    }
    return u->scr;
}

static void ns16550_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct ns16550 *u = opaque;
    uint8_t v = (uint8_t)value;

    if (off <= IER && u->lcr & LCR_DLAB) {
        u->divisor = off == RBR ? (u->divisor & 0xff00) | v : (u->divisor & 0xff) | v << 8;
        return;
    }
    switch (off) {
    case RBR:
        write_thr(u, v);
        return;
    case IER:
        write_ier(u, v);
        return;
    case IIR:
        write_fcr(u, v);
        return;
    case LCR:
        write_lcr(u, v);
        return;
    case MCR:
        write_mcr(u, v);
        return;
    case SCR:
        u->scr = v;
        return;
    } /* LSR and MSR: for the factory's tests */
}

static const struct mmio_ops ns16550_ops = {
    .read = ns16550_read, .write = ns16550_write, .min = 1, .max = 1};

/* --- Life --- */

void ns16550_reset(struct ns16550 *u)
{
    u->ier = u->fcr = u->lcr = u->mcr = u->scr = u->lsr = 0;
    u->divisor = 12; /* 9600 */
    u->thre_pending = u->timed_out = u->rx_n = 0;
    u->rx[0] = 0;
    u->tx_n = 0;
    u->msr = modem_lines(u);
    update(u);
    if (u->chr)
        chr_wake(u->chr, u);
}

int ns16550_init(struct ns16550 *u, const char *chardev, struct err *e)
{
    mem_init_mmio(&u->regs, "serial", 8, &ns16550_ops, u);
    return dev_take_chr(u->dev, chardev, &front, u, &u->chr, e);
}

void ns16550_fini(struct ns16550 *u)
{
    if (u->chr)
        chr_detach(u->chr, u);
}

int ns16550_loaded(struct ns16550 *u, struct err *e)
{
    if (u->rx_n > NS16550_FIFO || u->tx_n > NS16550_FIFO)
        return err_set(e, -EILSEQ, "%u and %u characters: at most %d", u->rx_n, u->tx_n, NS16550_FIFO);
    u->msr = (u->msr & 15) | modem_lines(u);
    u->level = cause(u) != IIR_NONE;
    if (u->tx_n && !u->waits)
        send(u);
    return 0;
}

const struct state ns16550_state[] = {
    STATE(ns16550, ier, S_U8, 1, NULL),
    STATE(ns16550, fcr, S_U8, 1, NULL),
    STATE(ns16550, lcr, S_U8, 1, NULL),
    STATE(ns16550, mcr, S_U8, 1, NULL),
    STATE(ns16550, msr, S_U8, 1, NULL),
    STATE(ns16550, scr, S_U8, 1, NULL),
    STATE(ns16550, lsr, S_U8, 1, "overrun"),
    STATE(ns16550, divisor, S_U16, 1, NULL),
    STATE(ns16550, thre_pending, S_U8, 1, NULL),
    STATE(ns16550, timed_out, S_U8, 1, NULL),
    STATE(ns16550, rx, S_U16, 1, "characters and their errors"),
    STATE(ns16550, tx, S_U8, 1, NULL),
    STATE(ns16550, rx_n, S_U8, 1, "0..16"),
    STATE(ns16550, tx_n, S_U8, 1, "0..16"),
    STATE_END,
};
