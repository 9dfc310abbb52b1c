/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "pl031": Arm PrimeCell real time clock: seconds since 1970 and one alarm.
 * Source: Technical Reference Manual, Arm DDI 0224B.
 */
#include "base/trace.h"
#include "bus/machine.h"

#include <errno.h>
#include <inttypes.h>

enum {
    RTCDR = 0x000,
    RTCMR = 0x004,
    RTCLR = 0x008,
    RTCCR = 0x00c,
    RTCIMSC = 0x010,
    RTCRIS = 0x014,
    RTCMIS = 0x018,
    RTCICR = 0x01c,
    ID_FIRST = 0xfe0, /* RTCPeriphID0 .. RTCPCellID3 */
};

struct pl031 {
    struct dev dev;
    uint32_t offset; /* RTCDR less the seconds of the machine's calendar, modulo 2^32 */
    uint32_t mr, lr, imsc, ris;
    struct timer alarm; /* when RTCDR will be RTCMR */
};

enum { TP_SET, TP_ALARM };
static struct trace_point pl031_trace[] = {
    [TP_SET] = {.name = "pl031_set"}, [TP_ALARM] = {.name = "pl031_alarm"}, {.name = NULL}};

/* Part 0x031, designer 0x41, revision 0. */
static const uint8_t ids[8] = {0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

static struct pl031 *pl031_of(struct dev *d)
{
    return (struct pl031 *)d;
}

static uint32_t calendar(struct pl031 *r)
{
    return clock_now(r->dev.m, CLK_RTC) / NS_PER_S;
}

static uint32_t seconds(struct pl031 *r)
{
    return calendar(r) + r->offset;
}

static void update_irq(struct pl031 *r)
{
    irq_set(&r->dev.irq[0], r->ris & r->imsc);
}

static void alarm_rings(void *opaque)
{
    struct pl031 *r = opaque;

    TRACE(&pl031_trace[TP_ALARM], "at=%u", r->mr);
    r->ris = 1;
    update_irq(r);
}

/* RTCDR or RTCMR has changed: they meet when the counter has gone the distance between them, at a full second. */
static void set_alarm(struct pl031 *r)
{
    int64_t now = clock_now(r->dev.m, CLK_RTC);
    uint32_t left = r->mr - seconds(r);

    if (left)
        timer_at(&r->alarm, (now / NS_PER_S + left) * NS_PER_S);
    else
        alarm_rings(r);
}

static uint64_t pl031_read(void *opaque, paddr off, struct access a)
{
    struct pl031 *r = opaque;

    switch (off) {
    case RTCDR:
        return seconds(r);
    case RTCMR:
        return r->mr;
    case RTCLR:
        return r->lr;
    case RTCCR:
        return 1; /* started, and cannot be stopped */
    case RTCIMSC:
        return r->imsc;
    case RTCRIS:
        return r->ris;
    case RTCMIS:
        return r->ris & r->imsc;
    }
    if (off >= ID_FIRST)
        return ids[(off - ID_FIRST) >> 2];
    guest_error(&r->dev, "read of reserved offset %#" PRIpaddr, off);
    return 0;
}

static void pl031_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct pl031 *r = opaque;
    uint32_t v = value;

    switch (off) {
    case RTCMR:
        r->mr = v;
        set_alarm(r);
        return;
    case RTCLR:
        TRACE(&pl031_trace[TP_SET], "seconds=%u", v);
        r->lr = v;
        r->offset = v - calendar(r);
        set_alarm(r);
        return;
    case RTCCR:
        return; /* once started, it goes on until reset */
    case RTCIMSC:
        r->imsc = v & 1;
        update_irq(r);
        return;
    case RTCICR:
        r->ris &= ~v;
        update_irq(r);
        return;
    }
    guest_error(&r->dev, "write of %#x to reserved offset %#" PRIpaddr, v, off);
}

static const struct mmio_ops pl031_ops = {pl031_read, pl031_write, .min = 4, .max = 4};

/* The clock itself goes on: a machine that is reset does not forget the time. */
static void pl031_reset(struct dev *d)
{
    struct pl031 *r = pl031_of(d);

    r->mr = r->lr = r->imsc = r->ris = 0;
    timer_cancel(&r->alarm);
    update_irq(r);
}

static int pl031_init(struct dev *d, struct err *e)
{
    struct pl031 *r = pl031_of(d);

    mem_init_mmio(&d->mmio, "pl031", 4096, &pl031_ops, r);
    timer_init(&r->alarm, d->m, CLK_RTC, alarm_rings, r);
    return 0;
}

static void pl031_fini(struct dev *d)
{
    timer_cancel(&pl031_of(d)->alarm);
}

static int pl031_loaded(struct dev *d, int version, struct err *e)
{
    struct pl031 *r = pl031_of(d);

    if (r->ris > 1 || r->imsc > 1)
        return err_set(e, -EILSEQ, "interrupt %u, mask %u: 0 or 1", r->ris, r->imsc);
    update_irq(r);
    return 0;
}

static const struct state pl031_state[] = {
    STATE(pl031, offset, S_U32, 1, "seconds between the calendar and RTCDR"),
    STATE(pl031, mr, S_U32, 1, "alarm, seconds"),
    STATE(pl031, lr, S_U32, 1, "last time that was set, seconds"),
    STATE(pl031, imsc, S_U32, 1, "interrupt mask"),
    STATE(pl031, ris, S_U32, 1, "interrupt"),
    STATE_TIMER(pl031, alarm, 1, NULL),
    STATE_END,
};

const struct dev_type dev_pl031 = {
    .name = "pl031",
    .help = "Arm PrimeCell real time clock",
    .class = DEV_BOARD,
    .size = sizeof(struct pl031),
    .state = pl031_state,
    .state_version = 1,
    .init = pl031_init,
    .reset = pl031_reset,
    .fini = pl031_fini,
    .loaded = pl031_loaded,
    .trace = pl031_trace,
};
