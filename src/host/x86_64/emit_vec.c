/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Lane-wise integer operations on SSE4.2, AVX and AVX2 (AMD64 Architecture Programmer's Manual,
 * volume 4).  What is not here, or not for that lane, is a call of the evaluation function.
 *
 * Unless it says otherwise an emitter takes a result register different from its operands', which
 * may therefore hold intermediate values; T is the scratch register.
 */
#include "host/x86_64/vec_ops.h"

/* --- One instruction per operation --- */

/* By lane; 0: the host has no such instruction. */
static const uint32_t native[IR_NUM_OPS][4] = {
    [IRO_vand] = {PAND, PAND, PAND, PAND},
    [IRO_vor] = {POR, POR, POR, POR},
    [IRO_vxor] = {PXOR, PXOR, PXOR, PXOR},
    [IRO_vadd] = {PADDB, PADDW, PADDD, PADDQ},
    [IRO_vsub] = {PSUBB, PSUBW, PSUBD, PSUBQ},
    [IRO_vmul] = {0, PMULLW, PMULLD, 0},
    [IRO_vuqadd] = {PADDUSB, PADDUSW, 0, 0},
    [IRO_vsqadd] = {PADDSB, PADDSW, 0, 0},
    [IRO_vuqsub] = {PSUBUSB, PSUBUSW, 0, 0},
    [IRO_vsqsub] = {PSUBSB, PSUBSW, 0, 0},
    [IRO_vurhadd] = {PAVGB, PAVGW, 0, 0},
    [IRO_vumax] = {PMAXUB, PMAXUW, PMAXUD, 0},
    [IRO_vsmax] = {PMAXSB, PMAXSW, PMAXSD, 0},
    [IRO_vumin] = {PMINUB, PMINUW, PMINUD, 0},
    [IRO_vsmin] = {PMINSB, PMINSW, PMINSD, 0},
    [IRO_vceq] = {PCMPEQB, PCMPEQW, PCMPEQD, PCMPEQQ},
    [IRO_vcgts] = {PCMPGTB, PCMPGTW, PCMPGTD, PCMPGTQ},
    [IRO_vzip1] = {PUNPCKLBW, PUNPCKLWD, PUNPCKLDQ, PUNPCKLQDQ},
    [IRO_vzip2] = {PUNPCKHBW, PUNPCKHWD, PUNPCKHDQ, PUNPCKHQDQ},
    [IRO_vtrn1] = {0, 0, 0, PUNPCKLQDQ},
    [IRO_vtrn2] = {0, 0, 0, PUNPCKHQDQ},
    [IRO_vuzp1] = {0, 0, 0, PUNPCKLQDQ},
    [IRO_vuzp2] = {0, 0, 0, PUNPCKHQDQ},
    [IRO_vcat] = {PUNPCKLQDQ, PUNPCKLQDQ, PUNPCKLQDQ, PUNPCKLQDQ},
    [IRO_vabs] = {PABSB, PABSW, PABSD, 0},
    [IRO_vuxtl] = {PMOVZXBW, PMOVZXWD, PMOVZXDQ, 0},
    [IRO_vsxtl] = {PMOVSXBW, PMOVSXWD, PMOVSXDQ, 0},
};

bool vec_has_native(const struct ir_op *op)
{
    return native[op->op][op->lane] != 0;
}

/* The result may take the register of the first operand when that dies here. */
/* Neighbouring lanes are combined in lanes of twice the size, whose low halves are packed. */
static void pairwise(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    const struct ir_op *u = &x->ir->ops[x_resolve(x, op->arg[0])];
    uint32_t how = native[op->op][op->lane], shift = op->lane ? PSHIFTD : PSHIFTW;
    struct x64_mem even = splat(x, op->lane + 1, op->lane ? 0xffff : 0xff);
    struct io r = vec_io2(x, u, v);
    unsigned high = r.d;

    vshift(x, shift, EXT_SRL, r.d, r.a, 8u << op->lane);
    v3(x, how, r.d, r.d, r.a);
    v3m(x, PAND, r.d, r.d, even);
    if (r.b != r.a) {
        high = T;
        vshift(x, shift, EXT_SRL, T, r.b, 8u << op->lane);
        v3(x, how, T, T, r.b);
        v3m(x, PAND, T, T, even);
    }
    v3(x, op->lane ? PACKUSDW : PACKUSWB, r.d, r.d, high);
}

