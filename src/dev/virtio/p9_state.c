/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a 9p client has open, as bytes: message size, devices seen, then each fid.  Files and folders are opened again by their
 * paths when it is loaded, perhaps by another process and in another folder of the same content.
 *
 *     msize (32), number of devices (32), a device each (64);
 *     fids: kind (8), id (32), uid (32), flags (32), filled (32), then path, name, value, each with its length (32)
 */
#include "dev/virtio/p9_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static void put_text(struct state_out *out, const void *p, size_t len)
{
    state_put_le(out, len, 4);
    state_put(out, p, len);
}

/* No path leads to it any more. */
static bool removed(const struct fid *f)
{
    struct stat st;

    return f->kind == FID_FILE && fstat(f->fd, &st) == 0 && !st.st_nlink;
}

static void save_fid(const struct fid *f, struct state_out *out)
{
    int flags = f->kind == FID_FILE ? fcntl(f->fd, F_GETFL) & (O_ACCMODE | O_APPEND | O_DSYNC | O_SYNC) : f->flags;

    state_put_le(out, removed(f) ? FID_LOST : f->kind, 1);
    state_put_le(out, f->id, 4);
    state_put_le(out, f->uid, 4);
    state_put_le(out, (uint32_t)flags, 4);
    state_put_le(out, f->filled, 4);
    put_text(out, f->path, strlen(f->path));
    put_text(out, f->name, f->name ? strlen(f->name) : 0);
    put_text(out, f->value, f->value ? f->size : 0);
}

void p9_save(struct p9 *s, struct state_blob *b)
{
    struct state_out out = {0};

    state_put_le(&out, s->msize, 4);
    state_put_le(&out, s->n_dev, 4);
    for (unsigned i = 0; i < s->n_dev; i++)
        state_put_le(&out, s->dev[i], 8);
    for (unsigned i = 0; i < FID_SLOTS; i++) /* a client with more than that open loses the rest */
        for (const struct fid *f = s->slot[i]; f && out.len + P9_PATH_MAX + 2 * P9_XATTR_MAX < P9_STATE_MAX; f = f->next)
            save_fid(f, &out);
    free(b->data);
    *b = (struct state_blob){out.data, out.len};
}

/* @max: bytes; a zero follows them. */
static int get_text(struct state_in *in, char **text, size_t *len, size_t max, struct err *e)
{
    uint64_t n;
    const uint8_t *p;
    int r = state_get_le(in, 4, &n, e);

    if (r < 0)
        return r;
    if (n > max || !(p = state_get(in, n)))
        return err_set(e, -EILSEQ, "an open file with a text of %llu bytes", (unsigned long long)n);
    if (!(*text = malloc(n + 1)))
        fatal("out of memory");
    memcpy(*text, p, n);
    (*text)[n] = 0;
    *len = n;
    return 0;
}

/* As the server makes them: names with single slashes between. */
static bool path_ok(const struct p9 *s, char *path, size_t len)
{
    char *at = path, *slash;
    bool ok = strlen(path) == len;

    while (ok && *path && (slash = strchr(at, '/'))) {
        *slash = 0;
        ok = p9_name_ok(&s->fs, at);
        *slash = '/';
        at = slash + 1;
    }
    return ok && (!*path || p9_name_ok(&s->fs, at));
}

static void reopen(struct p9 *s, struct fid *f, enum p9_kind kind)
{
    int fd;

    if (kind == FID_FILE) {
        fd = f->fd = p9_open(&s->fs, f->path, f->flags);
    } else {
        fd = p9_open(&s->fs, f->path, O_RDONLY | O_DIRECTORY);
        f->dir = fd < 0 ? NULL : fdopendir(fd);
        if (!f->dir && fd >= 0)
            close(fd);
        fd = f->dir ? fd : -1;
    }
    f->kind = fd < 0 ? FID_LOST : kind;
    if (f->kind == FID_LOST)
        f->fd = -1;
}

static int load_texts(struct p9 *s, struct state_in *in, struct fid *f, struct err *e)
{
    char *value = NULL;
    size_t n;
    int r;

    if ((r = get_text(in, &f->path, &n, P9_PATH_MAX, e)) < 0)
        return r;
    if (!path_ok(s, f->path, n))
        return err_set(e, -EILSEQ, "an open file's path leaves the folder");
    if ((r = get_text(in, &f->name, &n, P9_XATTR_MAX, e)) < 0)
        return r;
    r = get_text(in, &value, &f->size, P9_XATTR_MAX, e);
    f->value = (uint8_t *)value;
    return r;
}

/* The new fid takes what @f has; false: there is one already, or the parts do not fit together. */
static bool adopt(struct p9 *s, struct fid *f, enum p9_kind kind)
{
    bool xattr = kind == FID_XATTR_READ || kind == FID_XATTR_WRITE;
    struct fid *own;

    if (kind > FID_LOST || f->filled > f->size || (f->flags & ~(O_ACCMODE | O_APPEND | O_DSYNC | O_SYNC) && !xattr) ||
        !(own = fid_new(s, f->id, f->path, f->uid)))
        return false;
    f->path = NULL; /* its owner is the new one */
    own->flags = f->flags;
    own->kind = kind;
    if (xattr) {
        own->name = f->name;
        own->value = f->value;
        own->size = f->size;
        own->filled = f->filled;
        f->name = NULL;
        f->value = NULL;
    } else if (kind == FID_FILE || kind == FID_DIR) {
        reopen(s, own, kind);
    }
    return true;
}

static int load_fid(struct p9 *s, struct state_in *in, struct err *e)
{
    struct fid f = {.fd = -1};
    uint64_t v[5];
    static const unsigned size[] = {1, 4, 4, 4, 4};
    int r;

    for (unsigned i = 0; i < ARRAY_LEN(v); i++)
        if ((r = state_get_le(in, size[i], &v[i], e)) < 0)
            return r;
    f.id = (uint32_t)v[1];
    f.uid = (uint32_t)v[2];
    f.flags = (int)v[3];
    f.filled = v[4];
    if ((r = load_texts(s, in, &f, e)) == 0 && !adopt(s, &f, (enum p9_kind)v[0]))
        r = err_set(e, -EILSEQ, "open file %u does not hold together", f.id);
    free(f.path);
    free(f.name);
    free(f.value);
    return r;
}

int p9_load(struct p9 *s, const struct state_blob *b, struct err *e)
{
    struct state_in in = {b->data, b->len};
    uint64_t msize, n, dev;
    int r;

    p9_reset(s);
    if ((r = state_get_le(&in, 4, &msize, e)) < 0 || (r = state_get_le(&in, 4, &n, e)) < 0)
        return r;
    if (msize < P9_MIN_MSIZE || msize > P9_MAX_MSIZE || !n || n > P9_DEVICES)
        return err_set(e, -EILSEQ, "messages of %u bytes, %u devices", (unsigned)msize, (unsigned)n);
    s->msize = (uint32_t)msize;
    s->n_dev = 1; /* the folder's own, whatever it was before */
    for (uint64_t i = 0; i < n && r >= 0; i++)
        if ((r = state_get_le(&in, 8, &dev, e)) >= 0 && i)
            s->dev[s->n_dev++] = (dev_t)dev;
    while (in.left && r >= 0)
        r = load_fid(s, &in, e);
    if (r < 0)
        p9_reset(s);
    return r;
}
