/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fuzz targets of devices share: a machine without loop, some RAM, and devices mapped one behind the other. */
#ifndef FUZZ_MACHINE_H
#define FUZZ_MACHINE_H

#include "bus/machine.h"
#include "dev/devices.h"

#include <stdlib.h>
#include <string.h>

int fuzz_one(const uint8_t *data, size_t len);

enum { FUZZ_RAM = 0x40000000, FUZZ_RAM_SIZE = 1 << 16, FUZZ_DEV = 0x10000000, FUZZ_STEP = 1 << 24 };

static inline struct machine *fuzz_machine(struct mem *ram_mem)
{
    struct machine *m = machine_new(dev_types(), NULL);
    struct ram *ram = ram_new(m, "ram", FUZZ_RAM_SIZE, ERR_IGNORE);

    if (!ram)
        abort();
    mem_init_ram(ram_mem, "ram", ram, 0, FUZZ_RAM_SIZE);
    mem_add(machine_mem(m), FUZZ_RAM, ram_mem, 0);
    return m;
}

/* A device of type @t at its place, or NULL: it wants more than a machine without back ends has. */
static inline struct dev *fuzz_device(struct machine *m, const struct dev_type *t, unsigned place)
{
    struct dev *d = t->bus ? NULL : dev_add(m, t->name, NULL, NULL, ERR_IGNORE);

    if (d && d->mmio.name)
        mem_add(machine_mem(m), FUZZ_DEV + (paddr)place * FUZZ_STEP, &d->mmio, 0);
    return d;
}

#endif
