/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: where guest clusters are, and making room for them (specification: "Cluster mapping"). */
#include "block/fmt_qcow2_priv.h"

enum { CHUNK = 64 };     /* entries looked at together */
enum { MAX_PAGES = 16 }; /* pages of tables that one map looks at: "cheaply" */

uint64_t qcow2_l1_entries(const struct qcow2 *s, uint64_t size)
{
    unsigned bits = s->cluster_bits + s->l2_bits;

    return (size >> bits) + ((size & ((UINT64_C(1) << bits) - 1)) != 0);
}

void qcow2_l1_set(struct qcow2 *s, uint64_t i, uint64_t v)
{
    __atomic_store_n(&s->l1[i], v, __ATOMIC_RELEASE);
    s->l1_dirty[i * 8 / s->page_size] = true;
    s->l1_any_dirty = true;
}

static bool has_host(const struct qcow2 *s, uint64_t e)
{
    if (e & QCOW2_COMPRESSED)
        return false;
    return (e & QCOW2_OFFSET) || (s->data_file && (e & QCOW2_COPIED));
}

enum qcow2_kind qcow2_kind_of(const struct qcow2 *s, const struct qcow2_entry *l2, unsigned sub)
{
    if (l2->e & QCOW2_COMPRESSED)
        return QCOW2_K_PACKED;
    bool host = has_host(s, l2->e), zero, data;

    if (s->extended) {
        data = l2->bitmap >> sub & 1;
        zero = l2->bitmap >> (sub + QCOW2_SUBCLUSTERS) & 1;
    } else {
        zero = s->h.version >= 3 && (l2->e & QCOW2_ZERO);
        data = host && !zero;
    }
    if (zero)
        return host ? QCOW2_K_ZERO_STORED : QCOW2_K_ZERO;
    return data ? QCOW2_K_DATA : host ? QCOW2_K_HOLE_STORED : QCOW2_K_HOLE;
}

void qcow2_packed_range(const struct qcow2 *s, uint64_t entry, uint64_t *host, uint64_t *len)
{
    unsigned x = 62 - (s->cluster_bits - 8);
    uint64_t sectors = (entry >> x & ((UINT64_C(1) << (62 - x)) - 1)) + 1;

    *host = entry & ((UINT64_C(1) << x) - 1);
    *len = sectors * 512 - (*host & 511);
}

/* Looking up ------------------------------------------------------------------------------------- */

static int l2_table(struct blk *b, uint64_t l1_index, uint64_t *host, struct err *e)
{
    const struct qcow2 *s = b->state;

    *host = l1_index < s->h.l1_size ? qcow2_l1_get(s, l1_index) & QCOW2_OFFSET : 0;
    if (*host & s->cluster_mask)
        return qcow2_corrupt(b, e, "L2 table offset %#" PRIx64 " unaligned (L1 index: %#" PRIx64
                                   ")", *host, l1_index);
    return 0;
}

/* Byte offset of the entry of guest cluster @index in its table. */
static uint64_t entry_offset(const struct qcow2 *s, uint64_t index)
{
    return (index & ((UINT64_C(1) << s->l2_bits) - 1)) * 8 * s->entry_words;
}

static void copy_entries(const struct qcow2 *s, const struct qcow2_page *p, uint64_t word,
                         unsigned n, struct qcow2_entry *out)
{
    for (unsigned i = 0; i < n; i++, word += s->entry_words) {
        out[i].e = qcow2_word(p, word);
        out[i].bitmap = s->extended ? qcow2_word(p, word + 1) : 0;
    }
}

/* The entries of guest clusters from @index on: at most @n, *@got of them, from one page of the L2 table
 * at @table.  Without a lock when the page is there. */
