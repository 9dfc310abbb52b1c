/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -f parallels: Parallels and Virtuozzo disks, after "Parallels Expandable Image File Format" (as published
 * with Virtuozzo's libparallels and QEMU's interoperability documents): a header, a table, clusters.
 *
 * Clusters are written before the table names them, so a crash leaks at most and the header's mark "in
 * use" is never set by us.
 */
#include "block/table.h"

#include <inttypes.h>
#include <stdlib.h>

extern const struct blk_driver fmt_parallels;

/* Offsets in the header; all little-endian. */
enum {
    H_VERSION = 16,
    H_HEADS = 20,
    H_CYLINDERS = 24,
    H_CLUSTER = 28, /* sectors */
    H_ENTRIES = 32,
    H_SECTORS = 36,
    H_IN_USE = 44,
    H_DATA = 48, /* sectors */
    H_FLAGS = 52,
    H_EXT = 56,
    HEADER = 64,
};
enum { SECTOR = 512 };
#define IN_USE UINT32_C(0x746f6e59)

static const char old_magic[] = "WithoutFreeSpace", new_magic[] = "WithouFreSpacExt";

struct parallels {
    struct bat bat;
    struct room room;
    uint64_t cluster, unit; /* bytes; what an entry counts in */
    uint64_t data;          /* where clusters may begin */
    bool in_use;
};

static int parallels_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= HEADER && get_le32(head + H_VERSION) == 2 &&
                   (!memcmp(head, old_magic, 16) || !memcmp(head, new_magic, 16))
               ? 100
               : 0;
}

/* Opening ------------------------------------------------------------------------------------------- */

static uint64_t cluster_end(const void *opaque, uint64_t entry)
{
    const struct parallels *p = opaque;

    return entry ? entry * p->unit + p->cluster : 0;
}

static int read_header(struct blk *b, const uint8_t *h, struct err *e)
{
    struct parallels *p = b->state;
    bool old = !memcmp(h, old_magic, 16);
    uint64_t sectors = old ? get_le32(h + H_SECTORS) : get_le64(h + H_SECTORS);
    uint64_t table = HEADER + get_le32(h + H_ENTRIES) * UINT64_C(4);

    if ((!old && memcmp(h, new_magic, 16)) || get_le32(h + H_VERSION) != 2)
        return err_set(e, -EINVAL, "Image not in Parallels format");
    if (sectors > INT64_MAX / SECTOR)
        return err_set(e, -EINVAL, "a disk of %" PRIu64 " sectors", sectors);
    p->cluster = get_le32(h + H_CLUSTER) * UINT64_C(512);
    if (!p->cluster || p->cluster > INT32_MAX)
        return err_set(e, -EINVAL, "Invalid image: clusters of %" PRIu64 " bytes", p->cluster);
    p->unit = old ? SECTOR : p->cluster;
    p->data = get_le32(h + H_DATA) * UINT64_C(512);
    if (!p->data)
        p->data = round_up(table, SECTOR);
    if (p->data < table || p->data > blk_size(b->file))
        return err_set(e, -EINVAL, "data_off is invalid: %" PRIu64, p->data);
    b->size = sectors * SECTOR;
    if (div_up(b->size, p->cluster) > get_le32(h + H_ENTRIES))
        return err_set(e, -EINVAL, "the table of %" PRIu32 " clusters is too small for the disk",
                       get_le32(h + H_ENTRIES));
    p->in_use = get_le32(h + H_IN_USE) == IN_USE;
    if (p->in_use && (b->flags & BLK_RDWR) && !(b->flags & BLK_CHECK))
        return err_set(e, -EACCES, "parallels: Image was not closed correctly; cannot be opened "
                       "read/write");
    return 0;
}

/* Requests of one cluster wait for each other; when it is no power of two, all do. */
static uint64_t lock_unit(const struct blk *b, uint64_t cluster)
{
    uint64_t unit = cluster;

    if (!is_pow2(cluster))
        for (unit = 1; unit < b->size + cluster;)
            unit *= 2;
    return unit;
}

static int parallels_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct parallels *p = b->state;
    uint8_t h[HEADER] = {0};
    uint64_t end;
    int r;

    if ((r = blk_read(b->file, 0, min_u64(HEADER, blk_size(b->file)), h, e)) < 0 ||
        (r = read_header(b, h, e)) < 0 ||
        (r = bat_load(&p->bat, b->file, HEADER, get_le32(h + H_ENTRIES), 4, false, e)) < 0)
        return r;
    end = bat_end(&p->bat, p->data, cluster_end, p);
    room_init(&p->room, div_up(end, p->cluster) * p->cluster);
    b->cluster = lock_unit(b, p->cluster);
    return 0;
}

static int parallels_close(struct blk *b, struct err *e)
{
    struct parallels *p = b->state;

    bat_free(&p->bat);
    room_done(&p->room);
    return 0;
}

/* Where things are ------------------------------------------------------------------------------------ */

