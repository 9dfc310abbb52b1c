/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AArch64 CPUs of machines, as boards and interrupt controllers see them: birth, reset, interrupt inputs, timer
 * outputs, the GIC's system registers, PSCI.
 * Sources: Arm ARM for A-profile (DDI 0487), PSCI (DEN 0022), SMC calling convention (DEN 0028).
 */
#ifndef GUEST_AARCH64_SYSTEM_H
#define GUEST_AARCH64_SYSTEM_H

#include "base/err.h"
#include "bus/irq.h"
#include "cpu/cpu.h"

struct machine;

extern const struct guest_isa guest_aarch64_system;

/* A system register's encoding as instructions have it, bits 20..5 of MRS: op0 (2, 3), op1, CRn, CRm, op2. */
#define A64_ENC(op0, op1, crn, crm, op2)                                                           \
    ((uint32_t)((op0) << 14 | (op1) << 11 | (crn) << 7 | (crm) << 3 | (op2)))

/* How the guest calls PSCI: the conduit is an instruction that is not otherwise used. */
enum a64_psci { A64_PSCI_OFF, A64_PSCI_HVC, A64_PSCI_SMC };

/** struct a64_conf - what a CPU is like; a64_conf_parse fills in the model and its features. */
struct a64_conf {
    int model;     /* a64_model_find() */
    bool el2;      /* virtualization=on; EL3 is not there */
    bool pmu;      /* -cpu X,pmu= */
    bool pauth;    /* -cpu max,pauth= */
    bool lpa2;     /* -cpu max,lpa2=: addresses of 52 bits with granules of 4K and 16K, too */
    bool big;      /* -cpu X,cfgend=: data is big-endian from reset on */
    bool qarma5;   /* pauth-impdef=off: the architected algorithm (slower) */
    bool gic_regs; /* the GIC is driven by system registers (GICv3): a64_set_icc() will be called */
    enum a64_psci psci;
    uint64_t mpidr; /* affinity fields only: Aff3 in 39..32, Aff2 23..16, Aff1 15..8, Aff0 7..0 */
};

/**
 * a64_conf_parse - the model @name (NULL: @def) with @features as after "-cpu NAME,": "pmu=off,pauth=on", "+pmu", "-pmu".
 * 0, or -ENOENT (unknown model), -EINVAL, -ENOTSUP (sve, aarch64=off) with a message.
 */
int a64_conf_parse(struct a64_conf *c, const char *name, const char *features, const char *def,
                   struct err *e);

/**
 * a64_cpu_new - CPU @index of the machine: makes the struct cpu on @engine (engine_new(&guest_aarch64_system, ...)) and
 * its vCPU (vcpu_new), registers for reset and saved state.  CPU 0 is on at reset, others wait for PSCI unless PSCI is off.
 * NULL: memory is out.  The machine's lock is held.
 */
struct cpu *a64_cpu_new(struct machine *m, struct engine *engine, const struct a64_conf *c,
                        unsigned index, struct err *e);

/** struct a64_reset - where a CPU starts. */
struct a64_reset {
    uint64_t pc;
    unsigned el; /* 1, 2; 0: the highest there is */
    uint64_t x[4];
};
/** a64_set_reset_state - from the next machine_reset() on; without it: address 0 at the highest EL. */
void a64_set_reset_state(struct cpu *cpu, const struct a64_reset *r);

/* --- Interrupts --- */

enum a64_irq { A64_IRQ, A64_FIQ, A64_VIRQ, A64_VFIQ, A64_SERROR, A64_VSERROR };
/** a64_set_irq - an interrupt input of the CPU; any thread, with or without the machine's lock. */
void a64_set_irq(struct cpu *cpu, enum a64_irq which, bool level);
/** a64_irq_in - the same as an input to wire. */
struct irq_in a64_irq_in(struct cpu *cpu, enum a64_irq which);

/* Outputs of the generic timers, and of the performance monitor: to be connected to the controller's PPIs. */
enum a64_timer { A64_TIMER_PHYS, A64_TIMER_VIRT, A64_TIMER_HYP, A64_TIMER_HYPVIRT, A64_NUM_TIMERS };
struct irq_line *a64_timer_line(struct cpu *cpu, enum a64_timer which);
struct irq_line *a64_pmu_line(struct cpu *cpu);

/* What a64_icc_ops's functions give back: done, or the exception that the access is. */
enum a64_icc { A64_ICC_OK, A64_ICC_UNDEFINED, A64_ICC_TRAP_EL2 };

/**
 * struct a64_icc_ops - the GIC's system registers: CRn 12 with CRm 8 to 15, and ICC_PMR_EL1.
 * On the CPU's thread, at EL1 or above (what the encoding's op1 asks for is checked before), without the machine's lock.
 * ICC_ names at EL1 come as they are; whether they mean ICV_ (a64_hcr: IMO, FMO) is the GIC's to say.
 */
struct a64_icc_ops {
    enum a64_icc (*read)(void *opaque, uint32_t encoding, uint64_t *value);
    enum a64_icc (*write)(void *opaque, uint32_t encoding, uint64_t value);
};
void a64_set_icc(struct cpu *cpu, const struct a64_icc_ops *ops, void *opaque);

/* --- For those hooks: on the CPU's thread --- */

unsigned a64_el(const struct cpu *cpu);
bool a64_has_el2(const struct cpu *cpu);
uint64_t a64_hcr(const struct cpu *cpu); /* HCR_EL2 as in force: 0 without EL2 */
uint64_t a64_mpidr(const struct cpu *cpu);
const struct a64_conf *a64_conf_of(const struct cpu *cpu);

/* --- For debuggers: on the CPU's thread --- */

/**
 * a64_sysreg_name - the name of system register @i of the CPU ("SCTLR_EL1"), in the order of the table; NULL past the end.
 * a64_sysreg_peek - its value; false: this CPU has not got it.  a64_sysreg_poke - false: it cannot be written.
 */
const char *a64_sysreg_name(unsigned i);
bool a64_sysreg_peek(struct cpu *cpu, unsigned i, uint64_t *value);
bool a64_sysreg_poke(struct cpu *cpu, unsigned i, uint64_t value);
/** a64_get_spsr, a64_set_spsr - PSTATE with all its bits, as SPSR_ELx has them. */
uint32_t a64_get_spsr(struct cpu *cpu);
void a64_set_spsr(struct cpu *cpu, uint32_t v);
/** a64_pa_bits - physical address bits of @model: what RAM may use. */
unsigned a64_pa_bits(int model);

#endif
