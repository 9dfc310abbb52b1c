/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Owners, modes and kinds that the guest sees, kept beside the host's: in extended attributes user.virtfs.uid, gid, mode
 * (32 bits, little endian) and rdev (64), or in text files "virtfs.uid=0" in .virtfs_metadata of the same folder (of the shared
 * folder itself: .virtfs_metadata_root).  The layouts are those that folders shared by the reference have.
 */
#include "base/bytes.h"
#include "dev/virtio/p9_fs.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/xattr.h>
#include <unistd.h>

#define META      ".virtfs_metadata"
#define META_ROOT ".virtfs_metadata_root"
#define PREFIX    "user.virtfs."

enum { TEXT_MAX = 512, PATH_LEN = 64 + 256 };

bool p9_map_hides_xattr(const struct p9_fs *fs, const char *name)
{
    return p9_mapped(fs) && !strncmp(name, PREFIX, strlen(PREFIX));
}

bool p9_map_hides_file(const struct p9_fs *fs, const char *name)
{
    return fs->model == P9_MAPPED_FILE && (!strcmp(name, META) || !strcmp(name, META_ROOT));
}

static const char *proc_path(char buf[static PATH_LEN], int dir, const char *base)
{
    snprintf(buf, PATH_LEN, "/proc/self/fd/%d/%.255s", dir, base);
    return buf;
}

/* Extended attributes. */

static bool get_x(const char *path, const char *name, uint64_t *v)
{
    uint8_t raw[8];
    ssize_t n = lgetxattr(path, name, raw, sizeof(raw));

    if (n != 4 && n != 8)
        return false;
    *v = n == 4 ? get_le32(raw) : get_le64(raw);
    return true;
}

static int set_x(const char *path, const char *name, uint64_t v, size_t len)
{
    uint8_t raw[8];

    put_le64(raw, v);
    return lsetxattr(path, name, raw, len, 0) < 0 ? -errno : 0;
}

static unsigned get_xattrs(int dir, const char *base, struct p9_attr *a)
{
    char path[PATH_LEN];
    unsigned got = 0;
    uint64_t v;

    proc_path(path, dir, base);
    if (get_x(path, PREFIX "uid", &v)) {
        a->uid = v;
        got |= MAP_UID;
    }
    if (get_x(path, PREFIX "gid", &v)) {
        a->gid = v;
        got |= MAP_GID;
    }
    if (get_x(path, PREFIX "mode", &v)) {
        a->mode = v;
        got |= MAP_MODE;
    }
    if (get_x(path, PREFIX "rdev", &v)) {
        a->rdev = v;
        got |= MAP_RDEV;
    }
    return got;
}

static int set_xattrs(int dir, const char *base, const struct p9_attr *a, unsigned which)
{
    char path[PATH_LEN];
    int r = 0;

    proc_path(path, dir, base);
    if (which & MAP_UID)
        r = set_x(path, PREFIX "uid", a->uid, 4);
    if (r >= 0 && which & MAP_GID)
        r = set_x(path, PREFIX "gid", a->gid, 4);
    if (r >= 0 && which & MAP_MODE)
        r = set_x(path, PREFIX "mode", a->mode, 4);
    if (r >= 0 && which & MAP_RDEV)
        r = set_x(path, PREFIX "rdev", a->rdev, 8);
    return r;
}

/* Files. */

