/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "mc146818rtc": real time clock and CMOS memory of a PC.
 * Source: Motorola MC146818A data sheet, ADI1033R1; the century at 32h: IBM PS/2 and PC BIOS Interface Technical Reference.
 *
 * With lost_tick_policy=slew (-rtc driftfix=slew) periodic interrupts that came while the guest had not yet read register C for the last one are
 * counted, and follow, half a period after each reading, until it has had them all: who counts time by them gets it right.
 *
 * The clock does not tick: time is computed from the machine's calendar.  Flags that nobody is interrupted by are
 * found when register C is read.
 */
#include "dev/rtc/mc146818.h"

#include "base/trace.h"
#include "dev/isa/isa.h"
#include "schema/keyval.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <string.h>

enum {
    SECONDS,
    SECONDS_ALARM,
    MINUTES,
    MINUTES_ALARM,
    HOURS,
    HOURS_ALARM,
    DAY_OF_WEEK,
    DAY_OF_MONTH,
    MONTH,
    YEAR,
    REG_A,
    REG_B,
    REG_C,
    REG_D,
};
enum { A_UIP = 0x80, A_DV = 0x70, A_DV_32K = 0x20, A_RS = 0x0f };
enum { B_SET = 0x80, B_PIE = 0x40, B_AIE = 0x20, B_UIE = 0x10, B_DM = 0x04, B_24 = 0x02 };
enum { C_IRQF = 0x80, C_PF = 0x40, C_AF = 0x20, C_UF = 0x10, D_VRT = 0x80 };
enum { UIP_NS = 244000 + 1984000, HZ = 32768, DAY = 86400 };
enum { SLEW_MAX = 60 /* seconds: who reads nothing for longer is not counting */ };
enum { DISCARD, SLEW };

struct rtc {
    struct dev dev;
    uint8_t cmos[CMOS_SIZE];
    uint8_t index;
    int64_t offset;        /* seconds from the machine's calendar to ours: up to year 16665 */
    int64_t looked;        /* second until which update and alarm are in register C */
    uint64_t period_base;  /* virtual ns at which the periodic divider was last set */
    uint64_t periods;      /* since then, that are in register C */
    uint64_t lost;         /* periods that are owed to the guest */
    struct timer periodic; /* PIE: the next one */
    struct timer again;    /* of those that are owed */
    struct timer update;   /* UIE: the next second; AIE: the next alarm */
    struct mem ports;
    uint64_t base_year, iobase, irq;
    int lost_tick_policy;
};

enum { TP_SET, TP_IRQ };
static struct trace_point rtc_trace[] = {
    [TP_SET] = {.name = "mc146818_set"}, [TP_IRQ] = {.name = "mc146818_irq"}, {.name = NULL}};

static struct rtc *rtc_of(struct dev *d)
{
    return (struct rtc *)d;
}

/* Rounded down, for times before 1970 too. */
static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* --- Time and its digits --- */

/* The divider chain counts, and the guest is not setting it. */
static bool ticks(const struct rtc *r)
{
    return (r->cmos[REG_A] & A_DV) == A_DV_32K && !(r->cmos[REG_B] & B_SET);
}

static int64_t calendar(struct rtc *r)
{
    return floor_div(clock_now(r->dev.m, CLK_RTC), NS_PER_S);
}

static int64_t time_s(struct rtc *r)
{
    return calendar(r) + r->offset;
}

static uint8_t digits(const struct rtc *r, unsigned v)
{
    return (uint8_t)(r->cmos[REG_B] & B_DM ? v : v / 10 % 10 << 4 | v % 10);
}

static unsigned number(const struct rtc *r, uint8_t v)
{
    return r->cmos[REG_B] & B_DM ? v : (v >> 4) * 10u + (v & 15u);
}

static uint8_t hour_digits(const struct rtc *r, unsigned h)
{
    if (r->cmos[REG_B] & B_24)
        return digits(r, h);
    return digits(r, h % 12 ? h % 12 : 12) | (h >= 12 ? 0x80 : 0);
}

