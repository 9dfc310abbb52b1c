/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=nbd: a disk that an NBD server exports.  Names: nbd://HOST:PORT/EXPORT,
 * nbd+unix:///EXPORT?socket=PATH, and the older nbd:HOST:PORT:exportname=EXPORT, nbd:unix:PATH:...
 * (github.com/NetworkBlockDevice/nbd, doc/uri.md).
 */
#include "block/driver.h"
#include "block/nbd.h"
#include "block/nbd_client.h"
#include "block/tls_creds.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { FIRST_PAUSE_MS = 50, PAUSE_MAX_MS = 2000 };

struct nbd_opts {
    char *host, *port, *path, *export, *tls_creds, *tls_hostname, *context;
    char *type, *server_path, *server_host, *server_port; /* server.* */
    uint64_t reconnect_delay, open_timeout;               /* seconds */
};

struct nbd {
    struct nbd_opts o;
    struct nbd_target target;
    uint64_t max_op; /* bytes of one request */
    bool can_zero, can_fast_zero, can_trim, can_flush, can_fua, knows_extents;
    pthread_rwlock_t lock; /* shared: using @link; exclusive: replacing it */
    struct nbd_link *link; /* [lock] NULL: lost */
    uint64_t lost_at;      /* [lock] ms */
};

static const struct field nbd_fields[] = {
    FIELD(nbd_opts, host, F_STR, "host", NULL, "TCP host to connect to"),
    FIELD(nbd_opts, port, F_STR, "port", NULL, "TCP port to connect to"),
    FIELD(nbd_opts, path, F_STR, "path", NULL, "Unix socket path to connect to"),
    FIELD(nbd_opts, type, F_STR, "server.type", NULL, "inet or unix"),
    FIELD(nbd_opts, server_path, F_STR, "server.path", NULL, "the same as path"),
    FIELD(nbd_opts, server_host, F_STR, "server.host", NULL, "the same as host"),
    FIELD(nbd_opts, server_port, F_STR, "server.port", NULL, "the same as port"),
    FIELD(nbd_opts, export, F_STR, "export", NULL, "name of the NBD export to open"),
    FIELD(nbd_opts, tls_creds, F_STR, "tls-creds", NULL, "id of the TLS credentials to use"),
    FIELD(nbd_opts, tls_hostname, F_STR, "tls-hostname", NULL, "accepted when it is the host"),
    FIELD(nbd_opts, context, F_STR, "x-dirty-bitmap", "base:allocation",
          "metadata context to tell instead of allocation"),
    FIELD(nbd_opts, reconnect_delay, F_U64, "reconnect-delay", "0",
          "seconds that requests wait for a lost server to come back"),
    FIELD(nbd_opts, open_timeout, F_U64, "open-timeout", "0", "seconds to try to connect at first"),
    FIELD_END,
};

static uint64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Names ------------------------------------------------------------------------------------------ */

static void set(struct json_object *opts, const char *key, const char *value, size_t len)
{
    json_object_object_add(opts, key, json_object_new_string_len(value, (int)len));
}

/* %41 is "A"; false for a broken one or a zero byte. */
static bool unescape(const char *from, size_t len, char *to)
{
    for (size_t i = 0; i < len; i++) {
        if (from[i] != '%') {
            *to++ = from[i];
            continue;
        }
        char hex[3] = {i + 1 < len ? from[i + 1] : 0, i + 2 < len ? from[i + 2] : 0, 0};

        if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) ||
            !(*to++ = (char)strtol(hex, NULL, 16)))
            return false;
        i += 2;
    }
    *to = 0;
    return true;
}

/* One unescaped part as option @key. */
static int set_part(struct json_object *opts, const char *key, const char *at, size_t len)
{
    char *text = malloc(len + 1);
    int r = 0;

    if (!text)
        fatal("out of memory");
    if (!unescape(at, len, text))
        r = -EINVAL;
    else
        set(opts, key, text, strlen(text));
    free(text);
    return r;
}

