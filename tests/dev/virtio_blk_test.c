/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-blk: requests, configuration, errors, saved state. */
#include "block/drive.h"
#include "block/env.h"
#include "dev/iothread.h"
#include "tests/dev/vdrv.h"

#include <dirent.h>
#include <unistd.h>

enum { DISK = 1 << 20, SECTOR = 512 };
enum { HDR = VDRV_BUF, STATUS = VDRV_BUF + 64, DATA = VDRV_BUF + 4096 };
enum { T_IN = 0, T_OUT = 1, T_FLUSH = 4, T_GET_ID = 8, T_DISCARD = 11, T_WRITE_ZEROES = 13 };
enum { C_BLK_SIZE = 20, C_WRITEBACK = 32, C_NUM_QUEUES = 34 };
#define F_FLUSH      VIRTIO_BIT(9)
#define F_CONFIG_WCE VIRTIO_BIT(11)
#define F_ALL        ((1u << 20) - 1)

static struct drive drive;
static uint8_t bytes[DISK];
static unsigned open_flags = BLK_RDWR | BLK_UNMAP;

/* The disk lives as long as the test: machines come and go. */
static void add_disk(struct rig *r)
{
    struct err e = {0};

    if (!drive.blk) {
        drive.id = "d0";
        drive.serial = "SN123";
        drive.blk = blk_open_bytes(blk_env_new(NULL, NULL), "raw", bytes, DISK, open_flags, &e);
    }
    drive.used = false;
    if (!CHECK(drive.blk) || machine_add_backend(r->m, "drive", "d0", &drive, &e) < 0) {
        printf("%s\n", e.msg);
        exit(TEST_FAILED);
    }
}

static struct vdrv *disk(const char *props, unsigned flags)
{
    for (unsigned i = 0; i < DISK; i++)
        bytes[i] = (uint8_t)(i / SECTOR);
    return vdrv_new("virtio-blk-device", props,
                    F_ALL | VIRTIO_BIT(VIRTIO_F_RING_PACKED) | VIRTIO_BIT(VIRTIO_F_INDIRECT_DESC),
                    flags, add_disk);
}

static void header(struct vdrv *d, paddr at, uint32_t type, uint64_t sector)
{
    put_le32(vdrv_mem(d, at), type);
    put_le32(vdrv_mem(d, at) + 4, 0);
    put_le64(vdrv_mem(d, at) + 8, sector);
}

/* One request with @len bytes at DATA; its status. */
static uint8_t request(struct vdrv *d, uint32_t type, uint64_t sector, uint32_t len)
{
    bool in = type == T_IN || type == T_GET_ID;
    struct vbuf b[] = {{HDR, 16, false}, {DATA, len, in}, {STATUS, 1, true}};
    struct vbuf without[] = {b[0], b[2]};

    header(d, HDR, type, sector);
    *vdrv_mem(d, STATUS) = 0xee;
    if (!CHECK(vdrv_do(d, 0, len ? b : without, len ? 3 : 2) >= 1))
        return 0xff;
    return *vdrv_mem(d, STATUS);
}

static void read_write(struct vdrv *d)
{
    uint8_t *data = vdrv_mem(d, DATA);

    CHECK_EQ(request(d, T_IN, 3, 2 * SECTOR), 0);
    CHECK_EQ(data[0], 3);
    CHECK_EQ(data[SECTOR], 4);
    memset(data, 0xab, SECTOR);
    CHECK_EQ(request(d, T_OUT, 5, SECTOR), 0);
    CHECK_EQ(request(d, T_FLUSH, 0, 0), 0);
    CHECK_EQ(request(d, T_IN, 4, 3 * SECTOR), 0);
    CHECK_EQ(data[0], 4);
    CHECK_EQ(data[SECTOR], 0xab);
    CHECK_EQ(data[2 * SECTOR], 6);
    memset(data, 5, SECTOR);
    CHECK_EQ(request(d, T_OUT, 5, SECTOR), 0);
}

TEST(blk, reads_and_writes)
{
    struct vdrv *d = disk("drive=d0", 0);

    read_write(d);
    vdrv_free(d);
    d = disk("drive=d0,packed=on", VDRV_INDIRECT);
    read_write(d);
    vdrv_free(d);
    d = disk("drive=d0", VDRV_LEGACY);
    read_write(d);
    vdrv_free(d);
}

