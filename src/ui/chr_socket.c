/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stream socket: one peer at a time, who connects to us or we to him; perhaps TLS, and telnet or WebSocket
 * inside.  Only the option wait=on and the first connection of a client block, both before the machine runs.
 *
 *     IDLE -> CONNECTING -> TLS -> REQUEST (of a WebSocket) -> OPEN -> IDLE
 */
#include "ui/chr_socket_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { CONNECT_MS = 30000 }; /* until a connection is there, with all its handshakes */

static void on_ready(void *opaque, int ready);
static void update(struct sock *s);

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* Does output go through the buffer?  TLS wants the same bytes again after -EAGAIN. */
static bool filtered(const struct sock *s)
{
    return s->telnet || s->websocket || s->session;
}

/* What is in the list of back ends ---------------------------------------------------------------- */

static const char *protocol(const struct sock *s)
{
    if (s->addrs.n && s->addrs.at[0].a.ss_family == AF_UNIX)
        return "unix";
    return s->telnet ? "telnet" : s->websocket ? "websocket" : s->fd_text ? "fd" : "tcp";
}

static void describe(struct sock *s, bool up)
{
    bool unix_path = !strcmp(protocol(s), "unix");
    struct sock_addr a = s->addrs.n ? s->addrs.at[0] : (struct sock_addr){0}, peer;
    char here[SOCK_TEXT], there[SOCK_TEXT] = "";

    if (s->listen_fd >= 0)
        a = sock_local(s->listen_fd);
    if (up && !unix_path) {
        a = sock_local(s->fd);
        peer = sock_peer(s->fd);
        sock_print(&peer, there);
    }
    sock_print(&a, here);
    chr_set_describe(&s->chr, "%s%s:%s%s%s%s%s", up ? "" : "disconnected:", protocol(s),
                     unix_path ? s->path : here,
                     s->abstract ? s->tight ? ",abstract=on,tight=on" : ",abstract=on" : "",
                     s->server ? ",server=on" : "", *there ? " <-> " : "", there);
}

/* Bytes ------------------------------------------------------------------------------------------- */

static ssize_t raw_read(struct sock *s, void *buf, size_t len)
{
    ssize_t r;

    if (s->session)
        return s->chr.env->tls->read(s->session, buf, len);
    do
        r = recv(s->fd, buf, len, MSG_DONTWAIT);
    while (r < 0 && errno == EINTR);
    return r < 0 ? errno == EWOULDBLOCK ? -EAGAIN : -errno : r;
}

static ssize_t raw_write(struct sock *s, const void *buf, size_t len)
{
    ssize_t r;

    if (s->session)
        return s->chr.env->tls->write(s->session, buf, len);
    do
        r = send(s->fd, buf, len, MSG_DONTWAIT | MSG_NOSIGNAL);
    while (r < 0 && errno == EINTR);
    return r < 0 ? errno == EWOULDBLOCK ? -EAGAIN : -errno : r;
}

/* The connection is over; front ends hear of it from the loop, not from within their own calls. */
static void break_off(struct sock *s)
{
    s->broken = true;
    loop_arm(s->timer, now());
}

static void flush(struct sock *s)
{
    while (s->out_at < s->out_len) {
        ssize_t r = raw_write(s, s->out + s->out_at, s->out_len - s->out_at);

        if (r == -EAGAIN)
            return;
        if (r <= 0) {
            break_off(s);
            return;
        }
        s->out_at += (size_t)r;
    }
    s->out_at = s->out_len = 0;
}

static size_t out_space(struct sock *s)
{
    if (s->out_at) {
        memmove(s->out, s->out + s->out_at, s->out_len - s->out_at);
        s->out_len -= s->out_at;
        s->out_at = 0;
    }
    return sizeof(s->out) - s->out_len;
}

/* Answers of a protocol.  Reading stops while half the buffer is full, so who makes it overflow means harm. */
static void reply(void *opaque, const uint8_t *buf, size_t len)
{
    struct sock *s = opaque;

    if (s->broken)
        return;
    if (out_space(s) < len) {
        break_off(s);
        return;
    }
    memcpy(s->out + s->out_len, buf, len);
    s->out_len += len;
}

static void on_break(void *opaque)
{
    chr_event(opaque, CHR_BREAK);
}

