/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network back ends between themselves: connections, datagrams, hubs, filters; queues that are bounded; the link. */
#include "base/bytes.h"
#include "net/frames.h"
#include "tests/unit/net/card.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

static uint8_t frame[1514] = "\377\377\377\377\377\377\122\124\0\022\064\127\010\0payload";

static char text[512];

/* The port of "listening on 127.0.0.1:5601". */
static int port_of(struct net *n)
{
    char d[256];

    net_describe(n, d, sizeof(d));
    return strrchr(d, ':') ? atoi(strrchr(d, ':') + 1) : 0;
}

static int pair_port;

static struct card *stream_pair(struct card **other)
{
    struct net *a =
                   open_net("stream,id=a,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=0"),
               *b;
    struct card *card = new_card(a);

    pair_port = port_of(a);
    snprintf(text, sizeof(text),
             "stream,id=b,addr.type=inet,addr.host=127.0.0.1,addr.port=%d,reconnect-ms=50",
             pair_port);
    b = open_net(text);
    *other = new_card(b);
    RUN_UNTIL(net_link(a) && net_link(b));
    return card;
}

TEST(stream, packets_both_ways_and_back_again)
{
    struct card *b, *a = stream_pair(&b);

    CHECK_STR(a->links, "U");
    for (int i = 0; i < 100; i++) {
        frame[20] = (uint8_t)i;
        CHECK(card_send(a, frame, 60 + 14 * (size_t)i));
    }
    RUN_UNTIL(b->got == 100);
    CHECK_EQ(b->at[99].len, 60 + 14 * 99);
    CHECK_MEM(b->at[99].data, frame, 60 + 14 * 99);
    card_send(b, frame, sizeof(frame));
    RUN_UNTIL(a->got == 1);
    /* The server goes: the client hears, and comes back when somebody listens there again. */
    snprintf(text, sizeof(text),
             "stream,id=a,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=%d", pair_port);
    close_net(a->n);
    RUN_UNTIL(!net_link(b->n));
    CHECK(card_send(b, frame, 60)); /* lost */
    a = new_card(open_net(text));
    RUN_UNTIL(net_link(a->n) && net_link(b->n));
    CHECK_STR(b->links, "UDU");
    card_send(b, frame, 60);
    RUN_UNTIL(a->got == 1);
}

TEST(stream, a_card_without_room_stops_the_sender_and_loses_nothing)
{
    struct card *b, *a = stream_pair(&b);
    unsigned sent = 0;

    b->room = 10;
    while (card_send(a, frame, sizeof(frame))) {
        sent++;
        loop_once(net_env.loop, 0);
        if (!CHECK(sent < 20000))
            return;
    }
    CHECK_EQ(b->got, 10);
    CHECK_EQ(a->rooms, 0);
    b->room = 1 << 20;
    net_ready(b->n, 0);
    RUN_UNTIL(b->got == sent);
    RUN_UNTIL(a->rooms == 1);
}

