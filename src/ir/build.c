/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The builder: appends operations, follows slots, makes snapshots and ends blocks; see build.h. */
#include "ir/ir_priv.h"

#include "base/err.h"

#include <string.h>

static struct ir_block *current(struct ir *ir)
{
    return &ir->blocks[ir->b->block];
}

static uint32_t hash_mix(uint64_t v, unsigned bits)
{
    return (uint32_t)(v * 0x9e3779b97f4a7c15ull >> (64 - bits));
}

/* --- Idle slots --- */

/*
 * A snapshot within the block does not need the idle slots when what follows it writes all of them before any is read: from the
 * snapshot's instruction on, as that is done again.  Snapshots are numbered as they are made, so three numbers tell.
 */
static void begin_idle(struct ir *ir)
{
    struct ir_build *b = ir->b;

    b->idle_from = b->idle_done = ir->n_snaps;
    memset(b->idle_set, 0, sizeof(b->idle_set));
    b->idle_read_pc = 0;
    if (b->n_idle)
        return;
    for (uint32_t i = 0; i < ir->n_slots && b->n_idle < sizeof(b->idle); i++)
        if (ir->slots[i].idle)
            b->idle[b->n_idle++] = (uint8_t)i;
}

static void idle_read(struct ir *ir, uint64_t pc)
{
    ir->b->idle_from = ir->n_snaps;
    ir->b->idle_read_pc = pc;
}

static void idle_written(struct ir *ir, uint32_t slot)
{
    struct ir_build *b = ir->b;
    uint32_t upto = ir->n_snaps;

    for (unsigned i = 0; i < b->n_idle; i++) {
        if (b->idle[i] == slot)
            b->idle_set[i] = ir->n_snaps;
        if (b->idle_set[i] < upto)
            upto = b->idle_set[i];
    }
    if (b->idle_done < b->idle_from)
        b->idle_done = b->idle_from;
    for (; b->idle_done < upto; b->idle_done++)
        ir->snaps[b->idle_done].idle_dead = true;
}

/* --- Planned blocks --- */

/* The table entry of @pc in @frame, or the empty one where it belongs. */
static struct ir_seen *plan_entry(struct ir *ir, uint64_t pc, uint32_t frame)
{
    struct ir_build *b = ir->b;
    uint32_t i = hash_mix(pc, PLAN_BITS);

    while (b->plan[i].epoch == b->plan_epoch &&
           (ir->blocks[b->plan[i].val].pc != pc || ir->blocks[b->plan[i].val].frame != frame))
        i = (i + 1) % (1 << PLAN_BITS);
    return &b->plan[i];
}

static bool planned_in(struct ir *ir, uint64_t pc, uint32_t frame, uint32_t *block)
{
    struct ir_seen *e = plan_entry(ir, pc, frame);

    *block = e->val;
    return e->epoch == ir->b->plan_epoch;
}

/* In the frame of the block at hand. */
static bool planned(struct ir *ir, uint64_t pc, uint32_t *block)
{
    return planned_in(ir, pc, ir->b->at_frame, block);
}

uint32_t ir_frame(struct ir *ir, uint32_t parent, uint64_t ret)
{
    struct ir_build *b = ir->b;

    if (b->n_frames == IR_MAX_FRAMES)
        bug("more than %d calls in a region", IR_MAX_FRAMES);
    b->frame[b->n_frames] = (struct ir_frame){ret, parent};
    return b->n_frames++;
}

uint32_t ir_plan(struct ir *ir, uint64_t pc, uint32_t heat)
{
    return ir_plan_in(ir, pc, heat, 0);
}