/* As much as the front end has room for, of what has been read: filters never make it more. */
static void deliver(struct sock *s)
{
    size_t n = min_u64(chr_room(&s->chr), s->in_len - s->in_at);
    uint8_t *p = s->in + s->in_at;
    long got = (long)n;

    s->in_at += n;
    if (s->telnet)
        got = (long)telnet_decode(&s->tn, p, n, p, &(struct telnet_out){reply, on_break, s});
    else if (s->websocket)
        got = ws_decode(&s->ws, p, n, p, &(struct ws_out){reply, s});
    if (got < 0 || s->ws.closed)
        break_off(s);
    if (got > 0)
        chr_put(&s->chr, p, (size_t)got);
}

static bool may_read(const struct sock *s)
{
    return !s->broken && s->out_len - s->out_at < sizeof(s->out) / 2 && chr_room(&s->chr);
}

static void read_some(struct sock *s)
{
    while (may_read(s) && s->in_at < s->in_len)
        deliver(s);
    if (!may_read(s))
        return;
    ssize_t r = raw_read(s, s->in, min_u64(chr_room(&s->chr), sizeof(s->in)));

    if (r == -EAGAIN)
        return;
    if (r <= 0) {
        break_off(s);
        return;
    }
    s->in_at = 0;
    s->in_len = (size_t)r;
    deliver(s);
}

/* One connection's life --------------------------------------------------------------------------- */

static void hang_up(struct sock *s)
{
    if (s->watch)
        loop_del_fd(s->watch);
    if (s->session)
        s->chr.env->tls->end(s->session);
    if (s->fd >= 0)
        close(s->fd);
    s->watch = NULL;
    s->session = NULL;
    s->fd = -1;
    s->stage = IDLE;
    s->broken = s->parked_hangup = false;
}

/* Back to waiting for a peer, or for the time to try again. */
static void disconnect(struct sock *s)
{
    bool was = s->chr.connected;

    hang_up(s);
    chr_event(&s->chr, CHR_CLOSED);
    describe(s, false);
    if (s->listen_watch)
        loop_set_fd(s->listen_watch, LOOP_READ);
    if (s->reconnect_ms)
        loop_arm(s->timer, now() + (int64_t)s->reconnect_ms * 1000000);
    if (was || s->wants_room) {
        s->wants_room = false;
        chr_has_room(&s->chr);
    }
}

static void open_now(struct sock *s)
{
    s->stage = OPEN;
    if (s->telnet)
        reply(s, telnet_hello, TELNET_HELLO);
    flush(s);
    describe(s, true);
    chr_event(&s->chr, CHR_OPENED);
}

static void start_request(struct sock *s)
{
    s->stage = REQUEST;
    if (!s->websocket)
        open_now(s);
}

static void go_on_tls(struct sock *s)
{
    struct err e = {0};
    int r = s->chr.env->tls->handshake(s->session, &e);

    if (!r)
        start_request(s);
    else if (r != -EAGAIN) {
        chr_note(&s->chr, "chardev '%s': %s", s->chr.id, e.msg);
        break_off(s);
    }
}

static void start_tls(struct sock *s)
{
    struct err e = {0};

    if (!s->tls_creds) {
        start_request(s);
        return;
    }
    s->session = s->chr.env->tls->start(s->chr.env->tls_opaque, s->tls_creds, s->server, s->fd,
                                        s->server ? NULL : s->host, s->tls_authz, &e);
    if (!s->session) {
        chr_note(&s->chr, "chardev '%s': %s", s->chr.id, e.msg);
        break_off(s);
        return;
    }
    s->stage = TLS;
    go_on_tls(s);
}

static void read_request(struct sock *s)
{
    char answer[WS_REPLY_MAX];
    struct err e = {0};
    ssize_t r = raw_read(s, s->in + s->in_len, sizeof(s->in) - s->in_len);
    size_t end;

    if (r == -EAGAIN)
        return;
    if (r > 0)
        s->in_len += (size_t)r;
    end = ws_request_end(s->in, s->in_len);
    if (r <= 0 || (!end && s->in_len == sizeof(s->in))) {
        break_off(s);
        return;
    }
    if (!end)
        return;
    r = ws_handshake((char *)s->in, end, answer, &e);
    reply(s, (uint8_t *)answer, strlen(answer));
    s->in_at = end;
    if (!r) {
        open_now(s);
        return;
    }
    flush(s);
    break_off(s);
}

/* @fd is connected, or will be. */
static void start(struct sock *s, int fd, bool done)
{
    int on = 1;

    s->fd = fd;
    s->in_at = s->in_len = s->out_at = s->out_len = 0;
    s->tn = (struct telnet){0};
    s->ws = (struct ws){0};
    s->broken = s->parked_hangup = false;
    if (s->nodelay)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    s->watch = loop_add_fd(s->chr.env->loop, fd, 0, on_ready, s);
    s->stage = CONNECTING;
    loop_arm(s->timer, now() + CONNECT_MS * INT64_C(1000000));
    if (s->listen_watch)
        loop_set_fd(s->listen_watch, 0);
    if (done)
        start_tls(s);
    update(s);
}

