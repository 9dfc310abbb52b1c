/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: persistent bitmaps on the disk: directory, tables, bits (specification: "Bitmaps"). */
#include "block/fmt_qcow2_bitmap_priv.h"

#define ENTRY_OFFSET UINT64_C(0x00fffffffffffe00)
#define ENTRY_ONES   UINT64_C(1)

/* Loading ---------------------------------------------------------------------------------------------- */

uint64_t qcow2_bitmap_chunks_of(const struct qcow2 *s, const struct qcow2_bitmap *m, uint64_t size)
{
    uint64_t granules = (size >> m->granule_bits) + !!(size & (m->info.granularity - 1));

    return div_up(div_up(granules, 8), s->cluster_size);
}

static int parse_row(struct blk *b, struct qcow2_bitmap *m, const uint8_t *p, uint64_t len,
                     uint64_t *used, struct err *e)
{
    const struct qcow2 *s = b->state;
    uint32_t name_len, extra_len;

    if (len < QCOW2_BITMAP_ROW)
        return err_set(e, -EINVAL, "the directory of bitmaps is cut off");
    m->table = get_be64(p);
    m->n_stored = get_be32(p + 8);
    m->flags = get_be32(p + 12);
    m->granule_bits = p[17];
    name_len = get_be16(p + 18);
    extra_len = get_be32(p + 20);
    if (len - QCOW2_BITMAP_ROW < (uint64_t)extra_len + name_len)
        return err_set(e, -EINVAL, "the directory of bitmaps is cut off");
    *used = round_up(QCOW2_BITMAP_ROW + (uint64_t)extra_len + name_len, 8);
    if (!name_len || name_len >= sizeof(m->info.name))
        return err_set(e, -EINVAL, "a bitmap's name of %" PRIu32 " bytes: want 1..%zu", name_len,
                       sizeof(m->info.name) - 1);
    memcpy(m->info.name, p + QCOW2_BITMAP_ROW + extra_len, name_len);
    if (p[16] != 1 || m->granule_bits < QCOW2_MIN_GRANULE_BITS ||
        m->granule_bits > QCOW2_MAX_GRANULE_BITS || (m->table & s->cluster_mask) ||
        m->n_stored * 8 > QCOW2_MAX_BITMAP_TABLE ||
        m->n_stored << s->cluster_bits > QCOW2_MAX_BITMAP_BITS)
        return err_set(e, -EINVAL, "bitmap '%s' is of a kind that nobody knows", m->info.name);
    m->info.granularity = UINT64_C(1) << m->granule_bits;
    m->info.enabled = m->flags & QCOW2_BITMAP_AUTO;
    m->marked = m->flags & QCOW2_BITMAP_IN_USE;
    m->n = qcow2_bitmap_chunks_of(s, m, s->h.size);
    if (extra_len) {
        if (!(m->extra = malloc(extra_len)))
            fatal("out of memory");
        memcpy(m->extra, p + QCOW2_BITMAP_ROW, extra_len);
        m->extra_len = extra_len;
    }
    m->info.inconsistent = m->marked || m->n != m->n_stored || (m->n << s->cluster_bits > QCOW2_MAX_BITMAP_BITS) || extra_len ||
                           (m->flags & ~(uint32_t)7);
    return 0;
}