uint32_t ir_plan_in(struct ir *ir, uint64_t pc, uint32_t heat, uint32_t frame)
{
    struct ir_build *b = ir->b;
    struct ir_seen *e = plan_entry(ir, pc, frame);

    if (e->epoch == b->plan_epoch)
        return e->val;
    if (b->n_plan == PLAN_MAX)
        bug("more than %d blocks in a region", PLAN_MAX);
    if (b->n_plan != ir->n_blocks)
        bug("ir_plan after lifting began");
    e->epoch = b->plan_epoch;
    e->val = ir_push_block(ir, pc);
    b->n_plan++;
    ir->blocks[e->val].heat = heat;
    ir->blocks[e->val].frame = frame;
    return e->val;
}

void ir_start_block(struct ir *ir, uint32_t block)
{
    struct ir_build *b = ir->b;

    if (!b->ended || block >= b->n_plan || ir->blocks[block].end)
        bug("block %u cannot be started now", block);
    b->block = block;
    b->ended = false;
    b->sets = 0;
    b->snap = 0;
    b->epoch++;
    b->pc = ir->blocks[block].pc;
    b->at_frame = ir->blocks[block].frame;
    begin_idle(ir);
    ir->blocks[block].first = ir->n_ops;
}

bool ir_ended(const struct ir *ir)
{
    return ir->b->ended;
}

void ir_at(struct ir *ir, uint64_t pc)
{
    ir->b->pc = pc;
}

/* --- Values --- */

/* May the value of an equal operation made before be used here?  While lifting the table is
 * forgotten from block to block; a pass goes on with it wherever blocks dominate. */
static bool reusable(const struct ir *ir, uint32_t v)
{
    const struct ir_build *b = ir->b;

    return !ir->plain && (!b->pass_op || ir_dominates(b->idom, b->block_of[v], b->block));
}

/* A pass that folds gets new operations before the one it is looking at. */
static uint32_t append(struct ir *ir, const struct ir_op *o)
{
    struct ir_build *b = ir->b;
    uint32_t v;

    if (!b->pass_op)
        return ir_push_op(ir, o);
    v = ir_insert(ir, o, b->pass_op);
    b->block_of = ir_array(b->block_of, &b->cap_block_of, ir->n_ops, sizeof(*b->block_of));
    b->block_of[v] = b->block;
    return v;
}

/* The table entry for a constant: they are many, so a short way. */
static inline struct ir_seen *const_entry(struct ir *ir, const struct ir_op *o)
{
    return &ir->b->cse[hash_mix(o->imm ^ (uint64_t)o->type << 59, CSE_BITS)];
}

/* The table entry for operations like @o. */
static struct ir_seen *seen_entry(struct ir *ir, const struct ir_op *o)
{
    if (o->op == IRO_const)
        return const_entry(ir, o);

    uint64_t key = (o->op | (uint64_t)o->type << 9 | (uint64_t)o->lane << 13 | (uint64_t)o->arg[0] << 16 |
                    (uint64_t)o->arg[1] << 40) * 0x9e3779b97f4a7c15ull;

    return &ir->b->cse[hash_mix(key ^ (o->imm + o->arg[2] * 0xff51afd7ed558ccdull), CSE_BITS)];
}

/* An equal operation to be used instead, 0 when there is none. */
static uint32_t seen(struct ir *ir, const struct ir_op *o, const struct ir_seen *e)
{
    const struct ir_op *p;

    if (e->epoch != ir->b->epoch) /* and then its number may be out of range */
        return 0;
    p = &ir->ops[e->val];
    if (p->op == o->op && p->type == o->type && p->lane == o->lane &&
        p->imm == o->imm && p->arg[0] == o->arg[0] && p->arg[1] == o->arg[1] &&
        p->arg[2] == o->arg[2] && reusable(ir, e->val))
        return e->val;
    return 0;
}

void ir_fold_before(struct ir *ir, uint32_t block, uint32_t op)
{
    struct ir_build *b = ir->b;

    /* What was made for another place may stand behind this one, in the same block, too. */
    if (b->pass_op != op)
        b->epoch++;
    b->block = block;
    b->pass_op = op;
}

