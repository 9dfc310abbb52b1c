/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's floating-point control while translated code runs: its rounding mode is the guest's and
 * its sticky exception bits belong to the guest.  C code of ours never does FP arithmetic, so nothing
 * is swapped around calls.
 */
#ifndef CPU_FPMODE_H
#define CPU_FPMODE_H

#include "base/softfloat.h"

/** fpmode_load - put the guest's rounding and flushing into the host's control register; called by
 * cpu_run and whenever the guest changes them. */
void fpmode_load(struct fp_env *fp);
/** fpmode_gather - move the host's sticky bits into fp->flags (FP_IOC ...) and clear them. */
void fpmode_gather(struct fp_env *fp);

/** fpmode_trapped - the control register to go on with after an FP exception in translated code. */
uint32_t fpmode_trapped(const struct fp_env *fp, uint32_t mxcsr);

#endif
