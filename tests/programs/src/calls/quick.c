/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls of x86-64 that are nothing but the host's: registers, flags, signals that come just then, code that goes meanwhile. */
#define _GNU_SOURCE
#include "../../../test.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>

/* The kernel keeps all registers but RAX, RCX, which has the return address, and R11, which has the flags; and the flags. */
TEST(quick, registers_and_flags)
{
    uint64_t wrong, flags, rcx, r11, here;

    for (unsigned i = 0; i < 100; i++) {
        __asm__ volatile("mov $8, %%r8d\n mov $9, %%r9d\n mov $10, %%r10d\n mov $14, %%r14d\n mov $15, %%r15d\n mov %%rsp, %%r13\n"
                         "movq %%r13, %%xmm7\n mov $110, %%eax\n"
                         "cmp $1, %5\n" /* CF when 0 */
                         "syscall\n 1: pushfq\n pop %1\n lea 1b(%%rip), %4\n"
                         "xor $8, %%r8\n xor $9, %%r9\n xor $10, %%r10\n xor $14, %%r14\n xor $15, %%r15\n"
                         "or %%r9, %%r8\n or %%r10, %%r8\n or %%r14, %%r8\n or %%r15, %%r8\n movq %%xmm7, %%r9\n xor %%rsp, %%r9\n or %%r9, %%r8\n"
                         "xor %%rsp, %%r13\n or %%r13, %%r8\n mov %%r8, %0\n mov %%r11, %3\n"
                         : "=&D"(wrong), "=&S"(flags), "=&c"(rcx), "=&d"(r11), "=&b"(here)
                         : "r"((uint64_t)(i & 1))
                         : "rax", "r8", "r9", "r10", "r11", "r13", "r14", "r15", "xmm7", "memory", "cc");
        CHECK_EQ(wrong, 0);
        CHECK_EQ(rcx, here);
        CHECK_EQ(flags & 0x8d5, r11 & 0x8d5);
        CHECK_EQ(flags & 1, !(i & 1));
    }
}

static volatile sig_atomic_t hits;

static void count(int sig)
{
    hits++;
}

/* Signals that one sends to oneself are there before the call returns. */
TEST(quick, own_signals_come_before_the_call_returns)
{
    struct sigaction sa = {.sa_handler = count};

    sigaction(SIGUSR1, &sa, NULL);
    for (int i = 0; i < 1000; i++) {
        int before = hits;

        syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1);
        CHECK_EQ(hits, before + 1);
    }
    sigaction(SIGPIPE, &sa, NULL);
    for (int i = 0; i < 100; i++) {
        int p[2], before = hits;

        CHECK_EQ(pipe(p), 0);
        close(p[0]);
        CHECK_EQ(write(p[1], "x", 1), -1);
        CHECK_EQ(errno, EPIPE);
        CHECK_EQ(hits, before + 1);
        close(p[1]);
    }
}

static void every(long us)
{
    struct itimerval it = {{0, us}, {0, us}};

    setitimer(ITIMER_REAL, &it, NULL);
}

