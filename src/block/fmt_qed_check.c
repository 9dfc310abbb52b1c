/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Checking and repairing QED images: every cluster of the file belongs to one thing. */
#include "block/fmt_qed_priv.h"

#include <inttypes.h>
#include <stdlib.h>

/* struct walk - one check. */
struct walk {
    struct blk *b;
    struct blk_check *c;
    unsigned fix;
    uint8_t *used; /* a bit for each cluster of the file */
    uint64_t clusters;
    uint64_t last; /* where the last data cluster was: fragmentation */
    uint64_t found, fixed;
};

/* Mark [host, host+len): false when a part of it is somebody else's. */
static bool take(struct walk *w, uint64_t host, uint64_t len)
{
    const struct qed *q = w->b->state;

    for (uint64_t k = host / q->cluster; k < div_up(host + len, q->cluster) && k < w->clusters; k++) {
        if (w->used[k / 8] >> k % 8 & 1)
            return false;
        w->used[k / 8] |= (uint8_t)(1 << k % 8);
    }
    return true;
}

/* Entry @i of the table at @host is wrong: the disk has a hole there from now on. */
static int wrong(struct walk *w, uint64_t host, uint64_t i, uint64_t entry, const char *what,
                 struct err *e)
{
    uint64_t one = 1;
    int r;

    blk_check_say(w->c, "ERROR: entry %" PRIu64 " of the table at %" PRIu64 ": %s at %" PRIu64, i,
                  host, what, entry);
    w->found++;
    if (!(w->fix & BLK_FIX_ERRORS))
        return 0;
    if ((r = qed_put(w->b->state, host, i, &one, 0, 0, e)) >= 0)
        w->fixed++;
    return r;
}

static int check_l2(struct walk *w, uint64_t l2, uint64_t n, struct err *e)
{
    const struct qed *q = w->b->state;
    uint64_t entry;
    int r = 0;

    w->last = 0; /* fragmentation is counted in each table by itself */
    for (uint64_t i = 0; i < n && r >= 0; i++) {
        if ((r = qed_entry(w->b->state, l2, i, &entry, e)) < 0 || entry <= QED_ZERO)
            continue;
        w->c->allocated_clusters++;
        if (w->last && entry != w->last + q->cluster)
            w->c->fragmented_clusters++;
        w->last = entry;
        if (!qed_place_ok(w->b, entry, 1))
            r = wrong(w, l2, i, entry, "a cluster outside of the file", e);
        else if (!take(w, entry, q->cluster))
            r = wrong(w, l2, i, entry, "a cluster that is in use already", e);
    }
    return r;
}

static int check_l1(struct walk *w, struct err *e)
{
    const struct qed *q = w->b->state;
    uint64_t total = div_up(w->b->size, q->cluster), l2;
    int r = 0;

    for (uint64_t i = 0; i * q->entries < total && r >= 0; i++) {
        if ((r = qed_entry(w->b->state, q->l1, i, &l2, e)) < 0 || !l2)
            continue;
        if (!qed_place_ok(w->b, l2, q->table))
            r = wrong(w, q->l1, i, l2, "a table outside of the file", e);
        else if (!take(w, l2, q->table))
            r = wrong(w, q->l1, i, l2, "a table where something else is", e);
        else
            r = check_l2(w, l2, min_u64(q->entries, total - i * q->entries), e);
    }
    return r;
}

static int run_check(struct walk *w, struct err *e)
{
    struct qed *q = w->b->state;
    int r;

    w->c->total_clusters = div_up(w->b->size, q->cluster);
    take(w, 0, q->header);
    if (!take(w, q->l1, q->table))
        w->found++;
    if ((r = check_l1(w, e)) < 0)
        return r;
    for (uint64_t k = 0; k < w->clusters; k++)
        if (!(w->used[k / 8] >> k % 8 & 1))
            w->c->leaks++;
    w->c->corruptions += w->found - w->fixed;
    w->c->corruptions_fixed += w->fixed;
    if (w->fix && w->found == w->fixed && (q->features & QED_NEED_CHECK)) {
        if ((r = blk_flush(w->b->file, e)) < 0)
            return r;
        q->features &= ~(uint64_t)QED_NEED_CHECK;
        return qed_write_features(w->b, e);
    }
    return 0;
}

int qed_check(struct blk *b, struct blk_check *c, unsigned fix, struct err *e)
{
    struct qed *q = b->state;
    struct walk w = {.b = b, .c = c, .fix = fix, .clusters = div_up(blk_size(b->file), q->cluster)};
    int r;

    if (!(w.used = blk_alloc_foreign(w.clusters / 8 + 1, TABLE_MAX, "map of the file", e)))
        return e->code;
    pthread_mutex_lock(&q->lock);
    r = run_check(&w, e);
    pthread_mutex_unlock(&q->lock);
    free(w.used);
    return r;
}
