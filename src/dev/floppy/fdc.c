/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "isa-fdc": floppy disk controller of a PC.  Source: Intel 82077AA data sheet, order 290166-007; 82078, order 290468-003.
 *
 * A command that moves heads or data takes a moment (the timer), so that its interrupt comes after the guest has begun to wait.
 * With DMA, sectors move as fast as the channel takes them; without, byte by byte through the FIFO.
 */
#include "dev/floppy/fdc_priv.h"

#include "base/trace.h"
#include "dev/isa/isa.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum { TP_COMMAND, TP_RESULT };
static struct trace_point fdc_trace[] = {
    [TP_COMMAND] = {.name = "fdc_command"}, [TP_RESULT] = {.name = "fdc_result"}, {.name = NULL}};

static struct fdc *fdc_of(const struct dev *d)
{
    return (struct fdc *)d;
}

/* --- Lines and results --- */

static void update_irq(struct fdc *f)
{
    irq_set(&f->dev.irq[0], f->interrupt && f->dor & DOR_DMA);
}

void fdc_interrupt(struct fdc *f, bool on)
{
    f->interrupt = on;
    update_irq(f);
}

void fdc_answer(struct fdc *f, const uint8_t *r, unsigned n, bool tell)
{
    memcpy(f->result, r, n);
    f->result_n = (uint8_t)n;
    f->result_at = 0;
    f->phase = RESULT;
    TRACE(&fdc_trace[TP_RESULT], "first=%#x bytes=%u", r[0], n);
    if (tell)
        fdc_interrupt(f, true);
}

static void idle(struct fdc *f)
{
    f->phase = IDLE;
    f->cmd_n = 0;
}

/* A seek or recalibration has ended: the guest asks by SENSE INTERRUPT. */
static void sought(struct fdc *f, unsigned n, uint8_t st0)
{
    f->sense |= 1 << n;
    f->sense_st0[n] = st0 | (uint8_t)n;
    fdc_interrupt(f, true);
}

/* --- Reset --- */

static void fdc_soft_reset(struct fdc *f)
{
    timer_cancel(&f->timer);
    idle(f);
    f->result_n = f->result_at = f->sense = f->seeking = 0;
    f->at = f->end = 0;
    f->perpendicular &= ~0x03;
    if (!f->locked)
        f->config[0] = f->config[1] = 0;
    fdc_interrupt(f, false);
}

/* Out of reset the controller has looked at all four drives and says so (3.3 of the data sheet). */
static void reset_ends(struct fdc *f)
{
    for (unsigned n = 0; n < 4 && !(f->config[0] & CFG_POLL_OFF); n++) {
        f->sense |= 1 << n;
        f->sense_st0[n] = ST0_POLLED | (uint8_t)n;
    }
    if (f->sense)
        fdc_interrupt(f, true);
}

static void write_dor(struct fdc *f, uint8_t v)
{
    uint8_t was = f->dor;

    f->dor = v;
    if (was & ~v & DOR_RUN)
        fdc_soft_reset(f);
    if (~was & v & DOR_RUN) {
        timer_at(&f->timer, clock_now(f->dev.m, CLK_VIRT) + WORK_NS);
        f->phase = WORK;
        f->cmd_n = 0;
    }
    update_irq(f);
}

/* --- Moving heads --- */

void fdc_step(struct fdc *f, unsigned n, unsigned track)
{
    struct floppy *d = n < FDC_DRIVES ? f->bus.floppy[n] : NULL;

    if (!d)
        return;
    d->track = (uint8_t)(track > LAST_TRACK ? LAST_TRACK : track);
    if (d->format)
        d->changed = 0; /* a step pulse with a disk inside */
}

static void do_seek(struct fdc *f)
{
    unsigned n = fdc_unit(f);
    uint8_t st0 = ST0_SEEK;

    if ((f->cmd[0] & 0x80) && fdc_op(f) == SEEK) { /* relative */
        int to = f->cylinder[n] + (f->cmd[0] & 0x40 ? f->cmd[2] : -f->cmd[2]);

        f->cylinder[n] = (uint8_t)(to < 0 ? 0 : to > 255 ? 255 : to);
    } else {
        f->cylinder[n] = fdc_op(f) == SEEK ? f->cmd[2] : 0;
    }
    if (fdc_op(f) == SEEK)
        st0 |= f->cmd[1] & 4;
    else if (!fdc_drive(f))
        st0 |= ST0_ABNORMAL | 0x10; /* track 0 was not found */
    fdc_step(f, n, f->cylinder[n]);
    f->seeking &= ~(1 << n);
    idle(f);
    sought(f, n, st0);
}

