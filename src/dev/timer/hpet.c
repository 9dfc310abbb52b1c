/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "hpet": high precision event timer, 100 MHz, three timers or more.  Source: Intel, IA-PC HPET Specification, revision 1.0a. */
#include "dev/timer/hpet.h"

#include "base/trace.h"
#include "bus/machine.h"

#include <errno.h>
#include <inttypes.h>

enum { TIMERS = 32, PERIOD_FS = 10000000, NS_PER_TICK = 10, VENDOR = 0x8086 };
enum { FASTEST = 2000 /* ticks: shorter periods would be the host's work, and no guest's use */ };
enum { LATE_MAX = 100000000 /* ticks: who is a second behind stays there */ };
enum { CAP = 0x000, CONFIG = 0x010, STATUS = 0x020, COUNTER = 0x0f0, TIMER = 0x100 };
enum { TN_CONFIG = 0x00, TN_COMPARE = 0x08, TN_FSB = 0x10 };
enum { CAP_64BIT = 1 << 13, CAP_LEGACY = 1 << 15 };
enum { CFG_ENABLE = 1, CFG_LEGACY = 2 };
enum {
    TN_LEVEL = 1 << 1,
    TN_ENABLE = 1 << 2,
    TN_PERIODIC = 1 << 3,
    TN_CAN_PERIODIC = 1 << 4,
    TN_64BIT = 1 << 5,
    TN_SET_VALUE = 1 << 6,
    TN_32BIT = 1 << 8,
    TN_ROUTE = 0x1f << 9,
    TN_FSB_ENABLE = 1 << 14,
    TN_CAN_FSB = 1 << 15,
    TN_WRITABLE = TN_LEVEL | TN_ENABLE | TN_PERIODIC | TN_SET_VALUE | TN_32BIT | TN_ROUTE | TN_FSB_ENABLE,
};

struct hpet;

struct hpet_timer {
    struct hpet *h;
    uint64_t config; /* with route capabilities in the upper half */
    uint64_t compare, period;
    uint64_t fsb;    /* value 31..0, address 63..32 */
    bool matched;    /* this very tick is the comparator's, and it was said */
    struct timer timer;
};

struct hpet {
    struct dev dev;
    uint64_t config, status;
    uint64_t counter; /* while it stands; while it runs: less the ticks of the virtual clock, modulo 2^64 */
    struct hpet_timer t[TIMERS];
    uint64_t timers, intcap;
    bool msi;
    uint8_t legacy_in; /* levels of the 8254 and the clock */
    struct irq_line line[HPET_LINES];
};

enum { TP_FIRE };
static struct trace_point hpet_trace[] = {[TP_FIRE] = {.name = "hpet_fire"}, {.name = NULL}};

static struct hpet *hpet_of(struct dev *d)
{
    return (struct hpet *)d;
}

static uint64_t virt_ticks(const struct hpet *h)
{
    return (uint64_t)clock_now(h->dev.m, CLK_VIRT) / NS_PER_TICK;
}

static uint64_t counter(const struct hpet *h)
{
    return h->config & CFG_ENABLE ? h->counter + virt_ticks(h) : h->counter;
}

static unsigned number(const struct hpet_timer *t)
{
    return (unsigned)(t - t->h->t);
}

static uint64_t mask(const struct hpet_timer *t)
{
    return t->config & TN_32BIT ? 0xffffffff : UINT64_MAX;
}

/* Where a timer's line ends. */
static unsigned route(const struct hpet_timer *t)
{
    unsigned n = number(t);

    if (t->h->config & CFG_LEGACY && n < 2)
        return n ? 8 : 0;
    return t->config >> 9 & 0x1f;
}

/* Levels of all lines: timers by their status, and what passes through. */
static void update_lines(struct hpet *h)
{
    bool legacy = h->config & CFG_LEGACY;
    uint32_t up = 0;

    for (unsigned n = 0; n < h->timers; n++) {
        const struct hpet_timer *t = &h->t[n];

        if (t->config & TN_LEVEL && t->config & TN_ENABLE && !(t->config & TN_FSB_ENABLE) &&
            h->status >> n & 1)
            up |= 1u << route(t);
    }
    if (!legacy)
        up = (up & ~0x101u) | (h->legacy_in & 1u) | (h->legacy_in & 2u) << 7;
    for (unsigned i = 0; i < HPET_LINES; i++)
        irq_set(&h->line[i], up >> i & 1);
}

