/* SPDX-License-Identifier: GPL-2.0-or-later */
/* System registers as the lifter needs to know them: what sysregs.def says, without the functions. */
#ifndef GUEST_AARCH64_SYSREG_H
#define GUEST_AARCH64_SYSREG_H

#include <stdbool.h>
#include <stdint.h>

enum a64_sysreg {
#define REG(name, ...) A64_REG_##name,
#include "guest/aarch64/sysregs.def"
#undef REG
    A64_NUM_REGS,
    A64_NO_REG = A64_NUM_REGS,
};

enum { A64_REG_LEAVE = 1, A64_REG_E2H = 2 };

struct a64_reg {
    uint32_t enc;     /* A64_ENC() */
    int16_t slot;     /* -1: none */
    uint8_t reads, writes; /* levels that may, bits 1 << EL; another condition may forbid it */
    uint8_t flags;
    bool traps;       /* there are conditions under which it traps */
};

extern const struct a64_reg a64_regs[A64_NUM_REGS];

/** a64_reg_find - by encoding, as it stands; A64_NO_REG. */
unsigned a64_reg_find(uint32_t enc);
/** a64_reg_meant - the register that @enc means in @mode: host kernels in EL2 have two names for some.  *@enc becomes its own. */
unsigned a64_reg_meant(uint32_t *enc, uint32_t mode);
/** a64_enc_is_gic - is it one of the GIC's CPU interface? */
static inline bool a64_enc_is_gic(uint32_t enc)
{
    unsigned op1 = enc >> 11 & 7;

    return (enc >> 14) == 3 && (op1 == 0 || op1 == 4 || op1 == 6) &&
           (((enc >> 7 & 15) == 12 && (enc >> 3 & 15) >= 8) ||
            (enc & 0x3fff) == (4 << 7 | 6 << 3));
}
/** a64_enc_reads_zero - reserved among the identification registers. */
static inline bool a64_enc_reads_zero(uint32_t enc)
{
    unsigned crm = enc >> 3 & 15;

    return enc >> 7 == 3u << 7 && crm >= 1 && crm <= 7; /* op0 3, op1 0, CRn 0 */
}

#endif