bool x_pairwise(const struct ir *ir, const struct ir_op *o)
{
    const struct ir_op *a, *b;

    if ((o->op != IRO_vadd && (o->op < IRO_vumax || o->op > IRO_vsmin)) || o->lane > 1)
        return false;
    a = &ir->ops[ir_root(ir, o->arg[0])];
    b = &ir->ops[ir_root(ir, o->arg[1])];
    return a->op == IRO_vuzp1 && b->op == IRO_vuzp2 && a->lane == o->lane && b->lane == o->lane &&
           a->arg[0] == b->arg[0] && a->arg[1] == b->arg[1];
}

static bool lazy(const struct x64 *x, uint32_t v)
{
    v = x_resolve(x, v);
    return (x->val[v].flags & XV_LAZY) && x->val[v].reg == NOREG;
}

void vec_native2(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    uint32_t vi = native[op->op][op->lane];
    bool reuse = !x->a.f.avx || ra_dies(x, op->arg[0]);
    struct x64_mem m;
    unsigned d, s1, s2;

    if (x_pairwise(x->ir, op) && lazy(x, op->arg[0]) && lazy(x, op->arg[1])) {
        pairwise(x, op, v);
        return;
    }
    if (!vi) {
        emit_eval(x, op, v);
        return;
    }
    if (x->a.f.avx && ra_in_mem(x, op->arg[1], &m)) {
        s1 = reuse ? 0 : rv_use(x, op->arg[0]);
        d = reuse ? rv_use_def(x, v, op->arg[0]) : rv_def(x, v);
        v3m(x, vi, d, reuse ? d : s1, m);
        return;
    }
    s2 = rv_use(x, op->arg[1]);
    s1 = reuse ? 0 : rv_use(x, op->arg[0]);
    d = reuse ? rv_use_def(x, v, op->arg[0]) : rv_def(x, v);
    v3(x, vi, d, reuse ? d : s1, s2);
}

void vec_native1(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    unsigned s = rv_use(x, op->arg[0]), d = rv_def(x, v);

    v2(x, native[op->op][op->lane], d, s);
}

struct io vec_io1(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = {.a = rv_use(x, op->arg[0])};

    r.d = rv_def(x, v);
    return r;
}
struct io vec_io2(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = {.a = rv_use(x, op->arg[0]), .b = rv_use(x, op->arg[1])};

    r.d = rv_def(x, v);
    return r;
}
struct io vec_io3(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = {.a = rv_use(x, op->arg[0]),
                   .b = rv_use(x, op->arg[1]),
                   .c = rv_use(x, op->arg[2])};

    r.d = rv_def(x, v);
    return r;
}

/* By lane. */
const uint32_t vec_padd[4] = {PADDB, PADDW, PADDD, PADDQ};
const uint32_t vec_psub[4] = {PSUBB, PSUBW, PSUBD, PSUBQ};
const uint32_t vec_pcmpgt[4] = {PCMPGTB, PCMPGTW, PCMPGTD, PCMPGTQ};
const uint32_t vec_pshift[4] = {0, PSHIFTW, PSHIFTD, PSHIFTQ};
static const uint32_t pcmpeq[4] = {PCMPEQB, PCMPEQW, PCMPEQD, PCMPEQQ};
static const uint32_t pminu[4] = {PMINUB, PMINUW, PMINUD};
static const uint32_t pmaxu[4] = {PMAXUB, PMAXUW, PMAXUD};
static const uint32_t pmins[4] = {PMINSB, PMINSW, PMINSD};
static const uint32_t pmaxs[4] = {PMAXSB, PMAXSW, PMAXSD};

/* --- Bitwise --- */

void emit_vandn(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io2(x, op, v);

    v3(x, PANDN, r.d, r.b, r.a);
}

void emit_vnot(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    vones(x, r.d);
    v3(x, PXOR, r.d, r.d, r.a);
}

void emit_vbsl(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io3(x, op, v);

    v3(x, PAND, T, r.a, r.b);
    v3(x, PANDN, r.d, r.a, r.c);
    v3(x, POR, r.d, r.d, T);
}

