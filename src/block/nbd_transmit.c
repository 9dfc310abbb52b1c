/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NBD server: requests and replies (proto.md, "Transmission phase").
 *
 * The connection's thread reads requests.  Quick ones it executes itself, and it sends the replies of
 * all that had arrived together with one system call.  When the disk makes it wait, it hands requests to
 * workers for a while.
 */
#include "base/bytes.h"
#include "block/nbd_server_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum {
    WORKERS_MAX = 16,
    IN_FLIGHT_MAX = 64 << 20, /* bytes of payload held for one client */
    OUT_FLUSH = 256 << 10,    /* replies are sent when this much has gathered */
    HOLE_LOOK = 128 << 10,    /* reads shorter than this are not worth a question about holes */
    SLOW_NS = 150000,         /* an inline request that took longer was waiting for the disk */
    SUSPECT_REQUESTS = 64,    /* or was preempted: so many are then watched */
    SLOW_REQUESTS = 256,      /* after one that slept so many go to workers before another try */
    PATIENCE_BATCHES = 4,     /* as many alike in a row tell how a client works */
    EXTENTS_MAX = 4096,
};

struct request {
    uint16_t flags;
    uint16_t cmd;
    unsigned char cookie[8];
    uint64_t off;
    uint32_t len;
    void *payload; /* of a write, owned */
    struct request *next;
};

/* struct out - replies on their way; belongs to one thread. */
struct out {
    unsigned char *buf;
    size_t used, max;
};

struct conn {
    struct nbd_client *c;
    struct blk *b;
    pthread_mutex_t send; /* one reply at a time on the socket */
    int send_error;       /* [send] */
    pthread_mutex_t lock;
    pthread_cond_t work, room;
    struct request *first, **last; /* [lock] for the workers */
    uint64_t in_flight;            /* [lock] payload bytes */
    unsigned requests;             /* [lock] handed out, not finished */
    unsigned workers, idle;        /* [lock] */
    bool leaving;                  /* [lock] */
    pthread_t threads[WORKERS_MAX];
    unsigned suspect; /* the reader's: watch so many requests for sleeping ... */
    unsigned slow;    /* ... and give so many to workers */
    unsigned batch;   /* requests taken since it last had to wait for one */
    unsigned unlike;  /* batches in a row that do not go with ... */
    bool patient;     /* ... this: it lets the client finish before it runs */
    bool ordinary;    /* nobody chose another scheduling policy for us */
};

/* Sending -------------------------------------------------------------------------------------- */

static unsigned char *out_room(struct out *o, size_t len)
{
    if (o->max - o->used < len) {
        o->max = max_u64(o->used + len, o->max * 2);
        if (!(o->buf = realloc(o->buf, o->max)))
            fatal("out of memory for a reply of %zu bytes", len);
    }
    return o->buf + o->used;
}

static void out_send(struct conn *n, struct out *o)
{
    struct iovec iov = {o->buf, o->used};
    int r;

    if (!o->used)
        return;
    pthread_mutex_lock(&n->send);
    if (!n->send_error && (r = nbd_chan_writev(&n->c->chan, &iov, 1)) < 0)
        n->send_error = r;
    pthread_mutex_unlock(&n->send);
    o->used = 0;
    if (o->max > OUT_FLUSH * 4) { /* an unusually long reply */
        free(o->buf);
        *o = (struct out){.buf = NULL};
    }
}

/* The head of a chunk with room for @len bytes behind it, which the caller fills. */
static unsigned char *chunk(struct out *o, const struct request *q, unsigned flags, unsigned type,
                            size_t len)
{
    unsigned char *p = out_room(o, NBD_CHUNK_SIZE + len);

    put_be32(p, NBD_STRUCTURED_MAGIC);
    put_be16(p + 4, (uint16_t)flags);
    put_be16(p + 6, (uint16_t)type);
    memcpy(p + 8, q->cookie, 8);
    put_be32(p + 16, (uint32_t)len);
    o->used += NBD_CHUNK_SIZE + len;
    return p + NBD_CHUNK_SIZE;
}

