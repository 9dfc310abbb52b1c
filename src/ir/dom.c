/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dominators (Cooper, Harvey, Kennedy: A Simple, Fast Dominance Algorithm), blocks in reverse post
 * order. */
#include "ir/ir_priv.h"

#define UNKNOWN (~0u)

static uint32_t meet(const uint32_t *idom, uint32_t a, uint32_t b)
{
    while (a != b) {
        while (a > b)
            a = idom[a];
        while (b > a)
            b = idom[b];
    }
    return a;
}

static uint32_t idom_of(const struct ir *ir, const uint32_t *idom, uint32_t block)
{
    const struct ir_block *blk = &ir->blocks[block];
    uint32_t d = UNKNOWN;

    for (uint32_t i = 0; i < blk->n_preds; i++) {
        uint32_t p = ir->preds[blk->preds_first + i];

        if (idom[p] != UNKNOWN)
            d = d == UNKNOWN ? p : meet(idom, d, p);
    }
    return d;
}

const uint32_t *ir_dominators(struct ir *ir)
{
    struct ir_build *b = ir->b;
    bool changed = true;

    b->idom = ir_array(b->idom, &b->cap_idom, ir->n_blocks, sizeof(*b->idom));
    for (uint32_t i = 0; i < ir->n_blocks; i++)
        b->idom[i] = i ? UNKNOWN : 0;
    while (changed) {
        changed = false;
        for (uint32_t i = 1; i < ir->n_blocks; i++) {
            uint32_t d = idom_of(ir, b->idom, i);

            changed |= d != b->idom[i];
            b->idom[i] = d;
        }
    }
    return b->idom;
}

bool ir_dominates(const uint32_t *idom, uint32_t a, uint32_t b)
{
    while (b > a)
        b = idom[b];
    return a == b;
}

const uint32_t *ir_blocks_of(struct ir *ir)
{
    struct ir_build *b = ir->b;

    b->block_of = ir_array(b->block_of, &b->cap_block_of, ir->n_ops, sizeof(*b->block_of));
    b->block_of[0] = UNKNOWN;
    for (uint32_t i = 0; i < ir->n_blocks; i++)
        for (uint32_t k = ir->blocks[i].first; k < ir->blocks[i].end; k++)
            b->block_of[k] = i;
    return b->block_of;
}
