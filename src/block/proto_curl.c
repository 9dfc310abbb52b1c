/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * driver=http, https, ftp, ftps: a file that a server lets us read in parts (RFC 9110, 14 "Range Requests";
 * RFC 3659, REST).  libcurl speaks; what it fetches is a window of some hundred KiB, kept for the next read.
 */
#include "block/driver.h"
#include "block/lazy_curl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <strings.h>

enum { WINDOWS = 8, REDIRECTS_MAX = 8, READAHEAD_MAX = 64 << 20, TIMEOUT_MAX = 100000 };

struct curl_opts {
    char *url, *username, *password_secret, *proxy_username, *proxy_password_secret;
    char *cookie, *cookie_secret;
    uint64_t readahead, timeout;
    bool sslverify;
};

/* struct window - a part of the file, and the connection that fetches it. */
struct window {
    CURL *curl;
    unsigned char *buf;
    uint64_t off, len; /* [lock] what @buf holds; len 0: nothing */
    uint64_t used;     /* [lock] when, in requests */
    bool busy;         /* [lock] being filled or copied from */
};

struct curl_node {
    struct curl_opts o;
    char *password, *proxy_password; /* or NULL */
    bool ranges;                     /* the server said so */
    pthread_mutex_t lock;
    pthread_cond_t idle;
    uint64_t clock; /* [lock] */
    struct window window[WINDOWS];
};

static const struct field curl_fields[] = {
    FIELD(curl_opts, url, F_STR, "url", NULL, "URL to open"),
    FIELD(curl_opts, readahead, F_SIZE, "readahead", "256K", "bytes to read at once"),
    FIELD(curl_opts, sslverify, F_BOOL, "sslverify", "on", "verify the server's certificate"),
    FIELD(curl_opts, timeout, F_U64, "timeout", "5", "seconds to wait for the server"),
    FIELD(curl_opts, cookie, F_STR, "cookie", NULL, "cookies to send"),
    FIELD(curl_opts, cookie_secret, F_STR, "cookie-secret", NULL, "secret with the cookies"),
    FIELD(curl_opts, username, F_STR, "username", NULL, "user for the server"),
    FIELD(curl_opts, password_secret, F_STR, "password-secret", NULL, "secret with the password"),
    FIELD(curl_opts, proxy_username, F_STR, "proxy-username", NULL, "user for the proxy"),
    FIELD(curl_opts, proxy_password_secret, F_STR, "proxy-password-secret", NULL,
          "secret with the proxy's password"),
    FIELD_END,
};

/* Talking ---------------------------------------------------------------------------------------- */

/* struct answer - where a transfer goes; what does not fit ends it. */
struct answer {
    unsigned char *buf;
    uint64_t len, max;
};

static size_t take(char *data, size_t size, size_t n, void *opaque)
{
    struct answer *a = opaque;

    n *= size;
    if (n > a->max - a->len)
        return 0;
    memcpy(a->buf + a->len, data, n);
    a->len += n;
    return n;
}

/* FTP makes headers up, and gives them to whom bodies go. */
static size_t drop(char *data, size_t size, size_t n, void *opaque)
{
    return size * n;
}

static size_t take_header(char *data, size_t size, size_t n, void *opaque)
{
    struct curl_node *c = opaque;

    n *= size;
    if (n > 14 && !strncasecmp(data, "accept-ranges:", 14))
        for (size_t i = 14; i + 5 <= n; i++)
            if (!strncasecmp(data + i, "bytes", 5))
                c->ranges = true;
    return n;
}