/* "HOST:PORT", "[::1]:PORT", "HOST"; user@ is ignored. */
static int set_authority(struct json_object *opts, const char *at, size_t len)
{
    const char *user = memchr(at, '@', len), *end = at + len, *host, *port;

    host = user ? user + 1 : at;
    if (host < end && *host == '[') {
        const char *close = memchr(host, ']', (size_t)(end - host));

        if (!close || (close + 1 < end && close[1] != ':'))
            return -EINVAL;
        set(opts, "host", host + 1, (size_t)(close - host - 1));
        port = close + 1;
    } else {
        port = memchr(host, ':', (size_t)(end - host));
        port = port ? port : end;
        if (port == host)
            return -EINVAL;
        set(opts, "host", host, (size_t)(port - host));
    }
    if (end - port > 1)
        set(opts, "port", port + 1, (size_t)(end - port - 1));
    return 0;
}

static int parse_uri(const char *name, struct json_object *opts)
{
    size_t scheme = strcspn(name, ":");
    bool is_unix = !strncmp(name, "nbd+unix", scheme) && scheme == 8;
    const char *authority = name + scheme + 3, *path, *query, *end = authority + strcspn(authority, "#");
    int r;

    if (strncmp(name + scheme, "://", 3)) /* it is somewhere else */
        return -EINVAL;
    path = authority + strcspn(authority, "/?#");
    query = memchr(path, '?', (size_t)(end - path));
    if (!query)
        query = end;
    const char *export = path + strspn(path, "/");

    if (export > query)
        export = query;
    if (export < query && (r = set_part(opts, "export", export, (size_t)(query - export))) < 0)
        return r;
    if (!is_unix)
        return query != end ? -EINVAL : set_authority(opts, authority, (size_t)(path - authority));
    if (path != authority || strncmp(query, "?socket=", 8) || query + 8 == end ||
        memchr(query, '&', (size_t)(end - query)))
        return -EINVAL;
    return set_part(opts, "path", query + 8, (size_t)(end - query - 8));
}

/* nbd:HOST:PORT[:exportname=X], nbd:unix:PATH[:exportname=X] */
static int parse_old_name(const char *name, struct json_object *opts, struct err *e)
{
    const char *at = name + 4, *export = strstr(at, ":exportname=");
    const char *end = export ? export : at + strlen(at), *colon;

    if (export && export[12])
        set(opts, "export", export + 12, strlen(export + 12));
    if (end - at >= 5 && !strncmp(at, "unix:", 5)) { /* not the colon of :exportname= */
        set(opts, "path", at + 5, (size_t)(end - at - 5));
        return 0;
    }
    for (colon = end; colon > at && colon[-1] != ':'; colon--)
        ;
    if (colon == at || set_authority(opts, at, (size_t)(end - at)) < 0)
        return err_set(e, -EINVAL, "error parsing address '%.*s'", (int)(end - at), at);
    return 0;
}

static int nbd_parse_name(const char *name, struct json_object *opts, struct err *e)
{
    if (!strstr(name, "://"))
        return parse_old_name(name, opts, e);
    return parse_uri(name, opts) < 0 ? err_set(e, -EINVAL, "No valid URL specified") : 0;
}

static char *nbd_make_name(struct blk *b)
{
    const struct nbd *n = b->state;
    const struct nbd_target *t = &n->target;
    const char *slash = *t->export ? "/" : "";
    char *name = NULL;
    int r;

    if (n->o.tls_creds || n->o.reconnect_delay || n->o.open_timeout)
        return NULL; /* a name says none of these */
    if (t->path)
        r = asprintf(&name, "nbd+unix://%s%s?socket=%s", slash, t->export, t->path);
    else
        r = asprintf(&name, "nbd://%s:%s%s%s", t->host, t->port, slash, t->export);
    return r < 0 ? NULL : name;
}

/* Connection --------------------------------------------------------------------------------------- */

/* Until it works or @seconds have passed since @since. */
static struct nbd_link *try_link(const struct nbd *n, uint64_t since, uint64_t seconds,
                                 struct err *e)
{
    uint64_t pause = FIRST_PAUSE_MS;

    for (;;) {
        struct err why = {0};
        struct nbd_link *l = nbd_link_open(&n->target, &why);

        if (l)
            return l;
        if (now_ms() - since >= seconds * 1000) {
            err_set(e, why.code, "%s", why.msg);
            return NULL;
        }
        nanosleep(&(struct timespec){(time_t)(pause / 1000), (long)(pause % 1000) * 1000000}, NULL);
        pause = min_u64(pause * 2, PAUSE_MAX_MS);
    }
}

