/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ir/build.h: conditions fold to one comparison, slots are followed, snapshots inherit state. */
#include "ir/build.h"
#include "tests/test.h"

enum { X0, X1, X2, N, Z, C, V };

static const struct ir_slot slots[] = {
    [X0] = {"x0", 0, IR_I64}, [X1] = {"x1", 8, IR_I64}, [X2] = {"x2", 16, IR_I64},
    [N] = {"n", 24, IR_I1},   [Z] = {"z", 25, IR_I1},   [C] = {"c", 26, IR_I1},
    [V] = {"v", 27, IR_I1},
};
static const struct ir_helper helpers[] = {{"plain", NULL, false}, {"full", NULL, true}};

static struct ir *one_block(uint64_t pc)
{
    struct ir *ir = ir_new(slots, 7, helpers, 2);

    ir_start_block(ir, ir_plan(ir, pc, 0));
    return ir;
}

struct flags {
    ir_val n, z, c, v;
};

static struct flags subs(struct ir *ir, ir_val a, ir_val b)
{
    ir_val zero = ir_const(ir, ir_type_of(ir, a), 0);

    return (struct flags){
        .n = ir_cmp(ir, IRO_slt, ir_sub(ir, a, b), zero),
        .z = ir_cmp(ir, IRO_eq, a, b),
        .c = ir_cmp(ir, IRO_ule, b, a),
        .v = ir_cmp(ir, IRO_sub_v, a, b),
    };
}

static struct flags fcmp(struct ir *ir, ir_val a, ir_val b)
{
    return (struct flags){
        .n = ir_cmp(ir, IRO_flt, a, b),
        .z = ir_cmp(ir, IRO_feq, a, b),
        .c = ir_not(ir, ir_cmp(ir, IRO_flt, a, b)),
        .v = ir_cmp(ir, IRO_fun, a, b),
    };
}

enum cond { LT, GE, GT, LE, HI, LS };

static ir_val condition(struct ir *ir, struct flags f, enum cond cond)
{
    ir_val lt = ir_xor(ir, f.n, f.v);

    switch (cond) {
    case LT: return lt;
    case GE: return ir_not(ir, lt);
    case GT: return ir_and(ir, ir_not(ir, f.z), ir_not(ir, lt));
    case LE: return ir_or(ir, f.z, lt);
    case HI: return ir_and(ir, f.c, ir_not(ir, f.z));
    default: return ir_or(ir, ir_not(ir, f.c), f.z);
    }
}

static bool is(struct ir *ir, ir_val got, enum ir_opcode op, ir_val a, ir_val b)
{
    const struct ir_op *o = &ir->ops[got.id];

    return both(both(CHECK_EQ(o->op, op), CHECK_EQ(o->arg[0], a.id)), CHECK_EQ(o->arg[1], b.id));
}

static void all_conditions(struct ir *ir, ir_val a, ir_val b)
{
    struct flags f = subs(ir, a, b);

    is(ir, condition(ir, f, LT), IRO_slt, a, b);
    is(ir, condition(ir, f, GE), IRO_sle, b, a);
    is(ir, condition(ir, f, GT), IRO_slt, b, a);
    is(ir, condition(ir, f, LE), IRO_sle, a, b);
    is(ir, condition(ir, f, HI), IRO_ult, b, a);
    is(ir, condition(ir, f, LS), IRO_ule, a, b);
}

TEST(build, conditions_after_a_subtraction_are_one_compare)
{
    struct ir *ir = one_block(0x1000);
    ir_val x = ir_get(ir, X0), y = ir_get(ir, X1);

    all_conditions(ir, x, y);
    all_conditions(ir, x, ir_const(ir, IR_I64, 5));
    all_conditions(ir, ir_add_imm(ir, x, 3), ir_const(ir, IR_I64, 5));
    all_conditions(ir, ir_conv(ir, IRO_trunc, IR_I32, x), ir_const(ir, IR_I32, 1u << 31));
    all_conditions(ir, ir_const(ir, IR_I64, 7), y);
    all_conditions(ir, ir_sub(ir, x, y), y);
    all_conditions(ir, ir_sub(ir, x, y), ir_const(ir, IR_I64, 9));
}

