/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IDE channels (PIIX, ISA), disks and CD drives on them: registers, programmed and DMA transfers, packets, resets, saved state. */
#include "base/bytes.h"
#include "block/drive.h"
#include "block/env.h"
#include "dev/ide/ide_channel.h"
#include "tests/dev/isa_rig.h"
#include "tests/dev/pci_rig.h"

enum { DISK = 4 << 20, DISC = 1 << 20, FN = RIG_FN(0, 1, 1), BM = 0xc000, TABLE = RIG_RAM + 0x1000, BUF = RIG_RAM + 0x2000 };
enum { P = 0x1f0, S = 0x170 };
enum { DRDY = 0x40, DRQ = 8, ERR = 1 };

static struct drive disk, disc;

static struct blk *image(uint32_t len, unsigned unit, unsigned flags)
{
    uint8_t *bytes = calloc(1, len);
    struct err e = {0};
    struct blk *b;

    for (uint32_t i = 0; i < len; i += unit)
        put_le32(bytes + i, i / unit);
    b = blk_open_bytes(blk_env_new(NULL, NULL), "raw", bytes, len, flags, &e);
    if (!b)
        exit(TEST_FAILED);
    return b;
}

static void drives(struct rig *r)
{
    struct err e = {0};

    if (!disk.blk) {
        disk.id = "d0";
        disk.blk = image(DISK, 512, BLK_RDWR);
        disc.id = "d1";
        disc.blk = image(DISC, 2048, 0);
        disc.read_only = disc.cdrom = true;
    }
    disk.used = disc.used = false;
    machine_add_backend(r->m, "drive", "d0", &disk, &e);
    machine_add_backend(r->m, "drive", "d1", &disc, &e);
}

static void before(struct rig *r)
{
    struct err e = {0};

    pci_rig_before(r);
    isa_rig_before(r);
    machine_lock(r->m);
    drives(r);
    if (!dev_add(r->m, "piix3-ide", NULL, "addr=1.1", &e) ||
        !dev_add(r->m, "ide-cd", NULL, "bus=ide.1,drive=d1", &e)) {
        printf("%s\n", e.msg);
        exit(TEST_FAILED);
    }
    machine_unlock(r->m);
}

static void enable(struct rig *r)
{
    cfg_write(r, FN, 0x20, BM, 4);
    cfg_write(r, FN, 4, 5, 2);
}

static struct rig *ide(void)
{
    struct rig *r = rig_with("ide-hd", "bus=ide.0,drive=d0,serial=SER", before);

    enable(r);
    return r;
}

static uint8_t status(struct rig *r, unsigned base)
{
    for (unsigned i = 0; i < 600000 && inb(r, base + 0x206) & 0x80; i++)
        usleep(100);
    return inb(r, base + 7);
}

static void command(struct rig *r, unsigned base, uint8_t op, uint32_t lba, uint8_t count)
{
    outb(r, base + 2, count);
    outb(r, base + 3, lba);
    outb(r, base + 4, lba >> 8);
    outb(r, base + 5, lba >> 16);
    outb(r, base + 6, 0xe0 | (lba >> 24 & 15));
    outb(r, base + 7, op);
}

static void get(struct rig *r, unsigned base, uint8_t *buf, unsigned len)
{
    for (unsigned i = 0; i < len; i += 2)
        put_le16(buf + i, inw(r, base));
}

TEST(ide, drives_say_what_they_are)
{
    struct rig *r = ide();
    uint8_t b[512];

    CHECK_EQ(status(r, P), 0x50);
    CHECK_EQ(inb(r, P + 2), 1);
    CHECK_EQ(inb(r, P + 4), 0);
    CHECK_EQ(inb(r, S + 4), 0x14);
    CHECK_EQ(inb(r, S + 5), 0xeb);
    outb(r, P + 6, 0xb0); /* nobody there */
    CHECK_EQ(inb(r, P + 7), 0);
    outb(r, P + 6, 0xa0);
    outb(r, P + 7, 0xec);
    CHECK_EQ(isa_rig.line[14].level, 1);
    CHECK_EQ(status(r, P), 0x58);
    CHECK_EQ(isa_rig.line[14].level, 0);
    get(r, P, b, 512);
    CHECK_EQ(get_le32(b + 120), DISK / 512);
    CHECK_MEM(b + 20, "ES R", 4);
    CHECK_EQ(get_le16(b + 2 * 59), 0x110);  /* blocks of 16 sectors, from the start */
    CHECK_EQ(get_le16(b + 2 * 76), 0);      /* no queues: that is for Serial ATA */
    CHECK_EQ(get_le16(b + 2 * 93), 0x6001); /* the cable */
    CHECK_EQ(get_le32(b + 2 * 57), get_le16(b + 2 * 54) * 16u * 63);
    CHECK_EQ(status(r, P), 0x50);
    outb(r, S + 7, 0xec);
    CHECK_EQ(status(r, S), 0x51);
    CHECK_EQ(inb(r, S + 1), 4);
    CHECK_EQ(inb(r, S + 5), 0xeb);
    outb(r, S + 7, 0xa1);
    CHECK_EQ(status(r, S), 0x58);
    get(r, S, b, 512);
    CHECK_EQ(get_le16(b), 0x85c0);
    CHECK_MEM(b + 54, "EQUMD DVR-MO", 12);
    rig_free(r);
}

