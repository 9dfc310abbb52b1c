/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What formats of packed blocks share: unpacking one, and remembering the last. */
#ifndef BLOCK_UNPACK_H
#define BLOCK_UNPACK_H

#include "block/driver.h"

enum unpack_how { UNPACK_RAW, UNPACK_ZLIB, UNPACK_BZIP2 };

enum { UNPACK_MAX = 64 << 20 }; /* bytes of a block, packed or not */

/* struct unpack_cache - [lock]: the last block. */
struct unpack_cache {
    pthread_mutex_t lock;
    uint64_t index; /* UINT64_MAX: none */
    uint8_t *plain;
    uint64_t room; /* bytes of @plain */
};

void unpack_init(struct unpack_cache *c);
void unpack_done(struct unpack_cache *c);

/* struct unpack_block - where a packed block is, and how long it is when unpacked. */
struct unpack_block {
    uint64_t index;
    enum unpack_how how;
    uint64_t host, packed, plain;
};

/** unpack_read - @len bytes from @in on of the unpacked block @k of @file. */
int unpack_read(struct unpack_cache *c, struct blk *file, const struct unpack_block *k, uint64_t in,
                uint64_t len, void *buf, struct err *e);

#endif
