/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Preloaded into qemu-io by crash.py: the host's CUT_AT-th change of a file ends the program, half done
 * (whole sectors only), or fails with CUT_ERROR, as do all after it.  Flushes take no time.  What the program has said by
 * then is not lost.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

static long count;

/* 0: go on; else errno.  Does not return when the program is to end here and there is nothing to write. */
static int cut(int fd, const struct iovec *iov, int n, off_t off)
{
    static ssize_t (*write_at)(int, const void *, size_t, off_t);
    const char *at = getenv("CUT_AT"), *error = getenv("CUT_ERROR");
    off_t left = 0;

    if (!at || __atomic_add_fetch(&count, 1, __ATOMIC_SEQ_CST) < atol(at))
        return 0;
    if (error)
        return atoi(error);
    if (!write_at)
        *(void **)&write_at = dlsym(RTLD_NEXT, "pwrite");
    for (int i = 0; i < n; i++)
        left += (off_t)iov[i].iov_len;
    left = (off + left / 2) / 512 * 512 - off;
    for (int i = 0; i < n && left > 0; i++) {
        size_t k = (off_t)iov[i].iov_len < left ? iov[i].iov_len : (size_t)left;

        if (write_at(fd, iov[i].iov_base, k, off) < 0)
            break;
        off += (off_t)k;
        left -= (off_t)k;
    }
    fflush_unlocked(stdout);
    _exit(99);
}

#define NEXT(type, name, ...)                                                                      \
    static type (*next)(__VA_ARGS__);                                                              \
    int why;                                                                                       \
    if (!next)                                                                                     \
        *(void **)&next = dlsym(RTLD_NEXT, name)

#define END(...)                                                                                   \
    if (why) {                                                                                     \
        errno = why;                                                                               \
        return -1;                                                                                 \
    }                                                                                              \
    return next(__VA_ARGS__)

ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
    NEXT(ssize_t, "pwrite", int, const void *, size_t, off_t);
    why = cut(fd, &(struct iovec){(void *)buf, len}, 1, off);
    END(fd, buf, len, off);
}

ssize_t pwritev(int fd, const struct iovec *iov, int n, off_t off)
{
    NEXT(ssize_t, "pwritev", int, const struct iovec *, int, off_t);
    why = cut(fd, iov, n, off);
    END(fd, iov, n, off);
}

int ftruncate(int fd, off_t len)
{
    NEXT(int, "ftruncate", int, off_t);
    why = cut(fd, NULL, 0, 0);
    END(fd, len);
}

int fallocate(int fd, int mode, off_t off, off_t len)
{
    NEXT(int, "fallocate", int, int, off_t, off_t);
    why = cut(fd, NULL, 0, 0);
    END(fd, mode, off, len);
}

/* The same for programs with 64-bit offsets by another name. */
ssize_t pwrite64(int fd, const void *buf, size_t len, off_t off) __attribute__((alias("pwrite")));
ssize_t pwritev64(int fd, const struct iovec *iov, int n, off_t off)
    __attribute__((alias("pwritev")));
int ftruncate64(int fd, off_t len) __attribute__((alias("ftruncate")));
int fallocate64(int fd, int mode, off_t off, off_t len) __attribute__((alias("fallocate")));

int fdatasync(int fd)
{
    return 0;
}

int fsync(int fd)
{
    return 0;
}
