/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The megasas controllers: identity, the reply queue, direct commands, SCSI commands to a disk, saved state. */
#include "tests/dev/pci_rig.h"

#include "base/bytes.h"
#include "block/drive.h"
#include "block/env.h"

#include <unistd.h>

enum { FN = RIG_FN(0, 1, 0), BAR = RIG_PCI_MEM, QUEUE = RIG_RAM + 0x1000, INFO = RIG_RAM + 0x2000, PRODUCER = RIG_RAM + 0x2100,
       FRAME = RIG_RAM + 0x3000, DATA = RIG_RAM + 0x8000, SENSE = RIG_RAM + 0x7000, DISK = 1 << 20 };

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
    CHECK(dev_add(r->m, "megasas", "m0", "addr=1", ERR_IGNORE));
    machine_unlock(r->m);
}

static uint8_t *ram(struct rig *r, uint32_t at)
{
    return r->ram->host + at - RIG_RAM;
}

static uint32_t get(struct rig *r, unsigned reg)
{
    return rig_load(r, BAR + reg, 4);
}

static void set(struct rig *r, unsigned reg, uint32_t v)
{
    rig_store(r, BAR + reg, v, 4);
}

/* A frame of command @cmd with one piece of data of @len bytes, whose list is at @sgl. */
static uint8_t *new_frame(struct rig *r, uint8_t cmd, uint16_t flags, unsigned sgl, uint32_t len)
{
    uint8_t *f = ram(r, FRAME);

    memset(f, 0, 128);
    f[0] = cmd;
    f[2] = 0xff;
    f[7] = len != 0;
    put_le32(f + 8, 0xc0de);
    put_le16(f + 16, flags);
    put_le32(f + 20, len);
    put_le32(f + sgl, DATA);
    put_le32(f + sgl + 4, len);
    return f;
}

static void post_only(struct rig *r)
{
    set(r, 0x40, FRAME | 1);
}

/* And wait until it is answered. */
static void post(struct rig *r)
{
    volatile uint8_t *status = ram(r, FRAME) + 2;

    *status = 0xff;
    post_only(r);
    for (int tries = 0; tries < 10000 && *status == 0xff; tries++)
        usleep(1000);
    get(r, 0x30); /* whoever has answered is done with the machine */
}

static struct rig *controller_with(const char *type, const char *props, bool with_disk)
{
    struct rig *r = rig_with(type, props, before);
    bool two = strcmp(type, "megasas") != 0;
    struct err e = {0};

    machine_lock(r->m);
    if (with_disk)
        CHECK(dev_add(r->m, "scsi-hd", NULL, "drive=d0,bus=m0.0,scsi-id=3", &e));
    machine_unlock(r->m);
    cfg_write(r, FN, two ? 0x14 : 0x10, BAR, 4);
    cfg_enable(r, FN);
    return r;
}

static struct rig *controller(const char *type, bool with_disk)
{
    return controller_with(type, "addr=1,id=m0", with_disk);
}

static void start(struct rig *r)
{
    uint8_t *f = new_frame(r, 0, 0, 40, 0), *q = ram(r, INFO);

    memset(q, 0, 32);
    put_le32(q + 4, 129);
    put_le32(q + 8, QUEUE);
    put_le32(q + 16, PRODUCER);
    put_le32(f + 24, INFO);
    post(r);
    CHECK_EQ(f[2], 0);
    CHECK_EQ(get(r, 0xb0) >> 28, 0xc);
}

TEST(megasas, starts_and_answers_by_its_queue)
{
    struct rig *r = controller("megasas", false);

    CHECK_EQ(cfg_read(r, FN, 0, 4), 0x00601000);
    CHECK_EQ(cfg_read(r, FN, 8, 4) >> 16, 0x0104);
    CHECK_EQ(get(r, 0xb0) >> 28, 0xb); /* ready */
    set(r, 0x34, 0x7fffffff);
    start(r);
    CHECK_EQ(get_le32(ram(r, PRODUCER)), 1);
    CHECK_EQ(get_le32(ram(r, QUEUE)), 0xc0de);
    CHECK_EQ(get(r, 0x30), 0x80000000);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 8);
    rig_save_load(r);
    CHECK_EQ(get(r, 0x30), 0x80000000);
    set(r, 0xa0, 0x80000000);
    CHECK_EQ(cfg_read(r, FN, 6, 2) & 8, 0);
    set(r, 0x20, 7);
    CHECK_EQ(get(r, 0xb0) >> 28, 0xb);
    rig_free(r);
}

