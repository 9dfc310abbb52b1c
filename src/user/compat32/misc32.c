/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What else differs for 32-bit guests: identities of 16 bits, limits, sysinfo, robust lists (setuid(2), getrlimit(2), sysinfo(2)). */
#include "user/compat32/compat32.h"

#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

/* --- Users and groups of 16 bits --- */

/* -1 stays "none". */
static uint64_t wide_id(uint64_t id)
{
    return (uint16_t)id == 0xffff ? ~0ull : (uint16_t)id;
}

static long narrow_id(long id)
{
    return id > 0xffff ? 65534 : id;
}

#define WIDE(a) ((uint64_t[6]){wide_id((a)[0]), wide_id((a)[1]), wide_id((a)[2])})

long sys32_getuid(struct task *t, const uint64_t *a)
{
    return narrow_id(HOST(__NR_getuid));
}

long sys32_geteuid(struct task *t, const uint64_t *a)
{
    return narrow_id(HOST(__NR_geteuid));
}

long sys32_getgid(struct task *t, const uint64_t *a)
{
    return narrow_id(HOST(__NR_getgid));
}

long sys32_getegid(struct task *t, const uint64_t *a)
{
    return narrow_id(HOST(__NR_getegid));
}

long sys32_setuid(struct task *t, const uint64_t *a)
{
    return sys_setuid(t, WIDE(a));
}

long sys32_setgid(struct task *t, const uint64_t *a)
{
    return sys_setgid(t, WIDE(a));
}

long sys32_setreuid(struct task *t, const uint64_t *a)
{
    return sys_setreuid(t, WIDE(a));
}

long sys32_setregid(struct task *t, const uint64_t *a)
{
    return sys_setregid(t, WIDE(a));
}

long sys32_setresuid(struct task *t, const uint64_t *a)
{
    return sys_setresuid(t, WIDE(a));
}

long sys32_setresgid(struct task *t, const uint64_t *a)
{
    return sys_setresgid(t, WIDE(a));
}

long sys32_setfsuid(struct task *t, const uint64_t *a)
{
    return narrow_id(sys_setfsuid(t, WIDE(a)));
}

long sys32_setfsgid(struct task *t, const uint64_t *a)
{
    return narrow_id(sys_setfsgid(t, WIDE(a)));
}

static long three_ids(struct task *t, int nr, const uint64_t *a)
{
    uint32_t id[3];
    long r = HOST(nr, &id[0], &id[1], &id[2]);

    for (int i = 0; r == 0 && i < 3; i++) {
        uint16_t g = (uint16_t)narrow_id(id[i]);

        r = guest_write(t->cpu, a[i], &g, 2);
    }
    return r;
}

long sys32_getresuid(struct task *t, const uint64_t *a)
{
    return three_ids(t, __NR_getresuid, a);
}

long sys32_getresgid(struct task *t, const uint64_t *a)
{
    return three_ids(t, __NR_getresgid, a);
}

enum { MAX_GROUPS = 65536 };

long sys32_getgroups(struct task *t, const uint64_t *a)
{
    long n = HOST(__NR_getgroups, 0, 0);
    uint32_t *ids;

    if (n <= 0 || !(int)a[0])
        return n;
    if ((long)(int)a[0] < n)
        return -EINVAL;
    if (!(ids = calloc((size_t)n, 4)))
        return -ENOMEM;
    n = HOST(__NR_getgroups, n, ids);
    for (long i = 0; i < n; i++) {
        uint16_t g = (uint16_t)narrow_id(ids[i]);

        if (guest_write(t->cpu, a[1] + 2 * (uint64_t)i, &g, 2) < 0) {
            n = -EFAULT;
            break;
        }
    }
    free(ids);
    return n;
}

long sys32_setgroups(struct task *t, const uint64_t *a)
{
    uint32_t *ids;
    long r = 0;

    if (a[0] > MAX_GROUPS)
        return -EINVAL;
    if (!(ids = calloc(a[0] + 1, 4)))
        return -ENOMEM;
    for (uint64_t i = 0; r == 0 && i < a[0]; i++) {
        uint16_t g = 0;

        r = guest_read(t->cpu, &g, a[1] + 2 * i, 2);
        ids[i] = g;
    }
    if (r == 0)
        r = sys_change_rights(t, __NR_setgroups, (long)a[0], (long)ids, 0);
    free(ids);
    return r;
}

long sys32_chown(struct task *t, const uint64_t *a)
{
    return HOST(__NR_chown, host_addr(t, a[0]), wide_id(a[1]), wide_id(a[2]));
}

long sys32_lchown(struct task *t, const uint64_t *a)
{
    return HOST(__NR_lchown, host_addr(t, a[0]), wide_id(a[1]), wide_id(a[2]));
}

