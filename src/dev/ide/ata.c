/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ATA commands (ATA/ATAPI-8 Command Set, T13/1699-D, chapter 7). */
#include "dev/ide/ata.h"

#include "base/bytes.h"
#include "dev/drive_errors.h"

#include <stdio.h>

enum {
    DATA_SET_MANAGEMENT = 0x06,
    READ_SECTORS = 0x20,
    READ_SECTORS_EXT = 0x24,
    READ_DMA_EXT = 0x25,
    READ_NATIVE_MAX_EXT = 0x27,
    READ_MULTIPLE_EXT = 0x29,
    READ_LOG_EXT = 0x2f,
    WRITE_SECTORS = 0x30,
    WRITE_SECTORS_EXT = 0x34,
    WRITE_DMA_EXT = 0x35,
    WRITE_MULTIPLE_EXT = 0x39,
    WRITE_DMA_FUA_EXT = 0x3d,
    READ_VERIFY = 0x40,
    READ_VERIFY_EXT = 0x42,
    READ_FPDMA = 0x60,
    WRITE_FPDMA = 0x61,
    READ_MULTIPLE = 0xc4,
    WRITE_MULTIPLE = 0xc5,
    SET_MULTIPLE = 0xc6,
    READ_DMA = 0xc8,
    WRITE_DMA = 0xca,
    STANDBY_IMMEDIATE = 0xe0,
    IDLE_IMMEDIATE = 0xe1,
    STANDBY = 0xe2,
    IDLE = 0xe3,
    CHECK_POWER = 0xe5,
    SLEEP = 0xe6,
    FLUSH = 0xe7,
    FLUSH_EXT = 0xea,
    IDENTIFY = 0xec,
    SET_FEATURES = 0xef,
    READ_NATIVE_MAX = 0xf8,
};
enum { FUA = 0x80, TRIM = 1, MULTIPLE_MAX = 16, NCQ_DEPTH = 32, NCQ_ERROR_LOG = 0x10 };

/* struct row - what the shape of a command is: its data, whether it has 48 bits. */
struct row {
    uint8_t command;
    enum ata_data data;
    bool ext, blocks; /* @blocks: names sectors of the disk */
};

static const struct row rows[] = {
    {DATA_SET_MANAGEMENT, ATA_DMA_OUT, true, false},
    {READ_SECTORS, ATA_PIO_IN, false, true},
    {READ_SECTORS_EXT, ATA_PIO_IN, true, true},
    {READ_DMA_EXT, ATA_DMA_IN, true, true},
    {READ_NATIVE_MAX_EXT, ATA_NONE, true, false},
    {READ_MULTIPLE_EXT, ATA_PIO_IN, true, true},
    {READ_LOG_EXT, ATA_PIO_IN, true, false},
    {WRITE_SECTORS, ATA_PIO_OUT, false, true},
    {WRITE_SECTORS_EXT, ATA_PIO_OUT, true, true},
    {WRITE_DMA_EXT, ATA_DMA_OUT, true, true},
    {WRITE_MULTIPLE_EXT, ATA_PIO_OUT, true, true},
    {WRITE_DMA_FUA_EXT, ATA_DMA_OUT, true, true},
    {READ_VERIFY, ATA_NONE, false, true},
    {READ_VERIFY_EXT, ATA_NONE, true, true},
    {READ_FPDMA, ATA_DMA_IN, true, true},
    {WRITE_FPDMA, ATA_DMA_OUT, true, true},
    {READ_MULTIPLE, ATA_PIO_IN, false, true},
    {WRITE_MULTIPLE, ATA_PIO_OUT, false, true},
    {SET_MULTIPLE, ATA_NONE, false, false},
    {READ_DMA, ATA_DMA_IN, false, true},
    {WRITE_DMA, ATA_DMA_OUT, false, true},
    {STANDBY_IMMEDIATE, ATA_NONE, false, false},
    {IDLE_IMMEDIATE, ATA_NONE, false, false},
    {STANDBY, ATA_NONE, false, false},
    {IDLE, ATA_NONE, false, false},
    {CHECK_POWER, ATA_NONE, false, false},
    {SLEEP, ATA_NONE, false, false},
    {FLUSH, ATA_NONE, false, false},
    {FLUSH_EXT, ATA_NONE, true, false},
    {ATA_IDENTIFY_PACKET, ATA_PIO_IN, false, false},
    {IDENTIFY, ATA_PIO_IN, false, false},
    {SET_FEATURES, ATA_NONE, false, false},
    {READ_NATIVE_MAX, ATA_NONE, false, false},
};

