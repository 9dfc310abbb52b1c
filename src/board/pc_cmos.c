/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a PC's CMOS says of memory, drives and chips.  Sources: IBM PC/AT Technical Reference; R. Brown's CMOS list; byte 39h: SeaBIOS. */
#include "board/pc.h"

#include "dev/floppy/fdc.h"
#include "dev/ide/ata.h"
#include "dev/rtc/mc146818.h"

static void cmos16(struct pc *p, unsigned reg, uint64_t v)
{
    v = min_u64(v, 0xffff);
    mc146818_set(p->rtc, reg, v & 0xff);
    mc146818_set(p->rtc, reg + 1, v >> 8);
}

/* Sizes: conventional in KiB, the rest in KiB from 1 MiB and in 64 KiB from 16 MiB and from 4 GiB on. */
void pc_tell_cmos_memory(struct pc *p)
{
    uint64_t ext = p->low > MiB ? (p->low - MiB) / KiB : 0;

    cmos16(p, CMOS_BASE_LO, 640);
    cmos16(p, CMOS_EXT_LO, ext);
    cmos16(p, 0x30, ext);
    cmos16(p, 0x34, p->low > 16 * MiB ? (p->low - 16 * MiB) / (64 * KiB) : 0);
    for (unsigned i = 0; i < 3; i++)
        mc146818_set(p->rtc, 0x5b + i, (p->high >> 16) >> 8 * i & 0xff);
}

static void cmos_equipment(struct pc *p)
{
    enum { FLOPPY = 1, FPU = 2, MOUSE = 4, SECOND_FLOPPY = 0x40 };
    uint8_t types = p->fdc ? fdc_cmos(p->fdc) : 0;
    bool both = types & 0xf0 && types & 0x0f;

    mc146818_set(p->rtc, CMOS_FLOPPY, types);
    mc146818_set(p->rtc, CMOS_EQUIPMENT,
                 FPU | (p->i8042 ? MOUSE : 0) | (types ? FLOPPY : 0) | (both ? SECOND_FLOPPY : 0));
}

/* --- Disks of the two old channels --- */

enum { CMOS_DISKS = 0x12, CMOS_DISK_TYPE = 0x19, CMOS_DISK_PARAMS = 0x1b, DISK_PARAMS = 9, CMOS_DISK_TRANSLATION = 0x39 };
enum { USER_DEFINED = 47, MANY_HEADS = 0xc8, FEW_HEADS = 0xc0 };

static const struct ata_disk *disk_of(struct pc *p, unsigned n)
{
    const struct ide_bus *b = (const struct ide_bus *)bus_find(p->m, n / 2 ? "ide.1" : "ide.0");
    const struct ata_disk *d = b ? b->disk[n % 2] : NULL;

    return d && d->drive && !d->atapi ? d : NULL;
}

/* Nine bytes: cylinders, heads, where precompensation begins (nowhere), control, landing zone, sectors. */
static void cmos_disk(struct pc *p, unsigned n, const struct ata_geometry *g)
{
    unsigned at = CMOS_DISK_PARAMS + n * DISK_PARAMS;

    mc146818_set(p->rtc, CMOS_DISK_TYPE + n, g ? USER_DEFINED : 0);
    for (unsigned i = 0; i < DISK_PARAMS; i++)
        mc146818_set(p->rtc, at + i, 0);
    if (!g)
        return;
    cmos16(p, at, g->cyls);
    mc146818_set(p->rtc, at + 2, g->heads);
    cmos16(p, at + 3, 0xffff);
    mc146818_set(p->rtc, at + 5, g->heads > 8 ? MANY_HEADS : FEW_HEADS);
    cmos16(p, at + 6, g->cyls);
    mc146818_set(p->rtc, at + 8, g->sectors);
}

/* Two bits for each disk: how the BIOS counts, for INT 13h has 10 bits for cylinders (enum ATA_TRANS_...). */
static void cmos_disks(void *opaque)
{
    struct pc *p = opaque;
    uint8_t types = 0, translation = 0;

    for (unsigned n = 0; n < 4; n++) {
        const struct ata_disk *d = disk_of(p, n);
        struct ata_geometry g = d ? ata_geometry(d) : (struct ata_geometry){0};

        translation |= (d ? ata_translation(d) : 0) << 2 * n;
        if (n < 2)
            cmos_disk(p, n, d ? &g : NULL);
        if (n < 2 && d)
            types |= n ? 0x0f : 0xf0;
    }
    mc146818_set(p->rtc, CMOS_DISKS, types);
    mc146818_set(p->rtc, CMOS_DISK_TRANSLATION, translation);
}

void pc_tell_cmos(struct pc *p)
{
    pc_tell_cmos_memory(p);
    cmos_equipment(p);
    machine_on_reset(p->m, cmos_disks, p);
}
