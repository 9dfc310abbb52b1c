/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queued real-time signals into loops of integer, floating-point and vector code: order, sums, results. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/wait.h>
#include <errno.h>
#include <math.h>
#include <arm_neon.h>
static volatile long n, sum, last = -1, disorder;
static volatile float64x2_t vv;
static void h(int s, siginfo_t *i, void *u)
{
    n++;
    sum += i->si_value.sival_int;
    if (i->si_value.sival_int != last + 1)
        disorder++;
    last = i->si_value.sival_int;
    vv = vdupq_n_f64(sqrt(n));
    char b[64];
    if (n % 64 == 0)
        snprintf(b, 64, "%f", n * 1.5);
    errno = 77;
}
static uint64_t run(int k)
{
    uint64_t x = 88172645463325252ull, s = 0;
    double d = 1;
    float64x2_t v = {1, 2};
    for (int i = 0; i < k; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        s += __builtin_popcountll(x) * (x >> 32);
        d = d * 1.0000001 + (double)(x >> 40) * 1e-9;
        v = vfmaq_n_f64(v, v, 1e-9);
        __asm__ volatile("cmp %0, %1\n cinc %2, %2, hi" ::"r"(x), "r"(s), "r"(s));
        unsigned __int128 q = (unsigned __int128)x * s;
        s ^= q >> 64;
        if (i % 7 == 0)
            s = s / ((x & 1023) + 1) + x % 97;
    }
    uint64_t r;
    memcpy(&r, &d, 8);
    return s ^ r ^ vreinterpretq_u64_f64(v)[0] ^ vreinterpretq_u64_f64(v)[1] * 3;
}
int main(int c, char **v)
{
    int N = 30000, K = 2000000;
    uint64_t want = run(K);
    struct sigaction sa = {.sa_sigaction = h, .sa_flags = SA_SIGINFO | SA_RESTART};
    sigaction(SIGRTMIN + 3, &sa, 0);
    pid_t me = getpid(), p = fork();
    if (!p) {
        for (int i = 0; i < N; i++) {
            union sigval q = {.sival_int = i};
            while (sigqueue(me, SIGRTMIN + 3, q))
                usleep(1000);
            struct timespec t = {0, 50000};
            if (i % 2)
                nanosleep(&t, 0);
        }
        _exit(0);
    }
    int bad = 0, runs = 0;
    int st;
    errno = 5;
    while (!waitpid(p, &st, WNOHANG)) {
        if (run(K) != want)
            bad++;
        runs++;
    }
    if (run(K) != want)
        bad++;
    printf("%s%s\n", n == N && sum == (long)N * (N - 1) / 2 && !disorder ? "all counted" : "lost",
           bad ? ", wrong results" : "");
    if (bad || n != N)
        printf("%ld %ld %ld bad %d of %d\n", n, sum, disorder, bad, runs);
    return 0;
}
