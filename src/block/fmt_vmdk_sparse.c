/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sparse extents of VMDK images: headers ("KDMV", "COWD"), grain directories and grain tables. */
#include "block/fmt_vmdk_priv.h"

#include <inttypes.h>
#include <stdlib.h>

/* Offsets in the header of hosted sparse extents; all little-endian, sizes in sectors. */
enum {
    H_VERSION = 4,
    H_FLAGS = 8,
    H_CAPACITY = 12,
    H_GRAIN = 20,
    H_DESC = 28,
    H_DESC_SIZE = 36,
    H_GTES = 44,
    H_TWIN = 48,
    H_DIR = 56,
    H_NEWLINES = 73,
    H_ALGORITHM = 77,
};
#define GD_AT_END UINT64_MAX

static int sectors(uint64_t n, uint64_t *bytes, const char *what, struct err *e)
{
    if (n > INT64_MAX / VMDK_SECTOR)
        return err_set(e, -EINVAL, "%s of %" PRIu64 " sectors", what, n);
    *bytes = n * VMDK_SECTOR;
    return 0;
}

/* A directory of @x->dir_n entries in host order. */
static int read_dir(struct vmdk_extent *x, uint64_t host, uint32_t **dir, struct err *e)
{
    uint64_t bytes = (uint64_t)x->dir_n * 4;
    uint32_t *d;
    int r;

    if (host > blk_size(x->file) || bytes > blk_size(x->file) - host)
        return err_set(e, -EINVAL, "the grain directory at %" PRIu64
                       " ends beyond the end of the file", host);
    if (!(d = blk_alloc_foreign(bytes, TABLE_MAX / 2, "grain directory", e)))
        return e->code;
    if (bytes && (r = blk_read(x->file, host, bytes, d, e)) < 0) {
        free(d);
        return r;
    }
    for (uint32_t i = 0; i < x->dir_n; i++)
        d[i] = le32toh(d[i]);
    *dir = d;
    return 0;
}

static int open_tables(struct blk *b, struct vmdk_extent *x, struct err *e)
{
    uint64_t per_table, n;
    int r;

    if (!is_pow2(x->grain) || x->grain < VMDK_SECTOR || x->grain > VMDK_MAX_GRAIN)
        return err_set(e, -EINVAL, "invalid granularity, image may be corrupt: grains of %" PRIu64
                       " bytes", x->grain);
    if (!x->gtes || x->gtes > 4096)
        return err_set(e, -EINVAL, "L2 table size too big: %" PRIu32 " grains", x->gtes);
    per_table = x->grain * x->gtes;
    n = div_up(x->len, per_table);
    if (n > TABLE_MAX / 8)
        return err_set(e, -EFBIG, "L1 size too big: %" PRIu64 " grain tables, limit is %d", n,
                       TABLE_MAX / 8);
    x->dir_n = (uint32_t)n;
    if ((r = read_dir(x, x->dir_host, &x->dir, e)) < 0 ||
        (x->twin_host && (r = read_dir(x, x->twin_host, &x->twin, e)) < 0))
        return r;
    x->tables = tcache_new(x->file, (size_t)x->gtes * 4, 8 << 20);
    room_init(&x->room, round_up(blk_size(x->file), x->flags & VMDK_COMPRESSED ? VMDK_SECTOR
                                                                                : x->grain));
    return 0;
}

/* streamOptimized files end with: footer marker, footer, end-of-stream marker; one sector each. */
static int read_footer(struct vmdk_extent *x, uint8_t *h, struct err *e)
{
    uint8_t foot[3 * VMDK_SECTOR];
    uint64_t size = blk_size(x->file);
    int r;

    if (size < sizeof(foot) + VMDK_SECTOR)
        return err_set(e, -EINVAL, "the stream has no footer: was it cut off?");
    if ((r = blk_read(x->file, size - sizeof(foot), sizeof(foot), foot, e)) < 0)
        return r;
    if (memcmp(foot + VMDK_SECTOR, "KDMV", 4) || get_le32(foot + 12) != 3)
        return err_set(e, -EINVAL, "the stream has no footer: was it cut off?");
    memcpy(h, foot + VMDK_SECTOR, VMDK_SECTOR);
    x->read_only = true; /* the directory lies behind the grains: nothing can be added */
    return 0;
}

static int check_header(const uint8_t *h, struct err *e)
{
    static const uint8_t newlines[4] = {'\n', ' ', '\r', '\n'};
    uint32_t version = get_le32(h + H_VERSION), flags = get_le32(h + H_FLAGS);

    if (version < 1 || version > 3)
        return err_set(e, -ENOTSUP, "Unsupported VMDK version %" PRIu32, version);
    if ((flags & VMDK_NEWLINES) && memcmp(h + H_NEWLINES, newlines, 4))
        return err_set(e, -EINVAL, "the header was damaged by a transfer that changes line ends");
    if ((flags & VMDK_COMPRESSED) && get_le16(h + H_ALGORITHM) != 1)
        return err_set(e, -ENOTSUP, "compression method %d is not known: only 1, deflate, is",
                       get_le16(h + H_ALGORITHM));
    return 0;
}

