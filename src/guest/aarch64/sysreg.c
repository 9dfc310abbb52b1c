/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * System registers of machines' CPUs: who may access them, what traps, plain fields (Arm ARM DDI 0487, D17; pseudocode of each
 * register's MRS and MSR).  Registers that do something are in sysreg_control.c, timer.c, pmu.c, debug.c, maintain.c.
 */
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/sysreg.h"
#include "guest/aarch64/sysreg_priv.h"

#include <string.h>

/* --- Which CPUs have a register --- */

/* A feature column's value: what, and for numbered registers which. */
#define N_ALWAYS  HAS_ALWAYS
#define N_EL2     HAS_EL2
#define N_NO_EL2  HAS_NO_EL2
#define N_VHE     HAS_VHE
#define N_PMU     HAS_PMU
#define N_PAN     HAS_PAN
#define N_PAN2    HAS_PAN2
#define N_UAO     HAS_UAO
#define N_LOR     HAS_LOR
#define N_PAUTH   HAS_PAUTH
#define N_RNG     HAS_RNG
#define N_DPB     HAS_DPB
#define N_DPB2    HAS_DPB2
#define N_BRP(n)  (HAS_BRP | (n) << 8)
#define N_WRP(n)  (HAS_WRP | (n) << 8)
#define N_CTR(n)  (HAS_CTR | (n) << 8)

enum has {
    HAS_ALWAYS,
    HAS_EL2,
    HAS_NO_EL2,
    HAS_VHE,
    HAS_PMU,
    HAS_PAN,
    HAS_PAN2,
    HAS_UAO,
    HAS_LOR,
    HAS_PAUTH,
    HAS_RNG,
    HAS_DPB,
    HAS_DPB2,
    HAS_BRP,
    HAS_WRP,
    HAS_CTR,
};

static bool has(struct cpu *cpu, uint16_t what)
{
    const struct a64_sys *s = a64s(cpu);
    uint64_t feats = a64_mode_feats(cpu->mode);
    unsigned n = what >> 8;

    switch ((enum has)(what & 0xff)) {
    case HAS_ALWAYS: return true;
    case HAS_EL2: return s->conf.el2;
    case HAS_NO_EL2: return !s->conf.el2;
    case HAS_VHE: return s->conf.el2 && a64_core_vhe(s->core);
    case HAS_PMU: return s->conf.pmu;
    case HAS_PAN: return a64_core_pan(s->core);
    case HAS_PAN2: return a64_core_pan2(s->core);
    case HAS_UAO: return a64_core_uao(s->core);
    case HAS_LOR: return a64_core_lor(s->core);
    case HAS_PAUTH: return feats >> A64_FEAT_PAUTH & 1;
    case HAS_RNG: return feats >> A64_FEAT_RNG & 1;
    case HAS_DPB: return feats >> A64_FEAT_DPB & 1;
    case HAS_DPB2: return feats >> A64_FEAT_DPB2 & 1;
    case HAS_BRP: return n < s->core->breakpoints;
    case HAS_WRP: return n < s->core->watchpoints;
    case HAS_CTR: return s->conf.pmu && n < s->core->counters;
    }
    return false;
}

/* --- What traps: functions give the level, 0 for no trap --- */

static unsigned to_el2(const struct a64_sys *s, uint64_t hcr_bits)
{
    return s->el < 2 && (hcr_of(s) & hcr_bits) ? 2 : 0;
}

static unsigned mdcr_to_el2(const struct a64_sys *s, uint64_t bits)
{
    return s->conf.el2 && s->el < 2 && ((s->mdcr & bits) || ((hcr_of(s) & HCR_TGE) && !(bits & 0x60))) ? 2 : 0;
}

/* EL0 accesses that SCTLR has to allow. */
static unsigned el0_needs(const struct a64_sys *s, uint64_t bit)
{
    return s->el == 0 && !(s->sctlr[control_el(s)] & bit) ? a64_target(s) : 0;
}

static unsigned first(unsigned a, unsigned b)
{
    return a ? a : b;
}

