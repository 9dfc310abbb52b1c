/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -f vdi: VirtualBox disk images, dynamic and static: a header of 512 bytes, a table of 32-bit block
 * numbers, the blocks.  After the public description of VDI header version 1.1 ("All about VDIs",
 * VirtualBox forum) and images made by VirtualBox and Debian's qemu-img.
 */
#include "block/table.h"

#include <inttypes.h>
#include <stdlib.h>

extern const struct blk_driver fmt_vdi;

/* Offsets in the header; all little-endian. */
enum {
    VDI_SIGNATURE = 0x40,
    VDI_VERSION = 0x44,
    VDI_HEADER_SIZE = 0x48,
    VDI_TYPE = 0x4c,
    VDI_TABLE = 0x154,
    VDI_DATA = 0x158,
    VDI_SECTOR_SIZE = 0x168,
    VDI_DISK_SIZE = 0x170,
    VDI_BLOCK_SIZE = 0x178,
    VDI_BLOCKS = 0x180,
    VDI_ALLOCATED = 0x184,
    VDI_UUID = 0x188,
    VDI_UUID_SNAPSHOT = 0x198,
    VDI_UUID_LINK = 0x1a8,
    VDI_UUID_PARENT = 0x1b8,
    VDI_HEADER = 512,
};
#define VDI_MAGIC      UINT32_C(0xbeda107f)
#define VDI_VERSION_11 UINT32_C(0x00010001)
#define VDI_FREE       UINT32_C(0xffffffff) /* never written */
#define VDI_ZERO       UINT32_C(0xfffffffe) /* given up: zeros */
#define VDI_BLOCK      MiB
enum { VDI_DYNAMIC = 1, VDI_STATIC = 2 };
enum { VDI_MAX_BLOCKS = TABLE_MAX / 4 };
enum { VDI_RUN = 16 }; /* blocks of one allocation at most */

/* struct vdi - [lock]: @allocated. */
struct vdi {
    pthread_mutex_t lock;
    struct bat bat;
    uint64_t data;      /* offset of block 0 */
    uint32_t allocated; /* as in the header: blocks that the file has room for */
    bool is_static;
};

static int vdi_probe(const uint8_t *head, size_t len, const char *filename)
{
    return len >= VDI_HEADER && get_le32(head + VDI_SIGNATURE) == VDI_MAGIC ? 100 : 0;
}

static bool uuid_set(const uint8_t *uuid)
{
    return !bytes_zero(uuid, 16);
}

static int check_header(const uint8_t *h, struct err *e)
{
    uint64_t size = get_le64(h + VDI_DISK_SIZE);
    uint32_t type = get_le32(h + VDI_TYPE), block = get_le32(h + VDI_BLOCK_SIZE);
    uint32_t blocks = get_le32(h + VDI_BLOCKS);

    if (get_le32(h + VDI_SIGNATURE) != VDI_MAGIC)
        return err_set(e, -EINVAL, "Image not in VDI format (bad signature %08" PRIx32 ")",
                       get_le32(h + VDI_SIGNATURE));
    if (get_le32(h + VDI_VERSION) != VDI_VERSION_11)
        return err_set(e, -ENOTSUP, "unsupported VDI image (version %d.%d)",
                       get_le16(h + VDI_VERSION + 2), get_le16(h + VDI_VERSION));
    if (type != VDI_DYNAMIC && type != VDI_STATIC)
        return err_set(e, -ENOTSUP, "unsupported VDI image (type %" PRIu32 "%s)", type,
                       type == 4 ? ", differencing" : "");
    if (uuid_set(h + VDI_UUID_LINK) || uuid_set(h + VDI_UUID_PARENT))
        return err_set(e, -ENOTSUP, "unsupported VDI image (it is a snapshot of another image)");
    if (get_le32(h + VDI_SECTOR_SIZE) != 512)
        return err_set(e, -ENOTSUP, "unsupported VDI image (sector size %" PRIu32 " is not 512)",
                       get_le32(h + VDI_SECTOR_SIZE));
    if (block != VDI_BLOCK)
        return err_set(e, -ENOTSUP, "unsupported VDI image (block size %" PRIu32 " is not %d)",
                       block, (int)VDI_BLOCK);
    if (get_le32(h + VDI_TABLE) % 512 || get_le32(h + VDI_DATA) % 512 ||
        get_le32(h + VDI_TABLE) < VDI_HEADER)
        return err_set(e, -EINVAL, "unsupported VDI image (table at %" PRIu32 ", data at %" PRIu32 ")",
                       get_le32(h + VDI_TABLE), get_le32(h + VDI_DATA));
    if (blocks > VDI_MAX_BLOCKS)
        return err_set(e, -EFBIG, "Unsupported VDI image: %" PRIu32 " blocks, limit is %d", blocks,
                       VDI_MAX_BLOCKS);
    if (size > blocks * VDI_BLOCK)
        return err_set(e, -EINVAL, "unsupported VDI image (disk size %" PRIu64
                       ", image bitmap has room for %" PRIu64 ")", size, blocks * VDI_BLOCK);
    if (get_le32(h + VDI_DATA) < (uint64_t)get_le32(h + VDI_TABLE) + 4 * (uint64_t)blocks)
        return err_set(e, -EINVAL, "unsupported VDI image (data at %" PRIu32
                       " lies in the table of blocks)", get_le32(h + VDI_DATA));
    return 0;
}