static CURL *handle_new(struct blk *b, struct err *e)
{
    const struct curl_node *c = b->state;
    CURL *h = curl_easy_init();
    char protocols[8];
    bool ok;

    if (!h)
        fatal("out of memory");
    snprintf(protocols, sizeof(protocols), "%s", b->drv->name);
    ok = !curl_easy_setopt(h, CURLOPT_URL, c->o.url) &&
         !curl_easy_setopt(h, CURLOPT_PROTOCOLS_STR, protocols) &&
         !curl_easy_setopt(h, CURLOPT_REDIR_PROTOCOLS_STR, "http,https") &&
         !curl_easy_setopt(h, CURLOPT_FOLLOWLOCATION, 1L) &&
         !curl_easy_setopt(h, CURLOPT_MAXREDIRS, (long)REDIRECTS_MAX) &&
         !curl_easy_setopt(h, CURLOPT_NOSIGNAL, 1L) &&
         !curl_easy_setopt(h, CURLOPT_FAILONERROR, 1L) &&
         !curl_easy_setopt(h, CURLOPT_CONNECTTIMEOUT, (long)c->o.timeout) &&
         !curl_easy_setopt(h, CURLOPT_LOW_SPEED_LIMIT, 1L) && /* a silent server, not a slow one */
         !curl_easy_setopt(h, CURLOPT_LOW_SPEED_TIME, (long)c->o.timeout) &&
         !curl_easy_setopt(h, CURLOPT_SSL_VERIFYPEER, (long)c->o.sslverify) &&
         !curl_easy_setopt(h, CURLOPT_SSL_VERIFYHOST, c->o.sslverify ? 2L : 0L) &&
         !curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, take);
    if (c->o.cookie)
        ok = ok && !curl_easy_setopt(h, CURLOPT_COOKIE, c->o.cookie);
    if (c->o.username)
        ok = ok && !curl_easy_setopt(h, CURLOPT_USERNAME, c->o.username);
    if (c->password)
        ok = ok && !curl_easy_setopt(h, CURLOPT_PASSWORD, c->password);
    if (c->o.proxy_username)
        ok = ok && !curl_easy_setopt(h, CURLOPT_PROXYUSERNAME, c->o.proxy_username);
    if (c->proxy_password)
        ok = ok && !curl_easy_setopt(h, CURLOPT_PROXYPASSWORD, c->proxy_password);
    if (ok)
        return h;
    curl_easy_cleanup(h);
    err_set(e, -EINVAL, "Protocol '%s' not supported by the libcurl of this machine", b->drv->name);
    return NULL;
}

static int curl_fail(const char *what, CURLcode code, const char *text, struct err *e)
{
    return err_set(e, code == CURLE_OPERATION_TIMEDOUT ? -ETIMEDOUT : -EIO, "CURL: Error %s: %s",
                   what, *text ? text : curl_easy_strerror(code));
}

/* [off, off+len) into @buf. */
static int fetch(struct blk *b, CURL *h, uint64_t off, uint64_t len, unsigned char *buf,
                 struct err *e)
{
    struct answer a = {.buf = buf, .max = len};
    char range[64], text[CURL_ERROR_SIZE] = "";
    long status = 0;
    CURLcode code;

    snprintf(range, sizeof(range), "%" PRIu64 "-%" PRIu64, off, off + len - 1);
    curl_easy_setopt(h, CURLOPT_RANGE, range);
    curl_easy_setopt(h, CURLOPT_WRITEDATA, &a);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, text);
    code = curl_easy_perform(h);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, NULL);
    curl_easy_getinfo(h, CURLINFO_RESPONSE_CODE, &status);
    if (!strncmp(b->drv->name, "http", 4) && status == 200 && off + len != len)
        return err_set(e, -EIO, "CURL: the server sent the whole file instead of a part");
    if (code && !(code == CURLE_WRITE_ERROR && a.len == len)) /* it may go on sending: we do not */
        return curl_fail("reading", code, text, e);
    if (a.len != len)
        return err_set(e, -EIO, "CURL: the server sent %" PRIu64 " of %" PRIu64 " bytes", a.len,
                       len);
    return 0;
}

/* Windows ---------------------------------------------------------------------------------------- */

/* The window that holds @off, or the one longest unused; waits while all are busy.  It is busy then. */
static struct window *window_get(struct curl_node *c, uint64_t off)
{
    struct window *best;

    pthread_mutex_lock(&c->lock);
    for (;;) {
        best = NULL;
        for (int i = 0; i < WINDOWS; i++) {
            struct window *w = &c->window[i];

            if (!w->busy && off >= w->off && off - w->off < w->len) {
                best = w;
                break;
            }
            if (!w->busy && (!best || w->used < best->used))
                best = w;
        }
        if (best)
            break;
        pthread_cond_wait(&c->idle, &c->lock);
    }
    best->busy = true;
    best->used = ++c->clock;
    pthread_mutex_unlock(&c->lock);
    return best;
}

