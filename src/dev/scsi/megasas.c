/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "megasas", "megasas-gen2": LSI MegaRAID SAS controllers (SAS1078R, SAS2108). Each disk of its bus is a logical drive, which is what firmware boots
 * from; other units, and with use_jbod=on the disks, too, are physical drives that the host sees as they are.
 * Commands for drives run on threads (scsi_jobs.h), what is for the controller itself at once.
 * Source: the message frames and registers as Linux describes them (drivers/scsi/megaraid/megaraid_sas.h, "megasas_register_set", "megasas_frame",
 * "megasas_io_frame", "MR_LD_LIST", "MR_LD_TARGETID_LIST").
 */
#include "base/bytes.h"
#include "base/trace.h"
#include "dev/pci/pci.h"
#include "dev/scsi/scsi_jobs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { REGS = 0x4000, IO_REGS = 0x100, TARGETS = 64, MAX_CMDS = 128, MAX_SGE = 80, MAX_FRAME_SGE = 255, MAX_XFER = 16 << 20 };
/* Registers. */
enum { IDB = 0x20, ODB = 0x2c, OSTS = 0x30, OMSK = 0x34, IQP = 0x40, OQP = 0x44, ODCR0 = 0xa0, OSP0 = 0xb0, IQPL = 0xc0, IQPH = 0xc4 };
enum { IDB_ABORT = 1, IDB_READY = 2, IDB_MFIMODE = 4, IDB_RESET = 0x40 };
#define STATE_READY       0xb0000000u
#define STATE_OPERATIONAL 0xc0000000u
#define INTR_1078         0x80000000u /* a reply is there */
#define INTR_GEN2         0x00000001u
/* Frames: header; what follows by command. */
enum { F_CMD = 0, F_SENSE_LEN = 1, F_STATUS = 2, F_SCSI_STATUS = 3, F_TARGET = 4, F_LUN = 5, F_CDB_LEN = 6, F_SGES = 7, F_CONTEXT = 8, F_FLAGS = 16,
       F_XFER = 20, F_OPCODE = 24, F_SENSE_ADDR = 24, F_INFO = 24, F_CDB = 32, F_LBA_COUNT = 20, F_LBA = 32, F_IO_SGL = 40, F_ABORT_ADDR = 32, F_DCMD_SGL = 40, F_PTHRU_SGL = 48, FRAME_HEAD = 48 };
enum { CMD_INIT = 0, CMD_LD_READ = 1, CMD_LD_WRITE = 2, CMD_LD_SCSI_IO = 3, CMD_PD_SCSI_IO = 4, CMD_DCMD = 5, CMD_ABORT = 6 };
enum { FLAG_NO_REPLY = 1, FLAG_SGL64 = 2, FLAG_WRITE = 8, FLAG_READ = 16, FLAG_IEEE = 32 };
enum { ST_OK = 0, ST_INVALID_CMD = 1, ST_INVALID_DCMD = 2, ST_INVALID_PARAMETER = 3, ST_NO_DEVICE = 0x0c, ST_SCSI_ERROR = 0x2d, ST_PENDING = 0xff };
enum { DCMD_CTRL_INFO = 0x01010000, DCMD_EVENT_INFO = 0x01040100, DCMD_EVENT_WAIT = 0x01040500, DCMD_SHUTDOWN = 0x01050000,
       DCMD_FLUSH = 0x01101000, DCMD_PD_LIST = 0x02010000, DCMD_PD_LIST_QUERY = 0x02010100, DCMD_LD_LIST = 0x03010000, DCMD_LD_LIST_QUERY = 0x03010100 };

struct megasas {
    struct pci_dev pci;
    struct scsi_bus bus;
    struct mem mmio, io;
    bool jbod;
    uint32_t state, osts, omsk, frame_high;
    uint32_t entries; /* of the reply queue; 0: it is not set up */
    uint64_t queue, producer_at, consumer_at;
    uint32_t producer;
    uint64_t event_frame; /* that waits for news; 0: none */
    uint32_t event_context;
    uint32_t n_waiting; /* frames that begin anew when the machine runs: the host's disk failed */
    uint64_t waiting[MAX_CMDS];
    /* Not saved. */
    struct scsi_jobs jobs;
    struct io *running;
    unsigned n_running;
};

