/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file system of driver=vvfat as the guest has left it, read back: every chain and name is the guest's, so
 * each cluster is met at most once, and what does not hold together is refused as a whole.
 */
#include "block/proto_vvfat_priv.h"

#include <stdio.h>
#include <inttypes.h>
#include <stdlib.h>

enum {
    ATTR_VOLUME = 8,
    ATTR_DIR = 0x10,
    ATTR_LFN = 0x0f,
    LFN_CHARS = 13,
    LFN_PIECES = 20,
    DELETED = 0xe5
};
enum { CASE_BASE = 8, CASE_EXT = 16, ITEMS_MAX = 1 << 20, FOLDER_MAX = 65536 * VVFAT_ENTRY };

struct walk {
    struct vvfat *v;
    bool (*fresh)(const struct vvfat_writes *w, uint32_t sector);
    struct vvfat_items *items;
    uint8_t *table;
    uint8_t *met; /* a byte for each cluster */
};

int vvfat_items_add(struct vvfat_items *l, const char *path, uint32_t first, uint32_t size,
                    bool dir, struct err *e)
{
    void *more;

    if (l->n == ITEMS_MAX)
        return err_set(e, -EFBIG, "more than %d files", ITEMS_MAX);
    if (l->n == l->room) {
        l->room = l->room ? l->room * 2 : 64;
        if (!(more = realloc(l->at, l->room * sizeof(*l->at))))
            return err_set(e, -ENOMEM, "out of memory for a list of files");
        l->at = more;
    }
    l->at[l->n] =
        (struct vvfat_item){.path = strdup(path), .first = first, .size = size, .dir = dir};
    return l->at[l->n++].path ? 0 : err_set(e, -ENOMEM, "out of memory");
}

void vvfat_items_free(struct vvfat_items *l)
{
    for (uint32_t i = 0; i < l->n; i++)
        free(l->at[i].path);
    free(l->at);
    *l = (struct vvfat_items){0};
}

/* Chains ------------------------------------------------------------------------------------------ */

uint8_t *vvfat_load_table(struct vvfat *v, struct err *e)
{
    uint8_t *table = calloc(v->fat_len + 1, VVFAT_SECTOR);

    if (!table) {
        err_set(e, -ENOMEM, "out of memory for the allocation table");
        return NULL;
    }
    if (vvfat_read_now(v, (uint64_t)v->fat * VVFAT_SECTOR, table, (uint64_t)v->fat_len * VVFAT_SECTOR,
                   e) >= 0)
        return table;
    free(table);
    return NULL;
}

/* The cluster after @c; UINT32_MAX: it is the last. */
static uint32_t next_of(const struct vvfat *v, const uint8_t *table, uint32_t c)
{
    uint32_t next, end;

    switch (v->tree.fat_type) {
    case 32: next = get_le32(table + c * 4) & 0x0fffffff, end = 0x0ffffff8; break;
    case 16: next = get_le16(table + c * 2), end = 0xfff8; break;
    default: next = get_le16(table + c * 3 / 2) >> (c & 1 ? 4 : 0) & 0xfff, end = 0xff8;
    }
    return next >= end ? UINT32_MAX : next;
}

uint32_t *vvfat_chain(const struct vvfat *v, const uint8_t *table, uint32_t first, uint32_t size,
                      uint32_t *n, struct err *e)
{
    uint32_t most =
        size == UINT32_MAX ? FOLDER_MAX / v->tree.cluster : (uint32_t)div_up(size, v->tree.cluster);
    uint32_t *list = malloc(((size_t)most + 1) * sizeof(*list)), c = first;

    *n = 0;
    if (!list) {
        err_set(e, -ENOMEM, "out of memory for a chain of clusters");
        return NULL;
    }
    while (*n < most && c != UINT32_MAX) {
        if (c < 2 || c - 2 >= v->tree.max_clusters)
            break;
        list[(*n)++] = c;
        c = next_of(v, table, c);
    }
    if (size == UINT32_MAX ? c == UINT32_MAX : *n == most)
        return list;
    err_set(e, -EILSEQ, "a chain of clusters from %" PRIu32 " on is broken at %" PRIu32, first, c);
    free(list);
    return NULL;
}

