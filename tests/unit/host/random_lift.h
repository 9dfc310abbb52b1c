/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random regions, made from bytes: the first eight choose the set-up, each eight more are one step of
 * the guest program, so a failure is made smaller by leaving steps out.
 */
#ifndef TESTS_UNIT_HOST_RANDOM_LIFT_H
#define TESTS_UNIT_HOST_RANDOM_LIFT_H

#include "base/softfloat.h"
#include "ir/build.h"

#include <string.h>

/* --- The guest --- */

enum { N_X = 24, N_W = 4, N_F = 6, N_Q = 20, N_D = 3, N_S = 3, N_B = 2, N_JC = 64 };

enum {
    S_X,
    S_FUEL = S_X + N_X,
    S_W,
    S_F = S_W + N_W,
    S_Q = S_F + N_F,
    S_D = S_Q + N_Q,
    S_S = S_D + N_D,
    S_H = S_S + N_S,
    S_B = S_H + N_B,
    N_SLOTS = S_B + N_B,
};

enum {
    MEM_SIZE = 4096,
    CODE_SIZE = 1 << 18,
    RANDOM_STEP = 8, /* bytes */
    RANDOM_MAX_BLOCKS = 16,
    BLOCK_STEP = 0x100,
    FIRST_PC = 0x1000,
};
#define MEM_AT   0x41230000ull   /* guest address of the memory; nothing is mapped around it */
#define GS_SHIFT 0x200000000000ull /* where guest address 0 is when the GS segment is used */

/* --- Choices --- */

struct dice {
    uint64_t s;
};

static inline uint64_t roll64(struct dice *d)
{
    uint64_t z = d->s += 0x9e3779b97f4a7c15ull;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ull;
    z = (z ^ z >> 27) * 0x94d049bb133111ebull;
    return z ^ z >> 31;
}

static inline unsigned roll(struct dice *d, unsigned n)
{
    return (unsigned)((roll64(d) >> 32) * n >> 32);
}

static inline struct dice dice_at(const uint8_t *data, size_t len, size_t chunk)
{
    struct dice d = {0};

    if (chunk * RANDOM_STEP < len)
        memcpy(&d.s, data + chunk * RANDOM_STEP,
               len - chunk * RANDOM_STEP < RANDOM_STEP ? len - chunk * RANDOM_STEP : RANDOM_STEP);
    return d;
}

struct setup {
    unsigned features_off, passes_off, effort, memory, flow;
    bool fp_slow, fp_flush, untag, gs, plain, optimise, attention, counter, out_of_fuel, full_calls, small_types;
    bool quick;
    uint32_t cap;
    struct dice state;
};

static inline struct setup choose(const uint8_t *data, size_t len)
{
    struct dice d = dice_at(data, len, 0);
    struct setup s = {.features_off = roll(&d, 2) ? 0 : roll(&d, 16)};

    s.fp_slow = roll(&d, 4) == 0;
    s.fp_flush = !s.fp_slow && d.s % 4 == 0;
    s.untag = roll(&d, 4) == 0;
    s.gs = roll(&d, 4) == 0;
    s.plain = roll(&d, 6) == 0;
    s.optimise = roll(&d, 4) != 0;
    s.effort = roll(&d, 4) != 0;
    s.passes_off = roll(&d, 4) ? 0 : roll(&d, 32);
    s.attention = roll(&d, 32) == 0;
    s.counter = roll(&d, 8) == 0;
    s.out_of_fuel = roll(&d, 32) == 0;
    s.full_calls = roll(&d, 3) == 0;
    s.small_types = roll(&d, 4) == 0;
    s.memory = roll(&d, 5);
    s.flow = roll(&d, 8);
    s.quick = roll(&d, 3) == 0;
    if (s.quick && roll(&d, 2)) /* that takes one block */
        s.flow = 0;
    s.cap = roll(&d, 24) ? CODE_SIZE / 2 : roll(&d, 4096);
    s.state = d;
    return s;
}

/* --- Lifting --- */

enum { KEEP = 24 }; /* values of a type that steps can choose from */

struct lift {
    struct ir *ir;
    struct dice *d;
    const struct setup *set;
    ir_val recent[IR_NUM_TYPES][KEEP];
    unsigned n_recent[IR_NUM_TYPES];
    unsigned block, n_blocks;
};

