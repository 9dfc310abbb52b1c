/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of ir/ share: growing the arrays, the builder's state, folding. */
#ifndef IR_PRIV_H
#define IR_PRIV_H

#include "ir/build.h"

/** ir_grow - room for one more element: arrays double, and live as long as the struct ir. */
void *ir_grow(void *array, uint32_t *cap, size_t elem);
/** ir_array - room for @n elements at least. */
void *ir_array(void *array, uint32_t *cap, uint32_t n, size_t elem);

/* Append one element; the index is returned.  Pointers into the array become stale. */
static inline uint32_t ir_push_op(struct ir *ir, const struct ir_op *o)
{
    if (ir->n_ops == ir->cap_ops)
        ir->ops = ir_grow(ir->ops, &ir->cap_ops, sizeof(*ir->ops));
    ir->ops[ir->n_ops] = *o;
    return ir->n_ops++;
}

static inline uint32_t ir_push_set(struct ir *ir, uint32_t slot, uint32_t val, uint32_t prev)
{
    if (ir->n_sets == ir->cap_sets)
        ir->sets = ir_grow(ir->sets, &ir->cap_sets, sizeof(*ir->sets));
    ir->sets[ir->n_sets] = (struct ir_set){.slot = slot, .val = val, .prev = prev, .at = ir->n_ops};
    return ir->n_sets++;
}

static inline uint32_t ir_push_snap(struct ir *ir, uint64_t pc, uint32_t sets, uint32_t block)
{
    if (ir->n_snaps == ir->cap_snaps)
        ir->snaps = ir_grow(ir->snaps, &ir->cap_snaps, sizeof(*ir->snaps));
    ir->snaps[ir->n_snaps] = (struct ir_snap){.pc = pc, .sets = sets, .block = block};
    return ir->n_snaps++;
}

static inline uint32_t ir_push_block(struct ir *ir, uint64_t pc)
{
    if (ir->n_blocks == ir->cap_blocks)
        ir->blocks = ir_grow(ir->blocks, &ir->cap_blocks, sizeof(*ir->blocks));
    ir->blocks[ir->n_blocks] = (struct ir_block){.pc = pc};
    return ir->n_blocks++;
}

enum {
    CSE_BITS = 11,
    PLAN_BITS = 10,
    PLAN_MAX = 1 << (PLAN_BITS - 1), /* guest blocks in a region */
};

/* Table entries count only when their epoch is the current one: forgetting all is one increment. */
struct ir_seen {
    uint32_t epoch;
    uint32_t val;
};

/* Operation @op, at the end of the array until then, belongs before operation @before. */
struct ir_insert {
    uint32_t op, before, next;
};

/* A call within the region: where it returns to, and what it is part of. */
struct ir_frame {
    uint64_t ret;
    uint32_t parent;
};

/** struct ir_build - the state of lifting one block. */
struct ir_build {
    struct ir_frame frame[IR_MAX_FRAMES]; /* [0]: the region's own */
    uint32_t n_frames, at_frame; /* at_frame: of the block being lifted */
    uint64_t pc;    /* of the instruction being lifted */
    uint32_t block; /* being lifted */
    uint32_t sets;  /* newest slot write */
    uint32_t snap;  /* newest snapshot, reused while nothing changed */
    uint32_t n_plan;
    bool ended;
    /* Idle slots (struct ir_slot): which snapshots of the block at hand need none of them. */
    uint8_t idle[8];       /* the slots */
    uint8_t n_idle;
    uint32_t idle_from;    /* snapshots from here on were made after the last reading of one */
    uint32_t idle_set[8];  /* and those before these, before the last writing of each */
    uint32_t idle_done;    /* all before this one have been dealt with */
    uint64_t idle_read_pc; /* of the instruction that read one last */
    uint32_t pass_op; /* not lifting: a pass folds, new operations belong before this one */
    uint32_t epoch;                   /* of cur and cse */
    struct ir_seen cur[IR_MAX_SLOTS]; /* the value each slot has now, where known */
    struct ir_seen cse[1 << CSE_BITS];
    uint32_t plan_epoch;
    struct ir_seen plan[1 << PLAN_BITS]; /* guest pc to block, open addressing */

    /* Work space. */
    uint32_t *map; /* old to new operations while rebuilding */
    uint32_t cap_map;
    uint32_t *heads; /* the first insertion before each operation */
    uint32_t cap_heads;
    uint32_t *order, *stack, *mark; /* blocks */
    uint32_t cap_order, cap_stack, cap_mark;
    uint32_t *idom, *block_of;
    uint32_t cap_idom, cap_block_of;
    struct ir_insert *inserts; /* wanted at the next rebuilding; [0] unused */
    uint32_t n_inserts, cap_inserts;
    char *scratch; /* see ir_scratch */
    uint32_t cap_scratch;
    struct ir_op *spare_ops; /* the other half of rebuilding */
    uint32_t cap_spare_ops;
    struct ir_block *spare_blocks;
    uint32_t cap_spare_blocks;
};

/** ir_scratch - memory for the pass at work, until the next call. */
void *ir_scratch(struct ir *ir, size_t bytes);

/** ir_insert - append @o to the array; ir_rebuild will put it before operation @before.  Insertions
 * before the same operation keep their order. */
uint32_t ir_insert(struct ir *ir, const struct ir_op *o, uint32_t before);
/** ir_rebuild - lay the operations out again: insertions to their places, copies away. */
void ir_rebuild(struct ir *ir);

/** ir_fill_graph - predecessors, loop heads and depths, from succ alone; blocks in final order. */
void ir_fill_graph(struct ir *ir);

/** ir_dominators - each block's immediate dominator; the entry's is itself. */
const uint32_t *ir_dominators(struct ir *ir);
/** ir_dominates - true when every way to block @b leads through @a. */
bool ir_dominates(const uint32_t *idom, uint32_t a, uint32_t b);
/** ir_blocks_of - the block each operation is in. */
const uint32_t *ir_blocks_of(struct ir *ir);

/** ir_mark_firm - set ir_op.mark of the values that the fast path needs, and clear it for those that
 * only snapshots do. */
void ir_mark_firm(struct ir *ir);
/** ir_is_cheap - a pure integer operation that may be done again, or later, for a snapshot. */
bool ir_is_cheap(const struct ir_op *o);

/** ir_end_missing - a planned block that was not lifted becomes an exit to it. */
void ir_end_missing(struct ir *ir, uint32_t block);

/** ir_fold - a simpler value equal to @o, 0 when there is none.  @o must be canonical. */
uint32_t ir_fold(struct ir *ir, const struct ir_op *o);
/** ir_fold_before - a pass is going to use ir_op: new operations belong before @op of @block. */
void ir_fold_before(struct ir *ir, uint32_t block, uint32_t op);
/** ir_number - the value equal to operation @v that was numbered before, else @v itself. */
uint32_t ir_number(struct ir *ir, uint32_t v);
/** ir_canonical - constants to the right. */
void ir_canonical(const struct ir *ir, struct ir_op *o);
/** ir_value - @v as an evaluation sees it; false when it is not constant. */
bool ir_value(const struct ir *ir, uint32_t v, union ir_u *u);

#endif
