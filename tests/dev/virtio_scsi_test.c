/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-scsi with scsi-hd and scsi-cd: commands, sense, space, media, saved state. */
#include "block/drive.h"
#include "block/env.h"
#include "tests/dev/vdrv.h"

#include <json-c/json.h>
#include <unistd.h>

enum { DISK = 1 << 20, HD_BLOCK = 512, CD_BLOCK = 2048 };
enum { Q_CONTROL, Q_EVENT, Q_REQUEST };
enum { REQ = VDRV_BUF, RESP = VDRV_BUF + 256, EVENT = VDRV_BUF + 512, DATA = VDRV_BUF + 4096 };
enum { REQ_LEN = 51, RESP_LEN = 108 };
enum { GOOD = 0, CHECK_CONDITION = 2, BAD_TARGET = 3 };

static struct drive hd = {.id = "d0", .serial = "SN42"}, cd = {.id = "d1"};
static uint8_t hd_bytes[DISK], cd_bytes[DISK];

static void add_disks(struct rig *r)
{
    static struct blk_env *env;

    if (!env) {
        env = blk_env_new(NULL, NULL);
        if (!hd.blk)
            hd.blk = blk_open_bytes(env, "raw", hd_bytes, DISK, BLK_RDWR | BLK_UNMAP, ERR_IGNORE);
        cd.blk = blk_open_bytes(env, "raw", cd_bytes, DISK, 0, ERR_IGNORE);
    }
    hd.used = cd.used = false;
    CHECK_EQ(machine_add_backend(r->m, "drive", "d0", &hd, ERR_IGNORE), 0);
    CHECK_EQ(machine_add_backend(r->m, "drive", "d1", &cd, ERR_IGNORE), 0);
}

static struct vdrv *disk(const char *type, const char *props)
{
    for (unsigned i = 0; i < DISK; i++) {
        hd_bytes[i] = (uint8_t)(i / HD_BLOCK);
        cd_bytes[i] = (uint8_t)(i / CD_BLOCK + 1);
    }
    vdrv_first[0] = (struct vdrv_dev){"virtio-scsi-device", NULL};
    return vdrv_new(type, props, 6, 0, add_disks);
}

static const uint8_t *cdb(const char *hex)
{
    static uint8_t out[32];
    unsigned n = 0, b;
    int k;

    memset(out, 0, sizeof(out));
    for (; sscanf(hex, "%2x%n", &b, &k) == 1; hex += k)
        out[n++] = (uint8_t)b;
    return out;
}

/* One command with @in bytes to come and @out bytes to go at DATA; its status, or 0x100 + response. */
static unsigned command_to(struct vdrv *d, unsigned target, const char *hex, uint32_t in,
                           uint32_t out)
{
    struct vbuf b[4] = {{REQ, REQ_LEN, false}};
    uint8_t *q = vdrv_mem(d, REQ), *a = vdrv_mem(d, RESP);
    unsigned n = 1;

    memset(q, 0, REQ_LEN);
    memset(a, 0xee, RESP_LEN);
    q[0] = 1;
    q[1] = (uint8_t)target;
    q[2] = 0x40;
    memcpy(q + 19, cdb(hex), 32);
    if (out)
        b[n++] = (struct vbuf){DATA, out, false};
    b[n++] = (struct vbuf){RESP, RESP_LEN, true};
    if (in)
        b[n++] = (struct vbuf){DATA, in, true};
    if (!CHECK(vdrv_do(d, Q_REQUEST, b, n) >= RESP_LEN))
        return 0xfff;
    return a[11] ? 0x100 + a[11] : a[10];
}

static unsigned command(struct vdrv *d, const char *hex, uint32_t in, uint32_t out)
{
    return command_to(d, 0, hex, in, out);
}

/* The unit has just been reset: it says so once. */
static void wake(struct vdrv *d)
{
    CHECK_EQ(command(d, "000000000000", 0, 0), CHECK_CONDITION);
    CHECK_EQ(command(d, "000000000000", 0, 0), GOOD);
}

