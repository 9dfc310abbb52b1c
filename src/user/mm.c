/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's address space: mmap, munmap and mprotect with Linux's results (mmap(2) and its
 * neighbours; arm64 values of prot and flags are the generic ones).
 *
 * Guest memory is host memory at guest_base + address.  Everything is mapped at addresses chosen
 * here, in the zone below the places where the host kernel puts the emulator itself.  What is not
 * in the guest's list is only ever taken with MAP_FIXED_NOREPLACE: the host kernel itself says when
 * something of ours is in the way, so nobody has to know where that is.
 */
#include "user/mm_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#ifndef MAP_UNINITIALIZED
#define MAP_UNINITIALIZED 0x4000000
#endif

/* The part of a 47-bit host address space that no kernel gives to a position-independent program:
 * x86-64 puts those at 0x555555554000 and above, mappings and the stack at the very top. */
#define HOST_TASK_SIZE UINT64_C(0x7ffffffff000)
#define GUEST_ZONE_END UINT64_C(0x540000000000)

#define MAP_TYPES 0xf
#define MIN_STACK_GAP (UINT64_C(128) << 20) /* room for growth, as Linux leaves it */
#define STACK_BITS 34 /* how far the stack moves */
#define HUGE_ALIGN (UINT64_C(2) << 20)
#define KNOWN_PROT (PROT_READ | PROT_WRITE | PROT_EXEC | 8 /* PROT_SEM */ | GUEST_PROT_BTI)

int mm_host_prot(int prot)
{
    int host = prot & (PROT_READ | PROT_WRITE);

    return prot & PROT_EXEC ? host | PROT_READ : host;
}

/* --- layout ------------------------------------------------------------------------------------*/

struct mm *mm_new(struct process *p, struct err *e)
{
    struct mm *mm = calloc(1, sizeof(*mm));

    if (!mm) {
        err_set(e, -ENOMEM, "out of memory");
        return NULL;
    }
    pthread_rwlock_init(&mm->lock, NULL);
    mm->lock_future = -1;
    mm->next_id = 1;
    mm->limit = HOST_TASK_SIZE;
    p->mm = mm;
    return mm;
}

/* @random cut to a page-aligned offset below 1 << @bits, at most a 32nd of the space. */
static uint64_t offset_of(const struct mm *mm, uint64_t random, unsigned bits)
{
    uint64_t max = mm->zone_end / 32, span = UINT64_C(1) << bits;

    while (span > max)
        span /= 2;
    return random & (span - 1) & PAGE_MASK;
}

void mm_layout(struct process *p, uint64_t stack_size, const uint64_t random[3])
{
    struct mm *mm = p->mm;
    uint64_t gap;

    mm->limit = HOST_TASK_SIZE - p->guest_base;
    mm->zone_end = GUEST_ZONE_END - p->guest_base;
    if (mm->limit > p->abi->address.limit)
        mm->limit = p->abi->address.limit;
    if (p->opts.reserved_va && mm->limit > p->opts.reserved_va)
        mm->limit = p->opts.reserved_va;
    if (mm->zone_end > mm->limit)
        mm->zone_end = mm->limit;
    mm->stack_top = mm->zone_end - offset_of(mm, random[0], STACK_BITS);
    gap = stack_size > MIN_STACK_GAP ? stack_size : MIN_STACK_GAP;
    if (gap > mm->zone_end / 4)
        gap = mm->zone_end / 4;
    mm->stack_floor = mm->stack_top - (gap > stack_size ? gap : stack_size);
    /* A megabyte below the stack stays free, as the kernel's stack_guard_gap does. */
    mm->mmap_base = mm->stack_floor - (UINT64_C(2) << 20);
    mm->mmap_base -= offset_of(mm, random[1], 40);
    mm->mmap_base &= PAGE_MASK;
    mm->mmap_low = 0x10000;
    mm->pie_base = (mm->zone_end / 3 * 2 & -HUGE_ALIGN) + offset_of(mm, random[2], 40);
    if (mm->zone_end <= UINT64_C(1) << 32)
        mm->pie_base = UINT64_C(0x400000) + offset_of(mm, random[2], 24);
}

