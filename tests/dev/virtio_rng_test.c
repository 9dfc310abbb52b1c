/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues and registers of all virtio devices, by the simplest one, virtio-rng; and that one. */
#include "tests/dev/vdrv.h"

enum { LEN = 64 };
enum { R_MAGIC = 0, R_VERSION = 4, R_DEVICE_ID = 8, R_ISR = 0x60, R_ACK = 0x64, R_STATUS = 0x70 };

#define RING_BITS                                                                                  \
    (VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC) | VIRTIO_BIT(VIRTIO_F_EVENT_IDX) |                         \
     VIRTIO_BIT(VIRTIO_F_RING_PACKED) | VIRTIO_BIT(VIRTIO_F_RING_RESET))

static bool random_bytes(const uint8_t *p, size_t len)
{
    return !bytes_zero(p, len);
}

/* Many requests, so that rings and wrap counters go round, each in two pieces. */
static void exchange(struct vdrv *d)
{
    for (unsigned i = 0; i < 100; i++) {
        struct vbuf b[] = {{VDRV_BUF, LEN, true}, {VDRV_BUF + 4096, LEN, true}};

        memset(vdrv_mem(d, VDRV_BUF), 0, 8192);
        if (!CHECK_EQ(vdrv_do(d, 0, b, 2), 2 * LEN))
            return;
        CHECK(random_bytes(vdrv_mem(d, VDRV_BUF), LEN));
        CHECK(random_bytes(vdrv_mem(d, VDRV_BUF + 4096), LEN));
        CHECK(bytes_zero(vdrv_mem(d, VDRV_BUF + LEN), 4096 - LEN));
    }
}

TEST(queue, split_gives_and_takes)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", NULL, 0, 0, NULL);

    exchange(d);
    vdrv_free(d);
}

TEST(queue, legacy_gives_and_takes)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", NULL, 0, VDRV_LEGACY, NULL);

    CHECK_EQ(vdrv_reg(d, R_VERSION), 1);
    exchange(d);
    vdrv_free(d);
}

TEST(queue, packed_gives_and_takes)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", "packed=on", RING_BITS, 0, NULL);

    CHECK(d->features >> VIRTIO_F_RING_PACKED & 1);
    exchange(d);
    vdrv_free(d);
}

TEST(queue, indirect_tables_are_walked)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", NULL, RING_BITS, VDRV_INDIRECT, NULL);

    exchange(d);
    vdrv_free(d);
    d = vdrv_new("virtio-rng-device", "packed=on", RING_BITS, VDRV_INDIRECT, NULL);
    exchange(d);
    vdrv_free(d);
}

TEST(queue, goes_on_where_it_was_after_loading)
{
    static const char *const props[] = {NULL, "packed=on"};

    for (int i = 0; i < 2; i++) {
        struct vdrv *d = vdrv_new("virtio-rng-device", props[i], RING_BITS, 0, NULL);

        exchange(d);
        rig_save_load(d->r);
        exchange(d);
        vdrv_free(d);
    }
}

TEST(queue, interrupts_unless_asked_not_to)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", NULL, 0, 0, NULL);
    struct vbuf b = {VDRV_BUF, LEN, true};
    uint8_t *avail = vdrv_mem(d, VDRV_RINGS + 16 * d->q[0].size);

    vdrv_do(d, 0, &b, 1);
    CHECK_EQ(vdrv_reg(d, R_ISR), VIRTIO_ISR_QUEUE);
    vdrv_set(d, R_ACK, VIRTIO_ISR_QUEUE);
    CHECK_EQ(vdrv_reg(d, R_ISR), 0);
    put_le16(avail, 1); /* VIRTQ_AVAIL_F_NO_INTERRUPT; the first one after start is always told */
    vdrv_do(d, 0, &b, 1);
    CHECK_EQ(vdrv_reg(d, R_ISR), 0);
    vdrv_free(d);
}

