/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Registers and protocols of a parallel ATA channel (ide_channel.h). */
#include "dev/ide/ide_channel_priv.h"

#include "base/bytes.h"

#include <errno.h>

enum { DATA, ERROR, COUNT, LOW, MID, HIGH, DEVICE, STATUS };
enum { CTL_NIEN = 0x02, CTL_SRST = 0x04, CTL_HOB = 0x80 };
enum { CHUNK = IDE_BUFFER / ATA_SECTOR };
enum {
    DEVICE_RESET = 0x08,
    RECALIBRATE = 0x10,
    READ_SECTORS = 0x20,
    READ_SECTORS_EXT = 0x24,
    READ_MULTIPLE_EXT = 0x29,
    WRITE_SECTORS = 0x30,
    WRITE_SECTORS_EXT = 0x34,
    WRITE_MULTIPLE_EXT = 0x39,
    SEEK = 0x70,
    DIAGNOSTIC = 0x90,
    INIT_PARAMETERS = 0x91,
    READ_MULTIPLE = 0xc4,
    WRITE_MULTIPLE = 0xc5,
    IDENTIFY = 0xec,
};

/* --- The interrupt, and ends of commands --- */

static void update_irq(struct ide_channel *c)
{
    c->irq(c->opaque, c->interrupt && !(c->device_control & CTL_NIEN));
}

void ide_interrupt(struct ide_channel *c, bool on)
{
    c->interrupt = on;
    update_irq(c);
}

void ide_end(struct ide_channel *c, uint8_t status, uint8_t error, bool tell)
{
    struct ide_regs *r = ide_regs_of(c);

    c->phase = IDE_IDLE;
    c->left = c->at = c->end = c->block_end = 0;
    r->status = status;
    r->error = error;
    if (c->opcode == ATA_PACKET)
        r->count[0] = REASON_END;
    if (tell)
        ide_interrupt(c, true);
}

static void abort_command(struct ide_channel *c)
{
    ide_end(c, ATA_DRDY | ATA_DSC | ATA_ERR, ATA_ABRT, true);
}

/* 9.12: what a drive shows after a reset says what it is. */
static void signature(struct ide_channel *c, unsigned n)
{
    struct ide_regs *r = &c->regs[n];
    bool cd = c->bus.disk[n] && c->bus.disk[n]->atapi;

    r->count[0] = r->low[0] = 1;
    r->mid[0] = cd ? 0x14 : 0;
    r->high[0] = cd ? 0xeb : 0;
    r->error = 1;
    r->status = cd ? 0 : ATA_DRDY | ATA_DSC;
}

static void reset_drives(struct ide_channel *c)
{
    ide_job_drain(c, true);
    c->phase = IDE_IDLE;
    c->left = c->at = c->end = c->block_end = 0;
    c->device &= ~(DEV_SECOND | 0x0f);
    c->heads = c->spt = 0;
    for (unsigned n = 0; n < 2; n++) {
        if (c->bus.disk[n])
            ata_reset(c->bus.disk[n]);
        signature(c, n);
    }
    ide_interrupt(c, false);
}

/* --- Addresses --- */

static bool is_ext(uint8_t op)
{
    return (op >= READ_SECTORS_EXT && op <= 0x2f) || (op >= WRITE_SECTORS_EXT && op <= 0x3f) ||
           op == 0x42 || op == 0xea || op == 0x06;
}

/* Until INITIALIZE DEVICE PARAMETERS says otherwise, by what the disk has. */
static uint64_t by_cylinders(const struct ide_channel *c, uint64_t cyl, unsigned sector)
{
    const struct ata_disk *d = c->bus.disk[ide_selected(c)];
    struct ata_geometry g = d && !d->atapi ? ata_geometry(d) : (struct ata_geometry){0, 16, 63};
    unsigned heads = c->heads ? c->heads : g.heads, spt = c->spt ? c->spt : g.sectors;

    return (cyl * heads + (c->device & 15)) * spt + sector;
}