static const struct row *find(uint8_t command)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (rows[i].command == command)
            return &rows[i];
    return NULL;
}

enum ata_data ata_data(const struct ata_cmd *c)
{
    const struct row *r = find(c->command);

    return r ? r->data : ATA_NONE;
}

/* 0 means as many as the register cannot say. */
static uint64_t sectors(const struct ata_cmd *c, const struct row *r)
{
    uint32_t n = ata_is_ncq(c) ? c->features : r->ext ? c->count : c->count & 0xff;

    return n ? n : r->ext ? 65536 : 256;
}

bool ata_length(const struct ata_cmd *c, uint64_t *len)
{
    const struct row *r = find(c->command);

    *len = 0;
    if (!r)
        return false;
    if (r->data == ATA_NONE)
        return true;
    *len = r->blocks || c->command == DATA_SET_MANAGEMENT || c->command == READ_LOG_EXT
               ? sectors(c, r) * ATA_SECTOR
               : ATA_SECTOR;
    return true;
}

static void put_iov(const struct ata_cmd *c, const void *buf, uint64_t len)
{
    const uint8_t *p = buf;

    for (int i = 0; i < c->n && len; i++) {
        uint64_t part = c->iov[i].iov_len < len ? c->iov[i].iov_len : len;

        memcpy(c->iov[i].iov_base, p, part);
        p += part;
        len -= part;
    }
}

static void get_iov(const struct ata_cmd *c, uint64_t off, void *buf, uint64_t len)
{
    uint8_t *p = buf;

    for (int i = 0; i < c->n && len; i++) {
        uint64_t have = c->iov[i].iov_len, part;

        if (off >= have) {
            off -= have;
            continue;
        }
        part = have - off < len ? have - off : len;
        memcpy(p, (uint8_t *)c->iov[i].iov_base + off, part);
        p += part;
        len -= part;
        off = 0;
    }
}

static void fail(struct ata_cmd *c, uint8_t error)
{
    c->status = ATA_DRDY | ATA_DSC | ATA_ERR;
    c->error = error;
}

/* The host cannot: what werror= and rerror= say. */
static void host_failed(struct ata_disk *d, struct ata_cmd *c, bool write, const struct err *e)
{
    enum drive_error a = DRIVE_REPORT;

    if (c->may_wait) /* else nobody would do it again */
        a = drive_error_decide(d->dev.m, d->drive, d->werror, d->rerror, write, e);
    if (a == DRIVE_IGNORE)
        return;
    c->again = a == DRIVE_STOP;
    if (!c->again)
        host_error(&d->dev, "%s fails: %s", write ? "writing" : "reading", e->msg);
    fail(c, write ? ATA_ABRT : ATA_UNC);
}

/* Identify (7.12) ------------------------------------------------------------------------------- */

void ata_put_text(uint8_t *b, unsigned word, unsigned words, const char *text)
{
    char t[41];

    snprintf(t, sizeof(t), "%-40s", text);
    for (unsigned i = 0; i < words; i++) {
        b[2 * (word + i)] = t[2 * i + 1];
        b[2 * (word + i) + 1] = t[2 * i];
    }
}

static void put_word(uint8_t *b, unsigned word, uint16_t v)
{
    put_le16(b + 2 * word, v);
}

static uint64_t disk_sectors(const struct ata_disk *d)
{
    return d->drive->blk ? blk_size(d->drive->blk) / ATA_SECTOR : 0;
}

