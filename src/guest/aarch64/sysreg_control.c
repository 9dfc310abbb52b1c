/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Identification, control, translation and PSTATE registers (Arm ARM DDI 0487, D17.2). */
#include "guest/aarch64/lift_priv.h"
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/sysreg_priv.h"

/* --- Identification --- */

/* EL1 sees what EL2 wants it to see. */
uint64_t rd_midr(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);

    return s->conf.el2 && s->el == 1 ? s->vpidr : a64_model_midr(s->conf.model);
}

uint64_t a64_mpidr(const struct cpu *cpu)
{
    return a64s_const(cpu)->conf.mpidr | 1u << 31;
}

uint64_t rd_mpidr(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);

    return s->conf.el2 && s->el == 1 ? s->vmpidr : a64_mpidr(cpu);
}

uint64_t rd_revidr(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->core->revidr;
}

/* 4K and 16K are as before FEAT_LPA2: supported, at both stages. */
static uint64_t without_lpa2(uint64_t mmfr0)
{
    if (a64_id_field(mmfr0, 28) == 1)
        mmfr0 = (mmfr0 & ~0xf0ff00f00000ull & ~(15ull << 28) & ~(15ull << 40)) | 1ull << 20 | 2ull << 32 | 2ull << 36 | 2ull << 40;
    return mmfr0;
}

/* Instruction set fields are what the decoder accepts; the rest is the core's. */
uint64_t rd_id(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);
    uint32_t enc = a64_regs[reg].enc;
    uint64_t isa = a64_id_register(cpu->mode, enc >> 3 & 15, enc & 7);

    switch (reg) {
    case A64_REG_ID_AA64PFR0_EL1:
        return isa | s->core->pfr0 | (s->conf.el2 ? 1u << 8 : 0) | (s->conf.gic_regs ? 1u << 24 : 0);
    case A64_REG_ID_AA64DFR0_EL1:
        return s->conf.pmu ? s->core->dfr0 : s->core->dfr0 & ~(15ull << 8);
    case A64_REG_ID_AA64ISAR0_EL1:
        return isa | (s->core->tlb_range ? 2ull << 56 : 0);
    case A64_REG_ID_AA64MMFR0_EL1:
        return s->conf.lpa2 ? s->core->mmfr0 : without_lpa2(s->core->mmfr0);
    case A64_REG_ID_AA64MMFR1_EL1:
        return s->core->mmfr1;
    case A64_REG_ID_AA64MMFR2_EL1:
        return isa | s->core->mmfr2;
    default:
        return isa;
    }
}

uint64_t rd_clidr(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->core->clidr;
}

uint64_t rd_ctr(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->core->ctr;
}

uint64_t rd_dczid(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);
    bool allowed = s->el ? s->el == 2 || !(hcr_of(s) & HCR_TDZ)
                         : (s->sctlr[control_el(s)] & SCTLR_DZE) && (host_el0(s) || !(hcr_of(s) & HCR_TDZ));

    return 4 | (allowed ? 0 : 16);
}

void wr_csselr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->csselr = v & 15;
}

uint64_t rd_ccsidr(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);
    unsigned level = s->csselr >> 1 & 7;

    if (level == 0)
        return s->core->ccsidr[s->csselr & 1];
    return level < 3 && !(s->csselr & 1) ? s->core->ccsidr[level + 1] : 0;
}

uint64_t rd_rndr(struct cpu *cpu, unsigned reg)
{
    return help_rndr(cpu, 0, 0, 0);
}

uint64_t rd_rvbar(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->reset.pc;
}

/* --- PSTATE --- */

uint64_t rd_currentel(struct cpu *cpu, unsigned reg)
{
    return (uint64_t)a64s(cpu)->el << 2;
}

uint64_t rd_spsel(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->spsel;
}

void wr_spsel(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64_select_sp(cpu, a64s(cpu)->el, v & 1);
    a64_update_mode(cpu);
}

uint64_t rd_pan(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->pan ? PS_PAN : 0;
}

void wr_pan(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->pan = (v & PS_PAN) != 0;
    a64_update_mode(cpu);
}

uint64_t rd_uao(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->uao ? PS_UAO : 0;
}

void wr_uao(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->uao = (v & PS_UAO) != 0;
    a64_update_mode(cpu);
}

uint64_t rd_daif(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->daif;
}

void wr_daif(struct cpu *cpu, unsigned reg, uint64_t v)
{
    help_daif(cpu, v, cpu->pc + 4, 0);
}

/* Pending interrupts, physical or, where they are virtual ones, those. */
uint64_t rd_isr(struct cpu *cpu, unsigned reg)
{
    const struct a64_sys *s = a64s(cpu);
    uint32_t level = __atomic_load_n(&s->irq_level, __ATOMIC_ACQUIRE);
    uint64_t hcr = s->el < 2 ? hcr_of(s) : 0;
    bool i = hcr & HCR_IMO ? (hcr & HCR_VI) || (level >> A64_VIRQ & 1) : level >> A64_IRQ & 1;
    bool f = hcr & HCR_FMO ? (hcr & HCR_VF) || (level >> A64_VFIQ & 1) : level >> A64_FIQ & 1;
    bool a = hcr & HCR_AMO ? (hcr & HCR_VSE) || (level >> A64_VSERROR & 1) : level >> A64_SERROR & 1;

    return (uint64_t)a << 8 | (uint64_t)i << 7 | (uint64_t)f << 6;
}

