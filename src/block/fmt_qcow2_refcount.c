/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: reference counts of clusters (specification: "Host cluster management"), allocation. */
#include "block/fmt_qcow2_priv.h"

/* A count in a block of counts of 2^@order bits, big-endian; below a byte, the first is in the low bits. */
uint64_t qcow2_get_count(const void *block, unsigned order, uint64_t i)
{
    const uint8_t *p = block;

    switch (order) {
    case 0: return (p[i / 8] >> (i % 8)) & 1;
    case 1: return (p[i / 4] >> (i % 4 * 2)) & 3;
    case 2: return (p[i / 2] >> (i % 2 * 4)) & 15;
    case 3: return p[i];
    case 4: return get_be16(p + i * 2);
    case 5: return get_be32(p + i * 4);
    default: return get_be64(p + i * 8);
    }
}

void qcow2_put_count(void *block, unsigned order, uint64_t i, uint64_t v)
{
    uint8_t *p = block;

    switch (order) {
    case 0: p[i / 8] = (uint8_t)((p[i / 8] & ~(1u << (i % 8))) | (v << (i % 8))); return;
    case 1: p[i / 4] = (uint8_t)((p[i / 4] & ~(3u << (i % 4 * 2))) | (v << (i % 4 * 2))); return;
    case 2: p[i / 2] = (uint8_t)((p[i / 2] & ~(15u << (i % 2 * 4))) | (v << (i % 2 * 4))); return;
    case 3: p[i] = (uint8_t)v; return;
    case 4: put_be16(p + i * 2, (uint16_t)v); return;
    case 5: put_be32(p + i * 4, (uint32_t)v); return;
    default: put_be64(p + i * 8, v); return;
    }
}

int qcow2_reftable_load(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t bytes = (uint64_t)s->h.refcount_table_clusters << s->cluster_bits;
    int r;

    s->reftable_n = bytes / 8;
    s->reftable = blk_alloc_foreign(bytes, QCOW2_MAX_REFTABLE, "refcount table", e);
    s->reftable_dirty = calloc(bytes / s->page_size + 1, sizeof(bool));
    if (!s->reftable || !s->reftable_dirty)
        return e->code;
    blk_event(b->file, "reftable_load");
    if ((r = qcow2_pread(b, s->h.refcount_table_offset, s->reftable, bytes, e)) < 0)
        return r;
    s->reftable_used = 0;
    for (uint64_t i = 0; i < s->reftable_n; i++)
        if ((s->reftable[i] = be64toh(s->reftable[i])))
            s->reftable_used = i + 1;
    return 0;
}

uint64_t qcow2_clusters_used(struct blk *b)
{
    struct qcow2 *s = b->state;
    uint8_t *block = malloc(s->cluster_size);
    uint64_t used = 0, clusters = div_up(blk_size_now(b->file), s->cluster_size);
    uint64_t per_block = UINT64_C(1) << qcow2_block_bits(s);

    if (!block)
        fatal("out of memory");
    for (uint64_t i = 0; i < s->reftable_used && i * per_block < clusters; i++) {
        uint64_t n = min_u64(per_block, clusters - i * per_block); /* none lie behind the file's end */

        if (!s->reftable[i] || (s->reftable[i] & s->cluster_mask) ||
            qcow2_pread(b, s->reftable[i], block, div_up(n << s->h.refcount_order, 8), ERR_IGNORE) < 0)
            continue;
        for (uint64_t k = 0; k < n; k++)
            used += qcow2_get_count(block, s->h.refcount_order, k) != 0;
    }
    free(block);
    return used;
}

/* Where the block of cluster @index is; 0: there is none, all counts are 0. */
static int block_of(struct blk *b, uint64_t index, uint64_t *host, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t i = index >> qcow2_block_bits(s);

    *host = i < s->reftable_n ? s->reftable[i] & ~UINT64_C(511) : 0;
    if (*host & s->cluster_mask)
        return qcow2_corrupt(b, e,
                             "Refblock offset %#" PRIx64 " unaligned (reftable index: %#" PRIx64
                             ")",
                             *host, i);
    return 0;
}