static void fails(struct vdrv *d, const char *hex, uint32_t in, uint32_t out, unsigned key,
                  unsigned asc)
{
    uint8_t *sense = vdrv_mem(d, RESP) + 12;

    CHECK_EQ(command(d, hex, in, out), CHECK_CONDITION);
    CHECK_EQ(get_le32(vdrv_mem(d, RESP)), 18);
    CHECK_EQ(sense[0], 0x70);
    CHECK_EQ(sense[2], key);
    CHECK_EQ(sense[12] << 8 | sense[13], asc);
}

TEST(scsi, a_disk_says_what_it_is)
{
    struct vdrv *d = disk("scsi-hd", "drive=d0");
    uint8_t *data = vdrv_mem(d, DATA);

    CHECK_EQ(command(d, "120000002400", 36, 0), GOOD);
    CHECK_EQ(data[0], 0);
    CHECK_MEM(data + 8, "QEMU    QEMU HARDDISK   2.5+", 28);
    wake(d);
    CHECK_EQ(command(d, "120180006000", 96, 0), GOOD); /* serial number */
    CHECK_MEM(data, "\0\x80\0\4SN42", 8);
    CHECK_EQ(get_le32(vdrv_mem(d, RESP + 4)), 96 - 8);
    CHECK_EQ(command(d, "1201b0006000", 96, 0), GOOD);
    CHECK_EQ(get_be32(data + 20), (1u << 30) / HD_BLOCK);
    fails(d, "1201ff006000", 96, 0, 5, 0x2400);
    CHECK_EQ(command(d, "25000000000000000000", 8, 0), GOOD);
    CHECK_EQ(get_be32(data), DISK / HD_BLOCK - 1);
    CHECK_EQ(get_be32(data + 4), HD_BLOCK);
    CHECK_EQ(command(d, "9e10000000000000000000000020", 32, 0), GOOD);
    CHECK_EQ(get_be64(data), DISK / HD_BLOCK - 1);
    CHECK_EQ(data[14], 0x80);
    CHECK_EQ(command(d, "a00000000000000000400000", 64, 0), GOOD); /* REPORT LUNS */
    CHECK_EQ(get_be32(data), 8);
    vdrv_free(d);
}

static void read_write(struct vdrv *d)
{
    uint8_t *data = vdrv_mem(d, DATA);

    CHECK_EQ(command(d, "28000000000300000200", 2 * HD_BLOCK, 0), GOOD);
    CHECK_EQ(data[0], 3);
    CHECK_EQ(data[HD_BLOCK], 4);
    memset(data, 0xab, HD_BLOCK);
    CHECK_EQ(command(d, "2a000000000500000100", 0, HD_BLOCK), GOOD);
    CHECK_EQ(command(d, "35000000000000000000", 0, 0), GOOD);
    CHECK_EQ(command(d, "88000000000000000004000000030000", 3 * HD_BLOCK, 0), GOOD);
    CHECK_EQ(data[0], 4);
    CHECK_EQ(data[HD_BLOCK], 0xab);
    CHECK_EQ(data[2 * HD_BLOCK], 6);
    memset(data, 5, HD_BLOCK);
    CHECK_EQ(command(d, "2a000000000500000100", 0, HD_BLOCK), GOOD);
}

TEST(scsi, reads_and_writes)
{
    struct vdrv *d = disk("scsi-hd", "drive=d0");

    wake(d);
    read_write(d);
    rig_save_load(d->r);
    read_write(d);
    vdrv_free(d);
}

TEST(scsi, refuses_with_the_right_sense)
{
    struct vdrv *d = disk("scsi-hd", "drive=d0");

    fails(d, "000000000000", 0, 0, 6, 0x2900);
    fails(d, "28000000080000000100", HD_BLOCK, 0, 5, 0x2100);
    fails(d, "88ffffffffffffffffff000000010000", HD_BLOCK, 0, 5, 0x2100);
    fails(d, "ff0000000000", 0, 0, 5, 0x2000);
    CHECK_EQ(command(d, "030000001200", 18, 0), GOOD); /* REQUEST SENSE: the same again */
    CHECK_EQ(*vdrv_mem(d, DATA + 2), 5);
    CHECK_EQ(command_to(d, 9, "000000000000", 0, 0), 0x100 + BAD_TARGET);
    vdrv_free(d);
}

