/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img rebase: another backing file; what differs from the old one is copied up. */
#include "app/img/img.h"

#include "base/bytes.h"
#include "block/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 1 << 20, ZERO_PIECE = 1 << 30 };

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

struct rebase {
    struct img_args a;
    const char *file, *format; /* -b -F */
    bool unsafe;
    struct blk *top, *old, *new; /* old: borrowed; both may be NULL */
    char *buf[2];                /* PIECE bytes of old and new */
};

/* Bytes of [off, off+len) that @b has; the rest, and all of NULL, reads as zeros. */
static uint64_t within(const struct blk *b, uint64_t off, uint64_t len)
{
    uint64_t size = b ? blk_size(b) : 0;

    return off < size ? min_u64(len, size - off) : 0;
}

/* Does the chain from @b on read as zeros from @off on?  *@len becomes how far that is known. */
static int zero_at(struct blk *b, uint64_t off, uint64_t *len, bool *zero, struct err *e)
{
    uint64_t have = within(b, off, *len);
    struct blk_status s;

    *zero = true;
    if (!have)
        return 0;
    int r = blk_status_above(b, NULL, off, have, &s, e);

    *len = min_u64(have, s.len);
    *zero = s.zero;
    return r;
}

static int read_at(struct blk *b, uint64_t off, uint64_t len, bool zero, char *buf, struct err *e)
{
    uint64_t have = zero ? 0 : within(b, off, len);

    memset(buf + have, 0, len - have);
    return have ? blk_read(b, off, have, buf, e) : 0;
}

/* Bytes from @at of the buffers to the next cluster of the top, and do they differ? */
static bool differs(const struct rebase *w, uint64_t off, uint64_t at, uint64_t len, uint64_t *n)
{
    uint64_t unit = w->top->cluster ? min_u64(w->top->cluster, PIECE) : 512;

    *n = min_u64(unit - (off + at) % unit, len - at);
    return memcmp(w->buf[0] + at, w->buf[1] + at, *n) != 0;
}

/* Clusters of [off, off+len) that differ get the old contents. */
static int keep_old(struct rebase *w, uint64_t off, uint64_t len, struct err *e)
{
    uint64_t n, start;
    int r;

    for (uint64_t at = 0; at < len;) {
        for (start = at; at < len && differs(w, off, at, len, &n);)
            at += n;
        if (at == start) {
            at += n;
            continue;
        }
        if (bytes_zero(w->buf[0] + start, at - start))
            r = blk_zero(w->top, off + start, at - start, BLK_REQ_UNMAP, e);
        else
            r = blk_write(w->top, off + start, at - start, w->buf[0] + start, 0, e);
        if (r < 0)
            return r;
    }
    return 0;
}

/* One stretch that the top does not decide; *@len becomes how much of it was dealt with. */
static int rebase_hole(struct rebase *w, uint64_t off, uint64_t *len, struct err *e)
{
    bool old_zero, new_zero;
    int r;

    if ((r = zero_at(w->old, off, len, &old_zero, e)) < 0 ||
        (r = zero_at(w->new, off, len, &new_zero, e)) < 0)
        return r;
    if (old_zero && new_zero)
        return 0;
    *len = min_u64(*len, PIECE);
    if ((r = read_at(w->old, off, *len, old_zero, w->buf[0], e)) < 0 ||
        (r = read_at(w->new, off, *len, new_zero, w->buf[1], e)) < 0)
        return r;
    return keep_old(w, off, *len, e);
}

static int copy_up(struct rebase *w, struct err *e)
{
    uint64_t size = blk_size(w->top), len;
    struct blk_status s;
    int r;

    for (uint64_t off = 0; off < size; off += len) {
        if ((r = blk_status(w->top, off, min_u64(size - off, ZERO_PIECE), &s, e)) < 0)
            return err_wrap(e, r, "error while reading image metadata");
        len = s.len;
        if (!s.allocated && (r = rebase_hole(w, off, &len, e)) < 0)
            return err_wrap(e, r, "error while copying at offset %" PRIu64, off);
        img_progress(off + len, size);
    }
    return blk_flush(w->top, e);
}