void mm_get_place(const struct process *p, uint64_t place[2])
{
    place[0] = p->mm->mmap_base;
    place[1] = p->mm->pie_base;
}

void mm_set_place(struct process *p, const uint64_t place[2])
{
    struct mm *mm = p->mm;
    uint64_t room = mm->zone_end / 32;

    if ((place[0] | place[1]) & ~PAGE_MASK || place[0] > mm->stack_floor - (UINT64_C(2) << 20) ||
        place[1] < mm->mmap_low || place[0] < room || place[1] > place[0] - room)
        return;
    mm->mmap_base = place[0];
    mm->pie_base = place[1];
}

void mm_make_place(struct process *p)
{
    struct mm *mm = p->mm;

    if (mm->zone_end > UINT64_C(1) << STACK_BITS << 8)
        mm->mmap_base -= UINT64_C(1) << STACK_BITS;
}

uint64_t mm_limit(const struct process *p)
{
    return p->mm->limit;
}

/* --- translations ------------------------------------------------------------------------------*/

void mm_code_gone(struct process *p, uint64_t start, uint64_t end)
{
    if (p->engine && start < end)
        engine_invalidate(p->engine, start, end - start);
}

int64_t mm_done(struct process *p, uint64_t start, uint64_t end, bool had_code, int64_t r)
{
    pthread_rwlock_unlock(&p->mm->lock);
    if (had_code)
        mm_code_gone(p, start, end);
    return r;
}

size_t mm_fetch(void *opaque, uint64_t pc, uint32_t *mode)
{
    struct process *p = opaque;
    struct mm *mm = p->mm;
    uint64_t end = pc;
    uint32_t guarded = 0;

    pthread_rwlock_rdlock(&mm->lock);
    if (p->abi->cpu.checked_mode) {
        size_t n = mm_fetch_watched(p, pc, mode);

        pthread_rwlock_unlock(&mm->lock);
        return n;
    }
    for (size_t i = vmas_find(&mm->vmas, pc); i < mm->vmas.n; i++) {
        const struct vma *v = &mm->vmas.v[i];

        if (v->start > end || !(v->prot & PROT_EXEC) ||
            (end > pc && guarded != (v->prot & GUEST_PROT_BTI)))
            break;
        guarded = v->prot & GUEST_PROT_BTI;
        end = v->end;
    }
    pthread_rwlock_unlock(&mm->lock);
    if (guarded)
        *mode |= p->abi->cpu.fetch_mode(guarded);
    return end - pc;
}

bool mm_keep(void *opaque, uint64_t start, uint64_t end)
{
    struct process *p = opaque;
    const struct vma *v;
    bool keep;

    pthread_rwlock_rdlock(&p->mm->lock);
    v = vmas_at(&p->mm->vmas, start);
    keep = v && v->end >= end && !(v->prot & PROT_WRITE) && (v->flags & (VMA_FILE | VMA_VDSO));
    pthread_rwlock_unlock(&p->mm->lock);
    return keep;
}

void mm_hold(void *opaque, bool on)
{
    struct process *p = opaque;

    if (on)
        pthread_rwlock_rdlock(&p->mm->lock);
    else
        pthread_rwlock_unlock(&p->mm->lock);
}

static bool is_mapped(struct process *p, uint64_t addr)
{
    bool mapped;

    pthread_rwlock_rdlock(&p->mm->lock);
    mapped = vmas_at(&p->mm->vmas, mm_untag(p, addr)) != NULL;
    pthread_rwlock_unlock(&p->mm->lock);
    return mapped;
}

/* The first guarded pages: every thread's CPU is told by its loop to check branches from now on. */
static void note_guarded(struct process *p, int prot)
{
    if (!(prot & GUEST_PROT_BTI) || __atomic_exchange_n(&p->guarded, true, __ATOMIC_SEQ_CST))
        return;
    task_kick_all();
}

int mm_fault_code(struct process *p, uint64_t addr)
{
    return is_mapped(p, addr) ? SEGV_ACCERR : SEGV_MAPERR;
}

