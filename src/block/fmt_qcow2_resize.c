/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: growing, shrinking, allocating in advance. */
#include "block/fmt_qcow2_priv.h"

int qcow2_check_size(const struct qcow2_header *h, struct err *e)
{
    unsigned bits = h->cluster_bits * 2 - 3 - !!(h->incompatible & QCOW2_EXTENDED_L2);

    if (h->size > INT64_MAX || h->size >> bits >= QCOW2_MAX_L1 / 8)
        return err_set(e, -EFBIG,
                       "The image size is too large for file format 'qcow2' (try using "
                       "a larger cluster size)");
    return 0;
}

/* A larger L1 table, somewhere else; the header says so in one write.  The old one is free then. */
static int grow_l1(struct blk *b, uint64_t entries, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_header old = s->h;
    uint64_t bytes = entries * 8, host;
    uint64_t *l1 = calloc(entries, 8), *be = calloc(entries, 8);
    bool *dirty = calloc(bytes / s->page_size + 1, sizeof(bool));
    int r;

    if (!l1 || !be || !dirty)
        fatal("out of memory");
    blk_event(b->file, "l1_grow_alloc_table");
    if ((r = qcow2_alloc_bytes(b, bytes, &host, e)) < 0)
        goto fail;
    memcpy(l1, s->l1, old.l1_size * UINT64_C(8));
    for (uint64_t i = 0; i < old.l1_size; i++)
        be[i] = htobe64(l1[i]);
    blk_event(b->file, "l1_grow_write_table");
    if ((r = qcow2_pwrite(b, host, be, bytes, e)) < 0 || (r = qcow2_write_back(b, e)) < 0 ||
        (r = qcow2_sync(b, e)) < 0)
        goto fail;
    s->h.l1_table_offset = host;
    s->h.l1_size = (uint32_t)entries;
    blk_event(b->file, "l1_grow_activate_table");
    if ((r = qcow2_store_fields(b, e)) < 0) {
        s->h = old;
        goto fail;
    }
    free(be);
    free(s->l1);
    free(s->l1_dirty);
    s->l1 = l1;
    s->l1_dirty = dirty;
    s->l1_any_dirty = false;
    return old.l1_size ? qcow2_free_now(b, old.l1_table_offset, old.l1_size * UINT64_C(8), false, e)
                       : 0;
fail:
    free(l1);
    free(be);
    free(dirty);
    return r;
}

int qcow2_grow_l1(struct blk *b, uint64_t entries, struct err *e)
{
    struct qcow2 *s = b->state;

    if (entries <= s->h.l1_size)
        return 0;
    if (entries > QCOW2_MAX_L1 / 8)
        return err_set(e, -EFBIG, "L1 table of %" PRIu64 " entries: the limit is %d", entries,
                       QCOW2_MAX_L1 / 8);
    return grow_l1(b, entries, e);
}

int qcow2_set_size(struct blk *b, uint64_t size, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t old = s->h.size;
    int r;

    pthread_mutex_lock(&s->lock);
    r = qcow2_grow_l1(b, max_u64(qcow2_l1_entries(s, size), 1), e);
    if (r >= 0) {
        s->h.size = size;
        if ((r = qcow2_store_fields(b, e)) < 0)
            s->h.size = old;
    }
    pthread_mutex_unlock(&s->lock);
    if (r >= 0)
        __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    return r;
}

/* Allocating in advance ---------------------------------------------------------------------------- */

/* Holes from @index on get space, at most up to @end and the end of the L2 table.  With extended L2 entries,
 * subclusters stay undecided: the backing file still shows. */
