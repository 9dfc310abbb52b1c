/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions in the code cache: adding, finding, linking, forgetting.  Contract: jit.h. */
#include "cpu/jit.h"
#include "cpu/log.h"

#include "base/err.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

/* Regions of 64 KiB of guest code share two pages of the table, so that small programs touch little; those that start in the same 64 bytes
 * share a chain. */
static uint32_t hash_of(const struct jit *j, uint64_t pc, uint64_t at)
{
    uint64_t near;

    if (j->e->machine) /* a library is at other addresses in each process */
        return (uint32_t)((at >> 2 ^ pc << 20) * 0x9e3779b97f4a7c15ull >> (64 - JIT_HASH_BITS));
    near = (at >> 16) * 0x9e3779b97f4a7c15ull >> (64 - JIT_HASH_BITS);
    return (uint32_t)((near & ~1023u) | (at >> 6 & 1023));
}

static struct page **page_bucket(const struct jit *j, uint64_t number)
{
    return &j->pages[number * 0x9e3779b97f4a7c15ull >> (64 - JIT_PAGE_BITS)];
}

struct region *region_find(const struct jit *j, uint64_t pc, uint64_t at, uint64_t beyond, uint32_t mode)
{
    struct region *r = __atomic_load_n(&j->hash[hash_of(j, pc, at)], __ATOMIC_ACQUIRE);

    while (r && (r->pc != pc || r->mode != mode || r->at != at || r->beyond != beyond))
        r = __atomic_load_n(&r->next, __ATOMIC_ACQUIRE);
    return r;
}

void *jit_meta(struct jit *j, size_t size)
{
    void *p = j->meta + j->meta_used;

    size = (size + 7) & ~(size_t)7;
    if (j->meta_used + size > j->meta_size)
        return NULL;
    j->meta_used += size;
    return p;
}

static void hash_remove(struct jit *j, struct region *r)
{
    struct region **p = &j->hash[hash_of(j, r->pc, r->at)];

    while (*p && *p != r)
        p = &(*p)->next;
    if (*p)
        __atomic_store_n(p, r->next, __ATOMIC_RELEASE);
}

static void unlink_all(struct region *r)
{
    for (struct link *l = r->links; l; l = l->next)
        host_patch(l->site, l->thunk);
    r->links = NULL;
}

void region_kill_locked(struct jit *j, struct region *r)
{
    if (r->dead)
        return;
    __atomic_store_n(&r->dead, true, __ATOMIC_SEQ_CST);
    hash_remove(j, r);
    unlink_all(r);
    for (struct cpu *c = j->e->cpus; c; c = c->next) {
        jc_forget(c, r->pc);
        if (r->inner) /* calls return to the middle of it */
            __atomic_store_n(&c->forget_returns, true, __ATOMIC_RELAXED);
    }
}

static bool page_add(struct jit *j, uint64_t number, struct region *r)
{
    struct page **b = page_bucket(j, number), *p;
    struct page_ref *ref;

    for (p = *b; p && p->number != number; p = p->next)
        ;
    if (!p) {
        p = jit_meta(j, sizeof(*p));
        if (!p)
            return false;
        *p = (struct page){number, NULL, *b};
        *b = p;
    }
    if (p->refs && p->refs->r == r)
        return true;
    ref = jit_meta(j, sizeof(*ref));
    if (!ref)
        return false;
    *ref = (struct page_ref){r, p->refs};
    p->refs = ref;
    return true;
}

static bool pages_add(struct jit *j, struct region *r)
{
    for (unsigned i = 0; i < r->n_spans; i++)
        for (uint64_t n = r->spans[i].start >> 12; n <= (r->spans[i].end - 1) >> 12; n++)
            if (!page_add(j, n, r))
                return false;
    for (unsigned i = 0; i < r->n_spans; i++)
        engine_mark(j->e, r->spans[i].start, r->spans[i].end);
    return true;
}

static bool overlaps(const struct region *r, uint64_t start, uint64_t len)
{
    for (unsigned i = 0; i < r->n_spans; i++)
        if (r->spans[i].end > start &&
            (r->spans[i].start < start || r->spans[i].start - start < len))
            return true;
    return false;
}

static bool page_invalidate(struct jit *j, struct page *p, uint64_t start, uint64_t len)
{
    struct page_ref **ref = &p->refs;
    bool any = false;

    while (*ref) {
        struct region *r = (*ref)->r;

        if (!r->dead && overlaps(r, start, len)) {
            region_kill_locked(j, r);
            any = true;
        }
        if (r->dead)
            *ref = (*ref)->next;
        else
            ref = &(*ref)->next;
    }
    return any;
}

