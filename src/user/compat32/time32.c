/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Times of 32 bits (time(7), clock_gettime(2), timer_create(2), setitimer(2), adjtimex(2), getrusage(2), times(2)). */
#include "user/compat32/compat32.h"

#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/times.h>
#include <sys/timex.h>

/* --- Reading and writing --- */

int get_timespec32(struct task *t, uint64_t addr, struct timespec *ts, struct timespec **p)
{
    struct timespec32 g;

    *p = addr ? ts : NULL;
    if (!addr)
        return 0;
    if (guest_read(t->cpu, &g, addr, sizeof(g)) < 0)
        return -EFAULT;
    *ts = (struct timespec){g.sec, g.nsec};
    return 0;
}

int put_timespec32(struct task *t, uint64_t addr, const struct timespec *ts)
{
    struct timespec32 g = {(int32_t)ts->tv_sec, (int32_t)ts->tv_nsec};

    return addr ? guest_write(t->cpu, addr, &g, sizeof(g)) : 0;
}

int get_timeval32(struct task *t, uint64_t addr, struct timeval *tv, struct timeval **p)
{
    struct timeval32 g;

    *p = addr ? tv : NULL;
    if (!addr)
        return 0;
    if (guest_read(t->cpu, &g, addr, sizeof(g)) < 0)
        return -EFAULT;
    *tv = (struct timeval){g.sec, g.usec};
    return 0;
}

int put_timeval32(struct task *t, uint64_t addr, const struct timeval *tv)
{
    struct timeval32 g = {(int32_t)tv->tv_sec, (int32_t)tv->tv_usec};

    return addr ? guest_write(t->cpu, addr, &g, sizeof(g)) : 0;
}

struct sigevent32 {
    uint32_t value;
    int32_t signo, notify;
    int32_t tid;
};

int get_sigevent32(struct task *t, uint64_t addr, struct sigevent *ev, struct sigevent **p)
{
    struct sigevent32 g;

    *p = addr ? ev : NULL;
    if (!addr)
        return 0;
    if (guest_read(t->cpu, &g, addr, sizeof(g)) < 0)
        return -EFAULT;
    memset(ev, 0, sizeof(*ev));
    memcpy(&ev->sigev_value, &g.value, 4);
    ev->sigev_signo = g.signo;
    ev->sigev_notify = g.notify;
    memcpy((uint8_t *)ev + 16, &g.tid, 4);
    return 0;
}

/* --- Clocks --- */

long sys32_time(struct task *t, const uint64_t *a)
{
    int32_t now = (int32_t)time(NULL);

    return a[0] && guest_write(t->cpu, a[0], &now, 4) < 0 ? -EFAULT : now;
}

long sys32_stime(struct task *t, const uint64_t *a)
{
    struct timespec ts = {0};
    int32_t v;

    if (guest_read(t->cpu, &v, a[0], 4) < 0)
        return -EFAULT;
    ts.tv_sec = v;
    return HOST(__NR_clock_settime, CLOCK_REALTIME, &ts);
}

long sys32_gettimeofday(struct task *t, const uint64_t *a)
{
    struct timeval tv;
    struct timezone tz;

    gettimeofday(&tv, a[1] ? (void *)&tz : NULL);
    if (put_timeval32(t, a[0], &tv) < 0)
        return -EFAULT;
    return a[1] ? guest_write(t->cpu, a[1], &tz, sizeof(tz)) : 0;
}

long sys32_settimeofday(struct task *t, const uint64_t *a)
{
    struct timeval tv, *p;

    return get_timeval32(t, a[0], &tv, &p) < 0 ? -EFAULT : HOST(__NR_settimeofday, p, host_addr(t, a[1]));
}

long sys32_clock_gettime(struct task *t, const uint64_t *a)
{
    struct timespec ts;

    if (clock_gettime((clockid_t)a[0], &ts) < 0)
        return -errno;
    return a[1] ? put_timespec32(t, a[1], &ts) : -EFAULT;
}

long sys32_clock_getres(struct task *t, const uint64_t *a)
{
    struct timespec ts;

    return clock_getres((clockid_t)a[0], &ts) < 0 ? -errno : put_timespec32(t, a[1], &ts);
}

