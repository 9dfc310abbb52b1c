/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The verifier: everything that ir.h and ops.def promise about a finished region. */
#include "ir/ir_priv.h"
#include "ir/pass.h"

#include <errno.h>

struct verifier {
    struct ir *ir;
    struct err *e;
    const uint32_t *idom, *block_of;
    uint32_t op, block; /* being checked */
};

static bool wrong(struct verifier *v, const char *what)
{
    if (!v->e->code)
        err_set(v->e, -EINVAL, "b%u, %%%u %s: %s", v->block, v->op,
                v->op ? ir_info[v->ir->ops[v->op].op].name : "", what);
    return false;
}

/* --- Types --- */

static bool type_fits(char letter, unsigned type, const struct ir_op *o, unsigned first)
{
    switch (letter) {
    case 'T': return type == o->type;
    case 'S': return type == first;
    case 'X': return true;
    case '1': return type == IR_I1;
    case '3': return type == IR_I32;
    case '6':
    case 'A': return type == IR_I64;
    case 'V': return type == IR_V128;
    case 'F': return type >= IR_F16 && type <= IR_F64;
    }
    return false;
}

/* Operations that take any operand but not every one of them. */
static bool widths_fit(const struct ir_op *o, unsigned arg)
{
    unsigned to = ir_bits(o->type), from = ir_bits(arg);

    switch (o->op) {
    case IRO_zext:
    case IRO_sext: return ir_is_int(o->type) && ir_is_int(arg) && from < to;
    case IRO_trunc: return ir_is_int(o->type) && ir_is_int(arg) && from > to;
    case IRO_fbits: return ir_is_int(o->type) ? to >= from : from >= to;
    case IRO_i2f:
    case IRO_vfromi:
    case IRO_vdup: return arg == IR_I32 || arg == IR_I64;
    case IRO_const: return ir_is_int(o->type);
    }
    return true;
}

/* Integer operations are not for floating point, and the other way round. */
static bool family_fits(const struct ir_op *o, unsigned arg)
{
    if (o->op >= IRO_add && o->op <= IRO_bswap)
        return ir_is_int(o->type);
    if (o->op >= IRO_eq && o->op <= IRO_adc_v)
        return ir_is_int(arg);
    if (o->op >= IRO_feq && o->op <= IRO_fun)
        return type_fits('F', arg, o, arg);
    if (o->op >= IRO_fadd && o->op <= IRO_frecpx)
        return type_fits('F', o->type, o, arg);
    return true;
}

static bool check_types(struct verifier *v, const struct ir_op *o)
{
    const struct ir_info *info = &ir_info[o->op];
    const struct ir_op *ops = v->ir->ops;
    unsigned first = info->n_args ? ops[o->arg[0]].type : IR_VOID;

    if (info->result == IR_NUM_TYPES ? o->type == IR_VOID || o->type >= IR_NUM_TYPES
                                     : o->type != info->result)
        return wrong(v, "result type");
    for (unsigned i = 0; i < info->n_args; i++) {
        if (o->op == IRO_call && !o->arg[i])
            continue;
        if (!type_fits(info->args[i], ops[o->arg[i]].type, o, first))
            return wrong(v, "operand type");
    }
    if (!widths_fit(o, first) || !family_fits(o, first))
        return wrong(v, "operand type for this operation");
    return true;
}

/* --- Values are defined before they are used --- */

static bool reaches(const struct verifier *v, uint32_t val, uint32_t block, uint32_t op)
{
    uint32_t def;

    if (!val || val >= v->ir->n_ops || v->ir->ops[val].type == IR_VOID)
        return false;
    def = v->block_of[val];
    return def == block ? val < op : ir_dominates(v->idom, def, block);
}

static bool check_phi(struct verifier *v, const struct ir_op *o)
{
    const struct ir_block *blk = &v->ir->blocks[v->block];

    if (v->op != blk->first && v->ir->ops[v->op - 1].op != IRO_phi)
        return wrong(v, "not at the start of its block");
    for (uint32_t i = 0; i < blk->n_preds; i++) {
        uint32_t p = v->ir->preds[blk->preds_first + i];
        uint32_t val = v->ir->phi_args[o->arg[0] + i];

        if (!reaches(v, val, p, ~0u))
            return wrong(v, "a value is not available at the end of a predecessor");
        if (v->ir->ops[val].type != o->type)
            return wrong(v, "operand type");
    }
    return blk->n_preds || wrong(v, "in a block without predecessors");
}

static void check_snap_value(void *opaque, uint32_t slot, uint32_t val)
{
    struct verifier *v = opaque;

    if (slot >= v->ir->n_slots)
        wrong(v, "snapshot of an unknown slot");
    else if (!reaches(v, val, v->block, v->op))
        wrong(v, "a value of the snapshot is not available");
    else if (v->ir->ops[val].type != v->ir->slots[slot].type)
        wrong(v, "a value of the snapshot does not have the slot's type");
}

static bool needs_snap(const struct verifier *v, const struct ir_op *o)
{
    switch (ir_info[o->op].effects) {
    case IR_READ:
    case IR_WRITE:
    case IR_POLL: return true;
    case IR_CALL: return v->ir->helpers[o->imm].full;
    case IR_END: return o->op != IRO_jmp && o->op != IRO_br;
    }
    return false;
}

