/* SPDX-License-Identifier: GPL-2.0-or-later */
/* x86-64 code for integer operations and conditions. */
#include "host/x86_64/emit.h"

#include "base/err.h"

/* --- Conditions --- */

static const uint8_t int_cc[] = {
    [IRO_eq] = CC_E, [IRO_ne] = CC_NE, [IRO_ult] = CC_B, [IRO_ule] = CC_BE,
    [IRO_slt] = CC_L, [IRO_sle] = CC_LE,
};

/* The same comparison with its operands the other way around. */
static const uint8_t swapped_cc[] = {
    [IRO_eq] = CC_E, [IRO_ne] = CC_NE, [IRO_ult] = CC_A, [IRO_ule] = CC_AE,
    [IRO_slt] = CC_G, [IRO_sle] = CC_GE,
};

/* Compares the AND @v, which waits for that, with zero. */
static void test_and(struct x64 *x, uint32_t v, unsigned size)
{
    const struct ir_op *o = &x->ir->ops[v];
    unsigned a = ra_use(x, o->arg[0]);
    int32_t imm;

    if (x_imm(x, o->arg[1], &imm))
        x64_test_ri(&x->a, size, a, imm);
    else
        x64_test_rr(&x->a, size, a, ra_use(x, o->arg[1]));
}

static enum x64_cc compare_int(struct x64 *x, const struct ir_op *o)
{
    unsigned size = x_size(x->ir->ops[o->arg[0]].type), a, b;
    struct x64_mem m;
    int32_t imm, known;

    if (x_tests_and(x->ir, o) && (x->val[o->arg[0]].flags & XV_LAZY) && x->val[o->arg[0]].reg == NOREG) {
        test_and(x, o->arg[0], size);
        return o->op == IRO_slt ? CC_S : int_cc[o->op];
    }
    if (x_imm(x, o->arg[0], &imm) && !x_imm(x, o->arg[1], &known)) {
        if (imm && ra_in_mem(x, o->arg[1], &m))
            x64_alu_mi(&x->a, ALU_CMP, size, m, imm);
        else
            x64_alu_ri(&x->a, ALU_CMP, size, ra_use(x, o->arg[1]), imm);
        return swapped_cc[o->op];
    }
    if (x_imm(x, o->arg[1], &imm)) {
        if (imm && ra_in_mem(x, o->arg[0], &m)) {
            x64_alu_mi(&x->a, ALU_CMP, size, m, imm);
        } else {
            a = ra_use(x, o->arg[0]);
            if (imm)
                x64_alu_ri(&x->a, ALU_CMP, size, a, imm);
            else
                x64_test_rr(&x->a, size, a, a);
            if (!imm && o->op == IRO_slt)
                return CC_S;
        }
    } else if (size == 8 && ra_in_mem(x, o->arg[1], &m)) {
        a = ra_use(x, o->arg[0]);
        x64_alu_rm(&x->a, ALU_CMP, size, a, m);
    } else {
        a = ra_use(x, o->arg[0]);
        b = ra_use(x, o->arg[1]);
        x64_alu_rr(&x->a, ALU_CMP, size, a, b);
    }
    return int_cc[o->op];
}

/* ucomiss/ucomisd a, b; imm 1: comis, which complains about quiet NaNs */
static void compare_fp(struct x64 *x, const struct ir_op *o, unsigned a, unsigned b)
{
    unsigned type = x->ir->ops[o->arg[0]].type;
    uint32_t vi = VX(type == IR_F64 ? 0x66 : 0, 1, o->imm & 1 ? 0x2f : 0x2e);
    unsigned ra = rv_use(x, a), rb = rv_use(x, b);

    x64_v2(&x->a, vi, ra, rb);
}

static bool fp_in_line(const struct x64 *x, const struct ir_op *o)
{
    return !x->job->fp_slow && !x->job->fp_flush && x->ir->ops[o->arg[0]].type != IR_F16;
}

