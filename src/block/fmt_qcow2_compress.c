/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: compressed clusters (specification: "Compressed Clusters Descriptor"; raw deflate with a
 * window of 4 KiB, or a zstd frame), and encrypted ones.
 */
#include "block/fmt_qcow2_priv.h"

#include <zlib.h>
#include <zstd.h>

/* struct workspace - what a thread needs while it compresses or decompresses one cluster. */
struct workspace {
    struct workspace *next;
    z_stream deflate, inflate;
    bool can_deflate, can_inflate;
    ZSTD_CCtx *zstd_c;
    ZSTD_DCtx *zstd_d;
    uint8_t *packed, *plain;
};

static struct workspace *workspace_get(struct qcow2 *s)
{
    struct workspace *w;

    pthread_mutex_lock(&s->workspaces_lock);
    w = s->workspaces;
    if (w)
        s->workspaces = w->next;
    pthread_mutex_unlock(&s->workspaces_lock);
    if (w)
        return w;
    if (!(w = calloc(1, sizeof(*w))) || !(w->packed = malloc(s->cluster_size * 2 + 512)))
        fatal("out of memory");
    w->plain = w->packed + s->cluster_size + 512;
    return w;
}

static void workspace_put(struct qcow2 *s, struct workspace *w)
{
    pthread_mutex_lock(&s->workspaces_lock);
    w->next = s->workspaces;
    s->workspaces = w;
    pthread_mutex_unlock(&s->workspaces_lock);
}

void qcow2_workspaces_free(struct blk *b)
{
    struct qcow2 *s = b->state;
    struct workspace *w;

    while ((w = s->workspaces)) {
        s->workspaces = w->next;
        if (w->can_deflate)
            deflateEnd(&w->deflate);
        if (w->can_inflate)
            inflateEnd(&w->inflate);
        ZSTD_freeCCtx(w->zstd_c);
        ZSTD_freeDCtx(w->zstd_d);
        free(w->packed);
        free(w);
    }
}

/* Compressing: 0 and *@out_len, or 1 when it does not fit into @room. ----------------------------- */

static int zlib_pack(struct workspace *w, const void *in, size_t len, void *out, size_t room,
                     size_t *out_len)
{
    z_stream *z = &w->deflate;

    if (!w->can_deflate) {
        /* Window and strategy are the format's; the most memory compresses best. */
        if (deflateInit2(z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -12, 9, Z_DEFAULT_STRATEGY) != Z_OK)
            fatal("out of memory");
        w->can_deflate = true;
    } else {
        deflateReset(z);
    }
    z->next_in = (void *)in;
    z->avail_in = (uInt)len;
    z->next_out = out;
    z->avail_out = (uInt)room;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return 1;
    *out_len = room - z->avail_out;
    return 0;
}

static int zstd_pack(struct workspace *w, const void *in, size_t len, void *out, size_t room,
                     size_t *out_len)
{
    if (!w->zstd_c && !(w->zstd_c = ZSTD_createCCtx()))
        fatal("out of memory");
    size_t n = ZSTD_compressCCtx(w->zstd_c, out, room, in, len, ZSTD_CLEVEL_DEFAULT);

    if (ZSTD_isError(n))
        return 1;
    *out_len = n;
    return 0;
}

int qcow2_compress(struct blk *b, const void *in, size_t len, void *out, size_t *out_len,
                   struct err *e)
{
    struct qcow2 *s = b->state;
    struct workspace *w;
    int r;

    if (s->data_file)
        return err_set(e, -ENOTSUP, "Compression is not supported with an external data file");
    w = workspace_get(s);
    r = s->h.compression_type == QCOW2_ZSTD ? zstd_pack(w, in, len, out, len - 1, out_len)
                                            : zlib_pack(w, in, len, out, len - 1, out_len);
    workspace_put(s, w);
    return r;
}

/* Decompressing ----------------------------------------------------------------------------------- */

static bool zlib_unpack(struct workspace *w, const void *in, size_t len, void *out, size_t want)
{
    z_stream *z = &w->inflate;

    if (!w->can_inflate) {
        if (inflateInit2(z, -15) != Z_OK) /* other writers use larger windows */
            fatal("out of memory");
        w->can_inflate = true;
    } else {
        inflateReset(z);
    }
    z->next_in = (void *)in;
    z->avail_in = (uInt)len;
    z->next_out = out;
    z->avail_out = (uInt)want;
    int r = inflate(z, Z_FINISH);

    return (r == Z_STREAM_END || r == Z_BUF_ERROR) && !z->avail_out;
}

