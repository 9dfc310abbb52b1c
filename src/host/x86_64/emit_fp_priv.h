/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the floating-point emitters share.  In line is what follows the rules of the Arm ARM (DDI 0487,
 * shared/functions/float) on SSE4.2, AVX, FMA3 and F16C (AMD64 Architecture Programmer's Manual, volume 4).
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
#ifndef HOST_X86_64_EMIT_FP_PRIV_H
#define HOST_X86_64_EMIT_FP_PRIV_H

#include "base/softfloat.h"
#include "host/x86_64/vec_ops.h"

/* How the host's instructions come: packed or scalar, single or double. */
enum kind { K_PS, K_PD, K_SS, K_SD };

static const uint8_t prefix[4] = {[K_PD] = 0x66, [K_SS] = 0xf3, [K_SD] = 0xf2};

static inline uint32_t insn(enum kind k, unsigned opc)
{
    return VX(prefix[k], 1, opc);
}
static inline bool is_double(enum kind k)
{
    return k & 1;
}
static inline bool is_scalar(enum kind k)
{
    return k >= K_SS;
}
static inline enum kind scalar_kind(unsigned type)
{
    return type == IR_F64 ? K_SD : K_SS;
}
static inline enum kind packed_kind(unsigned lane)
{
    return lane == 3 ? K_PD : K_PS;
}

enum { ADD = 0x58, MUL = 0x59, SUB = 0x5c, MIN = 0x5d, DIV = 0x5e, MAX = 0x5f, SQRT = 0x51 };
enum { CMP = 0xc2, CMP_EQ = 0, CMP_LT = 1, CMP_LE = 2, CMP_UNORD = 3, CMP_NLT = 5 };
enum { CMP_EQ_UQ = 8, CMP_NLT_UQ = 0x15 }; /* AVX only */
enum { ROUND_ZERO = 3, ROUND_MXCSR = 4, ROUND_QUIET = 8 };

static inline struct x64_mem splat_fp(struct x64 *x, enum kind k, uint32_t f32, uint64_t f64)
{
    return is_double(k) ? splat(x, 3, f64) : splat(x, 2, f32);
}
static inline struct x64_mem abs_mask(struct x64 *x, enum kind k)
{
    return splat_fp(x, k, 0x7fffffff, 0x7fffffffffffffff);
}
static inline struct x64_mem sign_mask(struct x64 *x, enum kind k)
{
    return splat_fp(x, k, 0x80000000, 0x8000000000000000);
}
static inline struct x64_mem smallest_normal(struct x64 *x, enum kind k)
{
    return splat_fp(x, k, 0x00800000, 0x0010000000000000);
}

static inline void ucomis(struct x64 *x, enum kind k, unsigned a, unsigned b)
{
    v2(x, VX(is_double(k) ? 0x66 : 0, 1, 0x2e), a, b);
}
static inline void round_to(struct x64 *x, enum kind k, unsigned d, unsigned s, unsigned mode)
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

static inline struct fpop begin(struct x64 *x, const struct ir_op *op, uint32_t v, enum kind k)
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

static inline void slow(struct fpop *f, enum x64_cc cc)
{
    x_slow(f->x, cc, f->op, f->dst, f->src, f->n_src);
}
/* In two steps, when the condition comes before the result: what is between is skipped. */
static inline uint32_t slow_from(struct fpop *f, enum x64_cc cc)
{
    return x_slow_from(f->x, cc, f->op, f->dst, f->src, f->n_src);
}

/* Condition "not equal": some lane of mask @m is set.  The scratch register is clobbered. */
static inline void test_any(struct x64 *x, unsigned m)
{
    v2(x, PS(0x50), X_SCRATCH, m); /* movmskps */
    x64_test_rr(&x->a, 4, X_SCRATCH, X_SCRATCH);
}

static inline void slow_if_nan(struct fpop *f)
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
static inline void slow_if_nan_or_tiny(struct fpop *f)
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
static inline unsigned bytes_used(struct x64 *x, uint32_t v)
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
static inline void low_bytes(struct x64 *x, unsigned bytes, unsigned d, unsigned s)
{
    if (bytes == 8)
        v2(x, MOVQ, d, s);
    else if (bytes == 4)
        v3i(x, INSERTPS, d, s, s, 0x0e);
}

/* Register @s with only its low @bytes kept, in @t when something has to be cleared. */
static inline unsigned keep_bytes(struct x64 *x, unsigned bytes, unsigned s, uint32_t v, unsigned t)
{
    if (bytes_used(x, v) <= bytes)
        return s;
    low_bytes(x, bytes, t, s);
    return t;
}

static inline unsigned bytes_computed(const struct ir_op *op)
{
    return (unsigned)(op->imm & 0xff) << op->lane;
}
/* Half precision has no in-line arithmetic, other counts than these do not occur. */
static inline bool packed_ok(const struct ir_op *op)
{
    unsigned bytes = bytes_computed(op);

    return op->lane >= 2 && (bytes == 16 || bytes == 8 || bytes == 4);
}

/* Operands of a packed operation, cleaned: the first to T, the second to a temporary, the third to
 * the result's register. */
static inline struct fpop begin_packed(struct x64 *x, const struct ir_op *op, uint32_t v)
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

#endif
