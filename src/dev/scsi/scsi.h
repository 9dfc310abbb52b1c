/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SCSI: a bus, logical units on it, commands.  SAM-5, SPC-4, SBC-3, MMC-6 (T10).  A controller (virtio-scsi, megasas, lsi53c895a) offers the bus;
 * units are devices scsi-hd and scsi-cd.
 *
 * Threads: the bus changes under the machine's lock and, for writing, under its own; scsi_bus_run, which blocks,
 * comes from any thread without the machine's lock.
 */
#ifndef DEV_SCSI_SCSI_H
#define DEV_SCSI_SCSI_H

#include "block/drive.h"
#include "bus/machine.h"

#include <pthread.h>
#include <sys/uio.h>

enum { SCSI_SENSE = 18, SCSI_CDB = 32, SCSI_UNITS = 1024 };
enum { SCSI_GOOD = 0, SCSI_CHECK_CONDITION = 2 };

/** struct scsi_sense - key, additional code << 8 | qualifier; SPC-4, tables 48 and following. */
struct scsi_sense {
    uint8_t key;
    uint16_t asc;
};
enum {
    KEY_NONE = 0,
    KEY_NOT_READY = 2,
    KEY_MEDIUM = 3,
    KEY_HARDWARE = 4,
    KEY_ILLEGAL = 5,
    KEY_ATTENTION = 6,
    KEY_PROTECT = 7
};
#define SENSE_OK            ((struct scsi_sense){0, 0})
#define SENSE_BAD_OPCODE    ((struct scsi_sense){KEY_ILLEGAL, 0x2000})
#define SENSE_BAD_LBA       ((struct scsi_sense){KEY_ILLEGAL, 0x2100})
#define SENSE_BAD_FIELD     ((struct scsi_sense){KEY_ILLEGAL, 0x2400})
#define SENSE_BAD_LUN       ((struct scsi_sense){KEY_ILLEGAL, 0x2500})
#define SENSE_BAD_PARAM     ((struct scsi_sense){KEY_ILLEGAL, 0x2600})
#define SENSE_BAD_PARAM_LEN ((struct scsi_sense){KEY_ILLEGAL, 0x1a00})
#define SENSE_NO_REMOVAL    ((struct scsi_sense){KEY_ILLEGAL, 0x5302})
#define SENSE_NO_MEDIUM     ((struct scsi_sense){KEY_NOT_READY, 0x3a00})
#define SENSE_TRAY_OPEN     ((struct scsi_sense){KEY_NOT_READY, 0x3a02})
#define SENSE_STOPPED       ((struct scsi_sense){KEY_NOT_READY, 0x0402})
#define SENSE_PROTECTED     ((struct scsi_sense){KEY_PROTECT, 0x2700})
#define SENSE_READ_ERROR    ((struct scsi_sense){KEY_MEDIUM, 0x1100})
#define SENSE_WRITE_ERROR   ((struct scsi_sense){KEY_MEDIUM, 0x0c00})
#define SENSE_NO_SPACE      ((struct scsi_sense){KEY_PROTECT, 0x2707})
#define SENSE_POWER_ON      ((struct scsi_sense){KEY_ATTENTION, 0x2900})
#define SENSE_MEDIUM_NEW    ((struct scsi_sense){KEY_ATTENTION, 0x2800})
#define SENSE_SIZE_CHANGED  ((struct scsi_sense){KEY_ATTENTION, 0x2a09})
#define SENSE_LUNS_CHANGED  ((struct scsi_sense){KEY_ATTENTION, 0x3f0e})

/** struct scsi_cmd - one command; the first part is the controller's, the rest the unit's answer. */
struct scsi_cmd {
    uint8_t cdb[SCSI_CDB];
    uint32_t lun;            /* that the initiator named */
    const struct iovec *out; /* data from the initiator */
    unsigned n_out;
    uint64_t out_len;
    const struct iovec *in; /* data to it */
    unsigned n_in;
    uint64_t in_len;

    bool may_wait;           /* the controller can try it again, see @again */

    bool again;              /* the host's disk failed and the machine stops: to be tried again when it runs (drive_errors.h) */
    uint8_t status;
    uint8_t sense[SCSI_SENSE];
    unsigned sense_len;
    uint64_t moved; /* bytes of data, in the command's direction */
};

struct scsi_unit;

