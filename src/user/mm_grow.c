/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What grows: the heap (brk(2)) and the main stack (getrlimit(2), RLIMIT_STACK). */
#include "user/mm_priv.h"

#include <errno.h>
#include <sys/mman.h>

#define STACK_STEP (UINT64_C(256) << 20) /* how far it moves when its place is taken */

/* --- the heap ----------------------------------------------------------------------------------*/

/* Grow the heap from page @from to page @to. */
static int brk_grow(struct process *p, uint64_t from, uint64_t to)
{
    struct mm *mm = p->mm;
    struct vma v = {from, to, PROT_READ | PROT_WRITE, VMA_HEAP, 0, 0, 0};
    struct mm_request q = {0, to - from, PAGE_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0};
    int64_t r;

    if (mm->lock_future >= 0)
        q.flags |= MAP_LOCKED;
    if (vmas_reserve(&mm->vmas, 4) < 0 || !mm_may_grow(p, q.len, q.prot, v.flags, 0, 0))
        return -ENOMEM;
    r = mm_map_noreplace(p, &q, from);
    if (r < 0)
        return (int)r;
    vmas_put(&mm->vmas, &v);
    return 0;
}

int64_t mm_brk(struct process *p, uint64_t addr)
{
    struct mm *mm = p->mm;
    uint64_t from, to;
    bool had_code = false;
    int64_t r = 0;

    pthread_rwlock_wrlock(&mm->lock);
    from = page_up(mm->brk);
    to = page_up(addr);
    if (addr < mm->brk_start || addr > mm->limit - PAGE_SIZE)
        return mm_done(p, 0, 0, false, (int64_t)mm->brk);
    if (to > from)
        r = brk_grow(p, from, to);
    else if (to < from)
        r = mm_unmap_locked(p, to, from, &had_code);
    if (r == 0)
        mm->brk = addr;
    return mm_done(p, to, from, had_code, (int64_t)mm->brk);
}

/* --- the main stack ----------------------------------------------------------------------------*/

/* Map [start, end) as a part of the stack. */
static int add_stack(struct process *p, uint64_t start, uint64_t end, int prot)
{
    struct mm *mm = p->mm;
    struct vma v = {start, end, (uint32_t)prot, VMA_STACK, 0, 0, 0};
    struct mm_request q = {0, end - start, PAGE_SIZE, prot,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0};
    int64_t r;

    if (vmas_reserve(&mm->vmas, 4) < 0)
        return -ENOMEM;
    r = mm_map_noreplace(p, &q, start);
    if (r < 0)
        return (int)r;
    madvise(mm_host(p, start), end - start, MADV_NOHUGEPAGE); /* little of it is ever touched */
    vmas_put(&mm->vmas, &v);
    return 0;
}

int mm_map_stack(struct process *p, uint64_t size, int prot)
{
    struct mm *mm = p->mm;
    int r;

    pthread_rwlock_wrlock(&mm->lock);
    /* A guest of 32 bits may find something of ours there; everything moves down then. */
    while ((r = add_stack(p, mm->stack_top - size, mm->stack_top, prot)) == -EEXIST && mm->stack_floor > 2 * STACK_STEP) {
        mm->stack_top -= STACK_STEP;
        mm->stack_floor -= STACK_STEP;
        if (mm->mmap_base > STACK_STEP * 2)
            mm->mmap_base -= STACK_STEP;
    }
    pthread_rwlock_unlock(&mm->lock);
    return r;
}

void mm_stack_limit(struct process *p, uint64_t limit)
{
    struct mm *mm = p->mm;
    const struct vma *v;
    uint64_t low;
    size_t i;

    pthread_rwlock_wrlock(&mm->lock);
    i = vmas_find(&mm->vmas, mm->stack_floor);
    v = i < mm->vmas.n ? &mm->vmas.v[i] : NULL;
    low = limit < mm->stack_top - mm->stack_floor ? mm->stack_top - page_up(limit)
                                                  : mm->stack_floor;
    /* Linux lets it grow when touched; here the room is mapped at once, and used when touched.
     * When the guest has put something below its stack, it stays as it is. */
    if (v && (v->flags & VMA_STACK) && v->start > low)
        add_stack(p, low, v->start, (int)v->prot);
    pthread_rwlock_unlock(&mm->lock);
}
