/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ioctl(2) of 32-bit guests: requests whose structures have words or pointers in them are converted here, families without any
 * pass, others give ENOTTY (ioctl_list(2), netdevice(7), ioctl_iflags(2)).
 */
#include "user/compat32/compat32.h"

#include <linux/fs.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

/* Families whose structures are the same in either word size; with them all requests whose argument is a number. */
static bool same_layout(unsigned type)
{
    static const char types[] = "TKRWEj\x94\xb7pX";

    return type == 0 || (type && strchr(types, (int)type));
}

/* --- Network interfaces: struct ifreq, 16 bytes of name and a union with a pointer and a map in it --- */

enum { IFREQ32 = 32 };

static long ifreq(struct task *t, const uint64_t *a)
{
    struct ifreq h = {0};
    uint32_t pointer;
    long r;

    if (guest_read(t->cpu, &h, a[2], IFREQ32) < 0)
        return -EFAULT;
    if (a[1] == SIOCETHTOOL) {
        memcpy(&pointer, &h.ifr_data, 4);
        h.ifr_data = (void *)host_addr(t, pointer);
        return HOST(__NR_ioctl, a[0], a[1], &h);
    }
    r = HOST(__NR_ioctl, a[0], a[1], &h);
    return r >= 0 && guest_write(t->cpu, a[2], &h, IFREQ32) < 0 ? -EFAULT : r;
}

static long ifconf(struct task *t, const uint64_t *a)
{
    struct {
        int32_t len;
        uint32_t buf;
    } g;
    struct ifreq *list = NULL;
    struct ifconf h = {0};
    int n;
    long r;

    if (guest_read(t->cpu, &g, a[2], sizeof(g)) < 0)
        return -EFAULT;
    n = g.len < 0 ? 0 : g.len / IFREQ32 > 1024 ? 1024 : g.len / IFREQ32;
    if (g.buf && !(list = calloc((size_t)n + 1, sizeof(*list))))
        return -ENOMEM;
    h.ifc_len = n * (int)sizeof(*list);
    h.ifc_req = list;
    r = HOST(__NR_ioctl, a[0], SIOCGIFCONF, &h);
    n = h.ifc_len / (int)sizeof(*list);
    for (int i = 0; r >= 0 && list && i < n; i++)
        if (guest_write(t->cpu, g.buf + (uint64_t)i * IFREQ32, &list[i], IFREQ32) < 0)
            r = -EFAULT;
    free(list);
    g.len = n * IFREQ32;
    return r >= 0 && guest_write(t->cpu, a[2], &g, sizeof(g)) < 0 ? -EFAULT : r;
}

static long socket_ioctl(struct task *t, const uint64_t *a)
{
    struct timespec ts;
    long r;

    switch (a[1]) {
    case SIOCGIFCONF:
        return ifconf(t, a);
    case 0x8906: /* SIOCGSTAMP: a time of 32 bits */
    case 0x8907: /* SIOCGSTAMPNS */
        r = HOST(__NR_ioctl, a[0], a[1], &ts);
        return r < 0 ? r : put_timespec32(t, a[2], &ts);
    case SIOCADDRT:
    case SIOCDELRT:
        return -EINVAL; /* struct rtentry: what routes programs set today goes through netlink */
    }
    if (a[1] >= SIOCGIFNAME && a[1] <= 0x89ff && a[1] != SIOCGIFCONF)
        return ifreq(t, a);
    return HOST_WAIT(t, __NR_ioctl, a[0], a[1], host_addr(t, a[2])); /* FIOSETOWN and its like: ints */
}

/* --- Requests whose number says a long, or the size of one --- */

static const struct {
    uint32_t guest;
    unsigned long host;
    bool word; /* a long is written; else an int, or 64 bits, whatever the number says */
} words[] = {
    {0x80046601, FS_IOC_GETFLAGS, false}, {0x40046602, FS_IOC_SETFLAGS, false},
    {0x80047601, FS_IOC_GETVERSION, false}, {0x40047602, FS_IOC_SETVERSION, false},
    {0x80041272, BLKGETSIZE64, false}, {0x80041270, BLKBSZGET, false}, {0x40041271, BLKBSZSET, false},
    {BLKGETSIZE, BLKGETSIZE, true}, {BLKRAGET, BLKRAGET, true}, {BLKFRAGET, BLKFRAGET, true},
};

static long word_ioctl(struct task *t, const uint64_t *a, unsigned i)
{
    unsigned long v;
    uint32_t g;
    long r;

    if (!words[i].word)
        return HOST(__NR_ioctl, a[0], words[i].host, host_addr(t, a[2]));
    if ((r = HOST(__NR_ioctl, a[0], words[i].host, &v)) < 0)
        return r;
    g = (uint32_t)v;
    return v > UINT32_MAX ? -EFBIG : guest_write(t->cpu, a[2], &g, 4);
}

long sys32_ioctl(struct task *t, const uint64_t *a)
{
    uint32_t request = (uint32_t)a[1];

    if (sys_fd_is_ours(t, (int)a[0]))
        return -EBADF;
    for (unsigned i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (words[i].guest == request)
            return word_ioctl(t, a, i);
    if ((request >> 8 & 0xff) == 0x89)
        return socket_ioctl(t, a);
    if (same_layout(request >> 8 & 0xff) || (request >> 8 & 0xff) == 0x12)
        return HOST_WAIT(t, __NR_ioctl, a[0], request, a[2] < 65536 ? (long)a[2] : host_addr(t, a[2]));
    if (t->proc->opts.strace || (t->proc->opts.log & LOG_UNIMP))
        log_line(t->proc, "%d ioctl request %#x is not known", t->tid, request);
    return -ENOTTY;
}
