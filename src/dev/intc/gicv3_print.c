/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A GICv3 as monitors show it: what gic_print asks for. */
#include "dev/intc/gicv3_priv.h"

#include <stdio.h>
#include <string.h>

static const struct gicv3 *of(const struct dev *d)
{
    return (const struct gicv3 *)d;
}

static void interface(const struct dev *d, unsigned cpu, FILE *f)
{
    const struct gicv3 *g = of(d);
    const struct gicv3_cpu *c = &g->cpu[cpu];

    fprintf(f, "pmr=%02x bpr=%u,%u igrpen=%u,%u running=%02x pending=%u lpis=%u\n", c->pmr, c->bpr[0], c->bpr[1], c->igrpen[0],
            c->igrpen[1], gicv3_running(c) > 0xff ? 0xff : gicv3_running(c), c->best.intid, c->lpi_count);
}

static void target(const struct dev *d, unsigned intid, char to[16])
{
    const struct gicv3 *g = of(d);

    if (g->target[intid] < g->n_cpus)
        snprintf(to, 16, "cpu%u", g->target[intid]);
    else
        snprintf(to, 16, "none");
}

static struct gic_bank bank(const struct dev *d, int cpu)
{
    const struct gicv3 *g = of(d);
    const struct gicv3_cpu *c = &g->cpu[cpu < 0 ? 0 : cpu];

    if (cpu < 0)
        return (struct gic_bank){g->group, g->enabled, g->latched, g->active, g->level, g->edge, g->prio};
    return (struct gic_bank){&c->group, &c->enabled, &c->latched, &c->active, &c->level, &c->edge, c->prio};
}

static void print(struct dev *d, FILE *f)
{
    struct gicv3 *g = gicv3_of(d);

    pthread_mutex_lock(&g->lock);
    gic_print(d, &(struct gic_view){.ctlr = g->ctlr, .n_cpus = (unsigned)g->n_cpus, .n_irqs = (unsigned)g->n_irqs, .interface = interface,
                                    .target = target, .bank = bank}, f);
    pthread_mutex_unlock(&g->lock);
}

static unsigned counts(struct dev *d, uint64_t count[DEV_INPUTS])
{
    struct gicv3 *g = gicv3_of(d);

    pthread_mutex_lock(&g->lock);
    memcpy(count, g->rises, sizeof(g->rises));
    pthread_mutex_unlock(&g->lock);
    return DEV_INPUTS;
}

const struct dev_controller gicv3_controller = {.print = print, .counts = counts};