static int get_entries(struct blk *b, uint64_t table, uint64_t index, unsigned n,
                       struct qcow2_entry *out, unsigned *got, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t at = entry_offset(s, index), page = table + round_down(at, s->page_size);
    uint64_t in_page = at & (s->page_size - 1);
    struct qcow2_page *p = qcow2_cache_find(&s->l2, page, s->page_bits);
    int r = 0;

    *got = (unsigned)min_u64(n, (s->page_size - in_page) / (8 * s->entry_words));
    if (p) {
        uint32_t seq = qcow2_page_begin(p);

        if (__atomic_load_n(&p->host, __ATOMIC_RELAXED) == page) {
            copy_entries(s, p, in_page / 8, *got, out);
            if (qcow2_page_valid(p, seq)) {
                qcow2_page_touch(p);
                return 0;
            }
        }
    }
    pthread_mutex_lock(&s->lock);
    if ((r = qcow2_page(b, &s->l2, page, &p, e)) >= 0)
        copy_entries(s, p, in_page / 8, *got, out);
    pthread_mutex_unlock(&s->lock);
    return r;
}

/* struct run - neighbouring guest bytes that one extent can describe. */
struct run {
    enum qcow2_kind kind;
    uint64_t host, len;
    bool in_place;
    uint64_t entry; /* QCOW2_K_PACKED */
};

static bool run_add(struct run *r, const struct run *more)
{
    bool stored = more->kind == QCOW2_K_DATA || more->kind == QCOW2_K_ZERO_STORED ||
                  more->kind == QCOW2_K_HOLE_STORED;

    if (!r->len) {
        *r = *more;
        return true;
    }
    if (r->kind != more->kind || r->kind == QCOW2_K_PACKED ||
        (stored && (r->host + r->len != more->host || r->in_place != more->in_place)))
        return false;
    r->len += more->len;
    return true;
}

static int check_entry(struct blk *b, uint64_t table, uint64_t index, const struct qcow2_entry *l2,
                       struct err *e)
{
    const struct qcow2 *s = b->state;
    uint64_t at = index & ((UINT64_C(1) << s->l2_bits) - 1);

    if (l2->e & QCOW2_COMPRESSED)
        return !s->data_file ? 0
                             : qcow2_corrupt(b, e, "Compressed cluster entry found in image with "
                                                   "external data file (L2 offset: %#" PRIx64
                                                   ", L2 index: %#" PRIx64 ")", table, at);
    if (l2->e & QCOW2_OFFSET & s->cluster_mask)
        return qcow2_corrupt(b, e,
                             "Cluster allocation offset %#" PRIx64
                             " unaligned (L2 offset: %#" PRIx64 ", L2 index: %#" PRIx64 ")",
                             l2->e & QCOW2_OFFSET, table, at);
    if (s->extended && ((l2->bitmap & l2->bitmap >> 32 & UINT32_MAX) ||
                        ((l2->bitmap & UINT32_MAX) && !has_host(s, l2->e))))
        return qcow2_corrupt(b, e, "Invalid subcluster bitmap %#" PRIx64
                                   " (L2 offset: %#" PRIx64 ", L2 index: %#" PRIx64 ")",
                             l2->bitmap, table, at);
    return 0;
}

/* Add the bytes of an entry from @skip on to the run; false: the run ends before them. */
static bool add_entry(const struct qcow2 *s, struct run *r, const struct qcow2_entry *l2,
                      uint64_t skip)
{
    struct run more = {.kind = qcow2_kind_of(s, l2, 0),
                       .host = (l2->e & QCOW2_OFFSET) + skip,
                       .len = s->cluster_size - skip,
                       .in_place = l2->e & QCOW2_COPIED,
                       .entry = l2->e};

    if (!s->extended || more.kind == QCOW2_K_PACKED)
        return run_add(r, &more);
    uint64_t sub_size = UINT64_C(1) << s->sub_bits;

    for (unsigned i = (unsigned)(skip >> s->sub_bits); i < QCOW2_SUBCLUSTERS; i++) {
        uint64_t in_sub = i == skip >> s->sub_bits ? skip & (sub_size - 1) : 0;

        more.kind = qcow2_kind_of(s, l2, i);
        more.host = (l2->e & QCOW2_OFFSET) + i * sub_size + in_sub;
        more.len = sub_size - in_sub;
        if (!run_add(r, &more))
            return false;
    }
    return true;
}

