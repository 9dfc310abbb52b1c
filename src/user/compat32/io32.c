/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vectors, messages and sockets of 32-bit guests (readv(2), recvmsg(2), cmsg(3), socketcall(2), setsockopt(2), select(2)). */
#include "user/compat32/compat32.h"

#include <limits.h>
#include <linux/filter.h>
#include <poll.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>

/* --- Vectors --- */

int get_iovec32(struct task *t, uint64_t addr, uint64_t n, struct iovec *out)
{
    struct iovec32 g[IOV_MAX];

    if (n > IOV_MAX)
        return -EINVAL;
    if (guest_read(t->cpu, g, addr, n * sizeof(*g)) < 0)
        return -EFAULT;
    for (uint64_t i = 0; i < n; i++) {
        if ((int32_t)g[i].len < 0)
            return -EINVAL;
        out[i] = (struct iovec){(void *)host_addr(t, g[i].base), g[i].len};
    }
    return 0;
}

static long vector(struct task *t, int nr, const uint64_t *a, uint64_t pos, uint64_t flags)
{
    struct iovec iov[IOV_MAX];
    int r = get_iovec32(t, a[1], a[2], iov);

    return r < 0 ? r : HOST_WAIT(t, nr, a[0], iov, a[2], pos, 0, flags);
}

long sys32_readv(struct task *t, const uint64_t *a)
{
    return vector(t, __NR_readv, a, 0, 0);
}

long sys32_writev(struct task *t, const uint64_t *a)
{
    return vector(t, __NR_writev, a, 0, 0);
}

long sys32_preadv(struct task *t, const uint64_t *a)
{
    return vector(t, __NR_preadv, a, pair32(a[3], a[4]), 0);
}

long sys32_pwritev(struct task *t, const uint64_t *a)
{
    return vector(t, __NR_pwritev, a, pair32(a[3], a[4]), 0);
}

long sys32_preadv2(struct task *t, const uint64_t *a)
{
    return vector(t, __NR_preadv2, a, pair32(a[3], a[4]), a[5]);
}

long sys32_pwritev2(struct task *t, const uint64_t *a)
{
    return vector(t, __NR_pwritev2, a, pair32(a[3], a[4]), a[5]);
}

long sys32_vmsplice(struct task *t, const uint64_t *a)
{
    return vector(t, __NR_vmsplice, a, a[3], 0);
}

static long other_process(struct task *t, int nr, const uint64_t *a)
{
    struct iovec local[IOV_MAX], remote[IOV_MAX];
    int r = get_iovec32(t, a[1], a[2], local);

    if (r < 0 || (r = get_iovec32(t, a[3], a[4], remote)) < 0)
        return r;
    return HOST(nr, a[0], local, a[2], remote, a[4], a[5]);
}

long sys32_process_vm_readv(struct task *t, const uint64_t *a)
{
    return other_process(t, __NR_process_vm_readv, a);
}

long sys32_process_vm_writev(struct task *t, const uint64_t *a)
{
    return other_process(t, __NR_process_vm_writev, a);
}

/* --- Messages --- */

struct msghdr32 {
    uint32_t name;
    int32_t namelen;
    uint32_t iov, iovlen, control, controllen, flags;
};
struct mmsghdr32 {
    struct msghdr32 hdr;
    uint32_t len;
};
struct cmsghdr32 {
    uint32_t len;
    int32_t level, type;
};
enum { MAX_CONTROL = 16384, CMSG32_ALIGN = 4 };

/* A time as data of a control message, of 32 bits: these two types. */
static bool is_time(const struct cmsghdr *c)
{
    return c->cmsg_level == SOL_SOCKET && (c->cmsg_type == 29 /* SO_TIMESTAMP_OLD */ || c->cmsg_type == 35 /* ..NS */) &&
           c->cmsg_len == CMSG_LEN(16);
}