/* --- Control --- */

static bool is_el2(unsigned reg)
{
    return (a64_regs[reg].enc >> 11 & 7) == 4;
}

static unsigned regimes_of(unsigned reg)
{
    return is_el2(reg) ? R_EL2_ALL : R_EL10_ALL;
}

/* Bits without a meaning here are those of features that are not there; E0E is EL2's when programs are its own. */
void wr_sctlr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = a64s(cpu);
    unsigned el = is_el2(reg) ? 2 : 1;
    uint64_t known = 0xffffffffull | SCTLR_DSSBS | (a64_core_epan(s->core) ? SCTLR_EPAN : 0), old = s->sctlr[el];

    if (s->bti)
        known |= SCTLR_BT0 | SCTLR_BT;
    if (el == 2 && !(s->hcr & HCR_E2H))
        known &= ~(uint64_t)SCTLR_E0E;
    if (!(a64_mode_feats(cpu->mode) >> A64_FEAT_PAUTH & 1))
        known &= ~(uint64_t)(SCTLR_ENIA | SCTLR_ENIB | SCTLR_ENDA | SCTLR_ENDB);
    s->sctlr[el] = v & known;
    if ((old ^ v) & (SCTLR_M | SCTLR_WXN | SCTLR_EPAN))
        mmu_flush(cpu, regimes_of(reg), 0, 0, true);
    a64_update_mode(cpu);
}

void wr_actlr(struct cpu *cpu, unsigned reg, uint64_t v)
{
}

void wr_cpacr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->cpacr = v & (3ull << 20);
    a64_update_mode(cpu);
}

/* CPTR_EL2 without E2H: TCPAC, TFP and ones; with it: as CPACR_EL1. */
void wr_cptr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = a64s(cpu);

    s->cptr = hcr_of(s) & HCR_E2H ? v & (3ull << 20 | 1u << 31) : (v & (1u << 31 | 1u << 10)) | 0x33ff;
    a64_update_mode(cpu);
}

/* --- Translation --- */

void wr_ttbr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    uint64_t *field = a64_reg_field(cpu, reg), old = *field;

    *field = v;
    if ((old ^ v) >> 48)
        a64_contexts(cpu);
}

void wr_tcr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    uint64_t *field = a64_reg_field(cpu, reg), old = *field;

    *field = v;
    if (old != v)
        mmu_flush(cpu, regimes_of(reg), 0, 0, true);
    a64_contexts(cpu);
    a64_update_mode(cpu); /* where pointers have their signatures */
}

void wr_mair(struct cpu *cpu, unsigned reg, uint64_t v)
{
    uint64_t *field = a64_reg_field(cpu, reg), old = *field;

    *field = v;
    if (old != v)
        mmu_flush(cpu, regimes_of(reg), 0, 0, true);
}

/* VTTBR_EL2, VTCR_EL2.  Entries that are global to one guest are not to another. */
void wr_vttbr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    uint64_t *field = a64_reg_field(cpu, reg), old = *field;

    *field = v;
    if (old != v)
        mmu_flush(cpu, R_EL10_ALL, 0, 0, true);
    a64_contexts(cpu);
}

void wr_vbar(struct cpu *cpu, unsigned reg, uint64_t v)
{
    *a64_reg_field(cpu, reg) = v & ~0x7ffull;
}

uint64_t rd_hcr(struct cpu *cpu, unsigned reg)
{
    return a64s(cpu)->hcr;
}

void wr_hcr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = a64s(cpu);
    uint64_t known = 0x7fffffff | HCR_RW | HCR_CD | HCR_ID, old = s->hcr;

    if (a64_core_vhe(s->core))
        known |= HCR_E2H;
    if (a64_core_lor(s->core))
        known |= HCR_TLOR;
    if (a64_mode_feats(cpu->mode) >> A64_FEAT_PAUTH & 1)
        known |= HCR_APK | HCR_API;
    s->hcr = (v & known) | HCR_RW; /* EL1 is in AArch64, always */
    if ((old ^ s->hcr) & (HCR_VM | HCR_DC | HCR_TGE | HCR_E2H | 4))
        mmu_flush(cpu, R_EL10_ALL | R_EL2_ALL, 0, 0, true);
    a64_contexts(cpu);
    a64_update_mode(cpu);
}

void wr_mdcr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    struct a64_sys *s = a64s(cpu);

    s->mdcr = v & 0x1ffff;
    a64_pmu_update(cpu);
    a64_update_mode(cpu);
}

/* --- For the GIC's hooks, and boards --- */

unsigned a64_el(const struct cpu *cpu)
{
    return a64s_const(cpu)->el;
}

bool a64_has_el2(const struct cpu *cpu)
{
    return a64s_const(cpu)->conf.el2;
}

uint64_t a64_hcr(const struct cpu *cpu)
{
    return hcr_of(a64s_const(cpu));
}

const struct a64_conf *a64_conf_of(const struct cpu *cpu)
{
    return &a64s_const(cpu)->conf;
}

void a64_set_icc(struct cpu *cpu, const struct a64_icc_ops *ops, void *opaque)
{
    a64s(cpu)->icc = ops;
    a64s(cpu)->icc_opaque = opaque;
}

unsigned a64_pa_bits(int model)
{
    const struct a64_core *c = a64_core((unsigned)model);

    return c ? a64_core_pa_bits(c) : 0;
}
