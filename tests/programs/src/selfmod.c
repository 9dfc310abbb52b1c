/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Generated code: rewritten in place, flipped between W and X, written through a second mapping of the
 * same memory, in new pages, across fork, and written or unmapped while other threads run code. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PAGE = 4096 };

typedef int (*code)(void);

static void put(uint32_t *p, const void *run, int value)
{
    p[0] = 0x52800000u | (unsigned)value << 5; /* mov w0, #value */
    p[1] = 0xd65f03c0u;                        /* ret */
    __builtin___clear_cache((char *)run, (char *)run + 8);
}

static void want(const char *what, int got, int value)
{
    if (got == value)
        return;
    printf("%s: got %d, want %d\n", what, got, value);
    exit(1);
}

static void in_place(void)
{
    uint32_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < 3000; i++) {
        put(p, p, i);
        want("in place", ((code)p)(), i);
        want("again", ((code)p)(), i);
    }
}

static void flipped(void)
{
    uint32_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < 500; i++) {
        mprotect(p, PAGE, PROT_READ | PROT_WRITE);
        put(p, p, i);
        mprotect(p, PAGE, PROT_READ | PROT_EXEC);
        want("flipped", ((code)p)(), i);
    }
}

static void double_mapping(void)
{
    int fd = memfd_create("code", 0);
    uint32_t *w, *x;

    if (fd < 0 || ftruncate(fd, 2 * PAGE))
        exit(2);
    w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, fd, PAGE);
    for (int i = 0; i < 2000; i++) {
        put(w, x, i);
        want("double mapping", ((code)x)(), i);
    }
    for (int i = 0; i < 100; i++) { /* and by a system call */
        uint32_t insn[2];
        put(insn, insn, i);
        if (pwrite(fd, insn, 8, PAGE) != 8)
            exit(3);
        __builtin___clear_cache((char *)x, (char *)x + 8);
        want("pwrite", ((code)x)(), i);
    }
}

static void remapped(void)
{
    uint32_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < 300; i++) {
        put(p, p, i);
        want("before", ((code)p)(), i);
        if (mmap(p, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != p)
            exit(4);
        put(p, p, i + 1);
        want("a new page at the same address", ((code)p)(), i + 1);
    }
}

/* A private mapping shows what is written to the file until it is written itself. */
static void private_alias(void)
{
    int fd = memfd_create("code", 0);
    uint32_t *w, *x;

    if (fd < 0 || ftruncate(fd, PAGE))
        exit(2);
    w = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    x = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
    for (int i = 0; i < 500; i++) {
        put(w, i & 1 ? w : x, i);
        want("private alias", ((code)x)(), i);
    }
}

/* Pages that never held code need no cache maintenance in practice, and some programs do none. */
static void fresh_pages(void)
{
    enum { PAGES = 200 };
    uint32_t *p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < PAGES; i++) {
        uint32_t *at = p + i * (PAGE / 4) + i * 4;
        at[0] = 0x52800000u | (unsigned)i << 5;
        at[1] = 0xd65f03c0u;
        want("fresh page", ((code)at)(), i);
    }
    munmap(p, PAGES * PAGE);
}

/* Parent and child write the same addresses differently. */
static void across_fork(void)
{
    uint32_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    for (int i = 0; i < 20; i++) {
        int status;
        pid_t pid;

        put(p, p, i);
        want("before fork", ((code)p)(), i);
        pid = fork();
        if (pid == 0) {
            want("in the child", ((code)p)(), i);
            put(p, p, i + 1000);
            _exit(((code)p)() != i + 1000);
        }
        if (waitpid(pid, &status, 0) != pid || status)
            exit(5);
        want("after fork", ((code)p)(), i);
    }
}

static uint32_t *shared;
static volatile int stop;

static void *runner(void *last)
{
    int seen = 0;

    while (!stop) {
        int v = ((code)shared)();
        if (v < seen)
            *(int *)last = -1;
        seen = v;
    }
    return NULL;
}

static void other_thread(void)
{
    pthread_t t;
    int last = 0;

    shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
                  0);
    put(shared, shared, 0);
    pthread_create(&t, NULL, runner, &last);
    for (int i = 1; i < 2000; i++) {
        __atomic_store_n(shared, 0x52800000u | (unsigned)i << 5, __ATOMIC_RELEASE);
        __builtin___clear_cache((char *)shared, (char *)shared + 4);
        want("own view", ((code)shared)(), i);
    }
    stop = 1;
    pthread_join(t, NULL);
    want("old code came back", last, 0);
}

