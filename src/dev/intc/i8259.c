/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "isa-i8259": two 8259A interrupt controllers, cascaded as in a PC, with edge/level control registers.
 * Sources: Intel 8259A data sheet, order 231468-003; Intel 82371FB (PIIX) data sheet, order 290550-002, for the ELCR.
 */
#include "dev/intc/i8259.h"

#include "base/trace.h"
#include "dev/isa/isa.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { CASCADE = 2, SPURIOUS = 7 };
enum {
    ICW1_IC4 = 0x01,
    ICW1_SNGL = 0x02,
    ICW1_LTIM = 0x08,
    ICW1 = 0x10,
    ICW4_AEOI = 0x02,
    ICW4_SFNM = 0x10,
    OCW3 = 0x08,
    OCW3_RIS = 0x01,
    OCW3_RR = 0x02,
    OCW3_P = 0x04,
    OCW3_SMM = 0x20,
    OCW3_ESMM = 0x40,
};

/* What A0 = 1 writes next. */
enum expects { OCW1, ICW2, ICW3, ICW4 };

struct pic {
    uint8_t lines;   /* requests as they are now */
    uint8_t edges;   /* that have risen and were not acknowledged */
    uint8_t elcr;    /* 1: level */
    uint8_t imr, isr;
    uint8_t lowest;  /* request with the lowest priority, 0..7 */
    uint8_t base;    /* ICW2: vector of request 0 */
    uint8_t icw1, icw4;
    uint8_t expects; /* enum expects */
    uint8_t smm;     /* special mask mode */
    uint8_t reads_isr, poll, rotates; /* OCW3 RIS and P; rotate in automatic EOI mode */
};

struct i8259 {
    struct dev dev;
    struct pic pic[2]; /* master, slave */
    struct mem ports[2], elcr;
    uint64_t rises[16]; /* of requests, for monitors; not saved */
};

enum { TP_ACK, TP_EOI, TP_INIT };
static struct trace_point i8259_trace[] = {
    [TP_ACK] = {.name = "i8259_ack"},
    [TP_EOI] = {.name = "i8259_eoi"},
    [TP_INIT] = {.name = "i8259_init"},
    {.name = NULL},
};

static struct i8259 *i8259_of(const struct dev *d)
{
    return (struct i8259 *)d;
}

/* Which inputs look at levels: all (LTIM), or those of the ELCR. */
static uint8_t levels(const struct pic *p)
{
    return p->icw1 & ICW1_LTIM ? 0xff : p->elcr;
}

static uint8_t irr(const struct pic *p)
{
    return (p->edges & ~levels(p)) | (p->lines & levels(p));
}

/* The best request that may interrupt now, or -1.  Fully nested: what is in service holds off itself and what is below;
 * in special mask mode only itself; in special fully nested mode the master lets the slave in again. */
static int best(const struct pic *p, bool master)
{
    uint8_t asked = irr(p) & ~p->imr;
    bool again = master && p->icw4 & ICW4_SFNM;

    for (unsigned i = 1; i <= 8; i++) {
        unsigned n = (p->lowest + i) & 7;
        bool serving = p->isr & 1 << n;

        if (asked & 1 << n && (!serving || (again && n == CASCADE)))
            return (int)n;
        if (serving && !p->smm)
            return -1;
    }
    return -1;
}

static void set_line(struct pic *p, unsigned n, bool level)
{
    uint8_t bit = (uint8_t)(1u << n);

    if (level && !(p->lines & bit))
        p->edges |= bit;
    if (!level)
        p->edges &= ~bit; /* a request has to stay until it is acknowledged */
    p->lines = level ? p->lines | bit : p->lines & ~bit;
}

static void update(struct i8259 *d)
{
    set_line(&d->pic[0], CASCADE, best(&d->pic[1], false) >= 0);
    irq_set(&d->dev.irq[0], best(&d->pic[0], true) >= 0);
}

static void input(void *opaque, int n, bool level)
{
    struct i8259 *d = opaque;

    d->rises[n] += level && !(d->pic[n >> 3].lines >> (n & 7) & 1);
    set_line(&d->pic[n >> 3], (unsigned)n & 7, level);
    update(d);
}

struct irq_in i8259_in(struct dev *d, unsigned n)
{
    if (n > 15)
        bug("request %u of 16", n);
    return (struct irq_in){.set = input, .opaque = i8259_of(d), .n = (int)n};
}

/* One chip's part of an acknowledge: request 0..7. */
static unsigned serve(struct pic *p, bool master)
{
    int n = best(p, master);

    if (n < 0)
        return SPURIOUS;
    p->edges &= ~(1u << n);
    if (!(p->icw4 & ICW4_AEOI))
        p->isr |= 1u << n;
    else if (p->rotates)
        p->lowest = (uint8_t)n;
    return (unsigned)n;
}