TEST(ide, reads_and_writes_by_the_cpu)
{
    struct rig *r = ide();
    uint8_t b[512];

    command(r, P, 0x20, 100, 200); /* more than is fetched at once */
    for (unsigned i = 0; i < 200; i++) {
        CHECK_EQ(status(r, P), 0x58);
        get(r, P, b, 512);
        CHECK_EQ(get_le32(b), 100 + i);
    }
    CHECK_EQ(status(r, P), 0x50);
    command(r, P, 0x30, 7, 2);
    CHECK_EQ(status(r, P), 0x58);
    for (unsigned i = 0; i < 512; i += 4)
        port_out(r, P, 0xaabb0000 + i, 4);
    CHECK_EQ(isa_rig.line[14].level, 1);
    for (unsigned i = 0; i < 256; i++)
        outw(r, P, 0x1234);
    CHECK_EQ(status(r, P), 0x50);
    command(r, P, 0x20, 7, 1);
    CHECK_EQ(status(r, P), 0x58);
    CHECK_EQ(port_in(r, P, 4), 0xaabb0000);
    command(r, P, 0x20, DISK / 512, 1);
    CHECK_EQ(status(r, P), 0x51);
    CHECK_EQ(inb(r, P + 1), 0x10);
    command(r, P, 0xc6, 0, 16);
    CHECK_EQ(status(r, P), 0x50);
    command(r, P, 0xc4, 32, 20); /* in blocks of 16 */
    CHECK_EQ(status(r, P), 0x58);
    for (unsigned i = 0; i < 16; i++) {
        get(r, P, b, 512);
        CHECK_EQ(get_le32(b), 32 + i);
    }
    CHECK_EQ(isa_rig.line[14].level, 1);
    rig_free(r);
}

TEST(ide, cylinders_and_forty_eight_bits)
{
    struct rig *r = ide();

    outb(r, P + 2, 1);
    outb(r, P + 3, 5);
    outb(r, P + 4, 3);
    outb(r, P + 5, 0);
    outb(r, P + 6, 0xa2); /* cylinder 3, head 2, sector 5 */
    outb(r, P + 7, 0x20);
    CHECK_EQ(status(r, P), 0x58);
    CHECK_EQ(port_in(r, P, 4), (3 * 16 + 2) * 63 + 4);
    for (unsigned i = 0; i < 2; i++) {
        outb(r, P + 2, i);
        outb(r, P + 3, i ? 77 : 0);
        outb(r, P + 4, 0);
        outb(r, P + 5, 0);
    }
    outb(r, P + 6, 0x40);
    outb(r, P + 7, 0x24);
    CHECK_EQ(status(r, P), 0x58);
    CHECK_EQ(port_in(r, P, 4), 77);
    rig_free(r);
}

static void prd(struct rig *r, unsigned n, uint32_t at, uint32_t len, bool last)
{
    rig_store(r, TABLE + 8 * n, at, 4);
    rig_store(r, TABLE + 8 * n + 4, (len & 0xffff) | (last ? 0x80000000 : 0), 4);
}

static uint32_t bm_port(unsigned channel, unsigned reg)
{
    return RIG_PCI_IO + BM + channel * 8 + reg;
}

static void start(struct rig *r, unsigned channel, bool to_memory)
{
    rig_store(r, bm_port(channel, 4), TABLE, 4);
    rig_store(r, bm_port(channel, 2), 6, 1);
    rig_store(r, bm_port(channel, 0), to_memory ? 9 : 1, 1);
}

