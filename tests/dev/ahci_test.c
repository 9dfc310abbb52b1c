/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The AHCI controller and ATA disks: ports, command lists, DMA, PIO, queued commands, errors, resets, saved state. */
#include "tests/dev/pci_rig.h"

#include "base/bytes.h"
#include "block/drive.h"
#include "block/env.h"

enum { DISK = 4 << 20, FN = RIG_FN(0, 3, 0), BAR = RIG_PCI_MEM, PORT = BAR + 0x100 };
enum {
    LIST = RIG_RAM + 0x1000,
    FIS = RIG_RAM + 0x2000,
    TABLES = RIG_RAM + 0x3000, /* one of 0x100 bytes for each slot */
    DATA = RIG_RAM + 0x10000
};
enum { CLB = 0, FB = 8, IS = 0x10, IE = 0x14, CMD = 0x18, TFD = 0x20, SIG = 0x24, SSTS = 0x28 };
enum { SCTL = 0x2c, SACT = 0x34, CI = 0x38, RUN = 0x11 };

static struct drive drive;

static void before(struct rig *r)
{
    struct err e = {0};

    pci_rig_before(r);
    if (!drive.blk) {
        uint8_t *bytes = calloc(1, DISK);

        for (unsigned i = 0; i < DISK; i += 512)
            put_le32(bytes + i, i / 512);
        drive.id = "d0";
        drive.blk = blk_open_bytes(blk_env_new(NULL, NULL), "raw", bytes, DISK, BLK_RDWR, &e);
    }
    drive.used = false;
    machine_lock(r->m);
    if (!drive.blk || machine_add_backend(r->m, "drive", "d0", &drive, &e) < 0 ||
        !dev_add(r->m, "ich9-ahci", "a", "addr=3", &e)) {
        printf("%s\n", e.msg);
        exit(TEST_FAILED);
    }
    machine_unlock(r->m);
}

static void port(struct rig *r, unsigned reg, uint32_t v)
{
    rig_store(r, PORT + reg, v, 4);
}

static uint32_t get(struct rig *r, unsigned reg)
{
    return (uint32_t)rig_load(r, PORT + reg, 4);
}

static uint8_t *ram(struct rig *r, uint32_t at)
{
    return r->ram->host + at - RIG_RAM;
}

static void start(struct rig *r)
{
    port(r, CLB, LIST);
    port(r, FB, FIS);
    port(r, CMD, RUN | 6);
    port(r, IE, 0xffffffff);
    port(r, IS, 0xffffffff);
    rig_store(r, BAR + 8, 0xffffffff, 4);
    rig_store(r, BAR + 4, 0x80000002, 4);
}

static struct rig *disk(void)
{
    struct rig *r = rig_with("ide-hd", "bus=a.0,drive=d0,serial=SER", before);

    cfg_write(r, FN, PCI_BAR0 + 20, BAR, 4);
    cfg_enable(r, FN);
    start(r);
    return r;
}

/* A command in @slot with @len bytes of data at DATA, in two pieces. */
static void make(struct rig *r, unsigned slot, uint8_t command, uint64_t lba, uint16_t count,
                 uint16_t features, uint32_t len)
{
    uint8_t *h = ram(r, LIST + 32 * slot), *t = ram(r, TABLES + 0x100 * slot);
    uint32_t first = len > 512 ? 512 : len;

    memset(t, 0, 0x100);
    t[0] = 0x27;
    t[1] = 0x80;
    t[2] = command;
    t[3] = features;
    t[11] = features >> 8;
    for (int i = 0; i < 3; i++) {
        t[4 + i] = lba >> 8 * i;
        t[8 + i] = lba >> (24 + 8 * i);
    }
    t[7] = 0x40;
    put_le16(t + 12, count);
    put_le64(t + 0x80, DATA + 0x1000 * slot);
    put_le32(t + 0x8c, first - 1);
    if (len > first) {
        put_le64(t + 0x90, DATA + 0x20000 + 0x1000 * slot);
        put_le32(t + 0x9c, len - first - 1);
    }
    memset(h, 0, 32);
    put_le32(h, 5 | (len ? len > first ? 2 : 1 : 0) << 16);
    put_le64(h + 8, TABLES + 0x100 * slot);
}