TEST(stream, a_peer_who_speaks_something_else_is_cut_off)
{
    struct net *a =
        open_net("stream,id=a,server=on,addr.type=inet,addr.host=127.0.0.1,addr.port=0");
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct card *card = new_card(a);
    char c;

    to.sin_port = htons(port_of(a));
    for (int i = 0; i < 2; i++) {
        int fd = socket(AF_INET, SOCK_STREAM, 0);

        CHECK_EQ(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
        if (i)
            send(fd, "\0\0\0\0", 4, 0);
        else
            send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0);
        RUN_UNTIL(recv(fd, &c, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
        close(fd);
    }
    CHECK_EQ(card->got, 0);
}

static void add_frame(void *opaque, const uint8_t *buf, size_t len)
{
    size_t *sum = opaque;

    *sum = *sum * 31 + len + buf[len - 1];
}

TEST(frames, any_cut_means_the_same)
{
    static const uint8_t bytes[] = "\0\0\0\1a\0\0\0\3bcd\0\0\0\2ef";
    static struct frames f;
    size_t whole = 0;

    CHECK_EQ(frames_take(&f, bytes, sizeof(bytes) - 1, add_frame, &whole), 0);
    for (size_t cut = 1; cut < sizeof(bytes) - 1; cut++) {
        size_t parts = 0;

        f = (struct frames){0};
        frames_take(&f, bytes, cut, add_frame, &parts);
        frames_take(&f, bytes + cut, sizeof(bytes) - 1 - cut, add_frame, &parts);
        CHECK_EQ(parts, whole);
    }
    f = (struct frames){0};
    CHECK_EQ(frames_take(&f, (const uint8_t *)"\0\2\0\0", 4, add_frame, &whole), -EPROTO);
}

TEST(dgram, inet_unix_and_socketpairs)
{
    struct card *a, *b;
    int pair[2];

    a = new_card(open_net("dgram,id=a,local.type=unix,local.path=/tmp/"
                          "emu-net-a,remote.type=unix,remote.path=/tmp/emu-net-b"));
    b = new_card(open_net("dgram,id=b,local.type=unix,local.path=/tmp/"
                          "emu-net-b,remote.type=unix,remote.path=/tmp/emu-net-a"));
    card_send(a, frame, 1000);
    RUN_UNTIL(b->got == 1);
    CHECK_EQ(b->at[0].len, 1000);
    close_net(a->n);
    close_net(b->n);
    CHECK(access("/tmp/emu-net-a", F_OK) < 0);

    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    snprintf(text, sizeof(text), "dgram,id=a,local.type=fd,local.str=%d", pair[0]);
    a = new_card(open_net(text));
    snprintf(text, sizeof(text), "socket,id=b,fd=%d", pair[1]);
    b = new_card(open_net(text));
    card_send(b, frame, 999);
    RUN_UNTIL(a->got == 1);
    CHECK_EQ(a->at[0].len, 999);
}

TEST(net, a_card_is_announced_by_reverse_arp)
{
    static const uint8_t want[] = "\xff\xff\xff\xff\xff\xff\x52\x54\0\x12\x34\x56\x80\x35\0\1\10\0\6\4\0\3"
                                  "\x52\x54\0\x12\x34\x56\0\0\0\0\x52\x54\0\x12\x34\x56\0\0\0\0";
    struct card *b, *a = stream_pair(&b);

    CHECK(net_announce(a->n));
    RUN_UNTIL(b->got == 1);
    CHECK_EQ(b->at[0].len, 60);
    CHECK_MEM(b->at[0].data, want, 42);
    net_detach(a->n);
    CHECK(!net_announce(a->n));
}

/* Two ports that nobody has now. */
static void free_ports(unsigned port[2])
{
    int fd[2];

    for (int i = 0; i < 2; i++) {
        struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t len = sizeof(at);

        fd[i] = socket(AF_INET, SOCK_DGRAM, 0);
        CHECK_EQ(bind(fd[i], (struct sockaddr *)&at, len), 0);
        CHECK_EQ(getsockname(fd[i], (struct sockaddr *)&at, &len), 0);
        port[i] = ntohs(at.sin_port);
    }
    close(fd[0]);
    close(fd[1]);
}

TEST(l2tpv3, messages_are_as_the_rfc_has_them)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    uint8_t msg[2048], answer[] = "\0\3\0\0\0\0\0\7\0\0\0\0\0\0\0\x22\0\0\0\1off frame";
    unsigned port[2];
    struct card *a;
    int peer;

    free_ports(port);
    snprintf(text, sizeof(text),
             "l2tpv3,id=a,src=127.0.0.1,dst=127.0.0.1,udp=on,srcport=%u,dstport=%u,txsession=0x01020304,rxsession=7,cookie64=on,"
             "txcookie=0x1122334455667788,rxcookie=0x22,counter=on,offset=3", port[0], port[1]);
    a = new_card(open_net(text));
    peer = socket(AF_INET, SOCK_DGRAM, 0);
    to.sin_port = htons(port[1]);
    CHECK_EQ(bind(peer, (struct sockaddr *)&to, sizeof(to)), 0);
    to.sin_port = htons(port[0]);
    for (int i = 0; i < 2; i++) {
        card_send(a, frame, 100);
        CHECK_EQ(recv(peer, msg, sizeof(msg), 0), 20 + 3 + 100);
    }
    CHECK_MEM(msg, "\0\3\0\0\1\2\3\4\x11\x22\x33\x44\x55\x66\x77\x88\0\0\0\2\0\0\0", 23);
    CHECK_MEM(msg + 23, frame, 100);
    for (unsigned wrong = 0; wrong < 17; wrong++) { /* version, session or cookie of somebody else; then none of them */
        if (wrong < 16)
            answer[wrong] ^= 1;
        CHECK_EQ(sendto(peer, answer, sizeof(answer) - 1, 0, (struct sockaddr *)&to, sizeof(to)), sizeof(answer) - 1);
        if (wrong < 16)
            answer[wrong] ^= 1;
    }
    sendto(peer, answer, 22, 0, (struct sockaddr *)&to, sizeof(to)); /* too short */
    RUN_UNTIL(a->got == 1);
    CHECK_EQ(a->at[0].len, 6);
    CHECK_MEM(a->at[0].data, " frame", 6);
    CHECK_EQ(a->got, 1);
    close(peer);
}

TEST(l2tpv3, over_ip)
{
    struct err e = {0};
    int raw = socket(AF_INET, SOCK_RAW, 115);
    struct card *a, *b;

    if (raw < 0) {
        CHECK(!net_open(&net_env, net_text_opts("l2tpv3,id=a,src=127.0.0.1,dst=127.0.0.1,txsession=1", &e), &e));
        CHECK_STR(e.msg, "l2tpv3 over IP: Operation not permitted; udp=on does without privileges");
        return;
    }
    close(raw);
    a = new_card(open_net("l2tpv3,id=a,src=127.0.0.1,dst=127.0.0.2,txsession=1,rxsession=2"));
    b = new_card(open_net("l2tpv3,id=b,src=127.0.0.2,dst=127.0.0.1,txsession=2,rxsession=1"));
    card_send(a, frame, 1000);
    RUN_UNTIL(b->got == 1);
    CHECK_EQ(b->at[0].len, 1000);
    CHECK_MEM(b->at[0].data, frame, 1000);
    card_send(b, frame, 60);
    RUN_UNTIL(a->got == 1);
    CHECK_EQ(a->at[0].len, 60);
}

TEST(l2tpv3, faults_are_named)
{
    static const char *const bad[][2] = {
        {"l2tpv3,id=a,src=127.0.0.1,txsession=1", "Parameter 'dst' is missing"},
        {"l2tpv3,id=a,src=127.0.0.1,dst=127.0.0.1", "Parameter 'txsession' is 0: want 1 to 4294967295"},
        {"l2tpv3,id=a,src=127.0.0.1,dst=127.0.0.1,txsession=1,udp=on,srcport=1", "Parameter 'dstport' is missing: udp=on wants ports"},
        {"l2tpv3,id=a,src=127.0.0.1,dst=127.0.0.1,txsession=1,txcookie=1",
         "Parameter 'rxcookie' is missing: both ends have a cookie, or none"},
        {"l2tpv3,id=a,src=127.0.0.1,dst=127.0.0.1,txsession=1,txcookie=0x100000000,rxcookie=1",
         "Parameter 'txcookie' is '0x100000000': want a number of at most 0xffffffff"},
        {"l2tpv3,id=a,src=127.0.0.1,dst=127.0.0.1,txsession=1,offset=257", "Parameter 'offset' is 257: want at most 256"},
    };

    for (unsigned i = 0; i < ARRAY_LEN(bad); i++) {
        struct err e = {0};

        CHECK(!net_open(&net_env, net_text_opts(bad[i][0], &e), &e));
        CHECK_STR(e.msg, bad[i][1]);
    }
}

TEST(socket, as_once_written)
{
    struct card *a, *b;

    a = new_card(open_net("socket,id=a,listen=127.0.0.1:47391"));
    b = new_card(open_net("socket,id=b,connect=127.0.0.1:47391"));
    RUN_UNTIL(net_link(a->n) && net_link(b->n));
    card_send(a, frame, 77);
    RUN_UNTIL(b->got == 1);
    net_describe(b->n, text, sizeof(text));
    CHECK_STR(text, "socket: connect to 127.0.0.1:47391");
    net_describe(a->n, text, sizeof(text));
    CHECK(!strncmp(text, "socket: connection from 127.0.0.1:", 34));
    close_net(a->n);
    close_net(b->n);
    a = new_card(open_net("socket,id=a,udp=127.0.0.1:47393,localaddr=127.0.0.1:47392"));
    b = new_card(open_net("socket,id=b,udp=127.0.0.1:47392,localaddr=127.0.0.1:47393"));
    card_send(a, frame, 78);
    RUN_UNTIL(b->got == 1);
    CHECK_EQ(b->at[0].len, 78);
}

TEST(socket, a_group_hears_others_and_not_itself)
{
    struct card *a, *b;
    static uint8_t own[60];

    a = new_card(open_net("socket,id=a,mcast=230.0.0.1:47394,localaddr=127.0.0.1"));
    b = new_card(open_net("socket,id=b,mcast=230.0.0.1:47394,localaddr=127.0.0.1"));
    memset(own, 255, 6);
    memcpy(own + 6, card_mac, 6); /* both cards have this address: nobody hears it */
    card_send(a, own, sizeof(own));
    card_send(a, frame, 60);
    RUN_UNTIL(b->got == 1 && a->got == 1);
    CHECK_MEM(b->at[0].data, frame, 60);
}

TEST(hub, what_comes_in_goes_out_at_all_others)
{
    struct card *a = new_card(open_net("hubport,id=p0,hubid=0"));
    struct card *b = new_card(open_net("hubport,id=p1,hubid=0"));
    struct card *c = new_card(open_net("hubport,id=p2,hubid=1"));
    struct card *far;
    int pair[2];

    card_send(a, frame, 60);
    CHECK_EQ(a->got, 0);
    CHECK_EQ(b->got, 1);
    CHECK_EQ(c->got, 0);
    /* A port with another back end at its end. */
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, pair), 0);
    snprintf(text, sizeof(text), "socket,id=n,fd=%d", pair[0]);
    open_net(text);
    open_net("hubport,id=p3,hubid=0,netdev=n");
    CHECK_EQ(net_hub_of(find_net(NULL, "n")), 0);
    snprintf(text, sizeof(text), "socket,id=far,fd=%d", pair[1]);
    far = new_card(open_net(text));
    card_send(b, frame, 61);
    RUN_UNTIL(far->got == 1 && a->got == 1);
    card_send(far, frame, 62);
    RUN_UNTIL(a->got == 2 && b->got == 2);
    refused_net("hubport,id=x", "Parameter 'hubid' is missing");
    refused_net("hubport,id=x,hubid=0,netdev=nope", "netdev 'nope' not found");
    refused_net("hubport,id=x,hubid=0,netdev=n", "netdev 'n' is in use");
}

