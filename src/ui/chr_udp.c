/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams: each write is one, each one that comes is input.  There is no connection, and nobody waits. */
#include "base/bytes.h"
#include "base/sock.h"
#include "ui/chr_priv.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

enum { DATAGRAM = 65536 };

struct udp {
    struct chr chr;
    char *host, *port, *localaddr, *localport;
    bool ipv4, ipv6, opened;
    int fd;
    struct loop_fd *watch;
    size_t at, len; /* what is left of the last datagram */
    uint8_t buf[DATAGRAM];
};

static const struct field udp_opts[] = {
    FIELD(udp, host, F_STR, "host", "localhost", "whom to send to"),
    FIELD(udp, port, F_STR, "port", NULL, "port there"),
    FIELD(udp, localaddr, F_STR, "localaddr", NULL, "address here"),
    FIELD(udp, localport, F_STR, "localport", "0", "port here"),
    FIELD(udp, ipv4, F_BOOL, "ipv4", "off", "IPv4 only"),
    FIELD(udp, ipv6, F_BOOL, "ipv6", "off", "IPv6 only"),
    FIELD_END,
};

static struct udp *udp_of(struct chr *c)
{
    return (struct udp *)c;
}

static void udp_wake(struct chr *c)
{
    struct udp *u = udp_of(c);
    size_t n;

    while (u->at < u->len && (n = min_u64(chr_room(c), u->len - u->at))) {
        u->at += n;
        chr_put(c, u->buf + u->at - n, n);
    }
    if (u->watch)
        loop_set_fd(u->watch, u->at == u->len && chr_room(c) ? LOOP_READ : 0);
}

static void on_ready(void *opaque, int ready)
{
    struct udp *u = opaque;
    ssize_t r;

    if (u->at == u->len && (r = recv(u->fd, u->buf, sizeof(u->buf), MSG_DONTWAIT)) > 0) {
        u->at = 0;
        u->len = (size_t)r;
    }
    udp_wake(&u->chr);
}

static int udp_open(struct chr *c, struct err *e)
{
    struct udp *u = udp_of(c);
    int v4 = u->ipv4 ? 1 : u->ipv6 ? 0 : -1, v6 = u->ipv6 ? 1 : u->ipv4 ? 0 : -1;
    struct sock_addrs to, here;

    u->fd = -1;
    u->opened = true;
    if (!u->port || !*u->port)
        return err_set(e, -EINVAL, "chardev: udp: remote port not specified");
    if (sock_resolve(&to, *u->host ? u->host : "localhost", u->port, v4, v6, SOCK_DGRAM, false, e) <
        0)
        return e->code;
    if (!u->localaddr || !*u->localaddr) {
        v4 = to.at[0].a.ss_family == AF_INET;
        v6 = !v4;
    }
    if (sock_resolve(&here, u->localaddr, *u->localport ? u->localport : "0", v4, v6, SOCK_DGRAM,
                     true, e) < 0 ||
        (u->fd = sock_bind_dgram(&here, true, e)) < 0)
        return e->code;
    if (connect(u->fd, (struct sockaddr *)&to.at[0].a, to.at[0].len) < 0)
        return err_set(e, -errno, "Failed to connect to '%s': %s", to.name, strerror(errno));
    u->watch = loop_add_fd(c->env->loop, u->fd, 0, on_ready, u);
    return 0;
}

static void udp_close(struct chr *c)
{
    struct udp *u = udp_of(c);

    if (u->watch)
        loop_del_fd(u->watch);
    if (u->opened && u->fd >= 0)
        close(u->fd);
}

/* What a datagram cannot carry is lost, as on the wire. */
static size_t udp_write(struct chr *c, const uint8_t *buf, size_t len)
{
    for (size_t n, at = 0; at < len; at += n) {
        n = min_u64(len - at, 1400);
        send(udp_of(c)->fd, buf + at, n, MSG_DONTWAIT | MSG_NOSIGNAL);
    }
    return len;
}

const struct chr_type chr_udp = {
    .name = "udp",
    .help = "datagrams",
    .size = sizeof(struct udp),
    .opts = udp_opts,
    .open = udp_open,
    .close = udp_close,
    .write = udp_write,
    .wake = udp_wake,
};
