/* SPDX-License-Identifier: GPL-2.0-or-later */
/* User-mode networking with a scripted guest: DHCP, TFTP, forwards both ways, restrict, hosts that are hostile. */
#include "tests/unit/net/guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { NET = 0x0a000200 /* 10.0.2.0 */ };

static struct guest g;

static bool boot(const char *opts)
{
    struct net *n = open_net(opts);

    if (!n)
        return false;
    g = (struct guest){.card = new_card(n)};
    return CHECK(guest_boot(&g, NET + 2));
}

/* A TCP socket of the host that listens on a free port of the loopback. */
static int host_listen(int *port)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

    if (bind(fd, (struct sockaddr *)&a, len) < 0 || listen(fd, 5) < 0)
        SKIP("no socket on the loopback");
    getsockname(fd, (struct sockaddr *)&a, &len);
    *port = ntohs(a.sin_port);
    return fd;
}

static int free_port(void)
{
    int port, fd = host_listen(&port);

    close(fd);
    return port;
}

static int host_connect(int port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    if (!CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0))
        return -1;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static size_t host_receive(int fd, char *buf, size_t want)
{
    int64_t end = test_now() + INT64_C(5000000000);
    size_t n = 0;

    while (n < want && test_now() < end) {
        ssize_t r = recv(fd, buf + n, want - n, MSG_DONTWAIT);

        if (!r)
            break;
        if (r > 0)
            n += (size_t)r;
        else
            loop_once(net_env.loop, 5000000);
    }
    return n;
}

TEST(dhcp, addresses_names_and_bootfile)
{
    const uint8_t *p, *o;
    size_t len, n;

    if (!boot("user,id=n,hostname=guest,domainname=example.org,dnssearch=a.org,dnssearch=b.org,"
              "tftp=/tmp,"
              "bootfile=boot.img,tftp-server-name=tftp.example.org"))
        return;
    CHECK_EQ(g.ip, NET + 15);
    if (!(p = guest_dhcp(&g, 3, NET + 15, &len)))
        return;
    CHECK((o = dhcp_option(p, len, 3, &n)) && get_be32(o) == NET + 2);
    CHECK((o = dhcp_option(p, len, 6, &n)) && get_be32(o) == NET + 3);
    CHECK((o = dhcp_option(p, len, 1, &n)) && get_be32(o) == 0xffffff00);
    CHECK((o = dhcp_option(p, len, 12, &n)) && n == 5 && !memcmp(o, "guest", 5));
    CHECK((o = dhcp_option(p, len, 15, &n)) && n == 11 && !memcmp(o, "example.org", 11));
    CHECK((o = dhcp_option(p, len, 119, &n)) && !memcmp(o, "\1a\3org\0\1b", 8)); /* and a pointer */
    CHECK((o = dhcp_option(p, len, 66, &n)) && n == 16 && !memcmp(o, "tftp.example.org", 16));
    CHECK_STR((const char *)p + ETH + IP + UDP + 108, "boot.img");
}

TEST(dhcp, another_network)
{
    struct net *n = open_net(
        "user,id=n,net=192.168.76.0/24,dhcpstart=192.168.76.9,host=192.168.76.1,dns=192.168.76.2");
    char text[128];

    g = (struct guest){.card = new_card(n)};
    CHECK(guest_boot(&g, 0xc0a84c01));
    CHECK_EQ(g.ip, 0xc0a84c09);
    net_describe(n, text, sizeof(text));
    CHECK_STR(text, "net=192.168.76.0,restrict=off");
}

