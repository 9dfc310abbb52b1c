/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -netdev tap in a network namespace of the test's own: packets both ways, offloads, scripts, queues, the helper. */
#include "tests/unit/net/guest.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HOST = 0x0a090901 /* 10.9.9.1 */, GUEST = 0x0a090902 };

static void own_network(void)
{
    int fd;

    if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
        SKIP("no network namespaces");
    fd = open("/dev/net/tun", O_RDWR);
    if (fd < 0)
        SKIP("no /dev/net/tun");
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "probe"};

    if (ioctl(fd, TUNSETIFF, &r) < 0)
        SKIP("tap interfaces may not be made");
    close(fd);
}

/* "up 10.9.9.1/24" for the interface. */
static void configure(const char *name)
{
    int s = socket(AF_INET, SOCK_DGRAM, 0);
    struct ifreq r = {0};
    struct sockaddr_in *a = (struct sockaddr_in *)&r.ifr_addr;

    strcpy(r.ifr_name, name);
    a->sin_family = AF_INET;
    a->sin_addr.s_addr = htonl(HOST);
    CHECK_EQ(ioctl(s, SIOCSIFADDR, &r), 0);
    a->sin_addr.s_addr = htonl(0xffffff00);
    CHECK_EQ(ioctl(s, SIOCSIFNETMASK, &r), 0);
    r.ifr_flags = IFF_UP | IFF_RUNNING;
    CHECK_EQ(ioctl(s, SIOCSIFFLAGS, &r), 0);
    close(s);
}

static int udp_socket(void)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(999), .sin_addr.s_addr = htonl(HOST)};
    int s = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);

    CHECK_EQ(bind(s, (struct sockaddr *)&a, sizeof(a)), 0);
    return s;
}

static void talk(struct guest *g, int s)
{
    struct sockaddr_in a = {
        .sin_family = AF_INET, .sin_port = htons(77), .sin_addr.s_addr = htonl(GUEST)};
    const uint8_t *p;
    char buf[32];
    size_t len;
    ssize_t r = -1;

    guest_find_router(g, HOST);
    guest_send_udp(g, 77, HOST, 999, "from the guest", 14);
    RUN_UNTIL(r > 0 || (r = recv(s, buf, sizeof(buf), MSG_DONTWAIT)) > 0);
    CHECK_EQ(r, 14);
    CHECK_EQ(sendto(s, "to the guest", 12, 0, (struct sockaddr *)&a, sizeof(a)), 12);
    do
        p = guest_next(g, &len, is_udp);
    while (p && get_be16(p + ETH + IP + 2) != 77);
    if (p)
        CHECK_MEM(p + ETH + IP + UDP, "to the guest", 12);
}

TEST(tap, packets_both_ways_with_offloads)
{
    static struct guest g;
    struct net *n;
    char text[128];
    int s;

    own_network();
    n = open_net("tap,id=t,ifname=emu0,script=no,downscript=no");
    if (!n)
        return;
    net_describe(n, text, sizeof(text));
    CHECK_STR(text, "ifname=emu0,script=no,downscript=no");
    configure("emu0");
    g = (struct guest){.card = new_card(n), .ip = GUEST};
    s = udp_socket();
    talk(&g, s);
    CHECK_EQ(net_takes(n), NET_OFF_CSUM | NET_OFF_TSO4 | NET_OFF_TSO6 | NET_OFF_ECN | NET_OFF_UFO);
    CHECK_EQ(g.card->at[g.card->seen - 1].meta.flags & NET_CSUM, 0);
    /* A card that fills in checksums itself gets packets without. */
    net_set_offloads(n, NET_OFF_CSUM | NET_OFF_TSO4);
    talk(&g, s);
    CHECK_EQ(g.card->at[g.card->seen - 1].meta.flags & NET_CSUM, NET_CSUM);
    CHECK_EQ(g.card->at[g.card->seen - 1].meta.csum_start, ETH + IP);
    CHECK_EQ(g.card->at[g.card->seen - 1].meta.csum_offset, 6);
    close_net(n);
    CHECK_EQ(if_nametoindex("emu0"), 0);
}

static void script_says(const char *path, const char *want)
{
    char buf[64] = "";
    int fd = open(path, O_RDONLY);

    CHECK(fd >= 0 && read(fd, buf, sizeof(buf) - 1) > 0);
    CHECK_STR(buf, want);
    close(fd);
    unlink(path);
}

TEST(tap, scripts_several_queues_and_no_header)
{
    static const char script[] = "/tmp/emu-ifup.sh", said[] = "/tmp/emu-ifup.out";
    struct net *n;
    FILE *f;

    own_network();
    f = fopen(script, "w");
    fprintf(f, "#!/bin/sh\necho \"$1\" >> %s\n[ \"$1\" != emufail ]\n", said);
    fclose(f);
    chmod(script, 0700);
    unlink(said);
    n = open_net("tap,id=t,ifname=emu1,queues=4,vnet_hdr=off,script=/tmp/emu-ifup.sh,downscript=/"
                 "tmp/emu-ifup.sh");
    if (n) {
        CHECK_EQ(net_queues(n), 4);
        CHECK_EQ(net_takes(n), 0);
        script_says(said, "emu1\n");
        close_net(n);
        script_says(said, "emu1\n");
    }
    refused_net("tap,id=t,ifname=emufail,script=/tmp/emu-ifup.sh,downscript=no",
                "network script /tmp/emu-ifup.sh failed with status 1");
    unlink(said);
    unlink(script);
    refused_net("tap,id=t,script=/tmp/emu-ifup.sh",
                "could not launch network script '/tmp/emu-ifup.sh': No such file or directory");
    refused_net("tap,id=t,ifname=a/b,script=no",
                "could not configure /dev/net/tun (a/b): Invalid argument");
    n = open_net("tap,id=t,vhost=on,script=no,downscript=no");
    CHECK_STR(net_warned, "netdev 't': vhost is not supported: packets go through this process");
    close_net(n);
}

TEST(tap, a_descriptor_that_is_there)
{
    static struct guest g;
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI, .ifr_name = "emu2"};
    char text[64], why[128];
    struct net *n;
    int fd;

    own_network();
    fd = open("/dev/net/tun", O_RDWR);
    CHECK_EQ(ioctl(fd, TUNSETIFF, &r), 0);
    configure("emu2");
    snprintf(text, sizeof(text), "tap,id=t,fd=%d", fd);
    if (!(n = open_net(text)))
        return;
    g = (struct guest){.card = new_card(n), .ip = GUEST};
    talk(&g, udp_socket());
    fd = open("/dev/null", O_RDWR);
    snprintf(text, sizeof(text), "tap,id=u,fd=%d", fd);
    snprintf(why, sizeof(why), "Unable to query TUNGETIFF on FD %d: Inappropriate ioctl for device",
             fd);
    refused_net(text, why);
}

static const struct test tests[] = {
    CASE(tap, packets_both_ways_with_offloads),
    CASE(tap, scripts_several_queues_and_no_header),
    CASE(tap, a_descriptor_that_is_there),
};
TEST_MAIN(tests)
