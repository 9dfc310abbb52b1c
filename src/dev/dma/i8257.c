/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "i8257": the pair of DMA controllers of a PC (8237A, cascaded) with its page registers, on an ISA bus, which then has DMA
 * (isa.h).  Among the page registers is port 80h, where firmware says how far it has come.
 * Sources: Intel 8237A data sheet, order 231466-005; Intel 82371FB (PIIX) data sheet, order 290550-002, DMA registers.
 *
 * A transfer takes no time: a device moves as many bytes as the channel lets it at once.
 */
#include "base/trace.h"
#include "dev/isa/isa.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { STATUS = 8, REQUEST, MASK, MODE, CLEAR_FLIP, CLEAR_ALL, CLEAR_MASK, ALL_MASKS };
enum { CMD_OFF = 0x04 };
enum { MODE_AUTO = 0x10, MODE_DOWN = 0x20, TO_MEMORY = 1, FROM_MEMORY = 2, VERIFY = 0, CASCADE = 3 };
enum { CHANNELS = 4 };

struct channel {
    uint16_t base_address, base_count; /* as programmed, for automatic initialisation */
    uint16_t address, count;           /* transfers less one */
    uint8_t mode;
};

struct controller {
    struct channel ch[CHANNELS];
    uint8_t command, status, mask, request;
    uint8_t high; /* the next byte of an address or a count is the high one */
};

struct dma {
    struct dev dev;
    struct controller c[2]; /* channels 0..3 (bytes), 4..7 (words) */
    uint8_t page[16];       /* ports 80h..8Fh */
    struct mem ports[2], pages;
};

enum { TP_MOVE };
static struct trace_point dma_trace[] = {[TP_MOVE] = {.name = "i8257_move"}, {.name = NULL}};

static struct dma *dma_of(struct dev *d)
{
    return (struct dma *)d;
}

/* --- Transfers --- */

/* Which of the page registers a channel has. */
static const uint8_t page_of[ISA_DMAS] = {0x7, 0x3, 0x1, 0x2, 0xf, 0xb, 0x9, 0xa};

static paddr address_of(const struct dma *d, unsigned n)
{
    uint16_t a = d->c[n / CHANNELS].ch[n % CHANNELS].address;
    uint8_t page = d->page[page_of[n]];

    return n < CHANNELS ? (paddr)page << 16 | a : (paddr)(page & 0xfe) << 16 | (paddr)a << 1;
}

/* @len bytes at the present address, which do not leave their page. */
static void copy(struct dma *d, unsigned ch, uint8_t *buf, size_t len, unsigned kind)
{
    struct space *s = machine_space(d->dev.m);
    struct access a = {.who = BUS_NOBODY, .size = 1, .posted = true};

    if (kind == TO_MEMORY)
        space_write(s, address_of(d, ch), buf, len, a);
    else if (kind == FROM_MEMORY)
        space_read(s, address_of(d, ch), buf, len, a);
}

/* The count has gone through zero. */
static void terminal_count(struct controller *c, unsigned n)
{
    struct channel *ch = &c->ch[n];

    c->status |= 1 << n;
    c->request &= ~(1 << n);
    if (ch->mode & MODE_AUTO) {
        ch->address = ch->base_address;
        ch->count = ch->base_count;
    } else {
        c->mask |= 1 << n;
        ch->count = 0xffff;
    }
}

static bool may_move(const struct controller *c, unsigned n, bool to_memory)
{
    unsigned kind = c->ch[n].mode >> 2 & 3;

    if (c->command & CMD_OFF || c->mask >> n & 1 || c->ch[n].mode >> 6 == CASCADE)
        return false;
    return kind == VERIFY || kind == (to_memory ? TO_MEMORY : FROM_MEMORY);
}

