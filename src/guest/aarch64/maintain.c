/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Maintenance of caches and TLBs, address translation instructions, DSB (Arm ARM DDI 0487, C5.3 to C5.5, D8.13).
 * There are no caches to maintain: what is left of their instructions is the check of the address.
 */
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/sysreg_priv.h"

enum { LINE = 64 };

/* --- Caches --- */

/* The address must be mapped; false: the fault is on its way. */
static bool check_address(struct cpu *cpu, uint64_t va, enum mmu_access access)
{
    struct a64_sys *s = a64s(cpu);
    struct mmu_page page;

    if (a64_walk(cpu, va, access, a64_regime(cpu->mode, false), false, &page) == 0)
        return true;
    s->fault.cm = true;
    s->fault.write = true; /* as cache maintenance reports itself */
    cpu->stop = CPU_STOP_FAULT;
    return false;
}

void wr_dc_va(struct cpu *cpu, unsigned reg, uint64_t v)
{
    check_address(cpu, v, MMU_READ);
}

void wr_dc_ivac(struct cpu *cpu, unsigned reg, uint64_t v)
{
    check_address(cpu, v, MMU_WRITE);
}

/* Only where the lifter could not do it in line. */
void wr_dc_zva(struct cpu *cpu, unsigned reg, uint64_t v)
{
    static const union ir_u zero;
    unsigned regime = a64_regime(cpu->mode, false);

    for (unsigned i = 0; i < LINE; i += 16)
        if (!mmu_store(cpu, (v & ~(uint64_t)(LINE - 1)) + i, 4, regime, &zero))
            return;
}

/* Code that has changed is seen as it is written; here only what follows is looked up anew. */
void wr_ic_all(struct cpu *cpu, unsigned reg, uint64_t v)
{
}

void wr_ic_va(struct cpu *cpu, unsigned reg, uint64_t v)
{
    check_address(cpu, v, MMU_READ);
}

/* --- Translation of addresses --- */

