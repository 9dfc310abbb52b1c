/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The i440FX north bridge: host bridge with root bus "pci.0", PAM and SMRAM.
 *
 *     d = dev_add(m, "i440FX-pcihost", NULL, NULL, e);
 *     i440fx_start(d, ram, low, e);                 puts function 0:0.0 on the bus, RAM and PCI into memory
 *
 * Source: Intel 82441FX PCI and Memory Controller data sheet (290549).
 */
#ifndef DEV_PC_I440FX_H
#define DEV_PC_I440FX_H

#include "dev/pc/pam.h"
#include "dev/pc/pci_ports.h"

struct i440fx_host {
    struct dev dev; /* irq[0..3]: PIRQA to PIRQD */
    struct pci_root root;
    struct pci_bus bus;
    struct mem mem, mem_alias; /* PCI's memory; where no RAM is */
    struct pci_ports ports;
    struct pam pam;
    struct pci_dev *function;
    uint64_t hole64_size; /* property: room for 64-bit BARs */
};

static inline struct i440fx_host *i440fx_of(struct dev *d)
{
    return (struct i440fx_host *)d;
}

/** i440fx_start - @ram, of which @low bytes are below 4 GiB.  0 or -errno. */
int i440fx_start(struct dev *d, struct ram *ram, uint64_t low, struct err *e);

#endif