enum x64_cc x_cond(struct x64 *x, uint32_t v, unsigned *cc2, bool *both)
{
    const struct ir_op *o;
    bool invert = false;
    enum x64_cc cc;

    *cc2 = NOREG;
    *both = false;
    v = x_resolve(x, v);
    while (x->ir->ops[v].op == IRO_not && (x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG) {
        invert = !invert;
        v = x_resolve(x, x->ir->ops[v].arg[0]);
    }
    o = &x->ir->ops[v];
    if ((x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG && o->op >= IRO_eq && o->op <= IRO_sle) {
        cc = compare_int(x, o);
    } else if ((x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG && o->op >= IRO_feq &&
               o->op <= IRO_fun && fp_in_line(x, o)) {
        if (o->op == IRO_flt || o->op == IRO_fle) {
            compare_fp(x, o, o->arg[1], o->arg[0]);
            cc = o->op == IRO_flt ? CC_A : CC_AE;
        } else {
            compare_fp(x, o, o->arg[0], o->arg[1]);
            cc = CC_P;
            if (o->op == IRO_feq) {
                cc = invert ? CC_NE : CC_E;
                *cc2 = invert ? CC_P : CC_NP;
                *both = !invert;
                return cc;
            }
        }
    } else {
        unsigned r = ra_use(x, v);

        x64_test_rr(&x->a, 4, r, r);
        cc = CC_NE;
    }
    return invert ? cc ^ 1 : cc;
}

static void emit_compare(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned d, cc;

    if (o->op >= IRO_feq && o->op <= IRO_fun) {
        if (!fp_in_line(x, o)) {
            emit_eval(x, o, v);
            return;
        }
        if (o->op == IRO_flt || o->op == IRO_fle)
            compare_fp(x, o, o->arg[1], o->arg[0]);
        else
            compare_fp(x, o, o->arg[0], o->arg[1]);
        cc = o->op == IRO_flt ? CC_A : o->op == IRO_fle ? CC_AE : o->op == IRO_fun ? CC_P : CC_E;
        d = ra_def(x, v);
        x64_setcc(&x->a, cc, d);
        if (o->op == IRO_feq) {
            x64_setcc(&x->a, CC_NP, X_SCRATCH);
            x64_alu_rr(&x->a, ALU_AND, 4, d, X_SCRATCH);
        }
    } else {
        cc = compare_int(x, o);
        d = ra_def(x, v);
        x64_setcc(&x->a, cc, d);
    }
    x64_movzx(&x->a, 1, d, d);
}

/* The flag itself is the result: a op b in a scratch copy. */
static void emit_overflow(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(x->ir->ops[o->arg[0]].type);
    unsigned a = ra_use(x, o->arg[0]), b = ra_use(x, o->arg[1]), d = ra_def(x, v);

    x64_mov_rr(&x->a, size, X_SCRATCH, a);
    x64_alu_rr(&x->a, o->op == IRO_sub_v ? ALU_CMP : ALU_ADD, size, X_SCRATCH, b);
    x64_setcc(&x->a, CC_O, d);
    x64_movzx(&x->a, 1, d, d);
}

/* CF = carry in: 0 or 1 plus -1 carries exactly when it was 1. */
static void set_carry(struct x64 *x, uint32_t c)
{
    uint64_t k;

    if (ir_const_of(x->ir, ir_root(x->ir, c), &k)) {
        x64_byte(&x->a, k ? 0xf9 : 0xf8); /* stc, clc */
        return;
    }
    x64_bt_ri(&x->a, 4, ra_use(x, c), 0);
}

static void set_twin(struct x64 *x, uint32_t v)
{
    x->twin = v;
    x->twin_end = x->a.n;
}

/* Has the code that ends here computed @o as well?  Then only a register for the result is wanted: to get one changes neither flags
 * nor rax. */
static bool is_twin(struct x64 *x, const struct ir_op *o)
{
    const struct ir_op *t = &x->ir->ops[x->twin];
    unsigned n = ir_info[o->op].n_args;

    if (!x->twin || x->twin_end != x->a.n || ir_info[t->op].n_args != n)
        return false;
    for (unsigned i = 0; i < n; i++)
        if (x_resolve(x, t->arg[i]) != x_resolve(x, o->arg[i]))
            return false;
    for (unsigned i = 0; i < n; i++) /* they may die here */
        x->touched[x->n_touched++ & 15] = x_resolve(x, o->arg[i]);
    return x->ir->ops[t->arg[0]].type == x->ir->ops[o->arg[0]].type;
}

/* CF or OF behind an addition with carry. */
static void emit_carry(struct x64 *x, const struct ir_op *o, unsigned d)
{
    x64_setcc(&x->a, o->op == IRO_adc_c ? CC_B : CC_O, d);
    x64_movzx(&x->a, 1, d, d);
}

static void emit_adc(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(x->ir->ops[o->arg[0]].type), a, b, d;

    if (o->op != IRO_adc && x->ir->ops[x->twin].op == IRO_adc && is_twin(x, o)) {
        emit_carry(x, o, ra_def(x, v));
        x->twin_end = x->a.n;
        return;
    }
    a = ra_use(x, o->arg[0]);
    b = ra_use(x, o->arg[1]);
    ra_use(x, o->arg[2]);
    d = ra_def(x, v);
    x64_mov_rr(&x->a, size, X_SCRATCH, a);
    set_carry(x, o->arg[2]);
    x64_alu_rr(&x->a, ALU_ADC, size, X_SCRATCH, b);
    if (o->op == IRO_adc) {
        x64_mov_rr(&x->a, size, d, X_SCRATCH);
        set_twin(x, v);
    } else {
        emit_carry(x, o, d);
    }
}

/* A compare that only snapshots look at: nothing but its FP flags is wanted. */
void x_bare_compare(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    uint32_t a = o->arg[0], b = o->arg[1];

    for (uint32_t w = v - 1; w > 0 && v - w < 5; w--) { /* its siblings raise the same flags */
        const struct ir_op *s = &x->ir->ops[w];

        if (ir_info[s->op].effects == IR_END)
            break;
        if (s->op >= IRO_feq && s->op <= IRO_fun && s->imm == o->imm && s->arg[0] == a && s->arg[1] == b)
            return;
    }
    if (fp_in_line(x, o))
        compare_fp(x, o, a, b);
    else
        emit_eval(x, o, v);
}

static void cmov_or(struct x64 *x, unsigned size, unsigned d, unsigned s, enum x64_cc cc, unsigned cc2)
{
    x64_cmov(&x->a, cc, size, d, s);
    if (cc2 != NOREG)
        x64_cmov(&x->a, cc2, size, d, s);
}

static void emit_select(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    bool vec = ir_is_vec(o->type), both;
    unsigned cc2, a, b, d, size = x_size(o->type);
    enum x64_cc cc;

    a = ra_use(x, o->arg[1]);
    b = ra_use(x, o->arg[2]);
    cc = x_cond(x, o->arg[0], &cc2, &both);
    d = ra_def(x, v); /* evictions are moves: flags survive */
    if (both) {       /* a when cc and cc2: b when either fails */
        unsigned t = a;

        a = b;
        b = t;
        cc ^= 1;
        cc2 ^= 1;
    }
    if (vec) {
        struct x64_label skip = { 0 }, take = { 0 };

        x64_vmov(&x->a, d - X_XMM, b - X_XMM);
        if (cc2 != NOREG)
            x64_jcc(&x->a, cc2, &take);
        x64_jcc(&x->a, cc ^ 1, &skip);
        x64_bind(&x->a, &take);
        x64_vmov(&x->a, d - X_XMM, a - X_XMM);
        x64_bind(&x->a, &skip);
        return;
    }
    x64_mov_rr(&x->a, size, d, b);
    cmov_or(x, size, d, a, cc, cc2);
}

/* --- Arithmetic --- */

static void emit_add(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), a, b, d;
    struct x64_mem m;
    int32_t imm;

    if (x_imm(x, o->arg[1], &imm)) {
        if (ra_dies(x, o->arg[0])) {
            d = ra_use_def(x, v, o->arg[0]);
            x64_alu_ri(&x->a, ALU_ADD, size, d, imm);
        } else {
            a = ra_use(x, o->arg[0]);
            d = ra_def(x, v);
            x64_lea(&x->a, size, d, x64_at(a, imm));
        }
        return;
    }
    if (size == 8 && ra_in_mem(x, o->arg[1], &m)) {
        d = ra_use_def(x, v, o->arg[0]);
        x64_alu_rm(&x->a, ALU_ADD, size, d, m);
        return;
    }
    if (ra_dies(x, o->arg[0])) {
        b = ra_use(x, o->arg[1]);
        d = ra_use_def(x, v, o->arg[0]);
        x64_alu_rr(&x->a, ALU_ADD, size, d, b);
    } else if (ra_dies(x, o->arg[1])) {
        b = ra_use(x, o->arg[0]);
        d = ra_use_def(x, v, o->arg[1]);
        x64_alu_rr(&x->a, ALU_ADD, size, d, b);
    } else {
        a = ra_use(x, o->arg[0]);
        b = ra_use(x, o->arg[1]);
        d = ra_def(x, v);
        x64_lea(&x->a, size, d, (struct x64_mem){ .base = a, .index = b });
    }
}

static const uint8_t alu_of[] = {
    [IRO_sub] = ALU_SUB, [IRO_and] = ALU_AND, [IRO_or] = ALU_OR, [IRO_xor] = ALU_XOR,
};

/* The operand of a NOT that is left to its user, else 0. */
static uint32_t inverted(const struct x64 *x, uint32_t v)
{
    v = x_resolve(x, v);
    return (x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG && x->ir->ops[v].op == IRO_not ?
               x->ir->ops[v].arg[0] : 0;
}

static bool emit_andn(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    uint32_t n, p = o->arg[0];
    unsigned a, b;

    if (o->op != IRO_and || !x->a.f.bmi1)
        return false;
    n = inverted(x, o->arg[1]);
    if (!n) {
        n = inverted(x, p);
        p = o->arg[1];
    }
    if (!n)
        return false;
    a = ra_use(x, n);
    b = ra_use(x, p);
    x64_andn(&x->a, x_size(o->type), ra_def(x, v), a, b);
    return true;
}

static void emit_alu(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), b, d;
    enum x64_alu op = alu_of[o->op];
    uint32_t p = o->arg[0], q = o->arg[1];
    struct x64_mem m;
    int32_t imm;

    if (emit_andn(x, o, v))
        return;
    if (x_imm(x, q, &imm)) {
        if (op == ALU_AND && (uint32_t)imm == 0xff) {
            b = ra_use(x, p);
            d = ra_def(x, v);
            x64_movzx(&x->a, 1, d, b);
            return;
        }
        if (op == ALU_AND && (uint32_t)imm == 0xffff) {
            b = ra_use(x, p);
            d = ra_def(x, v);
            x64_movzx(&x->a, 2, d, b);
            return;
        }
        d = ra_use_def(x, v, p);
        if (op == ALU_AND && imm >= 0)
            size = 4; /* the upper half is cleared by either */
        x64_alu_ri(&x->a, op, size, d, imm);
        return;
    }
    if (op == ALU_AND && o->type == IR_I64 && x->ir->ops[ir_root(x->ir, q)].op == IRO_const &&
        x->ir->ops[ir_root(x->ir, q)].imm == 0xffffffff) {
        b = ra_use(x, p);
        d = ra_def(x, v);
        x64_mov_rr(&x->a, 4, d, b);
        return;
    }
    if (size == 8 && ra_in_mem(x, q, &m)) {
        d = ra_use_def(x, v, p);
        x64_alu_rm(&x->a, op, size, d, m);
        return;
    }
    if (op != ALU_SUB && !ra_dies(x, p) && ra_dies(x, q)) {
        p = o->arg[1];
        q = o->arg[0];
    }
    b = ra_use(x, q);
    d = ra_use_def(x, v, p);
    x64_alu_rr(&x->a, op, size, d, b);
}

static void emit_mul(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), a, b, d;
    int32_t imm;

    if (x->ir->ops[x->twin].op != IRO_adc && is_twin(x, o)) {
        x64_mov_rr(&x->a, 8, ra_def(x, v), RAX);
        return;
    }
    if (x_imm(x, o->arg[1], &imm)) {
        a = ra_use(x, o->arg[0]);
        d = ra_def(x, v);
        x64_imul_rri(&x->a, size, d, a, imm);
        return;
    }
    b = ra_use(x, o->arg[1]);
    d = ra_use_def(x, v, o->arg[0]);
    x64_imul_rr(&x->a, size, d, b);
}

static void emit_mulh(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned a, b;

    if (o->type != IR_I64) {
        emit_eval(x, o, v);
        return;
    }
    ra_take(x, RDX);
    a = ra_use(x, o->arg[0]);
    b = ra_use(x, o->arg[1]);
    x64_mov_rr(&x->a, 8, RAX, a);
    if (o->op == IRO_umulh)
        x64_mul(&x->a, 8, b);
    else
        x64_imul(&x->a, 8, b);
    ra_def_in(x, v, RDX);
    set_twin(x, v);
}

static void emit_div(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), a, b, d;
    bool sign = o->op == IRO_sdiv;
    struct x64_label done = { 0 }, minus_one = { 0 };
    uint64_t k = 0;
    bool known = ir_const_of(x->ir, ir_root(x->ir, o->arg[1]), &k) && k &&
                 k != ir_mask(o->type);

