/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine of convert: copies images with several workers, holes stay holes. */
#ifndef APP_IMG_COPY_H
#define APP_IMG_COPY_H

#include "app/img/img.h"

enum { COPY_WORKERS_MAX = 16 };

/* struct img_copy - filled by the caller; the rest is the engine's. */
struct img_copy {
    struct blk **src; /* one after the other */
    uint64_t *src_start;
    int src_n;
    struct blk *dst;
    struct blk *base; /* what of the source's chain the target's backing file is; NULL: unknown */
    uint64_t total;   /* bytes to copy, from 0 */
    uint64_t from;    /* begin here: what comes before is there already */
    bool
        dst_backing; /* the target has a backing file: what the source does not decide is left out */
    bool zero_init;  /* the target reads as zeros where nothing was written */
    bool compressed;   /* blk_write_compressed */
    bool out_of_order; /* -W */
    bool copy_range;   /* -C */
    bool salvage;      /* what cannot be read becomes zeros, after a warning */
    bool quiet;
    uint64_t sparse;  /* -S: shortest run of zeros that is not written; 0: all is written */
    unsigned workers; /* 0: as many as pay */
    struct img_rate rate;
    /* With a checkpoint: called about every second, in order: all before @upto is written. */
    int (*checkpoint)(void *opaque, uint64_t upto, struct err *e);
    void *opaque;
};

/** img_copy_run - 0, or 1 after saying what failed where. */
int img_copy_run(struct img_copy *c);

#endif