void region_invalidate_locked(struct jit *j, uint64_t start, uint64_t len)
{
    uint64_t first = start >> 12, last = (start + len - 1) >> 12;
    bool any = false;

    if (last - first < 1u << JIT_PAGE_BITS) {
        for (uint64_t n = first; n <= last; n++)
            for (struct page *p = *page_bucket(j, n); p; p = p->next)
                if (p->number == n)
                    any |= page_invalidate(j, p, start, len);
    } else {
        for (unsigned i = 0; i < 1u << JIT_PAGE_BITS; i++)
            for (struct page *p = j->pages[i]; p; p = p->next)
                if (p->number >= first && p->number <= last)
                    any |= page_invalidate(j, p, start, len);
    }
    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* they see it dead, or we see them inside */
    if (any) /* whoever loops inside an old translation comes out to look */
        for (struct cpu *c = j->e->cpus; c; c = c->next)
            if (c != cpu_self && __atomic_load_n(&c->in_code, __ATOMIC_SEQ_CST) != CPU_OUTSIDE)
                cpu_kick(c);
}

/* Verbatim code gets to @r through a few instructions, made when first wanted, that put its registers where @r looks for them. */
static bool make_inner(struct jit *j, struct region *r)
{
    size_t room = j->cache_size - j->code_used;
    uint8_t *at = j->cache + j->code_used;
    uint32_t len, inner;

    if (r->indirect)
        return true;
    len = host_from_verbatim(j->own.host, at, room > UINT32_MAX ? UINT32_MAX : (uint32_t)room, r->code, r->pc, &inner);
    if (!len)
        return false;
    r->entered = at + inner;
    __atomic_store_n(&r->indirect, at, __ATOMIC_RELEASE);
    j->code_used += (len + 15) & ~15u;
    return true;
}

bool region_let_in(struct jit *j, struct region *r)
{
    bool yes = __atomic_load_n(&r->indirect, __ATOMIC_ACQUIRE);

    if (yes)
        return true;
    pthread_mutex_lock(&j->e->lock);
    yes = make_inner(j, r);
    pthread_mutex_unlock(&j->e->lock);
    return yes;
}

static const uint8_t *target_of(const struct link *l, const struct region *r)
{
    return !l->inner ? r->code : r->inner ? r->inner : r->entered;
}

/* An older translation of the same pc hands its visitors over. */
static void replace(struct jit *j, struct region *old, struct region *r)
{
    r->links = old->links;
    old->links = NULL;
    for (struct link **p = &r->links; *p;) {
        struct link *l = *p;

        if (l->inner && !make_inner(j, r)) {
            host_patch(l->site, l->thunk);
            *p = l->next;
        } else {
            host_patch(l->site, target_of(l, r));
            p = &l->next;
        }
    }
    region_kill_locked(j, old);
}

static void *copy_meta(struct jit *j, const void *src, size_t size)
{
    void *p = jit_meta(j, size);

    if (p && size)
        memcpy(p, src, size);
    return p;
}

bool region_insert_locked(struct jit *j, struct region *r)
{
    uint32_t h = hash_of(j, r->pc, r->at);
    struct region *old;

    if (j->n_regions == j->cap_regions || !pages_add(j, r))
        return false;
    if (r->counter)
        j->n_counters++;
    j->code_used += (r->code_len + 15) & ~15u;
    j->by_addr[j->n_regions] = r;
    __atomic_store_n(&j->n_regions, j->n_regions + 1, __ATOMIC_RELEASE);
    old = region_find(j, r->pc, r->at, r->beyond, r->mode);
    if (old)
        replace(j, old, r);
    r->next = j->hash[h];
    __atomic_store_n(&j->hash[h], r, __ATOMIC_RELEASE);
    return true;
}

/* The tables that code of the CPU's mode looks into. */
static struct host_soft soft_of(struct engine *e, const struct cpu *cpu)
{
    unsigned n = mode_number(e, engine_key(cpu));
    struct host_soft s = {
        .tlb = (uint32_t)offsetof(struct cpu, tlb[cpu->table]),
        .tlb_unpriv = cpu->memory->regime(cpu, IR_MEM_UNPRIV) == cpu->memory->regime(cpu, 0)
                          ? 0
                          : (uint32_t)offsetof(struct cpu, unpriv_tlb),
        .entries = MMU_ENTRIES,
        .aligned = cpu->memory->aligned(cpu),
        .longest = e->isa->longest,
        .strict = cpu->memory->strict(cpu),
        .jc = (uint32_t)offsetof(struct cpu, modes[n].jc),
        .land_mask = ((1u << CPU_MODE_LAND_BITS) - 1) << e->isa->pc_shift,
    };

