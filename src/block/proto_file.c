/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver=file: files of the host; most of driver=host_device. */
#include "block/aio.h"
#include "block/proto_file_priv.h"

#include <fcntl.h>
#include <inttypes.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BATCH_MIN = 4 }; /* pieces that are worth a ring to who did not ask for one */

struct file {
    int fd;
    enum aio_kind aio;
    bool device;
    bool no_punch, no_zero; /* the host said it cannot */
    enum { LOCK_AUTO, LOCK_ON, LOCK_OFF } locking;
    unsigned held, unshared; /* what our locks say */
    /* The last extent that SEEK_DATA told, until a write: asking costs more than reading. */
    pthread_mutex_t lock;
    uint64_t known_off, known_end; /* [lock] */
    bool known_data;               /* [lock] */
};

_Static_assert(sizeof(struct file) <= FILE_STATE_SIZE, "proto_file_priv.h");

struct file_opts {
    char *filename, *aio, *locking;
    uint64_t aio_max_batch;
    bool drop_cache;
};

const struct field file_fields[] = {
    FIELD(file_opts, filename, F_STR, "filename", NULL, "path of the file"),
    FIELD(file_opts, aio, F_STR, "aio", NULL, "threads, native or io_uring"),
    FIELD(file_opts, aio_max_batch, F_U64, "aio-max-batch", NULL, "accepted, without effect"),
    FIELD(file_opts, locking, F_STR, "locking", NULL, "auto, on or off"),
    FIELD(file_opts, drop_cache, F_BOOL, "drop-cache", "on", "accepted, without effect"),
    FIELD_END,
};

/* Before it is opened: a named pipe would wait for somebody at its other end. */
static int check_kind(const struct blk *b, const char *path, struct err *e)
{
    bool device = b->drv == &proto_host_device;
    struct stat st;

    if (stat(path, &st) < 0) /* opening says it, too, and better */
        return 0;
    if (device && !S_ISBLK(st.st_mode) && !S_ISCHR(st.st_mode))
        return err_set(e, -EINVAL,
                       "'host_device' driver requires '%s' to be either a character or block "
                       "device",
                       path);
    if (!device && !S_ISREG(st.st_mode))
        return err_set(e, -EINVAL, "'file' driver requires '%s' to be a regular file", path);
    return 0;
}

static int find_size(struct blk *b, struct err *e)
{
    struct file *f = b->state;
    struct stat st;

    f->device = b->drv == &proto_host_device;
    if (fstat(f->fd, &st) < 0)
        return err_set(e, -errno, "Could not stat '%s': %s", b->filename, strerror(errno));
    b->size = (uint64_t)st.st_size;
    if (S_ISBLK(st.st_mode) && ioctl(f->fd, BLKGETSIZE64, &b->size) < 0)
        return err_set(e, -errno, "Could not get the size of '%s': %s", b->filename,
                       strerror(errno));
    return 0;
}

/* O_DIRECT wants what the file system says; 4096 satisfies every one we know. */
static uint32_t direct_align(void)
{
    return 4096;
}

static int file_open_fd(struct blk *b, const char *path, struct err *e)
{
    int flags = O_CLOEXEC | (b->flags & BLK_DIRECT ? O_DIRECT : 0);
    int r = check_kind(b, path, e);

    if (r < 0)
        return r;
    int fd = open(path, flags | (b->flags & BLK_RDWR ? O_RDWR : O_RDONLY));

    if (fd < 0 && (b->flags & BLK_AUTO_READ_ONLY) && (b->flags & BLK_RDWR) &&
        (errno == EACCES || errno == EROFS || errno == EPERM)) {
        fd = open(path, flags | O_RDONLY);
        b->flags &= ~BLK_RDWR;
    }
    if (fd < 0 && errno == EINVAL && (b->flags & BLK_DIRECT))
        return err_set(e, -EINVAL, "Could not open '%s': filesystem does not support O_DIRECT",
                       path);
    if (fd < 0)
        return err_set(e, -errno, "Could not open '%s': %s", path, strerror(errno));
    return fd;
}

