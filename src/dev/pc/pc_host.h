/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PC's north bridge: host bridge with root bus, configuration ports, PAM and SMRAM.  "i440FX-pcihost" (i440fx.c) has bus "pci.0",
 * "q35-pcihost" (q35.h) the Express bus "pcie.0".
 *
 *     d = dev_add(m, "i440FX-pcihost", NULL, NULL, e);
 *     pc_host_start(d, ram, low, e);                 puts function 0:0.0 on the bus, RAM and PCI into memory
 *
 * Sources: Intel 82441FX PCI and Memory Controller data sheet (290549); that of q35.h.
 */
#ifndef DEV_PC_PC_HOST_H
#define DEV_PC_PC_HOST_H

#include "dev/pc/pam.h"
#include "dev/pc/pci_ports.h"

/** struct pc_host - a bridge's structure begins with it. */
struct pc_host {
    struct dev dev; /* irq: PIRQA to PIRQD, or to PIRQH */
    struct pci_root root;
    struct pci_bus bus;
    struct mem mem, mem_alias; /* PCI's memory; where no RAM is */
    struct pci_ports ports;
    struct pam pam;
    struct pci_dev *function;
    uint64_t hole64_size; /* property: room for 64-bit BARs */
};

/** struct pc_host_type - the type's class_ops.  Constant. */
struct pc_host_type {
    const char *bus, *function; /* names: of the root bus, of the type of device 0 */
    bool express;
    unsigned (*route)(void *opaque, unsigned slot, unsigned pin); /* struct pci_root's */
};

static inline struct pc_host *pc_host_of(struct dev *d)
{
    return (struct pc_host *)d;
}

/** pc_host_start - @ram, of which @low bytes are below 4 GiB.  0 or -errno. */
int pc_host_start(struct dev *d, struct ram *ram, uint64_t low, struct err *e);

/* For the types: init, reset, fini, and what is saved. */
int pc_host_init(struct dev *d, struct err *e);
void pc_host_reset(struct dev *d);
void pc_host_fini(struct dev *d);
extern const struct state pc_host_state[];

#endif
