/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Control and debug registers, EFER, translation caches (SDM 3A, 2.5, 4.10; 3B, 17.2; SDM 2, MOV CR, INVLPG, INVPCID). */
#include "guest/x86/lift.h"
#include "guest/x86/system_priv.h"

/* --- CR0, CR3, CR4, EFER --- */

static bool enter_long_mode(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);

    if (!(s->cr4 & CR4_PAE) || (s->u.seg[X86_CS].attr & SEG_L) || sys_type(s->tr.attr) == SYS_TSS16_BUSY)
        return x86_gp(cpu, 0);
    s->efer |= EFER_LMA;
    s->cr0 = v;
    return true;
}

static bool paging_on(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);

    if (s->efer & EFER_LME)
        return enter_long_mode(cpu, v);
    return !(s->cr4 & CR4_PAE) || x86_load_pdptes(cpu, s->cr3);
}

static bool paging_off(struct cpu *cpu)
{
    struct x86_sys *s = x86s(cpu);

    if (x86_cs64(s) || (s->cr4 & CR4_PCIDE))
        return x86_gp(cpu, 0);
    s->efer &= ~(uint64_t)EFER_LMA;
    return true;
}

static bool write_cr0(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t old = s->cr0;

    if (v >> 32 || ((v & CR0_PG) && !(v & CR0_PE)) || ((v & CR0_NW) && !(v & CR0_CD)))
        return x86_gp(cpu, 0);
    v = (v & 0xe005003f) | CR0_ET;
    if ((v & CR0_PG) && !(old & CR0_PG) && !paging_on(cpu, v))
        return false;
    if (!(v & CR0_PG) && (old & CR0_PG) && !paging_off(cpu))
        return false;
    if (!x86_pe(s) && (v & CR0_PE))
        s->cpl = 0;
    s->cr0 = v;
    if ((v ^ old) & (CR0_PG | CR0_WP | CR0_PE))
        x86_flush(cpu, true);
    return true;
}

static bool write_cr3(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);
    bool keep = (s->cr4 & CR4_PCIDE) && v >> 63;

    if (s->cr4 & CR4_PCIDE)
        v &= ~(1ull << 63);
    if (!x86_lma(s))
        v = (uint32_t)v;
    else if (v & ~s->pa_mask)
        return x86_gp(cpu, 0);
    if ((s->cr0 & CR0_PG) && (s->cr4 & CR4_PAE) && !x86_lma(s) && !x86_load_pdptes(cpu, v))
        return false;
    s->cr3 = v;
    if (keep)
        x86_set_context(cpu);
    else
        x86_flush(cpu, false);
    return true;
}

uint64_t x86_cr4_bits(const struct x86_sys *s)
{
    static const struct {
        uint8_t feat;
        uint32_t bits;
    } rows[] = {
        {X86_FEAT_VME, CR4_VME | CR4_PVI}, {X86_FEAT_TSC, CR4_TSD}, {X86_FEAT_DE, CR4_DE}, {X86_FEAT_PSE, CR4_PSE},
        {X86_FEAT_PAE, CR4_PAE}, {X86_FEAT_MCE, CR4_MCE}, {X86_FEAT_PGE, CR4_PGE}, {X86_FEAT_FXSR, CR4_OSFXSR},
        {X86_FEAT_SSE, CR4_OSXMMEXCPT}, {X86_FEAT_UMIP, CR4_UMIP}, {X86_FEAT_LA57, CR4_LA57}, {X86_FEAT_FSGSBASE, CR4_FSGSBASE},
        {X86_FEAT_PCID, CR4_PCIDE}, {X86_FEAT_XSAVE, CR4_OSXSAVE}, {X86_FEAT_SMEP, CR4_SMEP}, {X86_FEAT_SMAP, CR4_SMAP},
        {X86_FEAT_PKU, CR4_PKE},
    };
    uint64_t v = CR4_PCE;

    for (unsigned i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (x86_feat(s, (enum x86_feature)rows[i].feat))
            v |= rows[i].bits;
    return v;
}

static bool write_cr4(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t diff = v ^ s->cr4;

    if (v & ~x86_cr4_bits(s))
        return x86_gp(cpu, 0);
    if (x86_lma(s) && (!(v & CR4_PAE) || (diff & CR4_LA57)))
        return x86_gp(cpu, 0);
    if ((v & ~s->cr4 & CR4_PCIDE) && (!x86_lma(s) || (s->cr3 & 0xfff)))
        return x86_gp(cpu, 0);
    if ((s->cr0 & CR0_PG) && (v & CR4_PAE) && !x86_lma(s) && (diff & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP)) &&
        !x86_load_pdptes(cpu, s->cr3))
        return false;
    s->cr4 = v;
    if (diff & (CR4_PSE | CR4_PAE | CR4_PGE | CR4_PCIDE | CR4_SMEP | CR4_SMAP | CR4_PKE | CR4_LA57))
        x86_flush(cpu, true);
    return true;
}