/* The words of the options; @o's filename is the node's afterwards. */
static int take_options(struct blk *b, struct file_opts *o, struct err *e)
{
    static const char *const aio[] = {"threads", "native", "io_uring", NULL};
    static const char *const locking[] = {"auto", "on", "off", NULL};
    struct file *f = b->state;

    if (!o->filename)
        return err_set(e, -EINVAL, "A 'filename' is required for this driver");
    for (int i = 0; o->aio && (!aio[i] || strcmp(o->aio, aio[i])); i++)
        if (!aio[i])
            return err_set(e, -EINVAL, "invalid parameter value: %s", o->aio);
    for (int i = 0; o->locking && (!locking[i] || strcmp(o->locking, locking[i])); i++)
        if (!locking[i])
            return err_set(e, -EINVAL, "invalid parameter value: %s", o->locking);
    if (o->locking)
        f->locking = !strcmp(o->locking, "on")    ? LOCK_ON
                     : !strcmp(o->locking, "off") ? LOCK_OFF
                                                  : LOCK_AUTO;
    if (o->aio)
        b->flags = (b->flags & ~(BLK_NATIVE_AIO | BLK_IO_URING)) |
                   (!strcmp(o->aio, "native")     ? BLK_NATIVE_AIO
                    : !strcmp(o->aio, "io_uring") ? BLK_IO_URING
                                                  : 0);
    if ((b->flags & BLK_NATIVE_AIO) && !(b->flags & BLK_DIRECT))
        return err_set(e, -EINVAL,
                       "aio=native was specified, but it requires cache.direct=on, which was not "
                       "specified.");
    b->filename = o->filename;
    o->filename = NULL;
    f->aio = b->flags & BLK_IO_URING ? AIO_URING : b->flags & BLK_NATIVE_AIO ? AIO_NATIVE : AIO_THREADS;
    if (aio_begin(f->aio, e) < 0)
        return err_wrap(e, e->code, "Unable to use %s", f->aio == AIO_URING ? "io_uring" : "native AIO");
    return 0;
}

int file_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct file *f = b->state;
    struct file_opts o;
    int r = fields_take(file_fields, opts, &o, e);

    if (r < 0)
        return r;
    r = take_options(b, &o, e);
    fields_free(file_fields, &o);
    if (r < 0)
        return r;
    if ((f->fd = file_open_fd(b, b->filename, e)) < 0)
        return f->fd;
    b->align = b->flags & BLK_DIRECT ? direct_align() : 1;
    if ((r = find_size(b, e)) < 0) {
        close(f->fd);
        return r;
    }
    pthread_mutex_init(&f->lock, NULL);
    return 0;
}

static int file_view_fd(const struct blk *b)
{
    const struct file *f = b->state;

    return f->device ? -1 : f->fd;
}

int file_claim(struct blk *b, unsigned held, unsigned unshared, struct err *e)
{
    struct file *f = b->state;
    int r = 0;

    held |= f->held;
    unshared |= f->unshared;
    if (f->locking != LOCK_OFF && !f->device)
        r = file_lock(f->fd, held, unshared, f->locking == LOCK_ON, b->filename, e);
    if (r >= 0) {
        f->held = held;
        f->unshared = unshared;
    }
    return r;
}

int file_close(struct blk *b, struct err *e)
{
    struct file *f = b->state;

    pthread_mutex_destroy(&f->lock);
    if (f->aio != AIO_THREADS && !f->device) /* a ring may hold the file, and so its locks, a moment longer */
        file_unlock(f->fd);
    return close(f->fd) < 0 ? err_set(e, -errno, "closing '%s': %s", b->filename, strerror(errno))
                            : 0;
}

/* Reading and writing --------------------------------------------------------------------------- */

static uint64_t total(const struct iovec *iov, int n)
{
    uint64_t len = 0;

    for (int i = 0; i < n; i++)
        len += iov[i].iov_len;
    return len;
}

