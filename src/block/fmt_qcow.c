/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -f qcow: the first version of QEMU's copy-on-write images, after "The QCOW Image Format" (M. McLoughlin):
 * two levels of tables, clusters plain or deflated; big-endian.  There is no count of references, so what
 * is replaced is lost until the image is converted.
 */
#include "block/table.h"

#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

extern const struct blk_driver fmt_qcow;

/* Offsets in the header. */
enum {
    H_VERSION = 4,
    H_BACKING = 8,
    H_BACKING_LEN = 16,
    H_SIZE = 24,
    H_CLUSTER_BITS = 32,
    H_L2_BITS = 33,
    H_CRYPT = 36,
    H_L1 = 40,
    HEADER = 48,
    MAX_NAME = 1023,
};
#define MAGIC      UINT32_C(0x514649fb)
#define COMPRESSED (UINT64_C(1) << 63)
enum { WINDOW = -12 }; /* deflate without a zlib header */
enum { RUN = 128 };    /* clusters of one allocation at most */

/* struct qcow - [lock]: tables, allocation. */
struct qcow {
    pthread_mutex_t lock;
    struct bat l1;
    struct tcache *tables;
    struct room room;
    uint64_t cluster, entries; /* bytes; entries of a table of the second level */
    unsigned bits;             /* of a cluster */
};

static int qcow_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= HEADER && get_be32(head) == MAGIC && get_be32(head + H_VERSION) == 1 ? 100 : 0;
}

/* Opening ------------------------------------------------------------------------------------------- */

static int check_header(const uint8_t *h, struct err *e)
{
    if (get_be32(h) != MAGIC)
        return err_set(e, -EINVAL, "Image not in qcow format");
    if (get_be32(h + H_VERSION) != 1)
        return err_set(e, -ENOTSUP, "qcow (v%" PRIu32 ") does not support qcow version %" PRIu32
                       ": try 'qcow2'", get_be32(h + H_VERSION), get_be32(h + H_VERSION));
    if (get_be64(h + H_SIZE) <= 1)
        return err_set(e, -EINVAL, "Image size is too small (must be at least 2 bytes)");
    if (get_be64(h + H_SIZE) > INT64_MAX)
        return err_set(e, -EINVAL, "Image too large: %" PRIu64 " bytes", get_be64(h + H_SIZE));
    if (h[H_CLUSTER_BITS] < 9 || h[H_CLUSTER_BITS] > 16)
        return err_set(e, -EINVAL, "Cluster size must be between 512 and 64k");
    if (h[H_L2_BITS] < 6 || h[H_L2_BITS] > 13)
        return err_set(e, -EINVAL, "L2 table size must be between 512 and 64k");
    if (get_be32(h + H_CRYPT) == 1)
        return err_set(e, -ENOTSUP, "AES encryption of qcow images is not supported: it is broken");
    if (get_be32(h + H_CRYPT))
        return err_set(e, -EINVAL, "invalid encryption method in qcow header");
    return 0;
}

static int read_backing(struct blk *b, const uint8_t *h, struct err *e)
{
    uint64_t at = get_be64(h + H_BACKING);
    uint32_t len = get_be32(h + H_BACKING_LEN);

    if (!at)
        return 0;
    if (len > MAX_NAME)
        return err_set(e, -EINVAL, "Backing file name too long");
    if (at > blk_size(b->file) || len > blk_size(b->file) - at)
        return err_set(e, -EINVAL, "the backing file's name, at %" PRIu64 ", is not in the file", at);
    if (!(b->backing_file = calloc(1, len + 1)))
        return err_set(e, -ENOMEM, "out of memory");
    return blk_read(b->file, at, len, b->backing_file, e);
}

static int qcow_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct qcow *q = b->state;
    uint8_t h[HEADER] = {0};
    uint64_t reach;
    int r;

    if ((r = blk_read(b->file, 0, min_u64(HEADER, blk_size(b->file)), h, e)) < 0 ||
        (r = check_header(h, e)) < 0 || (r = read_backing(b, h, e)) < 0)
        return r;
    q->bits = h[H_CLUSTER_BITS];
    q->cluster = UINT64_C(1) << q->bits;
    q->entries = UINT64_C(1) << h[H_L2_BITS];
    reach = q->cluster * q->entries;
    b->size = get_be64(h + H_SIZE);
    if ((r = bat_load(&q->l1, b->file, get_be64(h + H_L1), div_up(b->size, reach), 8, true, e)) < 0)
        return r;
    pthread_mutex_init(&q->lock, NULL);
    q->tables = tcache_new(b->file, q->entries * 8, 4 << 20);
    room_init(&q->room, blk_size(b->file));
    b->cluster = q->cluster;
    return 0;
}

