/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: checking refcounts against references, and repairing them.  All that will be repaired is said before the
 * first write.
 *
 * A refcount that is too small while somebody refers to the cluster may already have led to one more
 * user of it, so such refcounts are not patched but made anew, elsewhere; the header switches in one write.
 */
#include "block/fmt_qcow2_check_priv.h"

#include <stdarg.h>
#include <stdio.h>

void check_say(struct check *c, const char *fmt, ...)
{
    char text[300];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    c->res->line(c->res->opaque, text);
}

void check_fix(struct check *c, uint64_t host, uint64_t value)
{
    if (c->n_fixes == c->max_fixes) {
        c->max_fixes = c->max_fixes ? c->max_fixes * 2 : 64;
        if (!(c->fixes = realloc(c->fixes, c->max_fixes * sizeof(*c->fixes))))
            fatal("out of memory");
    }
    c->fixes[c->n_fixes++] = (struct entry_fix){host, value};
}

/* Comparing -------------------------------------------------------------------------------------------- */

/* The refcount on the disk; 0 where the table is nonsense, which was said before. */
static int stored_count(struct check *c, uint64_t index, uint64_t *count, struct err *e)
{
    struct qcow2 *s = c->b->state;
    uint64_t i = index >> qcow2_block_bits(s), block = i < s->reftable_n ? s->reftable[i] : 0;

    *count = 0;
    block &= ~UINT64_C(511);
    if ((block & s->cluster_mask) || block >> s->cluster_bits >= c->clusters)
        return 0;
    return qcow2_refcount_get(c->b, index << s->cluster_bits, count, e);
}

static bool repairs(const struct check *c, uint64_t stored, uint64_t wanted)
{
    return stored > wanted ? c->fix & BLK_FIX_LEAKS : c->fix & BLK_FIX_ERRORS;
}

static void compare_one(struct check *c, uint64_t index, uint64_t stored, bool fixing)
{
    uint64_t wanted = count_of(c, index);
    bool leak = stored > wanted, fix = fixing && repairs(c, stored, wanted);
    struct blk_check *res = c->res;

    if (stored)
        c->end = max_u64(c->end, index + 1);
    if (stored == wanted)
        return;
    if (!stored)
        c->rebuild = true;
    check_say(c, "%s cluster %" PRIu64 " refcount=%" PRIu64 " reference=%" PRIu64,
              fix ? "Repairing" : leak ? "Leaked" : "ERROR", index, stored, wanted);
    if (leak)
        *(fix ? &res->leaks_fixed : &res->leaks) += 1;
    else
        *(fix ? &res->corruptions_fixed : &res->corruptions) += 1;
}

static bool block_any(const struct check *c, uint64_t i)
{
    const struct qcow2 *s = c->b->state;
    uint64_t first = i << qcow2_block_bits(s);

    return (i < s->reftable_n && s->reftable[i]) ||
           count_any(c, first, first + (UINT64_C(1) << qcow2_block_bits(s)));
}

static int compare(struct check *c, bool fixing, struct err *e)
{
    const struct qcow2 *s = c->b->state;
    unsigned bits = qcow2_block_bits(s);
    uint64_t blocks = max_u64(s->reftable_n, c->end ? ((c->end - 1) >> bits) + 1 : 0), stored;
    int r = 0;

    for (uint64_t i = 0; i < blocks; i++) {
        uint64_t end = min_u64((i + 1) << bits, c->clusters);

        if (!block_any(c, i))
            continue;
        for (uint64_t k = i << bits; k < end; k++) {
            if ((r = stored_count(c, k, &stored, e)) < 0)
                return r;
            compare_one(c, k, stored, fixing);
        }
    }
    return 0;
}

/* The COPIED flag: set exactly when the refcount is one ----------------------------------------------------- */

/* The refcount of @host as it is after the repair. */
static int final_count(struct check *c, uint64_t host, bool repaired, uint64_t *count, struct err *e)
{
    uint64_t index = host >> qcow2_of(c->b)->cluster_bits, wanted = count_of(c, index);
    int r;

    *count = wanted;
    if (repaired && c->rebuild)
        return 0;
    if ((r = stored_count(c, index, count, e)) >= 0 && repaired && repairs(c, *count, wanted))
        *count = wanted;
    return r;
}

