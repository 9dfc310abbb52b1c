/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A64 instructions whose meaning depends on the exception level (Arm ARM DDI 0487, C4.1.87, C5): exceptions and returns,
 * system registers, maintenance.  What can be decided while lifting is: the level and the usual traps are bits of the mode.
 */
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/sysreg.h"
#include "guest/aarch64/system_priv.h"

enum { LINE = 64 };

static unsigned el(const struct a64_tr *t)
{
    return a64_mode_el(t->mode);
}

static bool is(uint32_t w, uint32_t mask, uint32_t value)
{
    return (w & mask) == value;
}

static bool stop(struct a64_tr *t, enum a64_guest_stop why, uint64_t imm)
{
    ir_trap(t->ir, CPU_STOP_GUEST, why | imm << 8, t->pc);
    return true;
}

static bool undefined(struct a64_tr *t)
{
    a64_undefined(t);
    return true;
}

/* On to the next instruction, which has to be looked up anew. */
static bool again(struct a64_tr *t)
{
    ir_trap(t->ir, CPU_STOP_AGAIN, 0, t->pc + 4);
    return true;
}

/* --- Exceptions --- */

static bool exception(struct a64_tr *t)
{
    uint64_t imm = t->word >> 5 & 0xffff;

    switch ((t->word >> 21 & 7) << 5 | (t->word & 31)) {
    case 2:
        return el(t) ? stop(t, A64_STOP_HVC, imm) : undefined(t);
    case 3:
        return el(t) ? stop(t, A64_STOP_SMC, imm) : undefined(t);
    default:
        return false;
    }
}

/* @key: 0; 1 ERETAA; 2 ERETAB */
static bool eret(struct a64_tr *t, unsigned key)
{
    if (!el(t))
        return undefined(t);
    ir_call(t->ir, A64_HELP_eret, a64_const(t, t->pc), a64_const(t, key), IR_NONE);
    return again(t);
}

/* --- Registers --- */

static bool slot_of(struct a64_tr *t, unsigned reg, unsigned *slot)
{
    const struct a64_reg *r = &a64_regs[reg];

    if (r->slot < 0 || (r->traps && (t->mode & A64_MODE_TRAPS)))
        return false;
    *slot = (unsigned)r->slot;
    return true;
}

/* Encoding, transfer register: what a trap's syndrome needs, too. */
static ir_val described(struct a64_tr *t, uint32_t enc)
{
    return a64_const(t, enc | (uint64_t)(t->word & 31) << 16);
}

static uint32_t encoding(uint32_t w)
{
    return w >> 5 & 0xffff;
}

/* Registers that instructions of programs read and write, too: their rows in insn.def are good for both. */
static bool is_row(struct a64_tr *t, uint32_t enc)
{
    switch (enc) {
    case A64_ENC(3, 3, 4, 2, 0): /* NZCV */
    case A64_ENC(3, 3, 4, 2, 5): /* DIT */
    case A64_ENC(3, 3, 4, 2, 6): /* SSBS */
    case A64_ENC(3, 3, 4, 4, 0): /* FPCR */
    case A64_ENC(3, 3, 4, 4, 1): /* FPSR */
    case A64_ENC(3, 3, 13, 0, 2): /* TPIDR_EL0 */
        return true;
    case A64_ENC(3, 3, 2, 4, 0): /* RNDR */
    case A64_ENC(3, 3, 2, 4, 1):
        return true;
    default:
        return false;
    }
}

static bool mrs(struct a64_tr *t)
{
    uint32_t enc = encoding(t->word), meant = enc;
    unsigned reg = a64_reg_meant(&meant, t->mode), slot, rt = t->word & 31;

    if (is_row(t, enc))
        return false;
    if (reg == A64_REG_CurrentEL && el(t)) {
        a64_set_r(t, rt, a64_const(t, el(t) << 2));
        return true;
    }
    if (reg == A64_REG_SP_EL0 && (t->mode & A64_MODE_SP0))
        return undefined(t);
    if (!(t->mode & A64_MODE_TRAPS) && (reg == A64_REG_CNTVCT_EL0 || (reg == A64_REG_CNTPCT_EL0 && el(t)))) {
        a64_set_r(t, rt, ir_call(t->ir, A64_HELP_vct, a64_const(t, reg == A64_REG_CNTPCT_EL0), IR_NONE, IR_NONE));
        return true;
    }
    if (reg == A64_REG_DAIF && el(t)) {
        a64_set_r(t, rt, ir_get(t->ir, A64_DAIF));
        return true;
    }
    if (reg != A64_NO_REG && (a64_regs[reg].reads >> el(t) & 1) && slot_of(t, reg, &slot)) {
        a64_set_r(t, rt, ir_get(t->ir, slot));
        return true;
    }
    a64_set_r(t, rt, ir_call(t->ir, A64_HELP_sys_read, described(t, enc), a64_const(t, t->pc), IR_NONE));
    return true;
}