TEST(ide, bus_master_moves_by_itself)
{
    struct rig *r = ide();

    command(r, P, 0xc8, 50, 4);
    prd(r, 0, BUF, 1024, false);
    prd(r, 1, BUF + 0x4000, 1024, true);
    start(r, 0, true);
    CHECK_EQ(status(r, P), 0x50);
    CHECK_EQ(rig_load(r, bm_port(0, 2), 1) & 7, 4);
    CHECK_EQ(rig_load(r, BUF + 512, 4), 51);
    CHECK_EQ(rig_load(r, BUF + 0x4000, 4), 52);
    rig_store(r, bm_port(0, 0), 0, 1);
    rig_store(r, BUF, 0x55aa55aa, 4);
    prd(r, 0, BUF, 512, true);
    start(r, 0, false); /* before the command */
    command(r, P, 0xca, 60, 1);
    CHECK_EQ(status(r, P), 0x50);
    rig_store(r, bm_port(0, 0), 0, 1);
    command(r, P, 0x20, 60, 1);
    CHECK_EQ(status(r, P), 0x58);
    CHECK_EQ(port_in(r, P, 4), 0x55aa55aa);
    command(r, P, 0xc8, 0, 2); /* a table that is too short */
    start(r, 0, true);
    CHECK_EQ(status(r, P), 0x51);
    rig_store(r, bm_port(0, 0), 0, 1);
    command(r, P, 0xc8, 0, 1);
    prd(r, 0, 0xf0000000, 512, true); /* no memory */
    start(r, 0, true);
    CHECK_EQ(status(r, P), 0x51);
    rig_free(r);
}

static void packet(struct rig *r, const uint8_t p[12], uint16_t limit, bool dma)
{
    outb(r, S + 6, 0xa0);
    outb(r, S + 1, dma);
    outb(r, S + 4, limit & 255);
    outb(r, S + 5, limit >> 8);
    outb(r, S + 7, 0xa0);
    CHECK_EQ(inb(r, S + 7) & DRQ, DRQ);
    CHECK_EQ(inb(r, S + 2) & 3, 1);
    for (unsigned i = 0; i < 12; i += 2)
        outw(r, S, get_le16(p + i));
}

static void clear_attention(struct rig *r)
{
    static const uint8_t sense[12] = {3, 0, 0, 0, 18}, ready[12] = {0};
    uint8_t b[18];

    packet(r, ready, 0, false);
    CHECK_EQ(status(r, S) & ERR, ERR);
    CHECK_EQ(inb(r, S + 1) >> 4, 6); /* unit attention */
    packet(r, sense, 0xfffe, false);
    CHECK_EQ(status(r, S) & DRQ, DRQ);
    CHECK_EQ(inb(r, S + 4), 18);
    get(r, S, b, 18);
    CHECK_EQ(b[2], 6);
    CHECK_EQ(b[12], 0x29);
    CHECK_EQ(status(r, S) & (DRQ | ERR), 0);
    packet(r, ready, 0, false);
    CHECK_EQ(status(r, S) & (DRQ | ERR), 0);
    CHECK_EQ(inb(r, S + 2), 3);
}

TEST(ide, packets_read_a_disc)
{
    static const uint8_t capacity[12] = {0x25}, read[12] = {0x28, 0, 0, 0, 0, 10, 0, 0, 40};
    static const uint8_t read_12[12] = {0xa8, 0, 0, 0, 0, 3, 0, 0, 0, 2}, bad[12] = {0x28, 0, 0, 1, 0, 0, 0, 0, 1};
    struct rig *r = ide();
    uint8_t b[2048];

    clear_attention(r);
    packet(r, capacity, 8, false);
    CHECK_EQ(status(r, S) & DRQ, DRQ);
    get(r, S, b, 8);
    CHECK_EQ(get_be32(b), DISC / 2048 - 1);
    packet(r, read, 2048, false);
    for (unsigned i = 0; i < 40; i++) {
        CHECK_EQ(status(r, S) & (DRQ | ERR), DRQ);
        CHECK_EQ(inb(r, S + 4) | inb(r, S + 5) << 8, 2048);
        CHECK_EQ(inb(r, S + 2), 2);
        get(r, S, b, 2048);
        CHECK_EQ(get_le32(b), 10 + i);
    }
    CHECK_EQ(isa_rig.line[15].level, 1);
    CHECK_EQ(status(r, S) & (DRQ | ERR), 0);
    packet(r, read_12, 0, true);
    prd(r, 0, BUF, 4096, true);
    start(r, 1, true);
    CHECK_EQ(status(r, S) & (DRQ | ERR), 0);
    CHECK_EQ(rig_load(r, BUF + 2048, 4), 4);
    CHECK_EQ(rig_load(r, bm_port(1, 2), 1) & 7, 4);
    packet(r, bad, 2048, false);
    CHECK_EQ(status(r, S) & (DRQ | ERR), ERR);
    CHECK_EQ(inb(r, S + 1), 0x54);
    rig_free(r);
}

