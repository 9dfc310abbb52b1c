/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS credentials as objects: certificates, pre-shared keys, or none at all. */
#include "block/driver.h"
#include "block/env_priv.h"
#include "block/tls_creds.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum tls_kind { TLS_X509, TLS_PSK, TLS_ANON };
static const char *const endpoints[] = {"client", "server", NULL};
static const char *const type_names[] = {"tls-creds-x509", "tls-creds-psk", "tls-creds-anon", NULL};

struct tls_creds {
    char *dir, *priority, *username, *passwordid;
    int endpoint;
    bool verify_peer, sanity_check;
    enum tls_kind kind;
    gnutls_certificate_credentials_t x509;
    gnutls_psk_server_credentials_t psk_server;
    gnutls_psk_client_credentials_t psk_client;
    gnutls_anon_server_credentials_t anon_server;
    gnutls_anon_client_credentials_t anon_client;
};

static const struct field tls_fields[] = {
    FIELD(tls_creds, dir, F_STR, "dir", NULL, "folder with the keys"),
    FIELD_ENUM(tls_creds, endpoint, endpoints, "endpoint", "client", "which side this is"),
    FIELD(tls_creds, verify_peer, F_BOOL, "verify-peer", "on",
          "servers: clients need certificates"),
    FIELD(tls_creds, priority, F_STR, "priority", NULL, "GnuTLS priority string"),
    FIELD(tls_creds, sanity_check, F_BOOL, "sanity-check", "on", "accepted; always checked"),
    FIELD(tls_creds, username, F_STR, "username", NULL, "tls-creds-psk: which key of the file"),
    FIELD(tls_creds, passwordid, F_STR, "passwordid", NULL, "secret that decrypts the private key"),
    FIELD_END,
};

static bool is_server(const struct tls_creds *c)
{
    return c->endpoint == 1;
}

static int tls_fail(struct err *e, int r, const char *what, const char *name)
{
    return err_set(e, -EINVAL, "%s%s%s: %s", what, name ? " " : "", name ? name : "",
                   gnutls_strerror(r));
}

static char *path_in(const struct tls_creds *c, const char *name)
{
    char *path;

    if (asprintf(&path, "%s/%s", c->dir, name) < 0)
        fatal("out of memory");
    return path;
}

static int load_key(struct blk_env *env, struct tls_creds *c, const char *cert, const char *key,
                    struct err *e)
{
    unsigned char *password = NULL;
    size_t len;
    int r;

    if (c->passwordid && (r = blk_env_secret(env, c->passwordid, &password, &len, e)) < 0)
        return r;
    r = gnutls_certificate_set_x509_key_file2(c->x509, cert, key, GNUTLS_X509_FMT_PEM,
                                              (char *)password, 0);
    if (password)
        explicit_bzero(password, len);
    free(password);
    return r < 0 ? tls_fail(e, r, "Cannot load certificate and key", cert) : 0;
}

static int load_x509(struct blk_env *env, struct tls_creds *c, struct err *e)
{
    char *ca = path_in(c, "ca-cert.pem"), *crl = path_in(c, "ca-crl.pem");
    char *cert = path_in(c, is_server(c) ? "server-cert.pem" : "client-cert.pem");
    char *key = path_in(c, is_server(c) ? "server-key.pem" : "client-key.pem");
    int r = gnutls_certificate_allocate_credentials(&c->x509);

    if (r < 0) {
        tls_fail(e, r, "Cannot allocate credentials", NULL);
        goto out;
    }
    if (access(ca, R_OK) < 0) {
        r = err_set(e, -errno, "Unable to access credentials %s: %s", ca, strerror(errno));
        goto out;
    }
    if ((r = gnutls_certificate_set_x509_trust_file(c->x509, ca, GNUTLS_X509_FMT_PEM)) < 0) {
        r = tls_fail(e, r, "Cannot load CA certificate", ca);
        goto out;
    }
    r = 0;
    if (is_server(c) || access(cert, R_OK) >= 0)
        r = load_key(env, c, cert, key, e);
    if (r >= 0 && access(crl, R_OK) >= 0 &&
        (r = gnutls_certificate_set_x509_crl_file(c->x509, crl, GNUTLS_X509_FMT_PEM)) < 0)
        r = tls_fail(e, r, "Cannot load CRL", crl);
out:
    free(ca);
    free(crl);
    free(cert);
    free(key);
    return r < 0 ? r : 0;
}

