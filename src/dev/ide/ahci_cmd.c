/* SPDX-License-Identifier: GPL-2.0-or-later */
/* AHCI: command lists, tables and received FISes (Serial ATA AHCI 1.3.1, chapters 4 and 5; Serial ATA 3.0, 10.3). */
#include "dev/ide/ahci_priv.h"

#include "base/bytes.h"
#include "dev/scsi/scsi.h"

enum { HEADER = 32, FIS_H2D = 0x27, FIS_D2H = 0x34, FIS_SDB = 0xa1, FIS_PIO = 0x5f };
enum { AT_PIO = 0x20, AT_D2H = 0x40, AT_SDB = 0x58, AT_PRDT = 0x80, PRD = 16 };
enum { AT_PACKET = 0x40 };
enum { FIS_IRQ = 0x40, SRST = 4, PRD_BYTES = 0x3fffff };

struct job {
    unsigned slot;
    uint8_t header[HEADER], fis[64];
    struct ata_cmd c;
    struct scsi_cmd packet; /* of command PACKET */
    bool is_packet, to_memory;
    unsigned n; /* of p->iov */
    uint64_t len; /* bytes of data */
};

static void post(struct ahci_port *p, unsigned at, const uint8_t *fis, unsigned len, uint32_t is)
{
    uint64_t fb = p->fb | (uint64_t)p->fbu << 32;

    if (p->cmd & CMD_FRE)
        pci_dma_write(&p->h->pci, fb + at, fis, len);
    p->is |= is;
}

static void put_registers(uint8_t *f, const struct ata_cmd *c)
{
    f[2] = c->status;
    f[3] = c->error;
    for (int i = 0; i < 3; i++) {
        f[4 + i] = c->lba >> 8 * i;
        f[8 + i] = c->lba >> (24 + 8 * i);
    }
    f[7] = c->device;
    put_le16(f + 12, c->count);
}

static void post_d2h(struct ahci_port *p, const struct ata_cmd *c, uint32_t is)
{
    uint8_t f[20] = {FIS_D2H, FIS_IRQ};

    put_registers(f, c);
    post(p, AT_D2H, f, sizeof(f), is);
}

static void post_pio(struct ahci_port *p, const struct ata_cmd *c, uint64_t len)
{
    uint8_t f[20] = {FIS_PIO, FIS_IRQ | (ata_data(c) == ATA_PIO_IN ? 0x20 : 0)};

    put_registers(f, c);
    f[15] = c->status;
    put_le16(f + 16, len);
    post(p, AT_PIO, f, sizeof(f), PORT_PSS);
}

static void post_sdb(struct ahci_port *p, const struct ata_cmd *c, uint32_t done)
{
    uint8_t f[8] = {FIS_SDB, FIS_IRQ, c->status & 0x77, c->error};

    put_le32(f + 4, done);
    post(p, AT_SDB, f, sizeof(f), PORT_SDBS);
}

void ahci_signature(struct ahci_port *p)
{
    bool cd = p->bus.disk[0] && p->bus.disk[0]->atapi;
    struct ata_cmd c = {
        .status = ATA_DRDY | ATA_DSC, .error = 1, .count = 1, .lba = cd ? 0xeb1401 : 1};

    p->sig = cd ? 0xeb140101 : 0x00000101;
    p->tfd = c.status | c.error << 8;
    post_d2h(p, &c, 0);
}

static void parse(const uint8_t *f, struct ata_cmd *c)
{
    c->command = f[2];
    c->features = f[3] | f[11] << 8;
    c->device = f[7];
    c->count = get_le16(f + 12);
    c->lba = f[4] | f[5] << 8 | f[6] << 16 | (uint64_t)f[8] << 24 | (uint64_t)f[9] << 32 |
             (uint64_t)f[10] << 40;
}

static bool add(struct ahci_port *p, struct job *j, uint64_t at, uint64_t len, bool write)
{
    while (len) {
        uint64_t part = len;
        void *host = j->n < AHCI_MAX_IOV ? pci_dma_map(&p->h->pci, at, &part, write) : NULL;

        if (!host)
            return false;
        p->iov[j->n++] = (struct iovec){host, part};
        at += part;
        len -= part;
    }
    return true;
}

