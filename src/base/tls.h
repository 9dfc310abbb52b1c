/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * TLS on a socket that does not block, for who has no TLS of its own: character back ends ask for it, the
 * objects of block/tls_creds.h give it, and the program hands it from one to the other.
 */
#ifndef BASE_TLS_H
#define BASE_TLS_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/** struct tls_provider - constant; @opaque is what comes with it. */
struct tls_provider {
    /** check - are there credentials @id for this side?  -ENOENT, -EINVAL. */
    int (*check)(void *opaque, const char *id, bool server, struct err *e);
    /** anonymous - do these credentials prove nothing (no certificates, no keys)? */
    bool (*anonymous)(void *opaque, const char *id);
    /** identity - after the handshake: what the peer has proved to be, "CN=somebody"; false: nothing. */
    bool (*identity)(void *session, char *name, size_t len);
    /** start - a session on @fd, which stays the caller's; @hostname: whom the certificate must name, or NULL;
     * @authz: the object that says who may, or NULL. */
    void *(*start)(void *opaque, const char *id, bool server, int fd, const char *hostname,
                   const char *authz, struct err *e);
    /** handshake - 0 when done and the peer is who it should be; -EAGAIN: again when ready. */
    int (*handshake)(void *session, struct err *e);
    bool (*wants_write)(void *session); /* what -EAGAIN waits for */
    /** read, write - bytes, 0 at the end, -EAGAIN or another -errno.  pending: bytes that no poll tells of. */
    ssize_t (*read)(void *session, void *buf, size_t len);
    ssize_t (*write)(void *session, const void *buf, size_t len);
    size_t (*pending)(void *session);
    void (*end)(void *session);
};

#endif
