/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev socket: what stream and dgram do, as it was written before there were these. */
#include "net/net_dgram_priv.h"
#include "net/net_stream_priv.h"

#include <unistd.h>

/* It begins as one or the other, and is driven by that one's functions. */
struct socket {
    union {
        struct net net;
        struct net_stream s;
        struct net_dgram d;
    };
    char *listen, *connect, *mcast, *localaddr, *udp, *fd;
    bool stream;
};

static const struct field socket_opts[] = {
    FIELD(socket, listen, F_STR, "listen", NULL, "[HOST]:PORT to be called at"),
    FIELD(socket, connect, F_STR, "connect", NULL, "HOST:PORT to call"),
    FIELD(socket, mcast, F_STR, "mcast", NULL, "GROUP:PORT"),
    FIELD(socket, udp, F_STR, "udp", NULL, "HOST:PORT to send to, with localaddr="),
    FIELD(socket, localaddr, F_STR, "localaddr", NULL,
          "udp: HOST:PORT here; mcast: address of the interface"),
    FIELD(socket, fd, F_STR, "fd", NULL, "a socket that is there already"),
    FIELD_END,
};

static struct socket *socket_of(struct net *n)
{
    return (struct socket *)n;
}

static int resolve(struct sock_addrs *to, const char *text, int type, bool passive, struct err *e)
{
    const char *colon = strrchr(text, ':');
    char host[256];
    bool bracket = *text == '[';

    if (!colon)
        return err_set(e, -EINVAL,
                       "host address '%s' doesn't contain ':' separating host from port", text);
    snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
    if (bracket && host[strlen(host) - 1] == ']') {
        host[strlen(host) - 1] = 0;
        memmove(host, host + 1, strlen(host));
    }
    return sock_resolve(to, host, colon + 1, -1, -1, type, passive, e);
}

static int open_fd(struct socket *s, struct err *e)
{
    int fd = sock_take_fd(s->fd, e), type;
    socklen_t len = sizeof(type);

    if (fd < 0)
        return e->code;
    if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) < 0)
        return err_set(e, -errno, "fd=%s: %s", s->fd, strerror(errno));
    if (type == SOCK_DGRAM) {
        dgram_init(&s->d);
        dgram_start(&s->d, fd, NULL);
        return 0;
    }
    s->stream = true;
    stream_init(&s->s);
    stream_use(&s->s, fd);
    return 0;
}

static int open_stream(struct socket *s, struct err *e)
{
    s->stream = true;
    stream_init(&s->s);
    if (resolve(&s->s.addrs, s->listen ? s->listen : s->connect, SOCK_STREAM, s->listen, e) < 0)
        return e->code;
    if (s->listen)
        return stream_listen(&s->s, -1, e);
    stream_connect(&s->s);
    return 0;
}

static int open_dgram(struct socket *s, struct err *e)
{
    struct sock_addrs to, here;
    int fd;

    dgram_init(&s->d);
    if (s->udp && !s->localaddr)
        return err_set(e, -EINVAL, "localaddr= is mandatory with udp=");
    if (resolve(&to, s->mcast ? s->mcast : s->udp, SOCK_DGRAM, false, e) < 0)
        return e->code;
    if (s->mcast)
        fd = dgram_join(&to.at[0], s->localaddr, e);
    else
        fd = resolve(&here, s->localaddr, SOCK_DGRAM, true, e) < 0
                 ? -1
                 : sock_bind_dgram(&here, true, e);
    if (fd < 0)
        return e->code;
    dgram_start(&s->d, fd, &to.at[0]);
    return 0;
}

static int socket_open(struct net *n, struct err *e)
{
    struct socket *s = socket_of(n);

    if (!!s->listen + !!s->connect + !!s->mcast + !!s->udp + !!s->fd != 1)
        return err_set(e, -EINVAL,
                       "exactly one of fd=, listen=, connect=, mcast= or udp= is required");
    if (s->localaddr && !s->mcast && !s->udp)
        return err_set(e, -EINVAL, "localaddr= is only valid with mcast= or udp=");
    if (s->fd)
        return open_fd(s, e);
    return s->listen || s->connect ? open_stream(s, e) : open_dgram(s, e);
}

static void socket_close(struct net *n)
{
    if (socket_of(n)->stream)
        stream_close(n);
    else
        dgram_close(n);
}

static bool socket_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                        const struct net_meta *meta)
{
    return socket_of(n)->stream ? stream_send(n, queue, iov, cnt, meta)
                                : dgram_send(n, queue, iov, cnt, meta);
}

static void socket_ready(struct net *n, unsigned queue)
{
    if (socket_of(n)->stream)
        stream_ready(n, queue);
    else
        dgram_ready(n, queue);
}

static void socket_describe(const struct net *n, char *buf, size_t len)
{
    const struct socket *s = (const struct socket *)n;
    struct sock_addr peer = s->stream && s->s.fd >= 0 ? sock_peer(s->s.fd) : (struct sock_addr){0};
    char text[SOCK_TEXT];

    sock_print(&peer, text);
    if (s->mcast)
        snprintf(buf, len, "socket: mcast=%s", s->mcast);
    else if (s->udp)
        snprintf(buf, len, "socket: udp=%s", s->udp);
    else if (s->fd)
        snprintf(buf, len, "socket: fd=%s", s->fd);
    else if (s->connect)
        snprintf(buf, len, "socket: connect to %s", s->connect);
    else if (*text)
        snprintf(buf, len, "socket: connection from %s", text);
    else
        snprintf(buf, len, "socket: wait from %s", s->listen);
}

const struct net_type net_socket = {
    .name = "socket",
    .help = "packets on a connection or in datagrams, as once written",
    .size = sizeof(struct socket),
    .opts = socket_opts,
    .open = socket_open,
    .close = socket_close,
    .send = socket_send,
    .ready = socket_ready,
    .describe = socket_describe,
};
