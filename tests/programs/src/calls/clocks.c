/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Clocks through the vDSO, as the C library reads them, and as system calls: the same, errors too. */
#define _GNU_SOURCE
#include "../../../test.h"
#include <errno.h>
#include <link.h>
#include <setjmp.h>
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
    CLOCK_MONOTONIC_RAW, CLOCK_REALTIME_COARSE, CLOCK_MONOTONIC_COARSE, CLOCK_BOOTTIME, CLOCK_TAI,
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

#if defined(__x86_64__) || defined(__i386__)
static void on_sigill(int sig)
{
    _exit(3);
}

TEST(clocks, vmmcall_is_for_the_vdso)
{
    pid_t child = fork();
    int status;

    if (!child) {
        long nr = SYS_clock_gettime;

        signal(SIGILL, on_sigill);
        __asm__ volatile("vmmcall" : "+a"(nr) : : "memory");
        _exit(0);
    }
    CHECK_EQ(waitpid(child, &status, 0), child);
    CHECK_EQ(status, 3 << 8);
}

/* As a dynamic linker finds it, in our vDSO, which has a hash table of the System V ABI; the kernel's has another. */
static const void *vdso_symbol(const char *name)
{
    const char *base = (const char *)getauxval(AT_SYSINFO_EHDR);
    const ElfW(Ehdr) *eh = (const void *)base;
    const ElfW(Phdr) *ph = (const void *)(base + eh->e_phoff);
    const ElfW(Dyn) *d = (const void *)(base + ph[1].p_vaddr);
    const ElfW(Sym) *sym = NULL;
    const uint32_t *hash = NULL;
    const char *str = NULL;

    for (; d->d_tag != DT_NULL; d++) {
        const char *at = (const char *)d->d_un.d_ptr < base ? base + d->d_un.d_ptr : (const char *)d->d_un.d_ptr;

        sym = d->d_tag == DT_SYMTAB ? (const void *)at : sym;
        hash = d->d_tag == DT_HASH ? (const void *)at : hash;
        str = d->d_tag == DT_STRTAB ? at : str;
    }
    for (uint32_t i = hash[2]; i; i = hash[2 + hash[0] + i])
        if (!strcmp(str + sym[i].st_name, name))
            return base + sym[i].st_value;
    return NULL;
}

TEST(clocks, vdso_functions)
{
    int (*get)(clockid_t, struct timespec *) = vdso_symbol("__vdso_clock_gettime");
    time_t (*now)(time_t *) = vdso_symbol("__vdso_time");
    long (*which)(unsigned *, unsigned *, void *) = vdso_symbol("__vdso_getcpu");
    unsigned cpu = ~0u, node = ~0u;
    time_t a = 0, b;
    long t[2] = {0};

    CHECK(get && now && which && vdso_symbol("__vdso_gettimeofday") && vdso_symbol("__vdso_clock_getres"));
    CHECK_EQ(get(CLOCK_REALTIME, (struct timespec *)t), 0);
    b = now(&a);
    CHECK_EQ(a, b);
    CHECK(b - t[0] >= 0 && b - t[0] < 5);
    CHECK_EQ(which(&cpu, &node, NULL), 0);
    CHECK(cpu < 65536 && node < 65536);
    CHECK_EQ(get(12345, (struct timespec *)t), -EINVAL);
}
#endif

