/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Floating point in line, by the rules of the Arm ARM (DDI 0487, shared/functions/float) on SSE4.2,
 * AVX, FMA3 and F16C (AMD64 Architecture Programmer's Manual, volume 4).
 *
 * MXCSR holds the guest's rounding direction and collects its exceptions.  The two architectures
 * agree on everything but:
 *   NaNs       which operand a NaN result comes from, and the sign of the default NaN;
 *   tininess   detected by the guest before rounding, by the host after it: only a result rounded up
 *              to the smallest normal number raises underflow there and not here;
 *   integers   what out-of-range conversions give; min and max of NaNs and of zeros.
 * Results that may be concerned (any NaN, magnitude the smallest normal) are evaluated again out of
 * line, so result registers differ from all operands'.  Alternative half-precision modes never get
 * here (job->fp_slow).  Flushing to zero (job->fp_flush) happens rarely, so nothing is computed for
 * it: denormal operands, divisions by zero and tiny results are unmasked exceptions, whose handler goes
 * on out of line.
 *
 * Lanes beyond those to be computed must raise nothing: operands are cleared there first.
 */
#include "base/softfloat.h"
#include "host/x86_64/vec_ops.h"

/* How the host's instructions come: packed or scalar, single or double. */
enum kind { K_PS, K_PD, K_SS, K_SD };

static const uint8_t prefix[4] = {[K_PD] = 0x66, [K_SS] = 0xf3, [K_SD] = 0xf2};

static uint32_t insn(enum kind k, unsigned opc)
{
    return VX(prefix[k], 1, opc);
}
static bool is_double(enum kind k)
{
    return k & 1;
}
static bool is_scalar(enum kind k)
{
    return k >= K_SS;
}
static enum kind scalar_kind(unsigned type)
{
    return type == IR_F64 ? K_SD : K_SS;
}
static enum kind packed_kind(unsigned lane)
{
    return lane == 3 ? K_PD : K_PS;
}

enum { ADD = 0x58, MUL = 0x59, SUB = 0x5c, MIN = 0x5d, DIV = 0x5e, MAX = 0x5f, SQRT = 0x51 };
enum { CMP = 0xc2, CMP_EQ = 0, CMP_LT = 1, CMP_LE = 2, CMP_UNORD = 3, CMP_NLT = 5 };
enum { CMP_EQ_UQ = 8, CMP_NLT_UQ = 0x15 }; /* AVX only */
enum { ROUND_ZERO = 3, ROUND_MXCSR = 4, ROUND_QUIET = 8 };

static struct x64_mem splat_fp(struct x64 *x, enum kind k, uint32_t f32, uint64_t f64)
{
    return is_double(k) ? splat(x, 3, f64) : splat(x, 2, f32);
}
static struct x64_mem abs_mask(struct x64 *x, enum kind k)
{
    return splat_fp(x, k, 0x7fffffff, 0x7fffffffffffffff);
}
static struct x64_mem sign_mask(struct x64 *x, enum kind k)
{
    return splat_fp(x, k, 0x80000000, 0x8000000000000000);
}
static struct x64_mem smallest_normal(struct x64 *x, enum kind k)
{
    return splat_fp(x, k, 0x00800000, 0x0010000000000000);
}

static void ucomis(struct x64 *x, enum kind k, unsigned a, unsigned b)
{
    v2(x, VX(is_double(k) ? 0x66 : 0, 1, 0x2e), a, b);
}
static void round_to(struct x64 *x, enum kind k, unsigned d, unsigned s, unsigned mode)
{
    if (is_scalar(k))
        v3i(x, is_double(k) ? M3A(0x0b) : M3A(0x0a), d, s, s, mode);
    else
        v2i(x, is_double(k) ? M3A(0x09) : M3A(0x08), d, s, mode);
}

/* --- Out of line --- */

/* One operation being emitted: its registers, and the jumps to its evaluation. */
struct fpop {
    struct x64 *x;
    const struct ir_op *op;
    unsigned dst;    /* allocator's number */
    unsigned src[3]; /* the same */
    unsigned n_src;
    enum kind k;
    unsigned d, a, b, c; /* vector registers; a, b, c may be cleaned copies */
};

static struct fpop begin(struct x64 *x, const struct ir_op *op, uint32_t v, enum kind k)
{
    struct fpop f = {.x = x, .op = op, .k = k, .n_src = ir_info[op->op].n_args};

    for (unsigned i = 0; i < f.n_src; i++)
        f.src[i] = ra_use(x, op->arg[i]);
    f.dst = ra_def(x, v);
    f.d = f.dst - X_XMM;
    f.a = f.src[0] - X_XMM;
    f.b = f.src[1] - X_XMM;
    f.c = f.src[2] - X_XMM;
    return f;
}

static void slow(struct fpop *f, enum x64_cc cc)
{
    x_slow(f->x, cc, f->op, f->dst, f->src, f->n_src);
}
/* In two steps, when the condition comes before the result: what is between is skipped. */
static uint32_t slow_from(struct fpop *f, enum x64_cc cc)
{
    return x_slow_from(f->x, cc, f->op, f->dst, f->src, f->n_src);
}

/* Condition "not equal": some lane of mask @m is set.  The scratch register is clobbered. */
static void test_any(struct x64 *x, unsigned m)
{
    v2(x, PS(0x50), X_SCRATCH, m); /* movmskps */
    x64_test_rr(&x->a, 4, X_SCRATCH, X_SCRATCH);
}

static void slow_if_nan(struct fpop *f)
{
    if (is_scalar(f->k)) {
        ucomis(f->x, f->k, f->d, f->d);
        slow(f, CC_P);
    } else {
        v3i(f->x, insn(f->k, CMP), T, f->d, f->d, CMP_UNORD);
        test_any(f->x, T);
        slow(f, CC_NE);
    }
}

/* Unordered sets the host's zero flag, as equal does. */
static void slow_if_nan_or_tiny(struct fpop *f)
{
    struct x64 *x = f->x;

    if (is_scalar(f->k)) {
        v3m(x, ANDPS, T, f->d, abs_mask(x, f->k));
        x64_v2m(&x->a, VX(is_double(f->k) ? 0x66 : 0, 1, 0x2e), T, smallest_normal(x, f->k));
        slow(f, CC_E);
        return;
    }
    if (x->a.f.avx) {
        v3m(x, ANDPS, T, f->d, abs_mask(x, f->k));
        x64_v3mi(&x->a, insn(f->k, CMP), T, T, smallest_normal(x, f->k), CMP_EQ_UQ);
    } else {
        unsigned t = rv_temp(x);

        v3m(x, ANDPS, T, f->d, abs_mask(x, f->k));
        v3m(x, is_double(f->k) ? PCMPEQQ : PCMPEQD, T, T, smallest_normal(x, f->k));
        v3i(x, insn(f->k, CMP), t, f->d, f->d, CMP_UNORD);
        v3(x, POR, T, T, t);
    }
    test_any(x, T);
    slow(f, CC_NE);
}

/* --- Partial vectors --- */

/* How many low bytes of value @v may be other than zero. */
static unsigned bytes_used(struct x64 *x, uint32_t v)
{
    const struct ir_op *o = &x->ir->ops[x_resolve(x, v)];

    if (o->op >= IRO_vfadd && o->op <= IRO_vfrint && o->op != IRO_vfneg && o->op != IRO_vfabs &&
        o->op != IRO_vfmlal)
        return (unsigned)(o->imm & 0xff) << o->lane;
    switch (o->op) {
    case IRO_vfromf:
    case IRO_vfromi:
        return ir_bits(x->ir->ops[o->arg[0]].type) / 8;
    case IRO_vlow:
        return 1u << o->lane;
    case IRO_vhigh:
    case IRO_vxtn:
    case IRO_vfcvtn:
        return 8;
    }
    return 16;
}

/* d = the low @bytes of s. */
static void low_bytes(struct x64 *x, unsigned bytes, unsigned d, unsigned s)
{
    if (bytes == 8)
        v2(x, MOVQ, d, s);
    else if (bytes == 4)
        v3i(x, INSERTPS, d, s, s, 0x0e);
}

/* Register @s with only its low @bytes kept, in @t when something has to be cleared. */
static unsigned keep_bytes(struct x64 *x, unsigned bytes, unsigned s, uint32_t v, unsigned t)
{
    if (bytes_used(x, v) <= bytes)
        return s;
    low_bytes(x, bytes, t, s);
    return t;
}

static unsigned bytes_computed(const struct ir_op *op)
{
    return (unsigned)(op->imm & 0xff) << op->lane;
}
/* Half precision has no in-line arithmetic, other counts than these do not occur. */
static bool packed_ok(const struct ir_op *op)
{
    unsigned bytes = bytes_computed(op);

    return op->lane >= 2 && (bytes == 16 || bytes == 8 || bytes == 4);
}

/* Operands of a packed operation, cleaned: the first to T, the second to a temporary, the third to
 * the result's register. */
static struct fpop begin_packed(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, packed_kind(op->lane));
    unsigned bytes = bytes_computed(op);

    if (bytes == 16)
        return f;
    f.a = keep_bytes(x, bytes, f.a, op->arg[0], T);
    if (f.n_src > 1 && bytes_used(x, op->arg[1]) > bytes)
        f.b = keep_bytes(x, bytes, f.b, op->arg[1], rv_temp(x));
    if (f.n_src > 2)
        f.c = keep_bytes(x, bytes, f.c, op->arg[2], f.d);
    return f;
}

