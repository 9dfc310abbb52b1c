/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv3's distributor registers, GICD_* (Arm IHI 0069 section 12.9), with affinity routing and one security state:
 * private interrupts are in the redistributors, and what belongs to the older model reads as zero.
 */
#include "dev/intc/gicv3_priv.h"

#include <inttypes.h>

enum {
    GICD_CTLR = 0x0000,
    GICD_TYPER = 0x0004,
    GICD_IIDR = 0x0008,
    GICD_IGROUPR = 0x0080,
    GICD_ISENABLER = 0x0100,
    GICD_ICENABLER = 0x0180,
    GICD_ISPENDR = 0x0200,
    GICD_ICPENDR = 0x0280,
    GICD_ISACTIVER = 0x0300,
    GICD_ICACTIVER = 0x0380,
    GICD_IPRIORITYR = 0x0400,
    GICD_ITARGETSR = 0x0800,
    GICD_ICFGR = 0x0c00,
    GICD_IROUTER = 0x6000,
    GICD_ID = 0xffd0,
    GICD_CTLR_FIXED = 1 << 6 | 1 << 4, /* DS, ARE */
};

/* GIC-500 (DDI 0516): PIDR4..7, PIDR0..3, CIDR0..3. */
static const uint8_t id[12] = {0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0, 0x0d, 0xf0, 0x05, 0xb1};

static bool in(paddr off, paddr start, paddr len)
{
    return off >= start && off - start < len;
}

/* SPIs only: word 0 of a bank, the first 32 bytes of priorities, and so on are private interrupts'. */
static bool is_spi(const struct gicv3 *g, uint64_t intid)
{
    return intid >= GIC_PRIVATE && intid < g->n_irqs;
}

/* --- a bit per interrupt -----------------------------------------------------------------------*/

static uint32_t read_bits(const struct gicv3 *g, paddr off)
{
    unsigned n = off % 0x80 / 4;

    switch (off & ~UINT64_C(0x7f)) {
    case GICD_IGROUPR: return g->group[n];
    case GICD_ISENABLER:
    case GICD_ICENABLER: return g->enabled[n];
    case GICD_ISPENDR:
    case GICD_ICPENDR: return g->latched[n] | (g->level[n] & ~g->edge[n]);
    default: return g->active[n];
    }
}

static void write_bits(struct gicv3 *g, paddr off, uint32_t v)
{
    unsigned n = off % 0x80 / 4;
    uint32_t changed = v;

    switch (off & ~UINT64_C(0x7f)) {
    case GICD_IGROUPR:
        changed = g->group[n] ^ v;
        g->group[n] = v;
        break;
    case GICD_ISENABLER: g->enabled[n] |= v; break;
    case GICD_ICENABLER: g->enabled[n] &= ~v; break;
    case GICD_ISPENDR: g->latched[n] |= v; break;
    case GICD_ICPENDR: g->latched[n] &= ~v; break;
    case GICD_ISACTIVER: g->active[n] |= v; break;
    case GICD_ICACTIVER: g->active[n] &= ~v; break;
    }
    gicv3_update_spis(g, n, changed);
}

/* --- more bits per interrupt -------------------------------------------------------------------*/

/* Sixteen interrupts in a word, the upper bit of each pair: edge. */
static uint32_t read_config(const struct gicv3 *g, unsigned n)
{
    uint32_t edge = g->edge[n / 2] >> n % 2 * 16, r = 0;

    for (unsigned i = 0; i < 16; i++)
        r |= (edge >> i & 1) << (2 * i + 1);
    return r;
}

static void write_config(struct gicv3 *g, unsigned n, uint32_t v)
{
    uint32_t *edge = &g->edge[n / 2];

    for (unsigned i = 0; i < 16; i++) {
        uint32_t bit = 1u << (n % 2 * 16 + i);

        *edge = v >> (2 * i + 1) & 1 ? *edge | bit : *edge & ~bit;
    }
    gicv3_update_spis(g, n / 2, 0xffffu << n % 2 * 16);
}

static uint32_t read_prio(const struct gicv3 *g, unsigned intid)
{
    uint32_t r = 0;

    for (unsigned i = 0; i < 4; i++)
        r |= (uint32_t)g->prio[intid + i] << 8 * i;
    return r;
}

static void write_prio(struct gicv3 *g, unsigned intid, uint8_t v)
{
    g->prio[intid] = v & GICV3_PRIO_MASK;
    gicv3_update_spis(g, intid / 32, 1u << intid % 32);
}

