/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "isa-pit": 8254 programmable interval timer as a PC has it, with port 61h: the gate of counter 2, the speaker.
 * Sources: Intel 8254 data sheet, order 231164-005; port 61h: Intel 82371FB (PIIX), order 290550-002, NMISC.
 *
 * Counters do not count: what they show is computed from when they were started.  Times are ticks of the 1.193182 MHz input
 * since the machine's virtual clock began.
 */
#include "dev/timer/i8254.h"

#include "base/trace.h"
#include "dev/isa/isa.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { RW_LATCH, RW_LSB, RW_MSB, RW_BOTH };
enum { STATUS_OUT = 0x80, STATUS_NULL = 0x40 };
enum { P61_GATE = 0x01, P61_DATA = 0x02, P61_KEEP = 0x0f, P61_REFRESH = 0x10, P61_OUT2 = 0x20 };

enum { FASTEST = 24 /* ticks between interrupts: more would be the host's work, and no guest's use */ };

struct counter {
    uint8_t control;      /* mode, RW and BCD as in the control word, bits 5..0 */
    uint8_t gate;
    uint8_t written;      /* RW_BOTH: the low byte has come */
    uint8_t low;          /* that byte */
    uint8_t odd_read;     /* RW_BOTH: the low byte has been read */
    uint8_t latched;      /* bytes of @latch that are left: 0, 1 or 2 */
    uint8_t has_status, status; /* latched by read-back */
    uint8_t null;         /* a count was written that is not yet in the counting element */
    uint8_t running;      /* a count is there, and what starts it has happened */
    uint16_t latch;
    uint32_t count;       /* 1..65536 (10000 in BCD); 0: none since the control word */
    uint32_t next;        /* modes 2 and 3: from the next period on; 0: none */
    uint64_t start;       /* tick at which the count was whole */
    uint8_t held;         /* the gate is low and stops the counting, */
    uint64_t paused;      /* since this tick */
};

struct pit {
    struct dev dev;
    struct counter c[3];
    uint8_t p61;
    struct timer timer; /* OUT of counter 0 changes */
    struct mem ports, port61;
};

enum { TP_LOAD, TP_CONTROL };
static struct trace_point pit_trace[] = {
    [TP_LOAD] = {.name = "i8254_load"}, [TP_CONTROL] = {.name = "i8254_control"}, {.name = NULL}};

static struct pit *pit_of(struct dev *d)
{
    return (struct pit *)d;
}

static uint64_t ticks_of(int64_t ns)
{
    return (uint64_t)((__uint128_t)(uint64_t)ns * PIT_HZ / NS_PER_S);
}

/* The first nanosecond of a tick. */
static int64_t ns_of(uint64_t tick)
{
    __uint128_t ns = ((__uint128_t)tick * NS_PER_S + PIT_HZ - 1) / PIT_HZ;

    return ns > INT64_MAX ? INT64_MAX - 1 : (int64_t)ns;
}

static uint64_t now(struct pit *p)
{
    return ticks_of(clock_now(p->dev.m, CLK_VIRT));
}

/* --- One counter --- */

/* Modes 6 and 7 are 2 and 3. */
static unsigned mode(const struct counter *c)
{
    unsigned m = c->control >> 1 & 7;

    return m > 5 ? m - 4 : m;
}

static bool periodic(const struct counter *c)
{
    return mode(c) == 2 || mode(c) == 3;
}

static uint32_t modulus(const struct counter *c)
{
    return c->control & 1 ? 10000 : 65536;
}

/* Ticks since the count was whole. */
static uint64_t gone(const struct counter *c, uint64_t t)
{
    uint64_t to = c->held ? c->paused : t;

    return to > c->start ? to - c->start : 0;
}

/* A count that waits for the end of the period comes into force. */
static void settle(struct counter *c, uint64_t t)
{
    uint64_t d = gone(c, t);

    if (!c->next || !c->running || !periodic(c) || d < c->count)
        return;
    c->start += c->count;
    c->count = c->next;
    c->next = 0;
    c->null = 0;
}

