/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every operation is: ops.def as a table. */
#include "ir/eval.h"


/* Result letters of ops.def. */
enum {
    R_0 = IR_VOID,
    R_I1 = IR_I1,
    R_I32 = IR_I32,
    R_I64 = IR_I64,
    R_V = IR_V128,
    R_T = IR_NUM_TYPES,
};
#define RESULT(letter) R_##letter

/* Only values have an evaluation, and of them not those that need to know where they stand. */
#define EVAL_PURE(name)  ir_eval_##name
#define EVAL_FP(name)    ir_eval_##name
#define EVAL_READ(name)  NULL
#define EVAL_WRITE(name) NULL
#define EVAL_CALL(name)  NULL
#define EVAL_END(name)   NULL
#define EVAL_POLL(name)  NULL
#define EVAL_WAY(name)   NULL
#define ir_eval_vconst   NULL
#define ir_eval_get      NULL
#define ir_eval_phi      NULL

const struct ir_info ir_info[IR_NUM_OPS] = {
#define OP(op, res, letters, eff, text)                                                            \
    [IRO_##op] = {                                                                                 \
        .name = #op,                                                                               \
        .args = letters,                                                                           \
        .result = RESULT(res),                                                                     \
        .n_args = sizeof(letters) - 1,                                                             \
        .effects = IR_##eff,                                                                       \
        .eval = EVAL_##eff(op),                                                                    \
        .doc = text,                                                                               \
    },
#include "ir/ops.def"
#undef OP
};