/* --- Arithmetic --- */

static const uint8_t arith_opc[IR_NUM_OPS] = {
    [IRO_fadd] = ADD,  [IRO_fsub] = SUB,  [IRO_fmul] = MUL,  [IRO_fdiv] = DIV,
    [IRO_vfadd] = ADD, [IRO_vfsub] = SUB, [IRO_vfmul] = MUL, [IRO_vfdiv] = DIV,
};
/* Sums that are tiny are exact. */
static bool may_be_tiny(unsigned opc)
{
    return opc == MUL || opc == DIV;
}

bool x64_fp_traps(const struct x64 *x, unsigned op)
{
    return x->a.f.avx && (arith_opc[op] || op == IRO_fsqrt || op == IRO_vfsqrt || op == IRO_ffma ||
                          op == IRO_vffma || op == IRO_fneg || op == IRO_fabs || op == IRO_vfneg ||
                          op == IRO_vfabs);
}

static void arith_finish(struct fpop *f, unsigned opc)
{
    x_trap_here(f->x);
    v3(f->x, insn(f->k, opc), f->d, f->a, f->b);
    if (opc == SUB && !is_scalar(f->k)) /* 0 - 0 is -0 when rounding downwards */
        low_bytes(f->x, bytes_computed(f->op), f->d, f->d);
    if (may_be_tiny(opc))
        slow_if_nan_or_tiny(f);
    else
        slow_if_nan(f);
}
static void emit_arith(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    arith_finish(&f, arith_opc[op->op]);
}

