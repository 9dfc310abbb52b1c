/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The LSI53C895A: registers, SCRIPTS, commands of a disk, what no target answers, phases that do not match, saved state. */
#include "tests/dev/pci_rig.h"

#include "base/bytes.h"
#include "block/drive.h"
#include "block/env.h"
#include "dev/scsi/lsi_priv.h"

#include <unistd.h>

enum { FN = RIG_FN(0, 1, 0), BAR = RIG_PCI_MEM, RAM_BAR = RIG_PCI_MEM + 0x2000, CODE = RIG_RAM + 0x1000, MSG = RIG_RAM + 0x2000,
       CDB = RIG_RAM + 0x2100, TABLE = RIG_RAM + 0x2200, STATUS = RIG_RAM + 0x2300, DATA = RIG_RAM + 0x8000, DISK = 1 << 20 };
enum { SELECT_ATN = 0x41000000, SELECT_ATN_TABLE = 0x43000000, SEND_MSG = 0x0e000000, SEND_CMD = 0x0a000000, DATA_OUT = 0x08000000, DATA_IN = 0x09000000,
       GET_STATUS = 0x0b000000, GET_MSG = 0x0f000000, CLEAR_ACK = 0x60000040, WAIT_FREE = 0x48000000, EXPECT_FREE = 0x7c027f00,
       TABLE_MOVE = 0x10000000 };
#define STOP 0x98080000u /* INT, with its argument in DSPS */

static uint8_t bytes[DISK];
static struct drive disk;
static struct blk *other; /* that the disk is instead */

static void before(struct rig *r)
{
    static struct blk_env *env;

    pci_rig_before(r);
    if (!env)
        env = blk_env_new(NULL, NULL);
    machine_lock(r->m);
    disk = (struct drive){.id = "d0"};
    disk.blk = other ? other : blk_open_bytes(env, "raw", bytes, DISK, BLK_RDWR, ERR_IGNORE);
    disk.werror = other ? DRIVE_STOP : DRIVE_REPORT;
    machine_add_backend(r->m, "drive", "d0", &disk, ERR_IGNORE);
    machine_unlock(r->m);
}

static void before_disk(struct rig *r)
{
    before(r);
    machine_lock(r->m);
    CHECK(dev_add(r->m, "lsi53c895a", "m0", "addr=1", ERR_IGNORE));
    machine_unlock(r->m);
}

static uint8_t *ram(struct rig *r, uint32_t at)
{
    return r->ram->host + at - RIG_RAM;
}

static uint32_t get(struct rig *r, unsigned reg, unsigned size)
{
    return (uint32_t)rig_load(r, BAR + reg, size);
}

static void set(struct rig *r, unsigned reg, uint32_t v, unsigned size)
{
    rig_store(r, BAR + reg, v, size);
}

static void enable(struct rig *r)
{
    cfg_write(r, FN, 0x14, BAR, 4);
    cfg_write(r, FN, 0x18, RAM_BAR, 4);
    cfg_enable(r, FN);
}

static struct rig *controller(bool with_disk)
{
    struct rig *r = with_disk ? rig_with("scsi-hd", "drive=d0,bus=m0.0,scsi-id=3", before_disk) : rig_with("lsi53c895a", "addr=1,id=m0", before);

    enable(r);
    set(r, DIEN, 0x7d, 1);
    set(r, SIEN0, 0x8f, 1);
    set(r, SIEN1, 4, 1);
    return r;
}

/* Instructions of two words at CODE; @n words. */
static void code(struct rig *r, const uint32_t *words, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        put_le32(ram(r, CODE + 4 * i), words[i]);
}
#define CODE_(r, ...) code(r, (const uint32_t[]){__VA_ARGS__}, sizeof((const uint32_t[]){__VA_ARGS__}) / 4)

/* Until SCRIPTS have stopped, which takes as long as the disk does; ISTAT0. */
static uint8_t run(struct rig *r, uint32_t at)
{
    uint8_t v = 0;

    set(r, DSP, at, 4);
    for (int tries = 0; tries < 10000 && !(v & 3); tries++) {
        if (tries)
            usleep(1000);
        v = (uint8_t)get(r, ISTAT0, 1);
    }
    return v;
}

