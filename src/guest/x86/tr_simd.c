/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector operands, and instructions that are one operation on vectors (SDM 2). */
#include "guest/x86/simd.h"

static bool is_sse(unsigned op)
{
    switch (op) {
    case IRO_xv1: case IRO_xv2: case IRO_xv3: case IRO_xf1: case IRO_xf2: case IRO_xf3:
        return true;
    }
    return false;
}

ir_val x86_vapply(struct x86_tr *t, struct x86_vop op, unsigned imm8, ir_val a, ir_val b, ir_val c)
{
    uint64_t imm = is_sse(op.op) ? sse_imm(op.sse, imm8) : 0;

    if (ir_info[op.op].effects == IR_FP)
        x86_fp_begin(t);
    return ir_op(t->ir, op.op, IR_V128, op.lane, imm, a, b, c);
}

ir_val x86_vzero(struct x86_tr *t)
{
    return ir_vconst(t->ir, 0, 0);
}

/* --- Operands --- */

static ir_val load_float(struct x86_tr *t, unsigned size)
{
    return ir_load(t->ir, size == 8 ? IR_F64 : IR_F32, ir_mem(size == 8 ? 3 : 2, false, IR_RELAXED), x86_mem(t, size, false));
}

/* The memop of 16 bytes. */
static uint64_t whole(const struct x86_tr *t)
{
    return ir_mem(4, false, IR_RELAXED) | (t->aligned ? IR_MEM_ALIGNED : 0);
}

static ir_val load_vec(struct x86_tr *t, unsigned size, unsigned half)
{
    if (size >= 16)
        return ir_load(t->ir, IR_V128, whole(t), x86_mem_at(t, 16 * half, 16, false));
    if (size >= 4)
        return ir_conv(t->ir, IRO_vfromf, IR_V128, load_float(t, size));
    return ir_conv(t->ir, IRO_vfromi, IR_V128, x86_load(t, x86_mem(t, size, false), size));
}

ir_val x86_vec_any(struct x86_tr *t, unsigned n, unsigned half)
{
    const struct x86_operand *o = &t->i->op[n];

    switch (o->kind) {
    case X86_OP_VEC:
        return ir_get(t->ir, (half ? X86_YMMH0 : X86_XMM0) + o->reg);
    case X86_OP_MM:
        return x86_mmx_get(t, o->reg);
    default:
        return load_vec(t, o->size, half);
    }
}

ir_val x86_vec(struct x86_tr *t, unsigned n, unsigned half)
{
    ir_val v;

    t->aligned = !t->i->vex;
    v = x86_vec_any(t, n, half);
    t->aligned = false;
    return v;
}

void x86_set_vec(struct x86_tr *t, unsigned n, unsigned half, ir_val v)
{
    const struct x86_operand *o = &t->i->op[n];

    if (o->kind == X86_OP_VEC)
        ir_set(t->ir, (half ? X86_YMMH0 : X86_XMM0) + o->reg, v);
    else if (o->kind == X86_OP_MM)
        x86_mmx_set(t, o->reg, v);
    else if (o->size >= 16)
        ir_store(t->ir, whole(t), x86_mem(t, 16, true), v);
    else
        ir_store(t->ir, ir_mem(o->size == 8 ? 3 : 2, false, IR_RELAXED), x86_mem(t, o->size, true),
                 ir_conv(t->ir, IRO_vtof, o->size == 8 ? IR_F64 : IR_F32, v));
}

ir_val x86_scalar(struct x86_tr *t, unsigned n)
{
    return x86_is_mem(t, n) ? load_float(t, x86_size(t, n)) : x86_vec(t, n, 0);
}

ir_val x86_float(struct x86_tr *t, unsigned n, enum ir_type type)
{
    return x86_is_mem(t, n) ? load_float(t, type == IR_F64 ? 8 : 4) : ir_conv(t->ir, IRO_vtof, type, x86_vec(t, n, 0));
}

