/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ICH9: routing of interrupts, power management, watchdog; Q35's memory controller: TSEG. */
#include "dev/firmware/fw_cfg.h"
#include "dev/pc/ich9.h"
#include "dev/pc/q35.h"
#include "dev/pc/south.h"
#include "tests/dev/pc_rig.h"

enum { LPC = 31 << 3, PMBASE = 0x600, TCO = PMBASE + 0x60, RCBA = 0xfed1c000 };

static bool isa_level[16], apic_level[8];

static void set_level(void *opaque, int n, bool level)
{
    ((bool *)opaque)[n] = level;
}

static struct rig *lpc(const char *props)
{
    struct rig *r = rig_with("ICH9-LPC", props, pc_rig_before);

    pc_cfg_write(r, LPC, 0x40, PMBASE | 1, 4);
    pc_cfg_write(r, LPC, 0x44, 0x80, 1);
    pc_cfg_write(r, LPC, 0xf0, RCBA | 1, 4);
    return r;
}

TEST(ich9, pci_interrupts_reach_pic_and_apic)
{
    struct rig *r = lpc("addr=1f.0");
    struct irq_in e = ich9_pirq(r->dev, 4);

    for (int i = 0; i < 16; i++)
        irq_connect(&ich9_isa(r->dev)->irq[i].out, (struct irq_in){set_level, isa_level, i});
    for (int i = 0; i < 8; i++)
        irq_connect(ich9_apic_out(r->dev, i), (struct irq_in){set_level, apic_level, i});
    e.set(e.opaque, e.n, true);
    CHECK(apic_level[4]);
    CHECK(!isa_level[11]);
    pc_cfg_write(r, LPC, 0x68, 11, 1);
    CHECK(isa_level[11]);
    e.set(e.opaque, e.n, false);
    CHECK(!isa_level[11]);
    CHECK(!apic_level[4]);
    rig_save_load(r);
    CHECK_EQ(pc_cfg_read(r, LPC, 0x68, 1), 11);
    rig_hostile(r);
    rig_free(r);
}

TEST(ich9, power_button_and_commands)
{
    struct rig *r = lpc("addr=1f.0");

    CHECK_EQ(pc_in(r, PMBASE + 0x30, 4), 0x20); /* no SMM: firmware is to think that it is done */
    pc_out(r, 0xb2, 2, 1);
    CHECK_EQ(pc_in(r, PMBASE + 4, 2), 1);
    pc_out(r, PMBASE + 2, 0x100, 2);
    acpi_pm_power_button(ich9_acpi(r->dev));
    CHECK(ich9_acpi(r->dev)->sci.level);
    acpi_pm_gpe(ich9_acpi(r->dev), 33);
    CHECK_EQ(pc_in(r, PMBASE + 0x24, 1), 2);
    pc_out(r, 0xb2, 3, 1);
    CHECK(!ich9_acpi(r->dev)->sci.level);
    rig_free(r);
    r = lpc("addr=1f.0,smm-enabled=on");
    irq_connect(ich9_smi(r->dev), (struct irq_in){.set = pc_rig_line, .n = 0});
    pc_out(r, 0xb2, 7, 1);
    CHECK_EQ(pc_rig.line[0].rose, 0);
    pc_out(r, PMBASE + 0x30, 0x21, 4);
    pc_out(r, 0xb2, 7, 1);
    CHECK_EQ(pc_rig.line[0].rose, 1);
    CHECK_EQ(pc_in(r, PMBASE + 0x34, 4), 0x20);
    rig_free(r);
}

static unsigned key_of(struct rig *r, const char *name)
{
    uint8_t entry[64];
    uint32_t n = 0;

    pc_out(r, 0x510, FW_CFG_FILE_DIR, 2);
    for (unsigned i = 0; i < 4; i++)
        n = n << 8 | pc_in(r, 0x511, 1);
    while (n--) {
        for (unsigned i = 0; i < sizeof(entry); i++)
            entry[i] = (uint8_t)pc_in(r, 0x511, 1);
        if (strcmp((char *)entry + 8, name) == 0)
            return (unsigned)entry[4] << 8 | entry[5];
    }
    CHECK(!"the file is there");
    return 0;
}

/* As firmware does: by DMA. */
static void request(struct rig *r, uint8_t features)
{
    const uint8_t dma[16] = {0, (uint8_t)key_of(r, "etc/smi/requested-features"), 0, 8 | 16, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0x20, 0};
    const uint8_t want[8] = {features};

    space_write(machine_space(r->m), 0x2000, want, sizeof(want), (struct access){0});
    space_write(machine_space(r->m), 0x1000, dma, sizeof(dma), (struct access){0});
    pc_out(r, 0x514, 0, 4);
    pc_out(r, 0x518, 0x00100000, 4);
    CHECK_EQ(rig_load(r, 0x1000, 4), 0);
}

static uint32_t settled(struct rig *r)
{
    pc_out(r, 0x510, key_of(r, "etc/smi/features-ok"), 2);
    return pc_in(r, 0x511, 1);
}

static void with_fw_cfg(struct rig *r)
{
    struct err e = {0};

    pc_rig_before(r);
    machine_lock(r->m);
    CHECK(dev_add(r->m, "fw_cfg_io", NULL, NULL, &e));
    machine_unlock(r->m);
}