static int qcow_close(struct blk *b, struct err *e)
{
    struct qcow *q = b->state;

    bat_free(&q->l1);
    tcache_free(q->tables);
    room_done(&q->room);
    pthread_mutex_destroy(&q->lock);
    return 0;
}

/* Where things are ------------------------------------------------------------------------------------ */

static int map_locked(struct blk *b, uint64_t off, struct blk_extent *x, struct err *e)
{
    struct qcow *q = b->state;
    uint64_t reach = q->cluster * q->entries, in = off % q->cluster;
    uint64_t table = bat_get(&q->l1, off / reach), i = off % reach / q->cluster, entry, max, n = 1;
    const uint8_t *t;

    x->where = BLK_HOLE;
    if (!table) {
        x->len = min_u64(x->len, reach - off % reach);
        return 0;
    }
    if (table > INT64_MAX)
        return err_set(e, -EIO, "a table is said to be at %" PRIu64, table);
    if (!(t = tcache_get(q->tables, table, e)))
        return e->code;
    entry = get_be64(t + i * 8);
    if (entry & COMPRESSED) {
        x->len = min_u64(x->len, q->cluster - in);
        x->where = BLK_CODED;
        x->cookie[0] = entry;
        return 0;
    }
    max = min_u64(div_up(in + x->len, q->cluster), q->entries - i);
    while (n < max && get_be64(t + (i + n) * 8) == (entry ? entry + n * q->cluster : 0))
        n++;
    x->len = min_u64(x->len, n * q->cluster - in);
    if (!entry)
        return 0;
    if (entry >= blk_size(b->file))
        return err_set(e, -EIO, "cluster %" PRIu64 " is said to be at %" PRIu64
                       ", beyond the end of the image", off / q->cluster, entry);
    x->where = BLK_DATA;
    x->host = entry + in;
    x->in_place = true;
    return 0;
}

static int qcow_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct qcow *q = b->state;
    int r;

    x->off = off;
    x->len = len;
    pthread_mutex_lock(&q->lock);
    r = map_locked(b, off, x, e);
    pthread_mutex_unlock(&q->lock);
    return r;
}

/* Room for @len bytes at a multiple of @align; the lock is held. */
static int take_room(struct blk *b, uint64_t len, uint64_t align, uint64_t *host, bool *zero,
                     struct err *e)
{
    struct qcow *q = b->state;
    uint64_t pad = round_up(q->room.end, align) - q->room.end, size = blk_size(b->file);
    int r = room_take(&q->room, b->file, pad + len, host, zero, e);

    *host += pad;
    *zero = *host >= size;
    return r;
}

static int qcow_alloc(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct qcow *q = b->state;
    uint64_t start = round_down(off, q->cluster), n;
    int r;

    *x = (struct blk_extent){.off = off, .len = len};
    pthread_mutex_lock(&q->lock);
    if ((r = map_locked(b, off, x, e)) >= 0 && x->where != BLK_DATA) {
        n = min_u64(div_up(off + x->len - start, q->cluster), RUN);
        *x = (struct blk_extent){.where = BLK_DATA, .off = start, .len = n * q->cluster,
                                 .fresh = true};
        r = take_room(b, x->len, q->cluster, &x->host, &x->reads_zero, e);
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}

/* The table for @off, made of zeros before the first level names it. */
static int need_table(struct blk *b, uint64_t off, uint64_t *table, struct err *e)
{
    struct qcow *q = b->state;
    uint64_t i = off / (q->cluster * q->entries);
    bool zero;
    int r;

    if ((*table = bat_get(&q->l1, i)))
        return 0;
    if ((r = take_room(b, q->entries * 8, q->cluster, table, &zero, e)) < 0 ||
        (!zero && (r = blk_zero(b->file, *table, q->entries * 8, 0, e)) < 0))
        return r;
    tcache_drop(q->tables); /* it may have seen this place with something else in it */
    return bat_set_run(&q->l1, i, 1, *table, 0, e);
}

/* Entries of the clusters from @off on; the lock is held. */
static int set_entries(struct blk *b, uint64_t off, uint64_t n, uint64_t first, struct err *e)
{
    struct qcow *q = b->state;
    uint8_t entries[RUN * 8];
    uint64_t table, k;
    int r;

    for (; n; n -= k, off += k * q->cluster, first += k * q->cluster) {
        uint64_t i = off / q->cluster % q->entries;

        k = min_u64(min_u64(n, RUN), q->entries - i);
        for (uint64_t j = 0; j < k; j++)
            put_be64(entries + j * 8, first + j * q->cluster);
        if ((r = need_table(b, off, &table, e)) < 0 ||
            (r = tcache_put(q->tables, table, i * 8, entries, k * 8, e)) < 0)
            return r;
    }
    return 0;
}

static int qcow_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    struct qcow *q = b->state;
    int r;

    pthread_mutex_lock(&q->lock);
    r = set_entries(b, x->off, x->len / q->cluster, x->host, e);
    pthread_mutex_unlock(&q->lock);
    return r;
}