static void interrupt(struct hpet_timer *t)
{
    struct hpet *h = t->h;
    unsigned n = number(t), to = route(t);

    TRACE(&hpet_trace[TP_FIRE], "timer=%u", n);
    if (t->config & TN_LEVEL)
        h->status |= 1ull << n;
    if (!(t->config & TN_ENABLE))
        return;
    if (t->config & TN_FSB_ENABLE) {
        space_store(machine_space(h->dev.m), t->fsb >> 32, t->fsb & 0xffffffff,
                    (struct access){.who = BUS_NOBODY, .size = 4, .posted = true});
    } else if (!(t->config & TN_LEVEL) && to < HPET_LINES &&
               (h->config & CFG_LEGACY || (to != 0 && to != 8))) {
        irq_set(&h->line[to], false);
        irq_set(&h->line[to], true);
        irq_set(&h->line[to], false);
    }
    update_lines(h);
}

/* A comparator that the counter, now @count, has passed in periodic mode is moved on by whole periods. */
static void catch_up(struct hpet_timer *t, uint64_t count)
{
    uint64_t behind = (count - t->compare) & mask(t), half = mask(t) / 2 + 1;

    if (behind && behind < half)
        t->compare = (t->compare + ((behind - 1) / t->period + 1) * t->period) & mask(t);
}

/* Ticks until the counter, now @count, has the value of the comparator; a 32-bit one goes round. */
static uint64_t until(struct hpet_timer *t, uint64_t count)
{
    uint64_t left = (t->compare - count) & mask(t);

    t->matched &= !left;
    if (t->matched)
        return mask(t) == UINT64_MAX ? UINT64_MAX : 1ull << 32;
    if (t->config & TN_PERIODIC && left < FASTEST && t->period < FASTEST)
        return FASTEST;
    return left;
}

/* The counter is read once: an alarm that was late by what passes between two looks would ring before the comparator's time, and
 * again at it. */
static void arm(struct hpet_timer *t)
{
    struct hpet *h = t->h;
    int64_t now = clock_now(h->dev.m, CLK_VIRT) / NS_PER_TICK;
    uint64_t left;

    timer_cancel(&t->timer);
    if (!(h->config & CFG_ENABLE))
        return;
    if (t->config & TN_PERIODIC && t->period)
        catch_up(t, h->counter + (uint64_t)now);
    left = until(t, h->counter + (uint64_t)now);
    if (left < (uint64_t)(INT64_MAX / NS_PER_TICK - now))
        timer_at(&t->timer, (now + (int64_t)left) * NS_PER_TICK);
}

/* Periods that went by before we came are owed to the guest, which may count time by them: they follow at twice the rate. */
static bool owes(struct hpet_timer *t)
{
    int64_t now = clock_now(t->h->dev.m, CLK_VIRT) / NS_PER_TICK;
    uint64_t behind = (t->h->counter + (uint64_t)now - t->compare) & mask(t);

    if (behind > LATE_MAX || t->period < 2 * FASTEST || t->period > mask(t) / 2)
        return false;
    timer_at(&t->timer, (now + (int64_t)(t->period / 2)) * NS_PER_TICK);
    return true;
}

static void fired(void *opaque)
{
    struct hpet_timer *t = opaque;

    interrupt(t);
    if (t->config & TN_PERIODIC && t->period) {
        t->compare = (t->compare + t->period) & mask(t);
        if (owes(t))
            return;
    } else {
        t->matched = true;
    }
    arm(t);
}

/* What the counter has reached, and the host has not found the time to say, is said before a register changes. */
static void settle(struct hpet *h)
{
    int64_t now = clock_now(h->dev.m, CLK_VIRT);

    for (unsigned n = 0; n < h->timers; n++)
        if (timer_armed(&h->t[n].timer) && h->t[n].timer.at <= now)
            fired(&h->t[n]);
}

/* --- Registers --- */

static uint64_t capabilities(const struct hpet *h)
{
    return (uint64_t)PERIOD_FS << 32 | (uint64_t)VENDOR << 16 | CAP_LEGACY | CAP_64BIT |
           (h->timers - 1) << 8 | 1;
}

