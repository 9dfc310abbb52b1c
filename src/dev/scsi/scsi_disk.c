/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scsi-hd and scsi-cd: disks behind a SCSI controller.  SBC-3; MMC-6 for CDs (scsi_cd.c). */
#include "dev/scsi/scsi_disk.h"

#include "dev/backends.h"
#include "dev/drive_errors.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

enum {
    TEST_UNIT_READY = 0x00,
    FORMAT_UNIT = 0x04,
    READ_6 = 0x08,
    WRITE_6 = 0x0a,
    INQUIRY = 0x12,
    MODE_SELECT_6 = 0x15,
    RESERVE = 0x16,
    RELEASE = 0x17,
    MODE_SENSE_6 = 0x1a,
    START_STOP_UNIT = 0x1b,
    SEND_DIAGNOSTIC = 0x1d,
    PREVENT_REMOVAL = 0x1e,
    READ_CAPACITY_10 = 0x25,
    READ_10 = 0x28,
    WRITE_10 = 0x2a,
    SEEK_10 = 0x2b,
    WRITE_VERIFY_10 = 0x2e,
    VERIFY_10 = 0x2f,
    SYNCHRONIZE_CACHE = 0x35,
    WRITE_SAME_10 = 0x41,
    UNMAP = 0x42,
    MODE_SELECT_10 = 0x55,
    MODE_SENSE_10 = 0x5a,
    READ_16 = 0x88,
    WRITE_16 = 0x8a,
    WRITE_VERIFY_16 = 0x8e,
    VERIFY_16 = 0x8f,
    SYNCHRONIZE_CACHE_16 = 0x91,
    WRITE_SAME_16 = 0x93,
    SERVICE_ACTION_IN = 0x9e,
    READ_12 = 0xa8,
    WRITE_12 = 0xaa,
    VERIFY_12 = 0xaf,
};
enum { SAI_READ_CAPACITY_16 = 0x10, FUA = 8, PIECES = 1100 };

uint64_t sdisk_blocks(const struct sdisk *d)
{
    return d->blk ? blk_size(d->blk) / d->logical : 0;
}

struct scsi_sense sdisk_ready(struct sdisk *d)
{
    struct scsi_sense s = SENSE_OK;

    pthread_mutex_lock(&d->u.lock);
    if (d->tray_open)
        s = SENSE_TRAY_OPEN;
    else if (!d->blk)
        s = SENSE_NO_MEDIUM;
    else if (d->stopped)
        s = SENSE_STOPPED;
    pthread_mutex_unlock(&d->u.lock);
    return s;
}

struct scsi_sense sdisk_failed(struct sdisk *d, struct scsi_cmd *c, bool write, const struct err *e)
{
    enum drive_error a = DRIVE_REPORT;

    if (d->drive && c->may_wait) /* else nobody would try again */
        a = drive_error_decide(d->u.dev.m, d->drive, d->werror, d->rerror, write, e);
    if (a == DRIVE_IGNORE)
        return SENSE_OK;
    c->again = a == DRIVE_STOP;
    if (e->code == -ENOSPC)
        return SENSE_NO_SPACE;
    return write ? SENSE_WRITE_ERROR : SENSE_READ_ERROR;
}

struct scsi_sense sdisk_check(const struct sdisk *d, uint64_t lba, uint64_t n)
{
    uint64_t blocks = sdisk_blocks(d);

    return lba <= blocks && n <= blocks - lba ? SENSE_OK : SENSE_BAD_LBA;
}

unsigned sdisk_write_flags(struct sdisk *d)
{
    bool wce;

    pthread_mutex_lock(&d->u.lock);
    wce = d->wce;
    pthread_mutex_unlock(&d->u.lock);
    return wce ? 0 : BLK_REQ_FUA;
}

/* The first @len bytes of the pieces; the number of pieces, or -1: they are fewer bytes. */
static int cut(const struct iovec *iov, unsigned n, uint64_t len, struct iovec out[static PIECES])
{
    unsigned k = 0;

    for (; k < n && k < PIECES && len; k++) {
        out[k] = iov[k];
        out[k].iov_len = min_u64(out[k].iov_len, len);
        len -= out[k].iov_len;
    }
    return len ? -1 : (int)k;
}

