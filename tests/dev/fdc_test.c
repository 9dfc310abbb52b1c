/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floppy controller and drives: commands with and without DMA, seeks, formats, changed disks, saved state. */
#include "dev/floppy/fdc.h"

#include "base/bytes.h"
#include "block/env.h"
#include "tests/dev/isa_rig.h"

enum { DOR = 0x3f2, MSR = 0x3f4, FIFO = 0x3f5, DIR = 0x3f7 };

static struct drive disk;
static uint32_t sectors = 2880;
static bool read_only;

static void before(struct rig *r)
{
    struct err e = {0};

    isa_rig_before(r);
    if (!disk.blk) {
        uint8_t *bytes = calloc(sectors, 512);

        for (uint32_t i = 0; i < sectors; i++)
            put_le32(bytes + 512 * i, i);
        disk.id = "f0";
        disk.intf = IF_FLOPPY;
        disk.blk = blk_open_bytes(blk_env_new(NULL, NULL), "raw", bytes, sectors * 512, BLK_RDWR, &e);
    }
    disk.used = false;
    disk.read_only = read_only;
    machine_lock(r->m);
    machine_add_backend(r->m, "drive", "f0", &disk, &e);
    if (!dev_add(r->m, "i8257", NULL, NULL, &e) || !dev_add(r->m, "isa-fdc", "fdc", NULL, &e)) {
        printf("%s\n", e.msg);
        exit(TEST_FAILED);
    }
    machine_unlock(r->m);
}

static struct mem low_mem;
static struct ram *low;

static void moment(struct rig *r)
{
    rig_step(r, 2000000);
}

static void give(struct rig *r, unsigned n, const uint8_t *bytes)
{
    for (unsigned i = 0; i < n; i++) {
        CHECK_EQ(inb(r, MSR) & 0xc0, 0x80);
        outb(r, FIFO, bytes[i]);
    }
}
#define GIVE(r, ...) give(r, sizeof((uint8_t[]){__VA_ARGS__}), (uint8_t[]){__VA_ARGS__})

static void results(struct rig *r, unsigned n, const uint8_t *want)
{
    for (unsigned i = 0; i < n; i++) {
        if (!CHECK_EQ(inb(r, MSR) & 0xd0, 0xd0))
            return;
        CHECK_EQ(inb(r, FIFO), want[i]);
    }
    CHECK_EQ(inb(r, MSR) & 0xd0, 0x80);
}
#define RESULTS(r, ...) results(r, sizeof((uint8_t[]){__VA_ARGS__}), (uint8_t[]){__VA_ARGS__})

static bool irq(void)
{
    return isa_rig.line[6].level;
}

/* Out of reset, drive A running. */
static void start(struct rig *r)
{
    outb(r, DOR, 0x1c);
    CHECK_EQ(inb(r, MSR), 0);
    moment(r);
    CHECK_EQ(irq(), 1);
    for (unsigned n = 0; n < 4; n++) {
        GIVE(r, 8);
        RESULTS(r, 0xc0 | n, 0);
    }
    CHECK_EQ(irq(), 0);
    outb(r, DIR, 0);
    GIVE(r, 3, 0xdf, 2);
}

static struct rig *fdc(void)
{
    struct rig *r = rig_with("floppy", "drive=f0", before);
    struct err e = {0};

    machine_lock(r->m);
    low = ram_new(r->m, "low", 1 << 20, &e);
    mem_init_ram(&low_mem, "low", low, 0, 1 << 20);
    mem_add(machine_mem(r->m), 0, &low_mem, 0);
    machine_unlock(r->m);
    start(r);
    return r;
}

/* Channel 2 at 10000h. */
static void channel(struct rig *r, unsigned len, bool to_memory)
{
    outb(r, 0x0a, 6);
    outb(r, 0x0c, 0);
    outb(r, 0x0b, to_memory ? 0x46 : 0x4a);
    outb(r, 4, 0);
    outb(r, 4, 0);
    outb(r, 5, (len - 1) & 255);
    outb(r, 5, (len - 1) >> 8);
    outb(r, 0x81, 1);
    outb(r, 0x0a, 2);
}

TEST(fdc, says_what_it_is)
{
    struct rig *r = fdc();

    GIVE(r, 0x10);
    RESULTS(r, 0x90);
    GIVE(r, 0x14 | 0x80);
    RESULTS(r, 0x10);
    GIVE(r, 0x0e);
    RESULTS(r, 0, 0, 0, 0, 0xdf, 2, 0, 0x80, 0, 0);
    GIVE(r, 0x1f);
    RESULTS(r, 0x80);
    GIVE(r, 4, 0);
    RESULTS(r, 0x38);
    CHECK_EQ(fdc_cmos(dev_find(r->m, "fdc")), 0x40);
    rig_free(r);
}