static int open_new(struct rebase *w)
{
    struct img_args as = {.env = w->a.env, .share = w->a.share};
    unsigned flags = BLK_PROBE_RAW_OK | (as.share ? BLK_SHARE : 0);
    struct err e = {0};
    char *name;

    if (!w->file || !*w->file)
        return 0;
    if (w->a.src_cache && storage_cache_flags(w->a.src_cache, &flags, &e) < 0)
        return img_error("Invalid source cache option: %s", w->a.src_cache);
    name = blk_relative_name(blk_place(w->top), w->file);
    struct json_object *o = json_object_new_object();

    if (w->format)
        json_object_object_add(o, "driver", json_object_new_string(w->format));
    w->new = blk_open(w->a.env, name, o, flags, &e);
    free(name);
    return w->new ? 0 : img_error("Could not open new backing file '%s': %s", w->file, e.msg);
}

static int change(struct rebase *w)
{
    const char *file = w->file ? w->file : "";
    struct err e = {0};

    if (!w->top->drv->change_backing)
        return img_error("Could not change the backing file to '%s': Operation not supported",
                         file);
    if (*file && !w->format)
        return img_error(
            "Could not change the backing file to '%s': backing format must be specified", file);
    if (blk_change_backing(w->top, *file ? file : NULL, *file ? w->format : NULL, &e) >= 0)
        return 0;
    if (e.code == -ENOSPC)
        return img_error("Could not change the backing file to '%s': No space left in the file "
                         "header",
                         file);
    return img_error("Could not change the backing file to '%s': %s", file, e.msg);
}

static int rebase(struct rebase *w)
{
    struct err e = {0};
    int r;

    w->old = blk_backing(w->top);
    if (!w->unsafe) {
        if (open_new(w))
            return 1;
        /* What change() would refuse is known before anything is copied. */
        if (!w->top->drv->change_backing || (w->file && *w->file && !w->format))
            return change(w);
        img_progress_begin(&w->a);
        if (posix_memalign((void **)&w->buf[0], 4096, 2 * (size_t)PIECE))
            fatal("out of memory");
        w->buf[1] = w->buf[0] + PIECE;
        r = copy_up(w, &e);
        free(w->buf[0]);
        if (r < 0)
            return storage_fail(&e);
    }
    if (change(w))
        return 1;
    img_progress_end();
    return 0;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct rebase w = {.a = {.env = env}};
    int key;

    while ((key = img_next(&w.a, argc, argv, ":hf:F:b:upt:T:qU", longs)) != IMG_END) {
        switch (key) {
        case IMG_BAD: return 1;
        case 'b': w.file = optarg; break;
        case 'F': w.format = optarg; break;
        case 'u': w.unsafe = true; break;
        }
    }
    if (optind != argc - 1)
        return img_usage("Expecting one image file name");
    if (!w.unsafe && !w.file)
        return img_usage("Must specify backing file (-b) or use unsafe mode (-u)");
    /* -U: the image itself is written, so it cannot be shared; backing files can. */
    struct img_args top = w.a;

    top.share = false;
    w.top = img_open(&top, argv[optind], w.a.format, w.a.cache,
                     BLK_RDWR | (w.unsafe ? BLK_NO_BACKING : 0));
    if (!w.top)
        return 1;
    int status = w.format && !blk_driver_find(w.format)
                     ? img_error("Invalid format name: '%s'", w.format)
                     : rebase(&w);

    blk_close(w.new, ERR_IGNORE);
    return img_close(w.top, status);
}

const struct img_command img_rebase = {
    .name = "rebase",
    .usage = "[--object objectdef] [--image-opts] [-U] [-q] [-f fmt] [-t cache] [-T src_cache] "
             "[-p] [-u] -b backing_file [-F backing_fmt] filename",
    .run = run,
};