void x86_result(struct x86_tr *t, const ir_val *halves)
{
    const struct x86_operand *o = &t->i->op[0];

    x86_fp_end(t);
    if (o->kind == X86_OP_MEM && x86_halves(t) == 2) { /* all or nothing, as an Intel Xeon does it */
        ir_store2(t->ir, x86_mem(t, 32, true), halves[0], halves[1]);
        return;
    }
    for (unsigned h = 0; h < x86_halves(t); h++)
        x86_set_vec(t, 0, h, halves[h]);
    if (t->i->vex && o->kind == X86_OP_VEC && x86_halves(t) == 1)
        ir_set(t->ir, X86_YMMH0 + o->reg, x86_vzero(t));
}

void x86_result1(struct x86_tr *t, ir_val v)
{
    ir_val r[2] = {v, IR_NONE};

    if (x86_halves(t) == 2)
        r[1] = x86_vzero(t);
    x86_result(t, r);
}

/* --- Shapes --- */

void x86_vector1(struct x86_tr *t, struct x86_vop op)
{
    ir_val a[2], r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        a[h] = x86_vec(t, 1, h);
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = x86_vapply(t, op, x86_imm8(t), a[h], IR_NONE, IR_NONE);
    x86_result(t, r);
}

void x86_vector2(struct x86_tr *t, struct x86_vop op)
{
    ir_val b[2], r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        b[h] = x86_vec(t, x86_src2(t), h);
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = x86_vapply(t, op, x86_imm8(t), x86_vec(t, x86_src1(t), h), b[h], IR_NONE);
    x86_result(t, r);
}

void x86_vector3(struct x86_tr *t, struct x86_vop op)
{
    ir_val c[2], r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        c[h] = x86_size(t, 2) < 16 ? x86_scalar(t, 2) : x86_vec(t, 2, h);
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = x86_vapply(t, op, 0, x86_vec(t, 0, h), x86_vec(t, 1, h), c[h]);
    x86_result(t, r);
}

void x86_scalar2(struct x86_tr *t, struct x86_vop op)
{
    ir_val b = x86_scalar(t, x86_src2(t));

    x86_result1(t, x86_vapply(t, op, x86_imm8(t), x86_vec(t, x86_src1(t), 0), b, IR_NONE));
}

/* --- Instructions that are one operation --- */

#define VOP2(name, op, lane)                                                                                         \
    void tr_x86_##name(struct x86_tr *t)                                                                             \
    {                                                                                                                \
        x86_vector2(t, X86_VOP(op, lane));                                                                           \
    }
#define VOP1(name, op, lane)                                                                                         \
    void tr_x86_##name(struct x86_tr *t)                                                                             \
    {                                                                                                                \
        x86_vector1(t, X86_VOP(op, lane));                                                                           \
    }
#define SSE_OP(shape, kind, name)                                                                                    \
    void tr_x86_##name(struct x86_tr *t)                                                                             \
    {                                                                                                                \
        x86_##shape(t, X86_SSE_OP(kind, name));                                                                      \
    }
#define PURE1(name)   SSE_OP(vector1, xv1, name)
#define PURE2(name)   SSE_OP(vector2, xv2, name)
#define FP1(name)     SSE_OP(vector1, xf1, name)
#define FP2(name)     SSE_OP(vector2, xf2, name)
#define SCALAR2(name) SSE_OP(scalar2, xf2, name)