TEST(ide, discs_are_changed)
{
    static const uint8_t ready[12] = {0}, eject[12] = {0x1b, 0, 0, 0, 2};
    struct rig *r = ide();
    struct blk *was = disc.blk;

    clear_attention(r);
    CHECK(disc.removable);
    packet(r, eject, 0, false);
    CHECK_EQ(status(r, S) & ERR, 0);
    packet(r, ready, 0, false);
    CHECK_EQ(status(r, S) & ERR, ERR);
    CHECK_EQ(inb(r, S + 1) >> 4, 2); /* not ready */
    machine_lock(r->m);
    disc.blk = NULL;
    disc.changed(disc.owner, &disc);
    disc.blk = was;
    disc.changed(disc.owner, &disc);
    machine_unlock(r->m);
    packet(r, ready, 0, false);
    status(r, S);
    CHECK_EQ(inb(r, S + 1) >> 4, 6);
    packet(r, ready, 0, false);
    CHECK_EQ(status(r, S) & ERR, 0);
    rig_free(r);
}

TEST(ide, resets)
{
    struct rig *r = ide();

    command(r, P, 0x20, 0, 4);
    CHECK_EQ(status(r, P), 0x58);
    outb(r, 0x3f6, 6);
    CHECK_EQ(inb(r, 0x3f6), 0x80);
    outb(r, 0x3f6, 0);
    CHECK_EQ(status(r, P), 0x50);
    CHECK_EQ(inb(r, P + 1), 1);
    outb(r, 0x3f6, 2); /* no interrupts */
    outb(r, P + 7, 0xec);
    CHECK_EQ(isa_rig.line[14].level, 0);
    outb(r, 0x3f6, 0);
    CHECK_EQ(isa_rig.line[14].level, 1);
    outb(r, P + 7, 0x90);
    CHECK_EQ(inb(r, P + 1), 1);
    outb(r, S + 7, 0x08);
    CHECK_EQ(inb(r, S + 7), 0);
    rig_free(r);
}

TEST(ide, state_survives_in_the_middle)
{
    static const uint8_t read[12] = {0x28, 0, 0, 0, 0, 10, 0, 0, 40};
    struct rig *r = ide();
    uint8_t b[2048];

    clear_attention(r);
    command(r, P, 0x20, 500, 3);
    CHECK_EQ(status(r, P), 0x58);
    get(r, P, b, 512);
    get(r, P, b, 100);
    packet(r, read, 2048, false);
    CHECK_EQ(status(r, S) & DRQ, DRQ);
    get(r, S, b, 2048);
    CHECK_EQ(status(r, S) & DRQ, DRQ);
    get(r, S, b, 2048);
    rig_save_load(r);
    get(r, P, b, 412);
    CHECK_EQ(status(r, P), 0x58);
    get(r, P, b, 512);
    CHECK_EQ(get_le32(b), 502);
    CHECK_EQ(status(r, S) & DRQ, DRQ);
    get(r, S, b, 2048);
    CHECK_EQ(get_le32(b), 12);
    rig_free(r);
}

static void isa_before(struct rig *r)
{
    struct err e = {0};

    isa_rig_before(r);
    machine_lock(r->m);
    drives(r);
    if (!dev_add(r->m, "isa-ide", NULL, NULL, &e))
        exit(TEST_FAILED);
    machine_unlock(r->m);
}

TEST(isa_ide, has_no_dma)
{
    struct rig *r = rig_with("ide-hd", "drive=d0", isa_before);

    command(r, P, 0x20, 9, 1);
    CHECK_EQ(status(r, P), 0x58);
    CHECK_EQ(port_in(r, P, 4), 9);
    command(r, P, 0xc8, 9, 1);
    CHECK_EQ(status(r, P), 0x51);
    rig_save_load(r);
    rig_free(r);
}

static void slave_before(struct rig *r)
{
    struct err e = {0};

    pci_rig_before(r);
    isa_rig_before(r);
    machine_lock(r->m);
    drives(r);
    if (!dev_add(r->m, "piix4-ide", NULL, "addr=1.1", &e) ||
        !dev_add(r->m, "ide-cd", NULL, "bus=ide.0,unit=0", &e))
        exit(TEST_FAILED);
    CHECK(!dev_add(r->m, "ide-cd", NULL, "bus=ide.0,unit=0", &e));
    CHECK_STR(e.msg, "IDE unit 0 is in use");
    machine_unlock(r->m);
}

