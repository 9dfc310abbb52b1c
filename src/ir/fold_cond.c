/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The builder's rewrites of conditions: what lifting code makes of flags becomes one comparison. */
#include "ir/fold_priv.h"

/* --- Logic on conditions --- */

static bool same_pair(const struct ir_op *x, const struct ir_op *y)
{
    return x->arg[0] == y->arg[0] && x->arg[1] == y->arg[1];
}

static bool crossed_pair(const struct ir_op *x, const struct ir_op *y)
{
    return x->arg[0] == y->arg[1] && x->arg[1] == y->arg[0];
}

static uint32_t fcmp(struct ir *ir, enum ir_opcode op, const struct ir_op *like, bool swapped)
{
    ir_val a = {like->arg[swapped]}, b = {like->arg[!swapped]};

    return ir_op(ir, op, IR_I1, 0, like->imm, a, b, IR_NONE).id;
}

static uint32_t inverted(struct ir *ir, uint32_t v)
{
    return make(ir, IRO_not, IR_I1, v, 0);
}

/* How many low bits of @v may not be zero. */
static unsigned bits_of(const struct ir *ir, uint32_t v)
{
    const struct ir_op *o = &ir->ops[v];
    uint64_t k;

    if (ir_const_of(ir, v, &k))
        return k ? 64 - (unsigned)__builtin_clzll(k) : 0;
    switch (o->op) {
    case IRO_and:
        return ir_const_of(ir, o->arg[1], &k) && k ? 64 - (unsigned)__builtin_clzll(k) : ir_bits(o->type);
    case IRO_load:
        return o->imm & IR_MEM_SIGN ? ir_bits(o->type) : 8u << (o->imm & IR_MEM_SIZE);
    case IRO_zext:
        return ir_bits(ir->ops[o->arg[0]].type);
    default:
        return ir_bits(o->type);
    }
}

/* What @v is shifted left by @n of, nothing lost by that; 0: it is not. */
static uint32_t unshifted(struct ir *ir, uint32_t v, unsigned n)
{
    const struct ir_op *o = &ir->ops[v];
    uint64_t k;

    if (ir_const_of(ir, v, &k))
        return k & ((1ull << n) - 1) ? 0 : constant(ir, o->type, k >> n);
    return o->op == IRO_shl && is_const(ir, o->arg[1], n) && bits_of(ir, o->arg[0]) + n <= ir_bits(o->type) ? o->arg[0] : 0;
}

/* Both shifted to the left by the same, as narrow comparisons are written: the order is that of what was shifted. */
uint32_t fold_compare_shifted(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *s = &ir->ops[o->arg[ir->ops[o->arg[0]].op == IRO_shl ? 0 : 1]];
    uint32_t a, b;
    uint64_t n;

    if (!ir_const_of(ir, s->arg[1], &n) || !n || n >= ir_bits(s->type))
        return 0;
    a = unshifted(ir, o->arg[0], (unsigned)n);
    b = a ? unshifted(ir, o->arg[1], (unsigned)n) : 0;
    return b ? make(ir, o->op, IR_I1, a, b) : 0;
}

/* Says whether @v is the value of @op on the operands of @like: as it stands, or by asking the
 * builder, because folding may have given it another form. */
static bool is_relation(struct ir *ir, uint32_t v, enum ir_opcode op, const struct ir_op *like)
{
    const struct ir_op *o = by(ir, v, op);
    uint32_t a = like->arg[0], b = like->arg[1];

    if (o && (same_pair(o, like) || crossed_pair(o, like)))
        return true;
    if (ir->ops[a].op != IRO_const && ir->ops[b].op != IRO_const && ir->ops[a].op != IRO_shl)
        return false;
    return make(ir, op, IR_I1, a, b) == v || make(ir, op, IR_I1, b, a) == v;
}

/* x <= y and x != y: x < y.  Integers, and floating point written with not and feq. */
static uint32_t strictly(struct ir *ir, uint32_t le, uint32_t ne)
{
    struct ir_op rel = ir->ops[le], inv = ir->ops[ne];
    const struct ir_op *eq;

    if (rel.op == IRO_sle || rel.op == IRO_ule)
        return is_relation(ir, ne, IRO_ne, &rel)
                   ? make(ir, rel.op == IRO_sle ? IRO_slt : IRO_ult, IR_I1, rel.arg[0], rel.arg[1])
                   : 0;
    if (inv.op != IRO_not || !(eq = by(ir, inv.arg[0], IRO_feq)) || eq->imm != rel.imm)
        return 0;
    if (rel.op == IRO_fle && (same_pair(&rel, eq) || crossed_pair(&rel, eq)))
        return fcmp(ir, IRO_flt, &rel, false);
    return 0;
}

