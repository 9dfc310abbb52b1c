/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unit tests: one program per file, each test in a process of its own with a time limit. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * A file reads:
 *
 *     TEST(err, wrap_puts_the_context_in_front)
 *     {
 *         struct err e = {0};
 *         err_set(&e, -ENOENT, "no file");
 *         CHECK_EQ(err_wrap(&e, e.code, "image '%s'", "a"), -ENOENT);
 *         CHECK_STR(e.msg, "image 'a': no file");
 *     }
 *
 *     static const struct test tests[] = {
 *         CASE(err, wrap_puts_the_context_in_front),
 *     };
 *     TEST_MAIN(tests)
 *
 * A failed check prints file:line with both values, and the test goes on; every check is also an
 * expression that is true when it holds, so `if (!CHECK(p)) return;` ends a test early.
 */
#define TEST(subject, behaviour) static void test_##subject##_##behaviour(void)
#define CASE(subject, behaviour) {#subject, #behaviour, test_##subject##_##behaviour, 10}
/* CASE_SLOW - the same with a time limit of its own, in seconds (of CPU time). */
#define CASE_SLOW(subject, behaviour, seconds)                                                     \
    {#subject, #behaviour, test_##subject##_##behaviour, seconds}
#define TEST_MAIN(tests)                                                                           \
    int main(int argc, char **argv)                                                                \
    {                                                                                              \
        return test_main(tests, sizeof(tests) / sizeof(tests[0]), argc > 1 ? argv[1] : NULL);      \
    }

#define CHECK(cond) test_check(cond, __FILE__, __LINE__, #cond)
/* Integers and pointers, both widened to 64 bits. */
#define CHECK_EQ(got, want)                                                                        \
    test_check_eq((unsigned long long)(got), (unsigned long long)(want), __FILE__, __LINE__,       \
                  #got " == " #want)
#define CHECK_STR(got, want) test_check_str(got, want, __FILE__, __LINE__, #got)
#define CHECK_MEM(got, want, len) test_check_mem(got, want, len, __FILE__, __LINE__, #got)
/* SKIP - a prerequisite is missing: says which; the rest of the test is not run. */
#define SKIP(why) test_skip(why)

/* both - two checks, of which the second is made even when the first fails. */
static inline bool both(bool a, bool b)
{
    return a && b;
}

struct test {
    const char *subject, *behaviour;
    void (*run)(void);
    unsigned seconds;
};

enum { TEST_FAILED = 1, TEST_SKIPPED = 77 };

static int test_failures;

static inline bool test_fail(const char *file, int line, const char *text)
{
    test_failures++;
    printf("%s:%d: %s", file, line, text);
    return false;
}

static inline bool test_check(bool ok, const char *file, int line, const char *text)
{
    if (!ok) {
        test_fail(file, line, text);
        printf("\n");
    }
    return ok;
}

static inline bool test_check_eq(unsigned long long got, unsigned long long want, const char *file,
                                 int line, const char *text)
{
    if (got != want) {
        test_fail(file, line, text);
        printf(": got %lld (%#llx), want %lld (%#llx)\n", (long long)got, got, (long long)want,
               want);
    }
    return got == want;
}

static inline bool test_check_str(const char *got, const char *want, const char *file, int line,
                                  const char *text)
{
    if (got && want && strcmp(got, want) == 0)
        return true;
    test_fail(file, line, text);
    printf(":\n  got  \"%s\"\n  want \"%s\"\n", got ? got : "(null)", want ? want : "(null)");
    return false;
}

static inline bool test_check_mem(const void *got, const void *want, size_t len, const char *file,
                                  int line, const char *text)
{
    const unsigned char *g = got, *w = want;

    for (size_t i = 0; i < len; i++) {
        if (g[i] != w[i]) {
            test_fail(file, line, text);
            printf(": byte %zu of %zu: got %02x, want %02x\n", i, len, g[i], w[i]);
            return false;
        }
    }
    return true;
}

_Noreturn static inline void test_skip(const char *why)
{
    printf("%s\n", why);
    fflush(stdout);
    _exit(TEST_SKIPPED);
}

/* Sanitizers make everything slower. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define TEST_PATIENCE 10
#else
#define TEST_PATIENCE 1
#endif

/* Ends this process after @seconds of CPU time, or ten times as long on the clock; 0: never. */
static inline void test_limit(unsigned seconds)
{
    struct itimerval t = {.it_value = {.tv_sec = seconds * TEST_PATIENCE}};

    setitimer(ITIMER_PROF, &t, NULL);
    alarm(10 * seconds * TEST_PATIENCE);
}

static inline void test_in_child(const struct test *t)
{
    test_limit(t->seconds);
    t->run();
    fflush(stdout);
    _exit(test_failures ? TEST_FAILED : 0);
}

/* Runs one test; prints "pass NAME", "fail NAME" or "skip NAME" as tests/run.py reads it. */
static inline bool test_run(const struct test *t)
{
    int status = 0;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid == 0)
        test_in_child(t);
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        status = TEST_FAILED << 8;
    if (WIFSIGNALED(status))
        printf("ended by signal %d (%s)\n", WTERMSIG(status), strsignal(WTERMSIG(status)));
    printf("%s %s, %s\n",
           status == 0 ? "pass" : status == TEST_SKIPPED << 8 ? "skip" : "fail", t->subject,
           t->behaviour);
    return status == 0 || status == TEST_SKIPPED << 8;
}

/* With @only, runs that one test in this process, for the debugger. */
static inline int test_main(const struct test *tests, size_t n, const char *only)
{
    int failed = 0;

    for (size_t i = 0; i < n; i++) {
        if (only && strcmp(only, tests[i].behaviour) == 0) {
            tests[i].run();
            return test_failures != 0;
        }
        if (!only)
            failed += !test_run(&tests[i]);
    }
    return failed != 0;
}

#endif
