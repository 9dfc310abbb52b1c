/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-img compare: do two images show the same disk?  Workers compare pieces side by side. */
#include "app/img/img.h"

#include "base/bytes.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SAME, DIFFERENT, CANNOT_OPEN, FAILED }; /* exit statuses */
enum { PIECE = 256 << 10, ZERO_PIECE = 1 << 30, SECTOR = 512, WORKERS_MAX = 16 };

static const struct option longs[] = {
    {"help", no_argument, NULL, 'h'},
    {"object", required_argument, NULL, OPT_OBJECT},
    {"image-opts", no_argument, NULL, OPT_IMAGE_OPTS},
    {"force-share", no_argument, NULL, 'U'},
    {NULL, 0, NULL, 0},
};

/* struct compare - the two disks, and what is known of them so far. */
struct compare {
    struct blk *b[2];
    uint64_t size[2], total; /* total: of the larger one */
    bool strict, views;
    pthread_mutex_t lock;
    uint64_t next;  /* [lock] where the next piece begins */
    uint64_t done;  /* [lock] */
    uint64_t found; /* [lock] offset of the first thing to tell; UINT64_MAX: none */
    int status;     /* [lock] of what is at found */
    bool blocks;    /* [lock] the difference is where space is allocated (strict) */
    char what[600]; /* [lock] FAILED: the message */
};

/* struct piece - a stretch that is of one kind in each disk. */
struct piece {
    uint64_t off, len;
    bool zero[2];
    unsigned known[2];       /* what strict mode compares */
    struct blk_status at[2]; /* where the bytes are */
    const char *data[2];
    uint64_t difference; /* offset of the first sector that differs, or len */
};

/* The thing with the lowest offset is told, whoever finds it. */
static void tell(struct compare *c, uint64_t off, int status, bool blocks, const struct err *e,
                 int side)
{
    pthread_mutex_lock(&c->lock);
    if (off < c->found) {
        c->found = off;
        c->status = status;
        c->blocks = blocks;
        if (e)
            snprintf(c->what, sizeof(c->what), "Error while reading offset %" PRIu64 " of %s: %s",
                     off, blk_filename(c->b[side]), e->msg);
    }
    pthread_mutex_unlock(&c->lock);
}

/* What is at @off, in both; the lock is held.  A negative result has been told. */
static int look(struct compare *c, uint64_t off, struct piece *p)
{
    struct err e = {0};

    p->off = off;
    p->len = min_u64(c->total - off, ZERO_PIECE);
    for (int i = 0; i < 2; i++) {
        struct blk_status s = {.len = p->len, .zero = true};

        if (off < c->size[i]) {
            uint64_t len = min_u64(p->len, c->size[i] - off);
            int r = blk_status_above(c->b[i], NULL, off, len, &s, &e);

            if (r < 0) {
                pthread_mutex_unlock(&c->lock);
                tell(c, off, FAILED, false, &e, i);
                pthread_mutex_lock(&c->lock);
                return r;
            }
        }
        p->zero[i] = s.zero;
        p->known[i] = s.zero | s.data << 1 | (s.allocated && !s.beyond) << 2;
        p->at[i] = s;
        p->len = min_u64(p->len, s.len);
    }
    if (!p->zero[0] || !p->zero[1])
        p->len = min_u64(p->len, PIECE);
    return 0;
}

static bool take(struct compare *c, struct piece *p)
{
    bool got = false;

    pthread_mutex_lock(&c->lock);
    if (c->next < c->total && c->found == UINT64_MAX && look(c, c->next, p) >= 0) {
        c->next += p->len;
        got = true;
    }
    pthread_mutex_unlock(&c->lock);
    return got;
}

/* The first sector that differs, as an offset of the piece, or its length. */
static uint64_t first_difference(const char *a, const char *b, uint64_t len)
{
    uint64_t at = 0, n;

    if (!memcmp(a, b, len))
        return len;
    for (; at < len; at += n) {
        n = min_u64(SECTOR, len - at);
        if (memcmp(a + at, b + at, n))
            break;
    }
    return at;
}

static uint64_t first_data(const char *a, uint64_t len)
{
    uint64_t at = 0, n;

    if (bytes_zero(a, len))
        return len;
    for (; at < len; at += n) {
        n = min_u64(SECTOR, len - at);
        if (!bytes_zero(a + at, n))
            break;
    }
    return at;
}

/* struct memory - of one worker. */
struct memory {
    char *buf[2];
    struct blk_view view[2];
};

static void find_difference(void *opaque)
{
    struct piece *p = opaque;

    if (p->zero[0] || p->zero[1])
        p->difference = first_data(p->data[p->zero[0]], p->len);
    else
        p->difference = first_difference(p->data[0], p->data[1], p->len);
}

/* Both where the host caches them, if they are files and no longer changing. */
static bool compare_views(struct piece *p, struct memory *m)
{
    for (int i = 0; i < 2; i++) {
        const struct blk_status *s = &p->at[i];

        if (p->zero[i])
            continue;
        if (!s->has_host || s->compressed ||
            !(p->data[i] = blk_view_at(&m->view[i], s->file, s->host, p->len)))
            return false;
    }
    return blk_view_touch(find_difference, p);
}

