/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NVMe queues and the threads that work them off (NVM Express 1.4, 4.1, 4.6, 7.5). */
#include "dev/nvme/nvme.h"

#include "base/bytes.h"

#include <stdlib.h>
#include <time.h>

/* When commands take longer than SLOW_NS, which means that they wait for the host, each goes to a worker of its own. */
enum { THREADS = 4, BATCH = NVME_MAX_LATER / THREADS, SLOW_NS = 100000 };

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * NS_PER_S + t.tv_nsec;
}

static uint32_t cq_filled(const struct nvme_cq *q)
{
    return q->tail >= q->head ? q->tail - q->head : q->tail + q->size - q->head;
}

/* One slot stays empty; those of commands in work are taken. */
static bool cq_has_room(const struct nvme_cq *q)
{
    return q->used && cq_filled(q) + q->reserved + 1 < q->size;
}

bool nvme_reserve(struct nvme_cq *q)
{
    if (!cq_has_room(q))
        return false;
    q->reserved++;
    return true;
}

static void parse(const uint8_t *b, struct nvme_cmd *c)
{
    c->opcode = b[0];
    c->flags = b[1];
    c->cid = get_le16(b + 2);
    c->nsid = get_le32(b + 4);
    memcpy(c->dptr, b + 24, 16);
    c->prp1 = get_le64(b + 24);
    c->prp2 = get_le64(b + 32);
    c->cdw10 = get_le32(b + 40);
    c->cdw11 = get_le32(b + 44);
    c->cdw12 = get_le32(b + 48);
    c->cdw13 = get_le32(b + 52);
    c->cdw14 = get_le32(b + 56);
    c->cdw15 = get_le32(b + 60);
}

bool nvme_fetch(struct nvme *n, struct nvme_sq *q, struct nvme_cmd *c)
{
    struct nvme_cq *cq = &n->cq[q->cqid];
    uint8_t raw[NVME_SQE];

    if (!q->used || q->head == q->tail || !cq_has_room(cq))
        return false;
    if (!nvme_ram(n, q->base + (uint64_t)q->head * NVME_SQE, raw, sizeof(raw), false))
        memset(raw, 0,
               sizeof(raw)); /* a queue that is not in memory: some command that does nothing */
    parse(raw, c);
    q->head = q->head + 1 == q->size ? 0 : q->head + 1;
    cq->reserved++;
    q->inflight++;
    n->inflight++;
    return true;
}

void nvme_hold(struct nvme *n, struct nvme_sq *q)
{
    n->cq[q->cqid].reserved--;
    q->inflight--;
    n->inflight--;
}

bool nvme_unhold(struct nvme *n, struct nvme_sq *q)
{
    if (!q->used || !cq_has_room(&n->cq[q->cqid]))
        return false;
    n->cq[q->cqid].reserved++;
    q->inflight++;
    n->inflight++;
    return true;
}

/* The phase bit comes with the last word: who sees it sees the whole entry, and the data. */
static void put_entry(struct nvme *n, uint64_t at, const uint8_t e[NVME_CQE])
{
    uint64_t len = NVME_CQE;
    uint8_t *host = pci_dma_map(&n->pci, at, &len, true);
    uint32_t last;

    if (!host || len < NVME_CQE)
        return; /* the queue is not in memory */
    memcpy(host, e, 12);
    memcpy(&last, e + 12, 4);
    __atomic_store_n((uint32_t *)(host + 12), last, __ATOMIC_RELEASE);
    pci_dma_unmap(&n->pci, host, NVME_CQE);
}

