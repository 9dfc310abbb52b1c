/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: making images. */
#include "block/fmt_qcow2_priv.h"

/* struct qcow2_create - the create options. */
struct qcow2_create {
    char *encrypt_format;
    struct crypt_create_opts crypt;
    bool encryption;
    uint64_t cluster_size, size, refcount_bits;
    bool extended_l2, data_file_raw, lazy_refcounts;
    char *preallocation, *compression_type, *backing_file, *backing_fmt, *data_file, *compat;
};

/* In the order in which the reference prints them when it makes an image. */
static const struct field create_fields[] = {
    FIELD(qcow2_create, encryption, F_BOOL, "encryption", NULL,
          "Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)"),
    FIELD(qcow2_create, encrypt_format, F_STR, "encrypt.format", NULL,
          "Encrypt the image, format choices: 'aes', 'luks'"),
    CRYPT_CREATE_FIELDS(qcow2_create, "encrypt.", "ID of secret providing qcow AES key or LUKS passphrase"),
    FIELD(qcow2_create, cluster_size, F_SIZE, "cluster_size", "65536", "qcow2 cluster size"),
    FIELD(qcow2_create, extended_l2, F_BOOL, "extended_l2", "off", "Extended L2 tables"),
    FIELD(qcow2_create, preallocation, F_STR, "preallocation", NULL,
          "Preallocation mode (allowed values: off, metadata, falloc, full)"),
    FIELD(qcow2_create, compression_type, F_STR, "compression_type", "zlib",
          "Compression method used for image cluster compression"),
    QCOW2_LASTING_FIELDS(qcow2_create, "off", "16"),
    FIELD_END,
};

/* struct plan - the options, checked. */
struct plan {
    struct qcow2_header h;
    enum blk_prealloc prealloc;
    uint64_t cluster_size;
    const struct qcow2_create *o;
};

static int word_index(const char *word, const char *const *words)
{
    for (int i = 0; words[i]; i++)
        if (!strcmp(word, words[i]))
            return i;
    return -1;
}

static int plan_words(const struct qcow2_create *o, struct plan *p, struct err *e)
{
    static const char *const compats[] = {"0.10", "v2", "1.1", "v3", NULL};
    static const char *const types[] = {"zlib", "zstd", NULL};
    int compat = o->compat ? word_index(o->compat, compats) : 3;
    int type = o->compression_type ? word_index(o->compression_type, types) : 0;
    int prealloc = o->preallocation ? word_index(o->preallocation, blk_prealloc_names) : 0;

    if (compat < 0)
        return err_set(e, -EINVAL, "Parameter 'version' does not accept value '%s'", o->compat);
    if (type < 0)
        return err_set(e, -EINVAL, "Parameter 'compression-type' does not accept value '%s'",
                       o->compression_type);
    if (prealloc < 0)
        return err_set(e, -EINVAL, "Parameter 'preallocation' does not accept value '%s'",
                       o->preallocation);
    p->h.version = compat < 2 ? 2 : 3;
    p->h.compression_type = (uint8_t)type;
    p->prealloc = (enum blk_prealloc)prealloc;
    return 0;
}

static int plan_sizes(const struct qcow2_create *o, struct plan *p, struct err *e)
{
    if (!is_pow2(o->cluster_size) || o->cluster_size < UINT64_C(1) << QCOW2_MIN_CLUSTER_BITS ||
        o->cluster_size > UINT64_C(1) << QCOW2_MAX_CLUSTER_BITS)
        return err_set(e, -EINVAL, "Cluster size must be a power of two between 512 and 2048k");
    if (o->extended_l2 && p->h.version < 3)
        return err_set(e, -EINVAL, "Extended L2 entries are only supported with compatibility "
                                   "level 1.1 and above (use version=v3 or greater)");
    if (o->extended_l2 && o->cluster_size < 16 * KiB)
        return err_set(e, -EINVAL, "Extended L2 entries are only supported with cluster sizes of "
                                   "at least 16384 bytes");
    if (!is_pow2(o->refcount_bits) || o->refcount_bits > 64)
        return err_set(e, -EINVAL,
                       "Refcount width must be a power of two and may not exceed 64 bits");
    p->cluster_size = o->cluster_size;
    p->h.cluster_bits = (uint32_t)__builtin_ctzll(o->cluster_size);
    p->h.refcount_order = (uint32_t)__builtin_ctzll(o->refcount_bits);
    p->h.size = o->size;
    return 0;
}

static int plan_versions(const struct qcow2_create *o, const struct plan *p, struct err *e)
{
    if (p->h.version >= 3)
        return 0;
    if (o->refcount_bits != 16)
        return err_set(e, -EINVAL, "Different refcount widths than 16 bits require compatibility "
                                   "level 1.1 or above (use version=v3 or greater)");
    if (o->lazy_refcounts)
        return err_set(e, -EINVAL, "Lazy refcounts only supported with compatibility level 1.1 "
                                   "and above (use version=v3 or greater)");
    if (p->h.compression_type)
        return err_set(e, -EINVAL, "Non-zlib compression type is only supported with "
                                   "compatibility level 1.1 and above (use version=v3 or greater)");
    if (o->data_file)
        return err_set(e, -EINVAL, "External data files are only supported with compatibility "
                                   "level 1.1 and above (use version=v3 or greater)");
    return 0;
}

