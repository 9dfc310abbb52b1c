/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "piix3-ide", "piix4-ide": the IDE function of Intel's south bridges: two channels at the old ports, bus mastering.
 * Sources: Intel 82371FB/82371SB (PIIX, PIIX3), order 290550-002; Intel "Programming Interface for Bus Master IDE Controller" 1.0.
 */
#include "base/bytes.h"
#include "base/trace.h"
#include "dev/ide/ide_channel.h"
#include "dev/isa/isa.h"
#include "dev/pci/pci.h"

#include <errno.h>
#include <stdio.h>

enum { BM_COMMAND = 0, BM_STATUS = 2, BM_TABLE = 4, BM_LEN = 8 };
enum { CMD_START = 1, CMD_TO_MEMORY = 8 };
enum { ST_ACTIVE = 1, ST_ERROR = 2, ST_IRQ = 4, ST_KEPT = 0x60 };
enum { IDETIM = 0x40, SIDETIM = 0x44, UDMA = 0x48, MOST_ENTRIES = 8192 /* a table of 64 KiB */ };
#define PRD_LAST 0x80000000u

struct piix_ide;

struct master {
    struct piix_ide *p;
    struct ide_channel ch;
    uint8_t command, status;
    uint32_t table;
    bool whole; /* the transfer ends with the table */
};

struct piix_ide {
    struct pci_dev pci;
    struct master m[2];
    struct mem bm;
};

enum { TP_COMMAND };
static struct trace_point piix_ide_trace[] = {
    [TP_COMMAND] = {.name = "piix_ide_bus_master"}, {.name = NULL}};

static struct piix_ide *piix_of(struct dev *d)
{
    return (struct piix_ide *)d;
}

static void set_irq(void *opaque, bool level)
{
    struct master *b = opaque;
    struct piix_ide *p = b->p;

    if (level)
        b->status |= ST_IRQ;
    irq_set(&p->pci.dev.irq[b - p->m], level);
}

/* [at, at + len) of the guest's memory into the channel's list; false: it is no memory, or the list is full. */
static bool add_piece(struct master *b, uint64_t at, uint64_t len, bool to_memory)
{
    while (len) {
        uint64_t part = len;
        void *host = b->ch.n_iov < IDE_MAX_IOV
                         ? pci_dma_map(&b->p->pci, at, &part, to_memory)
                         : NULL;

        if (!host)
            return false;
        b->ch.iov[b->ch.n_iov++] = (struct iovec){host, part};
        at += part;
        len -= part;
    }
    return true;
}

/* The table of regions (1.2): address, even; bytes, 0 is 64 KiB; the last one says so. */
static uint64_t map(void *opaque, uint64_t len, bool to_memory)
{
    struct master *b = opaque;
    uint64_t have = 0, at = b->table & ~3u;
    bool last = false;

    b->ch.n_iov = 0;
    b->whole = false;
    for (unsigned i = 0; i < MOST_ENTRIES && have < len && !last; i++) {
        uint8_t e[8];
        uint32_t n;

        if (pci_dma_read(&b->p->pci, at + i * 8ull, e, sizeof(e)) < 0)
            break;
        n = get_le16(e + 4) & 0xfffe;
        n = n ? n : 65536;
        last = get_le32(e + 4) & PRD_LAST;
        b->whole = last && have + n <= len;
        n = n < len - have ? n : (uint32_t)(len - have);
        if (!add_piece(b, get_le32(e) & ~1u, n, to_memory))
            break;
        have += n;
    }
    return have;
}

static void unmap(void *opaque, bool to_memory)
{
    struct master *b = opaque;

    for (unsigned i = 0; i < b->ch.n_iov; i++)
        pci_dma_unmap(&b->p->pci, b->ch.iov[i].iov_base, to_memory ? b->ch.iov[i].iov_len : 0);
    b->ch.n_iov = 0;
}

/* Regions that are left over leave the engine active (2.1, table of interrupt and active). */
static void done(void *opaque, bool failed)
{
    struct master *b = opaque;

    if (b->whole || failed)
        b->status &= ~ST_ACTIVE;
    b->ch.ready = 0;
}

static const struct ide_dma dma_ops = {.map = map, .unmap = unmap, .done = done};

/* --- Registers --- */

static uint64_t bm_read(void *opaque, paddr off, struct access a)
{
    struct piix_ide *p = opaque;
    struct master *b = &p->m[off / BM_LEN];
    unsigned reg = off % BM_LEN;

    switch (reg) {
    case BM_COMMAND: return b->command;
    case BM_STATUS: return b->status;
    }
    return reg >= BM_TABLE ? b->table >> (reg - BM_TABLE) * 8 : 0;
}

static void write_bm_command(struct master *b, uint8_t v)
{
    bool starts = v & ~b->command & CMD_START, stops = b->command & ~v & CMD_START;

    TRACE(&piix_ide_trace[TP_COMMAND], "channel=%u command=%#x", (unsigned)(b - b->p->m), v);
    b->command = v & (CMD_START | CMD_TO_MEMORY);
    if (starts) {
        b->status |= ST_ACTIVE;
        ide_channel_start(&b->ch, true);
    } else if (stops) {
        b->status &= ~ST_ACTIVE;
        ide_channel_start(&b->ch, false);
    }
}