bool mm_is_guest(struct process *p, uint64_t addr, uint64_t len)
{
    struct mm *mm = p->mm;

    addr = mm_untag(p, addr);
    if (addr + len < addr || addr + len > mm->limit)
        return false;
    if (addr + len <= mm->zone_end)
        return true;
    return is_mapped(p, addr);
}

/* --- finding room ------------------------------------------------------------------------------*/

/* Remember every mapping of the host process that is not the guest's.  Read when one was in the
 * way, which the layout makes rare. */
static void learn_avoid(struct process *p)
{
    struct mm *mm = p->mm;
    FILE *f = fopen("/proc/self/maps", "re");
    char *line = NULL;
    size_t size = 0;
    unsigned long start, end;

    mm->n_avoid = 0;
    while (f && getline(&line, &size, f) > 0) {
        struct range *r;

        if (sscanf(line, "%lx-%lx", &start, &end) != 2 || end <= p->guest_base)
            continue;
        start = start > p->guest_base ? start - p->guest_base : 0;
        end -= p->guest_base;
        if (vmas_overlap(&mm->vmas, start, end))
            continue;
        r = realloc(mm->avoid, (mm->n_avoid + 1) * sizeof(*r));
        if (!r)
            break;
        mm->avoid = r;
        mm->avoid[mm->n_avoid++] = (struct range){start, end};
    }
    free(line);
    if (f)
        fclose(f);
}

/* Highest free place in [low, high) that is known not to be ours. */
static uint64_t gap_between(const struct mm *mm, uint64_t low, uint64_t high, uint64_t len,
                            uint64_t align)
{
    for (;;) {
        uint64_t a = vmas_gap(&mm->vmas, low, high, len, align), next = high;

        if (a == ~UINT64_C(0))
            return a;
        for (size_t i = 0; i < mm->n_avoid; i++) {
            if (a < mm->avoid[i].end && a + len > mm->avoid[i].start)
                next = mm->avoid[i].start < next ? mm->avoid[i].start : next;
        }
        if (next == high)
            return a;
        if (next <= low)
            return ~UINT64_C(0);
        high = next;
    }
}

static uint64_t choose(const struct mm *mm, uint64_t len, uint64_t align, uint64_t below)
{
    uint64_t a = gap_between(mm, mm->mmap_low, below ? below : mm->mmap_base, len, align);

    if (below)
        return a;

    return a != ~UINT64_C(0) ? a : gap_between(mm, mm->mmap_base, mm->limit, len, align);
}

static int64_t host_map(struct process *p, const struct mm_request *q, uint64_t addr, int fixed)
{
    void *want = mm_host(p, addr), *got;

    got = mmap(want, q->len, mm_host_prot(q->prot), q->flags | fixed, q->fd, (off_t)q->off);
    if (got == MAP_FAILED)
        return -errno;
    if (got == want)
        return (int64_t)addr;
    munmap(got, q->len); /* a kernel before 4.17 takes MAP_FIXED_NOREPLACE as a hint */
    return -EEXIST;
}

/* Map @q somewhere: at its hint when that is free, else where the layout says. */
static int64_t map_anywhere(struct process *p, const struct mm_request *q)
{
    struct mm *mm = p->mm;
    uint64_t hint = q->hint;
    int64_t r = -EEXIST;

    if (q->below && (hint > q->below || q->len > q->below - hint))
        hint = 0;
    if (hint >= mm->mmap_low && hint <= mm->limit - q->len && !(hint & (q->align - 1)) &&
        !vmas_overlap(&mm->vmas, hint, hint + q->len))
        r = host_map(p, q, hint, MAP_FIXED_NOREPLACE);
    for (int tries = 0; r == -EEXIST && tries < 3; tries++) {
        uint64_t a = choose(mm, q->len, q->align, q->below);

        if (a == ~UINT64_C(0))
            return -ENOMEM;
        r = host_map(p, q, a, MAP_FIXED_NOREPLACE);
        if (r == -EEXIST)
            learn_avoid(p);
    }
    return r == -EEXIST ? -ENOMEM : r;
}

