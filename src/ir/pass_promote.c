/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Promotion: guest registers become values that cross blocks.
 *
 * Lifting leaves each block reading its slots from memory and its writes in end_sets.  A slot is
 * dirty at a point when some way there has written it since the entry or the last full call; only
 * dirty slots need anything done, for the others memory is right.  Reads of dirty slots become the
 * value that arrives, with a phi where several arrive; dirty slots that a snapshot shows are listed
 * in the block's entry state.  Liveness keeps phis to those somebody needs.
 */
#include "ir/ir_priv.h"
#include "ir/pass.h"

#include <string.h>

struct slots {
    uint64_t w[IR_MAX_SLOTS / 64];
};

/* What is known of a block.  "Needed" slots are those whose value at the entry somebody uses. */
struct pblock {
    struct slots set;      /* written, and not stored since by a full call */
    struct slots read;     /* read from memory before any full call */
    struct slots visible;  /* in snapshots the entry value shows: all but the overwritten */
    struct slots shown;    /* of these, the ones that must be right: all but idle ones at faults */
    struct slots dirty_in, dirty_out, need;
    bool called;           /* a full call may have happened before the entry */
    uint32_t get[IR_MAX_SLOTS];  /* the operation that read the slot at entry, 0 none */
    uint32_t in[IR_MAX_SLOTS];   /* value at entry of dirty needed slots */
    uint32_t last[IR_MAX_SLOTS]; /* value of slots in @set at the end */
    uint32_t late[IR_MAX_SLOTS]; /* a get at the end of the block, made here */
};

struct promote {
    struct ir *ir;
    struct pblock *blocks;
    uint32_t entry[IR_MAX_SLOTS]; /* gets in the entry block, for loops */
};

static bool has(const struct slots *s, uint32_t slot)
{
    return s->w[slot / 64] >> slot % 64 & 1;
}

static void add(struct slots *s, uint32_t slot)
{
    s->w[slot / 64] |= 1ull << slot % 64;
}

/* Takes the lowest slot out of @s; false when empty. */
static bool take(struct slots *s, uint32_t *slot)
{
    for (unsigned i = 0; i < IR_MAX_SLOTS / 64; i++) {
        if (s->w[i]) {
            *slot = i * 64 + (unsigned)__builtin_ctzll(s->w[i]);
            s->w[i] &= s->w[i] - 1;
            return true;
        }
    }
    return false;
}

static struct slots both(const struct slots *a, const struct slots *b)
{
    struct slots r;

    for (unsigned i = 0; i < IR_MAX_SLOTS / 64; i++)
        r.w[i] = a->w[i] & b->w[i];
    return r;
}

/* @to |= @from; true when that changed something. */
static bool merge(struct slots *to, const struct slots *from)
{
    uint64_t changed = 0;

    for (unsigned i = 0; i < IR_MAX_SLOTS / 64; i++) {
        changed |= from->w[i] & ~to->w[i];
        to->w[i] |= from->w[i];
    }
    return changed != 0;
}

/* --- What each block does --- */

static bool is_full_call(const struct ir *ir, const struct ir_op *o)
{
    return o->op == IRO_call && o->snap;
}

static void scan_snapshot(struct promote *p, const struct ir_op *o)
{
    const struct ir *ir = p->ir;
    const struct ir_snap *s = &ir->snaps[o->snap];
    const struct ir_block *blk = &ir->blocks[s->block];
    struct pblock *b = &p->blocks[blk->pred ? blk->pred - 1 : s->block];
    struct slots hidden = {{0}};
    uint32_t i = s->sets;

    for (; i && ir->sets[i].slot != IR_SLOT_CLEAN; i = ir->sets[i].prev)
        add(&hidden, ir->sets[i].slot);
    for (unsigned k = 0; !i && k < IR_MAX_SLOTS / 64; k++)
        b->visible.w[k] |= ~hidden.w[k];
    if (s->idle_dead || (ir_info[o->op].effects != IR_END && ir_info[o->op].effects != IR_CALL))
        for (uint32_t slot = 0; slot < ir->n_slots; slot++)
            if (ir->slots[slot].idle)
                add(&hidden, slot);
    for (unsigned k = 0; !i && k < IR_MAX_SLOTS / 64; k++)
        b->shown.w[k] |= ~hidden.w[k];
}

