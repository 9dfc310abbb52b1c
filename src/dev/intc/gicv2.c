/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "arm-gic": a generic interrupt controller version 2 for up to eight CPUs, with the identity of a GIC-400
 * (Arm IHI 0048B.b; DDI 0471 for what is implementation defined).  This file is the device and its decisions: what is
 * pending, what is signalled.  Registers: gicv2_dist.c, gicv2_cpu.c.
 */
#include "dev/intc/gicv2_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

/* --- what is pending ---------------------------------------------------------------------------*/

static uint32_t private_pending(const struct gicv2_cpu *c)
{
    return c->latched | (c->level & ~c->edge);
}

static bool group_enabled(const struct gicv2 *g, const struct gicv2_cpu *c, unsigned group)
{
    return g->ctlr >> group & c->ctlr >> group & 1;
}

static void consider(struct gicv2_best *b, unsigned intid, unsigned prio, unsigned group)
{
    if (prio < b->prio)
        *b = (struct gicv2_best){.intid = intid, .prio = prio, .group = group};
}

struct gicv2_best gicv2_find_best(const struct gicv2 *g, unsigned cpu)
{
    const struct gicv2_cpu *c = &g->cpu[cpu];
    struct gicv2_best b = {.intid = GIC_SPURIOUS, .prio = GICV2_IDLE};
    bool on[2] = {group_enabled(g, c, 0), group_enabled(g, c, 1)};
    uint32_t ready;

    if (!on[0] && !on[1])
        return b;
    for (ready = private_pending(c) & c->enabled & ~c->active; ready; ready &= ready - 1) {
        unsigned i = (unsigned)__builtin_ctz(ready), group = c->group >> i & 1;

        if (on[group])
            consider(&b, i, c->prio[i], group);
    }
    for (unsigned w = 1; w < g->n_irqs / 32; w++) {
        ready = (g->latched[w] | (g->level[w] & ~g->edge[w])) & g->enabled[w] & ~g->active[w];
        for (; ready; ready &= ready - 1) {
            unsigned bit = (unsigned)__builtin_ctz(ready), i = w * 32 + bit;
            unsigned group = g->group[w] >> bit & 1;

            if ((g->target[i] >> cpu & 1) && on[group])
                consider(&b, i, g->prio[i], group);
        }
    }
    return b;
}

unsigned gicv2_running(const struct gicv2_cpu *c)
{
    for (unsigned w = 0; w < 4; w++) {
        uint32_t all = c->ap[0][w] | c->ap[1][w];

        if (all)
            return (w * 32 + (unsigned)__builtin_ctz(all)) << 1;
    }
    return GICV2_IDLE;
}

/* --- outputs -----------------------------------------------------------------------------------*/

static void update_physical(struct gicv2 *g, unsigned cpu)
{
    struct gicv2_cpu *c = &g->cpu[cpu];
    struct gicv2_best b = gicv2_find_best(g, cpu);
    bool up = b.intid != GIC_SPURIOUS && b.prio < c->pmr &&
              (b.prio & gicv2_group_mask(c, b.group)) < gicv2_running(c);
    bool fiq = up && b.group == 0 && (c->ctlr & CTLR_FIQEN);

    irq_set(&c->out[GIC_FIQ], fiq);
    irq_set(&c->out[GIC_IRQ], up && !fiq);
}

static void update_virtual(struct gicv2_cpu *c)
{
    const struct gic_virt *v = &c->virt;
    int lr = virt_best(v);
    bool up = virt_signals(v, lr);
    bool fiq = up && LR_GROUP(v->lr[lr]) == 0 && (v->vmcr & VMCR_FIQEN);
    uint32_t maintenance = 1u << GIC_PPI_MAINTENANCE;

    irq_set(&c->out[GIC_VFIQ], fiq);
    irq_set(&c->out[GIC_VIRQ], up && !fiq);
    c->level &= ~maintenance;
    if ((v->hcr & VHCR_EN) && virt_misr(v))
        c->level |= maintenance;
}

void gicv2_update_cpu(struct gicv2 *g, unsigned cpu)
{
    if (g->has_virt)
        update_virtual(&g->cpu[cpu]);
    update_physical(g, cpu);
}

void gicv2_update(struct gicv2 *g)
{
    for (unsigned i = 0; i < g->n_cpus; i++)
        gicv2_update_cpu(g, i);
}

void gicv2_deactivate(struct gicv2 *g, unsigned cpu, unsigned intid)
{
    if (intid < GIC_PRIVATE)
        g->cpu[cpu].active &= ~(1u << intid);
    else if (intid < g->n_irqs)
        g->active[intid / 32] &= ~(1u << intid % 32);
}

/* --- inputs ------------------------------------------------------------------------------------*/

