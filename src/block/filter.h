/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What most filters do with most requests: hand them on to the node below, b->file. */
#ifndef BLOCK_FILTER_H
#define BLOCK_FILTER_H

#include "block/driver.h"

/** filter_open - size and alignment of what lies below; call it first in a filter's open. */
void filter_open(struct blk *b);

/* As struct blk_io_ops and struct blk_driver have them. */
int filter_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e);
int filter_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                  struct err *e);
int filter_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e);
int filter_discard(struct blk *b, uint64_t off, uint64_t len, struct err *e);
int filter_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s, struct err *e);
int filter_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                    struct err *e);
int filter_info(struct blk *b, struct blk_info *i, struct err *e);

/** filter_iov_len - bytes of a request. */
uint64_t filter_iov_len(const struct iovec *iov, int n);

#endif