int64_t mm_place(struct process *p, uint64_t hint, uint64_t len, uint64_t align)
{
    struct mm_request q = {hint, len, align, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
                        -1, 0};

    return map_anywhere(p, &q);
}

/* Calls @f for each part of [start, end) that the guest has nothing in; stops when it fails. */
static int each_gap(struct process *p, uint64_t start, uint64_t end,
                    int (*f)(struct process *p, uint64_t start, uint64_t end), uint64_t *stopped)
{
    const struct vmas *s = &p->mm->vmas;
    int r = 0;

    for (size_t i = vmas_find(s, start); start < end && r == 0; i++) {
        uint64_t gap_end = i < s->n && s->v[i].start < end ? s->v[i].start : end;

        *stopped = start;
        if (gap_end > start)
            r = f(p, start, gap_end);
        start = i < s->n ? s->v[i].end : end;
    }
    return r;
}

static int reserve_gap(struct process *p, uint64_t start, uint64_t end)
{
    struct mm_request q = {0, end - start, PAGE_SIZE, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0};
    int64_t r = host_map(p, &q, start, MAP_FIXED_NOREPLACE);

    return r == -EEXIST ? -ENOMEM : r < 0 ? (int)r : 0;
}

static int release_gap(struct process *p, uint64_t start, uint64_t end)
{
    munmap(mm_host(p, start), end - start);
    return 0;
}

void mm_release_gaps(struct process *p, uint64_t start, uint64_t end)
{
    uint64_t stopped;

    each_gap(p, start, end, release_gap, &stopped);
}

int mm_reserve_gaps(struct process *p, uint64_t start, uint64_t end)
{
    uint64_t stopped = start;
    int r = each_gap(p, start, end, reserve_gap, &stopped);

    if (r < 0)
        mm_release_gaps(p, start, stopped);
    return r;
}

/* --- limits ------------------------------------------------------------------------------------
 * RLIMIT_AS and RLIMIT_DATA (getrlimit(2)) as far as the guest set them itself: the host's would count
 * what is ours, and the room for the stack, of which Linux counts what was used. */

#define STACK_COUNTS_AS (UINT64_C(132) << 10) /* what a program starts with */

static bool is_data(uint32_t prot, uint32_t flags)
{
    return (prot & PROT_WRITE) && !(flags & (VMA_SHARED | VMA_STACK));
}

static uint64_t overlap(const struct vma *v, uint64_t start, uint64_t end)
{
    uint64_t from = v->start > start ? v->start : start, to = v->end < end ? v->end : end;

    return from < to ? to - from : 0;
}

bool mm_may_grow(const struct process *p, uint64_t len, int prot, uint32_t flags, uint64_t start,
                 uint64_t end)
{
    const struct vmas *s = &p->mm->vmas;
    uint64_t all = STACK_COUNTS_AS + len, data = is_data((uint32_t)prot, flags) ? len : 0;

    if (!p->opts.limits[0] && !p->opts.limits[2])
        return true;
    for (size_t i = 0; i < s->n; i++) {
        uint64_t size = s->v[i].end - s->v[i].start - overlap(&s->v[i], start, end);

        all += s->v[i].flags & VMA_STACK ? 0 : size;
        data += is_data(s->v[i].prot, s->v[i].flags) ? size : 0;
    }
    return all <= p->opts.limits[0] - 1 && (!len || !is_data((uint32_t)prot, flags) ||
                                            data <= p->opts.limits[2] - 1);
}

/* --- mmap --------------------------------------------------------------------------------------*/

/* Map @q at @addr over what the guest has there, but over nothing of ours. */
static int64_t map_fixed(struct process *p, const struct mm_request *q, uint64_t addr)
{
    struct mm *mm = p->mm;
    uint64_t end = addr + q->len;
    int64_t r;

    if (!vmas_overlap(&mm->vmas, addr, end)) {
        r = host_map(p, q, addr, MAP_FIXED_NOREPLACE);
        return r == -EEXIST ? -ENOMEM : r;
    }
    if (vmas_sealed(&mm->vmas, addr, end))
        return -EPERM;
    if (vmas_covered(&mm->vmas, addr, end) == end)
        return host_map(p, q, addr, MAP_FIXED);
    r = mm_reserve_gaps(p, addr, end);
    if (r < 0)
        return r;
    r = host_map(p, q, addr, MAP_FIXED);
    if (r < 0)
        mm_release_gaps(p, addr, end);
    return r;
}

