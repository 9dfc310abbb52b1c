/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random regions, made from bytes: lifted, run, optimised pass by pass with the verifier in between,
 * and run again.  State, memory, flags, calls and the way out must be the same.
 */
#ifndef TESTS_IR_RANDOM_H
#define TESTS_IR_RANDOM_H

#include "tests/ir/rig.h"

struct random_source {
    const uint8_t *data;
    size_t len, pos;
};

/* 0 .. n-1; 0 when the bytes have run out. */
static inline unsigned pick(struct random_source *r, unsigned n)
{
    return r->pos < r->len ? r->data[r->pos++] % n : 0;
}

/* --- A guest program --- */

enum { RANDOM_BLOCKS = 7, RANDOM_INSNS = 9, RANDOM_POLLS = 12 };

struct random_lift {
    struct ir *ir;
    struct random_source *src;
    ir_val recent[IR_NUM_TYPES][4]; /* values of each type, newest first; none when id is 0 */
    unsigned n_blocks;
};

static inline uint64_t random_block_pc(unsigned block)
{
    return 0x1000 + 0x100 * (uint64_t)block;
}

static inline ir_val remember(struct random_lift *l, ir_val v)
{
    ir_val *recent = l->recent[ir_type_of(l->ir, v)];

    memmove(recent + 1, recent, 3 * sizeof(*recent));
    recent[0] = v;
    return v;
}

static inline uint64_t random_constant(struct random_lift *l)
{
    static const uint64_t some[] = {0, 1, 2, 3, 7, 8, 31, 32, 63, 255, 0xffff, 0x80000000,
                                    0xffffffff, 1ull << 63, -1ull, -2ull, 56, 48};

    return some[pick(l->src, sizeof(some) / sizeof(some[0]))];
}

static inline ir_val random_value(struct random_lift *l, enum ir_type type)
{
    ir_val v = l->recent[type][pick(l->src, 4)];
    ir_val x;

    if (v.id)
        return v;
    if (type == IR_V128)
        return ir_get(l->ir, RIG_Q0 + pick(l->src, 2));
    if (type == IR_F32 || type == IR_F64)
        return ir_conv(l->ir, IRO_vtof, type, ir_get(l->ir, RIG_Q0 + pick(l->src, 2)));
    if (type == IR_I1 && pick(l->src, 2))
        return ir_get(l->ir, RIG_N + pick(l->src, 4));
    if (type != IR_V128 && pick(l->src, 4) == 0)
        return ir_const(l->ir, type, random_constant(l));
    x = ir_get(l->ir, RIG_X0 + pick(l->src, 8));
    return type == IR_I64 ? x : ir_conv(l->ir, IRO_trunc, type, x);
}

static inline enum ir_type random_int_type(struct random_lift *l)
{
    static const uint8_t types[] = {IR_I64, IR_I32, IR_I64, IR_I1, IR_I8, IR_I16, IR_I64, IR_I32};

    return types[pick(l->src, 8)];
}

static inline ir_val random_arithmetic(struct random_lift *l)
{
    static const uint16_t ops[] = {IRO_add, IRO_sub, IRO_mul, IRO_and, IRO_or, IRO_xor, IRO_shl,
                                   IRO_shr, IRO_sar, IRO_ror, IRO_udiv, IRO_sdiv, IRO_umulh,
                                   IRO_smulh, IRO_neg, IRO_not, IRO_clz, IRO_rbit, IRO_bswap};
    enum ir_type type = random_int_type(l);
    enum ir_opcode op = ops[pick(l->src, sizeof(ops) / sizeof(ops[0]))];
    ir_val a = random_value(l, type);

    return ir_info[op].n_args == 1 ? ir_un(l->ir, op, a)
                                   : ir_bin(l->ir, op, a, random_value(l, type));
}

static inline ir_val random_condition(struct random_lift *l)
{
    enum ir_opcode op = IRO_eq + pick(l->src, IRO_adc_v - IRO_eq + 1);
    enum ir_type type = random_int_type(l);
    ir_val a = random_value(l, type), b = random_value(l, type);
    ir_val c = ir_info[op].n_args == 3 ? random_value(l, IR_I1) : IR_NONE;

    return ir_op(l->ir, op, IR_I1, 0, 0, a, b, c);
}