static void run_to_extent(struct blk *b, const struct run *r, struct blk_extent *x)
{
    struct qcow2 *s = b->state;

    x->file = s->data_file;
    x->host = r->host;
    switch (r->kind) {
    case QCOW2_K_HOLE: x->where = BLK_HOLE; break;
    case QCOW2_K_HOLE_STORED:
        x->where = BLK_HOLE;
        x->zero_stored = true;
        break;
    case QCOW2_K_ZERO: x->where = BLK_ZEROS; break;
    case QCOW2_K_ZERO_STORED:
        x->where = BLK_ZEROS;
        x->zero_stored = true;
        break;
    case QCOW2_K_DATA:
        x->where = BLK_DATA;
        x->in_place = r->in_place;
        x->look_below = s->maybe_holes || s->data_file;
        break;
    case QCOW2_K_PACKED:
        x->where = BLK_CODED;
        x->cookie[0] = r->entry;
        break;
    }
}

/* Extend the run by what the table of @index says, up to @end (a guest offset). */
static int map_table(struct blk *b, uint64_t table, uint64_t off, uint64_t end, struct run *run,
                     bool *more, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t index = off >> s->cluster_bits, last = (end - 1) >> s->cluster_bits;
    struct qcow2_entry l2[CHUNK];
    unsigned got;
    int r = get_entries(b, table, index, (unsigned)min_u64(CHUNK, last - index + 1), l2, &got, e);

    if (r < 0)
        return r;
    for (unsigned i = 0; *more && i < got; i++) {
        if ((r = check_entry(b, table, index + i, &l2[i], e)) < 0)
            return run->len ? 0 : r;
        *more = add_entry(s, run, &l2[i], i ? 0 : off & s->cluster_mask);
    }
    return 0;
}

static int qcow2_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t at = off, end = off + len, table;
    uint64_t l2_span = UINT64_C(1) << (s->cluster_bits + s->l2_bits);
    struct run run = {0};
    bool more = true;
    int r;

    for (int pages = 0; more && at < end && pages < MAX_PAGES; pages++) {
        if ((r = l2_table(b, at >> (s->cluster_bits + s->l2_bits), &table, e)) < 0)
            return r;
        if (table) {
            r = map_table(b, table, at, end, &run, &more, e);
        } else {
            more = run_add(&run, &(struct run){.kind = QCOW2_K_HOLE,
                                               .len = round_down(at, l2_span) + l2_span - at});
            r = 0;
        }
        if (r < 0)
            return r;
        at = off + run.len;
    }
    run_to_extent(b, &run, x);
    x->off = off;
    x->len = min_u64(run.len, len);
    return 0;
}

/* Changing entries [lock] ------------------------------------------------------------------------ */

int qcow2_entry_get(struct blk *b, uint64_t index, struct qcow2_entry *l2, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t table, at = entry_offset(s, index);
    struct qcow2_page *p;
    int r;

    memset(l2, 0, sizeof(*l2));
    if ((r = l2_table(b, index >> s->l2_bits, &table, e)) < 0 || !table)
        return r;
    if ((r = qcow2_page(b, &s->l2, table + at, &p, e)) < 0)
        return r;
    copy_entries(s, p, (at & (s->page_size - 1)) / 8, 1, l2);
    return check_entry(b, table, index, l2, e);
}

int qcow2_entry_set(struct blk *b, uint64_t index, const struct qcow2_entry *l2, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t table, at = entry_offset(s, index), word = (at & (s->page_size - 1)) / 8;
    struct qcow2_page *p;
    int r;

    if ((r = l2_table(b, index >> s->l2_bits, &table, e)) < 0)
        return r;
    if (!table)
        bug("setting an entry without an L2 table");
    if ((r = qcow2_page(b, &s->l2, table + at, &p, e)) < 0)
        return r;
    qcow2_change_begin(&s->l2, p);
    qcow2_set_word(p, word, l2->e);
    if (s->extended)
        qcow2_set_word(p, word + 1, l2->bitmap);
    qcow2_change_end(p);
    return 0;
}

