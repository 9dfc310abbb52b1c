/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has been done with a disk: requests, bytes and time of a node that somebody wants to know it of. */
#include "block/core.h"

#include <stdlib.h>
#include <time.h>

/* struct blk_counters - struct blk_stats, counted by all threads at once, each number for itself. */
struct blk_counters {
    struct {
        uint64_t bytes, requests, merged, ns; /* [atomic] */
    } of[BLK_COUNTS];
    uint64_t last; /* when the latest request ended, ns; 0: none has [atomic] */
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void add(uint64_t *n, uint64_t more)
{
    __atomic_fetch_add(n, more, __ATOMIC_RELAXED);
}

static uint64_t get(const uint64_t *n)
{
    return __atomic_load_n(n, __ATOMIC_RELAXED);
}

void blk_count(struct blk *b)
{
    if (!b->core->counters && !(b->core->counters = calloc(1, sizeof(struct blk_counters))))
        fatal("out of memory");
}

uint64_t count_begin(const struct blk *b)
{
    return b->core->counters ? now_ns() : 0;
}

void count_end(struct blk *b, enum blk_counted what, uint64_t begin, uint64_t len, int r)
{
    struct blk_counters *c = b->core->counters;
    uint64_t now;

    if (!begin)
        return;
    now = now_ns();
    add(&c->of[what].ns, now - begin);
    if (r >= 0) {
        add(&c->of[what].bytes, len);
        add(&c->of[what].requests, 1);
    }
    __atomic_store_n(&c->last, now, __ATOMIC_RELAXED);
}

void blk_count_merged(struct blk *b, enum blk_counted what, unsigned n)
{
    struct blk_counters *c = b->core->counters;

    if (!c)
        return;
    add(&c->of[what].merged, n);
    add(&c->of[what].requests, n);
}

void blk_get_stats(const struct blk *b, struct blk_stats *s)
{
    const struct blk_counters *c = b->core->counters;

    *s = (struct blk_stats){0};
    if (!c)
        return;
    for (unsigned i = 0; i < BLK_COUNTS; i++) {
        s->of[i].bytes = get(&c->of[i].bytes);
        s->of[i].requests = get(&c->of[i].requests);
        s->of[i].merged = get(&c->of[i].merged);
        s->of[i].ns = get(&c->of[i].ns);
    }
    s->idle_ns = get(&c->last) ? now_ns() - get(&c->last) : 0;
}
