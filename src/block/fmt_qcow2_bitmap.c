/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: persistent bitmaps: making them, and remembering in them what was written. */
#include "block/fmt_qcow2_bitmap_priv.h"

static struct qcow2_bitmap *find(struct qcow2 *s, const char *name)
{
    for (unsigned i = 0; i < s->n_bitmaps; i++)
        if (!strcmp(s->bitmaps[i].info.name, name))
            return &s->bitmaps[i];
    return NULL;
}

static struct qcow2_bitmap *find_any(struct blk *b, const char *name, struct err *e)
{
    struct qcow2_bitmap *m = find(b->state, name);

    if (!m)
        err_set(e, -ENOENT, "Dirty bitmap '%s' not found", name);
    return m;
}

/* One that can be used, and is loaded. */
static struct qcow2_bitmap *find_good(struct blk *b, const char *name, struct err *e)
{
    struct qcow2_bitmap *m = find_any(b, name, e);

    if (!m)
        return NULL;
    if (m->info.inconsistent) {
        err_set(e, -EINVAL,
                "Bitmap '%s' is inconsistent and cannot be used\n"
                "Try block-dirty-bitmap-remove to delete this bitmap from disk",
                name);
        return NULL;
    }
    return qcow2_bitmap_load(b, m, e) < 0 ? NULL : m;
}

static void note_recording(struct qcow2 *s)
{
    bool any = false;

    for (unsigned i = 0; i < s->n_bitmaps; i++)
        any |= s->bitmaps[i].info.enabled && !s->bitmaps[i].info.inconsistent;
    __atomic_store_n(&s->recording, any, __ATOMIC_RELAXED);
}

static void note_change(struct qcow2 *s)
{
    s->bitmaps_changed = true;
    note_recording(s);
}

static int bitmap_list(struct blk *b, struct blk_bitmap **list, struct err *e)
{
    struct qcow2 *s = b->state;

    if (!(*list = calloc(s->n_bitmaps + 1, sizeof(**list))))
        fatal("out of memory");
    for (unsigned i = 0; i < s->n_bitmaps; i++)
        (*list)[i] = s->bitmaps[i].info;
    return (int)s->n_bitmaps;
}

static uint64_t default_granularity(const struct qcow2 *s)
{
    return max_u64(4 * KiB, min_u64(64 * KiB, s->cluster_size));
}

static int check_new(struct blk *b, const char *name, uint64_t granularity, struct err *e)
{
    struct qcow2 *s = b->state;
    size_t len = strlen(name);

    if (!len)
        return err_set(e, -EINVAL, "Bitmap name cannot be empty");
    if (len >= sizeof(s->bitmaps->info.name))
        return err_set(e, -EINVAL, "Bitmap name is too long: %zu bytes, at most %zu", len,
                       sizeof(s->bitmaps->info.name) - 1);
    if (!is_pow2(granularity) || granularity < UINT64_C(1) << QCOW2_MIN_GRANULE_BITS ||
        granularity > UINT64_C(1) << QCOW2_MAX_GRANULE_BITS)
        return err_set(e, -EINVAL, "Granularity must be power of 2 and at least 512");
    if (find(s, name))
        return err_set(e, -EEXIST, "Bitmap already exists: %s", name);
    if (s->h.version < 3)
        return err_set(e, -ENOTSUP, "Can't make bitmap '%s' persistent in '%s': Cannot store dirty "
                                    "bitmaps in qcow2 v2 files", name, blk_filename(b));
    if (s->n_bitmaps == QCOW2_MAX_BITMAPS)
        return err_set(e, -EFBIG, "Maximum number of persistent bitmaps is already reached");
    return 0;
}

static bool too_large(const struct qcow2 *s, uint64_t n)
{
    return n * 8 > QCOW2_MAX_BITMAP_TABLE || n << s->cluster_bits > QCOW2_MAX_BITMAP_BITS;
}

static int bitmap_add(struct blk *b, const char *name, uint64_t granularity, bool enabled,
                      struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if (!granularity)
        granularity = default_granularity(s);
    if ((r = check_new(b, name, granularity, e)) < 0)
        return r;
    struct qcow2_bitmap m = {.row = UINT64_MAX, .changed = true};

    m.granule_bits = (unsigned)__builtin_ctzll(granularity);
    m.info.granularity = granularity;
    m.info.enabled = enabled;
    strcpy(m.info.name, name);
    m.n = qcow2_bitmap_chunks_of(s, &m, s->h.size);
    if (too_large(s, m.n))
        return err_set(e, -EFBIG, "Bitmap '%s' would be too large: its granularity of %" PRIu64
                                  " bytes is too small for the disk", name, granularity);
    if ((r = qcow2_bitmap_load(b, &m, e)) < 0)
        return r;
    if (!(s->bitmaps = realloc(s->bitmaps, (s->n_bitmaps + 1) * sizeof(m))))
        fatal("out of memory");
    s->bitmaps[s->n_bitmaps++] = m;
    note_change(s);
    return 0;
}

