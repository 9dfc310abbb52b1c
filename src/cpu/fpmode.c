/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's MXCSR as the guest's floating-point control; see fpmode.h.
 * Source: AMD64 manual volume 1, 4.2.2: flags 0..5, masks 7..12, rounding 13..14. */
#include "cpu/fpmode.h"

#include "base/fp_x86.h"

#define MXCSR_DM    0x0100u /* denormal operand */
#define MXCSR_ZM    0x0200u /* division by zero: perhaps of a denormal, which is not one when flushed */
#define MXCSR_UM    0x0800u /* underflow */
#define MXCSR_PM    0x1000u /* precision */

static uint32_t mxcsr_read(void)
{
    uint32_t v;

    __asm__ volatile("stmxcsr %0" : "=m"(v));
    return v;
}

static void mxcsr_write(uint32_t v)
{
    __asm__ volatile("ldmxcsr %0" : : "m"(v));
}

void fpmode_load(struct fp_env *fp)
{
    uint32_t off = 0;

    if (fp->fz) { /* see host_job.fp_flush; what the handler clears must not be the guest's */
        fpmode_gather(fp);
        off = MXCSR_DM | MXCSR_ZM | MXCSR_UM;
        if (!(fp->flags & FP_IXC))
            off |= MXCSR_PM;
    }
    mxcsr_write((mxcsr_of_fp(fp) & ~off) | (mxcsr_read() & MXCSR_FLAGS));
}

void fpmode_gather(struct fp_env *fp)
{
    uint32_t m = mxcsr_read(), flags = fp_flags_of_mxcsr(m);

    fp->flags |= fp->nan_rule == FP_NAN_X86 ? flags : flags & ~(uint32_t)FP_DEN; /* others have no such flag without flushing */
    if (m & MXCSR_FLAGS)
        mxcsr_write(m & ~(uint32_t)MXCSR_FLAGS);
}

/* The exception's own bits are not the guest's: the operation is done again out of line, where flushing
 * sets what it should.  Inexactness must trap until it is known to be set, since a flushed result sets
 * the host's bit and not the guest's. */
uint32_t fpmode_trapped(const struct fp_env *fp, uint32_t mxcsr)
{
    mxcsr &= ~(2u | 4u | 16u);
    if (!(mxcsr & MXCSR_PM))
        mxcsr &= ~32u;
    return fp->flags & FP_IXC ? mxcsr | MXCSR_PM : mxcsr;
}
