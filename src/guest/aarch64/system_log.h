/* SPDX-License-Identifier: GPL-2.0-or-later */
/* -d int, -d mmu: exceptions and walks as text in the engine's log. */
#ifndef GUEST_AARCH64_SYSTEM_LOG_H
#define GUEST_AARCH64_SYSTEM_LOG_H

#include "cpu/mmu.h"

/** a64_log_exception - @cpu is about to enter its exception at @el; a64_log_return - it has just returned, by the ERET at @pc. */
void a64_log_exception(struct cpu *cpu, unsigned el, unsigned offset);
void a64_log_return(struct cpu *cpu, uint64_t pc);
/** a64_log_walk - what a walk has found; @page NULL: the fault @fsc. */
void a64_log_walk(struct cpu *cpu, uint64_t va, enum mmu_access access, unsigned regime,
                  const struct mmu_page *page, uint32_t fsc);

#endif
