/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Evaluation functions: the one definition of what each pure and FP operation means.  The
 * interpreter runs them, the builder folds constants with them, and a back end calls them for every
 * operation it has no code for.  One file per family: eval_int.c, eval_vec.c, eval_fp.c, eval_crypto.c.
 */
#ifndef IR_EVAL_H
#define IR_EVAL_H

#include "ir/ir.h"

#define OP(name, result, args, effects, doc) ir_eval_fn ir_eval_##name;
#include "ir/ops.def"
#undef OP

#endif
