/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of proto_vvfat share: a folder of the host as a FAT file system, after "FAT: General Overview of
 * On-Disk Format" 1.03 (Microsoft, 2000).
 */
#ifndef BLOCK_PROTO_VVFAT_PRIV_H
#define BLOCK_PROTO_VVFAT_PRIV_H

#include "block/driver.h"

enum { VVFAT_SECTOR = 512, VVFAT_ENTRY = 32, VVFAT_ROOT_ENTRIES = 512, VVFAT_MAX_DEPTH = 32 };

/* struct vvfat_node - a file or a folder of the tree. */
struct vvfat_node {
    char *path;       /* on the host */
    uint32_t first;   /* cluster; 0: none */
    uint32_t size;    /* bytes: of a file; of a folder's entries */
    uint32_t parent;  /* index */
    uint32_t entry;   /* where its entry is in the parent's entries, in bytes */
    uint8_t *entries; /* folders: directory entries; files: NULL */
};

/* struct vvfat_tree - nodes in the order of their clusters; 0 is the root. */
struct vvfat_tree {
    struct vvfat_node *nodes;
    uint32_t n, room;
    unsigned fat_type;     /* 12, 16, 32 */
    uint32_t cluster;      /* bytes */
    uint32_t max_clusters; /* that the file system has */
    uint32_t clusters;     /* in use */
};

/** vvfat_scan - the folder @path becomes @t's nodes; @label is put first.  Fill @fat_type, @cluster and
 *  @max_clusters before. */
int vvfat_scan(struct vvfat_tree *t, const char *path, const char *label, struct err *e);
void vvfat_free(struct vvfat_tree *t);
struct vvfat_writes;

/* struct vvfat - sectors count from the disk's beginning. */
struct vvfat {
    struct vvfat_tree tree;
    uint32_t start, total;   /* of the file system; its sectors */
    uint32_t fat, fat_len;   /* the first copy, sectors of one */
    uint32_t root, root_len; /* FAT12, FAT16 */
    uint32_t data;           /* cluster 2 */
    uint32_t per_track, heads;
    bool floppy;
    char label[12];
    uint8_t *table;              /* fat_len sectors */
    struct vvfat_writes *writes; /* NULL: only read */
};

/** vvfat_read_host - what the tree shows, without what has been written. */
int vvfat_read_host(struct vvfat *v, uint64_t off, uint8_t *buf, uint64_t len, struct err *e);

/* proto_vvfat_write.c: what is written, and how it comes to the folder.  vvfat_writes_sync - at a flush: the folder
 * becomes what the file system says, when that is whole; another time when it is not. */
int vvfat_writes_open(struct blk *b, const char *dir, struct err *e);
void vvfat_writes_close(struct blk *b);
int vvfat_writes_sync(struct blk *b, bool last, struct err *e);
int vvfat_read(struct vvfat *v, uint64_t off, uint8_t *buf, uint64_t len, struct err *e);
/** vvfat_read_now - the same for who has the writes' lock. */
int vvfat_read_now(struct vvfat *v, uint64_t off, uint8_t *buf, uint64_t len, struct err *e);
int vvfat_write(struct vvfat *v, uint64_t off, const uint8_t *buf, uint64_t len, struct err *e);

/* proto_vvfat_walk.c: the file system that is there now. */
struct vvfat_item {
    char *path; /* in the folder: "a/b" */
    uint32_t first, size;
    bool dir, fresh; /* one of its clusters has been written to */
};
struct vvfat_items {
    struct vvfat_item *at;
    uint32_t n, room;
};
/** vvfat_walk - all files and folders, folders before what is in them.  @fresh(sector) tells what was written.
 *  -EILSEQ: it is not whole. */
int vvfat_walk(struct vvfat *v, bool (*fresh)(const struct vvfat_writes *w, uint32_t sector),
               struct vvfat_items *items, struct err *e);
int vvfat_items_add(struct vvfat_items *l, const char *path, uint32_t first, uint32_t size,
                    bool dir, struct err *e);
void vvfat_items_free(struct vvfat_items *l);
/** vvfat_chain - the clusters of @first, in order, malloc'd; *@n of them.  @size: of a file; UINT32_MAX: a folder. */
uint32_t *vvfat_chain(const struct vvfat *v, const uint8_t *table, uint32_t first, uint32_t size,
                      uint32_t *n, struct err *e);
/** vvfat_load_table - the allocation table as it is now, malloc'd. */
uint8_t *vvfat_load_table(struct vvfat *v, struct err *e);
static inline uint64_t vvfat_cluster_at(const struct vvfat *v, uint32_t cluster)
{
    return (uint64_t)v->data * VVFAT_SECTOR + (uint64_t)(cluster - 2) * v->tree.cluster;
}

/** vvfat_has_clusters - the root of FAT12 and FAT16 has its own place. */
static inline bool vvfat_has_clusters(const struct vvfat_tree *t, uint32_t node)
{
    return node || t->fat_type == 32;
}

#endif