/* The guest's control messages as the host's in @buf (2 * MAX_CONTROL): their length or a negative errno. */
static long control_from_guest(struct task *t, const struct msghdr32 *g, uint8_t *buf)
{
    uint8_t in[MAX_CONTROL];
    size_t at = 0, to = 0;

    if (g->controllen > sizeof(in))
        return -ENOBUFS;
    if (guest_read(t->cpu, in, g->control, g->controllen) < 0)
        return -EFAULT;
    while (g->controllen - at >= sizeof(struct cmsghdr32)) {
        struct cmsghdr32 c;
        struct cmsghdr h;
        size_t data;

        memcpy(&c, in + at, sizeof(c));
        if (c.len < sizeof(c) || c.len > g->controllen - at)
            return -EINVAL;
        data = c.len - sizeof(c);
        h = (struct cmsghdr){.cmsg_len = CMSG_LEN(data), .cmsg_level = c.level, .cmsg_type = c.type};
        if (to + CMSG_SPACE(data) > 2 * MAX_CONTROL)
            return -ENOBUFS;
        memset(buf + to, 0, CMSG_SPACE(data));
        memcpy(buf + to, &h, sizeof(h));
        memcpy(buf + to + sizeof(h), in + at + sizeof(c), data);
        to += CMSG_SPACE(data);
        at += (c.len + CMSG32_ALIGN - 1) & ~(size_t)(CMSG32_ALIGN - 1);
        if (at > g->controllen)
            break;
    }
    return (long)to;
}

/* What came, as the guest's; what has no room is said to be cut. */
static int control_to_guest(struct task *t, struct msghdr32 *g, struct msghdr *m)
{
    uint8_t out[MAX_CONTROL] = {0};
    size_t to = 0, room = g->controllen < sizeof(out) ? g->controllen : sizeof(out);

    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        size_t data = c->cmsg_len - CMSG_LEN(0), n = is_time(c) ? 8 : data;
        struct cmsghdr32 h = {(uint32_t)(sizeof(h) + n), c->cmsg_level, c->cmsg_type};

        if (to + h.len > room) {
            g->flags |= MSG_CTRUNC;
            break;
        }
        memcpy(out + to, &h, sizeof(h));
        if (is_time(c)) {
            int64_t v[2];

            memcpy(v, CMSG_DATA(c), 16);
            memcpy(out + to + sizeof(h), (int32_t[]){(int32_t)v[0], (int32_t)v[1]}, 8);
        } else {
            memcpy(out + to + sizeof(h), CMSG_DATA(c), data);
        }
        to += (h.len + CMSG32_ALIGN - 1) & ~(size_t)(CMSG32_ALIGN - 1);
    }
    if (to > room)
        to = room;
    g->controllen = (uint32_t)to;
    return to ? guest_write(t->cpu, g->control, out, to) : 0;
}

struct message {
    struct msghdr32 g;
    struct msghdr m;
    struct iovec iov[IOV_MAX];
    uint8_t control[2 * MAX_CONTROL] __attribute__((aligned(16)));
};

static int get_message(struct task *t, struct message *w, uint64_t addr)
{
    int r;

    if (guest_read(t->cpu, &w->g, addr, sizeof(w->g)) < 0)
        return -EFAULT;
    if (w->g.iovlen > IOV_MAX)
        return -EMSGSIZE;
    if ((r = get_iovec32(t, w->g.iov, w->g.iovlen, w->iov)) < 0)
        return r;
    w->m = (struct msghdr){.msg_name = (void *)host_addr(t, w->g.name), .msg_namelen = (socklen_t)w->g.namelen,
                           .msg_iov = w->iov, .msg_iovlen = w->g.iovlen};
    return 0;
}

static long send_message(struct task *t, uint64_t fd, uint64_t addr, uint64_t flags)
{
    struct message w;
    long r = get_message(t, &w, addr);

    if (r == 0 && w.g.controllen) {
        r = control_from_guest(t, &w.g, w.control);
        w.m.msg_control = w.control;
        w.m.msg_controllen = r > 0 ? (size_t)r : 0;
    }
    return r < 0 ? r : HOST_WAIT(t, __NR_sendmsg, fd, &w.m, flags);
}

