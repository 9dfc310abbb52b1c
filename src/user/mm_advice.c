/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls about mapped ranges: madvise, msync, mlock, mincore (their manual pages). */
#include "user/mm.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Calls @f with the host address of each mapped run in [start, end).  As Linux does, a hole does
 * not stop the walk but makes the result -ENOMEM; @f's first failure ends it. */
static int64_t each_run(struct process *p, uint64_t start, uint64_t end,
                        int (*f)(void *addr, size_t len, int arg), int arg)
{
    const struct vmas *s = &p->mm->vmas;
    bool hole = false;
    size_t i = vmas_find(s, start);

    while (start < end) {
        uint64_t to;

        if (i == s->n || s->v[i].start >= end)
            return -ENOMEM;
        if (s->v[i].start > start) {
            hole = true;
            start = s->v[i].start;
        }
        for (to = s->v[i++].end; i < s->n && s->v[i].start == to && to < end; i++)
            to = s->v[i].end;
        if (to > end)
            to = end;
        if (f(mm_host(p, start), to - start, arg) < 0)
            return -errno;
        start = to;
    }
    return hole ? -ENOMEM : 0;
}

/* Checks and rounds as madvise and msync do; 1 to go on. */
static int64_t check_range(struct process *p, uint64_t addr, uint64_t *len)
{
    if (addr & ~PAGE_MASK)
        return -EINVAL;
    if (*len > UINT64_MAX - PAGE_SIZE)
        return -EINVAL;
    *len = page_up(*len);
    if (addr > p->mm->limit || *len > p->mm->limit - addr)
        return -ENOMEM;
    return *len ? 1 : 0;
}

static int64_t locked_run(struct process *p, uint64_t start, uint64_t end,
                          int (*f)(void *addr, size_t len, int arg), int arg)
{
    int64_t r;

    pthread_rwlock_rdlock(&p->mm->lock);
    r = each_run(p, start, end, f, arg);
    pthread_rwlock_unlock(&p->mm->lock);
    return r;
}

/* After these the bytes may be others. */
static bool drops_content(int advice)
{
    return advice == MADV_DONTNEED || advice == MADV_REMOVE || advice == MADV_FREE ||
           advice == 24 /* MADV_DONTNEED_LOCKED */;
}

/* Sealed memory that cannot be written must not change by way of advice either (mseal(2)). */
static bool is_kept(const struct vmas *s, uint64_t start, uint64_t end, int advice)
{
    if (!drops_content(advice) && advice != MADV_DONTFORK && advice != MADV_WIPEONFORK)
        return false;
    for (size_t i = vmas_find(s, start); i < s->n && s->v[i].start < end; i++) {
        const struct vma *v = &s->v[i];

        if ((v->flags & VMA_SEALED) && !(v->flags & (VMA_SHARED | VMA_FILE)) && !(v->prot & PROT_WRITE))
            return true;
    }
    return false;
}

int64_t mm_mseal(struct process *p, uint64_t addr, uint64_t len, uint64_t flags)
{
    struct mm *mm = p->mm;
    int64_t r = 0;

    addr = mm_untag(p, addr);
    if (flags || (addr & ~PAGE_MASK) || (len && !page_up(len)) || addr + page_up(len) < addr)
        return -EINVAL;
    len = page_up(len);
    pthread_rwlock_wrlock(&mm->lock);
    if (vmas_covered(&mm->vmas, addr, addr + len) < addr + len || vmas_reserve(&mm->vmas, 2) < 0)
        r = -ENOMEM;
    else if (len)
        vmas_mark(&mm->vmas, addr, addr + len, VMA_SEALED);
    pthread_rwlock_unlock(&mm->lock);
    return r;
}

int64_t mm_madvise(struct process *p, uint64_t addr, uint64_t len, int advice)
{
    bool code;
    int64_t r;

    addr = mm_untag(p, addr);
    if (advice < 0)
        return -EINVAL;
    r = check_range(p, addr, &len);
    if (r <= 0)
        return r;
    if (advice == MADV_HWPOISON || advice == 101 /* MADV_SOFT_OFFLINE */)
        return -EPERM;
    pthread_rwlock_rdlock(&p->mm->lock);
    r = is_kept(&p->mm->vmas, addr, addr + len, advice)
            ? -EPERM
            : each_run(p, addr, addr + len, madvise, advice);
    code = drops_content(advice) && vmas_any(&p->mm->vmas, addr, addr + len, PROT_EXEC);
    pthread_rwlock_unlock(&p->mm->lock);
    if (code)
        mm_code_gone(p, addr, addr + len);
    return r;
}

int64_t mm_msync(struct process *p, uint64_t addr, uint64_t len, int flags)
{
    int64_t r;

    addr = mm_untag(p, addr);
    if (flags & ~(MS_ASYNC | MS_INVALIDATE | MS_SYNC))
        return -EINVAL;
    if ((flags & MS_ASYNC) && (flags & MS_SYNC))
        return -EINVAL;
    r = check_range(p, addr, &len);
    return r <= 0 ? r : locked_run(p, addr, addr + len, msync, flags);
}