static int open_hosted(struct blk *b, struct vmdk_extent *x, uint8_t *h, struct err *e)
{
    bool at_end = get_le64(h + H_DIR) == GD_AT_END;
    int r;

    if ((r = check_header(h, e)) < 0 || (at_end && (r = read_footer(x, h, e)) < 0) ||
        (at_end && (r = check_header(h, e)) < 0))
        return r;
    x->flags = get_le32(h + H_FLAGS);
    x->gtes = get_le32(h + H_GTES);
    if ((r = sectors(get_le64(h + H_CAPACITY), &x->len, "a capacity", e)) < 0 ||
        (r = sectors(get_le64(h + H_GRAIN), &x->grain, "grains", e)) < 0 ||
        (r = sectors(get_le64(h + H_DIR), &x->dir_host, "a directory offset", e)) < 0 ||
        (r = sectors(get_le64(h + H_DESC), &x->desc_host, "a descriptor offset", e)) < 0 ||
        (r = sectors(get_le64(h + H_DESC_SIZE), &x->desc_len, "a descriptor", e)) < 0)
        return r;
    if ((x->flags & VMDK_REDUNDANT) && get_le64(h + H_TWIN) && !at_end &&
        (r = sectors(get_le64(h + H_TWIN), &x->twin_host, "a directory offset", e)) < 0)
        return r;
    return open_tables(b, x, e);
}

/* ESX: "COWD", 32-bit fields, tables of 4096 entries that are made when needed.  Only read. */
static int open_vmfs_sparse(struct blk *b, struct vmdk_extent *x, const uint8_t *h, struct err *e)
{
    uint64_t dir_n = get_le32(h + 24);
    int r;

    if (get_le32(h + 4) != 1)
        return err_set(e, -ENOTSUP, "Unsupported COWD version %" PRIu32, get_le32(h + 4));
    x->len = (uint64_t)get_le32(h + 12) * VMDK_SECTOR;
    x->grain = (uint64_t)get_le32(h + 16) * VMDK_SECTOR;
    x->dir_host = (uint64_t)get_le32(h + 20) * VMDK_SECTOR;
    x->gtes = 4096;
    x->read_only = true;
    if ((r = open_tables(b, x, e)) < 0)
        return r;
    return x->dir_n <= dir_n ? 0
                             : err_set(e, -EINVAL, "the grain directory has %" PRIu64
                                       " entries, the disk needs %" PRIu32, dir_n, x->dir_n);
}

int vmdk_sparse_open(struct blk *b, struct vmdk_extent *x, struct err *e)
{
    uint8_t h[VMDK_SECTOR] = {0};
    int r;

    x->kind = VMDK_SPARSE;
    if (blk_size(x->file) < sizeof(h))
        return err_set(e, -EINVAL, "a sparse extent of %" PRIu64 " bytes has no header",
                       blk_size(x->file));
    if ((r = blk_read(x->file, 0, sizeof(h), h, e)) < 0)
        return r;
    if (!memcmp(h, "KDMV", 4))
        return open_hosted(b, x, h, e);
    if (!memcmp(h, "COWD", 4))
        return open_vmfs_sparse(b, x, h, e);
    return err_set(e, -EINVAL, "Image not in VMDK format: no sparse extent begins with %02x%02x%02x%02x",
                   h[0], h[1], h[2], h[3]);
}

void vmdk_extent_free(struct vmdk_extent *x)
{
    if (x->tables)
        room_done(&x->room);
    tcache_free(x->tables);
    free(x->dir);
    free(x->twin);
    if (x->own)
        blk_close(x->file, ERR_IGNORE);
}

/* Entries ------------------------------------------------------------------------------------------- */

int vmdk_entry(struct vmdk_extent *x, uint64_t i, uint64_t max, uint32_t *entry, uint64_t *run,
               struct err *e)
{
    uint32_t table = x->dir[i / x->gtes], at = (uint32_t)(i % x->gtes), grain;
    const uint8_t *t;
    uint64_t n = 1;

    max = min_u64(max, x->gtes - at);
    *entry = 0;
    *run = max;
    if (!table)
        return 0;
    if (!(t = tcache_get(x->tables, (uint64_t)table * VMDK_SECTOR, e)))
        return e->code;
    *entry = get_le32(t + at * 4);
    grain = *entry > 1 ? (uint32_t)(x->grain / VMDK_SECTOR) : 0;
    if (*entry > 1 && (x->flags & VMDK_COMPRESSED))
        max = 1; /* each grain is read by itself */
    while (n < max && get_le32(t + (at + n) * 4) == *entry + n * grain)
        n++;
    *run = n;
    return 0;
}