/* Room in use: by the table or by the header, whichever says more; the table wins where they differ. */
static uint32_t blocks_used(const struct vdi *v, uint32_t allocated)
{
    for (uint64_t i = 0; i < v->bat.n; i++) {
        uint32_t at = (uint32_t)bat_get(&v->bat, i);

        if (at < VDI_ZERO && at < VDI_MAX_BLOCKS && at >= allocated)
            allocated = at + 1;
    }
    return allocated;
}

static int vdi_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct vdi *v = b->state;
    uint8_t h[VDI_HEADER] = {0};
    int r;

    if (blk_size(b->file) < VDI_HEADER)
        return err_set(e, -EINVAL, "Image not in VDI format (shorter than its header)");
    if ((r = blk_read(b->file, 0, sizeof(h), h, e)) < 0 || (r = check_header(h, e)) < 0 ||
        (r = bat_load(&v->bat, b->file, get_le32(h + VDI_TABLE), get_le32(h + VDI_BLOCKS), 4, false,
                      e)) < 0)
        return r;
    pthread_mutex_init(&v->lock, NULL);
    v->data = get_le32(h + VDI_DATA);
    v->is_static = get_le32(h + VDI_TYPE) == VDI_STATIC;
    v->allocated = blocks_used(v, min_u64(get_le32(h + VDI_ALLOCATED), VDI_MAX_BLOCKS));
    b->size = round_up(get_le64(h + VDI_DISK_SIZE), 512);
    b->cluster = VDI_BLOCK;
    return 0;
}

static int vdi_close(struct blk *b, struct err *e)
{
    struct vdi *v = b->state;

    bat_free(&v->bat);
    pthread_mutex_destroy(&v->lock);
    return 0;
}

static int vdi_map(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x, struct err *e)
{
    struct vdi *v = b->state;
    uint64_t i = off / VDI_BLOCK, in = off % VDI_BLOCK;
    uint32_t at = (uint32_t)bat_get(&v->bat, i);
    bool data = at < VDI_ZERO;
    uint64_t run = bat_run(&v->bat, i, div_up(in + len, VDI_BLOCK), data ? 1 : 0);

    x->off = off;
    x->len = min_u64(len, run * VDI_BLOCK - in);
    x->where = data ? BLK_DATA : BLK_ZEROS;
    if (data) {
        x->host = v->data + (uint64_t)at * VDI_BLOCK + in;
        x->in_place = true;
        x->look_below = v->is_static;
        if (at >= v->allocated && x->host >= blk_size(b->file))
            return err_set(e, -EIO, "block %" PRIu64 " is said to be at %" PRIu64
                           ", beyond the end of the image", i, x->host);
    }
    return 0;
}

