/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Clocks and timers.  Times are nanoseconds in an int64_t.
 *
 * CLK_VIRT is the guest's time: it stands still while the machine does.  CLK_RTC is the host's
 * calendar (with -rtc's offset), CLK_REAL the host's monotonic clock.  In tests the clock is one that the test steps.
 */
#ifndef BUS_CLOCK_H
#define BUS_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct machine;

enum clock_kind { CLK_VIRT, CLK_RTC, CLK_REAL, CLK_NUM };

/** struct timer - zero it, timer_init it.  Its function runs on the main loop, under the machine's lock. */
struct timer {
    struct machine *m;
    enum clock_kind clock;
    void (*fn)(void *opaque);
    void *opaque;
    int64_t at;    /* INT64_MAX: not armed */
    uint32_t heap; /* its place in the machine's heap, +1; 0: none */
};

#define NS_PER_S 1000000000ll

/** clock_now - any thread. */
int64_t clock_now(struct machine *m, enum clock_kind c);
void timer_init(struct timer *t, struct machine *m, enum clock_kind c, void (*fn)(void *opaque),
                void *opaque);
/** timer_at - fire once, at @ns or soon after; in the past: as soon as possible.  Any thread. */
void timer_at(struct timer *t, int64_t ns);
void timer_cancel(struct timer *t);
/** timer_armed - and when. */
static inline bool timer_armed(const struct timer *t)
{
    return t->at != INT64_MAX;
}

/** clock_set_rtc - CLK_RTC is the host's calendar, or with @virt the virtual clock, and @offset ns. */
void clock_set_rtc(struct machine *m, int64_t offset, bool virt);

/** clock_step - tests: the virtual clock, which stands still, goes @ns on; what is due is run. */
void clock_step(struct machine *m, int64_t ns);

#endif
