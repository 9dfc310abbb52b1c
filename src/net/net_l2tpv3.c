/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * -netdev l2tpv3: frames in data messages of one session of a static tunnel, over IP or UDP (RFC 3931, 4.1; RFC 4719).
 *
 *     [UDP: flags and version 00030000] session (32 bits) [cookie (32 or 64)] [counter (32)] [offset bytes] frame
 *
 * Numbers go in network order.  The counter is written and not looked at: frames may come in any order, or never.
 */
#include "base/sock.h"
#include "net/net_priv.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <unistd.h>

enum { PROTOCOL = 115, VERSION = 0x00030000, HEAD_MAX = 4 + 4 + 8 + 4, OFFSET_MAX = 256, BATCH = 64 };
enum { IP_HEAD_MAX = 60, UNSAID = -1 };

struct l2tpv3 {
    struct net net;
    int fd;
    bool opened;
    struct sock_addr to;
    struct loop_fd *watch;
    uint32_t sent;

    char *src, *dst, *srcport, *dstport, *txcookie, *rxcookie, *rxsession_text;
    bool udp, ipv6, cookie64, counter, pincounter;
    uint64_t txsession, rxsession, offset, tx_cookie, rx_cookie;
};

static const struct field l2tpv3_opts[] = {
    FIELD(l2tpv3, src, F_STR, "src", NULL, "our address"),
    FIELD(l2tpv3, dst, F_STR, "dst", NULL, "the other end's"),
    FIELD(l2tpv3, srcport, F_STR, "srcport", NULL, "our port, for UDP"),
    FIELD(l2tpv3, dstport, F_STR, "dstport", NULL, "the other end's"),
    FIELD(l2tpv3, ipv6, F_BOOL, "ipv6", "off", "the addresses are of IPv6"),
    FIELD(l2tpv3, udp, F_BOOL, "udp", "off", "over UDP instead of IP"),
    FIELD(l2tpv3, txsession, F_U64, "txsession", "0", "number of the session that we send in"),
    FIELD(l2tpv3, rxsession_text, F_STR, "rxsession", NULL, "that we receive in; else the same"),
    FIELD(l2tpv3, cookie64, F_BOOL, "cookie64", "off", "cookies have 64 bits"),
    FIELD(l2tpv3, txcookie, F_STR, "txcookie", NULL, "cookie that we send; none: no cookies"),
    FIELD(l2tpv3, rxcookie, F_STR, "rxcookie", NULL, "cookie that we want"),
    FIELD(l2tpv3, counter, F_BOOL, "counter", "off", "messages are counted"),
    FIELD(l2tpv3, pincounter, F_BOOL, "pincounter", "off", "the count stays 0"),
    FIELD(l2tpv3, offset, F_U64, "offset", "0", "bytes between header and frame"),
    FIELD_END,
};

static size_t head_len(const struct l2tpv3 *l)
{
    return (l->udp ? 4 : 0) + 4 + (l->txcookie ? l->cookie64 ? 8 : 4 : 0) + (l->counter ? 4 : 0) + l->offset;
}

/* What comes before the session's number and the cookie, and these. */
static size_t put_head(const struct l2tpv3 *l, uint8_t *h, uint32_t session, uint64_t cookie)
{
    size_t at = 0;

    if (l->udp) {
        put_be32(h, VERSION);
        at = 4;
    }
    put_be32(h + at, session);
    at += 4;
    if (l->txcookie && l->cookie64)
        put_be64(h + at, cookie);
    else if (l->txcookie)
        put_be32(h + at, (uint32_t)cookie);
    return at + (l->txcookie ? l->cookie64 ? 8 : 4 : 0);
}

static bool l2tpv3_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt, const struct net_meta *meta)
{
    struct l2tpv3 *l = (struct l2tpv3 *)n;
    uint8_t h[HEAD_MAX + OFFSET_MAX] = {0};
    struct iovec v[cnt + 1];
    struct msghdr m = {.msg_name = &l->to.a, .msg_namelen = l->to.len, .msg_iov = v, .msg_iovlen = (size_t)cnt + 1};
    size_t at = put_head(l, h, (uint32_t)l->txsession, l->tx_cookie);

    if (l->counter)
        put_be32(h + at, l->pincounter ? 0 : ++l->sent);
    v[0] = (struct iovec){h, head_len(l)};
    memcpy(v + 1, iov, (size_t)cnt * sizeof(*iov));
    sendmsg(l->fd, &m, MSG_DONTWAIT | MSG_NOSIGNAL); /* what does not go now is lost, as datagrams are */
    return true;
}

/* The frame in a message of the session; NULL: it is something else. */
static const uint8_t *frame_of(const struct l2tpv3 *l, const uint8_t *p, size_t *len)
{
    uint8_t want[HEAD_MAX];
    size_t fixed = put_head(l, want, (uint32_t)l->rxsession, l->rx_cookie), ip = 0;

    if (!l->udp && !l->ipv6) { /* raw sockets of IPv4 hand out its header, too */
        if (*len < sizeof(struct iphdr))
            return NULL;
        ip = (size_t)(p[0] & 15) * 4;
    }
    if (*len < ip + head_len(l) || memcmp(p + ip, want, fixed) != 0)
        return NULL;
    *len -= ip + head_len(l);
    return p + ip + head_len(l);
}