/* --- Arithmetic --- */

/* b: products of even and odd bytes apart; (a >> 8) * (b & 0xff00) leaves the odd one in place. */
void emit_vmul(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    if (vec_has_native(op)) {
        vec_native2(x, op, v);
        return;
    }
    if (op->lane != 0) {
        emit_eval(x, op, v);
        return;
    }
    struct io r = vec_io2(x, op, v);
    unsigned t = rv_temp(x);

    vshift(x, PSHIFTW, EXT_SRL, T, r.a, 8);
    v3m(x, PAND, t, r.b, splat(x, 1, 0xff00));
    v3(x, PMULLW, T, T, t);
    v3(x, PMULLW, r.d, r.a, r.b);
    v3m(x, PAND, r.d, r.d, splat(x, 1, 0x00ff));
    v3(x, POR, r.d, r.d, T);
}

void emit_vneg(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    vzero(x, r.d);
    v3(x, vec_psub[op->lane], r.d, r.d, r.a);
}

/* |a| of d lanes: (a ^ sign) - sign. */
static void abs_d(struct x64 *x, unsigned d, unsigned s)
{
    vzero(x, T);
    v3(x, PCMPGTQ, T, T, s);
    v3(x, PXOR, d, s, T);
    v3(x, PSUBQ, d, d, T);
}

void emit_vabs(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r;

    if (vec_has_native(op)) {
        vec_native1(x, op, v);
        return;
    }
    r = vec_io1(x, op, v);
    abs_d(x, r.d, r.a);
}

/* The most negative lane in d becomes the most positive one. */
void vec_fix_min(struct x64 *x, unsigned lane, unsigned d)
{
    v3m(x, pcmpeq[lane], T, d, splat(x, lane, vec_lane_min(lane)));
    v3(x, PXOR, d, d, T);
}

void emit_vsqabs(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    if (op->lane == 3) {
        abs_d(x, r.d, r.a);
        vec_fix_min(x, 3, r.d);
        return;
    }
    v2(x, native[IRO_vabs][op->lane], r.d, r.a);
    v3m(x, pminu[op->lane], r.d, r.d, splat(x, op->lane, vec_lane_min(op->lane) - 1));
}

void emit_vsqneg(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    vzero(x, r.d);
    v3(x, vec_psub[op->lane], r.d, r.d, r.a);
    vec_fix_min(x, op->lane, r.d);
}

/* d = x > y unsigned, in d lanes; @t is clobbered and may not be d. */
static void above_d(struct x64 *x, unsigned d, unsigned a, unsigned b, unsigned t)
{
    struct x64_mem bias = splat(x, 3, vec_lane_min(3));

    v3m(x, PXOR, t, b, bias);
    v3m(x, PXOR, d, a, bias);
    v3(x, PCMPGTQ, d, d, t);
}

/* s: a + min(b, ~a); d: ones where the sum is less than a. */
void emit_vuqadd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    if (vec_has_native(op)) {
        vec_native2(x, op, v);
        return;
    }
    struct io r = vec_io2(x, op, v);

    if (op->lane == 2) {
        vones(x, r.d);
        v3(x, PXOR, r.d, r.d, r.a);
        v3(x, PMINUD, r.d, r.d, r.b);
        v3(x, PADDD, r.d, r.d, r.a);
        return;
    }
    unsigned t = rv_temp(x);

    v3(x, PADDQ, r.d, r.a, r.b);
    above_d(x, T, r.a, r.d, t);
    v3(x, POR, r.d, r.d, T);
}

void emit_vuqsub(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    if (vec_has_native(op)) {
        vec_native2(x, op, v);
        return;
    }
    struct io r = vec_io2(x, op, v);

    if (op->lane == 2) {
        v3(x, PMAXUD, r.d, r.a, r.b);
        v3(x, PSUBD, r.d, r.d, r.b);
        return;
    }
    above_d(x, T, r.b, r.a, r.d);
    v3(x, PSUBQ, r.d, r.a, r.b);
    v3(x, PANDN, T, T, r.d);
    vmov(x, r.d, T);
}

