/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that work queues off; see workers.h. */
#include "dev/virtio/workers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

enum { ARENA = 4 * VQ_MAX_SEGS };
/* A request that takes longer waits for the host: then each goes to a thread of its own, and its end is told at once.
 * Else many are taken and told of together. */
enum { SLOW_NS = 100000, FIRST_BATCH = 4 };

struct work {
    struct workers *ws;
    struct vq *q;
    uint8_t *items;
    struct iovec iov[ARENA];
    uint64_t addr[ARENA]; /* of iov, in the guest */
    unsigned n;
    unsigned limit; /* how many the next batch has */
    uint64_t epoch;
    pthread_t thread;
    struct work *next;
};

/* A chain that is taken again. */
struct later {
    struct later *next;
    unsigned queue;
    struct vq_elem el; /* rd, wr, addr are not used */
    struct piece {
        uint64_t addr;
        struct iovec host;
    } piece[];
};

struct workers {
    struct virtio *v;
    const struct work_ops *ops;
    unsigned max;

    pthread_mutex_t lock; /* all below, and the queues */
    pthread_cond_t wake, calm;
    struct work *threads;
    unsigned n_threads, idle, busy;
    unsigned n_kicked;
    bool *kicked; /* for each queue */
    bool *due;    /* for each queue: the guest has yet to be interrupted */
    unsigned next_queue;
    struct iothread *io;
    struct iothread_job job;
    struct work *io_work; /* what the iothread has in work */
    bool io_called;       /* it is at work, or will be soon */
    struct later *later, **later_end;
    bool held;   /* nothing begins */
    bool stands; /* nothing begins, the machine stands still */
    bool gone; /* [also read under the machine's lock] */
    uint64_t epoch;
};

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct work_item *work_get(struct work *w, unsigned i)
{
    return (struct work_item *)(w->items + i * w->ws->ops->item_size);
}

/* Who sees the queue without having been interrupted would wait for ever: so it is noted. */
static bool flush(struct workers *ws, struct vq *q)
{
    bool interrupt = vq_flush(q);

    ws->due[q->index] |= interrupt;
    return interrupt;
}

static unsigned n_pieces(const struct vq_elem *el)
{
    return (unsigned)el->n_rd + el->n_wr;
}

static struct later *later_new(struct workers *ws, unsigned queue, const struct vq_elem *el)
{
    struct later *l = malloc(sizeof(*l) + n_pieces(el) * sizeof(l->piece[0]));

    if (!l)
        fatal("out of memory");
    l->next = NULL;
    l->queue = queue;
    l->el = *el;
    *ws->later_end = l;
    ws->later_end = &l->next;
    ws->n_kicked += !ws->kicked[queue];
    ws->kicked[queue] = true;
    return l;
}

/* With the lock. */
static void keep(struct workers *ws, unsigned queue, const struct vq_elem *el)
{
    struct later *l = later_new(ws, queue, el);

    for (unsigned i = 0; i < n_pieces(el); i++)
        l->piece[i] = (struct piece){el->addr[i], el->rd[i]};
}

/* Those of @queue, or of all. */
static void forget_later(struct workers *ws, const struct vq *queue)
{
    for (struct later **at = &ws->later; *at;) {
        struct later *l = *at;

        if (queue && l->queue != queue->index) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        free(l);
    }
    for (ws->later_end = &ws->later; *ws->later_end;)
        ws->later_end = &(*ws->later_end)->next;
}

/* Give the batch back.  With the lock. */
static bool give_back(struct work *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        struct work_item *it = work_get(w, i);

        if (it->done)
            vq_push(w->q, &it->el, it->written);
        else if (it->again)
            keep(w->ws, w->q->index, &it->el);
    }
    return flush(w->ws, w->q);
}