/* @n new blocks at the end: *@at is the first.  The header says so before the table does. */
static int take_blocks(struct blk *b, uint32_t n, uint32_t *at, struct err *e)
{
    struct vdi *v = b->state;
    uint8_t count[4];
    uint64_t end;
    int r = 0;

    pthread_mutex_lock(&v->lock);
    *at = v->allocated;
    end = v->data + ((uint64_t)v->allocated + n) * VDI_BLOCK;
    put_le32(count, v->allocated + n);
    if (v->allocated + (uint64_t)n >= VDI_MAX_BLOCKS)
        r = err_set(e, -ENOSPC, "all %d blocks that a VDI image can have are in use",
                    VDI_MAX_BLOCKS);
    else if (end > blk_size(b->file))
        r = blk_truncate(b->file, end, BLK_PREALLOC_OFF, 0, e);
    if (r >= 0)
        r = blk_write(b->file, VDI_ALLOCATED, sizeof(count), count, 0, e);
    if (r >= 0)
        v->allocated += n;
    pthread_mutex_unlock(&v->lock);
    return r;
}

static int vdi_alloc(struct blk *b, uint64_t off, uint64_t len, struct blk_extent *x,
                     struct err *e)
{
    struct vdi *v = b->state;
    uint64_t i = off / VDI_BLOCK, n, size = blk_size(b->file);
    uint32_t at;
    int r = vdi_map(b, off, len, x, e);

    if (r < 0 || x->where == BLK_DATA)
        return r;
    n = min_u64(div_up(off + x->len, VDI_BLOCK) - i, VDI_RUN);
    if ((r = take_blocks(b, (uint32_t)n, &at, e)) < 0)
        return r;
    *x = (struct blk_extent){.where = BLK_DATA, .off = i * VDI_BLOCK, .len = n * VDI_BLOCK,
                             .host = v->data + (uint64_t)at * VDI_BLOCK, .fresh = true};
    x->reads_zero = x->host >= size;
    x->cookie[0] = at;
    return 0;
}

static int vdi_commit(struct blk *b, const struct blk_extent *x, struct err *e)
{
    struct vdi *v = b->state;

    return bat_set_run(&v->bat, x->off / VDI_BLOCK, x->len / VDI_BLOCK, x->cookie[0], 1, e);
}

static void vdi_abort(struct blk *b, const struct blk_extent *x)
{
    struct vdi *v = b->state;

    pthread_mutex_lock(&v->lock); /* the header still counts them until the next allocation */
    if (v->allocated == x->cookie[0] + x->len / VDI_BLOCK)
        v->allocated = (uint32_t)x->cookie[0];
    pthread_mutex_unlock(&v->lock);
}

/* Checking ----------------------------------------------------------------------------------------- */

/* What is done about block @i of the disk, which is said to be at @at, where it cannot be. */
static int mend_entry(struct blk *b, uint32_t i, uint32_t at, bool shared, struct err *e)
{
    struct vdi *v = b->state;
    uint32_t to;
    int r;

    if (!shared) /* its data is nowhere */
        return bat_set_run(&v->bat, i, 1, VDI_FREE, 0, e);
    if ((r = take_blocks(b, 1, &to, e)) < 0 ||
        (r = table_copy(b->file, v->data + (uint64_t)at * VDI_BLOCK, v->data + (uint64_t)to * VDI_BLOCK, VDI_BLOCK, e)) < 0 ||
        (r = blk_flush(b->file, e)) < 0)
        return r;
    return bat_set_run(&v->bat, i, 1, to, 0, e);
}