static void set_input(uint32_t *level, uint32_t *latched, uint32_t edge, uint32_t bit, bool on)
{
    if (on && !(*level & bit) && (edge & bit))
        *latched |= bit;
    *level = on ? *level | bit : *level & ~bit;
}

static void spi(void *opaque, int n, bool on)
{
    struct gicv2 *g = opaque;
    unsigned w = (unsigned)n / 32;

    if ((unsigned)n >= g->n_irqs || n < GIC_PRIVATE)
        bug("arm-gic: SPI with INTID %d of %u", n, (unsigned)g->n_irqs);
    pthread_mutex_lock(&g->lock);
    g->rises[n] += on && !(g->level[w] >> n % 32 & 1);
    set_input(&g->level[w], &g->latched[w], g->edge[w], 1u << n % 32, on);
    gicv2_update(g);
    pthread_mutex_unlock(&g->lock);
}

static void ppi(void *opaque, int n, bool on)
{
    struct gicv2 *g = opaque;
    unsigned cpu = (unsigned)n >> 5;
    struct gicv2_cpu *c = &g->cpu[cpu];

    if (cpu >= g->n_cpus)
        bug("arm-gic: PPI of CPU %u of %u", cpu, (unsigned)g->n_cpus);
    pthread_mutex_lock(&g->lock);
    g->rises[n % 32] += on && !(c->level >> n % 32 & 1);
    set_input(&c->level, &c->latched, c->edge, 1u << n % 32, on);
    gicv2_update_cpu(g, cpu);
    pthread_mutex_unlock(&g->lock);
}

static struct irq_line *output(struct dev *d, unsigned cpu, enum gic_output o)
{
    return &gicv2_of(d)->cpu[cpu].out[o];
}

static struct mem *regs(struct dev *d, enum gic_frame f, unsigned n)
{
    struct gicv2 *g = gicv2_of(d);

    switch (f) {
    case GIC_DIST: return &d->mmio;
    case GIC_CPU_IF: return &g->cpu_if;
    case GIC_HYP: return g->has_virt ? &g->hyp : NULL;
    case GIC_VCPU: return g->has_virt ? &g->vcpu : NULL;
    case GIC_REDIST: break;
    }
    return NULL;
}

static const struct gic_type gicv2_type = {.regs = regs, .spi = spi, .ppi = ppi, .output = output};

/* --- the device --------------------------------------------------------------------------------*/

static int init(struct dev *d, struct err *e)
{
    struct gicv2 *g = gicv2_of(d);

    if (g->n_cpus < 1 || g->n_cpus > GICV2_CPUS)
        return err_set(e, -EINVAL, "num-cpu=%" PRIu64 ": a GICv2 has 1 to %d", g->n_cpus,
                       GICV2_CPUS);
    if (g->n_irqs < 2 * GIC_PRIVATE || g->n_irqs > GIC_MAX_IRQ || g->n_irqs % 32)
        return err_set(e, -EINVAL, "num-irq=%" PRIu64 ": want a multiple of 32 from 64 to 992",
                       g->n_irqs);
    if (g->has_security)
        return err_set(e, -ENOTSUP, "has-security-extensions=on: not available in a GICv2");
    pthread_mutex_init(&g->lock, NULL);
    mem_init_mmio(&d->mmio, "gic_dist", 0x1000, &gicv2_dist_ops, g);
    mem_init_mmio(&g->cpu_if, "gic_cpu", 0x2000, &gicv2_cpu_ops, g);
    mem_init_mmio(&g->hyp, "gic_viface", 0x2000, &gicv2_hyp_ops, g);
    mem_init_mmio(&g->vcpu, "gic_vcpu", 0x2000, &gicv2_vcpu_ops, g);
    return 0;
}

static void reset_cpu(struct gicv2_cpu *c)
{
    c->group = c->latched = c->active = 0;
    c->enabled = c->edge = 0xffff; /* SGIs are always enabled, and edges */
    memset(c->prio, 0, sizeof(c->prio));
    memset(c->sgi_from, 0, sizeof(c->sgi_from));
    memset(c->ap, 0, sizeof(c->ap));
    c->ctlr = 0;
    c->pmr = c->bpr = 0;
    c->abpr = 1;
    virt_reset(&c->virt);
}

/* Levels of inputs are what drives them: a reset does not change them. */
static void reset(struct dev *d)
{
    struct gicv2 *g = gicv2_of(d);

    pthread_mutex_lock(&g->lock);
    g->ctlr = 0;
    memset(g->group, 0, sizeof(g->group));
    memset(g->enabled, 0, sizeof(g->enabled));
    memset(g->latched, 0, sizeof(g->latched));
    memset(g->active, 0, sizeof(g->active));
    memset(g->edge, 0, sizeof(g->edge));
    memset(g->prio, 0, sizeof(g->prio));
    memset(g->target, g->n_cpus == 1, sizeof(g->target));
    for (unsigned i = 0; i < g->n_cpus; i++)
        reset_cpu(&g->cpu[i]);
    gicv2_update(g);
    pthread_mutex_unlock(&g->lock);
}

