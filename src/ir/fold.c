/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rewrite rules of the builder: a table of operand patterns and what to put instead.  Every rule
 * shrinks or moves constants to the right, so folding ends.  Constants are computed by the
 * evaluation functions, never here.  What is put instead of conditions is in fold_cond.c.
 */
#include "ir/fold_priv.h"

/* What an operand must be.  From P_BY on: made by the operation P_BY + opcode. */
enum {
    P_ANY,
    P_SAME, /* the same value as the first operand */
    P_CONST,
    P_ZERO, /* integer or vector */
    P_ONES, /* all bits of the type set */
    P_ONE,
    P_POW2,
    P_BY = 64,
};
#define BY(op) (P_BY + IRO_##op)

struct fold_rule {
    uint16_t a, b;
    fold_action *act;
};

/* --- Asking about values --- */

static uint64_t vconst_high(const struct ir_op *o)
{
    return o->arg[0] | (uint64_t)o->arg[1] << 32;
}

static bool is_vconst(const struct ir *ir, uint32_t v, uint64_t both)
{
    const struct ir_op *o = &ir->ops[v];

    return o->op == IRO_vconst && o->imm == both && vconst_high(o) == both;
}

bool ir_value(const struct ir *ir, uint32_t v, union ir_u *u)
{
    const struct ir_op *o = &ir->ops[v];

    if (o->op != IRO_const && o->op != IRO_vconst)
        return false;
    u->d[0] = o->imm;
    u->d[1] = o->op == IRO_vconst ? vconst_high(o) : 0;
    return true;
}

static bool matches(const struct ir *ir, const struct ir_op *o, unsigned pattern, uint32_t v)
{
    uint64_t imm;

    switch (pattern) {
    case P_ANY: return true;
    case P_SAME: return v == o->arg[0];
    case P_CONST: return ir->ops[v].op == IRO_const;
    case P_ZERO: return is_const(ir, v, 0) || is_vconst(ir, v, 0);
    case P_ONES: return is_const(ir, v, ~0ull) || is_vconst(ir, v, ~0ull);
    case P_ONE: return is_const(ir, v, 1);
    case P_POW2: return ir_const_of(ir, v, &imm) && imm && !(imm & (imm - 1));
    }
    return ir->ops[v].op == pattern - P_BY;
}

/* --- Actions for any operation --- */

static uint32_t take_a(struct ir *ir, const struct ir_op *o)
{
    return o->arg[0];
}

static uint32_t take_b(struct ir *ir, const struct ir_op *o)
{
    return o->arg[1];
}

static uint32_t take_inner(struct ir *ir, const struct ir_op *o)
{
    return ir->ops[o->arg[0]].arg[0];
}

static uint32_t clz_of_reversed(struct ir *ir, const struct ir_op *o)
{
    return make(ir, IRO_ctz, o->type, ir->ops[o->arg[0]].arg[0], 0);
}

static uint32_t zero(struct ir *ir, const struct ir_op *o)
{
    return o->type == IR_V128 ? ir_vconst(ir, 0, 0).id : constant(ir, o->type, 0);
}

static uint32_t one(struct ir *ir, const struct ir_op *o)
{
    return constant(ir, o->type, 1);
}

/* f(f(x, c1), c2) = f(x, c1 f c2) */
static uint32_t join_constants(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    uint32_t x = in->arg[0], c1 = in->arg[1];

    if (ir->ops[c1].op != IRO_const)
        return 0;
    return make(ir, o->op, o->type, x, make(ir, o->op, o->type, c1, o->arg[1]));
}

/* --- Arithmetic --- */

static uint32_t sub_to_add(struct ir *ir, const struct ir_op *o)
{
    return make(ir, IRO_add, o->type, o->arg[0],
                constant(ir, o->type, 0 - ir->ops[o->arg[1]].imm));
}

static uint32_t negate_b(struct ir *ir, const struct ir_op *o)
{
    return make(ir, IRO_neg, o->type, o->arg[1], 0);
}

static uint32_t add_negated(struct ir *ir, const struct ir_op *o)
{
    return make(ir, IRO_sub, o->type, o->arg[0], ir->ops[o->arg[1]].arg[0]);
}

static uint32_t neg_of_sub(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];

    return make(ir, IRO_sub, o->type, in->arg[1], in->arg[0]);
}

