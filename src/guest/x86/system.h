/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x86 CPUs of machines, as boards and interrupt controllers see them: models, birth, reset, pins.
 * Sources: Intel SDM volume 3A (chapters 9 to 12), 3C chapter 32 (SMM); AMD64 APM volume 2.
 *
 * What a board does, in this order: x86_conf_parse once; engine_new(&guest_x86_system, ...); x86_cpu_new for each CPU; then the
 * local APIC of each (dev/intc/apic.h) and x86_set_intc; x86_set_smm_space and the others where it has them.
 */
#ifndef GUEST_X86_SYSTEM_H
#define GUEST_X86_SYSTEM_H

#include "base/err.h"
#include "bus/irq.h"
#include "cpu/cpu.h"
#include "guest/x86/features.h"

#include <stdio.h>

struct machine;
struct space;

extern const struct guest_isa guest_x86_system;

/* The virtual time stamp counter counts nanoseconds of CLK_VIRT. */
#define X86_TSC_HZ 1000000000ull

/** struct x86_conf - what a CPU is like; x86_conf_parse fills it in, the board its topology afterwards. */
struct x86_conf {
    int model; /* x86_model_name() */
    struct x86_features features;
    char vendor[13], model_id[49];
    uint32_t family, model_number, stepping; /* displayed: family 6, model 0x3c */
    uint32_t level, xlevel;                  /* highest standard and extended CPUID leaves */
    uint32_t phys_bits;
    bool is_hypervisor;            /* leaves 0x40000000.. are there */
    uint32_t threads, cores, dies; /* threads of a core, cores of a die, dies of a package; 0 counts as 1 */
};

/**
 * x86_conf_parse - the model @name (NULL: @def) with @features as after "-cpu NAME,": "+avx2,-smap,pcid=off,vendor=AuthenticAMD".
 * @only32: for qemu-system-i386: no long mode, whatever the model has.
 * @warn (may be NULL) gets a line, without newline, for each feature that was asked for and that we lack ("enforce" makes it
 * an error).  0, or -ENOENT (unknown model), -EINVAL, -ENOTSUP with a message.
 */
int x86_conf_parse(struct x86_conf *c, const char *name, const char *features, const char *def, bool only32,
                   void (*warn)(void *opaque, const char *text), void *opaque, struct err *e);
/** x86_model_name - of model @i in the order of `-cpu help`; NULL past the end.  x86_print_models - its lines, and the flags. */
const char *x86_model_name(int i);
void x86_print_models(FILE *out);

/** x86_apic_id - of CPU @index under the topology of @c: fields of a power of two for threads, cores, dies, packages. */
uint32_t x86_apic_id(const struct x86_conf *c, unsigned index);

/**
 * x86_cpu_new - CPU @index of the machine: makes the struct cpu on @engine and its vCPU, registers for reset and saved
 * state.  CPU 0 is the bootstrap processor, the others wait for INIT and SIPI.  NULL with a message.  The machine's lock is held.
 */
struct cpu *x86_cpu_new(struct machine *m, struct engine *engine, const struct x86_conf *c, unsigned index, struct err *e);
const struct x86_conf *x86_conf_of(const struct cpu *cpu);
bool x86_is_bsp(const struct cpu *cpu);

/* --- The interrupt pin, and the controller behind it --- */

/**
 * struct x86_intc_ops - the local APIC of a CPU, or a bare PIC.  On the CPU's thread, without the machine's lock.  All but ack may be
 * NULL: then there is no APIC (MSR 1Bh is #GP, CR8 reads 0).
 */
struct x86_intc_ops {
    /** ack - INTR was seen, the CPU takes it: the vector, or -1: it is gone. */
    int (*ack)(void *opaque);
    uint8_t (*tpr_read)(void *opaque);             /* CR8: bits 7..4 of TPR */
    void (*tpr_write)(void *opaque, uint8_t cr8);
    uint64_t (*base_read)(void *opaque);           /* IA32_APIC_BASE */
    bool (*base_write)(void *opaque, uint64_t v);  /* false: #GP */
    /** msr_* - x2APIC registers 800h..8FFh and IA32_TSC_DEADLINE (6E0h).  False: #GP. */
    bool (*msr_read)(void *opaque, uint32_t msr, uint64_t *v);
    bool (*msr_write)(void *opaque, uint32_t msr, uint64_t v);
    void (*tsc_written)(void *opaque);             /* x86_tsc_when says something else from now on */
};
void x86_set_intc(struct cpu *cpu, const struct x86_intc_ops *ops, void *opaque);

/** x86_set_intr - INTR, level; any thread, with or without the machine's lock. */
void x86_set_intr(struct cpu *cpu, bool level);
struct irq_in x86_intr_in(struct cpu *cpu);
/* Messages: edges, remembered until taken; any thread.  SIPI starts a CPU that waits for it, at page @vector; others
 * ignore it. */
void x86_nmi(struct cpu *cpu);
void x86_smi(struct cpu *cpu);
void x86_init(struct cpu *cpu);
void x86_sipi(struct cpu *cpu, uint8_t vector);

/* --- What else boards wire --- */

/** x86_ferr_line - FERR#: x87 errors with CR0.NE clear; to IRQ 13.  x86_set_ignne - a write to port F0h: ignored until
 * the error is cleared, and FERR# goes down. */
struct irq_line *x86_ferr_line(struct cpu *cpu);
void x86_set_ignne(struct cpu *cpu);
/** x86_set_a20 - the gate, of all CPUs of the machine: off: address bit 20 is 0 (not in SMM).  On at reset.  Under the machine's lock; on a
 * CPU's thread it is in force at once for that CPU. */
void x86_set_a20(struct machine *m, bool on);
bool x86_get_a20(const struct machine *m);
/** x86_set_smm_space - what @cpu sees while it is in SMM: the system's memory with SMRAM on top.  NULL (as born): the
 * same as always. */
void x86_set_smm_space(struct cpu *cpu, struct space *s);
bool x86_in_smm(const struct cpu *cpu);
/** x86_on_shutdown - what a triple fault does: @fn(opaque) on the CPU's thread; as born: ASK_RESET. */
void x86_on_shutdown(struct cpu *cpu, void (*fn)(void *opaque), void *opaque);
/** x86_set_boot - from the next machine_reset() on, the bootstrap processor starts here, not in the firmware: 32-bit protected
 * mode without paging, flat segments of the GDT at @gdt (-kernel of PVH and multiboot).  NULL: as the architecture says. */
struct x86_boot {
    uint32_t eip, eax, ebx, esi, esp;
    uint32_t gdt;
    uint16_t gdt_limit, cs, ds;
};
void x86_set_boot(struct cpu *cpu, const struct x86_boot *b);

/** x86_tsc - the time stamp counter of @cpu, now; any thread.  x86_tsc_when - CLK_VIRT's time when it reaches @tsc. */
uint64_t x86_tsc(const struct cpu *cpu);
int64_t x86_tsc_when(const struct cpu *cpu, uint64_t tsc);

#endif