static inline ir_val keep(struct lift *l, ir_val v)
{
    unsigned t = ir_type_of(l->ir, v);

    l->recent[t][l->n_recent[t]++ % KEEP] = v;
    return v;
}

static inline uint64_t number(struct lift *l)
{
    static const uint64_t some[] = {0, 1, 2, 3, 7, 8, 31, 32, 63, 255, 256, 0xffff, 0x7fffffff,
                                    0x80000000, 0xffffffff, 0x100000000, 1ull << 63, -1ull, -2ull,
                                    -128ull, 0x7fffffffffffffff, 48, 4, 0x3ff0000000000000};

    if (roll(l->d, 4) == 0)
        return roll64(l->d) >> roll(l->d, 64);
    return some[roll(l->d, sizeof(some) / sizeof(some[0]))];
}

static inline unsigned slot_of(struct lift *l, unsigned type)
{
    switch (type) {
    case IR_I1: return S_F + roll(l->d, N_F);
    case IR_I8: return S_B + roll(l->d, N_B);
    case IR_I16: return S_H + roll(l->d, N_B);
    case IR_I32: return S_W + roll(l->d, N_W);
    case IR_I64: return S_X + roll(l->d, N_X);
    case IR_F32: return S_S + roll(l->d, N_S);
    case IR_F64: return S_D + roll(l->d, N_D);
    default: return S_Q + roll(l->d, N_Q);
    }
}

static inline ir_val some_value(struct lift *l, unsigned type)
{
    unsigned n = l->n_recent[type] < KEEP ? l->n_recent[type] : KEEP;

    if (n && roll(l->d, 5))
        return l->recent[type][roll(l->d, roll(l->d, 3) ? n : n < 3 ? n : 3)];
    if (type == IR_V128 && roll(l->d, 12) == 0)
        return ir_vconst(l->ir, number(l), roll(l->d, 2) ? 0 : number(l));
    if (ir_is_int(type) && roll(l->d, 4) == 0)
        return ir_const(l->ir, type, number(l));
    if (type == IR_F16 || (type >= IR_F32 && type <= IR_F64 && roll(l->d, 3)))
        return ir_conv(l->ir, IRO_vtof, type, ir_get(l->ir, slot_of(l, IR_V128)));
    return ir_get(l->ir, slot_of(l, type));
}

static inline unsigned int_type(struct lift *l)
{
    static const uint8_t types[] = {IR_I64, IR_I64, IR_I64, IR_I32, IR_I32, IR_I1, IR_I8, IR_I16};
    unsigned t = types[roll(l->d, 8)];

    return l->set->small_types || t >= IR_I32 ? t : roll(l->d, 3) ? IR_I64 : IR_I32;
}

static inline unsigned word_type(struct lift *l)
{
    return roll(l->d, 2) ? IR_I64 : IR_I32;
}

static inline unsigned float_type(struct lift *l)
{
    return IR_F16 + (roll(l->d, 8) ? 1 + roll(l->d, 2) : 0);
}

static inline ir_val arithmetic(struct lift *l)
{
    static const uint16_t ops[] = {
        IRO_add, IRO_add, IRO_add, IRO_sub, IRO_sub, IRO_mul, IRO_and, IRO_and, IRO_or, IRO_xor,
        IRO_shl, IRO_shr, IRO_sar, IRO_ror, IRO_udiv, IRO_sdiv, IRO_umulh, IRO_smulh, IRO_neg,
        IRO_not, IRO_clz, IRO_ctz, IRO_popcnt, IRO_rbit, IRO_bswap, IRO_adc, IRO_fsr,
    };
    unsigned op = ops[roll(l->d, sizeof(ops) / sizeof(ops[0]))], type = int_type(l);
    uint64_t imm = 0;
    ir_val a, b = IR_NONE, c = IR_NONE;

    if (op == IRO_bswap && type < IR_I16)
        type = IR_I64;
    if (op == IRO_fsr)
        imm = roll(l->d, ir_bits(type));
    a = some_value(l, type);
    if (ir_info[op].n_args > 1)
        b = roll(l->d, 8) == 0 ? a : some_value(l, type);
    if (ir_info[op].n_args > 2)
        c = some_value(l, IR_I1);
    return ir_op(l->ir, op, type, 0, imm, a, b, c);
}

