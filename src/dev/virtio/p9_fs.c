/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The folder that a 9p server shows; see p9_fs.h. */
#include "dev/virtio/p9_fs.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { PROC_LEN = 64 + 256 };

bool p9_name_ok(const struct p9_fs *fs, const char *name)
{
    return name[0] && strlen(name) <= NAME_MAX && !strchr(name, '/') && strcmp(name, ".") &&
           strcmp(name, "..") && !p9_map_hides_file(fs, name);
}

/* Folder after folder, where the kernel has no openat2. */
static int open_by_parts(int root, const char *path)
{
    int fd = fcntl(root, F_DUPFD_CLOEXEC, 0);
    char part[NAME_MAX + 1];

    while (fd >= 0 && *path) {
        size_t n = strcspn(path, "/");
        int next;

        memcpy(part, path, n);
        part[n] = 0;
        next = openat(fd, part, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        close(fd);
        fd = next;
        path += n + (path[n] == '/');
    }
    return fd < 0 ? -errno : fd;
}

static int open_dir(struct p9_fs *fs, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve =
                               RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS};
    long fd = syscall(SYS_openat2, fs->root, *path ? path : ".", &how, sizeof(how));

    if (fd < 0 && (errno == ENOSYS || errno == EPERM))
        return open_by_parts(fs->root, path);
    return fd < 0 ? -errno : (int)fd;
}

int p9_parent(struct p9_fs *fs, const char *path, const char **base)
{
    const char *slash = strrchr(path, '/');
    char dir[PATH_MAX];

    *base = slash ? slash + 1 : *path ? path : ".";
    if (!slash)
        return open_dir(fs, "");
    if (slash - path >= PATH_MAX)
        return -ENAMETOOLONG;
    memcpy(dir, path, slash - path);
    dir[slash - path] = 0;
    return open_dir(fs, dir);
}

static int done(int dir, int r)
{
    int saved = r < 0 ? -errno : r;

    close(dir);
    return saved;
}

static int close_with(int dir, int r)
{
    close(dir);
    return r;
}

/* Many calls have no form that does not follow links; through /proc a last part is named by its folder. */
static const char *proc_path(char buf[static PROC_LEN], int dir, const char *base)
{
    snprintf(buf, PROC_LEN, "/proc/self/fd/%d/%.255s", dir, base);
    return buf;
}