/* A signal at any moment of a short call neither makes it twice nor loses it. */
TEST(quick, signals_at_any_moment)
{
    struct sigaction sa = {.sa_handler = count, .sa_flags = SA_RESTART};
    unsigned long made = 0;
    int p[2];

    hits = 0;
    CHECK_EQ(pipe(p), 0);
    sigaction(SIGALRM, &sa, NULL);
    every(200);
    while (hits < 1000) {
        char c = (char)made, d = 0;

        if (write(p[1], &c, 1) != 1 || read(p[0], &d, 1) != 1 || d != c || syscall(SYS_getppid) <= 0)
            break;
        made++;
    }
    every(0);
    CHECK(hits >= 1000);
    CHECK(made > 1000);
    CHECK_EQ(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
    CHECK_EQ(read(p[0], &(char){0}, 1), -1); /* nothing was written twice */
    close(p[0]);
    close(p[1]);
}

static int wake[2];

static void write_on_alarm(int sig)
{
    if (++hits == 3)
        (void)!write(wake[1], "y", 1);
}

/* One that waits is interrupted, or made again, as the handler says. */
TEST(quick, waiting_calls_are_interrupted_or_made_again)
{
    struct sigaction sa = {.sa_handler = count};
    char c = 0;

    CHECK_EQ(pipe(wake), 0);
    hits = 0;
    sigaction(SIGALRM, &sa, NULL);
    every(20000);
    CHECK_EQ(read(wake[0], &c, 1), -1);
    CHECK_EQ(errno, EINTR);
    CHECK(hits >= 1);
    every(0);
    hits = 0;
    sa.sa_handler = write_on_alarm;
    sa.sa_flags = SA_RESTART;
    sigaction(SIGALRM, &sa, NULL);
    every(20000);
    CHECK_EQ(read(wake[0], &c, 1), 1);
    CHECK_EQ(c, 'y');
    CHECK(hits >= 3);
    every(0);
    close(wake[0]);
    close(wake[1]);
}

/* mov eax, edi (0: read); mov edi, esi; mov rsi, rdx; mov edx, 1; syscall; mov eax, N; ret */
static const uint8_t reader[] = {0x89, 0xf8, 0x89, 0xf7, 0x48, 0x89, 0xd6, 0xba, 1, 0, 0, 0, 0x0f, 0x05, 0xb8, 11, 0, 0, 0, 0xc3};
enum { RESULT = 15 };
static uint8_t *code;
static int to_reader[2];

static void *read_there(void *arg)
{
    char c;

    return (void *)(intptr_t)((int (*)(int, int, char *))code)(SYS_read, to_reader[0], &c);
}

/* The code behind a call that waits is another one when it returns. */
TEST(quick, code_that_changes_while_a_call_waits)
{
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    for (int i = 0; i < 20; i++) {
        pthread_t t;
        void *result = NULL;

        mprotect(code, 4096, PROT_READ | PROT_WRITE);
        memcpy(code, reader, sizeof(reader));
        mprotect(code, 4096, PROT_READ | PROT_EXEC);
        CHECK_EQ(pipe(to_reader), 0);
        pthread_create(&t, NULL, read_there, NULL);
        usleep(2000);
        mprotect(code, 4096, PROT_READ | PROT_WRITE);
        code[RESULT] = (uint8_t)(20 + i);
        mprotect(code, 4096, PROT_READ | PROT_EXEC);
        CHECK_EQ(write(to_reader[1], "z", 1), 1);
        pthread_join(t, &result);
        CHECK_EQ((intptr_t)result, 20 + i);
        close(to_reader[0]);
        close(to_reader[1]);
    }
    munmap(code, 4096);
}

/* What the kernel fills in may be where code was. */
TEST(quick, calls_that_write_where_code_was)
{
    uint8_t *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    int zero = open("/dev/zero", O_RDONLY), p[2];

    CHECK_EQ(pipe(p), 0);
    for (int i = 0; i < 10; i++) {
        memcpy(page, "\xb8\x07\0\0\0\xc3", 6);
        CHECK_EQ(((int (*)(void))page)(), 7);
        CHECK_EQ(write(p[1], "\xb8\x09\0\0\0\xc3", 6), 6);
        CHECK_EQ(read(p[0], page, 6), 6);
        CHECK_EQ(((int (*)(void))page)(), 9);
    }
    CHECK_EQ(read(zero, (void *)8, 1), -1);
    CHECK_EQ(errno, EFAULT);
    close(zero);
    munmap(page, 4096);
    CHECK_EQ(syscall(100000), -1);
    CHECK_EQ(errno, ENOSYS);
    CHECK_EQ(syscall(65536 + SYS_getppid), -1);
    CHECK_EQ(errno, ENOSYS);
}

static const struct test tests[] = {
    CASE(quick, registers_and_flags),
    CASE(quick, own_signals_come_before_the_call_returns),
    CASE(quick, signals_at_any_moment),
    CASE(quick, waiting_calls_are_interrupted_or_made_again),
    CASE(quick, code_that_changes_while_a_call_waits),
    CASE(quick, calls_that_write_where_code_was),
};
TEST_MAIN(tests)