TEST(net, what_waits_for_a_card_is_bounded)
{
    struct card *a = new_card(open_net("hubport,id=p0,hubid=0"));
    struct card *b = new_card(open_net("hubport,id=p1,hubid=0"));
    unsigned got;

    b->room = 0;
    for (int i = 0; i < 100000; i++)
        card_send(a, frame, sizeof(frame));
    CHECK_EQ(b->got, 0);
    b->room = 1 << 20;
    net_ready(b->n, 0);
    got = b->got;
    CHECK(got >= 100 && got <= 1000);
    card_send(a, frame, 60);
    CHECK_EQ(b->got, got + 1);
}

TEST(net, set_link)
{
    struct card *a = new_card(open_net("hubport,id=p0,hubid=0"));
    struct card *b = new_card(open_net("hubport,id=p1,hubid=0"));

    net_set_link(a->n, false);
    CHECK_STR(a->links, "D");
    CHECK(!net_link(a->n));
    card_send(a, frame, 60);
    card_send(b, frame, 60);
    CHECK_EQ(a->got + b->got, 0);
    net_set_link(a->n, true);
    CHECK_STR(a->links, "DU");
    card_send(b, frame, 60);
    CHECK_EQ(a->got, 1);
}

static struct net_filter *filter(const char *opts, const char *why)
{
    struct err e = {0};
    struct net_filter *f = net_filter_open(&net_env, keyval_parse(opts, "qom-type", &e), &e);