/* Until the interrupt comes; what PxIS says. */
static uint32_t wait_is(struct rig *r, uint32_t bits)
{
    for (unsigned i = 0; i < 60000 && (get(r, IS) & bits) != bits; i++)
        usleep(1000);
    return get(r, IS);
}

static uint32_t run(struct rig *r, uint8_t command, uint64_t lba, uint16_t count, uint16_t features,
                    uint32_t len, uint32_t bits)
{
    uint32_t is;

    port(r, IS, 0xffffffff);
    make(r, 0, command, lba, count, features, len);
    port(r, CI, 1);
    is = wait_is(r, bits);
    port(r, IS, 0xffffffff);
    rig_store(r, BAR + 8, 0xffffffff, 4);
    return is;
}

enum { DHRS = 1, PSS = 2, SDBS = 8, TFES = 1 << 30 };

TEST(ahci, ports_say_what_is_there)
{
    struct rig *r = disk();

    CHECK_EQ(rig_load(r, BAR, 4), 0xc1141f05);
    CHECK_EQ(rig_load(r, BAR + 0xc, 4), 0x3f);
    CHECK_EQ(get(r, SSTS), 0x113);
    CHECK_EQ(get(r, SIG), 0x101);
    CHECK_EQ(get(r, TFD), 0x150);
    CHECK_EQ(rig_load(r, PORT + 0x80 + SSTS, 4), 0);
    CHECK_EQ(get(r, CMD) & 0xc011, 0xc011);
    rig_free(r);
}

TEST(ahci, identify_comes_by_pio)
{
    struct rig *r = disk();
    uint8_t sum = 0;

    CHECK_EQ(run(r, 0xec, 0, 0, 0, 512, PSS) & (PSS | TFES), PSS);
    CHECK_EQ(ram(r, FIS + 0x20)[0], 0x5f);
    CHECK_EQ(ram(r, FIS + 0x20)[15], 0x50);
    CHECK_MEM(ram(r, DATA + 20), "ES R", 4); /* bytes of each word are turned */
    CHECK_EQ(get_le32(ram(r, DATA + 120)), DISK / 512);
    CHECK_EQ(get_le64(ram(r, DATA + 200)), DISK / 512);
    CHECK_EQ(get_le16(ram(r, DATA + 2 * 76)), 0x102);
    CHECK_EQ(get_le16(ram(r, DATA + 2 * 93)), 0);
    for (int i = 0; i < 512; i++)
        sum += ram(r, DATA)[i];
    CHECK_EQ(sum, 0);
    CHECK_EQ(get(r, CI), 0);
    CHECK_EQ(get_le32(ram(r, LIST + 4)), 512);
    rig_free(r);
}

TEST(ahci, dma_reads_and_writes_through_its_table)
{
    struct rig *r = disk();

    CHECK_EQ(run(r, 0x25, 100, 4, 0, 2048, DHRS) & (DHRS | TFES), DHRS);
    CHECK_EQ(get_le32(ram(r, DATA)), 100);
    CHECK_EQ(get_le32(ram(r, DATA + 0x20000)), 101);
    CHECK_EQ(get_le32(ram(r, DATA + 0x20400)), 103);
    CHECK_EQ(ram(r, FIS + 0x40)[0], 0x34);
    CHECK_EQ(get(r, TFD), 0x50);
    put_le32(ram(r, DATA), 0xabcd);
    CHECK_EQ(run(r, 0x35, 200, 2, 0, 1024, DHRS) & TFES, 0);
    memset(ram(r, DATA), 0, 512);
    CHECK_EQ(run(r, 0xc8, 200, 1, 0, 512, DHRS) & TFES, 0);
    CHECK_EQ(get_le32(ram(r, DATA)), 0xabcd);
    CHECK_EQ(run(r, 0xea, 0, 0, 0, 0, DHRS) & TFES, 0);
    put_le64(ram(r, DATA), 200 | (uint64_t)1 << 48);
    memset(ram(r, DATA + 8), 0, 504);
    CHECK_EQ(run(r, 0x06, 0, 1, 1, 512, DHRS) & TFES, 0);
    rig_free(r);
}