/* The link is in use, shared; NULL (nothing held) with @e when there is none. */
static struct nbd_link *link_get(struct blk *b, struct err *e)
{
    struct nbd *n = b->state;

    for (;;) {
        pthread_rwlock_rdlock(&n->lock);
        if (n->link)
            return n->link;
        pthread_rwlock_unlock(&n->lock);
        pthread_rwlock_wrlock(&n->lock);
        if (!n->link && (n->link = try_link(n, n->lost_at, n->o.reconnect_delay, e)) &&
            (uint64_t)nbd_get_size(nbd_link_handle(n->link)) < b->size) {
            nbd_link_close(n->link);
            n->link = NULL;
            err_set(e, -EIO, "the NBD server came back with a smaller disk");
        }
        bool ok = n->link;

        pthread_rwlock_unlock(&n->lock);
        if (!ok)
            return NULL;
    }
}

static void link_lost(struct nbd *n, struct nbd_link *l)
{
    pthread_rwlock_wrlock(&n->lock);
    if (n->link == l) {
        nbd_link_close(l);
        n->link = NULL;
        n->lost_at = now_ms();
    }
    pthread_rwlock_unlock(&n->lock);
}

/* @ops on whatever connection there is; once more on a new one when it was lost meanwhile: every
 * request may be repeated. */
static int run(struct blk *b, struct nbd_op *ops, int count, struct err *e)
{
    struct nbd *n = b->state;

    for (;;) {
        struct err why = {0};
        struct nbd_link *l = link_get(b, e);
        int r;

        if (!l)
            return e->code;
        r = nbd_link_run(l, ops, count, &why);
        pthread_rwlock_unlock(&n->lock);
        if (r == -ESHUTDOWN)
            link_lost(n, l);
        if (r != -ESHUTDOWN || !n->o.reconnect_delay)
            return r < 0 ? err_set(e, r == -ESHUTDOWN ? -EIO : r, "%s", why.msg) : r;
    }
}

static int check_target(struct nbd *n, struct err *e)
{
    struct nbd_opts *o = &n->o;

    if (o->type && strcmp(o->type, "unix") && strcmp(o->type, "inet"))
        return err_set(e, -EINVAL, "Parameter 'type' does not accept value '%s'", o->type);
    if (o->path && (o->host || o->port))
        return err_set(e, -EINVAL, "path and host may not be used at the same time");
    if (o->type && (o->path || o->host))
        return err_set(e, -EINVAL, "'server' and path/host/port cannot be used at the same time");
    if (o->type && !strcmp(o->type, "unix") && !o->server_path)
        return err_set(e, -EINVAL, "Parameter 'path' is missing");
    if (o->type && !strcmp(o->type, "inet") && (!o->server_host || !o->server_port))
        return err_set(e, -EINVAL, "Parameter '%s' is missing", o->server_host ? "port" : "host");
    n->target = (struct nbd_target){.path = o->path ? o->path : o->server_path,
                                    .host = o->host ? o->host : o->server_host,
                                    .port = o->port          ? o->port
                                            : o->server_port ? o->server_port
                                                             : "10809",
                                    .export = o->export ? o->export : "",
                                    .context = o->context};
    if (!n->target.path && !n->target.host)
        return err_set(e, -EINVAL, "NBD server address missing");
    if (strlen(n->target.export) > NBD_MAX_STRING)
        return err_set(e, -EINVAL, "export name too long to send to server");
    if (o->tls_hostname && n->target.host && strcmp(o->tls_hostname, n->target.host))
        return err_set(e, -ENOTSUP, "tls-hostname '%s' other than the host '%s' is not supported",
                       o->tls_hostname, n->target.host);
    return 0;
}

