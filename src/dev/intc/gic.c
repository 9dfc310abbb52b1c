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

void gic_print_row(FILE *f, const struct gic_row *r)
{
    if (!r->enabled && !r->pending && !r->active)
        return;
    fprintf(f, "  irq %-4u %-6s prio=%02x group=%d %-5s%s%s%s\n", r->intid, r->to, r->prio, r->group, r->edge ? "edge" : "level",
            r->enabled ? " enabled" : "", r->pending ? " pending" : "", r->active ? " active" : "");
}
