/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=vvfat, "fat:DIR": a folder of the host as a disk with a FAT file system (proto_vvfat_priv.h).
 * The tree is read when the disk is opened; contents of files are read when asked for.  With rw=on, what is written
 * comes to the folder when the guest flushes (proto_vvfat_write.c).
 */
#include "block/proto_vvfat_priv.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

extern const struct blk_driver proto_vvfat;

enum { PARTITION = 63, RESERVED_32 = 32, FAT_COPIES = 2, BACKUP = 6 };
#define SERIAL UINT32_C(0xfabe1afd)
#define END    UINT32_C(0x0fffffff)

struct vvfat_opts {
    char *dir, *label;
    uint64_t fat_type;
    bool floppy, rw;
};

static const struct field vvfat_fields[] = {
    FIELD(vvfat_opts, dir, F_STR, "dir", NULL, "the folder"),
    FIELD(vvfat_opts, fat_type, F_U64, "fat-type", "0", "12, 16 or 32; 0: chosen"),
    FIELD(vvfat_opts, floppy, F_BOOL, "floppy", "off", "a floppy instead of a hard disk"),
    FIELD(vvfat_opts, label, F_STR, "label", "QEMU VVFAT", "label of the file system"),
    FIELD(vvfat_opts, rw, F_BOOL, "rw", "off", "writes change the folder"),
    FIELD_END,
};

static const char *const vvfat_prefixes[] = {"fat", NULL};

/* fat:[floppy:][rw:][12:|16:|32:]DIR, in any order. */
static int vvfat_parse_name(const char *name, struct json_object *opts, struct err *e)
{
    bool floppy = false, rw = false;
    int type = 0;

    for (name += strlen("fat:");;) {
        if (!strncmp(name, "floppy:", 7)) {
            floppy = true;
            name += 7;
        } else if (!strncmp(name, "rw:", 3)) {
            rw = true;
            name += 3;
        } else if (!strncmp(name, "12:", 3) || !strncmp(name, "16:", 3) ||
                   !strncmp(name, "32:", 3)) {
            type = atoi(name);
            name += 3;
        } else {
            break;
        }
    }
    json_object_object_add(opts, "dir", json_object_new_string(name));
    json_object_object_add(opts, "fat-type", json_object_new_int(type));
    json_object_object_add(opts, "floppy", json_object_new_boolean(floppy));
    json_object_object_add(opts, "rw", json_object_new_boolean(rw));
    return 0;
}

/* Layout ------------------------------------------------------------------------------------------------- */

static int plan(struct blk *b, const struct vvfat_opts *o, struct err *e)
{
    struct vvfat *v = b->state;
    struct vvfat_tree *t = &v->tree;
    uint64_t type = o->fat_type ? o->fat_type : o->floppy ? 12 : 16, sectors, bits;
    uint32_t cylinders = o->floppy ? 80 : type == 12 ? 64 : 1024, per_cluster;

    if (type != 12 && type != 16 && type != 32)
        return err_set(e, -EINVAL, "Valid FAT types are only 12, 16 and 32, not %" PRIu64, type);
    if (o->floppy && type != 12)
        return err_set(e, -EINVAL, "a floppy has FAT12, not FAT%" PRIu64, type);
    t->fat_type = (unsigned)type;
    v->floppy = o->floppy;
    v->heads = o->floppy ? 2 : 16;
    v->per_track = o->floppy ? 36 : 63;
    sectors = (uint64_t)cylinders * v->heads * v->per_track;
    b->size = sectors * VVFAT_SECTOR;
    v->start = o->floppy ? 0 : PARTITION;
    v->total = (uint32_t)sectors - v->start;
    per_cluster = o->floppy ? 2 : type == 32 ? 8 : 16;
    t->cluster = per_cluster * VVFAT_SECTOR;
    bits = (v->total / per_cluster + 2) * type;
    v->fat = v->start + (type == 32 ? RESERVED_32 : 1);
    v->fat_len = (uint32_t)div_up(bits, 8 * VVFAT_SECTOR);
    v->root = v->fat + FAT_COPIES * v->fat_len;
    v->root_len = type == 32 ? 0 : VVFAT_ROOT_ENTRIES * VVFAT_ENTRY / VVFAT_SECTOR;
    v->data = v->root + v->root_len;
    t->max_clusters = (v->start + v->total - v->data) / per_cluster;
    return 0;
}

