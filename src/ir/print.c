/* SPDX-License-Identifier: GPL-2.0-or-later */
/* IR to text; the form is described in text.h. */
#include "ir/text.h"

#include <inttypes.h>

const char *const ir_type_names[IR_NUM_TYPES] = {
    "void", "i1", "i8", "i16", "i32", "i64", "f16", "f32", "f64", "v128",
};

/* --- Slot writes --- */

/* The newest write of each slot in a chain; true when the chain ends at a full call. */
static bool flatten(const struct ir *ir, uint32_t sets, uint32_t val[IR_MAX_SLOTS])
{
    for (uint32_t s = 0; s < IR_MAX_SLOTS; s++)
        val[s] = 0;
    for (; sets; sets = ir->sets[sets].prev) {
        if (ir->sets[sets].slot == IR_SLOT_CLEAN)
            return true;
        if (!val[ir->sets[sets].slot])
            val[ir->sets[sets].slot] = ir->sets[sets].val;
    }
    return false;
}

static void print_slots(const struct ir *ir, const uint32_t val[IR_MAX_SLOTS], FILE *out)
{
    const char *between = "";

    for (uint32_t s = 0; s < ir->n_slots; s++) {
        if (val[s]) {
            fprintf(out, "%s%s=%%%u", between, ir->slots[s].name, val[s]);
            between = ", ";
        }
    }
}

static void print_snap(const struct ir *ir, uint32_t snap, FILE *out)
{
    const struct ir_snap *s = &ir->snaps[snap];
    uint32_t val[IR_MAX_SLOTS];
    bool clean = flatten(ir, s->sets, val);

    fprintf(out, " {%s%#" PRIx64 ": ", clean ? "clean: " : "", s->pc);
    print_slots(ir, val, out);
    fprintf(out, "}");
}

/* --- Operations --- */

static void print_memop(uint64_t m, FILE *out)
{
    static const char *const order[] = {"", ".acq", ".rel", ".acq_rel"};

    fprintf(out, ", %c%u%s%s", m & IR_MEM_SIGN ? 's' : 'u', 8u << (m & IR_MEM_SIZE),
            order[m >> IR_MEM_ORDER_SHIFT & 3], m & IR_MEM_BE ? ".be" : "");
}

static void print_args(const struct ir *ir, const struct ir_op *o, FILE *out)
{
    for (unsigned i = 0; i < ir_info[o->op].n_args; i++)
        if (o->arg[i])
            fprintf(out, "%s%%%u", i ? ", " : " ", o->arg[i]);
}

static void print_phi(const struct ir *ir, const struct ir_op *o, const struct ir_block *blk,
                      FILE *out)
{
    for (uint32_t i = 0; blk && i < blk->n_preds; i++)
        fprintf(out, "%s%%%u", i ? ", " : " ", ir->phi_args[o->arg[0] + i]);
}

static void print_exit_kind(unsigned kind, uint64_t ret, FILE *out)
{
    if (kind == IR_EXIT_CALL)
        fprintf(out, " call %#" PRIx64, ret);
    else if (kind == IR_EXIT_RET)
        fprintf(out, " ret");
}

static void print_control(const struct ir *ir, const struct ir_op *o, const struct ir_block *blk,
                          FILE *out)
{
    switch (o->op) {
    case IRO_jmp:
    case IRO_br:
        for (unsigned i = 0; blk && i < blk->n_succ; i++)
            fprintf(out, "%sb%u", o->op == IRO_br || i ? ", " : " ", blk->succ[i]);
        break;
    case IRO_exit:
        fprintf(out, " %#" PRIx64, o->imm);
        print_exit_kind(o->arg[0], o->arg[1] | (uint64_t)o->arg[2] << 32, out);
        break;
    case IRO_exit_ind:
        print_exit_kind(o->arg[1], o->imm, out);
        if (o->arg[2])
            fprintf(out, " land %u", o->arg[2]);
        break;
    case IRO_trap:
        fprintf(out, " %u %#" PRIx64, o->arg[0], o->imm);
        break;
    }
}

