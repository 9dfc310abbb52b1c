/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sectors read, written, verified and formatted, by DMA or through the FIFO; see fdc.c. */
#include "dev/floppy/fdc_priv.h"

#include "dev/isa/isa.h"

#include <string.h>

/* The end: ST0, ST1, ST2 and the address of the sector after the last one. */
static void transfer_ends(struct fdc *f, uint8_t st1, uint8_t st2)
{
    uint8_t c = f->cmd[2], h = f->head, r = f->sector;
    uint8_t st0 = (st1 || st2 ? ST0_ABNORMAL : 0) | (uint8_t)(h << 2) | (uint8_t)fdc_unit(f);

    if (r > f->cmd[6]) { /* past the end of the track */
        r = 1;
        c += !(f->cmd[0] & 0x80) || h;
        h ^= f->cmd[0] & 0x80 ? 1 : 0;
    }
    fdc_answer(f, (uint8_t[]){st0, st1, st2, c, h, r, f->cmd[5]}, 7, true);
}

/* Can this drive and medium be read at the rate that is set? */
static bool rate_fits(const struct fdc *f, const struct floppy *d)
{
    return d->format->rates >> (f->ccr & 3) & 1;
}

/* Is the sector there?  Else *st1 and *st2 say why not. */
static bool sector_there(struct fdc *f, uint8_t *st1, uint8_t *st2)
{
    const struct floppy *d = fdc_drive(f);

    *st1 = *st2 = 0;
    if (!d || !d->format || !rate_fits(f, d) || f->head >= d->format->heads ||
        d->track >= d->format->tracks)
        *st1 = ST1_MA;
    else if (f->cmd[2] != d->track)
        *st1 = ST1_ND, *st2 = ST2_WC;
    else if (f->cmd[5] != SECTOR_N || !f->sector || f->sector > d->format->sectors)
        *st1 = ST1_ND;
    else if (f->write && d->read_only)
        *st1 = ST1_NW;
    return !*st1;
}

/* After a sector: the next one, on the other side if MT says so; false: the track's end. */
static bool next_sector(struct fdc *f)
{
    if (f->sector++ != f->cmd[6])
        return true;
    if (!(f->cmd[0] & 0x80) || f->head)
        return false;
    f->head = 1;
    f->sector = 1;
    return true;
}

static bool verifies(const struct fdc *f)
{
    return fdc_op(f) == VERIFY;
}

static void go_on(struct fdc *f);

/* A sector that the guest gave in full is written; true: more may follow. */
bool fdc_sector_done(struct fdc *f)
{
    struct floppy *d = fdc_drive(f);

    if (f->write && floppy_io(d, f->head, f->sector, f->data, true) < 0) {
        transfer_ends(f, ST1_DE, 0);
        return false;
    }
    if (!next_sector(f)) {
        transfer_ends(f, f->tc || verifies(f) ? 0 : ST1_EN, 0);
        return false;
    }
    if (f->tc) {
        transfer_ends(f, 0, 0);
        return false;
    }
    f->at = 0;
    return true;
}

/* The sector at hand into data. */
bool fdc_fetch_sector(struct fdc *f)
{
    uint8_t st1, st2;

    if (!sector_there(f, &st1, &st2)) {
        transfer_ends(f, st1, st2);
        return false;
    }
    f->at = 0;
    f->end = SECTOR;
    if (f->write) {
        memset(f->data, 0, SECTOR);
    } else if (floppy_io(fdc_drive(f), f->head, f->sector, f->data, false) < 0) {
        transfer_ends(f, ST1_DE, 0x20);
        return false;
    }
    return true;
}

/* As much of the sector as the channel takes; false: it takes nothing now. */
static bool move_by_dma(struct fdc *f)
{
    struct isa_bus *b = isa_bus_of(f->dev.parent);
    bool tc;
    size_t n = isa_dma_move(b, (unsigned)f->dma, f->data + f->at, f->end - f->at, !f->write, &tc);

    f->at += n;
    f->tc |= tc;
    return n;
}

