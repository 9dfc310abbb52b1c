/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86's floating-point control and status register as a struct fp_env, and back (SDM 1, 10.2.3). */
#ifndef BASE_FP_X86_H
#define BASE_FP_X86_H

#include "base/softfloat.h"

enum {
    MXCSR_IE = 1, MXCSR_DE = 2, MXCSR_ZE = 4, MXCSR_OE = 8, MXCSR_UE = 16, MXCSR_PE = 32, MXCSR_FLAGS = 0x3f,
    MXCSR_DAZ = 1 << 6, MXCSR_MASKS = 0x1f80, MXCSR_RC = 3 << 13, MXCSR_FTZ = 1 << 15, MXCSR_ALL = 0xffff,
};
enum { MXCSR_MASK_SHIFT = 7, MXCSR_RC_SHIFT = 13 };

/** fp_flags_of_mxcsr - its flags as FP_*; FP_DEN, too. */
static inline uint32_t fp_flags_of_mxcsr(uint32_t m)
{
    return (m & MXCSR_IE) | (m >> 1 & (FP_DZC | FP_OFC | FP_UFC | FP_IXC)) | (m & MXCSR_DE) << 5;
}
static inline uint32_t mxcsr_of_fp_flags(uint32_t f)
{
    return (f & FP_IOC) | (f & (FP_DZC | FP_OFC | FP_UFC | FP_IXC)) << 1 | (f >> 5 & MXCSR_DE);
}

/** mxcsr_of_fp - what @fp says, with all exceptions masked and no flags. */
static inline uint32_t mxcsr_of_fp(const struct fp_env *fp)
{
    static const uint8_t rc[4] = {[FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3};

    return MXCSR_MASKS | (uint32_t)rc[fp->rounding & 3] << MXCSR_RC_SHIFT | (fp->daz ? MXCSR_DAZ : 0) | (fp->ftz ? MXCSR_FTZ : 0);
}

/** fp_control_of_mxcsr - rounding, flushing and whether exact tiny results count, from @m. */
static inline void fp_control_of_mxcsr(struct fp_env *fp, uint32_t m)
{
    static const uint8_t rounding[4] = {FP_RN, FP_RM, FP_RP, FP_RZ};

    fp->rounding = rounding[m >> MXCSR_RC_SHIFT & 3];
    fp->daz = m & MXCSR_DAZ;
    fp->ftz = m & MXCSR_FTZ;
    fp->tiny = !(m & MXCSR_UE << MXCSR_MASK_SHIFT);
}

#endif