static uint32_t shift_by_log2(struct ir *ir, const struct ir_op *o)
{
    unsigned n = (unsigned)__builtin_ctzll(ir->ops[o->arg[1]].imm);

    return make(ir, o->op == IRO_mul ? IRO_shl : IRO_shr, o->type, o->arg[0],
                constant(ir, o->type, n));
}

/* The carry is known, or this is how the manual writes a - b. */
static uint32_t adc_known(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *inv = by(ir, o->arg[1], IRO_not);

    if (is_const(ir, o->arg[2], 0))
        return make(ir, IRO_add, o->type, o->arg[0], o->arg[1]);
    if (is_const(ir, o->arg[2], 1) && inv)
        return make(ir, IRO_sub, o->type, o->arg[0], inv->arg[0]);
    if (is_const(ir, o->arg[2], 1) && ir->ops[o->arg[1]].op == IRO_const)
        return make(ir, IRO_add, o->type, o->arg[0],
                    constant(ir, o->type, ir->ops[o->arg[1]].imm + 1));
    return 0;
}

static uint32_t adc_c_known(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *inv = by(ir, o->arg[1], IRO_not);
    uint32_t a = o->arg[0], b = o->arg[1];

    if (is_const(ir, o->arg[2], 0))
        return make(ir, IRO_ult, IR_I1, make(ir, IRO_add, type_of(ir, a), a, b), a);
    if (is_const(ir, o->arg[2], 1) && inv)
        return make(ir, IRO_ule, IR_I1, inv->arg[0], a);
    return 0;
}

static uint32_t adc_v_known(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *inv = by(ir, o->arg[1], IRO_not);

    if (is_const(ir, o->arg[2], 0))
        return make(ir, IRO_add_v, IR_I1, o->arg[0], o->arg[1]);
    if (is_const(ir, o->arg[2], 1) && inv)
        return make(ir, IRO_sub_v, IR_I1, o->arg[0], inv->arg[0]);
    return 0;
}

/* --- Shifts --- */

static uint32_t shift_modulo(struct ir *ir, const struct ir_op *o)
{
    uint64_t n = ir->ops[o->arg[1]].imm, mod = n & (ir_bits(o->type) - 1);

    if (mod == 0)
        return o->arg[0];
    return mod == n ? 0 : make(ir, o->op, o->type, o->arg[0], constant(ir, o->type, mod));
}

/* (x << c1) << c2 and the like, as long as something is left. */
static uint32_t shift_twice(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    uint32_t x = in->arg[0];
    uint64_t c1, c2;

    if (!ir_const_of(ir, in->arg[1], &c1) || !ir_const_of(ir, o->arg[1], &c2) ||
        c1 + c2 >= ir_bits(o->type))
        return 0;
    return make(ir, o->op, o->type, x, constant(ir, o->type, c1 + c2));
}

/* The low bits of x, zero- or sign-extended, written as two shifts. */
static uint32_t extend_by_shifts(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    uint32_t x = in->arg[0];
    unsigned keep, part;
    uint64_t n;

    if (in->arg[1] != o->arg[1] || !ir_const_of(ir, o->arg[1], &n))
        return 0;
    keep = ir_bits(o->type) - (unsigned)n;
    part = keep == 8 ? IR_I8 : keep == 16 ? IR_I16 : keep == 32 ? IR_I32 : IR_VOID;
    if (o->op == IRO_shr && part != IR_I32)
        return make(ir, IRO_and, o->type, x, constant(ir, o->type, (1ull << keep) - 1));
    if (part == IR_VOID)
        return 0;
    return make(ir, o->op == IRO_shr ? IRO_zext : IRO_sext, o->type,
                make(ir, IRO_trunc, part, x, 0), 0);
}

static uint32_t funnel_simple(struct ir *ir, const struct ir_op *o)
{
    uint64_t n = o->imm & (ir_bits(o->type) - 1);

    if (n == 0)
        return o->arg[1];
    if (o->arg[0] == o->arg[1])
        return make(ir, IRO_ror, o->type, o->arg[0], constant(ir, o->type, n));
    if (is_const(ir, o->arg[0], 0))
        return make(ir, IRO_shr, o->type, o->arg[1], constant(ir, o->type, n));
    return 0;
}

/* --- Widths --- */

static uint32_t again_inner(struct ir *ir, const struct ir_op *o)
{
    return make(ir, o->op, o->type, ir->ops[o->arg[0]].arg[0], 0);
}

