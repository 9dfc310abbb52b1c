/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img create: make an image. */
#include "app/img/img.h"

#include "schema/keyval.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int run(int argc, char **argv)
{
    struct json_object *opts = json_object_new_object();
    struct blk_env *env = storage_env();
    const char *format = "raw";
    struct err e = {0};
    int c, r;

    while ((c = getopt(argc, argv, "f:o:q")) != -1) {
        if (c == 'f')
            format = optarg;
        else if (c == 'o' && keyval_merge(opts, optarg, NULL, &e) < 0)
            return storage_fail(&e);
    }
    if (optind + 1 < argc)
        json_object_object_add(opts, "size", json_object_new_string(argv[optind + 1]));
    r = blk_create(env, format, argv[optind], opts, &e);
    blk_env_free(env);
    return r < 0 ? storage_fail(&e) : 0;
}

const struct img_command img_create = {
    .name = "create",
    .usage = "[-q] [-f fmt] [-o options] filename [size]",
    .run = run,
};
