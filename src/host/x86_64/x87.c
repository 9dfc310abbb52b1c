/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Helpers of ir/x87.h in line, on this host's own x87 unit (SDM 1, chapter 8; SDM 2).  Its stack is empty between operations, its control
 * word the initial one, and its exception flags are sticky.  Registers of the guest are read from memory and written there.
 */
#include "host/x86_64/emit.h"

enum { BT = 0xa3, BTS = 0xab, BTR = 0xb3 };
enum { C1_HIGH = 2, CC = 0x4700, CC_COMPARED = 0x4500, EXCEPTIONS = 0x3f };

/* One call in line. */
struct inl {
    struct x64 *x;
    const struct ir_op *o;
    const struct ir_x87 *u;
    unsigned i, j, t; /* physical registers' numbers: ST(0), or what is pushed, and another; a temporary */
    unsigned d;       /* the result or NOREG */
    uint8_t src[3];   /* operands that are no constants, or NOREG */
    uint32_t slow, slow_drop; /* stubs + 1 */
};

static bool constant(const struct x64 *x, const struct ir_op *o, unsigned k, uint64_t *v)
{
    const struct ir_op *a = &x->ir->ops[ir_root(x->ir, o->arg[k])];

    if (o->arg[k] && a->op != IRO_const)
        return false;
    *v = o->arg[k] ? a->imm : 0;
    return true;
}

static struct x64_mem at(const struct inl *q, uint32_t off)
{
    return x_cpu(q->x, off);
}

static struct x64_mem temp(const struct inl *q)
{
    return x_cpu(q->x, q->x->lay->scratch + 48);
}

/* --- When it is not usual --- */

/* To the helper on @cc; @drop: with one value on the host's stack. */
static void unless(struct inl *q, enum x64_cc cc, bool drop)
{
    uint32_t *n = drop ? &q->slow_drop : &q->slow;

    if (!*n) {
        struct xstub *s = x_stub(q->x);

        s->kind = STUB_KEEP;
        s->op = (uint32_t)(q->o - q->x->ir->ops);
        s->dst = (uint8_t)q->d;
        for (unsigned k = 0; k < 3; k++)
            s->src[k] = q->src[k];
        s->drop = drop;
        *n = (uint32_t)(s - q->x->stub) + 1;
    }
    x64_jcc(&q->x->a, cc, &q->x->stub[*n - 1].label);
}

void x_x87_stub(struct x64 *x, uint32_t i)
{
    struct xstub s = x->stub[i];
    const struct ir_op *o = &x->ir->ops[s.op];

    if (s.drop)
        x64_x87_r(&x->a, 0xdd, 0xd8); /* fstp st(0) */
    for (unsigned k = 0; k < 3; k++) {
        struct x64_mem m = x_cpu(x, x->lay->scratch + 16 * k);
        uint64_t v;

        if (s.src[k] != NOREG)
            x64_store(&x->a, 8, m, s.src[k]);
        else if (constant(x, o, k, &v) && v == (uint32_t)v)
            x64_store_imm(&x->a, 8, m, (int32_t)v);
    }
    x64_load(&x->a, 8, X_SCRATCH, x_cpu(x, x->lay->helpers));
    x64_load(&x->a, 8, X_SCRATCH, x64_at(X_SCRATCH, (int32_t)(o->imm * sizeof(struct ir_helper) + offsetof(struct ir_helper, fn))));
    x64_call_m(&x->a, x_cpu(x, x->lay->entry_points + HOST_EP_KEEP * 8));
    if (s.dst != NOREG)
        x64_load(&x->a, 8, s.dst, x_cpu(x, x->lay->scratch + 48));
    x64_jmp(&x->a, &x->stub[i].back);
}

static void usual_control(struct inl *q)
{
    x64_load(&q->x->a, 2, X_SCRATCH, at(q, q->u->fcw));
    x64_alu_ri(&q->x->a, ALU_CMP, 4, X_SCRATCH, IR_X87_USUAL);
    unless(q, CC_NE, false);
}

