/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instruction selection, first half: looks at the region backwards and decides what is dead, what is
 * folded into its users, and where every value is used next.  compile.c does the second half.
 *
 * A value can be wanted in five ways, counted per value:
 *   hard    in a register, whole
 *   narrow  in a register, only its low 32 bits
 *   soft    as the condition of a branch or select
 *   addr    as part of a memory operand
 *   weak    by a snapshot only: nobody on the fast path needs it
 */
#include "host/x86_64/emit.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

struct count {
    uint32_t hard, narrow, soft, addr, weak;
    uint32_t first_soft; /* where the first of the soft ones stands */
    uint8_t depth; /* of nesting in lazy values that only snapshots want */
};

struct sel {
    struct x64 *x;
    const struct ir *ir;
    struct count *c;
    uint32_t at; /* where the uses being counted are emitted */
    uint32_t until; /* straight code: how long the operands being counted are needed */
};

void *x_grow_more(void *p, uint32_t *cap, uint32_t need, size_t size)
{
    *cap = need * 2 > 64 ? need * 2 : 64;
    p = realloc(p, *cap * size);
    if (!p)
        bug("out of memory");
    return p;
}

uint32_t x_resolve(const struct x64 *x, uint32_t v)
{
    while (x->val[v].flags & XV_ALIAS)
        v = x->ir->ops[v].arg[0];
    return v;
}

bool x_imm(const struct x64 *x, uint32_t v, int32_t *imm)
{
    const struct ir_op *o = &x->ir->ops[ir_root(x->ir, v)];

    if (o->op != IRO_const)
        return false;
    int64_t s = o->type == IR_I32 ? (int32_t)o->imm : (int64_t)o->imm;

    if (s != (int32_t)s)
        return false;
    *imm = (int32_t)s;
    return true;
}

static bool is_compare(unsigned op)
{
    return (op >= IRO_eq && op <= IRO_adc_v) || (op >= IRO_feq && op <= IRO_fun);
}

/* Pure operations cheap enough to be redone for a snapshot that alone wants them. */
static bool is_cheap(const struct ir *ir, const struct ir_op *o)
{
    if (!x_in_line(ir, o))
        return false;
    switch (o->op) {
    case IRO_add: case IRO_sub: case IRO_vfromf:
        return true;
    case IRO_and: case IRO_or: case IRO_xor: case IRO_not:
        return o->type == IR_I1;
    }
    return is_compare(o->op) && o->op < IRO_feq;
}

enum use { HARD, NARROW, SOFT, ADDR, WEAK };

/* What operand @k of an operation that is really emitted needs. */
static enum use use_of(const struct ir *ir, const struct ir_op *o, unsigned k)
{
    switch (o->op) {
    case IRO_br:
        return SOFT;
    case IRO_aesmc: case IRO_aesimc: /* one round with the step before it */
        return ADDR;
    case IRO_select:
        return k == 0 ? SOFT : o->type == IR_I32 ? NARROW : HARD;
    case IRO_add: case IRO_sub: case IRO_mul: case IRO_and: case IRO_or: case IRO_xor: case IRO_not:
    case IRO_neg: case IRO_shl: case IRO_shr: case IRO_sar: case IRO_ror: case IRO_udiv: case IRO_sdiv:
    case IRO_clz: case IRO_bswap: case IRO_fsr: case IRO_ctz: case IRO_popcnt:
        return o->type == IR_I32 ? NARROW : HARD;
    case IRO_sext: case IRO_i2f:
        if (o->op == IRO_i2f && IR_F2I_UNSIGNED(o->imm))
            return HARD;
        return ir->ops[o->arg[0]].type == IR_I32 ? NARROW : HARD;
    case IRO_trunc:
        return HARD;
    case IRO_store:
        return k == 0 ? ADDR : NARROW;
    case IRO_load: case IRO_cas: case IRO_xchg: case IRO_fadda: case IRO_fanda: case IRO_fora:
    case IRO_fxora: case IRO_fsmaxa: case IRO_fsmina: case IRO_fumaxa: case IRO_fumina:
        return k == 0 ? ADDR : HARD;
    }
    if (o->op >= IRO_eq && o->op <= IRO_sub_v)
        return ir->ops[o->arg[0]].type == IR_I32 ? NARROW : HARD;
    return HARD;
}

