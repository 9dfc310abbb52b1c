/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: how often each cluster of the file is referred to, by walking all tables. */
#include "block/fmt_qcow2_check_priv.h"

/* A hostile image may refer to one cluster here and one there: enough for images of 2 TiB with clusters
 * of 4 KiB, all in use. */
enum { MAX_CHUNKS = 1 << 19 };

/* Counters ----------------------------------------------------------------------------------------- */

static uint64_t slot_of(const struct check *c, uint64_t index)
{
    uint64_t i = (index * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (c->max_chunks - 1);

    while (c->chunks[i] && c->chunks[i]->index != index)
        i = (i + 1) & (c->max_chunks - 1);
    return i;
}

static void grow_slots(struct check *c)
{
    struct chunk **old = c->chunks;
    uint64_t n = c->max_chunks;

    c->max_chunks = n ? n * 2 : 64;
    if (!(c->chunks = calloc(c->max_chunks, sizeof(*c->chunks))))
        fatal("out of memory");
    for (uint64_t i = 0; i < n; i++)
        if (old[i])
            c->chunks[slot_of(c, old[i]->index)] = old[i];
    free(old);
}

static struct chunk *chunk_of(struct check *c, uint64_t index, struct err *e)
{
    if (2 * c->n_chunks >= c->max_chunks)
        grow_slots(c);
    uint64_t slot = slot_of(c, index);

    if (c->chunks[slot])
        return c->chunks[slot];
    if (c->n_chunks == MAX_CHUNKS) {
        err_set(e, -EFBIG, "references are spread over too many places of the file to be checked");
        return NULL;
    }
    struct chunk *k = calloc(1, sizeof(*k));

    if (!k)
        fatal("out of memory");
    k->index = index;
    c->n_chunks++;
    return c->chunks[slot] = k;
}

uint64_t count_of(const struct check *c, uint64_t index)
{
    struct chunk *k = c->max_chunks ? c->chunks[slot_of(c, index / COUNTS_PER_CHUNK)] : NULL;

    return k ? k->n[index % COUNTS_PER_CHUNK] : 0;
}

bool count_any(const struct check *c, uint64_t first, uint64_t end)
{
    if (!c->max_chunks)
        return false;
    for (uint64_t i = first / COUNTS_PER_CHUNK; i <= (end - 1) / COUNTS_PER_CHUNK; i++)
        if (c->chunks[slot_of(c, i)])
            return true;
    return false;
}

void count_free(struct check *c)
{
    for (uint64_t i = 0; i < c->max_chunks; i++)
        free(c->chunks[i]);
    free(c->chunks);
    free(c->fixes);
}

int count_range(struct check *c, uint64_t host, uint64_t len, struct err *e)
{
    const struct qcow2 *s = c->b->state;

    if (!len)
        return 0;
    uint64_t first = host >> s->cluster_bits, last = (host + len - 1) >> s->cluster_bits;

    if (last >= c->clusters || host + len < host) {
        check_say(c, "ERROR: counting reference for region exceeding the end of the file by one "
                     "cluster or more: offset 0x%" PRIx64 " size 0x%" PRIx64, host, len);
        c->res->corruptions++;
        return 0;
    }
    for (uint64_t i = first; i <= last; i++) {
        struct chunk *k = chunk_of(c, i / COUNTS_PER_CHUNK, e);

        if (!k)
            return e->code;
        if (k->n[i % COUNTS_PER_CHUNK] < UINT32_MAX)
            k->n[i % COUNTS_PER_CHUNK]++;
    }
    c->end = max_u64(c->end, last + 1);
    return 0;
}

/* Tables ------------------------------------------------------------------------------------------- */

static void note_place(struct check *c, uint64_t host, uint64_t len)
{
    c->res->allocated_clusters++;
    if (c->next && c->next != host)
        c->res->fragmented_clusters++;
    c->next = host + len;
}

static int count_packed(struct check *c, uint64_t entry, bool active, struct err *e)
{
    uint64_t host, len;

    qcow2_packed_range(c->b->state, entry, &host, &len);
    if (entry & QCOW2_COPIED) {
        check_say(c, "ERROR: coffset=0x%" PRIx64
                     ": copied flag must never be set for compressed clusters",
                  host);
        c->res->corruptions++;
    }
    if (qcow2_of(c->b)->data_file) {
        check_say(c, "ERROR compressed cluster 0x%" PRIx64 " in an image with a data file", host);
        c->res->corruptions++;
        return 0;
    }
    if (active) {
        c->res->compressed_clusters++;
        c->res->allocated_clusters++;
        c->res->fragmented_clusters++;
    }
    return count_range(c, round_down(host, 512), host % 512 + len, e);
}

static uint64_t reserved_bits(const struct qcow2 *s, uint64_t entry)
{
    uint64_t known = QCOW2_OFFSET | QCOW2_COPIED | QCOW2_COMPRESSED;

    if (entry & QCOW2_COMPRESSED)
        return 0;
    if (s->h.version >= 3 && !s->extended)
        known |= QCOW2_ZERO;
    return entry & ~known;
}

static int complain_unaligned(struct check *c, uint64_t at, const struct qcow2_entry *l2,
                              bool zeros)
{
    const struct qcow2 *s = c->b->state;
    bool fix = zeros && (c->fix & BLK_FIX_ERRORS) && !s->extended;

    check_say(c, "%s offset=%" PRIx64 ": %s cluster is not properly aligned; L2 entry corrupted.",
              fix ? "Repairing" : "ERROR", l2->e & QCOW2_OFFSET, zeros ? "Preallocated" : "Data");
    if (!fix) {
        c->res->corruptions++;
        return 0;
    }
    check_fix(c, at, QCOW2_ZERO);
    c->res->corruptions_fixed++;
    return 1;
}

/* The entry at @at of the file. */
static int count_entry(struct check *c, const struct qcow2_entry *l2, uint64_t at, uint64_t guest,
                       bool active, struct err *e)
{
    struct qcow2 *s = c->b->state;
    uint64_t host = l2->e & QCOW2_OFFSET, wrong = reserved_bits(s, l2->e);
    bool data = true;

    if (wrong) {
        check_say(c, "ERROR found l2 entry with reserved bits set: %" PRIx64, l2->e);
        c->res->corruptions++;
    }
    if (l2->e & QCOW2_COMPRESSED)
        return count_packed(c, l2->e, active, e);
    if (s->extended && (l2->bitmap & l2->bitmap >> 32 & UINT32_MAX)) {
        check_say(c, "ERROR offset=%" PRIx64 ": Allocated cluster has corrupted subcluster "
                     "allocation bitmap", host);
        c->res->corruptions++;
    }
    if (s->data_file) {
        if ((l2->e & QCOW2_COPIED) && host != guest) {
            check_say(c, "ERROR offset=%" PRIx64 ": data of guest offset %" PRIx64
                         " is elsewhere in the data file", host, guest);
            c->res->corruptions++;
        }
        if (active && (host || (l2->e & QCOW2_COPIED)))
            note_place(c, host, s->cluster_size);
        return 0;
    }
    if (!host) {
        if (s->extended && (l2->bitmap & UINT32_MAX)) {
            check_say(c, "ERROR: Unallocated cluster has non-zero subcluster allocation map");
            c->res->corruptions++;
        }
        return 0;
    }
    if (!s->extended)
        data = s->h.version < 3 || !(l2->e & QCOW2_ZERO);
    if ((host & s->cluster_mask) && complain_unaligned(c, at, l2, !data))
        return 0;
    if (active)
        note_place(c, host, s->cluster_size);
    return count_range(c, host, s->cluster_size, e);
}

static int count_l2(struct check *c, uint64_t table, uint64_t l1_index, bool active, uint64_t *buf,
                    struct err *e)
{
    struct qcow2 *s = c->b->state;
    int r = qcow2_pread(c->b, table, buf, s->cluster_size, e);

    c->next = 0; /* what follows in another table may be anywhere */
    if (r < 0)
        return r;
    for (uint64_t i = 0; r >= 0 && i < UINT64_C(1) << s->l2_bits; i++) {
        const uint64_t *words = buf + i * s->entry_words;
        struct qcow2_entry l2 = {be64toh(words[0]), s->extended ? be64toh(words[1]) : 0};

        if (l2.e || l2.bitmap)
            r = count_entry(c, &l2, table + i * s->entry_words * 8,
                            ((l1_index << s->l2_bits) + i) << s->cluster_bits, active, e);
    }
    return r;
}

/* An L1 table in the file, and all that it refers to. */
static int count_l1(struct check *c, uint64_t offset, uint64_t n, bool active, uint64_t *buf,
                    struct err *e)
{
    struct qcow2 *s = c->b->state;
    uint64_t *l1, got = n * 8;
    int r = count_range(c, offset, n * 8, e);

    if (r < 0 || !n)
        return r;
    if ((offset & s->cluster_mask) || n > QCOW2_MAX_L1 / 8 ||
        offset >= blk_size_now(c->b->file)) {
        check_say(c, "ERROR L1 table of %" PRIu64 " entries at %#" PRIx64
                     " cannot be", n, offset);
        c->res->corruptions++;
        return 0;
    }
    if (!(l1 = blk_alloc_foreign(got, QCOW2_MAX_L1, "L1 table", e)))
        return e->code;
    r = qcow2_pread(c->b, offset, l1, got, e);
    for (uint64_t i = 0; r >= 0 && i < n; i++) {
        uint64_t entry = be64toh(l1[i]), table = entry & QCOW2_OFFSET;

        if (entry & ~(QCOW2_OFFSET | QCOW2_COPIED)) {
            check_say(c, "ERROR found L1 entry with reserved bits set: %" PRIx64, entry);
            c->res->corruptions++;
        }
        if (!table)
            continue;
        if (table & s->cluster_mask) {
            check_say(c, "ERROR l2_offset=%" PRIx64
                         ": Table is not cluster aligned; L1 entry corrupted", table);
            c->res->corruptions++;
            continue;
        }
        if ((r = count_range(c, table, s->cluster_size, e)) >= 0 &&
            table >> s->cluster_bits < c->clusters)
            r = count_l2(c, table, i, active, buf, e);
    }
    free(l1);
    return r;
}

static int count_snapshots(struct check *c, uint64_t *buf, struct err *e)
{
    struct qcow2 *s = c->b->state;
    int r = 0;

    for (uint32_t i = 0; r >= 0 && i < s->h.nb_snapshots; i++)
        r = count_l1(c, s->snapshots[i].l1_table_offset, s->snapshots[i].l1_size, false, buf, e);
    if (r >= 0 && s->h.nb_snapshots)
        r = count_range(c, s->h.snapshots_offset, s->snapshots_bytes, e);
    return r;
}

/* A refcount table that is something else, too, would change with it: a new one is needed. */
static int check_reftable_alone(struct check *c)
{
    const struct qcow2 *s = c->b->state;
    uint64_t first = s->h.refcount_table_offset >> s->cluster_bits;

    for (uint64_t i = first; i < first + s->h.refcount_table_clusters; i++) {
        if (count_of(c, i) <= 1)
            continue;
        check_say(c, "ERROR refcount table refcount=%" PRIu64, count_of(c, i));
        c->res->corruptions++;
        c->wrong_blocks++;
        c->rebuild = true;
        break;
    }
    return 0;
}

static int count_refblocks(struct check *c, struct err *e)
{
    struct qcow2 *s = c->b->state;
    int r = count_range(c, s->h.refcount_table_offset,
                        (uint64_t)s->h.refcount_table_clusters << s->cluster_bits, e);

    for (uint64_t i = 0; r >= 0 && i < s->reftable_n; i++) {
        uint64_t block = s->reftable[i] & ~UINT64_C(511), cluster = block >> s->cluster_bits;
        const char *wrong = NULL;

        if (!block)
            continue;
        if (block & s->cluster_mask)
            wrong = "is not cluster aligned; refcount table entry corrupted";
        else if (cluster >= c->clusters)
            wrong = "is outside image";
        if (wrong) {
            check_say(c, "ERROR refcount block %" PRIu64 " %s", i, wrong);
            c->res->corruptions++;
            c->wrong_blocks++;
            c->rebuild |= (block & s->cluster_mask) || (c->fix & BLK_FIX_ERRORS);
            continue;
        }
        if ((r = count_range(c, block, s->cluster_size, e)) < 0 || count_of(c, cluster) == 1)
            continue;
        check_say(c, "ERROR refcount block %" PRIu64 " refcount=%" PRIu64, i,
                  count_of(c, cluster));
        c->res->corruptions++;
        c->wrong_blocks++;
        c->rebuild = true;
    }
    return r < 0 ? r : check_reftable_alone(c);
}

static void uncount(struct check *c, uint64_t host, uint64_t len)
{
    const struct qcow2 *s = c->b->state;

    for (uint64_t i = host >> s->cluster_bits; i <= (host + len - 1) >> s->cluster_bits; i++) {
        if (!count_of(c, i))
            continue;
        c->chunks[slot_of(c, i / COUNTS_PER_CHUNK)]->n[i % COUNTS_PER_CHUNK]--;
    }
}

void uncount_refblocks(struct check *c)
{
    const struct qcow2 *s = c->b->state;

    uncount(c, s->h.refcount_table_offset,
            (uint64_t)s->h.refcount_table_clusters << s->cluster_bits);
    for (uint64_t i = 0; i < s->reftable_n; i++) {
        uint64_t block = s->reftable[i] & ~UINT64_C(511);

        if (block && !(block & s->cluster_mask) && block >> s->cluster_bits < c->clusters)
            uncount(c, block, s->cluster_size);
    }
}

static int count_one_bitmap_range(void *opaque, uint64_t host, uint64_t len, struct err *e)
{
    return count_range(opaque, host, len, e);
}

int count_image(struct check *c, struct err *e)
{
    struct qcow2 *s = c->b->state;
    uint64_t *buf = malloc(s->cluster_size);
    int r;

    if (!buf)
        fatal("out of memory");
    r = count_range(c, 0, s->cluster_size, e);
    if (r >= 0)
        r = count_l1(c, s->h.l1_table_offset, s->h.l1_size, true, buf, e);
    if (r >= 0)
        r = count_snapshots(c, buf, e);
    if (r >= 0 && s->h.crypt_method == 2)
        r = count_range(c, s->crypt_offset, s->crypt_len, e);
    if (r >= 0)
        r = qcow2_bitmaps_each_range(c->b, count_one_bitmap_range, c, e);
    if (r >= 0)
        r = count_refblocks(c, e);
    free(buf);
    return r;
}
