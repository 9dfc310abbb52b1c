/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -f qed: QEMU Enhanced Disk images (fmt_qed_priv.h).
 *
 * Data, then the table of the second level, then that of the first: a crash leaks clusters, so that we
 * never need the header's "need check" bit.  Where others left it, opening for writing repairs.
 */
#include "block/fmt_qed_priv.h"

#include <inttypes.h>
#include <stdlib.h>

extern const struct blk_driver fmt_qed;

enum { QED_RUN = 64 }; /* clusters of one allocation at most */

static int qed_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= 64 && !memcmp(head, "QED", 4) ? 100 : 0;
}

/* Tables ------------------------------------------------------------------------------------------- */

int qed_entry(struct qed *q, uint64_t host, uint64_t i, uint64_t *entry, struct err *e)
{
    uint64_t at = i * 8;
    const uint8_t *t = tcache_get(q->slices, host + round_down(at, QED_SLICE), e);

    if (!t)
        return e->code;
    *entry = get_le64(t + at % QED_SLICE);
    return 0;
}

int qed_put(struct qed *q, uint64_t host, uint64_t i, uint64_t *n, uint64_t first, uint64_t step,
            struct err *e)
{
    uint64_t at = i * 8;
    uint8_t entries[QED_RUN * 8];

    *n = min_u64(min_u64(*n, QED_RUN), (QED_SLICE - at % QED_SLICE) / 8);
    for (uint64_t k = 0; k < *n; k++)
        put_le64(entries + k * 8, first + k * step);
    return tcache_put(q->slices, host + round_down(at, QED_SLICE), at % QED_SLICE, entries, *n * 8,
                      e);
}

bool qed_place_ok(const struct blk *b, uint64_t host, uint64_t len)
{
    const struct qed *q = b->state;
    uint64_t file = blk_size(b->file);

    return host % q->cluster == 0 && host >= q->header && host < file && len <= file - host;
}

/* The table of the second level that @off is in; 0: none. */
static int find_table(struct blk *b, uint64_t off, uint64_t *l2, struct err *e)
{
    struct qed *q = b->state;
    uint64_t i = off / (q->entries * q->cluster);
    int r = qed_entry(q, q->l1, i, l2, e);

    if (r < 0 || !*l2 || qed_place_ok(b, *l2, q->table))
        return r;
    return err_set(e, -EIO, "table %" PRIu64 " is said to be at %" PRIu64 ", which cannot be", i, *l2);
}

/* Opening ------------------------------------------------------------------------------------------- */

int qed_check_sizes(uint64_t cluster, uint64_t table_clusters, struct err *e)
{
    if (!is_pow2(cluster) || cluster < 4096 || cluster > 64 * MiB)
        return err_set(e, -EINVAL, "QED cluster size must be within range [4096, 67108864] and power "
                       "of 2");
    if (!is_pow2(table_clusters) || table_clusters > 16)
        return err_set(e, -EINVAL, "QED table size must be within range [1, 16] and power of 2");
    return 0;
}

int qed_check_disk(uint64_t size, uint64_t entries, uint64_t cluster, struct err *e)
{
    uint64_t max = qed_max(entries, cluster);

    if (size % 512 || size > max)
        return err_set(e, -EINVAL, "QED image size must be a non-zero multiple of cluster size and "
                       "less than %" PRIu64 " bytes", max);
    return 0;
}

int qed_write_features(struct blk *b, struct err *e)
{
    struct qed *q = b->state;
    uint8_t h[8];

    put_le64(h, q->features);
    return blk_write(b->file, 16, sizeof(h), h, 0, e);
}

static int read_backing(struct blk *b, const uint8_t *h, struct err *e)
{
    struct qed *q = b->state;
    uint32_t at = get_le32(h + 56), len = get_le32(h + 60);

    if (!(q->features & QED_BACKING))
        return 0;
    if (len > QED_MAX_NAME || at > q->header || len > q->header - at)
        return err_set(e, -EINVAL, "the backing file's name, %" PRIu32 " bytes at %" PRIu32
                       ", is not in the header", len, at);
    if (!(b->backing_file = calloc(1, len + 1)))
        return err_set(e, -ENOMEM, "out of memory");
    if (q->features & QED_NO_PROBE)
        b->backing_format = strdup("raw");
    return blk_read(b->file, at, len, b->backing_file, e);
}

