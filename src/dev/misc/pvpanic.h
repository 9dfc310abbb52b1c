/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the two forms of pvpanic share: one byte by which a guest's kernel says that it has panicked.
 * Source: pvpanic interface description (the virtual machine panic device, QEMU0001).
 */
#ifndef DEV_MISC_PVPANIC_H
#define DEV_MISC_PVPANIC_H

#include "bus/machine.h"

enum { PVPANIC_PANICKED = 1, PVPANIC_CRASHLOADED = 2, PVPANIC_ALL = 3 };

struct pvpanic {
    struct dev *dev;
    uint64_t events; /* bits that are known: property "events" */
    struct mem regs;
};

/** pvpanic_init - @size bytes of registers, of which the first one is the device.  -EINVAL for events that there are not. */
int pvpanic_init(struct pvpanic *p, struct dev *d, unsigned size, struct err *e);

#endif
