/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Requests that change the same clusters wait for each other; space that was given up is released
 * only when no read can see it.
 */
#include "block/core.h"

#include <stdlib.h>

struct blk_core *blk_core_new(void)
{
    struct blk_core *c = calloc(1, sizeof(*c));
    pthread_rwlockattr_t attr;

    if (!c)
        fatal("out of memory");
    c->refs = 1;
    pthread_mutex_init(&c->ranges, NULL);
    pthread_cond_init(&c->range_freed, NULL);
    pthread_rwlockattr_init(&attr);
    /* Releasing space is rare and short: it goes before new readers, or it would starve. */
    pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&c->users, &attr);
    pthread_rwlockattr_destroy(&attr);
    pthread_mutex_init(&c->limbo_lock, NULL);
    return c;
}

void blk_core_free(struct blk_core *c)
{
    pthread_mutex_destroy(&c->ranges);
    pthread_cond_destroy(&c->range_freed);
    pthread_rwlock_destroy(&c->users);
    pthread_mutex_destroy(&c->limbo_lock);
    below_free(c->below);
    free(c->limbo);
    free(c->counters);
    free(c);
}

static bool in_the_way(const struct blk_core *c, uint64_t off, uint64_t end)
{
    for (const struct blk_range *r = c->active; r; r = r->next)
        if (off < r->end && r->off < end)
            return true;
    return false;
}

void range_lock(struct blk *b, struct blk_range *r, uint64_t off, uint64_t end)
{
    struct blk_core *c = b->core;

    pthread_mutex_lock(&c->ranges);
    while (in_the_way(c, off, end)) {
        c->waiting++;
        pthread_cond_wait(&c->range_freed, &c->ranges);
        c->waiting--;
    }
    *r = (struct blk_range){.off = off, .end = end, .next = c->active};
    c->active = r;
    pthread_mutex_unlock(&c->ranges);
}

void range_unlock(struct blk *b, struct blk_range *r)
{
    struct blk_core *c = b->core;
    struct blk_range **at = &c->active;

    pthread_mutex_lock(&c->ranges);
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (c->waiting)
        pthread_cond_broadcast(&c->range_freed);
    pthread_mutex_unlock(&c->ranges);
}

void blk_exclusive_begin(struct blk *b, struct blk_range *r)
{
    range_lock(b, r, 0, UINT64_MAX);
    pthread_rwlock_wrlock(&b->core->users);
}

void blk_exclusive_end(struct blk *b, struct blk_range *r)
{
    pthread_rwlock_unlock(&b->core->users);
    limbo_release(b);
    range_unlock(b, r);
}

void blk_limbo_add(struct blk *b, uint64_t host, uint64_t len)
{
    struct blk_core *c = b->core;

    pthread_mutex_lock(&c->limbo_lock);
    if (c->limbo_n == c->limbo_max) {
        c->limbo_max = c->limbo_max ? c->limbo_max * 2 : 64;
        if (!(c->limbo = realloc(c->limbo, c->limbo_max * sizeof(*c->limbo))))
            fatal("out of memory");
    }
    struct blk_limbo *last = c->limbo_n ? &c->limbo[c->limbo_n - 1] : NULL;

    if (last && last->host + last->len == host)
        last->len += len;
    else
        c->limbo[c->limbo_n++] = (struct blk_limbo){.host = host, .len = len};
    __atomic_store_n(&c->limbo_any, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&c->limbo_lock);
}

/* A release that fails leaks the space: said nowhere, found by check. */
void limbo_release(struct blk *b)
{
    struct blk_core *c = b->core;

    if (!__atomic_load_n(&c->limbo_any, __ATOMIC_RELAXED))
        return;
    pthread_rwlock_wrlock(&c->users);
    pthread_mutex_lock(&c->limbo_lock);
    struct blk_limbo *list = c->limbo;
    unsigned n = c->limbo_n;

    c->limbo = NULL;
    c->limbo_n = c->limbo_max = 0;
    __atomic_store_n(&c->limbo_any, 0, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&c->limbo_lock);
    for (unsigned i = 0; i < n; i++)
        b->drv->map->release(b, list[i].host, list[i].len, ERR_IGNORE);
    pthread_rwlock_unlock(&c->users);
    free(list);
}