void nvme_complete(struct nvme *n, struct nvme_sq *q, uint16_t cid, unsigned status,
                   uint32_t result)
{
    struct nvme_cq *cq = &n->cq[q->cqid];
    uint64_t at = cq->base + (uint64_t)cq->tail * NVME_CQE;
    uint8_t e[NVME_CQE] = {0};

    put_le32(e, result);
    put_le16(e + 8, q->head);
    put_le16(e + 10, q - n->sq);
    put_le16(e + 12, cid);
    put_le16(e + 14, status << 1 | cq->phase);
    put_entry(n, at, e);
    if (++cq->tail == cq->size) {
        cq->tail = 0;
        cq->phase = !cq->phase;
    }
    cq->reserved--;
    q->inflight--;
    n->inflight--;
    TRACE(&nvme_trace[NVME_TP_DONE], "sq=%u cid=%u status=%#x", (unsigned)(q - n->sq), cid, status);
    if (!q->inflight)
        pthread_cond_broadcast(&n->calm);
}

/* Without MSI-X the pin is up while a queue whose interrupts are on, and not masked, has entries (7.5.1). */
void nvme_update_pin(struct nvme *n)
{
    bool up = false;

    pthread_mutex_lock(&n->lock);
    for (unsigned i = 0; i < n->n_queues; i++) {
        const struct nvme_cq *q = &n->cq[i];

        up |= q->used && q->irq_on && q->head != q->tail &&
              !(q->vector < 32 && n->intms >> q->vector & 1);
    }
    pthread_mutex_unlock(&n->lock);
    pci_set_irq(&n->pci, up && !msix_enabled(&n->pci));
}

void nvme_tell(struct nvme *n, unsigned cqid)
{
    const struct nvme_cq *q = &n->cq[cqid];

    if (!q->used || !q->irq_on)
        return;
    TRACE(&nvme_trace[NVME_TP_IRQ], "cq=%u vector=%u", cqid, q->vector);
    if (msix_enabled(&n->pci))
        msix_notify(&n->pci, q->vector);
    else
        nvme_update_pin(n);
}

/* Workers -------------------------------------------------------------------------------------- */

/* The next queue with a command that can be answered, in turns.  With the lock. */
static struct nvme_sq *next_queue(struct nvme *n)
{
    if (n->held || n->stopped || (n->n_later && !n->n_retry))
        return NULL;
    if (n->n_later)
        return &n->sq[n->later[0].sqid];
    for (unsigned i = 0; i < n->n_queues; i++) {
        unsigned id = (n->next_sq + i) % n->n_queues;
        struct nvme_sq *q = &n->sq[id];

        if (id && q->used && q->head != q->tail && cq_has_room(&n->cq[q->cqid])) {
            n->next_sq = id + 1;
            return q;
        }
    }
    return NULL;
}

static void *worker_main(void *opaque);

/* With the lock. */
static void more_workers(struct nvme *n)
{
    struct nvme_worker *w;

    if (n->idle) {
        pthread_cond_signal(&n->wake);
        return;
    }
    if (n->n_workers == THREADS || n->gone)
        return;
    w = calloc(1, sizeof(*w));
    if (!w)
        fatal("out of memory");
    w->n = n;
    w->limit = BATCH;
    if (pthread_create(&w->thread, NULL, worker_main, w) != 0) {
        if (!n->n_workers)
            fatal("cannot start a thread for a disk");
        free(w);
        return;
    }
    w->next = n->workers;
    n->workers = w;
    n->n_workers++;
}

/* The next command to do: one that is to be done again, or the next in the ring. */
static bool take(struct nvme *n, struct nvme_sq *q, struct nvme_cmd *c)
{
    if (!n->n_later)
        return nvme_fetch(n, q, c);
    if (!n->n_retry || &n->sq[n->later[0].sqid] != q)
        return false;
    *c = n->later[0].c;
    n->n_retry--;
    memmove(n->later, n->later + 1, --n->n_later * sizeof(n->later[0]));
    q->inflight++;
    n->inflight++;
    return true;
}

