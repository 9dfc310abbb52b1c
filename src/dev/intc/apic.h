/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The local APICs of a PC, all of them in one device ("apic"): dev->mmio (1 MiB) goes to FEE00000h.  The first page holds the registers,
 * of the CPU that asks; what others write there, and all else, are messages (MSI).
 * Sources: Intel SDM 3A, chapter 11 (APIC, x2APIC), 11.11 (messages).
 *
 * Threads: registers and messages under the machine's lock; apic_ack and what else a CPU calls, on its thread without it.  A lock of
 * the device's own, inner to all but the vCPUs', guards the state.
 */
#ifndef DEV_INTC_APIC_H
#define DEV_INTC_APIC_H

#include "bus/dev.h"

struct apic; /* of one CPU */

/** struct apic_cpu - the CPU's pins, which the board gives: any thread; the device's lock may be held. */
struct apic_cpu {
    void (*intr)(void *cpu, bool level);
    void (*nmi)(void *cpu);
    void (*smi)(void *cpu);
    void (*init)(void *cpu);
    void (*sipi)(void *cpu, uint8_t vector);
    /** tsc_when - CLK_VIRT's time when the time stamp counter reaches @tsc. */
    int64_t (*tsc_when)(void *cpu, uint64_t tsc);
    void *cpu;
};

/**
 * apic_add - the local APIC of CPU @index (BUS_CPU(@index) is who asks) with identifier @id; before the machine runs.  Property
 * "max-cpus" of the device bounds @index.  CPU 0 is the bootstrap processor.
 */
struct apic *apic_add(struct dev *d, unsigned index, uint32_t id, const struct apic_cpu *cpu);

/** apic_remove - the CPU has gone: messages do not reach it any more, until apic_add. */
void apic_remove(struct dev *d, unsigned index);

/** apic_pic_in - INT of the i8259, to LINT0 of all.  @ack (INTA) is called with the machine's lock. */
struct irq_in apic_pic_in(struct dev *d);
void apic_set_pic(struct dev *d, int (*ack)(void *opaque), void *opaque);
/** apic_set_eoi - who is told that a level-triggered interrupt has ended (ioapic_eoi); with the machine's lock. */
void apic_set_eoi(struct dev *d, void (*eoi)(void *opaque, uint8_t vector), void *opaque);
/** apic_nmi - the NMI button: LINT1 of all local APICs. */
void apic_nmi(struct dev *d);
/** apic_message - as a message at @address with @data; for I/O APICs that do not use memory. */
void apic_message(struct dev *d, uint64_t address, uint32_t data);

/* The functions of struct x86_intc_ops (guest/x86/system.h); opaque: struct apic. */
int apic_ack(void *apic);
uint8_t apic_tpr_read(void *apic);
void apic_tpr_write(void *apic, uint8_t cr8);
uint64_t apic_base_read(void *apic);
bool apic_base_write(void *apic, uint64_t v);
bool apic_msr_read(void *apic, uint32_t msr, uint64_t *v);
bool apic_msr_write(void *apic, uint32_t msr, uint64_t v);
void apic_tsc_written(void *apic);

#endif