uint32_t ir_number(struct ir *ir, uint32_t v)
{
    struct ir_seen *e = seen_entry(ir, &ir->ops[v]);
    uint32_t same = seen(ir, &ir->ops[v], e);

    if (same)
        return same;
    e->epoch = ir->b->epoch;
    e->val = v;
    return v;
}

/* The only place where values are appended, to be found again at @e. */
static ir_val keep(struct ir *ir, const struct ir_op *o, struct ir_seen *e)
{
    struct ir_build *b = ir->b;

    if (b->ended && !b->pass_op)
        bug("an operation after the end of the block");
    e->epoch = b->epoch;
    e->val = append(ir, o);
    return (ir_val){e->val};
}

static ir_val value(struct ir *ir, const struct ir_op *o)
{
    struct ir_seen *e = seen_entry(ir, o);
    uint32_t same = seen(ir, o, e);

    return same ? (ir_val){same} : keep(ir, o, e);
}

ir_val ir_const(struct ir *ir, enum ir_type type, uint64_t v)
{
    struct ir_op o = {.op = IRO_const, .type = type, .imm = v & ir_mask(type)};
    struct ir_seen *e = const_entry(ir, &o);
    const struct ir_op *p = &ir->ops[e->epoch == ir->b->epoch ? e->val : 0];

    if (p->op == IRO_const && p->type == type && p->imm == o.imm && reusable(ir, e->val))
        return (ir_val){e->val};
    return keep(ir, &o, e);
}

ir_val ir_vconst(struct ir *ir, uint64_t lo, uint64_t hi)
{
    return value(ir, &(struct ir_op){
                         .op = IRO_vconst,
                         .type = IR_V128,
                         .imm = lo,
                         .arg = {(uint32_t)hi, (uint32_t)(hi >> 32)},
                     });
}

ir_val ir_op(struct ir *ir, enum ir_opcode op, enum ir_type type, unsigned lane, uint64_t imm,
             ir_val a, ir_val b, ir_val c)
{
    struct ir_op o = {.op = op, .type = type, .lane = lane, .imm = imm, .arg = {a.id, b.id, c.id}};
    uint32_t simpler;

    if (ir->plain)
        return value(ir, &o);
    ir_canonical(ir, &o);
    simpler = ir_fold(ir, &o);
    return simpler ? (ir_val){simpler} : value(ir, &o);
}

/* --- Slots --- */

ir_val ir_get(struct ir *ir, uint32_t slot)
{
    struct ir_seen *cur = &ir->b->cur[slot];

    if (ir->slots[slot].idle)
        idle_read(ir, ir->b->pc);
    if (cur->epoch != ir->b->epoch) {
        struct ir_op o = {.op = IRO_get, .type = ir->slots[slot].type, .imm = slot};

        if (ir->b->ended)
            bug("an operation after the end of the block");
        cur->epoch = ir->b->epoch;
        cur->val = ir_push_op(ir, &o);
    }
    return (ir_val){cur->val};
}

void ir_set(struct ir *ir, uint32_t slot, ir_val v)
{
    struct ir_build *b = ir->b;
    struct ir_seen *cur = &b->cur[slot];

    if (ir->slots[slot].idle && ir->idle_dead_at)
        idle_written(ir, slot);
    if (cur->epoch == b->epoch && cur->val == v.id)
        return;
    cur->epoch = b->epoch;
    cur->val = v.id;
    b->sets = ir_push_set(ir, slot, v.id, b->sets);
}

/* --- Operations with effects --- */

/* The state as it is now, to be resumed at @pc. */
static uint32_t snapshot(struct ir *ir, uint64_t pc)
{
    struct ir_build *b = ir->b;
    const struct ir_snap *s = &ir->snaps[b->snap];

    if (!b->snap || s->pc != pc || s->sets != b->sets || s->block != b->block) {
        b->snap = ir_push_snap(ir, pc, b->sets, b->block);
        if (pc == b->idle_read_pc) /* the instruction has read one, and will again */
            b->idle_from = ir->n_snaps;
    }
    return b->snap;
}