static long receive_message(struct task *t, uint64_t fd, uint64_t addr, uint64_t flags)
{
    struct message w;
    long r = get_message(t, &w, addr);
    size_t room = 2 * (size_t)w.g.controllen;

    if (r < 0)
        return r;
    w.m.msg_control = w.g.control ? w.control : NULL;
    w.m.msg_controllen = !w.g.control ? 0 : room < sizeof(w.control) ? room : sizeof(w.control);
    r = HOST_WAIT(t, __NR_recvmsg, fd, &w.m, flags);
    if (r < 0)
        return r;
    w.g.namelen = (int32_t)w.m.msg_namelen;
    w.g.flags = (uint32_t)w.m.msg_flags & 0x7fffffff; /* MSG_CMSG_COMPAT is not for programs */
    if (w.g.control && control_to_guest(t, &w.g, &w.m) < 0)
        return -EFAULT;
    return guest_write(t->cpu, addr, &w.g, sizeof(w.g)) < 0 ? -EFAULT : r;
}

long sys32_sendmsg(struct task *t, const uint64_t *a)
{
    return send_message(t, a[0], a[1], a[2]);
}

long sys32_recvmsg(struct task *t, const uint64_t *a)
{
    return receive_message(t, a[0], a[1], a[2]);
}

static int put_length(struct task *t, uint64_t at, long len)
{
    uint32_t v = (uint32_t)len;

    return guest_write(t->cpu, at + offsetof(struct mmsghdr32, len), &v, 4);
}

long sys32_sendmmsg(struct task *t, const uint64_t *a)
{
    long done = 0, r = 0;

    for (; done < (long)a[2] && done < IOV_MAX; done++) {
        uint64_t at = a[1] + (uint64_t)done * sizeof(struct mmsghdr32);

        if ((r = send_message(t, a[0], at, a[3])) < 0 || (r = put_length(t, at, r)) < 0)
            break;
    }
    return done ? done : r;
}

/* The timeout is looked at after each message only, which is what recvmmsg(2) calls a bug. */
static long receive_messages(struct task *t, const uint64_t *a, const struct timespec *timeout)
{
    struct timespec end = {0}, now;
    uint64_t flags = a[3] & ~(uint64_t)MSG_WAITFORONE;
    long done = 0, r = 0;

    clock_gettime(CLOCK_MONOTONIC, &end);
    if (timeout)
        end.tv_sec += timeout->tv_sec, end.tv_nsec += timeout->tv_nsec;
    for (; done < (long)a[2] && done < IOV_MAX; done++) {
        uint64_t at = a[1] + (uint64_t)done * sizeof(struct mmsghdr32);

        if ((r = receive_message(t, a[0], at, flags)) < 0 || (r = put_length(t, at, r)) < 0)
            break;
        if (a[3] & MSG_WAITFORONE)
            flags |= MSG_DONTWAIT;
        clock_gettime(CLOCK_MONOTONIC, &now);
        if (timeout && (now.tv_sec - end.tv_sec) * 1000000000 + now.tv_nsec - end.tv_nsec >= 0) {
            done++;
            break;
        }
    }
    return done ? done : r;
}

long sys32_recvmmsg(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;

    return get_timespec32(t, a[4], &ts, &p) < 0 ? -EFAULT : receive_messages(t, a, p);
}

long sys32_recvmmsg_time64(struct task *t, const uint64_t *a)
{
    struct timespec ts;

    if (a[4] && guest_read(t->cpu, &ts, a[4], sizeof(ts)) < 0)
        return -EFAULT;
    return receive_messages(t, a, a[4] ? &ts : NULL);
}

/* --- Socket options --- */

static bool is_timeout(const uint64_t *a)
{
    return a[1] == SOL_SOCKET && (a[2] == 20 || a[2] == 21); /* SO_RCVTIMEO_OLD, SO_SNDTIMEO_OLD */
}

static long attach_filter(struct task *t, const uint64_t *a)
{
    struct {
        uint16_t len, pad;
        uint32_t filter;
    } g;
    struct sock_fprog h;

    if (a[4] < sizeof(g))
        return -EINVAL;
    if (guest_read(t->cpu, &g, a[3], sizeof(g)) < 0)
        return -EFAULT;
    h = (struct sock_fprog){g.len, (void *)host_addr(t, g.filter)};
    return HOST(__NR_setsockopt, a[0], a[1], a[2], &h, sizeof(h));
}

