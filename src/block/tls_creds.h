/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --object tls-creds-x509 (dir with ca-cert.pem, server-cert.pem, ...), tls-creds-psk (dir with
 * keys.psk), tls-creds-anon: what a TLS session is made with.  GnuTLS does the rest.
 */
#ifndef BLOCK_TLS_CREDS_H
#define BLOCK_TLS_CREDS_H
#include "block/env.h"
#include "block/lazy_gnutls.h"

struct tls_creds;

/** tls_creds_find - the object @id of one of the three types for this @server or client; NULL with @e. */
struct tls_creds *tls_creds_find(struct blk_env *env, const char *id, bool server, struct err *e);

/**
 * tls_creds_session - a session on @fd, the handshake done and the peer verified.
 * @hostname: clients: whom the certificate must name, or NULL
 * Returns NULL with @e (-EACCES when the peer is not who it should be).
 */
gnutls_session_t tls_creds_session(const struct tls_creds *c, int fd, const char *hostname,
                                   struct err *e);

/* struct tls_paths - what another TLS user (libnbd) needs to make its own session; borrowed. */
struct tls_paths {
    bool psk, anon;
    const char *dir, *username;
    bool verify_peer;
};
struct tls_paths tls_creds_paths(const struct tls_creds *c);

#endif
