/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The folder that a 9p server shows.  Paths are relative to it, "" is itself; components are neither "." nor ".." nor
 * empty (p9_name_ok).  Nothing follows a symbolic link.  All functions return 0 or more, or -errno.
 *
 * Security models: passthrough - owners and modes are the host's; none - the same, but owners that cannot be set are
 * not missed; mapped-xattr, mapped-file - owner, mode and kind of what the guest makes are kept in extended attributes
 * user.virtfs.* or in files below .virtfs_metadata; on the host there are plain files and folders of ours.
 */
#ifndef DEV_VIRTIO_P9_FS_H
#define DEV_VIRTIO_P9_FS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

struct statfs;

enum p9_model { P9_PASSTHROUGH, P9_NONE, P9_MAPPED_XATTR, P9_MAPPED_FILE };

struct p9_fs {
    int root; /* the folder */
    enum p9_model model;
    bool read_only;
    mode_t fmode, dmode; /* of files and folders that mapped models make */
};

/** struct p9_attr - what the guest wants of something new. */
struct p9_attr {
    uint32_t uid, gid, mode; /* mode with the kind of file */
    uint64_t rdev;
};

bool p9_name_ok(const struct p9_fs *fs, const char *name);
static inline bool p9_mapped(const struct p9_fs *fs)
{
    return fs->model >= P9_MAPPED_XATTR;
}

/** p9_parent - O_PATH descriptor of the folder that @path is in; *@base points to its last part, "." for "". */
int p9_parent(struct p9_fs *fs, const char *path, const char **base);

int p9_stat(struct p9_fs *fs, const char *path, struct stat *st);
int p9_open(struct p9_fs *fs, const char *path, int flags); /* files and folders only */
/** p9_create - also opens; @path must not be there when @flags have O_EXCL. */
int p9_create(struct p9_fs *fs, const char *path, int flags, const struct p9_attr *a);
int p9_mkdir(struct p9_fs *fs, const char *path, const struct p9_attr *a);
int p9_mknod(struct p9_fs *fs, const char *path, const struct p9_attr *a);
int p9_symlink(struct p9_fs *fs, const char *path, const char *target, const struct p9_attr *a);
int p9_readlink(struct p9_fs *fs, const char *path, char *buf, size_t len);
int p9_link(struct p9_fs *fs, const char *path, const char *new_path);
int p9_rename(struct p9_fs *fs, const char *path, const char *new_path);
int p9_unlink(struct p9_fs *fs, const char *path, bool dir);
int p9_chmod(struct p9_fs *fs, const char *path, uint32_t mode);
int p9_chown(struct p9_fs *fs, const char *path, uint32_t uid,
             uint32_t gid); /* UINT32_MAX: leave */
int p9_truncate(struct p9_fs *fs, const char *path, uint64_t size);
int p9_utimes(struct p9_fs *fs, const char *path, const struct timespec t[2]);
int p9_statfs(struct p9_fs *fs, struct statfs *st);
/* Extended attributes; those of mapping are not there.  Sizes as of lgetxattr(2). */
ssize_t p9_getxattr(struct p9_fs *fs, const char *path, const char *name, void *buf, size_t len);
ssize_t p9_listxattr(struct p9_fs *fs, const char *path, char *buf, size_t len);
int p9_setxattr(struct p9_fs *fs, const char *path, const char *name, const void *buf, size_t len,
                int flags);

/* Mapped attributes, in p9_map.c: of @base in the folder @dir. */
enum { MAP_UID = 1, MAP_GID = 2, MAP_MODE = 4, MAP_RDEV = 8 };
void p9_map_get(struct p9_fs *fs, int dir, const char *base, struct stat *st);
int p9_map_set(struct p9_fs *fs, int dir, const char *base, const struct p9_attr *a,
               unsigned which);
/** p9_map_move - what was kept for @base goes to @new_base, or away (NULL). */
void p9_map_move(struct p9_fs *fs, int dir, const char *base, int new_dir, const char *new_base,
                 bool link);
/** p9_map_empty - may folder @base, which is to be removed, lose what is kept in it? */
void p9_map_empty(struct p9_fs *fs, int dir, const char *base);
bool p9_map_hides_xattr(const struct p9_fs *fs, const char *name);
bool p9_map_hides_file(const struct p9_fs *fs, const char *name);

#endif
