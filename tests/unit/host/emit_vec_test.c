/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Vector and floating-point code of the x86-64 back end against the evaluation functions: every
 * operation, lane and kind of immediate, on random and extreme operands, in all rounding directions,
 * with and without the host's newer instruction sets.  Results and cumulative flags must be the same.
 */
#include <sys/mman.h>
#include <xmmintrin.h>

#include "base/softfloat.h"
#include "host/host.h"
#include "ir/build.h"
#include "ir/eval.h"
#include "tests/test.h"

enum { N_SLOTS = 40, N_VEC = 32, RESULT = 3 };

/* What translated code sees of a CPU. */
static struct {
    union ir_u slot[N_SLOTS], scratch[4];
    void *entry[HOST_NUM_EP];
    struct fp_env fp;
    uint64_t pc, other;
    uint64_t shadow, shadow_base, c_stack;
    uint8_t frame[HOST_FRAME] __attribute__((aligned(16)));
    uint8_t stack[4096] __attribute__((aligned(64)));
} cpu;

static struct ir_slot slots[N_SLOTS];
static struct ir *ir;
static struct host *host;
static uint8_t *code;
static uint32_t stubs_len;
static uint64_t rng = 88172645463325252;

enum { NO_AVX = 1, NO_FMA = 4, NO_CRYPTO = 8, CODE_SIZE = 1 << 17 };

static void evaluate(void *block, const struct ir_how *how)
{
    (void)block;
    ir_info[how->op].eval(&cpu.scratch[3], cpu.scratch, how, &cpu.fp);
}

static bool open_host(unsigned features_off)
{
    const char *base = (const char *)&cpu;
    struct host_layout lay = {
        .scratch = (uint32_t)((char *)cpu.scratch - base),
        .entry_points = (uint32_t)((char *)cpu.entry - base),
        .pc = (uint32_t)((char *)&cpu.pc - base),
        .stop = (uint32_t)((char *)&cpu.other - base),
        .attention = (uint32_t)((char *)&cpu.other - base),
        .fp = (uint32_t)((char *)&cpu.fp - base),
        .frame = (uint32_t)((char *)cpu.frame - base),
        .shadow = (uint32_t)((char *)&cpu.shadow - base),
        .shadow_base = (uint32_t)((char *)&cpu.shadow_base - base),
        .c_stack = (uint32_t)((char *)&cpu.c_stack - base),
    };

    cpu.shadow = cpu.shadow_base = (uint64_t)(uintptr_t)(cpu.stack + sizeof(cpu.stack) - HOST_SHADOW_TOP);

    for (unsigned i = 0; i < N_SLOTS; i++)
        slots[i] = (struct ir_slot){.name = "slot", .off = 16 * i};
    ir = ir_new(slots, N_SLOTS, NULL, 0);
    host = host_new(&lay, features_off);
    code = mmap(NULL, CODE_SIZE, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
                -1, 0);
    if (!CHECK(code != MAP_FAILED))
        return false;
    stubs_len = host_stubs(host, code, CODE_SIZE, cpu.entry);
    cpu.entry[HOST_EP_EVAL] = (void *)evaluate;
    return true;
}

static uint64_t random64(void)
{
    rng ^= rng << 13;
    rng ^= rng >> 7;
    rng ^= rng << 17;
    return rng;
}

/* --- Operands --- */

static uint32_t random_f32(void)
{
    static const uint32_t odd[] = {
        0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000, 0xff800000, 0x7fc00001,
        0x7f800001, 0xffc00000, 0x00800000, 0x80800000, 0x00000001, 0x007fffff, 0x7f7fffff,
        0x3f000000, 0xbf000000, 0x4f000000, 0x4f800000, 0xcf000000, 0x5f000000, 0x5f800000,
        0xdf000000, 0x3effffff, 0x4b000000, 0x4affffff, 0x40200000, 0x3fc00000, 0x00ffffff,
        0x3f7fffff, 0x3f800001, 0xcf000001, 0x4effffff,
    };

    switch (random64() % 4) {
    case 0:
        return (uint32_t)random64();
    case 1:
        return (random64() & 0x80ffffff) | 0x3f000000;
    default:
        return odd[random64() % (sizeof(odd) / sizeof(odd[0]))];
    }
}

