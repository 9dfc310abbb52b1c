/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"
#include "block/drive.h"
#include "block/env.h"
#include "dev/flash/cfi_pflash01.h"
#include "tests/dev/rig.h"

#include <errno.h>

/* Two 16-bit chips side by side, as on virt, but smaller: four blocks of 64 KiB. */
#define SHAPE "num-blocks=4,sector-length=64k,width=4,device-width=2,id0=137,id1=24"
enum { SIZE = 4 << 16, BLOCK = 1 << 16 };
enum { READY = 0x800080, LOCKED = 0x820082 };

static struct drive disk;
static uint8_t content[SIZE];

static void with_disk(struct rig *r)
{
    disk = (struct drive){.blk = blk_open_bytes(blk_env_new(NULL, NULL), "raw", content, SIZE, BLK_RDWR, ERR_IGNORE),
                          .read_only = disk.read_only};
    machine_add_backend(r->m, "drive", "vars", &disk, ERR_IGNORE);
}

static void both_chips(struct rig *r, paddr off, uint16_t cmd)
{
    rig_write32(r, off, cmd * 0x10001u);
}

TEST(pflash, is_found_by_its_query)
{
    struct rig *r = rig_new("cfi.pflash01", SHAPE);

    both_chips(r, 0x55 * 4, 0x98);
    CHECK_EQ(rig_read32(r, 0x10 * 4), 0x510051);
    CHECK_EQ(rig_read32(r, 0x11 * 4), 0x520052);
    CHECK_EQ(rig_read32(r, 0x12 * 4), 0x590059);
    CHECK_EQ(rig_read32(r, 0x27 * 4), 0x110011); /* 128 KiB each */
    CHECK_EQ(rig_read32(r, 0x2d * 4), 0x030003); /* four blocks */
    CHECK_EQ(rig_read32(r, 0x2f * 4), 0x800080); /* of 32 KiB each */
    CHECK_EQ(rig_read16(r, 0x10 * 4 + 2), 0x51);
    CHECK_EQ(rig_read8(r, 0x10 * 4 + 2), 0x51);
    CHECK_EQ(rig_read8(r, 0x10 * 4 + 1), 0);
    both_chips(r, 0, 0x90);
    CHECK_EQ(rig_read32(r, 0), 0x890089);
    CHECK_EQ(rig_read32(r, 4), 0x180018);
    both_chips(r, 0, 0xff);
    CHECK_EQ(rig_read32(r, 0), 0);
    rig_free(r);
}

TEST(pflash, erasing_sets_bits_and_programming_clears_them)
{
    struct rig *r = rig_new("cfi.pflash01", SHAPE);

    both_chips(r, BLOCK, 0x20);
    both_chips(r, BLOCK, 0xd0);
    CHECK_EQ(rig_read32(r, BLOCK), READY);
    both_chips(r, 0, 0xff);
    CHECK_EQ(rig_read32(r, BLOCK), 0xffffffff);
    CHECK_EQ(rig_read32(r, 2 * BLOCK - 4), 0xffffffff);
    CHECK_EQ(rig_read32(r, 2 * BLOCK), 0);
    CHECK_EQ(rig_read32(r, BLOCK - 4), 0);
    both_chips(r, BLOCK, 0x40);
    rig_write32(r, BLOCK + 8, 0x12345678);
    both_chips(r, BLOCK, 0x10);
    rig_write32(r, BLOCK + 8, 0xffff0000);
    both_chips(r, BLOCK, 0xff);
    CHECK_EQ(rig_read32(r, BLOCK + 8), 0x12340000);
    rig_free(r);
}

static void secure_write32(struct rig *r, paddr off, uint32_t v)
{
    CHECK(space_store(machine_space(r->m), RIG_DEV + off, v, (struct access){.who = BUS_CPU(0), .size = 4, .secure = true}));
}

