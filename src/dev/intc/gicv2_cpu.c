/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv2's CPU interface, GICC_* (Arm IHI 0048B.b section 4.4; GIC-400's identity, DDI 0471B). */
#include "dev/intc/gicv2_priv.h"

enum {
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_BPR = 0x08,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
    GICC_RPR = 0x14,
    GICC_HPPIR = 0x18,
    GICC_ABPR = 0x1c,
    GICC_AIAR = 0x20,
    GICC_AEOIR = 0x24,
    GICC_AHPPIR = 0x28,
    GICC_APR = 0xd0,
    GICC_NSAPR = 0xe0,
    GICC_IIDR = 0xfc,
    GICC_DIR = 0x1000,
};

/* A pending SGI names the CPU it came from; of several, the lowest. */
static uint32_t with_source(const struct gicv2_cpu *c, unsigned intid)
{
    if (intid >= GIC_SGIS || !c->sgi_from[intid])
        return intid;
    return intid | (uint32_t)__builtin_ctz(c->sgi_from[intid]) << 10;
}

/* What IAR and HPPIR, or AIAR and AHPPIR (@alias), may say of @b. */
static uint32_t shown(const struct gicv2_cpu *c, const struct gicv2_best *b, bool alias)
{
    if (b->intid == GIC_SPURIOUS || (alias && b->group == 0))
        return GIC_SPURIOUS;
    if (!alias && b->group == 1 && !(c->ctlr & CTLR_ACKCTL))
        return GICV2_GROUP1_MASKED;
    return with_source(c, b->intid);
}

static void activate(struct gicv2 *g, unsigned cpu, unsigned intid)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    uint32_t bit = 1u << intid % 32;

    if (intid < GIC_SGIS) {
        c->sgi_from[intid] &= (uint8_t)(c->sgi_from[intid] - 1);
        c->latched = c->sgi_from[intid] ? c->latched : c->latched & ~bit;
        c->active |= bit;
    } else if (intid < GIC_PRIVATE) {
        c->latched &= ~bit;
        c->active |= bit;
    } else {
        g->latched[intid / 32] &= ~bit;
        g->active[intid / 32] |= bit;
    }
}

static uint32_t acknowledge(struct gicv2 *g, unsigned cpu, bool alias)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    struct gicv2_best b = gicv2_find_best(g, cpu);
    unsigned mask = gicv2_group_mask(c, b.group), level;
    uint32_t id;

    if (b.prio >= c->pmr || (b.prio & mask) >= gicv2_running(c))
        return GIC_SPURIOUS;
    id = shown(c, &b, alias);
    if (id == GIC_SPURIOUS || id == GICV2_GROUP1_MASKED)
        return id;
    level = (b.prio & mask) >> 1;
    c->ap[b.group][level / 32] |= 1u << level % 32;
    activate(g, cpu, b.intid);
    gicv2_update(g);
    return id;
}

static void drop_priority(struct gicv2_cpu *c)
{
    for (unsigned w = 0; w < 4; w++) {
        uint32_t all = c->ap[0][w] | c->ap[1][w], bit = all & -all;

        if (!all)
            continue;
        c->ap[c->ap[0][w] & bit ? 0 : 1][w] &= ~bit;
        return;
    }
}

static void end_of_interrupt(struct gicv2 *g, unsigned cpu, uint32_t v)
{
    unsigned intid = v & 0x3ff;

    if (intid >= g->n_irqs) /* spurious ones are ended by careless software */
        return;
    drop_priority(&g->cpu[cpu]);
    if (!(g->cpu[cpu].ctlr & CTLR_EOIMODE))
        gicv2_deactivate(g, cpu, intid);
}

static uint32_t read_running(const struct gicv2_cpu *c)
{
    unsigned r = gicv2_running(c);

    return r == GICV2_IDLE ? 0xff : r;
}

static uint32_t read_reg(struct gicv2 *g, unsigned cpu, paddr off, bool debug)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    struct gicv2_best b;

    switch (off) {
    case GICC_CTLR: return c->ctlr;
    case GICC_PMR: return c->pmr;
    case GICC_BPR: return c->bpr;
    case GICC_IAR:
    case GICC_AIAR:
        if (!debug)
            return acknowledge(g, cpu, off == GICC_AIAR);
        __attribute__((fallthrough)); /* a debugger is shown what is pending */
    case GICC_HPPIR:
    case GICC_AHPPIR:
        b = gicv2_find_best(g, cpu);
        return shown(c, &b, off == GICC_AHPPIR || off == GICC_AIAR);
    case GICC_RPR: return read_running(c);
    case GICC_ABPR: return c->abpr;
    case GICC_IIDR: return 0x0202143b;
    }
    if (off >= GICC_APR && off < GICC_NSAPR + 16)
        return c->ap[off >= GICC_NSAPR][off / 4 % 4];
    return 0;
}

static uint64_t cpu_read(void *opaque, paddr off, struct access a)
{
    struct gicv2 *g = opaque;
    uint32_t v;

    pthread_mutex_lock(&g->lock);
    v = read_reg(g, gicv2_who(g, a), off, a.debug);
    pthread_mutex_unlock(&g->lock);
    return v;
}

static void write_reg(struct gicv2 *g, unsigned cpu, paddr off, uint32_t v)
{
    struct gicv2_cpu *c = &g->cpu[cpu];

    switch (off) {
    case GICC_CTLR: c->ctlr = v & GICC_CTLR_MASK; break;
    case GICC_PMR: c->pmr = (uint8_t)v; break;
    case GICC_BPR: c->bpr = v & 7; break;
    case GICC_ABPR: c->abpr = (v & 7) ? v & 7 : 1; break;
    case GICC_EOIR:
    case GICC_AEOIR: end_of_interrupt(g, cpu, v); break;
    case GICC_DIR:
        if (c->ctlr & CTLR_EOIMODE)
            gicv2_deactivate(g, cpu, v & 0x3ff);
        else
            guest_error(&g->dev, "GICC_DIR is written while EOImode is 0");
        break;
    }
    if (off >= GICC_APR && off < GICC_NSAPR + 16)
        c->ap[off >= GICC_NSAPR][off / 4 % 4] = v;
}

static void cpu_write(void *opaque, paddr off, uint64_t value, struct access a)
{
    struct gicv2 *g = opaque;

    pthread_mutex_lock(&g->lock);
    write_reg(g, gicv2_who(g, a), off, (uint32_t)value);
    gicv2_update(g);
    pthread_mutex_unlock(&g->lock);
}

const struct mmio_ops gicv2_cpu_ops = {.read = cpu_read, .write = cpu_write, .min = 4, .max = 4};