static void identify(struct rig *r)
{
    *ram(r, MSG) = 0x80;
}

TEST(lsi53c895a, is_the_chip_it_says)
{
    struct rig *r = controller(false);

    CHECK_EQ(cfg_read(r, FN, 0, 4), 0x00121000);
    CHECK_EQ(cfg_read(r, FN, 8, 4) >> 16, 0x0100);
    CHECK_EQ(get(r, SCNTL0, 1), 0xc0);
    CHECK_EQ(get(r, DSTAT, 1), 0x80);
    CHECK_EQ(get(r, STEST4, 1), 0xe0);
    set(r, SCRATCHA, 0x12345678, 4);
    CHECK_EQ(get(r, SCRATCHA + 1, 1), 0x56);
    set(r, DSTAT, 0xff, 1); /* read-only */
    CHECK_EQ(get(r, DSTAT, 1), 0x80);
    rig_store(r, RAM_BAR + 8188, 0xcafe1234, 4);
    CHECK_EQ(rig_load(r, RAM_BAR + 8189, 1), 0x12);
    set(r, ISTAT0, 0x40, 1); /* software reset */
    CHECK_EQ(get(r, SCRATCHA, 4), 0);
    CHECK_EQ(get(r, ISTAT0, 1), 0x40);
    set(r, ISTAT0, 0, 1);
    CHECK_EQ(rig_load(r, RAM_BAR + 8188, 4), 0xcafe1234);
    rig_free(r);
}

TEST(lsi53c895a, scripts_compute_and_copy)
{
    struct rig *r = controller(false);

    put_le32(ram(r, DATA), 0xa1b2c3d4);
    CODE_(r, 0xc0000004, DATA, BAR + SCRATCHA, /* memory to its own register */
          0x7e340100, 0,               /* SCRATCHA0 += 1 */
          0x72340000, 0,               /* SFBR = SCRATCHA0 */
          0x800c00d5, CODE + 0x2c,     /* jump if SFBR is d5 */
          STOP, 1,
          0xe0350002, DATA + 16,       /* store two bytes of SCRATCHA */
          STOP, 2);
    CHECK_EQ(run(r, CODE) & 3, 1);
    CHECK_EQ(get(r, DSPS, 4), 2);
    CHECK_EQ(get(r, SCRATCHA, 4), 0xa1b2c3d5);
    CHECK_EQ(get_le16(ram(r, DATA + 16)), 0xb2c3);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 8);
    CHECK_EQ(get(r, DSTAT, 1), 0x84);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 0);
    CHECK_EQ(get(r, DSP, 4), CODE + 0x3c);
    CODE_(r, 0x98180000, 7, STOP, 3); /* on the fly: SCRIPTS go on */
    CHECK_EQ(run(r, CODE) & 5, 5);
    set(r, ISTAT0, 4, 1);
    CHECK_EQ(get(r, ISTAT0, 1) & 4, 0);
    get(r, DSTAT, 1);
    CODE_(r, 0xa8080000, 0); /* no such transfer of control */
    run(r, CODE);
    CHECK_EQ(get(r, DSTAT, 1), 0x81);
    rig_free(r);
}

TEST(lsi53c895a, nobody_answers)
{
    struct rig *r = controller(true);

    CODE_(r, SELECT_ATN | 5 << 16, CODE + 0x100, SEND_MSG | 1, MSG, STOP, 9);
    CHECK_EQ(run(r, CODE) & 3, 2);
    CHECK_EQ(get(r, DSP, 4), CODE + 16); /* Linux wants to see that it was this instruction */
    CHECK_EQ(get(r, SIST0, 2), 0x0400);
    CHECK_EQ(get(r, ISTAT0, 1), 0);
    set(r, SCNTL1, 8, 1); /* a reset of the bus is seen */
    CHECK_EQ(get(r, SSTAT0, 1), 2);
    CHECK_EQ(get(r, SIST0, 1), 2);
    set(r, SCNTL1, 0, 1);
    CHECK_EQ(get(r, SSTAT0, 1), 0);
    rig_free(r);
}

