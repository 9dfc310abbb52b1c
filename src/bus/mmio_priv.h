/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One access of a.size bytes (1 to 8, any number) to a leaf's registers, little endian, under the machine's lock. */
#ifndef BUS_MMIO_PRIV_H
#define BUS_MMIO_PRIV_H

#include "bus/mem.h"

uint64_t mmio_read(const struct mem *m, uint64_t off, struct access a);
void mmio_write(const struct mem *m, uint64_t off, uint64_t value, struct access a);

#endif