/* The line "USER:HEXKEY" of keys.psk. */
static int client_key(struct tls_creds *c, const char *path, struct err *e)
{
    const char *user = c->username ? c->username : "qemu";
    FILE *f = fopen(path, "re");
    char line[1024];
    int r = -ENOENT;

    if (!f)
        return err_set(e, -errno, "Cannot open PSK file %s: %s", path, strerror(errno));
    while (r == -ENOENT && fgets(line, sizeof(line), f)) {
        char *colon = strchr(line, ':');

        if (!colon || (size_t)(colon - line) != strlen(user) || strncmp(line, user, strlen(user)))
            continue;
        colon[1 + strcspn(colon + 1, "\r\n")] = 0;
        gnutls_datum_t key = {(unsigned char *)colon + 1, (unsigned)strlen(colon + 1)};

        r = gnutls_psk_set_client_credentials(c->psk_client, user, &key, GNUTLS_PSK_KEY_HEX);
        if (r < 0)
            r = tls_fail(e, r, "Cannot set PSK", NULL);
    }
    explicit_bzero(line, sizeof(line));
    fclose(f);
    return r == -ENOENT ? err_set(e, r, "Username '%s' not found in %s", user, path) : r;
}

static int load_psk(struct tls_creds *c, struct err *e)
{
    char *path = path_in(c, "keys.psk");
    int r;

    if (is_server(c)) {
        r = gnutls_psk_allocate_server_credentials(&c->psk_server);
        if (r >= 0 && access(path, R_OK) < 0)
            r = err_set(e, -errno, "Unable to access credentials %s: %s", path, strerror(errno));
        else if (r >= 0 && (r = gnutls_psk_set_server_credentials_file(c->psk_server, path)) < 0)
            r = tls_fail(e, r, "Cannot load PSK file", path);
    } else {
        r = gnutls_psk_allocate_client_credentials(&c->psk_client);
        if (r >= 0)
            r = client_key(c, path, e);
    }
    free(path);
    return r;
}

static int load_anon(struct tls_creds *c, struct err *e)
{
    int r;

    if (!is_server(c)) {
        r = gnutls_anon_allocate_client_credentials(&c->anon_client);
    } else if ((r = gnutls_anon_allocate_server_credentials(&c->anon_server)) >= 0) {
        gnutls_anon_set_server_known_dh_params(c->anon_server, GNUTLS_SEC_PARAM_MEDIUM);
    }
    return r < 0 ? tls_fail(e, r, "Cannot allocate credentials", NULL) : 0;
}

static void tls_free(void *made)
{
    struct tls_creds *c = made;

    if (c->x509)
        gnutls_certificate_free_credentials(c->x509);
    if (c->psk_server)
        gnutls_psk_free_server_credentials(c->psk_server);
    if (c->psk_client)
        gnutls_psk_free_client_credentials(c->psk_client);
    if (c->anon_server)
        gnutls_anon_free_server_credentials(c->anon_server);
    if (c->anon_client)
        gnutls_anon_free_client_credentials(c->anon_client);
    fields_free(tls_fields, c);
    free(c);
}

static void *tls_make(struct blk_env *env, struct json_object *opts, enum tls_kind kind,
                      struct err *e)
{
    if (lazy_gnutls_load(e) < 0)
        return NULL;
    struct tls_creds *c = calloc(1, sizeof(*c));
    int r;

    if (!c)
        fatal("out of memory");
    if (fields_take(tls_fields, opts, c, e) < 0) {
        free(c);
        return NULL;
    }
    c->kind = kind;
    if (kind != TLS_ANON && !c->dir)
        r = err_set(e, -EINVAL, "Missing property 'dir'");
    else
        r = kind == TLS_X509  ? load_x509(env, c, e)
            : kind == TLS_PSK ? load_psk(c, e)
                              : load_anon(c, e);
    if (r >= 0)
        return c;
    tls_free(c);
    return NULL;
}

static void *make_x509(struct blk_env *env, struct json_object *opts, struct err *e)
{
    return tls_make(env, opts, TLS_X509, e);
}

static void *make_psk(struct blk_env *env, struct json_object *opts, struct err *e)
{
    return tls_make(env, opts, TLS_PSK, e);
}

static void *make_anon(struct blk_env *env, struct json_object *opts, struct err *e)
{
    return tls_make(env, opts, TLS_ANON, e);
}

struct tls_creds *tls_creds_find(struct blk_env *env, const char *id, bool server, struct err *e)
{
    struct tls_creds *c = NULL;

    for (const char *const *type = type_names; *type && !c; type++)
        c = blk_env_object(env, id, *type, ERR_IGNORE);
    if (!c) {
        err_set(e, -ENOENT, "No TLS credentials with id '%s'", id);
        return NULL;
    }
    if (is_server(c) != server) {
        err_set(e, -EINVAL, "Expecting TLS credentials with a %s endpoint",
                server ? "server" : "client");
        return NULL;
    }
    return c;
}

struct tls_paths tls_creds_paths(const struct tls_creds *c)
{
    return (struct tls_paths){.psk = c->kind == TLS_PSK,
                              .anon = c->kind == TLS_ANON,
                              .dir = c->dir,
                              .username = c->username,
                              .verify_peer = c->verify_peer};
}

/* Sessions ----------------------------------------------------------------------------------------- */