static uint64_t random_f64(void)
{
    static const uint64_t odd[] = {
        0x0000000000000000, 0x8000000000000000, 0x3ff0000000000000, 0xbff0000000000000,
        0x7ff0000000000000, 0xfff0000000000000, 0x7ff8000000000001, 0x7ff0000000000001,
        0xfff8000000000000, 0x0010000000000000, 0x8010000000000000, 0x0000000000000001,
        0x000fffffffffffff, 0x7fefffffffffffff, 0x3fe0000000000000, 0xbfe0000000000000,
        0x41e0000000000000, 0x41f0000000000000, 0xc1e0000000000000, 0x43e0000000000000,
        0x43f0000000000000, 0xc3e0000000000000, 0x41dfffffffe00000, 0x41efffffffe00000,
        0x4004000000000000, 0x3ff8000000000000, 0x001fffffffffffff, 0x3fefffffffffffff,
        0x3ff0000000000001, 0x4330000000000000, 0x432fffffffffffff, 0xc1e0000000200000,
        0x3810000000000000, 0x380fffffffffffff, 0x47efffffe0000000,
    };

    switch (random64() % 4) {
    case 0:
        return random64();
    case 1:
        return (random64() & 0x801fffffffffffff) | 0x3fe0000000000000;
    default:
        return odd[random64() % (sizeof(odd) / sizeof(odd[0]))];
    }
}

/* Lanes of 0, 1, the extremes, or anything. */
static void random_lanes(union ir_u *u, unsigned lane)
{
    unsigned bits = 8u << lane;

    for (unsigned i = 0; i < 2; i++)
        u->d[i] = random64();
    if (random64() & 1)
        return;
    for (unsigned i = 0; i < 16; i += 1u << lane) {
        uint64_t extreme[] = {0, 1, ~0ull >> (65 - bits), 1ull << (bits - 1), ~0ull};

        memcpy(&u->b[i], &extreme[random64() % 5], 1u << lane);
    }
}

static void random_operand(union ir_u *u, unsigned type, unsigned lane, bool fp)
{
    random_lanes(u, lane);
    if (!fp || ir_is_int(type))
        return;
    for (unsigned i = 0; i < 4 && lane == 2; i++)
        u->s[i] = random_f32();
    for (unsigned i = 0; i < 2 && lane == 3; i++)
        u->d[i] = random_f64();
}

/* --- One operation --- */

struct shape {
    enum ir_opcode op;
    unsigned type, arg[3]; /* IR_VOID: no such operand */
    unsigned lane;
    uint64_t imm;
    unsigned in_lane; /* what the operands' lanes should look like */
};

/* Scalars come from vector slots, as a guest's do. */
static ir_val operand(const struct shape *s, unsigned i)
{
    bool scalar = s->arg[i] >= IR_F16 && s->arg[i] <= IR_F64;
    ir_val v;

    if (s->arg[i] == IR_VOID)
        return IR_NONE;
    slots[i].type = scalar ? IR_V128 : s->arg[i];
    v = ir_get(ir, i);
    return scalar ? ir_conv(ir, IRO_vtof, s->arg[i], v) : v;
}

static bool translate(const struct shape *s)
{
    struct host_job job = {.ir = ir, .buf = code + stubs_len, .cap = CODE_SIZE - stubs_len};
    ir_val v;

    ir_reset(ir);
    ir_start_block(ir, ir_plan(ir, 0x1000, 0));
    ir_at(ir, 0x1000);
    v = ir_op(ir, s->op, s->type, s->lane, s->imm, operand(s, 0), operand(s, 1), operand(s, 2));
    if (s->type >= IR_F16 && s->type <= IR_F64)
        v = ir_conv(ir, IRO_vfromf, IR_V128, v);
    slots[RESULT].type = ir_is_vec(s->type) ? IR_V128 : s->type;
    ir_set(ir, RESULT, v);
    ir_goto(ir, 0x2000);
    ir_finish(ir);
    return CHECK_EQ(host_compile(host, &job), 0);
}

static uint32_t host_flags(void)
{
    static const uint8_t flag[6] = {FP_IOC, 0, FP_DZC, FP_OFC, FP_UFC, FP_IXC};
    uint32_t csr = _mm_getcsr(), flags = 0;

    for (unsigned i = 0; i < 6; i++)
        if (csr >> i & 1)
            flags |= flag[i];
    return flags;
}