int qcow2_bitmaps_open(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t len = s->bitmap_directory_size, at = 0, used = 0;
    uint8_t *dir;
    int r;

    if (!s->n_bitmaps)
        return 0;
    unsigned n = s->n_bitmaps;

    s->n_bitmaps = 0;
    if (!len || n > len / QCOW2_BITMAP_ROW || s->bitmap_directory >= blk_size_now(b->file))
        return err_set(e, -EINVAL, "the directory of bitmaps, %" PRIu64 " bytes at %#" PRIx64
                                   ", cannot be", len, s->bitmap_directory);
    if (!(dir = blk_alloc_foreign(len, QCOW2_MAX_DIRECTORY, "directory of bitmaps", e)))
        return e->code;
    if (!(s->bitmaps = calloc(n, sizeof(*s->bitmaps))))
        fatal("out of memory");
    r = qcow2_pread(b, s->bitmap_directory, dir, len, e);
    for (; r >= 0 && s->n_bitmaps < n; at += used) {
        struct qcow2_bitmap *m = &s->bitmaps[s->n_bitmaps++];

        m->row = at;
        r = parse_row(b, m, dir + min_u64(at, len), len - min_u64(at, len), &used, e);
        s->recording |= r >= 0 && m->info.enabled && !m->info.inconsistent;
    }
    free(dir);
    return r < 0 ? err_wrap(e, r, "Could not load bitmaps") : 0;
}

static uint64_t *read_entries(struct blk *b, const struct qcow2_bitmap *m, uint64_t n, struct err *e)
{
    uint64_t *t = blk_alloc_foreign(max_u64(n * 8, 8), QCOW2_MAX_BITMAP_TABLE, "table of a bitmap", e);

    if (t && m->n_stored && m->table &&
        qcow2_pread(b, m->table, t, min_u64(n, m->n_stored) * 8, e) < 0) {
        free(t);
        return NULL;
    }
    for (uint64_t i = 0; t && i < n; i++)
        t[i] = be64toh(t[i]);
    return t;
}

int qcow2_bitmap_load(struct blk *b, struct qcow2_bitmap *m, struct err *e)
{
    if (m->entries)
        return 0;
    if (!(m->entries = read_entries(b, m, m->n, e)))
        return e->code;
    if (!(m->chunks = calloc(max_u64(m->n, 1), sizeof(*m->chunks))))
        fatal("out of memory");
    return 0;
}

uint8_t *qcow2_bitmap_chunk(struct blk *b, struct qcow2_bitmap *m, uint64_t i, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t entry = m->entries[i], host = entry & ENTRY_OFFSET;

    if (m->chunks[i])
        return m->chunks[i];
    uint8_t *bits = calloc(1, s->cluster_size);

    if (!bits)
        fatal("out of memory");
    if ((host & s->cluster_mask) ||
        (host && qcow2_pread(b, host, bits, s->cluster_size, e) < 0)) {
        free(bits);
        err_set(e, -EIO, "bits of bitmap '%s' cannot be read", m->info.name);
        return NULL;
    }
    if (!host && (entry & ENTRY_ONES))
        memset(bits, 0xff, s->cluster_size);
    return m->chunks[i] = bits;
}

void qcow2_bitmap_free(struct qcow2_bitmap *m)
{
    for (uint64_t i = 0; m->chunks && i < m->n; i++)
        free(m->chunks[i]);
    free(m->chunks);
    free(m->entries);
    free(m->extra);
    memset(m, 0, sizeof(*m));
}

/* What bitmaps take in the file ------------------------------------------------------------------------- */

static int each_of_table(struct blk *b, const struct qcow2_bitmap *m,
                         int (*fn)(void *, uint64_t, uint64_t, struct err *), void *opaque,
                         struct err *e)
{
    const struct qcow2 *s = b->state;
    uint64_t *t;
    int r;

    if (!m->table)
        return 0;
    if ((r = fn(opaque, m->table, m->n_stored * 8, e)) < 0)
        return r;
    if (m->table >= blk_size_now(b->file))
        return 0;
    if (!(t = read_entries(b, m, m->n_stored, e)))
        return e->code;
    for (uint64_t i = 0; r >= 0 && i < m->n_stored; i++)
        if (t[i] & ENTRY_OFFSET)
            r = fn(opaque, t[i] & ENTRY_OFFSET, s->cluster_size, e);
    free(t);
    return r;
}