static int parallels_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x,
                         struct err *e)
{
    struct parallels *p = b->state;
    uint64_t i = off / p->cluster, in = off % p->cluster, entry = bat_get(&p->bat, i);
    uint64_t run = bat_run(&p->bat, i, div_up(in + len, p->cluster),
                           entry ? p->cluster / p->unit : 0);

    x->off = off;
    x->len = min_u64(len, run * p->cluster - in);
    x->where = entry ? BLK_DATA : BLK_HOLE;
    if (!entry)
        return 0;
    x->host = entry * p->unit;
    x->in_place = true;
    if (x->host < p->data || x->host >= blk_size(b->file))
        return err_set(e, -EIO, "cluster %" PRIu64 " is said to be at %" PRIu64
                       ", not in the image's data", i, x->host);
    x->host += in;
    return 0;
}

static int parallels_alloc(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x,
                           struct err *e)
{
    struct parallels *p = b->state;
    int r = parallels_map(b, off, len, x, e);

    if (r < 0 || x->where == BLK_DATA)
        return r;
    *x = (struct blk_extent){.where = BLK_DATA, .off = off - off % p->cluster, .len = p->cluster,
                             .fresh = true};
    if ((r = room_take(&p->room, b->file, p->cluster, &x->host, &x->reads_zero, e)) < 0)
        return r;
    if (x->host / p->unit <= UINT32_MAX)
        return 0;
    room_give_back(&p->room, x->host, x->len);
    return err_set(e, -EFBIG, "the image is full: its table cannot say %" PRIu64, x->host);
}

static int parallels_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    struct parallels *p = b->state;

    return bat_set_run(&p->bat, x->off / p->cluster, 1, x->host / p->unit, 0, e);
}

static void parallels_abort(struct blk *b, const struct blk_extent *x)
{
    struct parallels *p = b->state;

    room_give_back(&p->room, x->host, x->len);
}

static int parallels_info(struct blk *b, struct blk_info *i, struct err *e)
{
    i->cluster_size = 0;
    i->bare = true;
    return 0;
}

/* Checking ----------------------------------------------------------------------------------------------- */

static int check_mark(struct blk *b, struct blk_check *c, unsigned fix, struct err *e)
{
    struct parallels *p = b->state;
    static const uint8_t none[4];

    if (!p->in_use)
        return 0;
    blk_check_say(c, "%s image was not closed correctly",
                  fix & BLK_FIX_ERRORS ? "Repairing" : "ERROR");
    if (!(fix & BLK_FIX_ERRORS)) {
        c->corruptions++;
        return 0;
    }
    c->corruptions_fixed++;
    p->in_use = false;
    return blk_write(b->file, H_IN_USE, sizeof(none), none, 0, e);
}

/* Clusters outside of the image; *@end: behind the last that is inside. */
static int check_table(struct blk *b, struct blk_check *c, unsigned fix, uint64_t *end, struct err *e)
{
    struct parallels *p = b->state;
    uint64_t file = blk_size(b->file), last = 0;
    int r;

    c->total_clusters = p->bat.n;
    for (uint64_t i = 0; i < p->bat.n; i++) {
        uint64_t host = bat_get(&p->bat, i) * p->unit;

        if (!host) {
            last = 0;
            continue;
        }
        if (host < p->data || host >= file) {
            blk_check_say(c, "%s cluster %" PRIu64 " is outside image",
                          fix & BLK_FIX_ERRORS ? "Repairing" : "ERROR", i);
            if (fix & BLK_FIX_ERRORS) {
                if ((r = bat_set_run(&p->bat, i, 1, 0, 0, e)) < 0)
                    return r;
                c->corruptions_fixed++;
                last = 0;
                continue;
            }
            c->corruptions++;
        } else {
            *end = max_u64(*end, host + p->cluster);
        }
        c->allocated_clusters++;
        c->fragmented_clusters += last && host != last + p->cluster;
        last = host;
    }
    return 0;
}

/* Cluster @i gets a copy of its own of what it shares. */
static int own_cluster(struct blk *b, uint64_t i, uint64_t *end, struct err *e)
{
    struct parallels *p = b->state;
    uint64_t host;
    bool zero;
    int r;

    if ((r = room_take(&p->room, b->file, p->cluster, &host, &zero, e)) < 0)
        return r;
    if (host / p->unit > UINT32_MAX)
        r = err_set(e, -EFBIG, "the image is full: its table cannot say %" PRIu64, host);
    if (r < 0 || (r = table_copy(b->file, bat_get(&p->bat, i) * p->unit, host, p->cluster, e)) < 0 ||
        (r = blk_flush(b->file, e)) < 0 || (r = bat_set_run(&p->bat, i, 1, host / p->unit, 0, e)) < 0)
        room_give_back(&p->room, host, p->cluster);
    else
        *end = max_u64(*end, host + p->cluster);
    return r;
}

