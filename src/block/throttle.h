/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --object throttle-group: limits of bytes and requests per second that its members share.
 *
 * Each limit is a bucket that leaks at @avg units per second.  What a request pours in may stand as
 * high as @max * @length (seconds of burst); without @max, as high as a tenth of a second of @avg.
 * Bursts longer than a second are themselves held to @max per second by a second bucket.
 */
#ifndef BLOCK_THROTTLE_H
#define BLOCK_THROTTLE_H

#include "block/env.h"

#include <stdint.h>

struct blk;
struct throttle_group;

/** throttle_find - the group @id, borrowed; NULL with @e. */
struct throttle_group *throttle_find(struct blk_env *env, const char *id, struct err *e);

/** throttle_wait - until a request of @len bytes may begin; requests of a kind begin in order. */
void throttle_wait(struct throttle_group *g, bool write, uint64_t len);

/** throttle_describe - "bps=1000 bps_rd=0 ... iops_size=0" of @g. */
void throttle_describe(const struct throttle_group *g, char *buf, size_t len);
/** blk_throttle_describe - the same of a throttle filter, and its group's name; false: @b is none. */
bool blk_throttle_describe(const struct blk *b, char *buf, size_t len);

#endif
