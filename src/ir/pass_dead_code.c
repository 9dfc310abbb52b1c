/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Dead code.  What has an effect is needed, and so is what it uses, also through its snapshot; the
 * rest goes.  Floating-point operations raise flags, so they are effects; but a comparison nobody
 * reads may go when another of the same operands raises the same flags anyway.
 */
#include "ir/ir_priv.h"
#include "ir/pass.h"

#include <string.h>

struct dead_code {
    struct ir *ir;
    uint32_t *todo; /* needed operations whose operands are still to be marked */
    uint32_t n;
};

static void need(struct dead_code *d, uint32_t v)
{
    v = ir_root(d->ir, v);
    if (!v || d->ir->ops[v].mark)
        return;
    d->ir->ops[v].mark = 1;
    d->todo[d->n++] = v;
}

static void need_slot(void *opaque, uint32_t slot, uint32_t val)
{
    need(opaque, val);
}

static void need_phi_args(struct dead_code *d, uint32_t phi, const uint32_t *block_of)
{
    const struct ir_block *blk = &d->ir->blocks[block_of[phi]];

    for (uint32_t i = 0; i < blk->n_preds; i++)
        need(d, d->ir->phi_args[d->ir->ops[phi].arg[0] + i]);
}

/* Marks all that the operations on the list need, directly or not. */
static void spread(struct dead_code *d, const uint32_t *block_of)
{
    while (d->n) {
        uint32_t v = d->todo[--d->n];
        const struct ir_op *o = &d->ir->ops[v];

        for (unsigned i = 0; i < ir_info[o->op].n_args; i++)
            need(d, o->arg[i]);
        if (o->op == IRO_phi)
            need_phi_args(d, v, block_of);
        if (o->snap)
            ir_snap_walk(d->ir, &d->ir->snaps[o->snap], need_slot, d);
    }
}

static bool is_fp_compare(unsigned op)
{
    return op >= IRO_feq && op <= IRO_fun;
}

static bool may_leave(unsigned op)
{
    unsigned effects = ir_info[op].effects;

    return effects != IR_PURE && effects != IR_FP;
}

static bool same_operands(const struct ir_op *a, const struct ir_op *b)
{
    return a->imm == b->imm && ((a->arg[0] == b->arg[0] && a->arg[1] == b->arg[1]) ||
                                (a->arg[0] == b->arg[1] && a->arg[1] == b->arg[0]));
}

/* Another needed comparison of the same operands runs whenever @v does: earlier in the block, or
 * later with nothing between that may leave or look at the flags. */
static bool flags_raised_anyway(const struct ir *ir, const struct ir_block *blk, uint32_t v)
{
    bool left = false;

    for (uint32_t i = blk->first; i < blk->end && !(left && i > v); i++) {
        const struct ir_op *o = &ir->ops[i];

        left |= i > v && may_leave(o->op);
        if (i != v && o->mark && is_fp_compare(o->op) && same_operands(o, &ir->ops[v]))
            return true;
    }
    return false;
}

static void need_fp_compares(struct dead_code *d, const uint32_t *block_of)
{
    for (uint32_t v = 1; v < d->ir->n_ops; v++) {
        const struct ir_op *o = &d->ir->ops[v];

        if (!is_fp_compare(o->op) || o->mark)
            continue;
        if (!flags_raised_anyway(d->ir, &d->ir->blocks[block_of[v]], v))
            need(d, v);
        spread(d, block_of);
    }
}

void pass_dead_code(struct ir *ir)
{
    struct dead_code d = {.ir = ir, .todo = ir_scratch(ir, ir->n_ops * sizeof(uint32_t))};
    const uint32_t *block_of = ir_blocks_of(ir);

    for (uint32_t v = 1; v < ir->n_ops; v++)
        ir->ops[v].mark = 0;
    for (uint32_t v = 1; v < ir->n_ops; v++)
        if (ir_info[ir->ops[v].op].effects != IR_PURE && !is_fp_compare(ir->ops[v].op))
            need(&d, v);
    spread(&d, block_of);
    need_fp_compares(&d, block_of);
    for (uint32_t v = 1; v < ir->n_ops; v++)
        if (!ir->ops[v].mark)
            ir->ops[v] = (struct ir_op){.op = IRO_copy};
    ir_rebuild(ir);
}
