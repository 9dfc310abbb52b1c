/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ide-hd: a disk on a bus of an ATA controller; and these buses. */
#include "base/bytes.h"
#include "dev/backends.h"
#include "dev/drive_errors.h"
#include "dev/ide/ata.h"

#include <errno.h>

static const struct field props[] = {
    FIELD(ata_disk, drive_id, F_STR, "drive", NULL, "ID of the disk"),
    FIELD(ata_disk, serial, F_STR, "serial", NULL, "serial number, up to 20 characters"),
    FIELD(ata_disk, model, F_STR, "model", NULL, "model, up to 40 characters"),
    FIELD(ata_disk, unit, F_U64, "unit", "4294967295", "place on the bus; 4294967295: the next"),
    FIELD(ata_disk, wwn, F_U64, "wwn", "0", "World Wide Name; 0: none"),
    FIELD(ata_disk, rotation, F_U64, "rotation_rate", "0",
          "revolutions per minute; 1: none, a solid-state disk"),
    FIELD(ata_disk, cyls, F_U64, "cyls", "0", "cylinders; 0: as the disk says"),
    FIELD(ata_disk, heads, F_U64, "heads", "0", "heads"),
    FIELD(ata_disk, secs, F_U64, "secs", "0", "sectors of a track"),
    FIELD_ENUM(ata_disk, translation, ata_translations, "bios-chs-trans", "auto", "how the BIOS counts"),
    DRIVE_ERROR_FIELDS(ata_disk),
    FIELD(ata_disk, bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD_END,
};

static const struct state state[] = {
    STATE(ata_disk, multiple, S_U8, 1, "sectors of a block"),
    STATE(ata_disk, write_cache, S_BOOL, 1, NULL),
    STATE(ata_disk, has_ncq_error, S_BOOL, 1, NULL),
    STATE(ata_disk, ncq_error, S_U8, 1, "head of log page 10h"),
    STATE_END,
};

static int plug(struct bus *bus, struct dev *dev, struct err *e)
{
    struct ide_bus *b = (struct ide_bus *)bus;
    struct ata_disk *d = (struct ata_disk *)dev;

    if (dev->hotplugged)
        return err_set(e, -ENOTSUP, "Bus '%s' does not support hotplugging", bus->name);
    for (unsigned i = 0; i < b->units && d->unit == UINT32_MAX; i++)
        if (!b->disk[i])
            d->unit = i;
    if (d->unit >= b->units)
        return d->unit == UINT32_MAX
                   ? err_set(e, -ENOSPC, "No room on bus '%s'", bus->name)
                   : err_set(e, -EINVAL, "Can't create IDE unit %llu, bus supports only %u units",
                             (unsigned long long)d->unit, b->units);
    if (b->disk[d->unit])
        return err_set(e, -EBUSY, "IDE unit %llu is in use", (unsigned long long)d->unit);
    return 0;
}

static int placed(struct bus *bus, struct dev *dev, struct err *e)
{
    struct ide_bus *b = (struct ide_bus *)bus;

    b->disk[((struct ata_disk *)dev)->unit] = (struct ata_disk *)dev;
    if (b->changed)
        b->changed(b);
    return 0;
}

static void unplug(struct bus *bus, struct dev *dev)
{
    struct ide_bus *b = (struct ide_bus *)bus;

    b->disk[((struct ata_disk *)dev)->unit] = NULL;
    if (b->changed)
        b->changed(b);
}

static bool full(const struct bus *bus)
{
    const struct ide_bus *b = (const struct ide_bus *)bus;

    return b->disk[0] && (b->units < 2 || b->disk[1]);
}

void ide_bus_init(struct ide_bus *b, struct dev *owner, const char *name, unsigned units)
{
    b->units = units;
    b->bus.kind = "ide";
    b->bus.plug = plug;
    b->bus.placed = placed;
    b->bus.unplug = unplug;
    b->bus.full = full;
    bus_add(owner, &b->bus, name);
}

static int init(struct dev *dev, struct err *e)
{
    struct ata_disk *d = (struct ata_disk *)dev;
    int r;

    if (!d->drive_id)
        return err_set(e, -EINVAL, "drive property not set");
    if (d->rotation > 0xfffe)
        return err_set(e, -ERANGE, "rotation_rate is at most 65534");
    if ((r = dev_take_drive(dev, d->drive_id, &d->drive, e)) < 0)
        return r;
    if (!d->drive->blk) {
        dev_drop_drive(d->drive);
        return err_set(e, -EINVAL, "Device needs media, but drive is empty");
    }
    d->read_only = d->drive->read_only || !(blk_flags(d->drive->blk) & BLK_RDWR);
    if (d->read_only) {
        dev_drop_drive(d->drive);
        return err_set(e, -EROFS, "Can't use a read-only drive");
    }
    if ((r = ata_find_geometry(d, e)) < 0) {
        dev_drop_drive(d->drive);
        return r;
    }
    ata_reset(d);
    return 0;
}

static void reset(struct dev *dev)
{
    ata_reset((struct ata_disk *)dev);
}

static void fini(struct dev *dev)
{
    dev_drop_drive(((struct ata_disk *)dev)->drive);
}

static int loaded(struct dev *dev, int version, struct err *e)
{
    const struct ata_disk *d = (const struct ata_disk *)dev;

    return d->multiple & (d->multiple - 1) || d->multiple > 16
               ? err_set(e, -EILSEQ, "%u sectors of a block", d->multiple)
               : 0;
}

const struct dev_type dev_ide_hd = {
    .name = "ide-hd",
    .help = "virtual IDE disk",
    .class = DEV_STORAGE,
    .bus = "ide",
    .size = sizeof(struct ata_disk),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
};
