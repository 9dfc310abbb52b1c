/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AArch64 guest: its CPU state and slots, shared by the lifter, the Linux personality and gdb.
 * Source: Arm Architecture Reference Manual for A-profile (DDI 0487), user level.
 */
#ifndef GUEST_AARCH64_H
#define GUEST_AARCH64_H

#include "cpu/cpu.h"

/* The state that lives in cpu->guest. */
struct a64_state {
    uint64_t x[31];
    uint64_t sp;
    uint8_t n, z, c, v;   /* condition flags, each 0 or 1 */
    uint8_t dit, ssbs;    /* PSTATE bits without effect here */
    uint8_t unused[2];    /* PSTATE.BTYPE is cpu->landing */
    uint64_t excl_addr;   /* exclusive monitor: address, ~0 when open */
    union ir_u vreg[32] __attribute__((aligned(16)));
    union ir_u qc;        /* FPSR.QC is set when any bit here is */
    uint64_t excl_val[2]; /* what the exclusive load saw */
    uint64_t tpidr;       /* TPIDR_EL0 */
    uint64_t tpidr2;
    uint32_t fpcr;
    uint32_t model;       /* index into the CPU models */
    uint64_t pac_keys[10]; /* APIA, APIB, APDA, APDB, APGA; low, high */
};

static inline struct a64_state *a64(struct cpu *cpu)
{
    return (struct a64_state *)cpu->guest;
}

/* Slots of the IR: X0..X30, SP, flags, V0..V31, the rest. */
enum a64_slot {
    A64_X0,
    A64_SP = A64_X0 + 31,
    A64_N,
    A64_Z,
    A64_C,
    A64_V,
    A64_EXCL_ADDR,
    A64_EXCL_LO,
    A64_EXCL_HI,
    A64_TPIDR,
    A64_QC,
    A64_DIT,
    A64_SSBS,
    A64_PAC_KEYS, /* APIA, APIB, APDA, APDB; low, high */
    A64_V0 = A64_PAC_KEYS + 8,
    A64_USER_SLOTS = A64_V0 + 32,
    /* Of machines (system_priv.h) */
    A64_SP_EL0 = A64_USER_SLOTS, /* stale while it is the one in use */
    A64_SP_EL1,
    A64_ELR_EL1,
    A64_ELR_EL2,
    A64_SPSR_EL1,
    A64_SPSR_EL2,
    A64_ESR_EL1,
    A64_ESR_EL2,
    A64_FAR_EL1,
    A64_FAR_EL2,
    A64_TPIDR_EL1,
    A64_TPIDR_EL2,
    A64_TPIDRRO,
    A64_CONTEXTIDR_EL1,
    A64_CONTEXTIDR_EL2,
    A64_PAR,
    A64_DAIF,
    A64_NUM_SLOTS,
};

/* cpu->mode: what changes the meaning of code. */
enum {
    A64_MODE_FP_SLOW = 1, /* FPCR has FZ16 or AHP: evaluate FP out of line */
    A64_MODE_FP_FLUSH = 4, /* FPCR.FZ: denormals are zero */
    A64_MODE_QARMA5 = 2,  /* pointers are signed by QARMA5, not by our own quicker function */
    A64_MODE_BTI = 16,    /* there may be guarded pages: indirect branches set PSTATE.BTYPE */
    A64_MODE_GUARDED = 32, /* only for lifting: this page is one */
    A64_MODE_BIG = 128,   /* machines: data is big-endian (SCTLR_ELx.EE, E0E); instructions never are */
    A64_MODE_PAC_JUMPS = 64, /* machines: jumps may come to PACIASP there, too (SCTLR_ELx.BT is 0) */
    A64_MODE_MODEL = 8,   /* shift: index of the CPU model, whose features the decoder goes by; 6 bits */
    A64_MODE_WIDE = 1 << 14, /* machines: addresses are of more than 48 bits, signatures of pointers shorter */
    A64_MODE_NO_PAUTH = 1 << 15, /* -cpu X,pauth=off */
    /* Machines only; programs have none of these bits. */
    A64_MODE_EL = 16,          /* shift: exception level; 2 bits */
    A64_MODE_SYSTEM = 1 << 18, /* a machine */
    A64_MODE_E2H = 1 << 19,    /* EL2, or EL0 below it, in the EL2&0 regime */
    A64_MODE_PAN = 1 << 20,
    A64_MODE_UNPRIV = 1 << 21, /* LDTR and its like are unprivileged accesses */
    A64_MODE_FP_TRAP = 1 << 22,
    A64_MODE_ALIGN = 1 << 23,  /* SCTLR.A */
    A64_MODE_TRAPS = 1 << 24,  /* some system instruction that is usually free may trap: ask */
    A64_MODE_IL = 1 << 25,     /* PSTATE.IL: nothing can be executed */
    A64_MODE_SP0 = 1 << 26,    /* SP_EL0 is the stack pointer, above EL0 */
    A64_MODE_BREAK = 1 << 27,  /* each instruction asks for hardware breakpoints */
    A64_MODE_SP_ODD = 1 << 28, /* SP is misaligned, and that is checked */
    A64_MODE_SP_CHECK = 1 << 29, /* SCTLR.SA */
    A64_MODE_PAC = 1 << 30,    /* all keys are enabled; else ask for each */
};

/* Of a CPU's mode: the index of its model; its exception level. */
static inline unsigned a64_mode_model(uint32_t mode)
{
    return mode >> A64_MODE_MODEL & 63;
}
static inline unsigned a64_mode_el(uint32_t mode)
{
    return mode >> A64_MODE_EL & 3;
}

extern const struct guest_isa guest_aarch64;

/** a64_get_fpsr, a64_set_fpsr, a64_set_fpcr - whole registers, flags gathered from everywhere. */
uint32_t a64_get_fpsr(struct cpu *cpu);
void a64_set_fpsr(struct cpu *cpu, uint32_t v);
void a64_set_fpcr(struct cpu *cpu, uint32_t v);
uint32_t a64_get_nzcv(struct cpu *cpu); /* bits 31..28 */
void a64_set_nzcv(struct cpu *cpu, uint32_t v);
/** a64_get_pstate, a64_set_pstate - as SPSR_EL1 has it: NZCV, DIT, SSBS, BTYPE. */
uint32_t a64_get_pstate(struct cpu *cpu);
void a64_set_pstate(struct cpu *cpu, uint32_t v);

/* Linux's view of the features: exactly what the decoder accepts. */
uint64_t a64_hwcap(const struct cpu *cpu);
uint64_t a64_hwcap2(const struct cpu *cpu);

/* CPU models: -cpu NAME.  a64_model_find gives the index or -1. */
int a64_model_find(const char *name);
const char *a64_model_name(int index); /* NULL past the end */
uint32_t a64_model_midr(int index);
/** a64_set_model - make @cpu that model; before it runs. */
void a64_set_model(struct cpu *cpu, int index);
/** a64_enable_bti - there may be guarded pages from now on: indirect branches are checked, if the model
 * does that.  On the CPU's thread. */
void a64_enable_bti(struct cpu *cpu);
/** a64_has_bti - whether that model does. */
bool a64_has_bti(int model);
/** a64_set_qarma5 - sign pointers by the architected algorithm; before it runs. */
void a64_set_qarma5(struct cpu *cpu);
/** a64_reset_pac_keys - new random pointer authentication keys (execve does this); @which: bits of
 * the Linux prctl PR_PAC_RESET_KEYS, 0 all. */
void a64_reset_pac_keys(struct cpu *cpu, unsigned which);

#endif
