/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading and writing: cutting requests along extents, backing files, copy on write, alignment. */
#include "block/core.h"

#include <inttypes.h>
#include <stdlib.h>

enum { SLICE_MAX = 64 }; /* buffers of one piece of a request; a longer list is done in turns */

int check_range(const struct blk *b, uint64_t off, uint64_t len, const char *what, struct err *e)
{
    uint64_t size = blk_size_now(b);

    if (len <= size && off <= size - len)
        return 0;
    return err_set(e, -EIO,
                   "%s of %" PRIu64 " bytes at offset %" PRIu64
                   " is beyond the end of the disk, %" PRIu64,
                   what, len, off, size);
}

int iov_slice(const struct iovec *iov, int n, uint64_t skip, uint64_t *len, struct iovec *out,
              int max)
{
    uint64_t got = 0;
    int count = 0;

    for (int i = 0; i < n && got < *len && count < max; i++) {
        if (skip >= iov[i].iov_len) {
            skip -= iov[i].iov_len;
            continue;
        }
        uint64_t piece = min_u64(iov[i].iov_len - skip, *len - got);

        out[count++] = (struct iovec){(char *)iov[i].iov_base + skip, piece};
        got += piece;
        skip = 0;
    }
    *len = got;
    return count;
}

static uint64_t iov_len(const struct iovec *iov, int n)
{
    uint64_t len = 0;

    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    return len;
}

static void iov_zero(const struct iovec *iov, int n)
{
    for (int i = 0; i < n; i++)
        memset(iov[i].iov_base, 0, iov[i].iov_len);
}

static void iov_from(const struct iovec *iov, int n, const void *buf)
{
    const char *from = buf;

    for (int i = 0; i < n; from += iov[i++].iov_len)
        memcpy(iov[i].iov_base, from, iov[i].iov_len);
}

void iov_to(const struct iovec *iov, int n, void *buf)
{
    char *to = buf;

    for (int i = 0; i < n; to += iov[i++].iov_len)
        memcpy(to, iov[i].iov_base, iov[i].iov_len);
}

static void *bounce_new(uint64_t len, uint32_t align, struct err *e)
{
    void *buf = NULL;

    if (posix_memalign(&buf, align < 4096 ? 4096 : align, len))
        err_set(e, -ENOMEM, "out of memory for %" PRIu64 " bytes", len);
    return buf;
}

/* Protocols and filters ------------------------------------------------------------------------- */

/* Offsets of a host's file have 63 bits; what an image's tables say may have 64 and would wrap below. */
static int check_host_offset(uint64_t off, uint64_t len, struct err *e)
{
    if (off <= INT64_MAX && len <= INT64_MAX - off)
        return 0;
    return err_set(e, -EINVAL, "%" PRIu64 " bytes at offset %#" PRIx64 ": no file is so long", len, off);
}

static bool aligned(const struct blk *b, uint64_t off, const struct iovec *iov, int n)
{
    uint64_t bits = off;

    if (b->align <= 1)
        return true;
    for (int i = 0; i < n; i++)
        bits |= (uintptr_t)iov[i].iov_base | iov[i].iov_len;
    return !(bits & (b->align - 1));
}

/* A request that the host would refuse, through a buffer of its own. */
static int bounce_readv(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
                        struct err *e)
{
    uint64_t start = round_down(off, b->align), end = round_up(off + len, b->align);
    char *buf = bounce_new(end - start, b->align, e);
    int r;

    if (!buf)
        return -ENOMEM;
    r = b->drv->io->readv(b, start, &(struct iovec){buf, end - start}, 1, e);
    if (r >= 0)
        iov_from(iov, n, buf + (off - start));
    free(buf);
    return r;
}

static int bounce_writev(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
                         unsigned req, struct err *e)
{
    uint64_t start = round_down(off, b->align), end = round_up(off + len, b->align);
    struct blk_range range;
    int r = 0;
    char *buf = bounce_new(end - start, b->align, e);

    if (!buf)
        return -ENOMEM;
    struct iovec all = {buf, end - start};

    range_lock(b, &range, start, end);
    if (start != off || end != off + len)
        r = b->drv->io->readv(b, start, &all, 1, e);
    if (r >= 0) {
        iov_to(iov, n, buf + (off - start));
        r = b->drv->io->writev(b, start, &all, 1, req, e);
    }
    range_unlock(b, &range);
    free(buf);
    return r;
}

