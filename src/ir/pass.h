/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Passes over a finished region.  Each pass_*() leaves IR that ir_verify accepts and that means the
 * same; passes.def is their order.
 */
#ifndef IR_PASS_H
#define IR_PASS_H

#include "base/err.h"
#include "ir/ir.h"

/**
 * ir_optimise - make a finished region ready for a back end.
 * @effort: 0 only what a back end relies on, 1 everything
 * @passes_off: bit per row of passes.def to leave out; promotion always runs
 * Afterwards ir->promoted is true, there are no copies, and ir_op.uses is filled in.
 */
void ir_optimise(struct ir *ir, unsigned effort, unsigned passes_off);

/** ir_pass_bit - the bit of passes_off for a pass's name, 0 when there is none. */
unsigned ir_pass_bit(const char *name);

/** ir_count_uses - fill in ir_op.uses (at most 65535); uses by reachable snapshots count. */
void ir_count_uses(struct ir *ir);

/** ir_verify - check everything ir.h and ops.def promise; -EINVAL says what does not hold. */
int ir_verify(struct ir *ir, struct err *e);

#define PASS(name, effort, doc) void pass_##name(struct ir *ir);
#include "ir/passes.def"
#undef PASS

#endif
