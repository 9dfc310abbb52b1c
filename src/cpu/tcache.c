/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Regions to records of the translation cache and back.  Contract: tcache.h; the form: tcache_priv.h.
 *
 * What a region's code depends on, and who sees to it:
 *   guest code, also what was looked at beyond the exits   compared, here
 *   that it may be executed, and what its memory adds to the mode (BTI)   asked for, here
 *   mode bits, CPU model among them                        part of the record's key
 *   absolute guest addresses                               the record's key; tcache_place keeps them
 *   where helpers, stubs and CPU fields are                our build: part of the file's key
 *   host features, options of the engine                   part of the file's key
 *   where the guest's address 0 is                         a flag: at host address 0 or not
 *   its execution counter                                  host_set_counter
 *   jumps patched to other regions                         taken back when kept, made again here
 *   breakpoints, logging                                   no cache then
 */
#include "cpu/tcache_priv.h"

#include "cpu/jit.h"

#include <stdlib.h>
#include <string.h>

enum {
    MAX_DEPTH = 24,      /* regions read for the sake of one another */
    MAX_LINKS = 64,      /* of a region, followed */
    WORTH_BYTES = 4096,  /* new host code that is worth a file operation */
    MUCH_BYTES = 8 << 20 /* so much that a process that never ends should keep it now */
};

static uint64_t pad(uint64_t n)
{
    return (n + 7) & ~UINT64_C(7);
}

/* --- records -----------------------------------------------------------------------------------*/

uint64_t tc_layout(const struct tc_rec *rec, struct tc_parts *p)
{
    const uint8_t *at = (const uint8_t *)(rec + 1);

    p->spans = (const void *)at;
    at += rec->n_spans * sizeof(*p->spans);
    p->links = (const void *)at;
    at += rec->n_links * sizeof(*p->links);
    p->faults = (const void *)at;
    at += (uint64_t)rec->n_faults * sizeof(*p->faults);
    p->traps = (const void *)at;
    at += rec->n_traps * sizeof(*p->traps);
    p->code = at;
    at += pad(rec->code_len);
    p->desc = at;
    at += pad(rec->desc_len);
    p->guest = at;
    at += pad(rec->guest_len);
    return (uint64_t)(at - (const uint8_t *)rec);
}

void tc_seal(struct tc_rec *rec)
{
    rec->check = tc_sum(&rec->size, rec->size - offsetof(struct tc_rec, size));
}

static bool spans_hold(const struct tc_rec *rec, const struct tc_parts *p)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < rec->n_spans; i++) {
        if (!p->spans[i].len || p->spans[i].len > TC_MAX_REC ||
            p->spans[i].start > UINT64_MAX - p->spans[i].len)
            return false;
        sum += p->spans[i].len;
    }
    return sum == rec->guest_len && rec->n_blocks && rec->n_blocks <= rec->n_spans &&
           rec->n_spans <= JIT_MAX_BLOCKS + JIT_MAX_SEEN && p->spans[0].start == rec->pc;
}

static bool code_holds(const struct tc_rec *rec, const struct tc_parts *p)
{
    for (unsigned i = 0; i < rec->n_links; i++)
        if (p->links[i].site + UINT64_C(4) > rec->code_len || p->links[i].thunk >= rec->code_len)
            return false;
    for (uint32_t i = 0; i < rec->n_faults; i++)
        if (p->faults[i].at >= rec->code_len || p->faults[i].desc >= rec->desc_len ||
            (i && p->faults[i].at < p->faults[i - 1].at))
            return false;
    for (unsigned i = 0; i < rec->n_traps; i++)
        if (p->traps[i].at >= rec->code_len || p->traps[i].to >= rec->code_len)
            return false;
    return rec->code_len && !(rec->flags & ~TC_FLAGS);
}

bool tc_check(const struct tc_rec *rec, size_t len, struct tc_parts *p)
{
    return len >= sizeof(*rec) && rec->size <= len && rec->n_faults <= TC_MAX_REC &&
           tc_layout(rec, p) == rec->size &&
           rec->check == tc_sum(&rec->size, rec->size - offsetof(struct tc_rec, size)) &&
           spans_hold(rec, p) && code_holds(rec, p);
}

/* --- reading -----------------------------------------------------------------------------------*/

static const uint8_t *guest_code(const struct jit *j, uint64_t pc)
{
    return (const uint8_t *)(uintptr_t)(pc + j->e->conf.guest_base);
}

/* Guest code known to be executable; one look-up often serves a whole region. */
struct known {
    uint64_t start, end;
    uint32_t mode; /* for code lifted in the record's mode */
};