static int io_readv(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
                    struct err *e)
{
    uint64_t size = blk_size_now(b);
    struct iovec part[SLICE_MAX];
    uint64_t have;
    int r, k;

    if ((r = check_host_offset(off, len, e)) < 0)
        return r;
    if (off + len > size) { /* formats may leave the end of their last cluster unwritten */
        have = off < size ? size - off : 0;
        if (have) {
            k = iov_slice(iov, n, 0, &have, part, SLICE_MAX);
            if ((r = node_readv(b, off, have, part, k, e)) < 0)
                return r;
        }
        len -= have;
        k = iov_slice(iov, n, have, &len, part, SLICE_MAX);
        iov_zero(part, k);
        return 0;
    }
    if (!aligned(b, off, iov, n))
        return bounce_readv(b, off, len, iov, n, e);
    return b->drv->io->readv(b, off, iov, n, e);
}

/* Formats: reading ------------------------------------------------------------------------------ */

static int read_hole(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
                     struct err *e)
{
    struct iovec part[SLICE_MAX];
    uint64_t size = b->backing ? blk_size_now(b->backing) : 0;
    uint64_t have = off < size ? min_u64(len, size - off) : 0;
    int r, k;

    if (b->backing)
        blk_event(b->file, "read_backing_aio");
    if (have == len)
        return node_readv(below_find(b->backing, off, len), off, len, iov, n, e);
    if (!have) {
        iov_zero(iov, n);
        return 0;
    }
    k = iov_slice(iov, n, 0, &have, part, SLICE_MAX);
    if ((r = node_readv(b->backing, off, have, part, k, e)) < 0)
        return r;
    len -= have;
    k = iov_slice(iov, n, have, &len, part, SLICE_MAX);
    iov_zero(part, k);
    return 0;
}

static int read_coded(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                      const struct iovec *iov, int n, struct err *e)
{
    int r;

    if (n == 1)
        return b->drv->map->read_coded(b, x, off, len, iov[0].iov_base, e);
    void *buf = bounce_new(len, 1, e);

    if (!buf)
        return -ENOMEM;
    if ((r = b->drv->map->read_coded(b, x, off, len, buf, e)) >= 0)
        iov_from(iov, n, buf);
    free(buf);
    return r;
}

static int read_extent(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                       const struct iovec *iov, int n, struct err *e)
{
    switch (x->where) {
    case BLK_HOLE: return read_hole(b, off, len, iov, n, e);
    case BLK_ZEROS: iov_zero(iov, n); return 0;
    case BLK_DATA:
        if (!b->coded)
            return node_readv(x->file ? x->file : b->file, x->host, len, iov, n, e);
        return read_coded(b, x, off, len, iov, n, e);
    case BLK_CODED: return read_coded(b, x, off, len, iov, n, e);
    }
    bug("extent of kind %d", x->where);
}

/* struct batch - pieces of one request that the host gets together; nothing of them is on its way yet. */
struct batch {
    struct blk *file;
    int n;
    struct blk_piece pieces[BLK_PIECES];
};

static int batch_end(struct batch *t, struct err *e)
{
    int n = t->n;

    t->n = 0;
    return n ? t->file->drv->io->read_pieces(t->file, t->pieces, n, e) : 0;
}

/* One more extent: with the others if the host takes several, else alone. */
static int batch_add(struct batch *t, struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                     const struct iovec *iov, int n, struct err *e)
{
    struct blk *file = x->file ? x->file : b->file;
    int r;

    if (x->where != BLK_DATA || b->coded || n != 1 || !file->drv->io || !file->drv->io->read_pieces || !aligned(file, x->host, iov, n) ||
        len > blk_size_now(file) || x->host > blk_size_now(file) - len)
        return read_extent(b, x, off, len, iov, n, e);
    if ((t->n == BLK_PIECES || (t->n && t->file != file)) && (r = batch_end(t, e)) < 0)
        return r;
    t->file = file;
    t->pieces[t->n++] = (struct blk_piece){x->host, {iov->iov_base, len}};
    return 0;
}

static int map_read(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
                    struct err *e)
{
    struct batch batch;
    struct blk_extent x;
    uint64_t done = 0;
    int r;

    batch.n = 0;
    while (done < len) {
        memset(&x, 0, sizeof(x));
        if ((r = b->drv->map->map(b, off + done, len - done, &x, e)) < 0)
            return r;
        if (!done && x.len >= len && n <= SLICE_MAX) /* nearly always */
            return read_extent(b, &x, off, len, iov, n, e);
        struct iovec part[SLICE_MAX];
        uint64_t piece = min_u64(x.len, len - done);
        int k = iov_slice(iov, n, done, &piece, part, SLICE_MAX);

        if ((r = batch_add(&batch, b, &x, off + done, piece, part, k, e)) < 0)
            return r;
        done += piece;
    }
    return batch_end(&batch, e);
}

