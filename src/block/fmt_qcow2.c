/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -f qcow2: opening, closing, describing.  Specification: docs/interop/qcow2.txt, versions 2 and 3. */
#include "block/fmt_qcow2_bitmap_priv.h"

#include <stdio.h>

extern const struct blk_driver fmt_qcow2;

const struct field qcow2_open_fields[] = {
    FIELD(qcow2_opts, lazy_refcounts, F_BOOL, "lazy-refcounts", NULL, "postpone refcounts"),
    FIELD(qcow2_opts, pass_request, F_BOOL, "pass-discard-request", NULL,
          "pass the guest's discards to the host"),
    FIELD(qcow2_opts, pass_snapshot, F_BOOL, "pass-discard-snapshot", "on",
          "tell the host of space that deleting snapshots frees"),
    FIELD(qcow2_opts, pass_other, F_BOOL, "pass-discard-other", "off",
          "tell the host of other freed space"),
    FIELD(qcow2_opts, discard_no_unref, F_BOOL, "discard-no-unref", "off",
          "discarded clusters stay allocated"),
    FIELD(qcow2_opts, overlap_check, F_TREE, "overlap-check", NULL,
          "none, constant, cached or all: watch over metadata; or .template, .active-l2, ..."),
    FIELD(qcow2_opts, l2_cache_size, F_SIZE, "l2-cache-size", NULL, "bytes for L2 tables, at most"),
    FIELD(qcow2_opts, l2_cache_entry_size, F_SIZE, "l2-cache-entry-size", NULL,
          "accepted: pages of 4 KiB are used"),
    FIELD(qcow2_opts, refcount_cache_size, F_SIZE, "refcount-cache-size", NULL,
          "bytes for refcount blocks, at most"),
    FIELD(qcow2_opts, cache_size, F_SIZE, "cache-size", NULL, "bytes for both, at most"),
    FIELD(qcow2_opts, cache_clean_interval, F_U64, "cache-clean-interval", "600",
          "seconds after which tables that nobody used leave memory; 0: never"),
    FIELD(qcow2_opts, encrypt_format, F_STR, "encrypt.format", NULL, "luks or aes"),
    FIELD(qcow2_opts, encrypt_key_secret, F_STR, "encrypt.key-secret", NULL,
          "name of the secret that unlocks the image"),
    FIELD_END,
};

static int qcow2_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= 8 && get_be32(head) == QCOW2_MAGIC && get_be32(head + 4) >= 2 ? 100 : 0;
}

/* Opening ---------------------------------------------------------------------------------------- */

static int check_options(struct qcow2 *s, struct err *e)
{
    const struct qcow2_opts *o = s->o;

    if (qcow2_overlap_options(o->overlap_check, &s->overlap_mask, e) < 0)
        return e->code;
    if (o->cache_size && o->l2_cache_size && o->refcount_cache_size)
        return err_set(e, -EINVAL, "cache-size, l2-cache-size and refcount-cache-size may not be "
                                   "set at the same time");
    if (o->cache_size && o->l2_cache_size > o->cache_size)
        return err_set(e, -EINVAL, "l2-cache-size may not exceed cache-size");
    if (o->cache_size && o->refcount_cache_size > o->cache_size)
        return err_set(e, -EINVAL, "refcount-cache-size may not exceed cache-size");
    if (o->l2_cache_entry_size &&
        (!is_pow2(o->l2_cache_entry_size) || o->l2_cache_entry_size < 512 ||
         o->l2_cache_entry_size > s->cluster_size))
        return err_set(e, -EINVAL, "L2 cache entry size must be a power of two between 512 and the "
                                   "cluster size (%" PRIu64 ")", s->cluster_size);
    if (o->cache_clean_interval > UINT32_MAX)
        return err_set(e, -EINVAL, "Cache clean interval too big");
    if (o->lazy_refcounts && s->h.version < 3)
        return err_set(e, -EINVAL, "Lazy refcounts require a qcow2 image with at least qemu 1.1 "
                                   "compatibility level");
    return 0;
}

static int take_options(struct blk *b, struct json_object *opts, struct err *e)
{
    struct qcow2 *s = b->state;
    bool request = field_given(opts, "pass-discard-request");
    bool lazy = field_given(opts, "lazy-refcounts");
    int r;

    if (!(s->o = calloc(1, sizeof(*s->o))))
        fatal("out of memory");
    if ((r = fields_take(qcow2_open_fields, opts, s->o, e)) < 0) {
        free(s->o);
        s->o = NULL;
        return r;
    }
    if (!request)
        s->o->pass_request = b->flags & BLK_UNMAP;
    if (!lazy)
        s->o->lazy_refcounts = s->h.compatible & QCOW2_LAZY_REFCOUNTS;
    return check_options(s, e);
}