/* One command of the disk by a table, as drivers do it; its status. */
static uint8_t command(struct rig *r, const char *cdb, unsigned cdb_len, uint32_t data_op, uint32_t len)
{
    uint8_t *t = ram(r, TABLE);

    identify(r);
    memcpy(ram(r, CDB), cdb, cdb_len);
    put_le32(t, 3 << 16);
    put_le32(t + 8, 1);
    put_le32(t + 12, MSG);
    put_le32(t + 16, cdb_len);
    put_le32(t + 20, CDB);
    put_le32(t + 24, len);
    put_le32(t + 28, DATA);
    set(r, DSA, TABLE, 4);
    CODE_(r, SELECT_ATN_TABLE, 0, SEND_MSG | TABLE_MOVE, 8, SEND_CMD | TABLE_MOVE, 16,
          len ? data_op | TABLE_MOVE : 0x80000000, 24,
          GET_STATUS | 1, STATUS, GET_MSG | 1, STATUS + 1, EXPECT_FREE, 0, CLEAR_ACK, 0, WAIT_FREE, 0, STOP, 0x600d);
    *ram(r, STATUS) = *ram(r, STATUS + 1) = 0xee;
    CHECK_EQ(run(r, CODE) & 3, 1);
    CHECK_EQ(get(r, DSTAT, 1), 0x84);
    CHECK_EQ(get(r, DSPS, 4), 0x600d);
    CHECK_EQ(*ram(r, STATUS + 1), 0);
    CHECK_EQ(get(r, ISTAT0, 1), 0);
    return *ram(r, STATUS);
}

TEST(lsi53c895a, a_disk_is_read_and_written)
{
    struct rig *r = controller(true);

    CHECK_EQ(command(r, "\0\0\0\0\0\0", 6, 0, 0), 2); /* its power-on, first */
    CHECK_EQ(command(r, "\x12\0\0\0\x24\0", 6, DATA_IN, 36), 0);
    CHECK(!memcmp(ram(r, DATA + 8), "QEMU    QEMU HARDDISK", 21));
    memset(ram(r, DATA), 0x5c, 1024);
    CHECK_EQ(command(r, "\x2a\0\0\0\0\x10\0\0\2\0", 10, DATA_OUT, 1024), 0);
    memset(ram(r, DATA), 0, 1024);
    CHECK_EQ(command(r, "\x28\0\0\0\0\x10\0\0\2\0", 10, DATA_IN, 1024), 0);
    CHECK_EQ(*ram(r, DATA), 0x5c);
    CHECK_EQ(*ram(r, DATA + 1023), 0x5c);
    CHECK_EQ(get(r, CSBC, 4), 36 + 1024 + 1024);
    rig_free(r);
}

/* Data of the disk that go to the chip's registers, and reset the chip or the bus while it moves them. */
TEST(lsi53c895a, data_may_reset_the_chip)
{
    static const struct {
        uint32_t to;
        unsigned len;
        uint8_t byte;
    } cases[] = {{BAR, 256, 0xff}, {BAR + ISTAT0, 200, ISTAT_SRST}, {BAR + SCNTL1, 250, SCNTL1_RST}, {BAR + 0x380, 512, 0xff}};

    for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
        struct rig *r = controller(true);
        uint8_t *t = ram(r, TABLE);

        command(r, "\0\0\0\0\0\0", 6, 0, 0);
        memset(bytes, cases[i].byte, 512);
        memcpy(ram(r, CDB), "\x28\0\0\0\0\0\0\0\1\0", 10);
        put_le32(t + 16, 10);
        put_le32(t + 24, cases[i].len);
        put_le32(t + 28, cases[i].to);
        CODE_(r, SELECT_ATN_TABLE, 0, SEND_MSG | TABLE_MOVE, 8, SEND_CMD | TABLE_MOVE, 16, DATA_IN | TABLE_MOVE, 24, STOP, 1);
        set(r, DSA, TABLE, 4);
        set(r, DSP, CODE, 4);
        usleep(20000);
        set(r, ISTAT0, ISTAT_SRST, 1);
        set(r, ISTAT0, 0, 1);
        CHECK_EQ(command(r, "\0\0\0\0\0\0", 6, 0, 0) & ~2, 0);
        rig_free(r);
    }
    memset(bytes, 0, 512);
}

