/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ISA bus: ports, and interrupts that devices share. */
#include "dev/isa/isa.h"
#include "tests/dev/rig.h"

#include <string.h>

static bool level;

static void heard(void *opaque, int n, bool up)
{
    level = up;
}

TEST(isa, several_devices_drive_one_interrupt)
{
    static struct isa_bus b;
    struct rig *r = rig_new("pl031", NULL);
    struct dev a = {.m = r->m, .parent = &b.bus}, c = a;
    struct err e = {0};

    memset(&b, 0, sizeof(b));
    isa_bus_init(&b, r->dev);
    CHECK(isa_bus(r->m) == &b);
    irq_connect(&b.irq[5].out, (struct irq_in){.set = heard});
    CHECK_EQ(isa_connect(&a, &a.irq[0], 5, &e), 0);
    CHECK_EQ(isa_connect(&c, &c.irq[0], 5, &e), 0);
    irq_set(&a.irq[0], true);
    irq_set(&c.irq[0], true);
    CHECK(level);
    irq_set(&a.irq[0], false);
    CHECK(level);
    irq_set(&c.irq[0], false);
    CHECK(!level);
    CHECK(isa_connect(&a, &a.irq[1], 16, &e) < 0);
    CHECK_STR(e.msg, "irq=16: want 0 to 15");
    bus_remove(&b.bus);
    rig_free(r);
}

static uint64_t port_read(void *opaque, paddr off, struct access a)
{
    return 0x5a;
}

static void port_write(void *opaque, paddr off, uint64_t v, struct access a)
{
}

TEST(isa, ports_end_at_64_kib)
{
    static const struct mmio_ops ops = {port_read, port_write, 1, 1};
    static struct mem regs;
    struct rig *r = rig_new("pl031", NULL);
    struct dev a = {.m = r->m};
    struct err e = {0};
    uint64_t v = 0;

    memset(&regs, 0, sizeof(regs));
    mem_init_mmio(&regs, "regs", 8, &ops, NULL);
    CHECK(isa_add_io(&a, &regs, 0xfff9, &e) < 0);
    CHECK_STR(e.msg, "iobase=0xfff9: want 0 to 0xfff8");
    CHECK_EQ(isa_add_io(&a, &regs, 0x3f8, &e), 0);
    CHECK(space_load(machine_io_space(r->m), 0x3ff, &v, (struct access){.size = 1}));
    CHECK_EQ(v, 0x5a);
    isa_remove(&regs);
    CHECK(!space_load(machine_io_space(r->m), 0x3ff, &v, (struct access){.size = 1}));
    rig_free(r);
}

static const struct test tests[] = {
    CASE(isa, several_devices_drive_one_interrupt),
    CASE(isa, ports_end_at_64_kib),
};
TEST_MAIN(tests)
