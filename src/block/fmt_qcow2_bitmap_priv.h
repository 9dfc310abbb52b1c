/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: persistent bitmaps in memory (specification: "Bitmaps"). */
#ifndef BLOCK_FMT_QCOW2_BITMAP_PRIV_H
#define BLOCK_FMT_QCOW2_BITMAP_PRIV_H

#include "block/fmt_qcow2_priv.h"

enum {
    QCOW2_MAX_BITMAPS = 65535,
    QCOW2_MAX_DIRECTORY = 64 << 20,   /* bytes */
    QCOW2_MAX_BITMAP_TABLE = 8 << 20, /* bytes, of each */
    QCOW2_MAX_BITMAP_BITS = 512 << 20, /* bytes, of each */
    QCOW2_BITMAP_ROW = 24,
    QCOW2_MIN_GRANULE_BITS = 9,
    QCOW2_MAX_GRANULE_BITS = 31,
};
enum { QCOW2_BITMAP_IN_USE = 1, QCOW2_BITMAP_AUTO = 2, QCOW2_BITMAP_EXTRA_OK = 4 };

/* struct qcow2_bitmap - one row of the directory.  A chunk is what a cluster of bits covers. */
struct qcow2_bitmap {
    struct blk_bitmap info;      /* info.enabled is the flag "auto" */
    unsigned granule_bits;
    uint64_t row;                /* offset of its row in the directory on the disk; UINT64_MAX: none */
    uint64_t table;              /* on the disk; 0: none */
    uint64_t n;                  /* entries of the table, chunks */
    uint64_t n_stored;           /* entries of the table on the disk */
    uint64_t *entries;           /* host byte order, n; NULL: not loaded */
    uint8_t **chunks;            /* what was looked at or changed; NULL: as the entry says */
    uint8_t *extra;              /* extra data that we do not know, kept */
    uint32_t extra_len, flags;   /* flags: as on the disk */
    bool changed;                /* the contents differ from those on the disk */
    bool marked;                 /* the disk says "in use" */
};

/** qcow2_bitmap_load - the table; chunks are read when they are asked for. */
int qcow2_bitmap_load(struct blk *b, struct qcow2_bitmap *m, struct err *e);
/** qcow2_bitmap_chunk - bits of chunk @i, to be changed; NULL with @e. */
uint8_t *qcow2_bitmap_chunk(struct blk *b, struct qcow2_bitmap *m, uint64_t i, struct err *e);
void qcow2_bitmap_free(struct qcow2_bitmap *m);
/** qcow2_bitmap_chunks_of - chunks that a disk of @size needs; bytes of a row of the directory. */
uint64_t qcow2_bitmap_chunks_of(const struct qcow2 *s, const struct qcow2_bitmap *m, uint64_t size);
/** qcow2_bitmap_mark_used - say "in use" on the disk, before the first change by a guest. */
int qcow2_bitmap_mark_used(struct blk *b, struct qcow2_bitmap *m, struct err *e);

#endif