    ra_take(x, RDX);
    a = ra_use(x, o->arg[0]);
    b = ra_use(x, o->arg[1]);
    d = ra_def(x, v);
    if (!known) {
        x64_test_rr(&x->a, size, b, b);
        x64_mov_ri(&x->a, RAX, 0);
        x64_jcc(&x->a, CC_E, &done);
        if (sign) {
            x64_mov_rr(&x->a, size, RAX, a);
            x64_alu_ri(&x->a, ALU_CMP, size, b, -1);
            x64_jcc(&x->a, CC_E, &minus_one);
        }
    }
    x64_mov_rr(&x->a, size, RAX, a);
    if (sign) {
        struct x64_label over = { 0 };

        x64_cdq(&x->a, size);
        x64_idiv(&x->a, size, b);
        if (!known) {
            x64_jmp(&x->a, &over);
            x64_bind(&x->a, &minus_one);
            x64_neg(&x->a, size, RAX);
            x64_bind(&x->a, &over);
        }
    } else {
        x64_alu_rr(&x->a, ALU_XOR, 4, RDX, RDX);
        x64_div(&x->a, size, b);
    }
    x64_bind(&x->a, &done);
    x64_mov_rr(&x->a, size, d, RAX);
}

static void emit_neg_not(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned d = ra_use_def(x, v, o->arg[0]);

    if (o->type == IR_I1)
        x64_alu_ri(&x->a, ALU_XOR, 4, d, 1);
    else if (o->op == IRO_not)
        x64_not(&x->a, x_size(o->type), d);
    else
        x64_neg(&x->a, x_size(o->type), d);
}

