/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NBD server: exports of nodes, served to any number of connections.
 *
 * One thread per connection runs nbd_serve.  It executes a request itself while requests are quick (data
 * at hand), and hands them to workers when they are not, so that small reads from memory cost no
 * switch of threads and slow disks still see a queue.
 */
#ifndef BLOCK_NBD_SERVER_H
#define BLOCK_NBD_SERVER_H

#include "block/block.h"
#include "block/env.h"

/* struct nbd_export - one name.  All owned by who set the server up; constant while it serves. */
struct nbd_export {
    const char *name;        /* "" is the default export */
    const char *description; /* or NULL */
    struct blk *b;
    uint64_t off, size; /* the part of the disk that is shown */
    bool writable, multi_conn, allocation_depth;
    const char *const *bitmaps; /* names for qemu:dirty-bitmap:NAME, NULL-terminated, or NULL */
};

struct nbd_server {
    const struct nbd_export *exports;
    unsigned exports_n;
    const struct tls_creds *tls; /* NULL: none; else every client must use it */
    const struct authz *authz;   /* which of them may go on, or NULL: all */
};

/**
 * nbd_serve - talk to one client on @fd, which stays open.
 * @connected: set when a client has chosen an export, or NULL
 * Returns 0 when the client left as it should, -errno with @e otherwise.
 */
int nbd_serve(const struct nbd_server *s, int fd, bool *connected, struct err *e);

/** nbd_serve_kernel - the first export to the kernel's client on @fd: it does not negotiate. */
int nbd_serve_kernel(const struct nbd_server *s, int fd, struct err *e);

#endif
