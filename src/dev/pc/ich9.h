/* SPDX-License-Identifier: GPL-2.0-or-later */
/* "ICH9-LPC" as boards wire it: PCI interrupts in, ISA interrupts and inputs 16 to 23 of the I/O APIC out.  More in south.h. */
#ifndef DEV_PC_ICH9_H
#define DEV_PC_ICH9_H

#include "dev/isa/isa.h"

enum { ICH9_PIRQS = 8 };

/** ich9_pirq - input PIRQA (0) to PIRQH (7).  ich9_apic_out - the same, to input 16 + @n of the I/O APIC. */
struct irq_in ich9_pirq(struct dev *d, unsigned n);
struct irq_line *ich9_apic_out(struct dev *d, unsigned n);
struct isa_bus *ich9_isa(struct dev *d);
/** ich9_offer_smi - firmware may ask, by @fw_cfg, for SMIs of commands to go to all CPUs.  ich9_smi_to_all - it has. */
int ich9_offer_smi(struct dev *d, struct dev *fw_cfg, struct err *e);
bool ich9_smi_to_all(struct dev *d);

#endif
