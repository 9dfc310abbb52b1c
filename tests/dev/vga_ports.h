/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ports of a VGA on the PCI rig, for tests of such cards: one byte each; idx - a register by its index. */
#ifndef TESTS_DEV_VGA_PORTS_H
#define TESTS_DEV_VGA_PORTS_H

#include "tests/dev/pci_rig.h"

static inline void out(struct rig *r, unsigned port, uint8_t v)
{
    rig_store(r, RIG_PCI_IO + port, v, 1);
}

static inline uint8_t in(struct rig *r, unsigned port)
{
    return (uint8_t)rig_load(r, RIG_PCI_IO + port, 1);
}

static inline void idx(struct rig *r, unsigned port, uint8_t i, uint8_t v)
{
    out(r, port, i);
    out(r, port + 1, v);
}

#endif
