/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A byte stream to an NBD peer: buffered receiving, gathered sending, TLS. */
#include "block/nbd_chan.h"

#include "block/tls_creds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER = 64 << 10 };

void nbd_chan_init(struct nbd_chan *c, int fd)
{
    *c = (struct nbd_chan){.fd = fd, .buf = malloc(BUFFER)};
    if (!c->buf)
        fatal("out of memory");
}

int nbd_chan_start_tls(struct nbd_chan *c, const struct tls_creds *creds, const char *hostname,
                       struct err *e)
{
    if (nbd_chan_buffered(c)) /* plain text injected before the handshake */
        return err_set(e, -EPROTO, "NBD: data between the request for TLS and its handshake");
    c->tls = tls_creds_session(creds, c->fd, hostname, e);
    return c->tls ? 0 : e->code;
}

void nbd_chan_end(struct nbd_chan *c)
{
    if (c->tls) {
        gnutls_bye(c->tls, GNUTLS_SHUT_WR);
        gnutls_deinit(c->tls);
    }
    free(c->buf);
    c->buf = NULL;
}

/* Some bytes, at least one. */
static ssize_t receive(struct nbd_chan *c, void *buf, size_t len)
{
    ssize_t r;

    if (c->tls) {
        do
            r = gnutls_record_recv(c->tls, buf, len);
        while (r == GNUTLS_E_INTERRUPTED || r == GNUTLS_E_AGAIN ||
               (r < 0 && !gnutls_error_is_fatal((int)r)));
        return r > 0 ? r : -ECONNRESET;
    }
    do
        r = recv(c->fd, buf, len, 0);
    while (r < 0 && errno == EINTR);
    return r > 0 ? r : r < 0 ? -errno : -ECONNRESET;
}

size_t nbd_chan_buffered(const struct nbd_chan *c)
{
    return c->end - c->at;
}

int nbd_chan_read(struct nbd_chan *c, void *buf, size_t len)
{
    unsigned char *to = buf;
    ssize_t r;

    while (len) {
        size_t have = c->end - c->at, n = have < len ? have : len;

        memcpy(to, c->buf + c->at, n);
        c->at += n;
        to += n;
        if (!(len -= n))
            break;
        if (len >= BUFFER) { /* a large payload goes where it belongs */
            if ((r = receive(c, to, len)) < 0)
                return (int)r;
            to += r;
            len -= (size_t)r;
            continue;
        }
        if ((r = receive(c, c->buf, BUFFER)) < 0)
            return (int)r;
        c->at = 0;
        c->end = (size_t)r;
    }
    return 0;
}

int nbd_chan_skip(struct nbd_chan *c, size_t len)
{
    char scrap[4096];
    int r = 0;

    while (len && r >= 0) {
        size_t n = len < sizeof(scrap) ? len : sizeof(scrap);

        r = nbd_chan_read(c, scrap, n);
        len -= n;
    }
    return r;
}

static int tls_writev(struct nbd_chan *c, const struct iovec *iov, int n)
{
    gnutls_record_cork(c->tls);
    for (int i = 0; i < n; i++) {
        const char *at = iov[i].iov_base;

        for (size_t len = iov[i].iov_len; len;) {
            ssize_t r = gnutls_record_send(c->tls, at, len);

            if (r < 0 && gnutls_error_is_fatal((int)r))
                return -ECONNRESET;
            if (r > 0) {
                at += r;
                len -= (size_t)r;
            }
        }
    }
    return gnutls_record_uncork(c->tls, GNUTLS_RECORD_WAIT) < 0 ? -ECONNRESET : 0;
}

int nbd_chan_writev(struct nbd_chan *c, struct iovec *iov, int n)
{
    if (c->tls)
        return tls_writev(c, iov, n);
    while (n) {
        struct msghdr m = {.msg_iov = iov, .msg_iovlen = (size_t)(n < 1024 ? n : 1024)};
        ssize_t r = sendmsg(c->fd, &m, MSG_NOSIGNAL);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0)
            return -errno;
        while (n && (size_t)r >= iov->iov_len) {
            r -= (ssize_t)iov->iov_len;
            iov++;
            n--;
        }
        if (n) {
            iov->iov_base = (char *)iov->iov_base + r;
            iov->iov_len -= (size_t)r;
        }
    }
    return 0;
}