static int read_header(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint8_t buf[112] = {0};
    int r = qcow2_pread(b, 0, buf, sizeof(buf), e);

    if (r < 0)
        return err_wrap(e, r, "Could not read qcow2 header");
    if ((r = qcow2_parse_header(buf, min_u64(sizeof(buf), blk_size_now(b->file)), &s->h, e)) < 0)
        return r;
    s->cluster_bits = s->h.cluster_bits;
    s->cluster_size = UINT64_C(1) << s->cluster_bits;
    s->cluster_mask = s->cluster_size - 1;
    s->page_bits = s->cluster_bits < 12 ? s->cluster_bits : 12;
    s->page_size = UINT64_C(1) << s->page_bits;
    s->extended = s->h.incompatible & QCOW2_EXTENDED_L2;
    s->entry_words = s->extended ? 2 : 1;
    s->l2_bits = s->cluster_bits - 3 - s->extended;
    s->sub_bits = s->cluster_bits - (s->extended ? 5 : 0);
    if (s->h.incompatible & ~(uint64_t)QCOW2_INCOMPATIBLE_KNOWN)
        return qcow2_refuse_features(b, e);
    if (s->extended && s->cluster_bits < 14)
        return err_set(e, -EINVAL,
                       "Extended L2 entries are only supported with cluster sizes of at least "
                       "16384 bytes");
    if (s->h.crypt_method > 2)
        return err_set(e, -ENOTSUP, "Unsupported encryption method %" PRIu32, s->h.crypt_method);
    if (s->h.incompatible & QCOW2_CORRUPT) {
        if ((b->flags & BLK_RDWR) && !(b->flags & BLK_CHECK))
            return err_set(e, -EACCES, "qcow2: Image is corrupt; cannot be opened read/write");
        s->corrupt = 1;
    }
    return 0;
}

static bool bad_table(const struct qcow2 *s, uint64_t off, uint64_t bytes)
{
    return (off & s->cluster_mask) || off > INT64_MAX - bytes;
}

static int check_tables(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    const struct qcow2_header *h = &s->h;
    uint64_t reftable = (uint64_t)h->refcount_table_clusters << s->cluster_bits;

    if (!h->refcount_table_clusters && !(b->flags & BLK_CHECK))
        return err_set(e, -EINVAL, "Image does not contain a reference count table");
    if (reftable > QCOW2_MAX_REFTABLE)
        return err_set(e, -EFBIG, "Reference count table too large");
    if (bad_table(s, h->refcount_table_offset, reftable))
        return err_set(e, -EINVAL, "Reference count table offset invalid");
    if (h->l1_size > QCOW2_MAX_L1 / 8)
        return err_set(e, -EFBIG, "Active L1 table too large");
    if (bad_table(s, h->l1_table_offset, h->l1_size * UINT64_C(8)))
        return err_set(e, -EINVAL, "Active L1 table offset invalid");
    if (h->size > INT64_MAX || qcow2_l1_entries(s, h->size) > QCOW2_MAX_L1 / 8)
        return err_set(e, -EFBIG, "Image is too big");
    if (h->l1_size < qcow2_l1_entries(s, h->size))
        return err_set(e, -EINVAL, "L1 table is too small");
    return 0;
}

static int load_l1(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t bytes = s->h.l1_size * UINT64_C(8);
    int r;

    s->l1 = blk_alloc_foreign(bytes, QCOW2_MAX_L1, "L1 table", e);
    s->l1_dirty = calloc(bytes / s->page_size + 1, sizeof(bool));
    if (!s->l1 || !s->l1_dirty)
        return e->code;
    if (!bytes)
        return 0;
    if ((r = qcow2_pread(b, s->h.l1_table_offset, s->l1, bytes, e)) < 0)
        return err_wrap(e, r, "Could not read L1 table");
    for (uint64_t i = 0; i < s->h.l1_size; i++)
        s->l1[i] = be64toh(s->l1[i]);
    return 0;
}

