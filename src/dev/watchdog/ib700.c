/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "ib700": watchdog of the IB700 single-board computer: a write to port 443h starts it anew, one to 441h stops it.
 * Source: iBASE IB700 user's manual, "Watchdog timer": value 0 is 30 seconds, each more takes two away.
 */
#include "dev/isa/isa.h"

#include <errno.h>

enum { STOP_PORT = 0x441, START_PORT = 0x443, LONGEST = 30 };

struct ib700 {
    struct dev dev;
    struct timer timer;
    struct mem stop, start;
};

static uint64_t nothing(void *opaque, paddr off, struct access a)
{
    return 0xff;
}

static void start_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct ib700 *w = opaque;

    timer_at(&w->timer,
             clock_now(w->dev.m, CLK_VIRT) + (LONGEST - 2 * (int64_t)(v & 15)) * NS_PER_S);
}

static void stop_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    timer_cancel(&((struct ib700 *)opaque)->timer);
}

static void expired(void *opaque)
{
    machine_watchdog(&((struct ib700 *)opaque)->dev);
}

static const struct mmio_ops start_ops = {.read = nothing, .write = start_write, .min = 1, .max = 1};
static const struct mmio_ops stop_ops = {.read = nothing, .write = stop_write, .min = 1, .max = 1};

static void ib700_reset(struct dev *d)
{
    timer_cancel(&((struct ib700 *)d)->timer);
}

static int ib700_init(struct dev *d, struct err *e)
{
    struct ib700 *w = (struct ib700 *)d;

    timer_init(&w->timer, d->m, CLK_VIRT, expired, w);
    mem_init_mmio(&w->stop, "ib700", 1, &stop_ops, w);
    mem_init_mmio(&w->start, "ib700", 1, &start_ops, w);
    isa_add_io(d, &w->stop, STOP_PORT, e);
    return isa_add_io(d, &w->start, START_PORT, e);
}

static const struct state ib700_state[] = {
    STATE_TIMER(ib700, timer, 1, NULL),
    STATE_END,
};

const struct dev_type dev_ib700 = {
    .name = "ib700",
    .help = "iBASE 700",
    .class = DEV_WATCHDOG,
    .bus = "isa",
    .size = sizeof(struct ib700),
    .state = ib700_state,
    .state_version = 1,
    .init = ib700_init,
    .reset = ib700_reset,
    .fini = ib700_reset,
};
