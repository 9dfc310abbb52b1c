/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The I/O APIC of a PC ("ioapic"): 24 inputs become messages to local APICs.  dev->mmio (4 KiB) goes to FEC00000h.
 *
 * A message is a store to the machine's memory, as any other message-signalled interrupt (Intel SDM 3A, 10.11): local APICs decode
 * FEExxxxxh.  Address bits 19..12: destination, bit 2: logical; data bits 7..0: vector, 10..8: delivery mode, 14: 1, 15: level.
 * Delivery mode ExtINT (7) is no message: the i8259 has its own wire to the CPU, LINT0.
 *
 * Under the machine's lock.  Source: Intel 82093AA data sheet, order 290566-001; EOI register: ICH9 data sheet, 13.5.
 */
#ifndef DEV_INTC_IOAPIC_H
#define DEV_INTC_IOAPIC_H

#include "bus/dev.h"

enum { IOAPIC_PINS = 24 };

/** ioapic_in - input @n, 0..23.  In PCs ISA interrupt 0 goes to 2, the others to their own numbers, PCI's to 16..23. */
struct irq_in ioapic_in(struct dev *d, unsigned n);
/** ioapic_eoi - a local APIC has ended a level-triggered interrupt @vector: those that still ask are sent again. */
void ioapic_eoi(struct dev *d, uint8_t vector);
/** ioapic_send_to - messages go to @send instead of to memory: split or in-kernel controllers, tests. */
void ioapic_send_to(struct dev *d, void (*send)(void *opaque, uint64_t address, uint32_t data),
                    void *opaque);

#endif
