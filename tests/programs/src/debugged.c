/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Something to look at with gdb. */
#include <signal.h>
#include <stdio.h>

volatile int counter;

static int twice(int n)
{
    return 2 * n;
}

static void on_signal(int sig)
{
    counter = 77;
}

int main(void)
{
    signal(SIGUSR1, on_signal);
    counter = twice(21);
    raise(SIGUSR1);
    printf("%d\n", counter);
    return 7;
}