TEST(megasas, lists_its_drives)
{
    struct rig *r = controller_with("megasas", "addr=1,id=m0,use_jbod=on", true);
    uint8_t *f;

    start(r);
    f = new_frame(r, 5, 0x10, 40, 256);
    put_le32(f + 24, 0x02010100);
    memset(ram(r, DATA), 0xee, 256);
    post(r);
    CHECK_EQ(f[2], 0);
    CHECK_EQ(get_le32(ram(r, DATA)), 32);
    CHECK_EQ(get_le32(ram(r, DATA + 4)), 1);
    CHECK_EQ(get_le16(ram(r, DATA + 8)), 3);
    CHECK_EQ(*ram(r, DATA + 255), 0);
    put_le32(f + 24, 0x0badc0de);
    f[2] = 0xff;
    post(r);
    CHECK_EQ(f[2], 2); /* no such command */
    f = new_frame(r, 5, 0, 40, 0); /* news: there are none */
    put_le32(f + 24, 0x01040500);
    post_only(r);
    CHECK_EQ(f[2], 0xff);
    rig_free(r);
}

TEST(megasas, commands_reach_the_disk)
{
    struct rig *r = controller("megasas-gen2", true);
    uint8_t *f;

    CHECK_EQ(cfg_read(r, FN, 0, 4), 0x00791000);
    start(r);
    CHECK_EQ(get(r, 0x30), 1);
    f = new_frame(r, 4, 0, 48, 0); /* ready?  It tells of its power-on first */
    f[4] = 3;
    f[6] = 6;
    post(r);
    CHECK_EQ(f[2], 0x2d);
    f = new_frame(r, 4, 8, 48, 1024); /* write two blocks */
    memset(ram(r, DATA), 0x5c, 1024);
    f[4] = 3;
    f[6] = 10;
    memcpy(f + 32, "\x2a\0\0\0\0\x10\0\0\2\0", 10);
    post(r);
    CHECK_EQ(f[2], 0);
    memset(ram(r, DATA), 0, 1024);
    f = new_frame(r, 4, 0x10, 48, 1024); /* and read them again */
    f[4] = 3;
    f[6] = 10;
    memcpy(f + 32, "\x28\0\0\0\0\x10\0\0\2\0", 10);
    post(r);
    CHECK_EQ(f[2], 0);
    CHECK_EQ(*ram(r, DATA), 0x5c);
    CHECK_EQ(*ram(r, DATA + 1023), 0x5c);
    f = new_frame(r, 4, 0x10, 48, 512); /* read one, past the end */
    f[1] = 18;
    f[4] = 3;
    f[6] = 10;
    put_le32(f + 24, SENSE);
    memcpy(f + 32, "\x28\0\0\x10\0\0\0\0\1\0", 10);
    post(r);
    CHECK_EQ(f[2], 0x2d);
    CHECK_EQ(f[3], 2);
    CHECK_EQ(*ram(r, SENSE + 2) & 15, 5);
    f[4] = 9; /* nobody */
    post(r);
    CHECK_EQ(f[2], 0x0c);
    put_le32(f + 48, 0xf0000000); /* a piece that is not in memory */
    post(r);
    CHECK_EQ(f[2], 3);
    rig_free(r);
}

/* A direct command whose answer of 256 bytes comes to DATA. */
static void ask(struct rig *r, uint32_t opcode)
{
    uint8_t *f = new_frame(r, 5, 0x10, 40, 256);

    put_le32(f + 24, opcode);
    memset(ram(r, DATA), 0xee, 256);
    post(r);
    CHECK_EQ(f[2], 0);
}

