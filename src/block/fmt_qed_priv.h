/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of fmt_qed share: QEMU Enhanced Disk images, after "QED Specification" (QEMU project wiki): a
 * header, tables of tables, clusters; little-endian.
 */
#ifndef BLOCK_FMT_QED_PRIV_H
#define BLOCK_FMT_QED_PRIV_H

#include "block/table.h"

enum { QED_SLICE = 4096, QED_HEADER = 72, QED_NAME = 64, QED_MAX_NAME = 1023 };

/* Features. */
enum { QED_BACKING = 1, QED_NEED_CHECK = 2, QED_NO_PROBE = 4, QED_FEATURES = 7 };

#define QED_ZERO 1 /* entry of a cluster that reads as zeros */

/* struct qed - [lock]: tables, allocation, features. */
struct qed {
    pthread_mutex_t lock;
    struct tcache *slices; /* QED_SLICE bytes of any table */
    struct room room;
    uint64_t cluster, header; /* bytes */
    uint64_t table, entries;  /* bytes of a table; entries of one */
    uint64_t l1;
    uint64_t features;
};

/** qed_max - the largest disk that tables of @entries entries can describe. */
static inline uint64_t qed_max(uint64_t entries, uint64_t cluster)
{
    uint64_t max;

    return mul_u64(entries * entries, cluster, &max) && max <= INT64_MAX ? max : INT64_MAX;
}

/** qed_entry - entry @i of the table at @host.  The lock is held, here and below. */
int qed_entry(struct qed *q, uint64_t host, uint64_t i, uint64_t *entry, struct err *e);
/** qed_put - entries i.. of the table at @host become first, first+step...; *@n is cut to what is done. */
int qed_put(struct qed *q, uint64_t host, uint64_t i, uint64_t *n, uint64_t first, uint64_t step,
            struct err *e);
/** qed_write_features - @q->features go into the header. */
int qed_write_features(struct blk *b, struct err *e);
/** qed_place_ok - may a table or cluster of @len bytes be at @host? */
bool qed_place_ok(const struct blk *b, uint64_t host, uint64_t len);
/** qed_check_sizes, qed_check_disk - -EINVAL in the words of creating when an image cannot be so. */
int qed_check_sizes(uint64_t cluster, uint64_t table_clusters, struct err *e);
int qed_check_disk(uint64_t size, uint64_t entries, uint64_t cluster, struct err *e);

/* fmt_qed_check.c */
int qed_check(struct blk *b, struct blk_check *c, unsigned fix, struct err *e);

/* fmt_qed_create.c */
extern const struct blk_create_ops qed_create_ops;
/** qed_put_backing - name of the backing file in the header @h of QED_HEADER bytes and behind. */
void qed_put_backing(uint8_t *h, uint64_t *features, const char *file, const char *format);

#endif
