/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Requests of 9P2000.L about attributes, extended attributes, locks and the file system.  See p9.h for the protocol. */
#include "dev/virtio/p9_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/statfs.h>
#include <unistd.h>

enum { GETATTR_BASIC = 0x7ff };
enum {
    SET_MODE = 1,
    SET_UID = 2,
    SET_GID = 4,
    SET_SIZE = 8,
    SET_ATIME = 0x10,
    SET_MTIME = 0x20,
    SET_CTIME = 0x40,
    SET_ATIME_TO = 0x80,
    SET_MTIME_TO = 0x100
};

int p9_op_statfs(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    struct statfs st;
    int r;

    if (!f)
        return -EBADF;
    if ((r = p9_statfs(&s->fs, &st)) < 0)
        return r;
    r_u32(m, (uint32_t)st.f_type);
    r_u32(m, (uint32_t)st.f_bsize);
    r_u64(m, st.f_blocks);
    r_u64(m, st.f_bfree);
    r_u64(m, st.f_bavail);
    r_u64(m, st.f_files);
    r_u64(m, st.f_ffree);
    r_u64(m, (uint32_t)st.f_fsid.__val[0] | (uint64_t)(uint32_t)st.f_fsid.__val[1] << 32);
    r_u32(m, (uint32_t)st.f_namelen);
    return 0;
}

static void put_time(struct msg *m, struct timespec t)
{
    r_u64(m, (uint64_t)t.tv_sec);
    r_u64(m, (uint64_t)t.tv_nsec);
}

int p9_getattr(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    struct stat st;
    int r;

    m_u64(m); /* which ones: all basic ones are given */
    if (!f)
        return -EBADF;
    r = p9_see(s, f->path, &st);
    if (r < 0 && f->kind == FID_FILE) /* removed while open */
        r = fstat(f->fd, &st) < 0 ? -errno : 0;
    if (r < 0)
        return r;
    r_u64(m, GETATTR_BASIC);
    r_qid(m, &st);
    r_u32(m, st.st_mode);
    r_u32(m, st.st_uid);
    r_u32(m, st.st_gid);
    r_u64(m, st.st_nlink);
    r_u64(m, st.st_rdev);
    r_u64(m, (uint64_t)st.st_size);
    r_u64(m, (uint64_t)st.st_blksize);
    r_u64(m, (uint64_t)st.st_blocks);
    put_time(m, st.st_atim);
    put_time(m, st.st_mtim);
    put_time(m, st.st_ctim);
    put_time(m, (struct timespec){0}); /* birth */
    r_u64(m, 0);                       /* generation, data version */
    r_u64(m, 0);
    return 0;
}

static struct timespec new_time(uint32_t valid, uint32_t set, uint32_t to, uint64_t sec,
                                uint64_t ns)
{
    if (!(valid & set))
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    if (!(valid & to))
        return (struct timespec){.tv_nsec = UTIME_NOW};
    return (struct timespec){(time_t)sec, ns < 1000000000 ? (long)ns : 0};
}

int p9_setattr(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    uint32_t valid = m_u32(m), mode = m_u32(m), uid = m_u32(m), gid = m_u32(m);
    uint64_t size = m_u64(m), t[4];
    struct timespec times[2];
    int r = 0;

    for (int i = 0; i < 4; i++)
        t[i] = m_u64(m);
    if (!f || m->bad)
        return f ? -EINVAL : -EBADF;
    times[0] = new_time(valid, SET_ATIME, SET_ATIME_TO, t[0], t[1]);
    times[1] = new_time(valid, SET_MTIME, SET_MTIME_TO, t[2], t[3]);
    if (valid & SET_MODE)
        r = p9_chmod(&s->fs, f->path, mode);
    if (r >= 0 && valid & (SET_ATIME | SET_MTIME))
        r = p9_utimes(&s->fs, f->path, times);
    if (r >= 0 && valid & (SET_UID | SET_GID))
        r = p9_chown(&s->fs, f->path, valid & SET_UID ? uid : UINT32_MAX,
                     valid & SET_GID ? gid : UINT32_MAX);
    if (r >= 0 && valid & SET_SIZE && f->kind == FID_FILE)
        r = size > INT64_MAX                    ? -EFBIG
            : s->fs.read_only                   ? -EROFS
            : ftruncate(f->fd, (off_t)size) < 0 ? -errno
                                                : 0;
    else if (r >= 0 && valid & SET_SIZE)
        r = p9_truncate(&s->fs, f->path, size);
    return r;
}

/* Extended attributes: the value is read when its fid is made, and written when that is closed. */

static ssize_t fetch(struct p9 *s, const char *path, const char *name, uint8_t *buf, size_t len)
{
    return *name ? p9_getxattr(&s->fs, path, name, buf, len)
                 : p9_listxattr(&s->fs, path, (char *)buf, len);
}

int p9_xattrwalk(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m)), *x;
    uint32_t id = m_u32(m);
    char *name = m_text(m), *path;
    uint8_t *value;
    ssize_t n;

    if (!f || !name) {
        free(name);
        return f ? -EINVAL : -EBADF;
    }
    if (!(value = malloc(P9_XATTR_MAX)) || !(path = strdup(f->path)))
        fatal("out of memory");
    n = fetch(s, path, name, value, P9_XATTR_MAX);
    free(name);
    if (n < 0 || !(x = fid_new(s, id, path, f->uid))) {
        free(value);
        free(path);
        return n < 0 ? (int)n : -EINVAL;
    }
    x->kind = FID_XATTR_READ;
    x->value = realloc(value, n ? n : 1);
    x->size = n;
    r_u64(m, n);
    return 0;
}

int p9_xattrcreate(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    char *name = m_text(m);
    uint64_t size = m_u64(m);
    uint32_t flags = m_u32(m);

    if (!f || m->bad || f->kind != FID_PATH || size > P9_XATTR_MAX || !name || !*name) {
        free(name);
        return !f ? -EBADF : size > P9_XATTR_MAX ? -E2BIG : -EINVAL;
    }
    if (!(f->value = calloc(1, size + 1)))
        fatal("out of memory");
    f->kind = FID_XATTR_WRITE;
    f->name = name;
    f->size = size;
    f->filled = 0;
    f->flags = flags & 3; /* XATTR_CREATE, XATTR_REPLACE */
    return 0;
}

int p9_commit_xattr(struct p9 *s, struct fid *f)
{
    if (f->filled != f->size)
        return -EINVAL;
    return p9_setxattr(&s->fs, f->path, f->name, f->value, f->size, f->flags);
}

/* Locks: the client keeps them among its own processes; nobody else uses the folder as far as the guest is concerned. */

int p9_lock(struct p9 *s, struct msg *m)
{
    if (!fid_find(s, m_u32(m)))
        return -EBADF;
    r_u8(m, 0); /* granted */
    return 0;
}

int p9_getlock(struct p9 *s, struct msg *m)
{
    struct fid *f = fid_find(s, m_u32(m));
    uint64_t start, len;
    uint32_t proc;
    char *client;

    m_u8(m);
    start = m_u64(m);
    len = m_u64(m);
    proc = m_u32(m);
    client = m_text(m);
    if (!f || !client) {
        free(client);
        return f ? -EINVAL : -EBADF;
    }
    r_u8(m, 2); /* nobody has it */
    r_u64(m, start);
    r_u64(m, len);
    r_u32(m, proc);
    r_text(m, client);
    free(client);
    return 0;
}
