/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing a device tree (Devicetree Specification 0.4) with libfdt: the tree grows as needed, nodes are named by their path.
 * Writing a tree of ours fails for lack of memory or because we are wrong only, which ends the program; one that was
 * read may be too damaged to be changed, which tree_ok() tells in the end.
 */
#ifndef BOARD_TREE_H
#define BOARD_TREE_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct tree;

struct tree *tree_new(void);
/** tree_read - a copy of a blob of at most @len bytes; -EINVAL when it is none. */
struct tree *tree_read(const void *blob, size_t len, struct err *e);
void tree_free(struct tree *t);
/** tree_ok - all changes so far were made; false: a message. */
bool tree_ok(const struct tree *t, struct err *e);
/** tree_blob - the whole, packed; valid until the next change. */
const void *tree_blob(struct tree *t, size_t *len);

/** tree_node - make the node (its parent is there) when there is none. */
void tree_node(struct tree *t, const char *path);
void tree_del(struct tree *t, const char *path);
bool tree_has(struct tree *t, const char *path);
/** tree_phandle - a new handle for others to name the node by, also its property "phandle". */
uint32_t tree_phandle(struct tree *t, const char *path);

void tree_flag(struct tree *t, const char *path, const char *name);
void tree_u32(struct tree *t, const char *path, const char *name, uint32_t v);
void tree_u64(struct tree *t, const char *path, const char *name, uint64_t v);
void tree_str(struct tree *t, const char *path, const char *name, const char *v);
/** tree_bytes - also lists of strings, with their NULs. */
void tree_bytes(struct tree *t, const char *path, const char *name, const void *p, size_t len);
void tree_cells(struct tree *t, const char *path, const char *name, const uint32_t *v, size_t n);
/** tree_wide - cells of 64 bits. */
void tree_wide(struct tree *t, const char *path, const char *name, const uint64_t *v, size_t n);
/* The same with values in line. */
#define TREE_CELLS(t, path, name, ...)                                                             \
    tree_cells(t, path, name, (const uint32_t[]){__VA_ARGS__},                                     \
               sizeof((const uint32_t[]){__VA_ARGS__}) / 4)
#define TREE_WIDE(t, path, name, ...)                                                              \
    tree_wide(t, path, name, (const uint64_t[]){__VA_ARGS__},                                      \
              sizeof((const uint64_t[]){__VA_ARGS__}) / 8)
/** tree_cell - cell @i of a property; @none when there is none. */
uint32_t tree_cell(struct tree *t, const char *path, const char *name, unsigned i, uint32_t none);

#endif
