/* SPDX-License-Identifier: GPL-2.0-or-later */
/* throttle-group: leaky buckets. */
#include "block/driver.h"
#include "block/env_priv.h"
#include "block/throttle.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { LIMITS = 6, RATE_MAX_SHIFT = 50 }; /* rates up to 10^15, so that sums stay exact */

/* Units per second; 0: no limit. */
struct limit {
    uint64_t avg, max, length; /* @length: seconds that @max may last */
};

struct bucket {
    double level, burst; /* units that have not leaked yet */
};

/* In the order of the fields below: total, read, write of bytes, then of requests. */
struct throttle_group {
    struct limit limit[LIMITS];
    uint64_t iops_size; /* a request counts once for each so many bytes; 0: once */
    pthread_mutex_t lock;
    pthread_mutex_t turn[2];      /* readers, writers: who waits at the bucket, the others behind */
    struct bucket bucket[LIMITS]; /* [lock] */
    uint64_t leaked_at;           /* [lock] ns */
};

#define LIMIT(i, text)                                                                             \
    {.name = "x-" text,                                                                            \
     .kind = F_U64,                                                                                \
     .offset = offsetof(struct throttle_group, limit[i].avg),                                      \
     .help = "per second; 0: no limit"},                                                           \
        {.name = "x-" text "-max",                                                                 \
         .kind = F_U64,                                                                            \
         .offset = offsetof(struct throttle_group, limit[i].max),                                  \
         .help = "in bursts"},                                                                     \
    {                                                                                              \
        .name = "x-" text "-max-length", .kind = F_U64,                                            \
        .offset = offsetof(struct throttle_group, limit[i].length), .def = "1",                    \
        .help = "seconds that a burst may last"                                                    \
    }

static const struct field group_fields[] = {
    LIMIT(0, "bps-total"),
    LIMIT(1, "bps-read"),
    LIMIT(2, "bps-write"),
    LIMIT(3, "iops-total"),
    LIMIT(4, "iops-read"),
    LIMIT(5, "iops-write"),
    FIELD(throttle_group, iops_size, F_U64, "x-iops-size", "0",
          "a request counts once for each so many bytes"),
    FIELD_END,
};

static int check_limit(const struct throttle_group *g, int i, struct err *e)
{
    const struct limit *l = &g->limit[i];

    if (i % 3 && l->avg && g->limit[i - i % 3].avg)
        return err_set(
            e, -EINVAL,
            "bps/iops/max total values and read/write values cannot be used at the same time");
    if (l->length == 0)
        return err_set(e, -EINVAL, "burst length cannot be 0");
    if (l->avg >> RATE_MAX_SHIFT || l->max >> RATE_MAX_SHIFT || l->length >> 32)
        return err_set(e, -EINVAL, "bps/iops/max values must be within [0, %" PRIu64 "]",
                       UINT64_C(1) << RATE_MAX_SHIFT);
    if (l->max && !l->avg)
        return err_set(e, -EINVAL, "bps_max/iops_max require corresponding bps/iops values");
    if (l->max && l->max < l->avg)
        return err_set(e, -EINVAL, "bps_max/iops_max cannot be lower than bps/iops");
    if (l->length > 1 && !l->max)
        return err_set(e, -EINVAL, "bps_max_length/iops_max_length require bps_max/iops_max");
    return 0;
}

/* "limits": {"bps-total": ...} is another way to say "x-bps-total". */
static void spread_limits(struct json_object *opts)
{
    struct json_object *limits = NULL;

    if (!json_object_object_get_ex(opts, "limits", &limits) ||
        !json_object_is_type(limits, json_type_object))
        return;
    json_object_get(limits);
    json_object_object_del(opts, "limits");
    json_object_object_foreach(limits, key, value)
    {
        char name[64];

        snprintf(name, sizeof(name), "x-%s", key);
        json_object_object_add(opts, name, json_object_get(value));
    }
    json_object_put(limits);
}