static void count(struct sel *s, uint32_t v, enum use how)
{
    struct count *c = &s->c[v];

    if (s->x->val[v].end < s->until)
        s->x->val[v].end = s->until;
    switch (how) {
    case HARD: c->hard++; break;
    case NARROW:
        if (ir_bits(s->ir->ops[v].type) <= 32)
            c->narrow++;
        else
            c->hard++;
        break;
    case SOFT:
        c->soft++;
        c->first_soft = s->at;
        break;
    case ADDR: c->addr++; break;
    case WEAK: c->weak++; break;
    }
}

static void count_args(struct sel *s, const struct ir_op *o, bool weak)
{
    unsigned n = ir_info[o->op].n_args;

    for (unsigned k = 0; k < n; k++)
        if (o->arg[k])
            count(s, o->arg[k], weak ? WEAK : use_of(s->ir, o, k));
}

/* --- Snapshots --- */

static bool is_full_call(const struct ir *ir, uint32_t v)
{
    return ir->ops[v].op == IRO_call && ir->helpers[ir->ops[v].imm].full;
}

/* Does the memory of its slot still hold what this get read, when the snapshot at x->pos is taken? */
static bool unchanged(const struct x64 *x, uint32_t get)
{
    if (!(x->val[get].flags & XV_REMAT))
        return false;
    for (uint32_t v = get + 1; v < x->pos; v++)
        if (is_full_call(x->ir, v))
            return false;
    return true;
}

static void add_pair(void *opaque, uint32_t slot, uint32_t val)
{
    struct x64 *x = opaque;
    const struct ir_op *o;

    val = ir_root(x->ir, val);
    o = &x->ir->ops[val];
    if (o->op == IRO_get && o->imm == slot && unchanged(x, val))
        return;
    x->pair = x_grow(x->pair, &x->cap_pair, x->n_pair + 1, sizeof(*x->pair));
    x->pair[x->n_pair++] = (struct xpair){ slot, val };
}

static void spell_snapshot(struct sel *s, uint32_t snap)
{
    struct x64 *x = s->x;
    struct xsnap *sn = &x->snap[snap];

    if (!sn->done) {
        sn->done = true;
        sn->first = x->n_pair;
        ir_snap_walk(s->ir, &s->ir->snaps[snap], add_pair, x);
        sn->count = x->n_pair - sn->first;
    }
    for (uint32_t i = 0; i < sn->count; i++)
        count(s, x->pair[sn->first + i].val, WEAK);
}

/* --- Marking, backwards --- */

static bool fp_compare(unsigned op)
{
    return op >= IRO_feq && op <= IRO_fun;
}

/* A compare that is done where its result is first wanted raises its FP flags there: control must
 * not leave before. */
static bool may_wait(const struct sel *s, uint32_t v)
{
    for (uint32_t w = v + 1; w < s->c[v].first_soft; w++) {
        unsigned effects = ir_info[s->ir->ops[w].op].effects;

        if (effects != IR_PURE && effects != IR_FP)
            return false;
    }
    return true;
}

/* Conditions that a branch can compute for itself. */
static bool can_fuse(const struct sel *s, const struct ir_op *o)
{
    if (fp_compare(o->op))
        return !s->x->job->fp_slow && !s->x->job->fp_flush && s->ir->ops[o->arg[0]].type != IR_F16;
    return o->op <= IRO_sle && x_in_line(s->ir, o);
}

/* The operands of a value that its users compute live as long as it does. */
static void lives_on(struct sel *s, uint32_t v)
{
    if (s->until < s->x->val[v].end)
        s->until = s->x->val[v].end;
}

