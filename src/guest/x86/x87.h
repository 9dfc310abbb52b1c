/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between tr_x87.c and the helpers in x87.c: how an operation is to be done; and the x87 part of the CPU's mode. */
#ifndef GUEST_X86_X87_H
#define GUEST_X86_X87_H

#include "guest/x86/x86.h"
#include "ir/x87.h"

enum {
    X87_KEPT = 1,           /* aux[1] after x87_store: nothing is to be stored or popped */
};

/** x87_mode - after somebody has written fcw or fsw: the mode bit, and ES; between regions, or in full helpers. */
void x87_mode(struct cpu *cpu);
/** x87_new_mode - the same at the end of a full helper, whose instruction @next follows: leaves if the mode has changed. */
void x87_new_mode(struct cpu *cpu, uint64_t next);

/* Where the unit is, for the host (ir/x87.h). */
extern const struct ir_x87 x86_x87_unit;

#endif
