/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's MXCSR as the guest's floating-point control; see fpmode.h.
 * Source: AMD64 manual volume 1, 4.2.2: flags 0..5, masks 7..12, rounding 13..14. */
#include "cpu/fpmode.h"

#define MXCSR_MASKS 0x1f80u
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
    static const uint8_t rc[4] = { [FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3 };

    uint32_t masks = MXCSR_MASKS;

    if (fp->fz) { /* see host_job.fp_flush; what the handler clears must not be the guest's */
        fpmode_gather(fp);
        masks &= ~(MXCSR_DM | MXCSR_ZM | MXCSR_UM);
        if (!(fp->flags & FP_IXC))
            masks &= ~MXCSR_PM;
    }
    mxcsr_write(masks | (uint32_t)rc[fp->rounding & 3] << 13 | (mxcsr_read() & 0x3f));
}

void fpmode_gather(struct fp_env *fp)
{
    uint32_t m = mxcsr_read();

    /* invalid 0, denormal 1 (no such flag without flushing), zero 2, overflow 3, underflow 4,
     * precision 5 */
    fp->flags |= (m & 1 ? FP_IOC : 0) | (m & 4 ? FP_DZC : 0) | (m & 8 ? FP_OFC : 0) |
                     (m & 16 ? FP_UFC : 0) | (m & 32 ? FP_IXC : 0);
    if (m & 0x3f)
        mxcsr_write(m & ~0x3fu);
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
