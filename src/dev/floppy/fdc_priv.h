/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The floppy disk controller's state, for fdc.c (registers, commands, moving heads) and fdc_transfer.c (data). */
#ifndef DEV_FLOPPY_FDC_PRIV_H
#define DEV_FLOPPY_FDC_PRIV_H

#include "dev/floppy/fdc.h"

enum { SRA, SRB, DOR, TDR, MSR, FIFO, DIR = 7 };
enum { DOR_DRIVE = 3, DOR_RUN = 4, DOR_DMA = 8 };
enum { MSR_BUSY = 0x10, MSR_NDMA = 0x20, MSR_DIO = 0x40, MSR_RQM = 0x80, DSR_RESET = 0x80 };
enum { ST0_SEEK = 0x20, ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_POLLED = 0xc0 };
enum { ST1_MA = 0x01, ST1_NW = 0x02, ST1_ND = 0x04, ST1_DE = 0x20, ST1_EN = 0x80, ST2_WC = 0x10 };
enum { CFG_EIS = 0x40, CFG_POLL_OFF = 0x10 };
enum { LAST_TRACK = 84, SECTOR = 512, SECTOR_N = 2 };
enum { SEEK_NS = 500000, WORK_NS = 100000 };
enum {
    READ_TRACK = 0x02,
    SPECIFY = 0x03,
    SENSE_DRIVE = 0x04,
    WRITE = 0x05,
    READ = 0x06,
    RECALIBRATE = 0x07,
    SENSE_INTERRUPT = 0x08,
    WRITE_DELETED = 0x09,
    READ_ID = 0x0a,
    READ_DELETED = 0x0c,
    FORMAT = 0x0d,
    DUMPREG = 0x0e,
    SEEK = 0x0f,
    VERSION = 0x10,
    PERPENDICULAR = 0x12,
    CONFIGURE = 0x13,
    LOCK = 0x14,
    VERIFY = 0x16,
    POWERDOWN = 0x17,
    PART_ID = 0x18,
};
enum phase { IDLE, COMMAND, WORK /* the timer runs */, TO_HOST, FROM_HOST, WAIT_DMA, RESULT };

struct fdc {
    struct dev dev;
    struct fdc_bus bus;
    uint8_t dor, dsr, tdr, ccr;
    uint8_t phase;                /* enum phase */
    uint8_t cmd[9], cmd_n, cmd_len;
    uint8_t result[10], result_n, result_at;
    uint8_t interrupt;
    uint8_t sense;                /* drives whose interrupt has not been asked for */
    uint8_t sense_st0[4];
    uint8_t specify[2], config[2], perpendicular, locked, seeking;
    uint8_t cylinder[4];          /* where the controller thinks the heads are */
    uint8_t data[SECTOR];
    uint16_t at, end;             /* of data */
    uint8_t head, sector; /* of the transfer */
    uint8_t tc, write, formatted; /* terminal count; to the disk; sectors that FORMAT has done */
    struct timer timer;
    struct mem ports, dir;
    uint64_t iobase, irq, dma;
    int fd_type[2], fallback;
};

static inline unsigned fdc_unit(const struct fdc *f)
{
    return f->cmd[1] & 3;
}

/* The drive that the command names; NULL: none is connected. */
static inline struct floppy *fdc_drive(const struct fdc *f)
{
    return fdc_unit(f) < FDC_DRIVES ? f->bus.floppy[fdc_unit(f)] : NULL;
}

static inline unsigned fdc_op(const struct fdc *f)
{
    return f->cmd[0] & 0x1f;
}

static inline bool fdc_without_dma(const struct fdc *f)
{
    return f->specify[1] & 1;
}

/* fdc.c.  fdc_answer - @n bytes of result; @tell: and the interrupt.  fdc_step - drive @n's heads to a track. */
void fdc_interrupt(struct fdc *f, bool on);
void fdc_answer(struct fdc *f, const uint8_t *r, unsigned n, bool tell);
void fdc_step(struct fdc *f, unsigned n, unsigned track);

/* fdc_transfer.c.  What the command at hand does; they end with an answer, or wait for the host or the DMA channel. */
void fdc_start_transfer(struct fdc *f);
void fdc_start_format(struct fdc *f);
void fdc_read_id(struct fdc *f);
void fdc_dma_ready(void *opaque);
/* After a whole sector came through the FIFO: true, more may follow; then the next one into data. */
bool fdc_sector_done(struct fdc *f);
bool fdc_fetch_sector(struct fdc *f);
bool fdc_format_sector(struct fdc *f);

#endif
