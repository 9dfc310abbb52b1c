/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev stream: packets on a connection to another machine's back end, in the frames of frames.h. */
#include "net/net_stream_priv.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <time.h>
#include <unistd.h>

struct stream {
    struct net_stream s;
    struct json_object *addr_tree;
    struct net_addr addr;
    bool server;
    uint64_t reconnect, reconnect_ms;
};

static const struct field stream_opts[] = {
    FIELD(stream, addr_tree, F_TREE, "addr", NULL,
          "type=inet,host,port; type=unix,path; type=fd,str"),
    FIELD(stream, server, F_BOOL, "server", "off", "wait to be called"),
    FIELD(stream, reconnect, F_U64, "reconnect", "0", "seconds until it calls again"),
    FIELD(stream, reconnect_ms, F_U64, "reconnect-ms", "0", "the same in milliseconds"),
    FIELD_END,
};

static void update(struct net_stream *s);
static void start(struct net_stream *s, int fd, bool connecting);

static void arm(struct net_stream *s, uint64_t ms)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    loop_arm(s->timer, t.tv_sec * INT64_C(1000000000) + t.tv_nsec + (int64_t)ms * 1000000);
}

/* Not at once: whoever is sending must not hear of it within his own call. */
static void break_off(struct net_stream *s)
{
    s->broken = true;
    arm(s, 0);
}

static void hang_up(struct net_stream *s)
{
    if (s->watch)
        loop_del_fd(s->watch);
    if (s->fd >= 0)
        close(s->fd);
    s->watch = NULL;
    s->fd = -1;
    s->broken = s->connecting = false;
}

static void disconnect(struct net_stream *s)
{
    hang_up(s);
    net_set_peer(&s->net, false);
    if (s->listen_watch)
        loop_set_fd(s->listen_watch, LOOP_READ);
    if (s->reconnect_ms)
        arm(s, s->reconnect_ms);
    if (s->wants_room) {
        s->wants_room = false;
        net_room(&s->net, 0);
    }
}

void stream_connect(struct net_stream *s)
{
    while (s->addr_i < s->addrs.n) {
        int fd = sock_connect_start(&s->addrs, s->addr_i++);

        if (fd >= 0) {
            start(s, fd, true);
            return;
        }
    }
    s->addr_i = 0;
    if (s->reconnect_ms)
        arm(s, s->reconnect_ms);
    else
        net_warn(s->net.env, "netdev '%s': %s: connection refused, and reconnect= is not given",
                 s->net.id, s->addrs.name);
}

static void on_timer(void *opaque)
{
    struct net_stream *s = opaque;

    if (s->broken)
        disconnect(s);
    else if (s->fd < 0 && s->listen_fd < 0 && s->reconnect_ms)
        stream_connect(s);
}

/* Bytes ------------------------------------------------------------------------------------------- */

static void flush(struct net_stream *s)
{
    while (s->out_at < s->out_len) {
        ssize_t r =
            send(s->fd, s->out + s->out_at, s->out_len - s->out_at, MSG_DONTWAIT | MSG_NOSIGNAL);

        if (r < 0 && errno == EINTR)
            continue;
        if (r < 0 && errno == EAGAIN)
            return;
        if (r < 0) {
            break_off(s);
            return;
        }
        s->out_at += (size_t)r;
    }
    s->out_at = s->out_len = 0;
}

/* Straight from the guest's memory when nothing waits; what the socket does not take is kept. */
static size_t send_now(struct net_stream *s, const uint8_t head[FRAME_HEAD],
                       const struct iovec *iov, int cnt)
{
    struct iovec v[64];
    struct msghdr m = {.msg_iov = v, .msg_iovlen = (size_t)cnt + 1};
    ssize_t r;

    if (s->out_len || cnt >= 64)
        return 0;
    v[0] = (struct iovec){(void *)head, FRAME_HEAD};
    memcpy(v + 1, iov, (size_t)cnt * sizeof(*iov));
    r = sendmsg(s->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    return r > 0 ? (size_t)r : 0;
}

bool stream_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                 const struct net_meta *meta)
{
    struct net_stream *s = (struct net_stream *)n;
    size_t len = net_iov_len(iov, cnt), done;
    uint8_t frame[FRAME_HEAD + NET_MAX_PACKET];

    if (s->fd < 0 || s->connecting || s->broken)
        return true;
    if (s->out_len + FRAME_HEAD + len > sizeof(s->out)) {
        s->wants_room = true;
        update(s);
        return false;
    }
    put_be32(frame, (uint32_t)len);
    done = send_now(s, frame, iov, cnt);
    if (done < FRAME_HEAD + len) {
        net_iov_copy(frame + FRAME_HEAD, len, iov, cnt);
        memcpy(s->out + s->out_len, frame + done, FRAME_HEAD + len - done);
        s->out_len += FRAME_HEAD + len - done;
        update(s);
    }
    return true;
}

static void on_packet(void *opaque, const uint8_t *buf, size_t len)
{
    net_deliver(opaque, 0, buf, len, NULL);
}

