/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Branches on conditions made of several comparisons: selects of one bit with a known arm, as a chain of
 * conditional compares makes them.  Each comparison jumps for itself, like && and || of C.
 */
#include "host/x86_64/emit.h"

bool x_tests_and(const struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *a = &ir->ops[o->arg[0]];
    uint64_t k;

    return (o->op == IRO_eq || o->op == IRO_ne || o->op == IRO_slt) && a->op == IRO_and && x_in_line(ir, a) &&
           (a->type == IR_I32 || a->type == IR_I64) && ir_const_of(ir, ir_root(ir, o->arg[1]), &k) && k == 0;
}

bool x_look_joined(const struct ir *ir, uint32_t v, struct x_joint *j)
{
    const struct ir_op *o = &ir->ops[v];
    uint64_t k;

    if (o->op != IRO_select || o->type != IR_I1)
        return false;
    j->when = ir_const_of(ir, ir_root(ir, o->arg[1]), &k);
    if (!j->when && !ir_const_of(ir, ir_root(ir, o->arg[2]), &k))
        return false;
    j->first = o->arg[0];
    j->rest = o->arg[j->when ? 2 : 1];
    j->known = k & 1;
    return true;
}

unsigned x_count_joined(const struct ir *ir, uint32_t v)
{
    struct x_joint j;

    v = ir_root(ir, v);
    if (ir->ops[v].op == IRO_not)
        return x_count_joined(ir, ir->ops[v].arg[0]);
    return x_look_joined(ir, v, &j) ? x_count_joined(ir, j.first) + x_count_joined(ir, j.rest) : 1;
}

static bool waits(const struct x64 *x, uint32_t v)
{
    return (x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG;
}

/* Through what only inverts; *@want follows. */
static uint32_t strip(const struct x64 *x, uint32_t v, bool *want)
{
    for (v = x_resolve(x, v); waits(x, v) && x->ir->ops[v].op == IRO_not; *want = !*want)
        v = x_resolve(x, x->ir->ops[v].arg[0]);
    return v;
}

bool x_joined(const struct x64 *x, uint32_t v)
{
    bool want = true;
    struct x_joint j;

    v = strip(x, v, &want);
    return waits(x, v) && x_look_joined(x->ir, v, &j);
}

static void fetch_operands(struct x64 *x, const struct ir_op *o)
{
    int32_t imm;

    if (x_tests_and(x->ir, o) && waits(x, o->arg[0]))
        o = &x->ir->ops[o->arg[0]];
    if (!x_imm(x, o->arg[0], &imm) || x_imm(x, o->arg[1], &imm))
        ra_use(x, o->arg[0]);
    if (!x_imm(x, o->arg[1], &imm))
        ra_use(x, o->arg[1]);
}

void x_fetch_joined(struct x64 *x, uint32_t v)
{
    const struct ir_op *o;
    struct x_joint j;
    bool want = true;

    v = strip(x, v, &want);
    o = &x->ir->ops[v];
    if (!waits(x, v)) {
        ra_use(x, v);
    } else if (x_look_joined(x->ir, v, &j)) {
        x_fetch_joined(x, j.first);
        x_fetch_joined(x, j.rest);
    } else {
        fetch_operands(x, o);
    }
}

bool x_whole_joined(const struct x64 *x, uint32_t v)
{
    const struct ir_op *o;
    struct x_joint j;
    bool want = true;

    v = strip(x, v, &want);
    o = &x->ir->ops[v];
    if (!waits(x, v))
        return true;
    if (x_look_joined(x->ir, v, &j))
        return x_whole_joined(x, j.first) && x_whole_joined(x, j.rest);
    return o->op >= IRO_eq && o->op <= IRO_sle;
}

void x_jump_joined(struct x64 *x, uint32_t v, bool want, struct x64_label *l)
{
    struct x_joint j;

    v = strip(x, v, &want);
    if (waits(x, v) && x_look_joined(x->ir, v, &j)) {
        struct x64_label past = { 0 };

        x_jump_joined(x, j.first, j.when, want == j.known ? l : &past);
        x_jump_joined(x, j.rest, want, l);
        x64_bind(&x->a, &past);
    } else {
        unsigned cc2;
        bool both;
        enum x64_cc cc = x_cond(x, v, &cc2, &both);

        x64_jcc(&x->a, want ? cc : cc ^ 1, l);
    }
}
