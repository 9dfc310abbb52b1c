/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What isa.c takes from lift.c: functions of struct guest_isa (cpu/cpu.h). */
#ifndef GUEST_X86_LIFT_PRIV_H
#define GUEST_X86_LIFT_PRIV_H

#include "cpu/cpu.h"

extern const struct ir_slot x86_slots[];
uint32_t x86_lift(struct ir *ir, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, uint64_t end, unsigned limit);
uint32_t x86_verbatim(struct verbatim *v, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, uint64_t end, unsigned limit);
uint32_t x86_flat(struct flat *f, uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, uint64_t end, unsigned limit);
void x86_scan(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, unsigned limit, struct guest_scan *out);
unsigned x86_length(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail);
bool x86_idle_dead(uint32_t mode, uint64_t pc, const uint8_t *(*code)(void *opaque, uint64_t pc, size_t *avail), void *opaque);
enum guest_idle x86_idle_effect(uint32_t mode, const uint8_t *code, size_t avail, unsigned *len);
/** x86_idle_skim - the length of the instruction at @code and its effect as x86_idle_effect() has it, read from a table; 0: ask that.
 * Never GUEST_IDLE_BRANCH. */
unsigned x86_idle_skim(uint32_t mode, const uint8_t *code, size_t avail, enum guest_idle *effect);
unsigned x86_disas(uint32_t mode, uint64_t pc, const uint8_t *code, size_t avail, char *buf, size_t len);

#endif
