/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector moves, shuffles by immediates, lanes in and out, tests (SDM 2). */
#include "guest/x86/simd.h"

/* --- Whole vectors --- */

void tr_x86_movups(struct x86_tr *t)
{
    ir_val r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = x86_vec_any(t, 1, h);
    x86_result(t, r);
}

void tr_x86_movaps(struct x86_tr *t)
{
    unsigned n = x86_is_mem(t, 0) ? 0 : 1;

    if (x86_is_mem(t, n) && x86_size(t, n) == 32) {
        ir_val low = ir_and_imm(t->ir, x86_mem_at(t, 0, 32, false), 31);

        x86_check(t, ir_cmp(t->ir, IRO_ne, low, x86_const64(t, 0)), X86_EXC_GP, 0);
    }
    t->aligned = true;
    tr_x86_movups(t);
    t->aligned = false;
}

/* --- Scalars --- */

static ir_val lane_from(struct x86_tr *t, ir_val a, ir_val b, unsigned lane, unsigned to, unsigned from)
{
    return ir_v2(t->ir, IRO_vmov, lane, to | from << 4, a, b);
}

void tr_x86_movs_load(struct x86_tr *t)
{
    x86_result1(t, x86_vec(t, 1, 0));
}

static void move_low(struct x86_tr *t, unsigned lane)
{
    x86_result1(t, lane_from(t, x86_vec(t, x86_src1(t), 0), x86_vec(t, x86_src2(t), 0), lane, 0, 0));
}

void tr_x86_movss(struct x86_tr *t)
{
    move_low(t, 2);
}

void tr_x86_movsd(struct x86_tr *t)
{
    move_low(t, 3);
}

void tr_x86_movs_store(struct x86_tr *t)
{
    x86_set_vec(t, 0, 0, x86_vec(t, 1, 0));
}

void tr_x86_movlps(struct x86_tr *t)
{
    ir_val b = x86_vec(t, x86_src2(t), 0);

    x86_result1(t, lane_from(t, x86_vec(t, x86_src1(t), 0), b, 3, 0, 0));
}

void tr_x86_movhlps(struct x86_tr *t)
{
    x86_result1(t, lane_from(t, x86_vec(t, x86_src1(t), 0), x86_vec(t, x86_src2(t), 0), 3, 0, 1));
}

void tr_x86_movhps(struct x86_tr *t)
{
    ir_val b = x86_vec(t, x86_src2(t), 0);

    x86_result1(t, ir_v2(t->ir, IRO_vcat, 3, 0, x86_vec(t, x86_src1(t), 0), b));
}

void tr_x86_movlhps(struct x86_tr *t)
{
    tr_x86_movhps(t);
}

void tr_x86_movhps_store(struct x86_tr *t)
{
    x86_set_vec(t, 0, 0, ir_v1(t->ir, IRO_vhigh, 3, 0, x86_vec(t, 1, 0)));
}

void tr_x86_movq(struct x86_tr *t)
{
    ir_val v = x86_vec(t, 1, 0);

    if (x86_is_mem(t, 0) || x86_is_mmx(t)) {
        x86_set_vec(t, 0, 0, v);
        if (t->i->op[1].kind == X86_OP_MM)
            x86_mmx_used(t);
    } else {
        x86_result1(t, x86_is_mem(t, 1) ? v : ir_v1(t->ir, IRO_vlow, 3, 0, v));
    }
}

void tr_x86_movd(struct x86_tr *t)
{
    x86_result1(t, ir_conv(t->ir, IRO_vfromi, IR_V128, x86_read(t, 1)));
}

void tr_x86_movd_store(struct x86_tr *t)
{
    unsigned size = x86_size(t, 0);

    x86_write(t, 0, ir_op(t->ir, IRO_vget, x86_type(size), size == 8 ? 3 : 2, 0, x86_vec(t, 1, 0), IR_NONE, IR_NONE));
    if (t->i->op[1].kind == X86_OP_MM)
        x86_mmx_used(t);
}

void tr_x86_movq2dq(struct x86_tr *t)
{
    x86_result1(t, x86_vec(t, 1, 0));
    x86_mmx_used(t);
}

void tr_x86_movdq2q(struct x86_tr *t)
{
    x86_set_vec(t, 0, 0, x86_vec(t, 1, 0));
}

void tr_x86_movnti(struct x86_tr *t)
{
    x86_write(t, 0, x86_read(t, 1));
}

/* --- Duplicates --- */

static void same_twice(struct x86_tr *t, enum ir_opcode op)
{
    ir_val r[2];

    for (unsigned h = 0; h < x86_halves(t); h++) {
        ir_val a = x86_vec(t, 1, h);

        r[h] = op == IRO_vdupl ? ir_v1(t->ir, op, 3, 0, a) : ir_v2(t->ir, op, 2, 0, a, a);
    }
    x86_result(t, r);
}

