/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of one evaluated operation: operands and the result worked out by hand. */
#ifndef TESTS_UNIT_IR_EVAL_CHECK_H
#define TESTS_UNIT_IR_EVAL_CHECK_H

#include "base/softfloat.h"
#include "ir/eval.h"
#include "tests/test.h"

/* High half first, as one writes a vector. */
#define V(hi, lo) {.d = {lo, hi}}

struct row {
    const char *name;
    ir_eval_fn *eval;
    uint8_t type, arg_type, lane;
    uint64_t imm;
    union ir_u a[3];
    union ir_u want;
    uint32_t flags; /* FP_*: exactly these are raised */
};
#define VROW(op, lane, imm) .name = #op, .eval = ir_eval_##op, IR_V128, IR_V128, lane, imm
#define ROW(op, type, arg_type, imm) .name = #op, .eval = ir_eval_##op, type, arg_type, 0, imm

static inline void check_row(const struct row *w, size_t number, struct fp_env *fp)
{
    struct ir_how how = {.type = w->type, .arg_type = w->arg_type, .lane = w->lane, .imm = w->imm};
    union ir_u got;

    memset(&got, 0xa5, sizeof(got));
    fp->flags = 0;
    w->eval(&got, w->a, &how, fp);
    if (!both(both(CHECK_EQ(got.d[0], w->want.d[0]), CHECK_EQ(got.d[1], w->want.d[1])),
              CHECK_EQ(fp->flags, w->flags)))
        printf("    in row %zu: %s, lane %u, imm %#llx\n", number, w->name, w->lane,
               (unsigned long long)w->imm);
}

#define CHECK_ROWS(rows, fp)                                                                       \
    for (size_t i_ = 0; i_ < sizeof(rows) / sizeof((rows)[0]); i_++)                               \
    check_row(&(rows)[i_], i_, fp)

#endif