static uint32_t inner_wider(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];

    return make(ir, in->op, o->type, in->arg[0], 0);
}

/* zext(trunc x) is a mask, except for 32 bits: hosts do those for nothing. */
static uint32_t zext_of_trunc(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    unsigned small = in->type, have = type_of(ir, in->arg[0]);
    uint32_t x = in->arg[0];

    if (small == IR_I32 || ir_bits(have) < ir_bits(o->type))
        return 0;
    if (have != o->type)
        x = make(ir, IRO_trunc, o->type, x, 0);
    return make(ir, IRO_and, o->type, x, constant(ir, o->type, ir_mask(small)));
}

static uint32_t trunc_of_ext(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    unsigned have = type_of(ir, in->arg[0]);

    if (have == o->type)
        return in->arg[0];
    return make(ir, ir_bits(have) < ir_bits(o->type) ? in->op : IRO_trunc, o->type, in->arg[0], 0);
}

static uint32_t trunc_of_and(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    uint64_t mask;

    if (!ir_const_of(ir, in->arg[1], &mask) || ~mask & ir_mask(o->type))
        return 0;
    return make(ir, IRO_trunc, o->type, in->arg[0], 0);
}


/* What is left of @v when only the bits of @mask are looked at: a part that has none of them goes. */
static uint32_t without(const struct ir *ir, uint32_t v, uint64_t mask)
{
    const struct ir_op *o = &ir->ops[v];
    uint64_t k;

    if (o->op != IRO_or)
        return v;
    for (unsigned i = 0; i < 2; i++) {
        const struct ir_op *part = &ir->ops[o->arg[i]];

        if (part->op == IRO_and && ir_const_of(ir, part->arg[1], &k) && !(k & mask))
            return o->arg[!i];
        if (part->op == IRO_shl && ir_const_of(ir, part->arg[1], &k) && k < 64 && !(mask >> k))
            return o->arg[!i];
    }
    return v;
}

static uint32_t and_of_or(struct ir *ir, const struct ir_op *o)
{
    uint64_t mask;
    uint32_t v;

    if (!ir_const_of(ir, o->arg[1], &mask))
        return 0;
    v = without(ir, o->arg[0], mask);
    return v == o->arg[0] ? 0 : make(ir, IRO_and, o->type, v, o->arg[1]);
}

static uint32_t and_of_trunc(struct ir *ir, const struct ir_op *o)
{
    uint32_t x = ir->ops[o->arg[0]].arg[0], v;
    uint64_t mask;

    if (!ir_const_of(ir, o->arg[1], &mask))
        return 0;
    v = without(ir, x, mask);
    return v == x ? 0 : make(ir, IRO_and, o->type, make(ir, IRO_trunc, o->type, v, 0), o->arg[1]);
}

/* Bits that are zero already need no mask. */
static uint32_t and_of_zext(struct ir *ir, const struct ir_op *o)
{
    uint64_t have = ir_mask(type_of(ir, ir->ops[o->arg[0]].arg[0]));

    return ~ir->ops[o->arg[1]].imm & have ? 0 : o->arg[0];
}

static uint32_t and_of_load(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    unsigned bits = 8u << (in->imm & IR_MEM_SIZE);

    if (in->imm & IR_MEM_SIGN || bits >= 64)
        return 0;
    return ~ir->ops[o->arg[1]].imm & ((1ull << bits) - 1) ? 0 : o->arg[0];
}

/* --- Between scalars and vectors --- */

static unsigned lane_bits(const struct ir_op *o)
{
    return 8u << o->lane;
}

static uint32_t lane_op(struct ir *ir, enum ir_opcode op, unsigned type, unsigned lane,
                        uint64_t imm, uint32_t a)
{
    return ir_op(ir, op, type, lane, imm, (ir_val){a}, IR_NONE, IR_NONE).id;
}

static uint32_t fbits_of_fbits(struct ir *ir, const struct ir_op *o)
{
    uint32_t x = ir->ops[o->arg[0]].arg[0];

    /* From an integer and back only when no high bits were cut. */
    if (type_of(ir, x) != o->type || ir_bits(ir->ops[o->arg[0]].type) < ir_bits(o->type))
        return 0;
    return x;
}