/* The moment is over. */
static void worked(void *opaque)
{
    struct fdc *f = opaque;

    if (f->phase != WORK)
        return;
    if (!f->cmd_n) {
        idle(f);
        reset_ends(f);
        return;
    }
    switch (fdc_op(f)) {
    case SEEK:
    case RECALIBRATE:
        do_seek(f);
        break;
    case READ_ID:
        fdc_read_id(f);
        break;
    case FORMAT:
        fdc_start_format(f);
        break;
    default:
        fdc_start_transfer(f);
    }
}

/* --- Commands --- */

/* Bytes of a command, 0: it is none.  The upper bits of the first are options. */
static unsigned length_of(uint8_t first)
{
    static const uint8_t lengths[32] = {
        [READ_TRACK] = 9, [SPECIFY] = 3,    [SENSE_DRIVE] = 2, [WRITE] = 9,         [READ] = 9,
        [RECALIBRATE] = 2, [SENSE_INTERRUPT] = 1, [WRITE_DELETED] = 9, [READ_ID] = 2, [READ_DELETED] = 9,
        [FORMAT] = 6,     [DUMPREG] = 1,    [SEEK] = 3,        [VERSION] = 1,       [PERPENDICULAR] = 2,
        [CONFIGURE] = 4,  [LOCK] = 1,       [VERIFY] = 9,      [POWERDOWN] = 2,     [PART_ID] = 1,
    };

    const uint32_t with_options = 1 << READ_TRACK | 1 << WRITE | 1 << READ | 1 << WRITE_DELETED |
                                  1 << READ_ID | 1 << READ_DELETED | 1 << FORMAT | 1 << SEEK |
                                  1 << LOCK | 1 << VERIFY;

    if (first & 0xe0 && !(with_options >> (first & 0x1f) & 1))
        return 0;
    return lengths[first & 0x1f];
}

static void sense_interrupt(struct fdc *f)
{
    unsigned n = 0;

    if (!f->sense) {
        fdc_answer(f, (uint8_t[]){ST0_INVALID}, 1, false);
        return;
    }
    while (!(f->sense >> n & 1))
        n++;
    f->sense &= ~(1 << n);
    fdc_interrupt(f, false);
    fdc_answer(f, (uint8_t[]){f->sense_st0[n], f->cylinder[n]}, 2, false);
}

static void sense_drive(struct fdc *f)
{
    const struct floppy *d = fdc_drive(f);
    uint8_t st3 = (f->cmd[1] & 7) | 0x28; /* ready, two sides */

    if (d && !d->track)
        st3 |= 0x10;
    if (d && d->format && d->read_only)
        st3 |= 0x40;
    fdc_answer(f, &st3, 1, false);
}

static void dumpreg(struct fdc *f)
{
    fdc_answer(f,
           (uint8_t[]){f->cylinder[0], f->cylinder[1], f->cylinder[2], f->cylinder[3],
                       f->specify[0], f->specify[1], f->cmd[6],
                       (uint8_t)(f->locked << 7 | (f->perpendicular & 0x3f)), f->config[0],
                       f->config[1]},
           10, false);
}

static void begin_work(struct fdc *f, int64_t ns)
{
    f->phase = WORK;
    timer_at(&f->timer, clock_now(f->dev.m, CLK_VIRT) + ns);
}

