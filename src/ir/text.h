/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IR as text, for logs and for tests of passes.  What is printed can be parsed back:
 *
 *     region promoted
 *     b0: pc=0x1000 heat=12
 *       %1 = get i64 x0
 *       %2 = const i64 0x8
 *       %3 = add i64 %1, %2
 *       %4 = load i64 %3, s32.acq {0x1004: x1=%3}
 *       %5 = vadd v128.s %7, %8
 *       br %6, b1, b2
 *     b1: pc=0x2000 exit pred=b0
 *       exit 0x2000 {0x2000: x0=%3}
 *
 * Behind a value's type stands the lane size (.h .s .d; bytes when absent); memory operands say
 * sign, bits, .acq .rel .acq_rel and .be; #N is an immediate.  {pc: slot=value, ...} is a snapshot's
 * own writes, "clean:" in front when a full call came before; a block's "in {...}" comes on top,
 * and "end {...}" are its writes while blocks are not yet connected by promotion.
 */
#ifndef IR_TEXT_H
#define IR_TEXT_H

#include "base/err.h"
#include "ir/ir.h"

#include <stdio.h>

void ir_print(const struct ir *ir, FILE *out);
/** ir_print_op - one operation, no indentation, no newline. */
void ir_print_op(const struct ir *ir, uint32_t op, FILE *out);

/**
 * ir_parse - replace the contents of @ir by a region in text form.
 * Blocks must come in their final order, the entry first.  What the text says is not verified:
 * see ir_verify.  Returns 0, or -EINVAL with the line in the message.
 */
int ir_parse(struct ir *ir, const char *text, struct err *e);

extern const char *const ir_type_names[IR_NUM_TYPES];

#endif