static unsigned hour_number(const struct rtc *r, uint8_t v)
{
    if (r->cmos[REG_B] & B_24)
        return number(r, v);
    return number(r, v & 0x7f) % 12 + (v & 0x80 ? 12 : 0);
}

/* Days since 1970-01-01 in the Gregorian calendar, and back; years begin with March, so leap days come last. */
static int64_t days_of(int64_t y, int64_t m, int64_t d)
{
    int64_t mm = y * 12 + m - 3, era;

    y = floor_div(mm, 12);
    m = mm - y * 12;
    era = floor_div(y, 400);
    y -= era * 400;
    return era * 146097 + y * 365 + y / 4 - y / 100 + (153 * m + 2) / 5 + d - 1 - 719468;
}

static void date_of(int64_t days, int64_t *y, unsigned *m, unsigned *d)
{
    int64_t era, doe, yoe, doy, mp;

    days += 719468;
    era = floor_div(days, 146097);
    doe = days - era * 146097;
    yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    mp = (5 * doy + 2) / 153;
    *d = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
    *m = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
    *y = yoe + era * 400 + (*m <= 2);
}

/* The time of day into the registers that show it. */
static void show(struct rtc *r)
{
    int64_t s = time_s(r), days = floor_div(s, DAY), y;
    unsigned t = (unsigned)(s - days * DAY), m, d;

    date_of(days, &y, &m, &d);
    y -= (int64_t)r->base_year;
    y = y < 0 ? 0 : y % 10000;
    r->cmos[SECONDS] = digits(r, t % 60);
    r->cmos[MINUTES] = digits(r, t / 60 % 60);
    r->cmos[HOURS] = hour_digits(r, t / 3600);
    r->cmos[DAY_OF_WEEK] = (uint8_t)((((days + 4) % 7) + 7) % 7 + 1); /* 1970 began with a Thursday; 1: Sunday */
    r->cmos[DAY_OF_MONTH] = digits(r, d);
    r->cmos[MONTH] = digits(r, m);
    r->cmos[YEAR] = digits(r, (unsigned)(y % 100));
    r->cmos[CMOS_CENTURY] = digits(r, (unsigned)(y / 100));
}

static void tell_change(struct rtc *r)
{
    struct json_object *data = json_object_new_object();

    json_object_object_add(data, "offset", json_object_new_int64(r->offset));
    json_object_object_add(data, "qom-path", json_object_new_string("/machine/unattached/rtc"));
    machine_event(r->dev.m, "RTC_CHANGE", data);
}

/* And from them: fields out of range carry over, as in any sum. */
static void take(struct rtc *r)
{
    const uint8_t *c = r->cmos;
    int64_t y = (int64_t)number(r, c[YEAR]) + number(r, c[CMOS_CENTURY]) * 100ll + (int64_t)r->base_year;
    int64_t s = days_of(y, number(r, c[MONTH]), number(r, c[DAY_OF_MONTH])) * DAY +
                hour_number(r, c[HOURS]) * 3600ll + number(r, c[MINUTES]) * 60ll +
                number(r, c[SECONDS]);
    int64_t was = r->offset;

    r->offset = s - calendar(r);
    r->looked = time_s(r);
    TRACE(&rtc_trace[TP_SET], "seconds=%" PRId64, s);
    if (r->offset != was)
        tell_change(r);
}

/* --- Interrupts --- */

static void update_irq(struct rtc *r)
{
    uint8_t *c = &r->cmos[REG_C];
    bool up = *c & r->cmos[REG_B] & (C_PF | C_AF | C_UF);

    *c = up ? *c | C_IRQF : *c & ~C_IRQF;
    if (up != r->dev.irq[0].level)
        TRACE(&rtc_trace[TP_IRQ], "c=%#x", *c);
    irq_set(&r->dev.irq[0], up);
}

/* Does alarm register @reg say @v?  Two highest bits set: don't care. */
static bool alarm_says(const struct rtc *r, unsigned reg, unsigned v)
{
    uint8_t a = r->cmos[reg];

    return (a & 0xc0) == 0xc0 || (reg == HOURS_ALARM ? hour_number(r, a) : number(r, a)) == v;
}

