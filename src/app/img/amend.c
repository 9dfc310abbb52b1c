/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img amend: change create options of an existing image. */
#include "app/img/img.h"

#include "block/driver.h"

#include <stdio.h>

enum { OPT_FORCE = OPT_OWN };
static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"force", no_argument, NULL, OPT_FORCE},
    {NULL, 0, NULL, 0},
};

static int amend(struct blk *b, const struct img_args *a, struct json_object *opts, bool force)
{
    struct json_object *checked = json_object_new_object();
    struct err e = {0};
    int r = img_check_amend(b, opts, checked, &e);

    if (r < 0) {
        json_object_put(checked);
        return storage_fail(&e);
    }
    img_progress_begin(a);
    r = blk_amend(b, checked, force, img_progress_callback, NULL, &e);
    img_progress_end();
    return r < 0 ? storage_fail(&e) : 0;
}

static int run_on(const struct img_args *a, struct json_object *opts, bool force, const char *name)
{
    struct blk *b;
    int status;

    if (img_wants_help(opts) && a->format)
        return img_print_amend_help(a->format);
    if (!name)
        return img_error("Expecting one image file name");
    if (!(b = img_open(a, name, a->format, a->cache, BLK_RDWR | BLK_RESIZE)))
        return 1;
    if (img_wants_help(opts))
        status = img_print_amend_help(blk_driver_name(b));
    else
        status = amend(b, a, opts, force);
    return img_close(b, status);
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct json_object *opts = json_object_new_object();
    struct img_args a = {.env = env};
    bool force = false, given = false;
    int key, status = 1;

    while ((key = img_next(&a, argc, argv, ":ho:f:t:pq", longs)) != IMG_END) {
        if (key == IMG_BAD)
            goto out;
        force |= key == OPT_FORCE;
        given |= key == 'o';
        if (key == 'o' && img_options(opts, optarg))
            goto out;
    }
    if (!given)
        img_usage("Must specify options (-o)");
    else
        status = run_on(&a, opts, force, optind == argc - 1 ? argv[optind] : NULL);
out:
    json_object_put(opts);
    return status;
}

const struct img_command img_amend = {
    .name = "amend",
    .usage = "[--object objectdef] [--image-opts] [-p] [-q] [-f fmt] [-t cache] [--force] "
             "-o options filename",
    .run = run,
};