int64_t mm_map_noreplace(struct process *p, const struct mm_request *q, uint64_t addr)
{
    if (vmas_overlap(&p->mm->vmas, addr, addr + q->len))
        return -EEXIST;
    return host_map(p, q, addr, MAP_FIXED_NOREPLACE);
}

/* What the list must know about a file: what it is, and whether code may come from it. */
static int look_at_file(struct vma *v, int fd, int prot)
{
    struct statvfs fs;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if ((prot & PROT_EXEC) && fstatvfs(fd, &fs) == 0 && (fs.f_flag & ST_NOEXEC))
        return -EPERM;
    v->flags |= VMA_FILE;
    v->dev = st.st_dev;
    v->ino = st.st_ino;
    return 0;
}

/* The flags that go to the host as they are; MAP_GROWSDOWN's growth is not offered. */
#define PASS_FLAGS                                                                                 \
    (MAP_TYPES | MAP_ANONYMOUS | MAP_LOCKED | MAP_NORESERVE | MAP_POPULATE | MAP_NONBLOCK |        \
     MAP_STACK | MAP_HUGETLB | MAP_SYNC | MAP_UNINITIALIZED | (int)(0x3fu << 26))

static int check_mmap(struct mm *mm, uint64_t addr, uint64_t *len, int prot, int flags,
                      uint64_t offset)
{
    int type = flags & MAP_TYPES;
    bool fixed = flags & (MAP_FIXED | MAP_FIXED_NOREPLACE);

    if (offset & ~PAGE_MASK || *len == 0 || (prot & ~KNOWN_PROT))
        return -EINVAL;
    if (type != MAP_SHARED && type != MAP_PRIVATE && type != MAP_SHARED_VALIDATE)
        return -EINVAL;
    if (*len > mm->limit)
        return -ENOMEM;
    *len = page_up(*len);
    if (*len > mm->limit || (fixed && addr > mm->limit - *len))
        return -ENOMEM;
    if (fixed && (addr & ~PAGE_MASK))
        return -EINVAL;
    return 0;
}

/* Where the mapping wants to be aligned: huge pages when asked for, or when it could use some. */
static uint64_t alignment(int flags, uint64_t len)
{
    unsigned log = (unsigned)flags >> 26 & 0x3f;

    if (flags & MAP_HUGETLB)
        return log ? UINT64_C(1) << log : HUGE_ALIGN;
    return (flags & MAP_ANONYMOUS) && len % HUGE_ALIGN == 0 ? HUGE_ALIGN : PAGE_SIZE;
}

static void describe(struct mm *mm, struct vma *v, const struct mm_request *q, int flags)
{
    if (flags & MAP_TYPES & MAP_SHARED)
        v->flags |= VMA_SHARED;
    if (flags & MAP_GROWSDOWN)
        v->flags |= VMA_GROWSDOWN;
    if (flags & MAP_HUGETLB)
        v->flags |= VMA_HUGE;
    if (v->flags & VMA_FILE)
        v->off = q->off;
    else if (v->flags & VMA_SHARED)
        v->ino = mm->next_id++;
    v->prot = (uint32_t)q->prot;
}

static int64_t do_mmap(struct process *p, const struct mm_request *q, int flags)
{
    if (flags & MAP_FIXED_NOREPLACE)
        return mm_map_noreplace(p, q, q->hint);
    if (flags & MAP_FIXED)
        return map_fixed(p, q, q->hint);
    return map_anywhere(p, q);
}