int i8259_ack(struct dev *dev)
{
    struct i8259 *d = i8259_of(dev);
    bool slave = best(&d->pic[0], true) == CASCADE;
    unsigned n = serve(&d->pic[0], true);
    int vector = d->pic[0].base | (int)n;

    if (slave) {
        vector = d->pic[1].base | (int)serve(&d->pic[1], false);
        set_line(&d->pic[0], CASCADE, false); /* INT drops between two requests */
    }
    TRACE(&i8259_trace[TP_ACK], "vector=%#x", (unsigned)vector);
    update(d);
    return vector;
}

bool i8259_intr(const struct dev *d)
{
    return best(&i8259_of(d)->pic[0], true) >= 0;
}

/* --- Registers --- */

static void write_icw1(struct pic *p, uint8_t v)
{
    TRACE(&i8259_trace[TP_INIT], "icw1=%#x", v);
    p->edges = p->imr = p->isr = 0;
    p->lowest = 7;
    p->smm = p->poll = p->reads_isr = p->rotates = 0;
    p->icw4 = 0;
    p->icw1 = v;
    p->expects = ICW2;
}

/* The request in service with the highest priority; -1: none.  In special mask mode what is masked does not count. */
static int highest_served(const struct pic *p)
{
    uint8_t isr = p->smm ? p->isr & ~p->imr : p->isr;

    for (unsigned i = 1; i <= 8; i++)
        if (isr & 1 << ((p->lowest + i) & 7))
            return (p->lowest + i) & 7;
    return -1;
}

/* R, SL, EOI in bits 7..5, a level in 2..0. */
static void write_ocw2(struct pic *p, uint8_t v)
{
    bool rotate = v & 0x80, specific = v & 0x40, eoi = v & 0x20;
    int n = specific ? v & 7 : highest_served(p);

    if (!eoi && !specific) {
        p->rotates = rotate;
        return;
    }
    if (eoi && n >= 0) {
        TRACE(&i8259_trace[TP_EOI], "request=%d", n);
        p->isr &= ~(1u << n);
    }
    if (rotate && n >= 0)
        p->lowest = (uint8_t)n;
}

static void write_ocw3(struct pic *p, uint8_t v)
{
    p->poll = !!(v & OCW3_P);
    if (v & OCW3_RR)
        p->reads_isr = v & OCW3_RIS;
    if (v & OCW3_ESMM)
        p->smm = !!(v & OCW3_SMM);
}

static void write_data(struct pic *p, uint8_t v)
{
    switch (p->expects) {
    case OCW1:
        p->imr = v;
        return;
    case ICW2:
        p->base = v & 0xf8;
        p->expects = p->icw1 & ICW1_SNGL ? p->icw1 & ICW1_IC4 ? ICW4 : OCW1 : ICW3;
        return;
    case ICW3: /* who is cascaded is wired */
        p->expects = p->icw1 & ICW1_IC4 ? ICW4 : OCW1;
        return;
    case ICW4:
        p->icw4 = v;
        p->expects = OCW1;
        return;
    }
}

static void pic_write(struct i8259 *d, unsigned chip, paddr off, uint8_t v)
{
    struct pic *p = &d->pic[chip];

    if (off & 1)
        write_data(p, v);
    else if (v & ICW1)
        write_icw1(p, v);
    else if (v & OCW3)
        write_ocw3(p, v);
    else
        write_ocw2(p, v);
    update(d);
}

/* In poll mode the read is the acknowledge. */
static uint8_t read_poll(struct i8259 *d, unsigned chip)
{
    struct pic *p = &d->pic[chip];
    uint8_t v = 0;

    p->poll = 0;
    if (best(p, !chip) >= 0)
        v = 0x80 | (uint8_t)serve(p, !chip);
    update(d);
    return v;
}

static uint8_t pic_read(struct i8259 *d, unsigned chip, paddr off, bool debug)
{
    struct pic *p = &d->pic[chip];

    if (p->poll && !debug)
        return read_poll(d, chip);
    if (off & 1)
        return p->imr;
    return p->reads_isr ? p->isr : irr(p);
}

static uint64_t master_read(void *opaque, paddr off, struct access a)
{
    return pic_read(opaque, 0, off, a.debug);
}

static uint64_t slave_read(void *opaque, paddr off, struct access a)
{
    return pic_read(opaque, 1, off, a.debug);
}

static void master_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    pic_write(opaque, 0, off, (uint8_t)v);
}

static void slave_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    pic_write(opaque, 1, off, (uint8_t)v);
}

