/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/intc/i8259.h"

#include "tests/dev/isa_rig.h"

enum { M = 0x20, S = 0xa0, EOI = 0x20 };

static void line(struct rig *r, unsigned n, bool level)
{
    struct irq_in in = i8259_in(r->dev, n);

    in.set(in.opaque, in.n, level);
}

/* As the BIOS does it: vectors 8 and 70h. */
static struct rig *pics(void)
{
    static const uint8_t words[][3] = {{0x11, 0x08, 0x04}, {0x11, 0x70, 0x02}};
    struct rig *r = isa_new("isa-i8259", NULL);

    for (unsigned i = 0; i < 2; i++) {
        outb(r, i ? S : M, words[i][0]);
        outb(r, (i ? S : M) + 1, words[i][1]);
        outb(r, (i ? S : M) + 1, words[i][2]);
        outb(r, (i ? S : M) + 1, 0x01);
        outb(r, (i ? S : M) + 1, 0x00);
    }
    return r;
}

TEST(i8259, better_requests_interrupt_worse_ones)
{
    struct rig *r = pics();

    CHECK_EQ(rig_irq(r, 0), 0);
    line(r, 4, true);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(i8259_ack(r->dev), 0x0c);
    CHECK_EQ(rig_irq(r, 0), 0);
    line(r, 5, true);
    CHECK_EQ(rig_irq(r, 0), 0);
    line(r, 1, true);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(i8259_ack(r->dev), 0x09);
    outb(r, M, 0x0b); /* ISR */
    CHECK_EQ(inb(r, M), 0x12);
    outb(r, M, 0x0a); /* IRR */
    CHECK_EQ(inb(r, M), 0x20);
    outb(r, M, EOI);
    outb(r, M, 0x0b);
    CHECK_EQ(inb(r, M), 0x10);
    outb(r, M, 0x60 | 4);
    CHECK_EQ(i8259_ack(r->dev), 0x0d);
    rig_free(r);
}

TEST(i8259, slave_goes_through_the_cascade)
{
    struct rig *r = pics();

    line(r, 12, true);
    line(r, 9, true);
    CHECK_EQ(i8259_ack(r->dev), 0x71);
    CHECK_EQ(rig_irq(r, 0), 0);
    outb(r, S, EOI);
    CHECK_EQ(rig_irq(r, 0), 0); /* the master still serves the slave */
    outb(r, M, EOI);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(i8259_ack(r->dev), 0x74);
    line(r, 8, true); /* better, but of the same input of the master */
    CHECK_EQ(rig_irq(r, 0), 0);
    outb(r, S, EOI);
    outb(r, M, EOI);
    CHECK_EQ(i8259_ack(r->dev), 0x70);
    rig_free(r);
}

TEST(i8259, special_fully_nested_mode_lets_the_slave_in_again)
{
    struct rig *r = pics();

    outb(r, M, 0x11);
    outb(r, M + 1, 0x08);
    outb(r, M + 1, 0x04);
    outb(r, M + 1, 0x11);
    line(r, 12, true);
    CHECK_EQ(i8259_ack(r->dev), 0x74);
    line(r, 8, true);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(i8259_ack(r->dev), 0x70);
    rig_free(r);
}

TEST(i8259, request_that_goes_away_is_spurious)
{
    struct rig *r = pics();

    line(r, 3, true);
    line(r, 3, false);
    CHECK_EQ(rig_irq(r, 0), 0);
    CHECK_EQ(i8259_ack(r->dev), 0x0f);
    outb(r, M, 0x0b);
    CHECK_EQ(inb(r, M), 0);
    rig_free(r);
}

