/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What scsi-hd and scsi-cd share: a drive, its blocks, pages of INQUIRY and MODE SENSE. */
#ifndef DEV_SCSI_SCSI_DISK_H
#define DEV_SCSI_SCSI_DISK_H

#include "base/bytes.h"
#include "dev/scsi/scsi.h"

struct sdisk {
    struct scsi_unit u;
    struct drive *drive; /* NULL: none */
    struct blk *blk;     /* the medium, NULL: none; under the bus's lock, which commands hold */
    bool cd, read_only;
    /* Under u.lock. */
    bool tray_open, locked, stopped, wce;
    bool event_new, event_eject; /* for GET EVENT STATUS NOTIFICATION */

    char *p_drive, *p_serial, *p_vendor, *p_product, *p_ver, *p_device_id, *p_bootindex;
    bool removable, dpofua, share_rw;
    int werror, rerror;
    uint64_t wwn, rotation_rate, logical, physical, min_io, opt_io, discard_granularity;
    uint64_t max_unmap, max_io;
};

/* Commands that hard disks and CDs do alike; SENSE_BAD_OPCODE when it is none of them. */
struct scsi_sense sdisk_run(struct sdisk *d, struct scsi_cmd *c);
/** sdisk_ready - is there a medium? */
struct scsi_sense sdisk_ready(struct sdisk *d);
uint64_t sdisk_blocks(const struct sdisk *d);
/** sdisk_read - @n blocks from @lba to the initiator. */
struct scsi_sense sdisk_read(struct sdisk *d, struct scsi_cmd *c, uint64_t lba, uint64_t n);
/** sdisk_inquiry, sdisk_mode_sense, sdisk_mode_select - in scsi_pages.c. */
struct scsi_sense sdisk_inquiry(struct sdisk *d, struct scsi_cmd *c);
struct scsi_sense sdisk_mode_sense(struct sdisk *d, struct scsi_cmd *c);
struct scsi_sense sdisk_mode_select(struct sdisk *d, struct scsi_cmd *c);
/** sdisk_space - UNMAP and WRITE SAME, in scsi_space.c. */
struct scsi_sense sdisk_unmap(struct sdisk *d, struct scsi_cmd *c);
struct scsi_sense sdisk_write_same(struct sdisk *d, struct scsi_cmd *c);
/** sdisk_failed - what becomes of the command when the block layer failed: SENSE_OK when that is to be ignored. */
struct scsi_sense sdisk_failed(struct sdisk *d, struct scsi_cmd *c, bool write, const struct err *e);
/** sdisk_check - does [lba, lba + n) lie on the disk? */
struct scsi_sense sdisk_check(const struct sdisk *d, uint64_t lba, uint64_t n);
unsigned sdisk_write_flags(struct sdisk *d);

/* MMC, in scsi_cd.c. */
struct scsi_sense scd_run(struct sdisk *d, struct scsi_cmd *c);

#endif
