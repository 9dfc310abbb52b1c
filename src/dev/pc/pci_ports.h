/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI configuration mechanism 1: the ports 0xcf8 (address) and 0xcfc (data); and in the midst of the first, the south bridge's
 * reset control register, 0xcf9.  Sources: PCI Local Bus 3.0, 3.2.2.3.2; Intel 82371SB data sheet 2.5.4.1 (RC).
 */
#ifndef DEV_PC_PCI_PORTS_H
#define DEV_PC_PCI_PORTS_H

#include "dev/pci/pci.h"

/** struct pci_ports - embedded in the host bridge. */
struct pci_ports {
    struct pci_root *root;
    struct machine *m;
    uint32_t address;
    uint8_t reset_control;
    struct mem address_mem, data_mem;
};
void pci_ports_init(struct pci_ports *p, struct machine *m, struct pci_root *root);
void pci_ports_fini(struct pci_ports *p);
/** pci_ports_reset - the registers' values after a reset. */
void pci_ports_reset(struct pci_ports *p);
#define PCI_PORTS_STATE(type, m)                                                                   \
    STATE(type, m.address, S_U32, 1, "CONFADD"), STATE(type, m.reset_control, S_U8, 1, "RC")

#endif
