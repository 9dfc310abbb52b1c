/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"
#include "dev/firmware/fw_cfg.h"
#include "tests/dev/rig.h"

#include <errno.h>

enum { DATA = 0, SELECT = 8, DMA = 16 };
enum { ERROR = 1, READ = 2, SKIP = 4, CHOOSE = 8, WRITE = 16 };

/* Registers are big endian, the rig's accesses are not. */
static void choose(struct rig *r, uint16_t key)
{
    rig_write16(r, SELECT, __builtin_bswap16(key));
}

/* A DMA of @len bytes to or from 64 KiB into RAM; its status. */
static uint32_t dma(struct rig *r, uint32_t control, uint32_t len, paddr to)
{
    uint8_t d[16];

    put_be32(d, control);
    put_be32(d + 4, len);
    put_be64(d + 8, to);
    space_write(machine_space(r->m), RIG_RAM, d, sizeof(d), (struct access){0});
    rig_write32(r, DMA + 4, __builtin_bswap32(RIG_RAM));
    return __builtin_bswap32(rig_load(r, RIG_RAM, 4));
}

TEST(fw_cfg, says_who_it_is)
{
    struct rig *r = rig_new("fw_cfg_mem", NULL);

    CHECK_EQ(rig_read8(r, DATA), 'Q'); /* item 0 is selected at reset */
    choose(r, FW_CFG_SIGNATURE);
    CHECK_EQ(rig_read32(r, DATA), 0x554d4551);
    CHECK_EQ(rig_read32(r, DATA), 0);
    choose(r, FW_CFG_ID);
    CHECK_EQ(rig_read8(r, DATA), 3);
    CHECK_EQ(rig_read64(r, DMA), 0x47464320554d4551);
    CHECK_EQ(rig_read32(r, DMA + 4), 0x47464320);
    rig_free(r);
    r = rig_new("fw_cfg_mem", "dma_enabled=off");
    choose(r, FW_CFG_ID);
    CHECK_EQ(rig_read32(r, DATA), 1);
    CHECK_EQ(rig_read64(r, DMA), 0);
    rig_free(r);
}

TEST(fw_cfg, files_are_in_the_directory_by_name)
{
    struct rig *r = rig_new("fw_cfg_mem", NULL);
    uint8_t dir[4 + 2 * 64];

    CHECK_EQ(fw_cfg_set_file(r->dev, "opt/b", "two", 3, ERR_IGNORE), 0);
    CHECK_EQ(fw_cfg_set_file(r->dev, "etc/a", "one!", 4, ERR_IGNORE), 0);
    CHECK_EQ(dma(r, FW_CFG_FILE_DIR << 16 | CHOOSE | READ, sizeof(dir), RIG_RAM + 0x10000), 0);
    space_read(machine_space(r->m), RIG_RAM + 0x10000, dir, sizeof(dir), (struct access){0});
    CHECK_EQ(get_be32(dir), 2);
    CHECK_EQ(get_be32(dir + 4), 4);
    CHECK_EQ(get_be16(dir + 8), 0x21);
    CHECK_STR((char *)dir + 12, "etc/a");
    CHECK_EQ(get_be16(dir + 4 + 64 + 4), 0x20);
    CHECK_STR((char *)dir + 4 + 64 + 8, "opt/b");
    choose(r, 0x21);
    CHECK_EQ(rig_read64(r, DATA), 0x21656e6f);
    rig_free(r);
}

TEST(fw_cfg, limits_are_told)
{
    struct rig *r = rig_new("fw_cfg_mem", "x-file-slots=1");
    struct err e = {0};
    char name[80];

    memset(name, 'n', 56);
    name[56] = 0;
    CHECK_EQ(fw_cfg_set_file(r->dev, name, "", 0, &e), -ENAMETOOLONG);
    CHECK_EQ(fw_cfg_set_file(r->dev, name + 1, "", 0, &e), 0);
    CHECK_EQ(fw_cfg_set_file(r->dev, "x", "", 0, &e), -ENOSPC);
    CHECK_STR(e.msg, "fw_cfg file 'x': all 1 slots are taken (x-file-slots=)");
    rig_free(r);
}

