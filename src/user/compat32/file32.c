/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files for 32-bit guests: stat, statfs, locks, directories, positions in two halves (stat(2), statfs(2), fcntl(2), getdents(2)). */
#include "user/compat32/compat32.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>

#define HERE ((uint64_t)AT_FDCWD)

/* --- stat --- */

struct stat32 {
    uint32_t dev, ino;
    uint16_t mode, nlink, uid, gid;
    uint32_t rdev, size, blksize, blocks, atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec, unused[2];
};
struct stat64_32 {
    u64_4 dev;
    uint32_t pad0, ino32, mode, nlink, uid, gid;
    u64_4 rdev;
    uint32_t pad3;
    s64_4 size;
    uint32_t blksize;
    u64_4 blocks;
    uint32_t atime, atime_nsec, mtime, mtime_nsec, ctime, ctime_nsec;
    u64_4 ino;
};
_Static_assert(sizeof(struct stat32) == 64 && sizeof(struct stat64_32) == 96, "struct stat, struct stat64");

static uint16_t id16(uint32_t id)
{
    return id > 0xffff ? 65534 : (uint16_t)id;
}

static long put_stat32(struct task *t, uint64_t addr, const struct stat *st)
{
    struct stat32 g = {
        .dev = (uint32_t)st->st_dev, .ino = (uint32_t)st->st_ino, .mode = (uint16_t)st->st_mode,
        .nlink = (uint16_t)st->st_nlink, .uid = id16(st->st_uid), .gid = id16(st->st_gid), .rdev = (uint32_t)st->st_rdev,
        .size = (uint32_t)st->st_size, .blksize = (uint32_t)st->st_blksize, .blocks = (uint32_t)st->st_blocks,
        .atime = (uint32_t)st->st_atim.tv_sec, .atime_nsec = (uint32_t)st->st_atim.tv_nsec,
        .mtime = (uint32_t)st->st_mtim.tv_sec, .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
        .ctime = (uint32_t)st->st_ctim.tv_sec, .ctime_nsec = (uint32_t)st->st_ctim.tv_nsec,
    };

    if (st->st_ino >> 32 || st->st_size >> 31)
        return -EOVERFLOW;
    return guest_write(t->cpu, addr, &g, sizeof(g));
}

long put_stat64_32(struct task *t, uint64_t addr, const struct stat *st)
{
    struct stat64_32 g = {
        .dev = st->st_dev, .ino32 = (uint32_t)st->st_ino, .mode = st->st_mode, .nlink = (uint32_t)st->st_nlink,
        .uid = st->st_uid, .gid = st->st_gid, .rdev = st->st_rdev, .size = st->st_size,
        .blksize = (uint32_t)st->st_blksize, .blocks = (uint64_t)st->st_blocks,
        .atime = (uint32_t)st->st_atim.tv_sec, .atime_nsec = (uint32_t)st->st_atim.tv_nsec,
        .mtime = (uint32_t)st->st_mtim.tv_sec, .mtime_nsec = (uint32_t)st->st_mtim.tv_nsec,
        .ctime = (uint32_t)st->st_ctim.tv_sec, .ctime_nsec = (uint32_t)st->st_ctim.tv_nsec, .ino = st->st_ino,
    };

    return guest_write(t->cpu, addr, &g, sizeof(g));
}

/* The plain calls give struct stat64 (abi->call.put_stat); these the older one. */
static long old_stat(struct task *t, int nr, uint64_t a, uint64_t flags, uint64_t out)
{
    struct stat st;
    long r = nr == __NR_fstat ? HOST(nr, a, &st) : sys_stat_path(t, HERE, a, flags, &st);

    return r < 0 ? r : put_stat32(t, out, &st);
}

long sys32_stat(struct task *t, const uint64_t *a)
{
    return old_stat(t, __NR_newfstatat, a[0], 0, a[1]);
}

long sys32_lstat(struct task *t, const uint64_t *a)
{
    return old_stat(t, __NR_newfstatat, a[0], AT_SYMLINK_NOFOLLOW, a[1]);
}

long sys32_fstat(struct task *t, const uint64_t *a)
{
    return old_stat(t, __NR_fstat, a[0], 0, a[1]);
}

long sys32_stat64(struct task *t, const uint64_t *a)
{
    return sys_newfstatat(t, (uint64_t[6]){HERE, a[0], a[1], 0});
}

long sys32_lstat64(struct task *t, const uint64_t *a)
{
    return sys_newfstatat(t, (uint64_t[6]){HERE, a[0], a[1], AT_SYMLINK_NOFOLLOW});
}

