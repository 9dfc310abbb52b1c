/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the functions that sysregs.def names look like, and what they share. */
#ifndef GUEST_AARCH64_SYSREG_PRIV_H
#define GUEST_AARCH64_SYSREG_PRIV_H

#include "guest/aarch64/sysreg.h"
#include "guest/aarch64/system_priv.h"

/* On the CPU's thread; accesses that are not allowed, or trap, do not get here.  @reg: the row, of those that share a function. */
typedef uint64_t a64_read_fn(struct cpu *cpu, unsigned reg);
typedef void a64_write_fn(struct cpu *cpu, unsigned reg, uint64_t v);

#define A64_READS(X) \
    X(zero) X(midr) X(mpidr) X(revidr) X(id) X(spsel) X(currentel) X(pan) X(uao) X(rvbar) X(isr) X(ccsidr) X(clidr)  \
    X(ctr) X(dczid) X(rndr) X(daif) X(hcr) X(oslsr) X(claimset) X(dbgauth) X(cntpct) X(cntvct) X(timer_tval)       \
    X(timer_ctl) X(timer_cval) X(pmintenset) X(pmcr) X(pmcnten) X(pmovs) X(pmceid0) X(pmccntr) X(pmxevtyper)          \
    X(pmxevcntr) X(pmevcntr) X(pmevtyper) X(pmccfiltr)
#define A64_WRITES(X) \
    X(ignored) X(ic_all) X(ic_va) X(dc_ivac) X(dc_va) X(dc_zva) X(at_s1e1) X(at_s1e2) X(at_s12) X(mdscr) X(dbgbvr)     \
    X(dbgbcr) X(dbgwvr) X(dbgwcr) X(oslar) X(claimset) X(claimclr) X(sctlr) X(actlr) X(cpacr) X(ttbr) X(tcr) X(spsel)   \
    X(pan) X(uao) X(mair) X(vbar) X(cntkctl) X(csselr) X(daif) X(hcr) X(mdcr) X(cptr) X(vttbr) X(cntvoff) X(cnthctl)    \
    X(timer_tval) X(timer_ctl) X(timer_cval) X(pmintenset) X(pmintenclr) X(pmcr) X(pmcntenset) X(pmcntenclr)            \
    X(pmovsclr) X(pmovsset) X(pmswinc) X(pmselr) X(pmccntr) X(pmxevtyper) X(pmxevcntr) X(pmevcntr) X(pmevtyper)         \
    X(pmuserenr) X(pmccfiltr)
#define X(name) a64_read_fn rd_##name;
A64_READS(X)
#undef X
#define X(name) a64_write_fn wr_##name;
A64_WRITES(X)
#undef X

/** a64_reg_field - where a register with a field keeps its value. */
uint64_t *a64_reg_field(struct cpu *cpu, unsigned reg);
/** a64_tlbi - TLB maintenance @enc; false: there is none of that encoding. */
bool a64_tlbi(struct cpu *cpu, uint32_t enc, uint64_t v, uint64_t pc, uint64_t iss);
/** a64_daif_immediate - MSR DAIFSet and DAIFClr at EL0. */
void a64_daif_immediate(struct cpu *cpu, uint64_t what, uint64_t pc, uint64_t iss);

#endif
