/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine of convert.  Workers take pieces of the disk in order, each all data or all zeros,
 * read them side by side and write them in the order of the disk (so that the same input gives the same
 * image), or as they come where order does not show.
 */
#include "app/img/copy.h"

#include "base/bytes.h"
#include "block/driver.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PIECE = 1 << 20, UNITS_MAX = PIECE / 512, CHECKPOINT_NS = 1000000000 };
/* Larger clusters are looked at, and where fresh space reads as zeros also written, in parts: so many bytes are what
 * the kernel maps at a fault (fault_around_bytes), and finding a page unmapped in the middle of a write costs it more. */
enum { PART = 64 << 10 };
#define ZERO_PIECE (1 * GiB)

enum kind { DATA, ZERO, SKIP };

/* struct run - what the source's maps say of [off, end). */
struct run {
    uint64_t off, end;
    enum kind kind;
};

struct engine {
    struct img_copy *c;
    uint64_t unit;      /* pieces are whole units: clusters of the target, or pages */
    uint64_t piece;     /* bytes of a data piece, at most */
    bool ordered;       /* writes follow the order of the disk */
    bool views;         /* the source may be looked at without copying it */
    bool range_refused; /* [atomic] copy offloading does not work here */
    pthread_mutex_t lock;
    pthread_cond_t turn_came;
    struct run run;   /* [lock] the last answer of the maps */
    uint64_t next;    /* [lock] where the next piece begins */
    uint64_t tickets; /* [lock] pieces given out */
    uint64_t turn;    /* [lock] the piece that may write */
    uint64_t done;    /* [lock] bytes dealt with */
    uint64_t last_ns; /* [lock] of the last checkpoint */
    bool failed;      /* [atomic; written under lock] */
    char what[600];   /* [lock] the first failure */
};

/* struct piece - one worker's work, and its memory. */
struct piece {
    struct engine *engine;
    uint64_t off, len, ticket;
    enum kind kind;
    const char *data; /* what is copied: buf, or a view of the source's file */
    struct blk_view view;
    char *buf, *packed;           /* PIECE bytes each; packed: one slot of a unit for each unit */
    size_t packed_len[UNITS_MAX]; /* compressed length; 0: as it is */
    bool zero[UNITS_MAX];
};

static void fail(struct engine *g, const char *doing, uint64_t off, const struct err *e)
{
    const char *plain = strerror(-e->code);

    pthread_mutex_lock(&g->lock);
    if (!g->failed)
        snprintf(g->what, sizeof(g->what), "error while %s at byte %" PRIu64 ": %s", doing, off,
                 strstr(e->msg, plain) ? plain : e->msg);
    __atomic_store_n(&g->failed, true, __ATOMIC_RELAXED);
    pthread_cond_broadcast(&g->turn_came);
    pthread_mutex_unlock(&g->lock);
}

static bool failed(const struct engine *g)
{
    return __atomic_load_n(&g->failed, __ATOMIC_RELAXED);
}

/* What is where -------------------------------------------------------------------------------- */

static int source_at(const struct img_copy *c, uint64_t off)
{
    int i = c->src_n - 1;

    while (i && off < c->src_start[i])
        i--;
    return i;
}

/* One layer's word, or the chain's, for the byte at @off of the whole. */
static int ask(const struct img_copy *c, uint64_t off, uint64_t len, struct blk_status *s,
               struct err *e)
{
    int i = source_at(c, off);
    struct blk *src = c->src[i], *below = blk_backing(c->dst);

    off -= c->src_start[i];
    len = min_u64(len, blk_size(src) - off);
    if (!c->dst_backing || c->base)
        return blk_status_above(src, c->base, off, len, s, e);
    if (below && off >= blk_size(below)) /* nothing to inherit: the whole chain counts */
        return blk_status_above(src, NULL, off, len, s, e);
    if (below)
        len = min_u64(len, blk_size(below) - off);
    return blk_status(src, off, len, s, e);
}

static enum kind kind_of(const struct img_copy *c, const struct blk_status *s)
{
    if (c->dst_backing && !s->allocated && !s->zero)
        return SKIP;
    if (c->dst_backing && !s->allocated && c->base)
        return SKIP;
    return s->zero && c->sparse ? ZERO : DATA;
}

/* g->run covers @off afterwards. */
static int find_run(struct engine *g, uint64_t off, struct err *e)
{
    const struct img_copy *c = g->c;
    struct blk_status s;
    int r;

    if (off >= g->run.off && off < g->run.end)
        return 0;
    r = ask(c, off, c->total - off, &s, e);
    if (r < 0 && !c->salvage)
        return r;
    if (r < 0 || !s.len) /* salvage: reading will tell */
        s = (struct blk_status){.len = min_u64(g->unit, c->total - off), .allocated = true};
    g->run = (struct run){off, off + s.len, kind_of(c, &s)};
    return 0;
}

