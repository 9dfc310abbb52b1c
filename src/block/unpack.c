/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Unpacking blocks of read-only formats: zlib and bzip2. */
#include "block/unpack.h"

#include <bzlib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <zlib.h>

void unpack_init(struct unpack_cache *c)
{
    pthread_mutex_init(&c->lock, NULL);
    c->index = UINT64_MAX;
}

void unpack_done(struct unpack_cache *c)
{
    free(c->plain);
    pthread_mutex_destroy(&c->lock);
}

/* The bytes that came out. */
static uint64_t run_zlib(const struct unpack_block *k, uint8_t *in, uint8_t *out)
{
    z_stream s = {.next_in = in, .avail_in = (uInt)k->packed, .next_out = out,
                  .avail_out = (uInt)k->plain};

    if (inflateInit(&s) != Z_OK)
        return 0;
    inflate(&s, Z_FINISH);
    inflateEnd(&s);
    return s.total_out;
}

static uint64_t run_bzip2(const struct unpack_block *k, uint8_t *in, uint8_t *out)
{
    unsigned n = (unsigned)k->plain;

    return BZ2_bzBuffToBuffDecompress((char *)out, &n, (char *)in, (unsigned)k->packed, 0, 0) == BZ_OK
               ? n
               : 0;
}

static int fill(struct unpack_cache *c, struct blk *file, const struct unpack_block *k, struct err *e)
{
    uint8_t *packed;
    uint64_t got;
    int r;

    if (k->packed > UNPACK_MAX || k->plain > UNPACK_MAX)
        return err_set(e, -EFBIG, "block %" PRIu64 " of %" PRIu64 " bytes, %" PRIu64
                       " unpacked: the limit is %d", k->index, k->packed, k->plain, UNPACK_MAX);
    if (k->host > blk_size(file) || k->packed > blk_size(file) - k->host)
        return err_set(e, -EIO, "block %" PRIu64 ", %" PRIu64 " bytes at %" PRIu64
                       ", is not in the file", k->index, k->packed, k->host);
    c->index = UINT64_MAX;
    if (k->plain > c->room) {
        free(c->plain);
        c->room = 0;
        if (!(c->plain = malloc(k->plain)))
            return err_set(e, -ENOMEM, "out of memory for a block");
        c->room = k->plain;
    }
    if (!(packed = malloc(k->packed + 1)))
        return err_set(e, -ENOMEM, "out of memory for a block");
    if ((r = blk_read(file, k->host, k->packed, packed, e)) >= 0) {
        got = k->how == UNPACK_ZLIB ? run_zlib(k, packed, c->plain) : run_bzip2(k, packed, c->plain);
        if (got == k->plain)
            c->index = k->index;
        else
            r = err_set(e, -EIO, "block %" PRIu64 " at %" PRIu64 " is damaged", k->index, k->host);
    }
    free(packed);
    return r;
}

int unpack_read(struct unpack_cache *c, struct blk *file, const struct unpack_block *k, uint64_t in,
                uint64_t len, void *buf, struct err *e)
{
    int r = 0;

    pthread_mutex_lock(&c->lock);
    if (c->index != k->index)
        r = fill(c, file, k, e);
    if (r >= 0)
        memcpy(buf, c->plain + in, len);
    pthread_mutex_unlock(&c->lock);
    return r;
}
