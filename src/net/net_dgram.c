/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev dgram: a packet in each datagram, to another machine's back end or a multicast group. */
#include "net/net_dgram_priv.h"
#include "net/net_stream_priv.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

enum { BATCH = 64 /* datagrams in one turn of the loop, so that others get theirs */ };

struct dgram {
    struct net_dgram d;
    struct json_object *local_tree, *remote_tree;
    struct net_addr local, remote;
};

static const struct field dgram_opts[] = {
    FIELD(dgram, local_tree, F_TREE, "local", NULL,
          "where: type=inet,host,port; type=unix,path; type=fd,str"),
    FIELD(dgram, remote_tree, F_TREE, "remote", NULL, "whom to"),
    FIELD_END,
};

static bool is_multicast(const struct sock_addr *a)
{
    return a->a.ss_family == AF_INET &&
           IN_MULTICAST(ntohl(((const struct sockaddr_in *)&a->a)->sin_addr.s_addr));
}

static void update(struct net_dgram *d)
{
    if (d->watch)
        loop_set_fd(d->watch, net_can_deliver(&d->net, 0) ? LOOP_READ : 0);
}

static void on_ready(void *opaque, int ready)
{
    struct net_dgram *d = opaque;
    uint8_t packet[NET_MAX_PACKET];

    for (int i = 0; i < BATCH && net_can_deliver(&d->net, 0); i++) {
        ssize_t r = recv(d->fd, packet, sizeof(packet), MSG_DONTWAIT);

        if (r < 0)
            break; /* nothing, or that somebody did not want what we sent */
        /* A group's members hear themselves, too. */
        if (d->has_to && is_multicast(&d->to) && r >= 12 && !memcmp(packet + 6, d->net.mac, 6))
            continue;
        net_deliver(&d->net, 0, packet, (size_t)r, NULL);
    }
    update(d);
}

void dgram_ready(struct net *n, unsigned queue)
{
    update((struct net_dgram *)n);
}

bool dgram_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                const struct net_meta *meta)
{
    struct net_dgram *d = (struct net_dgram *)n;
    struct msghdr m = {.msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)cnt};

    if (d->has_to) {
        m.msg_name = &d->to.a;
        m.msg_namelen = d->to.len;
    }
    /* What does not go now is lost, as datagrams are. */
    sendmsg(d->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL);
    return true;
}

void dgram_init(struct net_dgram *d)
{
    d->fd = -1;
    d->opened = true;
}

void dgram_start(struct net_dgram *d, int fd, const struct sock_addr *to)
{
    d->fd = fd;
    d->has_to = to;
    if (to)
        d->to = *to;
    d->watch = loop_add_fd(d->net.env->loop, fd, 0, on_ready, d);
    update(d);
}

void dgram_close(struct net *n)
{
    struct net_dgram *d = (struct net_dgram *)n;
    struct sock_addr a;
    char path[SOCK_TEXT];

    if (!d->opened)
        return;
    if (d->watch)
        loop_del_fd(d->watch);
    if (d->fd < 0)
        return;
    a = sock_local(d->fd);
    close(d->fd);
    sock_print(&a, path);
    if (a.a.ss_family == AF_UNIX && path[0] == '/')
        unlink(path);
}

int dgram_join(const struct sock_addr *group, const char *local, struct err *e)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)&group->a;
    struct sock_addrs at = {.at = {*group}, .n = 1};
    struct ip_mreq join = {.imr_multiaddr = in->sin_addr};
    int fd, on = 1;

    if (in->sin_family != AF_INET || !IN_MULTICAST(ntohl(in->sin_addr.s_addr)))
        return err_set(e, -EINVAL, "specified mcastaddr does not contain a multicast address");
    if (local && !inet_aton(local, &join.imr_interface))
        return err_set(e, -EINVAL, "localaddr '%s' is no IPv4 address", local);
    sock_print(group, at.name);
    if ((fd = sock_bind_dgram(&at, true, e)) < 0)
        return fd;
    if (setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &join, sizeof(join)) < 0) {
        err_set(e, -errno, "can't add socket to multicast group %s: %s", at.name, strerror(errno));
        close(fd);
        return e->code;
    }
    /* Machines of this host hear each other. */
    setsockopt(fd, IPPROTO_IP, IP_MULTICAST_LOOP, &on, sizeof(on));
    if (local)
        setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &join.imr_interface,
                   sizeof(join.imr_interface));
    return fd;
}

static int open_remote(struct dgram *g, struct err *e)
{
    struct sock_addrs to, here;
    int fd;

    if (net_addr_resolve(&g->remote, &to, SOCK_DGRAM, false, "remote", e) < 0)
        return e->code;
    if (is_multicast(&to.at[0])) {
        fd = dgram_join(&to.at[0], g->local.given ? g->local.host : NULL, e);
    } else {
        if (!g->local.given)
            return err_set(e, -EINVAL, "dgram requires local= parameter");
        if (net_addr_resolve(&g->local, &here, SOCK_DGRAM, true, "local", e) < 0)
            return e->code;
        fd = sock_bind_dgram(&here, true, e);
    }
    if (fd < 0)
        return e->code;
    dgram_start(&g->d, fd, &to.at[0]);
    return 0;
}

static int dgram_open(struct net *n, struct err *e)
{
    struct dgram *g = (struct dgram *)n;
    int fd;

    dgram_init(&g->d);
    if (net_addr_take(&g->local, g->local_tree, "local", e) < 0 ||
        net_addr_take(&g->remote, g->remote_tree, "remote", e) < 0)
        return e->code;
    if (g->local.given && !strcmp(g->local.type, "fd")) {
        if (g->remote.given)
            return err_set(e, -EINVAL, "don't set remote with local.fd");
        if ((fd = sock_take_fd(g->local.str, e)) < 0)
            return e->code;
        dgram_start(&g->d, fd, NULL);
        return 0;
    }
    if (!g->remote.given)
        return g->local.given
                   ? err_set(e, -EINVAL, "type=inet or type=unix requires remote parameter")
                   : err_set(e, -EINVAL, "dgram requires local= parameter");
    if (!strcmp(g->remote.type, "fd"))
        return err_set(e, -EINVAL, "remote must be type=inet or type=unix");
    return open_remote(g, e);
}

static void dgram_close_all(struct net *n)
{
    struct dgram *g = (struct dgram *)n;

    dgram_close(n);
    net_addr_free(&g->local);
    net_addr_free(&g->remote);
}

static void dgram_describe(const struct net *n, char *buf, size_t len)
{
    const struct net_dgram *d = (const struct net_dgram *)n;
    struct sock_addr a = sock_local(d->fd);
    char here[SOCK_TEXT], there[SOCK_TEXT] = "";

    sock_print(&a, here);
    if (d->has_to)
        sock_print(&d->to, there);
    snprintf(buf, len, "udp=%s/%s", here, there);
}

const struct net_type net_dgram = {
    .name = "dgram",
    .help = "a packet in each datagram",
    .size = sizeof(struct dgram),
    .opts = dgram_opts,
    .open = dgram_open,
    .close = dgram_close_all,
    .send = dgram_send,
    .ready = dgram_ready,
    .describe = dgram_describe,
};
