/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A GICv3 as monitors show it. */
#include "dev/intc/gicv3_priv.h"

#include <stdio.h>
#include <string.h>

static void print_target(const struct gicv3 *g, unsigned intid, char to[16])
{
    if (g->target[intid] < g->n_cpus)
        snprintf(to, 16, "cpu%u", g->target[intid]);
    else
        snprintf(to, 16, "none");
}

static void print_cpu(const struct gicv3 *g, unsigned n, FILE *f)
{
    const struct gicv3_cpu *c = &g->cpu[n];
    char to[16];

    snprintf(to, sizeof(to), "cpu%u", n);
    fprintf(f, "%s: pmr=%02x bpr=%u,%u igrpen=%u,%u running=%02x pending=%u lpis=%u\n", to, c->pmr, c->bpr[0], c->bpr[1],
            c->igrpen[0], c->igrpen[1], gicv3_running(c) > 0xff ? 0xff : gicv3_running(c), c->best.intid, c->lpi_count);
    for (unsigned i = 0; i < GIC_PRIVATE; i++)
        gic_print_row(f, &(struct gic_row){.to = to, .intid = i, .prio = c->prio[i], .enabled = c->enabled >> i & 1,
                                           .pending = (c->latched | (c->level & ~c->edge)) >> i & 1, .active = c->active >> i & 1,
                                           .edge = c->edge >> i & 1, .group = c->group >> i & 1});
}

static unsigned counts(struct dev *d, uint64_t count[DEV_INPUTS])
{
    struct gicv3 *g = gicv3_of(d);

    pthread_mutex_lock(&g->lock);
    memcpy(count, g->rises, sizeof(g->rises));
    pthread_mutex_unlock(&g->lock);
    return DEV_INPUTS;
}

static void print_spis(const struct gicv3 *g, FILE *f)
{
    for (unsigned i = GIC_PRIVATE; i < g->n_irqs; i++) {
        unsigned w = i / 32, bit = i % 32;
        char to[16];

        print_target(g, i, to);
        gic_print_row(f, &(struct gic_row){.to = to, .intid = i, .prio = g->prio[i],
                                           .enabled = g->enabled[w] >> bit & 1,
                                           .pending = (g->latched[w] | (g->level[w] & ~g->edge[w])) >> bit & 1,
                                           .active = g->active[w] >> bit & 1, .edge = g->edge[w] >> bit & 1,
                                           .group = g->group[w] >> bit & 1});
    }
}

static void print(struct dev *d, FILE *f)
{
    struct gicv3 *g = gicv3_of(d);

    pthread_mutex_lock(&g->lock);
    fprintf(f, "%s: ctlr=%08x cpus=%u irqs=%u\n", d->type->name, g->ctlr, (unsigned)g->n_cpus, (unsigned)g->n_irqs);
    for (unsigned i = 0; i < g->n_cpus; i++)
        print_cpu(g, i, f);
    print_spis(g, f);
    pthread_mutex_unlock(&g->lock);
}

const struct dev_controller gicv3_controller = {.print = print, .counts = counts};