TEST(i8259, edges_count_once_and_levels_as_long_as_they_last)
{
    struct rig *r = pics();

    line(r, 5, true);
    CHECK_EQ(i8259_ack(r->dev), 0x0d);
    outb(r, M, EOI);
    CHECK_EQ(rig_irq(r, 0), 0);
    line(r, 5, false);
    outb(r, 0x4d0, 0xff);
    outb(r, 0x4d1, 0xff);
    CHECK_EQ(inb(r, 0x4d0), 0xf8);
    CHECK_EQ(inb(r, 0x4d1), 0xde);
    line(r, 5, true);
    CHECK_EQ(i8259_ack(r->dev), 0x0d);
    outb(r, M, EOI);
    CHECK_EQ(rig_irq(r, 0), 1);
    line(r, 5, false);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_free(r);
}

TEST(i8259, masks_and_special_mask_mode)
{
    struct rig *r = pics();

    line(r, 3, true);
    CHECK_EQ(i8259_ack(r->dev), 0x0b);
    line(r, 6, true);
    CHECK_EQ(rig_irq(r, 0), 0);
    outb(r, M + 1, 0x08);
    CHECK_EQ(inb(r, M + 1), 0x08);
    CHECK_EQ(rig_irq(r, 0), 0);
    outb(r, M, 0x68); /* special mask mode */
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(i8259_ack(r->dev), 0x0e);
    outb(r, M, EOI); /* what is masked is not ended */
    outb(r, M, 0x0b);
    CHECK_EQ(inb(r, M), 0x08);
    outb(r, M, 0x48);
    line(r, 7, true);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_free(r);
}

TEST(i8259, priorities_rotate)
{
    struct rig *r = pics();

    line(r, 0, true);
    line(r, 1, true);
    CHECK_EQ(i8259_ack(r->dev), 0x08);
    outb(r, M, 0xa0); /* rotate on EOI: 0 is the lowest now */
    line(r, 0, false);
    line(r, 0, true);
    CHECK_EQ(i8259_ack(r->dev), 0x09);
    outb(r, M, EOI);
    CHECK_EQ(i8259_ack(r->dev), 0x08);
    outb(r, M, EOI);
    outb(r, M, 0xc0 | 4); /* 5 is the highest */
    line(r, 3, true);
    line(r, 6, true);
    CHECK_EQ(i8259_ack(r->dev), 0x0e);
    rig_free(r);
}

TEST(i8259, polls_and_ends_by_itself)
{
    struct rig *r = pics();

    outb(r, M, 0x0c);
    CHECK_EQ(inb(r, M), 0);
    line(r, 4, true);
    outb(r, M, 0x0c);
    CHECK_EQ(inb(r, M), 0x84);
    CHECK_EQ(rig_irq(r, 0), 0);
    outb(r, M, 0x0b);
    CHECK_EQ(inb(r, M), 0x10);
    outb(r, S, 0x11);
    outb(r, S + 1, 0x70);
    outb(r, S + 1, 0x02);
    outb(r, S + 1, 0x03); /* automatic EOI */
    outb(r, M, EOI);
    line(r, 14, true);
    CHECK_EQ(i8259_ack(r->dev), 0x76);
    outb(r, S, 0x0b);
    CHECK_EQ(inb(r, S), 0);
    rig_free(r);
}

TEST(i8259, state_survives)
{
    struct rig *r = pics();

    line(r, 1, true);
    line(r, 10, true);
    CHECK_EQ(i8259_ack(r->dev), 0x09);
    rig_save_load(r);
    outb(r, M, 0x0b);
    CHECK_EQ(inb(r, M), 0x02);
    outb(r, M, EOI);
    CHECK_EQ(i8259_ack(r->dev), 0x72);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(i8259, better_requests_interrupt_worse_ones),
    CASE(i8259, slave_goes_through_the_cascade),
    CASE(i8259, special_fully_nested_mode_lets_the_slave_in_again),
    CASE(i8259, request_that_goes_away_is_spurious),
    CASE(i8259, edges_count_once_and_levels_as_long_as_they_last),
    CASE(i8259, masks_and_special_mask_mode),
    CASE(i8259, priorities_rotate),
    CASE(i8259, polls_and_ends_by_itself),
    CASE(i8259, state_survives),
};
TEST_MAIN(tests)
