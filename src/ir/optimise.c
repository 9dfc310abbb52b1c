/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The pipeline: passes.def in order; and counting uses for the back end. */
#include "ir/pass.h"

#include <string.h>

struct pass {
    const char *name;
    unsigned effort;
    void (*run)(struct ir *ir);
};

static const struct pass passes[] = {
#define PASS(id, least, doc) {.name = #id, .effort = least, .run = pass_##id},
#include "ir/passes.def"
#undef PASS
};

enum { N_PASSES = sizeof(passes) / sizeof(passes[0]) };

unsigned ir_pass_bit(const char *name)
{
    for (unsigned i = 0; i < N_PASSES; i++)
        if (strcmp(passes[i].name, name) == 0)
            return 1u << i;
    return 0;
}

void ir_optimise(struct ir *ir, unsigned effort, unsigned passes_off)
{
    ir->straight = false;
    for (unsigned i = 0; i < N_PASSES; i++)
        if (passes[i].run == pass_promote || (passes[i].effort <= effort && !(passes_off >> i & 1)))
            passes[i].run(ir);
    ir_count_uses(ir);
}

/* --- Uses --- */

static void count(struct ir *ir, uint32_t v)
{
    if (ir->ops[v].uses < UINT16_MAX)
        ir->ops[v].uses++;
}

static void count_slot(void *opaque, uint32_t slot, uint32_t val)
{
    count(opaque, val);
}

void ir_count_uses(struct ir *ir)
{
    for (uint32_t i = 0; i < ir->n_ops; i++)
        ir->ops[i].uses = 0;
    for (uint32_t k = 0; k < ir->n_blocks; k++) {
        const struct ir_block *blk = &ir->blocks[k];

        for (uint32_t i = blk->first; i < blk->end; i++) {
            const struct ir_op *o = &ir->ops[i];

            for (unsigned a = 0; a < ir_info[o->op].n_args; a++)
                count(ir, o->arg[a]);
            for (uint32_t a = 0; o->op == IRO_phi && a < blk->n_preds; a++)
                count(ir, ir->phi_args[o->arg[0] + a]);
            if (o->snap)
                ir_snap_walk(ir, &ir->snaps[o->snap], count_slot, ir);
        }
    }
}