/* What is in the counting element. */
static uint32_t value(const struct counter *c, uint64_t t)
{
    uint64_t d = gone(c, t);
    uint32_t n = c->count, m = modulus(c);

    if (!n)
        return 0;
    if (!c->running)
        return n % m;
    if (mode(c) == 2)
        return n - (uint32_t)(d % n);
    if (mode(c) == 3) { /* two at a time; an odd count's first half is a tick longer */
        uint32_t at = (uint32_t)(d % n), high = (n + 1) / 2;

        return ((n & ~1u) - 2 * (at < high ? at - (at && n & 1) : at - high)) % m;
    }
    return (uint32_t)((n + m - d % m) % m);
}

static bool out(const struct counter *c, uint64_t t)
{
    uint64_t d = gone(c, t);

    switch (mode(c)) {
    case 0:
        return c->running && d >= c->count;
    case 1:
        return !c->running || d >= c->count;
    case 2:
        return !c->running || c->held || d % c->count != c->count - 1;
    case 3:
        return !c->running || c->held || d % c->count < (c->count + 1) / 2;
    default:
        return !c->running || d != c->count;
    }
}

/* The next tick at which OUT rises (in modes 4 and 5 falls and rises) after @t; UINT64_MAX: never. */
static uint64_t next_rise(const struct counter *c, uint64_t t)
{
    uint64_t d = gone(c, t), at;

    if (!c->running || c->held)
        return UINT64_MAX;
    if (periodic(c))
        return c->start + (d / c->count + 1) * c->count;
    at = mode(c) >= 4 ? c->count + 1ull : c->count;
    return d < at ? c->start + at : UINT64_MAX;
}

static void load(struct counter *c, unsigned n, uint32_t v, uint64_t t)
{
    if (c->control & 1) /* decimal digits; what is none counts as it is */
        v = (v >> 12 & 15) * 1000 + (v >> 8 & 15) * 100 + (v >> 4 & 15) * 10 + (v & 15);
    v = v ? v : modulus(c);
    TRACE(&pit_trace[TP_LOAD], "counter=%u mode=%u count=%u", n, mode(c), v);
    c->null = 1;
    if (periodic(c) && c->running) {
        c->start += gone(c, t) / c->count * c->count;
        c->next = v;
        return;
    }
    if (c->running && (mode(c) == 1 || mode(c) == 5)) {
        c->next = v; /* until it is triggered again */
        return;
    }
    c->count = v;
    c->next = 0;
    if (mode(c) == 1 || mode(c) == 5)
        return; /* waits for its trigger */
    c->start = t;
    c->null = 0;
    c->running = periodic(c) ? c->gate : 1;
    c->held = !c->gate;
    c->paused = t;
}

/* The gate: stops modes 0 and 4 while low, 2 and 3 begin anew when it rises, 1 and 5 are triggered by that. */
static void set_gate(struct counter *c, bool level, uint64_t t)
{
    bool rises = level && !c->gate;

    settle(c, t);
    if (!level && c->gate && mode(c) != 1 && mode(c) != 5) {
        c->held = 1;
        c->paused = t;
    }
    c->gate = level;
    if (!rises || !c->count)
        return;
    if (mode(c) == 0 || mode(c) == 4) {
        if (c->held && t > c->paused)
            c->start += t - c->paused;
    } else {
        c->count = c->next ? c->next : c->count;
        c->next = 0;
        c->null = 0;
        c->start = t;
        c->running = 1;
    }
    c->held = 0;
}

/* --- Registers --- */

static void update(struct pit *p)
{
    uint64_t t = now(p), at;

    settle(&p->c[0], t);
    irq_set(&p->dev.irq[0], out(&p->c[0], t));
    at = next_rise(&p->c[0], t);
    if (at == UINT64_MAX)
        timer_cancel(&p->timer);
    else
        timer_at(&p->timer, ns_of(periodic(&p->c[0]) && at < t + FASTEST ? t + FASTEST : at));
}

/* OUT was low for a moment at least, and rises. */
static void rises(void *opaque)
{
    struct pit *p = opaque;

    irq_set(&p->dev.irq[0], false);
    irq_set(&p->dev.irq[0], true);
    update(p);
}