static void qcow_abort(struct blk *b, const struct blk_extent *x)
{
    struct qcow *q = b->state;

    room_give_back(&q->room, x->host, x->len);
}

/* Compressed clusters ---------------------------------------------------------------------------------- */

static int qcow_read_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                           void *buf, struct err *e)
{
    struct qcow *q = b->state;
    unsigned shift = 63 - q->bits;
    uint64_t host = x->cookie[0] & ((UINT64_C(1) << shift) - 1);
    uint64_t size = x->cookie[0] >> shift & (q->cluster - 1), in = off % q->cluster;
    uint8_t *packed = malloc(2 * q->cluster), *plain = packed + q->cluster;
    int r = 0, z;

    if (!packed)
        return err_set(e, -ENOMEM, "out of memory");
    if (host > blk_size(b->file) || size > blk_size(b->file) - host)
        r = err_set(e, -EIO, "compressed cluster at %" PRIu64 ", beyond the end of the image", host);
    else
        r = blk_read(b->file, host, size, packed, e);
    if (r >= 0) {
        z_stream s = {.next_in = packed, .avail_in = (uInt)size, .next_out = plain,
                      .avail_out = (uInt)q->cluster};

        z = inflateInit2(&s, WINDOW) == Z_OK ? inflate(&s, Z_FINISH) : Z_MEM_ERROR;
        inflateEnd(&s);
        if ((z != Z_STREAM_END && z != Z_BUF_ERROR) || s.total_out != q->cluster)
            r = err_set(e, -EIO, "compressed cluster at %" PRIu64 " is damaged", host);
        else
            memcpy(buf, plain + in, len);
    }
    free(packed);
    return r;
}

static int qcow_compress(struct blk *b, const void *in, size_t len, void *out, size_t *out_len,
                         struct err *e)
{
    z_stream s = {.next_in = (void *)in, .avail_in = (uInt)len, .next_out = out,
                  .avail_out = (uInt)len - 1};
    int z;

    if (deflateInit2(&s, Z_DEFAULT_COMPRESSION, Z_DEFLATED, WINDOW, 9, Z_DEFAULT_STRATEGY) != Z_OK)
        return err_set(e, -ENOMEM, "out of memory for compressing");
    z = deflate(&s, Z_FINISH);
    deflateEnd(&s);
    *out_len = s.total_out;
    return z == Z_STREAM_END ? 0 : 1;
}

static int qcow_store_compressed(struct blk *b, uint64_t off, const void *data, size_t len,
                                 struct err *e)
{
    struct qcow *q = b->state;
    uint64_t host;
    bool zero;
    int r;

    pthread_mutex_lock(&q->lock);
    if ((r = take_room(b, len, 1, &host, &zero, e)) >= 0) {
        if (host >> (63 - q->bits))
            r = err_set(e, -EFBIG, "the image is too long for compressed clusters");
        else if ((r = blk_write(b->file, host, len, data, 0, e)) >= 0)
            r = set_entries(b, off, 1, COMPRESSED | (uint64_t)len << (63 - q->bits) | host, e);
    }
    pthread_mutex_unlock(&q->lock);
    return r;
}