/* --- Shifts --- */

static enum x64_shift shift_of(unsigned op)
{
    return op == IRO_shl ? SH_SHL : op == IRO_shr ? SH_SHR : op == IRO_sar ? SH_SAR : SH_ROR;
}

static void emit_shift(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), s, n, d;
    uint64_t k;

    if (ir_const_of(x->ir, ir_root(x->ir, o->arg[1]), &k)) {
        k &= size * 8 - 1;
        if (o->op == IRO_ror && x->a.f.bmi2) {
            s = ra_use(x, o->arg[0]);
            d = ra_def(x, v);
            x64_rorx(&x->a, size, d, s, k);
            return;
        }
        if (o->op == IRO_shl && k >= 1 && k <= 3 && !ra_dies(x, o->arg[0])) {
            s = ra_use(x, o->arg[0]);
            d = ra_def(x, v);
            x64_lea(&x->a, size, d, (struct x64_mem){ .base = NOREG, .index = s, .scale = k });
            return;
        }
        d = ra_use_def(x, v, o->arg[0]);
        x64_shift_ri(&x->a, shift_of(o->op), size, d, k);
        return;
    }
    if (x->a.f.bmi2 && o->op != IRO_ror) {
        s = ra_use(x, o->arg[0]);
        n = ra_use(x, o->arg[1]);
        d = ra_def(x, v);
        x64_shiftx(&x->a, shift_of(o->op), size, d, s, n);
        return;
    }
    ra_take(x, RCX);
    s = ra_use(x, o->arg[0]);
    n = ra_use(x, o->arg[1]);
    d = ra_def(x, v);
    x64_mov_rr(&x->a, size, d, s);
    x64_mov_rr(&x->a, 4, RCX, n);
    x64_shift_cl(&x->a, shift_of(o->op), size, d);
}

