/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * After lifting: the blocks become a graph that passes can rely on.  No critical edges, no way back
 * to the entry, reverse post order with the ways out at the end, predecessors and loops known.
 */
#include "ir/ir_priv.h"

#include <string.h>

#define NO_BLOCK (~0u)

static uint32_t *marks(struct ir *ir, uint32_t fill)
{
    struct ir_build *b = ir->b;

    b->mark = ir_array(b->mark, &b->cap_mark, ir->n_blocks, sizeof(*b->mark));
    for (uint32_t i = 0; i < ir->n_blocks; i++)
        b->mark[i] = fill;
    return b->mark;
}

static const uint32_t *count_preds(struct ir *ir)
{
    uint32_t *n = marks(ir, 0);

    for (uint32_t i = 0; i < ir->n_blocks; i++)
        for (unsigned k = 0; k < ir->blocks[i].n_succ; k++)
            n[ir->blocks[i].succ[k]]++;
    return n;
}

/* A new block that only jumps to @to. */
static uint32_t jump_block(struct ir *ir, uint32_t to)
{
    uint32_t k = ir_push_block(ir, ir->blocks[to].pc);
    struct ir_block *blk = &ir->blocks[k];

    blk->first = ir_push_op(ir, &(struct ir_op){.op = IRO_jmp});
    blk->end = ir->n_ops;
    blk->succ[0] = to;
    blk->n_succ = 1;
    return k;
}

/* An edge from a block with two ways to one with several predecessors gets a block. */
static void split_critical_edges(struct ir *ir)
{
    const uint32_t *preds = count_preds(ir);
    uint32_t n = ir->n_blocks;

    for (uint32_t i = 0; i < n; i++) {
        for (unsigned k = 0; ir->blocks[i].n_succ == 2 && k < 2; k++) {
            uint32_t to = ir->blocks[i].succ[k], split;

            if (preds[to] < 2)
                continue;
            split = jump_block(ir, to);
            ir->blocks[split].pred = i + 1;
            ir->blocks[split].entry_sets = ir->blocks[split].end_sets = ir->blocks[i].end_sets;
            ir->blocks[i].succ[k] = split;
        }
    }
}

/* What is loaded before a loop needs a place; when the region begins with the loop, a new entry. */
static uint32_t entry_block(struct ir *ir)
{
    return count_preds(ir)[0] ? jump_block(ir, 0) : 0;
}

/* Post order must visit later blocks first.  Blocks on edges belong right behind their source. */
static uint32_t place_of(const struct ir *ir, uint32_t block)
{
    const struct ir_block *blk = &ir->blocks[block];

    return blk->pred ? 2 * (blk->pred - 1) + 1 : 2 * block;
}

/* The successor of @block to visit next, or NO_BLOCK. */
static uint32_t next_unseen(const struct ir *ir, const uint32_t *seen, uint32_t block)
{
    const struct ir_block *blk = &ir->blocks[block];
    uint32_t best = NO_BLOCK;

    for (unsigned k = 0; k < blk->n_succ; k++) {
        uint32_t s = blk->succ[k];

        if (!seen[s] && (best == NO_BLOCK || place_of(ir, s) >= place_of(ir, best)))
            best = s;
    }
    return best;
}

/* Fills b->order with the reachable blocks, in post order; returns their number. */
static uint32_t post_order(struct ir *ir, uint32_t entry)
{
    struct ir_build *b = ir->b;
    uint32_t *seen = marks(ir, 0), n = 0, depth = 0;

    b->order = ir_array(b->order, &b->cap_order, ir->n_blocks, sizeof(*b->order));
    b->stack = ir_array(b->stack, &b->cap_stack, ir->n_blocks + 1, sizeof(*b->stack));
    b->stack[depth++] = entry;
    seen[entry] = 1;
    while (depth) {
        uint32_t next = next_unseen(ir, seen, b->stack[depth - 1]);

        if (next == NO_BLOCK) {
            b->order[n++] = b->stack[--depth];
        } else {
            seen[next] = 1;
            b->stack[depth++] = next;
        }
    }
    return n;
}

/* Turns the post order into the final one: reversed, exits behind everything else. */
static void final_order(struct ir *ir, uint32_t n)
{
    struct ir_build *b = ir->b;
    uint32_t k = 0;

    b->stack = ir_array(b->stack, &b->cap_stack, n, sizeof(*b->stack));
    for (unsigned exits = 0; exits < 2; exits++)
        for (uint32_t i = n; i-- > 0;)
            if (ir->blocks[b->order[i]].exit_only == exits)
                b->stack[k++] = b->order[i];
    memcpy(b->order, b->stack, n * sizeof(*b->order));
}

/* True when blocks and operations already stand in their final order. */
static bool in_order(const struct ir *ir, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (ir->b->order[i] != i || (i && ir->blocks[i].first < ir->blocks[i - 1].first))
            return false;
    return n == ir->n_blocks;
}