static void fini(struct dev *d)
{
    pthread_mutex_destroy(&gicv2_of(d)->lock);
}

/* Bits that no write can set are dropped; then everything derived follows. */
static int loaded(struct dev *d, int version, struct err *e)
{
    struct gicv2 *g = gicv2_of(d);
    uint8_t cpus = (uint8_t)((1u << g->n_cpus) - 1);

    (void)version;
    (void)e;
    pthread_mutex_lock(&g->lock);
    g->ctlr &= 3;
    for (unsigned i = 0; i < sizeof(g->target); i++)
        g->target[i] &= cpus;
    for (unsigned n = 0; n < g->n_cpus; n++) {
        struct gicv2_cpu *c = &g->cpu[n];

        c->ctlr &= GICC_CTLR_MASK;
        c->bpr &= 7;
        c->abpr = (c->abpr & 7) ? c->abpr & 7 : 1;
        c->enabled |= 0xffff;
        c->edge |= 0xffff;
        for (unsigned i = 0; i < GIC_SGIS; i++) {
            c->sgi_from[i] &= cpus;
            c->latched = (c->latched & ~(1u << i)) | (uint32_t)(c->sgi_from[i] != 0) << i;
        }
        virt_set_vmcr(&c->virt, c->virt.vmcr);
    }
    gicv2_update(g);
    pthread_mutex_unlock(&g->lock);
    return 0;
}

static const struct field props[] = {
    FIELD(gicv2, n_cpus, F_U64, "num-cpu", "1", "CPUs, 1 to 8"),
    FIELD(gicv2, n_irqs, F_U64, "num-irq", "288", "interrupts, the 32 private ones included"),
    FIELD(gicv2, has_virt, F_BOOL, "has-virtualization-extensions", "off",
          "frames for a hypervisor"),
    FIELD(gicv2, has_security, F_BOOL, "has-security-extensions", "off", "secure interrupts"),
    FIELD_END,
};

static const struct state cpu_state[] = {
    STATE(gicv2_cpu, group, S_U32, 1, "private interrupts, a bit each, as the next ones"),
    STATE(gicv2_cpu, enabled, S_U32, 1, NULL),
    STATE(gicv2_cpu, latched, S_U32, 1, NULL),
    STATE(gicv2_cpu, active, S_U32, 1, NULL),
    STATE(gicv2_cpu, level, S_U32, 1, NULL),
    STATE(gicv2_cpu, edge, S_U32, 1, NULL),
    STATE(gicv2_cpu, prio, S_U8, 1, NULL),
    STATE(gicv2_cpu, sgi_from, S_U8, 1, "CPUs whose SGI is pending, a bit each"),
    STATE(gicv2_cpu, ctlr, S_U32, 1, NULL),
    STATE(gicv2_cpu, pmr, S_U8, 1, NULL),
    STATE(gicv2_cpu, bpr, S_U8, 1, NULL),
    STATE(gicv2_cpu, abpr, S_U8, 1, NULL),
    STATE(gicv2_cpu, ap, S_U32, 1, NULL),
    {.name = "virt",
     .kind = S_STRUCT,
     .offset = offsetof(struct gicv2_cpu, virt),
     .n = 1,
     .elem = sizeof(struct gic_virt),
     .since = 1,
     .table = gic_virt_state},
    STATE_END,
};

static const struct state state[] = {
    STATE(gicv2, ctlr, S_U32, 1, NULL),
    STATE(gicv2, group, S_U32, 1, "SPIs, a bit each, as the next ones"),
    STATE(gicv2, enabled, S_U32, 1, NULL),
    STATE(gicv2, latched, S_U32, 1, NULL),
    STATE(gicv2, active, S_U32, 1, NULL),
    STATE(gicv2, level, S_U32, 1, NULL),
    STATE(gicv2, edge, S_U32, 1, NULL),
    STATE(gicv2, prio, S_U8, 1, NULL),
    STATE(gicv2, target, S_U8, 1, NULL),
    STATE_STRUCTS(gicv2, cpu, cpu_state, 1, NULL),
    STATE_END,
};

const struct dev_type dev_gicv2 = {
    .name = "arm-gic",
    .help = "Arm generic interrupt controller, version 2",
    .class = DEV_BOARD,
    .size = sizeof(struct gicv2),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
    .controller = &gicv2_controller,
    .class_ops = &gicv2_type,
};
