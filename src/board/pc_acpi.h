/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables of PCs: tables of numbers are pc_acpi.c, byte code pc_dsdt.c. */
#ifndef BOARD_PC_ACPI_H
#define BOARD_PC_ACPI_H

#include "board/acpi.h"
#include "board/pc.h"

struct json_object;

/** pc_acpi - offer the tables through fw_cfg, made anew whenever firmware reads them.  -EINVAL for a wrong -acpitable. */
int pc_acpi(struct pc *p, struct err *e);
/** pc_dsdt - what the machine is made of, and how interrupts are routed, as byte code. */
void pc_dsdt(struct pc *p, struct acpi *a);
/** pc_dsdt_devices - part of it: what -device adds (panic port, generation of the machine). */
void pc_dsdt_devices(struct pc *p, struct acpi *a);
/** pc_dsdt_cpus - in \_SB: CPUs, and how they come and go.  pc_dsdt_pci_slots - in the host bridge: the slots whose devices do.
 * pc_dsdt_events - in \_GPE: what says so. */
void pc_dsdt_cpus(struct pc *p, struct bytes *b);
void pc_dsdt_pci_slots(struct pc *p, struct bytes *b);
/** pc_dsdt_memory - in \_SB: the slots of memory that may come. */
void pc_dsdt_memory(struct pc *p, struct bytes *b);
void pc_dsdt_events(struct pc *p, struct bytes *b);
/** pc_numa_tables - SRAT and SLIT, when there are nodes.  pc_tell_numa - the same in fw_cfg. */
void pc_numa_tables(struct pc *p, struct acpi *a);
void pc_tell_numa(struct pc *p);
/** pc_tpm - the TPM's device; NULL: there is none. */
struct dev *pc_tpm(const struct pc *p);

#endif
