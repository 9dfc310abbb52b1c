/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sorted array of the guest's mappings: find, split, merge, gaps (vma.h). */
#include "user/vma.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

int vmas_reserve(struct vmas *s, size_t extra)
{
    size_t cap = s->cap ? s->cap : 32;
    struct vma *v;

    while (cap < s->n + extra)
        cap *= 2;
    if (cap == s->cap)
        return 0;
    v = realloc(s->v, cap * sizeof(*v));
    if (!v)
        return -ENOMEM;
    s->v = v;
    s->cap = cap;
    return 0;
}

void vmas_free(struct vmas *s)
{
    free(s->v);
    *s = (struct vmas){0};
}

size_t vmas_find(const struct vmas *s, uint64_t addr)
{
    size_t lo = 0, hi = s->n;

    while (lo < hi) {
        size_t mid = (lo + hi) / 2;

        if (s->v[mid].end <= addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct vma *vmas_at(const struct vmas *s, uint64_t addr)
{
    size_t i = vmas_find(s, addr);

    return i < s->n && s->v[i].start <= addr ? &s->v[i] : NULL;
}

static void insert_at(struct vmas *s, size_t i, const struct vma *v)
{
    memmove(&s->v[i + 1], &s->v[i], (s->n - i) * sizeof(*v));
    s->v[i] = *v;
    s->n++;
}

static void remove_at(struct vmas *s, size_t i, size_t count)
{
    memmove(&s->v[i], &s->v[i + count], (s->n - i - count) * sizeof(*s->v));
    s->n -= count;
}

/* The part of @v from @addr on, as a mapping of its own. */
static struct vma tail_of(const struct vma *v, uint64_t addr)
{
    struct vma t = *v;

    t.start = addr;
    if (v->ino)
        t.off += addr - v->start;
    return t;
}

/* Make @addr a border: a mapping across it becomes two. */
static void split(struct vmas *s, uint64_t addr)
{
    size_t i = vmas_find(s, addr);
    struct vma t;

    if (i == s->n || s->v[i].start >= addr)
        return;
    t = tail_of(&s->v[i], addr);
    s->v[i].end = addr;
    insert_at(s, i + 1, &t);
}

static bool mergeable(const struct vma *a, const struct vma *b)
{
    return a->end == b->start && a->prot == b->prot && a->flags == b->flags && a->dev == b->dev &&
           a->ino == b->ino && (!a->ino || a->off + (a->end - a->start) == b->off);
}

/* Merge the mapping at @i with the one before it, when they are alike. */
static void merge_before(struct vmas *s, size_t i)
{
    if (i == 0 || i >= s->n || !mergeable(&s->v[i - 1], &s->v[i]))
        return;
    s->v[i - 1].end = s->v[i].end;
    remove_at(s, i, 1);
}

void vmas_cut(struct vmas *s, uint64_t start, uint64_t end)
{
    size_t first, last;

    split(s, start);
    split(s, end);
    first = vmas_find(s, start);
    for (last = first; last < s->n && s->v[last].start < end; last++)
        ;
    remove_at(s, first, last - first);
}

/* Writable files count: private mappings of them are not copies before they are written. */
static void note_aliases(struct vmas *s, const struct vma *v)
{
    if ((v->flags & VMA_SHARED) &&
        (v->prot & ((v->flags & VMA_FILE) ? PROT_EXEC | PROT_WRITE : PROT_EXEC)))
        __atomic_store_n(&s->aliases, true, __ATOMIC_RELEASE);
}

void vmas_put(struct vmas *s, const struct vma *v)
{
    size_t i;

    note_aliases(s, v);
    vmas_cut(s, v->start, v->end);
    i = vmas_find(s, v->start);
    insert_at(s, i, v);
    merge_before(s, i + 1);
    merge_before(s, i);
}

/* Merge what is alike of [first, last] with its neighbours: from the top down, so that a merge does not move
 * what is still to be looked at. */
static void merge_all(struct vmas *s, size_t first, size_t last)
{
    for (;; last--) {
        merge_before(s, last);
        if (last == first)
            break;
    }
}

void vmas_protect(struct vmas *s, uint64_t start, uint64_t end, uint32_t prot)
{
    size_t first, i;

    split(s, start);
    split(s, end);
    first = vmas_find(s, start);
    for (i = first; i < s->n && s->v[i].start < end; i++) {
        s->v[i].prot = prot;
        note_aliases(s, &s->v[i]);
    }
    merge_all(s, first, i);
}

void vmas_mark(struct vmas *s, uint64_t start, uint64_t end, uint32_t flags)
{
    size_t first, i;

    split(s, start);
    split(s, end);
    first = vmas_find(s, start);
    for (i = first; i < s->n && s->v[i].start < end; i++)
        s->v[i].flags |= flags;
    merge_all(s, first, i);
}

uint64_t vmas_covered(const struct vmas *s, uint64_t start, uint64_t end)
{
    for (size_t i = vmas_find(s, start); i < s->n && start < end; i++) {
        if (s->v[i].start > start)
            return start;
        start = s->v[i].end;
    }
    return start < end ? start : end;
}

bool vmas_overlap(const struct vmas *s, uint64_t start, uint64_t end)
{
    size_t i = vmas_find(s, start);

    return i < s->n && s->v[i].start < end;
}

bool vmas_sealed(const struct vmas *s, uint64_t start, uint64_t end)
{
    for (size_t i = vmas_find(s, start); i < s->n && s->v[i].start < end; i++) {
        if (s->v[i].flags & VMA_SEALED)
            return true;
    }
    return false;
}

bool vmas_any(const struct vmas *s, uint64_t start, uint64_t end, uint32_t prot)
{
    for (size_t i = vmas_find(s, start); i < s->n && s->v[i].start < end; i++) {
        if (s->v[i].prot & prot)
            return true;
    }
    return false;
}

uint64_t vmas_gap(const struct vmas *s, uint64_t low, uint64_t high, uint64_t len, uint64_t align)
{
    size_t i = vmas_find(s, high);

    if (i < s->n && s->v[i].start < high)
        high = s->v[i].start;
    for (;;) {
        uint64_t from = i > 0 && s->v[i - 1].end > low ? s->v[i - 1].end : low;

        if (high >= len && high - len >= from) {
            uint64_t a = (high - len) & -align;

            if (a >= from)
                return a;
        }
        if (i == 0 || s->v[i - 1].end <= low)
            return ~UINT64_C(0);
        high = s->v[--i].start;
    }
}