/* Unused lanes of a divisor become 1. */
static unsigned divisor(struct fpop *f, unsigned bytes)
{
    struct x64 *x = f->x;
    unsigned t = rv_temp(x);

    if (bytes == 8) {
        v3m(x, PUNPCKLQDQ, t, f->b, splat_fp(x, f->k, 0x3f800000, 0x3ff0000000000000));
    } else {
        v3i(x, INSERTPS, t, f->b, f->b, 0x0e);
        v3m(x, POR, t, t, x_vconst(x, 0x3f80000000000000, 0x3f8000003f800000));
    }
    return t;
}
static void emit_varith(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned bytes = bytes_computed(op);
    struct fpop f;

    if (!packed_ok(op)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    if (op->op == IRO_vfdiv && bytes < 16)
        f.b = divisor(&f, bytes);
    arith_finish(&f, arith_opc[op->op]);
}

/* The root of a negative denormal, once flushed, is -0; the host finds it invalid before it finds it
 * denormal, so what is negative does not get that far. */
static void sqrt_finish(struct fpop *f)
{
    struct x64 *x = f->x;
    uint32_t stub = 0;

    if (x->job->fp_flush) {
        v2(x, VX(is_double(f->k) ? 0x66 : 0, 1, 0x50), X_SCRATCH, f->a); /* movmskps, movmskpd */
        x64_test_ri(&x->a, 4, X_SCRATCH, is_scalar(f->k) ? 1 : 15);
        stub = slow_from(f, CC_NE);
    }
    x_trap_here(x);
    if (is_scalar(f->k))
        v3(x, insn(f->k, SQRT), f->d, f->a, f->a);
    else
        v2(x, insn(f->k, SQRT), f->d, f->a);
    slow_if_nan(f);
    if (x->job->fp_flush)
        x_slow_back(x, stub);
}
void emit_fsqrt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    sqrt_finish(&f);
}
void emit_vfsqrt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (!packed_ok(op)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    sqrt_finish(&f);
}

