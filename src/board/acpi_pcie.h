/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What DSDT and MCFG say of the generic Express host bridge (gpex.h), for every board that has it. */
#ifndef BOARD_ACPI_PCIE_H
#define BOARD_ACPI_PCIE_H

#include "board/acpi.h"
#include "board/aml.h"
#include "dev/pci/gpex.h"

struct acpi_pcie {
    struct gpex_map map;
    unsigned gsi; /* of the first of its four lines */
};

/** acpi_pcie_add - device PCI0, in the scope that is open. */
void acpi_pcie_add(struct bytes *b, const struct acpi_pcie *p);
/** acpi_pcie_osc - method _OSC of a host bridge: the system may have native hotplug, PME, AER and the capability structure, not LTR.
 * @revision: others than 1 are refused. */
void acpi_pcie_osc(struct bytes *b, bool revision);
/** acpi_pcie_mcfg - the table that says where configuration space is: @size bytes at @ecam, 1 MiB for each bus. */
void acpi_pcie_mcfg(struct acpi *a, uint64_t ecam, uint64_t size);

#endif
