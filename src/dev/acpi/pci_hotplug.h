/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "acpi-pci-hotplug": the registers by which a guest's ACPI code learns of devices that come to and go from a conventional PCI root bus.
 * dev->mmio, 24 bytes, goes to a port; event GPE_PCI of the machine's ACPI hardware says that there is news.
 * Source: ACPI PCI hotplug interface of virtual machines.
 */
#ifndef DEV_ACPI_PCI_HOTPLUG_H
#define DEV_ACPI_PCI_HOTPLUG_H

#include "dev/pci/pci.h"

enum { PCI_HOTPLUG_LEN = 24 };
enum { PCI_HOTPLUG_UP = 0, PCI_HOTPLUG_DOWN = 4, PCI_HOTPLUG_EJECT = 8, PCI_HOTPLUG_REMOVABLE = 12, PCI_HOTPLUG_BUS = 16,
       PCI_HOTPLUG_INDEX = 20 };

/** pci_hotplug_start - the slots of @b are the device's from now on. */
void pci_hotplug_start(struct dev *d, struct pci_bus *b);
/** pci_hotplug_removable - a bit for each slot that is empty or whose device may go. */
uint32_t pci_hotplug_removable(const struct pci_bus *b);

#endif
