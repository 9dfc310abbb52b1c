/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "arm-gicv3-its": the interrupt translation service of GICv3, which turns a device's message (DeviceID, EventID) into an
 * LPI of a CPU, by tables in guest memory that software manages through a queue of commands
 * (Arm IHI 0069 sections 5.3 and 12.19).  This file: registers and translation; commands: gicv3_its_cmd.c.
 */
#include "dev/intc/gicv3_its_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

enum {
    GITS_CTLR = 0x0000,
    GITS_IIDR = 0x0004,
    GITS_TYPER = 0x0008,
    GITS_CBASER = 0x0080,
    GITS_CWRITER = 0x0088,
    GITS_CREADR = 0x0090,
    GITS_BASER = 0x0100,
    GITS_ID = 0xffd0,
    GITS_TRANSLATER = 0x10040,
};
#define CTLR_QUIESCENT (1u << 31)

/* Fixed fields of GITS_BASER<n>: Type 58:56, Entry_Size 52:48. */
#define BASER_FIXED(type) ((uint64_t)(type) << 56 | (uint64_t)(ITS_ENTRY - 1) << 48)
#define BASER_RO          UINT64_C(0x071f000000000000)

static const uint64_t fixed[2] = {
    [ITS_DEVICES] = BASER_FIXED(1), [ITS_COLLECTIONS] = BASER_FIXED(4)};