static void put_link(struct vvfat *v, uint32_t cluster, uint32_t next)
{
    uint8_t *t = v->table;

    switch (v->tree.fat_type) {
    case 32: put_le32(t + cluster * 4, next & END); break;
    case 16: put_le16(t + cluster * 2, (uint16_t)next); break;
    default: /* twelve bits at a time */
        t += cluster * 3 / 2;
        put_le16(t, cluster & 1 ? (uint16_t)((get_le16(t) & 0xf) | next << 4)
                                : (uint16_t)((get_le16(t) & 0xf000) | (next & 0xfff)));
    }
}

static int make_table(struct vvfat *v, struct err *e)
{
    if (!(v->table = calloc(v->fat_len + 1, VVFAT_SECTOR)))
        return err_set(e, -ENOMEM, "out of memory for the allocation table");
    put_link(v, 0, (END & ~0xffu) | (v->floppy ? 0xf0 : 0xf8));
    put_link(v, 1, END);
    for (uint32_t i = 0; i < v->tree.n; i++) {
        const struct vvfat_node *n = &v->tree.nodes[i];
        uint32_t len = (uint32_t)div_up(n->size, v->tree.cluster);

        for (uint32_t k = 0; n->first && k < len; k++)
            put_link(v, n->first + k, k + 1 == len ? END : n->first + k + 1);
    }
    return 0;
}

static int vvfat_close(struct blk *b, struct err *e)
{
    struct vvfat *v = b->state;
    int r = v->writes ? vvfat_writes_sync(b, true, e) : 0;

    vvfat_writes_close(b);
    vvfat_free(&v->tree);
    free(v->table);
    return r;
}

static int check_opts(const struct blk *b, const struct vvfat_opts *o, struct err *e)
{
    if (!o->dir)
        return err_set(e, -EINVAL, "vvfat block driver requires a 'dir' option");
    if (strlen(o->label) > 11)
        return err_set(e, -EINVAL, "vvfat label cannot be longer than 11 bytes");
    if (!o->rw && (b->flags & BLK_RDWR) && !(b->flags & BLK_AUTO_READ_ONLY))
        return err_set(e, -EROFS, "Image is read-only");
    return 0;
}

static int vvfat_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct vvfat *v = b->state;
    struct vvfat_opts o;
    int r = fields_take(vvfat_fields, opts, &o, e);

    if (r < 0)
        return r;
    if ((r = check_opts(b, &o, e)) >= 0 && (r = plan(b, &o, e)) >= 0) {
        if (!o.rw)
            b->flags &= ~(unsigned)BLK_RDWR;
        memset(v->label, ' ', 11);
        memcpy(v->label, o.label, strlen(o.label));
        if ((r = vvfat_scan(&v->tree, o.dir, o.label, e)) >= 0)
            r = make_table(v, e);
        if (r >= 0 && b->flags & BLK_RDWR)
            r = vvfat_writes_open(b, o.dir, e);
    }
    fields_free(vvfat_fields, &o);
    if (r < 0)
        vvfat_close(b, ERR_IGNORE);
    return r;
}

/* Sectors ------------------------------------------------------------------------------------------------- */

/* The table of partitions: one, active. */
static void make_mbr(const struct vvfat *v, uint8_t *s)
{
    uint32_t last = v->start + v->total - 1, cylinder = last / (v->heads * v->per_track);
    uint8_t *p = s + 446;

    put_le32(s + 440, SERIAL);
    p[0] = 0x80;
    p[1] = (uint8_t)(v->start / v->per_track);
    p[2] = (uint8_t)(v->start % v->per_track + 1);
    p[4] = v->tree.fat_type == 12 ? 0x01 : v->tree.fat_type == 16 ? 0x06 : 0x0b;
    p[5] = (uint8_t)(v->heads - 1);
    p[6] = (uint8_t)(v->per_track | (cylinder >> 8 & 3) << 6);
    p[7] = (uint8_t)cylinder;
    put_le32(p + 8, v->start);
    put_le32(p + 12, v->total);
    put_le16(s + 510, 0xaa55);
}

