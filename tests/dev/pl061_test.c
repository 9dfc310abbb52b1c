/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dev/gpio/gpio_key.h"
#include "dev/gpio/pl061.h"
#include "tests/dev/rig.h"

enum {
    DATA = 0x3fc, /* all eight pins */
    DIR = 0x400,
    IS = 0x404,
    IBE = 0x408,
    IEV = 0x40c,
    IE = 0x410,
    RIS = 0x414,
    MIS = 0x418,
    IC = 0x41c,
};

static void pin(struct rig *r, unsigned n, bool level)
{
    struct irq_in in = pl061_in(r->dev, n);

    in.set(in.opaque, in.n, level);
}

TEST(pl061, address_bits_are_a_mask)
{
    struct rig *r = rig_new("pl061", "pullups=0,pulldowns=255");

    rig_write32(r, DIR, 0xff);
    rig_write32(r, DATA, 0x55);
    rig_write32(r, 0x0f << 2, 0xff);
    CHECK_EQ(rig_read32(r, DATA), 0x5f);
    CHECK_EQ(rig_read32(r, 0xf0 << 2), 0x50);
    CHECK_EQ(pl061_out(r->dev, 1)->level, 1);
    CHECK_EQ(pl061_out(r->dev, 5)->level, 0);
    rig_write32(r, DIR, 0);
    CHECK_EQ(rig_read32(r, DATA), 0);
    CHECK_EQ(pl061_out(r->dev, 1)->level, 0);
    rig_free(r);
}

TEST(pl061, pins_that_nobody_drives_are_pulled)
{
    struct rig *r = rig_new("pl061", "pullups=0xf0,pulldowns=0x0f");

    CHECK_EQ(rig_read32(r, DATA), 0xf0);
    pin(r, 0, 1);
    pin(r, 7, 0);
    CHECK_EQ(rig_read32(r, DATA), 0x71);
    rig_free(r);
    CHECK_STR(rig_refused("pl061", "pullups=3,pulldowns=1"),
              "no bit may be set both in pullups and in pulldowns (0x3 and 0x1)");
}

TEST(pl061, edges_are_remembered_and_levels_are_not)
{
    struct rig *r = rig_new("pl061", "pullups=0,pulldowns=255");

    rig_write32(r, IEV, 0x09); /* 0: rising edge, 1: falling edge, 2: both, 3: high level, 4: low level */
    rig_write32(r, IBE, 0x04);
    rig_write32(r, IS, 0x18);
    rig_write32(r, IE, 0x0f);
    CHECK_EQ(rig_read32(r, RIS), 0x10);
    CHECK_EQ(rig_irq(r, 0), 0);
    for (unsigned i = 0; i < 4; i++)
        pin(r, i, 1);
    CHECK_EQ(rig_read32(r, MIS), 0x0d);
    CHECK_EQ(rig_irq(r, 0), 1);
    rig_write32(r, IC, 0xff);
    CHECK_EQ(rig_read32(r, MIS), 0x08);
    for (unsigned i = 0; i < 4; i++)
        pin(r, i, 0);
    CHECK_EQ(rig_read32(r, MIS), 0x06);
    rig_write32(r, IC, 0x06);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_free(r);
}

TEST(pl061, state_survives)
{
    struct rig *r = rig_new("pl061", NULL);

    pin(r, 3, 0);
    rig_write32(r, IEV, 8);
    rig_write32(r, IE, 8);
    pin(r, 3, 1);
    rig_save_load(r);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(rig_read32(r, MIS), 8);
    rig_hostile(r);
    rig_free(r);
}

TEST(gpio_key, button_is_let_go)
{
    struct rig *r = rig_new("gpio-key", NULL);

    CHECK_EQ(rig_irq(r, 0), 0);
    gpio_key_press(r->dev);
    CHECK_EQ(rig_irq(r, 0), 1);
    rig_step(r, 50000000);
    CHECK_EQ(rig_irq(r, 0), 1);
    rig_save_load(r);
    CHECK_EQ(rig_irq(r, 0), 1);
    rig_step(r, 60000000);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_free(r);
}

TEST(unimplemented, reads_zero)
{
    struct rig *r = rig_new("unimplemented-device", "name=dma,size=4096");

    rig_write32(r, 8, 1);
    CHECK_EQ(rig_read32(r, 8), 0);
    CHECK_EQ(rig_read8(r, 4095), 0);
    rig_free(r);
    CHECK_STR(rig_refused("unimplemented-device", "size=1"), "property 'name' not specified");
    CHECK_STR(rig_refused("unimplemented-device", "name=x"),
              "property 'size' not specified or zero");
}

static const struct test tests[] = {
    CASE(pl061, address_bits_are_a_mask),
    CASE(pl061, pins_that_nobody_drives_are_pulled),
    CASE(pl061, edges_are_remembered_and_levels_are_not),
    CASE(pl061, state_survives),
    CASE(gpio_key, button_is_let_go),
    CASE(unimplemented, reads_zero),
};
TEST_MAIN(tests)
