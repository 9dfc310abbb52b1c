/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of driver=file share. */
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

#endif