/* The four flags of a subtraction, an addition or a floating-point compare. */
static inline void random_flags(struct random_lift *l)
{
    struct ir *ir = l->ir;
    enum ir_type type = pick(l->src, 2) ? IR_I64 : IR_I32;
    unsigned kind = pick(l->src, 3);
    ir_val a, b, zero = ir_const(ir, type, 0), sum;

    if (kind == 2)
        type = pick(l->src, 2) ? IR_F64 : IR_F32;
    a = random_value(l, type);
    b = random_value(l, type);
    if (kind == 2) {
        ir_set(ir, RIG_N, ir_cmp(ir, IRO_flt, a, b));
        ir_set(ir, RIG_Z, ir_cmp(ir, IRO_feq, a, b));
        ir_set(ir, RIG_C, ir_not(ir, ir_cmp(ir, IRO_flt, a, b)));
        ir_set(ir, RIG_V, ir_cmp(ir, IRO_fun, a, b));
        return;
    }
    sum = ir_bin(ir, kind ? IRO_add : IRO_sub, a, b);
    ir_set(ir, RIG_N, ir_cmp(ir, IRO_slt, sum, zero));
    ir_set(ir, RIG_Z, kind ? ir_cmp(ir, IRO_eq, sum, zero) : ir_cmp(ir, IRO_eq, a, b));
    ir_set(ir, RIG_C, kind ? ir_cmp(ir, IRO_ult, sum, a) : ir_cmp(ir, IRO_ule, b, a));
    ir_set(ir, RIG_V, ir_cmp(ir, kind ? IRO_add_v : IRO_sub_v, a, b));
}

static inline ir_val random_flag_condition(struct random_lift *l)
{
    struct ir *ir = l->ir;
    ir_val n = ir_get(ir, RIG_N), z = ir_get(ir, RIG_Z), c = ir_get(ir, RIG_C);
    ir_val v = ir_get(ir, RIG_V), lt = ir_xor(ir, n, v);

    switch (pick(l->src, 6)) {
    case 0: return lt;
    case 1: return ir_not(ir, lt);
    case 2: return ir_and(ir, ir_not(ir, z), ir_not(ir, lt));
    case 3: return ir_or(ir, z, lt);
    case 4: return ir_and(ir, c, ir_not(ir, z));
    default: return ir_or(ir, ir_not(ir, c), z);
    }
}

static inline ir_val random_conversion(struct random_lift *l)
{
    enum ir_type from = random_int_type(l), to = random_int_type(l);
    ir_val a = random_value(l, from);

    if (ir_bits(from) == ir_bits(to))
        return ir_select(l->ir, random_value(l, IR_I1), a, random_value(l, to));
    if (ir_bits(from) > ir_bits(to))
        return ir_conv(l->ir, IRO_trunc, to, a);
    return ir_conv(l->ir, pick(l->src, 2) ? IRO_zext : IRO_sext, to, a);
}

static inline ir_val random_vector(struct random_lift *l)
{
    static const uint16_t ops[] = {IRO_vand, IRO_vor, IRO_vxor, IRO_vandn, IRO_vadd, IRO_vsub};
    unsigned lane = pick(l->src, 4);
    ir_val a = random_value(l, IR_V128);

    switch (pick(l->src, 9)) {
    case 0: return ir_v1(l->ir, IRO_vlow, lane, 0, a);
    case 1: return ir_v1(l->ir, IRO_vdup, lane, 0, random_value(l, IR_I64));
    case 2: return ir_v1(l->ir, IRO_vfromi, 0, 0, random_value(l, IR_I64));
    case 3: return ir_v1(l->ir, IRO_vfromf, 0, 0, random_value(l, IR_F32));
    case 4: return ir_op(l->ir, IRO_vget, IR_I64, lane, pick(l->src, 16u >> lane), a, IR_NONE,
                         IR_NONE);
    case 5: return ir_v2(l->ir, IRO_vset, lane, pick(l->src, 16u >> lane), a,
                         random_value(l, IR_I64));
    case 6: return ir_vconst(l->ir, random_constant(l), random_constant(l));
    default: return ir_v2(l->ir, ops[pick(l->src, 6)], lane, 0, a, random_value(l, IR_V128));
    }
}

static inline ir_val random_fp(struct random_lift *l)
{
    static const uint16_t ops[] = {IRO_fadd, IRO_fmul, IRO_fneg, IRO_fabs};
    enum ir_type type = pick(l->src, 2) ? IR_F64 : IR_F32;
    enum ir_opcode op = ops[pick(l->src, 4)];
    ir_val a = random_value(l, type);

    if (pick(l->src, 4) == 0)
        return ir_conv(l->ir, IRO_fbits, type == IR_F64 ? IR_I64 : IR_I32, a);
    return ir_info[op].n_args == 1 ? ir_un(l->ir, op, a)
                                   : ir_bin(l->ir, op, a, random_value(l, type));
}