long sys32_fstat64(struct task *t, const uint64_t *a)
{
    return sys_fstat(t, a);
}

long sys32_fstatat64(struct task *t, const uint64_t *a)
{
    return sys_newfstatat(t, a);
}

/* --- statfs --- */

struct statfs32 {
    uint32_t type, bsize, blocks, bfree, bavail, files, ffree;
    int32_t fsid[2];
    uint32_t namelen, frsize, flags, spare[4];
};
struct statfs64_32 {
    uint32_t type, bsize;
    u64_4 blocks, bfree, bavail, files, ffree;
    int32_t fsid[2];
    uint32_t namelen, frsize, flags, spare[4];
};
_Static_assert(sizeof(struct statfs64_32) == 84, "struct statfs64");

static uint32_t clamp32(uint64_t v)
{
    return v > UINT32_MAX ? UINT32_MAX : (uint32_t)v;
}

static long put_statfs(struct task *t, uint64_t addr, const struct statfs *s, bool wide)
{
    struct statfs32 g = {(uint32_t)s->f_type, (uint32_t)s->f_bsize, clamp32(s->f_blocks), clamp32(s->f_bfree),
                         clamp32(s->f_bavail), clamp32(s->f_files), clamp32(s->f_ffree), {0},
                         (uint32_t)s->f_namelen, (uint32_t)s->f_frsize, (uint32_t)s->f_flags, {0}};
    struct statfs64_32 w = {(uint32_t)s->f_type, (uint32_t)s->f_bsize, s->f_blocks, s->f_bfree, s->f_bavail,
                            s->f_files, s->f_ffree, {0}, (uint32_t)s->f_namelen, (uint32_t)s->f_frsize,
                            (uint32_t)s->f_flags, {0}};

    memcpy(g.fsid, &s->f_fsid, 8);
    memcpy(w.fsid, &s->f_fsid, 8);
    return wide ? guest_write(t->cpu, addr, &w, sizeof(w)) : guest_write(t->cpu, addr, &g, sizeof(g));
}

static long fs_of_path(struct task *t, uint64_t path, uint64_t out, bool wide)
{
    struct statfs s;
    long r = sys_statfs_path(t, path, &s);

    return r < 0 ? r : put_statfs(t, out, &s, wide);
}

static long fs_of_fd(struct task *t, uint64_t fd, uint64_t out, bool wide)
{
    struct statfs s;
    long r = HOST(__NR_fstatfs, fd, &s);

    return r < 0 ? r : put_statfs(t, out, &s, wide);
}

long sys32_statfs(struct task *t, const uint64_t *a)
{
    return fs_of_path(t, a[0], a[1], false);
}

long sys32_fstatfs(struct task *t, const uint64_t *a)
{
    return fs_of_fd(t, a[0], a[1], false);
}

/* Some architectures pad the structure, and say so; the padding is not written. */
long sys32_statfs64(struct task *t, const uint64_t *a)
{
    return a[1] == 84 || a[1] == 88 ? fs_of_path(t, a[0], a[2], true) : -EINVAL;
}

long sys32_fstatfs64(struct task *t, const uint64_t *a)
{
    return a[1] == 84 || a[1] == 88 ? fs_of_fd(t, a[0], a[2], true) : -EINVAL;
}

/* --- fcntl --- */

struct flock32 {
    int16_t type, whence;
    int32_t start, len, pid;
};
struct flock64_32 {
    int16_t type, whence;
    s64_4 start, len;
    int32_t pid;
};
enum { GETLK64 = 12, SETLK64, SETLKW64 };

static long lock_call(struct task *t, uint64_t fd, int cmd, uint64_t addr, bool wide)
{
    struct flock64_32 w = {0};
    struct flock32 n = {0};
    struct flock f;
    bool gets = cmd == F_GETLK || cmd == F_OFD_GETLK;
    long r = wide ? guest_read(t->cpu, &w, addr, sizeof(w)) : guest_read(t->cpu, &n, addr, sizeof(n));

    if (r < 0)
        return r;
    f = wide ? (struct flock){w.type, w.whence, w.start, w.len, w.pid}
             : (struct flock){n.type, n.whence, n.start, n.len, n.pid};
    r = HOST_WAIT(t, __NR_fcntl, fd, cmd, &f);
    if (r < 0 || !gets)
        return r;
    w = (struct flock64_32){f.l_type, f.l_whence, f.l_start, f.l_len, f.l_pid};
    n = (struct flock32){f.l_type, f.l_whence, (int32_t)f.l_start, (int32_t)f.l_len, f.l_pid};
    if (!wide && (f.l_start > INT32_MAX || f.l_len > INT32_MAX))
        return -EOVERFLOW;
    return wide ? guest_write(t->cpu, addr, &w, sizeof(w)) : guest_write(t->cpu, addr, &n, sizeof(n));
}