TEST(pflash, secure_chips_take_no_other_writes)
{
    struct rig *r = rig_new("cfi.pflash01", SHAPE ",secure=on");

    both_chips(r, 0, 0x90);
    CHECK_EQ(rig_read32(r, 0), 0); /* still the array */
    both_chips(r, 0, 0x20);
    both_chips(r, 0, 0xd0);
    CHECK_EQ(rig_read32(r, 0), 0);
    secure_write32(r, 0, 0x200020);
    both_chips(r, 0, 0xd0);
    secure_write32(r, 0, 0xd000d0);
    secure_write32(r, 0, 0xff00ff);
    CHECK_EQ(rig_read32(r, 0), 0xffffffff);
    rig_free(r);
}

TEST(pflash, write_buffer_is_programmed_when_confirmed)
{
    struct rig *r = rig_new("cfi.pflash01", SHAPE);

    both_chips(r, 0, 0x20);
    both_chips(r, 0, 0xd0);
    both_chips(r, 0x100, 0xe8);
    CHECK_EQ(rig_read32(r, 0x100), READY);
    both_chips(r, 0x100, 2 - 1);
    rig_write32(r, 0x104, 0x44332211);
    rig_write32(r, 0x100, 0x88776655);
    CHECK_EQ(cfi_pflash01_ram(r->dev)->host[0x104], 0xff);
    both_chips(r, 0x100, 0xd0);
    CHECK_EQ(rig_read32(r, 0), READY);
    both_chips(r, 0, 0xff);
    CHECK_EQ(rig_read64(r, 0x100), 0x4433221188776655ull);
    CHECK_EQ(rig_read32(r, 0x108), 0xffffffff);
    rig_free(r);
}

TEST(pflash, nonsense_is_told_in_the_status)
{
    struct rig *r = rig_new("cfi.pflash01", SHAPE);

    both_chips(r, 0, 0x20);
    both_chips(r, 0, 0x77); /* not a confirmation */
    CHECK_EQ(rig_read32(r, 0), 0xb000b0);
    both_chips(r, 0, 0x50);
    both_chips(r, 0, 0xe8);
    both_chips(r, 0, 0xffff); /* 65536 words */
    CHECK_EQ(rig_read32(r, 0), 0xb000b0);
    both_chips(r, BLOCK, 0x20);
    both_chips(r, BLOCK, 0xd0);
    both_chips(r, 0, 0x50); /* the array is seen again, the status is 0 until the next operation */
    CHECK_EQ(rig_read32(r, BLOCK), 0xffffffff);
    both_chips(r, 0, 0x70);
    CHECK_EQ(rig_read32(r, 0), 0);
    both_chips(r, 0, 0xe8);
    both_chips(r, 0, 1);
    rig_write32(r, 0, 1);
    rig_write32(r, BLOCK, 2); /* elsewhere */
    CHECK_EQ(rig_read32(r, 0), 0xb000b0);
    rig_free(r);
}

TEST(pflash, locked_blocks_stay_as_they_are)
{
    struct rig *r = rig_new("cfi.pflash01", SHAPE);

    both_chips(r, BLOCK, 0x60);
    both_chips(r, BLOCK, 0x01);
    both_chips(r, 0, 0x90);
    CHECK_EQ(rig_read32(r, BLOCK + 8), 0x10001);
    CHECK_EQ(rig_read32(r, 8), 0);
    both_chips(r, BLOCK, 0x20);
    both_chips(r, BLOCK, 0xd0);
    CHECK_EQ(rig_read32(r, 0), 0xa200a2);
    both_chips(r, 0, 0x50);
    both_chips(r, BLOCK, 0x60);
    both_chips(r, BLOCK, 0xd0);
    both_chips(r, BLOCK, 0x20);
    both_chips(r, BLOCK, 0xd0);
    CHECK_EQ(rig_read32(r, 0), READY);
    rig_free(r);
}