TEST(fdc, seeks)
{
    struct rig *r = fdc();

    CHECK_EQ(inb(r, DIR), 0x80); /* a new disk */
    GIVE(r, 0x0f, 0, 20);
    CHECK_EQ(inb(r, MSR), 1);
    moment(r);
    CHECK_EQ(irq(), 1);
    GIVE(r, 8);
    RESULTS(r, 0x20, 20);
    CHECK_EQ(irq(), 0);
    CHECK_EQ(inb(r, DIR), 0);
    GIVE(r, 0x4a, 0);
    moment(r);
    RESULTS(r, 0, 0, 0, 20, 0, 1, 2);
    GIVE(r, 7, 0);
    moment(r);
    GIVE(r, 8);
    RESULTS(r, 0x20, 0);
    GIVE(r, 8);
    RESULTS(r, 0x80);
    GIVE(r, 7, 1); /* no such drive */
    moment(r);
    GIVE(r, 8);
    RESULTS(r, 0x71, 0);
    rig_free(r);
}

TEST(fdc, reads_and_writes_by_dma)
{
    struct rig *r = fdc();

    channel(r, 3 * 512, true);
    GIVE(r, 0xe6, 0, 0, 0, 17, 2, 18, 0x1b, 0xff); /* over to the other side */
    moment(r);
    CHECK_EQ(irq(), 1);
    RESULTS(r, 4, 0, 0, 0, 1, 2, 2);
    CHECK_EQ(irq(), 0);
    for (unsigned i = 0; i < 3; i++)
        CHECK_EQ(get_le32(low->host + 0x10000 + 512 * i), 16 + i);
    memset(low->host + 0x10000, 0x5a, 512);
    channel(r, 100, false);
    GIVE(r, 0xc5, 0, 0, 0, 5, 2, 18, 0x1b, 0xff);
    moment(r);
    RESULTS(r, 0, 0, 0, 0, 0, 6, 2);
    channel(r, 512, true);
    GIVE(r, 0x46, 0, 0, 0, 5, 2, 18, 0x1b, 0xff);
    moment(r);
    RESULTS(r, 0, 0, 0, 0, 0, 6, 2);
    CHECK_EQ(low->host[0x10000 + 99], 0x5a);
    CHECK_EQ(low->host[0x10000 + 100], 0); /* the rest of a sector is zeros */
    outb(r, 0x0a, 6); /* channel masked: it waits */
    GIVE(r, 0x46, 0, 0, 0, 7, 2, 7, 0x1b, 0xff);
    moment(r);
    CHECK_EQ(inb(r, MSR), 0x10);
    channel(r, 512, true);
    RESULTS(r, 0, 0, 0, 1, 0, 1, 2);
    CHECK_EQ(get_le32(low->host + 0x10000), 6);
    rig_free(r);
}

TEST(fdc, errors_are_told)
{
    struct rig *r = fdc();

    channel(r, 512, true);
    GIVE(r, 0x46, 0, 0, 0, 19, 2, 19, 0x1b, 0xff);
    moment(r);
    RESULTS(r, 0x40, 4, 0, 0, 0, 19, 2);
    GIVE(r, 0x46, 0, 3, 0, 1, 2, 18, 0x1b, 0xff); /* the heads are elsewhere */
    moment(r);
    RESULTS(r, 0x40, 4, 0x10, 3, 0, 1, 2);
    outb(r, DIR, 2); /* not the rate of this disk */
    GIVE(r, 0x4a, 0);
    moment(r);
    RESULTS(r, 0x40, 1, 0, 0, 0, 0, 0);
    outb(r, DIR, 0);
    GIVE(r, 0x4a, 1);
    moment(r);
    RESULTS(r, 0x41, 1, 0, 0, 0, 0, 0);
    channel(r, 1024, true);
    GIVE(r, 0x46, 0, 0, 0, 18, 2, 18, 0x1b, 0xff); /* the track ends before the count */
    moment(r);
    RESULTS(r, 0x40, 0x80, 0, 1, 0, 1, 2);
    rig_free(r);
    read_only = true;
    r = fdc();
    channel(r, 512, false);
    GIVE(r, 0x45, 0, 0, 0, 1, 2, 18, 0x1b, 0xff);
    moment(r);
    RESULTS(r, 0x40, 2, 0, 0, 0, 1, 2);
    GIVE(r, 4, 0);
    RESULTS(r, 0x78);
    rig_free(r);
}

