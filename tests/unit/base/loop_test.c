/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The main loop: descriptors, timers, calls from other threads. */
#include "base/loop.h"
#include "tests/test.h"

#include <fcntl.h>
#include <pthread.h>
#include <time.h>

static struct loop *l;
static char said[64];
static struct loop_fd *f[2];
static int p[2];

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static void say(void *opaque)
{
    strcat(said, opaque);
}

static void stop(void *opaque)
{
    loop_stop(l);
}

static void *from_a_thread(void *opaque)
{
    loop_call(l, say, "1");
    loop_call(l, say, "2");
    loop_call(l, stop, NULL);
    return NULL;
}

TEST(loop, calls_from_other_threads_come_in_order)
{
    pthread_t t;

    l = loop_new();
    loop_around(l, say, say, "-");
    pthread_create(&t, NULL, from_a_thread, NULL);
    loop_run(l);
    pthread_join(t, NULL);
    CHECK(strstr(said, "1") < strstr(said, "2"));
    CHECK(said[0] == '-' && said[strlen(said) - 1] == '-');
    loop_free(l);
}

static void readable(void *opaque, int ready)
{
    char c;

    CHECK(ready & LOOP_READ);
    if (read(p[0], &c, 1) == 1) {
        strncat(said, &c, 1);
    } else if (CHECK(ready & LOOP_HANGUP)) {
        strcat(said, "!");
        loop_del_fd(f[0]);
        loop_stop(l);
    }
}

TEST(loop, descriptors_are_read_until_the_other_end_goes)
{
    l = loop_new();
    if (!CHECK(pipe(p) == 0 && write(p[1], "abc", 3) == 3))
        return;
    f[0] = loop_add_fd(l, p[0], LOOP_READ, readable, NULL);
    loop_once(l, -1);
    CHECK_STR(said, "a");
    loop_set_fd(f[0], 0);
    loop_once(l, 0);
    CHECK_STR(said, "a");
    loop_set_fd(f[0], LOOP_READ);
    close(p[1]);
    while (!strchr(said, '!'))
        loop_once(l, -1);
    loop_run(l);
    CHECK_STR(said, "abc!");
    loop_free(l);
}

static void deletes_both(void *opaque, int ready)
{
    strcat(said, "x");
    loop_del_fd(f[0]);
    loop_del_fd(f[1]);
}

TEST(loop, one_that_is_taken_away_in_the_same_round_is_not_called)
{
    int q[2];

    l = loop_new();
    if (!CHECK(pipe(p) == 0 && pipe(q) == 0 && write(p[1], "a", 1) == 1 && write(q[1], "a", 1) == 1))
        return;
    f[0] = loop_add_fd(l, p[0], LOOP_READ, deletes_both, NULL);
    f[1] = loop_add_fd(l, q[0], LOOP_READ, deletes_both, NULL);
    loop_once(l, -1);
    loop_once(l, 0);
    CHECK_STR(said, "x");
    loop_free(l);
}

static void file_ready(void *opaque, int ready)
{
    CHECK_EQ(ready, LOOP_READ);
    loop_del_fd(f[0]);
    loop_stop(l);
}

TEST(loop, a_regular_file_is_always_ready)
{
    int fd = open("Makefile", O_RDONLY);

    l = loop_new();
    if (!CHECK(fd >= 0))
        return;
    f[0] = loop_add_fd(l, fd, LOOP_READ, file_ready, NULL);
    loop_run(l);
    loop_once(l, 0);
    loop_free(l);
}

static struct loop_timer *t[3];

static void tick(void *opaque)
{
    strcat(said, opaque);
    if (strlen(said) < 6)
        loop_arm(t[0], now() + 100000);
    else
        loop_stop(l);
}

TEST(loop, timers_fire_in_the_order_of_time)
{
    int64_t start = now();

    l = loop_new();
    for (int i = 0; i < 3; i++)
        t[i] = loop_add_timer(l, i ? say : tick, i == 0 ? "0" : i == 1 ? "1" : "2");
    loop_arm(t[1], start + 2000000);
    loop_arm(t[2], start + 1000000);
    loop_arm(t[0], start + 3000000);
    loop_run(l);
    CHECK_STR(said, "210000");
    CHECK(now() - start >= 3300000);
    said[0] = 0;
    loop_arm(t[1], now() + 1000);
    loop_del_timer(t[1]);
    loop_arm(t[2], 0); /* long ago: at once */
    loop_once(l, 50000000);
    CHECK_STR(said, "2");
    loop_arm(t[2], INT64_MAX);
    loop_once(l, 1000000);
    CHECK_STR(said, "2");
    loop_free(l);
}

static const struct test tests[] = {
    CASE(loop, calls_from_other_threads_come_in_order),
    CASE(loop, descriptors_are_read_until_the_other_end_goes),
    CASE(loop, one_that_is_taken_away_in_the_same_round_is_not_called),
    CASE(loop, a_regular_file_is_always_ready),
    CASE(loop, timers_fire_in_the_order_of_time),
};
TEST_MAIN(tests)