TEST(pflash, drive_is_written_through)
{
    struct rig *r;
    uint8_t got[4];

    content[100] = 0x5a;
    r = rig_with("cfi.pflash01", SHAPE ",drive=vars", with_disk);
    CHECK_EQ(rig_read8(r, 100), 0x5a);
    both_chips(r, 0, 0x20);
    both_chips(r, 0, 0xd0);
    both_chips(r, 0, 0x40);
    rig_write32(r, 200, 0x04030201);
    CHECK_EQ(blk_read(disk.blk, 200, 4, got, ERR_IGNORE), 0);
    CHECK_EQ(get_le32(got), 0x04030201);
    CHECK_EQ(blk_read(disk.blk, 100, 1, got, ERR_IGNORE), 0);
    CHECK_EQ(got[0], 0xff);
    rig_free(r);
}

TEST(pflash, read_only_drive_refuses)
{
    struct rig *r;

    disk.read_only = true;
    r = rig_with("cfi.pflash01", SHAPE ",drive=vars", with_disk);
    both_chips(r, 0, 0x40);
    rig_write32(r, 0, 0);
    CHECK_EQ(rig_read32(r, 0), 0x920092);
    rig_free(r);
}

TEST(pflash, shape_and_size_are_checked)
{
    struct rig *r;
    struct err e = {0};

    CHECK_STR(rig_refused("cfi.pflash01", "num-blocks=0,sector-length=64k,width=4"),
              "num-blocks=0: want 1 to 65536, at most 1 GiB in all");
    CHECK_STR(rig_refused("cfi.pflash01", "num-blocks=2,sector-length=64k,width=2,device-width=4"),
              "width=2,device-width=4,max-device-width=4: want 1, 2 or 4, a bank at least as wide as "
              "its chips");
    r = rig_machine();
    with_disk(r);
    machine_lock(r->m);
    CHECK(!dev_add(r->m, "cfi.pflash01", "f", "num-blocks=8,sector-length=64k,width=4,drive=vars", &e));
    machine_unlock(r->m);
    CHECK_STR(e.msg, "device requires 524288 bytes, block backend provides 262144 bytes");
    CHECK_EQ(disk.used, false);
    rig_free(r);
}

TEST(pflash, state_survives)
{
    struct rig *r = rig_new("cfi.pflash01", SHAPE);

    memset(cfi_pflash01_ram(r->dev)->host, 0xff, BLOCK);
    both_chips(r, 0, 0xe8);
    both_chips(r, 0, 2 - 1);
    rig_write32(r, 0x40, 0x01020304);
    rig_save_load(r);
    memset(cfi_pflash01_ram(r->dev)->host, 0xff, BLOCK); /* what it holds travels as RAM does */
    CHECK_EQ(rig_read32(r, 0), READY);
    rig_write32(r, 0x44, 0x05060708);
    both_chips(r, 0, 0xd0);
    both_chips(r, 0, 0xff);
    CHECK_EQ(rig_read64(r, 0x40), 0x0506070801020304ull);
    rig_hostile(r);
    rig_free(r);
}

/* PCs' banks are as long as their files. */
TEST(pflash, any_number_of_blocks)
{
    struct rig *r = rig_new("cfi.pflash01", "num-blocks=3,sector-length=4096,width=1,id0=137,id1=24");

    rig_write8(r, 0x55, 0x98); /* query */
    CHECK_EQ(rig_read8(r, 0x27), 14); /* 16 KiB are the next size there is */
    CHECK_EQ(rig_read8(r, 0x2d), 2);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(pflash, is_found_by_its_query),
    CASE(pflash, erasing_sets_bits_and_programming_clears_them),
    CASE(pflash, secure_chips_take_no_other_writes),
    CASE(pflash, write_buffer_is_programmed_when_confirmed),
    CASE(pflash, nonsense_is_told_in_the_status),
    CASE(pflash, locked_blocks_stay_as_they_are),
    CASE(pflash, drive_is_written_through),
    CASE(pflash, read_only_drive_refuses),
    CASE(pflash, shape_and_size_are_checked),
    CASE(pflash, any_number_of_blocks),
    CASE_SLOW(pflash, state_survives, 60),
};
TEST_MAIN(tests)
