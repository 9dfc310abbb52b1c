/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptors of VMDK images: text with `key=value` lines and one line for each extent. */
#include "block/fmt_vmdk_priv.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* The line after the one at @p, or NULL. */
static const char *next_line(const char *p)
{
    p = strchr(p, '\n');
    return p && p[1] ? p + 1 : NULL;
}

/* The value after "key", blanks, "=": its first byte; @len up to the line's end without blanks. */
static const char *find_value(const char *desc, const char *key, size_t *len)
{
    size_t n = strlen(key);

    for (const char *line = desc; line; line = next_line(line)) {
        const char *p = line + strspn(line, " \t");

        if (strncasecmp(p, key, n))
            continue;
        p += n + strspn(p + n, " \t");
        if (*p++ != '=')
            continue;
        p += strspn(p, " \t");
        *len = strcspn(p, "\r\n");
        while (*len && strchr(" \t", p[*len - 1]))
            --*len;
        if (*len >= 2 && p[0] == '"' && p[*len - 1] == '"') {
            p++;
            *len -= 2;
        }
        return p;
    }
    return NULL;
}

char *vmdk_desc_value(const char *desc, const char *key)
{
    size_t len;
    const char *v = find_value(desc, key, &len);

    return v ? strndup(v, len) : NULL;
}

char *vmdk_desc_replace(const char *desc, const char *key, const char *value)
{
    size_t len;
    const char *v = find_value(desc, key, &len);
    char *text = NULL;

    if (!v || asprintf(&text, "%.*s%s%s", (int)(v - desc), desc, value, v + len) < 0)
        return NULL;
    return text;
}

bool vmdk_desc_looks(const char *text, size_t len)
{
    size_t at = 0;

    while (at < len) { /* comments and empty lines, then the version */
        const char *line = text + at;
        const char *end = memchr(line, '\n', len - at);
        size_t n = end ? (size_t)(end - line) : len - at;

        while (n && strchr(" \t\r", line[n - 1]))
            n--;
        if (n && *line != '#')
            return n == 9 && !strncmp(line, "version=", 8) && line[8] >= '1' && line[8] <= '3';
        if (!end)
            break;
        at = (size_t)(end - text) + 1;
    }
    return false;
}

int vmdk_desc_store(struct blk *b, const char *text, struct err *e)
{
    struct vmdk *v = b->state;
    size_t len = strlen(text);
    uint64_t room = v->desc_room;
    char *padded;
    int r;

    if (len > room)
        return err_set(e, -EFBIG, "the descriptor has no room for %zu bytes", len);
    if (room == VMDK_MAX_DESC) { /* its own file: as long as the text */
        if ((len > blk_size(b->file) &&
             (r = blk_truncate(b->file, len, BLK_PREALLOC_OFF, 0, e)) < 0) ||
            (r = blk_write(b->file, 0, len, text, 0, e)) < 0 || len == blk_size(b->file))
            return r;
        return blk_truncate(b->file, len, BLK_PREALLOC_OFF, 0, e);
    }
    if (!(padded = calloc(1, room)))
        return err_set(e, -ENOMEM, "out of memory");
    memcpy(padded, text, len);
    r = blk_write(b->file, v->desc_host, room, padded, 0, e);
    free(padded);
    return r;
}

/* Extents -------------------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    enum vmdk_kind kind;
} types[] = {
    {"FLAT", VMDK_FLAT},       {"VMFS", VMDK_FLAT}, {"SPARSE", VMDK_SPARSE},
    {"VMFSSPARSE", VMDK_SPARSE}, {"ZERO", VMDK_EMPTY},
};

struct line {
    char access[16], type[24], name[1024];
    uint64_t sectors, offset;
};

/* `RW 63 FLAT "disk-flat.vmdk" 0`; false: not an extent line. */
static bool parse_line(const char *text, struct line *l)
{
    int n;

    memset(l, 0, sizeof(*l));
    n = sscanf(text, "%15s %" SCNu64 " %23s \"%1023[^\"\r\n]\" %" SCNu64, l->access, &l->sectors,
               l->type, l->name, &l->offset);
    return n >= 3 && (!strcmp(l->access, "RW") || !strcmp(l->access, "RDONLY") ||
                      !strcmp(l->access, "NOACCESS"));
}