/* The first second after @s at which the alarm rings; INT64_MAX: it never does.  Hours, minutes and seconds that do not fit are
 * left behind whole: some 150 steps at most. */
static int64_t next_alarm(const struct rtc *r, int64_t s)
{
    int64_t end = s + DAY;

    for (s++; s <= end;) {
        unsigned t = (unsigned)(s - floor_div(s, DAY) * DAY);

        if (!alarm_says(r, HOURS_ALARM, t / 3600))
            s += 3600 - t % 3600;
        else if (!alarm_says(r, MINUTES_ALARM, t / 60 % 60))
            s += 60 - t % 60;
        else if (!alarm_says(r, SECONDS_ALARM, t % 60))
            s++;
        else
            return s;
    }
    return INT64_MAX;
}

/* Ticks of 32768 Hz between periodic interrupts; 0: none. */
static unsigned period(const struct rtc *r)
{
    unsigned rs = r->cmos[REG_A] & A_RS;

    if (!rs || (r->cmos[REG_A] & A_DV) != A_DV_32K)
        return 0;
    return 1u << (rs <= 2 ? rs + 6 : rs - 1);
}

static uint64_t periods_now(struct rtc *r)
{
    uint64_t ns = (uint64_t)clock_now(r->dev.m, CLK_VIRT) - r->period_base;

    return period(r) ? (uint64_t)((__uint128_t)ns * HZ / ((uint64_t)NS_PER_S * period(r))) : 0;
}

/* @n more periods ended: the first sets PF if that was read, the others have no place there. */
static void count_lost(struct rtc *r, uint64_t n)
{
    uint64_t most = (uint64_t)SLEW_MAX * HZ / period(r);

    if (r->lost_tick_policy != SLEW || !(r->cmos[REG_B] & B_PIE))
        return;
    r->lost += n - !(r->cmos[REG_C] & C_PF);
    r->lost = r->lost < most ? r->lost : most;
}

/* What has happened until now goes into register C. */
static void look(struct rtc *r)
{
    uint64_t n = periods_now(r);
    int64_t s = time_s(r);

    if (n > r->periods) {
        count_lost(r, n - r->periods);
        r->cmos[REG_C] |= C_PF;
    }
    r->periods = n;
    if (s > r->looked && ticks(r)) {
        r->cmos[REG_C] |= C_UF;
        if (next_alarm(r, r->looked) <= s)
            r->cmos[REG_C] |= C_AF;
    }
    r->looked = s;
    update_irq(r);
}

static void arm(struct rtc *r)
{
    uint8_t b = r->cmos[REG_B];
    int64_t s = INT64_MAX;

    timer_cancel(&r->periodic);
    timer_cancel(&r->update);
    if (b & B_PIE && period(r)) {
        __uint128_t ns = ((__uint128_t)(r->periods + 1) * period(r) * NS_PER_S + HZ - 1) / HZ;

        timer_at(&r->periodic, (int64_t)((uint64_t)ns + r->period_base));
    }
    if (ticks(r) && b & B_UIE)
        s = r->looked + 1;
    else if (ticks(r) && b & B_AIE)
        s = next_alarm(r, r->looked);
    if (s != INT64_MAX)
        timer_at(&r->update, (s - r->offset) * NS_PER_S);
}

static void fired(void *opaque)
{
    look(opaque);
    arm(opaque);
}

/* The guest has read register C: one that it did not get may follow. */
static void arm_again(struct rtc *r)
{
    int64_t half = (int64_t)period(r) * NS_PER_S / HZ / 2;

    if (r->lost && !(r->cmos[REG_C] & C_PF))
        timer_at(&r->again, clock_now(r->dev.m, CLK_VIRT) + half);
}

static void once_more(void *opaque)
{
    struct rtc *r = opaque;

    look(r);
    if (r->lost && !(r->cmos[REG_C] & C_PF)) { /* else the next one's time has come: reading that comes here again */
        r->lost--;
        r->cmos[REG_C] |= C_PF;
        update_irq(r);
    }
    arm(r);
}

