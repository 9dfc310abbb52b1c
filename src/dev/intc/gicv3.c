/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "arm-gicv3": a generic interrupt controller version 3 for up to 512 CPUs, affinity routing only, one security state
 * (Arm IHI 0069; identity of a GIC-500, DDI 0516).  This file is the device and its decisions: what is pending, what is
 * signalled.  Registers: gicv3_dist.c, gicv3_redist.c, gicv3_icc.c (CPU interface), gicv3_ich.c (its virtual one);
 * message-signalled interrupts: gicv3_lpi.c, gicv3_its.c.
 */
#include "dev/intc/gicv3_priv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* --- what is pending ---------------------------------------------------------------------------*/

static bool group_enabled(const struct gicv3_cpu *c, unsigned group)
{
    return (c->gic->ctlr >> group & 1) && c->igrpen[group];
}

static void consider(struct gicv3_best *b, uint32_t intid, unsigned prio, unsigned group)
{
    if (prio < b->prio)
        *b = (struct gicv3_best){.intid = intid, .prio = prio, .group = group};
}

static void consider_spis(const struct gicv3_cpu *c, const bool on[2], struct gicv3_best *b)
{
    const struct gicv3 *g = c->gic;

    for (unsigned w = 1; w < g->n_irqs / 32; w++) {
        uint32_t ready =
            (g->latched[w] | (g->level[w] & ~g->edge[w])) & g->enabled[w] & ~g->active[w];

        for (; ready; ready &= ready - 1) {
            unsigned bit = (unsigned)__builtin_ctz(ready), i = w * 32 + bit;
            unsigned group = g->group[w] >> bit & 1;

            if (g->target[i] == c->index && on[group])
                consider(b, i, g->prio[i], group);
        }
    }
}

/* GICR_WAKER does not hold interrupts back: a CPU here never loses power behind its redistributor. */
static struct gicv3_best find_best(const struct gicv3_cpu *c)
{
    struct gicv3_best b = {.intid = GIC_SPURIOUS, .prio = GICV3_IDLE};
    bool on[2] = {group_enabled(c, 0), group_enabled(c, 1)};
    uint32_t ready = (c->latched | (c->level & ~c->edge)) & c->enabled & ~c->active;

    if (!on[0] && !on[1])
        return b;
    for (; ready; ready &= ready - 1) {
        unsigned i = (unsigned)__builtin_ctz(ready), group = c->group >> i & 1;

        if (on[group])
            consider(&b, i, c->prio[i], group);
    }
    consider_spis(c, on, &b);
    if (on[1])
        consider(&b, c->lpi_best.intid, c->lpi_best.prio, 1);
    return b;
}

unsigned gicv3_running(const struct gicv3_cpu *c)
{
    uint32_t all = c->ap[0] | c->ap[1];

    return all ? (unsigned)__builtin_ctz(all) << 3 : GICV3_IDLE;
}

/* --- outputs -----------------------------------------------------------------------------------*/

bool gicv3_signals(const struct gicv3_cpu *c)
{
    const struct gicv3_best *b = &c->best;

    return b->prio < c->pmr && (b->prio & gicv3_group_mask(c, b->group)) < gicv3_running(c);
}

/* With one security state Group 0 is FIQ and Group 1 is IRQ (IHI 0069 section 4.6). */
void gicv3_signal(struct gicv3_cpu *c)
{
    bool up = gicv3_signals(c);

    irq_set(&c->out[GIC_FIQ], up && c->best.group == 0);
    irq_set(&c->out[GIC_IRQ], up && c->best.group == 1);
}

static void update_virtual(struct gicv3_cpu *c)
{
    const struct gic_virt *v = &c->virt;
    int lr = virt_best(v);
    bool up = virt_signals(v, lr);
    uint32_t maintenance = 1u << GIC_PPI_MAINTENANCE;

    irq_set(&c->out[GIC_VFIQ], up && LR_GROUP(v->lr[lr]) == 0);
    irq_set(&c->out[GIC_VIRQ], up && LR_GROUP(v->lr[lr]) == 1);
    if ((v->hcr & VHCR_EN) && virt_misr(v))
        c->level |= maintenance;
    else
        c->level &= ~maintenance;
}

void gicv3_update_cpu(struct gicv3_cpu *c)
{
    update_virtual(c);
    c->best = find_best(c);
    gicv3_signal(c);
}

void gicv3_update_all(struct gicv3 *g)
{
    for (unsigned i = 0; i < g->n_cpus; i++)
        gicv3_update_cpu(&g->cpu[i]);
}