enum { TP_FRAME, TP_REPLY, TP_REFUSED };
static struct trace_point megasas_trace[] = {[TP_FRAME] = {.name = "megasas_frame"},
                                             [TP_REPLY] = {.name = "megasas_reply"},
                                             [TP_REFUSED] = {.name = "megasas_refused"},
                                             {.name = NULL}};

static struct megasas *megasas_of(struct dev *d)
{
    return (struct megasas *)d;
}

static bool gen2(const struct megasas *s)
{
    return s->pci.ops->device != 0x0060;
}

static void update_irq(struct megasas *s)
{
    pci_set_irq(&s->pci, s->osts & ~s->omsk);
}

/* --- Replies -------------------------------------------------------------------------------- */

static void post(struct megasas *s, uint32_t context)
{
    uint8_t le[4];

    if (!s->entries)
        return;
    TRACE(&megasas_trace[TP_REPLY], "context=%#x", context);
    put_le32(le, context);
    pci_dma_write(&s->pci, s->queue + 4 * (uint64_t)s->producer, le, 4);
    s->producer = (s->producer + 1) % s->entries;
    put_le32(le, s->producer);
    pci_dma_write(&s->pci, s->producer_at, le, 4);
    s->osts |= gen2(s) ? INTR_GEN2 : INTR_1078;
    update_irq(s);
}

static void finish(struct megasas *s, uint64_t at, const uint8_t *f, uint8_t status, uint8_t scsi_status)
{
    uint8_t both[2] = {status, scsi_status};

    pci_dma_write(&s->pci, at + F_STATUS, both, 2);
    if (!(get_le16(f + F_FLAGS) & FLAG_NO_REPLY))
        post(s, get_le32(f + F_CONTEXT));
}

/* --- Scatter-gather lists ------------------------------------------------------------------- */

enum { PIECES = 1024 };

struct sgl {
    struct iovec piece[PIECES];
    unsigned n;
    uint64_t len;
    bool bad, write; /* write: to the guest's memory */
};

static void map_range(struct megasas *s, struct sgl *l, uint64_t at, uint64_t len)
{
    while (len && !l->bad) {
        uint64_t n = len;
        void *host = l->n < PIECES ? pci_dma_map(&s->pci, at, &n, l->write) : NULL;

        if (!host) {
            l->bad = true;
            return;
        }
        l->piece[l->n++] = (struct iovec){host, n};
        l->len += n;
        at += n;
        len -= n;
    }
}

/* The list at @off of the frame at @at. */
static void map_sgl(struct megasas *s, struct sgl *l, uint64_t at, const uint8_t *f, unsigned off)
{
    uint16_t flags = get_le16(f + F_FLAGS);
    unsigned size = flags & FLAG_IEEE ? 16 : flags & FLAG_SGL64 ? 12 : 8;
    uint8_t list[16 * MAX_FRAME_SGE];

    l->n = 0;
    l->len = 0;
    l->bad = false;
    if (pci_dma_read(&s->pci, at + off, list, size * f[F_SGES]) < 0)
        l->bad = true;
    for (unsigned i = 0; i < f[F_SGES] && !l->bad; i++) {
        const uint8_t *e = list + i * size;
        uint32_t len = get_le32(e + (size == 8 ? 4 : 8));

        if (len > MAX_XFER - l->len)
            l->bad = true;
        else
            map_range(s, l, size == 8 ? get_le32(e) : get_le64(e), len);
    }
}

static void unmap_sgl(struct megasas *s, struct sgl *l)
{
    for (unsigned i = 0; i < l->n; i++)
        pci_dma_unmap(&s->pci, l->piece[i].iov_base, l->write ? l->piece[i].iov_len : 0);
}

/* --- Drives --------------------------------------------------------------------------------- */

