/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pthread mutex / atomics / cond ping-pong. category: thread */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdatomic.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long cnt;
static atomic_long at;
static atomic_uint spin;
static int n;
static void *w(void *p)
{
    (void)p;
    for (int i = 0; i < n; i++) {
        pthread_mutex_lock(&m);
        cnt++;
        pthread_mutex_unlock(&m);
        atomic_fetch_add(&at, i & 3);
        unsigned o = atomic_load(&spin);
        while (!atomic_compare_exchange_weak(&spin, &o, o + 1))
            ;
    }
    return 0;
}
int main(int c, char **v)
{
    n = c > 1 ? atoi(v[1]) : 4000000;
    int k = c > 2 ? atoi(v[2]) : 2;
    pthread_t t[16];
    for (int i = 0; i < k; i++)
        pthread_create(&t[i], 0, w, 0);
    for (int i = 0; i < k; i++)
        pthread_join(t[i], 0);
    printf("%ld %ld %u\n", cnt, (long)at, spin);
    return 0;
}
