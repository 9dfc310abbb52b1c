/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PIIX3's routing of interrupts, PIIX4's power management and SMBus. */
#include "dev/pc/piix3.h"
#include "dev/pc/south.h"
#include "tests/dev/pc_rig.h"

enum { PIIX3 = 8, PM = 11, PMBASE = 0xb000, SMBASE = 0xb100 };

static bool isa_level[16];

static void isa_line(void *opaque, int n, bool level)
{
    isa_level[n] = level;
}

TEST(piix, pci_interrupts_are_routed_to_isa_ones)
{
    struct rig *r = rig_with("PIIX3", "addr=1.0,multifunction=on", pc_rig_before);
    struct irq_in a = piix3_pirq(r->dev, 0), b = piix3_pirq(r->dev, 1);

    for (int i = 0; i < 16; i++)
        irq_connect(&piix3_isa(r->dev)->irq[i].out, (struct irq_in){.set = isa_line, .n = i});
    CHECK_EQ(pc_cfg_read(r, PIIX3, 0x60, 4), 0x80808080);
    a.set(a.opaque, a.n, true);
    CHECK(!isa_level[10]);
    pc_cfg_write(r, PIIX3, 0x60, 10, 1);
    CHECK(isa_level[10]);
    pc_cfg_write(r, PIIX3, 0x61, 10, 1);
    b.set(b.opaque, b.n, true);
    a.set(a.opaque, a.n, false);
    CHECK(isa_level[10]); /* shared */
    rig_save_load(r);
    CHECK_EQ(pc_cfg_read(r, PIIX3, 0x60, 2), 0x0a0a);
    rig_hostile(r);
    rig_free(r);
}

static struct rig *pm(void)
{
    struct rig *r = rig_with("PIIX4_PM", "addr=1.3", pc_rig_before);

    pc_cfg_write(r, PM, 0x40, PMBASE | 1, 4);
    pc_cfg_write(r, PM, 0x80, 1, 1);
    pc_cfg_write(r, PM, 0x90, SMBASE | 1, 4);
    pc_cfg_write(r, PM, 0xd2, 9, 1);
    return r;
}

static bool sci(struct rig *r)
{
    return piix4_pm_acpi(r->dev)->sci.level;
}

TEST(piix, power_button_and_sleep)
{
    struct rig *r = pm();
    const char *why;

    pc_out(r, 0xb2, 0xf1, 1);
    CHECK_EQ(pc_in(r, PMBASE + 4, 2), 1); /* SCI_EN */
    pc_out(r, PMBASE + 2, 0x100, 2);
    acpi_pm_power_button(piix4_pm_acpi(r->dev));
    CHECK(sci(r));
    CHECK_EQ(pc_in(r, PMBASE, 2) & 0x100, 0x100);
    rig_save_load(r);
    CHECK(sci(r));
    pc_out(r, PMBASE, 0x100, 2);
    CHECK(!sci(r));
    machine_take_asks(r->m, &why);
    pc_out(r, PMBASE + 4, 1, 2);
    CHECK_EQ(machine_take_asks(r->m, &why), 0);
    pc_out(r, PMBASE + 4, 0x2001, 2); /* S5 now */
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_SHUTDOWN);
    CHECK_STR(why, "guest-shutdown");
    rig_hostile(r);
    rig_free(r);
}

TEST(piix, sleep_with_memory_powered)
{
    struct rig *r = pm();
    const char *why;

    pc_out(r, 0xb2, 0xf1, 1);
    pc_out(r, PMBASE + 2, 0x100, 2);
    pc_out(r, PMBASE + 4, 0x2401, 2); /* SLP_TYP 1, SLP_EN */
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_SUSPEND);
    rig_store(r, 0x1234, 0x77, 1);
    machine_lock(r->m);
    acpi_pm_power_button(piix4_pm_acpi(r->dev));
    machine_wake(r->m);
    machine_unlock(r->m);
    pc_cfg_write(r, PM, 0x40, PMBASE, 4);
    pc_cfg_write(r, PM, 0x80, 1, 1);
    CHECK_EQ(pc_in(r, PMBASE, 2), 0x8100); /* WAK_STS, PWRBTN_STS */
    CHECK_EQ(pc_in(r, PMBASE + 4, 2), 0);
    CHECK_EQ(rig_load(r, 0x1234, 1), 0x77);
    pc_out(r, PMBASE, 0x8100, 2);
    rig_save_load(r);
    CHECK_EQ(pc_in(r, PMBASE, 2), 0);
    rig_free(r);
}

