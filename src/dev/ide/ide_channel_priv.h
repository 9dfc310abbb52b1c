/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ide_channel.c (registers, sectors) and ide_packet.c share. */
#ifndef DEV_IDE_IDE_CHANNEL_PRIV_H
#define DEV_IDE_IDE_CHANNEL_PRIV_H

#include "dev/ide/ide_channel.h"

enum { DEV_SECOND = 0x10, DEV_LBA = 0x40 };
enum { REASON_PACKET = 1, REASON_IN = 2, REASON_END = 3 };

static inline unsigned ide_selected(const struct ide_channel *c)
{
    return c->device & DEV_SECOND ? 1 : 0;
}

static inline struct ata_disk *ide_disk(struct ide_channel *c)
{
    return c->bus.disk[ide_selected(c)];
}

static inline struct ide_regs *ide_regs_of(struct ide_channel *c)
{
    return &c->regs[ide_selected(c)];
}

/* ide_channel.c.  ide_end - of a command; @tell: with the interrupt.  ide_run - the job, on the thread. */
void ide_interrupt(struct ide_channel *c, bool on);
void ide_end(struct ide_channel *c, uint8_t status, uint8_t error, bool tell);
void ide_run(struct ide_channel *c);
void ide_start_dma(struct ide_channel *c);

/* ide_packet.c.  ide_packet_given - all of it is in data.  ide_packet_done - its job has ended.  ide_packet_chunk - the next blocks.
 * ide_packet_again - the job without DMA, anew. */
void ide_packet_dma(struct ide_channel *c);
void ide_packet_given(struct ide_channel *c);
void ide_packet_done(struct ide_channel *c);
void ide_packet_job(struct ide_channel *c, uint64_t len);
void ide_packet_chunk(struct ide_channel *c);
void ide_packet_again(struct ide_channel *c);
void ide_packet_block(struct ide_channel *c, enum ide_phase phase);

#endif
