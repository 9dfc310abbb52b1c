/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Handing requests on to the node below. */
#include "block/core.h"
#include "block/filter.h"

void filter_open(struct blk *b)
{
    b->size = blk_size(b->file);
}

uint64_t filter_iov_len(const struct iovec *iov, int n)
{
    uint64_t len = 0;

    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    return len;
}

int filter_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    uint64_t len = filter_iov_len(iov, n);

    if (off + len > blk_size(b->file)) /* aligned, past the end of a file whose size is not */
        return node_readv(b->file, off, len, iov, n, e);
    return blk_readv(b->file, off, iov, n, e);
}

/* A format on top of a filter makes the file grow, as it does without one. */
static int grow(struct blk *b, uint64_t end, struct err *e)
{
    int r;

    if (end <= blk_size(b))
        return 0;
    if (end > blk_size(b->file) && (r = blk_truncate(b->file, end, BLK_PREALLOC_OFF, 0, e)) < 0)
        return r;
    __atomic_store_n(&b->size, end, __ATOMIC_RELAXED);
    return 0;
}

int filter_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                  struct err *e)
{
    int r = grow(b, off + filter_iov_len(iov, n), e);

    return r < 0 ? r : blk_writev(b->file, off, iov, n, req, e);
}

int filter_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    int r = grow(b, off + len, e);

    return r < 0 ? r : blk_zero(b->file, off, len, req, e);
}

int filter_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    return blk_discard(b->file, off, len, e);
}

int filter_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s, struct err *e)
{
    int r = blk_status_above(b->file, NULL, off, len, s, e); /* what nobody there has reads as zeros */

    s->depth = 0;
    return r;
}

int filter_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                    struct err *e)
{
    int r = blk_truncate(b->file, size, prealloc, req, e);

    if (r >= 0)
        __atomic_store_n(&b->size, blk_size(b->file), __ATOMIC_RELAXED);
    return r;
}

int filter_info(struct blk *b, struct blk_info *i, struct err *e)
{
    struct blk_info below;
    int r = blk_get_info(b->file, &below, e);

    if (r < 0)
        return r;
    i->cluster_size = below.cluster_size;
    i->vm_state_off = below.vm_state_off;
    i->has_dirty = below.has_dirty;
    i->dirty = below.dirty;
    blk_info_free(&below);
    return 0;
}

/* Breakpoints ------------------------------------------------------------------------------------ */

static struct blk *debugger(struct blk *b)
{
    while (b && !b->drv->debug)
        b = b->file;
    return b;
}

int blk_debug_break(struct blk *b, const char *event, const char *tag, blk_debug_told *told, void *opaque)
{
    b = debugger(b);
    return b ? b->drv->debug->set_break(b, event, tag, told, opaque) : -EOPNOTSUPP;
}

int blk_debug_remove_break(struct blk *b, const char *tag)
{
    b = debugger(b);
    return b ? b->drv->debug->remove_break(b, tag) : -EOPNOTSUPP;
}

int blk_debug_resume(struct blk *b, const char *tag)
{
    b = debugger(b);
    return b ? b->drv->debug->resume(b, tag) : -EOPNOTSUPP;
}

int blk_debug_suspended(struct blk *b, const char *tag)
{
    b = debugger(b);
    return b ? b->drv->debug->suspended(b, tag) : -EOPNOTSUPP;
}