/* How many threads of ours have names that begin so. */
static unsigned threads_named(const char *begin)
{
    DIR *d = opendir("/proc/self/task");
    unsigned n = 0;

    for (struct dirent *t; d && (t = readdir(d));) {
        char path[300], name[32] = "";
        FILE *f;

        snprintf(path, sizeof(path), "/proc/self/task/%s/comm", t->d_name);
        if ((f = fopen(path, "r"))) {
            n += fgets(name, sizeof(name), f) && !strncmp(name, begin, strlen(begin));
            fclose(f);
        }
    }
    closedir(d);
    return n;
}

static struct iothread *io;

static void add_disk_and_iothread(struct rig *r)
{
    add_disk(r);
    CHECK_EQ(machine_add_backend(r->m, "iothread", "io0", io, ERR_IGNORE), 0);
}

TEST(blk, an_iothread_does_its_requests)
{
    struct vdrv *d;

    io = iothread_new("io0", &(struct iothread_options){0});
    for (unsigned i = 0; i < DISK; i++)
        bytes[i] = (uint8_t)(i / SECTOR);
    for (unsigned i = 0; i < 2; i++) { /* the thread outlives the device */
        d = vdrv_new("virtio-blk-device", "drive=d0,iothread=io0", F_ALL, 0, add_disk_and_iothread);
        read_write(d);
        rig_save_load(d->r);
        read_write(d);
        CHECK_EQ(threads_named("IO io0"), 1);
        CHECK_EQ(threads_named("virtio-worker"), 0);
        vdrv_free(d);
    }
    iothread_free(io);
    CHECK_EQ(threads_named("IO io0"), 0);
    d = disk("drive=d0", 0);
    read_write(d);
    CHECK(threads_named("virtio-worker") > 0); /* without one */
    vdrv_free(d);
}

TEST(blk, goes_on_after_loading)
{
    struct vdrv *d = disk("drive=d0", 0);

    read_write(d);
    rig_save_load(d->r);
    read_write(d);
    vdrv_free(d);
}

TEST(blk, tells_what_it_is)
{
    struct vdrv *d = disk("drive=d0,num-queues=4,logical_block_size=4096", 0);

    CHECK_EQ(vdrv_config64(d, 0), DISK / SECTOR);
    CHECK_EQ(vdrv_config32(d, C_BLK_SIZE), 4096);
    CHECK_EQ(vdrv_config16(d, C_NUM_QUEUES), 4);
    CHECK_EQ(vdrv_config8(d, C_WRITEBACK), 1);
    CHECK_EQ(request(d, T_GET_ID, 0, 20), 0);
    CHECK_STR((char *)vdrv_mem(d, DATA), "SN123");
    rig_store(d->r, VDRV_SLOT + 0x100 + C_WRITEBACK, 0, 1);
    CHECK_EQ(vdrv_config8(d, C_WRITEBACK), 0);
    vdrv_free(d);
}

TEST(blk, refuses_what_is_not_on_the_disk)
{
    struct vdrv *d = disk("drive=d0", 0);

    CHECK_EQ(request(d, T_IN, DISK / SECTOR, SECTOR), 1);
    CHECK_EQ(request(d, T_IN, DISK / SECTOR - 1, 2 * SECTOR), 1);
    CHECK_EQ(request(d, T_IN, UINT64_MAX, SECTOR), 1);
    CHECK_EQ(request(d, T_IN, UINT64_MAX / SECTOR, SECTOR), 1);
    CHECK_EQ(request(d, T_IN, 0, 100), 1);
    CHECK_EQ(request(d, 77, 0, SECTOR), 2);
    vdrv_free(d);
}

static uint8_t range(struct vdrv *d, uint32_t type, uint64_t sector, uint32_t n, uint32_t flags)
{
    put_le64(vdrv_mem(d, DATA), sector);
    put_le32(vdrv_mem(d, DATA) + 8, n);
    put_le32(vdrv_mem(d, DATA) + 12, flags);
    return request(d, type, 0, 16);
}