TEST(queue, event_index_says_when_to_interrupt)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", NULL, VIRTIO_BIT(VIRTIO_F_EVENT_IDX), 0, NULL);
    struct vbuf b = {VDRV_BUF, LEN, true};
    uint8_t *avail = vdrv_mem(d, VDRV_RINGS + 16 * d->q[0].size);

    vdrv_do(d, 0, &b, 1);
    vdrv_set(d, R_ACK, 3);
    put_le16(avail + 4 + 2 * d->q[0].size, 2); /* used_event: tell when entry 2 is there */
    vdrv_do(d, 0, &b, 1);
    CHECK_EQ(vdrv_reg(d, R_ISR), 0);
    vdrv_do(d, 0, &b, 1);
    CHECK_EQ(vdrv_reg(d, R_ISR), VIRTIO_ISR_QUEUE);
    vdrv_free(d);
}

/* Each makes the ring contradict itself; the device says so once and does nothing until reset. */
static void broken(const char *props, void (*spoil)(struct vdrv *d))
{
    struct vdrv *d = vdrv_new("virtio-rng-device", props, RING_BITS, 0, NULL);
    struct vbuf b = {VDRV_BUF, LEN, true};

    vdrv_add(d, 0, &b, 1);
    spoil(d);
    vdrv_kick(d, 0);
    CHECK(!vdrv_ready(d, 0));
    CHECK_EQ(vdrv_status(d) & VIRTIO_NEEDS_RESET, VIRTIO_NEEDS_RESET);
    vdrv_kick(d, 0);
    vdrv_start(d, RING_BITS);
    CHECK_EQ(vdrv_status(d) & VIRTIO_NEEDS_RESET, 0);
    exchange(d);
    vdrv_free(d);
}

static void loop(struct vdrv *d)
{
    uint8_t *desc = vdrv_mem(d, VDRV_RINGS);

    put_le16(desc + 12, get_le16(desc + 12) | 1);
    put_le16(desc + 14, 0);
}

static void bad_next(struct vdrv *d)
{
    uint8_t *desc = vdrv_mem(d, VDRV_RINGS);

    put_le16(desc + 12, get_le16(desc + 12) | 1);
    put_le16(desc + 14, 0xffff);
}

static void bad_head(struct vdrv *d)
{
    put_le16(vdrv_mem(d, VDRV_RINGS) + 16 * d->q[0].size + 4, d->q[0].size);
}

static void too_many(struct vdrv *d)
{
    put_le16(vdrv_mem(d, VDRV_RINGS) + 16 * d->q[0].size + 2, d->q[0].size + 1);
}

static void not_ram(struct vdrv *d)
{
    put_le64(vdrv_mem(d, VDRV_RINGS), VDRV_SLOT);
}

static void past_the_end(struct vdrv *d)
{
    put_le64(vdrv_mem(d, VDRV_RINGS), RIG_RAM + RIG_RAM_SIZE - LEN / 2);
}

static void huge(struct vdrv *d)
{
    put_le32(vdrv_mem(d, VDRV_RINGS) + 8, UINT32_MAX);
}

static void odd_table(struct vdrv *d)
{
    put_le16(vdrv_mem(d, VDRV_RINGS) + 12, 4);
    put_le32(vdrv_mem(d, VDRV_RINGS) + 8, 17);
}

static void nested_table(struct vdrv *d)
{
    uint8_t *desc = vdrv_mem(d, VDRV_RINGS);

    put_le64(desc, VDRV_BUF);
    put_le32(desc + 8, 16);
    put_le16(desc + 12, 4);
    put_le64(vdrv_mem(d, VDRV_BUF), VDRV_BUF);
    put_le32(vdrv_mem(d, VDRV_BUF) + 8, 16);
    put_le16(vdrv_mem(d, VDRV_BUF) + 12, 4);
}

static void packed_not_ram(struct vdrv *d)
{
    put_le64(vdrv_mem(d, VDRV_RINGS), 0);
}

static void packed_loop(struct vdrv *d)
{
    for (unsigned i = 0; i < d->q[0].size; i++) {
        struct {
            uint64_t addr;
            uint32_t len;
            uint16_t id, flags;
        } x = {VDRV_BUF, 1, 0, 0x83};

        memcpy(vdrv_mem(d, VDRV_RINGS) + 16 * i, &x, 16);
    }
}

TEST(queue, a_hostile_split_ring_breaks_the_device_until_reset)
{
    broken(NULL, loop);
    broken(NULL, bad_next);
    broken(NULL, bad_head);
    broken(NULL, too_many);
    broken(NULL, not_ram);
    broken(NULL, past_the_end);
    broken(NULL, huge);
    broken(NULL, odd_table);
    broken(NULL, nested_table);
}

