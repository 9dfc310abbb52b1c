/* SPDX-License-Identifier: GPL-2.0-or-later */
/* i440FX: configuration ports, PAM, SMRAM, reset control. */
#include "tests/dev/pc_rig.h"

static struct ram *rom;
static struct mem rom_mem;

/* 64 KiB of 0x90 in PCI's memory at 0xf0000, as firmware is. */
static void add_rom(struct rig *r)
{
    machine_lock(r->m);
    rom = ram_new(r->m, "rom", 0x10000, ERR_IGNORE);
    rom->rom = true;
    memset(rom->host, 0x90, rom->size);
    mem_init_ram(&rom_mem, "rom", rom, 0, rom->size);
    mem_add(&pc_host_of(pc_rig.host)->mem, 0xf0000, &rom_mem, 1);
    machine_unlock(r->m);
}

static void before(struct rig *r)
{
    pc_rig_before(r);
    add_rom(r);
}

static struct rig *rig(void)
{
    struct rig *r = rig_machine();

    before(r);
    machine_lock(r->m);
    machine_reset(r->m);
    machine_unlock(r->m);
    return r;
}

TEST(i440fx, is_found_by_the_configuration_ports)
{
    struct rig *r = rig();

    CHECK_EQ(pc_cfg_read(r, 0, 0, 4), 0x12378086);
    CHECK_EQ(pc_cfg_read(r, 0, 2, 2), 0x1237);
    CHECK_EQ(pc_cfg_read(r, 0, 8, 1), 2);
    CHECK_EQ(pc_cfg_read(r, 8, 0, 4), 0xffffffff); /* nobody */
    pc_out(r, 0xcf8, 0, 4);
    CHECK_EQ(pc_in(r, 0xcfc, 4), 0xffffffff); /* not enabled */
    pc_out(r, 0xcf8, 0xffffffff, 4);
    CHECK_EQ(pc_in(r, 0xcf8, 4), 0x80fffffc);
    rig_free(r);
}

TEST(i440fx, pam_says_where_reads_and_writes_go)
{
    struct rig *r = rig();

    CHECK_EQ(rig_load(r, 0xf0000, 4), 0x90909090);
    rig_store(r, 0xf0000, 0x12345678, 4); /* ROM */
    CHECK_EQ(r->ram->host[0xf0000], 0);
    pc_cfg_write(r, 0, 0x59, 0x20, 1); /* writes to RAM */
    rig_store(r, 0xf0000, 0x12345678, 4);
    CHECK_EQ(rig_load(r, 0xf0000, 4), 0x90909090);
    CHECK_EQ(r->ram->host[0xf0000], 0x78);
    pc_cfg_write(r, 0, 0x59, 0x10, 1); /* reads from RAM */
    CHECK_EQ(rig_load(r, 0xf0000, 4), 0x12345678);
    rig_store(r, 0xf0000, 1, 4);
    CHECK_EQ(rig_load(r, 0xf0000, 4), 0x12345678);
    pc_cfg_write(r, 0, 0x59, 0x30, 1); /* both */
    rig_store(r, 0xf0000, 1, 4);
    CHECK_EQ(rig_load(r, 0xf0000, 4), 1);
    pc_cfg_write(r, 0, 0x5a, 0x30, 1); /* 0xc4000 */
    rig_store(r, 0xc4000, 7, 1);
    CHECK_EQ(rig_load(r, 0xc4000, 1), 7);
    rig_reset(r);
    CHECK_EQ(rig_load(r, 0xf0000, 4), 0x90909090);
    rig_free(r);
}

/* RAM at 0xa0000? */
static bool shows(struct rig *r, struct space *s)
{
    struct mem_hit hit;

    return space_find(s, 0xa0000, &hit) && hit.ram == r->ram;
}

TEST(i440fx, smram_is_for_smm_and_can_be_locked)
{
    struct rig *r = rig();
    struct space *smm = pc_host_of(pc_rig.host)->pam.smm;

    CHECK(!shows(r, machine_space(r->m)));
    CHECK(!shows(r, smm));
    pc_cfg_write(r, 0, 0x72, 0x4a, 1); /* open */
    CHECK(shows(r, machine_space(r->m)));
    pc_cfg_write(r, 0, 0x72, 0x1a, 1); /* closed and locked */
    CHECK(!shows(r, machine_space(r->m)));
    CHECK(shows(r, smm));
    pc_cfg_write(r, 0, 0x72, 0x4a, 1);
    CHECK_EQ(pc_cfg_read(r, 0, 0x72, 1), 0x1a);
    rig_reset(r);
    CHECK_EQ(pc_cfg_read(r, 0, 0x72, 1), 2);
    CHECK(!shows(r, smm));
    rig_free(r);
}

TEST(i440fx, reset_control_resets)
{
    struct rig *r = rig();
    const char *why = "";

    machine_take_asks(r->m, &why);
    pc_out(r, 0xcf9, 2, 1);
    CHECK_EQ(pc_in(r, 0xcf9, 1), 2);
    CHECK_EQ(machine_take_asks(r->m, &why), 0);
    pc_out(r, 0xcf9, 6, 1);
    CHECK_EQ(machine_take_asks(r->m, &why), ASK_RESET);
    CHECK_STR(why, "guest-reset");
    rig_free(r);
}

/* PCI shows where no RAM is, and nowhere at 0: firmware that runs where ROM is does not lose it to a BAR nobody has placed. */
TEST(i440fx, bars_hide_neither_ram_nor_from_address_0_the_firmware)
{
    struct mem_hit hit;
    struct rig *r = rig_with("bochs-display", "addr=2", before); /* BAR 0: 16 MiB */

    pc_cfg_write(r, 2 << 3, 4, 2, 2);
    rig_store(r, 0x1000, 0x12345678, 4);
    pc_cfg_write(r, 2 << 3, 0x10, RIG_RAM_SIZE << 4, 4);
    CHECK_EQ(rig_load(r, RIG_RAM_SIZE << 4, 4), 0);
    rig_store(r, RIG_RAM_SIZE << 4, 0x55, 4);
    CHECK_EQ(rig_load(r, RIG_RAM_SIZE << 4, 4), 0x55);
    pc_cfg_write(r, 2 << 3, 0x10, 0, 4);
    CHECK_EQ(rig_load(r, 0x1000, 4), 0x12345678);
    CHECK_EQ(rig_load(r, 0xf0000, 4), 0x90909090);
    CHECK(!space_find(machine_space(r->m), 0x200000, &hit));
    rig_free(r);
}

static const struct test tests[] = {
    CASE(i440fx, is_found_by_the_configuration_ports),
    CASE(i440fx, pam_says_where_reads_and_writes_go),
    CASE(i440fx, bars_hide_neither_ram_nor_from_address_0_the_firmware),
    CASE(i440fx, smram_is_for_smm_and_can_be_locked),
    CASE(i440fx, reset_control_resets),
};
TEST_MAIN(tests)
