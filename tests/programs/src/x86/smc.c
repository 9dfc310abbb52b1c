/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Code that is written without a word to anybody: in other pages, in its own, through another mapping, by the kernel, by
 * functions on the stack.  Runs natively as well, and prints the same. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

typedef int func(void);

/* mov $n, %eax; ret */
static void make(uint8_t *p, int n)
{
    p[0] = 0xb8;
    memcpy(p + 1, &n, 4);
    p[5] = 0xc3;
}

static void *code(size_t size)
{
    return mmap(NULL, size, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void rewritten(void)
{
    uint8_t *p = code(4096);
    long sum = 0;

    for (int i = 0; i < 500; i++) {
        make(p, i);
        sum += ((func *)p)();
    }
    printf("rewritten: %ld\n", sum);
}

/* In a loop that is hot by then. */
static void patched_while_hot(void)
{
    uint8_t *p = code(4096);
    long sum = 0;

    make(p, 1);
    for (int i = 0; i < 50000; i++) {
        if (i == 30000)
            p[1] = 7;
        sum += ((func *)p)();
    }
    printf("patched while hot: %ld\n", sum);
}

/* Two mappings of one memory: written here, run there. */
static void doubly_mapped(void)
{
    int fd = memfd_create("code", 0);
    uint8_t *w, *x;
    long sum = 0;

    if (fd < 0 || ftruncate(fd, 4096) < 0)
        return;
    w = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    x = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    for (int i = 0; i < 200; i++) {
        make(w, i * 3);
        sum += ((func *)x)();
    }
    printf("doubly mapped: %ld\n", sum);
    close(fd);
}

/* An instruction that changes the one after it: add $imm8, %eax's immediate. */
static void its_own(void)
{
#ifdef __x86_64__
    static const uint8_t text[] = {0x31, 0xc0,                              /* xor %eax, %eax */
                                   0xc6, 0x05, 0x02, 0, 0, 0, 0x2a,         /* movb $42, 2(%rip) */
                                   0x83, 0xc0, 0x01,                        /* add $1, %eax */
                                   0xc6, 0x05, 0xf8, 0xff, 0xff, 0xff, 0x01, /* movb $1, -8(%rip) */
                                   0xc3};
#else
    static const uint8_t text[] = {0x31, 0xc0, 0xe8, 0, 0, 0, 0,           /* xor; call .+5 */
                                   0x59, 0xc6, 0x41, 0x07, 0x2a,            /* pop %ecx; movb $42, 7(%ecx) */
                                   0x83, 0xc0, 0x01,                        /* add $1, %eax: immediate at 7(%ecx) */
                                   0xc6, 0x41, 0x07, 0x01, 0xc3};           /* movb $1, 7(%ecx); ret */
#endif
    uint8_t *p = code(4096);
    long sum = 0;

    memcpy(p, text, sizeof(text));
    for (int i = 0; i < 100; i++)
        sum += ((func *)p)();
    printf("its own next instruction: %ld\n", sum);
}

/* The kernel writes: read(2) into a page that code has run from. */
static void read_from_a_file(void)
{
    uint8_t *p = code(4096), text[6];
    int fds[2];
    long sum = 0;

    if (pipe(fds) < 0)
        return;
    make(p, 5);
    sum += ((func *)p)();
    for (int i = 0; i < 20; i++) {
        make(text, 1000 + i);
        if (write(fds[1], text, 6) != 6 || read(fds[0], p, 6) != 6)
            return;
        sum += ((func *)p)();
    }
    printf("read from a pipe: %ld\n", sum);
}

/* A nested function's trampoline lies on the stack. */
static int twice(int (*f)(int), int n)
{
    return f(n) + f(n);
}

static void on_the_stack(void)
{
    long sum = 0;

    for (int i = 0; i < 300; i++) {
        int add(int n) { return n + i; }
        sum += twice(add, i);
    }
    printf("on the stack: %ld\n", sum);
}

/* Data beside code in one page, written all the time. */
static void data_in_the_page(void)
{
    uint8_t *p = code(4096);
    long *n = (long *)(p + 2048), sum = 0;

    make(p, 2);
    for (int i = 0; i < 3000; i++)
        *n += ((func *)p)(), sum += *n;
    printf("data in the page: %ld\n", sum);
}

static uint8_t *shared;
static volatile int go;

static void *writer(void *arg)
{
    for (int i = 1; i <= 200; i++) {
        shared[1] = (uint8_t)i;
        while (__atomic_load_n(&go, __ATOMIC_SEQ_CST) != i)
            ;
    }
    return arg;
}

/* Another thread writes; this one sees each value. */
static void by_another_thread(void)
{
    pthread_t t;
    long sum = 0;

    shared = code(4096);
    make(shared, 0);
    pthread_create(&t, NULL, writer, NULL);
    for (int i = 1; i <= 200; i++) {
        while (((func *)shared)() != i)
            ;
        sum += i;
        __atomic_store_n(&go, i, __ATOMIC_SEQ_CST);
    }
    pthread_join(t, NULL);
    printf("by another thread: %ld\n", sum);
}

/* Two pages: an instruction in both. */
static void across_pages(void)
{
    uint8_t *p = code(8192);
    long sum = 0;

    for (int i = 0; i < 300; i++) {
        make(p + 4096 - 3, i);
        sum += ((func *)(p + 4096 - 3))();
        p[4096] ^= 1; /* the immediate's third byte */
        sum += ((func *)(p + 4096 - 3))();
    }
    printf("across pages: %ld\n", sum);
}

/* Writable, then executable, again and again. */
static void protected(void)
{
    uint8_t *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long sum = 0;

    for (int i = 0; i < 200; i++) {
        mprotect(p, 4096, PROT_READ | PROT_WRITE);
        make(p, i);
        mprotect(p, 4096, PROT_READ | PROT_EXEC);
        sum += ((func *)p)();
        mprotect(p, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
        p[1]++;
        sum += ((func *)p)();
    }
    printf("protected: %ld\n", sum);
}

int main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    rewritten();
    patched_while_hot();
    doubly_mapped();
    its_own();
    read_from_a_file();
    on_the_stack();
    data_in_the_page();
    by_another_thread();
    across_pages();
    protected();
    return 0;
}
