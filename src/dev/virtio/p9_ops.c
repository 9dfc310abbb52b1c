/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of 9P2000.L about paths and what is in files.  See p9.h for the protocol. */
#include "dev/virtio/p9_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

enum { READ_HEAD = P9_HEAD + 4, WRITE_HEAD = P9_HEAD + 16, MAX_PIECES = 1100 };

int p9_version(struct p9 *s, struct msg *m)
{
    uint32_t msize = m_u32(m);
    char *version = m_text(m);

    if (!version)
        return -EINVAL;
    if (msize < P9_MIN_MSIZE) {
        free(version);
        return -EMSGSIZE;
    }
    p9_reset(s);
    s->msize = msize < P9_MAX_MSIZE ? msize : P9_MAX_MSIZE;
    r_u32(m, s->msize);
    r_text(m, strcmp(version, "9P2000.L") ? "unknown" : version);
    free(version);
    return 0;
}

int p9_attach(struct p9 *s, struct msg *m)
{
    uint32_t id = m_u32(m), uid;
    struct stat st;
    char *text;
    int r;

    m_u32(m);                     /* no authentication */
    for (int i = 0; i < 2; i++) { /* user's name, tree */
        if (!(text = m_text(m)))
            return -EINVAL;
        free(text);
    }
    uid = m_u32(m);
    if (m->bad)
        return -EINVAL;
    if ((r = p9_see(s, "", &st)) < 0)
        return r;
    if (!(text = strdup("")))
        fatal("out of memory");
    if (!fid_new(s, id, text, uid)) {
        free(text);
        return -EINVAL;
    }
    r_qid(m, &st);
    return 0;
}

/* One step; *@path is replaced.  ".." of the shared folder is itself. */
static int step(struct p9 *s, char **path, const char *name, struct stat *st)
{
    char *next, *slash;
    int r;

    if (!strcmp(name, "..")) {
        slash = strrchr(*path, '/');
        (*path)[slash ? slash - *path : 0] = 0;
        return p9_see(s, *path, st);
    }
    if (!p9_name_ok(&s->fs, name))
        return -ENOENT;
    if ((r = p9_see(s, *path, st)) < 0 || !S_ISDIR(st->st_mode))
        return r < 0 ? r : -ENOTDIR;
    if (!(next = p9_join(*path, name)))
        return -ENAMETOOLONG;
    free(*path);
    *path = next;
    return p9_see(s, next, st);
}

int p9_walk(struct p9 *s, struct msg *m)
{
    uint32_t from = m_u32(m), to = m_u32(m);
    unsigned n = m_u16(m), i;
    struct fid *f = fid_find(s, from);
    size_t count_at = m->out;
    char *path;
    int r = 0;

    if (!f || n > P9_MAX_WALK || m->bad)
        return f ? -EINVAL : -EBADF;
    if (f->kind != FID_PATH && from == to)
        return -EBUSY;
    if (!(path = strdup(f->path)))
        fatal("out of memory");
    r_u16(m, 0);
    for (i = 0; i < n; i++) {
        char *name = m_text(m);
        struct stat st;

        r = name ? step(s, &path, name, &st) : -EINVAL;
        free(name);
        if (r < 0)
            break;
        r_qid(m, &st);
    }
    if (r < 0 && (i == 0 || m->bad)) {
        free(path);
        return r;
    }
    if (i < n) { /* part of the way: the new fid is not made */
        free(path);
    } else if (from == to) {
        free(f->path);
        f->path = path;
    } else if (!fid_new(s, to, path, f->uid)) {
        free(path);
        return -EINVAL;
    }
    size_t end = m->out;

    m->out = count_at;
    r_u16(m, i);
    m->out = end;
    return 0;
}

/* Flags of the protocol are those of Linux in their generic form. */
static int open_flags(uint32_t f)
{
    static const struct {
        uint32_t theirs;
        int ours;
    } map[] = {{0200, O_EXCL}, {01000, O_TRUNC}, {010000, O_DSYNC}, {04000000, O_SYNC}};
    int flags = f & 3;

    for (unsigned i = 0; i < ARRAY_LEN(map); i++)
        flags |= f & map[i].theirs ? map[i].ours : 0;
    return flags; /* without O_APPEND: the client says where, appending would not heed it */
}

