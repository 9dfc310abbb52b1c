/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Value numbering over the region: the builder's folding and reuse once more, now that promotion has
 * connected the blocks.  A value may stand for an equal one in every block it dominates.
 */
#include "ir/ir_priv.h"
#include "ir/pass.h"

/* A helper may change the rounding mode, the flags, and, when it is a full one, slots: values from
 * before it are then not those from behind it.  Rare enough to leave such regions alone. */
static bool has_call(const struct ir *ir)
{
    for (uint32_t i = 1; i < ir->n_ops; i++)
        if (ir->ops[i].op == IRO_call)
            return true;
    return false;
}

static void follow_copies(struct ir *ir, uint32_t v)
{
    struct ir_op *o = &ir->ops[v];

    for (unsigned k = 0; k < ir_info[o->op].n_args; k++)
        o->arg[k] = ir_root(ir, o->arg[k]);
}

/* A branch on "not x" is the other branch on x. */
static void turn_branch(struct ir *ir, struct ir_block *blk, uint32_t v)
{
    struct ir_op *o = &ir->ops[v];
    uint32_t other = blk->succ[0];

    if (o->op != IRO_br || ir->ops[o->arg[0]].op != IRO_not)
        return;
    o->arg[0] = ir->ops[o->arg[0]].arg[0];
    blk->succ[0] = blk->succ[1];
    blk->succ[1] = other;
}

static void number(struct ir *ir, uint32_t v)
{
    unsigned effects = ir_info[ir->ops[v].op].effects;
    uint32_t same;

    if (effects != IR_PURE && effects != IR_FP)
        return;
    if (ir->ops[v].op == IRO_phi || ir->ops[v].op == IRO_copy)
        return;
    ir->b->pass_op = v;
    if (ir_info[ir->ops[v].op].n_args) {
        struct ir_op o;

        ir_canonical(ir, &ir->ops[v]);
        o = ir->ops[v];
        same = ir_fold(ir, &o);
    } else {
        same = 0;
    }
    if (!same)
        same = ir_number(ir, v);
    if (same != v)
        ir->ops[v] = (struct ir_op){.op = IRO_copy, .type = ir->ops[v].type, .arg = {same}};
}

void pass_value_numbering(struct ir *ir)
{
    struct ir_build *b = ir->b;

    if (has_call(ir))
        return;
    ir_dominators(ir);
    ir_blocks_of(ir);
    b->epoch++;
    for (b->block = 0; b->block < ir->n_blocks; b->block++) {
        struct ir_block *blk = &ir->blocks[b->block];

        for (uint32_t v = blk->first; v < blk->end; v++) {
            follow_copies(ir, v);
            number(ir, v);
        }
        turn_branch(ir, blk, blk->end - 1);
    }
    b->pass_op = 0;
    ir_rebuild(ir);
}