/* As x86's bytes: what is equal is asked of the operands, what is less of these shifted to the top. */
TEST(build, conditions_of_narrow_operands_are_one_compare)
{
    struct ir *ir = one_block(0x1000);
    ir_val v[2], top[2];

    for (unsigned k = 0; k < 2; k++) {
        v[k] = ir_and_imm(ir, ir_conv(ir, IRO_trunc, IR_I32, ir_get(ir, k ? X1 : X0)), 255);
        top[k] = ir_shift_imm(ir, IRO_shl, v[k], 24);
    }
    for (unsigned k = 0; k < 2; k++) {
        ir_val a = top[k], b = top[!k];
        struct flags f = subs(ir, a, b);

        f.z = ir_cmp(ir, IRO_eq, v[k], v[!k]);
        is(ir, condition(ir, f, GT), IRO_slt, b, a);
        is(ir, condition(ir, f, LE), IRO_sle, a, b);
    }
}

TEST(build, comparing_with_zero_needs_no_overflow)
{
    struct ir *ir = one_block(0x1000);
    ir_val x = ir_get(ir, X0), zero = ir_const(ir, IR_I64, 0);
    struct flags f = subs(ir, x, zero);

    is(ir, condition(ir, f, LT), IRO_slt, x, zero);
    is(ir, condition(ir, f, GT), IRO_slt, zero, x);
    is(ir, condition(ir, f, HI), IRO_ne, x, zero);
    is(ir, condition(ir, f, LS), IRO_eq, x, zero);
}

TEST(build, floating_point_conditions_are_one_compare)
{
    struct ir *ir = one_block(0x1000);
    ir_val a = ir_conv(ir, IRO_fbits, IR_F64, ir_get(ir, X0));
    ir_val b = ir_conv(ir, IRO_fbits, IR_F64, ir_get(ir, X1));
    struct flags f = fcmp(ir, a, b);

    is(ir, condition(ir, f, GT), IRO_flt, b, a);
    is(ir, condition(ir, f, GE), IRO_fle, b, a);
    is(ir, ir_not(ir, condition(ir, f, LT)), IRO_fle, b, a);
    is(ir, ir_not(ir, condition(ir, f, LE)), IRO_flt, b, a);
    is(ir, condition(ir, f, LS), IRO_fle, a, b);
    is(ir, ir_not(ir, condition(ir, f, HI)), IRO_fle, a, b);
}

TEST(build, a_conditional_compare_keeps_its_shape)
{
    struct ir *ir = one_block(0x1000);
    ir_val x = ir_get(ir, X0), y = ir_get(ir, X1);
    ir_val cond = ir_cmp(ir, IRO_eq, ir_get(ir, X2), x), no = ir_const(ir, IR_I1, 0);
    struct flags f = subs(ir, x, y);
    ir_val r;

    f.n = ir_select(ir, cond, f.n, no);
    f.z = ir_select(ir, cond, f.z, no);
    f.c = ir_select(ir, cond, f.c, no);
    f.v = ir_select(ir, cond, f.v, no);
    r = condition(ir, f, GT);
    CHECK_EQ(ir->ops[r.id].op, IRO_select);
    is(ir, (ir_val){ir->ops[r.id].arg[1]}, IRO_slt, y, x);
    CHECK_EQ(ir->ops[ir->ops[r.id].arg[2]].imm, 1);
}