/* Drop @done bytes from the front of @iov, in place. */
static void advance(struct iovec **iov, int *n, size_t done)
{
    while (*n && done >= (*iov)->iov_len) {
        done -= (*iov)->iov_len;
        ++*iov;
        --*n;
    }
    if (*n) {
        (*iov)->iov_base = (char *)(*iov)->iov_base + done;
        (*iov)->iov_len -= done;
    }
}

/* As preadv(2), pwritev(2): with io_uring and native through the kernel's rings. */
static ssize_t transfer(const struct file *f, bool write, const struct iovec *iov, int n, uint64_t off)
{
    struct aio_request q = {.op = write ? AIO_WRITE : AIO_READ, .fd = f->fd, .iov = iov, .n = n, .off = off};

    if (f->aio != AIO_THREADS) {
        aio_run(f->aio, &q, 1);
        if (q.done < 0)
            errno = (int)-q.done;
        return q.done < 0 ? -1 : q.done;
    }
    if (n == 1)
        return write ? pwrite(f->fd, iov[0].iov_base, iov[0].iov_len, (off_t)off)
                     : pread(f->fd, iov[0].iov_base, iov[0].iov_len, (off_t)off);
    return write ? pwritev(f->fd, iov, n, (off_t)off) : preadv(f->fd, iov, n, (off_t)off);
}

/* The rest of a request of which the host did only a part: rare, so it may copy its list. */
static int transfer_rest(struct blk *b, uint64_t off, const struct iovec *iov, int n, size_t done,
                         bool write, struct err *e)
{
    struct file *f = b->state;
    struct iovec *copy = malloc((size_t)n * sizeof(*iov)), *at = copy;
    int r = 0;

    if (!copy)
        return err_set(e, -ENOMEM, "out of memory");
    memcpy(copy, iov, (size_t)n * sizeof(*iov));
    for (advance(&at, &n, done); n;) {
        ssize_t k = transfer(f, write, at, n, off + done);

        if (k < 0 && errno == EINTR)
            continue;
        if (k < 0) {
            r = err_set(e, -errno, "%s '%s' at %" PRIu64 ": %s", write ? "writing" : "reading",
                        b->filename, off + done, strerror(errno));
            break;
        }
        if (!k && write) {
            r = err_set(e, -ENOSPC, "writing '%s': no progress", b->filename);
            break;
        }
        if (!k) { /* the file became shorter */
            for (int i = 0; i < n; i++)
                memset(at[i].iov_base, 0, at[i].iov_len);
            break;
        }
        done += (size_t)k;
        advance(&at, &n, (size_t)k);
    }
    free(copy);
    return r;
}

static int file_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    struct file *f = b->state;
    uint64_t len = total(iov, n);
    ssize_t k = transfer(f, false, iov, n, off);

    if (k == (ssize_t)len)
        return 0;
    if (k < 0 && errno != EINTR)
        return err_set(e, -errno, "reading '%s' at %" PRIu64 ": %s", b->filename, off,
                       strerror(errno));
    return transfer_rest(b, off, iov, n, k < 0 ? 0 : (size_t)k, false, e);
}

/* The host waits for its disk once.  With aio=threads, too: the reference's threads read side by side there. */
static int file_read_pieces(struct blk *b, const struct blk_piece *p, int n, struct err *e)
{
    struct file *f = b->state;
    struct aio_request q[BLK_PIECES];
    int r = 0;

    for (int i = 0; i < n; i++)
        q[i] = (struct aio_request){.op = AIO_READ, .fd = f->fd, .iov = &p[i].iov, .n = 1, .off = p[i].off};
    aio_run(f->aio == AIO_THREADS && n >= BATCH_MIN ? AIO_URING : f->aio, q, (unsigned)n);
    for (int i = 0; i < n && r >= 0; i++)
        if (q[i].done < 0)
            r = err_set(e, (int)q[i].done, "reading '%s' at %" PRIu64 ": %s", b->filename, q[i].off,
                        strerror((int)-q[i].done));
        else if ((size_t)q[i].done < p[i].iov.iov_len)
            r = transfer_rest(b, q[i].off, &p[i].iov, 1, (size_t)q[i].done, false, e);
    return r;
}