static void emit_fsr(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), hi = ra_use(x, o->arg[0]), d;

    ra_use(x, o->arg[1]);
    d = ra_def(x, v);
    x64_mov_rr(&x->a, size, d, ra_use(x, o->arg[1]));
    if (o->imm)
        x64_shrd(&x->a, size, d, hi, o->imm);
}

/* --- Bits --- */

static void emit_clz(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), s = ra_use(x, o->arg[0]), d = ra_def(x, v);

    if (x->a.f.lzcnt) {
        x64_op0f(&x->a, 0xf3, size, 0xbd, d, s);
        return;
    }
    x64_mov_ri(&x->a, X_SCRATCH, size * 16 - 1); /* bsr leaves nothing for 0: 2w-1 ^ (w-1) is w */
    x64_op0f(&x->a, 0, size, 0xbd, d, s);
    x64_cmov(&x->a, CC_E, size, d, X_SCRATCH);
    x64_alu_ri(&x->a, ALU_XOR, 4, d, size * 8 - 1);
}

static void emit_ctz(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), s = ra_use(x, o->arg[0]), d = ra_def(x, v);

    if (x->a.f.bmi1) {
        x64_op0f(&x->a, 0xf3, size, 0xbc, d, s); /* tzcnt */
        return;
    }
    x64_mov_ri(&x->a, X_SCRATCH, size * 8);
    x64_op0f(&x->a, 0, size, 0xbc, d, s);
    x64_cmov(&x->a, CC_E, size, d, X_SCRATCH);
}