static int fill_new_table(struct blk *b, uint64_t old, uint64_t host, bool zeros, struct err *e)
{
    struct qcow2 *s = b->state;
    uint8_t *buf;
    int r = 0;

    if (!old && zeros)
        return 0;
    if (!(buf = calloc(1, s->cluster_size)))
        return err_set(e, -ENOMEM, "out of memory");
    for (uint64_t at = 0; old && r >= 0 && at < s->cluster_size; at += s->page_size) {
        struct qcow2_page *p;

        blk_event(b->file, "l2_alloc_cow_read");
        if ((r = qcow2_page(b, &s->l2, old + at, &p, e)) >= 0)
            memcpy(buf + at, p->data, s->page_size);
    }
    blk_event(b->file, "l2_alloc_write");
    if (r >= 0)
        r = qcow2_pwrite(b, host, buf, s->cluster_size, e);
    free(buf);
    return r;
}

int qcow2_own_l2(struct blk *b, uint64_t l1_index, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t old, host, got;
    bool zeros;
    int r;

    if (l1_index >= s->h.l1_size)
        bug("L1 index %" PRIu64 " of %" PRIu32, l1_index, s->h.l1_size);
    if ((r = l2_table(b, l1_index, &old, e)) < 0)
        return r;
    if (old && (qcow2_l1_get(s, l1_index) & QCOW2_COPIED))
        return qcow2_check_l2_overlap(b, old, e);
    if ((r = qcow2_alloc(b, 1, &host, &got, &zeros, e)) < 0)
        return r;
    qcow2_cache_drop(b, &s->l2, host, s->cluster_size);
    if ((r = fill_new_table(b, old, host, zeros, e)) < 0) {
        qcow2_free_now(b, host, s->cluster_size, false, ERR_IGNORE);
        return r;
    }
    qcow2_l1_set(s, l1_index, host | QCOW2_COPIED);
    if (old)
        blk_limbo_add(b, old, s->cluster_size);
    return 0;
}

/* Bit 0 of what goes through the limbo: the guest discarded it (offsets are multiples of 512). */
void qcow2_drop_entry(struct blk *b, const struct qcow2_entry *l2)
{
    const struct qcow2 *s = b->state;
    uint64_t host = l2->e & QCOW2_OFFSET, len = s->cluster_size, discard = s->discarding;

    if (l2->e & QCOW2_COMPRESSED) {
        qcow2_packed_range(s, l2->e, &host, &len);
        len = round_up(host + len, s->cluster_size) - round_down(host, s->cluster_size);
        host = round_down(host, s->cluster_size);
    } else if (!has_host(s, l2->e) || s->data_file) {
        return;
    }
    for (uint64_t at = 0; at < len; at += s->cluster_size)
        blk_limbo_add(b, (host + at) | discard, s->cluster_size);
}

static int qcow2_release(struct blk *b, uint64_t host, uint64_t len, struct err *e)
{
    struct qcow2 *s = b->state;

    pthread_mutex_lock(&s->lock);
    qcow2_unref_later(b, host & ~UINT64_C(1), len, host & 1);
    pthread_mutex_unlock(&s->lock);
    return 0;
}

/* Making room -------------------------------------------------------------------------------------- */

/* What commit needs to know of an extent: its cookies. */
enum { C_NEW, C_HOST, C_INDEX, C_CLUSTERS };

static bool owned(const struct qcow2 *s, const struct qcow2_entry *l2)
{
    return has_host(s, l2->e) && (l2->e & QCOW2_COPIED);
}

/* Space that the entry has already, but that is not read: zeros, or subclusters never written. */
static int alloc_stored(struct blk *b, uint64_t off, uint64_t end, const struct qcow2_entry *l2,
                        struct blk_extent *x)
{
    struct qcow2 *s = b->state;
    uint64_t start = round_down(off, s->cluster_size), sub = UINT64_C(1) << s->sub_bits;