/* The longest stretch from @off of whole units of one kind; a mixed unit is data. */
static int find_piece(struct engine *g, uint64_t off, struct piece *p, struct err *e)
{
    uint64_t total = g->c->total, end = off, stop;
    int r;

    p->off = off;
    p->kind = DATA;
    while (end < total && end - off < (p->kind == DATA ? g->piece : ZERO_PIECE)) {
        if ((r = find_run(g, end, e)) < 0)
            return r;
        enum kind kind = g->run.kind;

        stop = g->run.end;
        if (kind == DATA)
            stop = stop < total ? round_up(stop, g->unit) : total;
        else if (stop < total)
            stop = round_down(stop, g->unit);
        if (stop <= end) { /* less than a unit of something that is not data */
            kind = DATA;
            stop = end + g->unit;
        }
        if (end == off)
            p->kind = kind;
        else if (kind != p->kind)
            break;
        end = min_u64(stop, total);
    }
    p->len = end - off;
    if (p->kind == DATA)
        p->len = min_u64(p->len, g->piece);
    else if (p->len > ZERO_PIECE)
        p->len = ZERO_PIECE;
    return 0;
}

static bool nothing_to_do(const struct img_copy *c, const struct piece *p)
{
    return p->kind == SKIP || (p->kind == ZERO && c->zero_init && !c->dst_backing);
}

/* The next piece that needs work; false: no more, or failed. */
static bool take(struct engine *g, struct piece *p)
{
    struct err e = {0};
    bool got = false;

    pthread_mutex_lock(&g->lock);
    while (!got && !g->failed && g->next < g->c->total) {
        if (find_piece(g, g->next, p, &e) < 0) {
            pthread_mutex_unlock(&g->lock);
            fail(g, "reading block status", g->next, &e);
            return false;
        }
        g->next += p->len;
        if (nothing_to_do(g->c, p)) {
            g->done += p->len;
        } else {
            p->ticket = g->tickets++;
            got = true;
        }
    }
    pthread_mutex_unlock(&g->lock);
    return got;
}

/* Order ---------------------------------------------------------------------------------------- */

static bool wait_turn(struct engine *g, const struct piece *p)
{
    if (!g->ordered)
        return !failed(g);
    pthread_mutex_lock(&g->lock);
    while (g->turn != p->ticket && !g->failed)
        pthread_cond_wait(&g->turn_came, &g->lock);
    pthread_mutex_unlock(&g->lock);
    return !failed(g);
}

static void end_turn(struct engine *g, const struct piece *p)
{
    struct img_copy *c = g->c;
    uint64_t done, now = c->checkpoint ? img_now_ns() : 0;
    struct err e = {0};

    if (c->checkpoint && now - g->last_ns > CHECKPOINT_NS) { /* ordered: only this one is here */
        if (c->checkpoint(c->opaque, p->off + p->len, &e) < 0)
            fail(g, "recording progress", p->off, &e);
        g->last_ns = img_now_ns();
    }
    pthread_mutex_lock(&g->lock);
    g->turn++;
    done = g->done += p->len;
    if (g->ordered)
        pthread_cond_broadcast(&g->turn_came);
    pthread_mutex_unlock(&g->lock);
    img_progress(done, c->total);
}

/* Reading -------------------------------------------------------------------------------------- */

static int read_sources(const struct img_copy *c, uint64_t off, uint64_t len, char *buf,
                        struct err *e)
{
    while (len) {
        int i = source_at(c, off), r;
        uint64_t at = off - c->src_start[i], n = min_u64(len, blk_size(c->src[i]) - at);

        if ((r = blk_read(c->src[i], at, n, buf, e)) < 0)
            return r;
        off += n;
        len -= n;
        buf += n;
    }
    return 0;
}

/* What can be read is, sector by sector at the end; the rest is zeros. */
static void salvage(const struct img_copy *c, uint64_t off, uint64_t len, char *buf)
{
    struct err e = {0};

    if (read_sources(c, off, len, buf, &e) >= 0)
        return;
    if (len <= 512) {
        if (!c->quiet)
            img_error("warning: error while reading offset %" PRIu64 ": %s", off,
                      strerror(-e.code));
        memset(buf, 0, len);
        return;
    }
    uint64_t half = max_u64(round_down(len / 2, 512), 512);

    salvage(c, off, half, buf);
    salvage(c, off + half, len - half, buf + half);
}