int qcow2_bitmaps_each_range(struct blk *b, int (*fn)(void *, uint64_t, uint64_t, struct err *),
                             void *opaque, struct err *e)
{
    struct qcow2 *s = b->state;
    int r = 0;

    if (s->bitmap_directory)
        r = fn(opaque, s->bitmap_directory, s->bitmap_directory_size, e);
    for (unsigned i = 0; r >= 0 && i < s->n_bitmaps; i++)
        if (s->bitmaps[i].row != UINT64_MAX)
            r = each_of_table(b, &s->bitmaps[i], fn, opaque, e);
    return r;
}

/* Storing ------------------------------------------------------------------------------------------------- */

int qcow2_bitmap_mark_used(struct blk *b, struct qcow2_bitmap *m, struct err *e)
{
    struct qcow2 *s = b->state;
    uint8_t flags[4];
    int r;

    if (m->marked || m->row == UINT64_MAX) /* not on the disk: nothing there can be wrong */
        return 0;
    put_be32(flags, m->flags | QCOW2_BITMAP_IN_USE);
    if ((r = qcow2_pwrite(b, s->bitmap_directory + m->row + 12, flags, 4, e)) < 0 ||
        (r = qcow2_sync(b, e)) < 0)
        return r;
    m->marked = true;
    return 0;
}

/* New places for what has changed: nothing on the disk refers to them yet. */
static int store_chunk(struct blk *b, struct qcow2_bitmap *m, uint64_t i, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t host;
    int r;

    if (!m->chunks[i] && !(m->entries[i] & ENTRY_OFFSET))
        return 0; /* all zeros or all ones */
    if (!qcow2_bitmap_chunk(b, m, i, e))
        return e->code;
    m->entries[i] = 0;
    if (bytes_zero(m->chunks[i], s->cluster_size))
        return 0;
    if ((r = qcow2_alloc_bytes(b, s->cluster_size, &host, e)) < 0 ||
        (r = qcow2_pwrite(b, host, m->chunks[i], s->cluster_size, e)) < 0)
        return r;
    m->entries[i] = host;
    return 0;
}

static int store_contents(struct blk *b, struct qcow2_bitmap *m, struct err *e)
{
    uint64_t host;
    int r = qcow2_bitmap_load(b, m, e);

    for (uint64_t i = 0; r >= 0 && i < m->n; i++) /* all of it moves */
        r = store_chunk(b, m, i, e);
    if (r < 0 || (r = qcow2_alloc_bytes(b, max_u64(m->n * 8, 8), &host, e)) < 0)
        return r;
    uint64_t *be = malloc(max_u64(m->n * 8, 8));

    if (!be)
        fatal("out of memory");
    for (uint64_t i = 0; i < m->n; i++)
        be[i] = htobe64(m->entries[i]);
    r = m->n ? qcow2_pwrite(b, host, be, m->n * 8, e) : 0;
    free(be);
    m->table = host;
    m->n_stored = m->n;
    return r;
}

static uint64_t row_bytes(const struct qcow2_bitmap *m)
{
    return round_up(QCOW2_BITMAP_ROW + m->extra_len + strlen(m->info.name), 8);
}

static void put_row(struct qcow2_bitmap *m, uint8_t *p)
{
    size_t name = strlen(m->info.name);

    m->flags &= ~(uint32_t)(QCOW2_BITMAP_AUTO | QCOW2_BITMAP_IN_USE);
    m->flags |= (m->info.enabled ? QCOW2_BITMAP_AUTO : 0) |
                (m->info.inconsistent && m->marked ? QCOW2_BITMAP_IN_USE : 0);
    put_be64(p, m->table);
    put_be32(p + 8, (uint32_t)m->n_stored);
    put_be32(p + 12, m->flags);
    p[16] = 1;
    p[17] = (uint8_t)m->granule_bits;
    put_be16(p + 18, (uint16_t)name);
    put_be32(p + 20, m->extra_len);
    if (m->extra_len)
        memcpy(p + QCOW2_BITMAP_ROW, m->extra, m->extra_len);
    memcpy(p + QCOW2_BITMAP_ROW + m->extra_len, m->info.name, name);
}

