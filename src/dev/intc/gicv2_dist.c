/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv2's distributor registers, GICD_* (Arm IHI 0048B.b section 4.3). */
#include "dev/intc/gicv2_priv.h"

#include <inttypes.h>

enum {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IIDR = 0x008,
    GICD_IGROUPR = 0x080,
    GICD_ISENABLER = 0x100,
    GICD_ICENABLER = 0x180,
    GICD_ISPENDR = 0x200,
    GICD_ICPENDR = 0x280,
    GICD_ISACTIVER = 0x300,
    GICD_ICACTIVER = 0x380,
    GICD_IPRIORITYR = 0x400,
    GICD_ITARGETSR = 0x800,
    GICD_ICFGR = 0xc00,
    GICD_NSACR = 0xe00,
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10,
    GICD_SPENDSGIR = 0xf20,
    GICD_ID = 0xfd0,
};

/* Word 0 is the asking CPU's own. */
static uint32_t *word(uint32_t *spis, uint32_t *own, unsigned n)
{
    return n == 0 ? own : &spis[n];
}

/* --- what each register of a bit per interrupt shows -------------------------------------------*/

static uint32_t read_pending(struct gicv2 *g, struct gicv2_cpu *c, unsigned n)
{
    return n == 0 ? c->latched | (c->level & ~c->edge)
                  : g->latched[n] | (g->level[n] & ~g->edge[n]);
}

static uint32_t read_bits(struct gicv2 *g, unsigned cpu, paddr off)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    unsigned n = off % 0x80 / 4;

    switch (off & ~UINT64_C(0x7f)) {
    case GICD_IGROUPR: return n ? g->group[n] : c->group;
    case GICD_ISENABLER:
    case GICD_ICENABLER: return n ? g->enabled[n] : c->enabled;
    case GICD_ISPENDR:
    case GICD_ICPENDR: return read_pending(g, c, n);
    default: return n ? g->active[n] : c->active;
    }
}

static void write_bits(struct gicv2 *g, unsigned cpu, paddr off, uint32_t v)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    unsigned n = off % 0x80 / 4;
    uint32_t sgis = n ? 0 : 0xffff;

    switch (off & ~UINT64_C(0x7f)) {
    case GICD_IGROUPR: *word(g->group, &c->group, n) = v; break;
    case GICD_ISENABLER: *word(g->enabled, &c->enabled, n) |= v; break;
    case GICD_ICENABLER: *word(g->enabled, &c->enabled, n) &= ~(v & ~sgis); break;
    case GICD_ISPENDR: *word(g->latched, &c->latched, n) |= v & ~sgis; break;
    case GICD_ICPENDR: *word(g->latched, &c->latched, n) &= ~(v & ~sgis); break;
    case GICD_ISACTIVER: *word(g->active, &c->active, n) |= v; break;
    case GICD_ICACTIVER: *word(g->active, &c->active, n) &= ~v; break;
    }
}

/* --- registers of a byte or of two bits per interrupt ------------------------------------------*/

static uint8_t read_target(const struct gicv2 *g, unsigned cpu, unsigned intid)
{
    if (g->n_cpus == 1)
        return 0;
    return intid < GIC_PRIVATE ? (uint8_t)(1u << cpu) : g->target[intid];
}

static uint8_t read_byte(const struct gicv2 *g, unsigned cpu, paddr off)
{
    const struct gicv2_cpu *c = &g->cpu[cpu];
    unsigned intid = off & 0x3ff;

    if (off >= GICD_CPENDSGIR)
        return c->sgi_from[off & 15];
    if (off >= GICD_ITARGETSR)
        return read_target(g, cpu, intid);
    return intid < GIC_PRIVATE ? c->prio[intid] : g->prio[intid];
}

static void pend_sgi(struct gicv2_cpu *c, unsigned sgi, uint8_t set, uint8_t clear)
{
    c->sgi_from[sgi] = (uint8_t)((c->sgi_from[sgi] & ~clear) | set);
    c->latched = (c->latched & ~(1u << sgi)) | (uint32_t)(c->sgi_from[sgi] != 0) << sgi;
}

static void write_byte(struct gicv2 *g, unsigned cpu, paddr off, uint8_t v)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    unsigned intid = off & 0x3ff;
    uint8_t cpus = (uint8_t)((1u << g->n_cpus) - 1);

    if (off >= GICD_SPENDSGIR)
        pend_sgi(c, off & 15, v & cpus, 0);
    else if (off >= GICD_CPENDSGIR)
        pend_sgi(c, off & 15, 0, v);
    else if (off >= GICD_ITARGETSR)
        g->target[intid] = intid < GIC_PRIVATE || g->n_cpus == 1 ? g->target[intid] : v & cpus;
    else if (intid < GIC_PRIVATE)
        c->prio[intid] = v;
    else
        g->prio[intid] = v;
}

static bool is_bytes(paddr off)
{
    return (off >= GICD_IPRIORITYR && off < GICD_ICFGR) ||
           (off >= GICD_CPENDSGIR && off < GICD_SPENDSGIR + 16);
}

