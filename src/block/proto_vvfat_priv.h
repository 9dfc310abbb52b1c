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
/** vvfat_has_clusters - the root of FAT12 and FAT16 has its own place. */
static inline bool vvfat_has_clusters(const struct vvfat_tree *t, uint32_t node)
{
    return node || t->fat_type == 32;
}

#endif