/* As the unit itself says (INQUIRY). */
static uint8_t unit_type(struct megasas *s, const struct scsi_unit *u)
{
    uint8_t data[36] = {0};
    struct iovec in = {data, sizeof(data)};
    struct scsi_cmd c = {.cdb = {0x12, 0, 0, 0, sizeof(data)}, .in = &in, .n_in = 1, .in_len = sizeof(data)};

    return scsi_bus_run(&s->bus, 0, u->target, u->lun, &c) ? data[0] & 0x1f : 0;
}

/* Disks are logical drives, numbered as they are on the bus. */
static bool logical(struct megasas *s, const struct scsi_unit *u)
{
    return !s->jbod && !u->lun && u->target < TARGETS && unit_type(s, u) == 0;
}

static bool is_logical(struct megasas *s, uint8_t target)
{
    for (unsigned i = 0; i < s->bus.n; i++) {
        if (s->bus.unit[i]->target == target && !s->bus.unit[i]->lun)
            return logical(s, s->bus.unit[i]);
    }
    return false;
}

/* READ CAPACITY (16).  It is asked again when it had to tell of its power-on first. */
static uint64_t blocks_of(struct megasas *s, const struct scsi_unit *u)
{
    uint8_t data[32];
    struct iovec in = {data, sizeof(data)};

    for (int tries = 0; tries < 2; tries++) {
        struct scsi_cmd c = {.cdb = {0x9e, 0x10, [13] = sizeof(data)}, .in = &in, .n_in = 1, .in_len = sizeof(data)};

        memset(data, 0, sizeof(data));
        if (scsi_bus_run(&s->bus, 0, u->target, u->lun, &c) && c.status == SCSI_GOOD)
            return get_be64(data) + 1;
    }
    return 0;
}

/* --- SCSI commands -------------------------------------------------------------------------- */

/* One that runs. */
struct io {
    struct scsi_job job;
    struct megasas *s;
    struct io *next;
    uint64_t at;
    uint8_t f[FRAME_HEAD];
    struct sgl l;
};

/* One more makes room for itself first. */
static struct io *io_new(struct megasas *s, uint64_t at, const uint8_t *f)
{
    struct io *o;

    if (s->n_running == MAX_CMDS)
        scsi_jobs_drain(&s->jobs, false);
    if (!(o = calloc(1, sizeof(*o))))
        fatal("out of memory");
    o->s = s;
    o->at = at;
    memcpy(o->f, f, FRAME_HEAD);
    o->next = s->running;
    s->running = o;
    s->n_running++;
    return o;
}

static void io_free(struct io *o)
{
    struct megasas *s = o->s;
    struct io **at = &s->running;

    unmap_sgl(s, &o->l);
    while (*at != o)
        at = &(*at)->next;
    *at = o->next;
    s->n_running--;
    free(o);
}

/* Of what ran nobody hears any more. */
static void forget_all(struct megasas *s)
{
    scsi_jobs_drain(&s->jobs, true);
    while (s->running)
        io_free(s->running);
    s->n_waiting = 0;
}

static void io_done(struct scsi_job *j, bool found)
{
    struct io *o = (struct io *)j; /* its first member */
    struct megasas *s = o->s;
    const struct scsi_cmd *c = &j->c;

    if (c->again && s->n_waiting < MAX_CMDS) {
        s->waiting[s->n_waiting++] = o->at;
    } else {
        if (found && c->sense_len && o->f[F_SENSE_LEN])
            pci_dma_write(&s->pci, get_le64(o->f + F_SENSE_ADDR), c->sense, min_u64(c->sense_len, o->f[F_SENSE_LEN]));
        finish(s, o->at, o->f, !found ? ST_NO_DEVICE : c->status == SCSI_GOOD ? ST_OK : ST_SCSI_ERROR, c->status);
    }
    io_free(o);
}

