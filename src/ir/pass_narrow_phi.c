/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalars in vector registers.  A guest that keeps a float or double in a vector register makes every
 * loop-carried one a vector phi, with "scalar in lane 0, the rest zero" on the way around.  Where the
 * users of such a phi take its lane 0, they get a scalar phi; the vector remains for snapshots, made
 * from the scalar when that is all it ever holds.
 */
#include "ir/ir_priv.h"
#include "ir/pass.h"

#include <string.h>

enum { ROUNDS = 3 }; /* phis that feed each other: each round connects one more step */

struct narrow {
    struct ir *ir;
    uint32_t *scalar; /* per phi and type: 0 unknown, else the scalar phi */
    uint32_t n;       /* phis looked at: those before the pass began */
};

static uint32_t *scalar_of(struct narrow *w, uint32_t phi, unsigned type)
{
    return &w->scalar[2 * phi + (type == IR_F64)];
}

/* The vector phi that @v takes lane 0 of as a float or double; 0 when it is something else. */
static uint32_t lane0_of_phi(const struct narrow *w, uint32_t v)
{
    const struct ir_op *o = &w->ir->ops[v];
    uint32_t phi;

    if (o->op != IRO_vtof || (o->type != IR_F32 && o->type != IR_F64))
        return 0;
    phi = ir_root(w->ir, o->arg[0]);
    return w->ir->ops[phi].op == IRO_phi && phi < w->n ? phi : 0;
}

static bool is_scalar(const struct ir *ir, uint32_t v, unsigned type)
{
    const struct ir_op *o = &ir->ops[v];

    return o->op == IRO_vfromf && ir->ops[ir_root(ir, o->arg[0])].type == type;
}

/* Nothing above lane 0: a constant or a scalar. */
static bool only_lane0(const struct ir *ir, uint32_t v, unsigned type)
{
    const struct ir_op *o = &ir->ops[v];

    if (o->op == IRO_vconst)
        return !(o->arg[0] | o->arg[1]) && !(o->imm & ~ir_mask(type));
    return is_scalar(ir, v, type);
}

static uint32_t arg_of(const struct ir *ir, uint32_t phi, uint32_t i)
{
    return ir_root(ir, ir->phi_args[ir->ops[phi].arg[0] + i]);
}

static bool worth_it(const struct ir *ir, const struct ir_block *blk, uint32_t phi, unsigned type)
{
    for (uint32_t i = 0; i < blk->n_preds; i++)
        if (is_scalar(ir, arg_of(ir, phi, i), type))
            return true;
    return false;
}

static uint32_t make_scalar_phi(struct narrow *w, uint32_t block, uint32_t phi, unsigned type)
{
    struct ir *ir = w->ir;
    const struct ir_block *blk = &ir->blocks[block];
    struct ir_op o = {.op = IRO_phi, .type = (uint8_t)type, .arg = {ir->n_phi_args}};

    ir->phi_args = ir_array(ir->phi_args, &ir->cap_phi_args, ir->n_phi_args + blk->n_preds,
                            sizeof(*ir->phi_args));
    ir->n_phi_args += blk->n_preds;
    for (uint32_t i = 0; i < blk->n_preds; i++) {
        uint32_t a = arg_of(ir, phi, i);

        uint32_t pred = ir->preds[blk->preds_first + i];

        ir_fold_before(ir, pred, ir->blocks[pred].end - 1);
        a = ir_op(ir, IRO_vtof, type, 0, 0, (ir_val){a}, IR_NONE, IR_NONE).id;
        ir->phi_args[o.arg[0] + i] = a;
    }
    return ir_insert(ir, &o, blk->first);
}

/* The vector as a whole is made from the scalar when it never holds more. */
static void replace_vector(struct narrow *w, uint32_t block, uint32_t phi, unsigned type)
{
    struct ir *ir = w->ir;
    const struct ir_block *blk = &ir->blocks[block];
    struct ir_op o = {.op = IRO_vfromf, .type = IR_V128, .arg = {*scalar_of(w, phi, type)}};
    uint32_t first = blk->first, v;

    for (uint32_t i = 0; i < blk->n_preds; i++)
        if (arg_of(ir, phi, i) != phi && !only_lane0(ir, arg_of(ir, phi, i), type))
            return;
    while (ir->ops[first].op == IRO_phi || ir->ops[first].op == IRO_copy)
        first++;
    v = ir_insert(ir, &o, first);
    ir->ops[phi] = (struct ir_op){.op = IRO_copy, .type = IR_V128, .arg = {v}};
}

/* Scalar phis for the vector phis whose lane 0 somebody takes; true when there were new ones. */
static bool make_phis(struct narrow *w, const uint32_t *block_of)
{
    bool any = false;

    for (uint32_t v = 1; v < w->ir->n_ops; v++) {
        uint32_t phi = lane0_of_phi(w, v), *scalar;
        unsigned type = w->ir->ops[v].type;

        if (!phi)
            continue;
        scalar = scalar_of(w, phi, type);
        if (*scalar || !worth_it(w->ir, &w->ir->blocks[block_of[phi]], phi, type))
            continue;
        *scalar = make_scalar_phi(w, block_of[phi], phi, type);
        block_of = w->ir->b->block_of;
        any = true;
    }
    return any;
}

static void take_scalars(struct narrow *w)
{
    for (uint32_t v = 1; v < w->ir->n_ops; v++) {
        uint32_t phi = lane0_of_phi(w, v);
        unsigned type = w->ir->ops[v].type;

        if (phi && *scalar_of(w, phi, type))
            w->ir->ops[v] = (struct ir_op){
                .op = IRO_copy, .type = (uint8_t)type, .arg = {*scalar_of(w, phi, type)}};
    }
}

static void replace_vectors(struct narrow *w, const uint32_t *block_of)
{
    for (uint32_t phi = 1; phi < w->n; phi++)
        for (unsigned type = IR_F32; type <= IR_F64; type++)
            if (w->ir->ops[phi].op == IRO_phi && *scalar_of(w, phi, type))
                replace_vector(w, block_of[phi], phi, type);
}

static bool has_vector_phi(const struct ir *ir)
{
    for (uint32_t k = 0; k < ir->n_blocks; k++)
        for (uint32_t v = ir->blocks[k].first; ir->ops[v].op == IRO_phi; v++)
            if (ir->ops[v].type == IR_V128)
                return true;
    return false;
}

void pass_narrow_phi(struct ir *ir)
{
    struct narrow w = {.ir = ir, .n = ir->n_ops};
    size_t bytes = 2 * sizeof(uint32_t) * ir->n_ops;

    if (!has_vector_phi(ir))
        return;
    w.scalar = ir_scratch(ir, bytes);
    memset(w.scalar, 0, bytes);
    ir_dominators(ir);
    ir_blocks_of(ir);
    for (unsigned i = 0; i < ROUNDS && make_phis(&w, ir->b->block_of); i++)
        take_scalars(&w);
    replace_vectors(&w, ir->b->block_of);
    ir->b->pass_op = 0;
    ir_rebuild(ir);
}
