/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-nbd -c, -d: /dev/nbdX as the client (Linux's nbd driver, its ioctls in linux/nbd.h). */
#include "app/nbd/nbd.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/nbd.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BLOCK = 512 };

static int open_device(const char *device, struct err *e)
{
    int fd = open(device, O_RDWR | O_CLOEXEC);

    return fd < 0 ? err_set(e, -errno, "Cannot open %s: %s", device, strerror(errno)) : fd;
}

/* Stays in the kernel, which sends requests into its end of the socket, until somebody disconnects. */
static void *do_it(void *opaque)
{
    struct nbd_kernel *k = opaque;

    ioctl(k->device, NBD_DO_IT);
    ioctl(k->device, NBD_CLEAR_QUE);
    ioctl(k->device, NBD_CLEAR_SOCK);
    close(k->kernel);
    return NULL;
}

static int set_up(struct nbd_kernel *k, const char *device, const struct nbd_export *x,
                  struct err *e)
{
    unsigned long flags = NBD_FLAG_HAS_FLAGS | NBD_FLAG_SEND_FLUSH | NBD_FLAG_SEND_FUA |
                          (x->writable ? NBD_FLAG_SEND_TRIM : NBD_FLAG_READ_ONLY);

    /* First of all: it is what fails when the device is somebody else's, who must not notice. */
    if (ioctl(k->device, NBD_SET_SOCK, k->kernel) < 0)
        return err_set(e, -errno, "Failed to set NBD socket on %s: %s", device, strerror(errno));
    if (ioctl(k->device, NBD_SET_BLKSIZE, (unsigned long)BLOCK) >= 0 &&
        ioctl(k->device, NBD_SET_SIZE_BLOCKS, (unsigned long)(x->size / BLOCK)) >= 0 &&
        ioctl(k->device, NBD_SET_FLAGS, flags) >= 0)
        return 0;
    err_set(e, -errno, "Failed to set size and flags of %s: %s", device, strerror(errno));
    ioctl(k->device, NBD_CLEAR_SOCK);
    return e->code;
}

int nbd_kernel_open(struct nbd_kernel *k, const char *device, const struct nbd_export *x,
                    struct err *e)
{
    int pair[2], r;

    if ((k->device = open_device(device, e)) < 0)
        return k->device;
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
        r = err_set(e, -errno, "socketpair: %s", strerror(errno));
        close(k->device);
        return r;
    }
    k->kernel = pair[0];
    k->socket = pair[1];
    if ((r = set_up(k, device, x, e)) < 0 || pthread_create(&k->thread, NULL, do_it, k)) {
        close(pair[0]);
        close(pair[1]);
        close(k->device);
        return r < 0 ? r : err_set(e, -EAGAIN, "no thread for the kernel's client");
    }
    return 0;
}

void nbd_kernel_look(const char *device)
{
    enum { TRIES = 200, PAUSE_US = 10000 };
    uint64_t size = 0, seen;

    /* The thread in NBD_DO_IT sets the size on its way, and only who opens the device after that makes the kernel look. */
    for (unsigned i = 0; i < TRIES; i++) {
        int fd = open(device, O_RDONLY | O_CLOEXEC);

        seen = size;
        if (fd < 0 || ioctl(fd, BLKGETSIZE64, &size) < 0)
            size = 0;
        if (fd >= 0)
            close(fd);
        if (seen)
            return;
        if (!size)
            usleep(PAUSE_US);
    }
}

void nbd_kernel_close(struct nbd_kernel *k)
{
    close(k->socket); /* the kernel sees the end, and gives the thread back */
    pthread_join(k->thread, NULL);
    close(k->device);
}

int nbd_kernel_disconnect(const char *device, struct err *e)
{
    int fd = open_device(device, e);

    if (fd < 0)
        return fd;
    ioctl(fd, NBD_CLEAR_QUE);
    ioctl(fd, NBD_DISCONNECT);
    ioctl(fd, NBD_CLEAR_SOCK);
    close(fd);
    return 0;
}
