/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of driver=file and driver=host_device share. */
#ifndef BLOCK_PROTO_FILE_PRIV_H
#define BLOCK_PROTO_FILE_PRIV_H

#include "block/driver.h"

/**
 * file_lock - let other programs see that @held (enum blk_perm) is done to this file, and that they
 * may not do @unshared; -EAGAIN when somebody does or forbids it.  @must: a host that has no
 * such locks is an error, too.  The locks end with the last close of @fd's description.
 */
int file_lock(int fd, unsigned held, unsigned unshared, bool must, const char *filename,
              struct err *e);

/** file_unlock - the end of all of @fd's locks. */
void file_unlock(int fd);

/* What driver=host_device (proto_host_device.c) has from driver=file, by the type of its node. */
enum { FILE_STATE_SIZE = 256 };
extern const struct blk_driver proto_host_device;
extern const struct field file_fields[];
extern const struct blk_io_ops file_io;
int file_open(struct blk *b, struct json_object *opts, struct err *e);
int file_claim(struct blk *b, unsigned held, unsigned unshared, struct err *e);
int file_close(struct blk *b, struct err *e);
int file_flush(struct blk *b, struct err *e);
int file_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                  struct err *e);

#endif
