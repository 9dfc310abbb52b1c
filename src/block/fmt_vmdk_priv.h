/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of fmt_vmdk share: VMware's disk images, after "VMware Virtual Disk Format 5.0"
 * (technical note, 2011); the zeroed grain as Debian's qemu-img writes it.
 */
#ifndef BLOCK_FMT_VMDK_PRIV_H
#define BLOCK_FMT_VMDK_PRIV_H

#include "block/table.h"

enum {
    VMDK_SECTOR = 512,
    VMDK_MAX_EXTENTS = 4096,
    VMDK_MAX_DESC = 1 << 20, /* bytes of a descriptor */
    VMDK_MAX_GRAIN = 2 << 20,
    VMDK_GTES = 512, /* entries of a grain table in all hosted images */
    VMDK_MARKER = 12,
};
#define VMDK_NO_PARENT UINT32_C(0xffffffff)

/* Flags of the sparse header. */
enum {
    VMDK_NEWLINES = 1 << 0,
    VMDK_REDUNDANT = 1 << 1,
    VMDK_ZEROED = 1 << 2,
    VMDK_COMPRESSED = 1 << 16,
    VMDK_MARKERS = 1 << 17,
};

enum vmdk_kind { VMDK_FLAT, VMDK_SPARSE, VMDK_EMPTY };

struct vmdk_extent {
    enum vmdk_kind kind;
    struct blk *file;   /* a reference, but for the one extent that is b->file itself */
    bool own;           /* close @file */
    bool read_only;     /* said so, or a layout that is only read */
    uint64_t start;     /* bytes of the disk before it */
    uint64_t len;       /* bytes */
    uint64_t host;      /* flat: offset in @file */
    const char *type;   /* the word in the descriptor, or "" for a sparse file opened by itself */
    /* sparse: */
    uint64_t grain;     /* bytes, a power of two */
    uint32_t gtes;      /* entries of a grain table */
    uint32_t flags;     /* VMDK_NEWLINES, ... */
    uint32_t dir_n;     /* grain tables */
    uint64_t dir_host;  /* of the directory that counts, and of its twin (0: none) */
    uint64_t twin_host;
    uint32_t *dir;      /* sectors of grain tables, host order [vmdk.lock] */
    uint32_t *twin;
    struct tcache *tables; /* [vmdk.lock] */
    struct room room;
    uint64_t desc_host, desc_len; /* the embedded descriptor */
};

struct vmdk {
    pthread_mutex_t lock;
    struct vmdk_extent *extents; /* by start */
    unsigned n;
    char *desc;           /* the descriptor's text */
    uint64_t desc_host;   /* in b->file, and the bytes that it may take; SIZE_MAX in a file of its own */
    uint64_t desc_room;
    uint32_t cid, parent_cid;
    char *create_type;
    bool cid_fresh;       /* [lock] the content id was renewed since opening */
    int parent_checked;   /* [atomic] 1: the parent is the one that this image was made on */
};

/* fmt_vmdk_desc.c */
/** vmdk_desc_value - the value of @key ("CID"), without quotes, malloc'd, or NULL. */
char *vmdk_desc_value(const char *desc, const char *key);
/** vmdk_desc_extents - the extent lines, opened. */
int vmdk_desc_extents(struct blk *b, struct json_object *opts, struct err *e);
bool vmdk_desc_looks(const char *text, size_t len);
/** vmdk_desc_store - write @text as the image's descriptor. */
int vmdk_desc_store(struct blk *b, const char *text, struct err *e);
/** vmdk_desc_replace - @desc with @key's value replaced by @value (both unquoted), malloc'd. */
char *vmdk_desc_replace(const char *desc, const char *key, const char *value);

/* fmt_vmdk_sparse.c */
/** vmdk_sparse_open - @x->file begins with a sparse header: fill the rest. */
int vmdk_sparse_open(struct blk *b, struct vmdk_extent *x, struct err *e);
void vmdk_extent_free(struct vmdk_extent *x);
/** vmdk_entry - grain table entry of grain @i (sectors; 0 hole, 1 zeros) and how many of the next, up to
 *  @max, go on alike.  The lock is held. */
int vmdk_entry(struct vmdk_extent *x, uint64_t i, uint64_t max, uint32_t *entry, uint64_t *run,
               struct err *e);
/** vmdk_set_entries - entries i.. become first, first+step.. (all within one table: @n is cut to it). */
int vmdk_set_entries(struct vmdk_extent *x, uint64_t i, uint64_t *n, uint32_t first, uint32_t step,
                     struct err *e);
/** vmdk_mend - the entry of grain @i, or of its table, points out of the file: it becomes what the second directory
 *  says, or a hole.  The lock is held. */
int vmdk_mend(struct vmdk_extent *x, uint64_t i, struct blk_check *c, struct err *e);

/* fmt_vmdk_grain.c: compressed grains */
int vmdk_grain_read(struct vmdk_extent *x, uint64_t host, uint64_t in, uint64_t len, void *buf,
                    struct err *e);
int vmdk_grain_pack(const void *in, size_t len, void **out, size_t *out_len, struct err *e);
/** vmdk_grain_store - packed bytes of the grain at @lba sectors go to the end: its sector. */
int vmdk_grain_store(struct vmdk_extent *x, uint64_t lba, const void *packed, size_t len,
                     uint32_t *sector, struct err *e);

/* fmt_vmdk_create.c */
extern const struct blk_create_ops vmdk_create_ops;

extern const struct blk_driver fmt_vmdk;

#endif
