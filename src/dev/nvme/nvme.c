/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nvme: an NVMe controller on PCI: registers and doorbells (NVM Express 1.4, chapter 3). */
#include "dev/nvme/nvme.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    REG_CAP = 0x00,
    REG_VS = 0x08,
    REG_INTMS = 0x0c,
    REG_INTMC = 0x10,
    REG_CC = 0x14,
    REG_CSTS = 0x1c,
    REG_AQA = 0x24,
    REG_ASQ = 0x28,
    REG_ACQ = 0x30,
    REG_DOORBELLS = 0x1000
};
enum {
    CC_EN = 1,
    CC_SHN = 3 << 14,
    CC_WRITABLE = 0x00fffff1,
    CSTS_RDY = 1,
    CSTS_CFS = 2,
    CSTS_SHST_DONE = 2 << 2,
};
enum { MQES = 0x7ff, CAP_CQR = 1 << 16, CAP_TO = 15 << 24, MPSMAX = 4, MAX_QUEUES = 0xffff };
enum { VERSION = 0x00010400 };

struct trace_point nvme_trace[] = {
    [NVME_TP_ADMIN] = {.name = "nvme_admin"},   [NVME_TP_IO] = {.name = "nvme_io"},
    [NVME_TP_DONE] = {.name = "nvme_done"},     [NVME_TP_ENABLE] = {.name = "nvme_enable"},
    [NVME_TP_IRQ] = {.name = "nvme_interrupt"}, {.name = NULL},
};

static const struct field props[] = {
    PCI_FIELDS(nvme, pci),
    NVME_NS_FIELDS(nvme, own.),
    FIELD(nvme, serial, F_STR, "serial", NULL, "serial number, up to 20 characters"),
    FIELD(nvme, max_ioqpairs, F_U64, "max_ioqpairs", "64", "pairs of I/O queues"),
    FIELD(nvme, msix_qsize, F_U64, "msix_qsize", "65", "MSI-X vectors"),
    FIELD(nvme, num_queues, F_U64, "num_queues", "0", "old form of max_ioqpairs, one more"),
    FIELD(nvme, mdts, F_U64, "mdts", "7", "largest transfer, 4 KiB << mdts; 0: no limit"),
    FIELD(nvme, aerl, F_U64, "aerl", "3", "events that the guest may wait for, less one"),
    FIELD(nvme, aer_max_queued, F_U64, "aer_max_queued", "64",
          "has no effect: events of a kind are one"),
    FIELD(nvme, cmb_size_mb, F_U64, "cmb_size_mb", "0", "controller memory buffer, can only be 0"),
    FIELD(nvme, use_intel_id, F_BOOL, "use-intel-id", "off", "old identifiers"),
    FIELD(nvme, ioeventfd, F_BOOL, "ioeventfd", "off", "has no effect"),
    FIELD(nvme, msix_exclusive, F_BOOL, "msix-exclusive-bar", "off", "MSI-X in a BAR of its own"),
    FIELD(nvme, bootindex, F_STR, "bootindex", NULL, "place in the firmware's boot order"),
    FIELD_END,
};