TEST(build, constants_are_folded_by_evaluation)
{
    struct ir *ir = one_block(0x1000);
    ir_val x = ir_get(ir, X0), r;

    r = ir_bin(ir, IRO_sdiv, ir_const(ir, IR_I32, 0x80000000), ir_const(ir, IR_I32, -1ull));
    CHECK_EQ(ir->ops[r.id].imm, 0x80000000);
    r = ir_add_imm(ir, ir_add_imm(ir, x, 5), -5);
    CHECK_EQ(r.id, x.id);
    r = ir_shift_imm(ir, IRO_shr, ir_shift_imm(ir, IRO_shl, x, 56), 56);
    is(ir, r, IRO_and, x, ir_const(ir, IR_I64, 255));
    r = ir_conv(ir, IRO_trunc, IR_I8, ir_and_imm(ir, x, 0xfff));
    is(ir, r, IRO_trunc, x, IR_NONE);
    r = ir_v2(ir, IRO_vadd, 0, 0, ir_vconst(ir, 0xff, 1), ir_vconst(ir, 1, 1));
    CHECK_EQ(ir->ops[r.id].imm, 0);
    CHECK_EQ(ir->ops[r.id].arg[0], 2);
}

struct walked {
    unsigned n;
    uint32_t val[7];
};

static void note(void *opaque, uint32_t slot, uint32_t val)
{
    struct walked *w = opaque;

    w->n++;
    w->val[slot] = val;
}

static struct walked walk(struct ir *ir, uint32_t block)
{
    struct walked w = {0};

    ir_snap_walk(ir, &ir->snaps[ir->ops[ir->blocks[block].end - 1].snap], note, &w);
    return w;
}

TEST(build, exits_of_a_branch_carry_the_state_of_their_block)
{
    struct ir *ir = one_block(0x1000);
    ir_val x = ir_get(ir, X0), five = ir_const(ir, IR_I64, 5);

    ir_set(ir, X0, five);
    ir_set(ir, X1, x);
    ir_set(ir, X0, x); /* as in memory, but the walk need not know */
    ir_goto_if(ir, ir_cmp(ir, IRO_eq, x, five), 0x2000, 0x3000);
    CHECK(ir_ended(ir));
    ir_finish(ir);
    CHECK_EQ(ir->n_blocks, 3);
    CHECK(ir->blocks[1].exit_only && ir->blocks[2].exit_only);
    CHECK_EQ(ir->blocks[2].pc, 0x3000);
    CHECK_EQ(walk(ir, 1).n, 2);
    CHECK_EQ(walk(ir, 2).val[X1], x.id);
    CHECK(ir->promoted);
    CHECK_EQ(ir->blocks[2].n_preds, 1);
}

TEST(build, a_full_call_makes_memory_current)
{
    struct ir *ir = one_block(0x1000);
    ir_val x = ir_get(ir, X0), y;

    ir_set(ir, X0, ir_add_imm(ir, x, 1));
    ir_call(ir, 1, IR_NONE, IR_NONE, IR_NONE);
    y = ir_get(ir, X0);
    CHECK(x.id != y.id);
    ir_set(ir, X1, y);
    ir_goto(ir, 0x2000);
    ir_finish(ir);
    CHECK_EQ(walk(ir, 0).n, 1);
    CHECK_EQ(walk(ir, 0).val[X1], y.id);
    CHECK(ir->blocks[0].full_call);
}

TEST(build, a_loop_polls_on_its_way_back_and_gets_an_entry)
{
    struct ir *ir = ir_new(slots, 7, helpers, 2);
    uint32_t loop = ir_plan(ir, 0x1000, 9), after = ir_plan(ir, 0x1010, 1);

    ir_start_block(ir, loop);
    ir_at(ir, 0x100c);
    ir_goto_if(ir, ir_cmp(ir, IRO_ne, ir_get(ir, X0), ir_get(ir, X1)), 0x1000, 0x1010);
    ir_start_block(ir, after);
    ir_goto(ir, 0x5000);
    ir_finish(ir);
    CHECK_EQ(ir->n_blocks, 4); /* entry, loop, poll, after */
    CHECK_EQ(ir->blocks[1].heat, 9);
    CHECK(ir->blocks[1].loop_head);
    CHECK_EQ(ir->blocks[1].n_preds, 2);
    CHECK_EQ(ir->blocks[1].depth, 1);
    CHECK_EQ(ir->blocks[2].depth, 1);
    CHECK_EQ(ir->blocks[2].pred, 2);
    CHECK_EQ(ir->ops[ir->blocks[2].first].op, IRO_poll);
    CHECK_EQ(ir->blocks[3].depth, 0);
    CHECK(!ir->promoted);
}