static int store_directory(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t len = 0, at = 0, host;
    uint8_t *dir;
    int r;

    for (unsigned i = 0; i < s->n_bitmaps; i++)
        len += row_bytes(&s->bitmaps[i]);
    s->bitmap_directory = s->bitmap_directory_size = 0;
    if (!len)
        return 0;
    if ((r = qcow2_alloc_bytes(b, len, &host, e)) < 0)
        return r;
    if (!(dir = calloc(1, len)))
        fatal("out of memory");
    for (unsigned i = 0; i < s->n_bitmaps; i++) {
        struct qcow2_bitmap *m = &s->bitmaps[i];

        put_row(m, dir + at);
        m->row = at;
        m->marked = m->flags & QCOW2_BITMAP_IN_USE;
        at += row_bytes(m);
    }
    r = qcow2_pwrite(b, host, dir, len, e);
    free(dir);
    s->bitmap_directory = host;
    s->bitmap_directory_size = len;
    return r;
}

/* struct ranges - what the bitmaps on the disk take now, to be given up later. */
struct ranges {
    struct qcow2_unref *list;
    size_t n, max;
};

static int keep_range(void *opaque, uint64_t host, uint64_t len, struct err *e)
{
    struct ranges *k = opaque;

    if (k->n == k->max) {
        k->max = k->max ? k->max * 2 : 64;
        if (!(k->list = realloc(k->list, k->max * sizeof(*k->list))))
            fatal("out of memory");
    }
    k->list[k->n++] = (struct qcow2_unref){host, len, false};
    return 0;
}

/* What is on the disk of bitmaps that stay as they are is not given up. */
static int old_ranges(struct blk *b, struct ranges *k, struct err *e)
{
    struct qcow2 *s = b->state;
    int r = 0;

    if (s->bitmap_directory)
        keep_range(k, s->bitmap_directory, s->bitmap_directory_size, e);
    for (unsigned i = 0; r >= 0 && i < s->n_bitmaps; i++)
        if (s->bitmaps[i].changed && s->bitmaps[i].row != UINT64_MAX)
            r = each_of_table(b, &s->bitmaps[i], keep_range, k, e);
    for (unsigned i = 0; r >= 0 && i < s->n_removed; i++)
        r = each_of_table(b, &s->removed[i], keep_range, k, e);
    return r;
}

static int store(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r = 0;

    for (unsigned i = 0; r >= 0 && i < s->n_bitmaps; i++)
        if (s->bitmaps[i].changed && (r = store_contents(b, &s->bitmaps[i], e)) >= 0)
            s->bitmaps[i].changed = false;
    if (r < 0 || (r = store_directory(b, e)) < 0 || (r = qcow2_settle(b, e)) < 0 ||
        (r = qcow2_sync(b, e)) < 0)
        return r;
    s->h.autoclear &= ~(uint64_t)QCOW2_BITMAPS;
    if (s->n_bitmaps)
        s->h.autoclear |= QCOW2_BITMAPS;
    return qcow2_store_header(b, e);
}

int qcow2_bitmaps_store(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    struct ranges k = {0};
    int r;

    if (!s->bitmaps_changed)
        return 0;
    if ((r = old_ranges(b, &k, e)) >= 0 && (r = store(b, e)) >= 0) {
        s->bitmaps_changed = false;
        for (unsigned i = 0; i < s->n_removed; i++)
            qcow2_bitmap_free(&s->removed[i]);
        s->n_removed = 0;
        for (size_t i = 0; i < k.n; i++)
            qcow2_unref_later(b, k.list[i].host, k.list[i].len, false);
        r = qcow2_write_back(b, e);
    }
    free(k.list);
    return r;
}