/* Signs of s or d lanes spread over the lane; d may be s. */
static void spread_sign(struct x64 *x, unsigned lane, unsigned d, unsigned s)
{
    if (lane == 2) {
        vshift(x, PSHIFTD, EXT_SRA, d, s, 31);
    } else {
        vshift(x, PSHIFTD, EXT_SRA, d, s, 31);
        v2i(x, PSHUFD, d, d, 0xf5);
    }
}

/* Signed saturation of s and d lanes: overflow when both operands differ in sign from the result
 * (of an addition); then the result is the extreme of a's sign. */
static void sat_add_sub(struct x64 *x, const struct ir_op *op, uint32_t v, bool sub)
{
    if (vec_has_native(op)) {
        vec_native2(x, op, v);
        return;
    }
    struct io r = vec_io2(x, op, v);
    unsigned lane = op->lane, t = rv_temp(x);

    v3(x, sub ? vec_psub[lane] : vec_padd[lane], r.d, r.a, r.b);
    v3(x, PXOR, T, r.a, r.d);
    v3(x, PXOR, t, r.b, sub ? r.a : r.d);
    v3(x, PAND, T, T, t);
    spread_sign(x, lane, T, T);
    spread_sign(x, lane, t, r.a);
    v3m(x, PXOR, t, t, splat(x, lane, vec_lane_min(lane) - 1));
    v3(x, PXOR, t, t, r.d);
    v3(x, PAND, t, t, T);
    v3(x, PXOR, r.d, r.d, t);
}
void emit_vsqadd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sat_add_sub(x, op, v, false);
}
void emit_vsqsub(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    sat_add_sub(x, op, v, true);
}

/* --- Halving --- */

/* Bytes with the sign bit flipped keep their order as unsigned: signed forms by unsigned ones. */
static void flip_bytes(struct x64 *x, unsigned d, unsigned s)
{
    v3m(x, PXOR, d, s, splat(x, 0, 0x80));
}

/* (a ^ b) >> 1 in d, T clobbered for bytes. */
static void half_difference_bits(struct x64 *x, const struct ir_op *op, unsigned d, unsigned a,
                                 unsigned b, bool sign)
{
    v3(x, PXOR, d, a, b);
    if (op->lane == 0) {
        vshift(x, PSHIFTW, EXT_SRL, d, d, 1);
        v3m(x, PAND, d, d, splat(x, 0, 0x7f));
    } else {
        vshift(x, vec_pshift[op->lane], sign ? EXT_SRA : EXT_SRL, d, d, 1);
    }
}

/* Floor: the rounded average less the lost bit, or (a & b) + ((a ^ b) >> 1).
 * Rounding: (a | b) - ((a ^ b) >> 1). */
static void halving_add(struct x64 *x, const struct ir_op *op, uint32_t v, bool sign, bool round)
{
    struct io r;

    if (op->lane == 3) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    if (op->lane == 0 || (op->lane == 1 && !sign)) {
        unsigned t = rv_temp(x), a = r.a, b = r.b;

        if (sign) {
            flip_bytes(x, t, a);
            flip_bytes(x, T, b);
            a = t;
            b = T;
        }
        v3(x, op->lane ? PAVGW : PAVGB, r.d, a, b);
        if (!round) {
            v3(x, PXOR, t, a, b);
            v3m(x, PAND, t, t, splat(x, op->lane, 1));
            v3(x, vec_psub[op->lane], r.d, r.d, t);
        }
        if (sign)
            flip_bytes(x, r.d, r.d);
        return;
    }
    half_difference_bits(x, op, r.d, r.a, r.b, sign);
    if (round) {
        v3(x, POR, T, r.a, r.b);
        v3(x, vec_psub[op->lane], T, T, r.d);
        vmov(x, r.d, T);
    } else {
        v3(x, PAND, T, r.a, r.b);
        v3(x, vec_padd[op->lane], r.d, r.d, T);
    }
}
void emit_vuhadd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    halving_add(x, op, v, false, false);
}
void emit_vshadd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    halving_add(x, op, v, true, false);
}
void emit_vurhadd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    halving_add(x, op, v, false, true);
}
void emit_vsrhadd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    halving_add(x, op, v, true, true);
}