    if (why)
        CHECK_STR(e.msg, why);
    else if (!CHECK(f))
        printf("%s\n", e.msg);
    return f;
}

TEST(filter, dump_is_a_pcap_file)
{
    struct card *a = new_card(open_net("hubport,id=p0,hubid=0"));
    struct card *b = new_card(open_net("hubport,id=p1,hubid=0"));
    struct net_filter *f =
        filter("filter-dump,id=d,netdev=p0,file=/tmp/emu-net.pcap,maxlen=100", NULL);
    uint32_t head[6 + 4];
    uint8_t data[100];
    FILE *file;

    card_send(a, frame, 300);
    card_send(b, frame, 60);
    net_filter_describe(f, text, sizeof(text));
    CHECK_STR(
        text,
        "type=filter-dump,file=/tmp/emu-net.pcap,maxlen=100,position=tail,status=on,insert=behind,"
        "netdev=p0,queue=all");
    net_filter_close(f);
    file = fopen("/tmp/emu-net.pcap", "r");
    CHECK_EQ(fread(head, 4, 10, file), 10);
    CHECK_EQ(head[0], 0xa1b2c3d4);
    CHECK_EQ(head[4], 100);
    CHECK_EQ(head[5], 1);
    CHECK_EQ(head[8], 100);
    CHECK_EQ(head[9], 300);
    CHECK_EQ(fread(data, 1, 100, file), 100);
    CHECK_MEM(data, frame, 100);
    CHECK_EQ(fread(head, 4, 4, file), 4);
    CHECK_EQ(head[3], 60);
    fclose(file);
    unlink("/tmp/emu-net.pcap");
    filter("filter-dump,id=d,netdev=p0", "Parameter 'file' is missing");
    filter("filter-dump,id=d,netdev=x,file=/x",
           "Parameter 'netdev' expects a network backend id, not 'x'");
    filter("filter-dump,id=d,netdev=p0,file=/x,position=id=y",
           "filter 'y' not found at netdev 'p0'");
    filter("filter-rewriter,id=d,netdev=p0",
           "object 'filter-rewriter' is not supported: it serves COLO, which keeps two machines "
           "alike, and is not there");
}