static void scan_block(struct promote *p, uint32_t k)
{
    const struct ir *ir = p->ir;
    const struct ir_block *blk = &ir->blocks[k];
    struct pblock *b = &p->blocks[k];
    bool called = false;

    for (uint32_t i = blk->first; i < blk->end; i++) {
        const struct ir_op *o = &ir->ops[i];

        if (o->snap)
            scan_snapshot(p, o);
        called |= is_full_call(ir, o);
        if (o->op == IRO_get && !called && !b->get[o->imm]) {
            b->get[o->imm] = i;
            add(&b->read, (uint32_t)o->imm);
        }
    }
    for (uint32_t i = blk->pred ? 0 : blk->end_sets; i; i = ir->sets[i].prev) {
        uint32_t slot = ir->sets[i].slot;

        if (slot == IR_SLOT_CLEAN)
            break;
        if (!has(&b->set, slot))
            b->last[slot] = ir->sets[i].val;
        add(&b->set, slot);
    }
    b->dirty_out = b->set;
}

/* --- Data flow --- */

static bool flow_forward(struct promote *p, uint32_t k)
{
    const struct ir_block *blk = &p->ir->blocks[k];
    struct pblock *b = &p->blocks[k];
    bool changed = false;

    for (uint32_t i = 0; i < blk->n_preds; i++) {
        uint32_t from = p->ir->preds[blk->preds_first + i];
        bool called = p->blocks[from].called || p->ir->blocks[from].full_call;

        changed |= merge(&b->dirty_in, &p->blocks[from].dirty_out) | (called && !b->called);
        b->called |= called;
    }
    if (!blk->full_call)
        merge(&b->dirty_out, &b->dirty_in);
    merge(&b->dirty_out, &b->set);
    return changed;
}

/* What the successors need of this block's entry state passes through it. */
static bool flow_backward(struct promote *p, uint32_t k)
{
    const struct ir_block *blk = &p->ir->blocks[k];
    struct pblock *b = &p->blocks[k];
    struct slots need = both(&b->shown, &b->dirty_in);

    merge(&need, &b->read);
    for (unsigned i = 0; i < blk->n_succ && !blk->full_call; i++) {
        const struct pblock *s = &p->blocks[blk->succ[i]];
        struct slots through = both(&s->need, &s->dirty_in);

        for (unsigned j = 0; j < IR_MAX_SLOTS / 64; j++)
            through.w[j] &= ~b->set.w[j];
        merge(&need, &through);
    }
    return merge(&b->need, &need);
}

static void flow(struct promote *p)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (uint32_t k = 0; k < p->ir->n_blocks; k++)
            changed |= flow_forward(p, k);
    }
    for (changed = true; changed;) {
        changed = false;
        for (uint32_t k = p->ir->n_blocks; k-- > 0;)
            changed |= flow_backward(p, k);
    }
}

/* --- Values --- */

static uint32_t insert_get(struct promote *p, uint32_t slot, uint32_t before)
{
    struct ir_op o = {.op = IRO_get, .type = p->ir->slots[slot].type, .imm = slot};

    return ir_insert(p->ir, &o, before);
}

/* What the slot holds at the entry of the region, read there: for use in loops. */
static uint32_t entry_value(struct promote *p, uint32_t slot)
{
    if (!p->entry[slot])
        p->entry[slot] = p->blocks[0].get[slot]
                             ? p->blocks[0].get[slot]
                             : insert_get(p, slot, p->ir->blocks[0].first);
    return p->entry[slot];
}

/* What memory holds at the end of the block, where the slot is clean. */
static uint32_t clean_value(struct promote *p, uint32_t k, uint32_t slot)
{
    const struct ir_block *blk = &p->ir->blocks[k];
    struct pblock *b = &p->blocks[k];

    if (!blk->full_call && b->get[slot])
        return ir_root(p->ir, b->get[slot]);
    if (blk->depth && !b->called && !blk->full_call)
        return entry_value(p, slot);
    if (!b->late[slot])
        b->late[slot] = insert_get(p, slot, blk->end - 1);
    return b->late[slot];
}

static uint32_t out_value(struct promote *p, uint32_t k, uint32_t slot)
{
    struct pblock *b = &p->blocks[k];

    if (has(&b->set, slot))
        return b->last[slot];
    if (!p->ir->blocks[k].full_call && has(&b->dirty_in, slot))
        return b->in[slot];
    return clean_value(p, k, slot);
}

static uint32_t new_phi(struct promote *p, const struct ir_block *blk, uint32_t slot)
{
    struct ir *ir = p->ir;
    struct ir_op o = {.op = IRO_phi, .type = ir->slots[slot].type, .arg = {ir->n_phi_args}};

    ir->phi_args = ir_array(ir->phi_args, &ir->cap_phi_args, ir->n_phi_args + blk->n_preds,
                            sizeof(*ir->phi_args));
    ir->n_phi_args += blk->n_preds;
    return ir_insert(ir, &o, blk->first);
}