/* ((a ^ b) >> 1) - (~a & b); the difference of signed bytes is that of the flipped ones. */
static void halving_sub(struct x64 *x, const struct ir_op *op, uint32_t v, bool sign)
{
    struct io r;

    if (op->lane == 3) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    half_difference_bits(x, op, r.d, r.a, r.b, sign);
    if (op->lane == 0 && sign) {
        unsigned t = rv_temp(x);

        flip_bytes(x, t, r.a);
        flip_bytes(x, T, r.b);
        v3(x, PANDN, t, t, T);
        vmov(x, T, t);
    } else {
        v3(x, PANDN, T, r.a, r.b);
    }
    v3(x, vec_psub[op->lane], r.d, r.d, T);
}
void emit_vuhsub(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    halving_sub(x, op, v, false);
}
void emit_vshsub(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    halving_sub(x, op, v, true);
}

/* --- Distance and order --- */

static void distance(struct x64 *x, const struct ir_op *op, uint32_t v, const uint32_t *max,
                     const uint32_t *min)
{
    struct io r;

    if (!max[op->lane]) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    v3(x, min[op->lane], T, r.a, r.b);
    v3(x, max[op->lane], r.d, r.a, r.b);
    v3(x, vec_psub[op->lane], r.d, r.d, T);
}
void emit_vuabd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    distance(x, op, v, pmaxu, pminu);
}
void emit_vsabd(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    distance(x, op, v, pmaxs, pmins);
}

static void invert(struct x64 *x, unsigned d)
{
    vones(x, T);
    v3(x, PXOR, d, d, T);
}

void emit_vcges(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io2(x, op, v);

    if (op->lane == 3) {
        v3(x, PCMPGTQ, r.d, r.b, r.a);
        invert(x, r.d);
        return;
    }
    v3(x, pmaxs[op->lane], r.d, r.a, r.b);
    v3(x, pcmpeq[op->lane], r.d, r.d, r.a);
}
void emit_vcgeu(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io2(x, op, v);

    if (op->lane == 3) {
        above_d(x, r.d, r.b, r.a, T);
        invert(x, r.d);
        return;
    }
    v3(x, pmaxu[op->lane], r.d, r.a, r.b);
    v3(x, pcmpeq[op->lane], r.d, r.d, r.a);
}
void emit_vcgtu(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io2(x, op, v);
    struct x64_mem bias = splat(x, op->lane, vec_lane_min(op->lane));

    v3m(x, PXOR, T, r.b, bias);
    v3m(x, PXOR, r.d, r.a, bias);
    v3(x, vec_pcmpgt[op->lane], r.d, r.d, T);
}
void emit_vtst(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io2(x, op, v);

    v3(x, PAND, r.d, r.a, r.b);
    vzero(x, T);
    v3(x, pcmpeq[op->lane], r.d, r.d, T);
    invert(x, r.d);
}

/* --- Doubling multiplies --- */

/* 2ab >> 16 as (high << 1) + (low >> 15). */
static void sqdmulh_h(struct x64 *x, struct io r)
{
    v3(x, PMULLW, T, r.a, r.b);
    v3(x, PMULHW, r.d, r.a, r.b);
    vshift(x, PSHIFTW, EXT_SRL, T, T, 15);
    v3(x, PADDW, r.d, r.d, r.d);
    v3(x, POR, r.d, r.d, T);
}

/* Even lanes and odd lanes apart, their doubled products' high halves put together. */
static void sqdmulh_s(struct x64 *x, struct io r, bool round)
{
    unsigned t = rv_temp(x);

    v2i(x, PSHUFD, T, r.a, 0xf5);
    v2i(x, PSHUFD, t, r.b, 0xf5);
    v3(x, PMULDQ, T, T, t);
    v3(x, PMULDQ, r.d, r.a, r.b);
    v3(x, PADDQ, T, T, T);
    v3(x, PADDQ, r.d, r.d, r.d);
    if (round) {
        struct x64_mem half = splat(x, 3, 1ull << 31);

        v3m(x, PADDQ, T, T, half);
        v3m(x, PADDQ, r.d, r.d, half);
    }
    v2i(x, PSHUFD, r.d, r.d, 0xf5);
    v3i(x, PBLENDW, r.d, r.d, T, 0xcc);
}

