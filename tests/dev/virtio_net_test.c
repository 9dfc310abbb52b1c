/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-net on a hub with another card: packets both ways, buffers that are merged or too few, filters, saved state. */
#include "tests/dev/vdrv.h"
#include "tests/unit/net/card.h"

enum { RX, TX, CTRL };
enum { HDR = 12, MTU_LEN = 1500 };
enum { OUT = VDRV_BUF, CMD = VDRV_BUF + 0x8000, ACK = CMD + 512, IN = VDRV_BUF + 0x10000 };
#define F_MRG    VIRTIO_BIT(15)
#define F_STATUS VIRTIO_BIT(16)
#define F_CTRL   (VIRTIO_BIT(17) | VIRTIO_BIT(18) | VIRTIO_BIT(19) | VIRTIO_BIT(20) | VIRTIO_BIT(23))
#define F_COMMON                                                                                   \
    (F_STATUS | F_CTRL | VIRTIO_BIT(5) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) |                          \
     VIRTIO_BIT(VIRTIO_F_RING_PACKED))

static struct net *port;
static struct card *other;

static void add_net(struct rig *r)
{
    if (!port) {
        port = open_net("hubport,id=n0,hubid=0");
        other = new_card(open_net("hubport,id=n1,hubid=0"));
    }
    CHECK_EQ(machine_add_backend(r->m, "netdev", "n0", port, ERR_IGNORE), 0);
}

static struct vdrv *card(const char *props, uint64_t features)
{
    char text[128];

    snprintf(text, sizeof(text), "netdev=n0,mac=52:54:00:aa:bb:cc%s", props ? props : "");
    return vdrv_new("virtio-net-device", text, features, 0, add_net);
}

static const uint8_t our_mac[6] = {0x52, 0x54, 0, 0xaa, 0xbb, 0xcc};

/* A frame of @len bytes to @to, from the other side. */
static void arrives(const uint8_t *to, size_t len, uint8_t fill)
{
    static uint8_t p[4096];

    memset(p, fill, sizeof(p));
    memcpy(p, to, 6);
    put_be16(p + 12, 0x0800);
    card_send(other, p, len);
}

static void add_buffer(struct vdrv *d, unsigned i, uint32_t len)
{
    struct vbuf b = {IN + i * 0x2000, len, true};

    vdrv_add(d, RX, &b, 1);
    vdrv_kick(d, RX);
}

static void sends_and_receives(struct vdrv *d)
{
    struct vbuf b[] = {{OUT, HDR, false}, {OUT + 64, 14, false}, {OUT + 128, 100, false}};
    unsigned before = other->got;

    memset(vdrv_mem(d, OUT), 0, HDR);
    memset(vdrv_mem(d, OUT + 64), 0xff, 14);
    memset(vdrv_mem(d, OUT + 128), 'p', 100);
    CHECK_EQ(vdrv_do(d, TX, b, 3), 0);
    if (!CHECK_EQ(other->got, before + 1))
        return;
    CHECK_EQ(other->at[before].len, 114);
    CHECK_EQ(other->at[before].data[113], 'p');
    add_buffer(d, 0, 2000);
    arrives(our_mac, 500, 'q');
    CHECK_EQ(vdrv_used(d, RX, NULL), HDR + 500);
    CHECK_MEM(vdrv_mem(d, IN + HDR), our_mac, 6);
    CHECK_EQ(*vdrv_mem(d, IN + HDR + 499), 'q');
}

TEST(net, packets_go_both_ways)
{
    struct vdrv *d = card(NULL, F_COMMON);

    CHECK_EQ(vdrv_config8(d, 0), 0x52);
    CHECK_EQ(vdrv_config8(d, 5), 0xcc);
    CHECK_EQ(vdrv_config16(d, 6), 1);
    for (int i = 0; i < 40; i++)
        sends_and_receives(d);
    vdrv_free(d);
    d = card(",packed=on", F_COMMON);
    for (int i = 0; i < 40; i++)
        sends_and_receives(d);
    vdrv_free(d);
}

TEST(net, goes_on_after_loading)
{
    struct vdrv *d = card(NULL, F_COMMON);

    sends_and_receives(d);
    rig_save_load(d->r);
    sends_and_receives(d);
    vdrv_free(d);
}

TEST(net, a_packet_is_spread_over_buffers)
{
    struct vdrv *d = card(NULL, F_COMMON | F_MRG);

    for (unsigned i = 0; i < 3; i++)
        add_buffer(d, i, 600);
    arrives(our_mac, MTU_LEN, 'm');
    CHECK_EQ(vdrv_used(d, RX, NULL), 600);
    CHECK_EQ(get_le16(vdrv_mem(d, IN + 10)), 3);
    CHECK_EQ(vdrv_used(d, RX, NULL), 600);
    CHECK_EQ(vdrv_used(d, RX, NULL), HDR + MTU_LEN - 1200);
    CHECK_EQ(*vdrv_mem(d, IN + 0x4000 + HDR + MTU_LEN - 1200 - 1), 'm');
    vdrv_free(d);
}