static inline ir_val random_memory(struct random_lift *l)
{
    unsigned size = pick(l->src, 4);
    uint64_t memop = ir_mem(size, pick(l->src, 2), IR_RELAXED);
    ir_val addr = random_value(l, IR_I64);

    switch (pick(l->src, 6)) {
    case 0: return ir_atomic(l->ir, IRO_fadda + pick(l->src, 8), IR_I64, memop & IR_MEM_SIZE, addr,
                             random_value(l, IR_I64), IR_NONE);
    case 1: return ir_call(l->ir, RIG_PURE_CALL, addr, IR_NONE, IR_NONE);
    case 2: return ir_call(l->ir, pick(l->src, 3) ? RIG_PURE_CALL : RIG_FULL_CALL, addr,
                           random_value(l, IR_I64), IR_NONE);
    case 3:
        ir_store(l->ir, memop & IR_MEM_SIZE, addr, random_value(l, IR_I64));
        return IR_NONE;
    default: return ir_load(l->ir, IR_I64, memop, addr);
    }
}

static inline void random_insn(struct random_lift *l)
{
    ir_val v = IR_NONE;

    switch (pick(l->src, 12)) {
    case 0: v = random_memory(l); break;
    case 1: v = random_condition(l); break;
    case 2: random_flags(l); break;
    case 3: v = random_flag_condition(l); break;
    case 4: v = random_conversion(l); break;
    case 5: v = random_vector(l); break;
    case 6: v = random_fp(l); break;
    default: v = random_arithmetic(l); break;
    }
    if (v.id)
        remember(l, v);
    switch (pick(l->src, 6)) {
    case 0: ir_set(l->ir, RIG_N + pick(l->src, 4), random_value(l, IR_I1)); break;
    case 1: ir_set(l->ir, RIG_W, random_value(l, IR_I32)); break;
    case 2: ir_set(l->ir, RIG_Q0 + pick(l->src, 2), random_value(l, IR_V128)); break;
    case 3: break;
    default: ir_set(l->ir, RIG_X0 + pick(l->src, 8), random_value(l, IR_I64)); break;
    }
}

static inline uint64_t random_target(struct random_lift *l)
{
    return random_block_pc(pick(l->src, l->n_blocks + 2));
}

static inline void random_block(struct random_lift *l, unsigned block)
{
    uint64_t pc = random_block_pc(block);
    unsigned n = pick(l->src, RANDOM_INSNS);

    memset(l->recent, 0, sizeof(l->recent));
    for (unsigned i = 0; i < n; i++, pc += 4) {
        ir_at(l->ir, pc);
        random_insn(l);
    }
    ir_at(l->ir, pc);
    switch (pick(l->src, 6)) {
    case 0: ir_goto(l->ir, random_target(l)); break;
    case 1: ir_goto_ind(l->ir, random_value(l, IR_I64), IR_EXIT_JUMP, 0); break;
    case 2: ir_goto_if(l->ir, random_flag_condition(l), random_target(l), random_target(l)); break;
    default: ir_goto_if(l->ir, random_value(l, IR_I1), random_target(l), random_target(l));
    }
}

static inline void random_region(struct ir *ir, struct random_source *src)
{
    struct random_lift l = {.ir = ir, .src = src, .n_blocks = 1 + pick(src, RANDOM_BLOCKS)};

    for (unsigned i = 0; i < l.n_blocks; i++)
        ir_plan(ir, random_block_pc(i), 0);
    for (unsigned i = 0; i < l.n_blocks; i++) {
        ir_start_block(ir, i);
        random_block(&l, i);
    }
    ir_finish(ir);
}

/* --- A machine to run it on --- */

struct random_machine {
    struct rig_state state;
    uint8_t mem[256];
    struct fp_env fp;
    unsigned polls;
    uint64_t log; /* a hash of all that was asked of the surroundings, in order */
    uint64_t pc;
    enum ir_leave how;
};

static inline void note(struct random_machine *r, uint64_t v)
{
    r->log = (r->log ^ v) * 0x9e3779b97f4a7c15ull;
    r->log ^= r->log >> 29;
}

static inline int random_load(struct ir_machine *m, uint64_t addr, uint64_t memop, union ir_u *v)
{
    struct random_machine *r = m->opaque;

    note(r, addr);
    if (addr % 16 == 9) /* some addresses fault */
        return -1;
    memcpy(v, &r->mem[addr % 248], 1u << (memop & IR_MEM_SIZE));
    return 0;
}

