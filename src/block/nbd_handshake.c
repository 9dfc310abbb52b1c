/* SPDX-License-Identifier: GPL-2.0-or-later */
/* NBD server: fixed newstyle negotiation (proto.md, "Fixed newstyle negotiation"). */
#include "base/bytes.h"
#include "block/authz.h"
#include "block/tls_creds.h"
#include "block/lazy_gnutls.h"
#include "block/nbd_server_priv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* Options from one client before it chooses an export; a client needs about ten. */
enum { OPTIONS_MAX = 1000, OPTION_MAX = 64 << 10 };

/* struct option - one option as it arrived; @data is read from the front. */
struct option {
    uint32_t code;
    const unsigned char *data;
    size_t len;
};

static int reply(struct nbd_client *c, const struct option *o, uint32_t type, const void *data,
                 size_t len)
{
    unsigned char head[20];
    struct iovec iov[2] = {{head, sizeof(head)}, {(void *)data, len}};

    put_be64(head, NBD_REP_MAGIC);
    put_be32(head + 8, o->code);
    put_be32(head + 12, type);
    put_be32(head + 16, (uint32_t)len);
    return nbd_chan_writev(&c->chan, iov, len ? 2 : 1);
}

static int refuse(struct nbd_client *c, const struct option *o, uint32_t type, const char *why)
{
    return reply(c, o, type, why, strlen(why));
}

/* Taking things off an option: false when there is too little. */
static bool take_u16(struct option *o, uint16_t *v)
{
    if (o->len < 2)
        return false;
    *v = get_be16(o->data);
    o->data += 2;
    o->len -= 2;
    return true;
}

static bool take_u32(struct option *o, uint32_t *v)
{
    if (o->len < 4)
        return false;
    *v = get_be32(o->data);
    o->data += 4;
    o->len -= 4;
    return true;
}

/* A string with its length before it, at most NBD_MAX_STRING; @name has a byte more. */
static bool take_string(struct option *o, char name[NBD_MAX_STRING + 1])
{
    uint32_t len;

    if (!take_u32(o, &len) || len > NBD_MAX_STRING || len > o->len || memchr(o->data, 0, len))
        return false;
    memcpy(name, o->data, len);
    name[len] = 0;
    o->data += len;
    o->len -= len;
    return true;
}

static const struct nbd_export *find_export(const struct nbd_client *c, const char *name)
{
    for (unsigned i = 0; i < c->server->exports_n; i++)
        if (!strcmp(c->server->exports[i].name, name))
            return &c->server->exports[i];
    return NULL;
}

uint16_t nbd_export_flags(const struct nbd_client *c, const struct nbd_export *x)
{
    uint16_t flags = NBD_HAS_FLAGS | NBD_SEND_FLUSH | NBD_SEND_FUA | NBD_SEND_CACHE;

    flags |=
        x->writable ? NBD_SEND_TRIM | NBD_SEND_WRITE_ZEROES | NBD_SEND_FAST_ZERO : NBD_READ_ONLY;
    if (x->multi_conn)
        flags |= NBD_CAN_MULTI_CONN;
    if (c->structured)
        flags |= NBD_SEND_DF;
    return flags;
}

/* Options ------------------------------------------------------------------------------------------ */

/* EXPORT_NAME has no way to say no: the connection ends. */
static int opt_export_name(struct nbd_client *c, struct option *o, struct err *e)
{
    char name[NBD_MAX_STRING + 1];
    unsigned char head[10 + 124] = {0};
    struct iovec iov = {head, c->no_zeroes ? 10 : sizeof(head)};

    if (o->len > NBD_MAX_STRING)
        return err_set(e, -EPROTO, "export name of %zu bytes", o->len);
    memcpy(name, o->data, o->len);
    name[o->len] = 0;
    if (!(c->export = find_export(c, name)))
        return err_set(e, -ENOENT, "export '%s' not present", name);
    put_be64(head, c->export->size);
    put_be16(head + 8, nbd_export_flags(c, c->export));
    return nbd_chan_writev(&c->chan, &iov, 1);
}

