/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that change whose rights the process has: the host's own (credentials(7)).  After one of them
 * the translation cache, which belongs to the old ones, is neither read nor written. */
#include "cpu/tcache.h"
#include "user/sys.h"

#include <sys/syscall.h>

static long changed(struct task *t, long r)
{
    if (r >= 0 && t->proc->tcache)
        tcache_stop(t->proc->tcache);
    return r;
}

long sys_setuid(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setuid, a[0]));
}

long sys_setgid(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setgid, a[0]));
}

long sys_setreuid(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setreuid, a[0], a[1]));
}

long sys_setregid(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setregid, a[0], a[1]));
}

long sys_setresuid(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setresuid, a[0], a[1], a[2]));
}

long sys_setresgid(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setresgid, a[0], a[1], a[2]));
}

long sys_setfsuid(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setfsuid, a[0]));
}

long sys_setfsgid(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setfsgid, a[0]));
}

long sys_setgroups(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_setgroups, a[0], host_addr(t, a[1])));
}

long sys_capset(struct task *t, const uint64_t *a)
{
    return changed(t, HOST(__NR_capset, host_addr(t, a[0]), host_addr(t, a[1])));
}
