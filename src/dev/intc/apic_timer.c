/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The timer of a local APIC: counts nanoseconds, divided, or waits for a time stamp (Intel SDM 3A, 11.5.4). */
#include "dev/intc/apic_priv.h"

static unsigned divisor(const struct apic *a)
{
    unsigned n = (a->divide & 3) | (a->divide >> 1 & 4);

    return n == 7 ? 1 : 2u << n;
}

int64_t apic_now(const struct apic *a)
{
    return clock_now(a->all->dev.m, CLK_VIRT);
}

static int64_t period(const struct apic *a)
{
    return (int64_t)a->initial * divisor(a);
}

uint32_t apic_count(const struct apic *a)
{
    int64_t gone = apic_now(a) - a->started, all = period(a);

    if (!a->initial || (a->lvt[LVT_TIMER] & L_TMODE) == L_DEADLINE)
        return 0;
    if (gone >= all && !(a->lvt[LVT_TIMER] & L_PERIODIC))
        return 0;
    return (uint32_t)((all - gone % all) / divisor(a));
}

/* The count begins now: it ends even if it is over before we get to arming. */
void apic_start(struct apic *a)
{
    timer_cancel(&a->timer);
    if (a->initial)
        timer_at(&a->timer, a->started + period(a));
}

/* When it fires next, if it has not been fired yet. */
void apic_arm(struct apic *a)
{
    int64_t all = period(a), t = apic_now(a);

    timer_cancel(&a->timer);
    if ((a->lvt[LVT_TIMER] & L_TMODE) == L_DEADLINE) {
        if (a->deadline)
            timer_at(&a->timer, a->cpu.tsc_when(a->cpu.cpu, a->deadline));
        return;
    }
    if (!a->initial)
        return;
    if (a->lvt[LVT_TIMER] & L_PERIODIC)
        timer_at(&a->timer, a->started + ((t - a->started) / all + 1) * all);
    else if (t - a->started < all)
        timer_at(&a->timer, a->started + all);
}

void apic_fire(void *opaque)
{
    struct apic *a = opaque;
    uint32_t lvt;

    pthread_mutex_lock(&a->all->lock);
    lvt = a->lvt[LVT_TIMER];
    if ((lvt & L_TMODE) == L_DEADLINE)
        a->deadline = 0;
    else if (lvt & L_PERIODIC)
        apic_arm(a);
    if (!(lvt & L_MASK))
        apic_pend(a, (uint8_t)lvt, false);
    pthread_mutex_unlock(&a->all->lock);
}

void apic_tsc_written(void *apic)
{
    struct apic *a = apic;

    pthread_mutex_lock(&a->all->lock);
    if ((a->lvt[LVT_TIMER] & L_TMODE) == L_DEADLINE)
        apic_arm(a);
    pthread_mutex_unlock(&a->all->lock);
}