/* The registers as one number, for the command in work; cylinders, heads and sectors become a block's. */
static uint64_t address(const struct ide_channel *c, const struct ide_regs *r)
{
    uint64_t a = r->low[0] | r->mid[0] << 8 | r->high[0] << 16;

    if (is_ext(c->opcode))
        return a | (uint64_t)r->low[1] << 24 | (uint64_t)r->mid[1] << 32 | (uint64_t)r->high[1] << 40;
    if (c->device & DEV_LBA)
        return a | (uint64_t)(c->device & 15) << 24;
    if (!r->low[0])
        return UINT32_MAX; /* sectors count from 1 */
    return by_cylinders(c, a >> 8, r->low[0] - 1u);
}

static void put_address(struct ide_channel *c, uint64_t a)
{
    struct ide_regs *r = ide_regs_of(c);

    if (!is_ext(c->opcode) && !(c->device & DEV_LBA))
        return; /* cylinders stay as they were given */
    r->low[0] = (uint8_t)a;
    r->mid[0] = (uint8_t)(a >> 8);
    r->high[0] = (uint8_t)(a >> 16);
    r->low[1] = (uint8_t)(a >> 24);
    r->mid[1] = (uint8_t)(a >> 32);
    r->high[1] = (uint8_t)(a >> 40);
    if (!is_ext(c->opcode))
        c->device = (c->device & 0xf0) | (a >> 24 & 15);
}

static uint32_t sectors(const struct ide_channel *c, const struct ide_regs *r)
{
    uint32_t n = is_ext(c->opcode) ? r->count[0] | r->count[1] << 8 : r->count[0];

    return n ? n : is_ext(c->opcode) ? 65536 : 256;
}

/* The command for ata.h, as @opcode. */
static void fill_in(struct ide_channel *c, uint8_t opcode)
{
    const struct ide_regs *r = ide_regs_of(c);

    c->ata = (struct ata_cmd){
        .command = opcode,
        .device = c->device,
        .features = r->feature[0] | r->feature[1] << 8,
        .count = r->count[0] | r->count[1] << 8,
        .lba = r->low[0] | r->mid[0] << 8 | r->high[0] << 16 | (uint64_t)r->low[1] << 24 |
               (uint64_t)r->mid[1] << 32 | (uint64_t)r->high[1] << 40,
        .iov = c->iov,
    };
    if (!is_ext(opcode))
        c->ata.lba &= 0xffffff;
    c->packet_job = c->dma_job = false;
}

void ide_run(struct ide_channel *c)
{
    c->phase = IDE_BUSY;
    ide_regs_of(c)->status = ATA_BSY;
    ide_job_run(c);
}

/* --- Programmed input and output --- */

static bool is_multiple(uint8_t op)
{
    return op == READ_MULTIPLE || op == READ_MULTIPLE_EXT || op == WRITE_MULTIPLE ||
           op == WRITE_MULTIPLE_EXT;
}

static uint32_t block_bytes(struct ide_channel *c)
{
    return is_multiple(c->opcode) ? ide_disk(c)->multiple * ATA_SECTOR : ATA_SECTOR;
}

/* The next block of what is in (or has room in) data is the guest's to move. */
static void show_block(struct ide_channel *c, enum ide_phase phase, bool tell)
{
    uint32_t block = block_bytes(c);

    c->phase = phase;
    c->block_end = c->at + block < c->end ? c->at + block : c->end;
    ide_regs_of(c)->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
    if (tell)
        ide_interrupt(c, true);
}

/* Up to CHUNK sectors of the command, with 48-bit addresses whatever the command has. */
static void chunk_job(struct ide_channel *c, bool write)
{
    uint32_t n = c->left < CHUNK ? c->left : CHUNK;

    fill_in(c, write ? WRITE_SECTORS_EXT : READ_SECTORS_EXT);
    c->ata.count = (uint16_t)n;
    c->ata.lba = c->lba;
    c->ata.device |= DEV_LBA;
    c->iov[0] = (struct iovec){c->data, n * ATA_SECTOR};
    c->ata.n = 1;
    ide_run(c);
}

