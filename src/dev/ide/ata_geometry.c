/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cylinders, heads and sectors of a disk: as the user says, as the disk's partition table was made for, or by its size.
 * Source: IBM PC/AT Technical Reference (the table of partitions); ATA-4, words 1, 3 and 6 of IDENTIFY DEVICE.
 */
#include "base/bytes.h"
#include "dev/backends.h"
#include "dev/ide/ata.h"

#include <errno.h>
#include <inttypes.h>

enum { HEADS = 16, SECTORS = 63, CYLS_MAX = 16383 };
enum { TABLE = 446, PARTITIONS = 4, ENTRY = 16, END_HEAD = 5, END_SECTOR = 6, COUNT = 12, SIGNATURE = 510 };

const char *const ata_translations[] = {"none", "lba", "large", "rechs", "auto", NULL};

static uint64_t disk_sectors(const struct ata_disk *d)
{
    return d->drive->blk ? blk_size(d->drive->blk) / ATA_SECTOR : 0;
}

/* Two cylinders at least, as the reference has it: firmware reads nothing from a disk that says it has none, and boot sectors without
 * more are what people try first. */
struct ata_geometry ata_geometry(const struct ata_disk *d)
{
    uint64_t cyls = disk_sectors(d) / (HEADS * SECTORS);

    if (d->cyls)
        return (struct ata_geometry){(uint16_t)d->cyls, (uint8_t)d->heads, (uint8_t)d->secs};
    return (struct ata_geometry){(uint16_t)(cyls < 2 ? 2 : min_u64(cyls, CYLS_MAX)), HEADS, SECTORS};
}

unsigned ata_translation(const struct ata_disk *d)
{
    if (d->translation != ATA_TRANS_AUTO)
        return (unsigned)d->translation;
    return ata_geometry(d).cyls > 1024 ? ATA_TRANS_LBA : ATA_TRANS_NONE;
}

/* Partitions end with cylinders: where they do is the last head and the last sector of a track. */
static bool in_table(const uint8_t *mbr, uint64_t sectors, uint64_t *cyls, uint64_t *heads, uint64_t *secs)
{
    if (get_le16(mbr + SIGNATURE) != 0xaa55)
        return false;
    for (const uint8_t *p = mbr + TABLE; p < mbr + TABLE + PARTITIONS * ENTRY; p += ENTRY) {
        *heads = p[END_HEAD] + 1u;
        *secs = p[END_SECTOR] & 63;
        if (!get_le32(p + COUNT) || !p[END_HEAD] || !*secs)
            continue;
        *cyls = sectors / (*heads * *secs);
        if (*cyls >= 1 && *cyls <= CYLS_MAX)
            return true;
    }
    return false;
}

/* More heads than a disk can have are the BIOS's, which multiplied them; how, depends on whether that can have been enough. */
static void guess(struct ata_disk *d)
{
    uint8_t mbr[ATA_SECTOR];
    uint64_t cyls, heads, secs;
    bool alone = d->translation == ATA_TRANS_AUTO;

    if (blk_read(d->drive->blk, 0, sizeof(mbr), mbr, ERR_IGNORE) < 0 || !in_table(mbr, disk_sectors(d), &cyls, &heads, &secs))
        return;
    if (heads > HEADS) {
        if (alone)
            d->translation = ata_geometry(d).cyls * HEADS > 131072 ? ATA_TRANS_LBA : ATA_TRANS_LARGE;
        return;
    }
    d->cyls = cyls;
    d->heads = heads;
    d->secs = secs;
    if (alone)
        d->translation = ATA_TRANS_NONE;
}

static int check(const char *name, uint64_t v, uint64_t most, struct err *e)
{
    return v < 1 || v > most ? err_set(e, -EINVAL, "%s must be between 1 and %" PRIu64, name, most) : 0;
}

int ata_find_geometry(struct ata_disk *d, struct err *e)
{
    int r;

    if (!d->cyls && !d->heads && !d->secs) {
        if (disk_sectors(d))
            guess(d);
        return 0;
    }
    if ((r = check("cyls", d->cyls, 65535, e)) < 0 || (r = check("heads", d->heads, 16, e)) < 0)
        return r;
    return check("secs", d->secs, 255, e);
}
