/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "pl061": Arm PrimeCell GPIO, eight pins.  Source: Technical Reference Manual, Arm DDI 0190B. */
#include "dev/gpio/pl061.h"

#include "base/trace.h"

#include <errno.h>
#include <inttypes.h>

enum {
    GPIODATA = 0x000, /* .. 0x3fc: address bits 9..2 say which pins */
    GPIODIR = 0x400,
    GPIOIS = 0x404,
    GPIOIBE = 0x408,
    GPIOIEV = 0x40c,
    GPIOIE = 0x410,
    GPIORIS = 0x414,
    GPIOMIS = 0x418,
    GPIOIC = 0x41c,
    GPIOAFSEL = 0x420,
    ID_FIRST = 0xfe0, /* GPIOPeriphID0 .. GPIOPCellID3 */
};

struct pl061 {
    struct dev dev;
    struct irq_line out[8];
    uint64_t pullups, pulldowns; /* pins with resistors: the level while nobody drives them */

    /* One bit for each pin. */
    uint8_t data;           /* as written by the guest */
    uint8_t driven, levels; /* from outside: which pins, and how */
    uint8_t pins;           /* levels as last seen */
    uint8_t dir;            /* 1: output */
    uint8_t is, ibe, iev;   /* interrupt sense (1: level), both edges, event (1: rising, high) */
    uint8_t ie, edges;      /* enable; edges that were seen */
    uint8_t afsel;
};

enum { TP_PINS, TP_WRITE };
static struct trace_point pl061_trace[] = {
    [TP_PINS] = {.name = "pl061_pins"}, [TP_WRITE] = {.name = "pl061_write"}, {.name = NULL}};

/* Part 0x061, designer 0x41, revision 0. */
static const uint8_t ids[8] = {0x61, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static struct pl061 *pl061_of(struct dev *d)
{
    return (struct pl061 *)d;
}

static uint8_t ris(const struct pl061 *g)
{
    uint8_t active = ~(g->pins ^ g->iev);

    return (g->is & active) | (~g->is & g->edges);
}

/* Pins, edges and the interrupt from everything else. */
static void update(struct pl061 *g)
{
    uint8_t in = (g->driven & g->levels) | (~g->driven & g->pullups);
    uint8_t pins = (g->dir & g->data) | (~g->dir & in);
    uint8_t rose = pins & ~g->pins, fell = g->pins & ~pins;

    g->edges |= ~g->is & ((g->ibe & (rose | fell)) | (~g->ibe & ((g->iev & rose) | (~g->iev & fell))));
    if (pins != g->pins)
        TRACE(&pl061_trace[TP_PINS], "pins=%#x", pins);
    g->pins = pins;
    for (unsigned i = 0; i < 8; i++)
        irq_set(&g->out[i], g->dir & g->data & 1u << i);
    irq_set(&g->dev.irq[0], ris(g) & g->ie);
}

static void pin_set(void *opaque, int n, bool level)
{
    struct pl061 *g = opaque;

    g->driven |= 1u << n;
    g->levels = level ? g->levels | 1u << n : g->levels & ~(1u << n);
    update(g);
}

struct irq_in pl061_in(struct dev *d, unsigned n)
{
    return (struct irq_in){pin_set, pl061_of(d), n & 7};
}

struct irq_line *pl061_out(struct dev *d, unsigned n)
{
    return &pl061_of(d)->out[n & 7];
}

static uint64_t pl061_read(void *opaque, paddr off, struct access a)
{
    struct pl061 *g = opaque;

    if (off < GPIODIR)
        return g->pins & off >> 2;
    switch (off) {
    case GPIODIR:
        return g->dir;
    case GPIOIS:
        return g->is;
    case GPIOIBE:
        return g->ibe;
    case GPIOIEV:
        return g->iev;
    case GPIOIE:
        return g->ie;
    case GPIORIS:
        return ris(g);
    case GPIOMIS:
        return ris(g) & g->ie;
    case GPIOAFSEL:
        return g->afsel;
    }
    if (off >= ID_FIRST)
        return ids[(off - ID_FIRST) >> 2];
    guest_error(&g->dev, "read of reserved offset %#" PRIpaddr, off);
    return 0;
}

/* False: no such register. */
static bool write_control(struct pl061 *g, paddr off, uint8_t v)
{
    switch (off) {
    case GPIODIR:
        g->dir = v;
        return true;
    case GPIOIS:
        g->is = v;
        return true;
    case GPIOIBE:
        g->ibe = v;
        return true;
    case GPIOIEV:
        g->iev = v;
        return true;
    case GPIOIE:
        g->ie = v;
        return true;
    case GPIOIC:
        g->edges &= ~v;
        return true;
    case GPIOAFSEL:
        g->afsel = v;
        return true;
    }
    return false;
}

static void pl061_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct pl061 *g = opaque;
    uint8_t v = value, mask = off >> 2;

    TRACE(&pl061_trace[TP_WRITE], "off=%#" PRIpaddr " value=%#x", off, v);
    if (off < GPIODIR) /* inputs keep what was written to them for the day they become outputs */
        g->data = (g->data & ~mask) | (v & mask);
    else if (!write_control(g, off, v))
        guest_error(&g->dev, "write of %#x to reserved offset %#" PRIpaddr, v, off);
    update(g);
}