VOP2(pand, vand, 0) VOP2(por, vor, 0) VOP2(pxor, vxor, 0)
VOP2(paddb, vadd, 0) VOP2(paddw, vadd, 1) VOP2(paddd, vadd, 2) VOP2(paddq, vadd, 3)
VOP2(psubb, vsub, 0) VOP2(psubw, vsub, 1) VOP2(psubd, vsub, 2) VOP2(psubq, vsub, 3)
VOP2(paddusb, vuqadd, 0) VOP2(paddusw, vuqadd, 1) VOP2(paddsb, vsqadd, 0) VOP2(paddsw, vsqadd, 1)
VOP2(psubusb, vuqsub, 0) VOP2(psubusw, vuqsub, 1) VOP2(psubsb, vsqsub, 0) VOP2(psubsw, vsqsub, 1)
VOP2(pcmpeqb, vceq, 0) VOP2(pcmpeqw, vceq, 1) VOP2(pcmpeqd, vceq, 2) VOP2(pcmpeqq, vceq, 3)
VOP2(pcmpgtb, vcgts, 0) VOP2(pcmpgtw, vcgts, 1) VOP2(pcmpgtd, vcgts, 2) VOP2(pcmpgtq, vcgts, 3)
VOP2(pminub, vumin, 0) VOP2(pminuw, vumin, 1) VOP2(pminud, vumin, 2)
VOP2(pmaxub, vumax, 0) VOP2(pmaxuw, vumax, 1) VOP2(pmaxud, vumax, 2)
VOP2(pminsb, vsmin, 0) VOP2(pminsw, vsmin, 1) VOP2(pminsd, vsmin, 2)
VOP2(pmaxsb, vsmax, 0) VOP2(pmaxsw, vsmax, 1) VOP2(pmaxsd, vsmax, 2)
VOP2(pavgb, vurhadd, 0) VOP2(pavgw, vurhadd, 1) VOP2(pmullw, vmul, 1) VOP2(pmulld, vmul, 2)
VOP2(punpcklbw, vzip1, 0) VOP2(punpcklwd, vzip1, 1) VOP2(punpckldq, vzip1, 2) VOP2(punpcklqdq, vzip1, 3)
VOP1(pabsb, vabs, 0) VOP1(pabsw, vabs, 1) VOP1(pabsd, vabs, 2)

PURE2(pmaddwd) PURE2(pmulhw) PURE2(pmulhuw) PURE2(pmuludq) PURE2(pmuldq) PURE2(psadbw) PURE2(pmaddubsw) PURE2(pmulhrsw)
PURE2(psignb) PURE2(psignw) PURE2(psignd) PURE2(shufps)
PURE2(aesenc) PURE2(aesenclast) PURE2(aesdec) PURE2(aesdeclast) PURE2(pclmulqdq)
PURE2(sha1nexte) PURE2(sha1msg1) PURE2(sha1msg2) PURE2(sha256msg1) PURE2(sha256msg2) PURE2(sha1rnds4)
PURE2(vpermilps) PURE2(vpermilpd) PURE2(vpsrlvd) PURE2(vpsrlvq) PURE2(vpsravd) PURE2(vpsllvd) PURE2(vpsllvq)
PURE1(pshufd) PURE1(pshuflw) PURE1(pshufhw) PURE1(phminposuw) PURE1(aesimc) PURE1(aeskeygenassist) PURE1(rcpps) PURE1(rsqrtps)

FP2(addps) FP2(addpd) FP2(mulps) FP2(mulpd) FP2(subps) FP2(subpd) FP2(minps) FP2(minpd) FP2(divps) FP2(divpd) FP2(maxps) FP2(maxpd)
FP2(addsubps) FP2(addsubpd) FP2(haddps) FP2(haddpd) FP2(hsubps) FP2(hsubpd) FP2(dpps) FP2(dppd)
FP1(sqrtps) FP1(sqrtpd) FP1(roundps) FP1(roundpd) FP1(cvtdq2ps) FP1(cvtps2dq) FP1(cvttps2dq)
SCALAR2(addss) SCALAR2(addsd) SCALAR2(mulss) SCALAR2(mulsd) SCALAR2(subss) SCALAR2(subsd) SCALAR2(minss) SCALAR2(minsd)
SCALAR2(divss) SCALAR2(divsd) SCALAR2(maxss) SCALAR2(maxsd) SCALAR2(sqrtss) SCALAR2(sqrtsd) SCALAR2(roundss) SCALAR2(roundsd)
SCALAR2(cvtss2sd) SCALAR2(cvtsd2ss)
SSE_OP(scalar2, xv2, rcpss) SSE_OP(scalar2, xv2, rsqrtss)