static void window_put(struct curl_node *c, struct window *w)
{
    pthread_mutex_lock(&c->lock);
    w->busy = false;
    pthread_cond_signal(&c->idle);
    pthread_mutex_unlock(&c->lock);
}

static int window_fill(struct blk *b, struct window *w, uint64_t off, struct err *e)
{
    struct curl_node *c = b->state;
    uint64_t len = min_u64(c->o.readahead, b->size - off);
    int r;

    if (!w->curl && !(w->curl = handle_new(b, e)))
        return e->code;
    if (!w->buf && !(w->buf = malloc(c->o.readahead)))
        return err_set(e, -ENOMEM, "out of memory for %" PRIu64 " bytes", c->o.readahead);
    r = fetch(b, w->curl, off, len, w->buf, e);
    pthread_mutex_lock(&c->lock);
    w->off = off;
    w->len = r < 0 ? 0 : len;
    pthread_mutex_unlock(&c->lock);
    return r;
}

static int read_flat(struct blk *b, uint64_t off, uint64_t len, unsigned char *to, struct err *e)
{
    struct curl_node *c = b->state;

    while (len) {
        struct window *w = window_get(c, off);
        int r = off >= w->off && off - w->off < w->len ? 0 : window_fill(b, w, off, e);
        uint64_t n = r < 0 ? 0 : min_u64(len, w->len - (off - w->off));

        memcpy(to, w->buf ? w->buf + (off - w->off) : to, n);
        window_put(c, w);
        if (r < 0)
            return r;
        to += n;
        off += n;
        len -= n;
    }
    return 0;
}

static int curl_readv(struct blk *b, uint64_t off, const struct iovec *iov, int n, struct err *e)
{
    int r = 0;

    for (int i = 0; i < n && r >= 0; off += iov[i++].iov_len)
        r = read_flat(b, off, iov[i].iov_len, iov[i].iov_base, e);
    return r;
}

/* Opening ---------------------------------------------------------------------------------------- */

/* A secret as text; NULL (0) when there is none to get. */
static int get_text(struct blk *b, const char *id, char **text, struct err *e)
{
    size_t len;

    return id ? blk_env_secret(b->env, id, (unsigned char **)text, &len, e) : 0;
}

static int check_options(struct blk *b, struct err *e)
{
    struct curl_node *c = b->state;
    struct curl_opts *o = &c->o;
    size_t n = strlen(b->drv->name);
    int r;

    if (!o->url)
        return err_set(e, -EINVAL, "curl block driver requires an 'url' option");
    if (strncasecmp(o->url, b->drv->name, n) || strncmp(o->url + n, "://", 3))
        return err_set(e, -EINVAL,
                       "%s curl driver cannot handle the URL '%s' (does not start with '%s://')",
                       b->drv->name, o->url, b->drv->name);
    if (!o->readahead || o->readahead % 512)
        return err_set(e, -EINVAL, "HTTP_READAHEAD_SIZE %" PRIu64 " is not a multiple of 512",
                       o->readahead);
    if (o->readahead > READAHEAD_MAX)
        return err_set(e, -EINVAL, "readahead is more than %d bytes", READAHEAD_MAX);
    if (o->timeout > TIMEOUT_MAX)
        return err_set(e, -EINVAL, "timeout parameter is too large or negative");
    if (o->cookie && o->cookie_secret)
        return err_set(e, -EINVAL, "curl driver cannot handle both cookie and cookie secret");
    if ((r = get_text(b, o->cookie_secret, &o->cookie, e)) < 0 ||
        (r = get_text(b, o->password_secret, &c->password, e)) < 0)
        return r;
    return get_text(b, o->proxy_password_secret, &c->proxy_password, e);
}

