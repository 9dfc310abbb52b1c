/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "acpi-ged": a generic event device for machines whose ACPI hardware is reduced: events that the board raises, and registers to
 * sleep and to reset.  dev->irq[0] rises for each event; the tables' _EVT method reads which ones there were.
 *
 *     mmio        0: events since the last read, 32 bits
 *     ged_regs()  0: sleep control, 1: sleep status, 2: reset
 *
 * Source: ACPI Specification 6.3, 5.6.9 (generic event device), 4.8.3.6 to 4.8.3.8 (reset, sleep).
 */
#ifndef DEV_ACPI_GED_H
#define DEV_ACPI_GED_H

#include "bus/dev.h"

enum { GED_POWER_BUTTON = 2 };
enum { GED_RESET_VALUE = 0x42, GED_S5 = 5 /* SLP_TYP */ };

/** ged_raise - @event, a bit. */
void ged_raise(struct dev *d, uint32_t event);
struct mem *ged_regs(struct dev *d);

#endif
