/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address spaces: what is at an address, reading and writing it.
 *
 * A view is read with a reference held for moments.  What it says of RAM stays true whatever happens to the tree, as
 * RAM never moves; registers are looked up again under the machine's lock, and called without the reference: a
 * device's write may well change the tree, or read and write memory itself.
 */
#include "bus/machine_priv.h"
#include "bus/mmio_priv.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Held for a few instructions, by any thread. */
static void enter(struct space *s)
{
    while (atomic_flag_test_and_set_explicit(&s->busy, memory_order_acquire))
        sched_yield();
}

static void leave(struct space *s)
{
    atomic_flag_clear_explicit(&s->busy, memory_order_release);
}

static struct view *view_get(struct space *s)
{
    struct view *v;

    enter(s);
    v = s->view;
    atomic_fetch_add_explicit(&v->refs, 1, memory_order_relaxed);
    leave(s);
    return v;
}

static void space_update(struct space *s)
{
    struct view *new = view_make(s->m, s->root), *old = s->view;

    if (old && view_same(old, new)) {
        view_put(new);
        return;
    }
    enter(s);
    s->view = new;
    leave(s);
    if (old)
        view_put(old);
    for (struct watcher *w = s->watchers; w; w = w->next)
        w->fn(w->opaque);
}

void spaces_update(struct machine *m)
{
    for (struct space *s = m->spaces; s; s = s->next)
        space_update(s);
}

struct space *space_new(struct machine *m, const char *name, struct mem *root)
{
    struct space *s = bus_alloc(sizeof(*s)), **at = &m->spaces;

    s->m = m;
    s->name = bus_strdup(name);
    s->root = root;
    atomic_flag_clear(&s->busy);
    space_update(s);
    while (*at)
        at = &(*at)->next;
    *at = s;
    return s;
}

static void posted_forget(struct space *s);

void space_free(struct space *s)
{
    struct space **at = &s->m->spaces;

    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    posted_forget(s);
    for (struct watcher *w; (w = s->watchers);) {
        s->watchers = w->next;
        free(w);
    }
    view_put(s->view);
    free(s->name);
    free(s);
}

void spaces_free(struct machine *m)
{
    while (m->spaces)
        space_free(m->spaces);
    free(m->posted.w);
}

void space_on_change(struct space *s, void (*fn)(void *opaque), void *opaque)
{
    struct watcher *w = bus_alloc(sizeof(*w));

    *w = (struct watcher){.fn = fn, .opaque = opaque, .next = s->watchers};
    s->watchers = w;
}

/* The range that holds @addr, cut to begin there. */
static bool range_at(struct space *s, paddr addr, struct range *out)
{
    struct view *v = view_get(s);
    const struct range *r = view_find(v, addr);

    if (r) {
        *out = *r;
        out->off += addr - r->first;
        out->ram_off += addr - r->first;
        out->first = addr;
    }
    view_put(v);
    return r;
}

/* Bytes from the range's start on; 2^64 is said as one less. */
static uint64_t range_len(const struct range *r)
{
    uint64_t len = r->last - r->first + 1;

    return len ? len : UINT64_MAX;
}

static uint8_t *range_host(const struct range *r)
{
    return r->ram ? r->ram->host + r->ram_off : NULL;
}

bool space_find(struct space *s, paddr addr, struct mem_hit *hit)
{
    struct range r;

    if (!range_at(s, addr, &r))
        return false;
    *hit = (struct mem_hit){.mem = r.mem, .off = r.off, .len = range_len(&r),
                            .host = range_host(&r), .ram = r.ram, .ram_off = r.ram_off,
                            .writable = r.writable};
    return true;
}

/* Memory: naturally aligned pieces are read and written whole, as other CPUs may look. -------------- */

static uint64_t load_host(const uint8_t *p, unsigned size)
{
    uint64_t v = 0;

    switch ((uintptr_t)p % size ? 0 : size) {
    case 1: return *p;
    case 2: return __atomic_load_n((const uint16_t *)p, __ATOMIC_RELAXED);
    case 4: return __atomic_load_n((const uint32_t *)p, __ATOMIC_RELAXED);
    case 8: return __atomic_load_n((const uint64_t *)p, __ATOMIC_RELAXED);
    }
    memcpy(&v, p, size);
    return v;
}

static void store_host(uint8_t *p, uint64_t v, unsigned size)
{
    switch ((uintptr_t)p % size ? 0 : size) {
    case 1: *p = (uint8_t)v; return;
    case 2: __atomic_store_n((uint16_t *)p, (uint16_t)v, __ATOMIC_RELAXED); return;
    case 4: __atomic_store_n((uint32_t *)p, (uint32_t)v, __ATOMIC_RELAXED); return;
    case 8: __atomic_store_n((uint64_t *)p, v, __ATOMIC_RELAXED); return;
    }
    memcpy(p, &v, size);
}

static bool plain_write(const struct range *r, struct access a)
{
    return r->ram && (r->writable || a.debug);
}

/* Posted writes ------------------------------------------------------------------------------------- */

enum { MAX_POSTED = 1 << 17 }; /* 1 MiB by pieces of 8 bytes in one go: more is nobody's picture, and is dropped */

struct posted {
    struct space *s;
    paddr addr;
    uint64_t value;
    struct access a;
};

