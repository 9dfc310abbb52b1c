/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=preallocate: when a write goes past the end of the file below, the file is made longer than that, in one piece, so
 * that images which grow do not ask the host for space cluster by cluster.  It is cut to its size again when it is closed;
 * if that does not happen, there are zeros behind what was written.
 */
#include "block/core.h"
#include "block/filter.h"

#include <inttypes.h>
#include <string.h>

struct preallocate {
    uint64_t size, align;
    pthread_mutex_t lock; /* of growing and cutting */
    uint64_t end;         /* [atomic; written under lock] the file's, at least b->size; between them nothing was written */
};

static const struct field preallocate_fields[] = {
    FIELD(preallocate, align, F_SIZE, "prealloc-align", "1M", "the file's length is a multiple of it, when it grows"),
    FIELD(preallocate, size, F_SIZE, "prealloc-size", "128M", "how much is allocated in advance"),
    FIELD_END,
};

static int preallocate_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct preallocate *p = b->state;
    int r = fields_take(preallocate_fields, opts, p, e);

    if (r < 0)
        return r;
    if (p->align % 512)
        return err_set(e, -EINVAL, "prealloc-align parameter of preallocate filter is not aligned to 512");
    p->align = p->align ? p->align : 1;
    pthread_mutex_init(&p->lock, NULL);
    filter_open(b);
    p->end = blk_size_now(b);
    return 0;
}

/* Where the file shall end if it is written up to @need; it cannot be longer than the host's offsets. */
static uint64_t wanted_end(const struct preallocate *p, uint64_t need)
{
    if (need > INT64_MAX || p->size > INT64_MAX - need || p->align > INT64_MAX - need - p->size)
        return need;
    return (need + p->size + p->align - 1) / p->align * p->align;
}

static int grow_file(struct blk *b, struct preallocate *p, uint64_t need, struct err *e)
{
    uint64_t want = wanted_end(p, need);
    int r = 0;

    if (want > need && blk_truncate(b->file, want, BLK_PREALLOC_FALLOC, BLK_REQ_ZERO, ERR_IGNORE) >= 0) {
        p->end = want;
        return 0;
    }
    if (blk_size(b->file) < need)
        r = blk_truncate(b->file, need, BLK_PREALLOC_OFF, 0, e); /* there is not so much space: only what is needed */
    p->end = blk_size(b->file);
    return r;
}

/* Before a request that ends at @need: the file is long enough afterwards. */
static int make_room(struct blk *b, uint64_t need, struct err *e)
{
    struct preallocate *p = b->state;
    int r = 0;

    if (need <= blk_size_now(b))
        return 0;
    pthread_mutex_lock(&p->lock);
    if (need > p->end)
        r = grow_file(b, p, need, e);
    if (r >= 0 && need > blk_size_now(b))
        __atomic_store_n(&b->size, need, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int preallocate_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req, struct err *e)
{
    int r = make_room(b, off + filter_iov_len(iov, n), e);

    return r < 0 ? r : blk_writev(b->file, off, iov, n, req, e);
}

static int preallocate_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    int r = make_room(b, off + len, e);

    return r < 0 ? r : blk_zero(b->file, off, len, req, e);
}

static int cut(struct blk *b, struct err *e)
{
    struct preallocate *p = b->state;
    int r = 0;

    if (p->end > blk_size_now(b))
        r = blk_truncate(b->file, blk_size_now(b), BLK_PREALLOC_OFF, 0, e);
    p->end = blk_size(b->file);
    return r;
}

/* A new size that somebody says: the file has exactly that, so what comes after it is zeros whatever @prealloc is. */
static int preallocate_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req, struct err *e)
{
    struct preallocate *p = b->state;
    int r;

    pthread_mutex_lock(&p->lock);
    r = cut(b, e);
    if (r >= 0)
        r = filter_truncate(b, size, prealloc, req, e);
    p->end = blk_size(b->file);
    pthread_mutex_unlock(&p->lock);
    return r;
}

static int preallocate_close(struct blk *b, struct err *e)
{
    struct preallocate *p = b->state;
    int r = cut(b, e);

    pthread_mutex_destroy(&p->lock);
    return r;
}

static const struct blk_io_ops preallocate_io = {
    .readv = filter_readv,
    .writev = preallocate_writev,
    .zero = preallocate_zero,
    .discard = filter_discard,
    .status = filter_status,
};

static const char *const preallocate_how[] = {"prealloc-align", "prealloc-size", NULL};

const struct blk_driver filter_preallocate = {
    .name = "preallocate",
    .help = "files that grow are given space in advance",
    .kind = BLK_FILTER,
    .state_size = sizeof(struct preallocate),
    .open_opts = preallocate_fields,
    .how = preallocate_how,
    .open = preallocate_open,
    .close = preallocate_close,
    .truncate = preallocate_truncate,
    .info = filter_info,
    .io = &preallocate_io,
};