static bool check_snap(struct verifier *v, const struct ir_op *o)
{
    if (!needs_snap(v, o))
        return !o->snap || wrong(v, "snapshot without need");
    if (!o->snap || o->snap >= v->ir->n_snaps)
        return wrong(v, "snapshot missing");
    if (v->ir->snaps[o->snap].block != v->block)
        return wrong(v, "snapshot of another block");
    ir_snap_walk(v->ir, &v->ir->snaps[o->snap], check_snap_value, v);
    return !v->e->code;
}

/* --- Immediates that name something --- */

static bool check_imm(struct verifier *v, const struct ir_op *o)
{
    switch (o->op) {
    case IRO_get:
        if (o->imm >= v->ir->n_slots || v->ir->slots[o->imm].type != o->type)
            return wrong(v, "no such slot of this type");
        return true;
    case IRO_call:
        return o->imm < v->ir->n_helpers || wrong(v, "no such helper");
    case IRO_const:
        return !(o->imm & ~ir_mask(o->type)) || wrong(v, "constant wider than its type");
    case IRO_vget:
    case IRO_vgets:
    case IRO_vset:
    case IRO_vdupl:
        return o->imm < 16u >> o->lane || wrong(v, "no such lane");
    case IRO_vext:
        return o->imm < 16 || wrong(v, "not 0 to 15");
    }
    return o->lane < 4 || wrong(v, "no such lane size");
}

static bool check_op(struct verifier *v)
{
    const struct ir_op *o = &v->ir->ops[v->op];
    bool last = v->op + 1 == v->ir->blocks[v->block].end;

    if (o->op >= IR_NUM_OPS)
        return wrong(v, "no such operation");
    if ((ir_info[o->op].effects == IR_END) != last)
        return wrong(v, last ? "the block has no end" : "the block goes on");
    if (!check_imm(v, o))
        return false;
    for (unsigned i = 0; i < ir_info[o->op].n_args; i++)
        if ((o->arg[i] || o->op != IRO_call) && !reaches(v, o->arg[i], v->block, v->op))
            return wrong(v, "operand not available");
    if (o->op == IRO_phi && !check_phi(v, o))
        return false;
    return check_types(v, o) && check_snap(v, o);
}

/* --- The graph --- */

static bool check_edges(struct verifier *v, const struct ir_block *blk)
{
    const struct ir *ir = v->ir;
    unsigned end = blk->end > blk->first ? ir->ops[blk->end - 1].op : IR_NUM_OPS;

    if (blk->n_succ != (end == IRO_br ? 2 : end == IRO_jmp ? 1 : 0))
        return wrong(v, "number of successors");
    for (unsigned k = 0; k < blk->n_succ; k++) {
        if (blk->succ[k] >= ir->n_blocks || blk->succ[k] == 0)
            return wrong(v, "successor does not exist, or is the entry");
        if (blk->n_succ == 2 && ir->blocks[blk->succ[k]].n_preds > 1)
            return wrong(v, "critical edge");
    }
    return true;
}

static bool check_order(struct verifier *v, const struct ir_block *blk)
{
    bool earlier = v->block == 0;

    for (uint32_t i = 0; i < blk->n_preds; i++)
        earlier |= v->ir->preds[blk->preds_first + i] < v->block;
    return earlier || wrong(v, "no predecessor is earlier in the order");
}

static bool check_state(struct verifier *v, const struct ir_block *blk)
{
    if (blk->pred && (blk->n_preds != 1 || v->ir->preds[blk->preds_first] != blk->pred - 1))
        return wrong(v, "state inherited from another block than its predecessor");
    for (uint32_t i = blk->in_first; i < blk->in_first + blk->in_count; i++)
        if (!reaches(v, v->ir->ins[i].val, v->block, blk->end))
            return wrong(v, "a value of the entry state is not available");
    v->op = blk->end - 1;
    if (!v->ir->promoted)
        ir_snap_walk(v->ir, &(struct ir_snap){.sets = blk->end_sets, .block = v->block},
                     check_snap_value, v);
    return !v->e->code;
}

static bool check_graph(struct verifier *v)
{
    uint32_t next = 1;

    if (!v->ir->n_blocks)
        return wrong(v, "no blocks");
    for (v->block = 0; v->block < v->ir->n_blocks; v->block++) {
        const struct ir_block *blk = &v->ir->blocks[v->block];

        if (blk->first != next || blk->end <= blk->first || blk->end > v->ir->n_ops)
            return wrong(v, "operations are not contiguous");
        next = blk->end;
        if (!check_edges(v, blk) || !check_order(v, blk))
            return false;
    }
    return true;
}

int ir_verify(struct ir *ir, struct err *e)
{
    struct verifier v = {.ir = ir, .e = e};

    if (!check_graph(&v))
        return e->code;
    v.idom = ir_dominators(ir);
    v.block_of = ir_blocks_of(ir);
    for (v.block = 0; v.block < ir->n_blocks; v.block++) {
        for (v.op = ir->blocks[v.block].first; v.op < ir->blocks[v.block].end; v.op++)
            if (!check_op(&v))
                return e->code;
        v.op = 0;
        if (!check_state(&v, &ir->blocks[v.block]))
            return e->code;
    }
    return 0;
}
