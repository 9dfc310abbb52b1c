/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-img commit: write what an image has changed into one of its backing files.
 *
 * The chain is opened twice: once to see what its layers are, then from below, with the layer that
 * is written open for writing, and each one above laid on the one below.
 */
#include "app/img/img.h"

#include "base/bytes.h"
#include "block/driver.h"
#include "schema/keyval.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { PIECE = 1 << 20, ZERO_PIECE = 1 << 30, LAYERS_MAX = 512 };

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {NULL, 0, NULL, 0},
};

/* struct layer - what has to be known to open a node of the chain again. */
struct layer {
    char *name;
    const char *driver;
};

struct commit {
    struct img_args a;
    const char *name, *base_name; /* the image; -b, or NULL */
    bool keep;                    /* -d: the image is not emptied afterwards */
    unsigned flags;               /* cache mode of what is written */
    struct img_rate rate;
    struct layer layers[LAYERS_MAX]; /* between the top (excluded) and the base (included) */
    int n;
    struct blk *top, *base;
};

/* The chain ------------------------------------------------------------------------------------ */

static bool is_named(const struct blk *above, const struct blk *b, const char *name)
{
    char *want, *have;
    bool same = !strcmp(blk_filename(b), name) ||
                (above->backing_file && !strcmp(above->backing_file, name));

    if (same)
        return true;
    want = realpath(name, NULL);
    have = realpath(blk_filename(b), NULL);
    same = want && have && !strcmp(want, have);
    free(want);
    free(have);
    return same;
}

/* The layers down to the base, of a chain that was opened only to look. */
static int list_layers(struct commit *c, const struct blk *top)
{
    const struct blk *above = top, *b = blk_backing(top);

    if (!b && !c->base_name)
        return img_error("Image does not have a backing file");
    for (; b && c->n < LAYERS_MAX; above = b, b = blk_backing(b)) {
        c->layers[c->n++] = (struct layer){strdup(blk_filename(b)), blk_driver_name(b)};
        if (!c->base_name || is_named(above, b, c->base_name))
            return 0;
    }
    return img_error("Did not find '%s' in the backing chain of '%s'", c->base_name, c->name);
}

/* @name with its backing file being the open node @below, which is closed in any case. */
static struct blk *open_on(struct commit *c, const char *name, bool image_opts, const char *driver,
                           struct blk *below, unsigned flags)
{
    struct err e = {0};
    struct json_object *o = image_opts ? keyval_parse(name, NULL, &e) : json_object_new_object();
    struct blk *b = NULL;

    if (o && driver)
        json_object_object_add(o, "driver", json_object_new_string(driver));
    if (o && below)
        json_object_object_add(o, "backing", json_object_new_string(below->node_name));
    if (o)
        b = blk_open(c->a.env, image_opts ? NULL : name, o, flags, &e);
    if (!b)
        img_error("Could not open '%s': %s", name, e.msg);
    blk_close(below, ERR_IGNORE); /* the one above holds it */
    return b;
}

static struct blk *open_layer(struct commit *c, int i, struct blk *below, unsigned flags)
{
    struct layer *l = &c->layers[i];
    struct json_object *o = json_object_new_object();
    struct err e = {0};
    char node[32];

    snprintf(node, sizeof(node), "#commit%d", i);
    json_object_object_add(o, "driver", json_object_new_string(l->driver));
    json_object_object_add(o, "node-name", json_object_new_string(node));
    if (below)
        json_object_object_add(o, "backing", json_object_new_string(below->node_name));
    struct blk *b = blk_open(c->a.env, l->name, o, flags | BLK_PROBE_RAW_OK, &e);

    if (!b)
        img_error("Could not open '%s': %s", l->name, e.msg);
    blk_close(below, ERR_IGNORE);
    return b;
}

