/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How far long work is (-p, SIGUSR1), and how fast it may go (-r). */
#include "app/img/img.h"

#include "base/bytes.h"

#include <signal.h>
#include <stdio.h>
#include <time.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool shown;                   /* [lock] */
static double last;                  /* [lock] percent printed last */
static volatile sig_atomic_t wanted; /* SIGUSR1 came */
enum { STEPS = 50 };                 /* lines are printed every 2 percent */

static void on_signal(int number)
{
    wanted = 1;
}

void img_progress_init(void)
{
    struct sigaction sa = {.sa_handler = on_signal, .sa_flags = SA_RESTART};

    sigaction(SIGUSR1, &sa, NULL);
}

void img_progress_begin(const struct img_args *a)
{
    shown = a->progress && !a->quiet;
    last = 0;
    if (shown) {
        printf("    (%3.2f/100%%)\r", 0.0);
        fflush(stdout);
    }
}

void img_progress(uint64_t done, uint64_t total)
{
    double percent = total ? 100.0 * (double)done / (double)total : 100;

    if (!shown && !wanted)
        return;
    pthread_mutex_lock(&lock);
    if (wanted && !shown) /* who shows it already does not need to be asked */
        fprintf(stderr, "    (%3.2f/100%%)\n", percent);
    wanted = 0;
    if (shown && (percent >= last + 100.0 / STEPS || (percent >= 100 && last < 100))) {
        printf("    (%3.2f/100%%)\r", percent);
        fflush(stdout);
        last = percent;
    }
    pthread_mutex_unlock(&lock);
}

void img_progress_callback(void *opaque, uint64_t done, uint64_t total)
{
    img_progress(done, total);
}

void img_progress_end(void)
{
    if (!shown)
        return;
    if (last < 100)
        printf("    (100.00/100%%)\r");
    printf("\n");
    fflush(stdout);
    shown = false;
}

uint64_t img_now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

void img_rate_begin(struct img_rate *r, uint64_t per_second)
{
    *r = (struct img_rate){.per_second = per_second, .start_ns = img_now_ns()};
    pthread_mutex_init(&r->lock, NULL);
}

void img_rate_wait(struct img_rate *r, uint64_t bytes)
{
    if (!r->per_second)
        return;
    pthread_mutex_lock(&r->lock);
    uint64_t due = r->start_ns + (uint64_t)((double)r->sent * 1e9 / (double)r->per_second);

    r->sent += bytes;
    pthread_mutex_unlock(&r->lock);
    for (uint64_t now; (now = img_now_ns()) < due;) {
        uint64_t left = min_u64(due - now, 200000000); /* signals are answered meanwhile */
        struct timespec t = {(time_t)(left / 1000000000), (long)(left % 1000000000)};

        nanosleep(&t, NULL);
    }
}