static void execute(struct fdc *f)
{
    TRACE(&fdc_trace[TP_COMMAND], "command=%#x drive=%#x c=%u h=%u r=%u", f->cmd[0], f->cmd[1],
          f->cmd[2], f->cmd[3], f->cmd[4]);
    switch (fdc_op(f)) {
    case SPECIFY:
        memcpy(f->specify, f->cmd + 1, 2);
        idle(f);
        return;
    case SENSE_DRIVE:
        sense_drive(f);
        return;
    case SENSE_INTERRUPT:
        sense_interrupt(f);
        return;
    case DUMPREG:
        dumpreg(f);
        return;
    case VERSION:
        fdc_answer(f, (uint8_t[]){0x90}, 1, false);
        return;
    case PART_ID:
        fdc_answer(f, (uint8_t[]){0x41}, 1, false);
        return;
    case PERPENDICULAR:
        f->perpendicular = f->cmd[1] & 0x80 ? f->cmd[1] & 0x3f
                                            : (f->perpendicular & 0x3c) | (f->cmd[1] & 3);
        idle(f);
        return;
    case CONFIGURE:
        f->config[0] = f->cmd[2];
        f->config[1] = f->cmd[3];
        idle(f);
        return;
    case LOCK:
        f->locked = f->cmd[0] >> 7;
        fdc_answer(f, (uint8_t[]){(uint8_t)(f->locked << 4)}, 1, false);
        return;
    case POWERDOWN:
        fdc_answer(f, &f->cmd[1], 1, false);
        return;
    case SEEK:
    case RECALIBRATE:
        f->seeking |= 1 << fdc_unit(f);
        begin_work(f, SEEK_NS);
        return;
    }
    begin_work(f, WORK_NS);
}

static void command_byte(struct fdc *f, uint8_t v)
{
    if (f->phase == IDLE) {
        memset(f->cmd + 1, 0, sizeof(f->cmd) - 1);
        f->cmd[0] = v;
        f->cmd_n = 1;
        f->cmd_len = (uint8_t)length_of(v);
        f->phase = COMMAND;
        if (!f->cmd_len) {
            fdc_answer(f, (uint8_t[]){ST0_INVALID}, 1, false);
            return;
        }
    } else {
        f->cmd[f->cmd_n++] = v;
    }
    if (f->cmd_n == f->cmd_len)
        execute(f);
}

/* --- Registers --- */

static uint8_t msr(const struct fdc *f)
{
    static const uint8_t of_phase[] = {
        [IDLE] = MSR_RQM,
        [COMMAND] = MSR_RQM | MSR_BUSY,
        [WORK] = MSR_BUSY,
        [TO_HOST] = MSR_RQM | MSR_BUSY | MSR_NDMA | MSR_DIO,
        [FROM_HOST] = MSR_RQM | MSR_BUSY | MSR_NDMA,
        [WAIT_DMA] = MSR_BUSY,
        [RESULT] = MSR_RQM | MSR_BUSY | MSR_DIO,
    };
    bool seeks = f->phase == WORK && f->cmd_n && (fdc_op(f) == SEEK || fdc_op(f) == RECALIBRATE);

    if (!(f->dor & DOR_RUN) || (f->phase == WORK && !f->cmd_n))
        return 0;
    return f->seeking | (seeks ? 0 : of_phase[f->phase]);
}

static uint8_t read_fifo(struct fdc *f)
{
    uint8_t v = 0;

    if (f->phase == RESULT) {
        v = f->result[f->result_at++];
        if (f->result_at == 1 && !f->sense)
            fdc_interrupt(f, false);
        if (f->result_at >= f->result_n)
            idle(f);
    } else if (f->phase == TO_HOST) {
        fdc_interrupt(f, false);
        v = f->data[f->at++];
        if (f->at == f->end) {
            if (fdc_sector_done(f) && fdc_fetch_sector(f))
                fdc_interrupt(f, true);
        } else {
            fdc_interrupt(f, true);
        }
    }
    return v;
}

static void write_fifo(struct fdc *f, uint8_t v)
{
    if (f->phase == IDLE || f->phase == COMMAND) {
        command_byte(f, v);
    } else if (f->phase == FROM_HOST) {
        fdc_interrupt(f, false);
        f->data[f->at++] = v;
        if (f->at < f->end || (fdc_op(f) == FORMAT ? fdc_format_sector(f) : fdc_sector_done(f) && fdc_fetch_sector(f)))
            fdc_interrupt(f, true);
    }
}

