/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Operations on whole images: making, changing, checking, describing, snapshots. */
#include "block/core.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

/* Making --------------------------------------------------------------------------------------- */

void blk_random(void *buf, size_t len)
{
    for (char *p = buf; len;) {
        ssize_t n = getrandom(p, len, 0);

        if (n < 0 && errno != EINTR)
            fatal("the host gives no random numbers: %s", strerror(errno));
        p += n < 0 ? 0 : n;
        len -= n < 0 ? 0 : (size_t)n;
    }
}

void blk_new_uuid(uint8_t uuid[16])
{
    blk_random(uuid, 16);
    uuid[6] = (uuid[6] & 0x0f) | 0x40; /* version 4 */
    uuid[8] = (uuid[8] & 0x3f) | 0x80; /* variant 1 */
}

/* A protocol that makes no files: what is there already, if it is large enough, and looks like nothing. */
static struct blk *use_existing(struct blk_env *env, const struct blk_driver *drv,
                                const char *filename, uint64_t size, struct err *e)
{
    struct json_object *opts = json_object_new_object();
    struct blk *b;

    json_object_object_add(opts, "driver", json_object_new_string(drv->name));
    if (!(b = blk_open(env, filename, opts, BLK_RDWR | BLK_RESIZE | BLK_UNMAP, e))) {
        err_wrap(e, e->code,
                 "Protocol driver '%s' does not support image creation, and opening the image failed",
                 drv->name);
        return NULL;
    }
    if ((blk_size(b) < size && blk_truncate(b, size, BLK_PREALLOC_OFF, 0, e) < 0) ||
        blk_zero(b, 0, min_u64(blk_size(b), 512), 0, e) < 0) {
        blk_close(b, ERR_IGNORE);
        return NULL;
    }
    return b;
}

struct blk *blk_create_file(struct blk_env *env, const char *filename, uint64_t size,
                            struct json_object *protocol, struct err *e)
{
    const struct blk_driver *drv = blk_protocol_of(filename, e);
    struct json_object *opts = NULL;
    char text[32];

    if (!drv)
        return NULL;
    if (!drv->create)
        return use_existing(env, drv, filename, size, e);
    if (protocol)
        json_object_deep_copy(protocol, &opts, NULL);
    else
        opts = json_object_new_object();
    snprintf(text, sizeof(text), "%" PRIu64, size);
    json_object_object_add(opts, "size", json_object_new_string(text));
    if (blk_create(env, drv->name, filename, opts, e) < 0)
        return NULL;
    opts = json_object_new_object();
    json_object_object_add(opts, "driver", json_object_new_string(drv->name));
    return blk_open(env, filename, opts, BLK_RDWR | BLK_RESIZE | BLK_UNMAP, e);
}

int blk_create(struct blk_env *env, const char *driver, const char *filename,
               struct json_object *opts, struct err *e)
{
    const struct blk_driver *drv = blk_driver_find(driver);
    const struct blk_create_ops *c = drv ? drv->create : NULL;
    int r;

    if (!c) {
        json_object_put(opts);
        return drv ? err_set(e, -ENOTSUP, "Format driver '%s' does not support image creation",
                             driver)
                   : err_set(e, -EINVAL, "Unknown file format '%s'", driver);
    }
    void *o = calloc(1, c->opts_size);

    if (!o)
        fatal("out of memory");
    r = fields_take(c->opts, opts, o, e);
    if (r >= 0) {
        bool rest = json_object_object_length(opts) > 0;

        r = rest && drv->kind == BLK_PROTOCOL ? fields_refuse_rest(opts, e)
                                              : c->create(env, filename, o, rest ? opts : NULL, e);
        fields_free(c->opts, o);
    }
    free(o);
    json_object_put(opts);
    return r;
}

int blk_amend(struct blk *b, struct json_object *opts, bool force, blk_progress *progress,
              void *opaque, struct err *e)
{
    const struct blk_create_ops *c = b->drv->create;
    struct blk_range range;
    int r;

    if (!c || !c->amend) {
        json_object_put(opts);
        return err_set(e, -ENOTSUP, "Format driver '%s' does not support option amendment",
                       b->drv->name);
    }
    blk_exclusive_begin(b, &range);
    r = c->amend(b, opts, force, progress, opaque, e);
    blk_exclusive_end(b, &range);
    json_object_put(opts);
    return r;
}

int blk_measure(struct blk_env *env, const char *driver, struct json_object *opts, struct blk *src,
                uint64_t size, struct blk_measure *m, struct err *e)
{
    const struct blk_driver *drv = blk_driver_find(driver);
    const struct blk_create_ops *c = drv ? drv->create : NULL;
    struct json_object *copy = NULL;
    int r;

    if (!drv)
        return err_set(e, -EINVAL, "Unknown file format '%s'", driver);
    if (!c || !c->measure)
        return err_set(e, -ENOTSUP, "Block driver '%s' does not support size measurement", driver);
    void *o = calloc(1, c->opts_size);

    if (!o)
        fatal("out of memory");
    if (opts)
        json_object_deep_copy(opts, &copy, NULL);
    memset(m, 0, sizeof(*m));
    r = fields_take(c->opts, copy, o, e);
    if (r >= 0) {
        r = fields_refuse_rest(copy, e);
        if (r >= 0)
            r = c->measure(env, o, src, size, m, e);
        fields_free(c->opts, o);
    }
    free(o);
    json_object_put(copy);
    return r;
}

/* Describing ------------------------------------------------------------------------------------- */

