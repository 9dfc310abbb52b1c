/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: making, applying and deleting internal snapshots.
 *
 * The header switches in one write; what leads to it and from it changes refcounts and COPIED flags of many clusters.
 * Meanwhile the dirty bit is set: who opens the image after a crash repairs them first.  Flags are
 * cleared before counts rise and set after they fell, so no shared cluster is ever written in place.
 */
#include "block/fmt_qcow2_priv.h"

#include <stdio.h>

static int unsafe_begin(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r = qcow2_settle(b, e);

    if (r < 0 || s->h.version < 3)
        return r;
    s->h.incompatible |= QCOW2_DIRTY;
    if ((r = qcow2_store_fields(b, e)) < 0)
        s->h.incompatible &= ~(uint64_t)QCOW2_DIRTY;
    return r;
}

static int unsafe_end(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if ((r = qcow2_write_back(b, e)) < 0 || (r = qcow2_sync(b, e)) < 0 || s->h.version < 3)
        return r;
    s->h.incompatible &= ~(uint64_t)QCOW2_DIRTY;
    return qcow2_store_fields(b, e);
}

static int persist(struct blk *b, struct err *e)
{
    int r = qcow2_write_back(b, e);

    return r < 0 ? r : qcow2_sync(b, e);
}

/* All references of an L1 table ------------------------------------------------------------------------ */

/* struct walk - changing the refcounts of all that a table refers to; @done counts, to be undone. */
struct walk {
    struct blk *b;
    int by;
    bool discard;
    uint64_t done, limit;
    uint64_t *buf; /* one L2 table */
};

static int change(struct walk *w, uint64_t host, uint64_t len, struct err *e)
{
    int r;

    if (w->done == w->limit)
        return 1;
    r = w->by > 0 ? qcow2_refcount_add(w->b, host, len, 1, e)
                  : qcow2_free_now(w->b, host, len, w->discard, e);
    w->done += r >= 0;
    return r;
}

static int walk_entry(struct walk *w, uint64_t entry, struct err *e)
{
    const struct qcow2 *s = w->b->state;
    uint64_t host = entry & QCOW2_OFFSET, len;

    if (entry & QCOW2_COMPRESSED) {
        qcow2_packed_range(s, entry, &host, &len);
        return change(w, host, len, e);
    }
    if (!host || s->data_file)
        return 0;
    if (host & s->cluster_mask)
        return qcow2_corrupt(w->b, e, "Cluster allocation offset %#" PRIx64 " unaligned", host);
    return change(w, host, s->cluster_size, e);
}

static int walk_l1(struct walk *w, const uint64_t *l1, uint64_t n, struct err *e)
{
    const struct qcow2 *s = w->b->state;
    int r = 0;

    for (uint64_t i = 0; !r && i < n; i++) {
        uint64_t table = l1[i] & QCOW2_OFFSET;

        if (!table)
            continue;
        if (table & s->cluster_mask)
            return qcow2_corrupt(w->b, e, "L2 table offset %#" PRIx64 " unaligned", table);
        /* Behind the end of the file there are zeros. */
        bool there = table < blk_size_now(w->b->file);

        r = there ? qcow2_pread(w->b, table, w->buf, s->cluster_size, e) : 0;
        for (uint64_t k = 0; there && !r && k < UINT64_C(1) << s->l2_bits; k++)
            r = walk_entry(w, be64toh(w->buf[k * s->entry_words]), e);
        if (!r)
            r = change(w, table, s->cluster_size, e);
    }
    return r;
}

/* All or nothing when @by is 1. */
static int change_refs(struct blk *b, const uint64_t *l1, uint64_t n, int by, struct err *e)
{
    const struct qcow2 *s = b->state;
    struct walk w = {.b = b, .by = by, .limit = UINT64_MAX, .discard = s->o->pass_snapshot};
    int r;

    if (!(w.buf = malloc(s->cluster_size)))
        fatal("out of memory");
    r = walk_l1(&w, l1, n, e);
    if (r < 0 && by > 0) {
        struct walk undo = {.b = b, .by = -1, .limit = w.done, .buf = w.buf};

        walk_l1(&undo, l1, n, ERR_IGNORE);
    }
    free(w.buf);
    return r < 0 ? r : 0;
}