TEST(ahci, queued_commands_end_in_any_number)
{
    struct rig *r = disk();

    for (unsigned slot = 0; slot < 8; slot++)
        make(r, slot, 0x60, 300 + slot, slot << 3, 1, 512);
    port(r, SACT, 0xff);
    port(r, CI, 0xff);
    for (unsigned i = 0; i < 60000 && get(r, SACT); i++)
        usleep(1000);
    CHECK_EQ(get(r, SACT) | get(r, CI), 0);
    CHECK(get(r, IS) & SDBS);
    for (unsigned slot = 0; slot < 8; slot++)
        CHECK_EQ(get_le32(ram(r, DATA + 0x1000 * slot)), 300 + slot);
    rig_free(r);
}

TEST(ahci, errors_stop_the_port_until_it_is_started_again)
{
    struct rig *r = disk();

    CHECK(run(r, 0x25, DISK / 512, 1, 0, 512, TFES) & TFES);
    CHECK_EQ(get(r, TFD), 0x1051);
    CHECK_EQ(get(r, CI), 1);
    port(r, CMD, 0x16);
    CHECK_EQ(get(r, CI), 0);
    CHECK_EQ(get(r, CMD) & 0x8000, 0);
    port(r, CMD, RUN | 6);
    CHECK(run(r, 0x99, 0, 0, 0, 0, TFES) & TFES); /* no such command */
    port(r, CMD, 0x16);
    port(r, CMD, RUN | 6);
    CHECK(run(r, 0x25, 0, 8, 0, 512, TFES) & TFES); /* the table is too short */
    port(r, CMD, 0x16);
    port(r, CMD, RUN | 6);
    make(r, 5, 0x60, DISK, 5 << 3, 1, 512);
    port(r, SACT, 1 << 5);
    port(r, CI, 1 << 5);
    CHECK(wait_is(r, TFES) & TFES);
    CHECK_EQ(get(r, SACT), 1 << 5);
    port(r, CMD, 0x16);
    port(r, CMD, RUN | 6);
    CHECK_EQ(run(r, 0x2f, 0x10, 1, 0, 512, PSS) & TFES, 0);
    CHECK_EQ(ram(r, DATA)[0], 5); /* which one it was */
    CHECK_EQ(ram(r, DATA)[3], 0x10);
    rig_free(r);
}

TEST(ahci, the_line_is_what_ports_say)
{
    struct rig *r = disk();

    CHECK(!pci_rig.line[3].level);
    make(r, 0, 0xe7, 0, 0, 0, 0);
    port(r, CI, 1);
    CHECK(wait_is(r, DHRS) & DHRS);
    CHECK(pci_rig.line[3].level);
    port(r, IS, DHRS);
    rig_store(r, BAR + 8, 1, 4);
    CHECK(!pci_rig.line[3].level);
    rig_free(r);
}

TEST(ahci, resets_bring_the_signature)
{
    struct rig *r = disk();

    port(r, SCTL, 0x301);
    port(r, SCTL, 0x300);
    CHECK_EQ(get(r, SIG), 0x101);
    CHECK_EQ(get(r, SSTS), 0x113);
    make(r, 0, 0, 0, 0, 0, 0); /* soft reset: device control with SRST, and without */
    ram(r, TABLES)[1] = 0;
    ram(r, TABLES)[15] = 4;
    port(r, CI, 1);
    for (unsigned i = 0; i < 60000 && get(r, CI); i++)
        usleep(1000);
    memset(ram(r, FIS + 0x40), 0, 20);
    ram(r, TABLES)[15] = 0;
    port(r, CI, 1);
    for (unsigned i = 0; i < 60000 && get(r, CI); i++)
        usleep(1000);
    CHECK_EQ(ram(r, FIS + 0x40)[0], 0x34);
    CHECK_EQ(get(r, TFD), 0x150);
    rig_store(r, BAR + 4, 1, 4);
    CHECK_EQ(rig_load(r, BAR + 4, 4), 0x80000000);
    CHECK_EQ(get(r, CMD) & RUN, 0);
    rig_free(r);
}

