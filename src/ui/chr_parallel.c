/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A parallel port of the host, as ppdev (Linux, Documentation/misc-devices) gives it: bytes go to the printer. */
#include "ui/chr_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/parport.h>
#include <linux/ppdev.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct parallel {
    struct chr chr;
    char *path;
    int fd;
    bool opened, claimed;
};

static const struct field parallel_opts[] = {
    FIELD(parallel, path, F_STR, "path", NULL, "device, /dev/parport0"),
    FIELD_END,
};

static struct parallel *parallel_of(struct chr *c)
{
    return (struct parallel *)c;
}

static int parallel_open(struct chr *c, struct err *e)
{
    struct parallel *p = parallel_of(c);
    int mode = IEEE1284_MODE_COMPAT;

    if (!p->path)
        return err_set(e, -EINVAL, "chardev: parallel: no device path given");
    if ((p->fd = open(p->path, O_RDWR | O_NONBLOCK | O_CLOEXEC)) < 0)
        return err_set(e, -errno, "Could not open '%s': %s", p->path, strerror(errno));
    p->opened = true;
    if (ioctl(p->fd, PPCLAIM) < 0)
        return err_set(e, -errno, "not a parallel port: %s", strerror(errno));
    p->claimed = true;
    if (ioctl(p->fd, PPNEGOT, &mode) < 0)
        return err_set(e, -errno, "'%s' does not do compatibility mode: %s", p->path,
                       strerror(errno));
    return 0;
}

static void parallel_close(struct chr *c)
{
    struct parallel *p = parallel_of(c);

    if (p->claimed)
        ioctl(p->fd, PPRELEASE);
    if (p->opened)
        close(p->fd);
}

static size_t parallel_write(struct chr *c, const uint8_t *buf, size_t len)
{
    ssize_t r = write(parallel_of(c)->fd, buf, len);

    return r < 0 ? len : (size_t)r;
}

const struct chr_type chr_parallel = {
    .name = "parallel",
    .help = "a parallel port of the host",
    .size = sizeof(struct parallel),
    .opts = parallel_opts,
    .open = parallel_open,
    .close = parallel_close,
    .write = parallel_write,
};
