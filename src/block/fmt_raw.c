/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -f raw: the bytes as they are; offset= and size= show a window of them. */
#include "block/core.h"

#include <inttypes.h>
#include <stdlib.h>

extern const struct blk_driver fmt_raw;

enum { SECTOR = 512 };

struct raw_opts {
    uint64_t offset, size;
};

struct raw {
    uint64_t offset;
    bool window; /* size= was given: the disk cannot grow past it */
};

static const struct field raw_open_fields[] = {
    FIELD(raw_opts, offset, F_SIZE, "offset", NULL, "where the disk begins in the file"),
    FIELD(raw_opts, size, F_SIZE, "size", NULL, "size of the disk"),
    FIELD_END,
};

static int raw_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct raw *s = b->state;
    struct raw_opts o;
    bool window = field_given(opts, "size");
    uint64_t file = blk_size_now(b->file), end;
    int r = fields_take(raw_open_fields, opts, &o, e);

    if (r < 0)
        return r;
    if (o.offset > file)
        return err_set(e, -EINVAL,
                       "Offset (%" PRIu64 ") cannot be greater than size of the "
                       "containing file (%" PRIu64 ")",
                       o.offset, file);
    if (window && (!add_u64(o.offset, o.size, &end) || end > file))
        return err_set(e, -EINVAL,
                       "The sum of offset (%" PRIu64 ") and size (%" PRIu64
                       ") has to be smaller or equal to the actual size of the containing file "
                       "(%" PRIu64 ")",
                       o.offset, o.size, file);
    s->offset = o.offset;
    s->window = window || o.offset;
    /* A file that ends within a sector is a disk whose last sector ends in zeros. */
    b->size = window ? o.size : round_up(file - o.offset, SECTOR);
    return 0;
}

static int raw_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    const struct raw *s = b->state;
    uint64_t len = 0;

    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    return node_readv(b->file, s->offset + off, len, iov, n, e);
}

static int raw_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                      struct err *e)
{
    const struct raw *s = b->state;
    uint64_t len = 0;

    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    return node_writev(b->file, s->offset + off, len, iov, n, req, e);
}

/* Bytes of [off, off+len) of the disk that the file has: the last sector may be longer than it. */
static uint64_t within(const struct blk *b, uint64_t off, uint64_t len)
{
    uint64_t start = ((struct raw *)b->state)->offset + off, end = blk_size_now(b->file);

    return start < end ? min_u64(len, end - start) : 0;
}

static int raw_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    return blk_zero(b->file, ((struct raw *)b->state)->offset + off, within(b, off, len), req, e);
}

static int raw_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    return blk_discard(b->file, ((struct raw *)b->state)->offset + off, within(b, off, len), e);
}

static int raw_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s,
                      struct err *e)
{
    uint64_t start = ((struct raw *)b->state)->offset + off, have = within(b, off, len);

    if (have)
        return blk_status(b->file, start, have, s, e);
    *s = (struct blk_status){.len = len,
                             .allocated = true,
                             .zero = true,
                             .has_host = true,
                             .host = start,
                             .file = b->file};
    return 0;
}

static int raw_copy_range(struct blk *src, uint64_t src_off, struct blk *dst, uint64_t dst_off,
                          uint64_t len, unsigned req, struct err *e)
{
    if (dst->drv != &fmt_raw || within(src, src_off, len) < len)
        return err_set(e, -ENOTSUP, "%s has no copy offloading", dst->drv->name);
    return blk_copy_range(src->file, ((struct raw *)src->state)->offset + src_off, dst->file,
                          ((struct raw *)dst->state)->offset + dst_off, len, req, e);
}

static int raw_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                        struct err *e)
{
    int r;

    if (((struct raw *)b->state)->window)
        return err_set(e, -ENOTSUP, "Cannot resize fixed-size raw disks");
    if ((r = blk_truncate(b->file, size, prealloc, req, e)) >= 0)
        __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    return r;
}

/* The disk is its file: only that can say more. */
static int raw_info(struct blk *b, struct blk_info *i, struct err *e)
{
    struct blk_info below;
    int r = blk_get_info(b->file, &below, e);

    if (r >= 0) {
        i->bare = below.bare;
        i->has_dirty = below.has_dirty;
        blk_info_free(&below);
    }
    return r;
}

/* Making ------------------------------------------------------------------------------------------ */

struct raw_create {
    uint64_t size;
};

static const struct field raw_create_fields[] = {
    FIELD(raw_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD_END,
};

static int raw_create(struct blk_env *env, const char *filename, void *opts,
                      struct json_object *protocol, struct err *e)
{
    const struct raw_create *o = opts;
    struct blk *file = blk_create_file(env, filename, o->size, protocol, e);

    return file ? blk_close(file, e) : e->code;
}

static int raw_measure(struct blk_env *env, const void *opts, struct blk *src, uint64_t size,
                       struct blk_measure *m, struct err *e)
{
    m->required = m->fully_allocated = src ? blk_size(src) : size;
    return 0;
}

static int raw_probe(const uint8_t *head, size_t len, const char *filename)
{
    return 1; /* anything, when nothing else fits */
}

static const struct blk_io_ops raw_io = {
    .readv = raw_readv,
    .writev = raw_writev,
    .zero = raw_zero,
    .discard = raw_discard,
    .status = raw_status,
    .copy_range = raw_copy_range,
};

static const struct blk_create_ops raw_create_ops = {
    .opts = raw_create_fields,
    .opts_size = sizeof(struct raw_create),
    .create = raw_create,
    .measure = raw_measure,
};

const struct blk_driver fmt_raw = {
    .name = "raw",
    .help = "the bytes as they are",
    .kind = BLK_FORMAT,
    .state_size = sizeof(struct raw),
    .open_opts = raw_open_fields,
    .probe = raw_probe,
    .open = raw_open,
    .truncate = raw_truncate,
    .info = raw_info,
    .io = &raw_io,
    .create = &raw_create_ops,
};