static const uint8_t *code_at(struct jit *j, struct known *k, const struct tc_span *s, uint32_t mode)
{
    const uint8_t *code;

    if (s->start < k->start || s->start + s->len > k->end) {
        size_t n;

        k->mode = mode;
        n = engine_fetch(j->e, s->start, &code, &k->mode);
        k->start = s->start & ~UINT64_C(4095);
        if (k->start < s->start)
            k->start = s->start;
        k->end = n > UINT64_MAX - s->start ? UINT64_MAX : s->start + n;
    }
    return s->start + s->len <= k->end && k->mode == s->mode
               ? guest_code(j, s->start) : NULL;
}

/* Is the guest code what the record was made from? */
static bool same_code(struct jit *j, const struct tc_rec *rec, const struct tc_parts *p)
{
    struct known k = { 1, 0, 0 };
    const uint8_t *was = p->guest;

    for (unsigned i = 0; i < rec->n_spans; i++) {
        const uint8_t *is = code_at(j, &k, &p->spans[i], rec->mode);

        if (!is || guard_same(is, was, p->spans[i].len))
            return false;
        was += p->spans[i].len;
    }
    return true;
}

static bool fits(const struct jit *j, const struct tc_rec *rec)
{
    const struct engine *e = j->e;

    return rec->code_len + 64 <= j->cache_size - j->code_used &&
           !(rec->flags & TC_GS_BASE) == !e->conf.guest_base &&
           !(rec->flags & TC_HOT && e->conf.hot_after == ~0u) &&
           !(rec->flags & TC_COUNTS && j->n_counters == j->cap_counters);
}

static struct region *add(struct jit *j, const struct tc_rec *rec, const struct tc_parts *p)
{
    size_t faults = rec->n_faults * sizeof(*p->faults), traps = rec->n_traps * sizeof(*p->traps);
    struct region *r = jit_meta(j, sizeof(*r) + rec->n_spans * sizeof(struct span) + faults + traps +
                                       rec->desc_len);
    uint8_t *at = (uint8_t *)(r + 1), *code = j->cache + j->code_used;
    int32_t *counter = rec->flags & TC_COUNTS ? &j->counters[j->n_counters] : NULL;

    if (!r)
        return NULL;
    memcpy(code, p->code, rec->code_len);
    if (counter && !host_set_counter(code, rec->code_len, counter))
        return NULL;
    *r = (struct region){ .pc = rec->pc, .at = rec->pc, .beyond = ENGINE_NOWHERE, .mode = rec->mode, .code = code, .code_len = rec->code_len,
                          .counter = counter, .n_faults = rec->n_faults, .n_traps = rec->n_traps,
                          .desc_len = rec->desc_len, .n_blocks = rec->n_blocks,
                          .n_spans = rec->n_spans, .hot = rec->flags & TC_HOT, .kept = true };
    r->spans = (struct span *)(void *)at;
    for (unsigned i = 0; i < rec->n_spans; i++)
        r->spans[i] = (struct span){ p->spans[i].start, p->spans[i].start + p->spans[i].len };
    at += rec->n_spans * sizeof(struct span);
    r->faults = memcpy(at, p->faults, faults);
    r->traps = memcpy(at + faults, p->traps, traps);
    r->desc = memcpy(at + faults + traps, p->desc, rec->desc_len);
    if (counter)
        *counter = (int32_t)j->e->conf.hot_after;
    return region_insert_locked(j, r) ? r : NULL;
}

static struct region *load(struct jit *j, uint64_t pc, uint32_t mode, unsigned depth);

/* Jump on to the regions that this one led to, which are read as well: they will be wanted. */
static void follow(struct jit *j, struct region *r, const struct tc_link *links, unsigned n,
                   unsigned depth)
{
    for (unsigned i = 0; i < n; i++) {
        struct region *to = region_find(j, links[i].pc, links[i].pc, ENGINE_NOWHERE, r->mode);

        if (!to && depth < MAX_DEPTH)
            to = load(j, links[i].pc, r->mode, depth + 1);
        if (to)
            region_join_locked(j, to, r->code + links[i].site, r->code + links[i].thunk);
    }
}

static struct region *load(struct jit *j, uint64_t pc, uint32_t mode, unsigned depth)
{
    struct tc_link links[MAX_LINKS];
    const struct tc_rec *rec;
    struct tc_parts p;
    struct region *r = NULL;
    unsigned probe = 0, n = 0;

