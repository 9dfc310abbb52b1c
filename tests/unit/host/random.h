/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Random regions, made from bytes: compiled for the host and run, and compared with the IR
 * interpreter.  All slots, memory, floating-point flags, calls and the way out must be the same.
 *
 * The first eight bytes choose the set-up, each eight more bytes are one step of the guest program:
 * so a failure is made smaller by leaving steps out.
 */
#ifndef TESTS_UNIT_HOST_RANDOM_H
#define TESTS_UNIT_HOST_RANDOM_H

#include "base/err.h"
#include "base/softfloat.h"
#include "host/host.h"
#include "ir/build.h"
#include "ir/interp.h"
#include "ir/pass.h"
#include "ir/text.h"

#include <asm/prctl.h>
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

/* --- The guest --- */

enum { N_X = 24, N_W = 4, N_F = 6, N_Q = 20, N_D = 3, N_S = 3, N_B = 2, N_JC = 64 };

/* What translated code sees of a CPU. */
struct block {
    uint64_t scratch[8] __attribute__((aligned(64)));
    void *ep[HOST_NUM_EP];
    const struct ir_helper *helpers;
    uint32_t stop, attention;
    uint64_t detail, pc;
    struct regs {
        union ir_u q[N_Q];
        uint64_t x[N_X], d[N_D], fuel;
        uint32_t w[N_W], s[N_S];
        uint16_t h[N_B];
        uint8_t f[N_F], b[N_B];
    } r;
    struct fp_env fp;
    uint64_t log; /* a hash of all that was asked of the helpers, in order */
    uint32_t calls, kick;
    bool faulted;
    struct {
        uint64_t pc;
        void *host;
    } jc[N_JC];
};

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

static struct {
    struct ir_slot slots[N_SLOTS];
    char names[N_SLOTS][8];
    struct ir *ir;
    struct host *host[16]; /* by features left out */
    uint8_t *code, *stubs[16];
    void *ep[16][HOST_NUM_EP];
    struct block jit, ref;
    uint8_t ref_mem[MEM_SIZE];
    uint8_t *mem; /* the host's view */
    struct host_job job;
    sigjmp_buf back;
    volatile sig_atomic_t running, lifting;
    unsigned n_run, n_big, n_full, n_fault;
} rig;

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
    bool fp_slow, untag, gs, plain, optimise, attention, counter, out_of_fuel, full_calls, small_types;
    uint32_t cap;
    struct dice state;
};

