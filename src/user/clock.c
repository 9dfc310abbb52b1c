/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading clocks: through the host's vDSO, so that programs that ask often need no system call. */
#include "user/sys.h"

#include <errno.h>
#include <sys/time.h>
#include <time.h>

long sys_clock_gettime(struct task *t, const uint64_t *a)
{
    struct timespec ts;

    if (clock_gettime((clockid_t)a[0], &ts) < 0)
        return -errno;
    /* A copy of 16 bytes would have to wait for the two stores that have just been made. */
    return guest_write(t->cpu, a[1], &ts.tv_sec, 8) < 0 ||
           guest_write(t->cpu, a[1] + 8, &ts.tv_nsec, 8) < 0 ? -EFAULT : 0;
}

long sys_clock_getres(struct task *t, const uint64_t *a)
{
    struct timespec ts;

    if (clock_getres((clockid_t)a[0], &ts) < 0)
        return -errno;
    return a[1] ? guest_write(t->cpu, a[1], &ts, sizeof(ts)) : 0;
}

long sys_gettimeofday(struct task *t, const uint64_t *a)
{
    struct timeval tv;
    struct timezone tz;
    long r = 0;

    if (gettimeofday(&tv, a[1] ? &tz : NULL) < 0)
        return -errno;
    if (a[0])
        r = guest_write(t->cpu, a[0], &tv, sizeof(tv));
    if (!r && a[1])
        r = guest_write(t->cpu, a[1], &tz, sizeof(tz));
    return r;
}