static int read_header(struct blk *b, uint8_t *h, struct err *e)
{
    struct qed *q = b->state;
    uint64_t file = blk_size(b->file);
    int r;

    if (file < QED_HEADER)
        return err_set(e, -EINVAL, "Image not in QED format: %" PRIu64 " bytes have no header", file);
    if ((r = blk_read(b->file, 0, QED_HEADER, h, e)) < 0)
        return r;
    if (memcmp(h, "QED", 4))
        return err_set(e, -EINVAL, "Image not in QED format");
    q->features = get_le64(h + 16);
    if (q->features & ~(uint64_t)QED_FEATURES)
        return err_set(e, -ENOTSUP, "Unsupported QED features: %" PRIx64,
                       q->features & ~(uint64_t)QED_FEATURES);
    if ((r = qed_check_sizes(get_le32(h + 4), get_le32(h + 8), e)) < 0)
        return r;
    q->cluster = get_le32(h + 4);
    q->table = q->cluster * get_le32(h + 8);
    q->entries = q->table / 8;
    if (!get_le32(h + 12) || get_le32(h + 12) > file / q->cluster)
        return err_set(e, -EINVAL, "QED header of %" PRIu32 " clusters", get_le32(h + 12));
    q->header = q->cluster * get_le32(h + 12);
    q->l1 = get_le64(h + 40);
    if (!qed_place_ok(b, q->l1, q->table))
        return err_set(e, -EINVAL, "QED table offset is invalid: %" PRIu64, q->l1);
    if ((r = qed_check_disk(get_le64(h + 48), q->entries, q->cluster, e)) < 0)
        return r;
    b->size = get_le64(h + 48);
    b->cluster = q->cluster;
    return read_backing(b, h, e);
}

static void say_nothing(void *opaque, const char *text)
{
}

/* Marks of others: features that we do not keep up go, damage is repaired. */
static int settle(struct blk *b, const uint8_t *h, struct err *e)
{
    struct qed *q = b->state;
    static const uint8_t none[8];
    int r;

    if (!(b->flags & BLK_RDWR))
        return 0;
    if (get_le64(h + 32) && (r = blk_write(b->file, 32, sizeof(none), none, 0, e)) < 0)
        return r;
    if (!(q->features & QED_NEED_CHECK) || (b->flags & BLK_CHECK))
        return 0;
    struct blk_check c = {.line = say_nothing};

    return qed_check(b, &c, BLK_FIX_LEAKS | BLK_FIX_ERRORS, e);
}

static int qed_close(struct blk *b, struct err *e)
{
    struct qed *q = b->state;

    tcache_free(q->slices);
    if (q->slices)
        room_done(&q->room);
    pthread_mutex_destroy(&q->lock);
    return 0;
}

static int qed_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct qed *q = b->state;
    uint8_t h[QED_HEADER];
    int r;

    pthread_mutex_init(&q->lock, NULL);
    if ((r = read_header(b, h, e)) >= 0) {
        q->slices = tcache_new(b->file, QED_SLICE, 4 << 20);
        room_init(&q->room, round_up(blk_size(b->file), q->cluster));
        r = settle(b, h, e);
    }
    if (r < 0)
        qed_close(b, ERR_IGNORE);
    return r;
}

/* Where things are ------------------------------------------------------------------------------------ */

static int map_locked(struct blk *b, uint64_t off, struct blk_extent *x, struct err *e)
{
    struct qed *q = b->state;
    uint64_t reach = q->entries * q->cluster, in = off % q->cluster, step, n = 1;
    uint64_t l2 = 0, entry = 0, next = 0;
    uint64_t i = off % reach / q->cluster, max;
    int r = find_table(b, off, &l2, e);

    if (r < 0)
        return r;
    if (!l2) {
        x->len = min_u64(x->len, reach - off % reach);
        x->where = BLK_HOLE;
        return 0;
    }
    if ((r = qed_entry(q, l2, i, &entry, e)) < 0)
        return r;
    max = min_u64(div_up(in + x->len, q->cluster), QED_SLICE / 8 - i % (QED_SLICE / 8));
    step = entry > QED_ZERO ? q->cluster : 0;
    while (n < max && qed_entry(q, l2, i + n, &next, ERR_IGNORE) >= 0 && next == entry + n * step)
        n++;
    x->len = min_u64(x->len, n * q->cluster - in);
    x->where = !entry ? BLK_HOLE : entry == QED_ZERO ? BLK_ZEROS : BLK_DATA;
    if (x->where != BLK_DATA)
        return 0;
    if (!qed_place_ok(b, entry, 1))
        return err_set(e, -EIO, "cluster %" PRIu64 " is said to be at %" PRIu64 ", which cannot be",
                       off / q->cluster, entry);
    x->host = entry + in;
    x->in_place = true;
    return 0;
}

static int qed_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct qed *q = b->state;
    int r;

    x->off = off;
    x->len = len;
    pthread_mutex_lock(&q->lock);
    r = map_locked(b, off, x, e);
    pthread_mutex_unlock(&q->lock);
    return r;
}

static int qed_alloc(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct qed *q = b->state;
    uint64_t start = round_down(off, q->cluster), n, left;
    int r = qed_map(b, off, len, x, e);

    if (r < 0 || x->where == BLK_DATA)
        return r;
    n = min_u64(div_up(off + x->len - start, q->cluster), QED_RUN);
    left = q->entries - start / q->cluster % q->entries;
    n = min_u64(n, left);
    *x = (struct blk_extent){.where = BLK_DATA, .off = start, .len = n * q->cluster, .fresh = true};
    return room_take(&q->room, b->file, x->len, &x->host, &x->reads_zero, e);
}