#ifdef __x86_64__
TEST(clocks, vdso_functions_store_what_they_are_asked_for)
{
    int (*day)(struct timeval *, struct timezone *) = vdso_symbol("__vdso_gettimeofday");
    int (*res)(clockid_t, struct timespec *) = vdso_symbol("__vdso_clock_getres");
    time_t (*now)(time_t *) = vdso_symbol("__vdso_time");
    long (*which)(unsigned *, unsigned *, void *) = vdso_symbol("__vdso_getcpu");
    struct timeval tv = {0};
    struct timezone tz[2] = {{-1, -1}, {-1, -1}}, want = {0};
    unsigned pair[2] = {77, 77};
    struct timespec q;

    CHECK_EQ(day(NULL, NULL), 0);
    CHECK_EQ(day(&tv, NULL), 0);
    CHECK(tv.tv_sec > 1000000000 && tv.tv_usec < 1000000);
    CHECK_EQ(day(NULL, tz), 0);
    CHECK_EQ(syscall(SYS_gettimeofday, NULL, &want), 0);
    CHECK_EQ(tz[0].tz_minuteswest, want.tz_minuteswest);
    CHECK_EQ(tz[0].tz_dsttime, want.tz_dsttime);
    CHECK_EQ(tz[1].tz_minuteswest, -1);
    CHECK(now(NULL) - tv.tv_sec < 5);
    CHECK_EQ(which(NULL, NULL, NULL), 0);
    CHECK_EQ(which(&pair[0], NULL, NULL), 0);
    CHECK(pair[0] < 65536 && pair[1] == 77);
    CHECK_EQ(res(CLOCK_MONOTONIC, NULL), 0);
    CHECK_EQ(res(CLOCK_MONOTONIC, &q), 0);
    CHECK_EQ(q.tv_nsec, 1);
    CHECK_EQ(res(12345, &q), -EINVAL);
}

/* What C functions keep, and the stack's place. */
TEST(clocks, vdso_functions_keep_registers)
{
    uint64_t get = (uint64_t)vdso_symbol("__vdso_clock_gettime"), changed;
    uint64_t clock = CLOCK_MONOTONIC, at;
    struct timespec t = {0};

    at = (uint64_t)&t;
    __asm__ volatile("lea -128(%%rsp), %%rsp\n push %%rbp\n"
                     "mov $3, %%ebx\n mov $5, %%ebp\n mov $12, %%r12d\n mov $13, %%r13d\n mov $14, %%r14d\n mov %%rsp, %%r15\n"
                     "call *%%rdx\n"
                     "xor $3, %%rbx\n xor $5, %%rbp\n xor $12, %%r12\n xor $13, %%r13\n xor $14, %%r14\n xor %%rsp, %%r15\n"
                     "or %%rbx, %%rax\n or %%rbp, %%rax\n or %%r12, %%rax\n or %%r13, %%rax\n or %%r14, %%rax\n or %%r15, %%rax\n"
                     "pop %%rbp\n lea 128(%%rsp), %%rsp"
                     : "=a"(changed), "+d"(get), "+D"(clock), "+S"(at)
                     :
                     : "rbx", "rcx", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15", "memory", "cc");
    CHECK_EQ(changed, 0);
    CHECK(t.tv_sec || t.tv_nsec);
}

static sigjmp_buf out;
static void *faulted;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    faulted = info->si_addr;
    siglongjmp(out, 1);
}

/* As in Linux's: it is not a system call that is given the pointer. */
TEST(clocks, bad_pointers_fault_in_the_vdso)
{
    struct sigaction sa = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct timespec t;

    sigaction(SIGSEGV, &sa, NULL);
    for (volatile int i = 0; i < 3; i++) {
        faulted = NULL;
        if (!sigsetjmp(out, 1))
            clock_gettime(CLOCK_MONOTONIC, (struct timespec *)page);
        CHECK(faulted == page);
        CHECK_EQ(clock_gettime(CLOCK_MONOTONIC, &t), 0);
    }
    signal(SIGSEGV, SIG_DFL);
}
#endif

static const struct test tests[] = {
    CASE(clocks, agree_with_the_system_call),
    CASE(clocks, reads_follow_each_other),
    CASE(clocks, errors),
#ifdef __aarch64__
    CASE(clocks, hvc_is_for_the_vdso),
#endif
#if defined(__x86_64__) || defined(__i386__)
    CASE(clocks, vmmcall_is_for_the_vdso),
    CASE(clocks, vdso_functions),
#endif
#ifdef __x86_64__
    CASE(clocks, vdso_functions_store_what_they_are_asked_for),
    CASE(clocks, vdso_functions_keep_registers),
    CASE(clocks, bad_pointers_fault_in_the_vdso),
#endif
};
TEST_MAIN(tests)
