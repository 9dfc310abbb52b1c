/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * User-mode networking: a network of the guest's own behind a router, DHCP and name server made by libslirp, from
 * which connections leave as ordinary sockets of this process.
 */
#include "net/net_user_priv.h"

#include <arpa/inet.h>
#include <time.h>

static const struct field user_opts[] = {
    FIELD(user, ipv4_text, F_STR, "ipv4", NULL, "IPv4"),
    FIELD(user, ipv6_text, F_STR, "ipv6", NULL, "IPv6"),
    FIELD(user, network, F_STR, "net", NULL, "the guest's network, 10.0.2.0/24"),
    FIELD(user, host, F_STR, "host", NULL, "the router's address in it"),
    FIELD(user, ipv6_net, F_STR, "ipv6-net", NULL, "the guest's network, fec0::/64"),
    FIELD(user, ipv6_prefix, F_STR, "ipv6-prefix", NULL, "the same without its length"),
    FIELD(user, ipv6_prefixlen, F_STR, "ipv6-prefixlen", NULL, "its length"),
    FIELD(user, ipv6_host, F_STR, "ipv6-host", NULL, "the router's address in it"),
    FIELD(user, restricted, F_BOOL, "restrict", "off", "no way out but forwards"),
    FIELD(user, hostname, F_STR, "hostname", NULL, "what DHCP calls the guest"),
    FIELD(user, dhcpstart, F_STR, "dhcpstart", NULL, "the first address that DHCP gives"),
    FIELD(user, dns, F_STR, "dns", NULL, "the name server's address"),
    FIELD(user, ipv6_dns, F_STR, "ipv6-dns", NULL, "the name server's address"),
    FIELD(user, dnssearch, F_TREE, "dnssearch", NULL, "domains that DHCP tells, again for more"),
    FIELD(user, domainname, F_STR, "domainname", NULL, "domain that DHCP tells"),
    FIELD(user, tftp, F_STR, "tftp", NULL, "folder for the TFTP server"),
    FIELD(user, tftp_server_name, F_STR, "tftp-server-name", NULL,
          "what DHCP tells (RFC 2132, option 66)"),
    FIELD(user, bootfile, F_STR, "bootfile", NULL, "what DHCP tells to boot"),
    FIELD(user, hostfwd, F_TREE, "hostfwd", NULL, "tcp:HOST:PORT-GUEST:PORT, again for more"),
    FIELD(user, guestfwd, F_TREE, "guestfwd", NULL,
          "tcp:ADDRESS:PORT-DEVICE or -cmd:COMMAND, again for more"),
    FIELD(user, smb, F_STR, "smb", NULL, "folder for the SMB server"),
    FIELD(user, smbserver, F_STR, "smbserver", NULL, "the SMB server's address"),
    FIELD_END,
};

/* What slirp asks of us ---------------------------------------------------------------------------- */

static ssize_t on_packet(const void *buf, size_t len, void *opaque)
{
    struct user *u = opaque;

    /* TCP is told before: slirp_can_output is gone, and what waits is bounded, so the rest is lost as on a wire. */
    net_deliver(&u->net, 0, buf, len, NULL);
    return (ssize_t)len;
}

static void on_guest_error(const char *msg, void *opaque)
{
    /* A guest could fill the log with these. */
}

static int64_t on_clock(void *opaque)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

struct timer {
    struct user *u;
    SlirpTimerId id;
    void *cb_opaque;
    struct loop_timer *t;
};

static void on_timer(void *opaque)
{
    struct timer *t = opaque;

    slirp_handle_timer(t->u->slirp, t->id, t->cb_opaque);
    user_poll_changed(t->u);
}

static void *new_timer(SlirpTimerId id, void *cb_opaque, void *opaque)
{
    struct timer *t = calloc(1, sizeof(*t));

    if (!t)
        fatal("out of memory");
    t->u = opaque;
    t->id = id;
    t->cb_opaque = cb_opaque;
    t->t = loop_add_timer(t->u->net.env->loop, on_timer, t);
    return t;
}

static void free_timer(void *timer, void *opaque)
{
    struct timer *t = timer;

    loop_del_timer(t->t);
    free(t);
}

static void mod_timer(void *timer, int64_t expire_ms, void *opaque)
{
    loop_arm(((struct timer *)timer)->t, expire_ms * 1000000);
}

/* New, or about to be closed: what is known of this number is of another descriptor. */
static void on_fd(int fd, void *opaque)
{
    user_poll_forget(opaque, fd);
}

static void on_notify(void *opaque)
{
    user_poll_changed(opaque);
}

static const SlirpCb callbacks = {
    .send_packet = on_packet,
    .guest_error = on_guest_error,
    .clock_get_ns = on_clock,
    .timer_new_opaque = new_timer,
    .timer_free = free_timer,
    .timer_mod = mod_timer,
    .register_poll_fd = on_fd,
    .unregister_poll_fd = on_fd,
    .notify = on_notify,
};

/* For the core ------------------------------------------------------------------------------------ */

static int user_open(struct net *n, struct err *e)
{
    struct user *u = user_of(n);

    if (user_config(u, e) < 0)
        return e->code;
    if (!(u->slirp = slirp_new(&u->config, &callbacks, u)))
        return err_set(e, -EINVAL, "libslirp refuses this network");
    if (user_forwards_open(u, e) < 0 || user_smb_open(u, e) < 0)
        return e->code;
    return user_poll_open(u, e);
}

static void user_close(struct net *n)
{
    struct user *u = user_of(n);

    user_poll_close(u);
    user_forwards_close(u);
    if (u->slirp)
        slirp_cleanup(u->slirp);
    user_smb_close(u);
    user_config_free(u);
}

static bool user_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                      const struct net_meta *meta)
{
    struct user *u = user_of(n);
    uint8_t packet[NET_MAX_PACKET];

    if (cnt == 1)
        slirp_input(u->slirp, iov->iov_base, (int)iov->iov_len);
    else
        slirp_input(u->slirp, packet, (int)net_iov_copy(packet, sizeof(packet), iov, cnt));
    user_poll_changed(u);
    return true;
}

static void user_describe(const struct net *n, char *buf, size_t len)
{
    const struct user *u = (const struct user *)n;
    char address[INET_ADDRSTRLEN];

    inet_ntop(AF_INET, &u->config.vnetwork, address, sizeof(address));
    snprintf(buf, len, "net=%s,restrict=%s", address, u->restricted ? "on" : "off");
}

const struct net_type net_user = {
    .name = "user",
    .help = "a network of its own, out of it through this process",
    .size = sizeof(struct user),
    .opts = user_opts,
    .open = user_open,
    .close = user_close,
    .send = user_send,
    .describe = user_describe,
};

char *net_user_connections(const struct net *n)
{
    return n->type == &net_user ? slirp_connection_info(((const struct user *)n)->slirp) : NULL;
}