long sys32_setsockopt(struct task *t, const uint64_t *a)
{
    struct timeval tv, *p;

    if (is_timeout(a)) {
        if (a[4] < sizeof(struct timeval32))
            return -EINVAL;
        if (get_timeval32(t, a[3], &tv, &p) < 0 || !p)
            return -EFAULT;
        return HOST(__NR_setsockopt, a[0], a[1], a[2], p, sizeof(tv));
    }
    if (a[1] == SOL_SOCKET && (a[2] == SO_ATTACH_FILTER || a[2] == 51 /* SO_ATTACH_REUSEPORT_CBPF */))
        return attach_filter(t, a);
    return HOST(__NR_setsockopt, a[0], a[1], a[2], host_addr(t, a[3]), a[4]);
}

long sys32_getsockopt(struct task *t, const uint64_t *a)
{
    struct timeval tv;
    socklen_t len = sizeof(tv);
    uint32_t room;
    long r;

    if (!is_timeout(a))
        return HOST(__NR_getsockopt, a[0], a[1], a[2], host_addr(t, a[3]), host_addr(t, a[4]));
    if (guest_read(t->cpu, &room, a[4], 4) < 0)
        return -EFAULT;
    if (room < sizeof(struct timeval32))
        return -EINVAL;
    if ((r = HOST(__NR_getsockopt, a[0], a[1], a[2], &tv, &len)) < 0)
        return r;
    room = sizeof(struct timeval32);
    return put_timeval32(t, a[3], &tv) < 0 ? -EFAULT : guest_write(t->cpu, a[4], &room, 4);
}

/* --- socketcall: all of them behind one number --- */

static long plain(struct task *t, int nr, const uint64_t *a, const char *pointers)
{
    long v[6];

    for (int i = 0; i < 6; i++)
        v[i] = pointers[i] == 'P' ? host_addr(t, a[i]) : (long)a[i];
    return HOST_WAIT(t, nr, v[0], v[1], v[2], v[3], v[4], v[5]);
}

long sys32_socketcall(struct task *t, const uint64_t *a)
{
    static const struct {
        uint8_t n;
        int nr;
        const char *pointers;
        sys_fn *fn;
    } calls[] = {
        [1] = {3, __NR_socket, "------", NULL},      [2] = {3, __NR_bind, "-P----", NULL},
        [3] = {3, __NR_connect, "-P----", NULL},     [4] = {2, __NR_listen, "------", NULL},
        [5] = {3, __NR_accept, "-PP---", NULL},      [6] = {3, __NR_getsockname, "-PP---", NULL},
        [7] = {3, __NR_getpeername, "-PP---", NULL}, [8] = {4, __NR_socketpair, "---P--", NULL},
        [9] = {4, __NR_sendto, "-P----", NULL},      [10] = {4, __NR_recvfrom, "-P----", NULL},
        [11] = {6, __NR_sendto, "-P--P-", NULL},     [12] = {6, __NR_recvfrom, "-P--PP", NULL},
        [13] = {2, __NR_shutdown, "------", NULL},   [14] = {5, 0, "", sys32_setsockopt},
        [15] = {5, 0, "", sys32_getsockopt},         [16] = {3, 0, "", sys32_sendmsg},
        [17] = {3, 0, "", sys32_recvmsg},            [18] = {4, __NR_accept4, "-PP---", NULL},
        [19] = {5, 0, "", sys32_recvmmsg},           [20] = {4, 0, "", sys32_sendmmsg},
    };
    uint32_t words[6];
    uint64_t v[6] = {0};

    if (a[0] < 1 || a[0] >= sizeof(calls) / sizeof(calls[0]))
        return -EINVAL;
    if (guest_read(t->cpu, words, a[1], 4u * calls[a[0]].n) < 0)
        return -EFAULT;
    for (int i = 0; i < calls[a[0]].n; i++)
        v[i] = words[i];
    return calls[a[0]].fn ? calls[a[0]].fn(t, v) : plain(t, calls[a[0]].nr, v, calls[a[0]].pointers);
}

/* --- Waiting for descriptors: sets of bits are the same in words of either size --- */