int map_read_flat(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e)
{
    struct iovec iov = {buf, len};

    return map_read(b, off, len, &iov, 1, e);
}

int node_readv(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
               struct err *e)
{
    int r;

    if (b->drv->io)
        return io_readv(b, off, len, iov, n, e);
    pthread_rwlock_rdlock(&b->core->users);
    r = map_read(b, off, len, iov, n, e);
    pthread_rwlock_unlock(&b->core->users);
    return r;
}

/* Formats: writing ------------------------------------------------------------------------------ */

static int write_data(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                      const struct iovec *iov, int n, struct err *e)
{
    int r;

    if (!b->coded)
        return node_writev(x->file ? x->file : b->file, x->host + (off - x->off), len, iov, n, 0,
                           e);
    if (n == 1)
        return b->drv->map->write_coded(b, x, off, len, iov[0].iov_base, e);
    void *buf = bounce_new(len, 1, e);

    if (!buf)
        return -ENOMEM;
    iov_to(iov, n, buf);
    r = b->drv->map->write_coded(b, x, off, len, buf, e);
    free(buf);
    return r;
}

/* Is what the guest sees at [off, off+len) zeros, as far as the map tells? */
static bool old_is_zero(struct blk *b, uint64_t off, uint64_t len)
{
    uint64_t size = blk_size_now(b), end = min_u64(off + len, size);
    struct blk_status s;

    for (; off < end; off += s.len) {
        struct blk_extent x = {0};

        if (b->drv->map->map(b, off, end - off, &x, ERR_IGNORE) < 0)
            return false;
        s.len = x.len;
        if (x.where == BLK_ZEROS)
            continue;
        if (x.where != BLK_HOLE)
            return false;
        if (!b->backing || off >= blk_size_now(b->backing))
            continue;
        uint64_t below = min_u64(x.len, blk_size_now(b->backing) - off);

        if (blk_status_above(b->backing, NULL, off, below, &s, ERR_IGNORE) < 0 || !s.zero)
            return false;
    }
    return true;
}

/* Old contents of a part of a fresh extent that the request does not cover; zeros past the end. */
static int old_read(struct blk *b, uint64_t off, uint64_t len, char *buf, struct err *e)
{
    uint64_t size = blk_size_now(b), have = off < size ? min_u64(len, size - off) : 0;

    memset(buf + have, 0, len - have);
    return have ? map_read_flat(b, off, have, buf, e) : 0;
}

/* All of the fresh extent in one write: old head, request, old tail. */
static int write_around(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                        const struct iovec *iov, int n, struct err *e)
{
    uint64_t head = off - x->off, tail = x->off + x->len - (off + len);
    struct iovec all[SLICE_MAX + 2];
    char *buf = bounce_new(head + tail + 1, 1, e);
    int k = 0, r;

    if (!buf)
        return -ENOMEM;
    blk_event(b->file, "cow_read");
    if ((r = old_read(b, x->off, head, buf, e)) < 0 ||
        (r = old_read(b, off + len, tail, buf + head, e)) < 0)
        goto out;
    if (head)
        all[k++] = (struct iovec){buf, head};
    memcpy(&all[k], iov, (size_t)n * sizeof(*iov));
    k += n;
    if (tail)
        all[k++] = (struct iovec){buf + head, tail};
    blk_event(b->file, "cow_write");
    r = write_data(b, x, x->off, x->len, all, k, e);
out:
    free(buf);
    return r;
}

static int write_fresh(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len,
                       const struct iovec *iov, int n, struct err *e)
{
    uint64_t end = off + len, x_end = x->off + x->len;
    bool whole = off == x->off && end == x_end;
    int r;

    if (whole || (x->reads_zero && !b->coded && old_is_zero(b, x->off, off - x->off) &&
                  old_is_zero(b, end, x_end - end)))
        r = write_data(b, x, off, len, iov, n, e);
    else
        r = write_around(b, x, off, len, iov, n, e);
    if (r < 0) {
        b->drv->map->abort(b, x);
        return r;
    }
    return b->drv->map->commit(b, x, e);
}

int map_write(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
              struct err *e)
{
    struct iovec part[SLICE_MAX];
    uint64_t done = 0;
    int r;