static int qcow_make_empty(struct blk *b, struct err *e)
{
    struct qcow *q = b->state;
    uint64_t end = q->l1.host + q->l1.n * 8;
    int r;

    pthread_mutex_lock(&q->lock);
    if ((r = bat_set_run(&q->l1, 0, q->l1.n, 0, 0, e)) >= 0 && (r = blk_flush(b->file, e)) >= 0 &&
        (r = blk_truncate(b->file, end, BLK_PREALLOC_OFF, 0, e)) >= 0)
        q->room.end = end;
    tcache_drop(q->tables);
    pthread_mutex_unlock(&q->lock);
    return r;
}

/* Making ------------------------------------------------------------------------------------------------- */

struct qcow_create {
    uint64_t size;
    char *backing_file, *backing_fmt;
    bool encryption;
    char *encrypt_format, *key_secret;
};

static const struct field qcow_create_fields[] = {
    FIELD(qcow_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD(qcow_create, backing_file, F_STR, "backing_file", NULL, "File name of a base image"),
    FIELD(qcow_create, backing_fmt, F_STR, "backing_fmt", NULL, "Format of the backing image"),
    FIELD(qcow_create, encryption, F_BOOL, "encryption", NULL,
          "Encrypt the image with format 'aes'. (Deprecated in favor of encrypt.format=aes)"),
    FIELD(qcow_create, encrypt_format, F_STR, "encrypt.format", NULL,
          "Encrypt the image, format choices: 'aes'"),
    FIELD(qcow_create, key_secret, F_STR, "encrypt.key-secret", NULL,
          "ID of the secret that provides the AES encryption key"),
    FIELD_END,
};

static int qcow_create(struct blk_env *env, const char *filename, void *opts,
                       struct json_object *protocol, struct err *e)
{
    const struct qcow_create *o = opts;
    size_t name = o->backing_file ? strlen(o->backing_file) : 0;
    unsigned bits = name ? 9 : 12, l2_bits = name ? 12 : 9; /* small ones copy less */
    uint64_t l1 = HEADER + round_up(name, 8), size = round_up(o->size, 512);
    uint64_t tables = div_up(size, UINT64_C(1) << (bits + l2_bits));
    uint8_t h[HEADER + MAX_NAME + 1] = {0};
    struct blk *file;
    int r;

    if (!o->size)
        return err_set(e, -EINVAL, "Image size is too small, cannot be zero length");
    if (tables > TABLE_MAX / 8)
        return err_set(e, -EFBIG, "Image size is too large for file format 'qcow': the limit is 16 TiB");
    if (o->encryption || o->encrypt_format)
        return err_set(e, -ENOTSUP, "AES encryption of qcow images is not supported: it is broken; "
                       "use the format luks");
    if (name > MAX_NAME)
        return err_set(e, -EINVAL, "Backing file name too long");
    put_be32(h, MAGIC);
    put_be32(h + H_VERSION, 1);
    put_be64(h + H_BACKING, name ? HEADER : 0);
    put_be32(h + H_BACKING_LEN, (uint32_t)name);
    put_be64(h + H_SIZE, size);
    h[H_CLUSTER_BITS] = (uint8_t)bits;
    h[H_L2_BITS] = (uint8_t)l2_bits;
    put_be64(h + H_L1, l1);
    memcpy(h + HEADER, o->backing_file ? o->backing_file : "", name);
    if (!(file = blk_create_file(env, filename, l1 + round_up(tables * 8, 512), protocol, e)))
        return e->code;
    if ((r = blk_write(file, 0, HEADER + name, h, 0, e)) < 0) {
        blk_close(file, ERR_IGNORE);
        return r;
    }
    return blk_close(file, e);
}

static const struct blk_map_ops qcow_map_ops = {
    .map = qcow_map,
    .alloc = qcow_alloc,
    .commit = qcow_commit,
    .abort = qcow_abort,
    .read_coded = qcow_read_coded,
    .compress = qcow_compress,
    .store_compressed = qcow_store_compressed,
};

static const struct blk_create_ops qcow_create_ops = {
    .opts = qcow_create_fields,
    .opts_size = sizeof(struct qcow_create),
    .create = qcow_create,
};

const struct blk_driver fmt_qcow = {
    .name = "qcow",
    .help = "the first version of QEMU's copy-on-write images",
    .kind = BLK_FORMAT,
    .backing = true,
    .state_size = sizeof(struct qcow),
    .probe = qcow_probe,
    .open = qcow_open,
    .close = qcow_close,
    .make_empty = qcow_make_empty,
    .map = &qcow_map_ops,
    .create = &qcow_create_ops,
};
