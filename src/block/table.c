/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Tables of formats and room at the end of the file. */
#include "block/table.h"

#include <inttypes.h>
#include <stdlib.h>

/* Room --------------------------------------------------------------------------------------------- */

void room_init(struct room *r, uint64_t end)
{
    pthread_mutex_init(&r->lock, NULL);
    r->end = end;
}

void room_done(struct room *r)
{
    pthread_mutex_destroy(&r->lock);
}

int room_take(struct room *r, struct blk *file, uint64_t len, uint64_t *host, bool *zero,
              struct err *e)
{
    uint64_t end;
    int ret = 0;

    pthread_mutex_lock(&r->lock);
    *host = r->end;
    *zero = r->end >= blk_size(file);
    if (!add_u64(r->end, len, &end) || end > INT64_MAX)
        ret = err_set(e, -EFBIG, "the image file cannot grow past %" PRIu64 " bytes", r->end);
    else if (end > blk_size(file))
        ret = blk_truncate(file, end, BLK_PREALLOC_OFF, 0, e);
    if (ret >= 0)
        r->end = end;
    pthread_mutex_unlock(&r->lock);
    return ret;
}

void room_give_back(struct room *r, uint64_t host, uint64_t len)
{
    pthread_mutex_lock(&r->lock);
    if (r->end == host + len)
        r->end = host;
    pthread_mutex_unlock(&r->lock);
}

int table_copy(struct blk *file, uint64_t from, uint64_t to, uint64_t len, struct err *e)
{
    uint64_t size = blk_size(file), piece;
    uint8_t *buf = malloc(min_u64(len, MiB));
    int r = 0;

    if (!buf)
        return err_set(e, -ENOMEM, "out of memory");
    for (uint64_t done = 0; done < len && r >= 0; done += piece) {
        piece = min_u64(len - done, MiB);
        uint64_t have = from + done < size ? min_u64(piece, size - from - done) : 0;

        memset(buf + have, 0, piece - have);
        if (!have || (r = blk_read(file, from + done, have, buf, e)) >= 0)
            r = blk_write(file, to + done, piece, buf, 0, e);
    }
    free(buf);
    return r;
}

/* Tables in memory --------------------------------------------------------------------------------- */

int bat_load(struct bat *t, struct blk *file, uint64_t host, uint64_t n, unsigned width,
             bool big_endian, struct err *e)
{
    uint64_t bytes, end;
    int r;

    *t = (struct bat){.file = file, .host = host, .n = n, .width = width, .big_endian = big_endian};
    if (!mul_u64(n, width, &bytes) || !add_u64(host, bytes, &end) || bytes > TABLE_MAX)
        return err_set(e, -EFBIG, "table of %" PRIu64 " blocks: limit is %d", n,
                       (int)(TABLE_MAX / width));
    if (end > blk_size(file))
        return err_set(e, -EINVAL,
                       "the table of blocks ends at %" PRIu64 ", beyond the file's end at %" PRIu64,
                       end, blk_size(file));
    if (!(t->entries = blk_alloc_foreign(bytes, TABLE_MAX, "table of blocks", e)))
        return e->code;
    if (bytes && (r = blk_read(file, host, bytes, t->entries, e)) < 0) {
        bat_free(t);
        return r;
    }
    return 0;
}

void bat_free(struct bat *t)
{
    free(t->entries);
    t->entries = NULL;
    t->n = 0;
}

uint64_t bat_get(const struct bat *t, uint64_t i)
{
    uint32_t v32;
    uint64_t v64;

    if (t->width == 4) {
        v32 = __atomic_load_n((uint32_t *)t->entries + i, __ATOMIC_RELAXED);
        return t->big_endian ? be32toh(v32) : le32toh(v32);
    }
    v64 = __atomic_load_n((uint64_t *)t->entries + i, __ATOMIC_RELAXED);
    return t->big_endian ? be64toh(v64) : le64toh(v64);
}

static void store(struct bat *t, void *entries, uint64_t i, uint64_t v)
{
    if (t->width == 4)
        __atomic_store_n((uint32_t *)entries + i,
                         t->big_endian ? htobe32((uint32_t)v) : htole32((uint32_t)v),
                         __ATOMIC_RELAXED);
    else
        __atomic_store_n((uint64_t *)entries + i, t->big_endian ? htobe64(v) : htole64(v),
                         __ATOMIC_RELAXED);
}