    while (done < len) {
        struct blk_extent x = {0};
        uint64_t piece = len - done;
        int k = iov_slice(iov, n, done, &piece, part, SLICE_MAX);

        if ((r = b->drv->map->alloc(b, off + done, piece, &x, e)) < 0)
            return r;
        uint64_t room = x.off + x.len - (off + done);

        if (piece > room) {
            piece = room;
            k = iov_slice(iov, n, done, &piece, part, SLICE_MAX);
        }
        r = x.fresh ? write_fresh(b, &x, off + done, piece, part, k, e)
                    : write_data(b, &x, off + done, piece, part, k, e);
        if (r < 0)
            return r;
        done += piece;
    }
    return 0;
}

static int locked_map_write(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov,
                            int n, struct err *e)
{
    uint64_t granule = blk_granule(b);
    struct blk_range range;
    int r;

    range_lock(b, &range, round_down(off, granule), round_up(off + len, granule));
    pthread_rwlock_rdlock(&b->core->users);
    r = map_write(b, off, len, iov, n, e);
    pthread_rwlock_unlock(&b->core->users);
    limbo_release(b);
    range_unlock(b, &range);
    return r;
}

int node_writev(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
                unsigned req, struct err *e)
{
    int r;

    if (!b->drv->io)
        return locked_map_write(b, off, len, iov, n, e);
    if ((r = check_host_offset(off, len, e)) < 0)
        return r;
    if (!b->drv->io->writev)
        return err_set(e, -EROFS, "%s can only be read", b->drv->name);
    if (!aligned(b, off, iov, n))
        return bounce_writev(b, off, len, iov, n, req, e);
    return b->drv->io->writev(b, off, iov, n, req, e);
}

/* What callers see ------------------------------------------------------------------------------ */

static int read_all(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    struct iovec part[SLICE_MAX];
    uint64_t len = iov_len(iov, n);
    int r = check_range(b, off, len, "reading", e);

    if (r >= 0 && (b->flags & BLK_COPY_ON_READ))
        blk_copy_up(b, off, len, ERR_IGNORE); /* a full disk does not keep anybody from reading */
    if (r >= 0 && len <= BLK_MAX_IO && n <= SLICE_MAX)
        return len ? node_readv(b, off, len, iov, n, e) : 0;
    for (uint64_t done = 0; r >= 0 && done < len;) {
        uint64_t piece = min_u64(len - done, BLK_MAX_IO);
        int k = iov_slice(iov, n, done, &piece, part, SLICE_MAX);

        r = node_readv(b, off + done, piece, part, k, e);
        done += piece;
    }
    return r;
}

int blk_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    uint64_t begin = count_begin(b);
    int r = read_all(b, off, iov, n, e);

    count_end(b, BLK_COUNT_READ, begin, begin ? iov_len(iov, n) : 0, r);
    return r;
}

/* A guest that can write a format's magic into a raw disk whose format was guessed would have
 * the next opener follow its backing file name: such writes to the first sector are refused. */
static int check_probed_raw(struct blk *b, uint64_t off, const struct iovec *iov, int n,
                            struct err *e)
{
    uint8_t head[512] = {0};
    struct iovec part[SLICE_MAX];

    if (!b->probed_raw || off >= sizeof(head))
        return 0;
    uint64_t len = sizeof(head) - off;
    int k = iov_slice(iov, n, 0, &len, part, SLICE_MAX);

    iov_to(part, k, head + off);
    if (strcmp(blk_driver_probe(head, sizeof(head), "")->name, "raw"))
        return err_set(e, -EPERM,
                       "the format of '%s' was guessed as raw: writing another "
                       "format's header to it is refused; say the format",
                       blk_filename(b));
    return 0;
}

static bool all_zero(const struct iovec *iov, int n)
{
    for (int i = 0; i < n; i++)
        if (!bytes_zero(iov[i].iov_base, iov[i].iov_len))
            return false;
    return true;
}

static int write_piece(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
                       unsigned req, struct err *e)
{
    if ((b->flags & BLK_DETECT_ZEROES) && all_zero(iov, n))
        return node_zero(b, off, len, req | (b->flags & BLK_DETECT_UNMAP ? BLK_REQ_UNMAP : 0), e);
    return node_writev(b, off, len, iov, n, req, e);
}