static uint32_t nbd_error(int code)
{
    switch (-code) {
    case EPERM:
    case EROFS:
    case EACCES: return NBD_EPERM;
    case ENOMEM: return NBD_ENOMEM;
    case ENOSPC:
    case EFBIG:
    case EDQUOT: return NBD_ENOSPC;
    case EOVERFLOW: return NBD_EOVERFLOW;
    case ENOTSUP: return NBD_ENOTSUP;
    case EINVAL: return NBD_EINVAL;
    }
    return NBD_EIO;
}

static void simple(struct out *o, const struct request *q, uint32_t error)
{
    unsigned char *p = out_room(o, NBD_SIMPLE_SIZE);

    put_be32(p, NBD_SIMPLE_MAGIC);
    put_be32(p + 4, error);
    memcpy(p + 8, q->cookie, 8);
    o->used += NBD_SIMPLE_SIZE;
}

static void reply_error(struct conn *n, struct out *o, const struct request *q, uint32_t error,
                        const char *why)
{
    size_t len = strnlen(why, NBD_MAX_STRING);
    unsigned char *p;

    if (!n->c->structured) {
        simple(o, q, error);
        return;
    }
    p = chunk(o, q, NBD_REPLY_DONE, NBD_REPLY_ERROR, 6 + len);
    put_be32(p, error);
    put_be16(p + 4, (uint16_t)len);
    memcpy(p + 6, why, len);
}

static void reply_done(struct conn *n, struct out *o, const struct request *q, int r,
                       const struct err *e)
{
    if (r < 0)
        reply_error(n, o, q, nbd_error(r), e->msg);
    else if (n->c->structured)
        chunk(o, q, NBD_REPLY_DONE, NBD_REPLY_NONE, 0);
    else
        simple(o, q, 0);
}

/* Requests ------------------------------------------------------------------------------------- */

/* The length of the run at @off that reads as zeros, or of the one that does not. */
static uint64_t zero_run(struct conn *n, uint64_t off, uint64_t len, bool *zero)
{
    struct blk_status s;

    *zero = false;
    if (blk_status_above(n->b, NULL, off, len, &s, ERR_IGNORE) < 0 || !s.len)
        return len;
    *zero = s.zero;
    return s.len;
}

static void do_read_structured(struct conn *n, struct out *o, const struct request *q)
{
    uint64_t base = n->c->export->off, done = 0;
    bool look = q->len >= HOLE_LOOK && !(q->flags & NBD_CMD_FLAG_DF);
    struct err e = {0};

    if (!q->len)
        chunk(o, q, NBD_REPLY_DONE, NBD_REPLY_NONE, 0);
    while (done < q->len) {
        uint64_t at = q->off + done, len = q->len - done;
        bool zero = false;

        if (look)
            len = min_u64(len, zero_run(n, base + at, len, &zero));
        unsigned flags = done + len == q->len ? NBD_REPLY_DONE : 0;
        size_t mark = o->used;
        unsigned char *p = zero ? chunk(o, q, flags, NBD_REPLY_OFFSET_HOLE, 12)
                                : chunk(o, q, flags, NBD_REPLY_OFFSET_DATA, 8 + len);

        put_be64(p, at);
        if (zero) {
            put_be32(p + 8, (uint32_t)len);
        } else if (blk_read(n->b, base + at, len, p + 8, &e) < 0) {
            o->used = mark;
            reply_error(n, o, q, nbd_error(e.code), e.msg);
            return;
        }
        done += len;
    }
}

static void do_read(struct conn *n, struct out *o, const struct request *q)
{
    struct err e = {0};

    if (n->c->structured) {
        do_read_structured(n, o, q);
        return;
    }
    size_t mark = o->used;

    simple(o, q, 0);
    if (blk_read(n->b, n->c->export->off + q->off, q->len, out_room(o, q->len), &e) >= 0) {
        o->used += q->len;
        return;
    }
    o->used = mark;
    simple(o, q, nbd_error(e.code));
}