/* The table for @off, made when there is none: zeros before the first level names it. */
static int need_table(struct blk *b, uint64_t off, uint64_t *l2, struct err *e)
{
    struct qed *q = b->state;
    uint64_t one = 1;
    bool zero;
    int r = find_table(b, off, l2, e);

    if (r < 0 || *l2)
        return r;
    if ((r = room_take(&q->room, b->file, q->table, l2, &zero, e)) < 0 ||
        (!zero && (r = blk_zero(b->file, *l2, q->table, 0, e)) < 0))
        return r;
    tcache_drop(q->slices); /* it may have seen this place with something else in it */
    return qed_put(q, q->l1, off / (q->entries * q->cluster), &one, *l2, 0, e);
}

static int set_entries(struct blk *b, uint64_t off, uint64_t n, uint64_t first, uint64_t step,
                       struct err *e)
{
    struct qed *q = b->state;
    uint64_t l2, k;
    int r = 0;

    for (; n; n -= k, off += k * q->cluster, first += k * step) {
        uint64_t i = off / q->cluster % q->entries;

        k = min_u64(n, q->entries - i);
        if ((r = need_table(b, off, &l2, e)) < 0 ||
            (r = qed_put(q, l2, i, &k, first, step, e)) < 0)
            return r;
    }
    return r;
}

static int qed_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    struct qed *q = b->state;
    int r;

    pthread_mutex_lock(&q->lock);
    r = set_entries(b, x->off, x->len / q->cluster, x->host, q->cluster, e);
    pthread_mutex_unlock(&q->lock);
    return r;
}

static void qed_abort(struct blk *b, const struct blk_extent *x)
{
    struct qed *q = b->state;

    room_give_back(&q->room, x->host, x->len);
}

/* Clusters that have their place keep it: nothing would find it again. */
static int qed_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    struct qed *q = b->state;
    uint64_t end = off + len;
    int r = 0;

    pthread_mutex_lock(&q->lock);
    while (off < end && r >= 0) {
        struct blk_extent x = {.off = off, .len = end - off};

        if ((r = map_locked(b, off, &x, e)) < 0)
            break;
        if (x.where == BLK_DATA)
            r = blk_zero(b->file, x.host, x.len, req, e);
        else if (x.where == BLK_HOLE)
            r = set_entries(b, off, div_up(x.len, q->cluster), QED_ZERO, 0, e);
        off += x.len;
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}

/* Changing ---------------------------------------------------------------------------------------------- */

static int qed_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                        struct err *e)
{
    struct qed *q = b->state;
    uint8_t h[8];
    int r;

    if (prealloc != BLK_PREALLOC_OFF)
        return err_set(e, -ENOTSUP, "Unsupported preallocation mode '%s'",
                       blk_prealloc_names[prealloc]);
    if ((r = qed_check_disk(size, q->entries, q->cluster, e)) < 0)
        return err_set(e, r, "The new size is not a multiple of 512 or over the limit, %" PRIu64
                       " bytes", qed_max(q->entries, q->cluster));
    if (size < b->size)
        return err_set(e, -ENOTSUP, "Shrinking images is currently not supported");
    put_le64(h, size);
    if ((r = blk_write(b->file, 48, sizeof(h), h, 0, e)) >= 0)
        __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    return r;
}

static int qed_change_backing(struct blk *b, const char *file, const char *format, struct err *e)
{
    struct qed *q = b->state;
    uint8_t h[4096] = {0};
    size_t len = file ? strlen(file) : 0;
    int r;

    if (len > QED_MAX_NAME)
        return err_set(e, -EINVAL, "the backing file's name is too long: %zu bytes, limit is %d", len,
                       QED_MAX_NAME);
    if ((r = blk_read(b->file, 0, sizeof(h), h, e)) < 0)
        return r;
    qed_put_backing(h, &q->features, file, format);
    if ((r = blk_write(b->file, 0, sizeof(h), h, 0, e)) < 0)
        return r;
    free(b->backing_file);
    free(b->backing_format);
    b->backing_file = len ? strdup(file) : NULL;
    b->backing_format = len && format ? strdup(format) : NULL;
    return 0;
}

static int qed_info(struct blk *b, struct blk_info *i, struct err *e)
{
    const struct qed *q = b->state;

    i->dirty = q->features & QED_NEED_CHECK;
    return 0;
}

static const struct blk_map_ops qed_map_ops = {
    .map = qed_map,
    .alloc = qed_alloc,
    .commit = qed_commit,
    .abort = qed_abort,
    .zero = qed_zero,
};

const struct blk_driver fmt_qed = {
    .name = "qed",
    .help = "QEMU Enhanced Disk images",
    .kind = BLK_FORMAT,
    .backing = true,
    .state_size = sizeof(struct qed),
    .probe = qed_probe,
    .open = qed_open,
    .close = qed_close,
    .truncate = qed_truncate,
    .info = qed_info,
    .check = qed_check,
    .change_backing = qed_change_backing,
    .map = &qed_map_ops,
    .create = &qed_create_ops,
};
