/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loop-invariant code.  What a loop computes from outside values alone is computed before it, when it
 * is costly enough to deserve a register all the time.  Guest compilers have done this for
 * instructions; what is left are parts of instructions, such as a by-element operand.
 */
#include "ir/ir_priv.h"
#include "ir/pass.h"

enum { MAX_HOISTED = 6 }; /* per loop: registers are few */

/* Hosts do these in addressing modes, as immediates, fused with a user, or for nothing. */
static bool is_cheap(const struct ir_op *o)
{
    switch (o->op) {
    case IRO_const: case IRO_vconst: case IRO_get: case IRO_phi: case IRO_copy: case IRO_add:
    case IRO_sub: case IRO_neg: case IRO_and: case IRO_or: case IRO_xor: case IRO_not:
    case IRO_shl: case IRO_shr: case IRO_sar: case IRO_zext: case IRO_sext: case IRO_trunc:
    case IRO_select: case IRO_vtof: case IRO_fbits: case IRO_vlow: case IRO_vfromf:
        return true;
    }
    return o->op >= IRO_eq && o->op <= IRO_adc_v;
}

/* The block that leads into the loop, when there is exactly one; ~0 otherwise, and for loops that
 * can be entered elsewhere. */
static uint32_t preheader(const struct ir *ir, uint32_t head, const uint32_t *idom)
{
    const struct ir_block *blk = &ir->blocks[head];
    uint32_t before = ~0u;

    for (uint32_t i = 0; i < blk->n_preds; i++) {
        uint32_t p = ir->preds[blk->preds_first + i];

        if (p >= head && ir_dominates(idom, head, p))
            continue;
        if (p >= head || before != ~0u)
            return ~0u;
        before = p;
    }
    return before;
}

/* Constants move along with what needs them: they cost nothing there either. */
static uint32_t outside(struct ir *ir, uint32_t v, uint32_t before, const uint32_t *idom)
{
    const uint32_t *block_of = ir->b->block_of;

    v = ir_root(ir, v);
    if (!v || ir_dominates(idom, block_of[v], before))
        return v;
    if (ir->ops[v].op != IRO_const && ir->ops[v].op != IRO_vconst)
        return 0;
    ir_fold_before(ir, before, ir->blocks[before].end - 1);
    return ir->ops[v].op == IRO_const
               ? ir_const(ir, ir->ops[v].type, ir->ops[v].imm).id
               : ir_vconst(ir, ir->ops[v].imm,
                           ir->ops[v].arg[0] | (uint64_t)ir->ops[v].arg[1] << 32)
                     .id;
}

static bool hoist(struct ir *ir, uint32_t v, uint32_t before, const uint32_t *idom)
{
    struct ir_op o = ir->ops[v];
    uint32_t moved;

    if (ir_info[o.op].effects != IR_PURE || is_cheap(&o))
        return false;
    for (unsigned k = 0; k < ir_info[o.op].n_args; k++) {
        o.arg[k] = outside(ir, o.arg[k], before, idom);
        if (!o.arg[k])
            return false;
    }
    moved = ir_insert(ir, &o, ir->blocks[before].end - 1);
    ir->b->block_of =
        ir_array(ir->b->block_of, &ir->b->cap_block_of, ir->n_ops, sizeof(*ir->b->block_of));
    ir->b->block_of[moved] = before;
    ir->ops[v] = (struct ir_op){.op = IRO_copy, .type = o.type, .arg = {moved}};
    return true;
}

/* The loop's blocks are those from its head to its last latch that the head dominates. */
static uint32_t last_latch(const struct ir *ir, uint32_t head)
{
    const struct ir_block *blk = &ir->blocks[head];

    return ir->preds[blk->preds_first + blk->n_preds - 1];
}

static void hoist_from(struct ir *ir, uint32_t head, const uint32_t *idom)
{
    uint32_t before = preheader(ir, head, idom), end = last_latch(ir, head);
    unsigned n = 0;

    for (uint32_t k = head; before != ~0u && k <= end; k++) {
        const struct ir_block *blk = &ir->blocks[k];

        if (blk->exit_only || blk->depth < ir->blocks[head].depth || !ir_dominates(idom, head, k))
            continue;
        for (uint32_t v = blk->first; v < blk->end && n < MAX_HOISTED; v++)
            n += hoist(ir, v, before, idom);
    }
}

void pass_hoist(struct ir *ir)
{
    const uint32_t *idom;
    bool any = false;

    for (uint32_t k = 0; k < ir->n_blocks; k++)
        any |= ir->blocks[k].loop_head;
    if (!any)
        return;
    idom = ir_dominators(ir);
    ir_blocks_of(ir);
    for (uint32_t k = ir->n_blocks; k-- > 0;) /* inner loops first */
        if (ir->blocks[k].loop_head)
            hoist_from(ir, k, idom);
    ir->b->pass_op = 0;
    ir_rebuild(ir);
}