/* d = a * b + c, the host's form 231. */
static void fma_finish(struct fpop *f)
{
    uint32_t vi = (is_scalar(f->k) ? M38(0xb9) : M38(0xb8)) | VX_VEXONLY;

    vmov(f->x, f->d, f->c);
    x_trap_here(f->x);
    v3(f->x, is_double(f->k) ? vi | VX_W : vi, f->d, f->a, f->b);
    slow_if_nan_or_tiny(f);
}
void emit_ffma(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16 || !x->a.f.fma) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    fma_finish(&f);
}
void emit_vffma(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (!packed_ok(op) || !x->a.f.fma) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    fma_finish(&f);
}

/* --- Signs --- */

static void sign_op(struct x64 *x, const struct ir_op *op, uint32_t v, unsigned lane, bool neg)
{
    unsigned a = rv_use(x, op->arg[0]), d = rv_def(x, v);
    uint64_t sign = 1ull << ((8u << lane) - 1);

    v3m(x, neg ? XORPS : ANDPS, d, a, splat(x, lane, neg ? sign : sign - 1));
}
static unsigned lane_of(unsigned type)
{
    return type == IR_F64 ? 3 : type == IR_F32 ? 2 : 1;
}
void emit_fneg(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sign_op(x, op, v, lane_of(op->type), true);
}
void emit_fabs(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sign_op(x, op, v, lane_of(op->type), false);
}
void emit_vfneg(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sign_op(x, op, v, op->lane, true);
}
void emit_vfabs(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sign_op(x, op, v, op->lane, false);
}

/* --- Minimum and maximum --- */

static bool is_max(unsigned op)
{
    return op == IRO_fmax || op == IRO_fmaxnm || op == IRO_vfmax || op == IRO_vfmaxnm;
}

/* The host gives the second operand when both are zero: done both ways, the results differ in the
 * sign alone, and the guest wants -0 as the minimum, +0 as the maximum.  NaNs must not reach the
 * instructions, which would raise an exception for quiet ones. */