static uint32_t fbits_of_vtof(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    unsigned lane = in->type == IR_F16 ? 1 : in->type == IR_F32 ? 2 : 3;

    if (!ir_is_int(o->type) || ir_bits(o->type) < ir_bits(in->type))
        return 0;
    return lane_op(ir, IRO_vget, o->type, lane, 0, in->arg[0]);
}

static uint32_t vtof_of_vfromf(struct ir *ir, const struct ir_op *o)
{
    uint32_t x = ir->ops[o->arg[0]].arg[0];

    return type_of(ir, x) == o->type ? x : 0;
}

static uint32_t vtof_of_vfromi(struct ir *ir, const struct ir_op *o)
{
    uint32_t x = ir->ops[o->arg[0]].arg[0];

    return ir_bits(type_of(ir, x)) == ir_bits(o->type) ? make(ir, IRO_fbits, o->type, x, 0) : 0;
}

static uint32_t vfromf_of_vtof(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    unsigned lane = in->type == IR_F16 ? 1 : in->type == IR_F32 ? 2 : 3;

    return lane_op(ir, IRO_vlow, IR_V128, lane, 0, in->arg[0]);
}

static uint32_t vfromf_of_fbits(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    uint32_t x = in->arg[0];

    return ir_bits(type_of(ir, x)) == ir_bits(in->type) ? lane_op(ir, IRO_vfromi, IR_V128, 0, 0, x)
                                                        : 0;
}

/* Lane 0 of a vector made from one scalar. */
static uint32_t vget_of_scalar(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];
    uint32_t x = in->arg[0];
    unsigned have = type_of(ir, x);

    if (o->imm != 0 || lane_bits(o) != ir_bits(have))
        return 0;
    if (in->op == IRO_vfromf)
        return make(ir, IRO_fbits, o->type, x, 0);
    return have == o->type ? x : make(ir, IRO_zext, o->type, x, 0);
}

static uint32_t vget_of_vset(struct ir *ir, const struct ir_op *o)
{
    struct ir_op in = ir->ops[o->arg[0]];
    uint32_t x = in.arg[1];

    if (in.lane != o->lane)
        return 0;
    if (in.imm != o->imm)
        return lane_op(ir, IRO_vget, o->type, o->lane, o->imm, in.arg[0]);
    return lane_bits(o) == ir_bits(o->type) && type_of(ir, x) == o->type ? x : 0;
}

/* Two cuts: the narrower one. */
static uint32_t vlow_twice(struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *in = &ir->ops[o->arg[0]];

    return in->lane <= o->lane ? o->arg[0] : lane_op(ir, IRO_vlow, IR_V128, o->lane, 0, in->arg[0]);
}

static uint32_t vlow_of_scalar(struct ir *ir, const struct ir_op *o)
{
    return ir_bits(type_of(ir, ir->ops[o->arg[0]].arg[0])) <= lane_bits(o) ? o->arg[0] : 0;
}

/* These leave the high half zero. */
static uint32_t vlow_of_half(struct ir *ir, const struct ir_op *o)
{
    return o->lane == 3 ? o->arg[0] : 0;
}

static uint32_t imm_zero_take_a(struct ir *ir, const struct ir_op *o)
{
    return o->imm == 0 ? o->arg[0] : 0;
}

static uint32_t vnot_a(struct ir *ir, const struct ir_op *o)
{
    return lane_op(ir, IRO_vnot, IR_V128, 0, 0, o->arg[0]);
}

static uint32_t vbsl_same(struct ir *ir, const struct ir_op *o)
{
    return o->arg[1] == o->arg[2] ? o->arg[1] : 0;
}

/* --- The rules --- */

#define RULES (const struct fold_rule[])
#define LAST  {0, 0, NULL}