static bool repairs_flags(const struct check *c)
{
    if (c->fix & BLK_FIX_ERRORS)
        return true;
    return (c->fix & BLK_FIX_LEAKS) && !c->res->corruptions && !c->res->check_errors;
}

/* @at: where the entry is in the file. */
static int check_flag(struct check *c, uint64_t entry, uint64_t at, const char *what, bool repaired,
                      struct err *e)
{
    uint64_t count;
    bool fix = repairs_flags(c);
    int r = final_count(c, entry & QCOW2_OFFSET, repaired, &count, e);

    if (r < 0 || (count == 1) == !!(entry & QCOW2_COPIED))
        return r;
    check_say(c, "%s OFLAG_COPIED %s%" PRIx64 " refcount=%" PRIu64, fix ? "Repairing" : "ERROR", what,
              entry, count);
    *(fix ? &c->res->corruptions_fixed : &c->res->corruptions) += 1;
    if (fix)
        check_fix(c, at, entry ^ QCOW2_COPIED);
    return 0;
}

static int check_table_flags(struct check *c, uint64_t table, bool repaired, uint64_t *buf,
                             struct err *e)
{
    struct qcow2 *s = c->b->state;
    int r = qcow2_pread(c->b, table, buf, s->cluster_size, e);

    for (uint64_t i = 0; r >= 0 && i < UINT64_C(1) << s->l2_bits; i++) {
        uint64_t entry = be64toh(buf[i * s->entry_words]);

        if (!(entry & QCOW2_OFFSET) || (entry & QCOW2_COMPRESSED) ||
            (entry & QCOW2_OFFSET & s->cluster_mask))
            continue;
        r = check_flag(c, entry, table + i * s->entry_words * 8, "data cluster: l2_entry=",
                       repaired, e);
    }
    return r;
}

static int check_flags(struct check *c, bool repaired, struct err *e)
{
    struct qcow2 *s = c->b->state;
    uint64_t *buf = malloc(s->cluster_size);
    char what[64];
    int r = 0;

    if (!buf)
        fatal("out of memory");
    for (uint64_t i = 0; r >= 0 && i < s->h.l1_size; i++) {
        uint64_t entry = s->l1[i], table = entry & QCOW2_OFFSET;

        if (!table || (table & s->cluster_mask))
            continue;
        snprintf(what, sizeof(what), "L2 cluster: l1_index=%" PRIu64 " l1_entry=", i);
        r = check_flag(c, entry, s->h.l1_table_offset + i * 8, what, repaired, e);
        if (r >= 0 && !s->data_file && table >> s->cluster_bits < c->clusters)
            r = check_table_flags(c, table, repaired, buf, e);
    }
    free(buf);
    return r;
}

/* Repairing -------------------------------------------------------------------------------------------------- */

static int set_count(struct check *c, uint64_t index, uint64_t stored, uint64_t wanted,
                     struct err *e)
{
    uint64_t host = index << qcow2_of(c->b)->cluster_bits;
    int r = 0;

    for (; r >= 0 && stored < wanted; stored++)
        r = qcow2_refcount_add(c->b, host, 1, 1, e);
    for (; r >= 0 && stored > wanted; stored--)
        r = qcow2_refcount_add(c->b, host, 1, -1, e);
    return r;
}

static int fix_counts(struct check *c, struct err *e)
{
    const struct qcow2 *s = c->b->state;
    unsigned bits = qcow2_block_bits(s);
    uint64_t stored;
    int r;

    for (uint64_t i = 0; i < s->reftable_n; i++) {
        uint64_t end = min_u64((i + 1) << bits, c->clusters);

        for (uint64_t k = i << bits; block_any(c, i) && k < end; k++) {
            if ((r = stored_count(c, k, &stored, e)) < 0)
                return r;
            if (stored != count_of(c, k) && repairs(c, stored, count_of(c, k)) &&
                (r = set_count(c, k, stored, count_of(c, k), e)) < 0)
                return r;
        }
    }
    return 0;
}

/* struct plan - a new refcount structure behind the end of the file: blocks, then the table. */
struct plan {
    uint64_t first, blocks, table_clusters;
};