/* The change line of the drive that DOR selects, while its motor runs. */
static uint8_t read_dir(const struct fdc *f)
{
    unsigned n = f->dor & DOR_DRIVE;
    const struct floppy *d = n < FDC_DRIVES ? f->bus.floppy[n] : NULL;

    return d && f->dor >> 4 >> n & 1 && (d->changed || !d->format) ? 0x80 : 0;
}

static uint64_t fdc_read(void *opaque, paddr off, struct access a)
{
    struct fdc *f = opaque;

    switch (off) {
    case SRA: return f->interrupt << 7;
    case SRB: return 0xc0 | (f->dor & 1) << 5;
    case DOR: return f->dor;
    case TDR: return f->tdr;
    case MSR: return msr(f);
    }
    return a.debug || !(f->dor & DOR_RUN) ? 0 : read_fifo(f);
}

static void fdc_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct fdc *f = opaque;
    uint8_t v = (uint8_t)value;

    switch (off) {
    case DOR:
        write_dor(f, v);
        return;
    case TDR:
        f->tdr = v & 3;
        return;
    case MSR: /* DSR */
        f->dsr = v & ~DSR_RESET;
        f->ccr = v & 3;
        if (v & DSR_RESET && f->dor & DOR_RUN) {
            write_dor(f, f->dor & ~DOR_RUN);
            write_dor(f, f->dor | DOR_RUN);
        }
        return;
    case FIFO:
        if (f->dor & DOR_RUN)
            write_fifo(f, v);
        return;
    }
}

static uint64_t dir_read(void *opaque, paddr off, struct access a)
{
    return read_dir(opaque);
}

static void ccr_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    ((struct fdc *)opaque)->ccr = v & 3;
}

static const struct mmio_ops fdc_ops = {.read = fdc_read, .write = fdc_write, .min = 1, .max = 1};
static const struct mmio_ops dir_ops = {.read = dir_read, .write = ccr_write, .min = 1, .max = 1};

uint8_t fdc_cmos(const struct dev *dev)
{
    const struct fdc *f = fdc_of(dev);
    uint8_t type[2] = {0};

    for (unsigned n = 0; n < FDC_DRIVES; n++)
        if (f->bus.floppy[n])
            type[n] = floppy_type(f->bus.floppy[n], f->fd_type[n], f->fallback);
    return (uint8_t)(type[0] << 4 | type[1]);
}

/* --- The device --- */

static void fdc_reset(struct dev *d)
{
    struct fdc *f = fdc_of(d);

    f->locked = f->perpendicular = 0;
    memset(f->cylinder, 0, sizeof(f->cylinder));
    memset(f->specify, 0, sizeof(f->specify));
    fdc_soft_reset(f);
    f->dor = 0;
    f->dsr = f->ccr = SECTOR_N; /* 250 kbit/s */
    f->tdr = 0;
}

static int fdc_init(struct dev *d, struct err *e)
{
    struct fdc *f = fdc_of(d);
    int r;

    if (f->dma > 3)
        return err_set(e, -EINVAL, "dma=%" PRIu64 ": want 0 to 3", f->dma);
    mem_init_mmio(&f->ports, "fdc", 6, &fdc_ops, f);
    mem_init_mmio(&f->dir, "fdc", 1, &dir_ops, f);
    if ((r = isa_connect(d, &d->irq[0], f->irq, e)) < 0 ||
        (r = isa_add_io(d, &f->ports, f->iobase, e)) < 0)
        return r;
    if ((r = isa_add_io(d, &f->dir, f->iobase + DIR, e)) < 0) {
        isa_remove(&f->ports);
        return r;
    }
    isa_bus_of(d->parent)->dma_user[f->dma] = (struct isa_dma_user){fdc_dma_ready, f};
    timer_init(&f->timer, d->m, CLK_VIRT, worked, f);
    fdc_bus_init(&f->bus, d);
    return 0;
}

static void fdc_fini(struct dev *d)
{
    struct fdc *f = fdc_of(d);

    timer_cancel(&f->timer);
    isa_bus_of(d->parent)->dma_user[f->dma] = (struct isa_dma_user){0};
}

