/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qcow2: cache-clean-interval.  Pages of tables that nobody used for that long give their memory back.  One thread does it
 * for all images of the process; it is started when there is something worth a thread.
 */
#include "block/fmt_qcow2_priv.h"

#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

enum { WORTH_IT = 16 }; /* pages: 64 KiB */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* outer to the images' own, which is only tried */
static pthread_cond_t sooner;
static struct blk *first; /* [lock] images with an interval, through their clean.next */
static bool running;      /* [lock] */

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* Lookups without a lock may be reading the page: they see zeros, then that it is another one.  Pages smaller than the
 * host's share theirs with others. */
static void give_back(struct qcow2_page *p, uint64_t size)
{
    qcow2_page_set_host(p, 0);
    if (size >= (uint64_t)sysconf(_SC_PAGESIZE))
        madvise(p->data, size, MADV_DONTNEED);
}

static uint64_t clean(struct qcow2_cache *c, uint64_t page_size)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < c->sets * QCOW2_WAYS; i++) {
        struct qcow2_page *p = c->pages[i];

        if (!p || !p->host || p->dirty)
            continue;
        if (__atomic_exchange_n(&p->touched, false, __ATOMIC_RELAXED))
            continue;
        give_back(p, page_size);
        n++;
    }
    return n;
}

uint64_t qcow2_clean(struct blk *b)
{
    struct qcow2 *s = b->state;
    uint64_t n = 0;

    if (pthread_mutex_trylock(&s->lock)) /* somebody uses it, perhaps waits for a disk: next time */
        return 0;
    n = clean(&s->l2, s->page_size) + clean(&s->refs, s->page_size);
    pthread_mutex_unlock(&s->lock);
    return n;
}

static void *cleaner(void *opaque)
{
    pthread_mutex_lock(&lock);
    for (;;) {
        int64_t at = INT64_MAX;

        for (struct blk *b = first; b; b = qcow2_of(b)->clean.next) {
            struct qcow2 *s = b->state;

            if (s->clean.due <= now()) {
                qcow2_clean(b);
                s->clean.due = now() + (int64_t)s->o->cache_clean_interval * 1000000000;
            }
            at = at < s->clean.due ? at : s->clean.due;
        }
        if (at == INT64_MAX)
            pthread_cond_wait(&sooner, &lock);
        else
            pthread_cond_timedwait(&sooner, &lock, &(struct timespec){at / 1000000000, at % 1000000000});
    }
    return NULL;
}

void qcow2_clean_begin(struct blk *b)
{
    struct qcow2 *s = b->state;

    if (!s->o->cache_clean_interval)
        return;
    pthread_mutex_lock(&lock);
    s->clean.next = first;
    s->clean.due = now() + (int64_t)s->o->cache_clean_interval * 1000000000;
    first = b;
    if (running)
        pthread_cond_signal(&sooner);
    pthread_mutex_unlock(&lock);
}

void qcow2_clean_end(struct blk *b)
{
    pthread_mutex_lock(&lock);
    for (struct blk **at = &first; *at; at = &qcow2_of(*at)->clean.next) {
        if (*at == b) {
            *at = qcow2_of(b)->clean.next;
            break;
        }
    }
    pthread_mutex_unlock(&lock);
}

static void start(void)
{
    pthread_attr_t attr;
    pthread_condattr_t clock;
    pthread_t thread;

    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&sooner, &clock);
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_mutex_lock(&lock);
    running = !pthread_create(&thread, &attr, cleaner, NULL); /* without it, memory stays in use: no harm */
    pthread_mutex_unlock(&lock);
    pthread_attr_destroy(&attr);
}

void qcow2_clean_page_made(struct qcow2 *s)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (++s->clean.pages == WORTH_IT && s->o->cache_clean_interval)
        pthread_once(&once, start);
}