/* Behind an operation, in eax: exceptions are those that the guest has; C1. */
static void status(struct inl *q, bool drop)
{
    struct x64_asm *a = &q->x->a;

    x64_x87_r(a, 0xdf, 0xe0); /* fnstsw ax */
    x64_alu_ri(a, ALU_AND, 4, RAX, C1_HIGH << 8 | EXCEPTIONS);
    x64_alu_rm(a, ALU_OR, 1, RAX, at(q, q->u->fsw));
    x64_alu_rm(a, ALU_CMP, 1, RAX, at(q, q->u->fsw));
    unless(q, CC_NE, drop);
    x64_load(a, 1, q->t, at(q, q->u->fsw + 1));
    x64_alu_ri(a, ALU_AND, 4, q->t, ~C1_HIGH);
    x64_shift_ri(a, SH_SHR, 4, RAX, 8);
    x64_alu_rr(a, ALU_OR, 4, RAX, q->t);
    x64_store(a, 1, at(q, q->u->fsw + 1), RAX);
}

static void clear_c1(struct inl *q)
{
    x64_alu_mi(&q->x->a, ALU_AND, 1, at(q, q->u->fsw + 1), (int8_t)~C1_HIGH);
}

/* --- The guest's stack --- */

static void top(struct inl *q)
{
    x64_load(&q->x->a, 1, q->i, at(q, q->u->top));
}

static void step(struct inl *q, unsigned d, unsigned s, unsigned by)
{
    x64_lea(&q->x->a, 4, d, x64_at(s, (int32_t)by));
    x64_alu_ri(&q->x->a, ALU_AND, 4, d, 7);
}

/* Register @r is full, or with @cc CC_B empty. */
static void look(struct inl *q, unsigned r, enum x64_cc cc)
{
    x64_load(&q->x->a, 1, RAX, at(q, q->u->full));
    x64_bit_rr(&q->x->a, BT, RAX, r);
    unless(q, cc, false);
}

static void mark(struct inl *q, unsigned how, unsigned r)
{
    x64_load(&q->x->a, 1, RAX, at(q, q->u->full));
    x64_bit_rr(&q->x->a, how, RAX, r);
    x64_store(&q->x->a, 1, at(q, q->u->full), RAX);
}

/* From a number to what reg_of() wants: twice that. */
static void scale(struct inl *q, unsigned r)
{
    x64_alu_rr(&q->x->a, ALU_ADD, 4, r, r);
}

static struct x64_mem reg_of(const struct inl *q, unsigned r)
{
    struct x64_mem m = at(q, q->u->reg);

    m.index = (uint8_t)r;
    m.scale = 3;
    return m;
}

static void fld(struct inl *q, unsigned r)
{
    x64_x87_m(&q->x->a, 0xdb, 5, reg_of(q, r));
}

static void fstp(struct inl *q, unsigned r)
{
    x64_x87_m(&q->x->a, 0xdb, 7, reg_of(q, r));
}

/* Register @r of scaled number: its mantissa, or sign and exponent. */
static struct x64_mem part_of(const struct inl *q, unsigned r, bool mantissa)
{
    struct x64_mem m = reg_of(q, r);

    m.disp += mantissa ? 0 : 8;
    return m;
}

/* Moves from register to register go in parts: through the unit they take several times as long. */
static void move(struct inl *q, unsigned to, unsigned from)
{
    for (unsigned k = 0; k < 2; k++) {
        x64_load(&q->x->a, k ? 2 : 8, RAX, part_of(q, from, !k));
        x64_store(&q->x->a, k ? 2 : 8, part_of(q, to, !k), RAX);
    }
}

/* ST(0), and with @other ST(@n), are full; their numbers. */
static void operands(struct inl *q, bool other, unsigned n)
{
    usual_control(q);
    top(q);
    look(q, q->i, CC_AE);
    if (!other)
        return;
    step(q, q->j, q->i, n);
    if (n)
        look(q, q->j, CC_AE);
}

/* There is room; q->i is where. */
static void room(struct inl *q)
{
    usual_control(q);
    top(q);
    step(q, q->i, q->i, 7);
    look(q, q->i, CC_B);
}

/* Register q->i is the new top; scaled. */
static void new_top(struct inl *q)
{
    mark(q, BTS, q->i);
    x64_store(&q->x->a, 1, at(q, q->u->top), q->i);
    scale(q, q->i);
}