static int opt_list(struct nbd_client *c, struct option *o, struct err *e)
{
    unsigned char entry[4 + 2 * NBD_MAX_STRING];
    int r;

    if (o->len)
        return refuse(c, o, NBD_REP_ERR_INVALID, "LIST takes no data");
    for (unsigned i = 0; i < c->server->exports_n; i++) {
        const struct nbd_export *x = &c->server->exports[i];
        const char *text = x->description ? x->description : "";
        size_t name = strnlen(x->name, NBD_MAX_STRING), more = strnlen(text, NBD_MAX_STRING);

        put_be32(entry, (uint32_t)name);
        memcpy(entry + 4, x->name, name);
        memcpy(entry + 4 + name, text, more);
        if ((r = reply(c, o, NBD_REP_SERVER, entry, 4 + name + more)) < 0)
            return r;
    }
    return reply(c, o, NBD_REP_ACK, NULL, 0);
}

/* One NBD_REP_INFO that carries text. */
static int info_text(struct nbd_client *c, const struct option *o, uint16_t what, const char *text)
{
    unsigned char data[2 + NBD_MAX_STRING];
    size_t len = strnlen(text, NBD_MAX_STRING);

    put_be16(data, what);
    memcpy(data + 2, text, len);
    return reply(c, o, NBD_REP_INFO, data, 2 + len);
}

static int info_block_size(struct nbd_client *c, const struct option *o)
{
    unsigned char data[14];

    put_be16(data, NBD_INFO_BLOCK_SIZE);
    put_be32(data + 2, 1);
    put_be32(data + 6, 4096);
    put_be32(data + 10, NBD_MAX_PAYLOAD);
    return reply(c, o, NBD_REP_INFO, data, sizeof(data));
}

static int send_infos(struct nbd_client *c, const struct option *o, const struct nbd_export *x,
                      unsigned wanted)
{
    unsigned char data[12];
    int r;

    if ((wanted & 1u << NBD_INFO_NAME) && (r = info_text(c, o, NBD_INFO_NAME, x->name)) < 0)
        return r;
    if (x->description && /* small, and clients show it: sent to all */
        (r = info_text(c, o, NBD_INFO_DESCRIPTION, x->description)) < 0)
        return r;
    if ((r = info_block_size(c, o)) < 0)
        return r;
    put_be16(data, NBD_INFO_EXPORT);
    put_be64(data + 2, x->size);
    put_be16(data + 10, nbd_export_flags(c, x));
    return reply(c, o, NBD_REP_INFO, data, sizeof(data));
}

static int opt_info_or_go(struct nbd_client *c, struct option *o, struct err *e)
{
    char name[NBD_MAX_STRING + 1];
    const struct nbd_export *x;
    unsigned wanted = 0;
    uint16_t n, what;
    int r;

    if (!take_string(o, name) || !take_u16(o, &n) || o->len != (size_t)n * 2)
        return refuse(c, o, NBD_REP_ERR_INVALID, "malformed request");
    while (take_u16(o, &what))
        wanted |= what < 32 ? 1u << what : 0;
    if (!(x = find_export(c, name)))
        return refuse(c, o, NBD_REP_ERR_UNKNOWN, "no such export");
    if ((r = send_infos(c, o, x, wanted)) < 0 || (r = reply(c, o, NBD_REP_ACK, NULL, 0)) < 0)
        return r;
    if (o->code == NBD_OPT_GO)
        c->export = x;
    return 0;
}

static int opt_structured(struct nbd_client *c, struct option *o, struct err *e)
{
    if (o->len || c->structured)
        return refuse(c, o, NBD_REP_ERR_INVALID, "STRUCTURED_REPLY comes once and has no data");
    c->structured = true;
    return reply(c, o, NBD_REP_ACK, NULL, 0);
}