struct scsi_sense sdisk_read(struct sdisk *d, struct scsi_cmd *c, uint64_t lba, uint64_t n)
{
    struct scsi_sense s = sdisk_check(d, lba, n);
    struct iovec iov[PIECES];
    struct err e = {0};
    int k;

    if (s.key || !n)
        return s;
    if ((k = cut(c->in, c->n_in, n * d->logical, iov)) < 0)
        return SENSE_BAD_FIELD;
    if (blk_readv(d->blk, lba * d->logical, iov, k, &e) < 0)
        s = sdisk_failed(d, c, false, &e);
    c->moved = s.key ? 0 : n * d->logical;
    return s;
}

static struct scsi_sense write_blocks(struct sdisk *d, struct scsi_cmd *c, uint64_t lba, uint64_t n,
                                      bool fua)
{
    struct scsi_sense s = sdisk_check(d, lba, n);
    struct iovec iov[PIECES];
    struct err e = {0};
    int k;

    if (d->read_only)
        return SENSE_PROTECTED;
    if (s.key || !n)
        return s;
    if ((k = cut(c->out, c->n_out, n * d->logical, iov)) < 0)
        return SENSE_BAD_FIELD;
    if (blk_writev(d->blk, lba * d->logical, iov, k, sdisk_write_flags(d) | (fua ? BLK_REQ_FUA : 0), &e) < 0)
        s = sdisk_failed(d, c, true, &e);
    c->moved = s.key ? 0 : n * d->logical;
    return s;
}

/* Verify: the blocks can be read; with BYTCHK 1 they are what the initiator sends, SBC-3 5.30. */
static struct scsi_sense verify(struct sdisk *d, struct scsi_cmd *c, uint64_t lba, uint64_t n)
{
    struct scsi_sense s = sdisk_check(d, lba, n);
    unsigned bytchk = c->cdb[1] >> 1 & 3;
    struct iovec iov[PIECES];
    int k;

    if (s.key || !bytchk)
        return s;
    if (bytchk != 1 || (k = cut(c->out, c->n_out, n * d->logical, iov)) < 0)
        return SENSE_BAD_FIELD;
    for (int i = 0; i < k; i++) {
        for (size_t at = 0; at < iov[i].iov_len;) {
            uint8_t buf[4096];
            size_t len = min_u64(sizeof(buf), iov[i].iov_len - at);
            struct err e = {0};

            if (blk_read(d->blk, lba * d->logical + c->moved, len, buf, &e) < 0)
                return sdisk_failed(d, c, false, &e);
            if (memcmp(buf, (uint8_t *)iov[i].iov_base + at, len))
                return (struct scsi_sense){0xe, 0x1d00}; /* MISCOMPARE */
            at += len;
            c->moved += len;
        }
    }
    return SENSE_OK;
}

/* Where and how much, by the command's length; SBC-3 4.2. */
static void range_of(const uint8_t *b, uint64_t *lba, uint64_t *n)
{
    switch (scsi_cdb_len(b[0])) {
    case 6:
        *lba = (b[1] & 0x1f) << 16 | get_be16(b + 2);
        *n = b[4] ? b[4] : 256;
        break;
    case 12:
        *lba = get_be32(b + 2);
        *n = get_be32(b + 6);
        break;
    case 16:
        *lba = get_be64(b + 2);
        *n = get_be32(b + 10);
        break;
    default: *lba = get_be32(b + 2); *n = get_be16(b + 7);
    }
}

static struct scsi_sense read_capacity_10(struct sdisk *d, struct scsi_cmd *c)
{
    uint64_t last = sdisk_blocks(d) - 1;
    uint8_t out[8];

    put_be32(out, last > UINT32_MAX ? UINT32_MAX : last);
    put_be32(out + 4, d->logical);
    return scsi_reply(c, out, sizeof(out), sizeof(out));
}

static struct scsi_sense read_capacity_16(struct sdisk *d, struct scsi_cmd *c)
{
    uint8_t out[32] = {0};

    if ((c->cdb[1] & 0x1f) != SAI_READ_CAPACITY_16)
        return SENSE_BAD_FIELD;
    put_be64(out, sdisk_blocks(d) - 1);
    put_be32(out + 8, d->logical);
    out[13] = 63 - __builtin_clzll(d->physical / d->logical);
    out[14] = d->cd || d->read_only ? 0 : 0x80; /* LBPME: UNMAP works */
    return scsi_reply(c, out, sizeof(out), get_be32(c->cdb + 10));
}

