/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The tree behind driver=vvfat: folders of the host are read once, names become FAT's, clusters are dealt out. */
#include "block/proto_vvfat_priv.h"

#include <dirent.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>

enum { MAX_NODES = 1 << 20, MAX_NAME = 255, LFN_CHARS = 13, MAX_ENTRIES = 65536 };
enum { ATTR_VOLUME = 8, ATTR_DIR = 0x10, ATTR_FILE = 0x20, ATTR_LFN = 0x0f };

static int new_node(struct vvfat_tree *t, const char *path, uint32_t parent, uint32_t *index,
                    struct err *e)
{
    void *more;

    if (t->n == MAX_NODES)
        return err_set(e, -EFBIG, "'%s': more than %d files", path, MAX_NODES);
    if (t->n == t->room) {
        t->room = t->room ? t->room * 2 : 64;
        if (!(more = realloc(t->nodes, t->room * sizeof(*t->nodes))))
            return err_set(e, -ENOMEM, "out of memory for the tree of files");
        t->nodes = more;
    }
    t->nodes[t->n] = (struct vvfat_node){.path = strdup(path), .parent = parent};
    *index = t->n++;
    return t->nodes[*index].path ? 0 : err_set(e, -ENOMEM, "out of memory");
}

/* One more entry of the folder @dir, zeroed; NULL with @e. */
static uint8_t *add_entry(struct vvfat_tree *t, uint32_t dir, struct err *e)
{
    struct vvfat_node *d = &t->nodes[dir];
    uint32_t max = vvfat_has_clusters(t, dir) ? MAX_ENTRIES : VVFAT_ROOT_ENTRIES;
    uint8_t *more;

    if (d->size / VVFAT_ENTRY == max) {
        err_set(e, -EFBIG, "'%s' has too many entries for a FAT folder: the limit is %" PRIu32,
                d->path, max);
        return NULL;
    }
    if (!(more = realloc(d->entries, d->size + VVFAT_ENTRY))) {
        err_set(e, -ENOMEM, "out of memory for a folder");
        return NULL;
    }
    d->entries = more;
    more += d->size;
    memset(more, 0, VVFAT_ENTRY);
    d->size += VVFAT_ENTRY;
    return more;
}

/* Names ------------------------------------------------------------------------------------------------ */

/* The character at *@p; false: it is no UTF-8. */
static bool next_char(const uint8_t **p, uint32_t *c)
{
    unsigned more;

    *c = *(*p)++;
    if (*c >= 0x80 && *c < 0xc0)
        return false;
    more = *c < 0x80 ? 0 : *c >= 0xf0 ? 3 : *c >= 0xe0 ? 2 : 1;
    if (more)
        *c &= 0x3fu >> more;
    for (; more; more--, ++*p) {
        if ((**p & 0xc0) != 0x80)
            return false;
        *c = *c << 6 | (**p & 0x3f);
    }
    return true;
}

/* UTF-8 to UTF-16: the number of units, at most MAX_NAME, or 0 when the name cannot be said. */
static unsigned to_utf16(const char *name, uint16_t out[MAX_NAME])
{
    const uint8_t *p = (const uint8_t *)name;
    unsigned n = 0;
    uint32_t c;

    while (*p) {
        if (!next_char(&p, &c) || n + (c > 0xffff) >= MAX_NAME)
            return 0;
        if (c > 0xffff) {
            out[n++] = (uint16_t)(0xd800 + ((c - 0x10000) >> 10));
            c = 0xdc00 + ((c - 0x10000) & 0x3ff);
        }
        out[n++] = (uint16_t)c;
    }
    return n;
}

static char short_char(char c)
{
    if (c >= 'a' && c <= 'z')
        return (char)(c - 32);
    return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'()-@^_`{}~", c))
               ? c
               : '_';
}

static bool taken(const struct vvfat_node *d, const uint8_t name[11])
{
    for (uint32_t i = 0; i < d->size; i += VVFAT_ENTRY)
        if (d->entries[i + 11] != ATTR_LFN && !memcmp(d->entries + i, name, 11))
            return true;
    return false;
}

