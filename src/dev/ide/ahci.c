/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ich9-ahci: the SATA controller of Intel's ICH9: registers (Serial ATA AHCI 1.3.1, chapter 3). */
#include "dev/ide/ahci_priv.h"

#include "base/bytes.h"

#include <errno.h>
#include <stdio.h>

enum { HBA_CAP = 0x00, HBA_GHC = 0x04, HBA_IS = 0x08, HBA_PI = 0x0c, HBA_VS = 0x10 };
enum { PORTS_AT = 0x100, PORT_LEN = 0x80, REGS_LEN = 0x1000 };
enum {
    P_CLB = 0x00,
    P_CLBU = 0x04,
    P_FB = 0x08,
    P_FBU = 0x0c,
    P_IS = 0x10,
    P_IE = 0x14,
    P_CMD = 0x18,
    P_TFD = 0x20,
    P_SIG = 0x24,
    P_SSTS = 0x28,
    P_SCTL = 0x2c,
    P_SERR = 0x30,
    P_SACT = 0x34,
    P_CI = 0x38
};
/* 64-bit addresses, native queueing, command list override, AHCI only, 1.5 Gb/s, 32 slots, six ports. */
#define CAP_VALUE                                                                                  \
    (1u << 31 | 1 << 30 | 1 << 24 | 1 << 20 | 1 << 18 | (AHCI_SLOTS - 1) << 8 | (AHCI_PORTS - 1))
enum { VERSION = 0x00010300, GHC_HR = 1, GHC_IE = 2, GHC_AE = 1u << 31 };
enum { CMD_WRITABLE = 0xf600001f & ~CMD_CLO, SUD_POD = 6, SERR_X = 1 << 26, SSTS_UP = 0x113 };
enum { IDP_INDEX = 0x10, IDP_DATA = 0x14, IDP_LEN = 0x20 };

struct trace_point ahci_trace[] = {
    [AHCI_TP_COMMAND] = {.name = "ahci_command"},
    [AHCI_TP_DONE] = {.name = "ahci_done"},
    [AHCI_TP_RESET] = {.name = "ahci_reset"},
    {.name = NULL},
};

static const struct field props[] = {PCI_FIELDS(ahci, pci), FIELD_END};

static const struct state port_state[] = {
    STATE(ahci_port, clb, S_U32, 1, NULL),
    STATE(ahci_port, clbu, S_U32, 1, NULL),
    STATE(ahci_port, fb, S_U32, 1, NULL),
    STATE(ahci_port, fbu, S_U32, 1, NULL),
    STATE(ahci_port, is, S_U32, 1, NULL),
    STATE(ahci_port, ie, S_U32, 1, NULL),
    STATE(ahci_port, cmd, S_U32, 1, NULL),
    STATE(ahci_port, tfd, S_U32, 1, NULL),
    STATE(ahci_port, sig, S_U32, 1, NULL),
    STATE(ahci_port, ssts, S_U32, 1, NULL),
    STATE(ahci_port, sctl, S_U32, 1, NULL),
    STATE(ahci_port, serr, S_U32, 1, NULL),
    STATE(ahci_port, sact, S_U32, 1, NULL),
    STATE(ahci_port, ci, S_U32, 1, NULL),
    STATE(ahci_port, failed, S_BOOL, 1, NULL),
    STATE(ahci_port, soft_reset, S_BOOL, 1, NULL),
    STATE_END,
};
static const struct state state[] = {
    PCI_STATE(ahci, pci),
    STATE(ahci, ghc, S_U32, 1, NULL),
    STATE(ahci, is, S_U32, 1, NULL),
    STATE(ahci, index_at, S_U32, 1, NULL),
    STATE_STRUCTS(ahci, port, port_state, 1, "ports"),
    STATE_END,
};

void ahci_update_irq(struct ahci *h)
{
    for (unsigned i = 0; i < AHCI_PORTS; i++)
        if (h->port[i].is & h->port[i].ie)
            h->is |= 1u << i;
    pci_set_irq_any(&h->pci, h->ghc & GHC_IE && h->is);
}

/* COMRESET: the disk, if there is one, tells who it is (10.4.2). */
static void port_reset(struct ahci_port *p)
{
    bool there = p->bus.disk[0];

    ahci_forget(p);
    p->tfd = 0x7f;
    p->sig = 0xffffffff;
    p->ci = p->sact = 0;
    p->failed = p->soft_reset = p->waits = false;
    p->ssts = there ? SSTS_UP : 0;
    if (!there)
        return;
    p->serr |= SERR_X;
    p->is |= PORT_PCS;
    ata_reset(p->bus.disk[0]);
    ahci_signature(p);
}