int bat_set_run(struct bat *t, uint64_t i, uint64_t n, uint64_t first, uint64_t step, struct err *e)
{
    enum { BATCH = 64 };
    uint64_t buf[BATCH];
    int r;

    while (n) {
        uint64_t k = min_u64(n, BATCH);

        for (uint64_t j = 0; j < k; j++)
            store(t, buf, j, first + j * step);
        if ((r = blk_write(t->file, t->host + i * t->width, k * t->width, buf, 0, e)) < 0)
            return r;
        for (uint64_t j = 0; j < k; j++)
            store(t, t->entries, i + j, first + j * step);
        i += k;
        n -= k;
        first += k * step;
    }
    return 0;
}

uint64_t bat_run(const struct bat *t, uint64_t i, uint64_t max, uint64_t step)
{
    uint64_t first = bat_get(t, i), k = 1;

    max = min_u64(max, t->n - i);
    while (k < max && bat_get(t, i + k) == first + k * step)
        k++;
    return k;
}

uint64_t bat_end(const struct bat *t, uint64_t least,
                 uint64_t (*block_end)(const void *opaque, uint64_t entry), const void *opaque)
{
    for (uint64_t i = 0; i < t->n; i++)
        least = max_u64(least, block_end(opaque, bat_get(t, i)));
    return least;
}

/* Tables in a file ---------------------------------------------------------------------------------- */

enum { WAYS = 4 };

struct slot {
    uint64_t host; /* UINT64_MAX: empty */
    uint64_t used; /* when: the smallest goes first */
    uint8_t *bytes;
};

struct tcache {
    struct blk *file;
    size_t bytes;
    uint64_t clock, sets; /* sets: a power of two */
    struct slot *slots;   /* WAYS of each set */
};

struct tcache *tcache_new(struct blk *file, size_t bytes, size_t memory)
{
    struct tcache *c = calloc(1, sizeof(*c));

    if (!c)
        fatal("out of memory");
    c->file = file;
    c->bytes = bytes;
    for (c->sets = 1; c->sets * 2 * WAYS * bytes <= memory;)
        c->sets *= 2;
    if (!(c->slots = calloc(c->sets * WAYS, sizeof(*c->slots))))
        fatal("out of memory");
    tcache_drop(c);
    return c;
}

void tcache_free(struct tcache *c)
{
    if (!c)
        return;
    for (uint64_t i = 0; i < c->sets * WAYS; i++)
        free(c->slots[i].bytes);
    free(c->slots);
    free(c);
}

void tcache_drop(struct tcache *c)
{
    for (uint64_t i = 0; i < c->sets * WAYS; i++)
        c->slots[i].host = UINT64_MAX;
}

/* The slot of the table at @host, or the one that it should take (then *found is false). */
static struct slot *find(struct tcache *c, uint64_t host, bool *found)
{
    uint64_t hash = (host >> 9) * UINT64_C(0x9e3779b97f4a7c15);
    struct slot *set = c->slots + (hash >> 32 & (c->sets - 1)) * WAYS, *oldest = set;

    *found = true;
    for (int i = 0; i < WAYS; i++) {
        if (set[i].host == host)
            return &set[i];
        if (set[i].host == UINT64_MAX || set[i].used < oldest->used)
            oldest = &set[i];
    }
    *found = false;
    return oldest;
}

const uint8_t *tcache_get(struct tcache *c, uint64_t host, struct err *e)
{
    bool found;
    struct slot *s = find(c, host, &found);

    s->used = ++c->clock;
    if (found)
        return s->bytes;
    s->host = UINT64_MAX;
    if (!s->bytes && !(s->bytes = malloc(c->bytes))) {
        err_set(e, -ENOMEM, "out of memory for a table of %zu bytes", c->bytes);
        return NULL;
    }
    if (host > blk_size(c->file) || c->bytes > blk_size(c->file) - host) {
        err_set(e, -EIO, "table of blocks at %" PRIu64 ", beyond the file's end", host);
        return NULL;
    }
    if (blk_read(c->file, host, c->bytes, s->bytes, e) < 0)
        return NULL;
    s->host = host;
    return s->bytes;
}

int tcache_put(struct tcache *c, uint64_t host, size_t off, const void *bytes, size_t len,
               struct err *e)
{
    bool found;
    struct slot *s = find(c, host, &found);
    int r = blk_write(c->file, host + off, len, bytes, 0, e);

    if (r >= 0 && found)
        memcpy(s->bytes + off, bytes, len);
    return r;
}