TEST(lsi53c895a, another_phase_interrupts_or_jumps)
{
    struct rig *r = controller(true);

    identify(r);
    memcpy(ram(r, CDB), "\x12\0\0\0\x24\0", 6);
    CODE_(r, SELECT_ATN | 3 << 16, 0, SEND_MSG | 1, MSG, SEND_CMD | 6, CDB, DATA_IN | 100, DATA, STOP, 1);
    CHECK_EQ(run(r, CODE) & 3, 2); /* 36 bytes come, then status */
    CHECK_EQ(get(r, SIST0, 1), 0x80);
    CHECK_EQ(get(r, DBC, 4) & 0xffffff, 64);
    CHECK_EQ(get(r, DNAD, 4), DATA + 36);
    CHECK_EQ(get(r, SBCL, 1) & 7, 3);
    CHECK_EQ(get(r, ISTAT0, 1), 8); /* connected */
    rig_save_load(r);
    enable(r);
    CHECK_EQ(get(r, SBCL, 1) & 7, 3);
    CODE_(r, GET_STATUS | 1, STATUS, GET_MSG | 1, STATUS + 1, CLEAR_ACK, 0, STOP, 2); /* nobody said that the bus may become free */
    CHECK_EQ(run(r, CODE) & 3, 2);
    CHECK_EQ(get(r, SIST0, 1), 4);
    CHECK_EQ(*ram(r, STATUS), 0);
    set(r, CCNTL0, 0xc0, 1);
    set(r, PMJAD2, CODE + 0x80, 4);
    put_le32(ram(r, CODE + 0x80), STOP);
    put_le32(ram(r, CODE + 0x84), 0x77);
    CODE_(r, SELECT_ATN | 3 << 16, 0, SEND_MSG | 1, MSG, SEND_CMD | 6, CDB, DATA_IN | 100, DATA, STOP, 1);
    CHECK_EQ(run(r, CODE) & 3, 1);
    CHECK_EQ(get(r, DSPS, 4), 0x77);
    CHECK_EQ(get(r, RBC, 4), DATA_IN | 64);
    CHECK_EQ(get(r, UA, 4), DATA + 36);
    CHECK_EQ(get(r, IA, 4), CODE + 24);
    CHECK_EQ(get(r, SBC, 4), 36);
    rig_free(r);
}

TEST(lsi53c895a, messages_are_answered)
{
    static const uint8_t sync[] = {0xc0, 1, 3, 1, 0x0c, 0x10};
    struct rig *r = controller(true);

    memcpy(ram(r, MSG), sync, sizeof(sync));
    memcpy(ram(r, CDB), "\0\0\0\0\0\0", 6);
    CODE_(r, SELECT_ATN | 3 << 16, 0, SEND_MSG | 6, MSG, GET_MSG | 5, DATA, CLEAR_ACK, 0, SEND_CMD | 6, CDB, GET_STATUS | 1, STATUS, STOP, 5);
    run(r, CODE);
    CHECK_EQ(get(r, DSPS, 4), 5);
    CHECK(!memcmp(ram(r, DATA), sync + 1, 5));
    CHECK_EQ(*ram(r, STATUS), 2);
    set(r, ISTAT0, 0x40, 1);
    set(r, ISTAT0, 0, 1);
    memcpy(ram(r, MSG), "\x80\x13", 2); /* a message that SPI-3 does not have */
    CODE_(r, SELECT_ATN | 3 << 16, 0, SEND_MSG | 2, MSG, GET_MSG | 1, DATA, STOP, 6);
    run(r, CODE);
    CHECK_EQ(get(r, DSPS, 4), 6);
    CHECK_EQ(*ram(r, DATA), 7);
    rig_free(r);
}