TEST(tftp, a_file_in_blocks)
{
    char name[] = "/tmp/emu-tftp-XXXXXX", request[64], opts[128];
    uint8_t want[700];
    const uint8_t *p;
    size_t len;
    int fd;

    if (!CHECK(mkdtemp(name)))
        return;
    for (size_t i = 0; i < sizeof(want); i++)
        want[i] = (uint8_t)(i * 7);
    snprintf(opts, sizeof(opts), "%s/file", name);
    fd = open(opts, O_CREAT | O_WRONLY, 0600);
    CHECK_EQ(write(fd, want, sizeof(want)), sizeof(want));
    close(fd);
    snprintf(opts, sizeof(opts), "user,id=n,tftp=%s", name);
    if (!boot(opts))
        return;
    memcpy(request, "\0\1file\0octet\0", 13);
    guest_send_udp(&g, 5000, NET + 2, 69, request, 13);
    if (!(p = guest_next(&g, &len, is_udp)))
        return;
    CHECK_EQ(get_be32(p + ETH + IP + UDP), 0x00030001);
    CHECK_MEM(p + ETH + IP + UDP + 4, want, 512);
    guest_send_udp(&g, 5000, NET + 2, 69, "\0\4\0\1", 4);
    if (!(p = guest_next(&g, &len, is_udp)))
        return;
    CHECK_EQ(get_be32(p + ETH + IP + UDP), 0x00030002);
    CHECK_MEM(p + ETH + IP + UDP + 4, want + 512, sizeof(want) - 512);
    /* Not out of the folder. */
    memcpy(request, "\0\1/../../etc/passwd\0octet\0", 26);
    guest_send_udp(&g, 5001, NET + 2, 69, request, 26);
    if ((p = guest_next(&g, &len, is_udp)))
        CHECK_EQ(get_be16(p + ETH + IP + UDP), 5); /* error */
    snprintf(opts, sizeof(opts), "%s/file", name);
    unlink(opts);
    rmdir(name);
}

TEST(hostfwd, tcp_into_the_guest)
{
    int port = free_port(), fd;
    struct guest_tcp t;
    char opts[128], buf[64], *table;
    struct err e = {0};

    snprintf(opts, sizeof(opts), "user,id=n,hostfwd=tcp:127.0.0.1:%d-:22", port);
    if (!boot(opts))
        return;
    fd = host_connect(port);
    if (!CHECK(tcp_accept(&t, &g)))
        return;
    CHECK_EQ(t.port, 22);
    CHECK_EQ(send(fd, "hello", 5, 0), 5);
    CHECK_EQ(tcp_receive(&t, buf, 5, sizeof(buf)), 5);
    CHECK_MEM(buf, "hello", 5);
    tcp_send(&t, TCP_ACK | TCP_PSH, "welcome", 7);
    CHECK_EQ(host_receive(fd, buf, 7), 7);
    CHECK_MEM(buf, "welcome", 7);
    table = net_user_connections(g.card->n);
    CHECK(table && strstr(table, "TCP[ESTABLISHED]") && strstr(table, "TCP[HOST_FORWARD]"));
    free(table);
    tcp_send(&t, TCP_ACK | TCP_FIN, NULL, 0);
    CHECK_EQ(host_receive(fd, buf, 1), 0);
    close(fd);

    snprintf(opts, sizeof(opts), "tcp:127.0.0.1:%d", port);
    CHECK_EQ(net_user_hostfwd_remove(g.card->n, opts, &e), 0);
    CHECK_EQ(net_user_hostfwd_remove(g.card->n, opts, &e), -ENOENT);
    snprintf(opts, sizeof(opts), "host forwarding rule for tcp:127.0.0.1:%d not found", port);
    CHECK_STR(e.msg, opts);
    snprintf(opts, sizeof(opts), "tcp:127.0.0.1:%d-10.0.2.15:23", port);
    CHECK_EQ(net_user_hostfwd_add(g.card->n, opts, &e), 0);
    fd = host_connect(port);
    CHECK(tcp_accept(&t, &g));
    CHECK_EQ(t.port, 23);
}