static int opt_starttls(struct nbd_client *c, struct option *o, struct err *e)
{
    char dn[1024];
    int r;

    if (o->len || c->chan.tls)
        return refuse(c, o, NBD_REP_ERR_INVALID, "malformed or repeated STARTTLS");
    if (!c->server->tls)
        return refuse(c, o, NBD_REP_ERR_POLICY, "TLS is not enabled");
    if ((r = reply(c, o, NBD_REP_ACK, NULL, 0)) < 0 ||
        (r = nbd_chan_start_tls(&c->chan, c->server->tls, NULL, e)) < 0)
        return r;
    if (c->server->authz &&
        (!tls_creds_identity(c->chan.tls, dn, sizeof(dn)) || !authz_allows(c->server->authz, dn)))
        return err_set(e, -EACCES, "TLS: the client is not authorised");
    c->structured = false; /* negotiated in the clear: does not count */
    c->contexts_n = 0;
    c->contexts_export = NULL;
    return 0;
}

/* Metadata contexts ---------------------------------------------------------------------------- */

static int offer(struct nbd_client *c, const struct option *o, struct nbd_context context,
                 const char *name)
{
    unsigned char data[4 + NBD_MAX_STRING];
    size_t len = strnlen(name, NBD_MAX_STRING);
    bool set = o->code == NBD_OPT_SET_META_CONTEXT;

    for (unsigned i = 0; set && i < c->contexts_n; i++)
        if (c->contexts[i].kind == context.kind && c->contexts[i].bitmap == context.bitmap)
            return 0; /* asked for twice */
    if (set && c->contexts_n == CONTEXTS_MAX)
        return 0;
    put_be32(data, set ? c->contexts_n : 0);
    memcpy(data + 4, name, len);
    if (set)
        c->contexts[c->contexts_n++] = context;
    return reply(c, o, NBD_REP_META_CONTEXT, data, 4 + len);
}

/* Does the query @q select the context @name?  LIST: "" selects all, "base:" what begins so. */
static bool selects(const struct option *o, const char *q, const char *name)
{
    size_t len = strlen(q);

    if (!strcmp(q, name))
        return true;
    return o->code == NBD_OPT_LIST_META_CONTEXT && (!len || q[len - 1] == ':') &&
           !strncmp(q, name, len);
}

static int answer_query(struct nbd_client *c, const struct option *o, const struct nbd_export *x,
                        const char *q)
{
    char name[NBD_MAX_STRING + 1];
    int r;

    if (selects(o, q, "base:allocation") &&
        (r = offer(c, o, (struct nbd_context){CONTEXT_ALLOCATION, NULL}, "base:allocation")) < 0)
        return r;
    if (x->allocation_depth && selects(o, q, "qemu:allocation-depth") &&
        (r = offer(c, o, (struct nbd_context){CONTEXT_DEPTH, NULL}, "qemu:allocation-depth")) < 0)
        return r;
    for (const char *const *b = x->bitmaps; b && *b; b++) {
        snprintf(name, sizeof(name), "qemu:dirty-bitmap:%s", *b);
        if (selects(o, q, name) &&
            (r = offer(c, o, (struct nbd_context){CONTEXT_BITMAP, *b}, name)) < 0)
            return r;
    }
    return 0;
}

static int opt_meta_context(struct nbd_client *c, struct option *o, struct err *e)
{
    char name[NBD_MAX_STRING + 1];
    const struct nbd_export *x;
    uint32_t n;
    int r;

    if (!c->structured)
        return refuse(c, o, NBD_REP_ERR_INVALID, "structured replies come first");
    if (o->code == NBD_OPT_SET_META_CONTEXT) {
        c->contexts_n = 0;
        c->contexts_export = NULL;
    }
    if (!take_string(o, name) || !take_u32(o, &n))
        return refuse(c, o, NBD_REP_ERR_INVALID, "malformed request");
    if (!(x = find_export(c, name)))
        return refuse(c, o, NBD_REP_ERR_UNKNOWN, "no such export");
    if (!n && o->code == NBD_OPT_LIST_META_CONTEXT && (r = answer_query(c, o, x, "")) < 0)
        return r;
    for (; n; n--) {
        if (!take_string(o, name))
            return refuse(c, o, NBD_REP_ERR_INVALID, "malformed query");
        if ((r = answer_query(c, o, x, name)) < 0)
            return r;
    }
    if (o->len)
        return refuse(c, o, NBD_REP_ERR_INVALID, "more data than queries");
    if (o->code == NBD_OPT_SET_META_CONTEXT)
        c->contexts_export = x;
    return reply(c, o, NBD_REP_ACK, NULL, 0);
}