static uint64_t read64(const struct hpet *h, paddr off)
{
    unsigned n = (unsigned)(off - TIMER) / 0x20;

    switch (off) {
    case CAP:
        return capabilities(h);
    case CONFIG:
        return h->config;
    case STATUS:
        return h->status;
    case COUNTER:
        return counter(h);
    }
    if (off < TIMER || n >= h->timers)
        return 0;
    switch (off & 0x1f) {
    case TN_CONFIG:
        return h->t[n].config;
    case TN_COMPARE:
        return h->t[n].compare;
    case TN_FSB:
        return h->t[n].fsb;
    }
    return 0;
}

static void write_config(struct hpet *h, uint64_t v)
{
    uint64_t now = counter(h);

    for (unsigned n = 0; n < h->timers && !(h->config & CFG_ENABLE); n++)
        h->t[n].matched = false;
    h->config = v & (CFG_ENABLE | CFG_LEGACY);
    h->counter = h->config & CFG_ENABLE ? now - virt_ticks(h) : now;
    for (unsigned n = 0; n < h->timers; n++)
        arm(&h->t[n]);
    update_lines(h);
}

static void write_counter(struct hpet *h, uint64_t v)
{
    h->counter = h->config & CFG_ENABLE ? v - virt_ticks(h) : v;
    for (unsigned n = 0; n < h->timers; n++) {
        h->t[n].matched = false;
        arm(&h->t[n]);
    }
}

static void write_timer_config(struct hpet_timer *t, uint64_t v)
{
    uint64_t writable = TN_WRITABLE & ~(uint64_t)(t->config & TN_CAN_FSB ? 0 : TN_FSB_ENABLE);

    if (!(t->h->intcap >> (v >> 9 & 0x1f) & 1))
        writable &= ~(uint64_t)TN_ROUTE; /* 2.3.8: what is not possible is not taken */
    t->config = (t->config & ~writable) | (v & writable);
    if (!(t->config & TN_CAN_PERIODIC))
        t->config &= ~(uint64_t)TN_PERIODIC;
    if (t->config & TN_32BIT) {
        t->compare &= 0xffffffff;
        t->period &= 0xffffffff;
    }
    if (!(t->config & TN_LEVEL))
        t->h->status &= ~(1ull << number(t));
    arm(t);
    update_lines(t->h);
}

/* In periodic mode a write is the period, and with TN_SET_VALUE the comparator, too (2.3.9.2.3).  @bits of @v are new: a 64-bit
 * register is written by halves, too. */
static void write_compare(struct hpet_timer *t, uint64_t v, uint64_t bits)
{
    bool periodic = t->config & TN_PERIODIC;

    if (!periodic || t->config & TN_SET_VALUE)
        t->compare = ((t->compare & ~bits) | (v & bits)) & mask(t);
    if (periodic)
        t->period = ((t->period & ~bits) | (v & bits)) & mask(t);
    t->config &= ~(uint64_t)TN_SET_VALUE;
    t->matched = false;
    arm(t);
}

static void write_timer(struct hpet *h, paddr off, uint64_t v, uint64_t bits)
{
    unsigned n = (unsigned)(off - TIMER) / 0x20;
    struct hpet_timer *t = &h->t[n];

    if (n >= h->timers)
        return;
    switch (off & 0x1f) {
    case TN_CONFIG:
        write_timer_config(t, (t->config & ~bits) | (v & bits));
        return;
    case TN_COMPARE:
        write_compare(t, v, bits);
        return;
    case TN_FSB:
        t->fsb = (t->fsb & ~bits) | (v & bits);
        return;
    }
}

/* @bits of @v, an aligned 64-bit register, are written. */
static void write64(struct hpet *h, paddr off, uint64_t v, uint64_t bits)
{
    settle(h);
    switch (off) {
    case CONFIG:
        write_config(h, (h->config & ~bits) | (v & bits));
        return;
    case STATUS:
        h->status &= ~(v & bits);
        update_lines(h);
        return;
    case COUNTER:
        write_counter(h, (counter(h) & ~bits) | (v & bits));
        return;
    }
    if (off >= TIMER)
        write_timer(h, off, v, bits);
}

static uint64_t hpet_read(void *opaque, paddr off, struct access a)
{
    return read64(opaque, off & ~7ull) >> (off & 7) * 8;
}

static void hpet_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    unsigned shift = (unsigned)(off & 7) * 8;
    uint64_t bits = a.size == 8 ? UINT64_MAX : ((1ull << a.size * 8) - 1) << shift;

    write64(opaque, off & ~7ull, v << shift, bits);
}

static const struct mmio_ops hpet_ops = {.read = hpet_read, .write = hpet_write, .min = 4, .max = 8};

