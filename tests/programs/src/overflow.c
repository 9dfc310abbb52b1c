/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stack overflow seen by a handler on the alternate stack, and recovered from; RLIMIT_STACK honoured. */
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <setjmp.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
static sigjmp_buf jb;
static volatile char *lo;
static char *base;
static volatile int code;
static void *addr;
static void h(int s, siginfo_t *i, void *u)
{
    code = i->si_code;
    addr = i->si_addr;
    lo = i->si_addr;
    siglongjmp(jb, 1);
}
static __attribute__((noinline)) int rec(int n)
{
    volatile char b[1000];
    memset((void *)b, n, sizeof b);
    return rec(n + 1) + b[n % 1000];
}
static void once(const char *w)
{
    if (!sigsetjmp(jb, 1))
        rec(0);
    else
        printf("%s: code %d depth %ld MiB\n", w, code, (base - (char *)addr + (1 << 19)) >> 20);
}
static void *thr(void *p)
{
    char x;
    base = &x;
    stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&ss, 0);
    once("thread");
    once("thread");
    return 0;
}
int main(int c, char **v)
{
    char x;
    base = &x;
    stack_t ss = {.ss_sp = malloc(65536), .ss_size = 65536};
    sigaltstack(&ss, 0);
    struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigaction(SIGSEGV, &sa, 0);
    struct rlimit r;
    getrlimit(RLIMIT_STACK, &r);
    printf("limit %ld MiB\n", (long)r.rlim_cur >> 20);
    for (int i = 0; i < 3; i++)
        once("main");
    pthread_attr_t a;
    pthread_attr_init(&a);
    pthread_attr_setstacksize(&a, 2 << 20);
    pthread_t t;
    pthread_create(&t, &a, thr, 0);
    pthread_join(t, 0);
    if (c > 1) {
        signal(SIGSEGV, SIG_DFL);
        rec(0);
    }
    return 0;
}