/* x < y or x == y: x <= y. */
static uint32_t loosely(struct ir *ir, uint32_t lt, uint32_t eq)
{
    struct ir_op rel = ir->ops[lt], e = ir->ops[eq];

    if (rel.op == IRO_slt || rel.op == IRO_ult)
        return is_relation(ir, eq, IRO_eq, &rel)
                   ? make(ir, rel.op == IRO_slt ? IRO_sle : IRO_ule, IR_I1, rel.arg[0], rel.arg[1])
                   : 0;
    if (rel.op == IRO_flt && e.op == IRO_feq && e.imm == rel.imm &&
        (same_pair(&rel, &e) || crossed_pair(&rel, &e)))
        return fcmp(ir, IRO_fle, &rel, false);
    return 0;
}

uint32_t fold_and_conditions(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *na, *nb;
    uint32_t a = o->arg[0], b = o->arg[1], r;

    if (o->type != IR_I1)
        return 0;
    if ((r = strictly(ir, a, b)) || (r = strictly(ir, b, a)))
        return r;
    na = by(ir, a, IRO_not);
    nb = by(ir, b, IRO_not);
    if (na && nb) { /* not less and not equal: not less or equal */
        uint32_t x = na->arg[0], y = nb->arg[0];

        if ((r = loosely(ir, x, y)) || (r = loosely(ir, y, x)))
            return inverted(ir, r);
    }
    return 0;
}

/* x or not y = not (y and not x); only for feq x, the others invert by themselves */
static uint32_t or_inverted(struct ir *ir, uint32_t x, uint32_t not_y)
{
    const struct ir_op *inv = by(ir, not_y, IRO_not);
    uint32_t y = inv ? inv->arg[0] : 0, r;

    if (!inv || ir->ops[x].op != IRO_feq || ir->ops[y].op != IRO_fle)
        return 0;
    r = strictly(ir, y, inverted(ir, x));
    return r ? inverted(ir, r) : 0;
}

uint32_t fold_or_conditions(struct ir *ir, const struct ir_op *o)
{
    uint32_t a = o->arg[0], b = o->arg[1], r;

    if (o->type != IR_I1)
        return 0;
    if ((r = loosely(ir, a, b)) || (r = loosely(ir, b, a)))
        return r;
    if ((r = or_inverted(ir, a, b)) || (r = or_inverted(ir, b, a)))
        return r;
    return 0;
}

/* The sign of a - b, corrected by its overflow, is a < b. */
static uint32_t signed_less(struct ir *ir, uint32_t n, uint32_t v)
{
    struct ir_op neg = ir->ops[n], ovf = ir->ops[v];
    uint32_t a = ovf.arg[0], b = ovf.arg[1];
    uint64_t imm;
    unsigned type;

    if (neg.op != IRO_slt || !is_const(ir, neg.arg[1], 0))
        return 0;
    type = type_of(ir, neg.arg[0]);
    if (ovf.op == IRO_sub_v && type_of(ir, a) == type &&
        make(ir, IRO_sub, type, a, b) == neg.arg[0])
        return make(ir, IRO_slt, IR_I1, a, b);
    if (ovf.op == IRO_add_v && type_of(ir, a) == type && ir_const_of(ir, b, &imm) &&
        imm != 1ull << (ir_bits(type) - 1) && make(ir, IRO_add, type, a, b) == neg.arg[0])
        return make(ir, IRO_slt, IR_I1, a, constant(ir, type, 0 - imm));
    return 0;
}

/* Less or unordered is not greater or equal. */
static uint32_t less_or_unordered(struct ir *ir, uint32_t less, uint32_t un)
{
    const struct ir_op *l = by(ir, less, IRO_flt), *u = by(ir, un, IRO_fun);

    if (!l || !u || l->imm != u->imm || !(same_pair(l, u) || crossed_pair(l, u)))
        return 0;
    return inverted(ir, fcmp(ir, IRO_fle, &(struct ir_op){.arg = {l->arg[0], l->arg[1]},
                                                          .imm = l->imm}, true));
}

uint32_t fold_xor_conditions(struct ir *ir, const struct ir_op *o)
{
    uint32_t a = o->arg[0], b = o->arg[1], r;

    if (o->type != IR_I1)
        return 0;
    if ((r = signed_less(ir, a, b)) || (r = signed_less(ir, b, a)) ||
        (r = less_or_unordered(ir, a, b)) || (r = less_or_unordered(ir, b, a)))
        return r;
    return 0;
}