/* One context's descriptors for [off, off+len) into @p: their number. */
static int describe(struct conn *n, const struct nbd_context *x, uint64_t off, uint64_t len,
                    bool one, unsigned char *p, struct err *e)
{
    uint32_t value, last = 0;
    int count = 0, r;

    while (len) {
        uint64_t run = 0, start;
        struct blk_status s;

        if (x->kind == CONTEXT_BITMAP) {
            if ((r = blk_bitmap_next(n->b, x->bitmap, off, &start, &run, e)) < 0)
                return r;
            value = r && start == off;
            if (!value)
                run = r ? start - off : len;
        } else {
            if ((r = blk_status_above(n->b, NULL, off, len, &s, e)) < 0)
                return r;
            run = s.len;
            value = x->kind == CONTEXT_DEPTH
                        ? (s.allocated ? (uint32_t)s.depth + 1 : 0)
                        : (s.data ? 0 : NBD_STATE_HOLE) | (s.zero ? NBD_STATE_ZERO : 0);
        }
        if (!run)
            return err_set(e, -EIO, "nothing is known at offset %" PRIu64, off);
        run = min_u64(run, len);
        if (count && value == last) {
            put_be32(p + 8 * (count - 1), get_be32(p + 8 * (count - 1)) + (uint32_t)run);
        } else {
            if ((one && count) || count == EXTENTS_MAX)
                break;
            put_be32(p + 8 * count, (uint32_t)run);
            put_be32(p + 8 * count + 4, value);
            count++;
        }
        last = value;
        off += run;
        len -= run;
    }
    return count;
}

static void do_block_status(struct conn *n, struct out *o, const struct request *q)
{
    struct nbd_client *c = n->c;
    struct err e = {0};

    if (!c->contexts_n) {
        reply_error(n, o, q, NBD_EINVAL, "no metadata context was negotiated");
        return;
    }
    unsigned char *list = malloc(8 * EXTENTS_MAX);

    if (!list)
        fatal("out of memory");
    for (unsigned i = 0; i < c->contexts_n; i++) {
        int k = describe(n, &c->contexts[i], c->export->off + q->off, q->len,
                         q->flags & NBD_CMD_FLAG_REQ_ONE, list, &e);

        if (k < 0) {
            reply_error(n, o, q, nbd_error(k), e.msg);
            break;
        }
        unsigned char *p = chunk(o, q, i + 1 == c->contexts_n ? NBD_REPLY_DONE : 0,
                                 NBD_REPLY_BLOCK_STATUS, 4 + 8 * (size_t)k);

        put_be32(p, i);
        memcpy(p + 4, list, 8 * (size_t)k);
    }
    free(list);
}

/* CACHE: read it once, so that the host has it. */
static int do_cache(struct conn *n, uint64_t off, uint64_t len, struct err *e)
{
    enum { PIECE = 1 << 20 };
    void *buf = malloc(PIECE);
    int r = buf ? 0 : err_set(e, -ENOMEM, "out of memory");

    for (; r >= 0 && len; off += min_u64(len, PIECE), len -= min_u64(len, PIECE))
        r = blk_read(n->b, off, min_u64(len, PIECE), buf, e);
    free(buf);
    return r;
}

static void execute(struct conn *n, struct out *o, struct request *q)
{
    const struct nbd_export *x = n->c->export;
    unsigned fua = q->flags & NBD_CMD_FLAG_FUA ? BLK_REQ_FUA : 0;
    uint64_t off = x->off + q->off;
    struct err e = {0};
    int r = 0;

    switch (q->cmd) {
    case NBD_CMD_READ: do_read(n, o, q); return;
    case NBD_CMD_BLOCK_STATUS: do_block_status(n, o, q); return;
    case NBD_CMD_WRITE: r = blk_write(n->b, off, q->len, q->payload, fua, &e); break;
    case NBD_CMD_FLUSH: r = blk_flush(n->b, &e); break;
    case NBD_CMD_TRIM:
        r = blk_discard(n->b, off, q->len, &e);
        if (r >= 0 && fua)
            r = blk_flush(n->b, &e);
        break;
    case NBD_CMD_CACHE: r = do_cache(n, off, q->len, &e); break;
    case NBD_CMD_WRITE_ZEROES:
        r = blk_zero(n->b, off, q->len,
                     fua | (q->flags & NBD_CMD_FLAG_NO_HOLE ? 0 : BLK_REQ_UNMAP) |
                         (q->flags & NBD_CMD_FLAG_FAST_ZERO ? BLK_REQ_NO_FALLBACK : 0),
                     &e);
        break;
    }
    reply_done(n, o, q, r, &e);
}

