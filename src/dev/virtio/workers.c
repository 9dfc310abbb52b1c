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
    unsigned n;
    unsigned limit; /* how many the next batch has */
    uint64_t epoch;
    pthread_t thread;
    struct work *next;
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
    bool held; /* nothing begins */
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

/* Give the batch back.  With the lock. */
static bool give_back(struct work *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        struct work_item *it = work_get(w, i);

        if (it->done)
            vq_push(w->q, &it->el, it->written);
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

        *it = (struct work_item){0};
        if (vq_pop(q, &it->el, w->iov + used, ARENA - used) <= 0)
            break;
        used += it->el.n_rd + it->el.n_wr;
        w->n++;
    }
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
    struct vq *q = ws->held ? NULL : next_kicked(ws);

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
    ws->io = io;
    ws->job = (struct iothread_job){.fn = io_main, .opaque = ws};
    ws->io_work = io ? work_new(ws) : NULL;
    pthread_mutex_init(&ws->lock, NULL);
    pthread_cond_init(&ws->wake, NULL);
    pthread_cond_init(&ws->calm, NULL);
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
        if (!ws->held)
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
    pthread_mutex_unlock(&ws->lock);
    workers_go(ws);
}

void workers_forget_queue(struct workers *ws, struct vq *q)
{
    workers_drain(ws);
    pthread_mutex_lock(&ws->lock);
    unkick(ws, q);
    pthread_mutex_unlock(&ws->lock);
    workers_go(ws);
}

void workers_go(struct workers *ws)
{
    pthread_mutex_lock(&ws->lock);
    __atomic_store_n(&ws->held, false, __ATOMIC_SEQ_CST);
    if (ws->n_kicked)
        more_threads(ws);
    pthread_mutex_unlock(&ws->lock);
}

void workers_free(struct workers *ws)
{
    struct machine *m = ws->v->m;
    unsigned depth = 0;
    struct work *w;

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
    free(ws->kicked);
    free(ws->due);
    free(ws);
}
