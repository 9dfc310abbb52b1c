/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATA disks and ATAPI drives, for any controller: a command and the memory that its data goes to or comes from
 * (ATA/ATAPI-8 Command Set, T13/1699-D).  Devices "ide-hd" and "ide-cd" plug into buses of kind "ide".
 */
#ifndef DEV_IDE_ATA_H
#define DEV_IDE_ATA_H

#include "block/drive.h"
#include "bus/machine.h"

#include <sys/uio.h>

enum { ATA_SECTOR = 512 };
/* Status and error registers. */
enum {
    ATA_BSY = 0x80,
    ATA_DRDY = 0x40,
    ATA_DF = 0x20,
    ATA_DSC = 0x10,
    ATA_DRQ = 0x08,
    ATA_ERR = 0x01
};
enum { ATA_ICRC = 0x80, ATA_UNC = 0x40, ATA_IDNF = 0x10, ATA_ABRT = 0x04 };

enum ata_data { ATA_NONE, ATA_PIO_IN, ATA_PIO_OUT, ATA_DMA_IN, ATA_DMA_OUT };

/** struct ata_cmd - registers of a command; the answer comes back in the same. */
struct ata_cmd {
    uint8_t command, device;
    uint16_t features, count;
    uint64_t lba; /* 48 bits */

    const struct iovec *iov; /* as long as ata_length() says */
    int n;

    uint8_t status, error;
    bool may_wait; /* the controller can do it again, see @again */
    bool again;    /* the host's disk failed and the machine stops: to be done again when it runs (drive_errors.h) */
};

struct scsi_bus;
struct scsi_cmd;

/** struct ata_disk - "ide-hd", or the part of "ide-cd" that answers ATA commands. */
struct ata_disk {
    struct dev dev;
    struct drive *drive; /* of a disk */
    struct scsi_bus *atapi; /* of a CD drive: packets go to the unit that is there; NULL: a disk */
    bool read_only;
    uint8_t multiple; /* sectors of a block in READ MULTIPLE; 0: not set */
    bool write_cache; /* [atomic] */
    bool has_ncq_error;
    uint8_t ncq_error[16]; /* the head of log page 10h */

    char *drive_id, *serial, *model, *bootindex;
    uint64_t unit, wwn, rotation;
    int werror, rerror; /* drive_errors.h */
    uint64_t cyls, heads, secs; /* 0: by the disk's size */
    int translation;            /* ATA_TRANS_...: what the BIOS is told */
};
enum { ATA_TRANS_NONE, ATA_TRANS_LBA, ATA_TRANS_LARGE, ATA_TRANS_RECHS, ATA_TRANS_AUTO };
extern const char *const ata_translations[];

/** ata_data - which way a command's data goes.  ata_length - how many bytes; false: the command is wrong, or there
 * is none of that name: it is aborted. */
enum ata_data ata_data(const struct ata_cmd *c);
bool ata_length(const struct ata_cmd *c, uint64_t *len);
static inline bool ata_is_ncq(const struct ata_cmd *c)
{
    return c->command == 0x60 || c->command == 0x61;
}
/** ata_run - do it.  Blocks; without the machine's lock. */
void ata_run(struct ata_disk *d, struct ata_cmd *c);
void ata_reset(struct ata_disk *d);

enum { ATA_PACKET = 0xa0, ATA_IDENTIFY_PACKET = 0xa1, ATAPI_PACKET = 12, ATAPI_BLOCK = 2048 };
/** atapi_length - bytes that a packet may move at most, by its allocation length or count; *out: to the drive. */
uint64_t atapi_length(const uint8_t packet[static ATAPI_PACKET], bool *out);
/** atapi_run - do what c->cdb says; the registers of the answer.  Blocks; without the machine's lock. */
void atapi_run(struct ata_disk *d, struct scsi_cmd *c, uint8_t *status, uint8_t *error);
/** ata_identify_packet - 512 bytes for IDENTIFY PACKET DEVICE. */
void ata_identify_packet(const struct ata_disk *d, uint8_t b[static 512]);
/** ata_geometry - of a disk, as old programs count (words 1, 3 and 6 of its identification). */
struct ata_geometry {
    uint16_t cyls;
    uint8_t heads, sectors;
};
struct ata_geometry ata_geometry(const struct ata_disk *d);
/** ata_find_geometry - a new disk's: checks what the user said, or looks at the disk.  ata_translation - not ATA_TRANS_AUTO. */
int ata_find_geometry(struct ata_disk *d, struct err *e);
unsigned ata_translation(const struct ata_disk *d);
/** ata_put_text - words of identification: the first character in the high byte, spaces behind. */
void ata_put_text(uint8_t *b, unsigned word, unsigned words, const char *text);

/** struct ide_bus - one that a controller offers, for one or two disks; their devices find themselves in disk[]. */
struct ide_bus {
    struct bus bus;
    unsigned units; /* 1 or 2 */
    bool serial;    /* a port of Serial ATA */
    struct ata_disk *disk[2];
    void (*changed)(struct ide_bus *b); /* a disk has come or gone; may be NULL */
};
void ide_bus_init(struct ide_bus *b, struct dev *owner, const char *name, unsigned units);

#endif