TEST(filter, buffer_delays_and_order_is_kept)
{
    struct card *a = new_card(open_net("hubport,id=p0,hubid=0"));
    struct card *b = new_card(open_net("hubport,id=p1,hubid=0"));
    struct net_filter *f = filter("filter-buffer,id=f,netdev=p0,interval=20000,queue=rx", NULL);

    for (int i = 0; i < 5; i++) {
        frame[14] = (uint8_t)i;
        card_send(a, frame, 60);
    }
    CHECK_EQ(b->got, 0);
    card_send(b, frame, 60); /* the other way is not asked for */
    CHECK_EQ(a->got, 1);
    RUN_UNTIL(b->got == 5);
    for (int i = 0; i < 5; i++)
        CHECK_EQ(b->at[i].data[14], i);
    card_send(a, frame, 60);
    net_filter_close(f); /* lets go what it holds */
    CHECK_EQ(b->got, 6);
}

/* A character device for filters: what is written, and something to say. */
static struct line {
    char name[32];
    uint8_t out[4096];
    size_t out_n;
    void (*data)(void *to, const uint8_t *buf, size_t len);
    void *to;
} lines[2];

static void *line_open(void *opaque, const char *id, const char *dev, size_t (*room)(void *to),
                       void (*data)(void *to, const uint8_t *buf, size_t len), void *to,
                       struct err *e)
{
    struct line *l = &lines[!strcmp(dev, "in")];

    l->data = data;
    l->to = to;
    return l;
}

static size_t line_write(void *line, const uint8_t *buf, size_t len)
{
    struct line *l = line;

    memcpy(l->out + l->out_n, buf, len);
    l->out_n += len;
    return len;
}

static void line_nothing(void *line)
{
}

static const struct net_lines some_lines = {line_open, line_write, line_nothing, line_nothing};