TEST(net, a_packet_waits_for_enough_buffers)
{
    static const char *const props[] = {NULL, ",packed=on"};

    for (int i = 0; i < 2; i++) {
        struct vdrv *d = card(props[i], F_COMMON | F_MRG);

        arrives(our_mac, MTU_LEN, 'w');
        add_buffer(d, 0, 600);
        CHECK(!vdrv_ready(d, RX));
        add_buffer(d, 1, 600);
        CHECK(!vdrv_ready(d, RX));
        add_buffer(d, 2, 600);
        CHECK_EQ(vdrv_used(d, RX, NULL), 600);
        CHECK_EQ(get_le16(vdrv_mem(d, IN + 10)), 3);
        vdrv_free(d);
    }
}

TEST(net, a_packet_that_never_fits_is_lost)
{
    struct vdrv *d = card(NULL, F_COMMON);

    add_buffer(d, 0, 600);
    arrives(our_mac, MTU_LEN, 'x');
    CHECK(!vdrv_ready(d, RX));
    arrives(our_mac, 100, 'y');
    CHECK_EQ(vdrv_used(d, RX, NULL), HDR + 100);
    vdrv_free(d);
}

/* A command of the control queue; its answer. */
static uint8_t command(struct vdrv *d, uint8_t class, uint8_t cmd, const void *data, uint32_t len)
{
    struct vbuf b[] = {{CMD, 2, false}, {CMD + 16, len, false}, {ACK, 1, true}};

    vdrv_mem(d, CMD)[0] = class;
    vdrv_mem(d, CMD)[1] = cmd;
    memcpy(vdrv_mem(d, CMD + 16), data, len);
    *vdrv_mem(d, ACK) = 0xee;
    CHECK_EQ(vdrv_do(d, CTRL, b, 3), 1);
    return *vdrv_mem(d, ACK);
}

TEST(net, filters_let_pass_what_they_should)
{
    static const uint8_t stranger[6] = {0x52, 0x54, 0, 1, 2, 3}, group[6] = {1, 0, 0x5e, 0, 0, 1};
    static const uint8_t everyone[6] = {255, 255, 255, 255, 255, 255};
    struct vdrv *d = card(NULL, F_COMMON);
    uint8_t table[20] = {0}, off = 0, on = 1;

    CHECK_EQ(command(d, 0, 0, &off, 1), 0); /* no longer promiscuous */
    for (unsigned i = 0; i < 4; i++)
        add_buffer(d, i, 2000);
    arrives(stranger, 100, 's');
    arrives(group, 100, 's');
    CHECK(!vdrv_ready(d, RX));
    arrives(everyone, 100, 'b');
    CHECK_EQ(vdrv_used(d, RX, NULL), HDR + 100);
    put_le32(table + 4, 1); /* no unicast addresses, one multicast */
    memcpy(table + 8, group, 6);
    CHECK_EQ(command(d, 1, 0, table, 14), 0);
    arrives(group, 100, 'g');
    CHECK_EQ(vdrv_used(d, RX, NULL), HDR + 100);
    CHECK_EQ(command(d, 0, 5, &on, 1), 0);
    arrives(everyone, 100, 'b');
    CHECK(!vdrv_ready(d, RX));
    CHECK_EQ(command(d, 1, 1, stranger, 6), 0);
    arrives(stranger, 100, 's');
    CHECK_EQ(vdrv_used(d, RX, NULL), HDR + 100);
    CHECK_EQ(vdrv_config8(d, 5), 3);
    CHECK_EQ(command(d, 0, 99, &on, 1), 1);
    CHECK_EQ(command(d, 4, 0, "\2\0", 2), 1); /* more queues than there are */
    put_le32(table, 1000);
    CHECK_EQ(command(d, 1, 0, table, 14), 1);
    vdrv_free(d);
}

TEST(net, a_cable_that_is_pulled_is_told_of)
{
    struct vdrv *d = card(NULL, F_COMMON);

    machine_lock(d->r->m);
    net_set_link(port, false);
    machine_unlock(d->r->m);
    CHECK_EQ(vdrv_reg(d, 0x60), VIRTIO_ISR_CONFIG);
    CHECK_EQ(vdrv_config16(d, 6), 0);
    net_set_link(port, true);
    CHECK_EQ(vdrv_config16(d, 6), 1);
    vdrv_free(d);
}

TEST(net, a_packet_without_header_breaks_the_device)
{
    struct vdrv *d = card(NULL, F_COMMON);
    struct vbuf b = {OUT, 5, false};

    vdrv_add(d, TX, &b, 1);
    vdrv_kick(d, TX);
    CHECK(vdrv_status(d) & VIRTIO_NEEDS_RESET);
    vdrv_start(d, F_COMMON);
    sends_and_receives(d);
    vdrv_free(d);
}

TEST(net, hostile_saved_state_is_refused_or_harmless)
{
    struct vdrv *d = card(NULL, F_COMMON);

    rig_hostile(d->r);
    vdrv_free(d);
}

static const struct test tests[] = {
    CASE(net, packets_go_both_ways),
    CASE(net, goes_on_after_loading),
    CASE(net, a_packet_is_spread_over_buffers),
    CASE(net, a_packet_waits_for_enough_buffers),
    CASE(net, a_packet_that_never_fits_is_lost),
    CASE(net, filters_let_pass_what_they_should),
    CASE(net, a_cable_that_is_pulled_is_told_of),
    CASE(net, a_packet_without_header_breaks_the_device),
    CASE(net, hostile_saved_state_is_refused_or_harmless),
};
TEST_MAIN(tests)