long sys32_clock_settime(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;

    return get_timespec32(t, a[1], &ts, &p) < 0 ? -EFAULT : HOST(__NR_clock_settime, a[0], p);
}

static long put_rest(struct task *t, long r, uint64_t addr, const struct timespec *rest)
{
    return r == -EINTR && put_timespec32(t, addr, rest) < 0 ? -EFAULT : r;
}

long sys32_nanosleep(struct task *t, const uint64_t *a)
{
    struct timespec ts, rest = {0}, *p;

    if (get_timespec32(t, a[0], &ts, &p) < 0 || !p)
        return -EFAULT;
    return put_rest(t, HOST_WAIT(t, __NR_nanosleep, p, &rest), a[1], &rest);
}

long sys32_clock_nanosleep(struct task *t, const uint64_t *a)
{
    struct timespec ts, rest = {0}, *p;
    long r;

    if (get_timespec32(t, a[2], &ts, &p) < 0 || !p)
        return -EFAULT;
    r = HOST_WAIT(t, __NR_clock_nanosleep, a[0], a[1], p, &rest);
    return a[1] & TIMER_ABSTIME ? r : put_rest(t, r, a[3], &rest);
}

long sys32_sched_rr_get_interval(struct task *t, const uint64_t *a)
{
    struct timespec ts;
    long r = HOST(__NR_sched_rr_get_interval, a[0], &ts);

    return r < 0 ? r : put_timespec32(t, a[1], &ts);
}

/* struct timex: words of the guest's size where the host's are long. */
struct timex32 {
    uint32_t modes;
    int32_t offset, freq, maxerror, esterror, status, constant, precision, tolerance;
    struct timeval32 time;
    int32_t tick, ppsfreq, jitter, shift, stabil, jitcnt, calcnt, errcnt, stbcnt, tai, pad[11];
};

static long adjust(struct task *t, int nr, uint64_t clock, uint64_t addr)
{
    struct timex32 g;
    struct timex x;
    long r;

    if (guest_read(t->cpu, &g, addr, sizeof(g)) < 0)
        return -EFAULT;
    x = (struct timex){
        .modes = g.modes, .offset = g.offset, .freq = g.freq, .maxerror = g.maxerror, .esterror = g.esterror,
        .status = g.status, .constant = g.constant, .time = {g.time.sec, g.time.usec}, .tick = g.tick, .tai = g.tai,
    };
    r = nr == __NR_adjtimex ? HOST(nr, &x) : HOST(nr, clock, &x);
    if (r < 0)
        return r;
    g = (struct timex32){
        .modes = x.modes, .offset = (int32_t)x.offset, .freq = (int32_t)x.freq, .maxerror = (int32_t)x.maxerror,
        .esterror = (int32_t)x.esterror, .status = x.status, .constant = (int32_t)x.constant,
        .precision = (int32_t)x.precision, .tolerance = (int32_t)x.tolerance,
        .time = {(int32_t)x.time.tv_sec, (int32_t)x.time.tv_usec}, .tick = (int32_t)x.tick,
        .ppsfreq = (int32_t)x.ppsfreq, .jitter = (int32_t)x.jitter, .shift = x.shift, .stabil = (int32_t)x.stabil,
        .jitcnt = (int32_t)x.jitcnt, .calcnt = (int32_t)x.calcnt, .errcnt = (int32_t)x.errcnt,
        .stbcnt = (int32_t)x.stbcnt, .tai = x.tai,
    };
    return guest_write(t->cpu, addr, &g, sizeof(g)) < 0 ? -EFAULT : r;
}

long sys32_adjtimex(struct task *t, const uint64_t *a)
{
    return adjust(t, __NR_adjtimex, 0, a[0]);
}

long sys32_clock_adjtime(struct task *t, const uint64_t *a)
{
    return adjust(t, __NR_clock_adjtime, a[0], a[1]);
}

/* --- Timers --- */