static void hba_reset(struct ahci *h)
{
    TRACE(&ahci_trace[AHCI_TP_RESET], "device=%s", h->pci.dev.type->name);
    h->ghc = GHC_AE;
    h->is = 0;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        struct ahci_port *p = &h->port[i];

        p->is = p->ie = p->serr = p->sctl = 0;
        p->cmd = SUD_POD;
        port_reset(p);
        p->is = 0;
    }
    ahci_update_irq(h);
}

/* Stopping forgets commands; ST and FRE are mirrored by what runs (3.3.7). */
static void write_cmd(struct ahci_port *p, uint32_t v)
{
    if (v & CMD_CLO)
        p->tfd &= ~(uint32_t)(ATA_BSY | ATA_DRQ);
    p->cmd = (p->cmd & ~(uint32_t)CMD_WRITABLE) | (v & CMD_WRITABLE);
    p->cmd = p->cmd & CMD_FRE ? p->cmd | CMD_FR : p->cmd & ~CMD_FR;
    if (p->cmd & CMD_ST) {
        p->cmd |= CMD_CR;
    } else if (p->cmd & CMD_CR) {
        ahci_forget(p);
        p->cmd &= ~(uint32_t)(CMD_CR | CMD_CCS);
        p->ci = p->sact = 0;
        p->failed = p->waits = false;
        p->tfd &= ~(uint32_t)ATA_BSY;
    }
    ahci_kick(p);
}

static void port_write(struct ahci_port *p, unsigned off, uint32_t v)
{
    uint32_t old;

    switch (off) {
    case P_CLB: p->clb = v & ~0x3ffu; break;
    case P_CLBU: p->clbu = v; break;
    case P_FB: p->fb = v & ~0xffu; break;
    case P_FBU: p->fbu = v; break;
    case P_IS: p->is &= ~v; break;
    case P_IE: p->ie = v; break;
    case P_CMD: write_cmd(p, v); break;
    case P_SCTL:
        old = p->sctl;
        p->sctl = v & 0xfff;
        if ((old & 0xf) == 1 && (v & 0xf) == 0)
            port_reset(p);
        break;
    case P_SERR: p->serr &= ~v; break;
    case P_SACT: p->sact |= p->cmd & CMD_ST ? v : 0; break;
    case P_CI:
        p->ci |= p->cmd & CMD_ST ? v : 0;
        ahci_kick(p);
        break;
    }
    ahci_update_irq(p->h);
}

static uint32_t port_read(const struct ahci_port *p, unsigned off)
{
    switch (off) {
    case P_CLB: return p->clb;
    case P_CLBU: return p->clbu;
    case P_FB: return p->fb;
    case P_FBU: return p->fbu;
    case P_IS: return p->is;
    case P_IE: return p->ie;
    case P_CMD: return p->cmd;
    case P_TFD: return p->tfd;
    case P_SIG: return p->sig;
    case P_SSTS: return p->ssts;
    case P_SCTL: return p->sctl;
    case P_SERR: return p->serr;
    case P_SACT: return p->sact;
    case P_CI: return p->ci;
    }
    return 0;
}

static uint64_t regs_read(void *opaque, paddr off, struct access a)
{
    struct ahci *h = opaque;

    if (off >= PORTS_AT)
        return off < PORTS_AT + AHCI_PORTS * PORT_LEN
                   ? port_read(&h->port[(off - PORTS_AT) / PORT_LEN], off % PORT_LEN)
                   : 0;
    switch (off) {
    case HBA_CAP: return CAP_VALUE;
    case HBA_GHC: return h->ghc;
    case HBA_IS: return h->is;
    case HBA_PI: return (1u << AHCI_PORTS) - 1;
    case HBA_VS: return VERSION;
    }
    return 0;
}

/* A port that still has something to tell, or has it again, is told of by a new message (10.6.2.1): drivers clear the port's bits first, and
 * what comes in between would else never be seen. */
static void clear_is(struct ahci *h, uint32_t v)
{
    h->is &= ~v;
    if (msi_enabled(&h->pci))
        pci_set_irq_any(&h->pci, false);
}

static void regs_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct ahci *h = opaque;

    if (off >= PORTS_AT && off < PORTS_AT + AHCI_PORTS * PORT_LEN) {
        port_write(&h->port[(off - PORTS_AT) / PORT_LEN], off % PORT_LEN, v);
        return;
    }
    if (off == HBA_GHC && v & GHC_HR)
        hba_reset(h);
    else if (off == HBA_GHC)
        h->ghc = (v & GHC_IE) | GHC_AE;
    else if (off == HBA_IS)
        clear_is(h, v);
    ahci_update_irq(h);
}

static const struct mmio_ops regs_ops = {.read = regs_read, .write = regs_write, 4, 4};

/* The same by I/O ports (3.1 of the ICH9's chapter on SATA: index and data pair). */
static uint64_t index_read(void *opaque, paddr off, struct access a)
{
    struct ahci *h = opaque;

    return off == IDP_INDEX  ? h->index_at
           : off == IDP_DATA ? regs_read(h, h->index_at & (REGS_LEN - 4), a)
                             : 0;
}

