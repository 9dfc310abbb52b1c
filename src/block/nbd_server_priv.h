/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One connection of the NBD server. */
#ifndef BLOCK_NBD_SERVER_PRIV_H
#define BLOCK_NBD_SERVER_PRIV_H

#include "block/nbd.h"
#include "block/nbd_chan.h"
#include "block/nbd_server.h"

#include <pthread.h>

/* A metadata context that the client chose; its id on the wire is its place in the list. */
struct nbd_context {
    enum { CONTEXT_ALLOCATION, CONTEXT_DEPTH, CONTEXT_BITMAP } kind;
    const char *bitmap;
};
enum { CONTEXTS_MAX = 64 };

struct nbd_client {
    const struct nbd_server *server;
    const struct nbd_export *export; /* chosen by GO or EXPORT_NAME */
    struct nbd_chan chan;
    bool structured, no_zeroes;
    const struct nbd_export *contexts_export; /* whom SET_META_CONTEXT was about */
    struct nbd_context contexts[CONTEXTS_MAX];
    unsigned contexts_n;
};

/** nbd_handshake - 0: an export was chosen; 1: the client only looked and left; -errno. */
int nbd_handshake(struct nbd_client *c, struct err *e);
uint16_t nbd_export_flags(const struct nbd_client *c, const struct nbd_export *x);

/** nbd_transmit - requests until the client leaves. */
int nbd_transmit(struct nbd_client *c, struct err *e);

#endif