static void run_io(struct megasas *s, uint64_t at, const uint8_t *f, unsigned list, bool write, const uint8_t cdb[static 16])
{
    struct io *o = io_new(s, at, f);
    struct scsi_cmd *c = &o->job.c;
    struct sgl *l = &o->l;
    uint8_t status;

    l->write = !write;
    map_sgl(s, l, at, f, list);
    status = l->bad ? ST_INVALID_PARAMETER : f[F_CMD] != CMD_PD_SCSI_IO && !is_logical(s, f[F_TARGET]) ? ST_NO_DEVICE : ST_OK;
    if (status != ST_OK) {
        io_free(o);
        finish(s, at, f, status, 0);
        return;
    }
    memcpy(c->cdb, cdb, 16);
    c->in = c->out = l->piece;
    *(l->write ? &c->n_in : &c->n_out) = l->n;
    *(l->write ? &c->in_len : &c->out_len) = l->len;
    o->job.target = f[F_TARGET];
    o->job.lun = f[F_LUN];
    o->job.done = io_done;
    scsi_job_start(&s->jobs, &o->job);
}

static void scsi_io(struct megasas *s, uint64_t at, const uint8_t *f)
{
    uint8_t cdb[16] = {0};

    memcpy(cdb, f + F_CDB, min_u64(f[F_CDB_LEN], sizeof(cdb)));
    run_io(s, at, f, F_PTHRU_SGL, get_le16(f + F_FLAGS) & FLAG_WRITE, cdb);
}

/* Reading and writing of a logical drive, which need no CDB: READ (16), WRITE (16). */
static void block_io(struct megasas *s, uint64_t at, const uint8_t *f)
{
    bool write = f[F_CMD] == CMD_LD_WRITE;
    uint8_t cdb[16] = {write ? 0x8a : 0x88};

    put_be64(cdb + 2, get_le64(f + F_LBA));
    put_be32(cdb + 10, get_le32(f + F_LBA_COUNT));
    run_io(s, at, f, F_IO_SGL, write, cdb);
}

/* --- Direct commands to the firmware --------------------------------------------------------- */

struct reply {
    uint8_t data[2048];
    size_t len;
};

static void controller_info(struct megasas *s, struct reply *r)
{
    memcpy(r->data, s->pci.config, 4); /* PCI: vendor and device, those of the subsystem */
    memcpy(r->data + 4, s->pci.config + 0x2c, 4);
    r->len = sizeof(r->data);
}

/* Size, number, then 24 bytes for each: number, its enclosure's, SCSI type. */
static void drive_list(struct megasas *s, struct reply *r, bool exposed)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->bus.n && n < TARGETS; i++) {
        uint8_t *e = r->data + 8 + 24 * n;

        if (s->bus.unit[i]->lun || (exposed && logical(s, s->bus.unit[i])))
            continue;
        put_le16(e, s->bus.unit[i]->target);
        put_le16(e + 2, 0xffff);
        e[5] = s->bus.unit[i]->target;
        e[6] = unit_type(s, s->bus.unit[i]);
        e[7] = 1;
        put_le64(e + 8, UINT64_C(0x5000000000000000) + s->bus.unit[i]->target);
        n++;
    }
    put_le32(r->data, 8 + 24 * n);
    put_le32(r->data + 4, n);
    r->len = 8 + 24 * n;
}

/* Number, 4 bytes, then 16 for each: its number (a byte of 4), its state (1 of 4), its blocks. */
static void logical_list(struct megasas *s, struct reply *r)
{
    enum { OPTIMAL = 3 };
    unsigned n = 0;

    for (unsigned i = 0; i < s->bus.n && n < TARGETS; i++) {
        const struct scsi_unit *u = s->bus.unit[i];
        uint8_t *e = r->data + 8 + 16 * n;

        if (!logical(s, u))
            continue;
        e[0] = u->target;
        e[4] = OPTIMAL;
        put_le64(e + 8, blocks_of(s, u));
        n++;
    }
    put_le32(r->data, n);
    r->len = 8 + 16 * n;
}

/* Size, number, 3 bytes, then a byte for each. */
static void logical_numbers(struct megasas *s, struct reply *r)
{
    unsigned n = 0;

    for (unsigned i = 0; i < s->bus.n && n < TARGETS; i++) {
        if (logical(s, s->bus.unit[i]))
            r->data[11 + n++] = s->bus.unit[i]->target;
    }
    put_le32(r->data, 11 + n);
    put_le32(r->data + 4, n);
    r->len = 11 + n;
}

