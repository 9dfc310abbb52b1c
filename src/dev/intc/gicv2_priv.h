/* SPDX-License-Identifier: GPL-2.0-or-later */
/* GICv2's state, for the files gicv2*.c.  Names of registers are Arm IHI 0048B.b's. */
#ifndef DEV_INTC_GICV2_PRIV_H
#define DEV_INTC_GICV2_PRIV_H

#include "dev/intc/gic.h"
#include "dev/intc/gic_virt.h"

#include <pthread.h>

enum { GICV2_CPUS = 8, GICV2_WORDS = 1024 / 32, GICV2_IDLE = 0x100, GICV2_GROUP1_MASKED = 1022 };

/* GICD_CTLR, GICC_CTLR */
enum {
    CTLR_ENABLE0 = 1,
    CTLR_ENABLE1 = 2,
    CTLR_ACKCTL = 4,
    CTLR_FIQEN = 8,
    CTLR_CBPR = 16,
    CTLR_EOIMODE = 1 << 9,
    GICC_CTLR_MASK = 0x7ff,
};

/* struct gicv2_cpu - what is banked: the private interrupts, and the CPU interface. */
struct gicv2_cpu {
    uint32_t group, enabled, latched, active, level, edge; /* SGIs and PPIs, a bit each */
    uint8_t prio[GIC_PRIVATE];
    uint8_t sgi_from[GIC_SGIS]; /* CPUs whose SGI is pending here, a bit each */
    uint32_t ctlr;
    uint8_t pmr, bpr, abpr;
    uint32_t ap[2][4]; /* active priorities by group, bit n: priority n << 1 */
    struct gic_virt virt;
    struct irq_line out[GIC_OUTPUTS]; /* computed */
};

struct gicv2 {
    struct dev dev;
    uint64_t n_cpus, n_irqs; /* properties; n_irqs counts from INTID 0 */
    bool has_virt, has_security;

    uint64_t rises[DEV_INPUTS]; /* of inputs by INTID, for monitors; [lock]; not saved */
    pthread_mutex_t lock; /* guards all below */
    uint32_t ctlr;
    /* SPIs, a bit each; word 0 is not used (struct gicv2_cpu has it) */
    uint32_t group[GICV2_WORDS], enabled[GICV2_WORDS], latched[GICV2_WORDS], active[GICV2_WORDS],
        level[GICV2_WORDS], edge[GICV2_WORDS];
    uint8_t prio[1024], target[1024];
    struct gicv2_cpu cpu[GICV2_CPUS];

    struct mem cpu_if, hyp, vcpu; /* dev.mmio is the distributor */
};

/* struct gicv2_best - the pending interrupt that a CPU would take. */
struct gicv2_best {
    unsigned intid, prio, group; /* intid GIC_SPURIOUS: none */
};

static inline struct gicv2 *gicv2_of(struct dev *d)
{
    return (struct gicv2 *)d;
}

/* The CPU that asks; others than CPUs see what CPU 0 sees. */
static inline unsigned gicv2_who(const struct gicv2 *g, struct access a)
{
    return bus_is_cpu(a.who) && a.who < g->n_cpus ? a.who : 0;
}

/* Which bits of a priority decide on preemption: Group 1 has a binary point of its own, one higher. */
static inline unsigned gicv2_group_mask(const struct gicv2_cpu *c, unsigned group)
{
    bool own = group && !(c->ctlr & CTLR_CBPR);

    return own ? 0xffu << c->abpr & 0xff : 0xffu << (c->bpr + 1) & 0xff;
}

struct gicv2_best gicv2_find_best(const struct gicv2 *g, unsigned cpu);
unsigned gicv2_running(const struct gicv2_cpu *c);
/** gicv2_update - compute the outputs of every CPU again. */
void gicv2_update(struct gicv2 *g);
void gicv2_update_cpu(struct gicv2 *g, unsigned cpu);
/** gicv2_deactivate - @intid, on @cpu where it is private. */
void gicv2_deactivate(struct gicv2 *g, unsigned cpu, unsigned intid);

extern const struct dev_controller gicv2_controller; /* gicv2_print.c */
extern const struct mmio_ops gicv2_dist_ops, gicv2_cpu_ops, gicv2_hyp_ops, gicv2_vcpu_ops;

#endif
