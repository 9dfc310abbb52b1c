/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NBD client: one connection, requests from any number of threads at once.  libnbd speaks the protocol
 * (negotiation, structured replies, TLS); here it gets its threads.
 */
#ifndef BLOCK_NBD_CLIENT_H
#define BLOCK_NBD_CLIENT_H

#include "base/err.h"
#include "block/lazy_nbd.h"

#include <stdbool.h>
#include <stdint.h>

struct tls_creds;
struct nbd_link;

/* struct nbd_target - whom to connect to; all borrowed. */
struct nbd_target {
    const char *path;        /* Unix socket, or NULL: */
    const char *host, *port; /* TCP */
    const char *export;      /* "" is the default export */
    const char *context;     /* metadata context for block status */
    struct tls_creds *tls;   /* or NULL; the certificate must name @host */
};

/** nbd_client_tls - give a new libnbd handle the keys of @creds, which may be NULL. */
int nbd_client_tls(struct nbd_handle *h, struct tls_creds *creds, struct err *e);

/** nbd_link_open - connect, negotiate, choose the export; NULL with @e. */
struct nbd_link *nbd_link_open(const struct nbd_target *t, struct err *e);
/** nbd_link_close - nobody may be waiting in it. */
void nbd_link_close(struct nbd_link *l);
/** nbd_link_handle - to ask what was negotiated. */
struct nbd_handle *nbd_link_handle(struct nbd_link *l);

/* struct nbd_op - one request. */
struct nbd_op {
    enum { NBD_OP_READ, NBD_OP_WRITE, NBD_OP_ZERO, NBD_OP_TRIM, NBD_OP_FLUSH, NBD_OP_STATUS } kind;
    uint32_t flags; /* LIBNBD_CMD_FLAG_* */
    uint64_t off, len;
    void *buf;
    /* STATUS: the first extent's length (0: nothing was said) and flags. */
    uint64_t extent_len;
    uint32_t extent_flags;
    /* Private. */
    struct nbd_link *link;
    bool done;
    int error; /* errno of the reply */
    struct nbd_op *next;
};

/**
 * nbd_link_run - all of @ops at once; returns when the last is answered: 0 or the first failure.
 * -ESHUTDOWN: the connection is gone, and some may not have been executed.
 */
int nbd_link_run(struct nbd_link *l, struct nbd_op *ops, int n, struct err *e);

#endif