TEST(blk, zeroes_and_discards_ranges)
{
    struct vdrv *d = disk("drive=d0,max-write-zeroes-sectors=100", 0);

    CHECK_EQ(range(d, T_WRITE_ZEROES, 10, 2, 0), 0);
    CHECK_EQ(request(d, T_IN, 9, 4 * SECTOR), 0);
    CHECK_EQ(*vdrv_mem(d, DATA), 9);
    CHECK(bytes_zero(vdrv_mem(d, DATA + SECTOR), 2 * SECTOR));
    CHECK_EQ(*vdrv_mem(d, DATA + 3 * SECTOR), 12);
    CHECK_EQ(range(d, T_WRITE_ZEROES, 10, 2, 1), 0);
    CHECK_EQ(range(d, T_WRITE_ZEROES, 10, 2, 2), 2);
    CHECK_EQ(range(d, T_WRITE_ZEROES, 10, 101, 0), 1);
    CHECK_EQ(range(d, T_DISCARD, 20, 8, 0), 0);
    CHECK_EQ(range(d, T_DISCARD, 20, 8, 1), 2);
    CHECK_EQ(range(d, T_DISCARD, DISK / SECTOR, 8, 0), 1);
    vdrv_free(d);
}

/* Eight reads of neighbours and one far away in one kick, in pieces: all right, whatever was merged. */
TEST(blk, does_many_at_once)
{
    struct vdrv *d = disk("drive=d0", VDRV_INDIRECT);

    for (unsigned round = 0; round < 50; round++) {
        for (unsigned i = 0; i < 9; i++) {
            uint64_t sector = i < 8 ? 100 + i : 1000;
            paddr data = DATA + i * 4096;
            struct vbuf b[] = {{HDR + 128 + 16 * i, 16, false},
                               {data, 100, true},
                               {data + 1000, SECTOR - 100, true},
                               {STATUS + i, 1, true}};

            header(d, b[0].addr, T_IN, sector);
            memset(vdrv_mem(d, data), 0, 2000);
            vdrv_add(d, 0, b, 4);
        }
        vdrv_kick(d, 0);
        for (unsigned i = 0; i < 9; i++)
            if (!CHECK_EQ(vdrv_used(d, 0, NULL), SECTOR + 1))
                return;
        for (unsigned i = 0; i < 9; i++) {
            uint8_t want = (uint8_t)(i < 8 ? 100 + i : 1000);

            CHECK_EQ(*vdrv_mem(d, DATA + i * 4096 + 99), want);
            CHECK_EQ(*vdrv_mem(d, DATA + i * 4096 + 1000), want);
            CHECK_EQ(*vdrv_mem(d, DATA + i * 4096 + 1411), want);
            CHECK_EQ(*vdrv_mem(d, DATA + i * 4096 + 1412), 0);
        }
    }
    vdrv_free(d);
}

TEST(blk, a_read_only_disk_is_not_written)
{
    struct vdrv *d;

    drive.read_only = true;
    d = disk("drive=d0", 0);
    CHECK(d->features & VIRTIO_BIT(5));
    CHECK_EQ(request(d, T_OUT, 5, SECTOR), 1);
    CHECK_EQ(range(d, T_WRITE_ZEROES, 10, 2, 0), 2);
    CHECK_EQ(request(d, T_IN, 5, SECTOR), 0);
    vdrv_free(d);
}

TEST(blk, a_request_too_short_breaks_the_device)
{
    struct vdrv *d = disk("drive=d0", 0);
    struct vbuf b[] = {{HDR, 15, false}, {STATUS, 1, true}};

    vdrv_add(d, 0, b, 2);
    vdrv_kick(d, 0);
    for (int i = 0; i < 60000 && !(vdrv_status(d) & VIRTIO_NEEDS_RESET); i++)
        usleep(1000);
    CHECK(vdrv_status(d) & VIRTIO_NEEDS_RESET);
    vdrv_start(d, F_ALL);
    read_write(d);
    vdrv_free(d);
}

TEST(blk, a_larger_disk_is_told_of)
{
    struct vdrv *d = disk("drive=d0", 0);
    uint32_t before = vdrv_reg(d, 0xfc);

    vdrv_set(d, 0x64, 3);
    machine_lock(d->r->m);
    drive.changed(drive.owner, &drive);
    machine_unlock(d->r->m);
    CHECK_EQ(vdrv_reg(d, 0x60), VIRTIO_ISR_CONFIG);
    CHECK(vdrv_reg(d, 0xfc) != before);
    vdrv_free(d);
}

