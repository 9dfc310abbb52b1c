/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for descriptors: epoll, whose event structure the host packs, and the calls that take a
 * signal mask for the time they wait.
 */
#include "user/sys.h"

#include <sys/epoll.h>
#include <sys/uio.h>

#define MAX_EVENTS 512 /* per call: more stay for the next one */

struct guest_event { /* struct epoll_event of arm64: not packed */
    uint32_t events, pad;
    uint64_t data;
};

long sys_epoll_ctl(struct task *t, const uint64_t *a)
{
    struct epoll_event ev = {0};
    struct guest_event g;
    int r;

    if ((int)a[1] == EPOLL_CTL_DEL)
        return HOST(__NR_epoll_ctl, a[0], a[1], a[2], &ev);
    if ((r = guest_read(t->cpu, &g, a[3], sizeof(g))) < 0)
        return r;
    ev.events = g.events;
    ev.data.u64 = g.data;
    return HOST(__NR_epoll_ctl, a[0], a[1], a[2], &ev);
}

/* Notes that a signal ended a wait under the mask given with it: its handler's mask builds on it. */
static long waited(struct task *t, long r)
{
    t->sig->waiting = r == -EINTR && t->sig->pending;
    return r;
}

static long put_events(struct task *t, uint64_t addr, const struct epoll_event *ev, long n)
{
    struct guest_event g[MAX_EVENTS];
    int r;

    if (n <= 0)
        return n;
    for (long i = 0; i < n; i++)
        g[i] = (struct guest_event){.events = ev[i].events, .data = ev[i].data.u64};
    r = guest_write(t->cpu, addr, g, (size_t)n * sizeof(g[0]));
    return r < 0 ? r : n;
}

static long epoll_wait_any(struct task *t, long nr, const uint64_t *a, long timeout)
{
    struct epoll_event ev[MAX_EVENTS];
    long max = (int)a[2] > MAX_EVENTS ? MAX_EVENTS : (int)a[2];
    long r;

    if ((r = signal_wait_mask(t, a[4], a[5])) < 0)
        return r;
    r = HOST_WAIT(t, nr, a[0], ev, max, timeout, host_addr(t, a[4]), a[5]);
    return put_events(t, a[1], ev, waited(t, r));
}

long sys_epoll_pwait(struct task *t, const uint64_t *a)
{
    return epoll_wait_any(t, __NR_epoll_pwait, a, (int)a[3]);
}

long sys_epoll_pwait2(struct task *t, const uint64_t *a)
{
    return epoll_wait_any(t, 441, a, host_addr(t, a[3]));
}

long sys_ppoll(struct task *t, const uint64_t *a)
{
    long r;

    if ((r = signal_wait_mask(t, a[3], a[4])) < 0)
        return r;
    return waited(t, HOST_WAIT(t, __NR_ppoll, host_addr(t, a[0]), a[1], host_addr(t, a[2]),
                               host_addr(t, a[3]), a[4]));
}

/* The last argument of pselect6 and io_pgetevents: {mask, its size}. */
struct mask_arg {
    uint64_t set, size;
};

static int read_mask_arg(struct task *t, uint64_t addr, struct mask_arg *m)
{
    int r;

    *m = (struct mask_arg){0, 8};
    if (addr && (r = guest_read(t->cpu, m, addr, sizeof(*m))) < 0)
        return r;
    if ((r = signal_wait_mask(t, m->set, m->size)) < 0)
        return r;
    m->set = (uint64_t)host_addr(t, m->set);
    return 0;
}

long sys_pselect6(struct task *t, const uint64_t *a)
{
    struct mask_arg m;
    long r;

    if ((r = read_mask_arg(t, a[5], &m)) < 0)
        return r;
    return waited(t, HOST_WAIT(t, __NR_pselect6, a[0], host_addr(t, a[1]), host_addr(t, a[2]),
                               host_addr(t, a[3]), host_addr(t, a[4]), a[5] ? &m : NULL));
}

long sys_io_pgetevents(struct task *t, const uint64_t *a)
{
    struct mask_arg m;
    long r;

    if ((r = read_mask_arg(t, a[5], &m)) < 0)
        return r;
    return waited(t, HOST_WAIT(t, __NR_io_pgetevents, a[0], a[1], a[2], host_addr(t, a[3]),
                               host_addr(t, a[4]), a[5] ? &m : NULL));
}
