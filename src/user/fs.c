/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on files whose flags, structures or paths differ between the guest and the host. */
#include "user/sys.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* --- Our own descriptors -----------------------------------------------------------------------*/

bool sys_fd_is_ours(const struct task *t, int fd)
{
    return exec_is_ours(t->proc, fd);
}

long sys_close(struct task *t, const uint64_t *a)
{
    return sys_fd_is_ours(t, (int)a[0]) ? -EBADF : HOST_WAIT(t, __NR_close, a[0]);
}

long sys_dup(struct task *t, const uint64_t *a)
{
    return sys_fd_is_ours(t, (int)a[0]) ? -EBADF : HOST(__NR_dup, a[0]);
}

/* A guest that wants the number of one of our own descriptors gets it: ours moves. */
static int move_ours(struct task *t, int fd)
{
    struct process *p = t->proc;
    int *ours = fd == p->self_fd ? &p->self_fd : fd == p->gdb_fd ? &p->gdb_fd : &p->log_fd;
    int moved = (int)HOST(__NR_fcntl, fd, F_DUPFD_CLOEXEC, fd + 1);

    if (moved < 0)
        return -EBUSY;
    *ours = moved;
    return 0;
}

long sys_dup3(struct task *t, const uint64_t *a)
{
    int r;

    if (sys_fd_is_ours(t, (int)a[0]))
        return -EBADF;
    if (a[0] != a[1] && sys_fd_is_ours(t, (int)a[1]) && (r = move_ours(t, (int)a[1])) < 0)
        return r;
    return HOST_WAIT(t, __NR_dup3, a[0], a[1], a[2]);
}

static long close_part(uint64_t first, uint64_t last, uint64_t flags)
{
    return first > last ? 0 : HOST(__NR_close_range, first, last, flags);
}

/* The lowest of our own descriptors from @first on, or one above all. */
static uint64_t next_ours(const struct task *t, uint64_t first)
{
    const struct process *p = t->proc;
    int fds[3] = {p->self_fd, p->gdb_fd, p->log_fd};
    uint64_t lowest = UINT64_C(1) << 32;

    for (int i = 0; i < 3; i++) {
        if (sys_fd_is_ours(t, fds[i]) && (uint64_t)fds[i] >= first && (uint64_t)fds[i] < lowest)
            lowest = (uint64_t)fds[i];
    }
    return lowest;
}

long sys_close_range(struct task *t, const uint64_t *a)
{
    uint64_t first = (uint32_t)a[0], last = (uint32_t)a[1], ours;
    long r;

    if (first > last)
        return -EINVAL;
    if (a[2] & CLOSE_RANGE_CLOEXEC)
        return HOST(__NR_close_range, first, last, a[2]);
    while ((ours = next_ours(t, first)) <= last) {
        if (ours > 0 && (r = close_part(first, ours - 1, a[2])) < 0)
            return r;
        first = ours + 1;
    }
    return close_part(first, last, a[2]);
}

/* --- Paths -------------------------------------------------------------------------------------*/

struct path {
    char guest[PATH_MAX], buf[PATH_MAX];
    const char *host; /* what to give to the kernel */
};

/* The path for calls that look a file up: below -L when it exists there, /proc/self/exe as the
 * guest's program.  An empty or null path is given to the kernel as it is. */
static void resolve(struct task *t, struct path *p)
{
    p->host = proc_exe(t->proc, p->guest);
    if (p->host == p->guest && p->guest[0] == '/' && t->proc->opts.prefix)
        p->host = path_resolve(t->proc, p->guest, p->buf);
}

static int lookup(struct task *t, uint64_t addr, struct path *p)
{
    int r;

    if (!addr) {
        p->host = NULL;
        return 0;
    }
    if ((r = sys_path(t, addr, p->guest)) < 0)
        return r;
    resolve(t, p);
    return 0;
}

long sys_openat(struct task *t, const uint64_t *a)
{
    int flags = (int)sys_open_flags(t, a[2]);
    struct path p;
    int r;

    if ((r = sys_path(t, a[1], p.guest)) < 0)
        return r;
    if ((r = proc_open(t->proc, (int)a[0], p.guest, flags, (mode_t)a[3])) != PROC_NOT_OURS)
        return r;
    resolve(t, &p);
    return HOST_WAIT(t, __NR_openat, a[0], p.host, flags, a[3]);
}

/* What a structure has beyond the fields we know must be zero. */
static int no_newer_fields(struct task *t, uint64_t addr, uint64_t n)
{
    uint8_t byte;
    int r;

    if (n > 4096)
        return -E2BIG;
    for (uint64_t i = 0; i < n; i++)
        if ((r = guest_read(t->cpu, &byte, addr + i, 1)) < 0 || (r = byte ? -E2BIG : 0) < 0)
            return r;
    return 0;
}