static int get_itimerspec32(struct task *t, uint64_t addr, struct itimerspec *it)
{
    struct timespec32 g[2];

    if (guest_read(t->cpu, g, addr, sizeof(g)) < 0)
        return -EFAULT;
    *it = (struct itimerspec){{g[0].sec, g[0].nsec}, {g[1].sec, g[1].nsec}};
    return 0;
}

static int put_itimerspec32(struct task *t, uint64_t addr, const struct itimerspec *it)
{
    if (!addr)
        return 0;
    return put_timespec32(t, addr, &it->it_interval) < 0 ? -EFAULT : put_timespec32(t, addr + 8, &it->it_value);
}

static long set_timer(struct task *t, int nr, const uint64_t *a)
{
    struct itimerspec new, old;
    long r;

    if (get_itimerspec32(t, a[2], &new) < 0)
        return -EFAULT;
    r = HOST(nr, a[0], a[1], &new, &old);
    return r < 0 ? r : put_itimerspec32(t, a[3], &old);
}

static long get_timer(struct task *t, int nr, const uint64_t *a)
{
    struct itimerspec it;
    long r = HOST(nr, a[0], &it);

    return r < 0 ? r : put_itimerspec32(t, a[1], &it);
}

long sys32_timer_settime(struct task *t, const uint64_t *a)
{
    return set_timer(t, __NR_timer_settime, a);
}

long sys32_timer_gettime(struct task *t, const uint64_t *a)
{
    return get_timer(t, __NR_timer_gettime, a);
}

long sys32_timerfd_settime(struct task *t, const uint64_t *a)
{
    return set_timer(t, __NR_timerfd_settime, a);
}

long sys32_timerfd_gettime(struct task *t, const uint64_t *a)
{
    return get_timer(t, __NR_timerfd_gettime, a);
}

long sys32_timer_create(struct task *t, const uint64_t *a)
{
    struct sigevent ev, *p;

    if (get_sigevent32(t, a[1], &ev, &p) < 0)
        return -EFAULT;
    return HOST(__NR_timer_create, a[0], p, host_addr(t, a[2]));
}

static int put_itimerval32(struct task *t, uint64_t addr, const struct itimerval *it)
{
    if (!addr)
        return 0;
    return put_timeval32(t, addr, &it->it_interval) < 0 ? -EFAULT : put_timeval32(t, addr + 8, &it->it_value);
}

long sys32_getitimer(struct task *t, const uint64_t *a)
{
    struct itimerval it;
    long r = HOST(__NR_getitimer, a[0], &it);

    return r < 0 ? r : put_itimerval32(t, a[1], &it);
}

long sys32_setitimer(struct task *t, const uint64_t *a)
{
    struct itimerval new = {{0}}, old;
    struct timeval32 g[2] = {{0}};
    long r;

    if (a[1] && guest_read(t->cpu, g, a[1], sizeof(g)) < 0)
        return -EFAULT;
    new = (struct itimerval){{g[0].sec, g[0].usec}, {g[1].sec, g[1].usec}};
    r = HOST(__NR_setitimer, a[0], &new, &old);
    return r < 0 ? r : put_itimerval32(t, a[2], &old);
}

/* --- Times of files --- */

static int get_two(struct task *t, uint64_t addr, bool micro, struct timespec ts[2])
{
    struct timespec32 g[2];

    if (guest_read(t->cpu, g, addr, sizeof(g)) < 0)
        return -EFAULT;
    for (int i = 0; i < 2; i++) {
        if (micro && (g[i].nsec < 0 || g[i].nsec >= 1000000))
            return -EINVAL;
        ts[i] = (struct timespec){g[i].sec, micro ? g[i].nsec * 1000L : g[i].nsec};
    }
    return 0;
}

static long set_file_times(struct task *t, uint64_t fd, uint64_t path, uint64_t times, bool micro, uint64_t flags)
{
    struct timespec ts[2];
    int r = times ? get_two(t, times, micro, ts) : 0;

    return r < 0 ? r : HOST(__NR_utimensat, fd, host_addr(t, path), times ? ts : NULL, flags);
}