static int do_mlock(void *addr, size_t len, int flags)
{
    if (flags == 0)
        return mlock(addr, len);
    return (int)syscall(SYS_mlock2, addr, len, flags);
}

static int do_munlock(void *addr, size_t len, int arg)
{
    return munlock(addr, len);
}

/* mlock rounds the start down instead of refusing it. */
static int64_t lock_range(struct process *p, uint64_t addr, uint64_t len,
                          int (*f)(void *addr, size_t len, int arg), int arg)
{
    addr = mm_untag(p, addr);
    if (addr > p->mm->limit || len > p->mm->limit)
        return -ENOMEM;
    len = page_up(len + (addr & ~PAGE_MASK));
    return len ? locked_run(p, addr & PAGE_MASK, (addr & PAGE_MASK) + len, f, arg) : 0;
}

int64_t mm_mlock(struct process *p, uint64_t addr, uint64_t len, int flags)
{
    if (flags & ~1 /* MLOCK_ONFAULT */)
        return -EINVAL;
    return lock_range(p, addr, len, do_mlock, flags);
}

int64_t mm_munlock(struct process *p, uint64_t addr, uint64_t len)
{
    return lock_range(p, addr, len, do_munlock, 0);
}

/* Each mapping by itself: nothing of the emulator's is to be locked. */
static int64_t lock_all(struct process *p, int (*f)(void *addr, size_t len, int arg), int arg)
{
    const struct vmas *s = &p->mm->vmas;

    for (size_t i = 0; i < s->n; i++) {
        /* Memory that cannot be read is not an error for mlockall(2). */
        if (f(mm_host(p, s->v[i].start), s->v[i].end - s->v[i].start, arg) < 0 &&
            (s->v[i].prot & PROT_READ))
            return -errno;
    }
    return 0;
}

int64_t mm_mlockall(struct process *p, int flags)
{
    struct mm *mm = p->mm;
    int how = flags & MCL_ONFAULT ? 1 : 0;
    int64_t r = 0;

    if (!flags || flags == MCL_ONFAULT || (flags & ~(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT)))
        return -EINVAL;
    pthread_rwlock_wrlock(&mm->lock);
    if (flags & MCL_CURRENT)
        r = lock_all(p, do_mlock, how);
    if (r == 0)
        mm->lock_future = flags & MCL_FUTURE ? how : -1;
    pthread_rwlock_unlock(&mm->lock);
    return r;
}

int64_t mm_munlockall(struct process *p)
{
    pthread_rwlock_wrlock(&p->mm->lock);
    p->mm->lock_future = -1;
    lock_all(p, do_munlock, 0);
    pthread_rwlock_unlock(&p->mm->lock);
    return 0;
}

int64_t mm_mincore(struct process *p, uint64_t addr, uint64_t len, uint64_t vec)
{
    struct mm *mm = p->mm;
    int64_t r;

    addr = mm_untag(p, addr);
    vec = mm_untag(p, vec);
    if (addr & ~PAGE_MASK)
        return -EINVAL;
    if (addr > mm->limit || len > mm->limit - addr)
        return -ENOMEM;
    len = page_up(len);
    if (!mm_is_guest(p, vec, len / PAGE_SIZE))
        return -EFAULT;
    pthread_rwlock_rdlock(&mm->lock);
    if (vmas_covered(&mm->vmas, addr, addr + len) < addr + len)
        r = -ENOMEM;
    else
        r = syscall(SYS_mincore, mm_host(p, addr), len, mm_host(p, vec)) < 0 ? -errno : 0;
    pthread_rwlock_unlock(&mm->lock);
    return r;
}

int64_t mm_remap_file_pages(struct process *p, uint64_t addr, uint64_t len, int prot,
                            uint64_t pgoff, int flags)
{
    struct mm *mm = p->mm;
    const struct vma *v;
    struct vma n;
    int64_t r = -EINVAL;

    addr = mm_untag(p, addr) & PAGE_MASK;
    len &= PAGE_MASK;
    if (prot || len == 0 || addr > mm->limit || len > mm->limit - addr)
        return -EINVAL;
    pthread_rwlock_wrlock(&mm->lock);
    v = vmas_at(&mm->vmas, addr);
    if (v && (v->flags & VMA_SHARED) && v->end >= addr + len && vmas_reserve(&mm->vmas, 4) == 0) {
        n = *vmas_at(&mm->vmas, addr);
        r = syscall(SYS_remap_file_pages, mm_host(p, addr), len, 0, pgoff, flags) < 0 ? -errno : 0;
        n.start = addr;
        n.end = addr + len;
        n.off = pgoff * PAGE_SIZE;
        if (r == 0)
            vmas_put(&mm->vmas, &n);
    }
    pthread_rwlock_unlock(&mm->lock);
    if (r == 0 && (n.prot & PROT_EXEC))
        mm_code_gone(p, addr, addr + len);
    return r;
}