/* Workers -------------------------------------------------------------------------------------- */

/* The request is done: its room is free again. */
static void request_done(struct conn *n, struct request *q)
{
    uint64_t held = q->cmd == NBD_CMD_READ || q->cmd == NBD_CMD_WRITE ? q->len : 0;

    pthread_mutex_lock(&n->lock);
    n->in_flight -= held;
    n->requests--;
    pthread_cond_signal(&n->room);
    pthread_mutex_unlock(&n->lock);
    free(q->payload);
}

static void *worker(void *opaque)
{
    struct conn *n = opaque;
    struct out o = {.buf = NULL};

    for (;;) {
        pthread_mutex_lock(&n->lock);
        n->idle++;
        while (!n->first && !n->leaving)
            pthread_cond_wait(&n->work, &n->lock);
        n->idle--;
        struct request *q = n->first;

        if (q && !(n->first = q->next))
            n->last = &n->first;
        pthread_mutex_unlock(&n->lock);
        if (!q)
            break;
        execute(n, &o, q);
        out_send(n, &o);
        request_done(n, q);
        free(q);
    }
    free(o.buf);
    return NULL;
}

/* Give @q (a heap copy) to a worker; without any the reader does it. */
static bool hand_over(struct conn *n, struct request *q)
{
    bool taken;

    pthread_mutex_lock(&n->lock);
    if (!n->idle && n->workers < WORKERS_MAX &&
        !pthread_create(&n->threads[n->workers], NULL, worker, n))
        n->workers++;
    taken = n->workers > 0;
    if (taken) {
        q->next = NULL;
        *n->last = q;
        n->last = &q->next;
        pthread_cond_signal(&n->work);
    }
    pthread_mutex_unlock(&n->lock);
    return taken;
}

/* Reading requests --------------------------------------------------------------------------------- */

/* What is wrong with the request, or NULL.  Its payload, if any, has been read. */
static const char *check_request(const struct conn *n, const struct request *q, uint32_t *error)
{
    const struct nbd_export *x = n->c->export;
    unsigned allowed = NBD_CMD_FLAG_FUA;

    *error = NBD_EINVAL;
    switch (q->cmd) {
    case NBD_CMD_READ: allowed |= NBD_CMD_FLAG_DF; break;
    case NBD_CMD_WRITE_ZEROES: allowed |= NBD_CMD_FLAG_NO_HOLE | NBD_CMD_FLAG_FAST_ZERO; break;
    case NBD_CMD_BLOCK_STATUS: allowed |= NBD_CMD_FLAG_REQ_ONE; break;
    case NBD_CMD_WRITE:
    case NBD_CMD_FLUSH:
    case NBD_CMD_TRIM:
    case NBD_CMD_CACHE: break;
    default: return "unknown command";
    }
    if (q->flags & ~allowed)
        return "unknown flags";
    if (!x->writable &&
        (q->cmd == NBD_CMD_WRITE || q->cmd == NBD_CMD_TRIM || q->cmd == NBD_CMD_WRITE_ZEROES)) {
        *error = NBD_EPERM;
        return "export is read-only";
    }
    if (q->cmd == NBD_CMD_READ && q->len > NBD_MAX_PAYLOAD)
        return "request too long";
    if (q->cmd == NBD_CMD_FLUSH)
        return q->off || q->len ? "FLUSH has no range" : NULL;
    if (q->off > x->size || q->len > x->size - q->off) {
        *error =
            q->cmd == NBD_CMD_WRITE || q->cmd == NBD_CMD_WRITE_ZEROES ? NBD_ENOSPC : NBD_EINVAL;
        return "request past the end of the export";
    }
    if (q->cmd == NBD_CMD_BLOCK_STATUS && (!q->len || !n->c->structured))
        return q->len ? "BLOCK_STATUS wants structured replies" : "empty BLOCK_STATUS";
    return NULL;
}

