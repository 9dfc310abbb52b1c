/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What PCI-to-PCI bridges have in common: a type 1 header, a bus behind, and three windows through which memory
 * and I/O of that bus are seen (PCI-to-PCI Bridge Architecture 1.2, chapter 3).
 *
 * A bridge's structure begins with struct pci_bridge; its type has pci_type.bridge, and the functions of this header
 * are called from its own: init, reset, loaded, config_written, fini.
 */
#ifndef DEV_PCI_PCI_BRIDGE_H
#define DEV_PCI_PCI_BRIDGE_H

#include "dev/pci/pci.h"

struct pci_bridge {
    struct pci_dev pci;
    struct pci_bus sec;
    struct mem sec_mem, sec_io;                    /* what is on the bus behind */
    struct mem win_mem, win_pref, win_io, win_vga; /* what of it is seen from before */
    bool shown[4];                                 /* which of them are */
    bool in_reset; /* secondary bus reset was asserted when we looked last */
    /* Properties: PCI_BRIDGE_FIELDS.  Room that firmware is asked to leave; UINT64_MAX: none of its business. */
    uint64_t bus_reserve, io_reserve, mem_reserve, pref32_reserve, pref64_reserve;
};

#define PCI_BRIDGE_FIELDS(type, m)                                                                 \
    FIELD(type, m.bus_reserve, F_U64, "bus-reserve", "4294967295",                                 \
          "bus numbers to keep free behind it"),                                                   \
        FIELD(type, m.io_reserve, F_SIZE, "io-reserve", "18446744073709551615",                    \
              "I/O space to keep free"),                                                           \
        FIELD(type, m.mem_reserve, F_SIZE, "mem-reserve", "18446744073709551615",                  \
              "memory space to keep free"),                                                        \
        FIELD(type, m.pref32_reserve, F_SIZE, "pref32-reserve", "18446744073709551615",            \
              "prefetchable memory space below 4 GiB to keep free"),                               \
        FIELD(type, m.pref64_reserve, F_SIZE, "pref64-reserve", "18446744073709551615",            \
              "prefetchable memory space to keep free")

struct pci_window {
    uint64_t base, limit; /* closed when limit is below base */
};
struct pci_window pci_bridge_io(const struct pci_dev *d);
struct pci_window pci_bridge_mem(const struct pci_dev *d);
struct pci_window pci_bridge_pref(const struct pci_dev *d);

static inline struct pci_bridge *pci_bridge_of(struct pci_dev *d)
{
    return (struct pci_bridge *)d;
}

/** pci_bridge_init - registers and the bus, named after the device's id; the caller may set members of ->sec before. */
void pci_bridge_init(struct pci_bridge *b);
/** pci_bridge_add_reserve - the capability for what the user wants kept free, if anything. */
int pci_bridge_add_reserve(struct pci_bridge *b, struct err *e);
void pci_bridge_written(struct pci_dev *d, unsigned off, unsigned size);
void pci_bridge_reset(struct pci_bridge *b);
int pci_bridge_loaded(struct pci_bridge *b, struct err *e);
void pci_bridge_fini(struct pci_bridge *b);

#endif