/* @was: the period until now.  What is owed is owed in time. */
static void restart_periods(struct rtc *r, unsigned was)
{
    r->lost = period(r) ? r->lost * was / period(r) : 0;
    r->period_base = (uint64_t)clock_now(r->dev.m, CLK_VIRT);
    r->periods = 0;
}

/* --- Registers --- */

static bool is_time(unsigned reg)
{
    return reg == SECONDS || reg == MINUTES || reg == HOURS ||
           (reg >= DAY_OF_WEEK && reg <= YEAR) || reg == CMOS_CENTURY;
}

static uint8_t read_c(struct rtc *r)
{
    uint8_t v;

    look(r);
    v = r->cmos[REG_C];
    r->cmos[REG_C] = 0;
    update_irq(r);
    arm(r);
    arm_again(r);
    return v;
}

/* UIP: an update is less than 244 us away, or under way. */
static uint8_t read_a(struct rtc *r)
{
    int64_t left = (calendar(r) + 1) * NS_PER_S - clock_now(r->dev.m, CLK_RTC);

    return r->cmos[REG_A] | (ticks(r) && left < UIP_NS ? A_UIP : 0);
}

static uint64_t rtc_read(void *opaque, paddr off, struct access a)
{
    struct rtc *r = opaque;

    if (!(off & 1))
        return 0xff; /* the index cannot be read */
    if (is_time(r->index) && ticks(r))
        show(r);
    switch (r->index) {
    case REG_A:
        return read_a(r);
    case REG_C:
        return a.debug ? r->cmos[REG_C] : read_c(r);
    case REG_D:
        return D_VRT;
    }
    return r->cmos[r->index];
}

static void write_a(struct rtc *r, uint8_t v)
{
    bool ticked = ticks(r);
    uint8_t changed = r->cmos[REG_A] ^ v;
    unsigned was = period(r);

    look(r);
    if (ticked)
        show(r);
    r->cmos[REG_A] = v & ~A_UIP;
    if (!ticked && ticks(r))
        take(r);
    if (changed & ~A_UIP)
        restart_periods(r, was);
    arm(r);
}

static void write_b(struct rtc *r, uint8_t v)
{
    bool ticked = ticks(r);

    look(r);
    if (ticked)
        show(r); /* in the old format: setting begins with the time as it is */
    if (v & B_SET)
        v &= ~B_UIE; /* data sheet: SET clears UIE */
    if (ticked && !(v & B_SET)) {
        r->cmos[REG_B] = v;
        show(r); /* and in the new one */
    }
    r->cmos[REG_B] = v;
    if (!(v & B_PIE))
        r->lost = 0;
    if (!ticked && ticks(r))
        take(r);
    update_irq(r);
    arm(r);
}

static void write_data(struct rtc *r, uint8_t v)
{
    switch (r->index) {
    case REG_A:
        write_a(r, v);
        return;
    case REG_B:
        write_b(r, v);
        return;
    case REG_C:
    case REG_D:
        return; /* read-only */
    }
    look(r);
    if (is_time(r->index) && ticks(r)) {
        show(r);
        r->cmos[r->index] = v;
        take(r);
    }
    r->cmos[r->index] = v;
    arm(r);
}

static void rtc_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct rtc *r = opaque;

    if (off & 1) {
        write_data(r, (uint8_t)v);
        return;
    }
    r->index = v & 0x7f; /* bit 7 masks NMI, of which there is none */
    if (r->index == CMOS_CENTURY_PS2)
        r->index = CMOS_CENTURY;
}

static const struct mmio_ops rtc_ops = {.read = rtc_read, .write = rtc_write, .min = 1, .max = 1};

void mc146818_set(struct dev *d, unsigned reg, uint8_t value)
{
    if (reg < CMOS_SIZE)
        rtc_of(d)->cmos[reg] = value;
}

uint8_t mc146818_get(struct dev *d, unsigned reg)
{
    return reg < CMOS_SIZE ? rtc_of(d)->cmos[reg] : 0;
}

/* --- The device --- */