long sys32_fcntl64(struct task *t, const uint64_t *a)
{
    int cmd = (int)a[1];

    if (sys_fd_is_ours(t, (int)a[0]))
        return -EBADF;
    switch (cmd) {
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
        return lock_call(t, a[0], cmd, a[2], false);
    case GETLK64:
    case SETLK64:
    case SETLKW64:
        return lock_call(t, a[0], cmd - GETLK64 + F_GETLK, a[2], true);
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW:
        return lock_call(t, a[0], cmd, a[2], true);
    default:
        return sys_fcntl(t, (uint64_t[6]){a[0], a[1], (uint64_t)(int32_t)a[2] == a[2] ? a[2] : (uint32_t)a[2]});
    }
}

long sys32_fcntl(struct task *t, const uint64_t *a)
{
    return sys32_fcntl64(t, a);
}

/* --- Directories: places in them are 31 bits for 32-bit programs.  Some file systems give the host's 64-bit programs hashes of 63
 * bits (ext4), of which the upper half is what they give to others; a folder where that was seen is remembered by its descriptor. */

enum { MAX_FOLDED = 65536 };
static uint8_t folded[MAX_FOLDED / 8]; /* a bit for each descriptor [atomic] */

static bool is_folded(uint64_t fd)
{
    return fd < MAX_FOLDED && (__atomic_load_n(&folded[fd / 8], __ATOMIC_RELAXED) >> fd % 8 & 1);
}

static void set_folded(uint64_t fd, bool on)
{
    if (fd >= MAX_FOLDED || is_folded(fd) == on)
        return;
    if (on)
        __atomic_or_fetch(&folded[fd / 8], (uint8_t)(1 << fd % 8), __ATOMIC_RELAXED);
    else
        __atomic_and_fetch(&folded[fd / 8], (uint8_t)~(1 << fd % 8), __ATOMIC_RELAXED);
}

static int64_t fold(uint64_t fd, int64_t off)
{
    if (off == INT64_MAX) /* the end */
        return INT32_MAX;
    if (off >> 31 == 0)
        return off;
    set_folded(fd, true);
    return off >> 32;
}

static int64_t seek(uint64_t fd, int64_t off, uint64_t whence)
{
    bool here = is_folded(fd);
    int64_t r;

    if (here && whence == SEEK_SET && off >> 31 == 0)
        off = off == INT32_MAX ? INT64_MAX : off << 32;
    r = HOST(__NR_lseek, fd, off, whence);
    if (here && r == 0)
        set_folded(fd, false); /* as it was opened; or another file has the number */
    return here && r > INT32_MAX ? fold(fd, r) : r;
}

struct entry64 {
    uint64_t ino;
    int64_t off;
    uint16_t reclen;
    uint8_t type;
    char name[];
} __attribute__((packed));

/* The entries as the host has them, places folded: their length, or a negative errno. */
static long read_entries(uint64_t fd, uint8_t *buf, size_t size)
{
    long n = HOST(__NR_getdents64, fd, buf, size);

    for (long at = 0; at < n;) {
        struct entry64 d;

        memcpy(&d, buf + at, sizeof(d));
        d.off = fold(fd, d.off);
        memcpy(buf + at, &d, sizeof(d));
        at += d.reclen;
    }
    return n;
}

enum { ENTRIES = 32768 };

long sys32_getdents64(struct task *t, const uint64_t *a)
{
    uint8_t buf[ENTRIES];
    long n = read_entries(a[0], buf, a[2] < sizeof(buf) ? a[2] : sizeof(buf));

    return n > 0 && guest_write(t->cpu, a[1], buf, (size_t)n) < 0 ? -EFAULT : n;
}

/* The older form, whose numbers are words: packs the @n bytes of @in into @out, which is no longer.  Returns their length. */
static long pack_entries(const uint8_t *in, long n, uint8_t *out)
{
    long to = 0;

    for (long at = 0; at < n;) {
        struct entry64 d;
        uint32_t ino, off;
        uint16_t len;
        size_t name;

        memcpy(&d, in + at, sizeof(d));
        name = strlen((const char *)in + at + sizeof(d));
        len = (uint16_t)((10 + name + 2 + 3) & ~3u);
        ino = (uint32_t)d.ino ^ (uint32_t)(d.ino >> 32);
        off = (uint32_t)d.off;
        memset(out + to, 0, len);
        memcpy(out + to, &ino, 4);
        memcpy(out + to + 4, &off, 4);
        memcpy(out + to + 8, &len, 2);
        memcpy(out + to + 10, in + at + sizeof(d), name + 1);
        out[to + len - 1] = d.type;
        to += len;
        at += d.reclen;
    }
    return to;
}