static void forget(struct file *f)
{
    pthread_mutex_lock(&f->lock);
    f->known_end = f->known_off = 0;
    pthread_mutex_unlock(&f->lock);
}

static void grown_to(struct blk *b, uint64_t end)
{
    uint64_t size = __atomic_load_n(&b->size, __ATOMIC_RELAXED);

    while (end > size && !__atomic_compare_exchange_n(&b->size, &size, end, true, __ATOMIC_RELAXED,
                                                      __ATOMIC_RELAXED))
        ;
}

static int file_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                       struct err *e)
{
    struct file *f = b->state;
    uint64_t len = total(iov, n);
    ssize_t k = transfer(f, true, iov, n, off);
    int r = 0;

    if (k < 0 && errno != EINTR)
        return err_set(e, -errno, "writing '%s' at %" PRIu64 ": %s", b->filename, off,
                       strerror(errno));
    if (k != (ssize_t)len)
        r = transfer_rest(b, off, iov, n, k < 0 ? 0 : (size_t)k, true, e);
    if (__atomic_load_n(&f->known_end, __ATOMIC_RELAXED))
        forget(f);
    if (r >= 0)
        grown_to(b, off + len);
    return r;
}

static int refused(int error)
{
    return error == EOPNOTSUPP || error == ENOSYS || error == EINVAL || error == ENOTTY;
}

static int file_punch(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    struct file *f = b->state;
    uint64_t range[2] = {off, len};
    int r;

    if (f->no_punch)
        return -ENOTSUP;
    forget(f);
    r = f->device
            ? ioctl(f->fd, BLKDISCARD, range)
            : fallocate(f->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)off, (off_t)len);
    if (r >= 0)
        return 0;
    if (!refused(errno))
        return err_set(e, -errno, "discarding in '%s': %s", b->filename, strerror(errno));
    f->no_punch = true;
    return -ENOTSUP;
}

static int file_zero(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    struct file *f = b->state;
    uint64_t range[2] = {off, len};
    int r;

    if ((req & BLK_REQ_UNMAP) && !f->device) {
        if (off + len > blk_size(b)) { /* a hole at the end does not make the file longer */
            if (ftruncate(f->fd, (off_t)(off + len)) < 0)
                return err_set(e, -errno, "growing '%s': %s", b->filename, strerror(errno));
            grown_to(b, off + len);
        }
        if ((r = file_punch(b, off, len, e)) != -ENOTSUP)
            return r;
    }
    if (f->no_zero)
        return -ENOTSUP;
    forget(f);
    r = f->device ? ioctl(f->fd, BLKZEROOUT, range)
                  : fallocate(f->fd, FALLOC_FL_ZERO_RANGE, (off_t)off, (off_t)len);
    if (r >= 0) {
        grown_to(b, off + len);
        return 0;
    }
    if (!refused(errno))
        return err_set(e, -errno, "zeroing in '%s': %s", b->filename, strerror(errno));
    f->no_zero = true;
    return -ENOTSUP;
}

int file_flush(struct blk *b, struct err *e)
{
    struct file *f = b->state;
    struct aio_request q = {.op = AIO_SYNC, .fd = f->fd};

    if (b->flags & BLK_NO_FLUSH)
        return 0;
    aio_run(f->aio == AIO_URING ? AIO_URING : AIO_THREADS, &q, 1);
    return q.done < 0 ? err_set(e, (int)q.done, "flushing '%s': %s", b->filename, strerror((int)-q.done)) : 0;
}

/* What is where ------------------------------------------------------------------------------------ */

/* [off, *end) is data or a hole; false: the host cannot tell. */
static bool seek_extent(struct blk *b, uint64_t off, uint64_t *end, bool *data)
{
    struct file *f = b->state;
    uint64_t size = b->size;
    off_t at = lseek(f->fd, (off_t)off, SEEK_DATA);

    if (at < 0 && errno != ENXIO)
        return false;
    if (at < 0 || (uint64_t)at > off) {
        *data = false;
        *end = at < 0 ? size : (uint64_t)at;
        return true;
    }
    *data = true;
    at = lseek(f->fd, (off_t)off, SEEK_HOLE);
    *end = at <= (off_t)off ? size : (uint64_t)at;
    return true;
}