static ir_val effect(struct ir *ir, struct ir_op o)
{
    if (ir->b->ended)
        bug("an operation after the end of the block");
    o.snap = snapshot(ir, ir->b->pc);
    return (ir_val){ir_push_op(ir, &o)};
}

ir_val ir_load(struct ir *ir, enum ir_type type, uint64_t memop, ir_val addr)
{
    return effect(ir, (struct ir_op){
                          .op = IRO_load, .type = type, .imm = memop, .arg = {addr.id}});
}

void ir_store(struct ir *ir, uint64_t memop, ir_val addr, ir_val v)
{
    effect(ir, (struct ir_op){.op = IRO_store, .imm = memop, .arg = {addr.id, v.id}});
}

void ir_store2(struct ir *ir, ir_val addr, ir_val low, ir_val high)
{
    effect(ir, (struct ir_op){.op = IRO_store2, .imm = ir_mem(5, false, IR_RELAXED), .arg = {addr.id, low.id, high.id}});
}

ir_val ir_atomic(struct ir *ir, enum ir_opcode op, enum ir_type type, uint64_t memop, ir_val addr,
                 ir_val a, ir_val b)
{
    return effect(ir, (struct ir_op){
                          .op = op, .type = type, .imm = memop, .arg = {addr.id, a.id, b.id}});
}

void ir_fence(struct ir *ir, unsigned kind)
{
    effect(ir, (struct ir_op){.op = IRO_fence, .imm = kind});
}

void ir_check(struct ir *ir, ir_val cond, uint32_t reason, uint64_t detail)
{
    uint64_t known;

    if (ir_const_of(ir, cond.id, &known) && !known)
        return;
    effect(ir, (struct ir_op){.op = IRO_check, .imm = detail, .arg = {cond.id, reason}});
}

ir_val ir_call(struct ir *ir, uint32_t helper, ir_val a, ir_val b, ir_val c)
{
    struct ir_op o = {
        .op = IRO_call, .type = IR_I64, .imm = helper, .arg = {a.id, b.id, c.id}};
    ir_val r;

    if (helper >= ir->n_helpers)
        bug("no helper %u", helper);
    if (!ir->helpers[helper].full)
        return (ir_val){ir_push_op(ir, &o)};
    r = effect(ir, o);
    idle_read(ir, ir->b->pc); /* the helper sees them all */
    current(ir)->full_call = true;
    /* Memory is current now, whatever it holds; and the helper may have changed the rounding mode,
     * so that floating-point values from before cannot be met again. */
    ir->b->epoch++;
    ir->b->sets = ir_push_set(ir, IR_SLOT_CLEAN, 0, 0);
    return r;
}

/* --- Leaving the block --- */

static void end_block(struct ir *ir, const struct ir_op *terminator)
{
    struct ir_block *blk;

    if (ir->b->ended)
        bug("the block has ended already");
    ir_push_op(ir, terminator);
    blk = current(ir);
    blk->end = ir->n_ops;
    blk->end_sets = ir->b->sets;
    ir->b->ended = true;
}

/* Has the block, or one it continues, written an idle slot? */
static bool wrote_idle(const struct ir *ir, uint32_t set)
{
    while (set && ir->sets[set].slot != IR_SLOT_CLEAN && !ir->slots[ir->sets[set].slot].idle)
        set = ir->sets[set].prev;
    return set && ir->sets[set].slot != IR_SLOT_CLEAN;
}

/* The snapshot of a way out leaves idle slots out when the code there does not want them. */
static void look_for_idle(struct ir *ir, uint32_t snap)
{
    if (ir->idle_dead_at && !ir->snaps[snap].idle_dead &&
        (ir->b->n_plan > 1 || wrote_idle(ir, ir->b->sets)))
        ir->snaps[snap].idle_dead = ir->idle_dead_at(ir->idle_opaque, ir->snaps[snap].pc);
}