TEST(scsi, space_is_given_back_and_filled)
{
    struct vdrv *d = disk("scsi-hd", "drive=d0");
    uint8_t *data = vdrv_mem(d, DATA);

    wake(d);
    memset(data, 0, HD_BLOCK);
    CHECK_EQ(command(d, "93000000000000000008000000040000", 0, HD_BLOCK), GOOD); /* WRITE SAME */
    CHECK_EQ(command(d, "28000000000700000600", 6 * HD_BLOCK, 0), GOOD);
    CHECK_EQ(data[0], 7);
    CHECK(bytes_zero(data + HD_BLOCK, 4 * HD_BLOCK));
    CHECK_EQ(data[5 * HD_BLOCK], 12);
    memset(data, 0x77, HD_BLOCK);
    CHECK_EQ(command(d, "41000000000800000200", 0, HD_BLOCK), GOOD);
    CHECK_EQ(command(d, "28000000000700000400", 4 * HD_BLOCK, 0), GOOD);
    CHECK_EQ(data[HD_BLOCK], 0x77);
    CHECK_EQ(data[3 * HD_BLOCK - 1], 0x77);
    CHECK_EQ(data[3 * HD_BLOCK], 0);
    fails(d, "41000000080000000200", 0, HD_BLOCK, 5, 0x2100);
    memset(data, 0, 24);
    put_be16(data, 22);
    put_be16(data + 2, 16);
    put_be64(data + 8, 16);
    put_be32(data + 16, 8);
    CHECK_EQ(command(d, "42000000000000001800", 0, 24), GOOD); /* UNMAP */
    put_be64(data + 8, DISK / HD_BLOCK);
    fails(d, "42000000000000001800", 0, 24, 5, 0x2100);
    put_be16(data + 2, 17);
    fails(d, "42000000000000001800", 0, 24, 5, 0x1a00);
    vdrv_free(d);
}

/* A disk whose host has no room for the first write. */
static struct vdrv *full_disk(const char *props)
{
    struct vdrv *d;

    hd.blk = rig_full_disk(1 << 20, false);
    hd.werror = DRIVE_ENOSPC;
    d = disk("scsi-hd", props);
    rig_run(d->r, true);
    wake(d);
    return d;
}

/* The write's answer does not come while the machine stands. */
static void start_write(struct vdrv *d)
{
    struct vbuf b[] = {{REQ, REQ_LEN, false}, {DATA, HD_BLOCK, false}, {RESP, RESP_LEN, true}};
    uint8_t *q = vdrv_mem(d, REQ);

    memset(q, 0, REQ_LEN);
    q[0] = 1;
    q[2] = 0x40;
    memcpy(q + 19, cdb("2a000000000400000100"), 32);
    vdrv_add(d, Q_REQUEST, b, 3);
    vdrv_kick(d, Q_REQUEST);
    CHECK(rig_await_stop(d->r));
    usleep(20000);
    CHECK(!vdrv_ready(d, Q_REQUEST));
}