static inline ir_val condition(struct lift *l)
{
    unsigned op = IRO_eq + roll(l->d, IRO_adc_v - IRO_eq + 1), type = int_type(l);
    ir_val a = some_value(l, type), b = some_value(l, type);

    if (roll(l->d, 6) == 0) {
        type = float_type(l);
        return ir_op(l->ir, IRO_feq + roll(l->d, 4), IR_I1, 0, roll(l->d, 2), some_value(l, type),
                     some_value(l, type), IR_NONE);
    }
    return ir_op(l->ir, op, IR_I1, 0, 0, a, b,
                 ir_info[op].n_args == 3 ? some_value(l, IR_I1) : IR_NONE);
}

/* The four flags of a subtraction, an addition or a floating-point compare. */
static inline void flags(struct lift *l)
{
    struct ir *ir = l->ir;
    unsigned type = word_type(l), kind = roll(l->d, 3), f = S_F + roll(l->d, N_F - 3);
    ir_val a, b, sum;

    if (kind == 2)
        type = float_type(l);
    a = some_value(l, type);
    b = some_value(l, type);
    if (kind == 2) {
        ir_set(ir, f, ir_cmp(ir, IRO_flt, a, b));
        ir_set(ir, f + 1, ir_cmp(ir, IRO_feq, a, b));
        ir_set(ir, f + 2, ir_not(ir, ir_cmp(ir, IRO_flt, a, b)));
        ir_set(ir, f + 3, ir_cmp(ir, IRO_fun, a, b));
        return;
    }
    sum = keep(l, ir_bin(ir, kind ? IRO_add : IRO_sub, a, b));
    ir_set(ir, f, ir_cmp(ir, IRO_slt, sum, ir_const(ir, type, 0)));
    ir_set(ir, f + 1, kind ? ir_cmp(ir, IRO_eq, sum, ir_const(ir, type, 0))
                           : ir_cmp(ir, IRO_eq, a, b));
    ir_set(ir, f + 2, kind ? ir_cmp(ir, IRO_ult, sum, a) : ir_cmp(ir, IRO_ule, b, a));
    ir_set(ir, f + 3, ir_cmp(ir, kind ? IRO_add_v : IRO_sub_v, a, b));
}

static inline ir_val flag_condition(struct lift *l)
{
    struct ir *ir = l->ir;
    unsigned f = S_F + roll(l->d, N_F - 3);
    ir_val n = ir_get(ir, f), z = ir_get(ir, f + 1), c = ir_get(ir, f + 2);
    ir_val v = ir_get(ir, f + 3), lt = ir_xor(ir, n, v);

    switch (roll(l->d, 7)) {
    case 0: return lt;
    case 1: return ir_not(ir, lt);
    case 2: return ir_and(ir, ir_not(ir, z), ir_not(ir, lt));
    case 3: return ir_or(ir, z, lt);
    case 4: return ir_and(ir, c, ir_not(ir, z));
    case 5: return z;
    default: return ir_or(ir, ir_not(ir, c), z);
    }
}

static inline ir_val conversion(struct lift *l)
{
    unsigned from = int_type(l), to = int_type(l);
    ir_val a;

    if (roll(l->d, 3) == 0) {
        from = roll(l->d, 2) ? IR_V128 : roll(l->d, 2) ? float_type(l) : int_type(l);
        a = some_value(l, from);
        return ir_select(l->ir, roll(l->d, 2) ? flag_condition(l) : some_value(l, IR_I1), a,
                         some_value(l, from));
    }
    if (roll(l->d, 2)) { /* the usual ones */
        from = roll(l->d, 2) ? IR_I64 : IR_I32;
        to = from == IR_I64 ? IR_I32 : IR_I64;
    }
    a = some_value(l, from);
    if (ir_bits(from) == ir_bits(to))
        return ir_op(l->ir, IRO_crc32, IR_I32, 0, (1u << roll(l->d, 4)) | roll(l->d, 2) << 4,
                     some_value(l, IR_I32), some_value(l, IR_I64), IR_NONE);
    if (ir_bits(from) > ir_bits(to))
        return ir_conv(l->ir, IRO_trunc, to, a);
    return ir_conv(l->ir, roll(l->d, 2) ? IRO_zext : IRO_sext, to, a);
}