TEST(filter, mirror_and_redirector)
{
    struct card *a = new_card(open_net("hubport,id=p0,hubid=0"));
    struct card *b = new_card(open_net("hubport,id=p1,hubid=0"));
    struct net_filter *f;
    uint8_t said[64] = {0, 0, 0, 60};

    net_env.lines = &some_lines;
    f = filter("filter-mirror,id=m,netdev=p0,outdev=out", NULL);
    card_send(a, frame, 60);
    CHECK_EQ(b->got, 1);
    CHECK_EQ(lines[0].out_n, 64);
    CHECK_EQ(get_be32(lines[0].out), 60);
    CHECK_MEM(lines[0].out + 4, frame, 60);
    net_filter_close(f);
    lines[0].out_n = 0;
    f = filter("filter-redirector,id=r,netdev=p0,queue=rx,outdev=out,indev=in", NULL);
    card_send(a, frame, 60);
    CHECK_EQ(b->got, 1); /* it has gone elsewhere */
    CHECK_EQ(lines[0].out_n, 64);
    lines[1].data(lines[1].to, said, 30);
    lines[1].data(lines[1].to, said + 30, 34);
    CHECK_EQ(b->got, 2);
    lines[1].data(lines[1].to, (const uint8_t *)"\377\377\377\377", 4);
    CHECK_STR(net_warned,
              "filter-redirector 'r': 'in' sends no packets; it is not listened to any more");
    net_filter_close(f);
}

TEST(options, faults_are_named)
{
    refused_net("foo,id=a", "Parameter 'type' does not accept value 'foo'");
    refused_net("usr,id=a", "Parameter 'type' does not accept value 'usr'; did you mean 'user'?");
    refused_net("user", "Parameter 'id' is missing");
    refused_net("socket,id=a", "exactly one of fd=, listen=, connect=, mcast= or udp= is required");
    refused_net("socket,id=a,listen=foo",
                "host address 'foo' doesn't contain ':' separating host from port");
    refused_net("socket,id=a,mcast=1.2.3.4:5",
                "specified mcastaddr does not contain a multicast address");
    refused_net("socket,id=a,udp=127.0.0.1:5", "localaddr= is mandatory with udp=");
    refused_net("stream,id=a", "Parameter 'addr' is missing");
    refused_net("stream,id=a,addr.type=inet", "Parameter 'addr.host' is missing");
    refused_net("stream,id=a,addr.type=foo",
                "Parameter 'addr.type' does not accept value 'foo': want inet, unix or fd");
    refused_net("stream,id=a,addr.type=fd,addr.str=99", "File descriptor '99' is not a socket");
    refused_net("dgram,id=a", "dgram requires local= parameter");
    refused_net("dgram,id=a,local.type=inet,local.host=127.0.0.1,local.port=0",
                "type=inet or type=unix requires remote parameter");
    refused_net(
        "vde,id=a",
        "netdev 'vde' is not supported: libvdeplug is not built in; stream and dgram connect "
        "machines, too");
    refused_net("tap,id=a,fd=1,ifname=x",
                "ifname=, script=, downscript=, vnet_hdr=, helper=, queues=, fds=, and "
                "vhostfds= are invalid with fd=");
    refused_net("tap,id=a,fd=99", "Can't use file descriptor 99: Bad file descriptor");
    refused_net("tap,id=a,queues=0", "queues=0: want 1 to 64");
    refused_net("bridge,id=a,helper=/nonexistent",
                "bridge helper '/nonexistent' failed for bridge 'br0': it is not there");
}

TEST(mac, texts)
{
    uint8_t mac[6];
    struct err e = {0};

    CHECK_EQ(net_parse_mac("52:54:00:aB:c:ff", mac, &e), 0);
    CHECK_MEM(mac, "\x52\x54\0\xab\x0c\xff", 6);
    CHECK_EQ(net_parse_mac("52:54:00:ab:cd", mac, &e), -EINVAL);
    CHECK_EQ(net_parse_mac("52:54:00:ab:cd:ef:1", mac, &e), -EINVAL);
    CHECK_EQ(net_parse_mac("52:54:00:ab:cd:100", mac, &e), -EINVAL);
    net_next_mac(mac);
    CHECK_MEM(mac, card_mac, 6);
    net_next_mac(mac);
    CHECK_EQ(mac[5], 0x57);
}