static void start_pio(struct ide_channel *c, bool write)
{
    if (is_multiple(c->opcode) && !ide_disk(c)->multiple) {
        abort_command(c);
        return;
    }
    c->lba = address(c, ide_regs_of(c));
    c->left = sectors(c, ide_regs_of(c));
    if (!write) {
        chunk_job(c, false);
        return;
    }
    c->at = 0;
    c->end = (c->left < CHUNK ? c->left : CHUNK) * ATA_SECTOR;
    show_block(c, IDE_OUT, false);
}

/* A chunk has been read or written. */
static void chunk_done(struct ide_channel *c, bool write)
{
    uint32_t n = c->ata.count;

    if (c->status & ATA_ERR) {
        put_address(c, c->lba);
        ide_end(c, c->status, c->error, true);
        return;
    }
    c->lba += n;
    c->left -= n;
    put_address(c, c->lba - 1);
    c->at = 0;
    if (write && !c->left) {
        ide_end(c, c->status, 0, true);
    } else {
        c->end = (!write ? n : c->left < CHUNK ? c->left : CHUNK) * ATA_SECTOR;
        show_block(c, write ? IDE_OUT : IDE_IN, true);
    }
}

/* --- DMA --- */

void ide_start_dma(struct ide_channel *c)
{
    uint64_t len;

    if (c->opcode == ATA_PACKET) {
        ide_packet_dma(c);
        return;
    }
    fill_in(c, c->opcode);
    if (!is_ext(c->opcode) && !(c->device & DEV_LBA)) {
        uint64_t a = address(c, ide_regs_of(c));

        c->ata.lba = a & 0xffffff;
        c->ata.device = (c->device & 0xf0) | DEV_LBA | (a >> 24 & 15);
        if (a >> 28) {
            c->dma->done(c->opaque, true);
            ide_end(c, ATA_DRDY | ATA_DSC | ATA_ERR, ATA_IDNF, true);
            return;
        }
    }
    ata_length(&c->ata, &len);
    c->to_memory = ata_data(&c->ata) == ATA_DMA_IN;
    c->dma_job = true;
    if (c->dma->map(c->opaque, len, c->to_memory) < len) { /* too little was described, or what is no memory */
        c->dma->unmap(c->opaque, c->to_memory);
        c->dma->done(c->opaque, true);
        abort_command(c);
        return;
    }
    c->ata.n = (int)c->n_iov;
    ide_run(c);
}

void ide_channel_start(struct ide_channel *c, bool on)
{
    c->ready = on;
    if (on && c->phase == IDE_DMA)
        ide_start_dma(c);
}

/* --- Commands --- */

void ide_job_done(struct ide_channel *c)
{
    struct ide_regs *r = ide_regs_of(c);

    if (c->packet_job) {
        ide_packet_done(c);
    } else if (c->dma_job) {
        c->dma->done(c->opaque, c->status & ATA_ERR);
        ide_end(c, c->status, c->error, true);
    } else if (c->left) {
        chunk_done(c, c->ata.command == WRITE_SECTORS_EXT);
    } else { /* without data */
        r->count[0] = (uint8_t)c->ata.count;
        r->count[1] = (uint8_t)(c->ata.count >> 8);
        ide_end(c, c->status, c->error, true);
    }
}