/* The page with the count of cluster @index, and the count's place in it; *p NULL: no block. */
static int count_page(struct blk *b, uint64_t index, struct qcow2_page **p, uint64_t *at,
                      struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t block, in_block = index & ((UINT64_C(1) << qcow2_block_bits(s)) - 1);
    unsigned per_page_bits = s->page_bits + 3 - s->h.refcount_order;
    int r = block_of(b, index, &block, e);

    *p = NULL;
    if (r < 0 || !block)
        return r;
    *at = in_block & ((UINT64_C(1) << per_page_bits) - 1);
    return qcow2_page(b, &s->refs, block + (in_block >> per_page_bits << s->page_bits), p, e);
}

static int count_at(struct blk *b, uint64_t index, uint64_t *count, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_page *p;
    uint64_t at;
    int r = count_page(b, index, &p, &at, e);

    if (r >= 0)
        *count = p ? qcow2_get_count(p->data, s->h.refcount_order, at) : 0;
    return r;
}

int qcow2_refcount_get(struct blk *b, uint64_t host, uint64_t *count, struct err *e)
{
    return count_at(b, host >> qcow2_of(b)->cluster_bits, count, e);
}

/* New blocks and a larger table ------------------------------------------------------------------- */

static void reftable_set(struct qcow2 *s, uint64_t i, uint64_t v)
{
    s->reftable[i] = v;
    s->reftable_used = max_u64(s->reftable_used, i + 1);
    s->reftable_dirty[i * 8 / s->page_size] = true;
    s->reftable_any_dirty = true;
}

static int find_free(struct blk *b, uint64_t *index, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t count;
    int r;

    for (uint64_t i = s->free_hint;; i++) {
        if ((r = count_at(b, i, &count, e)) < 0)
            return r;
        if (count)
            continue;
        *index = s->free_hint = i;
        return 0;
    }
}

/* The image grows up to where the table's limit is. */
static int check_limit(struct blk *b, uint64_t index, struct err *e)
{
    const struct qcow2 *s = b->state;
    uint64_t max = (uint64_t)QCOW2_MAX_REFTABLE / 8 << qcow2_block_bits(s);

    if (index >= max || index >= UINT64_C(1) << (56 - s->cluster_bits))
        return err_set(e, -EFBIG, "the image file cannot become larger than %" PRIu64 " clusters",
                       max);
    return 0;
}

/* Zeros into clusters that held something before. */
static int clear_clusters(struct blk *b, uint64_t host, uint64_t len, struct err *e)
{
    struct qcow2 *s = b->state;
    char *zeros;
    int r;

    if (host >= s->high_water)
        return 0;
    if (!(zeros = calloc(1, len)))
        return err_set(e, -ENOMEM, "out of memory");
    blk_event(b->file, "refblock_alloc_write");
    r = qcow2_pwrite(b, host, zeros, len, e);
    free(zeros);
    return r;
}

static void note_used(struct qcow2 *s, uint64_t host, uint64_t len)
{
    s->high_water = max_u64(s->high_water, host + len);
    s->needs_data_flush = true;
}

static int grow_table(struct blk *b, uint64_t index, struct err *e);

/* A block for the counts around cluster @index.  It lies in the first free cluster, which may be
 * one that it counts itself. */
static int add_block(struct blk *b, uint64_t index, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t i = index >> qcow2_block_bits(s), at, host, block;
    struct qcow2_page *p;
    int r;

    if ((r = check_limit(b, index, e)) < 0)
        return r;
    if (i >= s->reftable_n)
        return grow_table(b, index, e);
    if ((r = find_free(b, &at, e)) < 0 || (r = block_of(b, at, &block, e)) < 0)
        return r;
    if (!block && at >> qcow2_block_bits(s) != i)
        return add_block(b, at, e); /* that one first; the caller asks again */
    host = at << s->cluster_bits;
    if ((r = qcow2_check_overlap(b, host, s->cluster_size, true, e)) < 0)
        return r;
    qcow2_cache_drop(b, &s->refs, host, s->cluster_size);
    if ((r = clear_clusters(b, host, s->cluster_size, e)) < 0)
        return r;
    note_used(s, host, s->cluster_size);
    reftable_set(s, i, host);
    if ((r = count_page(b, at, &p, &at, e)) < 0) {
        s->reftable[i] = 0;
        return r;
    }
    qcow2_change_begin(&s->refs, p);
    qcow2_put_count(p->data, s->h.refcount_order, at, 1);
    qcow2_change_end(p);
    return 0;
}