/* Sets are written in words of the guest's size, which may be less than the host's: through a copy. */
static long select_sets(struct task *t, const uint64_t *a, struct timespec *timeout, const uint64_t *mask)
{
    uint8_t sets[3][8192] __attribute__((aligned(8))) = {{0}};
    struct {
        const uint64_t *set;
        uint64_t size;
    } m = {mask, 8};
    size_t n = (int)a[0] < 0 ? 0 : (size_t)((uint32_t)a[0] + 31) / 32 * 4;
    long r;

    if ((int)a[0] < 0)
        return -EINVAL;
    if (n > sizeof(sets[0]))
        n = sizeof(sets[0]);
    for (int i = 0; i < 3; i++)
        if (a[1 + i] && guest_read(t->cpu, sets[i], a[1 + i], n) < 0)
            return -EFAULT;
    r = signal_waited(t, HOST_WAIT(t, __NR_pselect6, a[0] > 8 * n ? 8 * n : a[0], a[1] ? sets[0] : NULL, a[2] ? sets[1] : NULL,
                            a[3] ? sets[2] : NULL, timeout, mask ? &m : NULL));
    for (int i = 0; i < 3 && r >= 0; i++)
        if (a[1 + i] && guest_write(t->cpu, a[1 + i], sets[i], n) < 0)
            return -EFAULT;
    return r;
}

long sys32__newselect(struct task *t, const uint64_t *a)
{
    struct timeval tv, *p;
    struct timespec ts = {0};
    long r;

    if (get_timeval32(t, a[4], &tv, &p) < 0)
        return -EFAULT;
    if (p) {
        if (tv.tv_sec < 0 || tv.tv_usec < 0)
            return -EINVAL;
        ts = (struct timespec){tv.tv_sec + tv.tv_usec / 1000000, tv.tv_usec % 1000000 * 1000};
    }
    r = select_sets(t, a, p ? &ts : NULL, NULL);
    if (p && r != SYS_RESTART) {
        tv = (struct timeval){ts.tv_sec, ts.tv_nsec / 1000};
        put_timeval32(t, a[4], &tv);
    }
    return r;
}

long sys32_select(struct task *t, const uint64_t *a)
{
    uint32_t v[5];

    if (guest_read(t->cpu, v, a[0], sizeof(v)) < 0)
        return -EFAULT;
    return sys32__newselect(t, (uint64_t[6]){v[0], v[1], v[2], v[3], v[4]});
}

static long select_masked(struct task *t, const uint64_t *a, struct timespec *timeout)
{
    uint32_t arg[2] = {0, 8};
    uint64_t mask;
    long r;

    if (a[5] && guest_read(t->cpu, arg, a[5], sizeof(arg)) < 0)
        return -EFAULT;
    if ((r = signal_wait_mask(t, arg[0], arg[1])) < 0)
        return r;
    mask = t->sig->wait_mask;
    return select_sets(t, a, timeout, arg[0] ? &mask : NULL);
}

long sys32_pselect6(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;
    long r;

    if (get_timespec32(t, a[4], &ts, &p) < 0)
        return -EFAULT;
    r = select_masked(t, a, p);
    if (p && r != SYS_RESTART)
        put_timespec32(t, a[4], &ts);
    return r;
}

long sys32_pselect6_time64(struct task *t, const uint64_t *a)
{
    struct timespec ts;
    long r;

    if (a[4] && guest_read(t->cpu, &ts, a[4], sizeof(ts)) < 0)
        return -EFAULT;
    r = select_masked(t, a, a[4] ? &ts : NULL);
    if (a[4] && r != SYS_RESTART)
        guest_write(t->cpu, a[4], &ts, sizeof(ts));
    return r;
}

long sys32_ppoll(struct task *t, const uint64_t *a)
{
    struct timespec ts, *p;
    long r;

    if (get_timespec32(t, a[2], &ts, &p) < 0)
        return -EFAULT;
    if ((r = signal_wait_mask(t, a[3], a[4])) < 0)
        return r;
    r = signal_waited(t, HOST_WAIT(t, __NR_ppoll, host_addr(t, a[0]), a[1], p, host_addr(t, a[3]), a[4]));
    if (p && r != SYS_RESTART)
        put_timespec32(t, a[2], &ts);
    return r;
}