static void make_in_values(struct promote *p, uint32_t k)
{
    const struct ir_block *blk = &p->ir->blocks[k];
    struct pblock *b = &p->blocks[k];
    struct slots todo = both(&b->need, &b->dirty_in);
    uint32_t slot;

    while (take(&todo, &slot))
        b->in[slot] = blk->n_preds == 1 ? out_value(p, p->ir->preds[blk->preds_first], slot)
                                        : new_phi(p, blk, slot);
}

static void fill_phis(struct promote *p, uint32_t k)
{
    const struct ir_block *blk = &p->ir->blocks[k];
    struct pblock *b = &p->blocks[k];
    struct slots todo = both(&b->need, &b->dirty_in);
    uint32_t slot;

    while (blk->n_preds > 1 && take(&todo, &slot)) {
        uint32_t args = p->ir->ops[b->in[slot]].arg[0];

        for (uint32_t i = 0; i < blk->n_preds; i++) {
            uint32_t v = out_value(p, p->ir->preds[blk->preds_first + i], slot);

            p->ir->phi_args[args + i] = v;
        }
    }
}

static void become_copy(struct ir *ir, uint32_t op, uint32_t of)
{
    ir->ops[op].op = IRO_copy;
    ir->ops[op].arg[0] = of;
    ir->ops[op].imm = 0;
}

/* Reads become what arrives; in loops, what memory holds all the time is read before them. */
static void replace_reads(struct promote *p, uint32_t k)
{
    const struct ir_block *blk = &p->ir->blocks[k];
    struct pblock *b = &p->blocks[k];
    struct slots todo = b->read;
    uint32_t slot;

    while (take(&todo, &slot)) {
        if (has(&b->dirty_in, slot))
            become_copy(p->ir, b->get[slot], b->in[slot]);
        else if (blk->depth && !b->called)
            become_copy(p->ir, b->get[slot], entry_value(p, slot));
    }
}

/* A phi of one value, or of one value and itself, is that value. */
static bool simplify_phi(struct promote *p, const struct ir_block *blk, uint32_t phi)
{
    struct ir *ir = p->ir;
    uint32_t only = 0;

    if (ir->ops[phi].op != IRO_phi)
        return false;
    for (uint32_t i = 0; i < blk->n_preds; i++) {
        uint32_t v = ir_root(ir, ir->phi_args[ir->ops[phi].arg[0] + i]);

        if (v == phi || v == only)
            continue;
        if (only)
            return false;
        only = v;
    }
    become_copy(ir, phi, only);
    return true;
}

static void simplify_phis(struct promote *p)
{
    bool changed = true;

    while (changed) {
        changed = false;
        for (uint32_t k = 0; k < p->ir->n_blocks; k++) {
            struct slots todo = both(&p->blocks[k].need, &p->blocks[k].dirty_in);
            uint32_t slot;

            while (p->ir->blocks[k].n_preds > 1 && take(&todo, &slot))
                changed |= simplify_phi(p, &p->ir->blocks[k], p->blocks[k].in[slot]);
        }
    }
}

/* What snapshots show of the entry state: an idle slot, too, when somebody further on reads it. */
static struct slots list_of(const struct pblock *b)
{
    struct slots live = both(&b->need, &b->dirty_in);

    return both(&b->visible, &live);
}

static void list_entry_state(struct promote *p, uint32_t k)
{
    struct ir *ir = p->ir;
    struct pblock *b = &p->blocks[k];
    struct slots todo = list_of(b);
    uint32_t slot;

    ir->blocks[k].in_first = ir->n_ins;
    while (take(&todo, &slot)) {
        ir->ins = ir_array(ir->ins, &ir->cap_ins, ir->n_ins + 1, sizeof(*ir->ins));
        ir->ins[ir->n_ins++] = (struct ir_in){.slot = slot, .val = b->in[slot]};
    }
    ir->blocks[k].in_count = ir->n_ins - ir->blocks[k].in_first;
}

void pass_promote(struct ir *ir)
{
    struct promote p = {.ir = ir};
    size_t bytes = ir->n_blocks * sizeof(*p.blocks);

    if (ir->promoted)
        return;
    p.blocks = ir_scratch(ir, bytes);
    memset(p.blocks, 0, bytes);
    for (uint32_t k = 0; k < ir->n_blocks; k++)
        scan_block(&p, k);
    flow(&p);
    for (uint32_t k = 0; k < ir->n_blocks; k++)
        make_in_values(&p, k);
    for (uint32_t k = 0; k < ir->n_blocks; k++)
        fill_phis(&p, k);
    for (uint32_t k = 0; k < ir->n_blocks; k++)
        replace_reads(&p, k);
    simplify_phis(&p);
    for (uint32_t k = 0; k < ir->n_blocks; k++)
        list_entry_state(&p, k);
    ir->promoted = true;
    ir_rebuild(ir);
}