static const struct fold_rule *const rules[IR_NUM_OPS] = {
    [IRO_add] = RULES{
        {P_ANY, P_ZERO, take_a},
        {BY(add), P_CONST, join_constants},
        {P_ANY, BY(neg), add_negated},
        LAST},
    [IRO_sub] = RULES{
        {P_ANY, P_SAME, zero},
        {P_ANY, P_CONST, sub_to_add},
        {P_ZERO, P_ANY, negate_b},
        LAST},
    [IRO_mul] = RULES{
        {P_ANY, P_ZERO, take_b},
        {P_ANY, P_POW2, shift_by_log2},
        LAST},
    [IRO_umulh] = RULES{{P_ANY, P_ZERO, take_b}, LAST},
    [IRO_smulh] = RULES{{P_ANY, P_ZERO, take_b}, LAST},
    [IRO_udiv] = RULES{
        {P_ANY, P_ZERO, take_b},
        {P_ANY, P_POW2, shift_by_log2},
        LAST},
    [IRO_sdiv] = RULES{
        {P_ANY, P_ZERO, take_b},
        {P_ANY, P_ONE, take_a},
        LAST},
    [IRO_adc] = RULES{{P_ANY, P_ANY, adc_known}, LAST},
    [IRO_neg] = RULES{
        {BY(neg), P_ANY, take_inner},
        {BY(sub), P_ANY, neg_of_sub},
        LAST},
    [IRO_and] = RULES{
        {P_ANY, P_ZERO, take_b},
        {P_ANY, P_ONES, take_a},
        {P_ANY, P_SAME, take_a},
        {BY(and), P_CONST, join_constants},
        {BY(zext), P_CONST, and_of_zext},
        {BY(load), P_CONST, and_of_load},
        {BY(or), P_CONST, and_of_or},
        {BY(trunc), P_CONST, and_of_trunc},
        {BY(select), BY(select), fold_through_selects},
        {P_ANY, P_ANY, fold_and_conditions},
        LAST},
    [IRO_or] = RULES{
        {P_ANY, P_ZERO, take_a},
        {P_ANY, P_ONES, take_b},
        {P_ANY, P_SAME, take_a},
        {BY(or), P_CONST, join_constants},
        {BY(select), BY(select), fold_through_selects},
        {P_ANY, P_ANY, fold_or_conditions},
        LAST},
    [IRO_xor] = RULES{
        {P_ANY, P_ZERO, take_a},
        {P_ANY, P_ONES, fold_invert_a},
        {P_ANY, P_SAME, zero},
        {BY(xor), P_CONST, join_constants},
        {BY(select), BY(select), fold_through_selects},
        {P_ANY, P_ANY, fold_xor_conditions},
        LAST},
    [IRO_not] = RULES{
        {BY(not), P_ANY, take_inner},
        {BY(eq), P_ANY, fold_not_of_compare},
        {BY(ne), P_ANY, fold_not_of_compare},
        {BY(ult), P_ANY, fold_not_of_compare},
        {BY(ule), P_ANY, fold_not_of_compare},
        {BY(slt), P_ANY, fold_not_of_compare},
        {BY(sle), P_ANY, fold_not_of_compare},
        {BY(select), P_ANY, fold_not_of_select},
        LAST},
    [IRO_shl] = RULES{
        {P_ZERO, P_ANY, take_a},
        {P_ANY, P_CONST, shift_modulo},
        {BY(shl), P_CONST, shift_twice},
        LAST},
    [IRO_shr] = RULES{
        {P_ZERO, P_ANY, take_a},
        {P_ANY, P_CONST, shift_modulo},
        {BY(shl), P_CONST, extend_by_shifts},
        {BY(shr), P_CONST, shift_twice},
        LAST},
    [IRO_sar] = RULES{
        {P_ZERO, P_ANY, take_a},
        {P_ANY, P_CONST, shift_modulo},
        {BY(shl), P_CONST, extend_by_shifts},
        {BY(sar), P_CONST, shift_twice},
        LAST},
    [IRO_ror] = RULES{
        {P_ZERO, P_ANY, take_a},
        {P_ANY, P_CONST, shift_modulo},
        LAST},
    [IRO_fsr] = RULES{{P_ANY, P_ANY, funnel_simple}, LAST},
    [IRO_clz] = RULES{{BY(rbit), P_ANY, clz_of_reversed}, LAST},
    [IRO_zext] = RULES{
        {BY(zext), P_ANY, again_inner},
        {BY(trunc), P_ANY, zext_of_trunc},
        LAST},
    [IRO_sext] = RULES{
        {BY(sext), P_ANY, again_inner},
        {BY(zext), P_ANY, inner_wider},
        LAST},
    [IRO_trunc] = RULES{
        {BY(trunc), P_ANY, again_inner},
        {BY(zext), P_ANY, trunc_of_ext},
        {BY(sext), P_ANY, trunc_of_ext},
        {BY(and), P_ANY, trunc_of_and},
        LAST},
    [IRO_select] = RULES{{P_ANY, P_ANY, fold_select_simple}, LAST},
    [IRO_eq] = RULES{
        {P_ANY, P_SAME, one},
        {BY(sub), P_ZERO, fold_compare_inner},
        {BY(xor), P_ZERO, fold_compare_inner},
        {BY(add), P_CONST, fold_compare_without_add},
        {BY(zext), P_CONST, fold_compare_narrow},
        {P_ANY, P_CONST, fold_compare_bit},
        {BY(shl), P_ANY, fold_compare_shifted},
        {P_ANY, BY(shl), fold_compare_shifted},
        LAST},
    [IRO_ne] = RULES{
        {P_ANY, P_SAME, zero},
        {BY(sub), P_ZERO, fold_compare_inner},
        {BY(xor), P_ZERO, fold_compare_inner},
        {BY(add), P_CONST, fold_compare_without_add},
        {BY(zext), P_CONST, fold_compare_narrow},
        {P_ANY, P_CONST, fold_compare_bit},
        {BY(shl), P_ANY, fold_compare_shifted},
        {P_ANY, BY(shl), fold_compare_shifted},
        LAST},
    [IRO_ult] = RULES{
        {P_ANY, P_SAME, zero},
        {P_ANY, P_ZERO, zero},
        {BY(shl), P_ANY, fold_compare_shifted},
        {P_ANY, BY(shl), fold_compare_shifted},
        LAST},
    [IRO_ule] = RULES{
        {P_ANY, P_SAME, one},
        {P_ZERO, P_ANY, one},
        {P_ANY, P_ONES, one},
        {BY(shl), P_ANY, fold_compare_shifted},
        {P_ANY, BY(shl), fold_compare_shifted},
        LAST},
    [IRO_slt] = RULES{
        {P_ANY, P_SAME, zero},
        {BY(zext), P_ZERO, zero},
        LAST},
    [IRO_sle] = RULES{{P_ANY, P_SAME, one}, LAST},
    [IRO_add_v] = RULES{{P_ANY, P_ZERO, zero}, LAST},
    [IRO_sub_v] = RULES{
        {P_ANY, P_ZERO, zero},
        {P_ANY, P_SAME, zero},
        LAST},
    [IRO_adc_c] = RULES{{P_ANY, P_ANY, adc_c_known}, LAST},
    [IRO_adc_v] = RULES{{P_ANY, P_ANY, adc_v_known}, LAST},

    [IRO_fneg] = RULES{{BY(fneg), P_ANY, take_inner}, LAST},
    [IRO_fabs] = RULES{
        {BY(fabs), P_ANY, take_a},
        {BY(fneg), P_ANY, again_inner},
        LAST},
    [IRO_fbits] = RULES{
        {BY(fbits), P_ANY, fbits_of_fbits},
        {BY(vtof), P_ANY, fbits_of_vtof},
        LAST},
    [IRO_vfromf] = RULES{
        {BY(vtof), P_ANY, vfromf_of_vtof},
        {BY(fbits), P_ANY, vfromf_of_fbits},
        LAST},
    [IRO_vtof] = RULES{
        {BY(vfromf), P_ANY, vtof_of_vfromf},
        {BY(vfromi), P_ANY, vtof_of_vfromi},
        LAST},
    [IRO_vget] = RULES{
        {BY(vfromi), P_ANY, vget_of_scalar},
        {BY(vfromf), P_ANY, vget_of_scalar},
        {BY(vset), P_ANY, vget_of_vset},
        LAST},
    [IRO_vlow] = RULES{
        {BY(vlow), P_ANY, vlow_twice},
        {BY(vfromf), P_ANY, vlow_of_scalar},
        {BY(vfromi), P_ANY, vlow_of_scalar},
        {BY(vhigh), P_ANY, vlow_of_half},
        {BY(vxtn), P_ANY, vlow_of_half},
        {BY(vuqxtn), P_ANY, vlow_of_half},
        {BY(vsqxtn), P_ANY, vlow_of_half},
        {BY(vsqxtun), P_ANY, vlow_of_half},
        {BY(vfcvtn), P_ANY, vlow_of_half},
        LAST},

    [IRO_vand] = RULES{
        {P_ANY, P_ZERO, take_b},
        {P_ANY, P_ONES, take_a},
        {P_ANY, P_SAME, take_a},
        LAST},
    [IRO_vor] = RULES{
        {P_ANY, P_ZERO, take_a},
        {P_ANY, P_ONES, take_b},
        {P_ANY, P_SAME, take_a},
        LAST},
    [IRO_vxor] = RULES{
        {P_ANY, P_ZERO, take_a},
        {P_ANY, P_ONES, vnot_a},
        {P_ANY, P_SAME, zero},
        LAST},
    [IRO_vandn] = RULES{
        {P_ZERO, P_ANY, take_a},
        {P_ANY, P_ZERO, take_a},
        {P_ANY, P_ONES, zero},
        {P_ANY, P_SAME, zero},
        LAST},
    [IRO_vnot] = RULES{{BY(vnot), P_ANY, take_inner}, LAST},
    [IRO_vbsl] = RULES{{P_ANY, P_ANY, vbsl_same}, LAST},
    [IRO_vadd] = RULES{{P_ANY, P_ZERO, take_a}, LAST},
    [IRO_vsub] = RULES{
        {P_ANY, P_ZERO, take_a},
        {P_ANY, P_SAME, zero},
        LAST},
    [IRO_vshli] = RULES{{P_ANY, P_ANY, imm_zero_take_a}, LAST},
    [IRO_vushri] = RULES{{P_ANY, P_ANY, imm_zero_take_a}, LAST},
    [IRO_vsshri] = RULES{{P_ANY, P_ANY, imm_zero_take_a}, LAST},
    [IRO_vext] = RULES{{P_ANY, P_ANY, imm_zero_take_a}, LAST},
};

