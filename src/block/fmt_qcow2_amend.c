/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: changing options of an image that exists: version, refcount width, size, laziness; its backing file. */
#include "block/fmt_qcow2_check_priv.h"

/* struct qcow2_amend - the amend options. */
struct qcow2_amend {
    char *backing_file, *backing_fmt, *compat, *data_file;
    bool data_file_raw, lazy_refcounts;
    uint64_t refcount_bits, size;
    struct crypt_amend_opts crypt;
};

const struct field qcow2_amend_fields[] = {
    CRYPT_AMEND_FIELDS(qcow2_amend, "encrypt."),
    QCOW2_LASTING_FIELDS(qcow2_amend, NULL, NULL),
    FIELD_END,
};

/* The backing file ---------------------------------------------------------------------------------------- */

int qcow2_change_backing(struct blk *b, const char *file, const char *format, struct err *e)
{
    struct qcow2 *s = b->state;
    char *old_file = b->backing_file, *old_format = b->backing_format;
    int r;

    if (file && strlen(file) > 1023)
        return err_set(e, -EINVAL, "Backing file name too long");
    if (file && s->data_file_raw)
        return err_set(e, -EINVAL,
                       "Backing file and data-file-raw cannot be used at the same time");
    b->backing_file = file && *file ? strdup(file) : NULL;
    b->backing_format = b->backing_file && format && *format ? strdup(format) : NULL;
    if ((r = qcow2_store_header(b, e)) < 0) {
        free(b->backing_file);
        free(b->backing_format);
        b->backing_file = old_file;
        b->backing_format = old_format;
        return r;
    }
    free(old_file);
    free(old_format);
    return 0;
}

/* Version 2 has no zero clusters --------------------------------------------------------------------------- */

/* struct expansion - the table at hand. */
struct expansion {
    struct blk *b;
    uint64_t *l2;      /* as on the disk */
    uint64_t refcount; /* of the table: what it refers to has as many */
    char *zeros;
};

static int expand_entry(struct expansion *x, uint64_t *entry, struct err *e)
{
    struct qcow2 *s = x->b->state;
    uint64_t old = be64toh(*entry), host = old & QCOW2_OFFSET, got;
    bool zeros;
    int r = 0;

    if ((old & QCOW2_COMPRESSED) || !(old & QCOW2_ZERO))
        return 0;
    if (!host && !x->b->backing_file) {
        *entry = 0; /* a hole reads the same */
        return 1;
    }
    if (host)
        r = qcow2_pwrite(x->b, host, x->zeros, s->cluster_size, e);
    else if ((r = qcow2_alloc(x->b, 1, &host, &got, &zeros, e)) >= 0) {
        for (uint64_t i = 1; r >= 0 && i < x->refcount; i++)
            r = qcow2_refcount_add(x->b, host, s->cluster_size, 1, e);
        if (r >= 0 && !zeros)
            r = qcow2_pwrite(x->b, host, x->zeros, s->cluster_size, e);
    }
    if (r < 0)
        return r;
    *entry = htobe64(host | (x->refcount == 1 ? QCOW2_COPIED : 0));
    return 1;
}

static int expand_table(struct expansion *x, uint64_t table, struct err *e)
{
    struct qcow2 *s = x->b->state;
    bool changed = false;
    int r;

    if (table & s->cluster_mask)
        return qcow2_corrupt(x->b, e, "L2 table offset %#" PRIx64 " unaligned", table);
    if ((r = qcow2_pread(x->b, table, x->l2, s->cluster_size, e)) < 0 ||
        (r = qcow2_refcount_get(x->b, table, &x->refcount, e)) < 0)
        return r;
    for (uint64_t k = 0; k < UINT64_C(1) << s->l2_bits; k++) {
        if ((r = expand_entry(x, &x->l2[k], e)) < 0)
            return r;
        changed |= r;
    }
    if (!changed)
        return 0;
    if (blk_size_now(x->b->file) < s->high_water && /* clusters that nobody wrote to are there, too */
        (r = blk_truncate(x->b->file, s->high_water, BLK_PREALLOC_OFF, 0, e)) < 0)
        return r;
    if ((r = qcow2_write_back(x->b, e)) < 0 || (r = qcow2_sync(x->b, e)) < 0)
        return r;
    qcow2_cache_drop(x->b, &s->l2, table, s->cluster_size);
    return qcow2_pwrite(x->b, table, x->l2, s->cluster_size, e);
}

