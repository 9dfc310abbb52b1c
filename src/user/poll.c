/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Waiting for descriptors: epoll, whose event structure the host packs and others do not, and the calls that take a
 * signal mask for the time they wait.
 */
#include "user/sys.h"

#include <sys/epoll.h>
#include <sys/uio.h>

#define MAX_EVENTS 512 /* converted at a time */

struct guest_event { /* struct epoll_event where it is not packed */
    uint32_t events, pad;
    uint64_t data;
};

long sys_epoll_ctl(struct task *t, const uint64_t *a)
{
    struct epoll_event ev = {0};
    struct guest_event g;
    int r;

    if (!t->proc->abi->call.padded_events)
        return HOST(__NR_epoll_ctl, a[0], a[1], a[2], host_addr(t, a[3]));

    if ((int)a[1] == EPOLL_CTL_DEL)
        return HOST(__NR_epoll_ctl, a[0], a[1], a[2], &ev);
    if ((r = guest_read(t->cpu, &g, a[3], sizeof(g))) < 0)
        return r;
    ev.events = g.events;
    ev.data.u64 = g.data;
    return HOST(__NR_epoll_ctl, a[0], a[1], a[2], &ev);
}

long signal_waited(struct task *t, long r)
{
    t->sig->waiting = r == -EINTR && t->sig->pending;
    return r;
}

static int put_events(struct task *t, uint64_t addr, const struct epoll_event *ev, long n)
{
    struct guest_event g[MAX_EVENTS];

    for (long i = 0; i < n; i++)
        g[i] = (struct guest_event){.events = ev[i].events, .data = ev[i].data.u64};
    return guest_write(t->cpu, addr, g, (size_t)n * sizeof(g[0]));
}

/* Spreads the host's packed events out in the guest's own buffer, the last ones first. */
static int spread_events(struct task *t, uint64_t addr, long n)
{
    struct epoll_event ev[MAX_EVENTS];
    int r;

    while (n > 0) {
        long first = (n - 1) / MAX_EVENTS * MAX_EVENTS;
        size_t bytes = (size_t)(n - first) * sizeof(ev[0]);

        if ((r = guest_read(t->cpu, ev, addr + (uint64_t)first * sizeof(ev[0]), bytes)) < 0)
            return r;
        r = put_events(t, addr + (uint64_t)first * sizeof(struct guest_event), ev, n - first);
        if (r < 0)
            return r;
        n = first;
    }
    return 0;
}

static long epoll_wait_any(struct task *t, long nr, const uint64_t *a, long timeout)
{
    struct epoll_event ev[MAX_EVENTS];
    bool padded = t->proc->abi->call.padded_events, direct = !padded || (int)a[2] > MAX_EVENTS;
    long n, r;

    if ((r = signal_wait_mask(t, a[4], a[5])) < 0)
        return r;
    n = HOST_WAIT(t, nr, a[0], direct ? host_addr(t, a[1]) : (long)ev, a[2], timeout,
                  host_addr(t, a[4]), a[5]);
    signal_waited(t, n);
    if (n <= 0 || !padded)
        return n;
    r = direct ? spread_events(t, a[1], n) : put_events(t, a[1], ev, n);
    return r < 0 ? r : n;
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
    return signal_waited(t, HOST_WAIT(t, __NR_ppoll, host_addr(t, a[0]), a[1], host_addr(t, a[2]),
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
    return signal_waited(t, HOST_WAIT(t, __NR_pselect6, a[0], host_addr(t, a[1]), host_addr(t, a[2]),
                               host_addr(t, a[3]), host_addr(t, a[4]), a[5] ? &m : NULL));
}

long sys_io_pgetevents(struct task *t, const uint64_t *a)
{
    struct mask_arg m;
    long r;

    if ((r = read_mask_arg(t, a[5], &m)) < 0)
        return r;
    r = HOST_WAIT(t, __NR_io_pgetevents, a[0], a[1], a[2], host_addr(t, a[3]), host_addr(t, a[4]),
                  a[5] ? &m : NULL);
    return signal_waited(t, t->proc->guest_base ? rebase_events(t, a[3], r) : r);
}