/* 0x1000 calls 0x2000, which calls 0x3000, which returns or goes to 0x9000; both are part of the region. */
TEST(build, ways_out_of_callees_tell_of_the_calls_the_outermost_first)
{
    struct ir *ir = ir_new(slots, 7, helpers, 2);
    uint32_t outer, inner, head, callee, deep, back, end, told = 0, ops[4] = {0};

    outer = ir_frame(ir, 0, 0x1004);
    inner = ir_frame(ir, outer, 0x2004);
    head = ir_plan(ir, 0x1000, 0);
    callee = ir_plan_in(ir, 0x2000, 0, outer);
    deep = ir_plan_in(ir, 0x3000, 0, inner);
    back = ir_plan_in(ir, 0x2004, 0, outer);
    end = ir_plan(ir, 0x1004, 0);
    ir_start_block(ir, head);
    ir_goto_call(ir, 0x2000, 0x1004);
    ir_start_block(ir, callee);
    ir_goto_call(ir, 0x3000, 0x2004);
    ir_start_block(ir, deep);
    ir_goto_if(ir, ir_cmp(ir, IRO_eq, ir_get(ir, X0), ir_get(ir, X1)), 0x9000, 0x3004);
    ir_start_block(ir, back);
    ir_goto_ind(ir, ir_get(ir, X0), IR_EXIT_RET, 0);
    ir_start_block(ir, end);
    ir_goto(ir, 0x5000); /* of the region's own code: nothing to tell */
    ir_finish(ir);
    for (uint32_t v = 1; v < ir->n_ops && told < 4; v++)
        if (ir->ops[v].op == IRO_called)
            ops[told++] = v;
    CHECK_EQ(told, 4); /* two ways out of the inner one */
    CHECK_EQ(ir->ops[ops[0]].imm, 0x1004);
    CHECK_EQ(ir->ops[ops[1]].imm, 0x2004);
    CHECK_EQ(ir->ops[ops[1] + 1].op, IRO_exit);
    CHECK_EQ(ir->ops[ops[2]].imm, 0x1004);
    CHECK_EQ(ir->ops[ops[3]].imm, 0x2004);
}

TEST(build, a_check_that_never_leaves_is_not_made)
{
    struct ir *ir = one_block(0x1000);
    const struct ir_op *o;

    ir_check(ir, ir_const(ir, IR_I1, 0), 3, 0x44);
    CHECK_EQ(ir->n_ops, 2);
    ir_check(ir, ir_cmp(ir, IRO_eq, ir_get(ir, X0), ir_get(ir, X1)), 3, 0x44);
    o = &ir->ops[ir->n_ops - 1];
    CHECK_EQ(o->op, IRO_check);
    CHECK_EQ(o->arg[1], 3);
    CHECK_EQ(o->imm, 0x44);
    CHECK(o->snap);
}

static const struct test tests[] = {
    CASE(build, conditions_after_a_subtraction_are_one_compare),
    CASE(build, conditions_of_narrow_operands_are_one_compare),
    CASE(build, comparing_with_zero_needs_no_overflow),
    CASE(build, floating_point_conditions_are_one_compare),
    CASE(build, a_conditional_compare_keeps_its_shape),
    CASE(build, constants_are_folded_by_evaluation),
    CASE(build, exits_of_a_branch_carry_the_state_of_their_block),
    CASE(build, a_full_call_makes_memory_current),
    CASE(build, a_loop_polls_on_its_way_back_and_gets_an_entry),
    CASE(build, ways_out_of_callees_tell_of_the_calls_the_outermost_first),
    CASE(build, a_check_that_never_leaves_is_not_made),
};
TEST_MAIN(tests)