/* GIC-500's (DDI 0516). */
static const uint8_t id[12] = {0x44, 0, 0, 0, 0x94, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

/* --- tables ------------------------------------------------------------------------------------*/

static uint64_t page_size(uint64_t baser)
{
    unsigned code = baser >> 8 & 3;

    return code == 0 ? 4 * KiB : code == 1 ? 16 * KiB : 64 * KiB;
}

/* PhysAddr 47:12; with pages of 64 KiB its bits 15:12 are address bits 51:48. */
static uint64_t baser_addr(uint64_t baser)
{
    uint64_t addr = baser & UINT64_C(0xfffffffff000);

    if (page_size(baser) == 64 * KiB)
        addr = (addr & ~UINT64_C(0xf000)) | (addr >> 12 & 15) << 48;
    return addr;
}

uint64_t its_entry_addr(struct gicv3_its *s, enum its_table t, uint32_t n)
{
    uint64_t baser = s->baser[t], page = page_size(baser), size = ((baser & 0xff) + 1) * page;
    uint64_t per_page = page / ITS_ENTRY, l1;

    if (!(baser & ITS_VALID))
        return 0;
    if (!(baser & ITS_INDIRECT))
        return n < size / ITS_ENTRY ? baser_addr(baser) + (uint64_t)n * ITS_ENTRY : 0;
    if (n / per_page >= size / 8 || !its_load(s, baser_addr(baser) + n / per_page * 8, &l1) ||
        !(l1 & ITS_VALID))
        return 0;
    return (l1 & ITS_L1_ADDR & ~(page - 1)) + n % per_page * ITS_ENTRY;
}

bool its_load(struct gicv3_its *s, uint64_t addr, uint64_t *v)
{
    uint8_t *p = gicv3_table(s->gic, addr, 8, false);

    if (!p)
        return false;
    *v = get_le64(p);
    gicv3_table_done(s->gic, p, 0);
    return true;
}

bool its_store(struct gicv3_its *s, uint64_t addr, uint64_t v)
{
    uint8_t *p = gicv3_table(s->gic, addr, 8, true);

    if (!p)
        return false;
    put_le64(p, v);
    gicv3_table_done(s->gic, p, 8);
    return true;
}

bool its_find_event(struct gicv3_its *s, uint32_t device, uint32_t event, uint64_t *ite_addr)
{
    uint64_t addr, dte;

    if (device >> ITS_DEV_BITS || !(addr = its_entry_addr(s, ITS_DEVICES, device)) ||
        !its_load(s, addr, &dte) || !(dte & ITS_VALID))
        return false;
    if (event >> (dte & DTE_SIZE) >> 1)
        return false;
    *ite_addr = (dte & DTE_ADDR) + (uint64_t)event * ITS_ENTRY;
    return true;
}

bool its_find_cpu(struct gicv3_its *s, uint32_t collection, uint32_t *cpu)
{
    uint64_t addr, cte;

    if (!(addr = its_entry_addr(s, ITS_COLLECTIONS, collection)) || !its_load(s, addr, &cte) ||
        !(cte & ITS_VALID) || (cte & CTE_CPU) >= s->gic->n_cpus)
        return false;
    *cpu = (uint32_t)(cte & CTE_CPU);
    return true;
}

bool its_translate(struct gicv3_its *s, uint32_t device, uint32_t event, uint32_t *intid,
                   uint32_t *cpu)
{
    uint64_t addr, ite;

    if (!its_find_event(s, device, event, &addr) || !its_load(s, addr, &ite) ||
        !(ite & ITS_VALID) || !its_find_cpu(s, ITE_COLLECTION(ite), cpu))
        return false;
    *intid = (uint32_t)(ite & ITE_INTID);
    return true;
}

/* --- messages ----------------------------------------------------------------------------------*/

static struct its_known *known_slot(struct gicv3_its *s, uint32_t device, uint32_t event)
{
    return &s->known[(device * 31 + event) % ITS_KNOWN];
}

void its_forget(struct gicv3_its *s)
{
    memset(s->known, 0, sizeof(s->known));
}

void its_message(struct gicv3_its *s, uint32_t device, uint32_t event)
{
    struct its_known *k = known_slot(s, device, event);

    if (!(s->ctlr & 1))
        return;
    if (!k->valid || k->device != device || k->event != event) {
        uint32_t intid, cpu;

        if (!its_translate(s, device, event, &intid, &cpu)) {
            guest_error(&s->dev, "device %#" PRIx32 ", event %" PRIu32 ": not mapped", device,
                        event);
            return;
        }
        *k = (struct its_known){
            .valid = true, .device = device, .event = event, .intid = intid, .cpu = cpu};
    }
    gicv3_lpi_set(s->gic, k->cpu, k->intid, true);
}

/* The DeviceID is the requester's, as PCI has it; a CPU's write comes from nobody whom tables know. */
static void translater(struct gicv3_its *s, uint32_t event, struct access a)
{
    if (bus_is_cpu(a.who) || a.who == BUS_NOBODY)
        guest_error(&s->dev, "event %" PRIu32 " written by no device", event);
    else
        its_message(s, a.who & 0x7fffffff, event);
}

/* --- registers ---------------------------------------------------------------------------------*/

/* Physical LPIs 0; ITT_entry_size 7:4; ID_bits 12:8; Devbits 17:13; PTA 19 = 0: targets are processor numbers;
 * CIDbits 35:32 by CIL 36. */
static uint64_t read_typer(void)
{
    return 1 | (ITS_ENTRY - 1) << 4 | (GICV3_ID_BITS - 1) << 8 | (ITS_DEV_BITS - 1) << 13 |
           UINT64_C(15) << 32 | UINT64_C(1) << 36;
}

static uint64_t read_reg(const struct gicv3_its *s, paddr off)
{
    switch (off) {
    case GITS_CTLR: return s->ctlr | CTLR_QUIESCENT | (uint64_t)0x43b << 32; /* and GITS_IIDR */
    case GITS_TYPER: return read_typer();
    case GITS_CBASER: return s->cbaser;
    case GITS_CWRITER: return s->cwriter;
    case GITS_CREADR: return s->creadr;
    case GITS_BASER: return s->baser[0];
    case GITS_BASER + 8: return s->baser[1];
    }
    if (off >= GITS_ID && off < GITS_ID + 0x30)
        return id[(off - GITS_ID) / 4] | (uint64_t)id[(off - GITS_ID) / 4 + 1] << 32;
    return 0;
}

static uint64_t its_mmio_read(void *opaque, paddr off, struct access a)
{
    uint64_t v = read_reg(opaque, off & ~UINT64_C(7)) >> off % 8 * 8;

    return a.size == 8 ? v : (uint32_t)v;
}

static void write_baser(struct gicv3_its *s, unsigned n, uint64_t v)
{
    if (s->ctlr & 1) {
        guest_error(&s->dev, "GITS_BASER%u is written while the ITS is enabled", n);
        return;
    }
    if ((v >> 8 & 3) == 3)
        v &= ~UINT64_C(0x100); /* reserved page size: 64 KiB */
    s->baser[n] = (v & ~BASER_RO) | fixed[n];
    its_forget(s);
}

static void write_cbaser(struct gicv3_its *s, uint64_t v)
{
    if (s->ctlr & 1) {
        guest_error(&s->dev, "GITS_CBASER is written while the ITS is enabled");
        return;
    }
    s->cbaser = v & UINT64_C(0xf8ffffffffffffff) & ~UINT64_C(0x300);
    s->creadr = 0;
}

static void write_reg(struct gicv3_its *s, paddr off, uint64_t v)
{
    switch (off) {
    case GITS_CTLR:
        s->ctlr = v & 1;
        its_forget(s);
        its_run_commands(s);
        break;
    case GITS_CBASER: write_cbaser(s, v); break;
    case GITS_CWRITER:
        s->cwriter = v & 0xfffe0;
        if (v & 1)
            s->creadr &= ~(uint64_t)ITS_STALLED; /* Retry */
        its_run_commands(s);
        break;
    case GITS_BASER:
    case GITS_BASER + 8: write_baser(s, off / 8 % 2, v); break;
    }
}

/* Halves of 64-bit registers: the other half is what it was. */
static void its_mmio_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct gicv3_its *s = opaque;
    paddr reg = off & ~UINT64_C(7);
    uint64_t old = read_reg(s, reg);

    if (off == GITS_TRANSLATER) {
        translater(s, (uint32_t)value & (a.size == 2 ? 0xffff : 0xffffffff), a);
        return;
    }
    if (a.size < 4)
        return;
    if (a.size == 4)
        value = off & 4 ? (uint32_t)old | value << 32 : (old & ~UINT64_C(0xffffffff)) | value;
    if (reg == GITS_CTLR && off & 4)
        return; /* GITS_IIDR */
    write_reg(s, reg, value);
}