static inline bool has_lane(unsigned op, unsigned lane)
{
    if (op >= IRO_vsqdmulh && op <= IRO_vsqrdmulh)
        return lane == 1 || lane == 2;
    switch (op) {
    case IRO_vsqdmull: return lane == 1 || lane == 2;
    case IRO_vcnt:
    case IRO_vrbit:
    case IRO_vpmul: return lane == 0;
    case IRO_vpmull: return lane == 0 || lane == 3;
    case IRO_vurecpe:
    case IRO_vursqrte:
    case IRO_vudot:
    case IRO_vsdot: return lane == 2;
    }
    return lane < 3 || op < IRO_vuxtl || op > IRO_vsminv || op == IRO_vaddv;
}

static inline uint64_t vector_imm(struct lift *l, unsigned op, unsigned lane)
{
    unsigned bits = 8u << lane;

    if (op >= IRO_vaddv && op <= IRO_vsminv)
        return roll(l->d, 2) ? 16u >> lane : 8u >> lane;
    switch (op) {
    case IRO_vshli:
    case IRO_vsqshlu: return roll(l->d, bits);
    case IRO_vushri:
    case IRO_vsshri: return roll(l->d, bits + 1);
    case IRO_vurshri:
    case IRO_vsrshri: return 1 + roll(l->d, bits);
    case IRO_vext: return roll(l->d, 16);
    case IRO_vrev: return lane + 1 + roll(l->d, 3 - lane);
    }
    return 0;
}

static inline ir_val vector(struct lift *l)
{
    static const uint16_t common[] = {IRO_vand, IRO_vor, IRO_vxor, IRO_vandn, IRO_vadd, IRO_vsub,
                                      IRO_vceq, IRO_vcgts, IRO_vzip1, IRO_vuzp2, IRO_vext};
    unsigned op = roll(l->d, 3) ? common[roll(l->d, 11)]
                                : IRO_vand + roll(l->d, IRO_vtbl - IRO_vand + 1);
    unsigned lane = roll(l->d, 4);
    ir_val a = some_value(l, IR_V128), b, c;

    if (roll(l->d, 16) == 0) {
        op = IRO_aese + roll(l->d, IRO_sm4ekey - IRO_aese + 1);
        lane = 2;
    }
    while (!has_lane(op, lane) || (op == IRO_vrev && lane == 3))
        lane = (lane + 1) % 4;
    b = roll(l->d, 8) ? some_value(l, IR_V128) : a;
    c = some_value(l, IR_V128);
    return ir_v3(l->ir, op, lane, vector_imm(l, op, lane), a, ir_info[op].n_args > 1 ? b : IR_NONE,
                 ir_info[op].n_args > 2 ? c : IR_NONE);
}

static inline ir_val between(struct lift *l)
{
    struct ir *ir = l->ir;
    unsigned lane = roll(l->d, 4), t = word_type(l), f = float_type(l);
    ir_val a = some_value(l, IR_V128);

    switch (roll(l->d, 13)) {
    case 0: return ir_v1(ir, IRO_vlow, lane, 0, a);
    case 1: return ir_v1(ir, IRO_vdup, lane, 0, some_value(l, t));
    case 2: return ir_v1(ir, IRO_vfromi, 0, 0, some_value(l, t));
    case 3: return ir_v1(ir, IRO_vfromf, 0, 0, some_value(l, f));
    case 4:
        t = lane == 3 ? IR_I64 : t;
        return ir_op(ir, roll(l->d, 2) ? IRO_vget : IRO_vgets, t, lane, roll(l->d, 16u >> lane),
                         a, IR_NONE, IR_NONE);
    case 5: return ir_v2(ir, IRO_vset, lane, roll(l->d, 16u >> lane), a, some_value(l, t));
    case 6: return ir_v2(ir, IRO_vmov, lane, roll(l->d, 16u >> lane) | roll(l->d, 16u >> lane) << 4,
                         a, some_value(l, IR_V128));
    case 7: return ir_v1(ir, IRO_vdupl, lane, roll(l->d, 16u >> lane), a);
    case 8: return ir_v1(ir, IRO_vhigh, 0, 0, a);
    case 9: return ir_v2(ir, IRO_vcat, 0, 0, a, some_value(l, IR_V128));
    case 10: return ir_conv(ir, IRO_vtof, f, a);
    case 11: return ir_conv(ir, IRO_fbits, f == IR_F64 ? IR_I64 : t, some_value(l, f));
    default: return ir_conv(ir, IRO_fbits, f, some_value(l, f == IR_F64 ? IR_I64 : t));
    }
}