static inline struct setup choose(const uint8_t *data, size_t len)
{
    struct dice d = dice_at(data, len, 0);
    struct setup s = {.features_off = roll(&d, 2) ? 0 : roll(&d, 16)};

    s.fp_slow = roll(&d, 4) == 0;
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
    if (op >= IRO_vsqdmulh && op <= IRO_vsqrdmlsh)
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
    unsigned f = float_type(l), op = IRO_fadd + roll(l->d, IRO_frsqrts - IRO_fadd + 1);
    unsigned r = rounding[roll(l->d, 6)], uns = roll(l->d, 2), t = word_type(l);
    unsigned lane = f == IR_F64 ? 3 : f == IR_F32 ? 2 : 1, n = 16u >> lane >> roll(l->d, 2);
    ir_val a = some_value(l, f), b = some_value(l, f), c = some_value(l, f);

    switch (roll(l->d, 12)) {
    case 0: return ir_op(l->ir, IRO_fcvt, f == IR_F64 ? IR_F32 : IR_F64, 0, 0, a, IR_NONE, IR_NONE);
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
        if (roll(l->d, 8) == 0 && far)
            return i;
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
        ir_fence(ir, 1 + roll(l->d, 3));
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

static inline void step(struct lift *l, unsigned kind)
{
    ir_val v = IR_NONE;

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

/* --- Both machines --- */

static inline uint64_t mix(uint64_t h, uint64_t v)
{
    h = (h ^ v) * 0x9e3779b97f4a7c15ull;
    return h ^ h >> 29;
}

static inline uint64_t helper_plain(struct block *b, uint64_t x, uint64_t y, uint64_t z)
{
    b->log = mix(mix(mix(b->log, x), y), z);
    if (++b->calls == b->kick)
        b->attention = 1;
    return b->log;
}

static inline uint64_t helper_full(struct block *b, uint64_t x, uint64_t y, uint64_t z)
{
    const uint8_t *r = (const uint8_t *)&b->r;

    for (size_t i = 0; i + 8 <= sizeof(b->r); i += 8) {
        uint64_t w;

        memcpy(&w, r + i, 8);
        b->log = mix(b->log, w);
    }
    helper_plain(b, x, y, z);
    b->log = mix(b->log, b->pc);
    b->r.x[1 + (b->log >> 20) % (N_X - 1)] ^= b->log;
    b->r.q[(b->log >> 28) % N_Q].d[1] ^= b->log;
    b->r.f[(b->log >> 36) % N_F] ^= 1;
    b->r.w[(b->log >> 44) % N_W] ^= (uint32_t)b->log;
    if (b->log % 8 == 7) {
        b->stop = 99;
        b->pc = b->log;
    }
    return b->log;
}

/* Results are the same in both worlds, whatever the registers hold that a call may destroy. */
static inline uint64_t destroy(uint64_t r)
{
    __asm__ volatile("mov $0x1badf00d, %%ecx\n\tmov %%rcx, %%rdx\n\tmov %%rcx, %%rsi\n\t"
                     "mov %%rcx, %%rdi\n\tmov %%rcx, %%r8\n\tmov %%rcx, %%r9\n\t"
                     "mov %%rcx, %%r10\n\tmov %%rcx, %%r11\n\t"
                     "pcmpeqd %%xmm0, %%xmm0\n\tmovaps %%xmm0, %%xmm1\n\tmovaps %%xmm0, %%xmm2\n\t"
                     "movaps %%xmm0, %%xmm3\n\tmovaps %%xmm0, %%xmm4\n\tmovaps %%xmm0, %%xmm5\n\t"
                     "movaps %%xmm0, %%xmm6\n\tmovaps %%xmm0, %%xmm7\n\tmovaps %%xmm0, %%xmm8\n\t"
                     "movaps %%xmm0, %%xmm9\n\tmovaps %%xmm0, %%xmm10\n\tmovaps %%xmm0, %%xmm11\n\t"
                     "movaps %%xmm0, %%xmm12\n\tmovaps %%xmm0, %%xmm13\n\tmovaps %%xmm0, %%xmm14\n\t"
                     "movaps %%xmm0, %%xmm15"
                     ::: "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "xmm0",
                     "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", "xmm9", "xmm10",
                     "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
    return r;
}

#define HELPERS(kind)                                                                              \
    static inline uint64_t kind##0(struct block *b)                                                \
    {                                                                                              \
        return destroy(helper_##kind(b, 0, 0, 0));                                                 \
    }                                                                                              \
    static inline uint64_t kind##1(struct block *b, uint64_t x)                                    \
    {                                                                                              \
        return destroy(helper_##kind(b, x, 0, 0));                                                 \
    }                                                                                              \
    static inline uint64_t kind##2(struct block *b, uint64_t x, uint64_t y)                        \
    {                                                                                              \
        return destroy(helper_##kind(b, x, y, 0));                                                 \
    }                                                                                              \
    static inline uint64_t kind##3(struct block *b, uint64_t x, uint64_t y, uint64_t z)            \
    {                                                                                              \
        return destroy(helper_##kind(b, x, y, z));                                                 \
    }
HELPERS(plain)
HELPERS(full)
#undef HELPERS

/* Out-of-line evaluation, as cpu/ does it. */
static inline void evaluate(struct block *b, const struct ir_how *how)
{
    union ir_u *u = (union ir_u *)(void *)b->scratch, r;

    ir_info[how->op].eval(&r, u, how, &b->fp);
    u[3] = r;
    destroy(0);
}

static const struct ir_helper random_helpers[] = {
    {"plain0", (void *)plain0, false}, {"plain1", (void *)plain1, false},
    {"plain2", (void *)plain2, false}, {"plain3", (void *)plain3, false},
    {"full0", (void *)full0, true},    {"full1", (void *)full1, true},
    {"full2", (void *)full2, true},    {"full3", (void *)full3, true},
};

/* --- The reference --- */

static struct setup now; /* of the region at hand */

static inline uint8_t *ref_at(uint64_t addr, uint64_t memop)
{
    unsigned n = 1u << (memop & IR_MEM_SIZE);

    if (now.untag)
        addr = (uint64_t)((int64_t)(addr << 8) >> 8);
    if (addr < MEM_AT || addr - MEM_AT > MEM_SIZE - n)
        return NULL;
    return rig.ref_mem + (addr - MEM_AT);
}

static inline int ref_load(struct ir_machine *m, uint64_t addr, uint64_t memop, union ir_u *v)
{
    const uint8_t *p = ref_at(addr, memop);

    if (!p)
        return -1;
    memcpy(v, p, 1u << (memop & IR_MEM_SIZE));
    return 0;
}

static inline int ref_store(struct ir_machine *m, uint64_t addr, uint64_t memop, const union ir_u *v)
{
    uint8_t *p = ref_at(addr, memop);

    if (!p)
        return -1;
    memcpy(p, v, 1u << (memop & IR_MEM_SIZE));
    return 0;
}

static inline uint64_t updated(enum ir_opcode op, unsigned bits, uint64_t old, uint64_t b)
{
    int64_t so = (int64_t)(old << (64 - bits)), sb = (int64_t)(b << (64 - bits));
    uint64_t ub = (uint64_t)sb >> (64 - bits);

    switch (op) {
    case IRO_fadda: return old + b;
    case IRO_fanda: return old & b;
    case IRO_fora: return old | b;
    case IRO_fxora: return old ^ b;
    case IRO_fsmaxa: return so > sb ? old : b;
    case IRO_fsmina: return so < sb ? old : b;
    case IRO_fumaxa: return old > ub ? old : b;
    case IRO_fumina: return old < ub ? old : b;
    default: return b;
    }
}

static inline int ref_atomic(struct ir_machine *m, enum ir_opcode op, uint64_t addr, uint64_t memop,
                             const union ir_u *a, const union ir_u *b, union ir_u *old)
{
    unsigned n = 1u << (memop & IR_MEM_SIZE);
    uint8_t *p = ref_at(addr, memop);
    uint64_t v;

    if (!p || (n == 16 && addr % 16))
        return -1;
    memcpy(old, p, n);
    if (op == IRO_cas) {
        if (memcmp(old, a, n) == 0)
            memcpy(p, b, n);
        return 0;
    }
    v = updated(op, 8 * n, old->d[0], a->d[0]);
    memcpy(p, &v, n);
    return 0;
}

static inline void ref_fence(struct ir_machine *m, unsigned kind)
{
}

static inline int ref_call(struct ir_machine *m, uint32_t which, const uint64_t arg[3],
                           uint64_t *result)
{
    struct block *b = m->opaque;

    b->pc = m->pc;
    *result = (which >= 4 ? helper_full : helper_plain)(b, arg[0], arg[1], arg[2]);
    m->pc = b->pc;
    return which >= 4 && b->stop;
}

static inline int ref_poll(struct ir_machine *m)
{
    struct block *b = m->opaque;

    return b->attention != 0;
}

static inline void run_ref(void)
{
    static struct ir_machine m;

    m.state = m.opaque = &rig.ref;
    m.fp = &rig.ref.fp;
    m.load = ref_load;
    m.store = ref_store;
    m.atomic = ref_atomic;
    m.fence = ref_fence;
    m.call = ref_call;
    m.poll = ref_poll;
    switch (ir_interp(rig.ir, &m)) {
    case IR_LEFT_FAULT: rig.ref.faulted = true; break;
    case IR_LEFT_TRAP:
        rig.ref.stop = m.reason;
        rig.ref.detail = m.detail;
        break;
    default: break;
    }
    rig.ref.pc = m.pc;
}

/* --- The host --- */

static inline const struct host_fault *fault_at(uint64_t at)
{
    for (uint32_t i = 0; i < rig.job.n_faults; i++)
        if (rig.job.faults[i].at == at)
            return &rig.job.faults[i];
    return NULL;
}

static inline void on_signal(int sig, siginfo_t *info, void *ucontext)
{
    static const uint8_t order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                      REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                      REG_R12, REG_R13, REG_R14, REG_R15};
    ucontext_t *uc = ucontext;
    greg_t *g = uc->uc_mcontext.gregs;
    const struct host_fault *f =
        sig == SIGSEGV ? fault_at((uint64_t)g[REG_RIP] - (uint64_t)(uintptr_t)rig.job.buf) : NULL;
    uint64_t gpr[16];

    if (!rig.running) {
        signal(sig, SIG_DFL);
        return;
    }
    if (!f)
        siglongjmp(rig.back, sig);
    for (unsigned i = 0; i < 16; i++)
        gpr[i] = (uint64_t)g[order[i]];
    rig.jit.pc = rig.job.pc + host_recover(rig.job.desc + f->desc, rig.slots, (uint8_t *)&rig.jit,
                                           gpr, (const union ir_u *)(void *)uc->uc_mcontext.fpregs->_xmm,
                                           (const uint8_t *)g[REG_RSP]);
    rig.jit.faulted = true;
    g[REG_RAX] = 0;
    g[REG_RIP] = (greg_t)rig.jit.ep[HOST_EP_LEAVE];
}

static inline uint32_t host_flags(uint32_t csr)
{
    static const uint8_t flag[6] = {FP_IOC, 0, FP_DZC, FP_OFC, FP_UFC, FP_IXC};
    uint32_t f = 0;

    for (unsigned i = 0; i < 6; i++)
        if (csr >> i & 1)
            f |= flag[i];
    return f;
}

/* What it left with must make sense: 0, or the data of a thunk whose jump leads there. */
static inline bool good_thunk(uint64_t left)
{
    const uint8_t *data = (const uint8_t *)(uintptr_t)left, *site;
    struct host_thunk t;
    int32_t rel;

    if (!left)
        return true;
    if (data < rig.job.buf || data + sizeof(t) > rig.job.buf + rig.job.len)
        return false;
    memcpy(&t, data, sizeof(t));
    site = data - t.site;
    memcpy(&rel, site, 4);
    return t.pc == rig.jit.pc && site > rig.job.buf && site[-1] == 0xe9 && (uintptr_t)site % 4 == 0 &&
           site + 4 + rel < data && site + 4 + rel >= data - 8;
}

static inline bool enter(uint32_t *csr, uint64_t *left)
{
    static const uint8_t rounding[4] = {[FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3};
    uint32_t mine, in = 0x1f80 | (uint32_t)rounding[rig.jit.fp.rounding] << 13;

    __asm__ volatile("stmxcsr %0" : "=m"(mine));
    __asm__ volatile("ldmxcsr %0" : : "m"(in));
    *left = host_enter(rig.host[now.features_off])(&rig.jit, rig.job.buf);
    __asm__ volatile("stmxcsr %0" : "=m"(*csr));
    __asm__ volatile("ldmxcsr %0" : : "m"(mine));
    return true;
}

static inline void arm_timer(long usec)
{
    struct itimerval t = {.it_value = {usec / 1000000, usec % 1000000}};

    setitimer(ITIMER_VIRTUAL, &t, NULL);
}

/* --- Set-up --- */

static inline void make_slots(void)
{
#define SLOTS(first, n, field, t)                                                                  \
    for (unsigned i = 0; i < (n); i++) {                                                           \
        snprintf(rig.names[(first) + i], 8, #field "%u", i);                                       \
        rig.slots[(first) + i] = (struct ir_slot){                                                 \
            rig.names[(first) + i],                                                                \
            (uint32_t)(offsetof(struct block, r.field) + i * sizeof(rig.jit.r.field[0])), t,       \
            (first) == S_F && i >= N_F / 2};                                                       \
    }
    SLOTS(S_X, N_X, x, IR_I64)
    SLOTS(S_W, N_W, w, IR_I32)
    SLOTS(S_F, N_F, f, IR_I1)
    SLOTS(S_Q, N_Q, q, IR_V128)
    SLOTS(S_D, N_D, d, IR_F64)
    SLOTS(S_S, N_S, s, IR_F32)
    SLOTS(S_H, N_B, h, IR_I16)
    SLOTS(S_B, N_B, b, IR_I8)
#undef SLOTS
    rig.slots[S_FUEL] = (struct ir_slot){"fuel", offsetof(struct block, r.fuel), IR_I64, false};
}

static inline void make_host(unsigned off)
{
    static const struct host_layout lay = {
        .bias = offsetof(struct block, attention) + 128,
        .scratch = offsetof(struct block, scratch),
        .entry_points = offsetof(struct block, ep),
        .helpers = offsetof(struct block, helpers),
        .jc = offsetof(struct block, jc),
        .jc_mask = (N_JC - 1) << 2,
        .stop = offsetof(struct block, stop),
        .detail = offsetof(struct block, detail),
        .pc = offsetof(struct block, pc),
        .attention = offsetof(struct block, attention),
        .fp = offsetof(struct block, fp),
    };

    rig.host[off] = host_new(&lay, off);
    rig.stubs[off] = rig.code + CODE_SIZE / 2 + 4096 + off * 4096;
    host_stubs(rig.host[off], rig.stubs[off], 4096, rig.ep[off]);
    rig.ep[off][HOST_EP_EVAL] = (void *)evaluate;
}

static inline void *map_at(uint64_t at, size_t size, int prot)
{
    void *p = mmap((void *)(uintptr_t)at, size, prot,
                   MAP_PRIVATE | MAP_ANONYMOUS | (at ? MAP_FIXED_NOREPLACE : 0), -1, 0);

    if (p == MAP_FAILED)
        bug("no memory for the test at %#llx", (unsigned long long)at);
    return p;
}

static inline void open_rig(void)
{
    static const int signals[] = {SIGSEGV, SIGBUS, SIGILL, SIGTRAP, SIGFPE, SIGABRT, SIGVTALRM};
    struct sigaction sa = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};

    make_slots();
    rig.ir = ir_new(rig.slots, N_SLOTS, random_helpers, 8);
    rig.code = map_at(0, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC);
    map_at(MEM_AT, MEM_SIZE, PROT_READ | PROT_WRITE);
    map_at(MEM_AT + GS_SHIFT, MEM_SIZE, PROT_READ | PROT_WRITE);
    syscall(SYS_arch_prctl, ARCH_SET_GS, GS_SHIFT);
    for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        sigaction(signals[i], &sa, NULL);
    for (unsigned off = 0; off < 16; off++)
        make_host(off);
}

static inline uint64_t odd_bits(struct dice *d, unsigned lane)
{
    static const uint64_t f64[] = {0, 1ull << 63, 0x3ff0000000000000, 0xbff8000000000000,
                                   0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000001,
                                   0x7ff0000000000001, 1, 0x000fffffffffffff, 0x0010000000000000,
                                   0x7fefffffffffffff, 0x41e0000000000000, 0x43e0000000000000};
    static const uint32_t f32[] = {0, 0x80000000, 0x3f800000, 0xbfc00000, 0x7f800000, 0xff800000,
                                   0x7fc00001, 0x7f800001, 1, 0x007fffff, 0x00800000, 0x7f7fffff,
                                   0x4f000000, 0x5f000000};

    if (lane == 3)
        return f64[roll(d, 14)];
    return f32[roll(d, 14)] | (uint64_t)f32[roll(d, 14)] << 32;
}

static inline void fill_state(struct block *b, const struct setup *s)
{
    struct dice d = s->state;

    memset(b, 0, sizeof(*b));
    b->helpers = random_helpers;
    memcpy(b->ep, rig.ep[s->features_off], sizeof(b->ep));
    for (unsigned i = 0; i < N_X; i++)
        b->r.x[i] = roll(&d, 3) ? roll64(&d) >> roll(&d, 64) : roll(&d, 2) ? -(uint64_t)roll(&d, 9)
                                                                          : roll(&d, 256);
    b->r.x[0] = MEM_AT;
    b->r.fuel = s->out_of_fuel ? 0 : 1 + roll(&d, 12);
    for (unsigned i = 0; i < N_W; i++)
        b->r.w[i] = (uint32_t)(roll64(&d) >> roll(&d, 64));
    for (unsigned i = 0; i < N_F; i++)
        b->r.f[i] = roll(&d, 2);
    for (unsigned i = 0; i < N_B; i++) {
        b->r.h[i] = (uint16_t)roll64(&d);
        b->r.b[i] = (uint8_t)roll64(&d);
    }
    for (unsigned i = 0; i < N_Q; i++)
        for (unsigned k = 0; k < 2; k++)
            b->r.q[i].d[k] = roll(&d, 3) ? odd_bits(&d, 2 + roll(&d, 2)) : roll64(&d);
    for (unsigned i = 0; i < N_D; i++)
        b->r.d[i] = roll(&d, 3) ? odd_bits(&d, 3) : roll64(&d);
    for (unsigned i = 0; i < N_S; i++)
        b->r.s[i] = (uint32_t)(roll(&d, 3) ? odd_bits(&d, 2) : roll64(&d));
    b->fp.rounding = roll(&d, 2) ? FP_RN : roll(&d, 4);
    if (s->fp_slow) {
        b->fp.fz = roll(&d, 2);
        b->fp.fz16 = roll(&d, 2);
        b->fp.dn = roll(&d, 2);
    }
    b->attention = s->attention;
    b->kick = roll(&d, 3) ? 1 + roll(&d, 6) : 0;
    for (unsigned i = 0; i < N_JC; i++) { /* empty, as at the start of a CPU */
        b->jc[i].pc = i == 0 ? ~0ull : 0;
        b->jc[i].host = b->ep[HOST_EP_MISS];
    }
    for (size_t i = 0; i < MEM_SIZE; i += 8) {
        uint64_t w = roll64(&d) >> roll(&d, 64);

        memcpy(rig.ref_mem + i, &w, 8);
    }
}

/* --- The property --- */

static inline const char *difference(uint64_t left, uint32_t csr)
{
    static char text[200];
    const struct block *j = &rig.jit, *r = &rig.ref;

    if (j->faulted != r->faulted || j->stop != r->stop || j->pc != r->pc || j->detail != r->detail) {
        snprintf(text, sizeof(text), "left with fault %d stop %u pc %#llx, want %d %u %#llx",
                 j->faulted, j->stop, (unsigned long long)j->pc, r->faulted, r->stop,
                 (unsigned long long)r->pc);
        return text;
    }
    for (unsigned i = 0; i < N_SLOTS; i++) {
        const uint8_t *a = (const uint8_t *)j + rig.slots[i].off;
        const uint8_t *b = (const uint8_t *)r + rig.slots[i].off;
        unsigned n = rig.slots[i].type == IR_I1 ? 1 : ir_bits(rig.slots[i].type) / 8;
        union ir_u g = {.q = 0}, w = {.q = 0};

        if (!memcmp(a, b, n))
            continue;
        memcpy(&g, a, n);
        memcpy(&w, b, n);
        snprintf(text, sizeof(text), "%s is %016llx%016llx, want %016llx%016llx (%s)",
                 rig.slots[i].name, (unsigned long long)g.d[1], (unsigned long long)g.d[0],
                 (unsigned long long)w.d[1], (unsigned long long)w.d[0],
                 j->faulted ? "at a fault" : "at an exit");
        return text;
    }
    if (memcmp(&j->r, &r->r, sizeof(j->r)))
        return "bytes between slots were written";
    for (unsigned i = 0; i < MEM_SIZE; i++)
        if (rig.mem[i] != rig.ref_mem[i]) {
            snprintf(text, sizeof(text), "memory at %#x is %#x, want %#x", i, rig.mem[i],
                     rig.ref_mem[i]);
            return text;
        }
    if (j->log != r->log || j->calls != r->calls)
        return "helpers were called otherwise";
    if ((j->fp.flags | host_flags(csr)) != r->fp.flags) {
        snprintf(text, sizeof(text), "floating-point flags %#x, want %#x",
                 j->fp.flags | host_flags(csr), r->fp.flags);
        return text;
    }
    if (!good_thunk(left))
        return "the thunk does not belong to the exit";
    return NULL;
}

/* Compiles and runs; NULL, or what is wrong. */
static inline const char *compile_and_run(const uint8_t *data, size_t len)
{
    struct err e = {0};
    uint32_t csr;
    uint64_t left;
    int r;

    now = choose(data, len);
    rig.lifting = true;
    lift_region(rig.ir, data, len, &now);
    if (now.optimise || !rig.ir->promoted)
        ir_optimise(rig.ir, now.effort, now.passes_off);
    if (ir_verify(rig.ir, &e) < 0) {
        static char text[sizeof(e.msg)];

        strcpy(text, e.msg);
        return text;
    }
    rig.job = (struct host_job){.ir = rig.ir, .buf = rig.code, .cap = now.cap, .pc = FIRST_PC,
                                .fp_slow = now.fp_slow, .untag = now.untag, .gs_base = now.gs};
    if (now.counter) {
        rig.job.counter = (int32_t *)(void *)(rig.code + CODE_SIZE - 64);
        *rig.job.counter = 5;
    }
    memset(rig.code + now.cap, 0xcc, 64);
    rig.lifting = false;
    arm_timer(4000000);
    r = host_compile(rig.host[now.features_off], &rig.job);
    for (unsigned i = 0; i < 64; i++)
        if (rig.code[now.cap + i] != 0xcc)
            return "code was written beyond the buffer";
    rig.n_full += r == -ENOSPC;
    rig.n_big += r == -E2BIG;
    if (r == -E2BIG || (r == -ENOSPC && now.cap < CODE_SIZE / 2))
        return NULL;
    if (r)
        return "host_compile failed";
    fill_state(&rig.ref, &now);
    fill_state(&rig.jit, &now);
    rig.mem = (uint8_t *)(uintptr_t)(MEM_AT + (now.gs ? GS_SHIFT : 0));
    memcpy(rig.mem, rig.ref_mem, MEM_SIZE);
    arm_timer(2000000);
    run_ref();
    enter(&csr, &left);
    arm_timer(0);
    rig.n_run++;
    rig.n_fault += rig.ref.faulted;
    if (now.counter && *rig.job.counter != 4)
        return "the counter was not counted";
    return difference(left, csr);
}

/* The same; a crash is an answer, too. */
static inline const char *random_try(const uint8_t *data, size_t len)
{
    static char text[80];
    int sig = sigsetjmp(rig.back, 1);
    const char *wrong;

    if (sig) {
        rig.running = false;
        arm_timer(0);
        make_host(now.features_off); /* the old one may be in any state */
        if (rig.lifting) /* so may the region */
            rig.ir = ir_new(rig.slots, N_SLOTS, random_helpers, 8);
        snprintf(text, sizeof(text), "signal %d (%s)", sig, strsignal(sig));
        return text;
    }
    rig.running = true;
    wrong = compile_and_run(data, len);
    rig.running = false;
    arm_timer(0);
    return wrong;
}

/* Leaves out steps as long as something is wrong; returns the new length. */
static inline size_t random_minimise(uint8_t *data, size_t len)
{
    uint8_t *less = malloc(len);

    for (size_t n = len / 2 / RANDOM_STEP * RANDOM_STEP; n >= RANDOM_STEP;
         n = n == RANDOM_STEP ? 0 : n / 2 / RANDOM_STEP * RANDOM_STEP) {
        for (size_t at = RANDOM_STEP; at + n <= len;) {
            memcpy(less, data, at);
            memcpy(less + at, data + at + n, len - at - n);
            if (random_try(less, len - n)) {
                len -= n;
                memcpy(data, less, len);
            } else {
                at += n;
            }
        }
    }
    free(less);
    return len;
}

static inline void random_show(const uint8_t *data, size_t len, const char *name)
{
    const char *wrong = random_try(data, len);
    char file[64], command[200];
    FILE *f;

    printf("%s: %s\n", name, wrong ? wrong : "nothing wrong any more");
    printf("features off %u%s%s%s%s, effort %u, passes off %#x, rounding %u\n", now.features_off,
           now.fp_slow ? ", slow fp" : "", now.untag ? ", untag" : "", now.gs ? ", gs" : "",
           now.plain ? ", plain" : "", now.effort, now.passes_off, rig.ref.fp.rounding);
    ir_print(rig.ir, stdout);
    fflush(stdout);
    snprintf(file, sizeof(file), "/tmp/emu-host-random.%d", (int)getpid());
    f = fopen(file, "w");
    if (!f)
        return;
    fwrite(rig.job.buf, 1, rig.job.len ? rig.job.len : 512, f);
    fclose(f);
    snprintf(command, sizeof(command),
             "objdump -D -b binary -m i386:x86-64 -M intel --no-show-raw-insn %s 2>/dev/null | "
             "tail -n +8", file);
    if (system(command) != 0)
        printf("(no objdump)\n");
    unlink(file);
}

/* Bytes for number @seed. */
static inline size_t random_bytes(uint64_t seed, uint8_t *data, size_t cap)
{
    struct dice d = {seed * 0x2545f4914f6cdd1dull};
    size_t len = RANDOM_STEP * (2 + (roll(&d, 6) == 0 ? roll(&d, (unsigned)(cap / RANDOM_STEP) - 2)
                                                      : roll(&d, 60)));

    for (size_t i = 0; i < len; i += 8) {
        uint64_t w = roll64(&d);

        memcpy(data + i, &w, 8);
    }
    return len;
}

#endif