static void read_some(struct net_stream *s)
{
    uint8_t buf[STREAM_READ];
    ssize_t r = recv(s->fd, buf, sizeof(buf), MSG_DONTWAIT);

    if (r < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (r <= 0 || frames_take(&s->frames, buf, (size_t)r, on_packet, &s->net) < 0)
        break_off(s);
}

static void connected(struct net_stream *s)
{
    int on = 1;

    s->connecting = false;
    s->addr_i = 0;
    setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    net_set_peer(&s->net, true);
}

static void on_ready(void *opaque, int ready)
{
    struct net_stream *s = opaque;

    if (s->broken)
        return;
    if (s->connecting) {
        if (!sock_result(s->fd)) {
            connected(s);
        } else {
            hang_up(s);
            stream_connect(s);
        }
        update(s);
        return;
    }
    if (ready & LOOP_WRITE)
        flush(s);
    if (!s->broken && s->wants_room && s->out_len < sizeof(s->out) / 2) {
        s->wants_room = false;
        net_room(&s->net, 0);
    }
    if (!s->broken && (ready & (LOOP_READ | LOOP_HANGUP)) && net_can_deliver(&s->net, 0))
        read_some(s);
    update(s);
}

static void update(struct net_stream *s)
{
    int events = s->connecting ? LOOP_WRITE
                               : (s->out_len || s->wants_room ? LOOP_WRITE : 0) |
                                     (net_can_deliver(&s->net, 0) ? LOOP_READ : 0);

    if (s->watch)
        loop_set_fd(s->watch, s->broken ? 0 : events);
}

void stream_ready(struct net *n, unsigned queue)
{
    update((struct net_stream *)n);
}

static void start(struct net_stream *s, int fd, bool connecting)
{
    s->fd = fd;
    s->connecting = connecting;
    s->broken = false;
    s->out_at = s->out_len = 0;
    s->frames.head_n = 0;
    s->watch = loop_add_fd(s->net.env->loop, fd, 0, on_ready, s);
    if (s->listen_watch)
        loop_set_fd(s->listen_watch, 0);
    if (!connecting)
        connected(s);
    update(s);
}

static void on_peer(void *opaque, int ready)
{
    struct net_stream *s = opaque;
    int fd = sock_accept(s->listen_fd, NULL);

    if (fd >= 0 && s->fd < 0)
        start(s, fd, false);
    else if (fd >= 0)
        close(fd);
}

/* Birth ------------------------------------------------------------------------------------------- */

void stream_init(struct net_stream *s)
{
    s->fd = s->listen_fd = -1;
    s->opened = true;
    s->net.peer_off = true;
    s->timer = loop_add_timer(s->net.env->loop, on_timer, s);
}

int stream_listen(struct net_stream *s, int fd, struct err *e)
{
    s->listen_fd = fd >= 0 ? fd : sock_listen(&s->addrs, 0, e);
    if (s->listen_fd < 0)
        return e->code;
    s->listen_watch = loop_add_fd(s->net.env->loop, s->listen_fd, LOOP_READ, on_peer, s);
    return 0;
}

void stream_use(struct net_stream *s, int fd)
{
    start(s, fd, false);
}

void stream_close(struct net *n)
{
    struct net_stream *s = (struct net_stream *)n;

    if (!s->opened)
        return;
    if (s->fd >= 0 && !s->connecting && !s->broken)
        flush(s);
    hang_up(s);
    if (s->listen_watch)
        loop_del_fd(s->listen_watch);
    if (s->listen_fd >= 0) {
        struct sock_addr a = sock_local(s->listen_fd);
        char path[SOCK_TEXT];

        close(s->listen_fd);
        sock_print(&a, path);
        if (a.a.ss_family == AF_UNIX && path[0] == '/')
            unlink(path);
    }
    loop_del_timer(s->timer);
}

static int open_side(struct stream *t, struct err *e)
{
    struct net_stream *s = &t->s;
    int fd = -1;

    if (!strcmp(t->addr.type, "fd")) {
        if ((fd = sock_take_fd(t->addr.str ? t->addr.str : "", e)) < 0)
            return e->code;
    } else if (net_addr_resolve(&t->addr, &s->addrs, SOCK_STREAM, t->server, "addr", e) < 0) {
        return e->code;
    }
    if (t->server)
        return stream_listen(s, fd, e);
    if (fd >= 0)
        stream_use(s, fd);
    else
        stream_connect(s);
    return 0;
}

static int stream_open(struct net *n, struct err *e)
{
    struct stream *t = (struct stream *)n;

    stream_init(&t->s);
    if (net_addr_take(&t->addr, t->addr_tree, "addr", e) < 0)
        return e->code;
    if (!t->addr.given)
        return err_set(e, -EINVAL, "Parameter 'addr' is missing");
    if (t->reconnect && t->reconnect_ms)
        return err_set(e, -EINVAL, "'reconnect' and 'reconnect-ms' exclude each other");
    if (t->reconnect > 1u << 20 || t->reconnect_ms > 1u << 30)
        return err_set(e, -ERANGE, "'reconnect' is at most twelve days");
    t->s.reconnect_ms = t->reconnect ? t->reconnect * 1000 : t->reconnect_ms;
    if (t->s.reconnect_ms && t->server)
        return err_set(e, -EINVAL,
                       "'reconnect' option is incompatible with socket in server listen mode");
    return open_side(t, e);
}

static void stream_close_all(struct net *n)
{
    stream_close(n);
    net_addr_free(&((struct stream *)n)->addr);
}

static void stream_describe(const struct net *n, char *buf, size_t len)
{
    const struct net_stream *s = (const struct net_stream *)n;
    struct sock_addr a = s->fd >= 0 && !s->connecting ? sock_peer(s->fd)
                         : s->listen_fd >= 0          ? sock_local(s->listen_fd)
                                                      : (struct sock_addr){0};
    char text[SOCK_TEXT];

    sock_print(&a, text);
    snprintf(buf, len, "%s%s",
             s->fd >= 0 && !s->connecting ? "connected to "
             : s->listen_fd >= 0          ? "listening on "
                                          : "not connected",
             text);
}

const struct net_type net_stream = {
    .name = "stream",
    .help = "packets on a connection",
    .size = sizeof(struct stream),
    .opts = stream_opts,
    .open = stream_open,
    .close = stream_close_all,
    .send = stream_send,
    .ready = stream_ready,
    .describe = stream_describe,
};