void x86_set_efer(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t diff = s->efer ^ v;

    s->efer = v;
    s->u.fast_fxsr = v & EFER_FFXSR;
    if (diff & (EFER_NXE | EFER_SVME))
        x86_flush(cpu, true);
}

/* A guest's, not the local APIC's. */
static bool own_tpr(const struct x86_sys *s)
{
    return x86_guest(s) && s->svm.vint & VINT_MASKING;
}

static bool write_cr8(struct cpu *cpu, uint64_t v)
{
    struct x86_sys *s = x86s(cpu);

    if (v > 15)
        return x86_gp(cpu, 0);
    if (own_tpr(s))
        s->svm.vint = (s->svm.vint & ~(uint64_t)VINT_TPR) | v;
    else if (s->intc && s->intc->tpr_write)
        s->intc->tpr_write(s->intc_opaque, (uint8_t)v);
    return true;
}

bool x86_write_cr(struct cpu *cpu, unsigned n, uint64_t v)
{
    switch (n) {
    case 0:
        return write_cr0(cpu, v);
    case 2:
        x86s(cpu)->cr2 = v;
        return true;
    case 3:
        return write_cr3(cpu, v);
    case 4:
        return write_cr4(cpu, v);
    case 8:
        return write_cr8(cpu, v);
    default:
        return x86_fault(cpu, X86_EXC_UD, 0);
    }
}

uint64_t x86_read_cr(struct cpu *cpu, unsigned n)
{
    const struct x86_sys *s = x86s(cpu);

    switch (n) {
    case 0:
        return s->cr0;
    case 2:
        return s->cr2;
    case 3:
        return s->cr3;
    case 4:
        return s->cr4;
    case 8:
        if (own_tpr(s))
            return s->svm.vint & 15;
        return s->intc && s->intc->tpr_read ? s->intc->tpr_read(s->intc_opaque) : 0;
    default:
        return 0;
    }
}

/* Leaves when what code means has changed, or an interrupt may be taken. */
static void changed(struct cpu *cpu, uint32_t old_mode, uint64_t next)
{
    x86_update_mode(cpu);
    if (cpu->mode != old_mode)
        x86_leave(cpu, next);
}

static bool is_cr(uint64_t n)
{
    return n == 0 || n == 2 || n == 3 || n == 4 || n == 8;
}

static bool catch_write(struct cpu *cpu, unsigned n, uint64_t v, int reg)
{
    return n ? x86_intercept_cr(cpu, n, true, reg) : x86_intercept_cr0(cpu, v, reg);
}

/* @how: length; 8..11: the register that MOV takes, 12: it is MOV. */
uint64_t x86_help_write_cr(struct cpu *cpu, uint64_t n, uint64_t v, uint64_t how)
{
    uint64_t next = cpu->pc + (how & 15);

    if (is_cr(n) && catch_write(cpu, (unsigned)n, v, how >> 12 & 1 ? (int)(how >> 8 & 15) : -1))
        return 0;
    if (!x86_write_cr(cpu, (unsigned)n, v))
        return 0;
    x86_update_mode(cpu);
    x86_leave(cpu, next); /* translations have changed, too */
    return 0;
}