TEST(piix, timer_counts_at_3_58_mhz_and_tells_when_its_top_bit_changes)
{
    struct rig *r = pm();

    CHECK_EQ(pc_in(r, PMBASE + 8, 4), 0);
    rig_step(r, NS_PER_S);
    CHECK_EQ(pc_in(r, PMBASE + 8, 4), 3579545);
    pc_out(r, 0xb2, 0xf1, 1);
    pc_out(r, PMBASE + 2, 1, 2);
    CHECK(!sci(r));
    rig_step(r, 1343 * (NS_PER_S / 1000)); /* 2^23 ticks are 2.343 s */
    CHECK(!sci(r));
    rig_step(r, NS_PER_S / 500);
    CHECK(sci(r));
    CHECK_EQ(pc_in(r, PMBASE, 2), 1);
    pc_out(r, PMBASE, 1, 2);
    CHECK(!sci(r));
    rig_step(r, 3 * NS_PER_S);
    CHECK(sci(r));
    rig_free(r);
}

TEST(piix, general_purpose_events)
{
    struct rig *r = pm();

    pc_out(r, 0xb2, 0xf1, 1);
    acpi_pm_gpe(piix4_pm_acpi(r->dev), 1);
    CHECK(!sci(r));
    CHECK_EQ(pc_in(r, 0xafe0, 1), 2);
    pc_out(r, 0xafe2, 2, 1);
    CHECK(sci(r));
    pc_out(r, 0xafe0, 2, 1);
    CHECK(!sci(r));
    rig_free(r);
}

TEST(piix, ports_move_with_their_registers)
{
    struct rig *r = pm();

    CHECK(pc_in(r, PMBASE + 8, 4) != UINT32_MAX);
    pc_cfg_write(r, PM, 0x40, 0x600 | 1, 4);
    CHECK_EQ(pc_in(r, PMBASE + 8, 4), UINT32_MAX);
    CHECK(pc_in(r, 0x608, 4) != UINT32_MAX);
    pc_cfg_write(r, PM, 0x80, 0, 1);
    CHECK_EQ(pc_in(r, 0x608, 4), UINT32_MAX);
    rig_free(r);
}

TEST(piix, commands_raise_smi_when_cpus_have_smm)
{
    struct rig *r = rig_with("PIIX4_PM", "addr=1.3,smm-enabled=on", pc_rig_before);

    irq_connect(piix4_pm_smi(r->dev), (struct irq_in){.set = pc_rig_line, .n = 3});
    pc_out(r, 0xb2, 5, 1);
    CHECK_EQ(pc_rig.line[3].rose, 0);
    pc_cfg_write(r, PM, 0x58, 1 << 25, 4);
    pc_out(r, 0xb3, 0x44, 1);
    pc_out(r, 0xb2, 5, 1);
    CHECK_EQ(pc_rig.line[3].rose, 1);
    CHECK_EQ(pc_in(r, 0xb2, 1), 5);
    CHECK_EQ(pc_in(r, 0xb3, 1), 0x44);
    rig_free(r);
}

/* Byte data from the module at 0x50. */
static uint8_t spd(struct rig *r, uint8_t at)
{
    pc_out(r, SMBASE + 0, 0x1e, 1);
    pc_out(r, SMBASE + 4, 0x50 << 1 | 1, 1);
    pc_out(r, SMBASE + 3, at, 1);
    pc_out(r, SMBASE + 2, 0x48, 1);
    CHECK_EQ(pc_in(r, SMBASE, 1), 2);
    return pc_in(r, SMBASE + 5, 1);
}

TEST(piix, memory_modules_are_read_by_smbus)
{
    struct rig *r = pm();
    uint8_t bytes[256] = {128, 8, 4};
    struct err e = {0};
    struct dev *d;

    machine_lock(r->m);
    d = dev_new(r->m, "smbus-eeprom", NULL, &piix4_pm_smbus(r->dev)->bus, NULL, &e);
    CHECK(d);
    smbus_eeprom_set(d, bytes);
    machine_unlock(r->m);
    CHECK_EQ(spd(r, 0), 128);
    CHECK_EQ(spd(r, 2), 4);
    pc_out(r, SMBASE + 4, 0x51 << 1 | 1, 1);
    pc_out(r, SMBASE + 2, 0x48, 1);
    CHECK_EQ(pc_in(r, SMBASE, 1) & 4, 4); /* nobody */
    rig_free(r);
}

static const struct test tests[] = {
    CASE(piix, pci_interrupts_are_routed_to_isa_ones),
    CASE(piix, power_button_and_sleep),
    CASE(piix, sleep_with_memory_powered),
    CASE(piix, timer_counts_at_3_58_mhz_and_tells_when_its_top_bit_changes),
    CASE(piix, general_purpose_events),
    CASE(piix, ports_move_with_their_registers),
    CASE(piix, commands_raise_smi_when_cpus_have_smm),
    CASE(piix, memory_modules_are_read_by_smbus),
};
TEST_MAIN(tests)