void tr_x86_movsldup(struct x86_tr *t)
{
    same_twice(t, IRO_vtrn1);
}

void tr_x86_movshdup(struct x86_tr *t)
{
    same_twice(t, IRO_vtrn2);
}

void tr_x86_movddup(struct x86_tr *t)
{
    same_twice(t, IRO_vdupl);
}

/* --- Lanes in and out --- */

static unsigned log2_of(unsigned size)
{
    return (unsigned)__builtin_ctz(size);
}

static void extract(struct x86_tr *t, unsigned lane)
{
    unsigned count = x86_is_mmx(t) || t->i->op[1].kind == X86_OP_MM ? 8 : 16, n = x86_imm8(t) & ((count >> lane) - 1);

    x86_write(t, 0, ir_op(t->ir, IRO_vget, lane == 3 ? IR_I64 : IR_I32, lane, n, x86_vec(t, 1, 0), IR_NONE, IR_NONE));
    if (t->i->op[1].kind == X86_OP_MM)
        x86_mmx_used(t);
}

void tr_x86_pextr(struct x86_tr *t)
{
    extract(t, log2_of(x86_size(t, 0)));
}

void tr_x86_pextrb(struct x86_tr *t)
{
    extract(t, 0);
}

void tr_x86_pextrw(struct x86_tr *t)
{
    extract(t, 1);
}

void tr_x86_extractps(struct x86_tr *t)
{
    extract(t, 2);
}

static void insert(struct x86_tr *t, unsigned lane)
{
    unsigned n = x86_imm8(t) & (((x86_is_mmx(t) ? 8u : 16u) >> lane) - 1);
    ir_val b = x86_read(t, x86_src2(t)), r = ir_v2(t->ir, IRO_vset, lane, n, x86_vec(t, x86_src1(t), 0), b);

    x86_result1(t, r);
}

void tr_x86_pinsr(struct x86_tr *t)
{
    insert(t, log2_of(x86_size(t, x86_src2(t))));
}

void tr_x86_pinsrb(struct x86_tr *t)
{
    insert(t, 0);
}

void tr_x86_pinsrw(struct x86_tr *t)
{
    insert(t, 1);
}

/* All ones in the lanes of 1 << @lane bytes that bits of @bits name. */
static ir_val lanes_mask(struct x86_tr *t, unsigned lane, unsigned bits)
{
    union ir_u m = {.d = {0, 0}};

    for (unsigned i = 0; i < 16; i++)
        m.b[i] = bits >> (i >> lane) & 1 ? 0xff : 0;
    return ir_vconst(t->ir, m.d[0], m.d[1]);
}

void tr_x86_insertps(struct x86_tr *t)
{
    unsigned imm = x86_imm8(t), from = x86_is_mem(t, x86_src2(t)) ? 0 : imm >> 6;
    ir_val b = x86_vec(t, x86_src2(t), 0), r = lane_from(t, x86_vec(t, x86_src1(t), 0), b, 2, imm >> 4 & 3, from);

    if (imm & 15)
        r = ir_v2(t->ir, IRO_vand, 0, 0, r, lanes_mask(t, 2, ~imm & 15));
    x86_result1(t, r);
}

/* --- Blends --- */

static ir_val choose(struct x86_tr *t, ir_val mask, ir_val yes, ir_val no)
{
    return ir_v3(t->ir, IRO_vbsl, 0, 0, mask, yes, no);
}

static void blend(struct x86_tr *t, unsigned lane)
{
    unsigned imm = x86_imm8(t), per = lane == 1 ? 0 : 16 >> lane; /* words: the same for both halves */
    ir_val b[2], r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        b[h] = x86_vec(t, x86_src2(t), h);
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = choose(t, lanes_mask(t, lane, imm >> per * h), b[h], x86_vec(t, x86_src1(t), h));
    x86_result(t, r);
}

void tr_x86_blendps(struct x86_tr *t)
{
    blend(t, 2);
}

void tr_x86_blendpd(struct x86_tr *t)
{
    blend(t, 3);
}

void tr_x86_pblendw(struct x86_tr *t)
{
    blend(t, 1);
}

static ir_val signs(struct x86_tr *t, unsigned lane, ir_val v)
{
    return ir_v2(t->ir, IRO_vcgts, lane, 0, x86_vzero(t), v);
}

static void blend_by_signs(struct x86_tr *t, unsigned lane)
{
    unsigned mask = t->i->vex ? 3 : 2;
    ir_val b[2], r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        b[h] = x86_vec(t, x86_src2(t), h);
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = choose(t, signs(t, lane, x86_vec(t, mask, h)), b[h], x86_vec(t, x86_src1(t), h));
    x86_result(t, r);
}