static void write_router(struct gicv3 *g, unsigned intid, bool high, uint32_t v)
{
    uint32_t old = g->target[intid];
    uint64_t r = g->router[intid];

    gicv3_set_router(g, intid,
                     high ? (uint32_t)r | (uint64_t)v << 32 : (r & ~UINT64_C(0xffffffff)) | v);
    if (old < g->n_cpus)
        gicv3_update_cpu(&g->cpu[old]);
    gicv3_update_spis(g, intid / 32, 1u << intid % 32);
}

/* --- the frame ---------------------------------------------------------------------------------*/

static uint32_t read_typer(const struct gicv3 *g)
{
    uint32_t id_bits = g->has_lpi ? GICV3_ID_BITS : 10;

    return (uint32_t)(g->n_irqs / 32 - 1) | (g->has_lpi ? 1u << 17 : 0) | (id_bits - 1) << 19 |
           1u << 24 | 1u << 25; /* A3V, No1N */
}

static uint32_t read_word(const struct gicv3 *g, paddr off)
{
    if (in(off, GICD_IGROUPR, GICD_IPRIORITYR - GICD_IGROUPR))
        return is_spi(g, off % 0x80 * 8) ? read_bits(g, off) : 0;
    if (in(off, GICD_IPRIORITYR, 0x400))
        return is_spi(g, off & 0x3ff) ? read_prio(g, off & 0x3ff) : 0;
    if (in(off, GICD_ICFGR, 0x100))
        return is_spi(g, off % 0x100 * 4) ? read_config(g, off % 0x100 / 4) : 0;
    if (in(off, GICD_IROUTER, 0x2000))
        return is_spi(g, off % 0x2000 / 8) ? (uint32_t)(g->router[off % 0x2000 / 8] >> off % 8 * 8)
                                           : 0;
    if (in(off, GICD_ID, 0x30))
        return id[(off - GICD_ID) / 4];
    switch (off) {
    case GICD_CTLR: return g->ctlr | GICD_CTLR_FIXED;
    case GICD_TYPER: return read_typer(g);
    case GICD_IIDR: return 0x43b;
    }
    return 0; /* reserved, write-only, or of the model without affinity routing */
}

static void write_word(struct gicv3 *g, paddr off, uint32_t v)
{
    if (in(off, GICD_IGROUPR, GICD_IPRIORITYR - GICD_IGROUPR) && is_spi(g, off % 0x80 * 8))
        write_bits(g, off, v);
    else if (in(off, GICD_ICFGR, 0x100) && is_spi(g, off % 0x100 * 4))
        write_config(g, off % 0x100 / 4, v);
    else if (in(off, GICD_IROUTER, 0x2000) && is_spi(g, off % 0x2000 / 8))
        write_router(g, off % 0x2000 / 8, off & 4, v);
    else if (off == GICD_CTLR) {
        g->ctlr = v & 3;
        gicv3_update_all(g);
    }
}

static uint64_t dist_read(void *opaque, paddr off, struct access a)
{
    struct gicv3 *g = opaque;
    uint64_t v;

    pthread_mutex_lock(&g->lock);
    v = read_word(g, off & ~UINT64_C(3)) >> off % 4 * 8;
    if (a.size == 8)
        v |= (uint64_t)read_word(g, off + 4) << 32;
    pthread_mutex_unlock(&g->lock);
    return a.size < 4 ? v & ((1u << 8 * a.size) - 1) : v;
}

static void dist_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct gicv3 *g = opaque;
    bool bytes = in(off, GICD_IPRIORITYR, 0x400);

    if (!bytes && a.size < 4) {
        guest_error(&g->dev, "%u-byte write to distributor offset %#" PRIx64, a.size, off);
        return;
    }
    pthread_mutex_lock(&g->lock);
    for (unsigned i = 0; bytes && i < a.size; i++) {
        if (is_spi(g, (off & 0x3ff) + i))
            write_prio(g, (off & 0x3ff) + i, (uint8_t)(value >> 8 * i));
    }
    for (unsigned i = 0; !bytes && i < a.size; i += 4)
        write_word(g, off + i, (uint32_t)(value >> 8 * i));
    pthread_mutex_unlock(&g->lock);
}

const struct mmio_ops gicv3_dist_ops = {.read = dist_read, .write = dist_write, .min = 1, .max = 8};
