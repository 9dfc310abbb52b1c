/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img resize: another size of the virtual disk. */
#include "app/img/img.h"

#include "base/size_text.h"
#include "schema/field.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OPT_PREALLOC = OPT_OWN, OPT_SHRINK };
static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"preallocation", required_argument, NULL, OPT_PREALLOC},
    {"shrink", no_argument, NULL, OPT_SHRINK},
    {NULL, 0, NULL, 0},
};

/* struct change - what the last word says: "64M", "+1G", "-512k". */
struct change {
    char sign; /* 0: to this size */
    uint64_t bytes;
};

static int parse_change(const char *text, struct change *c)
{
    c->sign = *text == '+' || *text == '-' ? *text : 0;
    if (size_parse(text + (c->sign != 0), 1, &c->bytes, ERR_IGNORE) >= 0 && c->bytes <= INT64_MAX)
        return 0;
    return img_error("Parameter 'size' expects a non-negative number below 2^64\n"
                     "Optional suffix k, M, G, T, P or E means kilo-, mega-, giga-, tera-, peta-\n"
                     "and exabytes, respectively.");
}

static int parse_prealloc(const char *text, enum blk_prealloc *p)
{
    for (int i = 0; blk_prealloc_names[i]; i++) {
        if (!strcmp(blk_prealloc_names[i], text)) {
            *p = (enum blk_prealloc)i;
            return 0;
        }
    }
    const char *near = nearest_name(text, blk_prealloc_names);

    return img_error("Invalid preallocation mode '%s'%s%s%s", text, near ? "; did you mean '" : "",
                     near ? near : "", near ? "'?" : "");
}

static int new_size(const struct change *c, uint64_t old, uint64_t *size)
{
    *size = c->bytes;
    if (c->sign == '+')
        *size = old + c->bytes;
    if (c->sign == '-')
        *size = old > c->bytes ? old - c->bytes : 0;
    if (*size > INT64_MAX)
        return img_error("Image size is too large: %" PRIu64 " bytes", *size);
    return *size ? 0 : img_error("New image size must be positive");
}

static int resize(struct blk *b, const struct change *c, enum blk_prealloc prealloc, bool shrink,
                  bool quiet)
{
    uint64_t old = blk_size(b), size;
    struct err e = {0};

    if (new_size(c, old, &size))
        return 1;
    if (size <= old && prealloc != BLK_PREALLOC_OFF)
        return img_error("Preallocation can only be used for growing images");
    if (size < old && !shrink) {
        img_error("Use the --shrink option to perform a shrink operation.");
        return img_error("warning: Shrinking an image will delete all data beyond the shrunken "
                         "image's end. Before performing such an operation, make sure there is no "
                         "important data there.");
    }
    if (blk_truncate(b, size, prealloc, BLK_REQ_EXACT, &e) < 0)
        return storage_fail(&e);
    if (!quiet)
        printf("Image resized.\n");
    return 0;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    enum blk_prealloc prealloc = BLK_PREALLOC_OFF;
    struct img_args a = {.env = env};
    const char *size_word = NULL;
    bool shrink = false;
    struct change c;
    int key;

    /* The size comes last and may begin with '-': options end before it. */
    if (argc < 3 && !(argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))))
        return img_usage("Not enough arguments");
    if (argc >= 3)
        size_word = argv[--argc];
    while ((key = img_next(&a, argc, argv, ":f:hq", longs)) != IMG_END) {
        if (key == IMG_BAD || (key == OPT_PREALLOC && parse_prealloc(optarg, &prealloc)))
            return 1;
        shrink |= key == OPT_SHRINK;
    }
    if (optind != argc - 1)
        return img_usage("Expecting image file name and size");
    if (parse_change(size_word, &c))
        return 1;
    struct blk *b = img_open(&a, argv[optind], a.format, NULL, BLK_RDWR | BLK_RESIZE);

    if (!b)
        return 1;
    int status = resize(b, &c, prealloc, shrink, a.quiet);

    return img_close(b, status);
}

const struct img_command img_resize = {
    .name = "resize",
    .usage = "[--object objectdef] [--image-opts] [-f fmt] [--preallocation=prealloc] [-q] "
             "[--shrink] filename [+ | -]size",
    .run = run,
};