void gicv3_update_spis(struct gicv3 *g, unsigned w, uint32_t bits)
{
    uint32_t last = g->n_cpus;

    for (; bits; bits &= bits - 1) {
        uint32_t cpu = g->target[w * 32 + (unsigned)__builtin_ctz(bits)];

        if (cpu != last && cpu < g->n_cpus)
            gicv3_update_cpu(&g->cpu[cpu]);
        last = cpu;
    }
}

void gicv3_deactivate(struct gicv3_cpu *c, uint32_t intid)
{
    struct gicv3 *g = c->gic;

    if (intid < GIC_PRIVATE) {
        c->active &= ~(1u << intid);
        gicv3_update_cpu(c);
    } else if (intid < g->n_irqs) {
        g->active[intid / 32] &= ~(1u << intid % 32);
        gicv3_update_spis(g, intid / 32, 1u << intid % 32);
    }
}

/* --- routing -----------------------------------------------------------------------------------*/

uint32_t gicv3_cpu_by_affinity(const struct gicv3 *g, uint64_t affinity)
{
    uint64_t cpu = (affinity >> 8 & 0xff) * 16 + (affinity & 0xff);

    if ((affinity & 0xff) > 15 || affinity & ~UINT64_C(0xffff) || cpu >= g->n_cpus)
        return g->n_cpus;
    return (uint32_t)cpu;
}

/* 1 of N is not there (GICD_TYPER.No1N): the mode bit reads as zero. */
void gicv3_set_router(struct gicv3 *g, unsigned intid, uint64_t v)
{
    g->router[intid] = v & UINT64_C(0xff00ffffff);
    g->target[intid] = gicv3_cpu_by_affinity(g, g->router[intid]);
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
    struct gicv3 *g = opaque;
    unsigned w = (unsigned)n / 32;
    uint32_t bit = 1u << n % 32;

    if ((unsigned)n >= g->n_irqs || n < GIC_PRIVATE)
        bug("arm-gicv3: SPI with INTID %d of %u", n, (unsigned)g->n_irqs);
    pthread_mutex_lock(&g->lock);
    g->rises[n] += on && !(g->level[w] >> n % 32 & 1);
    set_input(&g->level[w], &g->latched[w], g->edge[w], bit, on);
    gicv3_update_spis(g, w, bit);
    pthread_mutex_unlock(&g->lock);
}

static void ppi(void *opaque, int n, bool on)
{
    struct gicv3 *g = opaque;
    unsigned cpu = (unsigned)n >> 5;
    struct gicv3_cpu *c;

    if (cpu >= g->n_cpus)
        bug("arm-gicv3: PPI of CPU %u of %u", cpu, g->n_cpus);
    c = &g->cpu[cpu];
    pthread_mutex_lock(&g->lock);
    g->rises[n % 32] += on && !(c->level >> n % 32 & 1);
    set_input(&c->level, &c->latched, c->edge, 1u << n % 32, on);
    gicv3_update_cpu(c);
    pthread_mutex_unlock(&g->lock);
}

static struct irq_line *output(struct dev *d, unsigned cpu, enum gic_output o)
{
    return &gicv3_of(d)->cpu[cpu].out[o];
}

static struct mem *regs(struct dev *d, enum gic_frame f, unsigned n)
{
    struct gicv3 *g = gicv3_of(d);

    if (f == GIC_DIST)
        return &d->mmio;
    return f == GIC_REDIST && n < 2 && g->redist[n].size ? &g->redist[n] : NULL;
}

static const struct gic_type gicv3_type = {.regs = regs, .spi = spi, .ppi = ppi, .output = output};

/* --- the device --------------------------------------------------------------------------------*/

static int check_props(const struct gicv3 *g, struct err *e)
{
    if (g->n_cpus_prop < 1 || g->n_cpus_prop > GICV3_CPUS)
        return err_set(e, -EINVAL, "num-cpu=%" PRIu64 ": want 1 to %d", g->n_cpus_prop, GICV3_CPUS);
    if (g->n_irqs < 2 * GIC_PRIVATE || g->n_irqs > GIC_MAX_IRQ || g->n_irqs % 32)
        return err_set(e, -EINVAL, "num-irq=%" PRIu64 ": want a multiple of 32 from 64 to 992",
                       g->n_irqs);
    if (g->has_security)
        return err_set(e, -ENOTSUP, "has-security-extensions=on: not available in a GICv3");
    return 0;
}

