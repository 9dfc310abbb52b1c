/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img convert: copy images into another format, together, compressed, or onto a base. */
#include "app/img/copy.h"
#include "app/img/resume.h"

#include "block/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    OPT_TARGET_OPTS = OPT_OWN,
    OPT_TARGET_ZERO,
    OPT_BITMAPS,
    OPT_SKIP_BROKEN,
    OPT_SALVAGE,
    OPT_RESUME
};
static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"target-image-opts", no_argument, NULL, OPT_TARGET_OPTS},
    {"target-is-zero", no_argument, NULL, OPT_TARGET_ZERO},
    {"bitmaps", no_argument, NULL, OPT_BITMAPS},
    {"skip-broken-bitmaps", no_argument, NULL, OPT_SKIP_BROKEN},
    {"salvage", no_argument, NULL, OPT_SALVAGE},
    {"resume", no_argument, NULL, OPT_RESUME},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

enum { SPARSE_MAX = 16 << 20, SPARSE_DEFAULT = 4096 };

/* struct convert - the command line. */
struct convert {
    struct img_args a;
    struct img_new target;
    const char *snapshot;
    bool target_opts, target_is_zero, bitmaps, skip_broken, keep, sparse_given, resume;
    bool compressed, out_of_order, copy_range, salvage;
    uint64_t sparse, rate, workers;
    char **names;
    int names_n;
};

/* The command line ----------------------------------------------------------------------------- */

static int parse_sparse(struct convert *v)
{
    if (img_size(optarg, "buffer size for sparse output", &v->sparse))
        return 1;
    if (v->sparse % 512 || v->sparse > SPARSE_MAX)
        return img_error(
            "Invalid buffer size for sparse output specified. Valid sizes are multiples "
            "of 512 up to %d. Select 0 to disable sparse detection (fully allocates "
            "output).",
            SPARSE_MAX);
    v->sparse_given = true;
    return 0;
}

static int parse_workers(struct convert *v)
{
    char *end;
    unsigned long n = strtoul(optarg, &end, 10);

    if (*end || end == optarg || n < 1 || n > COPY_WORKERS_MAX)
        return img_error("Invalid number of coroutines. Allowed number of coroutines is between 1 "
                         "and %d",
                         COPY_WORKERS_MAX);
    v->workers = n;
    return 0;
}

static int parse_option(struct convert *v, int key)
{
    switch (key) {
    case 'O': v->target.format = optarg; break;
    case 'B': v->target.backing = optarg; break;
    case 'F': v->target.backing_format = optarg; break;
    case 'C': v->copy_range = true; break;
    case 'c': v->compressed = true; break;
    case 'W': v->out_of_order = true; break;
    case 'n': v->keep = true; break;
    case 'l': v->snapshot = optarg; break;
    case 'S': return parse_sparse(v);
    case 'm': return parse_workers(v);
    case 'r': return img_size(optarg, "rate limit", &v->rate);
    case 'o': return img_options(v->target.opts, optarg);
    case OPT_TARGET_OPTS: v->target_opts = true; break;
    case OPT_TARGET_ZERO: v->target_is_zero = true; break;
    case OPT_BITMAPS: v->bitmaps = true; break;
    case OPT_SKIP_BROKEN: v->skip_broken = true; break;
    case OPT_SALVAGE: v->salvage = true; break;
    case OPT_RESUME: v->resume = true; break;
    }
    return 0;
}

static int check_words(const struct convert *v)
{
    if (v->target_opts && !v->keep)
        return img_error("--target-image-opts requires use of -n flag");
    if (v->target_is_zero && !v->keep)
        return img_error("--target-is-zero requires use of -n flag");
    if (v->copy_range && v->compressed)
        return img_error("Cannot enable copy offloading when -c is used");
    if (v->copy_range && v->sparse_given)
        return img_error("Cannot enable copy offloading when -S is used");
    if (v->salvage && v->copy_range)
        return img_error("Cannot use copy offloading in salvaging mode");
    if (v->skip_broken && !v->bitmaps)
        return img_error("Use of --skip-broken-bitmaps requires --bitmaps");
    if (v->keep && json_object_object_length(v->target.opts))
        return img_error("-o has no effect when skipping image creation");
    if (v->names_n < 2)
        return img_error("Must specify image file name");
    if (v->names_n > 2 && v->snapshot)
        return img_error("No support for concatenating multiple snapshot");
    if (v->names_n > 2 && v->bitmaps)
        return img_error("Copying bitmaps only possible with single source");
    if (v->target_is_zero && v->target.backing)
        return img_error("Cannot use --target-is-zero when the destination image has a backing "
                         "file");
    return 0;
}

/* Sources -------------------------------------------------------------------------------------- */

