/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: how large an image will become. */
#include "block/fmt_qcow2_bitmap_priv.h"

/* Clusters of header, tables and refcounts for @data clusters of data; or more than there can be. */
static uint64_t metadata(const struct qcow2_measure *o, uint64_t data)
{
    uint64_t cluster = UINT64_C(1) << o->cluster_bits, entry = o->extended ? 16 : 8;
    uint64_t l2 = div_up(data * entry, cluster), l1 = div_up(l2 * 8, cluster);
    uint64_t fixed = 1 + l2 + l1 + div_up(o->crypt_len, cluster), blocks = 0, table = 0, before;
    unsigned block_bits = o->cluster_bits + 3 - o->refcount_order;

    do {
        before = blocks + table;
        blocks = div_up(data + fixed + before, UINT64_C(1) << block_bits);
        table = div_up(blocks * 8, cluster);
    } while (blocks + table != before);
    return fixed + blocks + table;
}

/* Clusters that hold something. */
static int data_clusters(struct blk *src, unsigned bits, uint64_t *n, struct err *e)
{
    uint64_t size = blk_size_now(src), next = 0; /* first cluster that is not counted */
    struct blk_status st;
    int r;

    *n = 0;
    for (uint64_t off = 0; off < size; off += st.len) {
        if ((r = blk_status_above(src, NULL, off, size - off, &st, e)) < 0)
            return r;
        if (!st.len)
            return err_set(e, -EIO, "nothing is known of offset %" PRIu64, off);
        if (st.zero || !st.data)
            continue;
        uint64_t first = max_u64(off >> bits, next), end = ((off + st.len - 1) >> bits) + 1;

        if (end > first)
            *n += end - first;
        next = max_u64(next, end);
    }
    return 0;
}

static int measure_bitmaps(const struct qcow2_measure *o, struct blk *src, struct blk_measure *m,
                           struct err *e)
{
    uint64_t cluster = UINT64_C(1) << o->cluster_bits, directory = 0, size = blk_size_now(src);
    struct blk_bitmap *list;
    int n;

    if (!src->drv->bitmaps || o->no_bitmaps)
        return 0;
    if ((n = src->drv->bitmaps->list(src, &list, e)) < 0)
        return n;
    m->has_bitmaps = n || (!strcmp(src->drv->name, "qcow2") && qcow2_of(src)->h.version >= 3);
    for (int i = 0; i < n; i++) {
        uint64_t granules = div_up(size, list[i].granularity), bytes = div_up(granules, 8);

        if (list[i].inconsistent)
            continue;
        bytes = round_up(bytes, cluster);
        m->bitmaps += bytes + round_up(bytes / cluster * 8, cluster);
        directory += round_up(QCOW2_BITMAP_ROW + strlen(list[i].name), 8);
    }
    m->bitmaps += round_up(directory, cluster);
    free(list);
    return 0;
}

int qcow2_measure_image(const struct qcow2_measure *o, struct blk *src, uint64_t size,
                        struct blk_measure *m, struct err *e)
{
    uint64_t all = (size >> o->cluster_bits) + !!(size & ((UINT64_C(1) << o->cluster_bits) - 1));
    uint64_t data = 0, meta = metadata(o, all);
    int r;

    if (src && ((r = data_clusters(src, o->cluster_bits, &data, e)) < 0 ||
                (r = measure_bitmaps(o, src, m, e)) < 0))
        return r;
    m->fully_allocated = (all + meta) << o->cluster_bits;
    m->required = o->whole ? m->fully_allocated : (data + meta) << o->cluster_bits;
    return 0;
}