static void try_next(struct sock *s)
{
    while (s->addr_i < s->addrs.n) {
        int fd = sock_connect_start(&s->addrs, s->addr_i++);

        if (fd >= 0) {
            start(s, fd, false);
            return;
        }
    }
    s->addr_i = 0;
    loop_arm(s->timer, now() + (int64_t)s->reconnect_ms * 1000000);
}

static void connected(struct sock *s)
{
    if (!sock_result(s->fd)) {
        s->addr_i = 0;
        start_tls(s);
        return;
    }
    hang_up(s);
    try_next(s);
}

static void on_timer(void *opaque)
{
    struct sock *s = opaque;

    if (s->broken || (s->stage != IDLE && s->stage != OPEN)) /* or has not come up in time */
        disconnect(s);
    else if (s->stage == IDLE && s->reconnect_ms)
        try_next(s);
}

/* The front end takes nothing, and the peer is gone: nobody reads what would tell us so. */
static void on_parked_hangup(struct sock *s)
{
    char scrap;

    s->parked_hangup = true;
    if (!s->session && recv(s->fd, &scrap, 1, MSG_PEEK | MSG_DONTWAIT) == 0)
        break_off(s);
}

static void on_open_ready(struct sock *s, int ready)
{
    if (ready & LOOP_WRITE)
        flush(s);
    if ((ready & LOOP_WRITE) && s->wants_room && !s->out_len) {
        s->wants_room = false;
        chr_has_room(&s->chr);
    }
    if ((ready & LOOP_HANGUP) && !may_read(s))
        on_parked_hangup(s);
    read_some(s);
    while (s->session && may_read(s) && s->chr.env->tls->pending(s->session))
        read_some(s);
    flush(s);
}

static void step(struct sock *s, int ready)
{
    switch (s->stage) {
    case CONNECTING: connected(s); break;
    case TLS: go_on_tls(s); break;
    case REQUEST: read_request(s); break;
    case OPEN: on_open_ready(s, ready); break;
    case IDLE: break;
    }
}

/* What one stage has left, in a buffer that no poll tells of, is for the next. */
static void on_ready(void *opaque, int ready)
{
    struct sock *s = opaque;
    int before;

    do {
        before = (int)s->stage;
        if (!s->broken)
            step(s, ready);
    } while (!s->broken && (int)s->stage != before);
    update(s);
}

static int wanted_events(const struct sock *s)
{
    int writes = s->out_len || s->wants_room ? LOOP_WRITE : 0;

    switch (s->stage) {
    case CONNECTING: return LOOP_WRITE;
    case TLS: return s->chr.env->tls->wants_write(s->session) ? LOOP_WRITE : LOOP_READ;
    case REQUEST: return LOOP_READ | writes;
    case OPEN: return writes | (may_read(s) ? LOOP_READ : s->parked_hangup ? 0 : LOOP_HANGUP);
    case IDLE: break;
    }
    return 0;
}

static void update(struct sock *s)
{
    if (s->watch)
        loop_set_fd(s->watch, s->broken ? 0 : wanted_events(s));
}

static void on_peer(void *opaque, int ready)
{
    struct sock *s = opaque;
    int fd = sock_accept(s->listen_fd, NULL);

    if (fd < 0)
        return;
    if (s->stage == IDLE)
        start(s, fd, true);
    else
        close(fd);
}

/* For the core ------------------------------------------------------------------------------------ */

static void socket_wake(struct chr *c)
{
    struct sock *s = sock_of(c);

    if (s->stage == OPEN && !s->broken) {
        while (may_read(s) &&
               (s->in_at < s->in_len || (s->session && c->env->tls->pending(s->session))))
            read_some(s);
        flush(s);
    }
    update(s);
}

static size_t write_plain(struct sock *s, const uint8_t *buf, size_t len)
{
    size_t n = 0;

    while (n < len) {
        ssize_t r = raw_write(s, buf + n, len - n);

        if (r == -EAGAIN)
            return n;
        if (r <= 0) {
            break_off(s);
            return len;
        }
        n += (size_t)r;
    }
    return n;
}

