/* SPDX-License-Identifier: GPL-2.0-or-later */
/* isa-serial and what else has a character back end on the ISA bus, and pci-serial. */
#include "dev/backends.h"
#include "tests/dev/isa_rig.h"
#include "tests/dev/pci_rig.h"

enum { COM = 0x3f8, IER = COM + 1, IIR = COM + 2, LCR = COM + 3, MCR = COM + 4, LSR = COM + 5, MSR = COM + 6, SCR = COM + 7 };

static struct chr *c0;

static void before(struct rig *r)
{
    struct err e = {0};

    isa_rig_before(r);
    c0 = chr_memory();
    machine_add_backend(r->m, "chardev", "c0", c0, &e);
}

static struct rig *com1(void)
{
    return rig_with("isa-serial", "chardev=c0", before);
}

static bool printed(const char *text)
{
    size_t len;
    const uint8_t *out = chr_memory_output(c0, &len);

    return CHECK_EQ(len, strlen(text)) && CHECK_MEM(out, text, len);
}

TEST(isa_serial, sends_and_receives)
{
    struct rig *r = com1();

    CHECK_EQ(inb(r, LSR), 0x60);
    outb(r, COM, 'h');
    outb(r, COM, 'i');
    CHECK(printed("hi"));
    CHECK_EQ(inb(r, LSR), 0x60);
    chr_memory_input(c0, "x", 1);
    CHECK_EQ(inb(r, LSR), 0x61);
    CHECK_EQ(inb(r, COM), 'x');
    CHECK_EQ(inb(r, LSR), 0x60);
    outb(r, LCR, 0x83);
    outb(r, COM, 0x34);
    outb(r, IER, 0x12);
    CHECK_EQ(inb(r, COM), 0x34);
    CHECK_EQ(inb(r, IER), 0x12);
    outb(r, LCR, 0x03);
    outb(r, SCR, 0xa5);
    CHECK_EQ(inb(r, SCR), 0xa5);
    CHECK_EQ(inb(r, IER), 0);
    rig_free(r);
}

TEST(isa_serial, interrupts_by_priority)
{
    struct rig *r = com1();

    CHECK_EQ(inb(r, IIR), 0x01);
    outb(r, IER, 0x02);
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(inb(r, IIR), 0x02);
    CHECK_EQ(rig_irq(r, 0), 0); /* reading IIR answers it */
    outb(r, COM, 'a');
    CHECK_EQ(rig_irq(r, 0), 1);
    outb(r, IER, 0x0f);
    chr_memory_input(c0, "b", 1);
    CHECK_EQ(inb(r, IIR), 0x04);
    CHECK_EQ(inb(r, COM), 'b');
    CHECK_EQ(inb(r, IIR), 0x02);
    CHECK_EQ(inb(r, IIR), 0x01);
    chr_hear_break(c0);
    CHECK_EQ(inb(r, IIR), 0x06);
    CHECK_EQ(inb(r, LSR), 0x71);
    CHECK_EQ(inb(r, LSR), 0x61);
    CHECK_EQ(inb(r, COM), 0);
    CHECK_EQ(rig_irq(r, 0), 0);
    rig_free(r);
}

TEST(isa_serial, fifos_have_trigger_levels)
{
    struct rig *r = com1();

    outb(r, IIR, 0x81); /* at eight */
    outb(r, IER, 0x01);
    CHECK_EQ(inb(r, IIR), 0xc1);
    chr_memory_input(c0, "1234", 4);
    CHECK_EQ(inb(r, IIR), 0xcc); /* time-out */
    chr_memory_input(c0, "5678", 4);
    CHECK_EQ(inb(r, IIR), 0xc4);
    CHECK_EQ(inb(r, COM), '1');
    CHECK_EQ(inb(r, IIR), 0xcc);
    outb(r, IIR, 0x83);
    CHECK_EQ(inb(r, IIR), 0xc1);
    CHECK_EQ(inb(r, LSR), 0x60);
    rig_free(r);
}