TEST(fdc, works_without_dma)
{
    struct rig *r = fdc();

    GIVE(r, 3, 0xdf, 3);
    GIVE(r, 0x46, 0, 0, 0, 4, 2, 4, 0x1b, 0xff);
    moment(r);
    CHECK_EQ(inb(r, MSR), 0xf0);
    CHECK_EQ(irq(), 1);
    CHECK_EQ(inb(r, FIFO), 3);
    for (unsigned i = 1; i < 512; i++)
        inb(r, FIFO);
    RESULTS(r, 0x40, 0x80, 0, 1, 0, 1, 2); /* nobody says that it is enough */
    GIVE(r, 0x45, 0, 0, 0, 4, 2, 4, 0x1b, 0xff);
    moment(r);
    CHECK_EQ(inb(r, MSR), 0xb0);
    for (unsigned i = 0; i < 512; i++)
        outb(r, FIFO, 0x77);
    RESULTS(r, 0x40, 0x80, 0, 1, 0, 1, 2);
    GIVE(r, 0x46, 0, 0, 0, 4, 2, 4, 0x1b, 0xff);
    moment(r);
    CHECK_EQ(inb(r, FIFO), 0x77);
    rig_free(r);
}

TEST(fdc, formats)
{
    struct rig *r = fdc();

    GIVE(r, 0x0f, 4, 2);
    moment(r);
    GIVE(r, 8);
    RESULTS(r, 0x24, 2);
    for (unsigned i = 0; i < 18; i++)
        memcpy(low->host + 0x10000 + 4 * i, (uint8_t[]){2, 1, i + 1, 2}, 4);
    channel(r, 72, false);
    GIVE(r, 0x4d, 4, 2, 18, 0x54, 0xf6);
    moment(r);
    CHECK_EQ(inb(r, FIFO), 4);
    CHECK_EQ(inb(r, FIFO), 0);
    for (unsigned i = 2; i < 7; i++)
        inb(r, FIFO);
    channel(r, 512, true);
    GIVE(r, 0x46, 4, 2, 1, 9, 2, 18, 0x1b, 0xff);
    moment(r);
    RESULTS(r, 4, 0, 0, 2, 1, 10, 2);
    CHECK_EQ(low->host[0x10000], 0xf6);
    rig_free(r);
}

TEST(fdc, disks_are_changed)
{
    struct rig *r = fdc();
    struct blk *was = disk.blk;

    GIVE(r, 0x0f, 0, 1);
    moment(r);
    CHECK_EQ(inb(r, DIR), 0);
    GIVE(r, 8);
    RESULTS(r, 0x20, 1);
    machine_lock(r->m);
    disk.blk = NULL;
    disk.changed(disk.owner, &disk);
    machine_unlock(r->m);
    GIVE(r, 0x0f, 0, 2);
    moment(r);
    GIVE(r, 8);
    RESULTS(r, 0x20, 2);
    CHECK_EQ(inb(r, DIR), 0x80); /* still: nothing is inside */
    GIVE(r, 0x4a, 0);
    moment(r);
    RESULTS(r, 0x40, 1, 0, 0, 0, 0, 0);
    machine_lock(r->m);
    disk.blk = was;
    disk.changed(disk.owner, &disk);
    machine_unlock(r->m);
    GIVE(r, 0x0f, 0, 3);
    moment(r);
    CHECK_EQ(inb(r, DIR), 0);
    rig_free(r);
}

TEST(fdc, formats_are_known_by_their_size)
{
    static const uint16_t sizes[] = {320, 360, 640, 720, 1440, 2400, 2880, 5760};
    static const uint8_t rates[] = {2, 2, 2, 2, 2, 0, 0, 3}, cmos[] = {2, 2, 2, 2, 4, 2, 4, 5};

    for (unsigned i = 0; i < sizeof(sizes) / 2; i++) {
        struct rig *r;

        sectors = sizes[i];
        disk.blk = NULL;
        r = fdc();
        outb(r, DIR, rates[i]);
        GIVE(r, 0x4a, 0);
        moment(r);
        RESULTS(r, 0, 0, 0, 0, 0, 1, 2);
        CHECK_EQ(fdc_cmos(dev_find(r->m, "fdc")), cmos[i] << 4);
        rig_free(r);
    }
}

TEST(fdc, state_survives)
{
    struct rig *r = fdc();

    GIVE(r, 3, 0xdf, 3);
    GIVE(r, 0x46, 0, 0, 0, 4, 2, 4, 0x1b, 0xff);
    moment(r);
    for (unsigned i = 0; i < 500; i++)
        inb(r, FIFO);
    rig_save_load(r);
    for (unsigned i = 500; i < 512; i++)
        inb(r, FIFO);
    CHECK_EQ(inb(r, FIFO), 0x40);
    rig_hostile(r);
    rig_free(r);
}

static const struct test tests[] = {
    CASE(fdc, says_what_it_is),
    CASE(fdc, seeks),
    CASE(fdc, reads_and_writes_by_dma),
    CASE(fdc, errors_are_told),
    CASE(fdc, works_without_dma),
    CASE(fdc, formats),
    CASE(fdc, disks_are_changed),
    CASE_SLOW(fdc, formats_are_known_by_their_size, 30),
    CASE_SLOW(fdc, state_survives, 60),
};
TEST_MAIN(tests)
