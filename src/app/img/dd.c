/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img dd: copy blocks of an image into a new one. */
#include "app/img/img.h"

#include "base/bytes.h"
#include "block/driver.h"

#include <inttypes.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

enum { BLOCK_DEFAULT = 512, COPY = 1 << 20 };

struct dd {
    const char *in, *out, *out_format;
    uint64_t bs, count, skip;
    bool have_count;
};

static int parse_operand(struct dd *d, char *arg)
{
    char *value = strchr(arg, '=');
    size_t n = value ? (size_t)(value - arg) : strlen(arg);

    if (value && n == 2 && !strncmp(arg, "if", n)) {
        d->in = value + 1;
    } else if (value && n == 2 && !strncmp(arg, "of", n)) {
        d->out = value + 1;
    } else if (value && n == 2 && !strncmp(arg, "bs", n)) {
        if (img_size(value + 1, "bs", &d->bs))
            return 1;
        if (!d->bs || d->bs > INT_MAX)
            return img_error("Invalid bs specified. Must be between 1 and %d.", INT_MAX);
    } else if (value && n == 5 && !strncmp(arg, "count", n)) {
        d->have_count = true;
        return img_size(value + 1, "count", &d->count);
    } else if (value && n == 4 && !strncmp(arg, "skip", n)) {
        return img_size(value + 1, "skip", &d->skip);
    } else {
        return img_error("unrecognized operand %.*s", (int)n, arg);
    }
    return 0;
}

static uint64_t mul_limited(uint64_t a, uint64_t b)
{
    return a && b > UINT64_MAX / a ? UINT64_MAX : a * b;
}

static int copy(struct blk *in, struct blk *out, uint64_t from, uint64_t end)
{
    char *buf = NULL;
    struct err e = {0};
    int status = 0;

    if (posix_memalign((void **)&buf, 4096, COPY))
        fatal("out of memory");
    for (uint64_t at = from, n; at < end && !status; at += n) {
        n = min_u64(end - at, COPY);
        if (blk_read(in, at, n, buf, &e) < 0)
            status = img_error("error while reading from input image file: %s", e.msg);
        else if (blk_write(out, at - from, n, buf, 0, &e) < 0)
            status = img_error("error while writing to output image file: %s", e.msg);
    }
    free(buf);
    return status;
}

static int make_output(const struct img_args *a, const struct dd *d, uint64_t size)
{
    struct img_new n = {.format = d->out_format,
                        .filename = d->out,
                        .opts = json_object_new_object(),
                        .size = size,
                        .have_size = true,
                        .quiet = true};
    struct err e = {0};
    int r = img_make(a->env, &n, &e);

    json_object_put(n.opts);
    return r < 0 ? img_error("%s: error while creating output image of type '%s': %s", d->out,
                             d->out_format, e.msg)
                 : 0;
}

static bool same_file(const char *a, const char *b)
{
    char *x = realpath(a, NULL), *y = realpath(b, NULL);
    bool same = x && y && !strcmp(x, y);

    free(x);
    free(y);
    return same;
}

static int dd(struct img_args *a, const struct dd *d)
{
    struct img_args out = {.env = a->env};
    struct blk *in, *b;
    uint64_t end, from;
    int status = 1;

    if (!blk_driver_find(d->out_format))
        return img_error("Unknown file format");
    if (!(in = img_open(a, d->in, a->format, NULL, BLK_PROBE_RAW_OK)))
        return 1;
    if (same_file(blk_filename(in), d->out)) {
        img_error("'%s' is the input, too: it would be lost", d->out);
        goto out;
    }
    /* As the reference counts, and unlike dd(1): count= is of the input from its beginning. */
    end = blk_size(in);
    if (d->have_count)
        end = min_u64(end, mul_limited(d->count, d->bs));
    from = mul_limited(d->skip, d->bs);
    if (from > blk_size(in))
        img_error("%s: cannot skip to specified offset", d->in);
    from = min_u64(from, end);
    if (make_output(a, d, end - from))
        goto out;
    if (!(b = img_open(&out, d->out, d->out_format, NULL, BLK_RDWR)))
        goto out;
    status = copy(in, b, from, end);
    status = img_close(b, status);
out:
    blk_close(in, ERR_IGNORE);
    return status;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct dd d = {.out_format = "raw", .bs = BLOCK_DEFAULT};
    struct img_args a = {.env = env};
    int key;

    while ((key = img_next(&a, argc, argv, ":hf:O:U", longs)) != IMG_END) {
        if (key == IMG_BAD)
            return 1;
        if (key == 'O')
            d.out_format = optarg;
    }
    for (int i = optind; i < argc; i++)
        if (parse_operand(&d, argv[i]))
            return 1;
    if (!d.in || !d.out)
        return img_error("Must specify both input and output files");
    return dd(&a, &d);
}

const struct img_command img_dd = {
    .name = "dd",
    .usage = "[--image-opts] [-U] [-f fmt] [-O output_fmt] [bs=block_size] [count=blocks] "
             "[skip=blocks] if=input of=output",
    .notes = "  'bs=BYTES' size of a block (default: 512)\n"
             "  'count=N' copy from the first N blocks of the input only\n"
             "  'if=FILE' read from FILE\n"
             "  'of=FILE' write to FILE\n"
             "  'skip=N' leave the first N blocks of the input out\n",
    .run = run,
};