static void index_write(void *opaque, paddr off, uint64_t v, struct access a)
{
    struct ahci *h = opaque;

    if (off == IDP_INDEX)
        h->index_at = v & (REGS_LEN - 4);
    else if (off == IDP_DATA)
        regs_write(h, h->index_at, v, a);
}

static const struct mmio_ops index_ops = {.read = index_read, .write = index_write, 4, 4};

/* Life ------------------------------------------------------------------------------------------- */

static void state_changed(void *opaque, bool running, enum run_state s)
{
    struct ahci *h = opaque;

    h->stopped = !running;
    h->resumes += running;
    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        h->port[i].waits &= !running;
        ahci_drain(&h->port[i]);
        ahci_kick(&h->port[i]);
    }
}

/* Before a disk goes its commands have ended. */
static void port_changed(struct ide_bus *b)
{
    struct ahci_port *p = (struct ahci_port *)b;

    ahci_forget(p);
    p->ssts = b->disk[0] ? p->ssts : 0;
}

/* "ahci.0" to "ahci.5" after the device's name, or "ide.0" and on. */
static void add_buses(struct ahci *h)
{
    struct dev *d = &h->pci.dev;
    char name[80];

    for (unsigned i = 0, n = 0; i < AHCI_PORTS; i++, n++) {
        do
            snprintf(name, sizeof(name), "%.60s.%u", d->id ? d->id : "ide", n);
        while (bus_find(d->m, name) && ++n);
        h->port[i].h = h;
        h->port[i].bus.changed = port_changed;
        h->port[i].bus.serial = true;
        ide_bus_init(&h->port[i].bus, d, name, 1);
    }
}

static int init(struct dev *d, struct err *e)
{
    struct ahci *h = (struct ahci *)d;
    unsigned at;

    pthread_mutex_init(&h->lock, NULL);
    pthread_cond_init(&h->wake, NULL);
    pthread_cond_init(&h->calm, NULL);
    mem_init_mmio(&h->regs, "ahci", REGS_LEN, &regs_ops, h);
    mem_init_mmio(&h->index, "ahci-idp", IDP_LEN, &index_ops, h);
    pci_pin(&h->pci, 1);
    pci_add_bar(&h->pci, 4, PCI_BAR_IO, &h->index);
    pci_add_bar(&h->pci, 5, 0, &h->regs);
    at = pci_add_cap(&h->pci, PCI_CAP_SATA, 0xa8, 8);
    pci_set16(&h->pci, at + 2, 0x10);
    pci_set32(&h->pci, at + 4, 0x48); /* BAR 4, offset 0x10 */
    msi_add(&h->pci, 0x80, 1, false);
    add_buses(h);
    machine_on_state(d->m, state_changed, h);
    return 0;
}

static void reset(struct dev *d)
{
    struct ahci *h = (struct ahci *)d;

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        struct ahci_port *p = &h->port[i];

        p->clb = p->clbu = p->fb = p->fbu = 0;
    }
    hba_reset(h);
    h->index_at = 0;
    pci_dev_reset(&h->pci);
}

/* The buses' disks have gone before. */
static void fini(struct dev *d)
{
    struct ahci *h = (struct ahci *)d;

    machine_off_state(d->m, h);
    ahci_join(h);
    pthread_mutex_destroy(&h->lock);
    pthread_cond_destroy(&h->wake);
    pthread_cond_destroy(&h->calm);
    pci_dev_fini(&h->pci);
}

static void saving(struct dev *d)
{
    struct ahci *h = (struct ahci *)d;

    for (unsigned i = 0; i < AHCI_PORTS; i++)
        ahci_drain(&h->port[i]);
}

/* Commands that were in work are done again. */
static int loaded(struct dev *d, int version, struct err *e)
{
    struct ahci *h = (struct ahci *)d;
    int r = pci_dev_loaded(&h->pci, e);

    for (unsigned i = 0; i < AHCI_PORTS; i++) {
        struct ahci_port *p = &h->port[i];

        ahci_forget(p);
        p->ssts = p->bus.disk[0] ? SSTS_UP : 0;
        if (r == 0)
            ahci_kick(p);
    }
    ahci_update_irq(h);
    return r;
}

static const struct pci_type type = {
    .vendor = 0x8086,
    .device = 0x2922,
    .revision = 2,
    .class = PCI_CLASS_STORAGE_SATA,
    .prog_if = 1,
    .kind = PCI_CONVENTIONAL,
};

const struct dev_type dev_ich9_ahci = {
    .name = "ich9-ahci",
    .alias = "ahci",
    .help = "SATA controller of Intel's ICH9",
    .class = DEV_STORAGE,
    .bus = "pci",
    .size = sizeof(struct ahci),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
    .saving = saving,
    .fini = fini,
    .trace = ahci_trace,
    .class_ops = &type,
};
