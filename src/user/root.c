/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that may take our own program and /proc out of sight: chroot(2), pivot_root(2), setns(2),
 * umount2(2).  Before them we take hold of our program, for the guest's next execve. */
#include "cpu/tcache.h"
#include "user/sys.h"

#include <sys/syscall.h>

/* The translation cache's folder is out of sight, too. */
static long leave(struct task *t, long r)
{
    if (r >= 0 && t->proc->tcache)
        tcache_stop(t->proc->tcache);
    return r;
}

long sys_chroot(struct task *t, const uint64_t *a)
{
    exec_pin_self(t->proc);
    return leave(t, HOST(__NR_chroot, host_addr(t, a[0])));
}

long sys_pivot_root(struct task *t, const uint64_t *a)
{
    exec_pin_self(t->proc);
    return leave(t, HOST(__NR_pivot_root, host_addr(t, a[0]), host_addr(t, a[1])));
}

/* Some namespaces only processes with one thread may change. */
long sys_setns(struct task *t, const uint64_t *a)
{
    exec_pin_self(t->proc);
    engine_alone(t->proc->engine);
    return leave(t, HOST(__NR_setns, a[0], a[1]));
}

long sys_unshare(struct task *t, const uint64_t *a)
{
    engine_alone(t->proc->engine);
    return HOST(__NR_unshare, a[0]);
}

long sys_umount2(struct task *t, const uint64_t *a)
{
    exec_pin_self(t->proc);
    return HOST(__NR_umount2, host_addr(t, a[0]), a[1]);
}