/* Serial ports queue; parallel ones say how the cable is, and that this drive was found at reset. */
static void identify_link(const struct ata_disk *d, uint8_t *b)
{
    if (!((const struct ide_bus *)d->dev.parent)->serial) {
        put_word(b, 93, 1 << 14 | 1 << 13 | 1);
        return;
    }
    put_word(b, 75, NCQ_DEPTH - 1);
    put_word(b, 76, 1 << 8 | 1 << 1); /* native queueing, 1.5 Gb/s */
}

/* Words that later versions have retired, as older ones have them: drivers of their time look there. */
static void identify_old(const struct ata_disk *d, uint8_t *b, const struct ata_geometry *g)
{
    put_word(b, 4, g->sectors * ATA_SECTOR); /* bytes of a track, of a sector */
    put_word(b, 5, ATA_SECTOR);
    put_word(b, 20, 3);   /* a buffer with two ports and look-ahead, */
    put_word(b, 21, 512); /* 256 KiB */
    put_word(b, 22, 4);
    put_word(b, 48, 1); /* double words can be moved */
    put_word(b, 51, 2 << 8);
    put_word(b, 52, 2 << 8);
    put_word(b, 54, g->cyls); /* the translation in force */
    put_word(b, 55, g->heads);
    put_word(b, 56, g->sectors);
    put_le32(b + 114, (uint32_t)g->cyls * g->heads * g->sectors);
    put_word(b, 62, 7);
}

static void identify_modes(const struct ata_disk *d, uint8_t *b)
{
    bool cache = __atomic_load_n(&d->write_cache, __ATOMIC_RELAXED);

    put_word(b, 80, 0x1f0);           /* ATA-4 to ATA8-ACS */
    put_word(b, 82, 1 << 14 | 1 << 5);
    put_word(b, 83, 1 << 14 | 1 << 13 | 1 << 12 | 1 << 10);             /* flush, 48 bits */
    put_word(b, 84, 1 << 14 | 1 << 6 | (d->wwn ? 1 << 8 : 0) | 1 << 5); /* FUA, name, logs */
    put_word(b, 85, 1 << 14 | (cache ? 1 << 5 : 0));
    put_word(b, 86, 1 << 13 | 1 << 12 | 1 << 10);
    put_word(b, 87, 1 << 14 | 1 << 6 | (d->wwn ? 1 << 8 : 0) | 1 << 5);
    put_word(b, 88, 0x203f);
    for (int i = 0; i < 4 && d->wwn; i++)
        put_word(b, 108 + i, d->wwn >> (48 - 16 * i));
    put_word(b, 69, 1 << 14); /* after TRIM one reads the same each time */
    put_word(b, 105, 1); /* blocks of ranges for TRIM */
    put_word(b, 106, 1 << 14 | 1 << 13); /* physical sectors are of one logical one */
    put_word(b, 169, TRIM);
    put_word(b, 217, d->rotation);
}

static void identify(const struct ata_disk *d, uint8_t b[512])
{
    struct ata_geometry g = ata_geometry(d);
    uint64_t n = disk_sectors(d);
    uint8_t sum = 0;

    memset(b, 0, 512);
    put_word(b, 0, 0x0040);
    put_word(b, 1, g.cyls);
    put_word(b, 3, g.heads);
    put_word(b, 6, g.sectors);
    identify_old(d, b, &g);
    ata_put_text(b, 10, 10, d->serial ? d->serial : d->drive->serial ? d->drive->serial : "QM00001");
    ata_put_text(b, 23, 4, "2.5+");
    ata_put_text(b, 27, 20, d->model ? d->model : "QEMU HARDDISK");
    put_word(b, 47, 0x8000 | MULTIPLE_MAX);
    put_word(b, 49, 0x0b00); /* DMA, LBA, IORDY */
    put_word(b, 50, 0x4000);
    put_word(b, 53, 7);
    put_word(b, 59, d->multiple ? 0x100 | d->multiple : 0);
    put_le32(b + 120, n > 0x0fffffff ? 0x0fffffff : n);
    put_word(b, 63, 7);
    put_word(b, 64, 3);
    for (unsigned w = 65; w <= 68; w++)
        put_word(b, w, 120);
    identify_modes(d, b);
    identify_link(d, b);
    put_le64(b + 200, n);
    b[510] = 0xa5;
    for (int i = 0; i < 511; i++)
        sum += b[i];
    b[511] = -sum;
}

