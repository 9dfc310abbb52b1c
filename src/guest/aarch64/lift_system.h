/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lifting what differs in machines: exceptions, system registers, maintenance (lift_system.c). */
#ifndef GUEST_AARCH64_LIFT_SYSTEM_H
#define GUEST_AARCH64_LIFT_SYSTEM_H

#include "guest/aarch64/lift.h"

/* Helpers of machines follow those of programs in the table. */
enum a64_system_helper {
    A64_HELP_before_system = A64_NUM_HELPERS - 1,
#define HELPER(name, full) A64_HELP_##name,
#include "guest/aarch64/system_helpers.def"
#undef HELPER
    A64_NUM_SYSTEM_HELPERS,
};

#define HELPER(name, full) uint64_t help_##name(struct cpu *cpu, uint64_t a, uint64_t b, uint64_t c);
#include "guest/aarch64/system_helpers.def"
#undef HELPER

/** a64_lift_system - the instruction of a machine's CPU; false: it is like a program's. */
bool a64_lift_system(struct a64_tr *t);
/** a64_system_end - may a machine's instruction that has no row end its block? */
bool a64_system_end(uint32_t word);
/** a64_sp_moves - may this instruction set SP to what is not aligned?  a64_sp_written - then, after it. */
bool a64_sp_moves(uint32_t word);
void a64_sp_written(struct a64_tr *t);

#endif