/* RESET# clears the interrupt enables and flags; time and memory are kept by the battery. */
static void rtc_reset(struct dev *d)
{
    struct rtc *r = rtc_of(d);

    r->cmos[REG_B] &= ~(B_PIE | B_AIE | B_UIE | 0x08);
    r->cmos[REG_C] = 0;
    r->index = 0;
    r->lost = 0;
    timer_cancel(&r->again);
    r->looked = time_s(r);
    update_irq(r);
    arm(r);
}

static int rtc_init(struct dev *d, struct err *e)
{
    struct rtc *r = rtc_of(d);

    if (r->irq >= ISA_IRQS)
        return err_set(e, -EINVAL, "irq=%" PRIu64 ": want 0 to %d", r->irq, ISA_IRQS - 1);
    if (r->base_year > 9999)
        return err_set(e, -EINVAL, "base_year=%" PRIu64 ": want 0 to 9999", r->base_year);
    r->cmos[REG_A] = A_DV_32K | 6;
    r->cmos[REG_B] = B_24;
    timer_init(&r->periodic, d->m, CLK_VIRT, fired, r);
    timer_init(&r->again, d->m, CLK_VIRT, once_more, r);
    timer_init(&r->update, d->m, CLK_RTC, fired, r);
    mem_init_mmio(&r->ports, "rtc", 2, &rtc_ops, r);
    return isa_add_io(d, &r->ports, r->iobase, e);
}

static void rtc_fini(struct dev *d)
{
    timer_cancel(&rtc_of(d)->periodic);
    timer_cancel(&rtc_of(d)->again);
    timer_cancel(&rtc_of(d)->update);
}

static void rtc_saving(struct dev *d)
{
    if (ticks(rtc_of(d)))
        show(rtc_of(d));
}

static int rtc_loaded(struct dev *d, int version, struct err *e)
{
    struct rtc *r = rtc_of(d);
    const int64_t far = 1ll << 40, late = INT64_MAX / 4;

    if (r->index >= CMOS_SIZE)
        return err_set(e, -EILSEQ, "index %u: 0..127", r->index);
    if (r->offset > far || r->offset < -far || r->looked > far || r->looked < -far ||
        r->looked - r->offset > 1ll << 33 || r->looked - r->offset < -(1ll << 33) ||
        r->period_base > (uint64_t)late || r->periods > (uint64_t)late || r->lost > SLEW_MAX * HZ)
        return err_set(e, -EILSEQ, "offset %" PRId64 " s, last looked at %" PRId64, r->offset,
                       r->looked);
    arm(r);
    arm_again(r);
    return 0;
}

static const char *const policies[] = {[DISCARD] = "discard", [SLEW] = "slew", NULL};

static const struct field rtc_props[] = {
    FIELD(rtc, base_year, F_U64, "base_year", "0", "year that the clock calls 0"),
    FIELD(rtc, iobase, F_U64, "iobase", "112", "first port"),
    FIELD(rtc, irq, F_U64, "irq", "8", "interrupt"),
    FIELD_ENUM(rtc, lost_tick_policy, policies, "lost_tick_policy", "discard",
               "what becomes of periodic interrupts that come too late"),
    FIELD_END,
};

static const struct state rtc_state[] = {
    STATE(rtc, cmos, S_U8, 1, NULL),
    STATE(rtc, index, S_U8, 1, NULL),
    STATE(rtc, offset, S_U64, 1, "seconds from the machine's calendar"),
    STATE(rtc, looked, S_U64, 1, "seconds"),
    STATE(rtc, period_base, S_U64, 1, "virtual ns"),
    STATE(rtc, periods, S_U64, 1, "since then"),
    STATE(rtc, lost, S_U64, 2, "periods that the guest is to get later"),
    STATE_END,
};

const struct dev_type dev_mc146818 = {
    .name = "mc146818rtc",
    .help = "real time clock and CMOS memory of a PC",
    .class = DEV_BOARD,
    .bus = "isa",
    .size = sizeof(struct rtc),
    .props = rtc_props,
    .state = rtc_state,
    .state_version = 2,
    .init = rtc_init,
    .reset = rtc_reset,
    .fini = rtc_fini,
    .saving = rtc_saving,
    .loaded = rtc_loaded,
    .trace = rtc_trace,
};