/* Under the machine's lock, without ours. */
static void interrupt_due(struct workers *ws, struct vq *q)
{
    bool due;

    pthread_mutex_lock(&ws->lock);
    due = ws->due[q->index];
    ws->due[q->index] = false;
    pthread_mutex_unlock(&ws->lock);
    if (due)
        virtio_interrupt(q);
}

/* The guest's interrupt, unless the device has been reset or taken away since. */
static void tell(struct workers *ws, struct vq *q, uint64_t epoch, bool interrupt)
{
    struct machine *m = ws->v->m;

    if (!interrupt && !__atomic_load_n(&ws->v->broken, __ATOMIC_SEQ_CST))
        return;
    machine_lock(m);
    if (!ws->gone && ws->epoch == epoch) {
        interrupt_due(ws, q);
        virtio_tell(ws->v);
    }
    machine_unlock(m);
}

void work_again(struct work *w, unsigned i)
{
    work_get(w, i)->again = true;
}

void work_done(struct work *w, unsigned i, uint32_t written)
{
    struct work_item *it = work_get(w, i);

    it->written = written;
    it->done = true;
}

void workers_finish(struct workers *ws, struct vq *q, const struct vq_elem *el, uint32_t written)
{
    bool interrupt;
    uint64_t epoch;

    pthread_mutex_lock(&ws->lock);
    vq_push(q, el, written);
    interrupt = flush(ws, q);
    epoch = ws->epoch;
    pthread_mutex_unlock(&ws->lock);
    tell(ws, q, epoch, interrupt);
}

static void *thread_main(void *opaque);

static struct work *work_new(struct workers *ws)
{
    struct work *w = calloc(1, sizeof(*w));

    if (w)
        w->items = calloc(WORK_BATCH, ws->ops->item_size);
    if (!w || !w->items)
        fatal("out of memory");
    w->ws = ws;
    w->limit = FIRST_BATCH;
    return w;
}

/* One thread more, if all have work.  With the lock. */
static void more_threads(struct workers *ws)
{
    struct work *w;

    if (ws->io && (!ws->io_called || !ws->busy)) { /* not yet at work, it is about to look */
        if (!ws->io_called)
            iothread_post(ws->io, &ws->job);
        ws->io_called = true;
        return;
    }
    if (ws->idle) {
        pthread_cond_signal(&ws->wake);
        return;
    }
    if (ws->n_threads >= ws->max)
        return;
    w = work_new(ws);
    if (pthread_create(&w->thread, NULL, thread_main, w) != 0) {
        if (!ws->n_threads)
            fatal("cannot start a thread for a disk");
        free(w->items);
        free(w);
        return;
    }
    w->next = ws->threads;
    ws->threads = w;
    ws->n_threads++;
}

/* A kicked queue, in turns. */
static struct vq *next_kicked(struct workers *ws)
{
    unsigned n = ws->v->n_queues;

    for (unsigned i = 0; i < n; i++) {
        unsigned k = (ws->next_queue + i) % n;

        if (ws->kicked[k]) {
            ws->next_queue = k + 1;
            return &ws->v->vq[k];
        }
    }
    return NULL;
}

static void unkick(struct workers *ws, struct vq *q)
{
    ws->n_kicked -= ws->kicked[q->index];
    ws->kicked[q->index] = false;
}

static void pop(struct work *w, struct vq *q)
{
    unsigned used = 0;

    while (w->n < w->limit && ARENA - used >= VQ_MAX_SEGS) {
        struct work_item *it = work_get(w, w->n);

        *it = (struct work_item){.el.addr = w->addr + used};
        if (vq_pop(q, &it->el, w->iov + used, ARENA - used) <= 0)
            break;
        used += n_pieces(&it->el);
        w->n++;
    }
}