static void make_boot(const struct vvfat *v, uint8_t *s)
{
    bool big = v->tree.fat_type == 32;
    uint8_t *x = s + (big ? 64 : 36); /* what FAT32 has moved */

    memcpy(s, "\xeb\x3e\x90MSWIN4.1", 11);
    put_le16(s + 11, VVFAT_SECTOR);
    s[13] = (uint8_t)(v->tree.cluster / VVFAT_SECTOR);
    put_le16(s + 14, (uint16_t)(v->fat - v->start));
    s[16] = FAT_COPIES;
    put_le16(s + 17, big ? 0 : VVFAT_ROOT_ENTRIES);
    put_le16(s + 19, v->total > UINT16_MAX || big ? 0 : (uint16_t)v->total);
    s[21] = v->floppy ? 0xf0 : 0xf8;
    put_le16(s + 22, big ? 0 : (uint16_t)v->fat_len);
    put_le16(s + 24, (uint16_t)v->per_track);
    put_le16(s + 26, (uint16_t)v->heads);
    put_le32(s + 28, v->start);
    put_le32(s + 32, v->total > UINT16_MAX || big ? v->total : 0);
    if (big) {
        put_le32(s + 36, v->fat_len);
        put_le32(s + 44, 2); /* the root's first cluster */
        put_le16(s + 48, 1);
        put_le16(s + 50, BACKUP);
    }
    x[0] = v->floppy ? 0 : 0x80;
    x[2] = 0x29;
    put_le32(x + 3, SERIAL);
    memcpy(x + 7, v->label, 11);
    memcpy(x + 18, big ? "FAT32   " : v->tree.fat_type == 16 ? "FAT16   " : "FAT12   ", 8);
    put_le16(s + 510, 0xaa55);
}

static void make_fs_info(uint8_t *s)
{
    put_le32(s, 0x41615252);
    put_le32(s + 484, 0x61417272);
    put_le32(s + 488, UINT32_MAX);
    put_le32(s + 492, UINT32_MAX);
    put_le32(s + 508, 0xaa550000);
}

/* The root's part of sector @s. */
static void copy_root(const struct vvfat *v, uint32_t s, uint8_t *out)
{
    uint32_t at = (s - v->root) * VVFAT_SECTOR, size = v->tree.nodes[0].size;

    if (at < size)
        memcpy(out, v->tree.nodes[0].entries + at, min_u64(size - at, VVFAT_SECTOR));
}

/* Sector @s, which is none of the data's. */
static void make_sector(const struct vvfat *v, uint32_t s, uint8_t *out)
{
    uint32_t in = s - v->start;

    memset(out, 0, VVFAT_SECTOR);
    if (s < v->start) {
        if (!s)
            make_mbr(v, out);
    } else if (s >= v->root) {
        copy_root(v, s, out);
    } else if (s >= v->fat) {
        memcpy(out, v->table + (uint64_t)((s - v->fat) % v->fat_len) * VVFAT_SECTOR, VVFAT_SECTOR);
    } else if (!in || in == BACKUP) {
        make_boot(v, out);
    } else if (in == 1 || in == BACKUP + 1) {
        make_fs_info(out);
    }
}

/* The file or folder that @cluster, which is in use, belongs to. */
static const struct vvfat_node *node_of(const struct vvfat_tree *t, uint32_t cluster)
{
    const struct vvfat_node *found = NULL;
    uint32_t low = 0, high = t->n;

    while (low < high) {
        uint32_t mid = (low + high) / 2, k = mid;

        while (k > low && !t->nodes[k].first) /* empty files have no cluster */
            k--;
        if (!t->nodes[k].first) {
            low = mid + 1;
        } else if (t->nodes[k].first <= cluster) {
            found = &t->nodes[k];
            low = mid + 1;
        } else {
            high = k;
        }
    }
    return found;
}