/* It waits for the machine to run, unless it has begun to since. */
static void put_back(struct nvme *n, struct nvme_sq *q, const struct nvme_cmd *c, unsigned resumes)
{
    if (n->n_later == NVME_MAX_LATER)
        bug("%u commands wait", n->n_later);
    n->later[n->n_later++] = (struct nvme_later){.sqid = (uint16_t)(q - n->sq), .c = *c};
    if (resumes != n->resumes)
        n->n_retry = n->n_later;
    q->inflight--;
    n->inflight--;
    if (!q->inflight)
        pthread_cond_broadcast(&n->calm);
}

void nvme_forget_later(struct nvme *n, unsigned sqid)
{
    uint32_t kept = 0;

    for (uint32_t i = 0; i < n->n_later; i++) {
        if (n->later[i].sqid == sqid)
            n->cq[n->sq[sqid].cqid].reserved--;
        else
            n->later[kept++] = n->later[i];
    }
    n->n_later = kept;
    n->n_retry = n->n_retry < kept ? n->n_retry : kept;
}

/* A few commands of one queue, one after the other; their ends are told together. */
static void work(struct nvme_worker *w, struct nvme_sq *q)
{
    struct nvme *n = w->n;
    struct nvme_cmd c[BATCH];
    unsigned count = 0, cqid = q->cqid, resumes = n->resumes;
    uint64_t epoch = n->epoch;
    int64_t begin = now();

    while (count < w->limit && take(n, q, &c[count]))
        count++;
    if (next_queue(n))
        more_workers(n);
    for (unsigned i = 0; i < count; i++) {
        unsigned status;

        pthread_mutex_unlock(&n->lock);
        status = nvme_io(w, &c[i]);
        pthread_mutex_lock(&n->lock);
        if (status == NVME_AGAIN)
            put_back(n, q, &c[i], resumes);
        else
            nvme_complete(n, q, c[i].cid, status, 0);
    }
    w->limit = now() - begin > SLOW_NS * (int64_t)count ? 1
               : w->limit < BATCH                       ? 2 * w->limit
                                                        : BATCH;
    pthread_mutex_unlock(&n->lock);
    machine_lock(n->pci.dev.m);
    if (!n->gone && n->epoch == epoch)
        nvme_tell(n, cqid);
    machine_unlock(n->pci.dev.m);
    pthread_mutex_lock(&n->lock);
}

static void *worker_main(void *opaque)
{
    struct nvme_worker *w = opaque;
    struct nvme *n = w->n;

    pthread_setname_np(pthread_self(), "nvme-worker");
    pthread_mutex_lock(&n->lock);
    while (!n->gone) {
        struct nvme_sq *q = next_queue(n);

        if (q) {
            work(w, q);
            continue;
        }
        n->idle++;
        pthread_cond_wait(&n->wake, &n->lock);
        n->idle--;
    }
    pthread_mutex_unlock(&n->lock);
    return NULL;
}

void nvme_kick(struct nvme *n)
{
    pthread_mutex_lock(&n->lock);
    if (next_queue(n))
        more_workers(n);
    pthread_mutex_unlock(&n->lock);
}

void nvme_drain(struct nvme *n)
{
    pthread_mutex_lock(&n->lock);
    n->held = true;
    while (n->inflight)
        pthread_cond_wait(&n->calm, &n->lock);
    pthread_mutex_unlock(&n->lock);
}

void nvme_go(struct nvme *n)
{
    pthread_mutex_lock(&n->lock);
    n->held = false;
    pthread_mutex_unlock(&n->lock);
    nvme_kick(n);
}

void nvme_join(struct nvme *n)
{
    struct machine *m = n->pci.dev.m;
    unsigned depth = 0;
    struct nvme_worker *w;

    nvme_drain(n);
    pthread_mutex_lock(&n->lock);
    n->gone = true;
    pthread_cond_broadcast(&n->wake);
    pthread_mutex_unlock(&n->lock);
    for (; machine_locked(m); depth++)
        machine_unlock(m); /* a worker may be on its way to an interrupt */
    while ((w = n->workers)) {
        pthread_join(w->thread, NULL);
        n->workers = w->next;
        free(w);
    }
    while (depth--)
        machine_lock(m);
}
