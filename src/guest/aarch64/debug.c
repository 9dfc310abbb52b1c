/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Self-hosted debug: breakpoints, watchpoints, software step, the OS lock (Arm ARM DDI 0487, D2). */
#include "guest/aarch64/lift_system.h"
#include "guest/aarch64/sysreg_priv.h"

#include <stdlib.h>

enum { MDSCR_SS = 1, MDSCR_TDCC = 1 << 12, MDSCR_KDE = 1 << 13, MDSCR_MDE = 1 << 15, MDCR_TDE = 1 << 8 };
enum { ISS_DEBUG = 0x22, STEP_ISV = 1 << 24, STEP_EX = 1 << 6 };

unsigned a64_debug_target(const struct a64_sys *s)
{
    return s->el == 2 || (s->conf.el2 && ((s->mdcr & MDCR_TDE) || (s->hcr & HCR_TGE))) ? 2 : 1;
}

/* AArch64.GenerateDebugExceptionsFrom(), for another level and mask, too. */
static bool enabled_from(const struct a64_sys *s, unsigned el, bool masked)
{
    unsigned target = s->conf.el2 && ((s->mdcr & MDCR_TDE) || (s->hcr & HCR_TGE)) ? 2 : 1;

    if (s->oslock || el > target)
        return false;
    return el < target || ((s->mdscr & MDSCR_KDE) && !masked);
}

bool a64_debug_enabled(const struct a64_sys *s)
{
    return enabled_from(s, s->el, s->daif & PS_D);
}

/* --- Software step --- */

bool a64_step_active(const struct a64_sys *s)
{
    return (s->mdscr & MDSCR_SS) && a64_debug_enabled(s);
}

bool a64_step_due(const struct a64_sys *s)
{
    return !s->ss && a64_step_active(s);
}

bool a64_step_after_return(const struct a64_sys *s, uint32_t spsr)
{
    return (s->mdscr & MDSCR_SS) && !a64_debug_enabled(s) && enabled_from(s, spsr >> PS_EL & 3, spsr & PS_D) &&
           (spsr & PS_SS);
}

static bool is_load_exclusive(struct cpu *cpu, uint64_t pc)
{
    uint32_t w = 0;

    return mmu_read(cpu, pc, &w, sizeof(w)) == sizeof(w) && (w & 0x3fc00000) == 0x08400000;
}

void a64_take_step(struct cpu *cpu)
{
    struct a64_sys *s = a64s(cpu);
    unsigned el = a64_debug_target(s);
    uint64_t iss = ISS_DEBUG;

    if (s->stepped)
        iss |= STEP_ISV | (is_load_exclusive(cpu, s->step_pc) ? STEP_EX : 0);
    s->stepped = false;
    a64_take(cpu, el, A64_SYNC, EC_STEP_LOW + (el == s->el), iss);
}

/* --- Breakpoints and watchpoints --- */

/* Is one with the control fields HMC, SSC, PMC (PAC) for the present level?  Security states do not matter. */
static bool level_matches(const struct a64_sys *s, uint64_t cr)
{
    unsigned pmc = (unsigned)a64_bits(cr, 1, 2);

    switch (s->el) {
    case 0:
        return pmc & 2;
    case 1:
        return pmc & 1;
    default:
        return cr >> 13 & 1;
    }
}

/* Breakpoint @n as the context that another one is linked to. */
static bool context_matches(const struct a64_sys *s, unsigned n)
{
    uint64_t cr = n < s->core->breakpoints ? s->dbgbcr[n] : 0;
    unsigned type = (unsigned)a64_bits(cr, 20, 4);

    if (!(cr & 1) || (type & ~1u) != 2)
        return false;
    return (uint32_t)s->contextidr[control_el(s)] == (uint32_t)s->dbgbvr[n];
}

static bool breakpoint_matches(const struct a64_sys *s, unsigned n, uint64_t pc)
{
    uint64_t cr = s->dbgbcr[n];
    unsigned type = (unsigned)a64_bits(cr, 20, 4);

    if (!(cr & 1) || !level_matches(s, cr))
        return false;
    if (type == 2)
        return context_matches(s, n);
    if (type > 1 || ((pc ^ s->dbgbvr[n]) & 0x1ffffffffffffcull))
        return false;
    return type == 0 || context_matches(s, (unsigned)a64_bits(cr, 16, 4));
}

bool a64_breakpoints_armed(const struct a64_sys *s)
{
    if (!(s->mdscr & MDSCR_MDE) || !a64_debug_enabled(s))
        return false;
    for (unsigned n = 0; n < A64_MAX_BREAKPOINTS; n++)
        if ((s->dbgbcr[n] | s->dbgwcr[n]) & 1)
            return true;
    return false;
}

