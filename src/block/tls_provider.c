/* SPDX-License-Identifier: GPL-2.0-or-later */
/* TLS for who has a socket that does not block and no TLS of his own (base/tls.h), with the user's credentials. */
#include "block/authz.h"
#include "block/tls_creds.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct provided {
    const struct tls_creds *creds;
    const struct authz *authz; /* NULL: everybody who is verified */
    gnutls_session_t s;
    char *hostname;
};

static int check(void *opaque, const char *id, bool server, struct err *e)
{
    return tls_creds_find(opaque, id, server, e) ? 0 : e->code;
}

static bool anonymous(void *opaque, const char *id)
{
    struct tls_creds *c = tls_creds_find(opaque, id, true, ERR_IGNORE);

    return c && tls_creds_paths(c).anon;
}

static bool identity(void *session, char *name, size_t len)
{
    return tls_creds_identity(((struct provided *)session)->s, name, len);
}

static void end(void *session)
{
    struct provided *p = session;

    if (p->s) {
        gnutls_bye(p->s, GNUTLS_SHUT_WR);
        gnutls_deinit(p->s);
    }
    free(p->hostname);
    free(p);
}

static void *start(void *opaque, const char *id, bool server, int fd, const char *hostname,
                   const char *authz, struct err *e)
{
    struct provided *p = calloc(1, sizeof(*p));

    if (!p || (hostname && !(p->hostname = strdup(hostname))))
        fatal("out of memory");
    if ((p->creds = tls_creds_find(opaque, id, server, e)) &&
        (!authz || (p->authz = authz_find(opaque, authz, e))) &&
        (p->s = tls_creds_begin(p->creds, fd, hostname, GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL, e)))
        return p;
    end(p);
    return NULL;
}

static int handshake(void *session, struct err *e)
{
    struct provided *p = session;
    int r = gnutls_handshake(p->s);
    char name[1024];

    if (r < 0 && !gnutls_error_is_fatal(r))
        return -EAGAIN;
    if (r < 0)
        return err_set(e, -EPROTO, "TLS handshake failed: %s", gnutls_strerror(r));
    if ((r = tls_creds_verify(p->creds, p->s, p->hostname, e)) < 0)
        return r;
    if (p->authz &&
        (!tls_creds_identity(p->s, name, sizeof(name)) || !authz_allows(p->authz, name)))
        return err_set(e, -EACCES, "TLS: the client is not authorised");
    return 0;
}

static bool wants_write(void *session)
{
    return gnutls_record_get_direction(((struct provided *)session)->s);
}

static ssize_t result(ssize_t r)
{
    if (r == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    return r >= 0 ? r : gnutls_error_is_fatal((int)r) ? -EPROTO : -EAGAIN;
}

static ssize_t read_session(void *session, void *buf, size_t len)
{
    return result(gnutls_record_recv(((struct provided *)session)->s, buf, len));
}

static ssize_t write_session(void *session, const void *buf, size_t len)
{
    return result(gnutls_record_send(((struct provided *)session)->s, buf, len));
}

static size_t pending(void *session)
{
    return gnutls_record_check_pending(((struct provided *)session)->s);
}

const struct tls_provider tls_creds_provider = {
    .check = check,
    .anonymous = anonymous,
    .identity = identity,
    .start = start,
    .handshake = handshake,
    .wants_write = wants_write,
    .read = read_session,
    .write = write_session,
    .pending = pending,
    .end = end,
};
