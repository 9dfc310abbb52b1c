/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the PCI core tell each other. */
#ifndef DEV_PCI_PCI_PRIV_H
#define DEV_PCI_PCI_PRIV_H

#include "base/trace.h"
#include "dev/pci/pci.h"

/* Trace points of the core: they are reached through host bridges, whose type has them. */
enum { PCI_TP_CONFIG_READ, PCI_TP_CONFIG_WRITE, PCI_TP_MAP, PCI_TP_INTX, PCI_TP_MSI };
extern struct trace_point pci_trace[];

/** pci_birth - header of a device that is about to be initialised: ids, command and status masks. */
void pci_birth(struct pci_dev *d);
/** pci_remember - what configuration space is now is what a reset makes of it. */
void pci_remember(struct pci_dev *d);
/** pci_update_maps - BARs and ROM appear where registers say.  pci_unmap_all - nowhere. */
void pci_update_maps(struct pci_dev *d);
void pci_unmap_all(struct pci_dev *d);
/** pci_update_master, pci_update_intx - from the command register and the power state. */
void pci_update_master(struct pci_dev *d);
void pci_update_intx(struct pci_dev *d);
bool pci_powered(const struct pci_dev *d); /* in D0 */

/** pci_rom_add - the expansion ROM, when there is one. */
int pci_rom_add(struct pci_dev *d, struct err *e);
void pci_rom_free(struct pci_dev *d);

void msi_written(struct pci_dev *d, unsigned off, unsigned size);
void msix_written(struct pci_dev *d, unsigned off, unsigned size, uint16_t old_ctrl);
void msix_reset(struct pci_dev *d);
void msix_free(struct pci_dev *d);
/** msi_send - a memory write as a message; lost while bus mastering is off. */
void msi_send(struct pci_dev *d, paddr addr, uint32_t data);

/** pci_print_dev - what `info qtree` says of it. */
void pci_print_dev(struct bus *bus, struct dev *dev, void (*line)(void *opaque, const char *text),
                   void *opaque);

void pcie_written(struct pci_dev *d, unsigned off, unsigned size);

#endif