static void update(struct l2tpv3 *l)
{
    if (l->watch)
        loop_set_fd(l->watch, net_can_deliver(&l->net, 0) ? LOOP_READ : 0);
}

static void on_ready(void *opaque, int ready)
{
    struct l2tpv3 *l = opaque;
    uint8_t packet[IP_HEAD_MAX + HEAD_MAX + OFFSET_MAX + NET_MAX_PACKET];

    for (int i = 0; i < BATCH && net_can_deliver(&l->net, 0); i++) {
        ssize_t r = recv(l->fd, packet, sizeof(packet), MSG_DONTWAIT);
        size_t len = r < 0 ? 0 : (size_t)r;
        const uint8_t *frame;

        if (r < 0)
            break;
        if ((frame = frame_of(l, packet, &len)) && len)
            net_deliver(&l->net, 0, frame, len, NULL);
    }
    update(l);
}

static void l2tpv3_ready(struct net *n, unsigned queue)
{
    update((struct l2tpv3 *)n);
}

static int number(const char *name, const char *text, uint64_t max, uint64_t *v, struct err *e)
{
    char *end;

    if (!text)
        return 0;
    errno = 0;
    *v = strtoull(text, &end, 0);
    if (!*text || *end || errno || strchr(text, '-') || *v > max)
        return err_set(e, -EINVAL, "Parameter '%s' is '%s': want a number of at most %#" PRIx64, name, text, max);
    return 0;
}

static int check(struct l2tpv3 *l, struct err *e)
{
    uint64_t max = l->cookie64 ? UINT64_MAX : UINT32_MAX;
    int r;

    if (!l->src || !l->dst)
        return err_set(e, -EINVAL, "Parameter '%s' is missing", l->src ? "dst" : "src");
    if (l->udp && (!l->srcport || !l->dstport))
        return err_set(e, -EINVAL, "Parameter '%s' is missing: udp=on wants ports", l->srcport ? "dstport" : "srcport");
    if (!l->txcookie != !l->rxcookie)
        return err_set(e, -EINVAL, "Parameter '%s' is missing: both ends have a cookie, or none", l->txcookie ? "rxcookie" : "txcookie");
    if (!l->txsession || l->txsession > UINT32_MAX)
        return err_set(e, -EINVAL, "Parameter 'txsession' is %" PRIu64 ": want 1 to %u", l->txsession, UINT32_MAX);
    if (l->offset > OFFSET_MAX)
        return err_set(e, -EINVAL, "Parameter 'offset' is %" PRIu64 ": want at most %d", l->offset, OFFSET_MAX);
    l->rxsession = l->txsession;
    if ((r = number("rxsession", l->rxsession_text, UINT32_MAX, &l->rxsession, e)) < 0 ||
        (r = number("txcookie", l->txcookie, max, &l->tx_cookie, e)) < 0)
        return r;
    return number("rxcookie", l->rxcookie, max, &l->rx_cookie, e);
}

static int raw_socket(const struct sock_addrs *here, struct err *e)
{
    int fd = socket(here->at[0].a.ss_family, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, PROTOCOL);

    if (fd < 0)
        return err_set(e, -errno, "l2tpv3 over IP: %s; udp=on does without privileges", strerror(errno));
    if (bind(fd, (const struct sockaddr *)&here->at[0].a, here->at[0].len) < 0) {
        err_set(e, -errno, "l2tpv3: cannot bind to '%s': %s", here->name, strerror(errno));
        close(fd);
        return e->code;
    }
    return fd;
}

static int l2tpv3_open(struct net *n, struct err *e)
{
    struct l2tpv3 *l = (struct l2tpv3 *)n;
    struct sock_addrs here, there;
    int r;

    l->fd = -1;
    l->opened = true;
    if ((r = check(l, e)) < 0 ||
        (r = sock_resolve(&here, l->src, l->udp ? l->srcport : "0", !l->ipv6, l->ipv6, SOCK_DGRAM, true, e)) < 0 ||
        (r = sock_resolve(&there, l->dst, l->udp ? l->dstport : "0", !l->ipv6, l->ipv6, SOCK_DGRAM, false, e)) < 0)
        return r;
    l->to = there.at[0];
    l->fd = l->udp ? sock_bind_dgram(&here, false, e) : raw_socket(&here, e);
    if (l->fd < 0)
        return e->code;
    l->watch = loop_add_fd(n->env->loop, l->fd, 0, on_ready, l);
    update(l);
    return 0;
}

static void l2tpv3_close(struct net *n)
{
    struct l2tpv3 *l = (struct l2tpv3 *)n;

    if (l->watch)
        loop_del_fd(l->watch);
    if (l->opened && l->fd >= 0)
        close(l->fd);
}

static void l2tpv3_describe(const struct net *n, char *buf, size_t len)
{
    snprintf(buf, len, "l2tpv3: connected");
}

const struct net_type net_l2tpv3 = {
    .name = "l2tpv3",
    .help = "a static L2TPv3 tunnel over IP or UDP",
    .size = sizeof(struct l2tpv3),
    .opts = l2tpv3_opts,
    .open = l2tpv3_open,
    .close = l2tpv3_close,
    .send = l2tpv3_send,
    .ready = l2tpv3_ready,
    .describe = l2tpv3_describe,
};