/* Only the product of the two most negative lanes overflows, and gives just that value again. */
static void doubling_multiply(struct x64 *x, const struct ir_op *op, uint32_t v, bool round)
{
    struct io r;

    if (op->lane != 1 && op->lane != 2) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io2(x, op, v);
    if (op->lane == 2)
        sqdmulh_s(x, r, round);
    else if (round)
        v3(x, PMULHRSW, r.d, r.a, r.b);
    else
        sqdmulh_h(x, r);
    vec_fix_min(x, op->lane, r.d);
}
void emit_vsqdmulh(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    doubling_multiply(x, op, v, false);
}
void emit_vsqrdmulh(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    doubling_multiply(x, op, v, true);
}

/* --- Bits --- */

/* d = low[nibble of a] combined with high[nibble] by @how; @t is a temporary and may be @a. */
static void by_nibbles(struct x64 *x, unsigned d, unsigned a, unsigned t, struct x64_mem low,
                       struct x64_mem high, uint32_t how)
{
    vshift(x, PSHIFTW, EXT_SRL, T, a, 4);
    v3m(x, PAND, T, T, splat(x, 0, 15));
    x64_vload(&x->a, d, high);
    v3(x, PSHUFB, d, d, T);
    v3m(x, PAND, T, a, splat(x, 0, 15));
    x64_vload(&x->a, t, low);
    v3(x, PSHUFB, t, t, T);
    v3(x, how, d, d, t);
}
void emit_vcnt(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct x64_mem ones = x_vconst(x, 0x0302020102010100, 0x0403030203020201);
    struct io r = vec_io1(x, op, v);

    by_nibbles(x, r.d, r.a, rv_temp(x), ones, ones, PADDB);
}

/* By GFNI, a product with the matrix that mirrors; else by tables. */
static void reverse_bits(struct x64 *x, unsigned d, unsigned a, unsigned t)
{
    if (x->a.f.gfni) {
        x64_v3mi(&x->a, VGF2P8AFFINEQB, d, a, splat(x, 3, 0x8040201008040201), 0);
        return;
    }
    by_nibbles(x, d, a, t, x_vconst(x, 0xe060a020c0408000, 0xf070b030d0509010),
               x_vconst(x, 0x0e060a020c040800, 0x0f070b030d050901), POR);
}
void emit_vrbit(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r = vec_io1(x, op, v);

    reverse_bits(x, r.d, r.a, rv_temp(x));
}
void x_reverse_bytes_bits(struct x64 *x, unsigned d, unsigned a)
{
    reverse_bits(x, d, a, a);
}
void emit_vclz(struct x64 *x, const struct ir_op *op, uint32_t v)
{
    struct io r;

    if (op->lane != 0) {
        emit_eval(x, op, v);
        return;
    }
    r = vec_io1(x, op, v);
    by_nibbles(x, r.d, r.a, rv_temp(x), x_vconst(x, 0x0505050506060708, 0x0404040404040404),
               x_vconst(x, 0x0101010102020308, 0), PMINUB);
}

/* --- The table --- */