static int expand_l1(struct expansion *x, const uint64_t *l1, uint64_t n, struct err *e)
{
    int r = 0;

    for (uint64_t i = 0; r >= 0 && i < n; i++)
        if (l1[i] & QCOW2_OFFSET)
            r = expand_table(x, l1[i] & QCOW2_OFFSET, e);
    return r;
}

static int expand_zeros(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    struct expansion x = {b, malloc(s->cluster_size), 0, calloc(1, s->cluster_size)};
    int r;

    if (!x.l2 || !x.zeros)
        fatal("out of memory");
    r = expand_l1(&x, s->l1, s->h.l1_size, e);
    for (uint32_t i = 0; r >= 0 && i < s->h.nb_snapshots; i++) {
        uint64_t *l1;

        if ((r = qcow2_snapshot_l1(b, &s->snapshots[i], s->snapshots[i].l1_size, &l1, e)) >= 0) {
            r = expand_l1(&x, l1, s->snapshots[i].l1_size, e);
            free(l1);
        }
    }
    free(x.l2);
    free(x.zeros);
    return r;
}

/* Versions --------------------------------------------------------------------------------------------------- */

static int check_downgrade(const struct qcow2 *s, struct err *e)
{
    uint64_t features = s->h.incompatible & ~(uint64_t)(QCOW2_DIRTY | QCOW2_CORRUPT);

    if (s->h.incompatible & QCOW2_DATA_FILE)
        return err_set(e, -ENOTSUP, "Cannot downgrade an image with a data file");
    if (features)
        return err_set(e, -ENOTSUP, "Cannot downgrade an image with incompatible features set");
    if (s->h.refcount_order != 4)
        return err_set(e, -ENOTSUP, "compat=0.10 requires refcount_bits=16");
    if (s->n_bitmaps)
        return err_set(e, -ENOTSUP, "Cannot downgrade an image with persistent bitmaps: version 2 "
                                    "has none");
    for (uint32_t i = 0; i < s->h.nb_snapshots; i++) {
        const struct blk_snapshot *sn = &s->snapshots[i].info;

        if (sn->vm_state_size > UINT32_MAX || sn->disk_size != s->h.size)
            return err_set(e, -ENOTSUP, "Internal snapshots prevent downgrade of image");
    }
    return 0;
}

static int downgrade(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_header old = s->h;
    int r;

    if ((r = check_downgrade(s, e)) < 0 || (r = qcow2_settle(b, e)) < 0 ||
        (r = expand_zeros(b, e)) < 0 || (r = qcow2_settle(b, e)) < 0 ||
        (r = qcow2_sync(b, e)) < 0)
        return r;
    s->h.version = 2;
    s->h.incompatible = s->h.compatible = s->h.autoclear = 0;
    if ((r = qcow2_store_header(b, e)) < 0)
        s->h = old;
    else
        s->o->lazy_refcounts = false;
    return r;
}

static int upgrade(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_header old = s->h;
    int r;

    /* In version 3 each snapshot must say how large the disk was. */
    if (s->h.nb_snapshots && (r = qcow2_snapshots_store(b, e)) < 0)
        return r;
    s->h.version = 3;
    if ((r = qcow2_store_header(b, e)) < 0)
        s->h = old;
    return r;
}

/* Refcounts of another width ---------------------------------------------------------------------------------- */

static int set_refcount_bits(struct blk *b, uint64_t bits, struct err *e)
{
    struct qcow2 *s = b->state;
    uint32_t order = (uint32_t)__builtin_ctzll(bits);
    int r;

    if (order == s->h.refcount_order)
        return 0;
    if ((r = qcow2_settle(b, e)) < 0)
        return r;
    return qcow2_rebuild_refcounts(b, order, e);
}

/* All of it ------------------------------------------------------------------------------------------------- */

