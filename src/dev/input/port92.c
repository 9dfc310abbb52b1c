/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "port92": the fast way to address line 20 and to a reset (outputs: i8042.h).
 * Source: Intel 82371SB (PIIX3) and ICH9 data sheets, port 92h.
 */
#include "dev/input/i8042.h"
#include "dev/isa/isa.h"

#include <errno.h>

enum { RESET_NOW = 1, ALT_A20 = 2 };

struct port92 {
    struct dev dev;
    uint8_t v;
    struct mem port;
};

static uint64_t port92_read(void *opaque, paddr off, struct access a)
{
    return ((struct port92 *)opaque)->v;
}

static void port92_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct port92 *p = opaque;

    if (v & ~p->v & RESET_NOW)
        machine_ask(p->dev.m, ASK_RESET, "guest-reset");
    p->v = v & (RESET_NOW | ALT_A20);
    irq_set(&p->dev.irq[PORT92_A20], v & ALT_A20);
}

static const struct mmio_ops port92_ops = {
    .read = port92_read, .write = port92_write, .min = 1, .max = 1};

static void port92_reset(struct dev *d)
{
    ((struct port92 *)d)->v = 0;
    irq_set(&d->irq[PORT92_A20], false);
}

static int port92_init(struct dev *d, struct err *e)
{
    struct port92 *p = (struct port92 *)d;

    mem_init_mmio(&p->port, "port92", 1, &port92_ops, p);
    return isa_add_io(d, &p->port, 0x92, e);
}

static int port92_loaded(struct dev *d, int version, struct err *e)
{
    const struct port92 *p = (struct port92 *)d;

    return p->v > 3 ? err_set(e, -EILSEQ, "port 92h is %#x: at most 3", p->v) : 0;
}

static const struct state port92_state[] = {
    STATE(port92, v, S_U8, 1, "bit 1: A20"),
    STATE_END,
};

const struct dev_type dev_port92 = {
    .name = "port92",
    .help = "port 92h: A20 and reset",
    .class = DEV_BOARD,
    .bus = "isa",
    .size = sizeof(struct port92),
    .state = port92_state,
    .state_version = 1,
    .init = port92_init,
    .reset = port92_reset,
    .loaded = port92_loaded,
};
