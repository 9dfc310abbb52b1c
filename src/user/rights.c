/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that change whose rights the process has: the host's own (credentials(7)).  After one of them
 * the translation cache, which belongs to the old ones, is neither read nor written. */
#include "cpu/tcache.h"
#include "user/sys.h"

#include <sys/syscall.h>

long sys_change_rights(struct task *t, long nr, long a, long b, long c)
{
    long r;

    engine_alone(t->proc->engine); /* rights are each thread's own: none of ours keeps the old ones */
    r = HOST(nr, a, b, c);
    if (r >= 0 && t->proc->tcache)
        tcache_stop(t->proc->tcache);
    return r;
}

long sys_setuid(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setuid, (long)a[0], 0, 0);
}

long sys_setgid(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setgid, (long)a[0], 0, 0);
}

long sys_setreuid(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setreuid, (long)a[0], (long)a[1], 0);
}

long sys_setregid(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setregid, (long)a[0], (long)a[1], 0);
}

long sys_setresuid(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setresuid, (long)a[0], (long)a[1], (long)a[2]);
}

long sys_setresgid(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setresgid, (long)a[0], (long)a[1], (long)a[2]);
}

long sys_setfsuid(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setfsuid, (long)a[0], 0, 0);
}

long sys_setfsgid(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setfsgid, (long)a[0], 0, 0);
}

long sys_setgroups(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_setgroups, (long)a[0], host_addr(t, a[1]), 0);
}

long sys_capset(struct task *t, const uint64_t *a)
{
    return sys_change_rights(t, __NR_capset, host_addr(t, a[0]), host_addr(t, a[1]), 0);
}
