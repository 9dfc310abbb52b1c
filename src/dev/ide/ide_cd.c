/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "ide-cd": a CD drive on a bus of an ATA controller.  Packets are SCSI commands (SFF-8020i 2.6; ATA/ATAPI-6, T13/1410D; MMC-6): a
 * scsi-cd on a bus inside of the drive does them.
 */
#include "dev/drive_errors.h"
#include "dev/ide/ata.h"

#include "base/bytes.h"
#include "dev/scsi/scsi.h"

#include <errno.h>
#include <stdio.h>

struct ide_cd {
    struct ata_disk ata;
    struct scsi_bus scsi;
    char *ver;
};

enum { READ_10 = 0x28, READ_12 = 0xa8, READ_CD = 0xbe, MODE_SELECT_6 = 0x15, MODE_SELECT_10 = 0x55 };

uint64_t atapi_length(const uint8_t p[static ATAPI_PACKET], bool *out)
{
    *out = p[0] == MODE_SELECT_6 || p[0] == MODE_SELECT_10;
    switch (p[0]) {
    case READ_10: return (uint64_t)get_be16(p + 7) * ATAPI_BLOCK;
    case READ_12: return (uint64_t)get_be32(p + 6) * ATAPI_BLOCK;
    case READ_CD: return (uint64_t)(get_be32(p + 5) & 0xffffff) * ATAPI_BLOCK;
    case 0x03: /* REQUEST SENSE, INQUIRY, MODE SENSE(6) and SELECT(6) */
    case 0x12:
    case 0x1a:
    case MODE_SELECT_6: return p[4];
    case 0x25: return 8; /* READ CAPACITY */
    case 0x42: /* READ SUBCHANNEL, TOC, configuration, events, information; MODE SENSE(10) and SELECT(10) */
    case 0x43:
    case 0x46:
    case 0x4a:
    case 0x51:
    case 0x52:
    case 0x5a:
    case MODE_SELECT_10: return get_be16(p + 7);
    case 0xbd: return get_be16(p + 8);
    case 0xad: return get_be16(p + 8); /* READ DISC STRUCTURE */
    case 0xac: return 65536;           /* GET PERFORMANCE */
    }
    return 0;
}

void atapi_run(struct ata_disk *d, struct scsi_cmd *c, uint8_t *status, uint8_t *error)
{
    uint8_t key = 0;

    if (!scsi_bus_run(d->atapi, 0, 0, 0, c))
        key = KEY_NOT_READY;
    else if (c->status != SCSI_GOOD)
        key = c->sense[2] & 15;
    *status = ATA_DRDY | (key ? ATA_ERR : 0);
    *error = key ? (uint8_t)(key << 4 | (key == KEY_ILLEGAL ? ATA_ABRT : 0)) : 0;
}

void ata_identify_packet(const struct ata_disk *d, uint8_t b[static 512])
{
    const struct ide_cd *cd = (const struct ide_cd *)d;
    uint8_t sum = 0;

    memset(b, 0, 512);
    put_le16(b, 0x85c0); /* ATAPI, CD, removable, packets of 12 bytes, taken at once */
    ata_put_text(b, 10, 10, d->serial ? d->serial : "QM00003");
    ata_put_text(b, 23, 4, cd->ver);
    ata_put_text(b, 27, 20, d->model ? d->model : "QEMU DVD-ROM");
    put_le16(b + 2 * 48, 1);
    put_le16(b + 2 * 49, 0x0b00); /* DMA, LBA, IORDY */
    put_le16(b + 2 * 53, 7);
    put_le16(b + 2 * 63, 7);
    put_le16(b + 2 * 64, 3);
    for (unsigned w = 65; w <= 68; w++)
        put_le16(b + 2 * w, 180);
    put_le16(b + 2 * 71, 30);
    put_le16(b + 2 * 72, 30);
    put_le16(b + 2 * 80, 0x1e);
    put_le16(b + 2 * 82, 1 << 14 | 1 << 9 | 1 << 4); /* NOP, DEVICE RESET, PACKET */
    put_le16(b + 2 * 83, 1 << 14);
    put_le16(b + 2 * 84, 1 << 14);
    put_le16(b + 2 * 85, 1 << 14 | 1 << 9 | 1 << 4);
    put_le16(b + 2 * 87, 1 << 14);
    put_le16(b + 2 * 88, 0x203f);
    b[510] = 0xa5;
    for (int i = 0; i < 511; i++)
        sum += b[i];
    b[511] = -sum;
}

static bool always_full(const struct bus *bus)
{
    return true;
}

static int init(struct dev *dev, struct err *e)
{
    static const struct scsi_host host;
    struct ide_cd *cd = (struct ide_cd *)dev;
    struct json_object *o = json_object_new_object();
    char name[80];

    snprintf(name, sizeof(name), "%.40s-%u.packets", dev->parent->name, (unsigned)cd->ata.unit);
    cd->scsi.host = &host;
    scsi_bus_init(&cd->scsi, dev, name);
    json_object_object_add(o, "product", json_object_new_string("QEMU DVD-ROM"));
    json_object_object_add(o, "ver", json_object_new_string(cd->ver));
    json_object_object_add(o, "rerror", json_object_new_string(drive_error_actions[cd->ata.rerror]));
    json_object_object_add(o, "werror", json_object_new_string(drive_error_actions[cd->ata.werror]));
    if (cd->ata.drive_id)
        json_object_object_add(o, "drive", json_object_new_string(cd->ata.drive_id));
    if (!dev_new(dev->m, "scsi-cd", NULL, &cd->scsi.bus, o, e))
        return e->code;
    cd->scsi.bus.full = always_full; /* for others */
    cd->ata.atapi = &cd->scsi;
    ata_reset(&cd->ata);
    return 0;
}

static void reset(struct dev *dev)
{
    ata_reset((struct ata_disk *)dev);
}

static void fini(struct dev *dev)
{
    scsi_bus_fini(&((struct ide_cd *)dev)->scsi);
}

static const struct field props[] = {
    FIELD(ide_cd, ata.drive_id, F_STR, "drive", NULL, "ID of the disc; none: an empty drive"),
    FIELD(ide_cd, ata.serial, F_STR, "serial", NULL, "serial number, up to 20 characters"),
    FIELD(ide_cd, ata.model, F_STR, "model", NULL, "model, up to 40 characters"),
    FIELD(ide_cd, ver, F_STR, "ver", "2.5+", "4 characters"),
    FIELD(ide_cd, ata.unit, F_U64, "unit", "4294967295", "place on the bus; 4294967295: the next"),
    FIELD(ide_cd, ata.wwn, F_U64, "wwn", "0", "World Wide Name; 0: none"),
    FIELD_ENUM(ide_cd, ata.werror, drive_error_actions, "werror", "auto", "when a write fails"),
    FIELD_ENUM(ide_cd, ata.rerror, drive_error_actions, "rerror", "auto", "when a read fails"),
    FIELD(ide_cd, ata.bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD_END,
};

const struct dev_type dev_ide_cd = {
    .name = "ide-cd",
    .help = "virtual IDE CD-ROM",
    .class = DEV_STORAGE,
    .bus = "ide",
    .size = sizeof(struct ide_cd),
    .props = props,
    .init = init,
    .reset = reset,
    .fini = fini,
};