static int plan_files(const struct qcow2_create *o, const struct plan *p, struct err *e)
{
    if (o->backing_file && p->prealloc && !o->extended_l2)
        return err_set(e, -EINVAL, "Backing file and preallocation can only be used at the same "
                                   "time if extended_l2 is on");
    if (o->backing_fmt && !o->backing_file)
        return err_set(e, -EINVAL, "Backing format cannot be used without backing file");
    if (o->data_file_raw && !o->data_file)
        return err_set(e, -EINVAL, "data-file-raw requires data-file");
    if (o->data_file_raw && o->backing_file)
        return err_set(e, -EINVAL,
                       "Backing file and data-file-raw cannot be used at the same time");
    if (o->backing_file && strlen(o->backing_file) > 1023)
        return err_set(e, -EINVAL, "Backing file name too long");
    return 0;
}

static int make_plan(const struct qcow2_create *o, struct plan *p, struct err *e)
{
    int r;

    memset(p, 0, sizeof(*p));
    p->o = o;
    if ((r = plan_words(o, p, e)) < 0 || (r = plan_sizes(o, p, e)) < 0 ||
        (r = plan_files(o, p, e)) < 0 || (r = plan_versions(o, p, e)) < 0)
        return r;
    p->h.header_length = p->h.version < 3 ? 72 : 112;
    if (o->lazy_refcounts)
        p->h.compatible |= QCOW2_LAZY_REFCOUNTS;
    if (p->h.compression_type)
        p->h.incompatible |= QCOW2_COMPRESSION;
    if (o->extended_l2)
        p->h.incompatible |= QCOW2_EXTENDED_L2;
    if (o->data_file)
        p->h.incompatible |= QCOW2_DATA_FILE;
    if (o->data_file_raw)
        p->h.autoclear |= QCOW2_DATA_FILE_RAW;
    return 0;
}

enum { SEED_HEAD = 128 << 10, SEED_PIECES = 3 * ((1 << QCOW2_MAX_CLUSTER_BITS) / SEED_HEAD) };

/* Header, refcount table and one refcount block; no L1 yet: an empty disk. */
static int write_seed(struct blk *file, const struct plan *p, struct err *e)
{
    struct qcow2_header h = p->h;
    uint64_t cs = p->cluster_size, head = min_u64(cs, SEED_HEAD);
    struct iovec iov[SEED_PIECES];
    uint8_t *buf; /* the beginnings of three clusters, and zeros for all the rest */
    int r, n = 0;

    if (posix_memalign((void **)&buf, 4096, 4 * head))
        fatal("out of memory");
    memset(buf, 0, 4 * head);
    h.size = 0;
    h.refcount_table_offset = cs;
    h.refcount_table_clusters = 1;
    h.l1_table_offset = 3 * cs;
    h.incompatible &= ~(uint64_t)QCOW2_DATA_FILE; /* not until its name is there */
    h.autoclear = 0;
    qcow2_put_header(&h, buf);
    put_be64(buf + head, 2 * cs);
    for (uint64_t i = 0; i < 3; i++)
        qcow2_put_count(buf + 2 * head, h.refcount_order, i, 1);
    for (uint64_t at = 0; at < 3 * cs; at += head)
        iov[n++] = (struct iovec){buf + (at % cs ? 3 : at / cs) * head, head};
    r = node_writev(file, 0, 3 * cs, iov, n, 0, e);
    free(buf);
    return r;
}

/* struct reserve - where the encryption header goes. */
static int crypt_reserve(void *opaque, uint64_t len, struct err *e)
{
    struct blk *b = opaque;
    struct qcow2 *s = b->state;
    int r;

    pthread_mutex_lock(&s->lock);
    r = qcow2_alloc_bytes(b, len, &s->crypt_offset, e);
    pthread_mutex_unlock(&s->lock);
    s->crypt_len = len;
    return r;
}

static int add_encryption(struct blk *b, const struct qcow2_create *o, struct err *e)
{
    struct qcow2 *s = b->state;
    const char *format = o->encrypt_format ? o->encrypt_format : o->encryption ? "aes" : NULL;
    int r;

    if (!format)
        return 0;
    if (o->encryption && o->encrypt_format)
        return err_set(e, -EINVAL, "Options encryption and encrypt.format are mutually exclusive");
    if (strcmp(format, "luks") && strcmp(format, "aes"))
        return err_set(e, -EINVAL, "Parameter 'encrypt.format' does not accept value '%s'", format);
    struct crypt_header header = qcow2_crypt_header(b);

    header.reserve = crypt_reserve;
    if ((r = crypt_create(b->env, format, &o->crypt, "encrypt.", &header, e)) < 0)
        return r;
    s->h.crypt_method = !strcmp(format, "luks") ? 2 : 1;
    return 0;
}