static bool write_daif(struct a64_tr *t, ir_val v)
{
    ir_call(t->ir, A64_HELP_daif, v, a64_const(t, t->pc + 4), IR_NONE);
    return true;
}

/* A write that the helper does. */
static bool sys_write(struct a64_tr *t, uint32_t enc, unsigned reg)
{
    ir_call(t->ir, A64_HELP_sys_write, described(t, enc), a64_const(t, t->pc), a64_x(t, t->word & 31));
    return reg != A64_NO_REG && (a64_regs[reg].flags & A64_REG_LEAVE) ? again(t) : true;
}

static bool msr(struct a64_tr *t)
{
    uint32_t enc = encoding(t->word), meant = enc;
    unsigned reg = a64_reg_meant(&meant, t->mode), slot;

    if (is_row(t, enc))
        return false;
    if (reg == A64_REG_SP_EL0 && (t->mode & A64_MODE_SP0))
        return undefined(t);
    if (reg == A64_REG_DAIF && el(t))
        return write_daif(t, a64_x(t, t->word & 31));
    if (reg != A64_NO_REG && (a64_regs[reg].writes >> el(t) & 1) && slot_of(t, reg, &slot)) {
        ir_set(t->ir, slot, a64_x(t, t->word & 31));
        return true;
    }
    return sys_write(t, enc, reg);
}

/* --- Maintenance --- */

static bool sys(struct a64_tr *t)
{
    uint32_t enc = encoding(t->word), meant = enc;
    unsigned reg = a64_reg_meant(&meant, t->mode);
    bool free = el(t) == 2 || !(t->mode & A64_MODE_TRAPS);

    if (t->word >> 21 & 1) /* SYSL: there are none */
        return undefined(t);
    if (reg == A64_REG_DC_ZVA && free)
        return false;
    if ((enc >> 7 & 15) == 8) { /* TLBI */
        sys_write(t, enc, A64_NO_REG);
        return again(t);
    }
    return sys_write(t, enc, reg);
}

/* --- Hints, barriers, PSTATE: op0 0 --- */

static bool hint(struct a64_tr *t)
{
    switch (t->word >> 5 & 127) {
    case 2:
        return stop(t, A64_STOP_WFE, 0);
    case 3:
        return stop(t, A64_STOP_WFI, 0);
    case 4:
        return stop(t, A64_STOP_SEV, 0);
    case 5:
        return stop(t, A64_STOP_SEVL, 0);
    default:
        return false;
    }
}

static bool barrier(struct a64_tr *t)
{
    if ((t->word >> 5 & 7) != 4) /* DSB */
        return false;
    ir_fence(t->ir, IR_FENCE_ALL);
    ir_call(t->ir, A64_HELP_dsb, a64_const(t, t->pc + 4), IR_NONE, IR_NONE);
    return true;
}

static bool daif_bits(struct a64_tr *t, bool set)
{
    uint64_t bits = (uint64_t)(t->word >> 8 & 15) << 6;
    ir_val old = ir_get(t->ir, A64_DAIF);

    if (!el(t)) /* SCTLR.UMA: as a write of DAIF, whose trap it has */
        return sys_write(t, A64_ENC(0, 3, 4, set ? 6 : 7, 0), A64_NO_REG);
    if (!set)
        return write_daif(t, ir_and_imm(t->ir, old, ~bits));
    ir_set(t->ir, A64_DAIF, ir_or(t->ir, old, a64_const(t, bits)));
    return true;
}

/* MSR (immediate) of fields that are system registers, too: as a write of that. */
static bool pstate_field(struct a64_tr *t, unsigned reg, unsigned shift)
{
    uint64_t bit = t->word >> 8 & 1;

    if (!el(t))
        return undefined(t);
    ir_call(t->ir, A64_HELP_sys_write, a64_const(t, a64_regs[reg].enc | 31u << 16), a64_const(t, t->pc),
            a64_const(t, bit << shift));
    return again(t);
}

static bool pstate(struct a64_tr *t)
{
    switch ((t->word >> 16 & 7) << 3 | (t->word >> 5 & 7)) {
    case 0 << 3 | 3:
        return pstate_field(t, A64_REG_UAO, 23);
    case 0 << 3 | 4:
        return pstate_field(t, A64_REG_PAN, 22);
    case 0 << 3 | 5:
        return pstate_field(t, A64_REG_SPSel, 0);
    case 3 << 3 | 6:
        return daif_bits(t, true);
    case 3 << 3 | 7:
        return daif_bits(t, false);
    default:
        return false;
    }
}

static bool system_word(struct a64_tr *t)
{
    uint32_t w = t->word;
    unsigned op0 = w >> 19 & 3, crn = w >> 12 & 15;

    if (op0 == 1)
        return sys(t);
    if (op0 >= 2)
        return w >> 21 & 1 ? mrs(t) : msr(t);
    if ((w & 31) != 31 || (w >> 21 & 1))
        return false;
    if (is(w, 0x7f000, 0x32000)) /* op1 3, CRn 2 */
        return hint(t);
    if (is(w, 0x7f000, 0x33000))
        return barrier(t);
    return crn == 4 && pstate(t);
}