static size_t move(void *opaque, unsigned nr, void *buf, size_t len, bool to_memory, bool *tc)
{
    struct dma *d = opaque;
    struct controller *c = &d->c[nr / CHANNELS];
    unsigned n = nr % CHANNELS, unit = nr < CHANNELS ? 1 : 2;
    struct channel *ch = &c->ch[n];
    unsigned kind = ch->mode >> 2 & 3;
    size_t done = 0;

    *tc = false;
    if (!may_move(c, n, to_memory))
        return 0;
    while (done + unit <= len && !*tc) {
        size_t run = ch->mode & MODE_DOWN ? 1 : 0x10000u - ch->address;

        run = run < (len - done) / unit ? run : (len - done) / unit;
        run = run < ch->count + 1u ? run : ch->count + 1u;
        copy(d, nr, (uint8_t *)buf + done, run * unit, kind);
        done += run * unit;
        ch->address += ch->mode & MODE_DOWN ? 0xffff : run;
        *tc = run > ch->count;
        ch->count -= run;
    }
    TRACE(&dma_trace[TP_MOVE], "channel=%u bytes=%zu tc=%d", nr, done, *tc);
    if (*tc)
        terminal_count(c, n);
    return done;
}

static const struct isa_dma dma_ops = {.move = move};

/* --- Registers --- */

/* Devices that wait look again. */
static void wake(struct dma *d, unsigned chip)
{
    struct isa_bus *b = isa_bus_of(d->dev.parent);

    for (unsigned n = 0; n < CHANNELS; n++) {
        const struct isa_dma_user *u = &b->dma_user[chip * CHANNELS + n];

        if (u->ready && !(d->c[chip].mask >> n & 1))
            u->ready(u->opaque);
    }
}

static void put_half(uint16_t *base, uint16_t *now, bool high, uint8_t v)
{
    *base = high ? (*base & 0xff) | v << 8 : (*base & 0xff00) | v;
    *now = *base;
}

static void controller_reset(struct controller *c)
{
    c->command = c->status = c->request = c->high = 0;
    c->mask = 15;
}

static void write_control(struct dma *d, unsigned chip, unsigned reg, uint8_t v)
{
    struct controller *c = &d->c[chip];
    uint8_t bit = 1 << (v & 3);

    switch (reg) {
    case STATUS:
        c->command = v;
        break;
    case REQUEST:
        c->request = v & 4 ? c->request | bit : c->request & ~bit;
        return;
    case MASK:
        c->mask = v & 4 ? c->mask | bit : c->mask & ~bit;
        break;
    case MODE:
        c->ch[v & 3].mode = v & 0xfc;
        return;
    case CLEAR_FLIP:
        c->high = 0;
        return;
    case CLEAR_ALL:
        controller_reset(c);
        return;
    case CLEAR_MASK:
        c->mask = 0;
        break;
    case ALL_MASKS:
        c->mask = v & 15;
        break;
    }
    wake(d, chip);
}

static void dma_write(struct dma *d, unsigned chip, unsigned reg, uint8_t v)
{
    struct controller *c = &d->c[chip];
    struct channel *ch = &c->ch[reg >> 1 & 3];

    if (reg >= STATUS) {
        write_control(d, chip, reg, v);
        return;
    }
    if (reg & 1)
        put_half(&ch->base_count, &ch->count, c->high, v);
    else
        put_half(&ch->base_address, &ch->address, c->high, v);
    c->high ^= 1;
}

static uint8_t dma_read(struct dma *d, unsigned chip, unsigned reg, bool debug)
{
    struct controller *c = &d->c[chip];
    const struct channel *ch = &c->ch[reg >> 1 & 3];
    uint8_t v = 0;

    if (reg < STATUS) {
        uint16_t now = reg & 1 ? ch->count : ch->address;

        v = c->high ? now >> 8 : now & 0xff;
        c->high ^= !debug;
    } else if (reg == STATUS) {
        v = c->status | c->request << 4;
        c->status = debug ? c->status : 0;
    } else if (reg == ALL_MASKS) {
        v = c->mask | 0xf0;
    }
    return v;
}

static uint64_t bytes_read(void *opaque, paddr off, struct access a)
{
    return dma_read(opaque, 0, (unsigned)off, a.debug);
}

