/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Regions as objects: memory that is kept from one region to the next, and walking snapshots. */
#include "ir/ir_priv.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { FIRST_CAPACITY = 64 };

void *ir_array(void *array, uint32_t *cap, uint32_t n, size_t elem)
{
    uint32_t want = *cap ? *cap : FIRST_CAPACITY;

    if (n <= *cap)
        return array;
    while (want < n)
        want *= 2;
    array = realloc(array, want * elem);
    if (!array)
        bug("out of memory for a region");
    *cap = want;
    return array;
}

void *ir_grow(void *array, uint32_t *cap, size_t elem)
{
    return ir_array(array, cap, *cap + 1, elem);
}

void *ir_scratch(struct ir *ir, size_t bytes)
{
    ir->b->scratch = ir_array(ir->b->scratch, &ir->b->cap_scratch, (uint32_t)bytes, 1);
    return ir->b->scratch;
}

struct ir *ir_new(const struct ir_slot *slots, uint32_t n_slots, const struct ir_helper *helpers,
                  uint32_t n_helpers)
{
    struct ir *ir = calloc(1, sizeof(*ir));

    if (n_slots > IR_MAX_SLOTS)
        bug("%u guest slots, at most %u", n_slots, IR_MAX_SLOTS);
    if (!ir || !(ir->b = calloc(1, sizeof(*ir->b))))
        bug("out of memory for a region");
    ir->slots = slots;
    ir->n_slots = n_slots;
    ir->helpers = helpers;
    ir->n_helpers = n_helpers;
    ir_reset(ir);
    return ir;
}

static void free_build(struct ir_build *b)
{
    if (!b)
        return;
    free(b->map);
    free(b->heads);
    free(b->order);
    free(b->stack);
    free(b->mark);
    free(b->idom);
    free(b->block_of);
    free(b->inserts);
    free(b->scratch);
    free(b->spare_ops);
    free(b->spare_blocks);
    free(b);
}

void ir_free(struct ir *ir)
{
    if (!ir)
        return;
    free(ir->ops);
    free(ir->sets);
    free(ir->snaps);
    free(ir->blocks);
    free(ir->preds);
    free(ir->phi_args);
    free(ir->ins);
    free_build(ir->b);
    free(ir);
}

static void *copy_of(const void *array, uint32_t n, size_t elem)
{
    void *copy = malloc(n * elem + 1);

    if (!copy)
        bug("out of memory for a region");
    if (n)
        memcpy(copy, array, n * elem);
    return copy;
}

struct ir *ir_keep(const struct ir *ir)
{
    struct ir *k = copy_of(ir, 1, sizeof(*ir));

    k->ops = copy_of(ir->ops, ir->n_ops, sizeof(*ir->ops));
    k->sets = copy_of(ir->sets, ir->n_sets, sizeof(*ir->sets));
    k->snaps = copy_of(ir->snaps, ir->n_snaps, sizeof(*ir->snaps));
    k->blocks = copy_of(ir->blocks, ir->n_blocks, sizeof(*ir->blocks));
    k->preds = copy_of(ir->preds, ir->n_preds, sizeof(*ir->preds));
    k->phi_args = copy_of(ir->phi_args, ir->n_phi_args, sizeof(*ir->phi_args));
    k->ins = copy_of(ir->ins, ir->n_ins, sizeof(*ir->ins));
    k->b = NULL;
    return k;
}

void ir_reset(struct ir *ir)
{
    struct ir_build *b = ir->b;

    ir->n_ops = ir->n_sets = ir->n_snaps = 0;
    ir->n_blocks = ir->n_preds = ir->n_phi_args = ir->n_ins = 0;
    ir->promoted = ir->straight = false;
    /* Index 0 of each means "none".  Its operation must not look like a value. */
    ir_push_op(ir, &(struct ir_op){.op = IRO_jmp});
    ir_push_set(ir, 0, 0, 0);
    ir_push_snap(ir, 0, 0, 0);
    b->pc = 0;
    b->n_frames = 1;
    b->at_frame = 0;
    b->n_plan = b->block = b->sets = b->snap = b->n_inserts = b->pass_op = 0;
    b->ended = true;
    b->epoch++;
    b->plan_epoch++;
}

void ir_snap_walk(const struct ir *ir, const struct ir_snap *s,
                  void (*fn)(void *opaque, uint32_t slot, uint32_t val), void *opaque)
{
    uint64_t seen[IR_MAX_SLOTS / 64] = {0};
    const struct ir_block *in = &ir->blocks[s->block];
    uint32_t i = s->sets;

    for (; i && ir->sets[i].slot != IR_SLOT_CLEAN; i = ir->sets[i].prev) {
        uint32_t slot = ir->sets[i].slot;

        if (!(s->idle_dead && ir->slots[slot].idle) && !(seen[slot / 64] >> slot % 64 & 1))
            fn(opaque, slot, ir->sets[i].val);
        seen[slot / 64] |= 1ull << slot % 64;
    }
    if (i) /* a full call: what was dirty before is in memory */
        return;
    if (in->pred)
        in = &ir->blocks[in->pred - 1];
    for (uint32_t k = in->in_first; k < in->in_first + in->in_count; k++)
        if (!(s->idle_dead && ir->slots[ir->ins[k].slot].idle) &&
            !(seen[ir->ins[k].slot / 64] >> ir->ins[k].slot % 64 & 1))
            fn(opaque, ir->ins[k].slot, ir->ins[k].val);
}