static bool zstd_unpack(struct workspace *w, const void *in, size_t len, void *out, size_t want)
{
    ZSTD_inBuffer i = {in, len, 0};
    ZSTD_outBuffer o = {out, want, 0};

    if (!w->zstd_d && !(w->zstd_d = ZSTD_createDCtx()))
        fatal("out of memory");
    ZSTD_DCtx_reset(w->zstd_d, ZSTD_reset_session_only);
    while (o.pos < want) { /* the sectors may hold something else behind the frame */
        size_t before = o.pos + i.pos, r = ZSTD_decompressStream(w->zstd_d, &o, &i);

        if (ZSTD_isError(r) || (r && o.pos + i.pos == before))
            return false;
        if (!r)
            break;
    }
    return o.pos == want;
}

static int read_packed(struct blk *b, uint64_t entry, uint64_t off, uint64_t len, void *buf,
                       struct err *e)
{
    struct qcow2 *s = b->state;
    struct workspace *w = workspace_get(s);
    uint64_t host, packed, in_cluster = off & s->cluster_mask;
    bool whole = !in_cluster && len == s->cluster_size, ok;
    void *out = whole ? buf : w->plain;
    int r;

    blk_event(b->file, "read_compressed");
    qcow2_packed_range(s, entry, &host, &packed);
    packed = min_u64(packed, s->cluster_size + 512);
    if (host >= blk_size_now(b->file)) {
        r = err_set(e, -EIO, "compressed cluster at %#" PRIx64 " is beyond the end of the file",
                    host);
    } else if ((r = qcow2_pread(b, host, w->packed, packed, e)) >= 0) {
        ok = s->h.compression_type == QCOW2_ZSTD
                 ? zstd_unpack(w, w->packed, packed, out, s->cluster_size)
                 : zlib_unpack(w, w->packed, packed, out, s->cluster_size);
        if (!ok)
            r = err_set(e, -EIO, "compressed cluster at %#" PRIx64 " cannot be decompressed", host);
        else if (!whole)
            memcpy(buf, w->plain + in_cluster, len);
    }
    workspace_put(s, w);
    return r;
}

/* Storing ----------------------------------------------------------------------------------------- */

/* Room for @len bytes: behind the last compressed data, when that cluster (or the one that happens to
 * follow it) has room and may have one more reference. */
static int packed_room(struct blk *b, uint64_t len, uint64_t *host, struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t in_last = s->packed & s->cluster_mask, free = in_last ? s->cluster_size - in_last : 0;
    uint64_t count = 0, got, next;
    bool zeros;
    int r;

    if (free) {
        if ((r = qcow2_refcount_get(b, s->packed, &count, e)) < 0)
            return r;
        if (!count || count >= qcow2_refcount_max(s))
            free = 0;
    }
    if (free >= len) {
        if ((r = qcow2_refcount_add(b, s->packed, 1, 1, e)) < 0)
            return r;
        *host = s->packed;
        s->packed += len;
        return 0;
    }
    if ((r = qcow2_alloc(b, 1, &next, &got, &zeros, e)) < 0)
        return r;
    if (free && next == round_up(s->packed, s->cluster_size)) {
        if ((r = qcow2_refcount_add(b, s->packed, 1, 1, e)) < 0) {
            qcow2_free_now(b, next, s->cluster_size, false, ERR_IGNORE);
            return r;
        }
        *host = s->packed;
    } else {
        *host = next;
    }
    s->packed = *host + len;
    return 0;
}

static uint64_t packed_entry(const struct qcow2 *s, uint64_t host, size_t len)
{
    unsigned x = 62 - (s->cluster_bits - 8);
    uint64_t sectors = (host + len - 1) / 512 - host / 512;

    return QCOW2_COMPRESSED | sectors << x | host;
}

