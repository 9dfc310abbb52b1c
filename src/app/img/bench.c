/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img bench: how fast is an image?  Equal requests, one after the other, several at a time. */
#include "app/img/img.h"

#include "base/bytes.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_PATTERN = OPT_OWN, OPT_FLUSH, OPT_NO_DRAIN };
enum { DEPTH_MAX = 1024 };

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"flush-interval", required_argument, NULL, OPT_FLUSH},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"pattern", required_argument, NULL, OPT_PATTERN},
    {"no-drain", no_argument, NULL, OPT_NO_DRAIN},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

struct bench {
    struct blk *b;
    uint64_t count, depth, len, step, offset, pattern, flush_interval;
    bool write, no_drain;
    const char *aio;
    pthread_mutex_t lock;
    pthread_cond_t drained;
    uint64_t next;     /* [lock] number of the next request */
    uint64_t at;       /* [lock] its offset */
    unsigned flying;   /* [lock] requests on the way */
    bool flushing;     /* [lock] nobody begins */
    struct err failed; /* [lock] */
};

/* Before request @n, with the lock held: does a flush come? */
static void flush_if_due(struct bench *t, uint64_t n)
{
    struct err e = {0};

    if (!t->flush_interval || !n || (t->count - n) % t->flush_interval)
        return;
    t->flushing = !t->no_drain;
    while (!t->no_drain && t->flying)
        pthread_cond_wait(&t->drained, &t->lock);
    pthread_mutex_unlock(&t->lock);
    int r = blk_flush(t->b, &e);

    pthread_mutex_lock(&t->lock);
    t->flushing = false;
    pthread_cond_broadcast(&t->drained);
    if (r < 0 && !t->failed.code)
        t->failed = e;
}

static bool begin(struct bench *t, uint64_t *at)
{
    bool got;

    pthread_mutex_lock(&t->lock);
    while (t->flushing)
        pthread_cond_wait(&t->drained, &t->lock);
    got = t->next < t->count && !t->failed.code;
    if (got) {
        flush_if_due(t, t->next++);
        t->flying++;
        *at = t->at;
        t->at += t->step;
        if (blk_size(t->b) && t->at >= blk_size(t->b))
            t->at %= blk_size(t->b);
    }
    pthread_mutex_unlock(&t->lock);
    return got;
}

static void end(struct bench *t, int r, const struct err *e)
{
    pthread_mutex_lock(&t->lock);
    if (!--t->flying && t->flushing)
        pthread_cond_broadcast(&t->drained);
    if (r < 0 && !t->failed.code)
        t->failed = *e;
    pthread_mutex_unlock(&t->lock);
}

static void *worker(void *opaque)
{
    struct bench *t = opaque;
    struct err e = {0};
    char *buf = NULL;
    uint64_t at;

    if (posix_memalign((void **)&buf, 4096, t->len ? t->len : 1))
        fatal("out of memory");
    memset(buf, (int)t->pattern, t->len);
    while (begin(t, &at)) {
        int r = t->write ? blk_write(t->b, at, t->len, buf, 0, &e)
                         : blk_read(t->b, at, t->len, buf, &e);

        end(t, r, &e);
    }
    free(buf);
    return NULL;
}

static int run_workers(struct bench *t)
{
    pthread_t *threads = calloc(t->depth, sizeof(*threads));
    unsigned k = 0;

    if (!threads)
        fatal("out of memory");
    while (k + 1 < t->depth && !pthread_create(&threads[k], NULL, worker, t))
        k++;
    worker(t);
    while (k)
        pthread_join(threads[--k], NULL);
    free(threads);
    return t->failed.code ? img_error("Failed request: %s", strerror(-t->failed.code)) : 0;
}