TEST(scsi, a_write_without_room_waits_until_the_machine_runs_again)
{
    struct blk *before = hd.blk;
    struct vdrv *d = full_disk("drive=d0");

    start_write(d);
    rig_run(d->r, true);
    CHECK(vdrv_used(d, Q_REQUEST, NULL) >= RESP_LEN);
    CHECK_EQ(vdrv_mem(d, RESP)[10], GOOD);
    vdrv_free(d);
    d = full_disk("drive=d0"); /* or until the device is reset, or gone */
    start_write(d);
    vdrv_start(d, 6);
    rig_run(d->r, true);
    wake(d);
    CHECK_EQ(command(d, "2a000000000400000100", 0, HD_BLOCK), GOOD);
    vdrv_free(d);
    d = full_disk("drive=d0");
    start_write(d);
    vdrv_free(d);
    d = full_disk("drive=d0"); /* or the state is saved, and it is done by who loads it */
    start_write(d);
    rig_save_load(d->r);
    rig_run(d->r, true);
    CHECK(vdrv_used(d, Q_REQUEST, NULL) >= RESP_LEN);
    CHECK_EQ(vdrv_mem(d, RESP)[10], GOOD);
    vdrv_free(d);
    d = full_disk("drive=d0,werror=report");
    fails(d, "2a000000000400000100", 0, HD_BLOCK, 7, 0x2707);
    vdrv_free(d);
    d = full_disk("drive=d0,werror=ignore");
    CHECK_EQ(command(d, "2a000000000400000100", 0, HD_BLOCK), GOOD);
    vdrv_free(d);
    hd.blk = before;
    hd.werror = DRIVE_REPORT;
}

TEST(scsi, the_write_cache_can_be_switched)
{
    struct vdrv *d = disk("scsi-hd", "drive=d0");
    uint8_t *data = vdrv_mem(d, DATA);

    wake(d);
    CHECK_EQ(command(d, "1a080800ff00", 255, 0), GOOD);
    CHECK_EQ(data[4], 8);
    CHECK_EQ(data[6] & 4, 4);
    memmove(data + 4, data + 4, 20);
    memset(data, 0, 4);
    data[6] = 0;
    CHECK_EQ(command(d, "151000001800", 0, 24), GOOD);
    CHECK_EQ(command(d, "1a080800ff00", 255, 0), GOOD);
    CHECK_EQ(data[6] & 4, 0);
    memset(data, 0, 4);
    data[7] = 99; /* cannot be changed */
    fails(d, "151000001800", 0, 24, 5, 0x2600);
    vdrv_free(d);
}

TEST(scsi, a_cd_is_read_and_has_a_table_of_contents)
{
    struct vdrv *d = disk("scsi-cd", "drive=d1");
    uint8_t *data = vdrv_mem(d, DATA);

    wake(d);
    CHECK_EQ(command(d, "120000002400", 36, 0), GOOD);
    CHECK_EQ(data[0], 5);
    CHECK_EQ(data[1], 0x80);
    CHECK_EQ(command(d, "28000000000300000100", CD_BLOCK, 0), GOOD);
    CHECK_EQ(data[0], 4);
    fails(d, "2a000000000300000100", 0, CD_BLOCK, 5, 0x2000);
    CHECK_EQ(command(d, "43000000000000001400", 20, 0), GOOD);
    CHECK_EQ(get_be16(data), 18);
    CHECK_EQ(get_be32(data + 16), DISK / CD_BLOCK);
    CHECK_EQ(command(d, "46020000000000002000", 32, 0), GOOD);
    CHECK_EQ(get_be16(data + 6), 8);
    vdrv_free(d);
}

TEST(scsi, a_disc_is_ejected_and_another_put_in)
{
    struct vdrv *d = disk("scsi-cd", "drive=d1");
    struct vbuf event = {EVENT, 16, true};
    struct blk *disc = cd.blk;

    wake(d);
    CHECK(cd.removable && !hd.removable);             /* what monitors let people eject */
    CHECK_EQ(command(d, "1e0000000100", 0, 0), GOOD); /* locked */
    fails(d, "1b0000000200", 0, 0, 5, 0x5302);
    CHECK_EQ(command(d, "1e0000000000", 0, 0), GOOD);
    CHECK_EQ(command(d, "1b0000000200", 0, 0), GOOD);
    fails(d, "000000000000", 0, 0, 2, 0x3a02);
    CHECK_EQ(command(d, "1b0000000300", 0, 0), GOOD);
    CHECK_EQ(command(d, "000000000000", 0, 0), GOOD);
    vdrv_add(d, Q_EVENT, &event, 1);
    vdrv_kick(d, Q_EVENT);
    machine_lock(d->r->m);
    cd.blk = NULL;
    cd.changed(cd.owner, &cd);
    machine_unlock(d->r->m);
    CHECK_EQ(vdrv_used(d, Q_EVENT, NULL), 16);
    CHECK_EQ(get_le32(vdrv_mem(d, EVENT)), 3);
    CHECK_EQ(get_le32(vdrv_mem(d, EVENT) + 12), 0x28);
    fails(d, "000000000000", 0, 0, 6, 0x2800);
    fails(d, "000000000000", 0, 0, 2, 0x3a00);
    cd.blk = disc;
    vdrv_free(d);
}