TEST(ich9, firmware_may_ask_for_smis_to_go_to_all_cpus)
{
    struct rig *r = rig_with("ICH9-LPC", "addr=1f.0,smm-enabled=on", with_fw_cfg);
    struct err e = {0};

    CHECK_EQ(ich9_offer_smi(r->dev, fw_cfg_find(r->m), &e), 0);
    pc_out(r, 0x510, key_of(r, "etc/smi/supported-features"), 2);
    CHECK_EQ(pc_in(r, 0x511, 1), 1);
    request(r, 0x81); /* one of them nobody has */
    CHECK_EQ(settled(r), 0);
    CHECK(!ich9_smi_to_all(r->dev));
    request(r, 1);
    CHECK_EQ(settled(r), 1);
    CHECK(ich9_smi_to_all(r->dev));
    request(r, 0); /* too late */
    CHECK_EQ(settled(r), 1);
    CHECK(ich9_smi_to_all(r->dev));
    rig_reset(r);
    CHECK(!ich9_smi_to_all(r->dev));
    rig_free(r);
}

TEST(ich9, watchdog_bites_at_its_second_timeout)
{
    struct rig *r = lpc("addr=1f.0");
    const char *why;

    CHECK_EQ(rig_load(r, RCBA + 0x3410, 4), 0x20);
    rig_store(r, RCBA + 0x3410, 0, 4);
    pc_out(r, TCO + 18, 4, 2); /* 2.4 s */
    pc_out(r, TCO + 0, 1, 2);
    pc_out(r, TCO + 8, 0, 2);
    machine_take_asks(r->m, &why);
    rig_step(r, 1200000000);
    CHECK_EQ(pc_in(r, TCO, 2), 2);
    rig_save_load(r);
    rig_step(r, 1300000000);
    CHECK_EQ(pc_in(r, TCO + 4, 2), 8);
    CHECK_EQ(machine_take_asks(r->m, &why), 0);
    pc_out(r, TCO + 0, 1, 2); /* saved */
    CHECK_EQ(pc_in(r, TCO + 4, 2), 0);
    rig_step(r, 2500000000);
    CHECK_EQ(machine_take_asks(r->m, &why), 0);
    rig_step(r, 2500000000);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_RESET);
    CHECK_STR(why, "guest-reset");
    CHECK_EQ(pc_in(r, TCO + 6, 2), 6);
    machine_set_watchdog(r->m, WATCHDOG_POWEROFF); /* -watchdog-action */
    rig_step(r, 5000000000);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_SHUTDOWN);
    rig_free(r);
}

/* RAM of 1 MiB with all of it as TSEG: what SMM has nobody else sees. */
TEST(ich9, tseg_is_for_smm)
{
    struct rig *r = rig_machine();
    static struct mem low;
    struct err e = {0};
    struct mem_hit hit;
    struct dev *d;

    machine_lock(r->m);
    mem_init_ram(&low, "low", r->ram, 0, RIG_RAM_SIZE);
    mem_add(machine_mem(r->m), 0, &low, 0);
    d = dev_add(r->m, "q35-pcihost", NULL, NULL, &e);
    CHECK(d && pc_host_start(d, r->ram, RIG_RAM_SIZE, &e) == 0);
    machine_reset(r->m);
    machine_unlock(r->m);
    CHECK_EQ(pc_cfg_read(r, 0, 0, 4), 0x29c08086);
    CHECK(space_find(machine_space(r->m), 0x1000, &hit) && hit.ram);
    pc_cfg_write(r, 0, 0x9e, 1, 1);
    pc_cfg_write(r, 0, 0x9d, 0x1a, 1); /* SMRAM on, locked */
    CHECK(space_find(machine_space(r->m), 0x1000, &hit) && !hit.ram);
    CHECK(space_find(pc_host_of(d)->pam.smm, 0x1000, &hit) && hit.ram == r->ram);
    pc_cfg_write(r, 0, 0x9e, 0, 1);
    CHECK_EQ(pc_cfg_read(r, 0, 0x9e, 1), 0x39);
    pc_cfg_write(r, 0, 0x60, 0xb0000001, 4); /* configuration space in memory: stays when the machine wakes */
    machine_lock(r->m);
    machine_wake(r->m);
    machine_unlock(r->m);
    CHECK_EQ(pc_cfg_read(r, 0, 0x60, 4), 0xb0000001);
    rig_reset(r);
    CHECK_EQ(pc_cfg_read(r, 0, 0x60, 4), 0);
    CHECK(space_find(machine_space(r->m), 0x1000, &hit) && hit.ram);
    rig_free(r);
}

TEST(ich9, registers_stay_where_they_are_when_it_wakes)
{
    struct rig *r = lpc("addr=1f.0");
    const char *why;

    pc_out(r, PMBASE + 4, 0x2401, 2); /* SLP_TYP 1, SLP_EN */
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_SUSPEND);
    machine_lock(r->m);
    machine_wake(r->m);
    machine_unlock(r->m);
    CHECK_EQ(pc_in(r, PMBASE, 2), 0x8000); /* WAK_STS */
    CHECK_EQ(pc_cfg_read(r, LPC, 0x44, 1), 0x80);
    CHECK_EQ(pc_cfg_read(r, LPC, 0xf0, 4), RCBA | 1);
    rig_reset(r);
    CHECK_EQ(pc_cfg_read(r, LPC, 0x44, 1), 0);
    CHECK_EQ(pc_in(r, PMBASE, 2), UINT32_MAX); /* nothing is there */
    rig_free(r);
}

static const struct test tests[] = {
    CASE(ich9, pci_interrupts_reach_pic_and_apic),
    CASE(ich9, power_button_and_commands),
    CASE(ich9, firmware_may_ask_for_smis_to_go_to_all_cpus),
    CASE(ich9, watchdog_bites_at_its_second_timeout),
    CASE(ich9, registers_stay_where_they_are_when_it_wakes),
    CASE(ich9, tseg_is_for_smm),
};
TEST_MAIN(tests)