TEST(fw_cfg, dma_skips_and_pads)
{
    struct rig *r = rig_new("fw_cfg_mem", NULL);

    fw_cfg_set_string(r->dev, FW_CFG_CMDLINE_DATA, "root=/dev/vda");
    CHECK_EQ(dma(r, FW_CFG_CMDLINE_DATA << 16 | CHOOSE | SKIP, 5, 0), 0);
    rig_store(r, RIG_RAM + 0x10008, ~0ull, 8);
    CHECK_EQ(dma(r, READ, 16, RIG_RAM + 0x10000), 0);
    CHECK_EQ(rig_load(r, RIG_RAM + 0x10000, 8), 0x6164762f7665642full);
    CHECK_EQ(rig_load(r, RIG_RAM + 0x10008, 8), 0);
    CHECK_EQ(dma(r, FW_CFG_SIGNATURE << 16 | CHOOSE | READ, 4, 0x123), ERROR);
    CHECK_EQ(dma(r, FW_CFG_SIGNATURE << 16 | CHOOSE | WRITE, 4, RIG_RAM), ERROR);
    rig_free(r);
}

static unsigned writes;

static void written(void *opaque)
{
    writes++;
}

TEST(fw_cfg, writable_files_are_written)
{
    struct rig *r = rig_new("fw_cfg_mem", NULL);
    uint8_t *bytes;

    fw_cfg_add_writable(r->dev, "etc/ramfb", "01234567", 8, written, NULL, &bytes, ERR_IGNORE);
    rig_store(r, RIG_RAM + 0x10000, 'x', 1);
    CHECK_EQ(dma(r, 0x20 << 16 | CHOOSE | SKIP, 2, 0), 0);
    CHECK_EQ(dma(r, WRITE, 1, RIG_RAM + 0x10000), 0);
    CHECK_EQ(writes, 1);
    CHECK_MEM(bytes, "01x34567", 8);
    CHECK_EQ(dma(r, WRITE, 6, RIG_RAM + 0x10000), ERROR); /* five are left */
    CHECK_EQ(writes, 1);
    rig_free(r);
}

/* A structure made of zeros, whose DMA would be started by the zeros of another: the chain ends. */
TEST(fw_cfg, dma_does_not_start_dma)
{
    struct rig *r = rig_new("fw_cfg_mem", NULL);

    dma(r, FW_CFG_SIGNATURE << 16 | CHOOSE | READ, 64, RIG_DEV + DMA);
    rig_write32(r, DMA, 0);
    CHECK_EQ(dma(r, FW_CFG_SIGNATURE << 16 | CHOOSE | READ, 4, RIG_RAM + 0x100), 0);
    rig_free(r);
}

TEST(fw_cfg, state_survives)
{
    struct rig *r = rig_new("fw_cfg_mem", NULL);

    choose(r, FW_CFG_SIGNATURE);
    rig_read8(r, DATA);
    rig_save_load(r);
    CHECK_EQ(rig_read8(r, DATA), 'E');
    rig_hostile(r);
    rig_free(r);
}

static uint64_t in(struct rig *r, uint16_t port, unsigned size)
{
    uint64_t v = 0;

    CHECK(space_load(machine_io_space(r->m), port, &v, (struct access){.size = size}));
    return v;
}

static void out(struct rig *r, uint16_t port, uint64_t v, unsigned size)
{
    CHECK(space_store(machine_io_space(r->m), port, v, (struct access){.size = size}));
}

TEST(fw_cfg, ports_of_a_pc)
{
    struct rig *r = rig_new("fw_cfg_io", NULL);
    uint8_t d[16];

    CHECK_EQ(in(r, 0x511, 1), 'Q');
    CHECK_EQ(in(r, 0x511, 1), 'E');
    out(r, 0x510, FW_CFG_ID, 2); /* little endian */
    CHECK_EQ(in(r, 0x511, 1), 3);
    CHECK_EQ(in(r, 0x514, 4), 0x554d4551); /* "QEMU CFG", in the order of bytes */
    CHECK_EQ(in(r, 0x518, 4), 0x47464320);
    put_be32(d, CHOOSE | READ);
    put_be32(d + 4, 4);
    put_be64(d + 8, RIG_RAM + 0x100);
    space_write(machine_space(r->m), RIG_RAM, d, sizeof(d), (struct access){0});
    out(r, 0x514, 0, 4);
    out(r, 0x518, __builtin_bswap32(RIG_RAM), 4);
    CHECK_EQ(rig_load(r, RIG_RAM, 4), 0);
    CHECK_EQ(rig_load(r, RIG_RAM + 0x100, 4), 0x554d4551);
    rig_save_load(r);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(fw_cfg, says_who_it_is),
    CASE(fw_cfg, files_are_in_the_directory_by_name),
    CASE(fw_cfg, limits_are_told),
    CASE(fw_cfg, dma_skips_and_pads),
    CASE(fw_cfg, writable_files_are_written),
    CASE(fw_cfg, dma_does_not_start_dma),
    CASE(fw_cfg, state_survives),
    CASE(fw_cfg, ports_of_a_pc),
};
TEST_MAIN(tests)