static inline ir_val floating(struct lift *l)
{
    static const uint8_t rounding[] = {FP_RN, FP_RP, FP_RM, FP_RZ, FP_RA, IR_ROUND_CURRENT};
    unsigned f = float_type(l), op = IRO_fadd + roll(l->d, IRO_frecpx - IRO_fadd + 1);
    unsigned r = rounding[roll(l->d, 6)], uns = roll(l->d, 2), t = word_type(l);
    unsigned lane = f == IR_F64 ? 3 : f == IR_F32 ? 2 : 1, n = 16u >> lane >> roll(l->d, 2);
    ir_val a = some_value(l, f), b = some_value(l, f), c = some_value(l, f);

    switch (roll(l->d, 16)) {
    case 0: return ir_op(l->ir, IRO_fcvt, f == IR_F64 ? IR_F32 : IR_F64, 0, 0, a, IR_NONE, IR_NONE);
    case 7: return ir_v1(l->ir, roll(l->d, 2) ? IRO_vfcvtl : IRO_vfcvtn, 1 + roll(l->d, 2), 0,
                         some_value(l, IR_V128));
    case 8: return ir_v1(l->ir, IRO_vf2i, lane, n | IR_F2I(r, uns, 0) << 8, some_value(l, IR_V128));
    case 9: return ir_v1(l->ir, IRO_vi2f, lane, n | IR_F2I(0, uns, 0) << 8, some_value(l, IR_V128));
    case 10: return ir_v1(l->ir, IRO_vfrint, lane, n | (uint64_t)r << 8, some_value(l, IR_V128));
    case 11:
        return f == IR_F64 ? ir_op(l->ir, IRO_fjcvt, IR_I64, 0, 0, a, IR_NONE, IR_NONE)
                           : ir_op(l->ir, IRO_fcvt, IR_F16 + (f == IR_F16), 0, 0, a, IR_NONE, IR_NONE);
    case 1: return ir_op(l->ir, IRO_f2i, t, 0, IR_F2I(r, uns, 0), a, IR_NONE, IR_NONE);
    case 2: return ir_op(l->ir, IRO_i2f, f, 0, IR_F2I(0, uns, 0), some_value(l, t), IR_NONE, IR_NONE);
    case 3: return ir_op(l->ir, IRO_frint, f, 0, r, a, IR_NONE, IR_NONE);
    case 4:
    case 5:
    case 6:
        do
            op = IRO_vfadd + roll(l->d, IRO_vfcgt - IRO_vfadd + 1);
        while (op == IRO_vfmlal);
        return ir_v3(l->ir, op, lane, n, some_value(l, IR_V128),
                     ir_info[op].n_args > 1 ? some_value(l, IR_V128) : IR_NONE,
                     ir_info[op].n_args > 2 ? some_value(l, IR_V128) : IR_NONE);
    }
    return ir_op(l->ir, op, f, 0, 0, a, ir_info[op].n_args > 1 ? b : IR_NONE,
                 ir_info[op].n_args > 2 ? c : IR_NONE);
}

/* An address: mostly in memory, sometimes beside it, sometimes anything.  x0 never changes. */
static inline ir_val address(struct lift *l)
{
    struct ir *ir = l->ir;
    ir_val base = ir_get(ir, S_X), i = some_value(l, IR_I64);
    bool far = roll(l->d, 12 << l->set->memory) == 0;
    int64_t off = far ? (int64_t)roll(l->d, 3 * MEM_SIZE) - MEM_SIZE : roll(l->d, MEM_SIZE - 16);

    if (roll(l->d, 3) == 0)
        off &= ~15ll;
    switch (roll(l->d, 6)) {
    case 0:
        if (roll(l->d, 8) == 0)
            return ir_shift_imm(ir, IRO_shl, ir_const(ir, IR_I64, (MEM_AT + (uint64_t)off) >> 3), 3);
        i = ir_add(ir, base, ir_shift_imm(ir, IRO_shl, ir_and_imm(ir, i, 255), roll(l->d, 4)));
        return roll(l->d, 2) ? keep(l, i) : i;
    case 1: return ir_add(ir, ir_add_imm(ir, base, off & 1023), ir_and_imm(ir, i, far ? 8191 : 2047));
    case 2: return ir_const(ir, IR_I64, MEM_AT + (uint64_t)off);
    case 3:
        if (roll(l->d, 8) == 0 && far) /* where nothing is mapped, or no address at all */
            return ir_or(ir, ir_and_imm(ir, i, 0xffffffff),
                         ir_const(ir, IR_I64, roll(l->d, 2) ? 0x3000ull << 32 : 1ull << 54));
        if (l->set->untag && roll(l->d, 2))
            return ir_or(ir, ir_add_imm(ir, base, off),
                         ir_const(ir, IR_I64, (uint64_t)roll(l->d, 256) << 56));
        /* fall through */
    default: return ir_add_imm(ir, base, off);
    }
}