/* An 8.3 name that the folder does not have yet.  True: it says @name completely. */
static bool short_name(const struct vvfat_node *d, const char *name, uint8_t out[11])
{
    const char *dot = strrchr(name, '.'), *end = dot && dot != name ? dot : name + strlen(name);
    bool whole = end - name <= 8 && strlen(end) <= 4;
    char tail[12];
    size_t base = 0;

    memset(out, ' ', 11);
    for (const char *p = name; p < end && base < 8; p++) {
        whole = whole && short_char(*p) == *p;
        if (*p != '.' && *p != ' ')
            out[base++] = (uint8_t)short_char(*p);
    }
    for (size_t i = 0; *end && end[i + 1] && i < 3; i++) {
        whole = whole && short_char(end[i + 1]) == end[i + 1];
        out[8 + i] = (uint8_t)short_char(end[i + 1]);
    }
    if (whole && base && !taken(d, out))
        return true;
    for (unsigned n = 1; n < 1000000; n++) {
        size_t len = (size_t)snprintf(tail, sizeof(tail), "~%u", n);
        size_t at = base < 8 - len ? base : 8 - len;

        memset(out + at, ' ', 8 - at);
        memcpy(out + at, tail, len);
        if (!taken(d, out))
            break;
    }
    return false;
}

/* The entries before the short one that hold the long name, last piece first. */
static int add_long_name(struct vvfat_tree *t, uint32_t dir, const uint16_t *name, unsigned n,
                         const uint8_t short_[11], struct err *e)
{
    static const uint8_t places[LFN_CHARS] = {1, 3, 5, 7, 9, 14, 16, 18, 20, 22, 24, 28, 30};
    unsigned pieces = (n + LFN_CHARS - 1) / LFN_CHARS;
    uint8_t sum = 0, *p;

    for (int i = 0; i < 11; i++)
        sum = (uint8_t)((sum << 7 | sum >> 1) + short_[i]);
    for (unsigned k = pieces; k > 0; k--) {
        if (!(p = add_entry(t, dir, e)))
            return e->code;
        p[0] = (uint8_t)(k | (k == pieces ? 0x40 : 0));
        p[11] = ATTR_LFN;
        p[13] = sum;
        for (unsigned i = 0; i < LFN_CHARS; i++) {
            unsigned at = (k - 1) * LFN_CHARS + i;

            put_le16(p + places[i], at < n ? name[at] : at == n ? 0 : 0xffff);
        }
    }
    return 0;
}

static void put_times(uint8_t *p, time_t when)
{
    struct tm tm;
    uint16_t date, hour;

    if (!localtime_r(&when, &tm) || tm.tm_year < 80 || tm.tm_year > 207)
        tm = (struct tm){.tm_year = 80, .tm_mday = 1};
    date = (uint16_t)((tm.tm_year - 80) << 9 | (tm.tm_mon + 1) << 5 | tm.tm_mday);
    hour = (uint16_t)(tm.tm_hour << 11 | tm.tm_min << 5 | tm.tm_sec / 2);
    put_le16(p + 14, hour);
    put_le16(p + 16, date);
    put_le16(p + 18, date);
    put_le16(p + 22, hour);
    put_le16(p + 24, date);
}

/* Folders ------------------------------------------------------------------------------------------------ */

/* "." and "..": their clusters are filled in when all are known. */
static int add_dots(struct vvfat_tree *t, uint32_t dir, time_t when, struct err *e)
{
    for (int k = 1; k <= 2; k++) {
        uint8_t *p = add_entry(t, dir, e);

        if (!p)
            return e->code;
        memset(p, ' ', 11);
        memset(p, '.', (size_t)k);
        p[11] = ATTR_DIR;
        put_times(p, when);
    }
    return 0;
}

static int scan_folder(struct vvfat_tree *t, uint32_t dir, unsigned depth, struct err *e);

/* The entry of @path in @dir, and its node. */
static int add_node(struct vvfat_tree *t, uint32_t dir, const char *path, const char *name,
                    const struct stat *st, uint32_t *node, struct err *e)
{
    uint16_t wide[MAX_NAME];
    uint8_t short_[11], *p;
    unsigned n = to_utf16(name, wide);
    int r;

    if ((!short_name(&t->nodes[dir], name, short_) &&
         (r = add_long_name(t, dir, wide, n, short_, e)) < 0) ||
        (r = new_node(t, path, dir, node, e)) < 0)
        return r;
    if (!(p = add_entry(t, dir, e)))
        return e->code;
    t->nodes[*node].entry = t->nodes[dir].size - VVFAT_ENTRY;
    memcpy(p, short_, 11);
    put_times(p, st->st_mtime);
    p[11] = S_ISDIR(st->st_mode) ? ATTR_DIR : ATTR_FILE;
    if (S_ISREG(st->st_mode)) {
        t->nodes[*node].size = (uint32_t)st->st_size;
        put_le32(p + 28, (uint32_t)st->st_size);
    }
    return 0;
}