static const struct mmio_ops pl061_ops = {pl061_read, pl061_write, .min = 4, .max = 4};

/* Who drives a pin from outside goes on doing so. */
static void pl061_reset(struct dev *d)
{
    struct pl061 *g = pl061_of(d);

    g->data = g->dir = g->is = g->ibe = g->iev = g->ie = g->afsel = 0;
    update(g);
    g->edges = 0;
    update(g);
}

static int pl061_init(struct dev *d, struct err *e)
{
    struct pl061 *g = pl061_of(d);

    if (g->pullups > 0xff || g->pulldowns > 0xff)
        return err_set(e, -EINVAL, "pullups %#" PRIx64 ", pulldowns %#" PRIx64 ": eight pins",
                       g->pullups, g->pulldowns);
    if (g->pullups & g->pulldowns)
        return err_set(e, -EINVAL, "no bit may be set both in pullups and in pulldowns (%#" PRIx64
                                   " and %#" PRIx64 ")", g->pullups, g->pulldowns);
    mem_init_mmio(&d->mmio, "pl061", 4096, &pl061_ops, g);
    return 0;
}

static int pl061_loaded(struct dev *d, int version, struct err *e)
{
    update(pl061_of(d)); /* any eight bits are a state */
    return 0;
}

static const struct field pl061_props[] = {
    FIELD(pl061, pullups, F_U64, "pullups", "255", "pins that read 1 while nothing drives them"),
    FIELD(pl061, pulldowns, F_U64, "pulldowns", "0", "pins that read 0"),
    FIELD_END,
};

static const struct state pl061_state[] = {
    STATE(pl061, data, S_U8, 1, "output levels"),
    STATE(pl061, driven, S_U8, 1, "inputs driven from outside"),
    STATE(pl061, levels, S_U8, 1, "their levels"),
    STATE(pl061, pins, S_U8, 1, "levels as last seen"),
    STATE(pl061, dir, S_U8, 1, "1: output"),
    STATE(pl061, is, S_U8, 1, "1: level, 0: edge"),
    STATE(pl061, ibe, S_U8, 1, "both edges"),
    STATE(pl061, iev, S_U8, 1, "1: rising or high"),
    STATE(pl061, ie, S_U8, 1, "interrupt enable"),
    STATE(pl061, edges, S_U8, 1, "edges that were seen"),
    STATE(pl061, afsel, S_U8, 1, NULL),
    STATE_END,
};

const struct dev_type dev_pl061 = {
    .name = "pl061",
    .help = "Arm PrimeCell GPIO",
    .class = DEV_BOARD,
    .size = sizeof(struct pl061),
    .props = pl061_props,
    .state = pl061_state,
    .state_version = 1,
    .init = pl061_init,
    .reset = pl061_reset,
    .loaded = pl061_loaded,
    .trace = pl061_trace,
};