static inline ir_val memory(struct lift *l)
{
    struct ir *ir = l->ir;
    ir_val a = address(l), v;
    unsigned t = int_type(l), size, op;
    enum ir_order order = roll(l->d, 3) ? IR_RELAXED : roll(l->d, 4);

    if (t < IR_I8)
        t = IR_I32;
    size = roll(l->d, t - IR_I8 + 1);
    if (roll(l->d, 4) == 0)
        t = roll(l->d, 2) ? IR_V128 : float_type(l);
    if (ir_is_vec(t))
        size = t == IR_V128 ? 4 : t - IR_F16 + 1;
    switch (roll(l->d, 8)) {
    case 0:
        if (ir_is_vec(t))
            return ir_atomic(ir, IRO_cas, IR_V128, ir_mem(4, false, order), ir_and_imm(ir, a, ~15ull),
                             some_value(l, IR_V128), some_value(l, IR_V128));
        if (t < IR_I32)
            t = IR_I32;
        op = IRO_cas + roll(l->d, IRO_fumina - IRO_cas + 1);
        v = some_value(l, t);
        return ir_atomic(ir, op, t, ir_mem(size, false, order), a, v,
                         op == IRO_cas ? some_value(l, t) : IR_NONE);
    case 1:
        if (roll(l->d, 2))
            ir_fence(ir, 1 + roll(l->d, 3));
        else
            ir_store2(ir, a, some_value(l, IR_V128), some_value(l, IR_V128));
        return IR_NONE;
    case 2:
    case 3:
    case 4: ir_store(ir, ir_mem(size, false, order), a, some_value(l, t)); return IR_NONE;
    }
    return ir_load(ir, t, ir_mem(size, !ir_is_vec(t) && roll(l->d, 2), order), a);
}

static inline ir_val helper(struct lift *l)
{
    ir_val a[3] = {IR_NONE, IR_NONE, IR_NONE};
    unsigned n = roll(l->d, 4), same = roll(l->d, 6);

    for (unsigned i = 0; i < n; i++)
        a[i] = i && same == 0 ? a[0] : some_value(l, same == 1 ? int_type(l) : IR_I64);
    return ir_call(l->ir, n + (l->set->full_calls && roll(l->d, 2) ? 4 : 0), a[0], a[1], a[2]);
}

static inline void set_some(struct lift *l)
{
    static const uint8_t types[] = {IR_I64, IR_I64, IR_I64, IR_V128, IR_V128, IR_I1, IR_I32,
                                    IR_F32, IR_F64, IR_I8, IR_I16};
    unsigned t = types[roll(l->d, l->set->small_types ? 11 : 7)], slot = slot_of(l, t);

    if (slot != S_X)
        ir_set(l->ir, slot, some_value(l, t));
}

/* One of most kinds that rarely leaves, else all regions would end early. */
static inline void check(struct lift *l)
{
    ir_val c = roll(l->d, 2) ? flag_condition(l) : condition(l);

    if (roll(l->d, 4))
        c = ir_and(l->ir, c, flag_condition(l));
    ir_check(l->ir, c, 1 + roll(l->d, 9), number(l));
}

static inline void step(struct lift *l, unsigned kind)
{
    ir_val v = IR_NONE;

    if (l->set->fp_flush && roll(l->d, 3))
        kind = 7;
    switch (kind) {
    case 0:
    case 1: v = memory(l); break;
    case 2: v = condition(l); break;
    case 3: flags(l); break;
    case 4: v = flag_condition(l); break;
    case 5: v = conversion(l); break;
    case 6: v = vector(l); break;
    case 7: v = floating(l); break;
    case 8: v = between(l); break;
    case 9: v = helper(l); break;
    case 10: check(l); break;
    default: v = arithmetic(l); break;
    }
    if (v.id) {
        unsigned t = ir_type_of(l->ir, v), slot;

        keep(l, v);
        if (roll(l->d, 2) && t != IR_F16 && (slot = slot_of(l, t)) != S_X)
            ir_set(l->ir, slot, v);
    }
    if (roll(l->d, 4) == 0)
        set_some(l);
}

