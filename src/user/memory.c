/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System calls on memory and programs: all work is done by mm.c and exec.c. */
#include "user/sys.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

long sys_brk(struct task *t, const uint64_t *a)
{
    return mm_brk(t->proc, a[0]);
}

long sys_mmap(struct task *t, const uint64_t *a)
{
    return mm_mmap(t->proc, a[0], a[1], (int)a[2], (int)a[3], (int)a[4], a[5]);
}

long sys_munmap(struct task *t, const uint64_t *a)
{
    return mm_munmap(t->proc, a[0], a[1]);
}

long sys_mremap(struct task *t, const uint64_t *a)
{
    return mm_mremap(t->proc, a[0], a[1], a[2], (int)a[3], a[4]);
}

long sys_mprotect(struct task *t, const uint64_t *a)
{
    return mm_mprotect(t->proc, a[0], a[1], (int)a[2]);
}

long sys_pkey_mprotect(struct task *t, const uint64_t *a)
{
    return (int)a[3] == -1 ? mm_mprotect(t->proc, a[0], a[1], (int)a[2]) : -EINVAL;
}

long sys_msync(struct task *t, const uint64_t *a)
{
    return mm_msync(t->proc, a[0], a[1], (int)a[2]);
}

long sys_mlock(struct task *t, const uint64_t *a)
{
    return mm_mlock(t->proc, a[0], a[1], 0);
}

long sys_mlock2(struct task *t, const uint64_t *a)
{
    return mm_mlock(t->proc, a[0], a[1], (int)a[2]);
}

long sys_munlock(struct task *t, const uint64_t *a)
{
    return mm_munlock(t->proc, a[0], a[1]);
}

long sys_mlockall(struct task *t, const uint64_t *a)
{
    return mm_mlockall(t->proc, (int)a[0]);
}

long sys_munlockall(struct task *t, const uint64_t *a)
{
    return mm_munlockall(t->proc);
}

long sys_mincore(struct task *t, const uint64_t *a)
{
    return mm_mincore(t->proc, a[0], a[1], a[2]);
}

long sys_madvise(struct task *t, const uint64_t *a)
{
    return mm_madvise(t->proc, a[0], a[1], (int)a[2]);
}

long sys_mseal(struct task *t, const uint64_t *a)
{
    return mm_mseal(t->proc, a[0], a[1], a[2]);
}

long sys_remap_file_pages(struct task *t, const uint64_t *a)
{
    return mm_remap_file_pages(t->proc, a[0], a[1], (int)a[2], a[3], (int)a[4]);
}

long sys_shmat(struct task *t, const uint64_t *a)
{
    return mm_shmat(t->proc, (int)a[0], a[1], (int)a[2]);
}

long sys_shmdt(struct task *t, const uint64_t *a)
{
    return mm_shmdt(t->proc, a[0]);
}

/* --- execve ------------------------------------------------------------------------------------*/

#define MAX_STRINGS (512 * 1024)  /* of argv or envp */
#define MAX_BYTES   (16 << 20)    /* Linux's limit is a quarter of the stack limit, 6 MiB at most */

/* A guest's list of strings copied to the host: first measured, then read into one allocation. */
static long measure(struct task *t, uint64_t list, size_t *bytes)
{
    size_t n = 0;

    for (;; n++) {
        uint64_t s = 0;
        long len;

        if (list && guest_read(t->cpu, &s, list + t->proc->abi->word * n, t->proc->abi->word) < 0)
            return -EFAULT;
        if (!s)
            return (long)n;
        if ((len = guest_strlen(t->cpu, s, MAX_BYTES)) < 0)
            return len == -ENAMETOOLONG ? -E2BIG : len;
        *bytes += (size_t)len + 1;
        if (n >= MAX_STRINGS || *bytes > MAX_BYTES)
            return -E2BIG;
    }
}

static char *read_strings(struct task *t, uint64_t list, size_t n, char **out, char *p, char *end)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t s = 0;
        long len;

        /* Another thread may have changed it since it was measured. */
        if (guest_read(t->cpu, &s, list + t->proc->abi->word * i, t->proc->abi->word) < 0 ||
            (len = guest_strlen(t->cpu, s, MAX_BYTES)) < 0 || len >= end - p ||
            guest_read(t->cpu, p, s, (size_t)len + 1) < 0)
            return NULL;
        out[i] = p;
        p += len + 1;
    }
    out[n] = NULL;
    return p;
}

static long do_exec(struct task *t, int dirfd, uint64_t path, uint64_t argv, uint64_t envp,
                    int flags)
{
    char name[PATH_MAX], **lists, *p;
    size_t bytes = 0;
    long n, m, r;

    if ((r = sys_path(t, path, name)) < 0)
        return r;
    if ((n = measure(t, argv, &bytes)) < 0)
        return n;
    if ((m = measure(t, envp, &bytes)) < 0)
        return m;
    lists = malloc((size_t)(n + m + 2) * sizeof(*lists) + bytes);
    if (!lists)
        return -ENOMEM;
    t->exec_memory[0] = lists;
    p = (char *)(lists + n + m + 2);
    if (!(p = read_strings(t, argv, (size_t)n, lists, p, p + bytes)) ||
        !read_strings(t, envp, (size_t)m, lists + n + 1, p, (char *)(lists + n + m + 2) + bytes))
        r = -EFAULT;
    else
        r = exec_guest(t, dirfd, name, lists, lists + n + 1, flags);
    t->exec_memory[0] = NULL;
    free(lists);
    return r;
}

long sys_execve(struct task *t, const uint64_t *a)
{
    return do_exec(t, AT_FDCWD, a[0], a[1], a[2], 0);
}

long sys_execveat(struct task *t, const uint64_t *a)
{
    return do_exec(t, (int)a[0], a[1], a[2], a[3], (int)a[4]);
}