static int preallocate_run(struct blk *b, uint64_t *index, uint64_t end, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t n = 0, got, host = *index << s->cluster_bits;
    struct qcow2_entry l2 = {0};
    bool zeros = true;
    int r = qcow2_own_l2(b, *index >> s->l2_bits, e);

    end = min_u64(end, ((*index >> s->l2_bits) + 1) << s->l2_bits);
    for (; r >= 0 && *index + n < end; n++)
        if ((r = qcow2_entry_get(b, *index + n, &l2, e)) < 0 || l2.e || l2.bitmap)
            break;
    if (r < 0)
        return r;
    if (!n) {
        ++*index;
        return 0;
    }
    got = n;
    if (!s->data_file &&
        ((r = qcow2_alloc(b, n, &host, &got, &zeros, e)) < 0 ||
         (!zeros && (r = blk_zero(b->file, host, got << s->cluster_bits, 0, e)) < 0)))
        return r;
    for (uint64_t i = 0; r >= 0 && i < got; i++) {
        struct qcow2_entry new = {(host + (i << s->cluster_bits)) | QCOW2_COPIED, 0};

        if (s->extended && !b->backing_file)
            new.bitmap = UINT32_MAX;
        r = qcow2_entry_set(b, *index + i, &new, e);
    }
    *index += got;
    return r;
}

/* Clusters of L2 tables and refcount blocks that @clusters more of data need, or a few more. */
static uint64_t metadata_clusters(const struct qcow2 *s, uint64_t clusters)
{
    uint64_t tables = (clusters >> s->l2_bits) + 2;

    return tables + ((clusters + tables) >> qcow2_block_bits(s)) * 2 + 2;
}

/* The host's space first, as a whole: it reads as zeros, so that entries may refer to it. */
static int preallocate_host(struct blk *b, uint64_t off, uint64_t end, enum blk_prealloc mode,
                            struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t clusters = div_up(end - off, s->cluster_size), size;

    if (s->data_file) {
        if (blk_size_now(s->data_file) >= end)
            return 0;
        return blk_truncate(s->data_file, end,
                            mode == BLK_PREALLOC_METADATA ? BLK_PREALLOC_OFF : mode, 0, e);
    }
    if (mode == BLK_PREALLOC_METADATA)
        return 0;
    size = s->high_water + ((clusters + metadata_clusters(s, clusters)) << s->cluster_bits);
    if (blk_size_now(b->file) >= size)
        return 0;
    return blk_truncate(b->file, size, mode, 0, e);
}

int qcow2_preallocate(struct blk *b, uint64_t off, uint64_t end, enum blk_prealloc mode,
                      struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t index = off >> s->cluster_bits, stop = div_up(end, s->cluster_size);
    int r = preallocate_host(b, off, end, mode, e);

    while (r >= 0 && index < stop) {
        pthread_mutex_lock(&s->lock);
        r = preallocate_run(b, &index, stop, e);
        pthread_mutex_unlock(&s->lock);
    }
    if (r >= 0 && !s->data_file && blk_size_now(b->file) != s->high_water)
        r = blk_truncate(b->file, s->high_water, BLK_PREALLOC_OFF, 0, e);
    s->maybe_holes = true;
    return r;
}

/* Changing the size ------------------------------------------------------------------------------ */

/* What was beyond the old end shows zeros: not the rest of the last cluster, nor a longer backing file. */
static int zero_new_part(struct blk *b, uint64_t old, uint64_t size, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t edge = min_u64(round_up(old, s->cluster_size), size), below;
    struct blk_extent x = {0};
    int r;

    if (edge > old) {
        if ((r = qcow2_map_ops.map(b, old, edge - old, &x, e)) < 0)
            return r;
        if ((x.where != BLK_HOLE || b->backing) && x.where != BLK_ZEROS &&
            (r = blk_write_zeros(b, old, edge - old, 0, e)) < 0)
            return r;
    }
    below = b->backing ? blk_size_now(b->backing) : b->backing_file ? size : 0;
    if (below <= edge)
        return 0;
    r = qcow2_zero(b, edge, min_u64(size, round_up(below, s->cluster_size)) - edge, 0, e);
    return r == -ENOTSUP ? blk_write_zeros(b, edge, min_u64(size, below) - edge, 0, e) : r;
}

