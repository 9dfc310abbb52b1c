/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -f vpc: Virtual PC's disk images (fmt_vpc_priv.h): opening, where things are. */
#include "block/fmt_vpc_priv.h"

#include <inttypes.h>
#include <stdlib.h>

extern const struct blk_driver fmt_vpc;

/* struct vpc - [lock]: allocation, the footer's place. */
struct vpc {
    pthread_mutex_t lock;
    uint8_t footer[VPC_FOOTER];
    uint8_t parent_uuid[16];
    unsigned type; /* VPC_FIXED, ... */
    struct bat bat;
    struct room room;
    uint64_t block, bitmap; /* bytes of a block and of the bitmap before it */
    struct tcache *bitmaps; /* differencing disks [lock] */
    int parent_checked;     /* [atomic] */
};

struct vpc_opts {
    char *size_calc;
};

static const struct field vpc_open_fields[] = {
    FIELD(vpc_opts, size_calc, F_STR, "force_size_calc", NULL,
          "size from cylinders, heads and sectors (chs) or as written (current_size)"),
    FIELD_END,
};

static int vpc_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= 8 && !memcmp(head, "conectix", 8) ? 100 : 0;
}

uint32_t vpc_sum(const uint8_t *p, size_t len, size_t hole)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i++)
        if (i < hole || i >= hole + 4)
            sum += p[i];
    return ~sum;
}

/* Opening ------------------------------------------------------------------------------------------- */

static bool footer_ok(const uint8_t *f)
{
    return !memcmp(f, "conectix", 8) && get_be32(f + FOOT_SUM) == vpc_sum(f, VPC_FOOTER, FOOT_SUM);
}

/* Dynamic disks have a copy of the footer at the beginning. */
static int read_footer(struct blk *b, uint8_t *f, struct err *e)
{
    uint64_t size = blk_size(b->file);
    int r;

    if (size < VPC_FOOTER)
        return err_set(e, -EINVAL, "Image not in VPC format: %" PRIu64 " bytes have no footer", size);
    if ((r = blk_read(b->file, 0, VPC_FOOTER, f, e)) < 0 || footer_ok(f) ||
        (r = blk_read(b->file, size - VPC_FOOTER, VPC_FOOTER, f, e)) < 0 || footer_ok(f))
        return r;
    if (memcmp(f, "conectix", 8))
        return err_set(e, -EINVAL, "invalid VPC image: no footer");
    return err_set(e, -EINVAL, "invalid VPC image: the footer's checksum is wrong");
}

/* Programs that write what the size is; all others mean cylinders, heads and sectors. */
static bool says_size(const uint8_t *app)
{
    static const char apps[][5] = {"win ", "qem2", "d2v ", "tap", "CTXS"};

    for (size_t i = 0; i < ARRAY_LEN(apps); i++)
        if (!memcmp(app, apps[i], 4))
            return true;
    return false;
}

static int find_size(const struct vpc_opts *o, const uint8_t *f, uint64_t *size, struct err *e)
{
    uint64_t chs = (uint64_t)get_be16(f + FOOT_CYLINDERS) * f[FOOT_HEADS] * f[FOOT_PER_TRACK];
    bool said = says_size(f + FOOT_APP) || chs >= VPC_CHS_MAX;

    if (o->size_calc && strcmp(o->size_calc, "chs") && strcmp(o->size_calc, "current_size"))
        return err_set(e, -EINVAL, "Invalid size calculation mode: '%s' (chs or current_size)",
                       o->size_calc);
    if (o->size_calc)
        said = !strcmp(o->size_calc, "current_size");
    *size = said ? get_be64(f + FOOT_SIZE) / VPC_SECTOR * VPC_SECTOR : chs * VPC_SECTOR;
    return *size <= VPC_MAX ? 0
                            : err_set(e, -EFBIG, "a disk of %" PRIu64 " bytes: the limit is 2040 GiB",
                                      *size);
}

static uint64_t block_end(const void *opaque, uint64_t entry)
{
    const struct vpc *v = opaque;

    return entry == VPC_UNUSED ? 0 : entry * VPC_SECTOR + v->bitmap + v->block;
}