/* The COPIED flags of the active tables ------------------------------------------------------------------ */

static int set_flag(struct blk *b, uint64_t *entry, bool none, struct err *e)
{
    uint64_t count = 0;
    int r = none ? 0 : qcow2_refcount_get(b, *entry & QCOW2_OFFSET, &count, e);

    *entry &= ~QCOW2_COPIED;
    if (count == 1)
        *entry |= QCOW2_COPIED;
    return r;
}

static int set_table_flags(struct blk *b, uint64_t table, bool none, uint64_t *buf, struct err *e)
{
    struct qcow2 *s = b->state;
    bool changed = false;
    int r;

    if (table >= blk_size_now(b->file))
        return 0;
    r = qcow2_pread(b, table, buf, s->cluster_size, e);
    for (uint64_t k = 0; r >= 0 && k < UINT64_C(1) << s->l2_bits; k++) {
        uint64_t old = be64toh(buf[k * s->entry_words]), entry = old;

        if (!(old & QCOW2_OFFSET) || (old & QCOW2_COMPRESSED))
            continue;
        r = set_flag(b, &entry, none, e);
        buf[k * s->entry_words] = htobe64(entry);
        changed |= entry != old;
    }
    if (r < 0 || !changed)
        return r;
    qcow2_cache_drop(b, &s->l2, table, s->cluster_size);
    return qcow2_pwrite(b, table, buf, s->cluster_size, e);
}

/* Each flag says whether the refcount is one; with @none all are cleared. */
static int set_flags(struct blk *b, bool none, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t *buf = malloc(s->cluster_size);
    int r = 0;

    if (!buf)
        fatal("out of memory");
    for (uint64_t i = 0; r >= 0 && i < s->h.l1_size; i++) {
        uint64_t entry = qcow2_l1_get(s, i);

        if (!(entry & QCOW2_OFFSET) || (r = set_flag(b, &entry, none, e)) < 0)
            continue;
        if (entry != qcow2_l1_get(s, i))
            qcow2_l1_set(s, i, entry);
        r = set_table_flags(b, entry & QCOW2_OFFSET, none, buf, e);
    }
    free(buf);
    return r < 0 ? r : persist(b, e);
}

/* The table of snapshots ------------------------------------------------------------------------------- */

static int store_table(struct blk *b, struct qcow2_snapshot *list, uint32_t n, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_header old = s->h;
    uint64_t old_bytes = s->snapshots_bytes, bytes, host = 0;
    uint8_t *table = qcow2_snapshots_put(list, n, &bytes);
    int r = 0;

    if (bytes > QCOW2_MAX_SNAPSHOT_TABLE)
        r = err_set(e, -EFBIG, "the snapshot table would become too large");
    else if (bytes && (r = qcow2_alloc_bytes(b, bytes, &host, e)) >= 0)
        r = qcow2_pwrite(b, host, table, bytes, e);
    free(table);
    if (r < 0 || (r = persist(b, e)) < 0)
        return r;
    s->h.nb_snapshots = n;
    s->h.snapshots_offset = host;
    if ((r = qcow2_store_fields(b, e)) < 0) {
        s->h = old;
        return r;
    }
    s->snapshots_bytes = bytes;
    if (old_bytes)
        qcow2_free_now(b, old.snapshots_offset, old_bytes, false, ERR_IGNORE);
    return 0;
}

int qcow2_snapshots_store(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;

    return store_table(b, s->snapshots, s->h.nb_snapshots, e);
}