/* READ NATIVE MAX and the like answer at once; what takes time runs on the thread. */
static void without_data(struct ide_channel *c)
{
    bool sync = c->opcode == 0xf8 || c->opcode == 0x27 || c->opcode == 0xe5 || c->opcode == 0xef;

    fill_in(c, c->opcode);
    if (!is_ext(c->opcode) && !(c->device & DEV_LBA)) {
        uint64_t a = address(c, ide_regs_of(c));

        c->ata.lba = a & 0xffffff;
        c->ata.device = (c->device & 0xf0) | DEV_LBA | (a >> 24 & 15);
    }
    if (!sync) {
        ide_run(c);
        return;
    }
    ata_run(ide_disk(c), &c->ata);
    if (c->opcode == 0xf8 || c->opcode == 0x27) {
        put_address(c, c->ata.lba);
        if (c->opcode == 0xf8)
            c->device = (c->device & 0xf0) | (c->ata.device & 15);
    }
    ide_regs_of(c)->count[0] = (uint8_t)c->ata.count;
    ide_end(c, c->ata.status, c->ata.error, true);
}

/* IDENTIFY, logs: one block that is ready at once. */
static void small_input(struct ide_channel *c)
{
    uint64_t len;

    fill_in(c, c->opcode);
    ata_length(&c->ata, &len);
    if (len > IDE_BUFFER) {
        abort_command(c);
        return;
    }
    c->iov[0] = (struct iovec){c->data, len};
    c->ata.n = 1;
    memset(c->data, 0, len);
    ata_run(ide_disk(c), &c->ata);
    if (c->ata.status & ATA_ERR) {
        ide_end(c, c->ata.status, c->ata.error, true);
        return;
    }
    c->left = c->at = 0;
    c->end = (uint32_t)len;
    ide_regs_of(c)->error = 0;
    show_block(c, IDE_IN, true);
}

static bool moves_sectors(uint8_t op)
{
    return op == READ_SECTORS || op == 0x21 || op == READ_SECTORS_EXT || op == READ_MULTIPLE ||
           op == READ_MULTIPLE_EXT || op == WRITE_SECTORS || op == 0x31 || op == WRITE_SECTORS_EXT ||
           op == WRITE_MULTIPLE || op == WRITE_MULTIPLE_EXT;
}

void ide_job_again(struct ide_channel *c, bool dma)
{
    struct ata_cmd probe = {.command = c->opcode};

    if (dma)
        ide_start_dma(c);
    else if (c->opcode == ATA_PACKET)
        ide_packet_again(c);
    else if (moves_sectors(c->opcode))
        chunk_job(c, ata_data(&probe) == ATA_PIO_OUT);
    else
        without_data(c);
}

/* Is the command that a saved state has in work one that may wait? */
static bool can_go_on(struct ide_channel *c)
{
    struct ata_cmd probe = {.command = c->opcode};
    bool cd = ide_disk(c)->atapi;
    uint64_t len;

    if (c->again == IDE_AGAIN_DMA && !c->dma)
        return false;
    if (c->opcode == ATA_PACKET || cd)
        return cd && c->opcode == ATA_PACKET;
    if (!ata_length(&probe, &len) || ata_is_ncq(&probe))
        return false;
    if (c->again == IDE_AGAIN_DMA)
        return ata_data(&probe) == ATA_DMA_IN || ata_data(&probe) == ATA_DMA_OUT;
    return moves_sectors(c->opcode) ? c->left != 0 : ata_data(&probe) == ATA_NONE;
}

/* Those that have nothing to do with data; false: it is none of them. */
static bool of_channel(struct ide_channel *c)
{
    bool cd = ide_disk(c)->atapi;

    if (c->opcode == DIAGNOSTIC) {
        reset_drives(c);
        ide_interrupt(c, true);
    } else if (c->opcode == DEVICE_RESET && cd) {
        signature(c, ide_selected(c));
        c->phase = IDE_IDLE;
    } else if (!cd && c->opcode == INIT_PARAMETERS) {
        c->heads = (c->device & 15) + 1;
        c->spt = ide_regs_of(c)->count[0];
        ide_end(c, ATA_DRDY | ATA_DSC, 0, true);
    } else if (!cd && ((c->opcode & 0xf0) == RECALIBRATE || (c->opcode & 0xf0) == SEEK)) {
        ide_end(c, ATA_DRDY | ATA_DSC, 0, true);
    } else if (cd && (c->opcode == IDENTIFY || c->opcode == READ_SECTORS)) {
        signature(c, ide_selected(c)); /* 8.15.5.2: so that hosts find out */
        abort_command(c);
    } else {
        return false;
    }
    return true;
}

