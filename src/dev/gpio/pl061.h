/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "pl061", Arm PrimeCell GPIO, as boards wire it.  Its interrupt is dev->irq[0]. */
#ifndef DEV_GPIO_PL061_H
#define DEV_GPIO_PL061_H

#include "bus/dev.h"

/** pl061_in - pin @n, 0..7, driven from outside; pl061_out - the level that it drives itself as an output. */
struct irq_in pl061_in(struct dev *d, unsigned n);
struct irq_line *pl061_out(struct dev *d, unsigned n);

#endif
