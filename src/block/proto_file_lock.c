/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of image files against a second writer, such that the reference sees ours and we see its:
 * open-file-description locks (fcntl(2), F_OFD_SETLK) on single bytes, as seen with strace(1).
 *
 * Byte 100 + p is read-locked by who does p (enum blk_perm's bit p), byte 200 + p by who does not
 * want others to do p.  Nobody write-locks: everybody takes his locks first, then asks whether somebody
 * holds the opposite byte, so of two who come at once at least one sees the other.
 */
#include "block/proto_file_priv.h"

#include <fcntl.h>

enum { HELD = 100, UNSHARED = 200, PERMS = 4 };

static const char *const names[PERMS] = {"consistent read", "write", "write unchanged", "resize"};

static int set(int fd, short type, int byte)
{
    struct flock l = {.l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_SETLK, &l) < 0 ? -errno : 0;
}

/* Does somebody else hold @byte? */
static bool taken(int fd, int byte)
{
    struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};

    return fcntl(fd, F_OFD_GETLK, &l) >= 0 && l.l_type != F_UNLCK;
}

static int refuse(const char *shared, int perm, const char *filename, struct err *e)
{
    return err_set(e, -EAGAIN,
                   "Failed to get %s\"%s\" lock\nIs another process using the image [%s]?", shared,
                   names[perm], filename);
}

static void drop(int fd, unsigned bits, int base)
{
    for (int p = 0; p < PERMS; p++)
        if (bits >> p & 1)
            set(fd, F_UNLCK, base + p);
}

static int take(int fd, unsigned bits, int base)
{
    for (int p = 0, r; p < PERMS; p++)
        if (bits >> p & 1 && (r = set(fd, F_RDLCK, base + p)) < 0)
            return r;
    return 0;
}

static int conflict(int fd, unsigned held, unsigned unshared, const char *filename, struct err *e)
{
    for (int p = 0; p < PERMS; p++)
        if (held >> p & 1 && taken(fd, UNSHARED + p))
            return refuse("", p, filename, e);
    for (int p = 0; p < PERMS; p++)
        if (unshared >> p & 1 && taken(fd, HELD + p))
            return refuse("shared ", p, filename, e);
    return 0;
}

int file_lock(int fd, unsigned held, unsigned unshared, bool must, const char *filename,
              struct err *e)
{
    int r = take(fd, held, HELD);

    if (r >= 0)
        r = take(fd, unshared, UNSHARED);
    if (r >= 0)
        r = conflict(fd, held, unshared, filename, e);
    else if (must)
        err_set(e, r, "'%s' cannot be locked: %s", filename, strerror(-r));
    if (r >= 0)
        return 0;
    drop(fd, held, HELD);
    drop(fd, unshared, UNSHARED);
    return must || e->code ? r : 0; /* file systems without such locks, old kernels */
}

void file_unlock(int fd)
{
    drop(fd, (1u << PERMS) - 1, HELD);
    drop(fd, (1u << PERMS) - 1, UNSHARED);
}