TEST(ahci, saved_state_goes_on)
{
    struct rig *r = disk();

    CHECK_EQ(run(r, 0x25, 1, 1, 0, 512, DHRS) & TFES, 0);
    rig_save_load(r);
    CHECK_EQ(run(r, 0x25, 9, 1, 0, 512, DHRS) & TFES, 0);
    CHECK_EQ(get_le32(ram(r, DATA)), 9);
    rig_free(r);
}

static struct rig *full_disk(enum drive_error werror, bool always)
{
    struct rig *r;

    drive.id = "d0";
    drive.blk = rig_full_disk(DISK, always);
    drive.werror = werror;
    r = disk();
    rig_run(r, true);
    return r;
}

TEST(ahci, a_write_without_room_does_what_werror_says)
{
    struct rig *r = full_disk(DRIVE_ENOSPC, false);

    port(r, IS, 0xffffffff);
    make(r, 0, 0x35, 1, 1, 0, 512);
    port(r, CI, 1);
    CHECK(rig_await_stop(r));
    usleep(20000);
    CHECK_EQ(get(r, CI), 1); /* it has not ended */
    rig_run(r, true);
    CHECK_EQ(wait_is(r, DHRS) & (DHRS | TFES), DHRS);
    CHECK_EQ(get(r, CI), 0);
    rig_free(r);
    r = full_disk(DRIVE_STOP, false); /* nor when the machine goes meanwhile */
    make(r, 0, 0x35, 1, 1, 0, 512);
    port(r, CI, 1);
    CHECK(rig_await_stop(r));
    rig_free(r);
    r = full_disk(DRIVE_IGNORE, true);
    CHECK_EQ(run(r, 0x35, 1, 1, 0, 512, DHRS) & TFES, 0);
    rig_free(r);
    r = full_disk(DRIVE_REPORT, true);
    CHECK_EQ(run(r, 0x35, 1, 1, 0, 512, TFES) & TFES, TFES);
    rig_free(r);
}

TEST(ahci, hostile_saved_state_breaks_nothing)
{
    struct rig *r = disk();

    rig_hostile(r);
    rig_free(r);
}

TEST(ahci, wrong_disks_are_refused)
{
    struct rig *r = rig_machine();
    struct err e = {0};

    before(r);
    machine_lock(r->m);
    CHECK(!dev_add(r->m, "ide-hd", NULL, "bus=a.0", &e));
    CHECK_STR(e.msg, "drive property not set");
    e = (struct err){0};
    CHECK(!dev_add(r->m, "ide-hd", NULL, "bus=a.0,unit=1,drive=d0", &e));
    CHECK_STR(e.msg, "Can't create IDE unit 1, bus supports only 1 units");
    CHECK(dev_add(r->m, "ide-hd", NULL, "bus=a.0,drive=d0", &e));
    e = (struct err){0};
    CHECK(!dev_add(r->m, "ide-hd", NULL, "bus=a.0,drive=d0", &e));
    CHECK_STR(e.msg, "No room on bus 'a.0'");
    machine_unlock(r->m);
    rig_free(r);
}

static struct rig *disc(void)
{
    struct rig *r = rig_with("ide-cd", "bus=a.0,drive=d0", before);

    cfg_write(r, FN, PCI_BAR0 + 20, BAR, 4);
    cfg_enable(r, FN);
    start(r);
    return r;
}