static void emit_popcnt(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    if (!x->a.f.popcnt) {
        emit_eval(x, o, v);
        return;
    }
    unsigned s = ra_use(x, o->arg[0]), d = ra_def(x, v);

    x64_op0f(&x->a, 0xf3, x_size(o->type), 0xb8, d, s);
}

static void emit_bswap(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned d = ra_use_def(x, v, o->arg[0]);

    x64_bswap(&x->a, x_size(o->type), d);
}

static void emit_rbit(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned size = x_size(o->type), s = ra_use(x, o->arg[0]), a = ra_temp(x, true), b = ra_temp(x, true);
    unsigned d = ra_def(x, v);

    x64_movq_xr(&x->a, size, a - X_XMM, s);
    x_reverse_bytes_bits(x, b - X_XMM, a - X_XMM);
    x64_movq_rx(&x->a, size, d, b - X_XMM);
    x64_bswap(&x->a, size, d);
}

static void emit_crc32(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned s, d, n = o->imm & 15;

    if (!(o->imm & 16) || !x->a.f.sse42) {
        emit_eval(x, o, v);
        return;
    }
    s = ra_use(x, o->arg[1]);
    d = ra_use_def(x, v, o->arg[0]);
    if (n == 1) {
        x64_mov_rr(&x->a, 4, X_SCRATCH, s);
        s = X_SCRATCH; /* al needs no prefix */
    }
    if (n == 2)
        x64_byte(&x->a, 0x66);
    x64_op0f38(&x->a, 0xf2, n == 8 ? 8 : 4, n == 1 ? 0xf0 : 0xf1, d, s);
}