/* What is to be taken again comes before what is in the ring. */
static void pop_later(struct work *w, const struct vq *q)
{
    unsigned used = 0;

    for (struct later **at = &w->ws->later; *at && w->n < WORK_BATCH && ARENA - used >= VQ_MAX_SEGS;) {
        struct work_item *it = work_get(w, w->n);
        struct later *l = *at;

        if (l->queue != q->index) {
            at = &l->next;
            continue;
        }
        *it = (struct work_item){.el = l->el};
        it->el.addr = w->addr + used;
        it->el.rd = w->iov + used;
        it->el.wr = it->el.rd + it->el.n_rd;
        for (unsigned i = 0; i < n_pieces(&it->el); i++, used++) {
            w->addr[used] = l->piece[i].addr;
            w->iov[used] = l->piece[i].host;
        }
        w->n++;
        *at = l->next;
        free(l);
    }
    for (w->ws->later_end = &w->ws->later; *w->ws->later_end;)
        w->ws->later_end = &(*w->ws->later_end)->next;
}

/*
 * Fill the batch from @q.  With the lock.  While a batch is done quickly the driver need not kick: we look again
 * behind it.  When it is slow the next kick goes to another thread.
 */
static void take(struct work *w, struct vq *q)
{
    w->q = q;
    w->n = 0;
    w->epoch = w->ws->epoch;
    if (w->ws->later) {
        pop_later(w, q);
        if (w->n)
            return;
    }
    vq_quiet(q);
    do {
        pop(w, q);
        if ((w->n && w->limit > 1) || w->n == w->limit)
            return;
    } while (vq_listen(q));
    unkick(w->ws, q);
}

static void do_batch(struct work *w)
{
    struct workers *ws = w->ws;
    int64_t begin = now();
    bool interrupt;

    ws->busy++;
    if (ws->n_kicked > ws->kicked[w->q->index] || !vq_empty(w->q))
        more_threads(ws);
    pthread_mutex_unlock(&ws->lock);
    ws->ops->do_batch(ws->v, w->q, w, w->n);
    pthread_mutex_lock(&ws->lock);
    interrupt = give_back(w);
    if (now() - begin > SLOW_NS * (int64_t)w->n)
        w->limit = 1;
    else
        w->limit = w->limit < WORK_BATCH / 2 ? w->limit * 2 : WORK_BATCH;
    if (!--ws->busy)
        pthread_cond_broadcast(&ws->calm);
    pthread_mutex_unlock(&ws->lock);
    tell(ws, w->q, w->epoch, interrupt);
    pthread_mutex_lock(&ws->lock);
}

/* A batch of what is there; false: nothing.  With the lock. */
static bool serve(struct work *w)
{
    struct workers *ws = w->ws;
    struct vq *q = ws->held || ws->stands ? NULL : next_kicked(ws);

    if (!q)
        return false;
    take(w, q);
    if (w->n) {
        do_batch(w);
    } else if (__atomic_load_n(&ws->v->broken, __ATOMIC_SEQ_CST)) {
        uint64_t epoch = ws->epoch;

        unkick(ws, q);
        pthread_mutex_unlock(&ws->lock);
        tell(ws, q, epoch, false);
        pthread_mutex_lock(&ws->lock);
    }
    return true;
}

static void *thread_main(void *opaque)
{
    struct work *w = opaque;
    struct workers *ws = w->ws;

    pthread_setname_np(pthread_self(), "virtio-worker");
    pthread_mutex_lock(&ws->lock);
    while (!ws->gone) {
        if (serve(w))
            continue;
        ws->idle++;
        pthread_cond_wait(&ws->wake, &ws->lock);
        ws->idle--;
    }
    pthread_mutex_unlock(&ws->lock);
    return NULL;
}

/* The iothread's part: a batch, and then other devices' turn. */
static void io_main(void *opaque)
{
    struct workers *ws = opaque;

    pthread_mutex_lock(&ws->lock);
    if (!ws->gone && serve(ws->io_work))
        iothread_post(ws->io, &ws->job);
    else
        ws->io_called = false;
    pthread_mutex_unlock(&ws->lock);
}

