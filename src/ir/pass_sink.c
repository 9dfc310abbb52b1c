/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values that only a phi of a later block wants are computed on the way there, not where the guest
 * computed them: flags that leave a loop with the last iteration are not needed in the others.  The
 * original stays for snapshots, which compute it themselves when they are taken.
 */
#include "ir/ir_priv.h"
#include "ir/pass.h"

enum { MAX_DEPTH = 3 };

/* A copy of @v and of what it alone needs, at the end of the block in b->block. */
static uint32_t clone(struct ir *ir, uint32_t v, unsigned depth)
{
    struct ir_op o = ir->ops[v];

    if (o.op == IRO_const)
        return ir_const(ir, o.type, o.imm).id;
    if (o.mark || !ir_is_cheap(&o) || depth == MAX_DEPTH)
        return v;
    for (unsigned k = 0; k < ir_info[o.op].n_args; k++)
        o.arg[k] = clone(ir, ir_root(ir, o.arg[k]), depth + 1);
    return ir_op(ir, o.op, o.type, o.lane, o.imm, (ir_val){o.arg[0]}, (ir_val){o.arg[1]},
                 (ir_val){o.arg[2]})
        .id;
}

/* Does going to @from, on the way to block @to, leave others who do not need the value behind?
 * Either a loop, or a branch on which flags were set before. */
static bool leaves_others(const struct ir *ir, uint32_t def, uint32_t from, uint32_t to, unsigned type)
{
    const struct ir_block *d = &ir->blocks[def], *f = &ir->blocks[from];

    if (f->depth != d->depth)
        return f->depth < d->depth;
    return type == IR_I1 && !ir->blocks[to].loop_head && d->n_succ == 2;
}

/* Element @arg of phi_args, an argument that arrives from block @from in block @to. */
static void sink(struct ir *ir, uint32_t arg, uint32_t from, uint32_t to)
{
    uint32_t v = ir_root(ir, ir->phi_args[arg]), def = ir->b->block_of[v];

    if (def == from || ir->ops[v].mark || !ir_is_cheap(&ir->ops[v]) ||
        !leaves_others(ir, def, from, to, ir->ops[v].type))
        return;
    ir_fold_before(ir, from, ir->blocks[from].end - 1);
    v = clone(ir, v, 0);
    ir->phi_args[arg] = v;
}

void pass_sink(struct ir *ir)
{
    bool any = false;

    for (uint32_t k = 0; k < ir->n_blocks; k++)
        any |= ir->ops[ir->blocks[k].first].op == IRO_phi;
    if (!any)
        return;
    ir_dominators(ir);
    ir_mark_firm(ir);
    for (uint32_t k = 0; k < ir->n_blocks; k++) {
        const struct ir_block *blk = &ir->blocks[k];

        for (uint32_t v = blk->first; ir->ops[v].op == IRO_phi; v++) {
            for (uint32_t i = 0; i < blk->n_preds; i++)
                sink(ir, ir->ops[v].arg[0] + i, ir->preds[blk->preds_first + i], k);
        }
    }
    ir->b->pass_op = 0;
    ir_rebuild(ir);
}