/* Room for all tables of the disk, within limits that the user may set. */
static void make_caches(struct blk *b)
{
    struct qcow2 *s = b->state;
    const struct qcow2_opts *o = s->o;
    uint64_t clusters = (s->h.size >> s->cluster_bits) + 1, l2 = clusters * 8 * s->entry_words;
    uint64_t refs = (clusters << s->h.refcount_order) / 8 + s->page_size;
    uint64_t l2_max = o->l2_cache_size ? o->l2_cache_size : 32 * MiB;
    uint64_t refs_max = o->refcount_cache_size ? o->refcount_cache_size : 8 * MiB;

    if (o->cache_size && !o->l2_cache_size)
        l2_max = o->refcount_cache_size < o->cache_size ? o->cache_size - o->refcount_cache_size
                                                        : s->page_size;
    /* Sets are filled unevenly: twice the room costs only pointers. */
    qcow2_cache_init(&s->l2, min_u64(l2 * 2, min_u64(l2_max, 1 * GiB)), s->page_size);
    qcow2_cache_init(&s->refs, min_u64(refs * 2, min_u64(refs_max, 1 * GiB)), s->page_size);
}

static int open_data_file(struct blk *b, struct json_object *opts, struct err *e)
{
    struct qcow2 *s = b->state;

    if (!(s->h.incompatible & QCOW2_DATA_FILE)) {
        if (field_given(opts, "data-file"))
            return err_set(e, -EINVAL, "'data-file' can only be set for images with an external "
                                       "data file");
        return 0;
    }
    if ((b->flags & BLK_NO_IO) && !(b->flags & BLK_RDWR) && !field_given(opts, "data-file")) {
        s->data_file = NULL; /* only looking */
        return 0;
    }
    s->data_file = blk_open_child(b, opts, "data-file", s->data_file_name, "file",
                                  b->flags & ~(BLK_WRITE_THROUGH | BLK_DETECT_ZEROES), e);
    if (!s->data_file)
        return e->code;
    s->data_file_raw = s->h.autoclear & QCOW2_DATA_FILE_RAW;
    return 0;
}

static int crypt_read(void *opaque, uint64_t off, void *buf, size_t len, struct err *e)
{
    struct blk *b = opaque;
    const struct qcow2 *s = b->state;

    if (off > s->crypt_len || len > s->crypt_len - off)
        return err_set(e, -EINVAL, "Requested data outside encryption header");
    return qcow2_pread(b, s->crypt_offset + off, buf, len, e);
}

static int crypt_write(void *opaque, uint64_t off, const void *buf, size_t len, struct err *e)
{
    struct blk *b = opaque;
    const struct qcow2 *s = b->state;

    if (off > s->crypt_len || len > s->crypt_len - off)
        return err_set(e, -EINVAL, "Requested data outside encryption header");
    return qcow2_pwrite(b, s->crypt_offset + off, buf, len, e);
}

struct crypt_header qcow2_crypt_header(struct blk *b)
{
    return (struct crypt_header){
        .read = crypt_read, .write = crypt_write, .opaque = b, .len = qcow2_of(b)->crypt_len};
}

static int open_crypt(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    struct crypt_header header = qcow2_crypt_header(b);
    const char *format = s->h.crypt_method == 2 ? "luks" : "aes";

    if (!s->h.crypt_method)
        return s->o->encrypt_format
                   ? err_set(e, -EINVAL, "No encryption in image header, but options specified "
                                         "format '%s'", s->o->encrypt_format)
                   : 0;
    if (s->o->encrypt_format && strcmp(s->o->encrypt_format, format))
        return err_set(e, -EINVAL, "Header reported '%s' encryption format but options specify "
                                   "'%s'", format, s->o->encrypt_format);
    b->coded = true;
    return crypt_open(b->env, format, s->o->encrypt_key_secret, "encrypt.",
                      b->flags & BLK_NO_IO, &header, &s->crypt, e);
}

/* Space that was allocated in advance is better asked about below: there is less of it on the host than
 * the image has in use.  Counting takes long for large images: the file's size must do for them. */
static bool looks_preallocated(struct blk *b)
{
    enum { COUNTED = 64 }; /* refcount blocks: 128 GiB by default */
    const struct qcow2 *s = b->state;
    int64_t on_disk = blk_disk_size(b->file);

    if (on_disk < 0 || (uint64_t)on_disk >= blk_size_now(b->file) / 10 * 9)
        return false;
    return s->reftable_used > COUNTED ||
           (uint64_t)on_disk < (qcow2_clusters_used(b) << s->cluster_bits) / 10 * 9;
}