static int plan_rebuild(struct check *c, struct plan *p, struct err *e)
{
    const struct qcow2 *s = c->b->state;
    unsigned bits = qcow2_block_bits(s);

    *p = (struct plan){.first = c->clusters, .table_clusters = 1};
    for (uint64_t before = 0; before != p->blocks + p->table_clusters;) {
        before = p->blocks + p->table_clusters;
        uint64_t all = ((p->first + before - 1) >> bits) + 1;

        p->table_clusters = div_up(all * 8, s->cluster_size);
        if (all * 8 > QCOW2_MAX_REFTABLE)
            return err_set(e, -EFBIG, "the file is too large for a new refcount table");
        p->blocks = 0;
        for (uint64_t i = 0; i < all; i++)
            if (((i + 1) << bits) > p->first || count_any(c, i << bits, (i + 1) << bits))
                p->blocks++;
    }
    return 0;
}

static int write_rebuilt(struct check *c, const struct plan *p, uint64_t *table, struct err *e)
{
    const struct qcow2 *s = c->b->state;
    unsigned bits = qcow2_block_bits(s);
    uint64_t bytes = p->table_clusters << s->cluster_bits, next = p->first, max;
    uint64_t ours_end = p->first + p->blocks + p->table_clusters;
    uint8_t *block = malloc(s->cluster_size);
    int r = 0;

    if (!block)
        fatal("out of memory");
    max = qcow2_refcount_max(s);
    for (uint64_t i = 0; r >= 0 && i < bytes / 8 && i << bits < ours_end; i++) {
        if (((i + 1) << bits) <= p->first && !count_any(c, i << bits, (i + 1) << bits))
            continue;
        memset(block, 0, s->cluster_size);
        for (uint64_t k = 0; r >= 0 && k < UINT64_C(1) << bits; k++) {
            uint64_t index = (i << bits) + k, n = count_of(c, index);

            if (n > max)
                r = err_set(e, -EINVAL, "cluster %" PRIu64 " has %" PRIu64
                                        " references: refcounts of this image end at %" PRIu64,
                            index, n, max);
            qcow2_put_count(block, s->h.refcount_order, k,
                            index >= p->first && index < ours_end ? 1 : n);
        }
        table[i] = htobe64(next << s->cluster_bits);
        if (r >= 0)
            r = qcow2_pwrite(c->b, next++ << s->cluster_bits, block, s->cluster_size, e);
    }
    free(block);
    return r < 0 ? r : qcow2_pwrite(c->b, next << s->cluster_bits, table, bytes, e);
}

/* The tables in memory again from the disk. */
static int reload(struct check *c, struct err *e)
{
    struct qcow2 *s = c->b->state;

    qcow2_cache_forget(&s->l2);
    qcow2_cache_forget(&s->refs);
    free(s->reftable);
    free(s->reftable_dirty);
    s->reftable = NULL;
    s->reftable_dirty = NULL;
    s->free_hint = s->packed = s->sound_l2 = s->sound_refblock = 0;
    s->high_water = round_up(blk_size_now(c->b->file), s->cluster_size);
    return qcow2_reftable_load(c->b, e);
}

static int rebuild(struct check *c, uint32_t order, struct err *e)
{
    struct qcow2 *s = c->b->state;
    struct qcow2_header old = s->h;
    struct plan p;
    int r;

    s->h.refcount_order = order;
    if ((r = plan_rebuild(c, &p, e)) < 0)
        goto fail;
    uint64_t *table = calloc(p.table_clusters, s->cluster_size);

    if (!table)
        fatal("out of memory");
    r = write_rebuilt(c, &p, table, e);
    free(table);
    if (r < 0 || (r = qcow2_sync(c->b, e)) < 0)
        goto fail;
    s->h.refcount_table_offset = (p.first + p.blocks) << s->cluster_bits;
    s->h.refcount_table_clusters = (uint32_t)p.table_clusters;
    if ((r = qcow2_store_fields(c->b, e)) >= 0)
        return 0;
fail:
    s->h = old;
    return r;
}

static int apply_fixes(struct check *c, struct err *e)
{
    struct qcow2 *s = c->b->state;
    int r = 0;

    for (uint64_t i = 0; r >= 0 && i < c->n_fixes; i++) {
        const struct entry_fix *f = &c->fixes[i];
        uint64_t be = htobe64(f->value), l1 = s->h.l1_table_offset;

        r = qcow2_pwrite(c->b, f->host, &be, 8, e);
        if (r >= 0 && f->host >= l1 && f->host < l1 + s->h.l1_size * UINT64_C(8))
            s->l1[(f->host - l1) / 8] = f->value;
    }
    return r;
}

