/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Writing a device tree: Devicetree Specification 0.4, by libfdt. */
#include "board/tree.h"

#include "base/bytes.h"

#include <errno.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIRST_SIZE = 64 << 10, FIRST_PHANDLE = 0x8000 };

struct tree {
    uint8_t *blob;
    int size;
    uint32_t phandle; /* the next one */
    bool foreign;     /* read: what goes wrong is its fault, */
    int failed;       /* and remembered */
};

static void fail(struct tree *t, const char *path, int r)
{
    if (!t->foreign)
        bug("device tree: %s: %s", path, fdt_strerror(r));
    t->failed = r;
}

static void grow(struct tree *t)
{
    int r;

    t->size *= 2;
    t->blob = realloc(t->blob, t->size);
    if (!t->blob)
        fatal("out of memory for the device tree");
    if ((r = fdt_open_into(t->blob, t->blob, t->size)) < 0)
        fail(t, "growing", r);
}

static struct tree *of_size(int size)
{
    struct tree *t = calloc(1, sizeof(*t));

    if (!t || !(t->blob = malloc(size)))
        fatal("out of memory for the device tree");
    t->size = size;
    t->phandle = FIRST_PHANDLE;
    return t;
}

struct tree *tree_new(void)
{
    struct tree *t = of_size(FIRST_SIZE);

    if (fdt_create_empty_tree(t->blob, t->size) < 0)
        bug("no empty device tree");
    return t;
}

struct tree *tree_read(const void *blob, size_t len, struct err *e)
{
    struct tree *t;

    /* Before version 17 the header does not tell the size of everything, and libfdt 1.6 reads on. */
    if (len >= sizeof(struct fdt_header) && fdt_magic(blob) == FDT_MAGIC && fdt_version(blob) < 17) {
        err_set(e, -EINVAL, "device tree blob of version %u: want 17", fdt_version(blob));
        return NULL;
    }
    if (len > INT32_MAX / 4 || fdt_check_full(blob, len) < 0) {
        err_set(e, -EINVAL, "not a device tree blob");
        return NULL;
    }
    t = of_size(len + FIRST_SIZE);
    t->foreign = true;
    if (fdt_open_into(blob, t->blob, t->size) < 0) {
        tree_free(t);
        err_set(e, -EINVAL, "device tree blob of an unknown version");
        return NULL;
    }
    return t;
}

void tree_free(struct tree *t)
{
    if (!t)
        return;
    free(t->blob);
    free(t);
}

const void *tree_blob(struct tree *t, size_t *len)
{
    int r = fdt_pack(t->blob);

    if (r < 0)
        fail(t, "packing", r);
    *len = fdt_totalsize(t->blob);
    return t->blob;
}

/* Writers have the room again that packing took away. */
static void open_up(struct tree *t)
{
    int r;

    if ((int)fdt_totalsize(t->blob) < t->size && (r = fdt_open_into(t->blob, t->blob, t->size)) < 0)
        fail(t, "opening", r);
}

bool tree_ok(const struct tree *t, struct err *e)
{
    if (t->failed)
        err_set(e, -EINVAL, "device tree cannot be changed: %s", fdt_strerror(t->failed));
    return !t->failed;
}

bool tree_has(struct tree *t, const char *path)
{
    return fdt_path_offset(t->blob, path) >= 0;
}

void tree_node(struct tree *t, const char *path)
{
    const char *name = strrchr(path, '/') + 1;
    char parent[256];
    int r = 0;

    if (tree_has(t, path))
        return;
    open_up(t);
    snprintf(parent, sizeof(parent), "%.*s", name - 1 == path ? 1 : (int)(name - 1 - path), path);
    while (!t->failed && (r = fdt_path_offset(t->blob, parent)) >= 0 &&
           (r = fdt_add_subnode(t->blob, r, name)) == -FDT_ERR_NOSPACE)
        grow(t);
    if (r < 0)
        fail(t, path, r);
}

void tree_del(struct tree *t, const char *path)
{
    int n = fdt_path_offset(t->blob, path);

    open_up(t);
    if (n >= 0)
        fdt_del_node(t->blob, n);
}

uint32_t tree_phandle(struct tree *t, const char *path)
{
    tree_u32(t, path, "phandle", t->phandle);
    return t->phandle++;
}

void tree_bytes(struct tree *t, const char *path, const char *name, const void *p, size_t len)
{
    int r = 0;

    open_up(t);
    while (!t->failed && (r = fdt_path_offset(t->blob, path)) >= 0 &&
           (r = fdt_setprop(t->blob, r, name, p, len)) == -FDT_ERR_NOSPACE)
        grow(t);
    if (r < 0)
        fail(t, path, r);
}

void tree_flag(struct tree *t, const char *path, const char *name)
{
    tree_bytes(t, path, name, NULL, 0);
}

void tree_u32(struct tree *t, const char *path, const char *name, uint32_t v)
{
    tree_cells(t, path, name, &v, 1);
}

void tree_u64(struct tree *t, const char *path, const char *name, uint64_t v)
{
    tree_wide(t, path, name, &v, 1);
}

void tree_str(struct tree *t, const char *path, const char *name, const char *v)
{
    tree_bytes(t, path, name, v, strlen(v) + 1);
}

void tree_cells(struct tree *t, const char *path, const char *name, const uint32_t *v, size_t n)
{
    uint8_t *b = malloc(n * 4 + 1);

    if (!b)
        fatal("out of memory");
    for (size_t i = 0; i < n; i++)
        put_be32(b + 4 * i, v[i]);
    tree_bytes(t, path, name, b, n * 4);
    free(b);
}

void tree_wide(struct tree *t, const char *path, const char *name, const uint64_t *v, size_t n)
{
    uint8_t *b = malloc(n * 8 + 1);

    if (!b)
        fatal("out of memory");
    for (size_t i = 0; i < n; i++)
        put_be64(b + 8 * i, v[i]);
    tree_bytes(t, path, name, b, n * 8);
    free(b);
}

uint32_t tree_cell(struct tree *t, const char *path, const char *name, unsigned i, uint32_t none)
{
    int n = fdt_path_offset(t->blob, path), len;
    const uint8_t *p = n >= 0 ? fdt_getprop(t->blob, n, name, &len) : NULL;

    return p && len >= 4 * (int)(i + 1) ? get_be32(p + 4 * i) : none;
}