long sys32_utimes(struct task *t, const uint64_t *a)
{
    return set_file_times(t, (uint64_t)-100, a[0], a[1], true, 0);
}

long sys32_futimesat(struct task *t, const uint64_t *a)
{
    return set_file_times(t, a[0], a[1], a[2], true, 0);
}

long sys32_utimensat(struct task *t, const uint64_t *a)
{
    return set_file_times(t, a[0], a[1], a[2], false, a[3]);
}

long sys32_utime(struct task *t, const uint64_t *a)
{
    struct timespec ts[2] = {{0}};
    int32_t g[2];

    if (a[1] && guest_read(t->cpu, g, a[1], sizeof(g)) < 0)
        return -EFAULT;
    if (a[1])
        ts[0].tv_sec = g[0], ts[1].tv_sec = g[1];
    return HOST(__NR_utimensat, -100, host_addr(t, a[0]), a[1] ? ts : NULL, 0);
}

/* --- Resources used --- */

struct rusage32 {
    struct timeval32 utime, stime;
    int32_t v[14];
};

static int put_rusage32(struct task *t, uint64_t addr, const struct rusage *u)
{
    struct rusage32 g = {{(int32_t)u->ru_utime.tv_sec, (int32_t)u->ru_utime.tv_usec},
                         {(int32_t)u->ru_stime.tv_sec, (int32_t)u->ru_stime.tv_usec}, {0}};
    const long *v = &u->ru_maxrss;

    for (int i = 0; i < 14; i++)
        g.v[i] = (int32_t)v[i];
    return addr ? guest_write(t->cpu, addr, &g, sizeof(g)) : 0;
}

long sys32_getrusage(struct task *t, const uint64_t *a)
{
    struct rusage u;
    long r = HOST(__NR_getrusage, a[0], &u);

    return r < 0 ? r : put_rusage32(t, a[1], &u);
}

long sys32_wait4(struct task *t, const uint64_t *a)
{
    struct rusage u;
    long r = HOST_WAIT(t, __NR_wait4, (int)a[0], host_addr(t, a[1]), a[2], a[3] ? &u : NULL);

    return r > 0 && a[3] && put_rusage32(t, a[3], &u) < 0 ? -EFAULT : r;
}

long sys32_waitpid(struct task *t, const uint64_t *a)
{
    return sys32_wait4(t, (uint64_t[6]){a[0], a[1], a[2], 0});
}

long sys32_waitid(struct task *t, const uint64_t *a)
{
    siginfo_t info = {0};
    struct siginfo32 g;
    struct rusage u;
    long r = HOST_WAIT(t, __NR_waitid, a[0], (int)a[1], &info, a[3], a[4] ? &u : NULL);

    if (r < 0)
        return r;
    siginfo_to_32(&g, &info);
    if (a[4] && info.si_signo && put_rusage32(t, a[4], &u) < 0)
        return -EFAULT;
    return a[2] ? guest_write(t->cpu, a[2], &g, sizeof(g)) : 0;
}

long sys32_times(struct task *t, const uint64_t *a)
{
    struct tms m;
    int32_t g[4];
    long r = HOST(__NR_times, &m);

    g[0] = (int32_t)m.tms_utime, g[1] = (int32_t)m.tms_stime, g[2] = (int32_t)m.tms_cutime, g[3] = (int32_t)m.tms_cstime;
    return a[0] && guest_write(t->cpu, a[0], g, sizeof(g)) < 0 ? -EFAULT : r;
}

/* --- Waiting on a futex --- */

long sys32_futex(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;
    int op = (int)a[1] & FUTEX_CMD_MASK;
    bool waits = op == FUTEX_WAIT || op == FUTEX_WAIT_BITSET || op == FUTEX_LOCK_PI || op == 13 /* LOCK_PI2 */ ||
                 op == FUTEX_WAIT_REQUEUE_PI;

    if (waits && get_timespec32(t, a[3], &ts, &p) < 0)
        return -EFAULT;
    return HOST_WAIT(t, __NR_futex, host_addr(t, a[0]), a[1], a[2], waits ? (long)p : (long)a[3], host_addr(t, a[4]), a[5]);
}