/* The size, and whether parts can be had. */
static int ask_server(struct blk *b, struct err *e)
{
    struct curl_node *c = b->state;
    char text[CURL_ERROR_SIZE] = "";
    CURL *h = handle_new(b, e);
    curl_off_t size = -1;
    CURLcode code;

    if (!h)
        return e->code;
    curl_easy_setopt(h, CURLOPT_NOBODY, 1L);
    curl_easy_setopt(h, CURLOPT_WRITEFUNCTION, drop);
    curl_easy_setopt(h, CURLOPT_HEADERFUNCTION, take_header);
    curl_easy_setopt(h, CURLOPT_HEADERDATA, c);
    curl_easy_setopt(h, CURLOPT_ERRORBUFFER, text);
    code = curl_easy_perform(h);
    curl_easy_getinfo(h, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &size);
    curl_easy_cleanup(h);
    if (code)
        return curl_fail("opening file", code, text, e);
    if (size < 0)
        return err_set(e, -EIO, "CURL: Error opening file: Server didn't report file size.");
    if (!strncmp(b->drv->name, "http", 4) && !c->ranges)
        return err_set(e, -EINVAL,
                       "CURL: Error opening file: Server does not support 'range' (byte ranges).");
    b->size = (uint64_t)size;
    return 0;
}

static void curl_free_node(struct curl_node *c)
{
    for (int i = 0; i < WINDOWS; i++) {
        if (c->window[i].curl)
            curl_easy_cleanup(c->window[i].curl);
        free(c->window[i].buf);
    }
    if (c->password)
        explicit_bzero(c->password, strlen(c->password));
    if (c->proxy_password)
        explicit_bzero(c->proxy_password, strlen(c->proxy_password));
    free(c->password);
    free(c->proxy_password);
    fields_free(curl_fields, &c->o);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->idle);
}

static void curl_begin(void)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
}

static int curl_open(struct blk *b, struct json_object *opts, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct curl_node *c = b->state;
    int r;

    if (lazy_curl_load(e) < 0)
        return e->code;
    pthread_once(&once, curl_begin);
    json_object_object_del(opts, "filename");
    if ((r = fields_take(curl_fields, opts, &c->o, e)) < 0)
        return r;
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->idle, NULL);
    r = check_options(b, e);
    if (r >= 0 && (b->flags & BLK_RDWR) && !(b->flags & BLK_AUTO_READ_ONLY))
        r = err_set(e, -EROFS, "curl driver does not support writes");
    if (r >= 0)
        r = ask_server(b, e);
    if (r < 0) {
        curl_free_node(c);
        return r;
    }
    b->flags &= ~(unsigned)BLK_RDWR;
    return 0;
}

static int curl_close(struct blk *b, struct err *e)
{
    (void)e;
    curl_free_node(b->state);
    return 0;
}

static int curl_parse_name(const char *name, struct json_object *opts, struct err *e)
{
    (void)e;
    json_object_object_add(opts, "url", json_object_new_string(name));
    return 0;
}

static char *curl_make_name(struct blk *b)
{
    const struct curl_opts *o = &((struct curl_node *)b->state)->o;

    if (!o->sslverify || o->cookie || o->username || o->password_secret || o->proxy_username ||
        o->proxy_password_secret)
        return NULL;
    return strdup(o->url);
}

static int64_t curl_disk_size(struct blk *b)
{
    (void)b;
    return -ENOTSUP;
}

static const struct blk_io_ops curl_io = {
    .readv = curl_readv,
    .disk_size = curl_disk_size,
};

#define CURL_DRIVER(name_)                                                                         \
    static const char *const name_##_prefixes[] = {#name_, NULL};                                  \
    const struct blk_driver proto_##name_ = {                                                      \
        .name = #name_,                                                                            \
        .help = "a file that can be read by " #name_,                                              \
        .kind = BLK_PROTOCOL,                                                                      \
        .no_info = true,                                                                           \
        .state_size = sizeof(struct curl_node),                                                    \
        .open_opts = curl_fields,                                                                  \
        .how = (const char *const[]){"readahead", "timeout", NULL},                                \
        .prefixes = name_##_prefixes,                                                              \
        .parse_name = curl_parse_name,                                                             \
        .make_name = curl_make_name,                                                               \
        .open = curl_open,                                                                         \
        .close = curl_close,                                                                       \
        .io = &curl_io,                                                                            \
    }

CURL_DRIVER(http);
CURL_DRIVER(https);
CURL_DRIVER(ftp);
CURL_DRIVER(ftps);