static void bytes_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    dma_write(opaque, 0, (unsigned)off, (uint8_t)v);
}

/* Registers of the second controller are two ports apart. */
static uint64_t words_read(void *opaque, paddr off, struct access a)
{
    return dma_read(opaque, 1, (unsigned)off >> 1, a.debug);
}

static void words_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    dma_write(opaque, 1, (unsigned)off >> 1, (uint8_t)v);
}

static uint64_t pages_read(void *opaque, paddr off, struct access a)
{
    return ((struct dma *)opaque)->page[off];
}

static void pages_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    ((struct dma *)opaque)->page[off] = (uint8_t)v;
}

static const struct mmio_ops bytes_ops = {.read = bytes_read, .write = bytes_write, .min = 1, .max = 1};
static const struct mmio_ops words_ops = {.read = words_read, .write = words_write, .min = 1, .max = 1};
static const struct mmio_ops pages_ops = {.read = pages_read, .write = pages_write, .min = 1, .max = 1};

/* --- The device --- */

static void dma_reset(struct dev *dev)
{
    struct dma *d = dma_of(dev);

    memset(d->c, 0, sizeof(d->c));
    memset(d->page, 0, sizeof(d->page));
    controller_reset(&d->c[0]);
    controller_reset(&d->c[1]);
}

static int dma_init(struct dev *dev, struct err *e)
{
    struct dma *d = dma_of(dev);
    struct isa_bus *b = isa_bus_of(dev->parent);

    mem_init_mmio(&d->ports[0], "dma", 16, &bytes_ops, d);
    mem_init_mmio(&d->ports[1], "dma", 32, &words_ops, d);
    mem_init_mmio(&d->pages, "dma-page", 16, &pages_ops, d);
    isa_add_io(dev, &d->ports[0], 0x00, e);
    isa_add_io(dev, &d->ports[1], 0xc0, e);
    b->dma = &dma_ops;
    b->dma_opaque = d;
    return isa_add_io(dev, &d->pages, 0x80, e);
}

static void dma_fini(struct dev *dev)
{
    isa_bus_of(dev->parent)->dma = NULL;
}

static int dma_loaded(struct dev *dev, int version, struct err *e)
{
    const struct dma *d = dma_of(dev);

    for (unsigned i = 0; i < 2; i++)
        if (d->c[i].mask > 15 || d->c[i].status > 15 || d->c[i].request > 15 || d->c[i].high > 1)
            return err_set(e, -EILSEQ, "mask %#x, status %#x", d->c[i].mask, d->c[i].status);
    return 0;
}

static const struct state channel_state[] = {
    STATE(channel, base_address, S_U16, 1, NULL),
    STATE(channel, base_count, S_U16, 1, NULL),
    STATE(channel, address, S_U16, 1, NULL),
    STATE(channel, count, S_U16, 1, NULL),
    STATE(channel, mode, S_U8, 1, NULL),
    STATE_END,
};

static const struct state controller_state[] = {
    STATE_STRUCTS(controller, ch, channel_state, 1, NULL),
    STATE(controller, command, S_U8, 1, NULL),
    STATE(controller, status, S_U8, 1, "terminal counts"),
    STATE(controller, mask, S_U8, 1, NULL),
    STATE(controller, request, S_U8, 1, NULL),
    STATE(controller, high, S_U8, 1, "0 or 1"),
    STATE_END,
};

static const struct state dma_state[] = {
    STATE_STRUCTS(dma, c, controller_state, 1, NULL),
    STATE(dma, page, S_U8, 1, "ports 80h..8Fh"),
    STATE_END,
};

const struct dev_type dev_i8257 = {
    .name = "i8257",
    .help = "pair of DMA controllers",
    .class = DEV_BOARD,
    .bus = "isa",
    .size = sizeof(struct dma),
    .state = dma_state,
    .state_version = 1,
    .init = dma_init,
    .reset = dma_reset,
    .fini = dma_fini,
    .loaded = dma_loaded,
    .trace = dma_trace,
};
