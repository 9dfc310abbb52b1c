/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A channel of a parallel ATA controller (PIIX, ISA): the command block (eight ports), the control block (one), two drives, and, when
 * the controller gives it, DMA.
 *
 * Commands that touch a medium run on the channel's thread, which gives up the machine's lock meanwhile; everything else is under it.
 * Source: ATA/ATAPI-6, T13/1410D, chapters 7 (registers) and 9 (protocols); SFF-8020i 2.6 for packets.
 */
#ifndef DEV_IDE_IDE_CHANNEL_H
#define DEV_IDE_IDE_CHANNEL_H

#include "dev/drive_errors.h"
#include "dev/ide/ata.h"
#include "dev/scsi/scsi.h"

#include <pthread.h>

enum { IDE_BUFFER = 64 << 10, IDE_MAX_IOV = 1024 };

/** struct ide_dma - of a channel's controller.  Constant. */
struct ide_dma {
    /** map - guest memory of the present transfer, at most @len bytes, into ch->iov; how many bytes; ch->n_iov. */
    uint64_t (*map)(void *opaque, uint64_t len, bool to_memory);
    /** unmap - ch->iov is no longer used.  done - the command has ended (all of its bytes were moved, or it failed). */
    void (*unmap)(void *opaque, bool to_memory);
    void (*done)(void *opaque, bool failed);
};

/** struct ide_regs - a drive's registers: [0] the present value, [1] the previous (48-bit commands). */
struct ide_regs {
    uint8_t feature[2], count[2], low[2], mid[2], high[2];
    uint8_t status, error;
};

enum ide_phase {
    IDE_IDLE,
    IDE_BUSY,   /* the thread works */
    IDE_IN,     /* the guest fetches data[at..block_end) */
    IDE_OUT,    /* or gives */
    IDE_PACKET, /* gives a packet */
    IDE_DMA     /* waits for the controller's transfer to be started */
};

/* How the command in work begins anew when the machine runs on: it waited for the host when the state was saved. */
enum ide_again { IDE_NOT_AGAIN, IDE_AGAIN, IDE_AGAIN_DMA };

struct ide_channel {
    struct ide_bus bus; /* of disks; first */
    /* Set by the owner before ide_channel_init. */
    struct dev *dev;
    void (*irq)(void *opaque, bool level);
    const struct ide_dma *dma; /* NULL: none */
    void *opaque;              /* of both */

    struct mem command, control;
    struct ide_regs regs[2];
    uint8_t device, device_control;
    uint8_t interrupt; /* pending; the line is masked by nIEN */
    uint8_t phase;     /* enum ide_phase */
    uint8_t opcode;    /* of the command in work */
    uint8_t packet[ATAPI_PACKET];
    uint8_t heads, spt; /* of INITIALIZE DEVICE PARAMETERS; 0: the disk's own */
    uint8_t ready;      /* the controller's transfer is started */
    uint8_t again;      /* enum ide_again */
    uint8_t data[IDE_BUFFER];
    uint32_t at, block_end, end; /* in data: next byte; end of what is shown at once; end of what is there */
    uint64_t lba;
    uint32_t left;      /* sectors (blocks of a CD) that have not been in data yet; PIO */

    /* The job of the thread.  [lock] unless noted */
    struct ata_disk *disk; /* stays until the job has ended */
    struct ata_cmd ata;
    struct scsi_cmd scsi;
    struct drive_wait wait; /* for the machine to run again */
    struct iovec iov[IDE_MAX_IOV];
    unsigned n_iov;
    uint8_t status, error;  /* its answer */
    bool packet_job, dma_job, to_memory;
    bool gave_up;           /* it waited for room, and was cancelled */
    bool wanted, working, finished, gone, has_thread;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake, calm;
};

extern const struct state ide_channel_state[];

/** ide_channel_init - makes the memory and the bus, called @bus_name.  ide_channel_fini - the reverse but for the bus. */
void ide_channel_init(struct ide_channel *c, const char *bus_name);
void ide_channel_fini(struct ide_channel *c);
void ide_channel_reset(struct ide_channel *c);
/** ide_channel_saving, _loaded - for the owner's. */
void ide_channel_saving(struct ide_channel *c);
int ide_channel_loaded(struct ide_channel *c, struct err *e);
/** ide_channel_start - the controller's transfer may begin (@on) or may not any more. */
void ide_channel_start(struct ide_channel *c, bool on);

/* Between ide_channel.c and ide_job.c. */
/** ide_job_run - c->ata or c->scsi, on the thread; then ide_job_done() under the machine's lock. */
void ide_job_run(struct ide_channel *c);
void ide_job_done(struct ide_channel *c);
/** ide_job_again - what ide_job_run() was called for, anew. */
void ide_job_again(struct ide_channel *c, bool dma);
/** ide_job_drain - it has ended when this returns, or is to begin again (c->again); with @forget nobody is told. */
void ide_job_drain(struct ide_channel *c, bool forget);
void ide_job_init(struct ide_channel *c);
void ide_job_fini(struct ide_channel *c);

#endif