static void mark(struct sel *s, uint32_t v)
{
    const struct ir_op *o = &s->ir->ops[v];
    struct count *c = &s->c[v];
    struct xval *xv = &s->x->val[v];
    unsigned effects = ir_info[o->op].effects;
    unsigned firm = c->hard + c->narrow;

    if (effects == IR_PURE && !(firm + c->soft + c->addr + c->weak)) {
        xv->flags = 0;
        return;
    }
    if (o->op == IRO_const || o->op == IRO_get || o->op == IRO_vconst) {
        xv->flags = o->op == IRO_get && s->x->early_gets ? XV_LIVE : XV_LIVE | XV_REMAT;
        return;
    }
    if (o->op == IRO_copy || (o->op == IRO_zext && o->type == IR_I64)) {
        xv->flags = XV_ALIAS;
        lives_on(s, v);
        if (o->op == IRO_copy) { /* wanted just as the copy is wanted */
            struct count *t = &s->c[o->arg[0]];

            t->hard += c->hard + c->addr;
            t->narrow += c->narrow;
            t->soft += c->soft;
            if (c->soft)
                t->first_soft = c->first_soft;
            t->weak += c->weak;
        } else if (firm + c->soft + c->addr) {
            count(s, o->arg[0], HARD);
        } else { /* only snapshots want it: redone there */
            xv->flags = XV_LAZY;
            count(s, o->arg[0], WEAK);
        }
        return;
    }
    if (o->op == IRO_phi) {
        xv->flags = XV_LIVE;
        return; /* its operands were counted at the start */
    }
    if (!(firm + c->soft + c->addr) && c->depth < 3 &&
        (is_cheap(s->ir, o) || (fp_compare(o->op) && can_fuse(s, o)))) {
        xv->flags = XV_LAZY;
        lives_on(s, v);
        for (unsigned k = 0; k < ir_info[o->op].n_args; k++)
            if (s->c[o->arg[k]].depth <= c->depth)
                s->c[o->arg[k]].depth = c->depth + 1;
        count_args(s, o, true);
        if (fp_compare(o->op)) { /* its flags are still wanted: the compare itself is emitted */
            xv->flags |= XV_BARE;
            count_args(s, o, false);
        }
        return;
    }
    if (is_compare(o->op) && !firm && !c->addr && c->soft && can_fuse(s, o) &&
        (!fp_compare(o->op) || may_wait(s, v))) {
        s->at = c->first_soft;
        lives_on(s, v);
        xv->flags = XV_LAZY;
        count_args(s, o, false);
        return;
    }
    if (o->op == IRO_not && o->type == IR_I1 && !firm && !c->addr && !c->weak) {
        s->at = c->first_soft;
        lives_on(s, v);
        xv->flags = XV_LAZY;
        count(s, o->arg[0], SOFT);
        return;
    }
    if (o->op == IRO_trunc && o->type == IR_I32 && !c->hard && !c->soft && !c->addr && !c->weak) {
        xv->flags = XV_ALIAS;
        lives_on(s, v);
        count(s, o->arg[0], HARD);
        return;
    }
    if ((o->op == IRO_aese || o->op == IRO_aesd) && c->addr && !firm && s->x->a.f.aes) {
        lives_on(s, v);
        xv->flags = XV_LAZY;
        count_args(s, o, false);
        return;
    }
    if (o->op == IRO_add && o->type == IR_I64 && !firm && !c->weak && !c->soft) {
        const struct ir_op *b = &s->ir->ops[ir_root(s->ir, o->arg[1])];
        int32_t imm;

        lives_on(s, v);
        xv->flags = XV_LAZY;
        count(s, o->arg[0], HARD);
        count(s, o->arg[1], x_imm(s->x, o->arg[1], &imm) ? WEAK : b->op == IRO_shl ? ADDR : HARD);
        return;
    }
    if (o->op == IRO_shl && o->type == IR_I64 && !firm && !c->weak && !c->soft) {
        int32_t imm;

        if (x_imm(s->x, o->arg[1], &imm) && imm >= 0 && imm <= 3) {
            lives_on(s, v);
            xv->flags = XV_LAZY;
            count(s, o->arg[0], HARD);
            return;
        }
    }
    xv->flags = XV_LIVE;
    count_args(s, o, false);
}

/* @at: where it is emitted; the terminator before it for what stands out of line */
static void mark_op(struct sel *s, uint32_t v, uint32_t at)
{
    const struct ir_op *o = &s->ir->ops[v];

    s->at = at;
    if (o->snap) {
        s->x->pos = v;
        spell_snapshot(s, o->snap);
    }
    mark(s, v);
}

static void mark_all(struct sel *s)
{
    const struct ir *ir = s->ir;

    for (uint32_t b = ir->n_blocks; b-- > 0;) {
        const struct ir_block *blk = &ir->blocks[b];

        if (x_is_stub(blk))
            continue;
        for (uint32_t v = blk->end; v-- > blk->first;) {
            if (v == blk->end - 1)
                for (unsigned i = 0; i < blk->n_succ; i++) {
                    const struct ir_block *e = &ir->blocks[blk->succ[i]];

                    if (x_is_stub(e))
                        for (uint32_t w = e->end; w-- > e->first;)
                            mark_op(s, w, v);
                }
            mark_op(s, v, v);
        }
    }
}

/* --- Use lists, backwards --- */

static void add_use(struct x64 *x, uint32_t v, uint32_t pos, bool weak);

static void add_arg_uses(struct x64 *x, const struct ir_op *o, uint32_t pos, bool weak)
{
    for (unsigned k = 0; k < ir_info[o->op].n_args; k++)
        if (o->arg[k])
            add_use(x, o->arg[k], pos, weak);
}

