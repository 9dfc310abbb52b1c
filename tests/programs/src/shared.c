/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Eight threads on atomics of all sizes, mutexes, spin locks and read-write locks: exact counts. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdatomic.h>
#include <stdint.h>
static _Atomic uint64_t a64;
static _Atomic uint32_t a32;
static _Atomic uint8_t a8;
static _Atomic uint16_t a16;
static __int128 a128 __attribute__((aligned(16)));
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static long plain;
static pthread_spinlock_t sp;
static long plain2;
static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static long plain3;
static pthread_barrier_t bar;
#define N 200000
static void *w(void *p)
{
    long id = (long)p;
    pthread_barrier_wait(&bar);
    for (int i = 0; i < N; i++) {
        atomic_fetch_add(&a64, 3);
        atomic_fetch_sub_explicit(&a32, 1, memory_order_relaxed);
        atomic_fetch_xor(&a8, 1 << id);
        atomic_fetch_add(&a16, 1);
        if (i % 16 == 0) {
            pthread_mutex_lock(&m);
            plain++;
            pthread_mutex_unlock(&m);
            pthread_spin_lock(&sp);
            plain2++;
            pthread_spin_unlock(&sp);
            if (i % 64 == 0) {
                pthread_rwlock_wrlock(&rw);
                plain3++;
                pthread_rwlock_unlock(&rw);
            } else {
                pthread_rwlock_rdlock(&rw);
                pthread_rwlock_unlock(&rw);
            }
            __int128 o = a128, n;
            do {
                n = o + (((__int128)1 << 64) | 1);
            } while (!__atomic_compare_exchange(&a128, &o, &n, 0, 5, 5));
        }
    }
    return 0;
}
int main(void)
{
    pthread_t t[8];
    pthread_spin_init(&sp, 0);
    pthread_barrier_init(&bar, 0, 8);
    for (long i = 0; i < 8; i++)
        pthread_create(&t[i], 0, w, (void *)i);
    for (int i = 0; i < 8; i++)
        pthread_join(t[i], 0);
    printf("%s\n", a64 == 8ull * N * 3 && a32 == (uint32_t)-8 * N && a16 == (uint16_t)(8 * N) &&
                           plain == 8 * N / 16 && plain2 == plain && plain3 == 8 * N / 64 &&
                           (long)a128 == 8 * N / 16 && (long)(a128 >> 64) == 8 * N / 16
                       ? "ok"
                       : "BAD");
}