static int check_words(struct blk *b, const struct qcow2_amend *o, struct json_object *given,
                       uint32_t *version, struct err *e)
{
    const struct qcow2 *s = b->state;

    *version = s->h.version;
    if (o->compat && (!strcmp(o->compat, "0.10") || !strcmp(o->compat, "v2")))
        *version = 2;
    else if (o->compat && (!strcmp(o->compat, "1.1") || !strcmp(o->compat, "v3")))
        *version = 3;
    else if (o->compat)
        return err_set(e, -EINVAL, "Unknown compatibility level %s", o->compat);
    if ((o->backing_file && strcmp(o->backing_file, b->backing_file ? b->backing_file : "")) ||
        (o->backing_fmt && strcmp(o->backing_fmt, b->backing_format ? b->backing_format : "")))
        return err_set(e, -EINVAL,
                       "Cannot amend the backing file\nYou can use 'qemu-img rebase' instead.");
    if (field_given(given, "refcount_bits")) {
        if (!is_pow2(o->refcount_bits) || o->refcount_bits > 64)
            return err_set(e, -EINVAL,
                           "Refcount width must be a power of two and may not exceed 64 bits");
        if (*version < 3 && o->refcount_bits != 16)
            return err_set(e, -EINVAL,
                           "Refcount widths other than 16 bits require compatibility level 1.1 or "
                           "above (use compat=1.1 or greater)");
    }
    if (o->data_file && !(s->h.incompatible & QCOW2_DATA_FILE))
        return err_set(e, -EINVAL, "data-file can only be set for images that use an external data "
                                   "file");
    if (o->data_file_raw && !s->data_file_raw)
        return err_set(e, -EINVAL, "data-file-raw cannot be set on existing images");
    if (o->lazy_refcounts && *version < 3)
        return err_set(e, -EINVAL, "Lazy refcounts only supported with compatibility level 1.1 and "
                                   "above (use compat=1.1 or greater)");
    return 0;
}

static int amend_crypt(struct blk *b, const struct qcow2_amend *o, bool force, struct err *e)
{
    struct qcow2 *s = b->state;
    struct crypt_header header = qcow2_crypt_header(b);
    const struct crypt_amend_opts *c = &o->crypt;

    if (!c->state && !c->new_secret && !c->old_secret && c->keyslot == UINT64_MAX && !c->iter_time)
        return 0;
    if (!s->h.crypt_method)
        return err_set(e, -EINVAL, "Can't amend encryption options - encryption not present");
    if (s->h.crypt_method != 2 || !s->crypt)
        return err_set(e, -EINVAL, "Only LUKS encryption options can be amended for qcow2 with "
                                   "amend command");
    return crypt_amend(s->crypt, b->env, c, force, &header, e);
}

/* One write of the header for those that are only fields of it. */
static int amend_fields_of_header(struct blk *b, const struct qcow2_amend *o, bool lazy, bool raw,
                                  struct err *e)
{
    struct qcow2 *s = b->state;

    if (lazy) {
        s->h.compatible &= ~(uint64_t)QCOW2_LAZY_REFCOUNTS;
        s->h.compatible |= o->lazy_refcounts ? QCOW2_LAZY_REFCOUNTS : 0;
        s->o->lazy_refcounts = o->lazy_refcounts;
    }
    if (raw && !o->data_file_raw) {
        s->h.autoclear &= ~(uint64_t)QCOW2_DATA_FILE_RAW;
        s->data_file_raw = false;
    }
    if (o->data_file) {
        free(s->data_file_name);
        if (!(s->data_file_name = strdup(o->data_file)))
            fatal("out of memory");
    }
    return lazy || raw || o->data_file ? qcow2_store_header(b, e) : 0;
}

static int amend_locked(struct blk *b, const struct qcow2_amend *o, uint32_t version, bool lazy,
                        bool raw, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if ((r = qcow2_settle(b, e)) < 0 ||
        (version > s->h.version && (r = upgrade(b, e)) < 0) ||
        (o->refcount_bits && (r = set_refcount_bits(b, o->refcount_bits, e)) < 0) ||
        (r = amend_fields_of_header(b, o, lazy, raw, e)) < 0)
        return r;
    return version < s->h.version ? downgrade(b, e) : 0;
}

int qcow2_amend(struct blk *b, struct json_object *given, bool force, blk_progress *progress,
                void *opaque, struct err *e)
{
    struct qcow2 *s = b->state;
    bool lazy = field_given(given, "lazy_refcounts"), raw = field_given(given, "data_file_raw");
    bool size = field_given(given, "size");
    struct json_object *words = NULL;
    struct qcow2_amend o = {0};
    uint32_t version = 0;
    int r;

    if ((r = qcow2_check_writable(b, e)) < 0)
        return r;
    json_object_deep_copy(given, &words, NULL);
    r = fields_take(qcow2_amend_fields, words, &o, e);
    json_object_put(words);
    if (r < 0)
        return r;
    if ((r = check_words(b, &o, given, &version, e)) >= 0 &&
        (r = amend_crypt(b, &o, force, e)) >= 0) {
        pthread_mutex_lock(&s->lock);
        r = amend_locked(b, &o, version, lazy, raw, e);
        pthread_mutex_unlock(&s->lock);
    }
    if (r >= 0 && size && o.size != s->h.size)
        r = qcow2_truncate(b, o.size, BLK_PREALLOC_OFF, 0, e);
    if (r >= 0 && progress)
        progress(opaque, 1, 1);
    fields_free(qcow2_amend_fields, &o);
    return r;
}
