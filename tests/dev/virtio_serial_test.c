/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-serial and its ports: control messages, bytes both ways, a back end that is full, saved state. */
#include "tests/dev/vdrv.h"
#include "ui/chr.h"

enum { F_MULTIPORT = 1, F_EMERG_WRITE = 2 };
enum { RX0 = 0, TX0, CTRL_RX, CTRL_TX, RX1, TX1 };
enum {
    DEVICE_READY,
    DEVICE_ADD,
    DEVICE_REMOVE,
    PORT_READY,
    CONSOLE_PORT,
    RESIZE,
    PORT_OPEN,
    PORT_NAME
};
enum { MSG = VDRV_BUF, OUT = VDRV_BUF + 4096, IN = VDRV_BUF + 8192 };
#define FEATURES (1 << F_MULTIPORT | 1 << F_EMERG_WRITE)

static struct chr *chr;

static void add_chr(struct rig *r)
{
    if (!chr)
        chr = chr_memory();
    CHECK_EQ(machine_add_backend(r->m, "chardev", "c0", chr, ERR_IGNORE), 0);
}

static struct vdrv *port(const char *type, const char *props, uint64_t features)
{
    vdrv_first[0] = (struct vdrv_dev){"virtio-serial-device", "max_ports=3"};
    return vdrv_new(type, props, features, 0, add_chr);
}

/* A message from the driver. */
static void say(struct vdrv *d, uint32_t id, uint16_t event, uint16_t value)
{
    struct vbuf b = {MSG, 8, false};

    put_le32(vdrv_mem(d, MSG), id);
    put_le16(vdrv_mem(d, MSG) + 4, event);
    put_le16(vdrv_mem(d, MSG) + 6, value);
    CHECK_EQ(vdrv_do(d, CTRL_TX, &b, 1), 0);
}

/* The next message to the driver is this. */
static void hear(struct vdrv *d, uint32_t id, uint16_t event, uint16_t value)
{
    uint8_t *m = vdrv_mem(d, MSG + 64);
    struct vbuf b = {MSG + 64, 64, true};

    if (!CHECK(vdrv_do(d, CTRL_RX, &b, 1) >= 8))
        return;
    CHECK_EQ(get_le32(m), id);
    CHECK_EQ(get_le16(m + 4), event);
    CHECK_EQ(get_le16(m + 6), value);
}

static int64_t send(struct vdrv *d, unsigned queue, const char *text)
{
    struct vbuf b[] = {{OUT, 2, false}, {OUT + 100, (uint32_t)strlen(text) - 2, false}};

    memcpy(vdrv_mem(d, OUT), text, 2);
    memcpy(vdrv_mem(d, OUT + 100), text + 2, strlen(text) - 2);
    return vdrv_do(d, queue, b, 2);
}

static void check_output(const char *want)
{
    size_t len;
    const uint8_t *out = chr_memory_output(chr, &len);

    if (CHECK_EQ(len, strlen(want)))
        CHECK_MEM(out, want, len);
}

TEST(serial, a_port_is_announced_named_and_opened)
{
    struct vdrv *d = port("virtserialport", "chardev=c0,name=org.test.0", FEATURES);

    CHECK_EQ(vdrv_config32(d, 4), 3);
    say(d, UINT32_MAX, DEVICE_READY, 1);
    hear(d, 1, DEVICE_ADD, 1);
    say(d, 1, PORT_READY, 1);
    hear(d, 1, PORT_NAME, 1);
    CHECK_MEM(vdrv_mem(d, MSG + 64 + 8), "org.test.0", 10);
    hear(d, 1, PORT_OPEN, 1);
    say(d, 7, PORT_READY, 1);
    say(d, UINT32_MAX, 99, 1);
    vdrv_free(d);
}

TEST(serial, a_console_says_so)
{
    struct vdrv *d = port("virtconsole", "chardev=c0", FEATURES);

    say(d, UINT32_MAX, DEVICE_READY, 1);
    hear(d, 0, DEVICE_ADD, 1);
    say(d, 0, PORT_READY, 1);
    hear(d, 0, CONSOLE_PORT, 1);
    rig_store(d->r, VDRV_SLOT + 0x100 + 8, '!', 4);
    check_output("!");
    vdrv_free(d);
}