static void minmax_finish(struct fpop *f)
{
    struct x64 *x = f->x;
    uint32_t vi = insn(f->k, is_max(f->op->op) ? MAX : MIN), stub;
    unsigned t = rv_temp(x);

    if (is_scalar(f->k)) {
        ucomis(x, f->k, f->a, f->b);
        stub = slow_from(f, CC_P);
    } else {
        v3i(x, insn(f->k, CMP), t, f->a, f->b, CMP_UNORD);
        test_any(x, t);
        stub = slow_from(f, CC_NE);
    }
    v3(x, vi, t, f->a, f->b);
    v3(x, vi, f->d, f->b, f->a);
    v3(x, is_max(f->op->op) ? ANDPS : ORPS, f->d, f->d, t);
    x_slow_back(x, stub);
}
static void emit_minmax(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    minmax_finish(&f);
}
static void emit_vminmax(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (!packed_ok(op)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    minmax_finish(&f);
}

/* --- Vector compares: the host's predicates raise what the guest's do --- */

static void vcompare(struct x64 *x, const struct ir_op *op, uint32_t v, bool swap, unsigned how)
{
    unsigned bytes = bytes_computed(op);
    struct fpop f;

    if (!packed_ok(op)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    v3i(x, insn(f.k, CMP), f.d, swap ? f.b : f.a, swap ? f.a : f.b, how);
    low_bytes(x, bytes, f.d, f.d);
}
void emit_vfceq(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    vcompare(x, op, v, false, CMP_EQ);
}
void emit_vfcge(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    vcompare(x, op, v, true, CMP_LE);
}
void emit_vfcgt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    vcompare(x, op, v, true, CMP_LT);
}

/* --- Between widths --- */

static void half_to_single(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, scalar_kind(op->type));

    v3m(x, PAND, T, f.a, x_vconst(x, 0xffff, 0));
    v2(x, M38(0x13), f.d, T); /* vcvtph2ps */
    if (op->type == IR_F64)
        v3(x, SS(0x5a), f.d, f.d, f.d);
    slow_if_nan(&f);
}
/* The result is looked at as an integer: NaN or the smallest normal. */
static void single_to_half(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, K_SS);
    uint32_t stub;

    v3i(x, INSERTPS, T, f.a, f.a, 0x0e);
    v2i(x, M3A(0x1d), T, f.d, 4); /* vcvtps2ph d, T by MXCSR */
    x64_movq_rx(&x->a, 4, X_SCRATCH, f.d);
    x64_alu_ri(&x->a, ALU_AND, 4, X_SCRATCH, 0x7fff);
    x64_alu_ri(&x->a, ALU_CMP, 4, X_SCRATCH, 0x0400);
    stub = slow_from(&f, CC_E);
    x64_alu_ri(&x->a, ALU_CMP, 4, X_SCRATCH, 0x7c00);
    x_slow_also(x, CC_A, stub);
    x_slow_back(x, stub);
}
void emit_fcvt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned from = x->ir->ops[op->arg[0]].type;
    struct fpop f;

    if (from == IR_F16 && x->a.f.f16c) {
        half_to_single(x, op, v);
    } else if (op->type == IR_F16 && from == IR_F32 && x->a.f.f16c) {
        single_to_half(x, op, v);
    } else if (from == IR_F32 && op->type == IR_F64) {
        f = begin(x, op, v, K_SD);
        v3(x, SS(0x5a), f.d, f.a, f.a);
        slow_if_nan(&f);
    } else if (from == IR_F64 && op->type == IR_F32 && !(op->imm & 1)) {
        f = begin(x, op, v, K_SS);
        v3(x, SD(0x5a), f.d, f.a, f.a);
        slow_if_nan_or_tiny(&f);
    } else {
        emit_eval(x, op, v);
    }
}

void emit_vfcvtl(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->lane == 1 && !x->a.f.f16c) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, packed_kind(op->lane + 1));
    v2(x, op->lane == 1 ? M38(0x13) : PS(0x5a), f.d, f.a);
    slow_if_nan(&f);
}
void emit_vfcvtn(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;
    unsigned t;

    if (op->imm & 1 || (op->lane == 1 && !x->a.f.f16c)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, K_PS);
    if (op->lane == 2) {
        v2(x, PD(0x5a), f.d, f.a);
        slow_if_nan_or_tiny(&f);
        return;
    }
    t = rv_temp(x);
    v2i(x, M3A(0x1d), f.a, f.d, 4);
    v3m(x, PAND, T, f.d, splat(x, 1, 0x7fff));
    v3m(x, PCMPEQW, t, T, splat(x, 1, 0x0400));
    v3m(x, PCMPGTW, T, T, splat(x, 1, 0x7c00));
    v3(x, POR, T, T, t);
    v2(x, PTEST, T, T);
    slow(&f, CC_NE);
}

