/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: pages of L2 tables and refcount blocks in memory, and the order in which they are written. */
#include "block/fmt_qcow2_priv.h"

int qcow2_pread(struct blk *b, uint64_t host, void *buf, uint64_t len, struct err *e)
{
    struct iovec iov = {buf, len};

    return node_readv(b->file, host, len, &iov, 1, e);
}

int qcow2_pwrite(struct blk *b, uint64_t host, const void *buf, uint64_t len, struct err *e)
{
    struct iovec iov = {(void *)buf, len};

    return node_writev(b->file, host, len, &iov, 1, 0, e);
}

int qcow2_sync(struct blk *b, struct err *e)
{
    const struct qcow2 *s = b->state;
    int r;

    if (b->flags & BLK_NO_FLUSH)
        return 0;
    if (s->data_file && (r = blk_flush(s->data_file, e)) < 0)
        return r;
    return blk_flush(b->file, e);
}

/* Pages ---------------------------------------------------------------------------------------- */

void qcow2_cache_init(struct qcow2_cache *c, uint64_t bytes, uint64_t page_size)
{
    uint64_t sets = 1;

    while (sets * QCOW2_WAYS * page_size < bytes)
        sets *= 2;
    c->sets = sets;
    c->pages = calloc(sets * QCOW2_WAYS, sizeof(struct qcow2_page *));
    if (!c->pages)
        fatal("out of memory");
}

void qcow2_cache_free(struct qcow2_cache *c)
{
    for (uint64_t i = 0; c->pages && i < c->sets * QCOW2_WAYS; i++) {
        if (c->pages[i])
            free(c->pages[i]->data);
        free(c->pages[i]);
    }
    free(c->pages);
    free(c->dirty);
    memset(c, 0, sizeof(*c));
}

/* Tables of neighbouring guest areas lie at regular distances: spread them. */
static struct qcow2_page **set_of(const struct qcow2_cache *c, uint64_t host, unsigned page_bits)
{
    uint64_t h = (host >> page_bits) * UINT64_C(0x9e3779b97f4a7c15);

    return &c->pages[((h >> 32) & (c->sets - 1)) * QCOW2_WAYS];
}

struct qcow2_page *qcow2_cache_find(const struct qcow2_cache *c, uint64_t host, unsigned page_bits)
{
    struct qcow2_page **set = set_of(c, host, page_bits);

    for (int i = 0; i < QCOW2_WAYS; i++) {
        struct qcow2_page *p = __atomic_load_n(&set[i], __ATOMIC_ACQUIRE);

        if (!p)
            return NULL; /* sets fill from the front */
        if (__atomic_load_n(&p->host, __ATOMIC_RELAXED) == host)
            return p;
    }
    return NULL;
}

