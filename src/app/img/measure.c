/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img measure: how large a file an image will need. */
#include "app/img/img.h"

#include "block/driver.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPT_SIZE = OPT_OWN };
static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"size", required_argument, NULL, OPT_SIZE},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

struct measure {
    const char *out_format, *snapshot;
    struct json_object *opts;
    uint64_t size;
    bool have_size;
};

static int print(const struct blk_measure *m, bool json)
{
    if (json) {
        struct json_object *o = json_object_new_object();

        if (m->has_bitmaps)
            json_object_object_add(o, "bitmaps", json_object_new_uint64(m->bitmaps));
        json_object_object_add(o, "required", json_object_new_uint64(m->required));
        json_object_object_add(o, "fully-allocated", json_object_new_uint64(m->fully_allocated));
        return img_print_json(o);
    }
    printf("required size: %" PRIu64 "\nfully allocated size: %" PRIu64 "\n", m->required,
           m->fully_allocated);
    if (m->has_bitmaps)
        printf("bitmaps size: %" PRIu64 "\n", m->bitmaps);
    return 0;
}

static int check(const struct img_args *a, const struct measure *m, const char *name)
{
    if (!name && (a->format || a->image_opts || m->snapshot))
        return img_error("--image-opts, -f, and -l require a filename argument.");
    if (m->have_size && name)
        return img_error("--size N cannot be used together with a filename.");
    if (!m->have_size && !name)
        return img_error("Either --size N or one filename must be specified.");
    return 0;
}

static int measure(const struct img_args *a, const struct measure *m, const char *name)
{
    struct blk *src = NULL;
    struct blk_measure result;
    struct err e = {0};
    int status;

    if (name && !(src = img_open(a, name, a->format, NULL, BLK_PROBE_RAW_OK)))
        return 1;
    if (src && m->snapshot && img_load_snapshot(src, m->snapshot)) {
        img_close(src, 1);
        return 1;
    }
    if (m->have_size && keyval_get(m->opts, "size"))
        err_set(&e, -EINVAL, "The image size must be specified only once");
    else
        blk_measure(a->env, m->out_format, m->opts, src, m->size, &result, &e);
    status = e.code < 0 ? storage_fail(&e) : print(&result, a->json);
    return img_close(src, status);
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct measure m = {.out_format = "raw", .opts = json_object_new_object()};
    struct img_args a = {.env = env};
    int key, status = 1;

    while ((key = img_next(&a, argc, argv, ":hf:l:o:O:U", longs)) != IMG_END) {
        switch (key) {
        case IMG_BAD: goto out;
        case 'O': m.out_format = optarg; break;
        case 'l': m.snapshot = optarg; break;
        case 'o':
            if (img_options(m.opts, optarg))
                goto out;
            break;
        case OPT_SIZE:
            if (img_size(optarg, "image size", &m.size))
                goto out;
            m.have_size = true;
            break;
        }
    }
    if (optind + 1 < argc) {
        img_error("At most one filename argument is allowed.");
        goto out;
    }
    const char *name = optind < argc ? argv[optind] : NULL;

    status = check(&a, &m, name) || measure(&a, &m, name);
out:
    json_object_put(m.opts);
    return status;
}

const struct img_command img_measure = {
    .name = "measure",
    .usage = "[--output=ofmt] [-O output_fmt] [-o options] [--size N | [--object objectdef] "
             "[--image-opts] [-f fmt] [-l snapshot_param] filename]",
    .run = run,
};