#define FMA(name)  SSE_OP(vector3, xf3, name)
#define FMA_FORMS(name)                                                                                              \
    FMA(name##132ps) FMA(name##132pd) FMA(name##213ps) FMA(name##213pd) FMA(name##231ps) FMA(name##231pd)
#define FMA_ALL(name)                                                                                                \
    FMA_FORMS(name) FMA(name##132ss) FMA(name##132sd) FMA(name##213ss) FMA(name##213sd) FMA(name##231ss) FMA(name##231sd)
FMA_FORMS(vfmaddsub) FMA_FORMS(vfmsubadd) FMA_ALL(vfmadd) FMA_ALL(vfmsub) FMA_ALL(vfnmadd) FMA_ALL(vfnmsub)

void tr_x86_sha256rnds2(struct x86_tr *t)
{
    ir_val b = x86_vec(t, 1, 0);

    x86_result1(t, x86_vapply(t, X86_SSE_OP(xv3, sha256rnds2), 0, x86_vec(t, 0, 0), b, x86_vec(t, 2, 0)));
}

/* ~a & b: the operation inverts its second operand. */
void tr_x86_pandn(struct x86_tr *t)
{
    ir_val b[2], r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        b[h] = x86_vec(t, x86_src2(t), h);
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = ir_v2(t->ir, IRO_vandn, 0, 0, b[h], x86_vec(t, x86_src1(t), h));
    x86_result(t, r);
}

/* Predicates above 7 are of VEX forms only. */
static struct x86_vop compare_op(const struct x86_tr *t, unsigned sse, unsigned vex)
{
    return (struct x86_vop){IRO_xf2, 0, (uint16_t)(t->i->vex && (t->i->imm & 0x18) ? vex : sse)};
}
#define COMPARE(name, shape)                                                                                         \
    void tr_x86_##name(struct x86_tr *t)                                                                             \
    {                                                                                                                \
        x86_##shape(t, compare_op(t, SSE_##name, SSE_v##name));                                                      \
    }
COMPARE(cmpps, vector2) COMPARE(cmppd, vector2) COMPARE(cmpss, scalar2) COMPARE(cmpsd, scalar2)

/* --- Those whose MMX form is not the low half of the other --- */

/* The operands of an MMX instruction side by side, as one of 16 bytes. */
static void joined(struct x86_tr *t, struct x86_vop op)
{
    ir_val b = x86_vec(t, 1, 0), both = ir_v2(t->ir, IRO_vcat, 3, 0, x86_vec(t, 0, 0), b);

    x86_result1(t, x86_vapply(t, op, 0, both, both, IR_NONE));
}
#define JOINED2(name)                                                                                                \
    void tr_x86_##name(struct x86_tr *t)                                                                             \
    {                                                                                                                \
        if (x86_is_mmx(t))                                                                                           \
            joined(t, X86_SSE_OP(xv2, name));                                                                 \
        else                                                                                                         \
            x86_vector2(t, X86_SSE_OP(xv2, name));                                                                   \
    }
JOINED2(packsswb) JOINED2(packssdw) JOINED2(packuswb) JOINED2(packusdw)
JOINED2(phaddw) JOINED2(phaddd) JOINED2(phaddsw) JOINED2(phsubw) JOINED2(phsubd) JOINED2(phsubsw)

/* High halves: of MMX registers, the upper half of what the low ones give. */
static void unpack_high(struct x86_tr *t, unsigned lane)
{
    ir_val b;

    if (!x86_is_mmx(t)) {
        x86_vector2(t, X86_VOP(vzip2, lane));
        return;
    }
    b = x86_vec(t, 1, 0);
    x86_result1(t, ir_v1(t->ir, IRO_vhigh, 3, 0, ir_v2(t->ir, IRO_vzip1, lane, 0, x86_vec(t, 0, 0), b)));
}
void tr_x86_punpckhbw(struct x86_tr *t)
{
    unpack_high(t, 0);
}
void tr_x86_punpckhwd(struct x86_tr *t)
{
    unpack_high(t, 1);
}
void tr_x86_punpckhdq(struct x86_tr *t)
{
    unpack_high(t, 2);
}
void tr_x86_punpckhqdq(struct x86_tr *t)
{
    unpack_high(t, 3);
}

/* Of an MMX register's bytes there are eight to choose from. */
void tr_x86_pshufb(struct x86_tr *t)
{
    ir_val b;

    if (!x86_is_mmx(t)) {
        x86_vector2(t, X86_SSE_OP(xv2, pshufb));
        return;
    }
    b = ir_v2(t->ir, IRO_vand, 0, 0, x86_vec(t, 1, 0), ir_vconst(t->ir, 0x8787878787878787, 0));
    x86_result1(t, x86_vapply(t, X86_SSE_OP(xv2, pshufb), 0, x86_vec(t, 0, 0), b, IR_NONE));
}

void tr_x86_palignr(struct x86_tr *t)
{
    unsigned n = x86_imm8(t);
    ir_val b[2], r[2], zero = x86_vzero(t);

    for (unsigned h = 0; h < x86_halves(t); h++)
        b[h] = x86_vec(t, x86_src2(t), h);
    for (unsigned h = 0; h < x86_halves(t); h++) {
        ir_val a = x86_vec(t, x86_src1(t), h);

        if (x86_is_mmx(t))
            r[h] = n < 16 ? ir_v2(t->ir, IRO_vext, 0, n, ir_v2(t->ir, IRO_vcat, 3, 0, b[h], a), zero) : zero;
        else if (n < 16)
            r[h] = ir_v2(t->ir, IRO_vext, 0, n, b[h], a);
        else
            r[h] = n < 32 ? ir_v2(t->ir, IRO_vext, 0, n - 16, a, zero) : zero;
    }
    x86_result(t, r);
}

/* --- Shifts --- */

/* By the low eight bytes of a vector. */
static void shift_by(struct x86_tr *t, struct x86_vop op)
{
    ir_val count = x86_vec(t, x86_src2(t), 0), r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = x86_vapply(t, op, 0, x86_vec(t, x86_src1(t), h), count, IR_NONE);
    x86_result(t, r);
}
#define SHIFT(name)                                                                                                  \
    void tr_x86_##name(struct x86_tr *t)                                                                             \
    {                                                                                                                \
        shift_by(t, X86_SSE_OP(xv2, name));                                                                          \
    }
SHIFT(psllw) SHIFT(pslld) SHIFT(psllq) SHIFT(psrlw) SHIFT(psrld) SHIFT(psrlq) SHIFT(psraw) SHIFT(psrad)

/* By an immediate, which is of any size. */
static void shift_imm(struct x86_tr *t, enum ir_opcode op, unsigned lane)
{
    unsigned bits = 8u << lane, n = x86_imm8(t), src = t->i->vex;
    ir_val r[2];

    if (op == IRO_vsshri && n > bits)
        n = bits;
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = n >= bits && op != IRO_vsshri ? x86_vzero(t) : ir_v1(t->ir, op, lane, n, x86_vec(t, src, h));
    x86_result(t, r);
}
#define SHIFT_IMM(name, op, lane)                                                                                    \
    void tr_x86_##name(struct x86_tr *t)                                                                             \
    {                                                                                                                \
        shift_imm(t, IRO_##op, lane);                                                                                \
    }
SHIFT_IMM(psllw_i, vshli, 1) SHIFT_IMM(pslld_i, vshli, 2) SHIFT_IMM(psllq_i, vshli, 3)
SHIFT_IMM(psrlw_i, vushri, 1) SHIFT_IMM(psrld_i, vushri, 2) SHIFT_IMM(psrlq_i, vushri, 3)
SHIFT_IMM(psraw_i, vsshri, 1) SHIFT_IMM(psrad_i, vsshri, 2)

static void shift_bytes(struct x86_tr *t, bool left)
{
    unsigned n = x86_imm8(t);
    ir_val r[2], zero = x86_vzero(t);

    for (unsigned h = 0; h < x86_halves(t); h++) {
        ir_val a = x86_vec(t, t->i->vex, h);

        if (n == 0)
            r[h] = a;
        else if (n > 15)
            r[h] = zero;
        else
            r[h] = left ? ir_v2(t->ir, IRO_vext, 0, 16 - n, zero, a) : ir_v2(t->ir, IRO_vext, 0, n, a, zero);
    }
    x86_result(t, r);
}
void tr_x86_pslldq(struct x86_tr *t)
{
    shift_bytes(t, true);
}
void tr_x86_psrldq(struct x86_tr *t)
{
    shift_bytes(t, false);
}
