/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-blk: a disk.  Virtio 1.2, 5.2.  Requests are done on worker threads (workers.h), neighbours in one go.
 *
 * Locks: the machine's for properties, registers and write cache.
 */
#include "dev/backends.h"
#include "dev/drive_errors.h"
#include "dev/virtio/virtio.h"
#include "dev/virtio/workers.h"

#include <errno.h>
#include <stdlib.h>

enum {
    F_SIZE_MAX = 1,
    F_SEG_MAX = 2,
    F_GEOMETRY = 4,
    F_RO = 5,
    F_BLK_SIZE = 6,
    F_FLUSH = 9,
    F_TOPOLOGY = 10,
    F_CONFIG_WCE = 11,
    F_MQ = 12,
    F_DISCARD = 13,
    F_WRITE_ZEROES = 14
};
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { S_OK = 0, S_IOERR = 1, S_UNSUPP = 2, S_AGAIN = 255 /* ours: not answered yet */ };

/* Configuration space, 5.2.4. */
enum {
    C_CAPACITY = 0,
    C_SEG_MAX = 12,
    C_CYLINDERS = 16,
    C_HEADS = 18,
    C_SECTORS = 19,
    C_BLK_SIZE = 20,
    C_PHYSICAL_EXP = 24,
    C_ALIGNMENT_OFFSET = 25,
    C_MIN_IO = 26,
    C_OPT_IO = 28,
    C_WRITEBACK = 32,
    C_NUM_QUEUES = 34,
    C_MAX_DISCARD = 36,
    C_MAX_DISCARD_SEG = 40,
    C_DISCARD_ALIGNMENT = 44,
    C_MAX_ZEROES = 48,
    C_MAX_ZEROES_SEG = 52,
    C_ZEROES_MAY_UNMAP = 56,
    CONFIG_LEN = 60
};

enum { SECTOR = 512, HEADER = 16, ID_LEN = 20, RANGE_LEN = 16 };
enum { MAX_MERGED = 1 << 20, MAX_PIECES = VQ_MAX_SEGS };
enum { THREADS = 4, MAX_QUEUES = 256, QUEUES_UNSAID = 65535 };
enum { WCE_ON, WCE_OFF, WCE_AUTO };
static const char *const on_off_auto[] = {"on", "off", "auto", NULL};

struct vblk {
    struct virtio v;
    struct drive *drive;
    struct workers *ws;
    bool wce, ro; /* wce [atomic] */

    struct drive_wait wait;
    struct state_blob waiting; /* when saved: requests that wait for the machine to run */

    /* Properties. */
    char *drive_id, *serial, *iothread, *bootindex;
    bool config_wce, discard, write_zeroes, share_rw, request_merging, seg_max_adjust, scsi;
    int write_cache, werror, rerror;
    uint64_t num_queues, queue_size, logical, physical, min_io, opt_io, discard_granularity;
    uint64_t cyls, heads, secs, max_discard, max_zeroes;
};