/* What disks have not yet written: hosts do not flush logical drives, controllers do. */
static void flush(struct megasas *s)
{
    for (unsigned i = 0; i < s->bus.n; i++) {
        struct scsi_cmd c = {.cdb = {0x35}}; /* SYNCHRONIZE CACHE (10) */

        if (logical(s, s->bus.unit[i]))
            scsi_bus_run(&s->bus, 0, s->bus.unit[i]->target, 0, &c);
    }
}

static uint8_t direct(struct megasas *s, uint32_t opcode, struct reply *r)
{
    switch (opcode) {
    case DCMD_CTRL_INFO: controller_info(s, r); return ST_OK;
    case DCMD_EVENT_INFO: r->len = 20; return ST_OK; /* nothing has ever happened */
    case DCMD_PD_LIST: drive_list(s, r, false); return ST_OK;
    case DCMD_PD_LIST_QUERY: drive_list(s, r, true); return ST_OK;
    case DCMD_LD_LIST: logical_list(s, r); return ST_OK;
    case DCMD_LD_LIST_QUERY: logical_numbers(s, r); return ST_OK;
    case DCMD_FLUSH:
    case DCMD_SHUTDOWN: flush(s); return ST_OK;
    default: TRACE(&megasas_trace[TP_REFUSED], "opcode=%#x", opcode); return ST_INVALID_DCMD;
    }
}

/* What the answer leaves free of the guest's buffer is zero. */
static void fill(struct sgl *l, const struct reply *r)
{
    size_t done = 0;

    for (unsigned i = 0; i < l->n; i++) {
        size_t len = l->piece[i].iov_len, n = min_u64(len, r->len - done);

        memcpy(l->piece[i].iov_base, r->data + done, n);
        memset((uint8_t *)l->piece[i].iov_base + n, 0, len - n);
        done += n;
    }
}

static void dcmd(struct megasas *s, uint64_t at, const uint8_t *f)
{
    uint32_t opcode = get_le32(f + F_OPCODE);
    struct sgl l = {.write = !(get_le16(f + F_FLAGS) & FLAG_WRITE)};
    struct reply r = {.len = 0};
    uint8_t status;

    if (opcode == DCMD_EVENT_WAIT) { /* answered when it is aborted */
        s->event_frame = at;
        s->event_context = get_le32(f + F_CONTEXT);
        return;
    }
    status = direct(s, opcode, &r);
    map_sgl(s, &l, at, f, F_DCMD_SGL);
    if (l.bad)
        status = ST_INVALID_PARAMETER;
    else if (status == ST_OK && l.write)
        fill(&l, &r);
    unmap_sgl(s, &l);
    finish(s, at, f, status, 0);
}

static void abort_frame(struct megasas *s, uint64_t at, const uint8_t *f)
{
    uint8_t status = ST_OK;

    scsi_jobs_drain(&s->jobs, false); /* commands for drives have ended then */
    if (s->event_frame && get_le32(f + F_ABORT_ADDR) == (uint32_t)s->event_frame) {
        pci_dma_write(&s->pci, s->event_frame + F_STATUS, &status, 1);
        post(s, s->event_context);
        s->event_frame = 0;
    }
    finish(s, at, f, ST_OK, 0);
}

/* --- Frames --------------------------------------------------------------------------------- */

static void init_queue(struct megasas *s, uint64_t at, const uint8_t *f)
{
    uint8_t q[32];
    uint8_t status = ST_INVALID_PARAMETER;

    if (pci_dma_read(&s->pci, get_le64(f + F_INFO), q, sizeof(q)) == 0 && get_le32(q + 4) && get_le32(q + 4) <= MAX_CMDS + 1) {
        s->entries = get_le32(q + 4);
        s->queue = get_le64(q + 8);
        s->producer_at = get_le64(q + 16);
        s->consumer_at = get_le64(q + 24);
        s->producer = 0;
        s->state = STATE_OPERATIONAL;
        status = ST_OK;
    }
    finish(s, at, f, status, 0);
}