static int make_cpus(struct gicv3 *g, struct err *e)
{
    g->cpu = calloc(g->n_cpus, sizeof(*g->cpu));
    if (!g->cpu)
        return err_set(e, -ENOMEM, "no memory for %u CPUs", g->n_cpus);
    for (uint32_t i = 0; i < g->n_cpus; i++) {
        struct gicv3_cpu *c = &g->cpu[i];

        c->gic = g;
        c->index = i;
        c->lpi_bytes = g->has_lpi ? GICV3_LPI_BYTES : 0;
        c->lpi_pending = calloc(1, c->lpi_bytes + 8);
        if (!c->lpi_pending)
            return err_set(e, -ENOMEM, "no memory for %u CPUs", g->n_cpus);
    }
    g->lpi_conf_bytes = g->has_lpi ? GICV3_LPIS : 0;
    g->lpi_conf = calloc(1, g->lpi_conf_bytes + 1);
    return g->lpi_conf ? 0 : err_set(e, -ENOMEM, "no memory for LPIs");
}

static void free_cpus(struct gicv3 *g)
{
    for (uint32_t i = 0; g->cpu && i < g->n_cpus; i++)
        free(g->cpu[i].lpi_pending);
    free(g->cpu);
    free(g->lpi_conf);
}

static int init(struct dev *d, struct err *e)
{
    struct gicv3 *g = gicv3_of(d);
    uint64_t first;
    int r = check_props(g, e);

    if (r < 0)
        return r;
    g->n_cpus = (uint32_t)g->n_cpus_prop;
    if ((r = make_cpus(g, e)) < 0) {
        free_cpus(g);
        return r;
    }
    pthread_mutex_init(&g->lock, NULL);
    first = g->first_region && g->first_region < g->n_cpus ? g->first_region : g->n_cpus;
    g->first_region = first;
    mem_init_mmio(&d->mmio, "gicv3_dist", 0x10000, &gicv3_dist_ops, g);
    mem_init_mmio(&g->redist[0], "gicv3_redist_region[0]", first * GICR_SIZE, &gicv3_redist_ops[0],
                  g);
    if (first < g->n_cpus)
        mem_init_mmio(&g->redist[1], "gicv3_redist_region[1]", (g->n_cpus - first) * GICR_SIZE,
                      &gicv3_redist_ops[1], g);
    return 0;
}

static void reset_cpu(struct gicv3_cpu *c)
{
    c->ctlr = 0;
    c->waker = 6; /* asleep, and so its children */
    c->propbaser = c->pendbaser = 0;
    c->group = c->enabled = c->latched = c->active = 0;
    c->edge = 0xffff; /* SGIs are edges */
    memset(c->prio, 0, sizeof(c->prio));
    memset(c->lpi_pending, 0, c->lpi_bytes);
    gicv3_lpi_find(c);
    c->icc_ctlr = c->pmr = 0;
    c->bpr[0] = GICV3_MIN_BPR0;
    c->bpr[1] = GICV3_MIN_BPR1;
    c->igrpen[0] = c->igrpen[1] = 0;
    c->ap[0] = c->ap[1] = 0;
    virt_reset(&c->virt);
    virt_set_vmcr(&c->virt, VMCR_FIQEN);
}

/* Levels of inputs are what drives them: a reset does not change them. */
static void reset(struct dev *d)
{
    struct gicv3 *g = gicv3_of(d);

    pthread_mutex_lock(&g->lock);
    g->ctlr = 0;
    memset(g->group, 0, sizeof(g->group));
    memset(g->enabled, 0, sizeof(g->enabled));
    memset(g->latched, 0, sizeof(g->latched));
    memset(g->active, 0, sizeof(g->active));
    memset(g->edge, 0, sizeof(g->edge));
    memset(g->prio, 0, sizeof(g->prio));
    for (unsigned i = GIC_PRIVATE; i < g->n_irqs; i++)
        gicv3_set_router(g, i, 0);
    for (unsigned i = 0; i < g->n_cpus; i++)
        reset_cpu(&g->cpu[i]);
    gicv3_update_all(g);
    pthread_mutex_unlock(&g->lock);
}

static void fini(struct dev *d)
{
    struct gicv3 *g = gicv3_of(d);

    pthread_mutex_destroy(&g->lock);
    free_cpus(g);
}

static uint8_t at_least(uint8_t v, uint8_t least)
{
    v &= 7;
    return v < least ? least : v;
}

/* Bits that no write can set are dropped; then everything derived follows. */
static void check_cpu(struct gicv3_cpu *c)
{
    c->ctlr &= c->gic->has_lpi;
    c->waker &= 6;
    c->edge |= 0xffff;
    for (unsigned i = 0; i < GIC_PRIVATE; i++)
        c->prio[i] &= GICV3_PRIO_MASK;
    c->icc_ctlr &= ICC_CTLR_CBPR | ICC_CTLR_EOIMODE | ICC_CTLR_PMHE;
    c->pmr &= GICV3_PRIO_MASK;
    c->bpr[0] = at_least(c->bpr[0], GICV3_MIN_BPR0);
    c->bpr[1] = at_least(c->bpr[1], GICV3_MIN_BPR1);
    c->igrpen[0] &= 1;
    c->igrpen[1] &= 1;
    virt_set_vmcr(&c->virt, c->virt.vmcr | VMCR_FIQEN);
    gicv3_lpi_find(c);
}