static const struct state sq_state[] = {
    STATE(nvme_sq, used, S_BOOL, 1, NULL),
    STATE(nvme_sq, cqid, S_U16, 1, NULL),
    STATE(nvme_sq, size, S_U32, 1, NULL),
    STATE(nvme_sq, head, S_U32, 1, NULL),
    STATE(nvme_sq, tail, S_U32, 1, NULL),
    STATE(nvme_sq, base, S_U64, 1, NULL),
    STATE_END,
};
static const struct state cq_state[] = {
    STATE(nvme_cq, used, S_BOOL, 1, NULL),
    STATE(nvme_cq, irq_on, S_BOOL, 1, NULL),
    STATE(nvme_cq, phase, S_BOOL, 1, NULL),
    STATE(nvme_cq, vector, S_U16, 1, NULL),
    STATE(nvme_cq, size, S_U32, 1, NULL),
    STATE(nvme_cq, head, S_U32, 1, NULL),
    STATE(nvme_cq, tail, S_U32, 1, NULL),
    STATE(nvme_cq, base, S_U64, 1, NULL),
    STATE_END,
};
static const struct state cmd_state[] = {
    STATE(nvme_cmd, opcode, S_U8, 1, NULL),
    STATE(nvme_cmd, flags, S_U8, 1, NULL),
    STATE(nvme_cmd, cid, S_U16, 1, NULL),
    STATE(nvme_cmd, nsid, S_U32, 1, NULL),
    STATE(nvme_cmd, dptr, S_U8, 1, NULL),
    STATE(nvme_cmd, prp1, S_U64, 1, NULL),
    STATE(nvme_cmd, prp2, S_U64, 1, NULL),
    STATE(nvme_cmd, cdw10, S_U32, 1, NULL),
    STATE(nvme_cmd, cdw11, S_U32, 1, NULL),
    STATE(nvme_cmd, cdw12, S_U32, 1, NULL),
    STATE(nvme_cmd, cdw13, S_U32, 1, NULL),
    STATE(nvme_cmd, cdw14, S_U32, 1, NULL),
    STATE(nvme_cmd, cdw15, S_U32, 1, NULL),
    STATE_END,
};
static const struct state later_state[] = {
    STATE(nvme_later, sqid, S_U16, 1, NULL),
    {.name = "c", .kind = S_STRUCT, .offset = offsetof(struct nvme_later, c), .n = 1, .elem = sizeof(struct nvme_cmd),
     .since = 1, .table = cmd_state},
    STATE_END,
};
static const struct state state[] = {
    PCI_STATE(nvme, pci),
    STATE(nvme, cc, S_U32, 1, NULL),
    STATE(nvme, csts, S_U32, 1, NULL),
    STATE(nvme, intms, S_U32, 1, NULL),
    STATE(nvme, aqa, S_U32, 1, NULL),
    STATE(nvme, asq, S_U64, 1, NULL),
    STATE(nvme, acq, S_U64, 1, NULL),
    STATE_STRUCTS_PTR(nvme, sq, n_queues, MAX_QUEUES, sq_state, 1, "submission queues"),
    STATE_STRUCTS_PTR(nvme, cq, n_queues, MAX_QUEUES, cq_state, 1, "completion queues"),
    STATE(nvme, aer_cid, S_U16, 1, "event requests that wait"),
    STATE(nvme, aer_n, S_U8, 1, "how many"),
    STATE(nvme, events, S_U32, 1, NULL),
    STATE(nvme, masked, S_U32, 1, NULL),
    STATE(nvme, feature, S_U32, 1, NULL),
    STATE(nvme, timestamp, S_U64, 1, "ms"),
    STATE(nvme, changed, S_U8, 1, "namespaces that have changed"),
    STATE(nvme, n_later, S_U32, 2, "commands that wait for the machine to run"),
    STATE_STRUCTS(nvme, later, later_state, 2, "the commands"),
    STATE_END,
};

/* Enabling (3.1.5, 7.6.1) ------------------------------------------------------------------------ */

static void disable(struct nvme *n)
{
    nvme_drain(n);
    n->epoch++;
    pthread_mutex_lock(&n->lock);
    memset(n->sq, 0, n->n_queues * sizeof(*n->sq));
    memset(n->cq, 0, n->n_queues * sizeof(*n->cq));
    n->n_later = n->n_retry = 0;
    pthread_mutex_unlock(&n->lock);
    n->csts = 0;
    n->intms = 0;
    n->aer_n = 0;
    n->events = n->masked = 0;
    nvme_go(n);
    nvme_update_pin(n);
}

static bool settings_fit(const struct nvme *n)
{
    uint32_t page = 4096u << (n->cc >> 7 & 0xf);

    return (n->cc >> 4 & 7) == 0 && (n->cc >> 7 & 0xf) <= MPSMAX && (n->cc >> 11 & 7) == 0 &&
           n->aqa & 0xfff && n->aqa >> 16 & 0xfff && !(n->asq & (page - 1)) &&
           !(n->acq & (page - 1)) && n->asq && n->acq;
}

static void set_page(struct nvme *n)
{
    n->page = 4096u << (n->cc >> 7 & 0xf);
}

static void enable(struct nvme *n)
{
    TRACE(&nvme_trace[NVME_TP_ENABLE], "cc=%#x aqa=%#x", n->cc, n->aqa);
    if (!settings_fit(n)) {
        guest_error(&n->pci.dev, "enabled with cc=%#x aqa=%#x asq=%#" PRIx64 " acq=%#" PRIx64,
                    n->cc, n->aqa, n->asq, n->acq);
        n->csts = CSTS_CFS;
        return;
    }
    set_page(n);
    n->sq[0] = (struct nvme_sq){.used = true, .size = (n->aqa & 0xfff) + 1, .base = n->asq};
    n->cq[0] = (struct nvme_cq){.used = true,
                                .irq_on = true,
                                .phase = true,
                                .size = (n->aqa >> 16 & 0xfff) + 1,
                                .base = n->acq};
    n->csts = CSTS_RDY;
}