static int bitmap_remove(struct blk *b, const char *name, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_bitmap *m = find_any(b, name, e);

    if (!m)
        return e->code;
    if (!(s->removed = realloc(s->removed, (s->n_removed + 1) * sizeof(*m))))
        fatal("out of memory");
    s->removed[s->n_removed] = *m;
    memmove(m, m + 1, (size_t)(s->bitmaps + s->n_bitmaps - (m + 1)) * sizeof(*m));
    s->n_bitmaps--;
    if (s->removed[s->n_removed].row == UINT64_MAX)
        qcow2_bitmap_free(&s->removed[s->n_removed]);
    else
        s->n_removed++;
    note_change(s);
    return 0;
}

static int bitmap_clear(struct blk *b, const char *name, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_bitmap *m = find_good(b, name, e);

    if (!m)
        return e->code;
    for (uint64_t i = 0; i < m->n; i++) {
        free(m->chunks[i]);
        m->chunks[i] = NULL;
        m->entries[i] = 0;
    }
    m->changed = true;
    note_change(s);
    return 0;
}

static int bitmap_enable(struct blk *b, const char *name, bool enabled, struct err *e)
{
    struct qcow2_bitmap *m = find_good(b, name, e);

    if (!m)
        return e->code;
    m->info.enabled = enabled;
    note_change(b->state);
    return 0;
}

/* Bits ---------------------------------------------------------------------------------------------------- */

/* Bits [first, end) of a chunk; true when one of them was not set before. */
static bool set_bits(uint8_t *bits, uint64_t first, uint64_t end)
{
    bool new = false;

    for (uint64_t i = first; i < end;) {
        if (!(i % 8) && end - i >= 8) {
            new |= bits[i / 8] != 0xff;
            bits[i / 8] = 0xff;
            i += 8;
        } else {
            uint8_t bit = (uint8_t)(1u << i % 8);

            new |= !(bits[i / 8] & bit);
            bits[i / 8] |= bit;
            i++;
        }
    }
    return new;
}

static int mark_range(struct blk *b, struct qcow2_bitmap *m, uint64_t off, uint64_t len, bool guest,
                      struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t per = s->cluster_size * 8, at, end;
    int r;

    if (!len)
        return 0;
    at = off >> m->granule_bits;
    end = min_u64(((off + len - 1) >> m->granule_bits) + 1, m->n * per);
    while (at < end) {
        uint64_t i = at / per, stop = min_u64(end, (i + 1) * per);

        if (!m->chunks[i] && m->entries[i] == 1) { /* all ones */
            at = stop;
            continue;
        }
        uint8_t *bits = qcow2_bitmap_chunk(b, m, i, e);

        if (!bits || (guest && (r = qcow2_bitmap_mark_used(b, m, e)) < 0))
            return e->code;
        if (set_bits(bits, at - i * per, stop - i * per) && !m->changed) {
            m->changed = true;
            s->bitmaps_changed = true;
        }
        at = stop;
    }
    return 0;
}

static int bitmap_mark(struct blk *b, const char *name, uint64_t off, uint64_t len, struct err *e)
{
    struct qcow2_bitmap *m = find_good(b, name, e);

    return m ? mark_range(b, m, off, len, false, e) : e->code;
}

int qcow2_bitmaps_record_slowly(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    struct qcow2 *s = b->state;
    int r = 0;

    if (off >= s->h.size) /* the machine's state */
        return 0;
    pthread_mutex_lock(&s->bitmaps_lock);
    for (unsigned i = 0; r >= 0 && i < s->n_bitmaps; i++) {
        struct qcow2_bitmap *m = &s->bitmaps[i];

        if (m->info.enabled && !m->info.inconsistent && (r = qcow2_bitmap_load(b, m, e)) >= 0)
            r = mark_range(b, m, off, len, true, e);
    }
    pthread_mutex_unlock(&s->bitmaps_lock);
    return r;
}

/* The first bit from @at on that is @set, or @end. */
static int find_bit(struct blk *b, struct qcow2_bitmap *m, uint64_t *at, uint64_t end, bool set,
                    struct err *e)
{
    uint64_t per = qcow2_of(b)->cluster_size * 8;