/* struct growth - a new table, and the blocks that count the clusters of both, one after the other
 * behind everything that is counted so far. */
struct growth {
    uint64_t first_block, blocks, table_clusters, host;
};

static int plan_growth(const struct qcow2 *s, uint64_t index, struct growth *g, struct err *e)
{
    unsigned bits = qcow2_block_bits(s);
    uint64_t entries = max_u64(s->reftable_n + s->reftable_n / 2, (index >> bits) + 1);

    *g = (struct growth){.first_block = s->reftable_n, .blocks = 1};
    for (;;) {
        uint64_t need = max_u64(entries, g->first_block + g->blocks);
        uint64_t all;

        g->table_clusters = div_up(need * 8, s->cluster_size);
        if (g->table_clusters > (uint64_t)QCOW2_MAX_REFTABLE >> s->cluster_bits)
            g->table_clusters = (uint64_t)QCOW2_MAX_REFTABLE >> s->cluster_bits;
        if (g->table_clusters * s->cluster_size / 8 < g->first_block + g->blocks)
            return err_set(e, -EFBIG, "the refcount table cannot become larger");
        all = div_up(g->blocks + g->table_clusters, UINT64_C(1) << bits);
        if (all <= g->blocks)
            break;
        g->blocks = all;
    }
    g->host = g->first_block << bits << s->cluster_bits;
    return 0;
}

static int write_growth(struct blk *b, const struct growth *g, const uint64_t *table,
                        struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t used = g->blocks + g->table_clusters, per = UINT64_C(1) << qcow2_block_bits(s);
    uint64_t bytes = g->table_clusters << s->cluster_bits;
    uint64_t *be = malloc(max_u64(bytes, s->cluster_size));
    int r = 0;

    if (!be)
        return err_set(e, -ENOMEM, "out of memory");
    for (uint64_t k = 0; r >= 0 && k < g->blocks; k++) {
        memset(be, 0, s->cluster_size);
        for (uint64_t c = 0; c < per && k * per + c < used; c++)
            qcow2_put_count(be, s->h.refcount_order, c, 1);
        blk_event(b->file, "refblock_alloc_write_blocks");
        r = qcow2_pwrite(b, g->host + (k << s->cluster_bits), be, s->cluster_size, e);
    }
    for (uint64_t i = 0; i < bytes / 8; i++)
        be[i] = htobe64(table[i]);
    blk_event(b->file, "refblock_alloc_write_table");
    if (r >= 0)
        r = qcow2_pwrite(b, g->host + (g->blocks << s->cluster_bits), be, bytes, e);
    free(be);
    return r;
}

/* The header gets a new table; the old one's clusters are free after that. */
static int switch_table(struct blk *b, const struct growth *g, uint64_t *table, bool *dirty,
                        struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_header old = s->h;
    uint64_t old_len = (uint64_t)old.refcount_table_clusters << s->cluster_bits;
    int r;

    s->h.refcount_table_offset = g->host + (g->blocks << s->cluster_bits);
    s->h.refcount_table_clusters = (uint32_t)g->table_clusters;
    blk_event(b->file, "refblock_alloc_switch_table");
    if ((r = qcow2_store_fields(b, e)) < 0) {
        s->h = old;
        return r;
    }
    free(s->reftable);
    free(s->reftable_dirty);
    s->reftable = table;
    s->reftable_dirty = dirty;
    s->reftable_any_dirty = false;
    s->reftable_n = (g->table_clusters << s->cluster_bits) / 8;
    s->reftable_used = g->first_block + g->blocks;
    return qcow2_free_now(b, old.refcount_table_offset, old_len, false, e);
}