static int open_chain(struct commit *c)
{
    struct blk *look = img_open(&c->a, c->name, c->a.format, NULL, BLK_RDWR), *b;
    int status = look ? list_layers(c, look) : 1;

    blk_close(look, ERR_IGNORE);
    if (status)
        return 1;
    c->base = open_layer(c, c->n - 1, NULL, c->flags | BLK_RDWR | BLK_RESIZE | BLK_UNMAP);
    if (!(b = c->base))
        return 1;
    blk_ref(c->base);
    for (int i = c->n - 2; b && i >= 0; i--)
        b = open_layer(c, i, b, 0);
    if (b)
        c->top = open_on(c, c->name, c->a.image_opts, c->a.format, b,
                         c->flags | (c->keep ? 0 : BLK_RDWR));
    return c->top ? 0 : 1;
}

/* Copying -------------------------------------------------------------------------------------- */

static int copy_piece(struct commit *c, uint64_t off, const struct blk_status *s, char *buf,
                      uint64_t *len, struct err *e)
{
    int r;

    *len = s->len;
    if (!s->allocated)
        return 0;
    if (s->zero)
        return blk_zero(c->base, off, s->len, BLK_REQ_UNMAP, e);
    *len = min_u64(s->len, PIECE);
    img_rate_wait(&c->rate, *len);
    r = blk_read(c->top, off, *len, buf, e);
    return r < 0 ? r : blk_write(c->base, off, *len, buf, 0, e);
}

static int copy_down(struct commit *c, struct err *e)
{
    uint64_t size = blk_size(c->top), len = 0;
    struct blk_status s;
    char *buf = NULL;
    int r = 0;

    if (size > blk_size(c->base) &&
        (r = blk_truncate(c->base, size, BLK_PREALLOC_OFF, BLK_REQ_ZERO, e)) < 0)
        return r;
    if (posix_memalign((void **)&buf, 4096, PIECE))
        fatal("out of memory");
    for (uint64_t off = 0; off < size && r >= 0; off += len) {
        r = blk_status_above(c->top, c->base, off, min_u64(size - off, ZERO_PIECE), &s, e);
        if (r >= 0)
            r = copy_piece(c, off, &s, buf, &len, e);
        img_progress(off + len, size);
    }
    free(buf);
    return r < 0 ? r : blk_flush(c->base, e);
}

static int commit(struct commit *c)
{
    struct err e = {0};

    if (copy_down(c, &e) < 0)
        return storage_fail(&e);
    /* Only now is everything in the base, on the disk. */
    if (!c->keep && blk_make_empty(c->top, &e) < 0)
        return img_error("Could not empty %s: %s", c->name, e.msg);
    img_progress_end();
    if (!c->a.quiet)
        printf("Image committed.\n");
    return 0;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct commit c = {.a = {.env = env}};
    uint64_t per_second = 0;
    struct err e = {0};
    int key;

    while ((key = img_next(&c.a, argc, argv, ":f:ht:b:dpqr:", longs)) != IMG_END) {
        switch (key) {
        case IMG_BAD: return 1;
        case 'b':
            c.base_name = optarg;
            c.keep = true;
            break; /* layers between would be wrong */
        case 'd': c.keep = true; break;
        case 'r':
            if (img_size(optarg, "rate limit", &per_second))
                return 1;
        }
    }
    if (optind != argc - 1)
        return img_usage("Expecting one image file name");
    c.name = argv[optind];
    if (c.a.cache && storage_cache_flags(c.a.cache, &c.flags, &e) < 0)
        return img_error("Invalid cache option: %s", c.a.cache);
    int status = open_chain(&c);

    if (!status) {
        img_progress_begin(&c.a);
        img_rate_begin(&c.rate, per_second);
        status = commit(&c);
    }
    status = img_close(c.base, img_close(c.top, status));
    for (int i = 0; i < c.n; i++)
        free(c.layers[i].name);
    return status;
}

const struct img_command img_commit = {
    .name = "commit",
    .usage = "[--object objectdef] [--image-opts] [-q] [-f fmt] [-t cache] [-b base] "
             "[-r rate_limit] [-d] [-p] filename",
    .run = run,
};