void wr_at_s1e1(struct cpu *cpu, unsigned reg, uint64_t v)
{
    const struct a64_sys *s = a64s(cpu);
    uint32_t enc = a64_regs[reg].enc;
    unsigned op2 = enc & 7;
    bool host = s->el == 2 && (hcr_of(s) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
    bool pan = (enc >> 3 & 15) == 9 && s->pan;
    unsigned regime = op2 >= 2 ? (host ? R_EL20_0 : R_EL10_0)
                      : host   ? (pan ? R_EL2_PAN : R_EL2)
                      : pan    ? R_EL10_1_PAN
                               : R_EL10_1;

    a64_at(cpu, v, op2 & 1 ? MMU_WRITE : MMU_READ, regime, true);
}

void wr_at_s1e2(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64_at(cpu, v, a64_regs[reg].enc & 1 ? MMU_WRITE : MMU_READ, R_EL2, true);
}

void wr_at_s12(struct cpu *cpu, unsigned reg, uint64_t v)
{
    uint32_t enc = a64_regs[reg].enc;

    a64_at(cpu, v, enc & 1 ? MMU_WRITE : MMU_READ, enc & 2 ? R_EL10_0 : R_EL10_1, false);
}

/* --- TLBs --- */

struct tlbi {
    unsigned regimes;
    uint64_t va, size; /* 0: everything */
    bool globals, broadcast;
};

static void operand_va(struct tlbi *t, uint64_t v)
{
    t->va = (uint64_t)((int64_t)(v << 20) >> 8); /* bits 55..12 in 43..0, extended */
    t->size = 4096;
}

/* FEAT_TLBIRANGE; @ds: the regime's addresses are of 52 bits, and what is given is their part above 64K. */
static void operand_range(struct tlbi *t, uint64_t v, bool ds)
{
    static const uint8_t shifts[] = {12, 12, 14, 16};
    unsigned shift = shifts[a64_bits(v, 46, 2)], scale = (unsigned)a64_bits(v, 44, 2);

    t->va = (uint64_t)((int64_t)(v << 27) >> 27) << (ds ? 16 : shift);
    t->size = (a64_bits(v, 39, 5) + 1) << (5 * scale + 1) << shift;
}

/* False: there is no such operation at EL1's encodings. */
static bool el1_op(struct tlbi *t, unsigned crm, unsigned op2, uint64_t v, bool ds)
{
    bool range = crm == 2 || crm == 5 || crm == 6;

    if (!(crm == 1 || crm == 2 || crm == 3 || crm == 5 || crm == 6 || crm == 7))
        return false;
    t->broadcast = crm != 6 && crm != 7;
    t->globals = op2 != 2;
    switch (op2) {
    case 0: case 2:
        return !range;
    case 1: case 3: case 5: case 7:
        if (range)
            operand_range(t, v, ds);
        else
            operand_va(t, v);
        return true;
    default:
        return false;
    }
}

/* At EL2's: of EL2, of stage 2, and of everything below. */
static bool el2_op(struct tlbi *t, unsigned crm, unsigned op2, uint64_t v, bool ds)
{
    bool range = crm == 2 || crm == 5 || crm == 6;

    t->globals = true;
    t->broadcast = crm != 4 && crm != 6 && crm != 7;
    if (crm == 0 || crm == 4) { /* by intermediate address, which nothing here is found by */
        t->regimes = R_EL10_ALL;
        t->broadcast = crm == 0 || op2 == 0 || op2 == 3 || op2 == 4 || op2 == 7;
        return crm == 4 || op2 == 1 || op2 == 2 || op2 == 5 || op2 == 6;
    }
    if (crm > 7)
        return false;
    switch (op2) {
    case 0: case 4: case 6:
        t->regimes = op2 ? R_EL10_ALL : R_EL2_ALL;
        return !range;
    case 1: case 5:
        t->regimes = R_EL2_ALL;
        if (range)
            operand_range(t, v, ds);
        else
            operand_va(t, v);
        return true;
    default:
        return false;
    }
}

/* Outer shareable and range forms came with FEAT_TLBIOS and FEAT_TLBIRANGE. */
static bool is_new(uint32_t enc)
{
    unsigned op1 = enc >> 11 & 7, crm = enc >> 3 & 15, op2 = enc & 7;

    if (op1 == 4 && (crm == 0 || crm == 4))
        return op2 != 1 && op2 != 5;
    return crm == 1 || crm == 2 || crm == 5 || crm == 6;
}

bool a64_tlbi(struct cpu *cpu, uint32_t enc, uint64_t v, uint64_t pc, uint64_t iss)
{
    struct a64_sys *s = a64s(cpu);
    unsigned op1 = enc >> 11 & 7, crm = enc >> 3 & 15, op2 = enc & 7;
    bool host = (hcr_of(s) & (HCR_E2H | HCR_TGE)) == (HCR_E2H | HCR_TGE);
    struct tlbi t = {.regimes = s->el == 2 && host ? R_EL2_ALL : R_EL10_ALL};
    bool ds;

    if (s->el < 1 || (op1 != 0 && op1 != 4) || (op1 == 4 && s->el != 2) || (is_new(enc) && !s->core->tlb_range))
        return false;
    ds = a64_ds(s, t.regimes == R_EL2_ALL || op1 ? 2 : 1);
    if (!(op1 ? el2_op(&t, crm, op2, v, ds) : el1_op(&t, crm, op2, v, ds)))
        return false;
    if (s->el == 1 && (hcr_of(s) & HCR_TTLB)) {
        a64_trap(cpu, pc, 2, EC_SYSREG, iss);
        return true;
    }
    if (t.broadcast || (s->el == 1 && (hcr_of(s) & HCR_FB))) {
        mmu_flush_all(cpu, t.regimes, t.va, t.size, t.globals);
        s->tlbi_pending = true;
    } else {
        mmu_flush(cpu, t.regimes, t.va, t.size, t.globals);
    }
    return true;
}

/* Other CPUs have to be done with what was asked of them. */
uint64_t help_dsb(struct cpu *cpu, uint64_t next_pc, uint64_t b, uint64_t c)
{
    struct a64_sys *s = a64s(cpu);

    if (s->tlbi_pending) {
        s->tlbi_pending = false;
        cpu->pc = next_pc;
        mmu_sync(cpu);
    }
    return 0;
}