TEST(lsi53c895a, waits_for_the_host)
{
    struct rig *r = controller(true);

    CODE_(r, 0x50000000, CODE + 0x40, STOP, 1); /* wait for reselection */
    put_le32(ram(r, CODE + 0x40), STOP);
    put_le32(ram(r, CODE + 0x44), 0x516);
    set(r, DSP, CODE, 4);
    CHECK_EQ(get(r, ISTAT0, 1), 0);
    CHECK_EQ(get(r, ISTAT1, 1), 2);
    rig_save_load(r);
    enable(r);
    set(r, ISTAT0, 0x20, 1);
    CHECK_EQ(get(r, DSPS, 4), 0x516);
    CHECK_EQ(get(r, CTEST2, 1) & 0x40, 0x40);
    CHECK_EQ(get(r, CTEST2, 1) & 0x40, 0);
    get(r, DSTAT, 1);
    CODE_(r, 0x80080000, CODE); /* for ever, while others go on */
    set(r, DSP, CODE, 4);
    rig_step(r, 1000000);
    CHECK_EQ(get(r, ISTAT0, 1), 0);
    set(r, ISTAT0, 0x80, 1);
    CHECK_EQ(get(r, ISTAT0, 1), 0x81);
    CHECK_EQ(get(r, DSTAT, 1), 0x90);
    set(r, STIME1, 4, 1); /* the general purpose timer: 1 ms */
    rig_step(r, 999999);
    CHECK_EQ(get(r, SIST1, 1), 0);
    rig_step(r, 1);
    CHECK_EQ(get(r, SIST1, 1), 2);
    rig_free(r);
}

/* The host has no room for the first write: it waits until the machine runs again, here or where the state was loaded. */
TEST(lsi53c895a, a_write_without_room_waits)
{
    for (int load = 0; load < 2; load++) {
        struct rig *r;
        uint8_t v = 0;

        other = rig_full_disk(DISK, false);
        r = controller(true);
        identify(r);
        command(r, "\0\0\0\0\0\0", 6, 0, 0);
        memcpy(ram(r, CDB), "\x2a\0\0\0\0\x10\0\0\1\0", 10);
        CODE_(r, SELECT_ATN | 3 << 16, 0, SEND_MSG | 1, MSG, SEND_CMD | 10, CDB, DATA_OUT | 512, DATA, GET_STATUS | 1, STATUS, STOP, 4);
        *ram(r, STATUS) = 0xee;
        set(r, DSP, CODE, 4);
        CHECK(rig_await_stop(r));
        CHECK_EQ(get(r, ISTAT0, 1), 8);
        if (load)
            rig_save_load(r);
        rig_run(r, true);
        if (load)
            enable(r);
        for (int tries = 0; tries < 10000 && !(v & 3); tries++) {
            usleep(1000);
            v = (uint8_t)get(r, ISTAT0, 1);
        }
        CHECK_EQ(get(r, DSPS, 4), 4);
        CHECK_EQ(*ram(r, STATUS), 0);
        rig_free(r);
        other = NULL;
    }
}

TEST(lsi53c895a, its_own_number_is_taken)
{
    struct rig *r = controller(false);
    struct err e = {0};

    machine_lock(r->m);
    CHECK(!dev_add(r->m, "scsi-hd", NULL, "drive=d0,bus=m0.0,scsi-id=7", &e));
    CHECK(strstr(e.msg, "scsi-id 7 is the controller's own"));
    machine_unlock(r->m);
    rig_free(r);
}

TEST(lsi53c895a, nothing_a_stream_says_hurts)
{
    struct rig *r = controller(true);

    identify(r);
    memcpy(ram(r, CDB), "\x12\0\0\0\x24\0", 6);
    CODE_(r, SELECT_ATN | 3 << 16, 0, SEND_MSG | 1, MSG, SEND_CMD | 6, CDB, DATA_IN | 10, DATA, STOP, 1);
    CHECK_EQ(run(r, CODE) & 3, 1); /* data that wait */
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(lsi53c895a, is_the_chip_it_says),
    CASE(lsi53c895a, scripts_compute_and_copy),
    CASE(lsi53c895a, nobody_answers),
    CASE(lsi53c895a, a_disk_is_read_and_written),
    CASE(lsi53c895a, data_may_reset_the_chip),
    CASE(lsi53c895a, another_phase_interrupts_or_jumps),
    CASE(lsi53c895a, messages_are_answered),
    CASE(lsi53c895a, waits_for_the_host),
    CASE(lsi53c895a, a_write_without_room_waits),
    CASE(lsi53c895a, its_own_number_is_taken),
    CASE(lsi53c895a, nothing_a_stream_says_hurts),
};
TEST_MAIN(tests)
