/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What boards want of a south bridge's power management, whichever it is (PIIX4_PM, ICH9-LPC). */
#ifndef DEV_PC_SOUTH_H
#define DEV_PC_SOUTH_H

#include "dev/pc/acpi_pm.h"
#include "dev/pc/smbus.h"

/** piix4_pm_acpi, ich9_acpi - fixed hardware: events to raise, SCI to connect. */
struct acpi_pm *piix4_pm_acpi(struct dev *d);
struct acpi_pm *ich9_acpi(struct dev *d);
/** piix4_pm_smi, ich9_smi - the line that asks CPUs to enter SMM: rises for each request. */
struct irq_line *piix4_pm_smi(struct dev *d);
struct irq_line *ich9_smi(struct dev *d);
/** piix4_pm_smbus, ich9_smbus - the bus of memory modules. */
struct smbus *piix4_pm_smbus(struct dev *d);
struct smbus *ich9_smbus(struct dev *d);

#endif