/* Where the text of @base is kept: the folder (-errno: none) and *@name in it. */
static int meta_dir(int dir, const char *base, bool make, const char **name)
{
    int fd;

    if (!strcmp(base, ".")) {
        *name = META_ROOT;
        fd = fcntl(dir, F_DUPFD_CLOEXEC, 0);
        return fd < 0 ? -errno : fd;
    }
    *name = base;
    if (make && mkdirat(dir, META, 0700) < 0 && errno != EEXIST)
        return -errno;
    fd = openat(dir, META, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static unsigned parse(const char *text, struct p9_attr *a)
{
    static const struct {
        const char *key;
        unsigned bit;
    } keys[] = {{"virtfs.uid=", MAP_UID},
                {"virtfs.gid=", MAP_GID},
                {"virtfs.mode=", MAP_MODE},
                {"virtfs.rdev=", MAP_RDEV}};
    unsigned got = 0;

    for (unsigned i = 0; i < ARRAY_LEN(keys); i++) {
        const char *at = strstr(text, keys[i].key);
        uint64_t v;

        if (!at)
            continue;
        v = strtoull(at + strlen(keys[i].key), NULL, 10);
        got |= keys[i].bit;
        switch (keys[i].bit) {
        case MAP_UID: a->uid = v; break;
        case MAP_GID: a->gid = v; break;
        case MAP_MODE: a->mode = v; break;
        case MAP_RDEV: a->rdev = v; break;
        }
    }
    return got;
}

static unsigned get_file(int dir, const char *base, struct p9_attr *a)
{
    char text[TEXT_MAX] = {0};
    const char *name;
    int meta = meta_dir(dir, base, false, &name), fd;
    ssize_t n = -1;

    if (meta < 0)
        return 0;
    fd = openat(meta, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(meta);
    if (fd >= 0) {
        n = read(fd, text, sizeof(text) - 1);
        close(fd);
    }
    return n > 0 ? parse(text, a) : 0;
}

static int put_text(int fd, const struct p9_attr *a, unsigned which)
{
    char text[TEXT_MAX];
    int n = 0;

    if (which & MAP_UID)
        n += snprintf(text + n, sizeof(text) - n, "virtfs.uid=%u\n", a->uid);
    if (which & MAP_GID)
        n += snprintf(text + n, sizeof(text) - n, "virtfs.gid=%u\n", a->gid);
    if (which & MAP_MODE)
        n += snprintf(text + n, sizeof(text) - n, "virtfs.mode=%u\n", a->mode);
    if (which & MAP_RDEV)
        n += snprintf(text + n, sizeof(text) - n, "virtfs.rdev=%" PRIu64 "\n", a->rdev);
    return write(fd, text, n) == n ? 0 : errno ? -errno : -EIO;
}

static int set_file(int dir, const char *base, const struct p9_attr *a, unsigned which)
{
    struct p9_attr all = {0};
    unsigned had = get_file(dir, base, &all);
    const char *name;
    int meta = meta_dir(dir, base, true, &name), fd, r;

    if (meta < 0)
        return meta;
    all.uid = which & MAP_UID ? a->uid : all.uid;
    all.gid = which & MAP_GID ? a->gid : all.gid;
    all.mode = which & MAP_MODE ? a->mode : all.mode;
    all.rdev = which & MAP_RDEV ? a->rdev : all.rdev;
    fd = openat(meta, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC,
                0600);
    r = fd < 0 ? -errno : put_text(fd, &all, had | which);
    if (fd >= 0)
        close(fd);
    close(meta);
    return r;
}

/* Both. */

void p9_map_get(struct p9_fs *fs, int dir, const char *base, struct stat *st)
{
    struct p9_attr a = {0};
    unsigned got = 0;

    if (fs->model == P9_MAPPED_XATTR)
        got = get_xattrs(dir, base, &a);
    else if (fs->model == P9_MAPPED_FILE)
        got = get_file(dir, base, &a);
    if (got & MAP_UID)
        st->st_uid = a.uid;
    if (got & MAP_GID)
        st->st_gid = a.gid;
    if (got & MAP_MODE) /* a folder stays one: its kind is the host's */
        st->st_mode = S_ISDIR(st->st_mode) ? S_IFDIR | (a.mode & 07777) : a.mode;
    if (got & MAP_RDEV)
        st->st_rdev = a.rdev;
}

int p9_map_set(struct p9_fs *fs, int dir, const char *base, const struct p9_attr *a, unsigned which)
{
    return fs->model == P9_MAPPED_XATTR ? set_xattrs(dir, base, a, which)
                                        : set_file(dir, base, a, which);
}

void p9_map_move(struct p9_fs *fs, int dir, const char *base, int new_dir, const char *new_base,
                 bool link)
{
    const char *from, *to;
    int a, b;

    if (fs->model != P9_MAPPED_FILE || (a = meta_dir(dir, base, false, &from)) < 0)
        return;
    if (!new_base) {
        unlinkat(a, from, 0);
    } else if ((b = meta_dir(new_dir, new_base, true, &to)) >= 0) {
        if (link)
            linkat(a, from, b, to, 0);
        else
            renameat(a, from, b, to);
        close(b);
    }
    close(a);
}

void p9_map_empty(struct p9_fs *fs, int dir, const char *base)
{
    int fd;

    if (fs->model != P9_MAPPED_FILE)
        return;
    fd = openat(dir, base, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return;
    unlinkat(fd, META,
             AT_REMOVEDIR); /* stays when it is not empty: then the folder is not, either */
    close(fd);
}
