/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Zeroing, discarding, flushing, changing the size. */
#include "block/core.h"

#include <inttypes.h>
#include <stdlib.h>

const char *const blk_prealloc_names[] = {"off", "metadata", "falloc", "full", NULL};

static int check_writable(const struct blk *b, struct err *e)
{
    return b->flags & BLK_RDWR ? 0 : err_set(e, -EPERM, "Block node is read-only");
}

/* A buffer of zeros, as long as most requests need, never written. */
static const char zeros[64 * KiB] __attribute__((aligned(4096)));

/* @len at most PIECES times the buffer. */
static int write_zeros_once(struct blk *b, uint64_t off, uint64_t *len, unsigned req, struct err *e)
{
    enum { PIECES = 16 };
    struct iovec iov[PIECES];
    uint64_t piece = 0;
    int k = 0;

    for (; piece < *len && k < PIECES; k++) {
        uint64_t n = min_u64(*len - piece, sizeof(zeros));

        iov[k] = (struct iovec){(void *)zeros, n};
        piece += n;
    }
    *len = piece;
    return b->drv->io ? node_writev(b, off, piece, iov, k, req, e)
                      : map_write(b, off, piece, iov, k, e);
}

/* How much of [off, off+len), from its beginning, reads as zeros without anything being written? */
static uint64_t zero_already(struct blk *b, uint64_t off, uint64_t len)
{
    struct blk_extent x = {0};

    if (!b->drv->map || b->drv->map->map(b, off, len, &x, ERR_IGNORE) < 0)
        return 0;
    return x.where == BLK_ZEROS || (x.where == BLK_HOLE && !b->backing) ? min_u64(x.len, len) : 0;
}

int blk_write_zeros(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    while (len) {
        uint64_t piece = zero_already(b, off, len);

        if (!piece) {
            piece = len;
            int r = write_zeros_once(b, off, &piece, req, e);

            if (r < 0)
                return r;
        }
        off += piece;
        len -= piece;
    }
    return 0;
}

static int io_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    int r = -ENOTSUP;

    if (b->drv->io->zero && !((off | len) & (b->align - 1))) {
        r = b->drv->io->zero(b, off, len, req, e);
        if (r != -ENOTSUP)
            return r;
    }
    if (req & BLK_REQ_NO_FALLBACK)
        return err_set(e, -ENOTSUP, "no quick way to write zeros");
    e->code = 0;
    return blk_write_zeros(b, off, len, req, e);
}

/* Does [off, off+len) decide by itself that it reads as zeros?  Then nothing has to be done. */
static bool already_zero(struct blk *b, uint64_t off, uint64_t len)
{
    struct blk_extent x = {0};

    return len && b->drv->map->map(b, off, len, &x, ERR_IGNORE) >= 0 && x.len >= len &&
           (x.where == BLK_ZEROS || (x.where == BLK_HOLE && !b->backing));
}

static int write_edge(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    if (!len || already_zero(b, off, len))
        return 0;
    if (req & BLK_REQ_NO_FALLBACK)
        return err_set(e, -ENOTSUP, "no quick way to write zeros to a part of a cluster");
    return blk_write_zeros(b, off, len, 0, e);
}

static int map_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    uint64_t cluster = b->cluster ? b->cluster : 1, end = off + len;
    uint64_t start = round_up(off, cluster);
    uint64_t stop = end == blk_size_now(b) ? end : round_down(end, cluster);
    int r;

    if (!b->drv->map->zero || start >= stop)
        return write_edge(b, off, len, req, e);
    if ((r = write_edge(b, off, start - off, req, e)) < 0 ||
        (r = write_edge(b, stop, end - stop, req, e)) < 0)
        return r;
    r = b->drv->map->zero(b, start, stop - start, req, e);
    if (r != -ENOTSUP || (req & BLK_REQ_NO_FALLBACK))
        return r;
    e->code = 0;
    return blk_write_zeros(b, start, stop - start, 0, e);
}

static int locked(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e,
                  int (*run)(struct blk *, uint64_t, uint64_t, unsigned, struct err *))
{
    uint64_t granule = blk_granule(b);
    struct blk_range range;
    int r;

    range_lock(b, &range, round_down(off, granule), round_up(off + len, granule));
    pthread_rwlock_rdlock(&b->core->users);
    r = run(b, off, len, req, e);
    pthread_rwlock_unlock(&b->core->users);
    limbo_release(b);
    range_unlock(b, &range);
    return r;
}

int node_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    int r;

    if (!(b->flags & BLK_UNMAP))
        req &= ~BLK_REQ_UNMAP;
    if ((r = check_writable(b, e)) < 0 || (r = check_range(b, off, len, "zeroing", e)) < 0 || !len)
        return r;
    r = b->drv->io ? io_zero(b, off, len, req, e) : locked(b, off, len, req, e, map_zero);
    if (r >= 0 && ((req & BLK_REQ_FUA) || (b->flags & BLK_WRITE_THROUGH)))
        return node_flush(b, e);
    return r;
}

int blk_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    uint64_t begin = count_begin(b);
    int r = node_zero(b, off, len, req, e);

    count_end(b, BLK_COUNT_WRITE, begin, len, r);
    return r;
}

/* Parts of clusters stay: a discard is a hint. */
static int map_discard(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    uint64_t cluster = b->cluster ? b->cluster : 1, end = off + len;
    uint64_t start = round_up(off, cluster);
    uint64_t stop = end == blk_size_now(b) ? end : round_down(end, cluster);

    if (start >= stop || !b->drv->map->discard)
        return 0;
    return b->drv->map->discard(b, start, stop - start, e);
}

int blk_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    int r;

    if ((r = check_writable(b, e)) < 0 || (r = check_range(b, off, len, "discarding", e)) < 0 ||
        !len || !(b->flags & BLK_UNMAP))
        return r;
    if (!b->drv->io)
        r = locked(b, off, len, 0, e, map_discard);
    else if (b->drv->io->discard)
        r = b->drv->io->discard(b, off, len, e);
    if (r == -ENOTSUP) {
        e->code = 0;
        return 0;
    }
    return r;
}

int node_flush(struct blk *b, struct err *e)
{
    int r;

    if (!(b->flags & BLK_RDWR))
        return 0;
    if (b->drv->flush && (r = b->drv->flush(b, e)) < 0)
        return r;
    return b->file && !(b->flags & BLK_NO_FLUSH) ? blk_flush(b->file, e) : 0;
}

int blk_flush(struct blk *b, struct err *e)
{
    uint64_t begin = count_begin(b);
    int r = node_flush(b, e);

    count_end(b, BLK_COUNT_FLUSH, begin, 0, r);
    return r;
}

int blk_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                 struct err *e)
{
    struct blk_range range;
    int r = check_writable(b, e);

    if (r < 0)
        return r;
    if (!b->drv->truncate)
        return err_set(e, -ENOTSUP, "Image format driver does not support resize");
    if (size > INT64_MAX)
        return err_set(e, -EFBIG, "Image size is too large: %" PRIu64 " bytes", size);
    blk_exclusive_begin(b, &range);
    r = b->drv->truncate(b, size, prealloc, req, e);
    blk_exclusive_end(b, &range);
    return r;
}