static int parse_request(struct nbd_client *c, struct request *q, struct err *e)
{
    unsigned char head[NBD_REQUEST_SIZE];
    int r = nbd_chan_read(&c->chan, head, sizeof(head));

    if (r < 0)
        return r;
    if (get_be32(head) != NBD_REQUEST_MAGIC)
        return err_set(e, -EPROTO, "NBD client sent no request");
    q->flags = get_be16(head + 4);
    q->cmd = get_be16(head + 6);
    memcpy(q->cookie, head + 8, 8);
    q->off = get_be64(head + 16);
    q->len = get_be32(head + 24);
    q->payload = NULL;
    if (q->cmd == NBD_CMD_WRITE && q->len > NBD_MAX_PAYLOAD)
        return err_set(e, -EPROTO, "NBD write of %" PRIu32 " bytes: limit is %d", q->len,
                       NBD_MAX_PAYLOAD);
    return 0;
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* How often this thread has waited for anything. */
static long sleeps(void)
{
    struct rusage u;

    getrusage(RUSAGE_THREAD, &u);
    return u.ru_nvcsw + u.ru_inblock;
}

/*
 * Execute here, and learn whether the disk makes us wait.  A long request may only have been preempted,
 * and asking costs a system call: so a long one only makes the next ones be watched.
 */
static void execute_here(struct conn *n, struct out *o, struct request *q)
{
    long before = n->suspect ? sleeps() : 0;
    uint64_t start = now_ns();

    execute(n, o, q);
    if (now_ns() - start > SLOW_NS + q->len / 2) {
        if (!n->suspect)
            n->suspect = SUSPECT_REQUESTS;
        else if (sleeps() != before)
            n->slow = SLOW_REQUESTS;
    }
    if (n->suspect)
        n->suspect--;
}

/* Payload bytes are bounded: wait until enough requests are done. */
static void wait_for_room(struct conn *n, struct out *o, uint64_t len)
{
    pthread_mutex_lock(&n->lock);
    if (n->requests && n->in_flight + len > IN_FLIGHT_MAX) {
        pthread_mutex_unlock(&n->lock);
        out_send(n, o);
        pthread_mutex_lock(&n->lock);
    }
    while (n->requests && n->in_flight + len > IN_FLIGHT_MAX)
        pthread_cond_wait(&n->room, &n->lock);
    n->in_flight += len;
    n->requests++;
    pthread_mutex_unlock(&n->lock);
}

static void dispatch(struct conn *n, struct out *o, struct request *q)
{
    bool waits = q->cmd == NBD_CMD_FLUSH || q->cmd == NBD_CMD_TRIM || q->cmd == NBD_CMD_CACHE ||
                 (q->flags & NBD_CMD_FLAG_FUA && q->cmd != NBD_CMD_READ);
    struct request *copy;

    if (waits || n->slow || q->len >= IN_FLIGHT_MAX / 64) {
        if (n->slow)
            n->slow--;
        if (!(copy = malloc(sizeof(*copy))))
            fatal("out of memory");
        *copy = *q;
        out_send(n, o); /* nothing that is ready waits for what is not */
        if (hand_over(n, copy))
            return;
        free(copy);
    }
    execute_here(n, o, q);
    request_done(n, q);
}

/*
 * A client with several requests under way does best when it sends them all before we run: its first
 * byte would else wake us in the middle, on a busy processor in its place (measured: two context switches for
 * five requests instead of one for thirty).  SCHED_BATCH asks the kernel for that.  A client that waits for each
 * reply wants us at once.
 */
static void batch_ended(struct conn *n)
{
    bool several = n->batch > 1;

    n->batch = 0;
    if (several == n->patient)
        n->unlike = 0;
    else if (++n->unlike >= PATIENCE_BATCHES) {
        n->patient = several;
        n->unlike = 0;
        if (n->ordinary)
            sched_setscheduler(0, several ? SCHED_BATCH : SCHED_OTHER, &(struct sched_param){0});
    }
}

static int read_requests(struct conn *n, struct out *o, struct err *e)
{
    struct nbd_chan *chan = &n->c->chan;
    struct request q;
    uint32_t error;
    int r;

    for (;;) {
        bool last = nbd_chan_buffered(chan) < NBD_REQUEST_SIZE;

        if (last || o->used >= OUT_FLUSH)
            out_send(n, o);
        if (last)
            batch_ended(n);
        n->batch++;
        if ((r = parse_request(n->c, &q, e)) < 0)
            return e->code ? r : 0; /* gone without a word: not our failure */
        if (q.cmd == NBD_CMD_DISC)
            return 0;
        const char *wrong = check_request(n, &q, &error);

        if (wrong) {
            if (q.cmd == NBD_CMD_WRITE && (r = nbd_chan_skip(chan, q.len)) < 0)
                return 0;
            reply_error(n, o, &q, error, wrong);
            continue;
        }
        wait_for_room(n, o, q.cmd == NBD_CMD_READ || q.cmd == NBD_CMD_WRITE ? q.len : 0);
        if (q.cmd == NBD_CMD_WRITE) {
            if (!(q.payload = malloc(q.len ? q.len : 1)))
                fatal("out of memory for a request of %" PRIu32 " bytes", q.len);
            if (nbd_chan_buffered(chan) < q.len)
                out_send(n, o);
            if ((r = nbd_chan_read(chan, q.payload, q.len)) < 0) {
                free(q.payload);
                return 0;
            }
        }
        dispatch(n, o, &q);
    }
}

int nbd_transmit(struct nbd_client *c, struct err *e)
{
    struct conn n = {.c = c,
                     .b = c->export->b,
                     .last = &n.first,
                     .ordinary = sched_getscheduler(0) == SCHED_OTHER};
    struct out o = {.buf = NULL};
    int r;

    pthread_mutex_init(&n.send, NULL);
    pthread_mutex_init(&n.lock, NULL);
    pthread_cond_init(&n.work, NULL);
    pthread_cond_init(&n.room, NULL);
    r = read_requests(&n, &o, e);
    out_send(&n, &o);
    pthread_mutex_lock(&n.lock);
    n.leaving = true;
    pthread_cond_broadcast(&n.work);
    pthread_mutex_unlock(&n.lock);
    for (unsigned i = 0; i < n.workers; i++)
        pthread_join(n.threads[i], NULL);
    pthread_mutex_destroy(&n.send);
    pthread_mutex_destroy(&n.lock);
    pthread_cond_destroy(&n.work);
    pthread_cond_destroy(&n.room);
    free(o.buf);
    return r;
}

static struct nbd_client *client_new(const struct nbd_server *s, int fd)
{
    struct nbd_client *c = calloc(1, sizeof(*c));

    if (!c)
        fatal("out of memory");
    c->server = s;
    nbd_chan_init(&c->chan, fd);
    return c;
}

static int client_end(struct nbd_client *c, int r)
{
    nbd_chan_end(&c->chan);
    free(c);
    return r < 0 ? r : 0;
}

int nbd_serve(const struct nbd_server *s, int fd, bool *connected, struct err *e)
{
    struct nbd_client *c = client_new(s, fd);
    int r = nbd_handshake(c, e);

    if (!r) {
        if (connected)
            *connected = true;
        r = nbd_transmit(c, e);
    }
    return client_end(c, r);
}

int nbd_serve_kernel(const struct nbd_server *s, int fd, struct err *e)
{
    struct nbd_client *c = client_new(s, fd);

    c->export = &s->exports[0];
    return client_end(c, nbd_transmit(c, e));
}
