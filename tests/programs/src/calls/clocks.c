/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks through the vDSO, as the C library reads them, and as system calls: the same, errors too. */
#define _GNU_SOURCE
#include "../../../test.h"
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

static int64_t ns(const struct timespec *t)
{
    return t->tv_sec * 1000000000ll + t->tv_nsec;
}

static const clockid_t clocks[] = {
    CLOCK_REALTIME, CLOCK_MONOTONIC, CLOCK_PROCESS_CPUTIME_ID, CLOCK_THREAD_CPUTIME_ID,
    CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME,
};

TEST(clocks, agree_with_the_system_call)
{
    for (unsigned i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
        struct timespec a, b, c, r, q;

        CHECK_EQ(syscall(SYS_clock_gettime, clocks[i], &a), 0);
        CHECK_EQ(clock_gettime(clocks[i], &b), 0);
        CHECK_EQ(syscall(SYS_clock_gettime, clocks[i], &c), 0);
        CHECK(ns(&a) <= ns(&b) && ns(&b) <= ns(&c));
        CHECK_EQ(syscall(SYS_clock_getres, clocks[i], &q), 0);
        CHECK_EQ(clock_getres(clocks[i], &r), 0);
        CHECK_EQ(ns(&q), ns(&r));
        CHECK_EQ(clock_getres(clocks[i], NULL), 0);
    }
}

TEST(clocks, reads_follow_each_other)
{
    struct timespec last = { 0 }, now;
    struct timeval tv;
    unsigned bad = 0;

    for (unsigned i = 0; i < 1000; i++) {
        bad += clock_gettime(CLOCK_MONOTONIC, &now) != 0 || ns(&now) < ns(&last);
        last = now;
        bad += clock_gettime(CLOCK_REALTIME, &now) != 0;
        bad += gettimeofday(&tv, NULL) != 0;
        bad += tv.tv_sec * 1000000000ll + tv.tv_usec * 1000 + 999 < ns(&now);
    }
    CHECK_EQ(bad, 0);
}

TEST(clocks, errors)
{
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct timespec t;

    CHECK_EQ(clock_gettime(77, &t), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(clock_getres(77, &t), -1);
    CHECK_EQ(errno, EINVAL);
    CHECK_EQ(syscall(SYS_clock_gettime, CLOCK_REALTIME, page), -1);
    CHECK_EQ(errno, EFAULT);
    CHECK_EQ(syscall(SYS_clock_getres, CLOCK_REALTIME, page), -1);
    CHECK_EQ(errno, EFAULT);
    CHECK_EQ(syscall(SYS_gettimeofday, page, NULL), -1);
    CHECK_EQ(errno, EFAULT);
}

#ifdef __aarch64__
static void on_sigill(int sig)
{
    _exit(3);
}

/* The instruction by which our vDSO asks is undefined elsewhere. */
TEST(clocks, hvc_is_for_the_vdso)
{
    pid_t child = fork();
    int status;

    if (!child) {
        register uint64_t x0 __asm__("x0") = CLOCK_REALTIME;
        struct timespec t;
        register uint64_t x1 __asm__("x1") = (uint64_t)&t;

        signal(SIGILL, on_sigill);
        __asm__ volatile("hvc #113" : "+r"(x0) : "r"(x1) : "memory");
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 3 << 8);
}
#endif

static const struct test tests[] = {
    CASE(clocks, agree_with_the_system_call),
    CASE(clocks, reads_follow_each_other),
    CASE(clocks, errors),
#ifdef __aarch64__
    CASE(clocks, hvc_is_for_the_vdso),
#endif
};
TEST_MAIN(tests)
