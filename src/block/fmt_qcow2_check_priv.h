/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qcow2: what counting references (fmt_qcow2_count.c), comparing and repairing (fmt_qcow2_check.c) share. */
#ifndef BLOCK_FMT_QCOW2_CHECK_PRIV_H
#define BLOCK_FMT_QCOW2_CHECK_PRIV_H

#include "block/fmt_qcow2_priv.h"

enum { COUNTS_PER_CHUNK = 1024 };

/* struct chunk - the references of neighbouring clusters. */
struct chunk {
    uint64_t index; /* first cluster / COUNTS_PER_CHUNK */
    uint32_t n[COUNTS_PER_CHUNK];
};

/* struct entry_fix - an entry of a table in the file that is to be another. */
struct entry_fix {
    uint64_t host, value;
};

/* struct check - one look at a whole image.  References are kept sparsely: a file may be a hole of many PiB. */
struct check {
    struct blk *b;
    struct blk_check *res;
    unsigned fix;          /* enum blk_fix */
    uint64_t clusters;     /* of the file */
    struct chunk **chunks; /* hash table, power of two */
    uint64_t n_chunks, max_chunks;
    uint64_t end;          /* one more than the last cluster in use */
    uint64_t next;         /* where the next data lies when it is not fragmented */
    uint64_t wrong_blocks; /* complaints about refcount blocks */
    bool rebuild;          /* refcounts are not to be trusted */
    struct entry_fix *fixes;
    uint64_t n_fixes, max_fixes;
};

/** check_say - a line for the user. */
void check_say(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/** check_fix - the table entry at @host of the file is to become @value. */
void check_fix(struct check *c, uint64_t host, uint64_t value);

/** count_image - all references, with complaints about what refers to nonsense. */
int count_image(struct check *c, struct err *e);
/** count_range - one more reference to the clusters of [host, host+len). */
int count_range(struct check *c, uint64_t host, uint64_t len, struct err *e);
/** count_of - references to cluster @index. */
uint64_t count_of(const struct check *c, uint64_t index);
/** count_any - are there references to any of the clusters [first, end)? */
bool count_any(const struct check *c, uint64_t first, uint64_t end);
/** uncount_refblocks - the references that the refcount structure itself makes. */
void uncount_refblocks(struct check *c);
void count_free(struct check *c);

#endif