TEST(isa_serial, loops_back)
{
    struct rig *r = com1();

    outb(r, MCR, 0x1a); /* loop, OUT2, RTS */
    CHECK_EQ(inb(r, MSR) & 0xf0, 0x90);
    outb(r, COM, 'z');
    CHECK(printed(""));
    CHECK_EQ(inb(r, COM), 'z');
    outb(r, MCR, 0x14);
    CHECK_EQ(inb(r, MSR), 0x49);
    CHECK_EQ(inb(r, MSR), 0x40);
    rig_free(r);
}

static void four_ports(struct rig *r)
{
    struct err e = {0};

    isa_rig_before(r);
    CHECK(!dev_add(r->m, "isa-serial", NULL, "index=1,irq=16", &e));
    CHECK_STR(e.msg, "irq=16: want 0 to 15");
    for (unsigned i = 0; i < 4; i++)
        CHECK(dev_add(r->m, "isa-serial", NULL, i == 1 ? "index=2" : NULL, &e));
    CHECK(!dev_add(r->m, "isa-serial", NULL, NULL, &e));
    CHECK_STR(e.msg, "Max. supported number of ISA serial ports is 4.");
    CHECK(!dev_add(r->m, "isa-parallel", NULL, NULL, &e));
    CHECK_STR(e.msg, "Can't create parallel device, empty char device");
}

TEST(isa_serial, ports_are_found)
{
    static const uint16_t ports[] = {0x3f8, 0x2f8, 0x3e8, 0x2e8};
    struct rig *r = rig_with("port92", NULL, four_ports);

    for (unsigned i = 0; i < 4; i++)
        CHECK_EQ(inb(r, ports[i] + 5u), 0x60);
    outb(r, 0x2f9, 2);
    CHECK_EQ(isa_rig.line[3].level, 1);
    outb(r, 0x3f9, 2);
    CHECK_EQ(isa_rig.line[4].level, 1);
    rig_free(r);
}

TEST(isa_serial, state_survives)
{
    struct rig *r = com1();

    outb(r, IIR, 0xc1);
    outb(r, IER, 0x01);
    outb(r, LCR, 0x13);
    chr_memory_input(c0, "abc", 3);
    rig_save_load(r);
    CHECK_EQ(inb(r, LCR), 0x13);
    CHECK_EQ(inb(r, IIR), 0xcc);
    CHECK_EQ(inb(r, COM), 'a');
    CHECK_EQ(inb(r, COM), 'b');
    rig_hostile(r);
    rig_free(r);
}

TEST(isa_parallel, prints)
{
    struct rig *r = rig_with("isa-parallel", "chardev=c0", before);

    CHECK_EQ(inb(r, 0x379), 0xd8);
    outb(r, 0x37a, 0x1c);
    outb(r, 0x378, 'P');
    outb(r, 0x37a, 0x1d);
    CHECK(printed(""));
    outb(r, 0x37a, 0x1c);
    CHECK(printed("P"));
    CHECK_EQ(rig_irq(r, 0), 1);
    CHECK_EQ(inb(r, 0x379), 0x98);
    CHECK_EQ(rig_irq(r, 0), 0);
    CHECK_EQ(inb(r, 0x379), 0xd8);
    CHECK_EQ(inb(r, 0x37a), 0xdc);
    rig_save_load(r);
    CHECK_EQ(inb(r, 0x378), 'P');
    rig_hostile(r);
    rig_free(r);
    CHECK_STR(rig_refused("isa-parallel", NULL), "No 'ISA' bus found for device 'isa-parallel'");
}

TEST(isa_debugcon, prints)
{
    struct rig *r = rig_with("isa-debugcon", "chardev=c0,iobase=0x402", before);

    CHECK_EQ(inb(r, 0x402), 0xe9);
    outb(r, 0x402, 'o');
    outb(r, 0x402, 'k');
    CHECK(printed("ok"));
    rig_free(r);
}