/* --- What the mode forbids --- */

static bool is_fp(uint32_t w)
{
    if (is(w, 0x0e000000, 0x0e000000)) /* data processing */
        return true;
    if (is(w, 0x0a000000, 0x08000000)) /* loads and stores: bit 26 */
        return w >> 26 & 1;
    return is(w, 0xffdfffc0 & ~0x1fu, 0xd51b4400); /* FPCR, FPSR */
}

/* Is SP the base of the access? */
static bool based_on_sp(uint32_t w)
{
    if (!is(w, 0x0a000000, 0x08000000) || (w >> 5 & 31) != 31)
        return false;
    return !is(w, 0x3b000000, 0x18000000); /* literal */
}

/* Bytes that a load or store accesses, for watchpoints; 1 for other instructions. */
static unsigned access_bytes(uint32_t w)
{
    unsigned size = w >> 30;

    if (!is(w, 0x0a000000, 0x08000000))
        return is(w, 0xfffff000, 0xd50b7000) ? LINE : 1; /* DC ZVA */
    if (is(w, 0x3a000000, 0x28000000)) /* pairs */
        return w >> 26 & 1 ? 8u << size : 8u << (w >> 31);
    if (is(w, 0x3b000000, 0x18000000)) /* literals */
        return w >> 26 & 1 ? 4u << size : size == 1 ? 8 : 4;
    if (is(w, 0x3f000000, 0x08000000) && (w >> 21 & 1)) /* exclusive pairs, compare and swap */
        return size < 2 ? 8u << size : w >> 23 & 1 ? 1u << size : 2u << size;
    if (is(w, 0xbf000000, 0x0c000000) || is(w, 0xbf000000, 0x0d000000))
        return 16;
    return is(w, 0x3c800000, 0x3c800000) ? 16u : 1u << size;
}

bool a64_lift_system(struct a64_tr *t)
{
    uint32_t w = t->word;

    if (t->mode & A64_MODE_IL)
        return stop(t, A64_STOP_ILLEGAL, 0);
    if (t->mode & A64_MODE_BREAK)
        ir_call(t->ir, A64_HELP_breakpoint, a64_const(t, t->pc), a64_const(t, access_bytes(w)), IR_NONE);
    if ((t->mode & A64_MODE_FP_TRAP) && is_fp(w) &&
        (a64_decode_row(w, t->feats) != A64_NO_ROW))
        return stop(t, A64_STOP_FP, 0);
    if ((t->mode & A64_MODE_SP_ODD) && based_on_sp(w) && a64_decode_row(w, t->feats) != A64_NO_ROW)
        return stop(t, A64_STOP_SP, 0);
    switch (w >> 22) {
    case 0x354:
        return system_word(t);
    case 0x350: case 0x351: case 0x352: case 0x353:
        return exception(t);
    case 0x35a:
        if (w == 0xd69f03e0)
            return eret(t, 0);
        return is(w, 0xfffffbff, 0xd69f0bff) && (t->feats >> A64_FEAT_PAUTH & 1) ? eret(t, 1 + (w >> 10 & 1)) : false;
    default:
        return false;
    }
}

/* MRS, MSR and SYS mostly fall through; what does not just makes the block shorter. */
bool a64_system_end(uint32_t w)
{
    return w >> 22 != 0x354;
}

/* May SP be misaligned after this, when it was aligned before? */
bool a64_sp_moves(uint32_t w)
{
    uint64_t imm;

    if (is(w, 0x3f80001f, 0x1100001f)) /* add, sub, immediate */
        return (w >> 5 & 31) != 31 || (!(w >> 22 & 1) && (w >> 10 & 15));
    if (is(w, 0x3fe0001f, 0x0b20001f)) /* extended register */
        return true;
    if (is(w, 0x1f80001f, 0x1200001f)) /* logical, immediate */
        return (w >> 29 & 3) != 3 && a64_bitmask(w >> 31, w >> 22 & 1, w >> 10 & 63, w >> 16 & 63, &imm) && (imm & 15);
    if (!based_on_sp(w))
        return false;
    if (is(w, 0x3a800000, 0x28800000)) /* pairs with write-back */
        return (w >> 15 & 127) << (w >> 26 & 1 ? 2 + (w >> 30) : 2 + (w >> 31)) & 15;
    if (is(w, 0x3b200400, 0x38000400)) /* single registers with write-back */
        return w >> 12 & 15;
    if (is(w, 0x3b200400, 0x38200400)) /* LDRAA */
        return w >> 11 & 1;
    return is(w, 0xbe800000, 0x0c800000); /* vector structures, post-indexed */
}

void a64_sp_written(struct a64_tr *t)
{
    if ((t->mode & (A64_MODE_SP_CHECK | A64_MODE_SP_ODD)) && !ir_ended(t->ir))
        ir_call(t->ir, A64_HELP_sp_written, a64_const(t, t->pc + 4), IR_NONE, IR_NONE);
}