static int find(const struct qcow2 *s, const char *id, const char *name)
{
    for (uint32_t i = 0; i < s->h.nb_snapshots; i++)
        if ((!id || !strcmp(s->snapshots[i].info.id, id)) &&
            (!name || !strcmp(s->snapshots[i].info.name, name)))
            return (int)i;
    return -1;
}

static struct qcow2_snapshot *find_any(struct blk *b, const char *id_or_name, struct err *e)
{
    struct qcow2 *s = b->state;
    int i = find(s, id_or_name, NULL);

    if (i < 0)
        i = find(s, NULL, id_or_name);
    if (i < 0) {
        err_set(e, -ENOENT, "Can't find snapshot '%s'", id_or_name);
        return NULL;
    }
    return &s->snapshots[i];
}

int qcow2_snapshot_l1(struct blk *b, const struct qcow2_snapshot *sn, uint64_t entries,
                      uint64_t **out, struct err *e)
{
    const struct qcow2 *s = b->state;
    uint64_t bytes = max_u64(entries, 1) * 8, stored = sn->l1_size * UINT64_C(8);
    uint64_t *l1;
    int r;

    if (sn->l1_size > QCOW2_MAX_L1 / 8)
        return err_set(e, -EFBIG, "Snapshot L1 table too large");
    if ((sn->l1_table_offset & s->cluster_mask) || sn->l1_table_offset > INT64_MAX - stored)
        return err_set(e, -EINVAL, "Snapshot L1 table offset invalid");
    if (!(l1 = blk_alloc_foreign(bytes, QCOW2_MAX_L1, "L1 table", e)))
        return e->code;
    if ((r = qcow2_pread(b, sn->l1_table_offset, l1, stored, e)) < 0) {
        free(l1);
        return r;
    }
    for (uint64_t i = 0; i < entries; i++)
        l1[i] = be64toh(l1[i]) & ~QCOW2_COPIED;
    *out = l1;
    return 0;
}

/* A copy of an L1 table on the disk. */
static int write_l1(struct blk *b, const uint64_t *l1, uint64_t n, uint64_t *host, struct err *e)
{
    uint64_t *be = malloc(max_u64(n, 1) * 8);
    int r;

    if (!be)
        fatal("out of memory");
    for (uint64_t i = 0; i < n; i++)
        be[i] = htobe64(l1[i] & ~QCOW2_COPIED);
    if ((r = qcow2_alloc_bytes(b, max_u64(n, 1) * 8, host, e)) >= 0 && n)
        r = qcow2_pwrite(b, *host, be, n * 8, e);
    free(be);
    return r;
}

/* Creating ------------------------------------------------------------------------------------------------- */

static void next_id(const struct qcow2 *s, char *id, size_t size)
{
    unsigned long max = 0;

    for (uint32_t i = 0; i < s->h.nb_snapshots; i++) {
        unsigned long n = strtoul(s->snapshots[i].info.id, NULL, 10);

        max = n > max ? n : max;
    }
    snprintf(id, size, "%lu", max + 1);
}

/* The machine's state belongs to the snapshot alone now. */
static int drop_vm_state(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t first = qcow2_l1_entries(s, s->h.size), n = s->h.l1_size - first;
    uint64_t *old = malloc(max_u64(n, 1) * 8);
    bool any = false;
    int r;

    if (!old)
        fatal("out of memory");
    for (uint64_t i = 0; i < n; i++) {
        old[i] = qcow2_l1_get(s, first + i);
        any |= old[i];
        if (old[i])
            qcow2_l1_set(s, first + i, 0);
    }
    r = any ? persist(b, e) : 0;
    if (r >= 0 && any)
        r = change_refs(b, old, n, -1, e);
    free(old);
    return r;
}

static int add_row(struct blk *b, const struct qcow2_snapshot *sn, struct err *e)
{
    struct qcow2 *s = b->state;
    uint32_t n = s->h.nb_snapshots;
    struct qcow2_snapshot *list = realloc(s->snapshots, (n + 1) * sizeof(*list));

    if (!list)
        fatal("out of memory");
    s->snapshots = list;
    list[n] = *sn;
    return store_table(b, list, n + 1, e);
}