int64_t mm_mmap(struct process *p, uint64_t addr, uint64_t len, int prot, int flags, int fd,
                uint64_t offset)
{
    struct mm *mm = p->mm;
    struct vma v = {0};
    struct mm_request q;
    uint64_t replaced;
    bool had_code;
    int64_t r;

    if (!p->abi->cpu.extra_prot)
        prot &= ~GUEST_PROT_BTI; /* means nothing there */
    r = check_mmap(mm, addr, &len, prot, flags, offset);

    if (r == 0 && !(flags & MAP_ANONYMOUS))
        r = look_at_file(&v, fd, prot);
    if (r < 0)
        return r;
    q = (struct mm_request){addr & PAGE_MASK, len, alignment(flags, len), prot, flags & PASS_FLAGS, fd,
                         offset};
    if (flags & MAP_ANONYMOUS)
        q.fd = -1;
    if ((flags & MAP_32BIT) && p->abi->address.map_32bit && !p->opts.reserved_va)
        q.below = p->abi->address.map_32bit;
    pthread_rwlock_wrlock(&mm->lock);
    if (mm->lock_future >= 0)
        q.flags |= MAP_LOCKED;
    replaced = flags & MAP_FIXED ? len : 0;
    if (vmas_reserve(&mm->vmas, 4) < 0 ||
        !mm_may_grow(p, len, prot, flags & MAP_SHARED ? VMA_SHARED : 0, q.hint, q.hint + replaced))
        return mm_done(p, 0, 0, false, -ENOMEM);
    r = do_mmap(p, &q, flags);
    if (r < 0)
        return mm_done(p, 0, 0, false, r);
    note_guarded(p, prot);
    v.start = (uint64_t)r;
    v.end = v.start + len;
    describe(mm, &v, &q, flags);
    had_code = vmas_any(&mm->vmas, v.start, v.end, PROT_EXEC);
    vmas_put(&mm->vmas, &v);
    return mm_done(p, v.start, v.end, had_code, r);
}

/* --- munmap, mprotect --------------------------------------------------------------------------*/

/* Unmap in the host what the guest has in [start, end). */
static int host_unmap(struct process *p, uint64_t start, uint64_t end)
{
    const struct vmas *s = &p->mm->vmas;

    for (size_t i = vmas_find(s, start); i < s->n && s->v[i].start < end;) {
        uint64_t from = s->v[i].start > start ? s->v[i].start : start, to = s->v[i].end;

        /* Neighbours go together. */
        for (i++; i < s->n && s->v[i].start == to && to < end; i++)
            to = s->v[i].end;
        if (to > end)
            to = end;
        if (munmap(mm_host(p, from), to - from) < 0)
            return -errno;
    }
    return 0;
}

int64_t mm_unmap_locked(struct process *p, uint64_t start, uint64_t end, bool *had_code)
{
    struct mm *mm = p->mm;
    int r;

    *had_code = false;
    if (vmas_sealed(&mm->vmas, start, end))
        return -EPERM;
    if (vmas_reserve(&mm->vmas, 2) < 0)
        return -ENOMEM;
    r = host_unmap(p, start, end);
    if (r < 0)
        return r;
    *had_code = vmas_any(&mm->vmas, start, end, PROT_EXEC);
    vmas_cut(&mm->vmas, start, end);
    return 0;
}

int64_t mm_munmap(struct process *p, uint64_t addr, uint64_t len)
{
    struct mm *mm = p->mm;
    bool had_code;
    int64_t r;

    addr = mm_untag(p, addr);
    if ((addr & ~PAGE_MASK) || len == 0 || addr > mm->limit || len > mm->limit - addr)
        return -EINVAL;
    len = page_up(len);
    pthread_rwlock_wrlock(&mm->lock);
    r = mm_unmap_locked(p, addr, addr + len, &had_code);
    return mm_done(p, addr, addr + len, had_code, r);
}

void mm_reset(struct process *p)
{
    mm_munmap(p, 0, p->mm->limit);
}