static unsigned T_VM(const struct a64_sys *s, bool write) { return to_el2(s, write ? HCR_TVM : HCR_TRVM); }
static unsigned T_TID1(const struct a64_sys *s, bool write) { return to_el2(s, HCR_TID1); }
static unsigned T_TID2(const struct a64_sys *s, bool write) { return to_el2(s, HCR_TID2); }
static unsigned T_TID3(const struct a64_sys *s, bool write) { return to_el2(s, HCR_TID3); }
static unsigned T_TACR(const struct a64_sys *s, bool write) { return to_el2(s, HCR_TACR); }
static unsigned T_TSW(const struct a64_sys *s, bool write) { return to_el2(s, HCR_TSW); }
static unsigned T_TPC(const struct a64_sys *s, bool write) { return to_el2(s, HCR_TPC); }
static unsigned T_TPU(const struct a64_sys *s, bool write) { return to_el2(s, HCR_TPU); }
static unsigned T_TLOR(const struct a64_sys *s, bool write) { return to_el2(s, HCR_TLOR); }
static unsigned T_AT(const struct a64_sys *s, bool write) { return to_el2(s, 1ull << 44); }
static unsigned T_APK(const struct a64_sys *s, bool write)
{
    return s->conf.el2 && s->el < 2 && !(hcr_of(s) & HCR_APK) ? 2 : 0;
}
static unsigned T_UCT(const struct a64_sys *s, bool write)
{
    return first(el0_needs(s, SCTLR_UCT), host_el0(s) ? 0 : T_TID2(s, write));
}
static unsigned T_DZE(const struct a64_sys *s, bool write)
{
    return first(el0_needs(s, SCTLR_DZE), host_el0(s) ? 0 : to_el2(s, HCR_TDZ));
}
static unsigned T_UCI_TPC(const struct a64_sys *s, bool write)
{
    return first(el0_needs(s, SCTLR_UCI), host_el0(s) ? 0 : T_TPC(s, write));
}
static unsigned T_UCI_TPU(const struct a64_sys *s, bool write)
{
    return first(el0_needs(s, SCTLR_UCI), host_el0(s) ? 0 : T_TPU(s, write));
}
static unsigned T_UMA(const struct a64_sys *s, bool write) { return el0_needs(s, SCTLR_UMA); }
static unsigned T_TCPAC(const struct a64_sys *s, bool write)
{
    return s->conf.el2 && s->el == 1 && (s->cptr >> 31 & 1) ? 2 : 0;
}

/* Debug: MDCR_EL2.TDA, TDOSA, TDRA; MDSCR_EL1.TDCC */
static unsigned T_TDA(const struct a64_sys *s, bool write) { return mdcr_to_el2(s, 1 << 9 | 1 << 8); }
static unsigned T_TDOSA(const struct a64_sys *s, bool write) { return mdcr_to_el2(s, 1 << 10 | 1 << 8); }
static unsigned T_TDRA(const struct a64_sys *s, bool write) { return mdcr_to_el2(s, 1 << 11 | 1 << 8); }
static unsigned T_TDCC(const struct a64_sys *s, bool write)
{
    return first(s->el == 0 && (s->mdscr >> 12 & 1) ? a64_target(s) : 0, T_TDA(s, write));
}

/* Performance monitor: PMUSERENR_EL0.EN or the bit for the register; MDCR_EL2.TPM, TPMCR */
static unsigned pm(const struct a64_sys *s, unsigned user_bits, uint64_t mdcr_bits)
{
    return first(s->el == 0 && !(s->pmuserenr & (1 | user_bits)) ? a64_target(s) : 0, mdcr_to_el2(s, mdcr_bits));
}
static unsigned T_TPM(const struct a64_sys *s, bool write) { return mdcr_to_el2(s, 1 << 6); }
static unsigned T_PM(const struct a64_sys *s, bool write) { return pm(s, 0, 1 << 6); }
static unsigned T_PM_CR(const struct a64_sys *s, bool write) { return pm(s, 0, 1 << 6 | 1 << 5); }
static unsigned T_PM_SW(const struct a64_sys *s, bool write) { return pm(s, 2, 1 << 6); }
static unsigned T_PM_CCR(const struct a64_sys *s, bool write) { return pm(s, write ? 0 : 4, 1 << 6); }
static unsigned T_PM_ER(const struct a64_sys *s, bool write) { return pm(s, write ? 0 : 8, 1 << 6); }