static void state_changed(void *opaque, bool running, enum run_state s)
{
    struct workers *ws = opaque;

    pthread_mutex_lock(&ws->lock);
    ws->stands = !running;
    if (running && ws->n_kicked && !ws->held)
        more_threads(ws);
    pthread_mutex_unlock(&ws->lock);
}

struct workers *workers_new(struct virtio *v, const struct work_ops *ops, unsigned threads,
                            struct iothread *io)
{
    struct workers *ws = calloc(1, sizeof(*ws));

    if (ws)
        ws->kicked = calloc(v->n_queues, sizeof(*ws->kicked));
    if (ws)
        ws->due = calloc(v->n_queues, sizeof(*ws->due));
    if (!ws || !ws->kicked || !ws->due)
        fatal("out of memory");
    ws->v = v;
    ws->ops = ops;
    ws->max = threads;
    ws->later_end = &ws->later;
    ws->io = io;
    ws->job = (struct iothread_job){.fn = io_main, .opaque = ws};
    ws->io_work = io ? work_new(ws) : NULL;
    pthread_mutex_init(&ws->lock, NULL);
    pthread_cond_init(&ws->wake, NULL);
    pthread_cond_init(&ws->calm, NULL);
    machine_on_state(v->m, state_changed, ws);
    return ws;
}

int workers_io(const struct virtio *v, const char *id, struct iothread **io, struct err *e)
{
    *io = id ? machine_backend(v->m, "iothread", id) : NULL;
    return id && !*io ? err_set(e, -ENOENT, "Property 'iothread' can't find value '%s'", id) : 0;
}

void workers_kick(struct workers *ws, struct vq *q)
{
    pthread_mutex_lock(&ws->lock);
    if (!ws->kicked[q->index]) {
        ws->kicked[q->index] = true;
        ws->n_kicked++;
        if (!ws->held && !ws->stands)
            more_threads(ws);
    }
    pthread_mutex_unlock(&ws->lock);
}

void workers_drain(struct workers *ws)
{
    pthread_mutex_lock(&ws->lock);
    __atomic_store_n(&ws->held, true, __ATOMIC_SEQ_CST);
    while (ws->busy)
        pthread_cond_wait(&ws->calm, &ws->lock);
    pthread_mutex_unlock(&ws->lock);
    for (unsigned i = 0; i < ws->v->n_queues; i++) /* its thread may wait for the machine's lock to do it */
        interrupt_due(ws, &ws->v->vq[i]);
}

void workers_forget(struct workers *ws)
{
    workers_drain(ws);
    pthread_mutex_lock(&ws->lock);
    ws->epoch++;
    ws->n_kicked = 0;
    memset(ws->kicked, 0, ws->v->n_queues * sizeof(*ws->kicked));
    forget_later(ws, NULL);
    pthread_mutex_unlock(&ws->lock);
    workers_go(ws);
}

void workers_forget_queue(struct workers *ws, struct vq *q)
{
    workers_drain(ws);
    pthread_mutex_lock(&ws->lock);
    unkick(ws, q);
    forget_later(ws, q);
    pthread_mutex_unlock(&ws->lock);
    workers_go(ws);
}

void workers_go(struct workers *ws)
{
    pthread_mutex_lock(&ws->lock);
    __atomic_store_n(&ws->held, false, __ATOMIC_SEQ_CST);
    if (ws->n_kicked && !ws->stands)
        more_threads(ws);
    pthread_mutex_unlock(&ws->lock);
}

/* A chain: queue (16 bits), id, pos, n_descs, n_rd, n_wr (16 each), then address (64) and length (32) of each piece. */
void workers_saving(struct workers *ws, struct state_blob *b)
{
    struct state_out out = {0};

    workers_drain(ws);
    pthread_mutex_lock(&ws->lock);
    for (const struct later *l = ws->later; l; l = l->next) {
        const struct vq_elem *el = &l->el;
        const uint64_t head[] = {l->queue, el->id, el->pos, el->n_descs, el->n_rd, el->n_wr};

        for (unsigned i = 0; i < ARRAY_LEN(head); i++)
            state_put_le(&out, head[i], 2);
        for (unsigned i = 0; i < n_pieces(el); i++) {
            state_put_le(&out, l->piece[i].addr, 8);
            state_put_le(&out, l->piece[i].host.iov_len, 4);
        }
    }
    pthread_mutex_unlock(&ws->lock);
    free(b->data);
    *b = (struct state_blob){out.data, out.len};
}