TEST(queue, a_hostile_packed_ring_breaks_the_device_until_reset)
{
    broken("packed=on", packed_not_ram);
    broken("packed=on", packed_loop);
    broken("packed=on", huge);
}

TEST(queue, a_ring_outside_of_ram_breaks_the_device)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", NULL, 0, 0, NULL);

    vdrv_set(d, 0x30, 0);
    vdrv_set(d, 0x80, VDRV_SLOT);
    vdrv_kick(d, 0);
    CHECK_EQ(vdrv_status(d) & VIRTIO_NEEDS_RESET, VIRTIO_NEEDS_RESET);
    vdrv_free(d);
}

TEST(registers, features_that_are_not_offered_are_refused)
{
    struct vdrv *d = vdrv_make("virtio-rng-device", NULL, 0, NULL);

    CHECK_EQ(vdrv_reg(d, R_MAGIC), 0x74726976);
    CHECK_EQ(vdrv_reg(d, R_VERSION), 2);
    CHECK_EQ(vdrv_reg(d, R_DEVICE_ID), 4);
    vdrv_set(d, R_STATUS, 3);
    vdrv_set(d, 0x24, 1);
    vdrv_set(d, 0x20, 1 | 1u << 30); /* VERSION_1 and one that is nobody's */
    vdrv_set(d, R_STATUS, 11);
    CHECK_EQ(vdrv_status(d), 3);
    vdrv_free(d);
}

TEST(registers, one_queue_is_reset_alone)
{
    struct vdrv *d =
        vdrv_new("virtio-rng-device", NULL, RING_BITS & ~VIRTIO_BIT(VIRTIO_F_RING_PACKED), 0, NULL);
    struct vbuf b = {VDRV_BUF, LEN, true};

    vdrv_set(d, 0x30, 0);
    CHECK_EQ(vdrv_reg(d, 0x44), 1);
    vdrv_set(d, 0xc0, 1);
    CHECK_EQ(vdrv_reg(d, 0x44), 0);
    vdrv_add(d, 0, &b, 1);
    vdrv_kick(d, 0);
    CHECK(!vdrv_ready(d, 0));
    vdrv_free(d);
}

TEST(rng, bytes_of_a_period_are_limited)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", "max-bytes=100,period=1000", 0, 0, NULL);
    struct vbuf b = {VDRV_BUF, LEN, true};

    machine_set_state(d->r->m, RUN_RUNNING);
    CHECK_EQ(vdrv_do(d, 0, &b, 1), LEN);
    CHECK_EQ(vdrv_do(d, 0, &b, 1), 100 - LEN);
    vdrv_add(d, 0, &b, 1);
    vdrv_kick(d, 0);
    CHECK(!vdrv_ready(d, 0));
    rig_step(d->r, 1000 * 1000000ll);
    CHECK_EQ(vdrv_used(d, 0, NULL), LEN);
    vdrv_free(d);
}

TEST(rng, hostile_saved_state_is_refused_or_harmless)
{
    struct vdrv *d = vdrv_new("virtio-rng-device", NULL, RING_BITS, 0, NULL);

    exchange(d);
    rig_hostile(d->r);
    vdrv_free(d);
}

static const struct test tests[] = {
    CASE(queue, split_gives_and_takes),
    CASE(queue, legacy_gives_and_takes),
    CASE(queue, packed_gives_and_takes),
    CASE(queue, indirect_tables_are_walked),
    CASE(queue, goes_on_where_it_was_after_loading),
    CASE(queue, interrupts_unless_asked_not_to),
    CASE(queue, event_index_says_when_to_interrupt),
    CASE(queue, a_hostile_split_ring_breaks_the_device_until_reset),
    CASE(queue, a_hostile_packed_ring_breaks_the_device_until_reset),
    CASE(queue, a_ring_outside_of_ram_breaks_the_device),
    CASE(registers, features_that_are_not_offered_are_refused),
    CASE(registers, one_queue_is_reset_alone),
    CASE(rng, bytes_of_a_period_are_limited),
    CASE(rng, hostile_saved_state_is_refused_or_harmless),
};
TEST_MAIN(tests)