void qcow2_change_begin(struct qcow2_cache *c, struct qcow2_page *p)
{
    if (!p->dirty) {
        if (c->n_dirty == c->max_dirty) {
            c->max_dirty = c->max_dirty ? c->max_dirty * 2 : 64;
            if (!(c->dirty = realloc(c->dirty, c->max_dirty * sizeof(*c->dirty))))
                fatal("out of memory");
        }
        c->dirty[c->n_dirty++] = p;
        p->dirty = true;
    }
    __atomic_store_n(&p->seq, p->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
}

void qcow2_change_end(struct qcow2_page *p)
{
    __atomic_store_n(&p->seq, p->seq + 1, __ATOMIC_RELEASE);
}

void qcow2_page_set_host(struct qcow2_page *p, uint64_t host)
{
    __atomic_store_n(&p->seq, p->seq + 1, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_RELEASE);
    __atomic_store_n(&p->host, host, __ATOMIC_RELAXED);
    __atomic_store_n(&p->seq, p->seq + 1, __ATOMIC_RELEASE);
}

static struct qcow2_page *page_new(uint64_t size)
{
    struct qcow2_page *p = calloc(1, sizeof(*p));

    if (!p || posix_memalign((void **)&p->data, 4096, size))
        fatal("out of memory");
    return p;
}

/* The least recently used page of a set that needs no writing; NULL: all do. */
static struct qcow2_page *victim(struct qcow2_page **set)
{
    struct qcow2_page *best = NULL;

    for (int i = 0; i < QCOW2_WAYS; i++)
        if (!set[i]->dirty && (!best || !set[i]->host || set[i]->used < best->used))
            best = set[i];
    return best;
}

/* An empty page in the set of @host.  Four of each set are never given away, so pages that the caller
 * has just asked for stay. */
static int page_room(struct blk *b, struct qcow2_cache *c, uint64_t host, struct qcow2_page **out,
                     struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_page **set = set_of(c, host, s->page_bits);
    int r;

    for (int i = 0; i < QCOW2_WAYS; i++) {
        if (set[i])
            continue;
        *out = page_new(s->page_size);
        qcow2_clean_page_made(s);
        __atomic_store_n(&set[i], *out, __ATOMIC_RELEASE);
        return 0;
    }
    struct qcow2_page *p = victim(set);

    if (!p || p->used + QCOW2_WAYS / 2 > c->clock) {
        r = c == &s->refs ? qcow2_cache_write(b, c, e) : qcow2_write_back(b, e);
        if (r < 0)
            return r;
        p = victim(set);
    }
    qcow2_page_set_host(p, 0);
    *out = p;
    return 0;
}

int qcow2_page(struct blk *b, struct qcow2_cache *c, uint64_t host, struct qcow2_page **out,
               struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_page *p;
    int r;

    host = round_down(host, s->page_size);
    if (!(p = qcow2_cache_find(c, host, s->page_bits))) {
        if ((r = page_room(b, c, host, &p, e)) < 0)
            return r;
        blk_event(b->file, c == &s->l2 ? "l2_load" : "refblock_load");
        if ((r = qcow2_pread(b, host, p->data, s->page_size, e)) < 0)
            return r;
        qcow2_page_set_host(p, host);
    }
    p->used = ++c->clock;
    qcow2_page_touch(p);
    *out = p;
    return 0;
}

/* Writing -------------------------------------------------------------------------------------- */

static void forget_dirty(struct qcow2_cache *c, struct qcow2_page *p)
{
    for (size_t i = 0; i < c->n_dirty; i++) {
        if (c->dirty[i] == p) {
            c->dirty[i] = c->dirty[--c->n_dirty];
            break;
        }
    }
    p->dirty = false;
}

void qcow2_cache_drop(struct blk *b, struct qcow2_cache *c, uint64_t host, uint64_t len)
{
    struct qcow2 *s = b->state;

    for (uint64_t at = host; at < host + len; at += s->page_size) {
        struct qcow2_page *p = qcow2_cache_find(c, at, s->page_bits);

        if (!p)
            continue;
        if (p->dirty)
            forget_dirty(c, p);
        qcow2_page_set_host(p, 0);
    }
}

void qcow2_cache_forget(struct qcow2_cache *c)
{
    for (uint64_t i = 0; i < c->sets * QCOW2_WAYS; i++) {
        if (!c->pages[i])
            continue;
        if (c->pages[i]->dirty)
            bug("forgetting changes");
        qcow2_page_set_host(c->pages[i], 0);
    }
}

static int by_host(const void *a, const void *b)
{
    const struct qcow2_page *x = *(struct qcow2_page *const *)a, *y = *(struct qcow2_page *const *)b;

    return x->host < y->host ? -1 : x->host > y->host;
}

int qcow2_cache_write(struct blk *b, struct qcow2_cache *c, struct err *e)
{
    enum { RUN = 64 };
    struct qcow2 *s = b->state;
    struct iovec iov[RUN];
    size_t done = 0;
    int r = 0;

    if (!c->n_dirty)
        return 0;
    qsort(c->dirty, c->n_dirty, sizeof(*c->dirty), by_host);
    while (done < c->n_dirty) {
        uint64_t host = c->dirty[done]->host;
        int n = 0;

        while (n < RUN && done + (size_t)n < c->n_dirty &&
               c->dirty[done + (size_t)n]->host == host + (uint64_t)n * s->page_size) {
            iov[n] = (struct iovec){c->dirty[done + (size_t)n]->data, s->page_size};
            n++;
        }
        blk_event(b->file, c == &s->l2 ? "l2_update" : "refblock_update_part");
        r = node_writev(b->file, host, (uint64_t)n * s->page_size, iov, n, 0, e);
        if (r < 0)
            break;
        for (; n; n--)
            c->dirty[done++]->dirty = false;
    }
    c->n_dirty -= done;
    if (c->n_dirty)
        memmove(c->dirty, c->dirty + done, c->n_dirty * sizeof(*c->dirty));
    return r;
}

/* The changed pieces of a table that is in memory as a whole (L1, refcount table). */
static int write_table(struct blk *b, const uint64_t *table, uint64_t n, uint64_t host, bool *dirty,
                       struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t per = s->page_size / 8, buf[QCOW2_PAGE / 8];
    int r;

    for (uint64_t i = 0; i * per < n; i++) {
        uint64_t k = min_u64(per, n - i * per);

        if (!dirty[i])
            continue;
        for (uint64_t j = 0; j < k; j++)
            buf[j] = htobe64(table[i * per + j]);
        blk_event(b->file, table == s->l1 ? "l1_update" : "reftable_update");
        if ((r = qcow2_pwrite(b, host + i * s->page_size, buf, k * 8, e)) < 0)
            return r;
        dirty[i] = false;
    }
    return 0;
}

static int write_refcounts(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if ((r = qcow2_cache_write(b, &s->refs, e)) < 0)
        return r;
    if (!s->reftable_any_dirty)
        return 0;
    /* An entry may only refer to a block that is there. */
    if ((r = qcow2_sync(b, e)) < 0 ||
        (r = write_table(b, s->reftable, s->reftable_n, s->h.refcount_table_offset,
                         s->reftable_dirty, e)) < 0)
        return r;
    s->reftable_any_dirty = false;
    s->needs_data_flush = true;
    return 0;
}

static int write_mapping(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if (s->needs_data_flush) {
        if ((r = qcow2_sync(b, e)) < 0)
            return r;
        s->needs_data_flush = false;
    }
    if ((r = qcow2_cache_write(b, &s->l2, e)) < 0 || !s->l1_any_dirty)
        return r;
    r = write_table(b, s->l1, s->h.l1_size, s->h.l1_table_offset, s->l1_dirty, e);
    if (r >= 0)
        s->l1_any_dirty = false;
    return r;
}

int qcow2_write_back(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    /* With the dirty bit set, refcounts are made anew after a crash: they can wait. */
    if (!s->marked_dirty && (r = write_refcounts(b, e)) < 0)
        return r;
    if ((s->l2.n_dirty || s->l1_any_dirty) && (r = write_mapping(b, e)) < 0)
        return r;
    if (!s->n_unrefs)
        return 0;
    if ((r = qcow2_sync(b, e)) < 0 || (r = qcow2_apply_unrefs(b, e)) < 0)
        return r;
    return s->marked_dirty ? 0 : qcow2_cache_write(b, &s->refs, e);
}

/* Refcounts that were postponed, then the bit that says so. */
int qcow2_settle(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if ((r = qcow2_write_back(b, e)) < 0 || !s->marked_dirty)
        return r;
    s->marked_dirty = false;
    if ((r = qcow2_write_back(b, e)) < 0 || (r = qcow2_sync(b, e)) < 0)
        return r;
    s->h.incompatible &= ~(uint64_t)QCOW2_DIRTY;
    return qcow2_store_fields(b, e);
}