/* Entries that point nowhere, or where another one points; *@used: how many point somewhere. */
static int check_entries(struct blk *b, struct blk_check *c, unsigned fix, uint32_t *used, struct err *e)
{
    struct vdi *v = b->state;
    uint32_t n = (uint32_t)v->bat.n, allocated = v->allocated;
    uint64_t file = blk_size(b->file);
    uint8_t *seen = blk_alloc_foreign(div_up(allocated, 8), TABLE_MAX, "map of blocks", e);
    int r = seen ? 0 : e->code;

    for (uint32_t i = 0; i < n && r >= 0; i++) {
        uint32_t at = (uint32_t)bat_get(&v->bat, i);
        bool outside = at >= allocated || v->data + (uint64_t)at * VDI_BLOCK >= file;

        if (at >= VDI_ZERO)
            continue;
        ++*used;
        if (!outside && !(seen[at / 8] & 1 << at % 8)) {
            seen[at / 8] |= (uint8_t)(1 << at % 8);
            continue;
        }
        if (outside)
            blk_check_say(c, "%s: block index %" PRIu32 " out of range, is %" PRIu32, fix & BLK_FIX_ERRORS ? "Repairing" : "ERROR", i,
                          at);
        else
            blk_check_say(c, "%s: block index %" PRIu32 " also used by %" PRIu32, fix & BLK_FIX_ERRORS ? "Repairing" : "ERROR", at, i);
        if (!(fix & BLK_FIX_ERRORS)) {
            c->corruptions++;
        } else if ((r = mend_entry(b, i, at, !outside, e)) >= 0) {
            c->corruptions_fixed++;
            *used -= outside;
        }
    }
    free(seen);
    return r;
}

/* Blocks from the end move into room that nobody uses: afterwards the first @used places are taken. */
static int move_down(struct blk *b, uint32_t used, struct err *e)
{
    struct vdi *v = b->state;
    uint8_t *taken = blk_alloc_foreign(div_up(used, 8) + 1, TABLE_MAX, "map of blocks", e);
    uint32_t hole = 0, at;
    int r = taken ? 0 : e->code;

    for (uint32_t i = 0; taken && i < v->bat.n; i++)
        if ((at = (uint32_t)bat_get(&v->bat, i)) < used)
            taken[at / 8] |= (uint8_t)(1 << at % 8);
    for (uint32_t i = 0; i < v->bat.n && r >= 0; i++) {
        if ((at = (uint32_t)bat_get(&v->bat, i)) < used || at >= VDI_ZERO)
            continue;
        while (hole < used && taken[hole / 8] >> hole % 8 & 1)
            hole++;
        if (hole == used)
            bug("vdi: %" PRIu32 " blocks in use, and no room among them", used);
        if ((r = table_copy(b->file, v->data + (uint64_t)at * VDI_BLOCK, v->data + (uint64_t)hole * VDI_BLOCK, VDI_BLOCK, e)) >= 0 &&
            (r = blk_flush(b->file, e)) >= 0)
            r = bat_set_run(&v->bat, i, 1, hole++, 0, e);
    }
    free(taken);
    return r < 0 ? r : blk_flush(b->file, e);
}

/* The header's count becomes @used; what is behind them goes. */
static int set_count(struct blk *b, uint32_t used, struct err *e)
{
    struct vdi *v = b->state;
    uint64_t end = v->data + (uint64_t)used * VDI_BLOCK;
    uint8_t count[4];
    int r = move_down(b, used, e);

    put_le32(count, used);
    if (r < 0 || (r = blk_write(b->file, VDI_ALLOCATED, sizeof(count), count, 0, e)) < 0)
        return r;
    v->allocated = used;
    return blk_size(b->file) > end ? blk_truncate(b->file, end, BLK_PREALLOC_OFF, 0, e) : 0;
}

static int vdi_check(struct blk *b, struct blk_check *c, unsigned fix, struct err *e)
{
    uint32_t used = 0, told;
    uint8_t count[4];
    int r;

    if ((r = check_entries(b, c, fix, &used, e)) < 0 || (r = blk_read(b->file, VDI_ALLOCATED, 4, count, e)) < 0)
        return r;
    told = get_le32(count);
    if (used == told)
        return 0;
    /* More than are used: a crash between taking a block and linking it. */
    bool leak = told > used && !c->corruptions, mend = !c->corruptions && fix & (leak ? BLK_FIX_LEAKS : BLK_FIX_ERRORS);

    blk_check_say(c, "%s: allocated blocks mismatch, is %" PRIu32 ", should be %" PRIu32, mend ? "Repairing" : "ERROR", used, told);
    if (mend && (r = set_count(b, used, e)) < 0)
        return r;
    *(leak ? mend ? &c->leaks_fixed : &c->leaks : mend ? &c->corruptions_fixed : &c->corruptions) += leak ? told - used : 1;
    return 0;
}

/* Making ------------------------------------------------------------------------------------------- */