    for (unsigned k = 0; k < IR_LANDINGS; k++)
        s.land[k] = (uint32_t)offsetof(struct cpu, modes[n].land[k]);
    return s;
}

/* Copies guest addresses as engine_at() has them. */
static void place_spans(const struct jit *j, struct span *to, const struct span *from, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        const struct code_page *there = j->e->machine ? j->cpu->there : NULL;
        uint64_t at = j->e->machine ? engine_at(j->cpu, from[i].start) : from[i].start;

        if (there && there->va == from[i].start)
            at = there->at;
        to[i] = (struct span){at, at + (from[i].end - from[i].start)};
    }
}

void region_place_locked(struct former *f, struct made *m)
{
    struct jit *j = f->j;

    m->n_placed = m->n_spans + f->n_seen;
    place_spans(j, f->placed, m->spans, m->n_spans);
    place_spans(j, f->placed + m->n_spans, f->seen, f->n_seen);
    m->at = m->pc;
    m->beyond = ENGINE_NOWHERE;
    m->job.soft = NULL;
    if (j->e->machine) {
        m->at = engine_at(j->cpu, m->pc);
        m->beyond = engine_beyond(j->cpu);
        m->soft = soft_of(j->e, j->cpu);
        m->job.soft = &m->soft;
    }
}

int region_compile(struct former *f, struct made *m, enum effort effort, uint8_t *buf, size_t room)
{
    const struct jit *j = f->j;

    m->hot = effort == HOT;
    m->job.ir = f->ir;
    m->job.flat = effort == FLAT ? &f->flat : NULL;
    m->job.verbatim = effort == VERBATIM ? &f->verbatim : NULL;
    m->job.buf = buf;
    m->job.cap = room > UINT32_MAX ? UINT32_MAX : (uint32_t)room;
    m->job.pc = m->pc;
    m->job.quick = effort != HOT;
    m->job.fp_slow = m->mode & j->e->isa->mode_fp_slow;
    m->job.fp_flush = m->mode & j->e->isa->mode_fp_flush;
    m->job.untag = j->untag;
    m->job.x87 = j->e->isa->x87;
    m->job.gs_base = j->e->conf.guest_base != 0;
    return host_compile(f->host, &m->job);
}

/* Tables that stay with the region.  False: there is no room for them. */
static bool keep_tables(struct former *f, struct region *r, const struct made *m)
{
    const struct host_job *job = &m->job;
    struct jit *j = f->j;

    r->traps = copy_meta(j, job->traps, job->n_traps * sizeof(*job->traps));
    r->faults = copy_meta(j, job->faults, job->n_faults * sizeof(*job->faults));
    r->desc = copy_meta(j, job->desc, job->desc_len);
    r->spans = copy_meta(j, f->placed, m->n_placed * sizeof(*f->placed));
    return r->traps && r->faults && r->desc && r->spans;
}

