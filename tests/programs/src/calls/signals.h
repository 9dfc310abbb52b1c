/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the tests of signals share: a handler that remembers, and an alarm. */
#define _GNU_SOURCE
#include "../../../test.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <ucontext.h>

static volatile sig_atomic_t hits, last_signal, last_code, on_other_stack, blocked_usr2;
static void *volatile last_addr;
static volatile int order[16];

static void count(int sig, siginfo_t *info, void *context)
{
    sigset_t now;

    if (hits < 16)
        order[hits] = sig;
    hits++;
    last_signal = sig;
    last_code = info->si_code;
    last_addr = info->si_addr;
    sigprocmask(SIG_SETMASK, NULL, &now);
    blocked_usr2 = sigismember(&now, SIGUSR2);
}

static void catch(int sig, int flags)
{
    struct sigaction sa = {.sa_sigaction = count, .sa_flags = SA_SIGINFO | flags};

    sigaction(sig, &sa, NULL);
}

static void in_ms(int ms)
{
    struct itimerval it = {.it_value.tv_usec = ms * 1000};

    setitimer(ITIMER_REAL, &it, NULL);
}