static int write_all(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req, struct err *e)
{
    struct iovec part[SLICE_MAX];
    uint64_t len = iov_len(iov, n);
    int r;

    if (!(b->flags & BLK_RDWR))
        return err_set(e, -EPERM, "Block node is read-only");
    if ((r = check_range(b, off, len, "writing", e)) < 0 ||
        (r = check_probed_raw(b, off, iov, n, e)) < 0)
        return r;
    for (uint64_t done = 0; done < len;) {
        uint64_t piece = min_u64(len - done, BLK_MAX_IO);
        int k = iov_slice(iov, n, done, &piece, part, SLICE_MAX);

        if ((r = write_piece(b, off + done, piece, part, k, req, e)) < 0)
            return r;
        done += piece;
    }
    if ((req & BLK_REQ_FUA) || (b->flags & BLK_WRITE_THROUGH))
        return node_flush(b, e);
    return 0;
}

int blk_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
               struct err *e)
{
    uint64_t begin = count_begin(b);
    int r = write_all(b, off, iov, n, req, e);

    count_end(b, BLK_COUNT_WRITE, begin, begin ? iov_len(iov, n) : 0, r);
    return r;
}

int blk_read(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e)
{
    struct iovec iov = {buf, len};

    return blk_readv(b, off, &iov, 1, e);
}

int blk_write(struct blk *b, uint64_t off, uint64_t len, const void *buf, unsigned req,
              struct err *e)
{
    struct iovec iov = {(void *)buf, len};

    return blk_writev(b, off, &iov, 1, req, e);
}

static int check_compressed(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    int r;

    if (!(b->flags & BLK_RDWR))
        return err_set(e, -EPERM, "Block node is read-only");
    if (!b->drv->map || !b->drv->map->compress)
        return err_set(e, -ENOTSUP, "Compression not supported for this file format");
    if ((r = check_range(b, off, len, "writing", e)) < 0)
        return r;
    if (!len || off % b->cluster || (len != b->cluster && off + len != blk_size_now(b)))
        return err_set(e, -EINVAL, "compressed writes are whole clusters");
    return 0;
}

int blk_compress(struct blk *b, uint64_t len, const void *buf, void *out, size_t *out_len,
                 struct err *e)
{
    const struct blk_map_ops *map = b->drv->map;
    char *whole = NULL;
    int r;

    if (!map || !map->compress)
        return err_set(e, -ENOTSUP, "Compression not supported for this file format");
    if (len < b->cluster) { /* the disk's end: the rest of the cluster is zeros */
        if (!(whole = bounce_new(b->cluster, 1, e)))
            return -ENOMEM;
        memcpy(whole, buf, len);
        memset(whole + len, 0, b->cluster - len);
    }
    r = map->compress(b, whole ? whole : buf, b->cluster, out, out_len, e);
    if (r == 1)
        *out_len = 0;
    free(whole);
    return r;
}

int blk_store_compressed(struct blk *b, uint64_t off, uint64_t len, const void *data,
                         size_t data_len, struct err *e)
{
    struct blk_range range;
    int r = check_compressed(b, off, len, e);

    if (r < 0)
        return r;
    range_lock(b, &range, off, off + b->cluster);
    pthread_rwlock_rdlock(&b->core->users);
    r = b->drv->map->store_compressed(b, off, data, data_len, e);
    pthread_rwlock_unlock(&b->core->users);
    limbo_release(b);
    range_unlock(b, &range);
    return r;
}

int blk_write_compressed(struct blk *b, uint64_t off, uint64_t len, const void *buf, struct err *e)
{
    size_t out_len = 0;
    int r = check_compressed(b, off, len, e);

    if (r < 0)
        return r;
    char *out = bounce_new(b->cluster, 1, e);

    if (!out)
        return -ENOMEM;
    if ((r = blk_compress(b, len, buf, out, &out_len, e)) == 1) /* does not shrink */
        r = blk_write(b, off, len, buf, 0, e);
    else if (r == 0)
        r = blk_store_compressed(b, off, len, out, out_len, e);
    free(out);
    return r;
}

int blk_copy_range(struct blk *src, uint64_t src_off, struct blk *dst, uint64_t dst_off,
                   uint64_t len, unsigned req, struct err *e)
{
    int r;

    if ((r = check_range(src, src_off, len, "reading", e)) < 0 ||
        (r = check_range(dst, dst_off, len, "writing", e)) < 0)
        return r;
    if (!src->drv->io || !src->drv->io->copy_range)
        return err_set(e, -ENOTSUP, "%s has no copy offloading", src->drv->name);
    return src->drv->io->copy_range(src, src_off, dst, dst_off, len, req, e);
}