/* --- Applying them --- */

static bool commutes(unsigned op)
{
    switch (op) {
    case IRO_add: case IRO_mul: case IRO_umulh: case IRO_smulh: case IRO_adc: case IRO_and:
    case IRO_or: case IRO_xor: case IRO_eq: case IRO_ne: case IRO_add_v: case IRO_adc_c:
    case IRO_adc_v: case IRO_vand: case IRO_vor: case IRO_vxor: case IRO_vadd: case IRO_vmul:
    case IRO_vceq: case IRO_vtst:
        return true;
    }
    return false;
}

static bool constant_value(const struct ir *ir, uint32_t v)
{
    return ir->ops[v].op == IRO_const || ir->ops[v].op == IRO_vconst;
}

void ir_canonical(const struct ir *ir, struct ir_op *o)
{
    if (constant_value(ir, o->arg[0]) && !constant_value(ir, o->arg[1]) && commutes(o->op)) {
        uint32_t a = o->arg[0];

        o->arg[0] = o->arg[1];
        o->arg[1] = a;
    }
}

/* All operands constant: ask the evaluation function.  Not for floating point, whose results
 * depend on the rounding mode and whose flags must be raised when it runs. */
static uint32_t evaluate(struct ir *ir, const struct ir_op *o)
{
    const struct ir_info *info = &ir_info[o->op];
    struct ir_how how = {.op = o->op, .type = o->type, .lane = o->lane, .imm = o->imm};
    union ir_u a[3], r;

    if (info->effects != IR_PURE || !info->eval || !info->n_args ||
        !(ir_is_int(o->type) || o->type == IR_V128))
        return 0;
    for (unsigned i = 0; i < info->n_args; i++)
        if (!ir_value(ir, o->arg[i], &a[i]))
            return 0;
    how.arg_type = type_of(ir, o->arg[0]);
    info->eval(&r, a, &how, NULL);
    return o->type == IR_V128 ? ir_vconst(ir, r.d[0], r.d[1]).id : constant(ir, o->type, r.d[0]);
}

/* A first look at a pattern: can an operand made by @by match it? */
static inline bool may_match(unsigned pattern, unsigned by)
{
    return pattern == P_BY + by || pattern < P_CONST ||
           (pattern < P_BY && (by == IRO_const || by == IRO_vconst));
}

uint32_t ir_fold(struct ir *ir, const struct ir_op *o)
{
    const struct fold_rule *r = rules[o->op];
    uint32_t v = constant_value(ir, o->arg[0]) ? evaluate(ir, o) : 0;
    unsigned a, b;

    if (v || !r)
        return v;
    a = ir->ops[o->arg[0]].op;
    b = ir->ops[o->arg[1]].op;
    for (; !v && r->act; r++)
        if (may_match(r->a, a) && may_match(r->b, b) && matches(ir, o, r->a, o->arg[0]) &&
            matches(ir, o, r->b, o->arg[1]))
            v = r->act(ir, o);
    return v;
}