static void group_free(void *made)
{
    struct throttle_group *g = made;

    pthread_mutex_destroy(&g->lock);
    pthread_mutex_destroy(&g->turn[0]);
    pthread_mutex_destroy(&g->turn[1]);
    free(g);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *group_make(struct blk_env *env, struct json_object *opts, struct err *e)
{
    struct throttle_group *g = calloc(1, sizeof(*g));
    int r;

    (void)env;
    if (!g)
        fatal("out of memory");
    pthread_mutex_init(&g->lock, NULL);
    pthread_mutex_init(&g->turn[0], NULL);
    pthread_mutex_init(&g->turn[1], NULL);
    spread_limits(opts);
    r = fields_take(group_fields, opts, g, e);
    for (int i = 0; i < LIMITS && r >= 0; i++)
        r = check_limit(g, i, e);
    if (r < 0) {
        group_free(g);
        return NULL;
    }
    g->leaked_at = now_ns();
    return g;
}

struct throttle_group *throttle_find(struct blk_env *env, const char *id, struct err *e)
{
    return blk_env_object(env, id, "throttle-group", e);
}

static void leak(struct throttle_group *g)
{
    uint64_t now = now_ns();
    double seconds = (double)(now - g->leaked_at) / 1e9;

    for (int i = 0; i < LIMITS; i++) {
        struct bucket *k = &g->bucket[i];

        k->level -= seconds * (double)g->limit[i].avg;
        k->burst -= seconds * (double)g->limit[i].max;
        k->level = k->level < 0 ? 0 : k->level;
        k->burst = k->burst < 0 ? 0 : k->burst;
    }
    g->leaked_at = now;
}

/* Seconds until bucket @i is low enough for another request. */
static double delay(const struct throttle_group *g, int i)
{
    const struct limit *l = &g->limit[i];
    const struct bucket *k = &g->bucket[i];
    double room = l->max ? (double)l->max * (double)l->length : (double)l->avg / 10;
    double burst_room = (double)l->max / 10;

    if (!l->avg)
        return 0;
    if (k->level > room)
        return (k->level - room) / (double)l->avg;
    if (l->length > 1 && k->burst > burst_room)
        return (k->burst - burst_room) / (double)l->max;
    return 0;
}

void throttle_wait(struct throttle_group *g, bool write, uint64_t len)
{
    double units = 1;
    const int mine[4] = {0, 1 + write, 3, 4 + write};

    if (g->iops_size && len > g->iops_size)
        units = (double)len / (double)g->iops_size;
    pthread_mutex_lock(&g->turn[write]);
    pthread_mutex_lock(&g->lock);
    for (;;) {
        double wait = 0;

        leak(g);
        for (int i = 0; i < 4; i++) {
            double d = delay(g, mine[i]);

            wait = d > wait ? d : wait;
        }
        if (wait <= 0)
            break;
        pthread_mutex_unlock(&g->lock);
        nanosleep(&(struct timespec){(time_t)wait, (long)((wait - (double)(time_t)wait) * 1e9) + 1},
                  NULL);
        pthread_mutex_lock(&g->lock);
    }
    for (int i = 0; i < 4; i++) {
        double poured = i < 2 ? (double)len : units;

        g->bucket[mine[i]].level += poured;
        g->bucket[mine[i]].burst += poured;
    }
    pthread_mutex_unlock(&g->lock);
    pthread_mutex_unlock(&g->turn[write]);
}

const struct blk_object_type object_throttle_group = {
    .name = "throttle-group",
    .help = "limits of bytes and requests per second",
    .make = group_make,
    .free = group_free,
};

void throttle_describe(const struct throttle_group *g, char *buf, size_t len)
{
    static const char *const names[] = {"bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr"};
    size_t at = 0;

    *buf = 0;
    for (unsigned half = 0; half < 2; half++) {
        for (unsigned i = 3 * half; i < 3 * half + 3 && at < len; i++)
            at += (size_t)snprintf(buf + at, len - at, "%s=%" PRIu64 " ", names[i], g->limit[i].avg);
        for (unsigned i = 3 * half; i < 3 * half + 3 && at < len; i++)
            at += (size_t)snprintf(buf + at, len - at, "%s_max=%" PRIu64 " ", names[i], g->limit[i].max);
    }
    if (at < len)
        snprintf(buf + at, len - at, "iops_size=%" PRIu64, g->iops_size);
}