static int fdc_loaded(struct dev *d, int version, struct err *e)
{
    struct fdc *f = fdc_of(d);
    bool moving = f->phase == TO_HOST || f->phase == FROM_HOST || f->phase == WAIT_DMA;
    const struct floppy *fl = fdc_drive(f);

    if (f->phase > RESULT || f->cmd_n > sizeof(f->cmd) || f->result_n > sizeof(f->result) ||
        f->result_at > f->result_n || (f->phase == RESULT && f->result_at == f->result_n) ||
        f->sense > 15)
        return err_set(e, -EILSEQ, "phase %u, %u and %u bytes", f->phase, f->cmd_n, f->result_n);
    if (f->phase == COMMAND && (!f->cmd_n || f->cmd_len != length_of(f->cmd[0]) || f->cmd_n >= f->cmd_len))
        return err_set(e, -EILSEQ, "%u bytes of a command of %u", f->cmd_n, f->cmd_len);
    if (f->at > f->end || f->end > SECTOR || (moving && f->at == f->end))
        return err_set(e, -EILSEQ, "byte %u of %u", f->at, f->end);
    if (moving && (!fl || f->head > 1))
        return err_set(e, -EILSEQ, "a transfer of a drive that is not there");
    return 0;
}

static const struct field fdc_props[] = {
    FIELD(fdc, iobase, F_U64, "iobase", "1008", "first port"),
    FIELD(fdc, irq, F_U64, "irq", "6", "interrupt"),
    FIELD(fdc, dma, F_U64, "dma", "2", "DMA channel"),
    FIELD_ENUM(fdc, fd_type[0], floppy_types, "fdtypeA", "auto", "type of drive A"),
    FIELD_ENUM(fdc, fd_type[1], floppy_types, "fdtypeB", "auto", "type of drive B"),
    FIELD_ENUM(fdc, fallback, floppy_types, "fallback", "288", "type of drives that are empty"),
    FIELD_END,
};

static const struct state fdc_state[] = {
    STATE(fdc, dor, S_U8, 1, NULL),       STATE(fdc, dsr, S_U8, 1, NULL),
    STATE(fdc, tdr, S_U8, 1, NULL),       STATE(fdc, ccr, S_U8, 1, NULL),
    STATE(fdc, phase, S_U8, 1, NULL),     STATE(fdc, cmd, S_U8, 1, NULL),
    STATE(fdc, cmd_n, S_U8, 1, NULL),     STATE(fdc, cmd_len, S_U8, 1, NULL),
    STATE(fdc, result, S_U8, 1, NULL),    STATE(fdc, result_n, S_U8, 1, NULL),
    STATE(fdc, result_at, S_U8, 1, NULL), STATE(fdc, interrupt, S_U8, 1, NULL),
    STATE(fdc, sense, S_U8, 1, NULL),     STATE(fdc, sense_st0, S_U8, 1, NULL),
    STATE(fdc, specify, S_U8, 1, NULL),   STATE(fdc, config, S_U8, 1, NULL),
    STATE(fdc, perpendicular, S_U8, 1, NULL), STATE(fdc, locked, S_U8, 1, NULL),
    STATE(fdc, seeking, S_U8, 1, NULL),   STATE(fdc, cylinder, S_U8, 1, NULL),
    STATE(fdc, data, S_U8, 1, NULL),      STATE(fdc, at, S_U16, 1, NULL),
    STATE(fdc, end, S_U16, 1, NULL),      STATE(fdc, head, S_U8, 1, NULL),
    STATE(fdc, sector, S_U8, 1, NULL),    STATE(fdc, tc, S_U8, 1, NULL),
    STATE(fdc, write, S_U8, 1, NULL),     STATE(fdc, formatted, S_U8, 1, NULL),
    STATE_TIMER(fdc, timer, 1, NULL),     STATE_END,
};

const struct dev_type dev_isa_fdc = {
    .name = "isa-fdc",
    .help = "virtual floppy controller",
    .class = DEV_STORAGE,
    .bus = "isa",
    .size = sizeof(struct fdc),
    .props = fdc_props,
    .state = fdc_state,
    .state_version = 1,
    .init = fdc_init,
    .reset = fdc_reset,
    .fini = fdc_fini,
    .loaded = fdc_loaded,
    .trace = fdc_trace,
};