static inline int random_store(struct ir_machine *m, uint64_t addr, uint64_t memop,
                               const union ir_u *v)
{
    struct random_machine *r = m->opaque;

    note(r, ~addr);
    if (addr % 16 == 9)
        return -1;
    memcpy(&r->mem[addr % 248], v, 1u << (memop & IR_MEM_SIZE));
    return 0;
}

static inline int random_atomic(struct ir_machine *m, enum ir_opcode op, uint64_t addr,
                                uint64_t memop, const union ir_u *a, const union ir_u *b,
                                union ir_u *old)
{
    union ir_u sum = *a;

    if (random_load(m, addr, memop, old))
        return -1;
    sum.d[0] += old->d[0] + op;
    return random_store(m, addr, memop, &sum);
}

static inline void random_fence(struct ir_machine *m, unsigned kind)
{
}

static inline int random_call(struct ir_machine *m, uint32_t helper, const uint64_t arg[3],
                              uint64_t *result)
{
    struct random_machine *r = m->opaque;

    note(r, arg[0] + helper);
    *result = r->log;
    if (helper == RIG_PURE_CALL)
        return 0;
    for (unsigned i = 0; i < sizeof(r->state) / 8; i++)
        note(r, ((uint64_t *)&r->state)[i]);
    note(r, m->pc);
    note(r, r->fp.flags);
    r->state.x[arg[1] % 8] ^= r->log;
    r->state.z ^= 1;
    return arg[0] % 8 == 7;
}

static inline int random_poll(struct ir_machine *m)
{
    struct random_machine *r = m->opaque;

    return ++r->polls == RANDOM_POLLS;
}

static inline void random_run(const struct ir *ir, struct random_machine *r)
{
    struct ir_machine m = {
        .state = &r->state, .fp = &r->fp, .opaque = r, .load = random_load, .store = random_store,
        .atomic = random_atomic, .fence = random_fence, .call = random_call, .poll = random_poll,
    };

    memset(r, 0, sizeof(*r));
    for (unsigned i = 0; i < 8; i++)
        r->state.x[i] = i < 4 ? i : 0x123456789abcdef0ull * (i + 1);
    r->state.z = r->state.v = 1;
    r->state.q[0].d[0] = 0x3ff8000040000000;
    r->state.q[1].d[1] = 0x7ff0000000000001;
    for (unsigned i = 0; i < sizeof(r->mem); i++)
        r->mem[i] = (uint8_t)(i * 37);
    r->how = ir_interp(ir, &m);
    r->pc = m.pc;
    ir_machine_done(&m);
}

/* --- The property --- */

static inline bool random_valid(struct ir *ir, const char *when)
{
    struct err e = {0};

    if (ir_verify(ir, &e) == 0)
        return true;
    printf("after %s: %s\n", when, e.msg);
    ir_print(ir, stdout);
    return false;
}

/* The same region with and without folding. */
static inline bool random_check_folding(struct ir *ir, const uint8_t *data, size_t len,
                                        const struct random_machine *folded)
{
    static struct random_machine plain;
    struct random_source src = {data, len, 0};
    struct ir *other = rig_new();
    bool same;

    other->plain = true;
    random_region(other, &src);
    random_run(other, &plain);
    same = memcmp(&plain, folded, sizeof(plain)) == 0;
    if (!same) {
        printf("folding changes the meaning of\n");
        ir_print(other, stdout);
        printf("to\n");
        ir_print(ir, stdout);
    }
    ir_free(other);
    return same;
}

/* False, with the region before and after printed, when the passes change what it does. */
static inline bool random_check(const uint8_t *data, size_t len)
{
    static const struct {
        const char *name;
        void (*run)(struct ir *);
    } passes[] = {
#define PASS(id, effort, doc) {#id, pass_##id},
#include "ir/passes.def"
#undef PASS
    };
    static struct random_machine before, after;
    struct random_source src = {data, len, 0};
    struct ir *ir = rig_new();
    char *text;
    bool ok;

    random_region(ir, &src);
    text = rig_text(ir);
    ok = random_valid(ir, "lifting");
    if (ok) {
        random_run(ir, &before);
        ok = random_check_folding(ir, data, len, &before);
    }
    for (unsigned i = 0; ok && i < sizeof(passes) / sizeof(passes[0]); i++) {
        passes[i].run(ir);
        ok = random_valid(ir, passes[i].name);
        if (!ok)
            break;
        random_run(ir, &after);
        if (memcmp(&before, &after, sizeof(before)) != 0) {
            printf("%s changes the meaning of\n%sto\n", passes[i].name, text);
            ir_print(ir, stdout);
            ok = false;
        }
    }
    free(text);
    ir_free(ir);
    return ok;
}

#endif