static int open_flat(struct vmdk_extent *x, const struct line *l, struct err *e)
{
    uint64_t end;

    if (l->offset > INT64_MAX / VMDK_SECTOR)
        return err_set(e, -EINVAL, "extent '%s' at sector %" PRIu64, l->name, l->offset);
    x->host = l->offset * VMDK_SECTOR;
    if (!add_u64(x->host, x->len, &end) || end > blk_size(x->file))
        return err_set(e, -EINVAL, "extent '%s' has %" PRIu64 " bytes, its descriptor says %" PRIu64,
                       l->name, blk_size(x->file), end);
    return 0;
}

static int open_extent(struct blk *b, struct json_object *opts, const struct line *l,
                       struct vmdk_extent *x, unsigned index, struct err *e)
{
    uint64_t said = l->sectors * VMDK_SECTOR;
    char child[32];
    int r;

    if (l->sectors > INT64_MAX / VMDK_SECTOR || x->start + said > INT64_MAX)
        return err_set(e, -EINVAL, "extent '%s' of %" PRIu64 " sectors", l->name, l->sectors);
    x->len = said;
    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (!strcmp(types[i].word, l->type)) {
            x->type = types[i].word;
            x->kind = types[i].kind;
        }
    if (!x->type)
        return err_set(e, -ENOTSUP, "Unsupported extent type '%s': FLAT, SPARSE, ZERO, VMFS and "
                       "VMFSSPARSE are known", l->type);
    x->read_only = strcmp(l->access, "RW") != 0;
    if (x->kind == VMDK_EMPTY)
        return 0;
    if (!l->name[0])
        return err_set(e, -EINVAL, "an extent of type %s has no file", l->type);
    snprintf(child, sizeof(child), "extents.%u", index);
    x->file = blk_open_child(b, opts, child, l->name, "file",
                             b->flags & (BLK_RDWR | BLK_SHARE | BLK_DIRECT | BLK_NO_FLUSH |
                                         BLK_UNMAP | BLK_RESIZE | BLK_IO_URING | BLK_NATIVE_AIO),
                             e);
    if (!x->file)
        return e->code;
    x->own = true;
    if (x->kind == VMDK_FLAT)
        return open_flat(x, l, e);
    if ((r = vmdk_sparse_open(b, x, e)) < 0)
        return err_wrap(e, r, "extent '%s'", l->name);
    if (x->len < said)
        return err_set(e, -EINVAL, "extent '%s' has %" PRIu64 " bytes, its descriptor says %" PRIu64,
                       l->name, x->len, said);
    x->len = said;
    return 0;
}

int vmdk_desc_extents(struct blk *b, struct json_object *opts, struct err *e)
{
    struct vmdk *v = b->state;
    uint64_t start = 0;
    struct line l;
    int r;

    for (const char *p = v->desc; p; p = next_line(p)) {
        if (!parse_line(p, &l))
            continue;
        if (v->n == VMDK_MAX_EXTENTS)
            return err_set(e, -EFBIG, "more than %d extents", VMDK_MAX_EXTENTS);
        if (!(v->n & (v->n - 1))) {
            void *more = realloc(v->extents, (v->n ? v->n * 2 : 1) * sizeof(*v->extents));

            if (!more)
                return err_set(e, -ENOMEM, "out of memory for extents");
            v->extents = more;
        }
        struct vmdk_extent *x = &v->extents[v->n++];

        memset(x, 0, sizeof(*x));
        x->start = start;
        if ((r = open_extent(b, opts, &l, x, v->n - 1, e)) < 0)
            return r;
        start += x->len;
    }
    return v->n ? 0 : err_set(e, -EINVAL, "the descriptor has no extents");
}
