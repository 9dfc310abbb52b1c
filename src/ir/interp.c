/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The reference interpreter: what ops.def says, one operation at a time. */
#include "ir/interp.h"

#include "ir/ir_priv.h"
#include "base/err.h"

#include <stdlib.h>
#include <string.h>

/* A region in which control is. */
struct run {
    const struct ir *ir;
    struct ir_machine *m;
    uint32_t block;
    uint32_t next;   /* operation to run; 0: left */
    enum ir_leave how;
};

void ir_machine_done(struct ir_machine *m)
{
    free(m->vals);
    m->vals = NULL;
    m->cap_vals = 0;
}

/* --- Slots --- */

static unsigned slot_bytes(unsigned type)
{
    return type == IR_I1 ? 1 : ir_bits(type) / 8;
}

static void put_slot(void *opaque, uint32_t slot, uint32_t val)
{
    const struct run *r = opaque;
    const struct ir_slot *s = &r->ir->slots[slot];

    memcpy((char *)r->m->state + s->off, &r->m->vals[ir_root(r->ir, val)], slot_bytes(s->type));
}

static void get_slot(const struct run *r, uint32_t slot, union ir_u *v)
{
    const struct ir_slot *s = &r->ir->slots[slot];

    *v = (union ir_u){.d = {0, 0}};
    memcpy(v, (const char *)r->m->state + s->off, slot_bytes(s->type));
}

/* Memory becomes what the operation's snapshot says. */
static void write_back(struct run *r, const struct ir_op *o)
{
    const struct ir_snap *s = &r->ir->snaps[o->snap];

    ir_snap_walk(r->ir, s, put_slot, r);
    r->m->pc = s->pc;
}

static void leave(struct run *r, const struct ir_op *o, enum ir_leave how)
{
    write_back(r, o);
    r->next = 0;
    r->how = how;
}

/* --- Control --- */

/* The values of the phis of @to, all read before any is written. */
static void move_into_phis(const struct run *r, const struct ir_block *to)
{
    union ir_u tmp[IR_MAX_SLOTS * 2];
    uint32_t which = 0, n = 0;

    if (r->ir->ops[to->first].op != IRO_phi)
        return;
    while (r->ir->preds[to->preds_first + which] != r->block)
        which++;
    for (uint32_t i = to->first; r->ir->ops[i].op == IRO_phi; i++) {
        uint32_t v = r->ir->phi_args[r->ir->ops[i].arg[0] + which];

        if (n == sizeof(tmp) / sizeof(tmp[0]))
            bug("too many phis");
        tmp[n++] = r->m->vals[ir_root(r->ir, v)];
    }
    memcpy(&r->m->vals[to->first], tmp, n * sizeof(tmp[0]));
}

static void go(struct run *r, uint32_t to)
{
    const struct ir_block *blk = &r->ir->blocks[to];

    /* Without promotion each block reads the slots from memory, unless it inherits the state. */
    if (!r->ir->promoted && !blk->pred) {
        const struct ir_block *from = &r->ir->blocks[r->block];
        struct ir_snap s = {.sets = from->end_sets, .block = r->block};

        ir_snap_walk(r->ir, &s, put_slot, r);
    }
    move_into_phis(r, blk);
    r->block = to;
    r->next = blk->first;
    while (r->ir->ops[r->next].op == IRO_phi)
        r->next++;
}

static void run_end(struct run *r, const struct ir_op *o)
{
    const struct ir_block *blk = &r->ir->blocks[r->block];
    union ir_u *vals = r->m->vals;

    switch (o->op) {
    case IRO_jmp:
        go(r, blk->succ[0]);
        break;
    case IRO_br:
        go(r, blk->succ[vals[ir_root(r->ir, o->arg[0])].d[0] ? 0 : 1]);
        break;
    case IRO_exit:
        leave(r, o, IR_LEFT_EXIT);
        r->m->pc = o->imm;
        r->m->landing = 0;
        break;
    case IRO_exit_ind:
        leave(r, o, IR_LEFT_EXIT);
        r->m->pc = vals[ir_root(r->ir, o->arg[0])].d[0];
        r->m->landing = o->arg[2];
        break;
    case IRO_trap:
        r->m->reason = o->arg[0];
        r->m->detail = o->imm;
        leave(r, o, IR_LEFT_TRAP);
        break;
    default:
        bug("no terminator %s", ir_info[o->op].name);
    }
}

/* --- Memory and calls --- */

static void reverse_bytes(union ir_u *v, uint64_t memop)
{
    unsigned n = 1u << (memop & IR_MEM_SIZE);
    union ir_u in = *v;

    if (!(memop & IR_MEM_BE))
        return;
    for (unsigned i = 0; i < n; i++)
        v->b[i] = in.b[n - 1 - i];
}