/* Bits that we do not know say "valid as long as nobody who does not know us writes". */
static int clear_autoclear(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t known = s->h.autoclear & (QCOW2_BITMAPS | QCOW2_DATA_FILE_RAW);

    if (!(b->flags & BLK_RDWR) || s->h.version < 3 || known == s->h.autoclear)
        return 0;
    s->h.autoclear = known;
    return qcow2_store_fields(b, e);
}

static void ignore_line(void *opaque, const char *text)
{
}

/* Refcounts were postponed by somebody who did not come to write them. */
static int repair_dirty(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    struct blk_check res = {.line = ignore_line};
    int r;

    if (!(s->h.incompatible & QCOW2_DIRTY) || !(b->flags & BLK_RDWR) || (b->flags & BLK_CHECK))
        return 0;
    if ((r = qcow2_check(b, &res, BLK_FIX_LEAKS | BLK_FIX_ERRORS, e)) < 0)
        return err_wrap(e, r, "Could not repair dirty image");
    if (res.corruptions || res.check_errors)
        return err_set(e, -EIO, "Could not repair dirty image: %" PRIu64 " corruptions remain",
                       res.corruptions);
    return 0;
}

static int load(struct blk *b, struct json_object *opts, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    if ((r = take_options(b, opts, e)) < 0 || (r = check_tables(b, e)) < 0 ||
        (r = qcow2_load_extensions(b, e)) < 0 || (r = open_data_file(b, opts, e)) < 0)
        return r;
    make_caches(b);
    if ((r = load_l1(b, e)) < 0 || (r = qcow2_reftable_load(b, e)) < 0 ||
        (r = qcow2_snapshots_load(b, e)) < 0 || (r = qcow2_bitmaps_open(b, e)) < 0 ||
        (r = open_crypt(b, e)) < 0)
        return r;
    s->high_water = round_up(blk_size_now(b->file), s->cluster_size);
    s->maybe_holes = looks_preallocated(b);
    return clear_autoclear(b, e);
}

static void unload(struct blk *b)
{
    struct qcow2 *s = b->state;

    qcow2_snapshots_free(s);
    qcow2_bitmaps_free(s);
    qcow2_cache_free(&s->l2);
    qcow2_cache_free(&s->refs);
    qcow2_workspaces_free(b);
    crypt_free(s->crypt);
    for (unsigned i = 0; i < s->n_unknown; i++)
        free(s->unknown[i].data);
    free(s->unknown);
    free(s->data_file_name);
    free(s->l1);
    free(s->l1_dirty);
    free(s->reftable);
    free(s->reftable_dirty);
    free(s->unrefs);
    if (s->o)
        fields_free(qcow2_open_fields, s->o);
    free(s->o);
    if (s->data_file)
        blk_close(s->data_file, ERR_IGNORE);
    pthread_mutex_destroy(&s->lock);
    pthread_mutex_destroy(&s->bitmaps_lock);
    pthread_mutex_destroy(&s->workspaces_lock);
}

static int qcow2_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->bitmaps_lock, NULL);
    pthread_mutex_init(&s->workspaces_lock, NULL);
    if ((r = read_header(b, e)) < 0 || (r = load(b, opts, e)) < 0) {
        unload(b);
        return r;
    }
    b->size = s->h.size;
    b->cluster = s->cluster_size;
    if ((r = repair_dirty(b, e)) < 0)
        unload(b);
    else
        qcow2_clean_begin(b);
    return r;
}

static int qcow2_flush(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    int r;

    pthread_mutex_lock(&s->lock);
    r = qcow2_write_back(b, e);
    pthread_mutex_unlock(&s->lock);
    if (r >= 0 && s->data_file && !(b->flags & BLK_NO_FLUSH))
        r = blk_flush(s->data_file, e);
    return r;
}

/* The last cluster may be written in part: files are whole clusters for those who look. */
static int pad_file(struct blk *b, struct err *e)
{
    uint64_t size = blk_size_now(b->file), whole = round_up(size, qcow2_of(b)->cluster_size);

    return whole == size ? 0 : blk_truncate(b->file, whole, BLK_PREALLOC_OFF, 0, e);
}

