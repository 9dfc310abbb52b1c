/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk as machines have it: an open image and what -drive said about it.  The "drive" back ends of a machine. */
#ifndef BLOCK_DRIVE_H
#define BLOCK_DRIVE_H

#include "block/block.h"

enum drive_if {
    IF_NONE,
    IF_IDE,
    IF_SCSI,
    IF_FLOPPY,
    IF_PFLASH,
    IF_MTD,
    IF_SD,
    IF_VIRTIO,
    IF_DEFAULT,
    IF_NUM
};
enum drive_error { DRIVE_REPORT, DRIVE_IGNORE, DRIVE_STOP, DRIVE_ENOSPC };

/* The program counts what is done with @blk (blk_count); @past: with the media before it. */
struct drive {
    char *id;        /* -drive id=, or node-name of -blockdev; owned */
    struct blk *blk; /* owned; NULL: an empty tray */
    enum drive_if intf;
    int bus, unit, index;
    bool cdrom, read_only, snapshot;
    bool node;   /* of -blockdev: a disk only when a device has it */
    struct blk_stats past;
    char *serial; /* owned, or NULL */
    enum drive_error werror, rerror;
    bool used;   /* a device has it: no second one may */
    bool removable; /* its device lets the medium be changed */
    bool tray_open; /* the medium was taken out */
    void *owner; /* who is told of eject and change, with: */
    /** changed - the medium is another, none, or has another size: the machine's lock is held.  When it returns the device
     * does not use the old one any more. */
    void (*changed)(void *owner, struct drive *d);
};

#endif