static int add_data_file(struct blk *b, const struct qcow2_create *o, struct err *e)
{
    struct qcow2 *s = b->state;

    if (!o->data_file)
        return 0;
    s->h.incompatible |= QCOW2_DATA_FILE;
    if (o->data_file_raw)
        s->h.autoclear |= QCOW2_DATA_FILE_RAW;
    if (!(s->data_file_name = strdup(o->data_file)))
        fatal("out of memory");
    return 0;
}

/* The rest with the ordinary functions, on the empty disk. */
static int fill_image(struct blk *b, const struct plan *p, struct err *e)
{
    const struct qcow2_create *o = p->o;
    int r;

    if ((r = add_encryption(b, o, e)) < 0 || (r = add_data_file(b, o, e)) < 0)
        return r;
    if (o->backing_file)
        b->backing_file = strdup(o->backing_file);
    if (o->backing_fmt)
        b->backing_format = strdup(o->backing_fmt);
    return qcow2_set_size(b, p->h.size, e) < 0 ? e->code : qcow2_store_header(b, e);
}

static int create_data_file(struct blk_env *env, const char *filename, const struct plan *p,
                            struct err *e)
{
    if (!p->o->data_file)
        return 0;
    char *name = blk_relative_name(filename, p->o->data_file);
    struct blk *data = blk_create_file(env, name, 0, NULL, e);
    int r = data ? 0 : e->code;

    if (data && p->o->data_file_raw)
        r = blk_truncate(data, p->h.size, BLK_PREALLOC_OFF, 0, e);
    if (data)
        blk_close(data, ERR_IGNORE);
    free(name);
    return r;
}

static int preallocate(struct blk_env *env, const char *filename, const struct plan *p,
                       struct err *e)
{
    struct json_object *opts = json_object_new_object();
    struct blk *b;
    int r;

    json_object_object_add(opts, "driver", json_object_new_string("qcow2"));
    if (p->o->crypt.key_secret)
        keyval_set(opts, "encrypt.key-secret", json_object_new_string(p->o->crypt.key_secret), e);
    b = blk_open(env, filename, opts, BLK_RDWR | BLK_NO_BACKING | BLK_NO_FLUSH, e);
    if (!b)
        return e->code;
    r = qcow2_preallocate(b, 0, p->h.size, p->prealloc, e);
    if (r < 0) {
        blk_close(b, ERR_IGNORE);
        return r;
    }
    return blk_close(b, e);
}

static int qcow2_create(struct blk_env *env, const char *filename, void *opts,
                        struct json_object *protocol, struct err *e)
{
    struct plan p;
    struct blk *file, *b;
    int r;

    if ((r = make_plan(opts, &p, e)) < 0 || (r = qcow2_check_size(&p.h, e)) < 0 ||
        (r = create_data_file(env, filename, &p, e)) < 0)
        return r;
    if (!(file = blk_create_file(env, filename, 0, protocol, e)))
        return e->code;
    if ((r = write_seed(file, &p, e)) < 0) {
        blk_close(file, ERR_IGNORE);
        return r;
    }
    if (!(b = blk_open_on(file, "qcow2", NULL, BLK_RDWR | BLK_RESIZE | BLK_NO_FLUSH, e)))
        return e->code;
    r = fill_image(b, &p, e);
    if (r < 0)
        blk_close(b, ERR_IGNORE);
    else
        r = blk_close(b, e);
    return r >= 0 && p.prealloc ? preallocate(env, filename, &p, e) : r;
}

static int qcow2_measure(struct blk_env *env, const void *opts, struct blk *src, uint64_t size,
                         struct blk_measure *m, struct err *e)
{
    const struct qcow2_create *o = opts;
    struct plan p;
    int r = make_plan(o, &p, e);

    if (r < 0)
        return r;
    struct qcow2_measure q = {.cluster_bits = p.h.cluster_bits,
                              .refcount_order = p.h.refcount_order,
                              .extended = o->extended_l2,
                              .no_bitmaps = p.h.version < 3,
                              .whole = p.prealloc == BLK_PREALLOC_FALLOC ||
                                       p.prealloc == BLK_PREALLOC_FULL};

    if (o->encrypt_format &&
        (r = crypt_header_length(o->encrypt_format, &o->crypt, &q.crypt_len, e)) < 0)
        return r;
    p.h.size = src ? blk_size_now(src) : size;
    if ((r = qcow2_check_size(&p.h, e)) < 0)
        return err_set(e, r, "The image size is too large (try using a larger cluster size)");
    return qcow2_measure_image(&q, src, p.h.size, m, e);
}

const struct blk_create_ops qcow2_create_ops = {
    .opts = create_fields,
    .opts_size = sizeof(struct qcow2_create),
    .create = qcow2_create,
    .measure = qcow2_measure,
    .amend_opts = qcow2_amend_fields,
    .amend = qcow2_amend,
};
