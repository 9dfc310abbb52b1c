/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One extent map for a chain of backing files: which file of it has what is read, found once for each granule.
 * Files that are only read do not change, and the chain stays as it was opened, so nothing is ever forgotten. */
#include "block/core.h"

#include <stdlib.h>

enum {
    GRANULE_BITS = 16,
    SLOTS = 1 << 14, /* 1 GiB of disk */
    DEPTH_BITS = 12,
    CHAIN_MAX = 1 << DEPTH_BITS,
};

struct blk_below {
    unsigned n;
    struct blk **nodes;    /* [0]: the node itself, then its backing files in turn */
    uint64_t slots[SLOTS]; /* [atomic] granule + 1 above, which of @nodes below; 0: free */
};

static struct blk_below *below_new(struct blk *b)
{
    struct blk_below *t = calloc(1, sizeof(*t));
    unsigned n = 0;

    if (!t)
        return NULL;
    for (struct blk *at = b; at && n < CHAIN_MAX; at = at->backing)
        n++;
    if (!(t->nodes = calloc(n, sizeof(struct blk *)))) {
        free(t);
        return NULL;
    }
    for (struct blk *at = b; t->n < n; at = at->backing)
        t->nodes[t->n++] = at;
    return t;
}

void below_free(struct blk_below *t)
{
    if (t)
        free(t->nodes);
    free(t);
}

/* The node's table, made by whoever comes first; NULL: without memory it goes the long way. */
static struct blk_below *below_of(struct blk *b)
{
    struct blk_below *t = __atomic_load_n(&b->core->below, __ATOMIC_ACQUIRE), *none = NULL;

    if (t || !(t = below_new(b)))
        return t;
    if (__atomic_compare_exchange_n(&b->core->below, &none, t, false, __ATOMIC_ACQ_REL,
                                    __ATOMIC_ACQUIRE))
        return t;
    below_free(t);
    return none;
}

/* Does @b leave all of [off, off+len) to its backing file, for good? */
static bool passes_on(struct blk *b, uint64_t off, uint64_t len)
{
    uint64_t done = 0;
    bool hole = true;

    if ((b->flags & BLK_RDWR) || !b->drv->map || off + len > blk_size_now(b) ||
        off + len > blk_size_now(b->backing))
        return false;
    pthread_rwlock_rdlock(&b->core->users);
    while (hole && done < len) {
        struct blk_extent x = {0};

        hole = b->drv->map->map(b, off + done, len - done, &x, ERR_IGNORE) >= 0 &&
               x.where == BLK_HOLE;
        done += x.len;
    }
    pthread_rwlock_unlock(&b->core->users);
    return hole;
}

struct blk *below_find(struct blk *b, uint64_t off, uint64_t len)
{
    uint64_t granule = off >> GRANULE_BITS;
    struct blk_below *t;

    if (!b->backing || (off + len - 1) >> GRANULE_BITS != granule || !(t = below_of(b)))
        return b;
    uint64_t *slot = &t->slots[granule % SLOTS];
    uint64_t got = __atomic_load_n(slot, __ATOMIC_RELAXED);

    if (got >> DEPTH_BITS != granule + 1) {
        unsigned depth = 0;

        while (depth + 1 < t->n && passes_on(t->nodes[depth], granule << GRANULE_BITS,
                                             UINT64_C(1) << GRANULE_BITS))
            depth++;
        got = (granule + 1) << DEPTH_BITS | depth;
        __atomic_store_n(slot, got, __ATOMIC_RELAXED);
    }
    return t->nodes[got & (CHAIN_MAX - 1)];
}