static int open_table(struct blk *b, const uint8_t *d, struct err *e)
{
    struct vpc *v = b->state;
    uint32_t n = get_be32(d + D_ENTRIES);
    uint64_t at = get_be64(d + D_TABLE), end;
    int r;

    v->block = get_be32(d + D_BLOCK);
    if (!is_pow2(v->block) || v->block < VPC_SECTOR || v->block > 256 * MiB)
        return err_set(e, -EINVAL, "Invalid block size %" PRIu64, v->block);
    v->bitmap = round_up(v->block / VPC_SECTOR / 8, VPC_SECTOR);
    if (b->size > n * v->block)
        return err_set(e, -EINVAL, "Page-Table too small: %" PRIu32 " blocks for %" PRIu64 " bytes", n,
                       b->size);
    if ((r = bat_load(&v->bat, b->file, at, div_up(b->size, v->block), 4, true, e)) < 0)
        return r;
    end = round_up(at + n * UINT64_C(4), VPC_SECTOR);
    room_init(&v->room, bat_end(&v->bat, end, block_end, v));
    b->cluster = v->block;
    return 0;
}

static int open_dynamic(struct blk *b, struct err *e)
{
    struct vpc *v = b->state;
    uint64_t at = get_be64(v->footer + FOOT_DATA);
    uint8_t d[VPC_DYNAMIC];
    int r;

    if (at > blk_size(b->file) || blk_size(b->file) - at < sizeof(d))
        return err_set(e, -EINVAL, "invalid VPC image: header at %" PRIu64 ", beyond the file's end", at);
    if ((r = blk_read(b->file, at, sizeof(d), d, e)) < 0)
        return r;
    if (memcmp(d, "cxsparse", 8) || get_be32(d + D_SUM) != vpc_sum(d, sizeof(d), D_SUM))
        return err_set(e, -EINVAL, "invalid VPC image: the header of the dynamic disk is damaged");
    if ((r = open_table(b, d, e)) < 0 || v->type != VPC_DIFF)
        return r;
    v->bitmaps = tcache_new(b->file, v->bitmap, MiB);
    memcpy(v->parent_uuid, d + D_PARENT_UUID, 16);
    b->backing_file = vpc_parent_name(b->file, d, e);
    return b->backing_file ? 0 : e->code;
}

static int vpc_close(struct blk *b, struct err *e)
{
    struct vpc *v = b->state;

    if (v->bat.entries)
        room_done(&v->room);
    bat_free(&v->bat);
    tcache_free(v->bitmaps);
    pthread_mutex_destroy(&v->lock);
    return 0;
}

static int vpc_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct vpc *v = b->state;
    struct vpc_opts o;
    int r = fields_take(vpc_open_fields, opts, &o, e);

    if (r < 0)
        return r;
    pthread_mutex_init(&v->lock, NULL);
    if ((r = read_footer(b, v->footer, e)) >= 0 && (r = find_size(&o, v->footer, &b->size, e)) >= 0) {
        v->type = get_be32(v->footer + FOOT_TYPE);
        if (v->type == VPC_DYN || v->type == VPC_DIFF)
            r = open_dynamic(b, e);
        else if (v->type != VPC_FIXED)
            r = err_set(e, -ENOTSUP, "VPC disks of type %u are not supported", v->type);
        else if (b->size > blk_size(b->file) - VPC_FOOTER)
            r = err_set(e, -EINVAL, "the disk has %" PRIu64 " bytes, its file only %" PRIu64, b->size,
                        blk_size(b->file));
    }
    fields_free(vpc_open_fields, &o);
    if (r < 0)
        vpc_close(b, ERR_IGNORE);
    return r;
}

/* Where things are ------------------------------------------------------------------------------------ */

/* Sectors of a differencing disk: those marked in the block's bitmap are here, the others in the parent. */
static int map_sectors(struct blk *b, uint64_t bitmap_host, uint64_t in, struct blk_extent *x,
                       struct err *e)
{
    struct vpc *v = b->state;
    uint64_t s = in / VPC_SECTOR, n = div_up(in % VPC_SECTOR + x->len, VPC_SECTOR), k = 1;
    const uint8_t *map;
    bool here;
    int r = 0;

    pthread_mutex_lock(&v->lock);
    if (!(map = tcache_get(v->bitmaps, bitmap_host, e))) {
        r = e->code;
    } else {
        here = map[s / 8] >> (7 - s % 8) & 1;
        while (k < n && (map[(s + k) / 8] >> (7 - (s + k) % 8) & 1) == here)
            k++;
        x->len = min_u64(x->len, k * VPC_SECTOR - in % VPC_SECTOR);
        if (!here)
            x->where = BLK_HOLE;
    }
    pthread_mutex_unlock(&v->lock);
    return r;
}

/* What is not here is right only while the parent is the one that this disk was made on. */
static int check_parent(struct blk *b, struct err *e)
{
    struct vpc *v = b->state;
    const struct vpc *p;

    if (!b->backing || b->backing->drv != &fmt_vpc ||
        __atomic_load_n(&v->parent_checked, __ATOMIC_RELAXED))
        return 0;
    p = b->backing->state;
    if (memcmp(v->parent_uuid, p->footer + FOOT_UUID, 16))
        return err_set(e, -EINVAL, "'%s' is not the disk that this one was made on: its identifier "
                       "differs", b->backing_file);
    __atomic_store_n(&v->parent_checked, 1, __ATOMIC_RELAXED);
    return 0;
}

