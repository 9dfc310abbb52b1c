/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which signal an exception becomes, as arm64 Linux has it; syndromes: Arm ARM DDI 0487, ESR_EL1. */
#include "user/arm64/arm64.h"

#define ESR_IL       (1ull << 25)
#define ESR_EC(n)    ((uint64_t)(n) << 26 | ESR_IL)
#define EC_FETCH     0x20 /* instruction abort from a lower level */
#define EC_DATA      0x24
#define EC_BRK       0x3c
#define FSC_MAPPING  0x07 /* translation fault, level 3 */
#define FSC_ACCESS   0x0f /* permission fault, level 3 */
#define FSC_ALIGN    0x21
#define DATA_WRITE   0x40 /* WnR */

static uint64_t untag(uint64_t addr)
{
    return (uint64_t)((int64_t)(addr << 8) >> 8);
}

static void memory_fault(struct task *t, unsigned ec, uint64_t addr, bool write)
{
    int code = mm_fault_code(t->proc, addr);
    uint64_t esr = ESR_EC(ec) | (write ? DATA_WRITE : 0) |
                   (code == SEGV_ACCERR ? FSC_ACCESS : FSC_MAPPING);

    signal_fault(t, SIGSEGV, code, addr, esr);
}

static void data_fault(struct task *t)
{
    const struct cpu *cpu = t->cpu;
    uint64_t addr = untag(cpu->fault_addr);

    if (cpu->fault_signo == SIGBUS)
        signal_fault(t, SIGBUS, cpu->fault_code, addr,
                     ESR_EC(EC_DATA) | (cpu->fault_write ? DATA_WRITE : 0) | FSC_MAPPING);
    else
        memory_fault(t, EC_DATA, addr, cpu->fault_write);
}

/* Branches ignore the tag (Arm ARM, AArch64.BranchAddr): rare enough to be put right only here. */
static void fetch_fault(struct task *t)
{
    uint64_t pc = t->cpu->pc;

    if (untag(pc) != pc)
        t->cpu->pc = untag(pc);
    else
        memory_fault(t, EC_FETCH, pc, false);
}

void arm64_trap(struct task *t, enum cpu_stop stop)
{
    uint64_t pc = t->cpu->pc;

    switch (stop) {
    case CPU_STOP_FAULT:
        data_fault(t);
        break;
    case CPU_STOP_FETCH_FAULT:
        fetch_fault(t);
        break;
    case CPU_STOP_UNDEFINED:
    case CPU_STOP_BTI:
        signal_fault(t, SIGILL, ILL_ILLOPC, pc, 0);
        break;
    case CPU_STOP_PAC:
        signal_fault(t, SIGILL, ILL_ILLOPN, pc, 0);
        break;
    case CPU_STOP_BREAKPOINT:
        signal_fault(t, SIGTRAP, TRAP_BRKPT, pc, ESR_EC(EC_BRK) | (t->cpu->detail & 0xffff));
        break;
    case CPU_STOP_ALIGN:
        signal_fault(t, SIGBUS, BUS_ADRALN, (pc & 3) ? pc : untag(t->cpu->fault_addr),
                     ESR_EC(EC_DATA) | FSC_ALIGN);
        break;
    default:
        break;
    }
}
