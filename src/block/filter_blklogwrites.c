/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=blklogwrites: every write is also appended to the node "log", in the format of Linux's
 * dm-log-writes target (Documentation/admin-guide/device-mapper/log-writes.rst, struct log_write_super and
 * log_write_entry), which its replay tools read.
 */
#include "block/filter.h"

#include <inttypes.h>
#include <stdlib.h>

#define LOG_MAGIC UINT64_C(0x6a736677736872)
enum { LOG_VERSION = 1, ENTRY_SIZE = 32 };
enum { LOG_FLUSH = 1, LOG_FUA = 2, LOG_DISCARD = 4 };

struct blklogwrites {
    bool append;
    uint64_t sector_size, update_interval;
    struct blk *log;
    pthread_mutex_t lock;
    uint64_t entries, next_sector, not_counted; /* [lock] */
};

static const struct field log_fields[] = {
    FIELD(blklogwrites, append, F_BOOL, "log-append", "off", "go on with the log's entries"),
    FIELD(blklogwrites, sector_size, F_SIZE, "log-sector-size", "512", "unit of the log"),
    FIELD(blklogwrites, update_interval, F_U64, "log-super-update-interval", "4096",
          "entries after which the log's head is written"),
    FIELD_END,
};

static int write_head(struct blklogwrites *l, struct err *e)
{
    unsigned char *sector = calloc(1, l->sector_size);
    int r;

    if (!sector)
        fatal("out of memory");
    put_le64(sector, LOG_MAGIC);
    put_le64(sector + 8, LOG_VERSION);
    put_le64(sector + 16, l->entries);
    put_le32(sector + 24, (uint32_t)l->sector_size);
    r = blk_truncate(l->log, max_u64(blk_size(l->log), l->sector_size), BLK_PREALLOC_OFF, 0, e);
    if (r >= 0)
        r = blk_write(l->log, 0, l->sector_size, sector, 0, e);
    free(sector);
    l->not_counted = 0;
    return r;
}

/* Sectors of @entries entries: a log that somebody else began. */
static int find_end(struct blklogwrites *l, uint64_t entries, struct err *e)
{
    unsigned char entry[ENTRY_SIZE];
    uint64_t end = blk_size(l->log) / l->sector_size;

    l->next_sector = 1;
    for (uint64_t i = 0; i < entries; i++) {
        if (l->next_sector >= end)
            return err_set(e, -EINVAL, "the log ends before its %" PRIu64 " entries", entries);
        int r = blk_read(l->log, l->next_sector * l->sector_size, sizeof(entry), entry, e);

        if (r < 0)
            return r;
        uint64_t sectors = get_le64(entry + 16) & LOG_DISCARD ? 0 : get_le64(entry + 8);

        if (sectors > end)
            return err_set(e, -EINVAL, "the log's entry %" PRIu64 " is longer than the log", i);
        l->next_sector += 1 + sectors;
    }
    l->entries = entries;
    return 0;
}

static int read_head(struct blklogwrites *l, struct err *e)
{
    unsigned char head[28];
    int r = blk_read(l->log, 0, sizeof(head), head, e);

    if (r < 0)
        return err_wrap(e, r, "Could not read log superblock");
    if (get_le64(head) != LOG_MAGIC)
        return err_set(e, -EINVAL, "Invalid log superblock magic");
    if (get_le64(head + 8) != LOG_VERSION)
        return err_set(e, -EINVAL, "Unsupported log version %" PRIu64, get_le64(head + 8));
    l->sector_size = get_le32(head + 24);
    if (l->sector_size < 512 || l->sector_size & (l->sector_size - 1) || l->sector_size >> 23)
        return err_set(e, -EINVAL, "Invalid log sector size %" PRIu64, l->sector_size);
    return find_end(l, get_le64(head + 16), e);
}

static int log_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct blklogwrites *l = b->state;
    int r = fields_take(log_fields, opts, l, e);

    if (r < 0)
        return r;
    if (l->sector_size < 512 || l->sector_size & (l->sector_size - 1) || l->sector_size >> 23)
        return err_set(e, -EINVAL, "Invalid log sector size %" PRIu64, l->sector_size);
    if (!l->update_interval)
        return err_set(e, -EINVAL, "Invalid log superblock update interval 0");
    l->log =
        blk_open_child(b, opts, "log", NULL, NULL, BLK_RDWR | BLK_RESIZE | BLK_PROBE_RAW_OK, e);
    if (!l->log)
        return err_wrap(e, e->code, "Could not open log file");
    l->next_sector = 1;
    if (l->append)
        r = read_head(l, e);
    if (r < 0) {
        blk_close(l->log, ERR_IGNORE);
        return r;
    }
    pthread_mutex_init(&l->lock, NULL);
    filter_open(b);
    b->align = (uint32_t)l->sector_size;
    return 0;
}

/* One entry with its data, in a place of its own; the head every now and then. */
static int add_entry(struct blk *b, uint64_t off, uint64_t len, unsigned flags,
                     const struct iovec *iov, int n, struct err *e)
{
    struct blklogwrites *l = b->state;
    uint64_t size = l->sector_size, at, data = iov ? len : 0, end;
    unsigned char *sector = calloc(1, size);
    int r;

    if (!sector)
        fatal("out of memory");
    put_le64(sector, off / size);
    put_le64(sector + 8, len / size);
    put_le64(sector + 16, flags);
    pthread_mutex_lock(&l->lock);
    at = l->next_sector * size;
    l->next_sector += 1 + data / size;
    end = l->next_sector * size;
    r = end > blk_size(l->log) ? blk_truncate(l->log, end, BLK_PREALLOC_OFF, 0, e) : 0;
    if (r >= 0 && (r = blk_write(l->log, at, size, sector, 0, e)) >= 0 && data)
        r = blk_writev(l->log, at + size, iov, n, 0, e);
    if (r >= 0) {
        l->entries++;
        if (++l->not_counted >= l->update_interval || (flags & (LOG_FLUSH | LOG_FUA)))
            r = write_head(l, e);
    }
    pthread_mutex_unlock(&l->lock);
    free(sector);
    return r;
}

static int log_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                      struct err *e)
{
    int r = filter_writev(b, off, iov, n, req, e);

    return r < 0 ? r
                 : add_entry(b, off, filter_iov_len(iov, n), req & BLK_REQ_FUA ? LOG_FUA : 0, iov,
                             n, e);
}

static int log_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    int r = filter_discard(b, off, len, e);

    return r < 0 ? r : add_entry(b, off, len, LOG_DISCARD, NULL, 0, e);
}

static int log_flush(struct blk *b, struct err *e)
{
    return add_entry(b, 0, 0, LOG_FLUSH, NULL, 0, e);
}

static int log_close(struct blk *b, struct err *e)
{
    struct blklogwrites *l = b->state;
    int r = write_head(l, e), r2 = blk_close(l->log, r < 0 ? ERR_IGNORE : e);

    pthread_mutex_destroy(&l->lock);
    return r < 0 ? r : r2;
}

/* Zeros are written out by the core: the log has no entry for them. */
static const struct blk_io_ops log_io = {
    .readv = filter_readv,
    .writev = log_writev,
    .discard = log_discard,
    .status = filter_status,
};

const struct blk_driver filter_blklogwrites = {
    .name = "blklogwrites",
    .help = "writes are also logged, as dm-log-writes does",
    .kind = BLK_FILTER,
    .state_size = sizeof(struct blklogwrites),
    .open_opts = log_fields,
    .open = log_open,
    .close = log_close,
    .flush = log_flush,
    .truncate = filter_truncate,
    .info = filter_info,
    .io = &log_io,
};
