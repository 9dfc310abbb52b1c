/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ports of a hub: what comes in at one goes out at all others.  A port with netdev= has that back end at its
 * end, others have a card.
 */
#include "net/net_priv.h"

struct port {
    struct net net;
    char *number, *netdev;
    unsigned long hubid;
    struct net *end; /* @netdev, to which the port is the card */
    struct port *next;
    bool opened, busy;
};

static const struct field port_opts[] = {
    FIELD(port, number, F_STR, "hubid", NULL, "number of the hub"),
    FIELD(port, netdev, F_STR, "netdev", NULL, "back end at the port's end"),
    FIELD_END,
};

/* Ports of all hubs of all machines; those of one have the same environment and number. */
static struct port *ports;

static struct port *port_of(struct net *n)
{
    return (struct port *)n;
}

static struct port *next_of_hub(const struct port *of, struct port *p)
{
    while (p && (p == of || p->hubid != of->hubid || p->net.env != of->net.env))
        p = p->next;
    return p;
}

static void flood(struct port *from, const struct iovec *iov, int cnt)
{
    static const struct net_meta meta;

    if (from->busy) /* somebody has connected the hub with itself */
        return;
    from->busy = true;
    for (struct port *p = ports; (p = next_of_hub(from, p)); p = p->next) {
        if (p->end) {
            net_send(p->end, 0, iov, cnt, &meta);
        } else if (net_iov_len(iov, cnt) <= NET_MAX_PACKET) {
            uint8_t packet[NET_MAX_PACKET];
            size_t len = net_iov_copy(packet, sizeof(packet), iov, cnt);

            net_deliver(&p->net, 0, packet, len, &meta);
        }
    }
    from->busy = false;
}

/* From the port's card. */
static bool port_send(struct net *n, unsigned queue, const struct iovec *iov, int cnt,
                      const struct net_meta *meta)
{
    flood(port_of(n), iov, cnt);
    return true;
}

/* As the card of the back end at the end. */
static bool end_ready(void *opaque, unsigned queue)
{
    return true;
}

static bool end_receive(void *opaque, unsigned queue, const struct iovec *iov, int cnt,
                        const struct net_meta *meta)
{
    flood(opaque, iov, cnt);
    return true;
}

static const struct net_card end_card = {end_ready, end_receive, NULL};

static int port_open(struct net *n, struct err *e)
{
    static const uint8_t no_mac[6];
    struct port *p = port_of(n);
    char *end;

    if (!p->number)
        return err_set(e, -EINVAL, "Parameter 'hubid' is missing");
    p->hubid = strtoul(p->number, &end, 10);
    if (!*p->number || *end || *p->number == '-' || p->hubid > INT32_MAX)
        return err_set(e, -EINVAL, "Parameter 'hubid' expects a number, not '%s'", p->number);
    if (p->netdev) {
        struct net *there = n->env->find ? n->env->find(n->env->opaque, p->netdev) : NULL;

        if (!there)
            return err_set(e, -ENOENT, "netdev '%s' not found", p->netdev);
        if (net_attach(there, &end_card, p, no_mac, e) < 0)
            return e->code;
        p->end = there;
    }
    p->next = ports;
    ports = p;
    p->opened = true;
    return 0;
}

static void port_close(struct net *n)
{
    struct port *p = port_of(n);

    if (!p->opened)
        return;
    for (struct port **at = &ports; *at; at = &(*at)->next) {
        if (*at == p) {
            *at = p->next;
            break;
        }
    }
    if (p->end)
        net_detach(p->end);
}

static void port_describe(const struct net *n, char *buf, size_t len)
{
    snprintf(buf, len, "hubid=%lu", port_of((struct net *)n)->hubid);
}

const struct net_type net_hubport = {
    .name = "hubport",
    .help = "a port of a hub",
    .size = sizeof(struct port),
    .opts = port_opts,
    .open = port_open,
    .close = port_close,
    .send = port_send,
    .describe = port_describe,
};

void net_hub_forget(const struct net *n)
{
    for (struct port *p = ports; p; p = p->next)
        if (p->end == n)
            p->end = NULL;
}

int net_hub_of(const struct net *n)
{
    if (n->type == &net_hubport)
        return (int)((const struct port *)n)->hubid;
    for (const struct port *p = ports; p; p = p->next)
        if (p->end == n)
            return (int)p->hubid;
    return -1;
}

const struct net *net_hub_end(const struct net *n)
{
    return n->type == &net_hubport ? ((const struct port *)n)->end : NULL;
}