static void tell_tray(struct sdisk *d, bool open)
{
    struct json_object *o = json_object_new_object();

    json_object_object_add(o, "device",
                           json_object_new_string(d->drive && d->drive->id ? d->drive->id : ""));
    json_object_object_add(o, "id", json_object_new_string(d->u.dev.id ? d->u.dev.id : ""));
    json_object_object_add(o, "tray-open", json_object_new_boolean(open));
    machine_event(d->u.dev.m, "DEVICE_TRAY_MOVED", o);
}

static struct scsi_sense start_stop(struct sdisk *d, struct scsi_cmd *c)
{
    bool start = c->cdb[4] & 1, loej = c->cdb[4] & 2, moved = false;
    struct scsi_sense s = SENSE_OK;

    if (c->cdb[4] & 0xf0)
        return SENSE_OK; /* power conditions: there are none */
    pthread_mutex_lock(&d->u.lock);
    if (d->removable && loej) {
        if (d->locked && !start && !d->tray_open) {
            s = SENSE_NO_REMOVAL;
        } else if (d->tray_open == start) {
            d->tray_open = !start;
            d->event_new = start;
            d->event_eject = !start;
            moved = true;
        }
    } else {
        d->stopped = !start && !d->cd;
    }
    pthread_mutex_unlock(&d->u.lock);
    if (moved)
        tell_tray(d, !start);
    return s;
}

static struct scsi_sense prevent_removal(struct sdisk *d, struct scsi_cmd *c)
{
    pthread_mutex_lock(&d->u.lock);
    d->locked = c->cdb[4] & 1;
    pthread_mutex_unlock(&d->u.lock);
    return SENSE_OK;
}

static struct scsi_sense flush(struct sdisk *d, struct scsi_cmd *c)
{
    struct err e = {0};

    return blk_flush(d->blk, &e) < 0 ? sdisk_failed(d, c, true, &e) : SENSE_OK;
}

/* Commands that need a medium. */
static struct scsi_sense run_on_medium(struct sdisk *d, struct scsi_cmd *c)
{
    struct scsi_sense s = sdisk_ready(d);
    uint64_t lba, n;

    if (s.key)
        return s;
    range_of(c->cdb, &lba, &n);
    switch (c->cdb[0]) {
    case TEST_UNIT_READY: return SENSE_OK;
    case READ_6:
    case READ_10:
    case READ_12:
    case READ_16: return sdisk_read(d, c, lba, n);
    case WRITE_6: return write_blocks(d, c, lba, n, false);
    case WRITE_10:
    case WRITE_12:
    case WRITE_16: return write_blocks(d, c, lba, n, c->cdb[1] & FUA);
    case WRITE_VERIFY_10:
    case WRITE_VERIFY_16: return write_blocks(d, c, lba, n, true);
    case VERIFY_10:
    case VERIFY_12:
    case VERIFY_16: return verify(d, c, lba, n);
    case SEEK_10: return sdisk_check(d, lba, 0);
    case READ_CAPACITY_10: return read_capacity_10(d, c);
    case SERVICE_ACTION_IN: return read_capacity_16(d, c);
    case SYNCHRONIZE_CACHE:
    case SYNCHRONIZE_CACHE_16: return flush(d, c);
    case UNMAP: return sdisk_unmap(d, c);
    case WRITE_SAME_10:
    case WRITE_SAME_16: return sdisk_write_same(d, c);
    }
    return SENSE_BAD_OPCODE;
}

/* Writing makes no sense for a CD: the command is unknown there. */
static bool for_cd(uint8_t op)
{
    switch (op) {
    case WRITE_6:
    case WRITE_10:
    case WRITE_12:
    case WRITE_16:
    case WRITE_VERIFY_10:
    case WRITE_VERIFY_16:
    case UNMAP:
    case WRITE_SAME_10:
    case WRITE_SAME_16:
    case FORMAT_UNIT: return false;
    }
    return true;
}