static int map_block(struct blk *b, uint64_t off, struct blk_extent *x, struct err *e)
{
    struct vpc *v = b->state;
    uint64_t i = off / v->block, in = off % v->block, entry = bat_get(&v->bat, i), run, at;
    int r;

    if (entry == VPC_UNUSED) {
        run = bat_run(&v->bat, i, div_up(in + x->len, v->block), 0);
        x->len = min_u64(x->len, run * v->block - in);
        x->where = v->type == VPC_DIFF ? BLK_HOLE : BLK_ZEROS;
        return check_parent(b, e);
    }
    x->len = min_u64(x->len, v->block - in);
    x->where = BLK_DATA;
    at = entry * VPC_SECTOR;
    x->host = at + v->bitmap + in;
    x->in_place = true;
    if (x->host >= blk_size(b->file))
        return err_set(e, -EIO, "block %" PRIu64 " is said to be at %" PRIu64
                       ", beyond the end of the image", i, at);
    if (v->type != VPC_DIFF)
        return 0;
    r = map_sectors(b, at, in, x, e);
    return r < 0 || x->where == BLK_DATA ? r : check_parent(b, e);
}

static int vpc_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct vpc *v = b->state;

    x->off = off;
    x->len = len;
    if (v->type != VPC_FIXED)
        return map_block(b, off, x, e);
    x->where = BLK_DATA;
    x->host = off;
    x->in_place = x->look_below = true;
    return 0;
}

/* A block at the end: the footer moves behind it first, so that the file always ends with one. */
static int take_block(struct blk *b, struct blk_extent *x, struct err *e)
{
    struct vpc *v = b->state;
    uint64_t len = v->bitmap + v->block, old = blk_size(b->file), at;
    uint8_t *ones = malloc(v->bitmap);
    bool zero;
    int r;

    if (!ones)
        return err_set(e, -ENOMEM, "out of memory");
    memset(ones, 0xff, v->bitmap);
    if ((r = room_take(&v->room, b->file, len, &at, &zero, e)) >= 0) {
        if (at / VPC_SECTOR >= VPC_UNUSED)
            r = err_set(e, -EFBIG, "the file is over 2 TiB: its table cannot say where");
        else if (blk_size(b->file) < at + len + VPC_FOOTER)
            r = blk_truncate(b->file, at + len + VPC_FOOTER, BLK_PREALLOC_OFF, 0, e);
        if (r < 0 ||
            (r = blk_write(b->file, at + len, VPC_FOOTER, v->footer, 0, e)) < 0 ||
            (r = blk_write(b->file, at, v->bitmap, ones, 0, e)) < 0)
            room_give_back(&v->room, at, len);
        x->host = at + v->bitmap;
        x->reads_zero = x->host >= old;
    }
    free(ones);
    return r;
}

static int vpc_alloc(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct vpc *v = b->state;
    int r;

    if (v->type == VPC_DIFF)
        return err_set(e, -EROFS, "differencing VPC disks can only be read");
    if ((r = vpc_map(b, off, len, x, e)) < 0 || x->where == BLK_DATA)
        return r;
    *x = (struct blk_extent){.where = BLK_DATA, .off = round_down(off, v->block), .len = v->block,
                             .fresh = true};
    pthread_mutex_lock(&v->lock);
    r = take_block(b, x, e);
    pthread_mutex_unlock(&v->lock);
    return r;
}

static int vpc_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    struct vpc *v = b->state;

    return bat_set_run(&v->bat, x->off / v->block, 1, (x->host - v->bitmap) / VPC_SECTOR, 0, e);
}

static void vpc_abort(struct blk *b, const struct blk_extent *x)
{
    struct vpc *v = b->state;

    room_give_back(&v->room, x->host - v->bitmap, v->bitmap + v->block);
}

static const struct blk_map_ops vpc_map_ops = {
    .map = vpc_map,
    .alloc = vpc_alloc,
    .commit = vpc_commit,
    .abort = vpc_abort,
};

const struct blk_driver fmt_vpc = {
    .name = "vpc",
    .help = "Virtual PC images (VHD)",
    .kind = BLK_FORMAT,
    .backing = true,
    .state_size = sizeof(struct vpc),
    .open_opts = vpc_open_fields,
    .probe = vpc_probe,
    .open = vpc_open,
    .close = vpc_close,
    .map = &vpc_map_ops,
    .create = &vpc_create_ops,
};