uint64_t x86_help_read_cr(struct cpu *cpu, uint64_t n, uint64_t reg, uint64_t c)
{
    (void)c;
    if (!is_cr(n))
        x86_fault(cpu, X86_EXC_UD, 0);
    else if (!x86_intercept_cr(cpu, (unsigned)n, false, (int)reg))
        return x86_read_cr(cpu, (unsigned)n);
    return 0;
}

uint64_t x86_help_lmsw(struct cpu *cpu, uint64_t v, uint64_t b, uint64_t len)
{
    struct x86_sys *s = x86s(cpu);

    (void)b;
    return x86_help_write_cr(cpu, 0, (s->cr0 & ~14ull) | (v & 15), len);
}

uint64_t x86_help_clts(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t len)
{
    (void)a;
    (void)b;
    if (x86_intercept_cr(cpu, 0, true, -1))
        return 0;
    x86s(cpu)->cr0 &= ~(uint64_t)CR0_TS;
    changed(cpu, cpu->mode, cpu->pc + len);
    return 0;
}

/* --- Debug registers --- */

static bool debug_access(struct cpu *cpu, uint64_t *n)
{
    struct x86_sys *s = x86s(cpu);

    if (s->dr7 & DR7_GD) {
        s->dr6 |= DR6_BD;
        s->dr7 &= ~(uint64_t)DR7_GD;
        return x86_fault(cpu, X86_EXC_DB, 0);
    }
    if (*n == 4 || *n == 5) {
        if (s->cr4 & CR4_DE)
            return x86_fault(cpu, X86_EXC_UD, 0);
        *n += 2;
    }
    return *n < 8 || x86_fault(cpu, X86_EXC_UD, 0);
}

uint64_t x86_help_read_dr(struct cpu *cpu, uint64_t n, uint64_t reg, uint64_t c)
{
    struct x86_sys *s = x86s(cpu);

    (void)c;
    if (!debug_access(cpu, &n) || x86_intercept(cpu, EXIT_DR_READ + (unsigned)n, reg, 0))
        return 0;
    return n < 4 ? s->dr[n] : n == 6 ? s->dr6 : s->dr7;
}

/* @how: length, register. */
uint64_t x86_help_write_dr(struct cpu *cpu, uint64_t n, uint64_t v, uint64_t how)
{
    struct x86_sys *s = x86s(cpu);
    uint64_t next = cpu->pc + (how & 15);

    if (!debug_access(cpu, &n) || x86_intercept(cpu, EXIT_DR_WRITE + (unsigned)n, how >> 8, 0))
        return 0;
    if (n >= 6 && v >> 32)
        x86_gp(cpu, 0);
    else if (n < 4)
        s->dr[n] = v;
    else if (n == 6)
        s->dr6 = (v & 0xe00f) | DR6_FIXED;
    else
        s->dr7 = (v & 0xffff2bff) | 0x400;
    if (cpu->stop == CPU_STOP_NONE) {
        mmu_flush(cpu, R_ALL, 0, 0, true);
        x86_leave(cpu, next);
    }
    return 0;
}

/* --- Translation caches --- */

uint64_t x86_help_invlpg(struct cpu *cpu, uint64_t va, uint64_t b, uint64_t c)
{
    (void)b;
    (void)c;
    mmu_flush(cpu, R_ALL, va, 1, true);
    return 0;
}

uint64_t x86_help_invpcid(struct cpu *cpu, uint64_t type, uint64_t pcid, uint64_t va)
{
    struct x86_sys *s = x86s(cpu);

    if (type > 3 || (type < 2 && pcid >> 12) || (type == 0 && !x86_canonical(s, va)) || (type < 2 && !(s->cr4 & CR4_PCIDE) && pcid)) {
        x86_gp(cpu, 0);
        return 0;
    }
    if (type == 0)
        mmu_flush(cpu, R_ALL, va, 1, false);
    else
        mmu_flush(cpu, R_ALL, 0, 0, type == 2);
    return 0;
}
