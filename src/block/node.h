/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Options that every node understands. */
#ifndef BLOCK_NODE_H
#define BLOCK_NODE_H

#include "schema/field.h"

/* struct node_opts - absent ones keep what the flags of blk_open say: tri-state as text. */
struct node_opts {
    char *driver, *node_name;
    char *read_only, *auto_read_only, *force_share;
    char *cache_direct, *cache_no_flush, *cache_writeback;
    char *discard, *detect_zeroes, *copy_on_read;
};

extern const struct field node_fields[];

#endif