static void bm_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct piix_ide *p = opaque;
    struct master *b = &p->m[off / BM_LEN];
    unsigned reg = off % BM_LEN;
    uint8_t v = (uint8_t)value;

    if (reg == BM_COMMAND) {
        write_bm_command(b, v);
    } else if (reg == BM_STATUS) {
        b->status = (b->status & ~(v & (ST_ERROR | ST_IRQ)) & ~ST_KEPT) | (v & ST_KEPT);
    } else if (reg >= BM_TABLE) {
        unsigned shift = (reg - BM_TABLE) * 8;
        uint32_t bits = (a.size >= 4 ? UINT32_MAX : (1u << a.size * 8) - 1) << shift;

        b->table = ((b->table & ~bits) | ((uint32_t)value << shift & bits)) & ~3u;
    }
}

static const struct mmio_ops bm_ops = {.read = bm_read, .write = bm_write, .min = 1, .max = 4};

/* --- The device --- */

static void piix_reset(struct dev *d)
{
    struct piix_ide *p = piix_of(d);

    pci_dev_reset(&p->pci);
    for (unsigned i = 0; i < 2; i++) {
        struct master *b = &p->m[i];

        ide_channel_reset(&b->ch);
        b->command = b->status = 0;
        b->table = 0;
        b->whole = false;
        for (unsigned n = 0; n < 2; n++)
            if (b->ch.bus.disk[n])
                b->status |= 0x20 << n; /* what firmware would find out: it can do DMA */
    }
}

static void add_channel(struct piix_ide *p, unsigned i)
{
    struct dev *d = &p->pci.dev;
    struct master *b = &p->m[i];
    char name[80];
    unsigned n = i;

    do
        snprintf(name, sizeof(name), "%.60s.%u", d->id ? d->id : "ide", n);
    while (bus_find(d->m, name) && ++n);
    b->p = p;
    b->ch.dev = d;
    b->ch.irq = set_irq;
    b->ch.dma = &dma_ops;
    b->ch.opaque = b;
    ide_channel_init(&b->ch, name);
    mem_add(machine_io_mem(d->m), i ? 0x170 : 0x1f0, &b->ch.command, 0);
    mem_add(machine_io_mem(d->m), i ? 0x376 : 0x3f6, &b->ch.control, 0);
}

static int piix_init(struct dev *d, struct err *e)
{
    struct piix_ide *p = piix_of(d);
    struct isa_bus *isa = isa_bus(d->m);

    if (!isa) {
        pci_dev_fini(&p->pci);
        return err_set(e, -ENODEV, "it needs a machine with an ISA bus");
    }
    pci_wmask32(&p->pci, IDETIM, 0xffffffff);
    pci_wmask8(&p->pci, SIDETIM, 0xff);
    pci_wmask32(&p->pci, UDMA, 0x0033000f);
    mem_init_mmio(&p->bm, "piix-bmdma", 2 * BM_LEN, &bm_ops, p);
    pci_add_bar(&p->pci, 4, PCI_BAR_IO, &p->bm);
    for (unsigned i = 0; i < 2; i++) {
        add_channel(p, i);
        irq_connect(&d->irq[i], isa_irq(isa, 14 + i));
    }
    return 0;
}

static void piix_fini(struct dev *d)
{
    struct piix_ide *p = piix_of(d);

    for (unsigned i = 0; i < 2; i++)
        ide_channel_fini(&p->m[i].ch);
    pci_dev_fini(&p->pci);
}

static void piix_saving(struct dev *d)
{
    for (unsigned i = 0; i < 2; i++)
        ide_channel_saving(&piix_of(d)->m[i].ch);
}

static int piix_loaded(struct dev *d, int version, struct err *e)
{
    struct piix_ide *p = piix_of(d);
    int r = pci_dev_loaded(&p->pci, e);

    for (unsigned i = 0; i < 2 && r == 0; i++)
        r = ide_channel_loaded(&p->m[i].ch, e);
    return r;
}

static const struct field piix_props[] = {PCI_FIELDS(piix_ide, pci), FIELD_END};

static const struct state master_state[] = {
    {.name = "ch",
     .kind = S_STRUCT,
     .offset = offsetof(struct master, ch),
     .n = 1,
     .elem = sizeof(struct ide_channel),
     .since = 1,
     .table = ide_channel_state},
    STATE(master, command, S_U8, 1, NULL),
    STATE(master, status, S_U8, 1, NULL),
    STATE(master, table, S_U32, 1, NULL),
    STATE_END,
};

static const struct state piix_state[] = {
    PCI_STATE(piix_ide, pci),
    STATE_STRUCTS(piix_ide, m, master_state, 1, "channels"),
    STATE_END,
};

static const struct pci_type piix3_pci = {
    .vendor = 0x8086, .device = 0x7010, .class = 0x0101, .prog_if = 0x80, .no_hotplug = true};
static const struct pci_type piix4_pci = {
    .vendor = 0x8086, .device = 0x7111, .class = 0x0101, .prog_if = 0x80, .no_hotplug = true};

#define PIIX_IDE                                                                                   \
    .class = DEV_STORAGE, .bus = "pci", .size = sizeof(struct piix_ide), .props = piix_props,      \
    .state = piix_state, .state_version = 1, .init = piix_init, .reset = piix_reset,               \
    .fini = piix_fini, .saving = piix_saving, .loaded = piix_loaded, .trace = piix_ide_trace

const struct dev_type dev_piix3_ide = {
    .name = "piix3-ide", .help = "IDE controller of PIIX3", .class_ops = &piix3_pci, PIIX_IDE};
const struct dev_type dev_piix4_ide = {
    .name = "piix4-ide", .help = "IDE controller of PIIX4", .class_ops = &piix4_pci, PIIX_IDE};