struct scsi_sense sdisk_run(struct sdisk *d, struct scsi_cmd *c)
{
    if (d->cd && !for_cd(c->cdb[0]))
        return SENSE_BAD_OPCODE;
    switch (c->cdb[0]) {
    case INQUIRY: return sdisk_inquiry(d, c);
    case MODE_SENSE_6:
    case MODE_SENSE_10: return sdisk_mode_sense(d, c);
    case MODE_SELECT_6:
    case MODE_SELECT_10: return sdisk_mode_select(d, c);
    case RESERVE:
    case RELEASE:
    case FORMAT_UNIT:
    case SEND_DIAGNOSTIC: return SENSE_OK;
    case START_STOP_UNIT: return start_stop(d, c);
    case PREVENT_REMOVAL: return prevent_removal(d, c);
    }
    return run_on_medium(d, c);
}

static struct scsi_sense hd_run(struct scsi_unit *u, struct scsi_cmd *c)
{
    return sdisk_run((struct sdisk *)u, c);
}

static struct scsi_sense cd_run(struct scsi_unit *u, struct scsi_cmd *c)
{
    struct scsi_sense s = scd_run((struct sdisk *)u, c);

    return s.asc == SENSE_BAD_OPCODE.asc ? sdisk_run((struct sdisk *)u, c) : s;
}

static const struct scsi_unit_ops hd_ops = {.run = hd_run}, cd_ops = {.run = cd_run};

/* Eject and change by the monitor; a disk that has grown. */
static void medium_changed(void *owner, struct drive *drive)
{
    struct sdisk *d = owner;

    pthread_rwlock_wrlock(&d->u.bus->lock); /* commands in work end with the old one */
    d->blk = drive->blk;
    pthread_rwlock_unlock(&d->u.bus->lock);
    if (!d->removable) {
        scsi_attention(&d->u, SENSE_SIZE_CHANGED);
        return;
    }
    pthread_mutex_lock(&d->u.lock);
    d->tray_open = false;
    d->event_new = drive->blk;
    d->event_eject = !drive->blk;
    pthread_mutex_unlock(&d->u.lock);
    scsi_attention(&d->u, SENSE_MEDIUM_NEW);
}

static int check_props(struct sdisk *d, struct err *e)
{
    if (!d->logical)
        d->logical = d->cd ? 2048 : 512;
    if (!d->physical || d->physical < d->logical)
        d->physical = d->logical;
    if (!is_pow2(d->logical) || d->logical < 512 || d->logical > 32768 || !is_pow2(d->physical) ||
        d->physical > 2 * MiB)
        return err_set(e, -EINVAL,
                       "block sizes are %" PRIu64 " and %" PRIu64
                       ": want powers of two from 512 to 32768 and 2097152",
                       d->logical, d->physical);
    if (d->rotation_rate > 65535 || d->max_unmap / d->logical > UINT32_MAX ||
        d->max_io / d->logical > UINT32_MAX)
        return err_set(e, -ERANGE, "rotation_rate, max_unmap_size or max_io_size is too large");
    return 0;
}

static int init(struct dev *dev, bool cd, struct err *e)
{
    struct sdisk *d = (struct sdisk *)dev;
    int r;

    d->cd = cd;
    d->removable |= cd;
    if ((r = check_props(d, e)) < 0)
        return r;
    if (!d->p_drive && !cd)
        return err_set(e, -EINVAL, "drive property not set");
    if (d->p_drive && (r = dev_take_drive(dev, d->p_drive, &d->drive, e)) < 0)
        return r;
    if (d->drive && !d->drive->blk && !d->removable) {
        dev_drop_drive(d->drive);
        return err_set(e, -EINVAL, "Device needs media, but drive is empty");
    }
    d->read_only = cd || (d->drive && d->drive->read_only) ||
                   (d->drive && d->drive->blk && !(blk_flags(d->drive->blk) & BLK_RDWR));
    d->wce = d->drive && d->drive->blk && !(blk_flags(d->drive->blk) & BLK_WRITE_THROUGH);
    if (d->drive) {
        d->blk = d->drive->blk;
        d->drive->removable = d->removable;
        d->drive->owner = d;
        d->drive->changed = medium_changed;
    }
    d->u.block = d->logical;
    d->u.cd = cd;
    scsi_unit_init(&d->u, cd ? &cd_ops : &hd_ops);
    return 0;
}

static int hd_init(struct dev *d, struct err *e)
{
    return init(d, false, e);
}

static int cd_init(struct dev *d, struct err *e)
{
    return init(d, true, e);
}

