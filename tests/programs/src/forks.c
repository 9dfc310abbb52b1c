/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program with busy threads forks: children allocate, start threads, execute. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <sys/mman.h>
#include <unistd.h>
#include <signal.h>
#include <stdatomic.h>
#include <math.h>
static atomic_int stop;
static atomic_long work;
static void *churn(void *p)
{
    unsigned s = (long)p;
    while (!stop) {
        void *a[16];
        for (int i = 0; i < 16; i++)
            memset(a[i] = malloc(rand_r(&s) % 20000 + 1), i, 1);
        for (int i = 0; i < 16; i++)
            free(a[i]);
        void *m = mmap(0, 65536, 3, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        *(char *)m = 1;
        munmap(m, 65536);
        work++;
    }
    return 0;
}
static void *spin(void *p)
{
    volatile double x = 1;
    while (!stop) {
        for (int i = 0; i < 1000; i++)
            x = sin(x) + 1;
        work++;
    }
    return 0;
}
static atomic_int sigs;
static void h(int s)
{
    sigs++;
}
int main(int c, char **v)
{
    int n = c > 1 ? atoi(v[1]) : 300;
    pthread_t t[6];
    signal(SIGUSR1, h);
    for (long i = 0; i < 6; i++)
        pthread_create(&t[i], 0, i < 4 ? churn : spin, (void *)i);
    int ok = 0;
    for (int i = 0; i < n; i++) {
        pid_t p = fork();
        if (!p) {
            char *x = malloc(1000 + i);
            sprintf(x, "%d", i);
            pthread_t q;
            stop = 1;
            pthread_create(&q, 0, spin, 0);
            pthread_join(q, 0);
            if (i % 10 == 0)
                execl("/proc/self/exe", "x", "0", (char *)0);
            _exit(atoi(x) % 100);
        }
        if (i % 3 == 0)
            pthread_kill(t[i % 6], SIGUSR1);
        int st;
        while (waitpid(p, &st, 0) < 0)
            ;
        ok += WIFEXITED(st) && WEXITSTATUS(st) == (i % 10 ? i % 100 : 0);
        if (!WIFEXITED(st))
            printf("%d: status %x\n", i, st);
    }
    stop = 1;
    for (int i = 0; i < 6; i++)
        pthread_join(t[i], 0);
    if (n)
        printf("%d of %d children, %s\n", ok, n,
               sigs == (n + 2) / 3 ? "all signals" : "signals lost");
    return 0;
}