/* What is on the host's stack becomes the new top. */
static void push(struct inl *q)
{
    new_top(q);
    fstp(q, q->i);
}

static void pop(struct inl *q)
{
    top(q);
    mark(q, BTR, q->i);
    step(q, q->i, q->i, 1);
    x64_store(&q->x->a, 1, at(q, q->u->top), q->i);
}

/* --- Kinds --- */

/* Opcode and extension of FLD and FILD, FSTP and FISTP, FISTTP of each type. */
static const uint8_t loads[][2] = { { 0xd9, 0 }, { 0xdb, 0 }, { 0xdd, 0 }, { 0xdf, 0 }, { 0xdf, 5 } };
static const uint8_t stores[][2] = { { 0xd9, 3 }, { 0xdb, 3 }, { 0xdd, 3 }, { 0xdf, 3 }, { 0xdf, 7 } };
static const uint8_t truncs[][2] = { { 0, 0 }, { 0xdb, 1 }, { 0, 0 }, { 0xdf, 1 }, { 0xdd, 1 } };
static const uint8_t sizes[] = { 4, 4, 8, 2, 8 };

static bool is_float(uint64_t type)
{
    return type == X87_M32 || type == X87_M64;
}

static void load(struct inl *q, uint64_t type)
{
    room(q);
    x64_store(&q->x->a, 8, temp(q), q->src[1]);
    x64_x87_m(&q->x->a, loads[type][0], loads[type][1], temp(q));
    if (is_float(type))
        status(q, true);
    else
        clear_c1(q);
    push(q);
}

static void load80(struct inl *q)
{
    room(q);
    clear_c1(q);
    new_top(q);
    x64_store(&q->x->a, 8, part_of(q, q->i, true), q->src[0]);
    x64_store(&q->x->a, 2, part_of(q, q->i, false), q->src[1]);
}

static void push_copy(struct inl *q, unsigned n)
{
    operands(q, true, n);
    step(q, q->i, q->i, 7);
    look(q, q->i, CC_B);
    clear_c1(q);
    new_top(q);
    scale(q, q->j);
    move(q, q->i, q->j);
}

static void push_constant(struct inl *q, unsigned n)
{
    room(q);
    clear_c1(q);
    x64_x87_r(&q->x->a, 0xd9, 0xe8 + n);
    push(q);
}

static void store(struct inl *q, uint64_t type, bool trunc)
{
    const uint8_t *how = trunc ? truncs[type] : stores[type];

    operands(q, false, 0);
    scale(q, q->i);
    fld(q, q->i);
    x64_x87_m(&q->x->a, how[0], how[1], temp(q));
    status(q, false);
    if (q->d != NOREG)
        x64_load(&q->x->a, sizes[type], q->d, temp(q));
}

static void store80(struct inl *q)
{
    operands(q, false, 0);
    clear_c1(q);
    scale(q, q->i);
    if (q->d != NOREG)
        x64_load(&q->x->a, 8, q->d, part_of(q, q->i, true));
    x64_load(&q->x->a, 2, RAX, part_of(q, q->i, false));
    x64_store(&q->x->a, 8, at(q, q->u->high), RAX);
}

static void copy(struct inl *q, unsigned n, bool pops)
{
    usual_control(q);
    top(q);
    look(q, q->i, CC_AE);
    step(q, q->j, q->i, n);
    clear_c1(q);
    mark(q, BTS, q->j);
    scale(q, q->i);
    scale(q, q->j);
    move(q, q->j, q->i);
    if (pops)
        pop(q);
}

static void arith(struct inl *q, unsigned op, unsigned n, unsigned how)
{
    operands(q, true, n);
    scale(q, q->i);
    scale(q, q->j);
    fld(q, q->i);
    fld(q, q->j);
    /* FADDP and its kin: ST(1), which is a, op ST(0) */
    x64_x87_r(&q->x->a, 0xde, 0xc1 + 8 * (op < X87_SUB ? op : op ^ 1u));
    status(q, true);
    fstp(q, how & X87_TO_I ? q->j : q->i);
    if (how & X87_POP)
        pop(q);
}