/* Code addresses only grow, so the newest region not above @host is the one. */
static uint32_t regions_below(const struct jit *j, const uint8_t *host)
{
    uint32_t lo = 0, hi = __atomic_load_n(&j->n_regions, __ATOMIC_ACQUIRE);

    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (j->by_addr[mid]->code <= host)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

uint32_t region_index(const struct jit *j, const uint8_t *host)
{
    return regions_below(j, host) - 1;
}

struct region *region_at(const struct jit *j, const uint8_t *host)
{
    uint32_t lo = regions_below(j, host);

    if (!lo || host >= j->by_addr[lo - 1]->code + j->by_addr[lo - 1]->code_len)
        return NULL;
    return j->by_addr[lo - 1];
}

/* Links of verbatim code lead to such code or, behind a stub, to the other. */
static void join(struct jit *j, struct region *r, uint8_t *site, uint8_t *thunk, bool inner)
{
    struct link *l = jit_meta(j, sizeof(*l));

    if (!l)
        return;
    *l = (struct link){.site = site, .thunk = thunk, .inner = inner, .next = r->links};
    r->links = l;
    host_patch(site, target_of(l, r));
}

void region_join_locked(struct jit *j, struct region *r, uint8_t *site, uint8_t *thunk)
{
    join(j, r, site, thunk, false);
}

void region_link_locked(struct jit *j, struct region *r, uint8_t *data)
{
    struct host_thunk t;
    uint8_t *site;
    int32_t rel;

    memcpy(&t, data, sizeof(t));
    if (!t.site || r->dead)
        return;
    site = data - t.site;
    memcpy(&rel, site, 4);
    if (site + 4 + rel > data || site + 4 + rel < data - 8)
        return; /* somebody linked it already */
    if (!t.verbatim)
        region_join_locked(j, r, site, site + 4 + rel);
    else if (make_inner(j, r))
        join(j, r, site, site + 4 + rel, true);
}

/* Ways out that lead to verbatim code which is there need not be met first; breakpoints are looked for where code is left. */
static void link_exits(struct jit *j, const struct region *r, const struct host_job *job)
{
    if (j->e->conf.no_links || j->e->n_breakpoints)
        return;
    for (uint32_t i = 0; i < job->n_exits; i++) {
        uint8_t *data = r->code + job->exits[i];
        struct host_thunk t;
        struct region *to;

        memcpy(&t, data, sizeof(t));
        to = region_find(j, t.pc, t.pc, r->beyond, r->mode);
        if (to && to->inner)
            region_link_locked(j, to, data);
    }
}

struct region *region_keep_locked(struct former *f, const struct made *m)
{
    struct jit *j = f->j;
    struct region *r = jit_meta(j, sizeof(*r));

    if (!r)
        return NULL;
    *r = (struct region){.pc = m->pc,
                         .at = m->at,
                         .beyond = m->beyond,
                         .mode = m->mode,
                         .code_len = m->job.len,
                         .code = m->job.buf,
                         .inner = m->job.inner ? m->job.buf + m->job.inner : NULL,
                         .indirect = m->job.inner ? m->job.buf + m->job.indirect : NULL,
                         .hot = m->hot,
                         .counter = m->job.counter,
                         .n_faults = m->job.n_faults,
                         .n_traps = m->job.n_traps,
                         .desc_len = m->job.desc_len,
                         .n_blocks = (uint16_t)m->n_spans,
                         .n_spans = (uint16_t)m->n_placed};
    log_region(j->e, r, m->spans, m->n_spans, f->ir);
    if (!keep_tables(f, r, m) || !region_insert_locked(j, r))
        return NULL;
    if (!r->inner)
        tcache_added_locked(j, r);
    link_exits(j, r, &m->job);
    return r;
}

/*
 * Verbatim code is made beside the cache and copied: the processor fetches ahead, and each store to what it has fetched makes it start over
 * (Intel 64 and IA-32 Architectures Optimization Reference Manual, "Self-Modifying Code").  Other code counts at addresses relative to its own.
 */
static int compile_here(struct former *f, struct made *m, enum effort effort)
{
    struct jit *j = f->j;
    uint8_t *to = j->cache + j->code_used;
    size_t room = j->cache_size - j->code_used;
    int err;

    if (effort != VERBATIM || room < JIT_BENCH)
        return region_compile(f, m, effort, to, room);
    err = region_compile(f, m, effort, f->bench, JIT_BENCH);
    memcpy(to, f->bench, err ? 0 : m->job.len);
    m->job.buf = to;
    return err;
}

struct region *region_add_locked(struct former *f, struct made *m, enum effort effort)
{
    struct jit *j = f->j;
    int err;

    region_place_locked(f, m);
    m->job.counter = NULL;
    if (effort != HOT && effort != VERBATIM && m->beyond == ENGINE_NOWHERE && j->e->conf.hot_after != ~0u && j->n_counters < j->cap_counters) {
        m->job.counter = &j->counters[j->n_counters];
        *m->job.counter = (int32_t)j->e->conf.hot_after;
    }
    err = compile_here(f, m, effort);
    f->too_big = err == -E2BIG;
    return err ? NULL : region_keep_locked(f, m);
}

void jit_reset_cache(struct jit *j)
{
    j->code_used = j->code_start;
    j->meta_used = 0;
    j->n_regions = 0;
    j->n_counters = 0;
    j->n_saved = 0;
    j->n_hot = j->hot_before_fork = 0;
    j->new_bytes = 0;
    j->epoch++;
    madvise(j->hash, sizeof(*j->hash) << JIT_HASH_BITS, MADV_DONTNEED);
    madvise(j->pages, sizeof(*j->pages) << JIT_PAGE_BITS, MADV_DONTNEED);
    for (struct cpu *c = j->e->cpus; c; c = c->next) {
        __atomic_store_n(&c->shadow, c->shadow_base, __ATOMIC_RELAXED);
        __atomic_store_n(&c->v_shadow, c->v_shadow_base, __ATOMIC_RELAXED);
        jc_clear(c);
    }
}