/* What was negotiated. */
static int look_at_server(struct blk *b, struct err *e)
{
    struct nbd *n = b->state;
    struct nbd_handle *h = nbd_link_handle(n->link);
    int64_t size = nbd_get_size(h), max = nbd_get_block_size(h, LIBNBD_SIZE_MAXIMUM);
    int64_t min = nbd_get_block_size(h, LIBNBD_SIZE_MINIMUM);

    if (size < 0)
        return err_set(e, -EIO, "the NBD server told no size");
    if (nbd_is_read_only(h) > 0 && (b->flags & BLK_RDWR)) {
        if (!(b->flags & BLK_AUTO_READ_ONLY))
            return err_set(e, -EACCES, "the NBD export is read-only");
        b->flags &= ~(unsigned)BLK_RDWR;
    }
    b->size = (uint64_t)size;
    b->align = min > 1 ? (uint32_t)min : 1;
    n->max_op = max > 0 ? (uint64_t)max : NBD_MAX_PAYLOAD;
    n->can_zero = nbd_can_zero(h) > 0;
    n->can_fast_zero = nbd_can_fast_zero(h) > 0;
    n->can_trim = nbd_can_trim(h) > 0;
    n->can_flush = nbd_can_flush(h) > 0;
    n->can_fua = nbd_can_fua(h) > 0;
    n->knows_extents = nbd_can_meta_context(h, n->o.context) > 0;
    return 0;
}

static int nbd_open(struct blk *b, struct json_object *opts, struct err *e)
{
    struct nbd *n = b->state;
    int r;

    pthread_rwlock_init(&n->lock, NULL);
    json_object_object_del(opts, "filename");
    if ((r = fields_take(nbd_fields, opts, &n->o, e)) < 0)
        return r;
    if ((r = check_target(n, e)) >= 0 &&
        (!n->o.tls_creds ||
         (n->target.tls = tls_creds_find(b->env, n->o.tls_creds, false, e)) != NULL)) {
        n->link = try_link(n, now_ms(), n->o.open_timeout, e);
        r = n->link ? look_at_server(b, e) : e->code;
    } else if (r >= 0) {
        r = e->code;
    }
    if (r < 0) {
        if (n->link)
            nbd_link_close(n->link);
        fields_free(nbd_fields, &n->o);
        pthread_rwlock_destroy(&n->lock);
    }
    return r;
}

static int nbd_close_node(struct blk *b, struct err *e)
{
    struct nbd *n = b->state;

    (void)e;
    if (n->link)
        nbd_link_close(n->link);
    fields_free(nbd_fields, &n->o);
    pthread_rwlock_destroy(&n->lock);
    return 0;
}

/* Requests ----------------------------------------------------------------------------------------- */

/* The pieces of a request, none longer than the server takes. */
static int run_vector(struct blk *b, int kind, uint32_t flags, uint64_t off,
                      const struct iovec *iov, int count, struct err *e)
{
    struct nbd *n = b->state;
    struct nbd_op few[8], *ops = few;
    size_t pieces = 0;
    int k = 0, r;

    for (int i = 0; i < count; i++)
        pieces += (iov[i].iov_len + n->max_op - 1) / n->max_op;
    if (pieces > 8 && !(ops = malloc(pieces * sizeof(*ops))))
        fatal("out of memory");
    for (int i = 0; i < count; i++) {
        for (uint64_t at = 0, len; at < iov[i].iov_len; at += len, off += len) {
            len = min_u64(iov[i].iov_len - at, n->max_op);
            ops[k++] = (struct nbd_op){.kind = kind,
                                       .flags = flags,
                                       .off = off,
                                       .len = len,
                                       .buf = (char *)iov[i].iov_base + at};
        }
    }
    r = k ? run(b, ops, k, e) : 0;
    if (ops != few)
        free(ops);
    return r;
}

static int nbd_flush_node(struct blk *b, struct err *e)
{
    const struct nbd *n = b->state;
    struct nbd_op op = {.kind = NBD_OP_FLUSH};

    return n->can_flush ? run(b, &op, 1, e) : 0;
}

static int nbd_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    return run_vector(b, NBD_OP_READ, 0, off, iov, n, e);
}

static int nbd_writev(struct blk *b, uint64_t off, const struct iovec *iov, int n, unsigned req,
                      struct err *e)
{
    bool fua = (req & BLK_REQ_FUA) && ((struct nbd *)b->state)->can_fua;
    int r = run_vector(b, NBD_OP_WRITE, fua ? LIBNBD_CMD_FLAG_FUA : 0, off, iov, n, e);

    return r >= 0 && (req & BLK_REQ_FUA) && !fua ? nbd_flush_node(b, e) : r;
}