long sys_openat2(struct task *t, const uint64_t *a)
{
    struct open_how how;
    struct path p;
    int r;

    if (a[3] < sizeof(how))
        return -EINVAL;
    if ((r = no_newer_fields(t, a[2] + sizeof(how), a[3] - sizeof(how))) < 0)
        return r;
    if ((r = guest_read(t->cpu, &how, a[2], sizeof(how))) < 0 ||
        (r = sys_path(t, a[1], p.guest)) < 0)
        return r;
    how.flags = sys_open_flags(t, how.flags);
    if (!how.resolve) {
        r = proc_open(t->proc, (int)a[0], p.guest, (int)how.flags, (mode_t)how.mode);
        if (r != PROC_NOT_OURS)
            return r;
    }
    resolve(t, &p);
    return HOST_WAIT(t, __NR_openat2, a[0], how.resolve ? p.guest : p.host, &how, sizeof(how));
}

long sys_faccessat(struct task *t, const uint64_t *a)
{
    struct path p;
    int r = lookup(t, a[1], &p);

    return r < 0 ? r : HOST(__NR_faccessat, a[0], p.host, a[2]);
}

long sys_faccessat2(struct task *t, const uint64_t *a)
{
    struct path p;
    int r = lookup(t, a[1], &p);

    return r < 0 ? r : HOST(__NR_faccessat2, a[0], p.host, a[2], a[3]);
}

long sys_statfs_path(struct task *t, uint64_t path, struct statfs *out)
{
    struct path p;
    int r = lookup(t, path, &p);

    return r < 0 ? r : HOST(__NR_statfs, p.host, out);
}

long sys_statfs(struct task *t, const uint64_t *a)
{
    return sys_statfs_path(t, a[0], (struct statfs *)host_addr(t, a[1]));
}

long sys_statx(struct task *t, const uint64_t *a)
{
    struct path p;
    int r = lookup(t, a[1], &p);

    if (r < 0)
        return r;
    return HOST(__NR_statx, a[0], a[2] & AT_SYMLINK_NOFOLLOW ? p.guest : p.host, a[2], a[3],
                host_addr(t, a[4]));
}

long sys_readlinkat(struct task *t, const uint64_t *a)
{
    char link[PATH_MAX];
    struct path p;
    ssize_t n;
    int r;

    if ((int)a[3] <= 0)
        return -EINVAL;
    if ((r = sys_path(t, a[1], p.guest)) < 0)
        return r;
    n = proc_readlink(t->proc, (int)a[0], p.guest, link, sizeof(link));
    if (n != PROC_NOT_OURS) {
        if (n > (ssize_t)a[3])
            n = (ssize_t)a[3];
        return n > 0 && (r = guest_write(t->cpu, a[2], link, (size_t)n)) < 0 ? r : n;
    }
    p.host = p.guest;
    if (p.guest[0] == '/' && t->proc->opts.prefix)
        p.host = path_resolve(t->proc, p.guest, p.buf);
    return HOST(__NR_readlinkat, a[0], p.host, host_addr(t, a[2]), a[3]);
}

/* --- stat --------------------------------------------------------------------------------------*/

long sys_fstat(struct task *t, const uint64_t *a)
{
    struct stat st;
    long r = HOST(__NR_fstat, a[0], &st); /* struct stat is the kernel's own on 64-bit hosts */

    return r < 0 ? r : t->proc->abi->call.put_stat(t, a[1], &st);
}

long sys_stat_path(struct task *t, uint64_t dirfd, uint64_t path, uint64_t flags, struct stat *st)
{
    struct path p;
    int r = lookup(t, path, &p);

    if (r < 0)
        return r;
    if (p.host && (flags & AT_SYMLINK_NOFOLLOW) && !t->proc->opts.prefix)
        p.host = p.guest;
    return HOST(__NR_newfstatat, dirfd, p.host, st, flags);
}

long sys_newfstatat(struct task *t, const uint64_t *a)
{
    struct stat st;
    long r = sys_stat_path(t, a[0], a[1], a[3], &st);

    return r < 0 ? r : t->proc->abi->call.put_stat(t, a[2], &st);
}

/* --- fcntl -------------------------------------------------------------------------------------*/

static bool fcntl_takes_pointer(int cmd)
{
    return (cmd >= F_GETLK && cmd <= F_SETLKW) || (cmd >= F_OFD_GETLK && cmd <= F_OFD_SETLKW) ||
           cmd == F_GETOWN_EX || cmd == F_SETOWN_EX || (cmd >= 1035 && cmd <= 1038) ||
           cmd == 17 /* F_GETOWNER_UIDS */;
}

long sys_fcntl(struct task *t, const uint64_t *a)
{
    int cmd = (int)a[1];
    long r;

    if (sys_fd_is_ours(t, (int)a[0]))
        return -EBADF;
    if (cmd == F_SETFL)
        return HOST(__NR_fcntl, a[0], cmd, sys_open_flags(t, a[2]));
    if (fcntl_takes_pointer(cmd))
        return HOST_WAIT(t, __NR_fcntl, a[0], cmd, host_addr(t, a[2]));
    r = HOST_WAIT(t, __NR_fcntl, a[0], cmd, a[2]);
    return r >= 0 && cmd == F_GETFL ? (long)sys_open_flags(t, (uint64_t)r) : r;
}