/* The negotiation ---------------------------------------------------------------------------------- */

static int greet(struct nbd_client *c, struct err *e)
{
    unsigned char hello[18], flags[4];
    struct iovec iov = {hello, sizeof(hello)};
    int r;

    put_be64(hello, NBD_MAGIC);
    put_be64(hello + 8, NBD_OPTS_MAGIC);
    put_be16(hello + 16, NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES);
    if ((r = nbd_chan_writev(&c->chan, &iov, 1)) < 0 ||
        (r = nbd_chan_read(&c->chan, flags, sizeof(flags))) < 0)
        return err_set(e, r, "NBD client went away");
    uint32_t f = get_be32(flags);

    if (f & ~(uint32_t)(NBD_FLAG_FIXED_NEWSTYLE | NBD_FLAG_NO_ZEROES))
        return err_set(e, -EPROTO, "NBD client flags %#x", f);
    c->no_zeroes = f & NBD_FLAG_NO_ZEROES;
    return 0;
}

static int run_option(struct nbd_client *c, struct option *o, struct err *e)
{
    /* With TLS, nothing is told before it: not even which exports there are. */
    if (c->server->tls && !c->chan.tls && o->code != NBD_OPT_STARTTLS && o->code != NBD_OPT_ABORT)
        return o->code == NBD_OPT_EXPORT_NAME
                   ? err_set(e, -EACCES, "NBD client did not ask for TLS")
                   : refuse(c, o, NBD_REP_ERR_TLS_REQD, "TLS is required");
    switch (o->code) {
    case NBD_OPT_EXPORT_NAME: return opt_export_name(c, o, e);
    case NBD_OPT_LIST: return opt_list(c, o, e);
    case NBD_OPT_STARTTLS: return opt_starttls(c, o, e);
    case NBD_OPT_INFO:
    case NBD_OPT_GO: return opt_info_or_go(c, o, e);
    case NBD_OPT_STRUCTURED_REPLY: return opt_structured(c, o, e);
    case NBD_OPT_LIST_META_CONTEXT:
    case NBD_OPT_SET_META_CONTEXT: return opt_meta_context(c, o, e);
    }
    return refuse(c, o, NBD_REP_ERR_UNSUP, "unknown option");
}

int nbd_handshake(struct nbd_client *c, struct err *e)
{
    unsigned char head[16], *data = NULL;
    int r = greet(c, e);

    for (int i = 0; r >= 0 && !c->export; i++) {
        if ((r = nbd_chan_read(&c->chan, head, sizeof(head))) < 0)
            return i ? 1 : err_set(e, r, "NBD client went away");
        struct option o = {.code = get_be32(head + 8), .len = get_be32(head + 12)};

        if (get_be64(head) != NBD_OPTS_MAGIC || i == OPTIONS_MAX)
            return err_set(e, -EPROTO,
                           i == OPTIONS_MAX ? "NBD client asks without end"
                                            : "NBD client sent no option");
        if (o.len > OPTION_MAX)
            return err_set(e, -EPROTO, "NBD option of %zu bytes", o.len);
        if (!(data = malloc(o.len + 1)))
            fatal("out of memory");
        o.data = data;
        if ((r = nbd_chan_read(&c->chan, data, o.len)) >= 0) {
            if (o.code == NBD_OPT_ABORT) {
                reply(c, &o, NBD_REP_ACK, NULL, 0);
                r = 1;
            } else {
                r = run_option(c, &o, e);
            }
        }
        free(data);
        if (r == 1)
            return 1;
    }
    if (r < 0 && !e->code)
        return err_set(e, r, "NBD client went away");
    if (c->contexts_export != c->export)
        c->contexts_n = 0;
    return r;
}
