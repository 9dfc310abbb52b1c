/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A GICv2 as monitors show it: what gic_print asks for. */
#include "dev/intc/gicv2_priv.h"

#include <stdio.h>
#include <string.h>

static const struct gicv2 *of(const struct dev *d)
{
    return (const struct gicv2 *)d;
}

static void interface(const struct dev *d, unsigned cpu, FILE *f)
{
    const struct gicv2 *g = of(d);
    const struct gicv2_cpu *c = &g->cpu[cpu];
    struct gicv2_best b = gicv2_find_best(g, cpu);

    fprintf(f, "ctlr=%03x pmr=%02x bpr=%u,%u running=%02x pending=%u\n", c->ctlr, c->pmr, c->bpr, c->abpr,
            gicv2_running(c) > 0xff ? 0xff : gicv2_running(c), b.intid);
}

static void target(const struct dev *d, unsigned intid, char to[16])
{
    snprintf(to, 16, "cpus%02x", of(d)->target[intid]);
}

static struct gic_bank bank(const struct dev *d, int cpu)
{
    const struct gicv2 *g = of(d);
    const struct gicv2_cpu *c = &g->cpu[cpu < 0 ? 0 : cpu];

    if (cpu < 0)
        return (struct gic_bank){g->group, g->enabled, g->latched, g->active, g->level, g->edge, g->prio};
    return (struct gic_bank){&c->group, &c->enabled, &c->latched, &c->active, &c->level, &c->edge, c->prio};
}

static void print(struct dev *d, FILE *f)
{
    struct gicv2 *g = gicv2_of(d);

    pthread_mutex_lock(&g->lock);
    gic_print(d, &(struct gic_view){.ctlr = g->ctlr, .n_cpus = (unsigned)g->n_cpus, .n_irqs = (unsigned)g->n_irqs, .interface = interface,
                                    .target = target, .bank = bank}, f);
    pthread_mutex_unlock(&g->lock);
}

static unsigned counts(struct dev *d, uint64_t count[DEV_INPUTS])
{
    struct gicv2 *g = gicv2_of(d);

    pthread_mutex_lock(&g->lock);
    memcpy(count, g->rises, sizeof(g->rises));
    pthread_mutex_unlock(&g->lock);
    return DEV_INPUTS;
}

const struct dev_controller gicv2_controller = {.print = print, .counts = counts};