static void command(struct ide_channel *c, uint8_t op)
{
    struct ata_disk *d = ide_disk(c);
    struct ide_regs *r = ide_regs_of(c);
    struct ata_cmd probe = {.command = op};
    uint64_t len;

    if (!d || (c->phase == IDE_BUSY && op != DEVICE_RESET))
        return;
    if (c->phase == IDE_BUSY)
        ide_job_drain(c, true);
    ide_interrupt(c, false);
    c->opcode = op == 0x21 ? READ_SECTORS : op == 0x31 ? WRITE_SECTORS : op; /* without retries */
    c->left = 0;
    r->error = 0;
    if (of_channel(c))
        return;
    if (op == ATA_PACKET && d->atapi) {
        c->at = 0;
        c->block_end = c->end = ATAPI_PACKET;
        c->phase = IDE_PACKET;
        r->count[0] = REASON_PACKET;
        r->status = ATA_DRDY | ATA_DRQ;
        return;
    }
    probe.command = c->opcode;
    if (!ata_length(&probe, &len) || ata_is_ncq(&probe) || (d->atapi && moves_sectors(c->opcode))) {
        abort_command(c);
    } else if (moves_sectors(c->opcode)) {
        start_pio(c, ata_data(&probe) == ATA_PIO_OUT);
    } else if (ata_data(&probe) == ATA_NONE) {
        without_data(c);
    } else if (ata_data(&probe) == ATA_PIO_IN) {
        small_input(c);
    } else if (!c->dma || d->atapi) {
        abort_command(c);
    } else {
        c->phase = IDE_DMA;
        r->status = ATA_DRDY | ATA_DSC | ATA_DRQ;
        if (c->ready)
            ide_start_dma(c);
    }
}

/* --- The data register --- */

static bool is_packet_phase(const struct ide_channel *c)
{
    return c->opcode == ATA_PACKET;
}

/* The guest has moved the whole block. */
static void block_moved(struct ide_channel *c)
{
    if (c->phase == IDE_PACKET) {
        ide_packet_given(c);
    } else if (c->phase == IDE_IN) {
        if (c->at < c->end)
            is_packet_phase(c) ? ide_packet_block(c, IDE_IN) : show_block(c, IDE_IN, true);
        else if (is_packet_phase(c) && c->left)
            ide_packet_chunk(c);
        else if (c->left)
            chunk_job(c, false);
        else
            ide_end(c, ATA_DRDY | ATA_DSC, 0, is_packet_phase(c));
    } else if (c->at < c->end) {
        is_packet_phase(c) ? ide_packet_block(c, IDE_OUT) : show_block(c, IDE_OUT, true);
    } else if (is_packet_phase(c)) {
        c->iov[0] = (struct iovec){c->data, c->end};
        c->n_iov = 1;
        ide_packet_job(c, c->end);
    } else {
        chunk_job(c, true);
    }
}

static uint32_t data_read(struct ide_channel *c, unsigned size)
{
    uint32_t v = 0;

    if (c->phase != IDE_IN)
        return 0;
    for (unsigned i = 0; i < size && c->at < c->block_end; i++)
        v |= (uint32_t)c->data[c->at++] << 8 * i;
    if (c->at >= c->block_end)
        block_moved(c);
    return v;
}

static void data_write(struct ide_channel *c, uint32_t v, unsigned size)
{
    if (c->phase != IDE_OUT && c->phase != IDE_PACKET)
        return;
    for (unsigned i = 0; i < size && c->at < c->block_end; i++)
        c->data[c->at++] = (uint8_t)(v >> 8 * i);
    if (c->at >= c->block_end)
        block_moved(c);
}