TEST(hostfwd, udp_into_the_guest)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int port = free_port(), fd = socket(AF_INET, SOCK_DGRAM, 0);
    char opts[128], buf[16];
    const uint8_t *p;
    size_t len;

    snprintf(opts, sizeof(opts), "user,id=n,hostfwd=udp:127.0.0.1:%d-:53", port);
    if (!boot(opts))
        return;
    a.sin_port = htons(port);
    connect(fd, (struct sockaddr *)&a, sizeof(a));
    CHECK_EQ(send(fd, "query", 5, 0), 5);
    if (!(p = guest_next(&g, &len, is_udp)))
        return;
    CHECK_EQ(get_be16(p + ETH + IP + 2), 53);
    CHECK_MEM(p + ETH + IP + UDP, "query", 5);
    guest_send_udp(&g, 53, get_be32(p + ETH + 12), get_be16(p + ETH + IP), "answer", 6);
    CHECK_EQ(host_receive(fd, buf, 6), 6);
    CHECK_MEM(buf, "answer", 6);
}

/* 10.0.2.2 is the host. */
TEST(out, tcp_to_the_host_and_a_megabyte_back)
{
    static char lots[1 << 20], back[1 << 20];
    int port, l = host_listen(&port), fd = -1;
    struct guest_tcp t;
    size_t sent = 0, got = 0;

    if (!boot("user,id=n"))
        return;
    if (!CHECK(tcp_connect(&t, &g, NET + 2, (uint16_t)port)))
        return;
    RUN_UNTIL(fd >= 0 || (fd = accept4(l, NULL, NULL, SOCK_NONBLOCK)) >= 0);
    tcp_send(&t, TCP_ACK | TCP_PSH, "send", 4);
    CHECK_EQ(host_receive(fd, lots, 4), 4);
    for (size_t i = 0; i < sizeof(lots); i++)
        lots[i] = (char)(i * 31 >> 3);
    while (got < sizeof(lots)) {
        ssize_t r =
            sent < sizeof(lots) ? send(fd, lots + sent, sizeof(lots) - sent, MSG_DONTWAIT) : 0;
        size_t n;

        sent += r > 0 ? (size_t)r : 0;
        if (!(n = tcp_receive(&t, back + got, 1, sizeof(back) - got)))
            break;
        got += n;
    }
    CHECK_EQ(got, sizeof(lots));
    CHECK_MEM(back, lots, sizeof(lots));
}

TEST(out, restricted_guests_reach_nobody)
{
    struct guest_tcp t = {.g = &g};
    int port, l = host_listen(&port);

    if (!boot("user,id=n,restrict=on"))
        return;
    t = (struct guest_tcp){&g, NET + 2, 1000, 0, 40000, (uint16_t)port};
    tcp_send(&t, TCP_SYN, NULL, 0);
    for (int i = 0; i < 20; i++)
        loop_once(net_env.loop, 5000000);
    CHECK(accept4(l, NULL, NULL, SOCK_NONBLOCK) < 0);
}

TEST(guestfwd, a_command_answers)
{
    struct guest_tcp t;
    char buf[64];

    if (!boot("user,id=n,restrict=on,guestfwd=tcp:10.0.2.100:7-cmd:tr a-z A-Z"))
        return;
    if (!CHECK(tcp_connect(&t, &g, NET + 100, 7)))
        return;
    tcp_send(&t, TCP_ACK | TCP_PSH, "loud\n", 5);
    tcp_send(&t, TCP_ACK | TCP_FIN, NULL, 0);
    CHECK_EQ(tcp_receive(&t, buf, 5, sizeof(buf)), 5);
    CHECK_MEM(buf, "LOUD\n", 5);
}

/* A character device at the other end. */
static struct {
    uint8_t got[64], say[64];
    size_t got_n, say_n;
    size_t (*room)(void *to);
    void (*data)(void *to, const uint8_t *buf, size_t len);
    void *to;
} line;

static void *line_open(void *opaque, const char *id, const char *text, size_t (*room)(void *to),
                       void (*data)(void *to, const uint8_t *buf, size_t len), void *to,
                       struct err *e)
{
    CHECK_STR(id, "guestfwd.tcp.80");
    CHECK_STR(text, "chr0");
    line.room = room;
    line.data = data;
    line.to = to;
    return &line;
}