TEST(blk, resets_while_requests_are_in_work)
{
    struct vdrv *d = disk("drive=d0", 0);

    for (unsigned i = 0; i < 200; i++) {
        struct vbuf b[] = {{HDR, 16, false}, {DATA, 64 << 10, true}, {STATUS, 1, true}};

        header(d, HDR, T_IN, 0);
        vdrv_add(d, 0, b, 3);
        vdrv_add(d, 0, b, 3);
        vdrv_kick(d, 0);
        vdrv_start(d, F_ALL);
    }
    read_write(d);
    vdrv_free(d);
}

/* On a disk whose host has no room for the first write: it does not end while the machine stands. */
static struct vdrv *waiting_write(const char *props)
{
    struct vbuf b[] = {{HDR, 16, false}, {DATA, SECTOR, false}, {STATUS, 1, true}};
    struct vdrv *d;

    drive.id = "d0";
    drive.blk = rig_full_disk(1 << 20, false);
    d = disk(props, 0);
    rig_run(d->r, true);
    header(d, HDR, T_OUT, 4);
    *vdrv_mem(d, STATUS) = 0xee;
    vdrv_add(d, 0, b, 3);
    vdrv_kick(d, 0);
    CHECK(rig_await_stop(d->r));
    usleep(20000);
    CHECK(!vdrv_ready(d, 0));
    return d;
}

TEST(blk, a_write_without_room_waits_until_the_machine_runs_again)
{
    struct vdrv *d = waiting_write("drive=d0,werror=stop");

    rig_run(d->r, true);
    CHECK(vdrv_used(d, 0, NULL) >= 1);
    CHECK_EQ(*vdrv_mem(d, STATUS), 0);
    vdrv_free(d);
    d = waiting_write("drive=d0,werror=stop"); /* or the device is reset, or gone */
    vdrv_start(d, F_ALL);
    rig_run(d->r, true);
    CHECK_EQ(request(d, T_OUT, 5, SECTOR), 0);
    vdrv_free(d);
    vdrv_free(waiting_write("drive=d0,werror=stop"));
}

TEST(blk, a_write_that_waits_is_saved_and_done_after_loading)
{
    static const char *const props[] = {"drive=d0,werror=stop", "drive=d0,werror=stop,packed=on"};

    for (unsigned i = 0; i < ARRAY_LEN(props); i++) {
        struct vdrv *d = waiting_write(props[i]);

        rig_save_load(d->r);
        CHECK(!vdrv_ready(d, 0));
        rig_run(d->r, true);
        CHECK(vdrv_used(d, 0, NULL) >= 1);
        CHECK_EQ(*vdrv_mem(d, STATUS), 0);
        CHECK_EQ(request(d, T_OUT, 5, SECTOR), 0); /* the queue goes on behind it */
        vdrv_free(d);
        d = waiting_write(props[i]);
        rig_hostile(d->r);
        vdrv_free(d);
    }
}

TEST(blk, bad_properties_are_refused)
{
    CHECK(strstr(rig_refused("virtio-blk-device", "drive=d0"), "No 'virtio-mmio' bus"));
}

TEST(blk, hostile_saved_state_is_refused_or_harmless)
{
    struct vdrv *d = disk("drive=d0", 0);

    read_write(d);
    rig_hostile(d->r);
    vdrv_free(d);
}

static const struct test tests[] = {
    CASE(blk, reads_and_writes),
    CASE(blk, an_iothread_does_its_requests),
    CASE(blk, goes_on_after_loading),
    CASE(blk, tells_what_it_is),
    CASE(blk, refuses_what_is_not_on_the_disk),
    CASE(blk, zeroes_and_discards_ranges),
    CASE(blk, does_many_at_once),
    CASE(blk, a_read_only_disk_is_not_written),
    CASE(blk, a_request_too_short_breaks_the_device),
    CASE(blk, a_larger_disk_is_told_of),
    CASE(blk, resets_while_requests_are_in_work),
    CASE(blk, a_write_without_room_waits_until_the_machine_runs_again),
    CASE(blk, a_write_that_waits_is_saved_and_done_after_loading),
    CASE(blk, bad_properties_are_refused),
    CASE(blk, hostile_saved_state_is_refused_or_harmless),
};
TEST_MAIN(tests)
