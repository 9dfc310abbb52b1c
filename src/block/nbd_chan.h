/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A byte stream to an NBD peer: a socket, or TLS on it. */
#ifndef BLOCK_NBD_CHAN_H
#define BLOCK_NBD_CHAN_H

#include "base/err.h"

#include <stddef.h>
#include <sys/uio.h>

struct tls_creds;

/* struct nbd_chan - receiving is buffered, so that many small requests cost one system call. */
struct nbd_chan {
    int fd;             /* the caller's, who closes it */
    void *tls;          /* gnutls_session_t, or NULL */
    unsigned char *buf; /* [at, end) is received and not yet taken */
    size_t at, end;
};

void nbd_chan_init(struct nbd_chan *c, int fd);
/** nbd_chan_start_tls - all that follows is encrypted; nothing may be buffered (-EPROTO). */
int nbd_chan_start_tls(struct nbd_chan *c, const struct tls_creds *creds, const char *hostname,
                       struct err *e);
/** nbd_chan_end - says goodbye under TLS; the socket stays open. */
void nbd_chan_end(struct nbd_chan *c);

/** nbd_chan_read - exactly @len bytes; -ECONNRESET when the peer went away. */
int nbd_chan_read(struct nbd_chan *c, void *buf, size_t len);
int nbd_chan_skip(struct nbd_chan *c, size_t len);
/** nbd_chan_buffered - bytes that nbd_chan_read gives without waiting. */
size_t nbd_chan_buffered(const struct nbd_chan *c);
/** nbd_chan_writev - all of @iov, which is used up. */
int nbd_chan_writev(struct nbd_chan *c, struct iovec *iov, int n);

#endif