emit_fn *const x64_emit_vec[IR_NUM_OPS] = {
    [IRO_vfromf] = emit_vfromf, [IRO_vtof] = emit_vtof, [IRO_vfromi] = emit_vfromi,
    [IRO_vget] = emit_vget, [IRO_vgets] = emit_vgets, [IRO_vset] = emit_vset,
    [IRO_vmov] = emit_vmov, [IRO_vdup] = emit_vdup, [IRO_vdupl] = emit_vdupl,
    [IRO_vlow] = emit_vlow, [IRO_vhigh] = emit_vhigh, [IRO_vcat] = vec_native2,
    [IRO_fbits] = emit_fbits, [IRO_fneg] = emit_fneg, [IRO_fabs] = emit_fabs,
    [IRO_vfneg] = emit_vfneg, [IRO_vfabs] = emit_vfabs,

    [IRO_vand] = vec_native2, [IRO_vor] = vec_native2, [IRO_vxor] = vec_native2,
    [IRO_vandn] = emit_vandn, [IRO_vnot] = emit_vnot, [IRO_vbsl] = emit_vbsl,
    [IRO_vadd] = vec_native2, [IRO_vsub] = vec_native2, [IRO_vmul] = emit_vmul,
    [IRO_vneg] = emit_vneg, [IRO_vabs] = emit_vabs,
    [IRO_vuqadd] = emit_vuqadd, [IRO_vsqadd] = emit_vsqadd, [IRO_vuqsub] = emit_vuqsub,
    [IRO_vsqsub] = emit_vsqsub, [IRO_vsqneg] = emit_vsqneg, [IRO_vsqabs] = emit_vsqabs,
    [IRO_vuhadd] = emit_vuhadd, [IRO_vshadd] = emit_vshadd, [IRO_vurhadd] = emit_vurhadd,
    [IRO_vsrhadd] = emit_vsrhadd, [IRO_vuhsub] = emit_vuhsub, [IRO_vshsub] = emit_vshsub,
    [IRO_vuabd] = emit_vuabd, [IRO_vsabd] = emit_vsabd,
    [IRO_vumax] = vec_native2, [IRO_vsmax] = vec_native2, [IRO_vumin] = vec_native2,
    [IRO_vsmin] = vec_native2,
    [IRO_vceq] = vec_native2, [IRO_vcgts] = vec_native2, [IRO_vcges] = emit_vcges,
    [IRO_vcgtu] = emit_vcgtu, [IRO_vcgeu] = emit_vcgeu, [IRO_vtst] = emit_vtst,
    [IRO_vshli] = emit_vshli, [IRO_vushri] = emit_vushri, [IRO_vsshri] = emit_vsshri,
    [IRO_vurshri] = emit_vurshri, [IRO_vsrshri] = emit_vsrshri, [IRO_vushl] = emit_vushl,
    [IRO_vsshl] = emit_vsshl, [IRO_vsqdmulh] = emit_vsqdmulh, [IRO_vsqrdmulh] = emit_vsqrdmulh,
    [IRO_vcnt] = emit_vcnt, [IRO_vclz] = emit_vclz, [IRO_vrbit] = emit_vrbit,
    [IRO_vrev] = emit_vrev,

    [IRO_vuxtl] = vec_native1, [IRO_vsxtl] = vec_native1, [IRO_vxtn] = emit_vxtn,
    [IRO_vuqxtn] = emit_vuqxtn, [IRO_vsqxtn] = emit_vsqxtn, [IRO_vsqxtun] = emit_vsqxtun,
    [IRO_vumull] = emit_vumull, [IRO_vsmull] = emit_vsmull, [IRO_vsqdmull] = emit_vsqdmull,
    [IRO_vpmull] = emit_vpmull, [IRO_vuaddlp] = emit_vuaddlp, [IRO_vsaddlp] = emit_vsaddlp,
    [IRO_vudot] = emit_vudot, [IRO_vsdot] = emit_vsdot,

    [IRO_vaddv] = emit_vaddv, [IRO_vuaddlv] = emit_vuaddlv, [IRO_vsaddlv] = emit_vsaddlv,
    [IRO_vumaxv] = emit_vumaxv, [IRO_vsmaxv] = emit_vsmaxv, [IRO_vuminv] = emit_vuminv,
    [IRO_vsminv] = emit_vsminv,

    [IRO_vzip1] = vec_native2, [IRO_vzip2] = vec_native2, [IRO_vuzp1] = emit_vuzp1,
    [IRO_vuzp2] = emit_vuzp2, [IRO_vtrn1] = emit_vtrn1, [IRO_vtrn2] = emit_vtrn2,
    [IRO_vext] = emit_vext, [IRO_vtbl] = emit_vtbl,

    [IRO_aese] = emit_aese, [IRO_aesd] = emit_aesd, [IRO_aesmc] = emit_aesmc,
    [IRO_aesimc] = emit_aesimc,
    [IRO_xv1] = emit_xv1, [IRO_xv2] = emit_xv2, [IRO_xv3] = emit_xv3, [IRO_xbits] = emit_xbits,
    [IRO_sha1c] = emit_sha1c, [IRO_sha1p] = emit_sha1p, [IRO_sha1m] = emit_sha1m,
    [IRO_sha1h] = emit_sha1h, [IRO_sha1su0] = emit_sha1su0, [IRO_sha1su1] = emit_sha1su1,
    [IRO_sha256h] = emit_sha256h, [IRO_sha256h2] = emit_sha256h2,
    [IRO_sha256su0] = emit_sha256su0, [IRO_sha256su1] = emit_sha256su1,
};
