/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guest memory as the interpreter reaches it: the callbacks of struct ir_machine. */
#ifndef CPU_INTERP_PRIV_H
#define CPU_INTERP_PRIV_H

#include "cpu/engine.h"
#include "ir/interp.h"

int interp_load(struct ir_machine *m, uint64_t addr, uint64_t memop, union ir_u *v);
int interp_store(struct ir_machine *m, uint64_t addr, uint64_t memop, const union ir_u *v);
int interp_atomic(struct ir_machine *m, enum ir_opcode op, uint64_t addr, uint64_t memop,
                  const union ir_u *a, const union ir_u *b, union ir_u *old);
/** interp_atomic_at - the operation at host address @addr, as guest memory of a program is: 0, or -EFAULT. */
int interp_atomic_at(struct cpu *cpu, enum ir_opcode op, uint64_t addr, uint64_t memop, const union ir_u *a,
                     const union ir_u *b, union ir_u *old);
void interp_fence(struct ir_machine *m, unsigned kind);

#endif