static void apply_order(struct ir *ir, uint32_t n)
{
    struct ir_build *b = ir->b;
    uint32_t *to = marks(ir, 0), cap = ir->cap_blocks;
    struct ir_block *old = ir->blocks;

    b->spare_blocks =
        ir_array(b->spare_blocks, &b->cap_spare_blocks, ir->n_blocks, sizeof(*b->spare_blocks));
    for (uint32_t i = 0; i < n; i++)
        to[b->order[i]] = i;
    for (uint32_t i = 0; i < n; i++) {
        struct ir_block *blk = &b->spare_blocks[i];

        *blk = old[b->order[i]];
        for (unsigned k = 0; k < blk->n_succ; k++)
            blk->succ[k] = to[blk->succ[k]];
        if (blk->pred)
            blk->pred = to[blk->pred - 1] + 1;
    }
    for (uint32_t i = 1; i < ir->n_snaps; i++)
        ir->snaps[i].block = to[ir->snaps[i].block];
    ir->blocks = b->spare_blocks;
    ir->cap_blocks = b->cap_spare_blocks;
    ir->n_blocks = n;
    b->spare_blocks = old;
    b->cap_spare_blocks = cap;
}

static void fill_preds(struct ir *ir)
{
    const uint32_t *n = count_preds(ir);
    uint32_t total = 0;

    for (uint32_t i = 0; i < ir->n_blocks; i++) {
        ir->blocks[i].preds_first = total;
        ir->blocks[i].n_preds = 0;
        total += n[i];
    }
    ir->preds = ir_array(ir->preds, &ir->cap_preds, total, sizeof(*ir->preds));
    ir->n_preds = total;
    for (uint32_t i = 0; i < ir->n_blocks; i++) {
        for (unsigned k = 0; k < ir->blocks[i].n_succ; k++) {
            struct ir_block *to = &ir->blocks[ir->blocks[i].succ[k]];

            ir->preds[to->preds_first + to->n_preds++] = i;
            to->loop_head |= to <= &ir->blocks[i];
        }
    }
}

/* Everything that reaches a latch of @head without passing through @head is inside its loop; never
 * the entry, which a loop with two ways in would lead to. */
static void deepen_loop(struct ir *ir, uint32_t head)
{
    struct ir_build *b = ir->b;
    uint32_t *inside = marks(ir, 0), depth = 0;

    b->stack = ir_array(b->stack, &b->cap_stack, ir->n_preds + 1, sizeof(*b->stack));
    inside[0] = inside[head] = 1;
    ir->blocks[head].depth++;
    for (uint32_t i = 0; i < ir->blocks[head].n_preds; i++)
        if (ir->preds[ir->blocks[head].preds_first + i] >= head)
            b->stack[depth++] = ir->preds[ir->blocks[head].preds_first + i];
    while (depth) {
        const struct ir_block *blk = &ir->blocks[b->stack[--depth]];

        if (inside[blk - ir->blocks])
            continue;
        inside[blk - ir->blocks] = 1;
        ir->blocks[blk - ir->blocks].depth++;
        for (uint32_t i = 0; i < blk->n_preds; i++)
            if (!inside[ir->preds[blk->preds_first + i]])
                b->stack[depth++] = ir->preds[blk->preds_first + i];
    }
}

void ir_fill_graph(struct ir *ir)
{
    fill_preds(ir);
    for (uint32_t i = 0; i < ir->n_blocks; i++)
        if (ir->blocks[i].loop_head)
            deepen_loop(ir, i);
}

/* One block and its ways out, as cold code has them: in order already, nothing to split. */
static bool is_simple(const struct ir *ir)
{
    const struct ir_block *blk = &ir->blocks[0];

    if (ir->b->n_plan != 1 || ir->n_blocks != 1u + blk->n_succ)
        return false;
    for (unsigned k = 0; k < blk->n_succ; k++)
        if (blk->succ[k] != k + 1 || !ir->blocks[k + 1].exit_only)
            return false;
    return true;
}

void ir_finish(struct ir *ir)
{
    uint32_t entry, n;

    for (uint32_t i = 0; i < ir->b->n_plan; i++)
        if (!ir->blocks[i].end)
            ir_end_missing(ir, i);
    if (is_simple(ir)) {
        ir_fill_graph(ir);
        ir->promoted = ir->straight = true;
        return;
    }
    entry = entry_block(ir); /* before edges are split: it may be one predecessor more */
    split_critical_edges(ir);
    n = post_order(ir, entry);
    final_order(ir, n);
    if (!in_order(ir, n)) {
        apply_order(ir, n);
        ir_rebuild(ir);
    }
    ir_fill_graph(ir);
    ir->promoted = ir->b->n_plan == 1 && !entry;
}