long sys32_getdents(struct task *t, const uint64_t *a)
{
    uint8_t in[ENTRIES], out[ENTRIES];
    long n = read_entries(a[0], in, a[2] < sizeof(in) ? a[2] : sizeof(in));

    if (n <= 0)
        return n;
    n = pack_entries(in, n, out);
    return guest_write(t->cpu, a[1], out, (size_t)n) < 0 ? -EFAULT : n;
}

/* --- Positions and lengths in two halves --- */

long sys32__llseek(struct task *t, const uint64_t *a)
{
    int64_t r = seek(a[0], (int64_t)pair32(a[2], a[1]), a[4]);

    return r < 0 ? r : guest_write(t->cpu, a[3], &r, 8);
}

/* The new place may not fit: then it is there, and the call says so (lseek(2)). */
long sys32_lseek(struct task *t, const uint64_t *a)
{
    int64_t r = seek(a[0], (int32_t)a[1], a[2]);

    return r > INT32_MAX ? -EOVERFLOW : r;
}

long sys32_pread64(struct task *t, const uint64_t *a)
{
    return HOST_WAIT(t, __NR_pread64, a[0], host_addr(t, a[1]), a[2], pair32(a[3], a[4]));
}

long sys32_pwrite64(struct task *t, const uint64_t *a)
{
    return HOST_WAIT(t, __NR_pwrite64, a[0], host_addr(t, a[1]), a[2], pair32(a[3], a[4]));
}

long sys32_truncate64(struct task *t, const uint64_t *a)
{
    return HOST(__NR_truncate, host_addr(t, a[0]), pair32(a[1], a[2]));
}

long sys32_ftruncate64(struct task *t, const uint64_t *a)
{
    return HOST(__NR_ftruncate, a[0], pair32(a[1], a[2]));
}

long sys32_readahead(struct task *t, const uint64_t *a)
{
    return HOST(__NR_readahead, a[0], pair32(a[1], a[2]), a[3]);
}

long sys32_fadvise64(struct task *t, const uint64_t *a)
{
    return HOST(__NR_fadvise64, a[0], pair32(a[1], a[2]), a[3], a[4]);
}

long sys32_fadvise64_64(struct task *t, const uint64_t *a)
{
    return HOST(__NR_fadvise64, a[0], pair32(a[1], a[2]), pair32(a[3], a[4]), a[5]);
}

long sys32_sync_file_range(struct task *t, const uint64_t *a)
{
    return HOST_WAIT(t, __NR_sync_file_range, a[0], pair32(a[1], a[2]), pair32(a[3], a[4]), a[5]);
}

long sys32_fallocate(struct task *t, const uint64_t *a)
{
    return HOST_WAIT(t, __NR_fallocate, a[0], a[1], pair32(a[2], a[3]), pair32(a[4], a[5]));
}

long sys32_fanotify_mark(struct task *t, const uint64_t *a)
{
    return HOST(__NR_fanotify_mark, a[0], a[1], pair32(a[2], a[3]), a[4], host_addr(t, a[5]));
}

long sys32_sendfile(struct task *t, const uint64_t *a)
{
    int32_t at;
    int64_t off;
    long r;

    if (!a[2])
        return HOST_WAIT(t, __NR_sendfile, a[0], a[1], 0, a[3]);
    if (guest_read(t->cpu, &at, a[2], 4) < 0)
        return -EFAULT;
    off = at;
    r = HOST_WAIT(t, __NR_sendfile, a[0], a[1], &off, a[3]);
    at = (int32_t)off;
    return r >= 0 && guest_write(t->cpu, a[2], &at, 4) < 0 ? -EFAULT : r;
}

long sys32_mmap2(struct task *t, const uint64_t *a)
{
    return sys_mmap(t, (uint64_t[6]){a[0], a[1], a[2], a[3], a[4], a[5] << 12});
}

/* The first calls of their kind took six arguments in memory. */
long sys32_mmap(struct task *t, const uint64_t *a)
{
    uint32_t v[6];

    if (guest_read(t->cpu, v, a[0], sizeof(v)) < 0)
        return -EFAULT;
    return sys_mmap(t, (uint64_t[6]){v[0], v[1], v[2], v[3], v[4], v[5]});
}

long sys32_umount(struct task *t, const uint64_t *a)
{
    return sys_umount2(t, (uint64_t[6]){a[0], 0});
}