TEST(isa_debug_exit, ends_the_program)
{
    struct rig *r = isa_new("isa-debug-exit", NULL);
    const char *why;

    CHECK_EQ(inb(r, 0x501), 0);
    CHECK_EQ(machine_exit_status(r->m), 0);
    outb(r, 0x501, 0x10);
    CHECK_EQ(machine_exit_status(r->m), 33);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_SHUTDOWN);
    rig_free(r);
}

static void pci_before(struct rig *r)
{
    struct err e = {0};

    pci_rig_before(r);
    c0 = chr_memory();
    machine_add_backend(r->m, "chardev", "c0", c0, &e);
}

TEST(pci_serial, has_its_registers_in_bar_0)
{
    struct rig *r = rig_with("pci-serial", "chardev=c0", pci_before);
    uint32_t fn = RIG_FN(0, 1, 0);

    CHECK_EQ(cfg_read(r, fn, 0, 4), 0x00021b36);
    CHECK_EQ(cfg_read(r, fn, 8, 4), 0x07000201);
    cfg_write(r, fn, 0x10, 0x1000, 4);
    cfg_write(r, fn, 4, 1, 2);
    rig_store(r, RIG_PCI_IO + 0x1000, 'q', 1);
    CHECK(printed("q"));
    rig_store(r, RIG_PCI_IO + 0x1001, 2, 1);
    CHECK_EQ(cfg_read(r, fn, 6, 2) & 8, 8);
    rig_save_load(r);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x1002, 1), 2);
    rig_free(r);
}

static void two_before(struct rig *r)
{
    struct chr *c1 = chr_memory();

    pci_before(r);
    machine_add_backend(r->m, "chardev", "c1", c1, ERR_IGNORE);
}

TEST(pci_serial, two_and_four_ports_share_an_interrupt)
{
    struct rig *r = rig_with("pci-serial-2x", "chardev1=c1,chardev2=c0", two_before);
    uint32_t fn = RIG_FN(0, 1, 0);

    CHECK_EQ(cfg_read(r, fn, 0, 4), 0x00031b36);
    cfg_write(r, fn, 0x10, 0x1000, 4);
    cfg_write(r, fn, 4, 1, 2);
    rig_store(r, RIG_PCI_IO + 0x1008, 'q', 1);
    CHECK(printed("q"));
    rig_store(r, RIG_PCI_IO + 0x1001, 2, 1);
    rig_store(r, RIG_PCI_IO + 0x1009, 2, 1);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x1002, 1), 2);
    CHECK_EQ(cfg_read(r, fn, 6, 2) & 8, 8); /* of the second */
    rig_save_load(r);
    CHECK_EQ(cfg_read(r, fn, 6, 2) & 8, 8);
    CHECK_EQ(rig_load(r, RIG_PCI_IO + 0x100a, 1), 2);
    CHECK_EQ(cfg_read(r, fn, 6, 2) & 8, 0);
    rig_free(r);
    r = rig_with("pci-serial-4x", "chardev4=c0", pci_before);
    CHECK_EQ(cfg_read(r, fn, 0, 4), 0x00041b36);
    cfg_write(r, fn, 0x10, 0x1000, 4);
    cfg_write(r, fn, 4, 1, 2);
    rig_store(r, RIG_PCI_IO + 0x1018, '4', 1);
    CHECK(printed("4"));
    rig_free(r);
}

static const struct test tests[] = {
    CASE(isa_serial, sends_and_receives),
    CASE(isa_serial, interrupts_by_priority),
    CASE(isa_serial, fifos_have_trigger_levels),
    CASE(isa_serial, loops_back),
    CASE(isa_serial, ports_are_found),
    CASE(isa_serial, state_survives),
    CASE(isa_parallel, prints),
    CASE(isa_debugcon, prints),
    CASE(isa_debug_exit, ends_the_program),
    CASE(pci_serial, has_its_registers_in_bar_0),
    CASE(pci_serial, two_and_four_ports_share_an_interrupt),
};
TEST_MAIN(tests)
