/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -d int, -d mmu: exceptions and walks as text in the engine's log. */
#include "guest/aarch64/system_log.h"
#include "cpu/engine.h"
#include "guest/aarch64/system_priv.h"

#include <inttypes.h>
#include <stdio.h>

static const struct engine_log *wanted(const struct cpu *cpu, unsigned item)
{
    const struct engine_log *l = cpu->engine->conf.log;

    return l && (l->items & item) ? l : NULL;
}

static const char *class_name(uint64_t esr)
{
    switch (esr >> 26 & 63) {
    case EC_UNKNOWN: return "undefined instruction";
    case EC_WFX: return "WFI or WFE trapped";
    case EC_FP: return "floating point trapped";
    case EC_PAUTH: return "pointer authentication trapped";
    case EC_BTI: return "branch target";
    case EC_ILLEGAL: return "illegal execution state";
    case EC_SVC: return "SVC";
    case EC_HVC: return "HVC";
    case EC_SMC: return "SMC";
    case EC_SYSREG: return "system register trapped";
    case EC_FPAC: return "pointer authentication";
    case EC_IABORT_LOW: case EC_IABORT: return "instruction abort";
    case EC_PC_ALIGN: return "misaligned PC";
    case EC_DABORT_LOW: case EC_DABORT: return "data abort";
    case EC_SP_ALIGN: return "misaligned SP";
    case EC_SERROR: return "SError";
    case EC_BREAKPOINT_LOW: case EC_BREAKPOINT_LOW + 1: return "breakpoint";
    case EC_STEP_LOW: case EC_STEP_LOW + 1: return "software step";
    case EC_WATCHPOINT_LOW: case EC_WATCHPOINT_LOW + 1: return "watchpoint";
    case EC_BRK: return "BRK";
    default: return "exception";
    }
}

void a64_log_exception(struct cpu *cpu, unsigned el, unsigned offset)
{
    static const char *const vectors[] = {"synchronous", "IRQ", "FIQ", "SError"};
    const struct engine_log *l = wanted(cpu, ENGINE_LOG_STOP);
    const struct a64_sys *s = a64s(cpu);

    if (!l)
        return;
    if (offset)
        dprintf(l->fd, "CPU %u: %s from EL%u to EL%u, ELR 0x%" PRIx64 "\n", s->index, vectors[offset >> 7 & 3], s->el, el,
                cpu->pc);
    else
        dprintf(l->fd, "CPU %u: %s from EL%u to EL%u, ELR 0x%" PRIx64 " ESR 0x%" PRIx64 " FAR 0x%" PRIx64 "\n", s->index,
                class_name(s->esr[el]), s->el, el, cpu->pc, s->esr[el], s->far[el]);
}

void a64_log_return(struct cpu *cpu, uint64_t pc)
{
    const struct engine_log *l = wanted(cpu, ENGINE_LOG_STOP);

    if (l)
        dprintf(l->fd, "CPU %u: ERET at 0x%" PRIx64 " to EL%u, PC 0x%" PRIx64 "\n", a64s(cpu)->index, pc, a64s(cpu)->el,
                cpu->pc);
}

void a64_log_walk(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime,
                  const struct mmu_page *page, uint32_t fsc)
{
    static const char *const regimes[R_NUM] = {"EL0", "EL1", "EL1 PAN", "EL2", "EL2 PAN", "EL0 of EL2"};
    static const char kinds[] = "RWX";
    const struct engine_log *l = wanted(cpu, ENGINE_LOG_MMU);

    if (!l)
        return;
    if (page)
        dprintf(l->fd, "CPU %u: %s %c 0x%016" PRIx64 " -> 0x%" PRIx64 " size 0x%" PRIx64 " %c%c%c%s\n",
                a64s(cpu)->index, regimes[regime], kinds[access], va, page->pa, page->size, page->prot & MMU_R ? 'r' : '-',
                page->prot & MMU_W ? 'w' : '-', page->prot & MMU_X ? 'x' : '-', page->device ? " device" : "");
    else
        dprintf(l->fd, "CPU %u: %s %c 0x%016" PRIx64 " fault status 0x%02x\n", a64s(cpu)->index, regimes[regime],
                kinds[access], va, fsc);
}
