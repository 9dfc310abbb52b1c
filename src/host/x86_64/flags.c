/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Guest condition flags on the way out.  Most come from one subtraction, addition or test that nobody has
 * done yet: one host instruction sets all of them, and each is stored from there.
 */
#include "host/x86_64/emit.h"

/* What the host's flags are to come from: a - b, a + b, or a - 0. */
struct source {
    uint16_t op; /* IRO_sub, IRO_add */
    uint32_t a, b; /* b 0: nothing */
};

enum { NO_CC = 16 };

/* Is @v the result that @s is about? */
static bool is_result(const struct x64 *x, const struct source *s, uint32_t v)
{
    const struct ir_op *o = &x->ir->ops[v];
    uint64_t k, n;

    if (!s->b)
        return v == s->a;
    if (o->op == s->op && o->arg[0] == s->a && o->arg[1] == s->b)
        return true;
    return s->op == IRO_sub && o->op == IRO_add && o->arg[0] == s->a && ir_const_of(x->ir, s->b, &k) &&
           ir_const_of(x->ir, o->arg[1], &n) && ((k + n) & ir_mask(o->type)) == 0;
}

static bool is_zero(const struct x64 *x, uint32_t v)
{
    uint64_t k;

    return ir_const_of(x->ir, v, &k) && k == 0;
}

/* Are these constants that add up to zero? */
static bool opposite(const struct x64 *x, uint32_t a, uint32_t b)
{
    uint64_t k, n;

    return a && ir_const_of(x->ir, a, &k) && ir_const_of(x->ir, b, &n) && ((k + n) & ir_mask(x->ir->ops[a].type)) == 0;
}

/* The condition under which flag @o is set, or NO_CC when it is about something else. */
static unsigned condition(const struct x64 *x, const struct source *s, const struct ir_op *o)
{
    static const uint8_t less[] = {
        [IRO_eq - IRO_eq] = CC_E, [IRO_ne - IRO_eq] = CC_NE, [IRO_ult - IRO_eq] = CC_B,
        [IRO_ule - IRO_eq] = CC_BE, [IRO_slt - IRO_eq] = CC_L, [IRO_sle - IRO_eq] = CC_LE,
    };
    static const uint8_t more[] = {
        [IRO_eq - IRO_eq] = CC_E, [IRO_ne - IRO_eq] = CC_NE, [IRO_ult - IRO_eq] = CC_A,
        [IRO_ule - IRO_eq] = CC_AE, [IRO_slt - IRO_eq] = CC_G, [IRO_sle - IRO_eq] = CC_GE,
    };

    if (o->op == (s->op == IRO_sub ? IRO_sub_v : IRO_add_v) && s->b)
        return o->arg[0] == s->a && o->arg[1] == s->b ? CC_O : NO_CC;
    if (o->op < IRO_eq || o->op > IRO_sle || !x_in_line(x->ir, o))
        return NO_CC;
    if (is_zero(x, o->arg[1]) && is_result(x, s, o->arg[0]))
        return o->op == IRO_slt ? CC_S : o->op == IRO_eq ? CC_E : o->op == IRO_ne ? CC_NE : NO_CC;
    if (s->op == IRO_add && (o->op == IRO_eq || o->op == IRO_ne) && o->arg[0] == s->a && opposite(x, s->b, o->arg[1]))
        return o->op == IRO_eq ? CC_E : CC_NE; /* a is -b: the sum is zero */
    if (s->op == IRO_add) /* the sum is below an operand when it carries */
        return o->op == IRO_ult && is_result(x, s, o->arg[0]) && (o->arg[1] == s->a || o->arg[1] == s->b) ?
                   CC_B : NO_CC;
    if (s->b && o->arg[0] == s->a && o->arg[1] == s->b)
        return less[o->op - IRO_eq];
    if (s->b && o->arg[0] == s->b && o->arg[1] == s->a)
        return more[o->op - IRO_eq];
    return NO_CC;
}

