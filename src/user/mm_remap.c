/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mremap, System V shared memory and aliases of shared mappings (mremap(2), shmop(2)). */
#include "user/mm.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/shm.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif
#define MREMAP_KNOWN (MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP)

/* struct move - one mremap: [old, old_end) becomes [to, to_end). */
struct move {
    uint64_t old, old_end, to, to_end;
    int flags;
    bool old_code, to_code; /* code was there before */
};

static int64_t host_mremap(struct process *p, const struct move *m, int flags)
{
    void *r = mremap(mm_host(p, m->old), m->old_end - m->old, m->to_end - m->to, flags,
                     mm_host(p, m->to));

    return r == MAP_FAILED ? -errno : (int64_t)m->to;
}

/* The list follows what the host has done: the mapping at m->old is now at m->to. */
static void list_moved(struct mm *mm, const struct move *m)
{
    const struct vma *v = vmas_at(&mm->vmas, m->old);
    struct vma n = *v;

    if (v->ino)
        n.off += m->old - v->start;
    n.start = m->to;
    n.end = m->to_end;
    n.flags &= ~(uint32_t)(VMA_HEAP | VMA_STACK);
    if (m->old != m->old_end && !(m->flags & MREMAP_DONTUNMAP))
        vmas_cut(&mm->vmas, m->old, m->old_end);
    vmas_put(&mm->vmas, &n);
}

/* Same place, another size. */
static int64_t resize(struct process *p, struct move *m)
{
    struct vmas *s = &p->mm->vmas;
    int64_t r;

    if (m->to_end > m->old_end &&
        (m->to_end > p->mm->limit || vmas_overlap(s, m->old_end, m->to_end)))
        return -ENOMEM;
    r = host_mremap(p, m, 0);
    if (r < 0)
        return r;
    if (m->to_end < m->old_end) {
        m->old_code = vmas_any(s, m->to_end, m->old_end, PROT_EXEC);
        vmas_cut(s, m->to_end, m->old_end);
    } else if (m->to_end > m->old_end) {
        list_moved(p->mm, m);
    }
    return r;
}

/* To m->to, which is already reserved in the host. */
static int64_t move(struct process *p, struct move *m)
{
    struct vmas *s = &p->mm->vmas;
    int64_t r = host_mremap(p, m, MREMAP_MAYMOVE | MREMAP_FIXED | (m->flags & MREMAP_DONTUNMAP));

    if (r < 0)
        return r;
    m->old_code = vmas_any(s, m->old, m->old_end, PROT_EXEC);
    m->to_code = vmas_any(s, m->to, m->to_end, PROT_EXEC);
    list_moved(p->mm, m);
    return r;
}

static int64_t move_fixed(struct process *p, struct move *m)
{
    int64_t r;

    if (m->to & ~PAGE_MASK || m->to > p->mm->limit || m->to_end > p->mm->limit)
        return -EINVAL;
    if (m->to < m->old_end && m->old < m->to_end)
        return -EINVAL;
    r = mm_reserve_gaps(p, m->to, m->to_end);
    if (r < 0)
        return r;
    /* The host gives a range up first when it shrinks; so must the list, or a failure between
     * leaves them apart. */
    r = move(p, m);
    if (r < 0)
        mm_release_gaps(p, m->to, m->to_end);
    return r;
}

static int64_t move_anywhere(struct process *p, struct move *m)
{
    uint64_t len = m->to_end - m->to;
    int64_t r = mm_place(p, 0, len, PAGE_SIZE);

    if (r < 0)
        return r;
    m->to = (uint64_t)r;
    m->to_end = m->to + len;
    r = move(p, m);
    if (r < 0)
        munmap(mm_host(p, m->to), len);
    return r;
}

/* What the guest has more of afterwards. */
static bool within_limits(const struct process *p, const struct move *m, const struct vma *v)
{
    uint64_t len = m->to_end - m->to, old = m->flags & MREMAP_DONTUNMAP ? 0 : m->old_end - m->old;

    return len <= old || mm_may_grow(p, len - old, (int)v->prot, v->flags, 0, 0);
}