/* ZERO and TRIM carry no payload, so only the field's width bounds them. */
static int run_long(struct blk *b, int kind, uint32_t flags, uint64_t off, uint64_t len,
                    struct err *e)
{
    int r = 0;

    while (len && r >= 0) {
        struct nbd_op op = {
            .kind = kind, .flags = flags, .off = off, .len = min_u64(len, UINT32_C(1) << 30)};

        r = run(b, &op, 1, e);
        off += op.len;
        len -= op.len;
    }
    return r;
}

static int nbd_zero_node(struct blk *b, uint64_t off, uint64_t len, unsigned req, struct err *e)
{
    const struct nbd *n = b->state;
    bool fua = (req & BLK_REQ_FUA) && n->can_fua;
    uint32_t flags =
        (req & BLK_REQ_UNMAP ? 0 : LIBNBD_CMD_FLAG_NO_HOLE) | (fua ? LIBNBD_CMD_FLAG_FUA : 0);
    int r;

    if (!n->can_zero || ((req & BLK_REQ_NO_FALLBACK) && !n->can_fast_zero))
        return err_set(e, -ENOTSUP, "the NBD server has no quick way to write zeros");
    if (req & BLK_REQ_NO_FALLBACK)
        flags |= LIBNBD_CMD_FLAG_FAST_ZERO;
    r = run_long(b, NBD_OP_ZERO, flags, off, len, e);
    return r >= 0 && (req & BLK_REQ_FUA) && !fua ? nbd_flush_node(b, e) : r;
}

static int nbd_discard_node(struct blk *b, uint64_t off, uint64_t len, struct err *e)
{
    return ((struct nbd *)b->state)->can_trim ? run_long(b, NBD_OP_TRIM, 0, off, len, e) : 0;
}

static int nbd_status(struct blk *b, uint64_t off, uint64_t len, struct blk_status *s,
                      struct err *e)
{
    struct nbd_op op = {.kind = NBD_OP_STATUS,
                        .flags = LIBNBD_CMD_FLAG_REQ_ONE,
                        .off = off,
                        .len = min_u64(len, UINT32_C(1) << 30)};
    int r;

    *s = (struct blk_status){
        .len = len, .allocated = true, .data = true, .has_host = true, .host = off, .file = b};
    if (!((struct nbd *)b->state)->knows_extents)
        return 0;
    if ((r = run(b, &op, 1, e)) < 0)
        return r;
    if (!op.extent_len)
        return err_set(e, -EIO, "the NBD server told no extent at %" PRIu64, off);
    s->len = min_u64(op.extent_len, len);
    s->data = !(op.extent_flags & NBD_STATE_HOLE);
    s->zero = op.extent_flags & NBD_STATE_ZERO;
    return 0;
}

static int64_t nbd_disk_size(struct blk *b)
{
    (void)b;
    return -ENOTSUP;
}

static int nbd_truncate(struct blk *b, uint64_t size, enum blk_prealloc prealloc, unsigned req,
                        struct err *e)
{
    (void)prealloc;
    if ((req & BLK_REQ_EXACT) && size != b->size)
        return err_set(e, -ENOTSUP, "Cannot resize NBD nodes");
    return size > b->size ? err_set(e, -EINVAL, "Cannot grow NBD nodes") : 0;
}

static const struct blk_io_ops nbd_io = {
    .readv = nbd_readv,
    .writev = nbd_writev,
    .zero = nbd_zero_node,
    .discard = nbd_discard_node,
    .status = nbd_status,
    .disk_size = nbd_disk_size,
};

static const char *const nbd_prefixes[] = {"nbd", "nbd+tcp", "nbd+unix", NULL};

const struct blk_driver proto_nbd = {
    .name = "nbd",
    .help = "a disk that an NBD server exports",
    .kind = BLK_PROTOCOL,
    .no_info = true,
    .state_size = sizeof(struct nbd),
    .open_opts = nbd_fields,
    .how = (const char *const[]){"reconnect-delay", "open-timeout", NULL},
    .prefixes = nbd_prefixes,
    .parse_name = nbd_parse_name,
    .make_name = nbd_make_name,
    .open = nbd_open,
    .close = nbd_close_node,
    .flush = nbd_flush_node,
    .truncate = nbd_truncate,
    .io = &nbd_io,
};