static void add_use(struct x64 *x, uint32_t v, uint32_t pos, bool weak)
{
    struct xval *xv;

    v = x_resolve(x, v);
    xv = &x->val[v];
    if (xv->flags & XV_LAZY) {
        add_arg_uses(x, &x->ir->ops[v], pos, weak);
        return;
    }
    if (xv->uses && x->use[xv->uses].pos == pos) {
        x->use[xv->uses].weak &= weak;
        return;
    }
    x->use = x_grow(x->use, &x->cap_use, x->n_use + 1, sizeof(*x->use));
    x->use[x->n_use] = (struct xuse){ pos, xv->uses, weak };
    xv->uses = x->n_use++;
    if (xv->end < pos)
        xv->end = pos;
    /* a value from before a loop that is used in it stays until the loop's end */
    for (uint32_t i = 0; i < x->n_loop; i++)
        if (v < x->loop[i].head && pos >= x->loop[i].head && pos <= x->loop[i].end &&
            xv->end < x->loop[i].end)
            xv->end = x->loop[i].end;
}

static void use_op(struct x64 *x, uint32_t v, uint32_t pos)
{
    const struct ir_op *o = &x->ir->ops[v];
    unsigned f = x->val[v].flags;

    if (o->snap) {
        const struct xsnap *sn = &x->snap[o->snap];

        for (uint32_t i = 0; i < sn->count; i++)
            add_use(x, x->pair[sn->first + i].val, pos, true);
    }
    if (o->op == IRO_phi || !(f & (XV_LIVE | XV_BARE)))
        return;
    add_arg_uses(x, o, pos, false);
}

static void use_phis(struct x64 *x, uint32_t from, uint32_t to, uint32_t pos)
{
    const struct ir *ir = x->ir;
    const struct ir_block *t = &ir->blocks[to];
    uint32_t k = x_pred_index(ir, from, to);

    for (uint32_t v = t->first; v < t->end && ir->ops[v].op == IRO_phi; v++)
        if (x->val[v].flags & XV_LIVE)
            add_use(x, ir->phi_args[ir->ops[v].arg[0] + k], pos, false);
}

static void use_all(struct x64 *x)
{
    const struct ir *ir = x->ir;

    for (uint32_t b = ir->n_blocks; b-- > 0;) {
        const struct ir_block *blk = &ir->blocks[b];

        if (x_is_stub(blk))
            continue;
        for (uint32_t v = blk->end; v-- > blk->first;) {
            if (v == blk->end - 1)
                for (unsigned i = 0; i < blk->n_succ; i++) {
                    const struct ir_block *e = &ir->blocks[blk->succ[i]];

                    if (x_is_stub(e))
                        for (uint32_t w = e->end; w-- > e->first;)
                            use_op(x, w, v);
                    else if (blk->n_succ == 1)
                        use_phis(x, b, blk->succ[i], v);
                }
            use_op(x, v, v);
        }
    }
}

/* A loop that another one enters before its end and leaves after it: what goes around the other
 * comes back into this one, so this one ends where the other does. */
static void join_loops(struct x64 *x)
{
    const struct ir *ir = x->ir;
    bool again;

    do {
        again = false;
        for (uint32_t a = 0; a < ir->n_blocks; a++)
            for (uint32_t b = a + 1; b < ir->n_blocks && ir->blocks[b].first <= x->block[a].loop_end; b++)
                if (x->block[b].loop_end > x->block[a].loop_end) {
                    x->block[a].loop_end = x->block[b].loop_end;
                    again = true;
                }
    } while (again);
}

static void find_loops(struct x64 *x)
{
    const struct ir *ir = x->ir;

    x->n_loop = 0;
    for (uint32_t b = 0; b < ir->n_blocks; b++)
        for (unsigned i = 0; i < ir->blocks[b].n_succ; i++) {
            uint32_t t = ir->blocks[b].succ[i];

            if (t <= b && x->block[t].loop_end < ir->blocks[b].end - 1)
                x->block[t].loop_end = ir->blocks[b].end - 1;
        }
    join_loops(x);
    for (uint32_t b = 0; b < ir->n_blocks; b++)
        if (x->block[b].loop_end) {
            x->loop = x_grow(x->loop, &x->cap_loop, x->n_loop + 1, sizeof(*x->loop));
            x->loop[x->n_loop++] = (struct xloop){ ir->blocks[b].first, x->block[b].loop_end };
        }
}

/* --- Straight code --- */

/*
 * Values are stored to their slots where they are set, but for idle slots, which wait for somebody who
 * looks: a fault, a way out.  So one walk backwards is enough: it sees who looks before it sees the
 * write, and the last use of a value first.  There, positions are twice the operation's; what stands
 * between operations is odd.
 */
