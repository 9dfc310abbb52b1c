/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instruction selection, first half: looks at the region backwards and decides what is dead, what is
 * folded into its users, and where every value is used next.  compile.c does the second half.
 *
 * How a value can be wanted, bits of xval.want:
 *   hard    in a register, whole
 *   narrow  in a register, only its low 32 bits
 *   soft    as the condition of a branch or select
 *   choice  soft, by a select
 *   addr    as part of a memory operand, or otherwise folded into an instruction
 *   weak    by a snapshot only: nobody on the fast path needs it
 *   half    by a snapshot only, its low 32 bits
 *   out     by the snapshot of a way out, which stores it in a slot that is not idle
 *   tested  an AND: compared with zero, which one TEST does
 */
#include "host/x86_64/emit.h"

#include "base/err.h"

#include <stdlib.h>
#include <string.h>

enum { HARD = 1, NARROW = 2, SOFT = 4, ADDR = 8, WEAK = 16, HALF = 32, CHOICE = 64, OUT = 128, TESTED = 256 };
enum { FIRM = HARD | NARROW, LOOK = WEAK | HALF | OUT };

struct sel {
    struct x64 *x;
    const struct ir *ir;
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
    case IRO_trunc:
        return o->type == IR_I32;
    case IRO_xor:
        return true;
    case IRO_and: case IRO_or: case IRO_not:
        return o->type == IR_I1;
    case IRO_select:
        return o->type == IR_I1;
    }
    return is_compare(o->op) && o->op < IRO_feq;
}

/* What the operands of an operation that is really emitted are needed as; 0: hard.  An operand of 64
 * bits is whole when narrow, too. */
static const uint8_t operands[IR_NUM_OPS][3] = {
    [IRO_br] = { SOFT }, [IRO_check] = { SOFT },
    [IRO_aesmc] = { ADDR }, [IRO_aesimc] = { ADDR }, /* one round with the step before it */
    [IRO_select] = { SOFT | CHOICE, NARROW, NARROW },
    [IRO_add] = { NARROW, NARROW }, [IRO_sub] = { NARROW, NARROW }, [IRO_mul] = { NARROW, NARROW },
    [IRO_and] = { NARROW, NARROW }, [IRO_or] = { NARROW, NARROW }, [IRO_xor] = { NARROW, NARROW },
    [IRO_shl] = { NARROW, NARROW }, [IRO_shr] = { NARROW, NARROW }, [IRO_sar] = { NARROW, NARROW },
    [IRO_ror] = { NARROW, NARROW }, [IRO_udiv] = { NARROW, NARROW }, [IRO_sdiv] = { NARROW, NARROW },
    [IRO_fsr] = { NARROW, NARROW }, [IRO_not] = { NARROW }, [IRO_neg] = { NARROW },
    [IRO_clz] = { NARROW }, [IRO_ctz] = { NARROW }, [IRO_popcnt] = { NARROW }, [IRO_bswap] = { NARROW },
    [IRO_sext] = { NARROW }, [IRO_i2f] = { NARROW },
    [IRO_eq] = { NARROW, NARROW }, [IRO_ne] = { NARROW, NARROW }, [IRO_ult] = { NARROW, NARROW },
    [IRO_ule] = { NARROW, NARROW }, [IRO_slt] = { NARROW, NARROW }, [IRO_sle] = { NARROW, NARROW },
    [IRO_add_v] = { NARROW, NARROW }, [IRO_sub_v] = { NARROW, NARROW },
    [IRO_load] = { ADDR }, [IRO_store] = { ADDR, NARROW }, [IRO_store2] = { ADDR }, [IRO_cas] = { ADDR },
    [IRO_xchg] = { ADDR }, [IRO_fadda] = { ADDR }, [IRO_fanda] = { ADDR }, [IRO_fora] = { ADDR },
    [IRO_fxora] = { ADDR }, [IRO_fsmaxa] = { ADDR }, [IRO_fsmina] = { ADDR },
    [IRO_fumaxa] = { ADDR }, [IRO_fumina] = { ADDR },
};

static inline void want(struct sel *s, uint32_t v, unsigned how)
{
    struct xval *xv = &s->x->val[v];

    xv->want |= how;
    if (xv->end < s->until)
        xv->end = s->until;
    if (how & SOFT)
        xv->uses = s->at;
}

/* BMI's ANDN inverts one operand: @arg. */
static bool inverts(const struct sel *s, const struct ir_op *o, uint32_t arg)
{
    const struct ir_op *ops = s->ir->ops;

    return o->op == IRO_and && ops[arg].op == IRO_not && s->x->a.f.bmi1 &&
           (o->type == IR_I32 || o->type == IR_I64) &&
           ops[o->arg[0]].op != ops[o->arg[1]].op;
}