static int repair(struct check *c, struct err *e)
{
    struct qcow2 *s = c->b->state;
    int r;

    if (c->rebuild)
        r = rebuild(c, s->h.refcount_order, e);
    else if ((r = fix_counts(c, e)) >= 0)
        r = qcow2_write_back(c->b, e);
    if (r < 0 || (r = reload(c, e)) < 0 || (r = apply_fixes(c, e)) < 0 ||
        (r = qcow2_sync(c->b, e)) < 0)
        return r;
    if (c->res->corruptions || c->res->check_errors)
        return 0;
    __atomic_store_n(&s->corrupt, 0, __ATOMIC_RELAXED);
    if (!(s->h.incompatible & (QCOW2_DIRTY | QCOW2_CORRUPT)))
        return 0;
    s->h.incompatible &= ~(uint64_t)(QCOW2_DIRTY | QCOW2_CORRUPT);
    return qcow2_store_fields(c->b, e);
}

/* All of it ------------------------------------------------------------------------------------------------- */

/* Rebuilt refcounts: what was complained about is repaired with them. */
static void plan_rebuilding(struct check *c, const struct blk_check *before)
{
    check_say(c, "Rebuilding refcount structure");
    c->res->corruptions_fixed += c->res->corruptions - before->corruptions;
    c->res->leaks_fixed += c->res->leaks - before->leaks;
    c->res->corruptions = before->corruptions;
    c->res->leaks = before->leaks;
}

static int look(struct check *c, struct err *e)
{
    struct blk_check before, *res = c->res;
    int r;

    if ((r = count_image(c, e)) < 0)
        return r;
    before = *res;
    before.corruptions -= c->wrong_blocks;
    if ((r = compare(c, false, e)) < 0)
        return r;
    if (c->rebuild && (c->fix & BLK_FIX_ERRORS)) {
        plan_rebuilding(c, &before);
        uncount_refblocks(c); /* what the old structure takes is free afterwards */
        return check_flags(c, true, e);
    }
    if (c->rebuild && c->fix) {
        check_say(c, "ERROR need to rebuild refcount structures");
        return err_set(e, -EIO, "Input/output error");
    }
    if (c->fix && (res->leaks > before.leaks || res->corruptions > before.corruptions + c->wrong_blocks)) {
        res->leaks = before.leaks;
        res->corruptions = before.corruptions + c->wrong_blocks;
        if ((r = compare(c, true, e)) < 0)
            return r;
    }
    return check_flags(c, c->fix, e);
}

/* No refcount table can count what lies behind. */
static uint64_t clusters_of(struct blk *b, uint32_t order)
{
    struct qcow2 *s = b->state;

    return min_u64(div_up(blk_size_now(b->file), s->cluster_size),
                   (uint64_t)QCOW2_MAX_REFTABLE / 8 << (s->cluster_bits + 3 - order));
}

int qcow2_check(struct blk *b, struct blk_check *res, unsigned fix, struct err *e)
{
    struct qcow2 *s = b->state;
    struct check c = {.b = b, .res = res, .fix = fix};
    int r;

    if (fix && !(b->flags & BLK_RDWR))
        return err_set(e, -EPERM, "the image is opened for reading only");
    c.clusters = clusters_of(b, s->h.refcount_order);
    res->total_clusters = div_up(s->h.size, s->cluster_size);
    pthread_mutex_lock(&s->lock);
    r = (b->flags & BLK_RDWR) ? qcow2_settle(b, e) : 0;
    if (r >= 0)
        r = look(&c, e);
    res->image_end_offset = c.end << s->cluster_bits;
    if (r >= 0 && fix)
        r = repair(&c, e);
    pthread_mutex_unlock(&s->lock);
    count_free(&c);
    return r;
}

static void ignore_line(void *opaque, const char *text)
{
}

int qcow2_rebuild_refcounts(struct blk *b, uint32_t order, struct err *e)
{
    struct blk_check res = {.line = ignore_line};
    struct check c = {.b = b, .res = &res, .clusters = clusters_of(b, order)};
    int r = count_image(&c, e);

    if (r >= 0 && res.corruptions)
        r = err_set(e, -EIO, "the image has errors: they are to be repaired first");
    if (r >= 0) {
        uncount_refblocks(&c);
        if ((r = rebuild(&c, order, e)) >= 0)
            r = reload(&c, e);
    }
    count_free(&c);
    return r;
}