static void compare_piece(struct compare *c, struct piece *p, struct memory *m)
{
    struct err e = {0};

    if (c->strict && p->known[0] != p->known[1])
        tell(c, p->off, DIFFERENT, true, NULL, 0);
    if (p->zero[0] && p->zero[1])
        return;
    if (!c->views || !compare_views(p, m)) {
        for (int i = 0; i < 2; i++) {
            p->data[i] = m->buf[i];
            if (!p->zero[i] && blk_read(c->b[i], p->off, p->len, m->buf[i], &e) < 0) {
                tell(c, p->off, FAILED, false, &e, i);
                return;
            }
        }
        find_difference(p);
    }
    if (p->difference < p->len)
        tell(c, p->off + p->difference, DIFFERENT, false, NULL, 0);
}

static void *worker(void *opaque)
{
    struct compare *c = opaque;
    struct memory m = {0};
    struct piece p;

    if (posix_memalign((void **)&m.buf[0], 4096, 2 * (size_t)PIECE))
        fatal("out of memory");
    m.buf[1] = m.buf[0] + PIECE;
    while (take(c, &p)) {
        compare_piece(c, &p, &m);
        pthread_mutex_lock(&c->lock);
        uint64_t done = c->done += p.len;
        pthread_mutex_unlock(&c->lock);
        if (done < c->total) /* the rest comes with the verdict */
            img_progress(done, c->total);
    }
    blk_view_end(&m.view[0]);
    blk_view_end(&m.view[1]);
    free(m.buf[0]);
    return NULL;
}

static void run_workers(struct compare *c)
{
    pthread_t threads[WORKERS_MAX];
    unsigned n = (unsigned)min_u64(min_u64(img_cpus(), WORKERS_MAX), c->total / PIECE + 1), k = 0;

    c->views = blk_plain_files(c->b[0]) && blk_plain_files(c->b[1]);
    blk_view_begin();
    while (k + 1 < n && !pthread_create(&threads[k], NULL, worker, c))
        k++;
    worker(c);
    while (k)
        pthread_join(threads[--k], NULL);
}

static void say(const struct img_args *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void say(const struct img_args *a, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    if (!a->quiet)
        vprintf(fmt, ap);
    va_end(ap);
}

static int compare(const struct img_args *a, struct compare *c)
{
    bool sizes = c->size[0] != c->size[1];

    if (sizes && c->strict) {
        say(a, "Strict mode: Image size mismatch!\n");
        return DIFFERENT;
    }
    img_progress_begin(a);
    run_workers(c);
    /* Only who comes to the end of the smaller one learns that there is more. */
    if (sizes && (c->found == UINT64_MAX || c->found >= min_u64(c->size[0], c->size[1])))
        say(a, "Warning: Image size mismatch!\n");
    img_progress(c->total, c->total);
    if (c->found == UINT64_MAX)
        say(a, "Images are identical.\n");
    else if (c->status == FAILED)
        img_error("%s", c->what);
    else if (c->blocks)
        say(a, "Strict mode: Offset %" PRIu64 " block status mismatch!\n", c->found);
    else
        say(a, "Content mismatch at offset %" PRIu64 "!\n", c->found);
    img_progress_end();
    return c->status;
}

static int run(struct blk_env *env, int argc, char **argv)
{
    struct compare c = {.lock = PTHREAD_MUTEX_INITIALIZER, .found = UINT64_MAX};
    struct img_args a = {.env = env};
    const char *format2 = NULL;
    int key, status = CANNOT_OPEN;

    while ((key = img_next(&a, argc, argv, ":hf:F:T:pqsU", longs)) != IMG_END) {
        switch (key) {
        case IMG_BAD: return DIFFERENT; /* historic */
        case 'F': format2 = optarg; break;
        case 's': c.strict = true; break;
        }
    }
    if (optind != argc - 2)
        return img_usage("Expecting two image file names");
    for (int i = 0; i < 2; i++) {
        c.b[i] =
            img_open(&a, argv[optind + i], i ? format2 : a.format, a.src_cache, BLK_PROBE_RAW_OK);
        if (!c.b[i])
            goto out;
        c.size[i] = blk_size(c.b[i]);
    }
    c.total = max_u64(c.size[0], c.size[1]);
    status = compare(&a, &c);
out:
    blk_close(c.b[1], ERR_IGNORE);
    blk_close(c.b[0], ERR_IGNORE);
    return status;
}

const struct img_command img_compare = {
    .name = "compare",
    .usage = "[--object objectdef] [--image-opts] [-f fmt] [-F fmt] [-T src_cache] [-p] [-q] [-s] "
             "[-U] filename1 filename2",
    .notes =
        "  '-f' first image format\n"
        "  '-F' second image format\n"
        "  '-s' Strict mode: another size, or space allocated elsewhere, is a difference, too\n",
    .run = run,
};