static inline void want_args(struct sel *s, const struct ir_op *o)
{
    bool pairwise = x_pairwise(s->ir, o);

    for (unsigned k = 0; k < ir_info[o->op].n_args; k++)
        if (o->arg[k])
            want(s, o->arg[k], pairwise || inverts(s, o, o->arg[k]) ? ADDR :
                 operands[o->op][k] ? operands[o->op][k] : HARD);
}

static void want_args_weakly(struct sel *s, const struct ir_op *o)
{
    for (unsigned k = 0; k < ir_info[o->op].n_args; k++)
        if (o->arg[k])
            want(s, o->arg[k], operands[o->op][k] == NARROW ? HALF : WEAK);
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

static void spell_snapshot(struct sel *s, uint32_t snap, unsigned how)
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
        want(s, x->pair[sn->first + i].val, s->ir->slots[x->pair[sn->first + i].slot].idle ? how & ~OUT : how);
}

/* --- Marking, backwards --- */

static bool fp_compare(unsigned op)
{
    return op >= IRO_feq && op <= IRO_fun;
}

/* A compare that is done where its result is first wanted, at @soft, raises its FP flags there: control
 * must not leave before. */
static bool may_wait(const struct sel *s, uint32_t v, uint32_t soft)
{
    for (uint32_t w = v + 1; w < soft; w++) {
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

/* Never computed by itself: users compute it from its operands, which are wanted as @how. */
static void be_lazy(struct sel *s, uint32_t v)
{
    s->x->val[v].flags = XV_LAZY;
    lives_on(s, v);
}

/* What computes the lazy value @v lies one deeper than its users. */
static void nest(struct sel *s, uint32_t v)
{
    const struct ir_op *o = &s->ir->ops[v];
    unsigned depth = s->x->val[v].depth;

    for (unsigned k = 0; k < ir_info[o->op].n_args; k++)
        if (s->x->val[o->arg[k]].depth <= depth)
            s->x->val[o->arg[k]].depth = (uint8_t)(depth + 1);
}

/* Only snapshots want @v: they do it again from its operands, if that is not too deep. */
static bool only_weak(struct sel *s, uint32_t v)
{
    const struct ir_op *o = &s->ir->ops[v];
    struct xval *xv = &s->x->val[v];

    if (o->op == IRO_xor && o->type != IR_I1 && xv->want & OUT) /* x86 takes AF from one, which is seldom wanted */
        return false;
    if (xv->depth == 3 || (o->op == IRO_select && s->x->straight) || !(is_cheap(s->ir, o) || (fp_compare(o->op) && can_fuse(s, o))))
        return false;
    be_lazy(s, v);
    nest(s, v);
    want_args_weakly(s, o);
    if (fp_compare(o->op)) { /* its flags are still wanted: the compare itself is emitted */
        xv->flags |= XV_BARE;
        want_args(s, o);
    }
    return true;
}

/* Is the result what its operand's register holds already?  Registers are zero-extended, and so are scalars from memory, while other
 * scalars have anything above them. */
static bool stays_in_place(const struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *from = &ir->ops[ir_root(ir, o->arg[0])];

    switch (o->op) {
    case IRO_zext: return o->type == IR_I64;
    case IRO_vtof: return true;
    case IRO_vfromf: return from->op == IRO_load && from->type != IR_F16;
    }
    return false;
}

/* The same register as its operand's. */
static void mark_alias(struct sel *s, uint32_t v, unsigned w)
{
    const struct ir_op *o = &s->ir->ops[v];
    struct xval *xv = &s->x->val[v];

    lives_on(s, v);
    xv->flags = XV_ALIAS;
    if (o->op == IRO_copy) { /* wanted just as the copy is wanted */
        want(s, o->arg[0], (w & ADDR ? HARD : 0) | (w & ~ADDR));
        if (w & SOFT)
            s->x->val[o->arg[0]].uses = s->at;
    } else if (w & ~LOOK) {
        want(s, o->arg[0], HARD);
    } else { /* only snapshots want it: redone there */
        xv->flags = XV_LAZY;
        want(s, o->arg[0], WEAK | (w & OUT));
    }
}

/* Parts of memory operands.  @v is wanted for nothing else. */
static bool mark_address(struct sel *s, uint32_t v)
{
    const struct ir_op *o = &s->ir->ops[v];
    int32_t imm;
    bool known = x_imm(s->x, o->arg[1], &imm);

    if (o->op == IRO_shl && !(known && imm >= 0 && imm <= 3))
        return false;
    be_lazy(s, v);
    want(s, o->arg[0], HARD);
    if (o->op == IRO_add)
        want(s, o->arg[1],
             known ? WEAK : s->ir->ops[ir_root(s->ir, o->arg[1])].op == IRO_shl ? ADDR : HARD);
    return true;
}

/* Memory operands have room for a constant: its sum needs no register for what may fault, or a poll. */
static bool in_address(const struct sel *s, const struct ir_op *o, unsigned w)
{
    int32_t imm;

    if (w & ADDR && !(w & ~(ADDR | WEAK | HALF)) && o->op == IRO_add && !s->x->straight && x_imm(s->x, o->arg[1], &imm))
        return true;
    return w == ADDR;
}

/* A select of conditions that its branch does in pieces; FP compares must all be done. */
static bool mark_joined(struct sel *s, uint32_t v, unsigned w, uint32_t soft)
{
    const struct ir_op *o = &s->ir->ops[v];
    unsigned n = x_count_joined(s->ir, v);

    if (n < 2 || n > 4 || (s->x->straight && w & LOOK))
        return false;
    s->at = soft;
    be_lazy(s, v);
    for (unsigned k = 0; k < 3; k++)
        want(s, o->arg[k], (fp_compare(s->ir->ops[ir_root(s->ir, o->arg[k])].op) ? HARD : SOFT) |
                               (w & LOOK ? WEAK : 0));
    return true;
}

/* An AND that nobody wants but compares with zero, and snapshots if one operand is known: else two values lived on for one. */
static bool mark_tested(struct sel *s, uint32_t v, unsigned w)
{
    const struct ir_op *o = &s->ir->ops[v];
    int32_t imm;

    if (!(w & TESTED) || w & ~(TESTED | LOOK) || inverts(s, o, o->arg[0]) || inverts(s, o, o->arg[1]))
        return false;
    if (w & LOOK && (s->x->val[v].depth == 3 || !x_imm(s->x, o->arg[1], &imm)))
        return false;
    be_lazy(s, v);
    nest(s, v);
    want_args(s, o);
    return true;
}

/* The operands of a compare that its user does. */
static void want_compared(struct sel *s, const struct ir_op *o)
{
    if (x_tests_and(s->ir, o))
        want(s, o->arg[0], TESTED);
    else
        want_args(s, o);
}

/* Can @v, which is wanted as @w, be left to its users? */
static bool mark_folded(struct sel *s, uint32_t v, unsigned w, uint32_t soft)
{
    const struct ir_op *o = &s->ir->ops[v];

    switch (o->op) {
    case IRO_not:
        if (o->type == IR_I1 ? (w & ~CHOICE) != SOFT : w != ADDR)
            return false;
        s->at = soft;
        be_lazy(s, v);
        want(s, o->arg[0], o->type == IR_I1 ? w : NARROW);
        return true;
    case IRO_select:
        return w & SOFT && !(w & (FIRM | ADDR | CHOICE)) && mark_joined(s, v, w, soft);
    case IRO_trunc:
        if (o->type != IR_I32 || w & (HARD | SOFT | ADDR | WEAK))
            return false;
        lives_on(s, v);
        s->x->val[v].flags = XV_ALIAS;
        want(s, o->arg[0], w & NARROW ? HARD : WEAK);
        return true;
    case IRO_add: case IRO_shl:
        return o->type == IR_I64 && in_address(s, o, w) && mark_address(s, v);
    case IRO_and:
        return mark_tested(s, v, w);
    case IRO_vuzp1: case IRO_vuzp2:
        if (w != ADDR)
            return false;
        be_lazy(s, v);
        want_args(s, o);
        return true;
    case IRO_aese: case IRO_aesd:
        if (!(w & ADDR) || w & FIRM || !s->x->a.f.aes)
            return false;
        be_lazy(s, v);
        want_args(s, o);
        return true;
    }
    if (!(w & SOFT) || w & (FIRM | ADDR) || !is_compare(o->op) || !can_fuse(s, o) ||
        (fp_compare(o->op) && !may_wait(s, v, soft)))
        return false;
    s->at = soft;
    be_lazy(s, v);
    want_compared(s, o);
    return true;
}

static void mark(struct sel *s, uint32_t v)
{
    const struct ir_op *o = &s->ir->ops[v];
    struct xval *xv = &s->x->val[v];
    unsigned w = xv->want;
    uint32_t soft = xv->uses;

    xv->uses = 0;
    xv->flags = 0;
    if (!w && ir_info[o->op].effects == IR_PURE)
        return;
    switch (o->op) {
    case IRO_const: case IRO_vconst:
        xv->flags = XV_LIVE | XV_REMAT;
        return;
    case IRO_get:
        xv->flags = s->x->early_gets ? XV_LIVE : XV_LIVE | XV_REMAT;
        return;
    case IRO_copy:
        s->at = soft;
        mark_alias(s, v, w);
        return;
    case IRO_zext: case IRO_vtof: case IRO_vfromf:
        if (!stays_in_place(s->ir, o))
            break;
        mark_alias(s, v, w);
        return;
    case IRO_phi:
        xv->flags = XV_LIVE;
        return; /* its operands were counted at the start */
    }
    if (w && ((!(w & ~LOOK) && only_weak(s, v)) || mark_folded(s, v, w, soft)))
        return;
    xv->flags = XV_LIVE;
    if (o->op == IRO_i2f && IR_F2I_UNSIGNED(o->imm))
        want(s, o->arg[0], HARD);
    want_args(s, o);
}

/* @at: where it is emitted; the terminator before it for what stands out of line */
static void mark_op(struct sel *s, uint32_t v, uint32_t at)
{
    const struct ir_op *o = &s->ir->ops[v];

    s->at = at;
    if (o->snap) {
        s->x->pos = v;
        spell_snapshot(s, o->snap, ir_info[o->op].effects == IR_END ? WEAK | OUT : WEAK);
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
    struct slot_look {
        uint32_t seen;  /* times when a later write of the slot was met */
        uint32_t first; /* the earliest write met so far that will be done, 0 none */
    } slot[IR_MAX_SLOTS];
};

static inline void look(struct sel *s, struct looks *l, const struct ir_snap *snap)
{
    struct x64 *x = s->x;

    l->n++;
    if (snap->idle_dead)
        return;
    x->look = x_grow(x->look, &x->cap_look, l->n_idle + 1, sizeof(*x->look));
    x->look[l->n_idle++] = s->until;
}

static inline void mark_straight_op(struct sel *s, struct looks *l, uint32_t v, uint32_t at)
{
    const struct ir_op *o = &s->ir->ops[v];
    struct xval *xv = &s->x->val[v];

    if (!xv->want && ir_info[o->op].effects == IR_PURE)
        return;
    if (o->op == IRO_const) {
        xv->uses = 0;
        xv->flags = XV_LIVE | XV_REMAT;
        return;
    }
    s->at = at;
    s->until = 2 * at;
    if (o->snap)
        look(s, l, &s->ir->snaps[o->snap]);
    if (o->op == IRO_load || o->op == IRO_store || o->op == IRO_store2) { /* never a condition: uses is 0 */
        xv->flags = XV_LIVE;
        want_args(s, o);
        return;
    }
    mark(s, v);
    if (o->op == IRO_get && l->slot[o->imm].first && xv->end >= l->slot[o->imm].first)
        xv->flags &= ~XV_REMAT; /* read where it stands, before its slot is written */
}

/* A slot is written behind operation @v: is that ever seen, and how long must the value live? */
static inline void mark_set(struct sel *s, struct looks *l, const struct ir_set *set, uint32_t v)
{
    struct x64 *x = s->x;
    struct slot_look *k = &l->slot[set->slot];

    if (set->slot == IR_SLOT_CLEAN) {
        x->store[x->n_store++] = *set;
    } else if (s->ir->slots[set->slot].idle) {
        if (k->seen < l->n_idle) {
            s->until = x->look[k->seen];
            want(s, set->val, WEAK);
            x->store[x->n_store++] = *set;
        }
        k->seen = l->n_idle;
    } else if (k->seen < l->n) {
        s->until = k->first = 2 * v + 1;
        want(s, set->val, HARD);
        x->store[x->n_store++] = *set;
        k->seen = l->n;
    }
}

static void mark_straight(struct sel *s)
{
    const struct ir *ir = s->ir;
    const struct ir_block *blk = &ir->blocks[0];
    struct looks l;
    uint32_t k = ir->n_sets, last = blk->end - 1;

    l.n = l.n_idle = 0;
    memset(l.slot, 0, ir->n_slots * sizeof(l.slot[0]));
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

    x->n_pair = 0;
    x->early_gets = false;
    for (uint32_t b = 0; b < ir->n_blocks; b++)
        x->early_gets |= ir->blocks[b].full_call && (ir->blocks[b].n_succ || b);
    for (uint32_t v = 1; v < ir->n_ops; v++)
        x->val[v] = (struct xval){ .reg = NOREG, .hint = NOREG };
    if (x->straight) {
        mark_straight(&s);
        return 0;
    }
    find_loops(x);
    for (uint32_t v = 1; v < ir->n_ops && !x->early_gets; v++)
        if (ir->ops[v].op == IRO_get)
            x->val[v].flags = XV_REMAT;
    for (uint32_t b = 0; b < ir->n_blocks; b++)
        for (uint32_t v = ir->blocks[b].first; ir->ops[v].op == IRO_phi; v++)
            for (uint32_t i = 0; i < ir->blocks[b].n_preds; i++)
                x->val[ir_root(ir, ir->phi_args[ir->ops[v].arg[0] + i])].want |= HARD;
    x->n_use = 1;
    mark_all(&s);
    use_all(x);
    return 0;
}