static int reserve_packed(struct blk *b, uint64_t off, size_t len, uint64_t *host, struct err *e)
{
    struct qcow2 *s = b->state;
    int r = qcow2_check_writable(b, e);

    if (r < 0 || (r = qcow2_bitmaps_record(b, off, s->cluster_size, e)) < 0)
        return r;
    pthread_mutex_lock(&s->lock);
    r = qcow2_own_l2(b, off >> (s->cluster_bits + s->l2_bits), e);
    if (r >= 0)
        r = packed_room(b, len, host, e);
    s->needs_data_flush = true;
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int link_packed(struct blk *b, uint64_t index, const struct qcow2_entry *new, struct err *e)
{
    struct qcow2 *s = b->state;
    struct qcow2_entry old;
    int r;

    pthread_mutex_lock(&s->lock);
    s->needs_data_flush = true;
    if ((r = qcow2_entry_get(b, index, &old, e)) >= 0 &&
        (r = qcow2_entry_set(b, index, new, e)) >= 0)
        qcow2_drop_entry(b, &old);
    if (r < 0)
        qcow2_drop_entry(b, new); /* nobody refers to it */
    pthread_mutex_unlock(&s->lock);
    return r;
}

int qcow2_store_compressed(struct blk *b, uint64_t off, const void *data, size_t len,
                           struct err *e)
{
    struct qcow2 *s = b->state;
    uint64_t host;
    int r = reserve_packed(b, off, len, &host, e);

    if (r < 0)
        return r;
    struct qcow2_entry new = {packed_entry(s, host, len), 0};

    blk_event(b->file, "write_compressed");
    if ((r = qcow2_pwrite(b, host, data, len, e)) < 0) {
        pthread_mutex_lock(&s->lock);
        qcow2_drop_entry(b, &new);
        pthread_mutex_unlock(&s->lock);
        return r;
    }
    return link_packed(b, off >> s->cluster_bits, &new, e);
}

/* Encryption: LUKS counts sectors of the file, the old AES those of the disk. -------------------- */

static uint64_t crypt_position(const struct qcow2 *s, uint64_t host, uint64_t off)
{
    return s->h.crypt_method == 2 ? host : off;
}

static int read_encrypted(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                          uint8_t *buf, struct err *e)
{
    struct qcow2 *s = b->state;
    struct blk *file = x->file ? x->file : b->file;
    uint64_t host = x->host + (off - x->off);
    uint64_t head = off & (CRYPT_SECTOR - 1), all = round_up(head + len, CRYPT_SECTOR);
    uint8_t *sectors = head || all != len ? malloc(all) : buf;
    struct iovec iov = {sectors, all};
    int r;

    if (!s->crypt)
        return err_set(e, -EPERM, "the image is encrypted, and was opened without its key");
    if (!sectors)
        return err_set(e, -ENOMEM, "out of memory");
    r = node_readv(file, host - head, all, &iov, 1, e);
    if (r >= 0)
        r = crypt_decrypt(s->crypt, crypt_position(s, host, off) - head, sectors, all, e);
    if (sectors != buf) {
        if (r >= 0)
            memcpy(buf, sectors + head, len);
        free(sectors);
    }
    return r;
}

int qcow2_read_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                     void *buf, struct err *e)
{
    if (x->where == BLK_CODED)
        return read_packed(b, x->cookie[0], off, len, buf, e);
    return read_encrypted(b, x, off, len, buf, e);
}

/* Whole sectors from @buf; parts of sectors are read, changed and written. */
int qcow2_write_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                      const void *buf, struct err *e)
{
    struct qcow2 *s = b->state;
    struct blk *file = x->file ? x->file : b->file;
    uint64_t host = x->host + (off - x->off);
    uint64_t head = off & (CRYPT_SECTOR - 1), all = round_up(head + len, CRYPT_SECTOR);
    uint8_t *sectors = malloc(all);
    struct iovec iov = {sectors, all};
    int r = 0;

    if (!s->crypt) {
        free(sectors);
        return err_set(e, -EPERM, "the image is encrypted, and was opened without its key");
    }
    if (!sectors)
        return err_set(e, -ENOMEM, "out of memory");
    if (!x->fresh && head)
        r = read_encrypted(b, x, off - head, CRYPT_SECTOR, sectors, e);
    if (r >= 0 && !x->fresh && all != head + len)
        r = read_encrypted(b, x, off - head + all - CRYPT_SECTOR, CRYPT_SECTOR,
                           sectors + all - CRYPT_SECTOR, e);
    if (r >= 0) {
        memcpy(sectors + head, buf, len);
        r = crypt_encrypt(s->crypt, crypt_position(s, host, off) - head, sectors, all, e);
    }
    if (r >= 0)
        r = node_writev(file, host - head, all, &iov, 1, 0, e);
    free(sectors);
    return r;
}
