/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads that work queues off; see workers.h. */
#include "dev/virtio/workers.h"

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
    unsigned next_queue;
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

/* Give the batch back.  With the lock. */
static bool give_back(struct work *w)
{
    for (unsigned i = 0; i < w->n; i++) {
        struct work_item *it = work_get(w, i);

        if (it->done)
            vq_push(w->q, &it->el, it->written);
    }
    return vq_flush(w->q);
}

/* The guest's interrupt, unless the device has been reset or taken away since. */
static void tell(struct workers *ws, struct vq *q, uint64_t epoch, bool interrupt)
{
    struct machine *m = ws->v->m;

    if (!interrupt && !__atomic_load_n(&ws->v->broken, __ATOMIC_SEQ_CST))
        return;
    machine_lock(m);
    if (!ws->gone && ws->epoch == epoch) {
        if (interrupt)
            virtio_interrupt(q);
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
    interrupt = vq_flush(q);
    epoch = ws->epoch;
    pthread_mutex_unlock(&ws->lock);
    tell(ws, q, epoch, interrupt);
}

static void *thread_main(void *opaque);

/* One thread more, if all have work.  With the lock. */
static void more_threads(struct workers *ws)
{
    struct work *w;

    if (ws->idle) {
        pthread_cond_signal(&ws->wake);
        return;
    }
    if (ws->n_threads >= ws->max)
        return;
    w = calloc(1, sizeof(*w));
    if (w)
        w->items = calloc(WORK_BATCH, ws->ops->item_size);
    if (!w || !w->items)
        fatal("out of memory");
    w->ws = ws;
    w->limit = FIRST_BATCH;
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

static void *thread_main(void *opaque)
{
    struct work *w = opaque;
    struct workers *ws = w->ws;
    struct vq *q;

    pthread_setname_np(pthread_self(), "virtio-worker");
    pthread_mutex_lock(&ws->lock);
    while (!ws->gone) {
        q = ws->held ? NULL : next_kicked(ws);
        if (!q) {
            ws->idle++;
            pthread_cond_wait(&ws->wake, &ws->lock);
            ws->idle--;
            continue;
        }
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
    }
    pthread_mutex_unlock(&ws->lock);
    return NULL;
}

struct workers *workers_new(struct virtio *v, const struct work_ops *ops, unsigned threads)
{
    struct workers *ws = calloc(1, sizeof(*ws));

    if (ws)
        ws->kicked = calloc(v->n_queues, sizeof(*ws->kicked));
    if (!ws || !ws->kicked)
        fatal("out of memory");
    ws->v = v;
    ws->ops = ops;
    ws->max = threads;
    pthread_mutex_init(&ws->lock, NULL);
    pthread_cond_init(&ws->wake, NULL);
    pthread_cond_init(&ws->calm, NULL);
    return ws;
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
    free(ws);
}
