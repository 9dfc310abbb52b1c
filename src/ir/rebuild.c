/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Laying operations out anew: passes mark and append, this puts everything in its place at once. */
#include "ir/ir_priv.h"

#include <string.h>

uint32_t ir_insert(struct ir *ir, const struct ir_op *o, uint32_t before)
{
    struct ir_build *b = ir->b;
    uint32_t op = ir_push_op(ir, o);

    if (b->n_inserts == 0)
        b->n_inserts = 1;
    b->inserts = ir_array(b->inserts, &b->cap_inserts, b->n_inserts + 1, sizeof(*b->inserts));
    b->inserts[b->n_inserts++] = (struct ir_insert){.op = op, .before = before};
    return op;
}

/* Chain the insertions to the operations they precede; from the last, so that order is kept. */
static void chain_inserts(struct ir *ir)
{
    struct ir_build *b = ir->b;

    b->heads = ir_array(b->heads, &b->cap_heads, ir->n_ops, sizeof(*b->heads));
    memset(b->heads, 0, ir->n_ops * sizeof(*b->heads));
    for (uint32_t i = b->n_inserts; i-- > 1;) {
        b->inserts[i].next = b->heads[b->inserts[i].before];
        b->heads[b->inserts[i].before] = i;
    }
}

/* Operation @i and what is to be inserted before it (and before those). */
static uint32_t place(struct ir *ir, uint32_t n, uint32_t i)
{
    struct ir_build *b = ir->b;

    for (uint32_t k = b->heads[i]; k; k = b->inserts[k].next)
        n = place(ir, n, b->inserts[k].op);
    if (ir->ops[i].op == IRO_copy)
        return n;
    b->spare_ops[n] = ir->ops[i];
    b->map[i] = n;
    return n + 1;
}

static void remap_args(struct ir *ir, struct ir_op *o)
{
    const uint32_t *map = ir->b->map;

    for (unsigned i = 0; i < ir_info[o->op].n_args; i++)
        o->arg[i] = map[ir_root(ir, o->arg[i])];
}

static void remap_values(struct ir *ir, uint32_t n)
{
    const struct ir_build *b = ir->b;

    for (uint32_t i = 1; i < n; i++)
        remap_args(ir, &b->spare_ops[i]);
    for (uint32_t i = 1; i < ir->n_sets; i++)
        ir->sets[i].val = b->map[ir_root(ir, ir->sets[i].val)];
    for (uint32_t i = 0; i < ir->n_ins; i++)
        ir->ins[i].val = b->map[ir_root(ir, ir->ins[i].val)];
    for (uint32_t i = 0; i < ir->n_phi_args; i++)
        ir->phi_args[i] = b->map[ir_root(ir, ir->phi_args[i])];
}

/* Entry state that no snapshot shows any more has lost its values. */
static void drop_dead_ins(struct ir *ir)
{
    for (uint32_t k = 0; k < ir->n_blocks; k++) {
        struct ir_block *blk = &ir->blocks[k];
        uint32_t n = blk->in_first;

        for (uint32_t i = blk->in_first; i < blk->in_first + blk->in_count; i++)
            if (ir->ins[i].val)
                ir->ins[n++] = ir->ins[i];
        blk->in_count = n - blk->in_first;
    }
}

void ir_rebuild(struct ir *ir)
{
    struct ir_build *b = ir->b;
    struct ir_op *old = ir->ops;
    uint32_t n = 1, cap = ir->cap_ops;

    chain_inserts(ir);
    b->map = ir_array(b->map, &b->cap_map, ir->n_ops, sizeof(*b->map));
    memset(b->map, 0, ir->n_ops * sizeof(*b->map));
    b->spare_ops = ir_array(b->spare_ops, &b->cap_spare_ops, ir->n_ops, sizeof(*b->spare_ops));
    b->spare_ops[0] = ir->ops[0];
    for (uint32_t k = 0; k < ir->n_blocks; k++) {
        struct ir_block *blk = &ir->blocks[k];
        uint32_t first = n;

        for (uint32_t i = blk->first; i < blk->end; i++)
            n = place(ir, n, i);
        blk->first = first;
        blk->end = n;
    }
    remap_values(ir, n);
    ir->ops = b->spare_ops;
    ir->cap_ops = b->cap_spare_ops;
    ir->n_ops = n;
    b->spare_ops = old;
    b->cap_spare_ops = cap;
    b->n_inserts = 0;
    drop_dead_ins(ir);
}