static int add_file(struct vvfat_tree *t, uint32_t dir, const char *name, unsigned depth,
                    struct err *e)
{
    char path[PATH_MAX];
    uint16_t wide[MAX_NAME];
    struct stat st;
    uint32_t node;
    int r;

    if (snprintf(path, sizeof(path), "%s/%s", t->nodes[dir].path, name) >= (int)sizeof(path) ||
        stat(path, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)) ||
        !to_utf16(name, wide))
        return 0; /* sockets, broken links, names that FAT cannot have */
    if (S_ISREG(st.st_mode) && st.st_size > UINT32_MAX)
        return err_set(e, -EFBIG, "'%s' is longer than the 4 GiB that FAT can say", path);
    if ((r = add_node(t, dir, path, name, &st, &node, e)) < 0 || S_ISREG(st.st_mode))
        return r;
    if ((r = add_dots(t, node, st.st_mtime, e)) < 0)
        return r;
    return scan_folder(t, node, depth + 1, e);
}

static int no_dots(const struct dirent *d)
{
    return strcmp(d->d_name, ".") && strcmp(d->d_name, "..");
}

static int scan_folder(struct vvfat_tree *t, uint32_t dir, unsigned depth, struct err *e)
{
    const char *path = t->nodes[dir].path;
    struct dirent **list;
    int n, r = 0;

    if (depth > VVFAT_MAX_DEPTH)
        return err_set(e, -ELOOP, "'%s' is more than %d folders deep", path, VVFAT_MAX_DEPTH);
    if ((n = scandir(path, &list, no_dots, alphasort)) < 0)
        return err_set(e, -errno, "Could not read directory %s: %s", path, strerror(errno));
    for (int i = 0; i < n; i++) {
        if (r >= 0)
            r = add_file(t, dir, list[i]->d_name, depth, e);
        free(list[i]);
    }
    free(list);
    return r;
}

/* Clusters ------------------------------------------------------------------------------------------------- */

static void put_cluster(uint8_t *entry, uint32_t cluster)
{
    put_le16(entry + 20, (uint16_t)(cluster >> 16));
    put_le16(entry + 26, (uint16_t)cluster);
}

static int deal_clusters(struct vvfat_tree *t, struct err *e)
{
    uint64_t next = 2;

    for (uint32_t i = 0; i < t->n; i++) {
        struct vvfat_node *n = &t->nodes[i];

        if (!vvfat_has_clusters(t, i) || !n->size)
            continue;
        n->first = (uint32_t)next;
        next += div_up(n->size, t->cluster);
        if (next - 2 > t->max_clusters)
            return err_set(e, -EFBIG, "Directory does not fit in FAT%u (capacity %.2f MB)",
                           t->fat_type, (double)t->max_clusters * t->cluster / MiB);
    }
    t->clusters = (uint32_t)(next - 2);
    for (uint32_t i = 1; i < t->n; i++) {
        struct vvfat_node *n = &t->nodes[i];

        put_cluster(t->nodes[n->parent].entries + n->entry, n->first);
        if (n->entries) { /* the root is called 0 by its children */
            put_cluster(n->entries, n->first);
            put_cluster(n->entries + VVFAT_ENTRY, n->parent ? t->nodes[n->parent].first : 0);
        }
    }
    return 0;
}

int vvfat_scan(struct vvfat_tree *t, const char *path, const char *label, struct err *e)
{
    struct stat st;
    uint32_t root;
    uint8_t *p;
    int r;

    if (stat(path, &st) < 0)
        return err_set(e, -errno, "Could not read directory %s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(e, -ENOTDIR, "Could not read directory %s: it is none", path);
    if ((r = new_node(t, path, 0, &root, e)) < 0)
        return r;
    if (!(p = add_entry(t, root, e)))
        return e->code;
    memset(p, ' ', 11);
    memcpy(p, label, min_u64(strlen(label), 11));
    p[11] = ATTR_VOLUME;
    put_times(p, st.st_mtime);
    if ((r = scan_folder(t, root, 0, e)) < 0)
        return r;
    return deal_clusters(t, e);
}

void vvfat_free(struct vvfat_tree *t)
{
    for (uint32_t i = 0; i < t->n; i++) {
        free(t->nodes[i].path);
        free(t->nodes[i].entries);
    }
    free(t->nodes);
}
