/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=compress: whatever is written to the format below is stored compressed, cluster by cluster.  A part of a cluster
 * is written with the rest of what the cluster shows, so any request will do; a cluster may be written again.
 */
#include "block/core.h"
#include "block/filter.h"

#include <stdlib.h>

static int compress_open(struct blk *b, struct json_object *opts, struct err *e)
{
    const struct blk_driver *below = b->file->drv;

    (void)opts;
    if (!below->map || !below->map->compress)
        return err_set(e, -ENOTSUP, "Compression is not supported for underlying format: %s", below->name);
    if (!(blk_flags(b->file) & BLK_RDWR) && (b->flags & BLK_RDWR))
        return err_set(e, -EPERM, "Block node is read-only");
    filter_open(b);
    return 0;
}

/* Write [off, off+len), within the cluster at @start of which the disk has @whole bytes; @buf has room for them. */
static int write_cluster(struct blk *b, uint64_t start, uint64_t whole, uint64_t off, uint64_t len, const struct iovec *iov,
                         int n, char *buf, struct err *e)
{
    struct blk_range range;
    int r = 0;

    range_lock(b, &range, start, start + whole);
    if (len < whole)
        r = blk_read(b->file, start, whole, buf, e);
    if (r >= 0) {
        iov_to(iov, n, buf + (off - start));
        r = blk_write_compressed(b->file, start, whole, buf, e);
    }
    range_unlock(b, &range);
    return r;
}

static int compress_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req, struct err *e)
{
    uint64_t len = filter_iov_len(iov, n), cluster = b->file->cluster, done = 0;
    enum { SLICES = 64 };
    struct iovec part[SLICES];
    char *buf;
    int r = 0;

    (void)req; /* the core flushes */
    if (off + len > blk_size_now(b) && (r = filter_truncate(b, off + len, BLK_PREALLOC_OFF, 0, e)) < 0)
        return r;
    if (!(buf = malloc(cluster)))
        return err_set(e, -ENOMEM, "out of memory for a cluster of %llu bytes", (unsigned long long)cluster);
    while (r >= 0 && done < len) {
        uint64_t at = off + done, start = round_down(at, cluster);
        uint64_t whole = min_u64(cluster, blk_size_now(b) - start), piece = min_u64(len - done, start + whole - at);
        int k = iov_slice(iov, n, done, &piece, part, SLICES);

        r = write_cluster(b, start, whole, at, piece, part, k, buf, e);
        done += piece;
    }
    free(buf);
    return r;
}

static const struct blk_io_ops compress_io = {
    .readv = filter_readv,
    .writev = compress_writev,
    .zero = filter_zero,
    .discard = filter_discard,
    .status = filter_status,
};

const struct blk_driver filter_compress = {
    .name = "compress",
    .help = "what is written is stored compressed",
    .kind = BLK_FILTER,
    .open = compress_open,
    .truncate = filter_truncate,
    .info = filter_info,
    .io = &compress_io,
};