static int open_sources(const struct convert *v, struct img_copy *c)
{
    c->src = calloc((size_t)v->names_n, sizeof(*c->src));
    c->src_start = calloc((size_t)v->names_n, sizeof(*c->src_start));
    if (!c->src || !c->src_start)
        fatal("out of memory");
    for (; c->src_n < v->names_n - 1; c->src_n++) {
        struct blk *b = img_open(&v->a, v->names[c->src_n], v->a.format, v->a.src_cache,
                                 BLK_PROBE_RAW_OK | BLK_EXCLUSIVE);

        if (!b)
            return 1;
        c->src[c->src_n] = b;
        if (v->snapshot && img_load_snapshot(b, v->snapshot)) {
            c->src_n++;
            return 1;
        }
        c->src_start[c->src_n] = c->total;
        if (!add_u64(c->total, blk_size(b), &c->total) || c->total > INT64_MAX)
            return img_error("the sources together are too large");
    }
    return 0;
}

static int close_all(struct img_copy *c, int status)
{
    status = img_close(c->dst, status);

    for (int i = 0; i < c->src_n; i++)
        blk_close(c->src[i], ERR_IGNORE);
    free(c->src);
    free(c->src_start);
    return status;
}

/* Targets -------------------------------------------------------------------------------------- */

/* -o backing_file=... and -B are the same thing; both need a format. */
static int check_backing(struct convert *v)
{
    const char *file = keyval_string(v->target.opts, "backing_file");
    const char *format = keyval_string(v->target.opts, "backing_fmt");

    if (!v->target.backing && !file)
        return 0;
    if (v->names_n > 2)
        return img_error("Having a backing file for the target makes no sense when concatenating "
                         "multiple input images");
    if (!v->keep && !v->target.backing_format && !format)
        return img_error("Use of backing file requires explicit backing format");
    return 0;
}

