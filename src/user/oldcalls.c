/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls that younger architectures do without: the same as others with more arguments. */
#include "user/sys.h"

#include <fcntl.h>
#include <sys/stat.h>

#define HERE ((uint64_t)AT_FDCWD)

long sys_open(struct task *t, const uint64_t *a)
{
    return sys_openat(t, (uint64_t[6]){HERE, a[0], a[1], a[2]});
}

long sys_creat(struct task *t, const uint64_t *a)
{
    return sys_openat(t, (uint64_t[6]){HERE, a[0], O_CREAT | O_WRONLY | O_TRUNC, a[1]});
}

long sys_stat(struct task *t, const uint64_t *a)
{
    return sys_newfstatat(t, (uint64_t[6]){HERE, a[0], a[1], 0});
}

long sys_lstat(struct task *t, const uint64_t *a)
{
    return sys_newfstatat(t, (uint64_t[6]){HERE, a[0], a[1], AT_SYMLINK_NOFOLLOW});
}

long sys_access(struct task *t, const uint64_t *a)
{
    return sys_faccessat(t, (uint64_t[6]){HERE, a[0], a[1]});
}

long sys_readlink(struct task *t, const uint64_t *a)
{
    return sys_readlinkat(t, (uint64_t[6]){HERE, a[0], a[1], a[2]});
}

/* dup3 refuses what dup2 lets through: a descriptor copied to itself. */
long sys_dup2(struct task *t, const uint64_t *a)
{
    long r;

    if ((int)a[0] != (int)a[1])
        return sys_dup3(t, (uint64_t[6]){a[0], a[1], 0});
    if (sys_fd_is_ours(t, (int)a[0]))
        return -EBADF;
    r = HOST(__NR_fcntl, a[0], F_GETFD);
    return r < 0 ? r : (int)a[0];
}