static inline uint64_t block_pc(unsigned block)
{
    return FIRST_PC + BLOCK_STEP * (uint64_t)block;
}

/* Going back costs fuel, so that every loop ends. */
static inline void go_back(struct lift *l, ir_val cond, uint64_t ahead)
{
    struct ir *ir = l->ir;
    ir_val left = ir_add_imm(ir, ir_get(ir, S_FUEL), -1);
    unsigned to = l->block - roll(l->d, l->block + 1 < 4 ? l->block + 1 : 4);

    ir_set(ir, S_FUEL, left);
    cond = ir_and(ir, cond, ir_cmp(ir, IRO_slt, ir_const(ir, IR_I64, 0), left));
    if (roll(l->d, 2))
        ir_goto_if(ir, ir_not(ir, cond), ahead, block_pc(to));
    else
        ir_goto_if(ir, cond, block_pc(to), ahead);
}

static inline void terminate(struct lift *l)
{
    struct ir *ir = l->ir;
    uint64_t next = block_pc(l->block + 1), far = block_pc(l->block + 2 + roll(l->d, 3));
    ir_val c = roll(l->d, 2) ? flag_condition(l) : roll(l->d, 3) ? condition(l)
                                                                 : some_value(l, IR_I1);

    if (roll(l->d, 8) == 0)
        next = 0x80000;
    switch (roll(l->d, 12)) {
    case 0: ir_goto(ir, roll(l->d, 2) ? next : far); break;
    case 1:
        if (roll(l->d, 4))
            ir_goto_if(ir, c, next, far);
        else
            ir_goto_ind(ir, roll(l->d, 2) ? some_value(l, IR_I64) : ir_const(ir, IR_I64, next),
                        roll(l->d, 3), 0x77);
        break;
    case 2:
        if (roll(l->d, 4))
            ir_goto_if(ir, c, far, next);
        else
            ir_trap(ir, 1 + roll(l->d, 9), number(l), number(l));
        break;
    case 3: ir_goto_if(ir, c, 0x90000 + number(l) % 64, next); break;
    case 4: ir_goto_if(ir, c, next, ~0x90000ull); break;
    case 5: ir_goto_call(ir, roll(l->d, 2) ? next : 0x123456789abcull, 0x88); break;
    case 6:
    case 7: ir_goto_if(ir, c, next, far); break;
    default: go_back(l, c, roll(l->d, 3) ? next : far); break;
    }
}

static inline bool is_terminator(const struct setup *s, struct dice d, unsigned *kind)
{
    *kind = roll(&d, 24);
    return *kind > 21 && s->flow;
}

static inline void lift_region(struct ir *ir, const uint8_t *data, size_t len, const struct setup *s)
{
    size_t chunks = (len + RANDOM_STEP - 1) / RANDOM_STEP;
    struct lift l = {.ir = ir, .set = s, .n_blocks = 1};
    struct dice last = s->state;
    uint64_t at = FIRST_PC;
    unsigned kind;

    ir_reset(ir);
    ir->plain = s->plain;
    for (size_t i = 1; i < chunks && l.n_blocks < RANDOM_MAX_BLOCKS; i++)
        l.n_blocks += is_terminator(s, dice_at(data, len, i), &kind);
    for (unsigned i = 0; i < l.n_blocks; i++)
        ir_plan(ir, block_pc(i), 0);
    ir_start_block(ir, 0);
    for (size_t i = 1; i < chunks; i++) {
        struct dice d = dice_at(data, len, i);
        bool ends = is_terminator(s, d, &kind);

        d.s ^= 0x5555;
        l.d = &d;
        ir_at(ir, at);
        at += 4;
        if (!ends) {
            step(&l, kind);
        } else if (l.block + 1 < l.n_blocks) {
            terminate(&l);
            l.block++;
            if (roll(&d, 24) == 0 && l.block + 1 < l.n_blocks)
                l.block++; /* planned, but never lifted */
            ir_start_block(ir, l.block);
            memset(l.n_recent, 0, sizeof(l.n_recent));
            at = block_pc(l.block);
        }
    }
    l.d = &last;
    ir_at(ir, at);
    if (roll(&last, 2))
        terminate(&l);
    else
        ir_goto(ir, 0x90000);
    ir_finish(ir);
}

#endif
