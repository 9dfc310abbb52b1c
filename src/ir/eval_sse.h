/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the evaluation files take from eval_sse.c: comparisons by x86's rules. */
#ifndef IR_EVAL_SSE_H
#define IR_EVAL_SSE_H

#include "base/softfloat.h"
#include "ir/ir.h"

/** sse_compare - @a[0] with @a[1], f32 or f64: UCOMIS, or COMIS when @signalling. */
enum fp_order sse_compare(const union ir_u *a, unsigned type, bool signalling, struct fp_env *fp);

#endif
