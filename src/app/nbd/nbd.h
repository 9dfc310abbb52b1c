/* SPDX-License-Identifier: GPL-2.0-or-later */
/* qemu-nbd's parts: options, sockets, listing other servers, the kernel's client. */
#ifndef APP_NBD_NBD_H
#define APP_NBD_NBD_H

#include "app/storage.h"
#include "block/nbd_server.h"

#include <pthread.h>

/* struct nbd_cli - the command line. */
struct nbd_cli {
    struct blk_env *env;
    const char *file, *format, *socket, *bind, *port, *name, *description, *device, *disconnect;
    const char *snapshot, *tls_creds, *tls_authz, *pid_file;
    const char **bitmaps; /* NULL-terminated */
    unsigned bitmaps_n;
    uint64_t offset;
    unsigned flags;  /* enum blk_flags */
    unsigned shared; /* clients at once; 0: any number */
    bool list, persistent, verbose, fork, overlay, image_opts, depth, done;
};

/** nbd_parse - 0; -1 when the usage was wrong (said); @cli->done: all is said, end well. */
int nbd_parse(struct nbd_cli *cli, int argc, char **argv);

/** nbd_listen - listening sockets (inherited ones first) into @fds, their number, or -errno. */
enum { NBD_LISTEN_MAX = 8 };
int nbd_listen(const struct nbd_cli *cli, int fds[NBD_LISTEN_MAX], struct err *e);

/** nbd_list - what another server offers. */
int nbd_list(const struct nbd_cli *cli, struct err *e);

/* struct nbd_kernel - /dev/nbdX as the client: the kernel has one end of a socket, we the other. */
struct nbd_kernel {
    int device, kernel, socket;
    pthread_t thread; /* lends itself to the kernel */
};
int nbd_kernel_open(struct nbd_kernel *k, const char *device, const struct nbd_export *x,
                    struct err *e);
/** nbd_kernel_look - open @device once: the kernel then reads its partition table, so somebody must be serving. */
void nbd_kernel_look(const char *device);
void nbd_kernel_close(struct nbd_kernel *k);
int nbd_kernel_disconnect(const char *device, struct err *e);

#endif
