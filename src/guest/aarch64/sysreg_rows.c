/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rows of sysregs.def for the lifter: found by encoding (Arm ARM DDI 0487, C5.3, D17.1). */
#include "guest/aarch64/sysreg.h"
#include "guest/aarch64/system_priv.h"

enum { NOSLOT = -1, LEAVE = A64_REG_LEAVE, E2H = A64_REG_E2H };
enum { FROM0 = 15, FROM1 = 14, FROM2 = 12, FROM3 = 8 };

/* The levels that op1 lets access a register. */
#define LEVELS(op1) ((op1) == 3 ? FROM0 : (op1) == 4 || (op1) == 5 ? FROM2 : (op1) == 6 ? FROM3 : FROM1)
#define R_RW(op1)   LEVELS(op1)
#define R_RO(op1)   LEVELS(op1)
#define R_WO(op1)   0
#define R_R0W1(op1) LEVELS(op1)
#define R_R0WH(op1) LEVELS(op1)
#define W_RW(op1)   LEVELS(op1)
#define W_RO(op1)   0
#define W_WO(op1)   LEVELS(op1)
#define W_R0W1(op1) FROM1
#define W_R0WH(op1) FROM1
#define TRAPS(x)   (sizeof(#x) != sizeof("NONE") || #x[0] != 'N')

const struct a64_reg a64_regs[A64_NUM_REGS] = {
#define REG(name, op0, op1, crn, crm, op2, access, field, slot, read, write, trap, feature, flags)             \
    {A64_ENC(op0, op1, crn, crm, op2), slot, R_##access(op1), W_##access(op1), flags, TRAPS(trap)},
#include "guest/aarch64/sysregs.def"
#undef REG
};

unsigned a64_reg_find(uint32_t enc)
{
    unsigned lo = 0, hi = A64_NUM_REGS;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (a64_regs[mid].enc < enc)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < A64_NUM_REGS && a64_regs[lo].enc == enc ? lo : A64_NO_REG;
}

/* FEAT_VHE, DDI 0487 D8.4: EL1 names in EL2 with E2H are EL2's registers, op1 4; those with op1 5 are EL1's;
 * the EL0 timers are EL2's in EL2, and in EL0 below a host. */
unsigned a64_reg_meant(uint32_t *enc, uint32_t mode)
{
    unsigned op1 = *enc >> 11 & 7, el = a64_mode_el(mode), reg;
    bool timer = (*enc >> 7 & 15) == 14 && (*enc >> 3 & 15) >= 2;
    uint32_t rest = *enc & ~(7u << 11);

    if (op1 == 5) {
        *enc = rest | (timer ? 3u << 11 : 0);
        reg = a64_reg_find(*enc);
        return el == 2 && (mode & A64_MODE_E2H) && reg != A64_NO_REG && (a64_regs[reg].flags & A64_REG_E2H) ? reg
                                                                                                      : A64_NO_REG;
    }
    reg = a64_reg_find(*enc);
    if (reg == A64_NO_REG || !(mode & A64_MODE_E2H) || !(a64_regs[reg].flags & A64_REG_E2H) || (el == 0 && !timer))
        return reg;
    *enc = reg == A64_REG_CPACR_EL1 ? a64_regs[A64_REG_CPTR_EL2].enc : rest | 4u << 11;
    return a64_reg_find(*enc);
}
