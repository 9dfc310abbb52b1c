/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "PIIX3", function 0 of the south bridge: the ISA bus, and which ISA interrupt each PCI interrupt is.
 * Source: Intel 82371FB/82371SB (PIIX, PIIX3) data sheet (290550). */
#ifndef DEV_PC_PIIX3_H
#define DEV_PC_PIIX3_H

#include "dev/isa/isa.h"

/** piix3_pirq - input PIRQA (0) to PIRQD (3). */
struct irq_in piix3_pirq(struct dev *d, unsigned n);
struct isa_bus *piix3_isa(struct dev *d);

#endif
