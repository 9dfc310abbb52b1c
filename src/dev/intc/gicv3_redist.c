/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv3's redistributor registers, GICR_*: two frames of 64 KiB for each CPU (Arm IHI 0069 sections 12.10, 12.11). */
#include "dev/intc/gicv3_priv.h"

#include <inttypes.h>

enum {
    GICR_CTLR = 0x00000,
    GICR_IIDR = 0x00004,
    GICR_TYPER = 0x00008,
    GICR_WAKER = 0x00014,
    GICR_PROPBASER = 0x00070,
    GICR_PENDBASER = 0x00078,
    GICR_ID = 0x0ffd0,
    GICR_IGROUPR0 = 0x10080,
    GICR_ISENABLER0 = 0x10100,
    GICR_ICENABLER0 = 0x10180,
    GICR_ISPENDR0 = 0x10200,
    GICR_ICPENDR0 = 0x10280,
    GICR_ISACTIVER0 = 0x10300,
    GICR_ICACTIVER0 = 0x10380,
    GICR_IPRIORITYR = 0x10400,
    GICR_ICFGR0 = 0x10c00,
    GICR_ICFGR1 = 0x10c04,
};
/* Bits that can be written; bit 62 of PENDBASER (PTZ) is write-only. */
#define PROPBASER_MASK UINT64_C(0x070fffffffffff9f)
#define PENDBASER_MASK UINT64_C(0x070fffffffff0f80)

