/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What most formats are made of: tables that say where blocks are, and room at the end of the file.
 *
 * All three are written through: when a function returns, memory and file agree, or nothing changed.
 */
#ifndef BLOCK_TABLE_H
#define BLOCK_TABLE_H

#include "block/driver.h"

enum { TABLE_MAX = 64 << 20 }; /* bytes of memory that an image's tables may take */

/* struct room - space at the end of @file, handed out in order. */
struct room {
    pthread_mutex_t lock;
    uint64_t end; /* [lock] everything from here on is free */
};

void room_init(struct room *r, uint64_t end);
void room_done(struct room *r);
/** room_take - @len bytes at *@host; the file is made long enough.  *@zero: it reads as zeros. */
int room_take(struct room *r, struct blk *file, uint64_t len, uint64_t *host, bool *zero,
              struct err *e);
/** room_give_back - what room_take gave is not needed: kept if something was taken since. */
void room_give_back(struct room *r, uint64_t host, uint64_t len);

/** table_copy - @len bytes of @file from one place to another, for repairs; what lies past the end is zeros. */
int table_copy(struct blk *file, uint64_t from, uint64_t to, uint64_t len, struct err *e);

/* struct bat - one table, whole in memory.  Entries are read and set from any thread. */
struct bat {
    struct blk *file;
    uint64_t host, n;
    unsigned width; /* bytes of an entry: 4 or 8 */
    bool big_endian;
    void *entries; /* as in the file [each atomic] */
};

/** bat_load - -EFBIG over TABLE_MAX, -EINVAL when the table does not end inside the file. */
int bat_load(struct bat *t, struct blk *file, uint64_t host, uint64_t n, unsigned width,
             bool big_endian, struct err *e);
void bat_free(struct bat *t);
uint64_t bat_get(const struct bat *t, uint64_t i);
/** bat_set_run - entries i, i+1, ... become first, first+step, ... */
int bat_set_run(struct bat *t, uint64_t i, uint64_t n, uint64_t first, uint64_t step,
                struct err *e);
/** bat_run - how many entries from @i on (at most @max) go first, first+step, first+2*step... */
uint64_t bat_run(const struct bat *t, uint64_t i, uint64_t max, uint64_t step);
/** bat_end - the offset behind the last used block: @least, or what @block_end makes of an entry (0:
 *  not used), whichever is more. */
uint64_t bat_end(const struct bat *t, uint64_t least,
                 uint64_t (*block_end)(const void *opaque, uint64_t entry), const void *opaque);

/* struct tcache - tables of one size anywhere in a file, some of them in memory.  The owner's lock is
 * held by whoever calls; pointers are good until the next call. */
struct tcache;
struct tcache *tcache_new(struct blk *file, size_t bytes, size_t memory);
void tcache_free(struct tcache *c);
/** tcache_get - the table at @host, or NULL. */
const uint8_t *tcache_get(struct tcache *c, uint64_t host, struct err *e);
/** tcache_put - bytes of the table at @host from @off on. */
int tcache_put(struct tcache *c, uint64_t host, size_t off, const void *bytes, size_t len,
               struct err *e);
/** tcache_drop - forget all: the file was changed behind the cache's back. */
void tcache_drop(struct tcache *c);

#endif