static int64_t do_mremap(struct process *p, struct move *m)
{
    struct vmas *s = &p->mm->vmas;
    const struct vma *v;
    bool may_move = m->flags & MREMAP_MAYMOVE;
    int64_t r;

    if (vmas_reserve(s, 6) < 0)
        return -ENOMEM;
    v = vmas_at(s, m->old);
    if (!v)
        return -EFAULT;
    if (vmas_sealed(s, m->old, m->old_end) ||
        ((m->flags & MREMAP_FIXED) && vmas_sealed(s, m->to, m->to_end)))
        return -EPERM;
    if (m->old == m->old_end && !((v->flags & VMA_SHARED) && may_move))
        return -EINVAL;
    if (m->flags & MREMAP_FIXED) {
        if (vmas_covered(s, m->old, m->old_end) < m->old_end)
            return -EFAULT;
        return within_limits(p, m, v) ? move_fixed(p, m) : -ENOMEM;
    }
    if (m->to_end <= m->old_end && !(m->flags & MREMAP_DONTUNMAP) && m->old != m->old_end)
        return vmas_covered(s, m->old, m->old_end) < m->old_end ? -EFAULT : resize(p, m);
    if (v->end < m->old_end)
        return -EFAULT;
    if (!within_limits(p, m, v))
        return -ENOMEM;
    if (!(m->flags & MREMAP_DONTUNMAP) && m->old != m->old_end) {
        r = resize(p, m);
        if (r != -ENOMEM || !may_move)
            return r;
    }
    return move_anywhere(p, m);
}

int64_t mm_mremap(struct process *p, uint64_t old, uint64_t old_len, uint64_t len, int flags,
                  uint64_t addr)
{
    struct mm *mm = p->mm;
    struct move m = {.flags = flags};
    int64_t r;

    old = mm_untag(p, old);
    if ((flags & ~MREMAP_KNOWN) || (old & ~PAGE_MASK) || len == 0)
        return -EINVAL;
    if ((flags & (MREMAP_FIXED | MREMAP_DONTUNMAP)) && !(flags & MREMAP_MAYMOVE))
        return -EINVAL;
    if (len > mm->limit || old_len > mm->limit || old > mm->limit)
        return len > mm->limit && !(flags & MREMAP_FIXED) ? -ENOMEM : -EINVAL;
    old_len = page_up(old_len);
    len = page_up(len);
    if ((flags & MREMAP_DONTUNMAP) && old_len != len)
        return -EINVAL;
    m.old = old;
    m.old_end = old + old_len;
    m.to = flags & MREMAP_FIXED ? addr : old;
    m.to_end = m.to + len;
    pthread_rwlock_wrlock(&mm->lock);
    r = do_mremap(p, &m);
    pthread_rwlock_unlock(&mm->lock);
    if (m.old_code)
        mm_code_gone(p, m.old, m.old_end);
    if (m.to_code)
        mm_code_gone(p, m.to, m.to_end);
    return r;
}

/* --- System V shared memory --------------------------------------------------------------------*/

/* A range of the right size for the attachment, reserved in the host. */
static int64_t shm_place(struct process *p, uint64_t addr, uint64_t len, int flags)
{
    struct mm *mm = p->mm;
    int r;

    if (!addr)
        return mm_place(p, 0, len, PAGE_SIZE);
    if (addr > mm->limit - len)
        return -EINVAL;
    if (!(flags & SHM_REMAP) && vmas_overlap(&mm->vmas, addr, addr + len))
        return -EINVAL;
    if (vmas_sealed(&mm->vmas, addr, addr + len))
        return -EPERM;
    r = mm_reserve_gaps(p, addr, addr + len);
    return r < 0 ? -EINVAL : (int64_t)addr;
}

static int64_t shm_locked(struct process *p, int id, uint64_t addr, uint64_t len, int flags,
                          bool *had_code)
{
    struct mm *mm = p->mm;
    struct vma v = {.flags = VMA_SHARED | VMA_SHM, .dev = (uint64_t)id};
    int64_t r;

    if (vmas_reserve(&mm->vmas, 4) < 0 ||
        !mm_may_grow(p, len, PROT_READ, VMA_SHARED, addr, flags & SHM_REMAP ? addr + len : addr))
        return -ENOMEM;
    r = shm_place(p, addr, len, flags);
    if (r < 0)
        return r;
    v.start = (uint64_t)r;
    v.end = v.start + len;
    if (shmat(id, mm_host(p, v.start), (flags & ~(SHM_RND | SHM_EXEC)) | SHM_REMAP) == (void *)-1) {
        r = -errno;
        mm_release_gaps(p, v.start, v.end);
        return r;
    }
    v.prot = flags & SHM_RDONLY ? PROT_READ : PROT_READ | PROT_WRITE;
    if (flags & SHM_EXEC)
        v.prot |= PROT_EXEC;
    v.ino = mm->next_id++;
    *had_code = vmas_any(&mm->vmas, v.start, v.end, PROT_EXEC);
    vmas_put(&mm->vmas, &v);
    return (int64_t)v.start;
}

