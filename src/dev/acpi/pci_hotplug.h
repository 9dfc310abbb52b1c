/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "acpi-pci-hotplug": the registers by which a guest's ACPI code learns of devices that come to and go from conventional PCI buses.
 * dev->mmio, 24 bytes, goes to a port; event GPE_PCI of the machine's ACPI hardware says that there is news.
 * Source: ACPI PCI hotplug interface of virtual machines.
 */
#ifndef DEV_ACPI_PCI_HOTPLUG_H
#define DEV_ACPI_PCI_HOTPLUG_H

#include "dev/pci/pci.h"

enum { PCI_HOTPLUG_LEN = 24 };
enum { PCI_HOTPLUG_UP = 0, PCI_HOTPLUG_DOWN = 4, PCI_HOTPLUG_EJECT = 8, PCI_HOTPLUG_REMOVABLE = 12, PCI_HOTPLUG_BUS = 16,
       PCI_HOTPLUG_INDEX = 20 };

enum { PCI_HOTPLUG_BUSES = 32 }; /* those behind further bridges have no hotplug */

/** pci_hotplug_start - @root: the machine's root bus.  From now on the slots of conventional buses behind bridges are the device's, and
 * @with_root those of @root; bridges that come later have theirs from the next reset on. */
void pci_hotplug_start(struct dev *d, struct pci_bus *root, bool with_root);
/** pci_hotplug_number - of @b, by which registers select it; -1: its slots are not the device's. */
int pci_hotplug_number(const struct dev *d, const struct pci_bus *b);
/** pci_hotplug_removable - a bit for each slot that is empty or whose device may go. */
uint32_t pci_hotplug_removable(const struct pci_bus *b);

#endif
