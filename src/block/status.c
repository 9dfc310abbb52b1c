/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is where: one layer, and through the backing chain. */
#include "block/core.h"

#include <string.h>

/* The file below knows of holes that the format does not (preallocated space, sparse raw files). */
static void look_below(struct blk *file, struct blk_status *s)
{
    struct blk_status below;

    if (s->host >= blk_size_now(file)) {
        s->zero = true;
        return;
    }
    uint64_t len = min_u64(s->len, blk_size_now(file) - s->host);

    if (blk_status(file, s->host, len, &below, ERR_IGNORE) < 0 || !below.len)
        return;
    s->len = min_u64(s->len, below.len);
    s->zero = below.zero;
}

static int map_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s,
                      struct err *e)
{
    struct blk_extent x = {0};
    int r;

    pthread_rwlock_rdlock(&b->core->users);
    r = b->drv->map->map(b, off, len, &x, e);
    pthread_rwlock_unlock(&b->core->users);
    if (r < 0)
        return r;
    s->len = min_u64(x.len, len);
    s->file = x.file ? x.file : b->file;
    s->host = x.host;
    switch (x.where) {
    case BLK_HOLE:
        s->zero = !b->backing && !b->backing_file;
        s->has_host = x.zero_stored;
        break;
    case BLK_ZEROS:
        s->allocated = s->zero = true;
        s->has_host = x.zero_stored;
        break;
    case BLK_DATA:
        s->allocated = s->data = true;
        s->has_host = !b->coded;
        if (x.look_below)
            look_below(s->file, s);
        break;
    case BLK_CODED: s->allocated = s->data = s->compressed = true; break;
    }
    return 0;
}

int blk_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s, struct err *e)
{
    uint64_t size = blk_size_now(b);
    int r = 0;

    memset(s, 0, sizeof(*s));
    if (off >= size) {
        s->eof = true;
        return 0;
    }
    len = min_u64(len, size - off);
    if (!len)
        return 0;
    if (b->drv->map) {
        r = map_status(b, off, len, s, e);
    } else if (b->drv->io->status) {
        r = b->drv->io->status(b, off, len, s, e);
        s->len = min_u64(s->len, len);
    } else {
        s->len = len;
        s->allocated = s->data = s->has_host = true;
        s->host = off;
        s->file = b;
    }
    s->eof = off + s->len == size;
    return r;
}

int blk_status_above(struct blk *b, struct blk *base, uint64_t off, uint64_t len,
                     struct blk_status *s, struct err *e)
{
    int depth = 0;

    memset(s, 0, sizeof(*s));
    s->len = len;
    for (struct blk *layer = b; layer && layer != base; layer = layer->backing, depth++) {
        if (depth && off >= blk_size_now(layer)) { /* shorter than what lies on it: zeros */
            *s = (struct blk_status){.len = len,
                                     .zero = true,
                                     .allocated = true,
                                     .beyond = true,
                                     .depth = depth - 1,
                                     .has_host = s->has_host, /* space of the layer above */
                                     .host = s->host,
                                     .file = s->file};
            break;
        }
        int r = blk_status(layer, off, len, s, e);

        if (r < 0)
            return r;
        s->depth = depth;
        if (s->allocated || !s->len)
            break;
        len = s->len;
    }
    s->eof = off + s->len >= blk_size_now(b);
    return 0;
}
