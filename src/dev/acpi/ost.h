/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's ACPI code says has become of an event (_OST; ACPI Specification 6.3, 6.3.5). */
#ifndef DEV_ACPI_OST_H
#define DEV_ACPI_OST_H

#include "bus/dev.h"

/** struct ost - what was written last. */
struct ost {
    uint32_t event, status;
};

/** ost_report - @status of the event before: monitors learn of it (ACPI_DEVICE_OST); a device that the guest keeps may be asked for again.
 * @d: in slot @slot of what @kind names ("CPU", "DIMM"); NULL: nobody. */
void ost_report(struct machine *m, struct ost *o, uint32_t status, struct dev *d, const char *kind, uint32_t slot);

#endif
