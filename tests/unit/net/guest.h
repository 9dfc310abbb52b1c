/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest for tests of user-mode networking: enough of ARP, IPv4, UDP, DHCP and TCP to be talked to, as packets
 * (RFC 826, 791, 768, 2131, 9293).
 */
#ifndef TESTS_NET_GUEST_H
#define TESTS_NET_GUEST_H

#include "base/bytes.h"
#include "tests/unit/net/card.h"

enum { ETH = 14, IP = 20, UDP = 8, TCP = 20 };
enum { TCP_FIN = 1, TCP_SYN = 2, TCP_RST = 4, TCP_PSH = 8, TCP_ACK = 16 };

struct guest {
    struct card *card;
    uint32_t ip;
    uint8_t router_mac[6];
    uint8_t out[2048];
};

static inline uint16_t guest_sum(const uint8_t *p, size_t len, uint32_t sum)
{
    for (size_t i = 0; i < len; i++)
        sum += i & 1 ? p[i] : (uint32_t)p[i] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* An IPv4 packet whose payload is at out + ETH + IP already. */
static inline void guest_send_ip(struct guest *g, uint8_t proto, uint32_t to, size_t len)
{
    uint8_t *p = g->out, *ip = p + ETH;

    if (to == 0xffffffff)
        memset(p, 255, 6);
    else
        memcpy(p, g->router_mac, 6);
    memcpy(p + 6, card_mac, 6);
    put_be16(p + 12, 0x800);
    memset(ip, 0, IP);
    ip[0] = 0x45;
    put_be16(ip + 2, (uint16_t)(IP + len));
    ip[8] = 64;
    ip[9] = proto;
    put_be32(ip + 12, g->ip);
    put_be32(ip + 16, to);
    put_be16(ip + 10, guest_sum(ip, IP, 0));
    card_send(g->card, p, ETH + IP + len);
}

static inline void guest_send_udp(struct guest *g, uint16_t from, uint32_t to, uint16_t port,
                                  const void *data, size_t len)
{
    uint8_t *u = g->out + ETH + IP;

    put_be16(u, from);
    put_be16(u + 2, port);
    put_be16(u + 4, (uint16_t)(UDP + len));
    put_be16(u + 6, 0);
    memcpy(u + UDP, data, len);
    guest_send_ip(g, 17, to, UDP + len);
}

/* The next packet from the network that @want accepts, while the loop runs; answers ARP.  NULL after five seconds. */
static inline const uint8_t *guest_next(struct guest *g, size_t *len,
                                        bool (*want)(struct guest *g, const uint8_t *p, size_t len))
{
    int64_t end = test_now() + INT64_C(5000000000);
    struct card *c = g->card;

    while (test_now() < end) {
        if (c->seen == c->got) {
            loop_once(net_env.loop, 10000000);
            continue;
        }
        const uint8_t *p = c->at[c->seen % CARD_PACKETS].data;

        *len = c->at[c->seen++ % CARD_PACKETS].len;
        if (get_be16(p + 12) == 0x806 && get_be16(p + 20) == 1 && get_be32(p + 38) == g->ip) {
            uint8_t a[42];

            memcpy(a, p + 6, 6);
            memcpy(a + 6, card_mac, 6);
            memcpy(a + 12, p + 12, 8);
            put_be16(a + 20, 2);
            memcpy(a + 22, card_mac, 6);
            put_be32(a + 28, g->ip);
            memcpy(a + 32, p + 22, 10);
            card_send(c, a, sizeof(a));
        }
        if (want(g, p, *len))
            return p;
    }
    CHECK(!"a packet that was waited for");
    return NULL;
}

static inline bool is_udp(struct guest *g, const uint8_t *p, size_t len)
{
    return len >= ETH + IP + UDP && get_be16(p + 12) == 0x800 && p[ETH + 9] == 17;
}

static inline bool is_tcp(struct guest *g, const uint8_t *p, size_t len)
{
    return len >= ETH + IP + TCP && get_be16(p + 12) == 0x800 && p[ETH + 9] == 6;
}

static inline bool is_arp_reply(struct guest *g, const uint8_t *p, size_t len)
{
    return len >= 42 && get_be16(p + 12) == 0x806 && get_be16(p + 20) == 2;
}

/* ARP for the router, whose address every packet but broadcasts goes to. */
static inline void guest_find_router(struct guest *g, uint32_t router)
{
    uint8_t a[42] = {255, 255, 255, 255, 255, 255};
    const uint8_t *p;
    size_t len;

    memcpy(a + 6, card_mac, 6);
    memcpy(a + 12, "\010\006\0\1\010\0\6\4\0\1", 10);
    memcpy(a + 22, card_mac, 6);
    put_be32(a + 28, g->ip);
    put_be32(a + 38, router);
    card_send(g->card, a, sizeof(a));
    if ((p = guest_next(g, &len, is_arp_reply)))
        memcpy(g->router_mac, p + 22, 6);
}

/* One DHCP message of @type; the reply, which must come. */
static inline const uint8_t *guest_dhcp(struct guest *g, uint8_t type, uint32_t ask_for,
                                        size_t *len)
{
    uint8_t m[300] = {1, 1, 6, 0, 0x12, 0x34, 0x56, 0x78};
    uint8_t *o = m + 240;

    memcpy(m + 28, card_mac, 6);
    memcpy(m + 236, "\x63\x82\x53\x63", 4);
    *o++ = 53;
    *o++ = 1;
    *o++ = type;
    if (ask_for) {
        *o++ = 50;
        *o++ = 4;
        put_be32(o, ask_for);
        o += 4;
    }
    *o = 255;
    guest_send_udp(g, 68, 0xffffffff, 67, m, sizeof(m));
    return guest_next(g, len, is_udp);
}

/* The option @code of a DHCP packet, or NULL. */
static inline const uint8_t *dhcp_option(const uint8_t *packet, size_t len, uint8_t code, size_t *n)
{
    const uint8_t *o = packet + ETH + IP + UDP + 240, *end = packet + len;

    while (o + 2 <= end && *o != 255) {
        if (*o == 0) {
            o++;
            continue;
        }
        *n = o[1];
        if (*o == code && o + 2 + *n <= end)
            return o + 2;
        o += 2 + *n;
    }
    return NULL;
}

static inline bool guest_boot(struct guest *g, uint32_t router)
{
    const uint8_t *p;
    size_t len;
    uint32_t offered;

    if (!(p = guest_dhcp(g, 1, 0, &len)))
        return false;
    offered = get_be32(p + ETH + IP + UDP + 16);
    if (!(p = guest_dhcp(g, 3, offered, &len)))
        return false;
    g->ip = get_be32(p + ETH + IP + UDP + 16);
    guest_find_router(g, router);
    return g->ip == offered;
}

/* TCP: one connection, in order, without loss. */
struct guest_tcp {
    struct guest *g;
    uint32_t peer, seq, ack;
    uint16_t port, peer_port;
};

static inline void tcp_send(struct guest_tcp *t, uint8_t flags, const void *data, size_t len)
{
    uint8_t *h = t->g->out + ETH + IP, pseudo[12];
    uint32_t sum = 0;

    memset(h, 0, TCP);
    put_be16(h, t->port);
    put_be16(h + 2, t->peer_port);
    put_be32(h + 4, t->seq);
    put_be32(h + 8, t->ack);
    h[12] = TCP / 4 << 4;
    h[13] = flags;
    put_be16(h + 14, 65535);
    if (len)
        memcpy(h + TCP, data, len);
    put_be32(pseudo, t->g->ip);
    put_be32(pseudo + 4, t->peer);
    put_be16(pseudo + 8, 6);
    put_be16(pseudo + 10, (uint16_t)(TCP + len));
    sum = (uint16_t)~guest_sum(pseudo, 12, 0);
    put_be16(h + 16, guest_sum(h, TCP + len, sum));
    t->seq += (uint32_t)len + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
    guest_send_ip(t->g, 6, t->peer, TCP + len);
}

/* Wait for a SYN, answer it. */
static inline bool tcp_accept(struct guest_tcp *t, struct guest *g)
{
    const uint8_t *p, *h;
    size_t len;

    while ((p = guest_next(g, &len, is_tcp))) {
        h = p + ETH + IP;
        if ((h[13] & (TCP_SYN | TCP_ACK)) != TCP_SYN)
            continue;
        *t = (struct guest_tcp){
            g, get_be32(p + ETH + 12), 1000, get_be32(h + 4) + 1, get_be16(h + 2), get_be16(h)};
        tcp_send(t, TCP_SYN | TCP_ACK, NULL, 0);
        return true;
    }
    return false;
}

/* Connect; false: refused. */
static inline bool tcp_connect(struct guest_tcp *t, struct guest *g, uint32_t to, uint16_t port)
{
    const uint8_t *p, *h;
    size_t len;

    *t = (struct guest_tcp){g, to, 1000, 0, 40000, port};
    tcp_send(t, TCP_SYN, NULL, 0);
    while ((p = guest_next(g, &len, is_tcp))) {
        h = p + ETH + IP;
        if (get_be16(h + 2) != t->port)
            continue;
        if (h[13] & TCP_RST)
            return false;
        if ((h[13] & (TCP_SYN | TCP_ACK)) == (TCP_SYN | TCP_ACK)) {
            t->ack = get_be32(h + 4) + 1;
            tcp_send(t, TCP_ACK, NULL, 0);
            return true;
        }
    }
    return false;
}

/* At least @want bytes, or up to the end of the connection; how many. */
static inline size_t tcp_receive(struct guest_tcp *t, char *buf, size_t want, size_t max)
{
    const uint8_t *p, *h;
    size_t len, n = 0;

    while (n < want && (p = guest_next(t->g, &len, is_tcp))) {
        size_t head, total = get_be16(p + ETH + 2);

        h = p + ETH + IP;
        head = (size_t)(h[12] >> 4) * 4;
        len = total - IP - head;
        if (get_be16(h + 2) != t->port || get_be32(h + 4) != t->ack)
            continue;
        if (n + len <= max)
            memcpy(buf + n, h + head, len);
        n += len;
        t->ack += (uint32_t)len + (h[13] & TCP_FIN ? 1 : 0);
        if (len || h[13] & TCP_FIN)
            tcp_send(t, TCP_ACK, NULL, 0);
        if (h[13] & (TCP_FIN | TCP_RST))
            break;
    }
    return n;
}

#endif
