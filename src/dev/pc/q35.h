/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Q35 memory controller hub: Express host bridge with root bus "pcie.0", configuration space in memory where the guest puts
 * it, PAM, SMRAM and TSEG.  Used as i440fx.h.
 *
 * Source: Intel 3 Series Express Chipset Family data sheet (316966), chapter 5.
 */
#ifndef DEV_PC_Q35_H
#define DEV_PC_Q35_H

#include "dev/pc/pam.h"
#include "dev/pc/pci_ports.h"

struct q35_host {
    struct dev dev; /* irq[0..7]: PIRQA to PIRQH */
    struct pci_root root;
    struct pci_bus bus;
    struct mem mem, mem_alias, ecam;
    uint64_t ecam_at, ecam_size; /* 0: not seen */
    struct pci_ports ports;
    struct pam pam;
    struct pci_dev *function;
    uint64_t hole64_size; /* property: room for 64-bit BARs */
};

static inline struct q35_host *q35_of(struct dev *d)
{
    return (struct q35_host *)d;
}

/** q35_start - @ram, of which @low bytes are below 4 GiB.  0 or -errno. */
int q35_start(struct dev *d, struct ram *ram, uint64_t low, struct err *e);

#endif