    x->off = round_down(off, sub);
    x->len = sub;
    while (x->off + x->len < end && x->off + x->len < start + s->cluster_size &&
           qcow2_kind_of(s, l2, (unsigned)((x->off + x->len - start) >> s->sub_bits)) !=
               QCOW2_K_DATA)
        x->len += sub;
    x->host = (l2->e & QCOW2_OFFSET) + (x->off - start);
    x->cookie[C_NEW] = 0;
    x->cookie[C_HOST] = l2->e & QCOW2_OFFSET;
    x->cookie[C_INDEX] = off >> s->cluster_bits;
    x->cookie[C_CLUSTERS] = 1;
    return 0;
}

/* How many clusters from @index on, at most @max, need new space in the same way as the first. */
static int count_new(struct blk *b, uint64_t index, uint64_t max, const struct qcow2_entry *first,
                     uint64_t *n, struct err *e)
{
    const struct qcow2 *s = b->state;
    struct qcow2_entry l2;
    int r;

    *n = 1;
    if (s->extended && (has_host(s, first->e) || (first->e & QCOW2_COMPRESSED)))
        return 0; /* all subclusters are copied: one cluster at a time */
    for (; *n < max; ++*n) {
        if ((r = qcow2_entry_get(b, index + *n, &l2, e)) < 0)
            return r;
        if (owned(s, &l2) ||
            (s->extended && (has_host(s, l2.e) || (l2.e & QCOW2_COMPRESSED))))
            break;
    }
    return 0;
}

static int alloc_new(struct blk *b, uint64_t off, uint64_t end, const struct qcow2_entry *first,
                     struct blk_extent *x, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t index = off >> s->cluster_bits, last = (end - 1) >> s->cluster_bits;
    uint64_t in_table = (UINT64_C(1) << s->l2_bits) - (index & ((UINT64_C(1) << s->l2_bits) - 1));
    uint64_t start = index << s->cluster_bits, n, got, host;
    bool zeros = false;
    int r;

    if ((r = count_new(b, index, min_u64(last - index + 1, in_table), first, &n, e)) < 0)
        return r;
    if (s->data_file) {
        host = start;
        got = n;
        zeros = start >= blk_size_now(s->data_file);
        s->needs_data_flush = true;
    } else if ((r = qcow2_alloc(b, n, &host, &got, &zeros, e)) < 0) {
        return r;
    }
    x->off = start;
    x->len = got << s->cluster_bits;
    if (s->extended && !has_host(s, first->e) && !(first->e & QCOW2_COMPRESSED)) {
        uint64_t sub = UINT64_C(1) << s->sub_bits, stop = min_u64(x->off + x->len, round_up(end, sub));

        x->off = round_down(off, sub);
        x->len = stop - x->off;
    }
    x->host = host + (x->off - start);
    x->reads_zero = zeros;
    x->cookie[C_NEW] = 1;
    x->cookie[C_HOST] = host;
    x->cookie[C_INDEX] = index;
    x->cookie[C_CLUSTERS] = got;
    return 0;
}

/* The dirty bit goes to the disk before the first refcount is behind. */
static int note_lazy(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if (!s->o->lazy_refcounts || s->marked_dirty)
        return 0;
    s->h.incompatible |= QCOW2_DIRTY;
    if ((r = qcow2_store_fields(b, e)) < 0) {
        s->h.incompatible &= ~(uint64_t)QCOW2_DIRTY;
        return r;
    }
    s->marked_dirty = true;
    return 0;
}

static int alloc_locked(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x,
                        struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t index = off >> s->cluster_bits;
    struct qcow2_entry l2;
    int r;

    if ((r = note_lazy(b, e)) < 0 || (r = qcow2_own_l2(b, index >> s->l2_bits, e)) < 0 ||
        (r = qcow2_entry_get(b, index, &l2, e)) < 0)
        return r;
    memset(x, 0, sizeof(*x));
    x->where = BLK_DATA;
    x->file = s->data_file;
    x->in_place = x->fresh = true;
    return owned(s, &l2) ? alloc_stored(b, off, off + len, &l2, x)
                         : alloc_new(b, off, off + len, &l2, x, e);
}

