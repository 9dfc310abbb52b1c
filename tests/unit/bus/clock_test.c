/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks and timers: with a stepped clock, and on a main loop. */
#include "base/loop.h"
#include "bus/machine.h"
#include "tests/test.h"

static const struct dev_type *const no_types[] = {NULL};

struct mark {
    struct timer t;
    int id;
    int64_t again; /* ns, 0: once */
};

static char fired[256];

static void fire(void *opaque)
{
    struct mark *k = opaque;

    snprintf(fired + strlen(fired), sizeof(fired) - strlen(fired), "%d@%lld ", k->id,
             (long long)clock_now(k->t.m, CLK_VIRT));
    if (k->again)
        timer_at(&k->t, clock_now(k->t.m, CLK_VIRT) + k->again);
}

TEST(timer, fires_in_the_order_of_time_and_finds_the_clock_there)
{
    struct machine *m = machine_new(no_types, NULL);
    struct mark k[5];

    for (int i = 0; i < 5; i++) {
        k[i] = (struct mark){.id = i};
        timer_init(&k[i].t, m, CLK_VIRT, fire, &k[i]);
    }
    timer_at(&k[0].t, 500);
    timer_at(&k[1].t, 100);
    timer_at(&k[2].t, 300);
    timer_at(&k[3].t, 200);
    timer_at(&k[4].t, 400);
    timer_cancel(&k[3].t);
    timer_at(&k[2].t, 50);
    CHECK(!timer_armed(&k[3].t));
    clock_step(m, 450);
    CHECK_STR(fired, "2@50 1@100 4@400 ");
    CHECK(timer_armed(&k[0].t));
    CHECK_EQ(clock_now(m, CLK_VIRT), 450);
    machine_free(m);
}

TEST(timer, many_come_in_order)
{
    enum { N = 1000 };
    static struct mark k[N];
    struct machine *m = machine_new(no_types, NULL);
    unsigned seed = 1;
    int64_t last = 0;
    char *at = fired;

    for (int i = 0; i < N; i++) {
        timer_init(&k[i].t, m, CLK_VIRT, fire, &k[i]);
        timer_at(&k[i].t, rand_r(&seed) % 10000);
    }
    for (int i = 0; i < N; i += 3)
        timer_at(&k[i].t, rand_r(&seed) % 10000);
    for (int i = 0; i < N; i += 7)
        timer_cancel(&k[i].t);
    for (int step = 0; step < 10000; step += 10) {
        fired[0] = 0;
        clock_step(m, 10);
        for (at = fired; (at = strchr(at, '@')); at++) {
            CHECK(atoll(at + 1) >= last);
            last = atoll(at + 1);
        }
    }
    for (int i = 0; i < N; i++)
        CHECK(!timer_armed(&k[i].t));
    machine_free(m);
}

TEST(timer, one_that_is_always_due_does_not_stop_the_world)
{
    struct machine *m = machine_new(no_types, NULL);
    struct mark k = {.again = 0};

    timer_init(&k.t, m, CLK_VIRT, fire, &k);
    k.again = -1;
    timer_at(&k.t, 10);
    clock_step(m, 20);
    CHECK_EQ(clock_now(m, CLK_VIRT), 20);
    timer_cancel(&k.t);
    machine_free(m);
}

static struct loop *loop;

static void stop(void *opaque)
{
    struct mark *k = opaque;

    CHECK(machine_locked(k->t.m));
    k->again = clock_now(k->t.m, CLK_VIRT);
    loop_stop(loop);
}

static void late(void *opaque)
{
    loop_stop(loop);
}

TEST(clock, virtual_time_stands_still_while_the_machine_does)
{
    struct machine *m;
    struct mark k = {.again = 0};
    struct timer real;

    loop = loop_new();
    m = machine_new(no_types, loop);
    timer_init(&k.t, m, CLK_VIRT, stop, &k);
    timer_init(&real, m, CLK_REAL, late, NULL);
    timer_at(&k.t, 1000000);
    timer_at(&real, clock_now(m, CLK_REAL) + 20000000);
    CHECK_EQ(clock_now(m, CLK_VIRT), 0);
    loop_run(loop); /* ended by the other timer */
    CHECK(timer_armed(&k.t));
    CHECK_EQ(clock_now(m, CLK_VIRT), 0);
    machine_lock(m);
    machine_set_state(m, RUN_RUNNING);
    machine_unlock(m);
    loop_run(loop);
    CHECK(k.again >= 1000000);
    CHECK(clock_now(m, CLK_VIRT) > 0);
    machine_set_state(m, RUN_PAUSED);
    CHECK_EQ(clock_now(m, CLK_VIRT), clock_now(m, CLK_VIRT));
    machine_free(m);
    loop_free(loop);
}

TEST(clock, rtc_is_the_calendar_and_an_offset)
{
    struct machine *m;

    loop = loop_new();
    m = machine_new(no_types, loop);
    CHECK(clock_now(m, CLK_RTC) / NS_PER_S > 1700000000);
    clock_set_rtc(m, 5 * NS_PER_S, true);
    CHECK_EQ(clock_now(m, CLK_RTC), 5 * NS_PER_S);
    machine_free(m);
    loop_free(loop);
}

static const struct test tests[] = {
    CASE(timer, fires_in_the_order_of_time_and_finds_the_clock_there),
    CASE(timer, many_come_in_order),
    CASE(timer, one_that_is_always_due_does_not_stop_the_world),
    CASE(clock, virtual_time_stands_still_while_the_machine_does),
    CASE(clock, rtc_is_the_calendar_and_an_offset),
};
TEST_MAIN(tests)