/* One chain of the stream, every word of which may be wrong.  With the lock. */
static int load_later(struct workers *ws, struct state_in *in, struct err *e)
{
    struct vq_elem el = {0};
    struct iovec iov[VQ_MAX_SEGS];
    uint64_t addr[VQ_MAX_SEGS], head[6], len;
    struct vq *q;
    int r;

    for (unsigned i = 0; i < ARRAY_LEN(head); i++)
        if ((r = state_get_le(in, 2, &head[i], e)) < 0)
            return r;
    q = virtio_queue(ws->v, (uint32_t)head[0]);
    if (!q || head[4] + head[5] > VQ_MAX_SEGS || head[3] > q->size || head[2] > UINT16_MAX)
        return err_set(e, -EILSEQ, "a request of queue %u that cannot be", (unsigned)head[0]);
    el = (struct vq_elem){.id = (uint16_t)head[1], .pos = (uint16_t)head[2], .n_descs = (uint16_t)head[3],
                          .n_rd = (uint16_t)head[4], .n_wr = (uint16_t)head[5], .addr = addr};
    for (unsigned i = 0; i < n_pieces(&el); i++) {
        if ((r = state_get_le(in, 8, &addr[i], e)) < 0 || (r = state_get_le(in, 4, &len, e)) < 0)
            return r;
        iov[i].iov_len = len;
    }
    if ((r = vq_restore(q, &el, iov, e)) < 0)
        return r;
    keep(ws, q->index, &el);
    return 0;
}

int workers_loaded(struct workers *ws, const struct state_blob *b, struct err *e)
{
    struct state_in in = {b->data, b->len};
    int r = 0;

    pthread_mutex_lock(&ws->lock);
    forget_later(ws, NULL);
    while (in.left && r >= 0)
        r = load_later(ws, &in, e);
    if (r < 0)
        forget_later(ws, NULL);
    ws->stands = machine_state(ws->v->m) != RUN_RUNNING && (machine_loop(ws->v->m) || ws->later);
    pthread_mutex_unlock(&ws->lock);
    for (unsigned i = 0; i < ws->v->n_queues && r >= 0; i++)
        if (ws->v->vq[i].enabled && virtio_running(ws->v))
            ws->v->type->kick(ws->v, &ws->v->vq[i]); /* which knows the queues that are not the workers' */
    workers_go(ws);
    return r;
}

void workers_free(struct workers *ws)
{
    struct machine *m = ws->v->m;
    unsigned depth = 0;
    struct work *w;

    machine_off_state(m, ws);
    workers_drain(ws);
    pthread_mutex_lock(&ws->lock);
    ws->gone = true;
    pthread_cond_broadcast(&ws->wake);
    pthread_mutex_unlock(&ws->lock);
    for (; machine_locked(m); depth++)
        machine_unlock(m); /* a thread may be on its way to an interrupt */
    if (ws->io) {
        iothread_cancel(ws->io, &ws->job);
        free(ws->io_work->items);
        free(ws->io_work);
    }
    while ((w = ws->threads)) {
        pthread_join(w->thread, NULL);
        ws->threads = w->next;
        free(w->items);
        free(w);
    }
    while (depth--)
        machine_lock(m);
    pthread_mutex_destroy(&ws->lock);
    pthread_cond_destroy(&ws->wake);
    pthread_cond_destroy(&ws->calm);
    forget_later(ws, NULL);
    free(ws->kicked);
    free(ws->due);
    free(ws);
}