TEST(serial, bytes_go_both_ways)
{
    struct vdrv *d = port("virtserialport", "chardev=c0", FEATURES);
    struct vbuf b = {IN, 4, true};

    say(d, UINT32_MAX, DEVICE_READY, 1);
    CHECK_EQ(send(d, TX1, "hello"), 0);
    check_output("hello");
    vdrv_add(d, RX1, &b, 1);
    vdrv_kick(d, RX1);
    chr_memory_input(chr, "abcdef", 6);
    CHECK(!vdrv_ready(d, RX1)); /* nobody has opened it */
    say(d, 1, PORT_OPEN, 1);
    CHECK_EQ(vdrv_used(d, RX1, NULL), 4);
    CHECK_MEM(vdrv_mem(d, IN), "abcd", 4);
    CHECK_EQ(vdrv_do(d, RX1, &b, 1), 2);
    CHECK_MEM(vdrv_mem(d, IN), "ef", 2);
    vdrv_free(d);
}

TEST(serial, one_port_works_without_control_messages)
{
    struct vdrv *d = port("virtconsole", "chardev=c0", 0);
    struct vbuf b = {IN, 64, true};

    CHECK_EQ(send(d, TX0, "hello"), 0);
    check_output("hello");
    chr_memory_input(chr, "xyz", 3);
    CHECK_EQ(vdrv_do(d, RX0, &b, 1), 3);
    vdrv_free(d);
}

TEST(serial, goes_on_after_loading)
{
    struct vdrv *d = port("virtserialport", "chardev=c0", FEATURES);
    struct vbuf b = {IN, 64, true};

    say(d, UINT32_MAX, DEVICE_READY, 1);
    say(d, 1, PORT_READY, 1); /* its messages wait for buffers */
    say(d, 1, PORT_OPEN, 1);
    rig_save_load(d->r);
    hear(d, 1, DEVICE_ADD, 1);
    hear(d, 1, PORT_OPEN, 1);
    chr_memory_input(chr, "xyz", 3);
    CHECK_EQ(vdrv_do(d, RX1, &b, 1), 3);
    vdrv_free(d);
}

TEST(serial, ports_come_and_go)
{
    struct vdrv *d = port("virtserialport", "chardev=c0", FEATURES);
    struct err e = {0};
    struct dev *second;

    say(d, UINT32_MAX, DEVICE_READY, 1);
    hear(d, 1, DEVICE_ADD, 1);
    machine_lock(d->r->m);
    second = dev_add(d->r->m, "virtserialport", "p2", "nr=2", &e);
    CHECK(second);
    CHECK(!dev_add(d->r->m, "virtserialport", "p3", "nr=2", &e));
    CHECK(strstr(e.msg, "already exists at id 2"));
    CHECK(!dev_add(d->r->m, "virtserialport", "p3", "nr=0", &e));
    CHECK(!dev_add(d->r->m, "virtserialport", "p3", "nr=3", &e));
    machine_unlock(d->r->m);
    hear(d, 2, DEVICE_ADD, 1);
    machine_lock(d->r->m);
    dev_free(second);
    machine_unlock(d->r->m);
    hear(d, 2, DEVICE_REMOVE, 1);
    vdrv_free(d);
}

TEST(serial, hostile_saved_state_is_refused_or_harmless)
{
    struct vdrv *d = port("virtserialport", "chardev=c0", FEATURES);

    say(d, UINT32_MAX, DEVICE_READY, 1);
    rig_hostile(d->r);
    vdrv_free(d);
}

static const struct test tests[] = {
    CASE(serial, a_port_is_announced_named_and_opened),
    CASE(serial, a_console_says_so),
    CASE(serial, bytes_go_both_ways),
    CASE(serial, one_port_works_without_control_messages),
    CASE(serial, goes_on_after_loading),
    CASE(serial, ports_come_and_go),
    CASE(serial, hostile_saved_state_is_refused_or_harmless),
};
TEST_MAIN(tests)