static int check_target(struct convert *v)
{
    const struct blk_driver *drv = blk_driver_find(v->target.format);
    const char *prealloc = keyval_string(v->target.opts, "preallocation");
    struct err e = {0};

    if (!drv && !v->target_opts) {
        const char *near = blk_driver_near(v->target.format);

        return img_error("Unknown file format '%s'%s%s%s", v->target.format,
                         near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    }
    if (!v->keep && img_check_new(&v->target, &e) < 0)
        return storage_fail(&e);
    if (check_backing(v))
        return 1;
    if (v->compressed && drv && (!drv->map || !drv->map->compress))
        return img_error("Compression not supported for this file format");
    if (v->compressed && prealloc && strcmp(prealloc, "off"))
        return img_error("Compression and preallocation not supported at the same time");
    return 0;
}

static int create_target(struct convert *v, const struct img_copy *c)
{
    struct img_new *n = &v->target;
    struct err e = {0};

    n->quiet = true;
    n->unchecked = true;                     /* opening it below tells */
    json_object_object_del(n->opts, "size"); /* as the reference: what is copied has a size */
    n->size = c->total;
    n->have_size = true;
    if (img_make(v->a.env, n, &e) < 0)
        return img_error("%s: error while converting %s: %s", n->filename, n->format, e.msg);
    return 0;
}

static bool reads_zero_when_new(const struct blk *b)
{
    if (b->drv->kind != BLK_PROTOCOL)
        return b->drv->map || (b->file && reads_zero_when_new(b->file));
    return strcmp(b->drv->name, "host_device") != 0;
}

/* The node of the source's chain that is the file that the target lies on, or NULL. */
static struct blk *common_base(struct blk *src, const struct blk *dst)
{
    struct blk *below = blk_backing(dst);
    char *want = below ? realpath(blk_filename(below), NULL) : NULL;
    struct blk *found = NULL;

    for (struct blk *b = want ? blk_backing(src) : NULL; b && !found; b = blk_backing(b)) {
        char *have = realpath(blk_filename(b), NULL);

        if (have && !strcmp(have, want))
            found = b;
        free(have);
    }
    free(want);
    return found;
}

static int open_target(struct convert *v, struct img_copy *c)
{
    struct img_args as = {.env = v->a.env, .image_opts = v->target_opts};
    unsigned flags = BLK_RDWR | (v->sparse ? BLK_UNMAP : 0) | BLK_PROBE_RAW_OK;
    const char *cache = v->a.cache ? v->a.cache : v->resume ? "writeback" : "unsafe";

    c->dst =
        img_open(&as, v->target.filename, v->target_opts ? NULL : v->target.format, cache, flags);
    if (!c->dst)
        return 1;
    if (v->compressed && (!c->dst->drv->map || !c->dst->drv->map->compress))
        return img_error("Compression not supported for this file format");
    if (blk_size(c->dst) < c->total && v->keep)
        return img_error("output file is smaller than input file");
    c->dst_backing = blk_backing(c->dst) && (v->target.backing || !v->keep);
    c->base = c->dst_backing ? common_base(c->src[0], c->dst) : NULL;
    c->zero_init = v->target_is_zero || (!v->keep && reads_zero_when_new(c->dst));
    if (blk_backing(c->dst) && !c->dst_backing)
        c->zero_init = false;
    return 0;
}

/* Bitmaps -------------------------------------------------------------------------------------- */

static int copy_bitmap(struct img_copy *c, const struct blk_bitmap *m)
{
    struct err e = {0};

    if (blk_bitmap_add(c->dst, m->name, m->granularity, false, &e) < 0 ||
        blk_bitmap_merge(c->dst, m->name, c->src[0], m->name, &e) < 0 ||
        (m->enabled && blk_bitmap_enable(c->dst, m->name, true, &e) < 0))
        return img_error("Failed to populate bitmap %s: %s", m->name, e.msg);
    return 0;
}

static int copy_bitmaps(const struct convert *v, struct img_copy *c)
{
    struct blk_bitmap *list = NULL;
    struct err e = {0};
    int n = blk_bitmap_list(c->src[0], &list, &e), status = n < 0 ? storage_fail(&e) : 0;

    for (int i = 0; i < n && !status; i++) {
        if (list[i].inconsistent && v->skip_broken)
            img_error("warning: Skipping inconsistent bitmap '%s'", list[i].name);
        else if (list[i].inconsistent)
            status = img_error("Cannot copy inconsistent bitmap '%s'\n"
                               "Try --skip-broken-bitmaps, or use 'qemu-img bitmap --remove'",
                               list[i].name);
        else
            status = copy_bitmap(c, &list[i]);
    }
    free(list);
    return status;
}

/* All together --------------------------------------------------------------------------------- */

static int convert(struct convert *v, struct img_copy *c)
{
    struct img_resume *resume = NULL;
    int status = open_sources(v, c) || check_target(v);

    if (status)
        return 1;
    if (v->bitmaps && !c->src[0]->drv->bitmaps)
        return img_error("Source lacks bitmap support");
    if (v->bitmaps && !blk_driver_find(v->target.format)->bitmaps)
        return img_error("Format driver '%s' does not support bitmaps", v->target.format);
    if (v->resume)
        resume = img_resume_find(v->target.filename, v->target.format, v->target.opts, c);
    if (!(v->keep || (resume && c->from)) && create_target(v, c)) {
        img_resume_end(resume, false);
        return 1;
    }
    status = open_target(v, c) || (resume && img_resume_begin(resume, c));
    if (!status) {
        img_progress_begin(&v->a);
        img_rate_begin(&c->rate, v->rate);
        status = img_copy_run(c);
        if (!status && v->bitmaps)
            status = copy_bitmaps(v, c);
        if (!status)
            img_progress_end();
    }
    img_resume_end(resume, !status);
    return status;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct convert v = {.a = {.env = env},
                        .target = {.format = "raw", .opts = json_object_new_object()},
                        .sparse = SPARSE_DEFAULT};
    struct img_copy c = {0};
    int key, status = 1;

    while ((key = img_next(&v.a, argc, argv, ":hf:O:B:CcF:o:l:S:pt:T:qnm:WUr:", longs)) != IMG_END)
        if (key == IMG_BAD || parse_option(&v, key))
            goto out;
    v.names = argv + optind;
    v.names_n = argc - optind;
    v.target.filename = v.names_n ? v.names[v.names_n - 1] : NULL;
    if (img_wants_help(v.target.opts)) {
        status = img_print_create_help(v.target.format, v.target.filename);
        goto out;
    }
    if (check_words(&v))
        goto out;
    if (v.copy_range)
        v.sparse = 0;
    c.sparse = v.sparse ? v.sparse : v.copy_range ? 1 : 0; /* holes stay holes with -C, too */
    c.compressed = v.compressed;
    c.out_of_order = v.out_of_order;
    c.copy_range = v.copy_range;
    c.salvage = v.salvage;
    c.quiet = v.a.quiet;
    c.workers = (unsigned)v.workers;
    status = close_all(&c, convert(&v, &c));
out:
    json_object_put(v.target.opts);
    return status;
}

const struct img_command img_convert = {
    .name = "convert",
    .usage =
        "[--object objectdef] [--image-opts] [--target-image-opts] [--target-is-zero] "
        "[--bitmaps [--skip-broken-bitmaps]] [-U] [-C] [-c] [-p] [-q] [-n] [-f fmt] [-t cache] "
        "[-T src_cache] [-O output_fmt] [-B backing_file [-F backing_fmt]] [-o options] "
        "[-l snapshot_param] [-S sparse_size] [-r rate_limit] [-m num_workers] [-W] [--salvage] "
        "[--resume] filename [filename2 [...]] output_filename",
    .notes =
        "  '--bitmaps' copies all persistent bitmaps of the source, too\n"
        "  '-m' number of workers (1 to 16; default: one for each processor)\n"
        "  '-W' lets them write in any order; the target's layout then varies from run to run\n"
        "  '-C' has the host copy (copy_file_range) what is not a hole\n"
        "  '--salvage' makes zeros of what cannot be read\n"
        "  '--resume' keeps a note beside the target (OUTPUT.resume) while it works, and goes on\n"
        "       from there when it was interrupted\n",
    .run = run,
};
