/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The generic Express host bridge: configuration space as memory (ECAM: PCI Express Base 3.0, 7.2.2), windows for
 * memory and I/O, four interrupt lines.  Root bus "pcie.0".
 *
 *     d = dev_add(m, "gpex-pcihost", NULL, NULL, e);
 *     gpex_map(gpex_of(d), &(struct gpex_map){...});
 *     irq_connect(&d->irq[0..3], ...);             INTA to INTD of device 0; others are turned by their number
 */
#ifndef DEV_PCI_GPEX_H
#define DEV_PCI_GPEX_H

#include "dev/pci/pci.h"

struct gpex {
    struct dev dev; /* irq[0..3] */
    struct pci_root root;
    struct pci_bus bus;
    struct mem mem, io;       /* as the buses have them */
    struct mem no_mem, no_io; /* what is behind all: reads as ones */
    struct mem ecam, win32, win64, win_io;
    bool allow_unmapped;
};

static inline struct gpex *gpex_of(struct dev *d)
{
    return (struct gpex *)d;
}

/** struct gpex_map - where the board shows it, in the machine's memory.  A size of 0: not at all.  Memory windows show
 * the same addresses on the bus; the I/O window shows ports from 0 on. */
struct gpex_map {
    paddr ecam, mem32, mem64, io;
    uint64_t ecam_size /* 1 MiB for each bus */, mem32_size, mem64_size, io_size;
};
void gpex_map(struct gpex *g, const struct gpex_map *map);

#endif