void tr_x86_pblendvb(struct x86_tr *t)
{
    blend_by_signs(t, 0);
}

void tr_x86_blendvps(struct x86_tr *t)
{
    blend_by_signs(t, 2);
}

void tr_x86_blendvpd(struct x86_tr *t)
{
    blend_by_signs(t, 3);
}

/* --- Shuffles whose immediate has bits for each half --- */

void tr_x86_shufpd(struct x86_tr *t)
{
    ir_val b[2], r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        b[h] = x86_vec(t, x86_src2(t), h);
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = x86_vapply(t, X86_SSE_OP(xv2, shufpd), x86_imm8(t) >> 2 * h & 3, x86_vec(t, x86_src1(t), h), b[h], IR_NONE);
    x86_result(t, r);
}

void tr_x86_mpsadbw(struct x86_tr *t)
{
    ir_val b[2], r[2];

    for (unsigned h = 0; h < x86_halves(t); h++)
        b[h] = x86_vec(t, x86_src2(t), h);
    for (unsigned h = 0; h < x86_halves(t); h++)
        r[h] = x86_vapply(t, X86_SSE_OP(xv2, mpsadbw), x86_imm8(t) >> 3 * h & 7, x86_vec(t, x86_src1(t), h), b[h], IR_NONE);
    x86_result(t, r);
}

/* --- Signs and tests --- */

static ir_val sign_bits(struct x86_tr *t, unsigned sse, ir_val v)
{
    return ir_op(t->ir, IRO_xbits, IR_I32, 0, sse_imm(sse, 0), v, IR_NONE, IR_NONE);
}

static void signs_to_gpr(struct x86_tr *t, unsigned sse, unsigned per)
{
    ir_val v = sign_bits(t, sse, x86_vec(t, 1, 0));

    if (x86_size(t, 1) == 32)
        v = ir_or(t->ir, v, ir_shift_imm(t->ir, IRO_shl, sign_bits(t, sse, x86_vec(t, 1, 1)), per));
    x86_write(t, 0, v);
    if (t->i->op[1].kind == X86_OP_MM)
        x86_mmx_used(t);
}

void tr_x86_movmskps(struct x86_tr *t)
{
    signs_to_gpr(t, SSE_movmskps, 4);
}

void tr_x86_movmskpd(struct x86_tr *t)
{
    signs_to_gpr(t, SSE_movmskpd, 2);
}

void tr_x86_pmovmskb(struct x86_tr *t)
{
    signs_to_gpr(t, SSE_pmovmskb, 16);
}

/* Is no bit of @v set? */
static ir_val none(struct x86_tr *t, ir_val v)
{
    struct ir *ir = t->ir;
    ir_val lo = ir_op(ir, IRO_vget, IR_I64, 3, 0, v, IR_NONE, IR_NONE), hi = ir_op(ir, IRO_vget, IR_I64, 3, 1, v, IR_NONE, IR_NONE);

    return ir_cmp(ir, IRO_eq, ir_or(ir, lo, hi), ir_const(ir, IR_I64, 0));
}

/* ZF: no bit is in both; CF: no bit of the second is missing in the first.  Only bits of @mask count. */
static void test(struct x86_tr *t, uint64_t mask)
{
    struct ir *ir = t->ir;
    ir_val both[2], rest[2], zero = ir_const(ir, IR_I1, 0);
    unsigned n = x86_halves(t);

    for (unsigned h = 0; h < n; h++) {
        ir_val b = x86_vec(t, 1, h), a = x86_vec(t, 0, h);

        if (~mask)
            b = ir_v2(ir, IRO_vand, 0, 0, b, ir_vconst(ir, mask, mask));
        both[h] = ir_v2(ir, IRO_vand, 0, 0, a, b);
        rest[h] = ir_v2(ir, IRO_vandn, 0, 0, b, a);
    }
    if (n == 2) {
        both[0] = ir_v2(ir, IRO_vor, 0, 0, both[0], both[1]);
        rest[0] = ir_v2(ir, IRO_vor, 0, 0, rest[0], rest[1]);
    }
    ir_set(ir, X86_ZF, none(t, both[0]));
    ir_set(ir, X86_CF, none(t, rest[0]));
    ir_set(ir, X86_SF, zero);
    ir_set(ir, X86_OF, zero);
    ir_set(ir, X86_PF, ir_const(ir, IR_I32, 1));
    ir_set(ir, X86_AF, ir_const(ir, IR_I32, 0));
}

void tr_x86_ptest(struct x86_tr *t)
{
    test(t, ~0ull);
}

void tr_x86_vtestps(struct x86_tr *t)
{
    test(t, 0x8000000080000000);
}

void tr_x86_vtestpd(struct x86_tr *t)
{
    test(t, 0x8000000000000000);
}