static const struct ir_op *waiting(const struct x64 *x, const struct xpair *p)
{
    uint32_t v = x_resolve(x, p->val);

    return (x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG && x->ir->ops[v].type == IR_I1 ?
               &x->ir->ops[v] : NULL;
}

/* Overflow tells what was computed; else compares with zero share a test. */
static bool find_source(const struct x64 *x, const struct xpair *p, uint32_t n, struct source *s)
{
    const struct ir_op *test = NULL, *o;

    for (uint32_t i = 0; i < n; i++) {
        if (!(o = waiting(x, &p[i])) || !x_in_line(x->ir, o))
            continue;
        if (o->op == IRO_sub_v || o->op == IRO_add_v) {
            *s = (struct source){ o->op == IRO_sub_v ? IRO_sub : IRO_add, o->arg[0], o->arg[1] };
            return true;
        }
        if ((o->op == IRO_eq || o->op == IRO_slt) && is_zero(x, o->arg[1]))
            test = o;
    }
    if (test)
        *s = (struct source){ IRO_sub, test->arg[0], 0 };
    return test;
}

static void emit_source(struct x64 *x, const struct source *s)
{
    unsigned size = x_size(x->ir->ops[s->a].type), a = ra_use(x, s->a), b = a;
    int32_t imm;
    bool known = s->b && x_imm(x, s->b, &imm);

    if (s->b && !known)
        b = ra_use(x, s->b);
    if (s->op == IRO_add) {
        x64_mov_rr(&x->a, size, X_SCRATCH, a);
        a = X_SCRATCH;
    }
    if (known)
        x64_alu_ri(&x->a, s->op == IRO_sub ? ALU_CMP : ALU_ADD, size, a, imm);
    else if (s->b)
        x64_alu_rr(&x->a, s->op == IRO_sub ? ALU_CMP : ALU_ADD, size, a, b);
    else
        x64_test_rr(&x->a, size, a, a);
}

static void fetch_source(struct x64 *x, const struct source *s)
{
    int32_t imm;

    ra_use(x, s->a);
    if (s->b && !x_imm(x, s->b, &imm))
        ra_use(x, s->b);
}

/* Stores those of the pairs that @s tells; the bits of these. */
static uint64_t store_told(struct x64 *x, const struct source *s, const struct xpair *p, uint32_t n)
{
    uint64_t done = 0;

    for (uint32_t i = 0; i < n; i++) {
        const struct ir_op *o = waiting(x, &p[i]);
        unsigned cc = o ? condition(x, s, o) : NO_CC;

        if (cc == NO_CC)
            continue;
        x64_setcc_m(&x->a, cc, x_cpu(x, x->ir->slots[p[i].slot].off));
        done |= 1ull << i;
    }
    return done;
}

/* --- After a conditional compare: all flags from it, or all known --- */

struct after {
    struct x_joint j;
    struct xpair rest[4];
    bool known[4];
    unsigned n;
    uint64_t bits; /* of the pairs */
};

static bool find_after(const struct x64 *x, const struct xpair *p, uint32_t n, struct after *f)
{
    *f = (struct after){ 0 };
    for (uint32_t i = 0; i < n && f->n < 4; i++) {
        const struct ir_op *o = waiting(x, &p[i]);
        struct x_joint j;

        if (!o || !x_look_joined(x->ir, (uint32_t)(o - x->ir->ops), &j) ||
            (f->n && (j.first != f->j.first || j.when != f->j.when)))
            continue;
        f->j = j;
        f->rest[f->n] = (struct xpair){ p[i].slot, j.rest };
        f->known[f->n++] = j.known;
        f->bits |= 1ull << i;
    }
    return f->n > 1 && x_whole_joined(x, f->j.first);
}

static void store_known(struct x64 *x, const struct after *f)
{
    const struct ir_slot *slots = x->ir->slots;
    uint32_t off = slots[f->rest[0].slot].off, all = 0, bytes = 0;

    for (unsigned i = 0; i < f->n; i++) {
        uint32_t at = slots[f->rest[i].slot].off - off;

        if (at < 4) {
            all |= (uint32_t)f->known[i] << (8 * at);
            bytes |= 1u << at;
        }
    }
    if (bytes == 15) {
        x64_store_imm(&x->a, 4, x_cpu(x, off), (int32_t)all);
        return;
    }
    for (unsigned i = 0; i < f->n; i++)
        x64_store_imm(&x->a, 1, x_cpu(x, slots[f->rest[i].slot].off), f->known[i]);
}

static uint64_t store_after(struct x64 *x, const struct xpair *p, uint32_t n)
{
    struct x64_label known = { 0 }, end = { 0 };
    struct source s;
    struct after f;

    if (!find_after(x, p, n, &f) || !find_source(x, f.rest, f.n, &s))
        return 0;
    for (unsigned i = 0; i < f.n; i++) {
        const struct ir_op *o = waiting(x, &f.rest[i]);

        if (!o || condition(x, &s, o) == NO_CC)
            return 0;
    }
    x_fetch_joined(x, f.j.first);
    fetch_source(x, &s);
    x_jump_joined(x, f.j.first, f.j.when, &known);
    emit_source(x, &s);
    store_told(x, &s, f.rest, f.n);
    x64_jmp(&x->a, &end);
    x64_bind(&x->a, &known);
    store_known(x, &f);
    x64_bind(&x->a, &end);
    return f.bits;
}

uint64_t x_store_flags(struct x64 *x, const struct xpair *p, uint32_t n)
{
    struct source s;
    uint64_t done;

    if (n > 64)
        return 0;
    x->pinned = 0;
    done = store_after(x, p, n);
    if (!done && find_source(x, p, n, &s)) {
        emit_source(x, &s);
        done = store_told(x, &s, p, n);
    }
    x->pinned = 0;
    return done;
}