/** struct scsi_unit_ops - a kind of unit.  Constant. */
struct scsi_unit_ops {
    /** run - the command but for what all units do alike (REPORT LUNS, REQUEST SENSE, unit attentions). */
    struct scsi_sense (*run)(struct scsi_unit *u, struct scsi_cmd *c);
    void (*inquiry)(struct scsi_unit *u, uint8_t *type, bool *removable);
};

/** struct scsi_unit - a device's first member.  What has no other note is under @lock. */
struct scsi_unit {
    struct dev dev;
    struct scsi_bus *bus;
    const struct scsi_unit_ops *ops;
    uint32_t channel, target, lun;
    uint32_t block; /* bytes of a logical block, for CDBs that count them */
    bool cd;        /* MMC's commands, not SBC's */
    pthread_mutex_t lock;
    struct scsi_sense attention; /* to be reported first; key 0: none */
    uint8_t sense[SCSI_SENSE];   /* of the last command that failed: for REQUEST SENSE */

    uint64_t p_channel, p_target, p_lun;
};
#define SCSI_FIELDS(type, m)                                                                       \
    FIELD(type, m.p_channel, F_U64, "channel", "0", "channel of the bus"),                         \
        FIELD(type, m.p_target, F_U64, "scsi-id", "4294967295", "target; 4294967295: the next"),   \
        FIELD(type, m.p_lun, F_U64, "lun", "4294967295", "logical unit; 4294967295: the next")

/** struct scsi_host - what the controller is told, under the machine's lock.  Constant. */
struct scsi_host {
    /** plugged, unplugged - a unit has come or gone while the machine runs.  noted - it has something to say. */
    void (*plugged)(void *opaque, struct scsi_unit *u);
    void (*unplugged)(void *opaque, struct scsi_unit *u);
    void (*noted)(void *opaque, struct scsi_unit *u, struct scsi_sense what);
};

struct scsi_bus {
    struct bus bus;
    const struct scsi_host *host;
    void *opaque;
    uint32_t max_channel, max_target, max_lun;
    uint32_t own; /* the controller's own target number, +1; 0: it has none */
    pthread_rwlock_t lock; /* held for writing while units change, for reading while commands run */
    struct scsi_unit *unit[SCSI_UNITS];
    unsigned n;
};

/** scsi_bus_init - with host, opaque and limits set; then the bus is added to @owner, called @name. */
void scsi_bus_init(struct scsi_bus *b, struct dev *owner, const char *name);
void scsi_bus_fini(struct scsi_bus *b);
/** scsi_bus_run - the command for a unit; false: there is no such target.  Blocks. */
bool scsi_bus_run(struct scsi_bus *b, uint32_t channel, uint32_t target, uint32_t lun,
                  struct scsi_cmd *c);
/** scsi_bus_moves - scsi_cdb_moves for the unit that would run it; false: there is no such target. */
bool scsi_bus_moves(struct scsi_bus *b, uint32_t target, uint32_t lun, const uint8_t *cdb, uint64_t *len, bool *out);
/** scsi_bus_reset - all units that match (UINT32_MAX: any) report a reset; returns how many. */
unsigned scsi_bus_reset(struct scsi_bus *b, uint32_t target, uint32_t lun);

/* For units. */
void scsi_unit_init(struct scsi_unit *u, const struct scsi_unit_ops *ops);
void scsi_unit_fini(struct scsi_unit *u);
/** scsi_attention - report @s with the next command; the controller is told.  Under the machine's lock. */
void scsi_attention(struct scsi_unit *u, struct scsi_sense s);
/** scsi_reply - @len bytes to the initiator, cut to @alloc, what it has room for; SENSE_OK. */
struct scsi_sense scsi_reply(struct scsi_cmd *c, const void *buf, size_t len, size_t alloc);
/** scsi_take - the first @len bytes from the initiator; how many there are. */
size_t scsi_take(struct scsi_cmd *c, void *buf, size_t len);
/** scsi_cdb_len - by group of the operation code, SPC-4 4.2.5.1; 0: unknown. */
unsigned scsi_cdb_len(uint8_t opcode);
/** scsi_cdb_moves - how many bytes the command moves at most, for a unit with blocks of @block bytes; *@out: from the initiator. */
uint64_t scsi_cdb_moves(const uint8_t *cdb, uint32_t block, bool cd, bool *out);

#endif
