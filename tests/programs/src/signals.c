/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Signals in numbers: "timer" at 10 kHz into a computing loop whose result must not change,
 * "threads" that signal each other, "queue" of real-time signals with values. */
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { THREADS = 8, EACH = 2000 };

static atomic_long hits, sum;
static volatile double spoil;

static void on_signal(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    spoil = spoil * 1.5 + hits; /* uses floating-point registers on purpose */
    hits++;
    sum += info->si_code == SI_QUEUE ? info->si_value.sival_int : 0;
}

static void catch(int sig)
{
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_RESTART};

    sigaction(sig, &sa, NULL);
}

__attribute__((noipa)) static double compute(long n)
{
    double x = 1;
    unsigned long h = 1;

    for (long i = 0; i < n; i++) {
        h = (h ^ i) * 0x9e3779b97f4a7c15;
        x = x * 0.999999 + (double)(h >> 40) * 1e-9;
    }
    return x + h % 1000;
}

static int timer(void)
{
    struct itimerval every = {{0, 100}, {0, 100}}, never = {{0, 0}, {0, 0}};
    double want = compute(3000000);

    catch (SIGALRM);
    setitimer(ITIMER_REAL, &every, NULL);
    for (int i = 0; i < 15; i++) {
        if (compute(3000000) != want) {
            puts("a signal changed the result");
            return 1;
        }
    }
    setitimer(ITIMER_REAL, &never, NULL);
    puts(hits > 20 ? "all counted" : "hardly any signal came");
    return 0;
}

static pthread_t threads[THREADS];
static pthread_barrier_t start;
static atomic_long sent, acked;

static void on_ack(int sig)
{
    (void)sig;
    acked++;
}

static void *sender(void *arg)
{
    long me = (long)arg;

    pthread_barrier_wait(&start);
    for (int i = 0; i < EACH; i++) {
        long before = acked;
        pthread_kill(threads[(me + 1 + i % (THREADS - 1)) % THREADS], SIGUSR1);
        sent++;
        if (i % 64 == 0)
            spoil += compute(100) + before;
    }
    pthread_barrier_wait(&start);
    return NULL;
}

static int between_threads(void)
{
    signal(SIGUSR1, on_ack);
    pthread_barrier_init(&start, NULL, THREADS);
    for (long i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, sender, (void *)i);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    /* Standard signals may merge, but some must have come and none may be invented. */
    puts(sent == THREADS * EACH && acked > 0 && acked <= sent ? "all counted" : "counts differ");
    return 0;
}

static int queue(void)
{
    long want = 0;

    catch (SIGRTMIN + 3);
    for (int i = 0; i < 20000; i++) {
        union sigval v = {.sival_int = i};
        if (sigqueue(getpid(), SIGRTMIN + 3, v) == 0)
            want += i;
    }
    puts(hits == 20000 && sum == want ? "all counted" : "counts differ");
    return 0;
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";

    return strcmp(what, "timer") == 0 ? timer()
           : strcmp(what, "threads") == 0 ? between_threads()
                                          : queue();
}