/* --- Lines --- */

static void legacy_input(void *opaque, int n, bool level)
{
    struct hpet *h = opaque;

    h->legacy_in = level ? h->legacy_in | 1 << n : h->legacy_in & ~(1 << n);
    update_lines(h);
}

struct irq_in hpet_legacy_in(struct dev *d, unsigned n)
{
    return (struct irq_in){.set = legacy_input, .opaque = hpet_of(d), .n = (int)(n & 1)};
}

void hpet_connect(struct dev *d, unsigned n, struct irq_in to)
{
    if (n >= HPET_LINES)
        bug("line %u of %d", n, HPET_LINES);
    irq_connect(&hpet_of(d)->line[n], to);
}

/* --- The device --- */

static void hpet_reset(struct dev *d)
{
    struct hpet *h = hpet_of(d);

    h->config = h->status = h->counter = 0;
    for (unsigned n = 0; n < TIMERS; n++) {
        struct hpet_timer *t = &h->t[n];

        timer_cancel(&t->timer);
        t->config = TN_CAN_PERIODIC | TN_64BIT | (h->msi ? TN_CAN_FSB : 0) | h->intcap << 32;
        t->compare = UINT64_MAX;
        t->period = t->fsb = 0;
        t->matched = false;
    }
    update_lines(h);
}

static int hpet_init(struct dev *d, struct err *e)
{
    struct hpet *h = hpet_of(d);

    if (h->timers < 3 || h->timers > TIMERS)
        return err_set(e, -EINVAL, "timers=%" PRIu64 ": want 3 to %d", h->timers, TIMERS);
    if (!h->intcap || h->intcap >> HPET_LINES)
        return err_set(e, -EINVAL, "hpet-intcap=%" PRIu64 ": want 1 to %u", h->intcap,
                       (1u << HPET_LINES) - 1);
    mem_init_mmio(&d->mmio, "hpet", 1024, &hpet_ops, h);
    for (unsigned n = 0; n < TIMERS; n++) {
        h->t[n].h = h;
        timer_init(&h->t[n].timer, d->m, CLK_VIRT, fired, &h->t[n]);
    }
    return 0;
}

static void hpet_fini(struct dev *d)
{
    for (unsigned n = 0; n < TIMERS; n++)
        timer_cancel(&hpet_of(d)->t[n].timer);
}

static int hpet_loaded(struct dev *d, int version, struct err *e)
{
    struct hpet *h = hpet_of(d);

    if (h->config > 3 || h->legacy_in > 3 || h->status >> h->timers)
        return err_set(e, -EILSEQ, "configuration %#" PRIx64 ", status %#" PRIx64, h->config,
                       h->status);
    for (unsigned n = 0; n < h->timers; n++)
        arm(&h->t[n]);
    return 0;
}

static const struct state timer_state[] = {
    STATE(hpet_timer, config, S_U64, 1, NULL),
    STATE(hpet_timer, compare, S_U64, 1, NULL),
    STATE(hpet_timer, period, S_U64, 1, NULL),
    STATE(hpet_timer, fsb, S_U64, 1, NULL),
    STATE_END,
};

static const struct state hpet_state[] = {
    STATE(hpet, config, S_U64, 1, NULL),
    STATE(hpet, status, S_U64, 1, NULL),
    STATE(hpet, counter, S_U64, 1, "less the virtual clock while it runs"),
    STATE(hpet, legacy_in, S_U8, 1, NULL),
    STATE_STRUCTS(hpet, t, timer_state, 1, NULL),
    STATE_END,
};

static const struct field hpet_props[] = {
    FIELD(hpet, timers, F_U64, "timers", "3", "how many, 3..32"),
    FIELD(hpet, intcap, F_U64, "hpet-intcap", "4", "inputs of the I/O APIC that timers may use, bits 0..23"),
    FIELD(hpet, msi, F_BOOL, "msi", "off", "timers may send messages"),
    FIELD_END,
};

const struct dev_type dev_hpet = {
    .name = "hpet",
    .help = "high precision event timer",
    .class = DEV_BOARD,
    .size = sizeof(struct hpet),
    .props = hpet_props,
    .state = hpet_state,
    .state_version = 1,
    .init = hpet_init,
    .reset = hpet_reset,
    .fini = hpet_fini,
    .loaded = hpet_loaded,
    .trace = hpet_trace,
};