static int stat_in(struct p9_fs *fs, int dir, const char *base, struct stat *st)
{
    if (fstatat(dir, base, st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (p9_mapped(fs))
        p9_map_get(fs, dir, base, st);
    return 0;
}

int p9_stat(struct p9_fs *fs, const char *path, struct stat *st)
{
    const char *base;
    int dir = p9_parent(fs, path, &base);

    return dir < 0 ? dir : close_with(dir, stat_in(fs, dir, base, st));
}

/* Opening a device or pipe of the host could do anything: only what holds bytes is opened. */
static int open_in(int dir, const char *base, int flags)
{
    struct stat st;
    int fd;

    if (fstatat(dir, base, &st, AT_SYMLINK_NOFOLLOW) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
        return S_ISLNK(st.st_mode) ? -ELOOP : -ENXIO;
    fd = openat(dir, base, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static bool writes(int flags)
{
    return (flags & O_ACCMODE) != O_RDONLY || flags & (O_TRUNC | O_CREAT);
}

int p9_open(struct p9_fs *fs, const char *path, int flags)
{
    const char *base;
    int dir;

    if (fs->read_only && writes(flags))
        return -EROFS;
    if ((dir = p9_parent(fs, path, &base)) < 0)
        return dir;
    return close_with(dir, open_in(dir, base, flags));
}

/* Something new has the guest's owner and mode: kept, or set on the host. */
static int finish(struct p9_fs *fs, int dir, const char *base, const struct p9_attr *a)
{
    char path[PROC_LEN];
    int r;

    if (p9_mapped(fs)) {
        r = p9_map_set(fs, dir, base, a, MAP_UID | MAP_GID | MAP_MODE | (a->rdev ? MAP_RDEV : 0));
        return r;
    }
    if (fchownat(dir, base, a->uid, a->gid, AT_SYMLINK_NOFOLLOW) < 0 && fs->model != P9_NONE)
        return -errno;
    if (!S_ISLNK(a->mode) && a->mode & 07000 && /* chown has cleared set-id bits */
        fchmodat(AT_FDCWD, proc_path(path, dir, base), a->mode & 07777, 0) < 0)
        return -errno;
    return 0;
}

static mode_t new_mode(const struct p9_fs *fs, const struct p9_attr *a, bool dir)
{
    return p9_mapped(fs) ? (dir ? fs->dmode : fs->fmode) : a->mode & 07777;
}

static int begin(struct p9_fs *fs, const char *path, const char **base)
{
    return fs->read_only ? -EROFS : p9_parent(fs, path, base);
}

int p9_create(struct p9_fs *fs, const char *path, int flags, const struct p9_attr *a)
{
    const char *base;
    int dir = begin(fs, path, &base), fd, r;

    if (dir < 0)
        return dir;
    fd = openat(dir, base, flags | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
                new_mode(fs, a, false));
    if (fd < 0 && errno == EEXIST && !(flags & O_EXCL))
        return close_with(dir, open_in(dir, base, flags));
    if (fd < 0)
        return done(dir, -1);
    if ((r = finish(fs, dir, base, a)) < 0) {
        unlinkat(dir, base, 0);
        close(fd);
        fd = r;
    }
    return close_with(dir, fd);
}

int p9_mkdir(struct p9_fs *fs, const char *path, const struct p9_attr *a)
{
    const char *base;
    int dir = begin(fs, path, &base), r;

    if (dir < 0)
        return dir;
    if (mkdirat(dir, base, new_mode(fs, a, true)) < 0)
        return done(dir, -1);
    if ((r = finish(fs, dir, base, a)) < 0)
        unlinkat(dir, base, AT_REMOVEDIR);
    return close_with(dir, r);
}

/* An empty file, or one with @text, stands for what mapped models do not make on the host. */
static int stand_in(struct p9_fs *fs, int dir, const char *base, const char *text)
{
    int fd = openat(dir, base, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, fs->fmode);
    size_t n = strlen(text);
    int r = 0;

    if (fd < 0)
        return -errno;
    if (n && write(fd, text, n) != (ssize_t)n)
        r = -EIO;
    close(fd);
    return r;
}

int p9_mknod(struct p9_fs *fs, const char *path, const struct p9_attr *a)
{
    const char *base;
    int dir = begin(fs, path, &base), r;

    if (dir < 0)
        return dir;
    if (p9_mapped(fs))
        r = stand_in(fs, dir, base, "");
    else
        r = mknodat(dir, base, a->mode, a->rdev) < 0 ? -errno : 0;
    if (r >= 0 && (r = finish(fs, dir, base, a)) < 0)
        unlinkat(dir, base, 0);
    return close_with(dir, r);
}

int p9_symlink(struct p9_fs *fs, const char *path, const char *target, const struct p9_attr *a)
{
    const char *base;
    int dir = begin(fs, path, &base), r;

    if (dir < 0)
        return dir;
    if (p9_mapped(fs))
        r = stand_in(fs, dir, base, target);
    else
        r = symlinkat(target, dir, base) < 0 ? -errno : 0;
    if (r >= 0 && (r = finish(fs, dir, base, a)) < 0)
        unlinkat(dir, base, 0);
    return close_with(dir, r);
}

int p9_readlink(struct p9_fs *fs, const char *path, char *buf, size_t len)
{
    const char *base;
    int dir = p9_parent(fs, path, &base), fd, r;

    if (dir < 0)
        return dir;
    if (!p9_mapped(fs))
        return done(dir, (int)readlinkat(dir, base, buf, len));
    fd = open_in(dir, base, O_RDONLY);
    if (fd < 0)
        return close_with(dir, fd);
    r = (int)read(fd, buf, len);
    r = r < 0 ? -errno : r;
    close(fd);
    return close_with(dir, r);
}

/* Two places at once. */
static int both(struct p9_fs *fs, const char *path, const char *new_path, bool link)
{
    const char *base, *new_base;
    int dir = begin(fs, path, &base), new_dir, r;

    if (dir < 0)
        return dir;
    if ((new_dir = p9_parent(fs, new_path, &new_base)) < 0)
        return close_with(dir, new_dir);
    r = link ? linkat(dir, base, new_dir, new_base, 0) : renameat(dir, base, new_dir, new_base);
    r = r < 0 ? -errno : 0;
    if (r == 0)
        p9_map_move(fs, dir, base, new_dir, new_base, link);
    close(new_dir);
    return close_with(dir, r);
}

int p9_link(struct p9_fs *fs, const char *path, const char *new_path)
{
    return both(fs, path, new_path, true);
}

int p9_rename(struct p9_fs *fs, const char *path, const char *new_path)
{
    return both(fs, path, new_path, false);
}

int p9_unlink(struct p9_fs *fs, const char *path, bool is_dir)
{
    const char *base;
    int dir = begin(fs, path, &base), r;

    if (dir < 0)
        return dir;
    if (is_dir)
        p9_map_empty(fs, dir, base);
    r = unlinkat(dir, base, is_dir ? AT_REMOVEDIR : 0) < 0 ? -errno : 0;
    if (r == 0)
        p9_map_move(fs, dir, base, -1, NULL, false);
    return close_with(dir, r);
}

int p9_chmod(struct p9_fs *fs, const char *path, uint32_t mode)
{
    char proc[PROC_LEN];
    const char *base;
    int dir = begin(fs, path, &base), r;
    struct stat st;

    if (dir < 0)
        return dir;
    if ((r = stat_in(fs, dir, base, &st)) < 0)
        return close_with(dir, r);
    if (p9_mapped(fs)) {
        struct p9_attr a = {.mode = (st.st_mode & S_IFMT) | (mode & 07777)};

        return close_with(dir, p9_map_set(fs, dir, base, &a, MAP_MODE));
    }
    if (S_ISLNK(st.st_mode))
        return close_with(dir, -EOPNOTSUPP);
    return done(dir, fchmodat(AT_FDCWD, proc_path(proc, dir, base), mode & 07777, 0));
}

int p9_chown(struct p9_fs *fs, const char *path, uint32_t uid, uint32_t gid)
{
    const char *base;
    int dir = begin(fs, path, &base), r;

    if (dir < 0)
        return dir;
    if (p9_mapped(fs)) {
        struct p9_attr a = {.uid = uid, .gid = gid};

        return close_with(
            dir, p9_map_set(fs, dir, base, &a,
                            (uid != UINT32_MAX ? MAP_UID : 0) | (gid != UINT32_MAX ? MAP_GID : 0)));
    }
    r = fchownat(dir, base, uid, gid, AT_SYMLINK_NOFOLLOW);
    return done(dir, r < 0 && fs->model == P9_NONE ? 0 : r);
}

int p9_truncate(struct p9_fs *fs, const char *path, uint64_t size)
{
    int fd = p9_open(fs, path, O_WRONLY);

    if (fd < 0)
        return fd;
    return size > INT64_MAX ? close_with(fd, -EFBIG) : done(fd, ftruncate(fd, (off_t)size));
}

int p9_utimes(struct p9_fs *fs, const char *path, const struct timespec t[2])
{
    const char *base;
    int dir = begin(fs, path, &base);

    return dir < 0 ? dir : done(dir, utimensat(dir, base, t, AT_SYMLINK_NOFOLLOW));
}

int p9_statfs(struct p9_fs *fs, struct statfs *st)
{
    return fstatfs(fs->root, st) < 0 ? -errno : 0;
}

ssize_t p9_getxattr(struct p9_fs *fs, const char *path, const char *name, void *buf, size_t len)
{
    char proc[PROC_LEN];
    const char *base;
    ssize_t n;
    int dir;

    if (p9_map_hides_xattr(fs, name))
        return -ENODATA;
    if ((dir = p9_parent(fs, path, &base)) < 0)
        return dir;
    n = lgetxattr(proc_path(proc, dir, base), name, buf, len);
    n = n < 0 ? -errno : n;
    close(dir);
    return n;
}

/* @buf holds names, one behind the other: without those that are hidden. */
static ssize_t without_hidden(struct p9_fs *fs, char *buf, ssize_t len)
{
    ssize_t to = 0;

    for (ssize_t at = 0; at < len;) {
        ssize_t n = (ssize_t)strnlen(buf + at, len - at) + 1;

        if (at + n > len)
            break;
        if (!p9_map_hides_xattr(fs, buf + at)) {
            memmove(buf + to, buf + at, n);
            to += n;
        }
        at += n;
    }
    return to;
}

ssize_t p9_listxattr(struct p9_fs *fs, const char *path, char *buf, size_t len)
{
    char proc[PROC_LEN];
    const char *base;
    int dir = p9_parent(fs, path, &base);
    ssize_t n;

    if (dir < 0)
        return dir;
    n = llistxattr(proc_path(proc, dir, base), buf, len);
    n = n < 0 ? -errno : without_hidden(fs, buf, n);
    close(dir);
    return n;
}

int p9_setxattr(struct p9_fs *fs, const char *path, const char *name, const void *buf, size_t len,
                int flags)
{
    char proc[PROC_LEN];
    const char *base;
    int dir;

    if (p9_map_hides_xattr(fs, name))
        return -EACCES;
    if ((dir = begin(fs, path, &base)) < 0)
        return dir;
    proc_path(proc, dir, base);
    return done(dir, len ? lsetxattr(proc, name, buf, len, flags) : lremovexattr(proc, name));
}
