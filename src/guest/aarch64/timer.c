/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic timers: physical and virtual counter, and the timers of EL1 and EL2 (Arm ARM DDI 0487, D11).
 *
 * The system counter is the machine's virtual clock, at 62.5 MHz.  Timers are changed under the machine's lock, as they end in
 * interrupt lines; counters are read without.
 */
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/sysreg_priv.h"

enum { NS_PER_TICK = 16, FREQUENCY = 62500000 };
enum { CTL_ENABLE = 1, CTL_IMASK = 2, CTL_ISTATUS = 4 };

static uint64_t counter(const struct a64_sys *s)
{
    return (uint64_t)clock_now(s->m, CLK_VIRT) / NS_PER_TICK;
}

/* What the virtual counter is behind, for who looks. */
static uint64_t virtual_offset(const struct a64_sys *s)
{
    bool host = s->el == 2 ? (hcr_of(s) & HCR_E2H) != 0 : s->el == 0 && host_el0(s);

    return s->conf.el2 && !host ? s->cntvoff : 0;
}

static uint64_t offset_of(const struct a64_sys *s, enum a64_timer which)
{
    return which == A64_TIMER_VIRT && s->conf.el2 ? s->cntvoff : 0;
}

static bool met(const struct a64_sys *s, enum a64_timer which)
{
    return counter(s) - offset_of(s, which) >= s->cnt_cval[which];
}

/* When the clock gets to what is still ahead; far away when it never does. */
static int64_t due(const struct a64_sys *s, enum a64_timer which)
{
    uint64_t at = s->cnt_cval[which] + offset_of(s, which);

    if (at < s->cnt_cval[which] || at > (uint64_t)INT64_MAX / NS_PER_TICK)
        return INT64_MAX;
    return (int64_t)(at * NS_PER_TICK);
}

void a64_timer_update(struct cpu *cpu, enum a64_timer which)
{
    struct a64_sys *s = a64s(cpu);
    struct a64_gtimer *t = &s->gt[which];
    int64_t at = INT64_MAX;
    bool on;

    machine_lock(s->m);
    on = (s->cnt_ctl[which] & CTL_ENABLE) && met(s, which);
    if ((s->cnt_ctl[which] & CTL_ENABLE) && !on)
        at = due(s, which);
    if (at != INT64_MAX)
        timer_at(&t->timer, at);
    else
        timer_cancel(&t->timer);
    irq_set(&t->line, on && !(s->cnt_ctl[which] & CTL_IMASK));
    machine_unlock(s->m);
}

static void fired(void *opaque)
{
    struct a64_gtimer *t = opaque;

    a64_timer_update(t->cpu, (enum a64_timer)(t - a64s(t->cpu)->gt));
}

void a64_timer_init(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);

    for (unsigned i = 0; i < A64_NUM_TIMERS; i++) {
        s->gt[i].cpu = cpu;
        timer_init(&s->gt[i].timer, s->m, CLK_VIRT, fired, &s->gt[i]);
    }
}

struct irq_line *a64_timer_line(struct cpu *cpu, enum a64_timer which)
{
    return &a64s(cpu)->gt[which].line;
}

/* --- Registers --- */

static enum a64_timer timer_of(unsigned reg)
{
    unsigned op1 = a64_regs[reg].enc >> 11 & 7;
    bool virt = (a64_regs[reg].enc >> 3 & 15) == 3;

    if (op1 == 4)
        return virt ? A64_TIMER_HYPVIRT : A64_TIMER_HYP;
    return virt ? A64_TIMER_VIRT : A64_TIMER_PHYS;
}

uint64_t rd_cntpct(struct cpu *cpu, unsigned reg)
{
    return counter(a64s(cpu));
}

uint64_t rd_cntvct(struct cpu *cpu, unsigned reg)
{
    return counter(a64s(cpu)) - virtual_offset(a64s(cpu));
}

/* @physical: the counter without an offset. */
uint64_t help_vct(struct cpu *cpu, uint64_t physical, uint64_t b, uint64_t c)
{
    return physical ? rd_cntpct(cpu, 0) : rd_cntvct(cpu, 0);
}

uint64_t rd_timer_ctl(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);
    enum a64_timer which = timer_of(reg);
    uint64_t ctl = s->cnt_ctl[which];

    return ctl | ((ctl & CTL_ENABLE) && met(s, which) ? CTL_ISTATUS : 0);
}

void wr_timer_ctl(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = a64s(cpu);

    machine_lock(s->m);
    s->cnt_ctl[timer_of(reg)] = v & (CTL_ENABLE | CTL_IMASK);
    a64_timer_update(cpu, timer_of(reg));
    machine_unlock(s->m);
}

uint64_t rd_timer_cval(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->cnt_cval[timer_of(reg)];
}

void wr_timer_cval(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = a64s(cpu);

    machine_lock(s->m);
    s->cnt_cval[timer_of(reg)] = v;
    a64_timer_update(cpu, timer_of(reg));
    machine_unlock(s->m);
}

uint64_t rd_timer_tval(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);
    enum a64_timer which = timer_of(reg);

    return (uint32_t)(s->cnt_cval[which] - (counter(s) - offset_of(s, which)));
}

void wr_timer_tval(struct cpu *cpu, unsigned reg, uint64_t v)
{
    const struct a64_sys *s = a64s(cpu);

    wr_timer_cval(cpu, reg, counter(s) - offset_of(s, timer_of(reg)) + (uint64_t)(int64_t)(int32_t)v);
}

void wr_cntvoff(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->cntvoff = v;
    a64_timer_update(cpu, A64_TIMER_VIRT);
}

void wr_cntkctl(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->cntkctl = v & 0x3ff;
    a64_update_mode(cpu);
}

void wr_cnthctl(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->cnthctl = v & 0xfff;
    a64_update_mode(cpu);
}

/* CNTKCTL_EL1: EVNTEN, EVNTDIR, EVNTI: an event whenever that bit of the virtual counter changes so. */
uint64_t a64_event_stream_ns(const struct a64_sys *s)
{
    enum { EVNTEN = 1 << 2, EVNTDIR = 1 << 3, LONGEST = 100000 };
    uint64_t ctl = host_el0(s) || s->el == 2 ? s->cnthctl : s->cntkctl, now, half, ns;

    if (!(ctl & EVNTEN))
        return 0;
    half = 1ull << a64_bits(ctl, 4, 4);
    now = counter(s) - virtual_offset(s) + (ctl & EVNTDIR ? 0 : half);
    ns = (2 * half - (now & (2 * half - 1))) * NS_PER_TICK;
    return ns < LONGEST ? ns : LONGEST;
}

uint64_t a64_counter_frequency(void)
{
    return FREQUENCY;
}
