/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's floating-point control while translated code runs: its rounding mode is the guest's and
 * its sticky exception bits belong to the guest.  C code of ours never does FP arithmetic, so nothing
 * is swapped around calls.
 */
#ifndef CPU_FPMODE_H
#define CPU_FPMODE_H

#include "cpu/cpu.h"

/** fpmode_load - put cpu->fp.rounding into the host's control register; called by cpu_run and
 * whenever the guest changes its rounding mode. */
void fpmode_load(struct cpu *cpu);
/** fpmode_gather - move the host's sticky bits into cpu->fp.flags (FP_IOC ...) and clear them. */
void fpmode_gather(struct cpu *cpu);

/** fpmode_trapped - the control register to go on with after an FP exception in translated code. */
uint32_t fpmode_trapped(const struct cpu *cpu, uint32_t mxcsr);

#endif