/* @len bytes of a host file from @at on; zeros where it has become shorter. */
static int read_file(const struct vvfat_node *n, uint64_t at, uint8_t *buf, uint64_t len,
                     struct err *e)
{
    int fd = open(n->path, O_RDONLY | O_CLOEXEC), r = 0;
    ssize_t k = 1;

    if (fd < 0)
        return err_set(e, -errno, "Could not open '%s': %s", n->path, strerror(errno));
    for (uint64_t done = 0; done < len && k > 0; done += (uint64_t)k) {
        k = pread(fd, buf + done, len - done, (off_t)(at + done));
        if (k < 0)
            r = err_set(e, -errno, "reading '%s': %s", n->path, strerror(errno));
    }
    close(fd);
    return r;
}

/* @off bytes into the data area; *@len is cut to one file. */
static int read_data(const struct vvfat *v, uint64_t off, uint8_t *buf, uint64_t *len,
                     struct err *e)
{
    uint64_t cluster = off / v->tree.cluster + 2, at, have;
    const struct vvfat_node *n =
        cluster < v->tree.clusters + 2 ? node_of(&v->tree, (uint32_t)cluster) : NULL;

    if (!n) {
        memset(buf, 0, *len);
        return 0;
    }
    at = (cluster - n->first) * v->tree.cluster + off % v->tree.cluster;
    *len = min_u64(*len, div_up(n->size, v->tree.cluster) * v->tree.cluster - at);
    memset(buf, 0, *len);
    have = at < n->size ? min_u64(*len, n->size - at) : 0;
    if (n->entries)
        memcpy(buf, n->entries + at, have);
    return n->entries || !have ? 0 : read_file(n, at, buf, have, e);
}

int vvfat_read_host(struct vvfat *v, uint64_t off, uint8_t *buf, uint64_t len, struct err *e)
{
    uint64_t data = (uint64_t)v->data * VVFAT_SECTOR, piece;
    uint8_t sector[VVFAT_SECTOR];
    int r;

    for (; len; off += piece, buf += piece, len -= piece) {
        piece = len;
        if (off >= data) {
            if ((r = read_data(v, off - data, buf, &piece, e)) < 0)
                return r;
            continue;
        }
        piece = min_u64(len, VVFAT_SECTOR - off % VVFAT_SECTOR);
        make_sector(v, (uint32_t)(off / VVFAT_SECTOR), sector);
        memcpy(buf, sector + off % VVFAT_SECTOR, piece);
    }
    return 0;
}

static int vvfat_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    int r = 0;

    for (int i = 0; i < n && r >= 0; off += iov[i++].iov_len)
        r = vvfat_read(b->state, off, iov[i].iov_base, iov[i].iov_len, e);
    return r;
}

static int vvfat_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                        struct err *e)
{
    int r = 0;

    for (int i = 0; i < n && r >= 0; off += iov[i++].iov_len)
        r = vvfat_write(b->state, off, iov[i].iov_base, iov[i].iov_len, e);
    return r;
}

static int vvfat_flush(struct blk *b, struct err *e)
{
    return ((struct vvfat *)b->state)->writes ? vvfat_writes_sync(b, false, e) : 0;
}

static int vvfat_info(struct blk *b, struct blk_info *i, struct err *e)
{
    i->bare = true;
    return 0;
}

static const struct blk_io_ops vvfat_io = {.readv = vvfat_readv, .writev = vvfat_writev};

const struct blk_driver proto_vvfat = {
    .name = "vvfat",
    .help = "a folder as a FAT disk",
    .kind = BLK_PROTOCOL,
    .state_size = sizeof(struct vvfat),
    .open_opts = vvfat_fields,
    .prefixes = vvfat_prefixes,
    .parse_name = vvfat_parse_name,
    .open = vvfat_open,
    .close = vvfat_close,
    .flush = vvfat_flush,
    .info = vvfat_info,
    .io = &vvfat_io,
};
