/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The performance monitor, PMUv3 (Arm ARM DDI 0487, D12): the cycle counter and the events SW_INCR and CPU_CYCLES.
 *
 * A cycle is a nanosecond of the machine's virtual clock.  Counters are brought up to date when somebody looks, and when the next
 * one that asks for an interrupt overflows, and, when some counter does not count everywhere, at each change of the exception level.
 */
#include "guest/aarch64/sysreg_priv.h"

enum { CR_E = 1, CR_P = 2, CR_C = 4, CR_D = 8, CR_LC = 64, CR_N = 11, CR_IMP = 24 };
enum { EV_SW_INCR = 0, EV_CPU_CYCLES = 0x11, CYCLE = 31 };
#define CYCLE_BIT (1ull << CYCLE)

static uint64_t counters_mask(const struct a64_sys *s)
{
    return ((1ull << s->core->counters) - 1) | CYCLE_BIT;
}

/* Bits of PMEVTYPER<n>_EL0 and PMCCFILTR_EL0 (D19.5.2): not at EL1, not at EL0, at EL2. */
#define FILTER_P   (1ull << 31)
#define FILTER_U   (1ull << 30)
#define FILTER_NSH (1ull << 27)

static uint64_t filter_of(const struct a64_sys *s, unsigned n)
{
    return n == CYCLE ? s->pmccfiltr : s->pmevtyper[n];
}

static bool counts_at(uint64_t filter, unsigned el)
{
    return el == 2 ? filter & FILTER_NSH : !(filter & (el ? FILTER_P : FILTER_U));
}

static bool enabled(const struct a64_sys *s, unsigned n)
{
    return (s->pmcr & CR_E) && (s->pmcnten >> n & 1);
}

static bool runs(const struct a64_sys *s, unsigned n)
{
    if (!enabled(s, n) || !counts_at(filter_of(s, n), __atomic_load_n(&s->pmu_el, __ATOMIC_RELAXED)))
        return false;
    return n == CYCLE || (s->pmevtyper[n] & 0xffff) == EV_CPU_CYCLES;
}

/* Adds to a counter of 32 or 64 bits; an overflow is noted. */
static void count(struct a64_sys *s, unsigned n, uint64_t *value, uint64_t by, bool wide)
{
    uint64_t old = *value;

    *value += by;
    if (wide ? *value < old : (old & 0xffffffff) + by > 0xffffffff)
        s->pmovs |= 1ull << n;
    if (n != CYCLE)
        *value &= 0xffffffff;
}

static void catch_up(struct a64_sys *s)
{
    uint64_t now = (uint64_t)clock_now(s->m, CLK_VIRT), by = now - s->pmu_last;

    if (s->pmcr & CR_D) { /* every 64th; the rest stays for the next time */
        uint64_t left = by % 64;

        if (runs(s, CYCLE))
            count(s, CYCLE, &s->pmccntr, by / 64, s->pmcr & CR_LC);
        by -= left;
        now -= left;
    } else if (runs(s, CYCLE)) {
        count(s, CYCLE, &s->pmccntr, by, s->pmcr & CR_LC);
    }
    for (unsigned n = 0; n < s->core->counters; n++)
        if (runs(s, n))
            count(s, n, &s->pmevcntr[n], by, false);
    s->pmu_last = now;
}

/* Nanoseconds until counter @n overflows. */
static uint64_t until_overflow(const struct a64_sys *s, unsigned n)
{
    uint64_t v = n == CYCLE ? s->pmccntr : s->pmevcntr[n];
    uint64_t left = n == CYCLE && (s->pmcr & CR_LC) ? ~v : 0xffffffff - (v & 0xffffffff);
    unsigned per = n == CYCLE && (s->pmcr & CR_D) ? 64 : 1;

    return left >= INT64_MAX / 128 ? INT64_MAX / 2 : (left + 1) * per;
}

/* Does it matter at which level we are? */
static bool filters(const struct a64_sys *s)
{
    bool any = false;

    for (unsigned n = 0; n <= CYCLE; n++)
        if ((n < s->core->counters || n == CYCLE) && enabled(s, n))
            any |= (filter_of(s, n) & (FILTER_P | FILTER_U)) || (s->conf.el2 && !(filter_of(s, n) & FILTER_NSH));
    return any;
}