/* Timers: CNTKCTL_EL1 (CNTHCTL_EL2 for a host's EL0) and CNTHCTL_EL2 */
static unsigned timer_el0(const struct a64_sys *s, uint64_t bits)
{
    return s->el == 0 && !((host_el0(s) ? s->cnthctl : s->cntkctl) & bits) ? a64_target(s) : 0;
}
/* Bits of CNTHCTL_EL2 lie elsewhere with E2H; they are permissions. */
static unsigned timer_el2(const struct a64_sys *s, unsigned bit)
{
    if (!s->conf.el2 || s->el == 2 || host_el0(s))
        return 0;
    return s->cnthctl >> (hcr_of(s) & HCR_E2H ? bit + 10 : bit) & 1 ? 0 : 2;
}
static unsigned T_CNT_FRQ(const struct a64_sys *s, bool write) { return write ? 0 : timer_el0(s, 3); }
static unsigned T_CNT_VCT(const struct a64_sys *s, bool write) { return timer_el0(s, 2); }
static unsigned T_CNT_PCT(const struct a64_sys *s, bool write) { return first(timer_el0(s, 1), timer_el2(s, 0)); }
static unsigned T_CNT_V(const struct a64_sys *s, bool write) { return timer_el0(s, 1 << 8); }
static unsigned T_CNT_P(const struct a64_sys *s, bool write) { return first(timer_el0(s, 1 << 9), timer_el2(s, 1)); }

#define T_NONE NULL

/* --- The rows --- */

struct functions {
    a64_read_fn *read;
    a64_write_fn *write;
    unsigned (*trap)(const struct a64_sys *s, bool write);
    uint16_t feature, field; /* field: offset in struct a64_sys + 1 */
    char name[20];
};

#define F(member) (offsetof(struct a64_sys, member) + 1)
#define NO        0
#define rd_plain  NULL
#define rd_none   NULL
#define wr_plain  NULL
#define wr_none   NULL