static void disk_reset(struct dev *dev)
{
    struct sdisk *d = (struct sdisk *)dev;

    pthread_mutex_lock(&d->u.lock);
    d->locked = d->stopped = false;
    d->u.attention = SENSE_POWER_ON;
    pthread_mutex_unlock(&d->u.lock);
}

static void disk_fini(struct dev *dev)
{
    struct sdisk *d = (struct sdisk *)dev;

    dev_drop_drive(d->drive);
    scsi_unit_fini(&d->u);
}

static const struct state disk_state[] = {
    STATE(sdisk, tray_open, S_BOOL, 1, NULL),      STATE(sdisk, locked, S_BOOL, 1, NULL),
    STATE(sdisk, stopped, S_BOOL, 1, NULL),        STATE(sdisk, wce, S_BOOL, 1, NULL),
    STATE(sdisk, event_new, S_BOOL, 1, NULL),      STATE(sdisk, event_eject, S_BOOL, 1, NULL),
    STATE(sdisk, u.sense, S_U8, 1, NULL),          STATE(sdisk, u.attention.key, S_U8, 1, NULL),
    STATE(sdisk, u.attention.asc, S_U16, 1, NULL), STATE_END};

#define DISK_FIELDS                                                                                \
    SCSI_FIELDS(sdisk, u), FIELD(sdisk, p_drive, F_STR, "drive", NULL, "ID of the disk"),          \
        FIELD(sdisk, p_serial, F_STR, "serial", NULL, "serial number"),                            \
        FIELD(sdisk, p_vendor, F_STR, "vendor", "QEMU", "8 characters"),                           \
        FIELD(sdisk, p_ver, F_STR, "ver", "2.5+", "4 characters"),                                 \
        FIELD(sdisk, p_device_id, F_STR, "device_id", NULL, "name in the identification page"),    \
        FIELD(sdisk, p_bootindex, F_STR, "bootindex", NULL, "place in the boot order"),            \
        FIELD(sdisk, wwn, F_U64, "wwn", "0", "world wide name; 0: none"),                          \
        FIELD(sdisk, logical, F_SIZE, "logical_block_size", "0", "bytes"),                         \
        FIELD(sdisk, physical, F_SIZE, "physical_block_size", "0", "bytes"),                       \
        FIELD(sdisk, min_io, F_SIZE, "min_io_size", "0", "bytes"),                                 \
        FIELD(sdisk, opt_io, F_SIZE, "opt_io_size", "0", "bytes"),                                 \
        FIELD(sdisk, discard_granularity, F_SIZE, "discard_granularity", "4096", "bytes"),         \
        FIELD(sdisk, share_rw, F_BOOL, "share-rw", "off", "others may write the disk, too"),       \
        FIELD(sdisk, max_unmap, F_SIZE, "max_unmap_size", "1073741824", "bytes in one command"),   \
        DRIVE_ERROR_FIELDS(sdisk),                                                                 \
        FIELD(sdisk, max_io, F_SIZE, "max_io_size", "2147483647", "bytes in one command")

static const struct field hd_props[] = {
    DISK_FIELDS,
    FIELD(sdisk, p_product, F_STR, "product", "QEMU HARDDISK", "16 characters"),
    FIELD(sdisk, removable, F_BOOL, "removable", "off", "the medium can be taken out"),
    FIELD(sdisk, dpofua, F_BOOL, "dpofua", "off", "tell of the FUA bit"),
    FIELD(sdisk, rotation_rate, F_U64, "rotation_rate", "0", "per minute; 1: does not turn"),
    FIELD_END};
static const struct field cd_props[] = {
    DISK_FIELDS, FIELD(sdisk, p_product, F_STR, "product", "QEMU CD-ROM", "16 characters"),
    FIELD_END};

#define DISK                                                                                       \
    .class = DEV_STORAGE, .bus = "SCSI", .size = sizeof(struct sdisk), .state = disk_state,        \
    .state_version = 1, .reset = disk_reset, .fini = disk_fini

const struct dev_type dev_scsi_hd = {
    .name = "scsi-hd", .help = "SCSI disk", .props = hd_props, .init = hd_init, DISK};
const struct dev_type dev_scsi_cd = {
    .name = "scsi-cd", .help = "SCSI CD-ROM", .props = cd_props, .init = cd_init, DISK};