/* Blocks ------------------------------------------------------------------------------------------ */

static bool is_write(uint8_t command)
{
    enum ata_data data = find(command)->data;

    return data == ATA_DMA_OUT || data == ATA_PIO_OUT;
}

static unsigned write_flags(const struct ata_disk *d, const struct ata_cmd *c)
{
    bool fua = c->command == WRITE_DMA_FUA_EXT || (c->command == WRITE_FPDMA && c->device & FUA);

    return fua || !__atomic_load_n(&d->write_cache, __ATOMIC_RELAXED) ? BLK_REQ_FUA : 0;
}

static void remember_ncq_error(struct ata_disk *d, const struct ata_cmd *c)
{
    uint8_t *e = d->ncq_error;

    if (!ata_is_ncq(c) || d->has_ncq_error)
        return;
    memset(e, 0, sizeof(d->ncq_error));
    d->has_ncq_error = true;
    e[0] = c->count >> 3 & 0x1f;
    e[2] = c->status;
    e[3] = c->error;
    for (int i = 0; i < 3; i++) {
        e[4 + i] = c->lba >> 8 * i;
        e[8 + i] = c->lba >> (24 + 8 * i);
    }
    e[7] = c->device;
}

static void on_blocks(struct ata_disk *d, struct ata_cmd *c, const struct row *r)
{
    uint64_t n = sectors(c, r), lba = c->lba;
    struct err e = {0};
    int ret = 0;

    if (!r->ext)
        lba = (lba & 0xffffff) | (uint64_t)(c->device & 0xf) << 24;
    if (!(c->device & 0x40) || lba > disk_sectors(d) || n > disk_sectors(d) - lba)
        fail(c, c->device & 0x40 ? ATA_IDNF : ATA_ABRT); /* no cylinders and heads */
    else if (is_write(c->command) && d->read_only)
        fail(c, ATA_ABRT);
    else if (r->data == ATA_NONE)
        return; /* verified: what is there can be read */
    else if (is_write(c->command))
        ret = blk_writev(d->drive->blk, lba * ATA_SECTOR, c->iov, c->n, write_flags(d, c), &e);
    else
        ret = blk_readv(d->drive->blk, lba * ATA_SECTOR, c->iov, c->n, &e);
    if (ret < 0)
        host_failed(d, c, is_write(c->command), &e);
    if (c->status & ATA_ERR && !c->again)
        remember_ncq_error(d, c);
}

/* 7.5: ranges of 48-bit addresses and 16-bit lengths. */
static void trim(struct ata_disk *d, struct ata_cmd *c)
{
    uint64_t len, at;

    ata_length(c, &len);
    if (!(c->features & TRIM) || len > 64 * ATA_SECTOR || d->read_only) {
        fail(c, ATA_ABRT);
        return;
    }
    for (at = 0; at < len; at += 8) {
        uint8_t range[8];
        uint64_t lba, n;

        get_iov(c, at, range, sizeof(range));
        lba = get_le64(range) & 0xffffffffffff;
        n = get_le64(range) >> 48;
        if (lba > disk_sectors(d) || n > disk_sectors(d) - lba) {
            fail(c, ATA_IDNF);
            return;
        }
        if (n)
            blk_discard(d->drive->blk, lba * ATA_SECTOR, n * ATA_SECTOR, ERR_IGNORE);
    }
}

static void read_log(struct ata_disk *d, struct ata_cmd *c)
{
    uint8_t b[512] = {0}, sum = 0;

    if ((c->lba & 0xff) == 0) { /* which logs there are */
        put_le16(b, 1);
        put_le16(b + 2 * NCQ_ERROR_LOG, 1);
    } else if ((c->lba & 0xff) == NCQ_ERROR_LOG) {
        b[0] = 0x80; /* none of the queued commands */
        if (d->has_ncq_error)
            memcpy(b, d->ncq_error, sizeof(d->ncq_error));
        d->has_ncq_error = false;
        for (int i = 0; i < 511; i++)
            sum += b[i];
        b[511] = -sum;
    } else {
        fail(c, ATA_ABRT);
        return;
    }
    put_iov(c, b, sizeof(b));
}

