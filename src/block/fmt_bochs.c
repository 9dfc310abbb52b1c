/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -f bochs: growing disks of Bochs, only read.  After the description of redologs in the Bochs documentation: a
 * header, a catalog of extents, each with a bitmap of its sectors; little-endian.
 */
#include "block/table.h"

#include <inttypes.h>
#include <stdlib.h>

extern const struct blk_driver fmt_bochs;

/* Offsets in the header. */
enum {
    H_TYPE = 32,
    H_SUBTYPE = 48,
    H_VERSION = 64,
    H_LEN = 68,
    H_CATALOG = 72,
    H_BITMAP = 76,
    H_EXTENT = 80,
    H_SIZE_1 = 84, /* version 1 */
    H_SIZE_2 = 88,
    HEADER = 512,
    SECTOR = 512,
};
#define UNUSED UINT32_C(0xffffffff)
static const char magic[] = "Bochs Virtual HD Image";

/* struct bochs - [lock]: bitmaps. */
struct bochs {
    pthread_mutex_t lock;
    struct bat catalog;
    struct tcache *bitmaps;
    uint64_t data, bitmap, extent; /* bytes: where extents begin, of their bitmaps and data */
};

static int bochs_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= HEADER && !memcmp(head, magic, sizeof(magic)) && !strncmp((char *)head + H_TYPE, "Redolog", 16) &&
                   !strncmp((char *)head + H_SUBTYPE, "Growing", 16)
               ? 100
               : 0;
}

static int read_header(struct blk *b, const uint8_t *h, struct err *e)
{
    struct bochs *s = b->state;
    uint32_t version = get_le32(h + H_VERSION);
    uint64_t size;

    if (!bochs_probe(h, HEADER, "") || (version != 0x10000 && version != 0x20000))
        return err_set(e, -EINVAL, "Image not in Bochs format");
    size = get_le64(h + (version == 0x10000 ? H_SIZE_1 : H_SIZE_2));
    s->extent = get_le32(h + H_EXTENT);
    s->bitmap = round_up((uint64_t)get_le32(h + H_BITMAP), SECTOR);
    if (size > INT64_MAX)
        return err_set(e, -EINVAL, "a disk of %" PRIu64 " bytes", size);
    if (!is_pow2(s->extent) || s->extent < SECTOR)
        return err_set(e, -EINVAL, "Extent size must be at least 512: a power of two, not %" PRIu64,
                       s->extent);
    if (s->extent > 8 * MiB)
        return err_set(e, -EFBIG, "Extent size %" PRIu64 " is too large", s->extent);
    if (s->bitmap * 8 < s->extent / SECTOR || s->bitmap > MiB)
        return err_set(e, -EINVAL, "a bitmap of %" PRIu64 " bytes for extents of %" PRIu64, s->bitmap,
                       s->extent);
    if (get_le32(h + H_CATALOG) < div_up(size, s->extent))
        return err_set(e, -EINVAL, "Catalog size is too small for this disk size");
    b->size = round_down(size, SECTOR);
    b->cluster = s->extent;
    s->data = get_le32(h + H_LEN) + get_le32(h + H_CATALOG) * UINT64_C(4);
    return 0;
}

static int bochs_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct bochs *s = b->state;
    uint8_t h[HEADER] = {0};
    int r;

    if ((r = blk_read(b->file, 0, min_u64(HEADER, blk_size(b->file)), h, e)) < 0 ||
        (r = read_header(b, h, e)) < 0)
        return r;
    if (b->flags & BLK_RDWR)
        return err_set(e, -EROFS, "Image is read-only");
    if ((r = bat_load(&s->catalog, b->file, get_le32(h + H_LEN), div_up(b->size, s->extent), 4, false,
                      e)) < 0)
        return r;
    pthread_mutex_init(&s->lock, NULL);
    s->bitmaps = tcache_new(b->file, s->bitmap, MiB);
    return 0;
}

static int bochs_close(struct blk *b, struct err *e)
{
    struct bochs *s = b->state;

    bat_free(&s->catalog);
    tcache_free(s->bitmaps);
    pthread_mutex_destroy(&s->lock);
    return 0;
}

static int map_sectors(struct bochs *s, uint64_t at, uint64_t in, struct blk_extent *x, struct err *e)
{
    uint64_t k = in / SECTOR, n = div_up(in % SECTOR + x->len, SECTOR), run = 1;
    const uint8_t *map = tcache_get(s->bitmaps, at, e);
    bool here;

    if (!map)
        return e->code;
    here = map[k / 8] >> k % 8 & 1;
    while (run < n && (map[(k + run) / 8] >> (k + run) % 8 & 1) == here)
        run++;
    x->len = min_u64(x->len, run * SECTOR - in % SECTOR);
    x->where = here ? BLK_DATA : BLK_ZEROS;
    x->host = at + s->bitmap + in;
    return 0;
}

static int bochs_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct bochs *s = b->state;
    uint64_t i = off / s->extent, in = off % s->extent, entry = bat_get(&s->catalog, i);
    int r;

    x->off = off;
    x->len = min_u64(len, s->extent - in);
    x->where = BLK_ZEROS;
    if (entry == UNUSED)
        return 0;
    pthread_mutex_lock(&s->lock);
    r = map_sectors(s, s->data + entry * (s->bitmap + s->extent), in, x, e);
    pthread_mutex_unlock(&s->lock);
    return r;
}

static int bochs_info(struct blk *b, struct blk_info *i, struct err *e)
{
    i->cluster_size = 0;
    i->bare = true;
    return 0;
}

static const struct blk_map_ops bochs_map_ops = {.map = bochs_map};

const struct blk_driver fmt_bochs = {
    .name = "bochs",
    .help = "growing disks of Bochs, only read",
    .kind = BLK_FORMAT,
    .state_size = sizeof(struct bochs),
    .probe = bochs_probe,
    .open = bochs_open,
    .close = bochs_close,
    .info = bochs_info,
    .map = &bochs_map_ops,
};