static void write_cc(struct nvme *n, uint32_t v)
{
    uint32_t old = n->cc;

    n->cc = v & CC_WRITABLE;
    if (n->cc & ~old & CC_EN)
        enable(n);
    else if (old & ~n->cc & CC_EN)
        disable(n);
    if (n->cc & CC_SHN && !(old & CC_SHN)) {
        for (unsigned i = 1; i <= NVME_MAX_NS; i++)
            if (n->ns[i] && n->ns[i]->drive->blk && !n->ns[i]->read_only)
                blk_flush(n->ns[i]->drive->blk, ERR_IGNORE);
        n->csts |= CSTS_SHST_DONE;
    } else if (!(n->cc & CC_SHN)) {
        n->csts &= ~(uint32_t)CSTS_SHST_DONE;
    }
}

/* Doorbells (3.1.24, 3.1.25) --------------------------------------------------------------------- */

static void bad_doorbell(struct nvme *n, unsigned id, uint32_t v)
{
    guest_error(&n->pci.dev, "doorbell of queue %u: %#x", id, v);
    nvme_event(n, EVENT_BAD_DOORBELL);
}

static void ring_cq(struct nvme *n, unsigned id, uint32_t head)
{
    struct nvme_cq *q = &n->cq[id];
    bool ok;

    pthread_mutex_lock(&n->lock);
    ok = id < n->n_queues && q->used && head < q->size;
    if (ok)
        q->head = head;
    pthread_mutex_unlock(&n->lock);
    if (!ok) {
        bad_doorbell(n, id, head);
        return;
    }
    if (!msix_enabled(&n->pci))
        nvme_update_pin(n);
    if (id == 0)
        nvme_admin_run(n); /* there was no room for answers, perhaps */
    nvme_kick(n);
}

static void ring_sq(struct nvme *n, unsigned id, uint32_t tail)
{
    struct nvme_sq *q = &n->sq[id];
    bool ok;

    pthread_mutex_lock(&n->lock);
    ok = id < n->n_queues && q->used && tail < q->size;
    if (ok)
        q->tail = tail;
    pthread_mutex_unlock(&n->lock);
    if (!ok)
        bad_doorbell(n, id, tail);
    else if (id == 0)
        nvme_admin_run(n);
    else
        nvme_kick(n);
}

static void doorbell(struct nvme *n, paddr off, uint32_t v)
{
    unsigned id = off / 8;

    if (!(n->csts & CSTS_RDY) || off & 3 || id >= n->n_queues || v > 0xffff) {
        if (n->csts & CSTS_RDY)
            bad_doorbell(n, id, v);
        return;
    }
    if (off & 4)
        ring_cq(n, id, v);
    else
        ring_sq(n, id, v);
}

/* Registers --------------------------------------------------------------------------------------- */

static uint32_t read32(struct nvme *n, paddr off)
{
    switch (off) {
    case REG_CAP: return MQES | CAP_CQR | CAP_TO;
    case REG_CAP + 4: return 1 << 5 | MPSMAX << 20; /* NVM command set; doorbells every 4 bytes */
    case REG_VS: return VERSION;
    case REG_INTMS:
    case REG_INTMC: return n->intms;
    case REG_CC: return n->cc;
    case REG_CSTS: return n->csts;
    case REG_AQA: return n->aqa;
    case REG_ASQ: return n->asq;
    case REG_ASQ + 4: return n->asq >> 32;
    case REG_ACQ: return n->acq;
    case REG_ACQ + 4: return n->acq >> 32;
    }
    return 0;
}

static void half(uint64_t *reg, bool high, uint32_t v)
{
    *reg = high ? (*reg & UINT32_MAX) | (uint64_t)v << 32 : (*reg & ~(uint64_t)UINT32_MAX) | v;
}

static void write32(struct nvme *n, paddr off, uint32_t v)
{
    switch (off) {
    case REG_INTMS: n->intms |= v; break;
    case REG_INTMC: n->intms &= ~v; break;
    case REG_CC: write_cc(n, v); return;
    case REG_AQA: n->aqa = v & 0x0fff0fff; return;
    case REG_ASQ: half(&n->asq, false, v & ~0xfffu); return;
    case REG_ASQ + 4: half(&n->asq, true, v); return;
    case REG_ACQ: half(&n->acq, false, v & ~0xfffu); return;
    case REG_ACQ + 4: half(&n->acq, true, v); return;
    default:
        if (off >= REG_DOORBELLS)
            doorbell(n, off - REG_DOORBELLS, v);
        return;
    }
    nvme_update_pin(n);
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct nvme *n = opaque;
    uint64_t v = read32(n, off & ~3ull);

    if (a.size == 8)
        return v | (uint64_t)read32(n, off + 4) << 32;
    return v >> 8 * (off & 3);
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct nvme *n = opaque;

    if (a.size < 4) {
        guest_error(&n->pci.dev, "%u-byte write to register %#" PRIx64, a.size, off);
        return;
    }
    write32(n, off, v);
    if (a.size == 8 && off < REG_DOORBELLS)
        write32(n, off + 4, v >> 32);
}