static void schedule(struct a64_sys *s)
{
    uint64_t best = INT64_MAX / 2;

    __atomic_store_n(&s->pmu_filters, filters(s), __ATOMIC_RELAXED);
    for (unsigned n = 0; n <= CYCLE; n++)
        if ((n < s->core->counters || n == CYCLE) && runs(s, n) && (s->pminten & ~s->pmovs) >> n & 1 &&
            until_overflow(s, n) < best)
            best = until_overflow(s, n);
    if (best == INT64_MAX / 2)
        timer_cancel(&s->pmu_timer);
    else
        timer_at(&s->pmu_timer, (int64_t)(s->pmu_last + best));
    irq_set(&s->pmu_line, (s->pmcr & CR_E) && (s->pmovs & s->pminten));
}

void a64_pmu_update(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);

    if (!s->conf.pmu)
        return;
    machine_lock(s->m);
    catch_up(s);
    schedule(s);
    machine_unlock(s->m);
}

void a64_pmu_level(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);
    bool matters = s->conf.pmu && __atomic_load_n(&s->pmu_filters, __ATOMIC_RELAXED);

    if (matters) {
        machine_lock(s->m);
        catch_up(s);
    }
    __atomic_store_n(&s->pmu_el, s->el, __ATOMIC_RELAXED);
    if (matters) {
        schedule(s);
        machine_unlock(s->m);
    }
}

static void fired(void *opaque)
{
    a64_pmu_update(opaque);
}

void a64_pmu_init(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);

    timer_init(&s->pmu_timer, s->m, CLK_VIRT, fired, cpu);
}

struct irq_line *a64_pmu_line(struct cpu *cpu)
{
    return &a64s(cpu)->pmu_line;
}

/* A change between two looks at the clock. */
static struct a64_sys *begin(struct cpu *cpu)
{
    machine_lock(a64s(cpu)->m);
    catch_up(a64s(cpu));
    return a64s(cpu);
}

static void end(struct a64_sys *s)
{
    schedule(s);
    machine_unlock(s->m);
}

/* --- Control --- */

uint64_t rd_pmcr(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);

    return s->pmcr | (uint64_t)s->core->counters << CR_N | (uint64_t)s->core->pmu_id << 16 | 0x41ull << CR_IMP;
}

void wr_pmcr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = begin(cpu);

    if (v & CR_C)
        s->pmccntr = 0;
    for (unsigned n = 0; (v & CR_P) && n < A64_MAX_COUNTERS; n++)
        s->pmevcntr[n] = 0;
    s->pmcr = v & (CR_E | CR_D | 1 << 4 | 1 << 5 | CR_LC);
    end(s);
}

/* The set and clear registers: of enabled counters, interrupts, overflows. */
static void change(struct cpu *cpu, uint64_t *field, uint64_t v, bool set)
{
    struct a64_sys *s = begin(cpu);

    v &= counters_mask(s);
    *field = set ? *field | v : *field & ~v;
    end(s);
}

uint64_t rd_pmcnten(struct cpu *cpu, unsigned reg) { return a64s(cpu)->pmcnten; }
void wr_pmcntenset(struct cpu *cpu, unsigned reg, uint64_t v) { change(cpu, &a64s(cpu)->pmcnten, v, true); }
void wr_pmcntenclr(struct cpu *cpu, unsigned reg, uint64_t v) { change(cpu, &a64s(cpu)->pmcnten, v, false); }
uint64_t rd_pmintenset(struct cpu *cpu, unsigned reg) { return a64s(cpu)->pminten; }
void wr_pmintenset(struct cpu *cpu, unsigned reg, uint64_t v) { change(cpu, &a64s(cpu)->pminten, v, true); }
void wr_pmintenclr(struct cpu *cpu, unsigned reg, uint64_t v) { change(cpu, &a64s(cpu)->pminten, v, false); }
void wr_pmovsset(struct cpu *cpu, unsigned reg, uint64_t v) { change(cpu, &a64s(cpu)->pmovs, v, true); }
void wr_pmovsclr(struct cpu *cpu, unsigned reg, uint64_t v) { change(cpu, &a64s(cpu)->pmovs, v, false); }

