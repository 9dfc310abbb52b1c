/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * --object tls-creds-x509 (dir with ca-cert.pem, server-cert.pem, ...), tls-creds-psk (dir with
 * keys.psk), tls-creds-anon: what a TLS session is made with.  GnuTLS does the rest.
 */
#ifndef BLOCK_TLS_CREDS_H
#define BLOCK_TLS_CREDS_H
#include "base/tls.h"
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

/** tls_creds_begin - the same before its handshake, with gnutls_init's @flags; for sockets that do not block.
 *  tls_creds_verify - after the handshake: is the peer who it should be?  -EACCES. */
gnutls_session_t tls_creds_begin(const struct tls_creds *c, int fd, const char *hostname,
                                 unsigned flags, struct err *e);
int tls_creds_verify(const struct tls_creds *c, gnutls_session_t s, const char *hostname,
                     struct err *e);
/** tls_creds_identity - what the peer has proved to be: user of a key, or name in a certificate. */
bool tls_creds_identity(gnutls_session_t s, char *dn, size_t size);

/** tls_creds_provider - for others (base/tls.h); its opaque is a struct blk_env. */
extern const struct tls_provider tls_creds_provider;

/* struct tls_paths - what another TLS user (libnbd) needs to make its own session; borrowed. */
struct tls_paths {
    bool psk, anon;
    const char *dir, *username;
    bool verify_peer;
};
struct tls_paths tls_creds_paths(const struct tls_creds *c);

#endif
