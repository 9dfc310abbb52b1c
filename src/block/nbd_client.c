/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NBD client: threads that wait for replies take turns at the socket.
 *
 * One of those who wait is the leader: it polls, and feeds libnbd, which calls back when a reply is
 * complete, whoever waits for it.  When the leader's own requests are answered it passes the lead on.
 * So a lone thread never pays for a second one.
 */
#include "block/nbd_client.h"

#include "block/nbd.h"
#include "block/tls_creds.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct waiter {
    pthread_cond_t cond;
    unsigned left; /* requests not yet answered */
    struct waiter *next;
};

struct nbd_link {
    struct nbd_handle *h; /* has its own lock, taken inside or outside of nothing */
    int wake;             /* eventfd: the leader looks at the socket anew */
    pthread_mutex_t lock;
    bool led;               /* [lock] somebody polls */
    struct waiter *waiters; /* [lock] */
};

/* libnbd's last error in this thread. */
static int nbd_fail(struct err *e, const char *what)
{
    const char *why = nbd_get_error();
    int code = nbd_get_errno();

    return err_set(e, code ? -code : -EIO, "%s: %s", what, why ? why : "unknown error");
}

/* Connecting ------------------------------------------------------------------------------------- */

int nbd_client_tls(struct nbd_handle *h, struct tls_creds *creds, struct err *e)
{
    struct tls_paths p;
    char *file = NULL;
    int r;

    if (!creds)
        return 0;
    p = tls_creds_paths(creds);
    if (nbd_set_tls(h, LIBNBD_TLS_REQUIRE) < 0 || nbd_set_tls_verify_peer(h, p.verify_peer) < 0 ||
        (p.username && nbd_set_tls_username(h, p.username) < 0))
        return nbd_fail(e, "TLS");
    if (!p.psk)
        return p.dir && nbd_set_tls_certificates(h, p.dir) < 0 ? nbd_fail(e, "TLS") : 0;
    if (asprintf(&file, "%s/keys.psk", p.dir ? p.dir : "") < 0)
        fatal("out of memory");
    r = nbd_set_tls_psk_file(h, file) < 0 ? nbd_fail(e, "TLS") : 0;
    free(file);
    return r;
}

static int connect_fail(const struct nbd_target *t, struct err *e)
{
    int code = nbd_get_errno();
    const char *why = code ? strerror(code) : nbd_get_error();

    return err_set(e, code ? -code : -EIO, "Failed to connect to '%s%s%s': %s",
                   t->path ? t->path : t->host, t->path ? "" : ":", t->path ? "" : t->port,
                   why ? why : "unknown error");
}

/* Old servers take the name without an answer: they are ready already. */
static int choose_export(struct nbd_handle *h, const struct nbd_target *t, struct err *e)
{
    if (nbd_aio_is_negotiating(h) <= 0 || nbd_opt_go(h) >= 0)
        return 0;
    if (nbd_get_errno() != ENOENT)
        return nbd_fail(e, "NBD server");
    return err_set(e, -ENOENT,
                   "Requested export not available\n"
                   "server reported: export '%s' not present",
                   t->export);
}

static int set_up(struct nbd_handle *h, const struct nbd_target *t, struct err *e)
{
    int r;

    if (nbd_set_export_name(h, t->export) < 0 || nbd_add_meta_context(h, t->context) < 0 ||
        nbd_set_pread_initialize(h, false) < 0 || nbd_set_opt_mode(h, true) < 0)
        return nbd_fail(e, "NBD");
    if ((r = nbd_client_tls(h, t->tls, e)) < 0)
        return r;
    r = t->path ? nbd_connect_unix(h, t->path) : nbd_connect_tcp(h, t->host, t->port);
    return r < 0 ? connect_fail(t, e) : choose_export(h, t, e);
}

struct nbd_link *nbd_link_open(const struct nbd_target *t, struct err *e)
{
    if (lazy_nbd_load(e) < 0)
        return NULL;
    struct nbd_link *l = calloc(1, sizeof(*l));

