/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img info: what an image is. */
#include "app/img/img.h"

#include "block/driver.h"

#include <stdio.h>
#include <stdlib.h>

enum { CHAIN_MAX = 500 };

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"backing-chain", no_argument, NULL, OPT_OWN},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

/* The info of @name, or NULL after saying why not. */
static struct json_object *info_of(const struct img_args *a, const char *name, const char *format)
{
    struct blk *b = img_open(a, name, format, NULL, BLK_NO_BACKING | BLK_NO_IO | BLK_PROBE_RAW_OK);
    struct err e = {0};
    struct json_object *o;

    if (!b)
        return NULL;
    if (!(o = img_describe(b, &e)))
        storage_fail(&e);
    blk_close(b, ERR_IGNORE);
    return o;
}

static bool seen(struct json_object *list, const char *name)
{
    for (size_t i = 0; i < json_object_array_length(list); i++)
        if (!strcmp(keyval_string(json_object_array_get_idx(list, i), "filename"), name))
            return true;
    return false;
}

static int collect(struct img_args *a, const char *name, bool chain, struct json_object *list)
{
    const char *format = a->format;

    while (name) {
        if (seen(list, name))
            return img_error("Backing file '%s' creates an infinite loop.", name);
        if (json_object_array_length(list) == CHAIN_MAX)
            return img_error("more than %d backing files", CHAIN_MAX);
        struct json_object *o = info_of(a, name, format);

        if (!o)
            return 1;
        json_object_array_add(list, o);
        name = chain ? keyval_string(o, "full-backing-filename") : NULL;
        format = keyval_string(o, "backing-filename-format");
        a->image_opts = false; /* those were the first one's */
    }
    return 0;
}

static int print(struct json_object *list, bool json, bool chain)
{
    size_t n = json_object_array_length(list);

    if (json)
        return img_print_json(json_object_get(chain ? list : json_object_array_get_idx(list, 0)));
    for (size_t i = 0; i < n; i++) {
        if (i)
            printf("\n");
        img_print_info(json_object_array_get_idx(list, i));
    }
    return 0;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct img_args a = {.env = env};
    bool chain = false;
    int key, status;

    while ((key = img_next(&a, argc, argv, ":hf:U", longs)) != IMG_END) {
        if (key == IMG_BAD)
            return 1;
        chain = true;
    }
    if (optind != argc - 1)
        return img_usage("Expecting one image file name");
    struct json_object *list = json_object_new_array();

    status = collect(&a, argv[optind], chain, list);
    if (!status)
        status = print(list, a.json, chain);
    json_object_put(list);
    return status;
}

const struct img_command img_info = {
    .name = "info",
    .usage = "[--object objectdef] [--image-opts] [-f fmt] [--output=ofmt] [--backing-chain] [-U] "
             "filename",
    .run = run,
};