/* Going back: where loops close, somebody may want the CPU's attention. */
static void poll_if_back(struct ir *ir, uint64_t target, uint64_t from)
{
    struct ir_op o = {.op = IRO_poll};

    if (target > from)
        return;
    o.snap = snapshot(ir, target);
    look_for_idle(ir, o.snap);
    ir_push_op(ir, &o);
}

/* Of a call that returns to @ret: IR_RETURN_IDLE_DEAD or 0. */
static uint8_t idle_after(struct ir *ir, enum ir_exit_kind kind, uint64_t ret)
{
    return kind == IR_EXIT_CALL && ir->idle_returns && ir->idle_dead_at && ir->idle_dead_at(ir->idle_opaque, ret) ? IR_RETURN_IDLE_DEAD : 0;
}

/* Leaving the region in @frame: the calls on the way there are told, the outermost first. */
static void leave_frame(struct ir *ir, uint32_t frame)
{
    const struct ir_frame *f = &ir->b->frame[frame];

    if (!frame)
        return;
    leave_frame(ir, f->parent);
    ir_push_op(ir, &(struct ir_op){.op = IRO_called, .lane = idle_after(ir, IR_EXIT_CALL, f->ret), .imm = f->ret});
}

static void end_exit(struct ir *ir, uint64_t pc, enum ir_exit_kind kind, uint64_t ret)
{
    struct ir_op o = {.op = IRO_exit, .imm = pc, .arg = {kind, (uint32_t)ret, (uint32_t)(ret >> 32)}};

    leave_frame(ir, ir->b->at_frame);
    o.snap = snapshot(ir, pc);
    look_for_idle(ir, o.snap);
    o.lane = idle_after(ir, kind, ret);
    end_block(ir, &o);
}

static void end_jmp(struct ir *ir, uint32_t block)
{
    struct ir_block *blk = current(ir);

    blk->succ[0] = block;
    blk->n_succ = 1;
    end_block(ir, &(struct ir_op){.op = IRO_jmp});
}

/* Polls if need be and goes to @pc; the end of the block. */
static void end_goto(struct ir *ir, uint64_t pc, enum ir_exit_kind kind, uint64_t ret)
{
    uint32_t block;

    poll_if_back(ir, pc, ir->b->pc);
    if (kind != IR_EXIT_CALL && planned(ir, pc, &block))
        end_jmp(ir, block);
    else
        end_exit(ir, pc, kind, ret);
}

void ir_goto(struct ir *ir, uint64_t pc)
{
    end_goto(ir, pc, IR_EXIT_JUMP, 0);
}

/* The callee's block at @pc for the call from here that returns to @ret. */
static bool planned_call(struct ir *ir, uint64_t pc, uint64_t ret, uint32_t *block)
{
    const struct ir_build *b = ir->b;

    for (uint32_t i = 1; i < b->n_frames; i++)
        if (b->frame[i].parent == b->at_frame && b->frame[i].ret == ret && planned_in(ir, pc, i, block))
            return true;
    return false;
}

/* Calls within the region close no loops: where they do there is a jump back in the same frame. */
void ir_goto_call(struct ir *ir, uint64_t pc, uint64_t ret)
{
    uint32_t block;

    if (planned_call(ir, pc, ret, &block))
        end_jmp(ir, block);
    else
        end_goto(ir, pc, IR_EXIT_CALL, ret);
}

/* A block of its own on the edge from @from to @pc: a way out, or the poll of a loop. */
static uint32_t edge_block(struct ir *ir, uint32_t from, uint64_t pc)
{
    struct ir_build *b = ir->b;
    uint32_t block = ir_push_block(ir, pc), target;
    struct ir_block *blk = &ir->blocks[block];

    blk->first = ir->n_ops;
    blk->exit_only = !planned(ir, pc, &target);
    blk->pred = from + 1;
    blk->entry_sets = b->sets;
    b->block = block;
    b->ended = false;
    end_goto(ir, pc, IR_EXIT_JUMP, 0);
    b->block = from;
    return block;
}

