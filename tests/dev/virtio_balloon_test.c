/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-balloon: pages given up, statistics, free page reports, what monitors ask. */
#include "dev/virtio/balloon.h"
#include "tests/dev/vdrv.h"

enum { Q_INFLATE, Q_DEFLATE, Q_STATS, Q_REPORTING };
enum { PAGE = 4096, PAGES = VDRV_BUF + 0x10000, RAM = 64 << 20 };
#define FEATURES (VIRTIO_BIT(1) | VIRTIO_BIT(4) | VIRTIO_BIT(5))

static struct vdrv *balloon(const char *props)
{
    return vdrv_new("virtio-balloon-device", props, FEATURES, 0, NULL);
}

static bool empty(struct vdrv *d, paddr addr)
{
    return bytes_zero(vdrv_mem(d, addr), PAGE);
}

TEST(balloon, pages_that_are_given_up_are_empty)
{
    struct vdrv *d = balloon(NULL);
    static const unsigned which[] = {0, 1, 3};
    struct vbuf b = {VDRV_BUF, 4 * 4, false};

    memset(vdrv_mem(d, PAGES), 'x', 5 * PAGE);
    for (int i = 0; i < 3; i++)
        put_le32(vdrv_mem(d, VDRV_BUF) + 4 * i, (PAGES / PAGE) + which[i]);
    put_le32(vdrv_mem(d, VDRV_BUF) + 12, VDRV_SLOT / PAGE); /* no RAM: nothing happens */
    CHECK_EQ(vdrv_do(d, Q_INFLATE, &b, 1), 0);
    CHECK(empty(d, PAGES) && empty(d, PAGES + PAGE) && empty(d, PAGES + 3 * PAGE));
    CHECK(!empty(d, PAGES + 2 * PAGE) && !empty(d, PAGES + 4 * PAGE));
    CHECK_EQ(vdrv_do(d, Q_DEFLATE, &b, 1), 0);
    vdrv_free(d);
}

TEST(balloon, free_pages_are_given_up_unless_poisoned)
{
    struct vdrv *d = balloon("free-page-reporting=on");
    struct vbuf b = {PAGES, 2 * PAGE, true};

    memset(vdrv_mem(d, PAGES), 'x', 3 * PAGE);
    CHECK_EQ(vdrv_do(d, Q_REPORTING, &b, 1), 0);
    CHECK(empty(d, PAGES) && empty(d, PAGES + PAGE) && !empty(d, PAGES + 2 * PAGE));
    memset(vdrv_mem(d, PAGES), 'x', PAGE);
    rig_store(d->r, VDRV_SLOT + 0x100 + 12, 0xaaaaaaaa, 4);
    CHECK_EQ(vdrv_do(d, Q_REPORTING, &b, 1), 0);
    CHECK(!empty(d, PAGES));
    vdrv_free(d);
}

TEST(balloon, monitors_set_its_size_and_see_it)
{
    struct vdrv *d = balloon(NULL);
    struct balloon_info i;

    CHECK_EQ(balloon_set(d->r->m, RAM / 4, RAM, ERR_IGNORE), 0);
    CHECK_EQ(vdrv_reg(d, 0x60), VIRTIO_ISR_CONFIG);
    CHECK_EQ(vdrv_config32(d, 0), RAM / 4 * 3 / PAGE);
    rig_store(d->r, VDRV_SLOT + 0x100 + 4, RAM / 4 / PAGE, 4);
    CHECK_EQ(balloon_query(d->r->m, RAM, &i, ERR_IGNORE), 0);
    CHECK_EQ(i.actual, RAM / 4 * 3);
    rig_save_load(d->r);
    CHECK_EQ(vdrv_config32(d, 0), RAM / 4 * 3 / PAGE);
    CHECK_EQ(vdrv_config32(d, 4), RAM / 4 / PAGE);
    vdrv_free(d);
}

TEST(balloon, statistics_are_kept_and_asked_for)
{
    struct vdrv *d = balloon(NULL);
    struct vbuf b = {VDRV_BUF, 20, false};
    struct balloon_info i;
    uint8_t *s = vdrv_mem(d, VDRV_BUF);

    put_le16(s, 4);
    put_le64(s + 2, 1234);
    put_le16(s + 10, 99); /* nobody's tag */
    vdrv_add(d, Q_STATS, &b, 1);
    vdrv_kick(d, Q_STATS);
    CHECK(!vdrv_ready(d, Q_STATS));
    CHECK_EQ(balloon_query(d->r->m, RAM, &i, ERR_IGNORE), 0);
    CHECK_EQ(i.stats[4], 1234);
    CHECK_EQ(i.stats[5], UINT64_MAX);
    CHECK_EQ(vdrv_used(d, Q_STATS, NULL), 0); /* new ones, please */
    put_le64(s + 2, 5678);
    vdrv_add(d, Q_STATS, &b, 1);
    vdrv_kick(d, Q_STATS);
    balloon_query(d->r->m, RAM, &i, ERR_IGNORE);
    CHECK_EQ(i.stats[4], 5678);
    vdrv_free(d);
}

TEST(balloon, is_missed_when_there_is_none)
{
    struct rig *r = rig_machine();
    struct err e = {0};

    CHECK(balloon_set(r->m, 0, RAM, &e) < 0);
    CHECK_STR(e.msg, "No balloon device has been activated");
    rig_free(r);
}

TEST(balloon, hostile_saved_state_is_refused_or_harmless)
{
    struct vdrv *d = balloon(NULL);

    rig_hostile(d->r);
    vdrv_free(d);
}

static const struct test tests[] = {
    CASE(balloon, pages_that_are_given_up_are_empty),
    CASE(balloon, free_pages_are_given_up_unless_poisoned),
    CASE(balloon, monitors_set_its_size_and_see_it),
    CASE(balloon, statistics_are_kept_and_asked_for),
    CASE(balloon, is_missed_when_there_is_none),
    CASE(balloon, hostile_saved_state_is_refused_or_harmless),
};
TEST_MAIN(tests)