/* GIC-500's (DDI 0516). */
static const uint8_t id[12] = {0x44, 0, 0, 0, 0x93, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

/* Affinity 63:32, processor number 23:8, Last 4 (of its region), PLPIS 0. */
static uint64_t read_typer(const struct gicv3_cpu *c)
{
    const struct gicv3 *g = c->gic;
    uint64_t affinity = gic_affinity(c->index);
    bool last = c->index + 1 == g->n_cpus || c->index + 1 == g->first_region;

    return ((affinity >> 32 & 0xff) << 24 | (affinity & 0xffffff)) << 32 | (uint64_t)c->index << 8 |
           (uint64_t)last << 4 | (g->has_lpi ? 1 : 0);
}

static uint32_t read_config(uint32_t edge)
{
    uint32_t r = 0;

    for (unsigned i = 0; i < 16; i++)
        r |= (edge >> i & 1) << (2 * i + 1);
    return r;
}

static void write_ppi_config(struct gicv3_cpu *c, uint32_t v)
{
    for (unsigned i = 0; i < 16; i++) {
        uint32_t bit = 1u << (16 + i);

        c->edge = v >> (2 * i + 1) & 1 ? c->edge | bit : c->edge & ~bit;
    }
}

static uint32_t read_prio(const struct gicv3_cpu *c, unsigned intid)
{
    uint32_t r = 0;

    for (unsigned i = 0; i < 4; i++)
        r |= (uint32_t)c->prio[intid + i] << 8 * i;
    return r;
}

/* --- words -------------------------------------------------------------------------------------*/

static uint32_t read_sgi_frame(const struct gicv3_cpu *c, paddr off)
{
    switch (off) {
    case GICR_IGROUPR0: return c->group;
    case GICR_ISENABLER0:
    case GICR_ICENABLER0: return c->enabled;
    case GICR_ISPENDR0:
    case GICR_ICPENDR0: return c->latched | (c->level & ~c->edge);
    case GICR_ISACTIVER0:
    case GICR_ICACTIVER0: return c->active;
    case GICR_ICFGR0: return read_config(c->edge);
    case GICR_ICFGR1: return read_config(c->edge >> 16);
    }
    if (off >= GICR_IPRIORITYR && off < GICR_IPRIORITYR + GIC_PRIVATE)
        return read_prio(c, off - GICR_IPRIORITYR);
    return 0;
}

static uint32_t read_word(const struct gicv3_cpu *c, paddr off)
{
    unsigned half = off % 8 * 8;

    if (off >= GICR_ID && off < GICR_ID + 0x30)
        return id[(off - GICR_ID) / 4];
    switch (off & ~UINT64_C(7)) {
    case GICR_TYPER: return (uint32_t)(read_typer(c) >> half);
    case GICR_PROPBASER: return (uint32_t)(c->propbaser >> half);
    case GICR_PENDBASER: return (uint32_t)((c->pendbaser & PENDBASER_MASK) >> half);
    }
    switch (off) {
    case GICR_CTLR: return c->ctlr | (c->gic->has_lpi ? 2 : 0); /* CES: enabling can be undone */
    case GICR_IIDR: return 0x43b;
    case GICR_WAKER: return c->waker;
    }
    return off >= 0x10000 ? read_sgi_frame(c, off) : 0;
}

static void write_sgi_frame(struct gicv3_cpu *c, paddr off, uint32_t v)
{
    switch (off) {
    case GICR_IGROUPR0: c->group = v; break;
    case GICR_ISENABLER0: c->enabled |= v; break;
    case GICR_ICENABLER0: c->enabled &= ~v; break;
    case GICR_ISPENDR0: c->latched |= v; break;
    case GICR_ICPENDR0: c->latched &= ~v; break;
    case GICR_ISACTIVER0: c->active |= v; break;
    case GICR_ICACTIVER0: c->active &= ~v; break;
    case GICR_ICFGR1: write_ppi_config(c, v); break;
    default: return;
    }
    gicv3_update_cpu(c);
}

static uint64_t with_half(uint64_t old, bool high, uint32_t v)
{
    return high ? (uint32_t)old | (uint64_t)v << 32 : (old & ~UINT64_C(0xffffffff)) | v;
}

/* The tables cannot be moved while LPIs are enabled. */
static void write_base(struct gicv3_cpu *c, paddr off, uint32_t v)
{
    bool high = off & 4;

    if (!c->gic->has_lpi)
        return;
    if (c->ctlr & 1)
        guest_error(&c->gic->dev, "GICR_%sBASER of CPU %u is written while LPIs are enabled",
                    off < GICR_PENDBASER ? "PROP" : "PEND", c->index);
    else if (off < GICR_PENDBASER)
        c->propbaser = with_half(c->propbaser, high, v) & PROPBASER_MASK;
    else
        c->pendbaser = with_half(c->pendbaser, high, v) & (PENDBASER_MASK | UINT64_C(1) << 62);
}

static void write_word(struct gicv3_cpu *c, paddr off, uint32_t v)
{
    switch (off) {
    case GICR_CTLR: gicv3_lpi_set_ctlr(c, v); return;
    case GICR_WAKER: c->waker = (v & 2) ? 6 : 0; return; /* children follow at once */
    case GICR_PROPBASER:
    case GICR_PROPBASER + 4:
    case GICR_PENDBASER:
    case GICR_PENDBASER + 4: write_base(c, off, v); return;
    }
    if (off >= 0x10000)
        write_sgi_frame(c, off, v);
}

/* --- the frames --------------------------------------------------------------------------------*/

static uint64_t redist_read(struct gicv3 *g, uint32_t cpu, paddr off, struct access a)
{
    struct gicv3_cpu *c;
    uint64_t v;

    if (cpu >= g->n_cpus)
        return 0;
    c = &g->cpu[cpu];
    pthread_mutex_lock(&g->lock);
    v = read_word(c, off & ~UINT64_C(3)) >> off % 4 * 8;
    if (a.size == 8)
        v |= (uint64_t)read_word(c, off + 4) << 32;
    pthread_mutex_unlock(&g->lock);
    return a.size < 4 ? v & ((1u << 8 * a.size) - 1) : v;
}

static void redist_write(struct gicv3 *g, uint32_t cpu, paddr off, uint64_t value, struct access a)
{
    bool bytes = off >= GICR_IPRIORITYR && off < GICR_IPRIORITYR + GIC_PRIVATE;
    struct gicv3_cpu *c;

    if (cpu >= g->n_cpus)
        return;
    c = &g->cpu[cpu];
    if (!bytes && a.size < 4) {
        guest_error(&g->dev, "%u-byte write to redistributor offset %#" PRIx64, a.size, off);
        return;
    }
    pthread_mutex_lock(&g->lock);
    for (unsigned i = 0; bytes && i < a.size; i++)
        c->prio[(off - GICR_IPRIORITYR + i) % GIC_PRIVATE] =
            (uint8_t)(value >> 8 * i) & GICV3_PRIO_MASK;
    if (bytes)
        gicv3_update_cpu(c);
    for (unsigned i = 0; !bytes && i < a.size; i += 4)
        write_word(c, off + i, (uint32_t)(value >> 8 * i));
    pthread_mutex_unlock(&g->lock);
}

static uint64_t read0(void *opaque, paddr off, struct access a)
{
    return redist_read(opaque, (uint32_t)(off / GICR_SIZE), off % GICR_SIZE, a);
}

static void write0(void *opaque, paddr off, uint64_t value, struct access a)
{
    redist_write(opaque, (uint32_t)(off / GICR_SIZE), off % GICR_SIZE, value, a);
}

static uint32_t in_second(const struct gicv3 *g, paddr off)
{
    return (uint32_t)(g->first_region + off / GICR_SIZE);
}

static uint64_t read1(void *opaque, paddr off, struct access a)
{
    return redist_read(opaque, in_second(opaque, off), off % GICR_SIZE, a);
}

static void write1(void *opaque, paddr off, uint64_t value, struct access a)
{
    redist_write(opaque, in_second(opaque, off), off % GICR_SIZE, value, a);
}

const struct mmio_ops gicv3_redist_ops[2] = {
    {.read = read0, .write = write0, .min = 1, .max = 8},
    {.read = read1, .write = write1, .min = 1, .max = 8},
};
