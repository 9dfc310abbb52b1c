/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt lines. */
#include "bus/irq.h"

#include "base/err.h"

enum { BITS = 8 * sizeof(unsigned long) };

static void tell(const struct irq_line *l)
{
    if (l->to.set)
        l->to.set(l->to.opaque, l->to.n, l->level);
}

void irq_connect(struct irq_line *l, struct irq_in to)
{
    l->to = to;
    tell(l);
}

void irq_set(struct irq_line *l, bool level)
{
    if (l->level == level)
        return;
    l->level = level;
    tell(l);
}

void irq_pulse(struct irq_line *l)
{
    irq_set(l, true);
    irq_set(l, false);
}

static void or_set(void *opaque, int n, bool level)
{
    struct irq_or *o = opaque;
    unsigned long bit = 1ul << (unsigned)n % BITS, *word = &o->up[(unsigned)n / BITS], any = 0;

    *word = level ? *word | bit : *word & ~bit;
    for (unsigned i = 0; i < sizeof(o->up) / sizeof(o->up[0]); i++)
        any |= o->up[i];
    irq_set(&o->out, any != 0);
}

struct irq_in irq_or_in(struct irq_or *o, int n)
{
    if (n < 0 || (unsigned)n >= BITS * sizeof(o->up) / sizeof(o->up[0]))
        bug("input %d of a gate that has %zu", n, BITS * sizeof(o->up) / sizeof(o->up[0]));
    return (struct irq_in){.set = or_set, .opaque = o, .n = n};
}