/* Sixteen interrupts in a word, the upper bit of each pair: edge. */
static uint32_t read_config(const struct gicv2 *g, unsigned cpu, unsigned n)
{
    uint32_t edge = (n < 2 ? g->cpu[cpu].edge : g->edge[n / 2]) >> n % 2 * 16, r = 0;

    for (unsigned i = 0; i < 16; i++)
        r |= (edge >> i & 1) << (2 * i + 1);
    return r;
}

static void write_config(struct gicv2 *g, unsigned cpu, unsigned n, uint32_t v)
{
    uint32_t *edge = n < 2 ? &g->cpu[cpu].edge : &g->edge[n / 2];

    if (n == 0)
        return; /* SGIs */
    for (unsigned i = 0; i < 16; i++) {
        uint32_t bit = 1u << (n % 2 * 16 + i);

        *edge = v >> (2 * i + 1) & 1 ? *edge | bit : *edge & ~bit;
    }
}

/* --- SGIs --------------------------------------------------------------------------------------*/

static void write_sgir(struct gicv2 *g, unsigned cpu, uint32_t v)
{
    uint8_t all = (uint8_t)((1u << g->n_cpus) - 1), me = (uint8_t)(1u << cpu), to;

    switch (v >> 24 & 3) {
    case 0: to = (uint8_t)(v >> 16) & all; break;
    case 1: to = all & (uint8_t)~me; break;
    case 2: to = me; break;
    default: guest_error(&g->dev, "GICD_SGIR %#" PRIx32 ": reserved filter", v); return;
    }
    for (unsigned i = 0; i < g->n_cpus; i++) {
        if (to >> i & 1)
            pend_sgi(&g->cpu[i], v & 15, me, 0);
    }
}

/* --- the frame ---------------------------------------------------------------------------------*/

/* GIC-400's (DDI 0471B table 3-2): PIDR4..7, PIDR0..3, CIDR0..3. */
static const uint8_t id[12] = {0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1};

static bool is_there(const struct gicv2 *g, paddr off)
{
    if (off >= GICD_IGROUPR && off < GICD_IPRIORITYR)
        return off % 0x80 / 4 < g->n_irqs / 32;
    if (off >= GICD_IPRIORITYR && off < GICD_ICFGR)
        return (off & 0x3ff) < g->n_irqs;
    if (off >= GICD_ICFGR && off < GICD_ICFGR + 0x100)
        return (off & 0xff) * 4 < g->n_irqs;
    return true;
}

static uint32_t read_word(struct gicv2 *g, unsigned cpu, paddr off)
{
    if (!is_there(g, off))
        return 0;
    if (off >= GICD_IGROUPR && off < GICD_IPRIORITYR)
        return read_bits(g, cpu, off);
    if (is_bytes(off)) {
        uint32_t r = 0;

        for (unsigned i = 0; i < 4; i++)
            r |= (uint32_t)read_byte(g, cpu, off + i) << 8 * i;
        return r;
    }
    if (off >= GICD_ICFGR && off < GICD_ICFGR + 0x100)
        return read_config(g, cpu, off % 0x100 / 4);
    if (off >= GICD_ID && off < 0x1000)
        return id[(off - GICD_ID) / 4];
    switch (off) {
    case GICD_CTLR: return g->ctlr;
    case GICD_TYPER: return (uint32_t)(g->n_irqs / 32 - 1) | (uint32_t)(g->n_cpus - 1) << 5;
    case GICD_IIDR: return 0x0200143b;
    }
    return 0; /* reserved, and write-only */
}

static uint64_t dist_read(void *opaque, paddr off, struct access a)
{
    struct gicv2 *g = opaque;
    uint32_t v;

    pthread_mutex_lock(&g->lock);
    v = read_word(g, gicv2_who(g, a), off & ~UINT64_C(3)) >> off % 4 * 8;
    pthread_mutex_unlock(&g->lock);
    return a.size < 4 ? v & ((1u << 8 * a.size) - 1) : v;
}

static void write_word(struct gicv2 *g, unsigned cpu, paddr off, uint32_t v)
{
    if (off >= GICD_IGROUPR && off < GICD_IPRIORITYR)
        write_bits(g, cpu, off, v);
    else if (off >= GICD_ICFGR && off < GICD_ICFGR + 0x100)
        write_config(g, cpu, off % 0x100 / 4, v);
    else if (off == GICD_CTLR)
        g->ctlr = v & 3;
    else if (off == GICD_SGIR)
        write_sgir(g, cpu, v);
}

static void dist_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct gicv2 *g = opaque;
    unsigned cpu = gicv2_who(g, a);

    if (!is_bytes(off) && a.size != 4) {
        guest_error(&g->dev, "%u-byte write to distributor offset %#" PRIx64, a.size, off);
        return;
    }
    if (!is_there(g, off))
        return;
    pthread_mutex_lock(&g->lock);
    if (is_bytes(off)) {
        for (unsigned i = 0; i < a.size; i++)
            write_byte(g, cpu, off + i, (uint8_t)(value >> 8 * i));
    } else {
        write_word(g, cpu, off, (uint32_t)value);
    }
    gicv2_update(g);
    pthread_mutex_unlock(&g->lock);
}

const struct mmio_ops gicv2_dist_ops = {.read = dist_read, .write = dist_write, .min = 1, .max = 4};