TEST(megasas, disks_are_logical_drives)
{
    struct rig *r = controller("megasas", true);
    uint8_t *f;

    start(r);
    ask(r, 0x03010000);
    CHECK_EQ(get_le32(ram(r, DATA)), 1);
    CHECK_EQ(*ram(r, DATA + 8), 3);
    CHECK_EQ(*ram(r, DATA + 12), 3); /* optimal */
    CHECK_EQ(get_le64(ram(r, DATA + 16)), DISK / 512);
    ask(r, 0x03010100);
    CHECK_EQ(get_le32(ram(r, DATA + 4)), 1);
    CHECK_EQ(*ram(r, DATA + 11), 3);
    ask(r, 0x02010100); /* physical drives that hosts see */
    CHECK_EQ(get_le32(ram(r, DATA + 4)), 0);
    ask(r, 0x02010000); /* and all */
    CHECK_EQ(get_le32(ram(r, DATA + 4)), 1);
    f = new_frame(r, 2, 8, 40, 1024); /* write two blocks */
    memset(ram(r, DATA), 0xa7, 1024);
    f[4] = 3;
    put_le32(f + 20, 2);
    put_le32(f + 32, 0x20);
    post(r);
    CHECK_EQ(f[2], 0);
    memset(ram(r, DATA), 0, 1024);
    f[0] = 1; /* and read them */
    put_le16(f + 16, 0x10);
    post(r);
    CHECK_EQ(f[2], 0);
    CHECK_EQ(*ram(r, DATA + 1023), 0xa7);
    f = new_frame(r, 3, 0x10, 48, 1024); /* the same by a CDB */
    memset(ram(r, DATA), 0, 1024);
    f[4] = 3;
    f[6] = 10;
    memcpy(f + 32, "\x28\0\0\0\0\x20\0\0\2\0", 10);
    post(r);
    CHECK_EQ(f[2], 0);
    CHECK_EQ(*ram(r, DATA), 0xa7);
    CHECK_EQ(*ram(r, DATA + 1023), 0xa7);
    f[4] = 4; /* nobody */
    post(r);
    CHECK_EQ(f[2], 0x0c);
    ask(r, 0x01101000);
    rig_free(r);
}

static void await(const uint8_t *f)
{
    const volatile uint8_t *status = f + 2;

    for (int tries = 0; tries < 10000 && *status == 0xff; tries++)
        usleep(1000);
}

/* The host has no room for the first write: it waits until the machine runs again, here or where the state was loaded. */
TEST(megasas, a_write_without_room_waits)
{
    for (int load = 0; load < 2; load++) {
        struct rig *r;
        uint8_t *f;

        other = rig_full_disk(DISK, false);
        r = rig_with("scsi-hd", "drive=d0,bus=m0.0,scsi-id=3", before_disk);
        cfg_write(r, FN, 0x10, BAR, 4);
        cfg_enable(r, FN);
        start(r);
        f = new_frame(r, 3, 0, 48, 0); /* its power-on, first */
        f[4] = 3;
        f[6] = 6;
        post(r);
        f = new_frame(r, 2, 8, 40, 512);
        f[4] = 3;
        put_le32(f + 20, 1);
        put_le32(f + 32, 0x20);
        post_only(r);
        CHECK(rig_await_stop(r));
        CHECK_EQ(f[2], 0xff);
        if (load)
            rig_save_load(r);
        rig_run(r, true);
        await(ram(r, FRAME));
        CHECK_EQ(ram(r, FRAME)[2], 0);
        get(r, 0x30);
        rig_free(r);
        other = NULL;
    }
}

TEST(megasas, nothing_a_stream_says_hurts)
{
    struct rig *r = controller("megasas", false);

    start(r);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(megasas, starts_and_answers_by_its_queue),
    CASE(megasas, lists_its_drives),
    CASE(megasas, commands_reach_the_disk),
    CASE(megasas, disks_are_logical_drives),
    CASE(megasas, a_write_without_room_waits),
    CASE(megasas, nothing_a_stream_says_hurts),
};
TEST_MAIN(tests)
