/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program with code of many sorts, for the translation cache: calls, loops that get hot, a switch,
 * floating point, a fault in the middle of it.  Prints sums.  usage: tcache [pause|uid|many] */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static sigjmp_buf back;
static volatile unsigned long sink = 1;

static void on_fault(int sig)
{
    siglongjmp(back, sig);
}

static int fault(void)
{
    int sig = sigsetjmp(back, 1);

    if (!sig)
        *(volatile int *)8 = 1;
    return sig;
}

__attribute__((noinline)) static unsigned long pick(unsigned long n)
{
    switch (n % 7) {
    case 0: return n * 3;
    case 1: return n ^ 0x55;
    case 2: return n / 3;
    case 3: return n << 2;
    case 4: return ~n;
    case 5: return n - 9;
    default: return n | 1;
    }
}

__attribute__((noinline)) static double series(int n)
{
    double s = 0;

    for (int i = 1; i < n; i++)
        s += (i & 1 ? 1.0 : -1.0) / (2 * i - 1);
    return s * 4;
}

/* Many functions, so that there is much to keep. */
#define F(n) __attribute__((noinline)) static unsigned long f##n(unsigned long v) \
    { return v % (n + 2) ? pick(v + n) * (n | 1) : v + 0x1234 * n; }
#define F10(n) F(n##0) F(n##1) F(n##2) F(n##3) F(n##4) F(n##5) F(n##6) F(n##7) F(n##8) F(n##9)
F10(1) F10(2) F10(3) F10(4) F10(5) F10(6) F10(7) F10(8)
#define C(n) v = f##n(v);
#define C10(n) C(n##0) C(n##1) C(n##2) C(n##3) C(n##4) C(n##5) C(n##6) C(n##7) C(n##8) C(n##9)

/* One instruction that the test can find in the file, and change. */
__attribute__((noinline)) static unsigned long marked(void)
{
    unsigned long v = 0x1234;

#ifdef __aarch64__
    __asm__ volatile("movz x9, #0x1234\n\tmov %0, x9" : "=r"(v) : : "x9");
#endif
    return v;
}

static unsigned long all(unsigned long v)
{
    C10(1) C10(2) C10(3) C10(4) C10(5) C10(6) C10(7) C10(8)
    return v;
}

int main(int argc, char **argv)
{
    unsigned long sum = 0;
    char c;

    signal(SIGSEGV, on_fault);
    for (unsigned long i = 0; i < 20000; i++)
        sum = sum * 31 + pick(i + sink);
    printf("%lx %.9f %d\n", sum, series(5000), fault());
    fflush(stdout);
    if (argc > 1 && !strcmp(argv[1], "pause"))
        read(0, &c, 1);
    if (argc > 1 && !strcmp(argv[1], "uid") && setuid(getuid()) < 0)
        return 1;
    printf("%lx %d\n", all(sum + marked()), fault());
    return 0;
}
