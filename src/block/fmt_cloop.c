/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -f cloop: compressed loop images as Knoppix has them, only read.  After the description in Debian's cloop-utils:
 * a shell script of 128 bytes, block size and count, offsets, blocks packed by zlib; big-endian.
 */
#include "block/table.h"
#include "block/unpack.h"

#include <inttypes.h>

extern const struct blk_driver fmt_cloop;

enum { H_BLOCK = 128, H_COUNT = 132, HEADER = 136 };
static const char script[] = "#!/bin/sh\n#V2.0 Format\nmodprobe cloop file=$0 && mount -r -t iso9660 "
                             "/dev/cloop $1\n";

struct cloop {
    struct bat offsets;
    struct unpack_cache cache;
    uint64_t block;
};

static int cloop_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= sizeof(script) - 1 && !memcmp(head, script, sizeof(script) - 1) ? 2 : 0;
}

static int cloop_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct cloop *c = b->state;
    uint8_t h[HEADER] = {0};
    uint64_t n;
    int r;

    if (b->flags & BLK_RDWR)
        return err_set(e, -EROFS, "Image is read-only");
    if ((r = blk_read(b->file, 0, min_u64(HEADER, blk_size(b->file)), h, e)) < 0)
        return r;
    c->block = get_be32(h + H_BLOCK);
    n = get_be32(h + H_COUNT);
    if (!c->block)
        return err_set(e, -EINVAL, "block_size cannot be zero");
    if (c->block % 512)
        return err_set(e, -EINVAL, "block_size %" PRIu64 " must be a multiple of 512", c->block);
    if (c->block > UNPACK_MAX)
        return err_set(e, -EINVAL, "block_size %" PRIu64 " must be 64 MB or less", c->block);
    if ((r = bat_load(&c->offsets, b->file, HEADER, n + 1, 8, true, e)) < 0)
        return r;
    unpack_init(&c->cache);
    b->size = n * c->block;
    return 0;
}

static int cloop_close(struct blk *b, struct err *e)
{
    struct cloop *c = b->state;

    bat_free(&c->offsets);
    unpack_done(&c->cache);
    return 0;
}

static int cloop_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct cloop *c = b->state;

    *x = (struct blk_extent){.where = BLK_CODED, .off = off,
                             .len = min_u64(len, c->block - off % c->block)};
    return 0;
}

static int cloop_read(struct blk *b, const struct blk_extent *x, uint64_t off, uint64_t len, void *buf,
                      struct err *e)
{
    struct cloop *c = b->state;
    uint64_t i = off / c->block, from = bat_get(&c->offsets, i), to = bat_get(&c->offsets, i + 1);
    struct unpack_block k = {.index = i, .how = UNPACK_ZLIB, .host = from, .packed = to - from,
                             .plain = c->block};

    if (to < from)
        return err_set(e, -EIO, "block %" PRIu64 " from %" PRIu64 " to %" PRIu64, i, from, to);
    return unpack_read(&c->cache, b->file, &k, off % c->block, len, buf, e);
}

static int cloop_info(struct blk *b, struct blk_info *i, struct err *e)
{
    i->bare = true;
    return 0;
}

static const struct blk_map_ops cloop_map_ops = {.map = cloop_map, .read_coded = cloop_read};

const struct blk_driver fmt_cloop = {
    .name = "cloop",
    .help = "compressed loop images, only read",
    .kind = BLK_FORMAT,
    .state_size = sizeof(struct cloop),
    .probe = cloop_probe,
    .open = cloop_open,
    .close = cloop_close,
    .info = cloop_info,
    .map = &cloop_map_ops,
};
