/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The generic event device (ged.h). */
#include "dev/acpi/ged.h"

#include "bus/machine.h"

enum { SLEEP_CONTROL, SLEEP_STATUS, RESET, REGS };
enum { SLP_TYP_SHIFT = 2, SLP_EN = 1 << 5 };

struct ged {
    struct dev dev;
    struct mem regs;
    uint32_t events;
};

static struct ged *ged_of(struct dev *d)
{
    return (struct ged *)d;
}

struct mem *ged_regs(struct dev *d)
{
    return &ged_of(d)->regs;
}

void ged_raise(struct dev *d, uint32_t event)
{
    ged_of(d)->events |= event;
    irq_pulse(&d->irq[0]);
}

static uint64_t events_read(void *opaque, paddr off, struct access a)
{
    struct ged *g = opaque;
    uint32_t v = g->events;

    if (!a.debug)
        g->events = 0;
    return v;
}

static void events_write(void *opaque, paddr off, uint64_t v, struct access a)
{
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    return 0;
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct ged *g = opaque;

    if (off == SLEEP_CONTROL && v & SLP_EN && (v >> SLP_TYP_SHIFT & 7) == GED_S5)
        machine_ask(g->dev.m, ASK_SHUTDOWN, "guest-shutdown");
    else if (off == RESET && v == GED_RESET_VALUE)
        machine_ask(g->dev.m, ASK_RESET, "guest-reset");
}

static const struct mmio_ops events_ops = {events_read, events_write, 4, 4};
static const struct mmio_ops regs_ops = {regs_read, regs_write, 1, 1};

static int init(struct dev *d, struct err *e)
{
    mem_init_mmio(&d->mmio, "acpi-ged", 4, &events_ops, d);
    mem_init_mmio(&ged_of(d)->regs, "acpi-ged-regs", REGS, &regs_ops, d);
    return 0;
}

static void reset(struct dev *d)
{
    ged_of(d)->events = 0;
}

static void fini(struct dev *d)
{
    mem_remove(&ged_of(d)->regs);
}

static const struct state state[] = {
    STATE(ged, events, S_U32, 1, "that nobody has read"),
    STATE_END,
};

const struct dev_type dev_ged = {
    .name = "acpi-ged",
    .help = "ACPI generic event device",
    .class = DEV_BOARD,
    .size = sizeof(struct ged),
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
};