static void frame(struct megasas *s, uint64_t at)
{
    uint8_t f[FRAME_HEAD];

    if (pci_dma_read(&s->pci, at, f, sizeof(f)) < 0)
        return;
    TRACE(&megasas_trace[TP_FRAME], "cmd=%u at=%#llx", f[F_CMD], (unsigned long long)at);
    switch (f[F_CMD]) {
    case CMD_INIT: init_queue(s, at, f); break;
    case CMD_LD_READ:
    case CMD_LD_WRITE: block_io(s, at, f); break;
    case CMD_LD_SCSI_IO:
    case CMD_PD_SCSI_IO: scsi_io(s, at, f); break;
    case CMD_DCMD: dcmd(s, at, f); break;
    case CMD_ABORT: abort_frame(s, at, f); break;
    default: finish(s, at, f, ST_INVALID_CMD, 0); break;
    }
}

/* --- Registers ------------------------------------------------------------------------------ */

static void soft_reset(struct megasas *s)
{
    forget_all(s);
    s->state = STATE_READY;
    s->entries = s->producer = 0;
    s->event_frame = 0;
    s->osts = 0;
    s->omsk = UINT32_MAX;
    s->frame_high = 0;
    update_irq(s);
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct megasas *s = opaque;

    switch (off) {
    case OSTS: return s->osts;
    case OMSK: return s->omsk;
    case OSP0: return s->state | MAX_SGE << 16 | MAX_CMDS;
    default: return 0;
    }
}

/* Frames are on boundaries of 64 bytes; below that is how many there are. */
static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    enum { ALIGN = 0x3f };
    struct megasas *s = opaque;

    switch (off) {
    case IDB:
        if (v & (IDB_ABORT | IDB_READY | IDB_MFIMODE | IDB_RESET))
            soft_reset(s);
        break;
    case OMSK:
        s->omsk = v;
        update_irq(s);
        break;
    case ODCR0:
        s->osts = 0;
        update_irq(s);
        break;
    case IQPH: s->frame_high = v; break;
    case IQPL:
    case IQP:
        frame(s, (uint64_t)s->frame_high << 32 | (v & ~(uint64_t)ALIGN));
        s->frame_high = 0;
        break;
    }
}

static const struct mmio_ops ops = {.read = regs_read, .write = regs_write, .min = 4, .max = 4};

/* --- Birth ---------------------------------------------------------------------------------- */

static void changed(void *opaque, struct scsi_unit *u)
{
}

static void noted(void *opaque, struct scsi_unit *u, struct scsi_sense what)
{
}

static void state_changed(void *opaque, bool running, enum run_state why)
{
    struct megasas *s = opaque;
    uint64_t again[MAX_CMDS];
    uint32_t n = s->n_waiting;

    if (!running || !n)
        return;
    memcpy(again, s->waiting, n * sizeof(again[0]));
    s->n_waiting = 0;
    for (uint32_t i = 0; i < n; i++)
        frame(s, again[i]);
}

static int init(struct dev *d, struct err *e)
{
    static const struct scsi_host host = {.plugged = changed, .unplugged = changed, .noted = noted};
    struct megasas *s = megasas_of(d);
    char name[80];

    mem_init_mmio(&s->mmio, "megasas-mmio", REGS, &ops, s);
    mem_init_mmio(&s->io, "megasas-io", IO_REGS, &ops, s);
    pci_pin(&s->pci, 1);
    if (gen2(s)) {
        pcie_add_endpoint(&s->pci, 0xa0, false);
        pci_add_bar(&s->pci, 0, PCI_BAR_IO, &s->io);
        pci_add_bar(&s->pci, 1, PCI_BAR_64, &s->mmio);
    } else {
        pci_add_bar(&s->pci, 0, PCI_BAR_64, &s->mmio);
        pci_add_bar(&s->pci, 2, PCI_BAR_IO, &s->io);
    }
    s->bus.host = &host;
    s->bus.opaque = s;
    s->bus.max_target = TARGETS - 1;
    s->bus.max_lun = 255;
    snprintf(name, sizeof(name), "%.60s.0", d->id ? d->id : "scsi");
    scsi_bus_init(&s->bus, d, name);
    scsi_jobs_init(&s->jobs, d->m, &s->bus);
    machine_on_state(d->m, state_changed, s);
    return 0;
}