static uint32_t edge(struct ir *ir, uint32_t from, uint64_t pc)
{
    uint32_t block;

    if (pc > ir->b->pc && planned(ir, pc, &block))
        return block;
    return edge_block(ir, from, pc);
}

void ir_goto_if(struct ir *ir, ir_val cond, uint64_t pc_true, uint64_t pc_false)
{
    uint32_t from = ir->b->block, yes, no;
    uint64_t known;

    if (ir_const_of(ir, cond.id, &known) || pc_true == pc_false) {
        ir_goto(ir, pc_true == pc_false || known ? pc_true : pc_false);
        return;
    }
    if (ir->ops[cond.id].op == IRO_not) {
        ir_goto_if(ir, (ir_val){ir->ops[cond.id].arg[0]}, pc_false, pc_true);
        return;
    }
    end_block(ir, &(struct ir_op){.op = IRO_br, .arg = {cond.id}});
    yes = edge(ir, from, pc_true);
    no = edge(ir, from, pc_false);
    ir->blocks[from].succ[0] = yes;
    ir->blocks[from].succ[1] = no;
    ir->blocks[from].n_succ = 2;
}

void ir_goto_ind(struct ir *ir, ir_val target, enum ir_exit_kind kind, uint64_t ret)
{
    ir_goto_land(ir, target, kind, 0, ret);
}

static void end_ind(struct ir *ir, ir_val target, enum ir_exit_kind kind, unsigned landing, uint64_t ret)
{
    struct ir_op o = {.op = IRO_exit_ind, .imm = ret, .arg = {target.id, kind, landing}};

    if (kind != IR_EXIT_RET)
        leave_frame(ir, ir->b->at_frame);
    o.snap = snapshot(ir, ir->b->pc);
    o.lane = idle_after(ir, kind, ret);
    end_block(ir, &o);
}

/* A return from a frame of the region: back to the call, if it is still that address. */
static void end_return(struct ir *ir, ir_val target, uint32_t back)
{
    struct ir_build *b = ir->b;
    uint32_t from = b->block, other;
    ir_val same = ir_cmp(ir, IRO_eq, target, ir_const(ir, ir_type_of(ir, target), b->frame[b->at_frame].ret));
    uint64_t known;

    if (ir_const_of(ir, same.id, &known) && known) {
        end_jmp(ir, back);
        return;
    }
    end_block(ir, &(struct ir_op){.op = IRO_br, .arg = {same.id}});
    other = ir_push_block(ir, b->pc);
    ir->blocks[other].first = ir->n_ops;
    ir->blocks[other].exit_only = true;
    ir->blocks[other].pred = from + 1;
    ir->blocks[other].entry_sets = b->sets;
    b->block = other;
    b->ended = false;
    end_ind(ir, target, IR_EXIT_RET, 0, 0);
    b->block = from;
    ir->blocks[from].succ[0] = back;
    ir->blocks[from].succ[1] = other;
    ir->blocks[from].n_succ = 2;
}

void ir_goto_land(struct ir *ir, ir_val target, enum ir_exit_kind kind, unsigned landing, uint64_t ret)
{
    const struct ir_frame *f = &ir->b->frame[ir->b->at_frame];
    uint32_t back;

    if (kind == IR_EXIT_RET && !landing && ir->b->at_frame && planned_in(ir, f->ret, f->parent, &back))
        end_return(ir, target, back);
    else
        end_ind(ir, target, kind, landing, ret);
}

void ir_trap(struct ir *ir, uint32_t reason, uint64_t detail, uint64_t pc)
{
    struct ir_op o = {.op = IRO_trap, .imm = detail, .arg = {reason}};

    o.snap = snapshot(ir, pc);
    end_block(ir, &o);
}

void ir_end_missing(struct ir *ir, uint32_t block)
{
    ir_start_block(ir, block);
    ir->blocks[block].exit_only = true;
    end_exit(ir, ir->blocks[block].pc, IR_EXIT_JUMP, 0);
}
