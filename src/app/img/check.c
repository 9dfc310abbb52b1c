/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img check: is the image sound?  With -r: mend it, after saying what will be done. */
#include "app/img/img.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <string.h>

enum { CLEAN, NOT_CHECKED, CORRUPT, LEAKS, NO_CHECK = 63 }; /* exit statuses */

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"output", required_argument, NULL, OPT_OUTPUT},
    {"repair", required_argument, NULL, 'r'},
    {"format", required_argument, NULL, 'f'},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

static void print_line(void *opaque, const char *line)
{
    fprintf(stderr, "%s\n", line);
}

static void drop_line(void *opaque, const char *line)
{
}

/* What will be done, before it is. */
static void announce(const struct blk_check *found, unsigned fix)
{
    if (found->leaks)
        fprintf(stderr, "Going to free %" PRIu64 " leaked clusters\n", found->leaks);
    if (found->corruptions && (fix & BLK_FIX_ERRORS))
        fprintf(stderr,
                "Going to repair %" PRIu64 " errors, each named below before it is done\n",
                found->corruptions);
    else if (found->corruptions)
        fprintf(stderr, "Going to leave %" PRIu64 " errors as they are: -r all repairs them\n",
                found->corruptions);
}

/* One check, or what a repair makes of it: afterwards @c is of the mended image. */
static int check(struct blk *b, struct blk_check *c, unsigned fix, const struct img_args *a,
                 struct err *e)
{
    struct blk_check plan = {.line = drop_line};
    int r;

    if (!fix)
        return blk_check(b, c, 0, e);
    if ((r = blk_check(b, &plan, 0, e)) < 0)
        return r;
    if (!a->quiet)
        announce(&plan, fix);
    if ((r = blk_check(b, c, fix, e)) < 0 || !(c->leaks_fixed || c->corruptions_fixed))
        return r;
    uint64_t leaks = c->leaks_fixed, corruptions = c->corruptions_fixed;

    if (!a->json && !a->quiet)
        printf("The following inconsistencies were found and repaired:\n\n    %" PRIu64
               " leaked clusters\n    %" PRIu64 " corruptions\n\n"
               "Double checking the fixed image now...\n",
               leaks, corruptions);
    fflush(stdout);
    *c = (struct blk_check){.line = print_line};
    r = blk_check(b, c, 0, e);
    c->leaks_fixed = leaks;
    c->corruptions_fixed = corruptions;
    return r;
}

static void add(struct json_object *o, const char *key, uint64_t n)
{
    json_object_object_add(o, key, json_object_new_uint64(n));
}

static void add_nonzero(struct json_object *o, const char *key, uint64_t n)
{
    if (n)
        add(o, key, n);
}

static void print_json(const struct blk *b, const char *name, const struct blk_check *c)
{
    struct json_object *o = json_object_new_object();

    add_nonzero(o, "image-end-offset", c->image_end_offset);
    add_nonzero(o, "compressed-clusters", c->compressed_clusters);
    add_nonzero(o, "total-clusters", c->total_clusters);
    add_nonzero(o, "corruptions", c->corruptions);
    add(o, "check-errors", c->check_errors);
    add_nonzero(o, "leaks-fixed", c->leaks_fixed);
    add_nonzero(o, "corruptions-fixed", c->corruptions_fixed);
    add_nonzero(o, "leaks", c->leaks);
    add_nonzero(o, "allocated-clusters", c->allocated_clusters);
    json_object_object_add(o, "filename", json_object_new_string(name));
    json_object_object_add(o, "format", json_object_new_string(blk_driver_name(b)));
    add_nonzero(o, "fragmented-clusters", c->fragmented_clusters);
    img_print_json(o);
}

static double percent(uint64_t n, uint64_t of)
{
    return (double)n * 100 / (double)of;
}

static void print_human(const struct blk_check *c)
{
    if (!(c->corruptions || c->leaks || c->check_errors))
        printf("No errors were found on the image.\n");
    if (c->corruptions)
        printf("\n%" PRIu64 " errors were found on the image.\n"
               "Data may be corrupted, or further writes to the image may corrupt it.\n",
               c->corruptions);
    if (c->leaks)
        printf("\n%" PRIu64 " leaked clusters were found on the image.\n"
               "This means waste of disk space, but no harm to data.\n",
               c->leaks);
    if (c->check_errors)
        printf("\n%" PRIu64 " internal errors have occurred during the check.\n", c->check_errors);
    if (c->total_clusters && c->allocated_clusters)
        printf("%" PRIu64 "/%" PRIu64 " = %0.2f%% allocated, %0.2f%% fragmented, "
               "%0.2f%% compressed clusters\n",
               c->allocated_clusters, c->total_clusters,
               percent(c->allocated_clusters, c->total_clusters),
               percent(c->fragmented_clusters, c->allocated_clusters),
               percent(c->compressed_clusters, c->allocated_clusters));
    if (c->image_end_offset)
        printf("Image end offset: %" PRIu64 "\n", c->image_end_offset);
}

static int check_image(struct blk *b, const char *name, unsigned fix, const struct img_args *a)
{
    struct blk_check c = {.line = print_line};
    struct err e = {0};
    int r = check(b, &c, fix, a, &e);

    if (r == -ENOTSUP) {
        img_error("This image format does not support checks");
        return NO_CHECK;
    }
    if (r < 0) {
        img_error("Check failed: %s", e.msg);
        return NOT_CHECKED;
    }
    if (a->json)
        print_json(b, name, &c);
    else if (!a->quiet)
        print_human(&c);
    return c.corruptions ? CORRUPT : c.leaks ? LEAKS : c.check_errors ? NOT_CHECKED : CLEAN;
}

static int parse_repair(const char *word, unsigned *fix)
{
    if (!strcmp(word, "leaks"))
        *fix = BLK_FIX_LEAKS;
    else if (!strcmp(word, "all"))
        *fix = BLK_FIX_LEAKS | BLK_FIX_ERRORS;
    else
        return img_usage("Unknown option value for -r (expecting 'leaks' or 'all'): %s", word);
    return 0;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct img_args a = {.env = env};
    unsigned fix = 0;
    int key;

    while ((key = img_next(&a, argc, argv, ":hf:r:T:qU", longs)) != IMG_END)
        if (key == IMG_BAD || (key == 'r' && parse_repair(optarg, &fix)))
            return NOT_CHECKED;
    if (optind != argc - 1)
        return img_usage("Expecting one image file name");
    struct blk *b = img_open(&a, argv[optind], a.format, a.src_cache,
                             BLK_CHECK | BLK_NO_BACKING | (fix ? BLK_RDWR : BLK_PROBE_RAW_OK));

    if (!b)
        return NOT_CHECKED;
    int status = check_image(b, argv[optind], fix, &a);

    return img_close(b, status);
}

const struct img_command img_check = {
    .name = "check",
    .usage = "[--object objectdef] [--image-opts] [-q] [-f fmt] [--output=ofmt] "
             "[-r [leaks | all]] [-T src_cache] [-U] filename",
    .notes =
        "  '-r leaks' frees clusters that nothing uses; '-r all' mends errors, too, which may\n"
        "       choose the wrong one of two answers.  What will be done is printed before\n",
    .run = run,
};