/* Clusters from @first on lose their entries, and L2 tables that only served them go. */
static int drop_tail(struct blk *b, uint64_t first, uint64_t clusters, struct err *e)
{
    struct qcow2 *s = b->state;
    int r = 0;

    for (uint64_t i = first; r >= 0 && i < clusters; i++) {
        uint64_t l1 = i >> s->l2_bits, value = qcow2_l1_get(s, l1);
        struct qcow2_entry old, none = {0};

        if (!(value & QCOW2_OFFSET)) {
            i = ((l1 + 1) << s->l2_bits) - 1;
            continue;
        }
        if ((r = qcow2_own_l2(b, l1, e)) < 0 || (r = qcow2_entry_get(b, i, &old, e)) < 0)
            break;
        if ((old.e || old.bitmap) && (r = qcow2_entry_set(b, i, &none, e)) >= 0)
            qcow2_drop_entry(b, &old);
    }
    for (uint64_t l1 = div_up(first, UINT64_C(1) << s->l2_bits); r >= 0 && l1 < s->h.l1_size;
         l1++) {
        uint64_t table = qcow2_l1_get(s, l1) & QCOW2_OFFSET;

        if (!table)
            continue;
        qcow2_l1_set(s, l1, 0);
        blk_limbo_add(b, table, s->cluster_size);
    }
    return r;
}

static int shrink(struct blk *b, uint64_t old, uint64_t size, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t first = div_up(size, s->cluster_size), clusters = div_up(old, s->cluster_size);
    int r;

    if ((r = qcow2_set_size(b, size, e)) < 0)
        return r;
    pthread_mutex_lock(&s->lock);
    s->discarding = s->o->pass_request;
    r = drop_tail(b, first, clusters, e);
    s->discarding = false;
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int grow_by(struct blk *b, uint64_t old, uint64_t size, enum blk_prealloc mode,
                   struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if ((r = qcow2_set_size(b, size, e)) < 0 || (r = zero_new_part(b, old, size, e)) < 0)
        return r;
    if (s->data_file_raw && blk_size_now(s->data_file) < size &&
        (r = blk_truncate(s->data_file, size, BLK_PREALLOC_OFF, 0, e)) < 0)
        return r;
    return mode ? qcow2_preallocate(b, round_up(old, s->cluster_size), size, mode, e) : 0;
}

/* All or nothing: what a full disk has stopped is undone, and the space it took given back. */
static int grow(struct blk *b, uint64_t old, uint64_t size, enum blk_prealloc mode, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t file = blk_size_now(b->file);
    int r = grow_by(b, old, size, mode, e);

    if (r >= 0 || s->h.size == old)
        return r;
    shrink(b, size, old, ERR_IGNORE);
    qcow2_bitmaps_resize(b, old, ERR_IGNORE);
    if (blk_flush(b, ERR_IGNORE) >= 0 && blk_size_now(b->file) > max_u64(file, s->high_water))
        blk_truncate(b->file, max_u64(file, s->high_water), BLK_PREALLOC_OFF, 0, ERR_IGNORE);
    return r;
}

int qcow2_truncate(struct blk *b, uint64_t size, enum blk_prealloc mode, unsigned req,
                   struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_header h = s->h;
    uint64_t old = s->h.size;
    int r;

    size = round_up(size, 512);
    h.size = size;
    if ((r = qcow2_check_writable(b, e)) < 0 || (r = qcow2_check_size(&h, e)) < 0)
        return r;
    if (s->h.nb_snapshots && s->h.version < 3)
        return err_set(e, -ENOTSUP, "Can't resize a v2 image which has snapshots");
    if ((r = qcow2_bitmaps_check_resize(b, e)) < 0)
        return r;
    if (mode && b->backing_file && !s->extended && size > old)
        return err_set(e, -ENOTSUP, "Preallocation is not supported with a backing file");
    if (size == old)
        return 0;
    if (size < old && mode)
        return err_set(e, -ENOTSUP, "Preallocation can't be used for shrinking an image");
    if ((r = qcow2_bitmaps_resize(b, size, e)) < 0)
        return r;
    return size < old ? shrink(b, old, size, e) : grow(b, old, size, mode, e);
}