static void run(void)
{
    static const uint8_t rounding[4] = {[FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3};
    uint32_t csr = _mm_getcsr();

    _mm_setcsr(0x1f80 | (uint32_t)rounding[cpu.fp.rounding] << 13);
    host_enter(host)(&cpu, code + stubs_len);
    cpu.fp.flags |= host_flags();
    _mm_setcsr(csr);
}

static bool same(const struct shape *s, unsigned n_args)
{
    struct ir_how how = {.op = s->op, .type = s->type, .arg_type = s->arg[0], .lane = s->lane,
                         .imm = s->imm};
    struct fp_env fp = {.rounding = random64() & 3};
    union ir_u a[3], want;

    for (unsigned i = 0; i < n_args; i++) {
        random_operand(&cpu.slot[i], s->arg[i], s->in_lane, ir_info[s->op].effects == IR_FP);
        if (i && random64() % 8 == 0)
            cpu.slot[i] = cpu.slot[i - 1];
        a[i] = cpu.slot[i];
        if (s->arg[i] != IR_V128)
            a[i].q = a[i].d[0] & ir_mask(s->arg[i]);
    }
    cpu.fp = fp;
    memset(&cpu.slot[RESULT], 0, sizeof(cpu.slot[RESULT]));
    run();
    ir_info[s->op].eval(&want, a, &how, &fp);
    return both(both(CHECK_EQ(cpu.slot[RESULT].d[0], want.d[0]), CHECK_EQ(cpu.slot[RESULT].d[1], want.d[1])),
                CHECK_EQ(cpu.fp.flags, fp.flags));
}

static void check(struct shape s)
{
    bool fp = ir_info[s.op].effects == IR_FP;
    unsigned n = ir_info[s.op].n_args;

    for (unsigned i = n; i < 3; i++)
        s.arg[i] = IR_VOID;
    if (!translate(&s))
        return;
    for (unsigned i = 0; i < (fp ? 400 : 60); i++) {
        if (same(&s, n))
            continue;
        printf("    %s: type %u from %u, lane %u, imm %#llx, rounding %u\n", ir_info[s.op].name,
               s.type, s.arg[0], s.lane, (unsigned long long)s.imm, cpu.fp.rounding);
        for (unsigned k = 0; k < n; k++)
            printf("    operand %u: %016llx %016llx\n", k, (unsigned long long)cpu.slot[k].d[1],
                   (unsigned long long)cpu.slot[k].d[0]);
        return;
    }
}

static void check_v(enum ir_opcode op, unsigned lane, uint64_t imm, unsigned in_lane)
{
    check((struct shape){op, IR_V128, {IR_V128, IR_V128, IR_V128}, lane, imm, in_lane});
}

/* --- Families --- */

/* Which immediates an operation takes: [first, last] for that lane. */
static void imm_range(enum ir_opcode op, unsigned lane, unsigned *first, unsigned *last)
{
    unsigned bits = 8u << lane;

    *first = *last = 0;
    if (op == IRO_vshli)
        *last = bits - 1;
    else if (op == IRO_vushri || op == IRO_vsshri)
        *last = bits;
    else if (op == IRO_vurshri || op == IRO_vsrshri)
        *first = 1, *last = bits;
    else if (op == IRO_vext)
        *last = 15;
    else if (op == IRO_vrev)
        *first = lane + 1, *last = 3;
}

static bool has_lane(enum ir_opcode op, unsigned lane)
{
    if (op >= IRO_vsqdmulh && op <= IRO_vsqrdmulh)
        return lane == 1 || lane == 2;
    switch (op) {
    case IRO_vsqdmull:
        return lane == 1 || lane == 2;
    case IRO_vcnt:
    case IRO_vrbit:
    case IRO_vpmul:
        return lane == 0;
    case IRO_vpmull:
        return lane == 0 || lane == 3;
    case IRO_vurecpe:
    case IRO_vursqrte:
    case IRO_vudot:
    case IRO_vsdot:
        return lane == 2;
    default:
        break;
    }
    return lane < 3 || op < IRO_vuxtl || op > IRO_vsminv || op == IRO_vaddv;
}

static void check_integer(void)
{
    for (unsigned op = IRO_vand; op <= IRO_vtbl; op++)
        for (unsigned lane = 0; lane < 4; lane++) {
            unsigned first, last;

            if (!has_lane(op, lane))
                continue;
            if (op >= IRO_vaddv && op <= IRO_vsminv) {
                check_v(op, lane, 16u >> lane, lane);
                check_v(op, lane, 8u >> lane, lane);
                continue;
            }
            imm_range(op, lane, &first, &last);
            for (unsigned imm = first; imm <= last; imm++)
                check_v(op, lane, imm, op == IRO_vushl || op == IRO_vsshl ? 0 : lane);
        }
    for (unsigned op = IRO_aese; op <= IRO_sm4ekey; op++)
        check_v(op, 2, 0, 2);
}

static void check_lanes_of(unsigned type)
{
    check((struct shape){IRO_vfromi, IR_V128, {type}, 0, 0, 2});
    for (unsigned lane = 0; lane < 4; lane++) {
        check((struct shape){IRO_vdup, IR_V128, {type}, lane, 0, 2});
        for (unsigned i = 0; i < 16u >> lane; i++) {
            check((struct shape){IRO_vget, type, {IR_V128}, lane, i, lane});
            check((struct shape){IRO_vgets, type, {IR_V128}, lane, i, lane});
            check((struct shape){IRO_vset, IR_V128, {IR_V128, type}, lane, i, lane});
        }
    }
}

static void check_moves(void)
{
    check_lanes_of(IR_I32);
    check_lanes_of(IR_I64);
    for (unsigned lane = 0; lane < 4; lane++) {
        check_v(IRO_vlow, lane, 0, lane);
        check_v(IRO_vhigh, lane, 0, lane);
        check_v(IRO_vcat, lane, 0, lane);
        for (unsigned i = 0; i < 16u >> lane; i++) {
            check_v(IRO_vdupl, lane, i, lane);
            for (unsigned k = 0; k < 16u >> lane; k++)
                check_v(IRO_vmov, lane, i | k << 4, lane);
        }
    }
    for (unsigned f = IR_F16; f <= IR_F64; f++)
        for (unsigned i = IR_I32; i <= IR_I64; i++) {
            check((struct shape){IRO_fbits, i, {f}, 0, 0, 2});
            check((struct shape){IRO_fbits, f, {i}, 0, 0, 2});
        }
}

static unsigned lane_of(unsigned type)
{
    return type == IR_F64 ? 3 : type == IR_F32 ? 2 : 1;
}

static void check_scalar(unsigned f)
{
    static const unsigned rounding[] = {FP_RN, FP_RP, FP_RM, FP_RZ, FP_RA, IR_ROUND_CURRENT};
    unsigned lane = lane_of(f);

    for (unsigned op = IRO_fadd; op <= IRO_frecpx; op++)
        check((struct shape){op, f, {f, f, f}, 0, 0, lane});
    for (unsigned op = IRO_feq; op <= IRO_fun; op++)
        for (unsigned signalling = 0; signalling < 2; signalling++)
            check((struct shape){op, IR_I1, {f, f}, 0, signalling, lane});
    for (unsigned to = IR_F16; to <= IR_F64; to++)
        if (to != f)
            check((struct shape){IRO_fcvt, to, {f}, 0, 0, lane});
    for (unsigned uns = 0; uns < 2; uns++)
        for (unsigned i = IR_I32; i <= IR_I64; i++) {
            check((struct shape){IRO_i2f, f, {i}, 0, IR_F2I(0, uns, 0), 3});
            check((struct shape){IRO_i2f, f, {i}, 0, IR_F2I(0, uns, 7), 3});
            check((struct shape){IRO_f2i, i, {f}, 0, IR_F2I(FP_RZ, uns, 9), lane});
            for (unsigned k = 0; k < 6; k++)
                check((struct shape){IRO_f2i, i, {f}, 0, IR_F2I(rounding[k], uns, 0), lane});
        }
    for (unsigned k = 0; k < 6; k++) {
        check((struct shape){IRO_frint, f, {f}, 0, rounding[k], lane});
        check((struct shape){IRO_frint, f, {f}, 0, rounding[k] | IR_RINT_EXACT, lane});
    }
}

static void check_packed(unsigned lane, unsigned n)
{
    static const unsigned rounding[] = {FP_RN, FP_RP, FP_RM, FP_RZ, FP_RA, IR_ROUND_CURRENT};

    for (unsigned op = IRO_vfadd; op <= IRO_vfcgt; op++)
        if (op != IRO_vfmlal || (lane == 1 && n <= 4)) /* its result has four lanes */
            check_v(op, lane, n, lane);
    for (unsigned uns = 0; uns < 2; uns++) {
        check_v(IRO_vi2f, lane, n | IR_F2I(0, uns, 0) << 8, lane);
        for (unsigned k = 0; k < 6; k++)
            check_v(IRO_vf2i, lane, n | IR_F2I(rounding[k], uns, 0) << 8, lane);
    }
    for (unsigned k = 0; k < 6; k++) {
        check_v(IRO_vfrint, lane, n | (uint64_t)rounding[k] << 8, lane);
        check_v(IRO_vfrint, lane, n | (uint64_t)(rounding[k] | IR_RINT_EXACT) << 8, lane);
    }
}

static void check_fp(void)
{
    for (unsigned f = IR_F16; f <= IR_F64; f++)
        check_scalar(f);
    for (unsigned lane = 1; lane < 4; lane++)
        for (unsigned n = 1; n <= 16u >> lane; n *= 2)
            check_packed(lane, n);
    for (unsigned lane = 1; lane < 3; lane++) {
        check_v(IRO_vfcvtl, lane, 0, lane);
        check_v(IRO_vfcvtn, lane, 0, lane + 1);
    }
    for (unsigned n = 1; n <= 4; n *= 4)
        check_v(IRO_vbfcvtn, 1, n, 2);
    check_v(IRO_vbfdot, 2, 0, 1);
    check_v(IRO_vbfmmla, 2, 0, 1);
}

/* --- Many values at once: what the allocator does to operands and results --- */

struct live {
    ir_val v;
    union ir_u u;
};
static struct live live[N_SLOTS];

static const struct {
    enum ir_opcode op;
    uint8_t type, arg[3], lane;
    uint64_t imm;
} mix[] = {
    {IRO_vadd, IR_V128, {IR_V128, IR_V128}, 2, 0},
    {IRO_vsub, IR_V128, {IR_V128, IR_V128}, 0, 0},
    {IRO_vmul, IR_V128, {IR_V128, IR_V128}, 0, 0},
    {IRO_vbsl, IR_V128, {IR_V128, IR_V128, IR_V128}, 0, 0},
    {IRO_vsqdmulh, IR_V128, {IR_V128, IR_V128}, 2, 0},
    {IRO_vudot, IR_V128, {IR_V128, IR_V128, IR_V128}, 2, 0},
    {IRO_vclz, IR_V128, {IR_V128}, 2, 0}, /* evaluated */
    {IRO_vtbl, IR_V128, {IR_V128, IR_V128}, 0, 0},
    {IRO_sha256h, IR_V128, {IR_V128, IR_V128, IR_V128}, 2, 0},
    {IRO_sha512su1, IR_V128, {IR_V128, IR_V128, IR_V128}, 3, 0}, /* evaluated */
    {IRO_vfadd, IR_V128, {IR_V128, IR_V128}, 2, 4},
    {IRO_vffma, IR_V128, {IR_V128, IR_V128, IR_V128}, 3, 2},
    {IRO_vfmin, IR_V128, {IR_V128, IR_V128}, 2, 2},
    {IRO_vset, IR_V128, {IR_V128, IR_I64}, 1, 5},
    {IRO_vget, IR_I64, {IR_V128}, 3, 1},
    {IRO_vdup, IR_V128, {IR_I64}, 3, 0},
    {IRO_add, IR_I64, {IR_I64, IR_I64}, 0, 0},
    {IRO_shl, IR_I64, {IR_I64, IR_I64}, 0, 0},
    {IRO_udiv, IR_I64, {IR_I64, IR_I64}, 0, 0},
    {IRO_umulh, IR_I64, {IR_I64, IR_I64}, 0, 0},
};

static struct live *pick(unsigned type)
{
    return type == IR_V128 ? &live[random64() % N_VEC]
                           : &live[N_VEC + random64() % (N_SLOTS - N_VEC)];
}

/* One random operation, replacing a random value. */
static void step(struct fp_env *fp)
{
    unsigned k = random64() % (sizeof(mix) / sizeof(mix[0])), n = ir_info[mix[k].op].n_args;
    struct ir_how how = {.op = mix[k].op, .type = mix[k].type, .arg_type = mix[k].arg[0],
                         .lane = mix[k].lane, .imm = mix[k].imm};
    ir_val v[3] = {IR_NONE, IR_NONE, IR_NONE};
    struct live *to = pick(mix[k].type);
    union ir_u a[3], r;

    for (unsigned i = 0; i < n; i++) {
        struct live *from = pick(mix[k].arg[i]);

        v[i] = from->v;
        a[i] = from->u;
    }
    ir_info[mix[k].op].eval(&r, a, &how, fp);
    to->v = ir_op(ir, mix[k].op, mix[k].type, mix[k].lane, mix[k].imm, v[0], v[1], v[2]);
    to->u = r;
}

static bool many_values(unsigned steps)
{
    struct host_job job = {.ir = ir, .buf = code + stubs_len, .cap = CODE_SIZE - stubs_len};
    struct fp_env fp = {0};

    ir_reset(ir);
    ir_start_block(ir, ir_plan(ir, 0x1000, 0));
    ir_at(ir, 0x1000);
    for (unsigned i = 0; i < N_SLOTS; i++) {
        slots[i].type = i < N_VEC ? IR_V128 : IR_I64;
        random_lanes(&cpu.slot[i], i & 3);
        if (i >= N_VEC)
            cpu.slot[i].d[1] = 0;
        live[i] = (struct live){ir_get(ir, i), cpu.slot[i]};
    }
    for (unsigned i = 0; i < steps; i++)
        step(&fp);
    for (unsigned i = 0; i < N_SLOTS; i++)
        ir_set(ir, i, live[i].v);
    ir_goto(ir, 0x2000);
    ir_finish(ir);
    cpu.fp = (struct fp_env){0};
    if (!CHECK_EQ(host_compile(host, &job), 0))
        return false;
    run();
    for (unsigned i = 0; i < N_SLOTS; i++)
        if (!both(CHECK_EQ(cpu.slot[i].d[0], live[i].u.d[0]),
                  CHECK_EQ(cpu.slot[i].d[1], i < N_VEC ? live[i].u.d[1] : 0)))
            return false;
    return CHECK_EQ(cpu.fp.flags, fp.flags);
}

TEST(emit, many_live_values)
{
    if (!open_host(0))
        return;
    for (unsigned i = 0; i < 200; i++)
        if (!many_values(10 + i))
            return;
}
TEST(emit, many_live_values_without_avx)
{
    if (!open_host(NO_AVX | NO_FMA | NO_CRYPTO))
        return;
    for (unsigned i = 0; i < 200; i++)
        if (!many_values(10 + i))
            return;
}

TEST(emit, integer_vectors)
{
    if (open_host(0))
        check_integer();
}
TEST(emit, integer_vectors_without_avx)
{
    if (open_host(NO_AVX | NO_CRYPTO))
        check_integer();
}
TEST(emit, moves)
{
    if (open_host(0))
        check_moves();
}
TEST(emit, moves_without_avx)
{
    if (open_host(NO_AVX))
        check_moves();
}
TEST(emit, floating_point)
{
    if (open_host(0))
        check_fp();
}
TEST(emit, floating_point_without_avx)
{
    if (open_host(NO_AVX))
        check_fp();
}
TEST(emit, floating_point_without_fma)
{
    if (open_host(NO_FMA))
        check_fp();
}

static const struct test tests[] = {
    CASE_SLOW(emit, many_live_values, 30),
    CASE_SLOW(emit, many_live_values_without_avx, 30),
    CASE_SLOW(emit, integer_vectors, 30),
    CASE_SLOW(emit, integer_vectors_without_avx, 30),
    CASE_SLOW(emit, moves, 30),
    CASE_SLOW(emit, moves_without_avx, 30),
    CASE_SLOW(emit, floating_point, 30),
    CASE_SLOW(emit, floating_point_without_avx, 30),
    CASE_SLOW(emit, floating_point_without_fma, 30),
};
TEST_MAIN(tests)
