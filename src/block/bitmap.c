/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Persistent dirty bitmaps, as users of images see them; formats store them (struct blk_bitmap_ops). */
#include "block/core.h"

#include <stdlib.h>

static const struct blk_bitmap_ops *bitmaps_of(struct blk *b, struct err *e)
{
    if (!b->drv->bitmaps)
        err_set(e, -ENOTSUP, "Cannot store dirty bitmaps in file '%s'", blk_filename(b));
    return b->drv->bitmaps;
}

/* Bitmaps that can be changed, and nothing else runs until blk_exclusive_end. */
static const struct blk_bitmap_ops *begin(struct blk *b, struct blk_range *range, struct err *e)
{
    const struct blk_bitmap_ops *ops = bitmaps_of(b, e);

    if (ops && !(b->flags & BLK_RDWR)) {
        err_set(e, -EPERM, "Block node is read-only");
        return NULL;
    }
    if (ops)
        blk_exclusive_begin(b, range);
    return ops;
}

int blk_bitmap_list(struct blk *b, struct blk_bitmap **list, struct err *e)
{
    const struct blk_bitmap_ops *ops = bitmaps_of(b, e);

    return ops ? ops->list(b, list, e) : e->code;
}

int blk_bitmap_add(struct blk *b, const char *name, uint64_t granularity, bool enabled,
                   struct err *e)
{
    struct blk_range range;
    const struct blk_bitmap_ops *ops = begin(b, &range, e);

    if (!ops)
        return e->code;
    int r = ops->add(b, name, granularity, enabled, e);

    blk_exclusive_end(b, &range);
    return r;
}

int blk_bitmap_remove(struct blk *b, const char *name, struct err *e)
{
    struct blk_range range;
    const struct blk_bitmap_ops *ops = begin(b, &range, e);

    if (!ops)
        return e->code;
    int r = ops->remove(b, name, e);

    blk_exclusive_end(b, &range);
    return r;
}

int blk_bitmap_clear(struct blk *b, const char *name, struct err *e)
{
    struct blk_range range;
    const struct blk_bitmap_ops *ops = begin(b, &range, e);

    if (!ops)
        return e->code;
    int r = ops->clear(b, name, e);

    blk_exclusive_end(b, &range);
    return r;
}

int blk_bitmap_enable(struct blk *b, const char *name, bool enabled, struct err *e)
{
    struct blk_range range;
    const struct blk_bitmap_ops *ops = begin(b, &range, e);

    if (!ops)
        return e->code;
    int r = ops->enable(b, name, enabled, e);

    blk_exclusive_end(b, &range);
    return r;
}

int blk_bitmap_next(struct blk *b, const char *name, uint64_t off, uint64_t *start, uint64_t *len,
                    struct err *e)
{
    const struct blk_bitmap_ops *ops = bitmaps_of(b, e);

    return ops ? ops->next(b, name, off, start, len, e) : e->code;
}

int blk_bitmap_merge(struct blk *b, const char *name, struct blk *src, const char *src_name,
                     struct err *e)
{
    const struct blk_bitmap_ops *from = bitmaps_of(src, e), *to;
    uint64_t start, len, off = 0;
    struct blk_range range;
    int r;

    if (!from)
        return e->code;
    if (blk_size_now(src) != blk_size_now(b))
        return err_set(e, -EINVAL,
                       "Bitmaps are of different sizes (destination size is %llu, source size is "
                       "%llu) and can't be merged",
                       (unsigned long long)blk_size_now(b), (unsigned long long)blk_size_now(src));
    if (!(to = begin(b, &range, e)))
        return e->code;
    r = to->mark(b, name, 0, 0, e); /* is it there, and whole? */
    while (r >= 0 && (r = from->next(src, src_name, off, &start, &len, e)) > 0) {
        r = to->mark(b, name, start, len, e);
        off = start + len;
    }
    blk_exclusive_end(b, &range);
    return r < 0 ? r : 0;
}
