/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img map: where an image's bytes are, as text or as a list of objects. */
#include "app/img/img.h"

#include "base/bytes.h"

#include <inttypes.h>
#include <stdio.h>

enum { OPT_START = OPT_OWN, OPT_LENGTH };
static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"start-offset", required_argument, NULL, OPT_START},
    {"max-length", required_argument, NULL, OPT_LENGTH},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

/* struct piece - one line of the output. */
struct piece {
    uint64_t start;
    struct blk_status s;
};

/* Does @next go on where @p ends, in every respect? */
static bool continues(const struct piece *p, const struct piece *next)
{
    const struct blk_status *a = &p->s, *b = &next->s;

    return p->start + a->len == next->start && a->zero == b->zero && a->data == b->data &&
           a->allocated == b->allocated && a->beyond == b->beyond && a->depth == b->depth &&
           a->compressed == b->compressed && a->has_host == b->has_host &&
           (!a->has_host || (a->file == b->file && a->host + a->len == b->host));
}

static int print_json(const struct piece *p, bool first)
{
    const struct blk_status *s = &p->s;

    printf("%s{ \"start\": %" PRIu64 ", \"length\": %" PRIu64 ", \"depth\": %d, \"present\": %s, "
           "\"zero\": %s, \"data\": %s",
           first ? "[" : ",\n", p->start, s->len, s->depth,
           s->allocated && !s->beyond ? "true" : "false", s->zero ? "true" : "false",
           s->data ? "true" : "false");
    if (s->has_host)
        printf(", \"offset\": %" PRIu64, s->host);
    printf("}");
    return 0;
}

static int print_human(const struct piece *p, bool first)
{
    const struct blk_status *s = &p->s;

    if (!s->data || s->zero)
        return 0;
    if (!s->has_host || !s->file)
        return img_error("File contains external, encrypted or compressed clusters.");
    printf("%#-16" PRIx64 "%#-16" PRIx64 "%#-16" PRIx64 "%s\n", p->start, s->len, s->host,
           blk_filename(s->file));
    return 0;
}

static int map(struct blk *b, uint64_t start, uint64_t end, bool json)
{
    int (*print)(const struct piece *, bool) = json ? print_json : print_human;
    struct piece last = {0}, now;
    struct err e = {0};
    bool first = true;

    if (!json)
        printf("%-16s%-16s%-16s%s\n", "Offset", "Length", "Mapped to", "File");
    for (uint64_t off = start; off < end; off += now.s.len) {
        now.start = off;
        if (blk_status_above(b, NULL, off, end - off, &now.s, &e) < 0)
            return img_error("Failed to read image metadata: %s", e.msg);
        if (last.s.len && continues(&last, &now)) {
            last.s.len += now.s.len;
            continue;
        }
        if (last.s.len) {
            if (print(&last, first))
                return 1;
            first = false;
        }
        last = now;
    }
    last.start = last.s.len ? last.start : start; /* nothing at all is a piece, too */
    if ((last.s.len || json) && print(&last, first))
        return 1;
    if (json)
        printf("]\n");
    return 0;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct img_args a = {.env = env};
    uint64_t start = 0, length = INT64_MAX;
    int key, status = 0;

    while ((key = img_next(&a, argc, argv, ":f:hU", longs)) != IMG_END) {
        if (key == IMG_BAD || (key == OPT_START && img_size(optarg, "start offset", &start)) ||
            (key == OPT_LENGTH && img_size(optarg, "max length", &length)))
            return 1;
    }
    if (optind != argc - 1)
        return img_usage("Expecting one image file name");
    struct blk *b = img_open(&a, argv[optind], a.format, NULL, BLK_PROBE_RAW_OK);

    if (!b)
        return 1;
    uint64_t size = blk_size(b), end = size;

    if (start < size)
        end = start + min_u64(length, size - start);
    status = map(b, start, end, a.json);
    return img_close(b, status);
}

const struct img_command img_map = {
    .name = "map",
    .usage = "[--object objectdef] [--image-opts] [-f fmt] [--start-offset=offset] "
             "[--max-length=len] [--output=ofmt] [-U] filename",
    .run = run,
};