/* Conditional compares: what is asked of two selects with one condition and known other arms is
 * asked of the arms. */
uint32_t fold_through_selects(struct ir *ir, const struct ir_op *o)
{
    struct ir_op x = ir->ops[o->arg[0]], y = ir->ops[o->arg[1]];

    if (o->type != IR_I1 || x.arg[0] != y.arg[0] || ir->ops[x.arg[2]].op != IRO_const ||
        ir->ops[y.arg[2]].op != IRO_const)
        return 0;
    return ir_select(ir, (ir_val){x.arg[0]}, (ir_val){make(ir, o->op, IR_I1, x.arg[1], y.arg[1])},
                     (ir_val){make(ir, o->op, IR_I1, x.arg[2], y.arg[2])})
        .id;
}

uint32_t fold_not_of_select(struct ir *ir, const struct ir_op *o)
{
    struct ir_op x = ir->ops[o->arg[0]];

    if (o->type != IR_I1 || ir->ops[x.arg[2]].op != IRO_const)
        return 0;
    return ir_select(ir, (ir_val){x.arg[0]}, (ir_val){inverted(ir, x.arg[1])},
                     (ir_val){inverted(ir, x.arg[2])})
        .id;
}

uint32_t fold_not_of_compare(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *c = &ir->ops[o->arg[0]];
    uint32_t a = c->arg[0], b = c->arg[1];

    switch (c->op) {
    case IRO_eq: return make(ir, IRO_ne, IR_I1, a, b);
    case IRO_ne: return make(ir, IRO_eq, IR_I1, a, b);
    case IRO_ult: return make(ir, IRO_ule, IR_I1, b, a);
    case IRO_ule: return make(ir, IRO_ult, IR_I1, b, a);
    case IRO_slt: return make(ir, IRO_sle, IR_I1, b, a);
    default: return make(ir, IRO_slt, IR_I1, b, a);
    }
}

uint32_t fold_invert_a(struct ir *ir, const struct ir_op *o)
{
    return make(ir, IRO_not, o->type, o->arg[0], 0);
}

/* --- Comparisons --- */

/* a - b == 0, a ^ b == 0: a == b */
uint32_t fold_compare_inner(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];

    return make(ir, o->op, IR_I1, in->arg[0], in->arg[1]);
}

/* x + c1 == c2: x == c2 - c1 */
uint32_t fold_compare_without_add(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    uint32_t x = in->arg[0];
    uint64_t c1;

    if (!ir_const_of(ir, in->arg[1], &c1))
        return 0;
    return make(ir, o->op, IR_I1, x, constant(ir, in->type, ir->ops[o->arg[1]].imm - c1));
}

/* zext(x) == c: compared in the narrow width, or never equal */
uint32_t fold_compare_narrow(struct ir *ir, const struct ir_op *o)
{
    uint32_t x = ir->ops[o->arg[0]].arg[0];
    uint64_t c = ir->ops[o->arg[1]].imm;

    if (c & ~ir_mask(type_of(ir, x)))
        return constant(ir, IR_I1, o->op == IRO_ne);
    return make(ir, o->op, IR_I1, x, constant(ir, type_of(ir, x), c));
}

/* i1 against a constant is the value or its inverse. */
uint32_t fold_compare_bit(struct ir *ir, const struct ir_op *o)
{
    if (type_of(ir, o->arg[0]) != IR_I1)
        return 0;
    if (is_const(ir, o->arg[1], o->op == IRO_eq))
        return o->arg[0];
    return inverted(ir, o->arg[0]);
}

/* --- Select --- */

uint32_t fold_select_simple(struct ir *ir, const struct ir_op *o)
{
    uint32_t cond = o->arg[0], a = o->arg[1], b = o->arg[2];
    const struct ir_op *inv = by(ir, cond, IRO_not);
    uint64_t known;

    if (a == b)
        return a;
    if (ir_const_of(ir, cond, &known))
        return known ? a : b;
    if (inv)
        return ir_select(ir, (ir_val){inv->arg[0]}, (ir_val){b}, (ir_val){a}).id;
    if (!ir_is_int(o->type))
        return 0;
    if (is_const(ir, b, 0) && is_const(ir, a, 1))
        return o->type == IR_I1 ? cond : make(ir, IRO_zext, o->type, cond, 0);
    if (is_const(ir, a, 0) && is_const(ir, b, 1))
        return o->type == IR_I1 ? inverted(ir, cond)
                                : make(ir, IRO_zext, o->type, inverted(ir, cond), 0);
    if (is_const(ir, b, 0) && is_const(ir, a, ~0ull))
        return make(ir, IRO_sext, o->type, cond, 0);
    return 0;
}