static void reset(struct dev *d)
{
    pci_dev_reset(pci_of(d));
    soft_reset(megasas_of(d));
}

static void fini(struct dev *d)
{
    struct megasas *s = megasas_of(d);

    machine_off_state(d->m, s);
    forget_all(s);
    scsi_jobs_fini(&s->jobs);
    scsi_bus_fini(&s->bus);
    pci_dev_fini(&s->pci);
}

static void saving(struct dev *d)
{
    scsi_jobs_drain(&megasas_of(d)->jobs, false);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct megasas *s = megasas_of(d);
    int r = pci_dev_loaded(&s->pci, e);

    if (r < 0)
        return r;
    if (s->entries > MAX_CMDS + 1 || (s->entries && s->producer >= s->entries) || (s->state != STATE_READY && s->state != STATE_OPERATIONAL))
        return err_set(e, -EILSEQ, "a reply queue of %u entries, at %u, in state %#x", s->entries, s->producer, s->state);
    if (s->n_waiting > MAX_CMDS)
        return err_set(e, -EILSEQ, "%u commands wait, at most %d", s->n_waiting, MAX_CMDS);
    update_irq(s);
    return 0;
}

static const struct field props[] = {PCI_FIELDS(megasas, pci), FIELD(megasas, jbod, F_BOOL, "use_jbod", "off", "disks are physical drives"),
                                     FIELD_END};

static const struct state state[] = {
    PCI_STATE(megasas, pci),
    STATE(megasas, state, S_U32, 1, "of the firmware"),
    STATE(megasas, osts, S_U32, 1, "outbound interrupt status"),
    STATE(megasas, omsk, S_U32, 1, "and mask"),
    STATE(megasas, frame_high, S_U32, 1, "upper half of the address that comes next"),
    STATE(megasas, entries, S_U32, 1, "of the reply queue"),
    STATE(megasas, queue, S_U64, 1, NULL),
    STATE(megasas, producer_at, S_U64, 1, NULL),
    STATE(megasas, consumer_at, S_U64, 1, NULL),
    STATE(megasas, producer, S_U32, 1, NULL),
    STATE(megasas, event_frame, S_U64, 1, "that waits for news"),
    STATE(megasas, event_context, S_U32, 1, NULL),
    STATE(megasas, n_waiting, S_U32, 2, "frames that begin anew when the machine runs"),
    STATE(megasas, waiting, S_U64, 2, "their addresses"),
    STATE_END,
};

#define IDS(device_, sub_, kind_)                                                                  \
    {                                                                                              \
        .vendor = 0x1000, .device = device_, .sub_vendor = 0x1000, .sub_device = sub_, .class = 0x0104 /* RAID */, .kind = kind_           \
    }
#define TYPE(name_, help_, pci_)                                                                   \
    {                                                                                              \
        .name = name_, .help = help_, .class = DEV_STORAGE, .bus = "pci", .size = sizeof(struct megasas), .props = props, .state = state,  \
        .state_version = 2, .init = init, .reset = reset, .fini = fini, .loaded = loaded, .saving = saving, .trace = megasas_trace, .class_ops = pci_        \
    }
static const struct pci_type sas1078 = IDS(0x0060, 0x1013, PCI_CONVENTIONAL), sas2108 = IDS(0x0079, 0x9261, PCI_HYBRID);

const struct dev_type dev_megasas = TYPE("megasas", "LSI MegaRAID SAS 1078", &sas1078);
const struct dev_type dev_megasas_gen2 = TYPE("megasas-gen2", "LSI MegaRAID SAS 2108", &sas2108);