static int create_locked(struct blk *b, struct qcow2_snapshot *sn, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if ((r = set_flags(b, true, e)) < 0)
        goto flags;
    if ((r = change_refs(b, s->l1, s->h.l1_size, 1, e)) < 0 || (r = persist(b, e)) < 0)
        goto flags;
    sn->l1_size = s->h.l1_size;
    if ((r = write_l1(b, s->l1, s->h.l1_size, &sn->l1_table_offset, e)) < 0)
        goto refs;
    if ((r = add_row(b, sn, e)) >= 0)
        return drop_vm_state(b, e);
    qcow2_free_now(b, sn->l1_table_offset, max_u64(sn->l1_size, 1) * 8, false, ERR_IGNORE);
refs:
    change_refs(b, s->l1, s->h.l1_size, -1, ERR_IGNORE);
flags:
    set_flags(b, false, ERR_IGNORE);
    return r;
}

/* What there is to be known before something is changed. */
static int begin(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if (!(b->flags & BLK_RDWR))
        return err_set(e, -EPERM, "Block node is read-only");
    if ((r = qcow2_check_writable(b, e)) < 0)
        return r;
    if (s->data_file)
        return err_set(e, -ENOTSUP, "Snapshots are not supported with an external data file");
    return 0;
}

static int snapshot_create(struct blk *b, const struct blk_snapshot *info, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_snapshot sn = {.info = *info};
    int r;

    if ((r = begin(b, e)) < 0)
        return r;
    if (s->h.nb_snapshots >= QCOW2_MAX_SNAPSHOTS)
        return err_set(e, -EFBIG, "the image has %" PRIu32 " snapshots, the most there can be",
                       s->h.nb_snapshots);
    if (!*sn.info.id)
        next_id(s, sn.info.id, sizeof(sn.info.id));
    if (find(s, sn.info.id, NULL) >= 0)
        return err_set(e, -EEXIST, "there is a snapshot with ID '%s'", sn.info.id);
    sn.info.disk_size = s->h.size;
    sn.has_disk_size = true;
    pthread_mutex_lock(&s->lock);
    if ((r = unsafe_begin(b, e)) >= 0) {
        struct err end = {0};

        r = create_locked(b, &sn, e);
        if (unsafe_end(b, &end) < 0 && r >= 0)
            r = err_set(e, end.code, "%s", end.msg);
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

/* Deleting ------------------------------------------------------------------------------------------------- */

static int remove_locked(struct blk *b, int at, struct err *e)
{
    struct qcow2 *s = b->state;
    uint32_t n = s->h.nb_snapshots;
    struct qcow2_snapshot sn = s->snapshots[at], *list = malloc(n * sizeof(*list));
    uint64_t *l1;
    int r = qcow2_snapshot_l1(b, &sn, sn.l1_size, &l1, e);

    if (!list)
        fatal("out of memory");
    memcpy(list, s->snapshots, n * sizeof(*list));
    memmove(list + at, list + at + 1, (n - 1 - (uint32_t)at) * sizeof(*list));
    if (r < 0 || (r = store_table(b, list, n - 1, e)) < 0) {
        free(list);
        return r;
    }
    free(s->snapshots);
    s->snapshots = list;
    free(sn.extra);
    if ((r = change_refs(b, l1, sn.l1_size, -1, e)) >= 0)
        r = qcow2_free_now(b, sn.l1_table_offset, max_u64(sn.l1_size, 1) * 8, false, e);
    free(l1);
    return r < 0 ? r : set_flags(b, false, e);
}

static int snapshot_remove(struct blk *b, const char *id, const char *name, struct err *e)
{
    struct qcow2 *s = b->state;
    int at = find(s, id, name), r;

    if ((r = begin(b, e)) < 0)
        return r;
    if (at < 0)
        return err_set(e, -ENOENT, "Can't find snapshot '%s'", name ? name : id);
    pthread_mutex_lock(&s->lock);
    if ((r = unsafe_begin(b, e)) >= 0) {
        struct err end = {0};

        r = remove_locked(b, at, e);
        if (unsafe_end(b, &end) < 0 && r >= 0)
            r = err_set(e, end.code, "%s", end.msg);
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

/* Applying ------------------------------------------------------------------------------------------------- */

/* The header refers to @l1, at @host: one write. */
static int switch_l1(struct blk *b, uint64_t *l1, uint64_t n, uint64_t host, uint64_t size,
                     struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_header old = s->h;
    bool *dirty = calloc(n * 8 / s->page_size + 1, sizeof(bool));
    int r;

    if (!dirty)
        fatal("out of memory");
    s->h.l1_table_offset = host;
    s->h.l1_size = (uint32_t)n;
    s->h.size = size;
    if ((r = qcow2_store_fields(b, e)) < 0) {
        s->h = old;
        free(dirty);
        return r;
    }
    free(s->l1_dirty);
    s->l1 = l1;
    s->l1_dirty = dirty;
    s->l1_any_dirty = false;
    __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    return 0;
}

static int apply_locked(struct blk *b, const struct qcow2_snapshot *sn, uint64_t size, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t n = max_u64(max_u64(sn->l1_size, qcow2_l1_entries(s, size)), 1), host;
    uint64_t *l1, *old = s->l1, old_n = s->h.l1_size, old_host = s->h.l1_table_offset;
    int r;

    if ((r = qcow2_snapshot_l1(b, sn, n, &l1, e)) < 0)
        return r;
    if ((r = change_refs(b, l1, n, 1, e)) < 0) {
        free(l1);
        return r;
    }
    if ((r = write_l1(b, l1, n, &host, e)) < 0 || (r = persist(b, e)) < 0 ||
        (r = switch_l1(b, l1, n, host, size, e)) < 0) {
        change_refs(b, l1, n, -1, ERR_IGNORE);
        free(l1);
        return r;
    }
    if ((r = change_refs(b, old, old_n, -1, e)) >= 0 && old_n)
        r = qcow2_free_now(b, old_host, old_n * 8, false, e);
    free(old);
    return r < 0 ? r : set_flags(b, false, e);
}

/* As applying a snapshot of an empty disk; no flag of what remains changes, so nothing is unsafe. */
int qcow2_make_empty(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t n = max_u64(qcow2_l1_entries(s, s->h.size), 1), host, *old = s->l1;
    uint64_t old_n = s->h.l1_size, old_host = s->h.l1_table_offset;
    uint64_t *l1 = calloc(n, 8);
    int r;

    if (!l1)
        fatal("out of memory");
    pthread_mutex_lock(&s->lock);
    if ((r = qcow2_settle(b, e)) < 0 || (r = write_l1(b, l1, n, &host, e)) < 0 ||
        (r = persist(b, e)) < 0 || (r = switch_l1(b, l1, n, host, s->h.size, e)) < 0) {
        pthread_mutex_unlock(&s->lock);
        free(l1);
        return r;
    }
    r = change_refs(b, old, old_n, -1, e);
    if (r >= 0 && old_n)
        r = qcow2_free_now(b, old_host, old_n * 8, false, e);
    free(old);
    if (r >= 0)
        r = persist(b, e);
    pthread_mutex_unlock(&s->lock);
    if (r >= 0 && s->data_file && !s->data_file_raw)
        blk_discard(s->data_file, 0, blk_size_now(s->data_file), ERR_IGNORE);
    return r;
}

static int snapshot_apply(struct blk *b, const char *id_or_name, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_snapshot *sn;
    int r;

    if ((r = begin(b, e)) < 0)
        return r;
    if (!(sn = find_any(b, id_or_name, e)))
        return e->code;
    uint64_t size = sn->has_disk_size ? sn->info.disk_size : s->h.size;
    struct qcow2_header h = s->h;

    h.size = size;
    if ((r = qcow2_check_size(&h, e)) < 0)
        return r;
    if (s->n_bitmaps) /* they would not know what becomes different */
        return err_set(e, -EBUSY, "Device has active dirty bitmaps");
    pthread_mutex_lock(&s->lock);
    if ((r = unsafe_begin(b, e)) >= 0) {
        struct err end = {0};

        r = apply_locked(b, sn, size, e);
        if (unsafe_end(b, &end) < 0 && r >= 0)
            r = err_set(e, end.code, "%s", end.msg);
    }
    pthread_mutex_unlock(&s->lock);
    return r;
}

/* Only looking: the tables in memory become the snapshot's. */
static int snapshot_load(struct blk *b, const char *id_or_name, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_snapshot *sn = find_any(b, id_or_name, e);
    uint64_t *l1, size, n;
    int r;

    if (!sn)
        return e->code;
    if (b->flags & BLK_RDWR)
        return err_set(e, -EINVAL, "a snapshot can only be shown when the image is read-only");
    size = sn->has_disk_size ? sn->info.disk_size : s->h.size;
    n = max_u64(sn->l1_size, qcow2_l1_entries(s, size));
    if (n > QCOW2_MAX_L1 / 8 || size > INT64_MAX)
        return err_set(e, -EFBIG, "Snapshot L1 table too large");
    if ((r = qcow2_snapshot_l1(b, sn, n, &l1, e)) < 0)
        return r;
    free(s->l1);
    s->l1 = l1;
    s->h.l1_size = (uint32_t)n;
    s->h.size = size;
    __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    return 0;
}

/* The machine's state ---------------------------------------------------------------------------------------- */

static uint64_t vm_state_begin(const struct qcow2 *s)
{
    return qcow2_l1_entries(s, s->h.size) << (s->cluster_bits + s->l2_bits);
}

static int check_vm_state(const struct qcow2 *s, uint64_t off, uint64_t len, struct err *e)
{
    uint64_t begin = vm_state_begin(s), end;

    if (!add_u64(off, len, &end) || !add_u64(begin, end, &end) || end > INT64_MAX)
        return err_set(e, -EFBIG, "machine state of %" PRIu64 " bytes at %" PRIu64
                                  " is too large", len, off);
    return 0;
}

static int vmstate_read(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e)
{
    const struct qcow2 *s = b->state;
    struct iovec iov = {buf, len};
    int r = check_vm_state(s, off, len, e);

    return r < 0 ? r : node_readv(b, vm_state_begin(s) + off, len, &iov, 1, e);
}

static int vmstate_write(struct blk *b, uint64_t off, uint64_t len, const void *buf, struct err *e)
{
    struct qcow2 *s = b->state;
    struct iovec iov = {(void *)buf, len};
    uint64_t at = vm_state_begin(s) + off, entries;
    struct blk_range range;
    int r;

    if ((r = begin(b, e)) < 0 || (r = check_vm_state(s, off, len, e)) < 0)
        return r;
    entries = qcow2_l1_entries(s, at + len);
    if (entries > s->h.l1_size) {
        blk_exclusive_begin(b, &range);
        pthread_mutex_lock(&s->lock);
        r = qcow2_grow_l1(b, entries, e);
        pthread_mutex_unlock(&s->lock);
        blk_exclusive_end(b, &range);
    }
    return r < 0 ? r : node_writev(b, at, len, &iov, 1, 0, e);
}

const struct blk_snapshot_ops qcow2_snapshot_ops = {
    .list = qcow2_snapshot_list,
    .create = snapshot_create,
    .apply = snapshot_apply,
    .remove = snapshot_remove,
    .load = snapshot_load,
    .vmstate_read = vmstate_read,
    .vmstate_write = vmstate_write,
};