static void set_features(struct ata_disk *d, struct ata_cmd *c)
{
    switch (c->features & 0xff) {
    case 0x02: /* write cache: no CD has one */
        if (d->atapi)
            fail(c, ATA_ABRT);
        __atomic_store_n(&d->write_cache, true, __ATOMIC_RELAXED); break;
    case 0x82:
        if (d->atapi) {
            fail(c, ATA_ABRT);
            break;
        }
        __atomic_store_n(&d->write_cache, false, __ATOMIC_RELAXED);
        blk_flush(d->drive->blk, ERR_IGNORE);
        break;
    case 0x03: /* transfer mode */
    case 0x10: /* and others that change nothing here */
    case 0x90:
    case 0x55:
    case 0xaa:
    case 0x66:
    case 0xcc: break;
    default: fail(c, ATA_ABRT);
    }
}

static void native_max(struct ata_disk *d, struct ata_cmd *c)
{
    uint64_t last = disk_sectors(d) - 1;

    if (c->command == READ_NATIVE_MAX) {
        last = last > 0x0ffffffe ? 0x0ffffffe : last;
        c->device = (c->device & 0xf0) | (last >> 24 & 0xf);
        last &= 0xffffff;
    }
    c->lba = last;
}

static void flush(struct ata_disk *d, struct ata_cmd *c)
{
    struct err e = {0};

    if (!d->read_only && !d->atapi && blk_flush(d->drive->blk, &e) < 0)
        host_failed(d, c, true, &e);
}

static void other(struct ata_disk *d, struct ata_cmd *c)
{
    uint8_t b[512];

    switch (c->command) {
    case IDENTIFY:
        identify(d, b);
        put_iov(c, b, sizeof(b));
        break;
    case ATA_IDENTIFY_PACKET:
        ata_identify_packet(d, b);
        put_iov(c, b, sizeof(b));
        break;
    case DATA_SET_MANAGEMENT: trim(d, c); break;
    case READ_LOG_EXT: read_log(d, c); break;
    case SET_FEATURES: set_features(d, c); break;
    case SET_MULTIPLE:
        if ((c->count & 0xff) > MULTIPLE_MAX || (c->count & (c->count - 1) & 0xff))
            fail(c, ATA_ABRT);
        else
            d->multiple = c->count;
        break;
    case FLUSH:
    case FLUSH_EXT: flush(d, c); break;
    case CHECK_POWER: c->count = 0xff; break; /* active */
    case READ_NATIVE_MAX:
    case READ_NATIVE_MAX_EXT: native_max(d, c); break;
    }
}

/* What a CD drive does besides packets (ATA8-ACS, table 10). */
static bool for_cd(uint8_t command)
{
    return command == ATA_IDENTIFY_PACKET || command == SET_FEATURES || command == FLUSH ||
           (command >= STANDBY_IMMEDIATE && command <= SLEEP);
}

void ata_run(struct ata_disk *d, struct ata_cmd *c)
{
    const struct row *r = find(c->command);

    c->status = ATA_DRDY | ATA_DSC;
    c->error = 0;
    c->again = false;
    if (!r || for_cd(c->command) < !!d->atapi || (!d->atapi && !d->drive->blk) ||
        (!d->atapi && c->command == ATA_IDENTIFY_PACKET))
        fail(c, ATA_ABRT);
    else if (r->blocks)
        on_blocks(d, c, r);
    else
        other(d, c);
}

void ata_reset(struct ata_disk *d)
{
    d->multiple = MULTIPLE_MAX;
    d->has_ncq_error = false;
    __atomic_store_n(&d->write_cache, true, __ATOMIC_RELAXED);
}