/* --- Widths --- */

static void emit_sext(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned from = x->ir->ops[o->arg[0]].type, s, d;

    if (from == IR_I1) {
        d = ra_use_def(x, v, o->arg[0]);
        x64_neg(&x->a, x_size(o->type), d);
        return;
    }
    s = ra_use(x, o->arg[0]);
    d = ra_def(x, v);
    x64_movsx(&x->a, ir_bits(from) / 8, x_size(o->type), d, s);
}

static void emit_zext(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned s = ra_use(x, o->arg[0]), d = ra_def(x, v);

    x64_mov_rr(&x->a, 4, d, s);
}

static void emit_trunc(struct x64 *x, const struct ir_op *o, uint32_t v)
{
    unsigned s = ra_use(x, o->arg[0]), d = ra_def(x, v);

    switch (o->type) {
    case IR_I1:
        x64_mov_rr(&x->a, 4, d, s);
        x64_alu_ri(&x->a, ALU_AND, 4, d, 1);
        break;
    case IR_I8: x64_movzx(&x->a, 1, d, s); break;
    case IR_I16: x64_movzx(&x->a, 2, d, s); break;
    default: x64_mov_rr(&x->a, 4, d, s); break;
    }
}

emit_fn *const x64_emit_int[IR_NUM_OPS] = {
    [IRO_add] = emit_add, [IRO_sub] = emit_alu, [IRO_and] = emit_alu, [IRO_or] = emit_alu,
    [IRO_xor] = emit_alu, [IRO_mul] = emit_mul, [IRO_umulh] = emit_mulh, [IRO_smulh] = emit_mulh,
    [IRO_udiv] = emit_div, [IRO_sdiv] = emit_div, [IRO_adc] = emit_adc, [IRO_neg] = emit_neg_not,
    [IRO_not] = emit_neg_not, [IRO_shl] = emit_shift, [IRO_shr] = emit_shift, [IRO_sar] = emit_shift,
    [IRO_ror] = emit_shift, [IRO_fsr] = emit_fsr, [IRO_clz] = emit_clz, [IRO_ctz] = emit_ctz,
    [IRO_popcnt] = emit_popcnt, [IRO_rbit] = emit_rbit, [IRO_bswap] = emit_bswap,
    [IRO_zext] = emit_zext, [IRO_sext] = emit_sext, [IRO_trunc] = emit_trunc,
    [IRO_select] = emit_select, [IRO_crc32] = emit_crc32,
    [IRO_eq] = emit_compare, [IRO_ne] = emit_compare, [IRO_ult] = emit_compare,
    [IRO_ule] = emit_compare, [IRO_slt] = emit_compare, [IRO_sle] = emit_compare,
    [IRO_add_v] = emit_overflow, [IRO_sub_v] = emit_overflow, [IRO_adc_c] = emit_adc,
    [IRO_adc_v] = emit_adc,
    [IRO_feq] = emit_compare, [IRO_flt] = emit_compare, [IRO_fle] = emit_compare,
    [IRO_fun] = emit_compare,
};
