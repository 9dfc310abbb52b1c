/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the core share; drivers use driver.h. */
#ifndef BLOCK_CORE_H
#define BLOCK_CORE_H

#include "block/driver.h"

/* A range that a writing request holds; lives on its stack. */
struct blk_range {
    uint64_t off, end;
    struct blk_range *next; /* [core->ranges] */
};

/* Host space that a driver gave up while reads may still be looking at it. */
struct blk_limbo {
    uint64_t host, len;
};

/*
 * struct blk_core - the core's part of a node.  Locks, outermost first: ranges, users, limbo.
 * Readers take users shared around "map, then read"; what frees host space takes it exclusively, so
 * no read ever sees space that has become somebody else's.
 */
struct blk_core {
    int refs; /* [atomic] */
    pthread_mutex_t ranges;
    pthread_cond_t range_freed;
    struct blk_range *active; /* [ranges] */
    unsigned waiting;         /* [ranges] */
    pthread_rwlock_t users;
    pthread_mutex_t limbo_lock;
    struct blk_limbo *limbo; /* [limbo_lock] */
    unsigned limbo_n, limbo_max;
    int limbo_any; /* [atomic] is there something to release? */
    struct blk_counters *counters; /* stats.c's; NULL: nobody wants to know.  Set before there are requests */
    struct blk_below *below; /* [atomic] below.c's, of nodes that are backing files */
};

struct blk_core *blk_core_new(void);
void blk_core_free(struct blk_core *c);

/** count_begin, count_end - around a request of somebody outside: @begin is what count_begin gave, @r how it ended. */
uint64_t count_begin(const struct blk *b);
void count_end(struct blk *b, enum blk_counted what, uint64_t begin, uint64_t len, int r);

/** node_zero, node_flush - blk_zero and blk_flush, not counted. */
int node_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e);
int node_flush(struct blk *b, struct err *e);

/** range_lock - wait until no other request holds a part of [off, end); range_unlock wakes. */
void range_lock(struct blk *b, struct blk_range *r, uint64_t off, uint64_t end);
void range_unlock(struct blk *b, struct blk_range *r);

/** blk_exclusive_begin, blk_exclusive_end - no request at all in between. */
void blk_exclusive_begin(struct blk *b, struct blk_range *r);
void blk_exclusive_end(struct blk *b, struct blk_range *r);

/** limbo_release - hand what drivers gave up to their release function; takes users exclusively. */
void limbo_release(struct blk *b);

/** below_find - @b, a backing file, or the one below it that has [@off, @off+@len), or decides it: those in between
 *  have nothing there.  @len > 0, all of it within @b. */
struct blk *below_find(struct blk *b, uint64_t off, uint64_t len);
void below_free(struct blk_below *t);

/* Internal I/O: as blk_readv and blk_writev, without the check of the range.  Beyond the end of a
 * protocol node reads give zeros and writes make it grow. */
int node_readv(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
               struct err *e);
int node_writev(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
                unsigned req, struct err *e);

/** iov_slice - @len bytes from @skip on of @iov into @out (@max entries): the number of entries; *@len
 *  shrinks when @max is too few. */
int iov_slice(const struct iovec *iov, int n, uint64_t skip, uint64_t *len, struct iovec *out,
              int max);

/** iov_to - all of @iov, one piece behind the other, into @buf. */
void iov_to(const struct iovec *iov, int n, void *buf);

/** old_read - present contents of [off, off+len) of a map node into flat @buf; users held. */
int map_read_flat(struct blk *b, uint64_t off, uint64_t len, void *buf, struct err *e);

/** map_write - the write path of formats; ranges and users are held by the caller. */
int map_write(struct blk *b, uint64_t off, uint64_t len, const struct iovec *iov, int n,
              struct err *e);

/** check_range - -EIO when [off, off+len) is not within the disk. */
int check_range(const struct blk *b, uint64_t off, uint64_t len, const char *what, struct err *e);

/** blk_write_zeros - zeros by writing them (blk_zero's fallback); the caller holds ranges and users. */
int blk_write_zeros(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e);

static inline uint64_t blk_size_now(const struct blk *b)
{
    return __atomic_load_n(&b->size, __ATOMIC_RELAXED);
}

/* The granule that requests lock: a cluster, or a byte. */
static inline uint64_t blk_granule(const struct blk *b)
{
    return b->cluster > b->align ? b->cluster : b->align;
}

#endif