int64_t mm_shmat(struct process *p, int id, uint64_t addr, int flags)
{
    struct shmid_ds ds;
    bool had_code = false;
    uint64_t len;
    int64_t r;

    addr = mm_untag(p, addr);
    if (flags & SHM_RND)
        addr &= PAGE_MASK;
    if ((addr & ~PAGE_MASK) || (!addr && (flags & SHM_REMAP)))
        return -EINVAL;
    if (shmctl(id, IPC_STAT, &ds) < 0)
        return -errno;
    len = page_up(ds.shm_segsz);
    if (len == 0 || len > p->mm->limit)
        return -ENOMEM;
    pthread_rwlock_wrlock(&p->mm->lock);
    r = shm_locked(p, id, addr, len, flags, &had_code);
    pthread_rwlock_unlock(&p->mm->lock);
    if (had_code)
        mm_code_gone(p, (uint64_t)r, (uint64_t)r + len);
    return r;
}

/* Take every piece of the attachment @ino off the list; whether one held code. */
static bool forget_attachment(struct vmas *s, uint64_t ino)
{
    bool code = false;

    for (size_t i = s->n; i-- > 0;) {
        if ((s->v[i].flags & VMA_SHM) && s->v[i].ino == ino) {
            code |= (s->v[i].prot & PROT_EXEC) != 0;
            vmas_cut(s, s->v[i].start, s->v[i].end);
        }
    }
    return code;
}

int64_t mm_shmdt(struct process *p, uint64_t addr)
{
    struct mm *mm = p->mm;
    const struct vma *v;
    bool code = false;
    int64_t r = -EINVAL;

    addr = mm_untag(p, addr);
    pthread_rwlock_wrlock(&mm->lock);
    v = vmas_at(&mm->vmas, addr);
    if (v && (v->flags & VMA_SHM) && v->start == addr && v->off == 0) {
        r = shmdt(mm_host(p, addr)) < 0 ? -errno : 0;
        if (r == 0)
            code = forget_attachment(&mm->vmas, v->ino);
    }
    pthread_rwlock_unlock(&mm->lock);
    if (code)
        mm_code_gone(p, 0, mm->limit); /* rare: no need to be exact */
    return r;
}

/* --- aliases -----------------------------------------------------------------------------------*/

/* Whether two mappings show the same object: for shmat, dev is its id and ino the attachment. */
static bool same_object(const struct vma *a, const struct vma *b)
{
    if ((a->flags ^ b->flags) & VMA_SHM)
        return false;
    return a->ino && a->dev == b->dev && (a->ino == b->ino || (a->flags & VMA_SHM));
}

/* The part of @b that shows bytes [off, off+len) of its object. */
static void alias_in(const struct vma *b, uint64_t off, uint64_t len,
                     void (*cb)(void *opaque, uint64_t addr, uint64_t len), void *opaque)
{
    uint64_t from = off > b->off ? off : b->off;
    uint64_t to = off + len, b_end = b->off + (b->end - b->start);

    if (to > b_end)
        to = b_end;
    if (from < to)
        cb(opaque, b->start + (from - b->off), to - from);
}

void mm_aliases(struct process *p, uint64_t addr, uint64_t len,
                void (*cb)(void *opaque, uint64_t addr, uint64_t len), void *opaque)
{
    const struct vmas *s = &p->mm->vmas;

    pthread_rwlock_rdlock(&p->mm->lock);
    for (size_t i = vmas_find(s, addr); i < s->n && s->v[i].start < addr + len; i++) {
        const struct vma *a = &s->v[i];
        uint64_t from = a->start > addr ? a->start : addr;
        uint64_t to = a->end < addr + len ? a->end : addr + len;

        if (!(a->flags & VMA_SHARED)) {
            cb(opaque, from, to - from);
            continue;
        }
        for (size_t j = 0; j < s->n; j++) {
            if (same_object(a, &s->v[j]))
                alias_in(&s->v[j], a->off + (from - a->start), to - from, cb, opaque);
        }
    }
    pthread_rwlock_unlock(&p->mm->lock);
}

/* The ranges to forget are gathered first: the engine must not be called with the lock held. */
struct alias_list {
    struct range r[64];
    size_t n;
    bool overflow;
};

static void gather(void *opaque, uint64_t addr, uint64_t len)
{
    struct alias_list *l = opaque;

    if (l->n == sizeof(l->r) / sizeof(l->r[0]))
        l->overflow = true;
    else
        l->r[l->n++] = (struct range){addr, addr + len};
}

void mm_code_changed(struct process *p, uint64_t addr, uint64_t len)
{
    struct alias_list l = {.n = 0};

    addr = mm_untag(p, addr);
    if (!__atomic_load_n(&p->mm->vmas.aliases, __ATOMIC_ACQUIRE)) {
        mm_code_gone(p, addr, addr + len); /* cheap: guests say this for every line they write */
        return;
    }
    mm_aliases(p, addr, len, gather, &l);
    if (l.overflow)
        mm_code_gone(p, 0, p->mm->limit);
    for (size_t i = 0; i < l.n; i++)
        mm_code_gone(p, l.r[i].start, l.r[i].end);
}