/* Two clusters at one place: which is right nobody can tell, so both keep it. */
static int check_shared(struct blk *b, struct blk_check *c, unsigned fix, uint64_t *end, struct err *e)
{
    struct parallels *p = b->state;
    uint64_t n = blk_size(b->file) / p->cluster + 1;
    uint8_t *seen = blk_alloc_foreign(n / 8 + 1, TABLE_MAX, "map of the file", e);
    int r = 0;

    if (!seen)
        return e->code;
    for (uint64_t i = 0; i < p->bat.n && r >= 0; i++) {
        uint64_t k = bat_get(&p->bat, i) * p->unit / p->cluster;

        if (!bat_get(&p->bat, i) || k >= n)
            continue;
        if (seen[k / 8] >> k % 8 & 1) {
            blk_check_say(c, "%s cluster %" PRIu64 " is where another one is",
                          fix & BLK_FIX_ERRORS ? "Repairing" : "ERROR", i);
            if (!(fix & BLK_FIX_ERRORS))
                c->corruptions++;
            else if ((r = own_cluster(b, i, end, e)) >= 0)
                c->corruptions_fixed++;
        }
        seen[k / 8] |= (uint8_t)(1 << k % 8);
    }
    free(seen);
    return r;
}

static int check_end(struct blk *b, struct blk_check *c, unsigned fix, uint64_t end, struct err *e)
{
    struct parallels *p = b->state;
    uint64_t file = blk_size(b->file), n;
    int r;

    c->image_end_offset = end;
    if (file <= end)
        return 0;
    n = div_up(file - end, p->cluster);
    blk_check_say(c, "%s space leaked at the end of the image %" PRIu64,
                  fix & BLK_FIX_LEAKS ? "Repairing" : "ERROR", file - end);
    if (!(fix & BLK_FIX_LEAKS)) {
        c->leaks += n;
        return 0;
    }
    if ((r = blk_truncate(b->file, end, BLK_PREALLOC_OFF, 0, e)) >= 0)
        c->leaks_fixed += n;
    return r;
}

static int parallels_check(struct blk *b, struct blk_check *c, unsigned fix, struct err *e)
{
    struct parallels *p = b->state;
    uint64_t end = p->data;
    int r;

    if ((r = check_mark(b, c, fix, e)) < 0 || (r = check_table(b, c, fix, &end, e)) < 0 ||
        (r = check_shared(b, c, fix, &end, e)) < 0)
        return r;
    return check_end(b, c, fix, end, e);
}

/* Making ------------------------------------------------------------------------------------------------- */

struct parallels_create {
    uint64_t size, cluster_size;
};

static const struct field parallels_create_fields[] = {
    FIELD(parallels_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD(parallels_create, cluster_size, F_SIZE, "cluster_size", "1048576",
          "Parallels image cluster size"),
    FIELD_END,
};

static int parallels_create(struct blk_env *env, const char *filename, void *opts,
                            struct json_object *protocol, struct err *e)
{
    const struct parallels_create *o = opts;
    uint64_t sectors = div_up(o->size, SECTOR), n, data, cluster = round_up(o->cluster_size, SECTOR);
    uint8_t h[HEADER] = {0};
    struct blk *file;
    int r;

    if (o->cluster_size >= INT32_MAX)
        return err_set(e, -EINVAL, "Cluster size is too large");
    if (!cluster || (n = div_up(sectors * SECTOR, cluster)) > TABLE_MAX / 4)
        return err_set(e, -EINVAL, "Image size is too large for this cluster size");
    data = div_up(HEADER + n * 4, cluster) * cluster;
    memcpy(h, new_magic, 16);
    put_le32(h + H_VERSION, 2);
    put_le32(h + H_HEADS, 16);
    put_le32(h + H_CYLINDERS, (uint32_t)(sectors / 16 / 32));
    put_le32(h + H_CLUSTER, (uint32_t)(cluster / SECTOR));
    put_le32(h + H_ENTRIES, (uint32_t)n);
    put_le64(h + H_SECTORS, sectors);
    put_le32(h + H_DATA, (uint32_t)(data / SECTOR));
    if (!(file = blk_create_file(env, filename, data, protocol, e)))
        return e->code;
    if ((r = blk_write(file, 0, sizeof(h), h, 0, e)) < 0) {
        blk_close(file, ERR_IGNORE);
        return r;
    }
    return blk_close(file, e);
}

static const struct blk_map_ops parallels_map_ops = {
    .map = parallels_map,
    .alloc = parallels_alloc,
    .commit = parallels_commit,
    .abort = parallels_abort,
};

static const struct blk_create_ops parallels_create_ops = {
    .opts = parallels_create_fields,
    .opts_size = sizeof(struct parallels_create),
    .create = parallels_create,
};

const struct blk_driver fmt_parallels = {
    .name = "parallels",
    .help = "Parallels and Virtuozzo images",
    .kind = BLK_FORMAT,
    .state_size = sizeof(struct parallels),
    .probe = parallels_probe,
    .open = parallels_open,
    .close = parallels_close,
    .info = parallels_info,
    .check = parallels_check,
    .map = &parallels_map_ops,
    .create = &parallels_create_ops,
};