struct looks {
    uint32_t n;      /* times that somebody looked at all slots */
    uint32_t n_idle; /* at idle ones, too: in x->look, the latest first */
    uint32_t seen[IR_MAX_SLOTS]; /* of these when a later write of the slot was met */
    uint32_t first[IR_MAX_SLOTS]; /* the earliest write met so far that will be done, 0 none */
};

static void look(struct sel *s, struct looks *l, const struct ir_snap *snap)
{
    struct x64 *x = s->x;

    l->n++;
    if (snap->idle_dead)
        return;
    x->look = x_grow(x->look, &x->cap_look, l->n_idle + 1, sizeof(*x->look));
    x->look[l->n_idle++] = s->until;
}

static void mark_straight_op(struct sel *s, struct looks *l, uint32_t v, uint32_t at)
{
    const struct ir_op *o = &s->ir->ops[v];
    struct xval *xv = &s->x->val[v];

    s->at = at;
    s->until = 2 * at;
    if (o->snap)
        look(s, l, &s->ir->snaps[o->snap]);
    mark(s, v);
    if (o->op == IRO_get && l->first[o->imm] && xv->end >= l->first[o->imm])
        xv->flags &= ~XV_REMAT; /* read where it stands, before its slot is written */
}

/* A slot is written behind operation @v: is that ever seen, and how long must the value live? */
static void mark_set(struct sel *s, struct looks *l, const struct ir_set *set, uint32_t v)
{
    struct x64 *x = s->x;

    s->at = v;
    if (set->slot == IR_SLOT_CLEAN) {
        x->store[x->n_store++] = *set;
    } else if (s->ir->slots[set->slot].idle) {
        if (l->seen[set->slot] < l->n_idle) {
            s->until = x->look[l->seen[set->slot]];
            count(s, set->val, WEAK);
            x->store[x->n_store++] = *set;
        }
        l->seen[set->slot] = l->n_idle;
    } else if (l->seen[set->slot] < l->n) {
        s->until = l->first[set->slot] = 2 * v + 1;
        count(s, set->val, HARD);
        x->store[x->n_store++] = *set;
        l->seen[set->slot] = l->n;
    }
}

static void mark_straight(struct sel *s)
{
    const struct ir *ir = s->ir;
    const struct ir_block *blk = &ir->blocks[0];
    struct looks l = { 0 };
    uint32_t k = ir->n_sets, last = blk->end - 1;

    s->x->n_store = 0;
    s->x->store = x_grow(s->x->store, &s->x->cap_store, ir->n_sets, sizeof(*s->x->store));
    for (unsigned i = 0; i < blk->n_succ; i++)
        for (uint32_t w = ir->blocks[blk->succ[i]].end; w-- > ir->blocks[blk->succ[i]].first;)
            mark_straight_op(s, &l, w, last);
    for (uint32_t v = blk->end; v-- > blk->first;) {
        for (; k > 1 && ir->sets[k - 1].at == v + 1; k--)
            mark_set(s, &l, &ir->sets[k - 1], v);
        mark_straight_op(s, &l, v, v);
    }
}

int x_select(struct x64 *x)
{
    const struct ir *ir = x->ir;
    struct sel s = { .x = x, .ir = ir };

    x->count = x_grow(x->count, &x->cap_count, ir->n_ops, sizeof(*x->count));
    memset(x->count, 0, ir->n_ops * sizeof(*x->count));
    s.c = x->count;
    find_loops(x);
    x->early_gets = false;
    for (uint32_t b = 0; b < ir->n_blocks; b++)
        x->early_gets |= ir->blocks[b].full_call && (ir->blocks[b].n_succ || b);
    for (uint32_t v = 1; v < ir->n_ops; v++) {
        x->val[v] = (struct xval){ .reg = NOREG, .hint = NOREG };
        if (ir->ops[v].op == IRO_get && !x->early_gets)
            x->val[v].flags = XV_REMAT;
    }
    x->n_pair = 0;
    if (x->straight) {
        mark_straight(&s);
        return 0;
    }
    for (uint32_t b = 0; b < ir->n_blocks; b++)
        for (uint32_t v = ir->blocks[b].first; ir->ops[v].op == IRO_phi; v++)
            for (uint32_t i = 0; i < ir->blocks[b].n_preds; i++)
                s.c[ir_root(ir, ir->phi_args[ir->ops[v].arg[0] + i])].hard++;
    x->n_use = 1;
    mark_all(&s);
    use_all(x);
    return 0;
}
