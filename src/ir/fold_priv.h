/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of rewrite rules share: asking about operands, making values, actions on conditions. */
#ifndef IR_FOLD_PRIV_H
#define IR_FOLD_PRIV_H

#include "ir/ir_priv.h"

/* What to put instead of @o; 0: nothing, try the next rule. */
typedef uint32_t fold_action(struct ir *ir, const struct ir_op *o);

/* fold_cond.c: logic on conditions, comparisons, select */
fold_action fold_and_conditions, fold_or_conditions, fold_xor_conditions, fold_through_selects,
    fold_not_of_select, fold_not_of_compare, fold_invert_a, fold_compare_inner, fold_compare_shifted,
    fold_compare_without_add, fold_compare_narrow, fold_compare_bit, fold_select_simple;

static inline const struct ir_op *by(const struct ir *ir, uint32_t v, enum ir_opcode op)
{
    return ir->ops[v].op == op ? &ir->ops[v] : NULL;
}

static inline unsigned type_of(const struct ir *ir, uint32_t v)
{
    return ir->ops[v].type;
}

static inline bool is_const(const struct ir *ir, uint32_t v, uint64_t imm)
{
    return ir->ops[v].op == IRO_const && ir->ops[v].imm == (imm & ir_mask(type_of(ir, v)));
}

static inline uint32_t make(struct ir *ir, enum ir_opcode op, unsigned type, uint32_t a, uint32_t b)
{
    return ir_op(ir, op, type, 0, 0, (ir_val){a}, (ir_val){b}, IR_NONE).id;
}

static inline uint32_t constant(struct ir *ir, unsigned type, uint64_t v)
{
    return ir_const(ir, type, v).id;
}

#endif
