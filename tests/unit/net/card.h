/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network card for tests: keeps packets, while it has room. */
#ifndef TESTS_NET_CARD_H
#define TESTS_NET_CARD_H

#include "base/loop.h"
#include "net/net.h"
#include "schema/keyval.h"
#include "tests/test.h"

#include <time.h>

enum { CARD_PACKETS = 4096 };

struct card {
    struct net *n;
    unsigned room; /* packets it takes now */
    unsigned got;  /* packets, of which the last are kept */
    struct {
        size_t len;
        uint8_t data[2048];
        struct net_meta meta;
    } at[CARD_PACKETS];
    unsigned seen; /* how many a test has looked at */
    char links[32];
    unsigned rooms;
};

static bool card_ready(void *opaque, unsigned queue)
{
    return ((struct card *)opaque)->room > 0;
}

static bool card_receive(void *opaque, unsigned queue, const struct iovec *iov, int n,
                         const struct net_meta *meta)
{
    struct card *c = opaque;
    size_t len = 0, slot = c->got % CARD_PACKETS;

    if (!c->room)
        return false;
    c->room--;
    for (int i = 0; i < n; len += iov[i++].iov_len) {
        size_t k = len < sizeof(c->at[slot].data) ? sizeof(c->at[slot].data) - len : 0;

        memcpy(c->at[slot].data + len, iov[i].iov_base, iov[i].iov_len < k ? iov[i].iov_len : k);
    }
    c->at[slot].len = len;
    c->at[slot].meta = *meta;
    c->got++;
    return true;
}

static void card_link(void *opaque, bool up)
{
    strcat(((struct card *)opaque)->links, up ? "U" : "D");
}

static const struct net_card card_type = {card_ready, card_receive, card_link};

static inline void card_on_room(void *opaque, unsigned queue)
{
    ((struct card *)opaque)->rooms++;
}

static const uint8_t card_mac[6] = {0x52, 0x54, 0, 0x12, 0x34, 0x56};

/* Back ends by name. */
static struct net *open_nets[16];

static inline struct net *find_net(void *opaque, const char *id)
{
    for (int i = 0; i < 16; i++)
        if (open_nets[i] && !strcmp(net_id(open_nets[i]), id))
            return open_nets[i];
    return NULL;
}

static char net_warned[1024];

static inline void keep_warning(void *opaque, const char *text)
{
    snprintf(net_warned, sizeof(net_warned), "%s", text);
}

static struct net_env net_env = {.find = find_net, .warn = keep_warning};

static inline struct net *open_net(const char *text)
{
    struct err e = {0};
    struct json_object *o = net_text_opts(text, &e);
    struct net *n;

    if (!net_env.loop)
        net_env.loop = loop_new();
    n = o ? net_open(&net_env, o, &e) : NULL;
    if (!CHECK(n))
        printf("%s: %s\n", text, e.msg);
    for (int i = 0; n && i < 16; i++) {
        if (!open_nets[i]) {
            open_nets[i] = n;
            break;
        }
    }
    return n;
}

static inline void close_net(struct net *n)
{
    for (int i = 0; i < 16; i++)
        if (open_nets[i] == n)
            open_nets[i] = NULL;
    net_close(n);
}

static inline void refused_net(const char *text, const char *why)
{
    struct err e = {0};
    struct json_object *o = net_text_opts(text, &e);
    struct net *n;

    if (!net_env.loop)
        net_env.loop = loop_new();
    n = o ? net_open(&net_env, o, &e) : NULL;
    CHECK(!n);
    CHECK_STR(e.msg, why);
    net_close(n);
}

static inline struct card *new_card(struct net *n)
{
    struct card *c = calloc(1, sizeof(*c));
    struct err e = {0};

    c->n = n;
    c->room = 1 << 20;
    if (!CHECK_EQ(net_attach(n, &card_type, c, card_mac, &e), 0))
        printf("%s\n", e.msg);
    net_on_room(n, card_on_room, c);
    return c;
}

static inline bool card_send(struct card *c, const void *data, size_t len)
{
    /* In two pieces, as guests do. */
    struct iovec v[2] = {{(void *)data, len < 14 ? len : 14},
                         {(char *)data + 14, len < 14 ? 0 : len - 14}};

    return net_send(c->n, 0, v, 2, NULL);
}

static inline int64_t test_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

#define RUN_UNTIL(cond)                                                                            \
    do {                                                                                           \
        int64_t run_end_ = test_now() + INT64_C(5000000000);                                       \
        while (!(cond) && test_now() < run_end_)                                                   \
            loop_once(net_env.loop, 20000000);                                                     \
        CHECK(cond);                                                                               \
    } while (0)

#endif