static const struct mmio_ops regs_ops = {.read = regs_read, .write = regs_write, 1, 8};

/* Life -------------------------------------------------------------------------------------------- */

static int check_props(struct nvme *n, struct err *e)
{
    if (n->num_queues)
        n->max_ioqpairs = n->num_queues - 1;
    if (n->max_ioqpairs < 1 || n->max_ioqpairs > 2046)
        return err_set(e, -EINVAL, "max_ioqpairs must be between 1 and 2046");
    if (n->msix_qsize < 1 || n->msix_qsize > 2048)
        return err_set(e, -EINVAL, "msix_qsize must be between 1 and 2048");
    if (!n->serial)
        return err_set(e, -EINVAL, "serial property not set");
    if (strlen(n->serial) > 20)
        return err_set(e, -EINVAL, "serial '%s' is longer than 20 characters", n->serial);
    if (n->mdts > 9 || n->aerl >= NVME_MAX_AER)
        return err_set(e, -EINVAL, "mdts is at most 9, aerl at most %d", NVME_MAX_AER - 1);
    if (n->cmb_size_mb)
        return err_set(e, -ENOTSUP, "cmb_size_mb can only be 0");
    return 0;
}

/* Registers, doorbells, and behind them the tables of MSI-X, each on pages of its own. */
static void add_bars(struct nvme *n)
{
    uint64_t regs = (REG_DOORBELLS + n->n_queues * 8 + 0xfff) & ~0xfffull;
    uint64_t pba = regs + ((n->msix_qsize * 16 + 0xfff) & ~0xfffull), size = NVME_PAGE;

    while (size < pba + 0x1000)
        size *= 2;
    mem_init_container(&n->bar, "nvme", size);
    mem_init_mmio(&n->regs, "nvme-registers", regs, &regs_ops, n);
    mem_add(&n->bar, 0, &n->regs, 0);
    if (n->msix_exclusive)
        msix_add_bar(&n->pci, 0x40, n->msix_qsize, 4);
    else
        msix_add(&n->pci, 0x40, n->msix_qsize, 0, &n->bar, regs, pba);
    pci_add_bar(&n->pci, 0, PCI_BAR_64, &n->bar);
}

static void state_changed(void *opaque, bool running, enum run_state s)
{
    struct nvme *n = opaque;

    if (!running)
        nvme_drain(n);
    pthread_mutex_lock(&n->lock);
    n->stopped = !running;
    n->resumes += running;
    n->n_retry = running ? n->n_later : 0;
    pthread_mutex_unlock(&n->lock);
    nvme_go(n);
}

static void default_features(struct nvme *n)
{
    memset(n->feature, 0, sizeof(n->feature));
    n->feature[1] = 7;
    n->feature[4] = 0x143 + 20;
    n->feature[6] = 1;
    n->feature[7] = (n->n_queues - 2) | (n->n_queues - 2) << 16;
}

static void add_bus(struct nvme *n)
{
    struct dev *d = &n->pci.dev;
    char name[64] = "";

    for (unsigned i = 0; !*name || bus_find(d->m, name); i++) {
        if (d->id && !i)
            snprintf(name, sizeof(name), "%.50s", d->id);
        else
            snprintf(name, sizeof(name), "nvme-bus.%u", d->id ? i - 1 : i);
    }
    n->bus.kind = "nvme";
    bus_add(d, &n->bus, name);
}

static void release(struct nvme *n)
{
    free(n->sq);
    free(n->cq);
    pthread_mutex_destroy(&n->lock);
    pthread_cond_destroy(&n->wake);
    pthread_cond_destroy(&n->calm);
    pci_dev_fini(&n->pci);
}

