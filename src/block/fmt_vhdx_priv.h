/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of fmt_vhdx share: Hyper-V's disk images, after Microsoft's [MS-VHDX]; numbers are sections. */
#ifndef BLOCK_FMT_VHDX_PRIV_H
#define BLOCK_FMT_VHDX_PRIV_H

#include "block/table.h"

enum {
    VHDX_GUID = 16,
    VHDX_HEADER = 4096,
    VHDX_SECTOR = 4096,        /* of headers and the log */
    VHDX_TABLE = 64 << 10,     /* a region table, the table of metadata */
    VHDX_ITEMS = 64 << 10,     /* where items begin in the metadata region */
    VHDX_MAX_ENTRIES = 2047,   /* 2.2.3.1, 2.6.1.1 */
    VHDX_MAX_LOG = 1 << 30,    /* bytes; ours: Hyper-V makes 1 MiB */
};
#define VHDX_HEADER_1 (64 * KiB)
#define VHDX_HEADER_2 (128 * KiB)
#define VHDX_REGION_1 (192 * KiB)
#define VHDX_REGION_2 (256 * KiB)
#define VHDX_MAX_SIZE (64 * TiB)

/* States of payload blocks, 2.5.1.1. */
enum {
    VHDX_NOT_PRESENT = 0,
    VHDX_UNDEFINED = 1,
    VHDX_ZERO = 2,
    VHDX_UNMAPPED = 3,
    VHDX_PRESENT = 6,
    VHDX_PARTIAL = 7,
    VHDX_STATE = 7, /* mask */
};

/* struct vhdx_header - 2.2.2, the newer of the two. */
struct vhdx_header {
    unsigned which; /* 0 or 1 */
    uint64_t sequence;
    uint8_t file_guid[VHDX_GUID], data_guid[VHDX_GUID], log_guid[VHDX_GUID];
    uint64_t log_host;
    uint32_t log_len;
};

struct vhdx_region {
    uint64_t host;
    uint32_t len;
};

/* struct vhdx - [lock]: header, header_fresh. */
struct vhdx {
    pthread_mutex_t lock;
    struct vhdx_header header;
    int header_fresh; /* [atomic] the guids were renewed since opening */
    struct vhdx_region bat_region, metadata;
    struct bat bat;
    struct room room;
    uint32_t block, sector;
    uint64_t ratio; /* payload blocks of a chunk: after as many entries comes one of a bitmap */
    uint64_t blocks;
    bool replayed; /* opening it replayed a log */
};

extern const uint8_t vhdx_guid_bat[VHDX_GUID], vhdx_guid_metadata[VHDX_GUID],
    vhdx_guid_parameters[VHDX_GUID], vhdx_guid_size[VHDX_GUID], vhdx_guid_page83[VHDX_GUID],
    vhdx_guid_logical[VHDX_GUID], vhdx_guid_physical[VHDX_GUID];

/** vhdx_crc - CRC-32C of @p with the four bytes at @hole taken as zeros (@hole >= @len: none). */
uint32_t vhdx_crc(const void *p, size_t len, size_t hole);
/** vhdx_crc_add - the sum (begun with ~0, ended with ~) goes on over @len bytes, a multiple of 8. */
uint32_t vhdx_crc_add(uint32_t crc, const void *p, size_t len);

/** vhdx_header_write - @h becomes the newer header: sequence number and place change. */
int vhdx_header_write(struct blk *file, struct vhdx_header *h, struct err *e);

/* fmt_vhdx_log.c */
/** vhdx_log_replay - do what the log says; afterwards it counts no more. */
int vhdx_log_replay(struct blk *file, struct vhdx_header *h, struct err *e);

/* fmt_vhdx_create.c */
extern const struct blk_create_ops vhdx_create_ops;

#endif
