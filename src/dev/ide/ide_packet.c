/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Packets of a parallel ATA channel (SFF-8020i 2.6, chapter 5), by programmed input and output or DMA; see ide_channel.c. */
#include "dev/ide/ide_channel_priv.h"

#include "base/bytes.h"

#include <string.h>

enum { PACKET_READ_10 = 0x28, PACKET_READ_12 = 0xa8 };

void ide_packet_job(struct ide_channel *c, uint64_t len)
{
    bool out;

    atapi_length(c->packet, &out);
    memset(&c->scsi, 0, sizeof(c->scsi));
    memcpy(c->scsi.cdb, c->packet, ATAPI_PACKET);
    c->scsi.out = c->scsi.in = c->iov;
    if (out) {
        c->scsi.n_out = c->n_iov;
        c->scsi.out_len = len;
    } else {
        c->scsi.n_in = c->n_iov;
        c->scsi.in_len = len;
    }
    c->packet_job = true;
    ide_run(c);
}

/* The limit of a block that the guest set (SFF-8020i 5.6), even. */
static uint32_t byte_limit(const struct ide_regs *r)
{
    uint32_t n = r->mid[0] | r->high[0] << 8;

    return n < 2 ? 0xfffe : n & ~1u;
}

static bool reads_blocks(const struct ide_channel *c)
{
    return c->packet[0] == PACKET_READ_10 || c->packet[0] == PACKET_READ_12;
}

void ide_packet_block(struct ide_channel *c, enum ide_phase phase)
{
    struct ide_regs *r = ide_regs_of(c);
    uint32_t limit = c->lba ? (uint32_t)c->lba : 0xfffe, n = c->end - c->at;

    n = n < limit ? n : limit;
    c->phase = phase;
    c->block_end = c->at + n;
    r->mid[0] = (uint8_t)n;
    r->high[0] = (uint8_t)(n >> 8);
    r->count[0] = phase == IDE_IN ? REASON_IN : 0;
    r->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    ide_interrupt(c, true);
}

void ide_packet_done(struct ide_channel *c)
{
    if (c->status & ATA_ERR || c->dma_job || !c->scsi.in_len || !c->scsi.moved) {
        if (c->dma_job)
            c->dma->done(c->opaque, c->status & ATA_ERR);
        ide_end(c, c->status | ATA_DSC, c->error, true);
        return;
    }
    c->at = 0;
    c->end = c->scsi.moved < IDE_BUFFER ? (uint32_t)c->scsi.moved : IDE_BUFFER;
    ide_packet_block(c, IDE_IN);
}

/* READ(10) and READ(12), a chunk at a time: a READ(12) of its own. */
void ide_packet_chunk(struct ide_channel *c)
{
    uint32_t most = (uint32_t)c->lba < ATAPI_BLOCK ? 1 : (uint32_t)c->lba / ATAPI_BLOCK;
    uint32_t n = c->left < most ? c->left : most, from = get_be32(c->packet + 2);

    n = n < IDE_BUFFER / ATAPI_BLOCK ? n : IDE_BUFFER / ATAPI_BLOCK;
    c->iov[0] = (struct iovec){c->data, n * ATAPI_BLOCK};
    c->n_iov = 1;
    c->packet[0] = PACKET_READ_12;
    put_be32(c->packet + 6, n);
    ide_packet_job(c, n * ATAPI_BLOCK);
    c->left -= n;
    put_be32(c->packet + 2, from + n);
}

void ide_packet_again(struct ide_channel *c)
{
    uint32_t n = get_be32(c->packet + 6);
    uint64_t len;
    bool out;

    len = atapi_length(c->packet, &out);
    c->dma_job = false;
    if (reads_blocks(c) && len) { /* the chunk, which ide_packet_chunk() took away when it began */
        c->left += n;
        put_be32(c->packet + 2, get_be32(c->packet + 2) - n);
        ide_packet_chunk(c);
        return;
    }
    if (out && len)
        len = c->end;
    len = len < IDE_BUFFER ? len : IDE_BUFFER;
    c->iov[0] = (struct iovec){c->data, len};
    c->n_iov = len != 0;
    ide_packet_job(c, len);
}

/* Without DMA.  c->lba is the limit of a block from here on. */
static void packet_pio(struct ide_channel *c)
{
    bool out;
    uint64_t len = atapi_length(c->packet, &out);

    c->dma_job = false;
    c->lba = byte_limit(ide_regs_of(c));
    c->left = 0;
    if (out && len) {
        c->at = 0;
        c->end = len < IDE_BUFFER ? (uint32_t)len : IDE_BUFFER;
        ide_packet_block(c, IDE_OUT);
    } else if (reads_blocks(c) && len) {
        c->left = (uint32_t)(len / ATAPI_BLOCK);
        ide_packet_chunk(c);
    } else {
        len = len < IDE_BUFFER ? len : IDE_BUFFER;
        c->iov[0] = (struct iovec){c->data, len};
        c->n_iov = len != 0;
        ide_packet_job(c, len);
    }
}

void ide_packet_given(struct ide_channel *c)
{
    bool out;

    memcpy(c->packet, c->data, ATAPI_PACKET);
    if (c->dma && ide_regs_of(c)->feature[0] & 1 && atapi_length(c->packet, &out)) {
        c->phase = IDE_DMA;
        ide_regs_of(c)->status = ATA_DRDY | ATA_DRQ;
        if (c->ready)
            ide_start_dma(c);
    } else {
        packet_pio(c);
    }
}

void ide_packet_dma(struct ide_channel *c)
{
    bool out;
    uint64_t len = atapi_length(c->packet, &out), have;

    c->to_memory = !out;
    have = c->dma->map(c->opaque, len, c->to_memory);
    c->dma_job = true;
    ide_packet_job(c, have);
}