static int64_t protect_locked(struct process *p, uint64_t start, uint64_t end, int prot)
{
    struct vmas *s = &p->mm->vmas;

    while (start < end) {
        const struct vma *v = vmas_at(s, start);
        uint64_t to;

        if (!v)
            return -ENOMEM;
        to = v->end < end ? v->end : end;
        if (v->flags & VMA_SEALED)
            return -EPERM;
        if (!is_data(v->prot, v->flags) && is_data((uint32_t)prot, v->flags) &&
            !mm_may_grow(p, to - start, prot, v->flags, start, to))
            return -ENOMEM;
        if (mm_host_prot((int)v->prot) != mm_host_prot(prot) &&
            mprotect(mm_host(p, start), to - start, mm_host_prot(prot)) < 0)
            return -errno;
        if (vmas_reserve(s, 2) < 0)
            return -ENOMEM;
        vmas_protect(s, start, to, (uint32_t)prot);
        start = to;
    }
    return 0;
}

/* Whether what was lifted from [start, end) will no longer be right. */
static bool code_changes(const struct vmas *s, uint64_t start, uint64_t end, uint32_t prot)
{
    for (size_t i = vmas_find(s, start); i < s->n && s->v[i].start < end; i++) {
        uint32_t old = s->v[i].prot;

        if ((old & PROT_EXEC) && ((old ^ prot) & (PROT_EXEC | GUEST_PROT_BTI)))
            return true;
    }
    return false;
}

/* PROT_GROWSDOWN: the change reaches down to the start of a stack's mapping. */
static int64_t grow_start(struct process *p, uint64_t addr)
{
    const struct vma *v = vmas_at(&p->mm->vmas, addr);

    if (!v)
        return -ENOMEM;
    if (!(v->flags & (VMA_STACK | VMA_GROWSDOWN)))
        return -EINVAL;
    return (int64_t)v->start;
}

int64_t mm_mprotect(struct process *p, uint64_t addr, uint64_t len, int prot)
{
    struct mm *mm = p->mm;
    bool had_code;
    int grows = prot & (PROT_GROWSDOWN | PROT_GROWSUP);
    int64_t r;

    addr = mm_untag(p, addr);
    prot &= ~grows;
    if ((addr & ~PAGE_MASK) || grows == (PROT_GROWSDOWN | PROT_GROWSUP))
        return -EINVAL;
    if (len == 0)
        return 0;
    if (addr > mm->limit || page_up(len) > mm->limit - addr || page_up(len) == 0)
        return -ENOMEM;
    if ((prot & ~KNOWN_PROT) || grows == PROT_GROWSUP ||
        ((prot & GUEST_PROT_BTI) && !(p->abi->cpu.extra_prot && p->abi->cpu.extra_prot(p->model))))
        return -EINVAL;
    len = page_up(len);
    pthread_rwlock_wrlock(&mm->lock);
    if (grows) {
        r = grow_start(p, addr);
        if (r < 0)
            return mm_done(p, 0, 0, false, r);
        len += addr - (uint64_t)r;
        addr = (uint64_t)r;
    }
    had_code = code_changes(&mm->vmas, addr, addr + len, (uint32_t)prot) || ((prot & PROT_WRITE) && p->abi->cpu.checked_mode);
    note_guarded(p, prot);
    r = protect_locked(p, addr, addr + len, prot);
    return mm_done(p, addr, addr + len, had_code, r);
}

void mm_mark(struct process *p, uint64_t start, uint64_t end, uint32_t flags)
{
    struct mm *mm = p->mm;

    pthread_rwlock_wrlock(&mm->lock);
    for (size_t i = vmas_find(&mm->vmas, start); i < mm->vmas.n && mm->vmas.v[i].start < end; i++)
        mm->vmas.v[i].flags |= flags;
    pthread_rwlock_unlock(&mm->lock);
}

/* --- fork --------------------------------------------------------------------------------------*/

void mm_before_fork(struct process *p)
{
    pthread_rwlock_wrlock(&p->mm->lock);
    mm_code_before_fork();
}

void mm_after_fork(struct process *p, bool child)
{
    mm_code_after_fork(child);
    if (child)
        pthread_rwlock_init(&p->mm->lock, NULL);
    else
        pthread_rwlock_unlock(&p->mm->lock);
}
