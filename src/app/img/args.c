/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options that qemu-img's commands share, and numbers on its command line. */
#include "app/img/img.h"

#include "base/size_text.h"
#include "schema/keyval.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void complain(const char *fmt, va_list ap)
{
    fflush(stdout); /* what was printed before comes before, wherever both go */
    fputs("qemu-img: ", stderr);
    vfprintf(stderr, fmt, ap);
    fputc('\n', stderr);
}

int img_error(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    complain(fmt, ap);
    va_end(ap);
    return 1;
}

int img_usage(const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    complain(fmt, ap);
    va_end(ap);
    fputs("Try 'qemu-img --help' for more information\n", stderr);
    return 1;
}

static int bad_option(char **argv, bool missing)
{
    const char *word = argv[optind - 1];
    char letter[3] = {'-', (char)optopt, 0};

    if (strncmp(word, "--", 2) && optopt && optopt < 256)
        word = letter;
    img_usage(missing ? "missing argument for option '%s'" : "unrecognized option '%s'", word);
    return IMG_BAD;
}

static int output_option(struct img_args *a)
{
    if (strcmp(optarg, "json") && strcmp(optarg, "human")) {
        img_error("--output must be used with human or json as argument.");
        return IMG_BAD;
    }
    a->json = !strcmp(optarg, "json");
    return 0;
}

static int object_option(struct img_args *a)
{
    struct err e = {0};

    if (storage_add_object(a->env, optarg, &e) >= 0)
        return 0;
    storage_fail(&e);
    return IMG_BAD;
}

/* 0: dealt with; IMG_BAD; or the key, which is the command's own. */
static int shared_option(struct img_args *a, int key)
{
    switch (key) {
    case 'f': a->format = optarg; return 0;
    case 't': a->cache = optarg; return 0;
    case 'T': a->src_cache = optarg; return 0;
    case 'q': a->quiet = true; return 0;
    case 'p': a->progress = true; return 0;
    case 'U': a->share = true; return 0;
    case OPT_IMAGE_OPTS: a->image_opts = true; return 0;
    case OPT_OBJECT: return object_option(a);
    case OPT_OUTPUT: return output_option(a);
    case 'h': img_help(); exit(0);
    }
    return key;
}

int img_next(struct img_args *a, int argc, char **argv, const char *shorts,
             const struct option *longs)
{
    int key;

    opterr = 0;
    do {
        key = getopt_long(argc, argv, shorts, longs, NULL);
        if (key == -1)
            return IMG_END;
        key = key == '?' || key == ':' ? bad_option(argv, key == ':') : shared_option(a, key);
    } while (!key);
    return key;
}

int img_size(const char *text, const char *what, uint64_t *v)
{
    struct err e = {0};
    int r = size_parse(text, 1, v, &e);

    if (r < 0 && !(r == -ERANGE && !strchr(text, '-'))) {
        img_error("Invalid %s specified. You may use k, M, G, T, P or E suffixes for", what);
        return img_error("kilobytes, megabytes, gigabytes, terabytes, petabytes and exabytes.");
    }
    if (r < 0 || *v > INT64_MAX)
        return img_error("Invalid %s specified. Must be between 0 and %" PRId64 ".", what,
                         INT64_MAX);
    return 0;
}

int img_number(const char *text, const char *what, uint64_t min, uint64_t max, uint64_t *v)
{
    char *end;

    errno = 0;
    *v = strtoull(text, &end, 0);
    if (errno || end == text || *end || strchr(text, '-') || *v < min || *v > max)
        return img_error("Invalid %s specified", what);
    return 0;
}

struct blk *img_open(const struct img_args *a, const char *name, const char *format,
                     const char *cache, unsigned flags)
{
    struct err e = {0};
    struct blk *b;

    if (a->image_opts && format) {
        img_error("--image-opts and --format are mutually exclusive");
        return NULL;
    }
    if (cache && storage_cache_flags(cache, &flags, &e) < 0) {
        img_error("%s cache option: %s", flags & BLK_RDWR ? "Invalid" : "Invalid source", cache);
        return NULL;
    }
    if (a->share)
        flags |= BLK_SHARE;
    if (!(b = storage_open(a->env, name, format, a->image_opts, flags, &e)))
        storage_fail(&e);
    return b;
}

int img_close(struct blk *b, int status)
{
    struct err e = {0};

    return b && blk_close(b, &e) < 0 && !status ? storage_fail(&e) : status;
}

int img_options(struct json_object *opts, const char *text)
{
    size_t n = strlen(text), commas = 0;
    struct err e = {0};

    while (commas < n && text[n - 1 - commas] == ',')
        commas++;
    if (!n || *text == ',' || commas % 2) /* ",," is a comma in a value */
        return img_error("Invalid option list: %s", text);
    return keyval_merge(opts, text, NULL, &e) < 0 ? storage_fail(&e) : 0;
}

bool img_wants_help(struct json_object *opts)
{
    return json_object_object_get_ex(opts, "help", NULL) ||
           json_object_object_get_ex(opts, "?", NULL);
}

unsigned img_cpus(void)
{
    cpu_set_t set;
    int n = sched_getaffinity(0, sizeof(set), &set) < 0 ? 1 : CPU_COUNT(&set);

    return n > 0 ? (unsigned)n : 1;
}
