/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img create: make an image. */
#include "app/img/img.h"

#include "schema/keyval.h"

#include <stdio.h>
#include <string.h>

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {NULL, 0, NULL, 0},
};

static int make(struct blk_env *env, struct img_new *n, int argc, char **argv)
{
    struct err e = {0};

    n->filename = optind < argc ? argv[optind] : NULL;
    if (img_wants_help(n->opts))
        return img_print_create_help(n->format, n->filename);
    if (!n->filename)
        return img_usage("Expecting image file name");
    if (optind + 1 < argc) {
        if (img_size(argv[optind + 1], "image size", &n->size))
            return 1;
        n->have_size = true;
    }
    if (optind + 2 < argc)
        return img_usage("Unexpected argument: %s", argv[optind + 2]);
    if (img_make(env, n, &e) >= 0)
        return 0;
    /* historic: the one message without an end of line */
    fflush(stdout);
    fprintf(stderr, "qemu-img: %s: %s%s", n->filename, e.msg,
            strstr(e.msg, "\nDetected format of ") ? "" : "\n");
    return 1;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct img_args a = {.env = env};
    struct img_new n = {.format = "raw", .opts = json_object_new_object()};
    int key, status = 1;

    while ((key = img_next(&a, argc, argv, ":F:b:f:ho:qu", longs)) != IMG_END) {
        switch (key) {
        case IMG_BAD: goto out;
        case 'F': n.backing_format = optarg; break;
        case 'b': n.backing = optarg; break;
        case 'u': n.unchecked = true; break;
        case 'o':
            if (img_options(n.opts, optarg))
                goto out;
            break;
        }
    }
    if (a.format)
        n.format = a.format;
    n.quiet = a.quiet;
    status = make(env, &n, argc, argv);
out:
    json_object_put(n.opts);
    return status;
}

const struct img_command img_create = {
    .name = "create",
    .usage = "[--object objectdef] [-q] [-f fmt] [-b backing_file [-F backing_fmt]] [-u] "
             "[-o options] filename [size]",
    .run = run,
};