static uint64_t elcr_read(void *opaque, paddr off, struct access a)
{
    struct i8259 *d = opaque;

    return d->pic[off].elcr;
}

/* Requests 0, 1, 2, 8 and 13 are always edges. */
static void elcr_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct i8259 *d = opaque;

    d->pic[off].elcr = (uint8_t)v & (off ? 0xde : 0xf8);
    update(d);
}

static const struct mmio_ops pic_ops[2] = {
    {.read = master_read, .write = master_write, .min = 1, .max = 1},
    {.read = slave_read, .write = slave_write, .min = 1, .max = 1},
};
static const struct mmio_ops elcr_ops = {.read = elcr_read, .write = elcr_write, .min = 1, .max = 1};

/* --- The device --- */

/* Who drives the lines resets by itself.  Nothing is asked for before the chip is initialised (8259A data sheet, "Programming the 8259A"): ICW1
 * clears the mask. */
static void i8259_reset(struct dev *dev)
{
    struct i8259 *d = i8259_of(dev);

    for (unsigned i = 0; i < 2; i++)
        d->pic[i] = (struct pic){.lines = d->pic[i].lines, .lowest = 7, .imr = 0xff};
    update(d);
}

static int i8259_init(struct dev *dev, struct err *e)
{
    struct i8259 *d = i8259_of(dev);

    mem_init_mmio(&d->ports[0], "pic", 2, &pic_ops[0], d);
    mem_init_mmio(&d->ports[1], "pic", 2, &pic_ops[1], d);
    mem_init_mmio(&d->elcr, "elcr", 2, &elcr_ops, d);
    isa_add_io(dev, &d->ports[0], 0x20, e);
    isa_add_io(dev, &d->ports[1], 0xa0, e);
    return isa_add_io(dev, &d->elcr, 0x4d0, e);
}

static int i8259_loaded(struct dev *dev, int version, struct err *e)
{
    struct i8259 *d = i8259_of(dev);

    for (unsigned i = 0; i < 2; i++) {
        struct pic *p = &d->pic[i];

        if (p->lowest > 7 || p->expects > ICW4 || p->base & 7)
            return err_set(e, -EILSEQ, "lowest %u, state %u, base %#x", p->lowest, p->expects,
                           p->base);
    }
    return 0;
}

static const struct state pic_state[] = {
    STATE(pic, lines, S_U8, 1, "requests"),
    STATE(pic, edges, S_U8, 1, "that have risen"),
    STATE(pic, elcr, S_U8, 1, "1: level"),
    STATE(pic, imr, S_U8, 1, NULL),
    STATE(pic, isr, S_U8, 1, NULL),
    STATE(pic, lowest, S_U8, 1, "0..7"),
    STATE(pic, base, S_U8, 1, "vector of request 0"),
    STATE(pic, icw1, S_U8, 1, NULL),
    STATE(pic, icw4, S_U8, 1, NULL),
    STATE(pic, expects, S_U8, 1, "0: OCW1, 1..3: ICW2..4"),
    STATE(pic, smm, S_U8, 1, NULL),
    STATE(pic, reads_isr, S_U8, 1, NULL),
    STATE(pic, poll, S_U8, 1, NULL),
    STATE(pic, rotates, S_U8, 1, NULL),
    STATE_END,
};

static const struct state i8259_state[] = {
    STATE_STRUCTS(i8259, pic, pic_state, 1, NULL),
    STATE_END,
};

static void i8259_print(struct dev *d, FILE *f)
{
    for (unsigned i = 2; i-- > 0;) {
        const struct pic *p = &i8259_of(d)->pic[i];

        fprintf(f, "pic%u: irr=%02x imr=%02x isr=%02x hprio=%d irq_base=%02x rr_sel=%d elcr=%02x fnm=%d\n", i, irr(p), p->imr, p->isr,
                (p->lowest + 1) & 7, p->base, p->reads_isr, p->elcr, !!(p->icw4 & ICW4_SFNM));
    }
}

static unsigned i8259_counts(struct dev *d, uint64_t count[DEV_INPUTS])
{
    memcpy(count, i8259_of(d)->rises, sizeof(i8259_of(d)->rises));
    return 16;
}

static const struct dev_controller i8259_controller = {.print = i8259_print, .counts = i8259_counts};

const struct dev_type dev_i8259 = {
    .name = "isa-i8259",
    .help = "pair of 8259A interrupt controllers",
    .class = DEV_BOARD,
    .bus = "isa",
    .size = sizeof(struct i8259),
    .state = i8259_state,
    .state_version = 1,
    .init = i8259_init,
    .reset = i8259_reset,
    .loaded = i8259_loaded,
    .controller = &i8259_controller,
    .trace = i8259_trace,
};