/* --- To integers --- */

/* The host's rounding immediate for a direction; ties away is not among them. */
static bool host_rounding(unsigned r, unsigned *mode)
{
    static const uint8_t modes[8] = {[FP_RN] = 0, [FP_RP] = 2, [FP_RM] = 1, [FP_RZ] = 3,
                                     [IR_ROUND_CURRENT] = ROUND_MXCSR};

    *mode = modes[r];
    return r <= FP_RZ || r == IR_ROUND_CURRENT;
}

/*
 * Saturation must not raise inexact: so unless the host's own conversion (towards zero, to a signed
 * integer of that width) is what is wanted, round quietly, convert, look, and only then raise it by
 * rounding once more.
 */
void emit_f2i(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned type = x->ir->ops[op->arg[0]].type, mode, s, g;
    bool uns = IR_F2I_UNSIGNED(op->imm), quiet;
    uint32_t w = op->type == IR_I64 || uns ? VX_W : 0, stub = 0;
    struct fpop f;

    if (type == IR_F16 || IR_F2I_FBITS(op->imm) || !host_rounding(IR_F2I_ROUNDING(op->imm), &mode)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(type));
    g = f.dst;
    quiet = uns || mode != ROUND_ZERO;
    s = f.a;
    if (uns && op->type == IR_I64) { /* right, but more than the host's conversion can do */
        x64_vload(&x->a, T, splat_fp(x, f.k, 0x5f000000, 0x43e0000000000000));
        ucomis(x, f.k, T, f.a);
        stub = slow_from(&f, CC_BE);
    }
    if (quiet) {
        round_to(x, f.k, T, f.a, mode | ROUND_QUIET);
        s = T;
    }
    v2(x, insn(f.k, 0x2c) | w, g, s);
    if (!uns) {
        x64_alu_ri(&x->a, ALU_CMP, w ? 8 : 4, g, 1); /* overflows for the smallest integer alone */
        stub = slow_from(&f, CC_O);
    } else if (op->type == IR_I64) {
        x64_test_rr(&x->a, 8, g, g);
        x_slow_also(x, CC_S, stub);
    } else {
        x64_mov_rr(&x->a, 8, X_SCRATCH, g);
        x64_shift_ri(&x->a, SH_SHR, 8, X_SCRATCH, 32);
        stub = slow_from(&f, CC_NE);
    }
    if (quiet)
        round_to(x, f.k, T, f.a, mode);
    x_slow_back(x, stub);
}