static int loaded(struct dev *d, int version, struct err *e)
{
    struct gicv3 *g = gicv3_of(d);

    (void)version;
    (void)e;
    pthread_mutex_lock(&g->lock);
    g->ctlr &= 3;
    for (unsigned i = GIC_PRIVATE; i < g->n_irqs; i++) {
        g->prio[i] &= GICV3_PRIO_MASK;
        gicv3_set_router(g, i, g->router[i]);
    }
    for (unsigned i = 0; i < g->n_cpus; i++)
        check_cpu(&g->cpu[i]);
    gicv3_update_all(g);
    pthread_mutex_unlock(&g->lock);
    return 0;
}

static const struct field props[] = {
    FIELD(gicv3, n_cpus_prop, F_U64, "num-cpu", "1", "CPUs, 1 to 512"),
    FIELD(gicv3, n_irqs, F_U64, "num-irq", "288", "interrupts, the 32 private ones included"),
    FIELD(gicv3, first_region, F_U64, "redist-region-0", "0",
          "CPUs in the first region of redistributors; 0: all"),
    FIELD(gicv3, has_lpi, F_BOOL, "has-lpi", "off", "message-signalled interrupts (for an ITS)"),
    FIELD(gicv3, has_security, F_BOOL, "has-security-extensions", "off", "secure interrupts"),
    FIELD_END,
};

static const struct state cpu_state[] = {
    STATE(gicv3_cpu, ctlr, S_U32, 1, "GICR_CTLR"),
    STATE(gicv3_cpu, waker, S_U32, 1, NULL),
    STATE(gicv3_cpu, propbaser, S_U64, 1, NULL),
    STATE(gicv3_cpu, pendbaser, S_U64, 1, NULL),
    STATE(gicv3_cpu, group, S_U32, 1, "private interrupts, a bit each, as the next ones"),
    STATE(gicv3_cpu, enabled, S_U32, 1, NULL),
    STATE(gicv3_cpu, latched, S_U32, 1, NULL),
    STATE(gicv3_cpu, active, S_U32, 1, NULL),
    STATE(gicv3_cpu, level, S_U32, 1, NULL),
    STATE(gicv3_cpu, edge, S_U32, 1, NULL),
    STATE(gicv3_cpu, prio, S_U8, 1, NULL),
    STATE_BYTES(gicv3_cpu, lpi_pending, lpi_bytes, GICV3_LPI_BYTES, 1, "a bit for each LPI"),
    STATE(gicv3_cpu, icc_ctlr, S_U8, 1, NULL),
    STATE(gicv3_cpu, pmr, S_U8, 1, NULL),
    STATE(gicv3_cpu, bpr, S_U8, 1, NULL),
    STATE(gicv3_cpu, igrpen, S_U8, 1, NULL),
    STATE(gicv3_cpu, ap, S_U32, 1, NULL),
    {.name = "virt",
     .kind = S_STRUCT,
     .offset = offsetof(struct gicv3_cpu, virt),
     .n = 1,
     .elem = sizeof(struct gic_virt),
     .since = 1,
     .table = gic_virt_state},
    STATE_END,
};

static const struct state state[] = {
    STATE(gicv3, ctlr, S_U32, 1, "GICD_CTLR"),
    STATE(gicv3, group, S_U32, 1, "SPIs, a bit each, as the next ones"),
    STATE(gicv3, enabled, S_U32, 1, NULL),
    STATE(gicv3, latched, S_U32, 1, NULL),
    STATE(gicv3, active, S_U32, 1, NULL),
    STATE(gicv3, level, S_U32, 1, NULL),
    STATE(gicv3, edge, S_U32, 1, NULL),
    STATE(gicv3, prio, S_U8, 1, NULL),
    STATE(gicv3, router, S_U64, 1, "GICD_IROUTER<n>"),
    STATE_BYTES(gicv3, lpi_conf, lpi_conf_bytes, GICV3_LPIS, 1, "configuration of pending LPIs"),
    STATE_STRUCTS_PTR(gicv3, cpu, n_cpus, GICV3_CPUS, cpu_state, 1, NULL),
    STATE_END,
};

const struct dev_type dev_gicv3 = {
    .name = "arm-gicv3",
    .help = "Arm generic interrupt controller, version 3",
    .class = DEV_BOARD,
    .size = sizeof(struct gicv3),
    .props = props,
    .state = state,
    .state_version = 1,
    .init = init,
    .reset = reset,
    .fini = fini,
    .loaded = loaded,
    .controller = &gicv3_controller,
    .class_ops = &gicv3_type,
};