static int reply_open(struct msg *m, const struct stat *st)
{
    r_qid(m, st);
    r_u32(m, 0); /* iounit: as large as a message */
    return 0;
}

int p9_lopen(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    uint32_t flags = m_u32(m);
    struct stat st;
    int fd;

    if (!f || f->kind != FID_PATH)
        return f ? -EINVAL : -EBADF;
    if ((fd = p9_see(s, f->path, &st)) < 0)
        return fd;
    fd = p9_open(&s->fs, f->path,
                 S_ISDIR(st.st_mode) ? O_RDONLY | O_DIRECTORY : open_flags(flags) & ~O_EXCL);
    if (fd < 0)
        return fd;
    if (S_ISDIR(st.st_mode)) {
        if (!(f->dir = fdopendir(fd))) {
            close(fd);
            return -ENOMEM;
        }
        f->kind = FID_DIR;
    } else {
        f->fd = fd;
        f->kind = FID_FILE;
    }
    return reply_open(m, &st);
}

int p9_lcreate(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    int r, fd;
    char *name = m_name(m, &r), *path;
    uint32_t flags = m_u32(m), mode = m_u32(m), gid = m_u32(m);
    struct p9_attr a = {.gid = gid, .mode = S_IFREG | (mode & 07777)};
    struct stat st;

    if (!name)
        return r;
    path = f && f->kind == FID_PATH ? p9_join(f->path, name) : NULL;
    free(name);
    if (!path || m->bad) {
        free(path);
        return !f ? -EBADF : f->kind != FID_PATH || m->bad ? -EINVAL : -ENAMETOOLONG;
    }
    a.uid = f->uid;
    fd = p9_create(&s->fs, path, open_flags(flags), &a);
    if (fd < 0 || (r = p9_see(s, path, &st)) < 0) {
        if (fd >= 0)
            close(fd);
        free(path);
        return fd < 0 ? fd : r;
    }
    free(f->path);
    f->path = path;
    f->fd = fd;
    f->kind = FID_FILE;
    return reply_open(m, &st);
}

/* @len bytes of the pieces from @off on. */
static int pieces(const struct iovec *iov, unsigned n, size_t off, size_t len, struct iovec *out)
{
    int k = 0;

    for (unsigned i = 0; i < n && len && k < MAX_PIECES; i++) {
        if (off >= iov[i].iov_len) {
            off -= iov[i].iov_len;
            continue;
        }
        out[k].iov_base = (uint8_t *)iov[i].iov_base + off;
        out[k].iov_len = min_u64(iov[i].iov_len - off, len);
        len -= out[k++].iov_len;
        off = 0;
    }
    return k;
}

/* Straight between file and guest memory; up to IOV_MAX pieces at a time: the client takes a short count. */
static ssize_t transfer(struct fid *f, const struct iovec *iov, unsigned n, size_t off, size_t len,
                        uint64_t pos, bool write)
{
    struct iovec part[MAX_PIECES];
    int k = (int)min_u64(pieces(iov, n, off, len, part), 1024);
    ssize_t r;

    if (pos > INT64_MAX)
        return -EINVAL;
    r = write ? pwritev(f->fd, part, k, (off_t)pos) : preadv(f->fd, part, k, (off_t)pos);
    return r < 0 ? -errno : r;
}

/* What a fid that is no open file or folder answers to those who read and write it. */
static int not_open(const struct fid *f)
{
    return f->kind == FID_LOST ? -EIO : -EINVAL;
}

int p9_read(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    uint64_t pos = m_u64(m), count = m_u32(m);
    ssize_t r;

    if (!f || m->bad)
        return f ? -EINVAL : -EBADF;
    count = min_u64(count, m->room - READ_HEAD);
    if (f->kind == FID_XATTR_READ) {
        count = pos < f->size ? min_u64(count, f->size - pos) : 0;
        r_u32(m, (uint32_t)count);
        r_bytes(m, f->value + (count ? pos : 0), count);
        return 0;
    }
    if (f->kind != FID_FILE)
        return not_open(f);
    r = transfer(f, m->rep, m->n_rep, READ_HEAD, count, pos, false);
    if (r < 0)
        return (int)r;
    r_u32(m, (uint32_t)r);
    m->out += r;
    return 0;
}