/* Each cluster belongs to one file: what is met twice is a loop, or the guest is in the midst of something. */
static int meet(struct walk *w, const uint32_t *list, uint32_t n, bool *fresh, struct err *e)
{
    uint32_t sectors = w->v->tree.cluster / VVFAT_SECTOR;

    for (uint32_t i = 0; i < n; i++) {
        if (w->met[list[i] - 2]++)
            return err_set(e, -EILSEQ, "cluster %" PRIu32 " belongs to two files", list[i]);
        for (uint32_t k = 0; k < sectors && !*fresh; k++)
            *fresh = w->fresh(w->v->writes,
                              (uint32_t)(vvfat_cluster_at(w->v, list[i]) / VVFAT_SECTOR) + k);
    }
    return 0;
}

/* Names ------------------------------------------------------------------------------------------- */

/* struct long_name - pieces of entries before the short one, gathered from the last on. */
struct long_name {
    uint16_t chars[LFN_PIECES * LFN_CHARS + 1];
    unsigned left; /* pieces that are still to come; 0 and @valid: whole */
    uint8_t sum;
    bool valid;
};

static void take_piece(struct long_name *l, const uint8_t *p)
{
    static const uint8_t places[LFN_CHARS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    unsigned k = p[0] & 0x3f;

    if (p[0] & 0x40) {
        *l = (struct long_name){.left = k, .sum = p[13], .valid = k >= 1 && k <= LFN_PIECES};
        if (l->valid)
            l->chars[k * LFN_CHARS] = 0;
    }
    if (!l->valid || k != l->left || p[13] != l->sum) {
        l->valid = false;
        return;
    }
    for (unsigned i = 0; i < LFN_CHARS; i++)
        l->chars[(k - 1) * LFN_CHARS + i] = get_le16(p + places[i]);
    l->left--;
}

static bool long_is_of(const struct long_name *l, const uint8_t *short_)
{
    uint8_t sum = 0;

    for (int i = 0; i < 11; i++)
        sum = (uint8_t)((sum << 7 | sum >> 1) + short_[i]);
    return l->valid && !l->left && sum == l->sum;
}

static char *put_utf8(char *o, uint32_t c)
{
    if (c < 0x80) {
        *o++ = (char)c;
    } else if (c < 0x800) {
        *o++ = (char)(0xc0 | c >> 6);
        *o++ = (char)(0x80 | (c & 0x3f));
    } else if (c < 0x10000) {
        *o++ = (char)(0xe0 | c >> 12);
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
        *o++ = (char)(0x80 | (c & 0x3f));
    } else {
        *o++ = (char)(0xf0 | c >> 18);
        *o++ = (char)(0x80 | (c >> 12 & 0x3f));
        *o++ = (char)(0x80 | (c >> 6 & 0x3f));
        *o++ = (char)(0x80 | (c & 0x3f));
    }
    return o;
}

static void long_text(const struct long_name *l, char *out)
{
    for (unsigned i = 0; l->chars[i] && l->chars[i] != 0xffff; i++) {
        uint32_t c = l->chars[i];

        if (c >= 0xd800 && c < 0xdc00 && l->chars[i + 1] >= 0xdc00 && l->chars[i + 1] < 0xe000)
            c = 0x10000 + ((c - 0xd800) << 10) + (l->chars[++i] - 0xdc00u);
        out = put_utf8(out, c);
    }
    *out = 0;
}

static char lower(char c, bool yes)
{
    return yes && c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static void short_text(const uint8_t *p, char *out)
{
    int base = 8, ext = 3;

    while (base && p[base - 1] == ' ')
        base--;
    while (ext && p[8 + ext - 1] == ' ')
        ext--;
    for (int i = 0; i < base; i++)
        *out++ = lower((char)(i == 0 && p[0] == 5 ? DELETED : p[i]), p[12] & CASE_BASE);
    if (ext)
        *out++ = '.';
    for (int i = 0; i < ext; i++)
        *out++ = lower((char)p[8 + i], p[12] & CASE_EXT);
    *out = 0;
}

/* One component, below the folder: nothing that leads elsewhere on the host. */
static bool name_good(const char *name)
{
    if (!*name || !strcmp(name, ".") || !strcmp(name, "..") || strlen(name) > 255)
        return false;
    for (const char *p = name; *p; p++)
        if (*p == '/' || (unsigned char)*p < 32)
            return false;
    return true;
}

/* Folders ----------------------------------------------------------------------------------------- */

static int walk_folder(struct walk *w, const char *path, uint32_t first, unsigned depth,
                       struct err *e);

static int take_entry(struct walk *w, const char *path, const uint8_t *p, const char *name,
                      unsigned depth, struct err *e)
{
    uint32_t first = (uint32_t)get_le16(p + 20) << 16 | get_le16(p + 26), size = get_le32(p + 28),
             n;
    bool dir = p[11] & ATTR_DIR, fresh = false;
    char full[4096];
    uint32_t *list;
    int r;

    if (snprintf(full, sizeof(full), "%s%s%s", path, *path ? "/" : "", name) >= (int)sizeof(full))
        return err_set(e, -EILSEQ, "a path of more than %zu bytes", sizeof(full));
    if (w->v->tree.fat_type != 32)
        first &= 0xffff;
    if ((r = vvfat_items_add(w->items, full, first, dir ? 0 : size, dir, e)) < 0)
        return r;
    if (dir)
        return walk_folder(w, full, first, depth + 1, e);
    if (!size)
        return 0;
    if (!(list = vvfat_chain(w->v, w->table, first, size, &n, e)))
        return e->code;
    r = meet(w, list, n, &fresh, e);
    w->items->at[w->items->n - 1].fresh = fresh;
    free(list);
    return r;
}

static int walk_entries(struct walk *w, const char *path, const uint8_t *p, size_t len,
                        unsigned depth, struct err *e)
{
    struct long_name name = {0};
    char text[LFN_PIECES * LFN_CHARS * 4 + 1];
    int r = 0;

    for (const uint8_t *end = p + len; p < end && p[0] && r >= 0; p += VVFAT_ENTRY) {
        if (p[0] == DELETED) {
            name.valid = false;
        } else if ((p[11] & 0x3f) == ATTR_LFN) {
            take_piece(&name, p);
        } else {
            if (long_is_of(&name, p))
                long_text(&name, text);
            else
                short_text(p, text);
            name.valid = false;
            /* Labels, "." and "..", and what the host could not call so: it stays in the guest. */
            if (!(p[11] & ATTR_VOLUME) && name_good(text))
                r = take_entry(w, path, p, text, depth, e);
        }
    }
    return r;
}

static int walk_folder(struct walk *w, const char *path, uint32_t first, unsigned depth,
                       struct err *e)
{
    const struct vvfat *v = w->v;
    uint32_t n, cluster = v->tree.cluster,
                *list = vvfat_chain(v, w->table, first, UINT32_MAX, &n, e);
    bool fresh = true;
    uint8_t *entries = NULL;
    int r = list ? 0 : e->code;

    if (r >= 0 && depth > VVFAT_MAX_DEPTH)
        r = err_set(e, -EILSEQ, "folders are more than %d deep", VVFAT_MAX_DEPTH);
    if (r >= 0 && (r = meet(w, list, n, &fresh, e)) >= 0 &&
        !(entries = malloc((size_t)n * cluster + 1)))
        r = err_set(e, -ENOMEM, "out of memory for a folder");
    for (uint32_t i = 0; r >= 0 && i < n; i++)
        r = vvfat_read_now(w->v, vvfat_cluster_at(v, list[i]), entries + (size_t)i * cluster, cluster,
                       e);
    if (r >= 0)
        r = walk_entries(w, path, entries, (size_t)n * cluster, depth, e);
    free(entries);
    free(list);
    return r;
}

static int walk_root(struct walk *w, struct err *e)
{
    const struct vvfat *v = w->v;
    uint8_t entries[VVFAT_ROOT_ENTRIES * VVFAT_ENTRY];
    int r;

    if (v->tree.fat_type == 32)
        return walk_folder(w, "", 2, 0, e);
    r = vvfat_read_now(w->v, (uint64_t)v->root * VVFAT_SECTOR, entries, sizeof(entries), e);
    return r < 0 ? r : walk_entries(w, "", entries, sizeof(entries), 0, e);
}

int vvfat_walk(struct vvfat *v, bool (*fresh)(const struct vvfat_writes *w, uint32_t sector),
               struct vvfat_items *items, struct err *e)
{
    struct walk w = {.v = v, .fresh = fresh, .items = items};
    int r;

    if (!(w.table = vvfat_load_table(v, e)))
        return e->code;
    if (!(w.met = calloc(v->tree.max_clusters + 1, 1)))
        r = err_set(e, -ENOMEM, "out of memory for clusters");
    else
        r = walk_root(&w, e);
    free(w.table);
    free(w.met);
    return r;
}