static int init(struct dev *d, struct err *e)
{
    struct nvme *n = nvme_of(d);
    int r = check_props(n, e);

    if (r < 0)
        return r;
    n->n_queues = n->max_ioqpairs + 1;
    n->sq = calloc(n->n_queues, sizeof(*n->sq));
    n->cq = calloc(n->n_queues, sizeof(*n->cq));
    if (!n->sq || !n->cq)
        fatal("out of memory");
    pthread_mutex_init(&n->lock, NULL);
    pthread_cond_init(&n->wake, NULL);
    pthread_cond_init(&n->calm, NULL);
    if (n->use_intel_id) {
        pci_set16(&n->pci, PCI_VENDOR_ID, 0x8086);
        pci_set16(&n->pci, PCI_DEVICE_ID, 0x5845);
    }
    pci_pin(&n->pci, 1);
    add_bars(n);
    pci_add_pm(&n->pci, 0x60);
    pcie_add_endpoint(&n->pci, 0x80, true);
    add_bus(n);
    if (n->own.drive_id && (r = nvme_ns_open(&n->own, n, d, 1, e)) < 0) {
        release(n);
        return r;
    }
    default_features(n);
    machine_on_state(d->m, state_changed, n);
    return 0;
}

static void reset(struct dev *d)
{
    struct nvme *n = nvme_of(d);

    disable(n);
    n->cc = n->aqa = 0;
    n->asq = n->acq = 0;
    n->page = NVME_PAGE;
    n->timestamp = 0;
    n->timestamp_at = 0;
    memset(n->changed, 0, sizeof(n->changed));
    default_features(n);
    pci_dev_reset(&n->pci);
}

static void fini(struct dev *d)
{
    struct nvme *n = nvme_of(d);

    machine_off_state(d->m, n);
    nvme_join(n);
    nvme_ns_close(&n->own);
    release(n);
}

/* Nothing is in work while the state is read. */
static void saving(struct dev *d)
{
    nvme_drain(nvme_of(d));
}

static void saved(struct dev *d)
{
    nvme_go(nvme_of(d));
}

static int check_queues(const struct nvme *n, struct err *e)
{
    for (unsigned i = 0; i < n->n_queues; i++) {
        const struct nvme_sq *s = &n->sq[i];
        const struct nvme_cq *c = &n->cq[i];

        if (s->used && (s->size < 2 || s->size > 4096 || s->head >= s->size || s->tail >= s->size ||
                        s->cqid >= n->n_queues || !n->cq[s->cqid].used))
            return err_set(e, -EILSEQ, "submission queue %u does not hold together", i);
        if (c->used && (c->size < 2 || c->size > 4096 || c->head >= c->size || c->tail >= c->size))
            return err_set(e, -EILSEQ, "completion queue %u does not hold together", i);
    }
    if (n->csts & CSTS_RDY && (!n->sq[0].used || !n->cq[0].used))
        return err_set(e, -EILSEQ, "ready without admin queues");
    return 0;
}

/* Their answers have a place each. */
static int take_later(struct nvme *n, struct err *e)
{
    if (n->n_later > NVME_MAX_LATER)
        return err_set(e, -EILSEQ, "%u commands wait", n->n_later);
    for (uint32_t i = 0; i < n->n_later; i++) {
        unsigned id = n->later[i].sqid;

        if (!id || id >= n->n_queues || !n->sq[id].used || !nvme_reserve(&n->cq[n->sq[id].cqid]))
            return err_set(e, -EILSEQ, "a command waits in queue %u", id);
    }
    n->n_retry = 0;
    return 0;
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct nvme *n = nvme_of(d);
    int r = pci_dev_loaded(&n->pci, e);

    if (r == 0)
        r = check_queues(n, e);
    for (unsigned i = 0; i < n->n_queues; i++)
        n->cq[i].reserved = 0;
    if (r == 0)
        r = take_later(n, e);
    if (r == 0 && (n->aer_n > NVME_MAX_AER || (n->cc >> 7 & 0xf) > MPSMAX))
        r = err_set(e, -EILSEQ, "%u event requests, cc %#x", n->aer_n, n->cc);
    if (r < 0) {
        n->csts = 0;
        disable(n);
        return r;
    }
    set_page(n);
    n->timestamp_at = clock_now(d->m, CLK_VIRT);
    nvme_update_pin(n);
    nvme_kick(n);
    return 0;
}

static const struct pci_type type = {
    .vendor = 0x1b36,
    .device = 0x0010,
    .revision = 2,
    .class = PCI_CLASS_STORAGE_NVME,
    .prog_if = 2,
    .kind = PCI_HYBRID,
};

const struct dev_type dev_nvme = {
    .name = "nvme",
    .help = "Non-Volatile Memory Express",
    .class = DEV_STORAGE,
    .bus = "pci",
    .size = sizeof(struct nvme),
    .props = props,
    .state = state,
    .state_version = 2,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .saving = saving,
    .saved = saved,
    .fini = fini,
    .trace = nvme_trace,
    .class_ops = &type,
};