static const struct functions functions[A64_NUM_REGS] = {
#define REG(name, op0, op1, crn, crm, op2, access, field, slot, read, write, trap, feature, flags)             \
    {rd_##read, wr_##write, T_##trap, N_##feature, field, #name},
#include "guest/aarch64/sysregs.def"
#undef REG
};

static uint64_t *field_of(struct cpu *cpu, unsigned reg)
{
    return functions[reg].field ? (uint64_t *)(cpu->guest + functions[reg].field - 1) : NULL;
}

uint64_t *a64_reg_field(struct cpu *cpu, unsigned reg)
{
    return field_of(cpu, reg);
}

uint64_t rd_zero(struct cpu *cpu, unsigned reg)
{
    return 0;
}

void wr_ignored(struct cpu *cpu, unsigned reg, uint64_t v)
{
}

static uint64_t read_reg(struct cpu *cpu, unsigned reg)
{
    uint64_t *field = field_of(cpu, reg);

    return functions[reg].read ? functions[reg].read(cpu, reg) : field ? *field : 0;
}

static void write_reg(struct cpu *cpu, unsigned reg, uint64_t v)
{
    uint64_t *field = field_of(cpu, reg);

    if (functions[reg].write)
        functions[reg].write(cpu, reg, v);
    else if (field)
        *field = v;
}

/* --- Accesses --- */

/* ISS of a trapped MRS, MSR or system instruction: EC_SYSREG. */
static uint64_t syndrome(uint64_t what, bool read)
{
    uint64_t enc = what & 0xffff, rt = what >> 16 & 31;

    return (enc >> 14) << 20 | (enc & 7) << 17 | (enc >> 11 & 7) << 14 | (enc >> 7 & 15) << 10 | rt << 5 |
           (enc >> 3 & 15) << 1 | read;
}

static void trap(struct cpu *cpu, uint64_t pc, unsigned el, uint64_t what, bool read)
{
    a64_trap(cpu, pc, el, EC_SYSREG, syndrome(what, read));
}

static void undefined(struct cpu *cpu, uint64_t pc)
{
    a64_trap(cpu, pc, a64_target(a64s(cpu)), EC_UNKNOWN, 0);
}

static void icc_result(struct cpu *cpu, uint64_t pc, uint64_t what, enum a64_icc r, bool read)
{
    if (r == A64_ICC_UNDEFINED)
        undefined(cpu, pc);
    else if (r == A64_ICC_TRAP_EL2)
        trap(cpu, pc, 2, what, read);
}

/* May the GIC's register @enc be asked for at the present level? */
static bool icc_there(const struct a64_sys *s, uint32_t enc)
{
    unsigned op1 = enc >> 11 & 7;

    return s->icc && (op1 == 0 ? s->el >= 1 : op1 == 4 && s->el == 2);
}

/* op0 3, CRn 11 and 15: the core's own.  DDI 0487 D17.1.2; HCR_EL2.TIDCP. */
static bool own_register(const struct a64_sys *s, uint32_t enc)
{
    unsigned crn = enc >> 7 & 15;

    return (enc >> 14 == 3 || enc >> 14 == 1) && (crn == 11 || crn == 15) && s->core->impdef;
}

/* Registers without row.  True: handled. */
static bool other(struct cpu *cpu, uint64_t what, uint64_t pc, bool read, uint64_t *v)
{
    struct a64_sys *s = a64s(cpu);
    uint32_t enc = what & 0xffff;

    if (a64_enc_is_gic(enc)) {
        if (!icc_there(s, enc))
            return false;
        icc_result(cpu, pc, what, read ? s->icc->read(s->icc_opaque, enc, v) : s->icc->write(s->icc_opaque, enc, *v),
                   read);
        return true;
    }
    if (read && a64_enc_reads_zero(enc) && s->el) {
        if (T_TID3(s, false))
            trap(cpu, pc, 2, what, true);
        *v = 0;
        return true;
    }
    if (own_register(s, enc) && s->el) {
        if (to_el2(s, HCR_TIDCP))
            trap(cpu, pc, 2, what, read);
        if (read)
            *v = 0;
        return true;
    }
    if (!read && enc >> 14 == 1 && (enc >> 7 & 15) == 8)
        return a64_tlbi(cpu, enc, *v, pc, syndrome(what, false));
    return false;
}

/* The row that may be accessed; A64_NO_REG: an exception was raised, or *v is the result. */
static unsigned access_row(struct cpu *cpu, uint64_t what, uint64_t pc, bool read, uint64_t *v)
{
    struct a64_sys *s = a64s(cpu);
    uint32_t enc = what & 0xffff;
    unsigned reg = a64_reg_meant(&enc, cpu->mode), el;

    if (reg == A64_NO_REG) {
        if (!other(cpu, what, pc, read, v))
            undefined(cpu, pc);
        return A64_NO_REG;
    }
    if (!((read ? a64_regs[reg].reads : a64_regs[reg].writes) >> s->el & 1) || !has(cpu, functions[reg].feature) ||
        (reg == A64_REG_CNTFRQ_EL0 && !read && s->el != (s->conf.el2 ? 2 : 1)) ||
        (reg == A64_REG_SP_EL0 && !s->spsel)) {
        undefined(cpu, pc);
        return A64_NO_REG;
    }
    el = functions[reg].trap ? functions[reg].trap(s, !read) : 0;
    if (!el)
        return reg;
    trap(cpu, pc, el, what, read);
    return A64_NO_REG;
}

uint64_t help_sys_read(struct cpu *cpu, uint64_t what, uint64_t pc, uint64_t c)
{
    uint64_t v = 0;
    unsigned reg = access_row(cpu, what, pc, true, &v);

    return reg == A64_NO_REG ? v : read_reg(cpu, reg);
}

uint64_t help_sys_write(struct cpu *cpu, uint64_t what, uint64_t pc, uint64_t v)
{
    unsigned op1 = what >> 11 & 7, reg;

    /* MSR DAIFSet, DAIFClr at EL0: the immediate is not passed on, as it always traps or is done as DAIF. */
    if ((what & 0xffff) >> 14 == 0 && op1 == 3)
        return a64_daif_immediate(cpu, what, pc, syndrome(what | 31 << 16, false)), 0;
    reg = access_row(cpu, what, pc, false, &v);
    if (reg != A64_NO_REG) {
        cpu->pc = pc;
        write_reg(cpu, reg, v);
    }
    return 0;
}

void a64_daif_immediate(struct cpu *cpu, uint64_t what, uint64_t pc, uint64_t iss)
{
    struct a64_sys *s = a64s(cpu);
    uint64_t bits = (what >> 3 & 15) << 6;

    if (T_UMA(s, true))
        a64_trap(cpu, pc, a64_target(s), EC_SYSREG, iss);
    else
        help_daif(cpu, (what & 7) == 6 ? s->daif | bits : s->daif & ~bits, pc + 4, 0);
}

/* --- For debuggers --- */

const char *a64_sysreg_name(unsigned i)
{
    return i < A64_NUM_REGS ? functions[i].name : NULL;
}

static bool reachable(struct cpu *cpu, unsigned i)
{
    return i < A64_NUM_REGS && (a64_regs[i].enc >> 14) >= 2 && has(cpu, functions[i].feature);
}

bool a64_sysreg_peek(struct cpu *cpu, unsigned i, uint64_t *value)
{
    if (!reachable(cpu, i) || !a64_regs[i].reads)
        return false;
    *value = read_reg(cpu, i);
    return true;
}

bool a64_sysreg_poke(struct cpu *cpu, unsigned i, uint64_t value)
{
    if (!reachable(cpu, i) || !a64_regs[i].writes)
        return false;
    write_reg(cpu, i, value);
    return true;
}