/* 64-bit lanes go through general registers. */
static void vf2i_d(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, K_PD);
    uint32_t stub;

    v2(x, insn(K_SD, 0x2c) | VX_W, X_SCRATCH, f.a);
    x64_alu_ri(&x->a, ALU_CMP, 8, X_SCRATCH, 1);
    stub = slow_from(&f, CC_O);
    x64_movq_xr(&x->a, 8, f.d, X_SCRATCH);
    if ((op->imm & 0xff) == 2) {
        vshift(x, PSHIFTQ, EXT_SRLDQ, T, f.a, 8);
        v2(x, insn(K_SD, 0x2c) | VX_W, X_SCRATCH, T);
        x64_alu_ri(&x->a, ALU_CMP, 8, X_SCRATCH, 1);
        x_slow_also(x, CC_O, stub);
        x64_v3i(&x->a, PINSRD | VX_W, f.d, f.d, X_SCRATCH, 1);
    }
    x_slow_back(x, stub);
}
void emit_vf2i(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    uint64_t imm = op->imm >> 8;
    unsigned mode, t, s;
    uint32_t stub;
    struct fpop f;

    if (!packed_ok(op) || IR_F2I_FBITS(imm) || IR_F2I_UNSIGNED(imm) ||
        !host_rounding(IR_F2I_ROUNDING(imm), &mode) || (op->lane == 3 && mode != ROUND_ZERO)) {
        emit_eval(x, op, v);
        return;
    }
    if (op->lane == 3) {
        vf2i_d(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    t = rv_temp(x);
    s = f.a;
    if (mode != ROUND_ZERO) {
        round_to(x, K_PS, t, f.a, mode | ROUND_QUIET);
        s = t;
    }
    v2(x, SS(0x5b), f.d, s); /* cvttps2dq */
    v3m(x, PCMPEQD, t, f.d, splat(x, 2, 0x80000000));
    test_any(x, t);
    stub = slow_from(&f, CC_NE);
    if (mode != ROUND_ZERO)
        round_to(x, K_PS, t, f.a, mode);
    x_slow_back(x, stub);
}

/* --- From integers --- */

void emit_i2f(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned from = x->ir->ops[op->arg[0]].type;
    bool uns = IR_F2I_UNSIGNED(op->imm), wide = from == IR_I64 || uns;
    uint32_t stub = 0;
    struct fpop f;

    if (op->type == IR_F16 || IR_F2I_FBITS(op->imm)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    if (uns && from == IR_I64) {
        x64_test_rr(&x->a, 8, f.src[0], f.src[0]);
        stub = slow_from(&f, CC_S);
    }
    vzero(x, f.d);
    x64_v3(&x->a, insn(f.k, 0x2a) | (wide ? VX_W : 0), f.d, f.d, f.src[0]);
    if (uns && from == IR_I64)
        x_slow_back(x, stub);
}

static void vi2f_d(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f = begin(x, op, v, K_PD);
    uint32_t vi = insn(K_SD, 0x2a) | VX_W;

    x64_movq_rx(&x->a, 8, X_SCRATCH, f.a);
    vzero(x, f.d);
    x64_v3(&x->a, vi, f.d, f.d, X_SCRATCH);
    if ((op->imm & 0xff) == 2) {
        x64_v2i(&x->a, PEXTRD | VX_W, f.a, X_SCRATCH, 1);
        vzero(x, T);
        x64_v3(&x->a, vi, T, T, X_SCRATCH);
        v3(x, PUNPCKLQDQ, f.d, f.d, T);
    }
}
/* Unsigned: both halves are exact, and so is the upper one times 2^16; the sum rounds once. */
void emit_vi2f(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    uint64_t imm = op->imm >> 8;
    bool uns = IR_F2I_UNSIGNED(imm);
    struct fpop f;

    if (!packed_ok(op) || IR_F2I_FBITS(imm) || (op->lane == 3 && uns)) {
        emit_eval(x, op, v);
        return;
    }
    if (op->lane == 3) {
        vi2f_d(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    if (!uns) {
        v2(x, PS(0x5b), f.d, f.a);
        return;
    }
    v3m(x, PAND, f.d, f.a, splat(x, 2, 0xffff));
    vshift(x, PSHIFTD, EXT_SRL, T, f.a, 16);
    v2(x, PS(0x5b), f.d, f.d);
    v2(x, PS(0x5b), T, T);
    v3m(x, insn(K_PS, MUL), T, T, splat(x, 2, 0x47800000));
    v3(x, insn(K_PS, ADD), f.d, f.d, T);
}

/* --- To integral --- */

/* Ties away from zero: truncate, and when half or more was lost (the difference is exact), go one
 * further.  Large numbers and NaNs go out of line. */
static void round_away(struct fpop *f)
{
    struct x64 *x = f->x;
    unsigned t = rv_temp(x);
    struct x64_mem big = splat_fp(x, f->k, 0x4b000000, 0x4330000000000000);
    uint32_t stub;

    if (is_scalar(f->k)) {
        v3m(x, ANDPS, t, f->a, abs_mask(x, f->k));
        x64_vload(&x->a, f->d, big);
        ucomis(x, f->k, f->d, t);
        stub = slow_from(f, CC_BE);
    } else {
        v3m(x, ANDPS, t, f->a, abs_mask(x, f->k));
        x64_v3mi(&x->a, insn(f->k, CMP), t, t, big, CMP_NLT_UQ);
        test_any(x, t);
        stub = slow_from(f, CC_NE);
    }
    round_to(x, f->k, f->d, f->a, ROUND_ZERO | ROUND_QUIET);
    v3(x, insn(f->k, SUB), t, f->a, f->d);
    v3m(x, ANDPS, t, t, abs_mask(x, f->k));
    x64_v3mi(&x->a, insn(f->k, CMP), t, t, splat_fp(x, f->k, 0x3f000000, 0x3fe0000000000000),
             CMP_NLT);
    v3m(x, ANDPS, t, t, splat_fp(x, f->k, 0x3f800000, 0x3ff0000000000000));
    v3m(x, ANDPS, T, f->a, sign_mask(x, f->k));
    v3(x, ORPS, t, t, T);
    v3(x, insn(f->k, ADD), f->d, f->d, t);
    x_slow_back(x, stub);
}

static void rint_finish(struct fpop *f, uint64_t imm)
{
    unsigned mode;

    if ((imm & 7) == FP_RA) {
        round_away(f);
        return;
    }
    host_rounding((unsigned)(imm & 7), &mode);
    round_to(f->x, f->k, f->d, f->a, imm & IR_RINT_EXACT ? mode : mode | ROUND_QUIET);
    slow_if_nan(f);
}
/* What is left to the evaluation function. */
static bool rint_ok(const struct x64 *x, uint64_t imm, bool packed)
{
    unsigned mode;

    if (imm & (IR_RINT_32 | IR_RINT_64))
        return false;
    if ((imm & 7) == FP_RA)
        return !(imm & IR_RINT_EXACT) && (!packed || x->a.f.avx);
    return host_rounding((unsigned)(imm & 7), &mode);
}
void emit_frint(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (op->type == IR_F16 || !rint_ok(x, op->imm, false)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin(x, op, v, scalar_kind(op->type));
    rint_finish(&f, op->imm);
}
void emit_vfrint(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct fpop f;

    if (!packed_ok(op) || !rint_ok(x, op->imm >> 8, true)) {
        emit_eval(x, op, v);
        return;
    }
    f = begin_packed(x, op, v);
    if (f.a == T) { /* rounding away uses it */
        unsigned t = rv_temp(x);

        vmov(x, t, T);
        f.a = t;
    }
    rint_finish(&f, op->imm >> 8);
}

emit_fn *const x64_emit_fp[IR_NUM_OPS] = {
    [IRO_fadd] = emit_arith, [IRO_fsub] = emit_arith, [IRO_fmul] = emit_arith,
    [IRO_fdiv] = emit_arith, [IRO_fsqrt] = emit_fsqrt, [IRO_ffma] = emit_ffma,
    [IRO_fmin] = emit_minmax, [IRO_fmax] = emit_minmax, [IRO_fminnm] = emit_minmax,
    [IRO_fmaxnm] = emit_minmax,
    [IRO_fcvt] = emit_fcvt, [IRO_f2i] = emit_f2i, [IRO_i2f] = emit_i2f, [IRO_frint] = emit_frint,

    [IRO_vfadd] = emit_varith, [IRO_vfsub] = emit_varith, [IRO_vfmul] = emit_varith,
    [IRO_vfdiv] = emit_varith, [IRO_vfsqrt] = emit_vfsqrt, [IRO_vffma] = emit_vffma,
    [IRO_vfmin] = emit_vminmax, [IRO_vfmax] = emit_vminmax, [IRO_vfminnm] = emit_vminmax,
    [IRO_vfmaxnm] = emit_vminmax,
    [IRO_vfceq] = emit_vfceq, [IRO_vfcge] = emit_vfcge, [IRO_vfcgt] = emit_vfcgt,
    [IRO_vf2i] = emit_vf2i, [IRO_vi2f] = emit_vi2f, [IRO_vfrint] = emit_vfrint,
    [IRO_vfcvtl] = emit_vfcvtl, [IRO_vfcvtn] = emit_vfcvtn,
};
