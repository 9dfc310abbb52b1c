/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What was read from below a layer is kept in it, so that it is read from there the next time. */
#include "block/core.h"

#include <stdlib.h>

enum { PIECE = 1 << 20 };

/* The hole at the beginning of [off, off+len), which is locked and cluster-aligned; 0: not a hole. */
static uint64_t hole_at(struct blk *b, uint64_t off, uint64_t len)
{
    struct blk_extent x = {0};

    if (b->drv->map->map(b, off, len, &x, ERR_IGNORE) < 0 || x.where != BLK_HOLE)
        return 0;
    return min_u64(x.len, len);
}

static int keep(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e)
{
    struct iovec iov = {buf, len};
    int r = map_read_flat(b, off, len, buf, e);

    if (r < 0)
        return r;
    if (b->drv->map->zero && bytes_zero(buf, len)) {
        r = b->drv->map->zero(b, off, len, 0, e);
        if (r != -ENOTSUP)
            return r;
        e->code = 0;
    }
    return map_write(b, off, len, &iov, 1, e);
}

static int keep_hole(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e)
{
    struct blk_range range;
    uint64_t hole;
    int r = 0;

    range_lock(b, &range, off, off + len);
    pthread_rwlock_rdlock(&b->core->users);
    if ((hole = hole_at(b, off, len))) /* somebody may have written it meanwhile */
        r = keep(b, off, hole, buf, e);
    pthread_rwlock_unlock(&b->core->users);
    limbo_release(b);
    range_unlock(b, &range);
    return r;
}

int blk_copy_up(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    uint64_t granule = blk_granule(b), end = min_u64(round_up(off + len, granule), blk_size_now(b));
    void *buf = NULL;
    int r = 0;

    if (!b->drv->map || !b->backing || !(b->flags & BLK_RDWR))
        return 0;
    for (off = round_down(off, granule); off < end && r >= 0;) {
        struct blk_status s;

        if ((r = blk_status(b, off, min_u64(end - off, max_u64(PIECE, granule)), &s, e)) < 0)
            break;
        if (!s.allocated && !buf && !(buf = malloc(max_u64(PIECE, granule))))
            r = err_set(e, -ENOMEM, "out of memory");
        else if (!s.allocated)
            r = keep_hole(b, off, s.len, buf, e);
        off += s.len;
    }
    free(buf);
    return r;
}