static bool read_piece(struct engine *g, struct piece *p)
{
    struct err e = {0};

    p->data = p->buf;
    if (g->c->salvage) {
        salvage(g->c, p->off, p->len, p->buf);
        return true;
    }
    if (read_sources(g->c, p->off, p->len, p->buf, &e) >= 0)
        return true;
    fail(g, "reading", p->off, &e);
    return false;
}

/* Zeros in data -------------------------------------------------------------------------------- */

static uint64_t units_of(const struct engine *g, const struct piece *p)
{
    return div_up(p->len, g->unit);
}

static uint64_t unit_len(const struct engine *g, const struct piece *p, uint64_t i)
{
    return min_u64(g->unit, p->len - i * g->unit);
}

/* Runs of zero units that are shorter than -S wants are data, unless nothing else is there. */
static void drop_short_runs(const struct engine *g, struct piece *p, uint64_t n)
{
    uint64_t least = div_up(g->c->sparse, g->unit);

    for (uint64_t i = 0, start; i < n; i++) {
        if (!p->zero[i])
            continue;
        for (start = i; i < n && p->zero[i];)
            i++;
        if (i - start < least && i - start < n)
            memset(p->zero + start, 0, i - start);
    }
}

static void find_zeros(void *opaque)
{
    struct piece *p = opaque;
    const struct engine *g = p->engine;
    uint64_t n = units_of(g, p);

    for (uint64_t i = 0; i < n; i++)
        p->zero[i] = g->c->sparse && bytes_zero(p->data + i * g->unit, unit_len(g, p, i));
    if (g->c->sparse > g->unit && !g->c->compressed)
        drop_short_runs(g, p, n);
}

/* The piece where the host caches it; false: it has to be read. */
static bool view_piece(struct engine *g, struct piece *p)
{
    struct blk_status s;

    if (!g->views || ask(g->c, p->off, p->len, &s, ERR_IGNORE) < 0 || s.len < p->len || !s.data ||
        !s.has_host || s.compressed)
        return false;
    p->data = blk_view_at(&p->view, s.file, s.host, p->len);
    return p->data && blk_view_touch(find_zeros, p);
}

static bool get_piece(struct engine *g, struct piece *p)
{
    if (view_piece(g, p))
        return true;
    if (!read_piece(g, p))
        return false;
    find_zeros(p);
    return true;
}

/* Writing -------------------------------------------------------------------------------------- */

static int write_zeros(const struct engine *g, uint64_t off, uint64_t len, struct err *e)
{
    const struct img_copy *c = g->c;

    if (c->zero_init && !c->dst_backing)
        return 0;
    return blk_zero(c->dst, off, len, BLK_REQ_UNMAP, e);
}

static int write_runs(struct engine *g, struct piece *p, struct err *e)
{
    uint64_t n = units_of(g, p);
    int r;

    for (uint64_t i = 0, start; i < n;) {
        for (start = i; i < n && p->zero[i] == p->zero[start];)
            i++;
        uint64_t at = start * g->unit, len = min_u64(i * g->unit, p->len) - at;

        if (p->zero[start])
            r = write_zeros(g, p->off + at, len, e);
        else
            r = blk_write(g->c->dst, p->off + at, len, p->data + at, 0, e);
        if (r < 0)
            return r;
    }
    return 0;
}

static int pack(struct engine *g, struct piece *p, struct err *e)
{
    struct blk *dst = g->c->dst;
    uint64_t n = units_of(g, p);

    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = i * g->unit;

        p->packed_len[i] = 0;
        if (p->zero[i])
            continue;
        int r = blk_compress(dst, unit_len(g, p, i), p->data + at, p->packed + at,
                             &p->packed_len[i], e);

        if (r < 0)
            return r;
    }
    return 0;
}

static int write_packed(struct engine *g, struct piece *p, struct err *e)
{
    struct blk *dst = g->c->dst;
    uint64_t n = units_of(g, p);

    for (uint64_t i = 0; i < n; i++) {
        uint64_t at = i * g->unit, len = unit_len(g, p, i);
        int r = p->zero[i]         ? write_zeros(g, p->off + at, len, e)
                : p->packed_len[i] ? blk_store_compressed(dst, p->off + at, len, p->packed + at,
                                                          p->packed_len[i], e)
                                   : blk_write(dst, p->off + at, len, p->data + at, 0, e);

        if (r < 0)
            return r;
    }
    return 0;
}

/* 1: the host has copied it. */
static int copy_offloaded(struct engine *g, struct piece *p, struct err *e)
{
    struct img_copy *c = g->c;
    int i = source_at(c, p->off), r;
    uint64_t at = p->off - c->src_start[i];

    if (!c->copy_range || __atomic_load_n(&g->range_refused, __ATOMIC_RELAXED) ||
        at + p->len > blk_size(c->src[i]))
        return 0;
    if ((r = blk_copy_range(c->src[i], at, c->dst, p->off, p->len, 0, e)) >= 0)
        return 1;
    if (r != -ENOTSUP)
        return r;
    e->code = 0;
    __atomic_store_n(&g->range_refused, true, __ATOMIC_RELAXED);
    return 0;
}

