/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Flat views: a tree of struct mem made into sorted ranges that do not overlap.
 *
 * The tree is walked with what wins first; each leaf gets the addresses that nobody has yet.
 */
#include "bus/machine_priv.h"

#include <stdlib.h>
#include <string.h>

typedef __int128 wide; /* addresses that may lie outside of what a window shows */

enum { DEEPEST = 64 };

struct walk {
    struct machine *m;
    struct view *v;
    unsigned depth;
};

static void insert(struct view *v, unsigned at, const struct range *r)
{
    if (v->n == v->cap) {
        v->cap = v->cap ? 2 * v->cap : 16;
        if (!(v->range = realloc(v->range, v->cap * sizeof(*v->range))))
            fatal("out of memory");
    }
    memmove(v->range + at + 1, v->range + at, (v->n - at) * sizeof(*r));
    v->range[at] = *r;
    v->n++;
}

/* The first range that does not end before @addr. */
static unsigned first_from(const struct view *v, paddr addr)
{
    unsigned lo = 0, hi = v->n;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (v->range[mid].last < addr)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct range *view_find(const struct view *v, paddr addr)
{
    unsigned i = first_from(v, addr);

    return i < v->n && v->range[i].first <= addr ? &v->range[i] : NULL;
}

static struct range range_of(struct mem *mem, paddr first, paddr last, uint64_t off)
{
    struct range r = {.first = first, .last = last, .mem = mem, .off = off};
    bool memory = mem->kind == MEM_RAM || mem->kind == MEM_ROM ||
                  (mem->kind == MEM_ROMD && !mem->romd_off);

    if (memory) {
        r.ram = mem->ram;
        r.ram_off = mem->ram_off + off;
        r.writable = mem->kind == MEM_RAM && !mem->ram->rom;
    }
    return r;
}

/* @mem fills what is still free of first..last; address 0 of it is at @base. */
static void fill(struct view *v, struct mem *mem, wide base, paddr first, paddr last)
{
    unsigned i = first_from(v, first);

    for (;;) {
        bool more = i < v->n && v->range[i].first <= last;

        if (!more || v->range[i].first > first) {
            paddr end = more ? v->range[i].first - 1 : last;
            struct range r = range_of(mem, first, end, (uint64_t)((wide)first - base));

            insert(v, i++, &r);
        }
        if (!more || v->range[i].last >= last)
            return;
        first = v->range[i++].last + 1;
    }
}

static void walk(struct walk *w, struct mem *mem, wide base, wide first, wide last)
{
    wide end = base + (mem->size ? (wide)mem->size : (wide)1 << 64) - 1;

    mem->shown = w->m;
    first = base > first ? base : first;
    last = end < last ? end : last;
    if (mem->off || first > last)
        return;
    if (++w->depth > DEEPEST)
        bug("memory '%s' shows itself", mem->name);
    if (mem->kind == MEM_ALIAS)
        walk(w, mem->alias, base - (wide)mem->alias_off, first, last);
    else if (mem->kind == MEM_CONTAINER)
        for (struct mem *c = mem->first; c; c = c->next)
            walk(w, c, base + (wide)c->at, first, last);
    else
        fill(w->v, mem, base, (paddr)first, (paddr)last);
    w->depth--;
}

/* Neighbours that go on where the first one ends were cut by something that is not seen: one again. */
static void join(struct view *v)
{
    unsigned out = 0;

    for (unsigned i = 0; i < v->n; i++) {
        struct range *a = out ? &v->range[out - 1] : NULL;
        const struct range *b = &v->range[i];

        if (a && a->mem == b->mem && a->last + 1 == b->first &&
            b->off - a->off == b->first - a->first)
            a->last = b->last;
        else
            v->range[out++] = *b;
    }
    v->n = out;
}

struct view *view_make(struct machine *m, struct mem *root)
{
    struct view *v = bus_alloc(sizeof(*v));
    struct walk w = {.m = m, .v = v};

    atomic_init(&v->refs, 1);
    walk(&w, root, 0, 0, ((wide)1 << 64) - 1);
    join(v);
    return v;
}

bool view_same(const struct view *a, const struct view *b)
{
    if (a->n != b->n)
        return false;
    for (unsigned i = 0; i < a->n; i++) {
        const struct range *x = &a->range[i], *y = &b->range[i];

        if (x->first != y->first || x->last != y->last || x->mem != y->mem || x->off != y->off ||
            x->ram != y->ram || x->ram_off != y->ram_off || x->writable != y->writable)
            return false;
    }
    return true;
}

void view_put(struct view *v)
{
    if (atomic_fetch_sub(&v->refs, 1) != 1)
        return;
    free(v->range);
    free(v);
}