TEST(ide, two_drives_share_a_channel)
{
    struct rig *r = rig_with("ide-hd", "bus=ide.0,drive=d0", slave_before);

    enable(r);
    CHECK_EQ(cfg_read(r, FN, 0, 4), 0x71118086);
    CHECK_EQ(inb(r, P + 5), 0xeb);
    outb(r, P + 6, 0xf0);
    CHECK_EQ(inb(r, P + 7), 0x50);
    outb(r, P + 2, 1);
    outb(r, P + 3, 33);
    outb(r, P + 7, 0x20);
    CHECK_EQ(status(r, P), 0x58);
    outb(r, P + 6, 0xa0); /* given up in the middle */
    outb(r, P + 6, 0xf0);
    CHECK_EQ(inb(r, P + 7), 0x50);
    rig_free(r);
}

TEST(ide, a_write_without_room_does_what_werror_says)
{
    static const enum drive_error what[] = {DRIVE_STOP, DRIVE_IGNORE, DRIVE_REPORT};

    for (unsigned n = 0; n < ARRAY_LEN(what); n++) {
        struct rig *r;

        disc.id = "d1";
        disc.blk = image(DISC, 2048, 0);
        disc.read_only = disc.cdrom = true;
        disk.id = "d0";
        disk.blk = rig_full_disk(DISK, what[n] != DRIVE_STOP);
        disk.werror = what[n];
        r = ide();
        rig_run(r, true);
        command(r, P, 0x30, 7, 1);
        CHECK_EQ(status(r, P), 0x58);
        for (unsigned i = 0; i < 256; i++)
            outw(r, P, 0x1234);
        if (what[n] == DRIVE_STOP) {
            CHECK(rig_await_stop(r));
            usleep(20000);
            CHECK(inb(r, P + 0x206) & 0x80); /* it has not ended */
            rig_run(r, true);
        }
        CHECK_EQ(status(r, P), what[n] == DRIVE_REPORT ? 0x51 : 0x50);
        rig_free(r);
    }
}

/* A machine whose disk has no room for its first write; @r stops at it. */
static struct rig *without_room(void)
{
    struct rig *r;

    disc.id = "d1";
    disc.blk = image(DISC, 2048, 0);
    disc.read_only = disc.cdrom = true;
    disk.id = "d0";
    disk.blk = rig_full_disk(DISK, false);
    disk.werror = DRIVE_STOP;
    r = ide();
    rig_run(r, true);
    return r;
}

/* Stopped, saved, made anew, and it runs on. */
static void saved_while_waiting(struct rig *r, bool twice)
{
    CHECK(rig_await_stop(r));
    rig_save_load(r);
    CHECK(inb(r, P + 0x206) & 0x80);
    if (twice) {
        rig_save_load(r);
        rig_hostile(r);
    }
    rig_run(r, true);
    CHECK_EQ(status(r, P), 0x50);
}

static uint16_t first_word(struct rig *r, uint32_t lba)
{
    command(r, P, 0x20, lba, 1);
    CHECK_EQ(status(r, P), 0x58);
    return inw(r, P);
}

TEST(ide, a_write_that_waits_for_room_is_in_the_saved_state)
{
    struct rig *r = without_room();

    command(r, P, 0x30, 7, 2);
    CHECK_EQ(status(r, P), 0x58);
    for (unsigned i = 0; i < 512; i++) {
        if (i == 256)
            CHECK_EQ(status(r, P), 0x58);
        outw(r, P, 0x1234);
    }
    saved_while_waiting(r, true);
    CHECK_EQ(first_word(r, 8), 0x1234);
    rig_free(r);

    r = without_room();
    rig_store(r, BUF, 0x4321, 2);
    prd(r, 0, BUF, 512, true);
    command(r, P, 0xca, 9, 1);
    start(r, 0, false);
    saved_while_waiting(r, false);
    CHECK_EQ(first_word(r, 9), 0x4321);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(ide, drives_say_what_they_are),
    CASE(ide, reads_and_writes_by_the_cpu),
    CASE(ide, cylinders_and_forty_eight_bits),
    CASE(ide, bus_master_moves_by_itself),
    CASE(ide, packets_read_a_disc),
    CASE(ide, discs_are_changed),
    CASE(ide, resets),
    CASE(ide, state_survives_in_the_middle),
    CASE(isa_ide, has_no_dma),
    CASE(ide, two_drives_share_a_channel),
    CASE(ide, a_write_without_room_does_what_werror_says),
    CASE(ide, a_write_that_waits_for_room_is_in_the_saved_state),
};
TEST_MAIN(tests)