static size_t write_filtered(struct sock *s, const uint8_t *buf, size_t len)
{
    size_t n = 0, k;

    while (n < len) {
        size_t space = out_space(s);

        /* A half stays for answers. */
        if (space <= sizeof(s->out) / 2 + WS_HEADER_MAX)
            break;
        k = min_u64(len - n, (space - sizeof(s->out) / 2 - WS_HEADER_MAX) / 2);
        if (!k)
            break;
        if (s->telnet) {
            s->out_len += telnet_encode(buf + n, k, s->out + s->out_len);
        } else {
            if (s->websocket)
                s->out_len += ws_header(k, s->out + s->out_len);
            memcpy(s->out + s->out_len, buf + n, k);
            s->out_len += k;
        }
        n += k;
        flush(s);
    }
    update(s);
    return s->broken ? len : n;
}

static size_t socket_write(struct chr *c, const uint8_t *buf, size_t len)
{
    struct sock *s = sock_of(c);

    if (s->stage != OPEN || s->broken)
        return len;
    return filtered(s) ? write_filtered(s, buf, len) : write_plain(s, buf, len);
}

static void socket_watch(struct chr *c)
{
    struct sock *s = sock_of(c);

    if (s->stage != OPEN || s->broken) {
        chr_has_room(c);
        return;
    }
    s->wants_room = true;
    update(s);
}

static int socket_wait_fd(struct chr *c)
{
    struct sock *s = sock_of(c);

    if (s->stage != OPEN || s->broken)
        return -1;
    flush(s);
    return s->fd;
}

static int listen_here(struct sock *s, struct err *e)
{
    if (s->fd_text)
        s->listen_fd = sock_take_fd(s->fd_text, e);
    else
        s->listen_fd = sock_listen(&s->addrs, (int)s->to, e);
    if (s->listen_fd < 0)
        return e->code;
    s->unlink_path = s->path && !s->abstract;
    describe(s, false);
    s->listen_watch = loop_add_fd(s->chr.env->loop, s->listen_fd, LOOP_READ, on_peer, s);
    if (!s->wait)
        return 0;
    chr_note(&s->chr, "QEMU waiting for connection on: %s", chr_describe(&s->chr));
    while (s->stage == IDLE) {
        struct pollfd p = {.fd = s->listen_fd, .events = POLLIN};

        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            return err_set(e, -errno, "waiting for a connection: %s", strerror(errno));
        on_peer(s, LOOP_READ);
    }
    return 0;
}

static int call_there(struct sock *s, struct err *e)
{
    int fd;

    describe(s, false);
    if (s->reconnect_ms) {
        try_next(s);
        return 0;
    }
    fd = s->fd_text ? sock_take_fd(s->fd_text, e) : sock_connect(&s->addrs, CONNECT_MS, e);
    if (fd < 0)
        return e->code;
    start(s, fd, true);
    return 0;
}

static int socket_open(struct chr *c, struct err *e)
{
    struct sock *s = sock_of(c);

    s->fd = s->listen_fd = -1;
    s->opened = true;
    if (sock_check_opts(s, e) < 0)
        return e->code;
    s->timer = loop_add_timer(c->env->loop, on_timer, s);
    return s->server ? listen_here(s, e) : call_there(s, e);
}

static void socket_close(struct chr *c)
{
    struct sock *s = sock_of(c);

    if (!s->opened)
        return;
    if (s->stage == OPEN && !s->broken)
        flush(s);
    hang_up(s);
    if (s->listen_watch)
        loop_del_fd(s->listen_watch);
    if (s->listen_fd >= 0)
        close(s->listen_fd);
    if (s->unlink_path)
        unlink(s->path);
    if (s->timer)
        loop_del_timer(s->timer);
}

static int socket_take_fd(struct chr *c, struct err *e)
{
    struct sock *s = sock_of(c);
    int fd = s->fd;

    if (s->stage != OPEN || s->session || filtered(s))
        return err_set(e, -ENOTCONN, "chardev '%s' is not connected, or not plainly", chr_id(c));
    loop_del_fd(s->watch);
    s->watch = NULL;
    s->fd = -1;
    s->stage = IDLE;
    s->reconnect_ms = 0;
    return fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK) < 0 ? err_set(e, -errno, "chardev '%s'", chr_id(c)) : fd;
}

const struct chr_type chr_socket = {
    .name = "socket",
    .help = "a TCP or UNIX connection",
    .size = sizeof(struct sock),
    .opts = sock_opts,
    .opens_later = true,
    .open = socket_open,
    .close = socket_close,
    .write = socket_write,
    .watch = socket_watch,
    .wait_fd = socket_wait_fd,
    .wake = socket_wake,
    .take_fd = socket_take_fd,
};
