/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VNC inside TLS: VeNCrypt 0.2, which libvncserver has not (the community's rfbproto, "VeNCrypt"; RFC 6143, 7.1).  Each connection has
 * a thread here: it agrees with the viewer on TLS, makes the session, is to the server a viewer on a pair of sockets that wants the
 * same version, and from the password on relays what both say.  Connections to a WebSocket port begin with TLS, and all else is inside.
 */
#include "ui/vnc_priv.h"

#include "base/bytes.h"
#include "base/tls.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { SEC_NONE = 1, SEC_VNC = 2, SEC_VENCRYPT = 19 };
enum { TLS_NONE = 257, TLS_VNC, X509_NONE = 260, X509_VNC }; /* VeNCrypt's subtypes */
enum { GREETING = 12, HANDSHAKE_MS = 10000, LAST_MS = 1000, RELAY_BUFFER = 64 << 10 };

struct vnc_relay {
    struct vnc_relay *next; /* main loop's */
    struct vnc *v;
    int fd; /* the viewer's; closed when the thread has been joined */
    bool websocket;
    void *session;
    struct vnc_peer peer;
    pthread_t thread;
    atomic_bool ended;

    /* The thread's. */
    int64_t deadline;
    int inner; /* our end of the pair */
    char version[GREETING];
};

/* Bytes on their way. */
struct pipe {
    uint8_t *data;
    size_t from, to;
    bool over; /* nothing more will come */
};

static int64_t now_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* False: the time is over. */
static bool ready(struct vnc_relay *r, int fd, short events)
{
    for (;;) {
        int64_t left = r->deadline - now_ms();
        struct pollfd p = {fd, events, 0};
        int n = left > 0 ? poll(&p, 1, (int)left) : 0;

        if (n >= 0 || errno != EINTR)
            return n > 0;
    }
}

/* --- The beginning, which is not encrypted --- */

static bool take(struct vnc_relay *r, int fd, void *buf, size_t len)
{
    for (uint8_t *p = buf; len;) {
        ssize_t n = ready(r, fd, POLLIN) ? read(fd, p, len) : 0;

        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

static bool give(struct vnc_relay *r, int fd, const void *buf, size_t len)
{
    for (const uint8_t *p = buf; len;) {
        ssize_t n = ready(r, fd, POLLOUT) ? write(fd, p, len) : -1;

        if (n < 0 && (errno == EAGAIN || errno == EINTR) && now_ms() < r->deadline)
            continue;
        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

/* 7.1.1: what a viewer without security types (3.3) is told. */
static bool too_old(struct vnc_relay *r)
{
    static const char why[] = "TLS is wanted: version 3.7 at least";
    uint8_t msg[8 + sizeof(why) - 1] = {0};

    put_be32(msg + 4, sizeof(why) - 1);
    memcpy(msg + 8, why, sizeof(why) - 1);
    give(r, r->fd, msg, sizeof(msg));
    return false;
}

static bool agree_on_version(struct vnc_relay *r)
{
    unsigned major, minor;
    char text[GREETING + 1] = "";

    if (!give(r, r->fd, "RFB 003.008\n", GREETING) || !take(r, r->fd, text, GREETING) ||
        sscanf(text, "RFB %3u.%3u\n", &major, &minor) != 2 || major != 3)
        return false;
    memcpy(r->version, minor >= 8 ? "RFB 003.008\n" : "RFB 003.007\n", GREETING);
    return minor >= 7 || too_old(r);
}

static uint32_t subtype(const struct vnc *v)
{
    return v->tls_anon ? v->wants_password ? TLS_VNC : TLS_NONE : v->wants_password ? X509_VNC : X509_NONE;
}

static bool agree_on_tls(struct vnc_relay *r)
{
    uint8_t in[4], offer[5] = {1};
    bool good;

    if (!give(r, r->fd, (uint8_t[]){1, SEC_VENCRYPT}, 2) || !take(r, r->fd, in, 1) || in[0] != SEC_VENCRYPT)
        return false;
    if (!give(r, r->fd, (uint8_t[]){0, 2}, 2) || !take(r, r->fd, in, 2)) /* version 0.2 */
        return false;
    good = in[0] == 0 && in[1] == 2;
    if (!give(r, r->fd, (uint8_t[]){!good}, 1) || !good)
        return false;
    put_be32(offer + 1, subtype(r->v));
    if (!give(r, r->fd, offer, sizeof(offer)) || !take(r, r->fd, in, 4))
        return false;
    good = get_be32(in) == subtype(r->v);
    return give(r, r->fd, (uint8_t[]){good}, 1) && good;
}

static bool handshake(struct vnc_relay *r)
{
    const struct tls_provider *tls = r->v->env->tls;
    int n;

    while ((n = tls->handshake(r->session, ERR_IGNORE)) == -EAGAIN)
        if (!ready(r, r->fd, tls->wants_write(r->session) ? POLLOUT : POLLIN))
            return false;
    if (!n && !tls->identity(r->session, r->peer.name, sizeof(r->peer.name)))
        r->peer.name[0] = 0;
    return !n;
}

/* --- The server inside --- */

static bool call_server(struct vnc_relay *r)
{
    int fd[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fd) < 0)
        return false;
    r->inner = fd[0];
    return vnc_begin(r->v, fd[1], &r->peer, false);
}

/* What the viewer need not know: it has chosen already. */
static bool introduce(struct vnc_relay *r)
{
    uint8_t types[256], n, mine = r->v->wants_password ? SEC_VNC : SEC_NONE;

    return take(r, r->inner, types, GREETING) && give(r, r->inner, r->version, GREETING) && take(r, r->inner, &n, 1) &&
           take(r, r->inner, types, n) && memchr(types, mine, n) && give(r, r->inner, &mine, 1);
}

/* --- Relaying --- */

static ssize_t read_some(struct vnc_relay *r, bool out, void *buf, size_t len)
{
    ssize_t n = out ? read(r->inner, buf, len) : r->v->env->tls->read(r->session, buf, len);

    return n < 0 && out ? -errno : n;
}

static ssize_t write_some(struct vnc_relay *r, bool out, const void *buf, size_t len)
{
    ssize_t n = out ? r->v->env->tls->write(r->session, buf, len) : write(r->inner, buf, len);

    return n < 0 && !out ? -errno : n;
}

/* From one side to the other (@out: to the viewer) as far as it goes; false: an end. */
static bool move(struct vnc_relay *r, struct pipe *p, bool out)
{
    for (;;) {
        ssize_t n;

        if (p->from == p->to && !p->over) {
            n = read_some(r, out, p->data, RELAY_BUFFER);
            if (n == -EAGAIN || n == -EINTR)
                return true;
            p->over = n <= 0;
            p->from = 0;
            p->to = n > 0 ? (size_t)n : 0;
        }
        if (p->from == p->to)
            return false;
        n = write_some(r, out, p->data + p->from, p->to - p->from);
        if (n == -EAGAIN || n == -EINTR)
            return true;
        if (n <= 0)
            return false;
        p->from += (size_t)n;
    }
}

static bool waiting(const struct pipe *p)
{
    return p->from != p->to;
}

/* Until one side ends.  What the server says last (why it refuses) still goes out, for a moment. */
static void relay(struct vnc_relay *r)
{
    static const bool OUT = true;
    struct pipe out = {.data = malloc(RELAY_BUFFER)}, in = {.data = malloc(RELAY_BUFFER)};
    const struct tls_provider *tls = r->v->env->tls;

    if (!out.data || !in.data)
        fatal("out of memory");
    while (move(r, &out, OUT) && move(r, &in, !OUT)) {
        bool outward = waiting(&out), inward = waiting(&in);
        struct pollfd p[2] = {{r->fd, 0, 0}, {r->inner, 0, 0}};

        p[0].events = (short)((inward ? 0 : POLLIN) | (outward || tls->wants_write(r->session) ? POLLOUT : 0));
        p[1].events = (short)((outward ? 0 : POLLIN) | (inward ? POLLOUT : 0));
        if (poll(p, 2, -1) < 0 && errno != EINTR)
            break;
        if (outward && p[1].revents & (POLLHUP | POLLERR)) { /* the server has gone */
            r->deadline = now_ms() + LAST_MS;
            while (waiting(&out) && ready(r, r->fd, POLLOUT) && move(r, &out, OUT))
                continue;
            break;
        }
    }
    free(out.data);
    free(in.data);
}

static void *serve(void *relay_)
{
    struct vnc_relay *r = relay_;

    r->deadline = now_ms() + HANDSHAKE_MS;
    if ((r->websocket || (agree_on_version(r) && agree_on_tls(r))) && handshake(r) && call_server(r) && (r->websocket || introduce(r)))
        relay(r);
    if (r->inner >= 0)
        close(r->inner);
    r->v->env->tls->end(r->session);
    shutdown(r->fd, SHUT_RDWR);
    atomic_store(&r->ended, true);
    return NULL;
}

/* --- The main loop's --- */

int vnc_tls_init(struct vnc *v, const struct vnc_options *o, struct err *e)
{
    const struct tls_provider *tls = v->env->tls;

    if (!o->tls_creds)
        return 0;
    if (!tls)
        return err_set(e, -ENOENT, "No TLS credentials with id '%s'", o->tls_creds);
    if (tls->check(v->env->tls_opaque, o->tls_creds, true, e) < 0)
        return e->code;
    v->tls_anon = tls->anonymous(v->env->tls_opaque, o->tls_creds);
    v->tls = strdup(o->tls_creds);
    v->tls_authz = o->tls_authz ? strdup(o->tls_authz) : NULL;
    return 0;
}

/* Relays that have ended, or (@all) all of them, made to.  How many are left. */
static unsigned reap(struct vnc *v, bool all)
{
    unsigned left = 0;

    for (struct vnc_relay **at = &v->relays, *r; (r = *at);) {
        if (!all && !atomic_load(&r->ended)) {
            at = &r->next;
            left++;
            continue;
        }
        *at = r->next;
        if (!atomic_load(&r->ended))
            shutdown(r->fd, SHUT_RDWR);
        pthread_join(r->thread, NULL);
        close(r->fd);
        free(r);
    }
    return left;
}

void vnc_tls_begin(struct vnc *v, int fd, bool websocket)
{
    struct sock_addr peer = sock_peer(fd);
    struct vnc_relay *r;

    if (reap(v, false) >= VNC_CLIENTS || !(r = calloc(1, sizeof(*r)))) {
        close(fd);
        return;
    }
    *r = (struct vnc_relay){.next = v->relays, .v = v, .fd = fd, .websocket = websocket, .inner = -1};
    vnc_peer_address(&r->peer, &peer);
    r->session = v->env->tls->start(v->env->tls_opaque, v->tls, true, fd, NULL, v->tls_authz, ERR_IGNORE);
    if (r->session && !pthread_create(&r->thread, NULL, serve, r)) {
        v->relays = r;
        return;
    }
    if (r->session)
        v->env->tls->end(r->session);
    close(fd);
    free(r);
}

void vnc_tls_fini(struct vnc *v)
{
    reap(v, true);
    free(v->tls);
    free(v->tls_authz);
}