/* The first j->len bytes that the table describes; false: it describes less, or what is no memory; j->len is cut to that. */
static bool map(struct ahci_port *p, struct job *j, uint64_t table)
{
    unsigned entries = get_le16(j->header + 2);
    uint64_t left = j->len;
    bool whole = true;

    for (unsigned i = 0; left && i < entries && whole; i++) {
        uint8_t e[PRD];
        uint64_t len;

        pci_dma_read(&p->h->pci, table + AT_PRDT + i * PRD, e, sizeof(e));
        len = (get_le32(e + 12) & PRD_BYTES) + 1;
        len = len < left ? len : left;
        whole = add(p, j, get_le64(e), len, j->to_memory);
        left -= whole ? len : 0;
    }
    j->len -= left;
    return !left;
}

static void unmap(struct ahci_port *p, struct job *j)
{
    for (unsigned i = 0; i < j->n; i++)
        pci_dma_unmap(&p->h->pci, p->iov[i].iov_base, j->to_memory ? p->iov[i].iov_len : 0);
    j->n = 0;
}

/* A FIS that only changes device control: a reset begins when SRST is set, and ends when it is cleared. */
static void control(struct ahci_port *p, struct job *j)
{
    bool reset = j->fis[15] & SRST;

    p->ci &= ~(1u << j->slot);
    if (p->soft_reset && !reset) {
        ata_reset(p->bus.disk[0]);
        ahci_signature(p);
    }
    p->soft_reset = reset;
}

static bool fetch(struct ahci_port *p, struct job *j)
{
    uint64_t list = p->clb | (uint64_t)p->clbu << 32, table;

    memset(j, 0, sizeof(*j));
    j->slot = __builtin_ctz(p->ci);
    p->cmd = (p->cmd & ~CMD_CCS) | j->slot << 8;
    pci_dma_read(&p->h->pci, list + j->slot * HEADER, j->header, HEADER);
    table = get_le64(j->header + 8);
    pci_dma_read(&p->h->pci, table, j->fis, sizeof(j->fis));
    if (j->fis[0] != FIS_H2D) {
        guest_error(&p->h->pci.dev, "command with a FIS of type %#x", j->fis[0]);
        p->ci &= ~(1u << j->slot);
        return false;
    }
    if (!(j->fis[1] & 0x80)) {
        control(p, j);
        return false;
    }
    parse(j->fis, &j->c);
    j->is_packet = j->c.command == ATA_PACKET && p->bus.disk[0]->atapi;
    j->to_memory = ata_data(&j->c) == ATA_DMA_IN || ata_data(&j->c) == ATA_PIO_IN;
    TRACE(&ahci_trace[AHCI_TP_COMMAND], "port=%u slot=%u command=%#x lba=%#llx count=%u",
          (unsigned)(p - p->h->port), j->slot, j->c.command, (unsigned long long)j->c.lba,
          j->c.count);
    return true;
}

static void complete(struct ahci_port *p, struct job *j)
{
    uint64_t list = p->clb | (uint64_t)p->clbu << 32;
    bool bad = j->c.status & ATA_ERR, queued = ata_is_ncq(&j->c);
    uint32_t bit = 1u << j->slot;
    uint8_t moved[4];

    TRACE(&ahci_trace[AHCI_TP_DONE], "port=%u slot=%u status=%#x error=%#x",
          (unsigned)(p - p->h->port), j->slot, j->c.status, j->c.error);
    put_le32(moved, bad ? 0 : j->len);
    pci_dma_write(&p->h->pci, list + j->slot * HEADER + 4, moved, 4);
    p->tfd = j->c.status | j->c.error << 8;
    if (queued) {
        post_sdb(p, &j->c, bad ? 0 : bit);
        p->sact &= bad ? UINT32_MAX : ~bit;
    } else if (!bad && ata_data(&j->c) == ATA_PIO_IN) {
        post_pio(p, &j->c, ATA_SECTOR);
    } else {
        post_d2h(p, &j->c, PORT_DHRS);
    }
    if (!bad || queued)
        p->ci &= ~bit;
    p->failed = bad;
    p->is |= bad ? PORT_TFES : 0;
    ahci_update_irq(p->h);
}

/* Threads ------------------------------------------------------------------------------------------ */

static bool has_work(const struct ahci_port *p)
{
    return p->ci && p->cmd & CMD_ST && !p->failed && !p->waits && p->bus.disk[0] && !p->h->stopped &&
           !p->h->gone && pci_dma_on(&p->h->pci);
}

static void set_in_io(struct ahci_port *p, bool on)
{
    pthread_mutex_lock(&p->h->lock);
    p->in_io = on;
    pthread_cond_broadcast(&p->h->calm);
    pthread_mutex_unlock(&p->h->lock);
}