    while (!r && (rec = tc_find(j->tcache, pc, mode, &probe, &p)))
        if (fits(j, rec) && same_code(j, rec, &p) && (r = add(j, rec, &p))) {
            n = rec->n_links < MAX_LINKS ? rec->n_links : MAX_LINKS;
            memcpy(links, p.links, n * sizeof(*links)); /* the buffer is about to be used again */
        }
    if (r) {
        j->n_read++;
        if (!j->e->conf.no_links)
            follow(j, r, links, n, depth);
    }
    return r;
}

static bool in_use(const struct jit *j)
{
    return j->tcache && !__atomic_load_n(&j->tcache->off, __ATOMIC_RELAXED) && !j->e->n_breakpoints;
}

struct region *tcache_load_locked(struct jit *j, uint64_t pc, uint32_t mode)
{
    struct tcache *t = j->tcache;

    if (!in_use(j) || !t->map || j->full)
        return NULL;
    if (!t->buf && !(t->buf = malloc(TC_MAX_REC)))
        return NULL;
    return load(j, pc, mode, 0);
}

/* --- keeping -----------------------------------------------------------------------------------*/

/* A jump out of region number @from. */
struct jump {
    uint32_t from;
    struct tc_link l;
};

struct jumps {
    struct jump *v;
    uint32_t n, cap;
};

static bool add_jump(struct jumps *js, const struct jump *jump)
{
    if (js->n == js->cap) {
        uint32_t cap = js->cap ? js->cap * 2 : 1024;
        struct jump *v = realloc(js->v, cap * sizeof(*v));

        if (!v)
            return false;
        js->v = v;
        js->cap = cap;
    }
    js->v[js->n++] = *jump;
    return true;
}

static int by_region(const void *a, const void *b)
{
    const struct jump *x = a, *y = b;

    return x->from != y->from ? (x->from < y->from ? -1 : 1)
                              : x->l.site < y->l.site ? -1 : x->l.site > y->l.site;
}

/* The patched jumps that leave regions from number @first on. */
static bool list_jumps(const struct jit *j, uint32_t first, struct jumps *js)
{
    const uint8_t *start = j->by_addr[first]->code;
    bool ok = true;

    for (uint32_t i = 0; i < j->n_regions && ok; i++) {
        const struct region *to = j->by_addr[i];

        for (const struct link *l = to->dead ? NULL : to->links; l && ok; l = l->next) {
            uint32_t from = l->site < start ? 0 : region_index(j, l->site);
            const struct region *r = j->by_addr[from];
            struct jump jump = { from, { (uint32_t)(l->site - r->code), (uint32_t)(l->thunk - r->code),
                                         to->pc } };

            ok = l->site < start || r->kept || to->mode != r->mode || add_jump(js, &jump);
        }
    }
    if (js->n)
        qsort(js->v, js->n, sizeof(*js->v), by_region);
    return ok;
}

/* Is every stretch of its code worth keeping?  Fills in what the record says of them. */
static bool span_modes(struct jit *j, const struct region *r, struct tc_span *spans)
{
    for (unsigned i = 0; i < r->n_spans; i++) {
        const struct span *s = &r->spans[i];
        const uint8_t *code;

        spans[i] = (struct tc_span){ s->start, (uint32_t)(s->end - s->start), r->mode };
        if (s->end - s->start > TC_MAX_REC || !j->e->keep(j->e->fetch_opaque, s->start, s->end) ||
            engine_fetch(j->e, s->start, &code, &spans[i].mode) < s->end - s->start)
            return false;
    }
    return true;
}

static struct tc_rec *new_record(struct tc_batch *b, uint64_t size)
{
    size_t want = b->len + ((size + 15) & ~UINT64_C(15));

    if (size > TC_MAX_REC || want > TC_MAX)
        return NULL;
    if (want > b->cap) {
        size_t cap = b->cap * 2 > want ? b->cap * 2 : want + (64 << 10);
        uint8_t *data = realloc(b->data, cap);

        if (!data)
            return NULL;
        b->data = data;
        b->cap = cap;
    }
    memset(b->data + b->len, 0, want - b->len);
    return (void *)(b->data + b->len);
}

/* As compiled: jumps lead to their thunks. */
static void put_code(uint8_t *to, const struct region *r, const struct jump *jumps, unsigned n)
{
    memcpy(to, r->code, r->code_len);
    for (unsigned i = 0; i < n; i++)
        host_patch(to + jumps[i].l.site, to + jumps[i].l.thunk);
}

/* Copies its guest code; false when that is no longer what was translated.  (A program may change code
 * and say so later, or never.) */
static bool put_guest(const struct jit *j, uint8_t *to, const struct region *r)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < r->n_spans; i++) {
        size_t len = r->spans[i].end - r->spans[i].start;

        if (guard_copy(to, guest_code(j, r->spans[i].start), len))
            return false;
        sum = sum * 31 + tc_sum(to, len);
        to += len;
    }
    return sum == r->guest_sum;
}