static int file_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s,
                       struct err *e)
{
    struct file *f = b->state;

    *s = (struct blk_status){
        .len = len, .allocated = true, .data = true, .has_host = true, .host = off, .file = b};
    if (f->device)
        return 0;
    pthread_mutex_lock(&f->lock);
    if (off < f->known_off || off >= f->known_end) {
        f->known_off = off;
        if (!seek_extent(b, off, &f->known_end, &f->known_data))
            f->known_off = f->known_end = 0;
    }
    if (off < f->known_end) {
        s->len = min_u64(len, f->known_end - off);
        s->data = f->known_data;
        s->zero = !f->known_data;
    }
    pthread_mutex_unlock(&f->lock);
    return 0;
}

static int64_t file_disk_size(struct blk *b)
{
    struct file *f = b->state;
    struct stat st;

    return fstat(f->fd, &st) < 0 ? -errno : (int64_t)st.st_blocks * 512;
}

static int file_copy_range(struct blk *src, uint64_t src_off, struct blk *dst, uint64_t dst_off,
                           uint64_t len, unsigned req, struct err *e)
{
    struct file *from = src->state, *to = dst->state;

    if (dst->drv->io != src->drv->io)
        return err_set(e, -ENOTSUP, "%s has no copy offloading", dst->drv->name);
    forget(to);
    while (len) {
        off_t in = (off_t)src_off, out = (off_t)dst_off;
        ssize_t k = copy_file_range(from->fd, &in, to->fd, &out, len, 0);

        if (k < 0 && errno == EINTR)
            continue;
        if (k <= 0)
            return err_set(e, k < 0 && errno != EXDEV && !refused(errno) ? -errno : -ENOTSUP,
                           "copying '%s' to '%s': %s", src->filename, dst->filename,
                           k < 0 ? strerror(errno) : "no progress");
        src_off += (uint64_t)k;
        dst_off += (uint64_t)k;
        len -= (uint64_t)k;
        grown_to(dst, dst_off);
    }
    return 0;
}

/* Sizes and making --------------------------------------------------------------------------------- */

enum { FIRST_BLOCK = 4096 };

static const char zeros[65536];

/* A new file's first block is data, not a hole, as the reference makes it (seen with strace): who asks for O_DIRECT later
   learns by reading it how requests must be aligned; some file systems read holes with any alignment.  A wish. */
static void write_first_block(int fd, uint64_t old, uint64_t size)
{
    size = min_u64(size, FIRST_BLOCK);
    if (old < size && pwrite(fd, zeros, size - old, (off_t)old) < 0)
        errno = 0;
}