static size_t line_write(void *l, const uint8_t *buf, size_t len)
{
    memcpy(line.got + line.got_n, buf, len);
    line.got_n += len;
    return len;
}

static void line_wake(void *l)
{
    size_t n = min_u64(line.room(line.to), line.say_n);

    if (n)
        line.data(line.to, line.say, n);
    line.say_n = n ? 0 : line.say_n;
}

static void line_close(void *l)
{
}

static const struct net_lines lines = {line_open, line_write, line_wake, line_close};

TEST(guestfwd, a_character_device)
{
    struct guest_tcp t;
    char buf[64];

    net_env.lines = &lines;
    if (!boot("user,id=n,guestfwd=tcp:10.0.2.100:80-chr0"))
        return;
    CHECK_EQ(line.room(line.to), 0); /* nobody has connected */
    if (!CHECK(tcp_connect(&t, &g, NET + 100, 80)))
        return;
    tcp_send(&t, TCP_ACK | TCP_PSH, "in", 2);
    RUN_UNTIL(line.got_n == 2);
    CHECK_MEM(line.got, "in", 2);
    memcpy(line.say, "out", 3);
    line.say_n = 3;
    line_wake(&line);
    CHECK_EQ(tcp_receive(&t, buf, 3, sizeof(buf)), 3);
    CHECK_MEM(buf, "out", 3);
    close_net(g.card->n);
}

/* Negotiation of SMB 2 ([MS-SMB2], 2.2.3 and 2.2.4), behind the length that TCP wants (2.1); the answer's header, or NULL. */
static const uint8_t *smb_negotiate(struct guest_tcp *t)
{
    uint8_t m[4 + 64 + 36 + 4] = {0, 0, 0, sizeof(m) - 4, 0xfe, 'S', 'M', 'B', 64}, *n = m + 4 + 64;
    static char got[4096];
    size_t want = 4 + 64 + 6;

    put_le16(m + 4 + 14, 1); /* credits */
    put_le16(n, 36);
    put_le16(n + 2, 2); /* dialects: 2.0.2, 2.1 */
    put_le16(n + 4, 1); /* signing */
    put_le16(n + 36, 0x0202);
    put_le16(n + 38, 0x0210);
    tcp_send(t, TCP_PSH | TCP_ACK, m, sizeof(m));
    return tcp_receive(t, got, want, sizeof(got)) >= want ? (const uint8_t *)got + 4 : NULL;
}

/* Samba's own server, started for the connection. */
TEST(smb, a_folder_is_served)
{
    char folder[] = "/tmp/emu-smb-XXXXXX", text[64];
    struct guest_tcp t;
    const uint8_t *h;

    if (access("/usr/sbin/smbd", X_OK) < 0)
        SKIP("no smbd (package samba)");
    CHECK(mkdtemp(folder));
    snprintf(text, sizeof(text), "user,id=a,smb=%s", folder);
    if (!boot(text) || !CHECK(tcp_connect(&t, &g, NET + 4, 445)) || !CHECK((h = smb_negotiate(&t)) != NULL))
        return;
    CHECK_MEM(h, "\xfeSMB", 4);
    CHECK_EQ(get_le32(h + 8), 0); /* status */
    CHECK_EQ(get_le16(h + 64 + 4), 0x0210);
    close_net(g.card->n);
    rmdir(folder);
}