int blk_get_info(struct blk *b, struct blk_info *i, struct err *e)
{
    memset(i, 0, sizeof(*i));
    i->cluster_size = b->cluster;
    i->has_dirty = b->drv->info || !(b->file ? b->file->drv : b->drv)->no_info;
    if (b->backing_file)
        i->backing_file = strdup(b->backing_file);
    if (b->backing_format)
        i->backing_format = strdup(b->backing_format);
    return b->drv->info ? b->drv->info(b, i, e) : 0;
}

void blk_info_free(struct blk_info *i)
{
    free(i->backing_file);
    free(i->backing_format);
    json_object_put(i->specific);
    memset(i, 0, sizeof(*i));
}

int64_t blk_disk_size(struct blk *b)
{
    if (b->drv->disk_size)
        return b->drv->disk_size(b);
    if (b->drv->io && b->drv->io->disk_size)
        return b->drv->io->disk_size(b);
    return b->file ? blk_disk_size(b->file) : -ENOTSUP;
}

/* Checking and changing: nothing else runs meanwhile -------------------------------------------- */

int blk_check(struct blk *b, struct blk_check *c, unsigned fix, struct err *e)
{
    struct blk_range range;
    int r;

    if (!b->drv->check)
        return err_set(e, -ENOTSUP, "This image format does not support checks");
    blk_exclusive_begin(b, &range);
    r = b->drv->check(b, c, fix, e);
    blk_exclusive_end(b, &range);
    return r;
}

void blk_check_say(struct blk_check *c, const char *fmt, ...)
{
    char text[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    c->line(c->opaque, text);
}

int blk_change_backing(struct blk *b, const char *file, const char *format, struct err *e)
{
    struct blk_range range;
    int r;

    if (!b->drv->change_backing)
        return err_set(e, -ENOTSUP, "Format driver '%s' does not support changing the backing file",
                       b->drv->name);
    blk_exclusive_begin(b, &range);
    r = b->drv->change_backing(b, file, format, e);
    blk_exclusive_end(b, &range);
    return r;
}

int blk_make_empty(struct blk *b, struct err *e)
{
    struct blk_range range;
    int r;

    if (!b->drv->make_empty)
        return err_set(e, -ENOTSUP, "Format driver '%s' cannot be emptied", b->drv->name);
    blk_exclusive_begin(b, &range);
    r = b->drv->make_empty(b, e);
    blk_exclusive_end(b, &range);
    return r;
}

/* Snapshots ---------------------------------------------------------------------------------------- */

/* Filters have the snapshots of what lies below. */
static struct blk *below_filters(struct blk *b)
{
    while (b->drv->kind == BLK_FILTER && b->file)
        b = b->file;
    return b;
}

/* The image below may have another size now. */
static void take_size(struct blk *b)
{
    if (b->drv->kind != BLK_FILTER || !b->file)
        return;
    take_size(b->file);
    __atomic_store_n(&b->size, blk_size(b->file), __ATOMIC_RELAXED);
}

static const struct blk_snapshot_ops *snapshots_of(struct blk *b, struct err *e)
{
    if (!b->drv->snapshots)
        err_set(e, -ENOTSUP, "Operation not supported");
    return b->drv->snapshots;
}

int blk_snapshot_list(struct blk *b, struct blk_snapshot **list, struct err *e)
{
    const struct blk_snapshot_ops *s = snapshots_of(b = below_filters(b), e);

    return s ? s->list(b, list, e) : e->code;
}

/* A snapshot operation that changes the image: nothing else runs, and all is written before. */
static int snapshot_begin(struct blk *b, struct blk_range *range, struct err *e)
{
    int r;

    if (!snapshots_of(b, e))
        return e->code;
    if ((r = blk_flush(b, e)) < 0)
        return r;
    blk_exclusive_begin(b, range);
    return 0;
}

int blk_snapshot_create(struct blk *b, const struct blk_snapshot *s, struct err *e)
{
    struct blk_range range;
    int r = snapshot_begin(b = below_filters(b), &range, e);

    if (r < 0)
        return r;
    r = b->drv->snapshots->create(b, s, e);
    blk_exclusive_end(b, &range);
    return r;
}

int blk_snapshot_apply(struct blk *b, const char *id_or_name, struct err *e)
{
    struct blk_range range;
    struct blk *image = below_filters(b);
    int r = snapshot_begin(image, &range, e);

    if (r < 0)
        return r;
    r = image->drv->snapshots->apply(image, id_or_name, e);
    blk_exclusive_end(image, &range);
    take_size(b);
    return r;
}

int blk_snapshot_delete(struct blk *b, const char *id, const char *name, struct err *e)
{
    struct blk_range range;
    int r = snapshot_begin(b = below_filters(b), &range, e);

    if (r < 0)
        return r;
    r = b->drv->snapshots->remove(b, id, name, e);
    blk_exclusive_end(b, &range);
    return r;
}

int blk_snapshot_load(struct blk *b, const char *id_or_name, struct err *e)
{
    struct blk_range range;
    struct blk *image = below_filters(b);
    int r = snapshot_begin(image, &range, e);

    if (r < 0)
        return r;
    r = image->drv->snapshots->load(image, id_or_name, e);
    blk_exclusive_end(image, &range);
    take_size(b);
    return r;
}

int blk_vmstate_read(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e)
{
    const struct blk_snapshot_ops *s = snapshots_of(b = below_filters(b), e);

    return s ? s->vmstate_read(b, off, len, buf, e) : e->code;
}

int blk_vmstate_write(struct blk *b, uint64_t off, uint64_t len, const void *buf, struct err *e)
{
    const struct blk_snapshot_ops *s = snapshots_of(b = below_filters(b), e);

    return s ? s->vmstate_write(b, off, len, buf, e) : e->code;
}
