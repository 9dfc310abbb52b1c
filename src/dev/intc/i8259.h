/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pair of interrupt controllers of a PC ("isa-i8259"), on an ISA bus: ports 20h, 21h, A0h, A1h, and the registers that
 * choose edge or level (ELCR), 4D0h, 4D1h.  dev->irq[0] is INT of the master, to LINT0 of the CPUs.
 * Under the machine's lock.
 */
#ifndef DEV_INTC_I8259_H
#define DEV_INTC_I8259_H

#include "bus/dev.h"

/** i8259_in - request @n, 0..15 (2 is the slave's and must not be wired). */
struct irq_in i8259_in(struct dev *d, unsigned n);
/** i8259_ack - INTA: the vector of the request that goes into service, 0..255.  When there is none any more, that of
 * a spurious one (7 of the master's, or of the slave's).  Lowers or raises INT. */
int i8259_ack(struct dev *d);
/** i8259_intr - would i8259_ack find something? */
bool i8259_intr(const struct dev *d);

#endif