static int write_zeros_to(int fd, uint64_t off, uint64_t end)
{

    while (off < end) {
        ssize_t k = pwrite(fd, zeros, min_u64(end - off, sizeof(zeros)), (off_t)off);

        if (k < 0 && errno != EINTR)
            return -errno;
        off += k < 0 ? 0 : (uint64_t)k;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

static int preallocate(int fd, uint64_t old, uint64_t size, enum blk_prealloc prealloc,
                       struct err *e)
{
    int r = 0;

    if (prealloc == BLK_PREALLOC_METADATA && size > old)
        return err_set(e, -ENOTSUP, "Unsupported preallocation mode: metadata");
    if (size > old)
        write_first_block(fd, old, size);
    if (size <= old || prealloc == BLK_PREALLOC_OFF)
        return 0;
    if (prealloc == BLK_PREALLOC_FALLOC)
        r = -posix_fallocate(fd, (off_t)old, (off_t)(size - old));
    else
        r = write_zeros_to(fd, old, size);
    return r < 0 ? err_set(e, r, "Could not preallocate: %s", strerror(-r)) : 0;
}

int file_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                  struct err *e)
{
    struct file *f = b->state;
    uint64_t old = b->size;
    int r;

    if (f->device && (size == old || (size < old && !(req & BLK_REQ_EXACT))))
        return 0;
    if (f->device && !(req & BLK_REQ_EXACT))
        return err_set(e, -EINVAL, "Cannot grow device files");
    if (f->device)
        return err_set(e, -ENOTSUP, "Cannot resize device files");
    forget(f);
    if (ftruncate(f->fd, (off_t)size) < 0)
        return err_set(e, -errno, "Failed to resize '%s': %s", b->filename, strerror(errno));
    if ((r = preallocate(f->fd, old, size, prealloc, e)) < 0) {
        if (ftruncate(f->fd, (off_t)old) < 0)
            return r; /* the first failure is the one to tell */
        return r;
    }
    __atomic_store_n(&b->size, size, __ATOMIC_RELAXED);
    return 0;
}

struct file_create {
    uint64_t size, extent_size_hint;
    int prealloc;
    bool nocow;
};

static const struct field file_create_fields[] = {
    FIELD(file_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD(file_create, nocow, F_BOOL, "nocow", NULL,
          "Turn off copy-on-write (valid only on btrfs)"),
    FIELD_ENUM(file_create, prealloc, blk_prealloc_names, "preallocation", NULL,
               "Preallocation mode (allowed values: off, falloc, full)"),
    FIELD(file_create, extent_size_hint, F_SIZE, "extent_size_hint", NULL,
          "Extent size hint for the image file, 0 to disable"),
    FIELD_END,
};

static int file_create(struct blk_env *env, const char *filename, void *opts,
                       struct json_object *protocol, struct err *e)
{
    const struct file_create *o = opts;
    int attr, r, fd;

    if (!strncmp(filename, "file:", 5))
        filename += 5;
    fd = open(filename, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
        return err_set(e, -errno, "Could not create '%s': %s", filename, strerror(errno));
    if (o->nocow && ioctl(fd, FS_IOC_GETFLAGS, &attr) >= 0) {
        attr |= FS_NOCOW_FL;
        ioctl(fd, FS_IOC_SETFLAGS, &attr); /* a wish */
    }
    r = file_lock(fd, BLK_PERM_WRITE | BLK_PERM_RESIZE, BLK_PERM_RESIZE, false, filename, e);
    if (r >= 0)
        r = ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)o->size) < 0
                ? err_set(e, -errno, "Could not resize file '%s': %s", filename, strerror(errno))
                : preallocate(fd, 0, o->size, (enum blk_prealloc)o->prealloc, e);
    if (r < 0 && r != -EAGAIN && ftruncate(fd, 0) < 0)
        errno = 0; /* an empty file would have been nicer: what failed first is told */
    if (close(fd) < 0 && r >= 0)
        r = err_set(e, -errno, "Could not create '%s': %s", filename, strerror(errno));
    return r;
}

static int file_parse_name(const char *name, struct json_object *opts, struct err *e)
{
    json_object_object_add(opts, "filename",
                           json_object_new_string(strncmp(name, "file:", 5) ? name : name + 5));
    return 0;
}

const struct blk_io_ops file_io = {
    .readv = file_readv,
    .writev = file_writev,
    .read_pieces = file_read_pieces,
    .zero = file_zero,
    .discard = file_punch,
    .status = file_status,
    .copy_range = file_copy_range,
    .disk_size = file_disk_size,
};

static const struct blk_create_ops file_create_ops = {
    .opts = file_create_fields,
    .opts_size = sizeof(struct file_create),
    .create = file_create,
};

static const char *const file_prefixes[] = {"file", NULL};

const struct blk_driver proto_file = {
    .name = "file",
    .help = "files of the host",
    .kind = BLK_PROTOCOL,
    .state_size = FILE_STATE_SIZE,
    .open_opts = file_fields,
    .how = (const char *const[]){"aio", "aio-max-batch", "locking", "drop-cache", NULL},
    .prefixes = file_prefixes,
    .parse_name = file_parse_name,
    .open = file_open,
    .claim = file_claim,
    .view_fd = file_view_fd,
    .close = file_close,
    .flush = file_flush,
    .truncate = file_truncate,
    .io = &file_io,
    .create = &file_create_ops,
};