static uint32_t packet(struct rig *r, uint8_t op, uint32_t lba, uint8_t n, uint32_t len, uint32_t bits)
{
    uint8_t *t = ram(r, TABLES);
    uint32_t is;

    port(r, IS, 0xffffffff);
    make(r, 0, 0xa0, 0, 0, 1, len);
    t[0x40] = op;
    put_be32(t + 0x42, lba);
    t[0x44] = op == 3 ? len : t[0x44];
    t[0x48] = n;
    put_le32(ram(r, LIST), get_le32(ram(r, LIST)) | 1 << 5);
    port(r, CI, 1);
    is = wait_is(r, bits);
    port(r, IS, 0xffffffff);
    rig_store(r, BAR + 8, 0xffffffff, 4);
    return is;
}

TEST(ahci, cd_drives_take_packets)
{
    struct rig *r = disc();

    CHECK_EQ(get(r, SIG), 0xeb140101);
    CHECK_EQ(run(r, 0xa1, 0, 0, 0, 512, PSS) & TFES, 0);
    CHECK_EQ(get_le16(ram(r, DATA)), 0x85c0);
    CHECK_EQ(packet(r, 0, 0, 0, 0, TFES) & TFES, TFES); /* unit attention */
    CHECK_EQ(get(r, TFD) >> 12, 6);
    port(r, CMD, RUN & ~1);
    port(r, CMD, RUN | 6);
    CHECK_EQ(packet(r, 0x28, 5, 2, 4096, DHRS) & (DHRS | TFES), DHRS);
    CHECK_EQ(get_le32(ram(r, LIST + 4)), 4096);
    CHECK_EQ(get_le32(ram(r, DATA)), 20);
    CHECK_EQ(get_le32(ram(r, DATA + 0x20000)), 21);
    CHECK_EQ(ram(r, FIS + 0x40)[12], 3);
    CHECK_EQ(packet(r, 3, 0, 0, 18, DHRS) & (DHRS | TFES), DHRS);
    CHECK_EQ(ram(r, DATA)[0], 0x70);
    CHECK_EQ(run(r, 0xec, 0, 0, 0, 512, TFES) & TFES, TFES);
    rig_free(r);
}

/* What ends after the driver has seen to the port and before it clears the port's bit in IS. */
TEST(ahci, no_message_is_lost)
{
    struct rig *r = disk();
    unsigned cap = cfg_cap(r, FN, 5);

    cfg_write(r, FN, cap + 4, RIG_DOORBELL, 4);
    cfg_write(r, FN, cap + 8, 0, 4);
    cfg_write(r, FN, cap + 12, 0x51, 2);
    cfg_write(r, FN, cap + 2, 1, 2);
    pci_rig.messages = 0;
    make(r, 0, 0xec, 0, 0, 0, 512);
    port(r, CI, 1);
    wait_is(r, PSS);
    CHECK_EQ(pci_rig.messages, 1);
    port(r, IS, 0xffffffff);
    make(r, 0, 0xec, 0, 0, 0, 512);
    port(r, CI, 1);
    wait_is(r, PSS);
    CHECK_EQ(pci_rig.messages, 1);
    rig_store(r, BAR + 8, 1, 4);
    CHECK_EQ(pci_rig.messages, 2);
    CHECK_EQ(rig_load(r, BAR + 8, 4), 1);
    port(r, IS, 0xffffffff);
    rig_store(r, BAR + 8, 1, 4);
    CHECK_EQ(pci_rig.messages, 2);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(ahci, cd_drives_take_packets),
    CASE(ahci, ports_say_what_is_there),
    CASE(ahci, identify_comes_by_pio),
    CASE(ahci, no_message_is_lost),
    CASE(ahci, dma_reads_and_writes_through_its_table),
    CASE(ahci, queued_commands_end_in_any_number),
    CASE(ahci, errors_stop_the_port_until_it_is_started_again),
    CASE(ahci, the_line_is_what_ports_say),
    CASE(ahci, resets_bring_the_signature),
    CASE(ahci, saved_state_goes_on),
    CASE(ahci, a_write_without_room_does_what_werror_says),
    CASE_SLOW(ahci, hostile_saved_state_breaks_nothing, 60),
    CASE(ahci, wrong_disks_are_refused),
};
TEST_MAIN(tests)
