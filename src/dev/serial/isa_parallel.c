/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "isa-parallel": LPT1..LPT3, a printer port whose printer is a character back end.
 * Source: IBM Personal Computer AT Technical Reference, "Serial/Parallel Adapter"; IEEE 1284-1994, compatibility mode.
 */
#include "dev/backends.h"
#include "dev/isa/isa.h"

#include <errno.h>
#include <inttypes.h>

#define AUTO UINT32_MAX
enum { DATA, STATUS, CONTROL, LPTS = 3 };
enum { ST_ERROR = 0x08, ST_SELECT = 0x10, ST_PAPER_END = 0x20, ST_ACK = 0x40, ST_BUSY = 0x80, ST_IDLE = 0xd8 };
enum { CTL_STROBE = 0x01, CTL_INIT = 0x04, CTL_SELECT = 0x08, CTL_IRQ = 0x10, CTL_INPUT = 0x20, CTL_ONES = 0xc0 };

struct isa_parallel {
    struct dev dev;
    struct chr *chr;
    char *chardev;
    uint64_t index, iobase, irq;
    uint8_t data, control;
    uint8_t pending; /* the printer has acknowledged a character */
    struct mem ports;
};

static size_t no_room(void *opaque)
{
    return 0;
}

static void no_data(void *opaque, const uint8_t *buf, size_t len)
{
}

static const struct chr_front front = {.room = no_room, .data = no_data};

static void update(struct isa_parallel *p)
{
    irq_set(&p->dev.irq[0], p->pending && p->control & CTL_IRQ);
}

static uint64_t parallel_read(void *opaque, paddr off, struct access a)
{
    struct isa_parallel *p = opaque;
    uint8_t v;

    switch (off) {
    case DATA:
        return p->control & CTL_INPUT ? 0xff : p->data;
    case STATUS: /* ACK is low for the one read after a character */
        v = ST_IDLE & ~(p->pending ? ST_ACK : 0);
        if (!a.debug) {
            p->pending = 0;
            update(p);
        }
        return v;
    }
    return p->control | CTL_ONES;
}

/* The printer takes what is on the lines when STROBE is let go. */
static void parallel_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct isa_parallel *p = opaque;
    uint8_t v = (uint8_t)value, was = p->control;

    if (off == DATA) {
        p->data = v;
    } else if (off == CONTROL) {
        p->control = v & ~CTL_ONES;
        if (was & ~v & CTL_STROBE && v & CTL_INIT) {
            chr_write(p->chr, p, &p->data, 1);
            p->pending = 1;
        }
        update(p);
    }
}

static const struct mmio_ops parallel_ops = {
    .read = parallel_read, .write = parallel_write, .min = 1, .max = 1};

static void parallel_reset(struct dev *d)
{
    struct isa_parallel *p = (struct isa_parallel *)d;

    p->data = 0xff;
    p->control = CTL_INIT | CTL_SELECT;
    p->pending = 0;
    update(p);
}

static uint64_t free_index(const struct isa_parallel *s)
{
    unsigned used = 0, n = 0;

    for (const struct dev *d = s->dev.parent->devs; d; d = d->next_on_bus) {
        const struct isa_parallel *o = (const struct isa_parallel *)d;

        if (d->type == s->dev.type && o != s && o->index < LPTS)
            used |= 1u << o->index;
    }
    while (used >> n & 1)
        n++;
    return n;
}

static int parallel_init(struct dev *d, struct err *e)
{
    static const uint16_t ports[LPTS] = {0x378, 0x278, 0x3bc};
    struct isa_parallel *p = (struct isa_parallel *)d;
    int r;

    if (!p->chardev)
        return err_set(e, -EINVAL, "Can't create parallel device, empty char device");
    if (p->index == AUTO)
        p->index = free_index(p);
    if (p->index >= LPTS)
        return err_set(e, -EINVAL, "Max. supported number of parallel ports is %d.", LPTS);
    p->iobase = p->iobase == AUTO ? ports[p->index] : p->iobase;
    mem_init_mmio(&p->ports, "parallel", 3, &parallel_ops, p);
    if ((r = isa_connect(d, &d->irq[0], p->irq, e)) < 0 ||
        (r = dev_take_chr(d, p->chardev, &front, p, &p->chr, e)) < 0)
        return r;
    if ((r = isa_add_io(d, &p->ports, p->iobase, e)) < 0)
        chr_detach(p->chr, p);
    return r;
}

static void parallel_fini(struct dev *d)
{
    struct isa_parallel *p = (struct isa_parallel *)d;

    chr_detach(p->chr, p);
}

static int parallel_loaded(struct dev *d, int version, struct err *e)
{
    struct isa_parallel *p = (struct isa_parallel *)d;

    return p->pending > 1 ? err_set(e, -EILSEQ, "pending %u: 0 or 1", p->pending) : 0;
}

static const struct field parallel_props[] = {
    FIELD(isa_parallel, chardev, F_STR, "chardev", NULL, "character back end that prints"),
    FIELD(isa_parallel, index, F_U64, "index", "4294967295", "0: LPT1 ... 2: LPT3; the next one"),
    FIELD(isa_parallel, iobase, F_U64, "iobase", "4294967295", "first port; that of its index"),
    FIELD(isa_parallel, irq, F_U64, "irq", "7", "interrupt"),
    FIELD_END,
};

static const struct state parallel_state[] = {
    STATE(isa_parallel, data, S_U8, 1, NULL),
    STATE(isa_parallel, control, S_U8, 1, NULL),
    STATE(isa_parallel, pending, S_U8, 1, NULL),
    STATE_END,
};

const struct dev_type dev_isa_parallel = {
    .name = "isa-parallel",
    .help = "parallel port with a printer",
    .class = DEV_INPUT,
    .bus = "isa",
    .size = sizeof(struct isa_parallel),
    .props = parallel_props,
    .state = parallel_state,
    .state_version = 1,
    .init = parallel_init,
    .reset = parallel_reset,
    .fini = parallel_fini,
    .loaded = parallel_loaded,
};