long sys32_fchown(struct task *t, const uint64_t *a)
{
    return HOST(__NR_fchown, a[0], wide_id(a[1]), wide_id(a[2]));
}

/* --- Limits --- */

static long get_limit32(struct task *t, const uint64_t *a, uint32_t infinity)
{
    struct rlimit h;
    uint32_t g[2];
    long r = sys_get_limit(t, a[0], &h);

    if (r < 0)
        return r;
    g[0] = h.rlim_cur > infinity ? infinity : (uint32_t)h.rlim_cur;
    g[1] = h.rlim_max > infinity ? infinity : (uint32_t)h.rlim_max;
    return guest_write(t->cpu, a[1], g, sizeof(g));
}

long sys32_ugetrlimit(struct task *t, const uint64_t *a)
{
    return get_limit32(t, a, UINT32_MAX);
}

long sys32_getrlimit(struct task *t, const uint64_t *a)
{
    return get_limit32(t, a, INT32_MAX);
}

long sys32_setrlimit(struct task *t, const uint64_t *a)
{
    struct rlimit h;
    uint32_t g[2];

    if (guest_read(t->cpu, g, a[1], sizeof(g)) < 0)
        return -EFAULT;
    h.rlim_cur = g[0] == UINT32_MAX ? RLIM_INFINITY : g[0];
    h.rlim_max = g[1] == UINT32_MAX ? RLIM_INFINITY : g[1];
    return sys_set_limit(t, a[0], &h);
}

/* --- The machine --- */

struct sysinfo32 {
    int32_t uptime;
    uint32_t loads[3], ram[4], swap[2]; /* total, free, shared, buffers; total, free */
    uint16_t procs, pad;
    uint32_t high[2], unit;
    char fill[8];
};
_Static_assert(sizeof(struct sysinfo32) == 64, "struct sysinfo");

long sys32_sysinfo(struct task *t, const uint64_t *a)
{
    struct sysinfo32 g = {0};
    struct sysinfo h;
    unsigned shift = 0;
    long r = HOST(__NR_sysinfo, &h);

    if (r < 0)
        return r;
    /* In larger units when 32 bits do not hold the bytes, as the kernel has it. */
    while (((uint64_t)h.totalram * h.mem_unit >> shift | (uint64_t)h.totalswap * h.mem_unit >> shift) >> 32)
        shift = shift ? shift + 1 : 12;
    g.uptime = (int32_t)h.uptime;
    for (int i = 0; i < 3; i++)
        g.loads[i] = (uint32_t)h.loads[i];
    g.ram[0] = (uint32_t)(h.totalram * h.mem_unit >> shift);
    g.ram[1] = (uint32_t)(h.freeram * h.mem_unit >> shift);
    g.ram[2] = (uint32_t)(h.sharedram * h.mem_unit >> shift);
    g.ram[3] = (uint32_t)(h.bufferram * h.mem_unit >> shift);
    g.swap[0] = (uint32_t)(h.totalswap * h.mem_unit >> shift);
    g.swap[1] = (uint32_t)(h.freeswap * h.mem_unit >> shift);
    g.procs = h.procs;
    g.unit = 1u << shift;
    return guest_write(t->cpu, a[0], &g, sizeof(g));
}

/* The older forms of uname: without the domain; in fields of nine bytes. */
long sys32_olduname(struct task *t, const uint64_t *a)
{
    struct utsname u;
    long r = sys_get_uname(t, &u);

    return r < 0 ? r : guest_write(t->cpu, a[0], &u, offsetof(struct utsname, domainname));
}

long sys32_oldolduname(struct task *t, const uint64_t *a)
{
    struct utsname u;
    const char *from[5] = {u.sysname, u.nodename, u.release, u.version, u.machine};
    char g[45] = {0};
    long r = sys_get_uname(t, &u);

    for (int i = 0; i < 5 && r == 0; i++)
        memcpy(g + 9 * i, from[i], strnlen(from[i], 8));
    return r < 0 ? r : guest_write(t->cpu, a[0], g, sizeof(g));
}

long sys32_nice(struct task *t, const uint64_t *a)
{
    long now = 20 - HOST(__NR_getpriority, PRIO_PROCESS, 0), to = now + (int)a[0];

    return HOST(__NR_setpriority, PRIO_PROCESS, 0, to < -20 ? -20 : to > 19 ? 19 : to);
}

/* --- Robust lists: walked by us when a thread ends (task.c) --- */

long sys32_set_robust_list(struct task *t, const uint64_t *a)
{
    if (a[1] != 12)
        return -EINVAL;
    t->robust_list = a[0];
    return 0;
}

long sys32_get_robust_list(struct task *t, const uint64_t *a)
{
    return task_get_robust_list(t, a, 4);
}