/* A loop without calls is left by changing its branch, from outside. */
static void *spin(void *p)
{
    ((code)p)();
    return NULL;
}

static void stop_loop(void)
{
    for (int i = 0; i < 50; i++) {
        uint32_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        pthread_t t;

        p[0] = 0x91000400; /* add x0, x0, #1 */
        p[1] = 0x17ffffff; /* b .-4 */
        p[2] = 0xd65f03c0; /* ret */
        __builtin___clear_cache((char *)p, (char *)(p + 3));
        pthread_create(&t, NULL, spin, p);
        usleep(i * 100);
        __atomic_store_n(&p[1], 0xd503201f, __ATOMIC_RELEASE); /* nop */
        __builtin___clear_cache((char *)p, (char *)(p + 3));
        pthread_join(t, NULL);
        munmap(p, PAGE);
    }
}

/* Each thread maps, writes, runs and unmaps code next to the others'. */
static void *churn(void *seed)
{
    for (int i = 0; i < 400; i++) {
        uint32_t *p = mmap(NULL, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        int v = (i * 4 + (int)(intptr_t)seed) & 0xffff;

        put(p + PAGE / 4 - 2, p + PAGE / 4 - 2, v);
        want("churn", ((code)(p + PAGE / 4 - 2))(), v);
        munmap(p, PAGE);
    }
    return NULL;
}

static void churning(void)
{
    pthread_t t[4];

    for (intptr_t i = 0; i < 4; i++)
        pthread_create(&t[i], NULL, churn, (void *)i);
    for (int i = 0; i < 4; i++)
        pthread_join(t[i], NULL);
}

/* Calls the code at @p, Z being the opposite of what comparing @a and @b gives. */
static int run2(const uint32_t *p, long a, long b)
{
    register long x0 __asm__("x0") = a;
    register long x1 __asm__("x1") = b;

    __asm__ volatile("cmp x0, x1\n cset x5, eq\n cmp x5, #0\n blr %2"
                     : "+r"(x0), "+r"(x1) : "r"(p) : "x5", "x30", "cc", "memory");
    return (int)x0;
}

/* One piece of code sets the flags and goes on to another, which at first sets them itself and then, changed,
 * reads them: the first piece is as it was, but must not leave them out any more. */
static void flags_wanted_later(void)
{
    for (int way = 0; way < 30; way++) {
        uint32_t *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        uint32_t *first = p, *next = p + PAGE / 4, *end = p + PAGE / 2;
        int runs = (int[]){1, 20, 3000}[way % 3];

        first[0] = 0xeb01001f; /* cmp x0, x1 */
        first[1] = 0x14000000 | (uint32_t)(next - &first[1]); /* b */
        if (way & 1) {
            first[1] = 0x54000000 | (uint32_t)(next - &first[1]) << 5 | 12; /* b.gt: not taken, */
            first[2] = 0x14000000 | (uint32_t)(next - &first[2]);           /* then b */
        }
        next[0] = 0xaa0403e4; /* mov x4, x4 */
        next[1] = 0x14000000 | (uint32_t)(end - &next[1]);
        end[0] = 0xeb02005f; /* cmp x2, x2 */
        end[1] = 0x9a9f17e0; /* cset x0, eq */
        end[2] = 0xd65f03c0; /* ret */
        __builtin___clear_cache((char *)p, (char *)(p + 3 * PAGE / 4));
        for (int i = 0; i < runs; i++)
            want("flags set twice", run2(first, 1, 2 + i % 2), 1);
        end[0] = 0xd503201f; /* nop */
        __builtin___clear_cache((char *)end, (char *)(end + 1));
        for (int i = 0; i < runs; i++) {
            want("flags wanted later", run2(first, 1, 2), 0);
            want("flags wanted later", run2(first, 2, 2), 1);
        }
        munmap(p, 3 * PAGE);
    }
}

int main(void)
{
    in_place();
    flags_wanted_later();
    flipped();
    double_mapping();
    remapped();
    private_alias();
    fresh_pages();
    across_fork();
    other_thread();
    stop_loop();
    churning();
    puts("ok");
    return 0;
}