struct vdi_create {
    uint64_t size;
    bool is_static;
};

static const struct field vdi_create_fields[] = {
    FIELD(vdi_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD(vdi_create, is_static, F_BOOL, "static", "off", "VDI static (pre-allocated) image"),
    FIELD_END,
};

static void make_header(uint8_t h[VDI_HEADER], const struct vdi_create *o, uint32_t blocks,
                        uint32_t data)
{
    memset(h, 0, VDI_HEADER);
    memcpy(h, "<<< Emu Virtual Disk Image >>>\n", 31);
    put_le32(h + VDI_SIGNATURE, VDI_MAGIC);
    put_le32(h + VDI_VERSION, VDI_VERSION_11);
    put_le32(h + VDI_HEADER_SIZE, 0x180);
    put_le32(h + VDI_TYPE, o->is_static ? VDI_STATIC : VDI_DYNAMIC);
    put_le32(h + VDI_TABLE, VDI_HEADER);
    put_le32(h + VDI_DATA, data);
    put_le32(h + VDI_SECTOR_SIZE, 512);
    put_le64(h + VDI_DISK_SIZE, round_up(o->size, 512));
    put_le32(h + VDI_BLOCK_SIZE, VDI_BLOCK);
    put_le32(h + VDI_BLOCKS, blocks);
    put_le32(h + VDI_ALLOCATED, o->is_static ? blocks : 0);
    blk_new_uuid(h + VDI_UUID);
    blk_new_uuid(h + VDI_UUID_SNAPSHOT);
}

static int write_table(struct blk *file, const struct vdi_create *o, uint32_t blocks, struct err *e)
{
    uint64_t bytes = round_up((uint64_t)blocks * 4, 512);
    uint32_t *table = calloc(1, bytes ? bytes : 1);
    int r;

    if (!table)
        return err_set(e, -ENOMEM, "out of memory for %" PRIu32 " blocks", blocks);
    for (uint32_t i = 0; i < blocks; i++)
        table[i] = htole32(o->is_static ? i : VDI_FREE);
    r = blk_write(file, VDI_HEADER, bytes, table, 0, e);
    free(table);
    return r;
}

static int vdi_create(struct blk_env *env, const char *filename, void *opts,
                      struct json_object *protocol, struct err *e)
{
    const struct vdi_create *o = opts;
    uint64_t max = (uint64_t)(VDI_MAX_BLOCKS - 1) * VDI_BLOCK, blocks = div_up(o->size, VDI_BLOCK);
    uint64_t data = VDI_HEADER + round_up(blocks * 4, 512), size;
    uint8_t h[VDI_HEADER];
    struct blk *file;
    int r;

    if (o->size > max)
        return err_set(e, -ENOTSUP, "Unsupported VDI image size (size is 0x%" PRIx64
                       ", max supported is 0x%" PRIx64 ")", o->size, max);
    size = data + (o->is_static ? blocks * VDI_BLOCK : 0);
    if (!(file = blk_create_file(env, filename, size, protocol, e)))
        return e->code;
    make_header(h, o, (uint32_t)blocks, (uint32_t)data);
    if ((r = write_table(file, o, (uint32_t)blocks, e)) >= 0)
        r = blk_write(file, 0, sizeof(h), h, 0, e);
    if (r < 0) {
        blk_close(file, ERR_IGNORE);
        return r;
    }
    return blk_close(file, e);
}

static const struct blk_map_ops vdi_map_ops = {
    .map = vdi_map,
    .alloc = vdi_alloc,
    .commit = vdi_commit,
    .abort = vdi_abort,
};

static const struct blk_create_ops vdi_create_ops = {
    .opts = vdi_create_fields,
    .opts_size = sizeof(struct vdi_create),
    .create = vdi_create,
};

const struct blk_driver fmt_vdi = {
    .name = "vdi",
    .help = "VirtualBox images",
    .kind = BLK_FORMAT,
    .state_size = sizeof(struct vdi),
    .probe = vdi_probe,
    .open = vdi_open,
    .close = vdi_close,
    .check = vdi_check,
    .map = &vdi_map_ops,
    .create = &vdi_create_ops,
};