static const struct ir_block *block_of(const struct ir *ir, uint32_t op)
{
    for (uint32_t i = 0; i < ir->n_blocks; i++)
        if (op >= ir->blocks[i].first && op < ir->blocks[i].end)
            return &ir->blocks[i];
    return NULL;
}

static void print_in_block(const struct ir *ir, uint32_t op, const struct ir_block *blk, FILE *out)
{
    const struct ir_op *o = &ir->ops[op];
    const struct ir_info *info = &ir_info[o->op];

    if (o->type != IR_VOID)
        fprintf(out, "%%%u = %s %s", op, info->name, ir_type_names[o->type]);
    else
        fprintf(out, "%s", info->name);
    if (o->lane)
        fprintf(out, ".%c", "bhsd"[o->lane & 3]);
    if (o->op == IRO_call)
        fprintf(out, " %s", ir->helpers[o->imm].name);
    print_args(ir, o, out);
    if (o->op == IRO_get)
        fprintf(out, " %s", ir->slots[o->imm].name);
    else if (o->op == IRO_const)
        fprintf(out, " %#" PRIx64, o->imm);
    else if (o->op == IRO_vconst)
        fprintf(out, " %#" PRIx64 " %#" PRIx64, o->imm, o->arg[0] | (uint64_t)o->arg[1] << 32);
    else if (o->op == IRO_phi)
        print_phi(ir, o, blk, out);
    else if (info->effects == IR_END)
        print_control(ir, o, blk, out);
    else if (o->op == IRO_check)
        fprintf(out, ", %u %#" PRIx64, o->arg[1], o->imm);
    else if (o->op == IRO_fence || o->op == IRO_called)
        fprintf(out, " #%" PRIu64, o->imm);
    else if (info->effects == IR_READ || info->effects == IR_WRITE)
        print_memop(o->imm, out);
    else if (o->imm && o->op != IRO_call)
        fprintf(out, ", #%" PRIu64, o->imm);
    if (o->snap)
        print_snap(ir, o->snap, out);
}

void ir_print_op(const struct ir *ir, uint32_t op, FILE *out)
{
    print_in_block(ir, op, block_of(ir, op), out);
}

/* --- Blocks --- */

static void print_in(const struct ir *ir, const struct ir_block *blk, FILE *out)
{
    uint32_t val[IR_MAX_SLOTS] = {0};

    if (!blk->in_count)
        return;
    for (uint32_t i = blk->in_first; i < blk->in_first + blk->in_count; i++)
        val[ir->ins[i].slot] = ir->ins[i].val;
    fprintf(out, " in {");
    print_slots(ir, val, out);
    fprintf(out, "}");
}

static void print_block(const struct ir *ir, uint32_t i, FILE *out)
{
    const struct ir_block *blk = &ir->blocks[i];
    uint32_t val[IR_MAX_SLOTS];

    fprintf(out, "b%u: pc=%#" PRIx64, i, blk->pc);
    if (blk->heat)
        fprintf(out, " heat=%u", blk->heat);
    if (blk->exit_only)
        fprintf(out, " exit");
    if (blk->pred)
        fprintf(out, " pred=b%u", blk->pred - 1);
    print_in(ir, blk, out);
    fprintf(out, "\n");
    for (uint32_t k = blk->first; k < blk->end; k++) {
        fprintf(out, "  ");
        print_in_block(ir, k, blk, out);
        fprintf(out, "\n");
    }
    if (!ir->promoted && !blk->pred && blk->end_sets) {
        fprintf(out, "  end {%s", flatten(ir, blk->end_sets, val) ? "clean: " : "");
        print_slots(ir, val, out);
        fprintf(out, "}\n");
    }
}

void ir_print(const struct ir *ir, FILE *out)
{
    fprintf(out, "region%s\n", ir->promoted ? " promoted" : "");
    for (uint32_t i = 0; i < ir->n_blocks; i++)
        print_block(ir, i, out);
}