/* A grain table for directory entry @i; its twin, too. */
static int new_table(struct vmdk_extent *x, uint32_t i, struct err *e)
{
    uint64_t bytes = round_up((uint64_t)x->gtes * 4, VMDK_SECTOR), host;
    uint32_t *dirs[2] = {x->twin, x->dir};
    uint64_t dir_hosts[2] = {x->twin_host, x->dir_host};
    bool zero;
    int r = 0;

    for (int k = 0; k < 2 && r >= 0; k++) {
        uint8_t sector[4];

        if (!dirs[k])
            continue;
        if ((r = room_take(&x->room, x->file, round_up(bytes, x->grain), &host, &zero, e)) < 0 ||
            (!zero && (r = blk_zero(x->file, host, bytes, 0, e)) < 0))
            return r;
        if (host / VMDK_SECTOR > UINT32_MAX)
            return err_set(e, -EFBIG, "the file is over 2 TiB: grain tables cannot say where");
        put_le32(sector, (uint32_t)(host / VMDK_SECTOR));
        if ((r = blk_write(x->file, dir_hosts[k] + i * UINT64_C(4), 4, sector, 0, e)) >= 0)
            dirs[k][i] = get_le32(sector);
    }
    return r;
}

int vmdk_set_entries(struct vmdk_extent *x, uint64_t i, uint64_t *n, uint32_t first, uint32_t step,
                     struct err *e)
{
    enum { BATCH = 128 };
    uint8_t entries[BATCH * 4];
    uint32_t dir = (uint32_t)(i / x->gtes), at = (uint32_t)(i % x->gtes);
    int r;

    *n = min_u64(min_u64(*n, BATCH), x->gtes - at);
    for (uint32_t k = 0; k < *n; k++)
        put_le32(entries + k * 4, first + k * step);
    if (!x->dir[dir] && (r = new_table(x, dir, e)) < 0)
        return r;
    if (x->twin && x->twin[dir] &&
        (r = blk_write(x->file, (uint64_t)x->twin[dir] * VMDK_SECTOR + at * 4, *n * 4, entries, 0,
                       e)) < 0)
        return r;
    return tcache_put(x->tables, (uint64_t)x->dir[dir] * VMDK_SECTOR, at * 4, entries, *n * 4, e);
}

/* Mending --------------------------------------------------------------------------------------------- */

static bool inside(const struct vmdk_extent *x, uint32_t sector, uint64_t len)
{
    uint64_t size = blk_size(x->file), host = (uint64_t)sector * VMDK_SECTOR;

    return sector && host < size && len <= size - host;
}

/* Both directories' entry @d becomes @sector (0: no table). */
static int set_table(struct vmdk_extent *x, uint32_t d, uint32_t sector, struct err *e)
{
    uint8_t bytes[4];
    int r;

    put_le32(bytes, sector);
    if (x->twin && (!sector || !inside(x, x->twin[d], (uint64_t)x->gtes * 4))) {
        if ((r = blk_write(x->file, x->twin_host + d * UINT64_C(4), 4, bytes, 0, e)) < 0)
            return r;
        x->twin[d] = sector;
    }
    if ((r = blk_write(x->file, x->dir_host + d * UINT64_C(4), 4, bytes, 0, e)) >= 0)
        x->dir[d] = sector;
    return r;
}

int vmdk_mend(struct vmdk_extent *x, uint64_t i, struct blk_check *c, struct err *e)
{
    uint32_t d = (uint32_t)(i / x->gtes), at = (uint32_t)(i % x->gtes), other = 0;
    uint64_t table = (uint64_t)x->gtes * 4, one = 1;
    bool twin = x->twin && inside(x, x->twin[d], table);
    uint8_t bytes[4];
    uint32_t entry;
    int r;

    if (x->dir[d] && !inside(x, x->dir[d], table)) {
        blk_check_say(c, "Repairing: table %" PRIu32 " of grains %s", d,
                      twin ? "is taken from the second directory" : "is dropped: its grains are lost");
        return set_table(x, d, twin ? x->twin[d] : 0, e);
    }
    if ((r = vmdk_entry(x, i, 1, &entry, &one, e)) < 0)
        return r;
    if (entry < 2 || inside(x, entry, 1))
        return err_set(e, -EIO, "grain %" PRIu64 " cannot be mended: its entry is sound", i);
    if (twin && (r = blk_read(x->file, (uint64_t)x->twin[d] * VMDK_SECTOR + at * 4, 4, bytes, e)) < 0)
        return r;
    if (twin)
        other = get_le32(bytes);
    if (other > 1 && !inside(x, other, VMDK_SECTOR))
        other = 0;
    blk_check_say(c, "Repairing: grain %" PRIu64 " %s", i,
                  other ? "is taken from the second directory" : "becomes a hole: its data is lost");
    return vmdk_set_entries(x, i, &one, other, 0, e);
}