int p9_write(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    uint64_t pos = m_u64(m), count = m_u32(m);
    ssize_t r = (ssize_t)count;

    if (!f || m->bad || count > m->req_len - m->at)
        return f ? -EINVAL : -EBADF;
    if (f->kind == FID_XATTR_WRITE) {
        if (pos != f->filled || count > f->size - f->filled)
            return -ENOSPC;
        struct iovec part[MAX_PIECES];
        int k = pieces(m->req, m->n_req, WRITE_HEAD, count, part);

        for (int i = 0; i < k; f->filled += part[i++].iov_len)
            memcpy(f->value + f->filled, part[i].iov_base, part[i].iov_len);
    } else if (f->kind == FID_FILE) {
        r = transfer(f, m->req, m->n_req, WRITE_HEAD, count, pos, true);
    } else {
        return not_open(f);
    }
    if (r < 0)
        return (int)r;
    r_u32(m, (uint32_t)r);
    return 0;
}

int p9_clunk(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    int r;

    if (!f)
        return -EBADF;
    r = f->kind == FID_XATTR_WRITE ? p9_commit_xattr(s, f) : 0;
    fid_free(s, f);
    return r;
}

static int unlink_path(struct p9 *s, const char *path)
{
    struct stat st;
    int r = p9_see(s, path, &st);

    if (!*path)
        return -EBUSY;
    return r < 0 ? r : p9_unlink(&s->fs, path, S_ISDIR(st.st_mode));
}

int p9_remove(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    int r;

    if (!f)
        return -EBADF;
    r = unlink_path(s, f->path);
    fid_free(s, f); /* also when it fails, remove(5) */
    return r;
}

/* The folder and name that most requests begin with: a new path, or NULL and *r. */
static char *target(struct p9 *s, struct msg *m, struct fid **dir, int *r)
{
    char *name, *path = NULL;

    *dir = fid_find(s, m_u32(m));
    name = m_name(m, r);
    if (!*dir)
        *r = -EBADF;
    else if (name && !(path = p9_join((*dir)->path, name)))
        *r = -ENAMETOOLONG;
    free(name);
    return path;
}

static int reply_qid(struct p9 *s, struct msg *m, const char *path)
{
    struct stat st;
    int r = p9_see(s, path, &st);

    if (r == 0)
        r_qid(m, &st);
    return r;
}

int p9_op_mkdir(struct p9 *s, struct msg *m)
{
    struct fid *dir;
    int r;
    char *path = target(s, m, &dir, &r);
    struct p9_attr a = {0};

    if (!path)
        return r;
    a.mode = S_IFDIR | (m_u32(m) & 07777);
    a.gid = m_u32(m);
    a.uid = dir->uid;
    r = m->bad ? -EINVAL : p9_mkdir(&s->fs, path, &a);
    r = r < 0 ? r : reply_qid(s, m, path);
    free(path);
    return r;
}

int p9_op_symlink(struct p9 *s, struct msg *m)
{
    struct fid *dir;
    int r;
    char *path = target(s, m, &dir, &r), *to;
    struct p9_attr a = {.mode = S_IFLNK | 0777};

    if (!path)
        return r;
    to = m_text(m);
    a.gid = m_u32(m);
    a.uid = dir->uid;
    r = m->bad ? -EINVAL : p9_symlink(&s->fs, path, to, &a);
    r = r < 0 ? r : reply_qid(s, m, path);
    free(to);
    free(path);
    return r;
}

int p9_op_mknod(struct p9 *s, struct msg *m)
{
    struct fid *dir;
    int r;
    char *path = target(s, m, &dir, &r);
    struct p9_attr a = {0};
    uint32_t major, minor;

    if (!path)
        return r;
    a.mode = m_u32(m);
    major = m_u32(m);
    minor = m_u32(m);
    a.rdev = makedev(major, minor);
    a.gid = m_u32(m);
    a.uid = dir->uid;
    r = m->bad || S_ISDIR(a.mode) || S_ISLNK(a.mode) ? -EINVAL : p9_mknod(&s->fs, path, &a);
    r = r < 0 ? r : reply_qid(s, m, path);
    free(path);
    return r;
}