TEST(scsi, units_come_and_go)
{
    struct vdrv *d = disk("scsi-hd", "drive=d0");
    struct vbuf event = {EVENT, 16, true};
    struct dev *second;

    machine_set_state(d->r->m, RUN_RUNNING);
    vdrv_add(d, Q_EVENT, &event, 1);
    vdrv_kick(d, Q_EVENT);
    machine_lock(d->r->m);
    second = dev_add(d->r->m, "scsi-cd", "second", "drive=d1,scsi-id=0,lun=5", ERR_IGNORE);
    CHECK(second);
    CHECK(!dev_add(d->r->m, "scsi-cd", "third", "scsi-id=0,lun=5", ERR_IGNORE));
    machine_unlock(d->r->m);
    CHECK_EQ(vdrv_used(d, Q_EVENT, NULL), 16);
    CHECK_EQ(get_le32(vdrv_mem(d, EVENT)), 1);
    CHECK_EQ(get_le32(vdrv_mem(d, EVENT) + 12), 1);
    CHECK_EQ(command(d, "a00000000000000000400000", 64, 0), GOOD);
    CHECK_EQ(get_be32(vdrv_mem(d, DATA)), 16);
    CHECK_EQ(get_be16(vdrv_mem(d, DATA + 16)), 5);
    machine_lock(d->r->m);
    dev_free(second);
    machine_unlock(d->r->m);
    CHECK_EQ(command(d, "a00000000000000000400000", 64, 0), GOOD);
    CHECK_EQ(get_be32(vdrv_mem(d, DATA)), 8);
    vdrv_free(d);
}

/* A task management request for unit 0: its response. */
static unsigned manage(struct vdrv *d, uint32_t subtype)
{
    struct vbuf b[] = {{REQ, 24, false}, {RESP, 1, true}};
    uint8_t *q = vdrv_mem(d, REQ);

    memset(q, 0, 24);
    put_le32(q + 4, subtype);
    q[8] = 1;
    q[10] = 0x40;
    CHECK_EQ(vdrv_do(d, Q_CONTROL, b, 2), 1);
    return *vdrv_mem(d, RESP);
}

TEST(scsi, a_unit_is_reset_by_a_control_request)
{
    struct vdrv *d = disk("scsi-hd", "drive=d0");

    wake(d);
    CHECK_EQ(manage(d, 5), 0);
    wake(d);
    CHECK_EQ(manage(d, 0), 0);
    CHECK_EQ(manage(d, 99), 11);
    vdrv_free(d);
}

TEST(scsi, hostile_saved_state_is_refused_or_harmless)
{
    struct vdrv *d = disk("scsi-hd", "drive=d0");

    rig_hostile(d->r);
    vdrv_free(d);
}

static const struct test tests[] = {
    CASE(scsi, a_disk_says_what_it_is),
    CASE(scsi, reads_and_writes),
    CASE(scsi, refuses_with_the_right_sense),
    CASE(scsi, space_is_given_back_and_filled),
    CASE(scsi, a_write_without_room_waits_until_the_machine_runs_again),
    CASE(scsi, the_write_cache_can_be_switched),
    CASE(scsi, a_cd_is_read_and_has_a_table_of_contents),
    CASE(scsi, a_disc_is_ejected_and_another_put_in),
    CASE(scsi, units_come_and_go),
    CASE(scsi, a_unit_is_reset_by_a_control_request),
    CASE(scsi, hostile_saved_state_is_refused_or_harmless),
};
TEST_MAIN(tests)