static uint16_t in_bcd(uint32_t v)
{
    return (uint16_t)(v / 1000 % 10 << 12 | v / 100 % 10 << 8 | v / 10 % 10 << 4 | v % 10);
}

static uint16_t shown(const struct counter *c, uint64_t t)
{
    uint32_t v = value(c, t);

    return c->control & 1 ? in_bcd(v) : (uint16_t)v;
}

static void latch(struct counter *c, uint64_t t)
{
    if (c->latched)
        return; /* until it is read, later ones are ignored */
    c->latch = shown(c, t);
    c->latched = (c->control >> 4 & 3) == RW_BOTH ? 2 : 1;
}

static void latch_status(struct counter *c, uint64_t t)
{
    if (c->has_status)
        return;
    c->has_status = 1;
    c->status = c->control | (out(c, t) ? STATUS_OUT : 0) | (c->null ? STATUS_NULL : 0);
}

/* Bits 1..3: counters; 4 and 5, when zero: status and count. */
static void read_back(struct pit *p, uint8_t v, uint64_t t)
{
    for (unsigned i = 0; i < 3; i++) {
        if (!(v & 2 << i))
            continue;
        settle(&p->c[i], t);
        if (!(v & 0x20))
            latch(&p->c[i], t);
        if (!(v & 0x10))
            latch_status(&p->c[i], t);
    }
}

static void write_control(struct pit *p, uint8_t v)
{
    struct counter *c = &p->c[v >> 6 & 3];
    uint64_t t = now(p);

    if (v >> 6 == 3) {
        read_back(p, v, t);
    } else if ((v >> 4 & 3) == RW_LATCH) {
        settle(c, t);
        latch(c, t);
    } else {
        TRACE(&pit_trace[TP_CONTROL], "value=%#x", v);
        *c = (struct counter){.control = v & 0x3f, .gate = c->gate, .null = 1};
        if (!(v >> 6))
            update(p);
    }
}

static void write_counter(struct pit *p, unsigned n, uint8_t v)
{
    struct counter *c = &p->c[n];
    uint64_t t = now(p);

    settle(c, t);
    switch (c->control >> 4 & 3) {
    case RW_LSB:
        load(c, n, v, t);
        break;
    case RW_MSB:
        load(c, n, (uint32_t)v << 8, t);
        break;
    case RW_BOTH:
        c->written = !c->written;
        if (c->written) {
            c->low = v;
            if (mode(c) == 0) /* the first byte stops the counting */
                c->running = 0;
            break;
        }
        load(c, n, (uint32_t)v << 8 | c->low, t);
        break;
    }
    if (n == 0)
        update(p);
}

static uint8_t read_counter(struct pit *p, unsigned n)
{
    struct counter *c = &p->c[n];
    uint64_t t = now(p);
    uint16_t v;
    bool high = (c->control >> 4 & 3) == RW_MSB;

    if (c->has_status) {
        c->has_status = 0;
        return c->status;
    }
    settle(c, t);
    v = c->latched ? c->latch : shown(c, t);
    if ((c->control >> 4 & 3) == RW_BOTH) {
        high = c->odd_read;
        c->odd_read = !c->odd_read;
    }
    if (c->latched)
        c->latched--;
    return (uint8_t)(high ? v >> 8 : v);
}

static uint64_t pit_read(void *opaque, paddr off, struct access a)
{
    return off == 3 || a.debug ? 0 : read_counter(opaque, (unsigned)off);
}

static void pit_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    if (off == 3)
        write_control(opaque, (uint8_t)v);
    else
        write_counter(opaque, (unsigned)off, (uint8_t)v);
}

/* Counter 1 asks for a refresh every 15 us: the bit toggles with each. */
static uint64_t p61_read(void *opaque, paddr off, struct access a)
{
    struct pit *p = opaque;
    uint64_t t = now(p);

    settle(&p->c[2], t);
    return p->p61 | (t / 18 & 1 ? P61_REFRESH : 0) | (out(&p->c[2], t) ? P61_OUT2 : 0);
}