int p9_op_link(struct p9 *s, struct msg *m)
{
    struct fid *dir = fid_find(s, m_u32(m)), *f = fid_find(s, m_u32(m));
    int r;
    char *name = m_name(m, &r), *path;

    if (!dir || !f || !name) {
        free(name);
        return dir && f ? r : -EBADF;
    }
    path = p9_join(dir->path, name);
    free(name);
    r = path ? p9_link(&s->fs, f->path, path) : -ENAMETOOLONG;
    free(path);
    return r;
}

static int rename_path(struct p9 *s, const char *from, const char *to)
{
    int r = *from ? p9_rename(&s->fs, from, to) : -EBUSY;
    char *copy;

    if (r < 0)
        return r;
    if (!(copy = strdup(from))) /* it may be a fid's own, which changes */
        fatal("out of memory");
    fid_moved(s, copy, to);
    free(copy);
    return 0;
}

int p9_op_rename(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m)), *dir;
    int r;
    char *to = target(s, m, &dir, &r);

    if (to)
        r = f ? rename_path(s, f->path, to) : -EBADF;
    free(to);
    return r;
}

int p9_renameat(struct p9 *s, struct msg *m)
{
    struct fid *dir;
    int r, r2;
    char *from = target(s, m, &dir, &r), *to = target(s, m, &dir, &r2);

    if (from && to)
        r = rename_path(s, from, to);
    else
        r = from ? r2 : r;
    free(from);
    free(to);
    return r;
}

int p9_unlinkat(struct p9 *s, struct msg *m)
{
    struct fid *dir;
    int r;
    char *path = target(s, m, &dir, &r);
    uint32_t flags = m_u32(m);

    if (path)
        r = m->bad || flags & ~0x200u ? -EINVAL : p9_unlink(&s->fs, path, flags);
    free(path);
    return r;
}

int p9_op_readlink(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    char text[P9_PATH_MAX];
    struct stat st;
    int r;

    if (!f)
        return -EBADF;
    if ((r = p9_see(s, f->path, &st)) < 0 || !S_ISLNK(st.st_mode))
        return r < 0 ? r : -EINVAL;
    if ((r = p9_readlink(&s->fs, f->path, text, sizeof(text) - 1)) < 0)
        return r;
    text[r] = 0;
    r_text(m, text);
    return 0;
}

/* One entry; false: no room. */
static bool put_entry(struct p9 *s, struct msg *m, struct dirent *d, uint64_t limit)
{
    size_t len = strlen(d->d_name);
    struct stat st = {.st_ino = d->d_ino, .st_dev = s->dev[0], .st_mode = DTTOIF(d->d_type)};

    if (m->out + P9_QID + 8 + 1 + 2 + len > limit)
        return false;
    r_qid(m, &st);
    r_u64(m, (uint64_t)d->d_off);
    r_u8(m, p9_mapped(&s->fs) ? DT_UNKNOWN : d->d_type);
    r_text(m, d->d_name);
    return true;
}

int p9_readdir(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    uint64_t pos = m_u64(m), count = m_u32(m), limit;
    size_t start = m->out;
    struct dirent *d;

    if (!f || f->kind != FID_DIR || m->bad)
        return f ? not_open(f) : -EBADF;
    limit = min_u64(m->room, start + 4 + count);
    r_u32(m, 0);
    if (pos == 0)
        rewinddir(f->dir);
    else
        seekdir(f->dir, (long)pos);
    while ((d = readdir(f->dir))) {
        if (!p9_map_hides_file(&s->fs, d->d_name) && !put_entry(s, m, d, limit))
            break;
    }
    limit = m->out;
    m->out = start;
    r_u32(m, (uint32_t)(limit - start - 4));
    m->out = limit;
    return 0;
}

int p9_fsync(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    uint32_t data_only = m->at + 4 <= m->req_len ? m_u32(m) : 0;
    int fd, r;

    if (!f)
        return -EBADF;
    fd = f->kind == FID_FILE ? f->fd : f->kind == FID_DIR ? dirfd(f->dir) : -1;
    if (fd < 0)
        return not_open(f);
    r = data_only ? fdatasync(fd) : fsync(fd);
    return r < 0 ? -errno : 0;
}