static const struct field vblk_props[] = {
    FIELD(vblk, drive_id, F_STR, "drive", NULL, "ID of the disk"),
    FIELD(vblk, serial, F_STR, "serial", NULL, "serial number, up to 20 characters"),
    FIELD(vblk, iothread, F_STR, "iothread", NULL, "ID of an iothread object"),
    FIELD(vblk, bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD(vblk, num_queues, F_U64, "num-queues", "65535", "queues; 65535: as many as are useful"),
    FIELD(vblk, queue_size, F_U64, "queue-size", "256", "entries of a queue, a power of two"),
    FIELD(vblk, config_wce, F_BOOL, "config-wce", "on", "the guest may switch the write cache"),
    FIELD_ENUM(vblk, write_cache, on_off_auto, "write-cache", "auto", "the disk has a write cache"),
    FIELD(vblk, discard, F_BOOL, "discard", "on", "offer discarding"),
    FIELD(vblk, write_zeroes, F_BOOL, "write-zeroes", "on", "offer writing of zeros"),
    FIELD(vblk, max_discard, F_U64, "max-discard-sectors", "4194303", "in one request"),
    FIELD(vblk, max_zeroes, F_U64, "max-write-zeroes-sectors", "4194303", "in one request"),
    FIELD(vblk, request_merging, F_BOOL, "request-merging", "on", "do neighbours in one go"),
    FIELD(vblk, seg_max_adjust, F_BOOL, "seg-max-adjust", "on", "pieces follow the queue's size"),
    FIELD(vblk, scsi, F_BOOL, "scsi", "off", "pass SCSI commands on; can only be off"),
    FIELD(vblk, share_rw, F_BOOL, "share-rw", "off", "others may write the disk, too"),
    DRIVE_ERROR_FIELDS(vblk),
    FIELD(vblk, logical, F_SIZE, "logical_block_size", "512", "bytes"),
    FIELD(vblk, physical, F_SIZE, "physical_block_size", "512", "bytes"),
    FIELD(vblk, min_io, F_SIZE, "min_io_size", "0", "bytes"),
    FIELD(vblk, opt_io, F_SIZE, "opt_io_size", "0", "bytes"),
    FIELD(vblk, discard_granularity, F_SIZE, "discard_granularity", "0", "bytes; 0: a block"),
    FIELD(vblk, cyls, F_U64, "cyls", "0", "cylinders; 0: by size"),
    FIELD(vblk, heads, F_U64, "heads", "0", "heads; 0: 16"),
    FIELD(vblk, secs, F_U64, "secs", "0", "sectors of a track; 0: 63"),
    FIELD_END};

static const struct state vblk_state[] = {STATE(vblk, wce, S_BOOL, 1, "write cache"),
                                          STATE_BLOB(vblk, waiting, WORKERS_STATE_MAX, 2, "requests"),
                                          STATE_END};

struct req {
    struct work_item w;
    uint32_t type;
    uint64_t off, len; /* of the data */
};

static uint64_t disk_size(const struct vblk *b)
{
    return b->drive->blk ? blk_size(b->drive->blk) : 0;
}

/* What one request does to the disk. */
struct job {
    struct vblk *b;
    int (*run)(struct job *j, struct err *e);
    bool write;
    uint64_t off, len;
    struct iovec *iov;
    int n;
    bool unmap;
};

/* Run it under the policy for errors: the status for the guest. */
static uint8_t do_job(struct job *j)
{
    struct vblk *b = j->b;

    for (;;) {
        unsigned mark = drive_wait_mark(&b->wait);
        struct err e = {0};
        int r = j->run(j, &e);
        enum drive_error a;

        if (r >= 0)
            return S_OK;
        if (r == -ENOTSUP)
            return S_UNSUPP;
        a = drive_error_decide(b->v.m, b->drive, b->werror, b->rerror, j->write, &e);
        if (a == DRIVE_IGNORE)
            return S_OK;
        if (a != DRIVE_STOP)
            return S_IOERR;
        if (!drive_wait(&b->wait, mark)) /* the state is saved, or a reset forgets it */
            return S_AGAIN;
    }
}

static int run_read(struct job *j, struct err *e)
{
    return blk_readv(j->b->drive->blk, j->off, j->iov, j->n, e);
}

static unsigned write_flags(struct vblk *b)
{
    return __atomic_load_n(&b->wce, __ATOMIC_RELAXED) ? 0 : BLK_REQ_FUA;
}

static int run_write(struct job *j, struct err *e)
{
    return blk_writev(j->b->drive->blk, j->off, j->iov, j->n, write_flags(j->b), e);
}

static int run_flush(struct job *j, struct err *e)
{
    return blk_flush(j->b->drive->blk, e);
}

static int run_zero(struct job *j, struct err *e)
{
    return blk_zero(j->b->drive->blk, j->off, j->len,
                    write_flags(j->b) | (j->unmap ? BLK_REQ_UNMAP : 0), e);
}

static int run_discard(struct job *j, struct err *e)
{
    if (!(blk_flags(j->b->drive->blk) & BLK_UNMAP))
        return 0;
    return blk_discard(j->b->drive->blk, j->off, j->len, e);
}

/* The status byte is the last that the device may write. */
static void finish(struct work *w, unsigned i, uint8_t status)
{
    struct vq_elem *el = &work_get(w, i)->el;

    if (status == S_AGAIN) {
        work_again(w, i);
        return;
    }
    iov_write(el->wr, el->n_wr, el->wr_len - 1, &status, 1);
    work_done(w, i, el->wr_len);
}

static bool fits(const struct vblk *b, uint64_t off, uint64_t len)
{
    uint64_t size = disk_size(b);

    return len % b->logical == 0 && off % b->logical == 0 && off <= size && len <= size - off;
}

/* The pieces of requests i..j-1, one after the other. */
static int gather(struct work *w, unsigned i, unsigned j, struct iovec *out)
{
    int n = 0;

    for (; i < j; i++) {
        struct req *r = (struct req *)work_get(w, i);
        struct vq_elem *el = &r->w.el;

        n += r->type == T_IN ? vq_iov_slice(el->wr, el->n_wr, 0, r->len, out + n)
                             : vq_iov_slice(el->rd, el->n_rd, HEADER, r->len, out + n);
    }
    return n;
}

/* One or more requests that are neighbours on the disk. */
static void read_write(struct vblk *b, struct work *w, unsigned i, unsigned j)
{
    struct req *r = (struct req *)work_get(w, i);
    struct iovec iov[MAX_PIECES];
    struct job job = {.b = b,
                      .run = r->type == T_IN ? run_read : run_write,
                      .write = r->type == T_OUT,
                      .off = r->off,
                      .iov = iov};

    job.n = gather(w, i, j, iov);
    if (j - i > 1 && job.run(&job, ERR_IGNORE) < 0) {
        for (; i < j; i++) /* which one was it? */
            read_write(b, w, i, i + 1);
        return;
    }
    if (j - i > 1)
        blk_count_merged(b->drive->blk, job.write ? BLK_COUNT_WRITE : BLK_COUNT_READ, j - i - 1);
    uint8_t status = j - i > 1 ? S_OK : do_job(&job);

    for (; i < j; i++)
        finish(w, i, status);
}

static bool joins(const struct vblk *b, const struct req *a, const struct req *c, uint64_t len,
                  unsigned pieces)
{
    return b->request_merging && c->type == a->type && c->off == a->off + len &&
           len + c->len <= MAX_MERGED && pieces + c->w.el.n_rd + c->w.el.n_wr <= MAX_PIECES &&
           fits(b, c->off, c->len);
}

/* Requests from @i on that one call can do; the first that does not belong. */
static unsigned group(const struct vblk *b, struct work *w, unsigned i, unsigned n)
{
    struct req *first = (struct req *)work_get(w, i);
    unsigned pieces = first->w.el.n_rd + first->w.el.n_wr, j = i + 1;
    uint64_t len = first->len;

    for (; j < n; j++) {
        struct req *r = (struct req *)work_get(w, j);

        if (!joins(b, first, r, len, pieces))
            break;
        len += r->len;
        pieces += r->w.el.n_rd + r->w.el.n_wr;
    }
    return j;
}

/* Discard and write zeroes: one range, 5.2.6.1. */
static uint8_t range(struct vblk *b, struct req *r)
{
    struct job j = {.b = b, .write = true};
    bool zero = r->type == T_WRITE_ZEROES;
    uint8_t raw[RANGE_LEN];
    uint32_t flags, max = zero ? b->max_zeroes : b->max_discard;

    if (!(zero ? virtio_offers(&b->v, F_WRITE_ZEROES) : virtio_offers(&b->v, F_DISCARD)))
        return S_UNSUPP;
    if (b->ro || r->len != RANGE_LEN)
        return b->ro ? S_IOERR : S_UNSUPP;
    iov_read(r->w.el.rd, r->w.el.n_rd, HEADER, raw, sizeof(raw));
    j.len = (uint64_t)get_le32(raw + 8) * SECTOR;
    flags = get_le32(raw + 12);
    if (flags & ~1u || (flags && !zero))
        return S_UNSUPP;
    if (get_le32(raw + 8) > max || !mul_u64(get_le64(raw), SECTOR, &j.off) ||
        !fits(b, j.off, j.len))
        return S_IOERR;
    j.unmap = flags;
    j.run = zero ? run_zero : run_discard;
    return do_job(&j);
}

static void get_id(struct vblk *b, struct work *w, unsigned i)
{
    struct vq_elem *el = &work_get(w, i)->el;
    char id[ID_LEN] = {0};
    const char *s = b->serial ? b->serial : b->drive->serial ? b->drive->serial : "";
    size_t len = min_u64(el->wr_len - 1, ID_LEN);

    memcpy(id, s, strnlen(s, ID_LEN));
    iov_write(el->wr, el->n_wr, 0, id, len);
    finish(w, i, S_OK);
}

static void one(struct vblk *b, struct work *w, unsigned i)
{
    struct req *r = (struct req *)work_get(w, i);
    struct job flush = {.b = b, .run = run_flush, .write = true};

    switch (r->type) {
    case T_FLUSH: finish(w, i, do_job(&flush)); break;
    case T_GET_ID: get_id(b, w, i); break;
    case T_DISCARD:
    case T_WRITE_ZEROES: finish(w, i, range(b, r)); break;
    default: finish(w, i, S_UNSUPP);
    }
}

/* The header, read once; false: nothing can be answered. */
static bool parse(struct vblk *b, struct req *r)
{
    struct vq_elem *el = &r->w.el;
    uint8_t h[HEADER];

    if (el->rd_len < HEADER || !el->wr_len) {
        virtio_break(&b->v, "a request of %" PRIu64 " bytes, with %" PRIu64 " for the answer",
                     el->rd_len, el->wr_len);
        return false;
    }
    iov_read(el->rd, el->n_rd, 0, h, sizeof(h));
    r->type = get_le32(h);
    r->len = r->type == T_IN ? el->wr_len - 1 : el->rd_len - HEADER;
    if (!mul_u64(get_le64(h + 8), SECTOR, &r->off))
        r->off = UINT64_MAX;
    return true;
}

static void do_batch(struct virtio *v, struct vq *q, struct work *w, unsigned n)
{
    struct vblk *b = (struct vblk *)v;
    unsigned j;

    for (unsigned i = 0; i < n; i++)
        if (!parse(b, (struct req *)work_get(w, i)))
            return;
    for (unsigned i = 0; i < n; i = j) {
        struct req *r = (struct req *)work_get(w, i);

        j = i + 1;
        if (r->type != T_IN && r->type != T_OUT) {
            one(b, w, i);
        } else if (!fits(b, r->off, r->len) || (r->type == T_OUT && b->ro)) {
            finish(w, i, S_IOERR);
        } else {
            j = group(b, w, i, n);
            read_write(b, w, i, j);
        }
    }
}

static const struct work_ops work_ops = {.item_size = sizeof(struct req), .do_batch = do_batch};

/* Registers. */

static unsigned log2_of(uint64_t v)
{
    return 63 - __builtin_clzll(v);
}

static void geometry(const struct vblk *b, uint8_t *c)
{
    uint64_t heads = b->heads ? b->heads : 16, secs = b->secs ? b->secs : 63;
    uint64_t cyls = b->cyls ? b->cyls : disk_size(b) / SECTOR / (heads * secs);

    put_le16(c + C_CYLINDERS, cyls > 65535 ? 65535 : cyls);
    c[C_HEADS] = heads;
    c[C_SECTORS] = secs;
}

static void vblk_config(struct virtio *v, uint8_t *c)
{
    struct vblk *b = (struct vblk *)v;
    uint64_t granularity = b->discard_granularity ? b->discard_granularity : b->logical;

    put_le64(c + C_CAPACITY, disk_size(b) / SECTOR);
    put_le32(c + C_SEG_MAX, b->seg_max_adjust ? b->queue_size - 2 : 126);
    geometry(b, c);
    put_le32(c + C_BLK_SIZE, b->logical);
    c[C_PHYSICAL_EXP] = log2_of(b->physical / b->logical);
    put_le16(c + C_MIN_IO, b->min_io / b->logical);
    put_le32(c + C_OPT_IO, b->opt_io / b->logical);
    c[C_WRITEBACK] = __atomic_load_n(&b->wce, __ATOMIC_RELAXED);
    put_le16(c + C_NUM_QUEUES, v->n_queues);
    put_le32(c + C_MAX_DISCARD, b->max_discard);
    put_le32(c + C_MAX_DISCARD_SEG, 1);
    put_le32(c + C_DISCARD_ALIGNMENT, granularity / SECTOR);
    put_le32(c + C_MAX_ZEROES, b->max_zeroes);
    put_le32(c + C_MAX_ZEROES_SEG, 1);
    c[C_ZEROES_MAY_UNMAP] = 1;
}

static void vblk_config_written(struct virtio *v, unsigned off, unsigned len, const uint8_t *cfg)
{
    struct vblk *b = (struct vblk *)v;

    if (off <= C_WRITEBACK && off + len > C_WRITEBACK && virtio_has(v, F_CONFIG_WCE))
        __atomic_store_n(&b->wce, cfg[C_WRITEBACK] & 1, __ATOMIC_RELAXED);
}

static bool cached(const struct vblk *b)
{
    if (b->write_cache != WCE_AUTO)
        return b->write_cache == WCE_ON;
    return !(blk_flags(b->drive->blk) & BLK_WRITE_THROUGH);
}

static void vblk_status(struct virtio *v, uint8_t old)
{
    struct vblk *b = (struct vblk *)v;

    /* 5.2.5.2: a driver that cannot flush gets its writes on the disk at once. */
    if (v->status & ~old & VIRTIO_DRIVER_OK && !virtio_has(v, F_FLUSH) &&
        !virtio_has(v, F_CONFIG_WCE))
        __atomic_store_n(&b->wce, false, __ATOMIC_RELAXED);
}

static void vblk_kick(struct virtio *v, struct vq *q)
{
    workers_kick(((struct vblk *)v)->ws, q);
}

static void vblk_reset(struct virtio *v)
{
    struct vblk *b = (struct vblk *)v;

    drive_wait_cancel(&b->wait, true);
    workers_forget(b->ws);
    drive_wait_cancel(&b->wait, false);
    __atomic_store_n(&b->wce, cached(b), __ATOMIC_RELAXED);
}

static void vblk_queue_reset(struct virtio *v, struct vq *q)
{
    struct vblk *b = (struct vblk *)v;

    drive_wait_cancel(&b->wait, true);
    workers_forget_queue(b->ws, q);
    drive_wait_cancel(&b->wait, false);
}

static void vblk_saving(struct virtio *v)
{
    struct vblk *b = (struct vblk *)v;

    drive_wait_cancel(&b->wait, true);
    workers_saving(b->ws, &b->waiting);
    drive_wait_cancel(&b->wait, false);
}

static void vblk_saved(struct virtio *v)
{
    workers_go(((struct vblk *)v)->ws);
}

static int vblk_loaded(struct virtio *v, int version, struct err *e)
{
    struct vblk *b = (struct vblk *)v;

    return workers_loaded(b->ws, &b->waiting, e);
}

static void medium_changed(void *owner, struct drive *d)
{
    virtio_config_changed(&((struct vblk *)owner)->v);
}

/* Properties. */

static int check_size(const char *name, uint64_t v, uint64_t min, uint64_t max, struct err *e)
{
    if (is_pow2(v) && v >= min && v <= max)
        return 0;
    return err_set(e, -EINVAL,
                   "Property '%s' is %" PRIu64 ": want a power of two, %" PRIu64 " to %" PRIu64,
                   name, v, min, max);
}

static int check_props(struct vblk *b, struct err *e)
{
    int r;

    if (b->num_queues == QUEUES_UNSAID)
        b->num_queues = 1;
    if (!b->num_queues || b->num_queues > MAX_QUEUES)
        return err_set(e, -EINVAL, "Property 'num-queues' is %" PRIu64 ": want 1 to %d",
                       b->num_queues, MAX_QUEUES);
    if (b->scsi)
        return err_set(e, -ENOTSUP, "Property 'scsi' can only be off");
    if ((r = check_size("queue-size", b->queue_size, 4, VQ_MAX_SIZE, e)) < 0 ||
        (r = check_size("logical_block_size", b->logical, SECTOR, 2 * MiB, e)) < 0 ||
        (r = check_size("physical_block_size", b->physical, SECTOR, 2 * MiB, e)) < 0)
        return r;
    if (b->physical < b->logical)
        b->physical = b->logical;
    if (b->min_io % b->logical || b->min_io / b->logical > 65535)
        return err_set(e, -EINVAL,
                       "Property 'min_io_size' is %" PRIu64 ": want blocks of %" PRIu64
                       " bytes, at most 65535",
                       b->min_io, b->logical);
    if (b->max_discard > UINT32_MAX || b->max_zeroes > UINT32_MAX || b->heads > 255 ||
        b->secs > 255 || b->cyls > 65535 || b->opt_io / b->logical > UINT32_MAX)
        return err_set(e, -ERANGE, "geometry or limit out of range");
    return 0;
}

static uint64_t vblk_features(const struct vblk *b)
{
    uint64_t f = VIRTIO_BIT(F_SEG_MAX) | VIRTIO_BIT(F_GEOMETRY) | VIRTIO_BIT(F_BLK_SIZE) |
                 VIRTIO_BIT(F_TOPOLOGY) | VIRTIO_BIT(F_FLUSH);

    f |= b->ro ? VIRTIO_BIT(F_RO) : 0;
    f |= b->config_wce ? VIRTIO_BIT(F_CONFIG_WCE) : 0;
    f |= b->num_queues > 1 ? VIRTIO_BIT(F_MQ) : 0;
    f |= b->discard && !b->ro ? VIRTIO_BIT(F_DISCARD) : 0;
    f |= b->write_zeroes && !b->ro ? VIRTIO_BIT(F_WRITE_ZEROES) : 0;
    return f;
}

static int vblk_init(struct virtio *v, struct err *e)
{
    struct vblk *b = (struct vblk *)v;
    struct iothread *io;
    int r;

    if (!b->drive_id)
        return err_set(e, -EINVAL, "drive property not set");
    if ((r = check_props(b, e)) < 0 || (r = workers_io(v, b->iothread, &io, e)) < 0 ||
        (r = dev_take_drive(v->dev, b->drive_id, &b->drive, e)) < 0)
        return r;
    if (!b->drive->blk) {
        dev_drop_drive(b->drive);
        return err_set(e, -EINVAL, "Device needs media, but drive is empty");
    }
    b->drive->owner = b;
    b->drive->changed = medium_changed;
    b->ro = b->drive->read_only || !(blk_flags(b->drive->blk) & BLK_RDWR);
    b->wce = cached(b);
    drive_wait_init(&b->wait, v->m);
    v->host_features |= vblk_features(b);
    v->config_len = CONFIG_LEN;
    virtio_add_queues(v, b->num_queues, b->queue_size);
    b->ws = workers_new(v, &work_ops, THREADS, io);
    return 0;
}

static void vblk_fini(struct virtio *v)
{
    struct vblk *b = (struct vblk *)v;

    drive_wait_cancel(&b->wait, true);
    workers_free(b->ws);
    free(b->waiting.data);
    drive_wait_fini(&b->wait);
    dev_drop_drive(b->drive);
}

const struct virtio_type virtio_blk = {
    .name = "blk",
    .help = "disk",
    .class = DEV_STORAGE,
    .id = 2,
    .legacy_pci_id = 0x1001,
    .pci_class = 0x010000,
    .size = sizeof(struct vblk),
    .props = vblk_props,
    .state = vblk_state,
    .state_version = 2,
    .init = vblk_init,
    .fini = vblk_fini,
    .reset = vblk_reset,
    .kick = vblk_kick,
    .status = vblk_status,
    .config = vblk_config,
    .config_written = vblk_config_written,
    .queue_reset = vblk_queue_reset,
    .saving = vblk_saving,
    .saved = vblk_saved,
    .loaded = vblk_loaded,
};
