/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/intc/ioapic.h"

#include "tests/dev/rig.h"

static struct {
    uint64_t address;
    uint32_t data;
    unsigned n;
} sent;

static void note(void *opaque, uint64_t address, uint32_t data)
{
    sent.address = address;
    sent.data = data;
    sent.n++;
}

static unsigned took(void)
{
    unsigned n = sent.n;

    sent.n = 0;
    return n;
}

static struct rig *ioapic(void)
{
    struct rig *r = rig_new("ioapic", NULL);

    memset(&sent, 0, sizeof(sent));
    ioapic_send_to(r->dev, note, NULL);
    return r;
}

static void put(struct rig *r, uint8_t reg, uint32_t v)
{
    rig_write8(r, 0, reg);
    rig_write32(r, 0x10, v);
}

static uint32_t get(struct rig *r, uint8_t reg)
{
    rig_write8(r, 0, reg);
    return rig_read32(r, 0x10);
}

static void line(struct rig *r, unsigned n, bool level)
{
    struct irq_in in = ioapic_in(r->dev, n);

    in.set(in.opaque, in.n, level);
}

TEST(ioapic, registers_are_as_in_the_data_sheet)
{
    struct rig *r = ioapic();

    CHECK_EQ(get(r, 1), 0x00170020);
    put(r, 0, 0x0f000000);
    CHECK_EQ(get(r, 0), 0x0f000000);
    CHECK_EQ(get(r, 0x10), 0x10000);
    put(r, 0x10, 0xffffffff);
    CHECK_EQ(get(r, 0x10), 0x1afff);
    put(r, 0x11, 0xffffffff);
    CHECK_EQ(get(r, 0x11), 0xff000000);
    CHECK_EQ(get(r, 0x40), 0);
    CHECK_STR(rig_refused("ioapic", "version=3"), "version=0x3: want 0x11 or 0x20");
    rig_free(r);
}

TEST(ioapic, edges_are_sent_once_even_those_that_came_while_masked)
{
    struct rig *r = ioapic();

    put(r, 0x11 + 2 * 4, 0x03000000);
    put(r, 0x10 + 2 * 4, 0x0831); /* logical */
    line(r, 4, true);
    CHECK_EQ(took(), 1);
    CHECK_EQ(sent.address, 0xfee03004);
    CHECK_EQ(sent.data, 0x4031);
    line(r, 4, false);
    CHECK_EQ(took(), 0);
    put(r, 0x10 + 2 * 4, 0x10831);
    line(r, 4, true);
    line(r, 4, false);
    CHECK_EQ(took(), 0);
    put(r, 0x10 + 2 * 4, 0x0831);
    CHECK_EQ(took(), 1);
    rig_free(r);
}

TEST(ioapic, levels_wait_for_their_end)
{
    struct rig *r = ioapic();

    put(r, 0x10 + 2 * 16, 0xa041); /* level, active low */
    line(r, 16, true);
    CHECK_EQ(took(), 1);
    CHECK_EQ(sent.data, 0xc041);
    CHECK_EQ(get(r, 0x10 + 2 * 16) & 0x4000, 0x4000);
    line(r, 16, false);
    line(r, 16, true);
    CHECK_EQ(took(), 0);
    ioapic_eoi(r->dev, 0x40);
    CHECK_EQ(took(), 0);
    ioapic_eoi(r->dev, 0x41);
    CHECK_EQ(took(), 1); /* it still asks */
    line(r, 16, false);
    rig_write32(r, 0x40, 0x41); /* EOI register */
    CHECK_EQ(took(), 0);
    CHECK_EQ(get(r, 0x10 + 2 * 16) & 0x4000, 0);
    rig_free(r);
}

TEST(ioapic, an_entry_made_an_edge_forgets_what_was_in_service)
{
    struct rig *r = ioapic();

    put(r, 0x10 + 2 * 17, 0x8042);
    line(r, 17, true);
    CHECK_EQ(took(), 1);
    put(r, 0x10 + 2 * 17, 0x10042);
    CHECK_EQ(get(r, 0x10 + 2 * 17), 0x10042);
    put(r, 0x10 + 2 * 17, 0x8042);
    CHECK_EQ(took(), 1);
    rig_free(r);
}

TEST(ioapic, state_survives)
{
    struct rig *r = ioapic();

    put(r, 0x10 + 2 * 18, 0x8043);
    line(r, 18, true);
    line(r, 5, true); /* masked */
    rig_save_load(r);
    ioapic_send_to(r->dev, note, NULL);
    took();
    ioapic_eoi(r->dev, 0x43);
    CHECK_EQ(took(), 1);
    put(r, 0x10 + 2 * 5, 0x35);
    CHECK_EQ(took(), 1);
    CHECK_EQ(sent.data, 0x4035);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(ioapic, registers_are_as_in_the_data_sheet),
    CASE(ioapic, edges_are_sent_once_even_those_that_came_while_masked),
    CASE(ioapic, levels_wait_for_their_end),
    CASE(ioapic, an_entry_made_an_edge_forgets_what_was_in_service),
    CASE(ioapic, state_survives),
};
TEST_MAIN(tests)