static int qcow2_close(struct blk *b, struct err *e)
{
    struct qcow2 *s = b->state;
    bool write = (b->flags & BLK_RDWR) && !s->corrupt;
    int r = 0;

    qcow2_clean_end(b);
    if (write && (r = qcow2_settle(b, e)) >= 0 && (r = qcow2_bitmaps_store(b, e)) >= 0)
        r = pad_file(b, ERR_IGNORE) < 0 ? 0 : r; /* cosmetic */
    unload(b);
    return r;
}

/* Describing --------------------------------------------------------------------------------------- */

static void add(struct json_object *o, const char *key, struct json_object *v)
{
    json_object_object_add(o, key, v);
}

static struct json_object *describe_bitmaps(const struct qcow2 *s)
{
    struct json_object *list = json_object_new_array();

    for (unsigned i = 0; i < s->n_bitmaps; i++) {
        const struct qcow2_bitmap *m = &s->bitmaps[i];
        struct json_object *o = json_object_new_object(), *flags = json_object_new_array();

        if (m->marked)
            json_object_array_add(flags, json_object_new_string("in-use"));
        if (m->info.enabled)
            json_object_array_add(flags, json_object_new_string("auto"));
        add(o, "flags", flags);
        add(o, "name", json_object_new_string(m->info.name));
        add(o, "granularity", json_object_new_int64((int64_t)m->info.granularity));
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *describe(struct blk *b)
{
    const struct qcow2 *s = b->state;
    struct json_object *o = json_object_new_object();
    bool v3 = s->h.version >= 3;

    add(o, "compat", json_object_new_string(v3 ? "1.1" : "0.10"));
    add(o, "compression-type",
        json_object_new_string(s->h.compression_type == QCOW2_ZSTD ? "zstd" : "zlib"));
    if (v3)
        add(o, "lazy-refcounts",
            json_object_new_boolean(!!(s->h.compatible & QCOW2_LAZY_REFCOUNTS)));
    if (s->n_bitmaps)
        add(o, "bitmaps", describe_bitmaps(s));
    add(o, "refcount-bits", json_object_new_int(1 << s->h.refcount_order));
    if (s->crypt) {
        struct json_object *c = crypt_info(s->crypt);

        add(c, "format", json_object_new_string(s->h.crypt_method == 2 ? "luks" : "aes"));
        add(o, "encrypt", c);
    }
    if (!v3)
        return o;
    if (s->data_file_name) {
        add(o, "data-file", json_object_new_string(s->data_file_name));
        add(o, "data-file-raw", json_object_new_boolean(!!(s->h.autoclear & QCOW2_DATA_FILE_RAW)));
    }
    add(o, "corrupt", json_object_new_boolean(!!(s->h.incompatible & QCOW2_CORRUPT)));
    add(o, "extended-l2", json_object_new_boolean(s->extended));
    return o;
}

static int qcow2_info(struct blk *b, struct blk_info *i, struct err *e)
{
    const struct qcow2 *s = b->state;

    i->cluster_size = s->cluster_size;
    i->vm_state_off = (uint64_t)qcow2_l1_entries(s, b->size) << (s->cluster_bits + s->l2_bits);
    i->dirty = s->h.incompatible & QCOW2_DIRTY;
    i->encrypted = s->h.crypt_method;
    i->can_write_zeroes = i->unmaps_zeroes = s->h.version >= 3;
    i->specific = describe(b);
    return 0;
}

const struct blk_driver fmt_qcow2 = {
    .name = "qcow2",
    .help = "QEMU's copy-on-write format, versions 2 and 3",
    .kind = BLK_FORMAT,
    .backing = true,
    .state_size = sizeof(struct qcow2),
    .open_opts = qcow2_open_fields,
    .how = (const char *const[]){"lazy-refcounts", "pass-discard-request", "pass-discard-snapshot", "pass-discard-other",
                                 "discard-no-unref", "overlap-check", "l2-cache-size", "l2-cache-entry-size", "refcount-cache-size", "cache-size", "cache-clean-interval", NULL},
    .probe = qcow2_probe,
    .open = qcow2_open,
    .close = qcow2_close,
    .flush = qcow2_flush,
    .truncate = qcow2_truncate,
    .info = qcow2_info,
    .check = qcow2_check,
    .change_backing = qcow2_change_backing,
    .make_empty = qcow2_make_empty,
    .map = &qcow2_map_ops,
    .snapshots = &qcow2_snapshot_ops,
    .bitmaps = &qcow2_bitmap_ops,
    .create = &qcow2_create_ops,
};