static void arith_m(struct inl *q, unsigned op, uint64_t type)
{
    operands(q, false, 0);
    x64_store(&q->x->a, 8, temp(q), q->src[2]);
    scale(q, q->i);
    fld(q, q->i);
    x64_x87_m(&q->x->a, 0xd8 + 2 * (unsigned)type, op, temp(q));
    status(q, true);
    fstp(q, q->i);
}

/* Behind a comparison: C3, C2 and C0 to where they are wanted. */
static void compared(struct inl *q, unsigned how)
{
    struct x64_asm *a = &q->x->a;

    x64_x87_r(a, 0xdf, 0xe0); /* fnstsw ax */
    x64_mov_rr(a, 4, q->t, RAX);
    x64_alu_ri(a, ALU_AND, 4, RAX, EXCEPTIONS);
    x64_alu_rm(a, ALU_OR, 1, RAX, at(q, q->u->fsw));
    x64_alu_rm(a, ALU_CMP, 1, RAX, at(q, q->u->fsw));
    unless(q, CC_NE, false);
    if (!(how & X87_TO_FLAGS)) {
        x64_load(a, 2, RAX, at(q, q->u->fsw));
        x64_alu_ri(a, ALU_AND, 4, RAX, ~CC);
        x64_alu_ri(a, ALU_AND, 4, q->t, CC_COMPARED);
        x64_alu_rr(a, ALU_OR, 4, RAX, q->t);
        x64_store(a, 2, at(q, q->u->fsw), RAX);
    }
    if (q->d != NOREG) {
        x64_mov_rr(a, 4, q->d, q->t);
        x64_shift_ri(a, SH_SHR, 4, q->d, 8);
        x64_alu_ri(a, ALU_AND, 4, q->d, CC_COMPARED >> 8);
    }
    if (how & (X87_POP | X87_POP2))
        pop(q);
    if (how & X87_POP2)
        pop(q);
}

static void compare(struct inl *q, unsigned op, unsigned n, unsigned how)
{
    operands(q, op != X87_TST, n);
    if (op == X87_TST) {
        x64_x87_r(&q->x->a, 0xd9, 0xee); /* fldz */
    } else {
        scale(q, q->j);
        fld(q, q->j);
    }
    scale(q, q->i);
    fld(q, q->i);
    if (op == X87_UCOM)
        x64_x87_r(&q->x->a, 0xda, 0xe9); /* fucompp */
    else
        x64_x87_r(&q->x->a, 0xde, 0xd9); /* fcompp */
    compared(q, how);
}

static void compare_m(struct inl *q, unsigned op, uint64_t type)
{
    operands(q, false, 0);
    x64_store(&q->x->a, 8, temp(q), q->src[2]);
    scale(q, q->i);
    fld(q, q->i);
    x64_x87_m(&q->x->a, 0xd8 + 2 * (unsigned)type, X87_COMP, temp(q));
    compared(q, op == X87_COMP ? X87_POP : 0);
}

static void sign(struct inl *q, bool negate)
{
    struct x64_mem m;

    operands(q, false, 0);
    clear_c1(q);
    scale(q, q->i);
    m = reg_of(q, q->i);
    m.disp += 9;
    if (negate)
        x64_alu_mi(&q->x->a, ALU_XOR, 1, m, -0x80);
    else
        x64_alu_mi(&q->x->a, ALU_AND, 1, m, 0x7f);
}

static void exchange(struct inl *q, unsigned n)
{
    operands(q, true, n);
    clear_c1(q);
    scale(q, q->i);
    scale(q, q->j);
    for (unsigned k = 0; k < 2; k++) {
        x64_load(&q->x->a, k ? 2 : 8, RAX, part_of(q, q->i, !k));
        x64_load(&q->x->a, k ? 2 : 8, q->t, part_of(q, q->j, !k));
        x64_store(&q->x->a, k ? 2 : 8, part_of(q, q->i, !k), q->t);
        x64_store(&q->x->a, k ? 2 : 8, part_of(q, q->j, !k), RAX);
    }
}

static void function(struct inl *q, unsigned op)
{
    operands(q, false, 0);
    scale(q, q->i);
    fld(q, q->i);
    x64_x87_r(&q->x->a, 0xd9, 0xf0 + op - X87_F2XM1);
    status(q, true);
    fstp(q, q->i);
}

