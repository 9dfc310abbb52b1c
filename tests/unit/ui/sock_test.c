/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets as character back ends, with real peers on the loopback: plain, telnet, WebSocket, UDP, coming back. */
#include "base/sha1.h"
#include "base/sock.h"
#include "block/tls_creds.h"
#include "tests/unit/ui/front.h"
#include "ui/telnet.h"
#include "ui/websocket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/un.h>

static char noted[1024];

static void on_note(void *opaque, const char *text)
{
    snprintf(noted, sizeof(noted), "%s", text);
}

static struct chr_env env = {.note = on_note};
static struct front f;

/* A back end that listens on a free port of the loopback; *@port: which. */
static struct chr *listener(const char *more, int *port)
{
    char opts[256];
    struct chr *c;

    env.loop = loop_new();
    snprintf(opts, sizeof(opts), "socket,id=s,host=127.0.0.1,port=0,server=on,wait=off%s", more);
    c = open_chardev(&env, opts);
    *port = c ? atoi(strstr(chr_describe(c), "127.0.0.1:") + 10) : 0;
    return c;
}

static int call(int port)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    CHECK_EQ(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Reads until @want bytes have come, with the loop running. */
static size_t hear(int fd, char *buf, size_t want)
{
    size_t n = 0;
    int64_t end = test_now() + INT64_C(5000000000);

    while (n < want && test_now() < end) {
        ssize_t r = recv(fd, buf + n, want - n, MSG_DONTWAIT);

        if (!r)
            break;
        if (r > 0)
            n += (size_t)r;
        else
            loop_once(env.loop, 5000000);
    }
    buf[n] = 0;
    return n;
}

TEST(tcp, a_server_has_one_peer_after_the_other)
{
    int port, fd, second;
    char buf[64], want[128];
    struct chr *c = listener("", &port);

    front_attach(&f, c);
    CHECK_STR(f.events, "");
    snprintf(want, sizeof(want), "disconnected:tcp:127.0.0.1:%d,server=on", port);
    CHECK_STR(chr_describe(c), want);
    CHECK_EQ(chr_write(c, &f, (const uint8_t *)"lost", 4), 4);
    fd = call(port);
    RUN_UNTIL(env.loop, chr_connected(c));
    snprintf(want, sizeof(want), "tcp:127.0.0.1:%d,server=on <-> 127.0.0.1:", port);
    CHECK(!strncmp(chr_describe(c), want, strlen(want)));
    second = call(port);
    CHECK_EQ(send(second, "2", 1, 0), 1);
    CHECK_EQ(send(fd, "hi", 2, 0), 2);
    RUN_UNTIL(env.loop, f.len == 2);
    front_say(&f, "there");
    CHECK_EQ(hear(fd, buf, 5), 5);
    CHECK_STR(buf, "there");
    close(fd);
    RUN_UNTIL(env.loop, f.len == 3);
    CHECK_STR(f.got, "hi2");
    CHECK_STR(f.events, "OCO");
    close(second);
    RUN_UNTIL(env.loop, !chr_connected(c));
    chr_close(c);
}

TEST(tcp, a_peer_who_does_not_read_stops_nothing)
{
    static uint8_t lots[1 << 20];
    static char sink[1 << 16];
    int port, fd;
    size_t n, total = 0;
    struct chr *c = listener("", &port);

    front_attach(&f, c);
    fd = call(port);
    RUN_UNTIL(env.loop, chr_connected(c));
    while ((n = chr_write(c, &f, lots, sizeof(lots))) == sizeof(lots))
        total += n;
    total += n;
    chr_on_room(c, &f, front_on_room);
    loop_once(env.loop, 0);
    CHECK_EQ(f.rooms, 0);
    while (total > 0) {
        n = hear(fd, sink, total < sizeof(sink) - 1 ? total : sizeof(sink) - 1);
        if (!CHECK(n))
            return;
        total -= n;
    }
    RUN_UNTIL(env.loop, f.rooms == 1);
    close(fd);
    chr_close(c);
}

TEST(tcp, a_peer_who_goes_while_the_guest_is_deaf_is_noticed)
{
    int port, fd;
    struct chr *c = listener("", &port);

    front_attach(&f, c);
    f.room = 0;
    chr_wake(c, &f);
    fd = call(port);
    RUN_UNTIL(env.loop, chr_connected(c));
    close(fd);
    RUN_UNTIL(env.loop, !chr_connected(c));
    chr_close(c);
}

TEST(tcp, a_client_comes_back)
{
    struct sock_addrs a;
    struct err e = {0};
    char opts[128];
    struct sock_addr here;
    int l, fd, port;
    struct chr *c;

    env.loop = loop_new();
    CHECK_EQ(sock_resolve(&a, "127.0.0.1", "0", 1, 0, SOCK_STREAM, true, &e), 0);
    l = sock_listen(&a, 0, &e);
    here = sock_local(l);
    port = ntohs(((struct sockaddr_in *)&here.a)->sin_port);
    snprintf(opts, sizeof(opts), "socket,id=s,host=127.0.0.1,port=%d,reconnect-ms=50", port);
    c = open_chardev(&env, opts);
    front_attach(&f, c);
    RUN_UNTIL(env.loop, chr_connected(c));
    fd = sock_accept(l, NULL);
    CHECK(fd >= 0);
    close(fd);
    RUN_UNTIL(env.loop, !strcmp(f.events, "OCO"));
    fd = sock_accept(l, NULL);
    close(l);
    close(fd);
    RUN_UNTIL(env.loop, !strcmp(f.events, "OCOC"));
    /* Nobody listens: it goes on trying, and is there when somebody does. */
    for (int i = 0; i < 5; i++)
        loop_once(env.loop, 60000000);
    snprintf(opts, sizeof(opts), "%d", port);
    CHECK_EQ(sock_resolve(&a, "127.0.0.1", opts, 1, 0, SOCK_STREAM, true, &e), 0);
    l = sock_listen(&a, 0, &e);
    RUN_UNTIL(env.loop, !strcmp(f.events, "OCOCO"));
    chr_close(c);
    close(l);
}

TEST(tcp, a_port_of_several)
{
    int port;
    char opts[128], want[128];
    struct chr *c = listener("", &port), *d;

    snprintf(opts, sizeof(opts), "socket,id=t,host=127.0.0.1,port=%d,to=%d,server,nowait", port,
             port + 20);
    d = open_chardev(&env, opts);
    snprintf(want, sizeof(want), "disconnected:tcp:127.0.0.1:%d,server=on", port);
    CHECK(strcmp(chr_describe(d), want));
    chr_close(c);
    chr_close(d);
}

static void wait_for_a_caller(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    strcpy(a.sun_path, path);
    while (connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
        usleep(1000);
    send(fd, "x", 1, 0);
    pause();
}

TEST(unix, waits_for_its_first_peer)
{
    static const char path[] = "/tmp/emu-chr-wait.sock";
    struct chr *c;
    pid_t pid;

    unlink(path);
    env.loop = loop_new();
    if (!(pid = fork()))
        wait_for_a_caller(path);
    c = open_chardev(&env, "socket,id=s,path=/tmp/emu-chr-wait.sock,server=on");
    CHECK(chr_connected(c));
    CHECK_STR(noted, "QEMU waiting for connection on: "
                     "disconnected:unix:/tmp/emu-chr-wait.sock,server=on");
    front_attach(&f, c);
    CHECK_STR(chr_describe(c), "unix:/tmp/emu-chr-wait.sock,server=on");
    RUN_UNTIL(env.loop, f.len == 1);
    kill(pid, SIGKILL);
    chr_close(c);
    CHECK(access(path, F_OK) < 0); /* removed with the back end */
}

TEST(unix, abstract_names)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    struct chr *c;

    env.loop = loop_new();
    c = open_chardev(&env, "socket,id=s,path=emu-chr-test,abstract=on,server=on,wait=off");
    CHECK_STR(chr_describe(c), "disconnected:unix:emu-chr-test,abstract=on,tight=on,server=on");
    memcpy(a.sun_path + 1, "emu-chr-test", 12);
    CHECK_EQ(connect(fd, (struct sockaddr *)&a, offsetof(struct sockaddr_un, sun_path) + 13), 0);
    RUN_UNTIL(env.loop, chr_connected(c));
    chr_close(c);
}

TEST(telnet, options_are_agreed_and_data_is_quoted)
{
    char buf[128];
    int port, fd;
    struct chr *c = listener(",telnet=on", &port);

    front_attach(&f, c);
    fd = call(port);
    CHECK_EQ(hear(fd, buf, 12), 12);
    CHECK_MEM(buf, "\377\373\001\377\373\003\377\373\000\377\375\000", 12);
    /* Window size and terminal type are refused, once; what we have offered needs no answer. */
    send(
        fd,
        "\377\373\037\377\375\030\377\375\001\377\373\037a\377\377b\377\372\037xx\377\360c\377\363",
        26, 0);
    RUN_UNTIL(env.loop, f.len == 4 && f.events[1] == 'B');
    CHECK_MEM(f.got, "a\377bc", 4);
    CHECK_STR(f.events, "OB");
    CHECK_EQ(hear(fd, buf, 6), 6);
    CHECK_MEM(buf, "\377\376\037\377\374\030", 6);
    front_say(&f, "x\377y");
    CHECK_EQ(hear(fd, buf, 4), 4);
    CHECK_MEM(buf, "x\377\377y", 4);
    CHECK(!strncmp(chr_describe(c), "telnet:127.0.0.1:", 17));
    close(fd);
    chr_close(c);
}

static const char request[] = "GET /console HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\n"
                              "Connection: keep-alive, Upgrade\r\n"
                              "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                              "Sec-WebSocket-Version: 13\r\n\r\n";

TEST(websocket, handshake_frames_ping_and_close)
{
    char buf[512];
    int port, fd;
    struct chr *c = listener(",websocket=on", &port);

    front_attach(&f, c);
    fd = call(port);
    send(fd, request, 40, 0);
    loop_once(env.loop, 10000000);
    loop_once(env.loop, 10000000);
    CHECK(!chr_connected(c));
    /* The rest, and at once a text "Hi" in two frames with a ping between. */
    memcpy(buf, request + 40, sizeof(request) - 41);
    memcpy(buf + sizeof(request) - 41, "\001\201\0\0\0\0H\211\202\1\1\1\1op\200\201\1\1\1\1h", 22);
    send(fd, buf, sizeof(request) - 41 + 22, 0);
    RUN_UNTIL(env.loop, f.len == 2);
    CHECK_STR(f.got, "Hi");
    /* RFC 6455, 1.3: the accept key of its sample nonce. */
    static const char want[] =
        "HTTP/1.1 101 Switching Protocols\r\nServer: Emu\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

    CHECK_EQ(hear(fd, buf, sizeof(want) - 1), sizeof(want) - 1);
    CHECK_STR(buf, want);
    CHECK_EQ(hear(fd, buf, 4), 4);
    CHECK_MEM(buf, "\212\002nq", 4); /* pong */
    front_say(&f, "out");
    CHECK_EQ(hear(fd, buf, 5), 5);
    CHECK_MEM(buf, "\202\003out", 5);
    send(fd, "\210\202\0\0\0\0\003\350", 8, 0); /* close, 1000 */
    CHECK_EQ(hear(fd, buf, 4), 4);
    CHECK_MEM(buf, "\210\002\003\350", 4);
    RUN_UNTIL(env.loop, !chr_connected(c));
    chr_close(c);
}

TEST(websocket, who_is_no_browser_is_refused)
{
    static const char *const bad[] = {
        "GET / HTTP/1.0\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\n\r\n",
        ("GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 8\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
    };
    char buf[512];
    int port, fd;
    struct chr *c = listener(",websocket=on", &port);

    for (size_t i = 0; i < 3; i++) {
        fd = call(port);
        send(fd, bad[i], strlen(bad[i]), 0);
        CHECK(hear(fd, buf, sizeof(buf) - 1) > 20);
        CHECK(!strncmp(buf, "HTTP/1.1 400 ", 13));
        close(fd);
    }
    /* Headers without end, frames without mask. */
    fd = call(port);
    for (int i = 0; i < 3 * WS_REQUEST_MAX / 16; i++) {
        send(fd, "Header: without\n", 16, MSG_NOSIGNAL);
        loop_once(env.loop, 0);
    }
    RUN_UNTIL(env.loop, recv(fd, buf, 1, MSG_DONTWAIT) == 0 || errno == ECONNRESET);
    close(fd);
    fd = call(port);
    send(fd, request, sizeof(request) - 1, 0);
    front_attach(&f, c);
    RUN_UNTIL(env.loop, chr_connected(c));
    send(fd, "\202\003out", 5, 0);
    RUN_UNTIL(env.loop, !chr_connected(c));
    chr_close(c);
}

/* Pings without end from somebody who never reads the answers. */
TEST(websocket, a_flood_of_pings_is_bounded)
{
    char ping[6 + 125] = "\211\375\0\0\0\0";
    int port, fd;
    size_t sent = 0;
    struct chr *c = listener(",websocket=on", &port);

    front_attach(&f, c);
    fd = call(port);
    send(fd, request, sizeof(request) - 1, 0);
    RUN_UNTIL(env.loop, chr_connected(c));
    for (int i = 0; i < 200000; i++) {
        ssize_t r = send(fd, ping, sizeof(ping), MSG_NOSIGNAL | MSG_DONTWAIT);

        if (r == (ssize_t)sizeof(ping))
            sent++;
        else if (r > 0 || errno != EAGAIN)
            break;
        else if (i % 16 == 0)
            loop_once(env.loop, 0);
    }
    CHECK(sent > 100);
    close(fd);
    RUN_UNTIL(env.loop, !chr_connected(c));
    chr_close(c);
}

static void add_key(struct blk_env *blk, const char *id, const char *endpoint, const char *dir)
{
    struct json_object *o = json_object_new_object();
    struct err e = {0};

    keyval_set(o, "qom-type", json_object_new_string("tls-creds-psk"), &e);
    keyval_set(o, "id", json_object_new_string(id), &e);
    keyval_set(o, "endpoint", json_object_new_string(endpoint), &e);
    keyval_set(o, "dir", json_object_new_string(dir), &e);
    if (!CHECK_EQ(blk_env_add_object(blk, o, &e), 0))
        printf("%s\n", e.msg);
}

/* Both ends are ours; telnet inside, so that the buffer is used both ways. */
TEST(tls, a_shared_key_and_data_both_ways)
{
    static struct front g;
    static char text[20001];
    char dir[] = "/tmp/emu-tls-XXXXXX", path[64], opts[128];
    int port, fd;
    struct chr *c, *d;
    FILE *keys;

    env.tls = &tls_creds_provider;
    env.tls_opaque = blk_env_new(NULL, NULL);
    CHECK(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/keys.psk", dir);
    keys = fopen(path, "w");
    fprintf(keys, "qemu:00112233445566778899aabbccddeeff\n");
    fclose(keys);
    add_key(env.tls_opaque, "there", "server", dir);
    add_key(env.tls_opaque, "here", "client", dir);
    env.loop = loop_new();
    refused(&env, "socket,id=x,host=127.0.0.1,port=0,server=on,wait=off,tls-creds=here",
            "Expecting TLS credentials with a server endpoint");
    c = listener(",telnet=on,tls-creds=there", &port);
    snprintf(opts, sizeof(opts), "socket,id=d,host=127.0.0.1,port=%d,tls-creds=here,telnet=on",
             port);
    d = open_chardev(&env, opts);
    front_attach(&f, c);
    front_attach(&g, d);
    RUN_UNTIL(env.loop, chr_connected(c) && chr_connected(d));
    memset(text, 'q', sizeof(text) - 1);
    for (size_t n = 0; n < sizeof(text) - 1;) {
        n += chr_write(c, &f, (uint8_t *)text + n, sizeof(text) - 1 - n);
        loop_once(env.loop, 1000000);
    }
    front_say(&g, "hello");
    RUN_UNTIL(env.loop, f.len == 5 && g.len == sizeof(text) - 1);
    CHECK_STR(f.got, "hello");
    CHECK_MEM(g.got, text, sizeof(text) - 1);
    chr_close(d);
    RUN_UNTIL(env.loop, !chr_connected(c));

    /* Somebody without TLS is sent away, and says nothing to the guest. */
    fd = call(port);
    send(fd, "GET / HTTP/1.0\r\n\r\n", 18, 0);
    RUN_UNTIL(env.loop, strstr(noted, "TLS handshake failed"));
    CHECK_EQ(f.len, 5);
    chr_close(c);
    unlink(path);
    rmdir(dir);
}

TEST(udp, datagrams_go_and_come)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(a);
    int fd = socket(AF_INET, SOCK_DGRAM, 0);
    char opts[128], buf[64];
    struct chr *c;

    env.loop = loop_new();
    CHECK_EQ(bind(fd, (struct sockaddr *)&a, len), 0);
    getsockname(fd, (struct sockaddr *)&a, &len);
    snprintf(opts, sizeof(opts), "udp,id=u,host=127.0.0.1,port=%d,localaddr=127.0.0.1",
             ntohs(a.sin_port));
    c = open_chardev(&env, opts);
    front_attach(&f, c);
    CHECK_STR(f.events, "O");
    front_say(&f, "ping");
    CHECK_EQ(recvfrom(fd, buf, sizeof(buf), 0, (struct sockaddr *)&a, &len), 4);
    f.room = 2;
    sendto(fd, "pong!", 5, 0, (struct sockaddr *)&a, len);
    RUN_UNTIL(env.loop, f.len == 5);
    CHECK_STR(f.got, "pong!");
    chr_close(c);
}

/* FIPS 180-4's examples, and lengths around the padding. */
TEST(sha1, known_sums)
{
    static const uint8_t abc[] = {0xa9, 0x99, 0x3e, 0x36, 0x47, 0x06, 0x81, 0x6a, 0xba, 0x3e,
                                  0x25, 0x71, 0x78, 0x50, 0xc2, 0x6c, 0x9c, 0xd0, 0xd8, 0x9d};
    static const uint8_t two[] = {0x84, 0x98, 0x3e, 0x44, 0x1c, 0x3b, 0xd2, 0x6e, 0xba, 0xae,
                                  0x4a, 0xa1, 0xf9, 0x51, 0x29, 0xe5, 0xe5, 0x46, 0x70, 0xf1};
    uint8_t sum[SHA1_LEN];

    sha1("abc", 3, sum);
    CHECK_MEM(sum, abc, sizeof(sum));
    sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, sum);
    CHECK_MEM(sum, two, sizeof(sum));
}

static const struct test tests[] = {
    CASE(tcp, a_server_has_one_peer_after_the_other),
    CASE(tcp, a_peer_who_does_not_read_stops_nothing),
    CASE(tcp, a_peer_who_goes_while_the_guest_is_deaf_is_noticed),
    CASE(tcp, a_client_comes_back),
    CASE(tcp, a_port_of_several),
    CASE(unix, waits_for_its_first_peer),
    CASE(unix, abstract_names),
    CASE(telnet, options_are_agreed_and_data_is_quoted),
    CASE(websocket, handshake_frames_ping_and_close),
    CASE(websocket, who_is_no_browser_is_refused),
    CASE(websocket, a_flood_of_pings_is_bounded),
    CASE(tls, a_shared_key_and_data_both_ways),
    CASE(udp, datagrams_go_and_come),
    CASE(sha1, known_sums),
};
TEST_MAIN(tests)
