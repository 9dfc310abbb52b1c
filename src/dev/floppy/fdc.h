/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The floppy disk controller of a PC ("isa-fdc") and its drives ("floppy", on the bus that it offers, kind "floppy-bus").
 * Under the machine's lock; images are read and written under it, too: floppy disks are small and slow.
 */
#ifndef DEV_FLOPPY_FDC_H
#define DEV_FLOPPY_FDC_H

#include "block/drive.h"
#include "bus/machine.h"

enum { FDC_DRIVES = 2 };

/* Kinds of drives, by the numbers that CMOS byte 10h has for them. */
enum floppy_type { FLOPPY_NONE = 0, FLOPPY_120 = 2, FLOPPY_144 = 4, FLOPPY_288 = 5 };

/** struct floppy_format - of a medium. */
struct floppy_format {
    uint16_t sectors_all; /* of the image */
    uint8_t tracks, heads, sectors;
    uint8_t rates; /* data rates that read it: bits 0: 500k, 1: 300k, 2: 250k, 3: 1M */
    uint8_t type;  /* of a drive that takes it, enum floppy_type */
};

/** struct floppy - "floppy". */
struct floppy {
    struct dev dev;
    struct drive *drive; /* NULL: always empty */
    const struct floppy_format *format; /* NULL: no medium */
    bool read_only;
    uint8_t changed; /* the disk change line */
    uint8_t track;   /* where the heads are */
    char *drive_id;
    uint64_t unit;
    int type_prop;
};

/** floppy_type - enum floppy_type of a drive: what the user said; else @forced; else what its disk needs; else @fallback.  Both are
 * indices of floppy_types, 0: auto. */
uint8_t floppy_type(const struct floppy *f, int forced, int fallback);
extern const char *const floppy_types[];

struct fdc_bus {
    struct bus bus;
    struct floppy *floppy[FDC_DRIVES];
};
void fdc_bus_init(struct fdc_bus *b, struct dev *owner);

/** floppy_io - one sector of 512 bytes; 0 or -errno. */
int floppy_io(struct floppy *f, unsigned head, unsigned sector, uint8_t buf[static 512], bool write);

/** fdc_add_drives - "floppy" for each drive with if=floppy, on the first floppy-bus.  0, or -errno with a message. */
int fdc_add_drives(struct machine *m, struct err *e);
/** fdc_cmos - byte 10h of CMOS: types of drive A in the upper half, of B in the lower. */
uint8_t fdc_cmos(const struct dev *fdc);

#endif