static const struct mmio_ops ops = {
    .read = its_mmio_read, .write = its_mmio_write, .min = 2, .max = 8, .messages = true};

/* --- the device --------------------------------------------------------------------------------*/

static int init(struct dev *d, struct err *e)
{
    struct gicv3_its *s = (struct gicv3_its *)d;
    struct dev *gic = s->parent ? dev_find(d->m, s->parent) : NULL;

    if (!gic || gic->type != &dev_gicv3)
        return err_set(e, -EINVAL, "parent-gicv3=%s: want the id of an arm-gicv3",
                       s->parent ? s->parent : "");
    s->gic = gicv3_of(gic);
    if (!s->gic->has_lpi)
        return err_set(e, -EINVAL, "parent-gicv3=%s: it needs has-lpi=on", s->parent);
    mem_init_mmio(&d->mmio, "gicv3_its", 0x20000, &ops, s);
    return 0;
}

static void reset(struct dev *d)
{
    struct gicv3_its *s = (struct gicv3_its *)d;

    s->ctlr = 0;
    s->cbaser = s->cwriter = s->creadr = 0;
    s->baser[0] = fixed[0];
    s->baser[1] = fixed[1];
    its_forget(s);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct gicv3_its *s = (struct gicv3_its *)d;

    (void)version;
    (void)e;
    s->ctlr &= 1;
    s->cwriter &= 0xfffe0;
    s->creadr &= 0xfffe0 | ITS_STALLED;
    for (unsigned n = 0; n < 2; n++)
        s->baser[n] = (s->baser[n] & ~BASER_RO) | fixed[n];
    its_forget(s);
    return 0;
}

static const struct field props[] = {
    FIELD(gicv3_its, parent, F_STR, "parent-gicv3", NULL, "id of the arm-gicv3 whose LPIs it sets"),
    FIELD_END,
};

static const struct state state[] = {
    STATE(gicv3_its, ctlr, S_U32, 1, NULL),    STATE(gicv3_its, cbaser, S_U64, 1, NULL),
    STATE(gicv3_its, cwriter, S_U64, 1, NULL), STATE(gicv3_its, creadr, S_U64, 1, NULL),
    STATE(gicv3_its, baser, S_U64, 1, NULL),   STATE_END,
};

const struct dev_type dev_gicv3_its = {
    .name = "arm-gicv3-its",
    .help = "Arm GICv3 interrupt translation service",
    .class = DEV_BOARD,
    .size = sizeof(struct gicv3_its),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .loaded = loaded,
};
