/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of fmt_vpc share: Virtual PC's disk images, after "Virtual Hard Disk Image Format
 * Specification" 1.0 (Microsoft, 2006).  Everything is big-endian.
 */
#ifndef BLOCK_FMT_VPC_PRIV_H
#define BLOCK_FMT_VPC_PRIV_H

#include "block/table.h"

enum { VPC_SECTOR = 512, VPC_FOOTER = 512, VPC_DYNAMIC = 1024 };

/* Offsets in the footer, "conectix". */
enum {
    FOOT_FEATURES = 8,
    FOOT_VERSION = 12,
    FOOT_DATA = 16,
    FOOT_TIME = 24,
    FOOT_APP = 28,
    FOOT_APP_VERSION = 32,
    FOOT_OS = 36,
    FOOT_ORIGINAL = 40,
    FOOT_SIZE = 48,
    FOOT_CYLINDERS = 56,
    FOOT_HEADS = 58,
    FOOT_PER_TRACK = 59,
    FOOT_TYPE = 60,
    FOOT_SUM = 64,
    FOOT_UUID = 68,
};
enum { VPC_FIXED = 2, VPC_DYN = 3, VPC_DIFF = 4 };

/* Offsets in the header of dynamic and differencing disks, "cxsparse". */
enum {
    D_TABLE = 16,
    D_VERSION = 24,
    D_ENTRIES = 28,
    D_BLOCK = 32,
    D_SUM = 36,
    D_PARENT_UUID = 40,
    D_PARENT_NAME = 64,
    D_LOCATORS = 576,
    LOCATOR = 24,
    LOCATORS = 8,
};

#define VPC_UNUSED UINT32_C(0xffffffff)
#define VPC_BLOCK  (2 * MiB)
#define VPC_MAX    (2040 * GiB)
/* What cylinders, heads and sectors can say at most. */
#define VPC_CHS_MAX (UINT64_C(65535) * 16 * 255)

/** vpc_sum - the checksum of @len bytes with the four at @hole taken as zeros. */
uint32_t vpc_sum(const uint8_t *p, size_t len, size_t hole);

/* fmt_vpc_parent.c */
/** vpc_parent_name - a differencing disk's parent, from the header @d: malloc'd, or NULL. */
char *vpc_parent_name(struct blk *file, const uint8_t *d, struct err *e);

/* fmt_vpc_create.c */
extern const struct blk_create_ops vpc_create_ops;

#endif