/* --- The other registers --- */

static uint64_t command_read(void *opaque, paddr off, struct access a)
{
    struct ide_channel *c = opaque;
    struct ide_regs *r = ide_regs_of(c);
    bool old = c->device_control & CTL_HOB;

    if (off == DATA)
        return a.debug ? 0 : data_read(c, a.size);
    if (off == DEVICE)
        return c->device | 0xa0;
    if (!ide_disk(c))
        return 0;
    switch (off) {
    case ERROR: return r->error;
    case COUNT: return r->count[old];
    case LOW: return r->low[old];
    case MID: return r->mid[old];
    case HIGH: return r->high[old];
    }
    if (!a.debug)
        ide_interrupt(c, false);
    return r->status;
}

static void put(uint8_t reg[2], uint8_t v)
{
    reg[1] = reg[0];
    reg[0] = v;
}

/* Whoever selects the other drive in the middle of a command has given it up. */
static void write_device(struct ide_channel *c, uint8_t v)
{
    if ((v ^ c->device) & DEV_SECOND && c->phase != IDE_IDLE) {
        ide_regs_of(c)->status = ATA_DRDY | ATA_DSC;
        c->phase = IDE_IDLE;
        c->left = 0;
    }
    c->device = v;
}

static void command_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct ide_channel *c = opaque;
    uint8_t v = (uint8_t)value;

    if (off == DATA) {
        data_write(c, (uint32_t)value, a.size);
        return;
    }
    c->device_control &= ~CTL_HOB;
    if (off == STATUS) {
        command(c, v);
        return;
    }
    if (c->phase == IDE_BUSY)
        return; /* 7.1: written while BSY is set, it is lost */
    if (off == DEVICE)
        write_device(c, v);
    for (unsigned n = 0; n < 2; n++) {
        struct ide_regs *r = &c->regs[n];

        switch (off) {
        case ERROR: put(r->feature, v); break;
        case COUNT: put(r->count, v); break;
        case LOW: put(r->low, v); break;
        case MID: put(r->mid, v); break;
        case HIGH: put(r->high, v); break;
        }
    }
}

static uint64_t control_read(void *opaque, paddr off, struct access a)
{
    struct ide_channel *c = opaque;

    return ide_disk(c) ? ide_regs_of(c)->status : 0;
}

static void control_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct ide_channel *c = opaque;
    bool was = c->device_control & CTL_SRST, now = v & CTL_SRST;

    c->device_control = (uint8_t)v;
    if (now && !was) {
        reset_drives(c);
        c->regs[0].status = c->regs[1].status = ATA_BSY;
        c->phase = IDE_BUSY;
    } else if (was && !now) {
        c->phase = IDE_IDLE;
        signature(c, 0);
        signature(c, 1);
    }
    update_irq(c);
}

static const struct mmio_ops command_ops = {
    .read = command_read, .write = command_write, .min = 1, .max = 4, .unaligned = true};
static const struct mmio_ops control_ops = {
    .read = control_read, .write = control_write, .min = 1, .max = 1};

/* --- Life --- */

void ide_channel_reset(struct ide_channel *c)
{
    ide_job_drain(c, true);
    c->device = c->device_control = c->ready = 0;
    memset(c->regs, 0, sizeof(c->regs));
    reset_drives(c);
}

/* Drives come before the machine starts and go when it ends: nobody is to work in them then. */
static void drives_changed(struct ide_bus *b)
{
    struct ide_channel *c = (struct ide_channel *)b;

    ide_job_drain(c, true);
    c->phase = IDE_IDLE;
}