static void get_status(struct inl *q)
{
    if (q->d == NOREG)
        return;
    x64_load(&q->x->a, 1, RAX, at(q, q->u->top));
    x64_shift_ri(&q->x->a, SH_SHL, 4, RAX, 11);
    x64_load(&q->x->a, 2, q->d, at(q, q->u->fsw));
    x64_alu_rr(&q->x->a, ALU_OR, 4, q->d, RAX);
}

static void get(struct inl *q, unsigned size, uint32_t off)
{
    if (q->d != NOREG)
        x64_load(&q->x->a, size, q->d, at(q, off));
}

/* --- Which are done --- */

/* Bit k: operand k is no constant. */
static unsigned variable(enum ir_x87_kind kind)
{
    switch (kind) {
    case IR_X87_LOAD: return 2;
    case IR_X87_LOAD80: return 3;
    case IR_X87_ARITH_M: case IR_X87_COMPARE_M: return 4;
    default: return 0;
    }
}

/* With these constants? */
static bool is_usual(enum ir_x87_kind kind, const uint64_t c[3])
{
    unsigned op = X87_F2XM1 + (unsigned)c[0];

    switch (kind) {
    case IR_X87_NONE:
        return false;
    case IR_X87_LOAD: case IR_X87_STORE:
        return c[0] < X87_BCD && !(kind == IR_X87_STORE && c[1] && is_float(c[0]));
    case IR_X87_CONST:
        return c[0] < 7;
    case IR_X87_FUNCTION:
        return op == X87_FSQRT || op == X87_FRNDINT;
    default:
        return true;
    }
}

static void one(struct inl *q, enum ir_x87_kind kind, const uint64_t c[3])
{
    unsigned n = (unsigned)c[0];

    switch (kind) {
    case IR_X87_NONE: break;
    case IR_X87_LOAD: load(q, c[0]); break;
    case IR_X87_LOAD80: load80(q); break;
    case IR_X87_PUSH: push_copy(q, n); break;
    case IR_X87_CONST: push_constant(q, n); break;
    case IR_X87_STORE: store(q, c[0], c[1]); break;
    case IR_X87_STORE80: store80(q); break;
    case IR_X87_HIGH: get(q, 8, q->u->high); break;
    case IR_X87_POP:
        usual_control(q);
        pop(q);
        break;
    case IR_X87_COPY: copy(q, n, c[1]); break;
    case IR_X87_ARITH: arith(q, n, (unsigned)c[1], (unsigned)c[2]); break;
    case IR_X87_ARITH_M: arith_m(q, n, c[1]); break;
    case IR_X87_COMPARE: compare(q, n, (unsigned)c[1], (unsigned)c[2]); break;
    case IR_X87_COMPARE_M: compare_m(q, n, c[1]); break;
    case IR_X87_SIGN: sign(q, n); break;
    case IR_X87_XCH: exchange(q, n); break;
    case IR_X87_FUNCTION: function(q, X87_F2XM1 + n); break;
    case IR_X87_STATUS: get_status(q); break;
    case IR_X87_CONTROL: get(q, 2, q->u->fcw); break;
    }
}

bool x_x87(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    const struct ir_x87 *u = x->job->x87;
    enum ir_x87_kind kind = u && o->imm < u->n_kinds ? (enum ir_x87_kind)u->kind[o->imm] : IR_X87_NONE;
    struct inl q = { .x = x, .o = o, .u = u, .d = NOREG, .src = { NOREG, NOREG, NOREG } };
    uint64_t c[3] = { 0 };

    for (unsigned k = 0; kind && k < 3; k++)
        if (!(variable(kind) >> k & 1) && !constant(x, o, k, &c[k]))
            return false;
    if (!is_usual(kind, c))
        return false;
    for (unsigned k = 0; k < 3; k++)
        if (variable(kind) >> k & 1)
            q.src[k] = (uint8_t)ra_use(x, o->arg[k]);
    q.i = ra_temp(x, false);
    q.j = ra_temp(x, false);
    q.t = ra_temp(x, false);
    if (x->val[v].uses || x->val[v].end)
        q.d = ra_def(x, v);
    one(&q, kind, c);
    if (q.slow)
        x_slow_back(x, q.slow - 1);
    if (q.slow_drop)
        x_slow_back(x, q.slow_drop - 1);
    return true;
}
