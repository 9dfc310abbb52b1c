/* SPDX-License-Identifier: GPL-2.0-or-later */
/* driver=host_device: block and character devices of the host.  They have a size, and keep it. */
#include "block/proto_file_priv.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { SECTOR = 512 };

struct device_create {
    uint64_t size;
    char *prealloc;
};

static const struct field device_create_fields[] = {
    FIELD(device_create, size, F_SIZE, "size", NULL, "Virtual disk size"),
    FIELD(device_create, prealloc, F_STR, "preallocation", NULL,
          "Preallocation mode (allowed values: off)"),
    FIELD_END,
};

static const char prefix[] = "host_device:";

static const char *path_of(const char *name)
{
    return strncmp(name, prefix, sizeof(prefix) - 1) ? name : name + sizeof(prefix) - 1;
}

/* The first sector becomes zeros: what the device held before is no image any more. */
static int erase_head(int fd, const char *path, uint64_t size, struct err *e)
{
    static const char zeros[SECTOR];
    size_t n = min_u64(size, SECTOR);

    if (pwrite(fd, zeros, n, 0) == (ssize_t)n)
        return 0;
    return err_set(e, -errno, "writing '%s': %s", path, strerror(errno));
}

static int device_create(struct blk_env *env, const char *filename, void *opts,
                         struct json_object *protocol, struct err *e)
{
    const struct device_create *o = opts;
    const char *path = path_of(filename);
    uint64_t size = 0;
    int r, fd;

    if (o->prealloc && strcmp(o->prealloc, "off"))
        return err_set(e, -ENOTSUP, "Unsupported preallocation mode '%s'", o->prealloc);
    if ((fd = open(path, O_RDWR | O_CLOEXEC)) < 0)
        return err_set(e, -errno, "Could not create '%s': %s", path, strerror(errno));
    if (ioctl(fd, BLKGETSIZE64, &size) < 0)
        size = 0;
    r = o->size > size ? err_set(e, -EINVAL, "Cannot grow device files")
                       : erase_head(fd, path, size, e);
    if (close(fd) < 0 && r >= 0)
        r = err_set(e, -errno, "closing '%s': %s", path, strerror(errno));
    return r;
}

static int device_parse_name(const char *name, struct json_object *opts, struct err *e)
{
    json_object_object_add(opts, "filename", json_object_new_string(path_of(name)));
    return 0;
}

static const struct blk_create_ops device_create_ops = {
    .opts = device_create_fields,
    .opts_size = sizeof(struct device_create),
    .create = device_create,
};

static const char *const device_prefixes[] = {"host_device", NULL};

const struct blk_driver proto_host_device = {
    .name = "host_device",
    .help = "block devices of the host",
    .kind = BLK_PROTOCOL,
    .state_size = FILE_STATE_SIZE,
    .open_opts = file_fields,
    .how = (const char *const[]){"aio", "aio-max-batch", "locking", "drop-cache", NULL},
    .prefixes = device_prefixes,
    .parse_name = device_parse_name,
    .open = file_open,
    .claim = file_claim,
    .close = file_close,
    .flush = file_flush,
    .truncate = file_truncate,
    .io = &file_io,
    .create = &device_create_ops,
};