static int grow_table(struct blk *b, uint64_t index, struct err *e)
{
    struct qcow2 *s = b->state;
    struct growth g;
    int r;

    if ((r = plan_growth(s, index, &g, e)) < 0)
        return r;
    uint64_t bytes = g.table_clusters << s->cluster_bits;
    uint64_t *table = calloc(1, bytes);
    bool *dirty = calloc(bytes / s->page_size + 1, sizeof(bool));

    if (!table || !dirty)
        fatal("out of memory");
    memcpy(table, s->reftable, s->reftable_n * 8);
    for (uint64_t k = 0; k < g.blocks; k++)
        table[g.first_block + k] = g.host + (k << s->cluster_bits);
    qcow2_cache_drop(b, &s->refs, g.host, g.blocks << s->cluster_bits);
    note_used(s, g.host, (g.blocks + g.table_clusters) << s->cluster_bits);
    if ((r = qcow2_cache_write(b, &s->refs, e)) < 0 || (r = write_growth(b, &g, table, e)) < 0 ||
        (r = qcow2_sync(b, e)) < 0)
        goto fail;
    struct qcow2_header before = s->h;

    r = switch_table(b, &g, table, dirty, e);
    if (s->h.refcount_table_offset != before.refcount_table_offset)
        return r;
fail:
    free(table);
    free(dirty);
    return r;
}

/* Changing counts ----------------------------------------------------------------------------- */

static int add_one(struct blk *b, uint64_t index, int by, bool *freed, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_page *p;
    uint64_t at, count;
    int r;

    while ((r = count_page(b, index, &p, &at, e)) >= 0 && !p && by > 0)
        if ((r = add_block(b, index, e)) < 0)
            return r;
    if (r < 0)
        return r;
    count = p ? qcow2_get_count(p->data, s->h.refcount_order, at) : 0;
    if (by < 0 && !count)
        return qcow2_corrupt(b, e, "cluster %" PRIu64 " is given up but was not in use", index);
    if (by > 0 && count == qcow2_refcount_max(s))
        return err_set(e, -EINVAL, "cluster %" PRIu64 " cannot have more than %" PRIu64
                       " references: the image's refcount_bits is too small", index, count);
    count = by < 0 ? count - 1 : count + 1;
    if ((r = qcow2_check_refblock_overlap(b, round_down(p->host, s->cluster_size), e)) < 0)
        return r;
    qcow2_change_begin(&s->refs, p);
    qcow2_put_count(p->data, s->h.refcount_order, at, count);
    qcow2_change_end(p);
    *freed = !count;
    return 0;
}

static void cluster_freed(struct blk *b, uint64_t index)
{
    struct qcow2 *s = b->state;
    uint64_t host = index << s->cluster_bits;

    s->free_hint = min_u64(s->free_hint, index);
    if (s->packed && round_down(s->packed - 1, s->cluster_size) == host)
        s->packed = 0;
    qcow2_cache_drop(b, &s->l2, host, s->cluster_size);
    qcow2_cache_drop(b, &s->refs, host, s->cluster_size);
}

static int change_counts(struct blk *b, uint64_t host, uint64_t len, int by, bool discard,
                         struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t first = host >> s->cluster_bits, end = (host + len - 1) >> s->cluster_bits;
    bool freed;
    int r;

    if (!len)
        return 0;
    for (uint64_t i = first; i <= end; i++) {
        if ((r = add_one(b, i, by, &freed, e)) < 0) {
            while (by > 0 && i-- > first) /* as it was */
                add_one(b, i, -1, &freed, ERR_IGNORE);
            return r;
        }
        if (!freed)
            continue;
        cluster_freed(b, i);
        if (discard)
            blk_discard(b->file, i << s->cluster_bits, s->cluster_size, ERR_IGNORE);
    }
    return 0;
}

int qcow2_refcount_add(struct blk *b, uint64_t host, uint64_t len, int by, struct err *e)
{
    return change_counts(b, host, len, by, false, e);
}

int qcow2_free_now(struct blk *b, uint64_t host, uint64_t len, bool discard, struct err *e)
{
    blk_event(b->file, "cluster_free");
    return change_counts(b, host, len, -1, discard, e);
}

void qcow2_unref_later(struct blk *b, uint64_t host, uint64_t len, bool discard)
{
    struct qcow2 *s = b->state;

    if (s->n_unrefs == s->max_unrefs) {
        s->max_unrefs = s->max_unrefs ? s->max_unrefs * 2 : 64;
        if (!(s->unrefs = realloc(s->unrefs, s->max_unrefs * sizeof(*s->unrefs))))
            fatal("out of memory");
    }
    s->unrefs[s->n_unrefs++] = (struct qcow2_unref){host, len, discard};
}