    while (*at < end) {
        uint64_t i = *at / per, stop = min_u64(end, (i + 1) * per);

        if (!m->chunks[i] && m->entries[i] <= 1) { /* all zeros, all ones */
            if (m->entries[i] == set)
                return 0;
            *at = stop;
            continue;
        }
        const uint8_t *bits = qcow2_bitmap_chunk(b, m, i, e);

        if (!bits)
            return e->code;
        for (; *at < stop; ++*at) {
            uint64_t k = *at - i * per;

            if (!(k % 8) && stop - *at >= 8 && bits[k / 8] == (set ? 0 : 0xff)) {
                *at += 7;
                continue;
            }
            if ((bits[k / 8] >> k % 8 & 1) == set)
                return 0;
        }
    }
    return 0;
}

static int bitmap_next(struct blk *b, const char *name, uint64_t off, uint64_t *start,
                       uint64_t *len, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t at, stop, end, size = s->h.size;
    struct qcow2_bitmap *m;
    int r = 0;

    pthread_mutex_lock(&s->bitmaps_lock);
    if (!(m = find_good(b, name, e))) {
        r = e->code;
        goto out;
    }
    end = (size >> m->granule_bits) + !!(size & (m->info.granularity - 1));
    at = off >> m->granule_bits;
    if ((r = find_bit(b, m, &at, end, true, e)) < 0 || at >= end)
        goto out;
    stop = at;
    if ((r = find_bit(b, m, &stop, end, false, e)) < 0)
        goto out;
    *start = at << m->granule_bits;
    *len = min_u64(stop << m->granule_bits, size) - *start;
    r = 1;
out:
    pthread_mutex_unlock(&s->bitmaps_lock);
    return r;
}

/* The disk's size changes: bits of what goes are forgotten, what comes is clean. */
int qcow2_bitmaps_check_resize(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;

    for (unsigned i = 0; i < s->n_bitmaps; i++)
        if (!find_good(b, s->bitmaps[i].info.name, e))
            return e->code;
    return 0;
}

static void clear_from(struct blk *b, struct qcow2_bitmap *m, uint64_t bit)
{
    uint64_t per = qcow2_of(b)->cluster_size * 8, i = bit / per;

    if (i >= m->n || (!m->chunks[i] && !m->entries[i]))
        return;
    uint8_t *bits = qcow2_bitmap_chunk(b, m, i, ERR_IGNORE);

    for (uint64_t k = bit - i * per; bits && k < per; k++)
        bits[k / 8] &= (uint8_t)~(1u << k % 8);
}

int qcow2_bitmaps_resize(struct blk *b, uint64_t size, struct err *e)
{
    struct qcow2 *s = b->state;

    for (unsigned i = 0; i < s->n_bitmaps; i++) {
        struct qcow2_bitmap *m = &s->bitmaps[i];
        uint64_t n = qcow2_bitmap_chunks_of(s, m, size), old = m->n;

        if (too_large(s, n))
            return err_set(e, -EFBIG, "Bitmap '%s' would become too large", m->info.name);
        for (uint64_t k = n; k < old; k++)
            free(m->chunks[k]);
        m->entries = realloc(m->entries, max_u64(n, 1) * 8);
        m->chunks = realloc(m->chunks, max_u64(n, 1) * sizeof(*m->chunks));
        if (!m->entries || !m->chunks)
            fatal("out of memory");
        for (uint64_t k = old; k < n; k++) {
            m->entries[k] = 0;
            m->chunks[k] = NULL;
        }
        m->n = n;
        clear_from(b, m, (size >> m->granule_bits) + !!(size & (m->info.granularity - 1)));
        m->changed = true;
        s->bitmaps_changed = true;
    }
    return 0;
}

void qcow2_bitmaps_free(struct qcow2 *s)
{
    for (unsigned i = 0; i < s->n_bitmaps; i++)
        qcow2_bitmap_free(&s->bitmaps[i]);
    for (unsigned i = 0; i < s->n_removed; i++)
        qcow2_bitmap_free(&s->removed[i]);
    free(s->bitmaps);
    free(s->removed);
}

const struct blk_bitmap_ops qcow2_bitmap_ops = {
    .list = bitmap_list,
    .add = bitmap_add,
    .remove = bitmap_remove,
    .clear = bitmap_clear,
    .enable = bitmap_enable,
    .next = bitmap_next,
    .mark = bitmap_mark,
};