static int session_setup(const struct tls_creds *c, gnutls_session_t s, struct err *e)
{
    static const char *const extra[] = {"", ":+ECDHE-PSK:+DHE-PSK:+PSK", ":+ANON-DH:+ANON-ECDH"};
    const char *base = c->priority ? c->priority : "NORMAL";
    char priority[512];
    int r;

    /* Anonymous and old PSK key exchanges do not exist in TLS 1.3. */
    snprintf(priority, sizeof(priority), "%s%s%s", base, c->kind == TLS_ANON ? ":-VERS-TLS1.3" : "",
             extra[c->kind]);
    if ((r = gnutls_priority_set_direct(s, priority, NULL)) < 0)
        return tls_fail(e, r, "TLS priority", base);
    if (c->kind == TLS_X509)
        r = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, c->x509);
    else if (c->kind == TLS_PSK)
        r = gnutls_credentials_set(s, GNUTLS_CRD_PSK,
                                   is_server(c) ? (void *)c->psk_server : (void *)c->psk_client);
    else
        r = gnutls_credentials_set(s, GNUTLS_CRD_ANON,
                                   is_server(c) ? (void *)c->anon_server : (void *)c->anon_client);
    if (r < 0)
        return tls_fail(e, r, "TLS credentials", NULL);
    if (c->kind == TLS_X509 && is_server(c))
        gnutls_certificate_server_set_request(s, c->verify_peer ? GNUTLS_CERT_REQUIRE
                                                                : GNUTLS_CERT_IGNORE);
    return 0;
}

/* The peer's certificate must be signed by our CA, and name the host when there is one. */
int tls_creds_verify(const struct tls_creds *c, gnutls_session_t s, const char *hostname,
                     struct err *e)
{
    unsigned status = 0;
    int r;

    if (c->kind != TLS_X509 || (is_server(c) && !c->verify_peer))
        return 0;
    r = gnutls_certificate_verify_peers3(s, hostname, &status);
    if (r < 0)
        return err_set(e, -EACCES, "TLS: verifying the peer's certificate: %s", gnutls_strerror(r));
    if (status)
        return err_set(e, -EACCES, "TLS: the peer's certificate is not trusted%s",
                       status & GNUTLS_CERT_EXPIRED            ? ": expired"
                       : status & GNUTLS_CERT_UNEXPECTED_OWNER ? ": it names another host"
                       : status & GNUTLS_CERT_SIGNER_NOT_FOUND ? ": signed by somebody else"
                                                               : "");
    return 0;
}

gnutls_session_t tls_creds_begin(const struct tls_creds *c, int fd, const char *hostname,
                                 unsigned flags, struct err *e)
{
    gnutls_session_t s;
    int r = gnutls_init(&s, (is_server(c) ? GNUTLS_SERVER : GNUTLS_CLIENT) | flags);

    if (r < 0) {
        tls_fail(e, r, "TLS session", NULL);
        return NULL;
    }
    if (session_setup(c, s, e) < 0) {
        gnutls_deinit(s);
        return NULL;
    }
    if (hostname && !is_server(c))
        gnutls_server_name_set(s, GNUTLS_NAME_DNS, hostname, strlen(hostname));
    gnutls_transport_set_int(s, fd);
    return s;
}

gnutls_session_t tls_creds_session(const struct tls_creds *c, int fd, const char *hostname,
                                   struct err *e)
{
    gnutls_session_t s = tls_creds_begin(c, fd, hostname, 0, e);
    int r;

    if (!s)
        return NULL;
    gnutls_handshake_set_timeout(s, 30000);
    do
        r = gnutls_handshake(s);
    while (r < 0 && !gnutls_error_is_fatal(r));
    if (r < 0) {
        tls_fail(e, r, "TLS handshake failed", NULL);
        goto fail;
    }
    if (tls_creds_verify(c, s, hostname, e) >= 0)
        return s;
fail:
    gnutls_deinit(s);
    return NULL;
}

bool tls_creds_identity(gnutls_session_t s, char *dn, size_t size)
{
    const char *user = gnutls_psk_server_get_username(s);
    unsigned n;

    if (user)
        return snprintf(dn, size, "%s", user) < (int)size;
    const gnutls_datum_t *certs = gnutls_certificate_get_peers(s, &n);
    gnutls_x509_crt_t crt;
    bool ok = false;

    if (!certs || !n || gnutls_x509_crt_init(&crt) < 0)
        return false;
    ok = gnutls_x509_crt_import(crt, &certs[0], GNUTLS_X509_FMT_DER) >= 0 &&
         gnutls_x509_crt_get_dn(crt, dn, &size) >= 0;
    gnutls_x509_crt_deinit(crt);
    return ok;
}

const struct blk_object_type object_tls_creds_x509 = {
    .name = "tls-creds-x509",
    .help = "TLS with certificates",
    .make = make_x509,
    .free = tls_free,
};
const struct blk_object_type object_tls_creds_psk = {
    .name = "tls-creds-psk",
    .help = "TLS with pre-shared keys",
    .make = make_psk,
    .free = tls_free,
};
const struct blk_object_type object_tls_creds_anon = {
    .name = "tls-creds-anon",
    .help = "TLS without identities",
    .make = make_anon,
    .free = tls_free,
};