TEST(options, faults_are_named)
{
    char text[128], why[192];
    int port, l = host_listen(&port);
    struct err e = {0};
    struct net *n;

    refused_net("user,id=a,foo=1", "Invalid parameter 'foo'");
    refused_net("user,id=a,hostfwd=x", "Invalid host forwarding rule 'x' (No : separators)");
    refused_net("user,id=a,hostfwd=tcp:x:22-:22",
                "Invalid host forwarding rule 'tcp:x:22-:22' (Bad host address)");
    refused_net("user,id=a,hostfwd=tcp::22x-:22",
                "Invalid host forwarding rule 'tcp::22x-:22' (Bad host port)");
    refused_net("user,id=a,hostfwd=tcp::5730",
                "Invalid host forwarding rule 'tcp::5730' (Bad host port separator)");
    refused_net("user,id=a,hostfwd=tcp::5730-:0",
                "Invalid host forwarding rule 'tcp::5730-:0' (Bad guest port)");
    snprintf(text, sizeof(text), "user,id=a,hostfwd=tcp:127.0.0.1:%d-:22", port);
    snprintf(why, sizeof(why), "Could not set up host forwarding rule 'tcp:127.0.0.1:%d-:22': %s",
             port, strerror(EADDRINUSE));
    refused_net(text, why);
    close(l);
    refused_net("user,id=a,net=foo",
                "Failed to parse netmask: 'foo' is no network, want 10.0.2.0/24");
    refused_net("user,id=a,net=10.0.2.0/33", "Invalid netmask provided (must be in range 4-32)");
    refused_net("user,id=a,host=1.2.3.4", "Host doesn't belong to network");
    refused_net("user,id=a,dhcpstart=1.2.3.4", "DHCP doesn't belong to network");
    refused_net("user,id=a,ipv4=off,ipv6=off", "IPv4 and IPv6 disabled");
    refused_net("user,id=a,ipv4=off,net=10.0.0.0", "IPv4 disabled but netmask/host/dns provided");
    refused_net("user,id=a,ipv6-host=1::1", "IPv6 Host doesn't belong to network");
    refused_net("user,id=a,dnssearch=a..b", "Parameter 'dnssearch' expects domain names, not 'a..b'");
    refused_net("user,id=a,domainname=", "'domainname' parameter cannot be empty");
    refused_net("user,id=a,guestfwd=foo",
                "Invalid guest forwarding rule 'foo': want tcp:ADDRESS:PORT-DEVICE or "
                "tcp:ADDRESS:PORT-cmd:COMMAND");
    refused_net("user,id=a,guestfwd=tcp:1.2.3.4:80-cmd:cat",
                "Conflicting/invalid host:port in guest forwarding rule 'tcp:1.2.3.4:80-cmd:cat'");
    n = open_net("hubport,id=h,hubid=0");
    CHECK_EQ(net_user_hostfwd_add(n, "tcp::1-:1", &e), -ENOTSUP);
    CHECK(!net_user_connections(n));
}

/* Nothing to do: the loop sleeps. */
TEST(user, an_idle_network_costs_nothing)
{
    struct rusage before, after;
    int64_t end;

    if (!boot("user,id=n"))
        return;
    for (int i = 0; i < 5; i++)
        loop_once(net_env.loop, 1000000);
    getrusage(RUSAGE_SELF, &before);
    for (end = test_now() + 500000000; test_now() < end;)
        loop_once(net_env.loop, 100000000);
    getrusage(RUSAGE_SELF, &after);
    CHECK((after.ru_utime.tv_sec - before.ru_utime.tv_sec) * 1000000 + after.ru_utime.tv_usec -
              before.ru_utime.tv_usec <
          5000);
}

static const struct test tests[] = {
    CASE(dhcp, addresses_names_and_bootfile),
    CASE(dhcp, another_network),
    CASE(tftp, a_file_in_blocks),
    CASE(hostfwd, tcp_into_the_guest),
    CASE(hostfwd, udp_into_the_guest),
    CASE(out, tcp_to_the_host_and_a_megabyte_back),
    CASE(out, restricted_guests_reach_nobody),
    CASE(guestfwd, a_command_answers),
    CASE(guestfwd, a_character_device),
    CASE_SLOW(smb, a_folder_is_served, 60),
    CASE(options, faults_are_named),
    CASE(user, an_idle_network_costs_nothing),
};
TEST_MAIN(tests)