/* The bytes that watchpoint @n is for: false when there are none. */
static bool watch_range(const struct a64_sys *s, unsigned n, uint64_t *start, uint64_t *len)
{
    uint64_t cr = s->dbgwcr[n], bas = a64_bits(cr, 5, 8);
    unsigned mask = (unsigned)a64_bits(cr, 24, 5);

    if (!(cr & 1) || (!bas && !mask))
        return false;
    if (mask) {
        *len = 1ull << mask;
        *start = s->dbgwvr[n] & ~(*len - 1);
    } else {
        unsigned low = (unsigned)__builtin_ctzll(bas);

        *start = (s->dbgwvr[n] & ~3ull) + low;
        *len = 64 - (unsigned)__builtin_clzll(bas) - low;
    }
    return true;
}

/* Tags do not count. */
static uint64_t untagged(uint64_t va)
{
    return (uint64_t)((int64_t)(va << 8) >> 8);
}

static bool watch_meets(const struct a64_sys *s, unsigned n, uint64_t va, uint64_t len)
{
    uint64_t start, size;

    va = untagged(va);
    return watch_range(s, n, &start, &size) && (start - va < len || va - start < size);
}

bool a64_watch_page(const struct a64_sys *s, uint64_t va)
{
    for (unsigned n = 0; n < s->core->watchpoints; n++)
        if (watch_meets(s, n, va & ~0xfffull, 4096))
            return true;
    return false;
}

bool a64_watched(const struct a64_sys *s, uint64_t va, enum mmu_access access)
{
    for (unsigned n = 0; n < s->core->watchpoints; n++) {
        uint64_t cr = s->dbgwcr[n];
        unsigned kinds = (unsigned)a64_bits(cr, 3, 2);

        if ((kinds & (access == MMU_WRITE ? 2 : 1)) && level_matches(s, cr) && watch_meets(s, n, va, s->access_bytes) &&
            (!(cr >> 20 & 1) || context_matches(s, (unsigned)a64_bits(cr, 16, 4))))
            return true;
    }
    return false;
}

/* Before each instruction, in A64_MODE_BREAK. */
uint64_t help_breakpoint(struct cpu *cpu, uint64_t pc, uint64_t bytes, uint64_t c)
{
    struct a64_sys *s = a64s(cpu);
    unsigned el = a64_debug_target(s);

    s->access_bytes = (uint32_t)bytes;
    for (unsigned n = 0; n < s->core->breakpoints; n++) {
        if (!breakpoint_matches(s, n, pc))
            continue;
        a64_trap(cpu, pc, el, (enum a64_ec)(EC_BREAKPOINT_LOW + (el == s->el)), ISS_DEBUG);
        break;
    }
    return 0;
}

/* --- Registers --- */

static unsigned number(unsigned reg)
{
    return a64_regs[reg].enc >> 3 & 15;
}

/* What watchpoints are near is walked anew each time. */
static void changed(struct cpu *cpu)
{
    mmu_flush(cpu, R_EL10_ALL | R_EL2_ALL, 0, 0, true);
    a64_update_mode(cpu);
}

void wr_mdscr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->mdscr = v & (MDSCR_SS | MDSCR_TDCC | MDSCR_KDE | MDSCR_MDE);
    changed(cpu);
}

void wr_dbgbvr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->dbgbvr[number(reg)] = v & ~3ull;
    a64_update_mode(cpu);
}

void wr_dbgbcr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->dbgbcr[number(reg)] = v & 0xffe1e7;
    a64_update_mode(cpu);
}

void wr_dbgwvr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->dbgwvr[number(reg)] = v & ~3ull;
    changed(cpu);
}

void wr_dbgwcr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->dbgwcr[number(reg)] = v & 0x1f1fffff;
    changed(cpu);
}

void wr_oslar(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->oslock = v & 1;
    changed(cpu);
}

uint64_t rd_oslsr(struct cpu *cpu, unsigned reg)
{
    return 8 | a64s(cpu)->oslock << 1;
}

uint64_t rd_claimset(struct cpu *cpu, unsigned reg)
{
    return 0xff;
}

void wr_claimset(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->claim |= v & 0xff;
}

void wr_claimclr(struct cpu *cpu, unsigned reg, uint64_t v)
{
    a64s(cpu)->claim &= ~v;
}

/* No external debugger may come: nothing is implemented. */
uint64_t rd_dbgauth(struct cpu *cpu, unsigned reg)
{
    return 0;
}