/* A packet and its memory: what the table does not describe is not moved. */
static void prepare_packet(struct ahci_port *p, struct job *j)
{
    uint64_t table = get_le64(j->header + 8);
    bool out;

    pci_dma_read(&p->h->pci, table + AT_PACKET, j->packet.cdb, ATAPI_PACKET);
    j->len = atapi_length(j->packet.cdb, &out);
    j->to_memory = !out;
    map(p, j, table);
    if (out) {
        j->packet.out = p->iov;
        j->packet.n_out = j->n;
        j->packet.out_len = j->len;
    } else {
        j->packet.in = p->iov;
        j->packet.n_in = j->n;
        j->packet.in_len = j->len;
    }
}

/* False: it is to be done again, when the machine has stopped and runs on. */
static bool run(struct ata_disk *disk, struct job *j)
{
    if (!j->is_packet) {
        j->c.may_wait = true;
        ata_run(disk, &j->c);
        return !j->c.again;
    }
    j->packet.may_wait = true;
    atapi_run(disk, &j->packet, &j->c.status, &j->c.error);
    if (j->packet.again)
        return false;
    j->c.count = 3; /* interrupt reason: the end */
    j->len = j->packet.moved;
    return true;
}

/* One command.  With the machine's lock, which is given up while the disk works. */
static void one(struct ahci_port *p)
{
    struct ahci *h = p->h;
    struct ata_disk *disk = p->bus.disk[0];
    uint32_t epoch = p->epoch;
    unsigned resumes = h->resumes;
    struct job j;
    bool done;

    if (!fetch(p, &j))
        return;
    if (j.is_packet) {
        prepare_packet(p, &j);
    } else if (!ata_length(&j.c, &j.len) || !map(p, &j, get_le64(j.header + 8))) {
        j.c.status = ATA_DRDY | ATA_ERR;
        j.c.error = ATA_ABRT;
        unmap(p, &j);
        complete(p, &j);
        return;
    }
    j.c.iov = p->iov;
    j.c.n = j.n;
    p->tfd |= ATA_BSY;
    set_in_io(p, true);
    machine_unlock(h->pci.dev.m);
    done = run(disk, &j);
    unmap(p, &j);
    set_in_io(p, false);
    machine_lock(h->pci.dev.m);
    if (p->epoch != epoch || h->gone || h->stopped)
        return;
    if (done)
        complete(p, &j);
    else
        p->waits = h->resumes == resumes;
}

static void *thread_main(void *opaque)
{
    struct ahci_port *p = opaque;
    struct ahci *h = p->h;

    pthread_setname_np(pthread_self(), "ahci-port");
    for (;;) {
        pthread_mutex_lock(&h->lock);
        while (!p->kicked && !h->gone)
            pthread_cond_wait(&h->wake, &h->lock);
        p->kicked = false;
        if (h->gone) {
            pthread_mutex_unlock(&h->lock);
            return NULL;
        }
        pthread_mutex_unlock(&h->lock);
        machine_lock(h->pci.dev.m);
        while (has_work(p))
            one(p);
        machine_unlock(h->pci.dev.m);
    }
}

void ahci_kick(struct ahci_port *p)
{
    struct ahci *h = p->h;

    if (!has_work(p))
        return;
    pthread_mutex_lock(&h->lock);
    p->kicked = true;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
    if (!p->has_thread && pthread_create(&p->thread, NULL, thread_main, p) != 0)
        fatal("cannot start a thread for a disk");
    p->has_thread = true;
}

void ahci_drain(struct ahci_port *p)
{
    pthread_mutex_lock(&p->h->lock);
    while (p->in_io)
        pthread_cond_wait(&p->h->calm, &p->h->lock);
    pthread_mutex_unlock(&p->h->lock);
}

void ahci_forget(struct ahci_port *p)
{
    p->epoch++;
    ahci_drain(p);
}

void ahci_join(struct ahci *h)
{
    struct machine *m = h->pci.dev.m;
    unsigned depth = 0;

    pthread_mutex_lock(&h->lock);
    h->gone = true;
    pthread_cond_broadcast(&h->wake);
    pthread_mutex_unlock(&h->lock);
    for (; machine_locked(m); depth++)
        machine_unlock(m);
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        if (h->port[i].has_thread)
            pthread_join(h->port[i].thread, NULL);
    while (depth--)
        machine_lock(m);
}