    if (!l || !(l->h = nbd_create()))
        fatal("out of memory");
    pthread_mutex_init(&l->lock, NULL);
    if ((l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
        err_set(e, -errno, "eventfd: %s", strerror(errno));
    else if (set_up(l->h, t, e) >= 0)
        return l;
    nbd_link_close(l);
    return NULL;
}

void nbd_link_close(struct nbd_link *l)
{
    if (nbd_aio_is_ready(l->h) > 0)
        nbd_shutdown(l->h, 0);
    nbd_close(l->h);
    if (l->wake >= 0)
        close(l->wake);
    pthread_mutex_destroy(&l->lock);
    free(l);
}

struct nbd_handle *nbd_link_handle(struct nbd_link *l)
{
    return l->h;
}

/* Requests --------------------------------------------------------------------------------------- */

/* struct issued - a request with who waits for it. */
struct issued {
    struct nbd_op *op;
    struct waiter *who;
};

/* libnbd: the reply is complete (or never comes).  In whichever thread leads. */
static int on_reply(void *opaque, int *error)
{
    struct issued *i = opaque;
    struct nbd_link *l = i->op->link;

    pthread_mutex_lock(&l->lock);
    i->op->error = *error;
    i->op->done = true;
    if (!--i->who->left)
        pthread_cond_signal(&i->who->cond);
    pthread_mutex_unlock(&l->lock);
    return 1; /* nobody asks for it again */
}

static int on_extent(void *opaque, const char *context, uint64_t off, uint32_t *entries, size_t n,
                     int *error)
{
    struct nbd_op *op = opaque;

    (void)context;
    (void)error;
    if (n >= 2 && off == op->off) {
        op->extent_len = entries[0];
        op->extent_flags = entries[1];
    }
    return 0;
}

static int64_t issue(struct nbd_link *l, struct issued *i)
{
    nbd_completion_callback done = {.callback = on_reply, .user_data = i};
    struct nbd_op *op = i->op;

    op->link = l;
    op->done = false;
    op->error = 0;
    switch (op->kind) {
    case NBD_OP_READ: return nbd_aio_pread(l->h, op->buf, op->len, op->off, done, op->flags);
    case NBD_OP_WRITE: return nbd_aio_pwrite(l->h, op->buf, op->len, op->off, done, op->flags);
    case NBD_OP_ZERO: return nbd_aio_zero(l->h, op->len, op->off, done, op->flags);
    case NBD_OP_TRIM: return nbd_aio_trim(l->h, op->len, op->off, done, op->flags);
    case NBD_OP_FLUSH: return nbd_aio_flush(l->h, done, op->flags);
    case NBD_OP_STATUS: {
        nbd_extent_callback extent = {.callback = on_extent, .user_data = op};

        op->extent_len = 0;
        return nbd_aio_block_status(l->h, op->len, op->off, extent, done, op->flags);
    }
    }
    return -1;
}

/* Wait for the socket, and let libnbd go on. */
static void lead(struct nbd_link *l)
{
    unsigned dir = nbd_aio_get_direction(l->h);
    uint64_t count;
    struct pollfd p[2] = {
        {.fd = nbd_aio_get_fd(l->h),
         .events = (short)((dir & LIBNBD_AIO_DIRECTION_READ ? POLLIN : 0) |
                           (dir & LIBNBD_AIO_DIRECTION_WRITE ? POLLOUT : 0))},
        {.fd = l->wake, .events = POLLIN},
    };

    if (poll(p, 2, -1) < 0)
        return;
    if (p[1].revents && read(l->wake, &count, sizeof(count)) < 0)
        return; /* somebody else's turn took it */
    if ((dir & LIBNBD_AIO_DIRECTION_READ) && (p[0].revents & ~POLLOUT))
        nbd_aio_notify_read(l->h);
    else if ((dir & LIBNBD_AIO_DIRECTION_WRITE) && p[0].revents)
        nbd_aio_notify_write(l->h);
}

static void wake_leader(struct nbd_link *l)
{
    if (write(l->wake, &(uint64_t){1}, sizeof(uint64_t)) < 0)
        return; /* the counter is full: it is awake */
}

static bool is_gone(struct nbd_link *l)
{
    return nbd_aio_is_dead(l->h) || nbd_aio_is_closed(l->h);
}

/* Until all of @w's requests are answered; leads when nobody else does. */
static void wait_for(struct nbd_link *l, struct waiter *w)
{
    struct waiter **at;

    pthread_mutex_lock(&l->lock);
    w->next = l->waiters;
    l->waiters = w;
    while (w->left) {
        if (l->led) {
            pthread_cond_wait(&w->cond, &l->lock);
            continue;
        }
        l->led = true;
        while (w->left) {
            pthread_mutex_unlock(&l->lock);
            lead(l); /* when the connection dies, libnbd answers all */
            pthread_mutex_lock(&l->lock);
        }
        l->led = false;
    }
    for (at = &l->waiters; *at != w; at = &(*at)->next)
        ;
    *at = w->next;
    if (!l->led && l->waiters)
        pthread_cond_signal(&l->waiters->cond);
    pthread_mutex_unlock(&l->lock);
}

static int op_error(struct nbd_link *l, const struct nbd_op *op, struct err *e)
{
    if (is_gone(l))
        return err_set(e, -ESHUTDOWN, "the connection to the NBD server is lost");
    return err_set(e, -op->error, "NBD server: %s", strerror(op->error));
}

int nbd_link_run(struct nbd_link *l, struct nbd_op *ops, int n, struct err *e)
{
    struct waiter w = {.cond = PTHREAD_COND_INITIALIZER, .left = (unsigned)n};
    struct issued few[16], *list = n <= 16 ? few : calloc((size_t)n, sizeof(*list));
    int r = 0, refused = 0;

    if (!list)
        fatal("out of memory");
    for (int i = 0; i < n; i++) {
        list[i] = (struct issued){&ops[i], &w};
        if (issue(l, &list[i]) < 0) {
            if (!refused++)
                r = is_gone(l) ? err_set(e, -ESHUTDOWN, "the connection to the NBD server is lost")
                               : nbd_fail(e, "NBD");
            ops[i].done = true;
            ops[i].error = 0;
        }
    }
    if (nbd_aio_get_direction(l->h) & LIBNBD_AIO_DIRECTION_WRITE)
        wake_leader(l);
    if (refused) {
        pthread_mutex_lock(&l->lock);
        w.left -= (unsigned)refused;
        pthread_mutex_unlock(&l->lock);
    }
    wait_for(l, &w);
    for (int i = 0; i < n && !r; i++)
        if (ops[i].error)
            r = op_error(l, &ops[i], e);
    if (list != few)
        free(list);
    pthread_cond_destroy(&w.cond);
    return r;
}