/* What a plan has become, in one line. */
static void plan_is(struct net_plan *p, const char *netdevs, const char *nics)
{
    char *got;

    net_plan_done(p);
    CHECK_STR(got = json_print(p->netdevs, true), netdevs);
    free(got);
    CHECK_STR(got = json_print(p->nics, true), nics);
    free(got);
    net_plan_free(p);
}

TEST(plan, nic_and_net)
{
    struct net_plan *p = net_plan_new();
    struct err e = {0};

    CHECK(!p->said);
    CHECK_EQ(net_plan_nic(
                 p,
                 "user,model=virtio-net-pci,mac=52:54:00:1:2:3,hostfwd=tcp::1-:1,hostfwd=tcp::2-:2",
                 &e),
             0);
    CHECK(p->said);
    plan_is(
        p,
        "[{\"type\": \"user\", \"hostfwd\": [{\"str\": \"tcp::1-:1\"}, {\"str\": \"tcp::2-:2\"}], "
        "\"id\": \"#net000\"}]",
        "[{\"mac\": \"52:54:00:1:2:3\", \"model\": \"virtio-net-pci\", \"netdev\": \"#net000\"}]");
    p = net_plan_new();
    CHECK_EQ(net_plan_nic(p, "none", &e), 0);
    CHECK(p->said);
    plan_is(p, "[]", "[]");
    /* One of each is a cable, */
    p = net_plan_new();
    net_plan_net(p, "nic,macaddr=52:54:00:1:2:3", &e);
    net_plan_net(p, "user,id=u", &e);
    plan_is(p, "[{\"type\": \"user\", \"id\": \"u\"}]",
            "[{\"mac\": \"52:54:00:1:2:3\", \"netdev\": \"u\"}]");
    /* more a hub. */
    p = net_plan_new();
    net_plan_net(p, "nic", &e);
    net_plan_net(p, "user,id=u", &e);
    net_plan_net(p, "nic,model=e1000", &e);
    plan_is(p,
            "[{\"type\": \"user\", \"id\": \"u\"}, {\"type\": \"hubport\", \"id\": \"hub0port0\", "
            "\"hubid\": \"0\"}, "
            "{\"type\": \"hubport\", \"id\": \"hub0port1\", \"hubid\": \"0\", \"netdev\": \"u\"}, "
            "{\"type\": \"hubport\", \"id\": \"hub0port2\", \"hubid\": \"0\"}]",
            "[{\"netdev\": \"hub0port0\"}, {\"model\": \"e1000\", \"netdev\": \"hub0port2\"}]");
    p = net_plan_new();
    CHECK_EQ(net_plan_net(p, "nic,foo=1", &e), -EINVAL);
    CHECK_STR(e.msg, "Invalid parameter 'foo'");
    CHECK_EQ(net_plan_nic(p, "user,mac=1", &e), -EINVAL);
    CHECK_STR(e.msg, "invalid MAC address '1': want six bytes, 52:54:00:12:34:56");
    net_plan_free(p);
}

static const struct test tests[] = {
    CASE(stream, packets_both_ways_and_back_again),
    CASE(stream, a_card_without_room_stops_the_sender_and_loses_nothing),
    CASE(stream, a_peer_who_speaks_something_else_is_cut_off),
    CASE(frames, any_cut_means_the_same),
    CASE(dgram, inet_unix_and_socketpairs),
    CASE(net, a_card_is_announced_by_reverse_arp),
    CASE(l2tpv3, messages_are_as_the_rfc_has_them),
    CASE(l2tpv3, over_ip),
    CASE(l2tpv3, faults_are_named),
    CASE(socket, as_once_written),
    CASE(socket, a_group_hears_others_and_not_itself),
    CASE(hub, what_comes_in_goes_out_at_all_others),
    CASE(net, what_waits_for_a_card_is_bounded),
    CASE(net, set_link),
    CASE(filter, dump_is_a_pcap_file),
    CASE(filter, buffer_delays_and_order_is_kept),
    CASE(filter, mirror_and_redirector),
    CASE(options, faults_are_named),
    CASE(mac, texts),
    CASE(plan, nic_and_net),
};
TEST_MAIN(tests)
