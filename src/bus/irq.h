/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Interrupt lines: wires from a device's output to an input of an interrupt controller, a CPU or a GPIO block.
 * Level-valued; under the machine's lock.
 */
#ifndef BUS_IRQ_H
#define BUS_IRQ_H

#include <stdbool.h>

/** struct irq_in - an input: @set(opaque, n, level) is called when the level changes. */
struct irq_in {
    void (*set)(void *opaque, int n, bool level);
    void *opaque;
    int n;
};

/** struct irq_line - an output, computed from a device's registers; goes to one input.  Zero: not connected. */
struct irq_line {
    struct irq_in to;
    bool level;
};

/** irq_connect - the board's: @to learns the present level at once. */
void irq_connect(struct irq_line *l, struct irq_in to);
/** irq_set - the device's: tells the input when the level has changed. */
void irq_set(struct irq_line *l, bool level);
/** irq_pulse - up and down: for inputs that look at edges. */
void irq_pulse(struct irq_line *l);

/** struct irq_or - several outputs on one input: irq_or_in(o, i) are its inputs. */
struct irq_or {
    struct irq_line out;
    unsigned long up[4]; /* 256 inputs */
};
struct irq_in irq_or_in(struct irq_or *o, int n);

#endif