static bool copy_data(struct engine *g, struct piece *p)
{
    struct err e = {0};
    int r = copy_offloaded(g, p, &e);

    if (!r) {
        if (!get_piece(g, p))
            return false;
        if (g->c->compressed && pack(g, p, &e) < 0) {
            fail(g, "compressing", p->off, &e);
            return false;
        }
        if (!wait_turn(g, p))
            return false;
        img_rate_wait(&g->c->rate, p->len);
        r = g->c->compressed ? write_packed(g, p, &e) : write_runs(g, p, &e);
        if (r == -EFAULT && p->data != p->buf) { /* the file is not as long any more */
            e.code = 0;
            if (!read_piece(g, p))
                return false;
            r = write_runs(g, p, &e);
        }
    }
    if (r < 0)
        fail(g, "writing", p->off, &e);
    return r >= 0;
}

static bool copy_zeros(struct engine *g, struct piece *p)
{
    struct err e = {0};

    if (!wait_turn(g, p))
        return false;
    if (write_zeros(g, p->off, p->len, &e) >= 0)
        return true;
    fail(g, "writing", p->off, &e);
    return false;
}

/* Workers -------------------------------------------------------------------------------------- */

static void *worker(void *opaque)
{
    struct engine *g = opaque;
    struct piece *p = calloc(1, sizeof(*p));

    if (!p || posix_memalign((void **)&p->buf, 4096, g->piece) ||
        (g->c->compressed && posix_memalign((void **)&p->packed, 4096, g->piece)))
        fatal("out of memory");
    p->engine = g;
    while (take(g, p)) {
        if (!(p->kind == DATA ? copy_data(g, p) : copy_zeros(g, p)))
            break;
        end_turn(g, p);
    }
    blk_view_end(&p->view);
    free(p->packed);
    free(p->buf);
    free(p);
    return NULL;
}

/* Two writers of one file only wait for each other in the kernel (or spin there): one writes while
 * others read.  Other protocols, and O_DIRECT, want many requests. */
static bool one_writer(const struct blk *b)
{
    while (b->file)
        b = b->file;
    return !strcmp(b->drv->name, "file") && !(b->flags & BLK_DIRECT);
}

static unsigned default_workers(const struct engine *g)
{
    unsigned n = g->c->workers;

    if (g->c->copy_range && one_writer(g->c->dst))
        return 1;
    if (!n)
        n = img_cpus();
    return (unsigned)min_u64(min_u64(n, COPY_WORKERS_MAX), g->c->total / g->piece + 1);
}

static void run_workers(struct engine *g)
{
    pthread_t threads[COPY_WORKERS_MAX];
    unsigned n = default_workers(g), started = 0;

    while (started + 1 < n && !pthread_create(&threads[started], NULL, worker, g))
        started++;
    worker(g); /* this thread is one of them */
    for (unsigned i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
}

/* Views go into system calls only: not through compression, encryption or a library. */
static bool takes_views(const struct blk *b)
{
    for (; b->file; b = b->file)
        if (b->coded || b->align > 1 || b->drv->kind == BLK_FILTER)
            return false;
    return blk_can_view(b);
}

static bool gives_views(const struct img_copy *c)
{
    for (int i = 0; i < c->src_n; i++)
        if (!blk_plain_files(c->src[i]))
            return false;
    return true;
}

int img_copy_run(struct img_copy *c)
{
    bool format = c->dst->drv->map != NULL;
    uint64_t unit = max_u64(c->dst->cluster, c->compressed ? 512 : 4096);
    uint64_t parts = c->zero_init && !c->dst_backing ? PART : PIECE;
    struct engine g = {
        .c = c,
        .unit = c->compressed ? unit : min_u64(unit, parts),
        .views = !c->compressed && !c->salvage && takes_views(c->dst) && gives_views(c),
        .ordered =
            c->compressed || c->checkpoint || (!c->out_of_order && (format || one_writer(c->dst))),
        .next = c->from,
        .done = c->from,
        .last_ns = c->checkpoint ? img_now_ns() : 0,
    };

    g.piece = max_u64(PIECE, g.unit);
    pthread_mutex_init(&g.lock, NULL);
    pthread_cond_init(&g.turn_came, NULL);
    if (g.views)
        blk_view_begin();
    run_workers(&g);
    pthread_mutex_destroy(&g.lock);
    pthread_cond_destroy(&g.turn_came);
    return g.failed ? img_error("%s", g.what) : 0;
}