static void p61_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct pit *p = opaque;

    p->p61 = v & P61_KEEP;
    set_gate(&p->c[2], v & P61_GATE, now(p));
}

static const struct mmio_ops pit_ops = {.read = pit_read, .write = pit_write, .min = 1, .max = 1};
static const struct mmio_ops p61_ops = {.read = p61_read, .write = p61_write, .min = 1, .max = 1};

/* --- The device --- */

/* The data sheet leaves the state after power-on open; OUT of counter 0 is high, as in mode 3 without a count. */
static void pit_reset(struct dev *d)
{
    struct pit *p = pit_of(d);

    for (unsigned i = 0; i < 3; i++)
        p->c[i] = (struct counter){.control = RW_BOTH << 4 | 3 << 1, .gate = i != 2, .null = 1};
    p->p61 = 0;
    update(p);
}

static int pit_init(struct dev *d, struct err *e)
{
    struct pit *p = pit_of(d);

    timer_init(&p->timer, d->m, CLK_VIRT, rises, p);
    mem_init_mmio(&p->ports, "pit", 4, &pit_ops, p);
    mem_init_mmio(&p->port61, "pcspk", 1, &p61_ops, p);
    isa_add_io(d, &p->ports, 0x40, e);
    return isa_add_io(d, &p->port61, 0x61, e);
}

static void pit_fini(struct dev *d)
{
    timer_cancel(&pit_of(d)->timer);
}

static int counter_loaded(const struct counter *c, struct err *e)
{
    if (c->control > 0x3f || c->count > 65536 || c->next > 65536)
        return err_set(e, -EILSEQ, "control %#x, counts %u and %u", c->control, c->count, c->next);
    if (c->latched > 2 || (c->running && !c->count))
        return err_set(e, -EILSEQ, "%u bytes latched, count %u", c->latched, c->count);
    if (c->start > UINT64_MAX / 4 || c->paused > UINT64_MAX / 4) /* of a clock that has such a tick */
        return err_set(e, -EILSEQ, "started at tick %#" PRIx64, c->start);
    return 0;
}

static int pit_loaded(struct dev *d, int version, struct err *e)
{
    struct pit *p = pit_of(d);
    int r = 0;

    for (unsigned i = 0; i < 3 && r == 0; i++)
        r = counter_loaded(&p->c[i], e);
    return r;
}

static const struct state counter_state[] = {
    STATE(counter, control, S_U8, 1, "mode, RW, BCD"),
    STATE(counter, gate, S_U8, 1, NULL),
    STATE(counter, written, S_U8, 1, "the low byte has come"),
    STATE(counter, low, S_U8, 1, NULL),
    STATE(counter, odd_read, S_U8, 1, "the low byte was read"),
    STATE(counter, latched, S_U8, 1, "bytes left, 0..2"),
    STATE(counter, has_status, S_U8, 1, NULL),
    STATE(counter, status, S_U8, 1, NULL),
    STATE(counter, null, S_U8, 1, NULL),
    STATE(counter, running, S_U8, 1, NULL),
    STATE(counter, latch, S_U16, 1, NULL),
    STATE(counter, count, S_U32, 1, "0..65536"),
    STATE(counter, next, S_U32, 1, "from the next period on; 0: none"),
    STATE(counter, start, S_U64, 1, "ticks"),
    STATE(counter, held, S_U8, 1, "by the gate"),
    STATE(counter, paused, S_U64, 1, "ticks"),
    STATE_END,
};

static const struct state pit_state[] = {
    STATE_STRUCTS(pit, c, counter_state, 1, NULL),
    STATE(pit, p61, S_U8, 1, "port 61h"),
    STATE_TIMER(pit, timer, 1, NULL),
    STATE_END,
};

const struct dev_type dev_i8254 = {
    .name = "isa-pit",
    .help = "8254 interval timer",
    .class = DEV_BOARD,
    .bus = "isa",
    .size = sizeof(struct pit),
    .state = pit_state,
    .state_version = 1,
    .init = pit_init,
    .reset = pit_reset,
    .fini = pit_fini,
    .loaded = pit_loaded,
    .trace = pit_trace,
};
