/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and timers.  Each clock has a heap of its timers; one alarm of the main loop is set to whatever is due
 * first.  Without a loop (tests) time goes on by clock_step only, for every clock.
 */
#include "bus/machine_priv.h"

#include <stdlib.h>
#include <time.h>

/* The host's calendar may be set: a timer of CLK_RTC is looked at this often. */
#define RTC_LOOK NS_PER_S
/* A timer that is armed for the past each time it fires does not stop the world. */
enum { ROUND_MAX = 4096 };

static int64_t host_ns(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static int64_t now_locked(struct machine *m, enum clock_kind c)
{
    int64_t virt = m->ticking ? host_ns(CLOCK_MONOTONIC) + m->virt : m->virt;

    switch (c) {
    case CLK_RTC:
        return m->rtc_offset + (m->rtc_virt || !m->loop ? virt : host_ns(CLOCK_REALTIME));
    case CLK_REAL: return m->loop ? host_ns(CLOCK_MONOTONIC) : virt;
    case CLK_VIRT:
    case CLK_NUM: break;
    }
    return virt;
}

int64_t clock_now(struct machine *m, enum clock_kind c)
{
    int64_t now;

    pthread_mutex_lock(&m->time);
    now = now_locked(m, c);
    pthread_mutex_unlock(&m->time);
    return now;
}

void clock_set_rtc(struct machine *m, int64_t offset, bool virt)
{
    pthread_mutex_lock(&m->time);
    m->rtc_offset = offset;
    m->rtc_virt = virt;
    pthread_mutex_unlock(&m->time);
}

/* When the alarm has to ring for @c's first timer, by the host's clock. */
static int64_t alarm_of(struct machine *m, enum clock_kind c)
{
    const struct timers *h = &m->timers[c];
    int64_t left, real;

    if (!h->n || (!m->ticking && (c == CLK_VIRT || (c == CLK_RTC && m->rtc_virt))))
        return INT64_MAX;
    if (__builtin_sub_overflow(h->t[0]->at, now_locked(m, c), &left))
        return INT64_MAX;
    left = left < 0 ? 0 : c == CLK_RTC && left > RTC_LOOK ? RTC_LOOK : left;
    return __builtin_add_overflow(host_ns(CLOCK_MONOTONIC), left, &real) ? INT64_MAX : real;
}

static void set_alarm_locked(struct machine *m)
{
    int64_t at = INT64_MAX;

    if (!m->alarm)
        return;
    for (unsigned c = 0; c < CLK_NUM; c++) {
        int64_t a = alarm_of(m, (enum clock_kind)c);

        at = a < at ? a : at;
    }
    m->alarm(m, at);
}

void clock_tick(struct machine *m, bool on)
{
    pthread_mutex_lock(&m->time);
    if (m->loop && m->ticking != on) {
        m->virt += on ? -host_ns(CLOCK_MONOTONIC) : host_ns(CLOCK_MONOTONIC);
        m->ticking = on;
        set_alarm_locked(m);
    }
    pthread_mutex_unlock(&m->time);
}

/* The heap: t[(i - 1) / 2] is not later than t[i]. -------------------------------------------------- */

static void put(struct timers *h, uint32_t i, struct timer *t)
{
    h->t[i] = t;
    t->heap = i + 1;
}

static void sift_up(struct timers *h, uint32_t i, struct timer *t)
{
    while (i && h->t[(i - 1) / 2]->at > t->at) {
        put(h, i, h->t[(i - 1) / 2]);
        i = (i - 1) / 2;
    }
    put(h, i, t);
}

static void sift_down(struct timers *h, uint32_t i, struct timer *t)
{
    for (uint32_t c; (c = 2 * i + 1) < h->n; i = c) {
        if (c + 1 < h->n && h->t[c + 1]->at < h->t[c]->at)
            c++;
        if (h->t[c]->at >= t->at)
            break;
        put(h, i, h->t[c]);
    }
    put(h, i, t);
}

static void take_out(struct timers *h, struct timer *t)
{
    uint32_t i = t->heap - 1;
    struct timer *last = h->t[--h->n];

    t->heap = 0;
    t->at = INT64_MAX;
    if (last == t)
        return;
    if (i && h->t[(i - 1) / 2]->at > last->at)
        sift_up(h, i, last);
    else
        sift_down(h, i, last);
}

static void put_in(struct timers *h, struct timer *t, int64_t at)
{
    if (h->n == h->cap) {
        h->cap = h->cap ? 2 * h->cap : 16;
        if (!(h->t = realloc(h->t, h->cap * sizeof(*h->t))))
            fatal("out of memory");
    }
    t->at = at;
    sift_up(h, h->n++, t);
}

/* Timers -------------------------------------------------------------------------------------------- */

void timer_init(struct timer *t, struct machine *m, enum clock_kind c, void (*fn)(void *opaque),
                void *opaque)
{
    *t = (struct timer){.m = m, .clock = c, .fn = fn, .opaque = opaque, .at = INT64_MAX};
}

void timer_at(struct timer *t, int64_t ns)
{
    struct timers *h = &t->m->timers[t->clock];
    bool first;

    pthread_mutex_lock(&t->m->time);
    first = t->heap == 1;
    if (t->heap)
        take_out(h, t);
    if (ns != INT64_MAX)
        put_in(h, t, ns);
    if (first || t->heap == 1) /* the alarm changes only with the first */
        set_alarm_locked(t->m);
    pthread_mutex_unlock(&t->m->time);
}

void timer_cancel(struct timer *t)
{
    if (t->m) /* one that was never made is not armed */
        timer_at(t, INT64_MAX);
}

static struct timer *take_due(struct machine *m)
{
    struct timer *t = NULL;

    pthread_mutex_lock(&m->time);
    for (unsigned c = 0; c < CLK_NUM && !t; c++) {
        struct timers *h = &m->timers[c];

        if (alarm_of(m, (enum clock_kind)c) == INT64_MAX && m->loop)
            continue;
        if (h->n && h->t[0]->at <= now_locked(m, (enum clock_kind)c)) {
            t = h->t[0];
            take_out(h, t);
        }
    }
    pthread_mutex_unlock(&m->time);
    return t;
}

void clock_run_due(struct machine *m)
{
    struct timer *t;

    machine_lock(m);
    for (unsigned n = 0; n < ROUND_MAX && (t = take_due(m)); n++)
        t->fn(t->opaque);
    machine_unlock(m);
    pthread_mutex_lock(&m->time);
    set_alarm_locked(m);
    pthread_mutex_unlock(&m->time);
}

/* How far it is to the first timer, at most @ns. */
static int64_t next_step(struct machine *m, int64_t ns)
{
    pthread_mutex_lock(&m->time);
    for (unsigned c = 0; c < CLK_NUM; c++) {
        const struct timers *h = &m->timers[c];
        int64_t left;

        if (!h->n ||
            __builtin_sub_overflow(h->t[0]->at, now_locked(m, (enum clock_kind)c), &left))
            continue;
        ns = left < 0 ? 0 : left < ns ? left : ns;
    }
    pthread_mutex_unlock(&m->time);
    return ns;
}

/* From timer to timer, so that each finds the clock where it wanted it. */
void clock_step(struct machine *m, int64_t ns)
{
    for (unsigned n = 0; n < ROUND_MAX; n++) {
        int64_t step = next_step(m, ns);

        pthread_mutex_lock(&m->time);
        m->virt += step;
        pthread_mutex_unlock(&m->time);
        ns -= step;
        clock_run_due(m);
        if (!ns)
            return;
    }
    pthread_mutex_lock(&m->time);
    m->virt += ns;
    pthread_mutex_unlock(&m->time);
}
