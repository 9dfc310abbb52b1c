/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Asynchronous input and output of 32-bit guests (io_setup(2), linux/aio_abi.h).  Requests and events are the same in 32 and 64 bits;
 * lists of requests, vectors, times and the number of a context are not.
 *
 * The host's context is an address beyond the guest's.  The guest's is that of a page which says which: a program that looks
 * there for the kernel's ring of events, as libaio does, finds no ring (its magic number is 0), and asks the kernel.
 */
#include "user/compat32/compat32.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <sys/mman.h>

enum { PAGE = 4096, HOST_CONTEXT = 64 /* in the page, behind the header of a ring */ };

static int context_of(struct task *t, uint64_t guest, aio_context_t *host)
{
    return guest && guest_read(t->cpu, host, guest + HOST_CONTEXT, sizeof(*host)) == 0 ? 0 : -EINVAL;
}

static long drop(struct task *t, uint64_t page, long r)
{
    sys_munmap(t, (uint64_t[6]){page, PAGE});
    return r;
}

long sys32_io_setup(struct task *t, const uint64_t *a)
{
    aio_context_t host = 0;
    uint32_t guest;
    long page, r;

    if (guest_read(t->cpu, &guest, a[1], sizeof(guest)) < 0)
        return -EFAULT;
    if (guest)
        return -EINVAL;
    page = sys_mmap(t, (uint64_t[6]){0, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, (uint64_t)-1, 0});
    if (page < 0 && page > -PAGE)
        return page;
    guest = (uint32_t)page;
    if ((r = HOST(__NR_io_setup, a[0], &host)) < 0)
        return drop(t, guest, r);
    if (guest_write(t->cpu, guest + HOST_CONTEXT, &host, sizeof(host)) < 0 || guest_write(t->cpu, a[1], &guest, sizeof(guest)) < 0) {
        HOST(__NR_io_destroy, host);
        return drop(t, guest, -EFAULT);
    }
    return 0;
}

long sys32_io_destroy(struct task *t, const uint64_t *a)
{
    aio_context_t host;
    long r = context_of(t, a[0], &host);

    if (r < 0 || (r = HOST(__NR_io_destroy, host)) < 0)
        return r;
    return drop(t, a[0], r);
}

long sys32_io_submit(struct task *t, const uint64_t *a)
{
    int32_t n = (int32_t)a[1], done = 0;
    aio_context_t host;
    long r = context_of(t, a[0], &host);

    if (r < 0 || n < 0)
        return -EINVAL;
    for (; done < n; done++) {
        uint32_t addr;

        if (guest_read(t->cpu, &addr, a[2] + 4 * (uint64_t)done, 4) < 0)
            r = -EFAULT;
        else
            r = submit_request(t, host, addr, get_iovec32);
        if (r <= 0)
            break;
    }
    return done ? done : r;
}

long sys32_io_cancel(struct task *t, const uint64_t *a)
{
    aio_context_t host;
    long r = context_of(t, a[0], &host);

    return r < 0 ? r : HOST(__NR_io_cancel, host, host_addr(t, a[1]), host_addr(t, a[2]));
}

static long get_events(struct task *t, const uint64_t *a, struct timespec *timeout)
{
    aio_context_t host;
    long r = context_of(t, a[0], &host);

    if (r < 0)
        return r;
    r = HOST_WAIT(t, __NR_io_getevents, host, (int32_t)a[1], (int32_t)a[2], host_addr(t, a[3]), timeout);
    return r > 0 ? rebase_events(t, a[3], r) : r;
}

long sys32_io_getevents(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;

    return get_timespec32(t, a[4], &ts, &p) < 0 ? -EFAULT : get_events(t, a, p);
}

/* The last argument: {mask, its size}. */
static long get_events_masked(struct task *t, const uint64_t *a, struct timespec *timeout)
{
    struct { uint64_t set, size; } m = {0, 8};
    uint32_t arg[2] = {0, 8};
    aio_context_t host;
    long r = context_of(t, a[0], &host);

    if (r < 0)
        return r;
    if (a[5] && guest_read(t->cpu, arg, a[5], sizeof(arg)) < 0)
        return -EFAULT;
    if ((r = signal_wait_mask(t, arg[0], arg[1])) < 0)
        return r;
    m.set = arg[0] ? (uint64_t)host_addr(t, arg[0]) : 0;
    r = HOST_WAIT(t, __NR_io_pgetevents, host, (int32_t)a[1], (int32_t)a[2], host_addr(t, a[3]), timeout, a[5] ? &m : NULL);
    return signal_waited(t, r > 0 ? rebase_events(t, a[3], r) : r);
}

long sys32_io_pgetevents(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;

    return get_timespec32(t, a[4], &ts, &p) < 0 ? -EFAULT : get_events_masked(t, a, p);
}

long sys32_io_pgetevents_time64(struct task *t, const uint64_t *a)
{
    struct timespec ts;

    if (a[4] && guest_read(t->cpu, &ts, a[4], sizeof(ts)) < 0)
        return -EFAULT;
    return get_events_masked(t, a, a[4] ? &ts : NULL);
}