void ide_channel_init(struct ide_channel *c, const char *bus_name)
{
    mem_init_mmio(&c->command, "ide", 8, &command_ops, c);
    mem_init_mmio(&c->control, "ide", 1, &control_ops, c);
    ide_job_init(c);
    c->bus.changed = drives_changed;
    ide_bus_init(&c->bus, c->dev, bus_name, 2);
}

void ide_channel_fini(struct ide_channel *c)
{
    ide_job_fini(c);
}

void ide_channel_saving(struct ide_channel *c)
{
    ide_job_drain(c, false);
}

int ide_channel_loaded(struct ide_channel *c, struct err *e)
{
    bool srst = c->device_control & CTL_SRST, there = ide_disk(c);

    if (c->phase > IDE_DMA || (c->phase == IDE_BUSY && !srst && !c->again) ||
        c->again > IDE_AGAIN_DMA || (c->again && c->phase != IDE_BUSY) || c->at > c->block_end ||
        c->block_end > c->end || c->end > IDE_BUFFER || c->left > UINT32_MAX / ATAPI_BLOCK)
        return err_set(e, -EILSEQ, "phase %u, bytes %u..%u of %u", c->phase, c->at, c->block_end,
                       c->end);
    if (!there && ((c->phase != IDE_IDLE && !srst) || c->again))
        return err_set(e, -EILSEQ, "a command for a drive that is not there");
    if (there && c->phase != IDE_IDLE && c->opcode == ATA_PACKET && !ide_disk(c)->atapi)
        return err_set(e, -EILSEQ, "a packet for a drive that takes none");
    if (there && c->phase != IDE_IDLE && c->opcode != ATA_PACKET && ide_disk(c)->atapi && c->left)
        return err_set(e, -EILSEQ, "sectors of a drive that has none");
    if (c->again && !can_go_on(c))
        return err_set(e, -EILSEQ, "command %02x does not wait", c->opcode);
    if (c->phase == IDE_DMA && !c->dma)
        return err_set(e, -EILSEQ, "DMA of a channel that has none");
    if (there && is_multiple(c->opcode) && (c->phase >= IDE_IN || c->again) && !ide_disk(c)->multiple)
        return err_set(e, -EILSEQ, "no sectors of a block");
    return 0;
}

static const struct state regs_state[] = {
    STATE(ide_regs, feature, S_U8, 1, NULL), STATE(ide_regs, count, S_U8, 1, NULL),
    STATE(ide_regs, low, S_U8, 1, NULL),     STATE(ide_regs, mid, S_U8, 1, NULL),
    STATE(ide_regs, high, S_U8, 1, NULL),    STATE(ide_regs, status, S_U8, 1, NULL),
    STATE(ide_regs, error, S_U8, 1, NULL),   STATE_END,
};

const struct state ide_channel_state[] = {
    STATE_STRUCTS(ide_channel, regs, regs_state, 1, NULL),
    STATE(ide_channel, device, S_U8, 1, NULL),
    STATE(ide_channel, device_control, S_U8, 1, NULL),
    STATE(ide_channel, interrupt, S_U8, 1, NULL),
    STATE(ide_channel, phase, S_U8, 1, "enum ide_phase"),
    STATE(ide_channel, opcode, S_U8, 1, NULL),
    STATE(ide_channel, packet, S_U8, 1, NULL),
    STATE(ide_channel, heads, S_U8, 1, NULL),
    STATE(ide_channel, spt, S_U8, 1, NULL),
    STATE(ide_channel, ready, S_U8, 1, NULL),
    STATE(ide_channel, again, S_U8, 1, "enum ide_again"),
    STATE(ide_channel, data, S_U8, 1, NULL),
    STATE(ide_channel, at, S_U32, 1, NULL),
    STATE(ide_channel, block_end, S_U32, 1, NULL),
    STATE(ide_channel, end, S_U32, 1, NULL),
    STATE(ide_channel, lba, S_U64, 1, NULL),
    STATE(ide_channel, left, S_U32, 1, "sectors that have not been in data"),
    STATE_END,
};