/* Loaded bytes as a value of the operation's type. */
static void extend(union ir_u *v, const struct ir_op *o)
{
    unsigned bits = 8u << (o->imm & IR_MEM_SIZE);

    if (bits > 64 || !ir_is_int(o->type))
        return;
    if (o->imm & IR_MEM_SIGN)
        v->d[0] = (uint64_t)((int64_t)(v->d[0] << (64 - bits)) >> (64 - bits));
    v->d[0] &= ir_mask(o->type);
}

static void run_load(struct run *r, const struct ir_op *o, const union ir_u *a, union ir_u *v)
{
    *v = (union ir_u){.d = {0, 0}};
    if (r->m->load(r->m, a[0].d[0], o->imm, v)) {
        leave(r, o, IR_LEFT_FAULT);
        return;
    }
    reverse_bytes(v, o->imm);
    extend(v, o);
}

static void run_write(struct run *r, const struct ir_op *o, union ir_u *a, union ir_u *v)
{
    int refused = 0;

    if (o->op == IRO_fence) {
        r->m->fence(r->m, (unsigned)o->imm);
    } else if (o->op == IRO_store) {
        reverse_bytes(&a[1], o->imm);
        refused = r->m->store(r->m, a[0].d[0], o->imm, &a[1]);
    } else {
        *v = (union ir_u){.d = {0, 0}};
        refused = r->m->atomic(r->m, o->op, a[0].d[0], o->imm, &a[1], &a[2], v);
    }
    if (refused)
        leave(r, o, IR_LEFT_FAULT);
}

static void run_call(struct run *r, const struct ir_op *o, const union ir_u *a, union ir_u *v)
{
    uint64_t arg[3] = {a[0].d[0], a[1].d[0], a[2].d[0]};

    if (o->snap)
        write_back(r, o);
    *v = (union ir_u){.d = {0, 0}};
    if (r->m->call(r->m, (uint32_t)o->imm, arg, &v->d[0])) {
        r->next = 0;
        r->how = IR_LEFT_CALL;
    }
    v->d[0] &= ir_mask(o->type);
}

/* Ways out that are not taken, as a rule. */
static void run_poll(struct run *r, const struct ir_op *o, const union ir_u *a)
{
    if (o->op == IRO_poll) {
        if (r->m->poll(r->m))
            leave(r, o, IR_LEFT_POLL);
    } else if (a[0].d[0]) {
        r->m->reason = o->arg[1];
        r->m->detail = o->imm;
        leave(r, o, IR_LEFT_TRAP);
    }
}

/* --- Values --- */

static void run_value(struct run *r, const struct ir_op *o, const union ir_u *a, union ir_u *v)
{
    struct ir_how how = {.op = o->op, .type = o->type, .lane = o->lane, .imm = o->imm};

    switch (o->op) {
    case IRO_copy: /* whoever uses it follows it */
        break;
    case IRO_vconst:
        ir_value(r->ir, (uint32_t)(o - r->ir->ops), v);
        break;
    case IRO_get:
        get_slot(r, (uint32_t)o->imm, v);
        break;
    default:
        how.arg_type = r->ir->ops[o->arg[0]].type;
        ir_info[o->op].eval(v, a, &how, r->m->fp);
    }
}

static void run_op(struct run *r, const struct ir_op *o, union ir_u *v)
{
    const struct ir_info *info = &ir_info[o->op];
    union ir_u a[3] = {{.d = {0, 0}}};

    for (unsigned i = 0; i < info->n_args; i++)
        a[i] = r->m->vals[ir_root(r->ir, o->arg[i])];
    switch (info->effects) {
    case IR_READ:
        run_load(r, o, a, v);
        break;
    case IR_WRITE:
        run_write(r, o, a, v);
        break;
    case IR_CALL:
        run_call(r, o, a, v);
        break;
    case IR_POLL:
        run_poll(r, o, a);
        break;
    case IR_END:
        run_end(r, o);
        break;
    case IR_WAY: /* the host's stack is no concern of ours */
        break;
    default:
        run_value(r, o, a, v);
    }
}

enum ir_leave ir_interp(const struct ir *ir, struct ir_machine *m)
{
    struct run r = {.ir = ir, .m = m, .next = ir->blocks[0].first};

    m->vals = ir_array(m->vals, &m->cap_vals, ir->n_ops, sizeof(*m->vals));
    m->vals[0] = (union ir_u){.d = {0, 0}};
    while (r.next) {
        uint32_t i = r.next++;

        run_op(&r, &ir->ops[i], &m->vals[i]);
    }
    return r.how;
}
