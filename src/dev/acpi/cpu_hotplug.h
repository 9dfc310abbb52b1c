/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * "acpi-cpu-hotplug": the registers by which a guest's ACPI code learns of CPUs that come and go, and the bus ("cpu") that they plug into.
 * dev->mmio, 12 bytes, goes to a port; event GPE_CPU of the machine's ACPI hardware says that there is news.
 * Source: ACPI CPU hotplug interface of virtual machines ("modern" registers).
 *
 * Under the machine's lock.
 */
#ifndef DEV_ACPI_CPU_HOTPLUG_H
#define DEV_ACPI_CPU_HOTPLUG_H

#include "bus/dev.h"

enum { CPU_HOTPLUG_LEN = 12 };

/** struct cpu_slot - a place where a CPU is or may be. */
struct cpu_slot {
    unsigned socket, die, core, thread;
    uint64_t arch_id; /* of a local APIC */
    bool present;
    struct dev *dev;      /* who can be unplugged; NULL: nobody, or a CPU of the board's */
    bool insert, remove;  /* events that the guest has not taken note of */
};

/** struct cpu_plug - the board's side.  Constant. */
struct cpu_plug {
    const char *type;                          /* of devices: "qemu64-x86_64-cpu" */
    bool dies;                                 /* CPUs have a die-id */
    void (*gone)(void *opaque, unsigned slot); /* the guest has let go of it; its device is freed next */
};

/** cpu_hotplug_start - @n slots (kept, the board's), all that the machine may have. */
void cpu_hotplug_start(struct dev *d, struct cpu_slot *slots, unsigned n, const struct cpu_plug *plug, void *opaque);
/** cpu_hotplug_insert - @slot, which is present now, has @cpu; the guest is told if the machine has started. */
void cpu_hotplug_insert(struct dev *d, unsigned slot, struct dev *cpu);
/** cpu_hotplug_board - @opaque of the device whose bus @b is.  cpu_hotplug_find - the machine's; NULL: it has none. */
void *cpu_hotplug_board(struct bus *b);
struct dev *cpu_hotplug_find(struct machine *m);
/** cpu_hotplug_slots - all of them, *@n. */
const struct cpu_slot *cpu_hotplug_slots(struct dev *d, unsigned *n, const struct cpu_plug **plug);

#endif