static int qcow2_alloc_extent(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x,
                              struct err *e)
{
    struct qcow2 *s = b->state;
    int r = qcow2_check_writable(b, e);

    if (r < 0 || (r = qcow2_bitmaps_record(b, off, len, e)) < 0 ||
        (r = qcow2_map(b, off, len, x, e)) < 0)
        return r;
    if (x->where == BLK_DATA && x->in_place)
        return qcow2_check_overlap(b, x->file ? 0 : x->host, x->len, false, e);
    pthread_mutex_lock(&s->lock);
    r = alloc_locked(b, off, len, x, e);
    pthread_mutex_unlock(&s->lock);
    return r;
}

/* Bits of the subclusters of the cluster at @start that the extent covers. */
static uint64_t sub_mask(const struct qcow2 *s, const struct blk_extent *x, uint64_t start)
{
    uint64_t from = max_u64(x->off, start) - start;
    uint64_t to = min_u64(x->off + x->len, start + s->cluster_size) - start;
    uint64_t n = (to - from) >> s->sub_bits;

    return (n >= 32 ? UINT32_MAX : (UINT64_C(1) << n) - 1) << (from >> s->sub_bits);
}

static int commit_cluster(struct blk *b, const struct blk_extent *x, uint64_t i, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t index = x->cookie[C_INDEX] + i;
    struct qcow2_entry old, new = {0};
    int r;

    if ((r = qcow2_entry_get(b, index, &old, e)) < 0)
        return r;
    new.e = (x->cookie[C_HOST] + (i << s->cluster_bits)) | QCOW2_COPIED;
    if (s->extended) {
        uint64_t mask = sub_mask(s, x, index << s->cluster_bits);
        bool keep = owned(s, &old) || (!has_host(s, old.e) && !(old.e & QCOW2_COMPRESSED));

        new.bitmap = ((keep ? old.bitmap : 0) & ~(mask << 32)) | mask;
    }
    if ((r = qcow2_entry_set(b, index, &new, e)) < 0)
        return r;
    if (x->cookie[C_NEW])
        qcow2_drop_entry(b, &old);
    return 0;
}

static int qcow2_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t i = 0, n = x->cookie[C_CLUSTERS];
    int r = 0;

    pthread_mutex_lock(&s->lock);
    s->needs_data_flush = true; /* the data of this extent is to be there before the entry */
    for (; r >= 0 && i < n; i++)
        r = commit_cluster(b, x, i, e);
    if (r < 0 && x->cookie[C_NEW] && !s->data_file)
        qcow2_free_now(b, x->cookie[C_HOST] + ((i - 1) << s->cluster_bits),
                       (n - i + 1) << s->cluster_bits, false, ERR_IGNORE);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static void qcow2_abort(struct blk *b, const struct blk_extent *x)
{
    struct qcow2 *s = b->state;

    if (!x->cookie[C_NEW] || s->data_file)
        return;
    pthread_mutex_lock(&s->lock);
    qcow2_free_now(b, x->cookie[C_HOST], x->cookie[C_CLUSTERS] << s->cluster_bits, false,
                   ERR_IGNORE);
    pthread_mutex_unlock(&s->lock);
}

const struct blk_map_ops qcow2_map_ops = {
    .map = qcow2_map,
    .alloc = qcow2_alloc_extent,
    .commit = qcow2_commit,
    .abort = qcow2_abort,
    .read_coded = qcow2_read_coded,
    .write_coded = qcow2_write_coded,
    .zero = qcow2_zero,
    .discard = qcow2_discard,
    .release = qcow2_release,
    .compress = qcow2_compress,
    .store_compressed = qcow2_store_compressed,
};
