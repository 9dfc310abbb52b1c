/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "acpi-memory-hotplug": the registers by which a guest's ACPI code learns of memory that comes and goes, and the bus ("memory") of the slots that
 * it plugs into; "pc-dimm" is what does.  dev->mmio, 24 bytes, goes to a port; event GPE_MEMORY of the machine's ACPI hardware says that
 * there is news.
 *
 *     read   0 address, 8 size (64 bits each), 16 node, 20 status
 *     write  0 selects a slot, 4 event and 8 status of _OST, 20 control
 *
 * Source: ACPI memory hotplug interface of virtual machines.
 *
 * Under the machine's lock.
 */
#ifndef DEV_ACPI_MEMORY_HOTPLUG_H
#define DEV_ACPI_MEMORY_HOTPLUG_H

#include "bus/dev.h"

enum { MEMORY_HOTPLUG_LEN = 24, MEMORY_SLOTS = 256 };
enum { MEMORY_CONTROL = 20 };

/** memory_hotplug_start - modules come into [@at, @at + @size), at most @most bytes of them in @slots slots (up to MEMORY_SLOTS), and belong to one of
 * @nodes nodes.  Without slots or size all are refused. */
void memory_hotplug_start(struct dev *d, uint64_t at, uint64_t size, uint64_t most, unsigned slots, unsigned nodes);
/** memory_hotplug_find - the machine's; NULL: it has none. */
struct dev *memory_hotplug_find(struct machine *m);

/** struct memory_module - one that is there. */
struct memory_module {
    const struct dev *dev;
    const char *backend;
    uint64_t at, size;
    unsigned slot, node;
};
/** memory_hotplug_module - what is in slot @n; false: nothing, or there is no such slot. */
bool memory_hotplug_module(const struct dev *d, unsigned n, struct memory_module *mod);

#endif