uint64_t rd_pmovs(struct cpu *cpu, unsigned reg)
{
    end(begin(cpu));
    return a64s(cpu)->pmovs;
}

void wr_pmswinc(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = begin(cpu);

    for (unsigned n = 0; n < s->core->counters; n++)
        if ((v & s->pmcnten) >> n & 1 && (s->pmcr & CR_E) && (s->pmevtyper[n] & 0xffff) == EV_SW_INCR &&
            counts_at(s->pmevtyper[n], s->el))
            count(s, n, &s->pmevcntr[n], 1, false);
    end(s);
}

void wr_pmselr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->pmselr = v & 31;
}

void wr_pmuserenr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->pmuserenr = v & 15;
}

uint64_t rd_pmceid0(struct cpu *cpu, unsigned reg)
{
    return 1ull << EV_SW_INCR | 1ull << EV_CPU_CYCLES;
}

/* --- Counters --- */

uint64_t rd_pmccntr(struct cpu *cpu, unsigned reg)
{
    end(begin(cpu));
    return a64s(cpu)->pmccntr;
}

void wr_pmccntr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = begin(cpu);

    s->pmccntr = v;
    end(s);
}

/* Number @n: an event counter, or 31, the cycle counter; others do not exist and read as zero. */
static uint64_t get_counter(struct cpu *cpu, unsigned n)
{
    end(begin(cpu));
    return n == CYCLE ? a64s(cpu)->pmccntr : n < a64s(cpu)->core->counters ? a64s(cpu)->pmevcntr[n] : 0;
}

static void set_counter(struct cpu *cpu, unsigned n, uint64_t v)
{
    struct a64_sys *s = begin(cpu);

    if (n == CYCLE)
        s->pmccntr = v;
    else if (n < s->core->counters)
        s->pmevcntr[n] = (uint32_t)v;
    end(s);
}

static uint64_t get_type(const struct a64_sys *s, unsigned n)
{
    return n == CYCLE ? s->pmccfiltr : n < s->core->counters ? s->pmevtyper[n] : 0;
}

/* PMUv3.1 made event numbers longer. */
static uint64_t event_mask(const struct a64_sys *s)
{
    return a64_id_field(s->core->dfr0, 8) >= 4 ? 0xffff : 0x3ff;
}

static void set_type(struct cpu *cpu, unsigned n, uint64_t v)
{
    struct a64_sys *s = begin(cpu);

    if (n == CYCLE)
        s->pmccfiltr = v & 0xfc000000;
    else if (n < s->core->counters)
        s->pmevtyper[n] = v & (0xfe000000 | event_mask(s));
    end(s);
}

static unsigned number(unsigned reg)
{
    return a64_regs[reg].enc & 7;
}

uint64_t rd_pmevcntr(struct cpu *cpu, unsigned reg) { return get_counter(cpu, number(reg)); }
void wr_pmevcntr(struct cpu *cpu, unsigned reg, uint64_t v) { set_counter(cpu, number(reg), v); }
uint64_t rd_pmevtyper(struct cpu *cpu, unsigned reg) { return get_type(a64s(cpu), number(reg)); }
void wr_pmevtyper(struct cpu *cpu, unsigned reg, uint64_t v) { set_type(cpu, number(reg), v); }
uint64_t rd_pmccfiltr(struct cpu *cpu, unsigned reg) { return a64s(cpu)->pmccfiltr; }
void wr_pmccfiltr(struct cpu *cpu, unsigned reg, uint64_t v) { set_type(cpu, CYCLE, v); }
uint64_t rd_pmxevcntr(struct cpu *cpu, unsigned reg) { return get_counter(cpu, (unsigned)a64s(cpu)->pmselr); }
void wr_pmxevcntr(struct cpu *cpu, unsigned reg, uint64_t v) { set_counter(cpu, (unsigned)a64s(cpu)->pmselr, v); }
uint64_t rd_pmxevtyper(struct cpu *cpu, unsigned reg) { return get_type(a64s(cpu), (unsigned)a64s(cpu)->pmselr); }
void wr_pmxevtyper(struct cpu *cpu, unsigned reg, uint64_t v) { set_type(cpu, (unsigned)a64s(cpu)->pmselr, v); }