/* Sector after sector: at most two sides of a track. */
static void go_on(struct fdc *f)
{
    for (;;) {
        if (verifies(f))
            f->at = f->end;
        while (f->at < f->end && !f->tc)
            if (!move_by_dma(f)) {
                f->phase = WAIT_DMA;
                return;
            }
        /* a terminal count within a sector: the rest of it is written as zeros */
        if (!fdc_sector_done(f) || !fdc_fetch_sector(f))
            return;
    }
}

void fdc_start_transfer(struct fdc *f)
{
    struct floppy *d = fdc_drive(f);

    f->head = f->cmd[3] & 1;
    f->sector = fdc_op(f) == READ_TRACK ? 1 : f->cmd[4];
    f->write = fdc_op(f) == WRITE || fdc_op(f) == WRITE_DELETED;
    f->tc = 0;
    if (f->config[0] & CFG_EIS && d) { /* implied seek */
        fdc_step(f, fdc_unit(f), f->cmd[2]);
        f->cylinder[fdc_unit(f)] = f->cmd[2];
    }
    if (!fdc_fetch_sector(f))
        return;
    if (!fdc_without_dma(f) || verifies(f)) {
        go_on(f);
        return;
    }
    f->phase = f->write ? FROM_HOST : TO_HOST;
    fdc_interrupt(f, true);
}

/* FORMAT: C, H, R and N of each sector come from the host; its data is the filler. */
static void format_ends(struct fdc *f, uint8_t st1)
{
    uint8_t st0 = (st1 ? ST0_ABNORMAL : 0) | (f->cmd[1] & 7);

    fdc_answer(f, (uint8_t[]){st0, st1, 0, f->data[0], f->data[1], f->data[2], f->data[3]}, 7, true);
}

/* One sector's four bytes are there; true: more are wanted. */
bool fdc_format_sector(struct fdc *f)
{
    struct floppy *d = fdc_drive(f);
    uint8_t fill[SECTOR];

    memset(fill, f->cmd[5], SECTOR);
    if (!d->format || f->data[3] != SECTOR_N || !f->data[2] || f->data[2] > d->format->sectors) {
        format_ends(f, ST1_ND);
        return false;
    }
    if (floppy_io(d, f->cmd[1] >> 2 & 1, f->data[2], fill, true) < 0) {
        format_ends(f, ST1_DE);
        return false;
    }
    f->at = 0;
    if (++f->formatted < f->cmd[3] && !f->tc)
        return true;
    format_ends(f, 0);
    return false;
}

static void format_go_on(struct fdc *f)
{
    do {
        while (f->at < f->end)
            if (!move_by_dma(f)) {
                f->phase = WAIT_DMA;
                return;
            }
    } while (fdc_format_sector(f));
}

void fdc_start_format(struct fdc *f)
{
    const struct floppy *d = fdc_drive(f);

    f->write = 1;
    f->tc = f->formatted = 0;
    f->at = 0;
    f->end = 4;
    memset(f->data, 0, 4);
    if (!d || !d->format || !rate_fits(f, d) || d->track >= d->format->tracks ||
        (f->cmd[1] >> 2 & 1) >= d->format->heads || !f->cmd[3]) {
        format_ends(f, ST1_MA);
    } else if (d->read_only) {
        format_ends(f, ST1_NW);
    } else if (fdc_without_dma(f)) {
        f->phase = FROM_HOST;
        fdc_interrupt(f, true);
    } else {
        format_go_on(f);
    }
}

void fdc_read_id(struct fdc *f)
{
    struct floppy *d = fdc_drive(f);
    uint8_t h = f->cmd[1] >> 2 & 1, n = f->cmd[1] & 7;

    if (d && d->format && rate_fits(f, d) && h < d->format->heads && d->track < d->format->tracks)
        fdc_answer(f, (uint8_t[]){n, 0, 0, d->track, h, 1, SECTOR_N}, 7, true);
    else
        fdc_answer(f, (uint8_t[]){ST0_ABNORMAL | n, ST1_MA, 0, 0, h, 0, 0}, 7, true);
}

void fdc_dma_ready(void *opaque)
{
    struct fdc *f = opaque;

    if (f->phase != WAIT_DMA)
        return;
    if (fdc_op(f) == FORMAT)
        format_go_on(f);
    else
        go_on(f);
}
