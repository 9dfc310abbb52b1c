/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What boards ask of an Arm interrupt controller, whichever it is; contract: dev/intc/gic.h. */
#include "dev/intc/gic.h"

static const struct gic_type *type_of(const struct dev *gic)
{
    return gic->type->class_ops;
}

struct mem *gic_regs(struct dev *gic, enum gic_frame f, unsigned n)
{
    return type_of(gic)->regs(gic, f, n);
}

struct irq_in gic_spi(struct dev *gic, unsigned n)
{
    return (struct irq_in){.set = type_of(gic)->spi, .opaque = gic, .n = (int)(GIC_PRIVATE + n)};
}

struct irq_in gic_ppi(struct dev *gic, unsigned cpu, unsigned intid)
{
    return (struct irq_in){
        .set = type_of(gic)->ppi, .opaque = gic, .n = (int)(cpu << 5 | (intid & 31))};
}

struct irq_line *gic_output(struct dev *gic, unsigned cpu, enum gic_output o)
{
    return type_of(gic)->output(gic, cpu, o);
}

/* Interrupts from @from to @to of a bank; @name: where they go, or NULL: ask. */
static void print_bank(const struct dev *d, const struct gic_view *v, const struct gic_bank *b, unsigned from, unsigned to, const char *name,
                       FILE *f)
{
    for (unsigned i = from; i < to; i++) {
        unsigned w = i / 32, bit = 1u << i % 32;
        bool enabled = b->enabled[w] & bit, pending = (b->latched[w] | (b->level[w] & ~b->edge[w])) & bit, active = b->active[w] & bit;
        char target[16];

        if (!enabled && !pending && !active)
            continue;
        if (name)
            snprintf(target, sizeof(target), "%s", name);
        else
            v->target(d, i, target);
        fprintf(f, "  irq %-4u %-6s prio=%02x group=%d %-5s%s%s%s\n", i, target, b->prio[i], (b->group[w] & bit) != 0,
                b->edge[w] & bit ? "edge" : "level", enabled ? " enabled" : "", pending ? " pending" : "", active ? " active" : "");
    }
}

void gic_print(const struct dev *d, const struct gic_view *v, FILE *f)
{
    struct gic_bank b;
    char name[16];

    fprintf(f, "%s: ctlr=%08x cpus=%u irqs=%u\n", d->type->name, v->ctlr, v->n_cpus, v->n_irqs);
    for (unsigned i = 0; i < v->n_cpus; i++) {
        snprintf(name, sizeof(name), "cpu%u", i);
        fprintf(f, "%s: ", name);
        v->interface(d, i, f);
        b = v->bank(d, (int)i);
        print_bank(d, v, &b, 0, GIC_PRIVATE, name, f);
    }
    b = v->bank(d, -1);
    print_bank(d, v, &b, GIC_PRIVATE, v->n_irqs, NULL, f);
}
