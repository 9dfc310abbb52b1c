/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which values are needed on the fast path, and which only by snapshots ("weak").  Back ends compute
 * cheap weak values when a snapshot is really taken, so the passes that use this try to keep them
 * weak, and cheap.
 */
#include "ir/ir_priv.h"

struct firm {
    struct ir *ir;
    uint32_t *todo;
    uint32_t n;
};

static void firm(struct firm *f, uint32_t v)
{
    v = ir_root(f->ir, v);
    if (!v || f->ir->ops[v].mark)
        return;
    f->ir->ops[v].mark = 1;
    f->todo[f->n++] = v;
}

static void firm_args(struct firm *f, const struct ir_op *o)
{
    for (unsigned i = 0; i < ir_info[o->op].n_args; i++)
        firm(f, o->arg[i]);
}

static void firm_phi_args(struct firm *f, const struct ir_op *o, const struct ir_block *blk)
{
    for (uint32_t i = 0; i < blk->n_preds; i++)
        firm(f, f->ir->phi_args[o->arg[0] + i]);
}

void ir_mark_firm(struct ir *ir)
{
    struct firm f = {.ir = ir, .todo = ir_scratch(ir, ir->n_ops * sizeof(uint32_t))};
    const uint32_t *block_of = ir_blocks_of(ir);

    for (uint32_t v = 1; v < ir->n_ops; v++)
        ir->ops[v].mark = 0;
    for (uint32_t v = 1; v < ir->n_ops; v++)
        if (ir_info[ir->ops[v].op].effects != IR_PURE)
            firm_args(&f, &ir->ops[v]);
    while (f.n) {
        uint32_t v = f.todo[--f.n];
        const struct ir_op *o = &ir->ops[v];

        if (o->op == IRO_phi)
            firm_phi_args(&f, o, &ir->blocks[block_of[v]]);
        else
            firm_args(&f, o);
    }
}

bool ir_is_cheap(const struct ir_op *o)
{
    switch (o->op) {
    case IRO_add: case IRO_sub: case IRO_and: case IRO_or: case IRO_xor: case IRO_not:
    case IRO_neg: case IRO_shl: case IRO_shr: case IRO_sar: case IRO_zext: case IRO_sext:
    case IRO_trunc: case IRO_select:
        return ir_is_int(o->type);
    }
    return o->op >= IRO_eq && o->op <= IRO_adc_v;
}