static void put_region(struct jit *j, const struct region *r, const struct jump *jumps, unsigned n,
                       struct tc_batch *b)
{
    struct tc_span spans[JIT_MAX_BLOCKS + JIT_MAX_SEEN];
    struct tc_rec head = {
        .pc = r->pc, .mode = r->mode, .code_len = r->code_len, .desc_len = r->desc_len,
        .n_faults = r->n_faults, .n_traps = (uint16_t)r->n_traps, .n_spans = r->n_spans,
        .n_blocks = r->n_blocks, .n_links = (uint16_t)n,
        .flags = (r->hot ? TC_HOT : 0) | (r->counter ? TC_COUNTS : 0) |
                 (j->e->conf.guest_base ? TC_GS_BASE : 0),
    }, *rec;
    struct tc_parts p;
    uint64_t size;

    if (r->n_traps > UINT16_MAX || !span_modes(j, r, spans))
        return;
    for (unsigned i = 0; i < r->n_spans; i++)
        head.guest_len += spans[i].len;
    size = tc_layout(&head, &p);
    rec = new_record(b, size);
    if (!rec)
        return;
    *rec = head;
    rec->size = (uint32_t)size;
    tc_layout(rec, &p);
    memcpy((void *)p.spans, spans, r->n_spans * sizeof(*spans));
    for (unsigned i = 0; i < n; i++)
        ((struct tc_link *)p.links)[i] = jumps[i].l;
    memcpy((void *)p.faults, r->faults, r->n_faults * sizeof(*r->faults));
    memcpy((void *)p.traps, r->traps, r->n_traps * sizeof(*r->traps));
    put_code((uint8_t *)p.code, r, jumps, n);
    memcpy((void *)p.desc, r->desc, r->desc_len);
    if (!put_guest(j, (uint8_t *)p.guest, r))
        return;
    tc_seal(rec);
    b->len += (size + 15) & ~UINT64_C(15);
    b->n++;
}

static void put_regions(struct jit *j, struct tc_batch *b)
{
    struct jumps js = { 0 };
    uint32_t k = 0;

    if (list_jumps(j, j->n_saved, &js))
        for (uint32_t i = j->n_saved; i < j->n_regions; i++) {
            struct region *r = j->by_addr[i];
            uint32_t from = k;

            while (k < js.n && js.v[k].from == i)
                k++;
            if (!r->dead && !r->kept && k - from <= UINT16_MAX)
                put_region(j, r, js.v + from, k - from, b);
            r->kept = true;
        }
    free(js.v);
}

void tcache_save_locked(struct jit *j)
{
    struct tc_batch b = { 0 };

    if (!in_use(j) || j->n_saved >= j->n_regions)
        return;
    engine_begin_read(j->e);
    put_regions(j, &b);
    engine_end_read(j->e);
    j->n_saved = j->n_regions;
    j->new_bytes = 0;
    if (b.n)
        tc_append(j->tcache, &b, j->n_read >= b.n);
    free(b.data);
}

void tcache_added_locked(struct jit *j, struct region *r)
{
    if (!in_use(j))
        return;
    r->guest_sum = 0;
    for (unsigned i = 0; i < r->n_spans; i++)
        r->guest_sum = r->guest_sum * 31 + tc_sum(guest_code(j, r->spans[i].start),
                                                  r->spans[i].end - r->spans[i].start);
    j->n_translated++;
    if (!j->new_bytes)
        j->n_saved = j->n_regions - 1;
    j->new_bytes += r->code_len;
    if (j->new_bytes > MUCH_BYTES && !j->e->cpus->next)
        tcache_save_locked(j);
}

void engine_tcache_counts(struct engine *e, uint32_t *read, uint32_t *translated)
{
    const struct jit *j = e->jit;

    *read = j ? j->n_read : 0;
    *translated = j ? j->n_translated : 0;
}

void engine_save(struct engine *e)
{
    struct jit *j = __atomic_load_n(&e->jit, __ATOMIC_ACQUIRE);

    if (!j || !j->tcache || pthread_mutex_trylock(&e->lock))
        return;
    if (j->new_bytes >= WORTH_BYTES)
        tcache_save_locked(j);
    pthread_mutex_unlock(&e->lock);
}

void engine_set_tcache(struct engine *e, struct tcache *t,
                       bool (*keep)(void *opaque, uint64_t start, uint64_t end))
{
    e->tcache = t;
    e->keep = keep;
}