/* What fails stays counted: a leak. */
int qcow2_apply_unrefs(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r = 0;

    for (size_t i = 0; i < s->n_unrefs; i++) {
        const struct qcow2_unref *u = &s->unrefs[i];

        blk_event(b->file, "cluster_free");
        int r2 = change_counts(b, u->host, u->len, -1, u->discard, r < 0 ? ERR_IGNORE : e);

        r = r < 0 ? r : r2;
    }
    s->n_unrefs = 0;
    return r;
}

/* Allocating -------------------------------------------------------------------------------------- */

/* The number of free clusters from @index on, at most @want; of one kind: never written, or not. */
static int free_run(struct blk *b, uint64_t index, uint64_t want, uint64_t *got, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t count, n = 0;
    bool fresh = index << s->cluster_bits >= s->high_water;
    int r;

    for (; n < want; n++) {
        if (n && (((index + n) << s->cluster_bits) >= s->high_water) != fresh)
            break;
        if ((r = count_at(b, index + n, &count, e)) < 0)
            return r;
        if (count)
            break;
    }
    *got = n;
    return 0;
}

/* Space that waits for the next write back is worth having when there is much of it. */
static int reclaim(struct blk *b, struct err *e)
{
    enum { MANY = 8192 };

    return qcow2_of(b)->n_unrefs < MANY ? 0 : qcow2_write_back(b, e);
}

int qcow2_alloc(struct blk *b, uint64_t want, uint64_t *host, uint64_t *got, bool *zeros,
                struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t index, n;
    int r = reclaim(b, e);

    if (r < 0)
        return r;
    blk_event(b->file, "cluster_alloc");
    for (;;) {
        if ((r = find_free(b, &index, e)) < 0 || (r = check_limit(b, index + want, e)) < 0 ||
            (r = free_run(b, index, want, &n, e)) < 0)
            return r;
        struct qcow2_page *p;
        uint64_t at;

        /* A block that is missing takes a free cluster itself, perhaps this one: then look again. */
        if ((r = count_page(b, index, &p, &at, e)) < 0)
            return r;
        if (p)
            break;
        if ((r = add_block(b, index, e)) < 0)
            return r;
    }
    /* Up to the end of the block, which is there. */
    n = min_u64(n, (UINT64_C(1) << qcow2_block_bits(s)) -
                       (index & ((UINT64_C(1) << qcow2_block_bits(s)) - 1)));
    *host = index << s->cluster_bits;
    *got = n;
    *zeros = *host >= s->high_water;
    if ((r = qcow2_check_overlap(b, *host, n << s->cluster_bits, true, e)) < 0)
        return r;
    if ((r = change_counts(b, *host, n << s->cluster_bits, 1, false, e)) < 0)
        return r;
    s->free_hint = index + n;
    note_used(s, *host, n << s->cluster_bits);
    return 0;
}

int qcow2_alloc_bytes(struct blk *b, uint64_t len, uint64_t *host, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t want = div_up(len, s->cluster_size), index = s->free_hint, n, at, count;
    int r;

    blk_event(b->file, "cluster_alloc_bytes");
    for (;;) {
        uint64_t run = 0;

        for (; run < want; run++) { /* all of it, written before or not */
            if ((r = count_at(b, index + run, &count, e)) < 0)
                return r;
            if (count)
                break;
        }
        if (run < want) {
            index += run + 1;
            continue;
        }
        if ((r = check_limit(b, index + want, e)) < 0)
            return r;
        struct qcow2_page *p = NULL;

        for (n = 0; n < want; n++) {
            if ((r = count_page(b, index + n, &p, &at, e)) < 0)
                return r;
            if (!p)
                break;
        }
        if (n == want)
            break;
        if ((r = add_block(b, index + n, e)) < 0)
            return r;
    }
    *host = index << s->cluster_bits;
    if ((r = qcow2_check_overlap(b, *host, want << s->cluster_bits, true, e)) < 0)
        return r;
    if ((r = change_counts(b, *host, want << s->cluster_bits, 1, false, e)) < 0)
        return r;
    if (index == s->free_hint)
        s->free_hint = index + want;
    note_used(s, *host, want << s->cluster_bits);
    return 0;
}