static void post(struct space *s, paddr addr, uint64_t value, struct access a)
{
    struct posted_writes *q = &s->m->posted;

    if (q->n == MAX_POSTED)
        return;
    if (q->n == q->max) {
        q->max = q->max ? 2 * q->max : 16;
        if (!(q->w = realloc(q->w, q->max * sizeof(*q->w))))
            fatal("out of memory");
    }
    a.posted = false;
    q->w[q->n++] = (struct posted){s, addr, value, a};
}

/* What these writes post in turn comes at the next time, so that a circle of devices does not keep the lock. */
void posted_run(struct machine *m)
{
    struct posted_writes *q = &m->posted;
    uint32_t n = q->n;

    q->running = true;
    for (uint32_t i = 0; i < n; i++) {
        struct posted p = q->w[i]; /* the array may move */

        if (p.s)
            space_store(p.s, p.addr, p.value, p.a);
    }
    q->running = false;
    q->n -= n;
    memmove(q->w, q->w + n, q->n * sizeof(*q->w));
    if (q->n && m->wake)
        m->wake(m);
}

static void posted_forget(struct space *s)
{
    struct posted_writes *q = &s->m->posted;

    for (uint32_t i = 0; i < q->n; i++)
        if (q->w[i].s == s)
            q->w[i].s = NULL;
}

/* Registers: one access at @addr, which is not memory as far as was seen without the lock.  False: it is memory now,
 * or nothing: look again. */
static bool registers(struct space *s, paddr addr, uint64_t *v, struct access a, bool write)
{
    struct range r;
    bool here;

    machine_lock(s->m);
    here = range_at(s, addr, &r) && range_len(&r) >= a.size &&
           !(write ? plain_write(&r, a) : r.ram != NULL);
    if (here && write && a.posted && !(r.mem->ops && r.mem->ops->messages))
        post(s, addr, *v, a);
    else if (here && write)
        mmio_write(r.mem, r.off, *v, a);
    else if (here)
        *v = mmio_read(r.mem, r.off, a);
    machine_unlock(s->m);
    return here;
}

/* The greatest aligned piece of registers that fits. */
static uint8_t piece_at(const struct range *r, uint64_t len)
{
    uint8_t piece = 8;

    while (piece > len || piece > range_len(r) || r->off % piece)
        piece /= 2;
    return piece;
}

int space_read(struct space *s, paddr addr, void *buf, uint64_t len, struct access a)
{
    uint8_t *to = buf;
    int ret = 0;

    while (len) {
        struct range r;
        uint64_t n = 1, v = 0;

        if (!range_at(s, addr, &r)) {
            *to = 0;
            ret = -EFAULT;
        } else if (r.ram) {
            n = range_len(&r) < len ? range_len(&r) : len;
            memcpy(to, range_host(&r), n);
        } else {
            a.size = piece_at(&r, len);
            if (!registers(s, addr, &v, a, false))
                continue;
            n = a.size;
            memcpy(to, &v, n);
        }
        addr += n;
        to += n;
        len -= n;
    }
    return ret;
}

int space_write(struct space *s, paddr addr, const void *buf, uint64_t len, struct access a)
{
    const uint8_t *from = buf;
    int ret = 0;

    while (len) {
        struct range r;
        uint64_t n = 1, v = 0;

        if (!range_at(s, addr, &r)) {
            ret = -EFAULT;
        } else if (plain_write(&r, a)) {
            n = range_len(&r) < len ? range_len(&r) : len;
            memcpy(range_host(&r), from, n);
            ram_written(s->m, r.ram, r.ram_off, n);
        } else {
            a.size = piece_at(&r, len);
            n = a.size;
            memcpy(&v, from, n);
            if (!registers(s, addr, &v, a, true))
                continue;
        }
        addr += n;
        from += n;
        len -= n;
    }
    return ret;
}

bool space_load(struct space *s, paddr addr, uint64_t *value, struct access a)
{
    struct range r;

    *value = 0;
    if (range_at(s, addr, &r) && range_len(&r) >= a.size) {
        if (r.ram) {
            *value = load_host(range_host(&r), a.size);
            return true;
        }
        if (registers(s, addr, value, a, false))
            return true;
    }
    return space_read(s, addr, value, a.size, a) == 0;
}

bool space_store(struct space *s, paddr addr, uint64_t value, struct access a)
{
    struct range r;

    if (range_at(s, addr, &r) && range_len(&r) >= a.size) {
        if (plain_write(&r, a)) {
            store_host(range_host(&r), value, a.size);
            ram_written(s->m, r.ram, r.ram_off, a.size);
            return true;
        }
        if (registers(s, addr, &value, a, true))
            return true;
    }
    return space_write(s, addr, &value, a.size, a) == 0;
}

void *space_map(struct space *s, paddr addr, uint64_t *len, bool write)
{
    struct range r;

    if (!range_at(s, addr, &r) || !r.ram || (write && !r.writable))
        return NULL;
    *len = range_len(&r) < *len ? range_len(&r) : *len;
    return range_host(&r);
}

struct unmap {
    struct machine *m;
    uint8_t *host;
    uint64_t written;
};

static bool unmap_from(void *opaque, struct ram *r)
{
    struct unmap *u = opaque;
    bool here = u->host >= r->host && u->host < r->host + r->size;

    if (here)
        ram_written(u->m, r, (uint64_t)(u->host - r->host), u->written);
    return !here;
}

void space_unmap(struct space *s, void *host, uint64_t written)
{
    struct unmap u = {.m = s->m, .host = host, .written = written};

    if (written)
        ram_each(s->m, unmap_from, &u);
}