static int measure(struct bench *t)
{
    uint64_t start;

    printf("Sending %" PRIu64 " %s requests, %" PRIu64 " bytes each, %" PRIu64
           " in parallel (starting at offset %" PRIu64 ", step size %" PRIu64 ")\n",
           t->count, t->write ? "write" : "read", t->len, t->depth, t->offset, t->step);
    if (t->flush_interval)
        printf("Sending flush every %" PRIu64 " requests\n", t->flush_interval);
    fflush(stdout);
    t->at = t->offset;
    start = img_now_ns();
    if (run_workers(t))
        return 1;
    printf("Run completed in %3.3f seconds.\n", (double)(img_now_ns() - start) / 1e9);
    return 0;
}

/* A size below 2 GiB. */
static int small_size(const char *text, const char *what, uint64_t *v)
{
    if (img_size(text, what, v))
        return 1;
    return *v > INT_MAX
               ? img_error("Invalid %s specified. Must be between 0 and %d.", what, INT_MAX)
               : 0;
}

static int parse_option(struct bench *t, int key)
{
    switch (key) {
    case 'c': return img_number(optarg, "request count", 0, INT_MAX, &t->count);
    case 'd': return img_number(optarg, "queue depth", 1, DEPTH_MAX, &t->depth);
    case 'n': t->aio = "native"; break;
    case 'i': t->aio = optarg; break;
    case 'o': return img_size(optarg, "offset", &t->offset);
    case 's': return small_size(optarg, "buffer size", &t->len);
    case 'S': return small_size(optarg, "step_size", &t->step);
    case 'w': t->write = true; break;
    case OPT_PATTERN: return img_number(optarg, "pattern byte", 0, 255, &t->pattern);
    case OPT_FLUSH: return img_number(optarg, "flush interval", 0, INT_MAX, &t->flush_interval);
    case OPT_NO_DRAIN: t->no_drain = true; break;
    }
    return 0;
}

static int check_words(const struct img_args *a, const struct bench *t, unsigned *flags)
{
    if (!t->write && t->flush_interval)
        return img_error("--flush-interval is only available in write tests");
    if (t->flush_interval && t->flush_interval < t->depth)
        return img_error("Flush interval can't be smaller than depth");
    if (a->cache && storage_cache_flags(a->cache, flags, ERR_IGNORE) < 0)
        return img_error("Invalid cache mode");
    if (t->aio && !strcmp(t->aio, "native"))
        *flags |= BLK_NATIVE_AIO;
    else if (t->aio && !strcmp(t->aio, "io_uring"))
        *flags |= BLK_IO_URING;
    else if (t->aio && strcmp(t->aio, "threads"))
        return img_error("Invalid aio option: %s", t->aio);
    return 0;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct bench t = {.count = 75000,
                      .depth = 64,
                      .len = 4096,
                      .lock = PTHREAD_MUTEX_INITIALIZER,
                      .drained = PTHREAD_COND_INITIALIZER};
    struct img_args a = {.env = env};
    unsigned flags = 0;
    int key;

    while ((key = img_next(&a, argc, argv, ":hc:d:f:i:no:qs:S:t:wU", longs)) != IMG_END)
        if (key == IMG_BAD || parse_option(&t, key))
            return 1;
    if (optind != argc - 1)
        return img_usage("Expecting one image file name");
    if (check_words(&a, &t, &flags))
        return 1;
    if (!t.step)
        t.step = t.len;
    t.b = img_open(&a, argv[optind], a.format, a.cache,
                   flags | (t.write ? BLK_RDWR : BLK_PROBE_RAW_OK));
    if (!t.b)
        return 1;
    int status = measure(&t);

    return img_close(t.b, status);
}

const struct img_command img_bench = {
    .name = "bench",
    .usage = "[-c count] [-d depth] [-f fmt] [--flush-interval=flush_interval] [-i aio] [-n] "
             "[--no-drain] [-o offset] [--pattern=pattern] [-q] [-s buffer_size] [-S step_size] "
             "[-t cache] [-w] [-U] filename",
    .run = run,
};
